//! One run at a time per source and output: the lock taken, or waited for.

use std::path::Path;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::api::stopped;
use crate::report::Event;
use crate::run::source_run::{RunSettings, SourceError};
use crate::state::{StateError, StateLock};

/// From one look at a lock that another process has to the next: nobody tells when it is let go of.
const NEXT_LOOK: Duration = Duration::from_millis(200);

/// Takes the lock of a source's own folder; waits for its owner for as long as `settings.wait` says.
pub(super) async fn take_turn(folder: &Path, source: &str, settings: &RunSettings) -> Result<StateLock, SourceError> {
    let began = Instant::now();
    let mut is_told = false;
    loop {
        let refused = match StateLock::take(folder, &settings.clock) {
            Ok(lock) => return Ok(lock),
            Err(error @ StateError::Locked { .. }) => error,
            Err(error) => return Err(error.into()),
        };
        let left = settings.wait.saturating_sub(began.elapsed());
        if left.is_zero() {
            return Err(refused.into());
        }
        if !is_told {
            let text = format!("{source}: waits: {refused}");
            settings.observer.notice(&Event::Notice { query: None, text });
            is_told = true;
        }
        tokio::select! {
            biased;
            () = stopped(settings.stop.clone()) => return Err(SourceError::Stopped),
            () = sleep(left.min(NEXT_LOOK)) => {}
        }
    }
}
