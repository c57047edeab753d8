//! Whether a layout belongs to its tables, so that the passes over a body need not ask again at every value.

use crate::plan::{
    AncestorField, AncestorRole, Cell, CellRole, Column, ColumnType, Items, Layout, RowId, RowLayout, RowsLayout, Table,
};
use crate::schema::ScalarType;

/// The name of the column for the `_id` of the row that holds a row.
pub(super) const PARENT_ID: &str = "_parent_id";

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
    /// A table whose first column is not text without nulls.
    #[error("table `{0}` does not begin with its `_id`")]
    NoId(String),
    /// A row whose `_id` is made of no cell, or of one that it does not have.
    #[error("the `_id` of table `{0}` is made of no cell of its rows")]
    NoIdCell(String),
    /// Rows with a parent in a table whose second column is no `_parent_id`, text without nulls.
    #[error("the second column of table `{0}` is not its `_parent_id`")]
    NoParentId(String),
    /// Rows below others that do not say whose they are.
    #[error("the rows of table `{0}` stand below others, and have no `_parent_id`")]
    NoParent(String),
    /// Rows that stand, at some depth, within rows of the same table.
    #[error("the rows of table `{0}` stand within rows of the same table")]
    WithinItself(String),
    /// A cell with rows below that leads to none.
    #[error("the cell `{key}` of table `{table}` is said to hold rows, and leads to none")]
    NoRowsBelow {
        /// The name of the table of the row that has the cell.
        table: String,
        /// The cell's response key.
        key: String,
    },
}

/// Whether each index of the layout means something, and no column of a row is filled twice.
pub(super) fn check_layout(layout: &Layout, tables: &[Table]) -> Result<(), LayoutFault> {
    let mut check = Check {
        tables,
        filled: vec![Vec::new(); tables.len()],
        enclosing: Vec::new(),
    };
    check.fields(std::slice::from_ref(&layout.data))
}

struct Check<'t> {
    tables: &'t [Table],
    /// The columns, by table, that the objects above the current place fill.
    filled: Vec<Vec<usize>>,
    /// The tables of the rows that the current place is in.
    enclosing: Vec<usize>,
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
        fields.iter().try_for_each(|field| self.role(&field.role))?;
        list(self)?;
        for (filled, before) in self.filled.iter_mut().zip(before) {
            filled.truncate(before);
        }
        Ok(())
    }

    fn role(&mut self, role: &AncestorRole) -> Result<(), LayoutFault> {
        match role {
            AncestorRole::Ignored | AncestorRole::Columns(_) => Ok(()),
            AncestorRole::Object(fields) | AncestorRole::Only(fields) => self.fields(fields),
            AncestorRole::Rows(layout) => self.row_field(layout),
        }
    }

    fn row_field(&mut self, layout: &RowsLayout) -> Result<(), LayoutFault> {
        match &layout.items {
            Items::Value | Items::Field { .. } | Items::List => self.rows(layout, &[]),
            Items::Nodes { beside, .. } => self.within(beside, |check| check.rows(layout, &[])),
            Items::Edges { beside, edge_cells, .. } => self.within(beside, |check| check.rows(layout, edge_cells)),
        }
    }

    fn rows(&mut self, layout: &RowsLayout, edge_cells: &[Cell]) -> Result<(), LayoutFault> {
        let table = self
            .tables
            .get(layout.table)
            .ok_or(LayoutFault::NoTable(layout.table))?;
        self.row(table, &layout.row)?;
        if self.enclosing.contains(&layout.table) {
            return Err(LayoutFault::WithinItself(table.name.to_string()));
        }
        let before = self.filled[layout.table].len();
        self.enclosing.push(layout.table);
        self.fill(layout.table, 0)?;
        if layout.row.has_parent {
            self.fill(layout.table, 1)?;
        }
        self.cells(layout.table, edge_cells)?;
        self.cells(layout.table, &layout.row.cells)?;
        self.enclosing.pop();
        self.filled[layout.table].truncate(before);
        Ok(())
    }

    fn row(&self, table: &Table, row: &RowLayout) -> Result<(), LayoutFault> {
        let name = || table.name.to_string();
        if !table.columns.first().is_some_and(is_text) {
            return Err(LayoutFault::NoId(name()));
        }
        if let RowId::Key(places) = &row.id
            && (places.is_empty() || places.iter().any(|place| place.cell >= row.cells.len()))
        {
            return Err(LayoutFault::NoIdCell(name()));
        }
        let is_parent_id = |column: &Column| column.name == PARENT_ID && is_text(column);
        match row.has_parent {
            true if !table.columns.get(1).is_some_and(is_parent_id) => Err(LayoutFault::NoParentId(name())),
            false if !self.enclosing.is_empty() => Err(LayoutFault::NoParent(name())),
            _ => Ok(()),
        }
    }

    fn cells(&mut self, table: usize, cells: &[Cell]) -> Result<(), LayoutFault> {
        cells.iter().try_for_each(|cell| match &cell.role {
            CellRole::Ignored => Ok(()),
            CellRole::Column(column) => self.fill(table, *column),
            CellRole::Flattened(cells) => self.cells(table, cells),
            CellRole::Below { column, below } => {
                if matches!(below, AncestorRole::Ignored | AncestorRole::Columns(_)) {
                    return Err(LayoutFault::NoRowsBelow {
                        table: self.tables[table].name.to_string(),
                        key: cell.key.clone(),
                    });
                }
                column.map_or(Ok(()), |column| self.fill(table, column))?;
                self.role(below)
            }
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

/// Whether a column is text without nulls.
fn is_text(column: &Column) -> bool {
    column.ty == ColumnType::Scalar(ScalarType::String) && !column.nullable
}
