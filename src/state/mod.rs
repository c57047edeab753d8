mod database;
mod error;
mod lock;
mod records;
mod runs;
mod store;
#[cfg(test)]
mod tests;

pub use error::StateError;
pub use lock::StateLock;
pub use records::{
    Effort, FinishedConnection, NewRun, RecordedPart, RunKey, Sequence, Stage, StoredResponse, StoredSchema,
    TakenResponse, Task, UnfinishedRun,
};
pub use runs::FIRST_TASK;
pub use store::{StateStore, StateThread};
