//! Pages behind the last one: some APIs answer an error there, and not an empty page.

use std::collections::BTreeMap;

use crate::run::export::Export;
use crate::run::export::sending::Sent;
use crate::run::intake::{may_be_behind_the_end, tally_of};
use crate::run::members::count_open;
use crate::run::turning::End;
use crate::state::{Task, TaskChange};

/// How a connection ends, and what is to be said of it.
pub(super) type Ending = (Option<End>, Option<String>);

impl Export<'_> {
    /// How a connection ends whose page was refused where nothing said that there is one; `None` where that is no end.
    pub(super) fn end_behind(&self, task: &Task, cause: &str) -> Option<Ending> {
        let connection = self.plan.connections.get(task.connection?)?;
        if !may_be_behind_the_end(connection, task) {
            return None;
        }
        if task.total == Some(task.before) {
            return Some((Some(End::Total), None));
        }
        let text = format!(
            "`{}` has an error in a page of which nothing says that it is there, and is taken to end before it: {cause}",
            connection.path
        );
        Some((End::Suspect.unless_side(task.expected), Some(text)))
    }

    /// What it amounts to that a request was refused of which all pages are behind the end, as totals say.
    pub(super) fn all_behind(&self, sent: &Sent, cause: &str) -> Option<TaskChange> {
        let mut change = TaskChange::default();
        let mut members = BTreeMap::new();
        let tasks = sent.asked.iter().map(|asked| &asked.task);
        count_open(&mut members, tasks.clone(), &[]);
        change.members = members.into_iter().collect();
        for task in tasks {
            let (end, _) = self.end_behind(task, cause)?;
            let end = end.filter(|end| *end == End::Total)?;
            change.done.push(task.id);
            change.tallies.push((task.connection?, tally_of(end)));
        }
        Some(change)
    }
}
