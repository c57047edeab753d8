//! The items of a page, as the engine sees them: counted, or, where rows below may have to be read on, looked into.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

use crate::plan::{AncestorRole, Cell, CellRole, Items as At, RowAddress, RowId, RowsLayout};
use crate::rows::{key_id, position_id};
use crate::run::harvest::{FoundPage, Key, Keys, Place, RoleSeed, Walk};

/// The list of a page's items, or the one item.
pub(crate) struct Items<'walk, 'plan> {
    pub(crate) layout: &'walk RowsLayout,
    pub(crate) walk: &'walk mut Walk<'plan>,
    pub(crate) place: &'walk Place,
    pub(crate) page: &'walk mut FoundPage,
}

impl<'de> DeserializeSeed<'de> for Items<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if self.layout.items == At::Value {
            self.page.rows = 1;
            return deserializer.deserialize_any(IgnoredAny).map(drop);
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Items<'_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "a list at `{}`", self.place.path)
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.page.is_null |= self.layout.items == At::List;
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        self.page.has_items = true;
        let look = self
            .walk
            .looks
            .get(self.page.connection)
            .filter(|_| self.layout.page.is_some())
            .cloned();
        let look = look.unwrap_or_default();
        let mut reader = ItemReader {
            layout: self.layout,
            place: self.place,
            index: 0,
            cursor_before: None,
            holds_rows: has_rows_below(&self.layout.row.cells),
        };
        let looks_below = reader.holds_rows || look.key.is_some();
        let mut digest = look.digest.then(Sha256::new);
        // The key of its first row tells a page apart, whatever its size; without keys all that is in it has to.
        let mut wants_id = look.digest && self.page.has_keys;
        while let Some(raw) = items.next_element::<&'de RawValue>()? {
            if let Some(digest) = digest.as_mut().filter(|_| !self.page.has_keys) {
                digest.update(raw.get());
                digest.update([0]);
            }
            if !looks_below && !wants_id {
                reader.index += 1;
                continue;
            }
            let item = reader
                .read(raw, look.key.as_deref(), &mut *self.walk)
                .map_err(A::Error::custom)?;
            self.page.note_key(item.paging_key);
            if let (Some(digest), Some(id)) = (digest.as_mut().filter(|_| wants_id), item.id) {
                digest.update(id);
                wants_id = false;
            }
        }
        self.page.rows = reader.index;
        self.page.digest = digest.filter(|_| !wants_id).map(|digest| {
            let hash = digest.finalize();
            hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
        });
        Ok(())
    }
}

impl FoundPage {
    /// Notes the value of the next row by which the page behind it would be asked for.
    fn note_key(&mut self, key: Option<Value>) {
        let Some(key) = key else { return };
        self.has_equal_keys |= !key.is_null() && self.last_key.as_ref() == Some(&key);
        self.last_key = Some(key);
    }
}

fn has_rows_below(cells: &[Cell]) -> bool {
    cells.iter().any(|cell| match &cell.role {
        CellRole::Below { .. } => true,
        CellRole::Flattened(cells) => has_rows_below(cells),
        CellRole::Ignored | CellRole::Column(_) => false,
    })
}

/// What was seen of an item.
#[derive(Default)]
struct SeenItem {
    /// The value by which the page behind it is asked for.
    paging_key: Option<Value>,
    /// Its `_id`.
    id: Option<String>,
}

/// Reads the items of one page, one after the other.
struct ItemReader<'walk> {
    layout: &'walk RowsLayout,
    place: &'walk Place,
    /// Items before, in this page.
    index: u64,
    /// The cursor of the edge before, in this page.
    cursor_before: Option<Value>,
    /// Whether there are rows of other tables in the items.
    holds_rows: bool,
}

/// The members of an object, each still as its text.
struct Members<'de>(Vec<(Cow<'de, str>, &'de RawValue)>);

impl<'de> Members<'de> {
    fn parse(raw: &'de RawValue) -> serde_json::Result<Self> {
        serde_json::from_str(raw.get())
    }

    fn get(&self, key: &str) -> Option<&'de RawValue> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, raw)| *raw)
    }
}

impl<'de> serde::Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MembersVisitor;
        impl<'de> Visitor<'de> for MembersVisitor {
            type Value = Members<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                let mut keys = Keys::default();
                while let Some(Key(key)) = map.next_key()? {
                    keys.note(key.clone())?;
                    members.push((key, map.next_value()?));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(MembersVisitor)
    }
}

impl ItemReader<'_> {
    /// Looks into an item.
    fn read(&mut self, raw: &RawValue, key: Option<&str>, walk: &mut Walk<'_>) -> serde_json::Result<SeenItem> {
        let cursor_before = self.cursor_before.take();
        let item = self.node(raw)?;
        self.index += 1;
        let Some(members) = item else {
            return Ok(SeenItem::default());
        };
        let id = self.id(&members);
        let paging_key = key
            .and_then(|key| members.get(key))
            .and_then(|raw| serde_json::from_str(raw.get()).ok());
        if self.holds_rows {
            let address = self.address(&members, cursor_before);
            let place = Place {
                parent: id.clone(),
                is_lost: address.is_none(),
                address: address.unwrap_or_default(),
                path: self.place.path.clone(),
                ..Place::default()
            };
            rows_below(&self.layout.row.cells, &members, &place, walk)?;
        }
        Ok(SeenItem { paging_key, id })
    }

    /// The item itself, out of its edge where it stands in one; `None` for null.
    fn node<'de>(&mut self, raw: &'de RawValue) -> serde_json::Result<Option<Members<'de>>> {
        if raw.get() == "null" {
            return Ok(None);
        }
        let members = Members::parse(raw)?;
        let At::Edges { node, cursor, .. } = &self.layout.items else {
            return Ok(Some(members));
        };
        let cursor = cursor.as_deref().and_then(|cursor| members.get(cursor));
        self.cursor_before = cursor.and_then(|raw| serde_json::from_str(raw.get()).ok());
        match members.get(node).filter(|raw| raw.get() != "null") {
            Some(raw) => Members::parse(raw).map(Some),
            None => Ok(None),
        }
    }

    /// The row's `_id`; `None` where it cannot be made.
    fn id(&self, members: &Members<'_>) -> Option<String> {
        match &self.layout.row.id {
            RowId::Cells(cells) => {
                let texts = cells
                    .iter()
                    .map(|cell| members.get(&self.layout.row.cells.get(*cell)?.key).map(RawValue::get));
                key_id(&texts.collect::<Vec<_>>())
            }
            RowId::Position { path } => {
                let parent = self.place.parent.as_deref().unwrap_or("");
                Some(position_id(parent, path, self.place.before + self.index - 1))
            }
        }
    }

    /// The values by which the row is asked for again, none where nothing below it needs that; `None` where it lacks them.
    fn address(&self, members: &Members<'_>, cursor_before: Option<Value>) -> Option<Vec<Option<Value>>> {
        let own = self.place.before + self.index - 1;
        let Some(address) = self.layout.row.address else {
            return Some(Vec::new());
        };
        let place = match address {
            RowAddress::Cell(cell) => {
                let raw = members.get(&self.layout.row.cells.get(cell)?.key)?;
                let key: Value = serde_json::from_str(raw.get()).ok()?;
                return (!key.is_null()).then(|| vec![Some(key)]);
            }
            RowAddress::EdgeCursor if self.index == 1 => self.place.position.clone(),
            // Some APIs give all edges of a page one cursor: it leads behind the page.
            RowAddress::EdgeCursor if cursor_before == self.cursor_before => return None,
            RowAddress::EdgeCursor => Some(cursor_before.filter(|cursor| !cursor.is_null())?),
            RowAddress::Offset => Some(own.into()),
            RowAddress::Page { first } => Some((own + first).into()),
        };
        let above = (!self.place.is_lost).then_some(&self.place.address)?;
        Some(above.iter().cloned().chain([place]).collect())
    }
}

/// Harvests the rows that stand in an item.
fn rows_below(cells: &[Cell], members: &Members<'_>, place: &Place, walk: &mut Walk<'_>) -> serde_json::Result<()> {
    for cell in cells {
        let raw = members.get(&cell.key);
        match &cell.role {
            CellRole::Below { below, .. } => harvest_below(below, raw, place.below(&cell.key), walk)?,
            CellRole::Flattened(cells) => {
                if let Some(raw) = raw.filter(|raw| raw.get() != "null") {
                    rows_below(cells, &Members::parse(raw)?, &place.below(&cell.key), walk)?;
                }
            }
            CellRole::Ignored | CellRole::Column(_) => {}
        }
    }
    Ok(())
}

fn harvest_below(
    role: &AncestorRole,
    raw: Option<&RawValue>,
    place: Place,
    walk: &mut Walk<'_>,
) -> serde_json::Result<()> {
    let text = raw.map_or("null", RawValue::get);
    let mut deserializer = serde_json::Deserializer::from_str(text);
    RoleSeed { role, walk, place }.deserialize(&mut deserializer)
}
