//! How many rows the connections of one kind hold, as far as runs have shown, and the page sizes that follow from it.
//!
//! Pure. A size is chosen so that what a request has room for is used best: room that is asked for and comes back empty
//! is lost, and so is the room that another page of the same connection takes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Rows asked for where nothing is known yet.
const FIRST_GUESS: u32 = 10;
/// Connections after which their average is trusted.
const ENOUGH_KNOWN: u64 = 20;
/// Counts up to this are kept exactly, larger ones by steps of an eighth.
const EXACT: u64 = 32;

/// How many rows the connections of one kind hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FanOut {
    /// Connections read to their end, by their rows.
    ended: BTreeMap<u64, u64>,
    /// Connections known to have more rows than this.
    open: BTreeMap<u64, u64>,
    /// Whether one was seen to say that more follows where its page was full and nothing did: the end shows on a page with
    /// room left.
    #[serde(default)]
    is_coy: bool,
}

impl FanOut {
    /// Notes a connection that has more rows than its first page.
    pub(crate) fn note_open(&mut self, rows: u64) {
        *self.open.entry(step(rows)).or_default() += 1;
    }

    /// Notes a connection that was read to its end; `was_open` tells that it was noted as open before.
    pub(crate) fn note_ended(&mut self, rows: u64, was_open: bool) {
        let rows = step(rows);
        *self.ended.entry(rows).or_default() += 1;
        if was_open && let Some((&key, count)) = self.open.range_mut(..=rows).next_back() {
            *count -= 1;
            if *count == 0 {
                self.open.remove(&key);
            }
        }
    }

    /// Notes that a full page said that more follows, and an empty one came.
    pub(crate) fn note_coy(&mut self) {
        self.is_coy = true;
    }

    /// Rows that a connection's first page of that size brings on average; `None` while too little is known.
    pub(crate) fn mean(&self, size: u32) -> Option<f64> {
        let counts = self.ended.iter().chain(&self.open);
        let known: u64 = counts.clone().map(|(_, count)| count).sum();
        if known < ENOUGH_KNOWN {
            return None;
        }
        let rows: u64 = counts.map(|(rows, count)| rows.min(&u64::from(size)) * count).sum();
        Some(rows as f64 / known as f64)
    }

    /// The size for the page behind `before` rows, at most `most`. `slot` is what another page of the same connection
    /// would cost beside its rows, in rows.
    pub(crate) fn size(&self, before: u64, most: u32, slot: u64) -> u32 {
        let room = u64::from(self.is_coy);
        let rest: BTreeMap<u64, u64> = self
            .behind(before)
            .into_iter()
            .map(|(rows, count)| (rows + room, count))
            .collect();
        let all: u64 = rest.values().sum();
        if all == 0 {
            let guess = u32::try_from(before).unwrap_or(u32::MAX).saturating_mul(2);
            return guess.max(FIRST_GUESS).min(most).max(1);
        }
        let candidates = rest
            .keys()
            .map(|rows| u32::try_from(*rows).unwrap_or(u32::MAX).clamp(1, most));
        let cost = |size: &u32| {
            let size = u64::from(*size);
            let later = rest.iter().filter(|(rows, _)| **rows > size);
            size * all + later.map(|(rows, count)| (slot + (rows - size)) * count).sum::<u64>()
        };
        candidates
            .chain([most.min(FIRST_GUESS), most])
            .min_by_key(cost)
            .unwrap_or(most)
            .max(1)
    }

    /// The rows of connections, each with how many have so many.
    pub(crate) fn rows(&self) -> BTreeMap<u64, u64> {
        self.behind(0)
    }

    /// Rows that connections have behind so many, each with how many have them. One that is still open is taken to have
    /// as many again.
    fn behind(&self, before: u64) -> BTreeMap<u64, u64> {
        let mut rest = BTreeMap::new();
        let open = self.open.iter().map(|(rows, count)| (rows * 2, count));
        let ended = self.ended.iter().map(|(rows, count)| (*rows, count));
        // Behind a first page stand those only that have more.
        for (rows, count) in ended.chain(open).filter(|(rows, _)| before == 0 || *rows > before) {
            *rest.entry(rows - before.min(rows)).or_default() += count;
        }
        rest
    }
}

fn step(rows: u64) -> u64 {
    if rows <= EXACT {
        return rows;
    }
    let width = (rows.next_power_of_two() / 16).max(1);
    rows.div_ceil(width) * width
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_begun_small_and_doubled() {
        let unknown = FanOut::default();
        assert_eq!(unknown.size(0, 100, 100), 10);
        assert_eq!(unknown.size(0, 4, 100), 4);
        assert_eq!(unknown.size(30, 100, 100), 60);
        assert_eq!(unknown.size(300, 100, 100), 100);
    }

    #[test]
    fn a_size_covers_what_most_connections_hold() {
        let mut known = FanOut::default();
        for _ in 0..90 {
            known.note_ended(7, false);
        }
        for _ in 0..10 {
            known.note_ended(90, false);
        }
        assert_eq!(known.size(0, 100, 20), 7, "a few large ones are read on");
        assert_eq!(
            known.size(7, 100, 20),
            89,
            "and then at once: 96 are a step of the counts"
        );
        assert_eq!(known.size(0, 5, 20), 5, "never above the most");
    }

    #[test]
    fn where_full_pages_say_that_more_follows_there_is_room_for_one_more() {
        let mut known = FanOut::default();
        (0..50).for_each(|_| known.note_ended(2, false));
        assert_eq!(known.size(0, 100, 20), 2);
        known.note_coy();
        assert_eq!(known.size(0, 100, 20), 3);
        assert_eq!(known.rows(), BTreeMap::from([(2, 50)]), "what they hold is the same");
    }

    #[test]
    fn costly_slots_make_pages_larger() {
        let mut known = FanOut::default();
        for rows in 1..=40 {
            known.note_ended(rows, false);
        }
        assert!(known.size(0, 100, 0) < known.size(0, 100, 200));
        assert_eq!(known.size(0, 100, 10_000), 40);
    }

    #[test]
    fn an_open_connection_that_ends_counts_once() {
        let mut known = FanOut::default();
        known.note_open(10);
        assert_eq!(known.size(0, 100, 1_000), 20);
        known.note_ended(12, true);
        assert_eq!(known, {
            let mut ended = FanOut::default();
            ended.note_ended(12, false);
            ended
        });
    }
}
