//! A stand-in's data: entities that are computed from their type and index when they are asked for, never stored.
//!
//! Entities below one parent are neighbours, so that any ancestor's descendants are one range of indices.

use std::collections::BTreeMap;
use std::ops::Range;

use serde_json::Value;

use crate::demo::description::{ConnectionDescription, DatasetDescription, DatasetError, Lookup, TypeDescription};
use crate::demo::entropy::Entropy;
use crate::demo::generator::{Generated, Generator};
use crate::demo::rows::Rows;
use crate::demo::shape::PagingShape;
use crate::demo::shares::Shares;

/// The seed's salt for how children are shared out among parents.
const SHARES: &str = "shares";

/// A stand-in's data.
#[derive(Debug)]
pub(crate) struct Dataset {
    vocabulary: Vec<String>,
    pagings: BTreeMap<String, PagingShape>,
    variants: BTreeMap<String, Vec<String>>,
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
    Connection(&'d ConnectionDescription),
    Continuation(&'d PagingShape),
    Lookup(&'d Lookup),
}

/// One object: an entity, or an object that belongs to one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Instance<'d> {
    dataset: &'d Dataset,
    ty: &'d EntityType,
    /// That of its entity, where it belongs to one.
    index: u64,
    entropy: Entropy,
    /// The entity that it is or belongs to.
    anchor: Option<(&'d EntityType, u64)>,
}

impl Dataset {
    /// The data of a description, with the counts of its scaled types multiplied by `rows_scale`.
    pub(crate) fn new(description: DatasetDescription, rows_scale: f64) -> Result<Self, DatasetError> {
        let entropy = Entropy::of_seed(description.seed);
        let description = description.completed()?;
        description.check()?;
        let counts: BTreeMap<String, u64> = description
            .types
            .iter()
            .map(|(name, ty)| (name.clone(), ty.scaled_count(rows_scale)))
            .collect();
        let count = |name: &str| counts.get(name).copied().unwrap_or(0);
        let types = description.types.into_iter().map(|(name, description)| {
            let entropy = entropy.named(&name);
            let count_here = count(&name);
            let parentage = description.within.clone().map(|within| {
                let scale = if description.scaled { rows_scale } else { 1.0 };
                let within = within.scaled(scale);
                let shares = Shares::draw(count_here, count(&within.ty), &within, entropy.named(SHARES));
                (within.ty, shares)
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
            pagings: description.pagings,
            variants: description.variants,
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
            anchor: None,
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
            anchor: Some((ty, index)),
        }
    }

    /// The entity of that type and index, or the one object of a type without entities.
    pub(crate) fn instance(&self, ty: &str, index: u64) -> Option<Instance<'_>> {
        let ty = self.ty(ty)?;
        match ty.count {
            0 => Some(self.singleton(ty)),
            count => (index < count).then(|| self.entity(ty, index)),
        }
    }

    /// Any object of a type, or of the types that it stands for, to learn its fields from.
    pub(crate) fn any_of(&self, ty: &str) -> Option<Instance<'_>> {
        self.concrete(ty).first().map(|ty| self.singleton(ty))
    }

    /// How lists of that paging are asked for.
    pub(crate) fn paging(&self, name: &str) -> Option<&PagingShape> {
        self.pagings.get(name)
    }

    /// The concrete types that a type's name stands for.
    fn concrete(&self, name: &str) -> Vec<&EntityType> {
        match self.variants.get(name) {
            Some(variants) => variants.iter().filter_map(|variant| self.ty(variant)).collect(),
            None => self.ty(name).into_iter().collect(),
        }
    }

    /// The entity that `lookup` finds for `wanted`.
    pub(crate) fn find(&self, lookup: &Lookup, wanted: &Value) -> Option<Instance<'_>> {
        let types: Vec<&EntityType> = match &lookup.of {
            Some(of) => self.concrete(of),
            None => self.types().collect(),
        };
        let lower = wanted.as_str().filter(|_| lookup.lower);
        let wanted = lower.map_or_else(|| wanted.clone(), |wanted| wanted.to_lowercase().into());
        types
            .into_iter()
            .find_map(|ty| self.find_in(ty, &lookup.field, &wanted))
    }

    /// The entity of that type whose field has that value.
    pub(crate) fn find_in<'d>(&'d self, ty: &'d EntityType, field: &str, wanted: &Value) -> Option<Instance<'d>> {
        let generator = ty.description.fields.get(field)?;
        let has_value =
            |instance: &Instance<'_>| matches!(instance.value(field), Some(Generated::Leaf(value)) if value == *wanted);
        if generator.is_key() {
            let index = generator.index_of(wanted).filter(|index| *index < ty.count)?;
            return Some(self.entity(ty, index)).filter(has_value);
        }
        (0..ty.count).map(|index| self.entity(ty, index)).find(has_value)
    }

    /// The entity of a type that one of these values is the key of; values are texts, whatever the field holds.
    pub(crate) fn find_by_key<'d, 'v>(
        &'d self,
        ty: &'d EntityType,
        values: impl Iterator<Item = (&'v str, &'v str)>,
    ) -> Option<Instance<'d>> {
        let is_key = |field: &str| ty.description.fields.get(field).is_some_and(Generator::is_key);
        let mut keys = values.filter(|(field, _)| is_key(field));
        keys.find_map(|(field, text)| {
            let number = text.parse::<u64>().ok().map(Value::from);
            let mut forms = [Some(Value::from(text)), number].into_iter().flatten();
            forms.find_map(|value| self.find_in(ty, field, &value))
        })
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

    /// What `data.toml` says of it.
    pub(crate) fn description(&self) -> &TypeDescription {
        &self.description
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
        if let Some(connection) = description.connections.get(field) {
            return Some(Source::Connection(connection));
        }
        if let Some(paging) = description.continuations.get(field) {
            return self.dataset.paging(paging).map(Source::Continuation);
        }
        description.lookups.get(field).map(Source::Lookup)
    }

    /// The value of a field that holds one; `None` for other fields.
    pub(crate) fn value(&self, field: &str) -> Option<Generated<'d>> {
        let generator = self.ty.description.fields.get(field)?;
        Some(generator.generate(*self, &mut self.entropy.named(field)))
    }

    /// The value at a path: the name of a field, and before it those of objects, or of ancestors' types, that lead to it.
    pub(crate) fn value_at(&self, path: &str) -> Option<Generated<'d>> {
        let (way, field) = path.rsplit_once('.').unwrap_or(("", path));
        let mut steps = way.split('.').filter(|step| !step.is_empty());
        let owner = steps.try_fold(*self, |at, step| at.object_at(step))?;
        owner.value(field)
    }

    /// The object that a field leads to, or the ancestor of that type.
    fn object_at(&self, step: &str) -> Option<Self> {
        match self.source(step) {
            None => self.ancestor(step),
            Some(Source::Ancestor(ty)) => self.ancestor(ty),
            Some(Source::Value) => match self.value(step)? {
                Generated::Object(object) => Some(object),
                _ => None,
            },
            Some(_) => None,
        }
    }

    /// The ancestor of that type; for an object that belongs to an entity, that entity too.
    pub(crate) fn ancestor(&self, ty: &str) -> Option<Instance<'d>> {
        let (anchor, index) = self.anchor?;
        if anchor.name == ty && self.ty.name != ty {
            return Some(self.dataset.entity(anchor, index));
        }
        let (parent, shares) = anchor.parentage.as_ref()?;
        let parent = self.dataset.entity(self.dataset.ty(parent)?, shares.parent(index));
        if parent.ty.name == ty {
            Some(parent)
        } else {
            parent.ancestor(ty)
        }
    }

    /// The entities that a type's name stands for, below this object: all of them where it belongs to no entity.
    pub(crate) fn descendants(&self, ty: &str) -> Rows<'d> {
        let members = self.dataset.concrete(ty).into_iter().map(|ty| {
            let range = match self.anchor {
                Some((anchor, index)) => self.dataset.descendants(ty, anchor, index..index + 1),
                None => 0..ty.count,
            };
            (ty, range)
        });
        Rows::new(self.dataset, members.collect())
    }

    /// An object of that type that belongs to this one.
    pub(crate) fn embedded(&self, ty: &str, salt: u64) -> Option<Instance<'d>> {
        Some(Instance {
            ty: self.dataset.ty(ty)?,
            entropy: self.entropy.at(salt),
            ..*self
        })
    }

    /// The entity's identifier: its index, and behind it a check that keeps clients from guessing others.
    pub(crate) fn identifier(&self, prefix: &str) -> String {
        let check = self.ty.entropy.at(self.index).named(prefix).bits();
        format!("{prefix}-{:06}-{:08x}", self.index, check >> 32)
    }

    /// The entity's identifier in the form of a UUID of version 1; ordered as the entities are.
    pub(crate) fn uuid(&self, salt: &str) -> String {
        let mut check = self.ty.entropy.at(self.index).named(salt);
        let (time, node) = (check.bits(), check.bits());
        let (middle, high, clock) = (time & 0xFFFF, (time >> 16) & 0xFFF, (time >> 32) & 0x3FFF);
        let node = node & 0xFFFF_FFFF_FFFF;
        format!(
            "{:08x}-{middle:04x}-1{high:03x}-{:04x}-{node:012x}",
            self.index,
            0x8000 | clock
        )
    }
}

impl TypeDescription {
    fn scaled_count(&self, rows_scale: f64) -> u64 {
        if !self.scaled {
            return self.count;
        }
        (self.count as f64 * rows_scale).round() as u64
    }
}

#[cfg(test)]
mod tests;
