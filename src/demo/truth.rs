//! The truth that an export is compared with: rows straight from the data, without paging, without GraphQL execution.

use apollo_compiler::schema::ObjectType;
use serde_json::{Map, Value};

use crate::demo::dataset::{EntityType, Instance, Source};
use crate::demo::description::ConnectionDescription;
use crate::demo::generator::Generated;
use crate::demo::rows::Rows;
use crate::demo::stand_in::{StandIn, StandInError};

/// An object, and the rows of one of its lists.
#[derive(Debug, Clone, PartialEq)]
pub struct Family {
    /// The object's place among those of its type.
    pub index: u64,
    /// The object's values.
    pub parent: Map<String, Value>,
    /// Those of the rows, in their order.
    pub children: Vec<Map<String, Value>>,
    /// The place of each row among those of its own type.
    pub child_indices: Vec<u64>,
}

impl StandIn {
    /// The rows of a list of the query root, in its order: every field that holds values (scalars, objects and lists;
    /// not the ones that lead to other entities), as the API answers it. Objects in the place of a union or an
    /// interface, and rows that can be of several types, have their `__typename`.
    pub fn truth(&self, table: &str) -> Result<impl Iterator<Item = Map<String, Value>> + '_, StandInError> {
        let connection = self.table(table)?;
        let rows = self.root().map(|root| root.descendants(&connection.of));
        Ok(rows.into_iter().flat_map(|rows| self.objects_of(&rows, connection)))
    }

    /// The rows of a list of the query root, as [`StandIn::truth`] tells them, or all objects of a type.
    pub fn rows<'s>(
        &'s self,
        table: &'s str,
    ) -> Result<Box<dyn Iterator<Item = Map<String, Value>> + 's>, StandInError> {
        if self.entity_types().any(|ty| ty == table) {
            return Ok(Box::new(self.objects(table)?));
        }
        Ok(Box::new(self.truth(table)?))
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
        let connection = self.table(table)?;
        let wanted = Value::from(value);
        let ancestor = self.dataset.ty(ancestor);
        let entity = ancestor.and_then(|ancestor| self.dataset.find_in(ancestor, field, &wanted));
        let rows = entity.map(|entity| entity.descendants(&connection.of));
        Ok(rows.into_iter().flat_map(|rows| self.objects_of(&rows, connection)))
    }

    /// All entities of an object type, in their order.
    pub fn objects(&self, ty: &str) -> Result<impl Iterator<Item = Map<String, Value>> + '_, StandInError> {
        let entities = self.entities(self.described(ty)?);
        Ok(entities.map(|entity| self.object(entity)))
    }

    /// For each entity of an object type, in order, the rows of one of its lists, in order; for a type without
    /// entities, such as the query root, for its one object. `field` may lead to the list through objects that belong
    /// to the entity: `families("Patient", "chart.visits")`. Entities that lack such an object are left out.
    pub fn families(&self, ty: &str, field: &str) -> Result<impl Iterator<Item = Family> + '_, StandInError> {
        let described = self.described(ty)?;
        let no_such_list = || StandInError::NoSuchList(format!("{ty}.{field}"));
        let (way, list) = field.rsplit_once('.').unwrap_or(("", field));
        let way: Vec<String> = way
            .split('.')
            .filter(|step| !step.is_empty())
            .map(str::to_owned)
            .collect();
        let list = list.to_owned();
        let found = move |entity| {
            let owner = way.iter().try_fold(entity, |at, step| embedded(at, step))?;
            Some((owner, self.list(owner, &list)?))
        };
        // Entities that could tell may all lack the object.
        self.list_of_type(ty, field).ok_or_else(no_such_list)?;
        Ok(self.entities(described).filter_map(move |entity| {
            let (owner, connection) = found(entity)?;
            let rows = owner.descendants(&connection.of);
            Some(Family {
                index: entity.index(),
                parent: self.object(entity),
                children: self.objects_of(&rows, connection).collect(),
                child_indices: rows.iter().map(|row| row.index()).collect(),
            })
        }))
    }

    /// The names of the lists of the query root.
    pub fn tables(&self) -> Vec<&str> {
        let root = self.root();
        let names = root.iter().flat_map(|root| root.ty().description().connections.keys());
        names.map(String::as_str).collect()
    }

    /// The names of the types that have objects of their own.
    fn entity_types(&self) -> impl Iterator<Item = &str> {
        let with_objects = self.dataset.types().filter(|ty| ty.description().count > 0);
        with_objects.map(EntityType::name)
    }

    /// The list that `field` leads to from an object of that type, as the schema has it.
    fn list_of_type(&self, ty: &str, field: &str) -> Option<&ConnectionDescription> {
        let Some((step, rest)) = field.split_once('.') else {
            return self.list(self.dataset.singleton(self.dataset.ty(ty)?), field);
        };
        let step = self.schema.get_object(ty)?.fields.get(step)?;
        self.list_of_type(step.ty.inner_named_type(), rest)
    }

    fn table(&self, table: &str) -> Result<&ConnectionDescription, StandInError> {
        let connection = self.root().and_then(|root| self.list(root, table));
        connection.ok_or_else(|| {
            let names = self.tables().into_iter().chain(self.entity_types());
            StandInError::NoSuchTable(table.to_owned(), names.map(str::to_owned).collect())
        })
    }

    fn described(&self, ty: &str) -> Result<&EntityType, StandInError> {
        let described = self.dataset.ty(ty);
        described.ok_or_else(|| StandInError::NoSuchType(ty.to_owned()))
    }

    fn list<'s>(&'s self, owner: Instance<'s>, field: &str) -> Option<&'s ConnectionDescription> {
        match owner.source(field)? {
            Source::Connection(connection) => Some(connection),
            _ => None,
        }
    }

    fn entities<'s>(&'s self, ty: &'s EntityType) -> impl Iterator<Item = Instance<'s>> {
        (0..ty.count().max(1)).filter_map(|index| self.dataset.instance(ty.name(), index))
    }

    fn objects_of<'s>(
        &'s self,
        rows: &Rows<'s>,
        connection: &ConnectionDescription,
    ) -> impl Iterator<Item = Map<String, Value>> + use<'s> {
        let is_abstract = self.is_abstract(&connection.of);
        let rows: Vec<Instance<'s>> = rows.iter().collect();
        rows.into_iter().map(move |row| self.named_object(row, is_abstract))
    }

    fn named_object(&self, instance: Instance<'_>, is_abstract: bool) -> Map<String, Value> {
        let mut object = self.object(instance);
        if is_abstract {
            object.insert("__typename".to_owned(), Value::from(instance.ty().name()));
        }
        object
    }

    fn object(&self, instance: Instance<'_>) -> Map<String, Value> {
        let Some(ty) = self.schema.get_object(instance.ty().name()) else {
            return Map::new();
        };
        let values = ty.fields.keys().filter_map(|field| {
            let generated = instance.value(field)?;
            Some((field.to_string(), self.value(generated, self.holds_abstract(ty, field))))
        });
        values.collect()
    }

    fn value(&self, generated: Generated<'_>, is_abstract: bool) -> Value {
        match generated {
            Generated::Leaf(value) => value,
            Generated::List(items) => items.into_iter().map(|item| self.value(item, is_abstract)).collect(),
            Generated::Object(instance) => Value::Object(self.named_object(instance, is_abstract)),
        }
    }

    fn holds_abstract(&self, ty: &ObjectType, field: &str) -> bool {
        let field = ty.fields.get(field);
        field.is_some_and(|field| self.is_abstract(field.ty.inner_named_type()))
    }

    fn is_abstract(&self, name: &str) -> bool {
        let ty = self.schema.types.get(name);
        ty.is_some_and(|ty| ty.is_interface() || ty.is_union())
    }
}

/// The object in that field of an object.
fn embedded<'d>(instance: Instance<'d>, field: &str) -> Option<Instance<'d>> {
    match instance.value(field)? {
        Generated::Object(object) => Some(object),
        _ => None,
    }
}
