//! What the engine tells: one stream of events, which every view consumes.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde::{Serialize, Serializer};

/// Takes in what the engine tells. Called from several threads; must not block for long.
pub trait Observer: Send + Sync {
    /// Takes in one event.
    fn notice(&self, event: &Event);
}

/// An observer that many parts of the engine share.
pub type SharedObserver = Arc<dyn Observer>;

/// Something that happened. `query` is always `source/query_file`, without the ending.
#[derive(Debug, Clone)]
pub enum Event {
    /// A query file's export begins, or goes on.
    QueryStarted {
        /// `source/query_file`.
        query: String,
        /// The run's id.
        run: String,
        /// What an interrupted run had already done; `None` for a fresh one.
        resumed: Option<Resumed>,
    },
    /// The engine has something to say that changes nothing: the schema was asked for again, a run was dropped.
    Notice {
        /// The query file concerned; `None` for the whole run.
        query: Option<String>,
        /// What to say, in one line.
        text: String,
    },
    /// Something is wrong that the run survives: it will not be complete, or a setting does not do what it seems to.
    Warning {
        /// The query file concerned; `None` for the whole run.
        query: Option<String>,
        /// What is wrong.
        text: String,
    },
    /// A request went out.
    Sent {
        /// `source/query_file`.
        query: String,
    },
    /// A response was taken in.
    PageTaken {
        /// `source/query_file`.
        query: String,
        /// Rows in it.
        rows: u64,
        /// Bytes of its body.
        bytes: u64,
        /// From sending to the last byte.
        elapsed: Duration,
    },
    /// An attempt failed and will be made again after `wait`.
    Retrying {
        /// `source/query_file`.
        query: String,
        /// What went wrong, in one line.
        cause: String,
        /// Which attempt failed, from 1.
        attempt: u32,
        /// How many there may be.
        attempts: u32,
        /// Until the next one.
        wait: Duration,
    },
    /// A request failed that may have asked for too much at once; the same rows are asked for again with fewer of them in
    /// a request.
    AskingForLess {
        /// `source/query_file`.
        query: String,
        /// What went wrong, in one line.
        cause: String,
        /// Rows that were asked for, about.
        rows: u64,
    },
    /// The API asked to slow down; nothing of this source is sent before `wait` has passed.
    Throttled {
        /// The source's name.
        source: String,
        /// Until the next request.
        wait: Duration,
    },
    /// The state of a source's budget, told whenever it changes.
    Budget {
        /// The source's name.
        source: String,
        /// `None` for a source without a request limit.
        window: Option<WindowUse>,
        /// Requests on their way.
        in_flight: usize,
        /// Requests that wait for a permit.
        waiting: usize,
        /// When the next permit comes free, if requests wait for one.
        next_permit: Option<Duration>,
    },
    /// An output file was finished.
    PartClosed {
        /// `source/query_file`.
        query: String,
        /// The table's name.
        table: String,
        /// Rows in the file.
        rows: u64,
        /// The file's size.
        bytes: u64,
    },
    /// A query file's export was published.
    QueryPublished {
        /// `source/query_file`.
        query: String,
        /// What it amounts to.
        summary: QuerySummary,
    },
    /// A query file was published by a run that goes on, and is not asked for again.
    QueryKept {
        /// `source/query_file`.
        query: String,
        /// The run's id.
        run: String,
        /// What it amounts to; nothing was spent on it now.
        summary: QuerySummary,
    },
    /// A query file's export failed. What was fetched stays, and the next run goes on from there; with an empty summary
    /// nothing was begun.
    QueryFailed {
        /// `source/query_file`.
        query: String,
        /// Why, perhaps in several lines.
        error: String,
        /// What it amounts to.
        summary: QuerySummary,
    },
    /// A query file's export was interrupted; the next run goes on from there.
    QueryInterrupted {
        /// `source/query_file`.
        query: String,
        /// What it amounts to.
        summary: QuerySummary,
    },
}

/// The tightest request window of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowUse {
    /// Permits taken.
    pub used: u32,
    /// Permits in all.
    pub max: u32,
    /// The window's length.
    pub per: Duration,
}

/// What an interrupted run had already done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resumed {
    /// Responses that need not be asked for again.
    pub responses: u64,
    /// Rows in them.
    pub rows: u64,
    /// When that run began.
    pub since: SystemTime,
}

/// What a query file's export amounts to, interrupted earlier executions included.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct QuerySummary {
    /// Rows written, by table, in the order of the plan; rejects are not among them.
    pub tables: Vec<TableSummary>,
    /// Attempts on the wire.
    pub requests: u64,
    /// Attempts made again after a failure.
    pub retries: u64,
    /// Answers that asked to slow down.
    pub throttles: u64,
    /// Bytes of the bodies taken in.
    pub bytes_received: u64,
    /// Time during which the export ran.
    #[serde(rename = "elapsed_seconds", serialize_with = "as_seconds")]
    pub elapsed: Duration,
    /// What it was run for, once for each value; `None` where it was run once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub each: Option<EachSummary>,
    /// What keeps the run from being complete, one line each; empty for a complete run.
    pub incomplete: Vec<String>,
}

/// The values that a query was run for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct EachSummary {
    /// The column that they come from: `groups.name`.
    pub of: String,
    /// How many there are.
    pub values: u64,
    /// Those that were read to their end.
    pub complete: u64,
    /// Those of the complete ones that do not exist: null, without any row.
    pub absent: u64,
    /// Those that lack something.
    pub incomplete: u64,
    /// Those that failed.
    pub failed: u64,
}

/// Reasons why a run is not complete that people are told one by one; the manifest has all that are known.
const TOLD_REASONS: usize = 20;

impl QuerySummary {
    /// What keeps the run from being complete, as people are told it.
    pub(crate) fn told_incomplete(&self) -> Vec<String> {
        let told = self.incomplete.iter().take(TOLD_REASONS).cloned();
        let more = self.incomplete.len().saturating_sub(TOLD_REASONS);
        let rest = (more > 0).then(|| format!("and {more} more: see the manifest"));
        told.chain(rest).collect()
    }

    /// Whether there is a run to go on with: one that was begun has tables, be they empty.
    pub(crate) fn is_begun(&self) -> bool {
        !self.tables.is_empty()
    }
}

/// What one table amounts to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct TableSummary {
    /// The table's name.
    pub table: String,
    /// Rows written.
    pub rows: u64,
    /// Rows that did not fit the table's types, written beside it.
    pub rejected: u64,
    /// Files written.
    pub parts: u64,
    /// Their size.
    pub bytes: u64,
}

/// A duration as a JSON number of seconds.
pub(crate) fn as_seconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(duration.as_secs_f64())
}
