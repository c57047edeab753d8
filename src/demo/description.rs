//! `data.toml` as types: which objects there are, where their fields lead, and how lists of them are asked for.

use std::collections::BTreeMap;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::demo::generator::Generator;
use crate::demo::shape::PagingShape;
use crate::demo::shares::Within;

/// The paging of connections that are described by their type's name alone.
const DEFAULT_PAGING: &str = "relay";

/// The key that names a type's parents.
const WITHIN: &str = "within";

/// `data.toml` as it stands.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DatasetDescription {
    /// Another seed gives other data of the same shape.
    pub(crate) seed: u64,
    /// The words that patterns are filled with.
    pub(crate) vocabulary: Vec<String>,
    /// A query to try the stand-in with.
    pub(crate) example: String,
    /// The folder of query files that are shipped for the stand-in.
    #[serde(default)]
    pub(crate) queries: Option<String>,
    /// The preset for the API that it stands in for, where there is one and no query files.
    #[serde(default)]
    pub(crate) preset: Option<String>,
    /// How lists are asked for, by names of this file's own.
    pub(crate) pagings: BTreeMap<String, PagingShape>,
    /// The types that stand for any of several others: unions, and interfaces that lists are made of.
    #[serde(default)]
    pub(crate) variants: BTreeMap<String, Vec<String>>,
    /// What several types have in common.
    #[serde(default)]
    models: BTreeMap<String, TypeDescription>,
    pub(crate) types: BTreeMap<String, TypeDescription>,
}

/// What `data.toml` says of one object type.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct TypeDescription {
    /// Some of `models`, whose fields and ancestors the type has, too, but for those that it has itself.
    pub(crate) like: Vec<String>,
    /// How many entities there are; 0 for objects that have no identity of their own.
    pub(crate) count: u64,
    /// Whether the scale of rows applies to `count`.
    pub(crate) scaled: bool,
    /// How many entities differ at most, so that equal rows occur; all differ where it is not given.
    pub(crate) distinct: Option<u64>,
    /// Whose children the entities are.
    pub(crate) within: Option<Within>,
    /// The fields that hold values.
    pub(crate) fields: BTreeMap<String, Generator>,
    /// The fields that lead to an ancestor of that type.
    pub(crate) ancestors: BTreeMap<String, String>,
    /// The fields that list the object's descendants of one type, or, where the object belongs to no entity, all of it.
    pub(crate) connections: BTreeMap<String, ConnectionDescription>,
    /// The fields that go on with the list of another field, whose cursor says which; each with its paging.
    pub(crate) continuations: BTreeMap<String, String>,
    /// The fields that find one entity (or a list of them) by an argument.
    pub(crate) lookups: BTreeMap<String, Lookup>,
}

/// A field that lists entities. In `data.toml`: a type's name, or a table.
#[derive(Debug, Clone)]
pub(crate) struct ConnectionDescription {
    /// The rows' type, or one of `variants`.
    pub(crate) of: String,
    /// One of `pagings`.
    pub(crate) paging: String,
    /// The argument (or a path into one) that says below which entity the rows are, in a list of the query root: all are
    /// there where it is not given.
    pub(crate) below: Option<Below>,
    /// The arguments that filter by something else than the row's field of their own name: an argument (or a path into
    /// one) and a field (or a path through ancestors to one, by the names of fields or of the ancestors' types); `>=` or
    /// `<=` before it compares days, `since` or `until` moments.
    pub(crate) filters: BTreeMap<String, String>,
}

/// An argument with the key of the entity below which the rows of a list are; a number is as good as its text.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Below {
    pub(crate) argument: String,
    #[serde(rename = "type")]
    pub(crate) ty: String,
    /// Its field with the key.
    pub(crate) field: String,
    /// The error's message where there is none; `{key}` in it is filled in.
    pub(crate) missing: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ConnectionTable {
    of: String,
    paging: String,
    below: Option<Below>,
    #[serde(default)]
    filters: BTreeMap<String, String>,
}

/// A field that finds entities by the value of one of their fields.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Lookup {
    /// The type to look among; all types where it is not given.
    pub(crate) of: Option<String>,
    /// The argument with the value, or with the list of values.
    pub(crate) argument: String,
    /// The field that has the value.
    pub(crate) field: String,
    /// Whether the value is written in lower case before it is looked for.
    #[serde(default)]
    pub(crate) lower: bool,
    /// The error's message where one value finds nothing; null without an error where it is not given.
    #[serde(default)]
    pub(crate) missing: Option<String>,
}

/// A `data.toml` that contradicts itself.
#[derive(Debug, thiserror::Error)]
pub enum DatasetError {
    /// A type is spoken of and not described.
    #[error("`{place}` speaks of the type `{ty}`, which has no [types.{ty}] table")]
    UnknownType {
        /// The type and the field, or key, that speak of it.
        place: String,
        /// The unknown type.
        ty: String,
    },
    /// A paging is spoken of and not described.
    #[error("`{place}` is paged as `{paging}`, which has no [pagings.{paging}] table")]
    UnknownPaging {
        /// The type and the field.
        place: String,
        /// The unknown paging.
        paging: String,
    },
    /// A model is spoken of and not described.
    #[error("the type `{ty}` is like `{model}`, which has no [models.{model}] table")]
    UnknownModel {
        /// The type.
        ty: String,
        /// The unknown model.
        model: String,
    },
    /// A value goes with another one that is not there, or that goes with others itself.
    #[error("`{place}` goes with `{other}`, which has to be a field of the same type that goes with no other")]
    Dependence {
        /// The type and the field.
        place: String,
        /// The other field.
        other: String,
    },
    /// A type lies within itself.
    #[error("the type `{0}` is its own ancestor: remove one of the `within` keys")]
    Cycle(String),
}

impl DatasetDescription {
    /// The same where types have what their models have.
    pub(crate) fn completed(mut self) -> Result<Self, DatasetError> {
        for (name, description) in &mut self.types {
            for like in std::mem::take(&mut description.like) {
                let model = self.models.get(&like);
                let unknown = || DatasetError::UnknownModel {
                    ty: name.clone(),
                    model: like.clone(),
                };
                description.resemble(model.ok_or_else(unknown)?);
            }
        }
        Ok(self)
    }

    /// Whether everything that is spoken of is there, and no type lies within itself.
    pub(crate) fn check(&self) -> Result<(), DatasetError> {
        for (name, description) in &self.types {
            self.check_names(name, description)?;
            let parent = |ty: &&TypeDescription| ty.within.as_ref().and_then(|within| self.types.get(&within.ty));
            let generations = std::iter::successors(Some(description), parent)
                .take(self.types.len() + 1)
                .count();
            if generations > self.types.len() {
                return Err(DatasetError::Cycle(name.clone()));
            }
        }
        Ok(())
    }

    fn check_names(&self, name: &str, description: &TypeDescription) -> Result<(), DatasetError> {
        for (field, ty) in description.type_names() {
            let variants = self.variants.get(ty).filter(|_| field != WITHIN);
            let mut concrete = match variants {
                Some(variants) => variants.iter().map(String::as_str).collect(),
                None => vec![ty],
            };
            concrete.retain(|ty| !self.types.contains_key(*ty));
            if let Some(unknown) = concrete.first() {
                return Err(DatasetError::UnknownType {
                    place: format!("{name}.{field}"),
                    ty: (*unknown).to_owned(),
                });
            }
        }
        for (field, generator) in &description.fields {
            let Some(other) = generator.depends_on() else { continue };
            let is_free = |other: &Generator| other.depends_on().is_none();
            if !description.fields.get(other).is_some_and(is_free) {
                return Err(DatasetError::Dependence {
                    place: format!("{name}.{field}"),
                    other: other.to_owned(),
                });
            }
        }
        for (field, paging) in description.paging_names() {
            if !self.pagings.contains_key(paging) {
                return Err(DatasetError::UnknownPaging {
                    place: format!("{name}.{field}"),
                    paging: paging.to_owned(),
                });
            }
        }
        Ok(())
    }
}

impl TypeDescription {
    fn resemble(&mut self, model: &Self) {
        for (name, generator) in &model.fields {
            self.fields.entry(name.clone()).or_insert_with(|| generator.clone());
        }
        for (name, ty) in &model.ancestors {
            self.ancestors.entry(name.clone()).or_insert_with(|| ty.clone());
        }
    }

    /// The names of all fields.
    pub(crate) fn field_names(&self) -> impl Iterator<Item = &String> {
        self.fields
            .keys()
            .chain(self.ancestors.keys())
            .chain(self.connections.keys())
            .chain(self.continuations.keys())
            .chain(self.lookups.keys())
    }

    /// The types that are spoken of, each with the field or key that does.
    fn type_names(&self) -> impl Iterator<Item = (&str, &str)> {
        let of_fields = self
            .fields
            .iter()
            .flat_map(|(field, generator)| generator.type_names().into_iter().map(move |ty| (field.as_str(), ty)));
        let of_ancestors = self.ancestors.iter().map(|(field, ty)| (field.as_str(), ty.as_str()));
        let of_connections = self
            .connections
            .iter()
            .map(|(field, connection)| (field.as_str(), connection.of.as_str()));
        let of_lookups = self
            .lookups
            .iter()
            .filter_map(|(field, lookup)| Some((field.as_str(), lookup.of.as_deref()?)));
        let of_within = self.within.iter().map(|within| (WITHIN, within.ty.as_str()));
        of_fields
            .chain(of_ancestors)
            .chain(of_connections)
            .chain(of_lookups)
            .chain(of_within)
    }

    /// The pagings that are spoken of, each with the field that does.
    pub(crate) fn paging_names(&self) -> impl Iterator<Item = (&str, &str)> {
        let of_connections = self
            .connections
            .iter()
            .map(|(field, connection)| (field.as_str(), connection.paging.as_str()));
        let of_continuations = self
            .continuations
            .iter()
            .map(|(field, paging)| (field.as_str(), paging.as_str()));
        of_connections.chain(of_continuations)
    }
}

impl<'de> Deserialize<'de> for ConnectionDescription {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ConnectionVisitor)
    }
}

struct ConnectionVisitor;

impl<'de> Visitor<'de> for ConnectionVisitor {
    type Value = ConnectionDescription;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a type's name, or a table with `of` and `paging`")
    }

    fn visit_str<E>(self, of: &str) -> Result<Self::Value, E> {
        Ok(ConnectionDescription {
            of: of.to_owned(),
            paging: DEFAULT_PAGING.to_owned(),
            below: None,
            filters: BTreeMap::new(),
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        let ConnectionTable {
            of,
            paging,
            below,
            filters,
        } = Deserialize::deserialize(MapAccessDeserializer::new(map))?;
        Ok(ConnectionDescription {
            of,
            paging,
            below,
            filters,
        })
    }
}
