//! What the state and the output hold of a source's query files, without any of their plans.

use std::time::Duration;

use serde::Serialize;

use crate::clock::Clock;
use crate::output::{Manifest, PublishedError, PublishedRun, RunId, SourceFolder};
use crate::run::learnt::Learnt;
use crate::state::{KnownRun, OpenRun, StateError, StateLock, StateStore, StateView};

/// What is known of a query file.
#[derive(Debug)]
pub struct QueryStatus {
    /// Its name.
    pub query: String,
    /// Its unfinished run.
    pub unfinished: Option<UnfinishedStatus>,
    /// The run that was published last, complete or not.
    pub last: Option<PublishedStatus>,
    /// The last complete run.
    pub last_complete: Option<PublishedStatus>,
    /// What earlier runs showed.
    pub learnt: Learnt,
}

/// What is known of a run that is not finished.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnfinishedStatus {
    /// Its id.
    pub run: String,
    /// When it began, in milliseconds since 1970.
    #[serde(skip)]
    pub started_at: u64,
    /// Responses taken in.
    pub responses: u64,
    /// Rows in them.
    pub rows: u64,
    /// Attempts on the wire.
    pub requests: u64,
    /// Pages still to be read, as far as they are known.
    pub open_pages: u64,
    /// Whether all is read, and is being moved to its place.
    pub is_publishing: bool,
}

/// What is known of a published run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PublishedStatus {
    /// Its id.
    pub run: String,
    /// When it was published.
    pub finished: String,
    /// From its beginning to that, interruptions included.
    #[serde(skip)]
    pub took: Duration,
    /// Whether nothing is lacking.
    pub complete: bool,
    /// Tables in it.
    pub tables: u64,
    /// Rows in all of them.
    pub rows: u64,
    /// Attempts on the wire that it took.
    pub requests: u64,
    /// What is lacking.
    pub incomplete: Vec<String>,
}

/// Why nothing can be said.
#[derive(Debug, thiserror::Error)]
pub enum StatusError {
    /// The state cannot be read, or another process works with it.
    #[error(transparent)]
    State(#[from] StateError),
    /// A manifest cannot be read.
    #[error(transparent)]
    Published(#[from] PublishedError),
}

/// What is known of the query files of a source.
pub fn source_status(folder: &SourceFolder, queries: &[String]) -> Result<Vec<QueryStatus>, StatusError> {
    let view = StateView::open(&folder.own())?;
    let status = |query: &String| query_status(folder, view.as_ref(), query);
    queries.iter().map(status).collect()
}

fn query_status(folder: &SourceFolder, view: Option<&StateView>, query: &str) -> Result<QueryStatus, StatusError> {
    let (unfinished, last, learnt) = match view {
        Some(view) => (view.open_run(query)?, view.last_published(query)?, view.learnt(query)?),
        None => (None, None, Vec::new()),
    };
    Ok(QueryStatus {
        query: query.to_owned(),
        unfinished: unfinished.map(unfinished_status),
        last: published(folder, query, last)?,
        last_complete: PublishedRun::newest_complete(folder, query)?.map(|run| status_of(run.manifest)),
        learnt: Learnt::read(&learnt),
    })
}

fn unfinished_status(open: OpenRun) -> UnfinishedStatus {
    let OpenRun {
        run,
        is_publishing,
        open_tasks,
    } = open;
    UnfinishedStatus {
        run: run.name,
        started_at: run.started_at,
        responses: run.responses,
        rows: run.rows,
        requests: run.requests,
        open_pages: open_tasks,
        is_publishing,
    }
}

/// A run that the state knows and whose files are still there.
fn published(
    folder: &SourceFolder,
    query: &str,
    run: Option<KnownRun>,
) -> Result<Option<PublishedStatus>, PublishedError> {
    let Some(id) = run.and_then(|run| run.name.parse::<RunId>().ok()) else {
        return Ok(None);
    };
    Ok(PublishedRun::find(folder, query, &id)?.map(|run| status_of(run.manifest)))
}

fn status_of(manifest: Manifest) -> PublishedStatus {
    PublishedStatus {
        took: took(&manifest).unwrap_or_default(),
        run: manifest.run,
        finished: manifest.finished,
        complete: manifest.complete,
        tables: manifest.tables.len() as u64,
        rows: manifest.tables.iter().map(|table| table.rows).sum(),
        requests: manifest.traffic.requests,
        incomplete: manifest.incomplete,
    }
}

fn took(manifest: &Manifest) -> Option<Duration> {
    let moment = |text: &str| humantime::parse_rfc3339(text).ok();
    moment(&manifest.finished)?
        .duration_since(moment(&manifest.started)?)
        .ok()
}

/// Forgets what earlier runs showed of query files of a source, and says what that was; refused while a run goes on.
pub async fn forget_learnt(
    folder: &SourceFolder,
    queries: &[String],
    clock: &Clock,
) -> Result<Vec<(String, Learnt)>, StateError> {
    let own = folder.own();
    // To open a state that is not there would make it.
    if StateView::open(&own)?.is_none() {
        return Ok(Vec::new());
    }
    let _lock = StateLock::take(&own, clock)?;
    let (state, thread) = StateStore::open(&own, clock)?;
    let dropped = forget(&own, &state, queries).await;
    drop(state);
    thread.join();
    dropped
}

async fn forget(
    own: &std::path::Path,
    state: &StateStore,
    queries: &[String],
) -> Result<Vec<(String, Learnt)>, StateError> {
    let mut dropped = Vec::new();
    if let Some(view) = StateView::open(own)? {
        for query in queries {
            let kept = view.learnt(query)?;
            if !kept.is_empty() {
                dropped.push((query.clone(), Learnt::read(&kept)));
            }
        }
    }
    state.forget(queries.to_vec()).await?;
    Ok(dropped)
}
