//! One endpoint: transport, authentication, limiter, retry, verdict. A request goes in, and what comes out is an answer
//! that is worth taking in, or the reason why there is none.
//!
//! `endpoint.rs` is the way in. Knows nothing of tables, pages or files: what is asked for is a text and its variables to
//! it, and `data` is read by whoever asks. The only module that imports reqwest.

mod allowance;
mod connections;
mod endpoint;
mod envelope;
mod error;
mod graphql_error;
mod http;
mod limiter;
mod outcome;
mod page_limit;
mod proxy;
mod request;
mod retry;
#[cfg(test)]
mod test_settings;
mod throttles;
mod token;
mod transport;
mod verdict;

pub use endpoint::{Answer, Effort, Endpoint, Perseverance, Surroundings};
pub use envelope::{Envelope, EnvelopeError, read_envelope};
pub use error::{ApiError, Failure, Refusal};
pub use graphql_error::{ErrorPath, GraphqlError, Location, PathSegment, Unplaced};
pub use http::HttpTransport;
pub use limiter::{Limiter, Permit, PermitError, PermitLog, stopped};
pub(crate) use limiter::{Look, NEXT_LOOK, Patience};
pub use request::GraphqlRequest;
pub use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
pub use retry::{MAX_CONSECUTIVE_THROTTLES, RetryDecision, RetryState};
pub use throttles::Throttles;
pub use token::ReadToken;
pub use transport::{HttpRequest, HttpResponse, Transport, TransportError};
pub use verdict::{Reply, ReplyBody, Verdict, judge};
