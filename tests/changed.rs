//! What a run finds when it goes on may not be what it was begun with: it says what changed, begins that query file afresh
//! and keeps the others; and what it has published it does not ask for again.

#[cfg(debug_assertions)]
mod dropped;

use std::path::Path;
use std::time::Duration;

use fs_err as fs;
use gqldump::demo::{DemoConfig, DemoServer};
use nix::sys::signal::Signal;

use crate::program::{Ended, run};
use crate::project::Project;
use crate::tracker::{calm, let_cursors_expire, serve, tables};

const FEW: [&str; 4] = ["--set", "limits.page_size=40", "--set", "limits.requests=[]"];

/// A small export and a large one, of which the small one was published and the large one was killed.
#[track_caller]
fn half_published() -> (Project, DemoServer) {
    published_up_to("groups", Project::demo().only(&["groups", "vulnerabilities"]))
}

/// The same where all that is small was published up to that one.
#[track_caller]
fn published_up_to(last: &str, project: Project) -> (Project, DemoServer) {
    let mut config = calm();
    config.rows_scale = 0.05;
    config.behaviours.latency.base = Duration::from_millis(10);
    let server = serve(config);
    let mut running = project.start(&server, &FEW);
    while server.log().requests < 12 || !is_published(&project, last) {
        assert!(!running.has_ended(), "both are exported already");
        std::thread::sleep(Duration::from_millis(1));
    }
    running.signal(Signal::SIGKILL);
    assert_eq!(running.end().code, None);
    (project, server)
}

/// Whether the state says so: that is the last step of publishing.
fn is_published(project: &Project, query: &str) -> bool {
    let file = format!("queries/demo/{query}.graphql");
    let status = run(&mut project.gqldump(&["status", "--json", &file])).with_code(0);
    let status: serde_json::Value = serde_json::from_str(&status.stdout).expect("JSON");
    let query = &status["sources"][0]["queries"][0];
    query["unfinished"].is_null() && !query["last"].is_null()
}

/// Runs both again, to the end.
#[track_caller]
fn again(project: &Project, server: &DemoServer, arguments: &[&str]) -> Ended {
    let ended = project.run(server, &[FEW.as_slice(), arguments].concat()).with_code(0);
    for table in tables()
        .iter()
        .filter(|table| ["groups", "vulnerabilities"].contains(&table.name))
    {
        table.check(&project.exported(table.name), server.stand_in());
    }
    ended
}

fn runs(project: &Project, query: &str) -> usize {
    let entries = fs::read_dir(project.written(query)).expect("runs");
    entries
        .filter(|entry| !entry.as_ref().expect("an entry").path().is_symlink())
        .count()
}

#[test]
fn what_a_run_has_published_is_not_asked_for_again_when_it_goes_on() {
    let (project, server) = half_published();
    let ended = again(&project, &server, &[]);
    let log = server.log();
    assert!(log.requests_repeated <= 2 * (log.max_in_flight + 1), "{log:?}");
    let rows = server.stand_in().truth("groups").expect("groups").count() as u64;
    assert!(log.types["Group"].sent <= rows, "groups were asked for again: {log:?}");
    let run = project.exported("groups").run().to_owned();
    let told = format!(
        "demo/groups: published by run {run}, which goes on: not asked for again (--fresh exports everything anew)"
    );
    assert!(ended.stderr.contains(&told), "{}", ended.stderr);
    assert!(
        ended
            .stderr
            .lines()
            .any(|line| line.starts_with("demo/groups") && line.contains(" kept ")),
        "{}",
        ended.stderr
    );
    assert_eq!(project.exported("vulnerabilities").run(), run);
    assert_eq!((runs(&project, "groups"), runs(&project, "vulnerabilities")), (1, 1));
    // Now that it is at its end, the next run is another one.
    again(&project, &server, &[]);
    assert_eq!((runs(&project, "groups"), runs(&project, "vulnerabilities")), (2, 2));
}

/// A query file that never gets to its end does not keep the others from being exported each night.
#[test]
fn what_was_published_long_ago_is_exported_again() {
    let (project, server) = half_published();
    let path = project.written("groups/latest/_manifest.json");
    let manifest = fs::read_to_string(&path).expect("a manifest");
    let finished = regex::Regex::new("\"finished\": \"[^\"]*\"").expect("a pattern");
    let older = finished.replace(&manifest, "\"finished\": \"2026-01-01T00:00:00.000Z\"");
    assert_ne!(older, manifest);
    fs::write(path, older.as_ref()).expect("a manifest");
    again(&project, &server, &[]);
    assert_eq!((runs(&project, "groups"), runs(&project, "vulnerabilities")), (2, 1));
}

/// A disk that lost files, a cleanup that took the large ones: the manifest alone tells nothing of them.
#[test]
fn what_was_published_is_exported_again_where_files_of_it_are_gone_or_cut() {
    let cut = |part: &Path| {
        let file = fs::OpenOptions::new().write(true).open(part).expect("a part");
        file.set_len(10).expect("a shorter part");
    };
    let gone = |part: &Path| fs::remove_file(part).expect("a part that goes");
    let damages: [&dyn Fn(&Path); 2] = [&gone, &cut];
    for damage in damages {
        let (project, server) = half_published();
        let run = project.exported("groups").run().to_owned();
        let part = project.written("groups/latest/part-00000.parquet");
        damage(&part);
        let ended = again(&project, &server, &[]);
        let told = format!("demo/groups: what run {run} published is not whole, and is exported anew: `");
        assert!(ended.stderr.contains(&told), "{}", ended.stderr);
        assert!(
            ended.stderr.contains("part-00000.parquet` is gone or cut short"),
            "{}",
            ended.stderr
        );
        assert_ne!(project.exported("groups").run(), run);
        assert_eq!(project.exported("vulnerabilities").run(), run);
    }
}

#[test]
fn fresh_exports_what_was_published_as_well() {
    let (project, server) = half_published();
    again(&project, &server, &["--fresh"]);
    assert_eq!((runs(&project, "groups"), runs(&project, "vulnerabilities")), (2, 1));
}

#[test]
fn a_published_query_file_that_has_changed_since_is_exported_again() {
    let (project, server) = half_published();
    let text = fs::read_to_string(project.file("groups.graphql")).expect("a query file");
    let project = project.with("groups.graphql", &text.replacen("description", "about: description", 1));
    let ended = project.run(&server, &FEW).with_code(0);
    assert!(ended.stderr.contains("demo/vulnerabilities: run "), "{}", ended.stderr);
    let columns = &project.exported("groups").manifest["tables"][0]["columns"];
    assert!(
        columns
            .as_array()
            .expect("columns")
            .iter()
            .any(|column| column["name"] == "about")
    );
}

/// Its values may be others now.
#[test]
fn a_published_query_file_goes_with_the_one_that_its_values_come_from() {
    const BY_GROUP: &str = "query ByGroup($group: String! @each(of: \"groups.name\")) {
        group(name: $group) { name findings { edges { node { id } } } } }";
    for has_changed in [false, true] {
        let project = Project::demo().only(&["groups", "vulnerabilities"]);
        let (project, server) = published_up_to("by_group", project.with("by_group.graphql", BY_GROUP));
        let text = fs::read_to_string(project.file("groups.graphql")).expect("a query file");
        let changed = text.replacen("description", "about: description", usize::from(has_changed));
        let project = project.with("groups.graphql", &changed);
        project.run(&server, &FEW).with_code(0);
        let runs = [runs(&project, "groups"), runs(&project, "by_group")];
        assert_eq!(runs, [1 + usize::from(has_changed); 2]);
    }
}

#[test]
fn an_unfinished_query_file_that_has_changed_begins_afresh_and_the_published_one_is_kept() {
    let (project, server) = half_published();
    let text = fs::read_to_string(project.file("vulnerabilities.graphql")).expect("a query file");
    let changed = text.replacen("title", "headline: title", 1);
    let project = project.with("vulnerabilities.graphql", &changed);
    let ended = project.run(&server, &FEW).with_code(0);
    let told = ended.stderr;
    assert!(told.contains("responses: the query changed since"), "{told}");
    assert!(told.contains("demo/groups: published by run "), "{told}");
    assert_eq!((runs(&project, "groups"), runs(&project, "vulnerabilities")), (1, 1));
    let rows = server.stand_in().truth("vulnerabilities").expect("rows").count();
    assert_eq!(project.exported("vulnerabilities").manifest["tables"][0]["rows"], rows);
}

/// Cursors that are good for three requests.
fn forgetful() -> DemoConfig {
    let mut config = calm();
    config.rows_scale = 0.02;
    config.behaviours.latency.base = Duration::from_millis(5);
    let_cursors_expire(&mut config);
    config
}

/// Each time the run is killed, the API has forgotten its cursors before it goes on; the last time in the middle of what is
/// read again.
#[test]
fn a_run_whose_cursors_have_expired_while_nobody_ran_is_read_again_and_has_each_row_once() {
    for format in ["parquet", "ndjson"] {
        let (project, server) = (Project::demo().only(&["vulnerabilities"]), serve(forgetful()));
        let arguments = [FEW.as_slice(), &["--format", format]].concat();
        for requests in [30, 20] {
            let ended = project.kill(&server, &arguments, requests, Duration::from_millis(3));
            assert!(ended.is_none(), "there is more to be asked for");
            for _ in 0..5 {
                let endpoint = format!("endpoint={}", server.address());
                run(&mut project.gqldump(&["check", "--set", &endpoint]));
            }
        }
        let ended = project.run(&server, &arguments).with_code(0);
        assert!(ended.stderr.contains("have expired"), "{}", ended.stderr);
        let table = tables().into_iter().find(|table| table.name == "vulnerabilities");
        table
            .expect("a table")
            .check(&project.exported("vulnerabilities"), server.stand_in());
    }
}
