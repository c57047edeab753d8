//! What a row's `_id` is: a promise to everyone who joins one export with the next.

use std::borrow::Cow;
use std::fmt::Write;

use sha2::{Digest, Sha256};

use crate::plan::{RowId, ValuePlace};
use crate::rows::fields::Fields;
use crate::rows::misfit::MisfitCause;
use crate::rows::value::{string_of, unreadable};

/// Bytes of the hash that an `_id` by position keeps: enough that 10^12 rows have no two alike.
const HASH_BYTES: usize = 16;

/// The JSON texts of which a row's `_id` is made, as they come by.
pub(super) struct KeyTexts<'s, 'de> {
    places: &'s [ValuePlace],
    texts: Vec<Option<&'de str>>,
}

impl<'s, 'de> KeyTexts<'s, 'de> {
    /// The texts still to come for an `_id`.
    pub(super) fn new(id: &'s RowId) -> Self {
        let places = match id {
            RowId::Key(places) => places.as_slice(),
            RowId::Position { .. } => &[],
        };
        let texts = vec![None; places.len()];
        Self { places, texts }
    }

    /// Forgets the texts of the row before.
    pub(super) fn clear(&mut self) {
        self.texts.fill(None);
    }

    /// Whether the `_id` is made of the cell of this index, or of what is in it, too.
    pub(super) fn wants(&self, cell: usize) -> bool {
        self.places.iter().any(|place| place.cell == cell)
    }

    /// Takes what the JSON text of a cell has of the key; false where it is not the first that has any.
    pub(super) fn set(&mut self, cell: usize, raw: &'de str) -> bool {
        let mut is_first = true;
        let places = self.places.iter().zip(&mut self.texts);
        for (place, text) in places.filter(|(place, _)| place.cell == cell) {
            is_first &= text.is_none();
            *text = text_at(raw, &place.below);
        }
        is_first
    }

    /// The `_id` that [`key_id`] makes of the texts, or why there is none.
    pub(super) fn id(&self) -> Result<Cow<'de, str>, MisfitCause> {
        id_of(&self.texts)
    }
}

/// The `_id` of a row with a key: one value's own text, or the JSON list of the texts of several, given as they stand
/// in the response. `None` where there are none, and where one is not there, null, no scalar or not readable: such a
/// row has no `_id`.
pub fn key_id(texts: &[Option<&str>]) -> Option<String> {
    id_of(texts).ok().map(Cow::into_owned)
}

/// The JSON text of a value that stands in another one, below these response keys; `None` where it is not there. What
/// stands in null is null.
pub fn text_at<'de>(raw: &'de str, below: &[String]) -> Option<&'de str> {
    let Some((key, rest)) = below.split_first() else {
        return Some(raw);
    };
    if raw == "null" {
        return Some(raw);
    }
    text_at(Fields::parse(raw).ok()?.get(key).ok()??, rest)
}

fn id_of<'de>(texts: &[Option<&'de str>]) -> Result<Cow<'de, str>, MisfitCause> {
    match *texts {
        [] => return Err(MisfitCause::Missing),
        [text] => return key_text(text),
        _ => {}
    }
    let texts: Vec<_> = texts.iter().map(|text| key_text(*text)).collect::<Result<_, _>>()?;
    serde_json::to_string(&texts)
        .map(Cow::Owned)
        .map_err(|error| unreadable(&error))
}

/// The text that a part of a key stands for: a string's content, a number as the response writes it.
fn key_text(raw: Option<&str>) -> Result<Cow<'_, str>, MisfitCause> {
    let raw = raw.ok_or(MisfitCause::Missing)?;
    match raw.as_bytes().first() {
        Some(b'"') => string_of(raw),
        Some(b'n') => Err(MisfitCause::NullKey),
        Some(b'{' | b'[') | None => Err(MisfitCause::no_key(raw)),
        Some(_) => Ok(Cow::Borrowed(raw)),
    }
}

/// The `_id` of a row that has no key: the first 16 bytes, in hexadecimal, of the SHA-256 of the parent's `_id`
/// (empty for rows without one), the path of the row field and the row's position in its connection, with a zero byte
/// between them.
///
/// Must stay as it is for as long as anyone joins old exports with new ones.
pub fn position_id(parent: &str, path: &str, position: u64) -> String {
    let hash = Sha256::new()
        .chain_update(parent)
        .chain_update([0])
        .chain_update(path)
        .chain_update([0])
        .chain_update(position.to_string())
        .finalize();
    let mut id = String::with_capacity(2 * HASH_BYTES);
    for byte in &hash[..HASH_BYTES] {
        // Writing to a string cannot fail.
        let _ = write!(id, "{byte:02x}");
    }
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(cells: &[usize], raws: &[&'static str]) -> Result<String, MisfitCause> {
        let id = RowId::Key(cells.iter().map(|cell| ValuePlace::from(*cell)).collect());
        let mut keys = KeyTexts::new(&id);
        for (index, raw) in raws.iter().enumerate() {
            assert!(keys.set(index, raw));
        }
        keys.id().map(Cow::into_owned)
    }

    #[test]
    fn one_key_is_its_own_text() {
        assert_eq!(id(&[0], &[r#""a\u0062""#]).unwrap(), "ab");
        assert_eq!(id(&[0], &["12345678901234567890"]).unwrap(), "12345678901234567890");
        assert_eq!(id(&[0], &["1.0"]).unwrap(), "1.0");
    }

    #[test]
    fn several_keys_are_a_json_list_in_their_own_order() {
        assert_eq!(id(&[1, 0], &[r#""a,\"b""#, "7"]).unwrap(), r#"["7","a,\"b"]"#);
    }

    #[test]
    fn keys_that_are_not_there_or_no_scalars_are_refused() {
        assert_eq!(id(&[0], &["null"]), Err(MisfitCause::NullKey));
        assert_eq!(id(&[0], &[]), Err(MisfitCause::Missing));
        assert_eq!(id(&[0], &["[1]"]), Err(MisfitCause::Key("[1]".to_owned())));
        assert_eq!(id(&[0, 1], &["1", "null"]), Err(MisfitCause::NullKey));
    }

    #[test]
    fn a_second_text_for_the_same_cell_is_noticed() {
        let id = RowId::Key(vec![ValuePlace::from(0)]);
        let mut keys = KeyTexts::new(&id);
        assert!(keys.set(0, "1"));
        assert!(!keys.set(0, "2"));
        keys.clear();
        assert!(keys.set(0, "3"));
    }

    #[test]
    fn a_key_may_stand_in_objects() {
        let [asset, owner] = [&["id"][..], &["team", "id"]].map(|below| ValuePlace {
            cell: 0,
            below: below.iter().map(|key| (*key).to_owned()).collect(),
        });
        let key = RowId::Key(vec![asset, owner, ValuePlace::from(1)]);
        let id_of = |object: &'static str| {
            let mut keys = KeyTexts::new(&key);
            assert!(keys.set(0, object) && keys.set(1, "7"));
            keys.id().map(Cow::into_owned)
        };
        let made = id_of(r#"{"name":"x","team":{"id":"t"},"id":"a"}"#);
        assert_eq!(made.unwrap(), r#"["a","t","7"]"#);
        assert_eq!(id_of(r#"{"id":"a","team":null}"#), Err(MisfitCause::NullKey));
        assert_eq!(id_of("null"), Err(MisfitCause::NullKey));
        for lacking in [r#"{"id":"a"}"#, r#"{"id":"a","id":"b","team":{"id":"t"}}"#, "[]"] {
            assert_eq!(id_of(lacking), Err(MisfitCause::Missing), "{lacking}");
        }
        assert_eq!(
            id_of(r#"{"id":"a","team":{"id":{}}}"#),
            Err(MisfitCause::Key("{}".to_owned()))
        );
    }

    #[test]
    fn the_key_of_texts_is_that_of_the_row() {
        assert_eq!(key_id(&[Some(r#""a\u0062""#)]).unwrap(), "ab");
        assert_eq!(key_id(&[Some("7"), Some(r#""x""#)]).unwrap(), r#"["7","x"]"#);
        for texts in [
            &[None][..],
            &[Some("null")],
            &[Some("1"), Some("{}")],
            &[Some(r#""\ud800""#)],
        ] {
            assert_eq!(key_id(texts), None);
        }
    }

    /// These values are promised: if this test fails, the code is wrong, not the test.
    #[test]
    fn positions_have_the_same_id_for_ever() {
        assert_eq!(position_id("", "report.rows", 0), "9d418039096abbdaeebc07fad9f0d9ca");
        assert_eq!(position_id("p1", "rows", 41), "7dfdfce0cff259331ee9098bc2084910");
    }
}
