//! Cursors that cease to be good: after a time, or after a number of requests.

use std::time::Duration;

use serde::Deserialize;

use crate::demo::behaviour::optional_duration;
use crate::demo::refusal::Refusal;

/// When cursors cease to be good, and how a client is told.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CursorExpiry {
    /// After this time.
    #[serde(default, deserialize_with = "optional_duration")]
    pub after: Option<Duration>,
    /// When so many requests have arrived since.
    #[serde(default)]
    pub after_requests: Option<u64>,
    /// The answer to a request with such a cursor.
    pub refusal: Refusal,
}

/// When a request arrived, or a cursor was made: all that an answer may depend on beside the request itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct RequestMoment {
    /// The request's number, from 1.
    pub(crate) request: u64,
    /// The time since the server's start.
    pub(crate) at: Duration,
}

impl CursorExpiry {
    /// Whether a cursor made at `made` is good no more.
    pub(crate) fn is_over(&self, made: RequestMoment, now: RequestMoment) -> bool {
        let is_old = self.after.is_some_and(|after| now.at.saturating_sub(made.at) >= after);
        let age = now.request.saturating_sub(made.request);
        is_old || self.after_requests.is_some_and(|requests| age > requests)
    }
}
