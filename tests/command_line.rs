//! What people type and what they are shown: help, options, logs, the closing table, exit codes.

use std::process::Command;
use std::time::Duration;

use fs_err as fs;
use gqldump::demo::DemoConfig;
use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::cell::Cell;
use crate::program::{Ended, gqldump, run, start};
use crate::project::{Api, Project};
use crate::tracker::{calm, serve, tables};

fn said(arguments: &[&str]) -> Ended {
    run(gqldump().args(arguments))
}

#[test]
fn every_command_explains_itself() {
    for command in [
        "",
        "run",
        "check",
        "plan",
        "init",
        "status",
        "token",
        "token create",
        "demo",
        "demo serve",
        "demo rows",
    ] {
        let arguments: Vec<&str> = command.split_whitespace().chain(["--help"]).collect();
        let help = said(&arguments).with_code(0);
        assert_eq!(help.stderr, "");
        insta::assert_snapshot!(format!("help {command}").trim().replace(' ', "_"), help.stdout);
    }
}

#[test]
fn what_cannot_be_understood_is_a_usage_error() {
    for arguments in [
        ["run", "--fromat=ndjson"],
        ["run", "--format=csv"],
        ["run", "--set=limits.page_size"],
        ["run", "--var=since"],
        ["export", "queries"],
        ["demo", "rows"],
    ] {
        let ended = said(&arguments).with_code(2);
        assert_eq!(ended.stdout, "");
        assert!(ended.stderr.starts_with("error: "), "{}", ended.stderr);
    }
}

#[test]
fn an_unknown_format_is_refused_with_those_there_are() {
    insta::assert_snapshot!(said(&["run", "--format", "csv"]).with_code(2).stderr, @r"
    error: invalid value 'csv' for '--format <FORMAT>': `csv` is no output format: use parquet, ndjson or ndjson.zst

    For more information, try '--help'.
    ");
}

#[test]
fn an_unknown_key_of_set_is_refused_with_the_one_that_was_meant() {
    let project = Project::demo();
    let ended = run(&mut project.gqldump(&["run", "--set", "limits.page_sise=5"])).with_code(2);
    insta::assert_snapshot!(project.steady(&ended.stderr), @r"
    error: unknown key `page_sise`
     --> --set limits.page_sise:1:8
      |
    1 | limits.page_sise = …
      |        ^^^^^^^^^
      = help: did you mean `page_size`? the keys here are: `requests`, `arrival_margin`, `counted_by`, `concurrency`, `query`, `page_size`, `response_bytes`
    ");
}

#[test]
fn a_run_says_nothing_on_standard_output_and_ends_with_a_table() {
    let (project, server) = (Project::demo(), serve(calm()));
    let ended = project.run(&server, &[]).with_code(0);
    assert_eq!(ended.stdout, "");
    let (_, table) = ended.stderr.split_once("query file").expect("a table");
    for exported in tables() {
        let line = table
            .lines()
            .find(|line| line.split_whitespace().nth(1) == Some(exported.name));
        let rows = project.exported(exported.name).manifest["tables"][0]["rows"]
            .as_u64()
            .expect("rows");
        let told = line
            .and_then(|line| line.split_whitespace().nth(2))
            .expect("a line")
            .replace(',', "");
        assert_eq!(told, rows.to_string());
    }
}

#[test]
fn a_quiet_run_that_succeeds_says_nothing_at_all() {
    let (project, server) = (Project::demo(), serve(calm()));
    let ended = project.run(&server, &["--quiet"]).with_code(0);
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("", ""));
}

#[test]
fn every_line_of_a_json_log_is_an_object_with_time_level_and_event() {
    let (project, server) = (Project::demo().only(&["findings"]), serve(calm()));
    let ended = project.run(&server, &["--log-format", "json"]).with_code(0);
    let lines: Vec<Value> = ended
        .stderr
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}")))
        .collect();
    for line in &lines {
        let time = line["time"].as_str().expect("a time");
        assert!(time.parse::<jiff::Timestamp>().is_ok(), "{time}");
        assert!(
            matches!(line["level"].as_str(), Some("info" | "warn" | "error")),
            "{line}"
        );
    }
    let events: Vec<&str> = lines
        .iter()
        .map(|line| line["event"].as_str().expect("an event"))
        .collect();
    assert_eq!(events, ["started", "part", "published"]);
    assert_eq!(lines[2]["summary"]["tables"][0]["rows"], 1500);
}

#[test]
fn a_json_log_stays_one_when_the_run_fails_or_is_stopped() {
    let mut config = calm();
    config.behaviours.latency.base = Duration::from_millis(50);
    let (project, server) = (Project::demo(), serve(config));
    let project = project.with("wrong.graphql", "{ findings { nodes { id titel } } }");
    let mut running = project.start(&server, &["--log-format", "json", "--set", "limits.page_size=5"]);
    while server.log().requests < 12 {
        assert!(!running.has_ended());
        std::thread::sleep(Duration::from_millis(1));
    }
    running.signal(Signal::SIGINT);
    let ended = running.end().with_code(5);
    let lines = ended
        .stderr
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}")));
    let lines: Vec<Value> = lines.collect();
    for event in ["failed", "warning", "interrupted"] {
        assert!(
            lines.iter().any(|line| line["event"] == event),
            "no {event} in {}",
            ended.stderr
        );
    }
}

#[test]
fn check_says_what_each_query_file_becomes_and_writes_nothing() {
    let project = Project::demo();
    let ended = run(&mut project.gqldump(&["check", "queries/demo"])).with_code(0);
    assert_eq!(ended.stderr, "");
    insta::assert_snapshot!("check", ended.stdout);
    assert!(!project.output().exists());
}

#[test]
fn check_tells_of_every_query_file_that_cannot_be_exported() {
    let project = Project::demo()
        .with("findings.graphql", "{ findings { nodes { id titel } } }")
        .with("groups.graphql", "mutation { drop }");
    let ended = run(&mut project.gqldump(&["check"])).with_code(2);
    assert!(ended.stderr.contains("did you mean `title`?"), "{}", ended.stderr);
    assert!(ended.stderr.contains("demo/groups: "), "{}", ended.stderr);
    assert!(ended.stdout.contains("demo/events: ok"), "{}", ended.stdout);
}

#[test]
fn var_gives_a_variable_its_value() {
    let (project, server) = (Project::demo().only(&["groups"]), serve(calm()));
    project.run(&server, &["--var", "organization=initech"]).with_code(0);
    let table = tables()
        .into_iter()
        .find(|table| table.name == "groups")
        .expect("the table");
    let rows = project.exported("groups").rows("groups", &table.columns());
    let truth = server
        .stand_in()
        .truth_below("groups", "Organization", "name", "initech")
        .expect("groups");
    assert!(!rows.is_empty());
    assert_eq!(rows.len(), truth.count());
    assert!(
        rows.iter()
            .all(|row| row["organization_name"] == Cell::Text("initech".to_owned()))
    );
}

#[test]
fn set_changes_a_key_of_the_source() {
    let (project, server) = (Project::demo().only(&["findings"]), serve(calm()));
    project.run(&server, &["--set", "limits.page_size=150"]).with_code(0);
    assert_eq!(server.log().requests, 1 + 10);
}

#[test]
fn flatten_turns_objects_into_columns() {
    let (project, server) = (Project::demo().only(&["vulnerabilities"]), serve(calm()));
    project.run(&server, &["--flatten"]).with_code(0);
    let exported = project.exported("vulnerabilities");
    let columns = exported.manifest["tables"][0]["columns"].as_array().expect("columns");
    let names: Vec<&str> = columns
        .iter()
        .map(|column| column["name"].as_str().expect("a name"))
        .collect();
    for name in [
        "assessment_author",
        "assessment_vector_complexity",
        "location_path",
        "location___typename",
    ] {
        assert!(names.contains(&name), "{names:?}");
    }
    assert!(!names.contains(&"assessment"), "{names:?}");
}

#[test]
fn one_query_file_alone_can_be_run() {
    let (project, server) = (Project::demo(), serve(calm()));
    project.run(&server, &["queries/demo/events.graphql"]).with_code(0);
    assert!(project.written("events/latest").exists());
    assert!(!project.written("findings").exists());
}

#[test]
fn the_output_folder_is_the_one_that_is_named() {
    let (project, server) = (Project::demo().only(&["findings"]), serve(calm()));
    project.run(&server, &["--output", "elsewhere/tables"]).with_code(0);
    assert!(
        project
            .folder()
            .join("elsewhere/tables/demo/findings/latest/_manifest.json")
            .exists()
    );
    assert!(!project.output().exists());
}

#[test]
fn the_demo_serves_whoever_asks_it_and_tells_what_they_did() {
    let project = Project::demo().only(&["findings"]);
    let mut command = project.gqldump(&["demo", "serve", "--error-rate", "0", "--throttle-rate", "0"]);
    let mut server = start(command.env("GQLDUMP_DEMO_TOKEN", "a-token-of-tests"));
    let greeting = server.read_stdout_until("gqldump run ");
    let (_, rest) = greeting.split_once("listens on ").expect("an address");
    let (address, _) = rest.split_once(';').expect("an address");
    let [data, log] = ask_demo(address);
    assert_eq!(data["data"]["groups"]["nodes"].as_array().map(Vec::len), Some(2));
    assert_eq!(log["requests"], 1);
    let api = Api {
        address: address.to_owned(),
        token: Some("a-token-of-tests".to_owned()),
    };
    project.run(api, &[]).with_code(0);
    assert_eq!(project.exported("findings").manifest["tables"][0]["rows"], 1500);
    server.signal(Signal::SIGINT);
    let log: Value = serde_json::from_str(&server.end().with_code(0).stdout).expect("a log");
    assert_eq!(
        (&log["requests"], &log["throttles_provoked"]),
        (&json!(1 + 1 + 3), &json!(0))
    );
}

/// Does what the greeting says that `curl` can do: asks for two groups, and for the log.
fn ask_demo(address: &str) -> [Value; 2] {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        let query = json!({ "query": "{ groups(first: 2) { nodes { id } } }" });
        let question = client
            .post(address)
            .bearer_auth("a-token-of-tests")
            .body(query.to_string());
        let log = client.get(address.replace("/graphql", "/log"));
        let mut answers = [Value::Null, Value::Null];
        for (answer, request) in answers.iter_mut().zip([question, log]) {
            let text = request.send().await.expect("an answer").text().await.expect("text");
            *answer = serde_json::from_str(&text).expect("JSON");
        }
        answers
    })
}

#[test]
fn the_demo_tells_the_rows_that_an_export_must_have() {
    let ended = said(&["demo", "rows", "organizations"]).with_code(0);
    let rows: Vec<Value> = ended
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let truth = serve(calm())
        .stand_in()
        .truth("organizations")
        .expect("rows")
        .map(Value::Object)
        .collect::<Vec<_>>();
    assert_eq!(rows, truth);
}

/// Some APIs have no list at their root: their rows are told by the types of objects, and wherever there is none of a name
/// those that there are are named.
#[test]
fn the_demo_tells_the_rows_of_every_stand_in() {
    for name in DemoConfig::names() {
        let told = |table: &str| said(&["demo", "rows", table, "--name", name, "--rows-scale=0.01"]);
        let refused = told("nothing").with_code(2).stderr;
        let names = refused.trim_end().rsplit_once("use one of ").expect("names").1;
        for table in [names.split(", ").next(), names.rsplit(", ").next()]
            .into_iter()
            .flatten()
        {
            let rows = told(table).with_code(0).stdout;
            assert!(rows.starts_with('{') || rows.is_empty(), "{name} {table}: {rows}");
        }
    }
    let findings = said(&["demo", "rows", "Finding", "--name=fluidattacks"]).with_code(0);
    assert_eq!(findings.stdout.lines().count(), 240);
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let script = "\"$1\" demo rows vulnerabilities | head -n 1 > /dev/null";
    let mut command = Command::new("sh");
    let ended = run(command.args(["-c", script, "sh", env!("CARGO_BIN_EXE_gqldump")]));
    assert_eq!(ended.with_code(0).stderr, "");
}

#[test]
fn a_project_without_any_folder_of_queries_is_told_how_to_begin() {
    let project = Project::demo();
    fs::remove_dir_all(project.folder().join("queries")).expect("a folder");
    let ended = run(&mut project.gqldump(&["run"])).with_code(2);
    insta::assert_snapshot!(ended.stderr, @"error: `queries` does not exist: name a source's folder, a folder of such folders, or a `.graphql` file in one");
}
