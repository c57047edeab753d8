//! What goes wrong, each with the words that tell it and the exit code: what happened, where, and what to do about it.

use serde_json::{Value, json};

use crate::program::run;
use crate::project::{Api, Project};
#[cfg(debug_assertions)]
use crate::stub::{Answer, Stub, cursor};

mod caps;
mod configuration;
mod disk;
mod hostile;
mod network;
mod paging;
mod queries;
#[cfg(debug_assertions)]
mod removed;
mod secrets;
mod shortcomings;
#[cfg(debug_assertions)]
mod state;

const SCHEMA: &str = "
type Query { items(first: Int, after: String): ItemConnection boxes(first: Int, after: String): BoxConnection }
type Mutation { drop(id: ID!): Boolean }
type Subscription { dropped: ID }
type ItemConnection { nodes: [Item] pageInfo: PageInfo! }
type BoxConnection { nodes: [Box!]! pageInfo: PageInfo! }
type PageInfo { hasNextPage: Boolean! endCursor: String }
type Item { id: ID! size: Int note: String }
type Box { id: ID! items(first: Int, after: String): ItemConnection! }
";

const SETTINGS: &str = "endpoint = 'http://127.0.0.1:9/graphql'
schema = 'schema.graphql'
[retry]
attempts = 2
initial_wait = '1ms'
max_wait = '2ms'
";

const ITEMS: &str = "{ items { nodes { id size } } }\n";

/// A source with the schema above and one query file.
fn items(query: &str) -> Project {
    Project::new(SETTINGS)
        .with("schema.graphql", SCHEMA)
        .with("items.graphql", query)
}

/// A page of `items`.
fn page(nodes: Value, next: Option<&str>) -> Value {
    let page_info = json!({ "hasNextPage": next.is_some(), "endCursor": next });
    json!({ "data": { "items": { "nodes": nodes, "pageInfo": page_info } } })
}

/// What a failing run tells, without what differs from run to run.
#[track_caller]
fn failure(project: &Project, api: impl Into<Api>, code: i32) -> String {
    let ended = project.run(api, &["--quiet"]).with_code(code);
    assert_eq!(ended.stdout, "");
    project.steady(&ended.stderr)
}

/// The same of a project that goes wrong before anything is asked.
#[track_caller]
fn refusal(project: &Project) -> String {
    let ended = run(&mut project.gqldump(&["run", "--quiet"])).with_code(2);
    assert!(!project.output().join("api/items").exists());
    project.steady(&ended.stderr)
}

/// Four pages of items.
#[cfg(debug_assertions)]
fn pages() -> Stub {
    Stub::start(|request| {
        let number: u64 = cursor(request).map_or(0, |after| after.parse().expect("a number"));
        let next = (number < 3).then(|| (number + 1).to_string());
        let node = json!([{ "id": format!("item {number}"), "size": number }]);
        Answer::Json(page(node, next.as_deref()))
    })
}
