//! The fields of one JSON object, each still as its text, and how keys are found in the order they were asked for.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::plan::{AncestorField, Cell};
use crate::rows::column::ColumnBuffer;
use crate::rows::misfit::MisfitCause;
use crate::rows::value::unreadable;

/// The fields of one JSON object, each still as its text.
pub(super) struct Fields<'de>(Vec<(Cow<'de, str>, &'de RawValue)>);

impl<'de> Fields<'de> {
    /// Takes an object apart; anything else is of the wrong type.
    pub(super) fn parse(raw: &'de str) -> Result<Self, MisfitCause> {
        if !raw.starts_with('{') {
            return Err(MisfitCause::wrong_type(raw, "object"));
        }
        serde_json::from_str(raw).map_err(|error| unreadable(&error))
    }

    /// The one field of an object, from its value.
    pub(super) fn only(key: &str, raw: &'de str) -> Result<Self, MisfitCause> {
        let value = serde_json::from_str(raw).map_err(|error| unreadable(&error))?;
        Ok(Self(vec![(Cow::Owned(key.to_owned()), value)]))
    }

    /// The JSON text of a field. A key that stands twice is none that can be trusted.
    pub(super) fn get(&self, key: &str) -> Result<Option<&'de str>, MisfitCause> {
        let mut found = self.0.iter().filter(|(name, _)| name == key);
        let value = found.next().map(|(_, raw)| raw.get());
        if found.next().is_some() {
            return Err(MisfitCause::Duplicate(key.to_owned()));
        }
        Ok(value)
    }
}

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = Vec::new();
        while let Some(key) = map.next_key_seed(OwnKey)? {
            fields.push((key, map.next_value()?));
        }
        Ok(Fields(fields))
    }
}

/// Reads a key as it is, borrowed where it has no escapes.
struct OwnKey;

impl<'de> DeserializeSeed<'de> for OwnKey {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for OwnKey {
    type Value = Cow<'de, str>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a key")
    }

    fn visit_borrowed_str<E: Error>(self, key: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(key))
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(key.to_owned()))
    }
}

/// Has the response key under which it is found.
pub(super) trait Keyed {
    fn key(&self) -> &str;
}

impl Keyed for Cell {
    fn key(&self) -> &str {
        &self.key
    }
}

impl Keyed for AncestorField {
    fn key(&self) -> &str {
        &self.key
    }
}

impl Keyed for ColumnBuffer {
    fn key(&self) -> &str {
        &self.key
    }
}

/// Reads a key as the index of the item that has it. Responses keep the order of the request, so that the item at
/// `next` is tried first.
pub(super) struct KeyIndex<'k, K> {
    pub(super) items: &'k [K],
    pub(super) next: usize,
}

impl<'de, K: Keyed> DeserializeSeed<'de> for KeyIndex<'_, K> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<K: Keyed> Visitor<'_> for KeyIndex<'_, K> {
    type Value = Option<usize>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Self::Value, E> {
        match self.items.get(self.next) {
            Some(item) if item.key() == key => Ok(Some(self.next)),
            _ => Ok(self.items.iter().position(|item| item.key() == key)),
        }
    }
}
