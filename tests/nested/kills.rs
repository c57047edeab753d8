//! Nested exports that are killed again and again, at any moment.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

use crate::nested::cases::{Case, clinic, library, press, shop};
use crate::tracker::serve;

/// Smaller pages and fewer tasks in one request, so that there is more to interrupt.
const MANY_REQUESTS: [&str; 6] = [
    "--set",
    "limits.page_size=10",
    "--set",
    "limits.requests=[]",
    "--set",
    "limits.query.root_fields=8",
];

/// Kills the export of a stand-in that takes its time, each time a few requests on, and lets the last run come to its end.
#[track_caller]
fn survives(case: &Case, kills: u64, rows_scale: f64) {
    let mut config = case.config();
    config.rows_scale = rows_scale;
    config.behaviours.limits.clear();
    config.behaviours.latency.base = Duration::from_millis(15);
    let (project, server) = (case.project(), serve(config));
    let seed = rand::random();
    println!("{}: seed {seed}", case.name);
    let mut random = StdRng::seed_from_u64(seed);
    let ended = (0..kills).find_map(|_| {
        let (requests, pause) = (random.random_range(1..=6), random.random_range(0..30_000));
        project.kill(&server, &MANY_REQUESTS, requests, Duration::from_micros(pause))
    });
    let ended = ended.unwrap_or_else(|| project.run(&server, &MANY_REQUESTS));
    ended.with_code(0);
    case.check(&project, &server);
    let log = server.log();
    println!(
        "{}: {} requests, {} of them again",
        case.name, log.requests, log.requests_repeated
    );
    let at_most = kills * log.max_in_flight;
    assert!(log.requests_repeated <= at_most, "more than was in flight: {log:?}");
}

#[test]
fn a_shop_export_that_is_killed_again_and_again_ends_with_every_row_once() {
    survives(&shop(), 15, 0.2);
}

#[test]
fn a_clinic_export_that_is_killed_again_and_again_ends_with_every_row_once() {
    survives(&clinic(), 15, 0.2);
}

#[test]
fn a_library_export_that_is_killed_again_and_again_ends_with_every_row_once() {
    survives(&library(), 10, 1.0);
}

#[test]
fn a_press_export_that_is_killed_again_and_again_ends_with_every_row_once() {
    survives(&press(), 10, 0.2);
}
