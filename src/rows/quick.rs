//! The fast way through a row: serde visitors that carry each value straight into its column.
//!
//! Whatever they meet that is not the expected shape ends the pass over the page with [`second_look`]; the page is
//! then read again by `careful.rs`, which knows how to tell what is wrong with which row. The two must agree on every
//! row that this one takes.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::plan::{AncestorRole, Cell, CellRole};
use crate::rows::below::BelowTexts;
use crate::rows::column::{ColumnBuffer, Values};
use crate::rows::fields::KeyIndex;
use crate::rows::identity::KeyTexts;

/// The end of the fast pass over a page.
pub(super) fn second_look<E: Error>() -> E {
    E::custom("a value needs a second look")
}

/// Reads an item, or an edge of one, into the columns of its row.
pub(super) struct CellsSeed<'p, 's, 'de> {
    pub(super) cells: &'s [Cell],
    pub(super) columns: &'p mut [ColumnBuffer],
    /// The index of the row in the columns.
    pub(super) row: usize,
    /// What the row's `_id` is made of, where `cells` are those that it is made of.
    pub(super) keys: Option<&'p mut KeyTexts<'s, 'de>>,
    /// What the row holds of rows of other tables.
    pub(super) below: &'p mut BelowTexts<'s, 'de>,
}

impl<'s, 'de> CellsSeed<'_, 's, 'de> {
    /// Reads the fields of an object whose opening was read; also what a visitor of an item calls.
    pub(super) fn read_fields<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        let mut next = 0;
        let mut is_in_order = true;
        while let Some(index) = map.next_key_seed(KeyIndex {
            items: self.cells,
            next,
        })? {
            let Some(index) = index else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            is_in_order &= index == next;
            next = index + 1;
            self.read_cell(index, &mut map)?;
        }
        if is_in_order && next == self.cells.len() {
            return Ok(());
        }
        self.push_missing()
    }

    /// Adds nulls for all cells that the row does not have.
    pub(super) fn push_missing<E: Error>(self) -> Result<(), E> {
        push_missing(self.cells, self.columns, self.row, self.below).map_err(|()| second_look())
    }

    /// Reads the value of the cell of this index.
    pub(super) fn read_cell<A: MapAccess<'de>>(&mut self, index: usize, map: &mut A) -> Result<(), A::Error> {
        let cells: &'s [Cell] = self.cells;
        let role = &cells[index].role;
        if let Some(keys) = self.keys.as_mut().filter(|keys| keys.wants(index)) {
            let raw = map.next_value::<&RawValue>()?.get();
            if !keys.set(index, raw) {
                return Err(second_look());
            }
            return match role {
                CellRole::Column(column) => self.fresh_column(*column)?.push_json(raw).map_err(|_| second_look()),
                CellRole::Ignored => Ok(()),
                CellRole::Flattened(cells) => self.read_flattened(cells, raw),
                CellRole::Below { column, below } => self.hold_below(&cells[index].key, *column, below, raw),
            };
        }
        match role {
            CellRole::Ignored => map.next_value::<IgnoredAny>().map(drop),
            CellRole::Column(column) => map.next_value_seed(ValueSeed(self.fresh_column(*column)?)),
            CellRole::Flattened(cells) if self.was_read(cells) == Some(true) => Err(second_look()),
            CellRole::Flattened(cells) => map.next_value_seed(self.flattened(cells)),
            CellRole::Below { column, below } => {
                let raw = map.next_value::<&RawValue>()?.get();
                self.hold_below(&cells[index].key, *column, below, raw)
            }
        }
    }

    /// What reads a flattened object into the row.
    fn flattened(&mut self, cells: &'s [Cell]) -> CellsSeed<'_, 's, 'de> {
        CellsSeed {
            cells,
            columns: self.columns,
            row: self.row,
            keys: None,
            below: self.below,
        }
    }

    /// Reads a flattened object whose text had to be looked into.
    fn read_flattened<E: Error>(&mut self, cells: &'s [Cell], raw: &'de str) -> Result<(), E> {
        if self.was_read(cells) == Some(true) {
            return Err(second_look());
        }
        let mut text = serde_json::Deserializer::from_str(raw);
        self.flattened(cells).deserialize(&mut text).map_err(|_| second_look())
    }

    /// Keeps rows of other tables for later, and fills the column of the object that they stand in.
    fn hold_below<E: Error>(
        &mut self,
        key: &'s str,
        column: Option<usize>,
        below: &'s AncestorRole,
        raw: &'de str,
    ) -> Result<(), E> {
        if !self.below.hold(key, below, Some(raw)) {
            return Err(second_look());
        }
        let Some(column) = column else { return Ok(()) };
        ValueSeed(self.fresh_column(column)?)
            .deserialize(&mut serde_json::Deserializer::from_str(raw))
            .map_err(|_| second_look())
    }

    /// Whether the object of these cells was read for this row; `None` where nothing is taken from it. All cells have
    /// something as soon as their object was read, so that the first of them tells.
    fn was_read(&self, cells: &[Cell]) -> Option<bool> {
        cells.iter().find_map(|cell| match &cell.role {
            CellRole::Ignored => None,
            CellRole::Column(column) => Some(self.columns[*column].len() > self.row),
            CellRole::Below { below, .. } => Some(self.below.has(below)),
            CellRole::Flattened(cells) => self.was_read(cells),
        })
    }

    /// A column that has no value for this row yet.
    fn fresh_column<E: Error>(&mut self, column: usize) -> Result<&mut ColumnBuffer, E> {
        let buffer = &mut self.columns[column];
        if buffer.len() == self.row {
            Ok(buffer)
        } else {
            Err(second_look())
        }
    }
}

fn push_missing<'s>(
    cells: &'s [Cell],
    columns: &mut [ColumnBuffer],
    row: usize,
    below_texts: &mut BelowTexts<'s, '_>,
) -> Result<(), ()> {
    for cell in cells {
        let column = match &cell.role {
            CellRole::Ignored => None,
            CellRole::Column(column) => Some(*column),
            CellRole::Below { column, below } => {
                below_texts.hold(&cell.key, below, None);
                *column
            }
            CellRole::Flattened(cells) => {
                push_missing(cells, columns, row, below_texts)?;
                None
            }
        };
        if let Some(column) = column.filter(|column| columns[*column].len() == row) {
            columns[column].push_missing().map_err(|_| ())?;
        }
    }
    Ok(())
}

impl<'de> DeserializeSeed<'de> for CellsSeed<'_, '_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for CellsSeed<'_, '_, 'de> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    /// A flattened object that is null.
    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.push_missing()
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        self.read_fields(map)
    }
}

/// Reads one value into its column.
struct ValueSeed<'b>(&'b mut ColumnBuffer);

impl<'de> DeserializeSeed<'de> for ValueSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match self.0.values {
            // serde_json's own way to a float is not always the nearest one, and a float has no place for all the
            // digits of a decimal: these are made from the text.
            Values::Float64(_) | Values::Decimal { .. } | Values::Json(_) => {
                let raw = <&RawValue>::deserialize(deserializer)?;
                self.0.push_json(raw.get()).map_err(|_| second_look())
            }
            _ => deserializer.deserialize_any(self),
        }
    }
}

impl<'de> Visitor<'de> for ValueSeed<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value that fits its column")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.0.push_null().map_err(|_| second_look())
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        taken(self.0.accept_boolean(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        taken(self.0.accept_integer(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        let value = i64::try_from(value).map_err(|_| second_look())?;
        taken(self.0.accept_integer(value))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        taken(self.0.accept_text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<(), A::Error> {
        let Values::List { item, .. } = &mut self.0.values else {
            return Err(second_look());
        };
        while sequence.next_element_seed(ValueSeed(item))?.is_some() {}
        taken(self.0.end_list())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let row = self.0.len();
        let Values::Struct(columns) = &mut self.0.values else {
            return Err(second_look());
        };
        let mut next = 0;
        while let Some(index) = map.next_key_seed(KeyIndex { items: columns, next })? {
            let Some(index) = index else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            next = index + 1;
            let column = &mut columns[index];
            if column.len() != row {
                return Err(second_look());
            }
            map.next_value_seed(ValueSeed(column))?;
        }
        for column in columns.iter_mut().filter(|column| column.len() == row) {
            column.push_missing().map_err(|_| second_look())?;
        }
        self.0.note_value();
        Ok(())
    }
}

fn taken<E: Error>(fits: bool) -> Result<(), E> {
    if fits { Ok(()) } else { Err(second_look()) }
}
