//! How long a lock is waited for that another process has: the log of permits is held for an instant each time, so that
//! whoever keeps it longer has stopped in the middle, or hangs.

use std::time::Duration;

use tokio::time::Instant;

/// From one look at the lock to the next.
pub(crate) const NEXT_LOOK: Duration = Duration::from_millis(100);

/// Nobody is told of less.
const TOLD_AFTER: Duration = Duration::from_secs(3);

/// A nightly run should rather fail, and be gone on with, than hang.
pub(crate) const LONGEST: Duration = Duration::from_secs(30);

/// What has come of waiting so far.
#[derive(Debug, Default)]
pub(crate) struct Patience {
    since: Option<Instant>,
    is_told: bool,
}

/// What follows from one more look in vain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    /// Look again.
    Again,
    /// The same, and say so.
    Tell,
    /// It has been long enough.
    GiveUp,
}

impl Patience {
    /// The lock is held by another process still.
    pub(crate) fn look(&mut self, now: Instant) -> Look {
        let waited = now.saturating_duration_since(*self.since.get_or_insert(now));
        if waited >= LONGEST {
            return Look::GiveUp;
        }
        if waited < TOLD_AFTER || self.is_told {
            return Look::Again;
        }
        self.is_told = true;
        Look::Tell
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_is_told_once_and_comes_to_an_end() {
        let start = Instant::now();
        let mut patience = Patience::default();
        let looks = [0, 2, 3, 4, 29, 30, 31].map(|seconds| patience.look(start + Duration::from_secs(seconds)));
        use Look::{Again, GiveUp, Tell};
        assert_eq!(looks, [Again, Again, Tell, Again, Again, GiveUp, GiveUp]);
    }
}
