//! Rows that come twice within a page.

use super::*;

/// A page in which so many rows are there before.
fn doubled(doubles: usize, page: FoundPage) -> FoundPage {
    FoundPage {
        doubles: (1..=doubles).collect(),
        repeats: doubles as u64,
        ..page
    }
}

fn has_lost_places(turn: &Turn) -> bool {
    matches!(turn.flaws.as_slice(), [flaw] if flaw.contains("come twice within a page"))
}

#[test]
fn a_total_is_compared_with_distinct_rows() {
    let one = |total| doubled(1, counted(3, Some(total), None));
    for pager in [offset_total, page_totals] {
        let named = "Suspect (`rows` had at most 2 distinct rows, and 3 by its total)";
        assert_eq!(outcome(&first().turned(pager(), &one(3))), named);
    }
    let flagged = |total| FoundPage {
        has_next: Some(false),
        ..one(total)
    };
    assert_eq!(outcome(&first().turned(offset_flag(), &flagged(2))), "Said");
    let told = first().turned(offset_flag(), &flagged(1));
    assert!(
        !has_lost_places(&told),
        "one page that is not full is all there is: {told:?}"
    );
}

#[test]
fn doubles_of_pages_before_are_counted() {
    let page = |count, has_next, total| FoundPage {
        has_next: Some(has_next),
        digest: Some(format!("digest{count}")),
        ..counted(count, Some(total), None)
    };
    let walk = |total| {
        let turn = first().turned(offset_flag(), &doubled(40, page(100, true, total)));
        assert_eq!(turn.flaws, Vec::<String>::new());
        let last = At::of(turn.next.last().unwrap());
        assert_eq!(last.before, 100, "rows given count for where to go on");
        let turn = last.turned(offset_flag(), &page(90, true, total));
        let last = At::of(turn.next.last().unwrap());
        outcome(&last.turned(offset_flag(), &page(10, false, total)))
    };
    assert_eq!(walk(160), "Said");
    assert_eq!(
        walk(161),
        "Suspect (`rows` had at most 160 distinct rows, and 161 by its total)"
    );
}

#[test]
fn doubles_are_told_where_no_total_tells() {
    for pager in [offset_list, page_list] {
        assert!(
            has_lost_places(&first().turned(pager(), &doubled(1, rows(100)))),
            "full"
        );
        let short = first().turned(pager(), &doubled(1, rows(3)));
        assert_eq!(short.flaws, Vec::<String>::new());
        // What gives fewer rows than were asked for has more of them behind.
        let next = At::of(short.next.last().unwrap());
        assert!(has_lost_places(&next.turned(pager(), &rows(2))));
        assert_eq!(outcome(&next.turned(pager(), &rows(0))), "Empty");
    }
    let side = At {
        expected: Some(100),
        ..later(100, 100)
    };
    let told = side.turned(offset_total(), &doubled(1, counted(100, Some(900), None)));
    assert!(has_lost_places(&told), "its doubles are in nobody's account");
}

#[test]
fn cursors_lose_no_places() {
    let last = FoundPage {
        total: Some(99),
        ..doubled(1, flagged(100, Some(false), None))
    };
    assert_eq!(outcome(&first().turned(relay(), &last)), "Said");
}

#[test]
fn the_last_page_again_does_not_make_up_for_doubles() {
    let told = |total| counted(100, Some(total), None);
    let at = At::of(
        first()
            .turned(page_totals(), &doubled(1, told(100)))
            .next
            .last()
            .unwrap(),
    );
    let again = |total| FoundPage {
        repeats: 100,
        ..told(total)
    };
    assert_eq!(at.turned(page_totals(), &again(99)).end, Some(End::Total));
    assert_ne!(at.turned(page_totals(), &again(100)).end, Some(End::Total));
}
