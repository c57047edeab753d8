//! What a starter does not select of a row, for its author to know of.

use std::collections::{BTreeMap, BTreeSet};

use apollo_compiler::ast::FieldDefinition;
use apollo_compiler::schema::{ExtendedType, Name};

use crate::plan::starter::columns::{KEY, Selected, free_name, is_value, selected};
use crate::plan::starter::fields::Fields;

/// The fields of rows that are not selected, but for `lists`, which are told of in other words: each by its way from the
/// row, with the arguments that it insists on.
pub(super) fn unselected(fields: Fields<'_, '_>, rows: &Name, lists: &[&Name]) -> Vec<String> {
    let is_other = |field: &&FieldDefinition| !lists.contains(&&field.name);
    match fields.schema.types.get(rows) {
        Some(ExtendedType::Union(union)) => {
            let members = union.members.iter().flat_map(|member| fields.of(&member.name));
            let rest = members.filter(is_other).filter(|field| !is_value(fields.schema, field));
            // Members often have the same.
            let names: BTreeSet<String> = rest.map(with_arguments).collect();
            names.into_iter().collect()
        }
        _ => {
            let rest = fields.of(rows).filter(is_other);
            rest.flat_map(|field| unselected_of(fields, field)).collect()
        }
    }
}

/// What of a field is not selected: of an object without a key what is no value of its own.
fn unselected_of(fields: Fields<'_, '_>, field: &FieldDefinition) -> Vec<String> {
    match selected(fields, field) {
        None => vec![with_arguments(field)],
        Some(Selected::Object(name, inner)) if !inner.iter().any(|inner| inner == KEY) => {
            let all = fields.of(field.ty.inner_named_type());
            let rest = all.filter(|field| !inner.contains(&field.name));
            rest.map(|field| format!("{name}.{}", with_arguments(field))).collect()
        }
        Some(_) => Vec::new(),
    }
}

/// What types of an interface have beside it, each as it can be selected together with all others.
pub(super) fn own_fields(fields: Fields<'_, '_>, interface: &Name) -> Vec<(Name, Vec<String>)> {
    let implementers = fields.schema.implementers_map();
    let objects = implementers.get(interface).into_iter().flat_map(|all| &all.objects);
    let objects: BTreeSet<&Name> = objects.collect();
    let common: Vec<&Name> = fields.of(interface).map(|field| &field.name).collect();
    let mut types = BTreeMap::new();
    let own = objects.into_iter().map(|object| {
        let own = fields.of(object).filter(|field| !common.contains(&&field.name));
        let names = own.filter_map(|field| Some(free_name(&mut types, object, field)? + &arguments(field)));
        (object.clone(), names.collect::<Vec<_>>())
    });
    own.filter(|(_, names)| !names.is_empty()).collect()
}

fn with_arguments(field: &FieldDefinition) -> String {
    format!("{}{}", field.name, arguments(field))
}

/// The arguments that a field insists on, in brackets.
fn arguments(field: &FieldDefinition) -> String {
    let required = field.arguments.iter().filter(|argument| argument.is_required());
    let required: Vec<String> = required
        .map(|argument| format!("{}: {}", argument.name, argument.ty))
        .collect();
    match required.as_slice() {
        [] => String::new(),
        required => format!("({})", required.join(", ")),
    }
}
