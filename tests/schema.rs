//! Where the schema comes from: asked for once, asked for again when it is due, asked for more modestly, or from a file.

use serde_json::Value;

use crate::project::Project;
use crate::stub::{Answer, Stub, is_introspection, refusal};
use crate::tracker::{calm, serve, tables};

const FINDINGS: &str = "{ findings { nodes { id title } } }";

const SETTINGS: &str = "endpoint = 'http://127.0.0.1:1/'\n[retry]\nattempts = 1\n[scalars]\nLong = 'int64'\n";

fn asks_for(request: &Value, text: &str) -> bool {
    request["query"].as_str().is_some_and(|query| query.contains(text))
}

#[test]
fn the_schema_is_asked_for_once_and_kept() {
    let (project, server) = (Project::demo(), serve(calm()));
    project.run(&server, &[]).with_code(0);
    project.run(&server, &[]).with_code(0);
    assert_eq!(server.log().introspections, 1);
}

#[test]
fn the_schema_is_asked_for_again_when_a_query_does_not_fit_it_any_more() {
    let server = serve(calm());
    let project = Project::new(SETTINGS).with("findings.graphql", FINDINGS);
    project.run(&server, &[]).with_code(0);
    let project = project.with("findings.graphql", "{ findings { nodes { id titel } } }");
    let ended = project.run(&server, &[]).with_code(2);
    assert!(
        ended.stderr.contains("the schema is asked for again"),
        "{}",
        ended.stderr
    );
    assert_eq!(server.log().introspections, 2);
}

#[test]
fn a_server_that_knows_only_older_introspection_is_asked_in_its_own_words() {
    let stub = Stub::start(|request| {
        let is_modern = asks_for(request, "isRepeatable") || asks_for(request, "args(includeDeprecated");
        match is_introspection(request) && is_modern {
            true => refusal("Cannot query field \"isRepeatable\" on type \"__Directive\"."),
            false => Answer::PassOn,
        }
    });
    let project = Project::new(SETTINGS).with("findings.graphql", FINDINGS);
    project.run(&stub, &[]).with_code(0);
    assert_eq!(project.exported("findings").manifest["tables"][0]["rows"], 1500);
    let introspections = stub
        .requests()
        .iter()
        .filter(|request| is_introspection(request))
        .count();
    assert_eq!(introspections, 2);
}

#[test]
fn a_server_that_takes_no_fragments_tells_its_schema_all_the_same() {
    let questions = |settings: &str| {
        let stub = Stub::start(|request| match asks_for(request, "fragment ") {
            true => refusal("Fragments are not supported"),
            false => Answer::PassOn,
        });
        let project = Project::new(&format!("{SETTINGS}{settings}")).with("findings.graphql", FINDINGS);
        project.run(&stub, &[]).with_code(0);
        assert_eq!(project.exported("findings").manifest["tables"][0]["rows"], 1500);
        let requests = stub.requests();
        requests.iter().filter(|request| is_introspection(request)).count()
    };
    assert_eq!(questions(""), 4);
    // Who says so is asked for all of it at once.
    assert_eq!(questions("[limits.query]\nfragments = false\n"), 1);
}

#[test]
fn a_server_that_tells_no_schema_is_told_of_with_the_way_out() {
    let stub = Stub::start(|request| match is_introspection(request) {
        true => refusal("GraphQL introspection is not allowed"),
        false => Answer::PassOn,
    });
    let project = Project::new(SETTINGS).with("findings.graphql", FINDINGS);
    let ended = project.run(&stub, &[]).with_code(2);
    insta::assert_snapshot!(project.steady(ended.stderr.lines().next().expect("a line")), @r#"TIME error api: failed: the API does not tell its schema: api answered 400: GraphQL introspection is not allowed; save its schema as schema.graphql beside the query files, and write schema = "schema.graphql" into source.toml"#);
}

#[test]
fn a_schema_file_is_used_though_it_lists_an_interface_twice() {
    let definition = include_str!("../src/demo/tracker/schema.graphql");
    let twice = definition.replace("type Finding implements Node", "type Finding implements Node & Node");
    assert_ne!(definition, twice);
    let settings = SETTINGS.replacen('\n', "\nschema = 'schema.graphql'\n", 1);
    let project = Project::new(&settings)
        .with("findings.graphql", FINDINGS)
        .with("schema.graphql", &twice);
    let server = serve(calm());
    project.run(&server, &[]).with_code(0);
    assert_eq!(project.exported("findings").manifest["tables"][0]["rows"], 1500);
    assert_eq!(server.log().introspections, 0);
}

#[test]
fn a_schema_from_introspection_gives_the_same_columns_as_the_file() {
    let server = serve(calm());
    let file = Project::demo().with("schema.graphql", include_str!("../src/demo/tracker/schema.graphql"));
    file.run(&server, &["--set", "schema=schema.graphql"]).with_code(0);
    let asked = Project::demo();
    asked.run(&server, &[]).with_code(0);
    for table in tables() {
        let columns = |project: &Project| project.exported(table.name).manifest["tables"][0]["columns"].clone();
        assert_eq!(columns(&file), columns(&asked), "{}", table.name);
    }
    assert_eq!(server.log().introspections, 1);
}
