//! How long exports take, to the millisecond, on a clock that only the stand-in's answers and the limiter move.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use gqldump::demo::{DemoConfig, Latency, RequestWindow};
use gqldump::run::QueryOutcome;

use crate::project::Project;
use crate::simulation::{Simulated, Simulation};
use crate::tracker::{calm, tables};

const BASE: Duration = Duration::from_millis(200);
const PER_NODE: Duration = Duration::from_millis(2);

/// A tracker that takes its time, as exactly as it says.
fn slow() -> DemoConfig {
    let mut tracker = calm();
    tracker.behaviours.latency = Latency {
        base: BASE,
        per_node: PER_NODE,
        ..Latency::default()
    };
    tracker
}

/// Shipped query files of the tracker, in pages of a hundred, under these limits.
fn project(queries: &[&str], limits: &str) -> Project {
    let project = Project::demo().only(queries);
    let shipped = fs_err::read_to_string(project.file("source.toml")).expect("settings");
    let (_, scalars) = shipped.split_once("[scalars]").expect("scalars");
    let settings = format!("endpoint = 'demo:'\n[limits]\npage_size = 100\n{limits}\n[scalars]{scalars}");
    project.with("source.toml", &settings)
}

#[track_caller]
fn check_rows(project: &Project, simulated: &Simulated, queries: &[&str]) {
    assert_eq!(simulated.outcomes, vec![QueryOutcome::Complete; queries.len()]);
    for table in tables().iter().filter(|table| queries.contains(&table.name)) {
        table.check(&project.exported(table.name), simulated.service.stand_in());
    }
}

/// Does something while all processors are kept busy.
fn under_load<T>(work: impl FnOnce() -> T) -> T {
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            });
        }
        let done = work();
        is_over.store(true, Ordering::Relaxed);
        done
    })
}

/// Chains of cursors, side by side, take as long as the longest of them, and nothing that the machine does is counted.
#[test]
fn an_export_takes_as_long_as_its_answers_and_not_a_millisecond_more() {
    const QUERIES: [&str; 2] = ["findings", "vulnerabilities"];
    let took = |is_busy: bool| {
        let project = project(&QUERIES, "");
        let mut simulation = Simulation::new(project.folder(), slow());
        let simulated = match is_busy {
            true => under_load(|| simulation.run()),
            false => simulation.run(),
        };
        check_rows(&project, &simulated, &QUERIES);
        let log = simulated.service.log();
        assert_eq!((log.max_in_flight, log.rows_repeated), (2, 0));
        let chain = |table: &str| {
            let rows = simulated.service.stand_in().truth(table).expect("a table").count();
            let pages = u32::try_from(rows.div_ceil(100)).expect("few pages");
            BASE * pages + PER_NODE * u32::try_from(rows).expect("few rows")
        };
        let chains = [chain("findings"), chain("vulnerabilities")];
        assert!(chains.iter().all(|chain| *chain > 5 * BASE), "{chains:?}");
        let introspection = BASE;
        assert_eq!(simulated.took, introspection + chains[0].max(chains[1]));
        simulated.took
    };
    let first = took(false);
    assert_eq!([took(false), took(true)], [first; 2]);
}

/// The window, the permit log and the time of day go by the same clock.
#[test]
fn a_budget_is_waited_for_in_simulated_time() {
    const WINDOW: Duration = Duration::from_secs(60);
    let mut tracker = slow();
    tracker.behaviours.latency.per_node = Duration::ZERO;
    tracker.behaviours.limits = vec![RequestWindow {
        max: 4,
        per: WINDOW,
        window: Default::default(),
    }];
    let project = project(&["vulnerabilities"], "requests = [{ max = 4, per = '1m' }]");
    let mut simulation = Simulation::new(project.folder(), tracker);
    for introspections in [1, 0] {
        let simulated = simulation.run();
        check_rows(&project, &simulated, &["vulnerabilities"]);
        let log = simulated.service.log();
        assert_eq!((log.throttles_provoked, log.introspections), (0, introspections));
        // Each request of a chain is over before the next; a slot comes back a window after its request was.
        let waits = u32::try_from((log.requests - 1) / 4).expect("few requests");
        let last_turn = u32::try_from((log.requests - 1) % 4 + 1).expect("few requests");
        assert_eq!(simulated.took, (WINDOW + BASE) * waits + BASE * last_turn);
        let started = project.newest("vulnerabilities").manifest["started"].clone();
        let night = if introspections == 1 {
            "2026-11-22T03:15"
        } else {
            "2026-11-22T23:15"
        };
        assert!(started.as_str().is_some_and(|at| at.starts_with(night)), "{started}");
    }
}
