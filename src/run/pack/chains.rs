//! Chains of pages that follow one another, and smaller first pages below their rows where those hold an export up.
//!
//! Pure. Rows that come with a page of a chain are waited for by all pages behind it; what is left out of it is asked for
//! by the side, in more requests. An export takes as long as its longest chain, or as its requests side by side, or as the
//! budget lets it, whichever is longest.

use std::collections::BTreeMap;

use crate::plan::{Connection, Plan};
use crate::run::fan_out::FanOut;
use crate::run::pace::Reach;
use crate::run::pack::measure::{Measure, likely_rows};
use crate::run::pack::{Packer, is_capped, is_fixed, is_side_by_side};

/// What of the time has to be saved for more requests to be made.
const WORTH: f64 = 0.85;

/// What an export is likely to hold, by connection.
struct Outlook {
    /// The rows of the lists that were seen, each with how many have so many.
    seen: Vec<BTreeMap<u64, u64>>,
    /// Lists.
    lists: Vec<f64>,
    /// Their rows in all.
    rows: Vec<f64>,
    /// The rows of the longest of them.
    longest: Vec<f64>,
}

impl Outlook {
    fn of(plan: &Plan, fan_outs: &[FanOut]) -> Self {
        let mut outlook = Self {
            seen: Vec::new(),
            lists: Vec::new(),
            rows: Vec::new(),
            longest: Vec::new(),
        };
        // Children stand behind their parents.
        for (index, connection) in plan.connections.iter().enumerate() {
            let known = fan_outs.get(index).map(FanOut::rows).unwrap_or_default();
            let most = connection.most_rows.map_or(u64::MAX, u64::from);
            let count: u64 = known.values().sum();
            let rows: u64 = known.iter().map(|(rows, count)| rows.min(&most) * count).sum();
            let lists = connection.parent.map_or(1.0, |parent| outlook.rows[parent]);
            outlook.lists.push(lists);
            outlook.rows.push(lists * rows as f64 / count.max(1) as f64);
            let longest = known.keys().next_back().map_or(0, |longest| *longest.min(&most));
            outlook.longest.push(longest as f64);
            outlook.seen.push(known);
        }
        outlook
    }

    /// Lists of a connection that are likely to have more rows than so many.
    fn longer_than(&self, index: usize, rows: u32) -> f64 {
        let seen = &self.seen[index];
        let longer: u64 = seen.range(u64::from(rows) + 1..).map(|(_, count)| count).sum();
        self.lists[index] * longer as f64 / seen.values().sum::<u64>().max(1) as f64
    }
}

impl Packer<'_> {
    /// Makes first pages below the rows of long chains smaller, where the export ends sooner for it. Values that a query is run
    /// for are side by side as they are; and where an API counts what is asked for, more requests cost more than time.
    pub(super) fn shorten_chains(&mut self, fan_outs: &[FanOut], reach: Reach) {
        if self.measures.time().is_none() || self.plan.each.is_some() || self.room.counts_asked {
            return;
        }
        let outlook = Outlook::of(self.plan, fan_outs);
        let mut best = (self.seconds_of_all(&outlook, reach) * WORTH, self.inline_sizes.clone());
        while let Some(below) = self.heaviest_below(&outlook, fan_outs) {
            self.inline_sizes[below] = self.inline_sizes[below].div_ceil(2);
            self.measures.count(self.plan, &self.inline_sizes, fan_outs);
            let seconds = self.seconds_of_all(&outlook, reach);
            if seconds < best.0 {
                best = (seconds, self.inline_sizes.clone());
            }
        }
        self.inline_sizes = best.1;
        self.measures.count(self.plan, &self.inline_sizes, fan_outs);
    }

    /// Seconds that an export takes with these first pages.
    fn seconds_of_all(&self, outlook: &Outlook, reach: Reach) -> f64 {
        let chains = (0..outlook.rows.len()).map(|index| self.seconds_of_chain(index, outlook, reach));
        let chain = chains.fold(0.0, f64::max);
        let of_all = |measure: &Measure| {
            let rows = outlook.rows.iter().enumerate();
            rows.map(|(index, rows)| rows * measure.weight(index)).sum::<f64>()
        };
        let by_rows = self.measures.0.iter().map(|measure| of_all(measure) / measure.room);
        let by_slots = self.read_on(outlook) / self.room.slots as f64;
        let requests = by_rows.fold(0.0, f64::max) + by_slots;
        let seconds = self.measures.time().map_or(0.0, of_all);
        let side_by_side = (seconds + requests * reach.base) / reach.places;
        chain.max(side_by_side).max(requests / reach.per_second)
    }

    /// Seconds that the pages of the longest list of a connection take one after the other.
    fn seconds_of_chain(&self, index: usize, outlook: &Outlook, reach: Reach) -> f64 {
        if is_side_by_side(&self.plan.connections[index]) {
            return 0.0;
        }
        let cost = |measure: &Measure| outlook.longest[index] * measure.costs[index];
        let pages = self
            .measures
            .0
            .iter()
            .map(|measure| cost(measure) / measure.ceiling(index));
        let pages = pages.fold(0.0, f64::max).ceil();
        self.measures.time().map_or(0.0, cost) + pages * reach.base
    }

    /// Lists that have more rows than come with the rows that hold them.
    fn read_on(&self, outlook: &Outlook) -> f64 {
        let connections = self.plan.connections.iter().enumerate();
        let inline = connections.filter(|(_, connection)| connection.inline_parent().is_some());
        inline
            .map(|(index, _)| outlook.longer_than(index, self.inline_sizes[index]))
            .sum()
    }

    /// The connection whose first pages make the longest chain slow.
    fn heaviest_below(&self, outlook: &Outlook, fan_outs: &[FanOut]) -> Option<usize> {
        let time = self.measures.time()?;
        let chain = |index: &usize| match is_side_by_side(&self.plan.connections[*index]) {
            true => 0.0,
            false => outlook.longest[*index] * time.costs[*index],
        };
        let connections = 0..outlook.rows.len();
        let longest = connections.max_by(|left, right| chain(left).total_cmp(&chain(right)))?;
        let is_below = |connection: &Connection| {
            connection.inline_parent() == Some(longest) && !is_capped(connection) && !is_fixed(connection)
        };
        let below = self.plan.connections.iter().enumerate();
        let below = below.filter(|(index, connection)| is_below(connection) && self.inline_sizes[*index] > 1);
        let cost = |index: usize| likely_rows(self.inline_sizes[index], &fan_outs[index]) * time.costs[index];
        below
            .map(|(index, _)| index)
            .max_by(|left, right| cost(*left).total_cmp(&cost(*right)))
    }
}
