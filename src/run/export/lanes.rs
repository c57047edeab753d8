//! Long chains of pages apart from the rest.
//!
//! Pages that tell where the next one begins come one after the other, and the longest of these chains decides when the
//! export ends. Its pages travel in small requests of their own, which come back soon, while the others are gathered; not
//! so where a permit is worth more than what that saves.

use std::collections::HashSet;

use crate::plan::Connection;
use crate::run::export::Export;
use crate::run::export::sending::Sent;
use crate::run::pace::Spread;
use crate::schema::Style;
use crate::state::Task;

/// Pages that a chain has left at least, to be called long.
const LONG: f64 = 3.0;
/// How many times more pages than the others have left on average it has left at least.
const LONGER: f64 = 2.0;
/// Seconds of rows in a request of long chains, for each second that any answer takes.
const ROWS_A_BASE: f64 = 2.0;

/// How a request travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lane {
    /// With what lies at hand.
    Bulk,
    /// With few others, for an early answer.
    Express,
}

/// What is in flight.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Flying {
    pub(super) express: usize,
    pub(super) bulk: usize,
    tasks: usize,
    /// Pages that the connections have left whose pages are in flight.
    pages: f64,
}

impl Flying {
    pub(super) fn all(self) -> usize {
        self.express + self.bulk
    }

    pub(super) fn of(self, lane: Lane) -> usize {
        match lane {
            Lane::Bulk => self.bulk,
            Lane::Express => self.express,
        }
    }

    pub(super) fn take_off(&mut self, sent: &Sent) {
        *self.lane(sent.lane) += 1;
        self.tasks += sent.asked.len();
        self.pages += sent.pages_left;
    }

    pub(super) fn land(&mut self, sent: &Sent) {
        let lane = self.lane(sent.lane);
        *lane = lane.saturating_sub(1);
        self.tasks = self.tasks.saturating_sub(sent.asked.len());
        self.pages -= sent.pages_left;
    }

    fn lane(&mut self, lane: Lane) -> &mut usize {
        match lane {
            Lane::Bulk => &mut self.bulk,
            Lane::Express => &mut self.express,
        }
    }
}

impl Export<'_> {
    /// The tasks of chains that are so much longer than the others that they decide when the export ends; none where
    /// requests of their own are not worth their permits.
    pub(super) fn long_chains(&self, spread: &Spread) -> HashSet<u64> {
        if spread.price() > self.pace.typical() {
            return HashSet::new();
        }
        let pages: Vec<(f64, u64)> = self
            .frontier
            .tasks()
            .map(|task| (self.pages_left(task), task.id))
            .collect();
        let all: f64 = pages.iter().map(|(pages, _)| pages).sum();
        let tasks = pages.len() + self.flying.tasks;
        let least = LONG.max(LONGER * (all + self.flying.pages) / tasks.max(1) as f64);
        let mut long: Vec<(f64, u64)> = pages.into_iter().filter(|(pages, _)| *pages >= least).collect();
        long.sort_by(|left, right| right.0.total_cmp(&left.0));
        long.into_iter().map(|(_, id)| id).take(self.most_express()).collect()
    }

    /// Chains that share a request of their own, where the page of one is as large as it may be.
    fn most_express(&self) -> usize {
        let allowance = self.pace.allowance(self.workplace.aims);
        let largest = self
            .plan
            .connections
            .iter()
            .map(|connection| connection.page_size)
            .max();
        let Some(((_, per_row), rows)) = allowance.time.zip(largest) else {
            return 1;
        };
        let a_page = per_row.iter().copied().fold(0.0, f64::max) * f64::from(rows);
        let pages = ROWS_A_BASE * self.pace.base() / a_page.max(f64::MIN_POSITIVE);
        (pages as usize).clamp(1, self.workplace.room.slots)
    }

    /// Pages that the connection of a task has left, this one included, of which each is known when the one before has
    /// come: by its total, else as many as there were.
    pub(super) fn pages_left(&self, task: &Task) -> f64 {
        let Some(connection) = self.connection_of(task).filter(|connection| is_chain(connection)) else {
            return 1.0;
        };
        if task.expected.is_some() {
            return 1.0;
        }
        let rows = task
            .total
            .map_or(task.before, |total| total.saturating_sub(task.before));
        (rows as f64 / f64::from(connection.page_size.max(1))).max(1.0)
    }
}

/// Whether a page tells where the next one begins.
fn is_chain(connection: &Connection) -> bool {
    matches!(
        connection.paged.pager.style(),
        Style::Relay | Style::FlatCursor | Style::MovingCursor | Style::Keyset | Style::PageFlag
    )
}
