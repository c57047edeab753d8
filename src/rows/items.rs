//! The items of one row field: a list of them, one that stands alone, or edges around them.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::plan::RowsLayout;
use crate::rows::fields::KeyIndex;
use crate::rows::item_reader::{Edge, EdgeField, ItemReader};
use crate::rows::page::Page;
use crate::rows::quick::second_look;
use crate::rows::slot::Above;

/// Reads a list of items.
pub(super) struct ListSeed<'s, 'p, 'de> {
    pub(super) page: &'s mut Page<'p, 'de>,
    pub(super) layout: &'s RowsLayout,
    pub(super) above: Above<'s>,
}

impl<'de> DeserializeSeed<'de> for ListSeed<'_, '_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ListSeed<'_, '_, 'de> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of rows")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.page.counts[self.layout.table].null_lists += 1;
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<(), A::Error> {
        let mut items = ItemReader::begin(self.page, self.layout, self.above)?;
        while sequence.next_element_seed(ItemSeed(&mut items))?.is_some() {}
        Ok(())
    }
}

/// Reads the one item of a row field that has no list.
pub(super) struct OnlyItemSeed<'s, 'p, 'de> {
    pub(super) page: &'s mut Page<'p, 'de>,
    pub(super) layout: &'s RowsLayout,
    pub(super) above: Above<'s>,
}

impl<'de> DeserializeSeed<'de> for OnlyItemSeed<'_, '_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let mut items = ItemReader::begin(self.page, self.layout, self.above)?;
        ItemSeed(&mut items).deserialize(deserializer)
    }
}

/// Reads one item of a list, or the edge around it.
struct ItemSeed<'i, 's, 'p, 'de>(&'i mut ItemReader<'s, 'p, 'de>);

impl<'de> DeserializeSeed<'de> for ItemSeed<'_, '_, '_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if !self.0.begin_item() {
            return IgnoredAny::deserialize(deserializer).map(drop);
        }
        if self.0.is_careful() {
            return self.0.take_carefully(<&RawValue>::deserialize(deserializer)?.get());
        }
        if self.0.is_of_one_field() {
            return self.0.take_text(<&RawValue>::deserialize(deserializer)?.get());
        }
        self.0.clear();
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ItemSeed<'_, '_, '_, 'de> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a row")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.0.end_null()
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        let reader = self.0;
        let is_row = match reader.edge.take() {
            None => reader.item_cells().read_fields(map).map(|()| true)?,
            Some(edge) => {
                let is_row = read_edge(reader, &edge, map)?;
                reader.edge = Some(edge);
                is_row
            }
        };
        if is_row { reader.end_row() } else { reader.end_null() }
    }
}

/// Reads an edge whose opening was read; false where its node is null or not there.
fn read_edge<'s, 'de, A: MapAccess<'de>>(
    reader: &mut ItemReader<'s, '_, 'de>,
    edge: &Edge<'s>,
    mut map: A,
) -> Result<bool, A::Error> {
    let mut has_node = None;
    let mut next = 0;
    while let Some(index) = map.next_key_seed(KeyIndex {
        items: &edge.fields,
        next,
    })? {
        let Some(index) = index else {
            map.next_value::<IgnoredAny>()?;
            continue;
        };
        next = index + 1;
        match edge.fields[index] {
            EdgeField::Cell(cell, _) => reader.edge_cells(edge).read_cell(cell, &mut map)?,
            EdgeField::Node(_) => {
                if has_node.is_some() {
                    return Err(second_look());
                }
                has_node = Some(map.next_value_seed(NodeSeed(reader))?);
            }
        }
    }
    reader.edge_cells(edge).push_missing()?;
    Ok(has_node.unwrap_or(false))
}

/// Reads the node of an edge; false where it is null.
struct NodeSeed<'i, 's, 'p, 'de>(&'i mut ItemReader<'s, 'p, 'de>);

impl<'de> DeserializeSeed<'de> for NodeSeed<'_, '_, '_, 'de> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for NodeSeed<'_, '_, '_, 'de> {
    type Value = bool;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the node of an edge")
    }

    fn visit_unit<E: Error>(self) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<bool, A::Error> {
        self.0.item_cells().read_fields(map).map(|()| true)
    }
}
