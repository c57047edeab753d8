//! The mirror of a `source.toml`: every key optional, so that one file can be laid over another.
//!
//! The shapes and ranges of single values are checked while they are read; what concerns several keys at once is
//! checked when the whole is settled.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Duration;

use regex::Regex;
use serde::Deserialize;

use crate::project::complaint::with_remedy;
use crate::project::settings::{CountedBy, OnDenied, OperationNameRule, RetryGrowth, VerdictName, VerdictRule};
use crate::project::token_calls::TokenCalls;
use crate::project::written::{ByteSize, HeaderName, HeaderText, Period, Text, WrittenHeaders, WrittenSchema};
use crate::project::written_complexity::WrittenComplexity;
use crate::project::written_endpoint::WrittenEndpoint;
use crate::project::written_token::{WrittenSecret, WrittenToken};
use crate::schema::{PagingRule, ScalarType};

/// A `source.toml`, a preset, or one `--set`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table of settings")]
pub(crate) struct RawSource {
    pub(crate) preset: Option<String>,
    pub(crate) endpoint: Option<Text<WrittenEndpoint>>,
    #[serde(default)]
    pub(crate) parameters: BTreeMap<String, String>,
    pub(crate) allow_http: Option<bool>,
    pub(crate) schema: Option<Text<WrittenSchema>>,
    pub(crate) flatten: Option<bool>,
    pub(crate) on_denied: Option<OnDenied>,
    pub(crate) doubt_null: Option<bool>,
    pub(crate) keep: Option<NonZeroU32>,
    #[serde(default)]
    pub(crate) headers: WrittenHeaders,
    #[serde(default)]
    pub(crate) auth: RawAuth,
    #[serde(default)]
    pub(crate) limits: RawLimits,
    #[serde(default)]
    pub(crate) timing: RawTiming,
    #[serde(default)]
    pub(crate) retry: RawRetry,
    #[serde(default)]
    pub(crate) scalars: BTreeMap<String, Text<ScalarType>>,
    #[serde(default)]
    pub(crate) variables: BTreeMap<String, WrittenSecret>,
    #[serde(default)]
    pub(crate) verdicts: Vec<RawVerdictRule>,
    #[serde(default)]
    pub(crate) paging: Vec<PagingRule>,
    #[serde(default)]
    pub(crate) left_out: BTreeMap<String, Vec<String>>,
    pub(crate) tokens: Option<TokenCalls>,
}

/// `[auth]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table with header, scheme and token")]
pub(crate) struct RawAuth {
    pub(crate) header: Option<Text<HeaderName>>,
    pub(crate) scheme: Option<Text<HeaderText>>,
    pub(crate) token: Option<WrittenToken>,
}

/// `[limits]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table of limits")]
pub(crate) struct RawLimits {
    pub(crate) requests: Option<Vec<RawRequestLimit>>,
    pub(crate) arrival_margin: Option<Text<Duration>>,
    pub(crate) counted_by: Option<CountedBy>,
    pub(crate) concurrency: Option<NonZeroU32>,
    #[serde(default)]
    pub(crate) query: RawQueryLimits,
    pub(crate) page_size: Option<NonZeroU32>,
    pub(crate) response_bytes: Option<ByteSize>,
}

/// An item of `limits.requests`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table such as { max = 100, per = \"1m\" }")]
pub(crate) struct RawRequestLimit {
    pub(crate) max: NonZeroU32,
    pub(crate) per: Text<Period>,
    pub(crate) counted_by: Option<CountedBy>,
}

/// `limits.query`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table such as { characters = 3000, depth = 8 }")]
pub(crate) struct RawQueryLimits {
    pub(crate) characters: Option<NonZeroU32>,
    pub(crate) depth: Option<NonZeroU32>,
    pub(crate) root_fields: Option<NonZeroU32>,
    pub(crate) aliases: Option<NonZeroU32>,
    pub(crate) directives: Option<NonZeroU32>,
    pub(crate) complexity: Option<WrittenComplexity>,
    pub(crate) nodes: Option<NonZeroU32>,
    pub(crate) operation_name: Option<OperationNameRule>,
    pub(crate) fragments: Option<bool>,
}

/// `[timing]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table of durations")]
pub(crate) struct RawTiming {
    pub(crate) target: Option<Text<Period>>,
    pub(crate) timeout: Option<Text<Period>>,
    pub(crate) connect_timeout: Option<Text<Period>>,
    pub(crate) read_timeout: Option<Text<Period>>,
}

/// `[retry]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table with attempts and waits")]
pub(crate) struct RawRetry {
    pub(crate) attempts: Option<NonZeroU32>,
    pub(crate) growth: Option<RetryGrowth>,
    pub(crate) initial_wait: Option<Text<Period>>,
    pub(crate) max_wait: Option<Text<Period>>,
    pub(crate) throttle_wait: Option<Text<Period>>,
    pub(crate) retry_after_margin: Option<Text<Duration>>,
}

/// An item of `[[verdicts]]`
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "RawVerdictKeys")]
pub(crate) struct RawVerdictRule(pub(crate) VerdictRule);

#[derive(Debug, Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "a table such as { code = \"THROTTLED\", verdict = \"throttled\" }"
)]
struct RawVerdictKeys {
    status: Option<u16>,
    code: Option<String>,
    message: Option<Text<Regex>>,
    verdict: VerdictName,
}

impl TryFrom<RawVerdictKeys> for RawVerdictRule {
    type Error = String;

    fn try_from(keys: RawVerdictKeys) -> Result<Self, String> {
        if keys.status.is_none() && keys.code.is_none() && keys.message.is_none() {
            let remedy = "add `status`, `code` or `message`, or several of them";
            return Err(with_remedy("this rule fits every response", remedy));
        }
        if keys.status.is_some_and(|status| !(100..=599).contains(&status)) {
            return Err(with_remedy(
                "this rule's `status` is no HTTP status",
                "write a number from 100 to 599",
            ));
        }
        Ok(Self(VerdictRule {
            status: keys.status,
            code: keys.code,
            message: keys.message.map(|Text(pattern)| pattern),
            verdict: keys.verdict,
        }))
    }
}

impl RawSource {
    /// Lays these keys over those of `below`, key by key. Lists are replaced as a whole, except that the verdict rules
    /// of `below` follow these (the first that fits decides, so that a rule of one's own does not lose a preset's), and
    /// that what is said of the paging of one field goes over what `below` says of the same.
    pub(crate) fn over(self, below: Self) -> Self {
        Self {
            preset: self.preset.or(below.preset),
            endpoint: self.endpoint.or(below.endpoint),
            parameters: laid_over(self.parameters, below.parameters),
            allow_http: self.allow_http.or(below.allow_http),
            schema: self.schema.or(below.schema),
            flatten: self.flatten.or(below.flatten),
            on_denied: self.on_denied.or(below.on_denied),
            doubt_null: self.doubt_null.or(below.doubt_null),
            keep: self.keep.or(below.keep),
            headers: laid_over(self.headers, below.headers),
            auth: self.auth.over(below.auth),
            limits: self.limits.over(below.limits),
            timing: self.timing.over(below.timing),
            retry: self.retry.over(below.retry),
            scalars: laid_over(self.scalars, below.scalars),
            variables: laid_over(self.variables, below.variables),
            verdicts: self.verdicts.into_iter().chain(below.verdicts).collect(),
            paging: paging_over(self.paging, below.paging),
            left_out: laid_over(self.left_out, below.left_out),
            tokens: self.tokens.or(below.tokens),
        }
    }
}

impl RawAuth {
    fn over(self, below: Self) -> Self {
        Self {
            header: self.header.or(below.header),
            scheme: self.scheme.or(below.scheme),
            token: self.token.or(below.token),
        }
    }
}

impl RawLimits {
    fn over(self, below: Self) -> Self {
        Self {
            requests: self.requests.or(below.requests),
            arrival_margin: self.arrival_margin.or(below.arrival_margin),
            counted_by: self.counted_by.or(below.counted_by),
            concurrency: self.concurrency.or(below.concurrency),
            query: self.query.over(below.query),
            page_size: self.page_size.or(below.page_size),
            response_bytes: self.response_bytes.or(below.response_bytes),
        }
    }
}

impl RawQueryLimits {
    fn over(self, below: Self) -> Self {
        Self {
            characters: self.characters.or(below.characters),
            depth: self.depth.or(below.depth),
            root_fields: self.root_fields.or(below.root_fields),
            aliases: self.aliases.or(below.aliases),
            directives: self.directives.or(below.directives),
            complexity: self.complexity.or(below.complexity),
            nodes: self.nodes.or(below.nodes),
            operation_name: self.operation_name.or(below.operation_name),
            fragments: self.fragments.or(below.fragments),
        }
    }
}

impl RawTiming {
    fn over(self, below: Self) -> Self {
        Self {
            target: self.target.or(below.target),
            timeout: self.timeout.or(below.timeout),
            connect_timeout: self.connect_timeout.or(below.connect_timeout),
            read_timeout: self.read_timeout.or(below.read_timeout),
        }
    }
}

impl RawRetry {
    fn over(self, below: Self) -> Self {
        Self {
            attempts: self.attempts.or(below.attempts),
            growth: self.growth.or(below.growth),
            initial_wait: self.initial_wait.or(below.initial_wait),
            max_wait: self.max_wait.or(below.max_wait),
            throttle_wait: self.throttle_wait.or(below.throttle_wait),
            retry_after_margin: self.retry_after_margin.or(below.retry_after_margin),
        }
    }
}

fn paging_over(above: Vec<PagingRule>, below: Vec<PagingRule>) -> Vec<PagingRule> {
    let mut merged = below;
    for rule in above {
        let same = |other: &&mut PagingRule| other.type_name == rule.type_name && other.field == rule.field;
        match merged.iter_mut().find(same) {
            Some(other) => {
                other.hints = rule.hints.over(&other.hints);
                other.is_shipped &= rule.is_shipped;
            }
            None => merged.push(rule),
        }
    }
    merged
}

fn laid_over<K: Ord, V>(above: BTreeMap<K, V>, below: BTreeMap<K, V>) -> BTreeMap<K, V> {
    let mut merged = below;
    merged.extend(above);
    merged
}
