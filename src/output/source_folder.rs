//! Where the files of one source stand: staged while a run goes on, published when it is done.
//!
//! ```text
//! <output>/<source>/.gqldump/staging/<run>/<table>/part-00000.parquet   while the run goes on
//! <output>/<source>/<table>/<run>/part-00000.parquet                    when it is published
//! <output>/<source>/<query>/<run>/_manifest.json                        what says so
//! <output>/<source>/<table>/latest -> <run>                             the newest complete run
//! ```

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use fs_err as fs;

use crate::failpoint::{Step, around};
use crate::output::durable::{create_synced, sync_folder, sync_names, sync_tree};
use crate::output::error::OutputError;
use crate::output::manifest::MANIFEST_FILE;
use crate::output::run_id::RunId;
use crate::plan::TableName;

/// The folder of our own beside the tables.
const OWN_FOLDER: &str = ".gqldump";

/// The folder of one source in the output folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFolder(PathBuf);

impl SourceFolder {
    /// The folder of the source of this name.
    pub fn new(output: &Path, source: &str) -> Self {
        Self(output.join(source))
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The folder of our own in it: state, lock, what is staged.
    pub fn own(&self) -> PathBuf {
        self.0.join(OWN_FOLDER)
    }

    /// Makes it, and the folder of our own in it.
    pub fn create(&self) -> std::io::Result<()> {
        create_synced(&self.0)?;
        create_synced(&self.own())
    }

    /// Has everything in it outlive the machine. What a process has made that was ended before it was written down is
    /// written down now: all that follows stands in it.
    pub fn sync(&self) -> std::io::Result<()> {
        sync_names(&self.0)?;
        self.0.parent().map_or(Ok(()), sync_names)?;
        sync_tree(&self.own().join("staging"))
    }

    /// Where the parts of a table are written while the run goes on.
    pub fn staging(&self, run: &RunId, table: &TableName) -> PathBuf {
        self.staging_of_run(run).join(table.as_str())
    }

    /// Where the parts of a table stand when the run is published; also, for the query file of that name, its manifest.
    pub fn published(&self, run: &RunId, name: &str) -> PathBuf {
        self.0.join(name).join(run.to_string())
    }

    /// The manifest of a run of a query file.
    pub fn manifest(&self, run: &RunId, query: &str) -> PathBuf {
        self.published(run, query).join(MANIFEST_FILE)
    }

    /// Refuses to go on with a run that is published. A state has no such run, unless it was put back to what it was
    /// before.
    pub fn refuse_published(&self, run: &RunId, query: &str) -> Result<(), OutputError> {
        let path = self.manifest(run, query);
        match path.exists() {
            true => Err(OutputError::StateBehind { path }),
            false => Ok(()),
        }
    }

    /// Whether anything of the run is there, staged or published under one of these names (of tables and query files).
    pub fn has_run(&self, run: &RunId, names: &[&str]) -> bool {
        let published = names.iter().map(|name| self.published(run, name));
        published
            .chain([self.staging_of_run(run)])
            .any(|folder| folder.exists())
    }

    /// Removes what is staged for a table, but for the parts recorded (by file name): it was being written when a run
    /// was interrupted. With nothing recorded, nothing is left.
    pub fn remove_leftovers(&self, run: &RunId, table: &TableName, recorded: &[&str]) -> Result<(), OutputError> {
        let folder = self.staging(run, table);
        let recorded: BTreeSet<_> = recorded.iter().map(|file| folder.join(file)).collect();
        let remove = || remove_files(&folder, &recorded).and_then(|()| self.remove_if_empty(&folder));
        around(Step::LeftoversRemoved, remove).map_err(|error| OutputError::from_io(&folder, error))
    }

    /// Removes what of a query file's tables was moved to its place before the run was broken off. Once there is a manifest
    /// nothing is removed: the run is published.
    pub fn remove_unpublished(&self, run: &RunId, query: &str, tables: &[TableName]) -> Result<(), OutputError> {
        if self.manifest(run, query).exists() {
            return Ok(());
        }
        self.remove_moved(run, query, tables)
    }

    /// Removes what of a query file's tables was moved to its place, be it published or not.
    pub fn remove_moved(&self, run: &RunId, query: &str, tables: &[TableName]) -> Result<(), OutputError> {
        let mut names = tables.iter().map(TableName::as_str).chain([query]);
        names.try_for_each(|name| self.remove_published(run, name))
    }

    /// Removes what of a run was moved to where it is published, under one of its names.
    pub fn remove_published(&self, run: &RunId, name: &str) -> Result<(), OutputError> {
        let folder = self.published(run, name);
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(OutputError::from_io(&folder, error)),
            _ => Ok(()),
        }
    }

    /// The same, with one of the files in it last: what says that there is something to be removed.
    pub(super) fn remove_published_but_last(&self, run: &RunId, name: &str, last: &str) -> Result<(), OutputError> {
        let folder = self.published(run, name);
        let kept = BTreeSet::from([folder.join(last)]);
        let remove = || remove_files(&folder, &kept).and_then(|()| sync_names(&folder));
        remove().map_err(|error| OutputError::from_io(&folder, error))?;
        self.remove_published(run, name)
    }

    /// Removes the run's staging folders that have become empty.
    pub(super) fn tidy(&self, run: &RunId) -> Result<(), OutputError> {
        let folder = self.staging_of_run(run);
        self.remove_if_empty(&folder)
            .map_err(|error| OutputError::from_io(&folder, error))
    }

    fn staging_of_run(&self, run: &RunId) -> PathBuf {
        self.own().join("staging").join(run.to_string())
    }

    /// Removes a folder of ours, and those above it, as far as nothing else stands in them.
    fn remove_if_empty(&self, folder: &Path) -> std::io::Result<()> {
        for folder in folder.ancestors().take_while(|folder| *folder != self.0) {
            match fs::remove_dir(folder) {
                Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty => break,
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}

fn remove_files(folder: &Path, kept: &BTreeSet<PathBuf>) -> std::io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let path = entry?.path();
        if !kept.contains(&path) {
            fs::remove_file(&path)?;
        }
    }
    Ok(())
}

/// Moves a staged folder to where it is published. Nothing to do where that was done before.
pub(super) fn move_folder(staged: &Path, published: &Path) -> Result<(), OutputError> {
    if !staged.exists() {
        let is_done = published.is_dir();
        return is_done.then_some(()).ok_or_else(|| OutputError::NothingStaged {
            path: staged.to_owned(),
        });
    }
    around(Step::TableMoved, || rename_folder(staged, published))
}

fn rename_folder(staged: &Path, published: &Path) -> Result<(), OutputError> {
    fs::rename(staged, published).map_err(|error| match error.kind() {
        ErrorKind::DirectoryNotEmpty | ErrorKind::AlreadyExists => OutputError::AlreadyThere {
            path: published.to_owned(),
        },
        _ => OutputError::from_io(published, error),
    })?;
    [staged, published]
        .into_iter()
        .filter_map(Path::parent)
        .try_for_each(sync_folder)
}
