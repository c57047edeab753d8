//! Empty pages of which more is said to follow.

use serde_json::json;

use super::*;

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
