//! The request log: what a client did, and how well it behaved.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use tokio::time::Instant;

use crate::demo::behaviour::{RequestWindow, WindowKind};
use crate::demo::fault::Fault;
use crate::demo::refusal::Refusal;
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
    /// Requests refused because they ask for too many rows, say too much, or have a cursor that has expired.
    pub refused: u64,
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
    /// The rows of each type, whatever list they came in.
    pub types: BTreeMap<String, TypeLog>,
    /// The most rows in one of `answered`.
    pub max_rows: u64,
    /// The most rows that one of `answered` asked for: the sizes of its pages, multiplied down the tree.
    pub max_rows_requested: u64,
    /// Those of `rows` in each minute since the server's start.
    pub rows_by_minute: Vec<u64>,
    /// When the last request arrived, in milliseconds since the server's start.
    pub last_arrival_ms: u64,
    /// The most requests that were in the server at once.
    pub max_in_flight: u64,
    /// How long requests were worked on in all, in milliseconds; what waits for its turn is not worked on.
    pub busy_ms: u64,
    /// Requests that were given up since they would have taken too long, or held too many rows.
    pub walls_hit: u64,
    /// Requests that were turned away since there were too many at once.
    pub turned_away: u64,
    /// Requests that had been given up before and came again, word for word.
    pub oversized_repeats: u64,
    /// One entry for each limit.
    pub windows: Vec<WindowLog>,
}

/// The rows of one type in answers. A request that failed, was cut off or was given up by its client sent none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct TypeLog {
    /// Rows sent.
    pub sent: u64,
    /// Those of `sent` that had been sent before, in the same list or in another.
    pub repeated: u64,
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
    /// The request was refused in the place of data.
    Refused(Refusal),
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
    /// How many rows were asked for.
    pub(crate) requested: u64,
    pub(crate) served: Vec<ServedPage>,
}

/// Rows of one list that one answer holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServedPage {
    /// Equal for every page of the same list.
    pub(crate) connection: u64,
    pub(crate) rows: Vec<ServedRow>,
}

/// One row that an answer holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServedRow {
    pub(crate) ty: String,
    /// Its place among those of its type.
    pub(crate) index: u64,
    /// Its place in the list.
    pub(crate) position: u64,
}

impl Outcome {
    /// Rows of connections in the answer.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &ServedRow> {
        let executed = match self {
            Self::RequestError | Self::Refused(_) => None,
            Self::FieldErrors(executed) | Self::Good(executed) => Some(executed),
        };
        executed.into_iter().flat_map(Executed::rows)
    }
}

impl Executed {
    fn rows(&self) -> impl Iterator<Item = &ServedRow> {
        self.served.iter().flat_map(|page| &page.rows)
    }
}

/// Writes the log, and keeps what it needs to tell repetitions.
#[derive(Debug)]
pub(crate) struct Judge {
    log: RequestLog,
    start: Instant,
    windows: Vec<WindowCounter>,
    /// How long nothing is let in once a limit was exceeded, and until when that is.
    ban: Option<Duration>,
    banned_until: Option<Instant>,
    in_flight: u64,
    busy: Duration,
    /// The bodies of requests that were given up.
    oversized: HashSet<Bytes>,
    fingerprints: HashSet<u64>,
    rows_seen: HashMap<u64, RowSet>,
    rows_seen_of_type: HashMap<String, RowSet>,
}

/// A set of rows: one bit for each position.
#[derive(Debug, Default)]
struct RowSet(Vec<u64>);

impl Judge {
    pub(crate) fn new(limits: &[RequestWindow], ban: Option<Duration>, start: Instant) -> Self {
        Self {
            log: RequestLog::default(),
            start,
            windows: limits.iter().map(|limit| WindowCounter::new(*limit, start)).collect(),
            ban,
            banned_until: None,
            in_flight: 0,
            busy: Duration::ZERO,
            oversized: HashSet::new(),
            fingerprints: HashSet::new(),
            rows_seen: HashMap::new(),
            rows_seen_of_type: HashMap::new(),
        }
    }

    /// Takes in a request; the limits let it in only if all of them do.
    pub(crate) fn arrive(&mut self, now: Instant) -> Arrival {
        self.log.requests += 1;
        let since_start = now.saturating_duration_since(self.start).as_millis();
        self.log.last_arrival_ms = u64::try_from(since_start).unwrap_or(u64::MAX);
        self.in_flight += 1;
        self.log.max_in_flight = self.log.max_in_flight.max(self.in_flight);
        self.windows.iter_mut().for_each(|window| window.arrive(now));
        let refused_for = self.refused_for(now);
        match refused_for {
            Some(_) => self.log.throttles_provoked += 1,
            None => self.windows.iter_mut().for_each(|window| window.admit(now)),
        }
        Arrival {
            number: self.log.requests,
            refused_for,
        }
    }

    /// How long a request of this moment would have to wait.
    fn refused_for(&mut self, now: Instant) -> Option<Duration> {
        if let Some(until) = self.banned_until.filter(|until| *until > now) {
            return Some(until - now);
        }
        let wait = self.windows.iter_mut().filter_map(|window| window.wait(now)).max()?;
        let Some(ban) = self.ban else { return Some(wait) };
        self.banned_until = Some(now + ban);
        Some(ban)
    }

    /// The request left the server, answered or not.
    pub(crate) fn leave(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    /// A request was refused since it cost more than was left.
    pub(crate) fn note_throttle(&mut self) {
        self.log.throttles_provoked += 1;
    }

    pub(crate) fn note_unauthorized(&mut self) {
        self.log.unauthorized += 1;
    }

    pub(crate) fn note_accepted(&mut self, body: &Bytes) {
        self.log.accepted += 1;
        self.log.oversized_repeats += u64::from(self.oversized.contains(body));
    }

    /// Whether there are more requests at once than so many, so that the last one is turned away.
    pub(crate) fn turns_away(&mut self, max: u64) -> bool {
        let is_crowded = self.in_flight > max;
        self.log.turned_away += u64::from(is_crowded);
        is_crowded
    }

    /// A request was given up.
    pub(crate) fn note_wall(&mut self, body: Bytes) {
        self.log.walls_hit += 1;
        self.oversized.insert(body);
    }

    /// A request was worked on for so long.
    pub(crate) fn note_work(&mut self, lasted: Duration) {
        self.busy += lasted;
    }

    pub(crate) fn note_fault(&mut self, fault: Fault) {
        *self.log.faults_injected.entry(fault).or_default() += 1;
    }

    /// Takes in an answer that was sent in full, so long after the server's start.
    pub(crate) fn note_answer(&mut self, outcome: &Outcome, at: Duration) {
        match outcome {
            Outcome::RequestError => self.log.request_errors += 1,
            Outcome::Refused(_) => self.log.refused += 1,
            Outcome::FieldErrors(_) => self.log.field_errors += 1,
            Outcome::Good(executed) => self.note_good(executed, at),
        }
    }

    fn note_good(&mut self, executed: &Executed, at: Duration) {
        self.log.answered += 1;
        if executed.is_introspection {
            self.log.introspections += 1;
            return;
        }
        if !self.fingerprints.insert(executed.fingerprint) {
            self.log.requests_repeated += 1;
        }
        let rows = executed.rows().count() as u64;
        self.log.max_rows = self.log.max_rows.max(rows);
        self.note_minute(rows, at);
        self.log.max_rows_requested = self.log.max_rows_requested.max(executed.requested);
        for page in &executed.served {
            page.rows.iter().for_each(|row| self.note_row(page.connection, row));
        }
    }

    fn note_minute(&mut self, rows: u64, at: Duration) {
        let minute = usize::try_from(at.as_secs() / 60).unwrap_or(usize::MAX);
        let minutes = &mut self.log.rows_by_minute;
        if minutes.len() <= minute {
            minutes.resize(minute + 1, 0);
        }
        minutes[minute] += rows;
    }

    fn note_row(&mut self, connection: u64, row: &ServedRow) {
        self.log.rows += 1;
        if !self.rows_seen.entry(connection).or_default().insert(row.position) {
            self.log.rows_repeated += 1;
        }
        let of_type = self.log.types.entry(row.ty.clone()).or_default();
        of_type.sent += 1;
        if !self
            .rows_seen_of_type
            .entry(row.ty.clone())
            .or_default()
            .insert(row.index)
        {
            of_type.repeated += 1;
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
            busy_ms: u64::try_from(self.busy.as_millis()).unwrap_or(u64::MAX),
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

    const MINUTE: Duration = Duration::from_secs(60);

    fn executed(fingerprint: u64, connection: u64, positions: &[u64]) -> Executed {
        let row = |position: &u64| ServedRow {
            ty: "Item".to_owned(),
            index: connection * 10 + position,
            position: *position,
        };
        Executed {
            fingerprint,
            is_introspection: false,
            requested: 50,
            served: vec![ServedPage {
                connection,
                rows: positions.iter().map(row).collect(),
            }],
        }
    }

    fn good(fingerprint: u64, connection: u64, positions: &[u64]) -> Outcome {
        Outcome::Good(executed(fingerprint, connection, positions))
    }

    #[test]
    fn rows_and_requests_that_come_again_are_told_from_new_ones() {
        let mut judge = Judge::new(&[], None, Instant::now());
        judge.note_answer(&good(1, 7, &[0, 1, 2]), MINUTE);
        judge.note_answer(&good(2, 7, &[3, 64, 65]), MINUTE);
        judge.note_answer(&good(3, 8, &[0, 1, 2]), MINUTE);
        assert_eq!((judge.log().rows_repeated, judge.log().requests_repeated), (0, 0));
        judge.note_answer(&good(2, 7, &[2, 64, 66]), MINUTE);
        let log = judge.log();
        assert_eq!(
            (log.rows, log.rows_repeated, log.requests_repeated, log.answered),
            (12, 2, 1, 4)
        );
        assert_eq!((log.max_rows, log.max_rows_requested), (3, 50));
        assert_eq!(log.rows_by_minute, [0, 12]);
    }

    #[test]
    fn a_row_that_comes_in_two_lists_was_sent_twice() {
        let mut judge = Judge::new(&[], None, Instant::now());
        judge.note_answer(&good(1, 0, &[10, 11]), MINUTE);
        judge.note_answer(&good(2, 1, &[0, 5]), MINUTE);
        let log = judge.log();
        assert_eq!((log.rows, log.rows_repeated), (4, 0));
        assert_eq!(log.types["Item"], TypeLog { sent: 4, repeated: 1 });
    }

    #[test]
    fn answers_with_errors_are_counted_apart_and_their_rows_may_come_again() {
        let mut judge = Judge::new(&[], None, Instant::now());
        judge.note_answer(&Outcome::RequestError, MINUTE);
        judge.note_answer(&Outcome::FieldErrors(executed(1, 7, &[0, 1])), MINUTE);
        judge.note_answer(&good(1, 7, &[0, 1]), MINUTE);
        let log = judge.log();
        assert_eq!((log.request_errors, log.field_errors, log.answered), (1, 1, 1));
        assert_eq!((log.rows, log.rows_repeated, log.requests_repeated), (2, 0, 0));
    }

    #[test]
    fn introspection_may_be_repeated() {
        let mut judge = Judge::new(&[], None, Instant::now());
        for _ in 0..2 {
            judge.note_answer(
                &Outcome::Good(Executed {
                    is_introspection: true,
                    ..executed(1, 0, &[])
                }),
                MINUTE,
            );
        }
        assert_eq!((judge.log().introspections, judge.log().requests_repeated), (2, 0));
    }

    #[test]
    fn who_exceeds_a_limit_is_let_in_again_when_the_ban_is_over() {
        let start = Instant::now();
        let limit = "2/1s".parse().unwrap();
        let mut judge = Judge::new(&[limit], Some(Duration::from_secs(60)), start);
        let waits = [0, 1, 2, 30_000, 60_001, 60_002].map(|at_ms| {
            let arrival = judge.arrive(start + Duration::from_millis(at_ms));
            arrival.refused_for.map(|wait| wait.as_millis())
        });
        assert_eq!(waits, [None, None, Some(60_000), Some(30_002), Some(1), None]);
    }

    #[test]
    fn all_limits_hold_at_once_and_a_refused_request_uses_up_none() {
        let window = |max, per_ms| RequestWindow {
            max,
            per: Duration::from_millis(per_ms),
            window: WindowKind::Sliding,
        };
        let start = Instant::now();
        let mut judge = Judge::new(&[window(1, 100), window(2, 1000)], None, start);
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
