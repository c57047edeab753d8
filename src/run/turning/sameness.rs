//! Pages that are told apart by what is in them, since their positions prove nothing: an API that does not heed the
//! argument for the page answers the same one for ever, and some answer their last page again for those behind it.

use crate::run::turning::{End, Turn, Turner};
use crate::state::Trail;

/// Pages like others of their connection that are taken where rows have no keys, and pages can honestly be equal.
const EQUAL_PAGES: u64 = 100;
/// The same in rows, where pages are small: the smaller they are, the more are equal by chance.
const EQUAL_ROWS: u64 = 1_000;

/// Empty pages in a row that are taken for gaps, where more rows are said to be behind them.
const EMPTY_PAGES: u64 = 50;

/// The pages before, as the text of a trail keeps them.
#[derive(Default)]
struct Past<'text> {
    /// The page before.
    previous: &'text str,
    /// An older one, replaced after 1, 2, 4, 8 … pages, so that a circle of any length is found.
    mark: &'text str,
    /// Pages that were like one of the two.
    repeats: u64,
    /// The most rows of a page that had fewer than were asked for, though nothing said that it was the last.
    cut: u64,
    /// The most rows of a page.
    most: u64,
    /// Rows that came twice within a page.
    doubles: u64,
}

/// Rows of the pages before that came twice within one of them.
pub(super) fn told_doubles(trail: &Trail) -> u64 {
    Past::read(trail).doubles
}

impl<'text> Past<'text> {
    fn read(trail: &'text Trail) -> Self {
        let mut parts = trail.landmark.as_deref().unwrap_or_default().split(' ');
        let mut text = || parts.next().unwrap_or_default();
        Self {
            previous: text(),
            mark: text(),
            repeats: text().parse().unwrap_or_default(),
            cut: text().parse().unwrap_or_default(),
            most: text().parse().unwrap_or_default(),
            doubles: text().parse().unwrap_or_default(),
        }
    }

    fn write(&self, pages: u64) -> Trail {
        let Self {
            previous,
            mark,
            repeats,
            cut,
            most,
            doubles,
        } = self;
        Trail {
            pages,
            landmark: Some(format!("{previous} {mark} {repeats} {cut} {most} {doubles}")),
            ..Trail::default()
        }
    }

    fn with_page<'new>(&self, digest: &'new str, pages: u64) -> Past<'new>
    where
        'text: 'new,
    {
        Past {
            previous: digest,
            mark: if pages.is_power_of_two() { digest } else { self.mark },
            repeats: self.repeats + u64::from(self.has(digest)),
            ..*self
        }
    }

    fn has(&self, digest: &str) -> bool {
        self.previous == digest || self.mark == digest
    }
}

impl Turner<'_> {
    /// The trail with this page, or `None` where it is like others for too often. Rows with keys are told apart by these:
    /// pages without a new one end the reading earlier.
    pub(super) fn content_trail(&self) -> Option<Trail> {
        let mut past = Past::read(self.asked.trail);
        let pages = self.asked.trail.pages + 1;
        if self.page.rows == 0 {
            return Some(past.write(pages));
        }
        past.most = past.most.max(self.page.rows);
        past.doubles = self.doubles();
        if self.is_short_before_the_end() {
            past.cut = past.cut.max(self.page.rows);
        }
        let Some(digest) = self.page.digest.as_deref() else {
            return Some(past.write(pages));
        };
        let past = past.with_page(digest, pages);
        let most = EQUAL_PAGES.max(EQUAL_ROWS / past.most);
        (self.page.are_keys_unique || past.repeats <= most).then(|| past.write(pages))
    }

    /// Whether fewer rows came than were asked for, though nothing says that this is the end.
    fn is_short_before_the_end(&self) -> bool {
        let is_end = self.page.has_next == Some(false) || self.rows_left() == Some(0);
        self.page.rows < self.size() && !is_end
    }

    /// Whether this page is empty and so were those before, so many that it may go on like that for ever.
    pub(super) fn is_barren(&self) -> bool {
        self.empty_pages() > EMPTY_PAGES
    }

    /// Empty pages in a row, up to this one.
    pub(super) fn empty_pages(&self) -> u64 {
        match self.page.rows {
            0 => self.asked.trail.empty + 1,
            _ => 0,
        }
    }

    /// Whether this page has as many rows as the server gives at most, as a page before it showed.
    pub(super) fn is_cut(&self) -> bool {
        let cut = Past::read(self.asked.trail).cut;
        cut > 0 && self.page.rows >= cut
    }

    /// Whether pages like others were among those before.
    pub(super) fn has_repeats(trail: &Trail) -> bool {
        Past::read(trail).repeats > 0
    }

    /// The end of a list behind whose last page the API gives that page again. That it was the last one shows by the
    /// total, or, where keys tell that nothing in it is new, as it was shorter than another one.
    pub(super) fn last_page_again(&self) -> Option<Turn> {
        let is_behind_new_rows = self.asked.expected.is_none() && self.asked.trail.stale == 0 && self.page.rows > 0;
        let has_keys = self.page.are_keys_unique;
        // What stands in rows without a key was followed by now.
        let may_be_again = if has_keys {
            self.is_stale()
        } else {
            self.page.inner.is_empty()
        };
        if !self.counts_rows_off() || !is_behind_new_rows || !may_be_again || self.page.has_next == Some(true) {
            return None;
        }
        let past = Past::read(self.asked.trail);
        let is_same = self.page.digest.as_deref() == Some(past.previous);
        let is_first_same = is_same && past.repeats == 0;
        let is_short = self.page.rows < past.most.min(self.size());
        let end = match self.page.total {
            Some(total) if total == self.asked.before.saturating_sub(past.doubles) && (is_first_same || has_keys) => {
                End::Total
            }
            None if is_same && is_short && has_keys => End::Empty,
            _ => return None,
        };
        Some(Turn {
            is_void: !has_keys,
            ..Self::end(end)
        })
    }

    /// The end of a connection whose pages are all alike.
    pub(super) fn repeated(&self) -> Turn {
        self.suspect(
            "answered the same rows page after page, and they have no key that would tell whether the API heeds the \
             argument by which pages are asked for: it was given up; name what tells them apart with @table(key:), or say \
             with @paginate how it is paged",
        )
    }
}
