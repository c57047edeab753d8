//! Where runs are published: a folder, or a place in an object store.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use url::Url;

/// Where runs are published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutputPlace {
    /// A folder of this machine.
    Folder(PathBuf),
    /// A place in an object store.
    Store(StoreAddress),
}

/// A place in an object store: `s3://bucket/prefix`. Credentials are no part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreAddress {
    /// Whose store it is.
    pub(super) kind: StoreKind,
    /// The bucket, or container.
    pub(super) bucket: String,
    /// What the names of all objects begin with.
    pub(super) prefix: Vec<String>,
}

/// The protocols of object stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StoreKind {
    /// Amazon S3, and what speaks as it does.
    S3,
    /// Google Cloud Storage.
    Gcs,
    /// Azure Blob Storage.
    Azure,
}

/// A text that names no place; it is not shown, since it may hold a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OutputPlaceError {
    /// An address of another kind.
    #[error("an output is a folder, or an address that begins with s3://, gs://, az:// or file://")]
    UnknownScheme,
    /// A bucket, or a part of the prefix, that is no plain name.
    #[error(
        "after the scheme come a bucket and folders, as in s3://bucket/exports: each of letters, digits, `-`, `_`, `.` \
         and `=`, and none that begins with a dot. Credentials come from the environment"
    )]
    NotPlain,
    /// `file://` with a host, or without a path from the root on.
    #[error(
        "a file:// address has no host and a path from the root on, as in file:///data/exports; `%`, `?` and `#` in it are \
         written %25, %3F and %23"
    )]
    NotAPath,
}

impl FromStr for OutputPlace {
    type Err = OutputPlaceError;

    fn from_str(text: &str) -> Result<Self, OutputPlaceError> {
        let Some((scheme, rest)) = text.split_once("://") else {
            return Ok(Self::Folder(PathBuf::from(text)));
        };
        let kind = match scheme {
            "s3" => StoreKind::S3,
            "gs" => StoreKind::Gcs,
            "az" => StoreKind::Azure,
            "file" => return file_path(text).map(Self::Folder).ok_or(OutputPlaceError::NotAPath),
            _ => return Err(OutputPlaceError::UnknownScheme),
        };
        let mut names = rest.strip_suffix('/').unwrap_or(rest).split('/').map(str::to_owned);
        let bucket = names.next().unwrap_or_default();
        let prefix: Vec<String> = names.collect();
        if !prefix.iter().chain([&bucket]).all(|name| is_plain(name)) {
            return Err(OutputPlaceError::NotPlain);
        }
        Ok(Self::Store(StoreAddress { kind, bucket, prefix }))
    }
}

/// The path of an address that begins with `file://`.
fn file_path(text: &str) -> Option<PathBuf> {
    let url = Url::parse(text).ok()?;
    let is_path = text.starts_with("file:///") && url.query().is_none() && url.fragment().is_none();
    url.to_file_path().ok().filter(|_| is_path)
}

/// Whether a name is the same in every store, and a folder's on every system.
fn is_plain(name: &str) -> bool {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.' | '=');
    !name.is_empty() && !name.starts_with('.') && name.chars().all(is_plain)
}

impl OutputPlace {
    /// The folder of this machine in which runs are worked on: the output itself, or, for an object store, one of its own
    /// below `state`.
    pub fn folder(&self, state: &Path) -> PathBuf {
        match self {
            Self::Folder(folder) => folder.clone(),
            Self::Store(address) => address.folder(state),
        }
    }

    /// The place in an object store, if it is one.
    pub fn store(&self) -> Option<&StoreAddress> {
        match self {
            Self::Folder(_) => None,
            Self::Store(address) => Some(address),
        }
    }
}

impl StoreAddress {
    fn folder(&self, state: &Path) -> PathBuf {
        let bucket = state.join(self.kind.scheme()).join(&self.bucket);
        self.prefix.iter().fold(bucket, |folder, name| folder.join(name))
    }
}

impl StoreKind {
    fn scheme(self) -> &'static str {
        match self {
            Self::S3 => "s3",
            Self::Gcs => "gs",
            Self::Azure => "az",
        }
    }
}

impl fmt::Display for StoreAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}://{}", self.kind.scheme(), self.bucket)?;
        self.prefix.iter().try_for_each(|name| write!(formatter, "/{name}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_output_is_a_folder_or_a_place_in_a_store() {
        let folder = |text: &str| {
            let place: OutputPlace = text.parse().unwrap();
            (
                place.folder(Path::new(".gqldump")),
                place.store().map(ToString::to_string),
            )
        };
        assert_eq!(folder("output"), ("output".into(), None));
        assert_eq!(folder("file:///data/x"), ("/data/x".into(), None));
        assert_eq!(folder("file:///a%20b/%C3%A9%25"), ("/a b/é%".into(), None));
        assert_eq!(folder("/a%20b"), ("/a%20b".into(), None));
        assert_eq!(
            folder("s3://bucket"),
            (".gqldump/s3/bucket".into(), Some("s3://bucket".to_owned()))
        );
        assert_eq!(
            folder("az://container/a/day=1/"),
            (
                ".gqldump/az/container/a/day=1".into(),
                Some("az://container/a/day=1".to_owned())
            )
        );
    }

    #[test]
    fn what_is_no_plain_address_is_refused_and_not_shown() {
        let error = |text: &str| text.parse::<OutputPlace>().unwrap_err();
        for text in [
            "s3://",
            "s3:///x",
            "s3://key:secret@bucket/x",
            "s3://bucket/../other",
            "s3://bucket/.gqldump",
            "gs://bucket/a//b",
            "az://container/x?sig=secret",
            "s3://bucket/a\\b",
            "s3://bucket/é",
        ] {
            assert_eq!(error(text), OutputPlaceError::NotPlain, "{text}");
        }
        assert_eq!(error("ftp://secret@host/x"), OutputPlaceError::UnknownScheme);
        for text in ["file://host/x", "file://x", "file:///x?y", "file:///x#y"] {
            assert_eq!(error(text), OutputPlaceError::NotAPath, "{text}");
        }
    }
}
