//! The runs that go on when a source is exported, and what belongs to them: query files that they have published already
//! are not asked for again, and those that they have not begun become part of them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::output::{Manifest, ManifestTable, PublishedRun, RunId};
use crate::plan::Plan;
use crate::report::{Event, QuerySummary, TableSummary};
use crate::run::export::Workplace;
use crate::run::outcome::QueryOutcome;
use crate::run::upstream::Ended;
use crate::state::{KnownExport, StateError};

/// How long what was published counts as done when the run goes on that it belongs to: less than the day between two nightly
/// runs, as a query file that never gets to its end must not keep the others from being exported.
const PUBLISHED_LIFE: Duration = Duration::from_hours(20);

/// The runs of the selected query files that are not finished.
pub(crate) struct GoingOn<'run> {
    workplace: &'run Workplace,
    runs: BTreeSet<RunId>,
    /// The newest of them, if it was begun a short while ago.
    newest: Option<RunId>,
    /// The id of a run that is none of them.
    new_id: RunId,
}

impl<'run> GoingOn<'run> {
    /// Those of query files; none where unfinished runs are dropped.
    pub(crate) async fn of(
        workplace: &'run Workplace,
        queries: &[&str],
        is_fresh: bool,
        new_id: RunId,
    ) -> Result<Self, StateError> {
        let mut runs = BTreeSet::new();
        let mut newest = None;
        let now = workplace.clock.wall();
        for query in queries.iter().filter(|_| !is_fresh) {
            let Some(unfinished) = workplace.state.unfinished_run(query).await? else {
                continue;
            };
            let Ok(id) = unfinished.name.parse::<RunId>() else {
                continue;
            };
            if is_recent(UNIX_EPOCH + Duration::from_millis(unfinished.started_at), now) {
                newest = newest.max(Some(id.clone()));
            }
            runs.insert(id);
        }
        Ok(Self {
            workplace,
            runs,
            newest,
            new_id,
        })
    }

    /// What an export of a query file that is begun now is called: as the run that goes on, so that it counts as part of it,
    /// unless that has one already or a later one was published.
    pub(crate) async fn id_of(&self, query: &str, plan: &Plan) -> Result<RunId, StateError> {
        let Some(run) = &self.newest else {
            return Ok(self.new_id.clone());
        };
        let tables = plan.tables.iter().map(|table| table.name.to_string());
        let has_it = tables
            .chain([query.to_owned()])
            .any(|name| self.workplace.folder.published(run, &name).exists());
        let last = self.workplace.state.last_published(query).await?;
        let has_later = last.and_then(|last| last.name.parse::<RunId>().ok()) >= Some(run.clone());
        let id = if has_it || has_later { &self.new_id } else { run };
        Ok(id.clone())
    }

    /// What the runs have published already of these query files. One that takes its values from another is exported again
    /// with that one.
    pub(crate) async fn kept(&self, plans: &[(&str, &Plan)]) -> Result<BTreeMap<String, PublishedRun>, StateError> {
        let mut kept = BTreeMap::new();
        for (query, plan) in plans {
            let published = self.published(query, plan).await?;
            kept.extend(published.map(|published| ((*query).to_owned(), published)));
        }
        let is_selected = |query: &str| plans.iter().any(|(selected, _)| *selected == query);
        let is_stale = |kept: &BTreeMap<String, PublishedRun>, plan: &Plan| {
            let upstream = plan.each.as_ref().map(|each| each.query.as_str());
            upstream.is_some_and(|query| is_selected(query) && !kept.contains_key(query))
        };
        // Each round finds what stands behind what the round before has found.
        for _ in plans {
            for (query, _) in plans
                .iter()
                .filter(|(_, plan)| is_stale(&kept, plan))
                .collect::<Vec<_>>()
            {
                kept.remove(*query);
            }
        }
        Ok(kept)
    }

    /// What one of the runs published of a query file, if that is what would be asked for now.
    async fn published(&self, query: &str, plan: &Plan) -> Result<Option<PublishedRun>, StateError> {
        if self.runs.is_empty() || self.workplace.state.unfinished_run(query).await?.is_some() {
            return Ok(None);
        }
        let Some(last) = self.workplace.state.last_published(query).await? else {
            return Ok(None);
        };
        let run = last.name.parse::<RunId>().ok().filter(|run| self.runs.contains(run));
        let Some(run) = run.filter(|_| self.is_the_same(&last, plan)) else {
            return Ok(None);
        };
        let published = match PublishedRun::find(&self.workplace.folder, query, &run) {
            Ok(published) => published,
            Err(error) => {
                self.warn_of_anew(query, &run, &error.to_string());
                None
            }
        };
        let now = self.workplace.clock.wall();
        let is_recent = |manifest: &Manifest| manifest.finished_at().is_some_and(|finished| is_recent(finished, now));
        let Some(published) = published.filter(|published| is_recent(&published.manifest)) else {
            return Ok(None);
        };
        // What lost files after it was published has fewer rows than its manifest tells.
        if let Some(path) = published.lost_part() {
            self.warn_of_anew(query, &run, &format!("`{}` is gone or cut short", path.display()));
            return Ok(None);
        }
        Ok(Some(published))
    }

    fn warn_of_anew(&self, query: &str, run: &RunId, cause: &str) {
        self.workplace.observer.notice(&Event::Warning {
            query: Some(format!("{}/{query}", self.workplace.source)),
            text: format!("what run {run} published is not whole, and is exported anew: {cause}"),
        });
    }

    fn is_the_same(&self, last: &KnownExport, plan: &Plan) -> bool {
        plan.fingerprint.difference(&last.fingerprint).is_none() && last.format == self.workplace.format.to_string()
    }

    /// Tells what was published before, and what that is for the run as a whole. What was to be removed behind it may be
    /// there still.
    pub(crate) async fn keep(&self, query: &str, published: &PublishedRun) -> Ended {
        self.workplace.remove_old_runs(query).await;
        let manifest = &published.manifest;
        self.workplace.observer.notice(&Event::QueryKept {
            query: format!("{}/{query}", self.workplace.source),
            run: manifest.run.clone(),
            summary: QuerySummary {
                tables: manifest.tables.iter().map(table_summary).collect(),
                incomplete: manifest.incomplete.clone(),
                ..QuerySummary::default()
            },
        });
        Ended {
            outcome: match manifest.complete {
                true => QueryOutcome::Complete,
                false => QueryOutcome::Incomplete,
            },
            run: manifest.run.parse().ok(),
        }
    }
}

/// A time to come was written by a clock that was wrong.
fn is_recent(time: SystemTime, now: SystemTime) -> bool {
    now.duration_since(time).is_ok_and(|age| age < PUBLISHED_LIFE)
}

fn table_summary(table: &ManifestTable) -> TableSummary {
    TableSummary {
        table: table.name.clone(),
        rows: table.rows,
        rejected: table.rejected,
        parts: table.parts.len() as u64,
        bytes: table.bytes,
    }
}
