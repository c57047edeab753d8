//! The styles that go on by the number of rows to leave out. A page can begin anywhere and have any size, so that what a
//! page lacks can be asked for by itself.

use crate::run::turning::{End, NextPage, PagingError, SIDE_PAGES, Turn, Turner};
use crate::state::Trail;

impl Turner<'_> {
    /// A flag says whether there is more; a total, where there is one, how much.
    pub(super) fn flagged_offset(&self) -> Result<Turn, PagingError> {
        match self.page.has_next {
            Some(true) if self.page.rows == 0 => Err(PagingError::EmptyWithMore { path: self.path() }),
            Some(true) => self.offsets_behind(self.rows_left().unwrap_or_default()),
            Some(false) => Ok(Self::end(End::Said)),
            None => self.counted_offset(),
        }
    }

    /// The number of rows says how far they go.
    pub(super) fn counted_offset(&self) -> Result<Turn, PagingError> {
        let Some(left) = self.rows_left() else {
            return self.listed_offset();
        };
        if self.page.rows == 0 {
            return Ok(Self::end(End::Empty));
        }
        let is_beyond = self.page.total.is_some_and(|total| self.rows() > total);
        // Behind a page that is as full as it may be the total is not believed.
        if left == 0 && self.step().is_none() && !is_beyond {
            return Ok(Self::end(End::Total));
        }
        self.offsets_behind(left)
    }

    /// Nothing but an empty page says that there is no more. Where pages are full, several are asked for at once.
    pub(super) fn listed_offset(&self) -> Result<Turn, PagingError> {
        if self.rows_left().is_some() {
            return self.counted_offset();
        }
        if self.page.rows == 0 {
            return Ok(Self::end(End::Empty));
        }
        let Some(trail) = self.content_trail() else {
            return Ok(self.repeated());
        };
        // Smaller pages than the largest are asked for where the end is thought to be near.
        let is_largest = !self.connection.is_repeated || self.asked.size >= self.connection.page_size;
        // The first page may be small as nothing was known; all others would be as small as that.
        let may_grow = self.asked.before == 0 && 2 * self.asked.size <= self.connection.page_size;
        let pages = if may_grow || Self::has_repeats(&trail) {
            1
        } else {
            Self::guessed_pages(&trail)
        };
        match self.step() {
            Some(step) if is_largest && pages > 1 => {
                let next = (0..pages).map(|page| self.page_at(page, step, step, page + 1 < pages, &trail));
                Ok(Turn {
                    next: next.collect(),
                    ..Turn::default()
                })
            }
            _ => Ok(self.next(self.rows(), trail)),
        }
    }

    /// The pages behind, where there are said to be so many rows; the last one is to say how it goes on.
    fn offsets_behind(&self, left: u64) -> Result<Turn, PagingError> {
        let Some(trail) = self.content_trail() else {
            return Ok(self.repeated());
        };
        let is_wide = left > 0 && !Self::has_repeats(&trail);
        let Some(step) = self.step().map(|step| self.grown(step)).filter(|_| is_wide) else {
            return Ok(self.next(self.rows(), trail));
        };
        let most = SIDE_PAGES.max(self.rows() / step);
        let pages = left.div_ceil(step).min(most);
        let next = (0..pages).map(|page| {
            // One row more than is said to be left shows that there are no more.
            let size = step.min(left - page * step + 1);
            self.page_at(page, step, size, page + 1 < pages, &trail)
        });
        Ok(Turn {
            next: next.collect(),
            ..Turn::default()
        })
    }

    fn page_at(&self, page: u64, step: u64, size: u64, is_side: bool, trail: &Trail) -> NextPage {
        let offset = self.rows() + page * step;
        NextPage {
            position: offset.into(),
            before: offset,
            size: u32::try_from(size).ok(),
            expected: u32::try_from(step).ok().filter(|_| is_side),
            trail: trail.clone(),
        }
    }

    /// The rows that a page has, where that can be told: as many as were asked for, or as many as the server gives at
    /// most.
    fn step(&self) -> Option<u64> {
        let rows = self.page.rows;
        (rows > 0 && (rows >= self.size() || self.is_cut())).then_some(rows)
    }

    /// The first page is small, as it shares its request or others wait for it: those need not be, where a total says how
    /// many rows there are.
    fn grown(&self, step: u64) -> u64 {
        match (self.connection.is_repeated || self.asked.before == 0) && step == self.size() {
            true => step.max(u64::from(self.connection.page_size)),
            false => step,
        }
    }

    /// A page before the last one known: what it lacks is asked for at its own offset. Where no total says that its
    /// rows are there, it was a guess.
    pub(super) fn side_offset(&self, expected: u64) -> Turn {
        let rows = self.page.rows;
        let trail = self.content_trail().unwrap_or_else(|| self.asked.trail.clone());
        if rows > expected {
            let text = "has a page with more rows than were asked for: some may be there twice";
            return Turn {
                flaws: vec![self.flaw(text)],
                ..Turn::default()
            };
        }
        if rows > 0 && rows < expected {
            let lacking = u32::try_from(expected - rows).ok();
            let mut turn = self.next(self.rows(), trail);
            for next in &mut turn.next {
                (next.size, next.expected) = (lacking, lacking);
            }
            return turn;
        }
        let lacks = self.page.total.is_some() && rows < expected;
        Turn {
            flaws: lacks.then(|| self.short_page()).into_iter().collect(),
            ..Turn::default()
        }
    }
}
