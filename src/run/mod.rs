mod cursor_watch;
mod export;
mod harvest;
mod intake;
mod outcome;
mod plans;
mod publish;
mod query_run;
mod schema;
mod sink;
mod source_run;

pub use outcome::{QueryOutcome, exit_code};
pub use schema::SchemaSourceError;
pub use source_run::{RunSettings, SourceError, SourceJob, check_source, describe_source_error, run_source};
