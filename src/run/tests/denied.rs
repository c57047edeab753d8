//! What is not to be asked for any more, by what an answer says that the token may not see.

use serde_json::{Value, json};

use super::{later, plan, start};
use crate::api::GraphqlError;
use crate::plan::Plan;
use crate::run::denied::{Denials, Told};
use crate::run::intake::AskedTask;
use crate::state::{Member, Task};

fn denials(plan: &Plan, asked: &[AskedTask], data: &Value, paths: &[Value]) -> Denials {
    let error = |path: &Value| GraphqlError::from_value(json!({ "message": "Access denied", "path": path }));
    let errors: Vec<GraphqlError> = paths.iter().map(error).collect();
    let denied: Vec<_> = errors.iter().filter_map(|error| error.path.clone()).collect();
    let told = Told {
        plan,
        asked,
        data,
        errors: &errors,
        denied: &denied,
    };
    told.denials()
}

/// The places of both kinds.
fn places(denials: &Denials) -> (Vec<&str>, Vec<&str>) {
    (
        denials.voiding.iter().map(|denial| denial.path.as_str()).collect(),
        denials.everywhere.iter().map(|denial| denial.path.as_str()).collect(),
    )
}

const NESTED: &str = "{ groups { nodes { id findings { nodes { id } } } } }";

#[test]
fn a_null_at_the_place_itself_counts_where_every_object_has_it() {
    let plan = plan(NESTED);
    let group = |id: u32| json!({ "id": id, "findings": null });
    let data = json!({ "groups": { "nodes": [group(1), group(2)] } });
    let path = |row: u32| json!(["groups", "nodes", row, "findings"]);
    let both = denials(&plan, &[start()], &data, &[path(0), path(1)]);
    assert_eq!(places(&both), (vec![], vec!["groups.nodes.findings"]));
    assert_eq!(both.everywhere[0].cause, "Access denied");
    let one = denials(&plan, &[start()], &data, &[path(0)]);
    assert_eq!(places(&one), (vec![], vec![]));
    let single = json!({ "groups": { "nodes": [group(1)] } });
    let single = denials(&plan, &[start()], &single, &[path(0)]);
    assert_eq!(places(&single), (vec![], vec![]), "one row shows nothing of the others");
}

#[test]
fn a_null_above_the_place_tells_what_was_lost_to_it() {
    let plan = plan(NESTED);
    let path = json!(["groups", "nodes", 0, "findings"]);
    for data in [
        json!({ "groups": { "nodes": [null, { "id": 2, "findings": { "nodes": [] } }] } }),
        json!({ "groups": null }),
        Value::Null,
    ] {
        let found = denials(&plan, &[start()], &data, std::slice::from_ref(&path));
        assert_eq!(places(&found), (vec!["groups.nodes.findings"], vec![]), "{data}");
    }
}

#[test]
fn a_connection_is_denied_in_single_rows_where_another_row_has_it() {
    let plan = plan(NESTED);
    let some = json!({ "id": 2, "findings": { "nodes": [] } });
    let path = |row: usize| json!(["groups", "nodes", row, "findings"]);
    let found = |rows: &[Value]| {
        let denied: Vec<Value> = (0..rows.len()).filter(|row| rows[*row].is_null()).map(path).collect();
        let data = json!({ "groups": { "nodes": rows } });
        let found = denials(&plan, &[start()], &data, &denied);
        assert_eq!(places(&found), (vec!["groups.nodes.findings"], vec![]), "{data}");
        found.voiding[0].is_in_rows
    };
    let null = || Value::Null;
    assert!(found(&[null(), null(), some.clone(), some.clone()]), "as many have it");
    assert!(
        found(&[null(), null(), null(), null(), null(), null(), null(), some.clone()]),
        "one of many has it"
    );
    assert!(!found(&[null(), null()]), "none has it");
    assert!(found(&[null()]), "one row shows nothing of the others");
}

#[test]
fn a_later_page_that_is_denied_is_that_of_its_row() {
    let plan = plan(NESTED);
    let asked = ["g1", "g2"].map(|group| later(&plan, "groups.nodes.findings", group, "c"));
    let data = json!({ "t0": null, "t1": { "findings": { "nodes": [] } } });
    let found = denials(&plan, &asked, &data, &[json!(["t0", "findings"])]);
    assert_eq!(places(&found), (vec!["groups.nodes.findings"], vec![]));
    assert!(found.voiding[0].is_in_rows);
}

#[test]
fn an_error_at_an_item_concerns_no_field() {
    let plan = plan(NESTED);
    let data = json!({ "groups": { "nodes": [null, null] } });
    let paths = [json!(["groups", "nodes", 0]), json!(["groups", "nodes", 1])];
    assert_eq!(denials(&plan, &[start()], &data, &paths), Denials::default());
    let void = json!({ "groups": null });
    assert_eq!(denials(&plan, &[start()], &void, &paths[..1]), Denials::default());
}

#[test]
fn a_key_is_denied_only_where_no_row_has_it() {
    let plan = plan(NESTED);
    let found = |rows: &[Value]| {
        let denied = (0..rows.len()).filter(|row| rows[*row].is_null());
        let denied: Vec<Value> = denied.map(|row| json!(["groups", "nodes", row, "id"])).collect();
        let data = json!({ "groups": { "nodes": rows } });
        denials(&plan, &[start()], &data, &denied).voiding.len()
    };
    let some = json!({ "id": 2, "findings": { "nodes": [] } });
    assert_eq!(found(&[Value::Null, some]), 0, "the row is denied, and no more");
    assert_eq!(found(&[Value::Null, Value::Null]), 1);
    assert_eq!(found(&[Value::Null]), 1);
    let void = json!({ "groups": null });
    let void = denials(&plan, &[start()], &void, &[json!(["groups", "nodes", 0, "id"])]);
    assert_eq!(void.voiding.len(), 1, "the other rows are lost, too");
}

#[test]
fn the_list_of_rows_stands_for_its_connection() {
    let plan = plan("{ owner { login } groups { nodes { id findings { nodes { id } } } } }");
    let group = json!({ "findings": { "nodes": null } });
    let data = json!({ "owner": null, "groups": { "nodes": [group, group] } });
    let path = |row: u32| json!(["groups", "nodes", row, "findings", "nodes"]);
    let found = denials(&plan, &[start()], &data, &[path(0), path(1), json!(["owner", "login"])]);
    assert_eq!(places(&found), (vec!["owner.login"], vec!["groups.nodes.findings"]));
}

#[test]
fn places_below_further_pages_are_those_of_the_query() {
    let plan = plan(NESTED);
    let asked = ["g1", "g2"].map(|group| later(&plan, "groups.nodes.findings", group, "c"));
    let page = |rows: Value| json!({ "findings": { "nodes": rows } });
    let data = json!({ "t0": page(Value::Null), "t1": page(json!([{ "id": 1 }])) });
    let found = denials(&plan, &asked, &data, &[json!(["t0", "findings", "nodes", 0, "id"])]);
    assert_eq!(places(&found), (vec!["groups.nodes.findings.nodes.id"], vec![]));
    // The row that holds the page is denied, which says nothing of what is asked of it.
    let gone = json!({ "t0": null, "t1": page(json!([])) });
    assert_eq!(denials(&plan, &asked, &gone, &[json!(["t0"])]), Denials::default());
}

#[test]
fn one_of_several_values_that_is_denied_as_a_whole_concerns_the_others_not() {
    let plan = plan(
        "query ($name: String! @each(of: \"spaces.name\")) { space(name: $name) { login groups { nodes { id } } } }",
    );
    let asked = |number: u64| AskedTask {
        task: Task {
            root: Some(0),
            member: Some(Member {
                number,
                value: json!(number),
            }),
            ..Task::default()
        },
        size: 10,
    };
    let asked = [asked(1), asked(2)];
    let some = json!({ "login": "a", "groups": { "nodes": [] } });
    let path = |slot: &str| json!([slot, "groups"]);
    let one = json!({ "t0": null, "t1": some });
    assert_eq!(denials(&plan, &asked, &one, &[path("t0")]), Denials::default());
    // A field of one of its rows is no word on the value, whatever is null because of it.
    let of_a_row = json!(["t0", "groups", "nodes", 3, "id"]);
    for data in [one, Value::Null] {
        let found = denials(&plan, &asked, &data, std::slice::from_ref(&of_a_row));
        assert_eq!(places(&found), (vec!["space.groups.nodes.id"], vec![]), "{data}");
    }
}
