//! The rows of one table on their way to a record batch, and those that do not fit it.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;

use crate::plan::Table;
use crate::rows::arrays::take_array;
use crate::rows::column::{ColumnBuffer, Texts};
use crate::rows::misfit::{Misfit, MisfitCause};
use crate::rows::schema::{arrow_schema, rejects_schema};

/// Rows after which a batch is handed on: enough to make a writer's fixed costs per batch small.
const BATCH_ROWS: usize = 8192;
/// Bytes after which a batch is handed on, however few its rows are.
const BATCH_BYTES: usize = 4 * 1024 * 1024;

/// The rows of one table that gather until they are taken.
pub(super) struct TableBuffer {
    pub(super) columns: Vec<ColumnBuffer>,
    /// Rows in it. While a page is read, columns may lag behind (their values come later) or be ahead by the row
    /// being read.
    pub(super) rows: usize,
    schema: SchemaRef,
    rejects: Rejects,
}

impl TableBuffer {
    pub(super) fn new(table: &Table) -> Self {
        Self {
            columns: table.columns.iter().map(ColumnBuffer::new).collect(),
            rows: 0,
            schema: arrow_schema(table),
            rejects: Rejects::new(),
        }
    }

    /// Takes back all rows from the given one on.
    pub(super) fn truncate(&mut self, rows: usize) {
        self.columns.iter_mut().for_each(|column| column.truncate(rows));
        self.rows = rows;
    }

    /// Fills a column with nulls up to the given row.
    pub(super) fn pad(&mut self, column: usize, rows: usize) -> Result<(), Misfit> {
        let column = &mut self.columns[column];
        while column.len() < rows {
            column.push_missing()?;
        }
        Ok(())
    }

    /// Adds a text to a column.
    pub(super) fn push_text(&mut self, column: usize, text: &str) -> Result<(), Misfit> {
        let column = &mut self.columns[column];
        if column.accept_text(text) {
            return Ok(());
        }
        Err(MisfitCause::TooLong.at(column.name.as_str()))
    }

    /// Notes a row that does not fit, given as its JSON text.
    pub(super) fn reject(&mut self, raw: &str, misfit: &Misfit) -> bool {
        self.rejects.push(raw, misfit)
    }

    /// How many rows were rejected and not taken yet.
    pub(super) fn rejected(&self) -> usize {
        self.rejects.len()
    }

    /// Takes back all rejects from the given one on.
    pub(super) fn truncate_rejects(&mut self, rejects: usize) {
        self.rejects
            .columns
            .iter_mut()
            .for_each(|texts| texts.truncate(rejects));
    }

    /// The rows as a batch; `None` where there are none, or, unless `all` are wanted, too few to be worth it.
    pub(super) fn take_rows(&mut self, all: bool) -> Result<Option<RecordBatch>, ArrowError> {
        let bytes = || self.columns.iter().map(ColumnBuffer::bytes).sum();
        if self.rows == 0 || !(all || is_enough(self.rows, bytes)) {
            return Ok(None);
        }
        self.rows = 0;
        let fields = self.schema.fields().iter();
        let arrays = self
            .columns
            .iter_mut()
            .zip(fields)
            .map(|(column, field)| take_array(column, field));
        let arrays = arrays.collect::<Result<_, _>>()?;
        RecordBatch::try_new(Arc::clone(&self.schema), arrays).map(Some)
    }

    /// The rejected rows as a batch, in the same way.
    pub(super) fn take_rejects(&mut self, all: bool) -> Result<Option<RecordBatch>, ArrowError> {
        let rejects = self.rejects.len();
        if rejects == 0 || !(all || is_enough(rejects, || self.rejects.bytes())) {
            return Ok(None);
        }
        self.rejects.take().map(Some)
    }
}

fn is_enough(rows: usize, bytes: impl FnOnce() -> usize) -> bool {
    rows >= BATCH_ROWS || bytes() >= BATCH_BYTES
}

/// Rows that do not fit: what stood in the response, why, and in which column.
struct Rejects {
    columns: [Texts; 3],
}

impl Rejects {
    fn new() -> Self {
        Self {
            columns: std::array::from_fn(|_| Texts::with_capacity(0, 0)),
        }
    }

    fn push(&mut self, raw: &str, misfit: &Misfit) -> bool {
        let [rows, reasons, columns] = &mut self.columns;
        // The row first: it alone can be too long.
        rows.push(raw) && reasons.push(&misfit.cause.to_string()) && columns.push(&misfit.column)
    }

    fn len(&self) -> usize {
        self.columns[0].len()
    }

    fn bytes(&self) -> usize {
        self.columns.iter().map(|texts| texts.bytes.len()).sum()
    }

    fn take(&mut self) -> Result<RecordBatch, ArrowError> {
        let mut arrays = Vec::with_capacity(self.columns.len());
        for texts in &mut self.columns {
            arrays.push(texts.take_array(None)?);
        }
        RecordBatch::try_new(rejects_schema(), arrays)
    }
}
