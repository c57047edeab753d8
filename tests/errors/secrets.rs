//! The token, which nobody is to see.

use std::path::Path;

use fs_err as fs;

use crate::errors::{ITEMS, SETTINGS, items, refusal};
use crate::program::Ended;
use crate::project::{Api, Project};
use crate::stub::Stub;
use crate::tracker::{calm, serve};

fn files_below(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("a file").path();
        match path.is_dir() && !path.is_symlink() {
            true => files.extend(files_below(&path)),
            false => files.push(path),
        }
    }
    files
}

#[track_caller]
fn assert_unsaid(token: &str, project: &Project, ended: &Ended) {
    for text in [&ended.stdout, &ended.stderr] {
        assert!(!text.contains(token), "the token is shown:\n{text}");
    }
    for file in files_below(&project.output()) {
        let bytes = fs::read(&file).unwrap_or_default();
        let is_there = bytes.windows(token.len()).any(|window| window == token.as_bytes());
        assert!(!is_there, "the token stands in {}", file.display());
    }
}

#[test]
fn the_token_is_told_to_nobody_but_the_api() {
    let server = serve(calm());
    let project = Project::demo();
    let ended = project.run(&server, &["--log-format", "json"]).with_code(0);
    let token = Api::from(&server).token.expect("a token");
    assert!(files_below(&project.output()).len() > 12);
    assert_unsaid(&token, &project, &ended);
}

#[test]
fn an_api_that_repeats_the_token_in_its_errors_does_not_get_it_shown() {
    let stub = Stub::start(|_| crate::stub::refusal("the token s3cret-of-tests is not for this"));
    let project = items(ITEMS);
    let api = Api {
        token: Some("s3cret-of-tests".to_owned()),
        ..Api::from(&stub)
    };
    let ended = project.run(api, &[]).with_code(1);
    assert!(ended.stderr.contains("is not for this"), "{}", ended.stderr);
    assert_unsaid("s3cret-of-tests", &project, &ended);
}

#[test]
fn a_token_in_the_settings_is_refused_without_being_shown() {
    let settings = format!("{SETTINGS}[auth]\ntoken = 's3cret-of-tests'\n");
    let project = items(ITEMS).with("source.toml", &settings);
    let told = refusal(&project);
    assert!(!told.contains("s3cret"), "{told}");
    insta::assert_snapshot!(told, @r#"
    error: a token must not be written here
     --> queries/api/source.toml:8:9
      |
    8 | token = …
      |         ^
      = help: take it out, have it replaced by whoever issued it, and write { env = "NAME" }, { file = "PATH" } or { command = ["PROGRAM", …] }
    "#);
}
