//! The way from the top of a response body, or from a row, down to the rows below, in one streaming pass along a layout.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::plan::{AncestorField, AncestorRole, Items, RowsLayout};
use crate::rows::fields::{KeyIndex, Keyed};
use crate::rows::items::{ListSeed, OnlyItemSeed};
use crate::rows::page::{Page, Reading};
use crate::rows::quick::second_look;
use crate::rows::slot::{Above, Slot};

/// Reads a response body: an object with `data` in it.
pub(super) struct BodySeed<'s, 'p, 'de> {
    pub(super) page: &'s mut Page<'p, 'de>,
    pub(super) data: &'s AncestorField,
    pub(super) slots: &'s [Slot<'s>],
}

impl<'de> DeserializeSeed<'de> for BodySeed<'_, '_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let body = ObjectSeed {
            page: self.page,
            key: "the response",
            fields: std::slice::from_ref(self.data),
            list: None,
            above: Above::Body(self.slots),
        };
        deserializer.deserialize_map(body)
    }
}

/// Reads a value above rows, or one that holds them.
pub(super) struct RoleSeed<'s, 'p, 'de> {
    pub(super) page: &'s mut Page<'p, 'de>,
    pub(super) key: &'s str,
    pub(super) role: &'s AncestorRole,
    pub(super) above: Above<'s>,
}

impl<'de> DeserializeSeed<'de> for RoleSeed<'_, '_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let Self { page, key, role, above } = self;
        let (fields, list) = match role {
            AncestorRole::Ignored | AncestorRole::Columns(_) => {
                return IgnoredAny::deserialize(deserializer).map(drop);
            }
            AncestorRole::Object(fields) => (fields, None),
            AncestorRole::Only(fields) => {
                let only = OnlySeed {
                    page,
                    key,
                    fields,
                    above,
                };
                return deserializer.deserialize_any(only);
            }
            AncestorRole::Rows(layout) => match &layout.items {
                Items::Value | Items::Field { .. } => {
                    return OnlyItemSeed { page, layout, above }.deserialize(deserializer);
                }
                Items::List => return ListSeed { page, layout, above }.deserialize(deserializer),
                Items::Nodes { nodes: list, beside }
                | Items::Edges {
                    edges: list, beside, ..
                } => (beside, Some((list.as_str(), layout))),
            },
        };
        let object = ObjectSeed {
            page,
            key,
            fields,
            list,
            above,
        };
        object.deserialize(deserializer)
    }
}

/// Reads a list of at most one object above rows.
struct OnlySeed<'s, 'p, 'de> {
    page: &'s mut Page<'p, 'de>,
    key: &'s str,
    fields: &'s [AncestorField],
    above: Above<'s>,
}

impl<'de> Visitor<'de> for OnlySeed<'_, '_, 'de> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "a list under `{}`", self.key)
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.page.note_absent(self.fields);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<(), A::Error> {
        let Self {
            page,
            key,
            fields,
            above,
        } = self;
        let object = ObjectSeed {
            page: &mut *page,
            key,
            fields,
            list: None,
            above,
        };
        if sequence.next_element_seed(object)?.is_none() {
            page.note_absent(fields);
            return Ok(());
        }
        match sequence.next_element::<IgnoredAny>()? {
            Some(_) => Err(A::Error::custom(format!("more than one object under `{key}`"))),
            None => Ok(()),
        }
    }
}

/// Reads an object above rows.
struct ObjectSeed<'s, 'p, 'de> {
    page: &'s mut Page<'p, 'de>,
    key: &'s str,
    fields: &'s [AncestorField],
    /// The object is a connection, with its list under this key.
    list: Option<(&'s str, &'s RowsLayout)>,
    above: Above<'s>,
}

impl<'de> DeserializeSeed<'de> for ObjectSeed<'_, '_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ObjectSeed<'_, '_, 'de> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "an object under `{}`", self.key)
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.page.note_absent(self.fields);
        if let Some((_, layout)) = self.list {
            self.page.counts[layout.table].null_lists += 1;
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let rows_before = self.rows_before();
        let members: Vec<_> = self.members().collect();
        let mut seen = vec![false; members.len()];
        let mut held: Vec<Option<&'de str>> = vec![None; members.len()];
        let mut next = 0;
        while let Some(index) = map.next_key_seed(KeyIndex { items: &members, next })? {
            let Some(index) = index else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            next = index + 1;
            if std::mem::replace(&mut seen[index], true) {
                return Err(A::Error::custom(format!(
                    "`{}` stands twice in one object",
                    members[index].key()
                )));
            }
            let page = &mut *self.page;
            let above = self.above.of_field(index);
            match members[index] {
                Member::Field(field) => held[index] = read_field(page, field, above, &mut map)?,
                Member::List(_, layout) => map.next_value_seed(ListSeed { page, layout, above })?,
            }
        }
        for (member, _) in members.iter().zip(&seen).filter(|(_, seen)| !**seen) {
            match member {
                Member::Field(field) => self.page.note_absent(std::slice::from_ref(field)),
                Member::List(_, layout) => self.page.counts[layout.table].null_lists += 1,
            }
        }
        settle(self.page, &members, &held, &rows_before)
    }
}

impl<'s> ObjectSeed<'s, '_, '_> {
    fn members(&self) -> impl Iterator<Item = Member<'s>> + use<'s> {
        let list = self.list.map(|(key, layout)| Member::List(key, layout));
        self.fields.iter().map(Member::Field).chain(list)
    }

    /// The rows in each table by now; nothing where no field is a column of the rows to come.
    fn rows_before(&self) -> Vec<usize> {
        let is_column = |field: &AncestorField| matches!(field.role, AncestorRole::Columns(_));
        if self.fields.iter().any(is_column) {
            self.page.rows()
        } else {
            Vec::new()
        }
    }
}

/// What an object above rows holds.
#[derive(Clone, Copy)]
enum Member<'s> {
    Field(&'s AncestorField),
    List(&'s str, &'s RowsLayout),
}

impl Keyed for Member<'_> {
    fn key(&self) -> &str {
        match self {
            Self::Field(field) => &field.key,
            Self::List(key, _) => key,
        }
    }
}

/// Reads a field of an object above rows; the text of a value that becomes a column is handed back.
fn read_field<'de, A: MapAccess<'de>>(
    page: &mut Page<'_, 'de>,
    field: &AncestorField,
    above: Above<'_>,
    map: &mut A,
) -> Result<Option<&'de str>, A::Error> {
    if let AncestorRole::Columns(_) = field.role {
        return Ok(Some(map.next_value::<&RawValue>()?.get()));
    }
    let (key, role) = (field.key.as_str(), &field.role);
    map.next_value_seed(RoleSeed { page, key, role, above })?;
    Ok(None)
}

/// Adds what was held of an object to the rows that were read within it.
fn settle<E: Error>(
    page: &mut Page<'_, '_>,
    members: &[Member<'_>],
    held: &[Option<&str>],
    rows_before: &[usize],
) -> Result<(), E> {
    for (member, raw) in members.iter().zip(held) {
        let Member::Field(AncestorField {
            role: AncestorRole::Columns(places),
            ..
        }) = member
        else {
            continue;
        };
        for place in places {
            let from = rows_before[place.table];
            let Err(misfit) = page.repeat(place.table, place.column, from, *raw) else {
                continue;
            };
            if page.reading == Reading::Quick {
                return Err(second_look());
            }
            page.reject_since(place.table, from, &misfit).map_err(E::custom)?;
        }
    }
    Ok(())
}
