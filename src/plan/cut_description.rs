//! A cut of a plan's requests as plain data, and in words.

use std::fmt;

use serde::Serialize;

use crate::plan::describe::AddressDescription;
use crate::plan::measure::Amount;

/// A cut, and the limit that asks for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cut {
    /// Of what there would be too much without it.
    #[serde(flatten)]
    pub amount: Amount,
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
}

impl fmt::Display for Cut {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { amount, into } = self;
        match into {
            CutInto::Requests { requests } => write!(formatter, "{amount}: {requests} requests"),
            CutInto::Detached { connection, address } => {
                write!(formatter, "{amount}: `{connection}` is read {address}")
            }
            CutInto::Apart { field, address } => write!(formatter, "{amount}: `{field}` is read {address}"),
            CutInto::Groups { groups } => write!(formatter, "{amount}: columns in {} groups", groups.len()),
        }
    }
}
