//! Ways to write nested connections down: deep, side by side, twice with other arguments, by nodes and by edges.

use serde_json::{Map, Value};

use crate::cell::Kind;
use crate::project::Project;
use crate::tracker::{calm, serve};
use crate::truth::Branch;

/// Pages so small that most connections have several.
const SMALL_PAGES: [&str; 4] = ["--set", "limits.page_size=7", "--set", "limits.requests=[]"];

/// Exports one query file of the tracker, and compares its tables with the truth.
#[track_caller]
fn arrives(text: &str, branch: &Branch) {
    for pages in [SMALL_PAGES.as_slice(), &["--set", "limits.requests=[]"]] {
        let project = Project::new("preset = 'demo'").with("all.graphql", text);
        let server = serve(calm());
        project.run(&server, pages).with_code(0);
        branch.check(&project.exported("all"), server.stand_in());
        let log = server.log();
        assert_eq!((log.field_errors, log.request_errors), (0, 0), "{log:?}");
    }
}

fn groups() -> Branch {
    Branch::new("all", "Query.groups", &[("id", Kind::Text), ("active", Kind::Boolean)])
}

fn findings(name: &str) -> Branch {
    Branch::new(name, "Group.findings", &[("id", Kind::Text), ("severity", Kind::Text)])
}

fn vulnerabilities(name: &str) -> Branch {
    Branch::new(
        name,
        "Finding.vulnerabilities",
        &[("id", Kind::Text), ("state", Kind::Text)],
    )
}

fn is_severe(row: &Map<String, Value>) -> bool {
    row["severity"] == "CRITICAL" || row["severity"] == "HIGH"
}

#[test]
fn four_levels() {
    let organizations = Branch::new(
        "all",
        "Query.organizations",
        &[("id", Kind::Text), ("seats", Kind::Int32)],
    );
    let groups = Branch::new(
        "groups",
        "Organization.groups",
        &[("id", Kind::Text), ("name", Kind::Text)],
    );
    let findings = findings("findings").with([vulnerabilities("vulnerabilities")]);
    arrives(
        "{ organizations { nodes { id seats groups { edges { node { id name
            findings { nodes { id severity vulnerabilities { edges { node { id state } } } } } } } } } } }",
        &organizations.with([groups.with([findings])]),
    );
}

#[test]
fn connections_below_an_object_that_the_query_names() {
    let project = Project::new("preset = 'demo'").with(
        "all.graphql",
        r#"{ organization(name: "acme") { name groups { nodes { id active findings { nodes { id severity } } } } } }"#,
    );
    let server = serve(calm());
    project.run(&server, &SMALL_PAGES).with_code(0);
    let exported = project.exported("all");
    let columns = [
        ("_id", Kind::Text),
        ("organization_name", Kind::Text),
        ("id", Kind::Text),
        ("active", Kind::Boolean),
    ];
    let below = |table| server.stand_in().truth_below(table, "Organization", "name", "acme");
    let groups = exported.rows("all", &columns);
    assert_eq!(groups.len(), below("groups").expect("groups").count());
    let columns = [
        ("_id", Kind::Text),
        ("_parent_id", Kind::Text),
        ("id", Kind::Text),
        ("severity", Kind::Text),
    ];
    let findings = exported.rows("all__findings", &columns);
    assert_eq!(findings.len(), below("findings").expect("findings").count());
}

#[test]
fn siblings_below_one_parent() {
    let events = Branch::new("events", "Group.events", &[("id", Kind::Text), ("kind", Kind::Text)]);
    arrives(
        "{ groups { nodes { id active findings { nodes { id severity } } events { edges { node { id kind } } } } } }",
        &groups().with([findings("findings"), events]),
    );
}

#[test]
fn one_connection_twice_with_other_arguments() {
    let severe = findings("severe")
        .only(is_severe)
        .with([vulnerabilities("vulnerabilities")]);
    let others = findings("others").only(|row| row["severity"] == "MEDIUM");
    arrives(
        "{ groups { nodes { id active
            severe: findings(severity: [CRITICAL, HIGH]) { nodes { id severity vulnerabilities { nodes { id state } } } }
            others: findings(severity: [MEDIUM]) { edges { node { id severity } } } } } }",
        &groups().with([severe, others]),
    );
}

#[test]
fn one_connection_twice_with_the_same_arguments() {
    arrives(
        "{ groups { nodes { id active one: findings { nodes { id severity } } two: findings { edges { node { id severity } } } } } }",
        &groups().with([findings("one"), findings("two")]),
    );
}

#[test]
fn two_outermost_connections_with_others_below() {
    let project = Project::new("preset = 'demo'").with(
        "all.graphql",
        "{ teams: groups { nodes { id active findings { nodes { id severity } } } }
           findings { nodes { id severity vulnerabilities { nodes { id state } } } } }",
    );
    let server = serve(calm());
    project.run(&server, &SMALL_PAGES).with_code(0);
    let exported = project.exported("all");
    let teams = Branch::new(
        "all__teams",
        "Query.groups",
        &[("id", Kind::Text), ("active", Kind::Boolean)],
    );
    let all = Branch::new(
        "all__findings",
        "Query.findings",
        &[("id", Kind::Text), ("severity", Kind::Text)],
    );
    teams.with([findings("findings")]).check(&exported, server.stand_in());
    all.with([vulnerabilities("vulnerabilities")])
        .check(&exported, server.stand_in());
}

#[test]
fn nodes_edges_and_both_at_once_are_the_same_rows() {
    for selection in [
        "nodes { id severity }",
        "edges { node { id severity } }",
        "nodes { id severity } edges { cursor }",
        "edges { node { id } cursor } nodes { id severity }",
        "edges { node { id severity } } pageInfo { hasNextPage endCursor } totalCount",
    ] {
        let project = Project::new("preset = 'demo'").with(
            "all.graphql",
            &format!("{{ groups {{ nodes {{ id active findings {{ {selection} }} }} }} }}"),
        );
        let server = serve(calm());
        let ended = project.run(&server, &SMALL_PAGES);
        if ended.code == Some(2) {
            // What cannot be told apart is refused, with a word on what to do.
            assert!(ended.stderr.contains("Help: "), "{}", ended.stderr);
            continue;
        }
        let exported = project.exported("all");
        assert_eq!(exported.incomplete(), Vec::<&str>::new(), "{selection}");
        let rows = exported.manifest["tables"][1]["rows"].as_u64();
        assert_eq!(rows, Some(1_500), "{selection}");
    }
}

#[test]
fn fragments_variables_and_conditions_reach_below() {
    let severe = findings("findings")
        .only(is_severe)
        .with([vulnerabilities("vulnerabilities")]);
    arrives(
        "query All($severities: [Severity!] = [CRITICAL, HIGH], $deep: Boolean = true) {
           groups { nodes { id active ...Findings } } }
         fragment Findings on Group { findings(severity: $severities, first: 3) { nodes { id severity ...Deep } } }
         fragment Deep on Finding { vulnerabilities @include(if: $deep) { nodes { id state } } }",
        &groups().with([severe]),
    );
}
