//! Response bodies in, record batches out.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::error::ArrowError;
use serde::de::DeserializeSeed;
use serde_json::Deserializer;

use crate::plan::{Layout, Table};
use crate::rows::layout_check::{LayoutFault, check_layout};
use crate::rows::page::{Page, Reading, TableCount};
use crate::rows::slot::Slot;
use crate::rows::table_buffer::TableBuffer;
use crate::rows::walk::BodySeed;

/// Turns response bodies into the rows of a plan's tables, and holds these until they are worth a batch.
pub struct Decoder {
    tables: Arc<[Table]>,
    buffers: Vec<TableBuffer>,
}

/// Why a response body cannot be taken in at all. Values that do not fit are no errors: they send their row to the
/// rejects.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// The body is no JSON, or its objects and lists above the rows are not where the layout has them.
    #[error("the response is not what the query asks for: {0}")]
    Body(serde_json::Error),
    /// The layout does not belong to the tables.
    #[error("the layout does not fit its tables: {0}")]
    Layout(LayoutFault),
    /// The values cannot be made a batch.
    #[error("the rows of table `{table}` cannot be made a batch: {source}")]
    Batch {
        /// The table's name.
        table: String,
        /// Arrow's own words.
        source: ArrowError,
    },
}

/// The rows of one table that were taken out of a decoder.
#[derive(Debug, Default)]
pub struct Batches {
    /// Rows, by the schema that [`arrow_schema`](crate::rows::arrow_schema) gives.
    pub rows: Option<RecordBatch>,
    /// Rows that do not fit, by the schema that [`rejects_schema`](crate::rows::rejects_schema) gives.
    pub rejects: Option<RecordBatch>,
}

impl Decoder {
    /// A decoder for the tables of a plan, without any rows yet.
    pub fn new(tables: Arc<[Table]>) -> Self {
        let buffers = tables.iter().map(TableBuffer::new).collect();
        Self { tables, buffers }
    }

    /// Takes in one response body, and says what it held, by table.
    ///
    /// `slots[i]` belongs to the field of index `i` in the layout's `data`, and to all below it; a field without a slot
    /// has the default one.
    ///
    /// `skips` has, by table, the ascending ordinals of the items to be left out, with all that they hold. Ordinals
    /// count the items of a table, from 0, in the order in which they stand in the body, whatever order the layout
    /// has: nulls and edges without a node count, items that do not fit count, and so does what is left out, but not
    /// what stands within an item left out. Only what the layout leads to counts: not what stands under a key that
    /// its object has twice, or in an item that is no object. It is an error if an item to be left out is not there.
    ///
    /// After an error the decoder holds what it held before.
    pub fn decode(
        &mut self,
        body: &str,
        layout: &Layout,
        slots: &[Slot<'_>],
        skips: &[Vec<u64>],
    ) -> Result<Vec<TableCount>, DecodeError> {
        check_layout(layout, &self.tables).map_err(DecodeError::Layout)?;
        let page = PageBody {
            body,
            layout,
            slots,
            skips,
        };
        self.read(page, Reading::Quick)
            .or_else(|_| self.read(page, Reading::Careful))
            .map_err(DecodeError::Body)
    }

    /// Takes the rows of a table out, if there are enough for a batch (8192 rows, or 4 MiB).
    ///
    /// To be called for each table after each body, for this is what bounds the memory.
    pub fn take(&mut self, table: usize) -> Result<Batches, DecodeError> {
        self.take_batches(table, false)
    }

    /// Takes all rows of a table out.
    pub fn take_rest(&mut self, table: usize) -> Result<Batches, DecodeError> {
        self.take_batches(table, true)
    }

    fn take_batches(&mut self, table: usize, all: bool) -> Result<Batches, DecodeError> {
        let (Some(buffer), Some(plan)) = (self.buffers.get_mut(table), self.tables.get(table)) else {
            return Ok(Batches::default());
        };
        let named = |source| DecodeError::Batch {
            table: plan.name.to_string(),
            source,
        };
        Ok(Batches {
            rows: buffer.take_rows(all).map_err(named)?,
            rejects: buffer.take_rejects(all).map_err(named)?,
        })
    }

    /// One pass over a body; after an error everything it added is taken back.
    pub(super) fn read(&mut self, page: PageBody<'_>, reading: Reading) -> Result<Vec<TableCount>, serde_json::Error> {
        let before: Vec<_> = self
            .buffers
            .iter()
            .map(|table| (table.rows, table.rejected()))
            .collect();
        let result = page.read(&mut self.buffers, reading);
        if result.is_err() {
            for (table, (rows, rejects)) in self.buffers.iter_mut().zip(before) {
                table.truncate(rows);
                table.truncate_rejects(rejects);
            }
        }
        result
    }
}

/// A response body with what has to be known to read it.
#[derive(Clone, Copy)]
pub(super) struct PageBody<'b> {
    pub(super) body: &'b str,
    pub(super) layout: &'b Layout,
    pub(super) slots: &'b [Slot<'b>],
    pub(super) skips: &'b [Vec<u64>],
}

impl PageBody<'_> {
    fn read(self, tables: &mut [TableBuffer], reading: Reading) -> Result<Vec<TableCount>, serde_json::Error> {
        let mut page = Page::new(tables, self.skips, reading);
        let mut deserializer = Deserializer::from_str(self.body);
        BodySeed {
            page: &mut page,
            data: &self.layout.data,
            slots: self.slots,
        }
        .deserialize(&mut deserializer)?;
        deserializer.end()?;
        page.complete().map_err(serde::de::Error::custom)
    }
}
