//! Cursors as texts: where to go on, in which list, and since when.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

use crate::demo::cursor_words::CursorWords;
use crate::demo::dataset::Instance;
use crate::demo::expiry::RequestMoment;

/// Where to go on in one list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cursor {
    /// Equal for all cursors of the same list with the same arguments.
    pub(crate) list: u64,
    /// How many rows lie before it.
    pub(crate) position: u64,
    /// Whether the empty page at its position was given already.
    pub(crate) is_past_empty_page: bool,
    /// When it was made, where that matters.
    pub(crate) made: Option<RequestMoment>,
    /// Of which field of which object it is, where that matters.
    pub(crate) place: Option<CursorPlace>,
}

/// The field of an object that a cursor is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CursorPlace {
    pub(crate) ty: String,
    pub(crate) index: u64,
    pub(crate) field: String,
    /// The field's arguments, without those that choose a page.
    pub(crate) arguments: Value,
}

impl Cursor {
    /// The cursor as it is sent: the list and the position, and behind a dot each of what else matters.
    pub(crate) fn text(&self) -> String {
        let mask = self.list.rotate_left(32);
        let mut text = format!("{:016x}{:016x}{}", self.list, self.position ^ mask, self.flags());
        if let Some(place) = &self.place {
            let place = json!([place.ty, place.index, place.field, place.arguments]);
            let digits: String = place.to_string().bytes().map(|byte| format!("{byte:02x}")).collect();
            text.push_str(&format!(".p{digits}"));
        }
        text
    }

    /// What of it matters beside its place.
    fn flags(&self) -> String {
        let mut flags = String::new();
        if self.is_past_empty_page {
            flags.push_str(".e");
        }
        if let Some(RequestMoment { request, at }) = self.made {
            flags.push_str(&format!(".m{request}-{}", at.as_millis()));
        }
        flags
    }

    /// The cursor of a row in these words; with its list in it where that matters.
    pub(crate) fn in_words(&self, words: &CursorWords, row: Instance<'_>, with_list: bool) -> String {
        let list = match with_list {
            true => format!(".l{:016x}", self.list),
            false => String::new(),
        };
        words.write(row, &(list + &self.flags()))
    }

    /// Takes what [`Cursor::in_words`] put behind the words off the last text of a cursor; a cursor without a place.
    pub(crate) fn behind_words(text: &mut String, list: u64) -> Self {
        let mut cursor = Self {
            list,
            position: 0,
            is_past_empty_page: false,
            made: None,
            place: None,
        };
        while let Some((words, flag)) = text.rsplit_once('.') {
            let is_read = match flag.split_at_checked(1) {
                Some(("l", list)) => u64::from_str_radix(list, 16).map(|list| cursor.list = list).is_ok(),
                Some((name, value)) => cursor.take_flag(name, value).is_some(),
                None => false,
            };
            if !is_read {
                break;
            }
            let length = words.len();
            text.truncate(length);
        }
        cursor
    }

    fn take_flag(&mut self, name: &str, value: &str) -> Option<()> {
        match (name, value) {
            ("e", "") => self.is_past_empty_page = true,
            ("m", moment) => self.made = Some(read_moment(moment)?),
            ("p", place) => self.place = Some(read_place(place)?),
            _ => return None,
        }
        Some(())
    }

    /// The cursor as a JSON list of two texts inside a text.
    pub(crate) fn json_list(&self) -> String {
        let text = self.text();
        let (list, rest) = text.split_at_checked(16).unwrap_or((&text, ""));
        format!("[{}, {}]", json!(list), json!(rest))
    }

    /// The cursor as the key of a row: an object with two texts, written as Python does, in Base64.
    pub(crate) fn key(&self) -> String {
        let text = self.text();
        let (list, rest) = text.split_at_checked(16).unwrap_or((&text, ""));
        BASE64.encode(format!("{{\"pk\": \"{list}\", \"sk\": \"{rest}\"}}"))
    }

    /// The text in what [`Cursor::key`] wrote.
    pub(crate) fn text_of_key(key: &str) -> Option<String> {
        let object: Value = serde_json::from_slice(&BASE64.decode(key).ok()?).ok()?;
        Some(object.get("pk")?.as_str()?.to_owned() + object.get("sk")?.as_str()?)
    }

    /// Reads what [`Cursor::text`] wrote.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let (list, rest) = text.split_at_checked(16)?;
        let (position, rest) = rest.split_at_checked(16)?;
        let list = u64::from_str_radix(list, 16).ok()?;
        let mut cursor = Self {
            list,
            position: u64::from_str_radix(position, 16).ok()? ^ list.rotate_left(32),
            is_past_empty_page: false,
            made: None,
            place: None,
        };
        for part in rest.split('.').skip(1) {
            let (name, value) = part.split_at_checked(1)?;
            cursor.take_flag(name, value)?;
        }
        Some(cursor)
    }
}

fn read_moment(text: &str) -> Option<RequestMoment> {
    let (request, at) = text.split_once('-')?;
    Some(RequestMoment {
        request: request.parse().ok()?,
        at: Duration::from_millis(at.parse().ok()?),
    })
}

fn read_place(digits: &str) -> Option<CursorPlace> {
    let positions = (0..digits.len()).step_by(2);
    let bytes: Option<Vec<u8>> = positions
        .map(|position| u8::from_str_radix(digits.get(position..position + 2)?, 16).ok())
        .collect();
    let (ty, index, field, arguments) = serde_json::from_slice(&bytes?).ok()?;
    Some(CursorPlace {
        ty,
        index,
        field,
        arguments,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_are_read_as_they_were_written() {
        let plain = Cursor {
            list: 0xFEDC_0000_0000_0001,
            position: 77,
            is_past_empty_page: false,
            made: None,
            place: None,
        };
        let full = Cursor {
            is_past_empty_page: true,
            made: Some(RequestMoment {
                request: 9,
                at: Duration::from_millis(1_250),
            }),
            place: Some(CursorPlace {
                ty: "Board".to_owned(),
                index: 3,
                field: "items_page".to_owned(),
                arguments: json!([["state", "é"]]),
            }),
            ..plain.clone()
        };
        let key = plain.key();
        assert!(key.starts_with("eyJwayI6ICJ"), "{key}");
        assert_eq!(Cursor::text_of_key(&key), Some(plain.text()));
        assert_eq!(Cursor::text_of_key("bnVsbA=="), None);
        for cursor in [plain, full] {
            assert_eq!(Cursor::read(&cursor.text()), Some(cursor));
        }
    }

    #[test]
    fn inventions_are_no_cursors() {
        for text in [
            "",
            "zz",
            &"é".repeat(20),
            &"0".repeat(31),
            &format!("{}.x", "0".repeat(32)),
        ] {
            assert_eq!(Cursor::read(text), None, "{text}");
        }
    }
}
