//! The transport against a server of a few lines, on a real loopback socket.

use std::collections::BTreeMap;
use std::io::Read;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::sleep;

use super::*;
use crate::api::test_settings::settings;

/// What the server does with a request.
enum Reaction {
    /// Sends these bytes, and keeps the connection.
    Send(Vec<u8>),
    /// Sends these bytes, and closes the connection.
    SendAndClose(Vec<u8>),
    /// Sends these bytes, and then nothing.
    SendAndHang(Vec<u8>),
}

struct Server {
    url: Url,
    requests: mpsc::UnboundedReceiver<String>,
}

/// Answers one request after the other, on however many connections, as the script says.
async fn serve(script: Vec<Reaction>) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (seen, requests) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut script = script.into_iter().peekable();
        while script.peek().is_some() {
            let (mut socket, _) = listener.accept().await.unwrap();
            while let Some(request) = read_request(&mut socket).await {
                seen.send(request).ok();
                match script.next() {
                    Some(Reaction::Send(bytes)) => socket.write_all(&bytes).await.unwrap(),
                    Some(Reaction::SendAndClose(bytes)) => {
                        socket.write_all(&bytes).await.unwrap();
                        break;
                    }
                    Some(Reaction::SendAndHang(bytes)) => {
                        socket.write_all(&bytes).await.unwrap();
                        sleep(Duration::from_secs(3600)).await;
                    }
                    None => return,
                }
            }
        }
    });
    let url = format!("http://user:pass@127.0.0.1:{port}/graphql?key=s3cret")
        .parse()
        .unwrap();
    Server { url, requests }
}

/// Head and body of the next request; `None` at the end of the connection.
async fn read_request(socket: &mut TcpStream) -> Option<String> {
    let mut received = Vec::new();
    loop {
        if socket.read_buf(&mut received).await.ok()? == 0 {
            return None;
        }
        let text = String::from_utf8_lossy(&received);
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        if length.map_or(0, |length| length.parse::<usize>().unwrap()) <= body.len() {
            return Some(text.into_owned());
        }
    }
}

fn response(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n{headers}\r\n", body.len());
    [head.as_bytes(), body].concat()
}

fn request() -> HttpRequest {
    let mut value = HeaderValue::from_static("Bearer t0ken");
    value.set_sensitive(true);
    HttpRequest {
        authorization: Some((HeaderName::from_static("authorization"), value)),
        body: Bytes::from_static(b"{\"query\":\"{ a }\"}"),
    }
}

async fn exchange(script: Vec<Reaction>, settings: &SourceSettings) -> Result<HttpResponse, TransportError> {
    let server = serve(script).await;
    HttpTransport::new(server.url, settings).unwrap().send(request()).await
}

fn patient() -> SourceSettings {
    settings()
}

fn impatient() -> SourceSettings {
    let mut settings = settings();
    settings.timing.timeout = Duration::from_millis(200);
    settings.timing.read_timeout = Duration::from_millis(200);
    settings
}

#[tokio::test]
async fn a_request_carries_what_the_api_needs_to_know() {
    let mut settings = patient();
    settings.headers = BTreeMap::from([("x-workspace".to_owned(), "acme".to_owned())]);
    let mut server = serve(vec![Reaction::Send(response("200 OK", "", b"{}"))]).await;
    HttpTransport::new(server.url, &settings)
        .unwrap()
        .send(request())
        .await
        .unwrap();
    let request = server.requests.recv().await.unwrap();
    assert!(
        request.starts_with("POST /graphql?key=s3cret HTTP/1.1\r\n"),
        "{request}"
    );
    for line in [
        "content-type: application/json",
        "accept: application/graphql-response+json, application/json;q=0.9",
        &format!("user-agent: gqldump/{}", env!("CARGO_PKG_VERSION")),
        "authorization: Bearer t0ken",
        "x-workspace: acme",
    ] {
        assert!(request.contains(&format!("\r\n{line}\r\n")), "{line} not in {request}");
    }
    for encoding in ["gzip", "br", "zstd"] {
        assert!(request.contains(encoding));
    }
    assert!(request.ends_with("\r\n\r\n{\"query\":\"{ a }\"}"));
}

#[tokio::test]
async fn bodies_arrive_whole_whatever_their_size_and_encoding() {
    let long = format!(r#"{{"data":"{}"}}"#, "é".repeat(500_000)).into_bytes();
    let plain = exchange(
        vec![Reaction::Send(response("200 OK", "x-a: b\r\n", &long))],
        &patient(),
    )
    .await
    .unwrap();
    assert_eq!((plain.status, plain.headers["x-a"].as_bytes()), (200, b"b".as_slice()));
    assert!(plain.body == long);

    let packed = zstd::encode_all(long.as_slice(), 1).unwrap();
    let script = vec![Reaction::Send(response(
        "200 OK",
        "content-encoding: zstd\r\n",
        &packed,
    ))];
    assert!(exchange(script, &patient()).await.unwrap().body == long);

    let script = vec![Reaction::Send(response(
        "200 OK",
        "content-encoding: gzip\r\n",
        GZIPPED,
    ))];
    assert_eq!(exchange(script, &patient()).await.unwrap().body, r#"{"data":{"a":1}}"#);

    let empty = exchange(vec![Reaction::Send(response("502 Bad Gateway", "", b""))], &patient())
        .await
        .unwrap();
    assert_eq!((empty.status, empty.body), (502, Bytes::new()));
}

/// `{"data":{"a":1}}`, as gzip packs it.
const GZIPPED: &[u8] = &[
    31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 171, 86, 74, 73, 44, 73, 84, 178, 170, 86, 2, 18, 134, 181, 181, 0, 117, 173, 91,
    150, 16, 0, 0, 0,
];

#[tokio::test]
async fn a_body_beyond_the_cap_is_given_up_announced_or_not() {
    let mut settings = patient();
    settings.limits.response_bytes = 100_000;
    let announced = [
        b"HTTP/1.1 200 OK\r\ncontent-length: 100001\r\n\r\n".as_slice(),
        &[b'x'; 10],
    ]
    .concat();
    let error = exchange(vec![Reaction::SendAndHang(announced)], &settings)
        .await
        .unwrap_err();
    assert!(
        matches!(error, TransportError::TooLarge { limit: 100_000, .. }),
        "{error}"
    );
    // A few kilobytes on the wire, and a hundred megabytes behind them.
    let bomb = zstd::encode_all(io::repeat(b' ').take(100_000_000), 1).unwrap();
    let script = vec![Reaction::Send(response("200 OK", "content-encoding: zstd\r\n", &bomb))];
    let error = exchange(script, &settings).await.unwrap_err();
    assert!(matches!(error, TransportError::TooLarge { .. }), "{error}");
    let exact = exchange(
        vec![Reaction::Send(response("200 OK", "", &[b'x'; 100_000]))],
        &settings,
    )
    .await;
    assert_eq!(exact.unwrap().body.len(), 100_000);
}

#[tokio::test]
async fn a_redirection_is_brought_back_and_not_followed() {
    let mut server = serve(vec![
        Reaction::Send(response("307 Temporary Redirect", "location: /elsewhere\r\n", b"")),
        Reaction::Send(response("200 OK", "", b"{}")),
    ])
    .await;
    let response = HttpTransport::new(server.url, &patient())
        .unwrap()
        .send(request())
        .await
        .unwrap();
    assert_eq!(response.status, 307);
    assert!(server.requests.recv().await.is_some());
    assert!(server.requests.try_recv().is_err(), "a second request was sent");
}

#[tokio::test]
async fn breaks_are_told_apart() {
    let cut = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"data\"".to_vec();
    let error = exchange(vec![Reaction::SendAndClose(cut)], &patient())
        .await
        .unwrap_err();
    assert!(matches!(error, TransportError::Cut { received: 7, .. }), "{error:?}");

    let error = exchange(vec![Reaction::SendAndClose(Vec::new())], &patient())
        .await
        .unwrap_err();
    assert!(matches!(error, TransportError::Lost { .. }), "{error:?}");

    let torn = &GZIPPED[..GZIPPED.len() - 12];
    let script = vec![Reaction::Send(response("200 OK", "content-encoding: gzip\r\n", torn))];
    let error = exchange(script, &patient()).await.unwrap_err();
    assert!(matches!(error, TransportError::Cut { .. }), "{error:?}");

    let script = vec![Reaction::Send(response(
        "200 OK",
        "content-encoding: gzip\r\n",
        b"not gzip at all",
    ))];
    let error = exchange(script, &patient()).await.unwrap_err();
    assert!(matches!(error, TransportError::Garbled { .. }), "{error:?}");
}

#[tokio::test]
async fn time_outs_are_told_apart() {
    let error = exchange(vec![Reaction::SendAndHang(Vec::new())], &impatient())
        .await
        .unwrap_err();
    assert!(matches!(error, TransportError::Timeout { .. }), "{error:?}");

    let mut settings = impatient();
    settings.timing.timeout = Duration::from_secs(60);
    let begun = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"data\"".to_vec();
    let error = exchange(vec![Reaction::SendAndHang(begun)], &settings)
        .await
        .unwrap_err();
    assert!(matches!(error, TransportError::Silent { .. }), "{error:?}");
}

/// As if the environment named a proxy at that address.
fn through(proxy: std::net::SocketAddr) -> HttpTransport {
    let url: Url = "http://api.acme.test/".parse().unwrap();
    let client = reqwest::Client::builder().proxy(reqwest::Proxy::all(format!("http://user:s3cret@{proxy}")).unwrap());
    HttpTransport {
        client: client.build().unwrap(),
        proxy: Some(proxy.to_string()),
        ..HttpTransport::new(url, &patient()).unwrap()
    }
}

#[tokio::test]
async fn a_proxy_that_cannot_be_reached_is_named_without_its_credentials() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let error = through(closed).send(request()).await.unwrap_err();
    let told = error.to_string();
    assert!(matches!(error, TransportError::Proxy { .. }), "{told}");
    assert!(
        told.contains(&format!("api.acme.test: no connection through the proxy {closed}")),
        "{told}"
    );
    assert!(told.contains("NO_PROXY") && !told.contains("s3cret"), "{told}");
}

#[tokio::test]
async fn a_proxy_that_lets_nobody_through_is_named_as_such() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        read_request(&mut socket).await;
        socket
            .write_all(&response("407 Proxy Authentication Required", "", b""))
            .await
            .unwrap();
    });
    let transport = HttpTransport {
        url: "https://api.acme.test/".parse().unwrap(),
        ..through(place)
    };
    let error = transport.send(request()).await.unwrap_err();
    assert!(matches!(error, TransportError::Proxy { .. }), "{error}");
}

#[tokio::test]
async fn hosts_that_cannot_be_reached_are_told_apart() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let send = async |url: &str| {
        let transport = HttpTransport::new(url.parse().unwrap(), &patient()).unwrap();
        transport.send(request()).await.unwrap_err()
    };
    let error = send(&format!("http://{closed}/")).await;
    assert_eq!(
        error,
        TransportError::Refused {
            place: closed.to_string()
        }
    );

    // A name that the standards reserve for leading nowhere.
    let error = send("http://nowhere.invalid:81/").await;
    assert!(
        matches!(&error, TransportError::UnknownHost { place, .. } if place == "nowhere.invalid:81"),
        "{error:?}"
    );

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        socket.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        sleep(Duration::from_secs(3600)).await;
    });
    let error = send(&format!("https://{place}/")).await;
    assert!(matches!(error, TransportError::Tls { .. }), "{error:?}");
}

#[tokio::test]
async fn errors_tell_neither_the_query_nor_the_user_part_nor_the_token() {
    for script in [
        vec![Reaction::SendAndClose(Vec::new())],
        vec![Reaction::SendAndClose(b"nonsense\r\n\r\n".to_vec())],
        vec![Reaction::SendAndHang(Vec::new())],
    ] {
        let error = exchange(script, &impatient()).await.unwrap_err();
        let told = format!("{error} {error:?}");
        for secret in ["s3cret", "pass", "t0ken"] {
            assert!(!told.contains(secret), "{told}");
        }
    }
}

#[tokio::test]
async fn a_first_request_is_known_to_wait_for_its_connection_and_a_second_is_not() {
    let ok = || Reaction::Send(response("200 OK", "", b"{}"));
    let server = serve(vec![ok(), ok()]).await;
    let transport = HttpTransport::new(server.url, &patient()).unwrap();
    let first = Instant::now();
    transport.send(request()).await.unwrap();
    assert!(
        transport.left_by(first).unwrap() > first,
        "the connection was opened after that"
    );
    let second = Instant::now();
    transport.send(request()).await.unwrap();
    assert_eq!(transport.left_by(second), Some(second));
}

#[test]
fn wrong_headers_are_refused_without_showing_their_values() {
    let mut settings = patient();
    settings.headers = BTreeMap::from([("x-key".to_owned(), "s3cret\n".to_owned())]);
    let url: Url = "http://127.0.0.1/".parse().unwrap();
    let error = HttpTransport::new(url, &settings).err().unwrap().to_string();
    assert!(error.contains("x-key") && !error.contains("s3cret"), "{error}");
}
