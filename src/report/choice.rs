//! Which views a run has.

use std::io::Write;
use std::sync::Arc;

use crate::clock::Clock;
use crate::report::event::{Event, Observer, SharedObserver};
use crate::report::line::{LineReport, LogFormat};
use crate::report::terminal::TerminalReport;

/// What the command line and the surroundings say about the report.
#[derive(Debug, Clone, Copy)]
pub struct ReportStyle {
    /// Whether standard error is a terminal.
    pub is_terminal: bool,
    /// Whether only warnings and failures are told.
    pub is_quiet: bool,
    /// How the lines of a log look.
    pub log_format: LogFormat,
}

/// The report for standard error: live rows on a terminal; a log elsewhere, where only warnings and failures are
/// wanted, and where it is to be JSON. `writer` writes to standard error.
pub fn report_to(writer: Box<dyn Write + Send>, clock: Clock, style: ReportStyle) -> SharedObserver {
    let is_live = style.is_terminal && !style.is_quiet && style.log_format == LogFormat::Text;
    match is_live {
        true => Arc::new(TerminalReport::new(writer, clock)),
        false => Arc::new(LineReport::new(writer, clock, style.log_format, style.is_quiet)),
    }
}

/// Several observers as one; each is told everything, in this order.
pub struct Observers(pub Vec<SharedObserver>);

impl Observer for Observers {
    fn notice(&self, event: &Event) {
        for observer in &self.0 {
            observer.notice(event);
        }
    }
}
