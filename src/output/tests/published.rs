//! What was published is read again: the newest complete run, and the values of one column.

use super::*;
use crate::output::PublishedRun;

/// Publishes a run of `groups` with the batch in two parts, and without any other table.
fn published(folder: &SourceFolder, name: &str, format: Format, complete: bool) {
    let run: RunId = name.parse().unwrap();
    let table = TableName::new("groups").unwrap();
    let mut writer = writer(&folder.staging(&run, &table), format);
    writer.write(&batch()).unwrap();
    let first = writer.close().unwrap().unwrap();
    writer.write(&batch()).unwrap();
    let parts = [first, writer.close().unwrap().unwrap()];
    let entry = crate::plan::Table {
        name: table.clone(),
        columns: Vec::new(),
    };
    let manifest = Manifest {
        tables: vec![crate::output::ManifestTable::new("groups", &run, &entry, &parts, &[])],
        ..manifest(name, complete)
    };
    let publication = Publication {
        folder,
        query: "groups",
        run: &run,
        tables: &[table],
    };
    publication.publish(&manifest).unwrap();
}

fn path(column: &str) -> Vec<String> {
    column.split('.').map(str::to_owned).collect()
}

#[test]
fn the_values_of_a_column_are_distinct_in_order_and_never_null_in_every_format() {
    for format in [Format::Parquet, Format::Ndjson, Format::NdjsonZst] {
        let folder = TempDir::new().unwrap();
        let folder = SourceFolder::new(folder.path(), "tracker");
        published(&folder, "20261122T031500Z", format, true);
        let run = PublishedRun::newest_complete(&folder, "groups").unwrap().unwrap();
        let values = |column: &str| run.distinct_values("groups", &path(column)).unwrap();
        assert_eq!(values("_id"), [json!("a"), json!("b"), json!("c")], "{format}");
        assert_eq!(values("large"), [json!(i64::MIN), json!(i64::MAX)], "{format}");
        assert_eq!(
            values("ratio"),
            [json!(5e-324), json!(0.300_000_000_000_000_04)],
            "{format}"
        );
        assert_eq!(values("open"), [json!(false), json!(true)], "{format}");
        assert_eq!(
            values("location.line"),
            [json!(7)],
            "of a null object there is no value: {format}"
        );
        assert_eq!(values("seen")[1], json!("2024-02-29T12:00:00.000001Z"), "{format}");
        let error = run
            .distinct_values("groups", &path("location.column"))
            .unwrap_err()
            .to_string();
        assert!(error.contains("has no column `location.column`"), "{format}: {error}");
        let error = run.distinct_values("teams", &path("_id")).unwrap_err().to_string();
        assert!(error.contains("has no table `teams`: run `groups` again"), "{error}");
    }
}

#[test]
fn the_newest_complete_run_is_found_whatever_stands_beside_it() {
    let folder = TempDir::new().unwrap();
    let folder = SourceFolder::new(folder.path(), "tracker");
    assert!(PublishedRun::newest_complete(&folder, "groups").unwrap().is_none());
    published(&folder, "20261122T031500Z-9", Format::Ndjson, true);
    published(&folder, "20261122T031500Z-10", Format::Ndjson, true);
    published(&folder, "20261122T031500Z-11", Format::Ndjson, false);
    fs::create_dir_all(folder.path().join("groups/20261122T031500Z-12")).unwrap();
    let newest = PublishedRun::newest_complete(&folder, "groups").unwrap().unwrap();
    assert_eq!(newest.manifest.run, "20261122T031500Z-10");
    fs::write(folder.path().join("groups/20261122T031500Z-12/_manifest.json"), "{}").unwrap();
    let error = PublishedRun::newest_complete(&folder, "groups")
        .unwrap_err()
        .to_string();
    assert!(error.contains("is no manifest: missing field"), "{error}");
}
