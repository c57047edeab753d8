//! How a stand-in speaks GraphQL over HTTP that behaves as a Python framework does: statuses, bodies and words.

use axum::http::HeaderValue;
use axum::http::header::{CONTENT_TYPE, WWW_AUTHENTICATE};
use serde_json::{Value, json};

use crate::demo::service::client::{ask, json_body, request, start};
use crate::demo::service::{DemoRequest, DemoResponse, DemoService};

fn platform() -> DemoService {
    start("fluidattacks", 0.003, |_| {})
}

async fn posted(service: &DemoService, body: &str) -> DemoResponse {
    let request = DemoRequest {
        body: body.to_owned().into(),
        ..request(service, &Value::Null)
    };
    service.handle(request).await
}

/// Status, kind and text of an answer.
fn told(response: &DemoResponse) -> (u16, String, String) {
    let kind = response.headers[CONTENT_TYPE].to_str().unwrap();
    let kind = kind.split(';').next().unwrap().to_owned();
    let text = String::from_utf8(response.body.to_vec()).unwrap();
    (response.status.as_u16(), kind, text)
}

#[tokio::test(start_paused = true)]
async fn what_is_no_request_is_answered_in_the_frameworks_ways() {
    let service = platform();
    for body in [r#"[{"query":"{ me { role } }"}]"#, r#"{"query":null}"#, "{}", "7"] {
        let (status, kind, text) = told(&posted(&service, body).await);
        assert_eq!((status, kind.as_str()), (200, "text/html"), "{body}");
        assert!(text.starts_with("<!DOCTYPE html>"), "{text}");
    }
    for body in ["{", "", "query"] {
        let expected = (
            400,
            "text/plain".to_owned(),
            "Request body is not a valid JSON".to_owned(),
        );
        assert_eq!(told(&posted(&service, body).await), expected, "{body}");
    }
    let (status, kind, text) = told(&posted(&service, r#"{"query":""}"#).await);
    assert_eq!((status, kind.as_str()), (400, "application/json"));
    assert_eq!(text, r#"{"errors":[{"message":"The query must be a string."}]}"#);

    let mut announced = request(&service, &json!({ "query": "{ me { role } }" }));
    announced.headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/graphql-response+json"),
    );
    let (status, kind, text) = told(&service.handle(announced).await);
    assert_eq!((status, kind.as_str()), (400, "text/plain"));
    assert!(
        text.starts_with("Posted content must be of type application/json"),
        "{text}"
    );
}

#[tokio::test(start_paused = true)]
async fn groups_are_found_whatever_the_case_of_their_name() {
    let service = platform();
    let query = "{ group(groupName: \"NarraBri\") { name } }";
    let (status, _, text) = told(&posted(&service, &json!({ "query": query }).to_string()).await);
    assert_eq!(
        (status, text.as_str()),
        (200, r#"{"data":{"group":{"name":"narrabri"}}}"#)
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_with_values_shows_in_execution_and_what_is_wrong_with_texts_before() {
    let service = platform();
    let of_group = "query Q($g: String!) { group(groupName: $g) { name } }";
    let cases = [
        (
            json!({ "query": of_group }),
            200,
            "Variable '$g' of required type 'String!' was not provided.",
        ),
        (
            json!({ "query": of_group, "variables": { "g": null } }),
            200,
            "Variable '$g' of non-null type 'String!' must not be null.",
        ),
        (
            json!({ "query": of_group, "operationName": "B" }),
            200,
            "Unknown operation named 'B'.",
        ),
        (
            json!({ "query": of_group, "variables": { "g": "asgard", "h": 1 } }),
            400,
            "Exception - Extra variables in operation",
        ),
        (
            json!({ "query": "query Q($a: Int) { me { role } }" }),
            400,
            "Variable '$a' is never used in operation 'Q'.",
        ),
        (
            json!({ "query": "query Q($a: String) { group(groupName: \"a\") { forcesExecutionsConnection(after: $a) { total } } }" }),
            400,
            "Variable '$a' of type 'String' used in position expecting type '[String]'.",
        ),
        (
            json!({ "query": "{ me { userEmial } }" }),
            400,
            "Cannot query field 'userEmial' on type 'Me'. Did you mean 'userEmail'?",
        ),
        (
            json!({ "query": "{ me { foo } }" }),
            400,
            "Cannot query field 'foo' on type 'Me'.",
        ),
        (
            json!({ "query": "{ group(groupName: \"a\") { findings } }" }),
            400,
            "Field 'findings' of type '[Finding]' must have a selection of subfields. Did you mean 'findings { ... }'?",
        ),
        (
            json!({ "query": "{ group(groupName: \"a\") { toeLines(first: 3000000000) { total } } }" }),
            400,
            "Int cannot represent non 32-bit signed integer value: 3000000000",
        ),
    ];
    for (body, status, message) in cases {
        let response = service.handle(request(&service, &body)).await;
        let answer = json_body(&response);
        assert_eq!(answer["errors"][0]["message"], message, "{body}");
        assert_eq!(response.status.as_u16(), status, "{body}");
        // Null data where it was executed, none at all where it was not.
        assert_eq!(answer.get("data"), (status == 200).then_some(&Value::Null), "{body}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_unknown_object_is_denied_and_data_comes_before_errors() {
    let service = platform();
    let response = ask(&service, "{ group(groupName: \"nowhere\") { name } me { role } }").await;
    let expected = concat!(
        r#"{"data":{"group":null,"me":{"role":"user_manager"}},"#,
        r#""errors":[{"message":"Access denied","locations":[{"line":1,"column":3}],"path":["group"]}]}"#
    );
    assert_eq!(
        told(&response),
        (200, "application/json".to_owned(), expected.to_owned())
    );
}

#[tokio::test(start_paused = true)]
async fn the_header_that_asks_for_a_token_comes_with_every_answer_of_the_api_itself() {
    let service = platform();
    let good = ask(&service, "{ me { role } }").await;
    let refused = service.handle(DemoRequest::default()).await;
    for response in [&good, &refused, &service.page()] {
        let header = response.headers[WWW_AUTHENTICATE].to_str().unwrap();
        assert_eq!(
            (response.status.as_u16(), header.starts_with("OAuth realm=")),
            (200, true)
        );
    }
    assert_eq!(told(&service.page()).1, "text/html");
}
