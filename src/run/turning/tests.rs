//! What follows from one page, style by style.

use serde_json::{Value, json};

use super::*;
use crate::schema::{ArgumentPath, FieldPath, PagedField};

pub(super) const PAGE_SIZE: u32 = 100;

fn path(names: &[&str]) -> FieldPath {
    names.iter().map(|name| (*name).try_into().unwrap()).collect()
}

fn argument(name: &str) -> ArgumentPath {
    ArgumentPath(path(&[name]))
}

pub(super) fn relay() -> Pager {
    Pager::Relay {
        cursor: argument("after"),
        has_next: path(&["pageInfo", "hasNextPage"]),
        end_cursor: path(&["pageInfo", "endCursor"]),
    }
}

pub(super) fn bare_cursor() -> Pager {
    Pager::FlatCursor {
        cursor: argument("after"),
        has_next: None,
        end_cursor: path(&["cursor"]),
    }
}

pub(super) fn page_totals() -> Pager {
    Pager::PageTotals {
        page: argument("page"),
        first_page: 1,
        page_count: Some(path(&["pages"])),
    }
}

pub(super) fn page_flag() -> Pager {
    Pager::PageFlag {
        page: argument("page"),
        first_page: 0,
        has_next: path(&["more"]),
    }
}

pub(super) fn page_list() -> Pager {
    Pager::PageList {
        page: argument("page"),
        first_page: 1,
    }
}

pub(super) fn offset_total() -> Pager {
    Pager::OffsetTotal {
        offset: argument("skip"),
        has_next: None,
    }
}

pub(super) fn offset_flag() -> Pager {
    Pager::OffsetTotal {
        offset: argument("skip"),
        has_next: Some(path(&["more"])),
    }
}

pub(super) fn offset_list() -> Pager {
    Pager::OffsetList {
        offset: argument("skip"),
    }
}

pub(super) fn keyset() -> Pager {
    Pager::Keyset {
        filter: argument("after"),
        key: "id".try_into().unwrap(),
        order: None,
        text: None,
    }
}

pub(super) fn capped(cap: Option<u32>) -> Pager {
    Pager::Capped { cap, has_next: None }
}

/// An outermost connection of that style.
pub(super) fn connection(pager: Pager) -> Connection {
    Connection {
        path: "rows".to_owned(),
        table: 0,
        parent: None,
        is_repeated: false,
        depth: 0,
        paged: PagedField {
            pager,
            items: vec![path(&["nodes"])],
            size: Some(argument("first")),
            total: None,
            assumes_first_page: false,
            reason: String::new(),
        },
        page_size: PAGE_SIZE,
        most_rows: None,
        page_key: None,
    }
}

/// A page behind `before` rows, of which `size` rows were asked for.
struct At {
    position: Option<Value>,
    before: u64,
    size: u32,
    expected: Option<u32>,
    trail: Trail,
}

fn first() -> At {
    At {
        position: None,
        before: 0,
        size: PAGE_SIZE,
        expected: None,
        trail: Trail::default(),
    }
}

fn later(position: impl Into<Value>, before: u64) -> At {
    At {
        position: Some(position.into()),
        before,
        trail: Trail {
            pages: before / u64::from(PAGE_SIZE),
            landmark: None,
            stale: 0,
            empty: 0,
        },
        ..first()
    }
}

impl At {
    fn of(next: &NextPage) -> Self {
        Self {
            position: Some(next.position.clone()),
            before: next.before,
            size: next.size.unwrap_or(PAGE_SIZE),
            expected: next.expected,
            trail: next.trail.clone(),
        }
    }

    fn asked(&self) -> Asked<'_> {
        Asked {
            position: self.position.as_ref(),
            before: self.before,
            size: self.size,
            expected: self.expected,
            trail: &self.trail,
            rows_before: 0,
            total: None,
        }
    }

    fn turn(&self, connection: &Connection, page: &FoundPage) -> Result<Turn, PagingError> {
        turn(connection, self.asked(), page)
    }

    fn turned(&self, pager: Pager, page: &FoundPage) -> Turn {
        self.turn(&connection(pager), page).unwrap()
    }

    fn error(&self, pager: Pager, page: &FoundPage) -> PagingError {
        self.turn(&connection(pager), page).unwrap_err()
    }
}

fn rows(rows: u64) -> FoundPage {
    FoundPage {
        rows,
        has_items: true,
        has_keys: true,
        are_keys_unique: true,
        digest: Some(format!("digest{rows}")),
        ..FoundPage::default()
    }
}

fn flagged(count: u64, has_next: Option<bool>, cursor: Option<Value>) -> FoundPage {
    FoundPage {
        has_next,
        end_cursor: cursor,
        ..rows(count)
    }
}

fn counted(count: u64, total: Option<u64>, page_count: Option<u64>) -> FoundPage {
    FoundPage {
        total,
        page_count,
        ..rows(count)
    }
}

/// The positions of the next pages, a side page in brackets.
fn positions(turn: &Turn) -> String {
    let position = |next: &NextPage| match next.expected {
        Some(expected) => format!("[{}: {expected}]", next.position),
        None => next.position.to_string(),
    };
    turn.next.iter().map(position).collect::<Vec<_>>().join(" ")
}

/// What follows from a page, in one text.
fn outcome(turn: &Turn) -> String {
    let end = turn.end.map(|end| format!("{end:?}"));
    let flaws = turn.flaws.iter().map(|flaw| format!("({flaw})"));
    let parts = [positions(turn)].into_iter().chain(end).chain(flaws);
    parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

#[test]
fn cursors_are_followed_as_long_as_the_flag_says_so() {
    let cursor = || Some(json!("c2"));
    let cases = [
        (flagged(100, Some(true), cursor()), "\"c2\""),
        (flagged(3, Some(true), cursor()), "\"c2\""),
        (flagged(0, Some(true), cursor()), "\"c2\""),
        (flagged(100, Some(false), cursor()), "Said"),
        (flagged(0, Some(false), None), "Said"),
        (
            flagged(3, None, cursor()),
            "Suspect (`rows` does not say whether there are more rows)",
        ),
    ];
    for (page, expected) in cases {
        assert_eq!(outcome(&later("c1", 100).turned(relay(), &page)), expected, "{page:?}");
    }
}

#[test]
fn a_cursor_alone_is_followed_until_it_is_null() {
    assert_eq!(
        outcome(&first().turned(bare_cursor(), &flagged(0, None, Some(json!(7))))),
        "7"
    );
    assert_eq!(outcome(&first().turned(bare_cursor(), &flagged(9, None, None))), "Said");
}

#[test]
fn a_cursor_that_leads_nowhere_is_an_error() {
    let error = |cursor| later("c1", 100).error(relay(), &flagged(3, Some(true), cursor));
    assert!(matches!(error(None), PagingError::NoCursor { .. }));
    assert!(matches!(error(Some(json!("c1"))), PagingError::StandsStill { .. }));
    let again = At {
        trail: Trail::default().step("c0").unwrap(),
        ..later("c1", 100)
    };
    let error = again.error(relay(), &flagged(3, Some(true), Some(json!("c0"))));
    assert!(matches!(error, PagingError::Circles { .. }));
}

#[test]
fn cursors_that_go_round_in_a_circle_are_found_whatever_its_length() {
    for length in 1..40_u64 {
        let mut at = first();
        let mut pages = 0;
        // Three cursors lead into the circle.
        let error = loop {
            let number = if pages < 3 { pages } else { 3 + (pages - 3) % length };
            let page = flagged(1, Some(true), Some(json!(format!("c{number}"))));
            match at.turn(&connection(relay()), &page) {
                Ok(turn) => at = At::of(&turn.next[0]),
                Err(error) => break error,
            }
            pages += 1;
            assert!(pages <= 3 * (length + 3), "a circle of {length} is not found");
        };
        let stands_still = matches!(error, PagingError::StandsStill { .. });
        assert!(stands_still == (length == 1) && (stands_still || matches!(error, PagingError::Circles { .. })));
    }
}

/// The pages that are read of a list that gives nothing but empty ones, the warnings, and the end.
fn empty_for_ever(pager: &Pager, total: Option<u64>) -> (u64, Vec<String>, Turn) {
    let mut at = first();
    let mut warnings = Vec::new();
    for pages in 1.. {
        let page = FoundPage {
            total,
            ..flagged(0, Some(true), Some(json!(format!("c{pages}"))))
        };
        let mut turn = at.turned(pager.clone(), &page);
        warnings.append(&mut turn.warnings);
        let Some(next) = turn.next.first() else {
            return (pages, warnings, turn);
        };
        at = At::of(next);
    }
    unreachable!("it is given up")
}

#[test]
fn empty_pages_without_end_are_told_and_given_up() {
    let cases = [
        (relay(), None, 200),
        (relay(), Some(0), 200),
        (relay(), Some(7), 10_000),
        (bare_cursor(), None, 200),
        (page_flag(), None, 51),
    ];
    for (pager, total, expected) in cases {
        let (pages, warnings, turn) = empty_for_ever(&pager, total);
        assert_eq!(pages, expected, "{pager:?}");
        let told = "`rows` gave 10 empty pages in a row and says that there are more rows: it is read on";
        assert_eq!(warnings, [told]);
        assert_eq!(turn.end, Some(End::Suspect));
        assert!(
            turn.flaws[0].contains("one empty page after the other"),
            "{:?}",
            turn.flaws
        );
    }
}

#[test]
fn empty_pages_between_others_are_no_end() {
    let mut at = first();
    for page in 0..3_000_u64 {
        let count = u64::from(page % 150 == 0);
        let turn = at.turned(relay(), &flagged(count, Some(true), Some(json!(format!("c{page}")))));
        at = At::of(&turn.next[0]);
    }
}

#[test]
fn page_numbers_go_as_far_as_is_said() {
    let cases = [
        (first(), counted(100, Some(250), Some(3)), "[2: 100] 3"),
        (first(), counted(100, None, Some(3)), "[2: 100] 3"),
        (first(), counted(100, Some(250), None), "[2: 100] 3"),
        // The server gives 40 at most, as both numbers show.
        (first(), counted(40, Some(100), Some(3)), "[2: 40] 3"),
        // One number does not: the second page is looked at first.
        (first(), counted(40, Some(100), None), "2"),
        (later(2, 40), counted(40, Some(200), None), "[3: 40] [4: 40] 5"),
        (later(3, 200), counted(50, Some(250), Some(3)), "Total"),
        (first(), counted(7, Some(7), Some(1)), "Total"),
        (first(), counted(0, Some(0), Some(0)), "Empty"),
        (first(), counted(0, None, None), "Empty"),
        // Nothing is said.
        (first(), counted(7, None, None), "2"),
        // A full last page: the numbers may be capped.
        (later(3, 200), counted(100, Some(300), Some(3)), "4"),
        (later(4, 300), counted(0, Some(300), Some(3)), "Empty"),
        (later(4, 300), counted(30, Some(300), Some(3)), "5"),
        (later(3, 80), counted(40, Some(120), None), "4"),
        // The data grew.
        (later(3, 200), counted(100, Some(410), Some(5)), "[4: 100] 5"),
        // An empty page before the last one.
        (later(2, 100), counted(0, Some(200), Some(3)), "3"),
        (later(2, 100), counted(0, None, Some(3)), "3"),
        (later(2, 100), counted(0, Some(100), Some(3)), "Empty"),
        // The numbers contradict each other.
        (later(3, 200), counted(10, Some(900), Some(3)), "4"),
        (
            later(4, 210),
            counted(0, Some(900), Some(3)),
            "Suspect (`rows` had at most 210 distinct rows, and 900 by its total)",
        ),
    ];
    for (at, page, expected) in cases {
        assert_eq!(
            outcome(&at.turned(page_totals(), &page)),
            expected,
            "{page:?} behind {}",
            at.before
        );
    }
}

#[test]
fn page_numbers_keep_the_size_of_the_first_page() {
    let at = At { size: 20, ..first() };
    let turn = at.turned(page_totals(), &counted(20, Some(70), Some(4)));
    assert!(turn.next.iter().all(|next| next.size == Some(20)));
    assert_eq!(
        turn.next.iter().map(|next| next.before).collect::<Vec<_>>(),
        [20, 40, 60]
    );
}

#[test]
fn a_total_is_not_believed_without_end() {
    let many = counted(100, Some(1_000_000_000), None);
    let turn = first().turned(page_totals(), &many);
    assert_eq!(turn.next.len(), 64);
    let last = At::of(&turn.next[63]);
    let more = FoundPage {
        digest: Some("other".to_owned()),
        ..many.clone()
    };
    assert_eq!(
        last.turned(page_totals(), &more).next.len(),
        65,
        "as many as there were"
    );
    assert_eq!(first().turned(offset_total(), &many).next.len(), 64);
}

#[test]
fn a_page_before_the_last_one_that_is_short_is_named() {
    let side = At {
        expected: Some(100),
        ..later(2, 100)
    };
    assert_eq!(
        outcome(&side.turned(page_totals(), &counted(100, Some(250), Some(3)))),
        ""
    );
    assert_eq!(
        outcome(&side.turned(page_totals(), &counted(99, Some(250), Some(3)))),
        "(`rows` has a page before its last one with fewer rows than the others)"
    );
    assert_eq!(
        outcome(&side.turned(page_list(), &rows(99))),
        "",
        "nothing said that they were there"
    );
}

#[test]
fn an_assumed_first_page_has_to_fit_what_is_said() {
    let assumed = |pager| {
        let mut assumed = connection(pager);
        assumed.paged.assumes_first_page = true;
        assumed
    };
    let flag = Pager::PageFlag {
        page: argument("page"),
        first_page: 1,
        has_next: path(&["more"]),
    };
    let page = |rows, total, pages| FoundPage {
        has_next: Some(false),
        ..counted(rows, total, pages)
    };
    let remedy = ": its first page was taken to have the number 1; if it has another one, write @paginate(firstPage: 0), \
                  else (firstPage: 1)";
    // The page 0 was passed over, as in the first case, or is none.
    let cases = [
        (
            flag.clone(),
            page(50, Some(150), None),
            "had at most 50 distinct rows, and 150 by its total",
        ),
        (
            flag.clone(),
            page(50, None, None),
            "says neither how many rows nor how many pages it has",
        ),
        (
            page_totals(),
            page(0, None, Some(1)),
            "has another number of pages than it says",
        ),
        (
            flag.clone(),
            page(50, Some(30), None),
            "has more rows than its total says, which therefore shows nothing",
        ),
    ];
    for (pager, page, doubt) in cases {
        let turn = first().turn(&assumed(pager), &page).unwrap();
        assert_eq!(outcome(&turn), format!("Suspect (`rows` {doubt}{remedy})"));
    }
    let fitting = [
        (flag, page(50, Some(50), None), "Said"),
        (page_totals(), page(50, None, Some(1)), "Total"),
        (page_totals(), page(0, Some(0), Some(1)), "Empty"),
        (page_totals(), page(0, None, Some(0)), "Empty"),
    ];
    for (pager, page, end) in fitting {
        let turn = first().turn(&assumed(pager), &page).unwrap();
        assert_eq!(outcome(&turn), end, "{page:?}");
    }
    let behind = later(2, 100)
        .turn(&assumed(page_totals()), &page(0, None, Some(1)))
        .unwrap();
    assert_eq!(outcome(&behind), "Empty", "nothing is said to be there");
    let told = first().turned(page_totals(), &page(0, None, Some(1)));
    assert_eq!(outcome(&told), "Empty", "nothing was assumed");
}

#[test]
fn pages_0_and_1_that_are_one_are_told() {
    let begun = first().turned(page_flag(), &flagged(100, Some(true), None));
    let at = At::of(&begun.next[0]);
    let again = FoundPage {
        repeats: 100,
        are_keys_unique: true,
        ..flagged(100, Some(true), None)
    };
    let second = at.turned(page_flag(), &again);
    assert_eq!(second.flaws, [""; 0], "the pages behind it tell what it means");
    let third = At::of(&second.next[0]).turned(page_flag(), &flagged(100, Some(false), None));
    assert!(third.flaws[0].contains("write @paginate(firstPage: 1)"), "{third:?}");
    let last = |rows, total| FoundPage {
        has_next: Some(false),
        has_keys: false,
        ..counted(rows, Some(total), None)
    };
    let told = at.turned(page_flag(), &last(50, 50));
    assert!(told.flaws[0].contains("write @paginate(firstPage: 1)"), "{told:?}");
    assert_eq!(outcome(&at.turned(page_flag(), &last(50, 150))), "Said");
    assert_eq!(
        outcome(&at.turned(page_flag(), &last(50, 10))),
        "Said",
        "a total that is capped"
    );
}

#[test]
fn a_flag_turns_page_numbers() {
    let cases = [
        (first(), flagged(100, Some(true), None), "1"),
        (later(1, 100), flagged(3, Some(true), None), "2"),
        (later(1, 100), flagged(0, Some(true), None), "2"),
        (later(1, 100), flagged(100, Some(false), None), "Said"),
    ];
    for (at, page, expected) in cases {
        assert_eq!(outcome(&at.turned(page_flag(), &page)), expected, "{page:?}");
    }
}

#[test]
fn offsets_go_as_far_as_is_said() {
    let cases = [
        (first(), counted(100, Some(250), None), "[100: 100] 200"),
        (later(200, 200), counted(50, Some(250), None), "Total"),
        (first(), counted(100, Some(100), None), "100"),
        (later(100, 100), counted(0, Some(100), None), "Empty"),
        (first(), counted(0, Some(0), None), "Empty"),
        // The server gives 40 at most: the second page shows it.
        (first(), counted(40, Some(200), None), "40"),
        (
            At {
                trail: Trail {
                    pages: 1,
                    landmark: Some("one one 0 40 40".to_owned()),
                    stale: 0,
                    empty: 0,
                },
                ..later(40, 40)
            },
            counted(40, Some(200), None),
            "[80: 40] [120: 40] 160",
        ),
        (
            At {
                trail: Trail {
                    pages: 1,
                    landmark: Some("one one 0 40 40".to_owned()),
                    stale: 0,
                    empty: 0,
                },
                ..later(40, 40)
            },
            counted(40, Some(80), None),
            "80",
        ),
        // The total was too low.
        (later(200, 200), counted(30, Some(200), None), "230"),
        (
            later(200, 200),
            counted(0, Some(250), None),
            "Suspect (`rows` had at most 200 distinct rows, and 250 by its total)",
        ),
        // There is none.
        (first(), counted(30, None, None), "30"),
    ];
    for (at, page, expected) in cases {
        assert_eq!(
            outcome(&at.turned(offset_total(), &page)),
            expected,
            "{page:?} behind {}",
            at.before
        );
    }
}

#[test]
fn the_last_page_by_the_total_has_room_for_one_row_more() {
    let turn = first().turned(offset_total(), &counted(100, Some(230), None));
    assert_eq!(
        turn.next.iter().map(|next| next.size).collect::<Vec<_>>(),
        [Some(100), Some(31)]
    );
    let last = At::of(&turn.next[1]);
    assert_eq!(
        outcome(&last.turned(offset_total(), &counted(30, Some(230), None))),
        "Total"
    );
    assert_eq!(
        outcome(&last.turned(offset_total(), &counted(31, Some(230), None))),
        "231"
    );
}

#[test]
fn the_pages_behind_a_small_first_page_are_large() {
    let nested = Connection {
        is_repeated: true,
        ..connection(offset_total())
    };
    let at = At { size: 10, ..first() };
    let turn = at.turn(&nested, &counted(10, Some(250), None)).unwrap();
    assert_eq!(positions(&turn), "[10: 100] [110: 100] 210");
}

#[test]
fn a_flag_turns_offsets() {
    let page = |count, has_next, total| FoundPage {
        has_next,
        ..counted(count, total, None)
    };
    let cases = [
        (page(100, Some(true), None), "200"),
        (page(30, Some(true), None), "130"),
        (page(100, Some(true), Some(400)), "[200: 100] 300"),
        (page(100, Some(true), Some(90)), "200"),
        (page(100, Some(false), None), "Said"),
        (page(0, Some(false), None), "Said"),
        (page(30, None, Some(130)), "Total"),
        (page(30, None, None), "130"),
    ];
    for (page, expected) in cases {
        assert_eq!(
            outcome(&later(100, 100).turned(offset_flag(), &page)),
            expected,
            "{page:?}"
        );
    }
    let error = later(100, 100).error(offset_flag(), &page(0, Some(true), None));
    assert!(matches!(error, PagingError::EmptyWithMore { .. }));
}

#[test]
fn what_a_page_lacks_is_asked_for_at_its_own_offset() {
    let side = At {
        expected: Some(100),
        ..later(100, 100)
    };
    for pager in [offset_total(), offset_list()] {
        let turn = side.turned(pager, &counted(30, Some(900), None));
        assert_eq!(positions(&turn), "[130: 70]");
        assert_eq!((turn.next[0].size, turn.next[0].before), (Some(70), 130));
    }
    let named = "(`rows` has a page before its last one with fewer rows than the others)";
    assert_eq!(
        outcome(&side.turned(offset_total(), &counted(0, Some(900), None))),
        named
    );
    assert_eq!(
        outcome(&side.turned(offset_list(), &rows(0))),
        "",
        "a guess may lead behind the end"
    );
    assert_eq!(
        outcome(&side.turned(offset_list(), &rows(101))),
        "(`rows` has a page with more rows than were asked for: some may be there twice)"
    );
}

#[test]
fn a_bare_list_is_read_ahead_and_ends_with_an_empty_page() {
    for (pager, expected) in [
        (
            offset_list(),
            ["100", "[200: 100] 300", "[400: 100] [500: 100] [600: 100] 700"],
        ),
        (page_list(), ["2", "[3: 100] 4", "[5: 100] [6: 100] [7: 100] 8"]),
    ] {
        let mut at = first();
        for (number, expected) in expected.into_iter().enumerate() {
            let page = FoundPage {
                digest: Some(number.to_string()),
                ..rows(100)
            };
            let turn = at.turned(pager.clone(), &page);
            assert_eq!(outcome(&turn), expected);
            at = At::of(turn.next.last().unwrap());
        }
        for _ in 0..9 {
            let page = FoundPage {
                digest: Some(at.before.to_string()),
                ..rows(100)
            };
            let turn = at.turned(pager.clone(), &page);
            assert_eq!(turn.next.len(), 8);
            at = At::of(turn.next.last().unwrap());
        }
        assert_eq!(
            at.turned(pager.clone(), &rows(3)).next.len(),
            1,
            "a short page may be cut off"
        );
        assert_eq!(outcome(&at.turned(pager, &rows(0))), "Empty");
    }
}

#[test]
fn a_bare_list_is_not_read_ahead_by_small_pages() {
    let nested = Connection {
        is_repeated: true,
        ..connection(offset_list())
    };
    let at = At {
        size: 20,
        trail: Trail {
            pages: 3,
            landmark: None,
            stale: 0,
            empty: 0,
        },
        ..later(60, 60)
    };
    let turn = at.turn(&nested, &rows(20)).unwrap();
    assert_eq!((outcome(&turn).as_str(), turn.next[0].size), ("80", None));
}

#[test]
fn keys_are_followed_to_the_empty_page() {
    let page = |count, last| FoundPage {
        last_key: last,
        ..rows(count)
    };
    assert_eq!(outcome(&first().turned(keyset(), &page(3, Some(json!(7))))), "7");
    assert_eq!(outcome(&later(7, 3).turned(keyset(), &page(0, None))), "Empty");
    let same = later(7, 3).error(keyset(), &page(3, Some(json!(7))));
    assert!(matches!(same, PagingError::StandsStill { .. }));
    for none in [None, Some(Value::Null)] {
        let error = first().error(keyset(), &page(3, none));
        assert_eq!(
            error.to_string(),
            "`rows` has rows without `id`, by which its next page is asked for"
        );
    }
}

#[test]
fn keys_that_rows_share_are_named_where_a_page_can_end_between_them() {
    let page = |count| FoundPage {
        last_key: Some(json!(7)),
        has_equal_keys: true,
        ..rows(count)
    };
    let named = "7 (`rows` has rows with the same `id`: where a page ends between such rows, the others are lost)";
    assert_eq!(outcome(&first().turned(keyset(), &page(100))), named);
    assert_eq!(outcome(&later(3, 100).turned(keyset(), &page(4))), named);
    assert_eq!(outcome(&first().turned(keyset(), &page(4))), "7");
}

#[test]
fn a_list_without_pages_is_suspect_when_it_is_full() {
    let suspect = "Suspect (`rows` may be cut off: it holds as many rows as it may)";
    assert_eq!(outcome(&first().turned(capped(None), &rows(100))), suspect);
    assert_eq!(outcome(&first().turned(capped(Some(50)), &rows(50))), suspect);
    assert_eq!(outcome(&first().turned(capped(Some(50)), &rows(49))), "Said");
    assert_eq!(
        outcome(&first().turned(capped(None), &counted(30, Some(31), None))),
        "Suspect (`rows` had 30 distinct rows, and 31 by its total)"
    );
}

/// A page whose rows all came before.
fn again(page: FoundPage) -> FoundPage {
    FoundPage {
        repeats: page.rows,
        ..page
    }
}

#[test]
fn pages_with_nothing_new_end_a_bare_list_and_are_an_error_where_more_is_said_to_follow() {
    let bare = [page_list(), offset_list()];
    let told = [page_totals(), page_flag(), offset_total(), offset_flag()];
    for (is_told, pager) in bare
        .map(|pager| (false, pager))
        .into_iter()
        .chain(told.map(|pager| (true, pager)))
    {
        let page = || match is_told {
            true => flagged(100, Some(true), None),
            false => rows(100),
        };
        let mut at = At::of(first().turned(pager.clone(), &page()).next.last().unwrap());
        for _ in 0..2 {
            let turn = at.turned(pager.clone(), &again(page()));
            assert_eq!(turn.flaws, Vec::<String>::new(), "what follows tells");
            at = At::of(turn.next.last().unwrap());
        }
        match is_told {
            true => {
                let error = at.error(pager.clone(), &again(page()));
                assert!(matches!(error, PagingError::NothingNew { .. }), "{pager:?}");
            }
            false => {
                let turn = at.turned(pager, &again(page()));
                assert_eq!((turn.end, turn.next.len()), (Some(End::Suspect), 0));
                assert!(
                    turn.flaws[0].contains("nothing but rows that came before"),
                    "{:?}",
                    turn.flaws
                );
            }
        }
    }
}

#[test]
fn a_page_of_rows_that_all_moved_is_told_when_others_follow() {
    let moved = "(`rows` has rows that moved to another page while it was read: what came twice is left out, and other \
                 rows may not have come at all)";
    for (page, expected) in [(rows(60), format!("4 {moved}")), (rows(0), format!("Empty {moved}"))] {
        let at = At::of(&first().turned(page_list(), &rows(100)).next[0]);
        let stale = FoundPage {
            digest: Some("other".to_owned()),
            ..again(rows(40))
        };
        let turn = at.turned(page_list(), &stale);
        assert_eq!(outcome(&turn), "3");
        assert_eq!(outcome(&At::of(&turn.next[0]).turned(page_list(), &page)), expected);
    }
}

#[test]
fn the_last_page_again_is_the_end_where_its_size_or_a_total_shows_that() {
    let at = At::of(&first().turned(page_list(), &rows(100)).next[0]);
    let at = At::of(&at.turned(page_list(), &rows(30)).next[0]);
    assert_eq!(outcome(&at.turned(page_list(), &again(rows(30)))), "Empty");
    // As long as all others, it may be the first one for ever.
    let at = At::of(&first().turned(page_list(), &rows(30)).next[0]);
    assert_eq!(outcome(&at.turned(page_list(), &again(rows(30)))), "3");

    let told = |total| counted(100, Some(total), Some(total.div_ceil(100)));
    let at = At::of(first().turned(page_totals(), &told(100)).next.last().unwrap());
    let ended = at.turned(page_totals(), &again(told(100)));
    assert_eq!((outcome(&ended).as_str(), ended.is_void), ("Total", false));
    assert_ne!(at.turned(page_totals(), &again(told(300))).end, Some(End::Total));
    let keyless = |total| FoundPage {
        are_keys_unique: false,
        ..told(total)
    };
    let ended = at.turned(page_totals(), &keyless(100));
    assert_eq!(
        (outcome(&ended).as_str(), ended.is_void),
        ("Total", true),
        "its rows are there already"
    );
}

#[test]
fn equal_pages_of_rows_without_keys_are_taken_for_a_while() {
    // The smaller the pages, the more are equal by chance.
    for (length, count, most) in [(1, 1, 1_000), (2, 3, 333), (1, 100, 100), (5, 100, 100)] {
        let mut at = first();
        let mut pages = 0_u64;
        let end = loop {
            let page = FoundPage {
                has_keys: false,
                are_keys_unique: false,
                digest: Some((pages % length).to_string()),
                ..rows(count)
            };
            let turn = at.turned(offset_list(), &page);
            let Some(next) = turn.next.last() else { break turn };
            at = At::of(next);
            pages += 1;
        };
        assert!(
            (most..=(most + 2) * length + 64).contains(&pages),
            "{pages} pages for a circle of {length}"
        );
        assert_eq!(end.end, Some(End::Suspect));
        assert!(end.flaws[0].contains("have no key"), "{}", end.flaws[0]);
    }
}

#[test]
fn the_author_may_want_no_more() {
    let most = |most, pager| Connection {
        most_rows: Some(most),
        ..connection(pager)
    };
    let turn = |connection: &Connection, at: &At, page: &FoundPage| outcome(&at.turn(connection, page).unwrap());
    let full = counted(100, Some(1_000), Some(10));
    assert_eq!(turn(&most(100, page_totals()), &first(), &full), "Enough");
    assert_eq!(turn(&most(250, page_totals()), &first(), &full), "[2: 100] 3");
    assert_eq!(turn(&most(200, offset_total()), &first(), &full), "100");
    let more = flagged(100, Some(true), Some(json!("c")));
    assert_eq!(turn(&most(101, relay()), &first(), &more), "\"c\"");
    assert_eq!(turn(&most(100, relay()), &first(), &more), "Enough");
    let short = FoundPage {
        total: Some(90),
        ..flagged(80, Some(false), None)
    };
    assert_eq!(
        turn(&most(100, relay()), &first(), &short),
        "Suspect (`rows` had 80 distinct rows, and 90 by its total)",
        "the total shows that even what is wanted is not all there"
    );
}

#[test]
fn rows_that_came_twice_do_not_make_up_for_those_that_did_not_come() {
    let page = FoundPage {
        total: Some(200),
        repeats: 10,
        are_keys_unique: true,
        ..flagged(100, Some(false), None)
    };
    assert_eq!(
        outcome(&later("c1", 100).turned(relay(), &page)),
        "Suspect (`rows` had 190 distinct rows, and 200 by its total)"
    );
    let more = FoundPage {
        has_next: Some(true),
        end_cursor: Some(json!("c2")),
        ..page.clone()
    };
    assert_eq!(later("c1", 100).turned(relay(), &more).next[0].before, 190);
    let at = later("c1", 100);
    let again = Asked {
        rows_before: 150,
        ..at.asked()
    };
    let read_again = turn(&connection(relay()), again, &page).unwrap();
    assert_eq!(
        outcome(&read_again),
        "Said",
        "the repeats are those of the first reading"
    );
}

#[test]
fn a_total_that_was_said_once_holds() {
    let at = later(1, 100);
    let last = flagged(20, Some(false), None);
    let before = Asked {
        total: Some(150),
        ..at.asked()
    };
    let told = turn(&connection(page_flag()), before, &last).unwrap();
    assert!(told.flaws[0].contains("150 by its total"), "{told:?}");
    assert_eq!(outcome(&at.turned(page_flag(), &last)), "Said");
}

#[test]
fn a_list_without_pages_that_ends_at_a_round_number_is_suspect() {
    let suspects = |connection: &Connection, page: &FoundPage| {
        let at = At { size: 1_000, ..first() };
        at.turn(connection, page).unwrap().end == Some(End::Suspect)
    };
    let outermost = connection(capped(None));
    let below = Connection {
        is_repeated: true,
        ..connection(capped(None))
    };
    for (count, at_the_top, further_down) in [
        (1_000, true, true),
        (999, false, false),
        (500, true, true),
        (100, true, true),
        (99, false, false),
        (50, true, false),
        (10, true, false),
        (5, false, false),
        (0, false, false),
    ] {
        assert_eq!(suspects(&outermost, &rows(count)), at_the_top, "{count}");
        assert_eq!(suspects(&below, &rows(count)), further_down, "{count}");
    }
    let settled = [
        (connection(capped(Some(2_000))), rows(100)),
        (connection(capped(None)), counted(100, Some(100), None)),
        (connection(capped(None)), counted(1_000, Some(1_000), None)),
    ];
    for (connection, page) in settled {
        assert!(!suspects(&connection, &page), "{page:?}");
    }
}

#[test]
fn a_list_without_pages_that_says_that_there_is_more_is_suspect() {
    let more = flagged(3, Some(true), None);
    let turn = first().turned(capped(None), &more);
    assert!(turn.flaws[0].contains("takes no argument"), "{turn:?}");
    assert_eq!(
        outcome(&first().turned(capped(None), &flagged(3, Some(false), None))),
        "Said"
    );
}

#[test]
fn a_total_that_is_too_low_is_no_flaw() {
    let page = FoundPage {
        total: Some(5),
        ..flagged(80, Some(false), None)
    };
    assert_eq!(outcome(&first().turned(relay(), &page)), "Said");
}
