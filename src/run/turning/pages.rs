//! The styles that go on by page numbers. Every page has the size of the first one: a number means other rows under
//! another size.

use serde_json::Value;

use crate::run::turning::{End, GUESSED_PAGES, NextPage, PagingError, SIDE_PAGES, Turn, Turner};
use crate::state::Trail;

impl Turner<'_> {
    /// Pages up to this one.
    pub(super) fn number(&self, first: u64) -> u64 {
        let number = self.asked.position.and_then(Value::as_u64).unwrap_or(first);
        number.saturating_sub(first) + 1
    }

    /// A flag says whether there is more.
    pub(super) fn flagged_page(&self, first: u64) -> Result<Turn, PagingError> {
        match self.page.has_next {
            Some(true) if self.is_barren() => Ok(self.idle()),
            Some(true) => self.pages_behind(first, |_| 1),
            Some(false) => Ok(Self::end(End::Said)),
            None => Ok(self.silent()),
        }
    }

    /// Nothing but an empty page says that there is no more.
    pub(super) fn listed_page(&self, first: u64) -> Result<Turn, PagingError> {
        if self.page.total.is_some() {
            return self.counted_page(first);
        }
        if self.page.rows == 0 {
            return Ok(Self::end(End::Empty));
        }
        let is_even = self.is_even(self.number(first));
        self.pages_behind(first, |trail| if is_even { Self::guessed_pages(trail) } else { 1 })
    }

    /// How many pages are worth a guess where those before were all full: 1, 2, 4, 8.
    pub(super) fn guessed_pages(trail: &Trail) -> u64 {
        match trail.pages {
            pages @ 0..=3 => 1 << pages.saturating_sub(1),
            _ => GUESSED_PAGES,
        }
    }

    /// The number of pages, or of rows, says how far they go.
    pub(super) fn counted_page(&self, first: u64) -> Result<Turn, PagingError> {
        let number = self.number(first);
        let pages_left = self.page.page_count.map(|count| count.saturating_sub(number));
        let rows_left = self.rows_left();
        let has_more_pages = pages_left.is_some_and(|left| left > 0) && rows_left != Some(0);
        if self.page.rows == 0 {
            return match has_more_pages {
                true if self.is_barren() => Ok(self.idle()),
                true => self.pages_behind(first, |_| 1),
                false => Ok(Self::end(End::Empty)),
            };
        }
        let left = match (pages_left, rows_left) {
            (None, None) => 1,
            (Some(left), _) if left > 0 => left,
            // Two numbers that contradict each other are not followed far.
            (Some(_), Some(rows)) => rows.min(1),
            (None, Some(rows)) => rows.div_ceil(self.page.rows),
            (Some(_), None) => 0,
        };
        if left == 0 && !self.may_go_on(number) {
            return Ok(Self::end(End::Total));
        }
        let most = if self.is_even(number) {
            SIDE_PAGES.max(number)
        } else {
            1
        };
        self.pages_behind(first, |_| left.clamp(1, most))
    }

    /// Whether this page is as full as it may be, or beyond what is said: then the numbers may be too low.
    fn may_go_on(&self, number: u64) -> bool {
        let is_as_full_as_others = number > 1 && self.page.rows * (number - 1) >= self.asked.before;
        let is_beyond = self.page.total.is_some_and(|total| self.rows() > total)
            || self.page.page_count.is_some_and(|count| number > count);
        self.page.rows >= self.size() || is_as_full_as_others || is_beyond
    }

    /// Whether all pages so far have the same number of rows, so that those of the next ones can be told: as many as
    /// were asked for, or as many as the server gives at most, which both numbers or a second page show.
    fn is_even(&self, number: u64) -> bool {
        let rows = self.page.rows;
        if number > 1 {
            return rows * (number - 1) == self.asked.before;
        }
        let do_numbers_agree = match (self.page.total, self.page.page_count) {
            (Some(total), Some(count)) if rows > 0 => total.div_ceil(rows) == count,
            _ => false,
        };
        rows >= self.size() || do_numbers_agree
    }

    /// The next so many pages; the last one is to say how it goes on.
    fn pages_behind(&self, first: u64, count: impl Fn(&Trail) -> u64) -> Result<Turn, PagingError> {
        let Some(trail) = self.content_trail() else {
            return Ok(self.repeated());
        };
        let count = if Self::has_repeats(&trail) { 1 } else { count(&trail) };
        let rows = self.page.rows;
        let next = (0..count).map(|step| NextPage {
            position: (first + self.number(first) + step).into(),
            before: self.rows() + step * rows,
            size: Some(self.asked.size),
            expected: u32::try_from(rows).ok().filter(|_| step + 1 < count),
            trail: trail.clone(),
        });
        Ok(Turn {
            next: next.collect(),
            ..Turn::default()
        })
    }

    /// A page before the last one known; `is_promised` tells that its rows must be there.
    pub(super) fn side_page(&self, expected: u64, is_promised: bool) -> Turn {
        let lacks = is_promised && self.page.rows < expected;
        Turn {
            flaws: lacks.then(|| self.short_page()).into_iter().collect(),
            ..Turn::default()
        }
    }

    pub(super) fn short_page(&self) -> String {
        self.flaw("has a page before its last one with fewer rows than the others")
    }
}
