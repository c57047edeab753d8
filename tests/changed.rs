//! What a run finds when it goes on may not be what it was begun with: it says what changed, begins that query file afresh
//! and keeps the others; and what it has published it does not ask for again.

use std::time::Duration;

use fs_err as fs;
use gqldump::demo::{CursorExpiry, DemoConfig, DemoServer, Refusal};
use nix::sys::signal::Signal;
use serde_json::json;

use crate::program::{Ended, run};
use crate::project::Project;
use crate::stub::{Answer, Stub};
use crate::tracker::{calm, serve, tables};

const FEW: [&str; 4] = ["--set", "limits.page_size=40", "--set", "limits.requests=[]"];

/// A small export and a large one, of which the small one was published and the large one was killed.
#[track_caller]
fn half_published() -> (Project, DemoServer) {
    let mut config = calm();
    config.rows_scale = 0.02;
    config.behaviours.latency.base = Duration::from_millis(10);
    let (project, server) = (Project::demo().only(&["groups", "vulnerabilities"]), serve(config));
    let mut running = project.start(&server, &FEW);
    while !project.written("groups/latest").exists() || server.log().requests < 12 {
        assert!(!running.has_ended(), "both are exported already");
        std::thread::sleep(Duration::from_millis(1));
    }
    running.signal(Signal::SIGKILL);
    assert_eq!(running.end().code, None);
    (project, server)
}

/// Runs both again, to the end.
#[track_caller]
fn again(project: &Project, server: &DemoServer, arguments: &[&str]) -> Ended {
    let ended = project.run(server, &[FEW.as_slice(), arguments].concat()).with_code(0);
    for table in tables()
        .iter()
        .filter(|table| ["groups", "vulnerabilities"].contains(&table.name))
    {
        table.check(&project.exported(table.name), server.stand_in());
    }
    ended
}

fn runs(project: &Project, query: &str) -> usize {
    let entries = fs::read_dir(project.written(query)).expect("runs");
    entries
        .filter(|entry| !entry.as_ref().expect("an entry").path().is_symlink())
        .count()
}

#[test]
fn what_a_run_has_published_is_not_asked_for_again_when_it_goes_on() {
    let (project, server) = half_published();
    let ended = again(&project, &server, &[]);
    let log = server.log();
    assert!(log.requests_repeated <= log.max_in_flight, "{log:?}");
    let rows = server.stand_in().truth("groups").expect("groups").count() as u64;
    assert!(log.types["Group"].sent <= rows, "groups were asked for again: {log:?}");
    let run = project.exported("groups").run().to_owned();
    let told = format!(
        "demo/groups: published by run {run}, which goes on: not asked for again (--fresh exports everything anew)"
    );
    assert!(ended.stderr.contains(&told), "{}", ended.stderr);
    assert_eq!(project.exported("vulnerabilities").run(), run);
    assert_eq!((runs(&project, "groups"), runs(&project, "vulnerabilities")), (1, 1));
    // Now that it is at its end, the next run is another one.
    again(&project, &server, &[]);
    assert_eq!((runs(&project, "groups"), runs(&project, "vulnerabilities")), (2, 2));
}

#[test]
fn fresh_exports_what_was_published_as_well() {
    let (project, server) = half_published();
    again(&project, &server, &["--fresh"]);
    assert_eq!((runs(&project, "groups"), runs(&project, "vulnerabilities")), (2, 1));
}

#[test]
fn a_published_query_file_that_has_changed_since_is_exported_again() {
    let (project, server) = half_published();
    let text = fs::read_to_string(project.file("groups.graphql")).expect("a query file");
    let project = project.with("groups.graphql", &text.replacen("description", "about: description", 1));
    let ended = project.run(&server, &FEW).with_code(0);
    assert!(ended.stderr.contains("demo/vulnerabilities: run "), "{}", ended.stderr);
    let columns = &project.exported("groups").manifest["tables"][0]["columns"];
    assert!(
        columns
            .as_array()
            .expect("columns")
            .iter()
            .any(|column| column["name"] == "about")
    );
}

#[test]
fn an_unfinished_query_file_that_has_changed_begins_afresh_and_the_published_one_is_kept() {
    let (project, server) = half_published();
    let text = fs::read_to_string(project.file("vulnerabilities.graphql")).expect("a query file");
    let changed = text.replacen("title", "headline: title", 1);
    let project = project.with("vulnerabilities.graphql", &changed);
    let ended = project.run(&server, &FEW).with_code(0);
    let told = ended.stderr;
    assert!(told.contains("responses: the query changed since"), "{told}");
    assert!(told.contains("demo/groups: published by run "), "{told}");
    assert_eq!((runs(&project, "groups"), runs(&project, "vulnerabilities")), (1, 1));
    let rows = server.stand_in().truth("vulnerabilities").expect("rows").count();
    assert_eq!(project.exported("vulnerabilities").manifest["tables"][0]["rows"], rows);
}

const SCHEMA: &str = "type Query { items(kind: String, first: Int, after: String): Items }
type Items { nodes: [Item!]! pageInfo: PageInfo! } type PageInfo { hasNextPage: Boolean! endCursor: String }
type Item { id: ID! size: Int at: When } scalar When";

const SETTINGS: &str = "endpoint = 'http://127.0.0.1:9/graphql'\nschema = 'schema.graphql'\n";

const QUERY: &str = "query Items($kind: String = \"a\") { items(kind: $kind) { nodes { id size at } } }";

/// What a run says that finds a run of this project interrupted, after the project was changed.
#[track_caller]
fn told_after(first: &[&str], change: impl FnOnce(Project) -> Project, second: &[&str]) -> String {
    let stub = Stub::start(|_| {
        let nodes = json!([{ "id": "1", "id2": "1", "size": 1, "at": "2026-03-01T00:00:00Z" }]);
        let page_info = json!({ "hasNextPage": false, "endCursor": null });
        Answer::Json(json!({ "data": { "items": { "nodes": nodes, "pageInfo": page_info } } }))
    });
    let project = Project::new(SETTINGS)
        .with("schema.graphql", SCHEMA)
        .with("items.graphql", QUERY);
    let mut command = project.export(&stub, first);
    command.env("GQLDUMP_FAILPOINT", "parts-recorded:before:1=abort");
    assert_eq!(run(&mut command).code, None);
    let project = change(project);
    let ended = project.run(&stub, second).with_code(0);
    assert_eq!(project.exported("items").manifest["tables"][0]["rows"], 1);
    let line = ended.stderr.lines().find(|line| line.contains("is dropped"));
    let line = line.map_or_else(String::new, |line| project.steady(line));
    line.split_once("with 1 responses: ")
        .map_or(line.clone(), |(_, why)| why.to_owned())
}

#[cfg(debug_assertions)]
#[test]
fn what_changed_is_named_and_what_does_not_matter_drops_nothing() {
    let same = |project: Project| project;
    assert_eq!(told_after(&[], same, &[]), "");
    assert_eq!(told_after(&[], same, &["--set", "limits.page_size=7"]), "");
    assert_eq!(
        told_after(&[], same, &["--var", "kind=b"]),
        "its variables changed since"
    );
    assert_eq!(told_after(&["--var", "kind=b"], same, &["--var", "kind=b"]), "");
    let query = |project: Project| project.with("items.graphql", &QUERY.replace("size", "size id2: id"));
    assert_eq!(told_after(&[], query, &[]), "the query changed since");
    let schema = |project: Project| project.with("schema.graphql", &SCHEMA.replace("size: Int", "size: Float"));
    assert_eq!(told_after(&[], schema, &[]), "the API's schema changed since");
    let unrelated = |project: Project| project.with("schema.graphql", &format!("{SCHEMA} type Other {{ id: ID }}"));
    assert_eq!(told_after(&[], unrelated, &[]), "");
    let settings = |project: Project| {
        let scalars = "[scalars]\nWhen = 'timestamp'\n";
        project.with("source.toml", &format!("{SETTINGS}{scalars}"))
    };
    let told = told_after(&[], settings, &[]);
    assert_eq!(told, "`source.toml` or its preset changed since");
    let both = |project: Project| schema(query(project));
    assert_eq!(
        told_after(&[], both, &["--var", "kind=b"]),
        "the query, its variables and the API's schema changed since"
    );
}

/// Cursors that are good for three requests.
fn forgetful() -> DemoConfig {
    let body = r#"{"errors":[{"message":"The cursor has expired","extensions":{"code":"CursorExpiredError"}}]}"#;
    let mut config = calm();
    config.rows_scale = 0.02;
    config.behaviours.latency.base = Duration::from_millis(5);
    config.behaviours.paging.traps.cursor_expiry = Some(CursorExpiry {
        after: None,
        after_requests: Some(3),
        refusal: Refusal {
            status: 200,
            body: body.to_owned(),
        },
    });
    config
}

/// Each time the run is killed, the API has forgotten its cursors before it goes on; the last time in the middle of what is
/// read again.
#[test]
fn a_run_whose_cursors_have_expired_while_nobody_ran_is_read_again_and_has_each_row_once() {
    for format in ["parquet", "ndjson"] {
        let (project, server) = (Project::demo().only(&["vulnerabilities"]), serve(forgetful()));
        let arguments = [FEW.as_slice(), &["--format", format]].concat();
        for requests in [30, 20] {
            let ended = project.kill(&server, &arguments, requests, Duration::from_millis(3));
            assert!(ended.is_none(), "there is more to be asked for");
            for _ in 0..5 {
                let endpoint = format!("endpoint={}", server.address());
                run(&mut project.gqldump(&["check", "--set", &endpoint]));
            }
        }
        let ended = project.run(&server, &arguments).with_code(0);
        assert!(ended.stderr.contains("have expired"), "{}", ended.stderr);
        let table = tables().into_iter().find(|table| table.name == "vulnerabilities");
        table
            .expect("a table")
            .check(&project.exported("vulnerabilities"), server.stand_in());
    }
}
