//! Fields that fail in words that do not say why, and take more with them than themselves: what decides is their place.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use super::{PAGE, Strictness, answer, checked, count_of, project};
use crate::exported::Exported;
use crate::project::Project;
use crate::stub::{Answer, Stub, cursor};

const SAID: &str = "Something broke here";

/// An API in which a field of a group fails; the number of the request decides, too.
fn api(strictness: Strictness, fails: impl Fn(usize, &str, usize) -> bool + Send + Sync + 'static) -> Stub {
    let requests = AtomicUsize::new(0);
    Stub::start(move |request| {
        let number = requests.fetch_add(1, Ordering::Relaxed);
        let denied = answer(strictness, |field, group| fails(number, field, group), request);
        let failed = denied.to_string().replace("Access denied", SAID);
        Answer::Json(serde_json::from_str(&failed).expect("JSON"))
    })
}

const QUICK: [&str; 2] = ["--set", "retry.initial_wait=\"1ms\""];

#[test]
fn what_fails_in_single_rows_costs_these_rows_nothing_else_and_no_other_row_anything() {
    let fails = |field: &str, group: usize| field == "secret" && [3, 12].contains(&group);
    // The first page twice, each page and the field apart; of pages that lack some of it, that again.
    for (strictness, requests, asked) in [
        (Strictness::Rows, 2 + 6 + 4, 2 + 3 + 4),
        (Strictness::Everything, 2 + 6, 2 + 3),
    ] {
        let (project, stub) = (
            project(strictness),
            api(strictness, move |_, field, group| fails(field, group)),
        );
        for run in 1..=2 {
            let said = project.run(&stub, &QUICK).with_code(3).stderr;
            assert!(
                said.contains("`groups.nodes.secret` fails each time in some rows, and it is asked for apart"),
                "{said}"
            );
            assert!(!said.contains("the token may not see"), "nothing says so: {said}");
            let lacks = checked(&project, fails);
            let lacks = lacks.incomplete();
            assert!(
                lacks.contains(&format!("`groups.nodes.secret` is null: {SAID} (2 times)").as_str()),
                "{lacks:?}"
            );
            assert!(
                lacks.iter().all(|lack| lack.contains("groups.nodes.secret")),
                "{lacks:?}"
            );
            // Nothing is remembered of what may have been an incident.
            assert_eq!(
                (stub.requests().len(), count_of(&stub, "secret")),
                (run * requests, run * asked)
            );
        }
    }
}

#[test]
fn what_fails_in_every_row_is_left_out_of_the_run_and_asked_for_by_the_next_one() {
    for (strictness, requests) in [(Strictness::Rows, 2 + 4 + 2), (Strictness::Everything, 2 + 2 + 2)] {
        let fails = |field: &str, _: usize| field == "secret";
        let (project, stub) = (
            project(strictness),
            api(strictness, move |_, field, group| fails(field, group)),
        );
        for run in 1..=2 {
            project.run(&stub, &QUICK).with_code(3);
            let lack = format!("`groups.nodes.secret` is left out, as it fails each time, in 25 rows: {SAID}");
            assert_eq!(checked(&project, fails).incomplete(), [lack]);
            assert_eq!(stub.requests().len(), run * requests);
        }
    }
}

#[test]
fn what_failed_once_costs_no_column() {
    for strictness in [Strictness::Rows, Strictness::Everything] {
        let fails = |request: usize, field: &str, group: usize| request == 0 && field == "secret" && group == 3;
        let (project, stub) = (project(strictness), api(strictness, fails));
        project.run(&stub, &QUICK).with_code(0);
        assert_eq!(checked(&project, |_, _| false).incomplete(), [] as [&str; 0]);
        assert_eq!((stub.requests().len(), count_of(&stub, "secret")), (1 + 3, 1 + 3));
    }
}

#[test]
fn what_failed_for_a_while_has_the_values_of_the_rows_that_it_comes_in() {
    // Two requests fail; the field is asked for apart then, and comes.
    let fails = |request: usize, field: &str, _: usize| request < 2 && field == "secret";
    let (project, stub) = (project(Strictness::Everything), api(Strictness::Everything, fails));
    project.run(&stub, &QUICK).with_code(0);
    checked(&project, |_, _| false);
    assert_eq!(stub.requests().len(), 2 + 6);
}

const SCHEMA: &str = "
type Query { people(first: Int, after: String): People! }
type People { pageInfo: PageInfo! nodes: [Person!]! }
type PageInfo { hasNextPage: Boolean! endCursor: String }
type Person { id: ID! home: Home }
type Home { street: String! city: String! }
";
const PEOPLE: usize = 25;

/// Whether the street of the person with that number fails.
type Fails = fn(usize) -> bool;

/// An API of people whose street cannot be null, but whose home can.
fn people(said: &'static str, fails: Fails) -> (Project, Stub) {
    let stub = Stub::start(move |request| {
        let text = request["query"].as_str().expect("a query");
        let begin: usize = cursor(request).map_or(0, |cursor| cursor.parse().expect("our own cursor"));
        let end = PEOPLE.min(begin + PAGE);
        let mut errors = Vec::new();
        let mut person = |number: usize| {
            let mut home = json!({ "street": format!("street {number}"), "city": format!("city {number}") });
            home.as_object_mut()
                .expect("an object")
                .retain(|field, _| text.contains(field.as_str()));
            if home.get("street").is_some() && fails(number) {
                errors.push(json!({ "message": said, "path": ["people", "nodes", number - begin, "home", "street"] }));
                home = Value::Null;
            }
            json!({ "id": format!("p{number}"), "home": home })
        };
        let nodes: Vec<Value> = (begin..end).map(&mut person).collect();
        let page = json!({ "hasNextPage": end < PEOPLE, "endCursor": end.to_string() });
        let data = json!({ "people": { "pageInfo": page, "nodes": nodes } });
        Answer::Json(match errors.is_empty() {
            true => json!({ "data": data }),
            false => json!({ "data": data, "errors": errors }),
        })
    });
    let settings = "endpoint = 'https://api.invalid'\nschema = 'schema.graphql'\nlimits.page_size = 10";
    let project = Project::new(settings)
        .with("schema.graphql", SCHEMA)
        .with("people.graphql", "{ people { nodes { id home { street city } } } }");
    (project, stub)
}

/// The newest run, after its homes were checked: all cities, and the streets that do not fail.
#[track_caller]
fn checked_people(project: &Project, fails: Fails) -> Exported {
    let exported = project.newest("people");
    let mut homes: Vec<Value> = exported
        .json_rows("people")
        .iter()
        .map(|row| row["home"].clone())
        .collect();
    homes.sort_by_key(|home| home["city"].to_string());
    let home = |number: usize| {
        let street = if fails(number) {
            Value::Null
        } else {
            format!("street {number}").into()
        };
        json!({ "street": street, "city": format!("city {number}") })
    };
    let mut wanted: Vec<Value> = (0..PEOPLE).map(home).collect();
    wanted.sort_by_key(|home| home["city"].to_string());
    assert_eq!(homes, wanted);
    exported
}

#[test]
fn what_fails_in_an_object_of_a_row_costs_nothing_else_in_it() {
    let cases: [(&str, Fails, &str, usize); 4] = [
        (
            SAID,
            |_| true,
            "`people.nodes.home.street` is left out, as it fails each time, in 25 rows",
            2 + 4 + 2,
        ),
        (
            SAID,
            |number| [3, 12].contains(&number),
            "`people.nodes.home.street` is null",
            2 + 6 + 4,
        ),
        (
            "Access denied",
            |_| true,
            "`people.nodes.home.street` is left out, as the token may not see it, in 25 rows",
            1 + 3,
        ),
        (
            "Access denied",
            |number| [3, 12].contains(&number),
            "`people.nodes.home.street` is null",
            1 + 6,
        ),
    ];
    for (said, fails, lack, requests) in cases {
        let (project, stub) = people(said, fails);
        project.run(&stub, &["--format", "ndjson"]).with_code(3);
        let exported = checked_people(&project, fails);
        let lacks = exported.incomplete();
        assert!(
            lacks.len() == 1 && lacks[0].starts_with(lack) && lacks[0].contains(said),
            "{lacks:?}"
        );
        assert_eq!(stub.requests().len(), requests, "{said}: {lack}");
    }
}
