//! What carries a request to the API and its response back, seen from the endpoint: a seam, so that tests and
//! simulated runs bring their own.

use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use tokio::time::Instant;

/// One POST to the endpoint. The address and the headers that never change belong to the transport.
#[derive(Clone)]
pub struct HttpRequest {
    /// The header that says who is asking; its value is marked sensitive.
    pub authorization: Option<(HeaderName, HeaderValue)>,
    /// The JSON body.
    pub body: Bytes,
}

/// A response, read to its end.
#[derive(Debug, Clone)]
pub struct HttpResponse {
    /// The HTTP status, 100 to 599.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, decompressed.
    pub body: Bytes,
}

/// Carries requests. [`crate::api::HttpTransport`] is the real one.
pub trait Transport: Send + Sync {
    /// Sends one request, once: no retries and no redirects of its own, since every attempt takes a permit.
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, TransportError>>;

    /// The latest moment at which a request that was handed over at `handed_over`, and is not answered yet, can have
    /// left this machine; `None` while it may still be waiting for a connection to open.
    fn left_by(&self, handed_over: Instant) -> Option<Instant> {
        Some(handed_over)
    }
}

/// Why there is no response. The texts carry no header and, of the address, no more than host and port.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// The host's name leads nowhere.
    #[error("{place}: the host's name cannot be resolved ({detail}); check the endpoint and the network")]
    UnknownHost {
        /// Host and port.
        place: String,
        /// What the resolver says.
        detail: String,
    },
    /// Nobody listens there.
    #[error("{place}: connection refused; check the endpoint's host and port")]
    Refused {
        /// Host and port.
        place: String,
    },
    /// The connection could not be opened for another reason.
    #[error("{place}: no connection ({detail})")]
    Unreachable {
        /// Host and port.
        place: String,
        /// What the network says.
        detail: String,
    },
    /// The proxy that the environment names could not be reached, or does not let through.
    #[error(
        "{place}: no connection through the proxy {proxy}, which the environment names ({detail}); check HTTPS_PROXY and \
         HTTP_PROXY, or name the host in NO_PROXY"
    )]
    Proxy {
        /// Host and port of the API.
        place: String,
        /// Host and port of the proxy.
        proxy: String,
        /// What the network says.
        detail: String,
    },
    /// The encrypted connection could not be agreed on.
    #[error("{place}: no secure connection ({detail})")]
    Tls {
        /// Host and port.
        place: String,
        /// What the TLS library says.
        detail: String,
    },
    /// Opening the connection took too long.
    #[error("{place}: no connection within {}", humantime::format_duration(*after))]
    ConnectTimeout {
        /// Host and port.
        place: String,
        /// The time allowed.
        after: Duration,
    },
    /// The response was not complete in time.
    #[error("{place}: no complete response within {}", humantime::format_duration(*after))]
    Timeout {
        /// Host and port.
        place: String,
        /// The time allowed.
        after: Duration,
    },
    /// The response began, and then nothing more came.
    #[error("{place}: the response fell silent for {}", humantime::format_duration(*after))]
    Silent {
        /// Host and port.
        place: String,
        /// The silence allowed.
        after: Duration,
    },
    /// The connection was closed or reset before a response began.
    #[error("{place}: the connection was lost before a response came")]
    Lost {
        /// Host and port.
        place: String,
    },
    /// The connection was closed or reset inside the body.
    #[error("{place}: the response was cut off after {received} bytes")]
    Cut {
        /// Host and port.
        place: String,
        /// Bytes of the body until then, after decompression.
        received: usize,
    },
    /// The response does not keep to HTTP or to its own compression.
    #[error("{place}: the response cannot be read ({detail})")]
    Garbled {
        /// Host and port.
        place: String,
        /// What is wrong with it.
        detail: String,
    },
    /// The body is larger than `limits.response_bytes`.
    #[error("{place}: the response is larger than the {limit} bytes that `limits.response_bytes` allows")]
    TooLarge {
        /// Host and port.
        place: String,
        /// The largest body that is read, in bytes after decompression.
        limit: usize,
    },
    /// The HTTP client cannot be set up.
    #[error("the HTTP client cannot be set up: {detail}")]
    Setup {
        /// What is wrong.
        detail: String,
    },
}
