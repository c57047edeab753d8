//! Pages that are too large for the API, told in words beside what it gives.

use serde_json::{Value, json};

use super::{ITEMS, items, page};
use crate::cell::Kind;
use crate::program::run;
use crate::project::Project;
use crate::stub::{Answer, Stub};

const CAP: u64 = 25;
const ROWS: u64 = 60;

/// The variable of the request that is a number, and the one that is a cursor.
fn asked(request: &Value) -> (u64, u64) {
    let variables = request["variables"].as_object().into_iter().flatten();
    let values: Vec<&Value> = variables.map(|(_, value)| value).collect();
    let size = values.iter().find_map(|value| value.as_u64()).unwrap_or(10);
    let after = values.iter().find_map(|value| value.as_str()?.parse().ok());
    (size, after.unwrap_or(0))
}

/// An API of so many items, which refuses larger pages than 25 with that.
fn refusing(refusal: Value) -> Stub {
    Stub::start(move |request| {
        let (size, after) = asked(request);
        if size > CAP {
            return Answer::Json(refusal.clone());
        }
        let end = (after + size).min(ROWS);
        let nodes = (after..end).map(|id| json!({ "id": id.to_string(), "size": 1 }));
        let next = (end < ROWS).then(|| end.to_string());
        Answer::Json(page(nodes.collect(), next.as_deref()))
    })
}

/// The sizes that were asked for, after a run that exported all items.
fn sizes_of_run(project: &Project, stub: &Stub) -> Vec<u64> {
    let before = stub.requests().len();
    project.run(stub, &["--quiet"]).with_code(0);
    let columns = [("_id", Kind::Text), ("id", Kind::Text), ("size", Kind::Int32)];
    let rows = project.exported("items").rows("items", &columns);
    assert_eq!(rows.len() as u64, ROWS);
    stub.requests()[before..]
        .iter()
        .map(|request| asked(request).0)
        .collect()
}

#[test]
fn a_cap_that_is_told_with_the_place_of_the_page_is_kept_to_at_once() {
    for words in ["The maximum page size is 25", "You can request at most 25 items"] {
        for data in [json!({ "items": null }), Value::Null] {
            let error = json!({ "message": words, "path": ["items"] });
            let stub = refusing(json!({ "data": data, "errors": [error] }));
            assert_eq!(sizes_of_run(&items(ITEMS), &stub), [100, 25, 25, 25], "{words} {data}");
        }
    }
}

#[test]
fn a_refusal_that_tells_nothing_is_tried_with_a_single_row_and_remembered_as_of_size_if_that_comes() {
    let stub = refusing(json!({ "errors": [{ "message": "This is more than we are ready to give." }] }));
    let project = items(ITEMS);
    let sizes = sizes_of_run(&project, &stub);
    assert_eq!(sizes[..2], [100, 1]);
    let refused = |sizes: &[u64]| sizes.iter().filter(|size| **size > CAP).count();
    assert!(refused(&sizes) <= 4, "{sizes:?}");
    let sizes = sizes_of_run(&project, &stub);
    assert!(refused(&sizes) <= 1, "{sizes:?}");
    // What is refused whatever its size costs one more look, and one at each half of the columns.
    let stub = Stub::start(|_| Answer::Json(json!({ "errors": [{ "message": "No." }] })));
    let project = items(ITEMS);
    project.run(&stub, &["--quiet"]).with_code(1);
    let sizes: Vec<u64> = stub.requests().iter().map(|request| asked(request).0).collect();
    assert_eq!(sizes, [100, 1, 1, 1]);
}

/// The number of a request's variable with such a name, or the one that stands in its text.
fn number(request: &Value, name: &str) -> Option<u64> {
    let text = request["query"].as_str()?;
    let (_, behind) = text.rsplit_once(&format!("{name}:"))?;
    let value = behind.trim_start().split([',', ')', ' ']).next()?;
    match value.strip_prefix('$') {
        Some(variable) => request["variables"][variable].as_u64(),
        None => value.parse().ok(),
    }
}

/// Lists that say in nothing but their total that there are more, and give 23 rows at most.
#[test]
fn a_page_that_is_cut_off_in_silence_is_known_the_next_time() {
    const ROWS: u64 = 500;
    for style in ["offset", "page"] {
        let stub = Stub::start(move |request| {
            let size = number(request, "limit").unwrap_or(10).min(23);
            let begin = match style {
                "offset" => number(request, style).unwrap_or(0),
                _ => (number(request, style).unwrap_or(1) - 1) * size,
            };
            let items = (begin..(begin + size).min(ROWS)).map(|id| json!({ "id": id.to_string(), "size": 1 }));
            Answer::Json(json!({ "data": { "items": { "nodes": items.collect::<Value>(), "total": ROWS } } }))
        });
        let settings = format!(
            "{}[limits]\npage_size = 200\nquery = {{ root_fields = 1 }}\n",
            super::SETTINGS
        );
        let schema = format!(
            "type Query {{ items({style}: Int, limit: Int): Items! }}
            type Items {{ nodes: [Item!]! total: Int! }} type Item {{ id: ID! size: Int }}"
        );
        let project = Project::new(&settings)
            .with("schema.graphql", &schema)
            .with("items.graphql", ITEMS);
        for night in 0..2 {
            let before = stub.requests().len();
            project.run(&stub, &["--quiet"]).with_code(0);
            let columns = [("_id", Kind::Text), ("id", Kind::Text), ("size", Kind::Int32)];
            assert_eq!(project.exported("items").rows("items", &columns).len() as u64, ROWS);
            let sizes = stub.requests()[before..]
                .iter()
                .map(|request| number(request, "limit"))
                .collect::<Vec<_>>();
            assert!(
                night == 0 || sizes.iter().all(|size| *size <= Some(23)),
                "{style}: {sizes:?}"
            );
            assert!(sizes.len() <= 30, "{style}: {sizes:?}");
        }
        let learnt = run(&mut project.gqldump(&["status", "--learned"])).with_code(0).stdout;
        assert!(learnt.contains("pages have 23 rows at the most"), "{style}: {learnt}");
    }
}
