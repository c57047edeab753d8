//! Bodies that nobody should send: each ends the export with its name, or is taken for what it says; nothing is published
//! that is not complete or told.

use crate::cell::{Cell, Kind};
use crate::errors::{ITEMS, failure, items};
use crate::stub::{Answer, Stub};

const COLUMNS: [(&str, Kind); 3] = [("_id", Kind::Text), ("id", Kind::Text), ("size", Kind::Int32)];

/// A stub that answers everything with these bytes, as JSON.
fn answering(body: Vec<u8>) -> Stub {
    Stub::start(move |_| Answer::Bytes(body.clone()))
}

/// A page of `items` with this list of nodes, and the rest of its members.
fn body(nodes: &str, rest: &str) -> Vec<u8> {
    format!(r#"{{"data":{{"items":{{"nodes":{nodes}{rest},"pageInfo":{{"hasNextPage":false,"endCursor":null}}}}}}}}"#)
        .into_bytes()
}

fn deep(opening: &str, closing: &str) -> String {
    format!("{}0{}", opening.repeat(100_000), closing.repeat(100_000))
}

#[test]
fn bodies_that_cannot_be_read_end_the_export_with_their_name() {
    let mut not_utf8 = body(r#"[{"id":"X","size":1}]"#, "");
    let place = not_utf8.iter().position(|byte| *byte == b'X').expect("the id");
    not_utf8[place] = 0xff;
    let errors = format!(r#"{{"errors":[{}null]}}"#, r#"{"message":"no"},"#.repeat(200_000));
    let mut wrong = Vec::new();
    for (name, body, words) in [
        ("not text", not_utf8, "no JSON"),
        (
            "nested above the rows",
            format!(r#"{{"data":{}}}"#, deep("[", "]")).into_bytes(),
            "an object",
        ),
        ("nested nodes", body(&deep("[", "]"), ""), "see `items__rejects`"),
        (
            "a member twice",
            body("[]", r#","nodes":[{"id":"1"}]"#),
            "`nodes` occurs twice",
        ),
        (
            "an id twice",
            body(r#"[{"id":"1","size":1},{"id":"2","id":"3"}]"#, ""),
            "rejects",
        ),
        (
            "data twice",
            br#"{"data":{"items":null},"data":{"items":{"nodes":[{"id":"1"}]}}}"#.to_vec(),
            "`data` occurs twice",
        ),
        ("a list", b"[]".to_vec(), "no JSON object"),
        ("nothing but errors", errors.into_bytes(), "more than 200000 errors"),
        ("a number", body("7", ""), "a list at `items`"),
        (
            "two values",
            [body("[]", ""), b"{}".to_vec()].concat(),
            "no JSON object",
        ),
        (
            "orders to a terminal",
            b"down\x1b[2J\x07again".to_vec(),
            "down [2J again",
        ),
    ] {
        let project = items(ITEMS);
        let ended = project.run(&answering(body), &["--quiet"]);
        let told: String = ended.stderr.chars().take(2_000).collect();
        println!("{name}: {:?}: {told}", ended.code);
        let is_published = project.written("items").exists();
        let is_told = told.contains(words) && ended.stderr.len() < 2_000;
        let is_right = match ended.code {
            Some(1) => is_told && !is_published,
            Some(3) => is_told && is_published && !project.newest("items").incomplete().is_empty(),
            _ => false,
        };
        if !is_right || project.written("items/latest").exists() {
            wrong.push(name);
        }
    }
    assert_eq!(wrong, Vec::<&str>::new());
}

#[test]
fn a_value_without_measure_is_a_value_where_it_fits_and_a_reject_where_it_does_not() {
    let huge = "x".repeat(20_000_000);
    let nodes = format!(
        r#"[{{"id":"{huge}","size":1}},{{"id":"../../../etc","size":{}}},{{"id":"c","size":1e400}},{{"id":"d","size":99999999999999999999999}}]"#,
        deep("[", "]")
    );
    let project = items(ITEMS);
    let told = failure(&project, &answering(body(&nodes, "")), 3);
    assert!(
        told.contains("rows that do not fit their types, see `items__rejects` (3 times)"),
        "{told}"
    );
    let exported = project.newest("items");
    let rows = exported.rows("items", &COLUMNS);
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0]["id"], Cell::Text(huge));
    assert_eq!(exported.rejects("items").len(), 3);
}

#[test]
fn a_response_beyond_the_cap_is_told_with_its_remedy_once() {
    let stub = answering(vec![b' '; 2000]);
    let ended = items(ITEMS)
        .run(&stub, &["--quiet", "--set", "limits.response_bytes=1KB"])
        .with_code(1);
    let told = "the response is larger than the 1000 bytes that `limits.response_bytes` allows; ask for smaller pages with \
                `limits.page_size`";
    assert!(ended.stderr.contains(told), "{}", ended.stderr);
    assert_eq!(ended.stderr.matches("smaller pages").count(), 1, "{}", ended.stderr);
}

#[test]
fn a_page_of_a_million_nulls_is_told() {
    let project = items(ITEMS);
    let nodes = format!("[{}null]", "null,".repeat(999_999));
    let told = failure(&project, &answering(body(&nodes, "")), 3);
    assert!(
        told.contains("`items` has items that are null (1000000 times)"),
        "{told}"
    );
    assert!(project.newest("items").rows("items", &COLUMNS).is_empty());
}
