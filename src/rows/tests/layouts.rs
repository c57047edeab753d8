//! Where rows and the values above them stand in a body.

use super::*;
use crate::rows::{DecodeError, LayoutFault};

fn titles() -> Table {
    table(vec![
        scalar("title", ScalarType::String, true),
        scalar("count", ScalarType::Int32, true),
    ])
}

#[test]
fn one_bad_row_goes_to_the_rejects_and_the_others_stay() {
    let body = plain_body(r#"{"id":1,"title":"a","count":1}, {"id":2, "count":1.5} ,{"id":3,"title":"c","count":3}"#);
    let outcome = decode(&titles(), &plain_layout(&["title", "count"]), &body);
    let expected = Outcome {
        rows: vec![
            r#"{"_id":"1","title":"a","count":1}"#.to_owned(),
            r#"{"_id":"3","title":"c","count":3}"#.to_owned(),
        ],
        rejects: vec![(
            r#"{"id":2, "count":1.5}"#.to_owned(),
            "count".to_owned(),
            "`1.5` is no int32".to_owned(),
        )],
        count: TableCount {
            rows: 2,
            rejected: 1,
            ..TableCount::default()
        },
    };
    assert_eq!(outcome, expected);
}

#[test]
fn keys_may_come_in_any_order_with_others_between_and_escapes_in_them() {
    let body = plain_body(r#"{"x":[{"count":9}],"count":1,"\u0069d":"a","y":null,"t\u0069tle":"b","z":"}"}"#);
    let outcome = decode(&titles(), &plain_layout(&["title", "count"]), &body);
    assert_eq!(outcome.rows, [r#"{"_id":"a","title":"b","count":1}"#]);
}

#[test]
fn bodies_may_be_spaced_out() {
    let body = "\n{ \"errors\" : [ ] ,\r\n\t\"data\" : { \"items\" : [ { \"id\" : 1 , \"count\" : 1e0 } ] } }\n ";
    let outcome = decode(&titles(), &plain_layout(&["title", "count"]), body);
    assert_eq!(outcome.rows, [r#"{"_id":"1","title":null,"count":1}"#]);
}

#[test]
fn a_key_that_stands_twice_in_a_row_does_not_fit() {
    for (item, column) in [
        (r#"{"id":"a","count":1,"count":1}"#, "count"),
        (r#"{"id":"a","id":"a"}"#, "id"),
    ] {
        let outcome = decode(&titles(), &plain_layout(&["title", "count"]), &plain_body(item));
        let reason = format!("the key `{column}` stands twice in one object");
        assert_eq!(outcome.rejects, [(item.to_owned(), column.to_owned(), reason)]);
        assert!(outcome.rows.is_empty());
    }
}

#[test]
fn a_missing_key_is_null_where_it_may_be() {
    let strict = table(vec![
        scalar("title", ScalarType::String, true),
        scalar("count", ScalarType::Int32, false),
    ]);
    let body = plain_body(r#"{"id":"a","count":1},{"id":"b","title":"b"}"#);
    let outcome = decode(&strict, &plain_layout(&["title", "count"]), &body);
    assert_eq!(outcome.rows, [r#"{"_id":"a","title":null,"count":1}"#]);
    assert_eq!(outcome.rejects[0].1, "count");
    assert_eq!(outcome.rejects[0].2, "no value where the schema promises one");
}

#[test]
fn items_that_are_null_are_counted_and_those_that_are_no_objects_rejected() {
    let body = plain_body(r#"null,{"id":"a"},[{"id":"b"}],"c",null"#);
    let outcome = decode(&titles(), &plain_layout(&["title", "count"]), &body);
    assert_eq!(outcome.rows.len(), 1);
    let reasons: Vec<_> = outcome
        .rejects
        .iter()
        .map(|(raw, column, reason)| (raw.as_str(), column.as_str(), reason.as_str()))
        .collect();
    let expected = [
        (r#"[{"id":"b"}]"#, "", r#"`[{"id":"b"}]` is no object"#),
        (r#""c""#, "", r#"`"c"` is no object"#),
    ];
    assert_eq!(reasons, expected);
    assert_eq!((outcome.count.null_items, outcome.count.rejected), (2, 2));
}

#[test]
fn a_row_without_its_key_is_rejected() {
    let body = plain_body(r#"{"id":null,"title":"a"},{"title":"b"},{"id":{},"title":"c"}"#);
    let outcome = decode(&titles(), &plain_layout(&["title", "count"]), &body);
    assert!(outcome.rows.is_empty());
    let reasons: Vec<_> = outcome
        .rejects
        .iter()
        .map(|(_, column, reason)| (column.as_str(), reason.as_str()))
        .collect();
    let expected = [
        (
            "_id",
            "null, and a row is told by it: tell the rows by other columns, with @table(key:)",
        ),
        ("_id", "no value where the schema promises one"),
        ("_id", "`{}` cannot be a part of a key"),
    ];
    assert_eq!(reasons, expected);
}

#[test]
fn a_key_that_is_also_a_column_goes_to_both() {
    let table = table(vec![scalar("id", ScalarType::Int64, false)]);
    let mut layout = rows(Items::List, 1, &[]);
    layout.row.cells = vec![cell("id", CellRole::Column(1))];
    let layout = super::layout(vec![field("items", AncestorRole::Rows(layout))]);
    let outcome = decode(&table, &layout, &plain_body(r#"{"id":"7"},{"id":8}"#));
    assert_eq!(outcome.rows, [r#"{"_id":"7","id":7}"#, r#"{"_id":"8","id":8}"#]);
}

/// `items { edges { cursor role node { id title } } }` with a column for the role and one for the title.
fn edges_with_roles() -> (Table, Layout) {
    let table = table(vec![
        scalar("role", ScalarType::String, false),
        scalar("title", ScalarType::String, true),
    ]);
    let items = Items::Edges {
        edges: "edges".to_owned(),
        node: "node".to_owned(),
        cursor: None,
        edge_cells: vec![cell("cursor", CellRole::Ignored), cell("role", CellRole::Column(1))],
        beside: Vec::new(),
    };
    let layout = layout(vec![field("items", AncestorRole::Rows(rows(items, 2, &["title"])))]);
    (table, layout)
}

#[test]
fn edges_bring_columns_of_their_own() {
    let (table, layout) = edges_with_roles();
    let edges = [
        r#"{"cursor":"x","role":"r","node":{"id":1,"title":"a"}}"#,
        r#"{"node":{"id":2,"title":"b"},"role":"s"}"#,
        r#"{"role":"t","node":null}"#,
        "null",
        r#"{"role":"u"}"#,
        r#"{"node":{"id":3,"title":"c"}}"#,
        r#"{"role":"v","node":{"id":4,"title":[]}}"#,
    ];
    let body = |edges: &[&str]| format!(r#"{{"data":{{"items":{{"edges":[{}]}}}}}}"#, edges.join(","));
    let good = [
        r#"{"_id":"1","role":"r","title":"a"}"#,
        r#"{"_id":"2","role":"s","title":"b"}"#,
    ];

    let quick = decode(&table, &layout, &body(&edges[..5]));
    assert_eq!(
        (quick.rows, quick.count.null_items),
        (good.map(str::to_owned).to_vec(), 3)
    );
    let careful = decode(&table, &layout, &body(&edges));
    assert_eq!(
        (careful.rows, careful.count.null_items),
        (good.map(str::to_owned).to_vec(), 3)
    );
    let rejected: Vec<_> = careful
        .rejects
        .iter()
        .map(|(raw, column, _)| (raw.as_str(), column.as_str()))
        .collect();
    assert_eq!(rejected, [(edges[5], "role"), (edges[6], "title")]);
}

#[test]
fn an_edge_without_a_node_leaves_nothing_behind() {
    let (table, layout) = edges_with_roles();
    let body = r#"{"data":{"items":{"edges":[{"role":"r","node":{"id":1,"title":"a"}},{"role":"s","node":null}]}}}"#;
    assert_eq!(
        decode(&table, &layout, body).rows,
        [r#"{"_id":"1","role":"r","title":"a"}"#]
    );
}

/// What the fast reader cannot take is read twice: none of this may be among it.
#[test]
fn ordinary_pages_are_read_once() {
    let (table, layout) = edges_with_roles();
    let edges = r#"{"data":{"items":{"edges":[
        {"role":"r","node":{"id":1,"title":"a"}}, {"node":{"title":"b","id":"2"},"role":"s"}, {"role":"t","node":null},
        null, {"role":"u","node":{"id":3,"other":[{}]}}, {"cursor":"x","role":"v","node":{"id":4,"title":null}}
    ]}}}"#;
    let counts = read(&mut Decoder::new([table].into()), edges, &layout, Reading::Quick).unwrap();
    assert_eq!((counts[0].rows, counts[0].null_items), (4, 2));

    let decimal = ScalarType::Decimal { precision: 9, scale: 2 };
    let types = [
        ("i", ScalarType::Int32, "-1"),
        ("l", ScalarType::Int64, "\"9007199254740993\""),
        ("f", ScalarType::Float64, "1.5"),
        ("g", ScalarType::Float64, "2"),
        ("s", ScalarType::String, "\"x\\n\""),
        ("n", ScalarType::String, "7"),
        ("d", decimal, "\"1.50\""),
        ("e", decimal, "1.5"),
        ("t", ScalarType::Timestamp, "\"2024-02-29T00:00:00Z\""),
        ("m", ScalarType::TimestampMillis, "1709208000001"),
        ("b", ScalarType::Boolean, "true"),
        ("j", ScalarType::Json, "{\"a\": [1.50]}"),
    ];
    let fields: Vec<_> = types.iter().map(|(key, _, json)| format!("\"{key}\":{json}")).collect();
    let item = format!(r#"{{"id":1,{}}}"#, fields.join(","));
    let nulls = item.replace("-1", "null").replace("true", "null");
    let columns = types.iter().map(|(key, ty, _)| scalar(key, *ty, true)).collect();
    let keys: Vec<_> = types.iter().map(|(key, ..)| *key).collect();
    let body = plain_body(&[item.as_str(), &nulls, "{\"id\":\"z\"}"].join(","));
    let mut decoder = Decoder::new([super::table(columns)].into());
    let counts = read(&mut decoder, &body, &plain_layout(&keys), Reading::Quick).unwrap();
    assert_eq!(counts[0].rows, 3);
}

#[test]
fn a_flattened_object_that_is_null_is_null_in_each_of_its_columns() {
    let inner = vec![
        cell("name", CellRole::Column(1)),
        cell("deep", CellRole::Flattened(vec![cell("n", CellRole::Column(2))])),
    ];
    let table = table(vec![
        scalar("a_name", ScalarType::String, true),
        scalar("a_deep_n", ScalarType::Int32, true),
    ]);
    let mut rows = rows(Items::List, 1, &[]);
    rows.row.cells.push(cell("a", CellRole::Flattened(inner)));
    let layout = layout(vec![field("items", AncestorRole::Rows(rows))]);
    let body = plain_body(
        r#"{"id":1,"a":{"name":"x","deep":{"n":1}}},{"id":2,"a":null},{"id":3},{"id":4,"a":{"deep":null,"name":"y"}}"#,
    );
    let expected = [
        r#"{"_id":"1","a_name":"x","a_deep_n":1}"#,
        r#"{"_id":"2","a_name":null,"a_deep_n":null}"#,
        r#"{"_id":"3","a_name":null,"a_deep_n":null}"#,
        r#"{"_id":"4","a_name":"y","a_deep_n":null}"#,
    ];
    assert_eq!(decode(&table, &layout, &body).rows, expected);
    for twice in [r#"{"id":2,"a":null,"a":null}"#, r#"{"id":2,"a":{"name":"x"},"a":null}"#] {
        let outcome = decode(&table, &layout, &body.replace(r#"{"id":2,"a":null}"#, twice));
        assert_eq!(outcome.rejects[0].2, "the key `a` stands twice in one object");
    }
    let spoilt = body.replace(
        "{\"id\":2,\"a\":null}",
        r#"{"id":2,"a":{"name":"x","deep":{"n":"1"}}},{"id":2,"a":[]}"#,
    );
    let outcome = decode(&table, &layout, &spoilt);
    assert_eq!(outcome.rows, [expected[0], expected[2], expected[3]]);
    assert_eq!(outcome.rejects[0].1, "a_deep_n");
    assert_eq!(
        (outcome.rejects[1].1.as_str(), outcome.rejects[1].2.as_str()),
        ("a", "`[]` is no object")
    );
}

/// `organization { name, groups { total, nodes } }` with a column for the name and one for the total.
fn under_organization() -> (Table, Layout) {
    let table = table(vec![
        scalar("organization_name", ScalarType::String, false),
        scalar("total", ScalarType::Int32, true),
        scalar("title", ScalarType::String, true),
    ]);
    let groups = rows(
        nodes(vec![field("total", fill(2)), field("pageInfo", AncestorRole::Ignored)]),
        3,
        &["title"],
    );
    let organization = vec![field("name", fill(1)), field("groups", AncestorRole::Rows(groups))];
    (
        table,
        layout(vec![field("organization", AncestorRole::Object(organization))]),
    )
}

#[test]
fn values_above_the_rows_go_to_each_row_wherever_they_stand() {
    let (table, layout) = under_organization();
    let before =
        r#"{"data":{"organization":{"name":"acme","groups":{"total":2,"nodes":[{"id":1,"title":"a"},{"id":2}]}}}}"#;
    let after = r#"{"data":{"organization":{"groups":{"nodes":[{"id":1,"title":"a"},{"id":2}],"pageInfo":{},"total":2},"name":"acme"}}}"#;
    let expected = [
        r#"{"_id":"1","organization_name":"acme","total":2,"title":"a"}"#,
        r#"{"_id":"2","organization_name":"acme","total":2,"title":null}"#,
    ];
    for body in [before, after] {
        assert_eq!(decode(&table, &layout, body).rows, expected);
    }
}

#[test]
fn a_value_above_the_rows_that_does_not_fit_spoils_them_all() {
    let (table, layout) = under_organization();
    for name in [r#""name":[],"#, r#""name":null,"#, ""] {
        let body = format!(
            r#"{{"data":{{"organization":{{{name}"groups":{{"nodes":[{{"id":1}},{{"id":2}},{{"id":[]}},null]}}}}}}}}"#
        );
        let outcome = decode(&table, &layout, &body);
        assert!(outcome.rows.is_empty());
        let rejected: Vec<_> = outcome
            .rejects
            .iter()
            .map(|(raw, column, _)| (raw.as_str(), column.as_str()))
            .collect();
        let expected = [
            (r#"{"id":[]}"#, "_id"),
            (r#"{"id":1}"#, "organization_name"),
            (r#"{"id":2}"#, "organization_name"),
        ];
        assert_eq!(rejected, expected);
        let count = TableCount {
            rejected: 3,
            null_items: 1,
            ..TableCount::default()
        };
        assert_eq!(outcome.count, count);
    }
}

#[test]
fn a_value_above_some_rows_has_nothing_to_do_with_those_elsewhere() {
    let inner = vec![
        field("items", AncestorRole::Rows(rows(Items::List, 2, &["count"]))),
        field("title", fill(1)),
    ];
    let layout = layout(vec![
        field("a", AncestorRole::Rows(rows(Items::List, 2, &["count"]))),
        field("b", AncestorRole::Object(inner)),
    ]);
    let body = |title: &str| {
        format!(r#"{{"data":{{"a":[{{"id":1}},{{"id":2}}],"b":{{"items":[{{"id":3}}],"title":{title}}}}}}}"#)
    };
    let elsewhere = [
        r#"{"_id":"1","title":null,"count":null}"#,
        r#"{"_id":"2","title":null,"count":null}"#,
    ];
    let fitting = decode(&titles(), &layout, &body("\"x\""));
    assert_eq!(
        fitting.rows,
        [elsewhere[0], elsewhere[1], r#"{"_id":"3","title":"x","count":null}"#]
    );
    let spoilt = decode(&titles(), &layout, &body("[]"));
    assert_eq!(spoilt.rows, elsewhere);
    assert_eq!(spoilt.rejects[0].0, r#"{"id":3}"#);
    assert_eq!((spoilt.count.rows, spoilt.count.rejected), (2, 1));
}

#[test]
fn earlier_pages_stay_when_a_later_one_is_spoilt() {
    let (table, layout) = under_organization();
    let body = |name: &str, id: u32| {
        format!(r#"{{"data":{{"organization":{{"groups":{{"nodes":[{{"id":{id}}}]}},"name":{name}}}}}}}"#)
    };
    let mut decoder = Decoder::new([table].into());
    for (name, id) in [("\"a\"", 1), ("{}", 2), ("\"b\"", 3)] {
        decoder.decode(&body(name, id), &layout, &[], &[]).unwrap();
    }
    let outcome = outcome(&mut decoder, TableCount::default());
    assert_eq!(outcome.rows.len(), 2);
    assert!(outcome.rows[1].starts_with(r#"{"_id":"3","organization_name":"b""#));
    assert_eq!(outcome.rejects[0].0, r#"{"id":2}"#);
}

#[test]
fn row_fields_that_are_not_there_are_counted() {
    let (table, layout) = under_organization();
    for body in [
        "{}",
        r#"{"data":null}"#,
        r#"{"errors":[{"message":"no"}],"data":{"organization":null}}"#,
        r#"{"data":{}}"#,
        r#"{"data":{"organization":{"name":"a"}}}"#,
        r#"{"data":{"organization":{"groups":null}}}"#,
        r#"{"data":{"organization":{"groups":{"nodes":null}}}}"#,
        r#"{"data":{"organization":{"groups":{"total":1}}}}"#,
    ] {
        let count = TableCount {
            null_lists: 1,
            ..TableCount::default()
        };
        let nothing = Outcome {
            count,
            ..Outcome::default()
        };
        assert_eq!(decode(&table, &layout, body), nothing, "{body}");
    }
}

#[test]
fn two_row_fields_can_fill_one_table_each_with_columns_of_its_own() {
    let first = rows(Items::List, 1, &["title"]);
    let second = rows(Items::List, 2, &["count"]);
    let layout = layout(vec![
        field("a", AncestorRole::Rows(first)),
        field("b", AncestorRole::Rows(second)),
    ]);
    let body = r#"{"data":{"a":[{"id":1,"title":"x"}],"b":[{"id":2,"count":5}]}}"#;
    let expected = [
        r#"{"_id":"1","title":"x","count":null}"#,
        r#"{"_id":"2","title":null,"count":5}"#,
    ];
    assert_eq!(decode(&titles(), &layout, body).rows, expected);
}

#[test]
fn a_single_object_is_one_row() {
    let layout = layout(vec![field(
        "viewer",
        AncestorRole::Rows(rows(Items::Value, 1, &["title"])),
    )]);
    let outcome = decode(&titles(), &layout, r#"{"data":{"viewer":{"id":1,"title":"x"}}}"#);
    assert_eq!(outcome.rows, [r#"{"_id":"1","title":"x","count":null}"#]);
    assert_eq!(
        decode(&titles(), &layout, r#"{"data":{"viewer":null}}"#)
            .count
            .null_items,
        1
    );
}

#[test]
fn rows_without_a_key_are_told_apart_by_their_position() {
    let mut rows = rows(Items::List, 1, &["title"]);
    rows.row.id = RowId::Position {
        path: "items".to_owned(),
    };
    let layout = layout(vec![field("items", AncestorRole::Rows(rows))]);
    let ids = |items: &str, position: u64| {
        let mut decoder = Decoder::new([titles()].into());
        let slot = Slot { parent: None, position };
        decoder.decode(&plain_body(items), &layout, &[slot], &[]).unwrap();
        let lines = lines(&decoder.take_rest(0).unwrap().rows.unwrap());
        lines.into_iter().map(|line| line[8..40].to_owned()).collect::<Vec<_>>()
    };
    let three = ids(r#"{"title":"a"},{"title":"a"},{"title":"a"}"#, 0);
    assert_eq!(three[0], super::super::identity::position_id("", "items", 0));
    assert_eq!(three[2], super::super::identity::position_id("", "items", 2));
    assert_ne!(three[0], three[1]);
    assert_eq!(ids(r#"{"title":"a"}"#, 2), three[2..]);
    assert_eq!(ids(r#"null,{"title":"a"}"#, 1), three[2..]);
    assert_eq!(ids(r#"{"title":[]},{"title":"a"}"#, 1), three[2..]);
}

#[test]
fn a_body_that_cannot_be_read_leaves_no_trace() {
    let (table, layout) = under_organization();
    let good = r#"{"data":{"organization":{"name":"acme","groups":{"nodes":[{"id":1}]}}}}"#;
    let list_for_object = r#"{"data":{"organization":[]}}"#;
    let object_for_list = r#"{"data":{"organization":{"name":"a","groups":{"nodes":{"id":1}}}}}"#;
    let twice = r#"{"data":{"organization":{"groups":{"nodes":[{"id":1}]},"groups":{"nodes":[]}}}}"#;
    let bad_then_cut = r#"{"data":{"organization":{"name":"acme","groups":{"nodes":[{"id":[]},{"id":1},{"id"#;
    let not_a_number = good.replace("{\"id\":1}", "{\"id\":NaN}");
    let deep = format!(r#"{{"data":{}"#, "[".repeat(200_000));
    let trailing = format!("{good}x");
    let mut bodies = vec![
        "",
        "<html></html>",
        "[]",
        "null",
        list_for_object,
        object_for_list,
        twice,
        bad_then_cut,
    ];
    bodies.extend([not_a_number.as_str(), &deep, &trailing]);
    bodies.extend((1..good.len()).map(|end| &good[..end]));

    let mut decoder = Decoder::new([table].into());
    decoder.decode(good, &layout, &[], &[]).unwrap();
    for body in bodies {
        let error = decoder.decode(body, &layout, &[], &[]).unwrap_err();
        assert!(matches!(error, DecodeError::Body(_)), "{error}");
    }
    let outcome = outcome(&mut decoder, TableCount::default());
    assert_eq!((outcome.rows.len(), outcome.rejects.len()), (1, 0));
}

#[test]
fn what_is_wrong_with_a_body_is_said() {
    let (table, layout) = under_organization();
    let mut decoder = Decoder::new([table].into());
    let error = decoder
        .decode(r#"{"data":{"organization":[]}}"#, &layout, &[], &[])
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the response is not what the query asks for: invalid type: sequence, expected an object under `organization` at \
         line 1 column 26"
    );
}

#[test]
fn rows_gather_until_there_are_enough_for_a_batch() {
    let page = |rows: usize| plain_body(&vec![r#"{"id":1,"count":1}"#; rows].join(","));
    let layout = plain_layout(&["title", "count"]);
    let mut decoder = Decoder::new([titles()].into());
    decoder.decode(&page(8191), &layout, &[], &[]).unwrap();
    assert!(decoder.take(0).unwrap().rows.is_none());
    decoder.decode(&page(1), &layout, &[], &[]).unwrap();
    assert_eq!(decoder.take(0).unwrap().rows.unwrap().num_rows(), 8192);
    assert!(decoder.take_rest(0).unwrap().rows.is_none());

    let long = plain_body(&format!(
        r#"{{"id":1,"title":"{}"}},{{"id":"{}","title":[]}}"#,
        "x".repeat(4 << 20),
        "y".repeat(4 << 20)
    ));
    decoder.decode(&long, &layout, &[], &[]).unwrap();
    let batches = decoder.take(0).unwrap();
    assert_eq!(batches.rows.unwrap().num_rows(), 1);
    assert_eq!(batches.rejects.unwrap().num_rows(), 1);
    assert!(decoder.take(9).unwrap().rows.is_none());
}

#[test]
fn a_layout_of_other_tables_is_refused() {
    let fault = |layout: &Layout, table: Table| match Decoder::new([table].into()).decode("{}", layout, &[], &[]) {
        Err(DecodeError::Layout(fault)) => fault.to_string(),
        other => panic!("{other:?}"),
    };
    let with = |change: fn(&mut RowsLayout)| {
        let mut rows = rows(Items::List, 1, &["title", "count"]);
        change(&mut rows);
        layout(vec![field("items", AncestorRole::Rows(rows))])
    };
    assert_eq!(fault(&with(|rows| rows.table = 1), titles()), "there is no table 1");
    assert_eq!(
        fault(&with(|rows| rows.row.cells[1].role = CellRole::Column(7)), titles()),
        "table `t` has no column 7"
    );
    let twice = with(|rows| rows.row.cells[1].role = CellRole::Column(2));
    assert_eq!(fault(&twice, titles()), "column `count` of table `t` is filled twice");
    assert_eq!(
        fault(&with(|rows| rows.row.cells[1].role = CellRole::Column(0)), titles()),
        "column `_id` of table `t` is filled twice"
    );
    let no_cell = "the `_id` of table `t` is made of no cell of its rows";
    assert_eq!(
        fault(&with(|rows| rows.row.id = RowId::Key(vec![3.into()])), titles()),
        no_cell
    );
    assert_eq!(fault(&with(|rows| rows.row.id = RowId::Key(vec![])), titles()), no_cell);
    let mut headless = titles();
    headless.columns.remove(0);
    assert_eq!(
        fault(&with(|_| ()), headless),
        LayoutFault::NoId("t".to_owned()).to_string()
    );

    let above = layout(vec![
        field("title", fill(1)),
        field("items", AncestorRole::Rows(rows(Items::List, 1, &["title"]))),
    ]);
    assert_eq!(fault(&above, titles()), "column `title` of table `t` is filled twice");
}
