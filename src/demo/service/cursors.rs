//! Cursors in the words of an API, seen through raw requests: what they say, and what comes of those that are none.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

use crate::demo::paging::{PagingTraps, ReadAtOnce, RowDeletions, RowMove, RowMoves};
use crate::demo::service::DemoService;
use crate::demo::service::client::{ask, data, json_body, next_of_page_info, start, walk};

const PAGE: &str = "edges { cursor node { id state verification findingId } } pageInfo { endCursor hasNextPage }";

fn platform(change: impl FnOnce(&mut PagingTraps)) -> DemoService {
    start("fluidattacks", 0.01, |behaviours| {
        let fields = &mut behaviours.paging.fields;
        let of_findings = fields.get_mut("Finding.vulnerabilitiesConnection").unwrap();
        change(of_findings.traps.as_mut().unwrap());
    })
}

/// The finding with the most vulnerabilities, and their identifiers.
fn largest(service: &DemoService) -> (String, Vec<Value>) {
    let families = service
        .stand_in()
        .families("Finding", "vulnerabilitiesConnection")
        .unwrap();
    let largest = families.max_by_key(|family| family.children.len()).unwrap();
    let ids = largest.children.iter().map(|child| child["id"].clone());
    (largest.parent["id"].as_str().unwrap().to_owned(), ids.collect())
}

fn of_finding(id: &str, first: usize, after: &Value) -> String {
    let after = match after {
        Value::Null => String::new(),
        after => format!(", after: {after}"),
    };
    format!("{{ finding(identifier: \"{id}\") {{ vulnerabilitiesConnection(first: {first}{after}) {{ {PAGE} }} }} }}")
}

async fn page(service: &DemoService, query: &str, way: &str) -> Value {
    data(service, query).await.pointer(way).unwrap().clone()
}

const OF_FINDING: &str = "/finding/vulnerabilitiesConnection";

#[tokio::test(start_paused = true)]
async fn a_key_says_of_which_row_it_is_and_in_which_state_that_was() {
    let service = platform(|_| {});
    let (finding, ids) = largest(&service);
    let first = page(&service, &of_finding(&finding, 2, &Value::Null), OF_FINDING).await;
    let end = first["pageInfo"]["endCursor"].as_str().unwrap();
    assert!(end.starts_with("eyJwayI6ICJWVUxOI"), "{end}");
    let last = &first["edges"][1]["node"];
    let (id, state) = (
        last["id"].as_str().unwrap(),
        last["state"].as_str().unwrap().to_lowercase(),
    );
    let verification = last["verification"].as_str().unwrap_or("none").to_lowercase();
    let expected = format!(
        r#"{{"pk": "VULN#{id}", "sk": "FIN#{finding}", "pk_6": "FIN#{finding}", "sk_6": "VULN#DELETED#false#RELEASED#true#ZR#false#STATE#{state}#VERIF#{verification}"}}"#
    );
    assert_eq!(String::from_utf8(BASE64.decode(end).unwrap()).unwrap(), expected);
    assert_eq!(
        (first["edges"][1]["cursor"].as_str(), ids[1].as_str()),
        (Some(end), Some(id))
    );
    assert_ne!(first["edges"][0]["cursor"], first["edges"][1]["cursor"]);

    let second = page(&service, &of_finding(&finding, 1, &json!(end)), OF_FINDING).await;
    assert_eq!(second["edges"][0]["node"]["id"], ids[2]);
    // An exact multiple says that more follows, and the page behind it gives the cursor again that led there.
    let all = page(&service, &of_finding(&finding, ids.len(), &Value::Null), OF_FINDING).await;
    assert_eq!(all["pageInfo"]["hasNextPage"], true);
    let end = &all["pageInfo"]["endCursor"];
    let behind = page(&service, &of_finding(&finding, 5, end), OF_FINDING).await;
    assert_eq!(
        behind,
        json!({ "edges": [], "pageInfo": { "endCursor": end, "hasNextPage": false } })
    );
}

#[tokio::test(start_paused = true)]
async fn a_list_without_rows_has_a_cursor_that_leads_nowhere() {
    let service = platform(|_| {});
    let mut families = service
        .stand_in()
        .families("Finding", "vulnerabilitiesConnection")
        .unwrap();
    let empty = families.find(|family| family.children.is_empty()).unwrap();
    let finding = empty.parent["id"].as_str().unwrap();
    let none = page(&service, &of_finding(finding, 5, &Value::Null), OF_FINDING).await;
    assert_eq!(
        none,
        json!({ "edges": [], "pageInfo": { "endCursor": "bnVsbA==", "hasNextPage": false } })
    );
    let (largest, _) = largest(&service);
    let foreign = page(&service, &of_finding(&largest, 1, &Value::Null), OF_FINDING).await;
    let foreign = foreign["pageInfo"]["endCursor"].as_str().unwrap();
    for (cursor, message) in [
        ("bnVsbA==", "'NoneType' object is not subscriptable"),
        ("abc", "Incorrect padding"),
        ("", "Expecting value: line 1 column 1 (char 0)"),
        (foreign, "An unknown error occurred."),
    ] {
        let answer = json_body(&ask(&service, &of_finding(finding, 5, &json!(cursor))).await);
        assert_eq!(answer["errors"][0]["message"], message, "{cursor}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_search_engine_has_cursors_of_its_own_and_begins_anew_with_empty_ones() {
    let service = platform(|_| {});
    let groups = service
        .stand_in()
        .families("Group", "forcesExecutionsConnection")
        .unwrap();
    let group = groups.max_by_key(|family| family.children.len()).unwrap();
    let name = group.parent["name"].as_str().unwrap();
    let executions = |after: &str| {
        format!(
            "{{ group(groupName: \"{name}\") {{ forcesExecutionsConnection(first: 2{after}) {{ edges {{ cursor node {{ executionId date }} }} pageInfo {{ endCursor hasNextPage }} }} }} }}"
        )
    };
    let way = "/group/forcesExecutionsConnection";
    let first = page(&service, &executions(""), way).await;
    let last = &first["edges"][1]["node"];
    let milliseconds = last["date"]
        .as_str()
        .unwrap()
        .parse::<jiff::Timestamp>()
        .unwrap()
        .as_millisecond();
    let end = format!(
        "[\"{milliseconds}\", \"EXEC#{}\"]",
        last["executionId"].as_str().unwrap()
    );
    assert_eq!(first["pageInfo"]["endCursor"], end);
    assert_eq!(first["edges"][0]["cursor"], end);
    let second = page(&service, &executions(&format!(", after: {end}")), way).await;
    assert_ne!(second["edges"][0]["node"], first["edges"][0]["node"]);
    assert_eq!(page(&service, &executions(", after: []"), way).await, first);
    // The text itself becomes a list of one.
    let answer = json_body(&ask(&service, &executions(&format!(", after: {}", json!(end)))).await);
    assert_eq!(
        answer["errors"][0]["message"],
        "the cursor has 1 values, and the order has 2"
    );

    let lines = |after: &str| {
        format!(
            "{{ group(groupName: \"{name}\") {{ toeLines(first: 2{after}) {{ edges {{ cursor node {{ filename root {{ id }} }} }} pageInfo {{ endCursor }} }} }} }}"
        )
    };
    let first = page(&service, &lines(""), "/group/toeLines").await;
    let last = &first["edges"][1]["node"];
    let (root, filename) = (last["root"]["id"].as_str().unwrap(), last["filename"].as_str().unwrap());
    let end = format!("GROUP#{name}#LINES#ROOT#{root}#FILENAME#{filename}");
    assert_eq!(first["pageInfo"]["endCursor"], end);
    assert_eq!(page(&service, &lines(", after: \"\""), "/group/toeLines").await, first);
}

/// The name of the group with the most rows in that list, and how many these are.
fn largest_group(service: &DemoService, list: &str) -> (String, usize) {
    let groups = service.stand_in().families("Group", list).unwrap();
    let largest = groups.max_by_key(|family| family.children.len()).unwrap();
    (
        largest.parent["name"].as_str().unwrap().to_owned(),
        largest.children.len(),
    )
}

#[tokio::test(start_paused = true)]
async fn lists_in_other_orders_and_those_of_earlier_days_have_cursors_of_their_kind() {
    let service = start("fluidattacks", 0.01, |_| {});
    for (list, node, is_list) in [
        ("toeLinesConnection", "filename", true),
        ("executionsConnections", "executionId", false),
        ("forcesVulnerabilities", "id", false),
    ] {
        let (group, count) = largest_group(&service, list);
        let query = |after: &Value| {
            let after = match (after.as_str(), is_list) {
                (None, _) => String::new(),
                (Some(list), true) => format!(", after: {list}"),
                (Some(_), false) => format!(", after: {after}"),
            };
            format!(
                "{{ group(groupName: \"{group}\") {{ {list}(first: 7{after}) {{ edges {{ node {{ {node} }} }} pageInfo {{ endCursor hasNextPage }} }} }} }}"
            )
        };
        let way = format!("/group/{list}");
        let edges = walk(&service, query, (&way, "/edges"), next_of_page_info).await;
        let told: BTreeSet<String> = edges.iter().map(|edge| edge["node"][node].to_string()).collect();
        assert_eq!((told.len(), edges.len()), (count, count), "{list}");
        assert!(count > 7, "{list}");
        let first = page(&service, &query(&Value::Null), &way).await;
        let end = first["pageInfo"]["endCursor"].as_str().unwrap();
        assert_eq!(serde_json::from_str::<Vec<String>>(end).is_ok(), is_list, "{end}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_ends_where_the_store_has_read_enough_and_says_that_more_follows() {
    let service = platform(|traps| {
        traps.read_at_once = Some(ReadAtOnce {
            bytes: 10_000,
            row_from: 900,
            row_to: 2_000,
        });
    });
    let (finding, ids) = largest(&service);
    assert!(ids.len() > 11);
    for first in [", first: 1000", ""] {
        let query =
            of_finding(&finding, 1_000, &Value::Null).replace("(first: 1000)", &format!("(state: null{first})"));
        let page = page(&service, &query, OF_FINDING).await;
        let rows = page["edges"].as_array().unwrap().len();
        assert!((5..=11).contains(&rows), "{rows}");
        assert_eq!(page["pageInfo"]["hasNextPage"], true);
    }
    let query = |after: &Value| of_finding(&finding, 1_000, after);
    let edges = walk(&service, query, (OF_FINDING, "/edges"), next_of_page_info).await;
    let read: Vec<Value> = edges.into_iter().map(|edge| edge["node"]["id"].clone()).collect();
    assert_eq!(read, ids);
}

#[tokio::test(start_paused = true)]
async fn an_index_that_lacks_rows_counts_none_of_them() {
    let service = start("fluidattacks", 0.001, |behaviours| {
        let lines = behaviours.paging.fields.get_mut("Group.toeLines").unwrap();
        lines.traps.as_mut().unwrap().indexed = Some(3);
    });
    let (group, count) = largest_group(&service, "toeLines");
    let query = format!(
        "{{ group(groupName: \"{group}\") {{ toeLines(first: 100) {{ edges {{ node {{ filename }} }} total }} }} }}"
    );
    let answer = page(&service, &query, "/group/toeLines").await;
    assert_eq!(
        (answer["edges"].as_array().unwrap().len(), &answer["total"]),
        (3, &json!(3))
    );
    assert!(count > 3);
}

/// The rows of the largest finding, three a page, read to the end.
async fn read(service: &DemoService, finding: &str) -> Vec<Value> {
    let query = |after: &Value| of_finding(finding, 3, after);
    let edges = walk(service, query, (OF_FINDING, "/edges"), next_of_page_info).await;
    edges.into_iter().map(|edge| edge["node"]["id"].clone()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_row_that_is_deleted_under_its_cursor_leaves_the_way_on() {
    let service = platform(|traps| {
        traps.deletions = Some(RowDeletions {
            from_request: 2,
            each: 3.try_into().unwrap(),
        });
    });
    let (finding, ids) = largest(&service);
    let left = ids
        .iter()
        .enumerate()
        .filter(|(index, _)| *index < 3 || (index + 1) % 3 != 0);
    let expected: Vec<Value> = left.map(|(_, id)| id.clone()).collect();
    assert_eq!(read(&service, &finding).await, expected);
}

#[tokio::test(start_paused = true)]
async fn a_row_that_moves_comes_twice_or_not_at_all() {
    let of = |to| platform(move |traps| traps.moves = Some(RowMoves { every: 4, to }));
    let service = of(RowMove::Back);
    let (finding, ids) = largest(&service);
    let found = read(&service, &finding).await;
    assert!(
        found.len() > ids.len() && found.starts_with(&ids),
        "{} of {}",
        found.len(),
        ids.len()
    );
    let found = read(&of(RowMove::Front), &finding).await;
    assert!(
        found.len() < ids.len() && ids.starts_with(&found),
        "{} of {}",
        found.len(),
        ids.len()
    );
}
