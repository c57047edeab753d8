//! The real transport: one reqwest client for one endpoint.

use std::error::Error;
use std::io;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::future::BoxFuture;
use reqwest::Method;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use tokio::time::{Instant, timeout};
use url::{Host, Url};

use crate::api::connections::ConnectionWatch;
use crate::api::proxy::proxy_before;
use crate::api::transport::{HttpRequest, HttpResponse, Transport, TransportError};
use crate::project::{CallMethod, SourceSettings};

/// What the API may answer with, in the order of preference that the GraphQL-over-HTTP draft gives a client.
const ACCEPTED: HeaderValue = HeaderValue::from_static("application/graphql-response+json, application/json;q=0.9");

/// How the API's operators see us.
const USER_AGENT: &str = concat!("gqldump/", env!("CARGO_PKG_VERSION"));

/// Carries requests by HTTP/1.1 or HTTP/2. Never retries and never follows a redirect by itself.
pub struct HttpTransport {
    client: reqwest::Client,
    content_type: Option<HeaderValue>,
    method: Method,
    url: Url,
    place: String,
    /// Host and port of the proxy that requests go through.
    proxy: Option<String>,
    connections: ConnectionWatch,
    response_bytes: usize,
    connect_timeout: Duration,
    read_timeout: Duration,
    total_timeout: Duration,
}

impl HttpTransport {
    /// A client for `url`, with the headers, time-outs and size limit of `settings`. Opens no connection yet.
    pub fn new(url: Url, settings: &SourceSettings) -> Result<Self, TransportError> {
        Self::calling(CallMethod::Post, url, settings)
    }

    /// The same for calls of another kind.
    pub fn calling(method: CallMethod, url: Url, settings: &SourceSettings) -> Result<Self, TransportError> {
        let connections = ConnectionWatch::default();
        let mut headers = fixed_headers(settings)?;
        let content_type = headers.remove(CONTENT_TYPE);
        let mut builder = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .default_headers(headers)
            .retry(reqwest::retry::never())
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(settings.timing.connect_timeout)
            .timeout(settings.timing.timeout)
            .connector_layer(connections.clone());
        let mut proxy = None;
        if is_loopback(&url) {
            // A proxy would look for the server on its own machine.
            builder = builder.no_proxy();
        } else {
            let variable = |name: &str| std::env::var(name).ok();
            proxy = proxy_before(&url, &variable).map_err(|detail| TransportError::Setup { detail })?;
        }
        let client = builder.build().map_err(|error| TransportError::Setup {
            detail: innermost(&error).to_string(),
        })?;
        Ok(Self {
            client,
            content_type,
            method: match method {
                CallMethod::Get => Method::GET,
                CallMethod::Post => Method::POST,
                CallMethod::Delete => Method::DELETE,
            },
            place: place_of(&url),
            proxy,
            url,
            connections,
            response_bytes: settings.limits.response_bytes,
            connect_timeout: settings.timing.connect_timeout,
            read_timeout: settings.timing.read_timeout,
            total_timeout: settings.timing.timeout,
        })
    }

    async fn exchange(&self, request: HttpRequest) -> Result<HttpResponse, TransportError> {
        let mut builder = self.client.request(self.method.clone(), self.url.clone());
        // Some servers refuse a body that is announced and empty.
        if !request.body.is_empty() {
            builder = builder.body(request.body);
            if let Some(content_type) = &self.content_type {
                builder = builder.header(CONTENT_TYPE, content_type);
            }
        }
        if let Some((name, value)) = request.authorization {
            builder = builder.header(name, value);
        }
        let mut response = builder.send().await.map_err(|error| self.no_response(&error))?;
        let status = response.status().as_u16();
        let headers = std::mem::take(response.headers_mut());
        let body = self.read_body(response).await?;
        Ok(HttpResponse { status, headers, body })
    }

    /// Reads the body into one piece of memory, and copies nothing if it comes in one chunk.
    async fn read_body(&self, mut response: reqwest::Response) -> Result<Bytes, TransportError> {
        let announced = usize::try_from(response.content_length().unwrap_or(0)).unwrap_or(usize::MAX);
        self.check_size(announced)?;
        let Some(first) = self.next_chunk(&mut response, 0).await? else {
            return Ok(Bytes::new());
        };
        self.check_size(first.len())?;
        let Some(second) = self.next_chunk(&mut response, first.len()).await? else {
            return Ok(first);
        };
        let mut body = BytesMut::with_capacity(announced.max(first.len() + second.len()));
        body.extend_from_slice(&first);
        let mut next = Some(second);
        while let Some(chunk) = next {
            self.check_size(body.len() + chunk.len())?;
            body.extend_from_slice(&chunk);
            next = self.next_chunk(&mut response, body.len()).await?;
        }
        Ok(body.freeze())
    }

    fn check_size(&self, bytes: usize) -> Result<(), TransportError> {
        if bytes > self.response_bytes {
            return Err(TransportError::TooLarge {
                place: self.place.clone(),
                limit: self.response_bytes,
            });
        }
        Ok(())
    }

    // The client's own `read_timeout` also limits the wait for the response to begin, which is the API's working time.
    async fn next_chunk(
        &self,
        response: &mut reqwest::Response,
        received: usize,
    ) -> Result<Option<Bytes>, TransportError> {
        match timeout(self.read_timeout, response.chunk()).await {
            Ok(Ok(chunk)) => Ok(chunk),
            Ok(Err(error)) => Err(self.broken_body(&error, received)),
            Err(_) => Err(TransportError::Silent {
                place: self.place.clone(),
                after: self.read_timeout,
            }),
        }
    }

    fn no_response(&self, error: &reqwest::Error) -> TransportError {
        let place = self.place.clone();
        if error.is_connect() || error.is_dns() {
            return self.no_connection(error);
        }
        if error.is_timeout() {
            let after = self.total_timeout;
            return TransportError::Timeout { place, after };
        }
        if error.is_builder() {
            let detail = innermost(error).to_string();
            return TransportError::Setup { detail };
        }
        TransportError::Lost { place }
    }

    fn no_connection(&self, error: &reqwest::Error) -> TransportError {
        let place = self.place.clone();
        let detail = innermost(error).to_string();
        let is_of_tls = matches!(
            io_kind(error),
            Some(io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof)
        );
        if let Some(proxy) = self.proxy.clone().filter(|_| !is_of_tls) {
            return TransportError::Proxy { place, proxy, detail };
        }
        if error.is_timeout() {
            let after = self.connect_timeout;
            return TransportError::ConnectTimeout { place, after };
        }
        if error.is_dns() {
            return TransportError::UnknownHost { place, detail };
        }
        match io_kind(error) {
            Some(io::ErrorKind::ConnectionRefused) => TransportError::Refused { place },
            // The TLS library's errors arrive as invalid data, or as an end in the middle of the handshake.
            Some(io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof) => TransportError::Tls { place, detail },
            _ => TransportError::Unreachable { place, detail },
        }
    }

    fn broken_body(&self, error: &reqwest::Error, received: usize) -> TransportError {
        let place = self.place.clone();
        if error.is_timeout() {
            let after = self.total_timeout;
            return TransportError::Timeout { place, after };
        }
        match io_kind(error) {
            Some(io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::Other) => {
                let detail = innermost(error).to_string();
                TransportError::Garbled { place, detail }
            }
            _ => TransportError::Cut { place, received },
        }
    }
}

impl Transport for HttpTransport {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, TransportError>> {
        Box::pin(self.exchange(request))
    }

    fn left_by(&self, handed_over: Instant) -> Option<Instant> {
        self.connections.connected_by(handed_over)
    }
}

/// The headers of every request. Those of the settings may hold secrets, so all of them are marked sensitive.
fn fixed_headers(settings: &SourceSettings) -> Result<HeaderMap, TransportError> {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, ACCEPTED);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    for (name, value) in &settings.headers {
        let header_name = HeaderName::try_from(name.as_str()).map_err(|_| TransportError::Setup {
            detail: format!("`{name}` is not a header name"),
        })?;
        let mut header_value = HeaderValue::try_from(value.as_str()).map_err(|_| TransportError::Setup {
            detail: format!("the value of header `{name}` holds characters that a header cannot carry"),
        })?;
        header_value.set_sensitive(true);
        headers.insert(header_name, header_value);
    }
    Ok(headers)
}

/// Host and port: all that is told of an address, since path, query and user part can hold secrets.
fn place_of(url: &Url) -> String {
    let host = url.host_str().unwrap_or("no host");
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// The cause at the end of the chain, which names neither address nor headers, unlike the client's own text.
fn innermost<'e>(error: &'e (dyn Error + 'static)) -> &'e (dyn Error + 'static) {
    causes(error).last().unwrap_or(error)
}

fn io_kind(error: &(dyn Error + 'static)) -> Option<io::ErrorKind> {
    let io_errors = causes(error).filter_map(|cause| cause.downcast_ref::<io::Error>());
    io_errors.last().map(io::Error::kind)
}

/// An error, and what lies behind it. (An I/O error names as its source not what it holds, but the source of that.)
fn causes<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&cause| {
        match cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(held) => Some(held as &(dyn Error + 'static)),
            None => cause.source(),
        }
    })
}

#[cfg(test)]
#[path = "http_tests.rs"]
mod tests;
