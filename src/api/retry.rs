//! What happens after a failed attempt: the policy (in the settings), the state of one request, and the decision.
//!
//! The only place that knows the `backoff` crate, of which only the delays are used: every retry goes back through
//! the limiter.

use std::time::Duration;

use backoff::backoff::Backoff;
use backoff::{ExponentialBackoff, ExponentialBackoffBuilder};

use crate::project::{RetryGrowth, RetryPolicy};

/// Throttles that one request takes in a row before it is given up. They are no failures, so `retry.attempts` does not
/// count them; but an API that says nothing else for hours (the waits grow to `retry.max_wait`) will not say it for ever.
pub const MAX_CONSECUTIVE_THROTTLES: u32 = 100;

/// What to do after an attempt that brought no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryDecision {
    /// Ask again after that time.
    Again {
        /// At least what the API asked for, plus the policy's margin.
        wait: Duration,
    },
    /// Give the request up.
    GiveUp,
}

/// How far one request has got under a policy.
pub struct RetryState<'p> {
    policy: &'p RetryPolicy,
    failures: u32,
    failure_waits: Option<Box<dyn Backoff + Send + Sync>>,
    throttles: u32,
    throttle_waits: Option<Box<dyn Backoff + Send + Sync>>,
}

impl<'p> RetryState<'p> {
    /// No attempt was made yet.
    pub fn new(policy: &'p RetryPolicy) -> Self {
        Self {
            policy,
            failures: 0,
            failure_waits: None,
            throttles: 0,
            throttle_waits: None,
        }
    }

    /// Failed attempts until now.
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// Throttles in a row until now.
    pub fn throttles(&self) -> u32 {
        self.throttles
    }

    /// An attempt failed; `hint` is the wait that the API asked for.
    pub fn after_failure(&mut self, hint: Option<Duration>) -> RetryDecision {
        self.failures += 1;
        self.throttles = 0;
        self.throttle_waits = None;
        if self.failures >= self.policy.attempts {
            return RetryDecision::GiveUp;
        }
        next_wait(self.policy, &mut self.failure_waits, asked_for(self.policy, hint))
    }

    /// The API asked to slow down; `hint` is for how long.
    pub fn after_throttle(&mut self, hint: Option<Duration>) -> RetryDecision {
        self.throttles += 1;
        if self.throttles > MAX_CONSECUTIVE_THROTTLES {
            return RetryDecision::GiveUp;
        }
        let asked_for = asked_for(self.policy, hint).or(self.policy.throttle_wait);
        next_wait(self.policy, &mut self.throttle_waits, asked_for)
    }
}

/// The wait that the API asks for, with the policy's margin.
fn asked_for(policy: &RetryPolicy, hint: Option<Duration>) -> Option<Duration> {
    hint.map(|wait| wait.saturating_add(policy.retry_after_margin))
}

/// A growing wait of our own, or `least` where that is longer.
fn next_wait(
    policy: &RetryPolicy,
    waits: &mut Option<Box<dyn Backoff + Send + Sync>>,
    least: Option<Duration>,
) -> RetryDecision {
    // Jitter comes on top of the crate's largest interval, so the policy's limit is applied to its result.
    let own = waits.get_or_insert_with(|| waits_of(policy)).next_backoff();
    match own {
        Some(own) => RetryDecision::Again {
            wait: own.min(policy.max_wait).max(least.unwrap_or_default()),
        },
        None => RetryDecision::GiveUp,
    }
}

fn waits_of(policy: &RetryPolicy) -> Box<dyn Backoff + Send + Sync> {
    match policy.growth {
        RetryGrowth::Exponential => {
            let waits: ExponentialBackoff = ExponentialBackoffBuilder::new()
                .with_initial_interval(policy.initial_wait)
                .with_multiplier(2.0)
                .with_max_interval(policy.max_wait)
                .with_max_elapsed_time(None)
                .build();
            Box::new(waits)
        }
        RetryGrowth::Linear => Box::new(Linear {
            step: policy.initial_wait,
            steps: 0,
        }),
    }
}

/// Waits that grow by the same step each time, without jitter.
struct Linear {
    step: Duration,
    steps: u32,
}

impl Backoff for Linear {
    fn reset(&mut self) {
        self.steps = 0;
    }

    fn next_backoff(&mut self) -> Option<Duration> {
        self.steps = self.steps.saturating_add(1);
        Some(self.step.saturating_mul(self.steps))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(growth: RetryGrowth) -> RetryPolicy {
        RetryPolicy {
            attempts: 6,
            growth,
            initial_wait: Duration::from_secs(1),
            max_wait: Duration::from_secs(5),
            throttle_wait: None,
            retry_after_margin: Duration::from_secs(1),
        }
    }

    fn failure_waits(policy: &RetryPolicy) -> Vec<Duration> {
        let mut state = RetryState::new(policy);
        let mut waits = Vec::new();
        while let RetryDecision::Again { wait } = state.after_failure(None) {
            waits.push(wait);
        }
        waits
    }

    #[test]
    fn linear_waits_grow_by_the_initial_wait_up_to_the_longest() {
        let seconds: Vec<_> = failure_waits(&policy(RetryGrowth::Linear))
            .iter()
            .map(Duration::as_secs)
            .collect();
        assert_eq!(seconds, [1, 2, 3, 4, 5], "six attempts have five waits between them");
        let longer = RetryPolicy {
            attempts: 9,
            ..policy(RetryGrowth::Linear)
        };
        assert_eq!(failure_waits(&longer)[5..], [Duration::from_secs(5); 3]);
    }

    #[test]
    fn exponential_waits_double_within_their_jitter_and_stay_below_the_longest() {
        let policy = policy(RetryGrowth::Exponential);
        for _ in 0..200 {
            let waits = failure_waits(&policy);
            assert_eq!(waits.len(), 5);
            for (wait, interval) in waits.iter().zip([1.0, 2.0, 4.0, 5.0, 5.0]) {
                let seconds = wait.as_secs_f64();
                assert!(
                    seconds >= 0.5 * interval - 1e-6,
                    "{seconds} after an interval of {interval}"
                );
                assert!(
                    seconds <= (1.5 * interval + 1e-6).min(5.0),
                    "{seconds} after an interval of {interval}"
                );
            }
        }
        let distinct: std::collections::HashSet<_> = (0..20).map(|_| failure_waits(&policy)[0]).collect();
        assert!(distinct.len() > 1, "no jitter");
    }

    #[test]
    fn a_hint_and_its_margin_lengthen_a_wait_and_never_shorten_it() {
        let policy = policy(RetryGrowth::Linear);
        let mut state = RetryState::new(&policy);
        let long = state.after_failure(Some(Duration::from_secs(30)));
        assert_eq!(
            long,
            RetryDecision::Again {
                wait: Duration::from_secs(31)
            }
        );
        let short = state.after_failure(Some(Duration::ZERO));
        assert_eq!(
            short,
            RetryDecision::Again {
                wait: Duration::from_secs(2)
            }
        );
        let absurd = state.after_failure(Some(Duration::MAX));
        assert_eq!(absurd, RetryDecision::Again { wait: Duration::MAX });
    }

    #[test]
    fn throttles_that_name_no_wait_have_the_sources_own() {
        let policy = RetryPolicy {
            throttle_wait: Some(Duration::from_secs(65)),
            ..policy(RetryGrowth::Linear)
        };
        let mut state = RetryState::new(&policy);
        let seconds = |wait| RetryDecision::Again {
            wait: Duration::from_secs(wait),
        };
        assert_eq!(state.after_throttle(None), seconds(65));
        assert_eq!(state.after_throttle(Some(Duration::from_secs(9))), seconds(10));
        assert_eq!(state.after_failure(None), seconds(1));
    }

    #[test]
    fn one_attempt_allowed_means_no_retry() {
        let policy = RetryPolicy {
            attempts: 1,
            ..policy(RetryGrowth::Linear)
        };
        assert_eq!(RetryState::new(&policy).after_failure(None), RetryDecision::GiveUp);
    }

    #[test]
    fn throttles_are_not_failures_but_end_some_time() {
        let policy = policy(RetryGrowth::Linear);
        let mut state = RetryState::new(&policy);
        for _ in 0..MAX_CONSECUTIVE_THROTTLES {
            assert!(matches!(state.after_throttle(None), RetryDecision::Again { .. }));
        }
        assert_eq!(state.failures(), 0);
        assert_eq!(state.after_throttle(None), RetryDecision::GiveUp);
    }

    #[test]
    fn a_failure_between_them_breaks_a_row_of_throttles() {
        let policy = policy(RetryGrowth::Linear);
        let mut state = RetryState::new(&policy);
        for _ in 0..3 {
            state.after_throttle(None);
        }
        state.after_failure(None);
        assert_eq!(state.throttles(), 0);
        assert_eq!(
            state.after_throttle(None),
            RetryDecision::Again {
                wait: Duration::from_secs(1)
            }
        );
    }
}
