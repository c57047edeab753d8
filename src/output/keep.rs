//! Runs that are older than those that are kept.
//!
//! A run goes as it came, the other way round: first its manifest, so that nobody begins to read it, then its parts. The
//! manifest's other name holds what is still to be removed, for the run that finds it after an interruption.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::num::NonZeroU32;
use std::path::Path;

use fs_err as fs;

use crate::output::durable::sync_folder;
use crate::output::error::OutputError;
use crate::output::manifest::{MANIFEST_FILE, Manifest};
use crate::output::published::{PublishedError, PublishedRun, run_ids};
use crate::output::run_id::RunId;
use crate::output::source_folder::SourceFolder;
use crate::output::store_error::StoreError;

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

/// The names under which a run has folders, but for its query file's.
pub(super) fn folders_of(manifest: &Manifest) -> BTreeSet<String> {
    let names = manifest.tables.iter().flat_map(|table| {
        let rejects = table.name_of_rejects().filter(|_| !table.reject_parts.is_empty());
        [Some(table.name.clone()), rejects]
    });
    names.flatten().filter(|name| *name != manifest.query).collect()
}

/// Removes the runs of a query file that are older than its newest complete ones, of which so many are kept.
pub fn remove_old_runs(folder: &SourceFolder, query: &str, keep: NonZeroU32) -> Result<(), KeepError> {
    let runs = run_ids(folder, query)?;
    let mut complete = Vec::new();
    for run in &runs {
        if PublishedRun::find(folder, query, run)?.is_some_and(|published| published.manifest.complete) {
            complete.push(run.clone());
        }
    }
    superseded(runs, &complete, keep)
        .iter()
        .try_for_each(|run| remove_run(folder, query, run))
}

fn remove_run(folder: &SourceFolder, query: &str, run: &RunId) -> Result<(), KeepError> {
    let own = folder.published(run, query);
    let (manifest, removed) = (own.join(MANIFEST_FILE), own.join(REMOVED_FILE));
    if manifest.exists() {
        fs::rename(&manifest, &removed).map_err(|error| OutputError::from_io(&manifest, error))?;
        sync_folder(&own)?;
    }
    for name in names_in(&removed)? {
        folder.remove_published(run, &name)?;
    }
    Ok(folder.remove_published(run, query)?)
}

/// The other folders of a run that is being removed; none where it never had a manifest.
fn names_in(removed: &Path) -> Result<BTreeSet<String>, KeepError> {
    let text = match fs::read(removed) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(BTreeSet::new()),
        Err(error) => return Err(OutputError::from_io(removed, error).into()),
    };
    let manifest: Manifest = serde_json::from_slice(&text).map_err(|source| PublishedError::Manifest {
        path: removed.to_owned(),
        source,
    })?;
    Ok(folders_of(&manifest))
}
