//! What the state holds, as the engine sees it.

use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Tells the runs of one state apart; never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RunKey(pub(crate) i64);

/// The place of a response in the order in which a run took them in, from 1.
pub type Sequence = u64;

/// A page still to be read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Task {
    /// Tells the tasks of a run apart.
    pub id: u64,
    /// Index of the plan's connection; `None` for the first pages of everything.
    pub connection: Option<usize>,
    /// The field of the query root whose first pages are asked for by themselves.
    pub root: Option<usize>,
    /// What it is asked for, in a run for each value of a variable.
    pub member: Option<Member>,
    /// Row fields above the connection.
    pub depth: u32,
    /// The `_id` of the row that holds the connection; at the outermost level the member's name, or `None`.
    pub parent: Option<String>,
    /// How that row is asked for again.
    pub address: Address,
    /// Where the page begins: a cursor, a page's number, an offset, a key; `None` for a first page.
    pub position: Option<Value>,
    /// Rows of the connection before this page.
    pub before: u64,
    /// Rows to ask for, where that must not change any more.
    pub size: Option<u32>,
    /// For a page before the last one, while another task follows the connection to its end: the rows that it must have.
    pub expected: Option<u32>,
    /// Tells whether the connection's cursors go round in a circle.
    pub trail: Trail,
    /// Tells the connections of a run apart, each with the row that holds it; 0 for a first page.
    pub instance: u64,
    /// Whether the connection is read again from its beginning, as its cursors had expired.
    pub restart: Option<Restart>,
    /// Rows of the connection in all, as the page before said.
    pub total: Option<u64>,
}

impl Task {
    /// Whether it asks for the first pages of everything.
    pub fn is_start(&self) -> bool {
        self.connection.is_none() && self.root.is_none() && self.member.is_none()
    }
}

/// How a row is asked for again, step by step.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Address {
    /// The value that each step takes: a key, or a place; none for the first row behind no cursor.
    pub values: Vec<Option<Value>>,
    /// What the row at the end of each step is known by, where that is not its value: at a place another row can stand
    /// by then.
    pub marks: Vec<Option<RowMark>>,
}

/// Tells rows at the same place apart: a hash of what was selected of the row itself.
pub type RowMark = String;

/// A connection that is read again from its beginning.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restart {
    /// Rows up to which it was read before.
    pub rows: u64,
    /// How many times it was begun again since it last came further than that.
    pub attempts: u32,
    /// Rows of the pages before, since it was begun again, that had not come until then.
    #[serde(default)]
    pub fresh: u64,
}

/// One value of the variable that a query is run for.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// Its place among the values, from 1.
    pub number: u64,
    /// The value.
    pub value: Value,
}

impl Member {
    /// What stands for the `_id` of the row above: the value's own text.
    pub fn name(&self) -> String {
        self.value
            .as_str()
            .map_or_else(|| self.value.to_string(), str::to_owned)
    }
}

/// What is added to what is known of a member.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MemberGain {
    /// Pages that are to be read because of it, less those that were.
    pub open: i64,
    /// Rows.
    pub rows: u64,
    /// Fields of the query root that are null, and not by an error.
    pub nulls: u64,
    /// Why it failed, if it did; the first reason stays.
    pub failure: Option<String>,
    /// What is lacking of it, if anything is; the first lack stays.
    pub flaw: Option<String>,
}

impl std::ops::AddAssign for MemberGain {
    fn add_assign(&mut self, other: Self) {
        self.open += other.open;
        self.rows += other.rows;
        self.nulls += other.nulls;
        self.failure = self.failure.take().or(other.failure);
        self.flaw = self.flaw.take().or(other.flaw);
    }
}

/// How far the members of a run were read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MemberCounts {
    /// All of them.
    pub all: u64,
    /// Those that have no open pages, lack nothing and did not fail.
    pub done: u64,
    /// Those of the done ones that do not exist: null, and without any row.
    pub absent: u64,
    /// Those that lack something, and did not fail.
    pub incomplete: u64,
    /// The first [`NAMED_FAILURES`] of those that lack something, each with the first that it lacks.
    pub lacks: Vec<(Value, String)>,
    /// Those that failed.
    pub failed: u64,
    /// The first [`NAMED_FAILURES`] of those that failed, each with its reason.
    pub failures: Vec<(Value, String)>,
}

/// Members that are named of those that failed, and of those that lack something; the others are counted.
pub const NAMED_FAILURES: usize = 100;

/// Brent's cycle detection over the cursors of one connection: one of them is remembered, and replaced by a later one
/// after 1, 2, 4, 8 … pages, so that a circle of any length is found within three times its length.
///
/// R. P. Brent, "An improved Monte Carlo factorization algorithm", BIT 20 (1980).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trail {
    /// Pages that were followed.
    pub pages: u64,
    /// The cursor that is remembered.
    pub landmark: Option<String>,
    /// Pages in a row, up to the one before, that had nothing but rows that came before.
    pub stale: u64,
    /// Pages in a row, up to the one before, that were empty.
    pub empty: u64,
}

impl Trail {
    /// The trail with one more cursor, or `None` if that is the remembered one.
    pub fn step(&self, cursor: &str) -> Option<Self> {
        if self.landmark.as_deref() == Some(cursor) {
            return None;
        }
        let pages = self.pages + 1;
        let landmark = if pages.is_power_of_two() {
            Some(cursor.to_owned())
        } else {
            self.landmark.clone()
        };
        Some(Self {
            pages,
            landmark,
            stale: self.stale,
            empty: self.empty,
        })
    }
}

/// A response to be kept until its rows are in a finished part, with what follows from it.
#[derive(Debug)]
pub struct TakenResponse {
    /// The run.
    pub run: RunKey,
    /// Its place in the order.
    pub sequence: Sequence,
    /// The tasks that it answers: their ids.
    pub tasks: Vec<u64>,
    /// What it answers, in the order of its root fields.
    pub slots: Vec<StoredSlot>,
    /// Rows that came before, and are left out.
    pub skips: Skips,
    /// The body as received, decompressed.
    pub body: Bytes,
    /// Rows in it.
    pub rows: u64,
    /// When it came, in milliseconds since 1970.
    pub received_at: u64,
    /// Pages that are to be read because of it.
    pub next_tasks: Vec<Task>,
    /// How many of those, from the end of the list, do not stay in the memory of the engine.
    pub waiting: usize,
    /// What its rows are told by when they come again, by the instance of their connection.
    pub keys: Vec<(u64, Vec<RowKey>)>,
    /// What it adds to the tallies of connections.
    pub tallies: Vec<(usize, Tally)>,
    /// What it shows to be lacking, each with how often.
    pub flaws: Vec<(String, u64)>,
    /// What it adds to members, by their numbers.
    pub members: Vec<(u64, MemberGain)>,
    /// What it took.
    pub effort: Effort,
    /// The first task of the request that it answers: pieces of it that were
    /// kept are not needed any more. `None` where it was asked for as a whole.
    pub first_task: Option<u64>,
}

/// The request that a piece is of.
#[derive(Debug, Clone)]
pub struct PieceOf {
    /// The run.
    pub run: RunKey,
    /// The ids of its tasks, each with the size of its page.
    pub tasks: Vec<(u64, u32)>,
    /// The sizes of first pages within the pages of their parents.
    pub inline_sizes: Vec<u32>,
}

impl PieceOf {
    /// The id of its first task, which tells it from others.
    pub fn first_task(&self) -> Option<u64> {
        self.tasks.first().map(|(id, _)| *id)
    }
}

/// The answer to a piece of a request, kept until the other pieces are there.
#[derive(Debug, Clone)]
pub struct KeptPiece {
    /// Tells what was asked.
    pub text_hash: String,
    /// Attempts that it took.
    pub attempts: u32,
    /// How many of them were made again after a failure.
    pub retries: u32,
    /// How often the API asked to slow down.
    pub throttles: u32,
    /// The body as received, decompressed.
    pub body: Bytes,
}

/// A request of which a part came.
#[derive(Debug)]
pub struct BegunRequest {
    /// Its tasks, each with the size of its page.
    pub tasks: Vec<(Task, u32)>,
    /// The sizes of first pages within the pages of their parents.
    pub inline_sizes: Vec<u32>,
    /// What came.
    pub pieces: Vec<KeptPiece>,
}

/// Tells the rows of one connection apart: a hash of the row's key.
pub type RowKey = [u8; ROW_KEY_BYTES];
/// Enough that no two of 10^12 rows have the same.
pub const ROW_KEY_BYTES: usize = 16;

/// The ordinals of rows that are left out, by table; as `Decoder::decode` counts them.
pub type Skips = Vec<Vec<u64>>;

/// Tasks that end without a response.
#[derive(Debug, Default)]
pub struct TaskChange {
    /// Their ids.
    pub done: Vec<u64>,
    /// The tasks that take their place; in the memory of the engine.
    pub next: Vec<Task>,
    /// What that adds to members, by their numbers.
    pub members: Vec<(u64, MemberGain)>,
    /// What it adds to the tallies of connections.
    pub tallies: Vec<(usize, Tally)>,
    /// What is lacking because of it.
    pub flaws: Vec<String>,
}

impl TaskChange {
    /// Notes that something is lacking, if it is so of a value that the query is run for.
    pub fn lack(&mut self, text: String, member: Option<&Member>) {
        if let Some(member) = member {
            let gain = MemberGain {
                flaw: Some(text.clone()),
                ..MemberGain::default()
            };
            self.members.push((member.number, gain));
        }
        self.flaws.push(text);
    }
}

/// How far a connection was read, over all rows that hold one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many were begun.
    pub opened: u64,
    /// Rows in them.
    pub rows: u64,
    /// Rows that came again, and were left out.
    pub repeated: u64,
    /// How those ended that did.
    pub ends: Ends,
}

/// How connections ended, each kind counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ends {
    /// The API said that there is no more.
    pub said: u64,
    /// All rows of the total were there.
    pub total: u64,
    /// The page behind was empty.
    pub empty: u64,
    /// Null: there are no rows.
    pub absent: u64,
    /// May be cut off.
    pub suspect: u64,
    /// Could not be read on.
    pub lost: u64,
}

impl Ends {
    /// All that were read to their end.
    pub fn closed(&self) -> u64 {
        self.said + self.total + self.empty + self.absent
    }
}

impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.opened += other.opened;
        self.rows += other.rows;
        self.repeated += other.repeated;
        self.ends.said += other.ends.said;
        self.ends.total += other.ends.total;
        self.ends.empty += other.ends.empty;
        self.ends.absent += other.ends.absent;
        self.ends.suspect += other.ends.suspect;
        self.ends.lost += other.ends.lost;
    }
}

/// What a root field of a stored response answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredSlot {
    /// Index of the plan's connection; `None` for the first pages of everything.
    pub connection: Option<usize>,
    /// The field of the query root whose first pages were asked for by themselves.
    pub root: Option<usize>,
    /// Whether it is a first page.
    pub is_first: bool,
    /// The `_id` of the row that holds the connection.
    pub parent: Option<String>,
    /// Rows of the connection before it.
    pub before: u64,
    /// What came is not what was meant: its rows are not taken.
    pub is_void: bool,
}

impl StoredSlot {
    /// What the page of a task answers.
    pub fn of(task: &Task) -> Self {
        Self {
            connection: task.connection,
            root: task.root,
            is_first: task.position.is_none(),
            parent: task.parent.clone(),
            before: task.before,
            is_void: false,
        }
    }
}

/// What was spent on a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Effort {
    /// Attempts on the wire.
    pub requests: u64,
    /// Attempts made again after a failure.
    pub retries: u64,
    /// Answers that asked to slow down.
    pub throttles: u64,
    /// Bytes of bodies taken in.
    pub bytes: u64,
    /// Time during which the export ran.
    pub elapsed: Duration,
}

impl std::ops::AddAssign for Effort {
    fn add_assign(&mut self, other: Self) {
        self.requests += other.requests;
        self.retries += other.retries;
        self.throttles += other.throttles;
        self.bytes += other.bytes;
        self.elapsed += other.elapsed;
    }
}

/// A stored response, to be decoded again.
#[derive(Debug)]
pub struct StoredResponse {
    /// Its place in the order.
    pub sequence: Sequence,
    /// What it answers, in the order of its root fields.
    pub slots: Vec<StoredSlot>,
    /// Rows that came before, and are left out.
    pub skips: Skips,
    /// The body.
    pub body: Bytes,
}

/// A finished output file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedPart {
    /// Its table.
    pub table: String,
    /// Its file name in the table's staging folder.
    pub file: String,
    /// Rows in it.
    pub rows: u64,
    /// Its size.
    pub bytes: u64,
    /// Its checksum, in hexadecimal digits.
    pub sha256: String,
}

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Tasks are open, or rows not yet in parts.
    Open,
    /// All is in parts, and they are being moved to their place.
    Publishing,
}

/// A run that is not finished, with all that is needed to go on.
#[derive(Debug, Clone)]
pub struct UnfinishedRun {
    /// Its key.
    pub key: RunKey,
    /// Its id as people see it.
    pub name: String,
    /// The fingerprint of the plan that it follows.
    pub fingerprint: String,
    /// The output format that it writes.
    pub format: String,
    /// Where it stands.
    pub stage: Stage,
    /// When it began, in milliseconds since 1970.
    pub started_at: u64,
    /// Responses up to this one are in parts.
    pub through: Sequence,
    /// The last response taken in; 0 for none.
    pub last_sequence: Sequence,
    /// Rows in the responses taken in.
    pub rows: u64,
    /// What was spent on it.
    pub effort: Effort,
    /// The highest id of a task so far.
    pub last_task: u64,
    /// How far the connections were read, by connection.
    pub tallies: Vec<(usize, Tally)>,
    /// Finished files.
    pub parts: Vec<RecordedPart>,
    /// What is lacking, each with how often.
    pub flaws: Vec<(String, u64)>,
    /// How often something is lacking of which no text is kept, as there are many.
    pub other_flaws: u64,
    /// How far its members were read.
    pub members: MemberCounts,
}

/// A run's figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownRun {
    /// Its id as people see it.
    pub name: String,
    /// When it began, in milliseconds since 1970.
    pub started_at: u64,
    /// Responses taken in.
    pub responses: u64,
    /// Rows in them.
    pub rows: u64,
    /// Attempts on the wire.
    pub requests: u64,
}

/// What a published run was an export of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownExport {
    /// Its id as people see it.
    pub name: String,
    /// The fingerprint of the plan that it followed.
    pub fingerprint: String,
    /// The output format.
    pub format: String,
}

/// A run that is not finished, as far as one that looks at it cares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenRun {
    /// Its figures so far.
    pub run: KnownRun,
    /// Whether all is in parts, and they are being moved to their place.
    pub is_publishing: bool,
    /// Pages still to be read, as far as they are known.
    pub open_tasks: u64,
}

/// Something that earlier runs showed of a query file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LearntText {
    /// What it is about: a connection's path, or another name.
    pub name: String,
    /// What it is.
    pub text: String,
    /// When it was kept, in milliseconds since 1970.
    pub learnt_at: u64,
}

/// What tells a new run.
#[derive(Debug, Clone, Copy)]
pub struct NewRun<'run> {
    /// The query file's name.
    pub query: &'run str,
    /// Its id as people see it.
    pub name: &'run str,
    /// The fingerprint of its plan.
    pub fingerprint: &'run str,
    /// The output format.
    pub format: &'run str,
    /// When it begins, in milliseconds since 1970.
    pub started_at: u64,
}

/// What a run is to do first.
#[derive(Debug, Clone, Copy)]
pub enum RunStart<'run> {
    /// Ask for the first pages of everything.
    Whole,
    /// Ask for the first pages under so many fields of the query root, each by itself.
    Roots(usize),
    /// Ask for the first pages once for each value of a variable.
    Members {
        /// The values, each once.
        values: &'run [Value],
        /// The fields of the query root that are asked for by themselves; `None` stands for all of them together.
        roots: &'run [Option<usize>],
        /// What is known to be lacking before anything is asked.
        flaw: Option<&'run str>,
    },
}

/// A schema that was asked for before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredSchema {
    /// In the schema definition language.
    pub definition: String,
    /// When it was asked for, in milliseconds since 1970.
    pub fetched_at: u64,
}
