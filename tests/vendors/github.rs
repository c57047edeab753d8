//! GitHub: an API that takes a preset, query files and a stand-in of data, and no line of Rust.

use std::time::Duration;

use gqldump::demo::{DemoConfig, Fault, FaultPlan, Latency, PointBudget, ScriptedFault, StandIn};
use gqldump::run::QueryOutcome;

use crate::cell::Kind;
use crate::exported::Exported;
use crate::program::run;
use crate::project::Project;
use crate::simulation::Simulation;
use crate::stub::{Answer, Stub};
use crate::tracker::serve;
use crate::truth::Branch;

const QUICK: [&str; 6] = [
    "--set",
    "retry.initial_wait=5ms",
    "--set",
    "retry.max_wait=20ms",
    "--set",
    "retry.retry_after_margin=0s",
];

/// One row in five, answered at once.
fn calm() -> DemoConfig {
    let mut config = DemoConfig::named("github").expect("the stand-in");
    config.rows_scale = 0.2;
    config.behaviours.latency = Latency::default();
    config
}

fn points(config: &mut DemoConfig) -> &mut PointBudget {
    config.behaviours.points.as_mut().expect("a budget of points")
}

/// The tables of each query file.
fn tables() -> [(&'static str, Branch); 3] {
    let repositories = |table, columns: &[(&'static str, Kind)]| Branch::new(table, "User.repositories", columns);
    let text = |name| (name, Kind::Text);
    let moment = |name| (name, Kind::Timestamp);
    let id = || text("id");
    let numbered = |ends| {
        [
            id(),
            ("number", Kind::Int32),
            text("title"),
            text("state"),
            moment("createdAt"),
            moment(ends),
        ]
    };
    let issues = Branch::new("issues", "Repository.issues", &numbered("closedAt"));
    let columns = [
        text("viewer_login"),
        id(),
        text("name"),
        moment("createdAt"),
        ("isPrivate", Kind::Boolean),
        ("stargazerCount", Kind::Int32),
    ];
    let listed = repositories("repositories", &columns).always("viewer_login", "octocat".into());
    let pulls = Branch::new("pull_requests", "Repository.pullRequests", &numbered("mergedAt"));
    let columns = [id(), text("authorAssociation"), text("body"), moment("createdAt")];
    let comments = Branch::new("issue_comments", "Issue.comments", &columns);
    let commented = Branch::new("commented_issues", "Repository.issues", &[id()]);
    [
        ("repositories", listed.with([issues])),
        (
            "pull_requests",
            repositories("pulled_repositories", &[id()]).over([pulls]),
        ),
        (
            "issue_comments",
            repositories("commented_repositories", &[id()]).over([commented.over([comments])]),
        ),
    ]
}

#[track_caller]
fn check_all(read: impl Fn(&str) -> Exported, stand_in: &StandIn) {
    for (query, branch) in tables() {
        branch.check(&read(query), stand_in);
    }
}

#[test]
fn its_preset_and_query_files_are_all_it_takes() {
    let (project, server) = (Project::shipped("github"), serve(calm()));
    project.run(&server, &QUICK).with_code(0);
    check_all(|query| project.exported(query), server.stand_in());
    let log = server.log();
    println!("{} requests", log.requests);
    assert!(log.kept_limits(), "{log:?}");
    assert_eq!(
        (
            log.throttles_provoked,
            log.refused,
            log.request_errors,
            log.field_errors
        ),
        (0, 0, 0, 0),
        "{log:?}"
    );
}

/// A budget that is used up several times in an export, by requests of which many cost more than a point.
#[test]
fn points_are_waited_for_and_never_overdrawn() {
    let settings = "preset = 'github'\nschema = 'schema.graphql'\n[limits]\npage_size = 30\n";
    let project = Project::shipped("github").with("source.toml", settings);
    let mut config = calm();
    config.behaviours.latency.base = Duration::from_millis(300);
    config.rows_scale = 1.0;
    let budget = points(&mut config);
    budget.max = 40;
    let per = budget.per;
    let simulated = Simulation::new(project.folder(), config).run();
    println!("{} requests in {:?}", simulated.service.log().requests, simulated.took);
    assert_eq!(simulated.outcomes, [const { QueryOutcome::Complete }; 3]);
    check_all(|query| project.exported(query), simulated.service.stand_in());
    let log = simulated.service.log();
    assert_eq!(log.throttles_provoked, 0, "{log:?}");
    assert!(
        simulated.took > 2 * per,
        "the budget was never used up: {:?}",
        simulated.took
    );
}

/// Throttles as GitHub words them: a 403, and a 200 of either type.
fn throttles() -> Vec<Answer> {
    let of_type = |ty: &str| serde_json::json!({ "errors": [{ "type": ty, "message": "API rate limit already exceeded for user ID 1." }] });
    vec![
        Answer::Other {
            status: 403,
            content_type: "application/json",
            body: r#"{"message":"You have exceeded a secondary rate limit. Please wait a few minutes."}"#.to_owned(),
        },
        Answer::Json(of_type("RATE_LIMITED")),
        Answer::Json(of_type("RATE_LIMIT")),
    ]
}

#[test]
fn throttles_in_all_their_forms_are_waited_out() {
    let left = std::sync::Mutex::new(throttles());
    let stub = Stub::before(calm(), move |_| {
        let next = left.lock().expect("a list").pop();
        next.unwrap_or(Answer::PassOn)
    });
    let project = Project::shipped("github");
    let ended = project.run(&stub, &QUICK).with_code(0);
    check_all(
        |query| project.exported(query),
        &StandIn::new(&calm()).expect("a stand-in"),
    );
    assert!(ended.stderr.contains("asks to slow down"), "{}", ended.stderr);
}

#[test]
fn what_fails_is_asked_again_and_what_takes_too_long_in_smaller_pages() {
    let mut config = calm();
    let script = [
        (2, Fault::BadGateway),
        (3, Fault::Throttle),
        (5, Fault::Cut),
        (7, Fault::BadGateway),
        (9, Fault::Html),
    ];
    config.behaviours.faults = FaultPlan {
        script: script.map(|(request, fault)| ScriptedFault { request, fault }).to_vec(),
        ..FaultPlan::none()
    };
    // Ten seconds of work for the largest pages, in a tenth of the time.
    config.behaviours.latency.per_node = Duration::from_millis(1);
    config.behaviours.wall.time.as_mut().expect("a wall").after = Duration::from_millis(400);
    let (project, server) = (Project::shipped("github"), serve(config));
    project.run(&server, &QUICK).with_code(0);
    check_all(|query| project.exported(query), server.stand_in());
    for (_, fault) in script {
        assert!(server.log().injected(fault) > 0, "{fault:?} never struck");
    }
}

/// The preset speaks of fields that this schema does not have.
#[test]
fn the_query_files_fit_their_schema() {
    let project = Project::shipped("github");
    let told = run(project.gqldump(&["check"]).env("GITHUB_TOKEN", "a")).with_code(0);
    assert!(!told.stderr.contains("warn"), "{}", told.stderr);
}

/// What differs between APIs is data: no file of the program but the list of presets speaks of this one.
#[test]
fn no_code_knows_its_preset() {
    let source = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![source];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs_err::read_dir(folder).expect("a folder") {
            let path = entry.expect("a file").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs_err::read_to_string(&path).expect("a file");
                let is_named = text.contains("presets/github.toml") || text.contains("api.github.com");
                found.extend(is_named.then(|| path.file_name().expect("a name").to_owned()));
            }
        }
    }
    assert_eq!(found, ["preset.rs"]);
}
