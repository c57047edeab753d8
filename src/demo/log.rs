//! The request log: what a client did, and how well it behaved.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;

use crate::demo::behaviour::{RequestWindow, WindowKind};
use crate::demo::fault::Fault;
use crate::demo::resolver::ServedPage;
use crate::demo::window::WindowCounter;

/// What a client did, and how well it behaved. All counts are since the server's start.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct RequestLog {
    /// Requests that arrived, whatever became of them.
    pub requests: u64,
    /// Requests that the limits and the token check let in, those with injected faults among them.
    pub accepted: u64,
    /// Requests with a wrong token or none.
    pub unauthorized: u64,
    /// 429s because a limit was exceeded: a client's fault.
    pub throttles_provoked: u64,
    /// Faults injected, by kind; `throttle` is a 429 that the client did not earn.
    pub faults_injected: BTreeMap<Fault, u64>,
    /// Requests refused for what they say: no JSON, a syntax error, an unknown field.
    pub request_errors: u64,
    /// Requests answered in full with data that holds errors.
    pub field_errors: u64,
    /// Requests answered in full without any error.
    pub answered: u64,
    /// Those of `answered` that ask for the schema and nothing else.
    pub introspections: u64,
    /// Times that a document with the same variables was answered again, introspection apart.
    pub requests_repeated: u64,
    /// Rows of connections in `answered`.
    pub rows: u64,
    /// Those of `rows` that were in an earlier answer already: the same row of the same connection of the same object
    /// with the same filters.
    pub rows_repeated: u64,
    /// The most requests that were in the server at once.
    pub max_in_flight: u64,
    /// One entry for each limit.
    pub windows: Vec<WindowLog>,
}

/// How busy the windows of one limit were, counting every arrival.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WindowLog {
    /// Requests let in.
    pub max: u32,
    /// The window's length in milliseconds.
    pub per_ms: u64,
    /// How the limit's window lies.
    pub window: WindowKind,
    /// The most requests in any window of that length.
    pub busiest_sliding: usize,
    /// The most requests in any of the windows that follow each other from the server's start.
    pub busiest_fixed: usize,
}

impl RequestLog {
    /// Whether no limit was ever exceeded.
    pub fn kept_limits(&self) -> bool {
        self.throttles_provoked == 0
    }

    /// How often that fault was injected.
    pub fn injected(&self, fault: Fault) -> u64 {
        self.faults_injected.get(&fault).copied().unwrap_or(0)
    }
}

/// What becomes of a request when it arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Arrival {
    /// Its number, from 1.
    pub(crate) number: u64,
    /// How long it would have had to wait for a limit; `None` where it is let in.
    pub(crate) refused_for: Option<Duration>,
}

/// How the answer to a request turned out.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// What the request says is wrong; nothing was executed.
    RequestError,
    /// The data holds errors.
    FieldErrors(Executed),
    /// The data is as it was asked for.
    Good(Executed),
}

/// What was asked, and what came out.
#[derive(Debug)]
pub(crate) struct Executed {
    /// Equal for the same document with the same variables.
    pub(crate) fingerprint: u64,
    pub(crate) is_introspection: bool,
    pub(crate) served: Vec<ServedPage>,
}

impl Outcome {
    /// Rows of connections in the answer.
    pub(crate) fn row_count(&self) -> usize {
        match self {
            Self::RequestError => 0,
            Self::FieldErrors(executed) | Self::Good(executed) => {
                executed.served.iter().map(|page| page.positions.len()).sum()
            }
        }
    }
}

/// Writes the log, and keeps what it needs to tell repetitions.
#[derive(Debug)]
pub(crate) struct Judge {
    log: RequestLog,
    windows: Vec<WindowCounter>,
    in_flight: u64,
    fingerprints: HashSet<u64>,
    rows_seen: HashMap<u64, RowSet>,
}

/// A set of rows: one bit for each position.
#[derive(Debug, Default)]
struct RowSet(Vec<u64>);

impl Judge {
    pub(crate) fn new(limits: &[RequestWindow], start: Instant) -> Self {
        Self {
            log: RequestLog::default(),
            windows: limits.iter().map(|limit| WindowCounter::new(*limit, start)).collect(),
            in_flight: 0,
            fingerprints: HashSet::new(),
            rows_seen: HashMap::new(),
        }
    }

    /// Takes in a request; the limits let it in only if all of them do.
    pub(crate) fn arrive(&mut self, now: Instant) -> Arrival {
        self.log.requests += 1;
        self.in_flight += 1;
        self.log.max_in_flight = self.log.max_in_flight.max(self.in_flight);
        self.windows.iter_mut().for_each(|window| window.arrive(now));
        let refused_for = self.windows.iter_mut().filter_map(|window| window.wait(now)).max();
        match refused_for {
            Some(_) => self.log.throttles_provoked += 1,
            None => self.windows.iter_mut().for_each(|window| window.admit(now)),
        }
        Arrival {
            number: self.log.requests,
            refused_for,
        }
    }

    /// The request left the server, answered or not.
    pub(crate) fn leave(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    pub(crate) fn note_unauthorized(&mut self) {
        self.log.unauthorized += 1;
    }

    pub(crate) fn note_accepted(&mut self) {
        self.log.accepted += 1;
    }

    pub(crate) fn note_fault(&mut self, fault: Fault) {
        *self.log.faults_injected.entry(fault).or_default() += 1;
    }

    /// Takes in an answer that was sent in full.
    pub(crate) fn note_answer(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::RequestError => self.log.request_errors += 1,
            Outcome::FieldErrors(_) => self.log.field_errors += 1,
            Outcome::Good(executed) => self.note_good(executed),
        }
    }

    fn note_good(&mut self, executed: &Executed) {
        self.log.answered += 1;
        if executed.is_introspection {
            self.log.introspections += 1;
            return;
        }
        if !self.fingerprints.insert(executed.fingerprint) {
            self.log.requests_repeated += 1;
        }
        for page in &executed.served {
            let seen = self.rows_seen.entry(page.connection).or_default();
            let repeated = page
                .positions
                .iter()
                .filter(|position| !seen.insert(**position))
                .count();
            self.log.rows += page.positions.len() as u64;
            self.log.rows_repeated += repeated as u64;
        }
    }

    /// The log as it stands.
    pub(crate) fn log(&self) -> RequestLog {
        let windows = self.windows.iter().map(|window| WindowLog {
            max: window.limit().max,
            per_ms: u64::try_from(window.limit().per.as_millis()).unwrap_or(u64::MAX),
            window: window.limit().window,
            busiest_sliding: window.busiest_sliding(),
            busiest_fixed: window.busiest_fixed(),
        });
        RequestLog {
            windows: windows.collect(),
            ..self.log.clone()
        }
    }
}

impl RowSet {
    /// Adds a row; false where it was there already.
    fn insert(&mut self, position: u64) -> bool {
        let word = usize::try_from(position / 64).unwrap_or(usize::MAX);
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        let Some(bits) = self.0.get_mut(word) else { return true };
        let bit = 1 << (position % 64);
        let is_new = *bits & bit == 0;
        *bits |= bit;
        is_new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn executed(fingerprint: u64, connection: u64, positions: &[u64]) -> Executed {
        let served = vec![ServedPage {
            connection,
            positions: positions.to_vec(),
        }];
        Executed {
            fingerprint,
            is_introspection: false,
            served,
        }
    }

    fn good(fingerprint: u64, connection: u64, positions: &[u64]) -> Outcome {
        Outcome::Good(executed(fingerprint, connection, positions))
    }

    #[test]
    fn rows_and_requests_that_come_again_are_told_from_new_ones() {
        let mut judge = Judge::new(&[], Instant::now());
        judge.note_answer(&good(1, 7, &[0, 1, 2]));
        judge.note_answer(&good(2, 7, &[3, 64, 65]));
        judge.note_answer(&good(3, 8, &[0, 1, 2]));
        assert_eq!((judge.log().rows_repeated, judge.log().requests_repeated), (0, 0));
        judge.note_answer(&good(2, 7, &[2, 64, 66]));
        let log = judge.log();
        assert_eq!(
            (log.rows, log.rows_repeated, log.requests_repeated, log.answered),
            (12, 2, 1, 4)
        );
    }

    #[test]
    fn answers_with_errors_are_counted_apart_and_their_rows_may_come_again() {
        let mut judge = Judge::new(&[], Instant::now());
        judge.note_answer(&Outcome::RequestError);
        judge.note_answer(&Outcome::FieldErrors(executed(1, 7, &[0, 1])));
        judge.note_answer(&good(1, 7, &[0, 1]));
        let log = judge.log();
        assert_eq!((log.request_errors, log.field_errors, log.answered), (1, 1, 1));
        assert_eq!((log.rows, log.rows_repeated, log.requests_repeated), (2, 0, 0));
    }

    #[test]
    fn introspection_may_be_repeated() {
        let mut judge = Judge::new(&[], Instant::now());
        for _ in 0..2 {
            judge.note_answer(&Outcome::Good(Executed {
                is_introspection: true,
                ..executed(1, 0, &[])
            }));
        }
        assert_eq!((judge.log().introspections, judge.log().requests_repeated), (2, 0));
    }

    #[test]
    fn all_limits_hold_at_once_and_a_refused_request_uses_up_none() {
        let window = |max, per_ms| RequestWindow {
            max,
            per: Duration::from_millis(per_ms),
            window: WindowKind::Sliding,
        };
        let start = Instant::now();
        let mut judge = Judge::new(&[window(1, 100), window(2, 1000)], start);
        let mut arrive = |at_ms| {
            judge
                .arrive(start + Duration::from_millis(at_ms))
                .refused_for
                .map(|wait| wait.as_millis())
        };
        assert_eq!(
            [arrive(0), arrive(50), arrive(100), arrive(200)],
            [None, Some(50), None, Some(800)]
        );
        let log = judge.log();
        assert_eq!((log.requests, log.throttles_provoked, log.kept_limits()), (4, 2, false));
        assert_eq!((log.windows[0].busiest_sliding, log.windows[1].busiest_sliding), (2, 4));
        assert_eq!(log.max_in_flight, 4);
    }
}
