//! `gqldump check`.

use std::io::Write;

use crate::cli::TOKEN_ENDS;
use crate::cli::arguments::CheckArguments;
use crate::cli::jobs::Jobs;
use crate::cli::look::{refuse, refuse_source, settings};
use crate::cli::words::{cut_lines, each_line, left_out_lines, paging_lines, whole_list_lines};
use crate::plan::{PlanDescription, TableDescription};
use crate::report::Event;
use crate::run::{QueryOutcome, RunSettings, SourceJob, check_source, exit_code, known_members, token_warning};

pub(super) fn check(arguments: &CheckArguments) -> anyhow::Result<u8> {
    let jobs = Jobs::prepare(&arguments.project)?;
    let settings = settings(&arguments.project, arguments.place.folder());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut outcomes = Vec::new();
    for (query, error) in &jobs.refused {
        outcomes.push(refuse(query, &error.to_string())?);
    }
    for job in &jobs.sources {
        runtime.block_on(check_one(job, &settings, &mut outcomes))?;
    }
    let token_ends = jobs.sources.iter().filter(|job| tell_of_token(job, &settings)).count() > 0;
    Ok(match exit_code(&outcomes) {
        0 if token_ends => TOKEN_ENDS,
        code => code,
    })
}

/// Says when a token ends, if that is soon.
fn tell_of_token(job: &SourceJob, settings: &RunSettings) -> bool {
    let Some(text) = token_warning(job, settings) else {
        return false;
    };
    settings.observer.notice(&Event::Warning { query: None, text });
    true
}

async fn check_one(job: &SourceJob, settings: &RunSettings, outcomes: &mut Vec<QueryOutcome>) -> std::io::Result<()> {
    let plans = match check_source(job, settings).await {
        Ok(plans) => plans,
        Err(error) => {
            outcomes.push(refuse_source(job, &error)?);
            return Ok(());
        }
    };
    for (name, plan) in plans {
        let query = format!("{}/{name}", job.name);
        match plan {
            Ok(plan) => {
                let mut output = std::io::stdout().lock();
                describe(&mut output, &query, &plan.description)?;
                for line in left_out_lines(&plan) {
                    writeln!(output, "  {line}")?;
                }
                if let Some(each) = &plan.each {
                    let known = known_members(&settings.output, &job.name, each);
                    writeln!(output, "  {}", each_line(each, known.as_ref()))?;
                }
                outcomes.push(QueryOutcome::Complete);
            }
            Err(error) => outcomes.push(refuse(&query, &error.to_string())?),
        }
    }
    Ok(())
}

fn describe(output: &mut impl Write, query: &str, plan: &PlanDescription) -> std::io::Result<()> {
    writeln!(output, "{query}: ok")?;
    for table in &plan.tables {
        writeln!(output, "  table {} ({})", table.name, column_names(table))?;
        for line in paging_lines(plan, table) {
            writeln!(output, "    {line}")?;
        }
    }
    for line in whole_list_lines(plan) {
        writeln!(output, "  {line}")?;
    }
    for line in cut_lines(plan.cuts.iter()) {
        writeln!(output, "  {}", line.replace('\n', "\n  "))?;
    }
    Ok(())
}

fn column_names(table: &TableDescription) -> String {
    let names: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
    names.join(", ")
}
