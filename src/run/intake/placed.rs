//! Errors beside the data: where they belong in the query, and what they say.

use crate::api::{ErrorPath, GraphqlError, PathSegment};
use crate::plan::Connection;
use crate::run::harvest::{FoundPage, Harvest};
use crate::run::holder::{holder, holder_of, named};
use crate::run::intake::{Request, slot_roots};
use crate::state::Member;

/// An error beside the data, and where it belongs.
pub(super) struct PlacedError<'error> {
    pub(super) error: &'error GraphqlError,
    /// The slot in whose answer it is.
    pub(super) slot: Option<usize>,
    /// Its place in the query, without positions in lists.
    pub(super) place: Option<String>,
    /// It is a total, which is asked for to be compared.
    pub(super) is_of_total: bool,
    /// It says that the token may not see something.
    pub(super) is_denied: bool,
}

impl PlacedError<'_> {
    pub(super) fn text(&self) -> String {
        let message = &self.error.message;
        match &self.place {
            Some(place) if self.is_of_total => format!(
                "`{place}` is null: {message}; it is asked for to be compared with the rows that came: write \
                 @paginate(total: \"\") behind the connection to leave it out"
            ),
            Some(place) => format!("`{place}` is null: {message}"),
            None => format!("the API reports: {message}"),
        }
    }
}

impl Request<'_> {
    /// Errors beside the data, and where they belong.
    pub(super) fn placed<'error>(&self, errors: &'error [GraphqlError]) -> Vec<PlacedError<'error>> {
        if errors.is_empty() {
            return Vec::new();
        }
        let roots = slot_roots(self.plan, self.asked);
        let totals = self.total_places();
        let place = |error: &'error GraphqlError| {
            let names = error.path.as_ref().map(names);
            let root = names.as_ref().and_then(|names| names.first());
            let slot = root.and_then(|root| roots.iter().position(|key| key == root));
            let slot = slot.or_else(|| self.is_whole_of_member().then_some(0));
            let place = match (slot.and_then(|slot| self.connection_of(slot)), &names) {
                (Some((_, connection)), Some(names)) => Some(place_in(connection, names)),
                (None, Some(names)) => Some(self.place_of(slot, names)),
                (_, None) => None,
            };
            let is_of_total = place.as_ref().is_some_and(|place| totals.contains(place));
            let is_denied = error.path.as_ref().is_some_and(|path| self.denied.contains(path));
            PlacedError {
                error,
                slot,
                place,
                is_of_total,
                is_denied,
            }
        };
        errors.iter().map(place).collect()
    }

    /// A place in the answer of a slot that asks for the first pages under a field of the query root, or of none.
    pub(super) fn place_of(&self, slot: Option<usize>, names: &[&str]) -> String {
        let root = slot.and_then(|slot| self.plan.member_roots.get(self.asked.get(slot)?.task.root?));
        let names = match (root, names) {
            (Some(root), [_, below @ ..]) => [&[root.key.as_str()], below].concat(),
            _ => names.to_vec(),
        };
        names.join(".")
    }

    /// What an error says, and the value that lacks something because of it. One in the place of rows names what holds
    /// these.
    pub(super) fn told(&self, error: &PlacedError<'_>, harvest: &Harvest) -> (String, Option<&Member>) {
        let text = error.text();
        let Some(place) = error.place.as_deref().filter(|place| self.is_of_rows(place)) else {
            return (text, None);
        };
        let text = named(&text, place, self.holder_at(error, place, harvest).as_deref());
        (text, error.slot.and_then(|slot| self.member_of(slot)))
    }

    /// Whether rows of a table are what stands at a place in the query.
    fn is_of_rows(&self, place: &str) -> bool {
        let mut tables = self.plan.description.tables.iter();
        tables.any(|table| table.path == place) || self.plan.connections.iter().any(|one| one.is_around_items(place))
    }

    /// What holds the rows in whose place an error is.
    fn holder_at(&self, error: &PlacedError<'_>, place: &str, harvest: &Harvest) -> Option<String> {
        if let Some((_, connection)) = error.slot.and_then(|slot| self.connection_of(slot))
            && connection.is_around_items(place)
        {
            return holder_of(self.plan, connection, &self.asked.get(error.slot?)?.task);
        }
        let indexes = indexes(error.error.path.as_ref()?);
        if indexes.is_empty() {
            return holder(self.plan, 0, None, self.member_of(error.slot?));
        }
        let is_there = |page: &&FoundPage| {
            let connection = self.plan.connections.get(page.connection);
            page.origin == error.slot
                && !page.indexes.is_empty()
                && indexes.ends_with(&page.indexes)
                && connection.is_some_and(|connection| connection.is_around_items(place))
        };
        let page = harvest.pages.iter().find(is_there)?;
        let depth = self.plan.connections.get(page.connection)?.depth;
        holder(self.plan, depth, page.parent.as_deref(), None)
    }

    /// Why a slot that asks for the first pages for a member can be null: the first error in its answer; where the whole
    /// answer is one row, the first that makes a field of the query root null.
    pub(super) fn cause(&self, slot: usize, errors: &[PlacedError<'_>]) -> Option<String> {
        let is_whole = self.asked.get(slot)?.task.root.is_none();
        let is_of_root = |error: &&PlacedError<'_>| error.error.path.as_ref().is_some_and(|path| path.0.len() == 1);
        let mut causes = errors.iter().filter(|error| match is_whole {
            true => is_of_root(error),
            false => error.slot == Some(slot),
        });
        causes.next().map(|cause| cause.error.message.clone())
    }

    /// The places in the query at which the totals of connections stand.
    fn total_places(&self) -> Vec<String> {
        let place = |connection: &Connection| {
            let total = connection.paged.total.as_ref()?;
            let total: Vec<String> = total.iter().map(ToString::to_string).collect();
            Some(format!("{}.{}", connection.path, total.join(".")))
        };
        self.plan.connections.iter().filter_map(place).collect()
    }
}

fn names(path: &ErrorPath) -> Vec<&str> {
    let names = path.0.iter().filter_map(|segment| match segment {
        PathSegment::Field(name) => Some(name.as_str()),
        PathSegment::Index(_) => None,
    });
    names.collect()
}

/// The places in their lists of the items around a field.
fn indexes(path: &ErrorPath) -> Vec<u64> {
    let indexes = path.0.iter().filter_map(|segment| match segment {
        PathSegment::Index(index) => Some(*index),
        PathSegment::Field(_) => None,
    });
    indexes.collect()
}

/// A place within a slot as it would be in the query: the way to a slot's connection is another one.
fn place_in(connection: &Connection, names: &[&str]) -> String {
    let key = connection.path.rsplit('.').next().unwrap_or_default();
    let below = match names.iter().position(|name| *name == key) {
        Some(index) => &names[index + 1..],
        // The connection's own key is that of the slot, or the error is above it.
        None if connection.depth == 0 => &names[1..],
        None => &[],
    };
    let path = std::iter::once(connection.path.as_str()).chain(below.iter().copied());
    path.collect::<Vec<_>>().join(".")
}
