//! The controller as a whole, on servers that are slow, become slower, and give up.

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

use super::*;

mod budget;

const AIMS: Aims = Aims {
    time: Duration::from_secs(10),
    bytes: 64 << 20,
    places: 16,
    per_second: f64::INFINITY,
};

/// A server, by the number of the request: the seconds of any answer and of a row, and what it gives up at.
struct Server {
    base: f64,
    per_row: Box<dyn Fn(u32) -> f64>,
    /// Seconds.
    wall: f64,
    /// Rows.
    most_rows: Box<dyn Fn(u32) -> f64>,
    noise: f64,
}

impl Server {
    fn steady(base: f64, per_row: f64) -> Self {
        Self {
            base,
            per_row: Box::new(move |_| per_row),
            wall: f64::INFINITY,
            most_rows: Box::new(|_| f64::INFINITY),
            noise: 0.0,
        }
    }

    /// The seconds of the answer, or those after which there is none.
    fn ask(&self, request: u32, rows: f64, random: &mut StdRng) -> Result<f64, f64> {
        if rows > (self.most_rows)(request) {
            return Err(0.1);
        }
        let noise = 1.0 + random.random_range(-1.0..=1.0) * self.noise;
        let seconds = (self.base + (self.per_row)(request) * rows) * noise;
        if seconds > self.wall {
            Err(self.wall)
        } else {
            Ok(seconds)
        }
    }
}

/// What came of many requests of one connection, each as large as is allowed.
#[derive(Debug, Default)]
struct Outcome {
    rows: f64,
    seconds: f64,
    answers: u32,
    failures: u32,
    last: f64,
}

impl Outcome {
    fn rows_an_answer(&self) -> f64 {
        self.rows / f64::from(self.answers)
    }
}

/// Rows that are allowed, of one connection, with at most `most` on a page.
fn allowed(pace: &Pace, most: f64) -> f64 {
    let allowance = pace.allowance(AIMS);
    let by = |measure: &Option<(f64, Vec<f64>)>| {
        let rows = |(room, per_row): &(f64, Vec<f64>)| room / per_row[0].max(1e-12);
        measure.as_ref().map_or(f64::INFINITY, rows)
    };
    let rows = by(&allowance.time).min(by(&allowance.bytes)).min(allowance.rows[0]);
    rows.min(most).floor().max(1.0)
}

fn play(pace: &mut Pace, server: &Server, requests: std::ops::Range<u32>, most: f64) -> Outcome {
    let mut random = StdRng::seed_from_u64(u64::from(requests.end));
    let mut outcome = Outcome::default();
    for request in requests {
        let rows = allowed(pace, most);
        let load = pace.take_off(vec![rows], Some(0));
        pace.land(&load);
        match server.ask(request, rows, &mut random) {
            Ok(seconds) => {
                pace.note_answer(&load, &[rows], Duration::from_secs_f64(seconds), (rows * 500.0) as u64);
                outcome.rows += rows;
                outcome.answers += 1;
                outcome.seconds += seconds;
            }
            Err(seconds) => {
                pace.note_failure(&load, Duration::from_secs_f64(seconds), false);
                outcome.failures += 1;
                outcome.seconds += seconds;
            }
        }
        outcome.last = rows;
    }
    outcome
}

#[test]
fn pages_are_steered_to_the_response_time_before_anything_fails() {
    for per_row in [0.0005, 0.002, 0.02, 0.4] {
        let server = Server {
            wall: 30.0,
            noise: 0.2,
            ..Server::steady(0.3, per_row)
        };
        let mut pace = Pace::new(1);
        // A page of that many of the slowest rows is too much for a first one; it is the only one.
        play(&mut pace, &server, 0..10, 1e9);
        let outcome = play(&mut pace, &server, 10..100, 1e9);
        let wanted = 9.7 / per_row;
        assert_eq!(outcome.failures, 0, "{per_row}");
        assert!(
            (0.6..1.5).contains(&(outcome.rows_an_answer() / wanted)),
            "{per_row}: {outcome:?}, {wanted}"
        );
    }
}

#[test]
fn the_first_requests_grow_and_do_not_leap() {
    let server = Server::steady(0.2, 0.0001);
    let mut pace = Pace::new(1);
    let sizes: Vec<f64> = (0..5)
        .map(|request| play(&mut pace, &server, request..request + 1, 1e9).last)
        .collect();
    assert!(sizes.windows(2).all(|pair| pair[1] <= pair[0] * 2.0), "{sizes:?}");
    assert!(sizes[4] >= 10_000.0, "{sizes:?}");
}

#[test]
fn a_response_time_that_drifts_fivefold_is_followed_without_failures() {
    let server = Server {
        // Fivefold within a hundred requests, and back.
        per_row: Box::new(|request| 0.002 * (3.0 + 2.0 * (f64::from(request) / 30.0).sin())),
        wall: 30.0,
        noise: 0.1,
        ..Server::steady(0.2, 0.0)
    };
    let mut pace = Pace::new(1);
    let outcome = play(&mut pace, &server, 0..400, 1e9);
    assert_eq!(outcome.failures, 0);
    let mean = outcome.seconds / f64::from(outcome.answers);
    assert!((7.0..13.0).contains(&mean), "{mean} seconds an answer");
}

#[test]
fn a_time_out_tells_how_long_it_takes_at_least() {
    let server = Server {
        per_row: Box::new(|request| if request < 40 { 0.002 } else { 0.02 }),
        wall: 30.0,
        ..Server::steady(0.2, 0.0)
    };
    let mut pace = Pace::new(1);
    play(&mut pace, &server, 0..40, 1e9);
    let outcome = play(&mut pace, &server, 40..100, 1e9);
    assert!(outcome.failures <= 3, "{outcome:?}");
    assert!((0.5..1.5).contains(&(outcome.last / 490.0)), "{outcome:?}");
}

#[test]
fn a_size_that_fails_and_moves_costs_few_requests() {
    let server = Server {
        most_rows: Box::new(|request| match request % 400 {
            0..200 => 800.0,
            200..300 => 250.0,
            _ => 1_500.0,
        }),
        noise: 0.1,
        ..Server::steady(0.1, 0.0001)
    };
    let mut pace = Pace::new(1);
    let outcome = play(&mut pace, &server, 0..800, 5_000.0);
    assert!(f64::from(outcome.failures) < 0.05 * 800.0, "{outcome:?}");
    assert!(outcome.rows_an_answer() > 300.0, "{outcome:?}");
}

#[test]
fn the_next_night_begins_where_this_one_ended_and_fails_nowhere() {
    let server = Server {
        wall: 12.0,
        most_rows: Box::new(|_| 1_200.0),
        noise: 0.1,
        ..Server::steady(0.2, 0.005)
    };
    let mut pace = Pace::new(1);
    play(&mut pace, &server, 0..150, 1e9);
    let kept = serde_json::to_string(&pace.settled()).unwrap();
    let mut next: Pace = serde_json::from_str(&kept).unwrap();
    let outcome = play(&mut next, &server, 150..250, 1e9);
    assert_eq!(outcome.failures, 0);
    assert!(outcome.rows_an_answer() > 600.0, "{outcome:?}");
}

/// Asks so many times for as many rows of a connection as may be, of a server that fails above `most` rows; failures.
fn ask(pace: &mut Pace, connection: usize, times: u32, most: f64) -> u32 {
    let mut failures = 0;
    for _ in 0..times {
        let mut rows = vec![0.0; 2];
        rows[connection] = pace.allowance(AIMS).rows[connection].min(4_000.0).floor();
        let load = pace.take_off(rows.clone(), Some(connection));
        pace.land(&load);
        match rows[connection] <= most {
            true => pace.note_answer(&load, &rows, Duration::from_millis(100), 1_000),
            false => {
                pace.note_failure(&load, Duration::from_millis(100), false);
                failures += 1;
            }
        }
    }
    failures
}

#[test]
fn a_wall_that_one_connection_has_found_is_not_found_by_the_others_again() {
    let mut pace = Pace::new(2);
    assert!(ask(&mut pace, 0, 40, 600.0) > 0);
    assert_eq!(ask(&mut pace, 1, 15, 600.0), 0);
    assert_eq!(pace.signs(1).wall, None, "nothing failed of it");
    let night = |pace: &mut Pace| {
        *pace = pace.settled();
        ask(pace, 1, 15, 600.0) + ask(pace, 0, 40, 600.0)
    };
    // Later ones try again what held: that is of the wall's own patience.
    let failures: u32 = (2..4).map(|_| night(&mut pace)).sum();
    assert!(failures <= 1, "{failures}: it is tried once whether it bears more");
}

#[test]
fn lighter_rows_are_asked_for_in_ever_larger_requests_until_those_fail() {
    let mut pace = Pace::new(2);
    ask(&mut pace, 0, 40, 100.0);
    let first = pace.allowance(AIMS).rows[1];
    assert!(first <= 100.0, "{first}");
    assert_eq!(ask(&mut pace, 1, 100, f64::INFINITY), 0);
    let climbed = pace.allowance(AIMS).rows[1];
    assert!(climbed >= 4_000.0, "{climbed}");
    let next = pace.settled().allowance(AIMS).rows[1];
    assert!(next >= 4_000.0, "{next}");
}

#[test]
fn a_wall_by_chance_bounds_no_other_connection() {
    let mut pace = Pace::new(2);
    ask(&mut pace, 1, 1, f64::INFINITY);
    ask(&mut pace, 0, 3, f64::INFINITY);
    assert_eq!(ask(&mut pace, 0, 1, 0.0), 1);
    assert!(pace.allowance(AIMS).rows[1] >= 2_000.0);
}

/// Rows of the only list, from one on.
fn stretch(first: u64, rows: f64) -> Stretch {
    Stretch {
        connection: 0,
        instance: 7,
        first,
        behind: first + rows as u64,
    }
}

/// Reads a list whose row number `lost` no request gets, with a wall of `most` rows: failures.
fn read(pace: &mut Pace, lost: u64, most: f64, rows_in_all: u64) -> u32 {
    let (mut place, mut failures) = (0, 0);
    while place < rows_in_all {
        let mut rows = pace.allowance(AIMS).rows[0].floor();
        let mut failed: Vec<f64> = Vec::new();
        loop {
            let mut load = pace.take_off(vec![rows], Some(0));
            load.asked = vec![stretch(place, rows)];
            pace.land(&load);
            let has_lost = (place..place + rows as u64).contains(&lost);
            if rows <= most && !has_lost {
                pace.note_answer(&load, &[rows], Duration::from_millis(100), 1_000);
                if failed.len() > 1 {
                    pace.note_wall(&load, failed[failed.len() - 1]);
                }
                break;
            }
            failures += 1;
            if failed.is_empty() {
                pace.note_failure(&load, Duration::from_millis(100), false);
            }
            if rows <= 1.0 {
                pace.note_lost(&load.asked);
                break;
            }
            failed.push(rows);
            rows = (rows / 2.0).floor();
        }
        place += rows as u64;
    }
    failures
}

#[test]
fn a_row_that_nobody_can_have_leaves_no_wall_of_a_few_rows() {
    let mut pace = Pace::new(1);
    read(&mut pace, 6_789, f64::INFINITY, 30_000);
    assert_eq!(pace.settled().signs(0).wall, None);
    assert!(pace.allowance(AIMS).rows[0] > 4_000.0, "{:?}", pace.allowance(AIMS));
}

#[test]
fn a_wall_is_remembered_though_a_row_was_lost() {
    for lost in [10, 3_333, 7_999] {
        let mut pace = Pace::new(1);
        read(&mut pace, lost, 100.0, 8_000);
        pace = pace.settled();
        let kept = pace.signs(0).wall.unwrap();
        assert!((40.0..=100.0).contains(&kept), "{lost}: {kept}");
        assert_eq!(read(&mut pace, u64::MAX, 100.0, 4_000), 0, "{lost}");
    }
}

#[test]
fn a_row_lost_in_another_list_takes_no_wall_away() {
    let mut pace = Pace::new(1);
    read(&mut pace, u64::MAX, 100.0, 4_000);
    let wall = pace.signs(0).wall;
    let elsewhere = Stretch {
        instance: 8,
        ..stretch(0, 1_000.0)
    };
    pace.note_lost(&[elsewhere]);
    assert_eq!(pace.signs(0).wall, wall);
    pace.note_lost(&[Stretch::any_of(0)]);
    assert_eq!(pace.signs(0).wall, None);
}

#[test]
fn responses_stay_below_what_is_read() {
    let aims = Aims {
        bytes: 1_000_000,
        ..AIMS
    };
    let mut pace = Pace::new(1);
    for rows in [100.0, 200.0, 300.0] {
        let load = pace.take_off(vec![rows], Some(0));
        pace.note_answer(&load, &[rows], Duration::from_millis(200), (rows * 1_000.0) as u64);
    }
    let (room, per_row) = pace.allowance(aims).bytes.unwrap();
    assert!((400.0..=500.5).contains(&(room / per_row[0])), "{room} {per_row:?}");
}

#[test]
fn caps_are_learnt_from_words_and_from_pages() {
    let mut pace = Pace::new(2);
    assert!(pace.note_cap(1, 50) && !pace.note_cap(1, 50) && !pace.note_cap(1, 80));
    (0..3).for_each(|_| pace.note_short(0, 20));
    assert_eq!(pace.allowance(AIMS).caps, [20, 50]);
    pace.note_full(0, 30);
    assert_eq!(pace.allowance(AIMS).caps, [u32::MAX, 50]);
    for rows in [7, 20, 9, 20, 20] {
        pace.note_short(0, rows);
    }
    assert_eq!(
        pace.allowance(AIMS).caps[0],
        u32::MAX,
        "rows that are left out by filters are no cap"
    );
}
