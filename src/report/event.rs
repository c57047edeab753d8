//! What the engine tells: one stream of events, which every view consumes.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

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
        query: String,
        /// The run's id.
        run: String,
        /// What an interrupted run had already done; `None` for a fresh one.
        resumed: Option<Resumed>,
    },
    /// The engine has something to say that changes nothing: the schema was asked for again, a run was dropped.
    Notice {
        query: Option<String>,
        text: String,
    },
    /// Something is wrong that the run survives: it will not be complete, or a setting does not do what it seems to.
    Warning {
        query: Option<String>,
        text: String,
    },
    /// A response was taken in.
    PageTaken {
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
        query: String,
        /// What went wrong, in one line.
        cause: String,
        /// Which attempt failed, from 1.
        attempt: u32,
        attempts: u32,
        wait: Duration,
    },
    /// The API asked to slow down; nothing of this source is sent before `wait` has passed.
    Throttled {
        source: String,
        wait: Duration,
    },
    /// The state of a source's budget, told whenever it changes.
    Budget {
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
        query: String,
        table: String,
        rows: u64,
        bytes: u64,
    },
    /// A query file's export was published.
    QueryPublished {
        query: String,
        summary: QuerySummary,
    },
    /// A query file's export failed; what was fetched stays, and the next run goes on from there.
    QueryFailed {
        query: String,
        error: String,
        summary: QuerySummary,
    },
    /// A query file's export was interrupted; the next run goes on from there.
    QueryInterrupted {
        query: String,
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
#[derive(Debug, Clone, Default, PartialEq, Eq)]
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
    pub elapsed: Duration,
    /// What keeps the run from being complete, one line each; empty for a complete run.
    pub incomplete: Vec<String>,
}

/// What one table amounts to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableSummary {
    pub table: String,
    pub rows: u64,
    pub rejected: u64,
    pub parts: u64,
    pub bytes: u64,
}
