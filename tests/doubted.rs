//! Null where rows were expected, from an API that never answers so.

use serde_json::{Value, json};

use crate::project::Project;
use crate::stub::{Answer, Stub};

const SCHEMA: &str = "
type Query { me: Me team(id: ID!): Team logs(first: Int, after: String): LogConnection }
type Me { name: String teams: [Team] }
type Team { id: ID! lead: Lead posts(first: Int, after: String): LogConnection }
type Lead { name: String }
type LogConnection { pageInfo: PageInfo! nodes: [Log] }
type PageInfo { hasNextPage: Boolean! endCursor: String }
type Log { id: ID! text: String }
";

/// The exit codes of an export with and without `doubt_null`, and what is lacking with it.
fn ends(query: &str, data: Value) -> ([Option<i32>; 2], Vec<String>) {
    let stub = Stub::start(move |_| Answer::Json(json!({ "data": data })));
    let mut lacks = Vec::new();
    let codes = [false, true].map(|doubts| {
        let project = Project::new("endpoint = 'https://api.invalid'\nschema = 'schema.graphql'")
            .with("schema.graphql", SCHEMA)
            .with("rows.graphql", query);
        let ended = project.run(&stub, &["--set", &format!("doubt_null={doubts}")]);
        let exported = project.newest("rows");
        lacks = exported.incomplete().into_iter().map(str::to_owned).collect();
        ended.code
    });
    (codes, lacks)
}

#[test]
fn null_in_the_place_of_all_rows_is_named() {
    let teams = "{ me { teams { id } } }";
    let page = json!({ "hasNextPage": false, "endCursor": null });
    for (query, data, without, place) in [
        (teams, json!({ "me": null }), 0, "me"),
        (teams, json!({ "me": { "teams": null } }), 0, "me.teams"),
        ("{ me { name } }", json!({ "me": null }), 0, "data"),
        ("{ logs { nodes { id } } }", json!({ "logs": null }), 3, "logs"),
    ] {
        let (codes, lacks) = ends(query, data);
        assert_eq!(codes, [Some(without), Some(3)], "{query}");
        let lack = format!("`{place}` is null without any error, which is no answer of this API");
        assert_eq!(lacks, [lack], "{query}");
    }
    // What is null in rows, or says nothing of rows, is honest, and so is a list without any.
    let rows = json!({ "me": { "teams": [{ "id": "t", "lead": null, "posts": null }] } });
    let (codes, lacks) = ends("{ me { teams { id lead { name } posts { nodes { id } } } } }", rows);
    assert_eq!((codes, lacks), ([Some(0); 2], Vec::new()));
    for (query, data) in [
        (teams, json!({ "me": { "teams": [] } })),
        (
            "{ logs { nodes { id } } }",
            json!({ "logs": { "nodes": [], "pageInfo": page } }),
        ),
        (
            "{ me { name } logs { nodes { id } } }",
            json!({ "me": { "name": null }, "logs": { "nodes": [], "pageInfo": page } }),
        ),
        (
            "{ me { name } logs { nodes { id } } }",
            json!({ "me": null, "logs": { "nodes": [], "pageInfo": page } }),
        ),
    ] {
        assert_eq!(ends(query, data), ([Some(0); 2], Vec::new()), "{query}");
    }
}
