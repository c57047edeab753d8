//! Query files that are run once for each value of a column of another one.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use gqldump::demo::{DemoConfig, DemoServer, LookupAnswer, LookupTrap, Refusal};
use nix::sys::signal::Signal;
use serde_json::{Map, Value, json};

use crate::cell::{Cell, Kind, Row, list, object};
use crate::exported::Exported;
use crate::nested::cases::{Case, clinic, factory};
use crate::program::{Running, run};
use crate::project::Project;
use crate::stub::{Answer, Stub, refusal};
use crate::tracker::{calm, serve};
use crate::truth::Branch;

/// Where requests are limited they are filled before they are sent. A machine that is busy with other tests delays a
/// request as a bad network would.
const SETTINGS: &str = "
endpoint = 'http://127.0.0.1:9/graphql'
[limits]
requests = [{ max = 300, per = '1m' }]
[retry]
initial_wait = '5ms'
max_wait = '20ms'
";

const GROUPS: &str = "{ groups { nodes { id name } } }";

/// The findings of each group, with their vulnerabilities.
const FINDINGS: &str = r#"query Findings($group: String! @each(of: "groups.name")) {
  group(name: $group) { findings { nodes { id groupName severity vulnerabilities { nodes { id title } } } } }
}"#;

/// Each group as one row.
const DETAILS: &str = r#"query ($group: String! @each(of: "groups.name")) { group(name: $group) { name active } }"#;

/// A group that has findings.
const ALDER: &str = "alder";

fn tracker() -> Project {
    Project::new(SETTINGS)
        .with("groups.graphql", GROUPS)
        .with("findings.graphql", FINDINGS)
}

fn groups() -> Branch {
    Branch::new("groups", "Query.groups", &[("id", Kind::Text), ("name", Kind::Text)])
}

fn findings() -> Branch {
    let vulnerabilities = [("id", Kind::Text), ("title", Kind::Text)];
    let columns = [("id", Kind::Text), ("groupName", Kind::Text), ("severity", Kind::Text)];
    Branch::new("findings", "Query.findings", &columns).with([Branch::new(
        "vulnerabilities",
        "Finding.vulnerabilities",
        &vulnerabilities,
    )])
}

/// The findings of all groups but one.
fn findings_without_alder() -> Branch {
    findings().only(|row| row["groupName"] != ALDER)
}

/// The names of all groups.
fn names(server: &DemoServer) -> BTreeSet<String> {
    let groups = server.stand_in().truth("groups").expect("groups");
    groups.map(|group| text(&group, "name")).collect()
}

fn text(row: &Map<String, Value>, key: &str) -> String {
    row[key].as_str().expect("text").to_owned()
}

/// A tracker that answers so to lookups of these groups.
fn trapped<'names>(names: impl IntoIterator<Item = &'names str>, answer: &LookupAnswer) -> DemoConfig {
    let mut config = calm();
    let trap = |name: &str| LookupTrap {
        field: "group".to_owned(),
        value: name.to_owned(),
        answer: answer.clone(),
    };
    config.behaviours.lookups = names.into_iter().map(trap).collect();
    config
}

fn refused() -> LookupAnswer {
    LookupAnswer::Refused(Refusal {
        status: 400,
        body: r#"{"errors":[{"message":"that group is closed"}]}"#.to_owned(),
    })
}

/// Members, complete, absent and failed ones.
fn counts(exported: &Exported) -> [u64; 4] {
    let each = &exported.manifest["each"];
    ["members", "complete", "absent", "failed"].map(|key| each[key].as_u64().expect("a number"))
}

#[test]
fn every_row_of_every_value_arrives_in_few_requests() {
    for format in ["parquet", "ndjson", "ndjson.zst"] {
        let (project, server) = (tracker(), serve(calm()));
        project.run(&server, &["--format", format]).with_code(0);
        groups().check(&project.exported("groups"), server.stand_in());
        let exported = project.exported("findings");
        findings().check(&exported, server.stand_in());
        let each = json!({
            "variable": "group", "of": "groups.name", "query": "groups",
            "members": 40, "complete": 40, "absent": 0, "incomplete": 0, "failed": 0, "failures": [],
        });
        assert_eq!(exported.manifest["each"], each);
        let log = server.log();
        assert!(log.requests < 30, "for 40 groups: {log:?}");
        assert_eq!((log.request_errors, log.field_errors, log.requests_repeated), (0, 0, 0));
    }
}

#[test]
fn what_one_run_showed_serves_the_next() {
    let (project, server) = (tracker(), serve(calm()));
    project.run(&server, &[]).with_code(0);
    let first = server.log().requests;
    project.run(&server, &[]).with_code(0);
    let second = server.log().requests - first;
    assert!(first < 30 && second <= first, "{first} requests, then {second}");
    findings().check(&project.exported("findings"), server.stand_in());
}

#[test]
fn what_is_one_row_for_each_value_has_an_id_of_its_own_and_shares_requests() {
    let project = tracker().only(&["groups"]).with("details.graphql", DETAILS);
    let server = serve(trapped([ALDER], &LookupAnswer::Nothing));
    project.run(&server, &[]).with_code(0);
    let requests = server.log().requests;
    assert!(requests < 6, "{requests} requests for 40 groups and their details");
    let exported = project.exported("details");
    assert_eq!(exported.incomplete(), Vec::<&str>::new());
    assert_eq!(counts(&exported), [40, 40, 1, 0]);
    let group = object(&[("name", Kind::Text), ("active", Kind::Boolean)]);
    let rows = exported.rows("details", &[("_id", Kind::Text), ("group", group)]);
    let ids: BTreeSet<String> = rows.iter().map(|row| format!("{:?}", row["_id"])).collect();
    assert_eq!((rows.len(), ids.len()), (39, 39), "what does not exist is no row");
    let found: BTreeSet<String> = rows.iter().map(|row| format!("{:?}", row["group"])).collect();
    assert_eq!(found.len(), 39);
}

/// A table of a query file that is run for each value, and the list that its rows come from.
struct Expected {
    table: &'static str,
    owner: &'static str,
    list: &'static str,
    /// The column that tells whose a row is, and the owner's field with the same value.
    parent: Option<(&'static str, &'static str)>,
    columns: Vec<(&'static str, Kind)>,
}

/// The tables of a query file that is run for each value have all rows of the stand-in, and it takes fewer requests than
/// there are values.
#[track_caller]
fn arrives(case: &Case, values: (&str, &str), each: (&str, &str), tables: &[Expected]) {
    let project = [values, each]
        .into_iter()
        .fold(case.project(), |project, (name, text)| {
            project.with(&format!("{name}.graphql"), text)
        });
    let server = serve(case.config());
    case.run(&project, &server, &[]);
    let exported = project.exported(each.0);
    assert_eq!(exported.incomplete(), Vec::<&str>::new());
    for expected in tables {
        let (found, truth) = (expected.found(&exported), expected.truth(&server));
        assert_eq!(found.len(), truth.len(), "rows of {}", expected.table);
        let strange = found.iter().zip(&truth).find(|(found, truth)| found != truth);
        assert_eq!(strange, None, "{}", expected.table);
    }
    let log = server.log();
    assert!(
        log.kept_limits() && log.field_errors == 0 && log.request_errors == 0,
        "{log:?}"
    );
    let requests = exported.manifest["traffic"]["requests"].as_u64();
    let [members, ..] = counts(&exported);
    assert!(requests < Some(members), "{requests:?} requests for {members} values");
}

impl Expected {
    /// The rows of the table in an order of their own, without what leads to their parents but the column for that.
    fn found(&self, exported: &Exported) -> Vec<String> {
        let parent = self.parent.map_or("_parent_id", |(column, _)| column);
        let columns = [vec![("_id", Kind::Text), (parent, Kind::Text)], self.columns.clone()].concat();
        let told = |mut row: Row| {
            row.remove("_id");
            let parent = row.remove(parent).filter(|_| self.parent.is_some());
            format!("{parent:?} {row:?}")
        };
        sorted(exported.rows(self.table, &columns).into_iter().map(told))
    }

    fn truth(&self, server: &DemoServer) -> Vec<String> {
        let mut rows = Vec::new();
        for family in server.stand_in().families(self.owner, self.list).expect("a list") {
            let parent = self
                .parent
                .map(|(_, key)| Cell::of_answer(&Kind::Text, &family.parent[key]));
            for child in &family.children {
                let cell = |(name, kind): &(&'static str, Kind)| {
                    (
                        *name,
                        child
                            .get(*name)
                            .map_or(Cell::Null, |value| Cell::of_answer(kind, value)),
                    )
                };
                rows.push(format!(
                    "{parent:?} {:?}",
                    self.columns.iter().map(cell).collect::<Row>()
                ));
            }
        }
        sorted(rows)
    }
}

fn sorted(rows: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut rows: Vec<String> = rows.into_iter().collect();
    rows.sort_unstable();
    rows
}

#[test]
fn values_of_keys_reach_what_lies_below_at_any_depth() {
    let visits = r#"query ($mrn: ID! @each(of: "charts.mrn")) { patient(mrn: $mrn) { mrn chart {
        visits { edges { node { visitId admittedAt encounter { reason
          orders { edges { node { orderNumber urgency panel { title
            measurements { edges { node { analyte value unit flags } } } } } } } } } } } } } }"#;
    let visits_of_patients = Expected {
        table: "visits",
        owner: "Patient",
        list: "chart.visits",
        parent: Some(("patient_mrn", "mrn")),
        columns: vec![
            ("visitId", Kind::Text),
            ("admittedAt", Kind::Timestamp),
            ("encounter", object(&[("reason", Kind::Text)])),
        ],
    };
    let measurements = Expected {
        table: "visits__orders__measurements",
        owner: "LabOrder",
        list: "panel.measurements",
        parent: None,
        columns: vec![
            ("analyte", Kind::Text),
            ("value", Kind::Decimal),
            ("unit", Kind::Text),
            ("flags", list(Kind::Text)),
        ],
    };
    arrives(
        &clinic(),
        ("charts", "{ patients { edges { node { mrn } } } }"),
        ("visits", visits),
        &[visits_of_patients, measurements],
    );
}

#[test]
fn page_numbers_are_turned_for_each_value() {
    let machines = r#"query ($plant: ID! @each(of: "sites.id")) { plant(id: $plant) { id
        machines { collection { id state hoursRun faultCodes parts { collection { id serialNumber price } } } } } }"#;
    let machines_of_plants = Expected {
        table: "machines",
        owner: "Plant",
        list: "machines",
        parent: Some(("plant_id", "id")),
        columns: vec![
            ("id", Kind::Text),
            ("state", Kind::Text),
            ("hoursRun", Kind::Float),
            ("faultCodes", list(Kind::Text)),
        ],
    };
    let parts = Expected {
        table: "machines__parts",
        owner: "Machine",
        list: "parts",
        parent: Some(("_parent_id", "id")),
        columns: vec![("id", Kind::Text), ("serialNumber", Kind::Text), ("price", Kind::Text)],
    };
    arrives(
        &factory(),
        ("sites", "{ plants { collection { id } } }"),
        ("machines", machines),
        &[machines_of_plants, parts],
    );
}

#[test]
fn values_that_fail_are_named_and_the_others_are_complete() {
    let error = LookupAnswer::Error("no access to that group".to_owned());
    for (answer, reason) in [(error, "no access to that group"), (refused(), "that group is closed")] {
        let (project, server) = (tracker(), serve(trapped([ALDER], &answer)));
        let ended = project.run(&server, &[]).with_code(3);
        let exported = project.newest("findings");
        findings_without_alder().check_rows(&exported, server.stand_in());
        assert_eq!(counts(&exported), [40, 39, 0, 1]);
        let failure = &exported.manifest["each"]["failures"][0];
        assert_eq!(failure["value"], ALDER);
        assert!(failure["reason"].as_str().expect("text").contains(reason), "{failure}");
        let incomplete = exported.incomplete();
        assert_eq!(incomplete.len(), 1, "{incomplete:?}");
        assert!(
            incomplete[0].starts_with("`$group` = \"alder\" failed: "),
            "{incomplete:?}"
        );
        assert!(
            ended.stderr.contains("ran for 40 values of `groups.name`, 1 failed"),
            "{}",
            ended.stderr
        );
        let log = server.log();
        assert!(log.requests < 60, "halves are asked, not one value at a time: {log:?}");
    }
}

#[test]
fn many_failures_are_counted_and_values_that_do_not_exist_are_no_failures() {
    let names: BTreeSet<String> = names(&serve(calm()));
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut config = trapped(names[..8].iter().copied(), &LookupAnswer::Error("closed".to_owned()));
    let gone = trapped(names[8..11].iter().copied(), &LookupAnswer::Nothing);
    config.behaviours.lookups.extend(gone.behaviours.lookups);
    let (project, server) = (tracker(), serve(config));
    project.run(&server, &[]).with_code(3);
    let exported = project.newest("findings");
    assert_eq!(counts(&exported), [40, 32, 3, 8]);
    let incomplete = exported.incomplete();
    assert_eq!(incomplete.len(), 6, "{incomplete:?}");
    assert_eq!(incomplete[5], "`$group`: 3 more values failed");
    assert_eq!(exported.manifest["each"]["failures"].as_array().map(Vec::len), Some(8));
}

#[test]
fn what_is_null_for_a_value_is_doubted_where_the_api_never_answers_so() {
    let project = tracker().with("details.graphql", DETAILS);
    let server = serve(trapped([ALDER], &LookupAnswer::Nothing));
    project.run(&server, &["--set", "doubt_null=true"]).with_code(3);
    for query in ["findings", "details"] {
        let exported = project.newest(query);
        let lack = "`group` of $group = \"alder\" is null without any error, which is no answer of this API";
        assert_eq!(exported.incomplete(), [lack], "{query}");
        let each = &exported.manifest["each"];
        assert_eq!(
            (&each["absent"], &each["incomplete"]),
            (&json!(0), &json!(1)),
            "{query}"
        );
    }
    let group = object(&[("name", Kind::Text), ("active", Kind::Boolean)]);
    let columns = [("_id", Kind::Text), ("group", group)];
    let details = project.newest("details").rows("details", &columns);
    assert_eq!(details.len(), 39, "all other values have their rows");
}

#[test]
fn where_all_values_fail_nothing_is_published_and_the_next_run_asks_again() {
    let all = names(&serve(calm()));
    let all = || all.iter().map(String::as_str);
    for answer in [LookupAnswer::Error("closed".to_owned()), refused()] {
        let project = tracker();
        let server = serve(trapped(all(), &answer));
        let ended = project.run(&server, &[]).with_code(1);
        assert!(ended.stderr.contains("all 40 values failed"), "{}", ended.stderr);
        assert!(!project.written("findings").exists());
        drop(server);
        let server = serve(calm());
        project.run(&server, &[]).with_code(0);
        findings().check(&project.exported("findings"), server.stand_in());
    }
}

#[test]
fn a_value_that_the_server_crashes_on_fails_alone() {
    let crash = LookupAnswer::Refused(Refusal {
        status: 500,
        body: "<html>Internal Server Error</html>".to_owned(),
    });
    let (project, server) = (tracker(), serve(trapped([ALDER], &crash)));
    project.run(&server, &["--set", "retry.attempts=2"]).with_code(3);
    let exported = project.newest("findings");
    findings_without_alder().check_rows(&exported, server.stand_in());
    assert_eq!(counts(&exported), [40, 39, 0, 1]);
    assert_eq!(exported.manifest["each"]["failures"][0]["value"], ALDER);
}

/// A tracker that answers requests for groups by their names so while the switch is on.
fn switched(answer: impl Fn() -> Answer + Send + Sync + 'static) -> (Stub, Arc<AtomicBool>) {
    let switch = Arc::new(AtomicBool::new(true));
    let is_on = Arc::clone(&switch);
    let stub = Stub::start(move |request| {
        let asks_for_groups = request["query"].as_str().is_some_and(|query| query.contains("group("));
        match is_on.load(Ordering::Relaxed) && asks_for_groups {
            true => answer(),
            false => Answer::PassOn,
        }
    });
    (stub, switch)
}

#[test]
fn where_all_values_fail_the_run_is_kept_and_goes_on() {
    let (stub, switch) = switched(|| refusal("closed for today"));
    let project = tracker();
    let ended = project.run(&stub, &[]).with_code(1);
    assert!(ended.stderr.contains("all 40 values failed"), "{}", ended.stderr);
    switch.store(false, Ordering::Relaxed);
    // The values are those that the run began with: nothing else is needed to go on.
    fs_err::remove_dir_all(project.written("groups")).expect("the groups");
    let ended = project.run(&stub, &["queries/api/findings.graphql"]).with_code(0);
    assert!(ended.stderr.contains("goes on: "), "{}", ended.stderr);
    let exported = project.exported("findings");
    assert_eq!(counts(&exported), [40, 40, 0, 0]);
    findings().check(&exported, serve(calm()).stand_in());
}

#[test]
fn an_outage_is_no_fault_of_a_value() {
    let is_down = Arc::new(AtomicBool::new(false));
    let (down, answered) = (Arc::clone(&is_down), AtomicU64::new(0));
    let stub = Stub::start(move |request| {
        let asks_for_groups = request["query"].as_str().is_some_and(|query| query.contains("group("));
        if asks_for_groups && answered.fetch_add(1, Ordering::Relaxed) == 2 {
            down.store(true, Ordering::Relaxed);
        }
        match down.load(Ordering::Relaxed) {
            true => Answer::Other {
                status: 503,
                content_type: "text/plain",
                body: "down".to_owned(),
            },
            false => Answer::PassOn,
        }
    });
    let project = tracker();
    let arguments = ["--set", "retry.attempts=2", "--set", "limits.query.root_fields=4"];
    project.run(&stub, &arguments).with_code(1);
    is_down.store(false, Ordering::Relaxed);
    project.run(&stub, &arguments).with_code(0);
    let exported = project.exported("findings");
    assert_eq!(counts(&exported), [40, 40, 0, 0]);
    findings().check(&exported, serve(calm()).stand_in());
}

#[test]
fn alone_it_takes_the_values_of_the_newest_complete_run() {
    let (project, server) = (tracker(), serve(calm()));
    let alone = "queries/api/findings.graphql";
    let ended = project.run(&server, &[alone]).with_code(1);
    let told = "there is no complete run of `groups`, which the values of `$group` come from: run it with \
                `gqldump run queries/api/groups.graphql`";
    assert!(ended.stderr.contains(told), "{}", ended.stderr);
    project.run(&server, &["queries/api/groups.graphql"]).with_code(0);
    project.run(&server, &[alone]).with_code(0);
    findings().check(&project.exported("findings"), server.stand_in());
    let given = project.run(&server, &[alone, "--var", "group=alder"]).with_code(0);
    assert!(!given.stderr.contains("ran for"), "{}", given.stderr);
    let exported = project.exported("findings");
    assert_eq!(exported.manifest["each"], Value::Null);
    let rows = exported.rows(
        "findings",
        &[
            ("_id", Kind::Text),
            ("id", Kind::Text),
            ("groupName", Kind::Text),
            ("severity", Kind::Text),
        ],
    );
    assert!(!rows.is_empty() && rows.iter().all(|row| row["groupName"] == Cell::Text(ALDER.to_owned())));
}

#[test]
fn values_that_may_not_be_all_make_a_run_that_says_so() {
    let groups = "{ groups @paginate(style: NONE) { nodes { id name } } }";
    let (project, server) = (tracker().with("groups.graphql", groups), serve(calm()));
    project.run(&server, &[]).with_code(3);
    let exported = project.newest("findings");
    let incomplete = exported.incomplete();
    assert_eq!(incomplete.len(), 1, "{incomplete:?}");
    assert!(
        incomplete[0].starts_with("`groups`, which the values of `$group` come from, is not complete in run "),
        "{incomplete:?}"
    );
    assert_eq!(counts(&exported)[3], 0);
}

#[test]
fn what_waits_for_a_query_file_that_fails_is_not_begun() {
    let mut config = calm();
    config.behaviours.lookups = vec![LookupTrap {
        field: "organization".to_owned(),
        value: "acme".to_owned(),
        answer: refused(),
    }];
    let groups = r#"{ organization(name: "acme") { groups { nodes { name } } } }"#;
    let (project, server) = (tracker().with("groups.graphql", groups), serve(config));
    let ended = project.run(&server, &[]).with_code(1);
    let told = "not begun: `groups`, which its values come from, failed";
    assert!(ended.stderr.contains(told), "{}", ended.stderr);
    assert!(!project.written("findings").exists());
}

fn await_requests(server: &DemoServer, running: &mut Running, requests: u64) {
    while server.log().requests < requests {
        assert!(!running.has_ended(), "it ended before {requests} requests were sent");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn what_waits_for_a_query_file_that_is_interrupted_is_not_begun() {
    let mut config = calm();
    config.behaviours.latency.base = Duration::from_millis(300);
    let (project, server) = (tracker(), serve(config));
    let mut running = project.start(&server, &["--set", "limits.page_size=5"]);
    // The schema, and a page of groups.
    await_requests(&server, &mut running, 2);
    running.signal(Signal::SIGINT);
    let ended = running.end().with_code(5);
    let told = "not begun: `groups`, which its values come from, was interrupted";
    assert!(ended.stderr.contains(told), "{}", ended.stderr);
}

#[test]
fn a_run_that_is_killed_goes_on_with_the_values_that_it_began_with() {
    let mut config = calm();
    config.behaviours.latency.base = Duration::from_millis(30);
    let (project, server) = (tracker(), serve(config));
    let few = ["--set", "limits.query.root_fields=2"];
    let arguments = [&few[..], &["queries/api/findings.graphql"]].concat();
    project.run(&server, &["queries/api/groups.graphql"]).with_code(0);
    for _ in 0..5 {
        let goal = server.log().requests + 4;
        let mut running = project.start(&server, &arguments);
        await_requests(&server, &mut running, goal);
        running.signal(Signal::SIGKILL);
        assert_eq!(running.end().code, None);
    }
    // The values are in the state: nothing else is needed to go on.
    fs_err::remove_dir_all(project.written("groups")).expect("the groups");
    let ended = project.run(&server, &arguments).with_code(0);
    assert!(ended.stderr.contains("goes on: "), "{}", ended.stderr);
    let exported = project.exported("findings");
    findings().check(&exported, server.stand_in());
    assert_eq!(counts(&exported), [40, 40, 0, 0]);
    let log = server.log();
    assert!(log.requests_repeated <= 5 * log.max_in_flight, "{log:?}");
}

#[test]
fn check_and_plan_tell_what_a_query_file_is_run_for() {
    let (project, server) = (tracker(), serve(calm()));
    let said = |command: &str| {
        let address = format!("endpoint={}", server.address());
        let mut command = project.gqldump(&[command, "queries/api/findings.graphql", "--set", &address]);
        command.args(["--set", "auth.token.env=GQLDUMP_TEST_TOKEN"]);
        command.env(
            "GQLDUMP_TEST_TOKEN",
            secrecy::ExposeSecret::expose_secret(server.token()),
        );
        project.steady(&run(&mut command).with_code(0).stdout)
    };
    let line = "runs once for each value of `groups.name`, in `$group`, and after the query file `groups`: ";
    for command in ["check", "plan"] {
        let before = said(command);
        assert!(
            before.contains(&format!("{line}it has no complete run yet")),
            "{before}"
        );
    }
    project.run(&server, &[]).with_code(0);
    for command in ["check", "plan"] {
        let after = said(command);
        assert!(after.contains(&format!("{line}40 values in its run RUN")), "{after}");
    }
    let plan = said("plan");
    let requests = plan.lines().find_map(|line| line.trim().strip_prefix("about "));
    let requests = requests.and_then(|line| line.split(' ').next()?.parse().ok());
    assert!(
        requests.is_some_and(|requests: u64| (1..20).contains(&requests)),
        "{plan}"
    );
}

#[test]
fn mistakes_are_errors_of_check_with_the_remedy() {
    let project = tracker()
        .with("findings.graphql", &FINDINGS.replace("groups.name", "groups.nam"))
        .with("details.graphql", &DETAILS.replace("groups.name", "details.group.name"));
    let server = serve(calm());
    let ended = project.run(&server, &[]).with_code(2);
    for told in [
        "the table `groups` has no column `nam`",
        "did you mean `name`?",
        "query files take their values from each other in a circle: details → details",
    ] {
        assert!(ended.stderr.contains(told), "{}", ended.stderr);
    }
    groups().check(&project.exported("groups"), server.stand_in());
}
