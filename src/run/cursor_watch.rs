//! Notices cursors that go round in a circle, which would be read for ever.

use std::collections::BTreeMap;

/// Remembers one cursor of each connection, and a later one after twice as many pages (Brent's algorithm): whatever the
/// length of a circle, it is noticed in the third round at the latest, and memory does not grow with the pages.
#[derive(Debug, Default)]
pub(crate) struct CursorWatch(BTreeMap<usize, Mark>);

#[derive(Debug)]
struct Mark {
    cursor: String,
    /// Cursors since it.
    age: u64,
    /// The age at which another one is remembered.
    life: u64,
}

impl CursorWatch {
    /// Takes in the cursor of a connection's next page. True where it is known to have come before.
    pub(crate) fn comes_again(&mut self, connection: usize, cursor: &str) -> bool {
        let new_mark = |life| Mark {
            cursor: cursor.to_owned(),
            age: 0,
            life,
        };
        let Some(mark) = self.0.get_mut(&connection) else {
            self.0.insert(connection, new_mark(1));
            return false;
        };
        if mark.cursor == cursor {
            return true;
        }
        mark.age += 1;
        if mark.age == mark.life {
            *mark = new_mark(mark.life.saturating_mul(2));
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many cursors are taken in before the watch speaks, of a way of `lead` cursors into a circle of `length`.
    fn noticed_after(lead: usize, length: usize) -> Option<usize> {
        let mut watch = CursorWatch::default();
        let cursor = |page: usize| {
            if page < lead {
                page
            } else {
                lead + (page - lead) % length
            }
        };
        (0..10_000).position(|page| watch.comes_again(0, &cursor(page).to_string()))
    }

    #[test]
    fn circles_of_every_length_are_noticed_soon_wherever_they_begin() {
        for (lead, length) in [(0, 1), (0, 2), (0, 3), (1, 2), (5, 7), (100, 1), (100, 64), (1, 1000)] {
            let noticed = noticed_after(lead, length).unwrap_or_else(|| panic!("{lead} {length}"));
            assert!(
                (lead + length..=3 * (lead + length)).contains(&noticed),
                "{lead} {length} {noticed}"
            );
        }
    }

    #[test]
    fn connections_are_watched_apart_and_cursors_that_go_on_are_no_circle() {
        let mut watch = CursorWatch::default();
        let pages = (0..1000).flat_map(|page| [(0, page), (1, page)]);
        assert!(
            pages
                .into_iter()
                .all(|(connection, page)| !watch.comes_again(connection, &page.to_string()))
        );
    }
}
