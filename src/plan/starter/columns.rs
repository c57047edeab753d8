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
    /// What is selected of one type of a union, each under its own name or another.
    On(Name, Vec<String>),
}

/// The name that a row is known by to people.
const LABEL: &str = "name";

/// The key that a row is known by to programs.
pub(super) const KEY: &str = "id";

/// What is selected of rows of a type; nothing where it has no plain value.
pub(super) fn columns(fields: Fields<'_, '_>, type_name: &Name) -> Vec<Selected> {
    match fields.schema.types.get(type_name) {
        Some(ExtendedType::Union(union)) => members(fields, union),
        _ => fields
            .of(type_name)
            .filter_map(|field| selected(fields, field))
            .collect(),
    }
}

pub(super) fn selected(fields: Fields<'_, '_>, field: &FieldDefinition) -> Option<Selected> {
    let schema = fields.schema;
    if !is_free(field) {
        return None;
    }
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

/// The values of each member of a union.
fn members(fields: Fields<'_, '_>, union: &UnionType) -> Vec<Selected> {
    let mut types = BTreeMap::new();
    let on = |member: &Name| {
        let names = values(fields, member).filter_map(|field| free_name(&mut types, member, field));
        let names: Vec<String> = names.collect();
        (!names.is_empty()).then(|| Selected::On(member.clone(), names))
    };
    union.members.iter().map(|member| &member.name).filter_map(on).collect()
}

/// How a field of one type of several is selected, where `types` has those of the names that are taken. One that is of
/// another type here than in a type before gets another name, as a query cannot have both under one; `None` where that is
/// taken, too.
pub(super) fn free_name<'schema>(
    types: &mut BTreeMap<String, &'schema Type>,
    member: &Name,
    field: &'schema FieldDefinition,
) -> Option<String> {
    let name = field.name.to_string();
    let mut takes = |name: &str| *types.entry(name.to_owned()).or_insert(&field.ty) == &field.ty;
    if takes(&name) {
        return Some(name);
    }
    let other = format!("{}_{name}", member.to_lowercase());
    takes(&other).then(|| format!("{other}: {name}"))
}

/// The plain values of a type that can be had without knowing anything.
pub(super) fn values<'schema>(
    fields: Fields<'schema, '_>,
    type_name: &Name,
) -> impl Iterator<Item = &'schema FieldDefinition> {
    fields.of(type_name).filter(move |field| is_value(fields.schema, field))
}

/// Whether a field can be had without knowing anything.
fn is_free(field: &FieldDefinition) -> bool {
    !field.arguments.iter().any(|argument| argument.is_required())
}

/// Whether a field is a plain value that can be had without knowing anything.
pub(super) fn is_value(schema: &Schema, field: &FieldDefinition) -> bool {
    let ty = schema.types.get(field.ty.inner_named_type());
    is_free(field) && matches!(ty, Some(ExtendedType::Scalar(_) | ExtendedType::Enum(_)))
}
