//! The stand-in for Conviso: filters by company and by time, and what its pages and its key do to a client.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::demo::paging::{NullPart, Totals};
use crate::demo::service::client::{ask, data, json_body, picked, request, start};

fn filtered(field: &str, by: &str) -> String {
    format!("{{ found: {field}({by}) {{ collection {{ id createdAt }} metadata {{ totalCount }} }} }}")
}

#[tokio::test(start_paused = true)]
async fn a_company_is_text_here_and_a_number_there() {
    let service = start("conviso", 0.1, |_| {});
    for (field, by) in [
        ("assets", "companyId: \"311\", limit: 1000"),
        ("assets", "companyId: 311, limit: 1000"),
        ("projects", "params: { scopeIdEq: 311 }, limit: 1000"),
        ("requirements", "scopeId: 311, pagination: { page: 1, perPage: 1000 }"),
    ] {
        let found = data(&service, &filtered(field, by)).await;
        let below = service.stand_in().truth_below(field, "Company", "id", "311").unwrap();
        let below: Vec<_> = below.collect();
        assert!(!below.is_empty(), "{field}");
        assert_eq!(
            found["found"]["collection"],
            Value::from(picked(&below, "id createdAt")),
            "{field}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_day_is_a_bound_with_all_its_hours() {
    let service = start("conviso", 0.1, |_| {});
    let range = "filters: { createdAtRange: { startDate: \"2024-02-01\", endDate: \"2024-03-31\" } }";
    let by = format!("companyId: 311, pagination: {{ page: 1, perPage: 1000 }}, {range}");
    let found = data(&service, &filtered("issues", &by)).await;
    let below = service
        .stand_in()
        .truth_below("issues", "Company", "id", "311")
        .unwrap();
    let months = ["2024-02", "2024-03"];
    let wanted = below.filter(|issue| months.contains(&&issue["createdAt"].as_str().unwrap()[..7]));
    let wanted: Vec<_> = wanted.collect();
    assert!(wanted.len() > 10, "{}", wanted.len());
    assert_eq!(found["found"]["metadata"]["totalCount"], wanted.len());
    assert_eq!(
        found["found"]["collection"],
        Value::from(picked(&wanted, "id createdAt"))
    );
}

#[tokio::test(start_paused = true)]
async fn parts_of_pages_may_be_null_and_totals_may_move() {
    let service = start("conviso", 0.1, |behaviours| {
        let nulls = ["collection", "metadata"].map(|path| NullPart {
            path: path.to_owned(),
            from_page: 2,
        });
        behaviours.paging.traps.nulls = nulls.to_vec();
        behaviours.paging.traps.totals = Totals::RisesEvery(1);
    });
    let page = |page: u32| {
        filtered(
            "issues",
            &format!("companyId: 311, pagination: {{ page: {page}, perPage: 5 }}"),
        )
    };
    let (first, again) = (data(&service, &page(1)).await, data(&service, &page(1)).await);
    let total = |answer: &Value| answer["found"]["metadata"]["totalCount"].as_u64().unwrap();
    assert_eq!(total(&again), total(&first) + 1);
    let second = data(&service, &page(2)).await;
    assert_eq!(second["found"], json!({ "collection": null, "metadata": null }));
}

#[tokio::test(start_paused = true)]
async fn a_new_key_ends_the_old_one() {
    let service = start("conviso", 0.1, |behaviours| behaviours.auth.replaced_from = Some(2));
    let query = "{ companies { collection { id } } }";
    let statuses = [ask(&service, query).await.status, ask(&service, query).await.status];
    assert_eq!(statuses, [StatusCode::OK, StatusCode::UNAUTHORIZED]);
    let mut renewed = request(&service, &json!({ "query": query }));
    let key = secrecy::ExposeSecret::expose_secret(&service.next_token())
        .parse()
        .unwrap();
    renewed.headers.insert("x-api-key", key);
    assert_eq!(service.handle(renewed).await.status, StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn what_says_too_much_is_refused_in_the_frameworks_words() {
    let service = start("conviso", 0.1, |_| {});
    for (query, message) in [
        (
            "{ analysts(first: 200) { nodes { id name } } }",
            "Query has complexity of 601, which exceeds max complexity of 400",
        ),
        ("{ assets(companyId: 311, limit: 1000) { collection { a: id } } }", ""),
    ] {
        let answer = ask(&service, query).await;
        let body = json_body(&answer);
        let told = body["errors"][0]["message"].as_str().unwrap_or_default();
        assert_eq!((answer.status, told), (StatusCode::OK, message));
    }
}
