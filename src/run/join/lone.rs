//! What is asked of rows by themselves, since it does not come with them.

use std::collections::{BTreeSet, HashMap};

use serde_json::Value;
use serde_json::value::RawValue;

use crate::api::PathSegment;
use crate::plan::{Items as At, RowAddress, RowsLayout};
use crate::run::items::{item_id, item_value};

/// What came of rows that were asked by themselves.
#[derive(Debug, Default)]
pub(crate) struct LoneRows<'body> {
    /// The tables that have such rows.
    pub(crate) tables: BTreeSet<usize>,
    /// By table and `_id`, the items as they stand in their lists, one for each request.
    pub(crate) came: HashMap<(usize, String), Vec<LonePart<'body>>>,
    /// By table and `_id`, those that are known to lack something.
    pub(crate) lost: BTreeSet<(usize, String)>,
}

/// What one request brought of a row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LonePart<'body> {
    /// `None` where the row was not found.
    pub(crate) raw: Option<&'body RawValue>,
    /// There are errors beside it, which tell of what is null.
    pub(crate) has_errors: bool,
}

/// A row that is to be asked by itself.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LonePlace {
    /// Its `_id`.
    pub(crate) id: String,
    /// The value by which it is found.
    pub(crate) value: Value,
    /// Where in the whole answer it stands.
    pub(crate) path: Vec<PathSegment>,
    /// The response key under which it stands in its edge.
    pub(crate) node: Option<String>,
}

impl LonePlace {
    /// The place of an item at that path; `None` where nothing tells it.
    pub(super) fn of(
        layout: &RowsLayout,
        raw: &RawValue,
        id: &str,
        path: &[PathSegment],
    ) -> serde_json::Result<Option<Self>> {
        let Some(RowAddress::Value(place)) = &layout.row.address else {
            return Ok(None);
        };
        let value = item_value(layout, raw, place)?.filter(|value| !value.is_null());
        let node = match &layout.items {
            At::Edges { node, .. } => Some(node.clone()),
            _ => None,
        };
        let within = node.iter().cloned().map(PathSegment::Field);
        let path = path.iter().cloned().chain(within).collect();
        Ok(value.map(|value| Self {
            id: id.to_owned(),
            value,
            path,
            node,
        }))
    }
}

impl<'body> LoneRows<'body> {
    /// What came of a row, and whether something of it is lacking that no error tells of.
    pub(super) fn of(&self, layout: &RowsLayout, id: &str) -> serde_json::Result<(Vec<(&'body RawValue, bool)>, bool)> {
        let row = (layout.table, id.to_owned());
        let Some(parts) = self.came.get(&row) else {
            return Ok((Vec::new(), !self.lost.contains(&row)));
        };
        let mut found = Vec::new();
        let mut lacks = false;
        for part in parts {
            match part.raw {
                Some(raw) if item_id(layout, raw)?.as_deref() == Some(id) => found.push((raw, part.has_errors)),
                // Another row is not the one that was meant, whatever errors say.
                Some(_) => lacks = true,
                None => lacks |= !part.has_errors,
            }
        }
        Ok((found, lacks))
    }
}
