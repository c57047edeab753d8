//! Why a request has no answer.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use crate::api::graphql_error::{ErrorPath, GraphqlError, Unplaced};
use crate::api::limiter::LONGEST;
use crate::api::page_limit::{remedy, told_limit};
use crate::api::transport::TransportError;
use crate::api::verdict::tells_of_load;

/// With these statuses gateways answer for a server that did not answer in time, or died of a request; 52x are those of
/// Cloudflare.
const OVERLOADED: [u16; 3] = [413, 502, 520];
/// So do servers with this one that have too much to do, whatever is asked for.
const BUSY: u16 = 503;
/// And with these where it was time that ran out.
const TIMED_OUT: [u16; 4] = [408, 504, 522, 524];

/// A response that was not taken in: who sent it, with which status, in which words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The source's name.
    pub api: Arc<str>,
    /// The HTTP status; `None` if there was no complete response.
    pub status: Option<u16>,
    /// The API's own words in one line, without the token.
    pub message: String,
}

impl Refusal {
    /// Whether it says that time ran out, by its status or in words.
    fn is_of_time(&self) -> bool {
        let message = self.message.to_ascii_lowercase();
        self.status.is_some_and(|status| TIMED_OUT.contains(&status))
            || ["timeout", "timed out", "time-out"]
                .iter()
                .any(|words| message.contains(words))
    }

    /// Whether it is what a server answers that has too much to do, by its status or in words.
    fn is_of_load(&self) -> bool {
        self.status == Some(BUSY) || tells_of_load(&self.message)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.status {
            Some(status) => write!(formatter, "{} answered {status}: {}", self.api, self.message),
            None => write!(formatter, "{}: {}", self.api, self.message),
        }
    }
}

/// What went wrong in one attempt.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// There was no response.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// There was one, of no use.
    #[error("{refusal}")]
    Response {
        /// What it said.
        refusal: Refusal,
        /// The errors of fields that left no data, in words that do not say why.
        fields: Vec<GraphqlError>,
    },
}

impl Failure {
    /// The same, with those alone of its fields that failed in the attempt before, too.
    pub(super) fn again_after(mut self, before: Option<&Self>) -> Self {
        let before = before.map_or(&[][..], Self::fields);
        if let Self::Response { fields, .. } = &mut self {
            fields.retain(|field| before.iter().any(|other| other.path == field.path));
        }
        self
    }

    /// The errors of fields that left no data, in words that do not say why.
    pub fn fields(&self) -> &[GraphqlError] {
        match self {
            Self::Response { fields, .. } => fields,
            Self::Transport(_) => &[],
        }
    }

    /// The places of these fields.
    pub(crate) fn paths_of_fields(&mut self) -> impl Iterator<Item = &mut ErrorPath> {
        let fields = match self {
            Self::Response { fields, .. } => fields.as_mut_slice(),
            Self::Transport(_) => &mut [],
        };
        fields.iter_mut().filter_map(|field| field.path.as_mut())
    }

    /// Whether the request may have been too much for the API, or for what stands before it, rather than never have got
    /// there.
    pub fn may_be_of_size(&self) -> bool {
        !matches!(
            self,
            Self::Transport(
                TransportError::UnknownHost { .. }
                    | TransportError::Refused { .. }
                    | TransportError::Unreachable { .. }
                    | TransportError::Proxy { .. }
                    | TransportError::Tls { .. }
                    | TransportError::ConnectTimeout { .. }
            )
        )
    }

    /// Whether it is what a request looks like that takes too long, and not only what any request may meet.
    pub fn is_sign_of_size(&self) -> bool {
        let is_overload = match self {
            Self::Transport(error) => matches!(error, TransportError::TooLarge { .. }),
            Self::Response { refusal, .. } => {
                refusal.is_of_load() || refusal.status.is_some_and(|status| OVERLOADED.contains(&status))
            }
        };
        is_overload || self.is_timeout()
    }

    /// Whether time ran out.
    pub fn is_timeout(&self) -> bool {
        match self {
            Self::Transport(error) => matches!(error, TransportError::Timeout { .. } | TransportError::Silent { .. }),
            Self::Response { refusal, .. } => refusal.is_of_time(),
        }
    }
}

/// Why a request has no answer.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The token is not accepted, even after it was read again.
    #[error("{0}; the API does not accept the token, check what [auth] of the source names")]
    Unauthorized(Refusal),
    /// This token may not see what was asked for.
    #[error(
        "{refusal}; the token may not see {}, {}use another token",
        named(paths),
        leave_out(paths)
    )]
    Denied {
        /// What the API said.
        refusal: Refusal,
        /// What it said of the first of the fields alone.
        cause: Box<str>,
        /// The fields, as far as the API names them.
        paths: Vec<ErrorPath>,
        /// What it says of others, without their paths.
        unplaced: Box<[Unplaced]>,
    },
    /// More rows were asked for than the API can give in one answer.
    #[error("{0}; ask for smaller pages with `limits.page_size`")]
    TooBig(Refusal),
    /// The query's text asks for more than the API allows.
    #[error("{0}; split the query, or select fewer fields")]
    TooComplex(Refusal),
    /// The cursor is too old, or unknown to the API.
    #[error("{0}; the cursor is not valid any more, begin the export anew with --fresh")]
    CursorExpired(Refusal),
    /// The request is wrong, and will stay so.
    #[error("{}; {}", .0, remedy(&.0.message))]
    Invalid(Refusal),
    /// `data` has not the shape that was asked for.
    #[error("{0}; the answer does not have the shape of the query")]
    Misshapen(Refusal),
    /// All attempts failed.
    #[error("{last}; given up after {attempts} attempt{}", if *attempts == 1 { "" } else { "s" })]
    GaveUp {
        /// Failed attempts.
        attempts: u32,
        /// Why the last one failed.
        last: Failure,
    },
    /// The API asked to slow down, again and again.
    #[error("{last}; given up after being asked to slow down {times} times in a row")]
    ThrottledForever {
        /// How often.
        times: u32,
        /// What the API said last.
        last: Refusal,
    },
    /// The run is being stopped; nothing was lost.
    #[error("{api}: stopped before the request was answered")]
    Stopped {
        /// The source's name.
        api: Arc<str>,
    },
    /// The token cannot be read.
    #[error("{api}: no token: {detail}")]
    Token {
        /// The source's name.
        api: Arc<str>,
        /// What is wrong, without the token.
        detail: String,
    },
    /// The permit cannot be noted, so that a restart would exceed the budget.
    #[error("{api}: the permit log cannot be written; free some space, or mend the folder's permissions")]
    PermitLog {
        /// The source's name.
        api: Arc<str>,
        /// What the system says.
        source: io::Error,
    },
    /// Another process does not let go of the permit log.
    #[error(
        "{api}: {held}, and with it the budget, for {}: look which one (`fuser` or `lsof` tells), and end it",
        humantime::format_duration(*after)
    )]
    PermitLogHeld {
        /// The source's name.
        api: Arc<str>,
        /// What is held, by whom.
        held: String,
        /// For how long it was waited for.
        after: Duration,
    },
    /// The request cannot be written as JSON.
    #[error("{api}: the request cannot be written as JSON")]
    Unwritable {
        /// The source's name.
        api: Arc<str>,
        /// What the JSON writer says.
        source: serde_json::Error,
    },
}

impl ApiError {
    /// Another process does not let go of the permit log, as `error` says.
    pub(crate) fn held(api: &str, error: &io::Error) -> Self {
        Self::PermitLogHeld {
            api: Arc::from(api),
            held: error.to_string(),
            after: LONGEST,
        }
    }

    /// The most rows of a page, where the API refused a request for its page size and said so.
    pub fn page_limit(&self) -> Option<u32> {
        match self {
            Self::Invalid(refusal) | Self::TooBig(refusal) | Self::TooComplex(refusal) => told_limit(&refusal.message),
            _ => None,
        }
    }

    /// Whether the last attempt met what a server answers that has too much to do, whatever is asked for.
    pub fn is_busy(&self) -> bool {
        matches!(self, Self::GaveUp { last: Failure::Response { refusal, .. }, .. } if refusal.is_of_load())
    }

    /// The errors of fields that left no data in the last two attempts, in words that do not say why.
    pub fn failed_fields(&self) -> &[GraphqlError] {
        match self {
            Self::GaveUp { last, .. } => last.fields(),
            _ => &[],
        }
    }

    /// Whether the request may have been refused for how much it asked for, whatever would have come: the API said so, or
    /// nothing that says otherwise.
    pub fn may_be_of_demand(&self) -> bool {
        match self {
            Self::Invalid(_) | Self::TooComplex(_) => true,
            Self::GaveUp {
                last: Failure::Response { refusal, .. },
                ..
            } => refusal.status.is_some_and(|status| status < 500) && !refusal.is_of_load() && !refusal.is_of_time(),
            _ => false,
        }
    }

    /// Whether time ran out in the last attempt.
    pub fn is_timeout(&self) -> bool {
        matches!(self, Self::GaveUp { last, .. } if last.is_timeout())
    }
}

/// The first paths; a page of denied rows names hundreds.
fn named(paths: &[ErrorPath]) -> String {
    let shown: Vec<_> = paths.iter().take(3).map(|path| format!("`{path}`")).collect();
    match (shown.as_slice(), paths.len()) {
        ([], _) => "a part of it".to_owned(),
        (shown, 1..=3) => shown.join(", "),
        (shown, all) => format!("{} and {} more places", shown.join(", "), all - shown.len()),
    }
}

/// What else can be done about places that are denied: nothing about items of lists.
fn leave_out(paths: &[ErrorPath]) -> &'static str {
    match paths.iter().any(ErrorPath::is_of_item) {
        true => "",
        false => "leave that out or ",
    }
}
