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
pub use event::{Event, Observer, QuerySummary, Resumed, SharedObserver, TableSummary, WindowUse};
pub use line::{LineReport, LogFormat};
pub use summary::Summary;
pub use terminal::TerminalReport;
