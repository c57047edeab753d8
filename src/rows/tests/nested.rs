//! Rows that hold rows of other tables.

use super::*;
use crate::rows::{DecodeError, position_id};

/// A table with these columns after its `_id` and `_parent_id`.
fn child_table(columns: Vec<Column>) -> Table {
    let parent = scalar("_parent_id", ScalarType::String, false);
    table([parent].into_iter().chain(columns).collect())
}

fn text(name: &str) -> Column {
    scalar(name, ScalarType::String, true)
}

/// Rows of a child table whose `_id` is their `id`, and whose columns after `_parent_id` have the keys given.
fn child_rows(table: usize, items: Items, keys: &[&str]) -> RowsLayout {
    let mut layout = rows(items, 2, keys);
    layout.table = table;
    layout.row.has_parent = true;
    layout
}

fn by_position(mut layout: RowsLayout) -> RowsLayout {
    layout.row.id = RowId::Position { path: "p".to_owned() };
    layout
}

fn below(key: &str, below: AncestorRole) -> Cell {
    cell(key, CellRole::Below { column: None, below })
}

fn with_cells(mut layout: RowsLayout, cells: Vec<Cell>) -> RowsLayout {
    layout.row.cells.extend(cells);
    layout
}

fn edges(edge_cells: Vec<Cell>) -> Items {
    Items::Edges {
        edges: "edges".to_owned(),
        node: "node".to_owned(),
        cursor: None,
        edge_cells,
        beside: Vec::new(),
    }
}

fn parent_slot(parent: &str, position: u64) -> Slot<'_> {
    Slot {
        parent: Some(parent),
        position,
    }
}

/// A layout with its tables.
struct Case {
    tables: Vec<Table>,
    layout: Layout,
}

impl Case {
    fn decode(&self, body: &str) -> Vec<Outcome> {
        self.decode_with(body, &[], &[])
    }

    fn decode_with(&self, body: &str, slots: &[Slot<'_>], skips: &[Vec<u64>]) -> Vec<Outcome> {
        let mut decoder = Decoder::new(self.tables.clone().into());
        let counts = decoder.decode(body, &self.layout, slots, skips).unwrap();
        let usual = self.outcomes(&mut decoder, &counts);
        assert_eq!(self.read_as(Reading::Careful, body, slots, skips).unwrap(), usual);
        usual
    }

    /// What the fast reader makes of a body, which has to be one that it can take.
    fn decode_quickly(&self, body: &str) -> Vec<Outcome> {
        let quick = self.read_as(Reading::Quick, body, &[], &[]).unwrap();
        assert_eq!(self.decode(body), quick);
        quick
    }

    fn read_as(
        &self,
        reading: Reading,
        body: &str,
        slots: &[Slot<'_>],
        skips: &[Vec<u64>],
    ) -> serde_json::Result<Vec<Outcome>> {
        let mut decoder = Decoder::new(self.tables.clone().into());
        let layout = &self.layout;
        let page = PageBody {
            body,
            layout,
            slots,
            skips,
        };
        let counts = decoder.read(page, reading)?;
        Ok(self.outcomes(&mut decoder, &counts))
    }

    fn outcomes(&self, decoder: &mut Decoder, counts: &[TableCount]) -> Vec<Outcome> {
        let outcome = |(table, count): (usize, &TableCount)| {
            let batches = decoder.take_rest(table).unwrap();
            Outcome {
                rows: batches.rows.as_ref().map(lines).unwrap_or_default(),
                rejects: batches.rejects.as_ref().map(rejects).unwrap_or_default(),
                count: *count,
            }
        };
        assert_eq!(counts.len(), self.tables.len());
        counts.iter().enumerate().map(outcome).collect()
    }

    fn error(&self, body: &str, skips: &[Vec<u64>]) -> String {
        let mut decoder = Decoder::new(self.tables.clone().into());
        let error = decoder.decode(body, &self.layout, &[], skips).unwrap_err();
        let nothing = vec![TableCount::default(); self.tables.len()];
        let left = self.outcomes(&mut decoder, &nothing);
        assert!(left.iter().all(|outcome| *outcome == Outcome::default()), "{left:?}");
        error.to_string()
    }
}

fn reasons(outcome: &Outcome) -> Vec<(&str, &str, &str)> {
    let rejects = outcome.rejects.iter();
    rejects
        .map(|(raw, column, reason)| (raw.as_str(), column.as_str(), reason.as_str()))
        .collect()
}

const KEYLESS: &str = "the row that holds this one has no `_id`";

/// `groups { nodes { id title findings { nodes { id severity places { line } } } } }`, places without a key.
fn groups_findings_places() -> Case {
    let places = by_position(child_rows(2, Items::List, &["line"]));
    let findings = with_cells(
        child_rows(1, nodes(vec![]), &["severity"]),
        vec![below("places", AncestorRole::Rows(places))],
    );
    let groups = with_cells(
        rows(nodes(vec![]), 1, &["title"]),
        vec![below("findings", AncestorRole::Rows(findings))],
    );
    Case {
        tables: vec![
            table(vec![text("title")]),
            child_table(vec![scalar("severity", ScalarType::Int32, true)]),
            child_table(vec![scalar("line", ScalarType::Int32, false)]),
        ],
        layout: layout(vec![field("groups", AncestorRole::Rows(groups))]),
    }
}

fn groups_body(nodes: &str) -> String {
    format!(r#"{{"data":{{"groups":{{"nodes":[{nodes}]}}}}}}"#)
}

#[test]
fn rows_three_deep_know_their_parents() {
    let body = groups_body(
        r#"{"id":"g1","title":"a","findings":{"nodes":[
            {"id":1,"severity":5,"places":[{"line":10},{"line":11}]},
            {"id":2,"severity":6,"places":[]}]}},
        {"id":"g2","title":"b","findings":{"nodes":[{"places":[{"line":12}],"severity":7,"id":3}]}},
        {"id":"g3","title":"c","findings":{"nodes":[]}}"#,
    );
    let [groups, findings, places] = &groups_findings_places().decode_quickly(&body)[..] else {
        panic!();
    };
    let titles = ["g1\",\"title\":\"a", "g2\",\"title\":\"b", "g3\",\"title\":\"c"];
    assert_eq!(groups.rows, titles.map(|line| format!("{{\"_id\":\"{line}\"}}")));
    let expected = [
        r#"{"_id":"1","_parent_id":"g1","severity":5}"#,
        r#"{"_id":"2","_parent_id":"g1","severity":6}"#,
        r#"{"_id":"3","_parent_id":"g2","severity":7}"#,
    ];
    assert_eq!(findings.rows, expected);
    let place = |parent: &str, position, line: u32| {
        let id = position_id(parent, "p", position);
        format!(r#"{{"_id":"{id}","_parent_id":"{parent}","line":{line}}}"#)
    };
    assert_eq!(places.rows, [place("1", 0, 10), place("1", 1, 11), place("3", 0, 12)]);
    assert_eq!((groups.count.rows, findings.count.rows, places.count.rows), (3, 3, 3));
}

#[test]
fn a_key_may_come_after_the_rows_below() {
    let body = groups_body(r#"{"findings":{"nodes":[{"places":[{"line":1}],"id":7}]},"title":"a","id":"g"}"#);
    let outcomes = groups_findings_places().decode_quickly(&body);
    assert_eq!(outcomes[0].rows, [r#"{"_id":"g","title":"a"}"#]);
    assert_eq!(outcomes[1].rows, [r#"{"_id":"7","_parent_id":"g","severity":null}"#]);
    assert!(outcomes[2].rows[0].contains(r#""_parent_id":"7","line":1"#));
}

/// Two tables below each edge of a list: one in an object that is a column, too, one in a flattened object, and one
/// beside the node.
fn edges_with_siblings() -> Case {
    let findings = child_rows(1, Items::List, &["severity"]);
    let inside = vec![
        field("findings", AncestorRole::Rows(findings)),
        field("pageInfo", AncestorRole::Ignored),
    ];
    let report = CellRole::Below {
        column: Some(3),
        below: AncestorRole::Object(inside),
    };
    let events = child_rows(2, edges(vec![cell("at", CellRole::Column(3))]), &["kind"]);
    let log = vec![
        cell("size", CellRole::Column(4)),
        below("events", AncestorRole::Rows(events)),
    ];
    let notes = child_rows(2, Items::List, &["kind"]);
    let edge_cells = vec![
        cell("role", CellRole::Column(1)),
        below("notes", AncestorRole::Rows(notes)),
    ];
    let items = with_cells(
        rows(edges(edge_cells), 2, &["title"]),
        vec![cell("report", report), cell("log", CellRole::Flattened(log))],
    );
    let summary = ColumnType::Struct(vec![text("summary")]);
    Case {
        tables: vec![
            table(vec![
                text("role"),
                text("title"),
                column("report", summary, true),
                text("log_size"),
            ]),
            child_table(vec![text("severity")]),
            child_table(vec![text("kind"), text("at")]),
        ],
        layout: layout(vec![field("items", AncestorRole::Rows(items))]),
    }
}

#[test]
fn siblings_stand_under_objects_columns_and_edges() {
    let body = r#"{"data":{"items":{"edges":[
        {"role":"r","node":{"id":1,"title":"a",
            "report":{"summary":"s","findings":[{"id":"f1","severity":"x"}],"pageInfo":{}},
            "log":{"size":2,"events":{"edges":[{"at":"t1","node":{"id":"e1","kind":"k"}},{"at":"t2","node":null}]}}},
         "notes":[{"id":"n1","kind":"note"}]},
        {"notes":[{"id":"n2"}],"role":"s","node":{"log":null,"report":null,"title":"b","id":2}},
        {"role":"t","node":null,"notes":[{"id":"n3"}]}
    ]}}}"#;
    let [items, findings, events] = &edges_with_siblings().decode(body)[..] else {
        panic!();
    };
    let expected = [
        r#"{"_id":"1","role":"r","title":"a","report":{"summary":"s"},"log_size":"2"}"#,
        r#"{"_id":"2","role":"s","title":"b","report":null,"log_size":null}"#,
    ];
    assert_eq!(items.rows, expected);
    assert_eq!(findings.rows, [r#"{"_id":"f1","_parent_id":"1","severity":"x"}"#]);
    let expected = [
        r#"{"_id":"e1","_parent_id":"1","kind":"k","at":"t1"}"#,
        r#"{"_id":"n1","_parent_id":"1","kind":"note","at":null}"#,
        r#"{"_id":"n2","_parent_id":"2","kind":null,"at":null}"#,
    ];
    assert_eq!(events.rows, expected);
    assert_eq!((items.count.null_items, findings.count.null_lists), (1, 1));
    assert_eq!((events.count.null_items, events.count.null_lists), (1, 1));
}

#[test]
fn ordinary_pages_with_rows_below_are_read_once() {
    let body = r#"{"data":{"items":{"edges":[
        {"role":"r","notes":[],"node":{"id":1,"title":"a","report":{"findings":null},"log":{"size":2}}},
        {"role":"s","node":{"title":"b","id":2,"report":{"findings":[null,{"id":3}],"summary":"s"}}},null
    ]}}}"#;
    let outcomes = edges_with_siblings().decode_quickly(body);
    assert_eq!((outcomes[0].count.rows, outcomes[1].count.rows), (2, 1));
    assert_eq!((outcomes[1].count.null_lists, outcomes[2].count.null_lists), (1, 3));
}

#[test]
fn rows_below_a_row_that_does_not_fit_are_read_all_the_same() {
    let body = groups_body(
        r#"{"id":"g1","title":[],"findings":{"nodes":[
            {"places":[{"line":"x"},{"line":1}],"id":1,"severity":"high"},{"id":2,"severity":1,"places":[]}]}},
        {"id":"g2","title":"b","findings":{"nodes":[]}}"#,
    );
    let [groups, findings, places] = &groups_findings_places().decode(&body)[..] else {
        panic!();
    };
    assert_eq!(groups.rows, [r#"{"_id":"g2","title":"b"}"#]);
    assert_eq!((groups.count.rejected, groups.rejects[0].1.as_str()), (1, "title"));
    assert_eq!(findings.rows, [r#"{"_id":"2","_parent_id":"g1","severity":1}"#]);
    assert_eq!(findings.rejects[0].2, r#"`"high"` is no int32"#);
    let id = position_id("1", "p", 1);
    assert_eq!(places.rows, [format!(r#"{{"_id":"{id}","_parent_id":"1","line":1}}"#)]);
    assert_eq!(reasons(places), [(r#"{"line":"x"}"#, "line", r#"`"x"` is no int32"#)]);
}

#[test]
fn rows_below_a_row_without_a_key_are_rejected_and_those_below_them_are_not() {
    let finding = r#"{"id":1,"severity":5,"places":[{"line":10}]}"#;
    let body = groups_body(&format!(
        r#"{{"title":"a","findings":{{"nodes":[{finding},null]}}}},{{"id":"g2","findings":{{"nodes":[{{"places":[{{"line":2}},null]}}]}}}}"#
    ));
    let [groups, findings, places] = &groups_findings_places().decode(&body)[..] else {
        panic!();
    };
    assert_eq!(groups.rows, [r#"{"_id":"g2","title":null}"#]);
    assert_eq!(groups.rejects[0].1, "_id");
    assert!(findings.rows.is_empty());
    let missing = "no value where the schema promises one";
    let expected = [
        (finding, "_parent_id", KEYLESS),
        (r#"{"places":[{"line":2},null]}"#, "_id", missing),
    ];
    assert_eq!(reasons(findings), expected);
    assert_eq!(findings.count.null_items, 1);
    let id = position_id("1", "p", 0);
    assert_eq!(places.rows, [format!(r#"{{"_id":"{id}","_parent_id":"1","line":10}}"#)]);
    assert_eq!(reasons(places), [(r#"{"line":2}"#, "_id", KEYLESS)]);
    assert_eq!(places.count.null_items, 1);
}

#[test]
fn a_null_has_no_rows_below() {
    let body = groups_body(r#"null,{"id":1,"findings":null},{"id":2},{"id":3,"findings":{"nodes":[null]}}"#);
    let outcomes = groups_findings_places().decode_quickly(&body);
    let counts: Vec<_> = outcomes.iter().map(|outcome| outcome.count).collect();
    let count = |rows, null_items, null_lists| TableCount {
        rows,
        null_items,
        null_lists,
        ..TableCount::default()
    };
    assert_eq!(counts, [count(3, 1, 0), count(0, 1, 2), count(0, 0, 0)]);
}

#[test]
fn what_stands_under_a_key_that_comes_twice_stays_with_the_reject() {
    let item = r#"{"id":1,"findings":{"nodes":[{"id":2}]},"findings":{"nodes":[{"id":3}]}}"#;
    let outcomes = groups_findings_places().decode(&groups_body(item));
    let reason = "the key `findings` stands twice in one object";
    assert_eq!(reasons(&outcomes[0]), [(item, "findings", reason)]);
    assert_eq!(outcomes[1], Outcome::default());
}

#[test]
fn a_flattened_object_that_comes_twice_is_noticed_where_anything_is_taken_from_it() {
    let list = below("list", AncestorRole::Rows(child_rows(1, Items::List, &[])));
    let case = |inner| Case {
        tables: vec![table(vec![]), child_table(vec![])],
        layout: layout(vec![field(
            "items",
            AncestorRole::Rows(with_cells(
                rows(Items::List, 1, &[]),
                vec![cell("a", CellRole::Flattened(vec![inner]))],
            )),
        )]),
    };
    let body = plain_body(r#"{"id":1,"a":{},"a":{"list":[{"id":2}]}}"#);
    let outcomes = case(list).decode(&body);
    assert_eq!((outcomes[0].count.rejected, outcomes[1].count.rows), (1, 0));
    let outcomes = case(cell("list", CellRole::Ignored)).decode_quickly(&body);
    assert_eq!((outcomes[0].count.rows, outcomes[1].count.rows), (1, 0));
}

#[test]
fn a_value_beside_rows_below_goes_to_these_alone_and_spoils_these_alone() {
    let beside = vec![field(
        "total",
        AncestorRole::Columns(vec![ColumnPlace { table: 1, column: 2 }]),
    )];
    let leaves = by_position(child_rows(2, Items::List, &[]));
    let mut findings = with_cells(
        child_rows(1, nodes(beside), &[]),
        vec![below("leaves", AncestorRole::Rows(leaves))],
    );
    findings.row.cells.push(cell("x", CellRole::Column(3)));
    let groups = with_cells(
        rows(Items::List, 1, &[]),
        vec![below("findings", AncestorRole::Rows(findings))],
    );
    let case = Case {
        tables: vec![
            table(vec![]),
            child_table(vec![scalar("total", ScalarType::Int32, false), text("x")]),
            child_table(vec![]),
        ],
        layout: layout(vec![field("items", AncestorRole::Rows(groups))]),
    };
    let body = |total: &str| {
        plain_body(&format!(
            r#"{{"id":1,"findings":{{"total":2,"nodes":[{{"id":"a","x":"y"}},{{"id":"b"}}]}}}},
            {{"id":2,"findings":{{"nodes":[{{"id":"c","leaves":[{{}}]}}],"total":{total}}}}}"#
        ))
    };
    let first = [
        r#"{"_id":"a","_parent_id":"1","total":2,"x":"y"}"#,
        r#"{"_id":"b","_parent_id":"1","total":2,"x":null}"#,
    ];
    let fitting = case.decode_quickly(&body("1"));
    assert_eq!(fitting[1].rows[..2], first);
    assert_eq!(fitting[1].rows[2], r#"{"_id":"c","_parent_id":"2","total":1,"x":null}"#);
    let spoilt = case.decode(&body("null"));
    assert_eq!(spoilt[1].rows, first);
    assert_eq!(spoilt[1].rejects[0].1, "total");
    assert_eq!(
        (spoilt[0].count.rows, spoilt[1].count.rows, spoilt[1].count.rejected),
        (2, 2, 1)
    );
    // The row has its `_id` all the same, and so have those that it holds.
    assert_eq!(spoilt[2].rows, fitting[2].rows);
}

#[test]
fn a_value_above_all_goes_to_rows_at_any_depth() {
    let mut case = groups_findings_places();
    case.tables[1]
        .columns
        .push(scalar("organization", ScalarType::String, false));
    let place = ColumnPlace { table: 1, column: 3 };
    let AncestorRole::Object(root) = &mut case.layout.data.role else {
        panic!();
    };
    root.push(field("name", AncestorRole::Columns(vec![place])));
    let body = r#"{"data":{"groups":{"nodes":[{"id":1,"findings":{"nodes":[{"id":2}]}}]},"name":"o"}}"#;
    let rows = [r#"{"_id":"2","_parent_id":"1","severity":null,"organization":"o"}"#];
    assert_eq!(case.decode_quickly(body)[1].rows, rows);
}

/// Two tasks of one connection by the lookup of its parents, and one by its parent's place.
fn three_tasks() -> Case {
    let findings = || AncestorRole::Rows(by_position(child_rows(0, nodes(vec![]), &["severity"])));
    let only = AncestorRole::Only(vec![field("findings", findings())]);
    Case {
        tables: vec![child_table(vec![text("severity")])],
        layout: layout(vec![
            field("t0", AncestorRole::Object(vec![field("findings", findings())])),
            field("t1", AncestorRole::Object(vec![field("findings", findings())])),
            field("t2", AncestorRole::Object(vec![field("nodes", only)])),
        ]),
    }
}

fn finding(parent: &str, position: u64, severity: &str) -> String {
    let id = position_id(parent, "p", position);
    format!(r#"{{"_id":"{id}","_parent_id":"{parent}","severity":"{severity}"}}"#)
}

#[test]
fn each_root_field_has_its_own_parent_and_position() {
    let body = r#"{"data":{
        "t2":{"nodes":[{"findings":{"nodes":[{"severity":"e"}]}}]},
        "t0":{"findings":{"nodes":[{"severity":"a"},null,{"severity":"b"}]}},
        "t1":{"findings":{"nodes":[{"severity":"c"},{"severity":"d"}]}}}}"#;
    let slots = [parent_slot("x", 5), parent_slot("y", 100), parent_slot("z", 0)];
    let outcomes = three_tasks().decode_with(body, &slots, &[]);
    let expected = [
        finding("z", 0, "e"),
        finding("x", 5, "a"),
        finding("x", 7, "b"),
        finding("y", 100, "c"),
        finding("y", 101, "d"),
    ];
    assert_eq!(outcomes[0].rows, expected);
}

#[test]
fn a_root_field_without_a_slot_has_no_parent() {
    let body = r#"{"data":{"t0":{"findings":{"nodes":[{"severity":"a"}]}},"t1":null,
        "t2":{"nodes":[{"findings":{"nodes":[{"severity":"b"}]}}]}}}"#;
    let outcomes = three_tasks().decode_with(body, &[parent_slot("x", 0)], &[]);
    assert_eq!(outcomes[0].rows, [finding("x", 0, "a")]);
    let missing = "no value where the schema promises one";
    assert_eq!(reasons(&outcomes[0]), [(r#"{"severity":"b"}"#, "_parent_id", missing)]);
}

#[test]
fn a_list_of_at_most_one_object_is_looked_into() {
    let case = three_tasks();
    let body = |only: &str| format!(r#"{{"data":{{"t0":null,"t1":null,"t2":{{"nodes":{only}}}}}}}"#);
    for absent in ["null", "[]", "[null]", r#"[{"findings":null}]"#, "[{}]"] {
        let outcomes = case.decode(&body(absent));
        assert_eq!(outcomes[0].count.null_lists, 3, "{absent}");
    }
    for several in ["[{},{}]", "[null,null]"] {
        let error = case.error(&body(several), &[]);
        assert!(error.contains("more than one object under `nodes`"), "{error}");
    }
    let error = case.error(&body("{}"), &[]);
    assert!(error.contains("expected a list under `nodes`"), "{error}");
}

#[test]
fn rows_that_came_before_are_left_out_with_all_that_they_hold() {
    let body = groups_body(
        r#"{"id":1,"findings":{"nodes":[{"id":11,"places":[{"line":1},{"line":2}]},null,{"id":12,"places":[{"line":3}]}]}},
        {"id":2,"findings":{"nodes":[{"id":21,"places":[{"line":4}]}]}},
        {"id":3,"findings":{"nodes":[{"id":31,"severity":"x","places":[{"line":5},{"line":6}]},{"id":32}]}}"#,
    );
    let case = groups_findings_places();
    // Of the findings 11, null, 12, 31 and 32 the third and the last; of the lines 1, 2, 5 and 6 the second and third.
    let skips = [vec![1], vec![2, 4], vec![1, 2]];
    let [groups, findings, places] = &case.decode_with(&body, &[], &skips)[..] else {
        panic!();
    };
    assert_eq!(
        groups.rows,
        [r#"{"_id":"1","title":null}"#, r#"{"_id":"3","title":null}"#]
    );
    assert_eq!(findings.rows, [r#"{"_id":"11","_parent_id":"1","severity":null}"#]);
    assert_eq!((findings.count.rejected, findings.count.null_items), (1, 1));
    let place = |parent, position, line: u32| {
        let id = position_id(parent, "p", position);
        format!(r#"{{"_id":"{id}","_parent_id":"{parent}","line":{line}}}"#)
    };
    assert_eq!(places.rows, [place("11", 0, 1), place("31", 1, 6)]);
    let skipped = [groups, findings, places].map(|outcome| outcome.count.skipped);
    assert_eq!(skipped, [1, 2, 2]);
}

#[test]
fn items_are_counted_in_the_order_of_the_body() {
    let case = edges_with_siblings();
    let notes = r#""notes":[{"id":"n"}]"#;
    let node = |title: &str| {
        format!(r#""node":{{"log":{{"events":{{"edges":[{{"node":{{"id":"e"}}}}]}}}},"id":1,"title":{title}}}"#)
    };
    // The second title sends the page to the careful reader.
    for title in ["\"a\"", "[]"] {
        let node = node(title);
        for (edge, left) in [(format!("{notes},{node}"), "e"), (format!("{node},{notes}"), "n")] {
            let body = format!(r#"{{"data":{{"items":{{"edges":[{{{edge}}}]}}}}}}"#);
            let outcomes = case.decode_with(&body, &[], &[vec![], vec![], vec![0]]);
            let rows = [format!(r#"{{"_id":"{left}","_parent_id":"1","kind":null,"at":null}}"#)];
            assert_eq!(outcomes[2].rows, rows);
        }
    }
}

#[test]
fn items_that_are_to_be_left_out_have_to_be_there() {
    let body = groups_body(r#"{"id":1,"findings":{"nodes":[{"id":11}]}},null"#);
    let case = groups_findings_places();
    assert_eq!(case.decode_with(&body, &[], &[vec![0, 1]])[0].count.skipped, 2);
    for skips in [
        vec![vec![2]],
        vec![vec![0], vec![0]],
        vec![vec![1, 0]],
        vec![vec![0, 0]],
    ] {
        let error = case.error(&body, &skips);
        assert!(error.contains("fewer items than were to be left out"), "{error}");
    }
}

#[test]
fn a_body_that_is_wrong_below_a_row_leaves_no_trace() {
    let case = groups_findings_places();
    let before = r#"{"id":1,"title":[],"findings":{"nodes":[{"id":[]},{"id":2,"places":[{"line":1},{"line":null}]}]}}"#;
    for (below, told) in [
        ("[]", "expected an object under `findings` at line 1"),
        (r#"{"nodes":{}}"#, "expected a list of rows at line 1"),
        (
            r#"{"nodes":[],"nodes":[]}"#,
            "`nodes` stands twice in one object at line 1",
        ),
        (
            r#"{"nodes":[{"id":1,"places":7}]}"#,
            "expected a list of rows at line 1",
        ),
    ] {
        let body = groups_body(&format!(r#"{before},{{"id":2,"findings":{below}}}"#));
        let error = case.error(&body, &[]);
        assert!(error.contains(told), "{error}");
        let places = error.matches(" at line ").count();
        assert_eq!(places, 1, "{error}");
    }
    let good = groups_body(before);
    assert_eq!(case.decode(&good)[2].count.rows, 1);
    for end in 1..good.len() {
        case.error(&good[..end], &[]);
    }
}

#[test]
fn layouts_of_rows_below_that_cannot_be_are_refused() {
    let fault = |change: fn(&mut Case, &mut RowsLayout)| {
        let mut case = groups_findings_places();
        let mut findings = child_rows(1, nodes(vec![]), &["severity"]);
        change(&mut case, &mut findings);
        let groups = with_cells(
            rows(nodes(vec![]), 1, &["title"]),
            vec![below("findings", AncestorRole::Rows(findings))],
        );
        let layout = layout(vec![field("groups", AncestorRole::Rows(groups))]);
        match Decoder::new(case.tables.into()).decode("{}", &layout, &[], &[]) {
            Err(DecodeError::Layout(fault)) => fault.to_string(),
            other => panic!("{other:?}"),
        }
    };
    let no_parent_id = "the second column of table `t` is not its `_parent_id`";
    assert_eq!(
        fault(|case, _| case.tables[1] = table(vec![text("severity"), text("x")])),
        no_parent_id
    );
    assert_eq!(fault(|case, _| case.tables[1].columns[1].nullable = true), no_parent_id);
    assert_eq!(
        fault(|_, findings| findings.row.has_parent = false),
        "the rows of table `t` stand below others, and have no `_parent_id`"
    );
    assert_eq!(
        fault(|_, findings| findings.row.cells[1].role = CellRole::Column(1)),
        "column `_parent_id` of table `t` is filled twice"
    );
    assert_eq!(
        fault(|_, findings| {
            let inner = child_rows(1, Items::List, &[]);
            findings.row.cells.push(below("again", AncestorRole::Rows(inner)));
        }),
        "the rows of table `t` stand within rows of the same table"
    );
    for role in [AncestorRole::Ignored, AncestorRole::Columns(Vec::new())] {
        let groups = with_cells(rows(Items::List, 1, &["title"]), vec![below("findings", role)]);
        let layout = layout(vec![field("groups", AncestorRole::Rows(groups))]);
        let mut decoder = Decoder::new(groups_findings_places().tables.into());
        let error = decoder.decode("{}", &layout, &[], &[]).unwrap_err();
        assert!(error.to_string().contains("`findings` of table `t`"), "{error}");
    }
    assert_eq!(
        fault(|_, findings| {
            let of_column = CellRole::Below {
                column: Some(2),
                below: AncestorRole::Only(Vec::new()),
            };
            findings.row.cells.push(cell("object", of_column));
        }),
        "column `severity` of table `t` is filled twice"
    );
    assert_eq!(
        fault(|_, findings| {
            let no_table = AncestorRole::Rows(child_rows(9, Items::List, &[]));
            let only = AncestorRole::Only(vec![field("list", no_table)]);
            findings.row.cells.push(below("object", only));
        }),
        "there is no table 9"
    );
}
