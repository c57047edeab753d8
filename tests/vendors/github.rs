//! GitHub: an API that takes a preset and query files, and no line of Rust.

use std::sync::Mutex;

use gqldump::demo::{DemoConfig, StandIn};

use crate::cell::Kind;
use crate::project::Project;
use crate::stub::{Answer, Stub};
use crate::truth::Branch;

fn config() -> DemoConfig {
    let files = (
        include_str!("github/schema.graphql"),
        include_str!("github/data.toml"),
        include_str!("github/behaviours.toml"),
    );
    DemoConfig::of_texts("github", files.0, files.1, files.2).expect("a stand-in")
}

fn tables() -> Branch {
    let issues = Branch::new(
        "issues",
        "Repository.issues",
        &[
            ("id", Kind::Text),
            ("number", Kind::Int32),
            ("title", Kind::Text),
            ("state", Kind::Text),
            ("createdAt", Kind::Timestamp),
            ("closedAt", Kind::Timestamp),
        ],
    );
    let repositories = Branch::new(
        "repositories",
        "User.repositories",
        &[
            ("viewer_login", Kind::Text),
            ("id", Kind::Text),
            ("name", Kind::Text),
            ("createdAt", Kind::Timestamp),
            ("isPrivate", Kind::Boolean),
            ("stargazerCount", Kind::Int32),
        ],
    );
    repositories.always("viewer_login", "octocat".into()).with([issues])
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
fn its_preset_and_query_files_are_all_it_takes() {
    let left = Mutex::new(throttles());
    let stub = Stub::before(config(), move |_| {
        let next = left.lock().expect("a list").pop();
        next.unwrap_or(Answer::PassOn)
    });
    let quick = ["--set", "retry.initial_wait=5ms", "--set", "retry.max_wait=20ms"];
    let project = Project::shipped("github");
    let ended = project.run(&stub, &quick).with_code(0);
    let stand_in = StandIn::new(&config()).expect("a stand-in");
    tables().check(&project.exported("repositories"), &stand_in);
    // None that the API refuses for what it says: sizes are always sent, and never too large.
    assert_eq!(ended.stderr.matches("exceeds the").count(), 0, "{}", ended.stderr);
    assert!(ended.stderr.contains("asks to slow down"), "{}", ended.stderr);
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
