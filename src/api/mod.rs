mod connections;
mod endpoint;
mod envelope;
mod error;
mod graphql_error;
mod http;
mod limiter;
mod outcome;
mod request;
mod retry;
#[cfg(test)]
mod test_settings;
mod token;
mod transport;
mod verdict;

pub use endpoint::{Answer, Effort, Endpoint, Surroundings};
pub use envelope::{Envelope, EnvelopeError, read_envelope};
pub use error::{ApiError, Failure, Refusal};
pub use graphql_error::{ErrorPath, GraphqlError, Location, PathSegment};
pub use http::HttpTransport;
pub use limiter::{Limiter, Permit, PermitError, PermitLog};
pub use request::GraphqlRequest;
pub use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
pub use retry::{MAX_CONSECUTIVE_THROTTLES, RetryDecision, RetryState};
pub use token::ReadToken;
pub use transport::{HttpRequest, HttpResponse, Transport, TransportError};
pub use verdict::{Reply, ReplyBody, Verdict, judge};
