//! Whole exports through a bad network: a lost response costs a request, and never a row.

use std::collections::BTreeSet;

use gqldump::demo::DemoServer;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

use crate::chaos::{Chaos, Mishap};
use crate::nested::cases::{clinic, press, shop};
use crate::project::Project;
use crate::tracker::{TrackerTable, calm, serve, tables};

/// What many exchanges need to be quick: no budget, and short waits after failures.
const QUICK: [&str; 6] = [
    "--set",
    "limits.requests=[]",
    "--set",
    "retry.initial_wait=1ms",
    "--set",
    "retry.max_wait=5ms",
];

/// Short enough for a test to wait for, and long enough for a busy machine.
const SHORT_TIMEOUTS: [&str; 4] = ["--set", "timing.timeout=2s", "--set", "timing.read_timeout=700ms"];

fn table(name: &str) -> TrackerTable {
    tables().into_iter().find(|table| table.name == name).expect("a table")
}

/// Exports the findings, a few at once, through a network that does this to its exchanges.
#[track_caller]
fn survives(arguments: &[&str], choose: impl Fn(u64) -> Mishap + Send + Sync + 'static) -> (Chaos, DemoServer) {
    let (project, server) = (Project::demo().only(&["findings", "fragments"]), serve(calm()));
    let chaos = Chaos::before(&server, choose);
    let arguments = [QUICK.as_slice(), &["--set", "limits.page_size=50"], arguments].concat();
    project.run(&chaos, &arguments).with_code(0);
    table("findings").check(&project.exported("findings"), server.stand_in());
    (chaos, server)
}

/// The one mishap at these exchanges, and none at others.
fn at(exchanges: &'static [u64], mishap: Mishap) -> impl Fn(u64) -> Mishap {
    move |exchange| match exchanges.contains(&exchange) {
        true => mishap.clone(),
        false => Mishap::None,
    }
}

#[test]
fn a_response_may_be_cut_after_any_byte() {
    for cut in [Mishap::Cut, Mishap::CutUnannounced] {
        // Every other exchange goes well. The first asks for the schema, whose bytes are too many.
        let choose = move |exchange: u64| match exchange % 2 {
            1 if exchange < 1400 => cut(usize::try_from(exchange / 2).expect("a small number")),
            _ => Mishap::None,
        };
        let (chaos, server) = survives(&["--set", "limits.page_size=2"], choose);
        let mut cuts = BTreeSet::new();
        let mut shortest = usize::MAX;
        for exchange in chaos.exchanges() {
            if let Mishap::Cut(bytes) | Mishap::CutUnannounced(bytes) = exchange.mishap {
                shortest = shortest.min(exchange.whole);
                cuts.insert(bytes % exchange.whole);
            }
        }
        assert!(
            (0..shortest).all(|cut| cuts.contains(&cut)),
            "{shortest} bytes, {cuts:?}"
        );
        println!(
            "{} exchanges, cut after {} different bytes",
            chaos.requests(),
            cuts.len()
        );
        assert_a_request_each(&chaos, &server);
    }
}

/// Panics where a row was asked for more often than its answers were lost.
#[track_caller]
fn assert_a_request_each(chaos: &Chaos, server: &DemoServer) {
    let (log, mishaps) = (server.log(), chaos.mishaps() as u64);
    // What the server sent and nobody got is all that it sends again.
    assert!(log.requests_repeated <= mishaps, "{mishaps} mishaps: {log:?}");
    let types = log.types.values().map(|of_type| of_type.repeated).sum::<u64>();
    assert!(types <= mishaps * log.max_rows, "{mishaps} mishaps: {log:?}");
}

#[test]
fn a_lost_request_costs_nothing_and_a_lost_response_costs_a_request() {
    let (chaos, server) = survives(&[], at(&[0, 3, 4, 9], Mishap::LoseRequest));
    assert_eq!((chaos.mishaps(), server.log().requests_repeated), (4, 0));
    assert_eq!(server.log().rows_repeated, 0);
    let (chaos, server) = survives(&[], at(&[0, 3, 4, 9], Mishap::LoseResponse));
    assert_eq!(chaos.mishaps(), 4);
    assert_a_request_each(&chaos, &server);
}

#[test]
fn wrong_lengths_are_found_and_what_is_left_over_answers_no_other_request() {
    for mishap in [Mishap::TooLong, Mishap::TooShort] {
        let (chaos, server) = survives(&[], at(&[1, 2, 5, 8], mishap));
        assert_eq!(chaos.mishaps(), 4);
        assert_a_request_each(&chaos, &server);
    }
}

#[test]
fn a_page_of_a_gateway_is_no_answer_whatever_its_status() {
    for status in ["200 OK", "502 Bad Gateway", "504 Gateway Timeout", "530 Frozen"] {
        let (chaos, server) = survives(&[], at(&[1, 2, 5, 8], Mishap::Gateway(status)));
        assert_eq!(chaos.mishaps(), 4);
        assert_a_request_each(&chaos, &server);
    }
}

#[test]
fn a_response_that_falls_silent_or_drips_is_given_up_and_asked_for_again() {
    let choose = |exchange| match exchange {
        2 => Mishap::Stall(0),
        4 => Mishap::Stall(90),
        6 => Mishap::Stall(400),
        8 => Mishap::Drip,
        _ => Mishap::None,
    };
    let (chaos, server) = survives(&SHORT_TIMEOUTS, choose);
    assert_eq!(chaos.mishaps(), 4);
    assert_a_request_each(&chaos, &server);
}

#[test]
fn a_body_that_unpacks_beyond_the_cap_is_not_unpacked_further() {
    let cap = ["--set", "limits.response_bytes=200KB"];
    let (chaos, server) = survives(&cap, at(&[2, 5], Mishap::Bomb(300_000_000)));
    assert_eq!(chaos.mishaps(), 2);
    assert_a_request_each(&chaos, &server);
}

/// Whatever can happen in a moment, as often as `share` says.
fn storm(seed: u64, share: f64) -> impl Fn(u64) -> Mishap {
    move |exchange| {
        let mut random = StdRng::seed_from_u64(seed ^ exchange.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        if !random.random_bool(share) {
            return Mishap::None;
        }
        let bytes = random.random_range(0..100_000);
        match random.random_range(0..9) {
            0 => Mishap::LoseRequest,
            1 => Mishap::LoseResponse,
            2 => Mishap::Cut(bytes),
            3 => Mishap::Reset(bytes),
            4 => Mishap::CutUnannounced(bytes),
            5 => Mishap::TooLong,
            6 => Mishap::TooShort,
            7 => Mishap::Gateway("200 OK"),
            _ => Mishap::Gateway("502 Bad Gateway"),
        }
    }
}

/// How many storms `GQLDUMP_STORMS` asks for.
fn storms() -> Option<u64> {
    let storms = std::env::var("GQLDUMP_STORMS").ok()?;
    Some(storms.parse().expect("a number"))
}

/// One for each storm, told where it begins.
fn seeds() -> Vec<u64> {
    (0..storms().unwrap_or(1)).map(|_| rand::random()).collect()
}

#[test]
fn every_row_of_a_project_arrives_once_though_one_exchange_in_ten_goes_wrong() {
    for seed in seeds() {
        println!("seed {seed}");
        let mut config = calm();
        config.rows_scale = 0.01;
        let (project, server) = (Project::demo(), serve(config));
        let chaos = Chaos::before(&server, storm(seed, 0.1));
        let arguments = [QUICK.as_slice(), &["--set", "limits.page_size=10"]].concat();
        project.run(&chaos, &arguments).with_code(0);
        for table in tables() {
            table.check(&project.exported(table.name), server.stand_in());
        }
        println!("{} of {} exchanges went wrong", chaos.mishaps(), chaos.requests());
        assert!(chaos.mishaps() > 5);
    }
}

#[test]
fn rows_below_rows_arrive_once_though_one_exchange_in_ten_goes_wrong() {
    let cases = match storms() {
        Some(_) => vec![shop(), clinic(), press()],
        None => vec![shop()],
    };
    for seed in seeds() {
        for case in &cases {
            println!("{}: seed {seed}", case.name);
            let mut config = case.config();
            config.rows_scale = 0.1;
            config.behaviours.limits.clear();
            let (project, server) = (case.project(), serve(config));
            let chaos = Chaos::before(&server, storm(seed, 0.1));
            let arguments = [QUICK.as_slice(), &["--set", "limits.page_size=3"]].concat();
            project.run(&chaos, &arguments).with_code(0);
            case.check(&project, &server);
            println!("{} of {} exchanges went wrong", chaos.mishaps(), chaos.requests());
        }
    }
}

const PATIENT: [&str; 4] = ["--log-format", "json", "--set", "retry.attempts=100000"];
const SMALL: [&str; 2] = ["--set", "limits.page_size=20"];

#[test]
fn a_run_outlasts_a_network_that_goes_down_and_comes_up_again() {
    let (project, server) = (Project::demo().only(&["findings", "fragments"]), serve(calm()));
    let mut chaos = Chaos::before(&server, |_| Mishap::None);
    chaos.go_down();
    let mut running = project.start(&chaos, &[QUICK.as_slice(), &SMALL, &PATIENT].concat());
    running.read_stderr_until("connection refused");
    chaos.come_up();
    while chaos.requests() < 10 {
        assert!(!running.has_ended(), "it ended before ten requests");
        std::thread::yield_now();
    }
    chaos.go_down();
    running.read_stderr_until("connection refused");
    chaos.come_up();
    running.end().with_code(0);
    table("findings").check(&project.exported("findings"), server.stand_in());
    assert!(server.log().requests_repeated <= server.log().max_in_flight);
}

#[test]
fn a_network_that_stays_down_ends_the_run_and_the_next_one_goes_on() {
    let (project, server) = (Project::demo().only(&["findings", "fragments"]), serve(calm()));
    let mut chaos = Chaos::before(&server, |_| Mishap::None);
    let arguments = [QUICK.as_slice(), &SMALL, &["--set", "retry.attempts=3"]].concat();
    let running = project.start(&chaos, &arguments);
    while chaos.requests() < 10 {
        std::thread::yield_now();
    }
    chaos.go_down();
    let ended = running.end().with_code(1);
    assert!(
        ended.stderr.contains("the next run goes on from here"),
        "{}",
        ended.stderr
    );
    chaos.come_up();
    let ended = project.run(&chaos, &arguments).with_code(0);
    assert!(ended.stderr.contains("goes on: "), "{}", ended.stderr);
    table("findings").check(&project.exported("findings"), server.stand_in());
    assert!(server.log().requests_repeated <= server.log().max_in_flight);
}
