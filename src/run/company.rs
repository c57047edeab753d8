//! Which tasks may share a request, after some of them were refused together.
//!
//! Pure.

use std::collections::HashMap;

use crate::api::{ApiError, Failure, TransportError};
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

/// Whose fault it is that a request has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// That of one task, or of one value of the variable.
    Task,
    /// That of the API, or of what leads to it.
    Source,
    /// The server may crash on one task, or be down: whether it answers another request tells.
    Either,
}

/// Whose fault an error is.
pub(crate) fn fault(error: &ApiError) -> Fault {
    match error {
        ApiError::Denied { .. }
        | ApiError::TooBig(_)
        | ApiError::TooComplex(_)
        | ApiError::CursorExpired(_)
        | ApiError::Invalid(_)
        | ApiError::Misshapen(_) => Fault::Task,
        ApiError::GaveUp { last, .. } => fault_of(last),
        ApiError::Unauthorized(_)
        | ApiError::ThrottledForever { .. }
        | ApiError::Stopped { .. }
        | ApiError::Token { .. }
        | ApiError::PermitLog { .. }
        | ApiError::Unwritable { .. } => Fault::Source,
    }
}

fn fault_of(failure: &Failure) -> Fault {
    match failure {
        Failure::Transport(
            TransportError::UnknownHost { .. }
            | TransportError::Refused { .. }
            | TransportError::Unreachable { .. }
            | TransportError::Tls { .. }
            | TransportError::ConnectTimeout { .. },
        ) => Fault::Source,
        Failure::Transport(_) | Failure::Response(_) => Fault::Either,
    }
}
