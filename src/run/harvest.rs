//! What the engine takes from a response at once: how many rows came, and how the paging goes on.
//!
//! Read in the same pass that checks the body; everything else in it is skipped, for the rows are decoded later.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::plan::{PageProbe, Probe, ProbeField, ProbeRole};

/// What a response holds, as far as the engine cares.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Harvest {
    /// A page for each connection that was asked for.
    pub(crate) pages: Vec<FoundPage>,
    /// Rows outside of connections.
    pub(crate) plain_rows: u64,
    /// Row fields that should be there and are not: their response paths.
    pub(crate) missing: Vec<String>,
}

/// A page of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FoundPage {
    /// Index into the plan's connections.
    pub(crate) connection: usize,
    /// Items in it.
    pub(crate) rows: u64,
    /// Whether it says that there are more; `None` where it does not say.
    pub(crate) has_next_page: Option<bool>,
    /// The cursor of the next page.
    pub(crate) end_cursor: Option<String>,
    /// Rows that the connection has in all, where the author asks for that.
    pub(crate) total: Option<u64>,
    /// The connection, or an object above it, is null: it has no rows.
    pub(crate) is_null: bool,
    /// Its list of items is there.
    pub(crate) has_items: bool,
    /// It is not there at all: a condition left it out, or it is among what is missing.
    pub(crate) is_left_out: bool,
}

impl FoundPage {
    fn null(connection: usize) -> Self {
        Self {
            connection,
            rows: 0,
            has_next_page: None,
            end_cursor: None,
            total: None,
            is_null: true,
            has_items: false,
            is_left_out: false,
        }
    }
}

/// Reads `data` along a probe.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HarvestSeed<'plan>(pub(crate) &'plan Probe);

impl<'de> DeserializeSeed<'de> for HarvestSeed<'_> {
    type Value = Harvest;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Harvest, D::Error> {
        let mut harvest = Harvest::default();
        let object = ObjectSeed {
            fields: &self.0.root,
            path: "",
            harvest: &mut harvest,
        };
        object.deserialize(deserializer)?;
        Ok(harvest)
    }
}

/// An object on the way to row fields.
struct ObjectSeed<'plan, 'harvest> {
    fields: &'plan [ProbeField],
    path: &'harvest str,
    harvest: &'harvest mut Harvest,
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
        write!(formatter, "an object at `{}`", self.path)
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        note_null(self.fields, false, self.harvest);
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let mut seen = vec![false; self.fields.len()];
        let mut keys = Keys::default();
        while let Some(Key(key)) = members.next_key()? {
            keys.note(&key)?;
            let Some(index) = self.fields.iter().position(|field| field.key == key) else {
                members.next_value::<IgnoredAny>()?;
                continue;
            };
            seen[index] = true;
            let path = child_path(self.path, &key);
            let harvest = &mut *self.harvest;
            match &self.fields[index].role {
                ProbeRole::Object(fields) => {
                    members.next_value_seed(ObjectSeed {
                        fields,
                        path: &path,
                        harvest,
                    })?;
                }
                ProbeRole::Page(probe) => {
                    let page = members.next_value_seed(PageSeed { probe, path: &path })?;
                    harvest.pages.push(page);
                }
                ProbeRole::List(_) => {
                    let count = members.next_value_seed(Count { path: &path })?;
                    harvest.plain_rows += count.unwrap_or(0);
                }
            }
        }
        let unseen = self
            .fields
            .iter()
            .zip(seen)
            .filter(|(_, seen)| !seen)
            .map(|(field, _)| field);
        for field in unseen {
            // What a condition left out has no rows, like what is null.
            note_null(std::slice::from_ref(field), true, self.harvest);
            if !field.is_optional {
                self.harvest.missing.push(child_path(self.path, &field.key));
            }
        }
        Ok(())
    }
}

fn note_null(fields: &[ProbeField], is_left_out: bool, harvest: &mut Harvest) {
    for field in fields {
        match &field.role {
            ProbeRole::Object(below) => note_null(below, is_left_out, harvest),
            ProbeRole::Page(probe) => harvest.pages.push(FoundPage {
                is_left_out,
                ..FoundPage::null(probe.connection)
            }),
            ProbeRole::List(_) => {}
        }
    }
}

fn child_path(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}

/// A page of a connection.
struct PageSeed<'plan, 'path> {
    probe: &'plan PageProbe,
    path: &'path str,
}

impl<'de> DeserializeSeed<'de> for PageSeed<'_, '_> {
    type Value = FoundPage;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<FoundPage, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for PageSeed<'_, '_> {
    type Value = FoundPage;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "a connection at `{}`", self.path)
    }

    fn visit_unit<E>(self) -> Result<FoundPage, E> {
        Ok(FoundPage::null(self.probe.connection))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<FoundPage, A::Error> {
        let mut page = FoundPage {
            is_null: false,
            has_items: self.probe.are_items_optional,
            ..FoundPage::null(self.probe.connection)
        };
        let mut keys = Keys::default();
        while let Some(Key(key)) = members.next_key()? {
            keys.note(&key)?;
            if key == self.probe.items.as_str() {
                let count = members.next_value_seed(Count { path: self.path })?;
                page.has_items |= count.is_some();
                page.rows = count.unwrap_or(0);
            } else if key == self.probe.page_info.as_str() {
                members.next_value_seed(PageInfoSeed {
                    probe: self.probe,
                    page: &mut page,
                })?;
            } else if self.probe.total.as_deref().is_some_and(|total| key == total) {
                page.total = members.next_value::<PlainValue>()?.0.and_then(|text| text.parse().ok());
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(page)
    }
}

/// `pageInfo`.
struct PageInfoSeed<'plan, 'page> {
    probe: &'plan PageProbe,
    page: &'page mut FoundPage,
}

impl<'de> DeserializeSeed<'de> for PageInfoSeed<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for PageInfoSeed<'_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "an object at `{}`", self.probe.page_info)
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let mut keys = Keys::default();
        while let Some(Key(key)) = members.next_key()? {
            keys.note(&key)?;
            if key == self.probe.has_next_page.as_str() {
                let value = members.next_value::<PlainValue>()?.0;
                self.page.has_next_page = value.and_then(|text| text.parse().ok());
            } else if key == self.probe.end_cursor.as_str() {
                self.page.end_cursor = members.next_value::<PlainValue>()?.0;
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

/// Counts the items of a list; `None` where it is null.
struct Count<'path> {
    path: &'path str,
}

impl<'de> DeserializeSeed<'de> for Count<'_> {
    type Value = Option<u64>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Count<'_> {
    type Value = Option<u64>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "a list at `{}`", self.path)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut count = 0;
        while items.next_element::<IgnoredAny>()?.is_some() {
            count += 1;
        }
        Ok(Some(count))
    }
}

/// The members of an object so far. One that occurs twice makes a body that can be read in two ways: it is refused
/// before anything is made of it.
#[derive(Default)]
struct Keys<'de>(Vec<Cow<'de, str>>);

impl<'de> Keys<'de> {
    fn note<E: serde::de::Error>(&mut self, key: &Cow<'de, str>) -> Result<(), E> {
        if self.0.contains(key) {
            return Err(E::custom(format_args!("the member `{key}` occurs twice")));
        }
        self.0.push(key.clone());
        Ok(())
    }
}

/// A member's name, borrowed where it has no escapes.
struct Key<'de>(Cow<'de, str>);

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

/// A string, a number or a boolean as text; `None` for null, and for anything else, which is no value to page by.
struct PlainValue(Option<String>);

impl<'de> serde::Deserialize<'de> for PlainValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = match serde_json::Value::deserialize(deserializer)? {
            serde_json::Value::String(text) => Some(text),
            serde_json::Value::Number(number) => Some(number.to_string()),
            serde_json::Value::Bool(value) => Some(value.to_string()),
            _ => None,
        };
        Ok(Self(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn probe() -> Probe {
        let page = |connection| PageProbe {
            connection,
            items: "edges".to_owned(),
            are_items_optional: false,
            page_info: "pageInfo".to_owned(),
            has_next_page: "hasNextPage".to_owned(),
            end_cursor: "endCursor".to_owned(),
            total: Some("totalCount".to_owned()),
        };
        let field = |key: &str, is_optional, role| ProbeField {
            key: key.to_owned(),
            is_optional,
            role,
        };
        Probe {
            root: vec![
                field(
                    "owner",
                    false,
                    ProbeRole::Object(vec![field("groups", false, ProbeRole::Page(page(0)))]),
                ),
                field("issues", false, ProbeRole::Page(page(1))),
                field("extra", true, ProbeRole::Page(page(2))),
            ],
        }
    }

    fn harvest(data: &str) -> Result<Harvest, String> {
        let mut deserializer = serde_json::Deserializer::from_str(data);
        HarvestSeed(&probe())
            .deserialize(&mut deserializer)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn pages_are_found_wherever_they_stand() {
        let found = harvest(
            r#"{"issues":{"pageInfo":{"endCursor":"c1","hasNextPage":true},"edges":[{"node":{"edges":[1,2]}},null]},
                "other":[{"issues":1}],
                "owner":{"groups":{"totalCount":7,"edges":[],"pageInfo":{"hasNextPage":false,"endCursor":null}}}}"#,
        );
        let found = found.unwrap();
        let issues = FoundPage {
            connection: 1,
            rows: 2,
            has_next_page: Some(true),
            end_cursor: Some("c1".to_owned()),
            total: None,
            is_null: false,
            has_items: true,
            is_left_out: false,
        };
        assert_eq!(found.pages[0], issues);
        assert_eq!(
            (found.pages[1].total, found.pages[1].has_next_page),
            (Some(7), Some(false))
        );
        let left_out = FoundPage {
            is_left_out: true,
            ..FoundPage::null(2)
        };
        assert_eq!(found.pages[2], left_out);
        assert_eq!(found.missing, Vec::<String>::new());
    }

    #[test]
    fn what_is_null_has_no_rows_and_what_is_missing_is_named() {
        let found = harvest(r#"{"owner":null}"#).unwrap();
        assert_eq!(found.missing, ["issues"]);
        assert!(found.pages.iter().all(|page| page.is_null && page.rows == 0));
        assert_eq!(found.pages.len(), 3);
    }

    #[test]
    fn a_page_that_does_not_say_whether_there_is_more_is_told_from_one_that_ends() {
        let found = harvest(r#"{"owner":null,"issues":{"edges":[1],"pageInfo":null}}"#).unwrap();
        assert_eq!((found.pages[1].has_next_page, found.pages[1].is_null), (None, false));
    }

    #[test]
    fn other_shapes_are_refused() {
        assert!(
            harvest(r#"{"issues":[]}"#)
                .unwrap_err()
                .contains("a connection at `issues`")
        );
        assert!(
            harvest(r#"{"issues":{"edges":{}}}"#)
                .unwrap_err()
                .contains("a list at `issues`")
        );
        assert!(
            harvest(r#"{"issues":{"edges":[]},"issues":{"edges":[]}}"#)
                .unwrap_err()
                .contains("occurs twice")
        );
    }
}
