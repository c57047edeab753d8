//! The number of the first page, where it was assumed.

use super::*;

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
