//! The fields that starters are made of.

use std::collections::BTreeMap;

use apollo_compiler::Schema;
use apollo_compiler::ast::FieldDefinition;
use apollo_compiler::schema::{ExtendedType, Name};

/// The fields of a schema that are there to stay, but for those that the source leaves out.
#[derive(Clone, Copy)]
pub(super) struct Fields<'schema, 'plan> {
    pub(super) schema: &'schema Schema,
    /// By the names of their types.
    pub(super) left_out: &'plan BTreeMap<String, Vec<String>>,
}

impl<'schema> Fields<'schema, '_> {
    /// Those of a type.
    pub(super) fn of(self, type_name: &Name) -> impl Iterator<Item = &'schema FieldDefinition> {
        let fields = match self.schema.types.get(type_name) {
            Some(ExtendedType::Object(object)) => Some(&object.fields),
            Some(ExtendedType::Interface(interface)) => Some(&interface.fields),
            _ => None,
        };
        let left_out = self.left_out.get(type_name.as_str());
        let is_left_out =
            move |field: &FieldDefinition| left_out.is_some_and(|names| names.contains(&field.name.to_string()));
        let fields = fields.into_iter().flat_map(|fields| fields.values());
        fields
            .map(|field| &***field)
            .filter(move |field| !field.directives.has("deprecated") && !is_left_out(field))
    }
}
