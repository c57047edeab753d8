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
    let remove_files = |own: &Path| {
        remove_part(own);
        fs::remove_file(own.join("_removed.json")).unwrap();
    };
    check_interrupted(remove_files, &["groups"]);
}

/// Removes all runs of `groups` but the newest complete one, where the manifest of the oldest is this one.
fn removed_with(manifest: &Manifest) -> Staged {
    let staged = published();
    let own = staged.folder.published(&RUN.parse().unwrap(), "groups");
    fs::write(own.join("_manifest.json"), manifest.to_json()).unwrap();
    remove_old_runs(&staged.folder, "groups", 1.try_into().unwrap()).unwrap();
    staged
}

#[test]
fn a_manifest_that_names_other_places_or_another_run_has_nothing_removed() {
    let victim = |staged: &Staged| staged.root.path().join("victim").join(RUN);
    for name in ["../victim", "../../victim", "/victim", "..", "", "groups/.."] {
        let mut hostile = manifest(RUN, true);
        hostile.tables.push(table_without_parts(name));
        let staged = published();
        fs::create_dir_all(victim(&staged)).unwrap();
        let own = staged.folder.published(&RUN.parse().unwrap(), "groups");
        fs::write(own.join("_manifest.json"), hostile.to_json()).unwrap();
        remove_old_runs(&staged.folder, "groups", 1.try_into().unwrap()).unwrap();
        assert!(victim(&staged).is_dir(), "{name}");
        assert_eq!(runs(&staged, "groups"), [RUN, RUNS[2].0, RUNS[3].0], "{name}");
    }
    let other = Manifest {
        query: "findings".to_owned(),
        ..manifest(RUN, true)
    };
    for foreign in [other, manifest(LATER, true)] {
        assert_eq!(runs(&removed_with(&foreign), "groups")[0], RUN);
    }
}

#[test]
fn what_has_no_manifest_and_what_another_query_file_published_stays() {
    let staged = published();
    let mine = staged.folder.published(&"20200101T000000Z".parse().unwrap(), "groups");
    fs::create_dir_all(&mine).unwrap();
    fs::write(mine.join("notes.txt"), "mine").unwrap();
    let beside = staged.folder.published(&RUN.parse().unwrap(), "groups__findings");
    fs::write(beside.join("_manifest.json"), "{}").unwrap();
    remove_old_runs(&staged.folder, "groups", 1.try_into().unwrap()).unwrap();
    assert!(mine.join("notes.txt").exists() && beside.is_dir());
    assert_eq!(runs(&staged, "groups")[1], RUNS[2].0);
}
