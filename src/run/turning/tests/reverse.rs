//! Lists that are read on from the other side.

use super::*;

fn repeated(count: u64, repeats: u64) -> FoundPage {
    FoundPage { repeats, ..rows(count) }
}

#[test]
fn a_list_that_is_not_full_is_all_there_is() {
    assert_eq!(outcome(&first().turned(reverse(), &rows(99))), "Said");
    assert_eq!(outcome(&first().turned(reverse(), &rows(0))), "Said");
}

#[test]
fn a_full_list_is_read_from_its_beginning_and_what_came_is_left_out() {
    let mut at = first();
    let mut walk = Vec::new();
    // In another order than with the row: what came with it is among the rows of each page.
    for page in [rows(100), repeated(100, 60), repeated(100, 40), rows(30), rows(0)] {
        let turn = at.turned(reverse(), &page);
        walk.push(outcome(&turn));
        if let [next] = turn.next.as_slice() {
            at = At::of(next);
        }
    }
    assert_eq!(walk, ["0", "100", "200", "230", "Empty"]);
    assert_eq!(at.before, 230);
}

#[test]
fn pages_of_nothing_but_what_came_are_no_sign_of_an_api_that_stands_still() {
    let mut at = At { size: 500, ..first() };
    let full = at.turned(reverse(), &rows(500));
    at = At::of(&full.next[0]);
    for offset in [100, 200, 300, 400, 500] {
        let turn = at.turned(reverse(), &repeated(100, 100));
        assert_eq!(outcome(&turn), offset.to_string());
        at = At::of(&turn.next[0]);
    }
    assert_eq!(outcome(&at.turned(reverse(), &rows(0))), "Empty");
    // The same again behind all that came: what tells pages apart is not heeded.
    let mut answers = Vec::new();
    for _ in 0..3 {
        match at.turn(&connection(reverse()), &repeated(100, 100)) {
            Ok(turn) => at = At::of(&turn.next[0]),
            Err(error) => answers.push(error),
        }
    }
    let path = "rows".to_owned();
    assert_eq!(answers, [PagingError::NothingNew { path }]);
}

#[test]
fn an_end_with_more_or_fewer_rows_than_there_are_distinct_ones_is_suspect() {
    let fewer = outcome(&later(99, 100).turned(reverse(), &rows(0)));
    assert!(
        fewer.starts_with("Suspect (`rows` is listed by another field with fewer rows"),
        "{fewer}"
    );
    let more = outcome(&later(101, 100).turned(reverse(), &rows(0)));
    assert!(more.starts_with("Suspect (`rows` has rows that moved"), "{more}");
}

#[test]
fn rows_without_a_key_would_be_there_twice() {
    let page = FoundPage {
        are_keys_unique: false,
        ..rows(100)
    };
    let turn = first().turned(reverse(), &page);
    assert_eq!(
        outcome(&turn),
        "Suspect (`rows` may be cut off: it holds as many rows as it may)"
    );
}
