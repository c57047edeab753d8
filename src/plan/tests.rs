//! Plans of small queries, data in and data out.

use std::collections::BTreeMap;
use std::path::Path;

use crate::plan::template::is_valid;
use crate::plan::{
    AncestorRole, CellRole, ColumnType, GraphqlFile, Items, Plan, PlanSettings, ProbeRole, QueryDocument, RowId,
    plan_query,
};
use crate::schema::{ApiSchema, ScalarType};

const SCHEMA: &str = r#"
  type Query {
    organization(login: String!): Organization
    issues(first: Int!, after: String, last: Int, state: State = OPEN, labels: [String!]): IssueConnection!
    items(first: Int, after: String): ItemConnection
    entries(first: Int, after: String): EntryConnection
    pages(limit: Int, offset: Int): [Issue!]
    viewer: User!
    tags: [Tag!]!
  }
  enum State { OPEN CLOSED }
  scalar Long
  scalar DateTime
  type Organization { id: ID! name: String! members: [User!] groups(first: Int, after: String): GroupConnection! owner: User }
  type Group { id: ID! title: String tags: [String!]! findings(first: Int, after: String): IssueConnection! }
  type GroupConnection { pageInfo: PageInfo! nodes: [Group] totalCount: Int weight: Float }
  type User { id: ID! name: String email: String }
  type Tag { name: String! color: String }
  type Issue { id: ID! title: String! size: Long created: DateTime! author: User state: State! }
  type IssueConnection { pageInfo: PageInfo! edges: [IssueEdge] nodes: [Issue] totalCount: Int! }
  type IssueEdge { node: Issue cursor: String! addedAt: DateTime }
  type PageInfo { hasNextPage: Boolean! endCursor: String }
  interface Named { name: String! }
  type Repository implements Named { id: ID! name: String! stars: Int! }
  type Folder implements Named { id: ID! name: String! depth: Int! }
  union Item = Repository | Folder
  type ItemConnection { pageInfo: PageInfo! edges: [ItemEdge!]! }
  type ItemEdge { node: Item }
  type Entry { at: DateTime! text: String }
  type EntryConnection { pageInfo: PageInfo! nodes: [Entry!]! }
"#;

#[derive(Default)]
struct Case {
    variables: BTreeMap<String, String>,
    siblings: Vec<(&'static str, &'static str)>,
    flatten: bool,
    api: &'static str,
}

impl Case {
    fn plan(&self, text: &str) -> Result<Plan, String> {
        let schema = ApiSchema::read(SCHEMA, Path::new("schema.graphql")).unwrap();
        let siblings = self.siblings.iter().map(|(path, text)| GraphqlFile {
            path: Path::new(path),
            text,
        });
        let siblings: Vec<_> = siblings.collect();
        let file = GraphqlFile {
            path: Path::new("work.graphql"),
            text,
        };
        let document = QueryDocument::read(file, &siblings)
            .map_err(|error| error.to_string())?
            .unwrap();
        let scalars = BTreeMap::from([("Long".to_owned(), ScalarType::Int64)]);
        let settings = PlanSettings {
            query_name: "work",
            api: self.api,
            variables: &self.variables,
            scalars: &scalars,
            flatten: self.flatten,
            page_size: 100,
        };
        let plan = plan_query(&document, &schema, settings).map_err(|error| error.to_string())?;
        for template in std::iter::once(&plan.start).chain(plan.connections.iter().map(|one| &one.next_page)) {
            assert_eq!(is_valid(schema.compiled(), &template.text), Ok(()), "{}", template.text);
        }
        Ok(plan)
    }
}

fn plan(text: &str) -> Plan {
    Case::default().plan(text).unwrap()
}

fn refusal(text: &str) -> String {
    Case::default().plan(text).unwrap_err()
}

fn columns(plan: &Plan, table: usize) -> Vec<String> {
    let describe = |ty: &ColumnType| match ty {
        ColumnType::Scalar(scalar) => scalar.to_string(),
        ColumnType::List(_) => "list".to_owned(),
        ColumnType::Struct(fields) => {
            let names: Vec<_> = fields.iter().map(|field| field.name.as_str()).collect();
            format!("struct({})", names.join(" "))
        }
    };
    let columns = plan.tables[table].columns.iter();
    columns
        .map(|column| {
            format!(
                "{}: {}{}",
                column.name,
                describe(&column.ty),
                if column.nullable { "?" } else { "" }
            )
        })
        .collect()
}

#[test]
fn a_connection_gets_what_it_lacks() {
    let plan = plan("query Work { issues { edges { node { title size } } } }");
    assert_eq!(
        &*plan.start.text,
        "query Work($pageSize:Int!){issues(first:$pageSize){edges{node{title size id}}pageInfo{hasNextPage endCursor}}}"
    );
    let next = &plan.connections[0].next_page;
    assert_eq!(
        &*next.text,
        "query Work($pageSize:Int!,$cursor:String!){issues(first:$pageSize,after:$cursor)\
         {edges{node{title size id}}pageInfo{hasNextPage endCursor}}}"
    );
    assert_eq!(next.sizes, [("pageSize".to_owned(), 0)]);
    assert_eq!(next.cursor.as_deref(), Some("cursor"));
    assert_eq!(plan.tables[0].name.as_str(), "work");
    assert_eq!(columns(&plan, 0), ["_id: string", "title: string", "size: int64?"]);
}

#[test]
fn what_is_there_is_used() {
    let plan = Case {
        variables: BTreeMap::from([("n".to_owned(), "7".to_owned())]),
        ..Case::default()
    }
    .plan(
        "query($n: Int!, $c: String, $s: State = CLOSED) { issues(first: $n, after: $c, state: $s) { \
           totalCount info: pageInfo { endCursor more: hasNextPage } list: nodes { key: id title } } }",
    );
    let plan = plan.unwrap();
    assert_eq!(
        &*plan.start.text,
        "query($n:Int!,$s:State=CLOSED){issues(state:$s,first:$n){totalCount info:pageInfo{endCursor more:hasNextPage}\
         list:nodes{key:id title}}}"
    );
    assert!(plan.connections[0].next_page.text.contains("$c:String"));
    assert_eq!(plan.connections[0].page_size, 7);
    assert!(
        plan.start.variables.is_empty(),
        "sizes and cursors are driven: {:?}",
        plan.start.variables
    );
    assert_eq!(columns(&plan, 0), ["_id: string", "key: string", "title: string"]);
    let ProbeRole::Page(page) = &plan.start.probe.root[0].role else {
        panic!("a page was expected")
    };
    assert_eq!((page.page_info.as_str(), page.has_next_page.as_str()), ("info", "more"));
    assert_eq!(
        (page.items.as_str(), page.total.as_deref()),
        ("list", Some("totalCount"))
    );
}

#[test]
fn a_size_in_the_text_is_a_page_size() {
    assert_eq!(
        plan("{ issues(first: 50) { nodes { id } } }").connections[0].page_size,
        50
    );
    assert_eq!(
        plan("{ issues @paginate(size: 9) { nodes { id } } }").connections[0].page_size,
        9
    );
    assert_eq!(plan("{ issues { nodes { id } } }").connections[0].page_size, 100);
}

#[test]
fn several_connections_make_several_tables_and_prune_each_other() {
    let plan = plan(
        "query($l: String = \"acme\") { viewer { name } organization(login: $l) { name owner { email } \
           groups { weight nodes { id title tags } } } issues { nodes { id } } }",
    );
    let names: Vec<_> = plan.tables.iter().map(|table| table.name.as_str()).collect();
    assert_eq!(names, ["work__groups", "work__issues"]);
    assert_eq!(
        columns(&plan, 0),
        [
            "_id: string",
            "viewer: struct(name)",
            "organization_name: string",
            "organization_owner: struct(email)?",
            "organization_groups_weight: float64?",
            "id: string",
            "title: string?",
            "tags: list",
        ]
    );
    assert_eq!(
        &*plan.connections[1].next_page.text,
        "query($pageSize2:Int!,$cursor2:String!){viewer{name}issues(first:$pageSize2,after:$cursor2)\
         {nodes{id}pageInfo{hasNextPage endCursor}}}"
    );
    assert_eq!(plan.connections[0].path, "organization.groups");
    let AncestorRole::Object(fields) = &plan.connections[1].next_page.layout.data.role else {
        panic!()
    };
    let keys: Vec<_> = fields.iter().map(|field| field.key.as_str()).collect();
    assert_eq!(keys, ["viewer", "issues"]);
}

#[test]
fn a_union_gets_type_names_ids_and_the_columns_of_all_members() {
    let plan = plan("{ items { edges { node { ... on Repository { name stars } ... on Folder { depth } } } } }");
    assert!(
        plan.start
            .text
            .contains("__typename ...on Repository{id}...on Folder{id}"),
        "{}",
        plan.start.text
    );
    assert_eq!(
        columns(&plan, 0),
        [
            "_id: string",
            "name: string?",
            "stars: int32?",
            "depth: int32?",
            "__typename: string"
        ]
    );
    let AncestorRole::Object(fields) = &plan.start.layout.data.role else {
        panic!()
    };
    let AncestorRole::Rows(rows) = &fields[0].role else {
        panic!()
    };
    assert_eq!(rows.row.id, RowId::Cells(vec![4]));
    assert_eq!(rows.row.cells[4].role, CellRole::Ignored);
}

#[test]
fn rows_without_id_are_known_by_their_place_or_by_the_key_that_is_named() {
    let row_id = |text: &str| {
        let plan = plan(text);
        let AncestorRole::Object(fields) = &plan.start.layout.data.role else {
            panic!()
        };
        let AncestorRole::Rows(rows) = &fields[0].role else {
            panic!()
        };
        rows.row.id.clone()
    };
    assert_eq!(
        row_id("{ entries { nodes { at } } }"),
        RowId::Position {
            path: "entries".to_owned()
        }
    );
    assert_eq!(
        row_id("{ entries @table(key: [\"at\", \"text\"]) { nodes { text at } } }"),
        RowId::Cells(vec![1, 0])
    );
    assert!(refusal("{ entries @table(key: \"missing\") { nodes { at } } }").contains("work.graphql:1:11"));
}

#[test]
fn conditions_survive_and_make_columns_nullable() {
    let plan = plan("query($deep: Boolean = false) { issues { nodes { id title @include(if: $deep) } } }");
    assert!(plan.start.text.contains("$deep:Boolean=false"), "{}", plan.start.text);
    assert!(
        plan.start.text.contains("title@include(if: $deep)"),
        "{}",
        plan.start.text
    );
    assert_eq!(columns(&plan, 0)[2], "title: string?");
}

#[test]
fn fragments_of_other_files_are_written_out() {
    let siblings = vec![
        (
            "a.graphql",
            "fragment Person on User { name ...Mail } fragment Unused on User { id }",
        ),
        ("b.graphql", "fragment Mail on User { email }"),
    ];
    let case = Case {
        siblings,
        ..Case::default()
    };
    let plan = case.plan("{ issues { nodes { id author { ...Person } } } }").unwrap();
    assert!(plan.start.text.contains("author{name email}"), "{}", plan.start.text);
    assert!(!plan.start.text.contains("fragment"));
}

#[test]
fn nested_objects_can_be_flattened() {
    let case = Case {
        flatten: true,
        ..Case::default()
    };
    let plan = case.plan("{ issues { nodes { id author { id name } } } }").unwrap();
    assert_eq!(
        columns(&plan, 0),
        [
            "_id: string",
            "id: string",
            "author_id: string?",
            "author_name: string?"
        ]
    );
}

#[test]
fn columns_can_be_renamed_and_typed() {
    let plan = plan(
        "{ issues { nodes { id created @column(type: \"timestamp\", name: \"since\") author @column(type: \"json\") { id } } } }",
    );
    assert_eq!(
        columns(&plan, 0),
        ["_id: string", "id: string", "since: timestamp", "author: json?"]
    );
    assert!(!plan.start.text.contains("column"), "{}", plan.start.text);
}

#[test]
fn lists_and_single_objects_are_tables_where_there_is_no_connection() {
    let list = plan("{ tags { name color } }");
    assert_eq!(columns(&list, 0), ["_id: string", "name: string", "color: string?"]);
    assert!(list.connections.is_empty());
    let single = plan("{ viewer { id name } }");
    assert_eq!(columns(&single, 0), ["_id: string", "viewer: struct(id name)"]);
    let AncestorRole::Rows(rows) = &single.start.layout.data.role else {
        panic!()
    };
    assert_eq!(rows.items, Items::Value);
}

#[test]
fn edges_keep_what_the_author_asks_of_them() {
    let plan = plan("{ issues { edges { cursor addedAt node { id } } } }");
    assert_eq!(columns(&plan, 0), ["_id: string", "edge_addedAt: json?", "id: string"]);
}

#[test]
fn what_would_be_cut_off_is_refused() {
    let nested = refusal("{ organization(login: \"a\") { groups { nodes { id findings { nodes { id } } } } } }");
    assert!(nested.contains("`findings` stands below another list"), "{nested}");
    assert!(nested.contains("work.graphql:1:50"), "{nested}");
    let below_list = refusal("{ tags { name } organization(login: \"a\") { members { id } } pages(limit: 5) { id } }");
    assert!(
        below_list.contains("`pages` looks paginated") && below_list.contains("takes limit, offset"),
        "{below_list}"
    );
    plan("{ pages(limit: 5) @paginate(style: NONE) { id } }");
    assert!(refusal("{ issues(last: 5, first: 1) { nodes { id } } }").contains("asks for pages from the end"));
    assert!(refusal("{ issues(first: 1, after: \"x\") { nodes { id } } }").contains("`after` has a fixed value"));
    assert!(refusal("{ issues { nodes { id } edges { node { id } } } }").contains("both selected"));
    plan("{ organization(login: \"a\") { groups { totalCount } name } }");
}

#[test]
fn a_variable_that_is_used_elsewhere_too_is_not_driven() {
    let plan =
        plan("query($n: Int = 7) { a: issues(first: $n) { nodes { id } } b: issues(first: $n) { nodes { id } } }");
    assert!(
        plan.start.text.contains("a:issues(first:$pageSize)"),
        "{}",
        plan.start.text
    );
    assert_eq!([plan.connections[0].page_size, plan.connections[1].page_size], [7, 7]);
    let with_cursor = "query($c: String) { issues(first: 1, after: $c) { nodes { id } } }";
    assert_eq!(
        self::plan(with_cursor).connections[0].next_page.cursor.as_deref(),
        Some("c")
    );
    let variables = BTreeMap::from([("c".to_owned(), "x".to_owned())]);
    let given = Case {
        variables,
        ..Case::default()
    }
    .plan(with_cursor)
    .unwrap_err();
    assert!(given.contains("`after` has a fixed value"), "{given}");
}

#[test]
fn a_list_beside_a_connection_is_refused() {
    let refused = refusal("{ tags { name } issues { nodes { id } } }");
    assert!(
        refused.contains("the list `tags` stands beside a paginated field"),
        "{refused}"
    );
}

#[test]
fn connections_that_are_switched_off_are_named() {
    let text =
        "{ organization(login: \"a\") { groups { nodes { id findings @paginate(style: NONE) { nodes { id } } } } } }";
    assert_eq!(plan(text).first_pages_only, ["organization.groups.nodes.findings"]);
}

#[test]
fn another_api_is_another_fingerprint() {
    let text = "{ issues { nodes { id } } }";
    assert_eq!(plan(text).fingerprint, plan(text).fingerprint);
    assert_ne!(
        Case {
            api: "other",
            ..Case::default()
        }
        .plan(text)
        .unwrap()
        .fingerprint,
        plan(text).fingerprint
    );
}

#[test]
fn all_but_one_query_is_refused_by_name() {
    assert!(refusal("mutation Drop { x }").contains("the mutation `Drop` cannot be exported"));
    assert!(refusal("subscription { x }").contains("this subscription cannot be exported"));
    let two = refusal("query A { viewer { id } }\nquery B { viewer { id } }");
    assert!(
        two.contains("2 queries: A, B") && two.contains("work.graphql:2:1"),
        "{two}"
    );
}

#[test]
fn slips_are_reported_with_their_place_and_the_nearest_name() {
    let report = refusal("{\n  issues { nodes { tittle } }\n}");
    assert!(
        report.contains("work.graphql:2:20") && report.contains("did you mean `title`?"),
        "{report}"
    );
    assert!(refusal("{ issues { nodes { id }").contains("syntax error"));
    assert!(refusal("{ viewer { ...Nowhere } }").contains("Nowhere"));
}

#[test]
fn variables_take_values_by_their_type() {
    let given = |name: &str, value: &str| {
        let variables = BTreeMap::from([(name.to_owned(), value.to_owned())]);
        Case {
            variables,
            ..Case::default()
        }
    };
    let text = "query($l: [String!], $s: State!) { issues(labels: $l, state: $s) { nodes { id } } }";
    let missing = given("l", "[\"a\"]").plan(text).unwrap_err();
    assert!(missing.contains("--var s=VALUE"), "{missing}");
    let plan = given("s", "OPEN").plan(text).unwrap();
    assert_eq!(plan.start.variables["s"], "OPEN");
    assert!(
        !plan.start.variables.contains_key("l"),
        "what is not given is left out, not sent as null"
    );
    assert!(given("l", "a").plan(text).unwrap_err().contains("does not fit"));
}

#[test]
fn columns_of_the_same_name_are_refused() {
    let clash =
        refusal("{ organization(login: \"a\") { title: name groups { nodes { id organization_title: title } } } }");
    assert!(
        clash.contains("two columns would be called `organization_title`"),
        "{clash}"
    );
}

#[test]
fn the_fingerprint_follows_what_is_asked_and_how_it_is_written() {
    let one = plan("{ issues { nodes { id title } } }");
    assert_eq!(
        one.fingerprint,
        plan("{ issues   { nodes { id\n title } } } # a comment").fingerprint
    );
    assert_ne!(one.fingerprint, plan("{ issues { nodes { id } } }").fingerprint);
    assert_eq!(
        one.fingerprint,
        plan("{ issues(first: 10) { nodes { id title } } }").fingerprint,
        "a size is no content"
    );
}
