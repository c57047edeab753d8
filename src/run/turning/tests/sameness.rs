//! Pages that came before, and rows that did.

use serde_json::json;

use super::*;

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
        restart: Some(crate::state::Restart {
            rows: 150,
            ..Default::default()
        }),
        ..at.asked()
    };
    let read_again = turn(&connection(relay()), again, &page).unwrap();
    assert_eq!(
        outcome(&read_again),
        "Said",
        "the repeats are those of the first reading"
    );
}
