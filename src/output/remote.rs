//! Runs in an object store: published from the folder of this machine in which they were finished.
//!
//! The order is that of a folder: all parts, then the manifest, then `latest`, then the old runs. Everything can be
//! repeated, and each step that readers see is one conditional write.

use std::num::NonZeroU32;
use std::path::Path;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use fs_err as fs;
use futures::TryStreamExt as _;
use futures::stream::{self, StreamExt as _};

use crate::output::keep::{REMOVED_FILE, folders_of, superseded};
use crate::output::manifest::{MANIFEST_FILE, Manifest, ManifestPart, ManifestTable};
use crate::output::run_id::RunId;
use crate::output::store::{Store, Written};
use crate::output::store_error::StoreError;

/// Parts that go up side by side.
const PARTS_IN_FLIGHT: usize = 2;

/// How often `latest` is tried to be moved while others move it.
const MOVES: usize = 20;

/// For how long the name of a run is reserved: a machine whose clock is wrong by less does not take it again.
const RESERVED_FOR: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// A source's place in an object store.
#[derive(Debug, Clone)]
pub struct RemoteSource {
    store: Store,
    source: String,
}

/// What of a run is published together, as it stands on this machine.
#[derive(Debug, Clone, Copy)]
pub struct LocalRun<'a> {
    /// Its manifest, published in a folder.
    pub manifest: &'a Path,
    /// The folders of its tables and of its query file: where `latest` is.
    pub names: &'a [&'a str],
}

impl RemoteSource {
    /// The place of the source of this name.
    pub fn new(store: Store, source: &str) -> Self {
        Self {
            store,
            source: source.to_owned(),
        }
    }

    /// Takes a name for a run that no other machine has; false where one has it. Shows, too, that there is somewhere to
    /// write to, before anything is asked of an API.
    pub async fn reserve(&self, run: &RunId) -> Result<bool, StoreError> {
        let name = self.name(&format!(".gqldump/runs/{run}"));
        if self.store.create(&name, Bytes::new()).await? == Written::Late {
            return Ok(false);
        }
        // A store that passes over conditions would write over what others published.
        match self.store.create(&name, Bytes::new()).await? {
            Written::Late => Ok(true),
            Written::Done => Err(StoreError::Unconditional {
                place: self.store.place(&name),
                detail: "it wrote over an object that was there".to_owned(),
            }),
        }
    }

    /// Lets go of the names of runs that began long ago.
    pub async fn release(&self, now: SystemTime) -> Result<(), StoreError> {
        let folder = self.name(".gqldump/runs");
        let Some(before) = now.checked_sub(RESERVED_FOR) else {
            return Ok(());
        };
        let oldest = RunId::new(before, |_| false);
        for name in self.store.names_in(&folder).await? {
            if name.parse::<RunId>().is_ok_and(|run| run < oldest) {
                self.store.remove(&format!("{folder}/{name}")).await?;
            }
        }
        Ok(())
    }

    /// Publishes a run. If this is interrupted at any point, the next call goes on from there.
    pub async fn publish(&self, run: LocalRun<'_>) -> Result<(), StoreError> {
        let text = Bytes::from(fs::read(run.manifest)?);
        let name = run.manifest.display().to_string();
        let manifest = read_manifest(&name, &text)?;
        let own = self.name(&format!("{}/{}", manifest.query, manifest.run));
        let local = run.manifest.parent().unwrap_or(Path::new("."));
        let parts = manifest.tables.iter().flat_map(ManifestTable::all_parts);
        let uploads = parts.map(|part| self.upload(&own, local, part));
        stream::iter(uploads)
            .buffer_unordered(PARTS_IN_FLIGHT)
            .try_collect::<()>()
            .await?;
        self.commit(&format!("{own}/{MANIFEST_FILE}"), text).await?;
        if manifest.complete {
            for name in run.names {
                self.point_latest(name, &manifest.run).await?;
            }
        }
        Ok(())
    }

    async fn upload(&self, own: &str, local: &Path, part: &ManifestPart) -> Result<(), StoreError> {
        let name = match part.path.strip_prefix("../../") {
            Some(beside) => self.name(beside),
            None => format!("{own}/{}", part.path),
        };
        let file = local.join(&part.path);
        self.store.upload(&name, &file, part.bytes, &part.sha256).await
    }

    /// Writes the manifest: from then on the run is there. One that is there already is this one, or another run's.
    async fn commit(&self, name: &str, text: Bytes) -> Result<(), StoreError> {
        if self.store.create(name, text.clone()).await? == Written::Done {
            return Ok(());
        }
        match self.store.read(name).await? {
            Some(found) if found.bytes == text => Ok(()),
            _ => Err(StoreError::Taken {
                place: self.store.place(name),
            }),
        }
    }

    /// Has `latest` in a folder name this run, unless it names a later one.
    async fn point_latest(&self, folder: &str, run: &str) -> Result<(), StoreError> {
        let name = self.name(&format!("{folder}/latest"));
        let text = Bytes::from(run.to_owned());
        for _ in 0..MOVES {
            let written = match self.store.read(&name).await? {
                Some(found) if !is_before(&found.bytes, run) => return Ok(()),
                Some(found) => self.store.replace(&name, text.clone(), found.version).await?,
                None => self.store.create(&name, text.clone()).await?,
            };
            if written == Written::Done {
                return Ok(());
            }
        }
        Err(StoreError::Contended {
            place: self.store.place(&name),
        })
    }

    /// Removes the runs of a query file that are older than its newest complete ones, of which so many are kept. What has
    /// no manifest may be on its way up, from another machine, and is left alone.
    pub async fn remove_old_runs(&self, query: &str, keep: NonZeroU32) -> Result<(), StoreError> {
        let names = self.store.names_in(&self.name(query)).await?;
        let runs: Vec<RunId> = names.iter().filter_map(|name| name.parse().ok()).collect();
        let mut complete = Vec::new();
        for run in &runs {
            let name = self.name(&format!("{query}/{run}/{MANIFEST_FILE}"));
            let Some(found) = self.store.read(&name).await? else {
                continue;
            };
            let manifest = read_manifest(&self.store.place(&name), &found.bytes)?;
            if manifest.complete && folders_of(&manifest, query, run).is_some() {
                complete.push(run.clone());
            }
        }
        for run in superseded(runs, &complete, keep) {
            self.remove_run(query, &run).await?;
        }
        Ok(())
    }

    async fn remove_run(&self, query: &str, run: &RunId) -> Result<(), StoreError> {
        let own = self.name(&format!("{query}/{run}"));
        let (manifest, removed) = (format!("{own}/{MANIFEST_FILE}"), format!("{own}/{REMOVED_FILE}"));
        let published = self.store.read(&manifest).await?;
        let is_published = published.is_some();
        let found = match published {
            Some(found) => Some(found),
            None => self.store.read(&removed).await?,
        };
        let Some(found) = found else { return Ok(()) };
        let known = read_manifest(&self.store.place(&own), &found.bytes)?;
        let Some(folders) = folders_of(&known, query, run) else {
            return Ok(());
        };
        if is_published {
            self.store.create(&removed, found.bytes).await?;
            self.store.remove(&manifest).await?;
        }
        for name in folders {
            let other = self.name(&format!("{name}/{run}"));
            // A run of another query file, which has its manifest there, began in the same second.
            if self.store.read(&format!("{other}/{MANIFEST_FILE}")).await?.is_none() {
                self.store.remove_folder(&other).await?;
            }
        }
        // What says that there is something to be removed goes last.
        for name in self
            .store
            .names_in(&own)
            .await?
            .iter()
            .filter(|name| *name != REMOVED_FILE)
        {
            self.store.remove(&format!("{own}/{name}")).await?;
        }
        self.store.remove(&removed).await
    }

    fn name(&self, below: &str) -> String {
        format!("{}/{below}", self.source)
    }
}

fn read_manifest(place: &str, text: &[u8]) -> Result<Manifest, StoreError> {
    serde_json::from_slice(text).map_err(|error| StoreError::Manifest {
        place: place.to_owned(),
        detail: error.to_string(),
    })
}

/// Whether what stands in `latest` is a run before this one, or no run at all.
fn is_before(text: &[u8], run: &str) -> bool {
    let named = std::str::from_utf8(text)
        .ok()
        .and_then(|text| text.trim().parse::<RunId>().ok());
    let own = run.parse::<RunId>().ok();
    named.is_none() || named < own
}
