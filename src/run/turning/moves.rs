//! Rows that moved while their pages were counted off, and pages that bring nothing new.

use crate::run::turning::{End, PagingError, Turn, Turner};
use crate::schema::Style;
use crate::state::Restart;

/// Times that a list whose rows move is read, until it is taken never to stay as it is.
const READINGS: u32 = 5;

/// Pages in a row without a new row, after which an API is taken not to heed what tells pages apart. One such page can
/// be honest: of rows that all moved.
const STALE_PAGES: u64 = 3;

impl Turner<'_> {
    /// Judges by the rows that came before, and by a total that changed.
    pub(super) fn note_moves(&self, turn: &mut Turn) -> Result<(), PagingError> {
        let stale = self.stale_pages();
        if stale >= STALE_PAGES && !turn.next.is_empty() {
            *turn = self.nothing_new(stale)?;
            return Ok(());
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
        if self.shows_moves(turn) {
            turn.flaws.push(self.flaw(self.moved()));
        }
        let totals = self.asked.total.zip(self.page.total);
        if turn.end.is_some() && totals.is_some_and(|(before, now)| now < before) {
            let text = "lost rows while it was read: others may have moved to a page that was read already";
            turn.flaws.push(self.flaw(text));
        }
        Ok(())
    }

    /// What it means that rows came twice.
    fn moved(&self) -> &'static str {
        match self.has_twin_first_pages() {
            true => {
                "has the same rows in its pages 0 and 1: if its pages are numbered from 1 on, write @paginate(firstPage: \
                 1); if not, rows moved while it was read, and others may not have come at all"
            }
            false => {
                "has rows that moved to another page while it was read: what came twice is left out, and other rows may \
                 not have come at all"
            }
        }
    }

    /// Whether rows that came before are there again because they moved. A page of nothing else is judged by what comes
    /// behind it: the API may have begun to answer the same for ever.
    fn shows_moves(&self, turn: &Turn) -> bool {
        if self.asked.rows_before() > 0 {
            return false;
        }
        let is_open = self.is_stale() && self.asked.expected.is_none() && !turn.next.is_empty();
        let was_open = self.asked.trail.stale > 0 && self.asked.expected.is_none() && !self.is_stale();
        (self.has_moved_rows() && !is_open) || was_open
    }

    /// Whether rows came before in another page, and not in this one alone.
    fn has_moved_rows(&self) -> bool {
        self.page.repeats > self.page.doubles.len() as u64
    }

    /// Tells of rows that have a key in common and nothing else: what is left out of them may be rows of their own.
    pub(super) fn note_doubles(&self, turn: &mut Turn) {
        if self.page.unlike_doubles > 0 {
            let text = "has rows in one page that have the same key and are not the same: the first one is kept; name with \
                        @table(key:) what tells them apart";
            turn.flaws.push(self.flaw(text));
        }
    }

    /// The end of a list that brought nothing new for so many pages. One that says that there is much more cannot be right.
    fn nothing_new(&self, stale: u64) -> Result<Turn, PagingError> {
        let new_rows = self.rows().saturating_sub(stale * self.page.rows);
        let is_far = |total: u64| total > new_rows + self.size();
        let is_told = self.page.has_next == Some(true)
            || self.total().is_some_and(is_far)
            || self.total().is_none() && self.page.page_count.is_some();
        if is_told || !self.counts_rows_off() {
            return Err(PagingError::NothingNew { path: self.path() });
        }
        Ok(self.suspect(
            "brings nothing but rows that came before, page after page, and is taken to end there: if the API gives its \
             last page again behind the end, tell by @paginate(total:) where it says how many rows there are; if it does \
             not heed the argument by which pages are asked for, say with @paginate how it is paged",
        ))
    }

    /// Reads a list of several pages again whose rows may move from one to another, until a reading brings nothing new: a row
    /// that goes to where was read already came in none of its pages. One page alone is of one moment.
    pub(super) fn read_again(&self, turn: &mut Turn) {
        if !self.connection.paged.is_moving || self.asked.expected.is_some() || self.counts_rows_off() {
            return;
        }
        let is_read = matches!(turn.end, Some(End::Said | End::Empty | End::Total));
        let fresh = |restart: Restart| restart.fresh + self.page.new_rows();
        let brought_nothing = self.asked.restart.is_some_and(|restart| fresh(restart) == 0);
        if !is_read || self.asked.position.is_none() || brought_nothing {
            return;
        }
        if self.asked.restart.is_none_or(|restart| restart.attempts < READINGS) {
            (turn.end, turn.again) = (None, Some(self.rows()));
            return;
        }
        turn.end = Some(End::Suspect);
        turn.flaws
            .push(self.flaw("had new rows each time that it was read, as rows move in it: others may be lacking"));
    }

    /// Whether there are rows in this page, and all of them came before.
    pub(super) fn is_stale(&self) -> bool {
        let is_read_again = self.asked.before < self.asked.rows_before();
        self.page.rows > 0 && self.page.repeats >= self.page.rows && !is_read_again && !self.is_catching_up()
    }

    /// Pages in a row, up to this one, without a new row.
    fn stale_pages(&self) -> u64 {
        match self.page.rows {
            0 if self.asked.before >= self.asked.rows_before() => self.asked.trail.stale,
            _ if self.is_stale() => self.asked.trail.stale + 1,
            _ => 0,
        }
    }

    /// Whether pages begin after a number of rows, so that rows that come or go before them move the others.
    pub(super) fn counts_rows_off(&self) -> bool {
        match self.connection.paged.pager.style() {
            Style::Page | Style::PageFlag | Style::PageInput | Style::PageList | Style::Offset | Style::OffsetList => {
                true
            }
            Style::Relay | Style::FlatCursor | Style::MovingCursor | Style::Keyset | Style::Capped | Style::Reverse => {
                false
            }
        }
    }
}
