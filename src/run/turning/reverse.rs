//! A list that may have been cut off, read from the other side: all rows that a root field lists for the row that holds it.
//!
//! It is read from its beginning, whatever came with the row: nothing says that both are in the same order. What came is
//! known by its keys and left out, and at the end as many rows must have been listed as there are distinct ones.

use std::cmp::Ordering;

use crate::run::turning::{End, Turn, Turner};
use crate::schema::Pager;
use crate::state::Trail;

impl Turner<'_> {
    /// The list itself, or a page of all of it.
    pub(super) fn reversed(&self, cap: Option<u32>) -> Turn {
        let Some(listed) = self.listed() else {
            return self.within_row(cap);
        };
        if self.page.rows > 0 {
            return self.next(listed, Trail::default());
        }
        match listed.cmp(&self.rows()) {
            Ordering::Equal => Self::end(End::Empty),
            Ordering::Less => self.suspect(
                "is listed by another field with fewer rows than came: rows went meanwhile, or what @paginate says of \
                 `next` and `parent` leads to other rows",
            ),
            Ordering::Greater => self.suspect(
                "has rows that moved to another page while it was read: what came twice is left out, and other rows may \
                 not have come at all",
            ),
        }
    }

    /// What came with the row: all there is, or as much as may be.
    fn within_row(&self, cap: Option<u32>) -> Turn {
        let turn = self.capped(cap);
        // Rows without a key would be there twice.
        match turn.end == Some(End::Suspect) && self.page.are_keys_unique {
            true => self.next(0, Trail::default()),
            false => turn,
        }
    }

    /// Whether the page can well hold nothing but what came with the row.
    pub(super) fn is_catching_up(&self) -> bool {
        self.listed().is_some_and(|listed| listed <= self.asked.before)
    }

    /// Rows listed up to the end of this page; nothing for what came with the row.
    fn listed(&self) -> Option<u64> {
        let is_reverse = matches!(self.connection.paged.pager, Pager::Reverse { .. });
        let offset = self.asked.position.filter(|_| is_reverse)?.as_u64()?;
        Some(offset + self.page.rows)
    }
}
