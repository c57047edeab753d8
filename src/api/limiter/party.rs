//! One query file among those that share a budget: what it has of it, and what it will need.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::api::limiter::queue::Ticket;

/// How long a query file without a request is taken to be busy with its last answer.
const LINGER: Duration = Duration::from_secs(1);
/// How much of the mean response time each new one makes up.
const NEWEST_SHARE: f64 = 0.3;

/// One query file.
pub(super) struct Party {
    pub(super) query: String,
    pub(super) waiting: VecDeque<(Ticket, Arc<Notify>)>,
    /// The last of its turns; 0 before the first.
    pub(super) last_turn: u64,
    in_flight: usize,
    /// When its requests were let through, oldest first, as far back as a window reaches.
    passed_at: VecDeque<Instant>,
    /// How long its requests take on average; `None` before the first is over.
    response_time: Option<Duration>,
    seen_at: Instant,
}

/// Something of which the budget has only so much: the requests of a window, or those in flight at once.
#[derive(Debug, Clone, Copy)]
pub(super) struct Supply {
    pub(super) max: u32,
    pub(super) free: u32,
    /// The window's length; `None` for requests in flight.
    pub(super) per: Option<Duration>,
}

impl Party {
    pub(super) fn new(query: &str, now: Instant) -> Self {
        Self {
            query: query.to_owned(),
            waiting: VecDeque::new(),
            last_turn: 0,
            in_flight: 0,
            passed_at: VecDeque::new(),
            response_time: None,
            seen_at: now,
        }
    }

    /// Takes note of a request that begins to wait.
    pub(super) fn note_asked(&mut self, now: Instant) {
        self.seen_at = now;
    }

    /// Takes note of a request that is let through; `memory` is the length of the longest window.
    pub(super) fn note_passed(&mut self, now: Instant, memory: Duration) {
        self.in_flight += 1;
        self.seen_at = now;
        self.passed_at.push_back(now);
        while self.passed_at.front().is_some_and(|at| *at + memory <= now) {
            self.passed_at.pop_front();
        }
    }

    /// Takes note of a request that is over after so long.
    pub(super) fn note_over(&mut self, now: Instant, lasted: Duration) {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.seen_at = now;
        let known = self.response_time.unwrap_or(lasted);
        self.response_time = Some(known.mul_f64(1.0 - NEWEST_SHARE) + lasted.mul_f64(NEWEST_SHARE));
    }

    /// Takes note of a request that was let through and never sent.
    pub(super) fn note_unsent(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.passed_at.pop_back();
    }

    /// Whether it has requests, or may be about to make the next.
    pub(super) fn is_active(&self, now: Instant) -> bool {
        self.requests() > 0 || now < self.seen_at + LINGER
    }

    /// What it has of a supply.
    pub(super) fn used(&self, supply: &Supply, now: Instant) -> f64 {
        let Some(per) = supply.per else {
            return self.in_flight as f64;
        };
        let gone = self.passed_at.partition_point(|at| *at + per <= now);
        (self.passed_at.len() - gone) as f64
    }

    /// What of a supply should be left to it: what it needs and does not have yet, up to its share.
    pub(super) fn reserve(&self, supply: &Supply, share: f64, now: Instant) -> f64 {
        (self.need(supply).min(share) - self.used(supply, now)).max(0.0)
    }

    /// How much of a supply it needs to go on as it does.
    fn need(&self, supply: &Supply) -> f64 {
        let requests = self.requests().max(1) as f64;
        match (supply.per, self.response_time) {
            (None, _) => requests,
            (Some(per), Some(time)) => requests * per.as_secs_f64() / time.as_secs_f64(),
            (Some(_), None) => f64::INFINITY,
        }
    }

    fn requests(&self) -> usize {
        self.in_flight + self.waiting.len()
    }
}
