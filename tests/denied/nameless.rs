//! Lists in rows that are denied in words which name nothing, with no answer beside them.

use regex::Regex;
use serde_json::{Map, json};

use super::{GROUPS, Strictness, answer, checked, count_of, group, project, refusing};
use crate::cell::Kind;
use crate::stub::{Answer, Stub};

const SAID: &str = "Access denied";

fn denied() -> Answer {
    Answer::Json(json!({ "data": null, "errors": [{ "message": SAID }] }))
}

/// An API that refuses each request in which the findings of one of these groups are asked for.
fn refusing_findings_of(lacking: &'static [&'static str]) -> Stub {
    let lookup = Regex::new(r"(?:(t\d+):)?group\(id:\$(\w+)\)").expect("a pattern");
    Stub::start(move |request| {
        let text = request["query"].as_str().expect("a query");
        let has_all = !text.contains("findings") || request["variables"]["pageSize"] == 1;
        if !text.contains("group(id:") {
            return match has_all {
                true => Answer::Json(answer(Strictness::Rows, |_, _| false, request)),
                false => denied(),
            };
        }
        let mut data = Map::new();
        for found in lookup.captures_iter(text) {
            let id = request["variables"][&found[2]].as_str().expect("an id");
            if lacking.contains(&id) {
                return denied();
            }
            let number = id.trim_start_matches('g').parse().expect("a number");
            let key = found.get(1).map_or("group", |alias| alias.as_str());
            data.insert(key.to_owned(), group(number));
        }
        Answer::Json(json!({ "data": data }))
    })
}

#[test]
fn a_list_that_is_denied_in_all_rows_is_left_out_and_all_else_comes() {
    let error = |_: &str| json!({ "message": SAID });
    let (project, stub) = (project(Strictness::Rows), refusing("findings", error));
    project.run(&stub, &[]).with_code(3);
    let exported = checked(&project, |field, _| field == "findings");
    assert_eq!(
        exported.incomplete(),
        ["`groups.nodes.findings` is left out with all its rows, as the token may not see it: Access denied"]
    );
    // All; the keys; those of the groups alone; those of the findings of one group; then three pages without them.
    assert_eq!((stub.requests().len(), count_of(&stub, "findings")), (4 + 3, 3));
    project.run(&stub, &[]).with_code(3);
    assert_eq!((stub.requests().len(), count_of(&stub, "findings")), (7 + 3, 3));
}

#[test]
fn a_list_that_is_denied_in_some_rows_comes_in_all_others() {
    let (project, stub) = (project(Strictness::Rows), refusing_findings_of(&["g3", "g12"]));
    project.run(&stub, &[]).with_code(3);
    let exported = project.newest("groups");
    let columns = ["_id", "id", "name", "hint", "secret"].map(|name| (name, Kind::Text));
    assert_eq!(exported.rows("groups", &columns).len(), GROUPS);
    let columns = ["_id", "_parent_id", "id", "title"].map(|name| (name, Kind::Text));
    let findings = exported.rows("groups__findings", &columns);
    assert_eq!(findings.len(), 2 * (GROUPS - 2));
    let lacks = exported.incomplete();
    for (lack, row) in lacks.iter().zip(["g12", "g3"]) {
        assert!(
            lack.contains("`groups.nodes.findings`") && lack.contains(&format!("`{row}`")),
            "{lacks:?}"
        );
    }
    assert_eq!(lacks.len(), 2, "{lacks:?}");
}
