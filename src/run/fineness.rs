//! Into how fine groups of columns the rows of each connection are cut, where not even one row comes with all of them.
//!
//! Pure. A single row that has to be cut may be a large one; where row after row has to be, it is their columns that are
//! too many, and pages of many rows in finer groups take fewer requests than single rows cut one by one.

use serde::{Deserialize, Serialize};

/// Single rows cut one after the other, with none whole between them, until all are asked for in finer groups.
const IN_A_ROW: u32 = 3;

/// What is known of the connections of a query file; what is of none stands behind the last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Fineness(Vec<Cut>);

/// How finely the rows of one connection are cut.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Cut {
    fineness: usize,
    /// Milliseconds since 1970.
    learnt_at: u64,
    /// The least fineness at which rows came since one came whole, and how many they were.
    #[serde(skip)]
    sight: (usize, u32),
}

impl Fineness {
    /// Nothing is known yet of so many connections.
    pub(crate) fn new(connections: usize) -> Self {
        Self(vec![Cut::default(); connections + 1])
    }

    /// Whether it is for so many connections, as what comes from outside may not be.
    pub(crate) fn is_for(&self, connections: usize) -> bool {
        self.0.len() == connections + 1
    }

    /// How finely the rows of a connection are cut; what is of none holds first pages of any.
    pub(crate) fn of(&self, connection: Option<usize>) -> usize {
        let cuts = match connection {
            Some(index) => self.0.get(index..=index).unwrap_or_default(),
            None => &self.0,
        };
        cuts.iter().map(|cut| cut.fineness).max().unwrap_or(0)
    }

    /// A row of a connection came in groups of this fineness, as it did not in fewer. True where from now on all of them
    /// are asked for so.
    pub(crate) fn note_cut(&mut self, connection: Option<usize>, fineness: usize, now: u64) -> bool {
        let place = self.place(connection);
        let Some(cut) = self.0.get_mut(place).filter(|cut| fineness > cut.fineness) else {
            return false;
        };
        cut.sight = match cut.sight {
            (_, 0) => (fineness, 1),
            (least, rows) => (least.min(fineness), rows + 1),
        };
        if cut.sight.1 < IN_A_ROW {
            return false;
        }
        *cut = Cut {
            fineness: cut.sight.0,
            learnt_at: now,
            sight: (0, 0),
        };
        true
    }

    /// Rows of a connection came as they were asked for.
    pub(crate) fn note_whole(&mut self, connection: Option<usize>) {
        let place = self.place(connection);
        if let Some(cut) = self.0.get_mut(place) {
            cut.sight = (0, 0);
        }
    }

    /// The same, without what was learnt too long ago: what an API bears changes.
    pub(crate) fn without_old(mut self, is_fresh: impl Fn(u64) -> bool) -> Self {
        for cut in self.0.iter_mut().filter(|cut| !is_fresh(cut.learnt_at)) {
            *cut = Cut::default();
        }
        self
    }

    fn place(&self, connection: Option<usize>) -> usize {
        connection.unwrap_or(self.0.len().saturating_sub(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_that_all_have_to_be_cut_are_asked_for_in_finer_groups_and_a_large_one_among_others_is_not() {
        let mut fineness = Fineness::new(2);
        for _ in 0..10 {
            assert!(!fineness.note_cut(Some(0), 2, 7));
            assert!(!fineness.note_cut(Some(0), 2, 7));
            fineness.note_whole(Some(0));
        }
        assert_eq!(fineness.of(Some(0)), 0);
        let cuts = [3, 2, 3].map(|cut| fineness.note_cut(Some(0), cut, 7));
        assert_eq!(cuts, [false, false, true]);
        assert_eq!(fineness.of(Some(0)), 2, "the least is tried first");
        assert_eq!(
            (fineness.of(Some(1)), fineness.of(None)),
            (0, 2),
            "first pages of all are"
        );
        let cuts = [3, 2, 3, 3].map(|cut| fineness.note_cut(Some(0), cut, 7));
        assert_eq!(cuts, [false, false, false, true], "what is known already is no news");
        assert_eq!(fineness.of(Some(0)), 3);
    }

    #[test]
    fn what_is_of_no_connection_and_what_is_old_stand_apart() {
        let mut fineness = Fineness::new(1);
        for now in [1, 2, 3] {
            fineness.note_cut(None, 1, now);
        }
        assert_eq!((fineness.of(None), fineness.of(Some(0))), (1, 0));
        assert!(fineness.is_for(1) && !fineness.is_for(2));
        assert_eq!(fineness.clone().without_old(|at| at == 3).of(None), 1);
        assert_eq!(fineness.without_old(|at| at > 3).of(None), 0);
    }
}
