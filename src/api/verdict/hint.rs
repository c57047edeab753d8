//! For how long an API asks us to wait: by header, in the body, or in plain words.
//!
//! Seen in the wild: seconds, an HTTP date, unix seconds, unix milliseconds, a timestamp, a price and a rate to pay it
//! off. A number without a unit is told apart by its size.

use std::sync::LazyLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::rfc2822;
use jiff::tz::TimeZone;
use regex::Regex;
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};
use serde_json::Value;

use crate::api::allowance::ToldBudget;
use crate::api::verdict::reply::Reply;

/// No hint is believed beyond that: the longest budget window of any API we know of is a day (Monday's daily limit).
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 60 * 60);

/// A number below is a duration in seconds: as unix time it would lie in the spring of 1970.
const SMALLEST_UNIX_SECONDS: f64 = 1e7;

/// A number from here on is unix time in milliseconds: as seconds it would lie in the year 5138.
const SMALLEST_UNIX_MILLIS: f64 = 1e11;

/// Headers that say how much of a budget remains, and when it is whole again.
const BUDGET_HEADERS: &[(&str, &str)] = &[
    ("x-ratelimit-remaining", "x-ratelimit-reset"), // GitHub, AniList, Atlassian
    ("ratelimit-remaining", "ratelimit-reset"),     // GitLab, Buildkite
    ("x-rate-limit-remaining", "x-rate-limit-reset"),
    ("x-ratelimit-requests-remaining", "x-ratelimit-requests-reset"), // Linear
    ("x-ratelimit-complexity-remaining", "x-ratelimit-complexity-reset"), // Linear
    (
        "x-contentful-ratelimit-second-remaining",
        "x-contentful-ratelimit-reset",
    ), // Contentful
];

/// The same in one header with parameters, `"default";r=0;t=30` or `limit=100, remaining=0, reset=30`.
const STRUCTURED_BUDGET_HEADERS: &[&str] = &["ratelimit", "beta-ratelimit"];

/// For how long a throttled or failed request should wait; `None` if the response does not say.
pub(super) fn wait_hint(reply: &Reply<'_>, now: SystemTime) -> Option<Duration> {
    let now = server_time(reply.headers, now);
    let by_header = header(reply.headers, RETRY_AFTER.as_str()).and_then(|text| wait_in(text, now));
    by_header
        .or_else(|| wait_in_body(reply, now))
        .or_else(|| wait_by_budget(reply.headers, now))
        .map(|wait| wait.min(LONGEST_WAIT))
}

/// For how long to send nothing although the response is good, because it says that the budget is spent.
pub(in crate::api) fn pause_hint(headers: &HeaderMap, extensions: &Value, now: SystemTime) -> Option<Duration> {
    let now = server_time(headers, now);
    let budgets = budgets(headers).filter(|budget| budget.remaining == Some(0.0));
    let by_headers = budgets.filter_map(|budget| wait_in(budget.reset, now));
    let by_body = spent_budget_in(extensions, now);
    by_headers.chain(by_body).max().map(|wait| wait.min(LONGEST_WAIT))
}

/// What is left of the budgets that a response tells of in a header each.
pub(in crate::api) fn told_budgets(headers: &HeaderMap, now: SystemTime) -> Vec<ToldBudget> {
    let now = server_time(headers, now);
    let told = BUDGET_HEADERS.iter().filter_map(|(name, reset)| {
        Some(ToldBudget {
            name,
            remaining: header(headers, name)?
                .trim()
                .parse()
                .ok()
                .filter(|left: &f64| *left >= 0.0)?,
            resets_in: wait_in(header(headers, reset)?, now)?.min(LONGEST_WAIT),
        })
    });
    told.collect()
}

/// The server's own time of day, to which its moments refer, where it tells it; ours may be wrong by minutes.
fn server_time(headers: &HeaderMap, now: SystemTime) -> SystemTime {
    header(headers, DATE.as_str()).and_then(moment_in).unwrap_or(now)
}

struct Budget<'h> {
    remaining: Option<f64>,
    reset: &'h str,
}

fn budgets(headers: &HeaderMap) -> impl Iterator<Item = Budget<'_>> {
    let paired = BUDGET_HEADERS.iter().filter_map(|(remaining, reset)| {
        Some(Budget {
            remaining: header(headers, remaining).and_then(|text| text.trim().parse().ok()),
            reset: header(headers, reset)?,
        })
    });
    let structured = STRUCTURED_BUDGET_HEADERS.iter().filter_map(|name| {
        let text = header(headers, name)?;
        Some(Budget {
            remaining: parameter(text, &["r", "remaining"]).and_then(|text| text.parse().ok()),
            reset: parameter(text, &["t", "reset"])?,
        })
    });
    paired.chain(structured)
}

/// A throttle may come while the budget told of is not spent (another one is then): its reset would be far too late.
fn wait_by_budget(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    budgets(headers)
        .filter(|budget| budget.remaining.is_none_or(|remaining| remaining <= 0.0))
        .filter_map(|budget| wait_in(budget.reset, now))
        .max()
}

fn wait_in_body(reply: &Reply<'_>, now: SystemTime) -> Option<Duration> {
    let extensions = || {
        reply
            .errors()
            .iter()
            .map(|error| &error.extensions)
            .chain([reply.extensions()])
    };
    let named = extensions().find_map(|extensions| {
        ["retry_in_seconds", "retryAfter", "retry_after", "retryAfterSeconds"]
            .iter()
            .find_map(|name| wait_in_value(&extensions[*name], now))
    });
    named
        .or_else(|| wait_for_points(reply.extensions()))
        .or_else(|| extensions().find_map(|extensions| spent_budget_in(extensions, now)))
        .or_else(|| reply.errors().iter().find_map(|error| wait_in_words(&error.message)))
        .or_else(|| wait_in_words(reply.text()))
}

/// Shopify's arithmetic: points flow back at a steady rate, and the query costs so many.
fn wait_for_points(extensions: &Value) -> Option<Duration> {
    let cost = &extensions["cost"];
    let status = &cost["throttleStatus"];
    let requested = cost["requestedQueryCost"].as_f64()?;
    let missing = requested - status["currentlyAvailable"].as_f64()?;
    let rate = status["restoreRate"].as_f64().filter(|rate| *rate > 0.0)?;
    seconds(missing.max(0.0) / rate)
}

/// `rateLimit { remaining resetAt }`, where it says that nothing remains.
fn spent_budget_in(extensions: &Value, now: SystemTime) -> Option<Duration> {
    let limit = &extensions["rateLimit"];
    let is_spent = limit["remaining"].as_f64().is_some_and(|remaining| remaining <= 0.0);
    if !is_spent {
        return None;
    }
    wait_in_value(&limit["resetAt"], now)
}

fn wait_in_value(value: &Value, now: SystemTime) -> Option<Duration> {
    match value {
        Value::Number(number) => wait_by_size(number.as_f64()?, now),
        Value::String(text) => wait_in(text, now),
        _ => None,
    }
}

/// A wait given as a number or as a moment.
fn wait_in(text: &str, now: SystemTime) -> Option<Duration> {
    let text = text.trim();
    if let Ok(number) = text.parse::<f64>() {
        return wait_by_size(number, now);
    }
    let moment = moment_in(text)?;
    Some(moment.duration_since(now).unwrap_or(Duration::ZERO))
}

fn wait_by_size(number: f64, now: SystemTime) -> Option<Duration> {
    if number < SMALLEST_UNIX_SECONDS {
        return seconds(number.max(0.0));
    }
    let unix_seconds = if number < SMALLEST_UNIX_MILLIS {
        number
    } else {
        number / 1000.0
    };
    let since_epoch = now.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    seconds(unix_seconds).map(|reset| reset.saturating_sub(since_epoch))
}

/// `None` for what is no number.
fn seconds(number: f64) -> Option<Duration> {
    if number.is_nan() {
        return None;
    }
    Some(Duration::try_from_secs_f64(number.max(0.0)).unwrap_or(Duration::MAX))
}

/// A moment as an HTTP date in any of its three forms, or as an ISO 8601 timestamp.
fn moment_in(text: &str) -> Option<SystemTime> {
    let text = text.trim();
    let timestamp = text.parse::<Timestamp>().ok().or_else(|| {
        let dated = rfc2822::parse(text).ok().map(|zoned| zoned.timestamp());
        dated.or_else(|| old_http_date(text))
    })?;
    Some(SystemTime::from(timestamp))
}

/// The two forms of an HTTP date that a recipient must still understand.
fn old_http_date(text: &str) -> Option<Timestamp> {
    let date = ["%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"]
        .iter()
        .find_map(|format| DateTime::strptime(format, text).ok())?;
    date.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

/// "Please try again in 187 seconds", "reset in 22 seconds", "retry after 1.5 min".
fn wait_in_words(text: &str) -> Option<Duration> {
    static WORDS: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"(?i)\b(?:again|retry|wait|reset)\D{0,20}?(\d{1,9}(?:\.\d{1,3})?)\s*(ms|milliseconds?|s|secs?|seconds?|m|mins?|minutes?|h|hours?)\b").ok()
    });
    let found = WORDS.as_ref()?.captures(text)?;
    let number: f64 = found.get(1)?.as_str().parse().ok()?;
    let unit = found.get(2)?.as_str().to_ascii_lowercase();
    let in_seconds = match unit.as_bytes() {
        [b'm', b's', ..] | [b'm', b'i', b'l', ..] => 0.001,
        [b'm', ..] => 60.0,
        [b'h', ..] => 3600.0,
        _ => 1.0,
    };
    seconds(number * in_seconds)
}

/// The value of the first parameter of one of these names in a structured header.
fn parameter<'h>(text: &'h str, names: &[&str]) -> Option<&'h str> {
    text.split([';', ',']).find_map(|part| {
        let (name, value) = part.split_once('=')?;
        names.contains(&name.trim()).then(|| value.trim())
    })
}

fn header<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
#[path = "hint_tests.rs"]
mod tests;
