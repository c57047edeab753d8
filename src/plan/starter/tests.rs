use std::path::Path;

use super::*;

fn of(definition: &str) -> Vec<Starter> {
    let schema = ApiSchema::read(definition, Path::new("schema.graphql")).unwrap();
    starters(&schema, &[], &BTreeMap::new()).0
}

fn omitted(definition: &str) -> Vec<(String, &'static str)> {
    let schema = ApiSchema::read(definition, Path::new("schema.graphql")).unwrap();
    let (_, omitted) = starters(&schema, &[], &BTreeMap::new());
    omitted.into_iter().map(|omitted| (omitted.list, omitted.why)).collect()
}

/// The query without the words above it and without line breaks.
fn query(starter: &Starter) -> String {
    let lines = starter.text.lines().filter(|line| !line.starts_with('#'));
    lines.map(str::trim).collect::<Vec<_>>().join(" ")
}

fn queries(definition: &str) -> Vec<(String, String)> {
    let found = of(definition);
    found
        .iter()
        .map(|starter| (starter.name.clone(), query(starter)))
        .collect()
}

#[test]
fn rows_have_their_values_the_keys_of_others_and_nothing_that_needs_an_argument() {
    let found = queries(
        "type Query { findBugs(orderBy: BugOrder, limit: Int, offset: Int): [Bug] bugs: [Bug] @deprecated }
         enum Way { ASC DESC } input BugOrder { id: Way }
         type Bug { id: ID tags: [String] state: State due: Range owner: User blob(size: Int!): String old: Int @deprecated
           notes(limit: Int): [Note] bugs(first: Int, after: String): Bugs }
         type Bugs { nodes: [Bug] pageInfo: PageInfo! totalCount: Int }
         type PageInfo { hasNextPage: Boolean! endCursor: String }
         enum State { OPEN } type Range { start: String end: String } type User { id: ID name: String email: String }
         type Note { id: ID }",
    );
    let expected = "{ findBugs(orderBy: { id: ASC }) { id tags state due { start end } owner { id name } } }";
    assert_eq!(found, [("findBugs".to_owned(), expected.to_owned())]);
}

#[test]
fn lists_are_found_in_objects_that_anybody_can_have() {
    let found = queries(
        "type Query { viewer: Viewer }
         type Viewer { repositories(first: Int!, after: String): Repositories! }
         type Repositories { nodes: [Repository] pageInfo: PageInfo! }
         type PageInfo { hasNextPage: Boolean! endCursor: String }
         type Repository { id: ID! }",
    );
    let expected = "{ viewer { repositories { nodes { id } } } }";
    assert_eq!(found, [("viewer_repositories".to_owned(), expected.to_owned())]);
}

#[test]
fn edges_have_what_is_theirs_beside_the_rows() {
    let found = queries(
        "type Query { people(first: Int, after: String): People! }
         type People { edges: [Edge] pageInfo: PageInfo! }
         type PageInfo { hasNextPage: Boolean! endCursor: String }
         type Edge { cursor: String! node: Person role: String since(of: ID!): Int } type Person { id: ID! name: String }",
    );
    let expected = "{ people { edges { role node { id name } } } }";
    assert_eq!(found, [("people".to_owned(), expected.to_owned())]);
}

#[test]
fn an_object_that_has_to_be_told_which_leads_to_its_lists_unless_it_is_a_row() {
    let definition =
        "type Query { group(groupName: String!): Group issue(id: ID!): Issue me: Me page(filter: Filter!): Page }
         type Group { findings: [Finding] name: String } type Finding { id: ID! } type Me { issues: [Issue] }
         type Issue { id: ID! labels(first: Int): [Label] notes: [Finding!]! tags: [String] } type Label { id: ID }
         input Filter { id: ID! } type Page { rows: [Finding] }";
    let found = of(definition);
    let told: Vec<_> = found
        .iter()
        .map(|starter| (starter.name.as_str(), starter.needs.join(" "), starter.inner.join(" ")))
        .collect();
    let whose = |name, needs: &str, inner: &str| (name, needs.to_owned(), inner.to_owned());
    assert_eq!(
        told,
        [
            whose("me_issues", "", "labels notes"),
            whose("group_findings", "$groupName: String!", ""),
            whose("page_rows", "$filter: Filter!", ""),
        ]
    );
    assert!(
        found[0]
            .text
            .contains("# Lists in these rows, which are not here: labels, notes.\n")
    );
    assert_eq!(
        query(&found[1]),
        "query ($groupName: String!) { group(groupName: $groupName) { findings { id } } }"
    );
}

#[test]
fn lists_that_no_query_file_begins_with_are_told_with_the_reason() {
    let found = omitted(
        "type Query { roles: [String!]! ways: [Way] hollow: [Empty] of(id: ID!): Of }
         enum Way { UP } type Empty { of: [Empty] } type Of { rows(id: ID!): [Row] tags: [String] } type Row { id: ID }",
    );
    let lists: Vec<_> = found
        .iter()
        .map(|(list, why)| (list.as_str(), why.split(':').next().unwrap_or_default()))
        .collect();
    assert_eq!(
        lists,
        [
            ("roles", "its items are plain values"),
            ("ways", "its items are plain values"),
            ("of.rows", "two of its arguments have the same name"),
            ("of.tags", "its items are plain values"),
            ("hollow", "its rows have no plain value"),
        ]
    );
}

#[test]
fn arguments_that_turn_no_pages_become_variables() {
    let found = of(
        "type Query { items(companyId: ID!, page: Int! = 1, first: Int!, after: String): Items! }
         type Items { nodes: [Item] pageInfo: PageInfo! }
         type PageInfo { hasNextPage: Boolean! endCursor: String }
         type Item { id: ID! }",
    );
    assert_eq!(found[0].needs, ["$companyId: ID!"]);
    let expected = "query ($companyId: ID!) { items(companyId: $companyId) { nodes { id } } }";
    assert_eq!(query(&found[0]), expected);
}

#[test]
fn members_of_a_union_have_what_one_query_can_ask_of_them() {
    let found = queries(
        "type Query { all: [Any] None: [Empty] } union Any = A | B
         type A { id: ID! size: Int only: String } type B { id: ID! size: Float } type Empty { of: [Empty] }",
    );
    let expected = "{ all { ... on A { id size only } ... on B { id b_size: size } } }";
    assert_eq!(found, [("all".to_owned(), expected.to_owned())]);
}

#[test]
fn what_single_types_of_an_interface_have_is_named_with_the_type() {
    let found = of("type Query { all: [Any] } interface Any { id: ID! }
         type A implements Any { id: ID! size: Int notes: [A] far(at: Int!): Int } type B implements Any { id: ID! b: Float kind: Kind }
         type C implements Any { id: ID! } enum Kind { X }");
    assert_eq!(query(&found[0]), "{ all { id } }");
    let said = "# Not here, since not all types of rows have it; each can be added as `... on TYPE { … }`:\n\
                #   A: size, notes, far(at: Int!)\n#   B: b, kind\n{";
    assert!(found[0].text.contains(said), "{}", found[0].text);
}

#[test]
fn what_types_of_an_interface_have_in_different_types_is_named_as_one_query_can_ask_for_it() {
    let interface = "type Query { all: [Any] } interface Any { id: ID! }
         type A implements Any { id: ID! val: Int common: String same: Int }
         type B implements Any { id: ID! val: String common: String! same: Int }";
    let said = "#   A: val, common, same\n#   B: b_val: val, b_common: common, same\n";
    let text = &of(interface)[0].text;
    assert!(text.contains(said), "{text}");
    let query = "{ all { ... on A { val common same } ... on B { b_val: val b_common: common same } } }";
    let schema = ApiSchema::read(interface, Path::new("schema.graphql")).unwrap();
    let checked = apollo_compiler::ExecutableDocument::parse_and_validate(schema.compiled(), query, "all.graphql");
    assert!(checked.is_ok(), "{checked:?}");
}

#[test]
fn what_needs_an_argument_or_lies_deeper_is_named() {
    let found = of("type Query { users: [User] any: [Any] }
         type User { id: ID! email(verified: Boolean!): String name(short: Boolean): String tags(of: ID!): [String]
           address: Address bare: Bare friend: User posts: [Post] old: Bare @deprecated }
         type Address { street: String geo: Geo flat(at: Int!, on: Int): Int } type Geo { lat: Float lon: Float }
         type Bare { geo: Geo } type Post { title: String author: User } union Any = User | Post");
    assert_eq!(
        query(&found[0]),
        "{ users { id name address { street } friend { id name } } }"
    );
    let told = |starter: &Starter| {
        let line = starter
            .text
            .lines()
            .find_map(|line| line.strip_prefix("# Not here, since it needs "));
        line.unwrap_or_default().to_owned()
    };
    assert_eq!(
        told(&found[0]),
        "an argument or lies deeper: email(verified: Boolean!), tags(of: ID!), address.geo, address.flat(at: Int!), bare."
    );
    let of_union =
        "an argument or lies deeper: address, author, bare, email(verified: Boolean!), friend, tags(of: ID!).";
    assert_eq!(told(&found[1]), of_union);
}

#[test]
fn filters_by_date_are_named_and_how_one_is_used() {
    let told = |arguments: &str| {
        let found = of(&format!(
            "scalar Day scalar DateTime enum Way {{ ASC }} input Order {{ createdAt: Way }}
             input Text {{ is: String }} input Range {{ from: DateTime to: DateTime }} input Filter {{ name: Text, made_at: Text }}
             type Query {{ rows({arguments}): Rows }} type Row {{ id: ID }}
             type Rows {{ nodes: [Row] pageInfo: PageInfo! }} type PageInfo {{ hasNextPage: Boolean! endCursor: String }}"
        ));
        let mut lines = found[0]
            .text
            .lines()
            .skip_while(|line| !line.starts_with("# Filters by date"));
        let named = lines
            .next()
            .and_then(|line| line.strip_prefix("# Filters by date, by their names or types: "));
        named.map(|named| (named.to_owned(), lines.take(2).collect::<Vec<_>>().join(" ")))
    };
    let (named, how) = told(
        "first: Int, after: String, orderBy: Order, name: Text, isUpToDate: Boolean, creationDate: Text, day: Day, seen: Range,
         updatedAfter: String, filter: Filter, from: DateTime!, timeZone: String",
    )
    .unwrap();
    assert_eq!(
        named,
        "creationDate: Text, seen: Range, updatedAfter: String, filter: Filter."
    );
    for part in [
        "query ($creationDate: Text) {",
        "creationDate: $creationDate",
        "--var 'creationDate=…'",
    ] {
        assert!(how.contains(part), "{how}");
    }
    assert_eq!(
        told("first: Int, after: String, before: String, orderBy: Order, name: Text"),
        None
    );
}

#[test]
fn what_the_schema_leaves_open_is_said_and_doubted_unless_it_tells_the_rest() {
    let found = of(
        "type Query { told(limit: Int, page: Int = 1): [Row] open(limit: Int, page: Int): [Row] } type Row { id: ID }",
    );
    let said = r#"@paginate(style: PAGE_LIST, sizeArgument: "limit", pageArgument: "page", firstPage: 1)"#;
    assert_eq!(query(&found[0]), format!("{{ told {said} {{ id }} }}"));
    assert_eq!(found[0].doubt, None);
    assert_eq!(query(&found[1]), format!("{{ open {said} {{ id }} }}"));
    assert!(
        found[1]
            .doubt
            .as_ref()
            .unwrap()
            .contains("its first page has that number")
    );
}

#[test]
fn names_that_differ_only_in_case_are_told_apart() {
    let found = of("type Query { rows: [Row] Rows: [Row] } type Row { id: ID }");
    let names: Vec<&str> = found.iter().map(|starter| starter.name.as_str()).collect();
    assert_eq!(names, ["rows", "Rows_2"]);
}

#[test]
fn what_the_source_leaves_out_is_in_no_starter() {
    let definition = "type Query { bugs: [Bug] places: [Place] me: Me } type Me { bugs: [Bug] drafts: [Bug] }
         type Bug { id: ID hacker: String at: Spot } type Spot { line: Int hacker: String }
         union Place = Bug | Spot";
    let schema = ApiSchema::read(definition, Path::new("schema.graphql")).unwrap();
    let hacker = vec!["hacker".to_owned()];
    let left_out = BTreeMap::from([
        ("Bug".to_owned(), hacker.clone()),
        ("Spot".to_owned(), hacker),
        ("Me".to_owned(), vec!["drafts".to_owned()]),
    ]);
    let (found, _) = starters(&schema, &[], &left_out);
    let said = "# Not here, as [left_out] says: hacker.\n";
    assert!(found.iter().all(|starter| starter.text.contains(said)), "{found:?}");
    let found: Vec<String> = found.iter().map(query).collect();
    assert_eq!(
        found,
        [
            "{ bugs { id at { line } } }",
            "{ places { ... on Bug { id } ... on Spot { line } } }",
            "{ me { bugs { id at { line } } } }"
        ]
    );
}
