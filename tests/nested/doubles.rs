//! Rows that come twice in one page.

use serde_json::{Value, json};

use crate::cell::{Cell, Kind};
use crate::exported::Exported;
use crate::project::Project;
use crate::stub::{Answer, Stub};

const SCHEMA: &str = "
type Query { node(id: ID!): Node groups(first: Int, after: String): GroupConnection! }
interface Node { id: ID! }
type Group implements Node { id: ID! name: String findings(first: Int, after: String): FindingConnection! }
type Finding implements Node { id: ID! title: String }
type GroupConnection { edges: [GroupEdge!]! pageInfo: PageInfo! }
type GroupEdge { cursor: String! node: Group! }
type FindingConnection { nodes: [Finding!]! pageInfo: PageInfo! }
type PageInfo { hasNextPage: Boolean! endCursor: String }
";

const SETTINGS: &str = "
endpoint = 'http://127.0.0.1:9/graphql'
schema = 'schema.graphql'
";

/// The findings of a group, of which the second page has but one.
fn findings(group: &str, from: usize) -> Value {
    let all = ["1", "2", "3"].map(|number| json!({ "id": format!("{group}{number}"), "title": "t" }));
    let (nodes, has_next) = match from {
        0 => (&all[..2], true),
        _ => (&all[2..], false),
    };
    json!({ "nodes": nodes, "pageInfo": { "hasNextPage": has_next, "endCursor": "c" } })
}

/// Two groups of three findings, the first of them there twice, the second time under that name.
fn groups(second_name: &'static str) -> Stub {
    Stub::start(move |request| {
        let text = request["query"].as_str().expect("a text");
        if text.contains("node(") {
            // However many groups are asked for: their key is in the variables.
            let slots = request["variables"].as_object().expect("variables").iter();
            let ids = slots.filter(|(_, value)| matches!(value.as_str(), Some("a" | "b")));
            let ids: Vec<&str> = ids.filter_map(|(_, value)| value.as_str()).collect();
            let node = |id: &str| json!({ "id": id, "findings": findings(id, 2) });
            let data = match ids.as_slice() {
                [only] => json!({ "node": node(only) }),
                ids => ids
                    .iter()
                    .enumerate()
                    .map(|(slot, id)| (format!("t{slot}"), node(id)))
                    .collect(),
            };
            return Answer::Json(json!({ "data": data }));
        }
        let edges = [("a", "one"), ("b", "two"), ("a", second_name)].into_iter().enumerate();
        let edges: Vec<Value> = edges
            .map(|(cursor, (id, name))| {
                json!({ "cursor": cursor.to_string(), "node": { "id": id, "name": name, "findings": findings(id, 0) } })
            })
            .collect();
        let page = json!({ "hasNextPage": false, "endCursor": "2" });
        Answer::Json(json!({ "data": { "groups": { "edges": edges, "pageInfo": page } } }))
    })
}

fn export(stub: &Stub, code: i32) -> (Project, Exported) {
    let project = Project::new(SETTINGS).with("schema.graphql", SCHEMA).with(
        "groups.graphql",
        "{ groups { edges { node { id name findings { nodes { id title } } } } } }",
    );
    project.run(stub, &[]).with_code(code);
    let exported = project.newest("groups");
    (project, exported)
}

#[track_caller]
fn check_rows(exported: &Exported) {
    let text = |name: &str| Cell::Text(name.to_owned());
    let columns = [("_id", Kind::Text), ("id", Kind::Text), ("name", Kind::Text)];
    let rows = exported.rows("groups", &columns);
    let names: Vec<&Cell> = rows.iter().map(|row| &row["name"]).collect();
    assert_eq!(names, [&text("one"), &text("two")]);
    let columns = [
        ("_id", Kind::Text),
        ("_parent_id", Kind::Text),
        ("id", Kind::Text),
        ("title", Kind::Text),
    ];
    let mut ids: Vec<String> = exported
        .rows("groups__findings", &columns)
        .iter()
        .map(|row| format!("{:?}", row["id"]))
        .collect();
    ids.sort();
    let expected: Vec<String> = ["a1", "a2", "a3", "b1", "b2", "b3"]
        .map(|id| format!("{:?}", text(id)))
        .into();
    assert_eq!(ids, expected);
    let connections = exported.manifest["connections"].as_array().expect("connections");
    assert_eq!(connections[0]["repeated"], 1);
    assert_eq!(
        (&connections[1]["opened"], &connections[1]["rows"]),
        (&json!(2), &json!(6))
    );
}

#[test]
fn a_row_twice_in_a_page_is_one_row_with_its_children_once() {
    let (_project, exported) = export(&groups("one"), 0);
    check_rows(&exported);
    assert_eq!(exported.incomplete(), Vec::<&str>::new());
}

#[test]
fn two_rows_of_a_page_that_share_a_key_and_differ_are_told() {
    let (_project, exported) = export(&groups("other"), 3);
    check_rows(&exported);
    let told = exported.incomplete();
    assert!(
        told.len() == 1
            && told[0].starts_with("`groups` has rows in one page that have the same key and are not the same"),
        "{told:?}"
    );
}
