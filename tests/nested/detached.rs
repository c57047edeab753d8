//! Connections that stand deeper than the API lets one ask: they are asked for by the rows that hold them, each once.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::{Value, json};

use crate::cell::Kind;
use crate::project::Project;
use crate::stub::{Answer, Stub};
use crate::tracker::{calm, serve};
use crate::truth::Branch;

/// Eleven levels deep.
const FOUR_LEVELS: &str = "{ organizations { nodes { id seats groups { edges { node { id name
    findings { nodes { id severity vulnerabilities { edges { node { id state } } } } } } } } } } }";

fn four_levels() -> Branch {
    let of = |name: &str, list: &'static str, second: (&'static str, Kind)| {
        Branch::new(name, list, &[("id", Kind::Text), second])
    };
    let vulnerabilities = of("vulnerabilities", "Finding.vulnerabilities", ("state", Kind::Text));
    let findings = of("findings", "Group.findings", ("severity", Kind::Text)).with([vulnerabilities]);
    let groups = of("groups", "Organization.groups", ("name", Kind::Text)).with([findings]);
    of("all", "Query.organizations", ("seats", Kind::Int32)).with([groups])
}

fn project() -> Project {
    Project::new("preset = 'demo'").with("all.graphql", FOUR_LEVELS)
}

/// Pages of seven rows, without a budget, and queries of so many levels.
fn settings(depth: &str) -> [String; 6] {
    let set = |key: &str| ["--set".to_owned(), key.to_owned()];
    let [size, requests, depth] = [
        "limits.page_size=7",
        "limits.requests=[]",
        &format!("limits.query.depth={depth}"),
    ]
    .map(set);
    [size, requests, depth].concat().try_into().expect("six words")
}

/// Which connections the manifest says were opened and ended, by their paths.
fn evidence(project: &Project) -> Vec<(String, u64, u64)> {
    let exported = project.exported("all");
    let connections = exported.manifest["connections"].as_array().expect("connections");
    let evidence = connections.iter().map(|connection| {
        let number = |key: &str| connection[key].as_u64().expect("a number");
        let name = connection["name"].as_str().expect("a name");
        (name.to_owned(), number("opened"), number("closed"))
    });
    evidence.collect()
}

#[test]
fn every_row_arrives_however_few_levels_a_query_may_have() {
    let mut opened = Vec::new();
    for depth in ["11", "10", "8", "7", "6", "5"] {
        let (project, server) = (project(), serve(calm()));
        let settings = settings(depth);
        let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
        project.run(&server, &settings).with_code(0);
        four_levels().check(&project.exported("all"), server.stand_in());
        let log = server.log();
        assert_eq!(
            (log.field_errors, log.request_errors, log.rows_repeated),
            (0, 0, 0),
            "depth {depth}: {log:?}"
        );
        opened.push(evidence(&project));
    }
    assert!(
        opened[0].iter().all(|(_, opened, closed)| opened == closed),
        "{:?}",
        opened[0]
    );
    opened.dedup();
    assert_eq!(opened.len(), 1, "the evidence does not depend on the cuts: {opened:?}");
}

#[test]
fn what_can_be_reached_in_no_way_is_refused_before_any_request() {
    let (project, server) = (project(), serve(calm()));
    let settings = settings("4");
    let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
    let ended = project.run(&server, &settings).with_code(2);
    assert!(ended.stderr.contains("depth 5 of 4"), "{}", ended.stderr);
    let log = server.log();
    assert_eq!(log.answered, log.introspections, "{log:?}");
}

#[test]
fn an_export_that_is_killed_again_and_again_ends_with_every_row_once() {
    let mut config = calm();
    config.rows_scale = 0.2;
    config.behaviours.latency.base = Duration::from_millis(15);
    let (project, server) = (project(), serve(config));
    let settings = settings("6");
    let settings: Vec<&str> = settings
        .iter()
        .map(String::as_str)
        .chain(["--set", "limits.query.root_fields=8"])
        .collect();
    let seed = rand::random();
    println!("seed {seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let kills = 12;
    let ended = (0..kills).find_map(|_| {
        let (requests, pause) = (random.random_range(1..=6), random.random_range(0..30_000));
        project.kill(&server, &settings, requests, Duration::from_micros(pause))
    });
    ended.unwrap_or_else(|| project.run(&server, &settings)).with_code(0);
    four_levels().check(&project.exported("all"), server.stand_in());
    let evidence = evidence(&project);
    assert!(
        evidence.iter().all(|(_, opened, closed)| opened == closed),
        "{evidence:?}"
    );
    let log = server.log();
    assert!(
        log.requests_repeated <= kills * log.max_in_flight,
        "more than was in flight: {log:?}"
    );
}

const SCHEMA: &str = "
type Query { groups(first: Int, after: String): Groups! group(id: ID!): Group }
type Groups { nodes: [Group!]! pageInfo: PageInfo! }
type Group { id: ID! findings(first: Int, after: String): Findings }
type Findings { nodes: [Finding!]! pageInfo: PageInfo! }
type Finding { id: ID! }
type PageInfo { hasNextPage: Boolean! endCursor: String }
";

/// Findings are one level too deep to come with their groups, of which there are two.
fn two_groups(second: Value) -> (Project, Stub) {
    let page = |ids: &[&str]| {
        let nodes: Vec<Value> = ids.iter().map(|id| json!({ "id": id })).collect();
        json!({ "nodes": nodes, "pageInfo": { "hasNextPage": false, "endCursor": null } })
    };
    let stub = Stub::start(move |request| {
        let data = match request["variables"]["id"].as_str() {
            None => json!({ "groups": page(&["a", "b"]) }),
            Some("a") => json!({ "group": { "id": "a", "findings": page(&["x", "y"]) } }),
            Some(_) => json!({ "group": second }),
        };
        Answer::Json(json!({ "data": data }))
    });
    let settings = "endpoint = 'http://127.0.0.1:9/graphql'\nschema = 'schema.graphql'
        [limits]\nquery = { depth = 4, root_fields = 1 }\n[retry]\ninitial_wait = '2ms'\nmax_wait = '10ms'\n";
    let project = Project::new(settings).with("schema.graphql", SCHEMA);
    let query = "{ groups { nodes { id findings { nodes { id } } } } }";
    (project.with("all.graphql", query), stub)
}

#[test]
fn a_connection_that_is_null_has_no_rows_and_a_row_that_is_gone_is_told() {
    let findings = |project: &Project| {
        let columns = [("_id", Kind::Text), ("_parent_id", Kind::Text), ("id", Kind::Text)];
        project.newest("all").rows("all__findings", &columns).len()
    };
    let (project, stub) = two_groups(json!({ "id": "b", "findings": null }));
    project.run(&stub, &[]).with_code(0);
    assert_eq!(findings(&project), 2);
    let (project, stub) = two_groups(Value::Null);
    let ended = project.run(&stub, &[]).with_code(3);
    assert_eq!(findings(&project), 2);
    assert!(ended.stderr.contains("`groups.nodes.findings`"), "{}", ended.stderr);
    let connections = &project.newest("all").manifest["connections"];
    assert_eq!(
        (&connections[1]["opened"], &connections[1]["ends"]["lost"]),
        (&json!(2), &json!(1))
    );
}
