//! The export of one query file: tasks out, responses in, until every connection is read to its end.
//!
//! One task of the runtime does all of it, so that its state needs no locks; decoding and writing happen on other
//! threads ([`Sink`], [`StateStore`]), to which responses are handed over and never waited for.

mod restart;

use std::collections::{HashMap, HashSet};
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
use crate::plan::{Ask, Connection, Plan, RequestText, Target};
use crate::report::{Event, SharedObserver};
use crate::run::fan_out::FanOut;
use crate::run::frontier::Frontier;
use crate::run::harvest::{FoundPage, Harvest, HarvestSeed, Look, SlotPlace};
use crate::run::intake::{AskedTask, Consequences, Request, Sight, consequences, new_instance, note_end};
use crate::run::members::{Company, count_open, give_up, may_be_of_one_member};
use crate::run::pack::{Packer, Room};
use crate::run::seen::{Repeats, Seen};
use crate::run::sink::{Sink, SinkError, SinkOrder};
use crate::run::text_limits::TextLimits;
use crate::run::turning::{End, PagingError};
use crate::run::upstream::UpstreamError;
use crate::schema::Style;
use crate::state::{
    Effort, RowKey, RunKey, Sequence, StateError, StateStore, StoredResponse, StoredSlot, TakenResponse, Task,
    UnfinishedRun,
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
    #[error(transparent)]
    Upstream(#[from] UpstreamError),
    #[error("all {members} values failed, the first of them, {value}: {reason}")]
    AllMembersFailed {
        members: u64,
        value: String,
        reason: String,
    },
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
    /// What one request has room for.
    pub(crate) room: Room,
    /// How much the text of one request may say.
    pub(crate) text_limits: TextLimits,
    /// Requests of one query file in flight at once.
    pub(crate) concurrency: usize,
    /// Whether the source allows only so many requests in some time.
    pub(crate) is_limited: bool,
}

/// One query file and the run that it is in.
pub(crate) struct Export<'work> {
    workplace: &'work Workplace,
    /// The query file's name.
    query: String,
    /// `source/query_file`.
    name: String,
    plan: Arc<Plan>,
    key: RunKey,
    sink: Sink,
    frontier: Frontier,
    seen: Seen,
    fan_outs: Vec<FanOut>,
    /// What the engine looks at in the rows of each connection.
    looks: Arc<[Look]>,
    next_id: u64,
    last_sequence: Sequence,
    /// Until then the time that the export runs is noted in the state.
    noted_until: Instant,
    /// Attempts at pages that did not bring what was asked for, by task.
    failed_attempts: HashMap<u64, u32>,
    /// Tasks that do not share a request with others, as one of those that they shared one with was refused.
    alone: HashSet<u64>,
    /// Connections whose cursors have expired.
    restarted: HashSet<Option<usize>>,
    /// Which members may share a request.
    company: Company,
}

/// How the reading of all pages ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// Everything is in recorded parts.
    Done,
    /// Stopped before that.
    Stopped,
}

/// A request on its way.
struct Sent {
    asked: Vec<AskedTask>,
    inline_sizes: Vec<u32>,
}

type Asked = (Sent, Result<Answer<Harvest>, ApiError>, Spent);

impl<'work> Export<'work> {
    /// Goes on with a run where it stands; `run` is what the state knows of it.
    pub(crate) async fn resume(
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
        workplace.state.release_tasks(run.key).await?;
        let learnt = workplace.state.learnt(query).await?;
        Ok(Self {
            workplace,
            query: query.to_owned(),
            name,
            key: run.key,
            sink,
            frontier: Frontier::of_state(),
            seen: Seen::of_state(workplace.state.clone(), run.key).await?,
            fan_outs: fan_outs(&plan, &learnt),
            looks: plan.connections.iter().map(look).collect(),
            plan,
            next_id: run.last_task,
            last_sequence: run.last_sequence,
            noted_until: Instant::now(),
            failed_attempts: HashMap::new(),
            alone: HashSet::new(),
            restarted: HashSet::new(),
            company: Company::default(),
        })
    }

    /// Reads page after page. After an error, what is in flight is still taken in, so that it need not be asked again.
    pub(crate) async fn read(mut self) -> Result<Reading, ExportError> {
        let mut in_flight: FuturesUnordered<BoxFuture<'work, Asked>> = FuturesUnordered::new();
        let mut failure: Option<ExportError> = None;
        loop {
            if failure.is_none() && !*self.workplace.stop.borrow() {
                self.fetch_tasks().await?;
                while let Some(sent) = self.next_request(in_flight.len()) {
                    in_flight.push(self.ask(sent));
                }
            }
            let Some((sent, answer, spent)) = in_flight.next().await else {
                break;
            };
            let taken = match answer {
                Ok(answer) => self.take(&sent, answer).await,
                Err(error) => Err(error.into()),
            };
            if let Err(error) = taken {
                self.note_spent(spent).await?;
                let error = match error {
                    ExportError::Api(ApiError::CursorExpired(refusal)) => self.restart(&sent, refusal).await,
                    error => Err(error),
                };
                let error = match error {
                    Err(error) => self.part(sent, error).await,
                    Ok(()) => Ok(()),
                };
                match error {
                    Err(ExportError::Api(ApiError::Stopped { .. })) | Ok(()) => {}
                    Err(error) => failure = failure.or(Some(error)),
                }
            }
        }
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

    async fn fetch_tasks(&mut self) -> Result<(), StateError> {
        let wanted = self.frontier.wanted();
        if wanted > 0 {
            let tasks = self.workplace.state.fetch_tasks(self.key, wanted).await?;
            self.frontier.take_in(tasks, wanted);
        }
        Ok(())
    }

    /// The tasks of the next request. One with room left waits while answers are on their way, as they may bring what
    /// fills it; not so where requests cost nothing.
    fn next_request(&mut self, in_flight: usize) -> Option<Sent> {
        if in_flight >= self.workplace.concurrency {
            return None;
        }
        let mut packer = Packer::new(&self.plan, self.workplace.room, &self.fan_outs);
        packer.make_room(self.frontier.tasks().next()?, &self.fan_outs);
        let (sizes, is_full) = packer.fill(self.companions(), &self.fan_outs);
        let is_full = is_full || sizes.len() < self.frontier.held();
        if sizes.is_empty() || (in_flight > 0 && !is_full && self.workplace.is_limited) {
            return None;
        }
        let inline_sizes = packer.inline_sizes().to_vec();
        let tasks = self.frontier.take(sizes.len());
        let asked = tasks
            .into_iter()
            .zip(sizes)
            .map(|(task, size)| AskedTask { task, size });
        let asked = asked.collect();
        let sent = Sent { asked, inline_sizes };
        Some(self.shorten(sent))
    }

    /// The tasks that may share the next request: only one, where the first of all is to be alone.
    fn companions(&self) -> impl Iterator<Item = &Task> {
        let is_alone = |task: &&Task| self.alone.contains(&task.id);
        let mixes_members = self.plan.mixes_members();
        let first = self.frontier.tasks().next();
        let may_join = move |task: &&Task| {
            !is_alone(task) && first.is_some_and(|first| self.company.may_join(first, task, mixes_members))
        };
        let alone = first.filter(is_alone);
        alone.into_iter().chain(self.frontier.tasks().take_while(may_join))
    }

    /// Puts tasks back until the text says no more than it may.
    fn shorten(&mut self, mut sent: Sent) -> Sent {
        let limits = self.workplace.text_limits;
        while sent.asked.len() > 1 && !limits.allow(|| request(&self.plan, &sent).query) {
            let rest = sent.asked.split_off(sent.asked.len().div_ceil(2));
            rest.into_iter().for_each(|asked| self.frontier.hold(asked.task));
        }
        sent
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

    /// Keeps for the next run what this one showed of how many rows the connections hold.
    async fn keep_learnt(&self) -> Result<(), StateError> {
        let learnt = self
            .plan
            .connections
            .iter()
            .zip(&self.fan_outs)
            .filter_map(|(connection, fan_out)| Some((connection.path.clone(), serde_json::to_string(fan_out).ok()?)));
        let now = self.workplace.clock.unix_millis();
        self.workplace
            .state
            .store_learnt(&self.query, learnt.collect(), now)
            .await
    }

    fn ask(&self, sent: Sent) -> BoxFuture<'work, Asked> {
        let plan = Arc::clone(&self.plan);
        let looks = Arc::clone(&self.looks);
        let endpoint = &self.workplace.endpoint;
        let name = self.name.clone();
        Box::pin(async move {
            let request = request(&plan, &sent);
            let targets: Vec<Target> = asks(&sent).iter().map(Ask::target).collect();
            let layout = plan.layout(&targets);
            let is_start = |asked: &&AskedTask| asked.task.connection.is_none() && asked.task.member.is_none();
            let slots = sent.asked.iter().filter(|asked| !is_start(asked));
            let slots: Vec<SlotPlace> = slots.map(slot_place).collect();
            let seed = HarvestSeed {
                layout: &layout,
                slots: &slots,
                looks: &looks,
            };
            let mut spent = Spent::default();
            let answer = endpoint.ask_counting(&name, &request, seed, &mut spent).await;
            (sent, answer, spent)
        })
    }

    /// Takes a response in: the next pages are queued at once, the body goes to the state and to the sink.
    async fn take(&mut self, sent: &Sent, answer: Answer<Harvest>) -> Result<(), ExportError> {
        let Answer {
            data,
            errors,
            body,
            elapsed,
            effort,
            ..
        } = answer;
        let mut data = data;
        let sequence = self.last_sequence + 1;
        let repeats = self.seen.repeats(&data.pages, &sent.asked).await?;
        data.leave_out(&repeats);
        let request = Request {
            plan: &self.plan,
            asked: &sent.asked,
            inline_sizes: &sent.inline_sizes,
            sequence,
        };
        let mut consequences = consequences(request, &data, &errors)?;
        let skips = data.skips(&repeats, &consequences.void);
        let again = self.judge_failed(sent, &mut consequences)?;
        for text in std::mem::take(&mut consequences.warnings) {
            self.warn(text);
        }
        self.learn(&consequences.sights);
        self.company.reunite(&sent.asked);
        let mut next_tasks = std::mem::take(&mut consequences.next_tasks);
        for task in &mut next_tasks {
            self.next_id += 1;
            task.id = self.next_id;
        }
        let keys = new_keys(sent, &data, &repeats, &next_tasks, (sequence, &consequences.void));
        self.seen.note(&keys);
        let waiting = self.frontier.add(&next_tasks);
        let (rows, bytes) = (consequences.rows, body.len() as u64);
        let done = || {
            sent.asked
                .iter()
                .map(|asked| &asked.task)
                .filter(|task| !again.contains(&task.id))
        };
        done().for_each(|task| _ = self.alone.remove(&task.id));
        count_open(&mut consequences.members, done(), &next_tasks);
        for asked in sent.asked.iter().filter(|asked| again.contains(&asked.task.id)) {
            self.frontier.hold(asked.task.clone());
        }
        self.last_sequence = sequence;
        let slots: Vec<StoredSlot> = sent
            .asked
            .iter()
            .enumerate()
            .map(|(index, asked)| StoredSlot {
                is_void: consequences.void.contains(&index),
                ..stored_slot(&asked.task)
            })
            .collect();
        let body = self.hold(body).await;
        let stored = StoredResponse {
            sequence,
            slots: slots.clone(),
            skips: skips.clone(),
            body: body.clone(),
        };
        let taken = TakenResponse {
            run: self.key,
            sequence,
            tasks: done().map(|task| task.id).collect(),
            slots,
            skips,
            body,
            rows,
            received_at: self.workplace.clock.unix_millis(),
            next_tasks,
            waiting,
            keys,
            tallies: consequences.tallies.into_iter().collect(),
            flaws: consequences.flaws.into_iter().collect(),
            members: consequences.members.into_iter().collect(),
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

    /// A request has no answer. Where that may be the fault of one of the values that it asks for, they are asked for in
    /// smaller company, and the one that is refused alone is given up.
    async fn part(&mut self, sent: Sent, error: ExportError) -> Result<(), ExportError> {
        let has_members = sent.asked.iter().any(|asked| asked.task.member.is_some());
        let is_theirs = matches!(&error, ExportError::Api(error) if may_be_of_one_member(error));
        if !has_members || !is_theirs {
            return Err(error);
        }
        if self.company.part(&sent.asked) {
            sent.asked.into_iter().for_each(|asked| self.frontier.hold(asked.task));
            return Ok(());
        }
        let lost = give_up(&sent.asked, &error.to_string());
        self.workplace
            .state
            .change_tasks(self.key, lost)
            .await
            .map_err(Into::into)
    }

    /// Decides about slots that did not bring what was asked for: the tasks that are to be asked again. Those that
    /// failed too often are given up, and named; at the outermost level that is the end of the export, or, where it is
    /// run for each value of a variable, of the one value.
    fn judge_failed(&mut self, sent: &Sent, consequences: &mut Consequences) -> Result<Vec<u64>, PagingError> {
        let mut again = Vec::new();
        for (slot, error) in std::mem::take(&mut consequences.failed) {
            let Some(task) = sent.asked.get(slot).map(|asked| &asked.task) else {
                continue;
            };
            let attempts = self.failed_attempts.entry(task.id).or_insert(0);
            *attempts += 1;
            if *attempts < PAGE_ATTEMPTS {
                again.push(task.id);
            } else {
                match &task.member {
                    Some(member) if task.depth == 0 => {
                        let gain = consequences.members.entry(member.number).or_default();
                        gain.failure = Some(error.to_string());
                    }
                    None if task.depth == 0 => return Err(error),
                    _ => *consequences.flaws.entry(error.to_string()).or_default() += 1,
                }
                // A page before the last one is not its connection's end.
                let connection = task.connection.filter(|_| task.expected.is_none());
                if let Some(connection) = connection {
                    note_end(consequences.tallies.entry(connection).or_default(), End::Lost);
                }
            }
        }
        Ok(again)
    }

    fn learn(&mut self, sights: &[Sight]) {
        for sight in sights {
            match *sight {
                Sight::Open { connection, rows } => self.fan_outs[connection].note_open(rows),
                Sight::Ended {
                    connection,
                    rows,
                    was_open,
                } => self.fan_outs[connection].note_ended(rows, was_open),
            }
        }
    }

    fn warn(&self, text: String) {
        let query = Some(self.name.clone());
        self.workplace.observer.notice(&Event::Warning { query, text });
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

/// What earlier runs showed of the connections; nothing where that cannot be read any more.
pub(crate) fn fan_outs(plan: &Plan, learnt: &[(String, String)]) -> Vec<FanOut> {
    let of = |path: &String| {
        let (_, text) = learnt.iter().find(|(connection, _)| connection == path)?;
        serde_json::from_str(text).ok()
    };
    plan.connections
        .iter()
        .map(|connection| of(&connection.path).unwrap_or_default())
        .collect()
}

/// What the engine looks at in the rows of a connection: cursors tell pages apart, other positions do not.
fn look(connection: &Connection) -> Look {
    let by_cursor = matches!(
        connection.paged.pager.style(),
        Style::Relay | Style::FlatCursor | Style::MovingCursor | Style::Capped
    );
    Look {
        key: connection.page_key.clone(),
        digest: !by_cursor,
    }
}

fn asks(sent: &Sent) -> Vec<Ask<'_>> {
    let asks = sent.asked.iter().map(|asked| Ask {
        connection: asked.task.connection,
        root: asked.task.root,
        member: asked.task.member.as_ref().map(|member| &member.value),
        size: asked.size,
        position: asked.task.position.as_ref(),
        address: &asked.task.address,
    });
    asks.collect()
}

fn request(plan: &Plan, sent: &Sent) -> GraphqlRequest {
    let RequestText { text, variables } = plan.request(&asks(sent), &sent.inline_sizes);
    // The text holds one operation, so its name need not be told; some servers refuse names of certain characters.
    GraphqlRequest {
        operation_name: None,
        query: text,
        variables,
    }
}

/// What the new rows are told by when they come again, by the instance of their connection: of connections that go on, or
/// have gone on for long.
fn new_keys(
    sent: &Sent,
    harvest: &Harvest,
    repeats: &Repeats,
    next_tasks: &[Task],
    (sequence, void): (Sequence, &[usize]),
) -> Vec<(u64, Vec<RowKey>)> {
    let begun: HashSet<u64> = next_tasks.iter().map(|task| task.instance).collect();
    let mut keys = Vec::new();
    let is_taken = |page: &FoundPage| !page.is_left_out && !page.origin.is_some_and(|slot| void.contains(&slot));
    for (index, page) in harvest.pages.iter().enumerate().filter(|(_, page)| is_taken(page)) {
        let task = page.slot.and_then(|slot| sent.asked.get(slot)).map(|asked| &asked.task);
        let old = task.map(|task| task.instance).filter(|instance| *instance != 0);
        let new = Some(new_instance(sequence, index)).filter(|instance| begun.contains(instance));
        let again = repeats.get(&index).map_or(&[][..], Vec::as_slice);
        let is_new = |item: &usize| again.binary_search(item).is_err();
        let own = page.keys.iter().enumerate().filter(|(item, _)| is_new(item));
        let own: Vec<RowKey> = own.filter_map(|(_, key)| *key).collect();
        keys.extend(old.or(new).filter(|_| !own.is_empty()).map(|instance| (instance, own)));
    }
    keys
}

fn stored_slot(task: &Task) -> StoredSlot {
    StoredSlot {
        connection: task.connection,
        root: task.root,
        is_first: task.position.is_none(),
        parent: task.parent.clone(),
        before: task.before,
        is_void: false,
    }
}

fn slot_place(asked: &AskedTask) -> SlotPlace {
    SlotPlace {
        slot: stored_slot(&asked.task),
        address: asked.task.address.clone(),
        position: asked.task.position.clone(),
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
