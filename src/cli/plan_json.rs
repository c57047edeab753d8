//! What `gqldump plan --json` tells machines. Keys are added to it, and none is renamed or taken away.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::cli::plan::{PlannedSource, requests};
use crate::cli::plan_text::in_all;
use crate::cli::status_json::JsonDenied;
use crate::plan::{ConnectionDescription, Cut, Each, TableDescription, WholeList};
use crate::run::{KnownBy, LearntCut, Preview, RowsEstimate, span};

/// The whole document.
#[derive(Serialize)]
pub(super) struct JsonPlan<'plan> {
    sources: Vec<JsonSource<'plan>>,
}

#[derive(Serialize)]
struct JsonSource<'plan> {
    source: &'plan str,
    /// Of all its query files together.
    estimate: JsonEstimate,
    queries: Vec<JsonQuery<'plan>>,
}

#[derive(Serialize)]
struct JsonQuery<'plan> {
    query: &'plan str,
    /// What it is run for, once for each value; null where it is run once.
    each: Option<JsonEach<'plan>>,
    estimate: JsonEstimate,
    tables: &'plan [TableDescription],
    connections: Vec<JsonConnection<'plan>>,
    lists: &'plan [WholeList],
    cuts: Vec<&'plan Cut>,
    learnt_cuts: &'plan [LearntCut],
    /// Fields that the token may not see, and that are not asked for.
    left_out: Vec<JsonDenied<'plan>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    requests: Option<Vec<JsonRequest>>,
}

#[derive(Serialize)]
struct JsonEach<'plan> {
    #[serde(flatten)]
    each: &'plan Each,
    /// How many values there are; null where the query file that has them has no complete run.
    values: Option<u64>,
    /// The run that has them.
    run: Option<&'plan str>,
}

#[derive(Serialize)]
struct JsonEstimate {
    /// Null where nothing is known.
    requests: Option<u64>,
    /// Whether there will be more, since something is not known.
    is_at_least: bool,
    /// The time that the budget needs to let them through.
    seconds: Option<f64>,
}

#[derive(Serialize)]
struct JsonConnection<'plan> {
    #[serde(flatten)]
    description: &'plan ConnectionDescription,
    /// Rows asked for with the first page.
    first_page_size: Option<u32>,
    /// Null where that is unknown.
    rows: Option<u64>,
    rows_known_by: Option<&'static str>,
}

#[derive(Serialize)]
struct JsonRequest {
    /// The index of the connection of which it asks for a page; null for the first pages of everything.
    connection: Option<usize>,
    /// Whether that is a first page.
    is_first: bool,
    /// The group of columns that it asks for.
    group: usize,
    query: String,
    variables: Map<String, Value>,
}

impl<'plan> JsonPlan<'plan> {
    pub(super) fn of(sources: &'plan [PlannedSource<'plan>], has_requests: bool) -> Self {
        let sources = sources.iter().map(|source| {
            let (requests, is_at_least) = in_all(source.queries.iter().map(|(_, preview)| &preview.estimate));
            JsonSource {
                source: source.name,
                estimate: estimate(requests, is_at_least, source),
                queries: source
                    .queries
                    .iter()
                    .map(|(name, preview)| query(source, name, preview, has_requests))
                    .collect(),
            }
        });
        Self {
            sources: sources.collect(),
        }
    }
}

fn query<'plan>(
    source: &PlannedSource<'_>,
    name: &'plan str,
    preview: &'plan Preview,
    has_requests: bool,
) -> JsonQuery<'plan> {
    let description = &preview.plan.description;
    let known = preview.estimate.rows.iter().zip(&preview.first_sizes);
    let connections = description.connections.iter().zip(known);
    JsonQuery {
        query: name,
        each: preview.plan.each.as_ref().map(|each| JsonEach {
            each,
            values: preview.members.as_ref().map(|members| members.count),
            run: preview.members.as_ref().map(|members| members.run.as_str()),
        }),
        estimate: estimate(preview.estimate.requests, preview.estimate.is_at_least, source),
        tables: &description.tables,
        connections: connections
            .map(|(description, (known, first))| connection(description, known, *first))
            .collect(),
        lists: &description.lists,
        cuts: preview.cuts().collect(),
        learnt_cuts: &preview.learnt_cuts,
        left_out: preview
            .plan
            .left_out
            .iter()
            .map(|left_out| JsonDenied::of(&left_out.field))
            .collect(),
        requests: has_requests.then(|| requests_of(preview, &source.secrets)),
    }
}

fn connection<'plan>(
    description: &'plan ConnectionDescription,
    known: &RowsEstimate,
    first_size: u32,
) -> JsonConnection<'plan> {
    JsonConnection {
        description,
        first_page_size: description.page_size.map(|_| first_size),
        rows: known.rows,
        rows_known_by: known.known_by.map(|known_by| match known_by {
            KnownBy::EarlierRuns => "earlier_runs",
            KnownBy::Total => "total",
        }),
    }
}

fn requests_of(preview: &Preview, secrets: &[&str]) -> Vec<JsonRequest> {
    let requests = requests(preview, secrets).into_iter().map(|planned| JsonRequest {
        connection: planned.connection,
        is_first: planned.is_first,
        group: planned.group,
        query: planned.request.text.to_string(),
        variables: planned.request.variables,
    });
    requests.collect()
}

fn estimate(requests: Option<u64>, is_at_least: bool, source: &PlannedSource<'_>) -> JsonEstimate {
    JsonEstimate {
        requests,
        is_at_least,
        seconds: requests.map(|requests| span(requests, source.limits).as_secs_f64()),
    }
}
