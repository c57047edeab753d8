//! What is left of a page of which the first row cannot be read: all behind it, where its place alone says where that is.
//!
//! Pure. Behind a cursor nothing is known of the next one, so that a row that cannot be read ends its list.

use crate::plan::Connection;
use crate::schema::Pager;
use crate::state::Task;

/// The rest of what a task asks for, without its first row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Rest {
    /// Other tasks have it.
    Elsewhere,
    /// It begins there; its id is that of the task, and has to be given anew.
    At(Box<Task>),
}

/// The rest behind the first row of a task that was asked for with one row a page; `None` where nothing tells where it is.
pub(crate) fn behind_row(connection: &Connection, task: &Task) -> Option<Rest> {
    let (first, left) = match &connection.paged.pager {
        Pager::OffsetTotal { .. } | Pager::OffsetList { .. } => (0, task.expected.map(|rows| rows.saturating_sub(1))),
        Pager::PageTotals { first_page, .. }
        | Pager::PageFlag { first_page, .. }
        | Pager::PageList { first_page, .. }
            if task.size == Some(1) =>
        {
            (*first_page, task.expected.map(|_| 0))
        }
        _ => return None,
    };
    if left == Some(0) {
        return Some(Rest::Elsewhere);
    }
    let position = match &task.position {
        Some(position) => position.as_u64()?,
        None => first,
    };
    Some(Rest::At(Box::new(Task {
        position: Some((position + 1).into()),
        before: task.before + 1,
        size: left.or(task.size),
        expected: left,
        ..task.clone()
    })))
}
