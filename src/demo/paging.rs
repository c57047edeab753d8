//! How lists turn their pages: sizes and their bounds, and what real servers do to clients that trust them.

use std::collections::BTreeMap;
use std::num::NonZeroU64;

use serde::Deserialize;

use crate::demo::cursor_words::{CursorFlaw, CursorWords};
use crate::demo::entropy::Entropy;
use crate::demo::expiry::CursorExpiry;

/// What is said of a page that is asked for with too many rows, where the API has no words of its own.
const ABOVE_CAP: &str = "`{argument}` is {size}, and no page has more than {cap} rows";

/// How lists turn their pages.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PagingBehaviour {
    /// Rows on a page whose size is not asked for.
    pub default_size: u64,
    /// The most rows on a page.
    pub cap: u64,
    /// What happens where more are asked for.
    pub above_cap: AboveCap,
    /// The message of the error where that is one; `{size}`, `{field}`, `{argument}` and `{cap}` in it are filled in.
    #[serde(default)]
    pub above_cap_message: Option<String>,
    /// What happens where no size is asked for.
    #[serde(default)]
    pub missing_size: MissingSize,
    /// What goes otherwise than a client may hope.
    #[serde(default)]
    pub traps: PagingTraps,
    /// What is different for single fields, named as in `Group.findings`.
    #[serde(default)]
    pub fields: BTreeMap<String, FieldPaging>,
}

/// How the lists of one field differ from the others; what is not given is as with them.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FieldPaging {
    /// Rows on a page whose size is not asked for.
    pub default_size: Option<u64>,
    /// The most rows on a page; also bounds lists that cannot be asked for a size.
    pub cap: Option<u64>,
    /// What happens where more are asked for.
    pub above_cap: Option<AboveCap>,
    /// What goes otherwise than a client may hope.
    pub traps: Option<PagingTraps>,
}

/// What happens where more rows are asked for than a page may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AboveCap {
    /// The page has as many as it may, and says nothing.
    Clamp,
    /// The field is an error.
    Refuse,
}

/// What happens where no size is asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MissingSize {
    /// The page has the default size.
    #[default]
    Default,
    /// The field is an error.
    Refuse,
}

/// What goes otherwise than a client may hope. By default nothing does.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PagingTraps {
    /// Pages behind a cursor at this row or later are empty, say that more follows, and give the same cursor again.
    pub stuck_at: Option<u64>,
    /// Cursors at this row or later lead to an empty page first, which says that more follows and gives a new cursor;
    /// not with page numbers and offsets.
    pub empty_page_at: Option<u64>,
    /// How often, from 0 to 1, a page has fewer rows than asked for though more follow; not with page numbers.
    pub short_pages: f64,
    /// Pages end before they have as many rows as asked for, and say that more follows, where the store has read so much.
    pub read_at_once: Option<ReadAtOnce>,
    /// Rows are counted before they are filtered, so that pages come short or empty where filters leave out rows.
    pub filters_after_size: bool,
    /// A page that has as many rows as asked for says that more follows, whether or not it is so.
    pub full_page_says_more: bool,
    /// The size `null`, sent as such, makes a page of the default size that says it is the last.
    pub null_size_ends: bool,
    /// The cursor to go on with where nothing follows.
    pub last_cursor: LastCursor,
    /// The cursor on a page without rows, where nothing follows; as `last_cursor` has it where it is not given.
    pub empty_cursor: Option<String>,
    /// A page without rows behind a cursor gives that cursor again, and `empty_cursor` where it was asked for without one.
    pub empty_page_repeats_cursor: bool,
    /// Cursors at this row or later are found no more: their page has no rows, says that it is the last, and has an empty
    /// cursor.
    pub lost_at: Option<u64>,
    /// Cursors are JSON objects with the key of a row, in Base64.
    pub key_cursors: bool,
    /// Cursors are in words of the API's own, which name the row; goes before `key_cursors` and `json_list_cursors`.
    pub cursor_words: Option<CursorWords>,
    /// What is said of such texts as are no cursors, by their flaws.
    pub cursor_refusals: BTreeMap<CursorFlaw, String>,
    /// Edges all have the cursor of their page's end.
    pub edges_have_page_cursor: bool,
    /// Cursors are JSON lists inside a string, and are taken back as lists where the schema has a list.
    pub json_list_cursors: bool,
    /// What a cursor leads to that was made with other arguments, or not here at all.
    pub foreign_cursor: ForeignCursor,
    /// When cursors cease to be good.
    pub cursor_expiry: Option<CursorExpiry>,
    /// How totals lie.
    pub totals: Totals,
    /// The list comes from an index that has so many of its rows at most, and counts no others; 0 where it is missing.
    pub indexed: Option<u64>,
    /// Any page number gives page one.
    pub repeats_page_one: bool,
    /// Parts of pages that are null; an error where the schema does not let them be.
    pub nulls: Vec<NullPart>,
    /// The most rows that may be left out by an offset.
    pub max_offset: Option<u64>,
    /// Rows that are deleted while the list is read.
    pub deletions: Option<RowDeletions>,
    /// Rows that move while the list is read, where rows are counted, or cursors name the row and not its place.
    pub moves: Option<RowMoves>,
    /// The same for lists that are asked for no order, at every request.
    pub is_unordered: bool,
    /// Each so many-th row of a bare list is null, in its place.
    pub null_every: Option<u64>,
}

/// The cursor to go on with where nothing follows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LastCursor {
    /// That of the last row; null on an empty page.
    #[default]
    LastRow,
    /// None.
    Null,
    /// This text.
    Text(String),
}

/// What a cursor leads to that was made with other arguments, or not here at all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ForeignCursor {
    /// An error.
    #[default]
    Refuse,
    /// Page one.
    FirstPage,
    /// A page without rows that says it is the last.
    NoRows,
}

/// How totals lie, and the numbers of pages that follow from them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Totals {
    /// They do not.
    #[default]
    True,
    /// They are too high by this.
    TooHigh(u64),
    /// They are too low by this.
    TooLow(u64),
    /// They never exceed this.
    CappedAt(u64),
    /// They grow by one each time that so many requests have arrived.
    RisesEvery(u64),
    /// They shrink by one each time that so many requests have arrived.
    FallsEvery(u64),
    /// They are null; an error where the schema does not let them be.
    Null,
}

/// A part of pages that is null.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NullPart {
    /// Its path in the page: `collection`, `metadata.totalCount`.
    pub path: String,
    /// On pages of this number and later ones.
    pub from_page: u64,
}

/// How much a store reads for a page, and how much there is to a row, which nothing of the row's answer shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReadAtOnce {
    /// Bytes of a page at most; one row is read however large.
    pub bytes: u64,
    /// Bytes of the smallest row.
    pub row_from: u64,
    /// Bytes of the largest.
    pub row_to: u64,
}

/// Rows that are deleted while the list is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowDeletions {
    /// From the request of this number on.
    pub from_request: u64,
    /// Each row whose number, from 1, this divides.
    pub each: NonZeroU64,
}

/// Rows that move while the list is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowMoves {
    /// A row moves each time that so many requests have arrived.
    pub every: u64,
    /// Which one, and where to.
    pub to: RowMove,
}

/// Which row moves, and where to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowMove {
    /// The last row becomes the first.
    Front,
    /// The first row becomes the last.
    Back,
}

/// The rules for one field.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PagingRules<'b> {
    default_size: u64,
    cap: u64,
    above_cap: AboveCap,
    above_cap_message: Option<&'b str>,
    missing_size: MissingSize,
    /// The most rows of a list that cannot be asked for a size.
    pub(crate) unsized_cap: u64,
    pub(crate) traps: &'b PagingTraps,
}

/// The size that a page is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum WantedSize {
    Missing,
    Null,
    Rows(i64),
}

/// A page that cannot be given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PagingError {
    #[error("`{argument}` must be a positive number, and is {size}")]
    NotPositive { argument: String, size: i64 },
    #[error("{0}")]
    AboveCap(String),
    #[error("You must provide a `first` or `last` value to properly paginate the `{0}` connection.")]
    MissingSize(String),
    #[error("the cursor {0:?} is not one of this connection with these arguments")]
    Cursor(String),
    #[error("{0}")]
    CursorFlaw(String),
    #[error("the cursor has {found} values, and the order has {wanted}")]
    CursorArity { found: usize, wanted: usize },
    #[error("the cursor has expired")]
    CursorExpired,
    #[error("The `{argument}` argument must be between 0 and {max}, but is {offset}")]
    Offset { argument: String, max: u64, offset: i64 },
    #[error("Exception - Invalid date: {0:?}")]
    Moment(String),
    #[error("the condition {0:?} cannot be read: use a form such as id > \"…\"")]
    Condition(String),
}

impl PagingBehaviour {
    /// The rules for a field of an object type.
    pub(crate) fn rules(&self, ty: &str, field: &str) -> PagingRules<'_> {
        let own = self.fields.get(&format!("{ty}.{field}"));
        let own_cap = own.and_then(|own| own.cap);
        PagingRules {
            default_size: own.and_then(|own| own.default_size).unwrap_or(self.default_size),
            cap: own_cap.unwrap_or(self.cap),
            above_cap: own.and_then(|own| own.above_cap).unwrap_or(self.above_cap),
            above_cap_message: self.above_cap_message.as_deref(),
            missing_size: self.missing_size,
            unsized_cap: own_cap.unwrap_or(u64::MAX),
            traps: own.and_then(|own| own.traps.as_ref()).unwrap_or(&self.traps),
        }
    }
}

impl PagingRules<'_> {
    /// The error of a text that is no cursor of the list.
    pub(crate) fn no_cursor(&self, flaw: CursorFlaw, text: String) -> PagingError {
        let words = self.traps.cursor_refusals.get(&flaw).cloned();
        words.map_or(PagingError::Cursor(text), PagingError::CursorFlaw)
    }

    /// The size of a page of that field, whose size is asked for by that argument.
    pub(crate) fn size(&self, wanted: &WantedSize, argument: &str, field: &str) -> Result<u64, PagingError> {
        let WantedSize::Rows(wanted) = *wanted else {
            return match self.missing_size {
                MissingSize::Default => Ok(self.default_size.min(self.cap)),
                MissingSize::Refuse => Err(PagingError::MissingSize(field.to_owned())),
            };
        };
        let argument = || argument.to_owned();
        let positive = u64::try_from(wanted).ok().filter(|size| *size > 0);
        let size = positive.ok_or_else(|| PagingError::NotPositive {
            argument: argument(),
            size: wanted,
        })?;
        match self.above_cap {
            AboveCap::Refuse if size > self.cap => {
                let message = self.above_cap_message.unwrap_or(ABOVE_CAP);
                let message = message.replace("{size}", &size.to_string()).replace("{field}", field);
                let message = message.replace("{argument}", &argument());
                Err(PagingError::AboveCap(message.replace("{cap}", &self.cap.to_string())))
            }
            _ => Ok(size.min(self.cap)),
        }
    }
}

impl Totals {
    /// What is said of a total when so many requests have arrived.
    pub(crate) fn told(self, total: u64, requests: u64) -> Option<u64> {
        let moved = |every| requests.checked_div(every).unwrap_or(0);
        match self {
            Self::True => Some(total),
            Self::TooHigh(by) => Some(total.saturating_add(by)),
            Self::TooLow(by) => Some(total.saturating_sub(by)),
            Self::CappedAt(cap) => Some(total.min(cap)),
            Self::RisesEvery(every) => Some(total.saturating_add(moved(every))),
            Self::FallsEvery(every) => Some(total.saturating_sub(moved(every))),
            Self::Null => None,
        }
    }
}

impl ReadAtOnce {
    /// How many of `wanted` rows from that position on are read at once; `rows` tells them from those of other lists.
    pub(crate) fn rows(&self, rows: Entropy, position: u64, wanted: u64) -> u64 {
        let spread = self.row_to.saturating_sub(self.row_from) + 1;
        let size = |row: u64| self.row_from + rows.at(position + row).named("bytes").below(spread);
        let mut left = self.bytes;
        let fits = |row: &u64| {
            let size = size(*row);
            let is_read = *row == 0 || size <= left;
            left = left.saturating_sub(size);
            is_read
        };
        (0..wanted).take_while(fits).count() as u64
    }
}

impl RowMoves {
    /// By how many places the rows of a list of `len` are turned when that many requests have arrived.
    pub(crate) fn turn(&self, requests: u64, len: u64) -> u64 {
        let moved = requests.checked_div(self.every).unwrap_or(0) % len.max(1);
        match self.to {
            RowMove::Front => (len - moved) % len.max(1),
            RowMove::Back => moved,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paging() -> PagingBehaviour {
        toml::from_str("default_size = 10\ncap = 50\nabove_cap = 'clamp'\n[fields.'Group.tags']\ncap = 5").unwrap()
    }

    #[test]
    fn the_size_of_a_page_is_bounded() {
        let mut paging = paging();
        let size =
            |paging: &PagingBehaviour, wanted| paging.rules("Group", "findings").size(&wanted, "first", "findings");
        assert_eq!(
            [WantedSize::Missing, WantedSize::Rows(7), WantedSize::Rows(51)].map(|wanted| size(&paging, wanted)),
            [Ok(10), Ok(7), Ok(50)]
        );
        for wanted in [0, -3] {
            let refused = size(&paging, WantedSize::Rows(wanted)).unwrap_err().to_string();
            assert_eq!(refused, format!("`first` must be a positive number, and is {wanted}"));
        }
        paging.above_cap = AboveCap::Refuse;
        let refused = |paging: &PagingBehaviour| size(paging, WantedSize::Rows(500)).unwrap_err().to_string();
        assert_eq!(refused(&paging), "`first` is 500, and no page has more than 50 rows");
        assert_eq!(size(&paging, WantedSize::Rows(50)), Ok(50));
        let message =
            "Requesting {size} records on the `{field}` connection exceeds the `{argument}` limit of {cap} records.";
        paging.above_cap_message = Some(message.to_owned());
        let githubs = "Requesting 500 records on the `findings` connection exceeds the `first` limit of 50 records.";
        assert_eq!(refused(&paging), githubs);
        paging.missing_size = MissingSize::Refuse;
        assert!(size(&paging, WantedSize::Missing).is_err());
    }

    #[test]
    fn fields_have_rules_of_their_own() {
        let paging = paging();
        assert_eq!(
            paging
                .rules("Group", "tags")
                .size(&WantedSize::Rows(9), "limit", "tags"),
            Ok(5)
        );
        assert_eq!(paging.rules("Group", "tags").unsized_cap, 5);
        assert_eq!(paging.rules("Group", "other").unsized_cap, u64::MAX);
    }

    #[test]
    fn totals_may_move_with_the_requests() {
        let told = |totals: Totals| [0, 3, 40].map(|requests| totals.told(10, requests));
        assert_eq!(told(Totals::RisesEvery(2)), [Some(10), Some(11), Some(30)]);
        assert_eq!(told(Totals::FallsEvery(3)), [Some(10), Some(9), Some(0)]);
    }

    #[test]
    fn a_store_reads_no_more_than_fits_and_one_row_at_least() {
        let store = |bytes| ReadAtOnce {
            bytes,
            row_from: 90,
            row_to: 110,
        };
        let rows = |bytes, wanted| store(bytes).rows(Entropy::of_seed(7), 3, wanted);
        assert_eq!((rows(1, 10), rows(1_100, 5), rows(0, 0)), (1, 5, 0));
        assert!((9..=12).contains(&rows(1_100, 1_000)), "{}", rows(1_100, 1_000));
        assert_eq!(rows(1_100, 1_000), rows(1_100, 500), "whatever is asked for");
    }

    #[test]
    fn moved_rows_turn_the_list() {
        let moves = |to| RowMoves { every: 2, to };
        assert_eq!(
            [0, 1, 2, 5, 20].map(|requests| moves(RowMove::Back).turn(requests, 10)),
            [0, 0, 1, 2, 0]
        );
        assert_eq!(
            [0, 2, 20].map(|requests| moves(RowMove::Front).turn(requests, 10)),
            [0, 9, 0]
        );
        assert_eq!(moves(RowMove::Front).turn(3, 0), 0);
    }
}
