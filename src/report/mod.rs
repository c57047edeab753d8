//! What a run tells people and machines: live rows, log lines, the closing table.
//!
//! The engine tells [`Event`]s and never prints; every view is an [`Observer`] of them. Imports nothing of the engine and
//! asks it nothing, so a view can be left out or added without the engine's knowledge.

mod board;
mod choice;
mod columns;
mod event;
mod human;
mod line;
mod message;
mod progress;
mod summary;
mod terminal;
#[cfg(test)]
mod tests;
pub use choice::{Observers, ReportStyle, report_to};
pub use event::{EachSummary, Event, Observer, QuerySummary, Resumed, SharedObserver, TableSummary, WindowUse};
pub(crate) use human::{bytes, counted, duration};
pub use line::{LineReport, LogFormat};
pub use summary::Summary;
pub use terminal::TerminalReport;
