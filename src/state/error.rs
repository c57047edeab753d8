//! What can go wrong with the state.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::ErrorCode;

/// The state cannot be read or written. What was durable before is still there.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StateError {
    /// The disk has no room.
    #[error("{path}: the disk is full; make room and run again, nothing that was fetched is lost")]
    DiskFull {
        /// The state file.
        path: PathBuf,
    },
    /// The file or its folder cannot be written.
    #[error("{path}: cannot be written ({cause}); check the permissions of the output folder")]
    ReadOnly {
        /// The state file.
        path: PathBuf,
        /// The system's own words.
        cause: String,
    },
    /// Not a database, or a damaged one.
    #[error("{path}: is damaged ({cause}); move it away to start afresh, or restore it from a backup")]
    Damaged {
        /// The state file.
        path: PathBuf,
        /// SQLite's own words.
        cause: String,
    },
    /// The file is there no more.
    #[error("{path}: is gone, somebody removed it while the run went on; run again to start afresh")]
    Gone {
        /// The state file.
        path: PathBuf,
    },
    /// Written by a later version.
    #[error(
        "{path}: was written by a later version of gqldump (state format {found}, this one knows {known}); use that \
         version, or move the file away to start afresh"
    )]
    Newer {
        /// The state file.
        path: PathBuf,
        /// Its format.
        found: i64,
        /// The newest format that is known here.
        known: i64,
    },
    /// Written by an earlier version.
    #[error(
        "{path}: was written by an earlier version of gqldump (state format {found}, this one needs {needed}); end its \
         unfinished runs with that version, then move the file away"
    )]
    Older {
        /// The state file.
        path: PathBuf,
        /// Its format.
        found: i64,
        /// The format that is needed.
        needed: i64,
    },
    /// Another process works on the same source and output.
    #[error(
        "{path}: another gqldump works on this source and output{owner}; wait for it (`gqldump run --wait` does), or \
         choose another --output"
    )]
    Locked {
        /// The lock file.
        path: PathBuf,
        /// What is known of the other process.
        owner: String,
    },
    /// A run is to be published that has not come to its end: a mistake of ours, which must not become one of the reader's.
    #[error(
        "{path}: {tasks} pages of the run were not asked for and {responses} responses are in no file; it is not \
         published, nothing that was fetched is lost; run again, and report this as a defect of gqldump"
    )]
    Unfinished {
        /// The state file.
        path: PathBuf,
        /// Pages still to be read.
        tasks: u64,
        /// Responses whose rows are in no part.
        responses: u64,
    },
    /// Anything else.
    #[error("{path}: {cause}")]
    Other {
        /// The state file.
        path: PathBuf,
        /// What happened.
        cause: Arc<str>,
    },
}

impl StateError {
    /// Sorts an error of SQLite.
    pub(crate) fn from_sqlite(path: &Path, error: &rusqlite::Error) -> Self {
        let path = path.to_owned();
        let cause = error.to_string();
        if is_unreadable(error) {
            return Self::Damaged { path, cause };
        }
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::DiskFull { path },
            Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
                Self::ReadOnly { path, cause }
            }
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Damaged { path, cause },
            _ => Self::Other {
                path,
                cause: cause.into(),
            },
        }
    }

    /// Sorts an error of the file system.
    pub(crate) fn from_io(path: &Path, error: &std::io::Error) -> Self {
        let path = path.to_owned();
        match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Self::DiskFull { path },
            std::io::ErrorKind::NotFound => Self::Gone { path },
            std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => Self::ReadOnly {
                path,
                cause: error.to_string(),
            },
            _ => Self::Other {
                path,
                cause: error.to_string().into(),
            },
        }
    }
}

/// Whether a value is none that was ever written: a body that does not unpack, a text that is no JSON.
fn is_unreadable(error: &rusqlite::Error) -> bool {
    matches!(
        error,
        rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::Utf8Error(..)
    )
}
