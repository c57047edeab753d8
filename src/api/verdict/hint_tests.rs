use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::api::graphql_error::GraphqlError;
use crate::api::verdict::reply::ReplyBody;

/// 2026-11-01T12:00:00Z.
const NOON: u64 = 1_793_534_400;

fn noon() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(NOON)
}

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    pairs
        .iter()
        .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
        .collect()
}

fn hint(pairs: &[(&'static str, &str)], error: Value, extensions: &Value) -> Option<f64> {
    let headers = headers(pairs);
    let errors = [GraphqlError::from_value(error)];
    let body = ReplyBody::Envelope {
        has_data: false,
        has_data_member: false,
        errors: &errors,
        aside: None,
        extensions,
    };
    let reply = Reply {
        status: 429,
        headers: &headers,
        body,
    };
    wait_hint(&reply, noon()).map(|wait| wait.as_secs_f64())
}

fn by_headers(pairs: &[(&'static str, &str)]) -> Option<f64> {
    hint(pairs, Value::Null, &Value::Null)
}

fn by_body(error: Value) -> Option<f64> {
    hint(&[], error, &Value::Null)
}

#[test]
fn retry_after_is_seconds_or_a_date() {
    assert_eq!(by_headers(&[("retry-after", "30")]), Some(30.0));
    assert_eq!(by_headers(&[("retry-after", " 0 ")]), Some(0.0));
    assert_eq!(by_headers(&[("retry-after", "1.5")]), Some(1.5));
    for date in [
        "Sun, 01 Nov 2026 12:01:30 GMT",
        "Sunday, 01-Nov-26 12:01:30 GMT",
        "Sun Nov  1 12:01:30 2026",
    ] {
        assert_eq!(by_headers(&[("retry-after", date)]), Some(90.0), "{date}");
    }
    assert_eq!(
        by_headers(&[("retry-after", "Sun, 01 Nov 2026 11:00:00 GMT")]),
        Some(0.0),
        "over already"
    );
    assert_eq!(by_headers(&[("retry-after", "soon")]), None);
}

#[test]
fn a_moment_is_measured_by_the_server_s_own_clock() {
    let date = ("date", "Sun, 01 Nov 2026 12:10:00 GMT");
    assert_eq!(
        by_headers(&[date, ("retry-after", "Sun, 01 Nov 2026 12:10:20 GMT")]),
        Some(20.0)
    );
    assert_eq!(by_headers(&[date, ("x-ratelimit-reset", "1793535030")]), Some(30.0));
}

#[test]
fn a_reset_is_a_delta_or_a_moment_told_apart_by_its_size() {
    let reset = |value: &str| by_headers(&[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", value)]);
    assert_eq!(reset("1793534460"), Some(60.0), "GitHub, AniList: unix seconds");
    assert_eq!(reset("2026-11-01T12:02:00Z"), Some(120.0), "Atlassian: a timestamp");
    assert_eq!(reset("45"), Some(45.0), "a delta");
    let linear = [
        ("x-ratelimit-requests-remaining", "0"),
        ("x-ratelimit-requests-reset", "1793534407500"),
    ];
    assert_eq!(by_headers(&linear), Some(7.5), "Linear: unix milliseconds");
    let buildkite = [
        ("ratelimit-remaining", "0"),
        ("ratelimit-limit", "20000"),
        ("ratelimit-reset", "187"),
    ];
    assert_eq!(by_headers(&buildkite), Some(187.0), "Buildkite: a delta");
    assert_eq!(
        by_headers(&[("x-contentful-ratelimit-reset", "1")]),
        Some(1.0),
        "Contentful: a delta"
    );
    assert_eq!(
        by_headers(&[("beta-ratelimit", "\"quota\";r=0;t=12")]),
        Some(12.0),
        "Atlassian"
    );
    assert_eq!(
        by_headers(&[("ratelimit", "limit=100, remaining=0, reset=9")]),
        Some(9.0)
    );
}

#[test]
fn the_reset_of_a_budget_that_is_not_spent_says_nothing() {
    let primary = [("x-ratelimit-remaining", "4876"), ("x-ratelimit-reset", "1793537000")];
    assert_eq!(
        by_headers(&primary),
        None,
        "GitHub's secondary limit comes with the headers of the primary one"
    );
    let linear = [
        ("x-ratelimit-requests-remaining", "900"),
        ("x-ratelimit-requests-reset", "1793538000000"),
        ("x-ratelimit-complexity-remaining", "0"),
        ("x-ratelimit-complexity-reset", "1793534460000"),
    ];
    assert_eq!(by_headers(&linear), Some(60.0));
}

#[test]
fn a_body_says_it_in_a_member_or_in_words() {
    assert_eq!(
        by_body(json!({"message": "m", "extensions": {"retry_in_seconds": 22}})),
        Some(22.0)
    );
    assert_eq!(
        by_body(json!("Rate limited. Please try again in 187 seconds.")),
        Some(187.0)
    );
    assert_eq!(
        by_body(json!(
            "Complexity budget exhausted, query cost 30001 budget remaining 19986 out of 1000000 reset in 22 seconds"
        )),
        Some(22.0)
    );
    assert_eq!(by_body(json!("retry after 250 ms")), Some(0.25));
    assert_eq!(by_body(json!("wait 2 minutes")), Some(120.0));
    assert_eq!(by_body(json!("Please wait a few minutes before you try again.")), None);
    assert_eq!(
        by_body(json!(
            "Query has complexity of 346, which exceeds max complexity of 250"
        )),
        None
    );
}

#[test]
fn points_that_flow_back_are_reckoned() {
    let cost = |available: u32, rate: f64| {
        json!({"cost": {"requestedQueryCost": 900, "actualQueryCost": null, "throttleStatus":
            {"maximumAvailable": 2000.0, "currentlyAvailable": available, "restoreRate": rate}}})
    };
    assert_eq!(hint(&[], Value::Null, &cost(400, 100.0)), Some(5.0));
    assert_eq!(hint(&[], Value::Null, &cost(1900, 100.0)), Some(0.0));
    assert_eq!(hint(&[], Value::Null, &cost(400, 0.0)), None);
}

#[test]
fn the_header_made_for_it_comes_before_everything_else() {
    let pairs = [
        ("retry-after", "7"),
        ("x-ratelimit-remaining", "0"),
        ("x-ratelimit-reset", "60"),
    ];
    assert_eq!(hint(&pairs, json!("try again in 30 seconds"), &Value::Null), Some(7.0));
}

#[test]
fn absurd_waits_are_cut_to_a_day() {
    let day = Some(86_400.0);
    assert_eq!(by_headers(&[("retry-after", "9999999")]), day);
    assert_eq!(by_headers(&[("retry-after", "1e300")]), day);
    assert_eq!(by_headers(&[("retry-after", "inf")]), day);
    assert_eq!(by_headers(&[("retry-after", "Tue, 31 Dec 2999 23:59:59 GMT")]), day);
    assert_eq!(by_headers(&[("retry-after", "NaN")]), None);
    assert_eq!(by_headers(&[("retry-after", "-5")]), Some(0.0));
}

#[test]
fn a_good_answer_that_took_the_last_of_the_budget_asks_for_a_pause() {
    let pause = |pairs: &[(&'static str, &str)], extensions: &Value| {
        pause_hint(&headers(pairs), extensions, noon()).map(|wait| wait.as_secs())
    };
    let spent = [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1793534460")];
    assert_eq!(pause(&spent, &Value::Null), Some(60));
    let left = [("x-ratelimit-remaining", "1"), ("x-ratelimit-reset", "1793534460")];
    assert_eq!(pause(&left, &Value::Null), None);
    assert_eq!(pause(&[("x-ratelimit-reset", "60")], &Value::Null), None);
    let limit = |remaining: u32| json!({"rateLimit": {"remaining": remaining, "resetAt": "2026-11-01T12:00:30Z"}});
    assert_eq!(pause(&[], &limit(0)), Some(30));
    assert_eq!(pause(&[], &limit(3)), None);
}

proptest! {
    #[test]
    fn no_value_makes_it_panic_or_wait_for_more_than_a_day(
        text in prop_oneof![any::<String>(), "[-+0-9.eE:TZ, ]{0,30}", "(retry|wait) [0-9.]{0,400} ?(s|ms|h|m)"],
        number in any::<f64>(),
    ) {
        let extensions = [
            json!({"retry_in_seconds": number, "rateLimit": {"remaining": 0, "resetAt": text}}),
            json!({"rateLimit": {"remaining": 0, "resetAt": number}}),
            json!({"cost": {"requestedQueryCost": number, "throttleStatus": {"currentlyAvailable": -number, "restoreRate": number}}}),
        ];
        for extensions in &extensions {
            for name in ["retry-after", "x-ratelimit-reset", "ratelimit", "date"] {
                let Ok(value) = text.parse() else { continue };
                let headers: HeaderMap = [(name.parse().unwrap(), value)].into_iter().collect();
                let errors = [GraphqlError::from_value(json!(text))];
                let body = ReplyBody::Envelope { has_data: false, has_data_member: false, errors: &errors, aside: None, extensions };
                let wait = wait_hint(&Reply { status: 429, headers: &headers, body }, noon());
                prop_assert!(wait.is_none_or(|wait| wait <= LONGEST_WAIT));
                let pause = pause_hint(&headers, extensions, noon());
                prop_assert!(pause.is_none_or(|pause| pause <= LONGEST_WAIT));
            }
        }
    }
}
