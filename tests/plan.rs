//! What `check` and `plan` tell of query files in every style of pagination, before anything is asked.

use serde_json::{Value, json};

use crate::program::{Ended, run};
use crate::project::Project;
use crate::stub::{Answer, Stub};
use crate::tracker::{calm, serve};

/// Nothing listens there: whoever asks anything but the schema's file fails.
const SETTINGS: &str = "endpoint = 'http://127.0.0.1:1/'\nschema = 'schema.graphql'\n[retry]\nattempts = 1\n\
                        [limits]\nrequests = [{ max = 100, per = '1m' }]\n";

/// A query file for each style, and for what is not paginated.
const STYLES: [(&str, &str); 13] = [
    ("capped", "{ tags(limit: 30) { name } }"),
    ("flat_cursor", "{ books { items { id title } } }"),
    (
        "keyset",
        "{ tokens @paginate(style: KEYSET, filter: \"where.id_gt\", key: \"id\", order: \"orderBy: id\", max: 5000) { id symbol } }",
    ),
    ("moving_cursor", "{ boards { id items_page { items { id name } } } }"),
    ("offset", "{ posts { items { slug comments { text } } } }"),
    ("offset_list", "{ findBugs { id name tags { name } } }"),
    (
        "page",
        "{ assets(companyId: 7) { collection { id scans { collection { kind } } } } }",
    ),
    ("page_flag", "{ media { media { id } } }"),
    ("page_input", "{ issues { collection { id } } }"),
    ("page_list", "{ logs { text } }"),
    ("relay", RELAY),
    ("response", "{ viewer { name roles } }"),
    ("switched_off", "{ groups @paginate(style: NONE) { nodes { id } } }"),
];

const RELAY: &str = "
  { groups { nodes { id name labels owner { roles }
      findings(first: 20) { edges { node { id title } } }
      events { nodes { kind } } } } }";

/// The one style here that the source says.
const PAGE_LIST: &str = "[[paging]]\ntype = 'Query'\nfield = 'logs'\nstyle = 'page_list'\nfirst_page = 1\n";

fn project(queries: &[(&str, &str)]) -> Project {
    let project = Project::new(&format!("{SETTINGS}{PAGE_LIST}"));
    let project = project.with("schema.graphql", include_str!("plan/schema.graphql"));
    queries.iter().fold(project, |project, (name, text)| {
        project.with(&format!("{name}.graphql"), text)
    })
}

fn query(name: &str) -> Project {
    let found = STYLES.into_iter().find(|(other, _)| *other == name);
    project(&[found.expect("a query")])
}

fn said(project: &Project, arguments: &[&str]) -> Ended {
    let ended = run(&mut project.gqldump(arguments)).with_code(0);
    assert_eq!(ended.stderr, "");
    assert!(!project.output().exists(), "nothing is written");
    ended
}

#[test]
fn check_says_of_every_list_how_it_is_paged_and_why() {
    insta::assert_snapshot!("check_styles", said(&project(&STYLES), &["check"]).stdout);
}

#[test]
fn plan_shows_tables_in_their_order_with_how_they_are_reached() {
    insta::assert_snapshot!("plan_relay", said(&query("relay"), &["plan", "--requests"]).stdout);
    insta::assert_snapshot!("plan_offset", said(&query("offset"), &["plan", "--requests"]).stdout);
}

/// A source that takes little in one request.
const LITTLE: &str = "limits.query={ depth = 5, root_fields = 2, complexity = 14 }";

const ROOTS: &str = "{ groups { nodes { id } } assets(companyId: 7) { collection { id } } tags(limit: 30) { name } books { items { id } } }";

#[test]
fn plan_shows_every_cut_and_which_limit_asks_for_it() {
    let project = project(&[("relay", RELAY), ("roots", ROOTS)]);
    let text = said(&project, &["plan", "--requests", "--set", LITTLE]).stdout;
    insta::assert_snapshot!("plan_cuts", text);
    let json: Value = serde_json::from_str(&said(&project, &["plan", "--json", "--set", LITTLE]).stdout).expect("JSON");
    let cuts: Vec<&Value> = json["sources"][0]["queries"]
        .as_array()
        .expect("queries")
        .iter()
        .map(|query| &query["cuts"])
        .collect();
    insta::assert_snapshot!("plan_cuts_json", serde_json::to_string_pretty(&cuts).expect("JSON"));
    let checked = said(&project, &["check", "--set", LITTLE]).stdout;
    assert!(
        checked.contains("4 root fields of 2 and complexity 20 of 14: 2 requests"),
        "{checked}"
    );
}

#[test]
fn plan_shows_pages_that_limits_keep_small_and_its_requests_have_those_sizes() {
    const WEIGHED: &str =
        "limits.query={ nodes = 6000, complexity = { max = 300, object = 1, multiplied_by = ['first'] } }";
    let project = project(&[("relay", RELAY)]);
    let plan = |limits: &str| -> Value {
        let json = said(&project, &["plan", "--json", "--requests", "--set", limits]).stdout;
        serde_json::from_str::<Value>(&json).expect("JSON")["sources"][0]["queries"][0].take()
    };
    let free = plan("limits.query={ nodes = 1000000000 }");
    assert_eq!(free["cuts"], serde_json::json!([]));
    let weighed = plan(WEIGHED);
    let [cut] = weighed["cuts"].as_array().expect("cuts").as_slice() else {
        panic!("one cut: {}", weighed["cuts"])
    };
    assert_eq!(
        (&cut["cut"], &cut["limit"]),
        (&"pages".into(), &"complexity".into()),
        "{cut}"
    );
    assert_eq!(
        (&cut["also"][0]["limit"], &cut["also"][0]["most"]),
        (&"nodes".into(), &6000.into()),
        "{cut}"
    );
    for page in cut["pages"].as_array().expect("pages") {
        let of_connection = |other: &&Value| other["path"] == page["connection"];
        let connections = weighed["connections"].as_array().expect("connections");
        let connection = connections.iter().find(of_connection).expect("a connection");
        assert_eq!(connection["first_page_size"], page["rows"], "{cut}");
        assert!(page["rows"].as_u64() < page["wanted"].as_u64(), "{cut}");
    }
    let text = said(&project, &["plan", "--set", WEIGHED]).stdout;
    assert!(
        text.contains(" of 300 and ") && text.contains(" nodes of 6000: first pages of "),
        "{text}"
    );
}

#[test]
fn what_cannot_be_cut_is_refused_by_check_and_plan_alike() {
    let project = project(&[("relay", RELAY)]);
    for command in ["check", "plan"] {
        let ended = run(&mut project.gqldump(&[command, "--set", "limits.query.depth=4"])).with_code(2);
        for part in ["depth 5 of 4", "relay.graphql:", "`limits.query.depth` is 4"] {
            assert!(ended.stderr.contains(part), "{part}: {}", ended.stderr);
        }
    }
}

#[test]
fn plan_shows_requests_as_they_are_sent() {
    let names = [
        "flat_cursor",
        "keyset",
        "moving_cursor",
        "page",
        "page_flag",
        "page_input",
        "page_list",
    ];
    let is_wanted = |(name, _): &(&str, &str)| names.contains(name);
    let wanted: Vec<(&str, &str)> = STYLES.into_iter().filter(is_wanted).collect();
    insta::assert_snapshot!(
        "plan_requests",
        said(&project(&wanted), &["plan", "--requests=sent"]).stdout
    );
}

#[test]
fn plan_tells_machines_the_same() {
    let told = said(&query("relay"), &["plan", "--json", "--requests"]).stdout;
    let told: Value = serde_json::from_str(&told).expect("JSON");
    insta::assert_snapshot!("plan_json", serde_json::to_string_pretty(&told).expect("JSON"));
}

#[test]
fn what_is_not_decided_is_an_error_of_check_and_plan() {
    let project = project(&[("logs", "{ others { text } }"), STYLES[0]]);
    for command in ["check", "plan"] {
        let ended = run(&mut project.gqldump(&[command])).with_code(2);
        assert!(ended.stdout.contains("capped list"), "{}", ended.stdout);
        assert!(
            ended.stderr.contains("Help: write @paginate(style: PAGE_LIST"),
            "{}",
            ended.stderr
        );
    }
}

#[test]
fn a_rule_on_what_the_schema_lacks_is_a_warning_of_check() {
    let rule = "[[paging]]\ntype = 'Grup'\nfield = 'findings'\nstyle = 'none'\n\
                [[paging]]\ntype = 'Group'\nfield = 'finding'\nstyle = 'none'\n";
    let project = query("relay").with("source.toml", &format!("{SETTINGS}{rule}"));
    let ended = run(&mut project.gqldump(&["check"])).with_code(0);
    insta::assert_snapshot!(project.steady(&ended.stderr), @"TIME warn  api: what [[paging]] says of `Grup.findings` is of no use: in the schema there is no type `Grup` (did you mean `Group`?); what [[paging]] says of `Group.finding` is of no use: in the schema `Group` has no field `finding`");
}

#[test]
fn a_rule_that_does_not_fit_its_field_is_an_error_there() {
    let rule = "[[paging]]\ntype = 'Query'\nfield = 'logs'\nstyle = 'page'\n";
    let project = query("page_list").with("source.toml", &format!("{SETTINGS}{rule}"));
    let ended = run(&mut project.gqldump(&["check"])).with_code(2);
    insta::assert_snapshot!(project.steady(&ended.stderr), @r"
    api/page_list: what [[paging]] says of `Query.logs` does not fit the field `logs`
       ╭─[ queries/api/page_list.graphql:1:3 ]
       │
     1 │ { logs { text } }
       │   ──┬─
       │     ╰─── said of this field
       │
       │ Help: PAGE needs the number of pages or of all rows in the value, and `logs` shows none: name it by `pageCount` or `total`, or choose another style
    ───╯
    ");
}

#[test]
fn plan_knows_what_an_earlier_run_showed() {
    let (project, server) = (Project::demo().only(&["findings"]), serve(calm()));
    let project = project.with("deep.graphql", "{ groups { nodes { id findings { nodes { id } } } } }");
    project.run(&server, &[]).with_code(0);
    let ended = run(&mut project.gqldump(&["plan", "--json"])).with_code(0);
    let plan: Value = serde_json::from_str(&ended.stdout).expect("JSON");
    let [deep, findings] = [0, 1].map(|index| &plan["sources"][0]["queries"][index]);
    for connection in [&deep["connections"][1], &findings["connections"][0]] {
        // Large numbers are kept in steps of an eighth.
        let rows = connection["rows"].as_u64().expect("rows");
        assert!((1500..=1688).contains(&rows), "{connection}");
        assert_eq!(connection["rows_known_by"], "earlier_runs");
    }
    assert_eq!(deep["connections"][0]["rows"], 40);
    assert_eq!(deep["estimate"]["is_at_least"], false);
    assert!(findings["estimate"]["requests"].as_u64().expect("requests") >= 3);
}

#[test]
fn plan_asks_for_totals_only_when_told_to() {
    let stub = Stub::start(|_| Answer::Json(json!({ "data": { "groups": { "totalCount": 1000 } } })));
    let project = query("relay");
    let endpoint = format!("endpoint={}", crate::project::Api::from(&stub).address);
    let plan = |arguments: &[&str]| said(&project, &[&["plan", "--set", &endpoint], arguments].concat()).stdout;
    let told = plan(&[]);
    assert!(told.contains("an unknown number of requests"), "{told}");
    assert!(stub.requests().is_empty());
    let told = plan(&["--probe"]);
    let (_, told) = told.split_once("\n\n  at least").expect("an estimate");
    insta::assert_snapshot!(format!("at least{told}"), @r"
    at least 10 requests, which the budget allows at once
        `groups`: 1,000 rows by its total
        `groups.nodes.findings`: its number of rows is unknown
        `groups.nodes.events`: its number of rows is unknown
    ");
    assert_eq!(
        stub.requests(),
        [
            json!({ "query": "query($pageSize:Int!){groups(first:$pageSize){totalCount}}", "variables": { "pageSize": 1 } })
        ]
    );
}
