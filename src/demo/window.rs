//! One request limit at work: who is let in, and how busy the busiest window was.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use crate::demo::behaviour::{RequestWindow, WindowKind};

/// One request limit at work.
#[derive(Debug)]
pub(crate) struct WindowCounter {
    limit: RequestWindow,
    admitted: Tally,
    arrived: Tally,
    busiest_sliding: usize,
    busiest_fixed: usize,
}

/// Requests within one window's length, counted both ways.
#[derive(Debug)]
struct Tally {
    per: Duration,
    start: Instant,
    /// Moments no older than `per`, ascending.
    recent: VecDeque<Instant>,
    /// The number of the fixed window that is counted, and its count.
    fixed: (u128, usize),
}

impl WindowCounter {
    pub(crate) fn new(limit: RequestWindow, start: Instant) -> Self {
        let tally = || Tally {
            per: limit.per,
            start,
            recent: VecDeque::new(),
            fixed: (0, 0),
        };
        Self {
            limit,
            admitted: tally(),
            arrived: tally(),
            busiest_sliding: 0,
            busiest_fixed: 0,
        }
    }

    pub(crate) fn limit(&self) -> RequestWindow {
        self.limit
    }

    /// Counts an arrival, whether or not it will be let in.
    pub(crate) fn arrive(&mut self, now: Instant) {
        self.arrived.add(now);
        self.busiest_sliding = self.busiest_sliding.max(self.arrived.recent.len());
        self.busiest_fixed = self.busiest_fixed.max(self.arrived.fixed.1);
    }

    /// How long a request of this moment would have to wait to be let in; `None` where it need not.
    pub(crate) fn wait(&mut self, now: Instant) -> Option<Duration> {
        self.admitted.forget(now);
        let max = usize::try_from(self.limit.max).unwrap_or(usize::MAX);
        match self.limit.window {
            WindowKind::Sliding => {
                let over = (self.admitted.recent.len() + 1).checked_sub(max + 1)?;
                let leaving = self.admitted.recent.get(over)?;
                Some((*leaving + self.limit.per).duration_since(now))
            }
            WindowKind::Fixed if self.admitted.fixed.1 < max => None,
            WindowKind::Fixed => {
                let into_window = now.duration_since(self.admitted.start).as_nanos() % self.limit.per.as_nanos().max(1);
                Some(
                    self.limit
                        .per
                        .saturating_sub(Duration::from_nanos(u64::try_from(into_window).unwrap_or(0))),
                )
            }
        }
    }

    /// Counts a request that is let in.
    pub(crate) fn admit(&mut self, now: Instant) {
        self.admitted.add(now);
    }

    /// The most arrivals in any window of the limit's length that ends with an arrival.
    pub(crate) fn busiest_sliding(&self) -> usize {
        self.busiest_sliding
    }

    /// The most arrivals in any of the windows that follow each other from the server's start.
    pub(crate) fn busiest_fixed(&self) -> usize {
        self.busiest_fixed
    }
}

impl Tally {
    fn add(&mut self, now: Instant) {
        self.forget(now);
        self.recent.push_back(now);
        self.fixed.1 += 1;
    }

    /// Forgets what no window that ends now, or later, can hold.
    fn forget(&mut self, now: Instant) {
        while self
            .recent
            .front()
            .is_some_and(|oldest| now.duration_since(*oldest) >= self.per)
        {
            self.recent.pop_front();
        }
        let window = now.duration_since(self.start).as_nanos() / self.per.as_nanos().max(1);
        if window != self.fixed.0 {
            self.fixed = (window, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a counter says to arrivals at these milliseconds: the wait in milliseconds, or `None` where it lets in.
    fn waits(window: WindowKind, arrivals: &[u64]) -> (Vec<Option<u128>>, usize, usize) {
        let start = Instant::now();
        let limit = RequestWindow {
            max: 2,
            per: Duration::from_millis(1000),
            window,
        };
        let mut counter = WindowCounter::new(limit, start);
        let mut waits = Vec::new();
        for arrival in arrivals {
            let now = start + Duration::from_millis(*arrival);
            counter.arrive(now);
            let wait = counter.wait(now);
            if wait.is_none() {
                counter.admit(now);
            }
            waits.push(wait.map(|wait| wait.as_millis()));
        }
        (waits, counter.busiest_sliding(), counter.busiest_fixed())
    }

    #[test]
    fn a_sliding_window_lets_in_again_when_the_oldest_has_left() {
        let (waits, sliding, fixed) = waits(WindowKind::Sliding, &[600, 900, 1100, 1599, 1600, 1700]);
        assert_eq!(waits, [None, None, Some(500), Some(1), None, Some(200)]);
        assert_eq!((sliding, fixed), (5, 4));
    }

    #[test]
    fn a_fixed_window_lets_in_again_when_the_next_begins() {
        let (waits, sliding, fixed) = waits(WindowKind::Fixed, &[600, 900, 950, 1000, 1100, 1200]);
        assert_eq!(waits, [None, None, Some(50), None, None, Some(800)]);
        assert_eq!((sliding, fixed), (6, 3));
    }
}
