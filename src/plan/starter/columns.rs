//! What a starter selects of a row: its plain values, those of small objects without a key, and the keys of other rows.

use std::collections::BTreeMap;

use apollo_compiler::Schema;
use apollo_compiler::ast::{FieldDefinition, Type};
use apollo_compiler::schema::{ExtendedType, Name, UnionType};

use crate::plan::starter::fields::Fields;
use crate::schema::{Paging, PagingHints, paging};

/// What is selected, in the schema's order.
pub(super) enum Selected {
    /// A plain value.
    Value(Name),
    /// A few values of an object.
    Object(Name, Vec<Name>),
    /// What only one type of a union has.
    On(Name, Vec<Name>),
}

/// The name that a row is known by to people.
const LABEL: &str = "name";

/// The key that a row is known by to programs.
const KEY: &str = "id";

/// What is selected of rows of a type; nothing where it has no plain value.
pub(super) fn columns(fields: Fields<'_, '_>, type_name: &Name) -> Vec<Selected> {
    match fields.schema.types.get(type_name) {
        Some(ExtendedType::Union(union)) => members(fields, union),
        _ => plain_fields(fields, type_name)
            .filter_map(|field| selected(fields, field))
            .collect(),
    }
}

fn selected(fields: Fields<'_, '_>, field: &FieldDefinition) -> Option<Selected> {
    let schema = fields.schema;
    if is_value(schema, field) {
        return Some(Selected::Value(field.name.clone()));
    }
    let is_single = !field.ty.is_list() && matches!(paging(schema, field, &PagingHints::default()), Ok(Paging::None));
    let inner = is_single.then(|| values_of_object(fields, field.ty.inner_named_type()))?;
    (!inner.is_empty()).then(|| Selected::Object(field.name.clone(), inner))
}

/// Of a row of another table its key and its name; of any other object its values.
fn values_of_object(fields: Fields<'_, '_>, type_name: &Name) -> Vec<Name> {
    let all: Vec<Name> = values(fields, type_name).map(|field| field.name.clone()).collect();
    match all.iter().any(|name| name == KEY) {
        true => all.into_iter().filter(|name| name == KEY || name == LABEL).collect(),
        false => all,
    }
}

/// The values of each member of a union, but for those that are of one type here and of another there: a query cannot
/// have both under one name.
fn members(fields: Fields<'_, '_>, union: &UnionType) -> Vec<Selected> {
    let mut types: BTreeMap<&Name, Option<&Type>> = BTreeMap::new();
    for field in union.members.iter().flat_map(|member| values(fields, &member.name)) {
        let known = types.entry(&field.name).or_insert(Some(&field.ty));
        if *known != Some(&field.ty) {
            *known = None;
        }
    }
    let on = |member: &Name| {
        let kept = values(fields, member).filter(|field| types.get(&field.name).is_some_and(Option::is_some));
        let names: Vec<Name> = kept.map(|field| field.name.clone()).collect();
        (!names.is_empty()).then(|| Selected::On(member.clone(), names))
    };
    union.members.iter().filter_map(|member| on(&member.name)).collect()
}

fn values<'schema>(fields: Fields<'schema, '_>, type_name: &Name) -> impl Iterator<Item = &'schema FieldDefinition> {
    plain_fields(fields, type_name).filter(move |field| is_value(fields.schema, field))
}

/// The fields that can be had without knowing anything.
fn plain_fields<'schema>(
    fields: Fields<'schema, '_>,
    type_name: &Name,
) -> impl Iterator<Item = &'schema FieldDefinition> {
    let is_free = |field: &&FieldDefinition| !field.arguments.iter().any(|argument| argument.is_required());
    fields.of(type_name).filter(is_free)
}

fn is_value(schema: &Schema, field: &FieldDefinition) -> bool {
    let ty = schema.types.get(field.ty.inner_named_type());
    matches!(ty, Some(ExtendedType::Scalar(_) | ExtendedType::Enum(_)))
}
