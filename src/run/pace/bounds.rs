//! How much a request may ask for, as far as refusals have shown whose words tell nothing.
//!
//! Pure. Such a refusal may be for the rows of a page, for all rows that are asked for, or for the parts that the request
//! has. What was answered with as much cannot have been why; what is left is halved until answers come, and then tried one
//! after the other between what came and what was refused.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

/// Refusals until they are taken to be for how much was asked for: one may be for what was asked for.
const BELIEVED: u32 = 2;
/// What was refused is near enough to what was answered when it is no more than this share above it.
const NEAR: f64 = 0.1;
/// Of the next runs, what was refused with no more than so many times as much as was answered.
const NEAR_ENOUGH: f64 = 2.0;
/// How many times more is tried of what may never have been why, after so many answers since the last refusal.
const DOUBT: f64 = 2.0;
const CALM: u32 = 50;

/// What a request asks for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Demand(Vec<f64>);

impl Demand {
    /// Rows of the largest page of each connection, all rows, and parts with fields of the query root of their own.
    pub(crate) fn new(pages: &[u32], rows: f64, slots: usize) -> Self {
        let pages = pages.iter().map(|size| f64::from(*size));
        Self(pages.chain([rows, slots as f64]).collect())
    }

    /// The same without pages of other connections than these: where nothing holds a list, its size is not looked at.
    pub(crate) fn with_pages_of(mut self, connections: &HashSet<usize>) -> Self {
        let pages = self.0.len().saturating_sub(2);
        for (index, size) in self.0.iter_mut().enumerate().take(pages) {
            if !connections.contains(&index) {
                *size = 0.0;
            }
        }
        self
    }
}

/// Where a request stands among what was learnt, when it is sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Standing {
    changes: u64,
    /// Whether it tries more than was answered.
    pub(crate) is_trial: bool,
    /// Whether it may ask for no more than so much.
    pub(crate) is_bounded: bool,
}

/// What requests may ask for: of the page of each connection, of rows, of parts.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Bounds {
    bounds: Vec<Bound>,
    is_believed: bool,
    #[serde(skip)]
    refusals: u32,
    /// Answers since the last one.
    #[serde(skip)]
    calm: u32,
    /// Nothing was answered since several were lowered together.
    #[serde(skip)]
    is_falling: bool,
    /// The one that is tried next.
    #[serde(skip)]
    tried: usize,
    /// Requests in flight that try it: one is enough to know.
    #[serde(skip)]
    trials: u32,
    /// How often any was lowered: what was sent before that says nothing new.
    #[serde(skip)]
    changes: u64,
}

/// One of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
struct Bound {
    /// The most that was answered.
    passed: f64,
    /// The least that was refused.
    refused: Option<f64>,
    /// Whether nothing else can have been why.
    is_sure: bool,
}

impl Bound {
    fn note_answer(&mut self, asked: f64) {
        self.passed = self.passed.max(asked);
        if self.refused.is_some_and(|refused| refused <= self.passed) {
            self.refused = None;
            self.is_sure = false;
        }
    }

    /// False where as much was refused before.
    fn note_refusal(&mut self, asked: f64, is_alone: bool) -> bool {
        let is_lower = self.refused.is_none_or(|refused| asked < refused);
        if is_lower {
            self.refused = Some(asked);
            self.is_sure = is_alone;
        }
        // What nothing else can have been refused for was so before, too.
        self.is_sure |= is_alone;
        is_lower
    }

    /// What is kept for the next run, which does not spend requests on what is known about well enough.
    fn settled(self) -> Self {
        let refused = self.refused.map(|refused| match refused <= self.passed * NEAR_ENOUGH {
            true => refused.min(self.passed + 1.0),
            false => refused,
        });
        Self { refused, ..self }
    }

    /// What has certainly been answered.
    fn safe(self) -> f64 {
        self.passed.max(1.0)
    }

    /// What is tried next; `None` where it is known well enough.
    fn trial(self, calm: u32) -> Option<f64> {
        let refused = self.refused?;
        let is_near = refused - self.passed <= (self.passed * NEAR).max(1.0);
        match (is_near, self.is_sure) {
            (true, true) => None,
            (true, false) => (calm >= CALM).then_some(refused * DOUBT),
            (false, _) => Some(f64::midpoint(self.passed, refused).floor().max(1.0)),
        }
    }
}

impl Bounds {
    /// Nothing is known yet of so many connections.
    pub(crate) fn new(connections: usize) -> Self {
        Self {
            bounds: vec![Bound::default(); connections + 2],
            ..Self::default()
        }
    }

    /// Whether they are for so many connections, as what comes from outside may not be.
    pub(crate) fn is_for(&self, connections: usize) -> bool {
        self.bounds.len() == connections + 2
    }

    /// The most rows of a page of a connection.
    pub(crate) fn page(&self, connection: usize) -> u32 {
        // Too large for the type is no bound.
        self.limit(connection) as u32
    }

    /// The most rows that are asked for at once; infinite where nothing is known.
    pub(crate) fn rows(&self) -> f64 {
        self.limit(self.bounds.len().saturating_sub(2))
    }

    /// The most parts of a request.
    pub(crate) fn slots(&self) -> usize {
        self.limit(self.bounds.len().saturating_sub(1)) as usize
    }

    fn limit(&self, index: usize) -> f64 {
        let bound = self.bounds.get(index).filter(|bound| bound.refused.is_some());
        let Some(bound) = bound.filter(|_| self.is_believed) else {
            return f64::INFINITY;
        };
        let is_tried = self.is_falling || (self.tried == index && self.trials == 0);
        bound.trial(self.calm).filter(|_| is_tried).unwrap_or(bound.safe())
    }

    /// Marks a request that is sent now.
    pub(crate) fn take_off(&mut self, demand: &Demand) -> Standing {
        let mut asked = self.bounds.iter().zip(&demand.0);
        let is_trial = self.is_believed && asked.any(|(bound, asked)| bound.refused.is_some() && *asked > bound.safe());
        self.trials += u32::from(is_trial);
        Standing {
            changes: self.changes,
            is_trial,
            is_bounded: self.is_believed,
        }
    }

    /// A request is over.
    pub(crate) fn land(&mut self, standing: Standing) {
        self.trials = self.trials.saturating_sub(u32::from(standing.is_trial));
    }

    /// A request was answered.
    pub(crate) fn note_answer(&mut self, demand: &Demand) {
        for (bound, asked) in self.bounds.iter_mut().zip(&demand.0) {
            bound.note_answer(*asked);
        }
        self.is_falling = false;
        self.calm = self.calm.saturating_add(1);
        if self.bounds.iter().all(|bound| bound.refused.is_none()) {
            self.is_believed = false;
            self.refusals = 0;
        }
        if self.is_believed && self.trials == 0 {
            let others = (1..=self.bounds.len()).map(|step| (self.tried + step) % self.bounds.len());
            let next = others
                .into_iter()
                .find(|index| self.bounds[*index].trial(self.calm).is_some());
            self.tried = next.unwrap_or(self.tried);
        }
    }

    /// A request was refused in words that tell nothing. True where it is known by now to be for how much it asked for, so that
    /// less is asked for when it is asked for again.
    pub(crate) fn note_refusal(&mut self, demand: &Demand, standing: Standing) -> bool {
        let asked = self.bounds.iter().zip(&demand.0).enumerate();
        let suspects = asked.filter(|(_, (bound, asked))| **asked > bound.passed);
        let suspects: Vec<usize> = suspects.map(|(index, _)| index).collect();
        let is_alone = suspects.len() == 1;
        let mut is_lower = false;
        for index in &suspects {
            is_lower |= self.bounds[*index].note_refusal(demand.0[*index], is_alone);
        }
        let is_old = standing.changes < self.changes;
        self.calm = 0;
        if self.is_believed && !is_lower && !is_old && !standing.is_trial {
            // It could not be asked for with less.
            return false;
        }
        self.changes += u64::from(is_lower);
        self.is_falling |= is_lower && !is_alone;
        self.refusals += 1;
        let has_passed = self.bounds.iter().any(|bound| bound.passed > 0.0);
        self.is_believed |= has_passed && self.refusals >= BELIEVED;
        suspects.iter().any(|index| self.limit(*index) < demand.0[*index])
    }

    /// What is kept for the next run.
    pub(crate) fn settled(&self) -> Self {
        Self {
            bounds: self.bounds.iter().map(|bound| bound.settled()).collect(),
            is_believed: self.is_believed,
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that refuses what is more than any of these, asked with as much as may be, and at most so much of each:
    /// refusals, and what was asked for last.
    fn play(bounds: &mut Bounds, rounds: u32, wanted: [u32; 3], caps: [u32; 3]) -> (u32, [u32; 3]) {
        let mut refusals = 0;
        let mut last = [0; 3];
        let mut small = false;
        for _ in 0..rounds {
            let room = [bounds.page(0), bounds.rows() as u32, bounds.slots() as u32];
            let asked: Vec<u32> = wanted
                .iter()
                .zip(room)
                .map(|(wanted, room)| room.min(*wanted))
                .collect();
            // What is refused and not believed is asked for in the smallest way.
            let asked = if small { vec![1, 1, 1] } else { asked };
            small = false;
            let demand = Demand::new(&asked[..1], f64::from(asked[1]), asked[2] as usize);
            let standing = bounds.take_off(&demand);
            bounds.land(standing);
            if asked.iter().zip(caps).all(|(asked, cap)| *asked <= cap) {
                bounds.note_answer(&demand);
                last = [asked[0], asked[1], asked[2]];
            } else {
                refusals += 1;
                small = !bounds.note_refusal(&demand, standing);
            }
        }
        (refusals, last)
    }

    #[test]
    fn whichever_of_them_it_is_for_is_found_in_a_few_refusals_and_the_others_are_set_free() {
        let most = u32::MAX;
        for caps in [[17, most, most], [most, 800, most], [most, most, 4], [33, 2_000, 7]] {
            let mut bounds = Bounds::new(1);
            let wanted = [100, 10_000, 50];
            let (refusals, last) = play(&mut bounds, 200, wanted, caps);
            assert!(refusals <= 20, "{caps:?}: {refusals}");
            for ((last, cap), wanted) in last.into_iter().zip(caps).zip(wanted) {
                let best = f64::from(cap.min(wanted));
                assert!(f64::from(last) >= best - (best * NEAR).max(1.0), "{caps:?}: {last}");
            }
            let mut next = bounds.settled();
            assert_eq!(play(&mut next, 100, wanted, caps).0, 0, "{caps:?}: the next night");
        }
    }

    #[test]
    fn what_is_refused_for_itself_leaves_no_bound() {
        let mut bounds = Bounds::new(1);
        let ask = |slots: usize| Demand::new(&[10], 10.0 * slots as f64, slots);
        bounds.note_answer(&ask(3));
        // One bad task is parted from the others.
        for slots in [8, 4, 2, 1] {
            bounds.note_refusal(&ask(slots), Standing::default());
            if slots < 8 {
                bounds.note_answer(&ask(slots));
            }
        }
        bounds.note_answer(&ask(8));
        assert_eq!((bounds.page(0), bounds.slots()), (u32::MAX, usize::MAX));
        assert_eq!(bounds.rows(), f64::INFINITY);
    }

    #[test]
    fn one_request_at_a_time_tries_more() {
        let mut bounds = Bounds::new(1);
        let ask = |rows: u32| Demand::new(&[rows], 0.0, 0);
        bounds.note_answer(&ask(10));
        assert!(!bounds.note_refusal(&ask(100), Standing::default()), "one says little");
        assert_eq!(bounds.page(0), u32::MAX);
        assert!(bounds.note_refusal(&ask(90), bounds.clone().take_off(&ask(90))));
        let standing = bounds.take_off(&ask(bounds.page(0)));
        assert_eq!(bounds.page(0), 10);
        assert!(
            bounds.note_refusal(&ask(90), Standing::default()),
            "sent before that was known"
        );
        bounds.land(standing);
        assert_eq!(bounds.page(0), 50);
    }
}
