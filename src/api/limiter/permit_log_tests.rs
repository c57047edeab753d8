use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::UNIX_EPOCH;

use proptest::prelude::*;
use tempfile::TempDir;
use tokio::time::advance;

use super::*;
use crate::project::{QueryLimits, RequestLimit};

const NOON: Duration = Duration::from_secs(1_763_760_000);
const SECOND: Duration = Duration::from_secs(1);

fn limits() -> Limits {
    Limits {
        requests: vec![RequestLimit {
            max: 100,
            per: 60 * SECOND,
            margin: SECOND,
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

fn ages_in_seconds(log: &PermitLog) -> Vec<u64> {
    log.earlier_ages().iter().map(Duration::as_secs).collect()
}

#[tokio::test(start_paused = true)]
async fn a_restart_counts_what_arrived_within_the_window() {
    let directory = TempDir::new().unwrap();
    let clock = Clock::simulated(UNIX_EPOCH + NOON);
    let mut log = open(&directory, clock.clone());
    assert!(log.earlier_ages().is_empty());
    for _ in 0..2 {
        let grant = log.note_grant().unwrap();
        advance(5 * SECOND).await;
        log.note_arrival(grant);
        advance(45 * SECOND).await;
    }
    drop(log);
    // The first arrived 95 s ago, which no window counts; the second 45 s ago.
    assert_eq!(ages_in_seconds(&open(&directory, clock.clone())), [45]);
    advance(20 * SECOND).await;
    assert!(
        open(&directory, clock).earlier_ages().is_empty(),
        "opening it again did not make it younger"
    );
}

#[tokio::test(start_paused = true)]
async fn a_request_whose_answer_is_unknown_counts_as_arriving_now_until_it_would_have_timed_out() {
    let directory = TempDir::new().unwrap();
    let clock = Clock::simulated(UNIX_EPOCH + NOON);
    open(&directory, clock.clone()).note_grant().unwrap();
    advance(20 * SECOND).await;
    assert_eq!(ages_in_seconds(&open(&directory, clock.clone())), [0]);
    // That opening settled it: it has arrived by then.
    advance(20 * SECOND).await;
    assert_eq!(ages_in_seconds(&open(&directory, clock.clone())), [20]);

    let directory = TempDir::new().unwrap();
    open(&directory, clock.clone()).note_grant().unwrap();
    advance(50 * SECOND).await;
    assert_eq!(ages_in_seconds(&open(&directory, clock)), [20], "it timed out 20 s ago");
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
    let grant = log.note_grant().unwrap();
    log.note_arrival(grant);
    drop(log);
    offset.store(-3600, Ordering::SeqCst);
    advance(10 * SECOND).await;
    assert_eq!(ages_in_seconds(&open(&directory, clock)), [0]);
}

#[tokio::test(start_paused = true)]
async fn a_clock_set_back_and_forth_while_the_process_runs_makes_nothing_older() {
    let directory = TempDir::new().unwrap();
    let (clock, offset) = adjustable();
    let mut log = open(&directory, clock.clone());
    offset.store(-3600, Ordering::SeqCst);
    let grant = log.note_grant().unwrap();
    log.note_arrival(grant);
    drop(log);
    offset.store(0, Ordering::SeqCst);
    advance(10 * SECOND).await;
    assert_eq!(ages_in_seconds(&open(&directory, clock)), [10]);
}

#[tokio::test(start_paused = true)]
async fn a_line_that_was_cut_off_does_not_hide_its_request() {
    let noon = NOON.as_millis();
    // Cut in the middle of the time: read as it stands, the request would have arrived in 1970.
    let log = reopened(format!("granted 0 {noon}\narrived 0 17637").as_bytes());
    assert_eq!(ages_in_seconds(&log), [0]);
}

#[tokio::test(start_paused = true)]
async fn the_file_stays_small_and_forgets_nothing_that_counts() {
    let directory = TempDir::new().unwrap();
    let clock = Clock::simulated(UNIX_EPOCH + NOON);
    let mut log = open(&directory, clock.clone());
    let pending = log.note_grant().unwrap();
    for _ in 0..40_000 {
        let grant = log.note_grant().unwrap();
        log.note_arrival(grant);
        advance(Duration::from_millis(100)).await;
    }
    let bytes = fs_err::metadata(directory.path().join("permits")).unwrap().len();
    assert!(bytes < COMPACT_BYTES + 100, "{bytes}");
    drop(log);
    let log = open(&directory, clock);
    // 60 s of the window and 1 s of margin at ten a second, and the one that was never answered, which timed out long ago.
    assert!(
        (609..=611).contains(&log.earlier_ages().len()),
        "{}",
        log.earlier_ages().len()
    );
    let _ = pending;
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
        lines in prop::collection::vec("(granted|arrived|x) [0-9]{1,3} [0-9]{1,21}\n", 0..20),
    ) {
        let text = [noise.as_slice(), b"\n", lines.concat().as_bytes()].concat();
        let recent = format!("arrived 999999 {}\n", NOON.as_millis());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let log = runtime.block_on(async { reopened(&[&text, recent.as_bytes()].concat()) });
        prop_assert!(log.earlier_ages().contains(&Duration::ZERO));
    }
}
