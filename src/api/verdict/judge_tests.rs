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
        aside: envelope.aside.as_ref(),
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

/// Judges each line of `rows`: status, the API that answers so (empty for several), body.
fn check(expected: &str, rows: &str) {
    for row in rows.trim().lines() {
        let [status, _, body] = row.splitn(3, '|').map(str::trim).collect::<Vec<_>>()[..] else {
            panic!("not a row: {row}");
        };
        let verdict = judged(status.parse().unwrap(), &[], body, &[]);
        assert_eq!(name(&verdict), expected, "{row}");
    }
}

#[test]
fn throttles_of_every_kind() {
    check(
        "throttled",
        r#"
        429 | AniList       | {"data":null,"errors":[{"message":"Too Many Requests.","status":429}]}
        429 | GitLab        | Retry later
        429 | Fibery        | Too Many Requests
        429 | Fluid Attacks | <html><body>error code: 1015</body></html>
        429 |               |
        429 |               | {"data":{"a":1}}
        429 | Buildkite     | {"errors":[{"message":"Your organization has used up its budget. Please try again in 187 seconds."}]}
        429 | Contentful    | {"errors":[{"message":"m","extensions":{"contentful":{"code":"RATE_LIMIT_EXCEEDED"}}}]}
        429 | Directus      | {"errors":[{"message":"m","extensions":{"code":"REQUESTS_EXCEEDED"}}]}
        429 | NetApp        | {"errors":[{"message":"m","extensions":{"code":"USER_API_RATE_LIMIT_EXCEEDED","status":429}}]}
        403 | GitHub        | {"message":"You have exceeded a secondary rate limit. Please wait a few minutes before you try again."}
        403 | GitHub        | You have exceeded a secondary rate limit
        200 | GitHub        | {"errors":[{"message":"You have exceeded a secondary rate limit."}]}
        200 | GitHub        | {"errors":[{"type":"RATE_LIMITED","message":"API rate limit exceeded for user ID 1."}]}
        200 | GitHub        | {"errors":[{"type":"RATE_LIMIT","code":"graphql_rate_limit","message":"API rate limit already exceeded for user ID 1."}]}
        400 | Linear        | {"errors":[{"message":"m","extensions":{"code":"RATELIMITED"}}]}
        200 | Shopify       | {"errors":[{"message":"Throttled","extensions":{"code":"THROTTLED"}}],"extensions":{"cost":{"requestedQueryCost":900}}}
        200 | Monday        | {"errors":[{"message":"m","extensions":{"code":"COMPLEXITY_BUDGET_EXHAUSTED","retry_in_seconds":22}}]}
        200 | Monday        | {"errors":[{"message":"m","extensions":{"code":"FIELD_LIMIT_EXCEEDED"}}]}
        200 | Monday        | {"errors":[{"message":"m","extensions":{"code":"maxConcurrencyExceeded"}}]}
        200 | Monday        | {"errors":[{"message":"m","extensions":{"code":"IP_RATE_LIMIT_EXCEEDED"}}]}
        200 | Monday        | {"errors":[{"message":"m","extensions":{"code":"DAILY_LIMIT_EXCEEDED"}}]}
        200 | Monday        | {"error_code":"ComplexityException","error_message":"Complexity budget exhausted"}
        200 | Hasura        | {"errors":[{"message":"m","extensions":{"code":"rate-limit-exceeded"}}]}
        200 | Healthie      | {"errors":[{"message":"m","extensions":{"code":"TOO_MANY_REQUESTS"}}]}
        200 | Salesforce    | {"errors":[{"message":"m","extensions":{"errorCode":1,"code":"REQUEST_LIMIT_EXCEEDED"}}]}
        400 | start.gg      | {"success":false,"message":"Rate limit exceeded - api-token"}
        200 | Akeneo        | {"errors":[{"message":"m","extensions":{"http_code":429}}]}
        200 |               | {"errors":[{"message":"Too many concurrent requests"}]}
        200 |               | {"data":null,"errors":[{"message":"Concurrency limit reached, retry in a moment"}]}
        200 |               | {"errors":[{"message":"Server is overloaded, please slow down"}]}
        400 |               | {"errors":[{"message":"Maximum number of parallel queries exceeded, try again later"}]}
        503 |               | {"errors":[{"message":"The limit of simultaneous calls is reached"}]}
        "#,
    );
}

#[test]
fn failures_by_chance() {
    check(
        "transient",
        r#"
        502 |               | <html><title>502 Bad Gateway</title></html>
        503 |               |
        504 |               | {"message":"Endpoint request timed out"}
        500 | Fibery        | {"name":"Error","message":"m","data":null}
        520 | Cloudflare    | <html></html>
        408 |               |
        200 | Fluid Attacks | <!DOCTYPE html><title>Internal error</title>
        200 |               | <html><title>Access denied</title></html>
        200 |               |
        200 |               | {"data":{"group":{"findings":[{"id":
        200 |               | {"data":null}
        200 | NetApp        | {"errors":[{"message":"m","extensions":{"code":"REQUEST_TIMEOUT","status":504}}]}
        200 | Akeneo        | {"errors":[{"message":"m","extensions":{"http_code":503}}]}
        200 |               | {"errors":[{"message":"m"}],"extensions":{"status":502}}
        200 | Fluid Attacks | {"data":null,"errors":[{"message":"Service unavailable, please retry"}]}
        200 |               | {"errors":[{"message":"boom","extensions":{"code":"INTERNAL_SERVER_ERROR"}}]}
        200 |               | {"errors":[{"message":"Internal server error"}]}
        200 |               | {"errors":[{"message":"The server is overloaded"}]}
        200 | Fluid Attacks | {"data":null,"errors":[{"message":"Incorrect padding","path":["group"]}]}
        "#,
    );
}

#[test]
fn more_than_one_answer_can_hold() {
    check(
        "too big",
        r#"
        400 | a server      | {"errors":[{"message":"Query exceeded maximum node count of 40"}]}
        403 | a server      | {"errors":[{"type":"RESOURCE_LIMITS_EXCEEDED","message":"m"}]}
        200 | GitHub        | {"data":null,"errors":[{"message":"Something went wrong while executing your query. This may be the result of a timeout"}]}
        200 | GitHub        | {"data":{"a":1},"errors":[{"message":"Resource limits for this query exceeded.","path":["a"]}]}
        200 | commercetools | {"errors":[{"message":"m","extensions":{"code":"QueryTimedOut"}}]}
        200 | Hasura        | {"errors":[{"message":"m","extensions":{"code":"time-limit-exceeded"}}]}
        400 | start.gg      | {"success":false,"message":"Your query complexity is too high. A maximum of 1000 objects may be returned by each request."}
        "#,
    );
}

#[test]
fn more_than_one_query_may_ask_for() {
    check(
        "too complex",
        r#"
        200 | GitLab        | {"errors":[{"message":"Query has complexity of 346, which exceeds max complexity of 250"}]}
        200 | Buildkite     | {"errors":[{"message":"Query has complexity of 251503, which exceeds max complexity of 50000"}]}
        200 | Conviso       | {"errors":[{"message":"Query has depth of 17, which exceeds max depth of 15"}]}
        200 | Monday        | {"error_code":"ComplexityException","error_message":"Query has complexity of 9, which exceeds max complexity of 5"}
        200 | Shopify       | {"errors":[{"message":"m","extensions":{"code":"MAX_COST_EXCEEDED"}}]}
        400 | Contentful    | {"errors":[{"message":"m","extensions":{"contentful":{"code":"TOO_COMPLEX_QUERY","details":{"maximumCost":11000,"cost":12000}}}}]}
        400 | HotChocolate  | {"errors":[{"message":"m","extensions":{"code":"HC0047"}}]}
        200 | GitHub        | {"errors":[{"type":"MAX_NODE_LIMIT_EXCEEDED","message":"m"}]}
        400 | commercetools | {"errors":[{"message":"m","extensions":{"code":"QueryComplexityLimitExceeded"}}]}
        200 | Hasura        | {"errors":[{"message":"m","extensions":{"code":"depth-limit-exceeded"}}]}
        200 | Saleor        | {"errors":[{"message":"m"}],"extensions":{"cost":{"requestedQueryCost":60000,"maximumAvailable":50000}}}
        200 | The Graph     | {"errors":[{"message":"The skip argument must be between 0 and 5000, but is 6000"}]}
        400 | Fluid Attacks | {"errors":[{"message":"Exception - Max characters exceeded"}]}
        400 | Fluid Attacks | {"errors":[{"message":"Exception - Max query depth exceeded"}]}
        400 | Fluid Attacks | {"errors":[{"message":"Exception - Max query breadth exceeded"}]}
        400 | Apollo        | {"errors":[{"message":"'Q' exceeds maximum operation depth of 10","extensions":{"code":"GRAPHQL_VALIDATION_FAILED"}}]}
        413 |               | Request Entity Too Large
        "#,
    );
}

#[test]
fn requests_that_will_never_pass() {
    check(
        "invalid",
        r#"
        200 | Conviso       | {"errors":[{"message":"Field 'x' doesn't exist on type 'Asset'","path":["query Op","assets","x"],"extensions":{"code":"undefinedField"}}]}
        200 | graphql-ruby  | {"errors":[{"message":"m","path":["query Op","a"],"extensions":{"code":"missingRequiredArguments"}}]}
        400 |               | {"errors":[{"message":"Cannot query field \"timeout\" on type \"Me\"."}]}
        400 |               | {"errors":[{"message":"Syntax Error: Expected Name, found <EOF>."}]}
        200 | Fluid Attacks | {"data":null,"errors":[{"message":"Variable '$g' of required type 'String!' was not provided."}]}
        200 | Fluid Attacks | {"data":null,"errors":[{"message":"Unknown operation named 'B'."}]}
        400 |               | {"errors":[{"message":"m","extensions":{"code":"GRAPHQL_PARSE_FAILED"}}]}
        400 |               | {"errors":[{"message":"some other refusal"}]}
        400 | Fluid Attacks | Request body is not a valid JSON
        404 |               | <html>Not Found</html>
        405 |               |
        302 |               |
        200 |               | {"hello":"world"}
        "#,
    );
}

#[test]
fn tokens_that_are_not_accepted() {
    check(
        "unauthorized",
        r#"
        401 | GitLab        | {"errors":[{"message":"Invalid token"}]}
        401 | Fibery        | Unauthorized
        401 |               |
        401 | GitHub        | {"message":"Bad credentials","status":"401"}
        403 |               | <html>Forbidden</html>
        200 | Akeneo        | {"errors":[{"message":"m","extensions":{"http_code":401}}]}
        200 | Fluid Attacks | {"data":{"me":null},"errors":[{"message":"Login required","path":["me"]}]}
        200 | Fluid Attacks | {"data":null,"errors":[{"message":"Exception - Invalid Authorization","path":["me"]}]}
        400 | Linear        | {"errors":[{"message":"m","extensions":{"code":"AUTHENTICATION_ERROR"}}]}
        200 | Apollo        | {"errors":[{"message":"m","extensions":{"code":"UNAUTHENTICATED"}}]}
        200 | Hasura        | {"errors":[{"message":"m","extensions":{"code":"invalid-jwt"}}]}
        200 |               | {"errors":[{"message":"m","extensions":{"code":"UNAUTHORIZED"}}]}
        "#,
    );
}

#[test]
fn cursors_that_are_too_old() {
    check(
        "cursor expired",
        r#"
        200 | Monday        | {"errors":[{"message":"m","extensions":{"code":"CursorExpiredError"}}]}
        200 | GitHub        | {"errors":[{"type":"INVALID_CURSOR_ARGUMENTS","message":"`x` does not appear to be a valid cursor."}]}
        200 | Fluid Attacks | {"data":{"group":null},"errors":[{"message":"Exception - The cursor is invalid with a filter","path":["group"]}]}
        "#,
    );
}

#[test]
fn data_with_and_without_errors() {
    check(
        "data",
        r#"
        200 |               | {"data":{"a":1}}
        200 |               | {"data":{"a":1},"errors":[]}
        200 |               | {"data":{"a":1},"errors":null}
        200 | Fluid Attacks | {"data":{"a":null},"errors":[{"message":"Exception - Document not found","path":["a"]}]}
        200 | GitHub        | {"data":{"a":null},"errors":[{"type":"NOT_FOUND","message":"Could not resolve to a node","path":["a"]}]}
        200 |               | {"data":{"a":null},"errors":[{"message":"boom","path":["a"],"extensions":{"code":"INTERNAL_SERVER_ERROR"}}]}
        "#,
    );
    check(
        "transient",
        r#"
        200 | Fluid Attacks | {"data":{"a":null},"errors":[{"message":"AWS service unavailable, please retry","path":["a"]}]}
        200 | Fluid Attacks | {"data":{"a":null},"errors":[{"message":"ConnectionTimeout('x')","path":["a"]}]}
        "#,
    );
    check(
        "denied",
        r#"
        200 | Fluid Attacks | {"data":{"a":null},"errors":[{"message":"Access denied","path":["a"]}]}
        200 |               | {"data":{"a":null},"errors":[{"message":"m","extensions":{"code":"UNAUTHORIZED"},"path":["a"]}]}
        200 |               | {"data":null,"errors":[{"message":"Not authorized","path":["a"]}]}
        403 |               | {"errors":[{"message":"m","extensions":{"code":"FORBIDDEN"}}]}
        200 |               | {"data":{"a":null},"errors":[{"message":"You are not allowed to see this field","path":["a"]}]}
        200 |               | {"data":null,"errors":[{"message":"Insufficient privileges","path":["a","b"]}]}
        200 |               | {"data":null,"errors":[{"message":"User does not have access to salary","path":["a","b"]}]}
        200 |               | {"data":{"a":null},"errors":[{"message":"Not permitted to view this","path":["a"]}]}
        200 |               | {"data":{"a":null},"errors":[{"message":"The role 'guest' lacks permission 'read'","path":["a"]}]}
        "#,
    );
    // What else is not allowed.
    check(
        "invalid",
        r#"
        200 |  | {"errors":[{"message":"You are not allowed to request more than 100 rows of a list"}]}
        200 |  | {"errors":[{"message":"This query is not allowed"}]}
        200 |  | {"errors":[{"message":"Value 'x' is not allowed for argument 'state'"}]}
        400 |  | {"errors":[{"message":"The maximum allowed page is another"}]}
        400 |  | {"errors":[{"message":"GraphQL introspection is not allowed"}]}
        "#,
    );
    // A retry comes first: the denial will still be there.
    check(
        "transient",
        r#"
        200 |  | {"data":{"a":null,"b":null},"errors":[{"message":"Access denied","path":["a"]},{"message":"please retry","path":["b"]}]}
        "#,
    );
}

#[test]
fn data_under_the_status_of_a_failure_is_an_answer_only_where_errors_say_what_failed() {
    check(
        "data",
        r#"
        500 |  | {"data":{"a":null,"b":1},"errors":[{"message":"boom","path":["a"]}]}
        "#,
    );
    check(
        "transient",
        r#"
        503 |  | {"data":{"a":[]}}
        "#,
    );
    check(
        "invalid",
        r#"
        404 |  | {"data":{"a":[]}}
        422 |  | {"name":"query.error/x","message":"The query was refused","data":{"a":[]}}
        "#,
    );
}

#[test]
fn a_denial_names_its_fields_and_no_others() {
    let body = r#"{"data":{"a":null},"errors":[{"message":"Access denied","path":["a","b",0]},
        {"message":"Document not found","path":["c"]},{"message":"Access denied","path":["a","b",1]}]}"#;
    let Verdict::Denied { paths, .. } = judged(200, &[], body, &[]) else {
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
    let Verdict::Denied { paths, .. } = judged(200, &[], body, &rules) else {
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
