//! Single rows that the token may not see, in lists of which no item can be null: all other rows come, and these are named.

use regex::Regex;
use serde_json::{Map, Value, json};

use crate::program::Ended;
use crate::project::Project;
use crate::stub::{Answer, Stub, cursor};

const SCHEMA: &str = "
type Query { lines(limit: Int, offset: Int): Lines! sheets(perPage: Int, page: Int = 1): Sheets!
  notes(first: Int, after: String): Notes! }
type Lines { items: [Row!]! total: Int! }
type Sheets { items: [Row!]! totalPages: Int! total: Int! }
type Notes { pageInfo: PageInfo! nodes: [Row] }
type PageInfo { hasNextPage: Boolean! endCursor: String }
type Row { id: ID! text: String }
";
const SETTINGS: &str = "endpoint = 'https://api.invalid'\nschema = 'schema.graphql'\nlimits.page_size = 50";
const ROWS: u64 = 300;

fn project(list: &str, items: &str) -> Project {
    let query = format!("{{ {list} {{ {items} {{ id text }} }} }}");
    let project = Project::new(SETTINGS).with("schema.graphql", SCHEMA);
    project.with(&format!("{list}.graphql"), &query)
}

fn row(number: u64) -> Value {
    json!({ "id": format!("r{number}"), "text": format!("row {number}") })
}

/// An API of 300 rows by offset and by page number. A page with a denied row is not there, nor is all else then.
fn numbered(denied: &'static [u64]) -> Stub {
    let page = Regex::new(r"(?:(t\d+):)?(lines|sheets)\((?:limit|perPage):\$(\w+),(?:offset|page):\$(\w+)\)");
    let page = page.expect("a pattern");
    Stub::start(move |request| {
        let text = request["query"].as_str().expect("a query");
        let number = |name: &str| request["variables"][name].as_u64().expect("a number");
        let mut data = Map::new();
        let mut errors = Vec::new();
        for found in page.captures_iter(text) {
            let key = found.get(1).map_or(&found[2], |alias| alias.as_str());
            let (size, place) = (number(&found[3]), number(&found[4]));
            let begin = if &found[2] == "sheets" {
                (place - 1) * size
            } else {
                place
            };
            let rows = begin..ROWS.min(begin + size);
            let lacking = rows.clone().filter(|row| denied.contains(row));
            errors
                .extend(lacking.map(|row| json!({ "message": "Access denied", "path": [key, "items", row - begin] })));
            let items: Vec<Value> = rows.map(row).collect();
            let page = json!({ "items": items, "total": ROWS, "totalPages": ROWS.div_ceil(size) });
            data.insert(key.to_owned(), page);
        }
        Answer::Json(match errors.as_slice() {
            [] => json!({ "data": data }),
            // One error is enough to take all of it.
            [first, ..] => json!({ "data": null, "errors": [first] }),
        })
    })
}

/// An API of 300 rows behind cursors, each of which can be null, as those are of which the key is denied.
fn nullable(is_denied: impl Fn(u64) -> bool + Send + Sync + 'static) -> Stub {
    Stub::start(move |request| {
        let begin: u64 = cursor(request).map_or(0, |cursor| cursor.parse().expect("our own cursor"));
        let end = ROWS.min(begin + 50);
        let denied = (begin..end).filter(|row| is_denied(*row));
        let path = |row: u64| json!({ "message": "Access denied", "path": ["notes", "nodes", row - begin, "id"] });
        let errors: Vec<Value> = denied.map(path).collect();
        let rows = (begin..end).map(|number| if is_denied(number) { Value::Null } else { row(number) });
        let page = json!({ "hasNextPage": end < ROWS, "endCursor": end.to_string() });
        let data = json!({ "notes": { "pageInfo": page, "nodes": rows.collect::<Vec<_>>() } });
        Answer::Json(match errors.is_empty() {
            true => json!({ "data": data }),
            false => json!({ "data": data, "errors": errors }),
        })
    })
}

fn run(project: &Project, stub: &Stub, code: i32) -> Ended {
    project.run(stub, &["--format", "ndjson"]).with_code(code)
}

/// What the newest run lacks, after its rows were checked: all but some, each once.
#[track_caller]
fn lacks(project: &Project, list: &str, is_denied: impl Fn(u64) -> bool) -> Vec<String> {
    let exported = project.newest(list);
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let rows = exported.json_rows(list);
    let mut found: Vec<_> = rows.iter().map(|row| (text(&row["id"]), text(&row["text"]))).collect();
    let there = (0..ROWS).filter(|number| !is_denied(*number)).map(row);
    let mut wanted: Vec<_> = there.map(|row| (text(&row["id"]), text(&row["text"]))).collect();
    found.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(found, wanted);
    exported.incomplete().into_iter().map(str::to_owned).collect()
}

#[test]
fn a_denied_row_is_left_out_alone_where_its_number_tells_what_is_behind_it() {
    const DENIED: &[u64] = &[17, 71, 72, 250];
    for list in ["lines", "sheets"] {
        let (project, stub) = (project(list, "items"), numbered(DENIED));
        run(&project, &stub, 3);
        let lacks = lacks(&project, list, |number| DENIED.contains(&number));
        let flaw = |row: &u64| {
            let number = row + 1;
            format!("`{list}`: the row number {number} is left out, as the token may not see it: Access denied")
        };
        let mut flaws: Vec<String> = DENIED.iter().map(flaw).collect();
        flaws.sort_unstable();
        assert_eq!(lacks, flaws);
        let spent = stub.requests().len();
        println!("{list}: {spent} requests");
        assert!(spent <= 30, "{list}: {spent} requests");
    }
}

#[test]
fn rows_that_are_denied_one_after_the_other_end_the_export() {
    let (project, stub) = (project("lines", "items"), numbered(&[60, 61, 62, 63, 64, 65, 66]));
    let said = run(&project, &stub, 1).stderr;
    assert!(
        said.contains("the token may not see `lines.items.0`, use another token"),
        "no query can leave out an item: {said}"
    );
}

#[test]
fn rows_of_which_the_key_is_denied_are_lost_alone_where_others_have_it() {
    // The last page has none that has it.
    let is_denied = |number: u64| number == 17 || number >= 250;
    let (project, stub) = (project("notes", "nodes"), nullable(is_denied));
    run(&project, &stub, 3);
    assert_eq!(
        lacks(&project, "notes", is_denied),
        [
            "`notes.nodes.id` is null: Access denied (51 times)",
            "`notes` has items that are null (51 times)",
        ]
    );
    assert_eq!(stub.requests().len(), 6, "nothing is asked for again");
}

#[test]
fn a_key_that_is_denied_in_all_rows_ends_the_export() {
    let (project, stub) = (project("notes", "nodes"), nullable(|_| true));
    let said = run(&project, &stub, 4).stderr;
    assert!(said.contains("may not see what rows are told by"), "{said}");
}
