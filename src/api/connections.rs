//! Watches the opening of connections, so that the limiter knows which requests can have been held up by one.
//!
//! A request handed over while no connection is being opened finds one that is ready, and leaves at once. Otherwise
//! it leaves, at the latest, when no opening is under way any more: either its own is done, or another connection
//! came free for it before. (HTTP/2 streams are no obstacle as long as the API allows as many as `limits.concurrency`
//! on one connection; servers are asked by the standard to allow at least 100.)

use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use futures::future::BoxFuture;
use tokio::time::Instant;
use tower_layer::Layer;
use tower_service::Service;

/// What is known of the connections of one client; clones share it.
#[derive(Clone, Default)]
pub(crate) struct ConnectionWatch {
    openings: Arc<Mutex<Openings>>,
}

#[derive(Default)]
struct Openings {
    under_way: usize,
    last_ended: Option<Instant>,
}

impl ConnectionWatch {
    /// The latest moment at which a request that was handed over at `handed_over` can have got a connection; `None`
    /// while one is being opened.
    pub(crate) fn connected_by(&self, handed_over: Instant) -> Option<Instant> {
        let openings = self.openings.lock().unwrap_or_else(PoisonError::into_inner);
        if openings.under_way > 0 {
            return None;
        }
        Some(openings.last_ended.map_or(handed_over, |ended| ended.max(handed_over)))
    }

    fn begin(&self) -> Opening {
        self.openings.lock().unwrap_or_else(PoisonError::into_inner).under_way += 1;
        Opening { watch: self.clone() }
    }
}

/// One connection being opened; dropped when that succeeds, fails or is abandoned.
struct Opening {
    watch: ConnectionWatch,
}

impl Drop for Opening {
    fn drop(&mut self) {
        let mut openings = self.watch.openings.lock().unwrap_or_else(PoisonError::into_inner);
        openings.under_way -= 1;
        openings.last_ended = Some(Instant::now());
    }
}

impl<S> Layer<S> for ConnectionWatch {
    type Service = WatchedConnector<S>;

    fn layer(&self, connector: S) -> Self::Service {
        WatchedConnector {
            connector,
            watch: self.clone(),
        }
    }
}

/// A connector whose every use is watched.
#[derive(Clone)]
pub(crate) struct WatchedConnector<S> {
    connector: S,
    watch: ConnectionWatch,
}

impl<S, Target> Service<Target> for WatchedConnector<S>
where
    S: Service<Target>,
    S::Future: Send + 'static,
    S::Response: Send,
    S::Error: Send,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<S::Response, S::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.connector.poll_ready(context)
    }

    fn call(&mut self, target: Target) -> Self::Future {
        let opening = self.watch.begin();
        let connecting = self.connector.call(target);
        Box::pin(async move {
            let connected = connecting.await;
            drop(opening);
            connected
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::{advance, sleep};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_request_leaves_at_once_while_nothing_is_being_opened() {
        let watch = ConnectionWatch::default();
        let handed_over = Instant::now();
        advance(Duration::from_secs(3)).await;
        assert_eq!(watch.connected_by(handed_over), Some(handed_over));
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_leaves_when_the_last_opening_has_ended() {
        let watch = ConnectionWatch::default();
        let first = watch.begin();
        let handed_over = Instant::now();
        let second = watch.begin();
        advance(Duration::from_secs(1)).await;
        drop(first);
        assert_eq!(watch.connected_by(handed_over), None, "one is still under way");
        advance(Duration::from_secs(1)).await;
        drop(second);
        advance(Duration::from_secs(1)).await;
        assert_eq!(
            watch.connected_by(handed_over),
            Some(handed_over + Duration::from_secs(2))
        );
        let later = Instant::now();
        assert_eq!(
            watch.connected_by(later),
            Some(later),
            "openings of the past hold up nobody"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn an_abandoned_opening_counts_as_ended() {
        let watch = ConnectionWatch::default();
        let slow = FunctionService(|()| async {
            sleep(Duration::from_secs(60)).await;
            Ok(())
        });
        let mut connector = watch.layer(slow);
        let connecting = connector.call(());
        let handed_over = Instant::now();
        assert_eq!(watch.connected_by(handed_over), None);
        drop(connecting);
        assert_eq!(watch.connected_by(handed_over), Some(handed_over));
    }

    struct FunctionService<F>(F);

    impl<F, Future> Service<()> for FunctionService<F>
    where
        F: FnMut(()) -> Future,
        Future: std::future::Future<Output = Result<(), ()>>,
    {
        type Response = ();
        type Error = ();
        type Future = Future;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ()>> {
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, target: ()) -> Future {
            (self.0)(target)
        }
    }
}
