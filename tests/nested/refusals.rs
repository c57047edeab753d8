//! Pages below rows that the API refuses: what they are of is not complete, and everything else is.

use serde_json::{Value, json};

use crate::cell::{Cell, Kind};
use crate::project::Project;
use crate::stub::{Answer, Stub, refusal};

const SCHEMA: &str = "
type Query { node(id: ID!): Node  boxes(limit: Int, offset: Int): [Box!]! }
interface Node { id: ID! }
type Box implements Node { id: ID!  items(limit: Int, offset: Int): [Item!]! }
type Item { id: ID! }
";

/// Two attempts, and one box in each request, so that it is asked for by itself.
const SETTINGS: &str = "
endpoint = 'http://127.0.0.1:9/graphql'
schema = 'schema.graphql'
[limits]
page_size = 2
query = { root_fields = 1 }
[retry]
attempts = 2
initial_wait = '5ms'
max_wait = '20ms'
";

fn project() -> Project {
    Project::new(SETTINGS)
        .with("schema.graphql", SCHEMA)
        .with("boxes.graphql", "{ boxes { id items { id } } }")
}

/// Three items of a box, of which two come at most.
fn items(name: &str, offset: u64) -> Vec<Value> {
    let items = (offset..3).take(2);
    items.map(|number| json!({ "id": format!("{name}{number}") })).collect()
}

/// Four boxes, of which one is answered so when it is asked for by itself.
fn boxes(refused: &'static str, answer: impl Fn() -> Answer + Send + Sync + 'static) -> Stub {
    Stub::start(move |request| {
        let variables = &request["variables"];
        let text = request["query"].as_str().expect("a text");
        if text.contains("__typename") && !text.contains("id") {
            return Answer::Json(json!({ "data": { "__typename": "Query" } }));
        }
        let data = match variables["id"].as_str() {
            Some(name) if name == refused => return answer(),
            Some(name) => {
                json!({ "node": { "id": name, "items": items(name, variables["offset"].as_u64().expect("an offset")) } })
            }
            None => {
                let offset = variables["offset"].as_u64().expect("an offset");
                let names = ["a", "b", "c", "d"]
                    .into_iter()
                    .skip(usize::try_from(offset).expect("a number"));
                let boxes = names.take(2).map(|name| json!({ "id": name, "items": items(name, 0) }));
                json!({ "boxes": boxes.collect::<Vec<_>>() })
            }
        };
        Answer::Json(json!({ "data": data }))
    })
}

#[track_caller]
fn only_b_lacks_a_row(stub: &Stub, reason: &str) {
    let project = project();
    project.run(stub, &[]).with_code(3);
    let exported = project.newest("boxes");
    let columns = [("_id", Kind::Text), ("_parent_id", Kind::Text), ("id", Kind::Text)];
    let rows = exported.rows("boxes__items", &columns);
    let of = |name: &str| {
        rows.iter()
            .filter(|row| row["_parent_id"] == Cell::Text(name.to_owned()))
            .count()
    };
    assert_eq!(["a", "b", "c", "d"].map(of), [3, 2, 3, 3]);
    let incomplete = exported.incomplete();
    assert_eq!(incomplete.len(), 1, "{incomplete:?}");
    assert!(
        incomplete[0].starts_with("`boxes.items` of the row `b` cannot be read on behind its first 2 rows: "),
        "{incomplete:?}"
    );
    assert!(incomplete[0].contains(reason), "{incomplete:?}");
    assert_eq!(exported.manifest["connections"][1]["ends"]["lost"], 1);
}

#[test]
fn a_page_below_a_row_that_is_refused_is_lacking_there_alone() {
    only_b_lacks_a_row(&boxes("b", || refusal("that box is sealed")), "that box is sealed");
}

#[test]
fn a_page_below_a_row_that_the_server_crashes_on_is_lacking_there_alone() {
    let crash = || Answer::Other {
        status: 500,
        content_type: "text/plain",
        body: "crashed".to_owned(),
    };
    only_b_lacks_a_row(&boxes("b", crash), "crashed");
}

#[test]
fn a_query_that_the_api_does_not_know_any_more_ends_the_export() {
    let stub = Stub::start(|request| match request["variables"]["id"].as_str() {
        Some(_) => refusal("Cannot query field \"items\" on type \"Node\""),
        None => {
            let offset = request["variables"]["offset"].as_u64().expect("an offset");
            let boxes = (offset..30).map(|number| {
                let name = format!("b{number}");
                json!({ "id": name, "items": items(&name, 0) })
            });
            Answer::Json(json!({ "data": { "boxes": boxes.collect::<Vec<_>>() } }))
        }
    });
    let project = project();
    let ended = project.run(&stub, &["--set", "limits.page_size=50"]).with_code(1);
    assert!(ended.stderr.contains("Cannot query field"), "{}", ended.stderr);
    // All pages of boxes, some items, and what was refused once more by itself.
    assert!(stub.requests().len() < 37, "{}", stub.requests().len());
}
