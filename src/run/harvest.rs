//! What the engine takes from a response at once: how many rows came, how the paging goes on, and which rows hold
//! connections that have more.
//!
//! Read in the same pass that checks the body, along the layout by which the rows are decoded later. Rows that hold no
//! connection are counted and skipped.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::ops::Range;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::plan::{AncestorField, AncestorRole, Layout, RowId, RowsLayout, Signal};
use crate::run::items::Items;
use crate::run::known::KnownBy;
use crate::state::{Address, RowKey, StoredSlot, Task};

/// What a response holds, as far as the engine cares.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Harvest {
    /// The pages in it, each once for every row that holds one.
    pub(crate) pages: Vec<FoundPage>,
    /// Rows outside of connections.
    pub(crate) plain_rows: u64,
    /// Row fields that should be there and are not.
    pub(crate) missing: Vec<Missing>,
    /// Row fields that are null though they were asked for, or objects around them, above all other rows.
    pub(crate) outer_nulls: Vec<Missing>,
    /// Slots whose row is another one than was meant, or is gone.
    pub(crate) strangers: Vec<usize>,
    /// Slots whose own field is null.
    pub(crate) null_slots: Vec<usize>,
    /// Rows by the slot in whose answer they stand.
    pub(crate) slot_rows: BTreeMap<usize, u64>,
}

/// A row field, or an object above it, that should be there and is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Missing {
    /// The slot that it belongs to, where pages were asked for.
    pub(crate) slot: Option<usize>,
    /// Its response path.
    pub(crate) path: String,
}

/// A page of a connection.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct FoundPage {
    /// The slot that it answers, for a page that was asked for; `None` for a first page within the page of a parent.
    pub(crate) slot: Option<usize>,
    /// The slot in whose answer it stands; `None` for the first pages of everything.
    pub(crate) origin: Option<usize>,
    /// Index into the plan's connections.
    pub(crate) connection: usize,
    /// The `_id` of the row that holds the connection.
    pub(crate) parent: Option<String>,
    /// How that row is asked for again.
    pub(crate) address: Address,
    /// The places in their lists of the items in which it stands, from the outermost one of its slot.
    pub(crate) indexes: Vec<u64>,
    /// That row cannot be asked for again: it lacks what would tell it.
    pub(crate) is_lost: bool,
    /// That row is asked for again by its place, or one above it is, and nothing is selected that would tell it from
    /// another one.
    pub(crate) is_unknown: bool,
    /// Items in it.
    pub(crate) rows: u64,
    /// Index of the plan's table that they are rows of.
    pub(crate) table: usize,
    /// Items of that table before them in the response.
    pub(crate) first_ordinal: u64,
    /// What each item is told by when it comes again; nothing for one that has no key. Empty where rows have none.
    pub(crate) keys: Vec<Option<RowKey>>,
    /// What stands in each item; empty where items hold no rows.
    pub(crate) inner: Vec<Inner>,
    /// Items that are in it before, by their keys.
    pub(crate) doubles: Vec<usize>,
    /// Those of them that are not like the first item with their key.
    pub(crate) unlike_doubles: u64,
    /// Items in it that came before, in it or in another page.
    pub(crate) repeats: u64,
    /// Items at its end that are more than the author wants.
    pub(crate) surplus: u64,
    /// The places in it of items that are null, or edges without a node.
    pub(crate) null_items: Vec<u64>,
    /// Items in it that are given up, since something of them cannot be read.
    pub(crate) given_up: u64,
    /// It stands in an item that came before or is given up, or in a page that is not what was asked for.
    pub(crate) is_left_out: bool,
    /// Whether it says that there are more; `None` where it does not say.
    pub(crate) has_next: Option<bool>,
    /// The cursor of the next page; null and nothing are the same.
    pub(crate) end_cursor: Option<Value>,
    /// Rows that the connection has in all.
    pub(crate) total: Option<u64>,
    /// Pages that the connection has in all.
    pub(crate) page_count: Option<u64>,
    /// The value by which the page behind it is asked for, where that is one of its last row.
    pub(crate) last_key: Option<Value>,
    /// Rows that follow each other have the same such value.
    pub(crate) has_equal_keys: bool,
    /// Tells pages apart, where their position does not.
    pub(crate) digest: Option<String>,
    /// Whether its rows have keys, by which two are told apart.
    pub(crate) has_keys: bool,
    /// Whether rows with the same key are the same row: where the edge is part of the row, a node can be in several.
    pub(crate) are_keys_unique: bool,
    /// The connection, or an object above it, is null: it has no rows.
    pub(crate) is_null: bool,
    /// It is the connection itself that is null, in an object that is there.
    pub(crate) is_itself_null: bool,
    /// Its list of items is there.
    pub(crate) has_items: bool,
    /// It is yet to be asked for, by the address of the row that holds it.
    pub(crate) is_detached: bool,
    /// It is not there at all: a condition ruled it out, or it is among what is missing.
    pub(crate) is_ruled_out: bool,
}

/// What stands in an item.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Inner {
    /// Its pages: indices into the harvest's.
    pub(crate) pages: Range<usize>,
    /// Items of each table before it in the response, and with it, by table.
    pub(crate) ordinals: [Vec<u64>; 2],
}

/// What of the rows of a connection the engine has to look at, by connection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Look {
    /// The response key of the value in each row by which the next page is asked for.
    pub(crate) key: Option<String>,
    /// Whether pages are told apart by what is in them.
    pub(crate) digest: bool,
}

/// Reads `data` along a layout.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HarvestSeed<'plan> {
    pub(crate) layout: &'plan Layout,
    /// What the root fields answer; none for the first pages of everything.
    pub(crate) slots: &'plan [SlotPlace],
    pub(crate) looks: &'plan [Look],
}

/// What a root field answers, and where it belongs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SlotPlace {
    pub(crate) slot: StoredSlot,
    /// How the row that holds the connection is asked for again.
    pub(crate) address: Address,
    /// Where the page begins.
    pub(crate) position: Option<Value>,
}

impl SlotPlace {
    /// What the page of a task answers, and where it belongs.
    pub(crate) fn of(task: &Task) -> Self {
        Self {
            slot: StoredSlot::of(task),
            address: task.address.clone(),
            position: task.position.clone(),
        }
    }
}

/// Where a value of a response belongs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Place {
    pub(crate) slot: Option<usize>,
    /// The slot in whose answer it stands.
    pub(crate) origin: Option<usize>,
    pub(crate) parent: Option<String>,
    pub(crate) address: Address,
    /// The places in their lists of the items around it.
    pub(crate) indexes: Vec<u64>,
    /// The row that holds the connection cannot be asked for again.
    pub(crate) is_lost: bool,
    /// It is asked for by its place, and nothing is selected that would tell it from another one.
    pub(crate) is_unknown: bool,
    /// Nothing stands there: it is not asked for of this item, or a condition ruled it out.
    pub(crate) is_absent: bool,
    pub(crate) position: Option<Value>,
    pub(crate) before: u64,
    pub(crate) path: String,
}

impl Place {
    fn of(slots: &[SlotPlace], index: usize) -> Self {
        slots.get(index).map_or_else(Self::default, |place| Self {
            slot: Some(index),
            origin: Some(index),
            parent: place.slot.parent.clone(),
            address: place.address.clone(),
            position: place.position.clone(),
            before: place.slot.before,
            ..Self::default()
        })
    }

    pub(crate) fn below(&self, key: &str) -> Self {
        let path = if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        };
        Self { path, ..self.clone() }
    }
}

impl<'de> DeserializeSeed<'de> for HarvestSeed<'_> {
    type Value = Harvest;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Harvest, D::Error> {
        let mut walk = Walk {
            harvest: Harvest::default(),
            looks: self.looks,
            ordinals: Vec::new(),
        };
        match &self.layout.data.role {
            AncestorRole::Object(fields) => ObjectSeed {
                fields,
                walk: &mut walk,
                places: &|index, key| Place::of(self.slots, index).below(key),
                place: &Place::default(),
            }
            .deserialize(deserializer)?,
            role => RoleSeed {
                role,
                walk: &mut walk,
                place: Place::of(self.slots, 0),
            }
            .deserialize(deserializer)?,
        }
        Ok(walk.harvest)
    }
}

/// A pass over one response.
pub(crate) struct Walk<'plan> {
    pub(crate) harvest: Harvest,
    pub(crate) looks: &'plan [Look],
    /// Items so far, by table.
    pub(crate) ordinals: Vec<u64>,
}

impl Walk<'_> {
    /// Items of a table so far.
    pub(crate) fn ordinal(&mut self, table: usize) -> &mut u64 {
        if self.ordinals.len() <= table {
            self.ordinals.resize(table + 1, 0);
        }
        &mut self.ordinals[table]
    }

    /// What stands in an item that begins here; nothing yet.
    pub(crate) fn inner(&self) -> Inner {
        let page = self.harvest.pages.len();
        Inner {
            pages: page..page,
            ordinals: [self.ordinals.clone(), self.ordinals.clone()],
        }
    }

    /// Ends an item here.
    pub(crate) fn close(&self, inner: &mut Inner) {
        inner.pages.end = self.harvest.pages.len();
        inner.ordinals[1].clone_from(&self.ordinals);
    }

    /// Notes that the value at this place is null, if it is that of a slot's own field.
    fn note_null_slot(&mut self, place: &Place) {
        if let Some(slot) = place.slot.filter(|_| !place.path.contains('.')) {
            self.harvest.null_slots.push(slot);
        }
    }

    /// Notes that the value at this place is null, in which all rows of an answer stand.
    pub(crate) fn note_outer_null(&mut self, place: &Place) {
        if place.indexes.is_empty() {
            let Place { slot, path, .. } = place.clone();
            self.harvest.outer_nulls.push(Missing { slot, path });
        }
    }

    fn note_null(&mut self, role: &AncestorRole, place: &Place, is_ruled_out: bool) {
        match role {
            AncestorRole::Object(fields) | AncestorRole::Only(fields) => {
                for field in fields {
                    self.note_null(&field.role, &place.below(&field.key), is_ruled_out);
                }
            }
            AncestorRole::Rows(layout) => {
                if let Some(page) = &layout.page {
                    self.harvest.pages.push(FoundPage {
                        connection: page.connection,
                        is_null: true,
                        is_ruled_out,
                        ..found(place)
                    });
                }
            }
            AncestorRole::Ignored | AncestorRole::Columns(_) => {}
        }
    }
}

impl FoundPage {
    /// Rows that did not come before.
    pub(crate) fn new_rows(&self) -> u64 {
        self.rows.saturating_sub(self.repeats)
    }
}

pub(crate) fn found(place: &Place) -> FoundPage {
    FoundPage {
        slot: place.slot,
        origin: place.origin,
        parent: place.parent.clone(),
        address: place.address.clone(),
        indexes: place.indexes.clone(),
        is_lost: place.is_lost,
        is_unknown: place.is_unknown,
        ..FoundPage::default()
    }
}

/// A value with what it is for.
pub(crate) struct RoleSeed<'walk, 'plan> {
    pub(crate) role: &'walk AncestorRole,
    pub(crate) walk: &'walk mut Walk<'plan>,
    pub(crate) place: Place,
}

impl<'de> DeserializeSeed<'de> for RoleSeed<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let Self { role, walk, place } = self;
        let places = |_: usize, key: &str| place.below(key);
        match role {
            AncestorRole::Ignored | AncestorRole::Columns(_) => {
                deserializer.deserialize_ignored_any(IgnoredAny).map(drop)
            }
            AncestorRole::Object(fields) => {
                let (places, place) = (&places, &place);
                ObjectSeed {
                    fields,
                    walk,
                    places,
                    place,
                }
                .deserialize(deserializer)
            }
            AncestorRole::Only(fields) => {
                let (places, place) = (&places, &place);
                OnlySeed(ObjectSeed {
                    fields,
                    walk,
                    places,
                    place,
                })
                .deserialize(deserializer)
            }
            AncestorRole::Rows(layout) => RowsSeed { layout, walk, place }.deserialize(deserializer),
        }
    }
}

/// An object on the way to row fields.
struct ObjectSeed<'walk, 'plan> {
    fields: &'walk [AncestorField],
    walk: &'walk mut Walk<'plan>,
    /// Where the value of the field of an index belongs.
    places: &'walk dyn Fn(usize, &str) -> Place,
    place: &'walk Place,
}

impl<'de> DeserializeSeed<'de> for ObjectSeed<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ObjectSeed<'_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "an object at `{}`", self.place.path)
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.walk.note_null_slot(self.place);
        if self.fields.iter().any(|field| leads_to_rows(&field.role)) {
            self.walk.note_outer_null(self.place);
        }
        for (index, field) in self.fields.iter().enumerate() {
            let place = (self.places)(index, &field.key);
            self.walk.note_null(&field.role, &place, false);
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let mut seen = vec![false; self.fields.len()];
        let mut keys = Keys::default();
        let mut known_by = KnownBy::of(self.fields);
        while let Some(Key(key)) = members.next_key()? {
            keys.note(key.clone())?;
            let Some(index) = self.fields.iter().position(|field| field.key == key) else {
                members.next_value::<IgnoredAny>()?;
                continue;
            };
            seen[index] = true;
            let field = &self.fields[index];
            let role = RoleSeed {
                role: &field.role,
                walk: &mut *self.walk,
                place: (self.places)(index, &key),
            };
            if field.tells.is_empty() {
                members.next_value_seed(role)?;
                continue;
            }
            let raw = members.next_value::<&RawValue>()?.get();
            known_by.set(&field.tells, raw);
            role.deserialize(&mut serde_json::Deserializer::from_str(raw))
                .map_err(A::Error::custom)?;
        }
        for (index, field) in self.fields.iter().enumerate().filter(|(index, _)| !seen[*index]) {
            // What a condition left out has no rows, like what is null.
            let place = (self.places)(index, &field.key);
            self.walk.note_null(&field.role, &place, true);
            if !field.is_optional && leads_to_rows(&field.role) {
                let Place { slot, path, .. } = place;
                self.walk.harvest.missing.push(Missing { slot, path });
            }
        }
        let is_meant = known_by.is_of(self.place.parent.as_deref(), &self.place.address);
        if let (Some(slot), false) = (self.place.slot, is_meant) {
            self.walk.harvest.strangers.push(slot);
        }
        Ok(())
    }
}

fn leads_to_rows(role: &AncestorRole) -> bool {
    match role {
        AncestorRole::Object(fields) | AncestorRole::Only(fields) => {
            fields.iter().any(|field| leads_to_rows(&field.role))
        }
        AncestorRole::Rows(_) => true,
        AncestorRole::Ignored | AncestorRole::Columns(_) => false,
    }
}

/// A list of at most one object.
struct OnlySeed<'walk, 'plan>(ObjectSeed<'walk, 'plan>);

impl<'de> DeserializeSeed<'de> for OnlySeed<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for OnlySeed<'_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "a list of one object at `{}`", self.0.place.path)
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.0.visit_unit()
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let ObjectSeed {
            fields,
            walk,
            places,
            place,
        } = self.0;
        let first = ObjectSeed {
            fields,
            walk: &mut *walk,
            places,
            place,
        };
        if items.next_element_seed(first)?.is_none() {
            return ObjectSeed {
                fields,
                walk,
                places,
                place,
            }
            .visit_unit();
        }
        match items.next_element::<IgnoredAny>()? {
            None => Ok(()),
            Some(_) => Err(A::Error::custom(format_args!(
                "more than one object at `{}`",
                place.path
            ))),
        }
    }
}

/// The value of a row field.
struct RowsSeed<'walk, 'plan> {
    layout: &'walk RowsLayout,
    walk: &'walk mut Walk<'plan>,
    place: Place,
}

impl<'de> DeserializeSeed<'de> for RowsSeed<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        use crate::plan::Items as At;
        let Self { layout, walk, place } = self;
        let has_keys = matches!(layout.row.id, RowId::Key(_));
        let has_edge_cells = matches!(&layout.items, At::Edges { edge_cells, .. } if !edge_cells.is_empty());
        let mut page = FoundPage {
            connection: layout.page.as_ref().map_or(0, |page| page.connection),
            has_keys,
            are_keys_unique: has_keys && !has_edge_cells,
            table: layout.table,
            ..found(&place)
        };
        let items = Items {
            layout,
            walk: &mut *walk,
            place: &place,
            page: &mut page,
        };
        match &layout.items {
            At::Value | At::Field { .. } | At::List => items.deserialize(deserializer)?,
            At::Nodes { nodes: list, .. } | At::Edges { edges: list, .. } => {
                PageSeed { items, list, path: &[] }.deserialize(deserializer)?;
            }
        }
        page.is_itself_null = page.is_null && !place.is_absent;
        if page.is_null {
            walk.note_null_slot(&place);
        }
        if page.is_itself_null {
            walk.note_outer_null(&place);
        }
        if let Some(origin) = place.origin {
            *walk.harvest.slot_rows.entry(origin).or_default() += page.rows;
        }
        match &layout.page {
            Some(_) => walk.harvest.pages.push(page),
            None => walk.harvest.plain_rows += page.rows,
        }
        Ok(())
    }
}

/// An object around a page's items, or one inside it that says how the paging goes on.
struct PageSeed<'walk, 'plan, 'path> {
    items: Items<'walk, 'plan>,
    list: &'walk str,
    /// Response keys from the field's value.
    path: &'path [&'path str],
}

impl<'de> DeserializeSeed<'de> for PageSeed<'_, '_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for PageSeed<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "a connection at `{}`", self.items.place.path)
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        if self.path.is_empty() {
            self.items.page.is_null = true;
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let Self { items, list, path } = self;
        let signals: &[_] = items.layout.page.as_ref().map_or(&[], |page| page.signals.as_slice());
        let mut keys = Keys::default();
        let mut has_list = items.layout.page.as_ref().is_some_and(|page| page.are_items_optional);
        while let Some(Key(key)) = members.next_key()? {
            keys.note(key.clone())?;
            let own_path = [path, &[&*key]].concat();
            let is_here = |signal: &&crate::plan::SignalPlace| {
                signal.path.iter().map(String::as_str).eq(own_path.iter().copied())
            };
            let leads_there = |signal: &crate::plan::SignalPlace| {
                signal.path.len() > own_path.len() && signal.path.iter().zip(&own_path).all(|(one, other)| one == other)
            };
            if path.is_empty() && key == list {
                let seed = Items {
                    layout: items.layout,
                    walk: &mut *items.walk,
                    place: items.place,
                    page: &mut *items.page,
                };
                members.next_value_seed(seed)?;
                has_list |= items.page.has_items;
            } else if let Some(place) = signals.iter().find(is_here) {
                let value = members.next_value::<Value>()?;
                note_signal(items.page, place.signal, value);
            } else if signals.iter().any(leads_there) {
                let inner = Items {
                    layout: items.layout,
                    walk: &mut *items.walk,
                    place: items.place,
                    page: &mut *items.page,
                };
                members.next_value_seed(PageSeed {
                    items: inner,
                    list,
                    path: &own_path,
                })?;
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        if path.is_empty() {
            items.page.has_items = has_list;
        }
        Ok(())
    }
}

fn note_signal(page: &mut FoundPage, signal: Signal, value: Value) {
    match signal {
        Signal::HasNext => page.has_next = value.as_bool(),
        Signal::EndCursor => {
            page.end_cursor = match value {
                Value::Null | Value::Array(_) | Value::Object(_) => None,
                Value::String(text) if text.is_empty() => None,
                value => Some(value),
            }
        }
        Signal::Total => page.total = total(&value),
        Signal::PageCount => page.page_count = number(&value),
    }
}

/// A total. One that no list can hold is kept as far as a number goes, for it is more than the rows that come, and said so.
fn total(value: &Value) -> Option<u64> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    // -1 without its sign.
    if text == u64::MAX.to_string() {
        return None;
    }
    number(value).or_else(|| {
        let is_beyond = text.parse().is_ok_and(|number: f64| number >= MOST as f64);
        is_beyond.then_some(MOST)
    })
}

/// What no list can hold is no count: -1 without its sign, for one.
const MOST: u64 = i64::MAX as u64;

/// A count, however it is written; nothing for what is none, as -1 where the number is not known.
fn number(value: &Value) -> Option<u64> {
    let whole = |number: f64| number >= 0.0 && number.fract() == 0.0;
    let number = match value {
        Value::String(text) => text.parse().ok(),
        value => {
            let rounded = || {
                value
                    .as_f64()
                    .filter(|number| whole(*number))
                    .map(|number| number as u64)
            };
            value.as_u64().or_else(rounded)
        }
    };
    number.filter(|number| *number < MOST)
}

/// The members of an object so far. One that occurs twice makes a body that can be read in two ways: it is refused
/// before anything is made of it.
#[derive(Default)]
pub(crate) struct Keys<'de> {
    /// The first ones: objects are small, and a few names are compared faster than they are hashed.
    few: Vec<Cow<'de, str>>,
    /// The others: a body of nothing but members must not be compared each with each.
    many: HashSet<Cow<'de, str>>,
}

/// Members that are compared one by one.
const FEW_MEMBERS: usize = 32;

impl<'de> Keys<'de> {
    pub(crate) fn note<E: serde::de::Error>(&mut self, key: Cow<'de, str>) -> Result<(), E> {
        if self.few.contains(&key) || self.many.contains(&key) {
            return Err(E::custom(format_args!("the member `{key}` occurs twice")));
        }
        if self.few.len() < FEW_MEMBERS {
            self.few.push(key);
        } else {
            self.many.insert(key);
        }
        Ok(())
    }
}

/// A member's name, borrowed where it has no escapes.
pub(crate) struct Key<'de>(pub(crate) Cow<'de, str>);

impl<'de> serde::Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;
        impl<'de> Visitor<'de> for KeyVisitor {
            type Value = Key<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a member's name")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(KeyVisitor)
    }
}
