//! How many rows there are by the API's word, and how many the author wants.

use serde_json::json;

use super::*;

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
fn a_total_that_is_too_low_is_no_flaw() {
    let page = FoundPage {
        total: Some(5),
        ..flagged(80, Some(false), None)
    };
    assert_eq!(outcome(&first().turned(relay(), &page)), "Said");
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
