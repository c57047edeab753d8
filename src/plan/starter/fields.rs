//! The fields that starters are made of.

use std::collections::{BTreeMap, BTreeSet};

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
    /// The names of those that the source leaves out, of a type, or of the types of a union.
    pub(super) fn left_out_of(self, type_name: &Name) -> Vec<&'schema Name> {
        let of_type = |ty: &Name| {
            let left_out = self.left_out.get(ty.as_str());
            let names = match self.schema.types.get(ty) {
                Some(ExtendedType::Object(object)) => object.fields.keys().collect(),
                Some(ExtendedType::Interface(interface)) => interface.fields.keys().collect(),
                _ => Vec::new(),
            };
            let is_left_out = move |name: &&Name| left_out.is_some_and(|left_out| left_out.contains(&name.to_string()));
            names.into_iter().filter(is_left_out)
        };
        match self.schema.types.get(type_name) {
            Some(ExtendedType::Union(union)) => {
                let names: BTreeSet<_> = union.members.iter().flat_map(|member| of_type(&member.name)).collect();
                names.into_iter().collect()
            }
            _ => of_type(type_name).collect(),
        }
    }

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
