//! APIs that nobody thought of: schemas, data, limits, faults and kills from seeds, and exports of them that are
//! complete row by row, or say exactly what is not.
//!
//! A fixed list of seeds runs always. `GQLDUMP_CASES=500` runs so many others, `GQLDUMP_SEED=7` one alone, and both so
//! many from that one on. A case that fails prints all that it is made of.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use gqldump::demo::{DemoServer, RequestLog};
use serde_json::Value;

use crate::exported::Exported;
use crate::generated::case::Case;
use crate::generated::conditions::INTERRUPTED;
use crate::program::Ended;
use crate::project::Project;
use crate::tracker::serve;
use crate::truth::Census;

mod case;
mod conditions;
mod draw;
mod query;
mod scalars;
mod styles;
mod texts;
mod world;
mod written;

/// The seeds that always run.
const SEEDS: std::ops::RangeInclusive<u64> = 1..=80;

/// Exports at once: most of the time of each is waiting.
const THREADS: usize = 4;

/// How an export ended, as it must.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    /// All rows of all lists.
    Complete,
    /// All rows that can be had, and the lists named that may have more.
    Suspect,
    /// Refused before anything was asked.
    Refused,
}

#[test]
fn what_is_written_is_what_is_there() {
    let seeds = seeds();
    let (outcomes, failed) = run_all(&seeds);
    println!("{outcomes:?}");
    assert!(failed.is_empty(), "seeds that failed: {failed:?}");
    let refused = outcomes.get(&Outcome::Refused).copied().unwrap_or(0);
    assert!(seeds.len() < 20 || 3 * refused < seeds.len(), "too many are refused");
}

fn seeds() -> Vec<u64> {
    let number = |name| {
        let text = std::env::var(name).ok();
        text.map(|text| text.parse::<u64>().expect("a number"))
    };
    match (number("GQLDUMP_SEED"), number("GQLDUMP_CASES")) {
        (None, None) => SEEDS.collect(),
        (Some(seed), None) => vec![seed],
        (first, Some(cases)) => {
            let first = first.unwrap_or_else(|| rand::random::<u32>().into());
            (first..first + cases).collect()
        }
    }
}

/// Runs the cases of some seeds side by side: how often each outcome was met, and the seeds that failed.
fn run_all(seeds: &[u64]) -> (BTreeMap<Outcome, usize>, Vec<u64>) {
    let next = AtomicUsize::new(0);
    let found = Mutex::new((BTreeMap::new(), Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while let Some(seed) = seeds.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let case = Case::draw(*seed);
                    let outcome = catch_unwind(AssertUnwindSafe(|| outcome(&case)));
                    let mut found = found.lock().expect("no panic beside");
                    match outcome {
                        Ok(outcome) => *found.0.entry(outcome).or_insert(0) += 1,
                        Err(_) => {
                            println!("----- failed: {}", case.told());
                            found.1.push(*seed);
                        }
                    }
                }
            });
        }
    });
    found.into_inner().expect("no panic beside")
}

/// Runs a case, and panics unless it ends as it must.
fn outcome(case: &Case) -> Outcome {
    let (project, server) = (case.project(), serve(case.config()));
    if !case.is_reachable() {
        let ended = project.run(&server, &[]).with_code(2);
        assert!(ended.stderr.contains("cannot be read to its end"), "{}", ended.stderr);
        let log = server.log();
        assert_eq!((log.answered, log.rows), (log.introspections, 0), "{log:?}");
        return Outcome::Refused;
    }
    let (ended, kills) = run_to_end(case, &project, &server);
    let outcome = check(case, &project, &server, ended);
    let log = server.log();
    check_log(case, &log, kills);
    println!(
        "seed {}: {outcome:?}, {} requests, {} rows, {kills} kills",
        case.seed, log.requests, log.rows
    );
    if case.conditions.runs_again {
        // What was learnt makes for other requests.
        let ended = project.run(&server, &["--format", case.conditions.format]);
        assert_eq!(check(case, &project, &server, ended), outcome);
        check_limits(&server.log());
    }
    outcome
}

/// Runs an export to its end, kills and all; how often it was killed comes back.
fn run_to_end(case: &Case, project: &Project, server: &DemoServer) -> (Ended, u64) {
    let mut kills = 0;
    let format = ["--format", case.conditions.format];
    for kill in &case.conditions.kills {
        let size = kill.page_size.map(|size| format!("limits.page_size={size}"));
        let arguments = format.into_iter().chain(size.iter().flat_map(|size| ["--set", size]));
        let arguments: Vec<&str> = arguments.collect();
        if let Some(ended) = project.kill(server, &arguments, kill.requests, kill.pause) {
            return (ended, kills);
        }
        kills += 1;
    }
    (project.run(server, &format), kills)
}

/// Compares all that an export wrote and said with what is there.
fn check(case: &Case, project: &Project, server: &DemoServer, ended: Ended) -> Outcome {
    assert!(matches!(ended.code, Some(0 | 3)), "{}", ended.stderr);
    let mut full = 0;
    for file in &case.files {
        let exported = project.newest(file.name);
        let mut census = BTreeMap::new();
        for branch in case.branches(file, server.stand_in()) {
            branch.check_rows(&exported, server.stand_in());
            census.extend(branch.census(server.stand_in()));
        }
        check_evidence(&case.connections(file), &exported, &census);
        let full_here: u64 = census.values().map(|census| census.full).sum();
        assert_eq!(exported.incomplete().is_empty(), full_here == 0, "{}", ended.stderr);
        full += full_here;
    }
    let (code, outcome) = match full {
        0 => (0, Outcome::Complete),
        _ => (3, Outcome::Suspect),
    };
    ended.with_code(code);
    outcome
}

/// Every list that was begun has an end that something told, and there are as many as the data has.
fn check_evidence(expected: &[(String, &'static str)], exported: &Exported, census: &BTreeMap<String, Census>) {
    let found = exported.manifest["connections"].as_array().expect("connections");
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for (connection, (table, name)) in found.iter().zip(expected) {
        let path = connection["name"].as_str().expect("a name");
        assert_eq!(path.rsplit('.').next(), Some(*name), "{path}");
        let count = |value: &Value| value.as_u64().expect("a number");
        let ends = connection["ends"].as_object().expect("ends");
        let told: u64 = ends.values().map(count).sum();
        // Where no row is, there is none below it.
        let census = census.get(table).copied().unwrap_or_default();
        assert_eq!(count(&connection["opened"]), told, "{connection}");
        assert_eq!(told, census.lists + census.absent, "{connection} of {census:?}");
        assert_eq!(count(&connection["rows"]), census.rows, "{connection} of {census:?}");
        let weak = (count(&ends["suspect"]), count(&ends["lost"]), count(&ends["absent"]));
        assert_eq!(weak, (census.full, 0, census.absent), "{connection} of {census:?}");
    }
}

/// The server was asked for nothing that it does not allow, and for nothing again but what a kill interrupted.
fn check_log(case: &Case, log: &RequestLog, kills: u64) {
    check_limits(log);
    let at_most = kills * INTERRUPTED;
    assert!(
        case.has_twins() || log.requests_repeated <= at_most,
        "asked again: {log:?}"
    );
}

fn check_limits(log: &RequestLog) {
    assert!(log.kept_limits(), "{log:?}");
    assert_eq!(
        (log.request_errors, log.field_errors, log.refused),
        (0, 0, 0),
        "{log:?}"
    );
}
