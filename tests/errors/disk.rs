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
    assert_all_rows(&project);
    // What was received and found no room has to be asked for again; what found room has not.
    let requests = stub.requests().len();
    assert!(requests <= 45, "{requests} requests for 40 pages");
    Some(project.steady(failed))
}

/// What was copied from the disk is complete.
#[track_caller]
fn assert_all_rows(project: &Project) {
    let exported = read_export(&project.folder().join("kept/api/items/latest"));
    assert_eq!(exported.incomplete(), Vec::<&str>::new());
    let columns = ["_id", "id", "size", "note"];
    let columns = columns.map(|name| (name, if name == "size" { Kind::Int32 } else { Kind::Text }));
    let rows = exported
        .rows("items", &columns)
        .into_iter()
        .map(|row| format!("{:?}", row["id"]));
    assert_eq!(rows.collect::<BTreeSet<_>>().len(), 2000);
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

/// Holds a run where it is about to do a step, fills the disk, lets it go on, makes room, and runs it again: the first run
/// fails and publishes nothing, and the second goes on from so many responses at least. Returns what the first one says.
#[cfg(debug_assertions)]
#[track_caller]
fn fill_at(place: &str, stored: usize) -> Option<String> {
    let (project, stub) = (items("{ items { nodes { id size note } } }"), many_pages());
    let script = "mount -t tmpfs -o size=24m none output
        mkdir gate
        GQLDUMP_FAILPOINT=PLACE=hold:gate \"$1\" run --quiet --set endpoint=\"$2\" & run=$!
        while [ ! -d gate/held ]; do kill -0 $run; sleep 0.01; done
        dd if=/dev/zero of=output/filler bs=4k 2> /dev/null || true
        rmdir gate/held
        code=0; wait $run || code=$?
        echo \"exit code $code\"
        find output -name _manifest.json -o -name latest
        rm output/filler
        \"$1\" run --set endpoint=\"$2\"
        cp -a output kept";
    let ended = with_mounts(&project, &stub, &script.replace("PLACE", place))?.with_code(0);
    assert_eq!(ended.stdout, "exit code 1\n", "{place}: {}", ended.stderr);
    assert_all_rows(&project);
    let (failed, resumed) = ended.stderr.split_once('\n').expect("lines");
    let pattern = regex::Regex::new("goes on: ([0-9]+) responses").expect("a pattern");
    let there = &pattern.captures(resumed).expect("a run that goes on")[1];
    assert!(
        there.parse::<usize>().expect("a number") >= stored,
        "{place}: {resumed}"
    );
    let requests = stub.requests().len();
    assert!(
        stored < 40 || requests == 40,
        "{place}: {requests} requests for 40 pages"
    );
    Some(project.steady(failed))
}

#[cfg(debug_assertions)]
#[test]
fn a_disk_that_fills_up_before_any_step_is_told_and_nothing_that_was_stored_is_asked_for_again() {
    let steps = [
        ("response-stored:before:10", 9),
        ("part-closed:before:1", 40),
        ("parts-recorded:before:1", 40),
        ("publishing-begun:before:1", 40),
        ("manifest-written:before:1", 40),
    ];
    for (place, stored) in steps {
        let Some(told) = fill_at(place, stored) else { return };
        let said = [
            "state.sqlite: the disk is full; make room and run again, nothing that was fetched is lost",
            "make room and run again, it goes on where it stopped",
        ];
        assert!(said.iter().any(|said| told.contains(said)), "{place}: {told}");
    }
}

#[cfg(debug_assertions)]
#[test]
fn a_disk_that_turns_read_only_between_two_runs_keeps_what_is_on_it() {
    let (project, stub) = (items("{ items { nodes { id size note } } }"), many_pages());
    let script = "mount -t tmpfs -o size=24m none output
        GQLDUMP_FAILPOINT=response-stored:after:10=abort \"$1\" run --quiet --set endpoint=\"$2\" || true
        mount -o remount,ro output
        code=0; \"$1\" run --quiet --set endpoint=\"$2\" || code=$?
        echo \"exit code $code\"
        mount -o remount,rw output
        \"$1\" run --set endpoint=\"$2\"
        cp -a output kept";
    let Some(ended) = with_mounts(&project, &stub, script) else {
        return;
    };
    let ended = ended.with_code(0);
    assert_eq!(ended.stdout, "exit code 1\n", "{}", ended.stderr);
    let said = "output/api/.gqldump/lock: cannot be written (";
    let remedy = "Read-only file system (os error 30)); check the permissions of the output folder";
    assert!(
        ended.stderr.contains(said) && ended.stderr.contains(remedy),
        "{}",
        ended.stderr
    );
    assert_all_rows(&project);
    assert!(stub.requests().len() <= 42, "{}", stub.requests().len());
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
