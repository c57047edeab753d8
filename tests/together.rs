//! Several processes that ask one API at the same time, from one machine: its budget is theirs together.

use std::time::Duration;

use gqldump::demo::{DemoConfig, DemoServer, RequestWindow, WindowKind};
use nix::sys::signal::Signal;
use secrecy::ExposeSecret as _;

use crate::program::{Running, start};
use crate::project::Project;
use crate::tracker::{calm, serve, tables};

/// What the API allows.
const MOST: u32 = 25;

/// The same as the processes are told it. A machine that is busy with other tests delays a request as a bad network would.
const SETTINGS: [&str; 6] = [
    "--set",
    "limits.requests=[{max=25,per='1s'}]",
    "--set",
    "limits.arrival_margin=300ms",
    "--set",
    "limits.page_size=50",
];

fn limited() -> DemoConfig {
    let mut config = calm();
    config.behaviours.limits = vec![RequestWindow {
        max: MOST,
        per: Duration::from_secs(1),
        window: WindowKind::Sliding,
    }];
    config
}

/// Starts the export of one query file, into an output of its own.
fn begin(project: &Project, server: &DemoServer, query: &str) -> Running {
    begin_with(project, server, query, &[])
}

fn begin_with(project: &Project, server: &DemoServer, query: &str, settings: &[&str]) -> Running {
    let path = format!("queries/demo/{query}.graphql");
    let arguments = [&[path.as_str(), "--output", query], SETTINGS.as_slice(), settings].concat();
    let mut command = project.export(server, &arguments);
    command.env("OTHER_TOKEN", server.token().expose_secret());
    start(command.env("XDG_STATE_HOME", project.folder().join("state")))
}

#[track_caller]
fn assert_exported(project: &Project, server: &DemoServer, query: &str) {
    let table = tables().into_iter().find(|table| table.name == query).expect("a table");
    let latest = project.folder().join(query).join("demo").join(query).join("latest");
    table.check(&crate::exported::read_export(&latest), server.stand_in());
}

#[test]
fn two_processes_with_different_query_files_provoke_no_throttle_together() {
    let (project, server) = (Project::demo(), serve(limited()));
    let queries = ["findings", "vulnerabilities"];
    let running = queries.map(|query| begin(&project, &server, query));
    let ended = running.map(|running| running.end().with_code(0));
    queries
        .iter()
        .for_each(|query| assert_exported(&project, &server, query));
    let log = server.log();
    assert!(log.kept_limits(), "{log:?}");
    assert!(
        log.requests > u64::from(2 * MOST),
        "too few requests to share anything: {log:?}"
    );
    let told = ended
        .iter()
        .filter(|ended| ended.stderr.contains("all keep to one budget"));
    assert_eq!(told.count(), 1, "the one that came second is told");
    for query in queries {
        assert!(!project.folder().join(query).join("demo/.gqldump/permits").exists());
    }
}

/// The server counts the requests of both, and each has a window of its own beside the one that they share.
#[test]
fn two_processes_with_different_tokens_keep_to_what_all_tokens_of_the_host_have() {
    let (project, server) = (Project::demo(), serve(limited()));
    let windows = "limits.requests=[{max=20,per='1s'},{max=25,per='1s',counted_by='host'}]";
    let other = ["--set", windows, "--set", "auth.token.env=OTHER_TOKEN"];
    let running = [("findings", &other[..2]), ("vulnerabilities", &other)]
        .map(|(query, settings)| (query, begin_with(&project, &server, query, settings)));
    for (query, running) in running {
        running.end().with_code(0);
        assert_exported(&project, &server, query);
    }
    let log = server.log();
    assert!(log.kept_limits(), "{log:?}");
    assert!(log.requests > u64::from(2 * MOST), "too few to share anything: {log:?}");
}

#[test]
fn what_a_process_sent_that_was_killed_counts_for_the_one_beside_it_and_for_the_next() {
    let (project, server) = (Project::demo(), serve(limited()));
    let patient = begin(&project, &server, "vulnerabilities");
    for _ in 0..3 {
        let goal = server.log().requests + 10;
        let mut killed = begin(&project, &server, "findings");
        while server.log().requests < goal && !killed.has_ended() {
            std::thread::yield_now();
        }
        killed.signal(Signal::SIGKILL);
        killed.end();
    }
    begin(&project, &server, "findings").end().with_code(0);
    patient.end().with_code(0);
    for query in ["findings", "vulnerabilities"] {
        assert_exported(&project, &server, query);
    }
    assert!(server.log().kept_limits(), "{:?}", server.log());
}

#[test]
fn a_state_folder_that_cannot_be_had_is_told_and_the_run_has_its_budget_for_itself() {
    let (project, server) = (Project::demo().only(&["groups"]), serve(limited()));
    let mut command = project.export(&server, &SETTINGS);
    // A file stands where the folder should.
    let ended = start(command.env("XDG_STATE_HOME", project.file("groups.graphql")))
        .end()
        .with_code(0);
    assert!(ended.stderr.contains("the budget is not shared"), "{}", ended.stderr);
    assert!(project.written(".gqldump/permits").exists());
}
