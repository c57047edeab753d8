//! Connections that the token may not see in single rows: all other rows come, and these are named.

use gqldump::demo::{DemoConfig, DemoServer, DeniedField, Family, ObjectMatch};
use serde_json::{Value, json};

use super::{GROUPS, Strictness, api, project, texts};
use crate::cell::{Cell, Kind};
use crate::exported::Exported;
use crate::project::Project;
use crate::tracker::{calm, serve};

const SETTINGS: &str =
    "endpoint = 'http://127.0.0.1:9/graphql'\nlimits.page_size = 7\n[retry]\ninitial_wait = '5ms'\nmax_wait = '20ms'\n";
const ALL: &str =
    "{ groups { nodes { id name findings { nodes { id severity vulnerabilities { nodes { id title } } } } } } }";
const FINDINGS: &str = r#"query Findings($group: String! @each(of: "groups.name")) {
  group(name: $group) { findings { nodes { id severity vulnerabilities { nodes { id title } } } } } }"#;

/// A tracker that denies a field of these objects.
fn denying(ty: &str, field: &str, ids: &[String]) -> DemoConfig {
    let rule = |id: &String| DeniedField {
        roles: Vec::new(),
        every: None,
        ty: ty.to_owned(),
        field: field.to_owned(),
        within: Some(ObjectMatch {
            ty: ty.to_owned(),
            field: "id".to_owned(),
            value: json!(id),
        }),
        message: "You lack a role".to_owned(),
        extensions: serde_json::from_value(json!({ "code": "FORBIDDEN" })).expect("an object"),
    };
    let mut config = calm();
    config.behaviours.denied = ids.iter().map(rule).collect();
    config
}

fn id(row: &serde_json::Map<String, Value>) -> String {
    row["id"].as_str().expect("an id").to_owned()
}

fn families(server: &DemoServer, ty: &str, list: &str) -> Vec<Family> {
    server.stand_in().families(ty, list).expect("lists").collect()
}

/// The rows of these lists, each with the one that holds it.
fn pairs(families: &[Family]) -> Vec<(String, String)> {
    let pairs = families.iter().flat_map(|family| {
        let children = family.children.iter();
        children.map(|child| (id(&family.parent), id(child)))
    });
    let mut pairs: Vec<_> = pairs.collect();
    pairs.sort_unstable();
    pairs
}

/// The rows of a table, each with the one that holds it.
fn found(exported: &Exported, table: &str, column: &'static str) -> Vec<(String, String)> {
    let columns = ["_id", "_parent_id", "id", column].map(|name| (name, Kind::Text));
    let text = |cell: &Cell| match cell {
        Cell::Text(text) => text.clone(),
        other => panic!("no text: {other:?}"),
    };
    let rows = exported.rows(table, &columns);
    let mut pairs: Vec<_> = rows
        .iter()
        .map(|row| (text(&row["_parent_id"]), text(&row["id"])))
        .collect();
    pairs.sort_unstable();
    pairs
}

fn line(connection: &str, row: &str) -> String {
    format!("`{connection}` of the row `{row}` is left out, as the token may not see it: You lack a role")
}

#[test]
fn a_connection_that_is_denied_in_some_rows_comes_in_all_others() {
    let all = serve(calm());
    let groups = families(&all, "Group", "findings");
    // In the first page of groups, in later ones, and two of one page.
    let denied: Vec<String> = [2, 17, 18, 39].map(|index: usize| id(&groups[index].parent)).to_vec();
    let (closed, open): (Vec<Family>, Vec<Family>) = groups
        .into_iter()
        .partition(|family| denied.contains(&id(&family.parent)));
    assert!(
        closed.iter().any(|family| !family.children.is_empty()),
        "something is lost"
    );
    let seen = pairs(&open);
    let ids: Vec<String> = seen.iter().map(|(_, finding)| finding.clone()).collect();
    let vulnerabilities: Vec<Family> = families(&all, "Finding", "vulnerabilities")
        .into_iter()
        .filter(|family| ids.contains(&id(&family.parent)))
        .collect();
    let project = Project::new(SETTINGS).with("all.graphql", ALL);
    let server = serve(denying("Group", "findings", &denied));
    let mut lines: Vec<String> = denied
        .iter()
        .map(|group| line("groups.nodes.findings", group))
        .collect();
    lines.sort_unstable();
    let check = |lines: &[String], findings: &[(String, String)], vulnerabilities: &[Family]| {
        let exported = project.newest("all");
        assert_eq!(exported.incomplete(), lines);
        assert_eq!(found(&exported, "all__findings", "severity"), findings);
        assert_eq!(
            found(&exported, "all__findings__vulnerabilities", "title"),
            pairs(vulnerabilities)
        );
        exported.manifest
    };
    let said = project.run(&server, &[]).with_code(3).stderr;
    assert!(
        said.contains("the token may not see `groups.nodes.findings` in some rows"),
        "{said}"
    );
    let manifest = check(&lines, &seen, &vulnerabilities);
    let connection = &manifest["connections"][1];
    let numbers = ["opened", "closed"].map(|key| connection[key].as_u64());
    assert_eq!(numbers, [Some(40), Some(36)], "{connection}");
    assert_eq!(connection["ends"]["lost"], 4);
    let first = server.log();
    // The next night begins where this one ended: each row is asked, and each denied one no more than once.
    let said = project.run(&server, &[]).with_code(3).stderr;
    assert!(!said.contains("dropped") && !said.contains("in some rows"), "{said}");
    check(&lines, &seen, &vulnerabilities);
    let second = server.log();
    let with_errors = second.field_errors - first.field_errors;
    assert!((1..=4).contains(&with_errors), "several share a request: {second:?}");
    // What is not denied any more comes by itself.
    project.run(&all, &[]).with_code(0);
    let everything = families(&all, "Group", "findings");
    check(&[], &pairs(&everything), &families(&all, "Finding", "vulnerabilities"));
}

#[test]
fn for_each_value_the_row_is_named_and_the_value_is_counted_as_not_complete() {
    let all = serve(calm());
    let group = families(&all, "Group", "findings")
        .into_iter()
        .find(|family| family.children.len() > 1);
    let group = group.expect("a group with findings");
    let denied = id(&group.children[1]);
    let vulnerabilities = families(&all, "Finding", "vulnerabilities");
    let seen: Vec<Family> = vulnerabilities
        .into_iter()
        .filter(|family| id(&family.parent) != denied)
        .collect();
    let server = serve(denying("Finding", "vulnerabilities", std::slice::from_ref(&denied)));
    let project = Project::new(SETTINGS)
        .with("groups.graphql", "{ groups { nodes { id name } } }")
        .with("findings.graphql", FINDINGS);
    let with_errors = [0, 1].map(|_| {
        let before = server.log().field_errors;
        project.run(&server, &[]).with_code(3);
        let exported = project.newest("findings");
        let line = line("group.findings.nodes.vulnerabilities", &denied);
        assert_eq!(exported.incomplete(), [line.as_str()]);
        assert_eq!(found(&exported, "findings__vulnerabilities", "title"), pairs(&seen));
        let each = &exported.manifest["each"];
        let counts = ["members", "complete", "incomplete", "failed"].map(|key| each[key].as_u64());
        assert_eq!(counts, [Some(40), Some(39), Some(1), Some(0)], "{each}");
        assert_eq!(
            each["lacks"],
            json!([{ "value": group.parent["name"], "reason": line }])
        );
        server.log().field_errors - before
    });
    assert_eq!(
        with_errors,
        [2, 1],
        "with its group and by itself, then by itself alone"
    );
}

#[test]
fn where_no_field_finds_a_row_its_connection_is_left_out_of_all_and_that_is_said() {
    let is_denied = |field: &str, number: usize| field == "findings" && number == 3;
    let (project, stub) = (project(Strictness::Rows), api(Strictness::Rows, is_denied));
    let schema = super::SCHEMA.replace("group(id: ID!): Group", "");
    let query = super::QUERY.replace("findings {", "findings @paginate(style: CAPPED, cap: 50) {");
    let project = project.with("schema.graphql", &schema).with("groups.graphql", &query);
    for _ in 0..2 {
        project.run(&stub, &[]).with_code(3);
        let exported = project.newest("groups");
        assert_eq!(
            exported.incomplete(),
            [
                "`groups.nodes.findings` is left out with all its rows, as the token may not see it in some rows, and there \
              is no way to ask the others for it: Access denied"
            ]
        );
        let rows: Vec<_> = exported.manifest["tables"]
            .as_array()
            .expect("tables")
            .iter()
            .map(|table| &table["rows"])
            .collect();
        assert_eq!(rows, [&json!(GROUPS), &json!(0)]);
    }
    assert_eq!(texts(&stub).iter().filter(|text| text.contains("findings")).count(), 1);
}

#[test]
fn a_connection_of_which_some_rows_came_is_not_said_to_be_left_out_with_all() {
    let is_denied = |field: &str, number: usize| field == "remarks" && number >= super::PAGE;
    let stub = api(Strictness::Rows, is_denied);
    let project = project(Strictness::Rows).with(
        "groups.graphql",
        "{ groups { nodes { id remarks { nodes { id title } } } } }",
    );
    project.run(&stub, &[]).with_code(3);
    let exported = project.newest("groups");
    assert_eq!(
        exported.incomplete(),
        [
            "`groups.nodes.remarks` is left out but for 20 rows that came before, as the token may not see it: Access denied"
        ]
    );
    assert_eq!(found(&exported, "groups__remarks", "title").len(), 2 * super::PAGE);
}
