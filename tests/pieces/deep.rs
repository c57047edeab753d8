//! Objects that stand too deep in their rows: each row is asked for them by itself, nearer the query root.

use gqldump::demo::DemoConfig;

use crate::cell::{Kind, list, object};
use crate::pieces::BEHAVIOURS;
use crate::project::Project;
use crate::tracker::serve;
use crate::truth::Branch;

const SCHEMA: &str = "
type Query { ship(id: ID!): Ship cargo(id: ID!): Cargo ships(first: Int, after: String): ShipConnection! }
type ShipConnection { edges: [ShipEdge!]! pageInfo: PageInfo! }
type ShipEdge { node: Ship! cursor: String! }
type CargoConnection { nodes: [Cargo!]! pageInfo: PageInfo! }
type PageInfo { hasNextPage: Boolean! endCursor: String }
type Ship { id: ID! name: String! home: Port cargos(first: Int, after: String): CargoConnection! }
type Cargo { id: ID! weight: Int! from: Port! stops: [Port!]! }
type Port { city: City! }
type City { name: String! land: Land! }
type Land { name: String! code: Int! }
";

const DATA: &str = r#"
seed = 3
example = "{ ships { edges { node { id } } } }"
vocabulary = ["rum", "ale", "cider", "port"]
[pagings.edges]
size = "first"
cursor = "after"
[pagings.edges.result]
edges = "edges"
"edges.node" = "edge_node"
"edges.cursor" = "edge_cursor"
"pageInfo.hasNextPage" = "has_next"
"pageInfo.endCursor" = "end_cursor"
[types.Query.lookups]
ship = { argument = "id", field = "id" }
cargo = { argument = "id", field = "id" }
[types.Query.connections]
ships = { of = "Ship", paging = "edges" }
[types.Ship]
count = 12
[types.Ship.fields]
id = { identifier = "SHIP" }
name = { pattern = "{word} {number}" }
home = { nullable = { chance = 0.3, of = { object = "Port" } } }
[types.Ship.connections]
cargos = { of = "Cargo", paging = "nodes" }
[pagings.nodes]
size = "first"
cursor = "after"
[pagings.nodes.result]
nodes = "items"
"pageInfo.hasNextPage" = "has_next"
"pageInfo.endCursor" = "end_cursor"
[types.Cargo]
count = 60
within = { type = "Ship", empty = 0.2, heaviest = 0.1 }
[types.Cargo.fields]
id = { identifier = "CARGO" }
weight = { integer = { min = 1, max = 99 } }
from = { object = "Port" }
stops = { list = { min = 0, max = 3, of = { object = "Port" } } }
[types.Port.fields]
city = { object = "City" }
[types.City.fields]
name = { pattern = "{word}" }
land = { object = "Land" }
[types.Land.fields]
name = { pattern = "{word} {number}" }
code = { integer = { min = 1, max = 99 } }
"#;

const TEXT_LIMIT: &str = r#"
[text_limit]
depth = 5
root_fields = 7
refusal = { status = 400, body = '{"errors":[{"message":"No more {what} than {max}, and not {requested}."}]}' }
"#;

const QUERY: &str = "{ ships { edges { node { id name home { city { name land { name code } } } cargos { nodes { weight \
                     from { city { name land { code } } } stops { city { land { name } } } } } } } } }";

fn ships() -> DemoConfig {
    DemoConfig::of_texts("ships", SCHEMA, DATA, &format!("{BEHAVIOURS}{TEXT_LIMIT}")).expect("a stand-in")
}

fn project() -> Project {
    let settings = "
        endpoint = 'http://127.0.0.1:9/graphql'
        schema = 'schema.graphql'
        verdicts = [{ message = '^Access denied', verdict = 'denied' }]
        [limits]
        page_size = 5
        query = { depth = 5, root_fields = 7 }
        [retry]
        initial_wait = '5ms'
        max_wait = '20ms'
    ";
    Project::new(settings)
        .with("schema.graphql", SCHEMA)
        .with("ships.graphql", QUERY)
}

fn branch() -> Branch {
    let text = Kind::Text;
    let port = |city: &[(&'static str, Kind)]| object(&[("city", object(city))]);
    let land = object(&[("name", text.clone()), ("code", Kind::Int32)]);
    let ship = [
        ("id", text.clone()),
        ("name", text.clone()),
        ("home", port(&[("name", text.clone()), ("land", land)])),
    ];
    let from = port(&[("name", text.clone()), ("land", object(&[("code", Kind::Int32)]))]);
    let stop = port(&[("land", object(&[("name", text.clone())]))]);
    let cargo = [("weight", Kind::Int32), ("from", from), ("stops", list(stop))];
    let cargos = Branch::new("cargos", "Ship.cargos", &cargo).keyed(Some("id"));
    Branch::new("ships", "Query.ships", &ship).with([cargos])
}

#[test]
fn rows_are_asked_by_themselves_for_what_stands_too_deep_in_them() {
    let (project, server) = (project(), serve(ships()));
    project.run(&server, &[]).with_code(0);
    branch().check(&project.exported("ships"), server.stand_in());
    let log = server.log();
    assert_eq!(
        (log.request_errors, log.refused, log.requests_repeated),
        (0, 0, 0),
        "{log:?}"
    );
    // 12 ships in three pages, by seven in a request; 60 cargos in one page or more for each ship.
    assert!(log.requests <= 40, "rows share requests: {log:?}");
}
