//! A stand-in whose objects have so many fields, on so many levels, that no request takes all of them: 150 fields, twelve
//! levels, 6,000 characters.

use std::fmt::Write as _;

use gqldump::demo::DemoConfig;

use crate::cell::{Kind, object};
use crate::pieces::BEHAVIOURS;
use crate::project::Project;
use crate::truth::Branch;

/// What `source.toml` says of the limits, and the stand-in enforces.
pub(super) const LIMITS: &str = "characters = 3000, depth = 8, root_fields = 3, complexity = 400";

/// The list of a type: its field, and the type of its items.
type Children = (&'static str, &'static str);

/// Objects with values of their own: a type, how many fields it has, and of what its lists are.
const TYPES: [(&str, usize, Option<Children>); 4] = [
    ("Plant", 30, Some(("machines", "Machine"))),
    ("Machine", 40, Some(("sensors", "Sensor"))),
    ("Sensor", 40, Some(("readings", "Reading"))),
    ("Reading", 29, None),
];

const DATA: &str = r#"
seed = 7
example = "{ plants { nodes { id } } }"
vocabulary = ["valve", "pump", "belt", "press", "oven"]
[pagings.relay]
size = "first"
cursor = "after"
[pagings.relay.result]
nodes = "items"
totalCount = "total"
"pageInfo.hasNextPage" = "has_next"
"pageInfo.endCursor" = "end_cursor"
[types.Query.lookups]
node = { argument = "id", field = "id" }
[types.Query.connections]
plants = "Plant"
[types.Plant]
count = 9
scaled = true
[types.Machine]
count = 40
scaled = true
within = { type = "Plant", empty = 0.2, heaviest = 0.0 }
[types.Sensor]
count = 130
scaled = true
within = { type = "Machine", empty = 0.2, heaviest = 0.0 }
[types.Reading]
count = 700
scaled = true
within = { type = "Sensor", empty = 0.2, heaviest = 0.0 }
[types.Origin.fields]
place = { object = "Place" }
[types.Place.fields]
site = { object = "Site" }
[types.Site.fields]
name = { pattern = "{word} {number}" }
"#;

const TEXT_LIMIT: &str = r#"
[text_limit]
characters = 3000
depth = 8
root_fields = 3
complexity = { max = 400, object = 1.0, scalar = 1.0 }
refusal = { status = 400, body = '{"errors":[{"message":"Your query is not to have more {what} than {max}, and has {requested}."}]}' }
"#;

/// The name of a field, as long as such names can be, what it holds, and how the stand-in makes it.
fn field(ty: &str, index: usize) -> (&'static str, Kind, &'static str, &'static str) {
    let name = format!("{}CalibrationValueAtTheIntakeValve{index:03}", ty.to_lowercase());
    let name: &'static str = Box::leak(name.into_boxed_str());
    let (kind, written, generator) = match index % 4 {
        0 => (Kind::Text, "String!", "{ pattern = \"{word} {number}\" }"),
        1 => (Kind::Int32, "Int!", "{ integer = { min = -9, max = 99999 } }"),
        2 => (
            Kind::Text,
            "String",
            "{ nullable = { chance = 0.3, of = { pattern = \"{word}\" } } }",
        ),
        _ => (Kind::Boolean, "Boolean!", "{ boolean = 0.5 }"),
    };
    (name, kind, written, generator)
}

fn fields(ty: &str, count: usize) -> impl Iterator<Item = (&'static str, Kind, &'static str, &'static str)> {
    (0..count).map(move |index| field(ty, index))
}

/// The stand-in.
pub(crate) fn plant() -> DemoConfig {
    let mut schema = String::from(
        "type Query { node(id: ID!): Node plants(first: Int, after: String): PlantConnection! }
        interface Node { id: ID! }
        type PageInfo { hasNextPage: Boolean! endCursor: String }
        type Origin { place: Place! } type Place { site: Site! } type Site { name: String! }\n",
    );
    let mut data = DATA.to_owned();
    for (ty, count, list) in TYPES {
        let mut own = String::new();
        let mut made = format!("[types.{ty}.fields]\nid = {{ identifier = \"{ty}\" }}\n");
        for (name, _, written, generator) in fields(ty, count) {
            let _ = write!(own, " {name}: {written}");
            let _ = writeln!(made, "{name} = {generator}");
        }
        match list {
            Some((list, of)) => {
                let _ = write!(own, " {list}(first: Int, after: String): {of}Connection!");
                let _ = writeln!(made, "[types.{ty}.connections]\n{list} = \"{of}\"");
            }
            None => {
                own.push_str(" origin: Origin!");
                made.push_str("origin = { object = \"Origin\" }\n");
            }
        }
        let _ = writeln!(
            schema,
            "type {ty} implements Node {{ id: ID!{own} }}
            type {ty}Connection {{ nodes: [{ty}!]! pageInfo: PageInfo! totalCount: Int! }}"
        );
        data.push_str(&made);
    }
    DemoConfig::of_texts("plant", &schema, &data, &format!("{BEHAVIOURS}{TEXT_LIMIT}")).expect("a stand-in")
}

/// All fields of all objects.
pub(crate) fn query() -> String {
    let selection = |ty: &str, count: usize| {
        fields(ty, count)
            .map(|(name, ..)| format!(" {name}"))
            .collect::<String>()
    };
    let mut text = String::new();
    for (ty, count, list) in TYPES.iter().rev() {
        let own = selection(ty, *count);
        text = match list {
            Some((list, _)) => format!("id{own} {list} {{ nodes {{ {text} }} }}"),
            None => format!("id{own} origin {{ place {{ site {{ name }} }} }}"),
        };
    }
    format!("{{ plants {{ nodes {{ {text} }} }} }}")
}

/// The tables that come of it.
pub(crate) fn branch() -> Branch {
    let columns = |ty: &str, count: usize| -> Vec<(&'static str, Kind)> {
        let own = fields(ty, count).map(|(name, kind, ..)| (name, kind));
        std::iter::once(("id", Kind::Text)).chain(own).collect()
    };
    let lists = [
        ("plants", "Query.plants"),
        ("machines", "Plant.machines"),
        ("sensors", "Machine.sensors"),
        ("readings", "Sensor.readings"),
    ];
    let mut below: Option<Branch> = None;
    for ((ty, count, list), (name, place)) in TYPES.iter().zip(lists).rev() {
        let mut columns = columns(ty, *count);
        if list.is_none() {
            let site = object(&[("name", Kind::Text)]);
            columns.push(("origin", object(&[("place", object(&[("site", site)]))])));
        }
        below = Some(Branch::new(name, place, &columns).with(below));
    }
    below.expect("a table")
}

/// The source and its query file, with further settings.
pub(crate) fn project(limits: &str) -> Project {
    let settings = format!(
        "endpoint = 'http://127.0.0.1:9/graphql'\n[limits]\npage_size = 20\n{limits}\n[retry]\ninitial_wait = '5ms'\n\
         max_wait = '20ms'\n"
    );
    Project::new(&settings).with("plants.graphql", &query())
}

/// The settings of a source that says what its API takes.
pub(crate) fn limited() -> String {
    format!("query = {{ {LIMITS} }}")
}
