//! Runs for each value of a variable: which values share a request, what an answer means for those that it was asked
//! for, and what becomes of those that the API refuses.
//!
//! Pure. One value that fails takes no other one down.

use std::collections::{BTreeMap, HashMap};

use crate::api::ApiError;
use crate::run::harvest::Harvest;
use crate::run::intake::{AskedTask, Consequences, note_end};
use crate::run::turning::{End, PagingError};
use crate::state::{Member, MemberGain, Tally, Task, TaskChange};

/// Which tasks may share a request. Those of a request that was refused are parted, so that what the API refuses is found
/// in as few requests as that takes.
#[derive(Debug, Default)]
pub(crate) struct Company {
    /// The group of each task that was parted from others; all others are of group 0.
    groups: HashMap<u64, u64>,
    last_group: u64,
}

impl Company {
    /// Whether a task may share a request with another one.
    pub(crate) fn may_join(&self, first: &Task, other: &Task, mixes_members: bool) -> bool {
        let same = |one: &Option<Member>, other: &Option<Member>| {
            one.as_ref().map(|member| member.number) == other.as_ref().map(|member| member.number)
        };
        self.group(first) == self.group(other) && (mixes_members || same(&first.member, &other.member))
    }

    fn group(&self, task: &Task) -> u64 {
        self.groups.get(&task.id).copied().unwrap_or(0)
    }

    /// Parts the tasks of a request that was refused: each half goes on by itself. False where there is but one.
    pub(crate) fn part(&mut self, asked: &[AskedTask]) -> bool {
        if asked.len() < 2 {
            return false;
        }
        let half = asked.len().div_ceil(2);
        for (index, asked) in asked.iter().enumerate() {
            let group = self.last_group + if index < half { 1 } else { 2 };
            self.groups.insert(asked.task.id, group);
        }
        self.last_group += 2;
        true
    }

    /// The tasks of a request that was answered are parted from others no more.
    pub(crate) fn reunite(&mut self, asked: &[AskedTask]) {
        for asked in asked {
            self.groups.remove(&asked.task.id);
        }
    }
}

/// Whether an error may be that of one task, or of one value of the variable, and not of the API or of the query as a
/// whole.
pub(crate) fn may_be_of_one_task(error: &ApiError) -> bool {
    match error {
        ApiError::Denied { .. }
        | ApiError::TooBig(_)
        | ApiError::TooComplex(_)
        | ApiError::CursorExpired(_)
        | ApiError::Invalid(_)
        | ApiError::Misshapen(_) => true,
        ApiError::Unauthorized(_)
        | ApiError::GaveUp { .. }
        | ApiError::ThrottledForever { .. }
        | ApiError::Stopped { .. }
        | ApiError::Token { .. }
        | ApiError::PermitLog { .. }
        | ApiError::Unwritable { .. } => false,
    }
}

/// What giving these tasks up amounts to, all of which are asked for a member.
pub(crate) fn give_up(asked: &[AskedTask], reason: &str) -> TaskChange {
    let mut lost = TaskChange::default();
    let mut members: BTreeMap<u64, MemberGain> = BTreeMap::new();
    for AskedTask { task, .. } in asked {
        lost.done.push(task.id);
        if let Some(member) = &task.member {
            let gain = members.entry(member.number).or_default();
            gain.open -= 1;
            gain.failure = Some(reason.to_owned());
        }
        // A page before the last one is not its connection's end.
        if let Some(connection) = task.connection.filter(|_| task.expected.is_none()) {
            let mut tally = Tally::default();
            note_end(&mut tally, End::Lost);
            lost.tallies.push((connection, tally));
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
                    result.members.entry(member.number).or_default().nulls += 1;
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
