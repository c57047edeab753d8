//! What a test can switch on to see whether a client trusts too much, seen through raw requests.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::demo::behaviour::Behaviours;
use crate::demo::paging::{MissingSize, PagingTraps, RowMove, RowMoves, Totals};
use crate::demo::service::client::{ask, data, error, json_body, start};
use crate::demo::service::{DemoResponse, DemoService};

fn trapped(name: &str, rows_scale: f64, set: impl FnOnce(&mut PagingTraps)) -> DemoService {
    start(name, rows_scale, |behaviours| set(&mut behaviours.paging.traps))
}

fn ids(rows: &Value) -> Vec<String> {
    let rows = rows.as_array().unwrap().iter();
    rows.map(|row| row["id"].to_string()).collect()
}

#[tokio::test(start_paused = true)]
async fn requests_for_too_many_nodes_are_refused_as_the_limit_says() {
    let service = start("shop", 0.05, |_| {});
    let query = |products: u32, reviews: u32| {
        format!(
            "query($n: Int = 50) {{ a: vendors(first: $n) {{ nodes {{ products(first: {products}) {{ edges {{ node {{
               reviews(first: {reviews}) {{ nodes {{ id }} }} }} }} }} }} }} b: vendors(first: 10) {{ nodes {{ ...V }} }} }}
             fragment V on Vendor {{ products(first: 3) {{ nodes {{ id }} }} skipped: products(first: 9) @skip(if: true) {{ nodes {{ id }} }} }}"
        )
    };
    // 50 + 50 x 6 + 50 x 6 x 32 + 10 + 10 x 3 are 9,990; one review more for each of 300 products is too many.
    data(&service, &query(6, 32)).await;
    assert_eq!(service.log().max_rows_requested, 9_990);
    let refused = ask(&service, &query(6, 33)).await;
    let message = "This query requests up to 10290 possible nodes which exceeds the maximum limit of 10000.";
    let body = json_body(&refused);
    assert_eq!(
        (refused.status, &body["errors"][0]["message"]),
        (StatusCode::OK, &json!(message))
    );
    assert_eq!(body["errors"][0]["type"], "MAX_NODE_LIMIT_EXCEEDED");
    assert_eq!((service.log().refused, service.log().answered), (1, 1));

    let strict = start("shop", 0.05, |behaviours| {
        let limit = behaviours.node_limit.as_mut().unwrap();
        (limit.max, limit.refusal.status) = (150, 400);
    });
    let ids = ["x"; 50].map(|id| format!("\"{id}\"")).join(",");
    let nodes = format!("{{ nodes(ids: [{ids}]) {{ ... on Vendor {{ products(first: 3) {{ nodes {{ id }} }} }} }} }}");
    assert_eq!(ask(&strict, &nodes).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test(start_paused = true)]
async fn a_missing_size_may_be_refused() {
    let service = start("shop", 0.05, |behaviours| {
        behaviours.paging.missing_size = MissingSize::Refuse;
    });
    let refused = error(&service, "{ vendors { nodes { id } } }").await;
    assert_eq!(
        refused,
        "You must provide a `first` or `last` value to properly paginate the `vendors` connection."
    );
    data(&service, "{ vendors(first: 1) { nodes { id } } }").await;
}

/// The cursor behind the first two items of any board, and what the root makes of it.
async fn items_cursor(service: &DemoService) -> Value {
    let boards = data(service, "{ boards(limit: 50) { items_page(limit: 2) { cursor } } }").await;
    let mut cursors = boards["boards"]
        .as_array()
        .unwrap()
        .iter()
        .map(|board| board["items_page"]["cursor"].clone());
    cursors.find(|cursor| !cursor.is_null()).unwrap()
}

async fn items_behind(service: &DemoService, cursor: &Value) -> DemoResponse {
    ask(
        service,
        &format!("{{ next_items_page(cursor: {cursor}, limit: 2) {{ cursor items {{ id }} }} }}"),
    )
    .await
}

#[tokio::test(start_paused = true)]
async fn cursors_expire_after_a_time() {
    let service = start("board", 0.3, |_| {});
    let cursor = items_cursor(&service).await;
    tokio::time::advance(Duration::from_secs(59 * 60)).await;
    let next = json_body(&items_behind(&service, &cursor).await)["data"]["next_items_page"].take();
    assert_eq!(next["items"].as_array().unwrap().len(), 2);
    tokio::time::advance(Duration::from_secs(60)).await;
    let expired = items_behind(&service, &cursor).await;
    let body = json_body(&expired);
    assert_eq!(
        (expired.status, &body["errors"][0]["extensions"]["code"]),
        (StatusCode::OK, &json!("CursorExpiredError"))
    );
    assert!(body.get("data").is_none() && service.log().refused == 1);
    assert!(json_body(&items_behind(&service, &next["cursor"]).await)["data"].is_object());
}

#[tokio::test(start_paused = true)]
async fn cursors_expire_after_a_number_of_requests() {
    let service = trapped("board", 0.3, |traps| {
        let expiry = traps.cursor_expiry.as_mut().unwrap();
        expiry.after = None;
        expiry.after_requests = Some(2);
        expiry.refusal.status = 400;
    });
    let cursor = items_cursor(&service).await;
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(items_behind(&service, &cursor).await.status.as_u16());
    }
    assert_eq!(statuses, [200, 200, 400]);
}

#[tokio::test(start_paused = true)]
async fn cursors_that_name_no_list_are_refused_at_the_root() {
    let service = start("board", 0.3, |_| {});
    let cursor = items_cursor(&service).await;
    let plain = cursor.as_str().unwrap().split(".p").next().unwrap();
    for invented in ["", "MTIz", plain] {
        let refused = json_body(&items_behind(&service, &json!(invented)).await);
        assert!(
            refused["errors"][0]["message"]
                .as_str()
                .unwrap()
                .starts_with("the cursor"),
            "{refused}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn any_page_number_may_give_page_one() {
    let service = trapped("factory", 0.3, |traps| traps.repeats_page_one = true);
    let page = |page: u32| {
        format!("{{ plants(limit: 20, page: {page}) {{ collection {{ id }} metadata {{ totalPages }} }} }}")
    };
    assert_eq!(data(&service, &page(3)).await, data(&service, &page(1)).await);
    assert_eq!(service.log().rows_repeated, 20);
}

#[tokio::test(start_paused = true)]
async fn offsets_above_a_limit_are_errors() {
    let service = start("press", 1.0, |_| {});
    let transfers = |skip: u32| format!("{{ transfers(first: 5, skip: {skip}) {{ id }} }}");
    assert_eq!(ids(&data(&service, &transfers(5_000)).await["transfers"]).len(), 5);
    let refused = error(&service, &transfers(5_001)).await;
    assert_eq!(refused, "The `skip` argument must be between 0 and 5000, but is 5001");
}

#[tokio::test(start_paused = true)]
async fn totals_may_be_null_or_capped_and_page_counts_follow() {
    let told = async |totals: Totals| {
        let service = trapped("factory", 0.3, |traps| traps.totals = totals);
        let answer = ask(&service, "{ plants(limit: 25) { metadata { totalCount totalPages } } }").await;
        json_body(&answer)["data"]["plants"]["metadata"].take()
    };
    assert_eq!(told(Totals::True).await, json!({ "totalCount": 60, "totalPages": 3 }));
    assert_eq!(
        told(Totals::TooLow(20)).await,
        json!({ "totalCount": 40, "totalPages": 2 })
    );
    assert_eq!(
        told(Totals::CappedAt(50)).await,
        json!({ "totalCount": 50, "totalPages": 2 })
    );
    let service = trapped("press", 0.3, |traps| traps.totals = Totals::Null);
    let note = "{ author(handle: \"ana\") { entries(first: 50) { items { ... on Article { comments(first: 1) { totalCount } } } } } }";
    let entries = data(&service, note).await["author"]["entries"]["items"].take();
    let mut articles = entries
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|entry| entry.get("comments"));
    assert!(articles.all(|comments| comments["totalCount"].is_null()));
}

/// The identifiers of two pages, one after the other, of a list whose rows move in between.
async fn two_pages(to: RowMove) -> (Vec<String>, Vec<String>) {
    let moves = RowMoves { every: 1, to };
    let service = trapped("space", 0.3, |traps| traps.moves = Some(moves));
    let page =
        |offset: u32| format!("{{ findProjects(limit: 10, offset: {offset}, orderBy: {{ id: ASC }}) {{ id }} }}");
    let first = ids(&data(&service, &page(0)).await["findProjects"]);
    (first, ids(&data(&service, &page(10)).await["findProjects"]))
}

#[tokio::test(start_paused = true)]
async fn rows_that_move_come_twice_or_are_missed() {
    let (first, second) = two_pages(RowMove::Front).await;
    assert_eq!(first[9], second[0]);
    let service = start("space", 0.3, |_| {});
    let all = ids(&data(&service, "{ findProjects(limit: 30, orderBy: { id: ASC }) { id } }").await["findProjects"]);
    let (first, second) = two_pages(RowMove::Back).await;
    assert_eq!(
        (first[9].as_str(), second[0].as_str()),
        (all[10].as_str(), all[12].as_str())
    );
}

#[tokio::test(start_paused = true)]
async fn lists_without_an_order_may_come_in_any() {
    let service = trapped("space", 0.3, |traps| traps.is_unordered = true);
    let ask_twice = async |order: &str| {
        let query = format!("{{ findTasks(limit: 20{order}) {{ id }} }}");
        let first = ids(&data(&service, &query).await["findTasks"]);
        (first, ids(&data(&service, &query).await["findTasks"]))
    };
    let (first, second) = ask_twice("").await;
    assert_ne!(first, second);
    let (first, second) = ask_twice(", orderBy: { id: ASC }").await;
    assert_eq!(first, second);
}

#[tokio::test(start_paused = true)]
async fn edges_may_all_have_their_pages_cursor() {
    let cursors = async |set: fn(&mut PagingTraps)| {
        let service = trapped("library", 0.3, set);
        let page = data(
            &service,
            "{ openBranches(first: 3) { edges { cursor } pageInfo { endCursor } } }",
        )
        .await;
        let edges = page["openBranches"]["edges"].as_array().unwrap().clone();
        let end = &page["openBranches"]["pageInfo"]["endCursor"];
        edges.iter().filter(|edge| edge["cursor"] == *end).count()
    };
    assert_eq!(cursors(|_| {}).await, 1);
    assert_eq!(cursors(|traps| traps.edges_have_page_cursor = true).await, 3);
}

#[tokio::test(start_paused = true)]
async fn fields_can_have_traps_of_their_own() {
    let own = |behaviours: &mut Behaviours| {
        let traps = PagingTraps {
            stuck_at: Some(1),
            ..PagingTraps::default()
        };
        behaviours
            .paging
            .fields
            .entry("Query.vendors".to_owned())
            .or_default()
            .traps = Some(traps);
    };
    let service = start("shop", 0.05, own);
    const PAGE: &str = "{ nodes { id } pageInfo { hasNextPage endCursor } }";
    let first = data(&service, &format!("{{ vendors(first: 5) {PAGE} }}")).await;
    let end = &first["vendors"]["pageInfo"]["endCursor"];
    let second = data(&service, &format!("{{ vendors(first: 5, after: {end}) {PAGE} }}")).await;
    assert_eq!(
        second["vendors"],
        json!({ "nodes": [], "pageInfo": { "hasNextPage": true, "endCursor": end } })
    );
}
