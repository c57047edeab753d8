//! From the text of a `source.toml` to its settings, or to the error that people see.

use std::path::Path;
use std::time::Duration;

use url::Url;

use crate::project::diagnostic::Document;
use crate::project::layers::Layers;
use crate::project::preset;
use crate::project::settle::settle;
use crate::project::{
    Auth, CountedBy, Diagnostic, EndpointAddress, KeyOverride, Limits, OnDenied, OperationNameRule, QueryLimits,
    RequestLimit, RetryGrowth, RetryPolicy, SchemaOrigin, SourceSettings, Timing, TokenOrigin, VerdictName,
};
use crate::schema::{PagingRule, ScalarType};

mod hostile;

fn read(text: &str, overrides: &[&str]) -> Result<SourceSettings, Diagnostic> {
    let file = Document {
        name: "queries/x/source.toml".to_owned(),
        text: text.to_owned(),
    };
    let overrides: Vec<KeyOverride> = overrides
        .iter()
        .map(|text| text.parse().expect("a key and a value"))
        .collect();
    settle(&Layers::read(file, &overrides)?, Path::new("queries/x"))
}

fn settings(text: &str, overrides: &[&str]) -> SourceSettings {
    read(text, overrides).unwrap_or_else(|error| panic!("{error}"))
}

fn error(text: &str, overrides: &[&str]) -> String {
    read(text, overrides).expect_err("an error").to_string()
}

/// What every API without settings of its own gets.
fn assert_defaults(settings: &SourceSettings) {
    assert_eq!(
        settings.endpoint,
        EndpointAddress::Url(Url::parse("https://api.example.com/graphql").expect("an address"))
    );
    assert_eq!(settings.schema, SchemaOrigin::Introspect);
    assert_eq!(
        settings.auth,
        Auth {
            header: "authorization".to_owned(),
            scheme: "Bearer".to_owned(),
            token: None,
        }
    );
    assert_eq!(
        settings.limits,
        Limits {
            requests: Vec::new(),
            concurrency: 16,
            query: QueryLimits::default(),
            page_size: 100,
            response_bytes: 64 * 1024 * 1024,
        }
    );
    assert_eq!(
        settings.timing,
        Timing {
            target: Duration::from_secs(10),
            timeout: Duration::from_secs(60),
            connect_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_secs(60),
        }
    );
    assert_eq!(
        settings.retry,
        RetryPolicy {
            attempts: 10,
            growth: RetryGrowth::Exponential,
            initial_wait: Duration::from_millis(500),
            max_wait: Duration::from_secs(60),
            throttle_wait: None,
            retry_after_margin: Duration::from_secs(1),
        }
    );
    assert!(settings.headers.is_empty() && settings.verdicts.is_empty() && settings.scalars.is_empty());
    assert!(!settings.flatten);
    assert_eq!(settings.on_denied, OnDenied::LeaveOut);
    assert!(!settings.doubts_null);
    assert_eq!(settings.keep, None);
}

#[test]
fn the_example_lists_every_key_with_its_default() {
    let example = include_str!("source.example.toml");
    assert_defaults(&settings(example, &[]));
    assert_defaults(&settings("endpoint = 'https://api.example.com/graphql'", &[]));
    let unknown = error("zzz = 1", &[]);
    let (_, keys) = unknown.split_once("are: ").expect("a list of keys");
    for table in ["auth", "limits", "limits.query", "timing", "retry"] {
        let unknown = error("", &[&format!("{table}.zzz=1")]);
        let (_, inner) = unknown.split_once("are: ").expect("a list of keys");
        for key in keys.split(", ").chain(inner.split(", ")) {
            assert!(
                example.contains(key.trim_matches('`')),
                "{key} of {table} is not in the example"
            );
        }
    }
}

#[test]
fn the_commented_lines_of_the_example_work_too() {
    let uncommented: String = include_str!("source.example.toml")
        .lines()
        .map(|line| {
            line.strip_prefix("# ")
                .filter(|key| key.contains(" = ") || key.starts_with("[["))
                .unwrap_or(line)
        })
        .filter(|line| !line.starts_with("token = { file") && !line.starts_with("token = { command"))
        .filter(|line| !line.starts_with("or with"))
        .fold(String::new(), |text, line| text + line + "\n");
    let settings = settings(&uncommented, &[]);
    assert_eq!(settings.auth.token, Some(TokenOrigin::Env("EXAMPLE_TOKEN".to_owned())));
    assert_eq!(settings.headers.get("x-client").map(String::as_str), Some("gqldump"));
    assert_eq!(settings.scalars.get("DateTime"), Some(&ScalarType::Timestamp));
    assert_eq!(settings.limits.requests, Vec::new());
    assert_eq!(settings.verdicts.first().map(|rule| rule.status), Some(Some(400)));
    let rule = said(&settings, "Query", "issues");
    assert_eq!(
        rule,
        "@paginate(style: PAGE, sizeArgument: \"pagination.perPage\", pageArgument: \"pagination.page\", \
         items: \"collection\", total: \"metadata.totalCount\", pageCount: \"metadata.totalPages\", firstPage: 1)"
    );
    assert_eq!(
        settings.verdicts.len(),
        1 + self::settings("preset = 'fluidattacks'", &[]).verdicts.len()
    );
}

#[test]
fn a_file_goes_before_its_preset_key_by_key() {
    let text = "
        preset = 'github'
        auth.token = { file = 'token' }
        scalars.Date = 'string'
        [limits]
        query = { depth = 9 }
        [[verdicts]]
        code = 'MINE'
        verdict = 'invalid'";
    let (settings, preset) = (settings(text, &[]), settings("preset = 'github'", &[]));
    assert_eq!(settings.endpoint, preset.endpoint);
    assert_eq!(settings.auth.token, Some(TokenOrigin::File("queries/x/token".into())));
    assert_eq!(preset.auth.token, Some(TokenOrigin::Env("GITHUB_TOKEN".to_owned())));
    let query = QueryLimits {
        depth: Some(9),
        nodes: Some(500_000),
        ..QueryLimits::default()
    };
    assert_eq!(settings.limits.query, query);
    assert_eq!(settings.limits.requests, preset.limits.requests);
    assert_eq!(settings.scalars.get("Date"), Some(&ScalarType::String));
    assert_eq!(settings.scalars.get("DateTime"), Some(&ScalarType::Timestamp));
    let codes: Vec<_> = settings.verdicts.iter().map(|rule| rule.code.as_deref()).collect();
    assert_eq!(codes.first(), Some(&Some("MINE")));
    assert_eq!(codes.len(), preset.verdicts.len() + 1);
}

/// What is said of the paging of a field, as a directive.
fn said(settings: &SourceSettings, type_name: &str, field: &str) -> String {
    let is_meant = |rule: &&PagingRule| rule.type_name == type_name && rule.field == field;
    let rules: Vec<String> = settings
        .paging
        .iter()
        .filter(is_meant)
        .map(|rule| rule.hints.to_string())
        .collect();
    rules.join("; ")
}

#[test]
fn a_rule_on_paging_goes_before_that_of_the_preset_field_by_field() {
    let text = "
        preset = 'fluidattacks'
        [[paging]]
        type = 'Me'
        field = 'reattacks'
        cap = 7
        [[paging]]
        type = 'Me'
        field = 'draftsConnection'
        style = 'relay'
        [[paging]]
        type = 'Group'
        field = 'events'
        style = 'none'";
    let settings = settings(text, &[]);
    assert_eq!(said(&settings, "Me", "reattacks"), "@paginate(style: CAPPED, cap: 7)");
    assert_eq!(said(&settings, "Me", "draftsConnection"), "@paginate(style: RELAY)");
    assert_eq!(said(&settings, "Group", "events"), "@paginate(style: NONE)");
    assert_eq!(said(&settings, "Me", "vulnerabilityDrafts"), "@paginate(total: \"\")");
}

#[test]
fn what_is_set_goes_before_the_file_and_the_last_before_the_first() {
    let overrides = [
        "limits.page_size=7",
        "limits.page_size=8",
        "limits.requests=[{ max = 3, per = '1s' }]",
        "schema=other.graphql",
        "timing.timeout = 5s",
        "flatten=true",
        "endpoint=http://127.0.0.1:4000/a?b=c",
        "headers.X-Source=a = b",
        "preset=github",
    ];
    let settings = settings("endpoint = 'demo:'\npreset = 'demo'\nlimits.page_size = 6", &overrides);
    assert_eq!(settings.limits.page_size, 8);
    assert_eq!(settings.limits.requests.len(), 1);
    assert_eq!(settings.schema, SchemaOrigin::File("queries/x/other.graphql".into()));
    assert_eq!(settings.timing.timeout, Duration::from_secs(5));
    assert!(settings.flatten);
    assert!(matches!(settings.endpoint, EndpointAddress::Url(url) if url.as_str() == "http://127.0.0.1:4000/a?b=c"));
    assert_eq!(settings.headers.get("x-source").map(String::as_str), Some("a = b"));
    assert_eq!(
        settings.limits.query.nodes,
        Some(500_000),
        "the preset that is set is the one that counts"
    );
}

#[test]
fn a_set_without_key_or_value_is_refused() {
    for text in ["", "limits.page_size", "=4", " =4", "a\nb=4"] {
        assert!(text.parse::<KeyOverride>().is_err(), "{text:?}");
    }
}

#[test]
fn every_preset_is_complete_but_for_a_workspace_s_own_address() {
    for name in preset::names() {
        let overrides: &[&str] = if name == "fibery" {
            &["parameters.account=a", "parameters.space=B"]
        } else {
            &[]
        };
        let settings = settings(&format!("preset = '{name}'"), overrides);
        assert!(!settings.limits.requests.is_empty(), "{name}");
        assert_eq!(settings.auth.token.is_none(), name == "demo", "{name}");
    }
}

#[test]
fn presets_of_earlier_names_say_of_their_api_what_differs_and_no_more() {
    let of_today = settings("preset = 'fluidattacks'", &[]);
    for name in ["asm", "arm"] {
        let earlier = settings(&format!("preset = '{name}'"), &[]);
        assert_eq!(earlier.endpoint, of_today.endpoint, "{name}");
        assert_eq!(earlier.limits, of_today.limits, "{name}");
        assert_eq!(earlier.paging, of_today.paging, "{name}");
        let tokens = &earlier.tokens;
        assert!(
            tokens.create.is_none() && tokens.list.is_none() && tokens.revoke.is_none(),
            "{name}"
        );
        assert!(
            tokens.replace.is_some() && tokens.longest == of_today.tokens.longest,
            "{name}"
        );
    }
    let other = settings("preset = 'arm'\nlimits.page_size = 7", &["timing.target='3s'"]);
    assert_eq!(other.limits.page_size, 7);
}

#[test]
fn paging_rules_of_presets_are_about_fields_that_shipped_schemas_have() {
    let cases = [
        ("conviso", include_str!("../../queries/conviso/schema.graphql"), &[][..]),
        (
            "fluidattacks",
            include_str!("../../queries/fluidattacks/schema.graphql"),
            &[][..],
        ),
        (
            "github",
            include_str!("../../queries/github/schema.graphql"),
            &["search"][..],
        ),
    ];
    for (preset, schema, lacking) in cases {
        let rules = settings(&format!("preset = '{preset}'"), &[]).paging;
        let lost = rules
            .iter()
            .map(|rule| rule.field.as_str())
            .filter(|field| !schema.contains(&format!("\n  {field}(")) && !schema.contains(&format!("\n  {field}:")));
        assert_eq!(lost.collect::<Vec<_>>(), lacking, "{preset}");
    }
}

#[test]
fn preset_rules_judge_the_messages_that_the_apis_send() {
    let cases = [
        ("fluidattacks", "Login required", VerdictName::Unauthorized),
        (
            "fluidattacks",
            "Exception - Invalid Authorization",
            VerdictName::Unauthorized,
        ),
        ("fluidattacks", "Access denied or group not found", VerdictName::Denied),
        (
            "fluidattacks",
            "Exception - Access denied or root not found",
            VerdictName::Denied,
        ),
        (
            "fluidattacks",
            "AWS service unavailable, please retry",
            VerdictName::Transient,
        ),
        (
            "fluidattacks",
            "Exception - Max query breadth exceeded",
            VerdictName::TooComplex,
        ),
        (
            "fluidattacks",
            "Exception - The cursor is invalid with a filter",
            VerdictName::CursorExpired,
        ),
        (
            "conviso",
            "Query has depth of 17, which exceeds max depth of 15",
            VerdictName::TooComplex,
        ),
        (
            "conviso",
            "Scope - Resource not accessible for id: 9",
            VerdictName::Denied,
        ),
        (
            "github",
            "You have exceeded a secondary rate limit",
            VerdictName::Throttled,
        ),
        (
            "github",
            "Something went wrong while executing your query on 2026-01-01",
            VerdictName::TooBig,
        ),
    ];
    for (preset, message, verdict) in cases {
        let settings = settings(&format!("preset = '{preset}'"), &[]);
        let fits = |rule: &&super::VerdictRule| rule.message.as_ref().is_some_and(|pattern| pattern.is_match(message));
        let found = settings.verdicts.iter().find(fits).map(|rule| rule.verdict);
        assert_eq!(found, Some(verdict), "{preset}: {message}");
    }
}

#[test]
fn complexity_is_a_number_of_fields_or_a_rule() {
    let limit = |written: &str| {
        let text = format!("endpoint = 'demo:'\nlimits.query.complexity = {written}");
        settings(&text, &[]).limits.query.complexity.expect("a limit")
    };
    let fields = limit("400");
    assert_eq!((fields.max, fields.object, fields.scalar), (400, 1.0, 1.0));
    assert!(fields.multiplied_by.is_empty());
    assert_eq!(limit("{ max = 400 }"), fields);
    let rule = limit("{ max = 10000, scalar = 0.1, multiplied_by = ['first', 'last'] }");
    assert_eq!((rule.max, rule.object, rule.scalar), (10_000, 1.0, 0.1));
    assert_eq!(rule.multiplied_by, ["first", "last"]);
    for wrong in [
        "0",
        "'400'",
        "{ object = 1 }",
        "{ max = 0 }",
        "{ max = 1, scalar = -1.0 }",
        "{ max = 1, fields = 2 }",
    ] {
        error(&format!("endpoint = 'demo:'\nlimits.query.complexity = {wrong}"), &[]);
    }
}

#[test]
fn presets_say_what_their_apis_document_of_single_queries() {
    let query = |preset: &str| {
        settings(&format!("preset = '{preset}'\nendpoint = 'demo:'"), &[])
            .limits
            .query
    };
    let fluidattacks = query("fluidattacks");
    let strict = (fluidattacks.depth, fluidattacks.directives, fluidattacks.operation_name);
    assert_eq!(strict, (Some(8), Some(50), OperationNameRule::Alphanumeric));
    let conviso = query("conviso");
    assert_eq!(
        conviso.complexity.map(|limit| (limit.max, limit.multiplied_by)),
        Some((400, vec!["first".to_owned(), "last".to_owned()]))
    );
    assert_eq!(
        (conviso.depth, conviso.operation_name),
        (Some(15), OperationNameRule::AsWritten)
    );
    let unlimited = QueryLimits {
        without_fragments: true,
        ..QueryLimits::default()
    };
    assert_eq!(query("fibery"), unlimited);
}

#[test]
fn the_margin_is_a_share_of_the_window_within_bounds() {
    let margin = |text: &str| {
        let text = format!("endpoint = 'demo:'\n[limits]\n{text}");
        settings(&text, &[])
            .limits
            .requests
            .iter()
            .map(|limit| limit.margin.as_millis())
            .collect::<Vec<_>>()
    };
    let windows = "requests = [{ max = 1, per = '100ms' }, { max = 1, per = '10s' }, { max = 1, per = '1h' }]";
    assert_eq!(margin(windows), [20, 200, 1000]);
    assert_eq!(margin(&format!("{windows}\narrival_margin = '0s'")), [0, 0, 0]);
    let limit = settings("endpoint = 'demo:'", &["limits.requests=[{ max = 5, per = '1m' }]"])
        .limits
        .requests;
    let expected = RequestLimit {
        max: 5,
        per: Duration::from_secs(60),
        margin: Duration::from_secs(1),
        counted_by: CountedBy::Token,
    };
    assert_eq!(limit, [expected]);
    let counted_by = |text: &str| {
        let windows = "[{ max = 3, per = '1s', counted_by = 'token' }, { max = 7, per = '1s', counted_by = 'host' }, { max = 9, per = '1m' }]";
        let settings = settings(
            &format!("endpoint = 'demo:'\n[limits]\n{text}"),
            &[&format!("limits.requests={windows}")],
        );
        settings
            .limits
            .requests
            .into_iter()
            .map(|limit| limit.counted_by)
            .collect::<Vec<_>>()
    };
    assert_eq!(counted_by(""), [CountedBy::Token, CountedBy::Host, CountedBy::Token]);
    assert_eq!(
        counted_by("counted_by = 'address'"),
        [CountedBy::Token, CountedBy::Host, CountedBy::Address]
    );
}

#[test]
fn plain_http_is_for_this_machine_or_by_permission() {
    for host in ["localhost", "api.localhost", "127.0.0.1", "127.9.9.9", "[::1]"] {
        settings(&format!("endpoint = 'http://{host}:8000/api'"), &[]);
    }
    settings("endpoint = 'http://10.0.0.1/api'\nallow_http = true", &[]);
    for host in ["10.0.0.1", "localhost.example.com", "example.com", "[::2]"] {
        error(&format!("endpoint = 'http://{host}:8000/api'"), &[]);
    }
}

#[test]
fn values_written_as_text_are_read() {
    let size = |size: &str| settings(&format!("endpoint = 'demo:'\nlimits.response_bytes = {size}"), &[]);
    let sizes = [
        ("'64MiB'", 67_108_864),
        ("'5 kb'", 5000),
        ("'7'", 7),
        ("9", 9),
        ("'1GiB'", 1_073_741_824),
    ];
    for (text, bytes) in sizes {
        assert_eq!(size(text).limits.response_bytes, bytes, "{text}");
    }
    let demo = |name: &str| EndpointAddress::Demo(name.to_owned());
    assert_eq!(settings("endpoint = 'demo:'", &[]).endpoint, demo("tracker"));
    assert_eq!(settings("endpoint = 'demo:other'", &[]).endpoint, demo("other"));
    let api_key = settings("endpoint = 'demo:'\nauth.header = 'X-API-Key'", &[]).auth;
    assert_eq!((api_key.header.as_str(), api_key.scheme.as_str()), ("x-api-key", ""));
}

#[test]
fn a_default_gives_way_to_a_given_value_that_it_would_contradict() {
    let text = "endpoint = 'demo:'\n[timing]\ntimeout = '5s'\n[retry]\ninitial_wait = '2m'";
    let settings = settings(text, &[]);
    assert_eq!(settings.timing.target, Duration::from_secs(5));
    assert_eq!(settings.retry.max_wait, Duration::from_secs(120));
}

/// A mistake in `source.toml`, perhaps with a `--set`, and what is said about it.
const MISTAKES: [(&str, &str, &str); 19] = [
    (
        "endpoint = 'demo:'\n\n[limits]\nconcurency = 4",
        "",
        "
unknown key `concurency`
 --> queries/x/source.toml:4:1
  |
4 | concurency = …
  | ^^^^^^^^^^
  = help: did you mean `concurrency`? the keys here are: `requests`, `arrival_margin`, `counted_by`, `concurrency`, `query`, \
         `page_size`, `response_bytes`",
    ),
    (
        "flatten = 'yes'",
        "",
        "
text cannot stand here
 --> queries/x/source.toml:1:11
  |
1 | flatten = 'yes'
  |           ^^^^^
  = help: write `true` or `false`",
    ),
    (
        "\n\n\n\n\n\n\n\n\n[limits]\n\trequests = [{ max = 0, per = '1m' }]",
        "",
        "
this value is out of range
  --> queries/x/source.toml:11:22
   |
11 |  requests = [{ max = 0, per = '1m' }]
   |                      ^
   = help: write a whole number from 1 to 4294967295",
    ),
    (
        "[limits]\nrequests = [{ max = 1 }]",
        "",
        "
the key `per` is missing here
 --> queries/x/source.toml:2:13
  |
2 | requests = [{ max = 1 }]
  |             ^^^^^^^^^^^
  = help: add `per = …`",
    ),
    (
        "[timing]\ntarget = 10 # größer",
        "",
        "
a whole number cannot stand here
 --> queries/x/source.toml:2:10
  |
2 | target = 10 # größer
  |          ^^
  = help: write a duration with its unit in quotes, such as \"10s\", \"1m\" or \"250ms\"",
    ),
    (
        "",
        "",
        "
the key `endpoint` is missing
 --> queries/x/source.toml
  = help: add `endpoint = \"https://…\"`, or name a preset that has one",
    ),
    (
        "endpoint = 'http://api.example.com'",
        "",
        "
plain http would show the token to everyone on the way
 --> queries/x/source.toml:1:12
  |
1 | endpoint = 'http://api.example.com'
  |            ^^^^^^^^^^^^^^^^^^^^^^^^
  = help: write https, or set `allow_http = true` where the way to the server is safe",
    ),
    (
        "endpoint = 'demo:'\nschema = 'none'",
        "",
        "
`schema = \"none\"` is not supported yet: columns and pages come from the schema
 --> queries/x/source.toml:2:10
  |
2 | schema = 'none'
  |          ^^^^^^
  = help: write \"introspect\", or the path of a .graphql file in quotes",
    ),
    (
        "preset = 'githb'",
        "",
        "
unknown preset `githb`
 --> queries/x/source.toml:1:10
  |
1 | preset = 'githb'
  |          ^^^^^^^
  = help: did you mean `github`? the presets are: `arm`, `asm`, `conviso`, `demo`, `fibery`, `fluidattacks`, `github`",
    ),
    (
        "[auth]\ntoken = 's3cret'",
        "",
        "
a token must not be written here
 --> queries/x/source.toml:2:9
  |
2 | token = …
  |         ^
  = help: take it out, have it replaced by whoever issued it, and write { env = \"NAME\" }, { file = \"PATH\" } or \
         { command = [\"PROGRAM\", …] }",
    ),
    (
        "auth.token = { env = 'A', file = 'b' }",
        "",
        "
a token is found in exactly one place
 --> queries/x/source.toml:1:14
  |
1 | auth.token = …
  |              ^
  = help: write { env = \"NAME\" }, { file = \"PATH\" } or { command = [\"PROGRAM\", …] }",
    ),
    (
        "[[verdicts]]\nverdict = 'throttled'",
        "",
        "
this rule fits every response
 --> queries/x/source.toml:1:1
  |
1 | [[verdicts]]
  | ^^^^^^^^^^^^
  = help: add `status`, `code` or `message`, or several of them",
    ),
    (
        "[[paging]]\ntype = 'Query'\nfield = 'issues'\nsyle = 'page'",
        "",
        "
unknown key `syle`
 --> queries/x/source.toml:1:1
  |
1 | [[paging]]
  | ^^^^^^^^^^
  = help: the example of a `source.toml` lists the keys",
    ),
    (
        "[[paging]]\ntype = 'Query'\nstyle = 'page'",
        "",
        "
the key `field` is missing here
 --> queries/x/source.toml:1:1
  |
1 | [[paging]]
  | ^^^^^^^^^^
  = help: add `field = …`",
    ),
    (
        "[[paging]]\ntype = 'Query'\nfield = 'issues'\nstyle = 'pages'",
        "",
        "
unknown value `pages`
 --> queries/x/source.toml:1:1
  |
1 | [[paging]]
  | ^^^^^^^^^^
  = help: did you mean `page`? the values here are: `relay`, `flat_cursor`, `moving_cursor`, `page`, `page_flag`, `page_list`, \
         `offset`, `offset_list`, `keyset`, `capped`, `reverse`, `none`",
    ),
    (
        "preset = 'fluidattacks'",
        "timing.timeout=5s",
        "
`timing.target` is longer than `timing.timeout`: no response could take that long
 --> --set timing.timeout:1:18
  |
1 | timing.timeout = \"5s\"
  |                  ^^^^
  = help: lower the first or raise the second",
    ),
    (
        "endpoint = 'demo:'",
        "limits.concurrency=four",
        "
text cannot stand here
 --> --set limits.concurrency:1:22
  |
1 | limits.concurrency = \"four\"
  |                      ^^^^^^
  = help: write a whole number from 1 to 4294967295",
    ),
    (
        "endpoint = 'demo:'",
        "limits.concurency=4",
        "
unknown key `concurency`
 --> --set limits.concurency:1:8
  |
1 | limits.concurency = …
  |        ^^^^^^^^^^
  = help: did you mean `concurrency`? the keys here are: `requests`, `arrival_margin`, `counted_by`, `concurrency`, `query`, \
         `page_size`, `response_bytes`",
    ),
    (
        "endpoint = 'demo:'\r\nendpoint = 'demo:'\r\n",
        "",
        "
duplicate key
 --> queries/x/source.toml:2:1
  |
2 | endpoint = 'demo:'
  | ^^^^^^^^",
    ),
];

#[test]
fn mistakes_are_shown_where_they_stand_with_a_remedy() {
    for (text, key_override, expected) in MISTAKES {
        let overrides: Vec<&str> = [key_override].into_iter().filter(|text| !text.is_empty()).collect();
        assert_eq!(
            error(text, &overrides),
            expected.trim_start(),
            "for {text:?} {key_override}"
        );
    }
}

#[test]
fn every_other_mistake_is_refused() {
    let mistakes = [
        "endpoint = 'ftp://a.b'",
        "endpoint = 'a.b/c'",
        "endpoint = 'demo:a/b'",
        "endpoint = 'demo:'\nschema = 'introspec'",
        "limits.requests = { max = 1, per = '1m' }",
        "limits.requests = [{ max = 1, per = '0s' }]",
        "limits.requests = [{ max = 1, per = '1000y' }]",
        "limits.requests = [{ max = 1, per = '1x' }]",
        "limits.concurrency = -1",
        "limits.page_size = 1.5",
        "limits.response_bytes = 0",
        "limits.response_bytes = '0 MiB'",
        "limits.response_bytes = '99999999999 GiB'",
        "limits.response_bytes = '5 lb'",
        "retry.growth = 'fast'",
        "scalars.X = 'datetime'",
        "scalars.X = 'decimal(40, 2)'",
        "verdicts = [{ message = '(', verdict = 'invalid' }]",
        "verdicts = [{ status = 700, verdict = 'invalid' }]",
        "verdicts = [{ status = 400, verdict = 'data' }]",
        "auth.header = 'X: y'",
        "auth.token = {}",
        "auth.token = { env = '' }",
        "auth.token = { env = 'A=B' }",
        "auth.token = { command = [] }",
        "headers = { Host = 'a' }",
        "headers = { X-Own = \"a\\nb\" }",
        "headers = { X-Own = 'a', x-own = 1 }",
        "endpoint = 'demo:'\nauth.header = 'X-Own'\nheaders.x-own = 'a'",
    ];
    for mistake in mistakes {
        let error = error(mistake, &[]);
        assert!(
            error.contains("--> queries/x/source.toml:") && error.contains("= help: "),
            "{mistake}:\n{error}"
        );
    }
}

#[test]
fn a_secret_in_the_wrong_place_is_never_repeated() {
    let mistakes = [
        "[auth]\ntoken = 's3cret'",
        "auth = { token = 's3cret' }",
        "auth = 'Bearer s3cret'",
        "auth = {\n  token = {\n    value = 's3cret'\n  }\n}",
        "[auth]\ntoken = { value = 's3cret' }",
        "[auth]\ntoken = { env = 's3cret.x.y' }",
        "[auth]\ntokn = 's3cret'",
        "[auth]\nbearer = 's3cret'",
        "[auth.token]\nvalue = 's3cret'",
        "[auth]\ntoken = 's3cret",
        "[auth]\ntoken = s3cret",
        "[auth]\ntoken = [\n  's3cret'\n]",
        "[auth]\ntoken = [\n  's3cret\n]",
        "api_key = 's3cret'",
        "password = \"s3cret\\z\"",
        "headers = { Authorization = 'Bearer s3cret' }",
        "[headers]\nX-Api-Key = 's3cret'",
        "[headers]\nX-Other = ['s3cret']",
        "headers = 's3cret'",
        "endpoint = 'https://user:s3cret@a.b'",
        "endpoint = 'http://a.b/?token=s3cret'",
    ];
    for mistake in mistakes {
        let error = error(mistake, &[]);
        assert!(!error.contains("s3c"), "{mistake}:\n{error}");
    }
    for key_override in [
        "auth.token=s3cret",
        "auth.token.value=s3cret",
        "auth=s3cret",
        "headers.Cookie=s3cret",
    ] {
        let error = error("endpoint = 'demo:'", &[key_override]);
        assert!(!error.contains("s3c"), "{key_override}:\n{error}");
    }
}
