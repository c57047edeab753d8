//! Connections that go on by cursors, or by the key of their last row.

use serde_json::json;

use super::*;
use crate::state::Restart;

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
fn an_empty_last_page_with_the_sign_of_a_lost_place_is_no_end() {
    let mut connection = connection(relay());
    let mut ended = |sign: Option<&str>, page: &FoundPage| {
        connection.paged.lost_cursor = sign.map(str::to_owned);
        let (position, trail) = (json!("c1"), Trail::default());
        let asked = Asked {
            position: Some(&position),
            before: 100,
            size: PAGE_SIZE,
            expected: None,
            trail: &trail,
            restart: None,
            total: None,
        };
        turn(&connection, asked, page).unwrap().end
    };
    let empty = |cursor: &str| flagged(0, Some(false), Some(json!(cursor)));
    assert_eq!(ended(Some(""), &empty("")), Some(End::Suspect));
    assert_eq!(ended(Some(""), &flagged(0, Some(false), None)), Some(End::Suspect));
    assert_eq!(ended(Some(""), &empty("c1")), Some(End::Said));
    assert_eq!(ended(None, &empty("")), Some(End::Said));
    assert_eq!(
        ended(Some(""), &flagged(3, Some(false), Some(json!("")))),
        Some(End::Said)
    );
}

#[test]
fn a_list_whose_rows_move_is_read_until_a_reading_brings_nothing_new() {
    let mut connection = connection(relay());
    let mut turned = |is_moving: bool, at: &At, restart: Option<Restart>, repeats: u64| {
        connection.paged.is_moving = is_moving;
        let page = FoundPage {
            repeats,
            ..flagged(10, Some(false), Some(json!("c9")))
        };
        let asked = Asked { restart, ..at.asked() };
        let turn = turn(&connection, asked, &page).unwrap();
        (turn.end, turn.again, turn.flaws.len())
    };
    let again = |attempts, fresh| {
        Some(Restart {
            rows: 110,
            attempts,
            fresh,
        })
    };
    let last = later("c1", 100);
    assert_eq!(turned(true, &last, None, 0), (None, Some(110), 0));
    assert_eq!(turned(true, &last, again(1, 0), 10), (Some(End::Said), None, 0));
    assert_eq!(turned(true, &last, again(1, 0), 9).1, Some(110), "a new one");
    assert_eq!(turned(true, &last, again(1, 3), 10).1, Some(110), "on a page before");
    assert_eq!(turned(true, &last, again(5, 3), 10), (Some(End::Suspect), None, 1));
    assert_eq!(turned(true, &first(), None, 0).1, None, "one page is of one moment");
    assert_eq!(turned(false, &last, None, 0).0, Some(End::Said));
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
