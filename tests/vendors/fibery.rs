//! Fibery: a workspace exported by what `init` writes, and each thing that is known to go wrong with its API.

use std::process::Command;

use fs_err as fs;
use gqldump::demo::{
    DemoConfig, DemoServer, Fault, FaultPlan, PagingTraps, Refusal, RequestWindow, ScriptedFault, StandIn,
};
use serde_json::{Map, Value};
use tempfile::TempDir;

use crate::exported::read_export;
use crate::program::{Ended, gqldump, run};
use crate::project::{Api, Project};

/// The tables, called like the lists that they come from, with columns that JSON keeps to the last digit.
const TABLES: [(&str, &[&str]); 3] = [
    (
        "findFeatures",
        &["id", "publicId", "creationDate", "modificationDate", "name"],
    ),
    (
        "findBugs",
        &["id", "publicId", "creationDate", "name", "estimate", "due", "done"],
    ),
    ("findComments", &["id", "publicId", "creationDate", "text"]),
];

/// A workspace that answers at once, with fewer rows than the shipped one, and a source that `init` wrote for it.
struct Workspace {
    server: DemoServer,
    folder: TempDir,
}

impl Workspace {
    fn new(lay: impl FnOnce(&mut DemoConfig)) -> Self {
        let mut config = DemoConfig::named("fibery").expect("the stand-in");
        config.rows_scale = 0.25;
        config.behaviours.latency = Default::default();
        lay(&mut config);
        let workspace = Self {
            server: DemoServer::start(config).expect("a stand-in"),
            folder: tempfile::tempdir().expect("a folder"),
        };
        let said = run(&mut workspace.gqldump(&["init", &workspace.address(), "--preset=fibery"])).with_code(0);
        assert!(said.stdout.contains("  findBugs.graphql\n"), "{}", said.stdout);
        workspace
    }

    /// The space by the name that its addresses have.
    fn address(&self) -> String {
        let address = self.server.address().join("/api/graphql/space/Software_Development");
        address.expect("an address").to_string()
    }

    fn gqldump(&self, arguments: &[&str]) -> Command {
        let mut command = gqldump();
        command.current_dir(self.folder.path()).args(arguments);
        // What one process sent counts for the next one.
        command.env("XDG_STATE_HOME", self.folder.path().join("state"));
        command.envs(Api::from(&self.server).token.map(|token| ("FIBERY_TOKEN", token)));
        command
    }

    fn export(&self, arguments: &[&str]) -> Ended {
        run(&mut self.gqldump(&[&["run", "queries/fibery", "--format=ndjson"], arguments].concat()))
    }

    fn with_query(self, name: &str, text: &str) -> Self {
        fs::write(self.folder.path().join("queries/fibery").join(name), text).expect("a file");
        self
    }

    fn rows(&self, table: &str) -> (Vec<Map<String, Value>>, usize) {
        let query = table.split("__").next().expect("a name");
        let folder = self.folder.path().join("output/fibery").join(query);
        let runs = fs::read_dir(&folder)
            .expect("a folder")
            .map(|entry| entry.expect("a run").path());
        let newest = runs.filter(|path| path.join("_manifest.json").exists()).max();
        let exported = read_export(&newest.expect("a run"));
        (exported.json_rows(table), exported.incomplete().len())
    }

    /// All tables are those of the generator, and complete.
    #[track_caller]
    fn check(&self) {
        for (table, columns) in TABLES {
            let (rows, lacking) = self.rows(table);
            assert_eq!(lacking, 0, "{table}");
            let truth = self.truth(table);
            let (found, truth) = (texts(&rows, columns), texts(&truth, columns));
            assert_eq!(found.len(), truth.len(), "rows of {table}");
            for (found, truth) in found.iter().zip(truth) {
                assert_eq!(*found, truth, "a row of {table}");
            }
        }
    }

    /// Whatever is written is the generator's, and what is lacking is named where it is lacking.
    #[track_caller]
    fn check_not_silent(&self, ended: &Ended) {
        match ended.code {
            Some(0) => self.check(),
            Some(3) => {
                for (table, columns) in TABLES {
                    let (rows, lacking) = self.rows(table);
                    let truth = texts(&self.truth(table), columns);
                    let found = texts(&rows, columns);
                    assert!(
                        found.iter().all(|row| truth.binary_search(row).is_ok()),
                        "a strange row of {table}"
                    );
                    assert!(
                        lacking > 0 || found == truth,
                        "{table} is silently short: {}",
                        ended.stderr
                    );
                }
            }
            _ => panic!("{ended:?}"),
        }
    }

    fn truth(&self, table: &str) -> Vec<Map<String, Value>> {
        let stand_in: &StandIn = self.server.stand_in();
        stand_in.truth(table).expect("a table").collect()
    }
}

fn texts(rows: &[Map<String, Value>], columns: &[&str]) -> Vec<String> {
    let text = |row: &Map<String, Value>| {
        columns
            .iter()
            .map(|name| row[*name].to_string())
            .collect::<Vec<_>>()
            .join(" ")
    };
    let mut texts: Vec<String> = rows.iter().map(text).collect();
    texts.sort_unstable();
    texts
}

fn unlimited(config: &mut DemoConfig) {
    config.behaviours.limits.clear();
}

/// The preset's limit put off, where no limit is what is tested.
const UNLIMITED: [&str; 4] = ["--set", "limits.requests=[]", "--set", "retry.initial_wait=1ms"];

fn traps(config: &mut DemoConfig) -> &mut PagingTraps {
    &mut config.behaviours.paging.traps
}

#[test]
fn a_workspace_is_exported_by_what_init_writes_within_three_requests_a_second() {
    let workspace = Workspace::new(|_| {});
    workspace.export(&[]).with_code(0);
    workspace.check();
    let log = workspace.server.log();
    assert_eq!(
        (log.throttles_provoked, log.request_errors, log.rows_repeated),
        (0, 0, 0)
    );
    // 130 features, 1000 bugs, 1500 comments, 500 on a page, an empty page behind each list, and the schema twice.
    assert!(log.requests <= 14, "{}", log.requests);
}

#[test]
fn a_page_that_is_clamped_without_a_word_is_not_the_end() {
    let workspace = Workspace::new(|config| {
        unlimited(config);
        config.behaviours.paging.cap = 70;
    });
    workspace.export(&UNLIMITED).with_code(0);
    workspace.check();
}

#[test]
fn a_query_without_an_order_is_given_one() {
    let workspace = Workspace::new(unlimited).with_query(
        "findBugs.graphql",
        "{ findBugs { id publicId creationDate rank name estimate due done } }",
    );
    workspace
        .export(&[&UNLIMITED[..], &["--set", "limits.page_size=40"]].concat())
        .with_code(0);
    workspace.check();
    assert_eq!(workspace.server.log().rows_repeated, 0);
}

#[test]
fn inner_lists_that_are_exactly_full_are_named_and_read_on_from_the_other_side() {
    let workspace =
        Workspace::new(unlimited).with_query("nested.graphql", "{ findFeatures { id bugs(limit: 100) { id } } }");
    let ended = workspace.export(&UNLIMITED).with_code(3);
    assert!(ended.stderr.contains("fibery/nested"), "{}", ended.stderr);
    let (nested, lacking) = workspace.rows("nested__bugs");
    assert!(lacking > 0 && nested.len() < workspace.truth("findBugs").len());
    // The list of the children themselves has all of them, each with its parent.
    workspace.check();
    let (bugs, _) = workspace.rows("findBugs");
    assert!(bugs.iter().all(|bug| bug["feature"]["id"].is_string()));
}

/// Bugs in their features, and comments in their bugs: both lists are read on from the other side.
const NESTED: &str = r#"{ findFeatures { id
    bugs @paginate(next: "findBugs", parent: "feature.id.is") { id publicId creationDate name estimate due done
        comments @paginate(next: "findComments", parent: "bug.id.is") { id publicId creationDate text } } } }"#;

/// The tables of that query file, and those that have the same rows, each with what tells its parent.
const NESTED_TABLES: [(&str, usize, &str); 2] = [("nested__bugs", 1, "feature"), ("nested__bugs__comments", 2, "bug")];

#[track_caller]
fn check_nested(workspace: &Workspace) {
    workspace.check();
    for (nested, table, above) in NESTED_TABLES {
        let (name, columns) = TABLES[table];
        let (mut rows, lacking) = workspace.rows(nested);
        assert_eq!(lacking, 0, "{nested}");
        let (mut flat, _) = workspace.rows(name);
        rows.iter_mut()
            .for_each(|row| row["id"] = format!("{}/{}", row["_parent_id"], row["id"]).into());
        flat.iter_mut()
            .for_each(|row| row["id"] = format!("{}/{}", row[above]["id"], row["id"]).into());
        assert_eq!(texts(&rows, columns), texts(&flat, columns), "{nested}");
    }
}

#[test]
fn inner_lists_that_are_full_are_read_on_by_the_reverse_filter() {
    // Of the lists of bugs one has 730 rows, one 500, one 100, one 99; of those of comments one has 100.
    for page_size in ["100", "99", "500", "7"] {
        let workspace = Workspace::new(unlimited).with_query("nested.graphql", NESTED);
        let size = format!("limits.page_size={page_size}");
        workspace
            .export(&[&UNLIMITED[..], &["--set", &size]].concat())
            .with_code(0);
        check_nested(&workspace);
    }
}

#[test]
fn inner_lists_that_are_cut_without_a_word_are_read_on_by_the_reverse_filter() {
    let workspace = Workspace::new(|config| {
        unlimited(config);
        config.behaviours.paging.cap = 100;
    });
    let workspace = workspace.with_query("nested.graphql", NESTED);
    workspace.export(&UNLIMITED).with_code(0);
    check_nested(&workspace);
}

#[test]
fn an_api_without_fragments_is_asked_without_them() {
    // One of the author's own, and lists in rows, whose later pages go many in a request.
    let query = r#"{ findFeatures { id
        bugs(limit: 20) @paginate(next: "findBugs", parent: "feature.id.is") { ...Bug } } }
        fragment Bug on DevBug { id publicId name }"#;
    let workspace = Workspace::new(|config| {
        unlimited(config);
        config.behaviours.protocol.fragments = Some(Refusal {
            status: 200,
            body: r#"{"errors":[{"message":"Fragments are not supported"}]}"#.to_owned(),
        });
    });
    let workspace = workspace.with_query("nested.graphql", query);
    workspace.export(&UNLIMITED).with_code(0);
    workspace.check();
    let (rows, lacking) = workspace.rows("nested__bugs");
    let (truth, columns) = (workspace.truth("findBugs"), ["id", "publicId", "name"]);
    assert_eq!((lacking, texts(&rows, &columns)), (0, texts(&truth, &columns)));
    assert_eq!(workspace.server.log().refused, 0, "requests with a fragment");
}

#[test]
fn what_the_author_filters_an_inner_list_by_holds_for_all_of_it() {
    let query = r#"{ findFeatures { id
        bugs(done: { is: true }, limit: 20) @paginate(next: "findBugs", parent: "feature.id.is") { id done } } }"#;
    let workspace = Workspace::new(unlimited).with_query("nested.graphql", query);
    workspace.export(&UNLIMITED).with_code(0);
    let (rows, lacking) = workspace.rows("nested__bugs");
    let truth: Vec<_> = workspace
        .truth("findBugs")
        .into_iter()
        .filter(|bug| bug["done"] == true)
        .collect();
    assert_eq!((lacking, texts(&rows, &["id"])), (0, texts(&truth, &["id"])));
}

#[test]
fn a_way_to_other_rows_is_told() {
    // No feature's identifier is that of a bug, so that nothing is listed there.
    let query = r#"{ findFeatures { id bugs(limit: 20) @paginate(next: "findBugs", parent: "id.is") { id } } }"#;
    let workspace = Workspace::new(unlimited).with_query("nested.graphql", query);
    let ended = workspace.export(&UNLIMITED).with_code(3);
    let told = "is listed by another field with fewer rows than came";
    assert!(ended.stderr.contains(told), "{}", ended.stderr);
    assert!(workspace.rows("nested__bugs").1 > 0);
}

#[test]
fn null_in_the_place_of_a_row_is_never_passed_over_in_silence() {
    let workspace = Workspace::new(|config| {
        unlimited(config);
        traps(config).null_every = Some(97);
    });
    let ended = workspace.export(&UNLIMITED);
    println!("{}", ended.stderr);
    workspace.check_not_silent(&ended);
}

/// What comes in the place of an answer, one of each kind.
const FAULTS: [Fault; 8] = [
    Fault::JsonError,
    Fault::InternalError,
    Fault::BadGateway,
    Fault::Unavailable,
    Fault::GatewayTimeout,
    Fault::Throttle,
    Fault::Html,
    Fault::Cut,
];

#[test]
fn what_comes_in_the_place_of_an_answer_is_asked_again() {
    // The schema is asked for twice before.
    let script = FAULTS
        .iter()
        .zip(3..)
        .map(|(fault, request)| ScriptedFault { request, fault: *fault });
    let script: Vec<ScriptedFault> = script.collect();
    let workspace = Workspace::new(|config| {
        unlimited(config);
        config.behaviours.throttle.injected_wait = std::time::Duration::ZERO;
        config.behaviours.faults = FaultPlan {
            script,
            ..FaultPlan::none()
        };
    });
    let ended = workspace.export(&UNLIMITED).with_code(0);
    let told = "500: internal-error: Something went wrong";
    assert!(ended.stderr.contains(told), "{}", ended.stderr);
    workspace.check();
    assert!(FAULTS.iter().all(|fault| workspace.server.log().injected(*fault) == 1));
}

#[test]
fn others_who_use_up_the_workspace_cost_time_and_no_row() {
    let workspace = Workspace::new(|config| {
        // Of the seven a second that the workspace has, others leave two.
        config.behaviours.limits = vec!["2/1s".parse::<RequestWindow>().expect("a limit")];
    });
    let ended = workspace.export(&["--set", "retry.initial_wait=100ms"]).with_code(0);
    assert!(workspace.server.log().throttles_provoked > 0, "{}", ended.stderr);
    workspace.check();
}

#[test]
fn both_schemes_and_both_names_of_a_space_are_taken_and_a_wrong_token_is_told() {
    let workspace = Workspace::new(unlimited);
    let blanks = workspace
        .server
        .address()
        .join("/api/graphql/space/Software Development")
        .expect("an address");
    let endpoint = format!("endpoint={blanks}");
    let bearer = ["--set", "auth.scheme=Bearer", "--set", &endpoint];
    workspace.export(&[&UNLIMITED[..], &bearer].concat()).with_code(0);
    workspace.check();
    let mut wrong = workspace.gqldump(&["run", "queries/fibery"]);
    let ended = run(wrong.env("FIBERY_TOKEN", "wrong")).with_code(4);
    assert!(!ended.stderr.contains("wrong"), "{}", ended.stderr);
}

/// The query files of `queries/fibery`, the lists that they ask for, and columns that JSON keeps to the last digit.
const SHIPPED: [(&str, &str, &[&str]); 3] = [
    ("features", "findFeatures", &["id", "publicId", "name", "planned"]),
    (
        "bugs",
        "findBugs",
        &["id", "publicId", "name", "estimate", "due", "done"],
    ),
    ("comments", "findComments", &["id", "publicId", "text"]),
];

fn shipped_stand_in() -> DemoServer {
    let mut config = DemoConfig::named("fibery").expect("the stand-in");
    config.rows_scale = 0.25;
    config.behaviours.latency = Default::default();
    unlimited(&mut config);
    DemoServer::start(config).expect("a stand-in")
}

#[test]
fn the_example_fits_its_schema() {
    let project = Project::shipped("fibery");
    let told = run(project.gqldump(&["check"]).env("FIBERY_TOKEN", "a")).with_code(0);
    assert!(!told.stderr.contains("warn"), "{}", told.stderr);
}

#[test]
fn the_example_exports_the_space_of_the_stand_in() {
    let server = shipped_stand_in();
    let project = Project::shipped("fibery");
    let arguments = [&UNLIMITED[..], &["--format=ndjson"]].concat();
    project.run(&server, &arguments).with_code(0);
    for (query, list, columns) in SHIPPED {
        let exported = project.exported(query);
        assert_eq!(exported.incomplete(), Vec::<&str>::new(), "{query}");
        let rows = exported.json_rows(query);
        let truth: Vec<_> = server.stand_in().truth(list).expect("a list").collect();
        assert_eq!(texts(&rows, columns), texts(&truth, columns), "{query}");
        let keys = rows.iter().all(|row| row["_id"] == row["id"]);
        assert!(keys && !rows.is_empty(), "{query}");
    }
    let bugs = project.exported("bugs").json_rows("bugs");
    let rendered = bugs.iter().filter(|bug| bug["description"]["md"].is_string());
    assert!(
        rendered.count() > bugs.len() / 2,
        "rich text comes in the rendering that is asked for"
    );
    assert!(bugs.iter().all(|bug| bug["feature"]["id"].is_string()));
    assert_eq!(server.log().request_errors, 0);
}

#[test]
fn the_example_can_be_narrowed_to_what_changed() {
    // A day, as in docs/fibery.md, and a moment on either side.
    for (query, list, variable, column, since) in [
        ("bugs", "findBugs", "modified", "modificationDate", "2026-03-01"),
        ("features", "findFeatures", "modified", "modificationDate", "2026-03-01"),
        ("bugs", "findBugs", "created", "creationDate", "2024-03-01"),
        ("features", "findFeatures", "created", "creationDate", "2024-03-01"),
        (
            "comments",
            "findComments",
            "created",
            "creationDate",
            "2026-03-01T00:00:00.000Z",
        ),
    ] {
        let server = shipped_stand_in();
        let project = Project::shipped("fibery").only(&[query]);
        let given = format!("{variable}={{\"greaterOrEquals\":\"{since}\"}}");
        let arguments = [&UNLIMITED[..], &["--format=ndjson", "--var", &given]].concat();
        project.run(&server, &arguments).with_code(0);
        let truth: Vec<_> = server.stand_in().truth(list).expect("a list").collect();
        let all = truth.len();
        let is_meant = |row: &Map<String, Value>| row[column].as_str().is_some_and(|date| date >= since);
        let truth: Vec<_> = truth.into_iter().filter(is_meant).collect();
        let rows = project.exported(query).json_rows(query);
        assert_eq!(texts(&rows, &["id"]), texts(&truth, &["id"]), "{query}");
        assert!(truth.len() < all, "{query}");
    }
}

#[test]
fn filters_of_days_and_of_ranges_of_days_narrow_a_list() {
    for (filter, since) in [
        (r#"due: { greaterOrEquals: "2025-06-01" }"#, "/due"),
        (
            r#"planned: { start: { greaterOrEquals: "2024-06-01" } }"#,
            "/planned/start",
        ),
        (r#"planned: { end: { greaterOrEquals: "2026-01-01" } }"#, "/planned/end"),
    ] {
        let bound = filter.split('"').nth(1).expect("a day");
        let query = format!("{{ findBugs({filter}) {{ id }} }}");
        let workspace = Workspace::new(unlimited).with_query("narrowed.graphql", &query);
        workspace.export(&UNLIMITED).with_code(0);
        let (rows, _) = workspace.rows("narrowed");
        let all = workspace.truth("findBugs");
        let is_meant = |bug: &&Map<String, Value>| {
            let bug = Value::Object((*bug).clone());
            bug.pointer(since)
                .and_then(Value::as_str)
                .is_some_and(|day| day >= bound)
        };
        let meant: Vec<_> = all.iter().filter(is_meant).cloned().collect();
        assert_eq!(texts(&rows, &["id"]), texts(&meant, &["id"]), "{filter}");
        assert!(!meant.is_empty() && meant.len() < all.len(), "{filter}");
    }
}

#[test]
fn account_and_space_are_settings() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut init = gqldump();
    init.current_dir(folder.path())
        .args(["init", "--preset=fibery", "--set", "parameters.account=acme"]);
    let ended = run(&mut init).with_code(2);
    assert!(ended.stderr.contains("lacks a value for `space`"), "{}", ended.stderr);
}

#[test]
fn with_everything_at_once_nothing_is_silently_short() {
    let workspace = Workspace::new(|config| {
        config.behaviours.paging.cap = 130;
        traps(config).null_every = Some(211);
        let script = FAULTS
            .iter()
            .zip(3..)
            .map(|(fault, request)| ScriptedFault { request, fault: *fault });
        config.behaviours.faults = FaultPlan {
            script: script.collect(),
            ..FaultPlan::none()
        };
        config.behaviours.limits = vec!["30/1s".parse::<RequestWindow>().expect("a limit")];
    })
    .with_query(
        "findBugs.graphql",
        "{ findBugs { id publicId creationDate rank name estimate due done } }",
    );
    let ended = workspace.export(&[
        "--set",
        "limits.requests=[{max=29,per='1s'}]",
        "--set",
        "retry.initial_wait=1ms",
    ]);
    println!("{}", ended.stderr);
    workspace.check_not_silent(&ended);
}
