//! The pure core of the limiter: all windows of a source at once, its concurrency, and its pauses.
//!
//! Reads no clock: every moment is passed in.

use tokio::time::Instant;

use crate::api::limiter::party::Supply;
use crate::api::limiter::permit_log::Others;
use crate::api::limiter::window::{Arrival, Window};
use crate::project::Limits;
use crate::report::WindowUse;

/// Why there is no permit now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Blocked {
    /// Not before that moment; then, or whenever something changes, it is worth asking again.
    Until(Instant),
    /// Not before a request in flight is over, or has surely arrived.
    ByRequests,
}

/// Everything that a request needs before it may be sent.
pub(super) struct Slots {
    windows: Vec<Window>,
    concurrency: usize,
    /// How many the API's own count of what is left allows in flight.
    allowed: usize,
    /// How many the API is found to bear.
    borne: usize,
    in_flight: usize,
    paused_until: Option<Instant>,
}

impl Slots {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            windows: limits.requests.iter().cloned().map(Window::new).collect(),
            concurrency: limits.concurrency,
            allowed: usize::MAX,
            borne: usize::MAX,
            in_flight: 0,
            paused_until: None,
        }
    }

    /// Counts the requests of other processes, and none that were counted before.
    pub(super) fn count_others(&mut self, now: Instant, others: &Others) {
        for window in &mut self.windows {
            window.count_others(now, others);
        }
    }

    /// Whether there is a slot of every window and a place among the requests in flight.
    pub(super) fn check(&mut self, now: Instant) -> Result<(), Blocked> {
        if let Some(until) = self.paused_until {
            if now < until {
                return Err(Blocked::Until(until));
            }
            self.paused_until = None;
        }
        if self.in_flight >= self.most_in_flight() {
            return Err(Blocked::ByRequests);
        }
        self.check_windows(now)
    }

    /// Takes a slot of every window and a place among the requests in flight; call only where there are such.
    pub(super) fn take(&mut self) {
        for window in &mut self.windows {
            window.take();
        }
        self.in_flight += 1;
    }

    /// How many requests could be sent now; `None` for a source without a request limit.
    pub(super) fn free(&mut self, now: Instant) -> Option<u32> {
        if self.windows.is_empty() {
            return None;
        }
        if self.paused_until.is_some_and(|until| now < until) {
            return Some(0);
        }
        let windows = self.supplies(now).into_iter().filter(|supply| supply.per.is_some());
        windows.map(|supply| supply.free).min()
    }

    /// What is left of each window, and of the places in flight.
    pub(super) fn supplies(&mut self, now: Instant) -> Vec<Supply> {
        let most = self.most_in_flight();
        let windows = self.windows.iter_mut().map(|window| {
            window.has_room(now);
            let WindowUse { used, max, per } = window.usage();
            let free = max.saturating_sub(used);
            let per = Some(per);
            Supply { max, free, per }
        });
        let free = most.saturating_sub(self.in_flight);
        let in_flight = Supply {
            max: u32::try_from(most).unwrap_or(u32::MAX),
            free: u32::try_from(free).unwrap_or(u32::MAX),
            per: None,
        };
        windows.chain([in_flight]).collect()
    }

    fn check_windows(&mut self, now: Instant) -> Result<(), Blocked> {
        let mut room_at = now;
        for window in &mut self.windows {
            if window.has_room(now) {
                continue;
            }
            match window.next_return() {
                Some(at) => room_at = room_at.max(at),
                None => return Err(Blocked::ByRequests),
            }
        }
        if room_at > now {
            return Err(Blocked::Until(room_at));
        }
        Ok(())
    }

    /// Says what is known of the arrival of a request that holds a permit. True if that settles when its slots come
    /// back; say nothing further of that request then.
    pub(super) fn settle(&mut self, arrival: Arrival) -> bool {
        let mut is_settled = true;
        for window in &mut self.windows {
            is_settled &= window.settle(arrival);
        }
        is_settled
    }

    /// The request is over: its place among those in flight is free.
    pub(super) fn land(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    /// The request was never handed over: everything it held is free.
    pub(super) fn put_back(&mut self) {
        self.land();
        for window in &mut self.windows {
            window.put_back();
        }
    }

    /// How many may be in flight, by the settings, by what is left, and by what the API bears.
    pub(super) fn most_in_flight(&self) -> usize {
        self.concurrency.min(self.allowed).min(self.borne)
    }

    /// Keeps so many requests in flight at most, those of all query files together.
    pub(super) fn bear(&mut self, requests: usize) {
        self.borne = requests.max(1);
    }

    /// Allows so many requests in flight, as far as the concurrency does.
    pub(super) fn allow_at_once(&mut self, requests: Option<usize>) {
        self.allowed = requests.unwrap_or(usize::MAX).max(1);
    }

    /// Grants nothing before `until`; of several pauses the one that ends last counts.
    pub(super) fn pause(&mut self, until: Instant) {
        self.paused_until = Some(self.paused_until.map_or(until, |current| current.max(until)));
    }

    pub(super) fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// The window that is nearest to its limit; `None` for a source without a request limit.
    pub(super) fn tightest(&mut self, now: Instant) -> Option<WindowUse> {
        for window in &mut self.windows {
            window.has_room(now);
        }
        let share = |usage: &WindowUse| f64::from(usage.used) / f64::from(usage.max.max(1));
        self.windows
            .iter()
            .map(Window::usage)
            .max_by(|left, right| share(left).total_cmp(&share(right)))
    }
}

#[cfg(test)]
#[path = "slots_tests.rs"]
mod tests;
