//! The one place that says what a response means.
//!
//! The order: the source's own rules; a status of 429; the signs in the errors; data; a status written into the body;
//! the status line. The body comes before the status line because APIs throttle with 200, 400 and 403, and crash with
//! 200. `WWW-Authenticate` means nothing: some servers send it with every response.

use std::collections::HashSet;
use std::time::{Duration, SystemTime};

use crate::api::graphql_error::{ErrorPath, GraphqlError, Unplaced, status_in};
use crate::api::verdict::hint::wait_hint;
use crate::api::verdict::reply::{Reply, ReplyBody};
use crate::api::verdict::signs::{CROWDS, LOADS, Mark, SIGNS, Scope, Sign, TEXT_THROTTLES};
use crate::project::{VerdictName, VerdictRule};

/// What a response means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// There is `data`. Errors beside it concern fields of it, and stay.
    Data,
    /// Asked too often. Nothing of the source may be sent before `wait` has passed, if the API says how long.
    Throttled {
        /// From the response on.
        wait: Option<Duration>,
    },
    /// Failed by chance: ask again, unchanged.
    Transient {
        /// The shortest wait that the API asks for.
        wait: Option<Duration>,
    },
    /// Asked for more rows than the API can give in one answer.
    TooBig,
    /// The text asks for more than the API allows in one query; unchanged it will never pass.
    TooComplex,
    /// This token may not see a part of what was asked for.
    Denied {
        /// The fields, as far as the API names them.
        paths: Vec<ErrorPath>,
        /// What it says of others, without their paths.
        unplaced: Vec<Unplaced>,
    },
    /// The token is not accepted.
    Unauthorized,
    /// The cursor is too old, or unknown.
    CursorExpired,
    /// The request is wrong, and will stay so.
    Invalid,
}

/// Which verdict stands where a response's errors call for several, most urgent first. What makes the others moot
/// comes before them; a retry comes before a denial, which the next answer will repeat.
const URGENCY: [VerdictName; 8] = [
    VerdictName::Throttled,
    VerdictName::Unauthorized,
    VerdictName::Invalid,
    VerdictName::TooComplex,
    VerdictName::CursorExpired,
    VerdictName::TooBig,
    VerdictName::Transient,
    VerdictName::Denied,
];

/// Says what a response means. `rules` are the source's own, the first that fits decides; `now` is the time of day,
/// for waits that the API gives as a moment.
pub fn judge(reply: &Reply<'_>, rules: &[VerdictRule], now: SystemTime) -> Verdict {
    if let Some(rule) = rules.iter().find(|rule| fits(rule, reply)) {
        return verdict(rule.verdict, reply, now, |error| concerns(rule, error));
    }
    if reply.status == 429 {
        return verdict(VerdictName::Throttled, reply, now, |_| false);
    }
    if let Some(name) = by_signs(reply) {
        return verdict(name, reply, now, |error| sign_of(error, reply.has_data()) == Some(name));
    }
    // An answer under the status of a failure is none, unless its errors say what of it failed.
    let is_failure = reply.status >= 400 && reply.errors().is_empty();
    if reply.has_data() && !is_failure {
        return Verdict::Data;
    }
    verdict(by_status(reply), reply, now, |_| true)
}

/// The errors of fields, in words that do not say what they mean. `rules` are the source's own.
pub(in crate::api) fn failed_fields(reply: &Reply<'_>, rules: &[VerdictRule]) -> Vec<GraphqlError> {
    if rules.iter().any(|rule| fits(rule, reply)) {
        return Vec::new();
    }
    // Codes that servers use for many things tell no more of a field than its place does.
    let is_untold = |error: &&GraphqlError| error.path.is_some() && sign_of(error, true).is_none();
    reply.errors().iter().filter(is_untold).cloned().collect()
}

fn verdict(name: VerdictName, reply: &Reply<'_>, now: SystemTime, is_cause: impl Fn(&GraphqlError) -> bool) -> Verdict {
    match name {
        VerdictName::Throttled => Verdict::Throttled {
            wait: wait_hint(reply, now),
        },
        VerdictName::Transient => Verdict::Transient {
            wait: wait_hint(reply, now),
        },
        VerdictName::TooBig => Verdict::TooBig,
        VerdictName::TooComplex => Verdict::TooComplex,
        VerdictName::Denied => {
            let causes = reply.errors().iter().filter(|error| is_cause(error));
            let (placed, unplaced): (Vec<_>, Vec<_>) = causes.partition(|error| error.path.is_some());
            Verdict::Denied {
                paths: placed.into_iter().filter_map(|error| error.path.clone()).collect(),
                unplaced: unplaced.into_iter().map(Unplaced::of).collect(),
            }
        }
        VerdictName::Unauthorized => Verdict::Unauthorized,
        VerdictName::CursorExpired => Verdict::CursorExpired,
        VerdictName::Invalid => Verdict::Invalid,
    }
}

/// Whether all conditions of a rule hold; code and message may be found in different errors.
fn fits(rule: &VerdictRule, reply: &Reply<'_>) -> bool {
    let errors = reply.errors();
    rule.status.is_none_or(|status| status == reply.status)
        && rule
            .code
            .as_ref()
            .is_none_or(|code| errors.iter().any(|error| has_code(error, code)))
        && rule.message.as_ref().is_none_or(|pattern| match reply.body {
            ReplyBody::Text(_) => pattern.is_match(reply.text()),
            ReplyBody::Envelope { .. } => errors.iter().any(|error| pattern.is_match(&error.message)),
        })
}

/// Whether an error is one that a rule speaks of.
fn concerns(rule: &VerdictRule, error: &GraphqlError) -> bool {
    rule.code.as_ref().is_none_or(|code| has_code(error, code))
        && rule
            .message
            .as_ref()
            .is_none_or(|pattern| pattern.is_match(&error.message))
}

fn has_code(error: &GraphqlError, code: &str) -> bool {
    let own = error.code.iter().chain(&error.kind);
    own.into_iter().any(|own| own.eq_ignore_ascii_case(code))
}

fn by_signs(reply: &Reply<'_>) -> Option<VerdictName> {
    let text = reply.text().to_lowercase();
    if holds_any(&text, TEXT_THROTTLES) {
        return Some(VerdictName::Throttled);
    }
    // A page of denied fields brings one error for each row: what they have in common is looked up once.
    let mut seen = HashSet::new();
    let found: Vec<_> = reply
        .errors()
        .iter()
        .filter(|error| seen.insert((&error.message, &error.code, &error.kind, error.status)))
        .filter_map(|error| sign_of(error, reply.has_data()))
        .collect();
    let most_urgent = URGENCY.into_iter().find(|name| found.contains(name));
    most_urgent.or_else(|| exceeds_cost(reply).then_some(VerdictName::TooComplex))
}

/// What one error means by the table; `None` if it has no sign.
fn sign_of(error: &GraphqlError, has_data: bool) -> Option<VerdictName> {
    if error.status == Some(429) {
        return Some(VerdictName::Throttled);
    }
    let message = error.message.to_lowercase();
    let codes: Vec<_> = error.code.iter().chain(&error.kind).map(|code| reduced(code)).collect();
    let shows = |sign: &&Sign| match sign.on {
        Mark::Code(code) => codes.iter().any(|own| own == code),
        Mark::Message(parts) => holds_all(&message, parts),
        Mark::AnyOf(wordings) => holds_any(&message, wordings),
    };
    let counts = |sign: &&Sign| match sign.scope {
        Scope::Any => true,
        Scope::WithData => has_data,
        Scope::WithoutData => !has_data,
    };
    let means = SIGNS.iter().filter(counts).find(shows).map(|sign| sign.means)?;
    // Below a field that was answered it is that one field which asks for more than the token has.
    let is_below = has_data && error.path.as_ref().is_some_and(|path| path.0.len() > 1);
    Some(match means {
        VerdictName::Unauthorized if is_below => VerdictName::Denied,
        means => means,
    })
}

/// Whether a message says that more requests are in flight than the API takes.
pub(in crate::api) fn tells_of_crowd(message: &str) -> bool {
    holds_any(&message.to_lowercase(), CROWDS)
}

/// Whether a message says that the server has too much to do.
pub(in crate::api) fn tells_of_load(message: &str) -> bool {
    holds_any(&message.to_lowercase(), LOADS)
}

fn holds_any(text: &str, wordings: &[&[&str]]) -> bool {
    wordings.iter().any(|parts| holds_all(text, parts))
}

fn holds_all(text: &str, parts: &[&str]) -> bool {
    !text.is_empty() && parts.iter().all(|part| text.contains(part))
}

fn reduced(code: &str) -> String {
    code.chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|letter| letter.to_ascii_lowercase())
        .collect()
}

/// Saleor says in numbers alone that a query costs more than any query may.
fn exceeds_cost(reply: &Reply<'_>) -> bool {
    let cost = &reply.extensions()["cost"];
    let (Some(requested), Some(maximum)) = (cost["requestedQueryCost"].as_f64(), cost["maximumAvailable"].as_f64())
    else {
        return false;
    };
    !reply.has_data() && !reply.errors().is_empty() && requested > maximum
}

/// What a response without `data` and without signs means: by the status in the body, else by the status line.
fn by_status(reply: &Reply<'_>) -> VerdictName {
    let inner = reply.errors().iter().find_map(|error| error.status);
    let inner = inner.or_else(|| status_in(reply.extensions()).filter(|_| !reply.errors().is_empty()));
    match inner.filter(|status| *status >= 400).unwrap_or(reply.status) {
        429 => VerdictName::Throttled,
        // A 403 is the throttle of some APIs, which then say when to come back.
        403 if wait_header(reply) => VerdictName::Throttled,
        // Nothing in it says which field is meant, so it is about the token as a whole.
        401 | 403 | 407 => VerdictName::Unauthorized,
        408 | 425 => VerdictName::Transient,
        // The request's own text is too long.
        413 | 414 => VerdictName::TooComplex,
        300..500 => VerdictName::Invalid,
        500.. => VerdictName::Transient,
        _ => without_data(reply),
    }
}

fn wait_header(reply: &Reply<'_>) -> bool {
    reply.headers.contains_key("retry-after")
        || reply
            .headers
            .get("x-ratelimit-remaining")
            .is_some_and(|left| left == "0")
}

/// A success by its status that brings no data.
fn without_data(reply: &Reply<'_>) -> VerdictName {
    match (reply.body, reply.errors()) {
        // An error page under a status of 200, or a body that was cut off.
        (ReplyBody::Text(_), _) => VerdictName::Transient,
        // Null, and nothing says why.
        (ReplyBody::Envelope { has_data_member, .. }, []) if has_data_member => VerdictName::Transient,
        // Some JSON of another service.
        (ReplyBody::Envelope { .. }, []) => VerdictName::Invalid,
        (ReplyBody::Envelope { .. }, errors) if errors.iter().any(|error| error.page_limit().is_some()) => {
            VerdictName::TooBig
        }
        // An error with a path was raised while the query ran, and took all data with it; without one, the request
        // was refused as a whole.
        (ReplyBody::Envelope { .. }, errors) if errors.iter().any(|error| error.path.is_some()) => {
            VerdictName::Transient
        }
        (ReplyBody::Envelope { .. }, _) => VerdictName::Invalid,
    }
}

#[cfg(test)]
#[path = "judge_tests.rs"]
mod tests;
