//! What `gqldump status --json` tells machines. Keys are added to it, and none is renamed or taken away.

use serde::Serialize;

use crate::cli::status::SourceStatus;
use crate::cli::words::{date_of, moment_of};
use crate::output::moment;
use crate::plan::DeniedField;
use crate::run::{LearntConnection, PublishedStatus, QueryStatus, UnfinishedStatus};

/// The whole document.
#[derive(Serialize)]
pub(super) struct JsonStatus<'status> {
    sources: Vec<JsonSource<'status>>,
}

#[derive(Serialize)]
struct JsonSource<'status> {
    source: &'status str,
    queries: Vec<JsonQuery<'status>>,
    /// The query files of which something was forgotten.
    #[serde(skip_serializing_if = "Option::is_none")]
    forgotten: Option<Vec<&'status str>>,
}

#[derive(Serialize)]
struct JsonQuery<'status> {
    query: &'status str,
    unfinished: Option<JsonUnfinished<'status>>,
    /// The run that was published last, complete or not.
    last: &'status Option<PublishedStatus>,
    last_complete: &'status Option<PublishedStatus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    learnt: Option<JsonLearnt<'status>>,
}

#[derive(Serialize)]
struct JsonUnfinished<'status> {
    started: String,
    #[serde(flatten)]
    status: &'status UnfinishedStatus,
}

#[derive(Serialize)]
struct JsonLearnt<'status> {
    /// When the last of it was learnt; null where nothing is known.
    learnt_at: Option<String>,
    connections: &'status [LearntConnection],
    /// Fields that the token may not see.
    denied: Vec<JsonDenied<'status>>,
    /// The most rows that share a request for what does not come with them; null where none failed for them.
    rows_of_lookups: Option<usize>,
    /// The most rows that a request may ask for; null where none was refused for them.
    rows_asked: Option<u64>,
    /// The most parts of a request; null where none was refused for them.
    parts: Option<usize>,
    /// Requests in flight; null where the API turned away none.
    in_flight: Option<usize>,
}

/// A field that the token may not see.
#[derive(Serialize)]
pub(super) struct JsonDenied<'denied> {
    path: &'denied str,
    cause: &'denied str,
    /// The day on which the API said so.
    since: String,
}

impl<'denied> JsonDenied<'denied> {
    pub(super) fn of(field: &'denied DeniedField) -> Self {
        Self {
            path: &field.path,
            cause: &field.cause,
            since: date_of(field.denied_at),
        }
    }
}

impl<'status> JsonStatus<'status> {
    pub(super) fn of(sources: &'status [SourceStatus], has_learnt: bool) -> Self {
        let sources = sources.iter().map(|source| JsonSource {
            source: &source.name,
            queries: source.queries.iter().map(|query| query_of(query, has_learnt)).collect(),
            forgotten: source
                .forgotten
                .as_ref()
                .map(|forgotten| forgotten.iter().map(|(query, _)| query.as_str()).collect()),
        });
        Self {
            sources: sources.collect(),
        }
    }
}

fn query_of(query: &QueryStatus, has_learnt: bool) -> JsonQuery<'_> {
    JsonQuery {
        query: &query.query,
        unfinished: query.unfinished.as_ref().map(unfinished),
        last: &query.last,
        last_complete: &query.last_complete,
        learnt: has_learnt.then(|| JsonLearnt {
            learnt_at: query.learnt.learnt_at.map(|at| moment(moment_of(at))),
            connections: &query.learnt.connections,
            denied: query.learnt.denied.iter().map(JsonDenied::of).collect(),
            rows_of_lookups: query.learnt.rows_of_lookups,
            rows_asked: query.learnt.rows_asked,
            parts: query.learnt.parts,
            in_flight: query.learnt.in_flight,
        }),
    }
}

fn unfinished(status: &UnfinishedStatus) -> JsonUnfinished<'_> {
    JsonUnfinished {
        started: moment(moment_of(status.started_at)),
        status,
    }
}
