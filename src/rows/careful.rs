//! The slow way through a row, which tells what is wrong with it: every value from its own JSON text.
//!
//! Takes every row that `quick.rs` takes, with the same result, and those that only needed a second look.

use crate::plan::{Cell, CellRole, Items, RowsLayout};
use crate::rows::below::BelowTexts;
use crate::rows::column::ColumnBuffer;
use crate::rows::fields::Fields;
use crate::rows::identity::KeyTexts;
use crate::rows::misfit::{Misfit, MisfitCause};

/// An item taken apart, but for its values.
pub(super) struct Item<'s, 'de> {
    layout: &'s RowsLayout,
    fields: Fields<'de>,
    /// What is asked of the edge around the item, and what stands there.
    edge: Option<(&'s [Cell], Fields<'de>)>,
}

impl<'s, 'de> Item<'s, 'de> {
    /// Takes an item apart, given as its JSON text. `None` where it, or the node of an edge, is null or not there.
    pub(super) fn parse(layout: &'s RowsLayout, raw: &'de str) -> Result<Option<Self>, Misfit> {
        Self::parse_whole(layout, raw).map_err(|cause| cause.at(""))
    }

    fn parse_whole(layout: &'s RowsLayout, raw: &'de str) -> Result<Option<Self>, MisfitCause> {
        if raw == "null" {
            return Ok(None);
        }
        let fields = match &layout.items {
            Items::Field { key } => Fields::only(key, raw)?,
            _ => Fields::parse(raw)?,
        };
        let Items::Edges { node, edge_cells, .. } = &layout.items else {
            return Ok(Some(Self {
                layout,
                fields,
                edge: None,
            }));
        };
        let Some(raw_node) = fields.get(node)?.filter(|raw| *raw != "null") else {
            return Ok(None);
        };
        Ok(Some(Self {
            layout,
            fields: Fields::parse(raw_node)?,
            edge: Some((edge_cells, fields)),
        }))
    }

    /// Takes what the row's `_id` is made of, as far as it can be told, whatever else is wrong with the row.
    pub(super) fn take_keys(&self, keys: &mut KeyTexts<'_, 'de>) {
        keys.clear();
        for (index, cell) in self.layout.row.cells.iter().enumerate() {
            if !keys.wants(index) {
                continue;
            }
            if let Ok(Some(raw)) = self.fields.get(&cell.key) {
                keys.set(index, raw);
            }
        }
    }

    /// Takes the texts of the rows below, whatever else is wrong with the row. A key that stands twice spoils the row,
    /// and what stands under it stays in the text of the reject.
    pub(super) fn take_below(&self, below: &mut BelowTexts<'s, 'de>) {
        below.clear();
        if let Some((cells, fields)) = &self.edge {
            hold_below(cells, Some(fields), below);
        }
        hold_below(&self.layout.row.cells, Some(&self.fields), below);
        below.sort();
    }

    /// Adds the values to the columns of the row; `_id` and `_parent_id` are left to the caller. After a misfit some
    /// columns have a value for the row and some have none.
    pub(super) fn push(&self, columns: &mut [ColumnBuffer], keys: &KeyTexts<'_, 'de>) -> Result<(), Misfit> {
        if let Some((cells, fields)) = &self.edge {
            push_cells(cells, Some(fields), columns, None)?;
        }
        push_cells(&self.layout.row.cells, Some(&self.fields), columns, Some(keys))
    }
}

fn hold_below<'s, 'de>(cells: &'s [Cell], fields: Option<&Fields<'de>>, below_texts: &mut BelowTexts<'s, 'de>) {
    for cell in cells {
        let raw = || fields.map_or(Ok(None), |fields| fields.get(&cell.key));
        match &cell.role {
            CellRole::Ignored | CellRole::Column(_) => {}
            CellRole::Below { below, .. } => {
                if let Ok(raw) = raw() {
                    below_texts.hold(&cell.key, below, raw);
                }
            }
            CellRole::Flattened(cells) => {
                if let Ok(raw) = raw() {
                    let object = raw.and_then(|raw| Fields::parse(raw).ok());
                    hold_below(cells, object.as_ref(), below_texts);
                }
            }
        }
    }
}

/// Adds the values of these cells, nulls where there is no object.
fn push_cells(
    cells: &[Cell],
    fields: Option<&Fields<'_>>,
    columns: &mut [ColumnBuffer],
    keys: Option<&KeyTexts<'_, '_>>,
) -> Result<(), Misfit> {
    for (index, cell) in cells.iter().enumerate() {
        let is_key = keys.is_some_and(|keys| keys.wants(index));
        if !(is_of_use(cell) || is_key) {
            continue;
        }
        let raw = match fields {
            Some(fields) => fields
                .get(&cell.key)
                .map_err(|cause| cause.at(cell_name(cell, columns)))?,
            None => None,
        };
        match (&cell.role, raw) {
            (CellRole::Ignored | CellRole::Below { column: None, .. }, _) => {}
            (
                CellRole::Column(column)
                | CellRole::Below {
                    column: Some(column), ..
                },
                raw,
            ) => {
                push_value(&mut columns[*column], raw)?;
            }
            (CellRole::Flattened(cells), None | Some("null")) => push_cells(cells, None, columns, None)?,
            (CellRole::Flattened(cells), Some(raw)) => {
                let fields = Fields::parse(raw).map_err(|cause| cause.at(cell.key.as_str()))?;
                push_cells(cells, Some(&fields), columns, None)?;
            }
        }
    }
    Ok(())
}

/// Whether a row takes anything from a cell, its `_id` aside.
fn is_of_use(cell: &Cell) -> bool {
    match &cell.role {
        CellRole::Ignored => false,
        CellRole::Column(_) | CellRole::Below { .. } => true,
        CellRole::Flattened(cells) => cells.iter().any(is_of_use),
    }
}

fn push_value(column: &mut ColumnBuffer, raw: Option<&str>) -> Result<(), Misfit> {
    match raw {
        Some(raw) => column.push_json(raw),
        None => column.push_missing(),
    }
}

fn cell_name(cell: &Cell, columns: &[ColumnBuffer]) -> String {
    match &cell.role {
        CellRole::Column(column) => columns[*column].name.clone(),
        CellRole::Ignored | CellRole::Flattened(_) | CellRole::Below { .. } => cell.key.clone(),
    }
}
