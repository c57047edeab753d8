//! Over how many requests the work at hand is spread.
//!
//! Pure. Work that is split is done side by side and sooner, and costs permits. What a permit is worth follows from how
//! many are left: each of them has to do for its share of the window. Where that is more than the split gains, the work
//! travels together.

use std::time::Duration;

/// How many times faster than evenly what is left of the budget may be spent: most runs do not last for a whole window,
/// and what is scarce becomes dear by itself.
const HASTE: f64 = 4.0;
/// Seconds that a request is worth at least: what saves less is noise, and work for the server.
const LEAST_PRICE: f64 = 0.05;

/// What is left of the source's budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Budget {
    /// Requests that could be sent now.
    pub(crate) free: u32,
    /// The most requests in a window.
    pub(crate) most: u32,
    /// The length of the window.
    pub(crate) per: Duration,
}

impl Budget {
    /// How many requests keep the budget used up where each takes so many seconds (Little's law), and one that waits:
    /// what is made before its permit is made with what is known by then. Any number while permits are free.
    pub(crate) fn called_for(&self, seconds: f64) -> Option<usize> {
        let in_flight = f64::from(self.most) * seconds / self.per.as_secs_f64();
        (self.free == 0 && seconds > 0.0).then_some(in_flight.ceil() as usize + 1)
    }
}

/// How work is spread; `None` for a source without a budget.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Spread {
    pub(crate) budget: Option<Budget>,
    /// Requests that may still be put in flight.
    pub(crate) free_places: usize,
    /// Seconds that any answer takes, however little it holds.
    pub(crate) base: f64,
}

/// How the work at hand goes out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Split {
    /// Seconds of rows in each request.
    pub(crate) share: f64,
    /// Whether there are several.
    pub(crate) is_spread: bool,
}

impl Spread {
    /// Seconds that a permit is worth.
    pub(crate) fn price(&self) -> f64 {
        let price = |budget: Budget| budget.per.as_secs_f64() / (HASTE * f64::from(budget.free + 1));
        self.budget.map_or(0.0, price).max(LEAST_PRICE)
    }

    /// How so many seconds of rows that are at hand go out: split into n requests they take the nth part of the time, and
    /// one request more is worth what that saves. None holds less than any answer takes.
    pub(crate) fn split(&self, at_hand: f64) -> Split {
        let by_price = (at_hand / self.price()).sqrt();
        let by_base = if self.base > 0.0 {
            at_hand / self.base
        } else {
            f64::INFINITY
        };
        let places = self.free_places.max(1) as f64;
        let requests = by_price.min(by_base).round().clamp(1.0, places);
        Split {
            share: at_hand / requests,
            is_spread: requests > 1.0,
        }
    }

    /// Whether a request that has room left goes out all the same, in place of waiting for answers that are expected in
    /// so many seconds. What it asks for is seldom what the others wait for, so that no haste is made.
    pub(crate) fn is_worth_it(&self, wait: f64) -> bool {
        self.price() * HASTE <= wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spread(free: u32) -> Spread {
        Spread {
            budget: Some(Budget {
                free,
                most: 100,
                per: Duration::from_secs(60),
            }),
            free_places: 16,
            base: 0.2,
        }
    }

    #[test]
    fn a_permit_is_the_dearer_the_fewer_are_left() {
        let prices = [99, 49, 9, 0].map(|free| spread(free).price());
        assert_eq!(prices, [0.15, 0.3, 1.5, 15.0]);
        let free = Spread {
            budget: None,
            ..spread(0)
        };
        assert_eq!(free.price(), LEAST_PRICE);
    }

    #[test]
    fn as_many_are_in_flight_as_the_budget_and_the_latency_call_for() {
        let budget = |free| spread(free).budget.unwrap();
        assert_eq!(budget(0).called_for(6.0), Some(11));
        assert_eq!(budget(0).called_for(0.1), Some(2));
        assert_eq!(budget(3).called_for(6.0), None, "what is free is used");
        assert_eq!(budget(0).called_for(0.0), None, "nothing is known yet");
    }

    #[test]
    fn much_work_is_spread_and_little_is_not() {
        let requests = |free, at_hand: f64| (at_hand / spread(free).split(at_hand).share).round();
        assert_eq!(requests(99, 60.0), 16.0, "as many as may be in flight");
        assert_eq!(requests(99, 0.6), 2.0);
        assert_eq!(requests(99, 0.25), 1.0, "no request for less than any answer takes");
        assert_eq!(requests(0, 10.0), 1.0, "the last permit carries what there is");
        assert!(spread(99).split(0.6).is_spread && !spread(0).split(10.0).is_spread);
    }

    #[test]
    fn without_a_budget_all_places_are_used_where_that_saves_anything() {
        let free = Spread {
            budget: None,
            ..spread(0)
        };
        assert_eq!(free.split(32.0).share, 2.0);
        assert!(!free.split(0.25).is_spread);
        assert!(free.is_worth_it(0.5) && !free.is_worth_it(0.1));
    }

    #[test]
    fn a_request_with_room_left_waits_where_permits_are_dear() {
        assert!(spread(99).is_worth_it(0.7));
        assert!(!spread(5).is_worth_it(0.5));
    }
}
