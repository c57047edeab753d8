//! A budget of points: what a request costs by what it asks for, what is left of the window, and how an API tells both.

use std::time::Duration;

use axum::http::header::DATE;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;
use serde::Deserialize;
use serde_json::Value;

use crate::demo::behaviour::duration;
use crate::demo::refusal::Refusal;

/// The time of day at which a server starts by its own clock, in seconds since 1970: 2026-11-22T03:15:00Z, on every run
/// alike. It tells its clock in each answer, and all moments by it.
const START: Duration = Duration::from_secs(1_795_317_300);

/// What requests may cost in windows that follow each other from the server's start.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PointBudget {
    /// So many points in each.
    pub max: u64,
    /// The window's length.
    #[serde(deserialize_with = "duration")]
    pub per: Duration,
    /// How many lookups of pages make a point; a request costs one point at least.
    pub calls_per_point: u64,
    /// What the names of the headers begin with that tell of it: `limit`, `remaining`, `used` and `reset` follow.
    pub header_prefix: String,
    /// The type of the object that tells of it in the data.
    pub told_by: String,
    /// The answer to a request that costs more than is left.
    pub refusal: Refusal,
}

/// What was spent so far in the window of that number.
#[derive(Debug, Default)]
pub(crate) struct Spent {
    window: u128,
    points: u64,
}

/// What a request costs, and what is left behind it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bill {
    cost: u64,
    nodes: u64,
    limit: u64,
    used: u64,
    /// When the window ends, from the server's start.
    resets_at: Duration,
    /// Whether less was left than it costs; nothing is taken for it then.
    pub(crate) is_refused: bool,
}

impl PointBudget {
    /// Takes what a request costs that implies so many lookups and rows, and arrives so long after the server's start.
    pub(crate) fn charge(&self, spent: &mut Spent, (calls, nodes): (u64, u64), at: Duration) -> Bill {
        let window = at.as_nanos() / self.per.as_nanos().max(1);
        if spent.window != window {
            *spent = Spent { window, points: 0 };
        }
        // Rounded as GitHub says of its own.
        let cost = ((calls as f64 / self.calls_per_point as f64).round() as u64).max(1);
        let is_refused = spent.points + cost > self.max;
        spent.points += if is_refused { 0 } else { cost };
        let ends = u32::try_from(window + 1).map_or(Duration::MAX, |windows| self.per.saturating_mul(windows));
        Bill {
            cost,
            nodes,
            limit: self.max,
            used: spent.points,
            resets_at: ends,
            is_refused,
        }
    }

    /// Tells of a bill in the headers of an answer that leaves so long after the server's start.
    pub(crate) fn tell(&self, bill: &Bill, now: Duration, headers: &mut HeaderMap) {
        let values = [
            ("limit", bill.limit),
            ("remaining", bill.remaining()),
            ("used", bill.used),
            ("reset", unix_seconds(bill.resets_at)),
        ];
        for (name, value) in values {
            if let Ok(name) = HeaderName::try_from(format!("{}{name}", self.header_prefix)) {
                headers.insert(name, HeaderValue::from(value));
            }
        }
        // Moments are told by the server's own clock.
        let date = moment(now).and_then(|now| DateTimePrinter::new().timestamp_to_rfc9110_string(&now).ok());
        if let Some(date) = date.and_then(|date| HeaderValue::try_from(date).ok()) {
            headers.insert(DATE, date);
        }
    }
}

impl Bill {
    fn remaining(&self) -> u64 {
        self.limit.saturating_sub(self.used)
    }

    /// What the object in the data says that tells of it.
    pub(crate) fn told(&self, field: &str) -> Option<Value> {
        Some(match field {
            "cost" => self.cost.into(),
            "limit" => self.limit.into(),
            "nodeCount" => self.nodes.into(),
            "remaining" => self.remaining().into(),
            "used" => self.used.into(),
            "resetAt" => moment(self.resets_at)?.to_string().into(),
            _ => return None,
        })
    }
}

/// Rounded up: nothing is to be had before.
fn unix_seconds(since_start: Duration) -> u64 {
    let since = START.saturating_add(since_start);
    since.as_secs().saturating_add(u64::from(since.subsec_nanos() > 0))
}

fn moment(since_start: Duration) -> Option<Timestamp> {
    let seconds = i64::try_from(START.saturating_add(since_start).as_secs()).ok()?;
    Timestamp::from_second(seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn budget() -> PointBudget {
        PointBudget {
            max: 60,
            per: 10 * SECOND,
            calls_per_point: 100,
            header_prefix: "x-ratelimit-".to_owned(),
            told_by: "RateLimit".to_owned(),
            refusal: Refusal::gateway_timeout(),
        }
    }

    #[test]
    fn what_lookups_imply_is_rounded_to_points_of_which_a_window_has_so_many() {
        let (budget, mut spent) = (budget(), Spent::default());
        let mut charge = |calls, seconds| {
            let bill = budget.charge(&mut spent, (calls, 7), seconds * SECOND);
            (bill.cost, bill.remaining(), bill.is_refused)
        };
        assert_eq!(charge(1, 0), (1, 59, false), "one at least");
        assert_eq!(charge(5_101, 3), (51, 8, false), "the example of the documentation");
        assert_eq!(charge(900, 9), (9, 8, true));
        assert_eq!(charge(900, 10), (9, 51, false), "the next window");
    }

    #[test]
    fn a_bill_is_told_by_the_servers_clock() {
        let (budget, mut spent) = (budget(), Spent::default());
        let bill = budget.charge(&mut spent, (200, 7), 4 * SECOND);
        let mut headers = HeaderMap::new();
        budget.tell(&bill, 5 * SECOND, &mut headers);
        let told = |name: &str| headers[name].to_str().unwrap().to_owned();
        assert_eq!(told("x-ratelimit-remaining"), "58");
        assert_eq!(told("x-ratelimit-reset"), "1795317310");
        assert_eq!(told("date"), "Sun, 22 Nov 2026 03:15:05 GMT");
        assert_eq!(bill.told("resetAt").unwrap(), "2026-11-22T03:15:10Z");
        assert_eq!(
            (bill.told("cost").unwrap(), bill.told("nodeCount").unwrap()),
            (2.into(), 7.into())
        );
    }
}
