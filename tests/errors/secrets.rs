//! The token and secret values of variables, which nobody is to see.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use fs_err as fs;
use nix::sys::signal::Signal;
use serde_json::json;

use crate::errors::{ITEMS, SETTINGS, items, page, refusal};
use crate::program::{Ended, run, start};
use crate::project::{Api, Project, TOKEN_VARIABLE};
use crate::stub::{Answer, Stub};
use crate::tracker::{calm, serve};

fn files_below(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    let Ok(entries) = fs::read_dir(folder) else {
        return files;
    };
    for entry in entries {
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

const TOKEN: &str = "t0ken-that-nobody-sees";
const VALUE: &str = "k3y \"that\" nobody sees";

/// The same schema, with an argument that takes a secret.
const WITH_KEY: &str = "
type Query { items(key: String, level: Int, first: Int, after: String): ItemConnection }
type ItemConnection { nodes: [Item] pageInfo: PageInfo! }
type PageInfo { hasNextPage: Boolean! endCursor: String }
type Item { id: ID! size: Int }
";

/// So that there are permits to be noted.
const BUDGET: &str = "limits.requests=[{max=1000,per='1s'}]";

const ASKING: &str = "query Items($key: String!) { items(key: $key, first: 1) { nodes { id size } } }";

/// A source whose token and whose variable are secrets, found in the environment.
fn with_secrets() -> Project {
    let settings = format!(
        "{SETTINGS}[auth]\ntoken = {{ env = '{TOKEN_VARIABLE}' }}\n[variables]\nkey = {{ env = 'GQLDUMP_TEST_KEY' }}\n"
    );
    Project::new(&settings)
        .with("schema.graphql", WITH_KEY)
        .with("items.graphql", ASKING)
}

/// A command of this project, with its secrets in the environment.
fn command(project: &Project, api: &Stub, arguments: &[&str]) -> std::process::Command {
    let endpoint = format!("endpoint={}", Api::from(api).address);
    let mut command = project.gqldump(&[arguments, &["--set", &endpoint]].concat());
    command.env(TOKEN_VARIABLE, TOKEN).env("GQLDUMP_TEST_KEY", VALUE);
    command.env("XDG_STATE_HOME", project.output().join("state-home"));
    command
}

/// Panics where either secret stands in what was said or written, as it is or as JSON writes it.
#[track_caller]
fn assert_all_unsaid(project: &Project, ended: &Ended) {
    let in_json = json!(VALUE).to_string();
    for secret in [TOKEN, VALUE, in_json.trim_matches('"')] {
        assert_unsaid(secret, project, ended);
    }
}

/// All that an API can say back, in an error with data and without, or in the place of JSON.
fn echo(kind: u8) -> Answer {
    let text = format!("got {TOKEN} and {VALUE}");
    let other = |status, content_type, body| Answer::Other {
        status,
        content_type,
        body,
    };
    let error = json!({ "message": text, "path": ["items", "nodes", 0, "size"] });
    match kind {
        0 => other(
            400,
            "application/json",
            json!({ "errors": [{ "message": text }] }).to_string(),
        ),
        1 => other(502, "text/html", format!("<html><title>{text}</title></html>")),
        2 => other(
            401,
            "application/json",
            json!({ "errors": [{ "message": text }] }).to_string(),
        ),
        3 => other(200, "text/plain", text),
        4 => Answer::Json(json!({ "data": { "items": { "nodes": text } } })),
        _ => {
            let mut answer = page(json!([{ "id": "1", "size": null }]), None);
            answer["errors"] = json!([error]);
            Answer::Json(answer)
        }
    }
}

#[test]
fn secrets_stand_in_no_file_and_no_line_of_a_run_that_goes_well_is_killed_or_fails() {
    for format in ["text", "json"] {
        let project = with_secrets();
        let asked = Stub::start(|request| {
            assert_eq!(request["variables"]["key"], VALUE);
            let number = cursor_of(request);
            Answer::Json(page(
                json!([{ "id": number.to_string(), "size": 2 }]),
                Some(&format!("{}", number + 1)),
            ))
        });
        // It has no end, so that there is something to be killed.
        let mut running = start(&mut command(
            &project,
            &asked,
            &["run", "--log-format", format, "--set", BUDGET],
        ));
        while asked.requests().len() < 20 && !running.has_ended() {
            std::thread::yield_now();
        }
        running.signal(Signal::SIGKILL);
        let killed = running.end();
        assert!(
            files_below(&project.output())
                .iter()
                .any(|file| file.ends_with("state.sqlite"))
        );
        assert_all_unsaid(&project, &killed);
        for kind in 0..=5 {
            let api = Stub::start(move |_| echo(kind));
            let ended = run(&mut command(
                &project,
                &api,
                &["run", "--fresh", "--log-format", format, "--set", BUDGET],
            ));
            assert_ne!(ended.code, Some(0), "{}", ended.stderr);
            assert!(ended.stderr.contains("items"), "{}", ended.stderr);
            assert_all_unsaid(&project, &ended);
        }
        // The API's own words of the last one are told, without what nobody is to see.
        let manifest = project.newest("items").manifest.to_string();
        assert!(manifest.contains("got [token] and [secret]"), "{manifest}");
        for file in files_below(&project.written(".gqldump")) {
            let mode = fs::metadata(&file).expect("a file").permissions().mode();
            let is_part = file.components().any(|part| part.as_os_str() == "staging");
            assert!(is_part || mode & 0o077 == 0, "{} is {mode:o}", file.display());
        }
    }
}

fn cursor_of(request: &serde_json::Value) -> u64 {
    let variables = request["variables"].as_object().expect("variables");
    let others = variables.iter().filter(|(name, _)| *name != "key");
    others
        .filter_map(|(_, value)| value.as_str()?.parse().ok())
        .next()
        .unwrap_or(0)
}

#[test]
fn a_plan_shows_requests_without_the_values_that_are_secrets() {
    let (project, api) = (with_secrets(), Stub::start(|_| echo(0)));
    for form in [
        ["--requests"].as_slice(),
        &["--requests", "--json"],
        &["--requests=sent"],
    ] {
        let ended = run(&mut command(&project, &api, &[&["plan"], form].concat())).with_code(0);
        assert!(ended.stdout.contains("<secret>"), "{}", ended.stdout);
        assert_all_unsaid(&project, &ended);
    }
}

#[test]
fn a_secret_that_does_not_fit_or_is_not_there_is_told_without_being_shown() {
    let (project, api) = (with_secrets(), Stub::start(|_| echo(0)));
    let numbers = project.with(
        "items.graphql",
        &ASKING
            .replace("$key: String!", "$key: Int!")
            .replace("key: $key", "level: $key"),
    );
    let ended = run(&mut command(&numbers, &api, &["run"])).with_code(2);
    assert!(
        ended.stderr.contains("does not fit the variable's type"),
        "{}",
        ended.stderr
    );
    assert_all_unsaid(&numbers, &ended);
    let unset = run(command(&numbers, &api, &["run"]).env_remove("GQLDUMP_TEST_KEY")).with_code(2);
    insta::assert_snapshot!(numbers.steady(&unset.stderr), @r#"
    error: the environment variable `GQLDUMP_TEST_KEY` is not set: set it to the value
      --> queries/api/source.toml:10:7
       |
    10 | key = …
       |       ^
       = help: a secret value comes from { env = "NAME" }, { file = "PATH" } or { command = ["PROGRAM", …] }
    "#);
    let unused = numbers.with("items.graphql", "{ items { nodes { id } } }");
    let unused = run(&mut command(&unused, &api, &["run"])).with_code(2);
    insta::assert_snapshot!(unused.stderr, @"error: no query file of `api` has a variable `$key`, which its [variables] give a value");
}

#[test]
fn a_secret_value_in_the_settings_is_refused_without_being_shown() {
    let settings = format!("{SETTINGS}[variables]\nkey = 's3cret-of-tests'\n");
    let told = refusal(&items(ITEMS).with("source.toml", &settings));
    assert!(!told.contains("s3cret"), "{told}");
    insta::assert_snapshot!(told, @r#"
    error: a secret value must not be written here
     --> queries/api/source.toml:8:7
      |
    8 | key = …
      |       ^
      = help: give what is no secret by `--var`, or as a default in the query; else write { env = "NAME" }, { file = "PATH" } or { command = ["PROGRAM", …] }
    "#);
}
