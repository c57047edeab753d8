//! An object store, with what publishing needs of it: whole files up, small objects in and out, conditionally.
//!
//! The only file that talks to a store's client.

use std::io::Read as _;
use std::path::Path as FilePath;
use std::sync::Arc;

use bytes::Bytes;
use fs_err::File;
use futures::TryStreamExt as _;
use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::path::Path;
use object_store::{
    Attribute, Attributes, Error, GetOptions, ObjectStore, ObjectStoreExt as _, PutMode, PutMultipartOptions,
    PutOptions, UpdateVersion, WriteMultipart,
};

use crate::output::place::{StoreAddress, StoreKind};
use crate::output::store_error::{StoreError, innermost};

/// A file goes up in chunks of this size, so that memory does not grow with it; a smaller one in one piece.
const CHUNK_BYTES: usize = 8 << 20;

/// Chunks of a file that are on their way at a time.
const CHUNKS_IN_FLIGHT: usize = 2;

/// The name under which an object says what its bytes add up to.
const CHECKSUM: Attribute = Attribute::Metadata(std::borrow::Cow::Borrowed("sha256"));

/// A place in an object store.
#[derive(Debug, Clone)]
pub struct Store {
    objects: Arc<dyn ObjectStore>,
    address: StoreAddress,
}

/// A small object, and the version of it that was read.
pub(super) struct Found {
    pub(super) bytes: Bytes,
    pub(super) version: UpdateVersion,
}

/// What a conditional write came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    /// It was written.
    Done,
    /// Another one was there before.
    Late,
}

impl Store {
    /// A client for the store of this address; asks it nothing yet. Its settings, and with them its credentials, are read
    /// from the environment, under the names that the vendor's own tools know.
    pub fn open(address: &StoreAddress) -> Result<Self, StoreError> {
        let bucket = address.bucket.as_str();
        let objects: Result<Arc<dyn ObjectStore>, Error> = match address.kind {
            StoreKind::S3 => {
                let builder = AmazonS3Builder::from_env().with_bucket_name(bucket);
                builder.build().map(|store| Arc::new(store) as _)
            }
            StoreKind::Gcs => {
                let builder = GoogleCloudStorageBuilder::from_env().with_bucket_name(bucket);
                builder.build().map(|store| Arc::new(store) as _)
            }
            StoreKind::Azure => {
                let builder = MicrosoftAzureBuilder::from_env().with_container_name(bucket);
                builder.build().map(|store| Arc::new(store) as _)
            }
        };
        let objects = objects.map_err(|error| StoreError::Setup {
            place: address.to_string(),
            detail: innermost(&error),
        })?;
        Ok(Self {
            objects,
            address: address.clone(),
        })
    }

    /// A store that lives as long as its test.
    #[cfg(test)]
    pub(super) fn in_memory() -> Self {
        Self {
            objects: Arc::new(object_store::memory::InMemory::new()),
            address: StoreAddress {
                kind: StoreKind::S3,
                bucket: "bucket".to_owned(),
                prefix: vec!["exports".to_owned()],
            },
        }
    }

    /// Where an object stands, as people are told it.
    pub(super) fn place(&self, name: &str) -> String {
        format!("{}/{name}", self.address)
    }

    fn path(&self, name: &str) -> Path {
        let prefix = self.address.prefix.iter().map(String::as_str);
        prefix.chain(name.split('/')).collect()
    }

    fn failed<'own>(&'own self, name: &'own str) -> impl Fn(Error) -> StoreError + 'own {
        |error| StoreError::new(self.place(name), &error)
    }

    /// Reads a small object; `None` where there is none.
    pub(super) async fn read(&self, name: &str) -> Result<Option<Found>, StoreError> {
        let found = match self.objects.get(&self.path(name)).await {
            Ok(found) => found,
            Err(Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(self.failed(name)(error)),
        };
        let version = UpdateVersion {
            e_tag: found.meta.e_tag.clone(),
            version: found.meta.version.clone(),
        };
        let bytes = found.bytes().await.map_err(self.failed(name))?;
        Ok(Some(Found { bytes, version }))
    }

    /// Writes a small object, if there is none of that name yet.
    pub(super) async fn create(&self, name: &str, bytes: Bytes) -> Result<Written, StoreError> {
        self.write(name, bytes, PutMode::Create).await
    }

    /// Writes a small object in the place of the version that was read.
    pub(super) async fn replace(&self, name: &str, bytes: Bytes, read: UpdateVersion) -> Result<Written, StoreError> {
        self.write(name, bytes, PutMode::Update(read)).await
    }

    async fn write(&self, name: &str, bytes: Bytes, mode: PutMode) -> Result<Written, StoreError> {
        match self.objects.put_opts(&self.path(name), bytes.into(), mode.into()).await {
            Ok(_) => Ok(Written::Done),
            Err(Error::AlreadyExists { .. } | Error::Precondition { .. }) => Ok(Written::Late),
            Err(error) => Err(self.failed(name)(error)),
        }
    }

    /// Brings a part up, unless it is there already.
    pub(super) async fn upload(&self, name: &str, file: &FilePath, bytes: u64, sha256: &str) -> Result<(), StoreError> {
        if self.has(name, bytes, sha256).await? {
            return Ok(());
        }
        let mut attributes = Attributes::new();
        attributes.insert(CHECKSUM, sha256.to_owned().into());
        let mut file = File::open(file)?;
        let first = read_chunk(&mut file)?;
        if first.len() < CHUNK_BYTES {
            let options = PutOptions::from(attributes);
            let put = self.objects.put_opts(&self.path(name), first.into(), options).await;
            return put.map(drop).map_err(self.failed(name));
        }
        self.upload_in_chunks(name, first, &mut file, attributes).await
    }

    /// The object appears when its last chunk has come.
    async fn upload_in_chunks(
        &self,
        name: &str,
        first: Bytes,
        file: &mut File,
        attributes: Attributes,
    ) -> Result<(), StoreError> {
        let options = PutMultipartOptions::from(attributes);
        let upload = self.objects.put_multipart_opts(&self.path(name), options).await;
        let mut upload = WriteMultipart::new_with_chunk_size(upload.map_err(self.failed(name))?, CHUNK_BYTES);
        let mut chunk = first;
        while !chunk.is_empty() {
            let sent = upload.wait_for_capacity(CHUNKS_IN_FLIGHT).await;
            let next = match sent.map_err(self.failed(name)) {
                Ok(()) => {
                    upload.put(chunk);
                    read_chunk(file).map_err(StoreError::from)
                }
                Err(error) => Err(error),
            };
            match next {
                Ok(next) => chunk = next,
                Err(error) => {
                    // What has come so far would be kept, and paid for; that it cannot be removed is no other error.
                    let _ = upload.abort().await;
                    return Err(error);
                }
            }
        }
        upload.finish().await.map(drop).map_err(self.failed(name))
    }

    async fn has(&self, name: &str, bytes: u64, sha256: &str) -> Result<bool, StoreError> {
        let options = GetOptions::new().with_head(true);
        match self.objects.get_opts(&self.path(name), options).await {
            Ok(found) => {
                let checksum = found.attributes.get(&CHECKSUM).map(AsRef::<str>::as_ref);
                Ok(found.meta.size == bytes && checksum == Some(sha256))
            }
            Err(Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(self.failed(name)(error)),
        }
    }

    /// The names that stand directly below a folder, folders among them.
    pub(super) async fn names_in(&self, folder: &str) -> Result<Vec<String>, StoreError> {
        let listed = self.objects.list_with_delimiter(Some(&self.path(folder))).await;
        let listed = listed.map_err(self.failed(folder))?;
        let objects = listed.objects.iter().map(|object| &object.location);
        let names = objects.chain(&listed.common_prefixes).filter_map(Path::filename);
        Ok(names.map(str::to_owned).collect())
    }

    /// Removes all that stands in a folder.
    pub(super) async fn remove_folder(&self, folder: &str) -> Result<(), StoreError> {
        let listed = self.objects.list(Some(&self.path(folder)));
        let removed = listed.try_for_each(|object| self.remove_path(object.location)).await;
        removed.map_err(self.failed(folder))
    }

    /// Removes an object; nothing to do where there is none.
    pub(super) async fn remove(&self, name: &str) -> Result<(), StoreError> {
        self.remove_path(self.path(name)).await.map_err(self.failed(name))
    }

    async fn remove_path(&self, path: Path) -> Result<(), Error> {
        match self.objects.delete(&path).await {
            Err(Error::NotFound { .. }) => Ok(()),
            result => result,
        }
    }
}

/// The next bytes of a file; fewer than a chunk at its end, and none behind it.
fn read_chunk(file: &mut File) -> std::io::Result<Bytes> {
    let mut chunk = Vec::with_capacity(CHUNK_BYTES);
    file.take(CHUNK_BYTES as u64).read_to_end(&mut chunk)?;
    Ok(chunk.into())
}
