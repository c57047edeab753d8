//! The items of one row field: a list of them, one that stands alone, or edges around them.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::plan::{Cell, Items, RowsLayout};
use crate::rows::fields::{KeyIndex, Keyed};
use crate::rows::identity::KeyTexts;
use crate::rows::page::{Page, Reading};
use crate::rows::quick::{CellsSeed, second_look};

/// Reads a list of items.
pub(super) struct ListSeed<'s, 'p, 'de> {
    pub(super) page: &'s mut Page<'p, 'de>,
    pub(super) layout: &'s RowsLayout,
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
        let mut items = ItemReader::begin(self.page, self.layout)?;
        while sequence.next_element_seed(ItemSeed(&mut items))?.is_some() {}
        Ok(())
    }
}

/// Reads the one item of a row field that has no list.
pub(super) struct OnlyItemSeed<'s, 'p, 'de> {
    pub(super) page: &'s mut Page<'p, 'de>,
    pub(super) layout: &'s RowsLayout,
}

impl<'de> DeserializeSeed<'de> for OnlyItemSeed<'_, '_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let mut items = ItemReader::begin(self.page, self.layout)?;
        ItemSeed(&mut items).deserialize(deserializer)
    }
}

/// What reading the items of one row field takes.
struct ItemReader<'s, 'p, 'de> {
    page: &'s mut Page<'p, 'de>,
    layout: &'s RowsLayout,
    keys: KeyTexts<'de>,
    /// What an edge holds; `None` where items stand by themselves.
    edge: Option<Edge<'s>>,
}

/// What an edge holds.
struct Edge<'s> {
    cells: &'s [Cell],
    fields: Vec<EdgeField<'s>>,
}

#[derive(Clone, Copy)]
enum EdgeField<'s> {
    Node(&'s str),
    /// The cell of this index.
    Cell(usize, &'s Cell),
}

impl Keyed for EdgeField<'_> {
    fn key(&self) -> &str {
        match self {
            Self::Node(key) => key,
            Self::Cell(_, cell) => &cell.key,
        }
    }
}

impl<'s, 'p, 'de> ItemReader<'s, 'p, 'de> {
    fn begin<E: Error>(page: &'s mut Page<'p, 'de>, layout: &'s RowsLayout) -> Result<Self, E> {
        page.begin_rows(layout).map_err(E::custom)?;
        let keys = KeyTexts::new(&layout.row.id);
        let edge = match &layout.items {
            Items::Edges { node, edge_cells, .. } => {
                let cells = edge_cells
                    .iter()
                    .enumerate()
                    .map(|(index, cell)| EdgeField::Cell(index, cell));
                Some(Edge {
                    cells: edge_cells,
                    fields: [EdgeField::Node(node)].into_iter().chain(cells).collect(),
                })
            }
            Items::Value | Items::List | Items::Nodes { .. } => None,
        };
        Ok(Self {
            page,
            layout,
            keys,
            edge,
        })
    }

    fn item_cells(&mut self) -> CellsSeed<'_, 'de> {
        let table = &mut self.page.tables[self.layout.table];
        CellsSeed {
            cells: &self.layout.row.cells,
            columns: &mut table.columns,
            row: table.rows,
            keys: Some(&mut self.keys),
        }
    }

    fn edge_cells<'c>(&'c mut self, cells: &'c [Cell]) -> CellsSeed<'c, 'de> {
        let table = &mut self.page.tables[self.layout.table];
        CellsSeed {
            cells,
            columns: &mut table.columns,
            row: table.rows,
            keys: None,
        }
    }

    /// Reads an edge whose opening was read; false where its node is null or not there.
    fn read_edge<A: MapAccess<'de>>(&mut self, edge: &Edge<'_>, mut map: A) -> Result<bool, A::Error> {
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
                EdgeField::Cell(cell, _) => self.edge_cells(edge.cells).read_cell(cell, &mut map)?,
                EdgeField::Node(_) => {
                    if has_node.is_some() {
                        return Err(second_look());
                    }
                    has_node = Some(map.next_value_seed(NodeSeed(self))?);
                }
            }
        }
        self.edge_cells(edge.cells).push_missing()?;
        Ok(has_node.unwrap_or(false))
    }

    fn end_item<E: Error>(&mut self, is_row: bool) -> Result<(), E> {
        if is_row {
            return self
                .page
                .complete_row(self.layout, &self.keys)
                .map_err(|_| second_look());
        }
        self.page.note_null_item(self.layout);
        Ok(())
    }
}

/// Reads one item of a list, or the edge around it.
struct ItemSeed<'i, 's, 'p, 'de>(&'i mut ItemReader<'s, 'p, 'de>);

impl<'de> DeserializeSeed<'de> for ItemSeed<'_, '_, '_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let ItemReader { page, layout, keys, .. } = &mut *self.0;
        if page.reading == Reading::Careful {
            let raw = <&RawValue>::deserialize(deserializer)?.get();
            return page.take_carefully(layout, raw, keys).map_err(D::Error::custom);
        }
        keys.clear();
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ItemSeed<'_, '_, '_, 'de> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a row")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.0.end_item(false)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        let reader = self.0;
        let is_row = match reader.edge.take() {
            None => reader.item_cells().read_fields(map).map(|()| true)?,
            Some(edge) => {
                let is_row = reader.read_edge(&edge, map)?;
                reader.edge = Some(edge);
                is_row
            }
        };
        reader.end_item(is_row)
    }
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
