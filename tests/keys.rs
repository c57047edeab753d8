//! Rows that are told by values in their objects.

use std::time::Duration;

use gqldump::demo::DemoConfig;

use crate::cell::{Kind, object};
use crate::pieces::BEHAVIOURS;
use crate::project::Project;
use crate::tracker::serve;
use crate::truth::Branch;

const SCHEMA: &str = "
type Query { scans(limit: Int, offset: Int): [Scan!]! }
type Scan { asset: Asset! kind: String! text: String! note: String! findings(limit: Int, offset: Int): [Finding!]! }
type Asset { id: ID! name: String! }
type Finding { id: ID! title: String! }
";

const DATA: &str = r#"
seed = 5
example = "{ scans(limit: 2) { kind } }"
vocabulary = ["box", "jar", "tin", "crate"]
[pagings.offset]
size = "limit"
offset = "offset"
[types.Query.connections]
scans = { of = "Scan", paging = "offset" }
[types.Scan]
count = 45
[types.Scan.fields]
asset = { object = "Asset" }
kind = { text = ["SAST", "SCA"] }
text = { pattern = "This {word} is no {word}, and this {word} no {word} {number}" }
note = { pattern = "that {word} was a {word} before {number}" }
[types.Asset.fields]
id = { identifier = "ASSET" }
name = { pattern = "{word} {number}" }
[types.Scan.connections]
findings = { of = "Finding", paging = "offset" }
[types.Finding]
count = 900
within = { type = "Scan", empty = 0.2, heaviest = 0.2 }
[types.Finding.fields]
id = { serial = { start = 100, form = "text" } }
title = { pattern = "A {word} or {word} {number}" }
"#;

const QUERY: &str =
    r#"{ scans @table(key: ["asset.id", "kind"]) { text kind note asset { name id } findings { id title } } }"#;

fn stand_in() -> DemoConfig {
    DemoConfig::of_texts("scanners", SCHEMA, DATA, BEHAVIOURS).expect("a stand-in")
}

fn project() -> Project {
    let settings = "
        endpoint = 'http://127.0.0.1:9/graphql'
        schema = 'schema.graphql'
        [limits]
        page_size = 10
        query = { root_fields = 3 }
    ";
    Project::new(settings)
        .with("schema.graphql", SCHEMA)
        .with("scans.graphql", QUERY)
}

fn scans(is_flat: bool) -> Branch {
    let findings = Branch::new(
        "findings",
        "Scan.findings",
        &[("id", Kind::Text), ("title", Kind::Text)],
    );
    let [text, kind, note] = ["text", "kind", "note"].map(|name| (name, Kind::Text));
    let asset = [("name", Kind::Text), ("id", Kind::Text)];
    let branch = match is_flat {
        false => Branch::new("scans", "Query.scans", &[text, kind, note, ("asset", object(&asset))]),
        true => {
            let columns = [text, kind, note, ("asset_name", Kind::Text), ("asset_id", Kind::Text)];
            let branch = Branch::new("scans", "Query.scans", &columns);
            branch
                .reading("asset_name", "asset.name")
                .reading("asset_id", "asset.id")
        }
    };
    branch.keyed(None).with([findings])
}

/// In both formats, as columns of their own and not, in one request and in pieces that are joined by such keys; and rows
/// below are read on at the place of rows that are known again by them.
#[test]
fn rows_told_by_values_in_their_objects_arrive_once_with_their_children_in_every_form() {
    for (arguments, is_flat) in [
        (&[][..], false),
        (&["--flatten"], true),
        (&["--format", "ndjson"], false),
        (&["--set", "limits.query.complexity=9"], false),
        (&["--set", "limits.query.complexity=9", "--flatten"], true),
    ] {
        let (project, server) = (project(), serve(stand_in()));
        project.run(&server, arguments).with_code(0);
        let exported = project.exported("scans");
        scans(is_flat).check(&exported, server.stand_in());
        let log = server.log();
        println!("{arguments:?}: {} requests", log.requests);
        assert_eq!((log.request_errors, log.field_errors), (0, 0), "{arguments:?}: {log:?}");
    }
}

#[test]
fn an_id_is_the_list_of_the_values_that_are_named() {
    let (project, server) = (project(), serve(stand_in()));
    project.run(&server, &["--format", "ndjson"]).with_code(0);
    let rows = project.exported("scans").json_rows("scans");
    assert_eq!(rows.len(), 45);
    for row in rows {
        let (asset, kind) = (row["asset"]["id"].as_str().unwrap(), row["kind"].as_str().unwrap());
        assert_eq!(row["_id"], format!(r#"["{asset}","{kind}"]"#));
    }
}

#[test]
fn an_export_of_such_rows_goes_on_where_it_was_killed() {
    let mut config = stand_in();
    config.behaviours.latency.base = Duration::from_millis(20);
    let (project, server) = (project(), serve(config));
    let ended = (0..4).find_map(|_| project.kill(&server, &[], 3, Duration::from_millis(5)));
    ended.unwrap_or_else(|| project.run(&server, &[])).with_code(0);
    scans(false).check(&project.exported("scans"), server.stand_in());
}
