//! The query file that another one takes its values from: waited for where it is exported in the same run, and read
//! where it is published.

use std::path::{Path, PathBuf};

use serde_json::Value;
use tokio::sync::watch;

use crate::output::{PublishedError, PublishedRun, RunId, SourceFolder};
use crate::plan::Each;
use crate::run::outcome::QueryOutcome;

/// How the export of a query file ended.
#[derive(Debug, Clone)]
pub(crate) struct Ended {
    pub(crate) outcome: QueryOutcome,
    /// The run that it published, if it did.
    pub(crate) run: Option<RunId>,
}

/// Where the values come from that a query file is run for.
pub(crate) struct Upstream {
    pub(crate) each: Each,
    /// Tells how the other query file ended; `None` where it is not exported in this run.
    pub(crate) ended: Option<watch::Receiver<Option<Ended>>>,
    /// The other query file.
    pub(crate) path: PathBuf,
    pub(crate) folder: SourceFolder,
}

/// The values that a query file is run for.
pub(crate) struct Members {
    pub(crate) values: Vec<Value>,
    /// Why they may not be all.
    pub(crate) flaw: Option<String>,
}

/// Why there are no values.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UpstreamError {
    #[error("not begun: `{query}`, which its values come from, {how}")]
    Ended {
        query: String,
        how: &'static str,
        outcome: QueryOutcome,
    },
    #[error(
        "there is no complete run of `{query}`, which the values of `${variable}` come from: run it with `gqldump run {}`",
        path.display()
    )]
    NoRun {
        query: String,
        variable: String,
        path: PathBuf,
    },
    #[error(transparent)]
    Published(#[from] PublishedError),
    #[error("reading the values was broken off")]
    BrokenOff,
}

impl UpstreamError {
    /// How a query file ends that cannot begin because of it.
    pub(crate) fn outcome(&self) -> QueryOutcome {
        match self {
            Self::Ended { outcome, .. } => outcome.clone(),
            Self::NoRun { .. } | Self::Published(_) | Self::BrokenOff => QueryOutcome::Failed,
        }
    }
}

impl Upstream {
    /// The values, as soon as they are there.
    pub(crate) async fn members(&self) -> Result<Members, UpstreamError> {
        let run = self.awaited().await?;
        let (each, folder, path) = (self.each.clone(), self.folder.clone(), self.path.clone());
        let read = tokio::task::spawn_blocking(move || read(&each, &folder, &path, run));
        read.await.unwrap_or(Err(UpstreamError::BrokenOff))
    }

    /// The run that the other query file publishes now; `None` where it is not exported in this run.
    async fn awaited(&self) -> Result<Option<RunId>, UpstreamError> {
        let Some(mut ended) = self.ended.clone() else {
            return Ok(None);
        };
        let ended = ended.wait_for(Option::is_some).await;
        // Whoever was to tell is gone only if the run is being broken off.
        let ended = ended.map_err(|_| UpstreamError::BrokenOff)?.clone();
        let ended = ended.ok_or(UpstreamError::BrokenOff)?;
        if ended.run.is_some() {
            return Ok(ended.run);
        }
        let (how, outcome) = match ended.outcome {
            QueryOutcome::Interrupted => ("was interrupted", QueryOutcome::Interrupted),
            QueryOutcome::NotAuthorized => ("was not authorized", QueryOutcome::NotAuthorized),
            QueryOutcome::Refused => ("is refused", QueryOutcome::Refused),
            QueryOutcome::Failed | QueryOutcome::Complete | QueryOutcome::Incomplete => {
                ("failed", QueryOutcome::Failed)
            }
        };
        Err(UpstreamError::Ended {
            query: self.each.query.clone(),
            how,
            outcome,
        })
    }
}

fn read(each: &Each, folder: &SourceFolder, path: &Path, run: Option<RunId>) -> Result<Members, UpstreamError> {
    let published = match run {
        Some(run) => PublishedRun::find(folder, &each.query, &run)?,
        None => PublishedRun::newest_complete(folder, &each.query)?,
    };
    let published = published.ok_or_else(|| UpstreamError::NoRun {
        query: each.query.clone(),
        variable: each.variable.clone(),
        path: path.to_owned(),
    })?;
    let (query, manifest) = (&each.query, &published.manifest);
    let flaw = || {
        let (variable, run) = (&each.variable, &manifest.run);
        format!("`{query}`, which the values of `${variable}` come from, is not complete in run {run}")
    };
    let values = published.distinct_values(&each.table, &each.column)?;
    Ok(Members {
        values: values.into_iter().map(|value| each.member(value)).collect(),
        flaw: (!manifest.complete).then(flaw),
    })
}

/// What is known of the values that a query file is run for, before it is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownMembers {
    /// How many there are.
    pub count: u64,
    /// The run of the other query file that has them.
    pub run: String,
}

/// How many values there are in the newest complete run of the query file that they come from; `None` where there is no
/// such run, or where it cannot be read any more.
pub fn known_members(output: &Path, source: &str, each: &Each) -> Option<KnownMembers> {
    let folder = SourceFolder::new(output, source);
    let published = PublishedRun::newest_complete(&folder, &each.query).ok().flatten()?;
    let values = published.distinct_values(&each.table, &each.column).ok()?;
    Some(KnownMembers {
        count: u64::try_from(values.len()).unwrap_or(u64::MAX),
        run: published.manifest.run,
    })
}
