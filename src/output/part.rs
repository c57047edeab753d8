//! One part file of a table, from its first batch to its checksum.

use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::json::writer::{LineDelimited, Writer};
use parquet::arrow::ArrowWriter;
use serde::{Deserialize, Serialize};

use crate::output::error::OutputError;
use crate::output::format::Format;
use crate::output::ndjson::ndjson_writer;
use crate::output::parquet::properties;
use crate::output::part_file::PartFile;

/// Memory that the open row group of one Parquet file takes at most, in bytes: with it, several tables can be open at
/// once, and a row group of ordinary rows has some 100,000 of them, which is what readers like to take at a time.
const ROW_GROUP_MEMORY: usize = 8 * 1024 * 1024;

/// The compression of `.ndjson.zst`: zstd's own default.
const ZSTD_LEVEL: i32 = 3;

/// A finished part file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The file's name in the folder of its table.
    pub file: String,
    /// Rows in it.
    pub rows: u64,
    /// Its size in bytes.
    pub bytes: u64,
    /// The SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
}

/// A part file that takes in batches.
pub struct PartWriter {
    path: PathBuf,
    rows: u64,
    encoder: Encoder,
}

enum Encoder {
    Parquet(Box<ArrowWriter<PartFile>>),
    Ndjson(Writer<PartFile, LineDelimited>),
    NdjsonZst(Writer<zstd::Encoder<'static, PartFile>, LineDelimited>),
}

impl PartWriter {
    /// Begins a part file; its folder must be there. `metadata` goes to the footer of a Parquet file, and nowhere in
    /// the others.
    pub fn create(
        path: &Path,
        format: Format,
        schema: &SchemaRef,
        metadata: &[(String, String)],
    ) -> Result<Self, OutputError> {
        let file = PartFile::create(path)?;
        let encoder = match format {
            Format::Parquet => {
                let properties = properties(schema, metadata);
                let writer = ArrowWriter::try_new(file, SchemaRef::clone(schema), Some(properties));
                Encoder::Parquet(Box::new(
                    writer.map_err(|error| OutputError::from_parquet(path, error))?,
                ))
            }
            Format::Ndjson => Encoder::Ndjson(ndjson_writer(file)),
            Format::NdjsonZst => {
                let compressed = zstd::Encoder::new(file, ZSTD_LEVEL);
                Encoder::NdjsonZst(ndjson_writer(
                    compressed.map_err(|error| OutputError::from_io(path, error))?,
                ))
            }
        };
        Ok(Self {
            path: path.to_owned(),
            rows: 0,
            encoder,
        })
    }

    /// Takes in the rows of a batch.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), OutputError> {
        match &mut self.encoder {
            Encoder::Parquet(writer) => writer
                .write(batch)
                .map_err(|error| OutputError::from_parquet(&self.path, error))?,
            Encoder::Ndjson(writer) => writer
                .write(batch)
                .map_err(|error| OutputError::from_arrow(&self.path, error))?,
            Encoder::NdjsonZst(writer) => writer
                .write(batch)
                .map_err(|error| OutputError::from_arrow(&self.path, error))?,
        }
        self.rows += u64::try_from(batch.num_rows()).unwrap_or(0);
        if self.buffered_bytes() >= ROW_GROUP_MEMORY {
            self.flush_row_group()?;
        }
        Ok(())
    }

    /// Memory that rows not yet in the file take up, in bytes.
    pub fn buffered_bytes(&self) -> usize {
        match &self.encoder {
            Encoder::Parquet(writer) => writer.memory_size(),
            Encoder::Ndjson(_) | Encoder::NdjsonZst(_) => 0,
        }
    }

    /// How large the file would be, roughly, if it ended here, in bytes.
    pub fn written_bytes(&self) -> u64 {
        match &self.encoder {
            Encoder::Parquet(writer) => {
                u64::try_from(writer.bytes_written() + writer.in_progress_size()).unwrap_or(u64::MAX)
            }
            Encoder::Ndjson(writer) => writer.get_ref().bytes(),
            Encoder::NdjsonZst(writer) => writer.get_ref().get_ref().bytes(),
        }
    }

    /// Ends the open row group, which frees the memory it takes; nothing to do in formats without.
    pub fn flush_row_group(&mut self) -> Result<(), OutputError> {
        match &mut self.encoder {
            Encoder::Parquet(writer) => writer
                .flush()
                .map_err(|error| OutputError::from_parquet(&self.path, error)),
            Encoder::Ndjson(_) | Encoder::NdjsonZst(_) => Ok(()),
        }
    }

    /// Ends the file; when this returns it is durable.
    pub fn finish(self) -> Result<Part, OutputError> {
        let path = &self.path;
        let file = match self.encoder {
            Encoder::Parquet(writer) => writer
                .into_inner()
                .map_err(|error| OutputError::from_parquet(path, error))?,
            Encoder::Ndjson(writer) => writer.into_inner(),
            Encoder::NdjsonZst(writer) => writer
                .into_inner()
                .finish()
                .map_err(|error| OutputError::from_io(path, error))?,
        };
        let summary = file.finish()?;
        Ok(Part {
            file: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            rows: self.rows,
            bytes: summary.bytes,
            sha256: summary.sha256,
        })
    }
}
