//! Plain lists of wide objects in rows: their items are asked for in groups of columns as well, and put together by their
//! places.

use std::sync::atomic::{AtomicU32, Ordering};

use gqldump::demo::DemoConfig;
use serde_json::{Value, json};

use crate::cell::{Cell, Kind, list, object};
use crate::pieces::BEHAVIOURS;
use crate::project::Project;
use crate::stub::{Answer, Stub};
use crate::tracker::serve;
use crate::truth::Branch;

const SCHEMA: &str = "
type Query { crates(first: Int, after: String): CrateConnection! }
type CrateConnection { nodes: [Crate!]! pageInfo: PageInfo! }
type PageInfo { hasNextPage: Boolean! endCursor: String }
type Crate { id: ID! title: String! bottles: [Bottle!]! labels: [Label] }
type Bottle { id: ID! name: String! volume: Int! colour: String cap: Cap! note: String! stains: [Stain!]! }
type Cap { metal: String! colour: String! thread: Int! }
type Stain { place: String! size: Int! tint: String! }
type Label { text: String! tongue: String size: Int }
";

const DATA: &str = r#"
seed = 3
example = "{ crates { nodes { id } } }"
vocabulary = ["rum", "ale", "cider", "port"]
[pagings.relay]
size = "first"
cursor = "after"
[pagings.relay.result]
nodes = "items"
"pageInfo.hasNextPage" = "has_next"
"pageInfo.endCursor" = "end_cursor"
[types.Query.connections]
crates = { of = "Crate", paging = "relay" }
[types.Crate]
count = 30
[types.Crate.fields]
id = { identifier = "CRATE" }
title = { pattern = "{word} {number}" }
bottles = { list = { min = 0, max = 5, of = { object = "Bottle" } } }
labels = { nullable = { chance = 0.3, of = { list = { min = 0, max = 3, of = { nullable = { chance = 0.2, of = { object = "Label" } } } } } } }
[types.Bottle.fields]
id = { pattern = "b{number}" }
name = { pattern = "{word} {number}" }
volume = { integer = { min = 1, max = 99 } }
colour = { nullable = { chance = 0.3, of = { text = ["green", "brown"] } } }
cap = { object = "Cap" }
note = { pattern = "no {word}" }
stains = { list = { min = 0, max = 3, of = { object = "Stain" } } }
[types.Cap.fields]
metal = { text = ["tin", "zinc"] }
colour = { text = ["red", "gold"] }
thread = { integer = { min = 1, max = 9 } }
[types.Stain.fields]
place = { text = ["neck", "base"] }
size = { integer = { min = 1, max = 9 } }
tint = { text = ["dark", "pale"] }
[types.Label.fields]
text = { pattern = "{word} {number}" }
tongue = { nullable = { chance = 0.5, of = { text = ["de", "fr"] } } }
size = { integer = { min = 1, max = 9 } }
"#;

/// What the stand-in takes of one query.
const TEXT_LIMIT: &str = r#"
[text_limit]
complexity = { max = 11, object = 1.0, scalar = 1.0 }
refusal = { status = 400, body = '{"errors":[{"message":"Too much {what}: {requested} of {max}."}]}' }
"#;

const QUERY: &str = "{ crates { nodes { id title bottles { name volume colour cap { metal colour thread } note \
                     stains { place size tint } } labels { text tongue size } } } }";

fn project(settings: &str, query: &str) -> Project {
    let settings = format!(
        "endpoint = 'http://127.0.0.1:9/graphql'\nschema = 'schema.graphql'\nlimits.page_size = 10\n{settings}"
    );
    Project::new(&settings)
        .with("schema.graphql", SCHEMA)
        .with("crates.graphql", query)
}

fn rows() -> Branch {
    let cap = object(&[("metal", Kind::Text), ("colour", Kind::Text), ("thread", Kind::Int32)]);
    let stain = object(&[("place", Kind::Text), ("size", Kind::Int32), ("tint", Kind::Text)]);
    let bottle = object(&[
        ("name", Kind::Text),
        ("volume", Kind::Int32),
        ("colour", Kind::Text),
        ("cap", cap),
        ("note", Kind::Text),
        ("stains", list(stain)),
    ]);
    let label = object(&[("text", Kind::Text), ("tongue", Kind::Text), ("size", Kind::Int32)]);
    let columns = [
        ("id", Kind::Text),
        ("title", Kind::Text),
        ("bottles", list(bottle)),
        ("labels", list(label)),
    ];
    Branch::new("crates", "Query.crates", &columns)
}

#[test]
fn lists_that_no_request_takes_whole_come_with_every_item_and_every_field() {
    let config = DemoConfig::of_texts("cellar", SCHEMA, DATA, &format!("{BEHAVIOURS}{TEXT_LIMIT}"));
    let server = serve(config.expect("a stand-in"));
    let project = project("limits.query.complexity = 11", QUERY);
    project.run(&server, &[]).with_code(0);
    rows().check(&project.exported("crates"), server.stand_in());
    let log = server.log();
    assert_eq!(
        (log.request_errors, log.refused, log.requests_repeated),
        (0, 0, 0),
        "{log:?}"
    );
}

/// The same where nobody told gqldump of the limit: what was found out in the first night is known in the second.
#[test]
fn lists_that_turn_out_to_be_too_much_are_cut_as_well() {
    let limit = TEXT_LIMIT.replace("Too much {what}", "Query is too complex");
    let config = DemoConfig::of_texts("cellar", SCHEMA, DATA, &format!("{BEHAVIOURS}{limit}"));
    let server = serve(config.expect("a stand-in"));
    let project = project("", QUERY);
    project.run(&server, &[]).with_code(0);
    rows().check(&project.exported("crates"), server.stand_in());
    let first = server.log();
    assert_ne!(first.refused, 0, "{first:?}");
    assert_eq!(first.requests_repeated, 0, "{first:?}");
    project.run(&server, &[]).with_code(0);
    rows().check(&project.exported("crates"), server.stand_in());
    let second = server.log();
    assert_eq!(second.refused, first.refused, "{second:?}");
}

const NARROW: &str = "{ crates { nodes { id bottles { name volume note colour } } } }";

/// One crate of two bottles, which `change` changes for each request of those for some of their fields but the first.
fn api(change: impl Fn(u32, &mut Value) + Send + Sync + 'static) -> Stub {
    let requests = AtomicU32::new(0);
    Stub::start(move |request| {
        let text = request["query"].as_str().expect("a query");
        let bottle = |number: u32| {
            let all = json!({ "name": format!("n{number}"), "volume": number, "note": "-", "colour": "red",
                              "id": format!("b{number}") });
            let asked = all.as_object().expect("an object").clone().into_iter();
            asked
                .filter(|(field, _)| text.contains(field.as_str()))
                .collect::<Value>()
        };
        let mut bottles = json!([bottle(1), bottle(2)]);
        if !text.contains("name") {
            change(requests.fetch_add(1, Ordering::Relaxed), &mut bottles);
        }
        let page = json!({ "hasNextPage": false, "endCursor": null });
        Answer::Json(
            json!({ "data": { "crates": { "nodes": [{ "id": "c", "bottles": bottles }], "pageInfo": page } } }),
        )
    })
}

fn bottles(project: &Project) -> Vec<Cell> {
    let bottle = object(&[
        ("name", Kind::Text),
        ("volume", Kind::Int32),
        ("note", Kind::Text),
        ("colour", Kind::Text),
    ]);
    let columns = [("_id", Kind::Text), ("id", Kind::Text), ("bottles", list(bottle))];
    let rows = project.newest("crates").rows("crates", &columns);
    rows.into_iter().flat_map(|mut row| row.remove("bottles")).collect()
}

#[test]
fn a_row_whose_list_changed_between_the_groups_is_asked_for_once_more_and_then_marked() {
    let shorter = |bottles: &mut Value| drop(bottles.as_array_mut().expect("a list").pop());
    let turned = |bottles: &mut Value| bottles.as_array_mut().expect("a list").reverse();
    for change in [shorter as fn(&mut Value), turned] {
        let within = project("limits.query.complexity = 9", NARROW);
        let once = api(move |request, bottles| {
            if request == 0 {
                change(bottles);
            }
        });
        within.run(&once, &[]).with_code(0);
        assert_eq!(once.requests().len(), 4, "both groups twice");
        let whole = project("", NARROW);
        whole.run(&once, &[]).with_code(0);
        assert_eq!(bottles(&within), bottles(&whole));
        let ever = api(move |_, bottles| change(bottles));
        within.run(&ever, &[]).with_code(3);
        let exported = within.newest("crates");
        let flaw = "`bottles` changed while its fields were asked for in several requests, and may lack some of them";
        assert_eq!(exported.incomplete()[0], flaw, "{:?}", exported.incomplete());
        assert_eq!(
            (bottles(&within).len(), exported.rejects("crates").len()),
            (0, 1),
            "`note` is never null"
        );
    }
}
