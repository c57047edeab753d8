//! What the engine sees in a response.

use serde_json::{Value, json};

use super::*;
use crate::run::harvest::FoundPage;

const DEEP: &str = "{ groups { nodes { findings { nodes { notes { nodes { text } } } } extra { more: findings { nodes { id } } } } } }";
const FOLDERS: &str = "{ folders { edges { node { name notes { nodes { text } } } } } }";

/// A page in one line.
fn line(plan: &Plan, page: &FoundPage) -> String {
    let path = &plan.connections[page.connection].path;
    let address: Vec<String> = page
        .address
        .values
        .iter()
        .map(|value| value.as_ref().map_or_else(|| "-".to_owned(), Value::to_string))
        .collect();
    let state = match (page.is_null, page.has_items, page.is_lost) {
        (_, _, true) => "lost".to_owned(),
        (true, ..) => "null".to_owned(),
        (_, false, _) => "no list".to_owned(),
        _ => page.rows.to_string(),
    };
    let parent = page.parent.as_deref().unwrap_or("-");
    format!("{path} in {parent} at [{}]: {state}", address.join(" "))
}

fn lines(plan: &Plan, harvest: &Harvest) -> Vec<String> {
    harvest.pages.iter().map(|page| line(plan, page)).collect()
}

#[test]
fn pages_are_found_at_any_depth() {
    let plan = plan(DEEP);
    let data = r#"{"groups":{"pageInfo":{"hasNextPage":true,"endCursor":"g2"},"nodes":[
        {"id":"G1","findings":{"nodes":[{"id":"F1","notes":{"nodes":[{"text":"a"},null],"pageInfo":{"hasNextPage":false}}},
                                        {"id":"F2","notes":null}],
                               "pageInfo":{"endCursor":"f2","hasNextPage":true}},
                   "extra":{"more":{"nodes":[],"pageInfo":{"hasNextPage":false,"endCursor":null}}}},
        null,
        {"id":"G2","findings":{"nodes":[]},"extra":null}]}}"#;
    let harvest = read_start(&plan, data);
    assert_eq!(
        lines(&plan, &harvest),
        [
            "groups.nodes.findings.nodes.notes in F1 at [\"F1\"]: 2",
            "groups.nodes.findings.nodes.notes in F2 at [\"F2\"]: null",
            "groups.nodes.findings in G1 at [\"G1\"]: 2",
            "groups.nodes.extra.more in G1 at [\"G1\"]: 0",
            "groups.nodes.findings in G2 at [\"G2\"]: 0",
            "groups.nodes.extra.more in G2 at [\"G2\"]: null",
            "groups in - at []: 3",
        ]
    );
    let signs: Vec<_> = harvest
        .pages
        .iter()
        .map(|page| (page.has_next, page.end_cursor.clone()))
        .collect();
    assert_eq!(signs[2], (Some(true), Some(json!("f2"))));
    assert_eq!(signs[4], (None, None), "nothing is said");
    assert_eq!(signs[6], (Some(true), Some(json!("g2"))));
    assert_eq!(harvest.missing, []);
}

#[test]
fn what_is_null_has_no_rows_and_what_is_missing_is_named() {
    let plan = plan(
        "query($all: Boolean = false) { owner { own: groups { nodes { id } } } groups { nodes { id } } books @include(if: $all) { items { title } } }",
    );
    let null = read_start(&plan, r#"{"owner":null}"#);
    assert_eq!(null.pages.len(), plan.connections.len());
    assert!(null.pages.iter().all(|page| page.is_null && page.rows == 0));
    let missing: Vec<_> = null.missing.iter().map(|missing| missing.path.as_str()).collect();
    assert_eq!(missing, ["groups"], "what a condition may leave out is not missing");
    let ruled_out = null.pages.iter().filter(|page| page.is_ruled_out);
    assert_eq!(ruled_out.count(), plan.connections.len() - 1);
}

#[test]
fn a_page_without_its_list_is_told_from_an_empty_one() {
    let plan = plan("{ groups { nodes { id } } }");
    let items = |data: &str| {
        let page = read_start(&plan, data).pages.remove(0);
        (page.is_null, page.has_items, page.has_next)
    };
    assert_eq!(
        items(r#"{"groups":{"nodes":[],"pageInfo":{"hasNextPage":false}}}"#),
        (false, true, Some(false))
    );
    assert_eq!(
        items(r#"{"groups":{"nodes":null,"pageInfo":null}}"#),
        (false, false, None)
    );
    assert_eq!(
        items(r#"{"groups":{"pageInfo":{"hasNextPage":null}}}"#),
        (false, false, None)
    );
    assert_eq!(items(r#"{"groups":null}"#), (true, false, None));
}

#[test]
fn other_shapes_are_refused() {
    let plan = plan(DEEP);
    let refusal = |data: &str| read(&plan, &[start()], &[], data).unwrap_err();
    for (data, expected) in [
        (r#"{"groups":[]}"#, "a connection at `groups`"),
        (r#"{"groups":{"nodes":{}}}"#, "a list at `groups`"),
        (r#"{"groups":{"nodes":[1]}}"#, "expected an object"),
        (
            r#"{"groups":{"nodes":[{"id":"G","extra":[]}]}}"#,
            "an object at `groups.extra`",
        ),
        (r#"{"groups":{"nodes":[]},"groups":null}"#, "`groups` occurs twice"),
        (r#"{"groups":{"nodes":[],"nodes":[]}}"#, "`nodes` occurs twice"),
        (r#"{"groups":{"nodes":[{"id":"G","id":"H"}]}}"#, "`id` occurs twice"),
        (
            r#"{"groups":{"nodes":[],"pageInfo":{"hasNextPage":true,"hasNextPage":false}}}"#,
            "`hasNextPage` occurs twice",
        ),
        (
            r#"{"groups":{"nodes":[{"id":"G","\u0069d":"H"}]}}"#,
            "`id` occurs twice",
        ),
    ] {
        let found = refusal(data);
        assert!(found.contains(expected), "{data}: {found}");
    }
}

#[test]
fn signals_are_read_however_they_are_written() {
    let plan = plan(
        "{ groups { totalCount nodes { id } } books @paginate(style: PAGE, firstPage: 1) { total totalPages items { title } } }",
    );
    let page = |groups: &str, books: &str| {
        let data = format!(r#"{{"groups":{{"nodes":[],{groups}}},"books":{{"items":[],{books}}}}}"#);
        read_start(&plan, &data).pages
    };
    for (text, total) in [
        ("\"12\"", Some(12)),
        ("12", Some(12)),
        ("12.0", Some(12)),
        ("-1", None),
        ("1.5", None),
        ("null", None),
    ] {
        let pages = page(
            &format!(r#""totalCount":{text}"#),
            &format!(r#""total":{text},"totalPages":{text}"#),
        );
        assert_eq!(pages[0].total, total, "{text}");
        assert_eq!((pages[1].total, pages[1].page_count), (total, total), "{text}");
    }
    // More than any list can hold is more than the rows that come, and -1 without its sign is nothing.
    let most = Some(i64::MAX as u64);
    for (text, total) in [
        ("9223372036854775808", most),
        ("\"9223372036854775807\"", most),
        ("99999999999999999999", most),
        ("\"99999999999999999999\"", most),
        ("1e300", most),
        ("18446744073709551615", None),
        ("-1e300", None),
        ("\"many\"", None),
    ] {
        let pages = page(&format!(r#""totalCount":{text}"#), r#""total":1,"totalPages":1"#);
        assert_eq!(pages[0].total, total, "{text}");
    }
    for (text, cursor) in [
        ("\"\"", None),
        ("null", None),
        ("\"[]\"", Some(json!("[]"))),
        ("7", Some(json!(7))),
    ] {
        let pages = page(
            &format!(r#""pageInfo":{{"endCursor":{text},"hasNextPage":true}}"#),
            r#""total":1"#,
        );
        assert_eq!(pages[0].end_cursor, cursor, "{text}");
    }
}

#[test]
fn a_row_is_asked_for_again_by_the_edge_before_it() {
    let plan = plan(FOLDERS);
    let data = |root: &str| {
        let edge = |cursor: &str| {
            format!(
                r#"{{"cursor":{cursor},"node":{{"name":"x","notes":{{"nodes":[],"pageInfo":{{"hasNextPage":true}}}}}}}}"#
            )
        };
        let edges = ["\"a\"", "\"b\"", "\"b\"", "null", "\"e\""].map(edge).join(",");
        format!(r#"{{"{root}":{{"edges":[{edges}],"pageInfo":{{"hasNextPage":true,"endCursor":"e"}}}}}}"#)
    };
    let addresses = |harvest: &Harvest| {
        let lines = lines(&plan, harvest).into_iter();
        lines
            .map(|line| line.split_once(" at ").unwrap().1.to_owned())
            .collect::<Vec<_>>()
    };
    let first = read_start(&plan, &data("folders"));
    // The third edge has the cursor of the second, which then leads elsewhere; the one before the fifth has none.
    assert_eq!(
        addresses(&first),
        ["[-]: 0", "[\"a\"]: 0", "[]: lost", "[\"b\"]: 0", "[]: lost", "[]: 5"]
    );
    let task = AskedTask {
        task: Task {
            address: Address::default(),
            ..later(&plan, "folders", "", "z").task
        },
        size: 5,
    };
    let second = read(&plan, &[task], &[], &data("folders")).unwrap();
    assert_eq!(addresses(&second)[..2], ["[\"z\"]: 0", "[\"a\"]: 0"]);
    assert_ne!(first.pages[0].parent, second.pages[0].parent, "positions go on");
}

#[test]
fn a_row_is_asked_for_again_by_its_offset_or_its_page() {
    let shelves = plan("{ shelves @paginate(style: OFFSET_LIST) { notes { nodes { text } } } }");
    let rows = |root: &str, list: bool| {
        let row = r#"{"id":null,"notes":{"nodes":[],"pageInfo":{"hasNextPage":true}}}"#;
        match list {
            true => format!(r#"{{"{root}":[{row},null,{row}]}}"#),
            false => format!(r#"{{"{root}":{{"items":[{row},null,{row}],"totalPages":9}}}}"#),
        }
    };
    let address = |plan: &Plan, path: &str, data: &str| {
        let asked = AskedTask {
            task: Task {
                address: Address::default(),
                ..later(plan, path, "", 10).task
            },
            size: 5,
        };
        let pages = read(plan, &[asked], &[], data).unwrap().pages;
        pages.into_iter().map(|page| page.address.values).collect::<Vec<_>>()
    };
    let at = |value: u64| vec![Some(json!(value))];
    assert_eq!(
        address(&shelves, "shelves", &rows("shelves", true)),
        [at(10), at(12), Vec::new()]
    );
    let books = plan("{ books @paginate(style: PAGE, firstPage: 1) { items { notes { nodes { text } } } } }");
    assert_eq!(
        address(&books, "books", &rows("books", false)),
        [at(11), at(13), Vec::new()]
    );
}

#[test]
fn a_row_without_its_key_cannot_be_asked_for_again() {
    let plan = plan("{ groups { nodes { findings { nodes { id } } } } }");
    let data =
        r#"{"groups":{"pageInfo":{},"nodes":[{"id":null,"findings":{"nodes":[1]}},{"findings":{"nodes":[1]}}]}}"#;
    let found = lines(&plan, &read_start(&plan, data));
    assert_eq!(
        found[..2],
        [
            "groups.nodes.findings in - at []: lost",
            "groups.nodes.findings in - at []: lost"
        ]
    );
}

#[test]
fn slots_in_company_keep_to_their_places() {
    let plan = plan(DEEP);
    let asked = [
        later(&plan, "groups.nodes.findings", "G1", "f5"),
        later(&plan, "groups.nodes.findings.nodes.notes", "F9", "n5"),
        later(&plan, "groups.nodes.findings", "G2", "f6"),
    ];
    let data = r#"{"t2":{"id":"G2","findings":null},
        "t0":{"id":"G1","findings":{"nodes":[{"id":"F6","notes":{"nodes":[]}}],"pageInfo":{"hasNextPage":false}}},
        "t1":{"id":"F9","notes":{"nodes":[{},{}],"pageInfo":{"hasNextPage":false}}}}"#;
    let harvest = read(&plan, &asked, &[], data).unwrap();
    let slots: Vec<_> = harvest.pages.iter().map(|page| page.slot).collect();
    assert_eq!(slots, [Some(2), None, Some(0), Some(1)]);
    assert_eq!(
        lines(&plan, &harvest),
        [
            "groups.nodes.findings in G2 at [\"G2\"]: null",
            "groups.nodes.findings.nodes.notes in F6 at [\"F6\"]: 0",
            "groups.nodes.findings in G1 at [\"G1\"]: 1",
            "groups.nodes.findings.nodes.notes in F9 at [\"F9\"]: 2",
        ]
    );
    assert!(harvest.strangers.is_empty());
}

#[test]
fn another_row_than_was_meant_is_a_stranger() {
    let plan = plan(DEEP);
    let path = "groups.nodes.findings";
    let asked = [
        later(&plan, path, "G1", "f5"),
        later(&plan, path, "G2", "f5"),
        later(&plan, path, "G3", "f5"),
    ];
    let page = r#""findings":{"nodes":[],"pageInfo":{"hasNextPage":false}}"#;
    let data = format!(r#"{{"t0":{{"id":"G1",{page}}},"t1":{{{page},"id":"G7"}},"t2":{{{page}}}}}"#);
    assert_eq!(read(&plan, &asked, &[], &data).unwrap().strangers, [1, 2]);
    let alone = read(&plan, &asked[..1], &[], &format!(r#"{{"node":{{"id":"G7",{page}}}}}"#));
    assert_eq!(alone.unwrap().strangers, [0]);
}

#[test]
fn rows_at_places_within_rows_at_places_are_no_strangers() {
    let plan = plan(
        "{ racks { edges { node { id shelves @paginate(style: OFFSET_LIST) { id notes { nodes { text } } } } } } }",
    );
    let path = "racks.edges.node.shelves.notes";
    let body = |rack: &str, shelf: &str| {
        format!(
            r#"{{"racks":{{"edges":[{{"cursor":"r1","node":{{"id":"{rack}","shelves":[{{"id":"{shelf}","notes":{{"nodes":[{{}}],"pageInfo":{{"hasNextPage":true}}}}}}]}}}}]}}}}"#
        )
    };
    let first = read_start(&plan, &body("R1", "S1"));
    let mut asked = later(&plan, path, "S1", "n5");
    asked.task.address = first.pages[0].address.clone();
    assert_eq!(asked.task.address.values, [None, Some(json!(0))]);
    let harvest = read(&plan, std::slice::from_ref(&asked), &[], &body("R1", "S1")).unwrap();
    assert!(harvest.strangers.is_empty());
    let page = harvest.pages.iter().find(|page| page.slot == Some(0)).unwrap();
    assert_eq!(page.rows, 1);
    for (rack, shelf) in [("R1", "S2"), ("R2", "S1")] {
        let harvest = read(&plan, std::slice::from_ref(&asked), &[], &body(rack, shelf)).unwrap();
        assert_eq!(harvest.strangers, [0], "{rack} {shelf}");
    }
}

#[test]
fn a_row_without_a_key_is_known_at_its_place_by_what_it_holds() {
    let plan = plan(FOLDERS);
    let folder = |name: &str| {
        format!(
            r#"{{"folders":{{"edges":[{{"cursor":"a","node":{{"notes":{{"nodes":[{{}}],"pageInfo":{{"hasNextPage":true}}}},"name":{name}}}}}]}}}}"#
        )
    };
    let first = read_start(&plan, &folder(r#""inbox""#));
    let mut asked = later(&plan, "folders.edges.node.notes", "", "n5");
    asked.task.parent = first.pages[0].parent.clone();
    asked.task.address = first.pages[0].address.clone();
    let strangers = |name: &str| {
        read(&plan, std::slice::from_ref(&asked), &[], &folder(name))
            .unwrap()
            .strangers
    };
    assert_eq!(strangers(r#""inbox""#), [0_usize; 0]);
    assert_eq!(
        strangers(r#""\u0069nbox""#),
        [0_usize; 0],
        "the same text in other letters"
    );
    assert_eq!(strangers(r#""outbox""#), [0]);
    assert_eq!(strangers("null"), [0]);
}

#[test]
fn a_row_that_is_gone_leaves_its_slot_without_a_page() {
    let plan = plan("{ shelves @paginate(style: OFFSET_LIST) { notes { nodes { text } } } }");
    let asked = [later(&plan, "shelves.notes", "", "n5")];
    for data in [
        r#"{"shelves":[]}"#,
        r#"{"shelves":null}"#,
        r#"{"shelves":[null]}"#,
        "{}",
    ] {
        let harvest = read(&plan, &asked, &[], data).unwrap();
        assert_eq!((harvest.pages.len(), harvest.pages[0].slot), (1, Some(0)), "{data}");
        assert!(harvest.pages[0].is_null, "{data}");
    }
    let two = read(&plan, &asked, &[], r#"{"shelves":[{"notes":null},{"notes":null}]}"#);
    assert!(two.unwrap_err().contains("more than one object at `shelves`"));
}

#[test]
fn the_last_row_tells_the_next_page_of_a_keyset() {
    let plan = plan(r#"{ events @paginate(style: KEYSET, filter: "after", key: "at") { at } }"#);
    let looks = [Look {
        key: plan.connections[0].page_key.clone(),
        digest: true,
    }];
    let page = |data: &str| read(&plan, &[start()], &looks, data).unwrap().pages.remove(0);
    let last = page(r#"{"events":[{"at":"1"},{"at":"3"},null]}"#);
    assert_eq!(
        (last.rows, last.last_key, last.has_equal_keys),
        (3, Some(json!("3")), false)
    );
    assert!(page(r#"{"events":[{"at":"1"},{"at":"1"},{"at":"2"}]}"#).has_equal_keys);
    let null = page(r#"{"events":[{"at":"1"},{"at":null},{"at":null}]}"#);
    assert_eq!((null.last_key, null.has_equal_keys), (Some(Value::Null), false));
    assert_eq!(page(r#"{"events":[{"x":1}]}"#).last_key, None);
}

#[test]
fn digests_tell_pages_apart_by_their_keys_or_by_all_that_is_in_them() {
    let looks = [Look {
        key: None,
        digest: true,
    }];
    let digest = |plan: &Plan, data: &str| {
        let page = read(plan, &[start()], &looks, data).unwrap().pages.remove(0);
        (page.has_keys, page.rows, page.digest.unwrap())
    };
    let keyed = plan("{ shelves @paginate(style: OFFSET_LIST) { id } }");
    let (has_keys, rows, one) = digest(&keyed, r#"{"shelves":[null,{"id":"1"},{"id":"2"}]}"#);
    assert!(has_keys && rows == 3);
    assert_eq!(digest(&keyed, r#"{"shelves": [null, {"id": "1"},{"id":"2"} ]}"#).2, one);
    for other in [
        r#"[null,{"id":"1"}]"#,
        r#"[null,{"id":"2"},{"id":"1"}]"#,
        r#"[null,{"id":"1"},{"id":"3"}]"#,
    ] {
        assert_ne!(digest(&keyed, &format!(r#"{{"shelves":{other}}}"#)).2, one, "{other}");
    }
    let keyless = plan("{ events @paginate(style: KEYSET, filter: \"after\", key: \"at\") { at } }");
    let (has_keys, rows, one) = digest(&keyless, r#"{"events":[{"at":"1"},{"at":"2"}]}"#);
    assert!(!has_keys && rows == 2);
    assert_eq!(digest(&keyless, r#"{"events": [ {"at":"1"} , {"at":"2"} ]}"#).2, one);
    assert_ne!(digest(&keyless, r#"{"events":[{"at":"1"}]}"#).2, one);
    assert_ne!(digest(&keyless, r#"{"events":[{"at":"1"},{"at":"3"}]}"#).2, one);
    assert_eq!(
        read_start(&keyed, r#"{"shelves":[{}]}"#).pages[0].digest,
        None,
        "only where it is looked for"
    );
}

#[test]
fn connections_in_objects_that_are_null_are_found_as_null_in_either_form() {
    for flatten in [false, true] {
        let plan = plan_with(
            "{ groups { nodes { id extra { findings { nodes { id } } } } } }",
            flatten,
        );
        let data = r#"{"groups":{"nodes":[{"id":"G1","extra":null},{"id":"G2","extra":{"findings":null}}],"pageInfo":{"hasNextPage":false,"endCursor":null}}}"#;
        let pages = read_start(&plan, data).pages;
        let found = pages.iter().filter(|page| page.connection == 1);
        let found: Vec<_> = found.map(|page| (page.parent.as_deref(), page.is_null)).collect();
        assert_eq!(found, [(Some("G1"), true), (Some("G2"), true)], "{flatten}");
    }
}
