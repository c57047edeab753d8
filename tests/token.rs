//! Tokens that end: told before, renewed while they can be, and no reason to lose anything.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use fs_err as fs;
use gqldump::clock::Clock;
use serde_json::{Value, json};

use crate::exported::Exported;
use crate::program::{Ended, run, start};
use crate::project::{Project, TOKEN_VARIABLE};
use crate::stub::{Answer, Stub, cursor};

const SCHEMA: &str = "
type Query { items(first: Int, after: String): ItemConnection }
type ItemConnection { nodes: [Item] pageInfo: PageInfo! }
type PageInfo { hasNextPage: Boolean! endCursor: String }
type Item { id: ID! }
";

const DAY: i64 = 24 * 3600;

/// A source whose token is found as `token` says, at an API of five pages.
fn items(api: &Stub, token: &str) -> Project {
    let address = crate::project::Api::from(api).address;
    let settings = format!(
        "endpoint = '{address}'\nschema = 'schema.graphql'\n[auth]\ntoken = {token}\n[limits]\nconcurrency = 1\n"
    );
    Project::new(&settings)
        .with("schema.graphql", SCHEMA)
        .with("items.graphql", "{ items(first: 1) { nodes { id } } }")
}

/// The page of `items` that a request asks for.
fn page(request: &Value) -> Value {
    let number: u64 = cursor(request).map_or(0, |cursor| cursor.parse().expect("a number"));
    let next = Some(number + 1).filter(|next| *next < 5);
    let page_info = json!({ "hasNextPage": next.is_some(), "endCursor": next.map(|next| next.to_string()) });
    json!({ "data": { "items": { "nodes": [{ "id": number.to_string() }], "pageInfo": page_info } } })
}

fn refused() -> Answer {
    Answer::Other {
        status: 401,
        content_type: "application/json",
        body: json!({ "errors": [{ "message": "token expired" }] }).to_string(),
    }
}

/// A JSON Web Token that ends so many seconds from now.
fn token_ending_in(seconds: i64) -> String {
    token_of(0, seconds)
}

/// The same, with a life of so many seconds in all; 0 for one that does not say so.
fn token_of(life: i64, seconds: i64) -> String {
    let now = i64::try_from(Clock::system().unix_millis() / 1000).expect("a time");
    let part = |json: Value| URL_SAFE_NO_PAD.encode(json.to_string());
    let (head, mut claims) = (json!({ "alg": "HS256" }), json!({ "exp": now + seconds }));
    if life > 0 {
        claims["iat"] = json!(now + seconds - life);
    }
    format!("{}.{}.c2lnbmF0dXJl", part(head), part(claims))
}

fn with_token(project: &Project, command: &str, token: &str) -> Ended {
    run(project.gqldump(&[command]).env(TOKEN_VARIABLE, token))
}

#[test]
fn check_tells_of_a_token_that_ends_within_two_weeks_by_an_exit_code_of_its_own() {
    let api = Stub::start(|request| Answer::Json(page(request)));
    let project = items(&api, &format!("{{ env = '{TOKEN_VARIABLE}' }}"));
    for (ends_in, code, words) in [
        (15 * DAY, 0, ""),
        (13 * DAY + 60, 6, "api: the token ends at "),
        (-DAY, 6, "api: the token ended at "),
    ] {
        let token = token_ending_in(ends_in);
        let ended = with_token(&project, "check", &token).with_code(code);
        assert!(ended.stderr.contains(words), "{}", ended.stderr);
        assert_eq!(ended.stderr.is_empty(), code == 0, "{}", ended.stderr);
        assert!(ended.stdout.contains("api/items: ok"), "{}", ended.stdout);
        assert!(!ended.stderr.contains(&token));
    }
    with_token(&project, "check", "no-json-web-token").with_code(0);
    // Where the schema is a file, nothing of a check needs the token.
    run(&mut project.gqldump(&["check"])).with_code(0);
    // What is wrong goes before what will be.
    let project = project.with("broken.graphql", "{ nothing }");
    with_token(&project, "check", &token_ending_in(DAY)).with_code(2);
}

#[test]
fn a_run_warns_of_a_token_that_it_may_outlast_and_of_no_other() {
    let api = Stub::start(|request| Answer::Json(page(request)));
    let project = items(&api, &format!("{{ env = '{TOKEN_VARIABLE}' }}"));
    let told = |ends_in| {
        with_token(&project, "run", &token_ending_in(ends_in))
            .with_code(0)
            .stderr
    };
    assert!(told(1800).contains("and a run may take 1h: replace it, or the run stops with exit code 4"));
    assert!(!told(3 * 3600).contains("the token ends"));
    // The last run took five hours.
    let manifest = project.written("items/latest/_manifest.json");
    let mut published: Value = serde_json::from_str(&fs::read_to_string(&manifest).expect("a manifest")).expect("JSON");
    published["started"] = json!("2026-01-01T00:00:00Z");
    published["finished"] = json!("2026-01-01T05:00:00Z");
    fs::write(&manifest, published.to_string()).expect("a manifest");
    assert!(told(3 * 3600).contains("and a run may take 5h"));
}

/// A command that prints another token each time, and notes that it was run.
fn command(project: &Project) -> String {
    let runs = project.folder().join("runs");
    format!(
        "{{ command = ['sh', '-c', 'echo x >> {0}; wc -l < {0}'] }}",
        runs.display()
    )
}

fn times_run(project: &Project) -> usize {
    fs::read_to_string(project.folder().join("runs")).map_or(0, |runs| runs.lines().count())
}

fn ids(exported: &Exported) -> usize {
    let id = ("id", crate::cell::Kind::Text);
    exported.rows("items", &[("_id", crate::cell::Kind::Text), id]).len()
}

/// What the API does is decided in the folder in which the command notes what it does.
fn api_that_wants(runs: usize) -> (Stub, Project) {
    let noted = std::sync::Arc::new(std::sync::OnceLock::<std::path::PathBuf>::new());
    let seen = std::sync::Arc::clone(&noted);
    let api = Stub::start(move |request| {
        let runs_so_far = seen
            .get()
            .and_then(|path| fs::read_to_string(path).ok())
            .map_or(0, |runs| runs.lines().count());
        match cursor(request) {
            Some("2") if runs_so_far < runs => refused(),
            _ => Answer::Json(page(request)),
        }
    });
    let project = items(&api, "{ env = 'NEVER' }");
    noted.set(project.folder().join("runs")).expect("the first time");
    let settings = fs::read_to_string(project.file("source.toml")).expect("the settings");
    let settings = settings.replace("{ env = 'NEVER' }", &command(&project));
    (api, project.with("source.toml", &settings))
}

#[test]
fn a_command_that_prints_one_old_token_is_told_of_and_one_that_makes_them_anew_is_not() {
    let api = Stub::start(|request| Answer::Json(page(request)));
    let project = items(&api, &format!("{{ command = ['sh', '-c', 'echo ${TOKEN_VARIABLE}'] }}"));
    for (lives, ends_in, check, words) in [
        (90 * DAY, 1800, 6, "and a run may take 1h: replace it"),
        (2 * 3600, 1800, 0, ""),
        (2 * 3600, -60, 6, "the token ended at "),
    ] {
        let token = token_of(lives, ends_in);
        with_token(&project, "check", &token).with_code(check);
        let told = with_token(&project, "run", &token).with_code(0).stderr;
        assert!(told.contains(words), "{told}");
        assert_eq!(told.contains("the token ends"), check == 6 && ends_in > 0, "{told}");
    }
}

#[test]
fn a_command_that_does_not_end_is_ended_with_the_run() {
    let api = Stub::start(|request| Answer::Json(page(request)));
    let project = items(
        &api,
        "{ command = ['sh', '-c', 'touch begun; sleep 1000; echo token'] }",
    );
    let mut running = start(&mut project.gqldump(&["run"]));
    while !project.folder().join("begun").exists() && !running.has_ended() {
        std::thread::yield_now();
    }
    running.signal(nix::sys::signal::Signal::SIGTERM);
    let ended = running.end().with_code(5);
    assert!(ended.stderr.contains("stopping"), "{}", ended.stderr);
    assert_eq!(api.requests().len(), 0);
}

#[test]
fn a_token_that_is_refused_in_mid_run_is_asked_for_once_more_and_the_run_goes_on() {
    let (api, project) = api_that_wants(2);
    let ended = start(&mut project.gqldump(&["run"])).end().with_code(0);
    assert!(!ended.stderr.contains("the token ends"), "{}", ended.stderr);
    assert_eq!((times_run(&project), api.requests().len()), (2, 6));
    assert_eq!(ids(&project.exported("items")), 5);
}

#[test]
fn a_token_that_stays_refused_ends_the_run_with_code_4_and_the_next_one_goes_on_from_there() {
    let (api, project) = api_that_wants(3);
    let ended = run(&mut project.gqldump(&["run"])).with_code(4);
    assert!(ended.stderr.contains("token expired"), "{}", ended.stderr);
    assert_eq!(times_run(&project), 2, "asked once more, and not again and again");
    assert_eq!(api.requests().len(), 4);
    assert!(!project.written("items/latest").exists());
    let ended = run(&mut project.gqldump(&["run"])).with_code(0);
    assert!(ended.stderr.contains("goes on: "), "{}", ended.stderr);
    assert_eq!(api.requests().len(), 4 + 3, "no page is asked for again that was there");
    assert_eq!(ids(&project.exported("items")), 5);
}
