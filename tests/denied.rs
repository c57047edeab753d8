//! Fields that the token may not see: left out, named, remembered; the rest is exported whole.

mod connections;
mod failing;
mod nameless;
mod rows;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use gqldump::demo::DeniedField;
use serde_json::{Value, json};

use crate::cell::{Cell, Kind, Row};
use crate::exported::Exported;
use crate::program::{Ended, run};
use crate::project::Project;
use crate::stub::{Answer, Stub, cursor};
use crate::tracker::{calm, serve, tables};

const SCHEMA: &str = "
type Query { group(id: ID!): Group groups(first: Int, after: String): GroupConnection }
type GroupConnection { pageInfo: PageInfo! nodes: [Group] }
type StrictQuery { group(id: ID!): Group groups(first: Int, after: String): StrictConnection! }
type StrictConnection { pageInfo: PageInfo! nodes: [Group!]! }
type PageInfo { hasNextPage: Boolean! endCursor: String }
type Group { id: ID! name: String! hint: String secret: String! findings(first: Int, after: String): FindingConnection!
  remarks(first: Int, after: String): FindingConnection }
type FindingConnection { pageInfo: PageInfo! nodes: [Finding!]! }
type Finding { id: ID! title: String! }
";
const GROUPS: usize = 25;
const PAGE: usize = 10;
const QUERY: &str = "{ groups { nodes { id name hint secret findings { nodes { id title } } } } }";

/// Where a null ends up that stands for a field which cannot be null.
#[derive(Clone, Copy, PartialEq)]
enum Strictness {
    /// At the row.
    Rows,
    /// At `data` itself.
    Everything,
}

/// An API of 25 groups with two findings each, ten a page. `is_denied` says which fields of which groups the token may
/// not see.
fn api(strictness: Strictness, is_denied: impl Fn(&str, usize) -> bool + Send + Sync + 'static) -> Stub {
    Stub::start(move |request| Answer::Json(answer(strictness, &is_denied, request)))
}

fn answer(strictness: Strictness, is_denied: impl Fn(&str, usize) -> bool, request: &Value) -> Value {
    if request["query"].as_str().is_some_and(|text| text.contains("group(id:")) {
        return answer_to_rows(is_denied, request);
    }
    let text = request["query"].as_str().expect("a query");
    let begin: usize = cursor(request).map_or(0, |cursor| cursor.parse().expect("our own cursor"));
    let end = GROUPS.min(begin + PAGE);
    let mut errors = Vec::new();
    let mut rows = Vec::new();
    for (index, number) in (begin..end).enumerate() {
        let mut row = group(number);
        let members = row.as_object_mut().expect("an object");
        members.retain(|field, _| text.contains(field.as_str()));
        let fields: Vec<String> = members.keys().cloned().collect();
        for field in fields.into_iter().filter(|field| is_denied(field, number)) {
            errors.push(json!({ "message": "Access denied", "path": ["groups", "nodes", index, field] }));
            row = match (field.as_str(), row) {
                ("hint" | "remarks", Value::Object(mut members)) => {
                    members.insert(field, Value::Null);
                    Value::Object(members)
                }
                // All others cannot be null.
                _ => Value::Null,
            };
        }
        rows.push(row);
    }
    let is_void = strictness == Strictness::Everything && rows.contains(&Value::Null);
    let page = json!({ "hasNextPage": end < GROUPS, "endCursor": end.to_string() });
    let data = match is_void {
        true => Value::Null,
        false => json!({ "groups": { "pageInfo": page, "nodes": rows } }),
    };
    match errors.as_slice() {
        [] => json!({ "data": data }),
        _ => json!({ "data": data, "errors": errors }),
    }
}

/// The secrets of single groups, each of which can be null as a whole.
fn answer_to_rows(is_denied: impl Fn(&str, usize) -> bool, request: &Value) -> Value {
    let text = request["query"].as_str().expect("a query");
    let mut data = serde_json::Map::new();
    let mut errors = Vec::new();
    for (slot, ask) in text.split("group(id:$").skip(1).enumerate() {
        let (variable, _) = ask.split_once(')').expect("an argument");
        let id = request["variables"][variable].as_str().expect("an id");
        let number: usize = id.trim_start_matches('g').parse().expect("a number");
        let key = if text.contains("t0:") {
            format!("t{slot}")
        } else {
            "group".to_owned()
        };
        let group = match is_denied("secret", number) {
            true => Value::Null,
            false => json!({ "id": id, "secret": group(number)["secret"] }),
        };
        if group.is_null() {
            errors.push(json!({ "message": "Access denied", "path": [key, "secret"] }));
        }
        data.insert(key, group);
    }
    match errors.is_empty() {
        true => json!({ "data": data }),
        false => json!({ "data": data, "errors": errors }),
    }
}

fn group(number: usize) -> Value {
    let finding = |place: usize| json!({ "id": format!("f{number}-{place}"), "title": format!("finding {place}") });
    json!({
        "id": format!("g{number}"),
        "name": format!("group {number}"),
        "hint": format!("hint {number}"),
        "secret": format!("secret {number}"),
        "findings": { "pageInfo": { "hasNextPage": false, "endCursor": null }, "nodes": [finding(0), finding(1)] },
        "remarks": { "pageInfo": { "hasNextPage": false, "endCursor": null }, "nodes": [finding(2), finding(3)] },
    })
}

fn project(strictness: Strictness) -> Project {
    let schema = match strictness {
        Strictness::Rows => SCHEMA.to_owned(),
        Strictness::Everything => format!("schema {{ query: StrictQuery }}{SCHEMA}"),
    };
    let settings = "endpoint = 'https://api.invalid'\nschema = 'schema.graphql'\n\
                    verdicts = [{ message = '^Access denied', verdict = 'denied' }]\nlimits.page_size = 10";
    Project::new(settings)
        .with("schema.graphql", &schema)
        .with("groups.graphql", QUERY)
}

/// The rows of the groups, with nulls where `is_denied` says so.
fn truth(is_denied: impl Fn(&str, usize) -> bool) -> Vec<Row> {
    let row = |number: usize| {
        let group = group(number);
        let text = |field: &str| match is_denied(field, number) {
            true => Cell::Null,
            false => Cell::Text(group[field].as_str().expect("text").to_owned()),
        };
        let cells = ["id", "name", "hint", "secret"].map(|field| (field, text(field)));
        cells.into_iter().chain([("_id", text("id"))]).collect()
    };
    (0..GROUPS).map(row).collect()
}

fn column<'manifest>(manifest: &'manifest Value, name: &str) -> &'manifest Value {
    let columns = manifest["tables"][0]["columns"].as_array().expect("columns");
    columns
        .iter()
        .find(|column| column["name"] == name)
        .expect("the column")
}

fn texts(stub: &Stub) -> Vec<String> {
    let texts = stub
        .requests()
        .into_iter()
        .map(|request| request["query"].as_str().expect("text").to_owned());
    texts.collect()
}

fn count_of(stub: &Stub, field: &str) -> usize {
    texts(stub).iter().filter(|text| text.contains(field)).count()
}

/// The newest run, after both of its tables were checked.
#[track_caller]
fn checked(project: &Project, is_denied: impl Fn(&str, usize) -> bool) -> Exported {
    let exported = project.newest("groups");
    let columns = ["_id", "id", "name", "hint", "secret"].map(|name| (name, Kind::Text));
    assert_eq!(exported.rows("groups", &columns), truth(&is_denied));
    let columns = ["_id", "_parent_id", "id", "title"].map(|name| (name, Kind::Text));
    let findings = exported.rows("groups__findings", &columns);
    assert_eq!(findings.len(), if is_denied("findings", 0) { 0 } else { 2 * GROUPS });
    exported
}

#[test]
fn what_is_denied_in_every_row_is_left_out_of_later_requests_and_of_the_next_run() {
    let is_denied = |field: &str, _: usize| field == "hint";
    let (project, stub) = (project(Strictness::Rows), api(Strictness::Rows, is_denied));
    let said = project.run(&stub, &[]).with_code(3).stderr;
    let lack = "`groups.nodes.hint` is left out, as the token may not see it, in 25 rows: Access denied";
    assert!(
        said.contains("the token may not see `groups.nodes.hint`, which is left out"),
        "{said}"
    );
    assert!(!said.contains("dropped"), "nothing that came is lost: {said}");
    assert_eq!(checked(&project, is_denied).incomplete(), [lack]);
    assert_eq!((stub.requests().len(), count_of(&stub, "hint")), (3, 1));
    project.run(&stub, &[]).with_code(3);
    assert_eq!(checked(&project, is_denied).incomplete(), [lack]);
    assert_eq!((stub.requests().len(), count_of(&stub, "hint")), (6, 1));
    let told = |arguments: &[&str]| run(&mut project.gqldump(arguments)).with_code(0).stdout;
    for command in ["check", "plan"] {
        let text = told(&[command]);
        assert!(text.contains("left out, as the token may not see it since 2"), "{text}");
        assert!(text.contains(": `groups.nodes.hint` (Access denied)"), "{text}");
    }
    let learnt = told(&["status", "--learned"]);
    assert!(
        learnt.contains("the token may not see `groups.nodes.hint` since 2"),
        "{learnt}"
    );
    let forgotten = told(&["status", "--forget"]);
    assert!(
        forgotten.contains("and that the token may not see 1 field"),
        "{forgotten}"
    );
    project.run(&stub, &[]).with_code(3);
    assert_eq!((stub.requests().len(), count_of(&stub, "hint")), (9, 2));
}

#[test]
fn what_is_denied_in_some_rows_stays_asked_for_and_is_null_there() {
    let is_denied = |field: &str, number: usize| field == "hint" && number.is_multiple_of(2);
    let (project, stub) = (project(Strictness::Rows), api(Strictness::Rows, is_denied));
    project.run(&stub, &[]).with_code(3);
    let exported = checked(&project, is_denied);
    assert_eq!(
        exported.incomplete(),
        ["`groups.nodes.hint` is null: Access denied (13 times)"]
    );
    assert_eq!((stub.requests().len(), count_of(&stub, "hint")), (3, 3));
}

#[test]
fn what_takes_its_row_along_is_left_out_and_the_page_asked_for_again() {
    for strictness in [Strictness::Rows, Strictness::Everything] {
        let (project, stub) = (project(strictness), api(strictness, |field, _| field == "secret"));
        let said = project.run(&stub, &[]).with_code(3).stderr;
        assert!(!said.contains("dropped"), "at the first page nothing is lost: {said}");
        let is_denied = |field: &str, _: usize| field == "secret";
        let exported = checked(&project, is_denied);
        assert_eq!(
            exported.incomplete(),
            ["`groups.nodes.secret` is left out, as the token may not see it, in 25 rows: Access denied"]
        );
        assert_eq!(column(&exported.manifest, "secret")["nullable"], true);
        assert_eq!((stub.requests().len(), count_of(&stub, "secret")), (4, 1));
        project.run(&stub, &[]).with_code(3);
        checked(&project, is_denied);
        assert_eq!((stub.requests().len(), count_of(&stub, "secret")), (7, 1));
    }
}

#[test]
fn what_was_stored_with_another_table_is_dropped_and_that_is_told() {
    let (project, stub) = (
        project(Strictness::Rows),
        api(Strictness::Rows, |field, number| field == "secret" && number == 12),
    );
    let said = project.run(&stub, &[]).with_code(3).stderr;
    assert!(
        said.contains("is dropped, with 1 responses: without `groups.nodes.secret` its tables are others"),
        "{said}"
    );
    let exported = checked(&project, |field, number| field == "secret" && number == 12);
    assert_eq!(
        exported.incomplete(),
        ["`groups.nodes.secret` is null: Access denied"],
        "no other row is without it"
    );
    // Twice as many, for the column has a group of its own.
    assert_eq!((stub.requests().len(), count_of(&stub, "secret")), (2 + 6, 2 + 3));
    assert_eq!(
        exported.manifest["traffic"]["requests"],
        2 + 6,
        "what was dropped was asked for, too"
    );
    assert_eq!(column(&exported.manifest, "secret")["nullable"], true);
    let told = run(&mut project.gqldump(&["plan"])).with_code(0).stdout;
    assert!(
        told.contains("asked for apart, as the token may not see it in some rows since 2"),
        "{told}"
    );
    project.run(&stub, &[]).with_code(3);
    assert_eq!((stub.requests().len(), count_of(&stub, "secret")), (8 + 6, 5 + 3));
}

/// The nulls of this API go up to the page, but for those of the field that finds one group.
#[test]
fn a_denied_value_that_voids_its_page_costs_no_other_row_where_rows_can_be_asked_by_themselves() {
    let is_denied = |field: &str, number: usize| field == "secret" && [3, 12].contains(&number);
    let (project, stub) = (project(Strictness::Everything), api(Strictness::Everything, is_denied));
    project.run(&stub, &[]).with_code(3);
    let exported = checked(&project, is_denied);
    assert_eq!(
        exported.incomplete(),
        [
            "`groups.nodes.secret` is null: Access denied (2 times)",
            "`groups`: the row `g12` lacks `groups.nodes.secret`: Access denied",
            "`groups`: the row `g3` lacks `groups.nodes.secret`: Access denied",
        ]
    );
    assert_eq!((stub.requests().len(), count_of(&stub, "secret")), (1 + 6, 1 + 3));
    let lone = texts(&stub)
        .into_iter()
        .filter(|text| text.contains("group(id:"))
        .count();
    assert_eq!(lone, 3, "the rows of a page share a request");
}

#[test]
fn what_can_be_null_is_not_blamed_for_a_page_that_another_field_took_along() {
    // `secret` takes its row along; `hint` is denied in most rows, and null there.
    let is_denied = |field: &str, number: usize| match field {
        "secret" => number == 3,
        "hint" => !number.is_multiple_of(4),
        _ => false,
    };
    let (project, stub) = (project(Strictness::Everything), api(Strictness::Everything, is_denied));
    project.run(&stub, &[]).with_code(3);
    checked(&project, is_denied);
}

#[test]
fn what_is_denied_in_row_after_row_is_left_out_after_all() {
    let is_denied = |field: &str, number: usize| field == "secret" && number >= 7;
    let (project, stub) = (project(Strictness::Rows), api(Strictness::Rows, is_denied));
    project.run(&stub, &[]).with_code(3);
    let exported = checked(&project, is_denied);
    let incomplete = exported.incomplete();
    assert!(
        incomplete.len() == 1 && incomplete[0].starts_with("`groups.nodes.secret` is left out"),
        "{incomplete:?}"
    );
    // One page whole, two in groups, and one without the field.
    assert_eq!((stub.requests().len(), count_of(&stub, "secret")), (1 + 4 + 1, 1 + 2));
    project.run(&stub, &[]).with_code(3);
    assert_eq!((stub.requests().len(), count_of(&stub, "secret")), (6 + 3, 3));
}

/// An API that refuses each request in which a field stands, with an error that has no path.
fn refusing(field: &'static str, error: impl Fn(&str) -> Value + Send + Sync + 'static) -> Stub {
    Stub::start(move |request| {
        let text = request["query"].as_str().expect("a query");
        match text.contains(field) {
            true => Answer::Json(json!({ "data": null, "errors": [error(text)] })),
            false => Answer::Json(answer(Strictness::Rows, |_, _| false, request)),
        }
    })
}

#[test]
fn a_denial_without_a_path_is_that_of_the_field_which_its_words_or_its_place_in_the_text_name() {
    type Error = fn(&str) -> Value;
    let errors: [Error; 4] = [
        |_| json!({ "message": "Access denied: no permission to access Group.secret." }),
        |_| json!({ "message": "Access denied: field 'secret' on type 'Group'" }),
        |_| json!({ "message": "Access denied: `secret`", "locations": [{ "line": 1, "column": 1 }] }),
        |text| {
            let column = text.find("secret").expect("the field") + 1;
            json!({ "message": "Access denied", "locations": [{ "line": 1, "column": column }] })
        },
    ];
    for error in errors {
        let (project, stub) = (project(Strictness::Rows), refusing("secret", error));
        project.run(&stub, &[]).with_code(3);
        let exported = checked(&project, |field, _| field == "secret");
        let lack = "`groups.nodes.secret` is left out, as the token may not see it, in 25 rows: Access denied";
        let incomplete = exported.incomplete();
        assert!(
            incomplete.len() == 1 && incomplete[0].starts_with(lack),
            "{incomplete:?}"
        );
        assert_eq!((stub.requests().len(), count_of(&stub, "secret")), (4, 1));
    }
}

#[test]
fn a_denial_that_may_mean_one_of_several_fields_is_that_of_the_one_without_which_there_is_an_answer() {
    for message in [
        "Access denied",
        "Access denied: 'id'",
        "Access denied: the secret of this name",
        "Access denied: Group.other",
    ] {
        let (project, stub) = (
            project(Strictness::Rows),
            refusing("secret", move |_| json!({ "message": message })),
        );
        project.run(&stub, &[]).with_code(3);
        let exported = checked(&project, |field, _| field == "secret");
        let lacks = exported.incomplete();
        assert!(lacks.len() == 1 && lacks[0].contains(message), "{lacks:?}");
        // All; the keys; two values and two; one and one, of which one is denied; then three pages without it.
        assert_eq!(
            (stub.requests().len(), count_of(&stub, "secret")),
            (6 + 3, 3),
            "{message}"
        );
    }
}

#[test]
fn what_an_api_says_of_a_field_that_is_not_asked_for_any_more_is_about_something_else() {
    let (project, stub) = (
        project(Strictness::Rows),
        refusing("title", |_| json!({ "message": "Access denied: Group.secret" })),
    );
    project.run(&stub, &[]).with_code(3);
    let exported = project.newest("groups");
    let lacks = exported.incomplete();
    assert!(
        lacks
            .iter()
            .any(|lack| lack.contains("`groups.nodes.findings.nodes.title` is left out")),
        "{lacks:?}"
    );
    assert!(
        lacks
            .iter()
            .any(|lack| lack.contains("`groups.nodes.secret` is left out")),
        "{lacks:?}"
    );
}

#[test]
fn a_denial_of_all_that_is_asked_for_ends_the_export_after_two_looks() {
    let (project, stub) = (
        project(Strictness::Rows),
        refusing("groups", |_| json!({ "message": "Access denied" })),
    );
    let said = project.run(&stub, &[]).with_code(1).stderr;
    assert!(said.contains("Access denied"), "{said}");
    // All; the keys; the keys of the outermost rows.
    assert_eq!(stub.requests().len(), 3);
    let said = project.run(&stub, &["--set", "on_denied=\"stop\""]).with_code(1).stderr;
    assert!(said.contains("Access denied"), "{said}");
}

#[test]
fn a_denied_connection_keeps_its_table_empty_and_is_named() {
    let is_denied = |field: &str, _: usize| field == "findings";
    let (project, stub) = (project(Strictness::Rows), api(Strictness::Rows, is_denied));
    project.run(&stub, &[]).with_code(3);
    let exported = checked(&project, is_denied);
    let lack = "`groups.nodes.findings` is left out with all its rows, as the token may not see it: Access denied";
    assert_eq!(exported.incomplete(), [lack]);
    let connections = exported.manifest["connections"].as_array().expect("connections");
    let findings = connections
        .iter()
        .find(|connection| connection["name"] == "groups.nodes.findings");
    assert_eq!(findings.expect("the connection")["incomplete"], json!([lack]));
    assert_eq!((stub.requests().len(), count_of(&stub, "findings")), (4, 1));
}

#[test]
fn fields_that_are_denied_one_after_the_other_are_all_left_out() {
    let is_denied = |field: &str, _: usize| ["findings", "hint", "secret"].contains(&field);
    let (project, stub) = (project(Strictness::Everything), api(Strictness::Everything, is_denied));
    project.run(&stub, &[]).with_code(3);
    assert_eq!(checked(&project, is_denied).incomplete().len(), 3);
}

#[test]
fn a_denied_key_cannot_be_left_out() {
    let stub = api(Strictness::Rows, |field, _| field == "id");
    let project = project(Strictness::Rows);
    let Ended { stderr, .. } = project.run(&stub, &[]).with_code(4);
    assert!(stderr.contains("may not see what rows are told by"), "{stderr}");
    assert!(stderr.contains("`groups.nodes.id`: Access denied"), "{stderr}");
    assert_eq!(stub.requests().len(), 1);
    // Nothing is remembered of what stopped it.
    project.run(&stub, &[]).with_code(4);
    assert_eq!(stub.requests().len(), 2);
}

/// An API that says of all groups, where `is_asked` holds of a request, that the token may not see them, until it may.
fn closed(is_asked: impl Fn(&Value) -> bool + Send + Sync + 'static) -> (Stub, Arc<AtomicBool>) {
    let may_see = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&may_see);
    let stub = Stub::start(move |request| {
        if seen.load(Ordering::Relaxed) || !is_asked(request) {
            return Answer::Json(answer(Strictness::Rows, |_, _| false, request));
        }
        let error = json!({ "message": "Access denied", "path": ["groups"] });
        Answer::Json(json!({ "data": { "groups": null }, "errors": [error] }))
    });
    (stub, may_see)
}

#[test]
fn what_was_denied_altogether_is_asked_again_by_the_next_run() {
    let (stub, may_see) = closed(|_| true);
    let project = project(Strictness::Rows);
    for requests in [1, 2] {
        let Ended { stderr, .. } = project.run(&stub, &[]).with_code(4);
        assert!(stderr.contains("may see nothing of what the query is for"), "{stderr}");
        assert_eq!(stub.requests().len(), requests);
    }
    assert!(!project.written("groups").join("latest").exists());
    may_see.store(true, Ordering::Relaxed);
    project.run(&stub, &[]).with_code(0);
    assert_eq!(checked(&project, |_, _| false).incomplete(), [] as [&str; 0]);
    assert_eq!(stub.requests().len(), 2 + 3);
}

#[test]
fn rows_from_before_a_denial_of_all_others_are_kept_for_a_token_that_may_see_them() {
    let (stub, may_see) = closed(|request| cursor(request).is_some());
    let project = project(Strictness::Rows);
    project.run(&stub, &[]).with_code(4);
    // The second page again, and no row is lost with it.
    project.run(&stub, &[]).with_code(4);
    assert_eq!(stub.requests().len(), 2 + 1);
    may_see.store(true, Ordering::Relaxed);
    project.run(&stub, &[]).with_code(0);
    assert_eq!(checked(&project, |_, _| false).incomplete(), [] as [&str; 0]);
    assert_eq!(stub.requests().len(), 3 + 2);
}

#[test]
fn a_list_that_is_denied_for_its_only_value_is_asked_again_by_the_next_run() {
    let may_see = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&may_see);
    let stub = Stub::start(move |_| {
        Answer::Json(match seen.load(Ordering::Relaxed) {
            true => json!({ "data": { "group": { "notes": [{ "id": "n", "text": "t" }] } } }),
            false => json!({ "data": { "group": { "notes": null } },
                "errors": [{ "message": "Access denied", "path": ["group", "notes"] }] }),
        })
    });
    let schema = "type Query { group(name: String!): Group groups: [Group] } type Group { name: String! notes: [Note] }
                  type Note { id: ID! text: String }";
    let settings = "endpoint = 'https://api.invalid'\nschema = 'schema.graphql'\n\
                    verdicts = [{ message = '^Access denied', verdict = 'denied' }]";
    let project = Project::new(settings)
        .with("schema.graphql", schema)
        .with("groups.graphql", "{ groups { name } }")
        .with(
            "notes.graphql",
            "query ($group: String! @each(of: \"groups.name\")) { group(name: $group) { notes { id text } } }",
        );
    let given = ["queries/api/notes.graphql", "--format=ndjson", "--var=group=acme"];
    project.run(&stub, &given).with_code(4);
    project.run(&stub, &given).with_code(4);
    may_see.store(true, Ordering::Relaxed);
    project.run(&stub, &given).with_code(0);
    assert_eq!(project.exported("notes").json_rows("notes").len(), 1);
    assert_eq!(stub.requests().len(), 3);
}

#[test]
fn an_export_can_be_told_to_stop() {
    let stub = api(Strictness::Rows, |field, number| field == "hint" && number == 3);
    let project = project(Strictness::Rows);
    let said = project.run(&stub, &["--set", "on_denied=\"stop\""]).with_code(4).stderr;
    assert!(
        said.contains("the token may not see `groups.nodes.3.hint` (Access denied)"),
        "{said}"
    );
    assert!(!project.written("groups").join("latest").exists());
}

#[test]
fn what_is_left_out_later_leaves_what_came_before_where_only_values_are_null() {
    let stub = api(Strictness::Rows, |field, number| match field {
        "secret" => true,
        _ => field == "hint" && number >= PAGE,
    });
    let project = project(Strictness::Rows);
    let said = project.run(&stub, &[]).with_code(3).stderr;
    assert!(!said.contains("dropped"), "{said}");
    let exported = checked(&project, |field, number| {
        field == "secret" || (field == "hint" && number >= PAGE)
    });
    let left_out = |field: &str, rows: usize| {
        format!("`groups.nodes.{field}` is left out, as the token may not see it, in {rows} rows: Access denied")
    };
    assert_eq!(
        exported.incomplete(),
        [left_out("secret", GROUPS), left_out("hint", GROUPS - PAGE)]
    );
    assert_eq!((stub.requests().len(), count_of(&stub, "hint")), (4, 3));
}

#[test]
fn on_a_server_whose_nulls_go_up_all_rows_come_but_for_what_is_denied() {
    let denied = ["assessment", "fingerprint", "references"];
    let rule = |field: &str| DeniedField {
        every: None,
        ty: "Vulnerability".to_owned(),
        field: field.to_owned(),
        within: None,
        roles: Vec::new(),
        message: "You lack a role".to_owned(),
        extensions: serde_json::from_value(json!({ "code": "FORBIDDEN" })).expect("an object"),
    };
    let mut config = calm();
    config.behaviours.denied = denied.map(rule).to_vec();
    let (project, server) = (Project::demo().only(&["vulnerabilities"]), serve(config));
    let table = tables().into_iter().find(|table| table.name == "vulnerabilities");
    let table = table.expect("the table");
    let mut lines = denied.map(|field| format!("`vulnerabilities.edges.node.{field}` is left out"));
    lines.sort_unstable();
    let mut spent = Vec::new();
    for _ in 0..2 {
        let before = server.log().requests;
        project.run(&server, &[]).with_code(3);
        spent.push(server.log().requests - before);
        let exported = project.newest("vulnerabilities");
        table.check_without(&denied, &exported, server.stand_in());
        let incomplete = exported.incomplete();
        assert_eq!(incomplete.len(), lines.len(), "{incomplete:?}");
        assert!(
            lines
                .iter()
                .all(|line| incomplete.iter().any(|lack| lack.starts_with(line))),
            "{incomplete:?}"
        );
    }
    let (free, open) = (serve(calm()), Project::demo().only(&["vulnerabilities"]));
    open.run(&free, &[]).with_code(0);
    open.run(&free, &[]).with_code(0);
    let all = free.log().requests;
    let introspection = 1;
    assert!(
        spent[1] <= (all - introspection) / 2,
        "{spent:?} of {all}: the second run wastes none"
    );
}
