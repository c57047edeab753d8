//! What a test can switch on to see how a client finds the size, the pace and the number of requests that a server bears.

use std::num::NonZeroUsize;
use std::time::Duration;

use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use futures::future::join_all;
use serde_json::json;
use tokio::time::Instant;

use crate::demo::behaviour::Behaviours;
use crate::demo::refusal::Refusal;
use crate::demo::service::client::{ask, data, json_body, start};
use crate::demo::service::{DemoResponse, DemoService};
use crate::demo::wall::{RowWall, TimeWall};

const SECOND: Duration = Duration::from_secs(1);

/// A tracker that takes a second for an answer and ten milliseconds for a row.
fn service(change: impl FnOnce(&mut Behaviours)) -> DemoService {
    start("tracker", 0.05, |behaviours| {
        behaviours.latency.base = SECOND;
        behaviours.latency.per_node = SECOND / 100;
        behaviours.paging.cap = 2000;
        change(behaviours);
    })
}

async fn vulnerabilities(service: &DemoService, rows: u32) -> DemoResponse {
    ask(
        service,
        &format!("{{ vulnerabilities(first: {rows}) {{ nodes {{ id }} }} }}"),
    )
    .await
}

fn time_wall(after: Duration) -> Option<TimeWall> {
    let refusal = Refusal::gateway_timeout();
    Some(TimeWall { after, refusal })
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_takes_too_long_is_given_up_after_that_time() {
    let service = service(|behaviours| behaviours.wall.time = time_wall(5 * SECOND));
    let began = Instant::now();
    assert_eq!(vulnerabilities(&service, 400).await.status, StatusCode::OK);
    assert_eq!(began.elapsed(), 5 * SECOND);
    let given_up = vulnerabilities(&service, 401).await;
    assert_eq!(
        (given_up.status, began.elapsed()),
        (StatusCode::GATEWAY_TIMEOUT, 10 * SECOND)
    );
    assert_eq!(given_up.headers[CONTENT_TYPE], "text/html; charset=utf-8");
    assert!(given_up.body.starts_with(b"<html>"));
    let log = service.log();
    assert_eq!((log.walls_hit, log.answered, log.rows), (1, 1, 400));
}

#[tokio::test(start_paused = true)]
async fn an_answer_with_too_many_rows_is_refused_in_the_servers_words() {
    let body = r#"{"errors":[{"message":"Resource limits for this query exceeded: {rows} of {max}"}]}"#;
    let service = service(|behaviours| {
        behaviours.wall.rows = Some(RowWall {
            max: 100,
            after: 3 * SECOND,
            refusal: Refusal {
                status: 200,
                body: body.to_owned(),
            },
        });
    });
    assert!(json_body(&vulnerabilities(&service, 100).await)["data"].is_object());
    let began = Instant::now();
    let refused = vulnerabilities(&service, 101).await;
    let expected = json!({ "errors": [{ "message": "Resource limits for this query exceeded: 101 of 100" }] });
    assert_eq!((refused.status, json_body(&refused)), (StatusCode::OK, expected));
    assert_eq!((began.elapsed(), service.log().walls_hit), (3 * SECOND, 1));
}

#[tokio::test(start_paused = true)]
async fn requests_that_come_again_after_a_wall_are_counted_unless_they_were_changed() {
    let service = service(|behaviours| behaviours.wall.time = time_wall(3 * SECOND));
    for rows in [500, 250, 500, 500, 100, 100] {
        vulnerabilities(&service, rows).await;
    }
    let log = service.log();
    assert_eq!((log.walls_hit, log.oversized_repeats, log.answered), (4, 2, 2));
}

#[tokio::test(start_paused = true)]
async fn pace_and_walls_drift_with_the_time() {
    let service = service(|behaviours| {
        behaviours.wall.rows = Some(RowWall {
            max: 1000,
            after: Duration::ZERO,
            refusal: Refusal::gateway_timeout(),
        });
        behaviours.drift = vec!["30s:5".parse().unwrap(), "60s:1".parse().unwrap()];
        behaviours.drift[0].wall_rows = Some(50);
        behaviours.drift[1].wall_rows = Some(1000);
    });
    let took = async |rows: u32| {
        let began = Instant::now();
        let status = vulnerabilities(&service, rows).await.status.as_u16();
        (status, began.elapsed().as_millis())
    };
    assert_eq!(took(100).await, (200, 2000));
    tokio::time::advance(28 * SECOND).await;
    assert_eq!(took(50).await, (200, 3500));
    assert_eq!(took(51).await, (504, 0));
    tokio::time::advance(30 * SECOND).await;
    assert_eq!(took(100).await, (200, 2000));
}

#[tokio::test(start_paused = true)]
async fn only_so_many_requests_are_worked_on_at_once() {
    let took = async |workers: Option<usize>| {
        let service = service(|behaviours| behaviours.workers = workers.and_then(NonZeroUsize::new));
        let began = Instant::now();
        join_all((0..6).map(|_| vulnerabilities(&service, 100))).await;
        assert_eq!((service.log().busy_ms, service.log().max_in_flight), (12_000, 6));
        began.elapsed()
    };
    assert_eq!(took(None).await, 2 * SECOND);
    assert_eq!(took(Some(2)).await, 6 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn waiting_for_a_turn_counts_against_the_time_that_an_answer_may_take() {
    let service = service(|behaviours| {
        behaviours.workers = NonZeroUsize::new(1);
        behaviours.wall.time = time_wall(3 * SECOND);
    });
    let began = Instant::now();
    let ask = async || (vulnerabilities(&service, 100).await.status.as_u16(), began.elapsed());
    // The second gets its turn after two seconds and has one left; the third and the fourth after three, and none.
    let answers = tokio::join!(ask(), ask(), ask(), ask());
    let late = (504, 3 * SECOND);
    assert_eq!(answers, ((200, 2 * SECOND), late, late, late));
    assert_eq!((service.log().walls_hit, service.log().busy_ms), (3, 3000));
}

#[tokio::test(start_paused = true)]
async fn rows_of_some_types_and_bytes_take_their_own_time() {
    let service = service(|behaviours| {
        let latency = &mut behaviours.latency;
        latency.per_type.insert("Finding".to_owned(), SECOND / 10);
        latency.per_byte = Duration::from_millis(1);
    });
    let began = Instant::now();
    let query = "{ findings(first: 2) { nodes { id } } groups(first: 3) { nodes { id } } }";
    let bytes = u32::try_from(ask(&service, query).await.body.len()).unwrap();
    let expected = SECOND + 2 * SECOND / 10 + 3 * SECOND / 100 + Duration::from_millis(1) * bytes;
    assert_eq!(began.elapsed(), expected);
}

#[tokio::test(start_paused = true)]
async fn rows_are_counted_by_the_minute() {
    let service = service(|_| {});
    data(&service, "{ findings(first: 5) { nodes { id } } }").await;
    tokio::time::advance(125 * SECOND).await;
    data(&service, "{ findings(first: 7) { nodes { id } } }").await;
    assert_eq!(service.log().rows_by_minute, [5, 0, 7]);
}
