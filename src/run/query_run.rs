//! One query file's run from its beginning, or from where it was interrupted, to its publication.

use std::sync::Arc;

use crate::api::ApiError;
use crate::output::RunId;
use crate::plan::{LeftOut, Plan};
use crate::project::RequestLimit;
use crate::report::{Event, QuerySummary, Resumed};
use crate::run::denied::Denial;
use crate::run::export::{Export, ExportError, Reading, Workplace};
use crate::run::memory::written_denied;
use crate::run::outcome::QueryOutcome;
use crate::run::plans::Planner;
use crate::run::publish::{FinishedRun, shortcomings, summary};
use crate::run::upstream::{Ended, Upstream};
use crate::state::{NewRun, RunStart, Stage, UnfinishedRun};

/// A query file that is ready to be exported.
pub(crate) struct QueryRun<'run> {
    pub(crate) workplace: &'run Workplace,
    /// The query file's name.
    pub(crate) query: String,
    pub(crate) plan: Arc<Plan>,
    /// Makes the plan anew where fields turn out to be denied.
    pub(crate) planner: Planner<'run>,
    /// Why a run begun with another plan is of no use, where that is known.
    pub(crate) why_dropped: Option<String>,
    /// The id that a run begun now has.
    pub(crate) new_id: RunId,
    /// Whether an unfinished run is dropped.
    pub(crate) is_fresh: bool,
    pub(crate) limits: &'run [RequestLimit],
    /// Where the values come from that it is run for, if it is run for several.
    pub(crate) upstream: Option<Upstream>,
}

impl QueryRun<'_> {
    /// Runs it, and tells how it ended.
    pub(crate) async fn run(mut self) -> Ended {
        let result = self.run_without_denied().await;
        // What was done so far is told whatever the end; without a readable state there is nothing to tell.
        let known = self.workplace.state.unfinished_run(&self.query).await.ok().flatten();
        let summary = known.map_or_else(QuerySummary::default, |run| summary(&self.plan, &run));
        let query = self.name();
        match result {
            Ok(ended) => {
                if ended.outcome == QueryOutcome::Interrupted {
                    self.tell(&Event::QueryInterrupted { query, summary });
                }
                ended
            }
            Err(error) => {
                self.tell(&Event::QueryFailed {
                    query,
                    error: describe(&error),
                    summary,
                });
                let outcome = match error {
                    ExportError::Api(ApiError::Unauthorized(_) | ApiError::Token { .. }) => QueryOutcome::NotAuthorized,
                    ExportError::NotSeen { .. } | ExportError::NotLeftOut(_) => QueryOutcome::NotAuthorized,
                    ExportError::Upstream(error) => error.outcome(),
                    _ => QueryOutcome::Failed,
                };
                Ended { outcome, run: None }
            }
        }
    }

    /// Runs it, and again without the fields that turn out to be denied, until there are no more of them.
    async fn run_without_denied(&mut self) -> Result<Ended, ExportError> {
        loop {
            match self.try_run().await {
                Err(ExportError::LeaveOut(denials)) => self.leave_out(denials).await?,
                result => return result,
            }
        }
    }

    /// Goes over to a plan without fields that the token may not see, and keeps them for the next run.
    async fn leave_out(&mut self, denials: Vec<Denial>) -> Result<(), ExportError> {
        let now = self.workplace.clock.unix_millis();
        let left = self.planner.without(&denials, now);
        if left.is_err() {
            self.drop_if_empty().await?;
        }
        let (denied, mut plan) = left?;
        self.planner.denied = denied;
        self.note_rows_before(&mut plan, &denials).await?;
        let kept = written_denied(self.planner.denied()).into_iter().collect();
        self.workplace.state.store_learnt(&self.query, kept, now).await?;
        denials.iter().for_each(|denial| self.warn(told(denial, &plan)));
        let paths: Vec<String> = denials.iter().map(|denial| format!("`{}`", denial.path)).collect();
        self.why_dropped = Some(match plan.tables == self.plan.tables {
            true => format!("{} is asked for otherwise from now on", paths.join(", ")),
            false => format!("without {} its tables are others", paths.join(", ")),
        });
        self.plan = Arc::new(plan);
        Ok(())
    }

    /// Notes how many rows came before fields were left out; none, where they are dropped.
    async fn note_rows_before(&mut self, plan: &mut Plan, denials: &[Denial]) -> Result<(), ExportError> {
        let goes_on = plan.fingerprint == self.plan.fingerprint;
        let run = self.workplace.state.unfinished_run(&self.query).await?;
        let tallies = run.map(|run| run.tallies).unwrap_or_default();
        for LeftOut { field, table } in &mut plan.left_out {
            let is_of_table = |index: &usize| self.plan.connections.get(*index).map(|one| one.table) == *table;
            let came = || tallies.iter().find(|(index, _)| is_of_table(index));
            field.rows_before = match denials.iter().any(|denial| denial.path == field.path) {
                _ if !goes_on => 0,
                true => came().map_or(0, |(_, tally)| tally.rows),
                false => field.rows_before,
            };
        }
        self.planner.note_left_out(&plan.left_out);
        Ok(())
    }

    /// A run of which nothing is left to be asked for, and whose answers hold no row, is no beginning for another token's.
    async fn drop_if_empty(&self) -> Result<(), ExportError> {
        match self.workplace.state.unfinished_run(&self.query).await? {
            Some(run) if run.rows == 0 && run.last_sequence > 0 => self.drop_run(&run).await,
            _ => Ok(()),
        }
    }

    async fn try_run(&self) -> Result<Ended, ExportError> {
        let (run, resumed) = self.begin().await?;
        let id: RunId = run.name.parse().unwrap_or_else(|_| self.new_id.clone());
        self.tell(&Event::QueryStarted {
            query: self.name(),
            run: id.to_string(),
            resumed,
        });
        if run.stage == Stage::Open {
            self.workplace.folder.refuse_published(&id, &self.query)?;
            let plan = Arc::clone(&self.plan);
            let export = Export::resume(self.workplace, &self.planner, plan, &run, id.clone()).await?;
            if export.read().await? == Reading::Stopped {
                return Ok(Ended {
                    outcome: QueryOutcome::Interrupted,
                    run: None,
                });
            }
            self.refuse_if_nothing_came().await?;
            self.workplace.state.begin_publishing(run.key).await?;
        }
        let outcome = self.publish(&id).await?;
        Ok(Ended { outcome, run: Some(id) })
    }

    /// A run all of whose members failed asks for them again.
    async fn ask_again(&self, run: UnfinishedRun) -> Result<UnfinishedRun, ExportError> {
        if !has_nothing(&run) {
            return Ok(run);
        }
        let state = &self.workplace.state;
        state.ask_members_again(run.key, self.plan.roots_of_member()).await?;
        let again = state.unfinished_run(&self.query).await?;
        again.ok_or_else(|| state.lost_run(&self.query).into())
    }

    /// A run all of whose members failed, and that has no row, is no result; the next one asks for them again.
    async fn refuse_if_nothing_came(&self) -> Result<(), ExportError> {
        let Some(run) = self.workplace.state.unfinished_run(&self.query).await? else {
            return Ok(());
        };
        let members = &run.members;
        let Some((value, reason)) = members.failures.first().filter(|_| has_nothing(&run)) else {
            return Ok(());
        };
        let error = ExportError::AllMembersFailed {
            members: members.all,
            value: value.to_string(),
            reason: reason.clone(),
        };
        Err(error)
    }

    async fn publish(&self, id: &RunId) -> Result<QueryOutcome, ExportError> {
        let state = &self.workplace.state;
        let Some(run) = state.unfinished_run(&self.query).await? else {
            return Ok(QueryOutcome::Complete);
        };
        let finished = FinishedRun {
            workplace: self.workplace,
            query: &self.query,
            plan: &self.plan,
            run: &run,
            id,
            limits: self.limits,
        };
        finished.publish().await?;
        state.finish_run(run.key).await?;
        self.workplace.remove_old_runs(&self.query).await;
        self.tell(&Event::QueryPublished {
            query: self.name(),
            summary: summary(&self.plan, &run),
        });
        Ok(if shortcomings(&self.plan, &run).is_empty() {
            QueryOutcome::Complete
        } else {
            QueryOutcome::Incomplete
        })
    }

    /// The unfinished run if it can be gone on with, else a new one.
    async fn begin(&self) -> Result<(UnfinishedRun, Option<Resumed>), ExportError> {
        let mut spent = None;
        if let Some(run) = self.workplace.state.unfinished_run(&self.query).await? {
            let Some(reason) = self.reason_to_drop(&run) else {
                let run = self.ask_again(run).await?;
                let resumed = Resumed {
                    responses: run.last_sequence,
                    rows: run.rows,
                    since: std::time::UNIX_EPOCH + std::time::Duration::from_millis(run.started_at),
                };
                return Ok((run, Some(resumed)));
            };
            self.drop_run(&run).await?;
            // What was spent to find out what is denied is a part of what the run took.
            spent = self.why_dropped.is_some().then_some(run.effort);
            let (name, responses) = (&run.name, run.last_sequence);
            // One that was begun a moment ago and has nothing is no loss.
            if self.why_dropped.is_none() || responses > 0 {
                self.warn(format!(
                    "the unfinished run {name} is dropped, with {responses} responses: {reason}"
                ));
            }
        }
        let run = self.begin_anew().await?;
        if let Some(effort) = spent {
            self.workplace.state.add_effort(run.key, effort).await?;
        }
        Ok((run, None))
    }

    fn reason_to_drop(&self, run: &UnfinishedRun) -> Option<String> {
        // What this process began itself is what was asked for.
        if self.is_fresh && self.why_dropped.is_none() {
            return Some("--fresh".to_owned());
        }
        if let Some(difference) = self.plan.fingerprint.difference(&run.fingerprint) {
            return Some(self.why_dropped.clone().unwrap_or(difference));
        }
        let format = self.workplace.format.to_string();
        (run.format != format).then(|| format!("it writes {}, and {format} is asked for", run.format))
    }

    async fn drop_run(&self, run: &UnfinishedRun) -> Result<(), ExportError> {
        if let Ok(id) = run.name.parse::<RunId>() {
            let names = self
                .plan
                .tables
                .iter()
                .flat_map(|table| [table.name.clone(), table.name.rejects()]);
            let recorded = run
                .parts
                .iter()
                .filter_map(|part| crate::plan::TableName::new(part.table.as_str()));
            let tables: Vec<_> = names.chain(recorded).collect();
            for table in &tables {
                self.workplace.folder.remove_leftovers(&id, table, &[])?;
            }
            match self.workplace.remote {
                // What was to go up, and does not any more, is no run to take values from.
                Some(_) => self.workplace.folder.remove_moved(&id, &self.query, &tables)?,
                None => self.workplace.folder.remove_unpublished(&id, &self.query, &tables)?,
            }
        }
        Ok(self.workplace.state.drop_run(run.key).await?)
    }

    async fn begin_anew(&self) -> Result<UnfinishedRun, ExportError> {
        let members = match &self.upstream {
            Some(upstream) => Some(upstream.members().await?),
            None => None,
        };
        let roots = self.plan.roots_of_member();
        let start = match &members {
            Some(members) => RunStart::Members {
                values: &members.values,
                roots: &roots,
                flaw: members.flaw.as_deref(),
            },
            None if self.plan.member_roots.is_empty() => RunStart::Whole,
            None => RunStart::Roots(self.plan.member_roots.len()),
        };
        let state = &self.workplace.state;
        let name = self.new_id.to_string();
        let format = self.workplace.format.to_string();
        let fingerprint = self.plan.fingerprint.written();
        let run = NewRun {
            query: &self.query,
            name: &name,
            fingerprint: &fingerprint,
            format: &format,
            started_at: self.workplace.clock.unix_millis(),
        };
        state.begin_run(run, start).await?;
        let begun = state.unfinished_run(&self.query).await?;
        begun.ok_or_else(|| state.lost_run(&self.query).into())
    }

    fn name(&self) -> String {
        format!("{}/{}", self.workplace.source, self.query)
    }

    fn warn(&self, text: String) {
        let query = Some(self.name());
        self.tell(&Event::Warning { query, text });
    }

    fn tell(&self, event: &Event) {
        self.workplace.observer.notice(event);
    }
}

/// What becomes of a field, and why.
fn told(denial: &Denial, plan: &Plan) -> String {
    let Denial {
        path,
        cause,
        is_in_rows,
        is_failing,
    } = denial;
    let what = match (plan.is_left_out(path), is_in_rows) {
        (true, false) if *is_failing => ", and it is left out",
        (true, false) => ", which is left out",
        (true, true) => " in some rows, and it is left out of all, as there is no way to ask the others for it",
        (false, _) => " in some rows, and it is asked for apart",
    };
    match is_failing {
        true => format!("`{path}` fails each time{what}: {cause}"),
        false => format!("the token may not see `{path}`{what}: {cause}"),
    }
}

/// Whether all values failed that a run was for, without any row.
fn has_nothing(run: &UnfinishedRun) -> bool {
    run.members.all > 0 && run.members.failed == run.members.all && run.rows == 0
}

/// An error with its causes, in one line.
pub(crate) fn describe(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        // Messages often carry their cause's already.
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}
