//! The values of one column, read from finished parts: batch by batch, line by line, so that memory holds the distinct
//! values and not the table.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::fmt;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use fs_err::File;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use crate::output::format::Format;
use crate::output::ndjson::ndjson_writer;

/// Why a column cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ColumnError {
    /// The part cannot be read.
    #[error("`{path}` cannot be read: {source}")]
    Unreadable {
        /// The part.
        path: PathBuf,
        /// What its reader says.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The part has no such column.
    #[error("`{path}` has no column `{column}`: it was written by another query; run that query file again")]
    NoColumn {
        /// The part.
        path: PathBuf,
        /// The column.
        column: String,
    },
}

/// The distinct values of a column over some parts, in order, without nulls; `column` leads into a STRUCT.
pub(super) fn distinct_values(parts: &[PathBuf], column: &[String]) -> Result<Vec<Value>, ColumnError> {
    let mut values = BTreeSet::new();
    for path in parts {
        let reader = PartReader {
            path,
            column,
            values: &mut values,
        };
        reader.read()?;
    }
    Ok(values.into_iter().map(|Ordered(value)| value).collect())
}

/// Reads one part.
struct PartReader<'read> {
    path: &'read Path,
    column: &'read [String],
    values: &'read mut BTreeSet<Ordered>,
}

impl PartReader<'_> {
    fn read(mut self) -> Result<(), ColumnError> {
        let file = File::open(self.path).map_err(|error| self.unreadable(error))?;
        let name = self.path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let ending = name.split_once('.').map(|(_, ending)| ending.parse::<Format>());
        match ending {
            Some(Ok(Format::Parquet)) => self.read_parquet(file),
            Some(Ok(Format::NdjsonZst)) => {
                let decoder = zstd::Decoder::new(file).map_err(|error| self.unreadable(error))?;
                self.read_lines(decoder)
            }
            Some(Ok(Format::Ndjson)) => self.read_lines(file),
            Some(Err(unknown)) => Err(self.unreadable(unknown)),
            None => Err(self.unreadable("it is no part of a table")),
        }
    }

    fn read_parquet(&mut self, file: File) -> Result<(), ColumnError> {
        let builder = ParquetRecordBatchReaderBuilder::try_new(file.into_file());
        let builder = builder.map_err(|error| self.unreadable(error))?;
        let name = self.column.first().map_or("", String::as_str);
        let Ok(index) = builder.schema().index_of(name) else {
            return Err(self.no_column());
        };
        let mask = ProjectionMask::roots(builder.parquet_schema(), [index]);
        let batches = builder.with_projection(mask).build();
        for batch in batches.map_err(|error| self.unreadable(error))? {
            let batch = batch.map_err(|error| self.unreadable(error))?;
            let mut lines = Vec::new();
            let mut writer = ndjson_writer(&mut lines);
            let written = writer.write(&batch).and_then(|()| writer.finish());
            written.map_err(|error| self.unreadable(error))?;
            drop(writer);
            self.read_lines(lines.as_slice())?;
        }
        Ok(())
    }

    fn read_lines(&mut self, text: impl Read) -> Result<(), ColumnError> {
        for line in BufReader::new(text).lines() {
            let line = line.map_err(|error| self.unreadable(error))?;
            let mut deserializer = serde_json::Deserializer::from_str(&line);
            let found = At(self.column).deserialize(&mut deserializer);
            match found.map_err(|error| self.unreadable(error))? {
                Found::Nothing => return Err(self.no_column()),
                Found::Value(Value::Null) => {}
                Found::Value(value) => {
                    self.values.insert(Ordered(value));
                }
            }
        }
        Ok(())
    }

    fn unreadable(&self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> ColumnError {
        ColumnError::Unreadable {
            path: self.path.to_owned(),
            source: source.into(),
        }
    }

    fn no_column(&self) -> ColumnError {
        ColumnError::NoColumn {
            path: self.path.to_owned(),
            column: self.column.join("."),
        }
    }
}

/// What stands at a path of a row.
enum Found {
    /// The row has no such member.
    Nothing,
    Value(Value),
}

/// Reads the value at a path of a row, and nothing else of it.
struct At<'path>(&'path [String]);

impl<'de> DeserializeSeed<'de> for At<'_> {
    type Value = Found;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Found, D::Error> {
        if self.0.is_empty() {
            return serde::Deserialize::deserialize(deserializer).map(Found::Value);
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for At<'_> {
    type Value = Found;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object or null")
    }

    fn visit_unit<E>(self) -> Result<Found, E> {
        Ok(Found::Value(Value::Null))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Found, A::Error> {
        let mut found = Found::Nothing;
        let Some((name, below)) = self.0.split_first() else {
            return Ok(found);
        };
        while let Some(key) = members.next_key::<String>()? {
            if key == *name {
                found = members.next_value_seed(At(below))?;
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}

/// Single values in their order: numbers by size, texts by their characters; anything else by its JSON text.
#[derive(Debug)]
struct Ordered(Value);

impl Ord for Ordered {
    fn cmp(&self, other: &Self) -> Ordering {
        match (&self.0, &other.0) {
            (Value::String(one), Value::String(other)) => one.cmp(other),
            (Value::Number(one), Value::Number(other)) => match (one.as_i64(), other.as_i64()) {
                (Some(one), Some(other)) => one.cmp(&other),
                _ => {
                    let number = |number: &serde_json::Number| number.as_f64().unwrap_or(f64::INFINITY);
                    number(one).total_cmp(&number(other))
                }
            },
            (one, other) => one.to_string().cmp(&other.to_string()),
        }
    }
}

impl PartialOrd for Ordered {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Ordered {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Ordered {}
