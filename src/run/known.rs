//! Whether a row that is asked for again is the one that was meant: by its key, or, where it was asked for by its place, by
//! what it held when it stood there before.

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::plan::{AncestorField, Tell, Told};
use crate::rows::{key_id, text_at};
use crate::state::{Address, RowMark};

/// What tells, in one object of an answer, whether it is the row that was meant: the key of the row that holds a slot's
/// connection, or what a row on the way to it holds at its place.
#[derive(Default)]
pub(crate) struct KnownBy<'de> {
    key: Vec<Option<&'de str>>,
    mark: Vec<Option<&'de str>>,
    /// The step of the address that leads to the place.
    step: usize,
}

impl<'de> KnownBy<'de> {
    pub(crate) fn of(fields: &[AncestorField]) -> Self {
        let mut known_by = Self::default();
        for tell in fields.iter().flat_map(|field| &field.tells) {
            match tell.told {
                Told::Key(_) => known_by.key.push(None),
                Told::Mark { step, .. } => {
                    known_by.mark.push(None);
                    known_by.step = step;
                }
            }
        }
        known_by
    }

    /// Takes what the value of a field tells.
    pub(crate) fn set(&mut self, tells: &[Tell], raw: &'de str) {
        for tell in tells {
            let part = match tell.told {
                Told::Key(part) => self.key.get_mut(part),
                Told::Mark { part, .. } => self.mark.get_mut(part),
            };
            if let Some(part) = part {
                *part = text_at(raw, &tell.below);
            }
        }
    }

    /// Whether the row is the one that was meant, as far as that can be told.
    pub(crate) fn is_of(&self, parent: Option<&str>, address: &Address) -> bool {
        let has_key = self.key.is_empty() || key_id(&self.key).as_deref() == parent;
        has_key && self.is_marked(address)
    }

    fn is_marked(&self, address: &Address) -> bool {
        let meant = match self.mark.as_slice() {
            [] => None,
            _ => address.marks.get(self.step).and_then(Option::as_ref),
        };
        meant.is_none_or(|meant| *meant == row_mark(&self.mark))
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
