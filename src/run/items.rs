//! The items of a page, as the engine sees them: counted, or, where rows below may have to be read on, looked into.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use serde::Deserialize as _;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

use crate::plan::{AncestorRole, Cell, CellRole, Items as At, RowAddress, RowId, RowsLayout, ValuePlace};
use crate::rows::{key_id, position_id, text_at};
use crate::run::harvest::{FoundPage, Inner, Key, Keys, Place, RoleSeed, Walk, found};
use crate::run::key_seed::{KeyPlace, key_texts};
use crate::run::known::{hash_text, row_mark};
use crate::state::{Address, ROW_KEY_BYTES, RowKey, RowMark};

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
        if matches!(self.layout.items, At::Value | At::Field { .. }) {
            *self.walk.ordinal(self.layout.table) += 1;
            let is_null = match self.layout.items {
                At::Field { .. } => Option::<IgnoredAny>::deserialize(deserializer)?.is_none(),
                _ => deserializer.deserialize_any(Nothingness)?,
            };
            if is_null && self.place.slot.is_none() {
                self.walk.note_outer_null(self.place);
            }
            // What does not exist for one value of many is no row; alone it is one of nulls.
            self.page.is_null = is_null && self.place.slot.is_some();
            self.page.rows = u64::from(!self.page.is_null);
            return Ok(());
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
        let Self {
            layout,
            walk,
            place,
            page,
        } = self;
        page.has_items = true;
        page.first_ordinal = *walk.ordinal(layout.table);
        let look = layout.page.as_ref().and_then(|page| walk.looks.get(page.connection));
        let look = look.cloned().unwrap_or_default();
        let key_places = layout.page.as_ref().map_or_else(Vec::new, |_| key_places(layout));
        let mut reader = ItemReader {
            layout,
            place,
            index: 0,
            cursor_before: None,
            holds_rows: layout.row.cells.iter().any(Cell::holds_rows) || !layout.row.detached.is_empty(),
        };
        // The keys of its rows tell a page apart; without them all that is in it has to.
        let mut digest = (look.digest && !page.are_keys_unique).then(Sha256::new);
        let is_looked_into = reader.holds_rows || look.key.is_some() || digest.is_some();
        let mut known = HashMap::new();
        while let Some(raw) = items.next_element::<&'de RawValue>()? {
            *walk.ordinal(layout.table) += 1;
            if let Some(digest) = &mut digest {
                digest.update(raw.get());
                digest.update([0]);
            }
            let item = match is_looked_into {
                true => reader.read(raw, look.key.as_deref(), &mut *walk),
                false => reader.skip(raw, &key_places),
            };
            let item = item.map_err(A::Error::custom)?;
            if item.is_null {
                page.null_items.push(reader.index - 1);
            }
            page.note_key(item.paging_key);
            page.note_id(item.id.as_deref());
            page.note_double(layout, raw, &mut known);
            page.inner.extend(item.inner);
        }
        page.rows = reader.index;
        if look.digest && page.are_keys_unique {
            digest = Some(keys_digest(&page.keys));
        }
        page.digest = digest.map(hash_text);
        Ok(())
    }
}

/// Whether an answer holds nothing but nulls.
struct Nothingness;

impl<'de> Visitor<'de> for Nothingness {
    type Value = bool;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_unit<E>(self) -> Result<bool, E> {
        Ok(true)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<bool, A::Error> {
        let mut is_null = true;
        while members.next_key::<IgnoredAny>()?.is_some() {
            is_null &= members.next_value::<&RawValue>()?.get() == "null";
        }
        Ok(is_null)
    }
}

impl FoundPage {
    /// Notes what the next row is told by when it comes again.
    fn note_id(&mut self, id: Option<&str>) {
        if self.has_keys {
            self.keys.push(id.map(row_key));
        }
    }

    /// Notes it where the row that was noted last is in this page before, by its key: it is one row, and comes once.
    fn note_double<'de>(
        &mut self,
        layout: &RowsLayout,
        raw: &'de RawValue,
        known: &mut HashMap<RowKey, &'de RawValue>,
    ) {
        let Some(key) = self.keys.last().copied().flatten().filter(|_| self.are_keys_unique) else {
            return;
        };
        let Some(first) = known.insert(key, raw) else { return };
        known.insert(key, first);
        self.doubles.push(self.keys.len() - 1);
        self.unlike_doubles += u64::from(!is_same_row(layout, [first, raw]));
    }

    /// Notes the value of the next row by which the page behind it would be asked for.
    fn note_key(&mut self, key: Option<Value>) {
        let Some(key) = key else { return };
        self.has_equal_keys |= !key.is_null() && self.last_key.as_ref() == Some(&key);
        self.last_key = Some(key);
    }
}

/// Where the values stand that a row's `_id` is made of.
fn key_places(layout: &RowsLayout) -> Vec<KeyPlace<'_>> {
    let RowId::Key(places) = &layout.row.id else {
        return Vec::new();
    };
    let places = places.iter().filter_map(|place| {
        Some(KeyPlace {
            name: &layout.row.cells.get(place.cell)?.key,
            below: &place.below,
        })
    });
    places.collect()
}

/// The `_id` of an item of rows with keys; `None` where it is null or cannot be made.
pub(crate) fn item_id(layout: &RowsLayout, raw: &RawValue) -> serde_json::Result<Option<String>> {
    let texts = key_texts(raw, node_name(layout), &key_places(layout))?;
    Ok(key_id(&texts))
}

/// The value at a place of an item.
pub(crate) fn item_value(layout: &RowsLayout, raw: &RawValue, place: &ValuePlace) -> serde_json::Result<Option<Value>> {
    let Some(cell) = layout.row.cells.get(place.cell) else {
        return Ok(None);
    };
    let place = KeyPlace {
        name: &cell.key,
        below: &place.below,
    };
    let texts = key_texts(raw, node_name(layout), &[place])?;
    let text = texts.into_iter().flatten().next();
    text.map(serde_json::from_str).transpose()
}

/// Whether two items with the same key are alike in everything; of edges, in their nodes.
fn is_same_row(layout: &RowsLayout, items: [&RawValue; 2]) -> bool {
    let [one, other] = items.map(|raw| {
        let item = serde_json::from_str::<Value>(raw.get()).unwrap_or_default();
        match node_name(layout) {
            Some(node) => item.get(node).cloned().unwrap_or_default(),
            None => item,
        }
    });
    one == other
}

/// Whether an item is null, or an edge without a node.
fn is_nothing(layout: &RowsLayout, raw: &RawValue) -> bool {
    let has_no_node = |node: &str| {
        let members = Members::parse(raw);
        members.is_ok_and(|members| members.get(node).is_none_or(|node| node.get() == "null"))
    };
    raw.get() == "null" || node_name(layout).is_some_and(has_no_node)
}

/// The name under which an item stands in its edge.
fn node_name(layout: &RowsLayout) -> Option<&str> {
    match &layout.items {
        At::Edges { node, .. } => Some(node),
        At::Value | At::Field { .. } | At::List | At::Nodes { .. } => None,
    }
}

/// A hash of the keys of a page's rows.
fn keys_digest(keys: &[Option<RowKey>]) -> Sha256 {
    let mut digest = Sha256::new();
    keys.iter().for_each(|key| digest.update(key.unwrap_or_default()));
    digest
}

/// A hash of a row's `_id`.
fn row_key(id: &str) -> RowKey {
    let mut key = RowKey::default();
    key.copy_from_slice(&Sha256::digest(id)[..ROW_KEY_BYTES]);
    key
}

/// What was seen of an item.
#[derive(Default)]
struct SeenItem {
    /// The value by which the page behind it is asked for.
    paging_key: Option<Value>,
    /// Its `_id`.
    id: Option<String>,
    /// What stands in it, where that may be rows.
    inner: Option<Inner>,
    /// It is null, or an edge without a node.
    is_null: bool,
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
#[derive(Default)]
pub(crate) struct Members<'de>(pub(crate) Vec<(Cow<'de, str>, &'de RawValue)>);

impl<'de> Members<'de> {
    pub(crate) fn parse(raw: &'de RawValue) -> serde_json::Result<Self> {
        serde_json::from_str(raw.get())
    }

    pub(crate) fn get(&self, key: &str) -> Option<&'de RawValue> {
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
    /// Reads no more of an item than its key.
    fn skip(&mut self, raw: &RawValue, key_places: &[KeyPlace<'_>]) -> serde_json::Result<SeenItem> {
        self.index += 1;
        let id = match key_places {
            [] => None,
            places => key_id(&key_texts(raw, node_name(self.layout), places)?),
        };
        Ok(SeenItem {
            is_null: id.is_none() && is_nothing(self.layout, raw),
            id,
            ..SeenItem::default()
        })
    }

    /// Looks into an item.
    fn read(&mut self, raw: &RawValue, key: Option<&str>, walk: &mut Walk<'_>) -> serde_json::Result<SeenItem> {
        let cursor_before = self.cursor_before.take();
        let item = self.node(raw)?;
        self.index += 1;
        let mut inner = self.holds_rows.then(|| walk.inner());
        let Some(members) = item else {
            return Ok(SeenItem {
                inner,
                is_null: true,
                ..SeenItem::default()
            });
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
                is_unknown: self.is_unknown(),
                address: address.unwrap_or_default(),
                indexes: [self.place.indexes.as_slice(), &[self.index - 1]].concat(),
                origin: self.place.origin,
                path: self.place.path.clone(),
                ..Place::default()
            };
            rows_below(&self.layout.row.cells, &members, &place, walk)?;
            for connection in &self.layout.row.detached {
                walk.harvest.pages.push(FoundPage {
                    connection: *connection,
                    is_detached: true,
                    ..found(&place)
                });
            }
        }
        if let Some(inner) = &mut inner {
            walk.close(inner);
        }
        Ok(SeenItem {
            paging_key,
            id,
            inner,
            is_null: false,
        })
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
            RowId::Key(places) => key_id(&self.texts(places, members)),
            RowId::Position { path } => {
                let parent = self.place.parent.as_deref().unwrap_or("");
                Some(position_id(parent, path, self.place.before + self.index - 1))
            }
        }
    }

    /// How the row is asked for again, without any step where nothing below it needs that; `None` where it lacks them.
    fn address(&self, members: &Members<'_>, cursor_before: Option<Value>) -> Option<Address> {
        let own = self.place.before + self.index - 1;
        let Some(address) = &self.layout.row.address else {
            return Some(Address::default());
        };
        let place = match address {
            RowAddress::Value(place) => {
                let key: Value = serde_json::from_str(self.text(place, members)?).ok()?;
                return (!key.is_null()).then(|| Address {
                    values: vec![Some(key)],
                    marks: vec![None],
                });
            }
            RowAddress::EdgeCursor if self.index == 1 => self.place.position.clone(),
            // Some APIs give all edges of a page one cursor: it leads behind the page.
            RowAddress::EdgeCursor if cursor_before == self.cursor_before => return None,
            RowAddress::EdgeCursor => Some(cursor_before.filter(|cursor| !cursor.is_null())?),
            RowAddress::Offset => Some(own.into()),
            RowAddress::Page { first } => Some((own + first).into()),
        };
        let mut address = (!self.place.is_lost).then(|| self.place.address.clone())?;
        address.values.push(place);
        address.marks.push(self.mark(members));
        Some(address)
    }

    /// The JSON text of a value of the item.
    fn text<'de>(&self, place: &ValuePlace, members: &Members<'de>) -> Option<&'de str> {
        let cell = self.layout.row.cells.get(place.cell)?;
        text_at(members.get(&cell.key)?.get(), &place.below)
    }

    fn texts<'de>(&self, places: &[ValuePlace], members: &Members<'de>) -> Vec<Option<&'de str>> {
        places.iter().map(|place| self.text(place, members)).collect()
    }

    /// Whether another row at the place of this one, or of one above it by which it is found, would be taken for it.
    fn is_unknown(&self) -> bool {
        let row = &self.layout.row;
        let is_at_place = !matches!(row.address, None | Some(RowAddress::Value(_)));
        let is_unmarked = row.marks.is_empty() && matches!(row.id, RowId::Position { .. });
        is_at_place && (is_unmarked || self.place.is_unknown)
    }

    /// What the row is known by at its place; none where nothing is selected of it but rows.
    fn mark(&self, members: &Members<'_>) -> Option<RowMark> {
        let values = self.texts(&self.layout.row.marks, members);
        (!values.is_empty()).then(|| row_mark(&values))
    }
}

/// Harvests the rows that stand in an item.
fn rows_below(cells: &[Cell], members: &Members<'_>, place: &Place, walk: &mut Walk<'_>) -> serde_json::Result<()> {
    for cell in cells {
        let raw = members.get(&cell.key);
        match &cell.role {
            CellRole::Below { below, .. } => harvest_below(below, raw, place.below(&cell.key), walk)?,
            CellRole::Flattened(cells) => {
                // What is in an object that is null is null as well.
                let inner = raw.filter(|raw| raw.get() != "null").map(Members::parse);
                let inner = inner.transpose()?.unwrap_or_default();
                rows_below(cells, &inner, &place.below(&cell.key), walk)?;
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
    let place = Place {
        is_absent: raw.is_none(),
        ..place
    };
    let mut deserializer = serde_json::Deserializer::from_str(text);
    RoleSeed { role, walk, place }.deserialize(&mut deserializer)
}
