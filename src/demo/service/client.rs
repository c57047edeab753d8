//! What tests ask a stand-in: raw requests, one after the other, and lists read to their end.

use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use secrecy::ExposeSecret;
use serde_json::{Map, Value, json};

use crate::demo::behaviour::Behaviours;
use crate::demo::config::DemoConfig;
use crate::demo::fault::FaultPlan;
use crate::demo::service::{DemoRequest, DemoResponse, DemoService};

/// A stand-in with that share of its rows, without limits, waits and faults.
pub(super) fn calm(name: &str, rows_scale: f64) -> DemoConfig {
    let mut config = DemoConfig::named(name).unwrap();
    config.rows_scale = rows_scale;
    config.behaviours.limits.clear();
    config.behaviours.faults = FaultPlan::none();
    config
}

/// The service of a calm stand-in that behaves a little differently.
pub(super) fn start(name: &str, rows_scale: f64, change: impl FnOnce(&mut Behaviours)) -> DemoService {
    let mut config = calm(name, rows_scale);
    change(&mut config.behaviours);
    DemoService::new(&config).unwrap()
}

pub(super) fn request(service: &DemoService, body: &Value) -> DemoRequest {
    let auth = &service.behaviours.auth;
    let carried = format!("{} {}", auth.scheme, service.token().expose_secret());
    let header = HeaderName::try_from(&auth.header).unwrap();
    let json = HeaderValue::from_static("application/json");
    DemoRequest {
        headers: HeaderMap::from_iter([(header, carried.trim_start().parse().unwrap()), (CONTENT_TYPE, json)]),
        body: body.to_string().into(),
    }
}

pub(super) async fn ask(service: &DemoService, query: &str) -> DemoResponse {
    service.handle(request(service, &json!({ "query": query }))).await
}

pub(super) fn json_body(response: &DemoResponse) -> Value {
    serde_json::from_slice(&response.body).unwrap()
}

/// The data of an answer that must have no errors.
pub(super) async fn data(service: &DemoService, query: &str) -> Value {
    let response = ask(service, query).await;
    let mut body = json_body(&response);
    assert_eq!((response.status, body.get("errors")), (StatusCode::OK, None), "{query}");
    body["data"].take()
}

/// The message of the only error of an answer.
pub(super) async fn error(service: &DemoService, query: &str) -> String {
    let body = json_body(&ask(service, query).await);
    assert_eq!(body["errors"].as_array().map(Vec::len), Some(1), "{body}");
    body["errors"][0]["message"].as_str().unwrap().to_owned()
}

/// Reads a list to its end. `query` makes the request from what `next` found in the page before, null at first; `page`
/// leads to the page, and `items` from there to its rows.
pub(super) async fn walk(
    service: &DemoService,
    query: impl Fn(&Value) -> String,
    (page, items): (&str, &str),
    next: impl Fn(&Value, &[Value]) -> Option<Value>,
) -> Vec<Value> {
    let (mut rows, mut at) = (Vec::new(), Value::Null);
    for _ in 0..1_000 {
        let query = query(&at);
        let answer = data(service, &query).await;
        let page = answer.pointer(page).unwrap_or_else(|| panic!("no {page} in {answer}"));
        rows.extend_from_slice(page.pointer(items).unwrap().as_array().unwrap());
        match next(page, &rows) {
            Some(next) => at = next,
            None => return rows,
        }
    }
    panic!("the list has no end: {}", query(&at));
}

/// Where a page with `pageInfo` says to go on.
pub(super) fn next_of_page_info(page: &Value, _: &[Value]) -> Option<Value> {
    let info = &page["pageInfo"];
    (info["hasNextPage"] == true).then(|| info["endCursor"].clone())
}

/// An argument, or nothing for null; with a comma before it.
pub(super) fn argument(name: &str, value: &Value) -> String {
    if value.is_null() {
        return String::new();
    }
    format!(", {name}: {value}")
}

/// These fields of rows, as a parser reads them.
pub(super) fn picked<'r>(rows: impl IntoIterator<Item = &'r Map<String, Value>>, fields: &str) -> Vec<Value> {
    let pick = |row: &Map<String, Value>| {
        let fields = fields.split(' ').map(|field| (field.to_owned(), row[field].clone()));
        as_parsed(fields.collect())
    };
    rows.into_iter().map(pick).collect()
}

/// The row as it comes out of a parser: serde_json's may miss a double by its last bit.
pub(super) fn as_parsed(row: Map<String, Value>) -> Value {
    serde_json::from_str(&Value::Object(row).to_string()).unwrap()
}
