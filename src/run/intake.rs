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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::api::GraphqlError;
    use crate::plan::{GraphqlFile, PlanSettings, QueryDocument, plan_query};
    use crate::schema::ApiSchema;

    fn plan() -> Plan {
        let definition = "type Query { rows(first: Int, after: String): Rows } type Rows { pageInfo: Info nodes: [Row] totalCount: Int } \
                          type Info { hasNextPage: Boolean endCursor: String } type Row { id: ID! }";
        let schema = ApiSchema::read(definition, Path::new("schema.graphql")).unwrap();
        let file = GraphqlFile {
            path: Path::new("work.graphql"),
            text: "{ rows { totalCount nodes { id } } }",
        };
        let document = QueryDocument::read(file, &[]).unwrap().unwrap();
        let (variables, scalars) = Default::default();
        let settings = PlanSettings {
            query_name: "work",
            variables: &variables,
            scalars: &scalars,
            flatten: false,
            page_size: 10,
        };
        plan_query(&document, &schema, settings).unwrap()
    }

    fn page(rows: u64, has_next_page: Option<bool>, end_cursor: Option<&str>) -> FoundPage {
        let end_cursor = end_cursor.map(str::to_owned);
        FoundPage {
            connection: 0,
            rows,
            has_next_page,
            end_cursor,
            total: None,
            is_null: false,
        }
    }

    fn later_page() -> Task {
        Task {
            id: 2,
            connection: Some(0),
            cursor: Some("c1".to_owned()),
            position: 10,
        }
    }

    fn follow_from(task: &Task, page: FoundPage) -> Result<Consequences, PagingError> {
        let harvest = Harvest {
            pages: vec![page],
            ..Harvest::default()
        };
        consequences(&plan(), task, harvest, &[])
    }

    #[test]
    fn a_page_leads_to_the_next_even_if_it_is_empty() {
        let result = follow_from(&later_page(), page(0, Some(true), Some("c2"))).unwrap();
        assert_eq!(
            result.next_pages,
            [NextPage {
                connection: 0,
                cursor: "c2".to_owned(),
                position: 10
            }]
        );
        assert!(result.finished.is_empty() && result.flaws.is_empty());
    }

    #[test]
    fn the_last_page_ends_the_connection_whatever_its_cursor() {
        let result = follow_from(&later_page(), page(3, Some(false), Some("c2"))).unwrap();
        assert_eq!(
            result.finished,
            [FinishedConnection {
                connection: 0,
                rows: 13,
                total: None
            }]
        );
        assert!(result.next_pages.is_empty() && result.flaws.is_empty());
    }

    #[test]
    fn a_cursor_that_stands_still_or_is_not_there_is_an_error() {
        let still = follow_from(&later_page(), page(3, Some(true), Some("c1"))).unwrap_err();
        assert!(matches!(still, PagingError::StandsStill { .. }));
        for cursor in [None, Some("")] {
            let none = follow_from(&later_page(), page(3, Some(true), cursor)).unwrap_err();
            assert!(matches!(none, PagingError::NoCursor { .. }));
        }
    }

    #[test]
    fn what_leaves_open_whether_it_is_all_is_a_flaw() {
        let silent = follow_from(&later_page(), page(3, None, None)).unwrap();
        assert_eq!(silent.flaws[0].0, "`rows` does not say whether there are more rows");
        let null = FoundPage {
            is_null: true,
            ..page(0, None, None)
        };
        assert_eq!(
            follow_from(&later_page(), null.clone()).unwrap().flaws.len(),
            1,
            "a later page cannot be null"
        );
        let first = Task {
            id: 1,
            connection: None,
            cursor: None,
            position: 0,
        };
        assert!(follow_from(&first, null).unwrap().flaws.is_empty(), "a connection can");
        let short = FoundPage {
            total: Some(14),
            ..page(3, Some(false), None)
        };
        assert_eq!(
            follow_from(&later_page(), short).unwrap().flaws[0].0,
            "`rows` had 13 rows, and 14 by its total"
        );
    }

    #[test]
    fn errors_are_counted_by_place_and_message() {
        let error = |path: serde_json::Value| {
            GraphqlError::from_value(serde_json::json!({ "message": "Access denied", "path": path }))
        };
        let errors = [
            error(serde_json::json!(["rows", "nodes", 0, "id"])),
            error(serde_json::json!(["rows", "nodes", 7, "id"])),
            error(serde_json::Value::Null),
        ];
        let expected = [
            ("`rows.nodes.id` is null: Access denied".to_owned(), 2),
            ("the API reports: Access denied".to_owned(), 1),
        ];
        assert_eq!(error_flaws(&errors), expected);
    }
}
