//! Disks that are full, read-only, or taken.

use std::collections::BTreeSet;
use std::process::Command;
use std::time::Duration;

use fs_err as fs;
use serde_json::{Value, json};

use crate::cell::Kind;
use crate::errors::{ITEMS, failure, items, page};
use crate::exported::read_export;
use crate::program::{Ended, run};
use crate::project::{Api, Project};
use crate::stub::{Answer, Stub, cursor};

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
        let node =
            |row: u64| json!({ "id": format!("{number}-{row}"), "size": row, "note": long_note(number * 50 + row) });
        let nodes: Vec<Value> = (0..50).map(node).collect();
        let next = (number < 39).then(|| (number + 1).to_string());
        Answer::Json(page(nodes.into(), next.as_deref()))
    })
}

/// Runs an export on a disk of that size, which is too small for it, makes room, and runs it again, which goes on and
/// loses nothing. Returns what the first run says.
fn fill_and_make_room(size: &str, format: &str) -> Option<String> {
    let (project, stub) = (items("{ items { nodes { id size note } } }"), many_pages());
    let script = "mount -t tmpfs -o size=SIZE none output
        code=0; \"$1\" run --quiet --format FORMAT --set endpoint=\"$2\" || code=$?
        echo \"exit code $code\"
        mount -o remount,size=64m output
        \"$1\" run --format FORMAT --set endpoint=\"$2\"
        cp -a output kept";
    let script = script.replace("SIZE", size).replace("FORMAT", format);
    let ended = with_mounts(&project, &stub, &script)?.with_code(0);
    assert_eq!(ended.stdout, "exit code 1\n");
    let (failed, resumed) = ended.stderr.split_once('\n').expect("lines");
    let is_begun = regex::Regex::new("goes on: [1-9][0-9]* responses?").expect("a pattern");
    assert!(is_begun.is_match(resumed), "{resumed}");
    let exported = read_export(&project.folder().join("kept/api/items/latest"));
    assert_eq!(exported.incomplete(), Vec::<&str>::new());
    let columns = ["_id", "id", "size", "note"];
    let columns = columns.map(|name| (name, if name == "size" { Kind::Int32 } else { Kind::Text }));
    let rows = exported
        .rows("items", &columns)
        .into_iter()
        .map(|row| format!("{:?}", row["id"]));
    assert_eq!(rows.collect::<BTreeSet<_>>().len(), 2000);
    // What was received and found no room has to be asked for again; what found room has not.
    let requests = stub.requests().len();
    assert!(requests <= 45, "{requests} requests for 40 pages");
    Some(project.steady(failed))
}

#[test]
fn a_full_disk_is_told_as_such_and_the_run_goes_on_when_there_is_room() {
    for (size, format) in [("700k", "parquet"), ("3m", "ndjson")] {
        let Some(told) = fill_and_make_room(size, format) else {
            return;
        };
        let said = "full; make room and run again";
        assert!(told.contains(said) || told.contains("no space left for"), "{told}");
    }
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
