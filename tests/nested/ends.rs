//! How lists end: where the author wants no more, and where the API begins to give the same again.

use serde_json::{Value, json};

use crate::cell::{Cell, Kind};
use crate::exported::Exported;
use crate::project::Project;
use crate::stub::{Answer, Stub};

const SCHEMA: &str = "
type Query { entries(limit: Int, offset: Int): [Entry!]!  pages(page: Int, perPage: Int): [Entry!]! }
type Entry { id: ID! }
";

fn project(query: &str) -> Project {
    let settings = "endpoint = 'http://127.0.0.1:9/graphql'\nschema = 'schema.graphql'\n[limits]\npage_size = 10\n";
    Project::new(settings)
        .with("schema.graphql", SCHEMA)
        .with("entries.graphql", query)
}

/// The slots of all fields of that name at the query root: the response key, the size and the position.
fn slots(request: &Value, field: &str) -> Vec<(String, u64, u64)> {
    let text = request["query"].as_str().expect("a text");
    let body = text.split_once('{').expect("a body").1;
    let mut slots = Vec::new();
    for (before, after) in body
        .match_indices(&format!("{field}("))
        .map(|(at, _)| body.split_at(at))
    {
        let alias = before
            .rsplit(['{', '}', ' '])
            .next()
            .and_then(|alias| alias.strip_suffix(':'));
        let arguments = after[field.len() + 1..].split_once(')').expect("arguments").0;
        let value = |argument: &str| {
            let variable = argument.split_once(":$").expect("a variable").1;
            request["variables"][variable].as_u64().expect("a number")
        };
        let values: Vec<u64> = arguments.split(',').map(value).collect();
        slots.push((alias.unwrap_or(field).to_owned(), values[0], values[1]));
    }
    slots
}

/// Answers each slot of a request with entries of these numbers.
fn answered(request: &Value, field: &str, rows: impl Fn(u64, u64) -> std::ops::Range<u64>) -> Answer {
    let entry = |number: u64| json!({ "id": number.to_string() });
    let slots = slots(request, field).into_iter();
    let data = slots.map(|(key, first, second)| (key, rows(first, second).map(entry).collect::<Value>()));
    Answer::Json(json!({ "data": data.collect::<serde_json::Map<_, _>>() }))
}

fn ids(exported: &Exported, table: &str) -> Vec<u64> {
    let rows = exported.rows(table, &[("_id", Kind::Text), ("id", Kind::Text)]);
    let number = |cell: &Cell| match cell {
        Cell::Text(text) => text.parse().expect("a number"),
        other => panic!("{other:?}"),
    };
    let mut ids: Vec<u64> = rows.iter().map(|row| number(&row["id"])).collect();
    ids.sort_unstable();
    ids
}

#[test]
fn rows_past_those_that_the_author_wants_are_not_written() {
    let stub = Stub::start(|request| answered(request, "entries", |limit, offset| offset..(offset + limit).min(100)));
    // Pages are asked for side by side, and the last of them has more than is wanted.
    let query = "{ entries @paginate(max: 37) { id } }";
    let project = project(query);
    project.run(&stub, &[]).with_code(0);
    assert_eq!(ids(&project.newest("entries"), "entries"), (0..37).collect::<Vec<_>>());
    let asked: Vec<u64> = stub
        .requests()
        .iter()
        .flat_map(|one| slots(one, "entries"))
        .map(|slot| slot.2)
        .collect();
    assert!(asked.len() >= 4 && asked.iter().all(|offset| *offset < 37), "{asked:?}");
}

#[test]
fn pages_of_which_but_some_rows_are_wanted_are_cut() {
    let stub =
        Stub::start(|request| answered(request, "pages", |size, page| (page - 1) * size..(page * size).min(100)));
    let project = project("{ pages @paginate(style: PAGE_LIST, firstPage: 1, max: 25) { id } }");
    project.run(&stub, &[]).with_code(0);
    let exported = project.newest("entries");
    assert_eq!(ids(&exported, "entries"), (0..25).collect::<Vec<_>>());
    assert_eq!(exported.manifest["connections"][0]["rows"], 25);
    let asked: Vec<u64> = stub
        .requests()
        .iter()
        .flat_map(|one| slots(one, "pages"))
        .map(|slot| slot.2)
        .collect();
    assert_eq!(asked.iter().max(), Some(&3), "{asked:?}");
}

/// A list of so many rows that gives its last page again behind its end.
fn wrapping(rows: u64) -> Stub {
    Stub::start(move |request| {
        answered(request, "pages", |size, page| {
            let page = page.min(rows.div_ceil(size));
            (page - 1) * size..(page * size).min(rows)
        })
    })
}

const PAGES: &str = "{ pages @paginate(style: PAGE_LIST, firstPage: 1) { id } }";

#[test]
fn a_last_page_that_comes_again_is_the_end_where_it_is_shorter_than_others() {
    let (project, stub) = (project(PAGES), wrapping(17));
    project.run(&stub, &[]).with_code(0);
    let exported = project.newest("entries");
    assert_eq!(ids(&exported, "entries"), (0..17).collect::<Vec<_>>());
    assert_eq!(stub.requests().len(), 3);
}

#[test]
fn a_list_that_brings_nothing_new_any_more_is_published_and_told() {
    // All pages are as long, or there is but one: it may be the first one for ever.
    for rows in [7, 20] {
        let (project, stub) = (project(PAGES), wrapping(rows));
        project.run(&stub, &[]).with_code(3);
        let exported = project.newest("entries");
        assert_eq!(ids(&exported, "entries"), (0..rows).collect::<Vec<_>>());
        let incomplete = exported.incomplete();
        assert_eq!(exported.manifest["connections"][0]["ends"]["suspect"], 1);
        assert!(
            incomplete
                .iter()
                .any(|line| line.starts_with("`pages` brings nothing but rows that came before")),
            "{incomplete:?}"
        );
    }
}
