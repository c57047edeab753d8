//! The truth that an export is compared with: rows straight from the data, without paging, without GraphQL execution.

use std::ops::Range;

use apollo_compiler::schema::ObjectType;
use serde_json::{Map, Value};

use crate::demo::dataset::{EntityType, Instance};
use crate::demo::generator::Generated;
use crate::demo::stand_in::{StandIn, StandInError, root_connection};

impl StandIn {
    /// The rows of a connection of the query root, in its order: every field that holds values (scalars, objects and
    /// lists; not the ones that lead to other entities), as the API answers it. Objects in the place of a union or an
    /// interface have their `__typename`.
    pub fn truth(&self, table: &str) -> Result<impl Iterator<Item = Map<String, Value>> + '_, StandInError> {
        let ty = self.table_type(table)?;
        Ok(self.rows(ty, 0..ty.count()))
    }

    /// The rows of [`StandIn::truth`] that lie below the entity of type `ancestor` whose field `field` has the value
    /// `value`: `truth_below("groups", "Organization", "name", "acme")`. None where there is no such entity.
    pub fn truth_below(
        &self,
        table: &str,
        ancestor: &str,
        field: &str,
        value: &str,
    ) -> Result<impl Iterator<Item = Map<String, Value>> + '_, StandInError> {
        let ty = self.table_type(table)?;
        let entity = self
            .dataset
            .ty(ancestor)
            .and_then(|ancestor| self.dataset.find_in(ancestor, field, value));
        Ok(self.rows(ty, entity.map_or(0..0, |entity| entity.descendants(ty))))
    }

    /// The names of the connections of the query root.
    pub fn tables(&self) -> Vec<&str> {
        let fields = self.root().map(|root| root.ty().field_names());
        fields
            .into_iter()
            .flatten()
            .map(String::as_str)
            .filter(|field| root_connection(self, field).is_some())
            .collect()
    }

    fn table_type(&self, table: &str) -> Result<&EntityType, StandInError> {
        let ty = root_connection(self, table);
        ty.ok_or_else(|| StandInError::NoSuchTable(table.to_owned(), self.tables().join(", ")))
    }

    fn rows<'s>(&'s self, ty: &'s EntityType, indices: Range<u64>) -> impl Iterator<Item = Map<String, Value>> + 's {
        indices.map(|index| self.object(self.dataset.entity(ty, index)))
    }

    fn object(&self, instance: Instance<'_>) -> Map<String, Value> {
        let Some(ty) = self.schema.get_object(instance.ty().name()) else {
            return Map::new();
        };
        let values = ty.fields.keys().filter_map(|field| {
            let generated = instance.value(field)?;
            Some((field.to_string(), self.value(generated, self.is_abstract(ty, field))))
        });
        values.collect()
    }

    fn value(&self, generated: Generated<'_>, is_abstract: bool) -> Value {
        match generated {
            Generated::Leaf(value) => value,
            Generated::List(items) => items.into_iter().map(|item| self.value(item, is_abstract)).collect(),
            Generated::Object(instance) => {
                let mut object = self.object(instance);
                if is_abstract {
                    object.insert("__typename".to_owned(), Value::from(instance.ty().name()));
                }
                Value::Object(object)
            }
        }
    }

    fn is_abstract(&self, ty: &ObjectType, field: &str) -> bool {
        let field_type = ty.fields.get(field).map(|field| field.ty.inner_named_type());
        let field_type = field_type.and_then(|name| self.schema.types.get(name));
        field_type.is_some_and(|field_type| field_type.is_interface() || field_type.is_union())
    }
}
