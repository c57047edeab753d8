//! The desk for tokens, seen through raw requests: the limits that a careful client never meets.

use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use crate::demo::service::DemoService;
use crate::demo::service::client::{ask, json_body, request, start};

const DAY: i64 = 24 * 3600;

async fn add(service: &DemoService, days: i64, name: &str) -> Value {
    let ends = Timestamp::now().as_second() + days * DAY;
    let query = "mutation ($e: Int!, $n: String!) { made: addAccessToken(expirationTime: $e, name: $n) { success } }";
    let body = json!({ "query": query, "variables": { "e": ends, "n": name } });
    json_body(&service.handle(request(service, &body)).await)
}

#[tokio::test(start_paused = true)]
async fn what_may_not_be_made_is_refused_in_the_words_of_the_api() {
    let service = start("fluidattacks", 0.003, |_| {});
    for (days, name, message) in [
        (182, "a", "Exception - Invalid Expiration Time"),
        (-1, "a", "Exception - Invalid Expiration Time"),
        (9, "", "Exception - Invalid field length in form"),
        (9, "of twenty-one letters", "Exception - Invalid field length in form"),
    ] {
        let refused = add(&service, days, name).await;
        assert_eq!(
            (&refused["data"], &refused["errors"][0]["message"]),
            (&Value::Null, &json!(message))
        );
    }
    let made = add(&service, 181, "of twenty letters ok").await;
    assert_eq!(made, json!({ "data": { "made": { "success": true } } }));
    let third = add(&service, 9, "a").await;
    let message = "Exception - Could not add token, maximum number of tokens at the same time is 2";
    assert_eq!(third["errors"][0]["message"], message);

    let listed = json_body(&ask(&service, "{ me { role: userEmail accessTokens { name } } }").await);
    let tokens = json!([{ "name": "Token" }, { "name": "of twenty letters ok" }]);
    assert_eq!(
        listed["data"],
        json!({ "me": { "role": "ada@example.com", "accessTokens": tokens } })
    );
    let gone = json_body(&ask(&service, "mutation { invalidateAccessToken(id: \"none\") { success } }").await);
    assert_eq!(gone["errors"][0]["message"], "Access denied");
}

#[tokio::test(start_paused = true)]
async fn a_desk_at_paths_of_its_own_lets_in_who_has_a_token() {
    let service = start("fibery", 1.0, |_| {});
    let authorization = format!("Token {}", service.token().expose_secret());
    let headers = HeaderMap::from_iter([(AUTHORIZATION, authorization.parse().unwrap())]);
    let refused = service.handle_call("POST", "/api/tokens", &HeaderMap::new()).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(
            service
                .handle_call("POST", "/api/tokens", &headers)
                .await
                .status
                .as_u16(),
        );
    }
    assert_eq!(statuses, [200, 200, 400]);
    let listed = json_body(&service.handle_call("GET", "/api/tokens", &headers).await);
    let ids: Vec<&str> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|token| token["id"].as_str().unwrap())
        .collect();
    let path = format!("/api/tokens/{}", ids[0]);
    let ended = service.handle_call("DELETE", &path, &headers).await;
    assert_eq!((ended.status.as_u16(), ended.body.len()), (204, 0));
    // It was the one that asked.
    let refused = service.handle_call("GET", "/api/tokens", &headers).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    assert_eq!((service.log().unauthorized, service.log().accepted), (2, 5));
}
