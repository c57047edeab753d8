//! How a connection goes on behind a page: the next pages, or the end and what tells it.
//!
//! Pure. What ends a connection is the API's word where it gives one; a page that is short or empty while there are said
//! to be more is not the end, and a total is evidence, compared with what came.

use serde_json::Value;

use crate::plan::Connection;
use crate::run::harvest::FoundPage;
use crate::schema::Pager;
use crate::state::{Task, Trail};

/// The most pages that are asked for side by side in one connection.
const MOST_SIDE_PAGES: u64 = 100_000;

/// What follows from a page of a connection.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Turn {
    /// Pages that are to be read next.
    pub(crate) next: Vec<NextPage>,
    /// How the connection ended, where it did.
    pub(crate) end: Option<End>,
    /// What is lacking.
    pub(crate) flaws: Vec<String>,
}

/// A page that is to be read next.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct NextPage {
    pub(crate) position: Value,
    pub(crate) before: u64,
    pub(crate) size: Option<u32>,
    /// For a page before the last one: the rows that it must have.
    pub(crate) expected: Option<u32>,
    pub(crate) trail: Trail,
}

/// What told the end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The API said that there is no more.
    Said,
    /// All rows of the total were there.
    Total,
    /// The page behind was empty.
    Empty,
    /// There was nothing: null.
    Absent,
    /// The author wants no more.
    Enough,
    /// It may be cut off.
    Suspect,
    /// It could not be read on.
    Lost,
}

/// A page whose paging cannot go on, so that the rows behind it cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PagingError {
    #[error(
        "`{path}` says that there is another page and gives no cursor for it; if that is all there is, write \
         @paginate(style: NONE)"
    )]
    NoCursor { path: String },
    #[error("`{path}` broke off: a later page of it has no rows where the others have them")]
    BrokeOff { path: String },
    #[error(
        "`{path}` says that there is another page and gives the same cursor again: reading on would never end; report \
         it to the API's vendor, or try another page size"
    )]
    StandsStill { path: String },
    #[error(
        "`{path}` gives a cursor for its next page that it gave before: reading on would never end; report it to the \
         API's vendor, or try another page size"
    )]
    Circles { path: String },
    #[error(
        "`{path}` answers the same rows for another page: the API does not heed the argument by which pages are asked \
         for, so that the rows behind them cannot be had; say with @paginate how it is paged"
    )]
    SamePage { path: String },
    #[error("the row that holds `{path}` is another one, or gone, when it is asked for again")]
    Stranger { path: String },
    #[error("`{path}` has rows without `{key}`, by which its next page is asked for")]
    NoKey { path: String, key: String },
}

/// The page that was asked for, as far as the next ones follow from it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'task> {
    /// Where it began; `None` for a first page.
    pub(crate) position: Option<&'task Value>,
    /// Rows of the connection before it.
    pub(crate) before: u64,
    /// Rows asked for.
    pub(crate) size: u32,
    /// For a page before the last one: the rows that it must have.
    pub(crate) expected: Option<u32>,
    pub(crate) trail: &'task Trail,
}

impl<'task> Asked<'task> {
    pub(crate) fn of(task: &'task Task, size: u32) -> Self {
        Self {
            position: task.position.as_ref(),
            before: task.before,
            size,
            expected: task.expected,
            trail: &task.trail,
        }
    }
}

/// Decides what follows from a page.
pub(crate) fn turn(connection: &Connection, asked: Asked<'_>, page: &FoundPage) -> Result<Turn, PagingError> {
    let turner = Turner {
        connection,
        asked,
        page,
    };
    let mut turn = match &connection.paged.pager {
        Pager::Relay { .. } => turner.flagged_cursor(),
        Pager::FlatCursor { has_next, .. } if has_next.is_some() => turner.flagged_cursor(),
        Pager::FlatCursor { .. } | Pager::MovingCursor { .. } => turner.bare_cursor(),
        Pager::PageTotals { first_page, .. } => turner.counted_pages(*first_page),
        Pager::PageFlag { first_page, .. } => turner.flagged_page(*first_page),
        Pager::PageList { first_page, .. } => turner.pages_to_the_empty_one(*first_page),
        Pager::OffsetTotal { has_next, .. } if has_next.is_some() => turner.flagged_offset(),
        Pager::OffsetTotal { .. } => turner.counted_offset(),
        Pager::OffsetList { .. } => turner.offsets_to_the_empty_page(),
        Pager::Keyset { key, .. } => turner.keys(key),
        Pager::Capped { cap } => Ok(turner.capped(*cap)),
    }?;
    if let Some(most) = connection.most_rows
        && turner.rows() >= u64::from(most)
    {
        turn = Turn {
            end: (asked.expected.is_none()).then_some(End::Enough),
            ..Turn::default()
        };
    }
    if turn.end.is_some() && connection.most_rows.is_none() {
        turner.compare_total(&mut turn);
    }
    Ok(turn)
}

struct Turner<'turn> {
    connection: &'turn Connection,
    asked: Asked<'turn>,
    page: &'turn FoundPage,
}

impl Turner<'_> {
    fn path(&self) -> String {
        self.connection.path.clone()
    }

    /// Rows of the connection up to the end of this page.
    fn rows(&self) -> u64 {
        self.asked.before + self.page.rows
    }

    fn end(end: End) -> Turn {
        Turn {
            end: Some(end),
            ..Turn::default()
        }
    }

    fn next(&self, position: impl Into<Value>, trail: Trail) -> Turn {
        Turn {
            next: vec![NextPage {
                position: position.into(),
                before: self.rows(),
                size: None,
                expected: None,
                trail,
            }],
            ..Turn::default()
        }
    }

    fn flagged_cursor(&self) -> Result<Turn, PagingError> {
        match self.page.has_next {
            Some(true) => self.behind_cursor(),
            Some(false) => Ok(Self::end(End::Said)),
            None => Ok(self.silent()),
        }
    }

    fn bare_cursor(&self) -> Result<Turn, PagingError> {
        match &self.page.end_cursor {
            Some(_) => self.behind_cursor(),
            None => Ok(Self::end(End::Said)),
        }
    }

    fn silent(&self) -> Turn {
        Turn {
            end: Some(End::Suspect),
            flaws: vec![format!(
                "`{}` does not say whether there are more rows",
                self.connection.path
            )],
            ..Turn::default()
        }
    }

    fn behind_cursor(&self) -> Result<Turn, PagingError> {
        let Some(cursor) = &self.page.end_cursor else {
            return Err(PagingError::NoCursor { path: self.path() });
        };
        if self.asked.position == Some(cursor) {
            return Err(PagingError::StandsStill { path: self.path() });
        }
        let text = cursor.as_str().map_or_else(|| cursor.to_string(), str::to_owned);
        let trail = self.asked.trail.step(&text);
        let trail = trail.ok_or_else(|| PagingError::Circles { path: self.path() })?;
        Ok(self.next(cursor.clone(), trail))
    }

    /// The trail of pages that are told apart by their content; an error for the page that was there before.
    fn content_trail(&self) -> Result<Trail, PagingError> {
        let trail = self.asked.trail;
        let is_same = self.page.digest.is_some() && self.page.digest == trail.landmark;
        if is_same && self.page.rows > 0 {
            return Err(PagingError::SamePage { path: self.path() });
        }
        Ok(Trail {
            pages: trail.pages + 1,
            landmark: self.page.digest.clone(),
        })
    }

    fn page_number(&self, first: u64) -> u64 {
        self.asked.position.and_then(Value::as_u64).unwrap_or(first)
    }

    fn flagged_page(&self, first: u64) -> Result<Turn, PagingError> {
        let trail = self.content_trail()?;
        match self.page.has_next {
            Some(true) => Ok(self.same_size(self.next(self.page_number(first) + 1, trail))),
            Some(false) => Ok(Self::end(End::Said)),
            None => Ok(self.silent()),
        }
    }

    fn pages_to_the_empty_one(&self, first: u64) -> Result<Turn, PagingError> {
        if self.page.rows == 0 {
            return Ok(Self::end(End::Empty));
        }
        let trail = self.content_trail()?;
        Ok(self.same_size(self.next(self.page_number(first) + 1, trail)))
    }

    /// Page numbers mean other rows under another size.
    fn same_size(&self, mut turn: Turn) -> Turn {
        turn.next.iter_mut().for_each(|next| next.size = Some(self.asked.size));
        turn
    }

    /// How many pages there are, as told by this page; a size that the server cut shows in the rows of the first page.
    fn page_count(&self) -> Option<u64> {
        let by_total = || {
            let size = u64::from(self.asked.size).max(1);
            let size = if self.asked.position.is_none() && self.page.rows > 0 {
                size.min(self.page.rows)
            } else {
                size
            };
            self.page.total.map(|total| total.div_ceil(size))
        };
        self.page.page_count.or_else(by_total)
    }

    fn counted_pages(&self, first: u64) -> Result<Turn, PagingError> {
        let number = self.page_number(first);
        let trail = self.content_trail()?;
        if let Some(expected) = self.asked.expected {
            return Ok(self.side(expected));
        }
        if self.page.rows == 0 {
            return Ok(Self::end(End::Empty));
        }
        let last = match self.page_count() {
            // Without a number, or behind the last page that it speaks of, an empty page is the end.
            None => number + 1,
            Some(count) => (first + count).saturating_sub(1),
        };
        if number >= last {
            return Ok(if self.is_full() {
                self.same_size(self.next(number + 1, trail))
            } else {
                Self::end(End::Total)
            });
        }
        // The size that this page shows is that of the others up to the last.
        let pages = (last - number).min(MOST_SIDE_PAGES);
        let next = (1..=pages).map(|step| NextPage {
            position: (number + step).into(),
            before: self.rows() + (step - 1) * self.page.rows,
            size: Some(self.asked.size),
            expected: u32::try_from(self.page.rows).ok().filter(|_| step < pages),
            trail: trail.clone(),
        });
        Ok(Turn {
            next: next.collect(),
            ..Turn::default()
        })
    }

    /// Whether the page has as many rows as it may, so that the list can be cut off behind it.
    fn is_full(&self) -> bool {
        let size = u64::from(self.asked.size);
        let is_more_than_said = self.page.total.is_some_and(|total| self.rows() > total);
        self.page.rows >= size || is_more_than_said
    }

    /// A page before the last one: what it lacks, nobody else asks for.
    fn side(&self, expected: u32) -> Turn {
        let path = &self.connection.path;
        let text = || format!("`{path}` has a page before its last one with fewer rows than the others");
        Turn {
            flaws: if self.page.rows < u64::from(expected) {
                vec![text()]
            } else {
                Vec::new()
            },
            ..Turn::default()
        }
    }

    fn flagged_offset(&self) -> Result<Turn, PagingError> {
        let trail = self.content_trail()?;
        match self.page.has_next {
            Some(true) if self.page.rows == 0 => Err(PagingError::BrokeOff { path: self.path() }),
            Some(true) => Ok(self.next(self.rows(), trail)),
            Some(false) => Ok(Self::end(End::Said)),
            None => self.counted_offset(),
        }
    }

    fn counted_offset(&self) -> Result<Turn, PagingError> {
        let trail = self.content_trail()?;
        if let Some(expected) = self.asked.expected {
            return Ok(self.gap(expected, trail));
        }
        if self.page.rows == 0 {
            return Ok(Self::end(End::Empty));
        }
        let Some(total) = self.page.total else {
            return Ok(self.next(self.rows(), trail));
        };
        if self.rows() >= total {
            return Ok(if self.is_full() {
                self.next(self.rows(), trail)
            } else {
                Self::end(End::Total)
            });
        }
        // A size that the server cut shows in the rows that came.
        let size = self.page.rows;
        let pages = (total - self.rows()).div_ceil(size).min(MOST_SIDE_PAGES);
        let next = (0..pages).map(|page| NextPage {
            position: (self.rows() + page * size).into(),
            before: self.rows() + page * size,
            size: u32::try_from(size).ok(),
            expected: u32::try_from(size).ok().filter(|_| page + 1 < pages),
            trail: trail.clone(),
        });
        Ok(Turn {
            next: next.collect(),
            ..Turn::default()
        })
    }

    /// What a page before the last one lacks is asked for at its own offset.
    fn gap(&self, expected: u32, trail: Trail) -> Turn {
        let lacking = u32::try_from(u64::from(expected).saturating_sub(self.page.rows))
            .ok()
            .filter(|lacking| *lacking > 0);
        if lacking.is_none() || self.page.rows == 0 {
            return self.side(expected);
        }
        let mut turn = self.next(self.rows(), trail);
        for next in &mut turn.next {
            next.expected = lacking;
            next.size = lacking;
        }
        turn
    }

    fn offsets_to_the_empty_page(&self) -> Result<Turn, PagingError> {
        if self.page.rows == 0 {
            return Ok(Self::end(End::Empty));
        }
        let trail = self.content_trail()?;
        Ok(self.next(self.rows(), trail))
    }

    fn keys(&self, key: &str) -> Result<Turn, PagingError> {
        if self.page.rows == 0 {
            return Ok(Self::end(End::Empty));
        }
        let trail = self.content_trail()?;
        let last = self.page.last_key.clone().filter(|key| !key.is_null());
        let last = last.ok_or_else(|| PagingError::NoKey {
            path: self.path(),
            key: key.to_owned(),
        })?;
        if self.asked.position == Some(&last) {
            return Err(PagingError::StandsStill { path: self.path() });
        }
        Ok(self.next(last, trail))
    }

    /// A list that cannot be read on: whoever gets as many rows as fit cannot know whether there were more.
    fn capped(&self, cap: Option<u32>) -> Turn {
        let size = self.connection.paged.size.as_ref().map(|_| self.asked.size);
        let limit = [cap, size].into_iter().flatten().min();
        let is_suspect = limit.is_some_and(|limit| self.page.rows >= u64::from(limit));
        if !is_suspect {
            return Self::end(End::Said);
        }
        let path = &self.connection.path;
        Turn {
            end: Some(End::Suspect),
            flaws: vec![format!("`{path}` may be cut off: it holds as many rows as it may")],
            ..Turn::default()
        }
    }

    fn compare_total(&self, turn: &mut Turn) {
        let rows = self.rows();
        if let Some(total) = self.page.total.filter(|total| *total > rows) {
            let path = &self.connection.path;
            turn.flaws
                .push(format!("`{path}` had {rows} rows, and {total} by its total"));
            turn.end = Some(End::Suspect);
        }
    }
}
