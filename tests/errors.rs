//! What goes wrong, each with the words that tell it and the exit code: what happened, where, and what to do about it.

use std::process::Command;
use std::time::Duration;

use fs_err as fs;
use serde_json::{Value, json};

use crate::cell::{Cell, Kind};
use crate::program::{Ended, run};
use crate::project::{Api, Project};
use crate::stub::{Answer, Stub, cursor};
use crate::tracker::{calm, serve};

const SCHEMA: &str = "
type Query { items(first: Int, after: String): ItemConnection boxes(first: Int, after: String): BoxConnection }
type Mutation { drop(id: ID!): Boolean }
type Subscription { dropped: ID }
type ItemConnection { nodes: [Item] pageInfo: PageInfo! }
type BoxConnection { nodes: [Box!]! pageInfo: PageInfo! }
type PageInfo { hasNextPage: Boolean! endCursor: String }
type Item { id: ID! size: Int note: String }
type Box { id: ID! items(first: Int, after: String): ItemConnection! }
";

const SETTINGS: &str = "endpoint = 'http://127.0.0.1:9/graphql'
schema = 'schema.graphql'
[retry]
attempts = 2
initial_wait = '1ms'
max_wait = '2ms'
";

const ITEMS: &str = "{ items { nodes { id size } } }\n";

/// A source with the schema above and one query file.
fn items(query: &str) -> Project {
    Project::new(SETTINGS)
        .with("schema.graphql", SCHEMA)
        .with("items.graphql", query)
}

/// A page of `items`.
fn page(nodes: Value, next: Option<&str>) -> Value {
    let page_info = json!({ "hasNextPage": next.is_some(), "endCursor": next });
    json!({ "data": { "items": { "nodes": nodes, "pageInfo": page_info } } })
}

/// What a failing run tells, without what differs from run to run.
#[track_caller]
fn failure(project: &Project, api: impl Into<Api>, code: i32) -> String {
    let ended = project.run(api, &["--quiet"]).with_code(code);
    assert_eq!(ended.stdout, "");
    project.steady(&ended.stderr)
}

/// The same of a project that goes wrong before anything is asked.
#[track_caller]
fn refusal(project: &Project) -> String {
    let ended = run(&mut project.gqldump(&["run", "--quiet"])).with_code(2);
    assert!(!project.output().join("api/items").exists());
    project.steady(&ended.stderr)
}

mod configuration {
    use super::*;

    #[test]
    fn an_unknown_key_is_shown_with_the_one_that_was_meant() {
        let project = items(ITEMS).with("source.toml", "endpoint = 'demo:'\n[limits]\npage_sise = 50\n");
        insta::assert_snapshot!(refusal(&project), @r"
        error: unknown key `page_sise`
         --> queries/api/source.toml:3:1
          |
        3 | page_sise = …
          | ^^^^^^^^^
          = help: did you mean `page_size`? the keys here are: `requests`, `arrival_margin`, `concurrency`, `query`, `page_size`, `response_bytes`
        ");
    }

    #[test]
    fn a_token_that_is_not_there_is_told_before_anything_is_asked() {
        let settings = format!("{SETTINGS}[auth]\ntoken = {{ env = 'NO_SUCH_TOKEN' }}\n");
        let project = items(ITEMS).with("source.toml", &settings);
        let ended = run(&mut project.gqldump(&["run", "--quiet"]));
        insta::assert_snapshot!(format!("{:?}\n{}", ended.code, project.steady(&ended.stderr)), @r#"
        Some(4)
        TIME error api/items: failed: api: no token: the environment variable `NO_SUCH_TOKEN` is not set: set it to the token
             --> queries/api/source.toml:8:9
              |
            8 | token = …
              |         ^
              = help: a token comes from { env = "NAME" }, { file = "PATH" } or { command = ["PROGRAM", …] }
            the next run goes on from here
        "#);
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let project = items(ITEMS);
        let ended = run(&mut project.gqldump(&["run", "queries/apy"])).with_code(2);
        insta::assert_snapshot!(project.steady(&ended.stderr), @"error: `queries/apy` does not exist: name a source's folder, a folder of such folders, or a `.graphql` file in one");
    }

    #[test]
    fn a_value_for_a_variable_that_no_query_has_is_refused() {
        let project = items(ITEMS);
        let ended = run(&mut project.gqldump(&["run", "--var", "sise=1"])).with_code(2);
        insta::assert_snapshot!(project.steady(&ended.stderr), @"error: no query file has a variable `$sise`; --var sise sets nothing");
    }
}

mod queries {
    use super::*;

    #[test]
    fn a_syntax_error_is_shown_at_its_place() {
        insta::assert_snapshot!(refusal(&items("{ items {\n  nodes { id size\n} }")), @r"
        TIME error api/items: failed: syntax error: expected R_CURLY, got EOF
               ╭─[ queries/api/items.graphql:3:4 ]
               │
             3 │ } }
               │    │
               │    ╰─ expected R_CURLY, got EOF
            ───╯
        ");
    }

    #[test]
    fn an_unknown_field_is_shown_with_the_one_that_was_meant() {
        insta::assert_snapshot!(refusal(&items("{ items { nodes { id\n  sise } } }")), @r"
        TIME error api/items: failed: type `Item` does not have a field `sise`
               ╭─[ queries/api/items.graphql:2:3 ]
               │
             2 │   sise } } }
               │   ──┬─
               │     ╰─── field `sise` selected here
               │
               ├─[ queries/api/schema.graphql:8:6 ]
               │
             8 │ type Item { id: ID! size: Int note: String }
               │      ──┬─
               │        ╰─── type `Item` defined here
               │
               │ Help: did you mean `size`?
               │
               │ Note: path to the field: `query → items → nodes → sise`
            ───╯
        ");
    }

    #[test]
    fn a_mutation_is_refused() {
        insta::assert_snapshot!(refusal(&items("mutation Drop { drop(id: 1) }")), @r"
        TIME error api/items: failed: the mutation `Drop` cannot be exported
               ╭─[ queries/api/items.graphql:1:1 ]
               │
             1 │ mutation Drop { drop(id: 1) }
               │ ──────────────┬──────────────
               │               ╰──────────────── a mutation
               │
               │ Help: a query file holds one query, and fragments; nothing that changes or defines anything
            ───╯
        ");
    }

    #[test]
    fn a_subscription_is_refused() {
        insta::assert_snapshot!(refusal(&items("subscription { dropped }")), @r"
        TIME error api/items: failed: this subscription cannot be exported
               ╭─[ queries/api/items.graphql:1:1 ]
               │
             1 │ subscription { dropped }
               │ ────────────┬───────────
               │             ╰───────────── a subscription
               │
               │ Help: a query file holds one query, and fragments; nothing that changes or defines anything
            ───╯
        ");
    }

    #[test]
    fn several_operations_in_one_file_are_refused() {
        let query = "query One { items { nodes { id } } }\nquery Two { items { nodes { id } } }";
        insta::assert_snapshot!(refusal(&items(query)), @r"
        TIME error api/items: failed: the file holds 2 queries: One, Two
               ╭─[ queries/api/items.graphql:2:1 ]
               │
             2 │ query Two { items { nodes { id } } }
               │ ──────────────────┬─────────────────
               │                   ╰─────────────────── the second query
               │
               │ Help: give each query a file of its own; its name names the table
            ───╯
        ");
    }

    #[test]
    fn a_nested_connection_is_refused_rather_than_cut_off() {
        insta::assert_snapshot!(refusal(&items("{ boxes { nodes { id items { nodes { id } } } } }")), @r"
        TIME error api/items: failed: the paginated field `items` stands below another list
               ╭─[ queries/api/items.graphql:1:22 ]
               │
             1 │ { boxes { nodes { id items { nodes { id } } } } }
               │                      ──┬──
               │                        ╰──── its further pages would not be read
               │
               │ Help: nested connections cannot be exported yet: give it a query file of its own, where it stands below single objects only, or write @paginate(style: NONE) to take its first page as all there is
            ───╯
        ");
    }

    #[test]
    fn one_bad_query_file_does_not_hold_back_the_others() {
        let stub = Stub::start(|_| Answer::Json(page(json!([{ "id": "1", "size": 2 }]), None)));
        let project = items(ITEMS).with("wrong.graphql", "{ itemz { nodes { id } } }");
        let told = failure(&project, &stub, 2);
        assert!(told.contains("did you mean `items`?"), "{told}");
        assert_eq!(project.exported("items").incomplete(), Vec::<&str>::new());
    }
}

mod network {
    use super::*;

    #[test]
    fn a_wrong_token_is_told_as_such() {
        let server = serve(calm());
        let project = items("{ findings { nodes { id } } }");
        let api = Api {
            token: Some("not-the-right-one".to_owned()),
            ..Api::from(&server)
        };
        let project = project.with("source.toml", &SETTINGS.replace("schema = 'schema.graphql'\n", ""));
        insta::assert_snapshot!(failure(&project, api, 4), @"TIME error api: failed: the schema cannot be asked for: api answered 401: Login required [UNAUTHENTICATED]; the API does not accept the token, check what [auth] of the source names");
        assert_eq!(server.log().requests, server.log().unauthorized);
    }

    #[test]
    fn a_token_that_is_refused_in_mid_run_ends_it_and_nothing_is_lost() {
        let stub = Stub::start(|request| match cursor(request) {
            None => Answer::Json(page(json!([{ "id": "1", "size": 2 }]), Some("next"))),
            Some(_) => Answer::Other {
                status: 401,
                content_type: "application/json",
                body: json!({ "errors": [{ "message": "token expired" }] }).to_string(),
            },
        });
        let told = failure(&items(ITEMS), &stub, 4);
        assert!(told.contains("token expired"), "{told}");
    }

    #[test]
    fn a_host_that_cannot_be_reached_is_named() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = format!("http://{}/graphql", listener.local_addr().expect("an address"));
        drop(listener);
        insta::assert_snapshot!(failure(&items(ITEMS), Api { address, token: None }, 1), @r"
        TIME error api/items: failed: ADDRESS: connection refused; check the endpoint's host and port; given up after 2 attempts
            the next run goes on from here
        ");
    }

    #[test]
    fn a_host_without_an_address_is_named() {
        let address = "https://no-such-host.invalid/graphql".to_owned();
        let told = failure(&items(ITEMS), Api { address, token: None }, 1);
        assert!(told.contains("no-such-host.invalid"), "{told}");
    }

    #[test]
    fn html_instead_of_json_is_told_as_such() {
        let html = "<!DOCTYPE html><html><head><title>Down for maintenance</title></head><body></body></html>";
        let stub = Stub::start(move |_| Answer::Other {
            status: 200,
            content_type: "text/html; charset=utf-8",
            body: html.to_owned(),
        });
        insta::assert_snapshot!(failure(&items(ITEMS), &stub, 1), @r"
        TIME error api/items: failed: api answered 200: an HTML page: Down for maintenance; given up after 2 attempts
            the next run goes on from here
        ");
        assert_eq!(stub.requests().len(), 2);
    }

    #[test]
    fn a_body_that_is_cut_off_is_told_as_such() {
        let body = page(json!([{ "id": "1", "size": 2 }]), None).to_string();
        let stub = Stub::start(move |_| Answer::CutOff {
            body: body.clone(),
            sent: 30,
        });
        insta::assert_snapshot!(failure(&items(ITEMS), &stub, 1), @r"
        TIME error api/items: failed: ADDRESS: the response was cut off after 30 bytes; given up after 2 attempts
            the next run goes on from here
        ");
        assert_eq!(stub.requests().len(), 2);
    }

    #[test]
    fn a_body_that_ends_in_mid_json_is_told_as_such() {
        let whole = page(json!([{ "id": "1", "size": 2 }]), None).to_string();
        let body = whole[..40].to_owned();
        let stub = Stub::start(move |_| Answer::Other {
            status: 200,
            content_type: "application/json",
            body: body.clone(),
        });
        insta::assert_snapshot!(failure(&items(ITEMS), &stub, 1), @r"
        TIME error api/items: failed: api answered 200: the body is no JSON object, or breaks off; given up after 2 attempts
            the next run goes on from here
        ");
    }
}

mod paging {
    use super::*;

    #[test]
    fn a_cursor_that_stands_still_is_an_error_and_not_a_loop() {
        let stub = Stub::start(|_| Answer::Json(page(json!([{ "id": "1", "size": 2 }]), Some("again"))));
        insta::assert_snapshot!(failure(&items(ITEMS), &stub, 1), @r"
        TIME error api/items: failed: `items` says that there is another page and gives the same cursor again: reading on would never end; report it to the API's vendor, or try another page size
            the next run goes on from here
        ");
        assert_eq!(stub.requests().len(), 2);
    }

    #[test]
    fn cursors_that_go_round_in_a_circle_are_an_error_and_not_a_loop() {
        let stub = Stub::start(|request| {
            let next = match cursor(request) {
                None => "one",
                Some("one") => "two",
                Some("two") => "three",
                Some(_) => "one",
            };
            Answer::Json(page(json!([{ "id": next, "size": 2 }]), Some(next)))
        });
        insta::assert_snapshot!(failure(&items(ITEMS), &stub, 1), @r"
        TIME error api/items: failed: `items` gives a cursor for its next page that it gave before: reading on would never end; report it to the API's vendor, or try another page size
            the next run goes on from here
        ");
    }

    #[test]
    fn a_further_page_without_a_cursor_is_an_error() {
        let stub = Stub::start(|_| {
            let mut page = page(json!([{ "id": "1", "size": 2 }]), Some("next"));
            page["data"]["items"]["pageInfo"]["endCursor"] = Value::Null;
            Answer::Json(page)
        });
        insta::assert_snapshot!(failure(&items(ITEMS), &stub, 1), @r"
        TIME error api/items: failed: `items` says that there is another page and gives no cursor for it; if that is all there is, write @paginate(style: NONE)
            the next run goes on from here
        ");
    }

    #[test]
    fn a_connection_that_is_null_has_no_rows() {
        let stub = Stub::start(|_| Answer::Json(json!({ "data": { "items": null } })));
        let project = items(ITEMS);
        insta::assert_snapshot!(
            failure(&project, &stub, 0),
            @"TIME warn  api/items: `items`, or an object above it, is null: it has no rows"
        );
        assert_eq!(project.exported("items").manifest["tables"][0]["rows"], 0);
    }

    #[test]
    fn a_connection_that_breaks_off_with_null_is_asked_again_and_not_taken_for_ended() {
        let stub = Stub::start(|request| match cursor(request) {
            None => Answer::Json(page(json!([{ "id": "1", "size": 2 }]), Some("next"))),
            Some(_) => Answer::Json(json!({ "data": { "items": null } })),
        });
        insta::assert_snapshot!(failure(&items(ITEMS), &stub, 1), @r"
        TIME error api/items: failed: `items` broke off: a later page of it has no rows where the others have them
            the next run goes on from here
        ");
        // The first page, and three attempts at the second.
        assert_eq!(stub.requests().len(), 4);
    }
}

mod shortcomings {
    use super::*;

    const COLUMNS: [(&str, Kind); 3] = [("_id", Kind::Text), ("id", Kind::Text), ("size", Kind::Int32)];

    #[test]
    fn partial_data_is_kept_and_what_is_lacking_is_named() {
        let stub = Stub::start(|_| {
            let mut page = page(json!([{ "id": "1", "size": 2 }, { "id": "2", "size": null }]), None);
            page["errors"] = json!([{ "message": "size is not known", "path": ["items", "nodes", 1, "size"] }]);
            Answer::Json(page)
        });
        let project = items(ITEMS);
        let told = failure(&project, &stub, 3);
        insta::assert_snapshot!(told, @r"
        TIME warn  api/items: published, but not complete: 2 rows in 1 table, 1 request, ELAPSED
            `items.nodes.size` is null: size is not known
        ");
        let exported = project.newest("items");
        assert_eq!(exported.incomplete(), ["`items.nodes.size` is null: size is not known"]);
        let rows = exported.rows("items", &COLUMNS);
        assert_eq!(
            rows.iter().map(|row| &row["size"]).collect::<Vec<_>>(),
            [&Cell::Integer(2), &Cell::Null]
        );
        assert!(
            !project.written("items/latest").exists(),
            "`latest` leads to a run that is not complete"
        );
    }

    #[test]
    fn a_value_that_does_not_fit_sends_its_row_to_the_rejects() {
        let stub = Stub::start(|_| {
            let nodes =
                json!([{ "id": "1", "size": 2 }, { "id": "2", "size": 2_147_483_648_u32 }, { "id": "3", "size": 1.5 }]);
            Answer::Json(page(nodes, None))
        });
        let project = items(ITEMS);
        let told = failure(&project, &stub, 3);
        assert!(told.contains("items__rejects"), "{told}");
        let exported = project.newest("items");
        assert_eq!(exported.rows("items", &COLUMNS).len(), 1);
        let rejects = exported.rejects("items");
        let values = |column| {
            rejects
                .iter()
                .map(|row| format!("{:?}", row[column]))
                .collect::<Vec<_>>()
        };
        assert_eq!(values("_column"), [r#"Text("size")"#, r#"Text("size")"#]);
        insta::assert_snapshot!(values("_row").join("\n"), @r#"
        Text("{\"id\":\"2\",\"size\":2147483648}")
        Text("{\"id\":\"3\",\"size\":1.5}")
        "#);
        insta::assert_snapshot!(values("_reason").join("\n"), @r#"
        Text("`2147483648` is no int32")
        Text("`1.5` is no int32")
        "#);
    }

    #[test]
    fn null_for_a_value_that_is_never_null_sends_its_row_to_the_rejects() {
        let stub =
            Stub::start(|_| Answer::Json(page(json!([{ "id": null, "size": 2 }, { "id": "2", "size": 3 }]), None)));
        let project = items(ITEMS);
        failure(&project, &stub, 3);
        let exported = project.newest("items");
        assert_eq!(
            (exported.rows("items", &COLUMNS).len(), exported.rejects("items").len()),
            (1, 1)
        );
    }
}

mod disk {
    use super::*;

    /// Runs a script in which `mount` is allowed and concerns nobody else; `None` where the system forbids that.
    /// `.ci/run` sets `GQLDUMP_TEST_MOUNTS`, so that a machine that should allow it cannot skip these tests.
    fn with_mounts(project: &Project, stub: &Stub, script: &str) -> Option<Ended> {
        let unshared = |arguments: &[&str]| {
            let mut command = Command::new("unshare");
            command.args(arguments).args(["--mount", "sh", "-eu", "-c"]);
            command
        };
        let ways: [&[&str]; 2] = [&[], &["--map-root-user"]];
        let probe = "mount -t tmpfs -o size=1m none /mnt";
        let is_allowed = |way: &&&[&str]| {
            unshared(way)
                .arg(probe)
                .output()
                .is_ok_and(|output| output.status.success())
        };
        let Some(way) = ways.iter().find(is_allowed) else {
            let is_required = std::env::var_os("GQLDUMP_TEST_MOUNTS").is_some();
            assert!(!is_required, "this machine does not let tests mount a file system");
            return None;
        };
        fs::create_dir_all(project.output()).expect("a folder");
        let mut command = unshared(way);
        command
            .arg(script)
            .arg("sh")
            .arg(env!("CARGO_BIN_EXE_gqldump"))
            .arg(Api::from(stub).address);
        Some(run(command.current_dir(project.folder())))
    }

    /// Endless variety, so that it fills a disk however it is compressed.
    fn long_note(seed: u64) -> String {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            format!("{state:016x}")
        };
        (0..256).map(|_| next()).collect()
    }

    /// After a moment, as any API: pages of 50 long rows, 40 of them: 4 MiB of hexadecimal digits, 2 MiB at the least.
    fn many_pages() -> Stub {
        Stub::start(|request| {
            std::thread::sleep(Duration::from_millis(20));
            let number: u64 = cursor(request).map_or(0, |after| after.parse().expect("a number"));
            let node = |row: u64| json!({ "id": format!("{number}-{row}"), "size": row, "note": long_note(number * 50 + row) });
            let nodes: Vec<Value> = (0..50).map(node).collect();
            let next = (number < 39).then(|| (number + 1).to_string());
            Answer::Json(page(nodes.into(), next.as_deref()))
        })
    }

    /// At a small size the state is the first that finds no room; at a larger one a part of the table.
    #[test]
    fn a_full_disk_is_told_as_such_and_the_run_goes_on_when_there_is_room() {
        let mut told = String::new();
        for size in ["700k", "1536k", "3m"] {
            let (project, stub) = (items("{ items { nodes { id size note } } }"), many_pages());
            let script = "mount -t tmpfs -o size=SIZE none output
                code=0; \"$1\" run --quiet --set endpoint=\"$2\" || code=$?
                echo \"exit code $code\"
                mount -o remount,size=64m output
                \"$1\" run --set endpoint=\"$2\"
                cp -a output kept";
            let Some(ended) = with_mounts(&project, &stub, &script.replace("SIZE", size)) else {
                return;
            };
            let ended = ended.with_code(0);
            assert_eq!(ended.stdout, "exit code 1\n");
            let (failed, resumed) = ended.stderr.split_once('\n').expect("lines");
            told += &format!("{size}: {}\n", project.steady(failed));
            let is_begun = regex::Regex::new("goes on: [1-9][0-9]* responses").expect("a pattern");
            assert!(is_begun.is_match(resumed), "{resumed}");
            let exported = crate::exported::read_export(&project.folder().join("kept/api/items/latest"));
            assert_eq!(exported.incomplete(), Vec::<&str>::new());
            let columns = [
                ("_id", Kind::Text),
                ("id", Kind::Text),
                ("size", Kind::Int32),
                ("note", Kind::Text),
            ];
            let rows = exported
                .rows("items", &columns)
                .into_iter()
                .map(|row| format!("{:?}", row["id"]));
            assert_eq!(rows.collect::<std::collections::BTreeSet<_>>().len(), 2000);
            let requests = stub.requests().len();
            println!("a disk of {size}: {requests} requests for 40 pages");
            // What was received and found no room has to be asked for again; what found room has not.
            assert!(requests <= 48, "{requests} requests for 40 pages");
        }
        insta::assert_snapshot!(told, @r"
        700k: TIME error api/items: failed: output/api/.gqldump/state.sqlite: the disk is full; make room and run again, nothing that was fetched is lost
        1536k: TIME error api/items: failed: output/api/.gqldump/state.sqlite: the disk is full; make room and run again, nothing that was fetched is lost
        3m: TIME error api/items: failed: output/api/.gqldump/state.sqlite: the disk is full; make room and run again, nothing that was fetched is lost
        ");
    }

    #[test]
    fn a_read_only_output_folder_is_told_as_such_before_anything_is_asked() {
        let (project, stub) = (items(ITEMS), many_pages());
        let script = "mount -t tmpfs -o ro none output\n\"$1\" run --quiet --set endpoint=\"$2\"";
        let Some(ended) = with_mounts(&project, &stub, script) else {
            return;
        };
        let ended = ended.with_code(1);
        insta::assert_snapshot!(project.steady(&ended.stderr), @"TIME error api: failed: the output folder cannot be written: failed to create directory `output/api`: Read-only file system (os error 30); choose another with --output, or mend its permissions");
        assert_eq!(stub.requests().len(), 0);
    }

    #[test]
    fn a_file_in_the_place_of_the_output_folder_is_told_as_such() {
        let (project, stub) = (items(ITEMS), many_pages());
        fs::write(project.output(), "a file").expect("a file");
        insta::assert_snapshot!(failure(&project, &stub, 1), @"TIME error api: failed: the output folder cannot be written: failed to create directory `output/api`: Not a directory (os error 20); choose another with --output, or mend its permissions");
        assert_eq!(stub.requests().len(), 0);
    }
}

mod secrets {
    use std::path::Path;

    use super::*;

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
}
