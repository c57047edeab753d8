//! `gqldump run`.

use std::io::{IsTerminal as _, Write as _};
use std::sync::Arc;

use futures::future::join_all;
use tokio::sync::watch;

use crate::cli::arguments::{ReportArguments, RunArguments};
use crate::cli::budgets::budgets_folder;
use crate::cli::jobs::{Jobs, variables};
use crate::cli::stop::watch_signals;
use crate::clock::Clock;
use crate::report::{Event, LogFormat, Observers, QuerySummary, ReportStyle, SharedObserver, Summary, report_to};
use crate::run::{QueryOutcome, RunSettings, SourceJob, describe_source_error, exit_code, run_source};

pub(super) fn run(arguments: &RunArguments) -> anyhow::Result<u8> {
    let jobs = Jobs::prepare(&arguments.project)?;
    let clock = Clock::system();
    let summary = Arc::new(Summary::new(clock.clone()));
    let observer = observer(&arguments.report, &clock, Arc::clone(&summary) as SharedObserver);
    // Dropped last on this side: signals are watched as long as the run lasts.
    let (stop_sender, stop) = watch::channel(false);
    let settings = RunSettings {
        output: arguments.place.folder(),
        store: arguments.place.store(),
        format: arguments.format,
        variables: variables(&arguments.project),
        is_fresh: arguments.fresh,
        wait: arguments.wait,
        budgets: budgets_folder(),
        clock,
        observer,
        stop,
    };
    // One thread drives all requests; decoding, writing and the state have threads of their own.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let outcomes = runtime.block_on(async {
        tokio::select! {
            // Signals are watched before anything is begun.
            biased;
            () = watch_signals(stop_sender, &settings.observer) => Vec::new(),
            outcomes = run_all(&jobs, &settings) => outcomes,
        }
    });
    // In a JSON log each line is an object, and `published` holds what the table would say.
    if !arguments.report.quiet && LogFormat::from(arguments.report.log_format) == LogFormat::Text {
        // The exit code is the run's, whether or not anybody can read of it.
        let _ = write!(std::io::stderr(), "{}", summary.render());
    }
    Ok(exit_code(&outcomes))
}

async fn run_all(jobs: &Jobs, settings: &RunSettings) -> Vec<QueryOutcome> {
    let mut outcomes = Vec::new();
    for (query, error) in &jobs.refused {
        tell_failure(settings, query, error.to_string());
        outcomes.push(QueryOutcome::Refused);
    }
    let sources = jobs.sources.iter().map(|job| run_one(job, settings));
    outcomes.extend(join_all(sources).await.into_iter().flatten());
    outcomes
}

async fn run_one(job: &SourceJob, settings: &RunSettings) -> Vec<QueryOutcome> {
    match run_source(job, settings).await {
        Ok(outcomes) => outcomes,
        Err(error) => {
            tell_failure(settings, &job.name, describe_source_error(&error));
            vec![error.outcome()]
        }
    }
}

fn tell_failure(settings: &RunSettings, query: &str, error: String) {
    let summary = QuerySummary::default();
    settings.observer.notice(&Event::QueryFailed {
        query: query.to_owned(),
        error,
        summary,
    });
}

fn observer(arguments: &ReportArguments, clock: &Clock, summary: SharedObserver) -> SharedObserver {
    let style = ReportStyle {
        is_terminal: std::io::stderr().is_terminal(),
        is_quiet: arguments.quiet,
        log_format: arguments.log_format.into(),
    };
    let report = report_to(Box::new(std::io::stderr()), clock.clone(), style);
    Arc::new(Observers(vec![report, summary]))
}
