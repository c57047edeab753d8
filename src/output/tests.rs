//! Files written, and read back by readers other than the writer; publishing, also when it is cut off.

mod keep;
mod published;
mod remote;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Decimal128Array, Float64Array, Int64Array, ListArray, RecordBatch, StringArray,
    StructArray, TimestampMicrosecondArray,
};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Field, Fields, Int32Type, Schema, SchemaRef};
use fs_err as fs;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::Compression;
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::output::{
    Format, MANIFEST_VERSION, Manifest, ManifestTable, OutputError, Part, Publication, RunId, SourceFolder, TableFiles,
    TableWriter, Traffic,
};
use crate::plan::TableName;

/// A batch of every kind of column, with nulls, and with texts that a writer could spoil.
fn batch() -> RecordBatch {
    let json = [("gqldump.type".to_owned(), "json".to_owned())].into();
    let item = Arc::new(Field::new("line", DataType::Int32, true));
    let lines = ListArray::from_iter_primitive::<Int32Type, _, _>([Some(vec![Some(1), None]), None, Some(vec![])]);
    let extra = Arc::new(Field::new("extra", DataType::Utf8, true).with_metadata(json));
    let extras: ArrayRef = Arc::new(StringArray::from(vec![
        Some("{\n\"a\": [1.10],\r\n\"b\":\"x\\n\"}"),
        None,
        Some("[]"),
    ]));
    let numbers: ArrayRef = Arc::new(arrow::array::Int32Array::from(vec![Some(7), None, None]));
    let location = StructArray::new(
        Fields::from(vec![Arc::clone(&item), Arc::clone(&extra)]),
        vec![numbers, Arc::clone(&extras)],
        Some(NullBuffer::from(vec![true, false, true])),
    );
    let price = Decimal128Array::from(vec![Some(123_456_789_012_345_678_901_234_567_890_i128), None, Some(-5)]);
    let seen = TimestampMicrosecondArray::from(vec![Some(1_709_208_000_000_001), None, Some(-1)]);
    let columns: Vec<(&str, bool, ArrayRef)> = vec![
        ("_id", false, Arc::new(StringArray::from(vec!["a", "b", "c"]))),
        (
            "text",
            true,
            Arc::new(StringArray::from(vec![Some("é\"\n\u{1}😀"), None, Some("")])),
        ),
        (
            "large",
            true,
            Arc::new(Int64Array::from(vec![Some(i64::MAX), None, Some(i64::MIN)])),
        ),
        (
            "ratio",
            true,
            Arc::new(Float64Array::from(vec![
                Some(0.300_000_000_000_000_04),
                None,
                Some(5e-324),
            ])),
        ),
        ("price", true, Arc::new(price.with_precision_and_scale(38, 10).unwrap())),
        ("seen", true, Arc::new(seen.with_timezone("+00:00"))),
        (
            "open",
            true,
            Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)])),
        ),
        ("lines", true, Arc::new(lines)),
        ("location", true, Arc::new(location)),
    ];
    let fields = columns
        .iter()
        .map(|(name, nullable, array)| Field::new(*name, array.data_type().clone(), *nullable));
    let mut fields: Vec<_> = fields.map(Arc::new).collect();
    fields.push(extra);
    let arrays = columns.into_iter().map(|(_, _, array)| array).chain([extras]).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).unwrap()
}

fn files(folder: &Path, format: Format, schema: SchemaRef) -> TableFiles {
    TableFiles {
        folder: folder.to_owned(),
        format,
        schema,
        metadata: vec![("gqldump.run".to_owned(), "20261122T031500Z".to_owned())],
    }
}

fn writer(folder: &Path, format: Format) -> TableWriter {
    TableWriter::new(files(folder, format, batch().schema()), 0)
}

fn assert_is_as_recorded(folder: &Path, part: &Part) {
    let bytes = fs::read(folder.join(&part.file)).unwrap();
    assert_eq!(part.bytes, u64::try_from(bytes.len()).unwrap());
    assert_eq!(part.sha256, format!("{:x}", Sha256::digest(&bytes)));
}

fn read_parquet(path: &Path) -> Vec<RecordBatch> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(fs::File::open(path).unwrap().into_file()).unwrap();
    reader
        .with_batch_size(1 << 20)
        .build()
        .unwrap()
        .map(Result::unwrap)
        .collect()
}

fn read_metadata(path: &Path) -> ParquetMetaData {
    let reader = ParquetMetaDataReader::new().with_page_index_policy(PageIndexPolicy::Required);
    reader
        .parse_and_finish(&fs::File::open(path).unwrap().into_file())
        .unwrap()
}

#[test]
fn parquet_reads_back_value_by_value() {
    let folder = TempDir::new().unwrap();
    let mut writer = writer(folder.path(), Format::Parquet);
    writer.write(&batch()).unwrap();
    assert!(writer.buffered_bytes() > 0);
    let part = writer.close().unwrap().unwrap();
    assert_eq!((part.file.as_str(), part.rows), ("part-00000.parquet", 3));
    assert_is_as_recorded(folder.path(), &part);
    assert_eq!(read_parquet(&folder.path().join(&part.file)), [batch()]);
}

#[test]
fn parquet_files_help_their_readers() {
    let folder = TempDir::new().unwrap();
    let mut writer = writer(folder.path(), Format::Parquet);
    writer.write(&batch()).unwrap();
    writer.flush_row_group().unwrap();
    assert_eq!(writer.buffered_bytes(), 0);
    writer.write(&batch()).unwrap();
    let part = writer.close().unwrap().unwrap();

    let metadata = read_metadata(&folder.path().join(part.file));
    assert_eq!(metadata.num_row_groups(), 2);
    let entries = metadata.file_metadata().key_value_metadata().unwrap();
    let run = entries.iter().find(|entry| entry.key == "gqldump.run").unwrap();
    assert_eq!(run.value.as_deref(), Some("20261122T031500Z"));
    assert!(
        metadata
            .file_metadata()
            .created_by()
            .unwrap()
            .starts_with("gqldump version ")
    );
    for column in metadata.row_group(0).columns() {
        assert!(matches!(column.compression(), Compression::ZSTD(_)));
        assert!(column.statistics().is_some());
        assert!(column.column_index_offset().is_some() && column.offset_index_offset().is_some());
    }
}

fn read_lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn ndjson_reads_back_value_by_value() {
    let folder = TempDir::new().unwrap();
    let mut writer = writer(folder.path(), Format::Ndjson);
    writer.write(&batch()).unwrap();
    let part = writer.close().unwrap().unwrap();
    assert_eq!((part.file.as_str(), part.rows), ("part-00000.ndjson", 3));
    assert_is_as_recorded(folder.path(), &part);

    let text = fs::read_to_string(folder.path().join(&part.file)).unwrap();
    let extra = json!({"a": [1.1], "b": "x\n"});
    let expected = [
        json!({
            "_id": "a", "text": "é\"\n\u{1}😀", "large": i64::MAX, "ratio": 0.300_000_000_000_000_04,
            "price": 12_345_678_901_234_567_890.123_456_789, "seen": "2024-02-29T12:00:00.000001Z", "open": true,
            "lines": [1, null], "location": {"line": 7, "extra": extra}, "extra": extra,
        }),
        json!({
            "_id": "b", "text": null, "large": null, "ratio": null, "price": null, "seen": null, "open": null,
            "lines": null, "location": null, "extra": null,
        }),
        json!({
            "_id": "c", "text": "", "large": i64::MIN, "ratio": 5e-324, "price": -0.000_000_000_5,
            "seen": "1969-12-31T23:59:59.999999Z", "open": false, "lines": [], "location": {"line": null, "extra": []},
            "extra": [],
        }),
    ];
    assert_eq!(read_lines(&text), expected);
    assert!(text.contains(r#""price":12345678901234567890.1234567890,"#), "{text}");
    assert!(text.contains(r#""a": [1.10]"#), "{text}");
}

#[test]
fn compressed_ndjson_is_the_same_text() {
    let folder = TempDir::new().unwrap();
    for format in [Format::Ndjson, Format::NdjsonZst] {
        let mut writer = writer(folder.path(), format);
        (0..100).for_each(|_| writer.write(&batch()).unwrap());
        let part = writer.close().unwrap().unwrap();
        assert_eq!(part.rows, 300);
        assert_is_as_recorded(folder.path(), &part);
    }
    let plain = fs::read(folder.path().join("part-00000.ndjson")).unwrap();
    let compressed = fs::read(folder.path().join("part-00000.ndjson.zst")).unwrap();
    assert!(compressed.len() < plain.len() / 10);
    assert_eq!(zstd::decode_all(&compressed[..]).unwrap(), plain);
}

#[test]
fn parts_follow_each_other_from_the_number_given() {
    for format in [Format::Parquet, Format::Ndjson, Format::NdjsonZst] {
        let folder = TempDir::new().unwrap();
        let mut writer = TableWriter::new(files(folder.path(), format, batch().schema()), 3);
        let names = [(); 2].map(|()| {
            writer.write(&batch()).unwrap();
            assert_eq!(
                writer.written_bytes() > 0,
                format != Format::NdjsonZst,
                "the compressor still holds all of it"
            );
            writer.close().unwrap().unwrap().file
        });
        assert_eq!(names, [format!("part-00003.{format}"), format!("part-00004.{format}")]);
        assert!(writer.close_table().unwrap().is_none());
    }
}

#[test]
fn a_table_without_rows_has_a_part_with_its_columns() {
    let folder = TempDir::new().unwrap();
    assert!(writer(folder.path(), Format::Parquet).close().unwrap().is_none());
    let part = writer(folder.path(), Format::Parquet).close_table().unwrap().unwrap();
    assert_eq!(part.rows, 0);
    let file = fs::File::open(folder.path().join(&part.file)).unwrap().into_file();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    assert_eq!(reader.schema().fields(), batch().schema().fields());

    let part = writer(folder.path(), Format::Ndjson).close_table().unwrap().unwrap();
    assert_eq!((part.rows, part.bytes), (0, 0));
    let mut resumed = TableWriter::new(files(folder.path(), Format::Ndjson, batch().schema()), 1);
    assert!(resumed.close_table().unwrap().is_none());
}

#[test]
fn memory_for_rows_stays_bounded() {
    let folder = TempDir::new().unwrap();
    let names = ["a", "b", "c", "d"];
    let schema = Arc::new(Schema::new(
        names.map(|name| Field::new(name, DataType::Int64, false)).to_vec(),
    ));
    let mut writer = TableWriter::new(files(folder.path(), Format::Parquet, Arc::clone(&schema)), 0);
    // Numbers that neither repeat nor compress.
    let mut state = 1_i64;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        state
    };
    let mut most = 0;
    for _ in 0..256 {
        let numbers = names.map(|_| Arc::new(Int64Array::from_iter_values((0..8192).map(|_| next()))) as ArrayRef);
        writer
            .write(&RecordBatch::try_new(Arc::clone(&schema), numbers.to_vec()).unwrap())
            .unwrap();
        most = most.max(writer.buffered_bytes());
    }
    let part = writer.close().unwrap().unwrap();
    assert!(
        part.bytes > 64 << 20 && (7 << 20..9 << 20).contains(&most),
        "{} and {most}",
        part.bytes
    );
    let rows: usize = read_parquet(&folder.path().join(part.file))
        .iter()
        .map(RecordBatch::num_rows)
        .sum();
    assert_eq!(rows, 256 * 8192);
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_told_as_such_in_every_format() {
    for format in [Format::Parquet, Format::Ndjson, Format::NdjsonZst] {
        let folder = TempDir::new().unwrap();
        let full = folder.path().join(format!("part-00000.{format}"));
        fs::os::unix::fs::symlink("/dev/full", &full).unwrap();
        let mut writer = writer(folder.path(), format);
        let error = writer.write(&batch()).and_then(|()| writer.close()).unwrap_err();
        assert!(
            matches!(&error, OutputError::DiskFull { path } if *path == full),
            "{error}"
        );
    }
}

#[test]
fn a_file_in_the_place_of_a_folder_is_told() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("output");
    fs::write(&file, "").unwrap();
    for place in [file.clone(), file.join("tracker")] {
        let error = writer(&place, Format::Parquet).write(&batch()).unwrap_err();
        assert!(
            matches!(&error, OutputError::NotAFolder { path } if *path == place),
            "{error}"
        );
    }
}

/// A run of the query file `groups` with the tables `groups` and `groups__findings`, staged.
struct Staged {
    root: TempDir,
    folder: SourceFolder,
    run: RunId,
    tables: [TableName; 2],
}

impl Staged {
    fn new() -> Self {
        let root = TempDir::new().unwrap();
        let staged = Self {
            folder: SourceFolder::new(root.path(), "tracker"),
            root,
            run: "20261122T031500Z".parse().unwrap(),
            tables: ["groups", "groups__findings"].map(|name| TableName::new(name).unwrap()),
        };
        staged.stage("20261122T031500Z");
        staged
    }

    fn stage(&self, run: &str) {
        for table in &self.tables {
            let folder = self.folder.staging(&run.parse().unwrap(), table);
            writer(&folder, Format::Ndjson).close_table().unwrap();
        }
    }

    fn publish(&self, run: &str, complete: bool) -> Result<PathBuf, OutputError> {
        Publication {
            folder: &self.folder,
            query: "groups",
            run: &run.parse().unwrap(),
            tables: &self.tables,
        }
        .publish(&manifest(run, complete))
    }

    /// The files and links below the source's folder.
    fn tree(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut folders = vec![self.root.path().join("tracker")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).unwrap() {
                let path = entry.unwrap().path();
                let name = path.strip_prefix(self.folder.path()).unwrap().display().to_string();
                match fs::read_link(&path) {
                    Ok(target) => found.push(format!("{name} -> {}", target.display())),
                    Err(_) if path.is_dir() => folders.push(path),
                    Err(_) => found.push(name),
                }
            }
        }
        found.sort();
        found
    }
}

fn manifest(run: &str, complete: bool) -> Manifest {
    Manifest {
        manifest_version: MANIFEST_VERSION,
        tool_version: String::new(),
        source: "tracker".to_owned(),
        query: "groups".to_owned(),
        query_hash: String::new(),
        run: run.to_owned(),
        started: String::new(),
        finished: String::new(),
        complete,
        incomplete: Vec::new(),
        each: None,
        tables: ["groups", "groups__findings"].map(table_without_parts).to_vec(),
        connections: Vec::new(),
        traffic: Traffic::default(),
    }
}

fn table_without_parts(name: &str) -> ManifestTable {
    ManifestTable {
        name: name.to_owned(),
        rows: 0,
        rejected: 0,
        bytes: 0,
        columns: Vec::new(),
        parts: Vec::new(),
        reject_parts: Vec::new(),
    }
}

const RUN: &str = "20261122T031500Z";
const LATER: &str = "20261122T031500Z-2";

const PUBLISHED: [&str; 5] = [
    "groups/20261122T031500Z/_manifest.json",
    "groups/20261122T031500Z/part-00000.ndjson",
    "groups/latest -> 20261122T031500Z",
    "groups__findings/20261122T031500Z/part-00000.ndjson",
    "groups__findings/latest -> 20261122T031500Z",
];

#[test]
#[cfg(unix)]
fn a_complete_run_is_published_with_all_its_tables() {
    let staged = Staged::new();
    let path = staged.publish(RUN, true).unwrap();
    assert_eq!(staged.tree(), PUBLISHED);
    assert!(!staged.folder.path().join(".gqldump").exists());
    let read: Manifest = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    assert_eq!(read, manifest(RUN, true));
    assert!(staged.folder.has_run(&staged.run, &["groups"]));
    assert!(!staged.folder.has_run(&LATER.parse().unwrap(), &["groups"]));
}

#[test]
#[cfg(unix)]
fn publishing_goes_on_from_wherever_it_was_cut_off() {
    let half_moved = |staged: &Staged| {
        let table = &staged.tables[0];
        fs::create_dir_all(staged.folder.path().join("groups")).unwrap();
        let published = staged.folder.published(&staged.run, "groups");
        fs::rename(staged.folder.staging(&staged.run, table), published).unwrap();
    };
    let half_written = |staged: &Staged| {
        half_moved(staged);
        fs::write(
            staged.folder.published(&staged.run, "groups").join("_manifest.tmp"),
            "{",
        )
        .unwrap();
    };
    let half_linked = |staged: &Staged| {
        staged.publish(RUN, true).unwrap();
        fs::remove_file(staged.folder.path().join("groups__findings/latest")).unwrap();
        fs::os::unix::fs::symlink("nowhere", staged.folder.path().join("groups__findings/.latest")).unwrap();
    };
    let done = |staged: &Staged| drop(staged.publish(RUN, true).unwrap());
    let cuts: [&dyn Fn(&Staged); 4] = [&half_moved, &half_written, &half_linked, &done];
    for cut in cuts {
        let staged = Staged::new();
        cut(&staged);
        staged.publish(RUN, true).unwrap();
        assert_eq!(staged.tree(), PUBLISHED);
    }
}

#[test]
fn a_manifest_that_is_there_stays() {
    let staged = Staged::new();
    let path = staged.publish(RUN, true).unwrap();
    let before = fs::read_to_string(&path).unwrap();
    let mut other = manifest(RUN, true);
    other.traffic.requests = 99;
    let publication = Publication {
        folder: &staged.folder,
        query: "groups",
        run: &staged.run,
        tables: &staged.tables,
    };
    publication.publish(&other).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), before);
}

#[test]
#[cfg(unix)]
fn latest_names_the_newest_complete_run() {
    let staged = Staged::new();
    let latest = || fs::read_link(staged.folder.path().join("groups/latest")).ok();
    staged.publish(RUN, false).unwrap();
    assert_eq!(latest(), None);

    for (run, complete, expected) in [
        ("20261122T040000Z", true, "20261122T040000Z"),
        ("20261122T050000Z", false, "20261122T040000Z"),
        ("20261122T033000Z", true, "20261122T040000Z"),
        ("20261122T040000Z-2", true, "20261122T040000Z-2"),
    ] {
        staged.stage(run);
        staged.publish(run, complete).unwrap();
        assert_eq!(latest(), Some(PathBuf::from(expected)), "{run}");
    }
}

#[test]
fn a_folder_named_latest_is_not_ours_to_remove() {
    let staged = Staged::new();
    let latest = staged.folder.path().join("groups/latest");
    fs::create_dir_all(&latest).unwrap();
    let error = staged.publish(RUN, true).unwrap_err();
    assert!(
        matches!(&error, OutputError::NotALink { path } if *path == latest),
        "{error}"
    );
}

#[test]
fn a_query_file_whose_tables_have_other_names_has_a_folder_for_its_manifest() {
    let staged = Staged::new();
    let publication = Publication {
        folder: &staged.folder,
        query: "overview",
        run: &staged.run,
        tables: &staged.tables,
    };
    let path = publication.publish(&manifest(RUN, true)).unwrap();
    assert_eq!(
        path,
        staged.folder.path().join("overview").join(RUN).join("_manifest.json")
    );
    assert!(
        staged
            .folder
            .path()
            .join("overview/latest")
            .join("_manifest.json")
            .exists()
            || cfg!(not(unix))
    );
}

#[test]
fn tables_that_are_gone_or_in_the_way_are_told() {
    let staged = Staged::new();
    let findings = staged.folder.staging(&staged.run, &staged.tables[1]);
    fs::remove_dir_all(&findings).unwrap();
    let error = staged.publish(RUN, true).unwrap_err();
    assert!(
        matches!(&error, OutputError::NothingStaged { path } if *path == findings),
        "{error}"
    );

    let staged = Staged::new();
    let groups = staged.folder.published(&staged.run, "groups");
    fs::create_dir_all(&groups).unwrap();
    fs::write(groups.join("mine.txt"), "").unwrap();
    let error = staged.publish(RUN, true).unwrap_err();
    assert!(
        matches!(&error, OutputError::AlreadyThere { path } if *path == groups),
        "{error}"
    );
}

#[test]
fn a_published_run_that_is_staged_again_is_told_and_stays_as_it_is() {
    let staged = Staged::new();
    let manifest = staged.publish(RUN, true).unwrap();
    let text = fs::read_to_string(&manifest).unwrap();
    fs::create_dir_all(staged.folder.staging(&staged.run, &staged.tables[1])).unwrap();
    let error = staged.publish(RUN, false).unwrap_err();
    assert!(
        matches!(&error, OutputError::StateBehind { path } if *path == manifest),
        "{error}"
    );
    assert_eq!(fs::read_to_string(manifest).unwrap(), text);
}

#[test]
fn leftovers_are_what_was_not_recorded() {
    let staged = Staged::new();
    let groups = &staged.tables[0];
    let folder = staged.folder.staging(&staged.run, groups);
    for name in ["part-00001.ndjson", "part-00002.ndjson"] {
        fs::write(folder.join(name), "half").unwrap();
    }
    staged
        .folder
        .remove_leftovers(&staged.run, groups, &["part-00000.ndjson", "part-00001.ndjson"])
        .unwrap();
    let names = |folder: &Path| {
        let mut names: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        names.sort();
        names
    };
    assert_eq!(names(&folder), ["part-00000.ndjson", "part-00001.ndjson"]);

    staged.folder.remove_leftovers(&staged.run, groups, &[]).unwrap();
    assert!(!folder.exists());
    assert!(staged.folder.staging(&staged.run, &staged.tables[1]).exists());
    staged
        .folder
        .remove_leftovers(&staged.run, &staged.tables[1], &[])
        .unwrap();
    assert!(!staged.folder.path().join(".gqldump").exists());
    staged
        .folder
        .remove_leftovers(&staged.run, groups, &["part-00000.ndjson"])
        .unwrap();
}
