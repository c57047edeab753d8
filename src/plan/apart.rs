//! Fields that stand too deep in their rows: they do not come with these, but are asked for by each row's own lookup field,
//! nearer the query root.

use std::collections::BTreeMap;

use apollo_compiler::schema::Name;

use crate::plan::address::{Address, address};
use crate::plan::columns::Context;
use crate::plan::excess::Excesses;
use crate::plan::in_rows::is_needed;
use crate::plan::outline::Outline;
use crate::plan::report::PlanError;
use crate::plan::row_plan::RowPlan;
use crate::plan::survey::Survey;

/// The response paths of such fields.
pub(crate) type Apart = BTreeMap<Vec<Name>, ApartField>;

/// A field that is asked for by its row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ApartField {
    /// The row field in whose rows it stands.
    pub(crate) row: usize,
    /// Of what there would be too much with it, where that is why.
    pub(crate) cut_for: Option<Excesses>,
}

/// The field of a row that holds an atom, and the row field, where each row can be asked for it by itself: the row has a key,
/// a field of the query root finds it, and no rows of other tables stand in the field.
pub(crate) fn to_set_apart(
    context: Context<'_>,
    survey: &Survey,
    plans: &[RowPlan],
    outline: &Outline,
    atom: usize,
) -> Result<Option<(Vec<Name>, usize)>, PlanError> {
    let nodes = || outline.atoms[atom].iter().map(|node| &outline.nodes[*node]);
    let Some((first, row)) = nodes().next().and_then(|node| Some((node, node.row?))) else {
        return Ok(None);
    };
    let items = survey.rows[row].items_path();
    let Some(path) = first.path.get(..=items.len()).filter(|path| path.starts_with(&items)) else {
        return Ok(None);
    };
    let key = &path[items.len()];
    let is_all = nodes().all(|node| node.path.starts_with(path));
    let holds_rows = survey.rows.iter().any(|row| row.path.starts_with(path));
    if is_needed(&plans[row].layout.row, key) || !is_all || holds_rows {
        return Ok(None);
    }
    let is_found = matches!(address(context, &survey.rows[row])?, Some(Address::Lookup(_)));
    Ok(is_found.then(|| (path.to_vec(), row)))
}
