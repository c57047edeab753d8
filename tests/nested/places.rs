//! Rows that nothing tells apart but what they hold, and that are asked for again at their place: another row may stand
//! there by then.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};

use crate::cell::{Cell, Kind};
use crate::exported::Exported;
use crate::project::Project;
use crate::stub::{Answer, Stub};

const SCHEMA: &str = "
type Query { shelves(limit: Int, offset: Int): [Shelf!]! }
type Shelf { name: String books(limit: Int, offset: Int): [Book!]! }
type Book { title: String }
";

/// One shelf and no other in each request, and one page of two books.
const SETTINGS: &str = "
endpoint = 'http://127.0.0.1:9/graphql'
schema = 'schema.graphql'
[limits]
page_size = 2
query = { root_fields = 1 }
";

/// The value of an argument of the first field of that name.
fn argument(request: &Value, field: &str, name: &str) -> usize {
    let text = request["query"].as_str().expect("a text");
    let arguments = text.split_once(&format!("{field}(")).expect("the field").1;
    let arguments = arguments.split_once(')').expect("arguments").0;
    let mut given = arguments.split(',').filter_map(|argument| argument.split_once(":$"));
    let variable = given.find(|(own, _)| *own == name).expect("the argument").1;
    usize::try_from(request["variables"][variable].as_u64().expect("a number")).expect("a number")
}

fn shelf(name: &str, request: &Value) -> Value {
    let titles = (1..=5).map(|number| json!({ "title": format!("{name}{number}") }));
    let books = titles.skip(argument(request, "books", "offset"));
    let books: Vec<Value> = books.take(argument(request, "books", "limit")).collect();
    json!({ "name": name, "books": books })
}

/// A library whose shelves stand in that order from the second request on.
fn library(then: [&'static str; 2]) -> Stub {
    let requests = AtomicU64::new(0);
    Stub::start(move |request| {
        let order = match requests.fetch_add(1, Ordering::Relaxed) {
            0 => ["a", "b"],
            _ => then,
        };
        let shelves = order.into_iter().skip(argument(request, "shelves", "offset"));
        let shelves = shelves.take(argument(request, "shelves", "limit"));
        let shelves: Vec<Value> = shelves.map(|name| shelf(name, request)).collect();
        Answer::Json(json!({ "data": { "shelves": shelves } }))
    })
}

fn project() -> Project {
    Project::new(SETTINGS)
        .with("schema.graphql", SCHEMA)
        .with("shelves.graphql", "{ shelves { name books { title } } }")
}

/// The titles that are below the shelf of that name.
fn titles(exported: &Exported, shelf: &str) -> Vec<String> {
    let shelves = exported.rows("shelves", &[("_id", Kind::Text), ("name", Kind::Text)]);
    let own = shelves.iter().find(|row| row["name"] == Cell::Text(shelf.to_owned()));
    let own = &own.expect("a shelf")["_id"];
    let columns = [("_id", Kind::Text), ("_parent_id", Kind::Text), ("title", Kind::Text)];
    let books = exported.rows("shelves__books", &columns);
    let books = books.iter().filter(|book| book["_parent_id"] == *own);
    let mut titles: Vec<String> = books.map(|book| format!("{:?}", book["title"])).collect();
    titles.sort();
    titles
}

fn expected(shelf: &str, count: usize) -> Vec<String> {
    (1..=count).map(|number| format!("Text(\"{shelf}{number}\")")).collect()
}

#[test]
fn rows_below_rows_without_a_key_are_read_on_at_their_place() {
    let (project, stub) = (project(), library(["a", "b"]));
    project.run(&stub, &[]).with_code(0);
    let exported = project.newest("shelves");
    for shelf in ["a", "b"] {
        assert_eq!(titles(&exported, shelf), expected(shelf, 5));
    }
}

#[test]
fn rows_of_another_row_that_stands_at_the_place_by_now_are_not_taken_and_told() {
    let (project, stub) = (project(), library(["b", "a"]));
    project.run(&stub, &[]).with_code(3);
    let exported = project.newest("shelves");
    for shelf in ["a", "b"] {
        assert_eq!(titles(&exported, shelf), expected(shelf, 2));
    }
    let incomplete = exported.incomplete();
    assert!(
        incomplete[0].starts_with("`shelves.books` of the row `")
            && incomplete[0].contains(": the row that holds it is another one"),
        "{incomplete:?}"
    );
    let connections = exported.manifest["connections"].as_array().expect("connections");
    assert_eq!(connections[1]["ends"]["lost"], 2);
}

#[test]
fn rows_of_which_nothing_is_selected_are_told_to_be_unknown() {
    let project = project().with("shelves.graphql", "{ shelves { books { title } } }");
    let told = project.run(&library(["a", "b"]), &[]).with_code(3).stderr;
    assert!(told.contains("select a value that tells the rows apart"), "{told}");
}
