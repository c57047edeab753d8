//! Remembers, across processes, which permits were granted: a restart (after a `kill -9` too) does not begin with a full
//! budget that the API knows to be spent, and processes that ask one API side by side keep to its budget together.
//!
//! A text file, appended to before each request is sent: the operating system keeps what was written when the process
//! dies, and a machine that dies takes longer to come back than most windows last, so nothing is flushed to the disk.
//! `ledger.rs` says what stands in it, `shared_file.rs` how it is shared.

use std::io;
use std::path::Path;
use std::time::Duration;

use tokio::time::Instant;

use crate::api::limiter::ledger::{Entry, GrantName, Granted, Ledger};
use crate::api::limiter::shared_file::{Held, News, SharedFile};
use crate::clock::Clock;
use crate::failpoint::{Step, around};
use crate::project::{Limits, Timing};

/// A file larger than that is written anew with what still counts, unless nearly all of it does: some 10,000 requests.
const COMPACT_BYTES: u64 = 1024 * 1024;

/// The file that outlives the process and is shared with others.
pub struct PermitLog {
    file: SharedFile,
    time: SteadyTime,
    /// What the token is called in the file with which this process asks.
    token: String,
    /// What this process is called in the file: by its token, and by what no other is called.
    process: String,
    /// How long an arrival can still matter to any of the processes, in milliseconds.
    memory: u64,
    longest_flight: u64,
    next_grant: u64,
    ledger: Ledger,
    /// What could not be noted yet, as another process held the file.
    unnoted: Vec<Entry>,
    /// Whether something of others changed that was not asked for yet.
    has_news: bool,
    /// The file's length when it was last written anew.
    compacted: u64,
    is_shared: bool,
}

/// One granted permit, within one process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct GrantId(u64);

/// The requests of other processes, those that have ended among them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Others {
    /// Now, in unix milliseconds.
    pub(super) now: u64,
    /// By when each has arrived, in unix milliseconds.
    pub(super) arrived_by: Vec<u64>,
    /// The same of those that are sent with the token of this process.
    pub(super) with_own_token: Vec<u64>,
}

impl PermitLog {
    /// Opens the log at `path`, or begins it, and keeps of it what still counts under `limits`.
    ///
    /// A request whose arrival no process noted may be on its way: it counts as arriving when it would time out, or now,
    /// if no process lives that could have sent it. The error is of the kind `WouldBlock` where another process holds the file,
    /// which takes an instant as a rule.
    pub fn open(path: &Path, clock: Clock, limits: &Limits, timing: &Timing) -> io::Result<Self> {
        let margin = limits.requests.iter().map(|limit| limit.margin).max();
        let longest_window = limits.requests.iter().map(|limit| limit.per).max();
        let memory = longest_window
            .unwrap_or_default()
            .saturating_add(margin.unwrap_or_default());
        let (file, held, is_alone) = SharedFile::open(path)?;
        let mut log = Self {
            file,
            time: SteadyTime::begin(clock),
            token: String::new(),
            process: format!("{:08x}", rand::random::<u32>()),
            memory: millis(memory),
            longest_flight: millis(timing.timeout),
            next_grant: 0,
            ledger: Ledger::default(),
            unnoted: Vec::new(),
            has_news: true,
            compacted: 0,
            is_shared: !is_alone,
        };
        log.catch_up(&held)?;
        if is_alone {
            log.ledger.settle_all(log.time.unix_millis());
            log.compact(&held)?;
        }
        Ok(log)
    }

    /// The same for a process whose token goes by that name, in a log that is shared with processes that have others.
    #[must_use]
    pub fn of_token(mut self, token: &str) -> Self {
        self.process = GrantName::process_of(token, &self.process);
        token.clone_into(&mut self.token);
        self
    }

    /// Whether another process has the log open, too; as it was when this one opened it.
    pub fn is_shared(&self) -> bool {
        self.is_shared
    }

    /// Keeps others from granting and noting anything, and takes in what they did. What is decided while it is held is
    /// decided on what is so. The error is of the kind `WouldBlock` where another process does not let go.
    pub(super) fn hold(&mut self) -> io::Result<Held> {
        let held = self.file.hold()?;
        self.catch_up(&held)?;
        for entry in std::mem::take(&mut self.unnoted) {
            self.append(&held, entry)?;
        }
        Ok(held)
    }

    /// The requests of others, if they changed since that was last asked.
    pub(super) fn take_news(&mut self) -> Option<Others> {
        if !std::mem::take(&mut self.has_news) {
            return None;
        }
        Some(Others {
            now: self.time.unix_millis(),
            arrived_by: self.ledger.arrivals_of_others(&self.process, None),
            with_own_token: self.ledger.arrivals_of_others(&self.process, Some(&self.token)),
        })
    }

    /// Whether a request of another process is on its way, so that its slot may come back sooner than is known.
    pub(super) fn awaits_others(&self) -> bool {
        self.ledger.awaits_others(&self.process)
    }

    /// Notes that a request may leave. If this fails, it must not.
    pub(super) fn note_grant(&mut self, held: &Held) -> io::Result<GrantId> {
        let at = self.time.unix_millis();
        let grant = GrantId(self.next_grant);
        self.next_grant += 1;
        let granted = Granted {
            at,
            arrives_by: at.saturating_add(self.longest_flight),
        };
        let entry = Entry::Granted(self.name(grant), granted);
        around(Step::PermitLogged, || self.append(held, entry))?;
        Ok(grant)
    }

    /// Notes that a request has arrived by now, give or take the margin; forgotten, others take it for one that is still on
    /// its way, and count it for longer.
    pub(super) fn note_arrival(&mut self, grant: GrantId) {
        let entry = Entry::Arrived(self.name(grant), self.time.unix_millis());
        self.note(entry);
    }

    /// Notes that a request will never leave; forgotten, it counts for longer.
    pub(super) fn note_unsent(&mut self, grant: GrantId) {
        let entry = Entry::Unsent(self.name(grant));
        self.note(entry);
    }

    /// Notes something now, or, where another process holds the file, when it is next had.
    fn note(&mut self, entry: Entry) {
        self.unnoted.push(entry);
        // What cannot be written makes others wait for longer, and them alone.
        let _ = self.hold();
    }

    fn name(&self, grant: GrantId) -> GrantName {
        GrantName::new(&self.process, grant.0)
    }

    fn append(&mut self, held: &Held, entry: Entry) -> io::Result<()> {
        if self.file.len() > COMPACT_BYTES.max(2 * self.compacted) {
            self.compact(held)?;
        }
        self.file.append(held, &entry.line())?;
        self.ledger.add(entry);
        Ok(())
    }

    /// Takes in what others wrote.
    fn catch_up(&mut self, held: &Held) -> io::Result<()> {
        let now = self.time.unix_millis();
        match self.file.read(held)? {
            News::More(text) if text.is_empty() => return Ok(()),
            News::More(text) => self.ledger.read(&text, now),
            News::All(text) => {
                self.ledger = Ledger::default();
                self.ledger.read(&text, now);
                let known = text.lines().next().and_then(memory_in);
                if known.is_none_or(|known| known < self.memory) {
                    self.compact(held)?;
                } else {
                    self.memory = known.unwrap_or(self.memory);
                }
            }
            News::Gone => self.compact(held)?,
        }
        self.ledger.forget(self.memory, now);
        self.has_news = true;
        Ok(())
    }

    /// Writes the file anew with what still counts.
    fn compact(&mut self, held: &Held) -> io::Result<()> {
        self.ledger.forget(self.memory, self.time.unix_millis());
        let edition = format!("log {:016x} {}", rand::random::<u64>(), self.memory);
        around(Step::PermitsRewritten, || {
            self.file.write(held, edition, &self.ledger.text())
        })?;
        self.compacted = self.file.len();
        Ok(())
    }
}

/// How long an arrival matters to any of the processes that use the file, as its first line says.
fn memory_in(edition: &str) -> Option<u64> {
    let words: Vec<&str> = edition.split(' ').collect();
    match words.as_slice() {
        ["log", _, memory] => memory.parse().ok(),
        _ => None,
    }
}

/// Wall time that moves on steadily even if the clock is set back while the process runs.
struct SteadyTime {
    clock: Clock,
    began: Instant,
    began_millis: u64,
}

impl SteadyTime {
    fn begin(clock: Clock) -> Self {
        Self {
            began: Instant::now(),
            began_millis: clock.unix_millis(),
            clock,
        }
    }

    fn unix_millis(&self) -> u64 {
        let steady = self.began_millis.saturating_add(millis(self.began.elapsed()));
        steady.max(self.clock.unix_millis())
    }
}

pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
#[path = "permit_log_tests.rs"]
mod tests;
