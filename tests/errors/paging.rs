//! Connections whose pages cannot be turned.

use serde_json::{Value, json};

use crate::errors::{ITEMS, failure, items, page};
use crate::stub::{Answer, Stub, cursor};

#[test]
fn a_cursor_that_stands_still_is_an_error_and_not_a_loop() {
    let stub = Stub::start(|_| Answer::Json(page(json!([{ "id": "1", "size": 2 }]), Some("again"))));
    insta::assert_snapshot!(failure(&items(ITEMS), &stub, 1), @r"
    TIME error api/items: failed: `items` says that there is another page and gives the same cursor again: reading on would never end; report it to the API's vendor, or try another page size
        the next run goes on from here
    ");
    assert_eq!(stub.requests().len(), 2);
}

#[test]
fn cursors_that_go_round_in_a_circle_are_an_error_and_not_a_loop() {
    let stub = Stub::start(|request| {
        let next = match cursor(request) {
            None => "one",
            Some("one") => "two",
            Some("two") => "three",
            Some(_) => "one",
        };
        Answer::Json(page(json!([{ "id": next, "size": 2 }]), Some(next)))
    });
    insta::assert_snapshot!(failure(&items(ITEMS), &stub, 1), @r"
    TIME error api/items: failed: `items` brings nothing but rows that came before, page after page: reading on would never end; report it to the API's vendor, or say with @paginate how it is paged
        the next run goes on from here
    ");
}

#[test]
fn a_further_page_without_a_cursor_is_an_error() {
    let stub = Stub::start(|_| {
        let mut page = page(json!([{ "id": "1", "size": 2 }]), Some("next"));
        page["data"]["items"]["pageInfo"]["endCursor"] = Value::Null;
        Answer::Json(page)
    });
    insta::assert_snapshot!(failure(&items(ITEMS), &stub, 1), @r"
    TIME error api/items: failed: `items` says that there is another page and gives no cursor for it; if that is all there is, write @paginate(style: NONE)
        the next run goes on from here
    ");
}

#[test]
fn an_outermost_connection_that_is_null_has_no_rows_and_is_named() {
    let stub = Stub::start(|_| Answer::Json(json!({ "data": { "items": null } })));
    let project = items(ITEMS);
    insta::assert_snapshot!(
        failure(&project, &stub, 3),
        @r"
    TIME warn  api/items: published, but not complete: 0 rows in 1 table, 1 request, ELAPSED
        `items`, or an object above it, is null, and no error says why
    "
    );
    assert_eq!(project.newest("items").manifest["tables"][0]["rows"], 0);
}

/// What the schema rules out says nothing of the rows, at whatever depth; what it allows is no rows.
#[test]
fn null_for_a_connection_that_is_never_null_is_named() {
    let lookup = "type Query { box(id: ID!): Box";
    let schema = super::SCHEMA.replace("type Query {", lookup);
    let outermost = schema.replace("ItemConnection boxes", "ItemConnection! boxes");
    let stub = Stub::start(|_| Answer::Json(json!({ "data": { "items": null } })));
    let project = items(ITEMS).with("schema.graphql", &outermost);
    insta::assert_snapshot!(failure(&project, &stub, 3), @r"
    TIME warn  api/items: published, but not complete: 0 rows in 1 table, 1 request, ELAPSED
        `items` is null without any error, where the schema says that it never is
    ");
    let manifest = &project.newest("items").manifest;
    assert_eq!(
        (&manifest["complete"], &manifest["tables"][0]["rows"]),
        (&json!(false), &json!(0))
    );

    let query = "{ boxes { nodes { id items { nodes { id } } } } }\n";
    let page_info = json!({ "hasNextPage": false, "endCursor": null });
    let answer = move |item: Value| {
        let boxes = json!([{ "id": "a", "items": null }, item]);
        json!({ "data": { "boxes": { "nodes": boxes, "pageInfo": page_info } } })
    };
    let of_b = json!({ "nodes": [{ "id": "1" }], "pageInfo": { "hasNextPage": false, "endCursor": null } });
    let answer = answer(json!({ "id": "b", "items": of_b }));
    let stub = Stub::start(move |_| Answer::Json(answer.clone()));
    let nested = items(query).with("schema.graphql", &schema);
    insta::assert_snapshot!(failure(&nested, &stub, 3), @r"
    TIME warn  api/items: published, but not complete: 3 rows in 2 tables, 1 request, ELAPSED
        `boxes.nodes.items` of the row `a` is null without any error, where the schema says that it never is
    ");
    assert_eq!(nested.newest("items").manifest["tables"][1]["rows"], 1);
    let nullable = schema.replace("after: String): ItemConnection! }", "after: String): ItemConnection }");
    assert_ne!(nullable, schema);
    assert_eq!(failure(&items(query).with("schema.graphql", &nullable), &stub, 0), "");
}

#[test]
fn a_connection_that_breaks_off_with_null_is_asked_again_and_not_taken_for_ended() {
    let stub = Stub::start(|request| match cursor(request) {
        None => Answer::Json(page(json!([{ "id": "1", "size": 2 }]), Some("next"))),
        Some(_) => Answer::Json(json!({ "data": { "items": null } })),
    });
    insta::assert_snapshot!(failure(&items(ITEMS), &stub, 1), @r"
    TIME error api/items: failed: `items` broke off: a later page of it has no rows where the others have them
        the next run goes on from here
    ");
    // The first page, and three attempts at the second.
    assert_eq!(stub.requests().len(), 4);
}
