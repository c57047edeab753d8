//! What a run left behind, read by other means than it was written: the manifest, and the rows of its parts.

use std::path::{Path, PathBuf};

use fs_err as fs;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::cell::{Cell, Kind, Row, row_of_json};

/// One published run of a query file. Its parts were checked against its manifest.
pub(crate) struct Exported {
    folder: PathBuf,
    /// `_manifest.json`.
    pub(crate) manifest: Value,
}

/// Reads the run in this folder.
pub(crate) fn read_export(folder: &Path) -> Exported {
    // The link is followed once: it may move between two looks.
    let folder = folder.canonicalize().expect("a run");
    let manifest = fs::read_to_string(folder.join("_manifest.json")).expect("a manifest");
    let exported = Exported {
        folder,
        manifest: serde_json::from_str(&manifest).expect("JSON"),
    };
    for table in exported.manifest["tables"].as_array().expect("tables") {
        exported.check_parts(&table["parts"], &table["rows"]);
        exported.check_parts(&table["reject_parts"], &table["rejected"]);
    }
    exported
}

impl Exported {
    /// What keeps the run from being complete.
    pub(crate) fn incomplete(&self) -> Vec<&str> {
        let lines = self.manifest["incomplete"].as_array().expect("a list");
        let lines: Vec<&str> = lines.iter().map(|line| line.as_str().expect("text")).collect();
        assert_eq!(self.manifest["complete"], Value::Bool(lines.is_empty()));
        lines
    }

    /// The run's name.
    pub(crate) fn run(&self) -> &str {
        self.manifest["run"].as_str().expect("text")
    }

    /// The rows of a table, in the order of its parts, which have exactly these columns.
    pub(crate) fn rows(&self, table: &str, columns: &[(&'static str, Kind)]) -> Vec<Row> {
        self.files(table, "parts")
            .iter()
            .flat_map(|file| read_rows(file, columns))
            .collect()
    }

    /// The parts of a table of NDJSON.
    pub(crate) fn texts(&self, table: &str) -> Vec<String> {
        let files = self.files(table, "parts");
        files
            .iter()
            .map(|file| fs::read_to_string(file).expect("a part"))
            .collect()
    }

    /// The rows of a table that was written as NDJSON, whatever their columns are.
    pub(crate) fn json_rows(&self, table: &str) -> Vec<serde_json::Map<String, Value>> {
        let texts = self.texts(table);
        let lines = texts.iter().flat_map(|text| text.lines());
        lines.map(|line| serde_json::from_str(line).expect("a row")).collect()
    }

    /// The rows that did not fit a table.
    pub(crate) fn rejects(&self, table: &str) -> Vec<Row> {
        let columns = ["_row", "_reason", "_column"].map(|name| (name, Kind::Text));
        self.files(table, "reject_parts")
            .iter()
            .flat_map(|file| read_rows(file, &columns))
            .collect()
    }

    fn files(&self, table: &str, parts: &str) -> Vec<PathBuf> {
        let tables = self.manifest["tables"].as_array().expect("tables");
        let entry = tables.iter().find(|entry| entry["name"] == table);
        let entry = entry.unwrap_or_else(|| panic!("no table `{table}` in {}", self.manifest));
        let parts = entry[parts].as_array().expect("parts").iter();
        parts
            .map(|part| self.folder.join(part["path"].as_str().expect("a path")))
            .collect()
    }

    fn check_parts(&self, parts: &Value, rows: &Value) {
        let parts = parts.as_array().expect("parts");
        for part in parts {
            let bytes = fs::read(self.folder.join(part["path"].as_str().expect("a path"))).expect("a part");
            assert_eq!(part["bytes"], bytes.len());
            let digest = Sha256::digest(&bytes)
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect::<String>();
            assert_eq!(part["sha256"], digest);
        }
        let sum: u64 = parts.iter().map(|part| part["rows"].as_u64().expect("rows")).sum();
        assert_eq!(*rows, sum);
    }
}

fn read_rows(file: &Path, columns: &[(&'static str, Kind)]) -> Vec<Row> {
    let name = file.file_name().and_then(|name| name.to_str()).expect("a file name");
    let lines = |text: Vec<u8>| {
        let text = String::from_utf8(text).expect("text");
        assert!(text.is_empty() || text.ends_with('\n'), "the last line is cut off");
        text.split_terminator('\n')
            .map(|line| row_of_json(columns, line))
            .collect()
    };
    match name.split_once('.').expect("an ending").1 {
        "parquet" => read_parquet(file, columns),
        "ndjson" => lines(fs::read(file).expect("a part")),
        "ndjson.zst" => lines(zstd::decode_all(fs::File::open(file).expect("a part")).expect("zstd")),
        other => panic!("files end in .{other}"),
    }
}

fn read_parquet(file: &Path, columns: &[(&'static str, Kind)]) -> Vec<Row> {
    let file = fs::File::open(file).expect("a part").into_parts().0;
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).expect("Parquet");
    let names: Vec<_> = reader
        .schema()
        .fields()
        .iter()
        .map(|field| field.name().clone())
        .collect();
    assert_eq!(names, columns.iter().map(|(name, _)| *name).collect::<Vec<_>>());
    let mut rows = Vec::new();
    for batch in reader.build().expect("Parquet") {
        let batch = batch.expect("a batch");
        rows.extend((0..batch.num_rows()).map(|row| {
            let cells = columns.iter().zip(batch.columns());
            cells
                .map(|((name, kind), array)| (*name, Cell::of_array(kind, array, row)))
                .collect::<Row>()
        }));
    }
    rows
}
