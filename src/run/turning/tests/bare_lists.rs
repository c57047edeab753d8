//! Lists of which nothing but an empty page tells the end.

use super::*;

#[test]
fn a_bare_list_is_read_ahead_and_ends_with_an_empty_page() {
    for (pager, expected) in [
        (
            offset_list(),
            ["100", "[200: 100] 300", "[400: 100] [500: 100] [600: 100] 700"],
        ),
        (page_list(), ["2", "[3: 100] 4", "[5: 100] [6: 100] [7: 100] 8"]),
    ] {
        let mut at = first();
        for (number, expected) in expected.into_iter().enumerate() {
            let page = FoundPage {
                digest: Some(number.to_string()),
                ..rows(100)
            };
            let turn = at.turned(pager.clone(), &page);
            assert_eq!(outcome(&turn), expected);
            at = At::of(turn.next.last().unwrap());
        }
        for _ in 0..9 {
            let page = FoundPage {
                digest: Some(at.before.to_string()),
                ..rows(100)
            };
            let turn = at.turned(pager.clone(), &page);
            assert_eq!(turn.next.len(), 8);
            at = At::of(turn.next.last().unwrap());
        }
        assert_eq!(
            at.turned(pager.clone(), &rows(3)).next.len(),
            1,
            "a short page may be cut off"
        );
        assert_eq!(outcome(&at.turned(pager, &rows(0))), "Empty");
    }
}

#[test]
fn a_bare_list_is_not_read_ahead_by_small_pages() {
    let nested = Connection {
        is_repeated: true,
        ..connection(offset_list())
    };
    let at = At {
        size: 20,
        trail: Trail {
            pages: 3,
            landmark: None,
            stale: 0,
            empty: 0,
        },
        ..later(60, 60)
    };
    let turn = at.turn(&nested, &rows(20)).unwrap();
    assert_eq!((outcome(&turn).as_str(), turn.next[0].size), ("80", None));
}
