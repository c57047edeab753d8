//! What the API says is left of a budget that it counts in something else than requests: in points, of which one request
//! takes more than another.

use std::collections::VecDeque;
use std::time::Duration;

/// Answers by which it is told what a request may cost.
const REMEMBERED: usize = 32;

/// How much later a window's end may seem by another answer: moments are told in whole seconds.
const ROUNDING: Duration = Duration::from_secs(1);

/// What an answer says of a budget.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct ToldBudget {
    /// By which header.
    pub(super) name: &'static str,
    pub(super) remaining: f64,
    /// How long it takes until it is whole again.
    pub(super) resets_in: Duration,
}

/// What is known of one budget.
#[derive(Debug, Default)]
pub(super) struct Allowance {
    last: Option<ToldBudget>,
    /// What the last answers took, as far as what remained shows it.
    costs: VecDeque<f64>,
}

/// What may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Allowed {
    /// So many requests at once, counting those on their way, of which it is not known whether what is left is without
    /// them.
    AtOnce(usize),
    /// Nothing for that long.
    NothingFor(Duration),
}

impl Allowance {
    /// Takes in what an answer says. `None` where requests cost one each, as far as is known: their windows keep to that.
    pub(super) fn heed(&mut self, told: ToldBudget) -> Option<Allowed> {
        let told = match self.last {
            Some(last) if told.resets_in <= last.resets_in + ROUNDING => self.of_same_window(last, told),
            _ => told,
        };
        self.last = Some(told);
        let most = self.costs.iter().copied().fold(0.0, f64::max);
        if most <= 1.0 {
            return None;
        }
        Some(match (told.remaining / most) as usize {
            0 => Allowed::NothingFor(told.resets_in),
            requests => Allowed::AtOnce(requests),
        })
    }

    /// An answer that was long on its way may tell of more than is left by now.
    fn of_same_window(&mut self, last: ToldBudget, told: ToldBudget) -> ToldBudget {
        let cost = last.remaining - told.remaining;
        if cost <= 0.0 {
            let remaining = last.remaining;
            return ToldBudget { remaining, ..told };
        }
        self.costs.push_back(cost);
        if self.costs.len() > REMEMBERED {
            self.costs.pop_front();
        }
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What may be sent after answers that say what remains and, in seconds, when there is more.
    fn allowed(answers: &[(f64, u64)]) -> Option<Allowed> {
        let mut allowance = Allowance::default();
        let told = answers.iter().map(|(remaining, seconds)| ToldBudget {
            name: "points",
            remaining: *remaining,
            resets_in: Duration::from_secs(*seconds),
        });
        told.map(|told| allowance.heed(told)).last().flatten()
    }

    #[test]
    fn so_many_requests_may_be_on_their_way_as_what_is_left_pays_for() {
        assert_eq!(allowed(&[(100.0, 60)]), None, "what a request costs is not known");
        assert_eq!(allowed(&[(100.0, 60), (99.0, 60), (98.0, 59)]), None, "it is one");
        assert_eq!(
            allowed(&[(100.0, 60), (80.0, 60), (70.0, 59)]),
            Some(Allowed::AtOnce(3))
        );
        let nothing = Some(Allowed::NothingFor(Duration::from_secs(58)));
        assert_eq!(allowed(&[(100.0, 60), (80.0, 60), (19.0, 58)]), nothing);
    }

    #[test]
    fn a_late_answer_gives_nothing_back_and_a_new_window_does() {
        let late = [(100.0, 60), (90.0, 60), (20.0, 59), (80.0, 59)];
        assert_eq!(allowed(&late), Some(Allowed::NothingFor(Duration::from_secs(59))));
        assert_eq!(
            allowed(&[(100.0, 9), (50.0, 2), (100.0, 3600)]),
            Some(Allowed::AtOnce(2))
        );
    }
}
