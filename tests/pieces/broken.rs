//! Field errors in one of several groups of columns: that group is asked for again.

use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};

use crate::cell::{Cell, Kind};
use crate::project::Project;
use crate::stub::{Answer, Stub};

const SCHEMA: &str = "
type Query { crates(first: Int, after: String): CrateConnection }
type CrateConnection { nodes: [Crate] pageInfo: PageInfo! }
type PageInfo { hasNextPage: Boolean! endCursor: String }
type Crate { id: ID! title: String! weight: Int! colour: String text: String state: String }
";

fn project() -> Project {
    let settings = "endpoint = 'http://127.0.0.1:9/graphql'\nschema = 'schema.graphql'\nlimits.query.complexity = 8";
    Project::new(settings).with("schema.graphql", SCHEMA).with(
        "crates.graphql",
        "{ crates { nodes { id title weight colour text state } } }",
    )
}

/// Two crates. The first so many requests for their weights get none of the second one, or, `as_page`, of both.
fn api(failures: u32, as_page: bool) -> Stub {
    let requests = AtomicU32::new(0);
    Stub::start(move |request| {
        let text = request["query"].as_str().expect("a query");
        let row = |number: u32| {
            let all = json!({ "id": format!("c{number}"), "title": "t", "weight": number, "colour": "red", "text": "x",
                              "state": "open" });
            let all = all.as_object().expect("an object").clone().into_iter();
            all.filter(|(field, _)| text.contains(field.as_str()))
                .collect::<Value>()
        };
        let mut nodes = json!([row(1), row(2)]);
        let mut errors = Vec::new();
        if text.contains("colour") && requests.fetch_add(1, Ordering::Relaxed) < failures {
            errors.push(json!({ "message": "Exception - it broke", "path": ["crates", "nodes", 1, "colour"] }));
            nodes = if as_page { Value::Null } else { json!([row(1), null]) };
        }
        let page = json!({ "hasNextPage": false, "endCursor": null });
        let data = json!({ "crates": { "nodes": nodes, "pageInfo": page } });
        Answer::Json(match errors.is_empty() {
            true => json!({ "data": data }),
            false => json!({ "data": data, "errors": errors }),
        })
    })
}

fn colours(project: &Project) -> Vec<Cell> {
    let text = ["_id", "id", "title", "colour", "text", "state"].map(|name| (name, Kind::Text));
    let columns = [&text[..3], &[("weight", Kind::Int32)], &text[3..]].concat();
    let rows = project.newest("crates").rows("crates", &columns);
    rows.into_iter().flat_map(|mut row| row.remove("colour")).collect()
}

#[test]
fn a_group_of_columns_that_lacks_rows_for_an_error_is_asked_for_again() {
    let red = || Cell::Text("red".to_owned());
    for (as_page, failures) in [(false, 1), (false, 2), (true, 2)] {
        let (project, stub) = (project(), api(failures, as_page));
        project.run(&stub, &[]).with_code(0);
        assert_eq!(colours(&project), [red(), red()]);
        let asked = stub.requests().len();
        assert_eq!(
            asked,
            2 + failures as usize,
            "nothing but the group that broke is asked for again"
        );
    }
}

#[test]
fn a_group_of_columns_that_stays_broken_is_named() {
    let (project, stub) = (project(), api(u32::MAX, false));
    project.run(&stub, &[]).with_code(3);
    let incomplete = project.newest("crates").incomplete().join("\n");
    assert!(
        incomplete.contains("`crates.nodes.colour` is null: Exception - it broke"),
        "{incomplete}"
    );
    assert_eq!(colours(&project), [Cell::Text("red".to_owned()), Cell::Null]);
    assert_eq!(stub.requests().len(), 2 + 2);
}
