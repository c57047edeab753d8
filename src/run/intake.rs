//! What follows from a response: which pages are to be read next, which connections are at their end, what is lacking.
//!
//! Pure: a harvest goes in, a decision comes out.

use std::collections::BTreeMap;

use crate::api::{ErrorPath, GraphqlError, PathSegment};
use crate::plan::Plan;
use crate::run::harvest::{FoundPage, Harvest};
use crate::state::{FinishedConnection, Task};

/// What follows from a response.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Consequences {
    /// Rows in it.
    pub(crate) rows: u64,
    /// Pages that are to be read next; their ids are given by whoever queues them.
    pub(crate) next_pages: Vec<NextPage>,
    /// Connections that it ends.
    pub(crate) finished: Vec<FinishedConnection>,
    /// What it shows to be lacking, each with how often.
    pub(crate) flaws: Vec<(String, u64)>,
}

/// The page behind the one that was read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NextPage {
    pub(crate) connection: usize,
    pub(crate) cursor: String,
    pub(crate) position: u64,
}

/// A page whose paging cannot go on, so that the rows behind it cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PagingError {
    #[error(
        "`{path}` says that there is another page and gives no cursor for it; if that is all there is, write \
         @paginate(style: NONE)"
    )]
    NoCursor { path: String },
    #[error(
        "`{path}` says that there is another page and gives the same cursor again: reading on would never end; report \
         it to the API's vendor, or try another page size"
    )]
    StandsStill { path: String },
    #[error(
        "`{path}` gives a cursor for its next page that it gave before: reading on would never end; report it to the \
         API's vendor, or try another page size"
    )]
    Circles { path: String },
}

/// Decides what follows from the answer to `task`.
pub(crate) fn consequences(
    plan: &Plan,
    task: &Task,
    harvest: Harvest,
    errors: &[GraphqlError],
) -> Result<Consequences, PagingError> {
    let mut result = Consequences {
        rows: harvest.plain_rows,
        ..Consequences::default()
    };
    for page in harvest.pages {
        result.rows += page.rows;
        follow(plan, task, page, &mut result)?;
    }
    let missing = harvest.missing.into_iter();
    result
        .flaws
        .extend(missing.map(|path| (format!("`{path}` is missing from a response"), 1)));
    result.flaws.extend(error_flaws(errors));
    Ok(result)
}

fn follow(plan: &Plan, task: &Task, page: FoundPage, result: &mut Consequences) -> Result<(), PagingError> {
    let Some(connection) = plan.connections.get(page.connection) else {
        return Ok(());
    };
    let path = || connection.path.clone();
    let begins = task.connection.is_none();
    let rows = page.rows + if begins { 0 } else { task.position };
    if page.has_next_page == Some(true) {
        let cursor = page.end_cursor.filter(|cursor| !cursor.is_empty());
        let cursor = cursor.ok_or_else(|| PagingError::NoCursor { path: path() })?;
        if task.cursor.as_ref() == Some(&cursor) {
            return Err(PagingError::StandsStill { path: path() });
        }
        result.next_pages.push(NextPage {
            connection: page.connection,
            cursor,
            position: rows,
        });
        return Ok(());
    }
    if page.has_next_page.is_none() && !page.is_null {
        result.flaws.push((
            format!("`{}` does not say whether there are more rows", connection.path),
            1,
        ));
    }
    if page.is_null && !begins {
        result.flaws.push((
            format!("`{}` broke off: a later page of it is null", connection.path),
            1,
        ));
    }
    let finished = FinishedConnection {
        connection: page.connection,
        rows,
        total: page.total,
    };
    if let Some(total) = page.total.filter(|total| *total > rows) {
        result.flaws.push((
            format!("`{}` had {rows} rows, and {total} by its total", connection.path),
            1,
        ));
    }
    result.finished.push(finished);
    Ok(())
}

/// Errors beside the data, counted by place and message; positions in lists are left out of the place.
fn error_flaws(errors: &[GraphqlError]) -> Vec<(String, u64)> {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for error in errors {
        let text = match &error.path {
            Some(path) => format!("`{}` is null: {}", place(path), error.message),
            None => format!("the API reports: {}", error.message),
        };
        *counts.entry(text).or_default() += 1;
    }
    counts.into_iter().collect()
}

fn place(path: &ErrorPath) -> String {
    let names = path.0.iter().filter_map(|segment| match segment {
        PathSegment::Field(name) => Some(name.as_str()),
        PathSegment::Index(_) => None,
    });
    names.collect::<Vec<_>>().join(".")
}
