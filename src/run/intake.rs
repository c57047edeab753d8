//! What follows from a response: which pages are to be read next, which connections are at their end, what is lacking.
//!
//! Pure: a harvest goes in, a decision comes out.

use std::collections::BTreeMap;

use crate::api::{ErrorPath, GraphqlError, PathSegment};
use crate::plan::Plan;
use crate::run::harvest::{FoundPage, Harvest};
use crate::state::{FinishedConnection, Task, Trail};

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
    /// What may be a mistake of the author's, and leaves nothing lacking.
    pub(crate) warnings: Vec<String>,
}

/// The page behind the one that was read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NextPage {
    pub(crate) connection: usize,
    pub(crate) cursor: String,
    pub(crate) position: u64,
    pub(crate) trail: Trail,
}

/// A page whose paging cannot go on, so that the rows behind it cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PagingError {
    #[error(
        "`{path}` says that there is another page and gives no cursor for it; if that is all there is, write \
         @paginate(style: NONE)"
    )]
    NoCursor { path: String },
    #[error("`{path}` broke off: a later page of it has no rows where the others have them")]
    BrokeOff { path: String },
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
    if task.connection.is_none() {
        let unread = plan.first_pages_only.iter();
        let text = |path: &String| format!("of `{path}` only first pages are read, as @paginate(style: NONE) says");
        result.flaws.extend(unread.map(|path| (text(path), 1)));
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
    if !begins && (page.is_null || !page.has_items) {
        return Err(PagingError::BrokeOff { path: path() });
    }
    note_what_is_open(&connection.path, &page, result);
    let rows = page.rows + if begins { 0 } else { task.position };
    if page.has_next_page == Some(true) {
        let cursor = page.end_cursor.filter(|cursor| !cursor.is_empty());
        let cursor = cursor.ok_or_else(|| PagingError::NoCursor { path: path() })?;
        if task.cursor.as_ref() == Some(&cursor) {
            return Err(PagingError::StandsStill { path: path() });
        }
        let trail = task.trail.step(&cursor);
        let trail = trail.ok_or_else(|| PagingError::Circles { path: path() })?;
        result.next_pages.push(NextPage {
            connection: page.connection,
            cursor,
            position: rows,
            trail,
        });
        return Ok(());
    }
    if let Some(total) = page.total.filter(|total| *total > rows) {
        let text = format!("`{}` had {rows} rows, and {total} by its total", connection.path);
        result.flaws.push((text, 1));
    }
    result.finished.push(FinishedConnection {
        connection: page.connection,
        rows,
        total: page.total,
    });
    Ok(())
}

/// Names what leaves open whether the page's rows are all there are.
fn note_what_is_open(path: &str, page: &FoundPage, result: &mut Consequences) {
    if page.is_null {
        if !page.is_left_out {
            let text = format!("`{path}`, or an object above it, is null: it has no rows");
            result.warnings.push(text);
        }
        return;
    }
    if !page.has_items {
        result.flaws.push((format!("`{path}` has no list of rows"), 1));
    }
    if page.has_next_page.is_none() {
        let text = format!("`{path}` does not say whether there are more rows");
        result.flaws.push((text, 1));
    }
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
            api: "tracker",
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
            has_items: true,
            is_left_out: false,
        }
    }

    fn later_page() -> Task {
        Task {
            id: 2,
            connection: Some(0),
            cursor: Some("c1".to_owned()),
            position: 10,
            trail: Trail::default(),
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
                position: 10,
                trail: Trail {
                    pages: 1,
                    landmark: Some("c2".to_owned())
                },
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
        let without_items = FoundPage {
            has_items: false,
            ..page(0, Some(false), None)
        };
        for broken in [null.clone(), without_items.clone()] {
            let error = follow_from(&later_page(), broken).unwrap_err();
            assert!(
                matches!(error, PagingError::BrokeOff { .. }),
                "a later page cannot be without rows"
            );
        }
        let first = Task {
            id: 1,
            connection: None,
            cursor: None,
            position: 0,
            trail: Trail::default(),
        };
        let nothing = follow_from(&first, null).unwrap();
        assert!(
            nothing.flaws.is_empty() && nothing.warnings.len() == 1,
            "a connection can be null, and that is told"
        );
        assert_eq!(
            follow_from(&first, without_items).unwrap().flaws[0].0,
            "`rows` has no list of rows"
        );

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
    fn cursors_that_go_round_in_a_circle_are_found_whatever_its_length() {
        for length in 1..40_u64 {
            let mut task = Task {
                id: 1,
                connection: None,
                cursor: None,
                position: 0,
                trail: Trail::default(),
            };
            let mut pages = 0;
            // Three cursors lead into the circle.
            let error = loop {
                let number = if pages < 3 { pages } else { 3 + (pages - 3) % length };
                match follow_from(&task, page(1, Some(true), Some(&format!("c{number}")))) {
                    Ok(mut result) => {
                        let next = result.next_pages.remove(0);
                        task.cursor = Some(next.cursor);
                        task.trail = next.trail;
                    }
                    Err(error) => break error,
                }
                pages += 1;
                assert!(pages <= 3 * (length + 3), "a circle of {length} is not found");
            };
            let stands_still = matches!(error, PagingError::StandsStill { .. });
            assert!(stands_still == (length == 1) && (stands_still || matches!(error, PagingError::Circles { .. })));
        }
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
