//! The one place where wall-clock time enters: the engine is handed a [`Clock`] and never asks the system itself.
//!
//! Durations and deadlines are measured on tokio's monotonic clock, which a test can pause. Such a clock goes on by itself
//! whenever the runtime has nothing to do, also where it only waits for a thread: [`Clock::hold_while`] keeps that work
//! from counting.

use std::sync::{Arc, mpsc};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

/// Tells the time of day; cheap to clone.
#[derive(Clone)]
pub struct Clock {
    wall: Arc<dyn Fn() -> SystemTime + Send + Sync>,
    is_simulated: bool,
}

impl Clock {
    /// The machine's own clock.
    pub fn system() -> Self {
        Self {
            wall: Arc::new(system_time),
            is_simulated: false,
        }
    }

    /// A wall clock that starts at `start` and moves with tokio's (pausable) monotonic clock.
    pub fn simulated(start: SystemTime) -> Self {
        let origin = Instant::now();
        Self {
            wall: Arc::new(move || start + origin.elapsed()),
            is_simulated: true,
        }
    }

    /// A wall clock of one's own: one that is wrong, or set back, for instance.
    pub fn custom(wall: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        Self {
            wall: Arc::new(wall),
            is_simulated: false,
        }
    }

    /// The time of day.
    pub fn wall(&self) -> SystemTime {
        (self.wall)()
    }

    /// Waits for something that threads outside of the runtime do, for which no simulated time passes. It must not wait
    /// for anything that takes simulated time, which would never come.
    pub async fn hold_while<T>(&self, waiting: impl Future<Output = T>) -> T {
        let _hold = self.is_simulated.then(Hold::begin);
        waiting.await
    }

    /// The time of day in milliseconds since 1970-01-01T00:00:00Z; 0 for times before.
    pub fn unix_millis(&self) -> u64 {
        let since_epoch = self.wall().duration_since(UNIX_EPOCH);
        u64::try_from(since_epoch.unwrap_or(Duration::ZERO).as_millis()).unwrap_or(u64::MAX)
    }
}

/// Keeps tokio's paused clock from going on, until it is dropped: the runtime waits for its blocking tasks first.
struct Hold {
    _end: mpsc::Sender<()>,
}

impl Hold {
    fn begin() -> Self {
        let (end, ended) = mpsc::channel::<()>();
        // Nothing is ever sent: what is waited for is the sender's end.
        tokio::task::spawn_blocking(move || ended.recv().is_ok());
        Self { _end: end }
    }
}

impl std::fmt::Debug for Clock {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Clock").finish_non_exhaustive()
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the system's clock is read here and nowhere else"
)]
fn system_time() -> SystemTime {
    SystemTime::now()
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;
    use tokio::time::sleep;

    use super::*;

    /// What a thread sends after some work.
    fn from_a_thread() -> oneshot::Receiver<()> {
        let (sender, receiver) = oneshot::channel();
        std::thread::spawn(move || {
            (0..10_000).for_each(|_| std::thread::yield_now());
            sender.send(())
        });
        receiver
    }

    #[tokio::test(start_paused = true)]
    async fn no_simulated_time_passes_while_a_thread_is_waited_for() {
        let clock = Clock::simulated(UNIX_EPOCH);
        let tick = async {
            sleep(Duration::from_secs(1)).await;
            clock.unix_millis()
        };
        let thread = async {
            clock.hold_while(from_a_thread()).await.unwrap();
            clock.unix_millis()
        };
        assert_eq!(tokio::join!(tick, thread), (1000, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn only_a_simulated_clock_is_held() {
        Clock::system().hold_while(sleep(Duration::from_secs(1))).await;
    }
}
