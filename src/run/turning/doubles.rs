//! Rows that come twice within one page. Where rows are counted off, such a row fills the place of another one, which a
//! total that counts distinct rows shows; where nothing is said of how many there are, it may have been lost.

use crate::run::turning::sameness::told_doubles;
use crate::run::turning::{Turn, Turner};

impl Turner<'_> {
    /// Rows that came twice within a page, in the pages up to this one. Where rows are not counted off, these are not
    /// counted in the first place; of pages read side by side each has but its own.
    pub(super) fn doubles(&self) -> u64 {
        match self.counts_rows_off() {
            true => told_doubles(self.asked.trail) + self.page.doubles.len() as u64,
            false => 0,
        }
    }

    /// Tells of rows whose place others may have had, unless the total is going to tell.
    pub(super) fn note_lost_places(&self, turn: &mut Turn) {
        if self.counts_rows_off() && self.may_hide_rows() {
            let text = "has rows that come twice within a page while rows are counted off: what came twice is left out, \
                        and other rows may not have come at all";
            turn.flaws.push(self.flaw(text));
        }
    }

    /// A page that is all there is, and not full, has nothing behind it that could have moved. One before the last one
    /// known is judged by itself, since its rows are not in the account that the last one is compared with.
    fn may_hide_rows(&self) -> bool {
        let has_doubles = !self.page.doubles.is_empty();
        if self.asked.expected.is_some() {
            return has_doubles;
        }
        // One that more rows came of than it says is none that could tell.
        let distinct = self.rows().saturating_sub(self.doubles());
        if self.total().is_some_and(|total| total >= distinct) {
            return false;
        }
        let is_one_of_many = self.page.rows > 0 && self.asked.before > 0;
        (has_doubles && self.page.rows >= self.size()) || (self.doubles() > 0 && is_one_of_many)
    }
}
