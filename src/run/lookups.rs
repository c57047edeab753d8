//! How many rows share a request that asks for what does not come with them, as failures show.
//!
//! Pure.

use serde::{Deserialize, Serialize};

/// Full requests answered one after the other, until one row in [`STEP`] more is tried: one failure in so many is less
/// than the requests that more rows spare.
const PATIENCE: u32 = 30;
/// The part of a limit by which it is probed upwards.
const STEP: usize = 4;

/// What is known of such requests.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Lookups {
    /// The most rows that one bears; `None` while none has failed for them.
    most: Option<usize>,
    /// Full requests answered since the limit was last changed.
    #[serde(default)]
    answered: u32,
}

impl Lookups {
    /// The most rows that share a request, if there is such a limit.
    pub(crate) fn most(&self) -> Option<usize> {
        self.most
    }

    /// A request with so many rows failed, and its rows came with fewer of them at once.
    pub(crate) fn note_too_many(&mut self, rows: usize) {
        let less = rows.div_ceil(2).max(1);
        self.most = Some(self.most.map_or(less, |most| most.min(less)));
        self.answered = 0;
    }

    /// So many requests with as many rows as there may be were answered.
    pub(crate) fn note_full(&mut self, requests: u32) {
        let Some(most) = self.most else { return };
        self.answered = self.answered.saturating_add(requests);
        if self.answered >= PATIENCE {
            self.most = Some(most + most.div_ceil(STEP));
            self.answered = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_the_half_of_what_failed_and_is_probed_upwards_slowly() {
        let mut lookups = Lookups::default();
        lookups.note_full(1000);
        assert_eq!(lookups.most(), None, "nothing has failed");
        lookups.note_too_many(100);
        assert_eq!(lookups.most(), Some(50));
        lookups.note_full(PATIENCE - 1);
        assert_eq!(lookups.most(), Some(50));
        lookups.note_full(1);
        assert_eq!(lookups.most(), Some(63));
        lookups.note_too_many(63);
        assert_eq!(lookups.most(), Some(32));
        lookups.note_too_many(90);
        assert_eq!(lookups.most(), Some(32), "what is known to be less stays");
        lookups.note_too_many(1);
        assert_eq!(lookups.most(), Some(1));
    }
}
