//! Page numbers.

use super::*;

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
