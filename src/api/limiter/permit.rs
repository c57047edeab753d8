//! A permit: the right to one attempt on the wire, and the duty to say when that attempt can have arrived.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::api::limiter::gate::{Grant, Limiter};
use crate::api::limiter::window::Arrival;

/// The shortest pause between two looks at whether a request has left; for margins of zero.
const SHORTEST_CHECK: Duration = Duration::from_millis(5);

/// The right to one attempt on the wire. Dropped without [`Permit::accompany`], it costs nothing; dropped in the
/// middle of that, the request counts as arriving at that moment.
pub struct Permit<'l> {
    limiter: &'l Limiter,
    grant: Grant,
    margin: Option<Duration>,
    granted_at: Instant,
    stage: Stage,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Not handed over yet.
    Granted,
    /// Handed over; when its slots come back is not known.
    Sent,
    /// When its slots come back is known.
    Settled,
}

impl<'l> Permit<'l> {
    pub(super) fn new(limiter: &'l Limiter, grant: Grant, margin: Option<Duration>) -> Self {
        Self {
            limiter,
            grant,
            margin,
            granted_at: Instant::now(),
            stage: Stage::Granted,
        }
    }

    /// Sees one exchange through. `left_by` is asked, with the moment of handing over, for the latest moment at which
    /// the request can have left, or `None` while that cannot be said. Returns what the exchange brought, and the
    /// moment of handing over.
    pub async fn accompany<R>(
        mut self,
        exchange: impl Future<Output = R>,
        left_by: impl Fn(Instant) -> Option<Instant>,
    ) -> (R, Instant) {
        self.stage = Stage::Sent;
        let sent_at = Instant::now();
        let Some(margin) = self.margin else {
            return (exchange.await, sent_at);
        };
        let mut exchange = std::pin::pin!(exchange);
        let mut check_at = sent_at + margin;
        let result = loop {
            tokio::select! {
                biased;
                result = &mut exchange => break result,
                // An answer that is long in coming must not hold back a slot whose request has surely arrived.
                () = sleep_until(check_at), if self.stage == Stage::Sent => {
                    self.settle(Arrival { left_by: left_by(sent_at), over_at: None });
                    check_at = Instant::now() + margin.max(SHORTEST_CHECK);
                }
            }
        };
        if self.stage == Stage::Sent {
            self.settle(Arrival {
                left_by: left_by(sent_at),
                over_at: Some(Instant::now()),
            });
        }
        (result, sent_at)
    }

    fn settle(&mut self, arrival: Arrival) {
        if self.limiter.settle(self.grant.noted, arrival) {
            self.stage = Stage::Settled;
        }
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if self.stage == Stage::Granted {
            self.limiter.put_back(self.grant);
            return;
        }
        if self.stage == Stage::Sent {
            self.settle(Arrival {
                left_by: None,
                over_at: Some(Instant::now()),
            });
        }
        self.limiter.land(self.grant.ticket, self.granted_at.elapsed());
    }
}
