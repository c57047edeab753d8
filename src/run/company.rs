//! Which tasks may share a request, after some of them were refused together.
//!
//! Pure.

use std::collections::HashMap;

use crate::api::ApiError;
use crate::run::intake::AskedTask;
use crate::state::{Member, Task};

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
