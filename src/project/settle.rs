//! The layers of a source's settings turned into one validated whole.

use std::path::Path;
use std::time::Duration;

use url::{Host, Url};

use crate::project::defaults;
use crate::project::diagnostic::Diagnostic;
use crate::project::layers::Layers;
use crate::project::raw::{RawAuth, RawLimits, RawQueryLimits, RawRequestLimit, RawRetry, RawSource, RawTiming};
use crate::project::settings::{
    Auth, CountedBy, EndpointAddress, Limits, OnDenied, QueryLimits, RequestLimit, RetryGrowth, RetryPolicy,
    SchemaOrigin, SourceSettings, Timing, TokenOrigin,
};
use crate::project::written::{Period, Text, WrittenSchema};
use crate::project::written_complexity::WrittenComplexity;

/// Fills in the defaults and checks what concerns several keys at once; `folder` is the source's own, against which
/// paths are resolved.
pub(crate) fn settle(layers: &Layers, folder: &Path) -> Result<SourceSettings, Diagnostic> {
    let raw = layers.merged();
    let settings = SourceSettings {
        endpoint: endpoint(&raw, layers)?,
        schema: schema(raw.schema, folder),
        headers: raw
            .headers
            .into_iter()
            .map(|(Text(name), Text(value))| (name.0, value.0))
            .collect(),
        auth: auth(raw.auth, folder),
        limits: limits(raw.limits),
        timing: timing(&raw.timing),
        retry: retry(&raw.retry),
        verdicts: raw.verdicts.into_iter().map(|rule| rule.0).collect(),
        paging: raw.paging,
        left_out: raw.left_out,
        variables: raw
            .variables
            .into_iter()
            .map(|(name, written)| (name, resolved(written.0, folder)))
            .collect(),
        scalars: raw
            .scalars
            .into_iter()
            .map(|(name, Text(scalar))| (name, scalar))
            .collect(),
        flatten: raw.flatten.unwrap_or(false),
        on_denied: raw.on_denied.unwrap_or(OnDenied::LeaveOut),
        doubts_null: raw.doubt_null.unwrap_or(false),
        tokens: raw.tokens.unwrap_or_default(),
        keep: raw.keep,
    };
    check_together(&settings, layers)?;
    Ok(settings)
}

fn endpoint(raw: &RawSource, layers: &Layers) -> Result<EndpointAddress, Diagnostic> {
    let Some(Text(written)) = &raw.endpoint else {
        let help = "add `endpoint = \"https://…\"`, or name a preset that has one";
        return Err(layers.complain(&[&["endpoint"]], "the key `endpoint` is missing", help));
    };
    let endpoint = written.filled(&raw.parameters).map_err(|error| {
        let names: Vec<&str> = error.parameter.iter().map(String::as_str).collect();
        let keys = names
            .iter()
            .map(|name| vec!["parameters", name])
            .chain([vec!["parameters"]]);
        let keys: Vec<Vec<&str>> = keys.collect();
        let keys: Vec<&[&str]> = keys.iter().map(Vec::as_slice).collect();
        layers.complain(&keys, error.message.clone(), error.remedy.clone())
    })?;
    let is_allowed = match &endpoint {
        EndpointAddress::Demo(_) => true,
        EndpointAddress::Url(url) => url.scheme() == "https" || raw.allow_http == Some(true) || is_loopback(url),
    };
    if !is_allowed {
        let help = "write https, or set `allow_http = true` where the way to the server is safe";
        return Err(layers.complain(
            &[&["endpoint"]],
            "plain http would show the token to everyone on the way",
            help,
        ));
    }
    Ok(endpoint)
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn schema(written: Option<Text<WrittenSchema>>, folder: &Path) -> SchemaOrigin {
    match written {
        Some(Text(WrittenSchema::File(path))) => SchemaOrigin::File(folder.join(path)),
        Some(Text(WrittenSchema::Introspect)) | None => SchemaOrigin::Introspect,
    }
}

fn auth(raw: RawAuth, folder: &Path) -> Auth {
    let header = raw
        .header
        .map_or_else(|| defaults::AUTH_HEADER.to_owned(), |Text(name)| name.0);
    let default_scheme = match header.as_str() {
        defaults::AUTH_HEADER => defaults::AUTH_SCHEME,
        _ => "",
    };
    let token = raw.token.map(|written| resolved(written.0, folder));
    Auth {
        scheme: raw
            .scheme
            .map_or_else(|| default_scheme.to_owned(), |Text(text)| text.0),
        header,
        token,
    }
}

/// Paths are seen from the source's folder.
fn resolved(origin: TokenOrigin, folder: &Path) -> TokenOrigin {
    match origin {
        TokenOrigin::File(path) => TokenOrigin::File(folder.join(path)),
        other => other,
    }
}

fn limits(raw: RawLimits) -> Limits {
    let margin = raw.arrival_margin.map(|Text(margin)| margin);
    let counted_by = raw.counted_by.unwrap_or(CountedBy::Token);
    let requests = raw.requests.unwrap_or_default().into_iter();
    let concurrency = raw.concurrency.map_or(defaults::CONCURRENCY, u32::from);
    let response_bytes = raw.response_bytes.map_or(defaults::RESPONSE_BYTES, |size| size.0);
    Limits {
        requests: requests
            .map(|limit| request_limit(&limit, margin, counted_by))
            .collect(),
        concurrency: usize::try_from(concurrency).unwrap_or(usize::MAX),
        query: query_limits(raw.query),
        page_size: raw.page_size.map_or(defaults::PAGE_SIZE, u32::from),
        response_bytes: usize::try_from(response_bytes).unwrap_or(usize::MAX),
    }
}

fn request_limit(raw: &RawRequestLimit, margin: Option<Duration>, counted_by: CountedBy) -> RequestLimit {
    let per = raw.per.0.0;
    let share = per / defaults::ARRIVAL_MARGIN_DIVISOR;
    let default_margin = share.clamp(defaults::MIN_ARRIVAL_MARGIN, defaults::MAX_ARRIVAL_MARGIN);
    RequestLimit {
        max: raw.max.get(),
        per,
        margin: margin.unwrap_or(default_margin),
        counted_by: raw.counted_by.unwrap_or(counted_by),
    }
}

fn query_limits(raw: RawQueryLimits) -> QueryLimits {
    QueryLimits {
        characters: raw.characters.map(u32::from),
        depth: raw.depth.map(u32::from),
        root_fields: raw.root_fields.map(u32::from),
        aliases: raw.aliases.map(u32::from),
        directives: raw.directives.map(u32::from),
        complexity: raw.complexity.map(|WrittenComplexity(limit)| limit),
        nodes: raw.nodes.map(u32::from),
        operation_name: raw.operation_name.unwrap_or_default(),
        without_fragments: raw.fragments == Some(false),
    }
}

/// A default gives way to a given value that it would contradict.
fn timing(raw: &RawTiming) -> Timing {
    let timeout = given(raw.timeout.as_ref()).unwrap_or(defaults::TIMEOUT);
    Timing {
        target: given(raw.target.as_ref()).unwrap_or(defaults::TARGET.min(timeout)),
        timeout,
        connect_timeout: given(raw.connect_timeout.as_ref()).unwrap_or(defaults::CONNECT_TIMEOUT),
        read_timeout: given(raw.read_timeout.as_ref()).unwrap_or(defaults::READ_TIMEOUT),
    }
}

/// A default gives way to a given value that it would contradict.
fn retry(raw: &RawRetry) -> RetryPolicy {
    let (initial_wait, max_wait) = (given(raw.initial_wait.as_ref()), given(raw.max_wait.as_ref()));
    RetryPolicy {
        attempts: raw.attempts.map_or(defaults::ATTEMPTS, u32::from),
        growth: raw.growth.unwrap_or(RetryGrowth::Exponential),
        initial_wait: initial_wait.unwrap_or(defaults::INITIAL_WAIT.min(max_wait.unwrap_or(Duration::MAX))),
        max_wait: max_wait.unwrap_or(defaults::MAX_WAIT.max(initial_wait.unwrap_or_default())),
        throttle_wait: given(raw.throttle_wait.as_ref()),
        retry_after_margin: raw
            .retry_after_margin
            .as_ref()
            .map_or(defaults::RETRY_AFTER_MARGIN, |margin| margin.0),
    }
}

fn given(period: Option<&Text<Period>>) -> Option<Duration> {
    period.map(|Text(Period(duration))| *duration)
}

/// What no key shows by itself: settings that contradict each other.
fn check_together(settings: &SourceSettings, layers: &Layers) -> Result<(), Diagnostic> {
    let (timing, retry) = (&settings.timing, &settings.retry);
    if timing.target > timing.timeout {
        let keys: [&[&str]; 2] = [&["timing", "target"], &["timing", "timeout"]];
        let message = "`timing.target` is longer than `timing.timeout`: no response could take that long";
        return Err(layers.complain(&keys, message, "lower the first or raise the second"));
    }
    if retry.initial_wait > retry.max_wait {
        let keys: [&[&str]; 2] = [&["retry", "initial_wait"], &["retry", "max_wait"]];
        let message = "`retry.initial_wait` is longer than `retry.max_wait`";
        return Err(layers.complain(&keys, message, "lower the first or raise the second"));
    }
    if settings.headers.contains_key(&settings.auth.header) {
        let message = format!(
            "the header `{}` is the token's, as `auth.header` says",
            settings.auth.header
        );
        return Err(layers.complain(&[&["headers"]], message, "leave it out here"));
    }
    Ok(())
}
