//! How a field of the schema turns its pages: read off its type and its arguments where these leave no doubt, else said
//! by a hint.
//!
//! A wrong guess loses rows without a word, so that whatever is open is [`Paging::Undecided`], with the directive that
//! would settle it.

mod answer;
mod arguments;
mod cursors;
mod detect;
mod doubt;
mod first_page;
mod hints;
mod keyset;
mod names;
mod numbers;
mod path;
mod reason;
mod style;
mod subject;
#[cfg(test)]
mod tests;
mod undecided;

use apollo_compiler::Schema;
use apollo_compiler::ast::FieldDefinition;
use apollo_compiler::schema::{ExtendedType, Name};

pub use detect::{page_argument, paging};
pub use hints::{PagingHints, PagingRule};
pub use path::{ArgumentPath, FieldPath};
pub use style::{Style, StyleHint};

/// How a field turns its pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Paging {
    /// It does not: what it answers is all there is.
    None,
    /// In a style that is known.
    Paged(Box<PagedField>),
    /// It has arguments that look like paging, and the schema leaves open what they do.
    Undecided {
        /// Those arguments.
        arguments: Vec<String>,
        /// What to do: the directives to choose from.
        help: String,
        /// The directive that most likely fits, where there is one.
        proposal: Option<Box<Proposal>>,
    },
}

impl Paging {
    fn paged(field: PagedField) -> Self {
        Self::Paged(Box::new(field))
    }
}

/// What most likely fits a field that leaves open how it turns its pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// What to say of it.
    pub hints: PagingHints,
    /// Whether the schema tells all of it, so that only the style is taken on trust, and an answer would show it wrong.
    pub is_told: bool,
}

/// A paginated field as the schema shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PagedField {
    /// How it goes on, and how it ends.
    pub pager: Pager,
    /// From the field's value to its items: `[]` (the value is the list), `["nodes"]`, `["edges", "node"]`. Several where
    /// the type offers several; the one that a query selects counts.
    pub items: Vec<FieldPath>,
    /// The argument for the number of rows, where there is one.
    pub size: Option<ArgumentPath>,
    /// What puts the rows in an order that lasts from page to page, where it is said: an argument, and its value as a
    /// GraphQL literal.
    pub order: Option<(ArgumentPath, String)>,
    /// Where the number of all rows stands, where it does. It is asked for whatever tells the end.
    pub total: Option<FieldPath>,
    /// The cursor of an empty last page that shows that the place to go on from was not found.
    pub lost_cursor: Option<String>,
    /// Whether rows may go to another place while it is read: then one reading does not show that all of them came.
    pub is_moving: bool,
    /// Whether no row at all, of whatever holds it, may mean that the API has lost sight of them.
    pub doubts_empty: bool,
    /// Whether nothing tells the number of the first page, so that the answers have to show whether it is right.
    pub assumes_first_page: bool,
    /// Why it was taken for this style, for people.
    pub reason: String,
}

impl PagedField {
    /// The arguments of this field that paging sets.
    pub fn arguments(&self) -> impl Iterator<Item = &ArgumentPath> {
        self.size.iter().chain(self.pager.argument())
    }
}

/// How a paginated field goes on, and how it tells its end. Paths into the value begin at the field's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pager {
    /// A Relay connection.
    Relay {
        /// Takes the cursor.
        cursor: ArgumentPath,
        /// `pageInfo.hasNextPage`
        has_next: FieldPath,
        /// `pageInfo.endCursor`
        end_cursor: FieldPath,
    },
    /// A cursor elsewhere in the value.
    FlatCursor {
        /// Takes the cursor.
        cursor: ArgumentPath,
        /// The flag for more. Without one, a cursor that is null is the end.
        has_next: Option<FieldPath>,
        /// The cursor of the next page.
        end_cursor: FieldPath,
    },
    /// A cursor that goes to another field, of the query root; null at the end.
    MovingCursor {
        /// That field.
        next_field: Name,
        /// Its argument for the cursor.
        cursor: ArgumentPath,
        /// Its argument for the number of rows.
        next_size: Option<ArgumentPath>,
        /// The cursor of the next page, in the value of either field.
        end_cursor: FieldPath,
    },
    /// Page numbers, with a number of pages or (in [`PagedField::total`]) of rows; one of the two is there.
    PageTotals {
        /// Takes the page number.
        page: ArgumentPath,
        /// The number of the first page.
        first_page: u64,
        /// The number of pages.
        page_count: Option<FieldPath>,
    },
    /// Page numbers, with a flag for more.
    PageFlag {
        /// Takes the page number.
        page: ArgumentPath,
        /// The number of the first page.
        first_page: u64,
        /// The flag.
        has_next: FieldPath,
    },
    /// Page numbers; an empty page is the end. Only by a hint: nothing in a schema tells the number of the first page.
    PageList {
        /// Takes the page number.
        page: ArgumentPath,
        /// The number of the first page.
        first_page: u64,
    },
    /// Rows to leave out, with a flag for more or (in [`PagedField::total`]) a number of rows; one of the two is there.
    OffsetTotal {
        /// Takes the number of rows to leave out.
        offset: ArgumentPath,
        /// The flag.
        has_next: Option<FieldPath>,
    },
    /// Rows to leave out; an empty page is the end.
    OffsetList {
        /// Takes the number of rows to leave out.
        offset: ArgumentPath,
    },
    /// A filter that leaves out all rows up to a key; an empty page is the end.
    Keyset {
        /// Takes the key of the last row.
        filter: ArgumentPath,
        /// The row's field that is compared.
        key: Name,
        /// For filters that are text: what to give, with `{}` in the key's place.
        text: Option<String>,
    },
    /// A list that has no next page, and may have been cut off.
    Capped {
        /// The number of rows at which it may have been, where the server has one of its own.
        cap: Option<u32>,
        /// The flag for more, where the value has one all the same.
        has_next: Option<FieldPath>,
    },
    /// The same in a row, where a root field lists the rows that such a row holds: a full list is read from there.
    Reverse {
        /// That field, which is read by the number of rows to leave out.
        next_field: Name,
        /// Its argument for the `id` of the row that holds the list.
        parent: ArgumentPath,
        /// The number of rows at which the list may have been cut off, where the server has one of its own.
        cap: Option<u32>,
    },
}

impl Pager {
    /// Its style's name.
    pub fn style(&self) -> Style {
        let in_input = |page: &ArgumentPath, other| match page.0.len() {
            0 | 1 => other,
            _ => Style::PageInput,
        };
        match self {
            Self::Relay { .. } => Style::Relay,
            Self::FlatCursor { .. } => Style::FlatCursor,
            Self::MovingCursor { .. } => Style::MovingCursor,
            Self::PageTotals { page, .. } => in_input(page, Style::Page),
            Self::PageFlag { page, .. } => in_input(page, Style::PageFlag),
            Self::PageList { .. } => Style::PageList,
            Self::OffsetTotal { .. } => Style::Offset,
            Self::OffsetList { .. } => Style::OffsetList,
            Self::Keyset { .. } => Style::Keyset,
            Self::Capped { .. } => Style::Capped,
            Self::Reverse { .. } => Style::Reverse,
        }
    }

    /// The argument of the field itself that asks for another page.
    pub fn argument(&self) -> Option<&ArgumentPath> {
        match self {
            Self::Relay { cursor, .. } | Self::FlatCursor { cursor, .. } => Some(cursor),
            Self::PageTotals { page, .. } | Self::PageFlag { page, .. } | Self::PageList { page, .. } => Some(page),
            Self::OffsetTotal { offset, .. } | Self::OffsetList { offset } => Some(offset),
            Self::Keyset { filter, .. } => Some(filter),
            Self::MovingCursor { .. } | Self::Capped { .. } | Self::Reverse { .. } => None,
        }
    }

    /// The number of the first page, where pages have numbers.
    pub fn first_page(&self) -> Option<u64> {
        match self {
            Self::PageTotals { first_page, .. }
            | Self::PageFlag { first_page, .. }
            | Self::PageList { first_page, .. } => Some(*first_page),
            _ => None,
        }
    }

    /// Where the value says whether, and where, it goes on.
    pub fn evidence(&self) -> Vec<&FieldPath> {
        match self {
            Self::Relay {
                has_next, end_cursor, ..
            } => vec![has_next, end_cursor],
            Self::FlatCursor {
                has_next, end_cursor, ..
            } => has_next.iter().chain([end_cursor]).collect(),
            Self::MovingCursor { end_cursor, .. } => vec![end_cursor],
            Self::PageTotals { page_count, .. } => page_count.iter().collect(),
            Self::PageFlag { has_next, .. } => vec![has_next],
            Self::OffsetTotal { has_next, .. } => has_next.iter().collect(),
            Self::Capped { has_next, .. } => has_next.iter().collect(),
            Self::PageList { .. } | Self::OffsetList { .. } | Self::Keyset { .. } | Self::Reverse { .. } => Vec::new(),
        }
    }
}

/// The field `name` of the object or interface `type_name`.
pub fn object_field<'schema>(schema: &'schema Schema, type_name: &str, name: &str) -> Option<&'schema FieldDefinition> {
    let fields = match schema.types.get(type_name)? {
        ExtendedType::Object(object) => &object.fields,
        ExtendedType::Interface(interface) => &interface.fields,
        _ => return None,
    };
    fields.get(name).map(|field| &***field)
}
