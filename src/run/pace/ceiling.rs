//! How many rows one request may hold, as far as failures have shown.
//!
//! Pure. Below a failure there is a ceiling, which is tried again only after a row of answers that came near it, and the
//! more seldom the more often it held: a wall that stands still costs few failures, and one that gave way is found out.
//! Above what has succeeded, requests grow by steps. The shape is that of congestion control, in rows and not in packets.

use serde::{Deserialize, Serialize};

use crate::run::pace::yields::Yields;

/// Rows of a request to a server of which nothing is known.
const FIRST_ROWS: f64 = 1_000.0;
/// How many times more rows than any answer had the next request may hold.
const STEP: f64 = 2.0;
/// What of the rows that failed is asked for next.
const RETREAT: f64 = 0.6;
/// The same where almost as many came lately.
const BELOW: f64 = 0.9;
/// How many times more rows a ceiling is tried with.
const PROBE: f64 = 1.25;
/// The same where a trial has never failed, or much more succeeded once: about what was given way.
const LARGE_PROBE: f64 = 1.6;
/// The same far below what succeeded once, below this share of it.
const FAR_PROBE: f64 = 3.0;
const FAR: f64 = 0.1;
/// Answers near the ceiling until it is tried again, at first and at most. What failed once may succeed soon; what failed
/// again is tried more seldom each time.
const PATIENCE: u32 = 2;
const MOST_PATIENCE: u32 = 200;
/// How many times more patience there is after a trial that failed.
const WARIER: u32 = 3;
/// What of a ceiling the next run begins with: how many rows come is not known as well as how many are asked for.
const KEPT: f64 = 0.85;
/// Of the largest answer, below which a wall is not believed to stand for long.
const DOUBTFUL: f64 = 0.5;
/// Nor one below so many rows: each request costs as much as one that fails, and there are many of them.
const FEW_ROWS: f64 = 5.0;
/// Answers near such a wall until it is tried again, at most.
const DOUBTFUL_PATIENCE: u32 = 60;
/// An answer is near the ceiling from this share of it on.
const NEAR: f64 = 0.75;
/// How fast the memory of the largest answer fades with each smaller one.
const FADE: f64 = 0.97;
/// How fast the memory of what was once possible fades.
const SLOW_FADE: f64 = 0.995;
/// How much each request counts for how often requests fail by chance; above which share failures are taken for noise, and
/// answers near a ceiling until it is tried again amid noise.
const CHANCE_WEIGHT: f64 = 0.05;
const NOISE: f64 = 0.07;
const NOISY_PATIENCE: u32 = 10;
/// Answers near a wall that is known of other requests alone until it is tried.
const BORROWED_PATIENCE: u32 = 20;
/// Failures of requests one after the other, with which a server would have to be busy all the time, until they are taken to
/// be of the rows.
const BUSY_ROUNDS: u32 = 4;
/// A failure counts when another one comes within so many answers: a single one may be chance.
const STRIKE_LIFE: u32 = 20;
const NOISY_STRIKE_LIFE: u32 = 1;

/// Rows that requests may hold.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Ceiling {
    /// The largest answer, fading; no more than the wall.
    proven: f64,
    /// The largest answer whatever the wall, fading slowly.
    once: f64,
    /// The same in rows that came, and not in those that might have.
    #[serde(default)]
    came: f64,
    wall: Option<Wall>,
    /// How often the wall was moved: what was sent before that says nothing new.
    #[serde(skip)]
    moves: u64,
    /// The last failure, where it may have been chance, or the fault of a single row.
    #[serde(skip)]
    strike: Option<Strike>,
    /// Requests in flight that try the wall: one is enough to know.
    #[serde(skip)]
    trials: u32,
    /// Nothing came since the wall was lowered: it may stand lower still.
    #[serde(skip)]
    is_falling: bool,
    /// How many of the requests of late failed whose number of rows had succeeded: what fails so often by chance.
    #[serde(skip)]
    chance: f64,
    /// Failures that a busy server may answer, since as many rows came.
    #[serde(skip)]
    busy: Busy,
    #[serde(default)]
    yields: Yields,
}

/// Failures that may be of a server that is busy, whatever is asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Busy {
    /// Each of a request that was sent after the one before had failed.
    rounds: u32,
    /// The fewest rows of one.
    rows: f64,
}

/// When a request was sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Mark {
    /// How often the wall had been moved.
    moves: u64,
    /// Whether it tries the wall.
    is_trial: bool,
    /// Failures of a busy server that were known.
    busy_rounds: u32,
}

/// What came since a failure.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Strike {
    /// The rows that may have failed.
    rows: f64,
    /// Answers since.
    age: u32,
    /// The largest of them.
    largest: f64,
}

impl Strike {
    /// Whether as many rows as that succeeded since.
    fn was_chance(self, rows: f64) -> bool {
        self.largest >= rows * BELOW
    }
}

/// Something that failed above so many rows.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Wall {
    rows: f64,
    /// Answers near it since it was last moved.
    calm: u32,
    patience: u32,
    /// Where it stood before it was tried; `None` while it is not.
    before: Option<f64>,
    #[serde(default)]
    evidence: Evidence,
}

/// What a wall is known by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
enum Evidence {
    /// By failures of other requests.
    Borrowed,
    /// By a failure that may have been chance after all.
    #[default]
    Single,
    /// By failures that came again.
    Repeated,
}

impl Ceiling {
    /// Rows that the next request may hold by what requests for pages of any connection had, at least one.
    pub(crate) fn rows(&self, grown: f64) -> f64 {
        let most = |wall: Wall| match wall.before {
            Some(before) if self.trials > 0 => before,
            _ => wall.rows,
        };
        let clear = self.clear_of(self.wall.map(most));
        clear.min(grown).max(1.0)
    }

    /// As many rows as may well come where so many are likely to.
    pub(crate) fn at_worst(&self, likely: f64) -> f64 {
        likely * self.yields.at_worst()
    }

    /// So many rows came of those that were likely to, and might have at worst: returns how many the request has tried.
    pub(crate) fn note_yield(&mut self, came: f64, likely: f64, at_worst: f64) -> f64 {
        let tried = self.yields.tried(came, likely, at_worst);
        let room = self.rows(self.grown());
        self.yields.note(came, likely, room);
        tried
    }

    /// Rows that a request may hold because almost as many came before.
    pub(crate) fn grown(&self) -> f64 {
        (self.came * STEP).max(FIRST_ROWS)
    }

    /// Marks a request for so many rows that is sent now.
    pub(crate) fn take_off(&mut self, rows: f64) -> Mark {
        let before = self.wall.and_then(|wall| wall.before);
        let is_trial = before.is_some_and(|before| rows > before);
        self.trials += u32::from(is_trial);
        Mark {
            moves: self.moves,
            is_trial,
            busy_rounds: self.busy.rounds,
        }
    }

    /// A request is over.
    pub(crate) fn land(&mut self, mark: Mark) {
        self.trials = self.trials.saturating_sub(u32::from(mark.is_trial));
    }

    /// An answer with `came` rows came to a request that tried `rows`.
    pub(crate) fn note_answer(&mut self, rows: f64, came: f64) {
        self.proven = rows.max(self.proven * FADE);
        self.once = rows.max(self.once * SLOW_FADE);
        self.came = came.max(self.came * SLOW_FADE);
        self.is_falling = false;
        if rows >= self.busy.rows {
            self.busy = Busy::default();
        }
        self.chance *= 1.0 - CHANCE_WEIGHT;
        if let Some(strike) = &mut self.strike {
            strike.age += 1;
            let was_chance = strike.was_chance(strike.rows);
            strike.largest = strike.largest.max(came);
            if !was_chance && strike.was_chance(strike.rows) {
                self.chance += CHANCE_WEIGHT * (1.0 - self.chance);
            }
        }
        let is_noisy = self.is_noisy();
        let life = if is_noisy { NOISY_STRIKE_LIFE } else { STRIKE_LIFE };
        self.strike = self.strike.filter(|strike| strike.age < life);
        let once = self.once;
        let Some(wall) = &mut self.wall else { return };
        if wall.rows < FEW_ROWS {
            wall.patience = wall.patience.min(DOUBTFUL_PATIENCE);
        }
        if let Some(before) = wall.before
            && rows > before
        {
            // One that brought fewer rows than were hoped for has not tried all of it.
            wall.before = (rows < wall.rows * BELOW).then_some(rows);
            if wall.before.is_none() {
                wall.patience = (wall.patience / 2).max(PATIENCE);
            }
        }
        if rows >= (wall.rows * NEAR).min(wall.rows.floor()) {
            wall.calm += 1;
        }
        // What held for long where it was says little of where it fell to.
        let patience = match wall.rows < once * DOUBTFUL {
            _ if is_noisy => wall.patience.min(NOISY_PATIENCE),
            true => wall.patience.min(DOUBTFUL_PATIENCE),
            false => wall.patience,
        };
        if wall.calm >= patience {
            let is_doubtful = wall.patience <= PATIENCE || wall.rows < once * NEAR / LARGE_PROBE;
            let probe = match is_doubtful {
                true if wall.rows < once * FAR => FAR_PROBE,
                true => LARGE_PROBE,
                false => PROBE,
            };
            *wall = Wall {
                // A part of a row is no trial.
                rows: (wall.rows * probe).max(wall.rows.floor() + 1.0),
                calm: 0,
                before: Some(wall.before.unwrap_or(wall.rows)),
                ..*wall
            };
        }
    }

    /// A request for so many rows failed that was sent at `mark`. False where their number cannot be why, as more
    /// succeeded of late.
    pub(crate) fn note_failure(&mut self, rows: f64, mark: Mark) -> bool {
        let is_old = mark.moves < self.moves && self.wall.is_some_and(|wall| rows >= wall.rows);
        if is_old {
            return true;
        }
        if !self.is_trial(rows) {
            let strike = Strike {
                rows,
                ..Strike::default()
            };
            let last = self.strike.replace(strike);
            // One failure may be chance; and if as many rows succeeded since then, it is not their number that failed.
            if last.is_none_or(|last| last.was_chance(rows)) {
                return rows >= self.proven * NEAR;
            }
        }
        // Not to below what came lately, unless even that fails.
        let floor = if self.is_falling {
            0.0
        } else {
            self.proven.min(rows * BELOW)
        };
        self.is_falling = true;
        self.lower(rows, floor);
        true
    }

    /// The same of a failure that a busy server may answer, whatever is asked for: it is believed to be of the rows when it
    /// comes again and again and as many come in none of the answers between.
    pub(crate) fn note_busy(&mut self, rows: f64, mark: Mark) -> bool {
        if mark.busy_rounds < self.busy.rounds {
            return false;
        }
        self.busy = Busy {
            rounds: self.busy.rounds + 1,
            rows: if self.busy.rounds == 0 {
                rows
            } else {
                self.busy.rows.min(rows)
            },
        };
        self.busy.rounds >= BUSY_ROUNDS && self.note_failure(rows, mark)
    }

    /// So many rows failed, and fewer of the same succeeded.
    pub(crate) fn note_wall(&mut self, rows: f64) {
        if self.wall.is_none_or(|wall| rows <= wall.rows) {
            self.lower(rows, 0.0);
        }
        if let Some(wall) = &mut self.wall {
            wall.evidence = Evidence::Repeated;
        }
    }

    /// Rows above which requests failed again and again, and not by chance: as many as others had better not hold either.
    pub(super) fn lent(&self) -> Option<f64> {
        let wall = self.wall.filter(|wall| wall.evidence == Evidence::Repeated)?;
        let rows = wall.before.unwrap_or(wall.rows);
        let is_doubtful = self.is_noisy() || rows < FEW_ROWS || rows < self.once * DOUBTFUL;
        (!is_doubtful).then_some(rows)
    }

    /// Requests of other connections failed above so many rows, if any did. Where nothing failed of this one, that is where
    /// its wall is taken to stand until more comes: it is tried as others are.
    pub(super) fn borrow(&mut self, lent: Option<f64>) {
        if self.wall.is_some_and(|wall| wall.evidence != Evidence::Borrowed) {
            return;
        }
        let once = self.once;
        let borrowed = |lent: f64| {
            let rows = lent.max(once);
            let wall = self.wall.unwrap_or(Wall {
                rows,
                calm: 0,
                patience: BORROWED_PATIENCE,
                before: None,
                evidence: Evidence::Borrowed,
            });
            Wall {
                rows: wall.before.map_or(rows, |_| wall.rows.max(rows)),
                ..wall
            }
        };
        self.wall = lent.map(borrowed);
    }

    /// The wall is below so many rows, though not below `floor`.
    fn lower(&mut self, rows: f64, floor: f64) {
        self.strike = None;
        self.moves += 1;
        let wall = self.lowered(rows, floor);
        self.proven = self.proven.min(wall.rows);
        self.wall = Some(wall);
    }

    /// Whether so much fails by chance that a failure says little of the rows.
    fn is_noisy(&self) -> bool {
        self.chance > NOISE
    }

    /// Whether so many rows never succeeded, or not since the wall moved.
    fn is_trial(&self, rows: f64) -> bool {
        let before = self.wall.and_then(|wall| wall.before);
        self.is_falling || rows > self.once || before.is_some_and(|before| rows > before)
    }

    /// The wall after a failure that is believed.
    fn lowered(&self, rows: f64, floor: f64) -> Wall {
        let wall = |rows: f64, patience, evidence| Wall {
            rows,
            calm: 0,
            patience,
            before: None,
            evidence,
        };
        match self.wall {
            // The trial failed: it stays where it was.
            Some(Wall {
                before: Some(before),
                patience,
                ..
            }) if rows > before => match self.is_noisy() {
                true => wall(before, patience.min(NOISY_PATIENCE), Evidence::Repeated),
                false => wall(before, (patience * WARIER).min(MOST_PATIENCE), Evidence::Repeated),
            },
            last => {
                let retreat = rows * RETREAT;
                // Met again about where it was, it stands still.
                let warier = |last: Wall| match floor > retreat {
                    true => (last.patience * WARIER).min(MOST_PATIENCE),
                    // Far below what came it is another wall, or none: chance alone can do that.
                    false if retreat < self.once * FAR => PATIENCE,
                    false => last.patience,
                };
                let evidence = match last.is_some() && floor > retreat {
                    true => Evidence::Repeated,
                    false => Evidence::Single,
                };
                wall(retreat.max(floor).max(1.0), last.map_or(PATIENCE, warier), evidence)
            }
        }
    }

    /// What the wall is, so that it can stand there again.
    pub(super) fn standing(&self) -> Option<Wall> {
        self.wall
    }

    /// What moved the wall was not the number of rows: it stands again where it stood, or higher if more came since.
    pub(super) fn restore(&mut self, wall: Option<Wall>) {
        self.strike = None;
        self.is_falling = false;
        let is_lower = |wall: Wall| self.wall.is_none_or(|now| now.rows < wall.rows);
        if wall.is_none_or(is_lower) {
            self.wall = wall;
        }
    }

    /// What is kept for the next run: how far a trial had come is not, and what held for a night is not tried at once. A wall
    /// far below what came in the same night is one of a few rows, or of an hour.
    pub(crate) fn settled(&self) -> Self {
        let settled = |wall: Wall| {
            let rows = wall.before.unwrap_or(wall.rows);
            if self.moves == 0 {
                // Nothing failed in this run: it stays where it was, and is tried the sooner.
                let patience = match wall.evidence {
                    Evidence::Borrowed => wall.patience,
                    _ => (wall.patience / 2).max(PATIENCE),
                };
                return Wall {
                    rows,
                    before: None,
                    patience,
                    ..wall
                };
            }
            let rows = (rows * KEPT).max(1.0);
            let is_doubtful = rows < self.once * DOUBTFUL;
            Wall {
                rows,
                calm: 0,
                patience: if is_doubtful { PATIENCE } else { MOST_PATIENCE },
                before: None,
                ..wall
            }
        };
        let wall = self.wall.map(settled);
        Self {
            wall,
            moves: 0,
            strike: None,
            trials: 0,
            is_falling: false,
            chance: 0.0,
            busy: Busy::default(),
            ..self.clone()
        }
    }

    /// Rows that a request may hold for its failing with more.
    pub(crate) fn below_wall(&self) -> f64 {
        self.clear_of(self.wall.map(|wall| wall.rows))
    }

    /// Rows that may be hoped for without so many that come; any, where nothing stands in the way.
    fn clear_of(&self, wall: Option<f64>) -> f64 {
        wall.map_or(f64::INFINITY, |rows| rows / self.yields.at_worst())
    }

    /// Rows above which requests failed, where any did.
    pub(crate) fn wall(&self) -> Option<f64> {
        let own = self.wall.filter(|wall| wall.evidence != Evidence::Borrowed);
        own.map(|wall| wall.rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(ceiling: &Ceiling) -> f64 {
        ceiling.rows(ceiling.grown())
    }

    fn now(ceiling: &Ceiling) -> Mark {
        ceiling.clone().take_off(0.0)
    }

    /// A server that fails above so many rows, asked for as much as may be: answers, failures, rows.
    fn play(ceiling: &mut Ceiling, rounds: u32, most: f64, wall: impl Fn(u32) -> f64) -> (u32, u32, f64) {
        let (mut answers, mut failures, mut rows) = (0, 0, 0.0);
        for round in 0..rounds {
            // Nobody asks for a part of a row.
            let asked = room(ceiling).min(most).floor();
            let mark = ceiling.take_off(asked);
            ceiling.land(mark);
            match asked <= wall(round) {
                true => {
                    ceiling.note_answer(asked, asked);
                    answers += 1;
                    rows += asked;
                }
                false => {
                    ceiling.note_failure(asked, mark);
                    failures += 1;
                }
            }
        }
        (answers, failures, rows)
    }

    #[test]
    fn without_failures_requests_grow_by_steps_to_what_is_wanted() {
        let mut ceiling = Ceiling::default();
        assert_eq!(room(&ceiling), 1_000.0);
        ceiling.note_answer(1_000.0, 1_000.0);
        assert_eq!(room(&ceiling), 2_000.0);
        let (_, failures, _) = play(&mut ceiling, 10, 10_000.0, |_| f64::INFINITY);
        assert_eq!((failures, room(&ceiling).min(10_000.0)), (0, 10_000.0));
    }

    #[test]
    fn small_answers_do_not_make_a_request_of_ten_thousand() {
        let mut ceiling = Ceiling::default();
        (0..100).for_each(|_| ceiling.note_answer(3.0, 3.0));
        assert_eq!(room(&ceiling), 1_000.0);
    }

    #[test]
    fn a_wall_that_stands_costs_few_failures_and_is_come_near() {
        for wall in [3.0, 10.0, 30.0, 700.0, 3_100.0] {
            let mut ceiling = Ceiling::default();
            let (answers, failures, rows) = play(&mut ceiling, 500, 10_000.0, |_| wall);
            assert!(f64::from(failures) < 0.05 * 500.0, "{failures} failures at {wall}");
            assert!(rows / f64::from(answers) > 0.6 * wall, "{rows} rows at {wall}");
        }
    }

    #[test]
    fn a_wall_that_moves_is_followed_both_ways() {
        let mut ceiling = Ceiling::default();
        let moving = |round: u32| match round {
            0..150 => 2_000.0,
            150..300 => 400.0,
            _ => 4_000.0,
        };
        let (_, failures, _) = play(&mut ceiling, 300, 10_000.0, moving);
        assert!(f64::from(failures) < 0.05 * 300.0, "{failures}");
        let low = room(&ceiling);
        assert!(low <= 400.0 * PROBE, "{low}");
        play(&mut ceiling, 400, 10_000.0, |_| 4_000.0);
        assert!(room(&ceiling) > 5.0 * low, "{ceiling:?}");
    }

    #[test]
    fn one_failure_is_taken_for_chance_and_two_are_not() {
        let mut ceiling = Ceiling::default();
        ceiling.note_answer(900.0, 900.0);
        assert!(!ceiling.note_failure(200.0, now(&ceiling)), "more succeeded");
        assert_eq!(room(&ceiling), 1_800.0);
        assert!(ceiling.note_failure(200.0, now(&ceiling)));
        assert_eq!(room(&ceiling), 180.0, "much more succeeded");
        assert!(ceiling.note_failure(180.0, now(&ceiling)));
        assert_eq!(room(&ceiling), 108.0, "of late no more");
    }

    #[test]
    fn failures_of_single_rows_leave_the_others_as_large_as_they_were() {
        let mut ceiling = Ceiling::default();
        ceiling.note_answer(4_000.0, 4_000.0);
        // The half with the row fails each time, and the other one succeeds.
        for rows in [2_000.0, 1_000.0, 500.0, 250.0, 125.0, 60.0, 30.0] {
            ceiling.note_answer(rows, rows);
            ceiling.note_failure(rows, now(&ceiling));
        }
        assert!(room(&ceiling) >= 4_000.0, "{ceiling:?}");
    }

    #[test]
    fn after_a_stretch_of_hard_rows_requests_are_soon_large_again() {
        let mut ceiling = Ceiling::default();
        play(&mut ceiling, 20, 4_000.0, |_| f64::INFINITY);
        play(&mut ceiling, 30, 4_000.0, |_| 50.0);
        assert!(room(&ceiling) < 70.0, "{ceiling:?}");
        let (_, failures, _) = play(&mut ceiling, 100, 4_000.0, |_| f64::INFINITY);
        assert!(failures == 0 && room(&ceiling) > 2_000.0, "{ceiling:?}");
    }

    #[test]
    fn many_in_flight_when_a_wall_falls_count_once() {
        let mut ceiling = Ceiling::default();
        ceiling.note_answer(1_000.0, 1_000.0);
        let mark = now(&ceiling);
        assert!((0..16).all(|_| ceiling.note_failure(1_000.0, mark)));
        assert_eq!(room(&ceiling), 900.0);
    }

    #[test]
    fn what_a_busy_server_answers_is_not_taken_for_the_rows_unless_it_never_ceases() {
        let mut ceiling = Ceiling::default();
        let marks = [(); 16].map(|()| ceiling.take_off(1_000.0));
        assert!(marks.iter().all(|mark| !ceiling.note_busy(1_000.0, *mark)));
        for rows in [500.0, 250.0] {
            let again = ceiling.take_off(rows);
            assert!(!ceiling.note_busy(rows, again));
        }
        ceiling.note_answer(1_000.0, 1_000.0);
        assert_eq!(room(&ceiling), 2_000.0, "they had nothing to do with the rows");
        for round in 1..BUSY_ROUNDS {
            assert!(!ceiling.note_busy(1_800.0, now(&ceiling)), "{round}");
            ceiling.note_answer(100.0, 100.0);
        }
        assert!(ceiling.note_busy(1_800.0, now(&ceiling)));
        assert!(room(&ceiling) < 1_800.0);
    }

    #[test]
    fn a_wall_stays_where_it_is_in_nights_without_failures_and_is_tried_in_short_ones() {
        let mut ceiling = Ceiling::default();
        play(&mut ceiling, 60, 400.0, |_| 20.0);
        ceiling = ceiling.settled();
        let first = room(&ceiling);
        assert!((10.0..=20.0).contains(&first), "{first}");
        for wall in [20.0, f64::INFINITY] {
            let mut nights = ceiling.clone();
            let mut failures = 0;
            for _ in 0..15 {
                failures += play(&mut nights, 25, 400.0, |_| wall).1;
                nights = nights.settled();
            }
            match wall.is_finite() {
                true => assert!(failures <= 8 && room(&nights) >= 0.7 * first, "{failures}: {nights:?}"),
                false => assert!(failures == 0 && room(&nights) > 200.0, "{nights:?}"),
            }
        }
    }

    #[test]
    fn a_wall_of_a_few_rows_does_not_last_for_nights() {
        let mut ceiling = Ceiling::default();
        play(&mut ceiling, 50, 4_000.0, |_| f64::INFINITY);
        for night in 0..5 {
            // At its end one row fails whatever comes with it.
            play(&mut ceiling, 20, 4_000.0, |_| 0.0);
            ceiling = ceiling.settled();
            assert!(room(&ceiling) < 10.0, "night {night}: {ceiling:?}");
            let (_, failures, _) = play(&mut ceiling, 60, 4_000.0, |_| f64::INFINITY);
            assert!(failures == 0 && room(&ceiling) > 2_000.0, "night {night}: {ceiling:?}");
        }
    }

    #[test]
    fn failures_by_chance_leave_requests_large_in_the_end() {
        for (share, least) in [(5, 0.5), (10, 0.5), (20, 0.2), (35, 0.05)] {
            let mut ceiling = Ceiling::default();
            ceiling.note_answer(1_000.0, 1_000.0);
            let (mut asked, mut random) = (0.0, 12_345_u32);
            for _ in 0..1_000 {
                let rows = room(&ceiling).min(1_000.0).floor();
                let mark = ceiling.take_off(rows);
                ceiling.land(mark);
                random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                match random >> 16 < 65_536 / 100 * share {
                    true => _ = ceiling.note_failure(rows, mark),
                    false => ceiling.note_answer(rows, rows),
                }
                asked += rows;
            }
            let mean = asked / 1_000.0;
            assert!(mean >= least * 1_000.0, "{share} in a hundred: {mean} rows");
            let (_, failures, _) = play(&mut ceiling, 150, 1_000.0, |_| f64::INFINITY);
            assert!(failures == 0 && room(&ceiling) >= 1_000.0, "{share}: {ceiling:?}");
        }
    }

    #[test]
    fn a_wall_of_one_row_is_left_however_long_it_stood() {
        let mut ceiling = Ceiling::default();
        for rows in [1.0, 1.15, 1.44] {
            ceiling.wall = Some(Wall {
                rows,
                calm: 0,
                patience: MOST_PATIENCE,
                before: None,
                evidence: Evidence::Repeated,
            });
            let (_, failures, _) = play(&mut ceiling, 150, 4_000.0, |_| f64::INFINITY);
            assert!(failures == 0 && room(&ceiling) > 1_000.0, "{rows}: {ceiling:?}");
            (ceiling.once, ceiling.came, ceiling.proven) = (1.0, 1.0, 1.0);
        }
    }

    #[test]
    fn a_wall_is_tried_by_one_request_at_a_time() {
        let mut ceiling = Ceiling::default();
        play(&mut ceiling, 40, 10_000.0, |_| 700.0);
        while ceiling.wall.is_some_and(|wall| wall.before.is_none()) {
            ceiling.note_answer(room(&ceiling), room(&ceiling));
        }
        let trial = room(&ceiling);
        let mark = ceiling.take_off(trial);
        assert!(room(&ceiling) < trial);
        ceiling.land(mark);
        assert_eq!(room(&ceiling), trial, "it came back with fewer rows than were expected");
    }

    #[test]
    fn the_next_run_begins_below_the_wall() {
        let mut ceiling = Ceiling::default();
        play(&mut ceiling, 200, 10_000.0, |_| 700.0);
        let text = serde_json::to_string(&ceiling.settled()).unwrap();
        let mut kept: Ceiling = serde_json::from_str(&text).unwrap();
        assert!(room(&kept) <= 700.0, "{kept:?}");
        let (_, failures, _) = play(&mut kept, 10, 10_000.0, |_| 700.0);
        assert_eq!(failures, 0);
    }
}
