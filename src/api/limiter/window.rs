//! One request window: how many of its slots are taken, and when they come back.
//!
//! The API counts arrivals, and an arrival is known only within bounds. So a slot stays taken for one window after
//! the *latest* moment at which its request can have arrived. Then any two requests that use the same slot arrive at
//! least one window apart, hence no window of that length, wherever it begins, holds more than `max`: it does not
//! matter whether the API counts a sliding window or fixed ones.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use tokio::time::Instant;

use crate::api::limiter::permit_log::{Others, millis};
use crate::project::RequestLimit;
use crate::report::WindowUse;

/// What is known of a request's arrival at the API.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arrival {
    /// The latest moment at which it can have left this machine; `None` if that is unknown.
    pub(super) left_by: Option<Instant>,
    /// When its response was here, or when it was given up; `None` while it is unanswered.
    pub(super) over_at: Option<Instant>,
}

impl Arrival {
    /// The latest moment at which the request can have arrived; `None` while nothing bounds it.
    fn latest(&self, margin: Duration) -> Option<Instant> {
        let by_departure = self.left_by.map(|left_by| left_by + margin);
        match (by_departure, self.over_at) {
            (Some(departure), Some(over)) => Some(departure.min(over)),
            (departure, over) => departure.or(over),
        }
    }
}

/// The slots of one request limit.
pub(super) struct Window {
    limit: RequestLimit,
    /// Slots whose request may still be on its way.
    unsettled: u32,
    /// When each of the other taken slots comes back, soonest first.
    returns: BinaryHeap<Reverse<Instant>>,
    /// When those come back that other processes have, ended ones among them.
    others: BinaryHeap<Reverse<Instant>>,
}

impl Window {
    pub(super) fn new(limit: RequestLimit) -> Self {
        Self {
            limit,
            unsettled: 0,
            returns: BinaryHeap::new(),
            others: BinaryHeap::new(),
        }
    }

    /// Counts the requests of other processes, and none that were counted before; their arrivals are known give or take
    /// the margin.
    pub(super) fn count_others(&mut self, now: Instant, others: &Others) {
        let held = millis(self.limit.per.saturating_add(self.limit.margin));
        let arrived_by = match self.limit.counted_by.is_for_all_tokens() {
            true => &others.arrived_by,
            false => &others.with_own_token,
        };
        let remaining = arrived_by
            .iter()
            .map(|arrived| arrived.saturating_add(held).saturating_sub(others.now));
        let returns = remaining
            .filter(|remaining| *remaining > 0)
            .filter_map(|remaining| now.checked_add(Duration::from_millis(remaining)));
        self.others = returns.map(Reverse).collect();
    }

    /// Whether a slot is free; forgets those that have come back.
    pub(super) fn has_room(&mut self, now: Instant) -> bool {
        for returns in [&mut self.returns, &mut self.others] {
            while returns.peek().is_some_and(|Reverse(at)| *at <= now) {
                returns.pop();
            }
        }
        self.taken() < self.limit.max
    }

    /// When the next taken slot comes back; `None` if that hangs on requests which may still be on their way.
    pub(super) fn next_return(&self) -> Option<Instant> {
        let soonest = [&self.returns, &self.others].map(|returns| returns.peek().map(|Reverse(at)| *at));
        soonest.into_iter().flatten().min()
    }

    /// Takes a slot; call only where there is room.
    pub(super) fn take(&mut self) {
        self.unsettled += 1;
    }

    /// Puts a slot back that was taken for a request which was never handed over.
    pub(super) fn put_back(&mut self) {
        self.unsettled = self.unsettled.saturating_sub(1);
    }

    /// Says what is known of the arrival of a request that holds a slot. True if that settles when it comes back.
    pub(super) fn settle(&mut self, arrival: Arrival) -> bool {
        let Some(latest) = arrival.latest(self.limit.margin) else {
            return false;
        };
        self.unsettled = self.unsettled.saturating_sub(1);
        self.returns.push(Reverse(latest + self.limit.per));
        true
    }

    pub(super) fn usage(&self) -> WindowUse {
        WindowUse {
            used: self.taken(),
            max: self.limit.max,
            per: self.limit.per,
        }
    }

    fn taken(&self) -> u32 {
        let settled = self.returns.len() + self.others.len();
        self.unsettled
            .saturating_add(u32::try_from(settled).unwrap_or(u32::MAX))
    }
}
