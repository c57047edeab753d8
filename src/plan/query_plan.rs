//! A checked query turned into its plan.

use std::collections::BTreeMap;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use crate::plan::columns::Context;
use crate::plan::directives;
use crate::plan::document::{CheckedQuery, QueryDocument};
use crate::plan::report::{Finding, PlanError};
use crate::plan::row_plan::{RowPlan, joined, plan_rows};
use crate::plan::survey::{survey, switched_off};
use crate::plan::table::{Table, TableName};
use crate::plan::template::{RequestTemplate, TemplateMaker};
use crate::plan::variables::Variables;
use crate::schema::{ApiSchema, ScalarType};

/// What beside the query file and the schema decides how a query is exported.
#[derive(Debug, Clone, Copy)]
pub struct PlanSettings<'settings> {
    /// The query file's name without its ending, which names the table.
    pub query_name: &'settings str,
    /// What the API is called where runs are kept apart: cursors of one are worth nothing to another.
    pub api: &'settings str,
    /// Values for variables, as given on the command line; those of other query files may be among them.
    pub variables: &'settings BTreeMap<String, String>,
    /// What the API's custom scalars become.
    pub scalars: &'settings BTreeMap<String, ScalarType>,
    /// Whether nested objects become columns of their own.
    pub flatten: bool,
    /// Rows asked for at once where the query says nothing of it.
    pub page_size: u32,
}

/// How one query file is exported.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Its tables.
    pub tables: Arc<[Table]>,
    /// Its paginated connections; the rows of the connection of an index go to the table of that index.
    pub connections: Vec<Connection>,
    /// Connections of which only the first page is read, since the author says so: their places, with dots.
    pub first_pages_only: Vec<String>,
    /// The request for the first pages.
    pub start: RequestTemplate,
    /// Changes whenever anything changes that decides what is asked for or how it is written.
    pub fingerprint: Fingerprint,
}

/// A paginated connection.
#[derive(Debug, Clone)]
pub struct Connection {
    /// Its place in the response, with dots.
    pub path: String,
    /// Rows asked for at once.
    pub page_size: u32,
    /// The request for a later page.
    pub next_page: RequestTemplate,
}

/// The hash of all that decides what is asked for and how it is written: request texts, variables, tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// As hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Plans the export of `document`.
pub fn plan_query(document: &QueryDocument, schema: &ApiSchema, settings: PlanSettings<'_>) -> Result<Plan, PlanError> {
    let CheckedQuery { operation, sources } = document.check(schema)?;
    let variables = Variables::bind(&operation, settings.variables, &sources)?;
    let context = Context {
        schema: schema.compiled(),
        scalars: settings.scalars,
        flatten: settings.flatten,
        variables: &variables,
        sources: &sources,
    };
    let (row_fields, branches) = survey(context, &operation.selection_set)?;
    let plan = |(table, row)| plan_rows(context, row, &branches, table, settings.page_size);
    let rows = row_fields
        .iter()
        .enumerate()
        .map(plan)
        .collect::<Result<Vec<RowPlan>, _>>()?;
    let operation_name = directives::table(&operation.directives).name;
    let tables = tables(context, &rows, operation_name.as_deref().unwrap_or(settings.query_name))?;
    let maker = TemplateMaker {
        context,
        operation: &operation,
        rows: &rows,
        branches: &branches,
    };
    let connections = rows.iter().enumerate().filter_map(|(index, row)| {
        let relay = row.relay.as_ref()?;
        let connection = maker.make(Some(index)).map(|next_page| Connection {
            path: joined(&row.path, "."),
            page_size: relay.page_size,
            next_page,
        });
        Some(connection)
    });
    let connections = connections.collect::<Result<Vec<_>, _>>()?;
    let start = maker.make(None)?;
    let fingerprint = fingerprint(settings.api, &tables, &start, &connections);
    Ok(Plan {
        tables: tables.into(),
        connections,
        first_pages_only: switched_off(context, &operation.selection_set)?,
        start,
        fingerprint,
    })
}

/// One table is called like the query file, several are called by their fields as well.
fn tables(context: Context<'_>, rows: &[RowPlan], stem: &str) -> Result<Vec<Table>, PlanError> {
    let mut tables: Vec<Table> = Vec::new();
    for row in rows {
        let name = match (&row.table.name, rows) {
            (Some(name), _) => name.clone(),
            (None, [_]) => stem.to_owned(),
            (None, _) => format!("{stem}__{}", row.path.last().map_or("", |key| key.as_str())),
        };
        let refusal = |message: String, help: &str| {
            let place = row
                .table
                .place
                .or_else(|| row.path.last().and_then(apollo_compiler::Name::location));
            let finding = Finding {
                message,
                place,
                label: "this table".to_owned(),
                help: help.to_owned(),
            };
            finding.into_error(context.sources)
        };
        let table_name = TableName::new(&name).ok_or_else(|| {
            refusal(
                format!("`{name}` cannot be a table's name"),
                "use letters, digits, `_` and `-`",
            )
        })?;
        if tables.iter().any(|other| other.name == table_name) {
            let message = format!("two tables would be called `{name}`");
            return Err(refusal(
                message,
                "name one of them with @table(name: \"…\"), or give its field an alias",
            ));
        }
        tables.push(Table {
            name: table_name,
            columns: row.columns.clone(),
        });
    }
    Ok(tables)
}

fn fingerprint(api: &str, tables: &[Table], start: &RequestTemplate, connections: &[Connection]) -> Fingerprint {
    let mut hash = Sha256::new();
    hash.update(api);
    for template in std::iter::once(start).chain(connections.iter().map(|connection| &connection.next_page)) {
        hash.update(template.text.as_bytes());
        hash.update(serde_json::Value::Object(template.variables.clone()).to_string());
        hash.update(format!("{:?}", template.layout));
    }
    hash.update(format!("{tables:?}"));
    let digits = hash
        .finalize()
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    Fingerprint(digits)
}
