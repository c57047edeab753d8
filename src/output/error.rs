//! What can go wrong with the output, said so that the reader knows what to do.

use std::error::Error;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use arrow::error::ArrowError;
use parquet::errors::ParquetError;

/// Why the output cannot be written. What was fetched is kept in any case: the next run goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// There is no room.
    #[error("no space left for `{path}`: make room and run again, it goes on where it stopped")]
    DiskFull {
        /// What could not be written.
        path: PathBuf,
    },
    /// Nobody can write there.
    #[error("`{path}` is on a read-only file system: choose another folder with --output")]
    ReadOnly {
        /// What could not be written.
        path: PathBuf,
    },
    /// This user may not write there.
    #[error("no permission to write `{path}`: change its permissions, or choose another folder with --output")]
    Denied {
        /// What could not be written.
        path: PathBuf,
    },
    /// A file stands where a folder is needed.
    #[error("`{path}` cannot be a folder, a file stands in its way: move it, or choose another folder with --output")]
    NotAFolder {
        /// The folder that cannot be.
        path: PathBuf,
    },
    /// A folder stands where `latest` should be, and it is not ours to remove.
    #[error("`{path}` is not a link that gqldump made: move it, and run again")]
    NotALink {
        /// Where `latest` should be.
        path: PathBuf,
    },
    /// A table of a finished run has no files.
    #[error("the files of `{path}` are gone, so that the run cannot be published: start it again with --fresh")]
    NothingStaged {
        /// The folder in staging that is not there.
        path: PathBuf,
    },
    /// A recorded part is not there as it was recorded.
    #[error("`{path}` is gone or cut short, so that the run cannot be published: start it again with --fresh")]
    PartGone {
        /// The part.
        path: PathBuf,
    },
    /// What was to be written into is there no more.
    #[error("`{path}` is gone, somebody removed it while the run went on: run again, it goes on where it can")]
    Gone {
        /// What could not be written.
        path: PathBuf,
    },
    /// The folder of this run has files already, and staging has some, too.
    #[error(
        "`{path}` has files already, of a run that is no longer known or of a state newer than this one: move it, and run \
         again"
    )]
    AlreadyThere {
        /// The folder that should have been new.
        path: PathBuf,
    },
    /// The run is there as a whole, and the state goes on with it all the same.
    #[error(
        "this run is published already, as `{path}` shows: the state is older than its output, as it is where a backup was \
         restored. Run again with --fresh, which begins another run and leaves that one as it is"
    )]
    StateBehind {
        /// The run's manifest.
        path: PathBuf,
    },
    /// Anything else that the system says.
    #[error("cannot write `{path}`: {source}")]
    Io {
        /// What could not be written.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// Rows that the format has no way to hold.
    #[error("cannot write rows to `{path}`: {source}")]
    Encode {
        /// The part file.
        path: PathBuf,
        /// The encoder's words.
        source: Box<dyn Error + Send + Sync>,
    },
}

impl OutputError {
    /// What an error of the file system means for the user, when `path` was to be written.
    pub(super) fn from_io(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Self::DiskFull { path },
            ErrorKind::ReadOnlyFilesystem => Self::ReadOnly { path },
            ErrorKind::PermissionDenied => Self::Denied { path },
            ErrorKind::NotADirectory => Self::NotAFolder { path },
            ErrorKind::NotFound => Self::Gone { path },
            _ => Self::Io { path, source },
        }
    }

    /// The same for an error that came by way of the Parquet encoder.
    pub(super) fn from_parquet(path: &Path, error: ParquetError) -> Self {
        match error {
            ParquetError::External(source) => match source.downcast::<io::Error>() {
                Ok(source) => Self::from_io(path, *source),
                Err(source) => Self::encode(path, source),
            },
            error => Self::encode(path, error),
        }
    }

    /// The same for an error that came by way of the NDJSON encoder.
    pub(super) fn from_arrow(path: &Path, error: ArrowError) -> Self {
        match error {
            ArrowError::IoError(_, source) => Self::from_io(path, source),
            error => Self::encode(path, error),
        }
    }

    fn encode(path: &Path, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Encode {
            path: path.to_owned(),
            source: source.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: ErrorKind) -> String {
        let plain = OutputError::from_io(Path::new("out/t"), io::Error::from(kind));
        let wrapped = OutputError::from_parquet(Path::new("out/t"), ParquetError::from(io::Error::from(kind)));
        let nested = OutputError::from_arrow(Path::new("out/t"), ArrowError::from(io::Error::from(kind)));
        assert_eq!(plain.to_string(), wrapped.to_string());
        assert_eq!(plain.to_string(), nested.to_string());
        plain.to_string()
    }

    #[test]
    fn messages_name_the_place_and_the_remedy_whichever_way_the_error_came() {
        insta::assert_snapshot!(message(ErrorKind::StorageFull), @"no space left for `out/t`: make room and run again, it goes on where it stopped");
        insta::assert_snapshot!(message(ErrorKind::ReadOnlyFilesystem), @"`out/t` is on a read-only file system: choose another folder with --output");
        insta::assert_snapshot!(message(ErrorKind::PermissionDenied), @"no permission to write `out/t`: change its permissions, or choose another folder with --output");
        insta::assert_snapshot!(message(ErrorKind::NotADirectory), @"`out/t` cannot be a folder, a file stands in its way: move it, or choose another folder with --output");
        insta::assert_snapshot!(message(ErrorKind::Interrupted), @"cannot write `out/t`: operation interrupted");
    }
}
