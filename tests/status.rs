//! Where query files stand: `gqldump status` before, during and after runs.

use std::time::Duration;

use fs_err as fs;
use gqldump::clock::Clock;
use gqldump::state::StateLock;
use nix::sys::signal::Signal;
use regex::Regex;
use serde_json::{Value, json};

use crate::program::run;
use crate::project::Project;
use crate::tracker::{calm, serve};

fn status(project: &Project, arguments: &[&str]) -> String {
    let arguments = [&["status"], arguments].concat();
    let ended = run(&mut project.gqldump(&arguments)).with_code(0);
    assert_eq!(ended.stderr, "");
    ended.stdout
}

fn status_json(project: &Project, arguments: &[&str]) -> Value {
    let text = status(project, &[&["--json"], arguments].concat());
    serde_json::from_str(&text).expect("JSON")
}

/// The same without what differs from run to run.
fn steady(project: &Project, text: &str) -> String {
    let patterns = [
        (r"[\d.]+(ms|s|m \d\ds) ago", "AGE ago"),
        (r"[\d.]+ ms and \d+ B a row", "TIME and SIZE a row"),
    ];
    let text = project.steady(text);
    patterns.into_iter().fold(text, |text, (pattern, name)| {
        Regex::new(pattern)
            .expect("a pattern")
            .replace_all(&text, name)
            .into_owned()
    })
}

#[test]
fn before_any_run_there_is_nothing_and_nothing_is_made() {
    let project = Project::demo().only(&["findings"]);
    insta::assert_snapshot!(status(&project, &["--learned"]), @r"
    demo/findings
      no complete run yet
      nothing learnt yet: a run will show it
    ");
    insta::assert_snapshot!(status(&project, &["--forget"]), @"demo: nothing to forget");
    assert!(!project.output().exists());
}

#[test]
fn after_a_run_it_is_told_with_what_it_taught() {
    let (project, server) = (Project::demo().only(&["groups"]), serve(calm()));
    project.run(&server, &[]).with_code(0);
    let before = files(&project);
    insta::assert_snapshot!("status_learned", steady(&project, &status(&project, &["--learned"])));
    assert_eq!(files(&project), before, "looking writes nothing");
    let manifest = project.exported("groups").manifest;
    let json = status_json(&project, &[]);
    let query = &json["sources"][0]["queries"][0];
    assert_eq!(query["last"], query["last_complete"]);
    assert_eq!(query["last"]["run"], manifest["run"]);
    assert_eq!(query["last"]["requests"], manifest["traffic"]["requests"]);
    assert_eq!(query["unfinished"], Value::Null);
    assert_eq!(query.get("learnt"), None, "only where it is asked for");
}

/// Everything in the output, each with its content.
fn files(project: &Project) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![project.output()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            match path.is_dir() && !path.is_symlink() {
                true => folders.push(path),
                false if path.is_symlink() => {}
                false => found.push((path.clone(), fs::read(path).expect("a file"))),
            }
        }
    }
    found.sort();
    found
}

#[test]
fn a_run_that_goes_on_is_told_and_not_disturbed() {
    let mut config = calm();
    config.behaviours.latency.base = Duration::from_millis(30);
    let (project, server) = (Project::demo().only(&["findings"]), serve(config));
    let mut running = project.start(&server, &["--set", "limits.page_size=20"]);
    let unfinished = loop {
        assert!(!running.has_ended());
        let json = status_json(&project, &[]);
        let unfinished = json["sources"][0]["queries"][0]["unfinished"].clone();
        if unfinished["responses"].as_u64().is_some_and(|responses| responses > 3) {
            break unfinished;
        }
    };
    assert_eq!(
        unfinished["rows"].as_u64(),
        unfinished["responses"].as_u64().map(|pages| pages * 20)
    );
    assert_eq!(unfinished["open_pages"], 1);
    let refused = run(&mut project.gqldump(&["status", "--forget"])).with_code(1);
    assert!(
        refused.stderr.contains("another gqldump works on this source"),
        "{}",
        refused.stderr
    );
    running.signal(Signal::SIGINT);
    running.end().with_code(5);
    let text = status(&project, &[]);
    assert!(text.contains("`gqldump run` goes on from there"), "{text}");
    project.run(&server, &[]).with_code(0);
    assert_eq!(project.exported("findings").manifest["tables"][0]["rows"], 1500);
    assert!(!status(&project, &[]).contains("unfinished"));
}

#[test]
fn what_is_forgotten_is_told_and_gone_for_the_named_query_files_alone() {
    let (project, server) = (Project::demo().only(&["groups", "findings"]), serve(calm()));
    project.run(&server, &[]).with_code(0);
    let learnt = |query: usize| {
        let json = status_json(&project, &["--learned"]);
        json["sources"][0]["queries"][query]["learnt"].clone()
    };
    assert_ne!(learnt(0)["learnt_at"], Value::Null);
    let lock = StateLock::take(&project.written(".gqldump"), &Clock::system()).expect("the lock");
    let refused = run(&mut project.gqldump(&["status", "--forget"])).with_code(1);
    assert!(refused.stderr.contains("another gqldump"), "{}", refused.stderr);
    drop(lock);
    let findings = "queries/demo/findings.graphql";
    insta::assert_snapshot!(
        status(&project, &["--forget", findings]),
        @"demo/findings: forgot what was learnt of 1 connection"
    );
    assert_eq!(
        learnt(0),
        json!({
            "learnt_at": null, "connections": [], "denied": [],
            "rows_of_lookups": null, "rows_asked": null, "parts": null, "in_flight": null,
        })
    );
    assert_ne!(learnt(1)["learnt_at"], Value::Null);
    insta::assert_snapshot!(status(&project, &["--forget", findings]), @"demo: nothing to forget");
}
