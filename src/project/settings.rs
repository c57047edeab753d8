//! What is known of one source, after its `source.toml` was laid over its preset and checked.
//!
//! Everything downstream takes these types as they are and checks nothing again.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use regex::Regex;
use serde::Deserialize;
use url::Url;

use crate::project::token_calls::TokenCalls;
use crate::schema::{PagingRule, ScalarType};

/// Where the requests of a source go, what they carry and what holds them back.
#[derive(Debug, Clone)]
pub struct SourceSettings {
    /// The API's address.
    pub endpoint: EndpointAddress,
    /// Where the schema comes from.
    pub schema: SchemaOrigin,
    /// Headers sent with every request beside the token's; names in lower case.
    pub headers: BTreeMap<String, String>,
    /// How a request says who is asking.
    pub auth: Auth,
    /// What the API allows.
    pub limits: Limits,
    /// How long things may take.
    pub timing: Timing,
    /// What happens after a failed attempt.
    pub retry: RetryPolicy,
    /// Rules for responses that the built-in classifier would misjudge; the first that fits decides.
    pub verdicts: Vec<VerdictRule>,
    /// How single fields turn their pages, where the schema leaves it open or shows it wrongly; one for each field.
    pub paging: Vec<PagingRule>,
    /// Fields that are left out of query files to begin with, by the names of their types.
    pub left_out: BTreeMap<String, Vec<String>>,
    /// Variables of query files whose values are secrets, and where each is found.
    pub variables: BTreeMap<String, TokenOrigin>,
    /// What the API's custom scalars become; a scalar not listed here becomes JSON text.
    pub scalars: BTreeMap<String, ScalarType>,
    /// Whether nested objects become `a_b` columns instead of STRUCT columns.
    pub flatten: bool,
    /// What is done about a field that the token may not see.
    pub on_denied: OnDenied,
    /// Whether null in the place of all rows, without an error, is no answer of this API.
    pub doubts_null: bool,
    /// How the API deals with its own tokens.
    pub tokens: TokenCalls,
    /// How many complete runs of each query file are kept; all, where nothing is said.
    pub keep: Option<NonZeroU32>,
}

/// What is done about a field that the token may not see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnDenied {
    /// It is left out, and named; the rest goes on.
    LeaveOut,
    /// The export ends.
    Stop,
}

/// The address of an API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EndpointAddress {
    /// `demo:NAME`: the stand-in of that name, started inside the process (`demo:` is `demo:tracker`).
    Demo(String),
    /// `https://…`, or `http://…`.
    Url(Url),
}

/// Where the schema comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SchemaOrigin {
    /// Asked of the API, and kept for a day.
    Introspect,
    /// A file in the schema definition language; the path is already resolved against the source's folder.
    File(PathBuf),
}

/// How a request says who is asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Auth {
    /// The header's name, in lower case.
    pub header: String,
    /// The word before the token (`Bearer`, `Token`), or the name of the cookie that it is (`session=`); empty for none.
    pub scheme: String,
    /// Where the token is found; `None` for an API that asks for none.
    pub token: Option<TokenOrigin>,
}

/// Where a token is found. The token itself never stands in a file of the project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenOrigin {
    /// An environment variable.
    Env(String),
    /// The first line of a file, whose path is already resolved against the source's folder.
    File(PathBuf),
    /// The first line that a program writes to its standard output; at least one element.
    Command(Vec<String>),
}

/// What the API allows.
#[derive(Debug, Clone, PartialEq)]
pub struct Limits {
    /// Windows that all hold at once; empty for an API without a request limit.
    pub requests: Vec<RequestLimit>,
    /// Requests in flight at once, at least 1.
    pub concurrency: usize,
    /// What one query text may ask for.
    pub query: QueryLimits,
    /// Rows asked for at once on a paginated field whose query file names no size, at least 1.
    pub page_size: u32,
    /// The largest response that is read, in bytes after decompression.
    pub response_bytes: usize,
}

/// For whom an API counts requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CountedBy {
    /// For each token, whatever is asked for on its host.
    Token,
    /// For each address that requests come from: all tokens of a machine share what it has.
    Address,
    /// For the host, whoever asks it: all tokens share what it gives, as those of one workspace that has its own host.
    Host,
}

impl CountedBy {
    /// Whether requests with other tokens count, too.
    pub fn is_for_all_tokens(self) -> bool {
        match self {
            Self::Token => false,
            Self::Address | Self::Host => true,
        }
    }
}

/// At most `max` requests in any window of `per`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestLimit {
    /// Requests allowed in a window, at least 1.
    pub max: u32,
    /// The window's length.
    pub per: Duration,
    /// How much later than its sending a request may be counted by the server, beyond what the others suffer
    /// (jitter of the way); a permit stays taken for that much longer than the window.
    pub margin: Duration,
    /// For whom they are counted.
    pub counted_by: CountedBy,
}

/// What one query text may ask for; `None` where the API sets no limit.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct QueryLimits {
    /// Characters of the text.
    pub characters: Option<u32>,
    /// Levels of nested fields, plain ones at the end included.
    pub depth: Option<u32>,
    /// Fields directly under the operation.
    pub root_fields: Option<u32>,
    /// Aliases in the text.
    pub aliases: Option<u32>,
    /// Directives in the text.
    pub directives: Option<u32>,
    /// The API's own complexity count, and how it counts.
    pub complexity: Option<ComplexityLimit>,
    /// Objects that a response may hold.
    pub nodes: Option<u32>,
    /// Which names of operations the API takes.
    pub operation_name: OperationNameRule,
    /// Whether a selection that occurs several times in a text is written out each time, and not once as a named fragment.
    pub without_fragments: bool,
}

/// How complex one query may be, by the API's own count.
#[derive(Debug, Clone, PartialEq)]
pub struct ComplexityLimit {
    /// The most points, at least 1.
    pub max: u32,
    /// Points of a field with fields below it.
    pub object: f64,
    /// Points of a field without.
    pub scalar: f64,
    /// Arguments by whose value all that stands below their field is multiplied; none where page sizes do not count.
    pub multiplied_by: Vec<String>,
}

/// Which names of operations an API takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OperationNameRule {
    /// Any: operations are called as the author calls them.
    #[default]
    AsWritten,
    /// Those of ASCII letters and digits; other characters are left out of a name.
    Alphanumeric,
    /// None at all.
    None,
}

/// How long things may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timing {
    /// The response time that page sizes are steered to.
    pub target: Duration,
    /// From sending a request to the last byte of its response.
    pub timeout: Duration,
    /// For opening a connection.
    pub connect_timeout: Duration,
    /// The longest silence while a response is being read.
    pub read_timeout: Duration,
}

/// What happens after a failed attempt.
#[derive(Debug, Clone, PartialEq)]
pub struct RetryPolicy {
    /// Attempts in all before a request is given up, at least 1; throttles do not count.
    pub attempts: u32,
    /// How the waits between attempts grow.
    pub growth: RetryGrowth,
    /// The wait after the first failed attempt.
    pub initial_wait: Duration,
    /// The longest wait between two attempts.
    pub max_wait: Duration,
    /// The least wait after a throttle that asks for none; `None` for one like that after a failure.
    pub throttle_wait: Option<Duration>,
    /// Added to every wait that the API asks for.
    pub retry_after_margin: Duration,
}

/// How the waits between attempts grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetryGrowth {
    /// Doubling each time, with jitter.
    Exponential,
    /// By the initial wait each time.
    Linear,
}

/// A rule of a preset: a response that fits all the conditions given has this verdict.
#[derive(Debug, Clone)]
pub struct VerdictRule {
    /// The HTTP status.
    pub status: Option<u16>,
    /// Equals `errors[].extensions.code`, or `errors[].type`, of any error; compared without regard to case.
    pub code: Option<String>,
    /// Found in any `errors[].message`, or in the text of a body that is not JSON.
    pub message: Option<Regex>,
    /// What the response then means.
    pub verdict: VerdictName,
}

/// The verdicts that a rule can give.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VerdictName {
    /// Asked too often: wait, and ask again.
    Throttled,
    /// Failed by chance: ask again.
    Transient,
    /// Asked for too many rows at once.
    TooBig,
    /// The text asks for more than the API allows in one query.
    TooComplex,
    /// This token may not see what was asked for.
    Denied,
    /// The token is not accepted.
    Unauthorized,
    /// The cursor is too old or unknown.
    CursorExpired,
    /// The request is wrong and will stay so.
    Invalid,
}
