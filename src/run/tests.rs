//! The pure core of the engine on plans of small queries.

mod denied;
mod harvest;
mod hostile;
mod intake;
mod members;
mod pack;
mod seen;

use std::path::Path;

use serde::de::DeserializeSeed as _;
use serde_json::Value;

use crate::plan::{Ask, GraphqlFile, Layout, Plan, PlanSettings, QueryDocument, Target, plan_query};
use crate::run::harvest::{Harvest, HarvestSeed, Look, SlotPlace};
use crate::run::intake::AskedTask;
use crate::schema::ApiSchema;
use crate::state::{Address, Task};

const SCHEMA: &str = r#"
  type Query {
    node(id: ID!): Node
    owner: Owner
    space(name: String!): Owner
    groups(first: Int, after: String): GroupConnection
    folders(first: Int, after: String): FolderConnection
    shelves(limit: Int, offset: Int): [Shelf]
    boxes(limit: Int, offset: Int): Boxes
    books(page: Int, perPage: Int): Books
    racks(first: Int, after: String): RackConnection
    events(after: String, limit: Int): [Event]
  }
  interface Node { id: ID! }
  type PageInfo { hasNextPage: Boolean! endCursor: String }
  type Owner { login: String groups(first: Int, after: String): GroupConnection }
  type GroupConnection { pageInfo: PageInfo! nodes: [Group] totalCount: Int }
  type Group implements Node { id: ID! tags(first: Int): [String] findings(first: Int, after: String): FindingConnection extra: Extra }
  type Extra { findings(first: Int, after: String): FindingConnection }
  type FindingConnection { pageInfo: PageInfo! edges: [FindingEdge] nodes: [Finding] totalCount: Int }
  type FindingEdge { cursor: String! rank: Int node: Finding }
  type Finding implements Node { id: ID! notes(first: Int, after: String): NoteConnection }
  type NoteConnection { pageInfo: PageInfo! nodes: [Note] }
  type Note { text: String }
  type FolderConnection { pageInfo: PageInfo! edges: [FolderEdge] }
  type FolderEdge { cursor: String node: Folder }
  type Folder { name: String notes(first: Int, after: String): NoteConnection }
  type Shelf { id: ID notes(first: Int, after: String): NoteConnection }
  type Books { items: [Book] totalPages: Int total: Int }
  type Boxes { items: [Shelf] total: Int }
  type Book { title: String notes(first: Int, after: String): NoteConnection }
  type RackConnection { pageInfo: PageInfo! edges: [RackEdge] }
  type RackEdge { cursor: String node: Rack }
  type Rack { id: ID! shelves(limit: Int, offset: Int): [Shelf] }
  type Event { at: String }
"#;

fn plan(text: &str) -> Plan {
    plan_with(text, false)
}

/// The same, where objects may become columns of their own.
fn plan_with(text: &str, flatten: bool) -> Plan {
    let schema = ApiSchema::read(SCHEMA, Path::new("schema.graphql")).unwrap();
    let path = Path::new("work.graphql");
    let document = QueryDocument::read(GraphqlFile { path, text }, &[]).unwrap().unwrap();
    let (variables, scalars) = Default::default();
    let settings = PlanSettings {
        query_name: "work",
        api: "tracker",
        variables: &variables,
        scalars: &scalars,
        paging: &[],
        flatten,
        page_size: 100,
        limits: &crate::project::QueryLimits::default(),
        denied: &[],
    };
    plan_query(&document, &schema, settings).unwrap_or_else(|error| panic!("{error}"))
}

/// The index of the connection of that path.
fn connection(plan: &Plan, path: &str) -> usize {
    let mut connections = plan.connections.iter();
    let index = connections.position(|connection| connection.path == path);
    index.unwrap_or_else(|| panic!("{:?}", plan.connections.iter().map(|one| &one.path).collect::<Vec<_>>()))
}

/// A later page of the connection of that path, in the row with that `_id`.
fn later(plan: &Plan, path: &str, parent: &str, position: impl Into<Value>) -> AskedTask {
    let index = connection(plan, path);
    AskedTask {
        task: Task {
            id: 7,
            connection: Some(index),
            depth: plan.connections[index].depth,
            parent: Some(parent.to_owned()).filter(|parent| !parent.is_empty()),
            address: Address {
                values: vec![Some(parent.into())],
                marks: vec![None],
            },
            position: Some(position.into()),
            before: 10,
            ..Task::default()
        },
        size: 5,
    }
}

/// The first pages of everything.
fn start() -> AskedTask {
    AskedTask {
        task: Task::default(),
        size: 1,
    }
}

/// How the answer to a request with such slots is read.
fn layout(plan: &Plan, asked: &[AskedTask]) -> (Layout, Vec<SlotPlace>) {
    let asks = asked.iter().map(|AskedTask { task, size }| Ask {
        connection: task.connection,
        root: task.root,
        member: task.member.as_ref().map(|member| &member.value),
        size: *size,
        position: task.position.as_ref(),
        parent: None,
        address: &task.address.values,
    });
    let targets: Vec<Target> = asks.map(|ask| ask.target()).collect();
    let layout = plan.layout(&targets);
    let slots: Vec<SlotPlace> = match targets.as_slice() {
        [Target::Start] if asked.iter().all(|asked| asked.task.member.is_none()) => Vec::new(),
        _ => asked.iter().map(|asked| SlotPlace::of(&asked.task)).collect(),
    };
    (layout, slots)
}

/// What the answer `data` to a request with such slots shows.
fn read(plan: &Plan, asked: &[AskedTask], looks: &[Look], data: &str) -> Result<Harvest, String> {
    let (layout, slots) = layout(plan, asked);
    let seed = HarvestSeed {
        layout: &layout,
        slots: &slots,
        looks,
    };
    let harvest = seed.deserialize(&mut serde_json::Deserializer::from_str(data));
    harvest.map_err(|error| error.to_string())
}

/// What the first pages of everything show.
fn read_start(plan: &Plan, data: &str) -> Harvest {
    read(plan, &[start()], &[], data).unwrap()
}
