//! Connections that stand deeper than the API lets one ask: they are asked for by the rows that hold them, each once.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

use crate::cell::Kind;
use crate::project::Project;
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
