//! One list: the rows below an object that its filters leave, in its order.

use std::num::NonZeroU64;

use serde_json::Value;

use crate::demo::cursor_words::CursorValues;
use crate::demo::dataset::Instance;
use crate::demo::entropy::{Entropy, text_hash};
use crate::demo::generator::Generated;
use crate::demo::list_request::{Filter, ListRequest, Order};
use crate::demo::rows::Rows;

/// One list: a field of an object, with its filters and its order.
#[derive(Debug)]
pub(crate) struct Connection<'d> {
    rows: Rows<'d>,
    filters: Vec<Filter>,
    order: Order,
    /// By how many places the rows have moved.
    turn: u64,
    /// The most rows that it has.
    most: u64,
    /// Each row whose number this divides is deleted.
    deleted: Option<NonZeroU64>,
    identity: u64,
}

impl<'d> Connection<'d> {
    /// The list of entities of `ty` that is `field` of `owner`.
    pub(crate) fn new(owner: Instance<'d>, field: &str, ty: &str, request: &ListRequest) -> Self {
        let mut place = Entropy::of_seed(text_hash(owner.ty().name()))
            .at(owner.index())
            .named(field);
        for filter in &request.filters {
            place = place.named(&filter.path);
            place = filter
                .accepted
                .iter()
                .fold(place, |place, value| place.named(&value.to_string()));
        }
        let order = request.order.unwrap_or(Order::Up);
        if order == Order::Down {
            place = place.named("down");
        }
        Self {
            rows: owner.descendants(ty),
            filters: request.filters.clone(),
            order,
            turn: 0,
            most: u64::MAX,
            deleted: None,
            identity: place.bits(),
        }
    }

    /// The same with its rows moved by so many places.
    pub(crate) fn turned(mut self, turn: u64) -> Self {
        self.turn = turn;
        self
    }

    /// The same with so many rows at most, none of the others counted.
    pub(crate) fn with_at_most(mut self, most: Option<u64>) -> Self {
        self.most = most.unwrap_or(u64::MAX);
        self
    }

    /// The same without each row whose number, from 1, that divides.
    pub(crate) fn without_each(mut self, deleted: Option<NonZeroU64>) -> Self {
        self.deleted = deleted;
        self
    }

    /// Equal for the same field of the same object with the same filters, whatever page is asked for.
    pub(crate) fn identity(&self) -> u64 {
        self.identity
    }

    /// Whether it is asked for with filters.
    pub(crate) fn is_filtered(&self) -> bool {
        !self.filters.is_empty()
    }

    /// How many rows there are before filtering.
    pub(crate) fn len(&self) -> u64 {
        self.rows.len().min(self.most)
    }

    /// The row at that position.
    pub(crate) fn row(&self, position: u64) -> Option<Instance<'d>> {
        self.rows.row(self.unmoved(position))
    }

    /// Where the row at that position stands when no row has moved and nothing is turned around.
    pub(crate) fn unmoved(&self, position: u64) -> u64 {
        let upwards = match self.order {
            Order::Up => position,
            Order::Down => self.len().saturating_sub(position + 1),
        };
        if position >= self.len() {
            return position;
        }
        (upwards + self.turn) % self.len()
    }

    /// Where the row stands of which a cursor has these values.
    pub(crate) fn position_of(&self, values: &CursorValues) -> Option<u64> {
        let row = self.rows.types().find_map(|ty| {
            let values = values.iter().map(|(path, text)| (path.as_str(), text.as_str()));
            self.rows.dataset().find_by_key(ty, values)
        })?;
        let unmoved = self.rows.position(row)?;
        let len = self.len();
        let upwards = (unmoved + len - self.turn % len.max(1)) % len.max(1);
        Some(match self.order {
            Order::Up => upwards,
            Order::Down => len - upwards - 1,
        })
    }

    /// How many rows the filters leave.
    pub(crate) fn total(&self) -> u64 {
        if !self.is_filtered() && self.deleted.is_none() {
            return self.len();
        }
        self.matching(0).count() as u64
    }

    /// The positions, from `start` on, of the rows that the filters leave.
    pub(crate) fn matching(&self, start: u64) -> impl Iterator<Item = u64> {
        (start..self.len()).filter(|position| self.is_left(*position))
    }

    /// The first position whose row's field exceeds a value; the rows must be in that field's order.
    pub(crate) fn position_beyond(&self, field: &str, value: &Value) -> u64 {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            let found = self.row(middle).and_then(|row| row.value(field));
            let exceeds = matches!(found, Some(Generated::Leaf(found)) if exceeds(&found, value));
            if exceeds == (self.order == Order::Up) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        low
    }

    fn is_left(&self, position: u64) -> bool {
        let number = self.unmoved(position) + 1;
        let is_deleted = self.deleted.is_some_and(|each| number.is_multiple_of(each.get()));
        let is_accepted = |row| self.filters.iter().all(|filter| filter.accepts(row));
        !is_deleted && self.row(position).is_some_and(is_accepted)
    }
}

fn exceeds(found: &Value, value: &Value) -> bool {
    match (found, value) {
        (Value::String(found), Value::String(value)) => found > value,
        (found, value) => found.as_i64() > value.as_i64(),
    }
}
