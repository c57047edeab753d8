//! The export of one query file: tasks out, responses in, until every connection is read to its end.
//!
//! One task of the runtime does all of it, so that its state needs no locks; decoding and writing happen on other
//! threads ([`Sink`], [`StateStore`]), to which responses are handed over and never waited for.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt as _};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::Instant;

use crate::api::{Answer, ApiError, Effort as Spent, Endpoint, GraphqlRequest};
use crate::clock::Clock;
use crate::output::{Format, OutputError, RunId, SourceFolder};
use crate::plan::{Plan, RequestTemplate};
use crate::report::{Event, SharedObserver};
use crate::run::harvest::{Harvest, HarvestSeed};
use crate::run::intake::{PagingError, consequences};
use crate::run::sink::{Sink, SinkError, SinkOrder};
use crate::state::{
    Effort, RunKey, Sequence, StateError, StateStore, StoredResponse, TakenResponse, Task, UnfinishedRun,
};

/// Bodies that are in memory at once, over all query files of a source, in bytes. A single larger one is let through.
pub(crate) const BODY_BYTES: usize = 16 << 20;

/// Attempts at a later page that comes without its rows; an API that has begun a connection seldom means that.
const PAGE_ATTEMPTS: u32 = 3;

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
}

/// What the exports of one source share.
#[derive(Clone)]
pub(crate) struct Workplace {
    pub(crate) source: Arc<str>,
    pub(crate) endpoint: Arc<Endpoint>,
    pub(crate) state: StateStore,
    pub(crate) folder: SourceFolder,
    pub(crate) format: Format,
    pub(crate) clock: Clock,
    pub(crate) observer: SharedObserver,
    pub(crate) stop: watch::Receiver<bool>,
    /// Bytes of bodies that may be in memory.
    pub(crate) bodies: Arc<Semaphore>,
}

/// One query file and the run that it is in.
pub(crate) struct Export<'work> {
    workplace: &'work Workplace,
    /// `source/query_file`.
    name: String,
    plan: Arc<Plan>,
    key: RunKey,
    sink: Sink,
    /// Pages still to be asked for; the last is the next, so that what was begun is ended first.
    open: Vec<Task>,
    next_id: u64,
    last_sequence: Sequence,
    /// Until then the time that the export runs is noted in the state.
    noted_until: Instant,
    /// Attempts at pages that came without their rows, by task.
    broken_pages: HashMap<u64, u32>,
}

/// How the reading of all pages ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// Everything is in recorded parts.
    Done,
    /// Stopped before that.
    Stopped,
}

type Asked = (Task, Result<Answer<Harvest>, ApiError>, Spent);

impl<'work> Export<'work> {
    /// Goes on with a run where it stands; `run` is what the state knows of it.
    pub(crate) fn resume(
        workplace: &'work Workplace,
        query: &str,
        plan: Arc<Plan>,
        run: &UnfinishedRun,
        id: RunId,
    ) -> Result<Self, ExportError> {
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
            observer: Arc::clone(&workplace.observer),
        })?;
        Ok(Self {
            workplace,
            name,
            plan,
            key: run.key,
            sink,
            next_id: run.tasks.iter().map(|task| task.id).max().unwrap_or(1) + 1 + run.last_sequence,
            open: run.tasks.clone(),
            last_sequence: run.last_sequence,
            noted_until: Instant::now(),
            broken_pages: HashMap::new(),
        })
    }

    /// Reads page after page. After an error, what is in flight is still taken in, so that it need not be asked again.
    pub(crate) async fn read(mut self) -> Result<Reading, ExportError> {
        let mut in_flight: FuturesUnordered<BoxFuture<'work, Asked>> = FuturesUnordered::new();
        let mut failure: Option<ExportError> = None;
        loop {
            if failure.is_none() && !*self.workplace.stop.borrow() {
                while let Some(task) = self.open.pop() {
                    in_flight.push(self.ask(task));
                }
            }
            let Some((task, answer, spent)) = in_flight.next().await else {
                break;
            };
            let taken = match answer {
                Ok(answer) => self.take(task.clone(), answer).await,
                Err(error) => Err(error.into()),
            };
            if let Err(error) = taken {
                self.note_spent(spent).await?;
                match error {
                    ExportError::Api(ApiError::Stopped { .. }) => {}
                    ExportError::Paging(PagingError::BrokeOff { .. }) if self.may_ask_again(&task) => {
                        self.open.push(task)
                    }
                    error => {
                        failure.get_or_insert(error);
                    }
                }
            }
        }
        self.note_spent(Spent::default()).await?;
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

    /// Whether a page that came without its rows is worth another attempt.
    fn may_ask_again(&mut self, task: &Task) -> bool {
        let attempts = self.broken_pages.entry(task.id).or_insert(1);
        *attempts += 1;
        *attempts <= PAGE_ATTEMPTS
    }

    async fn note_spent(&mut self, spent: Spent) -> Result<(), StateError> {
        let effort = Effort {
            requests: spent.attempts.into(),
            retries: spent.retries.into(),
            throttles: spent.throttles.into(),
            bytes: 0,
            elapsed: self.time_since_noted(),
        };
        self.workplace.state.add_effort(self.key, effort).await
    }

    fn ask(&self, task: Task) -> BoxFuture<'work, Asked> {
        let plan = Arc::clone(&self.plan);
        let endpoint = &self.workplace.endpoint;
        let name = self.name.clone();
        Box::pin(async move {
            let template = template(&plan, task.connection);
            let request = request(&plan, template, &task);
            let mut spent = Spent::default();
            let seed = HarvestSeed(&template.probe);
            let answer = endpoint.ask_counting(&name, &request, seed, &mut spent).await;
            (task, answer, spent)
        })
    }

    /// Takes a response in: the next pages are queued at once, the body goes to the state and to the sink.
    async fn take(&mut self, task: Task, answer: Answer<Harvest>) -> Result<(), ExportError> {
        let Answer {
            data,
            errors,
            body,
            elapsed,
            effort,
            ..
        } = answer;
        let consequences = consequences(&self.plan, &task, data, &errors)?;
        for text in consequences.warnings {
            let query = Some(self.name.clone());
            self.workplace.observer.notice(&Event::Warning { query, text });
        }
        let next_tasks = consequences.next_pages.into_iter().map(|page| {
            self.next_id += 1;
            Task {
                id: self.next_id,
                connection: Some(page.connection),
                cursor: Some(page.cursor),
                position: page.position,
                trail: page.trail,
            }
        });
        let next_tasks: Vec<Task> = next_tasks.collect();
        self.open.extend(next_tasks.iter().cloned());
        self.last_sequence += 1;
        let (sequence, rows, bytes) = (self.last_sequence, consequences.rows, body.len() as u64);
        let body = self.hold(body).await;
        let stored = StoredResponse {
            sequence,
            connection: task.connection,
            position: task.position,
            body: body.clone(),
        };
        let taken = TakenResponse {
            run: self.key,
            sequence,
            task,
            body,
            rows,
            received_at: self.workplace.clock.unix_millis(),
            next_tasks,
            finished: consequences.finished,
            flaws: consequences.flaws,
            effort: Effort {
                requests: effort.attempts.into(),
                retries: effort.retries.into(),
                throttles: effort.throttles.into(),
                bytes,
                elapsed: self.time_since_noted(),
            },
        };
        self.workplace.state.take(taken).await?;
        if !self.sink.hand_over(stored).await {
            return Err(SinkError::BrokenOff.into());
        }
        self.workplace.observer.notice(&Event::PageTaken {
            query: self.name.clone(),
            rows,
            bytes,
            elapsed,
        });
        Ok(())
    }

    /// The same bytes, counted among those in memory until the last holder lets go of them.
    async fn hold(&self, body: Bytes) -> Bytes {
        let bytes = u32::try_from(body.len().min(BODY_BYTES)).unwrap_or(u32::MAX);
        match Arc::clone(&self.workplace.bodies).acquire_many_owned(bytes).await {
            Ok(permit) => Bytes::from_owner(HeldBody { body, _permit: permit }),
            // The semaphore is never closed.
            Err(_) => body,
        }
    }

    fn time_since_noted(&mut self) -> Duration {
        let now = Instant::now();
        now - std::mem::replace(&mut self.noted_until, now)
    }
}

/// A body, and its share of the memory for bodies.
struct HeldBody {
    body: Bytes,
    _permit: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for HeldBody {
    fn as_ref(&self) -> &[u8] {
        &self.body
    }
}

fn template(plan: &Plan, connection: Option<usize>) -> &RequestTemplate {
    let page = connection.and_then(|connection| plan.connections.get(connection));
    page.map_or(&plan.start, |connection| &connection.next_page)
}

fn request(plan: &Plan, template: &RequestTemplate, task: &Task) -> GraphqlRequest {
    let mut variables = template.variables.clone();
    for (name, connection) in &template.sizes {
        let size = plan.connections.get(*connection).map(|connection| connection.page_size);
        variables.extend(size.map(|size| (name.clone(), size.into())));
    }
    if let (Some(name), Some(cursor)) = (&template.cursor, &task.cursor) {
        variables.insert(name.clone(), cursor.clone().into());
    }
    // The text holds one operation, so its name need not be told; some servers refuse names of certain characters.
    GraphqlRequest {
        operation_name: None,
        query: Arc::clone(&template.text),
        variables,
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

/// Whether a folder can be written, found out before anything is asked.
pub(crate) fn check_writable(folder: &Path) -> std::io::Result<()> {
    fs_err::create_dir_all(folder)?;
    let probe = folder.join(".writable");
    fs_err::write(&probe, b"")?;
    fs_err::remove_file(&probe)
}
