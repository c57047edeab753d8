//! How many requests in flight a source takes: as many as still make it answer more, not one more.
//!
//! Pure. Where an API has no limit on requests, nothing but its answers tells when it is busy: above the knee more
//! requests in flight only wait longer. The number climbs while throughput follows, steps back where it does not, and
//! falls where requests fail; then it is tried again.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::api::Throttles;

/// Requests in flight to begin with, where nothing limits them.
const FIRST: usize = 8;
/// How many times more are tried.
const STEP: f64 = 1.5;
/// Of what the step would bring if the source were idle, so much has to come.
const WORTH: f64 = 0.35;
/// Answers by which the throughput of a number is judged, for each request in flight.
const ANSWERS: usize = 2;
/// Judgements that pass until more are tried again.
const REST: u32 = 8;
/// What a failure leaves.
const RETREAT: f64 = 0.6;
/// Failures that fewer in flight have not mended, until no failure is taken for one of their number.
const DOUBTS: u32 = 2;
/// Judgements that pass until as many are tried again as the API was asked to slow down with: each trial that fails stops
/// all requests for a while.
const LONG_REST: u32 = 100;

/// Finds the number of requests in flight.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Knee {
    most: usize,
    has_budget: bool,
    /// The number that earlier runs ended with.
    recalled: Option<usize>,
    now: usize,
    /// The number before, and its throughput, where more are on trial.
    before: Option<(usize, f64)>,
    rest: u32,
    epoch: Epoch,
    answers: u64,
    /// How often failures made it smaller.
    retreats: u64,
    /// The most before any did.
    height: usize,
    /// Failures that had another cause, though they looked like those of a busy source.
    doubts: u32,
    /// How often the API has asked to slow down in a way that may mean how many are in flight.
    throttles: u64,
    /// The fewest in flight with which it did.
    throttled: Option<TurnedAway>,
    /// Exports that ask for something alone, to see whether it is refused for the company that it had.
    alone: usize,
}

/// What a run ends with and the next one begins with.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Bearing {
    in_flight: usize,
    turned_away: Option<TurnedAway>,
}

impl Bearing {
    /// The most in flight, where the API turned away more.
    pub(crate) fn most(self) -> Option<usize> {
        let turned_away = self.turned_away?;
        Some(turned_away.of.saturating_sub(1).max(1))
    }
}

/// Requests in flight of which the API turned some away.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct TurnedAway {
    /// So many.
    of: usize,
    /// Judgements until as many are tried again.
    rest: u32,
}

impl TurnedAway {
    fn after_a_judgement(self) -> Option<Self> {
        let rest = self.rest.checked_sub(1)?;
        Some(Self { rest, ..self })
    }
}

/// What came since the number last changed or was judged.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Epoch {
    begun: Option<Duration>,
    answers: usize,
    work: f64,
}

impl Knee {
    /// For a source that takes `most` requests at once; one with a budget is not driven by answers, and begins there.
    pub(crate) fn new(most: usize, has_budget: bool) -> Self {
        let most = most.max(1);
        Self {
            most,
            has_budget,
            recalled: None,
            now: if has_budget { most } else { FIRST.min(most) },
            before: None,
            rest: 0,
            epoch: Epoch::default(),
            answers: 0,
            retreats: 0,
            height: 0,
            doubts: 0,
            throttles: 0,
            throttled: None,
            alone: 0,
        }
    }

    /// Begins with as many as an earlier run ended with, where nothing is known yet of this one; of several query files, with
    /// the most. A source with a budget begins with all that it is not known to turn away.
    pub(crate) fn recall(&mut self, bearing: Bearing) {
        if self.answers > 0 {
            return;
        }
        let known = self.throttled.into_iter().chain(bearing.turned_away);
        self.throttled = known.min_by_key(|turned_away| turned_away.of);
        if !self.has_budget {
            let most = self.recalled.unwrap_or_default().max(bearing.in_flight);
            self.recalled = Some(most);
            self.now = most;
        }
        self.now = self.now.clamp(1, self.bearable());
    }

    /// What the next run begins with.
    pub(crate) fn bearing(&self) -> Bearing {
        Bearing {
            in_flight: self.now,
            turned_away: self.throttled,
        }
    }

    /// Answers that came until now.
    pub(crate) fn answers(&self) -> u64 {
        self.answers
    }

    /// Requests that may be in flight.
    pub(crate) fn limit(&self) -> usize {
        match self.alone {
            0 => self.now,
            _ => 1,
        }
    }

    /// From now on one request at a time may be in flight, until as many have ended it as began it.
    pub(crate) fn begin_alone(&mut self) {
        self.alone += 1;
        self.epoch = Epoch::default();
    }

    /// One of those that began it has what it wanted.
    pub(crate) fn end_alone(&mut self) {
        self.alone = self.alone.saturating_sub(1);
    }

    /// Whether something is asked for alone.
    pub(crate) fn is_alone(&self) -> bool {
        self.alone > 0
    }

    /// An answer came at `now`, with so much work in it. `is_busy` tells that as many were in flight as may be.
    pub(crate) fn note_answer(&mut self, now: Duration, work: f64, is_busy: bool) {
        self.answers += 1;
        if !is_busy || self.is_alone() {
            // Throughput tells nothing of the source while there is too little to do.
            self.epoch = Epoch::default();
            return;
        }
        let Some(begun) = self.epoch.begun else {
            self.epoch.begun = Some(now);
            return;
        };
        self.epoch.answers += 1;
        self.epoch.work += work;
        let time = now.saturating_sub(begun).as_secs_f64();
        if self.epoch.answers >= ANSWERS * self.now && time > 0.0 {
            let throughput = self.epoch.work / time;
            self.epoch = Epoch {
                begun: Some(now),
                ..Epoch::default()
            };
            self.judge(throughput);
        }
    }

    /// How often failures made the number smaller, to be told with what comes of a request that is sent now.
    pub(crate) fn retreats(&self) -> u64 {
        self.retreats
    }

    /// A request failed as those of a busy source do that was sent after so many retreats. What was on its way at the last
    /// one says nothing new.
    pub(crate) fn note_failure(&mut self, retreats: u64) {
        if retreats < self.retreats {
            return;
        }
        self.retreats += 1;
        self.height = self.height.max(self.now);
        self.now = ((self.now as f64 * RETREAT) as usize).max(1);
        self.settle();
    }

    /// Whether a failure that looks like one of a busy source may be one.
    pub(crate) fn may_be_past(&self) -> bool {
        self.now > 1 && self.doubts < DOUBTS
    }

    /// A request failed as those of a busy source do, and for its size: what came of others does not count against their
    /// number.
    pub(crate) fn note_other_cause(&mut self) {
        self.doubts = self.doubts.saturating_add(1);
        if self.doubts == DOUBTS {
            self.now = self.height.min(self.bearable()).max(self.now);
            self.settle();
        }
    }

    /// The API has asked to slow down so often. How many are in flight may be what it minds whatever it says, where it has no
    /// budget that is known.
    pub(crate) fn note_throttles(&mut self, throttles: Throttles) {
        let throttles = match self.has_budget {
            true => throttles.of_crowd,
            false => throttles.all,
        };
        if throttles <= self.throttles {
            return;
        }
        self.throttles = throttles;
        let of = self.throttled.map_or(self.now, |known| known.of.min(self.now));
        self.throttled = Some(TurnedAway { of, rest: LONG_REST });
        self.note_failure(self.retreats);
    }

    fn judge(&mut self, throughput: f64) {
        self.throttled = self.throttled.and_then(TurnedAway::after_a_judgement);
        match self.before.take() {
            Some((before, old)) => {
                let wanted = 1.0 + (self.now as f64 / before as f64 - 1.0) * WORTH;
                match throughput >= old * wanted {
                    true => self.climb(throughput),
                    false => {
                        self.now = before;
                        self.settle();
                    }
                }
            }
            None if self.rest > 0 => self.rest -= 1,
            None => self.climb(throughput),
        }
    }

    fn climb(&mut self, throughput: f64) {
        let more = (self.now as f64 * STEP).ceil() as usize;
        let more = more.min(self.bearable());
        if more > self.now {
            self.before = Some((self.now, throughput));
            self.now = more;
            // What was sent before still comes in: it counts for nobody.
            self.epoch = Epoch::default();
        }
    }

    /// The most that the source may be asked with, as far as is known.
    fn bearable(&self) -> usize {
        let bearable = self
            .throttled
            .map_or(self.most, |turned_away| turned_away.of.saturating_sub(1));
        bearable.clamp(1, self.most)
    }

    fn settle(&mut self) {
        self.before = None;
        self.rest = REST;
        self.epoch = Epoch::default();
    }
}

#[cfg(test)]
mod tests {
    use std::cmp::Reverse;
    use std::collections::BinaryHeap;

    use super::*;

    /// A server with so many workers, each of which takes 100 ms for a request, kept as busy as the knee allows: the
    /// number in flight at the end, and the largest.
    fn serve(knee: &mut Knee, workers: usize, answers: usize) -> (usize, usize) {
        let mut free: BinaryHeap<Reverse<u64>> = (0..workers).map(|_| Reverse(0)).collect();
        let mut flying: BinaryHeap<Reverse<u64>> = BinaryHeap::new();
        let (mut now, mut most) = (0, 0);
        for _ in 0..answers {
            while flying.len() < knee.limit() {
                let Reverse(worker) = free.pop().unwrap();
                let done = worker.max(now) + 100;
                free.push(Reverse(done));
                flying.push(Reverse(done));
            }
            most = most.max(flying.len());
            let is_busy = flying.len() >= knee.limit();
            now = flying.pop().unwrap().0;
            knee.note_answer(Duration::from_millis(now), 1.0, is_busy);
        }
        (knee.limit(), most)
    }

    fn throttled(all: u64, of_crowd: u64) -> Throttles {
        let mut throttles = Throttles::default();
        (throttles.all, throttles.of_crowd) = (all, of_crowd);
        throttles
    }

    fn ended_with(in_flight: usize) -> Bearing {
        Bearing {
            in_flight,
            turned_away: None,
        }
    }

    #[test]
    fn a_source_is_driven_to_its_knee_and_not_far_past_it() {
        for workers in [4, 8, 20] {
            let mut knee = Knee::new(64, false);
            let (settled, most) = serve(&mut knee, workers, 3_000);
            assert!(settled >= workers * 2 / 3, "{settled} in flight of {workers} workers");
            assert!(most <= workers * 3, "{most} in flight of {workers} workers");
        }
    }

    #[test]
    fn an_api_that_refuses_more_in_flight_than_it_takes_is_asked_with_fewer_and_seldom_with_more() {
        const TAKES: usize = 3;
        let mut knee = Knee::new(64, false);
        let mut throttles = 0;
        for answer in 0..2_000_u64 {
            throttles += u64::from(knee.limit() > TAKES);
            knee.note_throttles(throttled(throttles, 0));
            knee.note_answer(Duration::from_millis(100 * answer), knee.limit() as f64, true);
        }
        assert!((TAKES - 1..=TAKES + 1).contains(&knee.limit()), "{}", knee.limit());
        assert!(throttles < 15, "{throttles} pauses");
        // Where a budget is told, that is what it minds.
        let mut knee = Knee::new(16, true);
        knee.note_throttles(throttled(5, 0));
        assert_eq!(knee.limit(), 16);
        // Unless it says otherwise.
        knee.note_throttles(throttled(6, 1));
        assert_eq!(knee.limit(), 9);
        // Which the next run knows.
        let mut next = Knee::new(16, true);
        next.recall(knee.bearing());
        assert_eq!(next.limit(), 15);
        let mut next = Knee::new(16, true);
        next.recall(ended_with(3));
        assert_eq!(next.limit(), 16, "it may have been busy");
    }

    #[test]
    fn one_request_is_in_flight_while_anything_is_asked_for_alone() {
        let mut knee = Knee::new(16, true);
        knee.begin_alone();
        knee.begin_alone();
        knee.end_alone();
        (0..1_000).for_each(|second| knee.note_answer(Duration::from_secs(second), 1.0, true));
        assert_eq!(
            (knee.limit(), knee.bearing().in_flight),
            (1, 16),
            "what comes of it is no measure"
        );
        knee.note_failure(knee.retreats());
        knee.end_alone();
        assert_eq!(knee.limit(), 9);
    }

    #[test]
    fn never_more_than_the_source_allows() {
        let mut knee = Knee::new(10, false);
        let (settled, most) = serve(&mut knee, 1_000, 2_000);
        assert_eq!((settled, most), (10, 10));
        assert_eq!(Knee::new(0, false).limit(), 1);
    }

    #[test]
    fn a_source_with_a_budget_begins_with_all_and_gives_way_to_failures() {
        let mut knee = Knee::new(16, true);
        assert_eq!(knee.limit(), 16);
        (0..3).for_each(|_| knee.note_failure(knee.retreats()));
        assert_eq!(knee.limit(), 3);
        knee.note_failure(0);
        assert_eq!(knee.limit(), 3, "it was sent when all were");
        let (settled, _) = serve(&mut knee, 100, 3_000);
        assert_eq!(settled, 16, "and comes back");
    }

    #[test]
    fn the_next_run_begins_where_the_last_one_ended_and_not_above_what_is_allowed() {
        let mut knee = Knee::new(64, false);
        knee.recall(ended_with(3));
        assert_eq!(knee.limit(), 3, "it bore no more");
        knee.recall(ended_with(40));
        assert_eq!(knee.limit(), 40, "another query file found that it bears more");
        knee.recall(ended_with(100));
        assert_eq!(knee.limit(), 64);
        knee.note_failure(knee.retreats());
        let fewer = knee.limit();
        knee.note_answer(Duration::ZERO, 1.0, true);
        knee.recall(ended_with(64));
        assert_eq!(knee.limit(), fewer, "this run knows better");
    }

    #[test]
    fn where_there_is_little_to_do_nothing_changes() {
        let mut knee = Knee::new(64, false);
        (0..1_000).for_each(|second| knee.note_answer(Duration::from_secs(second), 1.0, false));
        assert_eq!(knee.limit(), FIRST);
    }

    #[test]
    fn failures_that_fewer_in_flight_do_not_mend_are_no_reason_for_fewer() {
        let mut knee = Knee::new(16, false);
        knee.recall(ended_with(12));
        while knee.limit() > 1 {
            assert!(knee.may_be_past());
            knee.note_failure(knee.retreats());
        }
        assert!(!knee.may_be_past(), "there is nothing left to mend it with");
        knee.note_other_cause();
        assert_eq!(knee.limit(), 1, "one may be chance");
        knee.note_other_cause();
        assert_eq!(knee.limit(), 12);
        assert!(!knee.may_be_past(), "and the next one is not taken for it, either");
        knee.note_failure(knee.retreats());
        knee.note_other_cause();
        assert_eq!(knee.limit(), 7, "what failed with no more rows than succeeded lately");
    }
}
