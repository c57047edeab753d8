//! `gqldump check`.

use std::io::Write;
use std::path::PathBuf;

use tokio::sync::watch;

use crate::cli::arguments::CheckArguments;
use crate::cli::jobs::{Jobs, variables};
use crate::clock::Clock;
use crate::output::Format;
use crate::plan::Plan;
use crate::report::{LogFormat, ReportStyle, report_to};
use crate::run::{QueryOutcome, RunSettings, SourceJob, check_source, describe_source_error, exit_code};

pub(super) fn check(arguments: &CheckArguments) -> anyhow::Result<u8> {
    let jobs = Jobs::prepare(&arguments.project)?;
    let clock = Clock::system();
    let style = ReportStyle {
        is_terminal: false,
        is_quiet: true,
        log_format: LogFormat::Text,
    };
    let (_stop_sender, stop) = watch::channel(false);
    let settings = RunSettings {
        output: PathBuf::new(),
        format: Format::default(),
        variables: variables(&arguments.project),
        is_fresh: false,
        observer: report_to(Box::new(std::io::stderr()), clock.clone(), style),
        clock,
        stop,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut outcomes = Vec::new();
    for (query, error) in &jobs.refused {
        outcomes.push(complain(query, &error.to_string())?);
    }
    for job in &jobs.sources {
        runtime.block_on(check_one(job, &settings, &mut outcomes))?;
    }
    Ok(exit_code(&outcomes))
}

async fn check_one(job: &SourceJob, settings: &RunSettings, outcomes: &mut Vec<QueryOutcome>) -> std::io::Result<()> {
    let plans = match check_source(job, settings).await {
        Ok(plans) => plans,
        Err(error) => {
            complain(&job.name, &describe_source_error(&error))?;
            outcomes.push(error.outcome());
            return Ok(());
        }
    };
    for (name, plan) in plans {
        let query = format!("{}/{name}", job.name);
        match plan {
            Ok(plan) => {
                describe(&mut std::io::stdout().lock(), &query, &plan)?;
                outcomes.push(QueryOutcome::Complete);
            }
            Err(error) => outcomes.push(complain(&query, &error.to_string())?),
        }
    }
    Ok(())
}

fn complain(query: &str, error: &str) -> std::io::Result<QueryOutcome> {
    writeln!(std::io::stderr(), "{query}: {error}")?;
    Ok(QueryOutcome::Refused)
}

fn describe(output: &mut impl Write, query: &str, plan: &Plan) -> std::io::Result<()> {
    writeln!(output, "{query}: ok")?;
    for (index, table) in plan.tables.iter().enumerate() {
        let names: Vec<_> = table.columns.iter().map(|column| column.name.as_str()).collect();
        writeln!(output, "  table {} ({})", table.name, names.join(", "))?;
        match plan.connections.get(index) {
            Some(connection) => writeln!(
                output,
                "    from `{}`, by Relay cursors, {} rows a page",
                connection.path, connection.page_size
            )?,
            None => writeln!(output, "    not paginated: what one answer holds is all there is")?,
        }
    }
    Ok(())
}
