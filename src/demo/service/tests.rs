//! The whole stand-in without sockets, on paused time: truth, paging, limits, faults, the log.

use std::collections::BTreeMap;

use axum::http::header::AUTHORIZATION;
use serde_json::{Map, Value, json};

use super::*;
use crate::demo::behaviour::{RequestWindow, WindowKind};
use crate::demo::fault::{FaultPlan, ScriptedFault};
use crate::demo::paging::AboveCap;
use crate::demo::service::client::{as_parsed, ask, calm, data, json_body, request, start};

/// Every field of the tracker's tables that holds values.
const SELECTIONS: [(&str, &str); 6] = [
    ("organizations", "id name title plan seats storage createdAt settings groupCount"),
    ("groups", "id name description active tags budget createdOn metadata findingCount"),
    ("findings", "id title description severity score releasedAt requirements groupName vulnerabilityCount"),
    (
        "vulnerabilities",
        "id findingId title note severity state score fingerprint exposure price attempts verified reportedAt closedAt
         dueOn tags evidence references { label url } assessment { author confidence vector { text complexity exploited } }
         location { __typename ... on FileLocation { path line } ... on UrlLocation { url parameter }
           ... on HostLocation { host port open } }",
    ),
    (
        "events",
        "id kind detail occurredAt durationSeconds sequence groupName
         actor { __typename name ... on User { email } ... on Robot { version } }",
    ),
    ("auditEntries", "action target occurredOn succeeded"),
];

fn config() -> DemoConfig {
    calm("tracker", 0.05)
}

fn service(change: impl FnOnce(&mut Behaviours)) -> DemoService {
    start("tracker", 0.05, |behaviours| {
        behaviours.latency.base = Duration::from_millis(15);
        change(behaviours);
    })
}

/// Reads a connection of the root to its end.
async fn walk(service: &DemoService, field: &str, arguments: &str, selection: &str) -> Vec<Value> {
    let (mut rows, mut after) = (Vec::new(), String::new());
    loop {
        let query = format!(
            "{{ {field}(first: 400 {arguments} {after}) {{ nodes {{ {selection} }} pageInfo {{ hasNextPage endCursor }} }} }}"
        );
        let mut page = data(service, &query).await[field].take();
        rows.append(page["nodes"].as_array_mut().unwrap());
        if page["pageInfo"]["hasNextPage"] == false {
            return rows;
        }
        after = format!("after: {}", page["pageInfo"]["endCursor"]);
    }
}

#[tokio::test(start_paused = true)]
async fn every_table_answers_the_truth_and_each_row_once() {
    let service = service(|_| {});
    let mut all = 0;
    for (table, selection) in SELECTIONS {
        let answered = walk(&service, table, "", selection).await;
        let truth: Vec<Value> = service.stand_in().truth(table).unwrap().map(as_parsed).collect();
        assert_eq!(answered.len(), truth.len(), "{table}");
        for (answered, truth) in answered.iter().zip(&truth) {
            assert_eq!(answered, truth, "{table}");
        }
        all += truth.len() as u64;
    }
    let log = service.log();
    assert_eq!((log.rows, log.rows_repeated, log.requests_repeated), (all, 0, 0));
    assert_eq!(service.stand_in().tables().len(), SELECTIONS.len());
}

/// Without this, an exporter that mishandles such values would pass every test against the tracker.
#[test]
fn the_data_holds_what_exporters_stumble_over() {
    let stand_in = StandIn::new(&config()).unwrap();
    let rows: Vec<Map<String, Value>> = stand_in.truth("vulnerabilities").unwrap().collect();
    let has = |field: &str, test: &dyn Fn(&Value) -> bool| assert!(rows.iter().any(|row| test(&row[field])), "{field}");
    for field in [
        "note", "score", "exposure", "price", "attempts", "closedAt", "dueOn", "tags", "evidence", "location",
    ] {
        has(field, &Value::is_null);
        has(field, &|value| !value.is_null());
    }
    has("fingerprint", &|value| value.as_i64() == Some(i64::MIN));
    has("fingerprint", &|value| value.as_i64() == Some(i64::MAX));
    has("attempts", &|value| value.as_i64() == Some(i64::from(i32::MIN)));
    has("exposure", &|value| value.as_str().is_some_and(|text| text.len() >= 39));
    has("price", &Value::is_f64);
    has("tags", &|value| {
        value.as_array().is_some_and(|tags| tags.contains(&Value::Null))
    });
    has("tags", &|value| value.as_array().is_some_and(Vec::is_empty));
    for part in ["🦀", "e\u{301}", "\n", "\"", "\0", "\u{1b}", "\u{2028}"] {
        has("note", &|value| value.as_str().is_some_and(|text| text.contains(part)));
    }
    has("note", &|value| value == "");
    has("reportedAt", &|value| {
        value
            .as_str()
            .is_some_and(|text| text < "1970" && text.ends_with("+05:30"))
    });
    for kind in [
        Value::is_object,
        Value::is_array,
        Value::is_string,
        Value::is_number,
        Value::is_boolean,
    ] {
        has("evidence", &kind);
    }
    for kind in ["FileLocation", "UrlLocation", "HostLocation"] {
        has("location", &|value| value["__typename"] == kind);
    }
}

#[test]
fn the_tracker_has_the_promised_number_of_rows() {
    let stand_in = StandIn::new(&DemoConfig::named("tracker").unwrap()).unwrap();
    let counts: BTreeMap<&str, usize> = stand_in
        .tables()
        .into_iter()
        .map(|table| (table, stand_in.truth(table).unwrap().count()))
        .collect();
    let expected = [
        ("auditEntries", 2_000),
        ("events", 6_000),
        ("findings", 1_500),
        ("groups", 40),
        ("organizations", 3),
        ("vulnerabilities", 120_000),
    ];
    assert_eq!(counts, BTreeMap::from(expected));
    let findings: Vec<u64> = stand_in
        .truth("findings")
        .unwrap()
        .map(|finding| finding["vulnerabilityCount"].as_u64().unwrap())
        .collect();
    assert!(findings.contains(&0) && findings.iter().any(|count| (3_000..9_000).contains(count)));
    let mut entries: Vec<String> = stand_in
        .truth("auditEntries")
        .unwrap()
        .map(|entry| Value::Object(entry).to_string())
        .collect();
    entries.sort();
    entries.dedup();
    assert!(entries.len() <= 300);
}

#[tokio::test(start_paused = true)]
async fn objects_are_reached_by_every_road() {
    let service = service(|_| {});
    let acme = data(
        &service,
        r#"{ organization(name: "acme") { groups(first: 2) { totalCount nodes { id name } } } }"#,
    )
    .await;
    let truth: Vec<_> = service
        .stand_in()
        .truth_below("groups", "Organization", "name", "acme")
        .unwrap()
        .collect();
    let groups = &acme["organization"]["groups"];
    assert_eq!(
        (&groups["totalCount"], &groups["nodes"][1]["name"]),
        (&json!(truth.len()), &truth[1]["name"])
    );

    let id = &truth[1]["id"];
    let query = format!("{{ node(id: {id}) {{ __typename ... on Group {{ name organization {{ name }} }} }} }}");
    let node = json!({ "__typename": "Group", "name": truth[1]["name"], "organization": { "name": "acme" } });
    assert_eq!(data(&service, &query).await["node"], node);

    let query =
        format!("{{ nodes(ids: [\"nonsense\", {id}]) {{ id }} viewer {{ name organizations {{ totalCount }} }} }}");
    let answered = data(&service, &query).await;
    assert_eq!(answered["nodes"], json!([null, { "id": id }]));
    assert_eq!(answered["viewer"]["organizations"]["totalCount"], 3);
    assert_eq!(
        data(&service, r#"{ group(name: "none") { id } }"#).await["group"],
        Value::Null
    );
}

#[tokio::test(start_paused = true)]
async fn filters_keep_their_promise_on_every_page() {
    let service = service(|_| {});
    let arguments = "severity: [CRITICAL, LOW], state: OPEN";
    let answered = walk(&service, "vulnerabilities", arguments, "id severity state").await;
    let is_asked = |row: &Map<String, Value>| {
        ["CRITICAL", "LOW"].contains(&row["severity"].as_str().unwrap()) && row["state"] == "OPEN"
    };
    let truth: Vec<Value> = service
        .stand_in()
        .truth("vulnerabilities")
        .unwrap()
        .filter(is_asked)
        .map(|row| row["id"].clone())
        .collect();
    assert_eq!(
        answered.iter().map(|row| row["id"].clone()).collect::<Vec<Value>>(),
        truth
    );
    assert!(truth.len() > 500);
}

#[tokio::test(start_paused = true)]
async fn a_first_above_the_cap_is_clamped_or_refused() {
    let query = "{ vulnerabilities(first: 9999) { nodes { id } pageInfo { hasNextPage } } }";
    let clamped = data(&service(|_| {}), query).await;
    assert_eq!(clamped["vulnerabilities"]["nodes"].as_array().unwrap().len(), 500);
    let refusing = service(|behaviours| behaviours.paging.above_cap = AboveCap::Refuse);
    let refused = json_body(&ask(&refusing, query).await);
    assert_eq!(refused["data"], Value::Null);
    assert!(
        refused["errors"][0]["message"]
            .as_str()
            .unwrap()
            .contains("no page has more than 500 rows"),
        "{refused}"
    );
    assert_eq!(refusing.log().field_errors, 1);
}

#[tokio::test(start_paused = true)]
async fn the_schema_is_told_in_older_and_newer_forms() {
    let service = service(|_| {});
    let types = |arguments: &str, inputs: &str| {
        format!(
            "{{ __schema {{ queryType {{ name }} directives {{ name args{inputs} {{ name }} }} types {{ kind name
               fields(includeDeprecated: true) {{ name args{inputs} {{ name type {{ kind ofType {{ kind name }} }} defaultValue }}
                 type {{ kind name ofType {{ kind name ofType {{ kind name ofType {{ kind name }} }} }} }} }}
               inputFields{inputs} {{ name }} interfaces {{ name }} possibleTypes {{ name }}
               enumValues(includeDeprecated: true) {{ name {arguments} }} }} }} }}"
        )
    };
    let older = data(&service, &types("", "")).await;
    let newer = data(
        &service,
        &types("isDeprecated deprecationReason", "(includeDeprecated: true)"),
    )
    .await;
    for schema in [&older, &newer] {
        let types = schema["__schema"]["types"].as_array().unwrap();
        let union = types.iter().find(|ty| ty["name"] == "Location").unwrap();
        assert_eq!(
            (&union["kind"], union["possibleTypes"].as_array().unwrap().len()),
            (&json!("UNION"), 3)
        );
    }
    assert_eq!((service.log().introspections, service.log().rows), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn requests_that_make_no_sense_are_refused_with_errors() {
    let service = service(|_| {});
    let variables =
        json!({ "query": "query($n: Int!) { groups(first: $n) { nodes { id } } }", "variables": { "n": "x" } });
    let bodies = [
        json!({ "query": "{ groups { nodes { nmae } } }" }),
        json!({ "query": "{ groups " }),
        json!({ "query": "query A { viewer { name } } query B { viewer { name } }" }),
        variables,
        json!([1]),
    ];
    for body in bodies {
        let response = service.handle(request(&service, &body)).await;
        assert_eq!(response.status, StatusCode::BAD_REQUEST, "{body}");
        let answered = json_body(&response);
        assert!(
            answered["errors"][0]["message"].is_string() && answered.get("data").is_none(),
            "{answered}"
        );
    }
    assert_eq!((service.log().request_errors, service.log().answered), (5, 0));
}

#[tokio::test(start_paused = true)]
async fn clients_that_accept_the_newer_content_type_get_it() {
    let service = service(|_| {});
    let mut wanted = request(&service, &json!({ "query": "{ viewer { name } }" }));
    assert_eq!(
        service.handle(wanted.clone()).await.headers[CONTENT_TYPE],
        "application/json"
    );
    wanted.headers.insert(
        ACCEPT,
        "application/graphql-response+json, application/json;q=0.9"
            .parse()
            .unwrap(),
    );
    assert_eq!(service.handle(wanted).await.headers[CONTENT_TYPE], GRAPHQL_RESPONSE);
}

#[tokio::test(start_paused = true)]
async fn tokens_are_checked() {
    let service = service(|_| {});
    let good = request(&service, &json!({ "query": "{ viewer { name } }" }));
    for wrong in [
        "Bearer nonsense",
        "Bearer",
        "",
        &format!("Basic {}", service.token().expose_secret()),
    ] {
        let mut request = good.clone();
        request.headers.insert(AUTHORIZATION, wrong.parse().unwrap());
        assert_eq!(
            service.handle(request).await.status,
            StatusCode::UNAUTHORIZED,
            "{wrong}"
        );
    }
    let bare = service
        .handle(DemoRequest {
            headers: HeaderMap::new(),
            ..good.clone()
        })
        .await;
    assert!(bare.status == StatusCode::UNAUTHORIZED && json_body(&bare)["errors"].is_array());
    assert_eq!(service.handle(good).await.status, StatusCode::OK);
    assert_eq!((service.log().unauthorized, service.log().accepted), (5, 1));
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_is_exceeded_says_how_long_to_wait() {
    let limit = RequestWindow {
        max: 2,
        per: Duration::from_secs(10),
        window: WindowKind::Sliding,
    };
    let service = service(|behaviours| {
        behaviours.limits = vec![limit];
        behaviours.latency.base = Duration::from_secs(1);
    });
    for _ in 0..2 {
        assert_eq!(ask(&service, "{ viewer { name } }").await.status, StatusCode::OK);
    }
    let refused = ask(&service, "{ viewer { name } }").await;
    assert_eq!(
        (refused.status, &refused.headers[RETRY_AFTER]),
        (StatusCode::TOO_MANY_REQUESTS, &HeaderValue::from(8))
    );
    tokio::time::advance(Duration::from_secs(8)).await;
    assert_eq!(ask(&service, "{ viewer { name } }").await.status, StatusCode::OK);
    let log = service.log();
    assert_eq!(
        (
            log.requests,
            log.accepted,
            log.throttles_provoked,
            log.injected(Fault::Throttle)
        ),
        (4, 3, 1, 0)
    );
    assert_eq!((log.windows[0].busiest_sliding, log.windows[0].busiest_fixed), (3, 3));
    assert_eq!(log.requests_repeated, 2);
}

#[tokio::test(start_paused = true)]
async fn answers_take_their_time_and_each_row_adds_to_it() {
    let service = service(|behaviours| {
        behaviours.latency.base = Duration::from_millis(100);
        behaviours.latency.per_node = Duration::from_millis(1);
    });
    let start = Instant::now();
    data(&service, "{ viewer { name } }").await;
    assert_eq!(start.elapsed(), Duration::from_millis(100));
    data(
        &service,
        "{ events(first: 30) { edges { node { id } } nodes { kind } } }",
    )
    .await;
    assert_eq!(start.elapsed(), Duration::from_millis(230));
}

#[tokio::test(start_paused = true)]
async fn scripted_faults_strike_in_their_own_way() {
    let faults = [
        (Fault::InternalError, 500),
        (Fault::BadGateway, 502),
        (Fault::Unavailable, 503),
        (Fault::GatewayTimeout, 504),
        (Fault::Throttle, 429),
        (Fault::Html, 200),
        (Fault::TransientErrors, 200),
        (Fault::NoData, 200),
        (Fault::Cut, 200),
        (Fault::Slow, 200),
    ];
    let script = (1..)
        .zip(faults)
        .map(|(request, (fault, _))| ScriptedFault { request, fault })
        .collect();
    let service = service(|behaviours| {
        behaviours.faults = FaultPlan {
            script,
            slow_by: Duration::from_secs(30),
            ..FaultPlan::none()
        };
        behaviours.throttle.body = ThrottleBody::Text;
    });
    for (fault, status) in faults {
        let start = Instant::now();
        let response = ask(&service, "{ groups(first: 5) { nodes { name } } }").await;
        assert_eq!(response.status.as_u16(), status, "{fault:?}");
        let content_type = response.headers[CONTENT_TYPE].to_str().unwrap();
        let (expected_type, is_json) = match fault {
            Fault::TransientErrors | Fault::NoData | Fault::Cut | Fault::Slow => ("application/json", true),
            Fault::Throttle => ("text/plain", false),
            _ => ("text/html; charset=utf-8", false),
        };
        assert_eq!(content_type, expected_type, "{fault:?}");
        assert_eq!(
            serde_json::from_slice::<Value>(&response.body).is_ok(),
            is_json,
            "{fault:?}"
        );
        assert_eq!(response.cut_after.is_some(), fault == Fault::Cut);
        assert_eq!(
            start.elapsed() >= Duration::from_secs(30),
            fault == Fault::Slow,
            "{fault:?}"
        );
    }
    let log = service.log();
    assert!(faults.iter().all(|(fault, _)| log.injected(*fault) == 1), "{log:?}");
    assert_eq!(
        (log.throttles_provoked, log.answered, log.rows, log.rows_repeated),
        (0, 1, 5, 0)
    );
}

#[tokio::test(start_paused = true)]
async fn the_log_counts_requests_in_flight_and_forgets_clients_that_went_away() {
    let service = service(|_| {});
    let (_, _, _) = tokio::join!(
        ask(&service, "{ viewer { name } }"),
        ask(&service, "{ viewer { email } }"),
        tokio::time::timeout(Duration::from_millis(1), ask(&service, "{ viewer { n: name } }")),
    );
    ask(&service, "{ viewer { name email } }").await;
    let log = service.log();
    assert_eq!((log.max_in_flight, log.requests, log.answered), (3, 4, 3));
}

#[tokio::test(start_paused = true)]
async fn the_shipped_query_files_are_answered() {
    let service = service(|_| {});
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("queries/demo");
    let fragments = fs_err::read_to_string(folder.join("fragments.graphql")).unwrap();
    let mut answered = 0;
    for entry in fs_err::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let is_query =
            path.extension().is_some_and(|extension| extension == "graphql") && !path.ends_with("fragments.graphql");
        if !is_query {
            continue;
        }
        let mut query = fs_err::read_to_string(&path).unwrap();
        if query.contains("...ActorParts") {
            query.push_str(&fragments);
        }
        data(&service, &query).await;
        answered += 1;
    }
    assert_eq!((answered, service.log().answered), (6, 6));
}
