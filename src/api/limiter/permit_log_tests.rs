use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::UNIX_EPOCH;

use proptest::prelude::*;
use tempfile::TempDir;
use tokio::time::advance;

use super::*;
use crate::project::{CountedBy, QueryLimits, RequestLimit};

const NOON: Duration = Duration::from_secs(1_763_760_000);
const SECOND: Duration = Duration::from_secs(1);

fn limits() -> Limits {
    Limits {
        requests: vec![RequestLimit {
            max: 100,
            per: 60 * SECOND,
            margin: SECOND,
            counted_by: CountedBy::Token,
        }],
        concurrency: 16,
        query: QueryLimits::default(),
        page_size: 100,
        response_bytes: 1024,
    }
}

fn timing() -> Timing {
    Timing {
        target: 10 * SECOND,
        timeout: 30 * SECOND,
        connect_timeout: 10 * SECOND,
        read_timeout: 10 * SECOND,
    }
}

fn open(directory: &TempDir, clock: Clock) -> PermitLog {
    PermitLog::open(&directory.path().join("permits"), clock, &limits(), &timing()).unwrap()
}

/// A folder whose log holds `text`, opened at noon.
fn reopened(text: &[u8]) -> PermitLog {
    let directory = TempDir::new().unwrap();
    fs_err::write(directory.path().join("permits"), text).unwrap();
    open(&directory, Clock::simulated(UNIX_EPOCH + NOON))
}

/// How long ago the requests of others arrived; 0 for those that will.
fn ages(log: &mut PermitLog) -> Vec<Duration> {
    let others = log.take_news().expect("nothing was asked yet");
    let ages = others
        .arrived_by
        .iter()
        .map(|arrived| others.now.saturating_sub(*arrived));
    ages.map(Duration::from_millis).collect()
}

fn ages_in_seconds(mut log: PermitLog) -> Vec<u64> {
    ages(&mut log).iter().map(Duration::as_secs).collect()
}

fn grant(log: &mut PermitLog) -> GrantId {
    let held = log.hold().unwrap();
    log.note_grant(&held).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_restart_counts_what_arrived_within_the_window() {
    let directory = TempDir::new().unwrap();
    let clock = Clock::simulated(UNIX_EPOCH + NOON);
    let mut log = open(&directory, clock.clone());
    assert!(ages(&mut log).is_empty());
    for _ in 0..2 {
        let grant = grant(&mut log);
        advance(5 * SECOND).await;
        log.note_arrival(grant);
        advance(45 * SECOND).await;
    }
    drop(log);
    // The first arrived 95 s ago, which no window counts; the second 45 s ago.
    assert_eq!(ages_in_seconds(open(&directory, clock.clone())), [45]);
    advance(20 * SECOND).await;
    assert!(
        ages_in_seconds(open(&directory, clock)).is_empty(),
        "opening it again did not make it younger"
    );
}

#[tokio::test(start_paused = true)]
async fn a_request_whose_answer_is_unknown_counts_as_arriving_now_until_it_would_have_timed_out() {
    let directory = TempDir::new().unwrap();
    let clock = Clock::simulated(UNIX_EPOCH + NOON);
    grant(&mut open(&directory, clock.clone()));
    advance(20 * SECOND).await;
    assert_eq!(ages_in_seconds(open(&directory, clock.clone())), [0]);
    // That opening settled it: it has arrived by then.
    advance(20 * SECOND).await;
    assert_eq!(ages_in_seconds(open(&directory, clock.clone())), [20]);

    let directory = TempDir::new().unwrap();
    grant(&mut open(&directory, clock.clone()));
    advance(50 * SECOND).await;
    assert_eq!(ages_in_seconds(open(&directory, clock)), [20], "it timed out 20 s ago");
}

/// A clock that is `offset` seconds off.
fn adjustable() -> (Clock, Arc<AtomicI64>) {
    let offset = Arc::new(AtomicI64::new(0));
    let shared = Arc::clone(&offset);
    let steady = Clock::simulated(UNIX_EPOCH + NOON);
    let clock = Clock::custom(move || {
        let offset = shared.load(Ordering::SeqCst);
        match u64::try_from(offset) {
            Ok(ahead) => steady.wall() + Duration::from_secs(ahead),
            Err(_) => steady.wall() - Duration::from_secs(offset.unsigned_abs()),
        }
    });
    (clock, offset)
}

#[tokio::test(start_paused = true)]
async fn a_clock_set_back_between_two_processes_makes_nothing_older() {
    let directory = TempDir::new().unwrap();
    let (clock, offset) = adjustable();
    let mut log = open(&directory, clock.clone());
    let grant = grant(&mut log);
    log.note_arrival(grant);
    drop(log);
    offset.store(-3600, Ordering::SeqCst);
    advance(10 * SECOND).await;
    assert_eq!(ages_in_seconds(open(&directory, clock)), [0]);
}

#[tokio::test(start_paused = true)]
async fn a_clock_set_back_and_forth_while_the_process_runs_makes_nothing_older() {
    let directory = TempDir::new().unwrap();
    let (clock, offset) = adjustable();
    let mut log = open(&directory, clock.clone());
    offset.store(-3600, Ordering::SeqCst);
    let grant = grant(&mut log);
    log.note_arrival(grant);
    drop(log);
    offset.store(0, Ordering::SeqCst);
    advance(10 * SECOND).await;
    assert_eq!(ages_in_seconds(open(&directory, clock)), [10]);
}

#[tokio::test(start_paused = true)]
async fn processes_side_by_side_count_each_others_requests_and_none_of_their_own() {
    let directory = TempDir::new().unwrap();
    let clock = Clock::simulated(UNIX_EPOCH + NOON);
    let (mut first, mut second) = (open(&directory, clock.clone()), open(&directory, clock.clone()));
    assert!(!first.is_shared() && second.is_shared());
    let (sent, unsent) = (grant(&mut first), grant(&mut first));
    drop(second.hold().unwrap());
    assert_eq!(ages_in_seconds(second), [0, 0], "they may arrive for 30 s from now");
    let mut second = open(&directory, clock.clone());
    first.note_unsent(unsent);
    first.note_arrival(sent);
    advance(7 * SECOND).await;
    drop(second.hold().unwrap());
    assert!(!second.awaits_others());
    assert_eq!(ages(&mut second), [7 * SECOND]);
    assert_eq!(ages(&mut first), [Duration::ZERO; 0]);
    // What one process writes anew is read anew by the other.
    let held = first.hold().unwrap();
    first.compact(&held).unwrap();
    drop(held);
    drop(second.hold().unwrap());
    assert_eq!(ages(&mut second), [7 * SECOND]);
    drop(first.hold().unwrap());
    assert_eq!(first.take_news(), None);
}

#[tokio::test(start_paused = true)]
async fn what_a_process_with_a_longer_window_needs_is_kept_by_all() {
    let directory = TempDir::new().unwrap();
    let clock = Clock::simulated(UNIX_EPOCH + NOON);
    let mut long = limits();
    long.requests[0].per = 3600 * SECOND;
    let path = directory.path().join("permits");
    let mut patient = PermitLog::open(&path, clock.clone(), &long, &timing()).unwrap();
    let mut brief = open(&directory, clock.clone());
    let granted = grant(&mut brief);
    brief.note_arrival(granted);
    advance(600 * SECOND).await;
    let held = brief.hold().unwrap();
    brief.compact(&held).unwrap();
    drop(held);
    drop(patient.hold().unwrap());
    assert_eq!(ages_in_seconds(patient), [600]);
    assert_eq!(ages_in_seconds(open(&directory, clock)), [600]);
}

#[tokio::test(start_paused = true)]
async fn a_line_that_was_cut_off_does_not_hide_its_request() {
    let noon = NOON.as_millis();
    // Cut in the middle of the time: read as it stands, the request would have arrived in 1970.
    let log = reopened(format!("granted a-0 {noon} {noon}\narrived a-0 17637").as_bytes());
    assert_eq!(ages_in_seconds(log), [0]);
}

#[tokio::test(start_paused = true)]
async fn the_file_stays_small_and_forgets_nothing_that_counts() {
    let directory = TempDir::new().unwrap();
    let clock = Clock::simulated(UNIX_EPOCH + NOON);
    let mut log = open(&directory, clock.clone());
    let pending = grant(&mut log);
    for _ in 0..40_000 {
        let grant = grant(&mut log);
        log.note_arrival(grant);
        advance(Duration::from_millis(100)).await;
    }
    let bytes = fs_err::metadata(directory.path().join("permits")).unwrap().len();
    assert!(bytes < COMPACT_BYTES + 100, "{bytes}");
    drop(log);
    let counted = ages_in_seconds(open(&directory, clock)).len();
    // 60 s of the window and 1 s of margin at ten a second; the one that was never answered timed out long ago.
    assert!((609..=611).contains(&counted), "{counted}");
    let _ = pending;
}

#[tokio::test(start_paused = true)]
async fn whose_token_a_request_was_sent_with_is_known_to_all_and_after_a_restart() {
    let directory = TempDir::new().unwrap();
    let clock = Clock::simulated(UNIX_EPOCH + NOON);
    let [mut one, mut other] = ["one", "other"].map(|token| open(&directory, clock.clone()).of_token(token));
    for log in [&mut one, &mut other] {
        let granted = grant(log);
        log.note_arrival(granted);
    }
    let mut restarted = open(&directory, clock).of_token("one");
    for (log, counts) in [(&mut one, (1, 0)), (&mut other, (1, 0)), (&mut restarted, (2, 1))] {
        drop(log.hold().unwrap());
        let others = log.take_news().unwrap();
        assert_eq!((others.arrived_by.len(), others.with_own_token.len()), counts);
    }
}

#[test]
fn a_log_that_cannot_be_opened_names_its_path() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("missing").join("permits");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let _guard = runtime.enter();
    let error = PermitLog::open(&path, Clock::system(), &limits(), &timing())
        .err()
        .unwrap();
    assert!(error.to_string().contains("missing"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_content_makes_it_panic_or_forget(
        noise in prop::collection::vec(any::<u8>(), 0..300),
        lines in prop::collection::vec("(granted|arrived|unsent|log|x) [a-z0-9]{1,3}-[0-9]{1,3}( [0-9]{1,21}){0,3}\n", 0..20),
    ) {
        let text = [noise.as_slice(), b"\n", lines.concat().as_bytes()].concat();
        let recent = format!("arrived b-999999 {}\n", NOON.as_millis());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let ages = runtime.block_on(async { ages(&mut reopened(&[&text, recent.as_bytes()].concat())) });
        prop_assert!(ages.contains(&Duration::ZERO));
    }
}
