//! Query files to begin with: one for each list that the query root leads to, with the plain columns of its rows.
//!
//! `lists.rs` finds the lists, `columns.rs` chooses what is selected of their rows, `text.rs` writes the file, with
//! what `unselected.rs` says is not in it and which filters `dates.rs` finds. Whether what
//! is written can be exported is for the planner to say.

mod columns;
mod dates;
mod fields;
mod lists;
mod text;
mod unselected;

use std::collections::{BTreeMap, BTreeSet};

use crate::plan::paging_rules::PagingRules;
use crate::plan::starter::fields::Fields;
use crate::plan::starter::lists::lists;
use crate::plan::starter::text::text;
use crate::schema::{ApiSchema, PagingRule};

pub use lists::Omitted;

/// A query file to begin with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Starter {
    /// The file's name without its ending, and thereby the table's.
    pub name: String,
    /// What it says.
    pub text: String,
    /// The variables that need a value, each with its type: arguments that the API insists on.
    pub needs: Vec<String>,
    /// What to look after first, where the schema leaves open how the list turns its pages, and what is said is a guess.
    pub doubt: Option<String>,
    /// The lists in its rows, which it leaves out.
    pub inner: Vec<String>,
}

/// One for each list at the query root, or in an object there, and the lists that have none. What is `left_out`, by the
/// names of types, is in neither.
pub fn starters(
    schema: &ApiSchema,
    rules: &[PagingRule],
    left_out: &BTreeMap<String, Vec<String>>,
) -> (Vec<Starter>, Vec<Omitted>) {
    let schema = schema.compiled();
    let fields = Fields { schema, left_out };
    let mut taken = BTreeSet::new();
    let (lists, mut omitted) = lists(fields, PagingRules::new(schema, rules));
    let mut starters = Vec::new();
    for list in lists {
        let Some(body) = text(fields, &list) else {
            omitted.push(list.hollow());
            continue;
        };
        starters.push(Starter {
            name: free_name(&list.name(), &mut taken),
            text: body,
            needs: list.needs(),
            inner: list.inner.iter().map(ToString::to_string).collect(),
            doubt: list.doubt,
        });
    }
    (starters, omitted)
}

/// The name, or one like it: some file systems cannot tell names apart that differ only in case.
fn free_name(name: &str, taken: &mut BTreeSet<String>) -> String {
    let numbered = (2..).map(|number| format!("{name}_{number}"));
    let free = std::iter::once(name.to_owned())
        .chain(numbered)
        .find(|name| taken.insert(name.to_lowercase()));
    free.unwrap_or_default()
}

#[cfg(test)]
mod tests;
