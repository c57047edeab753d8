//! `gqldump init`: a source begun from nothing but an API's address, and what comes of it.

use std::path::Path;
use std::process::Command;

use fs_err as fs;
use gqldump::demo::{DemoConfig, DemoServer, FaultPlan, StandIn, greeting};
use secrecy::ExposeSecret as _;
use serde_json::{Map, Value};

use crate::exported::read_export;
use crate::program::{gqldump, run};
use crate::project::{Api, TOKEN_VARIABLE};

/// How many query files come of each stand-in, as they are and as drafts.
const STARTERS: [(&str, usize, usize); 10] = [
    ("tracker", 7, 1),
    ("shop", 1, 1),
    ("clinic", 1, 0),
    ("library", 1, 0),
    ("factory", 2, 1),
    ("space", 3, 0),
    ("board", 2, 1),
    ("press", 9, 0),
    ("fluidattacks", 6, 12),
    ("fibery", 3, 0),
];

/// A list that heeds no cursor, of which no schema tells: its query file is refused, and the others are not held back.
const DEAF: (&str, &str) = ("fluidattacks", "me_reattacks");

/// A stand-in that answers at once, without limits and without faults, with few rows in its large tables.
fn calm(name: &str) -> DemoServer {
    let mut config = DemoConfig::named(name).expect("a stand-in");
    config.rows_scale = 0.02;
    config.behaviours.limits.clear();
    config.behaviours.latency = Default::default();
    config.behaviours.faults = FaultPlan::none();
    let paging = &mut config.behaviours.paging;
    // Lies about totals are told, and are no business of these tests.
    paging.traps = Default::default();
    paging.fields.values_mut().for_each(|field| field.traps = None);
    // What a token may not see is named as missing.
    config.behaviours.denied.clear();
    DemoServer::start(config).expect("a stand-in")
}

/// `gqldump` in that folder, with the token of that API.
fn command(folder: &Path, api: &Api, arguments: &[&str]) -> Command {
    let mut command = gqldump();
    command.current_dir(folder).args(arguments);
    command.envs(api.token.as_ref().map(|token| (TOKEN_VARIABLE, token)));
    command
}

/// What `init` is told of a stand-in: where it is, and how it wants its token.
fn told(server: &DemoServer) -> Vec<String> {
    let auth = server.auth();
    let key = |key: &str, value: &str| ["--set".to_owned(), format!("auth.{key}={value}")];
    let mut told = vec!["init".to_owned(), server.address().to_string(), "--name=api".to_owned()];
    told.extend(key("header", &format!("'{}'", auth.header)));
    told.extend(key("scheme", &format!("'{}'", auth.scheme)));
    told.extend(key("token.env", TOKEN_VARIABLE));
    // Some refuse larger pages, as their documentation would say.
    told.extend(["--set", "limits.page_size=50"].map(str::to_owned));
    told
}

fn names(folder: &Path, ending: &str) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    let names = entries.map(|entry| entry.expect("a file").file_name().into_string().expect("text"));
    let others = ["schema.graphql", "gqldump.directives.graphql"];
    let found = names.filter(|name| !others.contains(&name.as_str()));
    let mut found: Vec<String> = found
        .filter_map(|name| Some(name.strip_suffix(ending)?.to_owned()))
        .collect();
    found.sort();
    found
}

#[test]
fn every_stand_in_is_exported_by_what_init_writes_and_nothing_else() {
    for name in DemoConfig::names() {
        let server = calm(name);
        let folder = tempfile::tempdir().expect("a folder");
        let api = Api::from(&server);
        let told = told(&server);
        let said = run(&mut command(
            folder.path(),
            &api,
            &told.iter().map(String::as_str).collect::<Vec<_>>(),
        ));
        let said = said.with_code(0);
        let source = folder.path().join("queries/api");
        let (queries, drafts) = (names(&source, ".graphql"), names(&source, ".graphql.draft"));
        if let Some((_, ready, needy)) = STARTERS.iter().find(|(known, ..)| *known == name) {
            assert_eq!(
                (queries.len(), drafts.len()),
                (*ready, *needy),
                "{name}: {}",
                said.stdout
            );
        }
        assert!(queries.len() + drafts.len() > 0, "{name}");
        if queries.is_empty() {
            continue;
        }
        run(&mut command(folder.path(), &api, &["check", "queries/api"])).with_code(0);
        let export = ["run", "queries/api", "--format=ndjson"];
        let ended = run(&mut command(folder.path(), &api, &export));
        let deaf = |query: &String| (name, query.as_str()) == DEAF;
        if queries.iter().any(deaf) {
            let told = "gives the same cursor again";
            assert!(ended.with_code(1).stderr.contains(told), "{name}");
        } else {
            ended.with_code(0);
        }
        for query in queries.into_iter().filter(|query| !deaf(query)) {
            compare(
                &folder.path().join("output/api").join(&query).join("latest"),
                &query,
                server.stand_in(),
            );
        }
    }
}

/// Compares the rows of a table with those of the list that its query file is called after.
#[track_caller]
fn compare(folder: &Path, query: &str, stand_in: &StandIn) {
    let exported = read_export(folder);
    assert_eq!(exported.incomplete(), Vec::<&str>::new());
    let found = exported.json_rows(query);
    let list = query.rsplit_once('_').map_or(query, |(_, list)| list);
    let truth: Vec<Map<String, Value>> = match stand_in.truth(list) {
        Ok(rows) => rows.collect(),
        // Below an object of the root; only how many there are is known of such a list.
        Err(_) => return assert!(!found.is_empty(), "{query}"),
    };
    assert_eq!(found.len(), truth.len(), "rows of {query}");
    let columns = texts_of(&found, &truth);
    assert!(!columns.is_empty(), "{query} has no column to tell rows by");
    for (found, truth) in sorted(&found, &columns).iter().zip(sorted(&truth, &columns)) {
        assert_eq!(*found, truth, "a row of {query}");
    }
}

/// The columns whose values are texts, or null: other kinds are compared where query files name their types.
fn texts_of(found: &[Map<String, Value>], truth: &[Map<String, Value>]) -> Vec<String> {
    let names = found.iter().take(1).flat_map(|row| row.keys());
    let is_text = |name: &&String| {
        let mut values = truth.iter().map(|row| row.get(*name));
        values.all(|value| matches!(value, Some(Value::String(_) | Value::Null)))
    };
    names.filter(is_text).cloned().collect()
}

fn sorted(rows: &[Map<String, Value>], columns: &[String]) -> Vec<String> {
    let cells = |row: &Map<String, Value>| columns.iter().map(|name| cell(&row[name])).collect::<Vec<_>>();
    let mut texts: Vec<String> = rows.iter().map(|row| cells(row).join(" ")).collect();
    texts.sort_unstable();
    texts
}

/// A text: scalars of a type that the source does not name are kept as JSON.
fn cell(value: &Value) -> String {
    let text = value.as_str().unwrap_or_default();
    serde_json::from_str::<String>(text).unwrap_or_else(|_| text.to_owned())
}

#[test]
fn what_a_stand_in_says_at_its_start_begins_a_source_that_can_be_exported() {
    for (name, source) in [("fibery", "queries/own_fibery"), ("shop", "queries/api")] {
        let server = calm(name);
        let folder = tempfile::tempdir().expect("a folder");
        let greeting = greeting(&server);
        let said = greeting.lines().find_map(|line| line.strip_prefix("gqldump init "));
        let said = said.unwrap_or_else(|| panic!("{name}: {greeting}"));
        let arguments = said.split(' ').map(|word| word.trim_matches('"'));
        let arguments: Vec<&str> = ["init"].into_iter().chain(arguments).collect();
        let said = |arguments: &[&str]| {
            let mut command = gqldump();
            command.current_dir(folder.path()).args(arguments);
            run(command.env("GQLDUMP_DEMO_TOKEN", server.token().expose_secret()))
        };
        said(&arguments).with_code(0);
        said(&["check", source]).with_code(0);
        said(&["run", source, "--set=limits.page_size=50", "--set=limits.requests=[]"]).with_code(0);
    }
}

#[test]
fn a_token_that_is_not_there_is_asked_for_where_no_file_says_how() {
    let server = calm("tracker");
    let folder = tempfile::tempdir().expect("a folder");
    let mut init = gqldump();
    init.current_dir(folder.path())
        .args(["init", server.address().as_str()])
        .env_remove("API_TOKEN");
    let said = run(&mut init).with_code(4);
    assert!(said.stderr.contains("put a token into API_TOKEN"), "{}", said.stderr);
    assert!(!folder.path().join("queries").exists(), "nothing was written");
    let token = server.token().expose_secret();
    run(init.env("API_TOKEN", token)).with_code(0);
}

#[test]
fn nothing_that_is_there_is_written_over_unless_that_is_asked_for() {
    let server = calm("space");
    let folder = tempfile::tempdir().expect("a folder");
    let api = Api::from(&server);
    let told = told(&server);
    let mut told: Vec<&str> = told.iter().map(String::as_str).collect();
    run(&mut command(folder.path(), &api, &told)).with_code(0);
    let query = folder.path().join("queries/api/findTasks.graphql");
    fs::write(&query, "{ findTasks { id } }").expect("a file");

    let asked = server.log().requests;
    let said = run(&mut command(folder.path(), &api, &told)).with_code(2);
    insta::assert_snapshot!(said.stderr, @"error: `queries/api/source.toml` is there already, and nothing was written: choose another --name, or write over it with --force");
    assert_eq!(server.log().requests, asked, "the API was asked for nothing");

    fs::remove_file(folder.path().join("queries/api/source.toml")).expect("a file");
    let said = run(&mut command(folder.path(), &api, &told)).with_code(2);
    assert!(said.stderr.contains("is there already"), "{}", said.stderr);
    assert!(!folder.path().join("queries/api/source.toml").exists());
    assert_eq!(fs::read_to_string(&query).expect("a file"), "{ findTasks { id } }");

    told.push("--force");
    run(&mut command(folder.path(), &api, &told)).with_code(0);
    assert!(
        fs::read_to_string(&query)
            .expect("a file")
            .contains("orderBy: { id: ASC }")
    );
}

#[test]
fn a_schema_that_is_not_told_comes_from_a_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let schema = "type Query { issues(companyId: ID!, first: Int, after: String): Issues guesses(limit: Int, page: Int): [Issue] }
        type Issues { nodes: [Issue] pageInfo: PageInfo! } type Issue { id: ID! title: String }
        type PageInfo { hasNextPage: Boolean! endCursor: String }";
    fs::write(folder.path().join("api.graphql"), schema).expect("a file");
    let mut init = gqldump();
    init.current_dir(folder.path());
    // Nobody listens there.
    init.args([
        "init",
        "http://127.0.0.1:1/graphql",
        "--schema=api.graphql",
        "--name=mine",
    ]);
    let said = run(&mut init).with_code(0);
    insta::assert_snapshot!(said.stdout, @r"
    queries/mine: source.toml, schema.graphql, gqldump.directives.graphql
      issues.graphql.draft  (needs $companyId: ID!)
      guesses.graphql.draft  (the schema leaves open how it turns its pages)
    next: complete a draft, take `.draft` off its name, and: gqldump check queries/mine
    ");
    let source = folder.path().join("queries/mine");
    assert_eq!(
        fs::read_to_string(source.join("schema.graphql")).expect("a file"),
        schema
    );
    for name in ["issues", "guesses"] {
        fs::rename(
            source.join(format!("{name}.graphql.draft")),
            source.join(format!("{name}.graphql")),
        )
        .expect("a file");
    }
    let check = ["check", "queries/mine", "--var=companyId=7"];
    run(gqldump().current_dir(folder.path()).args(check)).with_code(0);
}

#[test]
fn what_cannot_be_begun_is_refused_with_the_remedy() {
    let folder = tempfile::tempdir().expect("a folder");
    let said = |arguments: &[&str], code| {
        run(gqldump().current_dir(folder.path()).args(arguments))
            .with_code(code)
            .stderr
    };
    insta::assert_snapshot!(said(&["init"], 2), @"error: neither an address nor a preset is given: write `gqldump init URL`, or name a preset that has an address");
    assert!(said(&["init", "http://api.example.com/graphql"], 2).contains("write https"));
    assert!(said(&["init", "demo:", "--preset=fibry"], 2).contains("did you mean `fibery`?"));
    let secret = said(&["init", "demo:", "--set=auth.token=s3cr3t"], 2);
    assert!(secret.contains("auth.token") && !secret.contains("s3cr3t"), "{secret}");
    for name in ["--name=../x", "--name=..", "--name="] {
        assert!(said(&["init", "demo:", name], 2).contains("a folder below `queries`"));
    }
    assert!(!folder.path().join("queries").exists(), "nothing was written");
}
