//! What the commands have in common that look and do not export.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::watch;

use crate::cli::arguments::ProjectArguments;
use crate::cli::budgets::budgets_folder;
use crate::cli::jobs::variables;
use crate::clock::Clock;
use crate::output::Format;
use crate::report::{LogFormat, ReportStyle, report_to};
use crate::run::{QueryOutcome, RunSettings, SourceError, SourceJob, describe_source_error};

/// Settings under which nothing is told but warnings and failures.
pub(super) fn settings(project: &ProjectArguments, output: PathBuf) -> RunSettings {
    RunSettings {
        variables: variables(project),
        ..quiet_settings(output)
    }
}

/// The same without any variables.
pub(super) fn quiet_settings(output: PathBuf) -> RunSettings {
    let clock = Clock::system();
    let style = ReportStyle {
        is_terminal: false,
        is_quiet: true,
        log_format: LogFormat::Text,
    };
    // Nobody stops what is over in a moment; a receiver keeps its last value when its sender is gone.
    let (_, stop) = watch::channel(false);
    RunSettings {
        output,
        store: None,
        format: Format::default(),
        variables: BTreeMap::new(),
        is_fresh: false,
        wait: Duration::ZERO,
        budgets: budgets_folder(),
        observer: report_to(Box::new(std::io::stderr()), clock.clone(), style),
        clock,
        stop,
    }
}

/// Tells why a query file cannot be exported.
pub(super) fn refuse(query: &str, error: &str) -> std::io::Result<QueryOutcome> {
    writeln!(std::io::stderr(), "{query}: {error}")?;
    Ok(QueryOutcome::Refused)
}

/// Tells why nothing of a source can be exported.
pub(super) fn refuse_source(job: &SourceJob, error: &SourceError) -> std::io::Result<QueryOutcome> {
    refuse(&job.name, &describe_source_error(error))?;
    Ok(error.outcome())
}
