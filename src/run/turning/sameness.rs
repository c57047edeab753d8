//! Pages that are told apart by what is in them, since their positions prove nothing: an API that does not heed the
//! argument for the page answers the same one for ever.

use crate::run::turning::{PagingError, Turn, Turner};
use crate::state::Trail;

/// Pages like others of their connection that are taken where rows have no keys, and pages can honestly be equal.
const EQUAL_PAGES: u64 = 100;

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
    /// Empty pages since the last one with rows.
    empties: u64,
    /// The most rows of a page that had fewer than were asked for, though nothing said that it was the last.
    cut: u64,
}

impl<'text> Past<'text> {
    fn read(trail: &'text Trail) -> Self {
        let mut parts = trail.landmark.as_deref().unwrap_or_default().split(' ');
        let mut text = || parts.next().unwrap_or_default();
        Self {
            previous: text(),
            mark: text(),
            repeats: text().parse().unwrap_or_default(),
            empties: text().parse().unwrap_or_default(),
            cut: text().parse().unwrap_or_default(),
        }
    }

    fn write(&self, pages: u64) -> Trail {
        let Self {
            previous,
            mark,
            repeats,
            empties,
            cut,
        } = self;
        Trail {
            pages,
            landmark: Some(format!("{previous} {mark} {repeats} {empties} {cut}")),
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
    /// The trail with this page, or `None` where it is like others for too often. Where rows have keys, a page that came
    /// before is an error at once.
    pub(super) fn content_trail(&self) -> Result<Option<Trail>, PagingError> {
        let mut past = Past::read(self.asked.trail);
        let pages = self.asked.trail.pages + 1;
        if self.page.rows == 0 {
            past.empties += 1;
            return Ok(Some(past.write(pages)));
        }
        past.empties = 0;
        if self.is_short_before_the_end() {
            past.cut = past.cut.max(self.page.rows);
        }
        let Some(digest) = self.page.digest.as_deref() else {
            return Ok(Some(past.write(pages)));
        };
        if past.has(digest) && self.page.has_keys {
            return Err(PagingError::SamePage { path: self.path() });
        }
        let past = past.with_page(digest, pages);
        Ok((past.repeats <= EQUAL_PAGES).then(|| past.write(pages)))
    }

    /// Whether fewer rows came than were asked for, though nothing says that this is the end.
    fn is_short_before_the_end(&self) -> bool {
        let is_end = self.page.has_next == Some(false) || self.rows_left() == Some(0);
        self.page.rows < self.size() && !is_end
    }

    /// Whether this page is empty and so were those before, so many that it may go on like that for ever.
    pub(super) fn is_barren(&self) -> bool {
        self.page.rows == 0 && Past::read(self.asked.trail).empties >= EMPTY_PAGES
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

    /// The end of a connection whose pages are all alike.
    pub(super) fn repeated(&self) -> Turn {
        self.suspect(&format!(
            "answered the same rows for {EQUAL_PAGES} pages, and they have no key that would tell whether the API heeds \
             the argument by which pages are asked for: it was given up"
        ))
    }
}
