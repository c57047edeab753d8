//! What the exports of a source will be, before anything is exported.

use serde::Serialize;
use serde_json::Value;

use crate::api::{ApiError, Endpoint, GraphqlRequest};
use crate::output::SourceFolder;
use crate::plan::{Connection, Cut, Plan, PlanError, Probe, RequestText, Target};
use crate::run::estimate::{Estimate, Estimator};
use crate::run::fineness::Fineness;
use crate::run::memory::Memory;
use crate::run::pace::Aims;
use crate::run::pack::{Packer, Room};
use crate::run::smaller_pages::{keep_later_to_text_limits, keep_to_text_limits, page_cut};
use crate::run::source_run::{RunSettings, SourceError, SourceJob, bare_endpoint, check_source};
use crate::run::text_limits::TextLimits;
use crate::run::upstream::{KnownMembers, known_members};
use crate::state::StateView;

/// What the export of one query file will be.
pub struct Preview {
    /// Its plan.
    pub plan: Plan,
    /// The sizes of the first pages, by connection: those within the pages of their parents, and those of the outermost.
    pub first_sizes: Vec<u32>,
    /// The sizes of second pages, by connection.
    pub later_sizes: Vec<u32>,
    /// What it will take.
    pub estimate: Estimate,
    /// What is known of the values that it is run for, where it is run for several.
    pub members: Option<KnownMembers>,
    /// Pages that are smaller than the query wants them, and the limits that ask for it.
    pub page_cut: Option<Cut>,
    /// Connections whose columns are cut more finely than their plan has them, as earlier runs showed.
    pub learnt_cuts: Vec<LearntCut>,
}

/// Columns that are asked for in several requests, since not even one row came with all of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LearntCut {
    /// The place in the response of their connection, with dots.
    pub connection: String,
    /// Into how many requests they are cut.
    pub groups: usize,
}

impl Preview {
    /// The cuts of its requests, each with the limits that ask for it.
    pub fn cuts(&self) -> impl Iterator<Item = &Cut> {
        self.plan.description.cuts.iter().chain(&self.page_cut)
    }
}

/// Previews the query files of a source: from their plans, from what earlier runs showed, and, with `is_probing`, from
/// the totals that the API tells. Nothing else is asked but, where that is due, the schema; nothing is written.
pub async fn preview_source(
    job: &SourceJob,
    settings: &RunSettings,
    is_probing: bool,
) -> Result<Vec<(String, Result<Preview, PlanError>)>, SourceError> {
    let plans = check_source(job, settings).await?;
    let learnt = learnt(job, settings, &plans)?;
    let endpoint = match is_probing {
        true => Some(bare_endpoint(job, settings)?),
        false => None,
    };
    let mut previews = Vec::new();
    for ((name, plan), learnt) in plans.into_iter().zip(learnt) {
        let preview = match plan {
            Ok(plan) => {
                let totals = match (&endpoint, &plan.probe) {
                    (Some(endpoint), Some(probe)) => totals(endpoint, &format!("{}/{name}", job.name), probe).await?,
                    _ => Vec::new(),
                };
                let memory = Memory::read(&plan, &learnt, settings.clock.unix_millis());
                let members = plan.each.as_ref();
                let members = members.and_then(|each| known_members(&settings.output, &job.name, each));
                Ok(preview(job, plan, memory, &totals, members))
            }
            Err(error) => Err(error),
        };
        previews.push((name, preview));
    }
    Ok(previews)
}

fn preview(
    job: &SourceJob,
    plan: Plan,
    memory: Memory,
    totals: &[(usize, u64)],
    members: Option<KnownMembers>,
) -> Preview {
    let limits = &job.settings.limits.query;
    let room = Room::of(limits);
    let Memory {
        fan_outs,
        pace,
        fineness,
        ..
    } = memory;
    let allowance = pace.known_allowance(Aims::of(&job.settings));
    let packer = Packer::new(&plan, room, &allowance, &fan_outs);
    let text_limits = TextLimits::of(limits);
    let mut first_sizes = packer.inline_sizes().to_vec();
    keep_to_text_limits(&plan, &text_limits, &mut first_sizes);
    let later = |(index, size): (usize, &u32)| {
        let later = packer.later_size(index, u64::from(*size), &fan_outs);
        keep_later_to_text_limits(&plan, &text_limits, &first_sizes, (index, later))
    };
    let later_sizes = first_sizes.iter().enumerate().map(later).collect();
    let estimator = Estimator {
        plan: &plan,
        room,
        text_limits,
        allowance: &allowance,
        fan_outs: &fan_outs,
        fineness: &fineness,
        totals,
        members: members.as_ref().map(|members| members.count),
    };
    let estimate = estimator.estimate();
    Preview {
        page_cut: page_cut(&plan, limits, &first_sizes),
        learnt_cuts: learnt_cuts(&plan, &fineness),
        plan,
        first_sizes,
        later_sizes,
        estimate,
        members,
    }
}

fn learnt_cuts(plan: &Plan, fineness: &Fineness) -> Vec<LearntCut> {
    let connections = plan.connections.iter().enumerate();
    let cut = |(index, connection): (usize, &Connection)| {
        let finer = fineness.of(Some(index));
        let target = Target::of(Some(index), None, false);
        let groups = plan.pieces_of(target, finer).len();
        (finer > 0 && groups > plan.pieces_of(target, 0).len()).then(|| LearntCut {
            connection: connection.path.clone(),
            groups,
        })
    };
    connections.filter_map(cut).collect()
}

/// What earlier runs showed of the connections of each query file, by their paths.
fn learnt<T>(
    job: &SourceJob,
    settings: &RunSettings,
    queries: &[(String, T)],
) -> Result<Vec<Vec<(String, String)>>, SourceError> {
    let view = StateView::open(&SourceFolder::new(&settings.output, &job.name).own())?;
    let of_query = |(query, _): &(String, T)| {
        let learnt = view
            .as_ref()
            .map_or_else(|| Ok(Vec::new()), |view| view.learnt(query))?;
        Ok(learnt.into_iter().map(|learnt| (learnt.name, learnt.text)).collect())
    };
    queries.iter().map(of_query).collect()
}

async fn totals(endpoint: &Endpoint, query: &str, probe: &Probe) -> Result<Vec<(usize, u64)>, ApiError> {
    let RequestText { text, variables } = probe.request.clone();
    let request = GraphqlRequest {
        operation_name: None,
        query: text,
        variables,
    };
    let answer = endpoint.ask(query, &request, std::marker::PhantomData::<Value>).await?;
    Ok(probe.totals(&answer.data))
}
