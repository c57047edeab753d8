//! Lists without pages.

use super::*;

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
