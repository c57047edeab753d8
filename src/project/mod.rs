mod complaint;
mod defaults;
mod diagnostic;
mod layers;
mod load;
mod preset;
mod raw;
mod settings;
mod settle;
#[cfg(test)]
mod tests;
mod token;
mod written;
mod written_token;
pub use diagnostic::Diagnostic;
pub use layers::{KeyOverride, KeyOverrideError};
pub use load::{Project, ProjectError, QueryFile, Source};
pub use settings::{
    Auth, EndpointAddress, Limits, QueryLimits, RequestLimit, RetryGrowth, RetryPolicy, SchemaOrigin, SourceSettings,
    Timing, TokenOrigin, VerdictName, VerdictRule,
};
pub use token::TokenError;
