//! The endpoint against a transport that answers by script, in simulated time.

use std::collections::VecDeque;
use std::marker::PhantomData;
use std::sync::Mutex;
use std::time::UNIX_EPOCH;

use futures::future::BoxFuture;
use reqwest::header::{HeaderMap, HeaderValue};
use secrecy::SecretString;
use serde_json::{Map, Value, json};
use tokio::time::advance;

use super::*;
use crate::api::test_settings::settings;
use crate::project::{RequestLimit, TokenOrigin};
use crate::report::Observer;

const SECOND: Duration = Duration::from_secs(1);

type Reply = Result<HttpResponse, TransportError>;

/// Answers with one reply after the other, each after a tenth of a second.
struct Script {
    replies: Mutex<VecDeque<Reply>>,
    sent: Mutex<Vec<Sent>>,
    start: Instant,
}

struct Sent {
    at: Duration,
    authorization: Option<HeaderValue>,
    body: Bytes,
}

impl Transport for Script {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Reply> {
        self.sent.lock().unwrap().push(Sent {
            at: self.start.elapsed(),
            authorization: request.authorization.map(|(_, value)| value),
            body: request.body,
        });
        let reply = self
            .replies
            .lock()
            .unwrap()
            .pop_front()
            .expect("more requests than the script has replies");
        Box::pin(async move {
            sleep(Duration::from_millis(100)).await;
            reply
        })
    }
}

#[derive(Default)]
struct Events(Mutex<Vec<Event>>);

impl Observer for Events {
    fn notice(&self, event: &Event) {
        if !matches!(event, Event::Budget { .. } | Event::Sent { .. }) {
            self.0.lock().unwrap().push(event.clone());
        }
    }
}

struct Stage {
    endpoint: Endpoint,
    script: Arc<Script>,
    events: Arc<Events>,
    stop: watch::Sender<bool>,
}

impl Stage {
    fn new(settings: &SourceSettings, tokens: &'static [&'static str], replies: Vec<Reply>) -> Self {
        let script = Arc::new(Script {
            replies: Mutex::new(replies.into()),
            sent: Mutex::default(),
            start: Instant::now(),
        });
        let events = Arc::new(Events::default());
        let (stop, stopped) = watch::channel(false);
        let unread = Mutex::new(tokens.iter());
        let read: ReadToken = Arc::new(move |_| match unread.lock().unwrap().next() {
            Some(token) => Ok(SecretString::from(*token)),
            None => Err("the variable `TOKEN` is not set".to_owned()),
        });
        let transport: Arc<Script> = Arc::clone(&script);
        let observer: Arc<Events> = Arc::clone(&events);
        let surroundings = Surroundings {
            transport,
            token: settings.auth.token.is_some().then_some(read),
            secrets: Default::default(),
            clock: Clock::simulated(UNIX_EPOCH + 1_793_534_400 * SECOND),
            permit_log: None,
            observer,
            stop: stopped,
        };
        let endpoint = Endpoint::new("tracker", settings, surroundings).unwrap();
        Self {
            endpoint,
            script,
            events,
            stop,
        }
    }

    fn open(replies: Vec<Reply>) -> Self {
        Self::new(&settings(), &[], replies)
    }

    async fn ask(&self) -> Result<Answer<Value>, ApiError> {
        self.endpoint
            .ask("tracker/groups", &request(), PhantomData::<Value>)
            .await
    }

    /// When each request was sent, in milliseconds from the beginning.
    fn sent_at(&self) -> Vec<u128> {
        self.script
            .sent
            .lock()
            .unwrap()
            .iter()
            .map(|sent| sent.at.as_millis())
            .collect()
    }

    fn authorizations(&self) -> Vec<String> {
        let sent = self.script.sent.lock().unwrap();
        let values = sent
            .iter()
            .map(|sent| sent.authorization.as_ref().unwrap().to_str().unwrap().to_owned());
        values.collect()
    }

    fn events(&self) -> Vec<Event> {
        self.events.0.lock().unwrap().clone()
    }
}

fn request() -> GraphqlRequest {
    GraphqlRequest {
        operation_name: None,
        query: Arc::from("{ a }"),
        variables: Map::new(),
    }
}

fn reply(status: u16, body: &str) -> Reply {
    with_headers(status, &[], body)
}

fn with_headers(status: u16, pairs: &[(&'static str, &'static str)], body: &str) -> Reply {
    let headers: HeaderMap = pairs
        .iter()
        .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
        .collect();
    Ok(HttpResponse {
        status,
        headers,
        body: Bytes::copy_from_slice(body.as_bytes()),
    })
}

fn good() -> Reply {
    reply(200, r#"{"data":{"a":1}}"#)
}

fn lost() -> Reply {
    Err(TransportError::Lost {
        place: "host".to_owned(),
    })
}

fn with_token() -> SourceSettings {
    let mut settings = settings();
    settings.auth.token = Some(TokenOrigin::Env("TOKEN".to_owned()));
    settings
}

#[tokio::test(start_paused = true)]
async fn a_good_answer_is_taken_in_as_it_came() {
    let stage = Stage::open(vec![reply(
        200,
        r#"{"errors":[{"message":"gone","path":["b"]}],"data":{"a":1,"b":null}}"#,
    )]);
    let answer = stage.ask().await.unwrap();
    assert_eq!(answer.data, json!({"a": 1, "b": null}));
    assert_eq!(answer.errors[0].message, "gone");
    assert_eq!(answer.denied, []);
    assert!(answer.body.starts_with(b"{\"errors\""));
    assert_eq!(answer.elapsed, Duration::from_millis(100));
    assert_eq!(
        answer.effort,
        Effort {
            attempts: 1,
            retries: 0,
            throttles: 0,
            last: Duration::from_millis(100),
        }
    );
    assert_eq!(stage.script.sent.lock().unwrap()[0].body, r#"{"query":"{ a }"}"#);
}

#[tokio::test(start_paused = true)]
async fn denied_fields_come_with_the_answer_and_without_data_they_are_an_error() {
    let denied = r#"{"data":{"a":null},"errors":[{"message":"Access denied","path":["a"]}]}"#;
    let stage = Stage::open(vec![
        reply(200, denied),
        reply(200, &denied.replace(r#"{"a":null}"#, "null")),
    ]);
    let answer = stage.ask().await.unwrap();
    assert_eq!(answer.denied[0].to_string(), "a");
    let error = stage.ask().await.unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, ApiError::Denied { .. }));
    assert_eq!(
        text,
        "tracker answered 200: Access denied at a; the token may not see `a`, leave that out or use another token"
    );
}

#[tokio::test(start_paused = true)]
async fn failures_are_tried_again_after_growing_waits() {
    let stage = Stage::open(vec![
        lost(),
        reply(502, "<title>Bad Gateway</title>"),
        reply(200, "{\"data\":{\"a\""),
        good(),
    ]);
    let answer = stage.ask().await.unwrap();
    assert_eq!(
        answer.effort,
        Effort {
            attempts: 4,
            retries: 3,
            throttles: 0,
            last: Duration::from_millis(100),
        }
    );
    assert_eq!(stage.sent_at(), [0, 1100, 3200, 6300]);
    let causes: Vec<_> = stage
        .events()
        .iter()
        .map(|event| match event {
            Event::Retrying {
                query,
                cause,
                attempt,
                attempts,
                wait,
            } => format!("{query} {attempt}/{attempts} {wait:?} {cause}"),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        causes,
        [
            "tracker/groups 1/5 1s host: the connection was lost before a response came",
            "tracker/groups 2/5 2s tracker answered 502: an HTML page: Bad Gateway",
            "tracker/groups 3/5 3s tracker answered 200: the body is no JSON object, or breaks off",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_request_is_given_up_after_its_last_attempt() {
    let stage = Stage::open((0..5).map(|_| lost()).collect());
    let error = stage.ask().await.unwrap_err();
    assert!(matches!(
        error,
        ApiError::GaveUp {
            attempts: 5,
            last: Failure::Transport(TransportError::Lost { .. })
        }
    ));
    assert_eq!(stage.sent_at().len(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_throttle_holds_back_every_request_of_the_source() {
    let stage = Stage::open(vec![
        with_headers(429, &[("retry-after", "30")], "Too Many Requests"),
        good(),
        good(),
    ]);
    let later = async {
        sleep(SECOND).await;
        stage.ask().await
    };
    let (throttled, other) = tokio::join!(stage.ask(), later);
    assert_eq!(
        throttled.unwrap().effort,
        Effort {
            attempts: 2,
            retries: 0,
            throttles: 1,
            last: Duration::from_millis(100),
        }
    );
    assert_eq!(other.unwrap().effort.throttles, 0);
    assert_eq!(
        stage.sent_at(),
        [0, 31_100, 31_100],
        "30 s and a margin of 1 s after the response"
    );
    assert!(
        matches!(&stage.events()[..], [Event::Throttled { source, wait }] if source == "tracker" && *wait == 31 * SECOND)
    );
}

#[tokio::test(start_paused = true)]
async fn more_throttles_than_attempts_are_no_failure() {
    let mut replies: Vec<_> = (0..20).map(|_| reply(429, "")).collect();
    replies.push(good());
    assert_eq!(Stage::open(replies).ask().await.unwrap().effort.throttles, 20);
    let endless = Stage::open((0..101).map(|_| reply(429, "Retry later")).collect());
    assert!(matches!(
        endless.ask().await.unwrap_err(),
        ApiError::ThrottledForever { times: 101, .. }
    ));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_took_the_last_of_the_budget_holds_back_the_next() {
    let spent = [("ratelimit-remaining", "0"), ("ratelimit-reset", "10")];
    let stage = Stage::open(vec![with_headers(200, &spent, r#"{"data":{"a":1}}"#), good()]);
    assert_eq!(stage.ask().await.unwrap().effort.throttles, 0);
    stage.ask().await.unwrap();
    assert_eq!(stage.sent_at(), [0, 11_100]);
}

#[tokio::test(start_paused = true)]
async fn every_attempt_takes_a_permit() {
    let mut settings = settings();
    settings.limits.requests = vec![RequestLimit {
        max: 2,
        per: 60 * SECOND,
        margin: Duration::ZERO,
        counted_by: crate::project::CountedBy::Token,
    }];
    let stage = Stage::new(&settings, &[], vec![lost(), lost(), good()]);
    stage.ask().await.unwrap();
    // The third waits for the first one's slot, and not only for 2 s of backing off.
    assert_eq!(stage.sent_at(), [0, 1100, 60_000]);
}

#[tokio::test]
async fn a_refused_token_is_read_again_once() {
    let stage = Stage::new(&with_token(), &["old", "new"], vec![reply(401, ""), good()]);
    stage.ask().await.unwrap();
    assert_eq!(stage.authorizations(), ["Bearer old", "Bearer new"]);

    let stage = Stage::new(
        &with_token(),
        &["same", "same"],
        vec![reply(401, r#"{"message":"bad token same"}"#)],
    );
    let error = stage.ask().await.unwrap_err();
    assert!(
        matches!(&error, ApiError::Unauthorized(refusal) if refusal.message == "bad token [token]"),
        "{error}"
    );

    let stage = Stage::new(&with_token(), &["a", "b", "c"], vec![reply(401, ""), reply(401, "")]);
    assert!(matches!(stage.ask().await.unwrap_err(), ApiError::Unauthorized(_)));
}

#[tokio::test]
async fn a_token_is_shown_nowhere_in_an_answer_s_errors_nor_in_a_refusal_s() {
    let error =
        r#"{"message":"no","path":["groups","t0ken",0],"extensions":{"code":"t0ken","x":"t0ken"},"type":"t0ken"}"#;
    let beside = format!(r#"{{"data":{{"groups":1}},"errors":[{error}]}}"#);
    let denied = r#"{"errors":[{"message":"Access denied","path":["t0ken"]}]}"#;
    let stage = Stage::new(&with_token(), &["t0ken"], vec![reply(200, &beside), reply(200, denied)]);
    let answer = stage.ask().await.unwrap();
    assert!(!format!("{:?}", answer.errors).contains("t0ken"), "{:?}", answer.errors);
    assert_eq!(answer.errors[0].path.as_ref().unwrap().to_string(), "groups.[token].0");
    let error = stage.ask().await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("t0ken"), "{error:?}");
}

#[tokio::test]
async fn a_token_that_cannot_be_read_costs_no_request() {
    let stage = Stage::new(&with_token(), &[], vec![]);
    let error = stage.ask().await.unwrap_err();
    assert_eq!(error.to_string(), "tracker: no token: the variable `TOKEN` is not set");
}

#[tokio::test(start_paused = true)]
async fn what_will_not_pass_is_not_tried_again() {
    let too_large = Err(TransportError::TooLarge {
        place: "host".to_owned(),
        limit: 9,
    });
    for (reply, kind) in [
        (
            reply(
                400,
                r#"{"errors":[{"message":"Cannot query field \"b\" on type \"Q\"."}]}"#,
            ),
            "Invalid",
        ),
        (
            reply(
                200,
                r#"{"errors":[{"message":"m","extensions":{"code":"MAX_COST_EXCEEDED"}}]}"#,
            ),
            "TooComplex",
        ),
        (
            reply(
                200,
                r#"{"errors":[{"message":"m","extensions":{"code":"CursorExpiredError"}}]}"#,
            ),
            "CursorExpired",
        ),
        (
            reply(
                200,
                r#"{"errors":[{"message":"m","extensions":{"code":"QueryTimedOut"}}]}"#,
            ),
            "TooBig",
        ),
        (too_large, "TooBig"),
        (reply(302, ""), "Invalid"),
    ] {
        let stage = Stage::open(vec![reply]);
        let error = stage.ask().await.unwrap_err();
        assert!(format!("{error:?}").starts_with(kind), "{error:?}");
        assert_eq!(stage.sent_at().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn data_of_another_shape_is_told_with_the_errors_that_explain_it() {
    let bodies = [
        r#"{"data":{"a":"text"}}"#,
        r#"{"data":{"a":"text"},"errors":[{"message":"Access denied","path":["a"]}]}"#,
        r#"{"data":{"a":"text"},"errors":[{"message":"please retry"}]}"#,
        r#"{"data":{"a":1}}"#,
    ];
    let stage = Stage::open(bodies.iter().map(|body| reply(200, body)).collect());
    let numbers = PhantomData::<std::collections::BTreeMap<String, u8>>;
    let ask = async || stage.endpoint.ask("tracker/groups", &request(), numbers).await;
    assert!(matches!(ask().await.unwrap_err(), ApiError::Misshapen(_)));
    assert!(matches!(ask().await.unwrap_err(), ApiError::Denied { .. }));
    assert_eq!(ask().await.unwrap().effort.retries, 1);
}

#[tokio::test(start_paused = true)]
async fn a_byte_order_mark_before_a_body_is_no_part_of_it() {
    let stage = Stage::open(vec![reply(200, "\u{feff}{\"data\":{\"a\":1}}")]);
    let answer = stage.ask().await.unwrap();
    assert_eq!(answer.body, Bytes::from_static(b"{\"data\":{\"a\":1}}"));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_not_text_is_a_failure_like_any_other() {
    let binary = Ok(HttpResponse {
        status: 200,
        headers: HeaderMap::new(),
        body: Bytes::from_static(b"{\"data\":\"\xff\"}"),
    });
    assert_eq!(Stage::open(vec![binary, good()]).ask().await.unwrap().effort.retries, 1);
}

#[tokio::test(start_paused = true)]
async fn stopping_ends_the_waits_and_lets_a_request_in_flight_finish() {
    let stage = Stage::open(vec![good(), lost()]);
    let stop_soon = async |after: Duration| {
        sleep(after).await;
        stage.stop.send(true).unwrap();
    };
    let (in_flight, ()) = tokio::join!(stage.ask(), stop_soon(Duration::from_millis(50)));
    assert!(in_flight.is_ok());
    assert!(matches!(stage.ask().await.unwrap_err(), ApiError::Stopped { .. }));
    assert_eq!(stage.sent_at().len(), 1);
    stage.stop.send(false).unwrap();
    let (backing_off, ()) = tokio::join!(stage.ask(), stop_soon(Duration::from_millis(500)));
    assert!(matches!(backing_off.unwrap_err(), ApiError::Stopped { .. }));
    advance(60 * SECOND).await;
    assert_eq!(stage.sent_at().len(), 2);
}
