//! What a row holds of rows of other tables: set aside as text while the row is read, for only then is its `_id` known.

use serde::de::{DeserializeSeed, Error};
use serde_json::Deserializer;

use crate::plan::AncestorRole;
use crate::rows::page::Page;
use crate::rows::slot::Above;
use crate::rows::walk::RoleSeed;

/// The texts of one row that hold rows of other tables; each is a piece of the body.
#[derive(Default)]
pub(super) struct BelowTexts<'s, 'de>(Vec<BelowText<'s, 'de>>);

struct BelowText<'s, 'de> {
    key: &'s str,
    role: &'s AncestorRole,
    raw: &'de str,
}

impl<'s, 'de> BelowTexts<'s, 'de> {
    /// Forgets the texts of the row before.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Sets the text of a field aside; without one it is as if it were null. False where the field has one already.
    pub(super) fn hold(&mut self, key: &'s str, role: &'s AncestorRole, raw: Option<&'de str>) -> bool {
        if self.has(role) {
            return false;
        }
        let raw = raw.unwrap_or("null");
        self.0.push(BelowText { key, role, raw });
        true
    }

    /// Whether the field of this very role has its text.
    pub(super) fn has(&self, role: &AncestorRole) -> bool {
        self.0.iter().any(|text| std::ptr::eq(text.role, role))
    }

    /// Brings the texts into the order in which they stand in the body.
    pub(super) fn sort(&mut self) {
        self.0.sort_by_key(|text| text.raw.as_ptr());
    }

    /// Reads the rows within the texts, which stand below the given row.
    pub(super) fn read<E: Error>(&self, page: &mut Page<'_, 'de>, above: Above<'_>) -> Result<(), E> {
        for BelowText { key, role, raw } in &self.0 {
            let page = &mut *page;
            RoleSeed { page, key, role, above }
                .deserialize(&mut Deserializer::from_str(raw))
                .map_err(|error| without_place(&error))?;
        }
        Ok(())
    }
}

/// An error of a text without its place there, which would be taken for one in the body.
fn without_place<E: Error>(error: &serde_json::Error) -> E {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    E::custom(text.strip_suffix(&place).unwrap_or(&text))
}
