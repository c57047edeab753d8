//! Responses that nobody should send: whatever comes over the wire is judged, and told in a line.

use std::marker::PhantomData;

use super::*;
use crate::mutation::fuzz;

/// Bodies, headers and statuses of real APIs: a header a line, an empty line, the body; the status comes first.
const RESPONSES: [&str; 9] = [
    "200\n\n{\"data\":{\"groups\":{\"nodes\":[{\"id\":\"1\"}],\"pageInfo\":{\"hasNextPage\":true,\"endCursor\":\"x\"}}}}",
    "200\nratelimit: \"default\";r=0;t=30\nx-ratelimit-remaining: 0\nx-ratelimit-reset: 1793534500\n\n{\"data\":{},\"extensions\":{\"rateLimit\":{\"remaining\":0,\"resetAt\":\"2026-11-22T00:00:00Z\"}}}",
    "429\nretry-after: Wed, 21 Oct 2026 07:28:00 GMT\ndate: Wed, 21 Oct 2026 07:27:00 GMT\n\nToo Many Requests. Please try again in 187 seconds",
    "429\nretry-after: 120\n\n{\"errors\":[{\"message\":\"slow down\",\"extensions\":{\"code\":\"THROTTLED\",\"retryAfter\":1.5}}]}",
    "200\n\n{\"errors\":[{\"message\":\"Throttled\",\"extensions\":{\"code\":\"THROTTLED\"}}],\"extensions\":{\"cost\":{\"requestedQueryCost\":900,\"maximumAvailable\":1000,\"throttleStatus\":{\"currentlyAvailable\":1,\"restoreRate\":50}}}}",
    "400\n\n{\"errors\":[{\"message\":\"first must be at most 100\",\"path\":[\"groups\",0,\"title\"],\"locations\":[{\"line\":1,\"column\":2}],\"status\":\"400\"}],\"data\":null}",
    "502\ncontent-type: text/html\n\n<html><head><title>502 Bad Gateway</title></head></html>",
    "302\nlocation: https://user:secret@login.example.com/path?token=x\n\n",
    "403\nx-ratelimit-remaining: 0\n\n{\"message\":\"You have exceeded a secondary rate limit\",\"error\":{\"code\":1},\"error_code\":\"E\",\"type\":\"x\"}",
];

/// A response out of such a text, changed or not.
fn response(text: &[u8]) -> HttpResponse {
    let end = text.windows(2).position(|two| two == b"\n\n");
    let (head, body) = text.split_at(end.unwrap_or(text.len()));
    let mut lines = head.split(|byte| *byte == b'\n');
    let status = lines
        .next()
        .and_then(|line| std::str::from_utf8(line).ok()?.parse().ok());
    let mut headers = HeaderMap::new();
    for line in lines {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else {
            continue;
        };
        let (name, value) = (&line[..colon], &line[colon + 1..]);
        if let (Ok(name), Ok(value)) = (
            reqwest::header::HeaderName::from_bytes(name),
            reqwest::header::HeaderValue::from_bytes(value.trim_ascii()),
        ) {
            headers.append(name, value);
        }
    }
    HttpResponse {
        status: status.unwrap_or(200),
        headers,
        body: Bytes::copy_from_slice(body.get(2..).unwrap_or_default()),
    }
}

fn outcome_of(response: HttpResponse) -> Outcome<Value> {
    let reading = Reading {
        api: &"tracker".into(),
        rules: &[],
        token: None,
        secrets: &Default::default(),
        now: SystemTime::UNIX_EPOCH + Duration::from_secs(1_793_534_400),
    };
    reading.outcome(Ok(response), PhantomData::<Value>)
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[test]
fn no_response_makes_it_panic_wait_for_more_than_a_day_or_talk_without_end() {
    fuzz(&RESPONSES, 6000, |text| {
        let (wait, told) = match outcome_of(response(text)) {
            Outcome::Taken(taken) => (taken.pause, String::new()),
            Outcome::Throttled { wait, refusal } => (wait, refusal.to_string()),
            Outcome::Failed { wait, failure } => (wait, failure.to_string()),
            Outcome::Refused(error) => (None, error.to_string()),
        };
        assert!(wait.is_none_or(|wait| wait <= DAY), "{wait:?}");
        assert!(told.chars().count() < 600 && !told.contains('\n'), "{told}");
    });
}

#[test]
fn the_texts_are_responses_as_they_stand() {
    let told = |text: &str| match outcome_of(response(text.as_bytes())) {
        Outcome::Taken(taken) => format!("taken, {:?}", taken.pause),
        Outcome::Throttled { wait, .. } => format!("throttled, {wait:?}"),
        Outcome::Failed { .. } => "failed".to_owned(),
        Outcome::Refused(_) => "refused".to_owned(),
    };
    assert_eq!(
        RESPONSES.map(told),
        [
            "taken, None",
            "taken, Some(86400s)",
            "throttled, Some(60s)",
            "throttled, Some(120s)",
            "throttled, Some(17.98s)",
            "refused",
            "failed",
            "refused",
            "throttled, None",
        ]
    );
}
