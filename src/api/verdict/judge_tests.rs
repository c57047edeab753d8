//! The table of what known APIs answer, row by row.

use std::marker::PhantomData;

use proptest::prelude::*;
use regex::Regex;
use reqwest::header::HeaderMap;
use serde_json::Value;

use super::*;
use crate::api::envelope::read_envelope;

fn judged(status: u16, pairs: &[(&'static str, &'static str)], body: &str, rules: &[VerdictRule]) -> Verdict {
    let headers: HeaderMap = pairs
        .iter()
        .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
        .collect();
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_793_534_400);
    let Ok(envelope) = read_envelope(body, PhantomData::<Value>) else {
        return judge(
            &Reply {
                status,
                headers: &headers,
                body: ReplyBody::Text(body),
            },
            rules,
            now,
        );
    };
    let body = ReplyBody::Envelope {
        has_data: envelope.data.is_some(),
        has_data_member: envelope.has_data_member,
        errors: &envelope.errors,
        extensions: &envelope.extensions,
    };
    judge(
        &Reply {
            status,
            headers: &headers,
            body,
        },
        rules,
        now,
    )
}

fn name(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Data => "data",
        Verdict::Throttled { .. } => "throttled",
        Verdict::Transient { .. } => "transient",
        Verdict::TooBig => "too big",
        Verdict::TooComplex => "too complex",
        Verdict::Denied { .. } => "denied",
        Verdict::Unauthorized => "unauthorized",
        Verdict::CursorExpired => "cursor expired",
        Verdict::Invalid => "invalid",
    }
}

fn check(rows: &[(u16, &str, &str)]) {
    for (status, body, expected) in rows {
        assert_eq!(name(&judged(*status, &[], body, &[])), *expected, "{status} {body}");
    }
}

#[test]
fn throttles_of_every_kind() {
    check(&[
        (
            429,
            r#"{"data":null,"errors":[{"message":"Too Many Requests.","status":429}]}"#,
            "throttled",
        ), // AniList
        (429, "Retry later\n", "throttled"),                              // GitLab
        (429, "Too Many Requests", "throttled"),                          // Fibery
        (429, "<html><body>error code: 1015</body></html>", "throttled"), // Fluid Attacks
        (429, "", "throttled"),
        (429, r#"{"data":{"a":1}}"#, "throttled"),
        (
            429,
            r#"{"errors":[{"message":"Your organization has used up its budget. Please try again in 187 seconds."}]}"#,
            "throttled",
        ), // Buildkite
        (
            429,
            r#"{"errors":[{"message":"m","extensions":{"contentful":{"code":"RATE_LIMIT_EXCEEDED"}}}]}"#,
            "throttled",
        ), // Contentful
        (
            429,
            r#"{"errors":[{"message":"m","extensions":{"code":"REQUESTS_EXCEEDED"}}]}"#,
            "throttled",
        ), // Directus
        (
            429,
            r#"{"errors":[{"message":"m","extensions":{"code":"USER_API_RATE_LIMIT_EXCEEDED","status":429}}]}"#,
            "throttled",
        ), // NetApp
        (
            403,
            r#"{"message":"You have exceeded a secondary rate limit. Please wait a few minutes before you try again."}"#,
            "throttled",
        ), // GitHub
        (403, "You have exceeded a secondary rate limit", "throttled"), // GitHub
        (
            200,
            r#"{"errors":[{"message":"You have exceeded a secondary rate limit."}]}"#,
            "throttled",
        ), // GitHub
        (
            200,
            r#"{"errors":[{"type":"RATE_LIMITED","message":"API rate limit exceeded for user ID 1."}]}"#,
            "throttled",
        ), // GitHub
        (
            200,
            r#"{"errors":[{"type":"RATE_LIMIT","code":"graphql_rate_limit","message":"API rate limit already exceeded for user ID 1."}]}"#,
            "throttled",
        ), // GitHub
        (
            400,
            r#"{"errors":[{"message":"m","extensions":{"code":"RATELIMITED"}}]}"#,
            "throttled",
        ), // Linear
        (
            200,
            r#"{"errors":[{"message":"Throttled","extensions":{"code":"THROTTLED"}}],"extensions":{"cost":{"requestedQueryCost":900}}}"#,
            "throttled",
        ), // Shopify
        (
            200,
            r#"{"errors":[{"message":"m","extensions":{"code":"COMPLEXITY_BUDGET_EXHAUSTED","retry_in_seconds":22}}]}"#,
            "throttled",
        ), // Monday
        (
            200,
            r#"{"errors":[{"message":"m","extensions":{"code":"FIELD_LIMIT_EXCEEDED"}}]}"#,
            "throttled",
        ), // Monday
        (
            200,
            r#"{"errors":[{"message":"m","extensions":{"code":"maxConcurrencyExceeded"}}]}"#,
            "throttled",
        ), // Monday
        (
            200,
            r#"{"errors":[{"message":"m","extensions":{"code":"IP_RATE_LIMIT_EXCEEDED"}}]}"#,
            "throttled",
        ), // Monday
        (
            200,
            r#"{"errors":[{"message":"m","extensions":{"code":"DAILY_LIMIT_EXCEEDED"}}]}"#,
            "throttled",
        ), // Monday
        (
            200,
            r#"{"error_code":"ComplexityException","error_message":"Complexity budget exhausted"}"#,
            "throttled",
        ), // Monday
        (
            200,
            r#"{"errors":[{"message":"m","extensions":{"code":"rate-limit-exceeded"}}]}"#,
            "throttled",
        ), // Hasura
        (
            200,
            r#"{"errors":[{"message":"m","extensions":{"code":"TOO_MANY_REQUESTS"}}]}"#,
            "throttled",
        ), // Healthie
        (
            200,
            r#"{"errors":[{"message":"m","extensions":{"errorCode":1,"code":"REQUEST_LIMIT_EXCEEDED"}}]}"#,
            "throttled",
        ), // Salesforce
        (
            400,
            r#"{"success":false,"message":"Rate limit exceeded - api-token"}"#,
            "throttled",
        ), // start.gg
        (
            200,
            r#"{"errors":[{"message":"m","extensions":{"http_code":429}}]}"#,
            "throttled",
        ), // Akeneo
    ]);
}

#[test]
fn failures_by_chance() {
    check(&[
        (502, "<html><title>502 Bad Gateway</title></html>", "transient"),
        (503, "", "transient"),
        (504, r#"{"message":"Endpoint request timed out"}"#, "transient"),
        (500, r#"{"name":"Error","message":"m","data":null}"#, "transient"), // Fibery
        (520, "<html></html>", "transient"),                                 // Cloudflare
        (408, "", "transient"),
        (200, "<!DOCTYPE html><title>Internal error</title>", "transient"), // Fluid Attacks
        (200, "<html><title>Access denied</title></html>", "transient"),
        (200, "", "transient"),
        (200, r#"{"data":{"group":{"findings":[{"id":"#, "transient"),
        (200, r#"{"data":null}"#, "transient"),
        (
            200,
            r#"{"errors":[{"message":"m","extensions":{"code":"REQUEST_TIMEOUT","status":504}}]}"#,
            "transient",
        ), // NetApp
        (
            200,
            r#"{"errors":[{"message":"m","extensions":{"http_code":503}}]}"#,
            "transient",
        ), // Akeneo
        (
            200,
            r#"{"errors":[{"message":"m"}],"extensions":{"status":502}}"#,
            "transient",
        ),
        (
            200,
            r#"{"data":null,"errors":[{"message":"Service unavailable, please retry"}]}"#,
            "transient",
        ), // Fluid Attacks
        (
            200,
            r#"{"errors":[{"message":"boom","extensions":{"code":"INTERNAL_SERVER_ERROR"}}]}"#,
            "transient",
        ),
        (
            200,
            r#"{"data":null,"errors":[{"message":"Incorrect padding","path":["group"]}]}"#,
            "transient",
        ), // Fluid Attacks
    ]);
}

#[test]
fn more_than_one_answer_can_hold() {
    check(&[
        (
            200,
            r#"{"data":null,"errors":[{"message":"Something went wrong while executing your query. This may be the result of a timeout"}]}"#,
            "too big",
        ), // GitHub
        (
            200,
            r#"{"data":{"a":1},"errors":[{"message":"Resource limits for this query exceeded.","path":["a"]}]}"#,
            "too big",
        ), // GitHub
        (
            200,
            r#"{"errors":[{"message":"m","extensions":{"code":"QueryTimedOut"}}]}"#,
            "too big",
        ), // commercetools
        (
            200,
            r#"{"errors":[{"message":"m","extensions":{"code":"time-limit-exceeded"}}]}"#,
            "too big",
        ), // Hasura
        (
            400,
            r#"{"success":false,"message":"Your query complexity is too high. A maximum of 1000 objects may be returned by each request."}"#,
            "too big",
        ), // start.gg
    ]);
}

#[test]
fn more_than_one_query_may_ask_for() {
    check(&[
        (
            200,
            r#"{"errors":[{"message":"Query has complexity of 346, which exceeds max complexity of 250"}]}"#,
            "too complex",
        ), // GitLab
        (
            200,
            r#"{"errors":[{"message":"Query has complexity of 251503, which exceeds max complexity of 50000"}]}"#,
            "too complex",
        ), // Buildkite
        (
            200,
            r#"{"errors":[{"message":"Query has depth of 17, which exceeds max depth of 15"}]}"#,
            "too complex",
        ), // Conviso
        (
            200,
            r#"{"error_code":"ComplexityException","error_message":"Query has complexity of 9, which exceeds max complexity of 5"}"#,
            "too complex",
        ), // Monday
        (
            200,
            r#"{"errors":[{"message":"m","extensions":{"code":"MAX_COST_EXCEEDED"}}]}"#,
            "too complex",
        ), // Shopify
        (
            400,
            r#"{"errors":[{"message":"m","extensions":{"contentful":{"code":"TOO_COMPLEX_QUERY","details":{"maximumCost":11000,"cost":12000}}}}]}"#,
            "too complex",
        ), // Contentful
        (
            400,
            r#"{"errors":[{"message":"m","extensions":{"code":"HC0047"}}]}"#,
            "too complex",
        ), // HotChocolate
        (
            200,
            r#"{"errors":[{"type":"MAX_NODE_LIMIT_EXCEEDED","message":"m"}]}"#,
            "too complex",
        ), // GitHub
        (
            400,
            r#"{"errors":[{"message":"m","extensions":{"code":"QueryComplexityLimitExceeded"}}]}"#,
            "too complex",
        ), // commercetools
        (
            200,
            r#"{"errors":[{"message":"m","extensions":{"code":"depth-limit-exceeded"}}]}"#,
            "too complex",
        ), // Hasura
        (
            200,
            r#"{"errors":[{"message":"m"}],"extensions":{"cost":{"requestedQueryCost":60000,"maximumAvailable":50000}}}"#,
            "too complex",
        ), // Saleor
        (
            200,
            r#"{"errors":[{"message":"The skip argument must be between 0 and 5000, but is 6000"}]}"#,
            "too complex",
        ), // The Graph
        (
            400,
            r#"{"errors":[{"message":"Exception - Max characters exceeded"}]}"#,
            "too complex",
        ), // Fluid Attacks
        (
            400,
            r#"{"errors":[{"message":"Exception - Max query depth exceeded"}]}"#,
            "too complex",
        ), // Fluid Attacks
        (
            400,
            r#"{"errors":[{"message":"Exception - Max query breadth exceeded"}]}"#,
            "too complex",
        ), // Fluid Attacks
        (
            400,
            r#"{"errors":[{"message":"'Q' exceeds maximum operation depth of 10","extensions":{"code":"GRAPHQL_VALIDATION_FAILED"}}]}"#,
            "too complex",
        ), // Apollo
        (413, "Request Entity Too Large", "too complex"),
    ]);
}

#[test]
fn requests_that_will_never_pass() {
    check(&[
        (
            200,
            r#"{"errors":[{"message":"Field 'x' doesn't exist on type 'Asset'","path":["query Op","assets","x"],"extensions":{"code":"undefinedField"}}]}"#,
            "invalid",
        ), // Conviso
        (
            200,
            r#"{"errors":[{"message":"m","path":["query Op","a"],"extensions":{"code":"missingRequiredArguments"}}]}"#,
            "invalid",
        ), // graphql-ruby
        (
            400,
            r#"{"errors":[{"message":"Cannot query field \"timeout\" on type \"Me\"."}]}"#,
            "invalid",
        ),
        (
            400,
            r#"{"errors":[{"message":"Syntax Error: Expected Name, found <EOF>."}]}"#,
            "invalid",
        ),
        (
            200,
            r#"{"data":null,"errors":[{"message":"Variable '$g' of required type 'String!' was not provided."}]}"#,
            "invalid",
        ), // Fluid Attacks
        (
            200,
            r#"{"data":null,"errors":[{"message":"Unknown operation named 'B'."}]}"#,
            "invalid",
        ), // Fluid Attacks
        (
            400,
            r#"{"errors":[{"message":"m","extensions":{"code":"GRAPHQL_PARSE_FAILED"}}]}"#,
            "invalid",
        ),
        (400, r#"{"errors":[{"message":"some other refusal"}]}"#, "invalid"),
        (400, "Request body is not a valid JSON", "invalid"), // Fluid Attacks
        (404, "<html>Not Found</html>", "invalid"),
        (405, "", "invalid"),
        (302, "", "invalid"),
        (200, r#"{"hello":"world"}"#, "invalid"),
    ]);
}

#[test]
fn tokens_that_are_not_accepted() {
    check(&[
        (401, r#"{"errors":[{"message":"Invalid token"}]}"#, "unauthorized"), // GitLab
        (401, "Unauthorized", "unauthorized"),                                // Fibery
        (401, "", "unauthorized"),
        (401, r#"{"message":"Bad credentials","status":"401"}"#, "unauthorized"), // GitHub
        (403, "<html>Forbidden</html>", "unauthorized"),
        (
            200,
            r#"{"errors":[{"message":"m","extensions":{"http_code":401}}]}"#,
            "unauthorized",
        ), // Akeneo
        (
            200,
            r#"{"data":{"me":null},"errors":[{"message":"Login required","path":["me"]}]}"#,
            "unauthorized",
        ), // Fluid Attacks
        (
            200,
            r#"{"data":null,"errors":[{"message":"Exception - Invalid Authorization","path":["me"]}]}"#,
            "unauthorized",
        ), // Fluid Attacks
        (
            400,
            r#"{"errors":[{"message":"m","extensions":{"code":"AUTHENTICATION_ERROR"}}]}"#,
            "unauthorized",
        ), // Linear
        (
            200,
            r#"{"errors":[{"message":"m","extensions":{"code":"UNAUTHENTICATED"}}]}"#,
            "unauthorized",
        ), // Apollo
        (
            200,
            r#"{"errors":[{"message":"m","extensions":{"code":"invalid-jwt"}}]}"#,
            "unauthorized",
        ), // Hasura
        (
            200,
            r#"{"errors":[{"message":"m","extensions":{"code":"UNAUTHORIZED"}}]}"#,
            "unauthorized",
        ),
    ]);
}

#[test]
fn cursors_that_are_too_old() {
    check(&[
        (
            200,
            r#"{"errors":[{"message":"m","extensions":{"code":"CursorExpiredError"}}]}"#,
            "cursor expired",
        ), // Monday
        (
            200,
            r#"{"errors":[{"type":"INVALID_CURSOR_ARGUMENTS","message":"`x` does not appear to be a valid cursor."}]}"#,
            "cursor expired",
        ), // GitHub
        (
            200,
            r#"{"data":{"group":null},"errors":[{"message":"Exception - The cursor is invalid with a filter","path":["group"]}]}"#,
            "cursor expired",
        ), // Fluid Attacks
    ]);
}

#[test]
fn data_with_and_without_errors() {
    check(&[
        (200, r#"{"data":{"a":1}}"#, "data"),
        (200, r#"{"data":{"a":1},"errors":[]}"#, "data"),
        (200, r#"{"data":{"a":1},"errors":null}"#, "data"),
        (
            200,
            r#"{"data":{"a":null},"errors":[{"message":"Exception - Document not found","path":["a"]}]}"#,
            "data",
        ), // Fluid Attacks
        (
            200,
            r#"{"data":{"a":null},"errors":[{"type":"NOT_FOUND","message":"Could not resolve to a node","path":["a"]}]}"#,
            "data",
        ), // GitHub
        (
            200,
            r#"{"data":{"a":null},"errors":[{"message":"boom","path":["a"],"extensions":{"code":"INTERNAL_SERVER_ERROR"}}]}"#,
            "data",
        ),
        (
            200,
            r#"{"data":{"a":null},"errors":[{"message":"AWS service unavailable, please retry","path":["a"]}]}"#,
            "transient",
        ), // Fluid Attacks
        (
            200,
            r#"{"data":{"a":null},"errors":[{"message":"ConnectionTimeout('x')","path":["a"]}]}"#,
            "transient",
        ), // Fluid Attacks
        (
            200,
            r#"{"data":{"a":null},"errors":[{"message":"Access denied","path":["a"]}]}"#,
            "denied",
        ), // Fluid Attacks
        (
            200,
            r#"{"data":{"a":null},"errors":[{"message":"m","extensions":{"code":"UNAUTHORIZED"},"path":["a"]}]}"#,
            "denied",
        ),
        (
            200,
            r#"{"data":null,"errors":[{"message":"Not authorized","path":["a"]}]}"#,
            "denied",
        ),
        (
            403,
            r#"{"errors":[{"message":"m","extensions":{"code":"FORBIDDEN"}}]}"#,
            "denied",
        ),
        // A retry comes first: the denial will still be there.
        (
            200,
            r#"{"data":{"a":null,"b":null},"errors":[{"message":"Access denied","path":["a"]},{"message":"please retry","path":["b"]}]}"#,
            "transient",
        ),
    ]);
}

#[test]
fn a_denial_names_its_fields_and_no_others() {
    let body = r#"{"data":{"a":null},"errors":[{"message":"Access denied","path":["a","b",0]},
        {"message":"Document not found","path":["c"]},{"message":"Access denied","path":["a","b",1]}]}"#;
    let Verdict::Denied { paths } = judged(200, &[], body, &[]) else {
        panic!()
    };
    let paths: Vec<_> = paths.iter().map(ToString::to_string).collect();
    assert_eq!(paths, ["a.b.0", "a.b.1"]);
}

#[test]
fn headers_that_mean_nothing_and_headers_that_do() {
    let good = r#"{"data":{"a":1}}"#;
    assert_eq!(
        judged(200, &[("www-authenticate", "OAuth realm=\"x\"")], good, &[]),
        Verdict::Data
    );
    let throttled = judged(403, &[("retry-after", "60")], "Forbidden", &[]);
    assert_eq!(
        throttled,
        Verdict::Throttled {
            wait: Some(Duration::from_secs(60))
        }
    );
    let spent = judged(
        403,
        &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1793534430")],
        "{}",
        &[],
    );
    assert_eq!(
        spent,
        Verdict::Throttled {
            wait: Some(Duration::from_secs(30))
        }
    );
    let unavailable = judged(503, &[("retry-after", "5")], "", &[]);
    assert_eq!(
        unavailable,
        Verdict::Transient {
            wait: Some(Duration::from_secs(5))
        }
    );
}

fn rule(status: Option<u16>, code: Option<&str>, message: Option<&str>, verdict: VerdictName) -> VerdictRule {
    VerdictRule {
        status,
        code: code.map(str::to_owned),
        message: message.map(|pattern| Regex::new(pattern).unwrap()),
        verdict,
    }
}

#[test]
fn the_rules_of_a_source_come_first_and_need_all_their_conditions() {
    let body = r#"{"errors":[{"message":"Too Many Requests","extensions":{"code":"QUOTA"}}]}"#;
    let by_code = [rule(None, Some("quota"), None, VerdictName::Invalid)];
    assert_eq!(judged(429, &[], body, &by_code), Verdict::Invalid);
    let by_status = [rule(Some(200), Some("QUOTA"), None, VerdictName::Invalid)];
    assert_eq!(name(&judged(429, &[], body, &by_status)), "throttled");
    let by_text = [rule(Some(500), None, Some("^Deadlock"), VerdictName::TooBig)];
    assert_eq!(judged(500, &[], "Deadlock found", &by_text), Verdict::TooBig);
    assert_eq!(name(&judged(500, &[], "No deadlock", &by_text)), "transient");
    let first = [
        rule(Some(429), None, None, VerdictName::TooBig),
        rule(None, None, None, VerdictName::Invalid),
    ];
    assert_eq!(judged(429, &[], body, &first), Verdict::TooBig);
}

#[test]
fn a_rule_s_denial_names_the_fields_it_speaks_of() {
    let body = r#"{"data":{"a":null},"errors":[{"message":"Hidden","path":["a"]},{"message":"Other","path":["b"]}]}"#;
    let rules = [rule(None, None, Some("(?i)hidden"), VerdictName::Denied)];
    let Verdict::Denied { paths } = judged(200, &[], body, &rules) else {
        panic!()
    };
    assert_eq!(paths.len(), 1);
}

proptest! {
    #[test]
    fn no_response_makes_it_panic(
        status in 100..600_u16,
        body in prop_oneof![any::<String>(), "[{}\\[\\]\":,a-z0-9]{0,60}", r#"\{"(data|errors|extensions|message)":[\[\]{}"a-z0-9:,]{0,30}\}"#],
        retry_after in "[ -~]{0,40}",
    ) {
        let headers: HeaderMap = [("retry-after".parse().unwrap(), retry_after.parse().unwrap())].into_iter().collect();
        judged(status, &[], &body, &[]);
        judge(&Reply { status, headers: &headers, body: ReplyBody::Text(&body) }, &[], SystemTime::UNIX_EPOCH);
    }

    #[test]
    fn a_throttle_by_status_is_one_whatever_its_body(body in any::<String>()) {
        prop_assert_eq!(name(&judged(429, &[], &body, &[])), "throttled");
    }
}
