//! The engine: tasks out, responses in, until every connection is read to its end.
//!
//! `source_run.rs` has the query files of a source side by side, `query_run.rs` one of them from its beginning to its
//! publication, `export.rs` the loop of tasks and responses, `sink.rs` the way from responses to parts. What is decided
//! there is decided by pure parts: `pack.rs` which tasks share a request, `join.rs` what the answers to its pieces come to, `harvest.rs` what a response shows, `turning.rs`
//! how a connection goes on, `intake.rs` what follows, `members.rs` what becomes of the values that a query is run for.
//! `upstream.rs` has these values. Must not know HTTP, SQL, Arrow or GraphQL: each has a module below that it talks to in
//! words of its own. Never prints, and has its clock passed in.

mod begin;
mod budget;
mod company;
mod denied;
mod estimate;
mod export;
mod fan_out;
mod fineness;
mod frontier;
mod going_on;
mod harvest;
mod holder;
mod intake;
mod items;
mod join;
mod key_seed;
mod known;
mod learnt;
mod left_out;
mod lookups;
mod members;
mod memory;
mod outcome;
mod pace;
mod pack;
mod plans;
mod preview;
mod publish;
mod query_run;
mod schema;
mod seen;
mod sink;
mod smaller_pages;
mod source_run;
mod status;
#[cfg(test)]
mod tests;
mod text_limits;
mod token_call;
mod token_life;
mod turn;
mod turning;
mod upstream;

pub use begin::{Beginning, Obstacle, begin_source};
pub use budget::{FindBudget, SharedBudget};
pub use estimate::{Estimate, KnownBy, RowsEstimate, span};
pub use learnt::{Learnt, LearntConnection};
pub use outcome::{QueryOutcome, exit_code};
pub use preview::{LearntCut, Preview, preview_source};
pub use source_run::{
    OpenTransport, RunSettings, SourceError, SourceJob, check_source, describe_source_error, run_source,
};
pub use status::{PublishedStatus, QueryStatus, StatusError, UnfinishedStatus, forget_learnt, source_status};
pub use token_call::{CallAnswer, CallValues, TokenCallError, call};
pub use token_life::{ToldEnd, token_warning, told_end};
pub use upstream::{KnownMembers, known_members};
