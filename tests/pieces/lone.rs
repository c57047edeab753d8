//! Rows of which what is asked by themselves fails: that costs no other row anything, and the row no other column.

use serde_json::{Map, Value, json};

use crate::cell::{Cell, Kind, Row, object};
use crate::program::run;
use crate::project::Project;
use crate::stub::{Answer, Stub, cursor};

const SCHEMA: &str = "
type Query { ship(id: ID!): Ship ships(first: Int, after: String): ShipConnection! }
type ShipConnection { nodes: [Ship!]! pageInfo: PageInfo! }
type PageInfo { hasNextPage: Boolean! endCursor: String }
type Ship { id: ID! name: String! hard: String! bridge: Deck! }
type Deck { helm: Helm! }
type Helm { wheel: Wheel! }
type Wheel { wood: String! }
";
/// The bridge is too deep for a page, and not for one ship.
const QUERY: &str = "{ ships { nodes { id name hard bridge { helm { wheel { wood } } } } } }";
const SHIPS: usize = 20;
const PAGE: usize = 10;
const BAD: usize = 7;

fn id(number: usize) -> String {
    format!("s{number:04}")
}

/// What the API says of the ships that a request for single ones is for.
type Failing = fn(&[String]) -> Option<Answer>;

fn fails_for_one(ids: &[String], failure: Answer) -> Option<Answer> {
    ids.contains(&id(BAD)).then_some(failure)
}

/// An API of 20 ships. `failing` is asked before single ships are answered; `hard` may be denied for one ship.
fn api(failing: Failing, is_hard_denied: bool) -> Stub {
    Stub::start(move |request| {
        let text = request["query"].as_str().expect("a query");
        if text == "{__typename}" {
            return Answer::Json(json!({ "data": { "__typename": "Query" } }));
        }
        if text.contains("ship(id:") {
            let ids = ids(request);
            return failing(&ids).unwrap_or_else(|| Answer::Json(single(text, &ids, is_hard_denied)));
        }
        Answer::Json(page(text, request, is_hard_denied))
    })
}

fn ids(request: &Value) -> Vec<String> {
    let text = request["query"].as_str().expect("a query");
    let variables = text.split("ship(id:$").skip(1);
    let variables = variables.map(|ask| ask.split_once(')').expect("an argument").0);
    let id = |name: &str| request["variables"][name].as_str().expect("an id").to_owned();
    variables.map(id).collect()
}

fn ship(text: &str, id: &str) -> Value {
    let mut ship = Map::from_iter([("id".to_owned(), json!(id))]);
    if text.contains("name") {
        ship.insert("name".to_owned(), json!(format!("ship {id}")));
    }
    if text.contains("hard") {
        ship.insert("hard".to_owned(), json!(format!("hard {id}")));
    }
    if text.contains("bridge") {
        let wheel = json!({ "helm": { "wheel": { "wood": format!("wood {id}") } } });
        ship.insert("bridge".to_owned(), wheel);
    }
    Value::Object(ship)
}

fn single(text: &str, ids: &[String], is_hard_denied: bool) -> Value {
    let (mut data, mut errors) = (Map::new(), Vec::new());
    for (slot, ship_id) in ids.iter().enumerate() {
        let key = match text.contains("t0:") {
            true => format!("t{slot}"),
            false => "ship".to_owned(),
        };
        let is_denied = is_hard_denied && text.contains("hard") && *ship_id == id(BAD);
        if is_denied {
            errors.push(json!({ "message": "Access denied", "path": [key, "hard"] }));
        }
        data.insert(key, if is_denied { Value::Null } else { ship(text, ship_id) });
    }
    match errors.is_empty() {
        true => json!({ "data": data }),
        false => json!({ "data": data, "errors": errors }),
    }
}

fn page(text: &str, request: &Value, is_hard_denied: bool) -> Value {
    let begin: usize = cursor(request).map_or(0, |cursor| cursor.parse().expect("our own cursor"));
    let first = request["variables"]
        .as_object()
        .and_then(|all| all.values().find_map(Value::as_u64));
    let end = SHIPS.min(begin + first.map_or(PAGE, |first| PAGE.min(first as usize)));
    if is_hard_denied && text.contains("hard") && (begin..end).contains(&BAD) {
        let path = json!(["ships", "nodes", BAD - begin, "hard"]);
        return json!({ "data": null, "errors": [{ "message": "Access denied", "path": path }] });
    }
    let nodes: Vec<Value> = (begin..end).map(|number| ship(text, &id(number))).collect();
    let info = json!({ "hasNextPage": end < SHIPS, "endCursor": end.to_string() });
    json!({ "data": { "ships": { "nodes": nodes, "pageInfo": info } } })
}

fn project() -> Project {
    let settings = "
        endpoint = 'http://127.0.0.1:9/graphql'
        schema = 'schema.graphql'
        verdicts = [{ message = '^Access denied', verdict = 'denied' }]
        [limits]
        page_size = 10
        query = { depth = 5 }
        [retry]
        attempts = 3
        initial_wait = '5ms'
        max_wait = '20ms'
    ";
    Project::new(settings)
        .with("schema.graphql", SCHEMA)
        .with("ships.graphql", QUERY)
}

/// All ships, but for one column of the bad one.
fn truth(lacking: Option<&str>) -> Vec<Row> {
    let row = |number: usize| {
        let text = |field: &str, value: String| match lacking == Some(field) && number == BAD {
            true => Cell::Null,
            false => Cell::Text(value),
        };
        let id = id(number);
        let within = |name, cell| Cell::Object([(name, cell)].into());
        let bridge = match lacking == Some("bridge") && number == BAD {
            true => Cell::Null,
            false => within(
                "helm",
                within("wheel", within("wood", Cell::Text(format!("wood {id}")))),
            ),
        };
        let cells = [
            ("_id", Cell::Text(id.clone())),
            ("id", Cell::Text(id.clone())),
            ("name", text("name", format!("ship {id}"))),
            ("hard", text("hard", format!("hard {id}"))),
            ("bridge", bridge),
        ];
        cells.into_iter().collect()
    };
    (0..SHIPS).map(row).collect()
}

#[track_caller]
fn check(project: &Project, lacking: Option<&str>) -> Vec<String> {
    let exported = project.newest("ships");
    let wheel = object(&[("wood", Kind::Text)]);
    let deck = object(&[("helm", object(&[("wheel", wheel)]))]);
    let texts = ["_id", "id", "name", "hard"].map(|name| (name, Kind::Text));
    let columns: Vec<(&str, Kind)> = texts.into_iter().chain([("bridge", deck)]).collect();
    assert_eq!(exported.rows("ships", &columns), truth(lacking));
    exported.incomplete().into_iter().map(str::to_owned).collect()
}

fn count(stub: &Stub, is_meant: impl Fn(&Value) -> bool) -> usize {
    stub.requests().iter().filter(|request| is_meant(request)).count()
}

fn status(status: u16) -> Answer {
    let (content_type, body) = ("text/html", "<html>busy</html>".to_owned());
    Answer::Other {
        status,
        content_type,
        body,
    }
}

fn refused(message: &str) -> Answer {
    Answer::Json(json!({ "data": null, "errors": [{ "message": message }] }))
}

#[test]
fn a_row_that_has_no_answer_by_itself_lacks_its_columns_and_takes_no_other_row_with_it() {
    let failures: [Failing; 4] = [
        |ids| fails_for_one(ids, status(504)),
        |ids| fails_for_one(ids, status(500)),
        |ids| fails_for_one(ids, refused("Response too large")),
        |ids| fails_for_one(ids, refused("Internal server error")),
    ];
    for (index, failing) in failures.into_iter().enumerate() {
        let (project, stub) = (project(), api(failing, false));
        project.run(&stub, &[]).with_code(3);
        let incomplete = check(&project, Some("bridge"));
        let lack = "`ships`: the row `s0007` lacks `ships.nodes.bridge.helm.wheel.wood`: ";
        assert!(
            incomplete.len() == 1 && incomplete[0].starts_with(lack),
            "{index}: {incomplete:?}"
        );
        assert_eq!(
            count(&stub, |request| cursor(request).is_none() && is_page(request)),
            1,
            "{index}"
        );
        let alone = count(&stub, |request| ids(request) == [id(BAD)]);
        assert!((1..=3).contains(&alone), "{index}: {alone} times alone");
        let good = count(&stub, |request| {
            ids(request).contains(&id(0)) && !ids(request).contains(&id(BAD))
        });
        assert_eq!(good, 1, "{index}: what came is not asked for again");
    }
}

fn is_page(request: &Value) -> bool {
    request["query"].as_str().is_some_and(|text| text.contains("ships"))
}

#[test]
fn too_many_rows_by_themselves_are_asked_for_in_fewer_at_once_and_the_page_is_not_read_again() {
    let stub = api(|ids| (ids.len() > 5).then(|| refused("Response too large")), false);
    let project = project();
    project.run(&stub, &[]).with_code(0);
    assert!(check(&project, None).is_empty());
    assert_eq!(count(&stub, is_page), SHIPS / PAGE, "each page is read once");
    // The first ten are too many; the next ten are asked for in halves at once.
    assert_eq!(count(&stub, |request| ids(request).len() > 5), 1);
    assert_eq!(count(&stub, |request| ids(request).len() == 5), 4);
    // That is known the next night.
    let learnt = run(&mut project.gqldump(&["status", "--learned"])).with_code(0).stdout;
    assert!(
        learnt.contains("5 rows at the most in a request for what does not come with them"),
        "{learnt}"
    );
    let before = stub.requests().len();
    project.run(&stub, &[]).with_code(0);
    let second = &stub.requests()[before..];
    assert_eq!(
        (
            second.len(),
            second.iter().filter(|request| ids(request).len() > 5).count()
        ),
        (6, 0)
    );
}

#[test]
fn a_field_that_is_denied_in_one_row_takes_no_other_column_of_it() {
    let (project, stub) = (project(), api(|_| None, true));
    project.run(&stub, &[]).with_code(3);
    let incomplete = check(&project, Some("hard"));
    let lack = "`ships`: the row `s0007` lacks `ships.nodes.hard`: Access denied";
    assert!(incomplete.iter().any(|line| line == lack), "{incomplete:?}");
}
