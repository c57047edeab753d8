//! Whole exports from servers that are slow, become slower, or give up: how long they take, how much is asked for in
//! vain, and that every row arrives all the same. In simulated time.

use std::time::Duration;

use gqldump::demo::{
    Crowd, CursorExpiry, DemoConfig, DriftStep, Fault, Latency, Refusal, RowWall, ScriptedFault, TimeWall,
};
use gqldump::run::QueryOutcome;

use crate::nested::cases::{Case, board, library, long_shop, roomy_shop, shop, uneven_shop};
use crate::project::Project;
use crate::simulation::{Simulated, Simulation};

mod untold;

const SECOND: Duration = Duration::from_secs(1);

/// A stand-in whose answers take that long, and that gives up after half a minute.
fn slow(case: &Case, base: Duration, per_node: Duration) -> DemoConfig {
    let mut config = case.config();
    config.behaviours.latency = Latency {
        base,
        per_node,
        ..Latency::default()
    };
    config.behaviours.wall.time = Some(TimeWall {
        after: 30 * SECOND,
        refusal: Refusal::gateway_timeout(),
    });
    config
}

/// A stand-in that gives up on more rows than that, and says so as many gateways do.
fn walled(case: &Case, rows: u64) -> DemoConfig {
    let mut config = slow(case, SECOND / 5, SECOND / 2_000);
    config.behaviours.wall.rows = Some(RowWall {
        max: rows,
        after: SECOND,
        refusal: Refusal::gateway_timeout(),
    });
    config
}

/// Runs a case and compares all its rows.
#[track_caller]
fn run(case: &Case, project: &Project, simulation: &mut Simulation) -> Simulated {
    let simulated = simulation.run();
    assert!(
        simulated
            .outcomes
            .iter()
            .all(|outcome| *outcome == QueryOutcome::Complete),
        "{}: {:?}",
        case.name,
        simulated.outcomes
    );
    case.check_against(project, simulated.service.stand_in());
    let log = simulated.service.log();
    assert_eq!(
        (log.throttles_provoked, log.oversized_repeats),
        (0, 0),
        "{}: {log:?}",
        case.name
    );
    println!(
        "{}: {:?}, {} requests, {} of them in vain, at most {} in flight",
        case.name, simulated.took, log.requests, log.walls_hit, log.max_in_flight
    );
    simulated
}

/// The three levels of the shop, one parent at a time, are 1,882 requests and 19 minutes; fully packed and one request
/// at a time, 100 seconds.
#[test]
fn sixty_thousand_rows_in_three_levels_take_less_than_a_minute() {
    let case = shop();
    let project = case.project();
    let stand_in = slow(&case, SECOND / 5, Duration::from_micros(1_500));
    let mut simulation = Simulation::new(project.folder(), stand_in);
    let [first, second] = [(); 2].map(|()| run(&case, &project, &mut simulation));
    assert!(first.took <= 60 * SECOND, "{:?}", first.took);
    assert!(second.took <= 45 * SECOND, "{:?}", second.took);
    assert_eq!(second.service.log().walls_hit, 0);
}

#[test]
fn servers_that_give_up_on_many_rows_give_all_of_them_in_the_end() {
    for case in [shop(), library(), board()] {
        let project = case.project();
        let mut simulation = Simulation::new(project.folder(), walled(&case, 300));
        let first = run(&case, &project, &mut simulation).service.log();
        assert!(
            first.walls_hit * 5 <= first.requests,
            "{}: {} of {}",
            case.name,
            first.walls_hit,
            first.requests
        );
        let second = run(&case, &project, &mut simulation).service.log();
        assert!(
            second.walls_hit * 2 <= first.walls_hit && second.walls_hit * 20 <= second.requests,
            "{}: what failed is remembered: {} of {}",
            case.name,
            second.walls_hit,
            second.requests
        );
    }
}

/// The size at which the server gives up changes while it is asked.
#[test]
fn a_wall_that_moves_costs_less_than_a_request_in_twenty() {
    let case = shop();
    let project = case.project();
    let mut stand_in = walled(&case, 1_500);
    let step = |seconds: u32, rows| DriftStep {
        at: seconds * SECOND,
        latency: None,
        wall_rows: Some(rows),
        smooth: false,
    };
    stand_in.behaviours.drift = vec![step(20, 400), step(45, 900), step(60, 250)];
    let mut simulation = Simulation::new(project.folder(), stand_in);
    let log = run(&case, &project, &mut simulation).service.log();
    assert!(log.walls_hit > 0, "the wall was never met");
    assert!(
        log.walls_hit * 20 < log.requests,
        "{} of {}",
        log.walls_hit,
        log.requests
    );
}

/// The same where no list is as long as another, so that more rows come than were likely to; and two more nights of it.
#[test]
fn a_wall_is_kept_clear_of_where_lists_are_of_all_lengths() {
    let case = uneven_shop();
    let project = case.project();
    let mut stand_in = walled(&case, 300);
    stand_in.behaviours.drift = vec![DriftStep {
        at: 24 * SECOND,
        latency: None,
        wall_rows: Some(60),
        smooth: false,
    }];
    let mut simulation = Simulation::new(project.folder(), stand_in);
    for (night, most_in_vain) in [(1, 0.05), (2, 0.01), (3, 0.01)] {
        let log = run(&case, &project, &mut simulation).service.log();
        assert!(
            log.walls_hit as f64 <= most_in_vain * log.requests as f64,
            "night {night}: {} of {}",
            log.walls_hit,
            log.requests
        );
        simulation.stand_in = walled(&case, 60);
    }
}

/// A wall that stands where it is, below lists in lists in lists: what one kind of request has found, the others need not
/// find again, and the nights behind the first one begin below it.
#[test]
fn a_wall_that_stands_is_met_by_no_request_in_later_nights() {
    for (case, rows) in [(roomy_shop(), 900), (uneven_shop(), 600)] {
        let project = case.project();
        let mut stand_in = walled(&case, rows);
        stand_in.behaviours.limits.clear();
        let mut simulation = Simulation::new(project.folder(), stand_in);
        let [first, second, third] = [(); 3].map(|()| run(&case, &project, &mut simulation).service.log());
        assert!(first.walls_hit > 0, "{}: the wall was never met", case.name);
        assert!(first.walls_hit * 10 <= first.requests, "{}: {first:?}", case.name);
        for (night, log) in [(2, &second), (3, &third)] {
            assert!(
                log.walls_hit * 100 <= log.requests,
                "{}, night {night}: {} of {}",
                case.name,
                log.walls_hit,
                log.requests
            );
        }
    }
}

/// Rows become five times as slow within a minute; nothing comes near the time at which the server gives up.
#[test]
fn a_server_that_becomes_slower_is_asked_for_less_before_it_fails() {
    let case = shop();
    let project = case.project();
    let mut stand_in = slow(&case, SECOND / 5, SECOND / 500);
    stand_in.behaviours.drift = vec![DriftStep {
        at: 60 * SECOND,
        latency: Some(5.0),
        wall_rows: None,
        smooth: true,
    }];
    let mut simulation = Simulation::new(project.folder(), stand_in);
    let log = run(&case, &project, &mut simulation).service.log();
    assert_eq!(log.walls_hit, 0);
}

/// One request in a hundred fails by chance, and three of the first five: that is no reason to ask for little for ever.
#[test]
fn after_failures_by_chance_requests_are_large_again() {
    let case = shop();
    let project = case.project();
    let mut stand_in = slow(&case, SECOND / 200, SECOND / 50_000);
    stand_in.behaviours.faults.rates.server_error = 0.01;
    stand_in.behaviours.faults.script = [
        (2, Fault::BadGateway),
        (4, Fault::Unavailable),
        (5, Fault::InternalError),
    ]
    .map(|(request, fault)| ScriptedFault { request, fault })
    .to_vec();
    let mut simulation = Simulation::new(project.folder(), stand_in);
    let simulated = run(&case, &project, &mut simulation);
    let requests = simulated.service.log().requests;
    assert!(requests < 160, "{requests} for what takes forty without failures");
}

/// All cursors that are open expire while the API asks to be left alone.
#[test]
fn connections_whose_cursors_have_all_expired_are_read_again_side_by_side() {
    let case = shop();
    let requests = [None, Some(60)].map(|throttled| {
        let mut stand_in = slow(&case, SECOND / 5, SECOND / 2_000);
        let project = case.project();
        let settings = project.file("source.toml");
        let small = fs_err::read_to_string(&settings)
            .expect("settings")
            .replace("[limits]\n", "[limits]\npage_size = 5\n");
        fs_err::write(settings, small).expect("settings");
        let behaviours = &mut stand_in.behaviours;
        behaviours.throttle.injected_wait = 120 * SECOND;
        behaviours.paging.traps.cursor_expiry = Some(CursorExpiry {
            after: Some(60 * SECOND),
            after_requests: None,
            refusal: Refusal {
                status: 200,
                body: r#"{"errors":[{"message":"The cursor has expired","extensions":{"code":"CursorExpiredError"}}]}"#
                    .to_owned(),
            },
        });
        let script = throttled.map(|request| ScriptedFault {
            request,
            fault: Fault::Throttle,
        });
        behaviours.faults.script = script.into_iter().collect();
        let mut simulation = Simulation::new(project.folder(), stand_in);
        run(&case, &project, &mut simulation).service.log().requests
    });
    let [usual, expired] = requests;
    assert!(expired > usual, "{expired} and {usual}: none had expired");
    assert!(expired <= usual * 2, "{expired} requests for what takes {usual}");
}

/// A server that turns away what is too much at once, in the words in which others give up on large requests: fewer are
/// sent, and they ask for no less.
#[test]
fn a_server_that_is_busy_is_sent_fewer_requests_and_not_smaller_ones() {
    let case = roomy_shop();
    let project = case.project();
    let file = project.folder().join("queries/api/source.toml");
    let settings = fs_err::read_to_string(&file).expect("the settings");
    let patient = settings.replace("'5ms'", "'500ms'").replace("'20ms'", "'1m'");
    fs_err::write(&file, patient).expect("a file");
    let mut stand_in = slow(&case, SECOND / 5, SECOND / 1_000);
    stand_in.behaviours.limits.clear();
    stand_in.behaviours.wall.crowd = Some(Crowd {
        max: 6,
        refusal: Refusal::unavailable(),
    });
    let mut simulation = Simulation::new(project.folder(), stand_in);
    for night in 0..2 {
        let log = run(&case, &project, &mut simulation).service.log();
        println!(
            "night {night}: {} turned away of {}, {} rows at most",
            log.turned_away, log.requests, log.max_rows
        );
        assert!(log.turned_away * 5 < log.requests, "night {night}: {log:?}");
        assert!(log.rows / log.answered > 100, "night {night}: {log:?}");
    }
}

/// A server that gives up on many rows in the words of one that is busy, asked by two query files at once: it is asked for
/// less, and by no fewer requests.
#[test]
fn a_wall_told_like_a_busy_server_is_known_for_one() {
    let case = roomy_shop();
    let project = case.project();
    let mut stand_in = walled(&case, 300);
    stand_in.behaviours.limits.clear();
    stand_in.behaviours.wall.rows = Some(RowWall {
        max: 300,
        after: SECOND,
        refusal: Refusal::unavailable(),
    });
    let mut simulation = Simulation::new(project.folder(), stand_in);
    for (night, share) in [(1, 10), (2, 50)] {
        let simulated = run(&case, &project, &mut simulation);
        let log = simulated.service.log();
        assert!(
            log.walls_hit * share <= log.requests,
            "night {night}: {} of {}",
            log.walls_hit,
            log.requests
        );
        // One at a time, they take eight times as long.
        assert!(simulated.took < 60 * SECOND, "night {night}: {:?}", simulated.took);
    }
}

/// What comes with the rows of a list that has to be read page after page is waited for by all behind it: known to be
/// much, it is asked for by the side.
#[test]
fn long_lists_below_a_chain_of_pages_are_read_side_by_side() {
    let case = long_shop();
    let project = case.project();
    let stand_in = slow(&case, SECOND / 5, Duration::from_micros(1_500));
    let mut simulation = Simulation::new(project.folder(), stand_in);
    let nights = [(); 3].map(|()| run(&case, &project, &mut simulation));
    for (night, simulated) in (1..).zip(&nights) {
        assert!(simulated.took <= 45 * SECOND, "night {night}: {:?}", simulated.took);
    }
}

/// Servers that turn away what is too much at once with no status that says so, in words that are known and in others.
#[test]
fn a_server_that_tells_in_words_that_it_has_too_much_to_do_gives_all_rows() {
    for words in ["Too many concurrent requests", "All desks are taken"] {
        let case = roomy_shop();
        let project = case.project();
        let mut stand_in = slow(&case, SECOND / 5, SECOND / 1_000);
        stand_in.behaviours.limits.clear();
        stand_in.behaviours.wall.crowd = Some(Crowd {
            max: 3,
            refusal: Refusal {
                status: 200,
                body: format!(r#"{{"errors":[{{"message":"{words}"}}]}}"#),
            },
        });
        let mut simulation = Simulation::new(project.folder(), stand_in);
        for night in 0..2 {
            let log = run(&case, &project, &mut simulation).service.log();
            println!(
                "{words}, night {night}: {} turned away of {}",
                log.turned_away, log.requests
            );
            let most = if night == 0 {
                log.requests / 5
            } else {
                log.requests / 20
            };
            assert!(log.turned_away <= most, "{words}, night {night}: {log:?}");
        }
    }
}
