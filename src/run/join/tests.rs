use serde_json::{Value, json};

use super::*;
use crate::plan::{AncestorField, AncestorRole, Cell, CellRole, RowId, RowLayout};

/// A list of rows with keys under `nodes`, with these cells.
fn rows(table: usize, keys: &[&str], below: Option<(&str, RowsLayout)>) -> RowsLayout {
    let plain = |key: &&str| Cell {
        key: (*key).to_owned(),
        role: CellRole::Ignored,
    };
    let mut cells: Vec<Cell> = keys.iter().map(plain).collect();
    cells.extend(below.map(|(key, layout)| Cell {
        key: key.to_owned(),
        role: CellRole::Below {
            column: None,
            below: AncestorRole::Rows(layout),
        },
    }));
    RowsLayout {
        table,
        items: At::Nodes {
            nodes: "nodes".to_owned(),
            beside: Vec::new(),
        },
        row: RowLayout {
            id: RowId::Key(vec![0.into()]),
            has_parent: table > 0,
            address: None,
            marks: Vec::new(),
            cells,
            detached: Vec::new(),
        },
        page: None,
    }
}

fn layout(slots: &[&str]) -> Layout {
    let field = |key: &str, role| AncestorField {
        key: key.to_owned(),
        is_optional: false,
        role,
        tells: Vec::new(),
    };
    let items = || rows(0, &["id", "a", "b"], Some(("items", rows(1, &["id", "c"], None))));
    let fields = slots.iter().map(|slot| field(slot, AncestorRole::Rows(items())));
    Layout {
        data: field("data", AncestorRole::Object(fields.collect())),
    }
}

/// One piece: `data`, the tables of which it holds something, and whether it has errors.
type Piece = (Value, &'static [usize], bool);

fn joined_as(slots: &[&str], pieces: &[Piece], keys: &[&[(&str, &str)]]) -> Joined {
    let texts: Vec<String> = pieces.iter().map(|(data, ..)| data.to_string()).collect();
    let raws: Vec<&RawValue> = texts.iter().map(|text| serde_json::from_str(text).unwrap()).collect();
    let owned = |keys: &[(&str, &str)]| {
        let keys = keys.iter();
        keys.map(|(own, whole)| ((*own).to_owned(), (*whole).to_owned()))
            .collect()
    };
    let answers = pieces.iter().zip(raws).enumerate();
    let answers = answers.map(|(index, ((_, tables, has_errors), data))| PieceAnswer {
        data,
        slots: keys.get(index).map_or_else(Vec::new, |keys| owned(keys)),
        tables: tables.iter().copied().collect(),
        has_errors: *has_errors,
    });
    join(
        &layout(slots),
        &answers.collect::<Vec<_>>(),
        &BTreeSet::new(),
        &LoneRows::default(),
    )
    .unwrap()
}

fn joined(pieces: &[Piece]) -> (Value, Differences) {
    let Joined { data, differences, .. } = joined_as(&["list"], pieces, &[]);
    (serde_json::from_str(&data).unwrap(), differences)
}

const BOTH: &[usize] = &[0, 1];
const OUTER: &[usize] = &[0];

#[expect(
    clippy::needless_pass_by_value,
    reason = "what is written with `json!` is of no other use"
)]
fn list(nodes: Value) -> Value {
    json!({ "list": { "nodes": nodes } })
}

#[test]
fn rows_get_their_columns_by_their_keys_in_the_order_of_the_first_piece() {
    let first = json!([
        { "id": 2, "a": "x", "items": { "nodes": [{ "id": "i" }, { "id": "j" }], "more": true } },
        { "id": 1, "a": "y", "items": { "nodes": [] } },
    ]);
    let second = json!([
        { "b": { "u": 1 }, "id": 1, "items": { "nodes": [] } },
        { "b": null, "id": 2, "items": { "nodes": [{ "c": 2, "id": "j" }, { "c": 1, "id": "i" }] } },
    ]);
    let third = json!([{ "b": { "v": 2 }, "id": 1 }, { "b": null, "id": 2 }]);
    let (data, differences) = joined(&[
        (list(first), BOTH, false),
        (list(second), BOTH, false),
        (list(third), OUTER, false),
    ]);
    let items = json!({ "nodes": [{ "id": "i", "c": 1 }, { "id": "j", "c": 2 }], "more": true });
    let expected = json!([
        { "id": 2, "a": "x", "items": items, "b": null },
        { "id": 1, "a": "y", "items": { "nodes": [] }, "b": { "u": 1, "v": 2 } },
    ]);
    assert_eq!(data, list(expected));
    assert!(differences.is_empty(), "{differences:?}");
}

#[test]
fn numbers_stay_as_they_are_written() {
    let text = r#"{"list":{"nodes":[{"id":12345678901234567890123,"a":1.10}]}}"#;
    let other = r#"{"list":{"nodes":[{"id":12345678901234567890123,"b":1e400}]}}"#;
    let raws = [text, other].map(|text| serde_json::from_str::<&RawValue>(text).unwrap());
    let pieces = raws.map(|data| PieceAnswer {
        data,
        slots: Vec::new(),
        tables: BTreeSet::from([0]),
        has_errors: false,
    });
    let joined = join(&layout(&["list"]), &pieces, &BTreeSet::new(), &LoneRows::default()).unwrap();
    let expected = r#"{"list":{"nodes":[{"id":12345678901234567890123,"a":1.10,"b":1e400}]}}"#;
    assert_eq!(joined.data, expected);
}

#[test]
fn equal_keys_are_joined_one_by_one() {
    let first = list(json!([{ "id": 1, "a": 1 }, { "id": 1, "a": 2 }]));
    let second = list(json!([{ "id": 1, "b": 3 }, { "id": 1, "b": 4 }]));
    let (data, differences) = joined(&[(first, OUTER, false), (second, OUTER, false)]);
    assert_eq!(
        data,
        list(json!([{ "id": 1, "a": 1, "b": 3 }, { "id": 1, "a": 2, "b": 4 }]))
    );
    assert!(differences.is_empty());
}

#[test]
fn rows_that_came_and_went_are_counted_at_every_level() {
    let first = list(json!([{ "id": 1, "items": { "nodes": [{ "id": 5 }, { "id": 6 }] } }, { "id": 2 }, { "id": 3 }]));
    let second = list(json!([
        { "id": 0, "b": 0 },
        { "id": 1, "b": 1, "items": { "nodes": [{ "id": 6, "c": 6 }, { "id": 7, "c": 7 }, { "id": 8, "c": 8 }] } },
        { "id": 3, "b": 3 },
    ]));
    let (data, differences) = joined(&[(first, BOTH, false), (second, BOTH, false)]);
    let items = json!({ "nodes": [{ "id": 5 }, { "id": 6, "c": 6 }] });
    assert_eq!(
        data,
        list(json!([{ "id": 1, "items": items, "b": 1 }, { "id": 2 }, { "id": 3, "b": 3 }]))
    );
    assert_eq!(differences.lacking, BTreeMap::from([(0, 1), (1, 1)]));
    assert_eq!(
        differences.extra,
        BTreeMap::from([(1, 1)]),
        "the others came in the place of some"
    );
}

#[test]
fn a_list_that_a_piece_lacks_lacks_all_rows() {
    let first = || list(json!([{ "id": 1 }, { "id": 2 }]));
    for second in [
        json!({ "list": { "nodes": null } }),
        json!({ "list": {} }),
        json!({ "list": null }),
        json!({}),
        list(json!([])),
    ] {
        let (data, differences) = joined(&[(first(), OUTER, false), (second.clone(), OUTER, false)]);
        assert_eq!(
            (data, differences.lacking),
            (first(), BTreeMap::from([(0, 2)])),
            "{second}"
        );
    }
    let (_, differences) = joined(&[(first(), OUTER, false), (json!({}), &[], false)]);
    assert!(differences.is_empty(), "it was not asked for any row");
    let (data, differences) = joined(&[(json!({ "list": null }), OUTER, false), (first(), OUTER, false)]);
    assert_eq!(data, json!({ "list": null }));
    assert_eq!(differences.objects, BTreeMap::from([("list".to_owned(), 1)]));
}

#[test]
fn what_errors_tell_is_no_difference() {
    let first = || list(json!([{ "id": 1 }, { "id": 2 }, { "id": 3 }]));
    let second = |nodes| (list(nodes), OUTER, true);
    let lacking = |second: Piece| joined(&[(first(), OUTER, false), second]).1.lacking;
    assert_eq!(
        lacking(second(json!([{ "id": 1 }, null, { "id": 3 }]))),
        BTreeMap::new()
    );
    assert_eq!(
        lacking(second(json!([{ "id": 1 }, null]))),
        BTreeMap::from([(0, 1)]),
        "one is null, and another is not there"
    );
    assert_eq!(lacking(second(json!(null))), BTreeMap::new());
    let nulls = list(json!([{ "id": 1 }, null, { "id": 3 }]));
    let (_, differences) = joined(&[(nulls, OUTER, true), (first(), OUTER, false)]);
    assert!(differences.is_empty(), "{differences:?}");
}

#[test]
fn objects_that_are_null_in_one_piece_alone_are_counted_unless_an_error_tells_of_it() {
    let first = list(json!([{ "id": 1, "b": { "u": 1 } }]));
    let second = list(json!([{ "id": 1, "b": null }]));
    let objects = |pieces: [Piece; 2]| joined(&pieces).1.objects;
    let once = BTreeMap::from([("b".to_owned(), 1)]);
    assert_eq!(
        objects([(first.clone(), OUTER, false), (second.clone(), OUTER, false)]),
        once
    );
    assert_eq!(
        objects([(second.clone(), OUTER, false), (first.clone(), OUTER, false)]),
        once
    );
    assert_eq!(objects([(first, OUTER, false), (second, OUTER, true)]), BTreeMap::new());
}

#[test]
fn slots_go_by_their_own_keys_and_only_pieces_that_asked_for_one_are_to_have_it() {
    let nodes = |row: Value| json!({ "nodes": [row] });
    let first =
        json!({ "t0": nodes(json!({ "id": 1, "a": 1 })), "t1": nodes(json!({ "id": 2, "a": 2 })), "beside": 1 });
    let second = json!({ "list": nodes(json!({ "id": 2, "b": 3 })) });
    let keys: [&[(&str, &str)]; 2] = [&[("t0", "t0"), ("t1", "t1")], &[("list", "t1")]];
    let joined = joined_as(&["t0", "t1"], &[(first, OUTER, false), (second, OUTER, false)], &keys);
    let expected = json!({
        "t0": nodes(json!({ "id": 1, "a": 1 })),
        "t1": nodes(json!({ "id": 2, "a": 2, "b": 3 })),
        "beside": 1,
    });
    assert_eq!(serde_json::from_str::<Value>(&joined.data).unwrap(), expected);
    assert!(joined.differences.is_empty(), "{:?}", joined.differences);
}

#[test]
fn the_keys_of_rows_are_told_in_their_order() {
    let data = list(
        json!([{ "id": 1, "items": { "nodes": [{ "id": "i" }] } }, null, { "id": 3, "items": { "nodes": [{ "id": "j" }] } }]),
    );
    let text = data.to_string();
    let answer = PieceAnswer {
        data: serde_json::from_str(&text).unwrap(),
        slots: Vec::new(),
        tables: BTreeSet::from([0, 1]),
        has_errors: false,
    };
    let joined = join(
        &layout(&["list"]),
        &[answer],
        &BTreeSet::from([0, 1]),
        &LoneRows::default(),
    )
    .unwrap();
    let id = |id: &str| Some(id.to_owned());
    assert_eq!(joined.ids[&0], [id("1"), None, id("3")]);
    assert_eq!(joined.ids[&1], [id("i"), id("j")]);
    assert_eq!(serde_json::from_str::<Value>(&joined.data).unwrap(), data);
}

#[test]
fn what_has_another_shape_is_left_for_others_to_judge() {
    for first in [
        json!(7),
        json!([1]),
        json!({ "list": [] }),
        json!({ "list": { "nodes": { "id": 1 } } }),
    ] {
        let second = list(json!([{ "id": 1, "b": 1 }]));
        let (data, _) = joined(&[(first.clone(), OUTER, false), (second, OUTER, false)]);
        assert_eq!(data, first);
    }
}

/// Two pieces of one row with a plain list in it.
fn joined_lists(first: &Value, second: &Value, has_errors: bool) -> (Value, BTreeMap<String, u64>) {
    let row = |parts: &Value| list(json!([{ "id": 1, "b": parts }]));
    let (data, differences) = joined(&[(row(first), OUTER, false), (row(second), OUTER, has_errors)]);
    (data["list"]["nodes"][0]["b"].clone(), differences.objects)
}

#[test]
fn items_of_plain_lists_get_their_fields_by_their_places() {
    let first = json!([{ "id": 1, "u": "x", "in": { "k": 1 } }, null, { "id": 3, "u": "y", "in": null }]);
    let second = json!([{ "v": 2.50, "id": 1, "in": { "l": [] } }, null, { "v": null, "id": 3, "in": null }]);
    let expected = json!([
        { "id": 1, "u": "x", "in": { "k": 1, "l": [] }, "v": 2.50 },
        null,
        { "id": 3, "u": "y", "in": null, "v": null },
    ]);
    assert_eq!(joined_lists(&first, &second, false), (expected, BTreeMap::new()));
    let nested = (json!([[{ "u": 1 }], []]), json!([[{ "v": 2 }], []]));
    assert_eq!(
        joined_lists(&nested.0, &nested.1, false).0,
        json!([[{ "u": 1, "v": 2 }], []])
    );
    assert_eq!(
        joined_lists(&json!([]), &json!([]), false),
        (json!([]), BTreeMap::new())
    );
}

#[test]
fn plain_lists_that_have_other_items_are_not_mixed() {
    let first = json!([{ "id": 1, "u": "x" }, { "id": 2, "u": "y" }]);
    let once = BTreeMap::from([("b".to_owned(), 1)]);
    for second in [
        json!([{ "id": 2, "v": 2 }, { "id": 1, "v": 1 }]),
        json!([{ "id": 1, "v": 1 }]),
        json!([{ "id": 1, "v": 1 }, { "id": 2, "v": 2 }, { "id": 3, "v": 3 }]),
        json!([{ "id": 1, "v": 1 }, { "id": null, "v": 2 }]),
        json!([]),
        json!(null),
    ] {
        assert_eq!(
            joined_lists(&first, &second, false),
            (first.clone(), once.clone()),
            "{second}"
        );
    }
    let (data, differences) = joined_lists(&first, &json!([{ "id": 1, "v": 1 }, null]), false);
    assert_eq!(data, json!([{ "id": 1, "u": "x", "v": 1 }, { "id": 2, "u": "y" }]));
    assert_eq!(differences, once);
    assert_eq!(
        joined_lists(&first, &json!(null), true),
        (first, BTreeMap::new()),
        "an error tells of it"
    );
}

#[test]
fn rows_that_are_asked_by_themselves_say_what_they_have_and_no_other_row_is_taken_for_one() {
    let mut layout = layout(&["list"]);
    let AncestorRole::Object(fields) = &mut layout.data.role else {
        panic!("an object was expected")
    };
    let AncestorRole::Rows(rows) = &mut fields[0].role else {
        panic!("rows were expected")
    };
    rows.row.address = Some(crate::plan::RowAddress::Value(1.into()));
    let text = list(json!([{ "id": 1, "a": "x" }, { "id": 2, "a": "y" }, { "id": 3, "a": "z" }])).to_string();
    let answer = PieceAnswer {
        data: serde_json::from_str(&text).unwrap(),
        slots: Vec::new(),
        tables: BTreeSet::from([0]),
        has_errors: false,
    };
    let join_with = |parts: &[(&str, Option<Value>, bool)]| {
        let raw = |value: &Value| RawValue::from_string(value.to_string()).unwrap();
        let raws: Vec<_> = parts.iter().map(|(_, value, _)| value.as_ref().map(raw)).collect();
        let mut lone_rows = LoneRows {
            tables: BTreeSet::from([0]),
            ..LoneRows::default()
        };
        for ((id, _, has_errors), raw) in parts.iter().zip(&raws) {
            let part = LonePart {
                raw: raw.as_deref(),
                has_errors: *has_errors,
            };
            lone_rows.came.entry((0, (*id).to_owned())).or_default().push(part);
        }
        join(&layout, std::slice::from_ref(&answer), &BTreeSet::new(), &lone_rows).unwrap()
    };
    let whole = join_with(&[
        ("1", Some(json!({ "id": 1, "b": { "u": 1 } })), false),
        ("2", Some(json!({ "id": 2, "b": null })), false),
        ("1", Some(json!({ "id": 1, "b": { "v": 2 } })), false),
        ("3", None, true),
    ]);
    let expected = json!([
        { "id": 1, "a": "x", "b": { "u": 1, "v": 2 } },
        { "id": 2, "a": "y", "b": null },
        { "id": 3, "a": "z" },
    ]);
    assert_eq!(serde_json::from_str::<Value>(&whole.data).unwrap(), list(expected));
    assert!(whole.differences.is_empty(), "{:?}", whole.differences);
    let places = whole.lone_places[&0].iter();
    let places: Vec<_> = places
        .map(|place| (place.id.as_str(), place.value.clone(), place.path.len()))
        .collect();
    assert_eq!(
        places,
        [("1", json!("x"), 3), ("2", json!("y"), 3), ("3", json!("z"), 3)]
    );
    let lacking = join_with(&[
        ("1", Some(json!({ "id": 2, "b": { "u": 1 } })), false),
        ("2", None, false),
    ]);
    assert_eq!(
        lacking.differences.lacking,
        BTreeMap::from([(0, 3)]),
        "another row, none, and not asked"
    );
    assert!(!lacking.data.contains("\"b\""), "{}", lacking.data);
}

#[test]
fn pieces_that_lack_rows_for_their_errors_are_told() {
    let broken = |pieces: [Piece; 2]| joined_as(&["list"], &pieces, &[]).broken;
    let whole = || list(json!([{ "id": 1, "b": { "u": 1 } }, { "id": 2 }]));
    let with = |nodes: Value| list(nodes);
    for second in [
        with(json!(null)),
        with(json!([{ "id": 1 }, null])),
        with(json!([{ "id": 1, "b": null }, { "id": 2 }])),
        json!({ "list": null }),
    ] {
        let pieces = [(whole(), OUTER, false), (second.clone(), OUTER, true)];
        assert_eq!(broken(pieces), BTreeSet::from([1]), "{second}");
        let pieces = [(whole(), OUTER, false), (second.clone(), OUTER, false)];
        assert_eq!(broken(pieces), BTreeSet::new(), "no error tells of it: {second}");
    }
    let no_object = with(json!([{ "id": 1, "b": null }, { "id": 2 }]));
    assert_eq!(
        broken([(no_object, OUTER, true), (whole(), OUTER, false)]),
        BTreeSet::from([0])
    );
    let nothing = json!({ "list": null });
    assert_eq!(
        broken([(nothing, OUTER, true), (whole(), OUTER, false)]),
        BTreeSet::new()
    );
    let elsewhere = with(json!([{ "id": 1, "b": { "v": 1 } }, { "id": 2, "c": null }]));
    assert_eq!(
        broken([(whole(), OUTER, false), (elsewhere, OUTER, true)]),
        BTreeSet::new()
    );
}
