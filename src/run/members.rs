//! Runs for each value of a variable: what an answer means for those that it was asked for, and what becomes of those that
//! the API refuses.
//!
//! Pure. One value that fails takes no other one down.

use std::collections::BTreeMap;

use crate::run::harvest::Harvest;
use crate::run::intake::{AskedTask, Consequences, tally_of};
use crate::run::turning::{End, PagingError};
use crate::state::{Member, MemberGain, Task, TaskChange};

/// What giving these tasks up amounts to; `failure` is why the members fail that they are asked for.
pub(crate) fn give_up(asked: &[AskedTask], failure: Option<&str>) -> TaskChange {
    let mut lost = TaskChange::default();
    let mut members: BTreeMap<u64, MemberGain> = BTreeMap::new();
    for AskedTask { task, .. } in asked {
        lost.done.push(task.id);
        if let Some(member) = &task.member {
            let gain = members.entry(member.number).or_default();
            gain.open -= 1;
            gain.failure = failure.map(str::to_owned);
        }
        if let (Some(connection), Some(end)) = (task.connection, End::Lost.unless_side(task.expected)) {
            lost.tallies.push((connection, tally_of(end)));
        }
    }
    lost.members = members.into_iter().collect();
    lost
}

/// Adds to the members which of their pages were read, and which are to be read because of that.
pub(crate) fn count_open<'task>(
    members: &mut BTreeMap<u64, MemberGain>,
    done: impl Iterator<Item = &'task Task>,
    next: &[Task],
) {
    let of_done = done.map(|task| (task, -1));
    let of_next = next.iter().map(|task| (task, 1));
    for (task, change) in of_done.chain(of_next) {
        if let Some(member) = &task.member {
            members.entry(member.number).or_default().open += change;
        }
    }
}

/// What of an answer is wrong with a slot that asks for the first pages for a member: its field is null because of an
/// error, or it is not there. What is null without an error does not exist, and is counted.
pub(crate) struct FirstPages<'run> {
    pub(crate) asked: &'run [AskedTask],
    pub(crate) harvest: &'run Harvest,
    /// Whether null is no answer, and says nothing of what exists.
    pub(crate) doubts_null: bool,
}

impl FirstPages<'_> {
    /// Notes for each such slot what came of it; `cause` is the message of the error that made a slot null, if any did.
    pub(crate) fn note(&self, cause: impl Fn(usize) -> Option<String>, result: &mut Consequences) {
        let slots = self.asked.iter().enumerate();
        for (slot, member) in slots.filter_map(|(slot, asked)| Some((slot, first_of(&asked.task)?))) {
            let failure = match self.missing(slot) {
                Some(path) => Some(format!("`{path}` is missing from the answer")),
                None => cause(slot).filter(|_| self.lacks(slot)),
            };
            match failure {
                Some(cause) => {
                    result.failed.push((slot, PagingError::NoAnswer { cause }));
                    result.void.push(slot);
                }
                None if self.harvest.null_slots.contains(&slot) => {
                    let gain = result.members.entry(member.number).or_default();
                    gain.nulls += u64::from(!self.doubts_null);
                    result.void.push(slot);
                }
                None => {}
            }
        }
    }

    fn missing(&self, slot: usize) -> Option<&str> {
        let missing = self.harvest.missing.iter().find(|missing| missing.slot == Some(slot));
        missing.map(|missing| missing.path.as_str())
    }

    /// Whether rows are not there: the slot's own field is null, or one of its outermost connections is.
    fn lacks(&self, slot: usize) -> bool {
        let mut pages = self.harvest.pages.iter().filter(|page| page.slot == Some(slot));
        let is_absent = pages.any(|page| (page.is_null || !page.has_items) && !page.is_left_out);
        self.harvest.null_slots.contains(&slot) || is_absent
    }
}

/// The member whose first pages a task asks for.
fn first_of(task: &Task) -> Option<&Member> {
    task.member.as_ref().filter(|_| task.connection.is_none())
}
