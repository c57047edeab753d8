//! The limiter as requests see it: wait here until there is a permit, which query files have in turns.
//!
//! No task runs behind it. The request at the head of the queue watches the slots; the others wait until they are woken
//! at the head.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep_until};

use crate::api::limiter::budget::{BudgetState, BudgetTeller, BudgetTold};
use crate::api::limiter::patience::{self, Look, Patience};
use crate::api::limiter::permit::Permit;
use crate::api::limiter::permit_log::{GrantId, PermitLog};
use crate::api::limiter::queue::{Head, Queue, Ticket};
use crate::api::limiter::shared_file::Held;
use crate::api::limiter::slots::{Blocked, Slots};
use crate::api::limiter::window::Arrival;
use crate::project::{Limits, RequestLimit};
use crate::report::SharedObserver;

/// How long a request waits that leaves to others what they need, until it looks again whether they do.
const NEXT_LOOK: Duration = Duration::from_millis(100);

/// Why a request got no permit.
#[derive(Debug, thiserror::Error)]
pub enum PermitError {
    /// The run is being stopped.
    #[error("stopped while waiting for a permit")]
    Stopped,
    /// The permit could not be noted, so a restart would not count it.
    #[error("the permit log cannot be written")]
    Log(#[from] io::Error),
    /// Another process does not let go of the permit log.
    #[error("{0}")]
    LogHeld(io::Error),
}

/// What all requests of a source pass on their way to the API.
pub struct Limiter {
    books: Mutex<Books>,
    teller: BudgetTeller,
    /// The largest margin of all windows; `None` for a source without request limits, where arrivals do not matter.
    margin: Option<Duration>,
    /// The window that leaves the most time between two permits.
    window: Option<RequestLimit>,
}

/// What changes with each request.
struct Books {
    slots: Slots,
    queue: Queue,
    log: Option<PermitLog>,
    /// With another process that holds the log.
    patience: Patience,
    told: BudgetTold,
}

impl Limiter {
    /// A limiter under `limits`, of which `requests` and `concurrency` count. What `log` remembers of earlier
    /// processes is counted; without request limits the log is not used. `api` names the source in events.
    pub fn new(api: &str, limits: &Limits, log: Option<PermitLog>, observer: SharedObserver) -> Self {
        let mut slots = Slots::new(limits);
        let mut log = log.filter(|_| !limits.requests.is_empty());
        let longest_window = limits.requests.iter().map(|limit| limit.per).max().unwrap_or_default();
        if let Some(others) = log.as_mut().and_then(PermitLog::take_news) {
            slots.count_others(Instant::now(), &others);
        }
        Self {
            books: Mutex::new(Books {
                slots,
                queue: Queue::new(longest_window),
                log,
                patience: Patience::default(),
                told: BudgetTold::default(),
            }),
            teller: BudgetTeller::new(api, observer),
            margin: limits.requests.iter().map(|limit| limit.margin).max(),
            window: limits
                .requests
                .iter()
                .max_by_key(|limit| limit.per / limit.max.max(1))
                .cloned(),
        }
    }

    /// Waits for a permit of the query file `query`; one permit is one attempt on the wire. Ends early when `stop` turns
    /// true. Safe to drop.
    pub async fn permit(&self, query: &str, stop: &watch::Receiver<bool>) -> Result<Permit<'_>, PermitError> {
        if *stop.borrow() {
            return Err(PermitError::Stopped);
        }
        let grant = tokio::select! {
            biased;
            () = stopped(stop.clone()) => Err(PermitError::Stopped),
            grant = self.queue(query) => grant,
        }?;
        Ok(Permit::new(self, grant, self.margin))
    }

    /// How many requests could be sent now without waiting, those apart that wait already; `None` for a source without
    /// request limits.
    pub fn free_permits(&self) -> Option<u32> {
        let books = &mut *self.books();
        let free = books.slots.free(Instant::now())?;
        Some(free.saturating_sub(u32::try_from(books.queue.len()).unwrap_or(u32::MAX)))
    }

    /// The window that leaves the most time between two permits where all are used; `None` for a source without request
    /// limits.
    pub fn window(&self) -> Option<&RequestLimit> {
        self.window.as_ref()
    }

    /// How many requests wait for a permit now.
    pub fn waiting(&self) -> usize {
        self.books().queue.len()
    }

    /// Grants nothing before `until`; requests in flight go on. Of several pauses the one that ends last counts.
    pub fn pause(&self, until: Instant) {
        self.books().slots.pause(until);
        self.wake_head();
        self.tell(None);
    }

    /// Lets so many requests be in flight at once, as far as the settings do; any number that these do where it is `None`.
    pub fn allow_at_once(&self, requests: Option<usize>) {
        self.bound(|slots| slots.allow_at_once(requests));
    }

    /// Keeps so many requests in flight at most, those of all query files together, as the API is found to bear no more.
    pub fn bear(&self, requests: usize) {
        self.bound(|slots| slots.bear(requests));
    }

    /// Sets how many may be in flight; whoever waits for a place is told only where there are more.
    fn bound(&self, set: impl FnOnce(&mut Slots)) {
        let books = &mut *self.books();
        let before = books.slots.most_in_flight();
        set(&mut books.slots);
        if books.slots.most_in_flight() > before {
            books.wake_head(Instant::now());
        }
    }

    /// Requests in flight.
    pub fn in_flight(&self) -> usize {
        self.books().slots.in_flight()
    }

    async fn queue(&self, query: &str) -> Result<Grant, PermitError> {
        let waiting = Waiting::begin(self, query);
        loop {
            let (until, look_at) = match self.take(waiting.ticket) {
                Turn::Granted(noted) => {
                    let ticket = waiting.ticket;
                    drop(waiting);
                    self.tell(None);
                    return Ok(Grant { ticket, noted: noted? });
                }
                Turn::Later => {
                    waiting.woken.notified().await;
                    continue;
                }
                Turn::Blocked(Blocked::Until(at)) => (Some(at), Some(at)),
                Turn::Blocked(Blocked::ByRequests) => (None, None),
                Turn::BlockedByOthers | Turn::HeldBack => (None, Some(Instant::now() + NEXT_LOOK)),
                Turn::LogHeld { told } => {
                    if let Some(text) = told {
                        self.teller.explain(&text);
                    }
                    (None, Some(Instant::now() + patience::NEXT_LOOK))
                }
            };
            let tell_at = self.tell(until);
            tokio::select! {
                () = waiting.woken.notified() => {}
                () = sleep_until_some(earliest(look_at, tell_at)) => {}
            }
        }
    }

    fn take(&self, ticket: Ticket) -> Turn {
        let now = Instant::now();
        let books = &mut *self.books();
        let Some(head) = books.head(now).filter(|head| head.ticket == ticket) else {
            // It may have been this one's turn before, and nobody else's to look.
            books.wake_head(now);
            return Turn::Later;
        };
        let is_held_back = head.is_held_back;
        // From here on no other process grants anything, until this one has noted what it did.
        let held = match books.hold_log(now) {
            Ok(held) => held,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return books.log_held(now, error),
            Err(error) => return Turn::Granted(Err(error.into())),
        };
        books.patience = Patience::default();
        if let Err(blocked) = books.slots.check(now) {
            return books.blocked(blocked);
        }
        if is_held_back {
            return Turn::HeldBack;
        }
        books.slots.take();
        books.queue.pass(ticket, now);
        let noted = books.log.as_mut().zip(held).map(|(log, held)| log.note_grant(&held));
        let noted = noted.transpose().map_err(PermitError::Log);
        if noted.is_err() {
            books.put_back(Grant { ticket, noted: None });
        }
        Turn::Granted(noted)
    }

    fn wake_head(&self) {
        self.books().wake_head(Instant::now());
    }

    /// Says what is known of a request's arrival; true if that settles when its slots come back.
    pub(super) fn settle(&self, grant: Option<GrantId>, arrival: Arrival) -> bool {
        let books = &mut *self.books();
        if !books.slots.settle(arrival) {
            return false;
        }
        if let (Some(log), Some(grant)) = (books.log.as_mut(), grant) {
            log.note_arrival(grant);
        }
        books.wake_head(Instant::now());
        true
    }

    /// The request is over.
    pub(super) fn land(&self, ticket: Ticket, lasted: Duration) {
        self.books().land(ticket, lasted);
        self.wake_head();
        self.tell(None);
    }

    /// The request was never handed over.
    pub(super) fn put_back(&self, grant: Grant) {
        self.books().put_back(grant);
        self.wake_head();
        self.tell(None);
    }

    /// Tells how the budget stands, unless that was just told; returns when to tell it after all.
    fn tell(&self, next_permit: Option<Instant>) -> Option<Instant> {
        let now = Instant::now();
        let mut books = self.books();
        let state = BudgetState {
            window: books.slots.tightest(now),
            in_flight: books.slots.in_flight(),
            waiting: books.queue.len(),
            next_permit,
        };
        let is_due = books.told.is_due(state, now);
        let due_at = books.told.due_at();
        drop(books);
        if is_due {
            self.teller.tell(state, now);
        }
        due_at
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Books {
    fn head(&mut self, now: Instant) -> Option<Head<'_>> {
        let supplies = self.slots.supplies(now);
        self.queue.head(&supplies, now)
    }

    /// Something changed that the request at the head should know of, be it that it is there now.
    fn wake_head(&mut self, now: Instant) {
        if let Some(head) = self.head(now) {
            head.woken.notify_one();
        }
    }

    fn land(&mut self, ticket: Ticket, lasted: Duration) {
        self.slots.land();
        self.queue.land(ticket, Instant::now(), lasted);
    }

    fn put_back(&mut self, grant: Grant) {
        self.slots.put_back();
        self.queue.put_back(grant.ticket);
        if let Some((log, noted)) = self.log.as_mut().zip(grant.noted) {
            log.note_unsent(noted);
        }
    }

    /// Takes in what other processes did, and keeps them from doing more.
    fn hold_log(&mut self, now: Instant) -> io::Result<Option<Held>> {
        let Some(log) = self.log.as_mut() else { return Ok(None) };
        let held = log.hold()?;
        if let Some(others) = log.take_news() {
            self.slots.count_others(now, &others);
        }
        Ok(Some(held))
    }

    /// Another process holds the log, for an instant or for good.
    fn log_held(&mut self, now: Instant, error: io::Error) -> Turn {
        match self.patience.look(now) {
            Look::Again => Turn::LogHeld { told: None },
            Look::Tell => Turn::LogHeld {
                told: Some(format!("waits for the budget: {error}")),
            },
            Look::GiveUp => Turn::Granted(Err(PermitError::LogHeld(error))),
        }
    }

    /// What is known of the end of that: where others have requests on their way, it may come any time.
    fn blocked(&self, blocked: Blocked) -> Turn {
        match &self.log {
            Some(log) if log.awaits_others() => Turn::BlockedByOthers,
            _ => Turn::Blocked(blocked),
        }
    }
}

/// What was granted: to whom, and under which number of the log.
#[derive(Clone, Copy)]
pub(super) struct Grant {
    pub(super) ticket: Ticket,
    pub(super) noted: Option<GrantId>,
}

/// What comes of asking for a permit.
enum Turn {
    Granted(Result<Option<GrantId>, PermitError>),
    /// It is another request's turn.
    Later,
    Blocked(Blocked),
    /// The same, where only other processes know when that ends.
    BlockedByOthers,
    /// What there is has to be left to others.
    HeldBack,
    /// Another process holds the log; what is to be said of that, if anything.
    LogHeld {
        told: Option<String>,
    },
}

/// One request among those that wait, until it is dropped.
struct Waiting<'l> {
    limiter: &'l Limiter,
    ticket: Ticket,
    woken: Arc<Notify>,
}

impl<'l> Waiting<'l> {
    fn begin(limiter: &'l Limiter, query: &str) -> Self {
        let woken = Arc::new(Notify::new());
        let ticket = limiter.books().queue.join(query, Arc::clone(&woken), Instant::now());
        Self { limiter, ticket, woken }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let books = &mut *self.limiter.books();
        books.queue.leave(self.ticket);
        books.wake_head(Instant::now());
    }
}

/// Completes when `stop` turns true; never if its sender is gone, for then nobody can stop the run.
pub async fn stopped(mut stop: watch::Receiver<bool>) {
    if stop.wait_for(|stopped| *stopped).await.is_err() {
        std::future::pending::<()>().await;
    }
}

async fn sleep_until_some(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}

fn earliest(left: Option<Instant>, right: Option<Instant>) -> Option<Instant> {
    left.into_iter().chain(right).min()
}
