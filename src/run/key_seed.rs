//! The key of a row, taken out of its text. What follows the last part of it is not read.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::rows::text_at;
use crate::run::harvest::Key;

/// Where a part of a key stands: in a member, or in an object in one.
pub(crate) struct KeyPlace<'seed> {
    pub(crate) name: &'seed str,
    /// Response keys from the member's value.
    pub(crate) below: &'seed [String],
}

/// The values at these places of an item as JSON, in their order; `node` is the name under which the item stands in its
/// edge. Of a member that occurs twice it is the first; what is no object has none.
pub(crate) fn key_texts<'de>(
    raw: &'de RawValue,
    node: Option<&str>,
    places: &[KeyPlace<'_>],
) -> serde_json::Result<Vec<Option<&'de str>>> {
    let mut texts = vec![None; places.len()];
    let seed = KeySeed {
        node,
        places,
        texts: &mut texts,
    };
    let read = seed.deserialize(&mut serde_json::Deserializer::from_str(raw.get()));
    // Where all parts were found, the item was left in its middle.
    match texts.iter().all(Option::is_some) {
        true => Ok(texts),
        false => read.map(|()| texts),
    }
}

struct KeySeed<'seed, 'de> {
    node: Option<&'seed str>,
    places: &'seed [KeyPlace<'seed>],
    texts: &'seed mut [Option<&'de str>],
}

impl<'de> DeserializeSeed<'de> for KeySeed<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if self.places.is_empty() {
            return deserializer.deserialize_ignored_any(IgnoredAny).map(drop);
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for KeySeed<'_, 'de> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an item")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let Self { node, places, texts } = self;
        while let Some(Key(name)) = members.next_key()? {
            if let Some(node) = node {
                if node == name {
                    let texts = &mut *texts;
                    members.next_value_seed(KeySeed {
                        node: None,
                        places,
                        texts,
                    })?;
                } else {
                    members.next_value::<IgnoredAny>()?;
                }
                continue;
            }
            if !places.iter().any(|place| place.name == name) {
                members.next_value::<IgnoredAny>()?;
                continue;
            }
            let raw = members.next_value::<&'de RawValue>()?.get();
            for (place, text) in places.iter().zip(&mut *texts).filter(|(place, _)| place.name == name) {
                *text = text.or_else(|| text_at(raw, place.below));
            }
            if texts.iter().all(Option::is_some) {
                return Ok(());
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
}
