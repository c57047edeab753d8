//! Runs that were published before, as their manifests tell them.

use std::io::ErrorKind;
use std::path::PathBuf;

use fs_err as fs;

use crate::output::column_values::{ColumnError, distinct_values};
use crate::output::manifest::{MANIFEST_FILE, Manifest};
use crate::output::run_id::RunId;
use crate::output::source_folder::SourceFolder;

/// A published run of a query file.
#[derive(Debug, Clone)]
pub struct PublishedRun {
    /// The folder of its manifest.
    folder: PathBuf,
    /// What it wrote.
    pub manifest: Manifest,
}

/// Why a published run cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum PublishedError {
    /// The manifest, or the folder of the runs, cannot be read.
    #[error("`{path}` cannot be read: {source}")]
    Io {
        /// What cannot be read.
        path: PathBuf,
        /// The system's words.
        source: std::io::Error,
    },
    /// The manifest is none that gqldump wrote.
    #[error("`{path}` is no manifest: {source}; remove that run, or run the query file again")]
    Manifest {
        /// The manifest.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// A part cannot be read.
    #[error(transparent)]
    Column(#[from] ColumnError),
    /// The run has no such table.
    #[error("run {run} of `{query}` has no table `{table}`: run `{query}` again")]
    NoTable {
        /// The run.
        run: String,
        /// The query file.
        query: String,
        /// The table.
        table: String,
    },
}

impl PublishedRun {
    /// The run of that id of a query file; `None` where it is not published.
    pub fn find(folder: &SourceFolder, query: &str, run: &RunId) -> Result<Option<Self>, PublishedError> {
        let folder = folder.published(run, query);
        let path = folder.join(MANIFEST_FILE);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(PublishedError::Io { path, source }),
        };
        match serde_json::from_str(&text) {
            Ok(manifest) => Ok(Some(Self { folder, manifest })),
            Err(source) => Err(PublishedError::Manifest { path, source }),
        }
    }

    /// The newest complete run of a query file; `None` where there is none.
    pub fn newest_complete(folder: &SourceFolder, query: &str) -> Result<Option<Self>, PublishedError> {
        let mut ids = run_ids(folder, query)?;
        ids.sort_unstable_by(|one, other| other.cmp(one));
        for id in ids {
            if let Some(run) = Self::find(folder, query, &id)?.filter(|run| run.manifest.complete) {
                return Ok(Some(run));
            }
        }
        Ok(None)
    }

    /// The first of its files that is gone or cut short, if any is.
    pub fn lost_part(&self) -> Option<PathBuf> {
        self.manifest.lost_part(&self.folder)
    }

    /// The distinct values of a column of one of its tables, in order, without nulls; `column` leads into a STRUCT.
    pub fn distinct_values(&self, table: &str, column: &[String]) -> Result<Vec<serde_json::Value>, PublishedError> {
        let Manifest { run, query, tables, .. } = &self.manifest;
        let Some(entry) = tables.iter().find(|entry| entry.name == table) else {
            return Err(PublishedError::NoTable {
                run: run.clone(),
                query: query.clone(),
                table: table.to_owned(),
            });
        };
        let parts: Vec<PathBuf> = entry.parts.iter().map(|part| self.folder.join(&part.path)).collect();
        Ok(distinct_values(&parts, column)?)
    }
}

/// The ids of all runs of a query file.
pub(super) fn run_ids(folder: &SourceFolder, query: &str) -> Result<Vec<RunId>, PublishedError> {
    let path = folder.path().join(query);
    let entries = match fs::read_dir(&path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(PublishedError::Io { path, source }),
    };
    let mut ids = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|source| PublishedError::Io {
            path: path.clone(),
            source,
        })?;
        ids.extend(entry.file_name().to_str().and_then(|name| name.parse::<RunId>().ok()));
    }
    Ok(ids)
}
