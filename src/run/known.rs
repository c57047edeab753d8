//! Whether a row that is asked for again is the one that was meant: by its key, or, where it was asked for by its place, by
//! what it held when it stood there before.

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::plan::{AncestorField, AncestorRole};
use crate::state::{Address, RowMark};

/// The key of the row that holds a slot's connection, as it comes back.
pub(crate) struct Echo<'de> {
    parts: Vec<Option<&'de str>>,
}

impl<'de> Echo<'de> {
    pub(crate) fn of(fields: &[AncestorField]) -> Self {
        let is_echo = |field: &&AncestorField| matches!(field.role, AncestorRole::Echo(_));
        Self {
            parts: vec![None; fields.iter().filter(is_echo).count()],
        }
    }

    pub(crate) fn set(&mut self, part: usize, raw: &'de str) {
        if let Some(place) = self.parts.get_mut(part) {
            *place = Some(raw);
        }
    }

    /// Whether the row is the one that was meant, as far as that can be told.
    pub(crate) fn is_of(&self, parent: Option<&str>) -> bool {
        self.parts.is_empty() || crate::rows::key_id(&self.parts).as_deref() == parent
    }
}

/// What a row on the way to a slot's connection is known by at its place, as it comes back.
pub(crate) struct Mark<'fields, 'de> {
    fields: &'fields [AncestorField],
    /// The values of its parts, by the indices of their fields.
    values: Vec<Option<&'de str>>,
}

impl<'fields, 'de> Mark<'fields, 'de> {
    pub(crate) fn of(fields: &'fields [AncestorField]) -> Self {
        let values = vec![None; fields.len()];
        Self { fields, values }
    }

    pub(crate) fn set(&mut self, field: usize, raw: &'de str) {
        if let Some(place) = self.values.get_mut(field) {
            *place = Some(raw);
        }
    }

    /// Whether the row holds what stood at its place before.
    pub(crate) fn is_of(&self, address: &Address) -> bool {
        let parts = self.fields.iter().zip(&self.values);
        let parts = parts.filter_map(|(field, value)| match field.role {
            AncestorRole::Mark(step) => Some((step, *value)),
            _ => None,
        });
        let (steps, values): (Vec<usize>, Vec<Option<&str>>) = parts.unzip();
        let meant = steps.first().and_then(|step| address.marks.get(*step)?.as_ref());
        meant.is_none_or(|meant| *meant == row_mark(&values))
    }
}

/// What a row is known by that holds these values. Servers may lay the same value out in another way at another depth.
pub(crate) fn row_mark(values: &[Option<&str>]) -> RowMark {
    let mut hash = Sha256::new();
    for value in values {
        let plain = value.and_then(|value| serde_json::from_str::<Value>(value).ok());
        hash.update(plain.unwrap_or_default().to_string());
        hash.update([0]);
    }
    hash_text(hash)
}

/// As much of a hash as tells rows, or pages, apart.
pub(crate) fn hash_text(hash: Sha256) -> String {
    let bytes = hash.finalize();
    bytes.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
