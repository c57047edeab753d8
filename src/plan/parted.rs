//! Plain lists of objects that are too much for one request: their items are asked for in several groups of columns, and
//! put together by their places, which what tells the items confirms where there is such a thing.

use std::collections::BTreeSet;

use apollo_compiler::executable::{Selection, SelectionSet};
use apollo_compiler::name;
use apollo_compiler::schema::{ExtendedType, Name};

use crate::plan::columns::Context;
use crate::plan::row_plan::Additions;
use crate::plan::selection::{MergedField, key_selections, merge, possible_types};
use crate::plan::survey::{RowField, Survey};
use crate::schema::object_field;

/// The response paths of the lists whose items are asked for in groups.
pub(crate) type Parted = BTreeSet<Vec<Name>>;

/// Where in the response each item of such a list says what tells it, for all those in the rows of a row field; what the
/// author does not ask for is added.
pub(crate) fn item_keys(
    context: Context<'_>,
    survey: &Survey,
    row: usize,
    parted: &Parted,
    additions: &mut Additions,
) -> Vec<Vec<Name>> {
    let field = &survey.rows[row];
    let is_own = |list: &&Vec<Name>| survey.around(list) == Some(row);
    let keys = parted.iter().filter(is_own).filter_map(|list| {
        let inner = &list[field.path.len()..];
        let items = items(context, field, inner);
        let (key, selections) = item_key(context, &items)?;
        if !selections.is_empty() {
            additions.lists.push((inner.to_vec(), selections));
        }
        Some([list.as_slice(), &[key]].concat())
    });
    keys.collect()
}

/// What is selected of the items of a list, by its path from the row field.
fn items(context: Context<'_>, field: &RowField, inner: &[Name]) -> Vec<SelectionSet> {
    let all = match field.field() {
        Some(field) => field.sets.clone(),
        None => field.source.item_sets.clone(),
    };
    inner.iter().fold(all, |sets, key| {
        let fields = merge(&sets, context.schema, context.variables).into_iter();
        let mut named = fields.filter(|field| field.key == *key);
        named.next().map(|field| field.sets).unwrap_or_default()
    })
}

/// The response key of what tells items apart, and what has to be added for it: their `id`, or their one field of type `ID!`.
fn item_key(context: Context<'_>, items: &[SelectionSet]) -> Option<(Name, Vec<Selection>)> {
    let ty = &items.first()?.ty;
    let name = telling_field(context, ty)?;
    let fields = merge(items, context.schema, context.variables);
    let is_it = |field: &&MergedField| {
        field.field.name == name && !field.is_conditional && field.field.arguments.is_empty() && !field.has_fields()
    };
    if let Some(there) = fields.iter().find(is_it) {
        return Some((there.key.clone(), Vec::new()));
    }
    let key = unused_key(&fields, &name);
    let selections = key_selections(context.schema, ty, &name, &key)?;
    Some((key, selections))
}

fn telling_field(context: Context<'_>, ty: &Name) -> Option<Name> {
    const ID: Name = name!("id");
    let members = possible_types(context.schema, ty);
    let have_id = !members.is_empty()
        && members
            .iter()
            .all(|member| object_field(context.schema, member, &ID).is_some());
    if have_id {
        return Some(ID);
    }
    let Some(ExtendedType::Object(object)) = context.schema.types.get(ty) else {
        return None;
    };
    let is_key = |name: &&Name| {
        let field = &object.fields[*name];
        field.ty.is_non_null()
            && !field.ty.is_list()
            && field.ty.inner_named_type() == "ID"
            && field.arguments.is_empty()
    };
    let mut keys = object.fields.keys().filter(is_key);
    let key = keys.next()?;
    keys.next().is_none().then(|| key.clone())
}

/// A response key that nothing of the author's has, so that no column is filled with it.
fn unused_key(fields: &[MergedField], name: &Name) -> Name {
    let mut key = name.to_string();
    while fields.iter().any(|field| field.key == key.as_str()) {
        key = format!("own_{key}");
    }
    Name::new_unchecked(&key)
}
