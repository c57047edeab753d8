//! Offsets.

use super::*;

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
