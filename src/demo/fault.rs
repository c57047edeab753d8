//! What goes wrong on purpose: by chance, from a seed, or by a script.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::demo::behaviour::duration;
use crate::demo::entropy::Entropy;

/// What goes wrong on purpose.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultPlan {
    /// How often what goes wrong by chance.
    #[serde(default)]
    pub rates: FaultRates,
    /// What goes wrong at certain requests; goes before chance.
    #[serde(default)]
    pub script: Vec<ScriptedFault>,
    /// How much later than usual a slow answer comes.
    #[serde(deserialize_with = "duration")]
    pub slow_by: Duration,
}

/// Likelihoods from 0 to 1 for each request; their sum is at most 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FaultRates {
    /// Any of 500, 502, 503 and 504.
    pub server_error: f64,
    /// A 429 though the limit is kept.
    pub throttle: f64,
    /// A page in HTML under status 200.
    pub html: f64,
    /// Errors of a kind that passes, and null data, under status 200.
    pub transient_errors: f64,
    /// The connection is cut in mid-body.
    pub cut: f64,
    /// The answer comes late.
    pub slow: f64,
}

/// What goes wrong at one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScriptedFault {
    /// Which request, counted from 1 in the order of arrival; all count, introspection and refused ones too.
    pub request: u64,
    /// What goes wrong.
    pub fault: Fault,
}

/// One thing that can go wrong with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// Status 500 with an HTML body.
    InternalError,
    /// Status 500 with a JSON body that is no GraphQL answer.
    JsonError,
    /// Status 502 with an HTML body.
    BadGateway,
    /// Status 503 with an HTML body.
    Unavailable,
    /// Status 504 with an HTML body.
    GatewayTimeout,
    /// A 429 though the limit is kept.
    Throttle,
    /// A page in HTML under status 200.
    Html,
    /// Errors of a kind that passes, and null data, under status 200.
    TransientErrors,
    /// An error that says nothing of itself, and no data at all, under status 200; by a script only.
    NoData,
    /// The connection is cut in mid-body.
    Cut,
    /// The answer comes late.
    Slow,
}

/// The faults of status 5xx.
const SERVER_ERRORS: [Fault; 4] = [
    Fault::InternalError,
    Fault::BadGateway,
    Fault::Unavailable,
    Fault::GatewayTimeout,
];

impl FaultPlan {
    /// No faults at all.
    pub fn none() -> Self {
        Self {
            rates: FaultRates::default(),
            script: Vec::new(),
            slow_by: Duration::ZERO,
        }
    }

    /// What goes wrong at the request of that number; a function of the plan, the seed and the number.
    pub(crate) fn fault_at(&self, request: u64, seed: u64) -> Option<Fault> {
        if let Some(scripted) = self.script.iter().find(|scripted| scripted.request == request) {
            return Some(scripted.fault);
        }
        let mut entropy = Entropy::of_seed(seed).named("faults").at(request);
        let mut left = entropy.unit();
        let server_error = entropy.pick(&SERVER_ERRORS).copied();
        let rates = &self.rates;
        let chances = [
            (rates.server_error, server_error),
            (rates.throttle, Some(Fault::Throttle)),
            (rates.html, Some(Fault::Html)),
            (rates.transient_errors, Some(Fault::TransientErrors)),
            (rates.cut, Some(Fault::Cut)),
            (rates.slow, Some(Fault::Slow)),
        ];
        for (rate, fault) in chances {
            if left < rate {
                return fault;
            }
            left -= rate;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn counts(plan: &FaultPlan, seed: u64) -> BTreeMap<Fault, u32> {
        let mut counts = BTreeMap::new();
        for fault in (1..=20_000).filter_map(|request| plan.fault_at(request, seed)) {
            *counts.entry(fault).or_default() += 1;
        }
        counts
    }

    #[test]
    fn faults_come_as_often_as_their_rates_say() {
        let rates = FaultRates {
            server_error: 0.1,
            throttle: 0.05,
            cut: 0.02,
            ..FaultRates::default()
        };
        let plan = FaultPlan {
            rates,
            ..FaultPlan::none()
        };
        let counts = counts(&plan, 1);
        let server_errors: u32 = SERVER_ERRORS.iter().map(|fault| counts[fault]).sum();
        assert!((1_850..2_150).contains(&server_errors), "{counts:?}");
        assert!(SERVER_ERRORS.iter().all(|fault| counts[fault] > 350), "{counts:?}");
        assert!((900..1_100).contains(&counts[&Fault::Throttle]), "{counts:?}");
        assert!((330..470).contains(&counts[&Fault::Cut]), "{counts:?}");
        assert_eq!(counts.len(), 6);
    }

    #[test]
    fn seeds_decide_which_requests_suffer() {
        let plan = FaultPlan {
            rates: FaultRates {
                slow: 0.3,
                ..FaultRates::default()
            },
            ..FaultPlan::none()
        };
        let suffering = |seed| {
            (1..100)
                .filter(|request| plan.fault_at(*request, seed).is_some())
                .collect::<Vec<u64>>()
        };
        assert_eq!(suffering(1), suffering(1));
        assert_ne!(suffering(1), suffering(2));
    }

    #[test]
    fn scripts_strike_at_their_request_alone() {
        let script = vec![ScriptedFault {
            request: 3,
            fault: Fault::Cut,
        }];
        let plan = FaultPlan {
            script,
            ..FaultPlan::none()
        };
        let struck: Vec<Option<Fault>> = (1..=4).map(|request| plan.fault_at(request, 1)).collect();
        assert_eq!(struck, [None, None, Some(Fault::Cut), None]);
    }
}
