use std::time::Duration;

use super::*;
use crate::project::{CountedBy, QueryLimits, RequestLimit};

const SECOND: Duration = Duration::from_secs(1);
const MARGIN: Duration = Duration::from_millis(200);

fn limits(windows: &[(u32, Duration)], concurrency: usize) -> Limits {
    let requests = windows.iter().map(|&(max, per)| RequestLimit {
        max,
        per,
        margin: MARGIN,
        counted_by: CountedBy::Token,
    });
    Limits {
        requests: requests.collect(),
        concurrency,
        query: QueryLimits::default(),
        page_size: 100,
        response_bytes: 1024,
    }
}

fn answered(left_by: Option<Instant>, over_at: Instant) -> Arrival {
    Arrival {
        left_by,
        over_at: Some(over_at),
    }
}

fn take(slots: &mut Slots, now: Instant) -> Result<(), Blocked> {
    slots.check(now)?;
    slots.take();
    Ok(())
}

#[test]
fn a_slot_comes_back_a_window_after_a_quick_response() {
    let start = Instant::now();
    let mut slots = Slots::new(&limits(&[(1, 60 * SECOND)], 9));
    assert_eq!(take(&mut slots, start), Ok(()));
    assert_eq!(take(&mut slots, start), Err(Blocked::ByRequests));
    let response = start + Duration::from_millis(50);
    assert!(slots.settle(answered(Some(start), response)));
    slots.land();
    let back = response + 60 * SECOND;
    assert_eq!(
        take(&mut slots, back - Duration::from_millis(1)),
        Err(Blocked::Until(back))
    );
    assert_eq!(take(&mut slots, back), Ok(()));
}

#[test]
fn a_slow_response_holds_a_slot_back_by_the_margin_and_no_more() {
    let start = Instant::now();
    let mut slots = Slots::new(&limits(&[(1, 60 * SECOND)], 9));
    take(&mut slots, start).unwrap();
    slots.settle(answered(Some(start), start + 6 * SECOND));
    let back = start + MARGIN + 60 * SECOND;
    assert_eq!(take(&mut slots, start + 7 * SECOND), Err(Blocked::Until(back)));
}

#[test]
fn a_request_that_waited_for_a_connection_counts_from_its_response() {
    let start = Instant::now();
    let mut slots = Slots::new(&limits(&[(1, 60 * SECOND)], 9));
    take(&mut slots, start).unwrap();
    let unknown = Arrival {
        left_by: None,
        over_at: None,
    };
    assert!(!slots.settle(unknown), "nothing bounds its arrival yet");
    let response = start + 6 * SECOND;
    assert!(slots.settle(answered(None, response)));
    assert_eq!(take(&mut slots, response), Err(Blocked::Until(response + 60 * SECOND)));
}

#[test]
fn an_unanswered_request_gives_its_slot_back_but_stays_in_flight() {
    let start = Instant::now();
    let mut slots = Slots::new(&limits(&[(1, SECOND)], 1));
    take(&mut slots, start).unwrap();
    assert!(slots.settle(Arrival {
        left_by: Some(start),
        over_at: None
    }));
    let later = start + 5 * SECOND;
    assert_eq!(take(&mut slots, later), Err(Blocked::ByRequests), "one at a time");
    slots.land();
    assert_eq!(take(&mut slots, later), Ok(()));
}

#[test]
fn a_permit_is_taken_in_all_windows_or_in_none() {
    let start = Instant::now();
    let mut slots = Slots::new(&limits(&[(3, SECOND), (4, 60 * SECOND)], 9));
    for _ in 0..3 {
        take(&mut slots, start).unwrap();
        slots.settle(answered(Some(start), start));
        slots.land();
    }
    assert_eq!(take(&mut slots, start), Err(Blocked::Until(start + SECOND)));
    // The refusal above took nothing of the wide window: one is left there.
    let second = start + SECOND;
    assert_eq!(take(&mut slots, second), Ok(()));
    slots.settle(answered(Some(second), second));
    slots.land();
    assert_eq!(take(&mut slots, second), Err(Blocked::Until(start + 60 * SECOND)));
}

#[test]
fn the_wait_is_for_the_last_of_the_windows_to_have_room() {
    let start = Instant::now();
    let mut slots = Slots::new(&limits(&[(1, SECOND), (1, 60 * SECOND), (1, 10 * SECOND)], 9));
    take(&mut slots, start).unwrap();
    slots.settle(answered(Some(start), start));
    slots.land();
    assert_eq!(take(&mut slots, start), Err(Blocked::Until(start + 60 * SECOND)));
}

#[test]
fn a_pause_holds_everything_and_the_latest_end_counts() {
    let start = Instant::now();
    let mut slots = Slots::new(&limits(&[], 9));
    slots.pause(start + 5 * SECOND);
    slots.pause(start + 3 * SECOND);
    assert_eq!(
        take(&mut slots, start + 4 * SECOND),
        Err(Blocked::Until(start + 5 * SECOND))
    );
    assert_eq!(take(&mut slots, start + 5 * SECOND), Ok(()));
}

#[test]
fn what_was_put_back_is_free_at_once() {
    let start = Instant::now();
    let mut slots = Slots::new(&limits(&[(1, 60 * SECOND)], 1));
    take(&mut slots, start).unwrap();
    slots.put_back();
    assert_eq!(take(&mut slots, start), Ok(()));
}

#[test]
fn earlier_requests_count_as_long_as_their_window_lasts() {
    let start = Instant::now();
    let mut slots = Slots::new(&limits(&[(2, 60 * SECOND)], 9));
    let others = Others {
        now: 100_000,
        arrived_by: vec![30_000, 50_000, 80_000],
        with_own_token: vec![30_000, 50_000, 80_000],
    };
    // Counted again, they are the same ones.
    slots.count_others(start, &others);
    slots.count_others(start, &others);
    let back = start + 10 * SECOND + MARGIN;
    assert_eq!(take(&mut slots, start), Err(Blocked::Until(back)));
    assert_eq!(take(&mut slots, back), Ok(()));
}

#[test]
fn requests_with_other_tokens_count_where_all_tokens_share_a_window() {
    let start = Instant::now();
    let mut limits = limits(&[(1, 10 * SECOND), (2, 10 * SECOND)], 9);
    limits.requests[1].counted_by = CountedBy::Host;
    let with = |own: &[u64]| {
        let mut slots = Slots::new(&limits);
        let others = Others {
            now: 100_000,
            arrived_by: vec![95_000, 99_000],
            with_own_token: own.to_vec(),
        };
        slots.count_others(start, &others);
        take(&mut slots, start)
    };
    let until = |seconds| Err(Blocked::Until(start + seconds * SECOND + MARGIN));
    assert_eq!(with(&[]), until(5), "the first of the host's two comes back");
    assert_eq!(with(&[99_000]), until(9), "and the token's one");
}

#[test]
fn the_tightest_window_is_the_one_with_the_largest_share_taken() {
    let start = Instant::now();
    let mut slots = Slots::new(&limits(&[(100, 60 * SECOND), (3, SECOND)], 9));
    take(&mut slots, start).unwrap();
    let tightest = slots.tightest(start).unwrap();
    assert_eq!((tightest.used, tightest.max), (1, 3));
    slots.settle(answered(Some(start), start));
    let tightest = slots.tightest(start + 2 * SECOND).unwrap();
    assert_eq!(
        (tightest.used, tightest.max),
        (1, 100),
        "the short window is empty again"
    );
    assert_eq!(Slots::new(&limits(&[], 9)).tightest(start), None);
}

#[test]
fn no_more_are_in_flight_than_the_api_bears() {
    let start = Instant::now();
    let mut slots = Slots::new(&limits(&[], 3));
    slots.bear(1);
    take(&mut slots, start).unwrap();
    assert_eq!(take(&mut slots, start), Err(Blocked::ByRequests));
    slots.bear(0);
    slots.land();
    take(&mut slots, start).expect("one is always borne");
    slots.bear(9);
    take(&mut slots, start).unwrap();
    take(&mut slots, start).unwrap();
    assert_eq!(
        take(&mut slots, start),
        Err(Blocked::ByRequests),
        "the settings count too"
    );
}
