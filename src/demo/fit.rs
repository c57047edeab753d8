//! Whether a schema and the data behind it fit: every field has a source, and every source a field.

use apollo_compiler::Schema;
use apollo_compiler::ast::Type;
use apollo_compiler::schema::{Component, ExtendedType, FieldDefinition, InputValueDefinition};

use crate::demo::dataset::{Dataset, EntityType};
use crate::demo::shape::{PagingShape, Part, path_below};
use crate::demo::stand_in::StandInError;

/// Whether the schema and the data fit.
pub(crate) fn check(schema: &Schema, dataset: &Dataset) -> Result<(), StandInError> {
    dataset
        .types()
        .try_for_each(|described| check_type(schema, dataset, described))
}

fn check_type(schema: &Schema, dataset: &Dataset, described: &EntityType) -> Result<(), StandInError> {
    let name = described.name();
    let Some(object) = schema.get_object(name) else {
        return Err(StandInError::NoSuchType(name.to_owned()));
    };
    let description = described.description();
    for field in description.field_names() {
        if !object.fields.contains_key(field.as_str()) {
            return Err(StandInError::NoSuchField(format!("{name}.{field}")));
        }
    }
    let instance = dataset.singleton(described);
    if let Some(field) = object.fields.keys().find(|field| instance.source(field).is_none()) {
        return Err(StandInError::Undescribed(format!("{name}.{field}")));
    }
    for (field, paging) in description.paging_names() {
        let definition = object.fields.get(field).zip(dataset.paging(paging));
        definition.map_or(Ok(()), |(definition, shape)| {
            check_list(schema, shape, &format!("{name}.{field}"), definition)
        })?;
    }
    Ok(())
}

/// Whether a list field has the arguments of its paging, and its answer the fields.
fn check_list(
    schema: &Schema,
    shape: &PagingShape,
    place: &str,
    field: &Component<FieldDefinition>,
) -> Result<(), StandInError> {
    if shape.is_bare() != field.ty.is_list() {
        return Err(StandInError::Undescribed(place.to_owned()));
    }
    for argument in shape.arguments() {
        if !has_argument(schema, &field.arguments, argument) {
            return Err(StandInError::NoSuchField(format!("{place}({argument}:)")));
        }
    }
    if shape.is_bare() {
        return Ok(());
    }
    check_parts(schema, shape, "", &field.ty)
}

/// Whether every field of a page's object has its part in the shape.
fn check_parts(schema: &Schema, shape: &PagingShape, path: &str, ty: &Type) -> Result<(), StandInError> {
    let Some(object) = schema.get_object(ty.inner_named_type()) else {
        return Ok(());
    };
    for (name, field) in &object.fields {
        let below = path_below(path, name);
        match shape.part(&below) {
            None => return Err(StandInError::Undescribed(format!("{}.{name}", object.name))),
            Some(Part::Value(role)) if !role.has_parts() => {}
            Some(_) => check_parts(schema, shape, &below, &field.ty)?,
        }
    }
    Ok(())
}

fn has_argument(schema: &Schema, arguments: &[apollo_compiler::Node<InputValueDefinition>], path: &str) -> bool {
    let (name, rest) = path.split_once('.').unwrap_or((path, ""));
    let Some(argument) = arguments.iter().find(|argument| argument.name == name) else {
        return false;
    };
    let mut ty = argument.ty.inner_named_type();
    for name in rest.split('.').filter(|name| !name.is_empty()) {
        let Some(ExtendedType::InputObject(object)) = schema.types.get(ty) else {
            return false;
        };
        match object.fields.get(name) {
            Some(field) => ty = field.ty.inner_named_type(),
            None => return false,
        }
    }
    true
}
