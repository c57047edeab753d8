//! Conviso: its library against its stand-in, as it is and with each of its known quirks.

use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::time::Duration;

use gqldump::demo::{
    DemoConfig, DemoServer, DeniedField, Family, Fault, FaultPlan, Latency, NullPart, ObjectMatch, PagingTraps,
    RowMove, RowMoves, ScriptedFault, ThrottleBody, TimeWall, Totals, WindowKind,
};
use serde_json::{Map, Value};

use crate::program::{Ended, run};
use crate::project::Project;
use crate::tracker::serve;

/// The tables, each with the list of the stand-in that has its rows.
const TABLES: [(&str, &str); 8] = [
    ("companies", "companies"),
    ("assets", "assets"),
    ("projects", "projects"),
    ("project_requirements", "projects"),
    ("issues", "issues"),
    ("vulnerabilities", "vulnerabilities"),
    ("scan_histories", "scanHistories"),
    ("requirements", "requirements"),
];

/// Waits that nobody needs here, and files that can be read as text.
const QUICK: [&str; 8] = [
    "--set",
    "retry.attempts=4",
    "--set",
    "retry.initial_wait=5ms",
    "--set",
    "retry.max_wait=20ms",
    "--format",
    "ndjson",
];

/// One row in fifty, answered at once.
fn calm() -> DemoConfig {
    let mut config = DemoConfig::named("conviso").expect("the stand-in");
    config.rows_scale = 0.02;
    config.behaviours.latency = Latency::default();
    config
}

/// Exports the whole library.
fn export(config: DemoConfig, arguments: &[&str]) -> (Project, DemoServer, Ended) {
    let (project, server) = (Project::shipped("conviso"), serve(config));
    let ended = project.run(&server, &[&QUICK, arguments].concat());
    (project, server, ended)
}

/// A row's key: its `id`, or, of a scan, when it was.
fn key(row: &Map<String, Value>) -> String {
    let moment = |name: &str| {
        let text = row[name].as_str().expect("text");
        text.parse::<jiff::Timestamp>().expect("a moment").to_string()
    };
    match row.get("id") {
        Some(id) => id.as_str().expect("text").to_owned(),
        None => format!("{} {}", moment("startedAt"), moment("finishedAt")),
    }
}

fn by_key(rows: impl Iterator<Item = Map<String, Value>>) -> BTreeMap<String, Vec<Map<String, Value>>> {
    let mut found = BTreeMap::<_, Vec<_>>::new();
    for row in rows {
        found.entry(key(&row)).or_default().push(row);
    }
    found
}

fn exported(project: &Project, table: &str) -> BTreeMap<String, Vec<Map<String, Value>>> {
    let newest = project.newest(table);
    let parts = newest.texts(table);
    let lines = parts.iter().flat_map(|part| part.lines());
    by_key(lines.map(|line| serde_json::from_str(line).expect("a row")))
}

/// Whether all that was exported is what the stand-in has: moments and decimals by what they mean.
fn agrees(found: &Value, truth: &Value) -> bool {
    match (found, truth) {
        (Value::Object(found), Value::Object(truth)) => found.iter().all(|(name, value)| {
            // Aliases, fields of other types, and what is known by other ways: keys and ancestors.
            let field = match name.strip_prefix("vulnerability") {
                Some(rest) if truth.contains_key("stepsToReproduce") => rest[..1].to_lowercase() + &rest[1..],
                _ => name.clone(),
            };
            let is_named_otherwise = !truth.contains_key("stepsToReproduce")
                || !["impactLevel", "probabilityLevel", "severity", "solution"].contains(&name.as_str());
            let known = ["_id", "__typename", "asset", "company", "scopeId"].contains(&name.as_str());
            match truth.get(&field).filter(|_| is_named_otherwise) {
                Some(truth) => agrees(value, truth),
                None => value.is_null() || known,
            }
        }),
        (Value::Array(found), Value::Array(truth)) => {
            found.len() == truth.len() && found.iter().zip(truth).all(|(found, truth)| agrees(found, truth))
        }
        (Value::Number(found), Value::Number(truth)) => found.as_f64() == truth.as_f64(),
        (Value::String(found), Value::String(truth)) => {
            let moment = |text: &str| text.parse::<jiff::Timestamp>().ok();
            let number = |text: &str| text.parse::<f64>().ok();
            found == truth
                || moment(found).is_some_and(|found| Some(found) == moment(truth))
                || number(found).is_some_and(|found| Some(found) == number(truth))
        }
        // A decimal is a number where it came as text.
        (Value::Number(found), Value::String(truth)) => truth.parse().ok() == found.as_f64(),
        (found, truth) => found == truth,
    }
}

/// Panics unless a table holds rows of the stand-in alone, none more often than there; and all of them, where it is not
/// said that some are lacking.
#[track_caller]
fn check(project: &Project, server: &DemoServer, (table, list): (&str, &str)) -> bool {
    let is_complete = project.newest(table).incomplete().is_empty();
    let (found, truth) = (
        exported(project, table),
        by_key(server.stand_in().truth(list).expect("a list")),
    );
    let count = |rows: &BTreeMap<String, Vec<_>>| rows.values().map(Vec::len).sum::<usize>();
    assert!(count(&found) <= count(&truth), "{table}: too many rows");
    if is_complete {
        assert_eq!(count(&found), count(&truth), "{table}: rows");
    }
    for (key, rows) in found {
        let true_rows = &truth[&key];
        for row in rows {
            let row = Value::Object(row);
            let is_there = true_rows
                .iter()
                .any(|truth| agrees(&row, &Value::Object(truth.clone())));
            assert!(
                is_there || !is_complete,
                "{table}: {row}\nshould be one of {true_rows:?}"
            );
        }
    }
    is_complete
}

/// Checks every table, and that the exit code says what is so.
#[track_caller]
fn honest(project: &Project, server: &DemoServer, ended: &Ended) {
    println!("{}", ended.stderr);
    match ended.code {
        Some(0) => assert!(TABLES.iter().all(|table| check(project, server, *table))),
        Some(3) => {
            let complete = TABLES.iter().filter(|table| check(project, server, **table)).count();
            assert!(complete < TABLES.len(), "nothing is named");
        }
        _ => panic!("{ended:?}"),
    }
}

#[test]
fn the_whole_library_is_exported_within_all_limits() {
    let mut config = calm();
    config.rows_scale = 0.2;
    let (project, server, ended) = export(config, &[]);
    ended.with_code(0);
    for table in TABLES {
        assert!(check(&project, &server, table), "{}", table.0);
    }
    let log = server.log();
    assert!(log.kept_limits(), "{log:?}");
    assert_eq!(
        (
            log.throttles_provoked,
            log.request_errors,
            log.refused,
            log.field_errors
        ),
        (0, 0, 0, 0)
    );
    let loops = pages_of_a_loop(&server);
    println!("{} requests; page by page: {loops}", log.requests);
    assert!(log.requests < loops, "{} requests beside {loops}", log.requests);
}

/// The requests of a loop such as the vendor's CLI has it: one page of 200 rows of one list after the other, for each
/// company.
fn pages_of_a_loop(server: &DemoServer) -> u64 {
    let lists = TABLES.map(|(_, list)| server.stand_in().truth(list).expect("a list").count() as u64);
    lists.into_iter().map(|rows| rows.div_ceil(200)).sum()
}

fn traps(config: &mut DemoConfig, traps: PagingTraps) {
    config.behaviours.paging.traps = traps;
}

/// Traps of the one list whose rows and whose totals may be null.
fn traps_of_issues(config: &mut DemoConfig, traps: PagingTraps) {
    let fields = &mut config.behaviours.paging.fields;
    fields.entry("Query.issues".to_owned()).or_default().traps = Some(traps);
}

fn scripted(config: &mut DemoConfig, faults: &[Fault]) {
    let script = (2..).step_by(2).zip(faults);
    let script = script.map(|(request, fault)| ScriptedFault { request, fault: *fault });
    config.behaviours.faults = FaultPlan {
        script: script.collect(),
        ..FaultPlan::none()
    };
}

fn failing(every: Option<u64>) -> DeniedField {
    DeniedField {
        ty: "Asset".to_owned(),
        field: "riskScore".to_owned(),
        within: None,
        roles: Vec::new(),
        every: every.and_then(NonZeroU64::new),
        message: "Scope - Resource not accessible for id: 311".to_owned(),
        extensions: Default::default(),
    }
}

fn nulls(path: &str) -> PagingTraps {
    PagingTraps {
        nulls: vec![NullPart {
            path: path.to_owned(),
            from_page: 2,
        }],
        ..PagingTraps::default()
    }
}

/// A quirk by name, and how it is switched on.
type Quirk = (&'static str, fn(&mut DemoConfig));

/// The quirks under which everything is exported all the same.
const HARMLESS: [Quirk; 9] = [
    ("fixed window", |config| {
        config.behaviours.limits[0].window = WindowKind::Fixed;
    }),
    ("429 as text, without a hint", |config| {
        scripted(config, &[Fault::Throttle]);
    }),
    ("429 with a hint", |config| {
        config.behaviours.throttle.retry_after = true;
        config.behaviours.throttle.body = ThrottleBody::Json;
        scripted(config, &[Fault::Throttle]);
    }),
    ("clamped pages", |config| config.behaviours.paging.cap = 7),
    ("5xx as HTML", |config| {
        scripted(config, &[Fault::BadGateway, Fault::Unavailable, Fault::GatewayTimeout]);
    }),
    ("null data", |config| {
        scripted(config, &[Fault::TransientErrors, Fault::Html]);
    }),
    ("errors without data", |config| {
        scripted(config, &[Fault::NoData, Fault::NoData]);
    }),
    ("answers that are too slow", |config| {
        config.behaviours.latency.per_node = Duration::from_millis(2);
        config.behaviours.wall.time = Some(TimeWall {
            after: Duration::from_millis(300),
            refusal: gqldump::demo::Refusal::gateway_timeout(),
        });
    }),
    ("a total that rises", |config| {
        traps(
            config,
            PagingTraps {
                totals: Totals::RisesEvery(1_000),
                ..PagingTraps::default()
            },
        );
    }),
];

/// The quirks that may cost rows or values, which then are named.
const HARMFUL: [Quirk; 7] = [
    ("null collection", |config| traps_of_issues(config, nulls("collection"))),
    ("null metadata", |config| traps_of_issues(config, nulls("metadata"))),
    ("totals that rise at once", |config| {
        traps(
            config,
            PagingTraps {
                totals: Totals::RisesEvery(2),
                ..PagingTraps::default()
            },
        );
    }),
    ("totals that fall", |config| {
        traps(
            config,
            PagingTraps {
                totals: Totals::FallsEvery(2),
                ..PagingTraps::default()
            },
        );
    }),
    ("overlapping pages", |config| {
        traps(
            config,
            PagingTraps {
                moves: Some(RowMoves {
                    every: 3,
                    to: RowMove::Front,
                }),
                ..PagingTraps::default()
            },
        );
    }),
    ("partial data", |config| config.behaviours.denied.push(failing(Some(3)))),
    ("a field that is denied", |config| {
        config.behaviours.denied.push(failing(None));
    }),
];

#[test]
fn no_harmless_quirk_costs_a_row() {
    for (name, switch_on) in HARMLESS {
        let mut config = calm();
        switch_on(&mut config);
        let (project, server, ended) = export(config, &["--set", "limits.page_size=20"]);
        println!("{name}");
        honest(&project, &server, &ended);
        assert_eq!(ended.code, Some(0), "{name}: {}", ended.stderr);
    }
}

#[test]
fn what_a_harmful_quirk_costs_is_named() {
    for (name, switch_on) in HARMFUL {
        let mut config = calm();
        switch_on(&mut config);
        let (project, server, ended) = export(config, &["--set", "limits.page_size=20"]);
        println!("{name}");
        honest(&project, &server, &ended);
    }
}

/// An issue can be asked for by itself: what is denied in it, and takes its whole page along, costs no other issue a value.
#[test]
fn a_column_that_is_denied_in_one_issue_is_null_in_that_one_alone() {
    const ISSUE: &str = "100003";
    let mut config = calm();
    let within = ObjectMatch {
        ty: "SastFinding".to_owned(),
        field: "id".to_owned(),
        value: ISSUE.into(),
    };
    config.behaviours.denied.push(DeniedField {
        ty: "SastFinding".to_owned(),
        field: "fingerprint".to_owned(),
        within: Some(within),
        every: None,
        roles: Vec::new(),
        message: "You are not authorized to perform this action".to_owned(),
        extensions: Default::default(),
    });
    let project = Project::shipped("conviso").only(&["companies", "issues"]);
    let server = serve(config);
    let ended = project.run(&server, &QUICK).with_code(3);
    assert!(ended.stderr.contains("fingerprint"), "{}", ended.stderr);
    let found = exported(&project, "issues");
    let truth = by_key(server.stand_in().truth("issues").expect("a list"));
    assert_eq!(found.len(), truth.len());
    for (key, rows) in found {
        let true_fingerprint = truth[&key][0].get("fingerprint").cloned().unwrap_or_default();
        let expected = if key == ISSUE { Value::Null } else { true_fingerprint };
        assert_eq!(rows[0]["fingerprint"], expected, "{key}");
        assert!(rows[0]["title"].is_string(), "{key}: the other columns are there");
    }
}

/// Nothing says in which order scans come, and they have no `id`.
#[test]
fn scans_that_move_between_pages_are_kept_once_and_missed_by_name() {
    for to in [RowMove::Front, RowMove::Back] {
        let mut config = calm();
        let fields = &mut config.behaviours.paging.fields;
        fields.entry("Query.scanHistories".to_owned()).or_default().traps = Some(PagingTraps {
            moves: Some(RowMoves { every: 1, to }),
            ..PagingTraps::default()
        });
        let (project, server, ended) = export(config, &["--set", "limits.page_size=20"]);
        assert_eq!(ended.code, Some(3), "{to:?}: {}", ended.stderr);
        let scans = ("scan_histories", "scanHistories");
        assert!(!check(&project, &server, scans), "{to:?}: nothing is named");
        let found = exported(&project, scans.0);
        assert!(found.values().all(|same| same.len() == 1), "{to:?}: a scan came twice");
        let manifest = project.newest(scans.0);
        let connections = manifest.manifest["connections"].as_array().expect("connections");
        let repeated: u64 = connections.iter().filter_map(|one| one["repeated"].as_u64()).sum();
        assert!(repeated > 0, "{to:?}");
    }
}

#[test]
fn all_quirks_at_once_are_named() {
    let mut config = calm();
    for (_, switch_on) in HARMLESS.iter().chain(&HARMFUL) {
        switch_on(&mut config);
    }
    let (project, server, ended) = export(config, &["--set", "limits.page_size=20"]);
    honest(&project, &server, &ended);
    assert_eq!(ended.code, Some(3), "{}", ended.stderr);
}

#[test]
fn a_key_that_is_replaced_stops_the_run_with_its_own_exit_code() {
    let mut config = calm();
    config.behaviours.auth.replaced_from = Some(6);
    let (_, server, ended) = export(config, &["--set", "limits.page_size=20"]);
    ended.with_code(4);
    assert!(server.log().unauthorized > 0);
}

/// The API has grown since its schema was pinned.
#[test]
fn what_the_schema_does_not_know_is_kept() {
    let schema = include_str!("../../queries/conviso/schema.graphql");
    let data = include_str!("../../src/demo/conviso/data.toml");
    let (_, sca) = schema.split_once("\ntype ScaFinding ").expect("a type");
    let (sca, _) = sca.split_once("\n}").expect("its end");
    let schema = format!(
        "{schema}\ntype CloudFinding {}\n}}\n",
        sca.replace("ScaFindingDetail", "CloudFindingDetail")
    );
    let schema = schema + "type CloudFindingDetail { region: String }\n";
    let schema = schema.replacen("  CONTAINER_FINDING\n", "  CONTAINER_FINDING\n  CLOUD_FINDING\n", 1);
    let data = data.replacen("\"SastFinding\", ", "\"CloudFinding\", \"SastFinding\", ", 1);
    let data = data
        + "
        [types.CloudFinding]
        count = 40
        within = { type = 'Asset', empty = 0.3, heaviest = 0.1 }
        like = ['issue', 'finding']
        [types.CloudFinding.fields]
        id = { serial = { start = 1000001, form = 'text' } }
        type = { choice = { CLOUD_FINDING = 1 } }
        detail = { object = 'CloudFindingDetail' }
        [types.CloudFindingDetail.fields]
        region = { text = ['north'] }
        ";
    let mut config = DemoConfig::of_texts(
        "grown",
        &schema,
        &data,
        include_str!("../../src/demo/conviso/behaviours.toml"),
    )
    .expect("a stand-in");
    config.rows_scale = 0.02;
    let (project, server, ended) = export(config, &[]);
    let rows = exported(&project, "issues");
    let truth = by_key(server.stand_in().truth("issues").expect("a list"));
    assert_eq!(
        rows.keys().collect::<Vec<_>>(),
        truth.keys().collect::<Vec<_>>(),
        "{}",
        ended.stderr
    );
    let grown = rows.values().flatten().filter(|row| row["type"] == "CLOUD_FINDING");
    assert_eq!(grown.filter(|row| row["__typename"] == "CloudFinding").count(), 40);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
}

#[test]
fn the_query_files_fit_their_schema() {
    let project = Project::shipped("conviso");
    let told = run(project.gqldump(&["check"]).env("CONVISO_API_KEY", "a")).with_code(0);
    assert!(!told.stderr.contains("warn"), "{}", told.stderr);
}

/// Whether a row's text begins with a day of 2024, where it was written.
fn is_of_2024(row: &Map<String, Value>, field: &str) -> bool {
    row[field].as_str().is_some_and(|moment| moment.starts_with("2024-"))
}

#[test]
fn days_and_moments_narrow_what_is_exported() {
    let days = r#"{"startDate":"2024-01-01","endDate":"2024-12-31"}"#;
    let (search, filters) = (
        format!(r#"search={{"updatedAt":{days}}}"#),
        format!(r#"filters={{"createdAtRange":{days}}}"#),
    );
    // The stand-in writes local times, three hours behind.
    let moments = ["createdFrom=2024-01-01T03:00:00Z", "createdTo=2025-01-01T02:59:59Z"];
    let variables = [&search, &filters, moments[0], moments[1]];
    let variables = variables.iter().flat_map(|variable| ["--var", variable]);
    let project = Project::shipped("conviso").only(&["companies", "assets", "projects", "issues"]);
    let mut config = calm();
    config.rows_scale = 0.1;
    let server = serve(config);
    project
        .run(&server, &QUICK.into_iter().chain(variables).collect::<Vec<_>>())
        .with_code(0);
    for (table, field) in [
        ("assets", "updatedAt"),
        ("projects", "createdAt"),
        ("issues", "createdAt"),
    ] {
        let truth: Vec<_> = server.stand_in().truth(table).expect("a list").collect();
        let of_2024 = truth.iter().filter(|row| is_of_2024(row, field)).cloned();
        let expected: Vec<String> = by_key(of_2024).into_keys().collect();
        assert!(!expected.is_empty() && expected.len() < truth.len(), "{table}");
        let found: Vec<String> = exported(&project, table).into_keys().collect();
        assert_eq!(found, expected, "{table}");
    }
}

#[test]
fn pages_within_rows_are_read_to_their_end() {
    let query = "query ($companyId: ID! @each(of: \"companies.id\")) {
      assets(companyId: $companyId) { collection { id
        scannersExecutionHistories { collection { startedAt finishedAt } } } } }";
    let project = Project::shipped("conviso")
        .only(&["companies"])
        .with("scanned.graphql", query);
    let mut config = calm();
    config.rows_scale = 0.1;
    let server = serve(config);
    project.run(&server, &QUICK).with_code(0);
    let parent = |scan: &Map<String, Value>| scan["_parent_id"].as_str().expect("text").to_owned();
    let texts = project.newest("scanned").texts("scanned__scannersExecutionHistories");
    let rows = texts.iter().flat_map(|part| part.lines());
    let rows = rows.map(|line| serde_json::from_str::<Map<String, Value>>(line).expect("a row"));
    let mut found: Vec<_> = rows.map(|scan| (parent(&scan), key(&scan))).collect();
    let families = server.stand_in().families("Asset", "scannersExecutionHistories");
    let families: Vec<_> = families.expect("a list").collect();
    let largest = families.iter().map(|family| family.children.len()).max();
    assert!(largest > Some(40), "{largest:?}: more than come with their asset");
    let scans_of = |family: Family| {
        let asset = family.parent["id"].as_str().expect("text").to_owned();
        family.children.into_iter().map(move |scan| (asset.clone(), key(&scan)))
    };
    let mut expected: Vec<_> = families.into_iter().flat_map(scans_of).collect();
    found.sort_unstable();
    expected.sort_unstable();
    assert_eq!(found, expected);
    println!("{} requests", server.log().requests);
}

#[test]
fn cursors_are_followed_in_pages_that_keep_to_the_complexity() {
    let project = Project::shipped("conviso")
        .only(&[])
        .with("analysts.graphql", "{ analysts { nodes { id email name } } }");
    let server = serve(calm());
    project.run(&server, &QUICK).with_code(0);
    let found: Vec<String> = exported(&project, "analysts").into_keys().collect();
    let truth = by_key(server.stand_in().truth("analysts").expect("a list"));
    assert_eq!(found, truth.into_keys().collect::<Vec<_>>());
    // Four points a row and more: 130 rows do not come at once.
    let log = server.log();
    assert_eq!((log.request_errors, log.refused), (0, 0));
    assert!(log.requests > 1, "{log:?}");
}
