mod settings;
pub use settings::{
    Auth, EndpointAddress, Limits, QueryLimits, RequestLimit, RetryGrowth, RetryPolicy, SchemaOrigin, SourceSettings,
    Timing, TokenOrigin, VerdictName, VerdictRule,
};
