//! By what the room of a request is counted: what a row of each connection costs, first pages below it included.

use crate::plan::Plan;
use crate::run::fan_out::FanOut;
use crate::run::pace::Allowance;
use crate::run::pack::Room;
use crate::state::Task;

/// One way of counting.
#[derive(Debug)]
pub(super) struct Measure {
    /// What the first pages of everything may cost.
    pub(super) room: f64,
    /// The same where pages must keep the size of their first one: what is only not tried yet does not bind them.
    pub(super) fixed_room: f64,
    /// The room of a request with pages of a connection, by connection, where it is another one.
    ceilings: Option<Ceilings>,
    /// Whether the rows that are asked for count; if not, those that are likely to come do.
    pub(super) counts_asked: bool,
    /// Whether it counts seconds.
    pub(super) is_time: bool,
    /// What a row costs by itself, by connection.
    weights: Vec<f64>,
    /// What a row costs with what comes with it, by connection.
    pub(super) costs: Vec<f64>,
}

#[derive(Debug)]
struct Ceilings {
    any: Vec<f64>,
    fixed: Vec<f64>,
}

/// All ways of counting; the first counts nodes, the second the rows that are likely to come.
#[derive(Debug)]
pub(super) struct Measures(pub(super) Vec<Measure>);

impl Measures {
    pub(super) fn new(plan: &Plan, room: Room, allowance: &Allowance) -> Self {
        let ones = || vec![1.0; plan.connections.len()];
        let rows = room.rows as f64;
        let nodes = Measure {
            // Rows that are likely to come are no reason to begin with odd pages that go on for ever.
            fixed_room: if room.counts_asked { rows } else { f64::INFINITY },
            counts_asked: room.counts_asked,
            ..Measure::new(rows, ones())
        };
        let ceilings = Ceilings {
            any: allowance.rows.clone(),
            fixed: allowance.walls.clone(),
        };
        let is_outermost = |index: &usize| plan.connections[*index].parent.is_none();
        let least = |ceilings: &[f64]| {
            let outermost = (0..plan.connections.len()).filter(is_outermost);
            outermost.map(|index| ceilings[index]).fold(f64::INFINITY, f64::min)
        };
        let likely = Measure {
            fixed_room: least(&ceilings.fixed),
            ..Measure::new(least(&ceilings.any), ones())
        };
        let likely = Measure {
            ceilings: Some(ceilings),
            ..likely
        };
        let mut measures = vec![nodes, likely];
        let timed = allowance.time.iter().map(|time| (time, true));
        let weighed = allowance.bytes.iter().map(|bytes| (bytes, false));
        for ((room, weights), is_time) in timed.chain(weighed) {
            measures.push(Measure {
                is_time,
                ..Measure::new(*room, weights.clone())
            });
        }
        Self(measures)
    }

    pub(super) fn nodes(&self) -> &Measure {
        &self.0[0]
    }

    /// That of the rows that are likely to come.
    pub(super) fn likely(&self) -> &Measure {
        &self.0[1]
    }

    pub(super) fn time(&self) -> Option<&Measure> {
        self.0.iter().find(|measure| measure.is_time)
    }

    /// Counts first pages of that size with the rows of the connection above.
    pub(super) fn add_inline(&mut self, index: usize, parent: Option<usize>, size: u32, fan_out: &FanOut) {
        let Some(parent) = parent else { return };
        for measure in &mut self.0 {
            measure.costs[parent] += measure.rows_inline(size, fan_out) * measure.costs[index];
        }
    }

    /// Counts anew, with first pages of these sizes.
    pub(super) fn count(&mut self, plan: &Plan, inline_sizes: &[u32], fan_outs: &[FanOut]) {
        for measure in &mut self.0 {
            measure.costs.clone_from(&measure.weights);
        }
        // Children stand behind their parents.
        for (index, connection) in plan.connections.iter().enumerate().rev() {
            if let Some(fan_out) = fan_outs.get(index) {
                self.add_inline(index, connection.inline_parent(), inline_sizes[index], fan_out);
            }
        }
    }
}

impl Measure {
    fn new(room: f64, weights: Vec<f64>) -> Self {
        // What costs nothing would fit without end.
        let weights: Vec<f64> = weights
            .into_iter()
            .map(|weight| weight.max(f64::MIN_POSITIVE))
            .collect();
        Self {
            room,
            fixed_room: room,
            ceilings: None,
            counts_asked: false,
            is_time: false,
            costs: weights.clone(),
            weights,
        }
    }

    /// What a row costs by itself.
    pub(super) fn weight(&self, connection: usize) -> f64 {
        self.weights.get(connection).copied().unwrap_or_default()
    }

    pub(super) fn cost(&self, connection: usize, size: u32) -> f64 {
        self.costs.get(connection).copied().unwrap_or(1.0) * f64::from(size)
    }

    /// What the rows on the way to the page of a task cost: those that are asked for by their place are counted like
    /// others by APIs, and hardly take time.
    pub(super) fn above(&self, task: &Task) -> f64 {
        if self.counts_asked {
            task.address.values.len() as f64
        } else {
            0.0
        }
    }

    /// The room of a request with pages of a connection.
    pub(super) fn ceiling(&self, connection: usize) -> f64 {
        let ceiling = self.ceilings.as_ref().and_then(|ceilings| ceilings.any.get(connection));
        ceiling.copied().unwrap_or(self.room)
    }

    /// The same where its pages must keep their size.
    pub(super) fn fixed_ceiling(&self, connection: usize) -> f64 {
        let ceiling = self
            .ceilings
            .as_ref()
            .and_then(|ceilings| ceilings.fixed.get(connection));
        ceiling.copied().unwrap_or(self.fixed_room)
    }

    /// Rows that a first page of that size counts for.
    fn rows_inline(&self, size: u32, fan_out: &FanOut) -> f64 {
        match self.counts_asked {
            true => f64::from(size),
            false => likely_rows(size, fan_out),
        }
    }
}

/// Rows of a list below a row while too little is known: pages of which some come whole are soon many rows to learn from.
const GUESS: u32 = 40;

/// Rows that are likely to come with a first page of that size.
pub(super) fn likely_rows(size: u32, fan_out: &FanOut) -> f64 {
    fan_out.mean(size).unwrap_or_else(|| f64::from(size.min(GUESS)))
}
