//! Files and folders that are still there after the power goes out.

use std::io::{self, ErrorKind, Write};
use std::path::Path;

use fs_err as fs;

use crate::failpoint::{Step, around};
use crate::output::error::OutputError;

/// How often a folder is tried to be made while others tidy up around it.
const RACES: usize = 100;

/// Makes a folder and those above it, and has them written down.
pub(super) fn create_folder(path: &Path) -> Result<(), OutputError> {
    create_synced(path).map_err(|error| match error.kind() {
        // A file of that name is there.
        ErrorKind::AlreadyExists => OutputError::NotAFolder { path: path.to_owned() },
        _ => OutputError::from_io(path, error),
    })
}

/// The same, where the system's own words are wanted.
pub(super) fn create_synced(path: &Path) -> io::Result<()> {
    let missing: Vec<_> = path.ancestors().take_while(|folder| !folder.is_dir()).collect();
    create_all(path)?;
    missing.into_iter().filter_map(Path::parent).try_for_each(sync_names)
}

/// Another export of the same run may be removing the folder above at this moment, since it found it empty; there are
/// only so many others.
fn create_all(path: &Path) -> io::Result<()> {
    for _ in 0..RACES {
        match fs::create_dir_all(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            result => return result,
        }
    }
    fs::create_dir_all(path)
}

/// Has the names in a folder written down.
pub(super) fn sync_folder(path: &Path) -> Result<(), OutputError> {
    sync_names(path).map_err(|error| OutputError::from_io(path, error))
}

/// Has the names in all folders below one written down; nothing to do where it is not there.
pub(super) fn sync_tree(path: &Path) -> io::Result<()> {
    if !path.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(path)? {
        sync_tree(&entry?.path())?;
    }
    sync_names(path)
}

#[cfg(unix)]
pub(super) fn sync_names(path: &Path) -> io::Result<()> {
    let path = match path.as_os_str().is_empty() {
        true => Path::new("."),
        false => path,
    };
    fs::File::open(path)?.sync_all()
}

/// Elsewhere a folder cannot be opened as a file, and the file system looks after its names itself.
#[cfg(not(unix))]
pub(super) fn sync_names(_path: &Path) -> io::Result<()> {
    Ok(())
}

/// Writes a file that is either not there or there as a whole: under another name first.
pub(super) fn write_at_once(path: &Path, content: &[u8]) -> Result<(), OutputError> {
    let half_done = path.with_extension("tmp");
    let sort = |error| OutputError::from_io(path, error);
    around(Step::ManifestWritten, || write_synced(&half_done, content)).map_err(sort)?;
    around(Step::ManifestNamed, || {
        fs::rename(&half_done, path).map_err(sort)?;
        path.parent().map_or(Ok(()), sync_folder)
    })
}

fn write_synced(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = fs::File::create(path)?;
    file.write_all(content)?;
    file.sync_all()
}
