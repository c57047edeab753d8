//! Plans of small queries, data in and data out.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value as JsonValue;

use crate::plan::{
    AncestorRole, Ask, CellRole, ColumnType, GraphqlFile, Items, Piece, Plan, PlanError, PlanSettings, QueryDocument,
    RequestText, RowId, RowsLayout, Signal, Target, Told, ValuePlace, plan_query,
};
use crate::project::QueryLimits;
use crate::schema::{ApiSchema, ScalarType};

mod denied;
mod each;
mod hostile;
mod limits;
mod reverse;

const SCHEMA: &str = r#"
  type Query {
    organization(login: String!): Organization
    issues(first: Int!, after: String, last: Int, state: State = OPEN, labels: [String!]): IssueConnection!
    items(first: Int, after: String): ItemConnection
    entries(first: Int, after: String): EntryConnection
    pages(limit: Int, offset: Int): [Issue!]
    viewer: User!
    tags: [Tag!]!
    records(limit: Int, options: RecordOptions): [Issue!]
    teams(first: Int, after: String): TeamConnection
    group(groupId: ID!): Group
    shelves(limit: Int, offset: Int): [Shelf]
    labels(limit: Int, offset: Int, order: String, state: State, holder: HolderFilter): [Label]
    stacked(limit: Int, page: Int! = 1, holder: HolderFilter): [Label]
  }
  enum State { OPEN CLOSED }
  input RecordOptions { search: String where: RecordFilter paginate: Slice }
  input RecordFilter { id: Comparison state: State }
  input Comparison { _gt: ID _lt: ID }
  input HolderFilter { id: ID name: String }
  type Shelf { id: ID name: String labels(limit: Int, state: State, color: String, holder: HolderFilter): [Label] }
  type Label { id: ID name: String }
  input Slice { page: Int limit: Int }
  scalar Long
  scalar DateTime
  type Organization { id: ID! name: String! members: [User!] boards: [Board!] groups(first: Int, after: String): GroupConnection! owner: User }
  type Group { id: ID! lead: Watcher chief: User title: String tags: [String!]! findings(first: Int, after: String): IssueConnection! }
  type GroupConnection { pageInfo: PageInfo! nodes: [Group] totalCount: Int weight: Float }
  type User { id: ID! name: String email: String }
  type Tag { name: String! color: String }
  type Issue { id: ID! title: String! size: Long created: DateTime! author: User state: State! watchers: [Watcher!] marks: [Mark] parts: [Part!]! }
  type Watcher { id: ID! name: String email: String phone: String role: String team: String home: Home }
  type Home { city: String street: String zip: String }
  type Mark { code: ID! label: String color: String size: Int shape: String note: String }
  type Part { id: ID! name: String parts: [Part!]! marks: [Mark] }
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
  type Board { name: String issues(first: Int, after: String): IssueConnection }
  type Team { slug: String! name: String issues(first: Int, after: String, state: State): IssueConnection! }
  type TeamConnection { pageInfo: PageInfo! nodes: [Team] edges: [TeamEdge] }
  type TeamEdge { cursor: String! node: Team }
"#;

#[derive(Default)]
struct Case {
    variables: BTreeMap<String, String>,
    siblings: Vec<(&'static str, &'static str)>,
    flatten: bool,
    api: &'static str,
    limits: QueryLimits,
    denied: Vec<crate::plan::DeniedField>,
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
            paging: &[],
            flatten: self.flatten,
            page_size: 100,
            limits: &self.limits,
            denied: &self.denied,
        };
        let plan = plan_query(&document, &schema, settings).map_err(|error| error.to_string())?;
        let pages = (0..plan.connections.len()).map(|connection| later(&plan, &[connection]));
        let all: Vec<usize> = (0..plan.connections.len()).chain(0..plan.connections.len()).collect();
        let together = (!all.is_empty()).then(|| later(&plan, &all));
        for request in pages.chain([start(&plan)]).chain(together) {
            assert_eq!(is_valid(schema.compiled(), &request.text), Ok(()), "{}", request.text);
            assert_eq!(undeclared(&request), Vec::<&str>::new(), "{}", request.text);
        }
        Ok(plan)
    }
}

/// The request for the first pages of everything.
fn start(plan: &Plan) -> RequestText {
    let ask = Ask {
        connection: None,
        root: None,
        member: None,
        size: 1,
        position: None,
        parent: None,
        address: &[],
    };
    plan.request(&[ask], &plan.full_sizes(), Piece::FIRST)
}

/// The request for later pages of these connections.
fn later(plan: &Plan, connections: &[usize]) -> RequestText {
    let positions: Vec<JsonValue> = (0..connections.len()).map(|slot| format!("c{slot}").into()).collect();
    let addresses: Vec<Vec<Option<JsonValue>>> = (0..connections.len())
        .map(|slot| vec![Some(format!("k{slot}").into()), None])
        .collect();
    let asks = connections.iter().enumerate().map(|(slot, connection)| Ask {
        connection: Some(*connection),
        root: None,
        member: None,
        size: 50,
        position: Some(&positions[slot]),
        parent: Some("p"),
        address: &addresses[slot],
    });
    plan.request(&asks.collect::<Vec<_>>(), &plan.full_sizes(), Piece::FIRST)
}

/// The row fields at the top of the first response.
fn rows_of(plan: &Plan) -> RowsLayout {
    let AncestorRole::Object(fields) = plan.layout(&[Target::Start]).data.role else {
        panic!("an object was expected")
    };
    let rows = fields.into_iter().find_map(|field| match field.role {
        AncestorRole::Rows(rows) => Some(rows),
        _ => None,
    });
    rows.unwrap()
}

/// Whether a text is a valid query of the schema: one that is not would be a fault of the planner.
fn is_valid(schema: &apollo_compiler::validation::Valid<apollo_compiler::Schema>, text: &str) -> Result<(), PlanError> {
    let parsed = apollo_compiler::ExecutableDocument::parse_and_validate(schema, text, "request.graphql");
    parsed
        .map(drop)
        .map_err(|flawed| PlanError::from_compiler(&flawed.errors, None))
}

/// Variables that are sent and that the text does not declare: some APIs refuse them.
fn undeclared(request: &RequestText) -> Vec<&str> {
    let document = apollo_compiler::ast::Document::parse(&*request.text, "request.graphql").unwrap();
    let definitions = document.definitions.iter().filter_map(|definition| match definition {
        apollo_compiler::ast::Definition::OperationDefinition(operation) => Some(&operation.variables),
        _ => None,
    });
    let declared: Vec<&str> = definitions.flatten().map(|variable| variable.name.as_str()).collect();
    let sent = request.variables.keys().map(String::as_str);
    sent.filter(|name| !declared.contains(name)).collect()
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
        &*start(&plan).text,
        "query Work($pageSize:Int!){issues(first:$pageSize){edges{node{title size id}}pageInfo{hasNextPage endCursor}totalCount}}"
    );
    assert_eq!(
        &*later(&plan, &[0]).text,
        "query Work($pageSize:Int!,$cursor:String!){issues(first:$pageSize,after:$cursor)\
         {edges{node{title size id}}pageInfo{hasNextPage endCursor}totalCount}}"
    );
    assert_eq!(
        JsonValue::from(later(&plan, &[0]).variables),
        serde_json::json!({ "pageSize": 50, "cursor": "c0" })
    );
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
        &*start(&plan).text,
        "query($s:State=CLOSED,$n:Int!){issues(state:$s,first:$n){totalCount info:pageInfo{endCursor more:hasNextPage}\
         list:nodes{key:id title}}}"
    );
    assert!(later(&plan, &[0]).text.contains("$c:String"));
    assert_eq!(plan.connections[0].page_size, 7);
    assert_eq!(JsonValue::from(start(&plan).variables), serde_json::json!({ "n": 7 }));
    assert_eq!(columns(&plan, 0), ["_id: string", "key: string", "title: string"]);
    let rows = rows_of(&plan);
    let signals: Vec<_> = rows
        .page
        .unwrap()
        .signals
        .into_iter()
        .map(|one| (one.signal, one.path.join(".")))
        .collect();
    assert_eq!(
        signals,
        [
            (Signal::HasNext, "info.more".to_owned()),
            (Signal::EndCursor, "info.endCursor".to_owned()),
            (Signal::Total, "totalCount".to_owned())
        ]
    );
    assert!(matches!(rows.items, Items::Nodes { nodes, .. } if nodes == "list"));
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
        &*later(&plan, &[1]).text,
        "query($pageSize:Int!,$cursor:String!){viewer{name}issues(first:$pageSize,after:$cursor)\
         {nodes{id}pageInfo{hasNextPage endCursor}totalCount}}"
    );
    assert_eq!(plan.connections[0].path, "organization.groups");
    let target = Target::Page {
        connection: 1,
        is_first: false,
    };
    let AncestorRole::Object(fields) = plan.layout(&[target]).data.role else {
        panic!()
    };
    let keys: Vec<_> = fields.iter().map(|field| field.key.as_str()).collect();
    assert_eq!(keys, ["issues", "viewer"]);
}

#[test]
fn a_union_gets_type_names_ids_and_the_columns_of_all_members() {
    let plan = plan("{ items { edges { node { ... on Repository { name stars } ... on Folder { depth } } } } }");
    assert!(
        start(&plan)
            .text
            .contains("__typename ...on Repository{id}...on Folder{id}"),
        "{}",
        start(&plan).text
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
    let rows = rows_of(&plan);
    assert_eq!(rows.row.id, RowId::Key(vec![4.into()]));
    assert_eq!(rows.row.cells[4].role, CellRole::Ignored);
}

#[test]
fn a_union_is_known_by_the_ids_that_its_members_select_each_for_itself() {
    let key_of = |members: &str| {
        let plan = plan(&format!("{{ items {{ edges {{ node {{ {members} }} }} }} }}"));
        (rows_of(&plan).row.id, start(&plan).text.to_string())
    };
    let (id, sent) = key_of("... on Folder { depth id } ... on Repository { id name }");
    assert_eq!(id, RowId::Key(vec![1.into()]));
    assert_eq!(sent.matches("id").count(), 2, "nothing is added: {sent}");
    let (id, sent) = key_of("... on Repository { id name }");
    assert_eq!(id, RowId::Key(vec![0.into()]));
    assert!(sent.contains("...on Folder{id}"), "{sent}");
    for unsure in [
        "... on Repository { id @skip(if: false) } ... on Folder { id }",
        "... on Repository { id } ... on Folder { id: depth }",
    ] {
        let text = format!("{{ items {{ edges {{ node {{ {unsure} }} }} }} }}");
        if let Ok(plan) = Case::default().plan(&text) {
            assert!(matches!(rows_of(&plan).row.id, RowId::Position { .. }), "{unsure}");
        }
    }
}

#[test]
fn rows_without_id_are_known_by_their_place_or_by_the_key_that_is_named() {
    let row_id = |text: &str| rows_of(&plan(text)).row.id;
    assert_eq!(
        row_id("{ entries { nodes { at } } }"),
        RowId::Position {
            path: "entries".to_owned()
        }
    );
    assert_eq!(
        row_id("{ entries @table(key: [\"at\", \"text\"]) { nodes { text at } } }"),
        RowId::Key(vec![1.into(), 0.into()])
    );
    assert!(refusal("{ entries @table(key: \"missing\") { nodes { at } } }").contains("work.graphql:1:11"));
}

#[test]
fn a_key_may_stand_in_single_objects_whether_they_are_flattened_or_not() {
    let text = r#"{ issues @table(key: ["author.id", "created"]) { nodes { created author { name id } } } }"#;
    for flatten in [false, true] {
        let plan = Case {
            flatten,
            ..Case::default()
        }
        .plan(text)
        .unwrap();
        let author = ValuePlace {
            cell: 1,
            below: vec!["id".to_owned()],
        };
        assert_eq!(rows_of(&plan).row.id, RowId::Key(vec![author, 0.into()]), "{flatten}");
        let sent = start(&plan).text;
        assert!(
            sent.contains("nodes{created author{name id}}"),
            "nothing is added: {sent}"
        );
    }
}

#[test]
fn a_row_is_found_and_known_again_by_values_in_its_objects() {
    let text = r#"{ organization(login: "a") { groups @table(key: ["chief.id", "title"]) @lookup(field: "group", by: "chief.id") {
        nodes { title chief { name id } findings { nodes { title } } } } } }"#;
    let plan = plan(text);
    let again = later(&plan, &[1]);
    assert!(
        again.text.contains("group(groupId:$chief_id){title chief{id}findings("),
        "{}",
        again.text
    );
    let findings = Target::Page {
        connection: 1,
        is_first: false,
    };
    let AncestorRole::Object(root) = plan.layout(&[findings]).data.role else {
        panic!("an object holds the slots");
    };
    let AncestorRole::Object(fields) = &root[0].role else {
        panic!("a group is an object");
    };
    let told: Vec<_> = fields
        .iter()
        .flat_map(|field| {
            field
                .tells
                .iter()
                .map(move |tell| (field.key.as_str(), tell.below.join("."), tell.told))
        })
        .collect();
    assert_eq!(
        told,
        [
            ("chief", "id".to_owned(), Told::Key(0)),
            ("title", String::new(), Told::Key(1))
        ]
    );
}

#[test]
fn what_cannot_be_a_key_is_refused_with_what_could() {
    let told = |key: &str, selected: &str| {
        refusal(&format!(
            "{{ organization(login: \"a\") {{ groups\n @table(key: \"{key}\") {{ nodes {{ {selected} }} }} }} }}"
        ))
    };
    let all = "title tags chief { id name } findings { totalCount nodes { id } }";
    for (key, message, help) in [
        (
            "titel",
            "`titel` is not selected: there is no `titel` in the row",
            "did you mean `title`?",
        ),
        (
            "chief.nam",
            "`chief.nam` is not selected: there is no `nam` in `chief`",
            "did you mean `chief.name`?",
        ),
        (
            "chief",
            "`chief` is an object and no plain value",
            "`chief.id`, `chief.name`",
        ),
        (
            "title.id",
            "`title.id` is not selected: there is no `id` in `title`",
            "select it",
        ),
        ("tags", "`tags` leads into the list `tags`", "single objects"),
        (
            "findings.nodes.id",
            "`findings.nodes.id` leads into the list `findings`",
            "single objects",
        ),
        (
            "findings.totalCount",
            "`findings.totalCount` leads into the list `findings`",
            "single objects",
        ),
        ("", "`` is not selected", "select it"),
        ("chief..id", "`chief..id` is not selected", "select it"),
    ] {
        let report = told(key, all);
        assert!(report.contains(message) && report.contains(help), "{key}: {report}");
        assert!(report.contains("work.graphql:2:2"), "{report}");
    }
}

#[test]
fn conditions_survive_and_make_columns_nullable() {
    let plan = plan("query($deep: Boolean = false) { issues { nodes { id title @include(if: $deep) } } }");
    assert!(
        start(&plan).text.contains("$deep:Boolean=false"),
        "{}",
        start(&plan).text
    );
    assert!(
        start(&plan).text.contains("title@include(if:$deep)"),
        "{}",
        start(&plan).text
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
    assert!(
        start(&plan).text.contains("author{name email}"),
        "{}",
        start(&plan).text
    );
    assert!(!start(&plan).text.contains("fragment"));
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
    assert!(!start(&plan).text.contains("column"), "{}", start(&plan).text);
}

#[test]
fn lists_and_single_objects_are_tables_where_there_is_no_connection() {
    let list = plan("{ tags { name color } }");
    assert_eq!(columns(&list, 0), ["_id: string", "name: string", "color: string?"]);
    assert!(list.connections.is_empty());
    let single = plan("{ viewer { id name } }");
    assert_eq!(columns(&single, 0), ["_id: string", "viewer: struct(id name)"]);
    let AncestorRole::Rows(rows) = single.layout(&[Target::Start]).data.role else {
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
    let nested = refusal("{ organization(login: \"a\") { boards { name issues { nodes { id } } } } }");
    assert!(nested.contains("`issues` cannot be read to its end"), "{nested}");
    assert!(
        nested.contains("work.graphql:1:44") && nested.contains("@lookup(field"),
        "{nested}"
    );
    plan("{ pages(limit: 5) @paginate(style: NONE) { id } }");
    assert!(refusal("{ issues(last: 5, first: 1) { nodes { id } } }").contains("asks for pages from the end"));
    assert!(refusal("{ issues(first: 1, after: \"x\") { nodes { id } } }").contains("`after` has a fixed value"));
    plan("{ organization(login: \"a\") { groups { totalCount } name } }");
}

#[test]
fn rows_selected_under_nodes_and_under_edges_are_the_same_rows() {
    let plan = plan("{ issues { nodes { title } e: edges { addedAt n: node { id } } } }");
    assert_eq!(
        &*start(&plan).text,
        "query($pageSize:Int!){issues(first:$pageSize){e:edges{n:node{title}}e:edges{addedAt n:node{id}}\
         pageInfo{hasNextPage endCursor}totalCount}}"
    );
    assert_eq!(
        columns(&plan, 0),
        ["_id: string", "edge_addedAt: json?", "title: string", "id: string"]
    );
}

#[test]
fn a_connection_below_rows_is_a_table_of_its_own() {
    let plan = plan(
        "{ organization(login: \"a\") { name groups { nodes { title findings { nodes { title author { name } } } } } } }",
    );
    let names: Vec<_> = plan.tables.iter().map(|table| table.name.as_str()).collect();
    assert_eq!(names, ["work", "work__findings"]);
    assert_eq!(
        columns(&plan, 0),
        ["_id: string", "organization_name: string", "title: string?"]
    );
    assert_eq!(
        columns(&plan, 1),
        [
            "_id: string",
            "_parent_id: string",
            "title: string",
            "author: struct(name)?"
        ]
    );
    // `group(groupId:)` finds one by its `id`, which comes back to be compared.
    assert_eq!(
        &*later(&plan, &[1, 1]).text,
        "query($id:ID!,$pageSize:Int!,$cursor:String!,$id2:ID!,$cursor2:String!)\
         {t0:group(groupId:$id){findings(first:$pageSize,after:$cursor){...F1}id}\
         t1:group(groupId:$id2){findings(first:$pageSize,after:$cursor2){...F1}id}}\
         fragment F1 on IssueConnection{nodes{title author{name}id}pageInfo{hasNextPage endCursor}totalCount}"
    );
}

#[test]
fn a_row_that_nothing_finds_is_asked_for_at_its_place() {
    let plan = plan("{ teams { nodes { name issues { nodes { id } } } } }");
    assert_eq!(
        &*start(&plan).text,
        "query($pageSize:Int!){teams(first:$pageSize){edges{node{name issues(first:$pageSize){nodes{id}\
         pageInfo{hasNextPage endCursor}totalCount}}cursor}pageInfo{hasNextPage endCursor}}}"
    );
    let position = JsonValue::from("c9");
    let first_row = |address: &[Option<JsonValue>]| {
        let ask = Ask {
            connection: Some(1),
            root: None,
            member: None,
            size: 50,
            position: Some(&position),
            parent: None,
            address,
        };
        plan.request(&[ask], &plan.full_sizes(), Piece::FIRST).text
    };
    assert_eq!(
        &*first_row(&[Some("c4".into())]),
        "query($pageSize:Int!,$cursor:String!,$pageSize2:Int!,$cursor2:String!){teams(first:$pageSize,after:$cursor)\
         {edges{node{name issues(first:$pageSize2,after:$cursor2){nodes{id}pageInfo{hasNextPage endCursor}totalCount}}}}}"
    );
    assert_eq!(
        &*first_row(&[None]),
        "query($pageSize:Int!,$pageSize2:Int!,$cursor:String!){teams(first:$pageSize)\
         {edges{node{name issues(first:$pageSize2,after:$cursor){nodes{id}pageInfo{hasNextPage endCursor}totalCount}}}}}"
    );
}

#[test]
fn a_variable_that_is_used_elsewhere_too_is_not_driven() {
    let plan =
        plan("query($n: Int = 7) { a: issues(first: $n) { nodes { id } } b: issues(first: $n) { nodes { id } } }");
    assert!(
        start(&plan).text.contains("a:issues(first:$pageSize)"),
        "{}",
        start(&plan).text
    );
    assert_eq!([plan.connections[0].page_size, plan.connections[1].page_size], [7, 7]);
    let with_cursor = "query($c: String) { issues(first: 1, after: $c) { nodes { id } } }";
    assert_eq!(later(&self::plan(with_cursor), &[0]).variables["c"], "c0");
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
    assert_eq!(start(&plan).variables["s"], "OPEN");
    assert!(
        !start(&plan).variables.contains_key("l"),
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

#[test]
fn what_is_driven_in_an_object_within_an_object_stands_there_beside_what_the_author_wrote() {
    let pages = r#"{ records(options: { search: "x", paginate: { limit: 7 } })
        @paginate(style: PAGE_LIST, firstPage: 1, pageArgument: "options.paginate.page", sizeArgument: "options.paginate.limit")
        { id } }"#;
    let text = start(&Case::default().plan(pages).unwrap()).text;
    assert!(
        text.contains(r#"records(options:{search:"x",paginate:{limit:$pageSize,page:$page}})"#),
        "{text}"
    );
    let keys = r#"{ records(options: { where: { id: { _lt: "k" } } })
        @paginate(style: KEYSET, filter: "options.where.id._gt", key: "id", sizeArgument: "limit") { id } }"#;
    let text = later(&Case::default().plan(keys).unwrap(), &[0]).text;
    assert!(
        text.contains(r#"records(limit:$pageSize,options:{where:{id:{_lt:"k",_gt:$last}}})"#),
        "{text}"
    );
    let bare = r#"{ records @paginate(style: KEYSET, filter: "options.where.id._gt", key: "id", sizeArgument: "limit") { id } }"#;
    let text = start(&Case::default().plan(bare).unwrap()).text;
    assert!(text.contains("records(limit:$pageSize)"), "{text}");
}
