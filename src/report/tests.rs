//! A run told as events, and what each view makes of it.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use tokio::time::advance;

use crate::clock::Clock;
use crate::report::board::Board;
use crate::report::message::{Level, Message};
use crate::report::{
    Event, LogFormat, Observer, Observers, QuerySummary, ReportStyle, Resumed, SharedObserver, Summary, TableSummary,
    WindowUse, report_to,
};

/// A writer whose text can be read while it is in use.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Written {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("the text").clone()).expect("UTF-8")
    }
}

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("the text").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// 2026-01-02T03:04:05Z
fn start() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_323_045)
}

fn started(query: &str, resumed: Option<Resumed>) -> Event {
    Event::QueryStarted {
        query: query.to_owned(),
        run: "20260102T030405Z".to_owned(),
        resumed,
    }
}

fn sent(query: &str) -> Event {
    Event::Sent {
        query: query.to_owned(),
    }
}

fn page(query: &str, rows: u64) -> Event {
    Event::PageTaken {
        query: query.to_owned(),
        rows,
        bytes: rows * 100,
        elapsed: Duration::from_millis(80),
    }
}

fn budget(source: &str, used: u32, next_permit: Option<Duration>) -> Event {
    Event::Budget {
        source: source.to_owned(),
        window: Some(WindowUse {
            used,
            max: 100,
            per: Duration::from_secs(60),
        }),
        in_flight: 3,
        waiting: 2,
        next_permit,
    }
}

fn retry(query: &str) -> Event {
    Event::Retrying {
        query: query.to_owned(),
        cause: "HTTP 502".to_owned(),
        attempt: 2,
        attempts: 10,
        wait: Duration::from_millis(1500),
    }
}

fn throttle(source: &str) -> Event {
    Event::Throttled {
        source: source.to_owned(),
        wait: Duration::from_secs(31),
    }
}

fn summary(incomplete: &[&str]) -> QuerySummary {
    let table = |table: &str, rows, rejected, bytes| TableSummary {
        table: table.to_owned(),
        rows,
        rejected,
        parts: 2,
        bytes,
    };
    QuerySummary {
        tables: vec![
            table("groups", 1_234_567, 0, 123_456_789),
            table("groups__findings", 890, incomplete.len() as u64, 4096),
        ],
        requests: 1250,
        retries: 3,
        throttles: 1,
        bytes_received: 987_654_321,
        elapsed: Duration::from_secs(65),
        each: None,
        incomplete: incomplete.iter().map(|&reason| reason.to_owned()).collect(),
    }
}

/// A run with something of everything.
async fn tell(observer: &dyn Observer) {
    let resumed = Resumed {
        responses: 12,
        rows: 3400,
        since: start() - Duration::from_secs(3600),
    };
    observer.notice(&started("demo/groups", None));
    observer.notice(&started("demo/events", Some(resumed)));
    for second in 0..12 {
        observer.notice(&sent("demo/groups"));
        observer.notice(&page("demo/groups", 500));
        observer.notice(&budget("demo", 40 + second, None));
        advance(Duration::from_secs(1)).await;
    }
    observer.notice(&sent("demo/events"));
    observer.notice(&retry("demo/events"));
    observer.notice(&sent("demo/events"));
    observer.notice(&throttle("demo"));
    observer.notice(&Event::Notice {
        query: None,
        text: "the schema is asked for again".to_owned(),
    });
    observer.notice(&Event::Warning {
        query: Some("demo/groups".to_owned()),
        text: "`nodes` may be cut\u{1b}[2J".to_owned(),
    });
    observer.notice(&Event::PartClosed {
        query: "demo/groups".to_owned(),
        table: "groups".to_owned(),
        rows: 10_000,
        bytes: 1_258_291,
    });
    observer.notice(&Event::QueryPublished {
        query: "demo/groups".to_owned(),
        summary: summary(&["1 row of `groups__findings` was rejected"]),
    });
    observer.notice(&Event::QueryFailed {
        query: "demo/events".to_owned(),
        error: "HTTP 500\nafter 10 attempts".to_owned(),
        summary: QuerySummary {
            tables: vec![TableSummary {
                table: "events".to_owned(),
                ..TableSummary::default()
            }],
            ..QuerySummary::default()
        },
    });
    observer.notice(&Event::QueryFailed {
        query: "demo/wrong".to_owned(),
        error: "syntax error\n 1 │ {".to_owned(),
        summary: QuerySummary::default(),
    });
    observer.notice(&Event::QueryInterrupted {
        query: "demo/users".to_owned(),
        summary: QuerySummary::default(),
    });
}

async fn report_of(style: ReportStyle) -> String {
    let written = Written::default();
    let report = report_to(Box::new(written.clone()), Clock::simulated(start()), style);
    tell(&*report).await;
    written.text()
}

#[tokio::test(start_paused = true)]
async fn the_log_has_a_line_for_each_thing_and_progress_every_ten_seconds() {
    let style = ReportStyle {
        is_terminal: false,
        is_quiet: false,
        log_format: LogFormat::Text,
    };
    let expected = "\
2026-01-02T03:04:05.000Z info  demo/groups: run 20260102T030405Z begins
2026-01-02T03:04:05.000Z info  demo/events: run 20260102T030405Z of 2026-01-02T02:04:05.000Z goes on: 12 responses \
                    with 3,400 rows are there already
2026-01-02T03:04:15.000Z info  demo/groups: 5,500 rows on 11 pages, 550 rows/s
2026-01-02T03:04:15.000Z info  demo: 50 of 100 requests per 1m used, 3 in flight, 2 waiting
2026-01-02T03:04:17.000Z info  demo/events: attempt 2 of 10 failed (HTTP 502), the next one is in 1.5s
2026-01-02T03:04:17.000Z info  demo: the API asks to slow down, the next request is in 31.0s
2026-01-02T03:04:17.000Z info  the schema is asked for again
2026-01-02T03:04:17.000Z warn  demo/groups: `nodes` may be cut\u{fffd}[2J
2026-01-02T03:04:17.000Z info  demo/groups: a part of groups is written: 10,000 rows, 1.2 MiB
2026-01-02T03:04:17.000Z warn  demo/groups: published, but not complete: 1,235,457 rows in 2 tables, 1,250 requests, \
                    1m 05s
    1 row of `groups__findings` was rejected
2026-01-02T03:04:17.000Z error demo/events: failed: HTTP 500
    after 10 attempts
    the next run goes on from here
2026-01-02T03:04:17.000Z error demo/wrong: failed: syntax error
     1 │ {
2026-01-02T03:04:17.000Z warn  demo/users: interrupted, the next run goes on from here
";
    assert_eq!(report_of(style).await, expected);
}

#[tokio::test(start_paused = true)]
async fn a_quiet_log_has_warnings_and_failures_only_even_on_a_terminal() {
    for is_terminal in [false, true] {
        let style = ReportStyle {
            is_terminal,
            is_quiet: true,
            log_format: LogFormat::Text,
        };
        let text = report_of(style).await;
        let levels: Vec<&str> = text.lines().filter_map(|line| line.split(' ').nth(1)).collect();
        assert_eq!(levels.iter().filter(|level| !level.is_empty()).count(), 5, "{text}");
        assert!(!text.contains(" info ") && text.contains(" error "), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_json_log_has_one_object_a_line_with_stable_keys() {
    let style = ReportStyle {
        is_terminal: true,
        is_quiet: false,
        log_format: LogFormat::Json,
    };
    let text = report_of(style).await;
    let lines: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("an object"))
        .collect();
    let events: Vec<&str> = lines.iter().filter_map(|line| line["event"].as_str()).collect();
    let expected = [
        "started",
        "resumed",
        "progress",
        "budget",
        "retry",
        "throttled",
        "notice",
        "warning",
        "part",
        "published",
        "failed",
        "failed",
        "interrupted",
    ];
    assert_eq!(events, expected);
    let expected = serde_json::json!({
        "time": "2026-01-02T03:04:05.000Z", "level": "info", "event": "resumed", "query": "demo/events",
        "run": "20260102T030405Z", "responses": 12, "rows": 3400, "since": "2026-01-02T02:04:05.000Z",
    });
    assert_eq!(lines[1], expected);
    let expected = serde_json::json!({
        "time": "2026-01-02T03:04:15.000Z", "level": "info", "event": "budget", "source": "demo",
        "window": { "used": 50, "max": 100, "per_seconds": 60.0 }, "in_flight": 3, "waiting": 2,
    });
    assert_eq!(lines[3], expected);
    let expected = serde_json::json!({
        "time": "2026-01-02T03:04:17.000Z", "level": "info", "event": "retry", "query": "demo/events",
        "cause": "HTTP 502", "attempt": 2, "attempts": 10, "wait_seconds": 1.5,
    });
    assert_eq!(lines[4], expected);
    assert!(lines[6].get("query").is_none(), "{}", lines[6]);
    let expected = serde_json::json!({
        "tables": [
            { "table": "groups", "rows": 1_234_567, "rejected": 0, "parts": 2, "bytes": 123_456_789 },
            { "table": "groups__findings", "rows": 890, "rejected": 1, "parts": 2, "bytes": 4096 },
        ],
        "requests": 1250, "retries": 3, "throttles": 1, "bytes_received": 987_654_321, "elapsed_seconds": 65.0,
        "incomplete": ["1 row of `groups__findings` was rejected"],
    });
    assert_eq!(lines[9]["summary"], expected);
    assert_eq!(lines[10]["error"], "HTTP 500\nafter 10 attempts");
}

#[tokio::test(start_paused = true)]
async fn the_summary_says_what_was_written_what_it_took_and_what_is_missing() {
    let summary = Arc::new(Summary::new(Clock::simulated(start())));
    assert_eq!(summary.render(), "");
    let shared: SharedObserver = Arc::<Summary>::clone(&summary);
    tell(&Observers(vec![shared])).await;
    let expected = "\
query file   table                  rows  rejected  parts      bytes
demo/groups  groups            1,234,567         0      2  117.7 MiB
             groups__findings        890         1      2    4.0 KiB
demo/events  events                    0         0      0        0 B

query file   state         requests  retries  throttles   received    time
demo/groups  not complete     1,250        3          1  941.9 MiB  1m 05s
demo/events  failed               0        0          0        0 B     0ms
demo/wrong   failed               0        0          0        0 B     0ms
demo/users   interrupted          0        0          0        0 B     0ms
total                         1,250        3          1  941.9 MiB

budget of demo: 14 requests in 12.0s, 14 % of 100 per 1m

demo/groups is not complete: 1 row of `groups__findings` was rejected
demo/events failed: HTTP 500
demo/events goes on from here with the next run
demo/wrong failed: syntax error
demo/users was interrupted and goes on from here with the next run
";
    assert_eq!(summary.render(), expected);
}

#[test]
fn of_many_reasons_the_first_are_told_and_the_others_counted() {
    let reasons: Vec<String> = (0..25).map(|number| format!("reason {number:02}")).collect();
    let reasons: Vec<&str> = reasons.iter().map(String::as_str).collect();
    let published = |reasons: &[&str]| Event::QueryPublished {
        query: "demo/groups".to_owned(),
        summary: summary(reasons),
    };
    let told = |reasons: &[&str]| {
        let whole = Summary::new(Clock::simulated(start()));
        whole.notice(&published(reasons));
        let log = Message::of(&published(reasons)).expect("a message").to_string();
        (whole.render(), log)
    };
    let (whole, log) = told(&reasons);
    for text in [&whole, &log] {
        assert!(text.contains("reason 19\n") && !text.contains("reason 20"), "{text}");
    }
    assert!(
        whole.ends_with("demo/groups is not complete: and 5 more: see the manifest\n"),
        "{whole}"
    );
    assert!(log.ends_with("\nand 5 more: see the manifest"), "{log}");
    let (whole, log) = told(&reasons[..20]);
    assert!(!whole.contains("more") && !log.contains("more"), "{whole}{log}");
}

#[test]
fn a_long_pause_is_a_warning() {
    let level = |minutes: u64| {
        let wait = Duration::from_secs(60 * minutes);
        Message::of(&Event::Throttled {
            source: "demo".to_owned(),
            wait,
        })
        .expect("a message")
        .level()
    };
    assert_eq!((level(10), level(11)), (Level::Info, Level::Warn));
}

#[tokio::test(start_paused = true)]
async fn the_whole_of_a_budget_grows_with_each_window_that_has_passed() {
    let summary = Summary::new(Clock::simulated(start()));
    summary.notice(&started("demo/groups", None));
    summary.notice(&budget("demo", 1, None));
    for _ in 0..270 {
        summary.notice(&sent("demo/groups"));
    }
    advance(Duration::from_secs(130)).await;
    summary.notice(&Event::QueryPublished {
        query: "demo/groups".to_owned(),
        summary: QuerySummary::default(),
    });
    let text = summary.render();
    assert!(
        text.contains("budget of demo: 270 requests in 2m 10s, 90 % of 100 per 1m\n"),
        "{text}"
    );
}

fn rows_after(seconds: u64, events: &[Event]) -> Vec<String> {
    let mut board = Board::default();
    for event in events {
        board.update(event, start());
    }
    board.rows(start() + Duration::from_secs(seconds))
}

#[test]
fn the_board_has_a_row_for_each_export_and_each_budget() {
    let events = [
        started("demo/groups", None),
        started("demo/audit_entries", None),
        page("demo/groups", 12_345),
        retry("demo/groups"),
        budget("demo", 87, Some(Duration::from_secs(9))),
    ];
    let expected = [
        "demo/groups              12,345 rows        1 pages    6,173 rows/s  1 retried",
        "demo/audit_entries            0 rows        0 pages        0 rows/s",
        "demo                budget 87/100 per 1m  3 in flight  2 waiting  next request in 7.0s",
    ];
    assert_eq!(rows_after(2, &events), expected);
}

#[test]
fn the_board_counts_down_a_pause_and_forgets_it() {
    let events = [started("demo/groups", None), budget("demo", 1, None), throttle("demo")];
    let row = |seconds| rows_after(seconds, &events).pop().expect("a row");
    assert!(row(11).ends_with("asked to pause for 20.0s"), "{}", row(11));
    assert!(row(31).ends_with("2 waiting"), "{}", row(31));
}

#[test]
fn the_board_shows_eight_exports_at_most_and_none_when_all_have_ended() {
    let names: Vec<String> = (0..11).map(|number| format!("demo/{number}")).collect();
    let mut events: Vec<Event> = names.iter().map(|name| started(name, None)).collect();
    events.push(budget("demo", 1, None));
    let rows = rows_after(0, &events);
    assert_eq!(rows.len(), 10);
    assert!(rows[7].starts_with("demo/7 "), "{rows:?}");
    assert_eq!(rows[8], "… and 3 more");
    let end = |name: &String| Event::QueryInterrupted {
        query: name.clone(),
        summary: QuerySummary::default(),
    };
    events.push(end(&names[0]));
    assert!(rows_after(0, &events)[7].starts_with("demo/8 "));
    events.extend(names.iter().map(end));
    assert_eq!(rows_after(0, &events), Vec::<String>::new());
}
