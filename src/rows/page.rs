//! One pass over one response body: what it may append to, and what it counts.

use std::fmt;

use crate::plan::{AncestorField, AncestorRole, Cell, CellRole, Items, RowId, RowsLayout};
use crate::rows::careful::read_item;
use crate::rows::column::Values;
use crate::rows::identity::{KeyTexts, position_id};
use crate::rows::misfit::{Misfit, MisfitCause};
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
    /// Row fields, or their lists, that were null or not there, by themselves or by an object above them.
    pub null_lists: u64,
}

/// One pass over one response body.
pub(super) struct Page<'p, 'de> {
    pub(super) tables: &'p mut [TableBuffer],
    pub(super) reading: Reading,
    pub(super) counts: Vec<TableCount>,
    /// The position of the next item within its connection, by table.
    positions: Vec<u64>,
    /// The rows that the tables held before the page.
    starts: Vec<usize>,
    /// In a careful reading, the text of each row taken: a value above the rows that comes last can still spoil them.
    row_texts: Vec<Vec<&'de str>>,
}

impl<'p, 'de> Page<'p, 'de> {
    /// A pass that begins; a table without a position begins at 0.
    pub(super) fn new(tables: &'p mut [TableBuffer], positions: &[u64], reading: Reading) -> Self {
        let count = tables.len();
        Self {
            reading,
            counts: vec![TableCount::default(); count],
            positions: (0..count)
                .map(|table| positions.get(table).copied().unwrap_or(0))
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
            Items::Value | Items::List | Items::Nodes { .. } => &[],
        };
        let rows = table.rows;
        pad_cells(edge_cells, table, rows)?;
        pad_cells(&layout.row.cells, table, rows)
    }

    /// Gives the row whose cells were just read its `_id`, and so completes it.
    pub(super) fn complete_row(&mut self, layout: &RowsLayout, keys: &KeyTexts<'de>) -> Result<(), Misfit> {
        let table = &mut self.tables[layout.table];
        let position = self.positions[layout.table];
        let Some(column) = table.columns.first_mut() else {
            return Err(MisfitCause::Missing.at("_id"));
        };
        let Values::String(texts) = &mut column.values else {
            return Err(MisfitCause::wrong_type("_id", "text column").at("_id"));
        };
        let is_taken = match &layout.row.id {
            RowId::Cells(_) => texts.push(&keys.id().map_err(|cause| cause.at("_id"))?),
            RowId::Position { path } => texts.push(&position_id("", path, position)),
        };
        if !is_taken {
            return Err(MisfitCause::TooLong.at("_id"));
        }
        column.note_value();
        table.rows += 1;
        self.counts[layout.table].rows += 1;
        self.positions[layout.table] += 1;
        Ok(())
    }

    /// Notes an item that is null, and takes back what an edge around it may have left.
    pub(super) fn note_null_item(&mut self, layout: &RowsLayout) {
        let table = &mut self.tables[layout.table];
        table.truncate(table.rows);
        self.counts[layout.table].null_items += 1;
        self.positions[layout.table] += 1;
    }

    /// Takes in an item by its text: as a row, as a reject, or as nothing where it is null.
    pub(super) fn take_carefully(
        &mut self,
        layout: &RowsLayout,
        raw: &'de str,
        keys: &mut KeyTexts<'de>,
    ) -> Result<(), TooManyRejects> {
        let table = &mut self.tables[layout.table];
        keys.clear();
        let misfit = match read_item(layout, raw, &mut table.columns, keys) {
            Ok(false) => {
                self.note_null_item(layout);
                return Ok(());
            }
            Ok(true) => self.complete_row(layout, keys).err(),
            Err(misfit) => Some(misfit),
        };
        let Some(misfit) = misfit else {
            self.row_texts[layout.table].push(raw);
            return Ok(());
        };
        let table = &mut self.tables[layout.table];
        table.truncate(table.rows);
        self.positions[layout.table] += 1;
        self.reject(layout.table, raw, &misfit)
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
                AncestorRole::Object(fields) => self.note_absent(fields),
                AncestorRole::Rows(layout) => self.counts[layout.table].null_lists += 1,
            }
        }
    }

    /// Brings all columns of all tables to the same number of rows.
    pub(super) fn complete(self) -> Result<Vec<TableCount>, Misfit> {
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
#[derive(Debug)]
pub(super) struct TooManyRejects;

impl fmt::Display for TooManyRejects {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("more than 2 GiB of rows that do not fit")
    }
}

fn pad_cells(cells: &[Cell], table: &mut TableBuffer, rows: usize) -> Result<(), Misfit> {
    for cell in cells {
        match &cell.role {
            CellRole::Ignored => {}
            CellRole::Column(column) => table.pad(*column, rows)?,
            CellRole::Flattened(cells) => pad_cells(cells, table, rows)?,
        }
    }
    Ok(())
}
