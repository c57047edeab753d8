//! One pass over one response body: what it may append to, and what it counts.

use crate::plan::{AncestorField, AncestorRole, Cell, CellRole, Items, RowsLayout};
use crate::rows::layout_check::PARENT_ID;
use crate::rows::misfit::{Misfit, MisfitCause};
use crate::rows::slot::Above;
use crate::rows::table_buffer::TableBuffer;

/// How the rows of a page are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// Straight into the columns; the first value that does not fit ends the pass.
    Quick,
    /// Each row from its own text; a row that does not fit goes to the rejects.
    Careful,
}

/// What a page held of one table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TableCount {
    /// Rows that were taken.
    pub rows: u64,
    /// Rows that do not fit, and went to the rejects.
    pub rejected: u64,
    /// Items that were null, or edges without a node: no rows.
    pub null_items: u64,
    /// Row fields, or their lists, that were null or not there, by themselves or by an object above them. Those of an
    /// item that is null itself do not count.
    pub null_lists: u64,
    /// Items that were left out because they came before.
    pub skipped: u64,
}

/// One pass over one response body.
pub(super) struct Page<'p, 'de> {
    pub(super) tables: &'p mut [TableBuffer],
    pub(super) reading: Reading,
    pub(super) counts: Vec<TableCount>,
    /// The items of each table so far, but for those within items that were left out.
    ordinals: Vec<u64>,
    /// The ordinals of the items still to be left out, by table.
    skips: Vec<&'p [u64]>,
    /// The rows that the tables held before the page.
    starts: Vec<usize>,
    /// In a careful reading, the text of each row taken: a value above the rows that comes last can still spoil them.
    row_texts: Vec<Vec<&'de str>>,
}

impl<'p, 'de> Page<'p, 'de> {
    /// A pass that begins; of a table without skips no item is left out.
    pub(super) fn new(tables: &'p mut [TableBuffer], skips: &'p [Vec<u64>], reading: Reading) -> Self {
        let count = tables.len();
        Self {
            reading,
            counts: vec![TableCount::default(); count],
            ordinals: vec![0; count],
            skips: (0..count)
                .map(|table| skips.get(table).map_or(&[][..], Vec::as_slice))
                .collect(),
            starts: tables.iter().map(|table| table.rows).collect(),
            row_texts: vec![Vec::new(); count],
            tables,
        }
    }

    /// The rows in each table by now.
    pub(super) fn rows(&self) -> Vec<usize> {
        self.tables.iter().map(|table| table.rows).collect()
    }

    /// Brings the columns that a row of this layout fills to the row that comes next.
    pub(super) fn begin_rows(&mut self, layout: &RowsLayout) -> Result<(), Misfit> {
        let table = &mut self.tables[layout.table];
        let edge_cells: &[Cell] = match &layout.items {
            Items::Edges { edge_cells, .. } => edge_cells,
            Items::Value | Items::Field { .. } | Items::List | Items::Nodes { .. } => &[],
        };
        let rows = table.rows;
        if layout.row.has_parent {
            table.pad(1, rows)?;
        }
        pad_cells(edge_cells, table, rows)?;
        pad_cells(&layout.row.cells, table, rows)
    }

    /// Counts an item that comes next, and says whether it is to be left out.
    pub(super) fn begin_item(&mut self, table: usize) -> bool {
        let ordinal = self.ordinals[table];
        self.ordinals[table] += 1;
        let Some(rest) = self.skips[table].strip_prefix(&[ordinal]) else {
            return false;
        };
        self.skips[table] = rest;
        self.counts[table].skipped += 1;
        true
    }

    /// Gives the row whose cells were just read its `_id`, and its parent's, and so completes it.
    pub(super) fn complete_row(&mut self, layout: &RowsLayout, id: &str, above: Above<'_>) -> Result<(), Misfit> {
        let table = &mut self.tables[layout.table];
        table.push_text(0, id)?;
        if layout.row.has_parent {
            let parent = above.parent().and_then(|parent| parent.ok_or(MisfitCause::Missing));
            table.push_text(1, parent.map_err(|cause| cause.at(PARENT_ID))?)?;
        }
        table.rows += 1;
        self.counts[layout.table].rows += 1;
        Ok(())
    }

    /// Notes an item that is null, and takes back what an edge around it may have left.
    pub(super) fn note_null_item(&mut self, table: usize) {
        let buffer = &mut self.tables[table];
        buffer.truncate(buffer.rows);
        self.counts[table].null_items += 1;
    }

    /// Keeps the text of the row just completed, in a careful reading.
    pub(super) fn keep_text(&mut self, table: usize, raw: &'de str) {
        self.row_texts[table].push(raw);
    }

    /// Sends the item just read to the rejects, and takes back what it left in the columns.
    pub(super) fn reject_item(&mut self, table: usize, raw: &str, misfit: &Misfit) -> Result<(), TooManyRejects> {
        let buffer = &mut self.tables[table];
        buffer.truncate(buffer.rows);
        self.reject(table, raw, misfit)
    }

    /// Adds the value of a column, that stands above the rows, to all rows from the given one on.
    pub(super) fn repeat(&mut self, table: usize, column: usize, from: usize, raw: Option<&str>) -> Result<(), Misfit> {
        let table = &mut self.tables[table];
        if table.rows == from {
            return Ok(());
        }
        table.pad(column, from)?;
        let column = &mut table.columns[column];
        while column.len() < table.rows {
            match raw {
                Some(raw) => column.push_json(raw)?,
                None => column.push_missing()?,
            }
        }
        Ok(())
    }

    /// Sends all rows from the given one on to the rejects.
    pub(super) fn reject_since(&mut self, table: usize, from: usize, misfit: &Misfit) -> Result<(), TooManyRejects> {
        self.tables[table].truncate(from);
        let texts = self.row_texts[table].split_off(from - self.starts[table]);
        self.counts[table].rows -= u64::try_from(texts.len()).unwrap_or(0);
        texts.into_iter().try_for_each(|raw| self.reject(table, raw, misfit))
    }

    /// Notes that these fields, and all row fields below them, are not there.
    pub(super) fn note_absent(&mut self, fields: &[AncestorField]) {
        for field in fields {
            match &field.role {
                AncestorRole::Ignored | AncestorRole::Columns(_) => {}
                AncestorRole::Object(fields) | AncestorRole::Only(fields) => self.note_absent(fields),
                AncestorRole::Rows(layout) => self.counts[layout.table].null_lists += 1,
            }
        }
    }

    /// Brings all columns of all tables to the same number of rows.
    pub(super) fn complete(self) -> Result<Vec<TableCount>, PageFault> {
        if let Some(table) = self.skips.iter().position(|skips| !skips.is_empty()) {
            return Err(PageFault::NothingToSkip(table));
        }
        for table in self.tables.iter_mut() {
            let rows = table.rows;
            (0..table.columns.len()).try_for_each(|column| table.pad(column, rows))?;
        }
        Ok(self.counts)
    }

    fn reject(&mut self, table: usize, raw: &str, misfit: &Misfit) -> Result<(), TooManyRejects> {
        if !self.tables[table].reject(raw, misfit) {
            return Err(TooManyRejects);
        }
        self.counts[table].rejected += 1;
        Ok(())
    }
}

/// The rejects of a page have 2 GiB of text.
#[derive(Debug, thiserror::Error)]
#[error("more than 2 GiB of rows that do not fit")]
pub(super) struct TooManyRejects;

/// Why a page that was read to its end cannot be taken in.
#[derive(Debug, thiserror::Error)]
pub(super) enum PageFault {
    #[error("table {0} has fewer items than were to be left out, or their ordinals do not ascend")]
    NothingToSkip(usize),
    #[error(transparent)]
    Misfit(#[from] Misfit),
}

fn pad_cells(cells: &[Cell], table: &mut TableBuffer, rows: usize) -> Result<(), Misfit> {
    for cell in cells {
        match &cell.role {
            CellRole::Ignored | CellRole::Below { column: None, .. } => {}
            CellRole::Column(column)
            | CellRole::Below {
                column: Some(column), ..
            } => table.pad(*column, rows)?,
            CellRole::Flattened(cells) => pad_cells(cells, table, rows)?,
        }
    }
    Ok(())
}
