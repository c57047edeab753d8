//! `gqldump plan`.

use std::io::Write as _;

use crate::cli::arguments::PlanArguments;
use crate::cli::jobs::Jobs;
use crate::cli::look::{refuse, refuse_source, settings};
use crate::cli::plan_json::JsonPlan;
use crate::cli::plan_text::{write_query, write_source};
use crate::plan::{RequestText, Target};
use crate::project::RequestLimit;
use crate::run::{Preview, QueryOutcome, RunSettings, SourceJob, exit_code, preview_source};

/// A source and what its query files will do.
pub(super) struct PlannedSource<'jobs> {
    pub(super) name: &'jobs str,
    pub(super) limits: &'jobs [RequestLimit],
    /// Variables whose values nobody is to see.
    pub(super) secrets: Vec<&'jobs str>,
    /// By their names.
    pub(super) queries: Vec<(String, Preview)>,
}

/// A request as it will be sent, with stand-ins for what only answers can tell.
pub(super) struct PlannedRequest {
    /// The connection of which it asks for a page; `None` for the first pages of everything.
    pub(super) connection: Option<usize>,
    /// Whether that is a first page, which does not come with the row that holds it.
    pub(super) is_first: bool,
    /// Which of the groups of columns it asks for, of those that have any for it.
    pub(super) group: usize,
    pub(super) request: RequestText,
}

pub(super) fn plan(arguments: &PlanArguments) -> anyhow::Result<u8> {
    let jobs = Jobs::prepare(&arguments.project)?;
    let settings = settings(&arguments.project, arguments.place.folder());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut outcomes = Vec::new();
    for (query, error) in &jobs.refused {
        outcomes.push(refuse(query, &error.to_string())?);
    }
    let mut sources = Vec::new();
    for job in &jobs.sources {
        sources.push(runtime.block_on(plan_one(job, &settings, arguments, &mut outcomes))?);
    }
    if arguments.json {
        let plan = JsonPlan::of(&sources, arguments.requests.is_some());
        writeln!(std::io::stdout(), "{}", serde_json::to_string_pretty(&plan)?)?;
    }
    Ok(exit_code(&outcomes))
}

/// Plans the query files of a source; text is written at once, so that it comes as the sources answer.
async fn plan_one<'jobs>(
    job: &'jobs SourceJob,
    settings: &RunSettings,
    arguments: &PlanArguments,
    outcomes: &mut Vec<QueryOutcome>,
) -> std::io::Result<PlannedSource<'jobs>> {
    let mut source = PlannedSource {
        name: &job.name,
        limits: &job.settings.limits.requests,
        secrets: job.secrets.keys().map(String::as_str).collect(),
        queries: Vec::new(),
    };
    let previews = match preview_source(job, settings, arguments.probe).await {
        Ok(previews) => previews,
        Err(error) => {
            outcomes.push(refuse_source(job, &error)?);
            return Ok(source);
        }
    };
    for (name, preview) in previews {
        match preview {
            Ok(preview) => {
                outcomes.push(QueryOutcome::Complete);
                source.queries.push((name, preview));
            }
            Err(error) => outcomes.push(refuse(&format!("{}/{name}", job.name), &error.to_string())?),
        }
    }
    if !arguments.json {
        let mut output = std::io::stdout().lock();
        for (name, preview) in &source.queries {
            write_query(&mut output, &source, name, preview, arguments.requests)?;
        }
        write_source(&mut output, &source)?;
    }
    Ok(source)
}

/// The first requests of a query file, and those for a further page of each connection that has any.
pub(super) fn requests(preview: &Preview, secrets: &[&str]) -> Vec<PlannedRequest> {
    let plan = &preview.plan;
    let firsts = plan.first_texts(&preview.first_sizes);
    let firsts = firsts.into_iter().map(|(group, request)| PlannedRequest {
        connection: None,
        is_first: true,
        group,
        request,
    });
    let later = preview.later_sizes.iter().enumerate().flat_map(|(index, size)| {
        let target = Target::of(Some(index), None, false);
        let pieces = plan.pieces_of(target, 0).into_iter().enumerate();
        pieces.flat_map(move |(group, piece)| {
            let first = plan.detached_request(index, *size, &preview.first_sizes, piece);
            let later = plan.later_request(index, *size, 1, &preview.first_sizes, piece);
            let planned = [(true, first), (false, later)].into_iter();
            planned.filter_map(move |(is_first, request)| {
                Some(PlannedRequest {
                    connection: Some(index),
                    is_first,
                    group,
                    request: request?,
                })
            })
        })
    });
    firsts.chain(later).map(|planned| planned.without(secrets)).collect()
}

impl PlannedRequest {
    /// The same with stand-ins for the values of these variables.
    fn without(mut self, secrets: &[&str]) -> Self {
        for name in secrets {
            if let Some(value) = self.request.variables.get_mut(*name) {
                *value = "<secret>".into();
            }
        }
        self
    }
}
