//! Runs that are older than those that are kept.
//!
//! A run goes as it came, the other way round: first its manifest, so that nobody begins to read it, then its parts. The
//! manifest's other name holds what is still to be removed, for the run that finds it after an interruption, and goes last.
//!
//! Nothing is removed but what a manifest of ours names: a folder is none of ours for being called like a run.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::num::NonZeroU32;
use std::path::Path;

use fs_err as fs;

use crate::failpoint::{Step, around};
use crate::output::durable::sync_folder;
use crate::output::error::OutputError;
use crate::output::manifest::{MANIFEST_FILE, Manifest};
use crate::output::published::{PublishedError, PublishedRun, run_ids};
use crate::output::run_id::RunId;
use crate::output::source_folder::SourceFolder;
use crate::output::store_error::StoreError;
use crate::plan::TableName;

/// What the manifest is called of a run that is being removed.
pub(super) const REMOVED_FILE: &str = "_removed.json";

/// Why old runs are still there. The new one is published all the same.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// They cannot be read.
    #[error(transparent)]
    Published(#[from] PublishedError),
    /// They cannot be removed.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// They cannot be removed from an object store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Which runs are older than the kept ones, the oldest first: those before the newest so many of the complete ones.
pub(super) fn superseded(mut runs: Vec<RunId>, complete: &[RunId], keep: NonZeroU32) -> Vec<RunId> {
    let mut complete: Vec<&RunId> = complete.iter().collect();
    complete.sort_unstable_by(|one, other| other.cmp(one));
    let keep = usize::try_from(keep.get()).unwrap_or(usize::MAX);
    let Some(oldest_kept) = complete.get(keep - 1) else {
        return Vec::new();
    };
    runs.retain(|run| run < oldest_kept);
    runs.sort_unstable();
    runs
}

/// The names under which the run of a manifest has folders, but for its query file's; `None` where the manifest is not of
/// this run, or names what no table is called: a name may lead anywhere.
pub(super) fn folders_of(manifest: &Manifest, query: &str, run: &RunId) -> Option<BTreeSet<TableName>> {
    if manifest.query != query || manifest.run != run.to_string() {
        return None;
    }
    let mut names = BTreeSet::new();
    for table in &manifest.tables {
        let name = TableName::new(table.name.as_str())?;
        if !table.reject_parts.is_empty() {
            names.insert(name.rejects());
        }
        names.insert(name);
    }
    names.retain(|name| name.as_str() != query);
    Some(names)
}

/// Removes the runs of a query file that are older than its newest complete ones, of which so many are kept.
pub fn remove_old_runs(folder: &SourceFolder, query: &str, keep: NonZeroU32) -> Result<(), KeepError> {
    let runs = run_ids(folder, query)?;
    let mut complete = Vec::new();
    for run in &runs {
        let published = PublishedRun::find(folder, query, run)?;
        let is_kept = |manifest: &Manifest| manifest.complete && folders_of(manifest, query, run).is_some();
        if published.is_some_and(|published| is_kept(&published.manifest)) {
            complete.push(run.clone());
        }
    }
    superseded(runs, &complete, keep)
        .iter()
        .try_for_each(|run| around(Step::OldRunRemoved, || remove_run(folder, query, run)))
}

fn remove_run(folder: &SourceFolder, query: &str, run: &RunId) -> Result<(), KeepError> {
    let own = folder.published(run, query);
    let (published, removed) = (own.join(MANIFEST_FILE), own.join(REMOVED_FILE));
    let (path, manifest) = match (read_manifest(&published)?, read_manifest(&removed)?) {
        (Some(manifest), _) => (&published, manifest),
        (None, Some(manifest)) => (&removed, manifest),
        (None, None) => {
            // All that an interruption behind the last file leaves is empty; anything else stays, as it is not ours.
            let _ = fs::remove_dir(&own);
            return Ok(());
        }
    };
    let Some(names) = folders_of(&manifest, query, run) else {
        return Ok(());
    };
    if path == &published {
        fs::rename(&published, &removed).map_err(|error| OutputError::from_io(&published, error))?;
        sync_folder(&own)?;
    }
    for name in names {
        // A run of another query file, which has its manifest there, began in the same second.
        if !folder.published(run, name.as_str()).join(MANIFEST_FILE).exists() {
            folder.remove_published(run, name.as_str())?;
        }
    }
    Ok(folder.remove_published_but_last(run, query, REMOVED_FILE)?)
}

/// A manifest, under either of its names; `None` where there is none.
fn read_manifest(path: &Path) -> Result<Option<Manifest>, KeepError> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(OutputError::from_io(path, error).into()),
    };
    let manifest = serde_json::from_slice(&text).map_err(|source| PublishedError::Manifest {
        path: path.to_owned(),
        source,
    })?;
    Ok(Some(manifest))
}
