//! Ctrl-C and SIGTERM: the first asks to stop, the second stops.

use tokio::sync::watch;

use crate::report::{Event, SharedObserver};

const FIRST: &str =
    "stopping: what is in flight is taken in, and the next run goes on from there; Ctrl-C again stops at once";
const SECOND: &str = "stopped; the next run goes on from there";

/// The exit code of a run that was stopped.
const INTERRUPTED: i32 = 5;

/// Watches for signals as long as it is polled; must run inside the runtime.
pub(super) async fn watch_signals(stop: watch::Sender<bool>, observer: &SharedObserver) {
    if next_signal().await.is_err() {
        // Without signal handlers the system's own way of ending a process remains; the state survives that too.
        return std::future::pending().await;
    }
    say(observer, FIRST);
    // Nobody listens any more if the run has just ended.
    let _ = stop.send(true);
    if next_signal().await.is_ok() {
        say(observer, SECOND);
        exit();
    }
    std::future::pending::<()>().await;
}

#[expect(
    clippy::exit,
    reason = "the second signal is to end the process, whatever it is doing"
)]
fn exit() -> ! {
    std::process::exit(INTERRUPTED)
}

fn say(observer: &SharedObserver, text: &str) {
    observer.notice(&Event::Warning {
        query: None,
        text: text.to_owned(),
    });
}

#[cfg(unix)]
async fn next_signal() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

#[cfg(not(unix))]
async fn next_signal() -> std::io::Result<()> {
    tokio::signal::ctrl_c().await
}
