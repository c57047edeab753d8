//! What follows from responses.

use std::collections::BTreeMap;

use serde_json::json;

use super::*;
use crate::api::GraphqlError;
use crate::run::intake::{Consequences, Request, Sight, consequences, new_instance};
use crate::run::turning::PagingError;
use crate::state::{Address, Tally, Trail};

const NESTED: &str = "{ groups { totalCount nodes { findings { nodes { id } } } } }";
const FINDINGS: &str = "groups.nodes.findings";

fn take_with(
    plan: &Plan,
    asked: &[AskedTask],
    data: &str,
    errors: &[GraphqlError],
) -> Result<Consequences, PagingError> {
    let harvest = read(plan, asked, &[], data).unwrap();
    let inline_sizes: Vec<u32> = plan.connections.iter().map(|_| 2).collect();
    let request = Request {
        plan,
        asked,
        inline_sizes: &inline_sizes,
        sequence: 3,
        denied: &[],
        doubts_null: false,
    };
    consequences(request, &harvest, errors)
}

fn take(plan: &Plan, asked: &[AskedTask], data: &str) -> Consequences {
    take_with(plan, asked, data, &[]).unwrap()
}

fn flaws(result: &Consequences) -> Vec<(&str, u64)> {
    result
        .flaws
        .iter()
        .map(|(text, count)| (text.as_str(), *count))
        .collect()
}

/// A connection's rows and paging, in JSON.
fn page(rows: &str, has_next: bool, cursor: &str) -> String {
    format!(r#"{{"nodes":[{rows}],"pageInfo":{{"hasNextPage":{has_next},"endCursor":"{cursor}"}}}}"#)
}

fn group(id: &str, findings: &str) -> String {
    format!(r#"{{"id":{id},"findings":{findings}}}"#)
}

fn error(message: &str, path: &serde_json::Value) -> GraphqlError {
    GraphqlError::from_value(json!({ "message": message, "path": path }))
}

#[test]
fn a_first_page_leads_to_the_next_one_in_its_row() {
    let plan = plan(NESTED);
    let two = r#"{"id":"F1"},{"id":"F2"}"#;
    let groups = [
        group(r#""G1""#, &page(two, true, "f2")),
        group(r#""G2""#, &page("", false, "")),
        group(r#""G3""#, "null"),
    ];
    let data = format!(r#"{{"groups":{}}}"#, page(&groups.join(","), true, "g3"));
    let result = take(&plan, &[start()], &data);
    let trail = |cursor: &str| Trail::default().step(cursor).unwrap();
    let findings = Task {
        connection: Some(connection(&plan, FINDINGS)),
        depth: 1,
        parent: Some("G1".to_owned()),
        address: Address {
            values: vec![Some(json!("G1"))],
            marks: vec![None],
        },
        position: Some(json!("f2")),
        before: 2,
        trail: trail("f2"),
        instance: new_instance(3, 0),
        ..Task::default()
    };
    let more_groups = Task {
        connection: Some(0),
        position: Some(json!("g3")),
        before: 3,
        trail: trail("g3"),
        instance: new_instance(3, 3),
        ..Task::default()
    };
    assert_eq!(result.next_tasks, [findings, more_groups]);
    assert_eq!(result.rows, 5);
    let [groups, findings] = [0, 1].map(|index| result.tallies[&index]);
    assert_eq!((groups.opened, groups.rows, groups.ends.closed()), (1, 3, 0));
    assert_eq!(
        (findings.opened, findings.rows, findings.ends.said, findings.ends.absent),
        (3, 2, 1, 1)
    );
    let open = |connection, rows| Sight::Open { connection, rows };
    let ended = Sight::Ended {
        connection: 1,
        rows: 0,
        was_open: false,
    };
    assert_eq!(result.sights, [open(1, 2), ended, open(0, 3)]);
    assert!(result.flaws.is_empty() && result.warnings.is_empty() && result.failed.is_empty());
}

#[test]
fn a_later_page_goes_on_in_the_same_row() {
    let plan = plan(NESTED);
    let asked = [later(&plan, FINDINGS, "G1", "f2")];
    let data = |has_next| {
        format!(
            r#"{{"node":{}}}"#,
            group(r#""G1""#, &page(r#"{"id":"F9"}"#, has_next, "f3"))
        )
    };
    let result = take(&plan, &asked, &data(true));
    let next = &result.next_tasks[0];
    assert_eq!(
        (next.parent.as_deref(), next.before, &next.position),
        (Some("G1"), 11, &Some(json!("f3")))
    );
    assert_eq!(next.address, asked[0].task.address);
    assert_eq!(result.sights, [], "that it is open is known");
    let result = take(&plan, &asked, &data(false));
    let tally = result.tallies[&1];
    assert_eq!((tally.opened, tally.rows, tally.ends.said), (0, 1, 1));
    let ended = Sight::Ended {
        connection: 1,
        rows: 11,
        was_open: true,
    };
    assert_eq!(result.sights, [ended]);
}

#[test]
fn an_outermost_connection_that_is_null_is_told() {
    let plan = plan(
        "query($all: Boolean = false) { groups { nodes { id } } folders @include(if: $all) { edges { node { name } } } }",
    );
    let result = take(&plan, &[start()], r#"{"groups":null}"#);
    let flaws: Vec<&String> = result.flaws.keys().collect();
    assert_eq!(
        flaws,
        ["`groups`, or an object above it, is null, and no error says why"]
    );
    assert!(
        result
            .tallies
            .values()
            .all(|tally| tally.ends.absent == 1 && tally.opened == 1)
    );
}

#[test]
fn what_is_not_there_is_named() {
    let plan = plan("{ owner { own: groups { nodes { id } } } groups { nodes { id } } }");
    let result = take(&plan, &[start()], r#"{"groups":{"pageInfo":{"hasNextPage":false}}}"#);
    assert_eq!(
        flaws(&result),
        [
            ("`groups` has no list of rows", 1),
            ("`owner` is missing from a response", 1)
        ]
    );
    assert_eq!(result.tallies[&connection(&plan, "groups")].ends.suspect, 1);
}

#[test]
fn items_that_are_null_are_named_with_the_row_that_holds_them() {
    let plan = plan(NESTED);
    let groups = [
        group(r#""G1""#, &page(r#"null,{"id":"F1"},null"#, false, "")),
        group(r#""G2""#, &page(r#"{"id":"F2"}"#, false, "")),
        "null".to_owned(),
        group(r#""G3""#, &page("null", true, "f3")),
    ];
    let data = format!(r#"{{"groups":{}}}"#, page(&groups.join(","), false, ""));
    let result = take(&plan, &[start()], &data);
    let findings = |group: &str| format!("`{FINDINGS}` of the row `{group}` has items that are null");
    let [first, third] = ["G1", "G3"].map(findings);
    assert_eq!(
        flaws(&result),
        [
            (first.as_str(), 2),
            (third.as_str(), 1),
            ("`groups` has items that are null", 1)
        ]
    );
    let data = format!(
        r#"{{"node":{}}}"#,
        group(r#""G3""#, &page(r#"{"id":"F9"},null"#, false, ""))
    );
    let later = take(&plan, &[later(&plan, FINDINGS, "G3", "f3")], &data);
    assert_eq!(flaws(&later), [(third.as_str(), 1)]);
}

#[test]
fn edges_without_a_node_are_items_that_are_null_and_those_behind_the_last_wanted_are_not_named() {
    for query in [
        "{ folders @table(key: \"name\") { edges { node { name } } } }",
        "{ folders { edges { node { name } } } }",
    ] {
        let plan = plan(query);
        let edge = r#"{"node":{"name":"A"},"cursor":"a"}"#;
        let edges = format!(r#"{edge},{{"node":null,"cursor":"b"}},{{"cursor":"c"}},null"#);
        let data = format!(r#"{{"folders":{{"edges":[{edges}],"pageInfo":{{"hasNextPage":false,"endCursor":"d"}}}}}}"#);
        let result = take(&plan, &[start()], &data);
        assert_eq!(flaws(&result), [("`folders` has items that are null", 3)], "{query}");
    }
    let plan = plan("{ groups @paginate(max: 2) { nodes { id } } }");
    let data = |items: &str| format!(r#"{{"groups":{}}}"#, page(items, false, ""));
    let harvest = |items: &str| {
        let mut harvest = read(&plan, &[start()], &[], &data(items)).unwrap();
        harvest.pages[0].surplus = 1;
        harvest
    };
    for (items, named) in [
        (r#"{"id":"a"},{"id":"b"},null"#, 0),
        (r#"{"id":"a"},null,{"id":"c"}"#, 1),
    ] {
        let request = Request {
            plan: &plan,
            asked: &[start()],
            inline_sizes: &[2],
            sequence: 3,
            denied: &[],
            doubts_null: false,
        };
        let result = consequences(request, &harvest(items), &[]).unwrap();
        assert_eq!(flaws(&result).len(), named, "{items}");
    }
}

#[test]
fn an_error_in_the_place_of_rows_names_the_row_that_holds_them() {
    let plan = plan("{ groups { nodes { id findings { nodes { id } } } } }");
    let fine = page(r#"{"id":"F1"}"#, false, "");
    let rows = [
        group(r#""G1""#, &fine),
        group(r#""G2""#, "null"),
        group(r#""G3""#, "null"),
    ]
    .join(",");
    let data = format!(r#"{{"groups":{}}}"#, page(&rows, false, ""));
    let path = |row: u32, rest: &[&str]| {
        let begin = [json!("groups"), json!("nodes"), json!(row)];
        let rest = rest.iter().map(|step| json!(step));
        begin.into_iter().chain(rest).collect::<Vec<_>>().into()
    };
    let errors = [
        error("no", &path(2, &["findings"])),
        error("no", &path(1, &["findings"])),
        error("no", &path(0, &["id"])),
    ];
    let result = take_with(&plan, &[start()], &data, &errors).unwrap();
    assert_eq!(
        flaws(&result),
        [
            ("`groups.nodes.findings` of the row `G2` is null: no", 1),
            ("`groups.nodes.findings` of the row `G3` is null: no", 1),
            ("`groups.nodes.id` is null: no", 1),
        ]
    );
}

#[test]
fn a_page_below_a_row_that_the_token_may_not_see_is_lost_to_that_row_alone() {
    let plan = plan(NESTED);
    let asked = [later(&plan, FINDINGS, "G1", "f2"), later(&plan, FINDINGS, "G2", "f2")];
    let fine = group(r#""G1""#, &page(r#"{"id":"F9"}"#, false, ""));
    let errors = [error("Access denied", &json!(["t1", "findings"]))];
    let denied: Vec<_> = errors.iter().filter_map(|error| error.path.clone()).collect();
    let harvest = read(&plan, &asked, &[], &format!(r#"{{"t0":{fine},"t1":null}}"#)).unwrap();
    let request = Request {
        plan: &plan,
        asked: &asked,
        inline_sizes: &[2, 2],
        sequence: 3,
        denied: &denied,
        doubts_null: false,
    };
    let result = consequences(request, &harvest, &errors).unwrap();
    assert_eq!((result.failed, &result.void), (Vec::new(), &vec![1]));
    let text = "`groups.nodes.findings` of the row `G2` is left out behind its first 10 rows, as the token may not see more: Access denied";
    assert_eq!(result.flaws, BTreeMap::from([(text.to_owned(), 1)]));
    assert_eq!(result.tallies[&connection(&plan, FINDINGS)].ends.lost, 1);
}

#[test]
fn a_later_page_that_is_not_there_fails_with_its_cause() {
    let plan = plan(NESTED);
    let asked = [later(&plan, FINDINGS, "G1", "f2"), later(&plan, FINDINGS, "G2", "f2")];
    let fine = group(r#""G1""#, &page(r#"{"id":"F9"}"#, false, ""));
    let cases = [
        (
            r#","t1":null"#,
            "`groups.nodes.findings` broke off: a later page of it has no rows where the others have them: gone",
        ),
        (
            r#","t1":{"id":"G2","findings":{"nodes":null}}"#,
            "`groups.nodes.findings` broke off: a later page of it has no rows where the others have them: gone",
        ),
        (
            r#","t1":{"id":"G7","findings":{"nodes":[]}}"#,
            "`groups.nodes.findings`: the row that holds it is another one, or gone, when it is asked for again; run it again, or name another way to it with @lookup",
        ),
    ];
    for (second, expected) in cases {
        let data = format!(r#"{{"t0":{fine}{second}}}"#);
        let errors = [error("gone", &json!(["t1", "findings"]))];
        let result = take_with(&plan, &asked, &data, &errors).unwrap();
        let failed: Vec<_> = result
            .failed
            .iter()
            .map(|(slot, error)| (*slot, error.to_string()))
            .collect();
        assert_eq!(failed, [(1, expected.to_owned())]);
        assert_eq!(result.void, [1], "its rows must not be taken");
        assert_eq!(flaws(&result), [], "it is asked for again");
        assert_eq!(
            (result.rows, result.tallies[&1].ends.said),
            (1, 1),
            "the other slot is taken"
        );
    }
    let result = take(&plan, &asked, &format!(r#"{{"t0":{fine}}}"#));
    assert_eq!(
        (result.failed.len(), flaws(&result)),
        (1, Vec::new()),
        "nor is what is missing named yet"
    );
}

#[test]
fn one_of_many_connections_that_cannot_be_read_on_does_not_take_the_others_down() {
    let plan = plan(NESTED);
    let groups = [
        group(r#""G1""#, r#"{"nodes":[{"id":"F1"}],"pageInfo":{"hasNextPage":true}}"#),
        group("null", &page(r#"{"id":"F1"}"#, true, "f2")),
        group(r#""G3""#, &page(r#"{"id":"F1"}"#, true, "f2")),
    ];
    let data = format!(r#"{{"groups":{}}}"#, page(&groups.join(","), false, ""));
    let result = take(&plan, &[start()], &data);
    assert_eq!(
        flaws(&result),
        [
            (
                "`groups.nodes.findings` has more rows in a row that cannot be asked for again: it lacks what would tell it",
                1
            ),
            (
                "`groups.nodes.findings` of the row `G1` says that there is another page and gives no cursor for it; if that is all there is, \
                 write @paginate(style: NONE)",
                1
            ),
        ]
    );
    assert_eq!(result.next_tasks.len(), 1);
    let tally = result.tallies[&1];
    assert_eq!((tally.opened, tally.ends.lost), (3, 2));
}

#[test]
fn an_outermost_connection_that_cannot_be_read_on_is_an_error() {
    let plan = plan(NESTED);
    let data = r#"{"groups":{"nodes":[],"pageInfo":{"hasNextPage":true}}}"#;
    let error = take_with(&plan, &[start()], data, &[]).unwrap_err();
    assert!(matches!(error, PagingError::NoCursor { .. }));
}

#[test]
fn totals_that_do_not_fit_are_named_with_their_rows() {
    let plan = plan(NESTED);
    let data =
        r#"{"groups":{"totalCount":"9","nodes":[{"id":"G1","findings":null}],"pageInfo":{"hasNextPage":false}}}"#;
    let result = take(&plan, &[start()], data);
    assert_eq!(flaws(&result), [("`groups` had 1 distinct row, and 9 by its total", 1)]);
    assert_eq!(result.tallies[&0].ends.suspect, 1);
}

#[test]
fn errors_are_counted_by_place_and_message() {
    let plan = plan(NESTED);
    let data = format!(r#"{{"groups":{}}}"#, page("", false, ""));
    let errors = [
        error("denied", &json!(["groups", "nodes", 0, "id"])),
        error("denied", &json!(["groups", "nodes", 7, "id"])),
        error("denied", &json!(null)),
    ];
    let result = take_with(&plan, &[start()], &data, &errors).unwrap();
    assert_eq!(
        flaws(&result),
        [("`groups.nodes.id` is null: denied", 2), ("the API reports: denied", 1)]
    );
}

#[test]
fn errors_in_slots_are_told_by_their_place_in_the_query() {
    let plan = plan(NESTED);
    let slot = |group: &str| later(&plan, FINDINGS, group, "f2");
    let fine = |id: &str| group(id, &page(r#"{"id":"F9"}"#, false, ""));
    let named = [("`groups.nodes.findings.nodes.id` is null: denied", 2)];
    let data = format!(r#"{{"t0":{},"t1":{}}}"#, fine(r#""G1""#), fine(r#""G2""#));
    let errors = ["t0", "t1"].map(|slot| error("denied", &json!([slot, "findings", "nodes", 0, "id"])));
    let asked = [slot("G1"), slot("G2")];
    assert_eq!(flaws(&take_with(&plan, &asked, &data, &errors).unwrap()), named);
    let data = format!(r#"{{"node":{}}}"#, fine(r#""G1""#));
    let errors = [error("denied", &json!(["node", "findings", "nodes", 0, "id"]))];
    let result = take_with(&plan, &asked[..1], &data, &errors).unwrap();
    assert_eq!(flaws(&result), [(named[0].0, 1)]);
}

#[test]
fn first_pages_only_are_named() {
    let plan = plan("{ groups @paginate(style: NONE) { nodes { id } } folders { edges { node { name } } } }");
    let data = r#"{"groups":{"nodes":[]},"folders":{"edges":[],"pageInfo":{"hasNextPage":false}}}"#;
    let result = take(&plan, &[start()], data);
    assert_eq!(
        flaws(&result),
        [(
            "of `groups` only first pages are read, as @paginate(style: NONE) says",
            1
        )]
    );
}

#[test]
fn lists_of_plain_values_that_take_a_size_may_be_cut_off() {
    let plan = plan("{ groups { nodes { id tags } } }");
    let data = r#"{"groups":{"nodes":[],"pageInfo":{"hasNextPage":false}}}"#;
    let result = take(&plan, &[start()], data);
    let [(text, 1)] = flaws(&result)[..] else {
        panic!("{:?}", result.flaws)
    };
    assert!(text.starts_with("`groups.nodes.tags` may be cut off: "), "{text}");
}

#[test]
fn the_page_that_says_how_a_list_goes_on_is_asked_for_first() {
    let plan = plan("{ boxes { items { id } } }");
    let rows: Vec<String> = (0..100).map(|row| format!(r#"{{"id":"B{row}"}}"#)).collect();
    let data = format!(r#"{{"boxes":{{"items":[{}],"total":350}}}}"#, rows.join(","));
    let first = AskedTask { size: 100, ..start() };
    let result = take(&plan, &[first], &data);
    let next = result.next_tasks.iter().map(|task| (task.before, task.expected));
    assert_eq!(
        next.collect::<Vec<_>>(),
        [(300, None), (100, Some(100)), (200, Some(100))]
    );
}

/// The findings of a group from an offset on; a group has as many as its number says.
fn findings(group: usize, from: usize, size: usize) -> String {
    let rows: Vec<String> = (from..(from + size).min(group))
        .map(|row| format!(r#"{{"id":"F{row}"}}"#))
        .collect();
    page(&rows.join(","), from + size < group, &format!("c{}", from + size))
}

#[test]
fn whatever_was_opened_is_ended_once_the_tasks_are_done() {
    let plan = plan(NESTED);
    let groups: Vec<String> = (0..9)
        .map(|number| group(&format!(r#""{number}""#), &findings(number, 0, 2)))
        .collect();
    let data = format!(r#"{{"groups":{}}}"#, page(&groups.join(","), false, ""));
    let mut total: BTreeMap<usize, Tally> = BTreeMap::new();
    let mut result = take(&plan, &[start()], &data);
    let mut tasks = Vec::new();
    loop {
        for (connection, tally) in std::mem::take(&mut result.tallies) {
            *total.entry(connection).or_default() += tally;
        }
        tasks.append(&mut result.next_tasks);
        let Some(task) = tasks.pop() else { break };
        let number: usize = task.parent.as_deref().unwrap().parse().unwrap();
        let from: usize = task.position.as_ref().unwrap().as_str().unwrap()[1..].parse().unwrap();
        let data = format!(
            r#"{{"node":{}}}"#,
            group(&format!(r#""{number}""#), &findings(number, from, 3))
        );
        result = take(&plan, &[AskedTask { task, size: 3 }], &data);
    }
    let found = total[&1];
    assert_eq!((found.opened, found.rows, found.ends.said), (9, (0..9).sum(), 9));
    assert_eq!(total[&0].ends.said, 1);
}
