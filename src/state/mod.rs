//! The checkpoint store: one SQLite file for each source and output, by which an export goes on after any interruption.
//!
//! `store.rs` is the thread that writes in groups, `database.rs` every statement but those on members (`members.rs`), on
//! the keys of rows (`seen.rs`) and on pieces of requests (`pieces.rs`), `schema.sql` the tables. `view.rs` looks into a
//! state that another process may work with. Must not know what a response means or where parts stand: it
//! keeps what it is handed, and says what it was handed before. The only module that imports rusqlite.

mod database;
mod error;
mod group;
mod lock;
mod members;
mod pieces;
mod records;
mod runs;
mod seen;
mod store;
#[cfg(test)]
mod tests;
mod view;

pub use error::StateError;
pub use lock::StateLock;
pub use records::{
    Address, BegunRequest, Effort, Ends, KeptPiece, KnownExport, KnownRun, LearntText, Member, MemberCounts,
    MemberGain, NAMED_FAILURES, NewRun, OpenRun, PieceOf, ROW_KEY_BYTES, RecordedPart, Restart, RowKey, RowMark,
    RunKey, RunStart, Sequence, Skips, Stage, StoredResponse, StoredSchema, StoredSlot, TakenResponse, Tally, Task,
    TaskChange, Trail, UnfinishedRun,
};
pub use runs::FIRST_TASK;
pub use store::{StateStore, StateThread};
pub use view::StateView;
