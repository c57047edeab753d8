//! The one place where wall-clock time enters: the engine is handed a [`Clock`] and never asks the system itself.
//!
//! Durations and deadlines are measured on tokio's monotonic clock, which a test can pause.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

/// Tells the time of day; cheap to clone.
#[derive(Clone)]
pub struct Clock {
    wall: Arc<dyn Fn() -> SystemTime + Send + Sync>,
}

impl Clock {
    /// The machine's own clock.
    pub fn system() -> Self {
        Self {
            wall: Arc::new(system_time),
        }
    }

    /// A wall clock that starts at `start` and moves with tokio's (pausable) monotonic clock.
    pub fn simulated(start: SystemTime) -> Self {
        let origin = Instant::now();
        Self {
            wall: Arc::new(move || start + origin.elapsed()),
        }
    }

    /// A wall clock of one's own: one that is wrong, or set back, for instance.
    pub fn custom(wall: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        Self { wall: Arc::new(wall) }
    }

    /// The time of day.
    pub fn wall(&self) -> SystemTime {
        (self.wall)()
    }

    /// The time of day in milliseconds since 1970-01-01T00:00:00Z; 0 for times before.
    pub fn unix_millis(&self) -> u64 {
        let since_epoch = self.wall().duration_since(UNIX_EPOCH);
        u64::try_from(since_epoch.unwrap_or(Duration::ZERO).as_millis()).unwrap_or(u64::MAX)
    }
}

impl std::fmt::Debug for Clock {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Clock").finish_non_exhaustive()
    }
}

#[expect(clippy::disallowed_methods, reason = "the system's clock is read here and nowhere else")]
fn system_time() -> SystemTime {
    SystemTime::now()
}
