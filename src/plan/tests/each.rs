//! Queries that are run once for each value of another one's column: their texts, and how query files are linked.

use serde_json::json;

use super::*;
use crate::plan::{PlannedFile, link};

const ORGANIZATIONS: &str = r#"query Q($login: String! @each(of: "teams.slug")) {
  organization(login: $login) { name groups { nodes { id } } } }"#;

/// Query files of one source, planned and linked.
fn linked(files: &[(&str, &str)], variables: &[(&str, &str)]) -> Vec<PlannedFile> {
    let schema = ApiSchema::read(SCHEMA, Path::new("schema.graphql")).unwrap();
    let variables = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let plan = |(name, text): &(&str, &str)| {
        let path = format!("{name}.graphql");
        let path = Path::new(&path);
        let document = QueryDocument::read(GraphqlFile { path, text }, &[]).unwrap().unwrap();
        let settings = PlanSettings {
            query_name: name,
            api: "",
            variables: &variables,
            scalars: &BTreeMap::from([("Long".to_owned(), ScalarType::Int64)]),
            paging: &[],
            flatten: false,
            page_size: 100,
            limits: &crate::project::QueryLimits::default(),
            denied: &[],
        };
        ((*name).to_owned(), plan_query(&document, &schema, settings))
    };
    let mut files: Vec<PlannedFile> = files.iter().map(plan).collect();
    link(&mut files);
    files
}

/// A query file beside the teams and the users, on which its values can depend.
fn beside_teams(text: &str) -> Result<Plan, String> {
    let teams = (
        "teams",
        "{ teams { nodes { slug issues { nodes { size author { id } created } } } } }",
    );
    let viewer = ("viewer", "{ viewer { id name } tags { name } }");
    let mut files = linked(&[("work", text), teams, viewer], &[]);
    files.remove(0).1.map_err(|error| error.to_string())
}

/// The request for the first pages of these values.
fn members(plan: &Plan, values: &[JsonValue]) -> RequestText {
    let roots = plan.roots_of_member();
    let asks = values
        .iter()
        .flat_map(|value| roots.iter().map(move |root| (value, root)));
    let asks = asks.map(|(value, root)| Ask {
        connection: None,
        root: *root,
        member: Some(value),
        size: 1,
        position: None,
        parent: None,
        address: &[],
    });
    checked(plan.request(&asks.collect::<Vec<_>>(), &plan.full_sizes(), Piece::FIRST))
}

fn checked(request: RequestText) -> RequestText {
    let schema = ApiSchema::read(SCHEMA, Path::new("schema.graphql")).unwrap();
    assert_eq!(is_valid(schema.compiled(), &request.text), Ok(()), "{}", request.text);
    request
}

fn error_of(files: &[PlannedFile], name: &str) -> String {
    let (_, plan) = files.iter().find(|(file, _)| file == name).unwrap();
    plan.as_ref().map(drop).unwrap_err().to_string()
}

#[test]
fn several_values_share_a_request_and_the_selection_behind_them() {
    let plan = beside_teams(ORGANIZATIONS).unwrap();
    let request = members(&plan, &["a".into(), "b".into(), "a".into()]);
    insta::assert_snapshot!(request.text, @"query Q($login:String!,$pageSize:Int!,$login2:String!){t0:organization(login:$login){name groups(first:$pageSize){...F0}}t1:organization(login:$login2){name groups(first:$pageSize){...F0}}t2:organization(login:$login){name groups(first:$pageSize){...F0}}}fragment F0 on GroupConnection{nodes{id}pageInfo{hasNextPage endCursor}totalCount}");
    assert_eq!(request.variables["login"], "a");
    assert_eq!(request.variables["login2"], "b");
    let AncestorRole::Object(fields) = plan.layout(&[Target::Root { root: 0 }; 2]).data.role else {
        panic!("an object was expected")
    };
    let keys: Vec<_> = fields.iter().map(|field| field.key.as_str()).collect();
    assert_eq!(keys, ["t0", "t1"]);
    let alone = members(&plan, &["a".into()]);
    assert!(
        alone.text.contains("{organization(login:$login){name groups("),
        "{}",
        alone.text
    );
}

#[test]
fn each_root_field_of_a_value_has_a_slot_and_what_stands_beside_them_is_the_same() {
    let plan = beside_teams(
        r#"query ($login: String! @each(of: "teams.slug")) { viewer { name }
          own: organization(login: $login) { groups { nodes { id } } } teams { nodes { slug } } }"#,
    )
    .unwrap();
    assert!(plan.mixes_members());
    let keys: Vec<_> = plan.member_roots.iter().map(|root| root.key.as_str()).collect();
    assert_eq!(keys, ["own", "teams"]);
    insta::assert_snapshot!(members(&plan, &["a".into(), "b".into()]).text, @"query($login:String!,$pageSize:Int!,$login2:String!){viewer{name}t0:organization(login:$login){groups(first:$pageSize){...F0}}t1:teams(first:$pageSize){...F1}t2:organization(login:$login2){groups(first:$pageSize){...F0}}t3:teams(first:$pageSize){...F1}}fragment F0 on GroupConnection{nodes{id}pageInfo{hasNextPage endCursor}totalCount}fragment F1 on TeamConnection{nodes{slug}pageInfo{hasNextPage endCursor}}");
}

#[test]
fn a_selection_in_which_the_value_occurs_is_written_for_each() {
    let plan = beside_teams(
        r#"query ($state: State! @each(of: "tags.name")) {
          teams { nodes { slug issues(state: $state) { nodes { id } } } } }"#,
    );
    assert!(
        plan.unwrap_err()
            .contains("no query file of this source has a table `tags`")
    );
    let plan = beside_teams(
        r#"query ($state: State! @each(of: "viewer.name")) {
          teams { nodes { slug issues(state: $state) { nodes { id } } } } }"#,
    );
    let Ok(plan) = plan else {
        panic!("{}", plan.unwrap_err())
    };
    insta::assert_snapshot!(members(&plan, &["OPEN".into(), "CLOSED".into()]).text, @"query($pageSize:Int!,$state:State!,$state2:State!){t0:teams(first:$pageSize){edges{node{slug issues(state:$state,first:$pageSize){...F1}}cursor}pageInfo{hasNextPage endCursor}}t1:teams(first:$pageSize){edges{node{slug issues(state:$state2,first:$pageSize){...F1}}cursor}pageInfo{hasNextPage endCursor}}}fragment F1 on IssueConnection{nodes{id}pageInfo{hasNextPage endCursor}totalCount}");
}

#[test]
fn further_pages_keep_the_value_that_they_are_of() {
    let plan = beside_teams(ORGANIZATIONS).unwrap();
    let (one, other) = (json!("a"), json!("b"));
    let cursors = ["c0", "c1", "c2"].map(JsonValue::from);
    let asks = [&one, &other, &one]
        .into_iter()
        .zip(&cursors)
        .map(|(member, cursor)| Ask {
            connection: Some(0),
            root: None,
            member: Some(member),
            size: 50,
            position: Some(cursor),
            parent: None,
            address: &[],
        });
    let request = checked(plan.request(&asks.collect::<Vec<_>>(), &plan.full_sizes(), Piece::FIRST));
    insta::assert_snapshot!(request.text, @"query Q($login:String!,$pageSize:Int!,$cursor:String!,$login2:String!,$cursor2:String!,$cursor3:String!){t0:organization(login:$login){name groups(first:$pageSize,after:$cursor){...F0}}t1:organization(login:$login2){name groups(first:$pageSize,after:$cursor2){...F0}}t2:organization(login:$login){name groups(first:$pageSize,after:$cursor3){...F0}}}fragment F0 on GroupConnection{nodes{id}pageInfo{hasNextPage endCursor}totalCount}");
    let values = ["login", "login2"].map(|name| request.variables[name].clone());
    assert_eq!(values, [one, other]);
}

#[test]
fn values_go_one_by_one_where_what_stands_beside_the_rows_depends_on_them() {
    for text in [
        r#"query ($login: String! @each(of: "teams.slug")) {
          organization(login: $login) { id name } teams { nodes { slug } } }"#,
        r#"query ($login: String! @each(of: "teams.slug")) {
          organization(login: $login) { id name } again: organization(login: $login) { id } }"#,
    ] {
        let plan = beside_teams(text).unwrap();
        assert!(!plan.mixes_members());
        members(&plan, &["a".into()]);
    }
    assert!(beside_teams(ORGANIZATIONS).unwrap().mixes_members());
}

#[test]
fn a_value_is_written_as_the_variable_takes_it() {
    let member = |variable: &str, of: &str, value: JsonValue| {
        let text = format!(
            "query ($value: {variable} @each(of: \"{of}\")) {{ issues(first: 1, labels: $value) {{ nodes {{ id }} }} }}"
        );
        beside_teams(&text).map(|plan| plan.each.unwrap().member(value))
    };
    assert_eq!(member("[String!]", "teams.slug", json!("a")), Ok(json!(["a"])));
    assert_eq!(member("[String!]", "teams__issues.size", json!(7)), Ok(json!(["7"])));
    assert_eq!(
        member("[String!]", "teams__issues.author.id", json!("u1")),
        Ok(json!(["u1"]))
    );
}

#[test]
fn columns_that_have_no_values_for_the_variable_are_refused_with_a_remedy() {
    let error = |of: &str| {
        let text = ORGANIZATIONS.replace("teams.slug", of);
        beside_teams(&text).unwrap_err()
    };
    insta::assert_snapshot!(error("team.slug"), @r#"
    no query file of this source has a table `team`
       ╭─[ work.graphql:1:25 ]
       │
     1 │ query Q($login: String! @each(of: "team.slug")) {
       │                         ───────────┬──────────
       │                                    ╰──────────── here
       │
       │ Help: did you mean `teams`?
    ───╯
    "#);
    insta::assert_snapshot!(error("teams.slog"), @r#"
    the table `teams` has no column `slog`
       ╭─[ work.graphql:1:25 ]
       │
     1 │ query Q($login: String! @each(of: "teams.slog")) {
       │                         ───────────┬───────────
       │                                    ╰───────────── here
       │
       │ Help: did you mean `slug`?
    ───╯
    "#);
    insta::assert_snapshot!(error("teams"), @r#"
    `teams` names no column of a table
       ╭─[ work.graphql:1:25 ]
       │
     1 │ query Q($login: String! @each(of: "teams")) {
       │                         ─────────┬────────
       │                                  ╰────────── here
       │
       │ Help: write the table and its column: @each(of: "groups.name")
    ───╯
    "#);
    insta::assert_snapshot!(error("teams__issues.author"), @r#"
    the column `teams__issues.author` of type struct<id: string not null> has no values for `$login` of type String!
       ╭─[ work.graphql:1:25 ]
       │
     1 │ query Q($login: String! @each(of: "teams__issues.author")) {
       │                         ────────────────┬────────────────
       │                                         ╰────────────────── here
       │
       │ Help: name a column of single values of that type
    ───╯
    "#);
    assert!(error("nothing.like").contains("the source has the tables `teams`, `teams__issues`"));
    assert!(error("teams__issues.author.idd").contains("did you mean `id`?"));
}

#[test]
fn a_variable_that_cannot_take_single_values_is_refused() {
    let refused = |text: &str| beside_teams(text).unwrap_err();
    let two = r#"query ($a: String! @each(of: "teams.slug"), $b: ID! @each(of: "teams.slug")) {
      organization(login: $a) { groups { nodes { id } } } group(groupId: $b) { id } }"#;
    assert!(refused(two).contains("both `$a` and `$b` have @each"));
    let driven = r#"query ($size: Int! @each(of: "teams__issues.size")) { issues(first: $size) { nodes { id } } }"#;
    assert!(refused(driven).contains("the values of `$size` would not be sent"));
    let on_field = r#"{ issues(first: 1) @each(of: "teams.slug") { nodes { id } } }"#;
    assert!(refused(on_field).contains("@each"), "{}", refused(on_field));
}

#[test]
fn a_given_value_wins() {
    let files = linked(&[("work", ORGANIZATIONS)], &[("login", "acme")]);
    let plan = files[0].1.as_ref().unwrap();
    assert!(plan.each.is_none() && plan.member_roots.is_empty());
    assert_eq!(start(plan).variables["login"], "acme");
}

#[test]
fn query_files_that_wait_for_themselves_are_refused_with_the_whole_circle() {
    let taking = |of: &str| {
        format!(
            "query ($login: String! @each(of: \"{of}\")) {{ organization(login: $login) {{ groups {{ nodes {{ id }} }} }} }}"
        )
    };
    let (a, b, c, d) = (taking("b.id"), taking("c.id"), taking("a.id"), taking("a.id"));
    let files = linked(&[("a", &a), ("b", &b), ("c", &c), ("d", &d)], &[]);
    assert!(
        error_of(&files, "a").contains("in a circle: a → b → c → a"),
        "{}",
        error_of(&files, "a")
    );
    assert!(error_of(&files, "b").contains("in a circle: b → c → a → b"));
    assert!(error_of(&files, "d").contains("the query file `a`, which `$login` takes its values from, is refused"));
    let own = taking("a.id");
    let files = linked(&[("a", &own)], &[]);
    assert!(error_of(&files, "a").contains("in a circle: a → a"));
}

#[test]
fn the_column_that_the_values_come_from_is_part_of_what_is_asked() {
    let other = ORGANIZATIONS.replace("teams.slug", "viewer.name");
    let [one, other] = [ORGANIZATIONS, &other].map(|text| beside_teams(text).unwrap().fingerprint);
    assert_ne!(one, other);
}
