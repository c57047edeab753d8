//! What a test can switch on to see what a client does without: fields that its token may not see, rows that no request
//! survives.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::demo::behaviour::Behaviours;
use crate::demo::service::DemoService;
use crate::demo::service::client::{ask, json_body, start};

fn service(behaviours: &str) -> DemoService {
    #[derive(serde::Deserialize)]
    struct Withheld {
        #[serde(default)]
        denied: Vec<crate::demo::denied::DeniedField>,
        #[serde(default)]
        poison: Vec<crate::demo::poison::Poison>,
    }
    let Withheld { denied, poison } = toml::from_str(behaviours).unwrap();
    start("tracker", 0.05, |behaviours: &mut Behaviours| {
        (behaviours.denied, behaviours.poison) = (denied, poison);
    })
}

const GROUPS: &str = "{ groups(first: 3) { nodes { name budget findingCount } } }";

#[tokio::test(start_paused = true)]
async fn a_denied_field_is_null_with_an_error_at_its_path() {
    let service = service(
        "[[denied]]
         type = 'Group'
         field = 'budget'
         message = 'Access denied'
         extensions = { code = 'FORBIDDEN' }",
    );
    let body = json_body(&ask(&service, GROUPS).await);
    let errors = body["errors"].as_array().unwrap();
    let paths: Vec<&Value> = errors.iter().map(|error| &error["path"]).collect();
    let path = |row: u32| json!(["groups", "nodes", row, "budget"]);
    assert_eq!(paths, [&path(0), &path(1), &path(2)]);
    let error = (&errors[1]["message"], &errors[1]["extensions"]);
    assert_eq!(error, (&json!("Access denied"), &json!({ "code": "FORBIDDEN" })));
    let groups = body["data"]["groups"]["nodes"].as_array().unwrap();
    assert!(
        groups
            .iter()
            .all(|group| group["budget"].is_null() && group["name"].is_string())
    );
}

#[tokio::test(start_paused = true)]
async fn a_field_is_denied_only_below_the_objects_that_are_named() {
    let service = service(
        "[[denied]]
         type = 'Finding'
         field = 'description'
         within = { type = 'Group', field = 'name', value = 'alder' }
         message = 'Access denied or group not found'",
    );
    let query = "{ groups(first: 2) { nodes { name findings(first: 2) { nodes { id description } } } } }";
    let body = json_body(&ask(&service, query).await);
    let groups = body["data"]["groups"]["nodes"].as_array().unwrap();
    let denied: Vec<(&str, bool)> = groups
        .iter()
        .flat_map(|group| {
            let findings = group["findings"]["nodes"].as_array().unwrap().iter();
            findings.map(|finding| (group["name"].as_str().unwrap(), finding["description"].is_null()))
        })
        .collect();
    assert!(denied.contains(&("alder", true)) && denied.iter().any(|(name, _)| *name != "alder"));
    assert!(
        denied.iter().all(|(name, is_null)| (*name == "alder") == *is_null),
        "{denied:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_field_is_denied_to_some_roles_alone() {
    let query = "{ me { userEmail } group(groupName: \"narrabri\") { name toeLines(first: 1) { total } } }";
    for (role, denied) in [(None, false), (Some("user"), false), (Some("service_forces"), true)] {
        let service = start("fluidattacks", 0.001, |behaviours| {
            behaviours.role = role.map(str::to_owned);
        });
        let body = json_body(&ask(&service, query).await);
        assert_eq!(body["data"]["me"].is_null(), denied, "{role:?}");
        // The list of files is never null, so that its group goes with it.
        assert_eq!(body["data"]["group"].is_null(), denied, "{role:?}");
        let errors = body["errors"].as_array();
        let paths: Vec<&Value> = errors.into_iter().flatten().map(|error| &error["path"]).collect();
        let expected = [json!(["me"]), json!(["group", "toeLines"])];
        assert_eq!(paths, expected.iter().filter(|_| denied).collect::<Vec<_>>(), "{body}");
    }
}

/// As the specification says: the null goes up to the next field that may be null, and the error keeps its path.
#[tokio::test(start_paused = true)]
async fn a_null_that_is_forbidden_goes_up() {
    let service = service(
        "[[denied]]
         type = 'Group'
         field = 'findingCount'
         within = { type = 'Group', field = 'name', value = 'alder' }
         message = 'Access denied'",
    );
    let body = json_body(&ask(&service, GROUPS).await);
    assert_eq!(body["errors"][0]["path"], json!(["groups", "nodes", 0, "findingCount"]));
    assert_eq!(body["data"], Value::Null);
}

#[tokio::test(start_paused = true)]
async fn no_request_survives_a_poisoned_row() {
    let calm = start("tracker", 0.05, |_| {});
    let ids = json_body(&ask(&calm, "{ findings(first: 3) { nodes { id } } }").await);
    let id = ids["data"]["findings"]["nodes"][1]["id"].as_str().unwrap();
    let object = format!("object = {{ type = 'Finding', field = 'id', value = '{id}' }}");
    let refusal = "refusal = { status = 502, body = '<h1>Bad Gateway</h1>' }";
    let status = async |field: &str, query: &str| {
        let service = service(&format!("[[poison]]\n{object}\n{field}\n{refusal}"));
        let response = ask(&service, query).await;
        assert_eq!(service.log().rows > 0, response.status == StatusCode::OK);
        response.status.as_u16()
    };
    for (field, selection, expected) in [
        ("", "id", 502),
        ("field = 'description'", "id title", 200),
        ("field = 'description'", "id description", 502),
    ] {
        let query = format!("{{ findings(first: 3) {{ nodes {{ {selection} }} }} }}");
        assert_eq!(status(field, &query).await, expected, "{selection}");
        let query = format!("{{ findings(first: 1) {{ nodes {{ {selection} }} }} }}");
        assert_eq!(status(field, &query).await, 200, "without it");
    }
}
