//! A stand-in with one kind of rows, listed in three styles and below other rows, of which one can be made to crash the
//! server.

use gqldump::demo::{DemoConfig, Poison, Refusal};

use crate::cell::Kind;
use crate::pieces::BEHAVIOURS;
use crate::project::Project;
use crate::truth::Branch;

const SCHEMA: &str = "
type Query {
  node(id: ID!): Node
  byCursor(first: Int, after: String): ItemConnection!
  byPage(page: Int, perPage: Int): ItemPage!
  byOffset(limit: Int, offset: Int): [Item!]!
  shelves(first: Int, after: String): ShelfConnection!
}
interface Node { id: ID! }
type Item implements Node { id: ID! title: String! weight: Int! colour: String state: String! text: String! }
type Shelf implements Node { id: ID! name: String! items(first: Int, after: String): ItemConnection! }
type ItemConnection { nodes: [Item!]! pageInfo: PageInfo! }
type ShelfConnection { nodes: [Shelf!]! pageInfo: PageInfo! }
type PageInfo { hasNextPage: Boolean! endCursor: String }
type ItemPage { items: [Item!]! total: Int! pages: Int! }
";

const DATA: &str = r#"
seed = 5
example = "{ byCursor { nodes { id } } }"
vocabulary = ["box", "jar", "tin", "crate"]
[pagings.relay]
size = "first"
cursor = "after"
[pagings.relay.result]
nodes = "items"
"pageInfo.hasNextPage" = "has_next"
"pageInfo.endCursor" = "end_cursor"
[pagings.numbered]
size = "perPage"
page = "page"
[pagings.numbered.result]
items = "items"
total = "total"
pages = "page_count"
[pagings.offset]
size = "limit"
offset = "offset"
[types.Query.lookups]
node = { argument = "id", field = "id" }
[types.Query.connections]
byCursor = { of = "Item", paging = "relay" }
byPage = { of = "Item", paging = "numbered" }
byOffset = { of = "Item", paging = "offset" }
shelves = { of = "Shelf", paging = "relay" }
[types.Shelf]
count = 6
[types.Shelf.fields]
id = { identifier = "SHELF" }
name = { pattern = "{word} {number}" }
[types.Shelf.connections]
items = { of = "Item", paging = "relay" }
[types.Item]
count = 60
within = { type = "Shelf", empty = 0.0, heaviest = 0.0 }
[types.Item.fields]
id = { serial = { start = 100, form = "text" } }
title = { pattern = "A {word} or {word}, or a {word} of a {word} {number}" }
weight = { integer = { min = 1, max = 999 } }
colour = { nullable = { chance = 0.3, of = { text = ["red", "blue"] } } }
state = { text = ["OPEN", "SOLD"] }
text = { pattern = "This {word} is no {word}, and this {word} no {word}; that {word} was a {word} before." }
"#;

/// The key of the row that does harm.
pub(super) const HARMFUL: &str = "141";

pub(super) fn store() -> DemoConfig {
    DemoConfig::of_texts("store", SCHEMA, DATA, BEHAVIOURS).expect("a stand-in")
}

/// The stand-in that gives up where that field of one row is asked for, or anything of it.
pub(super) fn harmful(field: Option<&str>) -> DemoConfig {
    let mut config = store();
    let poison = format!("object = {{ type = 'Item', field = 'id', value = '{HARMFUL}' }}");
    let refusal = Refusal::gateway_timeout();
    let object = toml::from_str::<toml::Table>(&poison).expect("TOML");
    config.behaviours.poison = vec![Poison {
        object: object["object"].clone().try_into().expect("an object"),
        field: field.map(str::to_owned),
        refusal,
    }];
    config
}

pub(super) fn project(name: &str, text: &str) -> Project {
    let settings = "
        endpoint = 'http://127.0.0.1:9/graphql'
        schema = 'schema.graphql'
        [limits]
        page_size = 25
        [retry]
        attempts = 3
        initial_wait = '5ms'
        max_wait = '20ms'
    ";
    Project::new(settings)
        .with("schema.graphql", SCHEMA)
        .with(&format!("{name}.graphql"), text)
}

const COLUMNS: &str = "id title weight colour state text";

/// A query file for a list in each style: its name, its text, and the place of the rows' values.
pub(super) fn styles() -> [(&'static str, String, &'static str); 3] {
    [
        (
            "byCursor",
            format!("{{ byCursor {{ nodes {{ {COLUMNS} }} }} }}"),
            "byCursor.nodes",
        ),
        (
            "byPage",
            format!("{{ byPage {{ items {{ {COLUMNS} }} }} }}"),
            "byPage.items",
        ),
        ("byOffset", format!("{{ byOffset {{ {COLUMNS} }} }}"), "byOffset"),
    ]
}

/// The lists below rows.
pub(super) fn shelves() -> String {
    format!("{{ shelves {{ nodes {{ id name items {{ nodes {{ {COLUMNS} }} }} }} }} }}")
}

pub(super) fn items(name: &str, place: &'static str) -> Branch {
    let columns = [
        ("id", Kind::Text),
        ("title", Kind::Text),
        ("weight", Kind::Int32),
        ("colour", Kind::Text),
        ("state", Kind::Text),
        ("text", Kind::Text),
    ];
    Branch::new(name, place, &columns)
}

pub(super) fn shelf_rows(items: Branch) -> Branch {
    let columns = [("id", Kind::Text), ("name", Kind::Text)];
    Branch::new("shelves", "Query.shelves", &columns).with([items])
}
