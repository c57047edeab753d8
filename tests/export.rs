//! Exported rows are the API's rows: value by value, in every format, whatever goes wrong on the way.

use std::time::Duration;

use gqldump::demo::{DemoServer, Fault, FaultRates, RequestWindow, WindowKind};

use crate::project::Project;
use crate::tracker::{calm, serve, tables};

/// Small pages, so that there are many of them.
const SMALL_PAGES: [&str; 2] = ["--set", "limits.page_size=40"];

/// No budget but the server's own: requests as fast as they go.
const NO_BUDGET: [&str; 2] = ["--set", "limits.requests=[]"];

/// Waits after failures, short enough for tests.
const SHORT_WAITS: [&str; 4] = ["--set", "retry.initial_wait=5ms", "--set", "retry.max_wait=20ms"];

#[track_caller]
fn check_all(project: &Project, server: &DemoServer) {
    for table in tables() {
        table.check(&project.exported(table.name), server.stand_in());
    }
}

#[test]
fn parquet_has_exactly_the_rows_of_the_api() {
    let (project, server) = (Project::demo(), serve(calm()));
    project.run(&server, &[SMALL_PAGES, NO_BUDGET].concat()).with_code(0);
    check_all(&project, &server);
    assert_eq!(server.log().rows_repeated, 0);
}

#[test]
fn ndjson_has_exactly_the_rows_of_the_api() {
    for format in ["ndjson", "ndjson.zst"] {
        let (project, server) = (Project::demo(), serve(calm()));
        let arguments = [&["--format", format], SMALL_PAGES.as_slice(), &NO_BUDGET].concat();
        project.run(&server, &arguments).with_code(0);
        check_all(&project, &server);
    }
}

#[test]
fn another_seed_has_other_rows_and_they_arrive_as_well() {
    let mut config = calm();
    config.seed = 7;
    let (project, server) = (Project::demo(), serve(config));
    project.run(&server, &NO_BUDGET).with_code(0);
    check_all(&project, &server);
    let of_shipped_seed = serve(calm());
    let of = |server: &DemoServer| {
        server
            .stand_in()
            .truth("findings")
            .expect("findings")
            .collect::<Vec<_>>()
    };
    assert_ne!(of(&server), of(&of_shipped_seed));
}

#[test]
fn equal_rows_all_arrive() {
    let mut config = calm();
    config.rows_scale = 1.0;
    let (project, server) = (Project::demo().only(&["audit_entries"]), serve(config));
    project.run(&server, &[SMALL_PAGES, NO_BUDGET].concat()).with_code(0);
    let table = tables()
        .into_iter()
        .find(|table| table.name == "audit_entries")
        .expect("the table");
    let exported = project.exported("audit_entries");
    table.check(&exported, server.stand_in());
    let mut rows: Vec<String> = Vec::new();
    for mut row in exported.rows("audit_entries", &table.columns()) {
        row.remove("_id");
        rows.push(format!("{row:?}"));
    }
    let all = rows.len();
    rows.sort_unstable();
    rows.dedup();
    assert!(all == 2000 && rows.len() < 300, "{} of {all} rows differ", rows.len());
}

#[test]
fn the_rows_are_the_same_in_every_run_with_any_page_size() {
    let (project, server) = (Project::demo().only(&["audit_entries", "findings"]), serve(calm()));
    let mut runs = Vec::new();
    for size in ["limits.page_size=500", "limits.page_size=7"] {
        project
            .run(&server, &[["--set", size], NO_BUDGET].concat())
            .with_code(0);
        let rows = tables().map(|table| match table.name {
            "audit_entries" | "findings" => project.exported(table.name).rows(table.name, &table.columns()),
            _ => Vec::new(),
        });
        runs.push(rows);
    }
    assert_eq!(runs[0], runs[1]);
}

#[test]
fn limits_are_kept_whichever_way_their_windows_lie() {
    // A machine that is busy with other tests delays a request as a bad network would; the shipped limits leave as much.
    let limits = [
        "--set",
        "limits.requests=[{max=25,per='1s'},{max=8,per='200ms'}]",
        "--set",
        "limits.arrival_margin=200ms",
        "--set",
        "limits.page_size=100",
    ];
    for window in [WindowKind::Sliding, WindowKind::Fixed] {
        let mut config = calm();
        let limit = |max, per| RequestWindow { max, per, window };
        config.behaviours.limits = vec![limit(25, Duration::from_secs(1)), limit(8, Duration::from_millis(200))];
        let (project, server) = (Project::demo(), serve(config));
        project.run(&server, &limits).with_code(0);
        check_all(&project, &server);
        let log = server.log();
        assert!(log.kept_limits(), "{log:?}");
        assert!(log.requests > 50, "too few requests to reach the limit: {log:?}");
    }
}

#[test]
fn every_row_arrives_once_though_one_request_in_eight_goes_wrong() {
    let mut config = calm();
    config.behaviours.limits.clear();
    config.behaviours.throttle.injected_wait = Duration::from_secs(1);
    config.behaviours.faults.rates = FaultRates {
        server_error: 0.04,
        throttle: 0.005,
        html: 0.03,
        transient_errors: 0.03,
        cut: 0.03,
        slow: 0.0,
    };
    let (project, server) = (Project::demo(), serve(config));
    let no_margin = ["--set", "retry.retry_after_margin=0s"];
    let arguments = [SMALL_PAGES.as_slice(), &NO_BUDGET, &SHORT_WAITS, &no_margin].concat();
    project.run(&server, &arguments).with_code(0);
    check_all(&project, &server);
    let log = server.log();
    for fault in [
        Fault::InternalError,
        Fault::Throttle,
        Fault::Html,
        Fault::TransientErrors,
        Fault::Cut,
    ] {
        assert!(log.injected(fault) > 0, "{fault:?} never struck: {log:?}");
    }
    assert_eq!((log.requests_repeated, log.rows_repeated), (0, 0), "{log:?}");
}

#[test]
fn nothing_is_sent_while_a_throttle_lasts() {
    let mut config = calm();
    config.behaviours.throttle.injected_wait = Duration::from_secs(1);
    config.behaviours.faults.script = vec![gqldump::demo::ScriptedFault {
        request: 3,
        fault: Fault::Throttle,
    }];
    let (project, server) = (Project::demo().only(&["findings"]), serve(config));
    let arguments = [
        ["--log-format", "json"],
        ["--set", "retry.retry_after_margin=250ms"],
        NO_BUDGET,
    ]
    .concat();
    let ended = project.run(&server, &arguments).with_code(0);
    let throttled = ended
        .stderr
        .lines()
        .find(|line| line.contains("\"event\":\"throttled\""))
        .expect("a line");
    let throttled: serde_json::Value = serde_json::from_str(throttled).expect("JSON");
    assert_eq!(throttled["wait_seconds"], 1.25);
    assert_eq!(project.exported("findings").manifest["traffic"]["throttles"], 1);
}
