//! What an interrupted run is dropped for, in words, what it is not dropped for, and what goes with it.

use fs_err as fs;
use serde_json::json;

use crate::program::run;
use crate::project::Project;
use crate::stub::{Answer, Stub};

const SCHEMA: &str = "type Query { items(kind: String, first: Int, after: String): Items }
type Items { nodes: [Item!]! pageInfo: PageInfo! } type PageInfo { hasNextPage: Boolean! endCursor: String }
type Item { id: ID! size: Int at: When } scalar When";

const SETTINGS: &str = "endpoint = 'http://127.0.0.1:9/graphql'\nschema = 'schema.graphql'\n";

const QUERY: &str = "query Items($kind: String = \"a\") { items(kind: $kind) { nodes { id size at } } }";

/// A project whose export ended there with its process.
#[track_caller]
fn interrupted(arguments: &[&str], place: &str) -> (Project, Stub) {
    let stub = Stub::start(|_| {
        let nodes = json!([{ "id": "1", "id2": "1", "size": 1, "at": "2026-03-01T00:00:00Z" }]);
        let page_info = json!({ "hasNextPage": false, "endCursor": null });
        Answer::Json(json!({ "data": { "items": { "nodes": nodes, "pageInfo": page_info } } }))
    });
    let project = Project::new(SETTINGS)
        .with("schema.graphql", SCHEMA)
        .with("items.graphql", QUERY);
    let mut command = project.export(&stub, arguments);
    command.env("GQLDUMP_FAILPOINT", format!("{place}=abort"));
    assert_eq!(run(&mut command).code, None);
    (project, stub)
}

/// Why a run drops what it finds unfinished after the project was changed; nothing where it goes on.
#[track_caller]
fn told_after(first: &[&str], change: impl FnOnce(Project) -> Project, second: &[&str]) -> String {
    let (project, stub) = interrupted(first, "parts-recorded:before:1");
    let project = change(project);
    let ended = project.run(&stub, second).with_code(0);
    assert_eq!(project.exported("items").manifest["tables"][0]["rows"], 1);
    let line = ended.stderr.lines().find(|line| line.contains("is dropped"));
    let why = line.map(|line| line.split_once("with 1 responses: ").expect("a reason").1);
    why.unwrap_or_default().to_owned()
}

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

#[test]
fn tables_that_were_moved_before_their_run_was_dropped_do_not_stay() {
    let (project, stub) = interrupted(&[], "table-moved:after:1");
    let project = project.with("items.graphql", &QUERY.replace("size", "size id2: id"));
    project.run(&stub, &[]).with_code(0);
    let entries = fs::read_dir(project.written("items")).expect("runs");
    let runs: Vec<_> = entries.map(|entry| entry.expect("a run").path()).collect();
    let runs: Vec<_> = runs.iter().filter(|path| !path.is_symlink()).collect();
    assert!(runs.len() == 1 && runs[0].join("_manifest.json").exists(), "{runs:?}");
}
