//! Runs that are killed, interrupted or overtaken by changes, and what the next run makes of them.

use std::path::Path;
use std::time::Duration;

use fs_err as fs;
use gqldump::demo::{DemoConfig, DemoServer, Fault, ScriptedFault};
use nix::sys::signal::Signal;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

use crate::exported::read_export;
use crate::program::{Ended, Running};
use crate::project::Project;
use crate::tracker::{TrackerTable, calm, serve, tables};

/// 150 pages of vulnerabilities.
const MANY_PAGES: [&str; 4] = ["--set", "limits.page_size=40", "--set", "limits.requests=[]"];

/// A stand-in that takes its time, so that there is something to interrupt.
fn slow() -> DemoConfig {
    let mut config = calm();
    config.behaviours.latency.base = Duration::from_millis(40);
    config
}

fn table(name: &str) -> TrackerTable {
    tables().into_iter().find(|table| table.name == name).expect("a table")
}

/// Waits until so many requests have reached the server in all.
#[track_caller]
fn await_requests(server: &DemoServer, running: &mut Running, requests: u64) {
    while server.log().requests < requests {
        assert!(
            !running.has_ended(),
            "the program ended before {requests} requests were sent"
        );
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Starts an export, and signals it after ten requests.
#[track_caller]
fn interrupted(project: &Project, server: &DemoServer, signal: Signal) -> Ended {
    let before = server.log().requests;
    let mut running = project.start(server, &MANY_PAGES);
    await_requests(server, &mut running, before + 10);
    running.signal(signal);
    running.end()
}

/// A generator whose seed is told, so that a failure can be looked into.
fn random() -> StdRng {
    let seed = rand::random();
    println!("seed {seed}");
    StdRng::seed_from_u64(seed)
}

/// Panics unless every manifest below `folder` is of a whole run: readers find nothing else.
pub(crate) fn assert_whole_runs(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.expect("an entry").path();
        if path.ends_with("_manifest.json") {
            read_export(folder);
        } else if path.is_dir() {
            assert_whole_runs(&path);
        }
    }
}

/// Kills an export again and again, each time a few requests on, and lets the last one come to its end.
#[track_caller]
fn kill_and_go_on(project: &Project, server: &DemoServer, kills: u64, requests_between: u64) -> Ended {
    let mut random = random();
    for _ in 0..kills {
        let goal = server.log().requests + random.random_range(1..=requests_between);
        let mut running = project.start(server, &MANY_PAGES);
        await_requests(server, &mut running, goal);
        // Anywhere between two requests: while one is in flight, while its answer is taken in, while the next is sent.
        std::thread::sleep(Duration::from_micros(random.random_range(0..50_000)));
        running.signal(Signal::SIGKILL);
        assert_eq!(running.end().code, None);
    }
    let ended = project.run(server, &MANY_PAGES).with_code(0);
    let log = server.log();
    println!(
        "{kills} kills, {} requests, {} of them repeated, {} in flight at most",
        log.requests, log.requests_repeated, log.max_in_flight
    );
    ended
}

#[test]
fn a_run_that_is_killed_twenty_times_ends_with_every_row_once() {
    let (project, server) = (Project::demo().only(&["vulnerabilities"]), serve(slow()));
    let ended = kill_and_go_on(&project, &server, 20, 5);
    assert!(ended.stderr.contains("goes on: "), "{}", ended.stderr);
    table("vulnerabilities").check(&project.exported("vulnerabilities"), server.stand_in());
    let log = server.log();
    assert_eq!(log.max_in_flight, 1);
    assert!(
        log.requests_repeated <= 20,
        "more than was in flight at the kills: {log:?}"
    );
    assert_eq!(log.introspections, 1);
}

#[test]
fn several_exports_that_are_killed_together_all_go_on() {
    let resized = |text: &str, field: &str, size: u64| {
        let resized = text.replacen(&format!("\n  {field} {{"), &format!("\n  {field}(first: {size}) {{"), 1);
        assert_ne!(resized, text);
        resized
    };
    let queries = Path::new(env!("CARGO_MANIFEST_DIR")).join("queries/demo");
    let text = |name: &str| fs::read_to_string(queries.join(name)).expect("a query file");
    let events = text("events.graphql").replace("first: 250", "first: 3");
    let project = Project::demo()
        .only(&["events", "findings", "fragments", "vulnerabilities"])
        .with("events.graphql", &events)
        .with("findings.graphql", &resized(&text("findings.graphql"), "findings", 15))
        .with(
            "vulnerabilities.graphql",
            &resized(&text("vulnerabilities.graphql"), "vulnerabilities", 60),
        );
    let server = serve(slow());
    kill_and_go_on(&project, &server, 10, 9);
    for name in ["events", "findings", "vulnerabilities"] {
        table(name).check(&project.exported(name), server.stand_in());
    }
    let log = server.log();
    assert!(
        log.max_in_flight <= 3 && log.requests_repeated <= 10 * log.max_in_flight,
        "{log:?}"
    );
}

#[test]
fn a_kill_at_the_beginning_or_while_publishing_leaves_nothing_half_done() {
    let (project, server) = (Project::demo(), serve(calm()));
    let mut random = random();
    for _ in 0..25 {
        let running = project.start(&server, &["--set", "limits.requests=[]"]);
        std::thread::sleep(Duration::from_millis(random.random_range(0..400)));
        running.signal(Signal::SIGKILL);
        running.end();
        assert_whole_runs(&project.output());
    }
    project.run(&server, &["--set", "limits.requests=[]"]).with_code(0);
    for table in tables() {
        table.check(&project.exported(table.name), server.stand_in());
    }
}

#[test]
fn what_is_in_flight_is_taken_in_when_a_signal_asks_to_stop() {
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let (project, server) = (Project::demo().only(&["vulnerabilities"]), serve(slow()));
        let ended = interrupted(&project, &server, signal).with_code(5);
        assert!(
            ended.stderr.contains("interrupted, the next run goes on from here"),
            "{}",
            ended.stderr
        );
        assert!(
            !project.written("vulnerabilities").exists(),
            "a part of a run was published"
        );
        let ended = project.run(&server, &MANY_PAGES).with_code(0);
        assert!(ended.stderr.contains("goes on: "), "{}", ended.stderr);
        table("vulnerabilities").check(&project.exported("vulnerabilities"), server.stand_in());
        let log = server.log();
        assert_eq!((log.requests_repeated, log.rows_repeated), (0, 0), "{signal}: {log:?}");
    }
}

#[test]
fn the_words_at_a_signal_say_what_happens_and_how_to_go_on() {
    let (project, server) = (Project::demo().only(&["vulnerabilities"]), serve(slow()));
    let ended = interrupted(&project, &server, Signal::SIGINT).with_code(5);
    let said = ended
        .stderr
        .lines()
        .find(|line| line.contains("stopping"))
        .expect("a line");
    insta::assert_snapshot!(project.steady(said), @"TIME warn  stopping: what is in flight is taken in, and the next run goes on from there; Ctrl-C again stops at once");
    insta::assert_snapshot!(ended.stderr.lines().last().expect("a line"), @"demo/vulnerabilities was interrupted and goes on from here with the next run");
}

#[test]
fn a_second_signal_ends_the_run_at_once() {
    let mut config = calm();
    config.behaviours.faults.script = vec![ScriptedFault {
        request: 5,
        fault: Fault::Slow,
    }];
    config.behaviours.faults.slow_by = Duration::from_secs(3600);
    let (project, server) = (Project::demo().only(&["vulnerabilities"]), serve(config));
    let mut running = project.start(
        &server,
        &[MANY_PAGES.as_slice(), &["--set", "timing.timeout=1h"]].concat(),
    );
    await_requests(&server, &mut running, 5);
    while !running.has_ended() {
        running.signal(Signal::SIGINT);
        std::thread::sleep(Duration::from_millis(20));
    }
    let ended = running.end().with_code(5);
    assert!(
        ended.stderr.contains("stopped; the next run goes on from there"),
        "{}",
        ended.stderr
    );
    project.run(&server, &MANY_PAGES).with_code(0);
    table("vulnerabilities").check(&project.exported("vulnerabilities"), server.stand_in());
    assert_eq!(server.log().requests_repeated, 0);
}

#[test]
fn fresh_drops_what_an_interrupted_run_has_fetched() {
    let (project, server) = (Project::demo().only(&["vulnerabilities"]), serve(slow()));
    interrupted(&project, &server, Signal::SIGINT).with_code(5);
    let ended = project
        .run(&server, &[MANY_PAGES.as_slice(), &["--fresh"]].concat())
        .with_code(0);
    assert!(ended.stderr.contains("responses: --fresh"), "{}", ended.stderr);
    table("vulnerabilities").check(&project.exported("vulnerabilities"), server.stand_in());
    assert!(server.log().requests_repeated >= 8, "{:?}", server.log());
}

#[test]
fn a_query_that_asks_for_something_else_begins_afresh_and_says_why() {
    let (project, server) = (Project::demo().only(&["vulnerabilities"]), serve(slow()));
    interrupted(&project, &server, Signal::SIGINT).with_code(5);
    let path = project.file("vulnerabilities.graphql");
    let text = fs::read_to_string(&path).expect("a query file");
    let project = project.with("vulnerabilities.graphql", &text.replacen("title", "headline: title", 1));
    let ended = project.run(&server, &MANY_PAGES).with_code(0);
    let why = "responses: the query changed since";
    assert!(ended.stderr.contains(why), "{}", ended.stderr);
    assert_eq!(project.exported("vulnerabilities").manifest["tables"][0]["rows"], 6000);
}

#[test]
fn a_query_that_asks_for_the_same_in_other_words_goes_on() {
    let (project, server) = (Project::demo().only(&["vulnerabilities"]), serve(slow()));
    interrupted(&project, &server, Signal::SIGINT).with_code(5);
    let path = project.file("vulnerabilities.graphql");
    let text = fs::read_to_string(&path).expect("a query file");
    let project = project.with(
        "vulnerabilities.graphql",
        &format!("# another comment\n{text}").replace("  ", "\t"),
    );
    project.run(&server, &MANY_PAGES).with_code(0);
    table("vulnerabilities").check(&project.exported("vulnerabilities"), server.stand_in());
    assert_eq!(server.log().requests_repeated, 0);
}

#[test]
fn another_format_begins_afresh_and_says_why() {
    let (project, server) = (Project::demo().only(&["vulnerabilities"]), serve(slow()));
    interrupted(&project, &server, Signal::SIGINT).with_code(5);
    let ended = project
        .run(&server, &[MANY_PAGES.as_slice(), &["--format", "ndjson"]].concat())
        .with_code(0);
    assert!(
        ended
            .stderr
            .contains("responses: it writes parquet, and ndjson is asked for"),
        "{}",
        ended.stderr
    );
    table("vulnerabilities").check(&project.exported("vulnerabilities"), server.stand_in());
}

#[test]
fn a_second_process_is_refused_and_told_whom_to_wait_for() {
    let (project, server) = (Project::demo().only(&["vulnerabilities"]), serve(slow()));
    let mut first = project.start(&server, &MANY_PAGES);
    await_requests(&server, &mut first, 3);
    // It could not be written. Whoever has no turn does not try to write anything.
    fs::create_dir(project.written(".writable")).expect("a folder");
    let second = project.run(&server, &["--quiet"]).with_code(1);
    let owner = format!("(process {}, for ", first.pid());
    assert!(second.stderr.contains(&owner), "{}", second.stderr);
    insta::assert_snapshot!(project.steady(&second.stderr), @"TIME error demo: failed: output/demo/.gqldump/lock: another gqldump works on this source and output (process PID, for AGE); wait for it (`gqldump run --wait` does), or choose another --output");
    first.end().with_code(0);
    table("vulnerabilities").check(&project.exported("vulnerabilities"), server.stand_in());
}

#[test]
fn a_second_process_that_waits_goes_on_where_the_first_was_killed() {
    let (project, server) = (Project::demo().only(&["vulnerabilities"]), serve(slow()));
    let mut first = project.start(&server, &MANY_PAGES);
    await_requests(&server, &mut first, 10);
    let mut second = project.start(&server, &[MANY_PAGES.as_slice(), &["--wait"]].concat());
    let told = second.read_stderr_until("waits");
    assert!(told.contains(&format!("(process {}, for ", first.pid())), "{told}");
    let until_then = server.log().requests;
    await_requests(&server, &mut first, until_then + 3);
    first.signal(Signal::SIGKILL);
    first.end();
    let ended = second.end().with_code(0);
    assert!(ended.stderr.contains("goes on: "), "{}", ended.stderr);
    table("vulnerabilities").check(&project.exported("vulnerabilities"), server.stand_in());
    assert_eq!(server.log().max_in_flight, 1, "both sent requests");
}

#[test]
fn a_process_that_waits_gives_up_in_the_end_or_when_it_is_told_to() {
    let (project, server) = (Project::demo().only(&["vulnerabilities"]), serve(slow()));
    let mut first = project.start(&server, &MANY_PAGES);
    await_requests(&server, &mut first, 3);
    let impatient = project.run(&server, &["--wait=10ms"]).with_code(1);
    assert!(
        impatient.stderr.contains("another gqldump works on"),
        "{}",
        impatient.stderr
    );
    let mut stopped = project.start(&server, &["--wait=1h"]);
    stopped.read_stderr_until("waits");
    stopped.signal(Signal::SIGTERM);
    let stopped = stopped.end().with_code(5);
    assert!(stopped.stderr.contains("nothing was begun"), "{}", stopped.stderr);
    first.signal(Signal::SIGKILL);
    first.end();
}

#[test]
fn a_complete_run_is_followed_by_a_new_one() {
    let (project, server) = (Project::demo().only(&["findings"]), serve(calm()));
    let runs = [(), ()].map(|()| {
        project.run(&server, &[]).with_code(0);
        project.exported("findings").run().to_owned()
    });
    assert!(runs[0] < runs[1], "{runs:?}");
    assert_eq!(server.log().requests_repeated, 3);
}
