//! How long an answer takes: for itself, for each row in it, and for each byte.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

use crate::demo::behaviour::{duration, durations};
use crate::demo::log::Outcome;

/// How long an answer takes at least, from when the work on it begins.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Latency {
    /// For any answer.
    #[serde(deserialize_with = "duration")]
    pub base: Duration,
    /// For each row of a connection in it.
    #[serde(deserialize_with = "duration")]
    pub per_node: Duration,
    /// For each row of these types, in the place of `per_node`.
    #[serde(default, deserialize_with = "durations")]
    pub per_type: BTreeMap<String, Duration>,
    /// For each byte of its body.
    #[serde(default, deserialize_with = "duration")]
    pub per_byte: Duration,
}

impl Latency {
    /// How long an answer of so many bytes takes, where rows and bytes take `factor` times as long as usual.
    pub(crate) fn of(&self, outcome: &Outcome, bytes: usize, factor: f64) -> Duration {
        let rows = outcome
            .rows()
            .map(|row| self.per_type.get(&row.ty).unwrap_or(&self.per_node));
        let rows: Duration = rows.sum();
        let bytes = self.per_byte.saturating_mul(u32::try_from(bytes).unwrap_or(u32::MAX));
        let usual = rows.saturating_add(bytes);
        // Not multiplied where nothing is slower than usual, so that what was asked for is exact.
        let drifted = if factor == 1.0 { usual } else { usual.mul_f64(factor) };
        self.base.saturating_add(drifted)
    }
}
