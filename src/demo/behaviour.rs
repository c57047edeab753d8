//! How a stand-in behaves towards its clients: `behaviours.toml` as types.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::time::Duration;

use axum::http::header::COOKIE;
use axum::http::{HeaderMap, StatusCode};
use serde::{Deserialize, Deserializer};

use crate::demo::denied::DeniedField;
use crate::demo::desk::TokenDesk;
use crate::demo::drift::DriftStep;
use crate::demo::fault::FaultPlan;
use crate::demo::latency::Latency;
use crate::demo::node_limit::NodeLimit;
use crate::demo::paging::PagingBehaviour;
use crate::demo::points::PointBudget;
use crate::demo::poison::Poison;
use crate::demo::protocol::Protocol;
use crate::demo::refusal::Refusal;
use crate::demo::text_limit::TextLimit;
use crate::demo::wall::Wall;

/// How a stand-in behaves towards its clients.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Behaviours {
    /// Who is let in.
    pub auth: AuthBehaviour,
    /// How it speaks GraphQL over HTTP.
    #[serde(default)]
    pub protocol: Protocol,
    /// Addresses beside `/graphql` that it answers under.
    #[serde(default)]
    pub paths: Vec<String>,
    /// Request limits that all hold at once; none where it is empty.
    #[serde(default)]
    pub limits: Vec<RequestWindow>,
    /// What a 429 looks like.
    pub throttle: ThrottleBehaviour,
    /// How long an answer takes at least.
    pub latency: Latency,
    /// How many requests are worked on at once, the others waiting for their turn; any number where it is not given.
    #[serde(default)]
    pub workers: Option<NonZeroUsize>,
    /// What the server gives up on.
    #[serde(default)]
    pub wall: Wall,
    /// How latency and walls change with the time since the server's start; in the order of that time.
    #[serde(default)]
    pub drift: Vec<DriftStep>,
    /// How connections turn their pages.
    pub paging: PagingBehaviour,
    /// What requests may cost; nothing is counted where it is not given.
    #[serde(default)]
    pub points: Option<PointBudget>,
    /// The most rows that a request may ask for; none where it is not given.
    #[serde(default)]
    pub node_limit: Option<NodeLimit>,
    /// How much the text of a request may say; anything where it is not given.
    #[serde(default)]
    pub text_limit: Option<TextLimit>,
    /// What lookups answer to certain values.
    #[serde(default)]
    pub lookups: Vec<LookupTrap>,
    /// The role of the token's owner, where fields are denied to some.
    #[serde(default)]
    pub role: Option<String>,
    /// Fields that the token may not see.
    #[serde(default)]
    pub denied: Vec<DeniedField>,
    /// Objects that no request gets an answer with.
    #[serde(default)]
    pub poison: Vec<Poison>,
    /// The calls that deal with tokens; there are none where it is not given.
    #[serde(default)]
    pub tokens: Option<TokenDesk>,
    /// What goes wrong on purpose.
    pub faults: FaultPlan,
}

/// What a lookup answers to one value.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LookupTrap {
    /// The field of the query root.
    pub field: String,
    /// The value of its argument.
    pub value: String,
    /// What comes of it.
    pub answer: LookupAnswer,
}

/// What comes of a lookup.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LookupAnswer {
    /// Null, as of an object that is gone.
    Nothing,
    /// Null, and an error with this message beside the data.
    Error(String),
    /// An answer in the place of data.
    Refused(Refusal),
}

/// Who is let in.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuthBehaviour {
    /// Whether a token is asked for.
    pub required: bool,
    /// The header that carries it, in lower case.
    pub header: String,
    /// The word before it; empty for none.
    pub scheme: String,
    /// Other words that are as good.
    #[serde(default)]
    pub other_schemes: Vec<String>,
    /// The cookie that does as well, without a scheme.
    #[serde(default)]
    pub cookie: Option<String>,
    /// The status of the answer to a wrong or missing token.
    pub status: u16,
    /// The body of that answer: JSON, or plain text.
    pub body: String,
    /// From the request of this number on, another token is asked for: someone has made a new one, which ends the old.
    #[serde(default)]
    pub replaced_from: Option<u64>,
}

impl AuthBehaviour {
    /// What headers carry that may be the token.
    pub(crate) fn tokens_in<'h>(&'h self, headers: &'h HeaderMap) -> impl Iterator<Item = &'h str> {
        let carried = headers.get(self.header.as_str()).and_then(|value| value.to_str().ok());
        let schemes = [&self.scheme].into_iter().chain(&self.other_schemes);
        let behind = schemes.filter_map(move |scheme| match scheme.as_str() {
            "" => carried,
            scheme => carried?.strip_prefix(scheme)?.strip_prefix(' '),
        });
        let cookies = headers.get(COOKIE).and_then(|value| value.to_str().ok());
        let cookies = cookies.into_iter().flat_map(|cookies| cookies.split("; "));
        let in_cookie = cookies.filter_map(|cookie| {
            let (name, value) = cookie.split_once('=')?;
            (Some(name) == self.cookie.as_deref()).then_some(value)
        });
        behind.chain(in_cookie)
    }
}

/// At most `max` requests in a window of `per`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestWindow {
    /// Requests let in.
    pub max: u32,
    /// The window's length.
    #[serde(deserialize_with = "duration")]
    pub per: Duration,
    /// How the window lies.
    #[serde(default)]
    pub window: WindowKind,
}

/// How a request window lies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WindowKind {
    /// It ends at each request.
    #[default]
    Sliding,
    /// One follows the other, beginning with the server's start.
    Fixed,
}

/// What a 429 looks like.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ThrottleBehaviour {
    /// Its status, where that is another one.
    #[serde(default = "too_many_requests")]
    pub status: u16,
    /// Whether the `Retry-After` header says how many seconds to wait.
    pub retry_after: bool,
    /// The kind of body.
    pub body: ThrottleBody,
    /// The whole answer, where it is no 429 with such a body.
    #[serde(default)]
    pub refusal: Option<Refusal>,
    /// How long nothing is let in once a limit was exceeded; none is where it is not given.
    #[serde(default, deserialize_with = "optional_duration")]
    pub ban: Option<Duration>,
    /// The wait that an injected 429 asks for; a real one asks for the time until the window has room.
    #[serde(deserialize_with = "duration")]
    pub injected_wait: Duration,
}

/// The kind of body that a 429 has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ThrottleBody {
    /// `{"errors": …}`
    Json,
    /// Plain text.
    Text,
    /// A page in HTML.
    Html,
    /// A page in HTML that has browsers prove that they are some.
    Challenge,
}

fn too_many_requests() -> u16 {
    StatusCode::TOO_MANY_REQUESTS.as_u16()
}

/// A request window that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no request limit: use a form such as 100/1m or 3/1s")]
pub struct RequestWindowError(String);

impl std::str::FromStr for RequestWindow {
    type Err = RequestWindowError;

    fn from_str(text: &str) -> Result<Self, RequestWindowError> {
        let parts = text.split_once('/').and_then(|(max, per)| {
            let per = humantime::parse_duration(per.trim())
                .ok()
                .filter(|per| !per.is_zero())?;
            Some((max.trim().parse().ok().filter(|max| *max > 0)?, per))
        });
        let (max, per) = parts.ok_or_else(|| RequestWindowError(text.to_owned()))?;
        Ok(Self {
            max,
            per,
            window: WindowKind::default(),
        })
    }
}

/// Reads a duration such as `15ms`.
pub(crate) fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    humantime::parse_duration(&text).map_err(serde::de::Error::custom)
}

/// Reads a duration that may be missing.
pub(crate) fn optional_duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    duration(deserializer).map(Some)
}

/// Reads durations by name.
pub(crate) fn durations<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, Duration>, D::Error> {
    let texts = BTreeMap::<String, String>::deserialize(deserializer)?;
    let read = |(name, text): (String, String)| Ok((name, humantime::parse_duration(&text)?));
    let durations: Result<_, humantime::DurationError> = texts.into_iter().map(read).collect();
    durations.map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_windows_are_read_from_their_short_form() {
        let window = |text: &str| text.parse::<RequestWindow>();
        let minute = RequestWindow {
            max: 100,
            per: Duration::from_secs(60),
            window: WindowKind::Sliding,
        };
        assert_eq!(window("100/1m"), Ok(minute));
        for text in ["100", "100/", "/1m", "0/1m", "3/0s", "-1/1s", "x/1s"] {
            assert_eq!(window(text), Err(RequestWindowError(text.to_owned())));
        }
    }

    #[test]
    fn unknown_keys_are_refused() {
        let text = include_str!("tracker/behaviours.toml").replace("retry_after =", "retry_afetr =");
        let refused = toml::from_str::<Behaviours>(&text).unwrap_err().to_string();
        assert!(refused.contains("unknown field `retry_afetr`"), "{refused}");
    }
}
