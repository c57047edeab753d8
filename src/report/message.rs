//! What a line of the log says: as text for people, as a JSON object for machines.

use std::fmt;
use std::time::{Duration, SystemTime};

use serde::{Serialize, Serializer};

use crate::report::event::{Event, QuerySummary, Resumed, WindowUse, as_seconds};
use crate::report::human;
use crate::report::progress::Progress;

/// A pause beyond this may be a mistake of the API's, and somebody may be waiting for the run.
const LONG_PAUSE: Duration = Duration::from_mins(10);

/// How much a message matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Level {
    /// All goes as it should.
    Info,
    /// The result is not what it should be, or will not be.
    Warn,
    /// An export has failed.
    Error,
}

impl fmt::Display for Level {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        })
    }
}

/// What a line of the log says. The names of variants and fields are those of the JSON log: scripts read them.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(crate) enum Message<'a> {
    Started {
        query: &'a str,
        run: &'a str,
    },
    Resumed {
        query: &'a str,
        run: &'a str,
        responses: u64,
        rows: u64,
        #[serde(serialize_with = "as_time")]
        since: SystemTime,
    },
    Notice {
        #[serde(skip_serializing_if = "Option::is_none")]
        query: Option<&'a str>,
        text: &'a str,
    },
    Warning {
        #[serde(skip_serializing_if = "Option::is_none")]
        query: Option<&'a str>,
        text: &'a str,
    },
    Progress {
        query: &'a str,
        rows: u64,
        pages: u64,
        rows_per_second: u64,
    },
    Budget {
        source: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        window: Option<Window>,
        in_flight: usize,
        waiting: usize,
    },
    Retry {
        query: &'a str,
        cause: &'a str,
        attempt: u32,
        attempts: u32,
        #[serde(rename = "wait_seconds", serialize_with = "as_seconds")]
        wait: Duration,
    },
    Less {
        query: &'a str,
        cause: &'a str,
        rows: u64,
    },
    Throttled {
        source: &'a str,
        #[serde(rename = "wait_seconds", serialize_with = "as_seconds")]
        wait: Duration,
    },
    Part {
        query: &'a str,
        table: &'a str,
        rows: u64,
        bytes: u64,
    },
    Published {
        query: &'a str,
        summary: &'a QuerySummary,
    },
    Kept {
        query: &'a str,
        run: &'a str,
        summary: &'a QuerySummary,
    },
    Failed {
        query: &'a str,
        error: &'a str,
        summary: &'a QuerySummary,
    },
    Interrupted {
        query: &'a str,
        summary: &'a QuerySummary,
    },
}

/// The tightest request window of a source.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Window {
    used: u32,
    max: u32,
    #[serde(rename = "per_seconds", serialize_with = "as_seconds")]
    per: Duration,
}

impl From<WindowUse> for Window {
    fn from(window: WindowUse) -> Self {
        Self {
            used: window.used,
            max: window.max,
            per: window.per,
        }
    }
}

impl<'a> Message<'a> {
    /// What an event has to say by itself; nothing for those that only move the progress on.
    pub(crate) fn of(event: &'a Event) -> Option<Self> {
        Some(match event {
            Event::QueryStarted { query, run, resumed } => Self::begin(query, run, *resumed),
            Event::Notice { query, text } => Self::Notice {
                query: query.as_deref(),
                text,
            },
            Event::Warning { query, text } => Self::Warning {
                query: query.as_deref(),
                text,
            },
            Event::Retrying {
                query,
                cause,
                attempt,
                attempts,
                wait,
            } => Self::Retry {
                query,
                cause,
                attempt: *attempt,
                attempts: *attempts,
                wait: *wait,
            },
            Event::AskingForLess { query, cause, rows } => Self::Less {
                query,
                cause,
                rows: *rows,
            },
            Event::Throttled { source, wait } => Self::Throttled { source, wait: *wait },
            Event::PartClosed {
                query,
                table,
                rows,
                bytes,
            } => Self::Part {
                query,
                table,
                rows: *rows,
                bytes: *bytes,
            },
            Event::QueryPublished { query, summary } => Self::Published { query, summary },
            Event::QueryKept { query, run, summary } => Self::Kept { query, run, summary },
            Event::QueryFailed { query, error, summary } => Self::Failed { query, error, summary },
            Event::QueryInterrupted { query, summary } => Self::Interrupted { query, summary },
            Event::Sent { .. } | Event::PageTaken { .. } | Event::Budget { .. } => return None,
        })
    }

    fn begin(query: &'a str, run: &'a str, resumed: Option<Resumed>) -> Self {
        let Some(resumed) = resumed else {
            return Self::Started { query, run };
        };
        Self::Resumed {
            query,
            run,
            responses: resumed.responses,
            rows: resumed.rows,
            since: resumed.since,
        }
    }

    /// How far an export is.
    pub(crate) fn progress(query: &'a str, progress: &Progress, now: SystemTime) -> Self {
        Self::Progress {
            query,
            rows: progress.rows,
            pages: progress.pages,
            rows_per_second: progress.rows_per_second(now),
        }
    }

    /// How much it matters.
    pub(crate) fn level(&self) -> Level {
        match self {
            Self::Failed { .. } => Level::Error,
            Self::Warning { .. } | Self::Interrupted { .. } => Level::Warn,
            Self::Throttled { wait, .. } if *wait > LONG_PAUSE => Level::Warn,
            Self::Published { summary, .. } | Self::Kept { summary, .. } if !summary.incomplete.is_empty() => {
                Level::Warn
            }
            _ => Level::Info,
        }
    }

    /// The query file or source that it is about.
    pub(crate) fn subject(&self) -> Option<&'a str> {
        match self {
            Self::Notice { query, .. } | Self::Warning { query, .. } => *query,
            Self::Budget { source, .. } | Self::Throttled { source, .. } => Some(source),
            Self::Started { query, .. }
            | Self::Resumed { query, .. }
            | Self::Progress { query, .. }
            | Self::Retry { query, .. }
            | Self::Less { query, .. }
            | Self::Part { query, .. }
            | Self::Published { query, .. }
            | Self::Kept { query, .. }
            | Self::Failed { query, .. }
            | Self::Interrupted { query, .. } => Some(query),
        }
    }
}

/// The text without its subject.
impl fmt::Display for Message<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Started { run, .. } => write!(formatter, "run {run} begins"),
            Self::Resumed {
                run,
                responses,
                rows,
                since,
                ..
            } => {
                let (responses, rows) = (human::counted(*responses, "response"), human::counted(*rows, "row"));
                let since = human::time(*since);
                write!(
                    formatter,
                    "run {run} of {since} goes on: {responses} with {rows} are there already"
                )
            }
            Self::Notice { text, .. } | Self::Warning { text, .. } => formatter.write_str(text),
            Self::Progress {
                rows,
                pages,
                rows_per_second,
                ..
            } => {
                let (rows, pages) = (human::counted(*rows, "row"), human::counted(*pages, "page"));
                write!(
                    formatter,
                    "{rows} on {pages}, {} rows/s",
                    human::count(*rows_per_second)
                )
            }
            Self::Budget {
                window,
                in_flight,
                waiting,
                ..
            } => {
                if let Some(Window { used, max, per }) = window {
                    write!(formatter, "{used} of {max} requests per {} used, ", human::window(*per))?;
                }
                write!(formatter, "{in_flight} in flight, {waiting} waiting")
            }
            Self::Retry {
                cause,
                attempt,
                attempts,
                wait,
                ..
            } => {
                let wait = human::duration(*wait);
                write!(
                    formatter,
                    "attempt {attempt} of {attempts} failed ({cause}), the next one is in {wait}"
                )
            }
            Self::Less { cause, rows, .. } => {
                let rows = human::count(*rows);
                write!(
                    formatter,
                    "a request for about {rows} rows failed ({cause}), fewer are asked for at once"
                )
            }
            Self::Throttled { wait, .. } => {
                write!(
                    formatter,
                    "the API asks to slow down, the next request is in {}",
                    human::duration(*wait)
                )
            }
            Self::Part { table, rows, bytes, .. } => {
                let rows = human::counted(*rows, "row");
                write!(
                    formatter,
                    "a part of {table} is written: {rows}, {}",
                    human::bytes(*bytes)
                )
            }
            Self::Published { summary, .. } => write_published(formatter, summary),
            Self::Kept { run, summary, .. } => {
                let state = match summary.incomplete.is_empty() {
                    true => "published",
                    false => "published, but not complete,",
                };
                write!(
                    formatter,
                    "{state} by run {run}, which goes on: not asked for again (--fresh exports everything anew)"
                )
            }
            Self::Failed { error, summary, .. } => {
                write!(formatter, "failed: {error}")?;
                if summary.is_begun() {
                    formatter.write_str("\nthe next run goes on from here")?;
                }
                Ok(())
            }
            Self::Interrupted { .. } => formatter.write_str("interrupted, the next run goes on from here"),
        }
    }
}

fn write_published(formatter: &mut fmt::Formatter<'_>, summary: &QuerySummary) -> fmt::Result {
    let rows = summary.tables.iter().map(|table| table.rows).sum();
    let (rows, tables) = (
        human::counted(rows, "row"),
        human::counted(summary.tables.len() as u64, "table"),
    );
    let (requests, elapsed) = (
        human::counted(summary.requests, "request"),
        human::duration(summary.elapsed),
    );
    let state = if summary.incomplete.is_empty() {
        "published"
    } else {
        "published, but not complete"
    };
    write!(formatter, "{state}: {rows} in {tables}, {requests}, {elapsed}")?;
    summary
        .told_incomplete()
        .iter()
        .try_for_each(|reason| write!(formatter, "\n{reason}"))
}

fn as_time<S: Serializer>(time: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&human::time(*time))
}
