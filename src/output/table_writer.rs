//! The files of one table in one run: part after part, each of a size that is good to read.

use std::path::PathBuf;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use crate::output::durable::create_folder;
use crate::output::error::OutputError;
use crate::output::format::Format;
use crate::output::part::{Part, PartWriter};

/// What the files of one table are.
#[derive(Debug, Clone)]
pub struct TableFiles {
    /// Where they are written: see [`SourceFolder::staging`](crate::output::SourceFolder::staging).
    pub folder: PathBuf,
    /// Their format.
    pub format: Format,
    /// The schema of their rows.
    pub schema: SchemaRef,
    /// What the footer of each Parquet file says of its origin (run, query, query hash, tool version).
    pub metadata: Vec<(String, String)>,
}

/// Writes the rows of one table.
pub struct TableWriter {
    files: TableFiles,
    /// The number of the next part to be opened.
    next_part: u32,
    open: Option<PartWriter>,
}

impl TableWriter {
    /// A writer whose first part has this number: 0, or the number of parts that an interrupted run finished.
    pub fn new(files: TableFiles, first_part: u32) -> Self {
        Self {
            files,
            next_part: first_part,
            open: None,
        }
    }

    /// Takes in the rows of a batch.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), OutputError> {
        let mut part = match self.open.take() {
            Some(part) => part,
            None => self.open_part()?,
        };
        part.write(batch)?;
        self.open = Some(part);
        Ok(())
    }

    /// How large the open part would be, roughly, if it was closed now, in bytes.
    pub fn written_bytes(&self) -> u64 {
        self.open.as_ref().map_or(0, PartWriter::written_bytes)
    }

    /// Closes the open part, if there is one. The next batch opens another.
    pub fn close(&mut self) -> Result<Option<Part>, OutputError> {
        self.open.take().map(PartWriter::finish).transpose()
    }

    /// Closes the open part; a table that has no part at all gets one without rows, so that its readers find its
    /// columns.
    pub fn close_table(&mut self) -> Result<Option<Part>, OutputError> {
        if self.next_part == 0 {
            self.open = Some(self.open_part()?);
        }
        self.close()
    }

    /// Memory that rows not yet in a file take up, in bytes.
    pub fn buffered_bytes(&self) -> usize {
        self.open.as_ref().map_or(0, PartWriter::buffered_bytes)
    }

    /// Frees that memory, at the price of a smaller row group.
    pub fn flush_row_group(&mut self) -> Result<(), OutputError> {
        self.open.as_mut().map_or(Ok(()), PartWriter::flush_row_group)
    }

    fn open_part(&mut self) -> Result<PartWriter, OutputError> {
        let TableFiles {
            folder,
            format,
            schema,
            metadata,
        } = &self.files;
        create_folder(folder)?;
        let path = folder.join(format!("part-{:05}.{format}", self.next_part));
        self.next_part += 1;
        PartWriter::create(&path, *format, schema, metadata)
    }
}
