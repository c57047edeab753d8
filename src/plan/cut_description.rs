//! A cut of a plan's requests as plain data, and in words.

use std::fmt;

use serde::Serialize;

use crate::plan::describe::AddressDescription;
use crate::plan::excess::Excesses;

/// A cut, and the limits that ask for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cut {
    /// Of what there would be too much without it.
    #[serde(flatten)]
    pub excesses: Excesses,
    /// What is done about it.
    #[serde(flatten)]
    pub into: CutInto,
}

/// What is done about a request that is too much.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "cut", rename_all = "snake_case")]
pub enum CutInto {
    /// The fields of the query root are asked for in several requests.
    Requests {
        /// How many those for the first pages are.
        requests: usize,
    },
    /// The first page of a nested connection does not come with the row that holds it.
    Detached {
        /// Its place in the response, with dots.
        connection: String,
        /// How it is asked for.
        address: AddressDescription,
    },
    /// A field does not come with its rows: each of them is asked for it.
    Apart {
        /// Its place in the response, with dots.
        field: String,
        /// How a row is asked for.
        address: AddressDescription,
    },
    /// The columns are asked for in several groups, at the same position each.
    Groups {
        /// The places in the response of what each group asks for beside the rows' keys.
        groups: Vec<Vec<String>>,
    },
    /// First pages are smaller than the query wants them.
    Pages {
        /// Those pages.
        pages: Vec<SmallerPage>,
    },
}

/// A page that is smaller than it is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SmallerPage {
    /// The place in the response of its connection, with dots.
    pub connection: String,
    /// The rows that it is asked for with at first.
    pub rows: u32,
    /// The rows that it would be asked for with otherwise.
    pub wanted: u32,
}

impl fmt::Display for Cut {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { excesses, into } = self;
        match into {
            CutInto::Requests { requests } => write!(formatter, "{excesses}: {requests} requests"),
            CutInto::Detached { connection, address } => {
                write!(formatter, "{excesses}: `{connection}` is read {address}")
            }
            CutInto::Apart { field, address } => write!(formatter, "{excesses}: `{field}` is read {address}"),
            CutInto::Groups { groups } => write!(formatter, "{excesses}: columns in {} groups", groups.len()),
            CutInto::Pages { pages } => {
                let pages = pages.iter().map(SmallerPage::to_string);
                write!(
                    formatter,
                    "{excesses}: first pages of {}",
                    pages.collect::<Vec<_>>().join(", ")
                )
            }
        }
    }
}

/// ``10 rows of `groups.findings` in place of 100``
impl fmt::Display for SmallerPage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            connection,
            rows,
            wanted,
        } = self;
        let noun = if *rows == 1 { "row" } else { "rows" };
        write!(formatter, "{rows} {noun} of `{connection}` in place of {wanted}")
    }
}
