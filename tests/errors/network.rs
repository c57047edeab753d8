//! APIs that cannot be reached, do not let us in, or answer with something else.

use serde_json::json;

use crate::chaos::SelfSigned;
use crate::errors::{ITEMS, SETTINGS, failure, items, page};
use crate::project::Api;
use crate::stub::{Answer, Stub, cursor};
use crate::tracker::{calm, serve};

#[test]
fn a_wrong_token_is_told_as_such() {
    let server = serve(calm());
    let project = items("{ findings { nodes { id } } }");
    let api = Api {
        token: Some("not-the-right-one".to_owned()),
        ..Api::from(&server)
    };
    let project = project.with("source.toml", &SETTINGS.replace("schema = 'schema.graphql'\n", ""));
    insta::assert_snapshot!(failure(&project, api, 4), @"TIME error api: failed: the schema cannot be asked for: api answered 401: Login required [UNAUTHENTICATED]; the API does not accept the token, check what [auth] of the source names");
    assert_eq!(server.log().requests, server.log().unauthorized);
}

#[test]
fn a_token_that_is_refused_in_mid_run_ends_it_and_nothing_is_lost() {
    let stub = Stub::start(|request| match cursor(request) {
        None => Answer::Json(page(json!([{ "id": "1", "size": 2 }]), Some("next"))),
        Some(_) => Answer::Other {
            status: 401,
            content_type: "application/json",
            body: json!({ "errors": [{ "message": "token expired" }] }).to_string(),
        },
    });
    let told = failure(&items(ITEMS), &stub, 4);
    assert!(told.contains("token expired"), "{told}");
}

#[test]
fn a_host_that_cannot_be_reached_is_named() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}/graphql", listener.local_addr().expect("an address"));
    drop(listener);
    insta::assert_snapshot!(failure(&items(ITEMS), Api { address, token: None }, 1), @r"
    TIME error api/items: failed: ADDRESS: connection refused; check the endpoint's host and port; given up after 2 attempts
        the next run goes on from here
    ");
}

#[test]
fn a_host_without_an_address_is_named() {
    let address = "https://no-such-host.invalid/graphql".to_owned();
    let told = failure(&items(ITEMS), Api { address, token: None }, 1);
    assert!(told.contains("no-such-host.invalid"), "{told}");
}

#[test]
fn a_certificate_that_nobody_vouches_for_is_refused() {
    let host = SelfSigned::start();
    insta::assert_snapshot!(failure(&items(ITEMS), &host, 1), @r"
    TIME error api/items: failed: ADDRESS: no secure connection (invalid peer certificate: UnknownIssuer); given up after 2 attempts
        the next run goes on from here
    ");
}

#[test]
fn html_instead_of_json_is_told_as_such() {
    let html = "<!DOCTYPE html><html><head><title>Down for maintenance</title></head><body></body></html>";
    let stub = Stub::start(move |_| Answer::Other {
        status: 200,
        content_type: "text/html; charset=utf-8",
        body: html.to_owned(),
    });
    insta::assert_snapshot!(failure(&items(ITEMS), &stub, 1), @r"
    TIME error api/items: failed: api answered 200: an HTML page: Down for maintenance; given up after 2 attempts
        the next run goes on from here
    ");
    assert_eq!(
        stub.requests().len(),
        8,
        "all and half of it, each twice, and nothing four times"
    );
}

#[test]
fn a_body_that_is_cut_off_is_told_as_such() {
    let body = page(json!([{ "id": "1", "size": 2 }]), None).to_string();
    let stub = Stub::start(move |_| Answer::CutOff {
        body: body.clone(),
        sent: 30,
    });
    insta::assert_snapshot!(failure(&items(ITEMS), &stub, 1), @r"
    TIME error api/items: failed: ADDRESS: the response was cut off after 30 bytes; given up after 2 attempts
        the next run goes on from here
    ");
    assert_eq!(
        stub.requests().len(),
        8,
        "all and half of it, each twice, and nothing four times"
    );
}

#[test]
fn a_body_that_ends_in_mid_json_is_told_as_such() {
    let whole = page(json!([{ "id": "1", "size": 2 }]), None).to_string();
    let body = whole[..40].to_owned();
    let stub = Stub::start(move |_| Answer::Other {
        status: 200,
        content_type: "application/json",
        body: body.clone(),
    });
    insta::assert_snapshot!(failure(&items(ITEMS), &stub, 1), @r"
    TIME error api/items: failed: api answered 200: the body is no JSON object, or breaks off; given up after 2 attempts
        the next run goes on from here
    ");
}
