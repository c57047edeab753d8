//! Part writers, publishing, manifest: everything that a run leaves on the disk for its readers.
//!
//! Rows are written to staging (`table_writer.rs`, `part.rs`), and moved to their place all at once (`publish.rs`); what
//! was published can be read again, one column at a time (`published.rs`, `column_values.rs`). For an output that is an
//! object store, what was moved there on this machine goes up (`remote.rs`, `store.rs`). Must not know
//! how rows were fetched or decoded: batches and their schema go in, files come out. The only module that imports parquet
//! and object_store.

mod column_values;
mod durable;
mod error;
mod format;
mod keep;
mod latest;
mod manifest;
mod ndjson;
mod parquet;
mod part;
mod part_file;
mod place;
mod publish;
mod published;
mod remote;
mod run_id;
mod source_folder;
mod store;
mod store_error;
mod table_writer;
#[cfg(test)]
mod tests;

pub use column_values::ColumnError;
pub use error::OutputError;
pub use format::{Format, UnknownFormat};
pub use keep::{KeepError, remove_old_runs};
pub use manifest::{
    MANIFEST_FILE, MANIFEST_VERSION, Manifest, ManifestColumn, ManifestConnection, ManifestEach, ManifestEnds,
    ManifestFailure, ManifestPart, ManifestTable, Traffic, moment,
};
pub use part::{Part, PartWriter};
pub use place::{OutputPlace, OutputPlaceError, StoreAddress};
pub use publish::Publication;
pub use published::{PublishedError, PublishedRun};
pub use remote::{LocalRun, RemoteSource};
pub use run_id::{NotARunId, RunId};
pub use source_folder::SourceFolder;
pub use store::Store;
pub use store_error::StoreError;
pub use table_writer::{TableFiles, TableWriter};
