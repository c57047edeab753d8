//! Rows that moved while their pages were counted off, and pages that bring nothing new.

use crate::run::turning::{PagingError, Turn, Turner};
use crate::schema::Style;

/// Pages in a row without a new row, after which an API is taken not to heed what tells pages apart. One such page can
/// be honest: of rows that all moved.
const STALE_PAGES: u64 = 3;

impl Turner<'_> {
    /// Judges by the rows that came before, and by a total that changed.
    pub(super) fn note_moves(&self, turn: &mut Turn) -> Result<(), PagingError> {
        let stale = self.stale_pages();
        if stale >= STALE_PAGES && !turn.next.is_empty() {
            return Err(PagingError::NothingNew { path: self.path() });
        }
        for next in &mut turn.next {
            next.trail.stale = stale;
        }
        if self.page.repeats > 0 && !self.page.are_keys_unique {
            let text = "was read again since its cursors expired, and rows without a key were counted off: if rows came \
                        or went meanwhile, some are there twice or not at all";
            turn.flaws.push(self.flaw(text));
        }
        if !self.counts_rows_off() {
            return Ok(());
        }
        if self.page.repeats > 0 && self.asked.rows_before == 0 {
            let text = "has rows that moved to another page while it was read: what came twice is left out, and other \
                        rows may not have come at all";
            turn.flaws.push(self.flaw(text));
        }
        let totals = self.asked.total.zip(self.page.total);
        if turn.end.is_some() && totals.is_some_and(|(before, now)| now < before) {
            let text = "lost rows while it was read: others may have moved to a page that was read already";
            turn.flaws.push(self.flaw(text));
        }
        Ok(())
    }

    /// Pages in a row, up to this one, without a new row.
    fn stale_pages(&self) -> u64 {
        let before = self.asked.trail.stale;
        let is_read_again = self.asked.before < self.asked.rows_before;
        match self.page.rows {
            _ if is_read_again => 0,
            0 => before,
            rows if self.page.repeats >= rows => before + 1,
            _ => 0,
        }
    }

    /// Whether pages begin after a number of rows, so that rows that come or go before them move the others.
    fn counts_rows_off(&self) -> bool {
        match self.connection.paged.pager.style() {
            Style::Page | Style::PageFlag | Style::PageInput | Style::PageList | Style::Offset | Style::OffsetList => {
                true
            }
            Style::Relay | Style::FlatCursor | Style::MovingCursor | Style::Keyset | Style::Capped => false,
        }
    }
}
