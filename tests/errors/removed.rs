//! Folders and files that somebody removes, or writes into, while a run goes on or between two runs.

use std::path::Path;

use fs_err as fs;

use crate::errors::{items, pages};
use crate::program::{Ended, start};
use crate::project::Project;
use crate::stub::Stub;

fn project() -> Project {
    items("{ items { nodes { id size } } }")
}

/// Runs an export up to a place, does something to its output there, and lets it go on to its end.
#[track_caller]
fn disturbed(project: &Project, stub: &Stub, place: &str, disturb: impl FnOnce(&Path)) -> Ended {
    let gate = project.folder().join("gate");
    fs::create_dir(&gate).expect("a folder");
    let mut command = project.export(stub, &["--quiet"]);
    command.env("GQLDUMP_FAILPOINT", format!("{place}=hold:{}", gate.display()));
    let mut running = start(&mut command);
    while !gate.join("held").exists() {
        assert!(!running.has_ended(), "{place} is never reached");
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    disturb(&project.written(""));
    fs::remove_dir_all(gate).expect("a folder");
    running.end()
}

/// A run that fails there says so in these words, and publishes nothing.
#[track_caller]
fn fails(project: &Project, stub: &Stub, place: &str, disturb: impl FnOnce(&Path), words: &str) {
    let ended = disturbed(project, stub, place, disturb).with_code(1);
    let told = project.steady(&ended.stderr);
    assert!(told.contains(words), "{place}: {told}");
    assert!(
        !project.written("items/latest").exists() && manifests(project) == 0,
        "{place}"
    );
}

fn manifests(project: &Project) -> usize {
    let runs = fs::read_dir(project.written("items")).into_iter().flatten();
    let manifest = |entry: std::io::Result<fs::DirEntry>| entry.expect("an entry").path().join("_manifest.json");
    runs.map(manifest).filter(|path| path.exists()).count()
}

/// The next run, perhaps with a flag, brings all rows with so many requests.
#[track_caller]
fn mended(project: &Project, stub: &Stub, arguments: &[&str], requests: usize) {
    let before = stub.requests().len();
    project.run(stub, arguments).with_code(0);
    let exported = project.exported("items");
    assert_eq!(
        (exported.incomplete(), &exported.manifest["tables"][0]["rows"]),
        (vec![], &4.into())
    );
    assert_eq!(stub.requests().len() - before, requests);
}

fn remove(path: &'static str) -> impl FnOnce(&Path) {
    move |output| fs::remove_dir_all(output.join(path)).expect("a folder")
}

#[test]
fn staging_that_is_removed_while_parts_are_written_costs_no_request() {
    let (project, stub) = (project(), pages());
    let place = "part-closed:before:1";
    fails(
        &project,
        &stub,
        place,
        remove(".gqldump/staging"),
        "is gone, somebody removed it while the run went on",
    );
    mended(&project, &stub, &[], 0);
}

#[test]
fn parts_that_are_removed_before_they_are_published_are_missed() {
    let (project, stub) = (project(), pages());
    let place = "publishing-begun:after:1";
    fails(
        &project,
        &stub,
        place,
        remove(".gqldump/staging"),
        "are gone, so that the run cannot be published",
    );
    let again = project.run(&stub, &["--quiet"]).with_code(1);
    assert!(again.stderr.contains("start it again with --fresh"), "{}", again.stderr);
    mended(&project, &stub, &["--fresh"], 4);
}

#[test]
fn one_part_that_is_removed_or_cut_short_is_missed() {
    for is_removed in [true, false] {
        let (project, stub) = (project(), pages());
        let disturb = |output: &Path| {
            let runs = fs::read_dir(output.join("items")).expect("runs");
            let folder = runs.map(|entry| entry.expect("a run").path()).next().expect("a run");
            let part = folder.join("part-00000.parquet");
            match is_removed {
                true => fs::remove_file(part).expect("a part"),
                false => fs::write(part, "PAR1").expect("a part"),
            }
        };
        let words = "part-00000.parquet` is gone or cut short, so that the run cannot be published: start it again with --fresh";
        fails(&project, &stub, "table-moved:after:1", disturb, words);
        mended(&project, &stub, &["--fresh"], 4);
    }
}

#[test]
fn a_state_that_is_removed_is_begun_afresh() {
    for (place, folder) in [("response-stored:after:1", ".gqldump"), ("response-stored:after:1", "")] {
        let (project, stub) = (project(), pages());
        fails(
            &project,
            &stub,
            place,
            remove(folder),
            "is gone, somebody removed it while the run went on",
        );
        mended(&project, &stub, &[], 4);
    }
}
