//! How much a request may ask for, by what the answers before it took.
//!
//! Pure: what requests held, what came of them and how long it took goes in; what the next one may hold comes out. Response
//! times are fitted (`fit.rs`), failures put a ceiling above the rows (`ceiling.rs`), refusals that tell nothing put bounds on
//! what is asked for (`bounds.rs`), and where the budget has room, work is spread over more requests (`spread.rs`). `knee.rs`
//! finds how many requests in flight a source takes.

mod bounds;
mod ceiling;
mod doubt;
mod fit;
mod knee;
mod spread;
#[cfg(test)]
mod tests;
mod yields;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::project::SourceSettings;
use crate::run::pace::ceiling::{Ceiling, Mark};
use crate::run::pace::doubt::Doubts;
use crate::run::pace::fit::Fit;

pub(crate) use bounds::{Bounds, Demand, Standing};
pub(crate) use doubt::Stretch;
pub(crate) use knee::{Bearing, Knee};
pub(crate) use spread::{Budget, Split, Spread};

/// Of the largest response that is read, what pages are steered to: rows are not all alike.
const SHARE_OF_BYTES: f64 = 0.5;
/// However long any answer takes, rows have this share of the target.
const LEAST_SHARE: f64 = 0.1;
/// How much each answer counts for how far the server has changed while a request was on its way: the last ten or so
/// decide, and of fewer each as much as the others.
const TREND_WEIGHT: f64 = 0.1;
/// How much of becoming faster is believed.
const HOPE: f64 = 0.5;
/// How many times slower or faster a server is taken to become meanwhile at most, as a logarithm.
const MOST_TREND: f64 = 0.4;
/// Pages of one same size below what was asked for, with more behind, by which a cap is known.
const CAP_SIGHTS: u32 = 3;

/// What is known of how an API answers the requests of one query.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Pace {
    /// Seconds.
    time: Fit,
    bytes: Fit,
    /// How many times longer answers took than was foreseen when they were asked for, as a logarithm.
    #[serde(skip)]
    trend: f64,
    /// Answers that the trend is of.
    #[serde(skip)]
    trend_answers: u32,
    /// By the connection with whose pages most rows of a request come: how many come of those that are likely to, and what
    /// they weigh, is much the same for such requests alone.
    ceilings: Vec<Ceiling>,
    /// What moved their walls.
    #[serde(skip)]
    doubts: Doubts,
    caps: Vec<Cap>,
    bounds: Bounds,
}

/// The most rows that a page of a connection has, whatever is asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Cap {
    /// As the API said, or showed.
    rows: Option<u32>,
    /// Rows of the last page that was shorter than what was asked for though there was more, and how many were like it.
    #[serde(skip)]
    sight: (u32, u32),
}

/// Of the time that answers may take for all permits to be used, what is steered to: some take longer.
const SLACK: f64 = 0.93;

/// Nothing shorter than this share of the wanted response time is steered to: rows would come more slowly, and more of the
/// time would be what any answer takes.
const NEAR_TARGET: f64 = 0.75;

/// What a source wants of response times and sizes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Aims {
    /// The response time that is steered to.
    pub(crate) time: Duration,
    /// The largest response that is read.
    pub(crate) bytes: usize,
    /// Requests that may be in flight.
    pub(crate) places: usize,
    /// Requests that may be sent in a second; infinite where nothing limits them.
    pub(crate) per_second: f64,
}

/// How far requests get, however little they hold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Reach {
    /// Seconds that any answer takes.
    pub(crate) base: f64,
    /// Requests that may be in flight.
    pub(crate) places: f64,
    /// Requests that may be sent in a second; infinite where nothing limits them.
    pub(crate) per_second: f64,
}

impl Aims {
    /// Those of a source. Answers that take longer than the requests in flight can bring in as often as the limits allow leave
    /// permits unused, so that where little is given up for it, somewhat shorter ones are steered to.
    pub(crate) fn of(settings: &SourceSettings) -> Self {
        let limits = &settings.limits;
        let places = u32::try_from(limits.concurrency).unwrap_or(u32::MAX);
        let intervals = limits.requests.iter().map(|limit| limit.per / limit.max.max(1));
        let interval = intervals.max();
        let longest = interval.map(|interval| interval.saturating_mul(places));
        let target = settings.timing.target;
        let is_near = |longest: &Duration| (target.mul_f64(NEAR_TARGET)..target).contains(longest);
        Self {
            time: longest
                .map(|longest| longest.mul_f64(SLACK))
                .filter(is_near)
                .unwrap_or(target),
            bytes: limits.response_bytes,
            places: limits.concurrency.max(1),
            per_second: interval.map_or(f64::INFINITY, |interval| interval.as_secs_f64().recip()),
        }
    }
}

/// What the next request may hold.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Allowance {
    /// Seconds for rows, and those of a row of each connection; nothing where no time is known yet.
    pub(crate) time: Option<(f64, Vec<f64>)>,
    /// The same in bytes.
    pub(crate) bytes: Option<(f64, Vec<f64>)>,
    /// Rows, by the connection with whose pages most of them come.
    pub(crate) rows: Vec<f64>,
    /// The same without what is only not tried yet.
    pub(crate) walls: Vec<f64>,
    /// The most rows of a page, by connection.
    pub(crate) caps: Vec<u32>,
    /// Rows that may be asked for, whether they come or not; infinite where nothing tells.
    pub(crate) asked_rows: f64,
    /// The most parts of a request.
    pub(crate) slots: usize,
    /// How far requests get.
    pub(crate) reach: Reach,
}

impl Allowance {
    /// Anything, for so many connections.
    pub(crate) fn unlimited(connections: usize) -> Self {
        Self {
            time: None,
            bytes: None,
            rows: vec![f64::INFINITY; connections],
            walls: vec![f64::INFINITY; connections],
            caps: vec![u32::MAX; connections],
            asked_rows: f64::INFINITY,
            slots: usize::MAX,
            reach: Reach {
                base: 0.0,
                places: 1.0,
                per_second: f64::INFINITY,
            },
        }
    }

    /// No more rows than so many in all.
    pub(crate) fn keep_to(&mut self, rows: f64) {
        let limits = self.rows.iter_mut().chain(&mut self.walls);
        limits.for_each(|limit| *limit = limit.min(rows));
    }
}

/// What is known of one connection.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Signs {
    /// What a row adds to the response time.
    pub(crate) seconds_per_row: Option<f64>,
    /// What a row adds to the size of a response.
    pub(crate) bytes_per_row: Option<f64>,
    /// Rows above which requests failed.
    pub(crate) wall: Option<f64>,
    /// The most rows of a page.
    pub(crate) cap: Option<u32>,
}

/// What a request was sent with, to be told together with what came of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Load {
    /// Rows that are likely to come, by connection.
    pub(crate) rows: Vec<f64>,
    /// The rows that it asks for, by their places.
    pub(crate) asked: Vec<Stretch>,
    /// The connection with whose pages most of them come.
    main: Option<usize>,
    /// As many as may well come.
    at_worst: f64,
    mark: Mark,
    /// What was known of response times then: seconds of any answer, and of a row of each connection.
    foresight: Option<(f64, Vec<f64>)>,
}

impl Load {
    /// All rows.
    pub(crate) fn total(&self) -> f64 {
        self.rows.iter().sum()
    }
}

impl Pace {
    /// Nothing is known yet of so many connections.
    pub(crate) fn new(connections: usize) -> Self {
        Self {
            time: Fit::new(connections),
            bytes: Fit::new(connections),
            trend: 0.0,
            trend_answers: 0,
            ceilings: vec![Ceiling::default(); connections],
            doubts: Doubts::default(),
            caps: vec![Cap::default(); connections],
            bounds: Bounds::new(connections),
        }
    }

    /// Whether it is for so many connections, as what comes from outside may not be.
    pub(crate) fn is_for(&self, connections: usize) -> bool {
        let fits = |fit: &Fit| fit.is_for(connections);
        fits(&self.time)
            && fits(&self.bytes)
            && self.ceilings.len() == connections
            && self.caps.len() == connections
            && self.bounds.is_for(connections)
    }

    /// What a request may hold by what earlier runs showed; anything where they showed nothing.
    pub(crate) fn known_allowance(&self, aims: Aims) -> Allowance {
        match self.time.is_known() {
            true => self.allowance(aims),
            false => Allowance::unlimited(self.caps.len()),
        }
    }

    /// What the next request may hold.
    pub(crate) fn allowance(&self, aims: Aims) -> Allowance {
        let room = |fit: &Fit, aim: f64| (aim - fit.base()).max(aim * LEAST_SHARE);
        let measure = |fit: &Fit, aim: f64| fit.is_known().then(|| (room(fit, aim), self.per_row(fit)));
        let grown = self.ceilings.iter().map(Ceiling::grown).fold(0.0, f64::max);
        Allowance {
            // When it is answered the server will have become slower or faster by as much again; what becomes faster may
            // become slower again.
            time: measure(
                &self.time,
                aims.time.as_secs_f64() / self.trend.max(self.trend * HOPE).exp(),
            ),
            bytes: measure(&self.bytes, aims.bytes as f64 * SHARE_OF_BYTES),
            rows: self.ceilings.iter().map(|ceiling| ceiling.rows(grown)).collect(),
            walls: self.ceilings.iter().map(Ceiling::below_wall).collect(),
            caps: (0..self.caps.len())
                .map(|index| self.cap(index).unwrap_or(u32::MAX))
                .collect(),
            asked_rows: self.bounds.rows(),
            slots: self.bounds.slots(),
            reach: Reach {
                base: self.time.base(),
                places: aims.places as f64,
                per_second: aims.per_second,
            },
        }
    }

    /// Marks a request with these rows, most of which come with pages of the connection `main`, which is sent now.
    pub(crate) fn take_off(&mut self, rows: Vec<f64>, main: Option<usize>) -> Load {
        let total = rows.iter().sum();
        let ceiling = main.and_then(|index| self.ceilings.get_mut(index));
        let (at_worst, mark) = ceiling.map_or((total, Mark::default()), |ceiling| {
            let at_worst = ceiling.at_worst(total);
            (at_worst, ceiling.take_off(at_worst))
        });
        Load {
            main,
            asked: Vec::new(),
            foresight: self
                .time
                .is_known()
                .then(|| (self.time.base(), self.per_row(&self.time))),
            rows,
            at_worst,
            mark,
        }
    }

    /// A request is over, whatever came of it.
    pub(crate) fn land(&mut self, load: &Load) {
        if let Some(ceiling) = load.main.and_then(|index| self.ceilings.get_mut(index)) {
            ceiling.land(load.mark);
        }
    }

    /// Seconds that answers took of late, on average.
    pub(crate) fn typical(&self) -> f64 {
        self.time.mean()
    }

    /// Seconds that any answer takes, however little it holds.
    pub(crate) fn base(&self) -> f64 {
        self.time.base()
    }

    /// An answer came with these rows.
    pub(crate) fn note_answer(&mut self, load: &Load, rows: &[f64], elapsed: Duration, bytes: u64) {
        if let Some((base, per_row)) = &load.foresight {
            let foreseen = base
                + rows
                    .iter()
                    .zip(per_row)
                    .map(|(rows, seconds)| rows * seconds)
                    .sum::<f64>();
            let surprise = (elapsed.as_secs_f64() / foreseen).ln().clamp(-MOST_TREND, MOST_TREND);
            self.trend_answers = self.trend_answers.saturating_add(1);
            let weight = TREND_WEIGHT.max(1.0 / f64::from(self.trend_answers.saturating_add(1)));
            self.trend += weight * (surprise - self.trend);
        }
        self.time.note(rows, elapsed.as_secs_f64());
        self.bytes.note(rows, bytes as f64);
        let (came, likely) = (rows.iter().sum(), load.total());
        if let Some(ceiling) = load.main.and_then(|index| self.ceilings.get_mut(index)) {
            let tried = ceiling.note_yield(came, likely, load.at_worst);
            ceiling.note_answer(tried, came);
        }
        self.spread_walls();
    }

    /// No answer came for a request that may have been too large, after `elapsed`; or, where `may_be_busy`, that may have met
    /// a busy server. False where larger ones succeeded of late.
    pub(crate) fn note_failure(&mut self, load: &Load, elapsed: Duration, may_be_busy: bool) -> bool {
        // The answer would have taken longer than it was waited for.
        self.time.note_at_least(&load.rows, elapsed.as_secs_f64());
        self.moving_walls(load, load.asked.clone(), |ceiling| match may_be_busy {
            true => ceiling.note_busy(load.at_worst, load.mark),
            false => ceiling.note_failure(load.at_worst, load.mark),
        })
        .unwrap_or(true)
    }

    /// A request like this one came through at last that had failed with `rows`.
    pub(crate) fn note_wall(&mut self, load: &Load, rows: f64) {
        // It asked for as many times more of the same pages.
        let share = rows / load.total();
        let asked = load.asked.iter().map(|stretch| stretch.beginning(share)).collect();
        self.moving_walls(load, asked, |ceiling| ceiling.note_wall(ceiling.at_worst(rows)));
    }

    /// Something of these rows cannot be had, however little is asked for: that requests for them failed says nothing of
    /// their number.
    pub(crate) fn note_lost(&mut self, lost: &[Stretch]) {
        for (index, wall) in self.doubts.take_back(lost) {
            if let Some(ceiling) = self.ceilings.get_mut(index) {
                ceiling.restore(wall);
            }
        }
        self.spread_walls();
    }

    /// Notes what may move the wall of a request that asked for these rows.
    fn moving_walls<T>(&mut self, load: &Load, asked: Vec<Stretch>, note: impl FnOnce(&mut Ceiling) -> T) -> Option<T> {
        let index = load.main?;
        let ceiling = self.ceilings.get_mut(index)?;
        let before = ceiling.standing();
        let noted = note(ceiling);
        let after = ceiling.standing();
        if before != after {
            self.doubts.note(index, asked, (before, after));
        }
        self.spread_walls();
        Some(noted)
    }

    /// What is known of the walls of some connections bounds requests for the others, as far as those have not shown that
    /// they bear more: most walls are of all rows together.
    fn spread_walls(&mut self) {
        let lent = self.ceilings.iter().filter_map(Ceiling::lent).min_by(f64::total_cmp);
        self.ceilings.iter_mut().for_each(|ceiling| ceiling.borrow(lent));
    }

    /// Forgets above how many rows requests failed: of a connection, or, where the request is of none, of all; and how much
    /// may be asked for, which is of no single one.
    pub(crate) fn forget_walls(&mut self, connection: Option<usize>) {
        self.bounds = Bounds::new(self.caps.len());
        self.doubts.forget(connection);
        let ceilings = self.ceilings.iter_mut().enumerate();
        for (index, ceiling) in ceilings {
            if connection.is_none_or(|connection| connection == index) {
                *ceiling = Ceiling::default();
            }
        }
    }

    /// The API said how many rows a page of a connection may have. False where that was known.
    pub(crate) fn note_cap(&mut self, connection: usize, rows: u32) -> bool {
        let Some(cap) = self.caps.get_mut(connection) else {
            return false;
        };
        let is_news = cap.rows.is_none_or(|known| known > rows);
        if is_news {
            cap.rows = Some(rows.max(1));
        }
        is_news
    }

    /// What requests may ask for.
    pub(crate) fn bounds(&mut self) -> &mut Bounds {
        &mut self.bounds
    }

    /// A page came with fewer rows than were asked for, though there are more.
    pub(crate) fn note_short(&mut self, connection: usize, rows: u32) {
        let Some(cap) = self.caps.get_mut(connection) else {
            return;
        };
        let (last, sights) = cap.sight;
        cap.sight = if rows == last { (rows, sights + 1) } else { (rows, 1) };
        if cap.sight.1 >= CAP_SIGHTS && rows > 0 {
            cap.rows = Some(cap.rows.map_or(rows, |known| known.min(rows)));
        }
    }

    /// A page came with as many rows as were asked for, above what was taken for the cap.
    pub(crate) fn note_full(&mut self, connection: usize, rows: u32) {
        if let Some(cap) = self.caps.get_mut(connection)
            && cap.rows.is_some_and(|known| known < rows)
        {
            *cap = Cap::default();
        }
    }

    /// What is known of a connection.
    pub(crate) fn signs(&self, connection: usize) -> Signs {
        let per_row = |fit: &Fit| fit.is_known().then(|| fit.per_row(connection));
        Signs {
            seconds_per_row: per_row(&self.time),
            bytes_per_row: per_row(&self.bytes),
            wall: self.ceilings.get(connection).and_then(Ceiling::wall),
            cap: self.cap(connection),
        }
    }

    /// The most rows that a request may ask for, where refusals tell.
    pub(crate) fn rows_asked(&self) -> Option<u64> {
        Some(self.bounds.rows())
            .filter(|rows| rows.is_finite())
            .map(|rows| rows as u64)
    }

    /// The most parts of a request, where refusals tell.
    pub(crate) fn parts(&self) -> Option<usize> {
        Some(self.bounds.slots()).filter(|parts| *parts < usize::MAX)
    }

    /// The most rows of a page of a connection, where anything tells.
    fn cap(&self, connection: usize) -> Option<u32> {
        let told = self.caps.get(connection).and_then(|cap| cap.rows);
        let found = Some(self.bounds.page(connection)).filter(|rows| *rows < u32::MAX);
        told.into_iter().chain(found).min()
    }

    fn per_row(&self, fit: &Fit) -> Vec<f64> {
        (0..self.caps.len()).map(|index| fit.per_row(index)).collect()
    }

    /// What is kept for the next run.
    pub(crate) fn settled(&self) -> Self {
        let ceilings = self.ceilings.iter();
        let mut settled = Self {
            ceilings: ceilings.map(Ceiling::settled).collect(),
            doubts: Doubts::default(),
            bounds: self.bounds.settled(),
            trend: 0.0,
            trend_answers: 0,
            ..self.clone()
        };
        settled.spread_walls();
        settled
    }
}
