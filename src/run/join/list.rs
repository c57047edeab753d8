//! Plain lists of which several pieces have something: whether they have the same items, which go by their places.

use std::borrow::Cow;
use std::collections::HashMap;

use serde_json::value::RawValue;

use crate::run::items::Members;
use crate::run::join::Part;

/// What pieces have of each item of a plain list; `None` where they have different ones: more or fewer, or such that differ in
/// what several pieces say of one.
pub(super) fn items_by_place<'body>(parts: &[Part<'body>]) -> serde_json::Result<Option<Vec<Vec<Part<'body>>>>> {
    let mut items: Vec<Vec<Part<'body>>> = Vec::new();
    for (index, part) in parts.iter().filter(|part| part.begins_with('[')).enumerate() {
        let raws = serde_json::from_str::<Vec<&'body RawValue>>(part.raw.get())?;
        if index == 0 {
            items.resize_with(raws.len(), Vec::new);
        }
        if items.len() != raws.len() {
            return Ok(None);
        }
        for (item, raw) in items.iter_mut().zip(raws) {
            item.push(part.within(raw));
        }
    }
    for item in &items {
        if !is_one_item(item)? {
            return Ok(None);
        }
    }
    Ok(Some(items))
}

/// Whether pieces agree on the plain values that several of them have of an item.
fn is_one_item(parts: &[Part<'_>]) -> serde_json::Result<bool> {
    let mut known: HashMap<Cow<'_, str>, &str> = HashMap::new();
    for part in parts.iter().filter(|part| part.begins_with('{')) {
        for (key, raw) in Members::parse(part.raw)?.0 {
            let value = raw.get();
            if !value.starts_with(['{', '[']) && *known.entry(key).or_insert(value) != value {
                return Ok(false);
            }
        }
    }
    Ok(true)
}
