//! A stand-in's data: entities that are computed from their type and index when they are asked for, never stored.
//!
//! Entities below one parent are neighbours, so that any ancestor's descendants are one range of indices.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::Deserialize;
use serde_json::Value;

use crate::demo::entropy::Entropy;
use crate::demo::generator::{Generated, Generator};
use crate::demo::shares::{Shares, Within};

/// The seed's salt for how children are shared out among parents.
const SHARES: &str = "shares";

/// `data.toml` as it stands.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DatasetDescription {
    /// Another seed gives other data of the same shape.
    pub(crate) seed: u64,
    /// The words that patterns are filled with.
    vocabulary: Vec<String>,
    types: BTreeMap<String, TypeDescription>,
}

/// What `data.toml` says of one object type.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct TypeDescription {
    /// How many entities there are; 0 for objects that have no identity of their own.
    count: u64,
    /// Whether the scale of rows applies to `count`.
    scaled: bool,
    /// How many entities differ at most, so that equal rows occur; all differ where it is not given.
    distinct: Option<u64>,
    /// Whose children the entities are.
    within: Option<Within>,
    /// The fields that hold values.
    fields: BTreeMap<String, Generator>,
    /// The fields that lead to an ancestor of that type.
    ancestors: BTreeMap<String, String>,
    /// The fields that are connections of that type: of the object's descendants, or, where the object has no
    /// identity, of all entities.
    connections: BTreeMap<String, String>,
    /// The fields that find one entity (or a list of them) by an argument.
    lookups: BTreeMap<String, Lookup>,
}

/// A field that finds entities by the value of one of their fields.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Lookup {
    /// The type to look among; all types where it is not given.
    of: Option<String>,
    /// The argument with the value, or with the list of values.
    pub(crate) argument: String,
    /// The field that has the value.
    field: String,
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
    /// A type lies within itself.
    #[error("the type `{0}` is its own ancestor: remove one of the `within` keys")]
    Cycle(String),
}

/// A stand-in's data.
#[derive(Debug)]
pub(crate) struct Dataset {
    vocabulary: Vec<String>,
    types: BTreeMap<String, EntityType>,
}

/// One object type.
#[derive(Debug)]
pub(crate) struct EntityType {
    name: String,
    entropy: Entropy,
    count: u64,
    /// The type of the parents, and who belongs to whom.
    parentage: Option<(String, Shares)>,
    description: TypeDescription,
}

/// Where the value of a field comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Source<'d> {
    Value,
    Ancestor(&'d str),
    Connection(&'d EntityType),
    Lookup(&'d Lookup),
}

/// One object: an entity, or an object that belongs to one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Instance<'d> {
    dataset: &'d Dataset,
    ty: &'d EntityType,
    index: u64,
    entropy: Entropy,
}

impl Dataset {
    /// The data of a description, with the counts of its scaled types multiplied by `rows_scale`.
    pub(crate) fn new(description: DatasetDescription, rows_scale: f64) -> Result<Self, DatasetError> {
        let entropy = Entropy::of_seed(description.seed);
        check_types(&description.types)?;
        let counts: BTreeMap<String, u64> = description
            .types
            .iter()
            .map(|(name, ty)| (name.clone(), ty.scaled_count(rows_scale)))
            .collect();
        let count = |name: &str| counts.get(name).copied().unwrap_or(0);
        let types = description.types.into_iter().map(|(name, description)| {
            let entropy = entropy.named(&name);
            let count_here = count(&name);
            let parentage = description.within.as_ref().map(|within| {
                let shares = Shares::draw(count_here, count(&within.ty), within, entropy.named(SHARES));
                (within.ty.clone(), shares)
            });
            (
                name.clone(),
                EntityType {
                    name,
                    entropy,
                    count: count_here,
                    parentage,
                    description,
                },
            )
        });
        Ok(Self {
            vocabulary: description.vocabulary,
            types: types.collect(),
        })
    }

    /// All types, by name.
    pub(crate) fn types(&self) -> impl Iterator<Item = &EntityType> {
        self.types.values()
    }

    /// The type of that name.
    pub(crate) fn ty(&self, name: &str) -> Option<&EntityType> {
        self.types.get(name)
    }

    /// The one object of a type without identity, such as the query root.
    pub(crate) fn singleton<'d>(&'d self, ty: &'d EntityType) -> Instance<'d> {
        Instance {
            dataset: self,
            ty,
            index: 0,
            entropy: ty.entropy,
        }
    }

    /// The entity at that index.
    pub(crate) fn entity<'d>(&'d self, ty: &'d EntityType, index: u64) -> Instance<'d> {
        let same_as = match ty.description.distinct {
            Some(distinct) => ty.entropy.at(index).below(distinct),
            None => index,
        };
        Instance {
            dataset: self,
            ty,
            index,
            entropy: ty.entropy.at(same_as),
        }
    }

    /// The entity that `lookup` finds for `wanted`.
    pub(crate) fn find(&self, lookup: &Lookup, wanted: &str) -> Option<Instance<'_>> {
        let is_asked = |ty: &&EntityType| lookup.of.as_ref().is_none_or(|of| *of == ty.name);
        self.types()
            .filter(is_asked)
            .find_map(|ty| self.find_in(ty, &lookup.field, wanted))
    }

    /// The entity of that type whose field has that text.
    pub(crate) fn find_in<'d>(&'d self, ty: &'d EntityType, field: &str, wanted: &str) -> Option<Instance<'d>> {
        if let Generator::Identifier(prefix) = ty.description.fields.get(field)? {
            let index = wanted
                .strip_prefix(prefix.as_str())?
                .strip_prefix('-')?
                .split('-')
                .next()?
                .parse()
                .ok()?;
            let instance = (index < ty.count).then(|| self.entity(ty, index))?;
            return (instance.identifier(prefix) == wanted).then_some(instance);
        }
        let has_value = |instance: &Instance<'_>| matches!(instance.value(field), Some(Generated::Leaf(Value::String(value))) if value == wanted);
        (0..ty.count).map(|index| self.entity(ty, index)).find(has_value)
    }

    /// The indices of the entities of `ty` below the `ancestors` of that type; empty where it is no ancestor.
    fn descendants(&self, ty: &EntityType, ancestor: &EntityType, ancestors: Range<u64>) -> Range<u64> {
        let Some((parent, shares)) = &ty.parentage else {
            return 0..0;
        };
        if *parent == ancestor.name {
            return shares.children(ancestors);
        }
        let Some(parent) = self.ty(parent) else { return 0..0 };
        shares.children(self.descendants(parent, ancestor, ancestors))
    }
}

impl EntityType {
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// How many entities there are.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// The names of all fields that the description gives.
    pub(crate) fn field_names(&self) -> impl Iterator<Item = &String> {
        let TypeDescription {
            fields,
            ancestors,
            connections,
            lookups,
            ..
        } = &self.description;
        fields
            .keys()
            .chain(ancestors.keys())
            .chain(connections.keys())
            .chain(lookups.keys())
    }
}

impl<'d> Instance<'d> {
    pub(crate) fn ty(&self) -> &'d EntityType {
        self.ty
    }

    /// The entity's place among those of its type; 0 for objects without identity.
    pub(crate) fn index(&self) -> u64 {
        self.index
    }

    pub(crate) fn dataset(&self) -> &'d Dataset {
        self.dataset
    }

    pub(crate) fn vocabulary(&self) -> &'d [String] {
        &self.dataset.vocabulary
    }

    /// Where a field's value comes from; `None` for a field that is not described.
    pub(crate) fn source(&self, field: &str) -> Option<Source<'d>> {
        let description = &self.ty.description;
        if description.fields.contains_key(field) {
            return Some(Source::Value);
        }
        if let Some(ty) = description.ancestors.get(field) {
            return Some(Source::Ancestor(ty));
        }
        if let Some(ty) = description.connections.get(field) {
            return self.dataset.ty(ty).map(Source::Connection);
        }
        description.lookups.get(field).map(Source::Lookup)
    }

    /// The value of a field that holds one; `None` for other fields.
    pub(crate) fn value(&self, field: &str) -> Option<Generated<'d>> {
        let generator = self.ty.description.fields.get(field)?;
        Some(generator.generate(*self, &mut self.entropy.named(field)))
    }

    /// The ancestor of that type.
    pub(crate) fn ancestor(&self, ty: &str) -> Option<Instance<'d>> {
        let (parent, shares) = self.ty.parentage.as_ref()?;
        let instance = self.dataset.entity(self.dataset.ty(parent)?, shares.parent(self.index));
        if parent == ty {
            Some(instance)
        } else {
            instance.ancestor(ty)
        }
    }

    /// The indices of the entities of that type below this object: all of them below an object without identity.
    pub(crate) fn descendants(&self, ty: &EntityType) -> Range<u64> {
        if self.ty.count == 0 {
            return 0..ty.count;
        }
        self.dataset.descendants(ty, self.ty, self.index..self.index + 1)
    }

    /// How many entities of that type are below this object.
    pub(crate) fn descendant_count(&self, ty: &str) -> u64 {
        let range = self.dataset.ty(ty).map_or(0..0, |ty| self.descendants(ty));
        range.end - range.start
    }

    /// An object of that type that belongs to this one.
    pub(crate) fn embedded(&self, ty: &str, salt: u64) -> Option<Instance<'d>> {
        let ty = self.dataset.ty(ty)?;
        Some(Instance {
            dataset: self.dataset,
            ty,
            index: 0,
            entropy: self.entropy.at(salt),
        })
    }

    /// The entity's identifier: its index, and behind it a check that keeps clients from guessing others.
    pub(crate) fn identifier(&self, prefix: &str) -> String {
        let check = self.ty.entropy.at(self.index).named(prefix).bits();
        format!("{prefix}-{:06}-{:08x}", self.index, check >> 32)
    }
}

impl TypeDescription {
    fn scaled_count(&self, rows_scale: f64) -> u64 {
        if !self.scaled {
            return self.count;
        }
        (self.count as f64 * rows_scale).round() as u64
    }

    /// The types that are spoken of, each with the field or key that does.
    fn type_names(&self) -> impl Iterator<Item = (&str, &str)> {
        let of_fields = self
            .fields
            .iter()
            .flat_map(|(field, generator)| generator.type_names().into_iter().map(move |ty| (field.as_str(), ty)));
        let links = self.ancestors.iter().chain(&self.connections);
        let of_lookups = self
            .lookups
            .iter()
            .filter_map(|(field, lookup)| Some((field.as_str(), lookup.of.as_deref()?)));
        let of_within = self.within.iter().map(|within| ("within", within.ty.as_str()));
        of_fields
            .chain(links.map(|(field, ty)| (field.as_str(), ty.as_str())))
            .chain(of_lookups)
            .chain(of_within)
    }
}

fn check_types(types: &BTreeMap<String, TypeDescription>) -> Result<(), DatasetError> {
    for (name, description) in types {
        for (field, ty) in description.type_names() {
            if !types.contains_key(ty) {
                return Err(DatasetError::UnknownType {
                    place: format!("{name}.{field}"),
                    ty: ty.to_owned(),
                });
            }
        }
        let parent = |ty: &&TypeDescription| ty.within.as_ref().and_then(|within| types.get(&within.ty));
        let generations = std::iter::successors(Some(description), parent)
            .take(types.len() + 1)
            .count();
        if generations > types.len() {
            return Err(DatasetError::Cycle(name.clone()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
