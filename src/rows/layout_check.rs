//! Whether a layout belongs to its tables, so that the passes over a body need not ask again at every value.

use crate::plan::{AncestorField, AncestorRole, Cell, CellRole, ColumnType, Items, Layout, RowId, RowsLayout, Table};
use crate::schema::ScalarType;

/// How a layout does not belong to its tables: an error of whoever made the plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LayoutFault {
    /// A table that the plan does not have.
    #[error("there is no table {0}")]
    NoTable(usize),
    /// A column that its table does not have.
    #[error("table `{table}` has no column {column}")]
    NoColumn {
        /// The table's name.
        table: String,
        /// The index that is too large.
        column: usize,
    },
    /// A column that two values of the same row would go to, `_id` included.
    #[error("column `{column}` of table `{table}` is filled twice")]
    FilledTwice {
        /// The table's name.
        table: String,
        /// The column's name.
        column: String,
    },
    /// A table whose first column is no text without nulls.
    #[error("table `{0}` does not begin with its `_id`")]
    NoId(String),
    /// A row whose `_id` is made of no cell, or of one that it does not have.
    #[error("the `_id` of table `{0}` is made of no cell of its rows")]
    NoIdCell(String),
}

/// Whether each index of the layout means something, and no column of a row is filled twice.
pub(super) fn check_layout(layout: &Layout, tables: &[Table]) -> Result<(), LayoutFault> {
    let mut check = Check {
        tables,
        filled: vec![Vec::new(); tables.len()],
    };
    check.fields(std::slice::from_ref(&layout.data))
}

struct Check<'t> {
    tables: &'t [Table],
    /// The columns, by table, that the objects above the current place fill.
    filled: Vec<Vec<usize>>,
}

impl Check<'_> {
    /// Checks the fields of an object; what they fill counts for everything within it, wherever it stands.
    fn fields(&mut self, fields: &[AncestorField]) -> Result<(), LayoutFault> {
        self.within(fields, |_| Ok(()))
    }

    fn within(
        &mut self,
        fields: &[AncestorField],
        list: impl FnOnce(&mut Self) -> Result<(), LayoutFault>,
    ) -> Result<(), LayoutFault> {
        let before: Vec<_> = self.filled.iter().map(Vec::len).collect();
        for field in fields {
            if let AncestorRole::Columns(places) = &field.role {
                places
                    .iter()
                    .try_for_each(|place| self.fill(place.table, place.column))?;
            }
        }
        for field in fields {
            match &field.role {
                AncestorRole::Ignored | AncestorRole::Columns(_) => {}
                AncestorRole::Object(fields) => self.fields(fields)?,
                AncestorRole::Rows(layout) => self.row_field(layout)?,
            }
        }
        list(self)?;
        for (filled, before) in self.filled.iter_mut().zip(before) {
            filled.truncate(before);
        }
        Ok(())
    }

    fn row_field(&mut self, layout: &RowsLayout) -> Result<(), LayoutFault> {
        match &layout.items {
            Items::Value | Items::List => self.rows(layout, &[]),
            Items::Nodes { beside, .. } => self.within(beside, |check| check.rows(layout, &[])),
            Items::Edges { beside, edge_cells, .. } => self.within(beside, |check| check.rows(layout, edge_cells)),
        }
    }

    fn rows(&mut self, layout: &RowsLayout, edge_cells: &[Cell]) -> Result<(), LayoutFault> {
        let table = self
            .tables
            .get(layout.table)
            .ok_or(LayoutFault::NoTable(layout.table))?;
        let has_id = table
            .columns
            .first()
            .is_some_and(|id| id.ty == ColumnType::Scalar(ScalarType::String) && !id.nullable);
        if !has_id {
            return Err(LayoutFault::NoId(table.name.to_string()));
        }
        if let RowId::Cells(cells) = &layout.row.id
            && (cells.is_empty() || cells.iter().any(|cell| *cell >= layout.row.cells.len()))
        {
            return Err(LayoutFault::NoIdCell(table.name.to_string()));
        }
        let before = self.filled[layout.table].len();
        self.fill(layout.table, 0)?;
        self.cells(layout.table, edge_cells)?;
        self.cells(layout.table, &layout.row.cells)?;
        self.filled[layout.table].truncate(before);
        Ok(())
    }

    fn cells(&mut self, table: usize, cells: &[Cell]) -> Result<(), LayoutFault> {
        cells.iter().try_for_each(|cell| match &cell.role {
            CellRole::Ignored => Ok(()),
            CellRole::Column(column) => self.fill(table, *column),
            CellRole::Flattened(cells) => self.cells(table, cells),
        })
    }

    fn fill(&mut self, table: usize, column: usize) -> Result<(), LayoutFault> {
        let plan = self.tables.get(table).ok_or(LayoutFault::NoTable(table))?;
        let Some(target) = plan.columns.get(column) else {
            return Err(LayoutFault::NoColumn {
                table: plan.name.to_string(),
                column,
            });
        };
        if self.filled[table].contains(&column) {
            return Err(LayoutFault::FilledTwice {
                table: plan.name.to_string(),
                column: target.name.clone(),
            });
        }
        self.filled[table].push(column);
        Ok(())
    }
}
