//! `_manifest.json`: what a run wrote for one query file, and whether that is everything.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use fs_err as fs;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::output::part::Part;
use crate::output::run_id::RunId;
use crate::plan::{Column, Table, TableName};

/// The manifest's file name.
pub const MANIFEST_FILE: &str = "_manifest.json";

/// The version of the manifest's shape: grows when a reader of the version before would misread it.
pub const MANIFEST_VERSION: u32 = 1;

/// What a run wrote for one query file, and whether that is everything.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`MANIFEST_VERSION`].
    pub manifest_version: u32,
    /// The version of gqldump that wrote it.
    pub tool_version: String,
    /// The source's name.
    pub source: String,
    /// The query file's name, without its ending.
    pub query: String,
    /// The fingerprint of all that decides what is asked for and how it is written (request texts, variables, tables), in
    /// hexadecimal.
    pub query_hash: String,
    /// The run's name.
    pub run: String,
    /// When the run began; RFC 3339, in UTC.
    pub started: String,
    /// When it was published; RFC 3339, in UTC.
    pub finished: String,
    /// Whether every connection was read to its end, and no row was rejected or left out.
    pub complete: bool,
    /// What keeps the run from being complete, one line each.
    pub incomplete: Vec<String>,
    /// What the query was run for, once for each value; not there where it was run once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub each: Option<ManifestEach>,
    /// The tables, in the order of the plan.
    pub tables: Vec<ManifestTable>,
    /// The paginated fields, in the order of the query.
    pub connections: Vec<ManifestConnection>,
    /// What went over the wire.
    pub traffic: Traffic,
}

/// The values that a query was run for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ManifestEach {
    /// The variable that took them.
    pub variable: String,
    /// The column that they come from: `groups.name`.
    pub of: String,
    /// The query file that has the column.
    pub query: String,
    /// How many there are.
    pub members: u64,
    /// Those that were read to their end, with all that the token may see of them.
    pub complete: u64,
    /// Those of the complete ones that do not exist: null, without any row.
    pub absent: u64,
    /// Those that lack something: they were read, but not every connection to its end.
    #[serde(default)]
    pub incomplete: u64,
    /// The first hundred of those, each with the first that it lacks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lacks: Vec<ManifestFailure>,
    /// Those that failed.
    pub failed: u64,
    /// The first hundred of those that failed.
    pub failures: Vec<ManifestFailure>,
}

/// A value for which a query failed, or that lacks something.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ManifestFailure {
    /// The value.
    pub value: Value,
    /// Why it failed, or what is lacking.
    pub reason: String,
}

/// One table of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestTable {
    /// The table's name.
    pub name: String,
    /// Its rows in this run.
    pub rows: u64,
    /// Rows that do not fit it.
    pub rejected: u64,
    /// The size of its parts in bytes.
    pub bytes: u64,
    /// Its columns.
    pub columns: Vec<ManifestColumn>,
    /// Its files.
    pub parts: Vec<ManifestPart>,
    /// The files with the rows that do not fit.
    pub reject_parts: Vec<ManifestPart>,
}

/// One column of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestColumn {
    /// Its name.
    pub name: String,
    /// Its type: `int64`, `list<string>`, `struct<file: string, line: int32 not null>`.
    #[serde(rename = "type")]
    pub ty: String,
    /// Whether it can hold nulls.
    pub nullable: bool,
}

/// One file of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestPart {
    /// Its path, seen from the manifest's folder, with `/` on every system.
    pub path: String,
    /// Rows in it.
    pub rows: u64,
    /// Its size in bytes.
    pub bytes: u64,
    /// The SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
}

/// How far one paginated field was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestConnection {
    /// Its path in the response, with dots.
    pub name: String,
    /// How it is paginated.
    pub style: String,
    /// How many times it was begun: once, or, below a row, once a row.
    pub opened: u64,
    /// How many of those were read to their end.
    pub closed: u64,
    /// What told the end of each that was begun.
    pub ends: ManifestEnds,
    /// Items in all.
    pub rows: u64,
    /// Items that came again, and were left out.
    #[serde(default)]
    pub repeated: u64,
    /// What is not complete, and why, one line each.
    pub incomplete: Vec<String>,
}

/// What told the ends of the connections of one kind, each counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestEnds {
    /// The API said that there is no more.
    pub said: u64,
    /// All rows of its total were there.
    pub total: u64,
    /// The page behind the last rows was empty.
    pub empty: u64,
    /// It is null: there are no rows.
    pub absent: u64,
    /// Nothing: it may be cut off.
    pub suspect: u64,
    /// It could not be read on.
    pub lost: u64,
}

/// What went over the wire for one query file.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Traffic {
    /// Attempts.
    pub requests: u64,
    /// Attempts made again after a failure.
    pub retries: u64,
    /// Answers that asked to slow down.
    pub throttles: u64,
    /// Bytes of the bodies taken in.
    pub bytes_received: u64,
    /// Time during which the export ran, in milliseconds.
    pub elapsed_millis: u64,
    /// The share of the source's request budget that was used in that time, 0 to 1; null for a source without one.
    pub budget_use: Option<f64>,
}

impl Manifest {
    /// The manifest's text.
    pub fn to_json(&self) -> String {
        // All its keys are texts and its numbers finite or null, so that nothing here can fail.
        let mut json = serde_json::to_string_pretty(self).unwrap_or_default();
        json.push('\n');
        json
    }

    /// When it was published, if that can be read.
    pub fn finished_at(&self) -> Option<SystemTime> {
        self.finished.parse::<Timestamp>().ok().map(SystemTime::from)
    }

    /// The first of its parts that is not there as it was written, seen from the folder that is the manifest's: what
    /// removed it or cut it short took rows with it.
    pub(super) fn lost_part(&self, folder: &Path) -> Option<PathBuf> {
        let parts = self.tables.iter().flat_map(ManifestTable::all_parts);
        let mut lost = parts.filter_map(|part| {
            let path = folder.join(&part.path);
            let is_there = fs::metadata(&path).is_ok_and(|file| file.is_file() && file.len() == part.bytes);
            (!is_there).then_some(path)
        });
        lost.next()
    }
}

impl ManifestTable {
    /// Its files, those of the rows that do not fit included.
    pub(super) fn all_parts(&self) -> impl Iterator<Item = &ManifestPart> {
        self.parts.iter().chain(&self.reject_parts)
    }

    /// The entry of a table of this query file in this run.
    pub fn new(query: &str, run: &RunId, table: &Table, parts: &[Part], reject_parts: &[Part]) -> Self {
        let place = |name: &TableName, parts: &[Part]| {
            parts
                .iter()
                .map(|part| ManifestPart::new(query, run, name, part))
                .collect()
        };
        Self {
            name: table.name.to_string(),
            rows: parts.iter().map(|part| part.rows).sum(),
            rejected: reject_parts.iter().map(|part| part.rows).sum(),
            bytes: parts.iter().map(|part| part.bytes).sum(),
            columns: table.columns.iter().map(ManifestColumn::new).collect(),
            parts: place(&table.name, parts),
            reject_parts: place(&table.name.rejects(), reject_parts),
        }
    }
}

impl ManifestPart {
    fn new(query: &str, run: &RunId, table: &TableName, part: &Part) -> Self {
        let path = if table.as_str() == query {
            part.file.clone()
        } else {
            format!("../../{table}/{run}/{}", part.file)
        };
        Self {
            path,
            rows: part.rows,
            bytes: part.bytes,
            sha256: part.sha256.clone(),
        }
    }
}

impl ManifestColumn {
    fn new(column: &Column) -> Self {
        Self {
            name: column.name.clone(),
            ty: column.ty.to_string(),
            nullable: column.nullable,
        }
    }
}

/// A time of day as the manifest writes it: RFC 3339, in UTC, to the millisecond.
pub fn moment(time: SystemTime) -> String {
    let time = Timestamp::try_from(time).unwrap_or_default();
    format!("{time:.3}")
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;
    use crate::plan::ColumnType;
    use crate::schema::ScalarType;

    fn column(name: &str, ty: ColumnType, nullable: bool) -> Column {
        Column {
            name: name.to_owned(),
            key: name.to_owned(),
            ty,
            nullable,
            null_text: None,
        }
    }

    fn part(number: u32, rows: u64) -> Part {
        Part {
            file: format!("part-{number:05}.parquet"),
            rows,
            bytes: rows * 10,
            sha256: "ab12".to_owned(),
        }
    }

    fn findings() -> Table {
        let string = ColumnType::Scalar(ScalarType::String);
        let location = vec![
            column("file", string.clone(), false),
            column("line", ColumnType::Scalar(ScalarType::Int32), true),
        ];
        Table {
            name: TableName::new("groups__findings").unwrap(),
            columns: vec![
                column("_id", string.clone(), false),
                column("tags", ColumnType::List(Box::new(column("item", string, false))), true),
                column("location", ColumnType::Struct(location), true),
            ],
        }
    }

    fn manifest() -> Manifest {
        let run = "20261122T031500Z".parse().unwrap();
        Manifest {
            manifest_version: MANIFEST_VERSION,
            tool_version: "0.1.0".to_owned(),
            source: "tracker".to_owned(),
            query: "groups".to_owned(),
            query_hash: "cd34".to_owned(),
            run: "20261122T031500Z".to_owned(),
            started: moment(UNIX_EPOCH + Duration::from_secs(1_795_317_300)),
            finished: moment(UNIX_EPOCH + Duration::from_millis(1_795_317_312_345)),
            complete: false,
            incomplete: vec!["1 row of `groups__findings` does not fit".to_owned()],
            each: None,
            tables: vec![ManifestTable::new(
                "groups",
                &run,
                &findings(),
                &[part(0, 5), part(1, 2)],
                &[part(0, 1)],
            )],
            connections: vec![ManifestConnection {
                name: "organization.groups".to_owned(),
                style: "relay cursors".to_owned(),
                ends: ManifestEnds::default(),
                opened: 1,
                closed: 1,
                rows: 8,
                repeated: 0,
                incomplete: Vec::new(),
            }],
            traffic: Traffic {
                requests: 3,
                retries: 1,
                throttles: 0,
                bytes_received: 4096,
                elapsed_millis: 12_345,
                budget_use: Some(0.98),
            },
        }
    }

    #[test]
    fn a_manifest_reads_well_and_back() {
        let json = manifest().to_json();
        insta::assert_snapshot!(json);
        assert_eq!(serde_json::from_str::<Manifest>(&json).unwrap(), manifest());
    }

    #[test]
    fn parts_of_the_table_named_like_the_query_stand_beside_the_manifest() {
        let run = "20261122T031500Z".parse().unwrap();
        let table = Table {
            name: TableName::new("groups").unwrap(),
            ..findings()
        };
        let entry = ManifestTable::new("groups", &run, &table, &[part(0, 5)], &[part(0, 1)]);
        assert_eq!(entry.parts[0].path, "part-00000.parquet");
        assert_eq!(
            entry.reject_parts[0].path,
            "../../groups__rejects/20261122T031500Z/part-00000.parquet"
        );
    }
}
