//! The limiter as requests see it: wait here, in the order of coming, until there is a permit.
//!
//! No task runs behind it. The request at the head of the queue holds the turnstile and watches the slots; the others
//! wait for the turnstile, which lets them through first come, first served.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep_until};

use crate::api::limiter::budget::{BudgetState, BudgetTeller, BudgetTold};
use crate::api::limiter::permit::Permit;
use crate::api::limiter::permit_log::{GrantId, PermitLog};
use crate::api::limiter::slots::{Blocked, Slots};
use crate::api::limiter::window::Arrival;
use crate::project::Limits;
use crate::report::SharedObserver;

/// Why a request got no permit.
#[derive(Debug, thiserror::Error)]
pub enum PermitError {
    /// The run is being stopped.
    #[error("stopped while waiting for a permit")]
    Stopped,
    /// The permit could not be noted, so a restart would not count it.
    #[error("the permit log cannot be written")]
    Log(#[from] io::Error),
}

/// What all requests of a source pass on their way to the API.
pub struct Limiter {
    books: Mutex<Books>,
    turnstile: tokio::sync::Mutex<()>,
    changed: Notify,
    waiting: AtomicUsize,
    teller: BudgetTeller,
    /// The largest margin of all windows; `None` for a source without request limits, where arrivals do not matter.
    margin: Option<Duration>,
}

/// What changes with each request.
struct Books {
    slots: Slots,
    log: Option<PermitLog>,
    told: BudgetTold,
}

impl Limiter {
    /// A limiter under `limits`, of which `requests` and `concurrency` count. What `log` remembers of earlier
    /// processes is counted; without request limits the log is not used. `api` names the source in events.
    pub fn new(api: &str, limits: &Limits, log: Option<PermitLog>, observer: SharedObserver) -> Self {
        let mut slots = Slots::new(limits);
        let log = log.filter(|_| !limits.requests.is_empty());
        let now = Instant::now();
        for age in log.iter().flat_map(PermitLog::earlier_ages) {
            slots.count_earlier(now, *age);
        }
        Self {
            books: Mutex::new(Books {
                slots,
                log,
                told: BudgetTold::default(),
            }),
            turnstile: tokio::sync::Mutex::new(()),
            changed: Notify::new(),
            waiting: AtomicUsize::new(0),
            teller: BudgetTeller::new(api, observer),
            margin: limits.requests.iter().map(|limit| limit.margin).max(),
        }
    }

    /// Waits for a permit; one permit is one attempt on the wire. Ends early when `stop` turns true. Safe to drop.
    pub async fn permit(&self, stop: &watch::Receiver<bool>) -> Result<Permit<'_>, PermitError> {
        if *stop.borrow() {
            return Err(PermitError::Stopped);
        }
        let waiting = Waiting::begin(&self.waiting);
        let grant = tokio::select! {
            biased;
            () = stopped(stop.clone()) => Err(PermitError::Stopped),
            grant = self.queue(waiting) => grant,
        }?;
        Ok(Permit::new(self, grant, self.margin))
    }

    /// Grants nothing before `until`; requests in flight go on. Of several pauses the one that ends last counts.
    pub fn pause(&self, until: Instant) {
        self.books().slots.pause(until);
        self.changed.notify_one();
        self.tell(None);
    }

    async fn queue(&self, waiting: Waiting<'_>) -> Result<Option<GrantId>, PermitError> {
        let _head = self.turnstile.lock().await;
        loop {
            let blocked = match self.take() {
                Ok(grant) => {
                    drop(waiting);
                    self.tell(None);
                    return Ok(grant?);
                }
                Err(blocked) => blocked,
            };
            let until = match blocked {
                Blocked::Until(at) => Some(at),
                Blocked::ByRequests => None,
            };
            let tell_at = self.tell(until);
            tokio::select! {
                () = self.changed.notified() => {}
                () = sleep_until_some(earliest(until, tell_at)) => {}
            }
        }
    }

    fn take(&self) -> Result<io::Result<Option<GrantId>>, Blocked> {
        let books = &mut *self.books();
        books.slots.take(Instant::now())?;
        let noted = books.log.as_mut().map(PermitLog::note_grant).transpose();
        if noted.is_err() {
            books.slots.put_back();
        }
        Ok(noted)
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
        self.changed.notify_one();
        true
    }

    /// The request is over.
    pub(super) fn land(&self) {
        self.books().slots.land();
        self.changed.notify_one();
        self.tell(None);
    }

    /// The request was never handed over.
    pub(super) fn put_back(&self) {
        self.books().slots.put_back();
        self.changed.notify_one();
        self.tell(None);
    }

    /// Tells how the budget stands, unless that was just told; returns when to tell it after all.
    fn tell(&self, next_permit: Option<Instant>) -> Option<Instant> {
        let now = Instant::now();
        let mut books = self.books();
        let state = BudgetState {
            window: books.slots.tightest(now),
            in_flight: books.slots.in_flight(),
            waiting: self.waiting.load(Ordering::Relaxed),
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

/// One request among those that wait, until it is dropped.
struct Waiting<'l> {
    count: &'l AtomicUsize,
}

impl<'l> Waiting<'l> {
    fn begin(count: &'l AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self { count }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.count.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Completes when `stop` turns true; never if its sender is gone, for then nobody can stop the run.
pub(in crate::api) async fn stopped(mut stop: watch::Receiver<bool>) {
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
