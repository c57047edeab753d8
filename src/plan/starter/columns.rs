//! What a starter selects of a row: its plain values, those of small objects without a key, and the keys of other rows.

use std::collections::BTreeMap;

use apollo_compiler::Schema;
use apollo_compiler::ast::{FieldDefinition, Type};
use apollo_compiler::schema::{ExtendedType, Name, UnionType};

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
pub(super) fn columns(schema: &Schema, type_name: &Name) -> Vec<Selected> {
    match schema.types.get(type_name) {
        Some(ExtendedType::Union(union)) => members(schema, union),
        _ => plain_fields(schema, type_name)
            .filter_map(|field| selected(schema, field))
            .collect(),
    }
}

fn selected(schema: &Schema, field: &FieldDefinition) -> Option<Selected> {
    if is_value(schema, field) {
        return Some(Selected::Value(field.name.clone()));
    }
    let is_single = !field.ty.is_list() && matches!(paging(schema, field, &PagingHints::default()), Ok(Paging::None));
    let inner = is_single.then(|| values_of_object(schema, field.ty.inner_named_type()))?;
    (!inner.is_empty()).then(|| Selected::Object(field.name.clone(), inner))
}

/// Of a row of another table its key and its name; of any other object its values.
fn values_of_object(schema: &Schema, type_name: &Name) -> Vec<Name> {
    let all: Vec<Name> = values(schema, type_name).map(|field| field.name.clone()).collect();
    match all.iter().any(|name| name == KEY) {
        true => all.into_iter().filter(|name| name == KEY || name == LABEL).collect(),
        false => all,
    }
}

/// The values of each member of a union, but for those that are of one type here and of another there: a query cannot
/// have both under one name.
fn members(schema: &Schema, union: &UnionType) -> Vec<Selected> {
    let mut types: BTreeMap<&Name, Option<&Type>> = BTreeMap::new();
    for field in union.members.iter().flat_map(|member| values(schema, &member.name)) {
        let known = types.entry(&field.name).or_insert(Some(&field.ty));
        if *known != Some(&field.ty) {
            *known = None;
        }
    }
    let on = |member: &Name| {
        let fields = values(schema, member).filter(|field| types.get(&field.name).is_some_and(Option::is_some));
        let names: Vec<Name> = fields.map(|field| field.name.clone()).collect();
        (!names.is_empty()).then(|| Selected::On(member.clone(), names))
    };
    union.members.iter().filter_map(|member| on(&member.name)).collect()
}

fn values<'schema>(schema: &'schema Schema, type_name: &Name) -> impl Iterator<Item = &'schema FieldDefinition> {
    plain_fields(schema, type_name).filter(|field| is_value(schema, field))
}

/// The fields that can be had without knowing anything, and that are there to stay.
fn plain_fields<'schema>(schema: &'schema Schema, type_name: &Name) -> impl Iterator<Item = &'schema FieldDefinition> {
    let fields = match schema.types.get(type_name) {
        Some(ExtendedType::Object(object)) => Some(&object.fields),
        Some(ExtendedType::Interface(interface)) => Some(&interface.fields),
        _ => None,
    };
    let fields = fields.into_iter().flat_map(|fields| fields.values());
    fields.map(|field| &***field).filter(|field| {
        !field.directives.has("deprecated") && !field.arguments.iter().any(|argument| argument.is_required())
    })
}

fn is_value(schema: &Schema, field: &FieldDefinition) -> bool {
    let ty = schema.types.get(field.ty.inner_named_type());
    matches!(ty, Some(ExtendedType::Scalar(_) | ExtendedType::Enum(_)))
}
