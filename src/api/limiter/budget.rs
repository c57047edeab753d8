//! Tells how the budget stands, as often as an eye can follow.

use std::time::Duration;

use tokio::time::Instant;

use crate::report::{Event, SharedObserver, WindowUse};

/// The shortest time between two [`Event::Budget`]s: ten a second are a smooth picture, and cost nothing.
const INTERVAL: Duration = Duration::from_millis(100);

/// How the budget stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BudgetState {
    pub(super) window: Option<WindowUse>,
    pub(super) in_flight: usize,
    pub(super) waiting: usize,
    /// When the next permit comes free, if requests wait for one and that is known.
    pub(super) next_permit: Option<Instant>,
}

/// Passes changes on to the observer.
pub(super) struct BudgetTeller {
    api: String,
    observer: SharedObserver,
}

/// When what was told last, and whether something newer is untold.
#[derive(Default)]
pub(super) struct BudgetTold {
    at: Option<Instant>,
    state: Option<BudgetState>,
    untold: bool,
}

impl BudgetTold {
    /// Whether `state` should be told now; notes it as told if so, and as untold if it comes too soon.
    pub(super) fn is_due(&mut self, state: BudgetState, now: Instant) -> bool {
        if self.state == Some(state) {
            self.untold = false;
            return false;
        }
        if self.at.is_some_and(|at| now < at + INTERVAL) {
            self.untold = true;
            return false;
        }
        *self = Self {
            at: Some(now),
            state: Some(state),
            untold: false,
        };
        true
    }

    /// When a change that came too soon should be told after all.
    pub(super) fn due_at(&self) -> Option<Instant> {
        if !self.untold {
            return None;
        }
        self.at.map(|at| at + INTERVAL)
    }
}

impl BudgetTeller {
    pub(super) fn new(api: &str, observer: SharedObserver) -> Self {
        Self {
            api: api.to_owned(),
            observer,
        }
    }

    pub(super) fn tell(&self, state: BudgetState, now: Instant) {
        self.observer.notice(&Event::Budget {
            source: self.api.clone(),
            window: state.window,
            in_flight: state.in_flight,
            waiting: state.waiting,
            next_permit: state.next_permit.map(|at| at.saturating_duration_since(now)),
        });
    }

    /// Says in words what keeps the budget from being used.
    pub(super) fn explain(&self, text: &str) {
        let text = format!("{}: {text}", self.api);
        self.observer.notice(&Event::Notice { query: None, text });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(in_flight: usize) -> BudgetState {
        BudgetState {
            window: None,
            in_flight,
            waiting: 0,
            next_permit: None,
        }
    }

    #[test]
    fn changes_are_told_ten_times_a_second_at_most_and_the_last_one_is_due_later() {
        let start = Instant::now();
        let mut told = BudgetTold::default();
        assert!(told.is_due(state(1), start));
        assert_eq!(told.due_at(), None);
        assert!(!told.is_due(state(2), start + Duration::from_millis(99)));
        assert_eq!(told.due_at(), Some(start + INTERVAL));
        assert!(told.is_due(state(2), start + INTERVAL));
        assert_eq!(told.due_at(), None);
    }

    #[test]
    fn what_did_not_change_is_not_told_again() {
        let start = Instant::now();
        let mut told = BudgetTold::default();
        assert!(told.is_due(state(1), start));
        assert!(!told.is_due(state(1), start + 2 * INTERVAL));
        assert!(!told.is_due(state(2), start + Duration::from_millis(10)));
        assert!(
            !told.is_due(state(1), start + Duration::from_millis(20)),
            "back to what was told"
        );
        assert_eq!(told.due_at(), None);
    }
}
