//! Remembers, across processes, which permits were granted, so that a restart (after a `kill -9` too) does not begin
//! with a full budget that the API knows to be spent.
//!
//! A text file, appended to before each request is sent: the operating system keeps what was written when the process
//! dies, and a machine that dies takes longer to come back than most windows last, so nothing is flushed to the disk.
//! Two kinds of lines, with times in unix milliseconds:
//!
//! ```text
//! granted 17 1763760000000     the 17th request may leave from that moment on
//! arrived 17 1763760000350     and had arrived by that one
//! ```
//!
//! A line that cannot be read, or that was cut off by the end of a process, is skipped.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use fs_err::{File, OpenOptions};
use tokio::time::Instant;

use crate::clock::Clock;
use crate::project::{Limits, Timing};

/// A file larger than that is written anew with what still counts: some 20,000 requests.
const COMPACT_BYTES: u64 = 1024 * 1024;

/// The file that outlives the process. One process at a time; the run's lock sees to that.
pub struct PermitLog {
    path: PathBuf,
    file: File,
    bytes: u64,
    time: SteadyTime,
    /// How long a noted arrival can still matter, in milliseconds.
    memory: u64,
    earlier_ages: Vec<Duration>,
    next_grant: u64,
    granted: BTreeMap<u64, u64>,
    arrived: VecDeque<u64>,
}

/// One granted permit, within one process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct GrantId(u64);

impl PermitLog {
    /// Opens the log at `path`, or begins it, and keeps of it what still counts under `limits`.
    ///
    /// A request whose arrival an earlier process did not note may have been on its way when that process ended; it
    /// counts as arriving now, or when it would have timed out if that is longer ago.
    pub fn open(path: &Path, clock: Clock, limits: &Limits, timing: &Timing) -> io::Result<Self> {
        let margin = limits
            .requests
            .iter()
            .map(|limit| limit.margin)
            .max()
            .unwrap_or_default();
        let longest_window = limits.requests.iter().map(|limit| limit.per).max().unwrap_or_default();
        let time = SteadyTime::begin(clock);
        let now = time.unix_millis();
        let text = match fs_err::read(path) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error),
        };
        // A clock that was set back makes times of the past look like ones to come: those count as now.
        let mut arrived: Vec<_> = latest_arrivals(&text, millis(timing.timeout))
            .map(|arrival| arrival.min(now))
            .collect();
        arrived.sort_unstable();
        let mut log = Self {
            path: path.to_owned(),
            file: OpenOptions::new().create(true).append(true).open(path)?,
            bytes: 0,
            time,
            memory: millis(longest_window.saturating_add(margin)),
            earlier_ages: Vec::new(),
            next_grant: 0,
            granted: BTreeMap::new(),
            arrived: VecDeque::from(arrived),
        };
        log.forget_old(now);
        log.earlier_ages = log.arrived.iter().map(|at| Duration::from_millis(now - at)).collect();
        log.compact()?;
        Ok(log)
    }

    /// How long before the opening each request of earlier processes arrived, give or take the margin.
    pub(super) fn earlier_ages(&self) -> &[Duration] {
        &self.earlier_ages
    }

    /// Notes that a request may leave. If this fails, it must not.
    pub(super) fn note_grant(&mut self) -> io::Result<GrantId> {
        let now = self.time.unix_millis();
        let grant = self.next_grant;
        self.append(&format!("granted {grant} {now}\n"))?;
        self.next_grant += 1;
        self.granted.insert(grant, now);
        Ok(GrantId(grant))
    }

    /// Notes that a request has arrived by now, give or take the margin.
    pub(super) fn note_arrival(&mut self, grant: GrantId) {
        let now = self.time.unix_millis();
        self.granted.remove(&grant.0);
        self.arrived.push_back(now);
        self.forget_old(now);
        // Without the line, a restart takes the request for one that is still on its way, and counts it for longer.
        let _ = self.append(&format!("arrived {} {now}\n", grant.0));
    }

    fn append(&mut self, line: &str) -> io::Result<()> {
        if self.bytes > COMPACT_BYTES {
            self.compact()?;
        }
        self.file.write_all(line.as_bytes())?;
        self.bytes += line.len() as u64;
        Ok(())
    }

    fn forget_old(&mut self, now: u64) {
        let memory = self.memory;
        while self.arrived.front().is_some_and(|at| at.saturating_add(memory) <= now) {
            self.arrived.pop_front();
        }
    }

    /// Writes the file anew; a process that dies in the middle leaves the old one.
    fn compact(&mut self) -> io::Result<()> {
        let mut text = String::new();
        for at in &self.arrived {
            // Its grant's number is of no use any more.
            text.push_str(&format!("arrived - {at}\n"));
        }
        for (grant, at) in &self.granted {
            text.push_str(&format!("granted {grant} {at}\n"));
        }
        let fresh = self.path.with_extension("new");
        fs_err::write(&fresh, &text)?;
        fs_err::rename(&fresh, &self.path)?;
        self.file = OpenOptions::new().append(true).open(&self.path)?;
        self.bytes = text.len() as u64;
        Ok(())
    }
}

/// The latest moment, in unix milliseconds, at which each request of the log can have arrived.
fn latest_arrivals(text: &str, longest_flight: u64) -> impl Iterator<Item = u64> + use<> {
    let mut on_their_way = BTreeMap::new();
    let mut arrivals = Vec::new();
    for line in text.split_inclusive('\n') {
        let Some(line) = line.strip_suffix('\n') else { continue };
        let mut words = line.split(' ');
        let (Some(kind), Some(grant), Some(at), None) = (words.next(), words.next(), words.next(), words.next()) else {
            continue;
        };
        let Ok(at) = at.parse::<u64>() else { continue };
        match kind {
            "granted" => {
                on_their_way.insert(grant.to_owned(), at);
            }
            "arrived" => {
                on_their_way.remove(grant);
                arrivals.push(at);
            }
            _ => {}
        }
    }
    let given_up = on_their_way
        .into_values()
        .map(move |at| at.saturating_add(longest_flight));
    arrivals.into_iter().chain(given_up)
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

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
#[path = "permit_log_tests.rs"]
mod tests;
