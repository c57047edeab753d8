//! State files that are of another version, or damaged.

use fs_err as fs;
use rusqlite::Connection;

use crate::errors::{items, pages};
use crate::program::run;
use crate::project::Project;
use crate::stub::Stub;

/// An export whose process ended when everything was read, and nothing was in a part.
fn interrupted() -> (Project, Stub) {
    let (project, stub) = (items("{ items { nodes { id size } } }"), pages());
    let mut command = project.export(&stub, &[]);
    command.env("GQLDUMP_FAILPOINT", "parts-recorded:before:1=abort");
    assert_eq!(run(&mut command).code, None);
    // What SQLite keeps beside the file goes into it.
    state(&project)
        .pragma_update(None, "wal_checkpoint", "TRUNCATE")
        .expect("a state");
    (project, stub)
}

fn path(project: &Project) -> std::path::PathBuf {
    project.written(".gqldump/state.sqlite")
}

fn state(project: &Project) -> Connection {
    Connection::open(path(project)).expect("a state")
}

/// What a run says that cannot work with the state; nothing is asked, nothing published, and the file is left as it is.
#[track_caller]
fn refusal(project: &Project, stub: &Stub) -> String {
    let (requests, content) = (stub.requests().len(), fs::read(path(project)).expect("a state"));
    let ended = project.run(stub, &["--quiet"]).with_code(1);
    assert_eq!(stub.requests().len(), requests);
    assert_eq!(
        fs::read(path(project)).expect("a state"),
        content,
        "the file was written"
    );
    assert!(!project.written("items").exists());
    project.steady(&ended.stderr)
}

/// All rows are there after so many requests more.
#[track_caller]
fn goes_on(project: &Project, stub: &Stub, requests: usize) {
    let before = stub.requests().len();
    project.run(stub, &[]).with_code(0);
    assert_eq!(project.exported("items").manifest["tables"][0]["rows"], 4);
    assert_eq!(stub.requests().len() - before, requests);
}

#[test]
fn a_state_of_another_version_is_left_alone_and_good_for_that_version() {
    let (project, stub) = interrupted();
    let version = |version: i64| {
        state(&project)
            .pragma_update(None, "user_version", version)
            .expect("a state");
    };
    let known: i64 = state(&project)
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .expect("a version");
    version(known - 1);
    let older = refusal(&project, &stub).replace(&known.to_string(), "KNOWN");
    assert!(
        older.contains("was written by an earlier version of gqldump")
            && older.contains("end its unfinished runs with that version, then move the file away"),
        "{older}"
    );
    version(known + 1);
    let newer = refusal(&project, &stub);
    assert!(
        newer.contains("was written by a later version of gqldump")
            && newer.contains("use that version, or move the file away to start afresh"),
        "{newer}"
    );
    version(known);
    goes_on(&project, &stub, 0);
}

/// A backup of a state knows nothing of what was published since.
#[test]
fn a_state_that_is_behind_its_output_is_told_at_once_and_nothing_published_is_lost() {
    let (project, stub) = interrupted();
    let backup = fs::read(path(&project)).expect("a state");
    goes_on(&project, &stub, 0);
    let published = project.exported("items").run().to_owned();
    for file in ["state.sqlite-wal", "state.sqlite-shm"] {
        let _ = fs::remove_file(project.written(".gqldump").join(file));
    }
    fs::write(path(&project), backup).expect("a state");
    let requests = stub.requests().len();
    let told = project.run(&stub, &["--quiet"]).with_code(1).stderr;
    assert_eq!(stub.requests().len(), requests, "{told}");
    let manifest = format!("items/{published}/_manifest.json` shows: the state is older than its output");
    assert!(
        told.contains(&manifest) && told.contains("Run again with --fresh"),
        "{told}"
    );
    project.run(&stub, &["--fresh"]).with_code(0);
    assert_ne!(project.exported("items").run(), published);
    assert!(project.written("items").join(published).join("_manifest.json").exists());
}

#[test]
fn a_damaged_state_is_told_as_such_and_moved_away_by_its_owner() {
    type Damage = fn(&mut Vec<u8>);
    let damages: [(&str, Damage); 3] = [
        ("another file", |bytes| {
            *bytes = b"no database at all, but long enough to be taken for one".repeat(200);
        }),
        ("a header overwritten", |bytes| bytes[..100].fill(0x55)),
        ("pages overwritten", |bytes| bytes[8192..].fill(0x55)),
    ];
    for (name, damage) in damages {
        let (project, stub) = interrupted();
        let mut bytes = fs::read(path(&project)).expect("a state");
        damage(&mut bytes);
        fs::write(path(&project), bytes).expect("a file");
        let told = refusal(&project, &stub);
        let words = "move it away to start afresh, or restore it from a backup";
        assert!(
            told.contains("state.sqlite: is damaged (") && told.contains(words),
            "{name}: {told}"
        );
        fs::rename(path(&project), project.folder().join("away")).expect("a file");
        goes_on(&project, &stub, 4);
    }
}

#[test]
fn a_damaged_value_in_the_state_is_not_taken_for_rows() {
    let changes = [
        // The last byte before the checksum: what it unpacks to may still be JSON.
        "UPDATE response SET body = CAST(substr(body, 1, length(body) - 5) || x'00' || substr(body, -4) AS BLOB)",
        "UPDATE response SET body = zeroblob(20)",
        "UPDATE response SET slots = '['",
    ];
    for change in changes {
        let (project, stub) = interrupted();
        assert_eq!(state(&project).execute(change, []).expect("a state"), 4);
        let requests = stub.requests().len();
        let ended = project.run(&stub, &["--quiet"]).with_code(1);
        assert!(
            ended.stderr.contains("state.sqlite: is damaged ("),
            "{change}: {}",
            ended.stderr
        );
        assert!(!project.written("items").exists(), "{change}");
        assert_eq!(stub.requests().len(), requests);
    }
}
