//! How a list field is asked for a page, and where in its answer what stands: `[pagings]` of `data.toml`.
//!
//! Every pagination style is a choice of these: names of arguments, and roles of fields. An argument may be a path into
//! an input object (`pagination.perPage`), a field one into the answer (`pageInfo.hasNextPage`).

use std::collections::BTreeMap;

use serde::Deserialize;

/// How a list field is asked for a page, and what its answer looks like.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct PagingShape {
    /// The argument with the number of rows; a field without one cannot be asked for less than it likes to give.
    pub(crate) size: Option<String>,
    /// The argument with the cursor behind which to go on.
    pub(crate) cursor: Option<String>,
    /// Whether its cursors say of which field of which object they are, so that another field can go on with them; for
    /// entities and the query root, not for objects that belong to an entity.
    pub(crate) carries_place: bool,
    /// The argument with the number of the page, from 1.
    pub(crate) page: Option<String>,
    /// The argument with the number of rows to leave out.
    pub(crate) offset: Option<String>,
    /// The argument with the value that a field of the rows must exceed.
    pub(crate) beyond: Option<Beyond>,
    /// The argument with a condition such as `id > "…"`, as text.
    pub(crate) condition: Option<String>,
    /// The arguments that say in which order the rows come: by their key, upwards, or downwards where one says so.
    pub(crate) order: Vec<String>,
    /// The arguments that are taken and not heeded.
    pub(crate) ignored: Vec<String>,
    /// What the answer's fields hold, by their paths; a field without any is the list itself.
    pub(crate) result: BTreeMap<String, Role>,
}

/// An argument with the value that a field of the rows must exceed.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Beyond {
    pub(crate) argument: String,
    /// The rows' field, by which they are ordered.
    pub(crate) field: String,
}

/// What a field of a page holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Role {
    /// The rows.
    Items,
    /// Objects that hold one row each.
    Edges,
    /// The row of an edge.
    EdgeNode,
    /// The cursor of an edge.
    EdgeCursor,
    /// Whether more rows follow.
    HasNext,
    /// Whether rows come before.
    HasPrevious,
    /// The cursor of the first row.
    StartCursor,
    /// The cursor to go on with.
    EndCursor,
    /// The cursor to go on with; null where nothing follows.
    NextCursor,
    /// How many rows there are on all pages.
    Total,
    /// How many pages there are.
    PageCount,
    /// The number of the page.
    Page,
    /// The number of rows that a page can have.
    Size,
    /// The number of rows that were left out before the page.
    Offset,
    /// The number of rows on the page.
    Count,
}

/// What stands at a path of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Value(Role),
    /// An object with further parts.
    Object,
}

impl Role {
    /// Whether further parts of the page lie below it.
    pub(crate) fn has_parts(self) -> bool {
        self == Self::Edges
    }
}

impl PagingShape {
    /// Whether the field is the list itself.
    pub(crate) fn is_bare(&self) -> bool {
        self.result.is_empty()
    }

    /// All arguments that it speaks of, by their paths.
    pub(crate) fn arguments(&self) -> impl Iterator<Item = &String> {
        let beyond = self.beyond.as_ref().map(|beyond| &beyond.argument);
        let choosing = [&self.size, &self.cursor, &self.page, &self.offset, &self.condition];
        choosing
            .into_iter()
            .flatten()
            .chain(beyond)
            .chain(&self.order)
            .chain(&self.ignored)
    }

    /// Whether pages follow each other by their place in the list, so that rows that move are missed or come twice.
    pub(crate) fn counts_rows(&self) -> bool {
        self.page.is_some() || self.offset.is_some()
    }

    /// What stands at that path; `None` for a path that is not described.
    pub(crate) fn part(&self, path: &str) -> Option<Part> {
        if let Some(role) = self.result.get(path) {
            return Some(Part::Value(*role));
        }
        let is_below = |deeper: &String| deeper.strip_prefix(path).is_some_and(|rest| rest.starts_with('.'));
        self.result.keys().any(is_below).then_some(Part::Object)
    }
}

/// The path of a field below another path.
pub(crate) fn path_below(path: &str, field: &str) -> String {
    if path.is_empty() {
        return field.to_owned();
    }
    format!("{path}.{field}")
}
