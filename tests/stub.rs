//! An API that answers as a test says: a function from the request's body to the response.

use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use futures::stream::{self, StreamExt as _};
use gqldump::demo::{DemoConfig, DemoRequest, DemoService};
use secrecy::ExposeSecret as _;
use serde_json::Value;
use tokio::sync::oneshot;

use crate::project::Api;

/// What a stub answers.
pub(crate) enum Answer {
    /// JSON under status 200.
    Json(Value),
    /// Any bytes under status 200, said to be JSON.
    Bytes(Vec<u8>),
    /// Any body under any status.
    Other {
        status: u16,
        content_type: &'static str,
        body: String,
    },
    /// The first bytes of this text, though all of it was announced; then the connection is closed.
    CutOff { body: String, sent: usize },
    /// What the tracker behind the stub answers.
    PassOn,
}

type Answers = dyn Fn(&Value) -> Answer + Send + Sync;

struct Served {
    answers: Box<Answers>,
    behind: DemoService,
    requests: Mutex<Vec<Value>>,
}

/// A running stub; dropping it stops it.
pub(crate) struct Stub {
    api: Api,
    served: Arc<Served>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Stub {
    /// Starts a stub on a free port, before a tracker without limits and faults.
    pub(crate) fn start(answers: impl Fn(&Value) -> Answer + Send + Sync + 'static) -> Self {
        Self::before(crate::tracker::calm(), answers)
    }

    /// The same before another tracker.
    pub(crate) fn before(tracker: DemoConfig, answers: impl Fn(&Value) -> Answer + Send + Sync + 'static) -> Self {
        let behind = DemoService::new(&tracker).expect("a tracker");
        let token = Some(behind.token().expose_secret().to_owned());
        let served = Arc::new(Served {
            answers: Box::new(answers),
            behind,
            requests: Mutex::default(),
        });
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.set_nonblocking(true).expect("a listener");
        let address = format!("http://{}/graphql", listener.local_addr().expect("an address"));
        let (stop, stopped) = oneshot::channel();
        let router = Router::new()
            .route("/graphql", post(answer))
            .with_state(Arc::clone(&served));
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
                tokio::select! {
                    served = axum::serve(listener, router) => served.expect("a server"),
                    _ = stopped => {}
                }
            });
        });
        Self {
            api: Api { address, token },
            served,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    /// The bodies of all requests so far.
    pub(crate) fn requests(&self) -> Vec<Value> {
        self.served.requests.lock().expect("requests").clone()
    }
}

impl From<&Stub> for Api {
    fn from(stub: &Stub) -> Self {
        stub.api.clone()
    }
}

impl Drop for Stub {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Whether a request asks for the schema.
pub(crate) fn is_introspection(request: &Value) -> bool {
    request["query"]
        .as_str()
        .is_some_and(|query| query.contains("__schema"))
}

/// The cursor that a request carries: its one variable that is text.
pub(crate) fn cursor(request: &Value) -> Option<&str> {
    request["variables"].as_object()?.values().find_map(Value::as_str)
}

/// An answer that is nothing but an error with this message.
pub(crate) fn refusal(message: &str) -> Answer {
    let body = serde_json::json!({ "errors": [{ "message": message }] }).to_string();
    Answer::Other {
        status: 400,
        content_type: "application/json",
        body,
    }
}

async fn answer(State(served): State<Arc<Served>>, headers: HeaderMap, body: Bytes) -> Response {
    let request: Value = serde_json::from_slice(&body).expect("a request in JSON");
    let answer = (served.answers)(&request);
    served.requests.lock().expect("requests").push(request);
    match answer {
        Answer::Json(value) => ([(CONTENT_TYPE, "application/json")], value.to_string()).into_response(),
        Answer::Bytes(bytes) => ([(CONTENT_TYPE, "application/json")], bytes).into_response(),
        Answer::Other {
            status,
            content_type,
            body,
        } => {
            let status = StatusCode::from_u16(status).expect("a status");
            (status, [(CONTENT_TYPE, content_type)], body).into_response()
        }
        Answer::CutOff { body, sent } => cut_off(&body, sent),
        Answer::PassOn => {
            let answer = served.behind.handle(DemoRequest { headers, body }).await;
            (answer.status, answer.headers, answer.body).into_response()
        }
    }
}

fn cut_off(body: &str, sent: usize) -> Response {
    let begin = Bytes::copy_from_slice(&body.as_bytes()[..sent]);
    let end = stream::once(async {
        // The beginning is only flushed when the body has nothing more to give for the moment.
        tokio::task::yield_now().await;
        Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset))
    });
    let body_stream = Body::from_stream(stream::iter([Ok(begin)]).chain(end));
    let headers = [
        (CONTENT_TYPE, "application/json".to_owned()),
        (CONTENT_LENGTH, body.len().to_string()),
    ];
    (headers, body_stream).into_response()
}
