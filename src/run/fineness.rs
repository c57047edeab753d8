//! Into how fine groups of columns the rows of each connection are cut, where most rows do not come with all of them, not
//! even one by one.
//!
//! Pure. A single row that has to be cut may be a large one among others; where most have to be, it is their columns that are
//! too many, and pages of many rows in finer groups take fewer requests than single rows cut one by one. It is taken back
//! when rows come that are far smaller than any that had to be cut.

use serde::{Deserialize, Serialize};

/// Rows cut one by one until all may be asked for in finer groups.
const LEAST_CUT: f64 = 3.0;
/// What a row that has to be cut leaves of the weight of those that came whole before it: an API may have changed.
const FADING: f64 = 0.9;
/// However many rows came whole, they weigh no more than so many.
const MOST_WHOLE: f64 = 50.0;
/// Small rows that come in groups until all are asked for with all of their columns again.
const LEAST_SMALL: f64 = 10.0;
/// A row is small that has less than this share of the bytes of the smallest one that had to be cut.
const SMALL: f64 = 0.5;
/// Bytes of a row, with what stands around it in a response, below which it was not for them that it had to be cut.
const LEAST_LARGE: f64 = 4096.0;

/// What is known of the connections of a query file; what is of none stands behind the last.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Fineness(Vec<Cut>);

/// How finely the rows of one connection are cut.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Cut {
    fineness: usize,
    /// When a row last had to be cut finer: milliseconds since 1970.
    learnt_at: u64,
    /// The least fineness at which rows came since this one is known, and how many they were.
    sight: (usize, f64),
    /// How much the rows weigh that needed no finer groups, or are small enough to need none at all.
    whole: f64,
    /// The fewest bytes of a row that had to be cut.
    bytes: Option<f64>,
}

impl Cut {
    /// Learns what it may be that most rows need; false where they do not.
    fn settle(&mut self) -> bool {
        let (least, rows) = self.sight;
        let is_needed = rows >= LEAST_CUT && rows > self.whole;
        if is_needed {
            self.fineness = least;
            self.sight = (0, 0.0);
            self.whole = 0.0;
        }
        is_needed
    }

    fn note_whole(&mut self, rows: f64) {
        self.whole = (self.whole + rows).min(MOST_WHOLE);
    }
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

    /// A row of a connection came in groups of this fineness, as it did not in fewer, with so many bytes. True where from now
    /// on all of them are asked for so.
    pub(crate) fn note_cut(&mut self, connection: Option<usize>, fineness: usize, bytes: f64, now: u64) -> bool {
        let place = self.place(connection);
        let Some(cut) = self.0.get_mut(place).filter(|cut| fineness > cut.fineness) else {
            return false;
        };
        cut.learnt_at = now;
        cut.bytes = Some(cut.bytes.map_or(bytes, |least| least.min(bytes)));
        cut.whole *= FADING;
        let (least, rows) = cut.sight;
        cut.sight = if rows > 0.0 {
            (least.min(fineness), rows + 1.0)
        } else {
            (fineness, 1.0)
        };
        cut.settle()
    }

    /// So many rows of a connection came with all of their columns.
    pub(crate) fn note_whole(&mut self, connection: Option<usize>, rows: f64) {
        let place = self.place(connection);
        if let Some(cut) = self.0.get_mut(place).filter(|cut| cut.fineness == 0) {
            cut.note_whole(rows);
        }
    }

    /// So many rows of a connection came in the groups that all are asked for in, with so many bytes. True where from now on
    /// they are asked for with all of their columns again.
    pub(crate) fn note_grouped(&mut self, connection: Option<usize>, rows: f64, bytes: f64) -> bool {
        let place = self.place(connection);
        let Some(cut) = self.0.get_mut(place).filter(|cut| cut.fineness > 0 && rows > 0.0) else {
            return false;
        };
        let is_small = |least: f64| least >= LEAST_LARGE && bytes / rows < least * SMALL;
        if !cut.bytes.is_some_and(is_small) {
            cut.whole = 0.0;
            return false;
        }
        cut.note_whole(rows);
        let is_needless = cut.whole >= LEAST_SMALL;
        if is_needless {
            cut.fineness = 0;
            cut.sight = (0, 0.0);
        }
        is_needless
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

    /// Notes that so many rows of the first connection had to be cut; the one with which that was learnt.
    fn learnt_with(fineness: &mut Fineness, rows: usize, bytes: f64) -> Option<usize> {
        (1..=rows).find(|_| fineness.note_cut(Some(0), 2, bytes, 7))
    }

    #[test]
    fn rows_that_mostly_have_to_be_cut_are_asked_for_in_finer_groups_and_large_ones_among_others_are_not() {
        let mut fineness = Fineness::new(2);
        for _ in 0..10 {
            assert!(!fineness.note_cut(Some(0), 2, 90.0, 7));
            fineness.note_whole(Some(0), 2.0);
        }
        fineness.note_whole(Some(0), 40.0);
        assert_eq!(learnt_with(&mut fineness, 3, 90.0), None, "neighbours");
        let mut fineness = Fineness::new(2);
        let cuts = [3, 2, 3].map(|cut| fineness.note_cut(Some(0), cut, 90.0, 7));
        assert_eq!(cuts, [false, false, true]);
        assert_eq!(fineness.of(Some(0)), 2, "the least is tried first");
        assert_eq!(
            (fineness.of(Some(1)), fineness.of(None)),
            (0, 2),
            "first pages of all are"
        );
        let cuts = [3, 2, 3, 3].map(|cut| fineness.note_cut(Some(0), cut, 90.0, 7));
        assert_eq!(cuts, [false, false, false, true], "what is known already is no news");
        assert_eq!(fineness.of(Some(0)), 3);
    }

    #[test]
    fn an_api_that_changes_is_not_held_to_what_it_gave_for_long() {
        let mut fineness = Fineness::new(1);
        fineness.note_whole(Some(0), 1_000_000.0);
        let rows = learnt_with(&mut fineness, 100, 90.0).unwrap();
        assert!((5..20).contains(&rows), "{rows}");
    }

    #[test]
    fn it_is_taken_back_when_rows_come_that_are_far_smaller_and_only_once() {
        let mut fineness = Fineness::new(1);
        assert_eq!(learnt_with(&mut fineness, 9, 90_000.0), Some(3));
        assert!(
            !fineness.note_grouped(Some(0), 100.0, 6_000_000.0),
            "they are large as well"
        );
        assert!(!fineness.note_grouped(Some(0), 9.0, 45_000.0), "few rows");
        assert!(fineness.note_grouped(Some(0), 9.0, 45_000.0));
        assert_eq!(fineness.of(Some(0)), 0);
        // Small rows have to be cut as well, and for something else.
        assert!(learnt_with(&mut fineness, 50, 90.0).is_some());
        assert!(!fineness.note_grouped(Some(0), 100.0, 1_000.0));
        assert_eq!(fineness.of(Some(0)), 2);
    }

    #[test]
    fn what_is_kept_counts_in_the_next_run() {
        let mut fineness = Fineness::new(1);
        fineness.note_cut(Some(0), 1, 90.0, 7);
        fineness.note_whole(Some(0), 30.0);
        let kept = serde_json::to_string(&fineness).unwrap();
        let mut fineness: Fineness = serde_json::from_str(&kept).unwrap();
        assert_eq!(learnt_with(&mut fineness, 5, 90.0), None);
        let older = r#"[{"fineness":1,"learnt_at":7},{"fineness":0,"learnt_at":0}]"#;
        assert_eq!(serde_json::from_str::<Fineness>(older).unwrap().of(Some(0)), 1);
    }

    #[test]
    fn what_is_of_no_connection_and_what_is_old_stand_apart() {
        let mut fineness = Fineness::new(1);
        for now in [1, 2, 3] {
            fineness.note_cut(None, 1, 90.0, now);
        }
        assert_eq!((fineness.of(None), fineness.of(Some(0))), (1, 0));
        assert!(fineness.is_for(1) && !fineness.is_for(2));
        assert_eq!(fineness.clone().without_old(|at| at == 3).of(None), 1);
        assert_eq!(fineness.without_old(|at| at > 3).of(None), 0);
    }
}
