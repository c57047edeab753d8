//! The export of one query file: tasks out, responses in, until every connection is read to its end.
//!
//! One task of the runtime does all of it, so that its state needs no locks; decoding and writing happen on other
//! threads ([`Sink`], [`StateStore`]), to which responses are handed over and never waited for.

mod alone;
mod asking;
mod behind;
mod denying;
mod failing;
mod given_up;
mod joining;
mod lanes;
mod lone;
mod lone_lacks;
mod nameless;
mod pacing;
mod refused;
mod refused_row;
mod sending;
mod taking;
mod untold;

use std::collections::{HashMap, HashSet};
use std::num::NonZeroU32;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt as _};
use tokio::sync::{Semaphore, watch};
use tokio::time::Instant;

use crate::api::{ApiError, Effort as Spent, Endpoint};
use crate::clock::Clock;
use crate::output::{Format, KeepError, OutputError, RemoteSource, RunId, SourceFolder, StoreError, remove_old_runs};
use crate::plan::{Connection, Plan, PlanError};
use crate::project::OnDenied;
use crate::report::{Event, SharedObserver};
use crate::run::company::Company;
use crate::run::denied::{Denial, FailedPlace};
use crate::run::export::alone::Alone;
use crate::run::export::joining::Response;
use crate::run::export::lanes::Flying;
use crate::run::export::sending::{Sent, Setback};
use crate::run::export::untold::Untold;
use crate::run::fan_out::FanOut;
use crate::run::fineness::Fineness;
use crate::run::frontier::Frontier;
use crate::run::harvest::Look;
use crate::run::lookups::Lookups;
use crate::run::memory::{Memory, Remembered};
use crate::run::pace::{Aims, Knee, Pace, Split};
use crate::run::pack::Room;
use crate::run::plans::Planner;
use crate::run::query_run::describe;
use crate::run::seen::Seen;
use crate::run::sink::{Sink, SinkError, SinkOrder};
use crate::run::text_limits::TextLimits;
use crate::run::turning::PagingError;
use crate::run::upstream::UpstreamError;
use crate::schema::Style;
use crate::state::{BegunRequest, Effort, RunKey, Sequence, StateError, StateStore, UnfinishedRun};

/// Bodies that are in memory at once, over all query files of a source, in bytes. A single larger one is let through.
pub(crate) const BODY_BYTES: usize = 16 << 20;

/// How often what a run shows is kept for the next one: what a killed run had found out is not found out again.
const KEEP_EVERY: Duration = Duration::from_secs(5);

/// Why an export did not get to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExportError {
    #[error(transparent)]
    Api(#[from] ApiError),
    #[error(transparent)]
    Paging(#[from] PagingError),
    #[error(transparent)]
    State(#[from] StateError),
    #[error(transparent)]
    Sink(#[from] SinkError),
    #[error(transparent)]
    Output(#[from] OutputError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Upstream(#[from] UpstreamError),
    /// The export goes on with another plan.
    #[error("fields that the token may not see are to be left out")]
    LeaveOut(Vec<Denial>),
    #[error("the token may not see `{path}`{}; {remedy}", said(cause))]
    NotSeen {
        path: String,
        /// What the API said.
        cause: String,
        remedy: &'static str,
    },
    /// Leaving out what the token may not see leaves nothing, or nothing that rows are told by.
    #[error(transparent)]
    NotLeftOut(PlanError),
    #[error("all {members} values failed, the first of them, {value}: {reason}")]
    AllMembersFailed {
        members: u64,
        value: String,
        reason: String,
    },
}

fn said(cause: &str) -> String {
    match cause {
        "" => String::new(),
        cause => format!(" ({cause})"),
    }
}

/// What the exports of one source share.
#[derive(Clone)]
pub(crate) struct Workplace {
    pub(crate) source: Arc<str>,
    pub(crate) endpoint: Arc<Endpoint>,
    pub(crate) state: StateStore,
    pub(crate) folder: SourceFolder,
    /// Where runs are published besides, for an output that is an object store.
    pub(crate) remote: Option<RemoteSource>,
    /// How many complete runs of each query file are kept, if not all.
    pub(crate) keep: Option<NonZeroU32>,
    pub(crate) format: Format,
    pub(crate) clock: Clock,
    pub(crate) observer: SharedObserver,
    pub(crate) stop: watch::Receiver<bool>,
    /// Bytes of bodies that may be in memory.
    pub(crate) bodies: Arc<Semaphore>,
    /// What one request has room for.
    pub(crate) room: Room,
    /// How much the text of one request may say.
    pub(crate) text_limits: TextLimits,
    /// Requests of one query file in flight at once.
    pub(crate) concurrency: usize,
    /// What is wanted of response times and sizes.
    pub(crate) aims: Aims,
    /// What is done about a field that the token may not see.
    pub(crate) on_denied: OnDenied,
    /// Whether null in the place of all rows is no answer of the API.
    pub(crate) doubts_null: bool,
    /// How many requests in flight the source takes.
    pub(crate) knee: Arc<Mutex<Knee>>,
}

impl Workplace {
    /// Removes the runs of a query file that the newest one leaves behind those that are kept. Of an object store, this
    /// machine keeps a copy of the newest complete run alone, as other query files may take their values from it.
    pub(crate) async fn remove_old_runs(&self, query: &str) {
        if let Err(error) = self.try_to_remove_old_runs(query).await {
            let text = format!("old runs are still there: {}", describe(&error));
            let query = Some(format!("{}/{query}", self.source));
            self.observer.notice(&Event::Warning { query, text });
        }
    }

    async fn try_to_remove_old_runs(&self, query: &str) -> Result<(), KeepError> {
        let Some(remote) = &self.remote else {
            return self
                .keep
                .map_or(Ok(()), |keep| remove_old_runs(&self.folder, query, keep));
        };
        remove_old_runs(&self.folder, query, NonZeroU32::MIN)?;
        match self.keep {
            Some(keep) => Ok(remote.remove_old_runs(query, keep).await?),
            None => Ok(()),
        }
    }

    /// Changes how many requests in flight the source takes, for all of its exports.
    pub(crate) fn steer(&self, change: impl FnOnce(&mut Knee)) {
        let mut knee = self.knee();
        knee.note_throttles(*self.endpoint.throttles().borrow());
        change(&mut knee);
        self.endpoint.bear(knee.limit());
    }

    /// How many requests in flight the source takes.
    pub(crate) fn knee(&self) -> MutexGuard<'_, Knee> {
        self.knee.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One query file and the run that it is in.
pub(crate) struct Export<'work> {
    workplace: &'work Workplace,
    /// Tells whether anything is left to be asked for without a field.
    planner: &'work Planner<'work>,
    /// The query file's name.
    query: String,
    /// `source/query_file`.
    name: String,
    plan: Arc<Plan>,
    key: RunKey,
    sink: Sink,
    /// Requests of which a part came before the run was interrupted.
    begun: Vec<BegunRequest>,
    frontier: Frontier,
    seen: Seen,
    fan_outs: Vec<FanOut>,
    pace: Pace,
    /// How finely the columns of rows are cut.
    fineness: Fineness,
    flying: Flying,
    /// How the work goes out that is at hand since the last answer, and the group of tasks that it is.
    split: Option<(u64, Split)>,
    /// The largest pages that came full, by connection.
    honoured: Vec<u32>,
    /// The rows of the last first page that was shorter than asked for though its total says that there are more, by
    /// connection.
    short_firsts: Vec<u32>,
    /// What the engine looks at in the rows of each connection.
    looks: Arc<[Look]>,
    next_id: u64,
    last_sequence: Sequence,
    begun_at: Instant,
    /// Until then the time that the export runs is noted in the state.
    noted_until: Instant,
    /// When what the run showed was last kept for the next one.
    learnt_at: Instant,
    /// Attempts at pages that did not bring what was asked for, by task.
    failed_attempts: HashMap<u64, u32>,
    /// Where fields failed that took more with them than themselves.
    failed_places: HashSet<FailedPlace>,
    /// Whether fields that fail were asked for apart in vain, in each answer.
    is_apart_in_vain: bool,
    /// Requests that were refused for their cursors since one of a connection that was not begun again was taken.
    cursors_refused: u32,
    /// Connections whose cursors have expired.
    restarted: HashSet<Option<usize>>,
    /// Which tasks may share a request.
    company: Company,
    /// What is asked for again alone.
    alone: Alone,
    /// Lists that come as nothing but errors.
    untold: Untold,
    /// Pages that were given up since one of the same connection was answered.
    given_up: HashMap<Option<usize>, u32>,
    /// Rows that were left out since one of the same list was answered, by connection and instance.
    left_out: HashMap<(Option<usize>, u64), u32>,
    /// Fields that are asked for in vain.
    denied_everywhere: Vec<Denial>,
    /// Rows that were given up since a response had none of them, by connection.
    rows_given_up: HashMap<usize, u32>,
    /// Rows that may be asked by themselves in one request, as far as failures show.
    lookups: Arc<Mutex<Lookups>>,
    /// Connections of which a single row was refused in words that tell nothing.
    refused_singly: HashSet<Option<usize>>,
    /// How often a cap on the rows of a page was learnt, and once more.
    caps_learnt: u64,
    /// Whether denials that name no field were found to be for rows, or for all that is asked for.
    denials_are_of_rows: Arc<AtomicBool>,
    /// Rows one after the other that had no answer when they were asked by themselves.
    lookups_lost: u64,
}

/// How the reading of all pages ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// Everything is in recorded parts.
    Done,
    /// Stopped before that.
    Stopped,
}

type Asked = (Sent, Result<Response, Setback>, Spent);

impl<'work> Export<'work> {
    /// Goes on with a run where it stands; `run` is what the state knows of it.
    pub(crate) async fn resume(
        workplace: &'work Workplace,
        planner: &'work Planner<'work>,
        plan: Arc<Plan>,
        run: &UnfinishedRun,
        id: RunId,
    ) -> Result<Self, ExportError> {
        let query = planner.query;
        let name = format!("{}/{query}", workplace.source);
        let sink = Sink::start(SinkOrder {
            key: run.key,
            metadata: metadata(&name, &id, &plan),
            run: id,
            query: name.clone(),
            plan: Arc::clone(&plan),
            format: workplace.format,
            folder: workplace.folder.clone(),
            parts: run.parts.clone(),
            through: run.through,
            last_stored: run.last_sequence,
            state: workplace.state.clone(),
            clock: workplace.clock.clone(),
            observer: Arc::clone(&workplace.observer),
        })?;
        workplace.state.release_tasks(run.key).await?;
        let learnt = workplace.state.learnt(query).await?;
        let Memory {
            fan_outs,
            pace,
            fineness,
            bearing,
            lookups,
        } = Memory::read(&plan, &learnt, workplace.clock.unix_millis());
        if let Some(bearing) = bearing {
            workplace.steer(|knee| knee.recall(bearing));
        }
        Ok(Self {
            workplace,
            planner,
            query: query.to_owned(),
            name,
            key: run.key,
            sink,
            begun: workplace.state.begun_requests(run.key).await?,
            frontier: Frontier::of_state(),
            seen: Seen::of_state(workplace.state.clone(), run.key).await?,
            fan_outs,
            pace,
            fineness,
            flying: Flying::default(),
            split: None,
            honoured: vec![0; plan.connections.len()],
            short_firsts: vec![0; plan.connections.len()],
            looks: plan.connections.iter().map(look).collect(),
            plan,
            next_id: run.last_task,
            last_sequence: run.last_sequence,
            begun_at: Instant::now(),
            noted_until: Instant::now(),
            learnt_at: Instant::now(),
            failed_attempts: HashMap::new(),
            failed_places: HashSet::new(),
            is_apart_in_vain: true,
            cursors_refused: 0,
            restarted: HashSet::new(),
            company: Company::default(),
            alone: Alone::default(),
            untold: Untold::default(),
            given_up: HashMap::new(),
            left_out: HashMap::new(),
            denied_everywhere: Vec::new(),
            rows_given_up: HashMap::new(),
            lookups: Arc::new(Mutex::new(lookups)),
            refused_singly: HashSet::new(),
            caps_learnt: 1,
            denials_are_of_rows: Arc::default(),
            lookups_lost: 0,
        })
    }

    /// Reads page after page. After an error, what is in flight is still taken in, so that it need not be asked again.
    pub(crate) async fn read(mut self) -> Result<Reading, ExportError> {
        let mut in_flight: FuturesUnordered<BoxFuture<'work, Asked>> = FuturesUnordered::new();
        let mut failure: Option<ExportError> = None;
        loop {
            if failure.is_none() && !*self.workplace.stop.borrow() {
                self.fetch_tasks().await?;
                self.divide_last().await?;
                self.split = None;
                while let Some(sent) = self.next_request() {
                    self.flying.take_off(&sent);
                    in_flight.push(self.ask(sent));
                }
            }
            let Some((sent, answer, spent)) = self.next_of(&mut in_flight).await else {
                break;
            };
            // What has come has left its place.
            let is_full = self.workplace.endpoint.in_flight() + 1 >= self.workplace.knee().limit();
            let is_busy = is_full || self.flying.all() >= self.places();
            self.flying.land(&sent);
            self.pace.land(&sent.load);
            self.pace.bounds().land(sent.standing);
            self.land_alone(&sent, answer.is_ok());
            let taken = match answer {
                Ok(response) => {
                    self.note_pace(&sent, &response, is_busy);
                    self.take(&sent, response).await.map_err(Setback::from)
                }
                Err(setback) => Err(setback),
            };
            if let Err(setback) = taken {
                self.note_spent(spent).await?;
                match self.recover(sent, setback).await {
                    Err(ExportError::Api(ApiError::Stopped { .. })) | Ok(()) => {}
                    Err(error) => failure = Some(first_failure(failure, error)),
                }
            }
            if self.learnt_at.elapsed() >= KEEP_EVERY {
                self.keep_learnt().await?;
            }
            if !self.denied_everywhere.is_empty() {
                let error = ExportError::LeaveOut(std::mem::take(&mut self.denied_everywhere));
                failure = Some(first_failure(failure, error));
            }
        }
        self.end_alone();
        self.note_spent(Spent::default()).await?;
        self.keep_learnt().await?;
        let is_stopped = *self.workplace.stop.borrow();
        match failure {
            None if !is_stopped => self.sink.end().await.map(|()| Reading::Done).map_err(Into::into),
            None => self.sink.leave().await.map(|()| Reading::Stopped).map_err(Into::into),
            // The reason of a sink that gave up says more than what its end led to.
            Some(ExportError::Sink(SinkError::BrokenOff)) => Err(self
                .sink
                .leave()
                .await
                .map_or_else(Into::into, |()| SinkError::BrokenOff.into())),
            Some(error) => Err(self.sink.leave().await.map_or_else(Into::into, |()| error)),
        }
    }

    /// What comes of the next of the requests in flight. Where the API asks to slow down meanwhile, those that wait to be sent
    /// again are held back at once.
    async fn next_of(&self, in_flight: &mut FuturesUnordered<BoxFuture<'work, Asked>>) -> Option<Asked> {
        let mut throttles = self.workplace.endpoint.throttles();
        loop {
            tokio::select! {
                asked = in_flight.next() => return asked,
                Ok(()) = throttles.changed() => self.workplace.steer(|_| ()),
            }
        }
    }

    async fn fetch_tasks(&mut self) -> Result<(), StateError> {
        let wanted = self.frontier.wanted();
        if wanted > 0 {
            let tasks = self.workplace.state.fetch_tasks(self.key, wanted).await?;
            self.frontier.take_in(tasks, wanted);
        }
        Ok(())
    }

    async fn note_spent(&mut self, spent: Spent) -> Result<(), StateError> {
        let effort = self.effort(spent, 0);
        self.workplace.state.add_effort(self.key, effort).await
    }

    /// Keeps for the next run what this one showed.
    async fn keep_learnt(&mut self) -> Result<(), StateError> {
        self.learnt_at = Instant::now();
        let lookups = self.lookups.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let shown = Remembered {
            fan_outs: &self.fan_outs,
            pace: &self.pace,
            fineness: &self.fineness,
            bearing: self.workplace.knee().bearing(),
            lookups: &lookups,
        };
        let learnt = Memory::write(&self.plan, shown);
        let now = self.workplace.clock.unix_millis();
        self.workplace.state.store_learnt(&self.query, learnt, now).await
    }

    fn warn(&self, text: String) {
        let query = Some(self.name.clone());
        self.workplace.observer.notice(&Event::Warning { query, text });
    }

    /// What was spent since that was last noted, with so many bytes received.
    fn effort(&mut self, spent: Spent, bytes: u64) -> Effort {
        Effort {
            requests: spent.attempts.into(),
            retries: spent.retries.into(),
            throttles: spent.throttles.into(),
            bytes,
            elapsed: self.time_since_noted(),
        }
    }

    fn time_since_noted(&mut self) -> Duration {
        let now = Instant::now();
        now - std::mem::replace(&mut self.noted_until, now)
    }
}

/// What an export ends for: the first that went wrong, and all fields that are to be left out.
fn first_failure(first: Option<ExportError>, error: ExportError) -> ExportError {
    match (first, error) {
        (None, error) | (Some(ExportError::LeaveOut(_)), error @ ExportError::NotSeen { .. }) => error,
        (Some(ExportError::LeaveOut(mut denials)), ExportError::LeaveOut(more)) => {
            let news = more
                .into_iter()
                .filter(|denial| denials.iter().all(|known| known.path != denial.path));
            let news: Vec<Denial> = news.collect();
            denials.extend(news);
            ExportError::LeaveOut(denials)
        }
        (Some(first), _) => first,
    }
}

/// What the footer of each Parquet file says of its origin.
fn metadata(query: &str, run: &RunId, plan: &Plan) -> Vec<(String, String)> {
    let entry = |key: &str, value: &str| (format!("gqldump.{key}"), value.to_owned());
    vec![
        entry("version", env!("CARGO_PKG_VERSION")),
        entry("query", query),
        entry("run", &run.to_string()),
        entry("query_hash", plan.fingerprint.as_str()),
    ]
}

/// Whether a folder can be written, and what stands in it outlives the machine: found out before anything is asked, by
/// whoever has the lock, as two would take each other's files away.
pub(crate) fn make_ready(folder: &SourceFolder) -> std::io::Result<()> {
    folder.sync()?;
    let probe = folder.path().join(".writable");
    fs_err::write(&probe, b"")?;
    fs_err::remove_file(&probe)
}

/// What the engine looks at in the rows of a connection: cursors tell pages apart, other positions do not.
fn look(connection: &Connection) -> Look {
    let by_cursor = matches!(
        connection.paged.pager.style(),
        Style::Relay | Style::FlatCursor | Style::MovingCursor | Style::Capped | Style::Reverse
    );
    Look {
        key: connection.page_key.clone(),
        digest: !by_cursor,
    }
}
