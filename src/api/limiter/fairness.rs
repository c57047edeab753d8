//! Plays several query files against one budget, in simulated time: each has its share, and none is wasted.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use super::gate::Limiter;
use crate::project::{CountedBy, Limits, QueryLimits, RequestLimit};
use crate::report::{Event, Observer};

const MINUTE: Duration = Duration::from_secs(60);

struct Silent;

impl Observer for Silent {
    fn notice(&self, _: &Event) {}
}

/// A query file's export: so many requests side by side until it had so many answers.
#[derive(Clone, Copy)]
struct Export {
    query: &'static str,
    side_by_side: usize,
    requests: usize,
    latency: Duration,
}

const HUGE: Export = Export {
    query: "huge",
    side_by_side: 16,
    requests: usize::MAX,
    latency: Duration::from_millis(200),
};

fn limiter(max: u32, concurrency: usize) -> Limiter {
    let limits = Limits {
        requests: vec![RequestLimit {
            max,
            per: MINUTE,
            margin: Duration::ZERO,
            counted_by: CountedBy::Token,
        }],
        concurrency,
        query: QueryLimits::default(),
        page_size: 100,
        response_bytes: 1024,
    };
    Limiter::new("api", &limits, None, Arc::new(Silent))
}

impl Export {
    /// Makes the requests; each grant is noted with its moment.
    async fn run(self, limiter: &Limiter, grants: &RefCell<Vec<(&'static str, Instant)>>) {
        let left = Cell::new(self.requests);
        let work = || async {
            let (_sender, stop) = watch::channel(false);
            while left.get() > 0 {
                left.set(left.get() - 1);
                let permit = limiter.permit(self.query, &stop).await.unwrap();
                grants.borrow_mut().push((self.query, Instant::now()));
                permit.accompany(sleep(self.latency), Some).await;
            }
        };
        join_all((0..self.side_by_side).map(|_| work())).await;
    }
}

/// How long an export takes, beside others that go on for longer; and how many permits all of them had.
async fn play(export: Export, others: &[Export]) -> (Duration, usize) {
    let limiter = limiter(100, 16);
    let grants = RefCell::default();
    let start = Instant::now();
    let others = async {
        join_all(others.iter().map(|other| other.run(&limiter, &grants))).await;
        std::future::pending::<()>().await;
    };
    tokio::select! {
        // Those that are polled first have the first permits, too.
        biased;
        () = others => {}
        () = export.run(&limiter, &grants) => {}
    }
    (start.elapsed(), grants.borrow().len())
}

fn small(side_by_side: usize, requests: usize, latency_ms: u64) -> Export {
    Export {
        query: "small",
        side_by_side,
        requests,
        latency: Duration::from_millis(latency_ms),
    }
}

/// Half of the budget is its share; it needs that, and gets it, however few requests it makes at once.
#[tokio::test(start_paused = true)]
async fn a_small_export_beside_a_huge_one_takes_about_twice_as_long() {
    let slow = Export {
        latency: Duration::from_secs(3),
        ..HUGE
    };
    for small in [small(8, 500, 200), small(2, 500, 200), small(1, 500, 200)] {
        let (alone, _) = play(small, &[]).await;
        for huge in [HUGE, slow] {
            let (beside, permits) = play(small, &[huge]).await;
            assert!(
                beside.as_secs_f64() / alone.as_secs_f64() < 2.3,
                "{beside:?} and not {alone:?}"
            );
            assert_used_up(beside, permits);
        }
    }
}

/// One that needs less than its share of the budget loses nothing, and the other one has the rest.
#[tokio::test(start_paused = true)]
async fn a_slow_export_beside_a_huge_one_takes_no_longer_than_alone() {
    let small = small(1, 60, 5000);
    let (alone, _) = play(small, &[]).await;
    let (beside, permits) = play(small, &[HUGE]).await;
    assert!(beside - alone < Duration::from_secs(1), "{beside:?} and not {alone:?}");
    assert_used_up(beside, permits);
}

#[tokio::test(start_paused = true)]
async fn what_was_left_to_an_export_that_ends_is_taken() {
    let larger = Export { requests: 90, ..HUGE };
    let (took, permits) = play(larger, &[small(1, 10, 200)]).await;
    assert_eq!(permits, 100);
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn nobody_starves_among_thirty() {
    let queries: Vec<&'static str> = (0..30)
        .map(|index| &*Box::leak(format!("q{index}").into_boxed_str()))
        .collect();
    let exports = queries.iter().zip([1, 2, 16].iter().cycle());
    let exports: Vec<Export> = exports
        .map(|(query, side_by_side)| Export {
            query,
            side_by_side: *side_by_side,
            ..HUGE
        })
        .collect();
    let limiter = limiter(100, 16);
    let grants = RefCell::default();
    let all = join_all(exports.iter().map(|export| export.run(&limiter, &grants)));
    assert!(timeout(10 * MINUTE, all).await.is_err());
    let grants = grants.into_inner();
    let of = |query: &str| grants.iter().filter(|(granted, _)| *granted == query).count();
    let shares: Vec<usize> = queries.iter().map(|query| of(query)).collect();
    // A thirtieth of a thousand; the first to ask with sixteen requests had the places in flight that were left.
    assert!(shares.iter().all(|share| (31..=33 + 16).contains(share)), "{shares:?}");
    assert_used_up(10 * MINUTE, grants.len());
}

/// All windows that are over were full.
#[track_caller]
fn assert_used_up(took: Duration, permits: usize) {
    let windows = took.as_secs() / 60;
    assert!(permits as u64 >= 97 * windows, "{permits} in {windows} windows");
}
