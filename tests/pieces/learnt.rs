//! Columns that are too many together, however few rows are asked for: they are asked for in groups, and are so from the
//! beginning the next night, as `plan` tells.

use serde_json::{Value, json};

use crate::cell::Kind;
use crate::program::run;
use crate::project::Project;
use crate::stub::{Answer, Stub, cursor};

const SCHEMA: &str = "
type Query { crates(first: Int, after: String): CrateConnection }
type CrateConnection { nodes: [Crate] pageInfo: PageInfo! }
type PageInfo { hasNextPage: Boolean! endCursor: String }
type Crate { id: ID! colour: String text: String }
";
const CRATES: u64 = 40;

fn project() -> Project {
    let settings = "endpoint = 'http://127.0.0.1:9/graphql'\nschema = 'schema.graphql'\n[limits]\npage_size = 10\n\
                    [retry]\ninitial_wait = '2ms'\nmax_wait = '5ms'\n";
    let query = "{ crates { nodes { id colour text } } }";
    Project::new(settings)
        .with("schema.graphql", SCHEMA)
        .with("crates.graphql", query)
}

/// Forty crates, of which no request may have both the colour and the text, and is told so.
fn api(refusal: impl Fn() -> Answer + Send + Sync + 'static) -> Stub {
    Stub::start(move |request| {
        let text = request["query"].as_str().expect("a query");
        if text == "{__typename}" {
            return Answer::Json(json!({ "data": { "__typename": "Query" } }));
        }
        if text.contains("colour") && text.contains("text") {
            return refusal();
        }
        let sizes = request["variables"].as_object();
        let first = sizes.and_then(|all| all.values().find_map(Value::as_u64)).unwrap_or(10);
        let begin = cursor(request).map_or(0, |cursor| cursor.parse::<u64>().expect("a number"));
        let end = (begin + first).min(CRATES);
        let node = |number: u64| json!({ "id": format!("c{number}"), "colour": "red", "text": format!("{number}") });
        let nodes: Vec<Value> = (begin..end).map(node).collect();
        let page = json!({ "hasNextPage": end < CRATES, "endCursor": end.to_string() });
        Answer::Json(json!({ "data": { "crates": { "nodes": nodes, "pageInfo": page } } }))
    })
}

#[test]
fn what_not_even_one_row_came_with_is_cut_from_the_beginning_the_next_night() {
    is_cut(&api(|| Answer::Other {
        status: 502,
        content_type: "text/html",
        body: "<html>Bad Gateway</html>".to_owned(),
    }));
}

/// A gateway that tells it in a 200, in words of its own.
#[test]
fn what_not_even_one_row_came_with_is_cut_whatever_the_words() {
    is_cut(&api(|| {
        Answer::Json(json!({ "errors": [{ "message": "Payload over the limit of this gateway" }] }))
    }));
}

#[track_caller]
fn is_cut(stub: &Stub) {
    let project = project();
    let failures = |requests: &[Value]| {
        let text = |request: &&Value| {
            let text = request["query"].as_str().unwrap_or_default();
            text.contains("colour") && text.contains("text")
        };
        requests.iter().filter(text).count()
    };
    let check = || {
        let columns = ["_id", "id", "colour", "text"].map(|name| (name, Kind::Text));
        let rows = project.newest("crates").rows("crates", &columns);
        assert_eq!(rows.len() as u64, CRATES);
    };
    project.run(stub, &[]).with_code(0);
    check();
    let first = stub.requests().len();
    assert!(failures(&stub.requests()) > 0);

    let told = run(&mut project.gqldump(&["plan"])).with_code(0).stdout;
    assert!(told.contains("columns of `crates` in 2 requests"), "{told}");
    let json = run(&mut project.gqldump(&["plan", "--json"])).with_code(0).stdout;
    let json: Value = serde_json::from_str(&json).expect("JSON");
    let query = &json["sources"][0]["queries"][0];
    assert_eq!(query["learnt_cuts"], json!([{ "connection": "crates", "groups": 2 }]));

    project.run(stub, &[]).with_code(0);
    check();
    let second = &stub.requests()[first..];
    assert_eq!(failures(second), 0);
    let estimate = query["estimate"]["requests"].as_u64().expect("an estimate");
    let sent = second.len() as u64;
    assert!((sent / 2..=sent * 2).contains(&estimate), "{estimate} for {sent}");
}
