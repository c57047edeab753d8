//! Walls that rows which nobody can have may have put up.
//!
//! Pure. A server that fails on one row fails on every request that holds it, and closing in on that row looks like a wall
//! which comes ever lower. What moved a wall is therefore noted with the rows that were asked for: when one of them turns
//! out to be such a row, the wall stands again where it would without those requests.

use std::collections::VecDeque;

use crate::run::pace::ceiling::Wall;

/// Moves of walls that can be taken back; those before them stay.
const KEPT: usize = 100;

/// Rows of a list, one behind the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stretch {
    /// The connection.
    pub(crate) connection: usize,
    /// Which of its lists; 0 where that is not told.
    pub(crate) instance: u64,
    /// How many rows of the list are before it.
    pub(crate) first: u64,
    /// The same of the first row behind it.
    pub(crate) behind: u64,
}

impl Stretch {
    /// Any rows of a connection.
    pub(crate) fn any_of(connection: usize) -> Self {
        Self {
            connection,
            instance: 0,
            first: 0,
            behind: u64::MAX,
        }
    }

    /// The first rows of it, by their share.
    pub(super) fn beginning(self, share: f64) -> Self {
        let rows = (self.behind - self.first) as f64 * share;
        Self {
            behind: self.first.saturating_add(rows.ceil() as u64),
            ..self
        }
    }

    /// Whether both may have a row in common.
    fn meets(&self, other: &Self) -> bool {
        let is_untold = self.instance == 0 || other.instance == 0;
        self.connection == other.connection
            && (is_untold || self.instance == other.instance)
            && self.first < other.behind
            && other.first < self.behind
    }
}

/// A wall that was moved by a request.
#[derive(Debug, Clone, PartialEq)]
struct Move {
    /// The connection that the wall is of.
    connection: usize,
    /// What the request asked for.
    asked: Vec<Stretch>,
    before: Option<Wall>,
    after: Option<Wall>,
}

impl Move {
    fn may_be_for(&self, lost: &[Stretch]) -> bool {
        self.asked.iter().any(|asked| lost.iter().any(|lost| asked.meets(lost)))
    }
}

/// Walls that were moved, the oldest first.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Doubts(VecDeque<Move>);

impl Doubts {
    /// A request for these rows moved the wall of a connection from where it was `before`.
    pub(super) fn note(
        &mut self,
        connection: usize,
        asked: Vec<Stretch>,
        (before, after): (Option<Wall>, Option<Wall>),
    ) {
        if self.0.len() >= KEPT {
            self.0.pop_front();
        }
        self.0.push_back(Move {
            connection,
            asked,
            before,
            after,
        });
    }

    /// Rows of which something cannot be had: where the walls of connections stand without the requests for them.
    pub(super) fn take_back(&mut self, lost: &[Stretch]) -> Vec<(usize, Option<Wall>)> {
        let mut walls: Vec<(usize, Option<Wall>)> = Vec::new();
        self.0.retain_mut(|moved| {
            let known = walls.iter_mut().find(|(connection, _)| *connection == moved.connection);
            match (moved.may_be_for(lost), known) {
                (true, known) => {
                    if known.is_none() {
                        walls.push((moved.connection, moved.before));
                    }
                    false
                }
                // What failed without them stays.
                (false, Some((_, wall))) => {
                    moved.before = std::mem::replace(wall, moved.after);
                    true
                }
                (false, None) => true,
            }
        });
        walls
    }

    /// Nothing is known any more of the walls of a connection, or of any.
    pub(super) fn forget(&mut self, connection: Option<usize>) {
        self.0
            .retain(|moved| connection.is_some_and(|connection| connection != moved.connection));
    }
}
