//! `latest`: where readers find the newest complete run.

use std::io;
use std::path::{Path, PathBuf};

use fs_err as fs;

use crate::output::durable::sync_folder;
use crate::output::error::OutputError;
use crate::output::run_id::RunId;

/// Has `latest` in a table's or query file's folder name this run, unless it names a later one. Readers find the one
/// or the other at any moment.
pub(super) fn point_latest(folder: &Path, run: &RunId) -> Result<(), OutputError> {
    let latest = folder.join("latest");
    let is_later = |other: RunId| other >= *run;
    if read_latest(&latest)
        .and_then(|name| name.parse().ok())
        .is_some_and(is_later)
    {
        return Ok(());
    }
    if latest.is_dir() && !latest.is_symlink() {
        return Err(OutputError::NotALink { path: latest });
    }
    replace_latest(folder, &latest, run).map_err(|error| OutputError::from_io(&latest, error))?;
    sync_folder(folder)
}

/// A name beside `latest` that a crash may leave behind, and that the next run then takes over.
fn unfinished(folder: &Path) -> PathBuf {
    folder.join(".latest")
}

#[cfg(unix)]
fn read_latest(latest: &Path) -> Option<String> {
    let target = fs::read_link(latest).ok()?;
    target.to_str().map(str::to_owned)
}

#[cfg(unix)]
fn replace_latest(folder: &Path, latest: &Path, run: &RunId) -> io::Result<()> {
    let link = unfinished(folder);
    if link.is_symlink() {
        fs::remove_file(&link)?;
    }
    fs::os::unix::fs::symlink(run.to_string(), &link)?;
    fs::rename(link, latest)
}

/// Links need a privilege on some systems: there `latest` is a text file.
#[cfg(not(unix))]
fn read_latest(latest: &Path) -> Option<String> {
    fs::read_to_string(latest).ok()
}

#[cfg(not(unix))]
fn replace_latest(folder: &Path, latest: &Path, run: &RunId) -> io::Result<()> {
    let file = unfinished(folder);
    fs::write(&file, run.to_string())?;
    fs::rename(file, latest)
}
