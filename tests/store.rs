//! Runs published in an object store, by the client that users get, against a bucket of our own: interrupted anywhere,
//! side by side, refused. What readers could have seen is looked at after every change.

use std::process::Command;

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::bucket::{Bucket, CREDENTIALS, Moment, Quirk};
use crate::cell::Kind;
use crate::exported::{Exported, read_export};
use crate::program::{run, start};
use crate::project::Project;
use crate::stub::{Answer, Stub};

const SCHEMA: &str = "
type Query { boxes(first: Int, after: String): BoxConnection }
type BoxConnection { nodes: [Box!]! pageInfo: PageInfo! }
type PageInfo { hasNextPage: Boolean! endCursor: String }
type Box { id: ID! note: String items: [Item!]! }
type Item { id: ID! }
";

const QUERY: &str = "{ boxes { nodes { id note shelf: id } } }\n";

const COLUMNS: [(&str, Kind); 4] = [
    ("_id", Kind::Text),
    ("id", Kind::Text),
    ("note", Kind::Text),
    ("shelf", Kind::Text),
];

fn project() -> Project {
    Project::new("endpoint = 'http://127.0.0.1:9/graphql'\nschema = 'schema.graphql'\n[retry]\nattempts = 1\n")
        .with("schema.graphql", SCHEMA)
        .with("boxes.graphql", QUERY)
        .with("crates.graphql", "{ boxes { nodes { id } } }\n")
}

/// Two query files, of three rows each; the notes are of this length.
fn stub(note: usize) -> Stub {
    Stub::start(move |_| {
        // Endless variety, so that it is as long in the output, however that is compressed.
        let note = |row: u64| -> String {
            let mut state = row + 1;
            (0..note)
                .map(|_| {
                    state = state
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(1_442_695_040_888_963_407);
                    char::from(b'0' + u8::try_from((state >> 33) % 75).expect("a small number"))
                })
                .collect()
        };
        let row = |row: u64| json!({ "id": row.to_string(), "note": note(row), "shelf": row.to_string() });
        let nodes: Vec<Value> = (0..3).map(row).collect();
        let page_info = json!({ "hasNextPage": false, "endCursor": null });
        Answer::Json(json!({ "data": { "boxes": { "nodes": nodes, "pageInfo": page_info } } }))
    })
}

fn export(project: &Project, stub: &Stub, bucket: &Bucket, arguments: &[&str]) -> Command {
    let arguments = [&["--output", "s3://bucket/exports/day=1"], arguments].concat();
    let mut command = project.export(stub, &arguments);
    command.envs(bucket.environment());
    command
}

/// What `latest` of a query file in the bucket leads to.
fn latest(bucket: &Bucket, query: &str) -> Exported {
    let folder = tempfile::tempdir().expect("a folder");
    bucket.download(folder.path());
    let run = bucket.text(&format!("exports/day=1/api/{query}/latest"));
    let exported = read_export(&folder.path().join("exports/day=1/api").join(query).join(run));
    if query == "boxes" {
        assert_eq!(exported.rows("boxes", &COLUMNS).len(), 3);
    }
    assert_eq!(exported.incomplete(), Vec::<&str>::new());
    exported
}

/// The objects but for the names of runs that are reserved, without what differs from run to run.
fn names(project: &Project, bucket: &Bucket) -> Vec<String> {
    let names = bucket.names();
    let own = names.iter().filter(|name| !name.contains("/.gqldump/runs/"));
    let number = regex::Regex::new(r"RUN-\d+").expect("a pattern");
    own.map(|name| number.replace(&project.steady(name), "RUN").into_owned())
        .collect()
}

const PUBLISHED: [&str; 6] = [
    "exports/day=1/api/boxes/RUN/_manifest.json",
    "exports/day=1/api/boxes/RUN/part-00000.parquet",
    "exports/day=1/api/boxes/latest",
    "exports/day=1/api/crates/RUN/_manifest.json",
    "exports/day=1/api/crates/RUN/part-00000.parquet",
    "exports/day=1/api/crates/latest",
];

#[test]
fn a_run_is_published_in_a_bucket_and_its_state_stays_on_this_machine() {
    let (project, stub, bucket) = (project(), stub(5), Bucket::start(Quirk::None));
    run(&mut export(&project, &stub, &bucket, &[])).with_code(0);
    assert_eq!(names(&project, &bucket), PUBLISHED);
    latest(&bucket, "boxes");
    latest(&bucket, "crates");
    assert!(!project.output().exists());
    assert!(
        project
            .folder()
            .join(".gqldump/s3/bucket/exports/day=1/api/.gqldump")
            .is_dir()
    );
    let mut status = project.gqldump(&["status", "--output", "s3://bucket/exports/day=1"]);
    let said = run(status.envs(bucket.environment())).with_code(0).stdout;
    assert!(said.contains("last complete run"), "{said}");
    assert_eq!(bucket.wrong(), Vec::<String>::new());
}

/// Every change that publishing makes, the reservation before it and the removal of the old run behind it: the process
/// dies before it, and after it.
#[test]
fn a_run_that_is_killed_at_any_change_of_the_bucket_goes_on_and_nobody_sees_half_of_it() {
    let (project, stub, bucket) = (project(), stub(5), Bucket::start(Quirk::None));
    let keep = ["--set", "keep=1"];
    run(&mut export(&project, &stub, &bucket, &keep)).with_code(0);
    let first = bucket.changes();
    run(&mut export(&project, &stub, &bucket, &keep)).with_code(0);
    let in_all = bucket.changes() - first;
    let mut kills = 0;
    for moment in [Moment::Before, Moment::After] {
        for change in 1..=in_all {
            bucket.hold(bucket.changes() + change, moment);
            let mut running = start(&mut export(&project, &stub, &bucket, &keep));
            while !bucket.is_held() && !running.has_ended() {
                std::thread::sleep(std::time::Duration::from_millis(1));
            }
            kills += u32::from(!running.has_ended());
            running.signal(Signal::SIGKILL);
            running.end();
            bucket.release();
            latest(&bucket, "boxes");
            run(&mut export(&project, &stub, &bucket, &keep)).with_code(0);
            latest(&bucket, "boxes");
            latest(&bucket, "crates");
            assert_eq!(names(&project, &bucket), PUBLISHED, "{moment:?} change {change}");
        }
    }
    println!("{kills} kills at {in_all} changes");
    assert!(
        in_all >= 12 && u64::from(kills) >= 2 * (in_all - 2),
        "{kills} of {in_all}"
    );
    assert_eq!(bucket.wrong(), Vec::<String>::new());
}

#[test]
fn machines_that_write_to_one_place_have_runs_of_their_own() {
    let (project, stub, bucket) = (project(), stub(5), Bucket::start(Quirk::None));
    let states = ["a", "b", "c"];
    let running = states.map(|state| start(&mut export(&project, &stub, &bucket, &["--state", state])));
    for running in running {
        running.end().with_code(0);
    }
    let manifests = bucket
        .names()
        .into_iter()
        .filter(|name| name.ends_with("boxes/latest") || name.contains("boxes/2") && name.ends_with("_manifest.json"));
    assert_eq!(manifests.count(), states.len() + 1);
    let newest = bucket
        .names()
        .into_iter()
        .filter_map(|name| {
            Some(
                name.strip_prefix("exports/day=1/api/boxes/2")?
                    .split_once('/')?
                    .0
                    .to_owned(),
            )
        })
        .max_by_key(|run| (run.len(), run.clone()));
    assert_eq!(
        newest.map(|run| format!("2{run}")),
        Some(bucket.text("exports/day=1/api/boxes/latest"))
    );
    assert_eq!(bucket.wrong(), Vec::<String>::new());
}

#[test]
fn a_large_part_goes_up_in_chunks() {
    let (project, stub, bucket) = (project(), stub(7_000_000), Bucket::start(Quirk::None));
    run(&mut export(&project, &stub, &bucket, &["--format", "ndjson"])).with_code(0);
    latest(&bucket, "boxes");
    assert_eq!(bucket.open_uploads(), 0);
    // Of the second query file the one part is small: 2 names, begun, 3 chunks, finished, 1 part, 2 manifests, 2 `latest`.
    assert!(bucket.changes() >= 10, "{}", bucket.changes());
}

/// What a store refuses is told before anything is asked of the API where that can be, and without any of its secrets.
#[test]
fn what_a_store_refuses_is_told_with_the_remedy_and_without_secrets() {
    let mut told = Vec::new();
    for quirk in [Quirk::Missing, Quirk::Denying, Quirk::Unconditional, Quirk::Broken] {
        let (project, stub, bucket) = (project(), stub(5), Bucket::start(quirk));
        let ended = run(&mut export(&project, &stub, &bucket, &["--quiet"])).with_code(1);
        for (_, secret) in CREDENTIALS {
            assert!(!ended.stderr.contains(secret), "{}", ended.stderr);
        }
        assert_eq!(stub.requests().len(), 0, "{quirk:?}");
        told.push(project.steady(&ended.stderr));
    }
    insta::assert_snapshot!(told.concat(), @r"
    TIME error api: failed: `s3://bucket/exports/day=1/api/.gqldump/runs/RUN` does not exist: make the bucket, or choose another with --output
    TIME error api: failed: no permission for `s3://bucket/exports/day=1/api/.gqldump/runs/RUN`: the credentials need to read, write, list and delete there
    TIME error api: failed: `s3://bucket/exports/day=1/api/.gqldump/runs/RUN`: this store knows no conditional writes, without which no run can be published safely: it wrote over an object that was there
    TIME error api: failed: `s3://bucket/exports/day=1/api/.gqldump/runs/RUN` cannot be reached, or answers wrongly: Server returned non-2xx status code: 400 Bad Request: InvalidToken; run again, it goes on from there
    ");
}

#[test]
fn an_address_that_is_none_is_refused_without_showing_what_may_be_a_secret() {
    let project = project();
    for (place, words) in [
        ("s3://key:secret-key@bucket/x", "Credentials come from the environment"),
        ("s3://bucket/../other", "none that begins with a dot"),
        ("ftp://host/x", "begins with s3://, gs://, az:// or file://"),
        ("file://host/x", "file:///data/exports"),
    ] {
        let ended = run(&mut project.gqldump(&["run", "--output", place])).with_code(2);
        assert!(ended.stderr.contains(words), "{}", ended.stderr);
    }
}

#[test]
fn a_file_address_is_a_folder() {
    let (project, stub) = (project(), stub(5));
    let place = format!("file://{}", project.output().display());
    project.run(&stub, &["--output", &place]).with_code(0);
    project.exported("boxes");
}

/// A reader who follows `latest` while runs are killed, gone on with, and removed behind the two that are kept.
#[test]
fn readers_of_a_folder_see_whole_runs_while_others_are_killed_and_removed() {
    let (project, stub) = (project(), stub(5));
    let keep = ["--set", "keep=2"];
    project.run(&stub, &keep).with_code(0);
    let stop = std::sync::atomic::AtomicBool::new(false);
    let looks = std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut looks = 0;
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                for query in ["boxes", "crates"] {
                    project.exported(query);
                    looks += 1;
                }
            }
            looks
        });
        for round in 0..15 {
            let running = project.start(&stub, &keep);
            std::thread::sleep(std::time::Duration::from_millis(round * 7));
            running.signal(Signal::SIGKILL);
            running.end();
            project.run(&stub, &keep).with_code(0);
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        reader.join().expect("a reader")
    });
    assert!(looks > 10, "{looks}");
    for query in ["boxes", "crates"] {
        let runs = fs_err::read_dir(project.written(query)).expect("runs");
        let runs = runs.filter(|entry| !entry.as_ref().expect("a run").path().is_symlink());
        assert_eq!(runs.count(), 2, "{query}");
    }
}
