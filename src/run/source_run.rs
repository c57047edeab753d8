//! All query files of one source: locked, planned against one schema, exported side by side under one limiter.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::join_all;
use secrecy::SecretString;
use tokio::sync::{Semaphore, watch};

use crate::api::{ApiError, Endpoint, ReadToken, Surroundings, Transport, TransportError};
use crate::clock::Clock;
use crate::output::{Format, RemoteSource, RunId, SourceFolder, Store, StoreAddress, StoreError};
use crate::plan::{Plan, PlanError, QueryDocument, unknown_paging_rules};
use crate::project::{OnDenied, SchemaOrigin, SourceSettings};
use crate::report::{Event, QuerySummary, SharedObserver};
use crate::run::budget::{FindBudget, open_permit_log, shared_log};
use crate::run::export::{BODY_BYTES, Workplace, make_ready};
use crate::run::going_on::GoingOn;
use crate::run::learnt::Learnt;
use crate::run::memory::read_denied;
use crate::run::outcome::QueryOutcome;
use crate::run::pace::{Aims, Knee};
use crate::run::pack::Room;
use crate::run::plans::{DeniedFields, Planner, is_still_denied, plan_all};
use crate::run::query_run::{QueryRun, describe};
use crate::run::schema::{SCHEMA_LIFE, SchemaSourceError, introspect, read_schema, stored_schema};
use crate::run::text_limits::TextLimits;
use crate::run::token_life::warning_reader;
use crate::run::turn::take_turn;
use crate::run::upstream::{Ended, Upstream};
use crate::schema::ApiSchema;
use crate::state::{StateError, StateStore, StateView, StoredSchema};

/// Sets up what carries the requests of a source: [`crate::api::HttpTransport`], or what a test puts in its place.
pub type OpenTransport = Arc<dyn Fn() -> Result<Arc<dyn Transport>, TransportError> + Send + Sync>;

/// One source and what is to be exported of it.
pub struct SourceJob {
    /// Its name.
    pub name: String,
    /// How to reach it and what it allows.
    pub settings: SourceSettings,
    /// Sets up what carries its requests.
    pub open_transport: OpenTransport,
    /// What the API is called where its schema is kept: a stand-in has another address each time.
    pub api: String,
    /// The budget that it shares with others; `None` for one that nobody else asks.
    pub budget: Option<FindBudget>,
    /// Reads the token; `None` for an API that asks for none.
    pub token: Option<ReadToken>,
    /// The values of those variables of its query files that nobody is to see.
    pub secrets: BTreeMap<String, SecretString>,
    /// The query files, each with its name.
    pub queries: Vec<(String, QueryDocument)>,
    /// The query files beside them that are not exported: values may come from what they wrote before.
    pub others: Vec<(String, QueryDocument)>,
}

/// What holds for all sources of a run.
#[derive(Clone)]
pub struct RunSettings {
    /// The output folder; for an object store the folder in which runs are worked on.
    pub output: PathBuf,
    /// Where runs are published, if that is an object store.
    pub store: Option<StoreAddress>,
    /// The format of the tables.
    pub format: Format,
    /// Values for the variables of query files.
    pub variables: BTreeMap<String, String>,
    /// Whether unfinished runs are dropped.
    pub is_fresh: bool,
    /// How long another run on the same source and output is waited for.
    pub wait: Duration,
    /// Where the permits are noted of sources that share a budget; `None`: each source has its budget for itself.
    pub budgets: Option<PathBuf>,
    /// Tells the time of day.
    pub clock: Clock,
    /// Is told everything.
    pub observer: SharedObserver,
    /// Turns true when the run is to stop.
    pub stop: watch::Receiver<bool>,
}

/// Why nothing of a source can be exported.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The output folder cannot be written.
    #[error("the output folder cannot be written: {0}; choose another with --output, or mend its permissions")]
    Output(std::io::Error),
    /// The run was stopped before it was its turn.
    #[error("stopped while it waited for another gqldump; nothing was begun")]
    Stopped,
    /// The object store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The state cannot be used.
    #[error(transparent)]
    State(#[from] StateError),
    /// What carries the requests cannot be set up.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The endpoint cannot be used.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// There is no schema.
    #[error(transparent)]
    Schema(#[from] SchemaSourceError),
}

impl SourceError {
    /// How every query file of the source ends because of it.
    pub fn outcome(&self) -> QueryOutcome {
        match self {
            Self::Api(error) | Self::Schema(SchemaSourceError::Api(error)) => match error {
                ApiError::Unauthorized(_) | ApiError::Token { .. } => QueryOutcome::NotAuthorized,
                ApiError::Stopped { .. } => QueryOutcome::Interrupted,
                _ => QueryOutcome::Failed,
            },
            Self::Schema(_) => QueryOutcome::Refused,
            Self::Stopped => QueryOutcome::Interrupted,
            Self::Output(_) | Self::Store(_) | Self::State(_) | Self::Transport(_) => QueryOutcome::Failed,
        }
    }
}

/// Exports the query files of a source. The outcomes are in the order of the query files.
pub async fn run_source(job: &SourceJob, settings: &RunSettings) -> Result<Vec<QueryOutcome>, SourceError> {
    let transport = (job.open_transport)()?;
    let folder = SourceFolder::new(&settings.output, &job.name);
    let store = settings.store.as_ref().map(Store::open).transpose()?;
    folder.create().map_err(SourceError::Output)?;
    let own_folder = folder.own();
    let _lock = take_turn(&own_folder, &job.name, settings).await?;
    make_ready(&folder).map_err(SourceError::Output)?;
    let (state, thread) = StateStore::open(&own_folder, &settings.clock)?;
    let permit_log = open_permit_log(job, settings, &own_folder).await?;
    let surroundings = Surroundings {
        transport,
        token: warning_reader(job, settings),
        secrets: job.secrets.values().cloned().collect(),
        clock: settings.clock.clone(),
        permit_log: Some(permit_log),
        observer: Arc::clone(&settings.observer),
        stop: settings.stop.clone(),
    };
    let workplace = Workplace {
        source: job.name.as_str().into(),
        endpoint: Arc::new(Endpoint::new(&job.name, &job.settings, surroundings)?),
        state,
        folder,
        remote: store.map(|store| RemoteSource::new(store, &job.name)),
        keep: job.settings.keep,
        format: settings.format,
        clock: settings.clock.clone(),
        observer: Arc::clone(&settings.observer),
        stop: settings.stop.clone(),
        bodies: Arc::new(Semaphore::new(BODY_BYTES)),
        room: Room::of(&job.settings.limits.query),
        text_limits: TextLimits::of(&job.settings.limits.query),
        concurrency: job.settings.limits.concurrency,
        aims: Aims::of(&job.settings),
        knee: Arc::new(Mutex::new(Knee::new(
            job.settings.limits.concurrency,
            !job.settings.limits.requests.is_empty(),
        ))),
        on_denied: job.settings.on_denied,
        doubts_null: job.settings.doubts_null,
    };
    let source_run = SourceRun {
        job,
        settings,
        workplace,
    };
    let outcomes = source_run.run().await;
    source_run.workplace.state.compact().await;
    drop(source_run);
    thread.join();
    outcomes
}

/// How each query file of a run ends, for those that wait for it.
struct Ends<'names>(Vec<(&'names str, watch::Sender<Option<Ended>>)>);

impl<'names> Ends<'names> {
    fn of(names: &[&'names str]) -> Self {
        Self(names.iter().map(|name| (*name, watch::Sender::new(None))).collect())
    }

    fn of_query(&self, query: &str) -> Option<watch::Receiver<Option<Ended>>> {
        let (_, sender) = self.0.iter().find(|(name, _)| *name == query)?;
        Some(sender.subscribe())
    }

    fn tell(&self, query: &str, ended: &Ended) {
        if let Some((_, sender)) = self.0.iter().find(|(name, _)| *name == query) {
            sender.send_replace(Some(ended.clone()));
        }
    }
}

struct SourceRun<'run> {
    job: &'run SourceJob,
    settings: &'run RunSettings,
    workplace: Workplace,
}

impl SourceRun<'_> {
    async fn run(&self) -> Result<Vec<QueryOutcome>, SourceError> {
        let names: Vec<&str> = self.job.queries.iter().map(|(name, _)| name.as_str()).collect();
        let new_id = self.new_id(&names).await?;
        let denied = self.denied().await?;
        let (schema, plans) = self.plans(&denied).await?;
        let going_on = GoingOn::of(&self.workplace, &names, self.settings.is_fresh, new_id).await?;
        let planned = names.iter().zip(&plans);
        let planned: Vec<_> = planned
            .filter_map(|(name, plan)| Some((*name, plan.as_ref().ok()?)))
            .collect();
        let kept = going_on.kept(&planned).await?;
        let ends = Ends::of(&names);
        let runs = names.iter().zip(plans).map(|(name, plan)| {
            let (ends, going_on, kept) = (&ends, &going_on, &kept);
            let planner = Planner {
                job: self.job,
                schema: &schema,
                variables: &self.settings.variables,
                denied: denied.clone(),
                query: name,
            };
            async move {
                let ended = match plan {
                    Ok(plan) => match kept.get(*name) {
                        Some(published) => going_on.keep(name, published).await,
                        None => self.export(planner, plan, ends, going_on).await,
                    },
                    Err(error) => self.refuse(name, &error),
                };
                ends.tell(name, &ended);
                ended.outcome
            }
        });
        Ok(join_all(runs).await)
    }

    /// Exports a query file; begun now, it belongs to the run that goes on.
    async fn export(&self, planner: Planner<'_>, plan: Plan, ends: &Ends<'_>, going_on: &GoingOn<'_>) -> Ended {
        match going_on.id_of(planner.query, &plan).await {
            Ok(id) => self.query_run(planner, plan, ends, id).run().await,
            Err(error) => self.end(planner.query, error.to_string(), QueryOutcome::Failed),
        }
    }

    /// A name for the runs that begin now, which no other run has; in an object store that is settled there.
    async fn new_id(&self, names: &[&str]) -> Result<RunId, StoreError> {
        let now = self.settings.clock.wall();
        let mut taken = BTreeSet::new();
        loop {
            let is_taken = |id: &RunId| taken.contains(id) || self.workplace.folder.has_run(id, names);
            let id = RunId::new(now, is_taken);
            let Some(remote) = &self.workplace.remote else {
                return Ok(id);
            };
            if remote.reserve(&id).await? {
                remote.release(now).await?;
                return Ok(id);
            }
            taken.insert(id);
        }
    }

    fn query_run<'run>(
        &'run self,
        planner: Planner<'run>,
        plan: Plan,
        ends: &Ends<'_>,
        new_id: RunId,
    ) -> QueryRun<'run> {
        let upstream = plan.each.clone().map(|each| {
            let mut files = self.job.queries.iter().chain(&self.job.others);
            let path = files.find(|(name, _)| *name == each.query);
            Upstream {
                ended: ends.of_query(&each.query),
                path: path.map_or_else(PathBuf::new, |(_, document)| document.path().to_owned()),
                folder: self.workplace.folder.clone(),
                each,
            }
        });
        QueryRun {
            upstream,
            workplace: &self.workplace,
            query: planner.query.to_owned(),
            plan: Arc::new(plan),
            planner,
            why_dropped: None,
            new_id,
            is_fresh: self.settings.is_fresh,
            limits: &self.job.settings.limits.requests,
        }
    }

    fn refuse(&self, name: &str, error: &PlanError) -> Ended {
        self.end(name, error.to_string(), QueryOutcome::Refused)
    }

    /// A query file that is not begun.
    fn end(&self, name: &str, error: String, outcome: QueryOutcome) -> Ended {
        self.workplace.observer.notice(&Event::QueryFailed {
            query: format!("{}/{name}", self.job.name),
            error,
            summary: QuerySummary::default(),
        });
        Ended { outcome, run: None }
    }

    /// The plans of all query files. A kept schema that a query does not fit any more is asked for again, once.
    async fn plans(&self, denied: &DeniedFields) -> Result<(ApiSchema, Vec<Result<Plan, PlanError>>), SourceError> {
        let (schema, is_kept) = match &self.job.settings.schema {
            SchemaOrigin::File(path) => (read_schema(path)?, false),
            SchemaOrigin::Introspect => match self.kept_schema().await? {
                Some(schema) => (schema, true),
                None => (self.fresh_schema().await?, false),
            },
        };
        let plans = plan_all(self.job, &schema, &self.settings.variables, denied);
        if !is_kept || plans.iter().all(Result::is_ok) {
            return Ok((schema, plans));
        }
        let text = "a query does not fit the schema of the last run, so the schema is asked for again".to_owned();
        self.workplace.observer.notice(&Event::Notice { query: None, text });
        let schema = self.fresh_schema().await?;
        let plans = plan_all(self.job, &schema, &self.settings.variables, denied);
        Ok((schema, plans))
    }

    /// The fields that are not asked for, as earlier runs showed that the token may not see them. A run that is gone on with
    /// keeps to those that it began with.
    async fn denied(&self) -> Result<DeniedFields, SourceError> {
        let mut all = DeniedFields::new();
        if self.job.settings.on_denied == OnDenied::Stop {
            return Ok(all);
        }
        let state = &self.workplace.state;
        let now = self.settings.clock.unix_millis();
        for (query, _) in &self.job.queries {
            let kept = state.learnt(query).await?;
            let mut denied = read_denied(kept.iter().map(|(name, text)| (name.as_str(), text.as_str())));
            let goes_on = !self.settings.is_fresh && state.unfinished_run(query).await?.is_some();
            denied.retain(|field| goes_on || is_still_denied(field, now));
            // Rows of another run.
            denied
                .iter_mut()
                .filter(|_| !goes_on)
                .for_each(|field| field.rows_before = 0);
            all.insert(query.clone(), denied);
        }
        Ok(all)
    }

    async fn kept_schema(&self) -> Result<Option<ApiSchema>, SourceError> {
        let Some(stored) = self.workplace.state.stored_schema(&self.job.api).await? else {
            return Ok(None);
        };
        let now = self.settings.clock.unix_millis();
        let age = Duration::from_millis(now.saturating_sub(stored.fetched_at));
        // A time to come was written by a clock that was wrong.
        if age > SCHEMA_LIFE || stored.fetched_at > now {
            return Ok(None);
        }
        Ok(stored_schema(&stored).ok())
    }

    async fn fresh_schema(&self) -> Result<ApiSchema, SourceError> {
        let limits = &self.job.settings.limits.query;
        let definition = introspect(&self.workplace.endpoint, &self.job.name, limits).await?;
        let stored = StoredSchema {
            definition,
            fetched_at: self.settings.clock.unix_millis(),
        };
        let schema = stored_schema(&stored)?;
        self.workplace.state.store_schema(&self.job.api, stored).await?;
        Ok(schema)
    }
}

/// The endpoint of a source, for a question or two.
pub(crate) fn bare_endpoint(job: &SourceJob, settings: &RunSettings) -> Result<Endpoint, SourceError> {
    let surroundings = Surroundings {
        transport: (job.open_transport)()?,
        token: job.token.clone(),
        secrets: job.secrets.values().cloned().collect(),
        clock: settings.clock.clone(),
        // A question beside a run counts as its requests do; one that cannot be noted is asked all the same.
        permit_log: shared_log(job, settings).and_then(Result::ok),
        observer: Arc::clone(&settings.observer),
        stop: settings.stop.clone(),
    };
    Ok(Endpoint::new(&job.name, &job.settings, surroundings)?)
}

/// The API's schema as text, asked for without any state.
pub(crate) async fn ask_schema(job: &SourceJob, settings: &RunSettings) -> Result<String, SourceError> {
    let limits = &job.settings.limits.query;
    Ok(introspect(&bare_endpoint(job, settings)?, &job.name, limits).await?)
}

/// The plans of a source's query files, without any state: a schema that has to be asked for is all that is asked.
pub async fn check_source(
    job: &SourceJob,
    settings: &RunSettings,
) -> Result<Vec<(String, Result<Plan, PlanError>)>, SourceError> {
    let schema = match &job.settings.schema {
        SchemaOrigin::File(path) => read_schema(path)?,
        SchemaOrigin::Introspect => stored_schema(&StoredSchema {
            definition: ask_schema(job, settings).await?,
            fetched_at: 0,
        })?,
    };
    for flaw in &schema.flaws {
        let text = format!(
            "{}: the API's schema is not valid, and used all the same: {flaw}",
            job.name
        );
        settings.observer.notice(&Event::Notice { query: None, text });
    }
    let unknown = unknown_paging_rules(&schema, &job.settings.paging);
    if !unknown.is_empty() {
        let text = format!("{}: {}", job.name, unknown.join("; "));
        settings.observer.notice(&Event::Warning { query: None, text });
    }
    let names = job.queries.iter().map(|(name, _)| name.clone());
    let denied = known_denied(job, settings)?;
    Ok(names
        .zip(plan_all(job, &schema, &settings.variables, &denied))
        .collect())
}

/// The fields that a run begun now would not ask for, as earlier runs showed that the token may not see them.
fn known_denied(job: &SourceJob, settings: &RunSettings) -> Result<DeniedFields, StateError> {
    let folder = SourceFolder::new(&settings.output, &job.name).own();
    let view = match job.settings.on_denied {
        OnDenied::LeaveOut => StateView::open(&folder)?,
        OnDenied::Stop => None,
    };
    let Some(view) = view else {
        return Ok(DeniedFields::new());
    };
    let now = settings.clock.unix_millis();
    let of_query = |(query, _): &(String, QueryDocument)| {
        let mut denied = Learnt::read(&view.learnt(query)?).denied;
        denied.retain(|field| is_still_denied(field, now));
        Ok((query.clone(), denied))
    };
    job.queries.iter().map(of_query).collect()
}

/// An error of a source in one line, with its causes.
pub fn describe_source_error(error: &SourceError) -> String {
    describe(error)
}
