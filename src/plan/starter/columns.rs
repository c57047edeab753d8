//! What a starter selects of a row: its plain values, those of small objects without a key, and the keys of other rows.

use std::collections::{BTreeMap, BTreeSet};

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

/// The values of each member of a union. One that is of another type here than in a member before gets another name: a
/// query cannot have both under one.
fn members(fields: Fields<'_, '_>, union: &UnionType) -> Vec<Selected> {
    let mut types = BTreeMap::new();
    let on = |member: &Name| {
        let names = values(fields, member).filter_map(|field| free_name(&mut types, member, field));
        let names: Vec<String> = names.collect();
        (!names.is_empty()).then(|| Selected::On(member.clone(), names))
    };
    union.members.iter().map(|member| &member.name).filter_map(on).collect()
}

/// How a value of a member is selected, where `types` has those of the names that are taken; `None` where its other name is
/// taken, too.
fn free_name<'schema>(
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

/// What types of an interface have beside it, each with its values.
pub(super) fn own_values<'schema>(fields: Fields<'schema, '_>, type_name: &Name) -> Vec<(Name, Vec<&'schema Name>)> {
    let implementers = fields.schema.implementers_map();
    let objects = implementers.get(type_name).into_iter().flat_map(|all| &all.objects);
    let objects: BTreeSet<&Name> = objects.collect();
    let common: Vec<&Name> = fields.of(type_name).map(|field| &field.name).collect();
    let own = objects.into_iter().map(|object| {
        let names = values(fields, object).map(|field| &field.name);
        (
            object.clone(),
            names.filter(|name| !common.contains(name)).collect::<Vec<_>>(),
        )
    });
    own.filter(|(_, names)| !names.is_empty()).collect()
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
