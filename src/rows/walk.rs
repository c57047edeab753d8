//! The way from the top of a response body down to its rows, in one streaming pass along a layout.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::plan::{AncestorField, AncestorRole, Items, RowsLayout};
use crate::rows::fields::{KeyIndex, Keyed};
use crate::rows::items::{ListSeed, OnlyItemSeed};
use crate::rows::page::{Page, Reading};
use crate::rows::quick::second_look;

/// Reads a response body: an object with `data` in it.
pub(super) struct BodySeed<'s, 'p, 'de> {
    pub(super) page: &'s mut Page<'p, 'de>,
    pub(super) data: &'s AncestorField,
}

impl<'de> DeserializeSeed<'de> for BodySeed<'_, '_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let body = ObjectSeed {
            page: self.page,
            key: "the response",
            fields: std::slice::from_ref(self.data),
            list: None,
        };
        deserializer.deserialize_map(body)
    }
}

/// Reads an object above the rows.
struct ObjectSeed<'s, 'p, 'de> {
    page: &'s mut Page<'p, 'de>,
    key: &'s str,
    fields: &'s [AncestorField],
    /// The object is a connection, with its list under this key.
    list: Option<(&'s str, &'s RowsLayout)>,
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
        let rows_before = self.page.rows();
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
            match members[index] {
                Member::Field(field) => held[index] = read_field(self.page, field, &mut map)?,
                Member::List(_, layout) => map.next_value_seed(ListSeed {
                    page: self.page,
                    layout,
                })?,
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
}

/// What an object above the rows holds.
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

/// Reads a field of an object above the rows; the text of a value that becomes a column is handed back.
fn read_field<'de, A: MapAccess<'de>>(
    page: &mut Page<'_, 'de>,
    field: &AncestorField,
    map: &mut A,
) -> Result<Option<&'de str>, A::Error> {
    match &field.role {
        AncestorRole::Ignored => map.next_value::<IgnoredAny>().map(|_| None),
        AncestorRole::Columns(_) => Ok(Some(map.next_value::<&RawValue>()?.get())),
        AncestorRole::Object(fields) => {
            let (key, list) = (field.key.as_str(), None);
            map.next_value_seed(ObjectSeed {
                page,
                key,
                fields,
                list,
            })
            .map(|()| None)
        }
        AncestorRole::Rows(layout) => {
            let key = field.key.as_str();
            match &layout.items {
                Items::Value => map.next_value_seed(OnlyItemSeed { page, layout })?,
                Items::List => map.next_value_seed(ListSeed { page, layout })?,
                Items::Nodes { nodes: list, beside }
                | Items::Edges {
                    edges: list, beside, ..
                } => {
                    let (fields, list) = (beside, Some((list.as_str(), layout)));
                    map.next_value_seed(ObjectSeed {
                        page,
                        key,
                        fields,
                        list,
                    })?;
                }
            }
            Ok(None)
        }
    }
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
