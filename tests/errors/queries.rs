//! Query files that cannot be exported.

use serde_json::json;

use crate::errors::{ITEMS, failure, items, page, refusal};
use crate::stub::{Answer, Stub};

#[test]
fn a_syntax_error_is_shown_at_its_place() {
    insta::assert_snapshot!(refusal(&items("{ items {\n  nodes { id size\n} }")), @r"
    TIME error api/items: failed: syntax error: expected R_CURLY, got EOF
           ╭─[ queries/api/items.graphql:3:4 ]
           │
         3 │ } }
           │    │
           │    ╰─ expected R_CURLY, got EOF
        ───╯
    ");
}

#[test]
fn an_unknown_field_is_shown_with_the_one_that_was_meant() {
    insta::assert_snapshot!(refusal(&items("{ items { nodes { id\n  sise } } }")), @r"
    TIME error api/items: failed: type `Item` does not have a field `sise`
           ╭─[ queries/api/items.graphql:2:3 ]
           │
         2 │   sise } } }
           │   ──┬─
           │     ╰─── field `sise` selected here
           │
           ├─[ queries/api/schema.graphql:8:6 ]
           │
         8 │ type Item { id: ID! size: Int note: String }
           │      ──┬─
           │        ╰─── type `Item` defined here
           │
           │ Help: did you mean `size`?
           │
           │ Note: path to the field: `query → items → nodes → sise`
        ───╯
    ");
}

#[test]
fn a_mutation_is_refused() {
    insta::assert_snapshot!(refusal(&items("mutation Drop { drop(id: 1) }")), @r"
    TIME error api/items: failed: the mutation `Drop` cannot be exported
           ╭─[ queries/api/items.graphql:1:1 ]
           │
         1 │ mutation Drop { drop(id: 1) }
           │ ──────────────┬──────────────
           │               ╰──────────────── a mutation
           │
           │ Help: a query file holds one query, and fragments; nothing that changes or defines anything
        ───╯
    ");
}

#[test]
fn a_subscription_is_refused() {
    insta::assert_snapshot!(refusal(&items("subscription { dropped }")), @r"
    TIME error api/items: failed: this subscription cannot be exported
           ╭─[ queries/api/items.graphql:1:1 ]
           │
         1 │ subscription { dropped }
           │ ────────────┬───────────
           │             ╰───────────── a subscription
           │
           │ Help: a query file holds one query, and fragments; nothing that changes or defines anything
        ───╯
    ");
}

#[test]
fn several_operations_in_one_file_are_refused() {
    let query = "query One { items { nodes { id } } }\nquery Two { items { nodes { id } } }";
    insta::assert_snapshot!(refusal(&items(query)), @r"
    TIME error api/items: failed: the file holds 2 queries: One, Two
           ╭─[ queries/api/items.graphql:2:1 ]
           │
         2 │ query Two { items { nodes { id } } }
           │ ──────────────────┬─────────────────
           │                   ╰─────────────────── the second query
           │
           │ Help: give each query a file of its own; its name names the table
        ───╯
    ");
}

#[test]
fn a_nested_connection_out_of_reach_is_refused_rather_than_cut_off() {
    insta::assert_snapshot!(refusal(&items("{ boxes { nodes { id items { nodes { id } } } } }")), @r#"
    TIME error api/items: failed: `items` cannot be read to its end: there is no way to ask for one row of `boxes` again
           ╭─[ queries/api/items.graphql:1:22 ]
           │
         1 │ { boxes { nodes { id items { nodes { id } } } } }
           │                      ──┬──
           │                        ╰──── its further pages would be out of reach
           │
           │ Help: name a root field that finds one of them by a value: `boxes @lookup(field: "…", argument: "…", by: "…")`; or give `items` a query file of its own; or write @paginate(style: NONE) behind it to take what comes as all there is
        ───╯
    "#);
}

#[test]
fn one_bad_query_file_does_not_hold_back_the_others() {
    let stub = Stub::start(|_| Answer::Json(page(json!([{ "id": "1", "size": 2 }]), None)));
    let project = items(ITEMS).with("wrong.graphql", "{ itemz { nodes { id } } }");
    let told = failure(&project, &stub, 2);
    assert!(told.contains("did you mean `items`?"), "{told}");
    assert_eq!(project.exported("items").incomplete(), Vec::<&str>::new());
}
