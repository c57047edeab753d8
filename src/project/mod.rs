//! `queries/` on disk turned into one typed project: settings, presets, query files, where the token is found.
//!
//! A `source.toml` is read as it is written (`raw.rs`, `written*.rs`), laid over its preset (`layers.rs`) and settled once
//! (`settle.rs`); nothing downstream checks a setting again. Must not know what a query file says, nor any API by name: what
//! differs between APIs stands in `presets/`.

mod command;
mod complaint;
mod defaults;
mod diagnostic;
mod layers;
mod load;
mod new_source;
mod preset;
mod raw;
mod secrets;
mod settings;
mod settle;
#[cfg(test)]
mod tests;
mod token;
mod token_calls;
mod token_end;
mod written;
mod written_complexity;
mod written_endpoint;
mod written_token;
pub use diagnostic::Diagnostic;
pub use layers::{KeyOverride, KeyOverrideError};
pub use load::{Project, ProjectError, QueryFile, Source};
pub use new_source::NewSource;
pub use secrets::Secrets;
pub(crate) use secrets::without;
pub use settings::{
    Auth, ComplexityLimit, CountedBy, EndpointAddress, Limits, OnDenied, OperationNameRule, QueryLimits, RequestLimit,
    RetryGrowth, RetryPolicy, SchemaOrigin, SourceSettings, Timing, TokenOrigin, VerdictName, VerdictRule,
};
pub use token::TokenError;
pub use token_calls::{CallMethod, CallRequest, TokenCall, TokenCalls, path_with_id};
pub use token_end::{TokenLife, token_life};
