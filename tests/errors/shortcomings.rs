//! Exports that lack something: published, told of, and not called complete.

use serde_json::json;

use crate::cell::{Cell, Kind};
use crate::errors::{ITEMS, failure, items, page};
use crate::stub::{Answer, Stub, cursor};

const COLUMNS: [(&str, Kind); 3] = [("_id", Kind::Text), ("id", Kind::Text), ("size", Kind::Int32)];

#[test]
fn partial_data_is_kept_and_what_is_lacking_is_named() {
    let stub = Stub::start(|_| {
        let mut page = page(json!([{ "id": "1", "size": 2 }, { "id": "2", "size": null }]), None);
        page["errors"] = json!([{ "message": "size is not known", "path": ["items", "nodes", 1, "size"] }]);
        Answer::Json(page)
    });
    let project = items(ITEMS);
    let told = failure(&project, &stub, 3);
    insta::assert_snapshot!(told, @r"
    TIME warn  api/items: published, but not complete: 2 rows in 1 table, 1 request, ELAPSED
        `items.nodes.size` is null: size is not known
    ");
    let exported = project.newest("items");
    assert_eq!(exported.incomplete(), ["`items.nodes.size` is null: size is not known"]);
    let rows = exported.rows("items", &COLUMNS);
    assert_eq!(
        rows.iter().map(|row| &row["size"]).collect::<Vec<_>>(),
        [&Cell::Integer(2), &Cell::Null]
    );
    assert!(
        !project.written("items/latest").exists(),
        "`latest` leads to a run that is not complete"
    );
}

/// An API that writes a request's id into its errors.
#[test]
fn errors_that_differ_from_page_to_page_do_not_fill_the_manifest() {
    let stub = Stub::start(|request| {
        let number: u64 = cursor(request).map_or(0, |after| after.parse().expect("a number"));
        let next = (number < 119).then(|| (number + 1).to_string());
        let mut page = page(json!([{ "id": number.to_string(), "size": null }]), next.as_deref());
        let message = format!("size is not known, request {number:03}");
        page["errors"] = json!([{ "message": message, "path": ["items", "nodes", 0, "size"] }]);
        Answer::Json(page)
    });
    let project = items(ITEMS);
    let told = failure(&project, &stub, 3);
    let flaw = |number: u64| format!("`items.nodes.size` is null: size is not known, request {number:03}");
    assert!(told.contains(&flaw(19)) && !told.contains(&flaw(20)), "{told}");
    assert!(told.contains("and 81 more: see the manifest"), "{told}");
    let exported = project.newest("items");
    let incomplete = exported.incomplete();
    assert_eq!(incomplete.len(), 101);
    assert_eq!(incomplete[99..], [flaw(99).as_str(), "… and 20 more of other words"]);
    assert_eq!(exported.rows("items", &COLUMNS).len(), 120);
}

#[test]
fn a_value_that_does_not_fit_sends_its_row_to_the_rejects() {
    let stub = Stub::start(|_| {
        let nodes =
            json!([{ "id": "1", "size": 2 }, { "id": "2", "size": 2_147_483_648_u32 }, { "id": "3", "size": 1.5 }]);
        Answer::Json(page(nodes, None))
    });
    let project = items(ITEMS);
    let told = failure(&project, &stub, 3);
    assert!(told.contains("items__rejects"), "{told}");
    let exported = project.newest("items");
    assert_eq!(exported.rows("items", &COLUMNS).len(), 1);
    let rejects = exported.rejects("items");
    let values = |column| {
        rejects
            .iter()
            .map(|row| format!("{:?}", row[column]))
            .collect::<Vec<_>>()
    };
    assert_eq!(values("_column"), [r#"Text("size")"#, r#"Text("size")"#]);
    insta::assert_snapshot!(values("_row").join("\n"), @r#"
    Text("{\"id\":\"2\",\"size\":2147483648}")
    Text("{\"id\":\"3\",\"size\":1.5}")
    "#);
    insta::assert_snapshot!(values("_reason").join("\n"), @r#"
    Text("`2147483648` is no int32")
    Text("`1.5` is no int32")
    "#);
}

#[test]
fn null_for_a_value_that_is_never_null_sends_its_row_to_the_rejects() {
    let stub = Stub::start(|_| Answer::Json(page(json!([{ "id": null, "size": 2 }, { "id": "2", "size": 3 }]), None)));
    let project = items(ITEMS);
    failure(&project, &stub, 3);
    let exported = project.newest("items");
    assert_eq!(
        (exported.rows("items", &COLUMNS).len(), exported.rejects("items").len()),
        (1, 1)
    );
}
