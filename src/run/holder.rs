//! Which of the connections of one path a text is about: that of a row, named by its key, or that of a value which the
//! query is run for.

use crate::plan::{Connection, Plan};
use crate::state::{Member, Task};

/// What holds a connection, in words: ``of the row `42` `` or `of $group = "acme"`; `None` where there is but one.
pub(crate) fn holder(plan: &Plan, depth: u32, parent: Option<&str>, member: Option<&Member>) -> Option<String> {
    if depth > 0 {
        return parent.map(|parent| format!("of the row `{parent}`"));
    }
    let variable = &plan.each_variable()?.name;
    member.map(|member| format!("of ${variable} = {}", member.value))
}

/// What holds the connection that a task asks for.
pub(crate) fn holder_of(plan: &Plan, connection: &Connection, task: &Task) -> Option<String> {
    holder(plan, connection.depth, task.parent.as_deref(), task.member.as_ref())
}

/// A text about the connection of a path, with what holds that behind the path.
pub(crate) fn named(text: &str, path: &str, holder: Option<&str>) -> String {
    let quoted = format!("`{path}`");
    match holder {
        Some(holder) => text.replacen(&quoted, &format!("{quoted} {holder}"), 1),
        None => text.to_owned(),
    }
}
