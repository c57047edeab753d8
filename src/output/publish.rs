//! The moment at which a run's files become the output: readers see all of a query file's tables, or none.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::failpoint::{Step, around};
use crate::output::durable::{create_folder, write_at_once};
use crate::output::error::OutputError;
use crate::output::latest::point_latest;
use crate::output::manifest::Manifest;
use crate::output::run_id::RunId;
use crate::output::source_folder::{SourceFolder, move_folder};
use crate::plan::TableName;

/// What is published together: the tables of one query file in one run.
#[derive(Debug, Clone, Copy)]
pub struct Publication<'a> {
    /// Where.
    pub folder: &'a SourceFolder,
    /// The query file's name, without its ending.
    pub query: &'a str,
    /// The run.
    pub run: &'a RunId,
    /// Its tables, those of rejected rows included.
    pub tables: &'a [TableName],
}

impl Publication<'_> {
    /// Publishes what is staged, and returns the manifest's path. The manifest's appearance is the commit; `latest`
    /// moves for a complete run only.
    ///
    /// If this is interrupted at any point, the next call goes on from there. A manifest that is there stays as it is.
    pub fn publish(&self, manifest: &Manifest) -> Result<PathBuf, OutputError> {
        let staged = |table: &TableName| self.folder.staging(self.run, table);
        // All tables are moved before there is a manifest.
        if self.tables.iter().any(|table| staged(table).exists()) {
            self.folder.refuse_published(self.run, self.query)?;
        }
        for table in self.tables {
            let published = self.folder.published(self.run, table.as_str());
            published.parent().map_or(Ok(()), create_folder)?;
            move_folder(&staged(table), &published)?;
        }
        let query_folder = self.folder.published(self.run, self.query);
        create_folder(&query_folder)?;
        let path = self.folder.manifest(self.run, self.query);
        if !path.exists() {
            if let Some(path) = manifest.lost_part(&query_folder) {
                return Err(OutputError::PartGone { path });
            }
            write_at_once(&path, manifest.to_json().as_bytes())?;
        }
        if manifest.complete {
            around(Step::LatestMoved, || self.point_latest())?;
        }
        around(Step::StagingTidied, || self.folder.tidy(self.run))?;
        Ok(path)
    }

    fn point_latest(&self) -> Result<(), OutputError> {
        let tables = self.tables.iter().map(TableName::as_str);
        let names: BTreeSet<_> = tables.chain([self.query]).collect();
        let folders = names.into_iter().map(|name| self.folder.path().join(name));
        folders
            .into_iter()
            .try_for_each(|folder| point_latest(&folder, self.run))
    }
}
