//! Old runs in a folder.

use super::*;
use crate::output::keep::remove_old_runs;

const RUNS: [(&str, bool); 4] = [
    ("20261122T040000Z", true),
    ("20261122T050000Z", false),
    ("20261122T060000Z", true),
    ("20261122T070000Z", false),
];

fn published() -> Staged {
    let staged = Staged::new();
    staged.publish(RUN, true).unwrap();
    for (run, complete) in RUNS {
        staged.stage(run);
        staged.publish(run, complete).unwrap();
    }
    staged
}

fn runs(staged: &Staged, table: &str) -> Vec<String> {
    let entries = fs::read_dir(staged.folder.path().join(table)).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name != "latest").collect();
    names.sort();
    names
}

#[test]
fn the_newest_complete_runs_stay_with_all_that_is_newer_and_what_is_older_goes_with_all_its_tables() {
    for (keep, first) in [(3, RUN), (2, RUNS[0].0), (1, RUNS[2].0)] {
        let staged = published();
        remove_old_runs(&staged.folder, "groups", keep.try_into().unwrap()).unwrap();
        for table in ["groups", "groups__findings"] {
            let left = runs(&staged, table);
            assert_eq!(left.first().map(String::as_str), Some(first), "{keep} of {table}");
            assert_eq!(left.last().map(String::as_str), Some(RUNS[3].0));
        }
    }
    let staged = published();
    remove_old_runs(&staged.folder, "groups", 4.try_into().unwrap()).unwrap();
    assert_eq!(runs(&staged, "groups").len(), 5, "fewer are complete than are kept");
}

/// Interrupts the removal of the oldest run, and goes on with it.
fn check_interrupted(interrupt: impl Fn(&Path), tables: &[&str]) {
    let staged = published();
    interrupt(&staged.folder.published(&RUN.parse().unwrap(), "groups"));
    remove_old_runs(&staged.folder, "groups", 2.try_into().unwrap()).unwrap();
    for table in tables {
        assert_eq!(runs(&staged, table).first().map(String::as_str), Some(RUNS[0].0));
    }
}

#[test]
fn a_removal_that_was_interrupted_is_gone_on_with() {
    let rename = |own: &Path| fs::rename(own.join("_manifest.json"), own.join("_removed.json")).unwrap();
    check_interrupted(rename, &["groups", "groups__findings"]);
    let remove_part = |own: &Path| {
        rename(own);
        fs::remove_file(own.join("part-00000.ndjson")).unwrap();
    };
    check_interrupted(remove_part, &["groups", "groups__findings"]);
    // What the other tables were called is not known any more.
    check_interrupted(|own| fs::remove_file(own.join("_manifest.json")).unwrap(), &["groups"]);
}
