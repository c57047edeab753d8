//! How a connection goes on behind a page: the next pages, or the end and what tells it.
//!
//! Pure. What ends a connection is the API's word where it gives one; a page that is short or empty while there are said
//! to be more is not the end, and a total is evidence, compared with what came. What the API says of a first page that
//! is shorter than was asked for, and of nothing behind it, is believed; so is an empty page where nothing else is said.

mod cursors;
mod doubles;
mod first_page;
mod moves;
mod offsets;
mod pages;
mod resize;
mod reverse;
mod sameness;
mod skip;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod walks;

pub(crate) use resize::{divided, resized};
pub(crate) use skip::{Rest, behind_row};

use serde_json::Value;

use crate::plan::Connection;
use crate::run::harvest::FoundPage;
use crate::schema::Pager;
use crate::state::{Restart, Task, Trail};

/// Pages that are asked for side by side on the word of a total, until more than that were there: it may be wrong.
const SIDE_PAGES: u64 = 64;
/// Pages that are asked for side by side where nothing says that they are there.
const GUESSED_PAGES: u64 = 8;
/// Empty pages in a row of which the author is told.
const TOLD_EMPTY_PAGES: u64 = 10;

/// Numbers of rows at which APIs cut off lists.
const ROUND: [u64; 17] = [
    10, 15, 20, 25, 30, 40, 50, 75, 100, 150, 200, 250, 500, 1_000, 2_000, 5_000, 10_000,
];

/// What follows from a page of a connection.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Turn {
    /// Pages that are to be read next.
    pub(crate) next: Vec<NextPage>,
    /// How the connection ended, where it did.
    pub(crate) end: Option<End>,
    /// What is lacking.
    pub(crate) flaws: Vec<String>,
    /// What may go on for long, and leaves nothing lacking.
    pub(crate) warnings: Vec<String>,
    /// It is to be read again from its beginning, after so many rows.
    pub(crate) again: Option<u64>,
    /// Its rows came before, which nothing but this shows: they must not be taken.
    pub(crate) is_void: bool,
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

impl End {
    /// What it is to the connection that a page ended so: a page before the last one, which has to have `expected` rows,
    /// is not its connection's end.
    pub(crate) fn unless_side(self, expected: Option<u32>) -> Option<Self> {
        expected.is_none().then_some(self)
    }
}

/// A page whose paging cannot go on, so that the rows behind it cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PagingError {
    #[error(
        "`{path}` says that there is another page and gives no cursor for it; if that is all there is, write \
         @paginate(style: NONE)"
    )]
    NoCursor { path: String },
    #[error("`{path}` broke off: a later page of it has no rows where the others have them{}", because(.cause))]
    BrokeOff { path: String, cause: Option<String> },
    #[error("`{path}` says that there are more rows and gives an empty page: nothing tells where to read on")]
    EmptyWithMore { path: String },
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
        "`{path}` brings nothing but rows that came before, page after page: reading on would never end; report it to \
         the API's vendor, or say with @paginate how it is paged"
    )]
    NothingNew { path: String },
    #[error(
        "`{path}`: the row that holds it is another one, or gone, when it is asked for again; run it again, or name another \
         way to it with @lookup"
    )]
    Stranger { path: String },
    #[error("{cause}")]
    NoAnswer { cause: String },
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
    /// How it was begun again, where it was.
    pub(crate) restart: Option<Restart>,
    /// Rows in all, as its first page said.
    pub(crate) total: Option<u64>,
}

impl<'task> Asked<'task> {
    pub(crate) fn of(task: &'task Task, size: u32) -> Self {
        Self {
            position: task.position.as_ref(),
            before: task.before,
            size,
            expected: task.expected,
            trail: &task.trail,
            restart: task.restart,
            total: task.total,
        }
    }
}

impl Asked<'_> {
    /// Rows up to which it was read before it was begun again.
    fn rows_before(&self) -> u64 {
        self.restart.map_or(0, |restart| restart.rows)
    }
}

/// What the API says beside a page that is not there, where it says something.
fn because(cause: &Option<String>) -> String {
    cause.as_ref().map_or_else(String::new, |cause| format!(": {cause}"))
}

/// Decides what follows from a page.
pub(crate) fn turn(connection: &Connection, asked: Asked<'_>, page: &FoundPage) -> Result<Turn, PagingError> {
    let turner = Turner {
        connection,
        asked,
        page,
    };
    if let Some(turn) = turner.last_page_again() {
        return Ok(turn);
    }
    let mut turn = match asked.expected {
        Some(expected) => turner.side(u64::from(expected)),
        None => turner.judge()?,
    };
    if let Some(most) = connection.most_rows {
        turner.keep_to(u64::from(most), &mut turn);
    }
    if turn.end.is_some_and(|end| end != End::Enough) {
        turner.compare_total(&mut turn);
        turner.doubt_first_page(&mut turn);
        turner.note_twin_pages(&mut turn);
    }
    turner.note_moves(&mut turn)?;
    turner.note_doubles(&mut turn);
    turner.note_lost_places(&mut turn);
    turner.note_empty(&mut turn);
    turner.read_again(&mut turn);
    Ok(turn)
}

/// A page, and what was asked for.
struct Turner<'turn> {
    connection: &'turn Connection,
    asked: Asked<'turn>,
    page: &'turn FoundPage,
}

impl Turner<'_> {
    /// What follows from the page that is the last one known.
    fn judge(&self) -> Result<Turn, PagingError> {
        match &self.connection.paged.pager {
            Pager::Relay { .. } => self.flagged_cursor(),
            Pager::FlatCursor { has_next, .. } if has_next.is_some() => self.flagged_cursor(),
            Pager::FlatCursor { .. } | Pager::MovingCursor { .. } => self.bare_cursor(),
            Pager::PageTotals { first_page, .. } => self.counted_page(*first_page),
            Pager::PageFlag { first_page, .. } => self.flagged_page(*first_page),
            Pager::PageList { first_page, .. } => self.listed_page(*first_page),
            Pager::OffsetTotal { has_next, .. } if has_next.is_some() => self.flagged_offset(),
            Pager::OffsetTotal { .. } => self.counted_offset(),
            Pager::OffsetList { .. } => self.listed_offset(),
            Pager::Keyset { key, .. } => self.key(key),
            Pager::Capped { cap, .. } => Ok(self.capped(*cap)),
            Pager::Reverse { cap, .. } => Ok(self.reversed(*cap)),
        }
    }

    /// What follows from a page before the last one known: what it lacks, nobody else asks for.
    fn side(&self, expected: u64) -> Turn {
        match &self.connection.paged.pager {
            Pager::OffsetTotal { .. } | Pager::OffsetList { .. } => self.side_offset(expected),
            Pager::PageList { .. } => self.side_page(expected, false),
            _ => self.side_page(expected, true),
        }
    }

    fn path(&self) -> String {
        self.connection.path.clone()
    }

    /// Rows of the connection up to the end of this page: distinct ones where its place in the list is not needed to go
    /// on. Rows that are read again after cursors expired were not counted in this reading.
    fn rows(&self) -> u64 {
        let is_read_again = self.asked.before < self.asked.rows_before();
        let repeats = match self.counts_rows_off() || is_read_again {
            true => 0,
            false => self.page.repeats,
        };
        self.asked.before + self.page.rows.saturating_sub(repeats)
    }

    /// Rows behind this page, by the total.
    fn rows_left(&self) -> Option<u64> {
        self.page.total.map(|total| total.saturating_sub(self.rows()))
    }

    /// Rows asked for.
    fn size(&self) -> u64 {
        u64::from(self.asked.size)
    }

    fn end(end: End) -> Turn {
        Turn {
            end: Some(end),
            ..Turn::default()
        }
    }

    /// An end that may be none, and why.
    fn suspect(&self, why: &str) -> Turn {
        Turn {
            end: Some(End::Suspect),
            flaws: vec![self.flaw(why)],
            ..Turn::default()
        }
    }

    fn flaw(&self, text: &str) -> String {
        format!("`{}` {text}", self.connection.path)
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

    /// What an API leaves open that should say whether there is more.
    fn silent(&self) -> Turn {
        self.suspect("does not say whether there are more rows")
    }

    /// The end of a connection that has had nothing but empty pages for too long.
    fn idle(&self) -> Turn {
        self.suspect("says that there are more rows, and gives one empty page after the other: it was given up")
    }

    /// Counts the empty pages, of which each costs a request.
    fn note_empty(&self, turn: &mut Turn) {
        let empty = self.empty_pages();
        for next in &mut turn.next {
            next.trail.empty = empty;
        }
        if empty == TOLD_EMPTY_PAGES && !turn.next.is_empty() {
            let text = format!("gave {empty} empty pages in a row and says that there are more rows: it is read on");
            turn.warnings.push(self.flaw(&text));
        }
    }

    /// Leaves out pages behind the most rows that the author wants.
    fn keep_to(&self, most: u64, turn: &mut Turn) {
        if self.asked.expected.is_some() {
            turn.next.retain(|next| next.before < most);
            return;
        }
        if self.rows() >= most {
            *turn = Self::end(End::Enough);
            return;
        }
        turn.next.retain(|next| next.before < most);
        if let Some(last) = turn.next.last_mut() {
            last.expected = None;
        }
    }

    /// A list that cannot be read on: whoever gets as many rows as fit cannot know whether there were more.
    fn capped(&self, cap: Option<u32>) -> Turn {
        if self.page.has_next == Some(true) {
            return self.suspect("says that there are more rows, and takes no argument by which to ask for them");
        }
        if self.total().is_some_and(|total| total == self.rows()) {
            return Self::end(End::Total);
        }
        let size = self.connection.paged.size.as_ref().map(|_| self.asked.size);
        let limit = [cap, size].into_iter().flatten().min();
        match limit.is_some_and(|limit| self.page.rows >= u64::from(limit)) {
            true => self.suspect("may be cut off: it holds as many rows as it may"),
            false if cap.is_none() && size.is_some() && self.total().is_none() => self.end_unless_round(),
            false => Self::end(End::Said),
        }
    }

    /// Fewer rows than were asked for, of an API that does not say where it stops: at a round number it may have. A
    /// smaller page would show nothing, and a larger one be cut off alike.
    fn end_unless_round(&self) -> Turn {
        // Of many lists below rows, some have ten.
        let least = if self.connection.is_repeated { 100 } else { 10 };
        let rows = self.page.rows;
        match rows >= least && ROUND.contains(&rows) {
            true => self.suspect(&format!(
                "may be cut off: more rows were asked for, and it has {rows}, where an API may stop; if this one is known \
                 to give {size} at once, write @paginate(style: CAPPED, cap: {size})",
                size = self.asked.size
            )),
            false => Self::end(End::Said),
        }
    }

    /// The number of all rows, where any page said it.
    fn total(&self) -> Option<u64> {
        self.page.total.or(self.asked.total)
    }

    fn compare_total(&self, turn: &mut Turn) {
        let rows = self.rows().saturating_sub(self.doubles());
        if let Some(total) = self.total().filter(|total| *total > rows) {
            let remedy = self.first_page_remedy();
            // Where rows are counted off, some that came twice may be among them, and are a flaw of their own.
            let most = if self.counts_rows_off() { "at most " } else { "" };
            let noun = if rows == 1 { "row" } else { "rows" };
            let text = format!("had {most}{rows} distinct {noun}, and {total} by its total{remedy}");
            turn.flaws.push(self.flaw(&text));
            turn.end = Some(End::Suspect);
        }
    }
}
