//! A stand-in on a loopback port: sockets around [`DemoService`], on a thread and a runtime of their own.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, Method, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use axum::serve::ListenerExt;
use bytes::Bytes;
use futures::stream::{self, StreamExt};
use secrecy::SecretString;
use tokio::sync::oneshot;
use url::Url;

use crate::demo::behaviour::AuthBehaviour;
use crate::demo::config::{DemoConfig, DemoConfigError};
use crate::demo::log::RequestLog;
use crate::demo::service::{DemoRequest, DemoResponse, DemoService};
use crate::demo::stand_in::{StandIn, StandInError};

/// How long requests in flight are waited for when the server stops.
const GRACE: Duration = Duration::from_millis(250);

/// A running stand-in. Dropping it stops it, and waits a moment for the requests in flight.
pub struct DemoServer {
    service: Arc<DemoService>,
    address: Url,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// A server that cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum DemoServerError {
    /// The configuration cannot be read.
    #[error(transparent)]
    Config(#[from] DemoConfigError),
    /// The schema and the data do not fit together.
    #[error(transparent)]
    StandIn(#[from] StandInError),
    /// The port cannot be bound, or a thread cannot be had.
    #[error("the demo API cannot be started on {address}: {source}; choose another port with --port")]
    Start {
        /// The loopback address.
        address: SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
    /// The address has no URL.
    #[error("the demo API's address is no URL: {0}")]
    Address(#[from] url::ParseError),
}

impl DemoServer {
    /// Starts a stand-in on its loopback port; it answers from then on. May be called inside a tokio runtime.
    pub fn start(config: DemoConfig) -> Result<Self, DemoServerError> {
        let wanted = SocketAddr::from((Ipv4Addr::LOCALHOST, config.port));
        let unstarted = |source| DemoServerError::Start {
            address: wanted,
            source,
        };
        let listener = TcpListener::bind(wanted).map_err(unstarted)?;
        listener.set_nonblocking(true).map_err(unstarted)?;
        let address = Url::parse(&format!("http://{}/graphql", listener.local_addr().map_err(unstarted)?))?;
        let (stop, stopped) = oneshot::channel();
        let (ready, started) = mpsc::sync_channel(1);
        let thread = std::thread::Builder::new().name("demo-api".to_owned());
        let thread = thread
            .spawn(move || run(&config, listener, &ready, stopped))
            .map_err(unstarted)?;
        let service = started.recv().map_err(|_| unstarted(ErrorKind::BrokenPipe.into()))??;
        Ok(Self {
            service,
            address,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Where requests are posted.
    pub fn address(&self) -> &Url {
        &self.address
    }

    /// Who is let in.
    pub fn auth(&self) -> &AuthBehaviour {
        self.service.auth()
    }

    /// The token that requests must carry.
    pub fn token(&self) -> &SecretString {
        self.service.token()
    }

    /// What the clients have done so far.
    pub fn log(&self) -> RequestLog {
        self.service.log()
    }

    /// The schema and the data.
    pub fn stand_in(&self) -> &StandIn {
        self.service.stand_in()
    }
}

impl Drop for DemoServer {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has served its last request either way.
            let _ = thread.join();
        }
    }
}

/// The server's thread. The service begins here and not with the caller, whose clock may be paused.
fn run(
    config: &DemoConfig,
    listener: TcpListener,
    ready: &mpsc::SyncSender<Result<Arc<DemoService>, DemoServerError>>,
    stopped: oneshot::Receiver<()>,
) {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, config.port));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|source| DemoServerError::Start { address, source });
    let service = DemoService::new(config).map_err(DemoServerError::from);
    let (runtime, service) = match runtime.and_then(|runtime| Ok((runtime, Arc::new(service?)))) {
        Ok(begun) => begun,
        Err(error) => return drop(ready.send(Err(error))),
    };
    let announced = ready.send(Ok(Arc::clone(&service)));
    if announced.is_ok() {
        runtime.block_on(serve(listener, service, stopped));
    }
}

async fn serve(listener: TcpListener, service: Arc<DemoService>, stopped: oneshot::Receiver<()>) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else {
        return;
    };
    // Without this, small answers wait for the client's acknowledgement of the one before.
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    let others = service.paths().iter();
    let router = others.fold(Router::new(), |router, path| router.route(path, post(answer).get(page)));
    let calls = service.token_paths().into_iter();
    let router = calls.fold(router, |router, path| router.route(path, any(call)));
    let router = router
        .route("/graphql", post(answer).get(page))
        .route("/log", get(log))
        .with_state(service);
    let (begin_stop, stop_begun) = oneshot::channel::<()>();
    let until_stopped = async move {
        let _ = stopped.await;
        drop(begin_stop);
    };
    let serving = axum::serve(listener, router).with_graceful_shutdown(until_stopped);
    tokio::select! {
        _ = serving.into_future() => {}
        () = give_up(stop_begun) => {}
    }
}

/// Ends a little after the stop began, whatever is still in flight.
async fn give_up(stop_begun: oneshot::Receiver<()>) {
    let _ = stop_begun.await;
    tokio::time::sleep(GRACE).await;
}

async fn answer(State(service): State<Arc<DemoService>>, headers: HeaderMap, body: Bytes) -> Response {
    service.handle(DemoRequest { headers, body }).await.into_response()
}

async fn call(State(service): State<Arc<DemoService>>, method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let answer = service.handle_call(method.as_str(), uri.path(), &headers);
    answer.await.into_response()
}

async fn page(State(service): State<Arc<DemoService>>) -> Response {
    service.page().into_response()
}

async fn log(State(service): State<Arc<DemoService>>) -> impl IntoResponse {
    let mut body = serde_json::to_vec_pretty(&service.log()).unwrap_or_default();
    body.push(b'\n');
    ([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], body)
}

impl IntoResponse for DemoResponse {
    fn into_response(self) -> Response {
        let length = HeaderValue::from(self.body.len());
        let body = match self.cut_after {
            Some(cut_after) => cut_body(self.body.slice(..cut_after.min(self.body.len()))),
            None => Body::from(self.body),
        };
        let mut response = (self.status, self.headers, body).into_response();
        response.headers_mut().insert(CONTENT_LENGTH, length);
        response
    }
}

/// A body that breaks off: the server closes the connection though more was announced.
fn cut_body(sent: Bytes) -> Body {
    let cut = async {
        // What was written is only flushed when the body has nothing more to give for the moment.
        tokio::task::yield_now().await;
        Err(std::io::Error::from(ErrorKind::ConnectionAborted))
    };
    Body::from_stream(stream::iter([Ok(sent)]).chain(stream::once(cut)))
}

#[cfg(test)]
mod tests;
