//! The slow way through a row, which tells what is wrong with it: every value from its own JSON text.
//!
//! Takes every row that `quick.rs` takes, with the same result, and those that only needed a second look.

use crate::plan::{Cell, CellRole, Items, RowsLayout};
use crate::rows::column::ColumnBuffer;
use crate::rows::fields::Fields;
use crate::rows::identity::KeyTexts;
use crate::rows::misfit::Misfit;

/// Adds the values of an item, given as its JSON text, to the columns of its row; `_id` is left to the caller. False
/// where the item, or the node of an edge, is null or not there. After a misfit some columns have a value for the row
/// and some have none.
pub(super) fn read_item<'de>(
    layout: &RowsLayout,
    raw: &'de str,
    columns: &mut [ColumnBuffer],
    keys: &mut KeyTexts<'de>,
) -> Result<bool, Misfit> {
    if raw == "null" {
        return Ok(false);
    }
    let item = Fields::parse(raw).map_err(|cause| cause.at(""))?;
    let Items::Edges { node, edge_cells, .. } = &layout.items else {
        push_cells(&layout.row.cells, Some(&item), columns, Some(keys))?;
        return Ok(true);
    };
    let raw_node = item.get(node).map_err(|cause| cause.at(""))?;
    let Some(raw_node) = raw_node.filter(|raw| *raw != "null") else {
        return Ok(false);
    };
    let fields = Fields::parse(raw_node).map_err(|cause| cause.at(""))?;
    push_cells(edge_cells, Some(&item), columns, None)?;
    push_cells(&layout.row.cells, Some(&fields), columns, Some(keys))?;
    Ok(true)
}

/// Adds the values of these cells, nulls where there is no object.
fn push_cells<'de>(
    cells: &[Cell],
    fields: Option<&Fields<'de>>,
    columns: &mut [ColumnBuffer],
    mut keys: Option<&mut KeyTexts<'de>>,
) -> Result<(), Misfit> {
    for (index, cell) in cells.iter().enumerate() {
        let is_key = keys.as_ref().is_some_and(|keys| keys.wants(index));
        if cell.role == CellRole::Ignored && !is_key {
            continue;
        }
        let raw = match fields {
            Some(fields) => fields
                .get(&cell.key)
                .map_err(|cause| cause.at(cell_name(cell, columns)))?,
            None => None,
        };
        if let (Some(keys), Some(raw)) = (keys.as_mut(), raw) {
            keys.set(index, raw);
        }
        match (&cell.role, raw) {
            (CellRole::Ignored, _) => {}
            (CellRole::Column(column), Some(raw)) => columns[*column].push_json(raw)?,
            (CellRole::Column(column), None) => columns[*column].push_missing()?,
            (CellRole::Flattened(cells), None | Some("null")) => push_cells(cells, None, columns, None)?,
            (CellRole::Flattened(cells), Some(raw)) => {
                let fields = Fields::parse(raw).map_err(|cause| cause.at(cell.key.as_str()))?;
                push_cells(cells, Some(&fields), columns, None)?;
            }
        }
    }
    Ok(())
}

fn cell_name(cell: &Cell, columns: &[ColumnBuffer]) -> String {
    match &cell.role {
        CellRole::Column(column) => columns[*column].name.clone(),
        CellRole::Ignored | CellRole::Flattened(_) => cell.key.clone(),
    }
}
