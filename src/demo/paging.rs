//! Relay connections over ranges of entities: filters, pages, cursors.

use std::ops::Range;

use serde::Deserialize;
use serde_json::Value;

use crate::demo::dataset::{Dataset, EntityType, Instance};
use crate::demo::entropy::{Entropy, text_hash};
use crate::demo::generator::Generated;

/// How connections turn their pages.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PagingBehaviour {
    /// Rows on a page whose `first` is missing or null.
    pub default_size: u64,
    /// The most rows on a page.
    pub cap: u64,
    /// What happens where `first` asks for more.
    pub above_cap: AboveCap,
}

/// What happens where `first` asks for more rows than a page may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AboveCap {
    /// The page has as many as it may, and says nothing.
    Clamp,
    /// The field is an error.
    Refuse,
}

/// A page that cannot be given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PagingError {
    #[error("`first` must be a positive number, and is {0}")]
    NotPositive(i64),
    #[error("`first` is {first}, and no page has more than {cap} rows")]
    AboveCap { first: u64, cap: u64 },
    #[error("the cursor {0:?} is not one of this connection with these arguments")]
    Cursor(String),
}

/// A condition on the rows of a connection: the field has one of the values.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Filter {
    field: String,
    accepted: Vec<Value>,
}

/// One connection instance: one field of one object, with its filters.
#[derive(Debug)]
pub(crate) struct Connection<'d> {
    dataset: &'d Dataset,
    ty: &'d EntityType,
    range: Range<u64>,
    filters: Vec<Filter>,
    identity: u64,
}

/// Some neighbouring rows of a connection.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Page {
    /// Indices of the entities, ascending.
    pub(crate) rows: Vec<u64>,
    pub(crate) has_next: bool,
    pub(crate) has_previous: bool,
}

impl Filter {
    /// The filter of an argument: a list accepts each of its items.
    pub(crate) fn new(field: &str, argument: Value) -> Self {
        let accepted = match argument {
            Value::Array(items) => items,
            single => vec![single],
        };
        Self {
            field: field.to_owned(),
            accepted,
        }
    }

    fn accepts(&self, instance: Instance<'_>) -> bool {
        match instance.value(&self.field) {
            Some(Generated::Leaf(value)) => self.accepted.contains(&value),
            _ => false,
        }
    }
}

impl PagingBehaviour {
    /// The size of a page for a `first`.
    pub(crate) fn size(&self, first: Option<i64>) -> Result<u64, PagingError> {
        let Some(first) = first else {
            return Ok(self.default_size.min(self.cap));
        };
        let size = u64::try_from(first)
            .ok()
            .filter(|size| *size > 0)
            .ok_or(PagingError::NotPositive(first))?;
        match self.above_cap {
            AboveCap::Refuse if size > self.cap => Err(PagingError::AboveCap {
                first: size,
                cap: self.cap,
            }),
            _ => Ok(size.min(self.cap)),
        }
    }
}

impl<'d> Connection<'d> {
    /// The connection of entities of `ty` that is `field` of `owner`.
    pub(crate) fn new(owner: Instance<'d>, field: &str, ty: &'d EntityType, filters: Vec<Filter>) -> Self {
        let mut place = Entropy::of_seed(text_hash(owner.ty().name()))
            .at(owner.index())
            .named(field);
        for filter in &filters {
            place = place.named(&filter.field);
            place = filter
                .accepted
                .iter()
                .fold(place, |place, value| place.named(&value.to_string()));
        }
        Self {
            dataset: owner.dataset(),
            ty,
            range: owner.descendants(ty),
            filters,
            identity: place.bits(),
        }
    }

    /// Equal for the same field of the same object with the same filters, whatever page is asked for.
    pub(crate) fn identity(&self) -> u64 {
        self.identity
    }

    /// A row's place in the connection before filtering.
    pub(crate) fn position(&self, index: u64) -> u64 {
        index.saturating_sub(self.range.start)
    }

    /// The row of that index.
    pub(crate) fn row(&self, index: u64) -> Instance<'d> {
        self.dataset.entity(self.ty, index)
    }

    /// The page of at most `size` rows behind the cursor `after`.
    pub(crate) fn page(&self, size: u64, after: Option<&str>) -> Result<Page, PagingError> {
        let start = match after {
            Some(cursor) => {
                self.index_at(cursor)
                    .ok_or_else(|| PagingError::Cursor(cursor.to_owned()))?
                    + 1
            }
            None => self.range.start,
        };
        let mut matching = self.matching(start);
        let rows: Vec<u64> = matching
            .by_ref()
            .take(usize::try_from(size).unwrap_or(usize::MAX))
            .collect();
        Ok(Page {
            rows,
            has_next: matching.next().is_some(),
            has_previous: after.is_some(),
        })
    }

    /// How many rows the connection has.
    pub(crate) fn total(&self) -> u64 {
        if self.filters.is_empty() {
            return self.range.end - self.range.start;
        }
        self.matching(self.range.start).count() as u64
    }

    /// The cursor of a row: valid only here, and only with the same filters.
    pub(crate) fn cursor(&self, index: u64) -> String {
        format!("{:016x}{:016x}", self.identity, index ^ self.identity.rotate_left(32))
    }

    fn index_at(&self, cursor: &str) -> Option<u64> {
        let (identity, index) = cursor.split_at_checked(16)?;
        if u64::from_str_radix(identity, 16).ok()? != self.identity {
            return None;
        }
        let index = u64::from_str_radix(index, 16).ok()? ^ self.identity.rotate_left(32);
        self.range.contains(&index).then_some(index)
    }

    fn matching(&self, start: u64) -> impl Iterator<Item = u64> {
        let is_accepted = |index: &u64| {
            let row = self.row(*index);
            self.filters.iter().all(|filter| filter.accepts(row))
        };
        (start..self.range.end).filter(is_accepted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATA: &str = r#"
        seed = 3
        vocabulary = []
        [types.Root.connections]
        items = "Item"
        [types.Item]
        count = 90
        [types.Item.fields]
        colour = { choice = { RED = 1, BLUE = 2 } }
    "#;

    fn dataset() -> Dataset {
        Dataset::new(toml::from_str(DATA).unwrap(), 1.0).unwrap()
    }

    fn items(dataset: &Dataset, filters: Vec<Filter>) -> Connection<'_> {
        let root = dataset.singleton(dataset.ty("Root").unwrap());
        Connection::new(root, "items", dataset.ty("Item").unwrap(), filters)
    }

    fn walk(connection: &Connection<'_>, size: u64) -> (Vec<u64>, usize) {
        let (mut rows, mut pages, mut after) = (Vec::new(), 0, None);
        loop {
            let page = connection.page(size, after.as_deref()).unwrap();
            assert_eq!(page.has_previous, pages > 0);
            pages += 1;
            after = page.rows.last().map(|row| connection.cursor(*row));
            rows.extend(page.rows);
            if !page.has_next {
                return (rows, pages);
            }
        }
    }

    #[test]
    fn pages_give_every_row_once_and_in_order() {
        let dataset = dataset();
        let all: Vec<u64> = (0..90).collect();
        assert_eq!(walk(&items(&dataset, Vec::new()), 20), (all.clone(), 5));
        assert_eq!(walk(&items(&dataset, Vec::new()), 30), (all, 3));
    }

    #[test]
    fn filters_leave_out_rows_and_the_last_page_knows() {
        let dataset = dataset();
        let red = items(&dataset, vec![Filter::new("colour", Value::from("RED"))]);
        let (rows, _) = walk(&red, 7);
        let is_red =
            |index: &u64| matches!(red.row(*index).value("colour"), Some(Generated::Leaf(colour)) if colour == "RED");
        assert_eq!(rows, (0..90).filter(is_red).collect::<Vec<u64>>());
        assert_eq!(red.total(), rows.len() as u64);
        assert_eq!(walk(&red, rows.len() as u64).1, 1);
        let both = items(
            &dataset,
            vec![Filter::new("colour", serde_json::json!(["RED", "BLUE"]))],
        );
        assert_eq!(both.total(), 90);
    }

    #[test]
    fn cursors_of_other_arguments_and_inventions_are_refused() {
        let dataset = dataset();
        let all = items(&dataset, Vec::new());
        let red = items(&dataset, vec![Filter::new("colour", Value::from("RED"))]);
        for cursor in [
            all.cursor(4),
            String::new(),
            "zz".to_owned(),
            "é".repeat(9),
            red.cursor(90),
        ] {
            assert_eq!(red.page(5, Some(&cursor)), Err(PagingError::Cursor(cursor)));
        }
    }

    #[test]
    fn the_size_of_a_page_is_bounded() {
        let mut paging = PagingBehaviour {
            default_size: 10,
            cap: 50,
            above_cap: AboveCap::Clamp,
        };
        assert_eq!(
            (paging.size(None), paging.size(Some(7)), paging.size(Some(51))),
            (Ok(10), Ok(7), Ok(50))
        );
        assert_eq!(paging.size(Some(0)), Err(PagingError::NotPositive(0)));
        assert_eq!(paging.size(Some(-3)), Err(PagingError::NotPositive(-3)));
        paging.above_cap = AboveCap::Refuse;
        assert_eq!(paging.size(Some(51)), Err(PagingError::AboveCap { first: 51, cap: 50 }));
        assert_eq!(paging.size(Some(50)), Ok(50));
    }
}
