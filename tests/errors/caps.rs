//! Pages that are too large for the API, told in words beside what it gives.

use serde_json::{Value, json};

use super::{ITEMS, items, page};
use crate::cell::Kind;
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

#[test]
fn a_cap_that_is_told_beside_the_data_is_kept_to() {
    for words in ["The maximum page size is 25", "You can request at most 25 items"] {
        let stub = Stub::start(move |request| {
            let (size, after) = asked(request);
            if size > CAP {
                let error = json!({ "message": words, "path": ["items"] });
                return Answer::Json(json!({ "data": { "items": null }, "errors": [error] }));
            }
            let end = (after + size).min(ROWS);
            let nodes = (after..end).map(|id| json!({ "id": id.to_string(), "size": 1 }));
            let next = (end < ROWS).then(|| end.to_string());
            Answer::Json(page(nodes.collect(), next.as_deref()))
        });
        let project = items(ITEMS);
        project.run(&stub, &["--quiet"]).with_code(0);
        let rows = project.exported("items").rows(
            "items",
            &[("_id", Kind::Text), ("id", Kind::Text), ("size", Kind::Int32)],
        );
        assert_eq!(rows.len() as u64, ROWS, "{words}");
        let sizes = stub
            .requests()
            .iter()
            .map(|request| asked(request).0)
            .collect::<Vec<_>>();
        assert_eq!(sizes, [100, 25, 25, 25], "{words}");
    }
}
