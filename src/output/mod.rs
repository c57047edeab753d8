//! Part writers, publishing, manifest: everything that a run leaves on the disk for its readers.
//!
//! Rows are written to staging (`table_writer.rs`, `part.rs`), and moved to their place all at once (`publish.rs`); what
//! was published can be read again, one column at a time (`published.rs`, `column_values.rs`). Must not know
//! how rows were fetched or decoded: batches and their schema go in, files come out. The only module that imports parquet.

mod column_values;
mod durable;
mod error;
mod format;
mod latest;
mod manifest;
mod ndjson;
mod parquet;
mod part;
mod part_file;
mod publish;
mod published;
mod run_id;
mod source_folder;
mod table_writer;
#[cfg(test)]
mod tests;

pub use column_values::ColumnError;
pub use error::OutputError;
pub use format::{Format, UnknownFormat};
pub use manifest::{
    MANIFEST_FILE, MANIFEST_VERSION, Manifest, ManifestColumn, ManifestConnection, ManifestEach, ManifestEnds,
    ManifestFailure, ManifestPart, ManifestTable, Traffic, moment,
};
pub use part::{Part, PartWriter};
pub use publish::Publication;
pub use published::{PublishedError, PublishedRun};
pub use run_id::{NotARunId, RunId};
pub use source_folder::SourceFolder;
pub use table_writer::{TableFiles, TableWriter};
