//! The sockets: addresses, cut bodies, the log's page, the end.

use std::io::{Read, Write};
use std::net::TcpStream;

use secrecy::ExposeSecret;

use super::*;
use crate::demo::fault::{Fault, FaultPlan, ScriptedFault};

fn config(script: Vec<ScriptedFault>) -> DemoConfig {
    let mut config = DemoConfig::named("tracker").unwrap();
    config.behaviours.faults = FaultPlan {
        script,
        ..FaultPlan::none()
    };
    config
}

/// Sends one request over a connection of its own; the head and the body of what comes back before it closes.
fn exchange(server: &DemoServer, method: &str, path: &str, body: &str) -> (String, String) {
    let address = server.address();
    let place = (address.host_str().unwrap(), address.port().unwrap());
    let mut connection = TcpStream::connect(place).unwrap();
    let token = server.token().expose_secret();
    let length = body.len();
    write!(
        connection,
        "{method} {path} HTTP/1.1\r\nHost: demo\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

#[test]
fn requests_are_answered_and_logged() {
    let server = DemoServer::start(config(Vec::new())).unwrap();
    let (head, body) = exchange(
        &server,
        "POST",
        "/graphql",
        r#"{"query":"{ group(name: \"elm\") { name } }"}"#,
    );
    assert!(head.starts_with("HTTP/1.1 200 OK"), "{head}");
    assert_eq!(body, r#"{"data":{"group":{"name":"elm"}}}"#);
    let (_, log) = exchange(&server, "GET", "/log", "");
    let log: serde_json::Value = serde_json::from_str(&log).unwrap();
    assert_eq!(
        (&log["requests"], &log["answered"], &log["max_in_flight"]),
        (&1.into(), &1.into(), &1.into())
    );
    assert_eq!(log["windows"][0]["busiest_sliding"], 1);
}

#[test]
fn a_cut_body_is_shorter_than_announced_and_not_counted_as_answered() {
    let script = vec![ScriptedFault {
        request: 1,
        fault: Fault::Cut,
    }];
    let server = DemoServer::start(config(script)).unwrap();
    let query = r#"{"query":"{ groups { nodes { name } } }"}"#;
    let (head, body) = exchange(&server, "POST", "/graphql", query);
    let announced = head
        .to_lowercase()
        .lines()
        .find_map(|line| Some(line.strip_prefix("content-length: ")?.parse()));
    let announced: usize = announced.unwrap().unwrap();
    assert_eq!(body.len(), announced / 2);
    assert_eq!((server.log().answered, server.log().injected(Fault::Cut)), (0, 1));
    let (_, body) = exchange(&server, "POST", "/graphql", query);
    assert_eq!(body.len(), announced);
    assert_eq!((server.log().answered, server.log().rows_repeated), (1, 0));
}

#[test]
fn a_dropped_server_has_freed_its_port() {
    let mut config = config(Vec::new());
    let server = DemoServer::start(config.clone()).unwrap();
    config.port = server.address().port().unwrap();
    let refused = DemoServer::start(config.clone()).err().unwrap().to_string();
    assert!(refused.contains("choose another port"), "{refused}");
    drop(server);
    assert!(TcpListener::bind((Ipv4Addr::LOCALHOST, config.port)).is_ok());
}

#[test]
fn each_start_has_a_token_of_its_own() {
    let token = || {
        DemoServer::start(config(Vec::new()))
            .unwrap()
            .token()
            .expose_secret()
            .to_owned()
    };
    assert_ne!(token(), token());
}

#[tokio::test]
async fn servers_start_and_stop_inside_a_runtime() {
    let server = DemoServer::start(config(Vec::new())).unwrap();
    let (head, _) = exchange(&server, "GET", "/graphql", "");
    assert!(head.starts_with("HTTP/1.1 405"), "{head}");
}

#[test]
fn browsers_may_be_shown_a_page_that_counts_as_no_request() {
    let server = DemoServer::start(DemoConfig::named("fluidattacks").unwrap()).unwrap();
    let (head, body) = exchange(&server, "GET", "/graphql?query=%7B%20me%20%7B%20role%20%7D%20%7D", "");
    assert!(
        head.starts_with("HTTP/1.1 200 OK") && head.contains("text/html"),
        "{head}"
    );
    assert!(body.contains("GraphiQL"), "{body}");
    assert_eq!(server.log().requests, 0);
}

#[test]
fn a_request_in_flight_does_not_hold_up_the_end() {
    let mut config = config(Vec::new());
    config.behaviours.latency.base = Duration::from_secs(3600);
    let server = DemoServer::start(config).unwrap();
    let address = server.address();
    let mut connection = TcpStream::connect((address.host_str().unwrap(), address.port().unwrap())).unwrap();
    let token = server.token().expose_secret();
    let body = r#"{"query":"{ viewer { name } }"}"#;
    let length = body.len();
    write!(
        connection,
        "POST /graphql HTTP/1.1\r\nHost: demo\r\nAuthorization: Bearer {token}\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    while server.log().accepted == 0 {
        std::thread::yield_now();
    }
    drop(server);
    assert_eq!(connection.read(&mut [0; 16]).unwrap_or(0), 0);
}
