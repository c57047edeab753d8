//! Which tasks may share a request, after some of them were refused together or were too much.
//!
//! Pure.

use std::collections::{HashMap, HashSet};

use crate::api::ApiError;
use crate::run::intake::AskedTask;
use crate::state::{Member, Task};

/// Which tasks may share a request, and how much that request may hold. Those of a request that was refused are parted, so
/// that what the API refuses is found in as few requests as that takes; those of one that was too much are asked for
/// again with less.
#[derive(Debug, Default)]
pub(crate) struct Company {
    /// The group of each task that was parted from others; all others are of group 0.
    groups: HashMap<u64, u64>,
    /// What holds for the groups but for the first.
    terms: HashMap<u64, Terms>,
    last_group: u64,
}

/// What holds for the tasks of a group.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Terms {
    /// Rows that their request may hold, where a larger one failed.
    pub(crate) rows: Option<f64>,
    /// How often they failed in a row because they were too much.
    pub(crate) failures: u32,
    /// The fewest rows with which they did.
    pub(crate) failed: f64,
    /// Whether that may have been since the source was busy.
    pub(crate) met_busy: bool,
}

impl Company {
    /// Whether a task may share a request with another one.
    pub(crate) fn may_join(&self, first: &Task, other: &Task, mixes_members: bool) -> bool {
        let same = |one: &Option<Member>, other: &Option<Member>| {
            one.as_ref().map(|member| member.number) == other.as_ref().map(|member| member.number)
        };
        self.group(first) == self.group(other) && (mixes_members || same(&first.member, &other.member))
    }

    /// What holds for a task.
    pub(crate) fn terms(&self, task: &Task) -> Terms {
        self.terms.get(&self.group(task)).copied().unwrap_or_default()
    }

    /// The group of a task.
    pub(crate) fn group(&self, task: &Task) -> u64 {
        self.groups.get(&task.id).copied().unwrap_or(0)
    }

    /// Parts the tasks of a request that was refused: each half goes on by itself. False where there is but one.
    pub(crate) fn part(&mut self, asked: &[AskedTask]) -> bool {
        if asked.len() < 2 {
            return false;
        }
        let terms = asked.first().map(|asked| self.terms(&asked.task)).unwrap_or_default();
        let (left, right) = asked.split_at(asked.len().div_ceil(2));
        self.set_apart(left.iter().map(|asked| asked.task.id), terms);
        self.set_apart(right.iter().map(|asked| asked.task.id), terms);
        true
    }

    /// Makes a group of tasks.
    pub(crate) fn set_apart(&mut self, tasks: impl Iterator<Item = u64>, terms: Terms) {
        self.last_group += 1;
        self.terms.insert(self.last_group, terms);
        for task in tasks {
            self.groups.insert(task, self.last_group);
        }
        self.forget_empty();
    }

    /// The tasks of a request that was answered are parted from others no more.
    pub(crate) fn reunite(&mut self, asked: &[AskedTask]) {
        if self.groups.is_empty() {
            return;
        }
        for asked in asked {
            self.groups.remove(&asked.task.id);
        }
        self.forget_empty();
    }

    fn forget_empty(&mut self) {
        let groups: HashSet<u64> = self.groups.values().copied().collect();
        self.terms.retain(|group, _| groups.contains(group));
    }
}

/// Whose fault it is that a request has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// That of one task, or of one value of the variable.
    Task,
    /// It asks for too much, as the API says.
    Size,
    /// That of the API, or of what leads to it.
    Source,
    /// The server may crash on one task, or be down: whether it answers another request tells.
    Either,
}

/// Whose fault an error is.
pub(crate) fn fault(error: &ApiError) -> Fault {
    match error {
        ApiError::TooBig(_) | ApiError::TooComplex(_) => Fault::Size,
        ApiError::Denied { .. } | ApiError::CursorExpired(_) | ApiError::Invalid(_) | ApiError::Misshapen(_) => {
            Fault::Task
        }
        ApiError::GaveUp { last, .. } if last.may_be_of_size() => Fault::Either,
        ApiError::GaveUp { .. }
        | ApiError::Unauthorized(_)
        | ApiError::ThrottledForever { .. }
        | ApiError::Stopped { .. }
        | ApiError::Token { .. }
        | ApiError::PermitLog { .. }
        | ApiError::PermitLogHeld { .. }
        | ApiError::Unwritable { .. } => Fault::Source,
    }
}
