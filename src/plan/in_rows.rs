//! Fields that the token may not see in single rows, though they cannot be null: each is asked for apart from the other
//! columns, or, where it is a connection, by each row that holds it, so that its error takes no more with it than the field.

use apollo_compiler::schema::Name;

use crate::plan::address::{Address, address};
use crate::plan::columns::Context;
use crate::plan::denied::DeniedField;
use crate::plan::named::Selected;
use crate::plan::place::stands_in;
use crate::plan::report::PlanError;
use crate::plan::row_plan::{RowPlan, joined};
use crate::plan::survey::{RowField, Survey};
use crate::plan::table::{RowAddress, RowId, RowLayout};
use crate::schema::object_field;

/// How such a field is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Way {
    /// In a group of columns of its own, where an error ends at the row.
    Group,
    /// By each row itself, where an error would void the page: its path, and the row field.
    Row(Vec<Name>, usize),
    /// As a connection of that row field, whose first page is asked for by the row that holds it.
    Connection(usize),
}

/// A field that is asked for apart from the others: its response path, and how.
pub(crate) type SetApart = (Vec<Name>, Way);

/// How the fields are asked for that are denied in single rows; the index of one for which there is no way.
pub(crate) fn ways(
    context: Context<'_>,
    survey: &Survey,
    plans: &[RowPlan],
    selected: &Selected,
    denied: &[DeniedField],
) -> Result<Result<Vec<SetApart>, usize>, PlanError> {
    let mut ways = Vec::new();
    let objects = Objects { selected, denied };
    for (index, field) in denied.iter().enumerate().filter(|(_, field)| field.is_in_rows) {
        let path: Vec<Name> = field.path.split('.').map(Name::new_unchecked).collect();
        match way(context, survey, plans, (&path, objects))? {
            Some(way) => ways.push((path, way)),
            None => return Ok(Err(index)),
        }
    }
    Ok(Ok(ways))
}

fn way(
    context: Context<'_>,
    survey: &Survey,
    plans: &[RowPlan],
    (path, objects): (&[Name], Objects<'_>),
) -> Result<Option<Way>, PlanError> {
    if let Some(inner) = survey.row_at(path) {
        return Ok(is_found_by_holder(survey, plans, inner).then_some(Way::Connection(inner)));
    }
    let Some(row) = survey.around(path) else {
        return Ok(None);
    };
    let field = &survey.rows[row];
    let items = field.items_path();
    let Some(key) = path.get(items.len()).filter(|_| path.starts_with(&items)) else {
        return Ok(None);
    };
    let holds_rows = survey.rows.iter().any(|row| row.path.starts_with(path));
    let around = objects.around(path, items.len());
    if holds_rows || is_needed(&plans[row].layout.row, key) || !objects.do_without(&around, path) {
        return Ok(None);
    }
    if around.iter().any(|object| objects.can_be_null(object)) || ends_nulls(context, field) {
        return Ok(Some(Way::Group));
    }
    let is_found = matches!(address(context, field)?, Some(Address::Lookup(_)));
    Ok(is_found.then(|| Way::Row(path.to_vec(), row)))
}

/// The single objects in rows, and what is left of them without what is denied.
#[derive(Clone, Copy)]
struct Objects<'plan> {
    selected: &'plan Selected,
    denied: &'plan [DeniedField],
}

impl Objects<'_> {
    /// The places of what a field stands in within its row, of which so many steps lead to the items; outermost first.
    fn around(self, path: &[Name], items: usize) -> Vec<String> {
        let ends = items + 1..path.len();
        ends.map(|end| joined(&path[..end], ".")).collect()
    }

    fn can_be_null(self, object: &str) -> bool {
        self.selected.get(object).is_some_and(|field| !field.is_never_null)
    }

    /// Whether the objects around a field come without it: an object that holds nothing else has to be null then. Of a
    /// plain list, nothing is asked for apart.
    fn do_without(self, around: &[String], path: &[Name]) -> bool {
        let is_list = |object: &String| self.selected.get(object).is_none_or(|field| field.is_list);
        let holds_others = |object: &String| {
            let own = joined(path, ".");
            let is_denied = |place: &str| place == own || self.denied.iter().any(|field| stands_in(place, &field.path));
            let mut places = self.selected.keys();
            places.any(|place| place != object && stands_in(place, object) && !is_denied(place))
        };
        let is_kept = around
            .last()
            .is_none_or(|object| self.can_be_null(object) || holds_others(object));
        is_kept && !around.iter().any(is_list)
    }
}

/// Whether a row field is a connection in rows that a field of the query root finds.
pub(crate) fn is_found_by_holder(survey: &Survey, plans: &[RowPlan], row: usize) -> bool {
    let field = &survey.rows[row];
    let holder = field.parent.and_then(|parent| plans[parent].address.as_ref());
    field.paged().is_some() && matches!(holder, Some(Address::Lookup(_)))
}

/// Whether rows are told or asked for again by a field of theirs, or by one in it, or cannot be told at all.
pub(crate) fn is_needed(row: &RowLayout, key: &Name) -> bool {
    let RowId::Key(keys) = &row.id else {
        return true;
    };
    let address = match &row.address {
        Some(RowAddress::Value(place)) => Some(place),
        _ => None,
    };
    let mut places = keys.iter().chain(address);
    places.any(|place| key == row.cells[place.cell].key.as_str())
}

/// Whether an item of a row field can be null, so that the null of a field in it goes no further.
fn ends_nulls(context: Context<'_>, row: &RowField) -> bool {
    let Some(field) = row.field() else { return false };
    let can_be_null = |holder: &Name, name: &Name| {
        let definition = object_field(context.schema, holder, name);
        definition.is_some_and(|field| {
            let item = if field.ty.is_list() {
                field.ty.item_type()
            } else {
                &field.ty
            };
            !item.is_non_null()
        })
    };
    let ty = field.field.ty();
    match row.source.steps.as_slice() {
        [] => ty.is_list() && !ty.item_type().is_non_null(),
        [(_, nodes)] => can_be_null(ty.inner_named_type(), nodes),
        [(_, edges), (_, node), ..] => {
            let edge = object_field(context.schema, ty.inner_named_type(), edges);
            let edge = edge.map(|edges| edges.ty.inner_named_type().clone());
            can_be_null(ty.inner_named_type(), edges) || edge.is_some_and(|edge| can_be_null(&edge, node))
        }
    }
}
