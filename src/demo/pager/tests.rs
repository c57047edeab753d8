//! Pages of lists, and what traps make of them.

use serde_json::{Map, Value, json};

use super::*;
use crate::demo::dataset::{Dataset, Source};
use crate::demo::list_request::ListRequest;
use crate::demo::paging::PagingBehaviour;

const DATA: &str = r#"
    seed = 3
    vocabulary = []
    example = ""
    [pagings.relay]
    size = "first"
    cursor = "after"
    [types.Root.connections]
    items = "Item"
    [types.Item]
    count = 90
    [types.Item.fields]
    colour = { choice = { RED = 1, BLUE = 2 } }
"#;

/// A list of 90 items, and how it turns its pages.
struct Shelf {
    dataset: Dataset,
    paging: PagingBehaviour,
}

impl Shelf {
    fn new(traps: &str) -> Self {
        let paging = format!("default_size = 10\ncap = 100\nabove_cap = 'clamp'\n[traps]\n{traps}");
        Self {
            dataset: Dataset::new(toml::from_str(DATA).unwrap(), 1.0).unwrap(),
            paging: toml::from_str(&paging).unwrap(),
        }
    }

    fn pager(&self, arguments: &Value) -> Pager<'_> {
        let root = self.dataset.singleton(self.dataset.ty("Root").unwrap());
        let Some(Source::Connection(description)) = root.source("items") else {
            panic!("no list")
        };
        let shape = self.dataset.paging("relay").unwrap();
        let arguments: &Map<String, Value> = arguments.as_object().unwrap();
        let request = ListRequest::read(shape, description, arguments).unwrap();
        Pager {
            connection: Connection::new(root, "items", "Item", &request),
            shape,
            rules: self.paging.rules("Root", "items"),
            choice: request.choice,
            moment: RequestMoment::default(),
            place: None,
            field: "items".to_owned(),
        }
    }

    /// All rows, and the number of pages on which they come.
    fn walk(&self, mut arguments: Value) -> (Vec<u64>, usize) {
        let (mut rows, mut pages) = (Vec::new(), 0);
        loop {
            let page = self.pager(&arguments).page().unwrap();
            assert_eq!(page.has_previous, pages > 0);
            pages += 1;
            rows.extend(page.rows);
            if !page.has_next {
                return (rows, pages);
            }
            assert!(pages < 500, "the list has no end");
            arguments["after"] = Value::from(page.end);
        }
    }
}

fn all() -> Vec<u64> {
    (0..90).collect()
}

#[test]
fn pages_give_every_row_once_and_in_order() {
    let shelf = Shelf::new("");
    assert_eq!(shelf.walk(json!({ "first": 20 })), (all(), 5));
    assert_eq!(shelf.walk(json!({ "first": 30 })), (all(), 3));
}

#[test]
fn filters_leave_out_rows_and_the_last_page_knows() {
    let shelf = Shelf::new("");
    let (rows, _) = shelf.walk(json!({ "first": 7, "colour": "RED" }));
    let (others, _) = shelf.walk(json!({ "first": 7, "colour": ["BLUE"] }));
    assert!(rows.len() > 10 && others.len() > 10);
    assert_eq!(
        shelf.walk(json!({ "first": rows.len(), "colour": "RED" })),
        (rows.clone(), 1)
    );
    assert_eq!(
        shelf.pager(&json!({ "colour": "RED" })).total(),
        Some(rows.len() as u64)
    );
    let mut both = [rows, others].concat();
    both.sort_unstable();
    assert_eq!(both, all());
    assert_eq!(
        shelf.walk(json!({ "first": 90, "colour": ["RED", "BLUE"] })),
        (all(), 1)
    );
}

#[test]
fn cursors_of_other_arguments_and_inventions_are_refused() {
    let shelf = Shelf::new("");
    let of_all = shelf.pager(&json!({})).cursor_of(4);
    let too_far = shelf.pager(&json!({ "colour": "RED" })).cursor_of(90);
    for cursor in [of_all, String::new(), "zz".to_owned(), "é".repeat(9), too_far] {
        let refused = shelf.pager(&json!({ "colour": "RED", "after": cursor })).page();
        assert_eq!(refused, Err(PagingError::Cursor(cursor)));
    }
}

#[test]
fn foreign_cursors_may_be_swallowed() {
    let foreign = json!({ "first": 5, "colour": "RED", "after": Shelf::new("").pager(&json!({})).cursor_of(40) });
    let page = |traps: &str| {
        let shelf = Shelf::new(traps);
        let page = shelf.pager(&foreign).page().unwrap();
        (page.rows.len(), page.has_previous, page.has_next, page.end)
    };
    let (rows, has_previous, has_next, _) = page("foreign_cursor = 'first_page'");
    assert_eq!((rows, has_previous, has_next), (5, false, true));
    assert_eq!(
        page("foreign_cursor = 'no_rows'"),
        (0, false, false, Some(String::new()))
    );
}

#[test]
fn a_stuck_cursor_gives_itself_again() {
    let shelf = Shelf::new("stuck_at = 20");
    let stuck = shelf.pager(&json!({ "first": 20 })).page().unwrap().end;
    let page = shelf.pager(&json!({ "first": 20, "after": stuck })).page().unwrap();
    assert_eq!((page.rows, page.has_next, page.end), (Vec::new(), true, stuck));
}

#[test]
fn empty_and_short_pages_come_before_the_end() {
    let (rows, pages) = Shelf::new("empty_page_at = 50").walk(json!({ "first": 20 }));
    assert_eq!((rows, pages), (all(), 7));
    let (rows, pages) = Shelf::new("short_pages = 0.5").walk(json!({ "first": 20 }));
    assert!(rows == all() && pages > 5, "{pages} pages of {rows:?}");
    let shelf = Shelf::new("filters_after_size = true");
    let (rows, pages) = shelf.walk(json!({ "first": 2, "colour": "RED" }));
    assert_eq!(
        (rows, pages),
        (Shelf::new("").walk(json!({ "first": 90, "colour": "RED" })).0, 45)
    );
}

#[test]
fn a_full_last_page_may_promise_one_more() {
    let shelf = Shelf::new("full_page_says_more = true\nlast_cursor = { text = 'bnVsbA==' }");
    assert_eq!(shelf.walk(json!({ "first": 30 })), (all(), 4));
    assert_eq!(shelf.walk(json!({ "first": 20 })), (all(), 5));
    let last = shelf.pager(&json!({ "first": 30, "after": shelf.pager(&json!({})).cursor_of(89) }));
    assert_eq!(last.page().unwrap().end.as_deref(), Some("bnVsbA=="));
}

#[test]
fn the_last_cursor_is_as_the_trap_says() {
    let end = |traps: &str| Shelf::new(traps).pager(&json!({ "first": 90 })).page().unwrap().end;
    assert!(end("").is_some());
    assert_eq!(end("last_cursor = 'null'"), None);
    assert_eq!(end("last_cursor = { text = 'x' }").as_deref(), Some("x"));
}

#[test]
fn cursors_as_json_lists_are_taken_as_lists_and_not_as_their_text_in_one() {
    let shelf = Shelf::new("json_list_cursors = true");
    assert_eq!(shelf.walk(json!({ "first": 20 })), (all(), 5));
    let cursor = shelf.pager(&json!({ "first": 20 })).page().unwrap().end.unwrap();
    let list: Value = serde_json::from_str(&cursor).unwrap();
    let page = |after: Value| shelf.pager(&json!({ "first": 20, "after": after })).page();
    assert_eq!(page(list).unwrap().rows[0], 20);
    assert_eq!(
        page(json!([cursor])),
        Err(PagingError::CursorArity { found: 1, wanted: 2 })
    );
    assert_eq!(page(json!([])).unwrap().rows[0], 0);
}

#[test]
fn the_size_null_may_end_the_list() {
    let page = |traps: &str| Shelf::new(traps).pager(&json!({ "first": null })).page().unwrap();
    assert!(page("").has_next);
    let ended = page("null_size_ends = true");
    assert_eq!((ended.rows.len(), ended.has_next), (10, false));
}

#[test]
fn totals_lie_as_told() {
    let total = |traps: &str| Shelf::new(traps).pager(&json!({})).total();
    assert_eq!(total(""), Some(90));
    assert_eq!(total("totals = { too_high = 7 }"), Some(97));
    assert_eq!(total("totals = { too_low = 7 }"), Some(83));
    assert_eq!(total("totals = { capped_at = 50 }"), Some(50));
    assert_eq!(total("totals = 'null'"), None);
}
