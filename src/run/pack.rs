//! Which tasks share a request, and how large their pages are: as many rows as the source allows in one query.
//!
//! Pure. Room is counted by several measures at once (`measure.rs`): rows asked for, first pages within the pages of their
//! parents included, which is how APIs count nodes; and what is likely to come, in rows, in seconds and in bytes.

mod chains;
mod demand;
mod halving;
mod measure;

pub(crate) use demand::demand;
pub(crate) use halving::{halve_largest, shrinkable};

use crate::plan::{Connection, Plan};
use crate::project::QueryLimits;
use crate::run::fan_out::FanOut;
use crate::run::pace::Allowance;
use crate::run::pack::demand::pages;
use crate::run::pack::measure::{Measure, Measures, likely_rows};
use crate::schema::{Pager, Style};
use crate::state::{FIRST_TASK, Task};

/// Rows that a request asks for at most where the API sets no limit.
const ROWS: u64 = 10_000;
/// Tasks that share a request at most where the API sets no limit.
const SLOTS: usize = 100;

/// How far a request may go beyond its share of the seconds at hand: tasks cannot be split.
const SLACK: f64 = 1.1;

/// A page is asked for in two where the first one has at least the so-manieth part of it.
const LEAST_PART: u32 = 5;
/// The same where the second one can only be asked for when the first one has come.
const LEAST_PART_OF_CHAIN: u32 = 2;
/// The so-manieth part of a page is asked for first where pages can begin anywhere and there are likely to be several: all
/// others wait for the total that it tells, and go out side by side.
const FIRST_PART: u32 = 10;
/// Tasks that are passed over for others behind them that still fit, until a request goes out.
const LOOK_AHEAD: usize = 50;

/// What one request has room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Room {
    /// Rows.
    pub(crate) rows: u64,
    /// Whether the API counts the rows that are asked for; if not, those that are likely to come count.
    pub(crate) counts_asked: bool,
    /// Tasks.
    pub(crate) slots: usize,
}

impl Room {
    /// The room that the limits of a source leave.
    pub(crate) fn of(limits: &QueryLimits) -> Self {
        let slots = [limits.root_fields, limits.aliases].into_iter().flatten().min();
        Self {
            rows: limits.nodes.map_or(ROWS, u64::from).max(1),
            counts_asked: limits.nodes.is_some(),
            slots: slots
                .map_or(SLOTS, |slots| usize::try_from(slots).unwrap_or(SLOTS))
                .max(1),
        }
    }

    /// The same as far as refusals allow.
    fn within(self, allowance: &Allowance) -> Self {
        let asked = allowance.asked_rows;
        Self {
            rows: if asked.is_finite() {
                self.rows.min(asked as u64)
            } else {
                self.rows
            },
            counts_asked: self.counts_asked || asked.is_finite(),
            slots: self.slots.min(allowance.slots),
        }
    }
}

/// Chooses tasks for requests.
#[derive(Debug)]
pub(crate) struct Packer<'plan> {
    plan: &'plan Plan,
    room: Room,
    /// The most rows of a page, by connection.
    most: Vec<u32>,
    /// The sizes of first pages within the pages of their parents, by connection.
    inline_sizes: Vec<u32>,
    measures: Measures,
    /// Seconds of rows that go out in one request though there is room for more.
    share: f64,
}

impl<'plan> Packer<'plan> {
    /// A packer for what is known now of how many rows the connections hold, and of what answers take.
    pub(crate) fn new(plan: &'plan Plan, room: Room, allowance: &Allowance, fan_outs: &[FanOut]) -> Self {
        let room = room.within(allowance);
        let most = plan.connections.iter().zip(&allowance.caps);
        let most: Vec<u32> = most.map(|(connection, cap)| most_rows(connection).min(*cap)).collect();
        let mut packer = Self {
            inline_sizes: most.clone(),
            measures: Measures::new(plan, room, allowance),
            share: f64::INFINITY,
            most,
            plan,
            room,
        };
        packer.choose_inline_sizes(fan_outs);
        packer.shorten_chains(fan_outs, allowance.reach);
        packer.fit(fan_outs);
        packer
    }

    /// The deepest first: what comes with a row is the costlier to leave empty the more there is in it.
    fn choose_inline_sizes(&mut self, fan_outs: &[FanOut]) {
        for (index, connection) in self.plan.connections.iter().enumerate().rev() {
            let Some(fan_out) = fan_outs.get(index).filter(|_| connection.is_repeated) else {
                continue;
            };
            let most = self.most[index];
            // Of a list that has no next page, what does not come now never comes. Numbered pages keep the size of the first
            // one to the end, which is to be no guess: rows that are asked for in vain cost nothing here.
            let is_kept = connection.parent.is_none() && is_fixed(connection) && !self.room.counts_asked;
            let size = if is_capped(connection) || is_kept {
                most
            } else {
                let size = fan_out.size(0, most, self.slot(index));
                size.saturating_add(spare(connection)).min(most)
            };
            self.inline_sizes[index] = size;
            self.measures
                .add_inline(index, connection.inline_parent(), size, fan_out);
        }
    }

    /// What a slot of a connection takes beside its rows, in rows of it. Only where asking costs is there a choice between
    /// the two: rows that do not come take no time.
    fn slot(&self, index: usize) -> u64 {
        let nodes = self.measures.nodes();
        (nodes.room / self.room.slots as f64 / nodes.costs[index]) as u64
    }

    /// Makes first pages so small that one row of each outermost connection fits, and the outermost pages so small that
    /// they fit.
    fn fit(&mut self, fan_outs: &[FanOut]) {
        while self.measures.0.iter().any(|measure| self.least(measure) > measure.room) && self.shrink(fan_outs) {}
        let plan = self.plan;
        let outermost = plan.connections.iter().enumerate();
        let outermost: Vec<usize> = outermost
            .filter(|(_, connection)| connection.parent.is_none() && !is_capped(connection))
            .map(|(index, _)| index)
            .collect();
        let connections = outermost.len().max(1) as f64;
        for index in outermost {
            let is_fixed = is_fixed(&plan.connections[index]);
            let sizes = self.measures.0.iter().map(|measure| {
                let room = if is_fixed { measure.fixed_room } else { measure.room };
                let share = (room - self.least(measure)) / connections;
                1.0 + (share / measure.costs[index]).max(0.0)
            });
            let size = sizes.fold(f64::INFINITY, f64::min) as u32;
            let size = self.inline_sizes[index].min(size);
            let rows = fan_outs
                .get(index)
                .and_then(|fan_out| fan_out.rows().keys().last().copied());
            let is_first_of_many = rows.is_some_and(|rows| rows > u64::from(size)) && self.measures.time().is_some();
            let has_total = matches!(plan.connections[index].paged.pager, Pager::OffsetTotal { .. });
            self.inline_sizes[index] = match is_first_of_many && has_total {
                true => size.div_ceil(FIRST_PART),
                false => size,
            };
        }
    }

    /// What the outermost connections cost with one row each, and with all that can be had where there are no further
    /// pages.
    fn least(&self, measure: &Measure) -> f64 {
        let outermost = self.plan.connections.iter().enumerate();
        let outermost = outermost.filter(|(_, connection)| connection.parent.is_none());
        let cost = |(index, connection): (usize, &Connection)| match is_capped(connection) && measure.counts_asked {
            true => measure.costs[index] * f64::from(self.inline_sizes[index]),
            false => measure.costs[index],
        };
        outermost.map(cost).sum()
    }

    /// Makes the largest of the first pages within the pages of their parents smaller; false where none can be.
    fn shrink(&mut self, fan_outs: &[FanOut]) -> bool {
        let nested = self.plan.connections.iter().zip(&mut self.inline_sizes);
        let largest = nested
            .filter(|(connection, _)| connection.parent.is_some() && !is_capped(connection))
            .max_by_key(|(_, size)| **size);
        match largest {
            Some((_, size)) if *size > 1 => *size = size.div_ceil(2),
            _ => return false,
        }
        self.measures.count(self.plan, &self.inline_sizes, fan_outs);
        true
    }

    /// Makes first pages so small that the page of a task fits, with one row at least; with all its rows where its size
    /// was settled before.
    pub(crate) fn make_room(&mut self, task: &Task, fan_outs: &[FanOut]) {
        let Some(index) = task.connection else { return };
        let Some(connection) = self.plan.connections.get(index) else {
            return;
        };
        let settled = task.size.filter(|_| is_fixed(connection));
        let is_over = |packer: &Self| {
            packer.measures.0.iter().any(|measure| {
                let rows = if measure.counts_asked { settled.unwrap_or(1) } else { 1 };
                let room = measure.ceiling(index) - measure.above(task);
                measure.costs[index] * f64::from(rows) > room
            })
        };
        while is_over(self) && self.shrink(fan_outs) {}
    }

    /// No request has more than so many seconds of rows, unless one task alone has.
    pub(crate) fn share_out(&mut self, seconds: f64) {
        self.share = seconds;
    }

    /// The most rows of a page of a connection.
    pub(crate) fn most(&self, connection: usize) -> u32 {
        self.most[connection]
    }

    /// The sizes of first pages within the pages of their parents, and of the first pages of everything, by connection.
    pub(crate) fn inline_sizes(&self) -> &[u32] {
        &self.inline_sizes
    }

    /// Rows that a page of so many counts for, first pages of the connections below included.
    pub(crate) fn cost(&self, connection: usize, size: u32) -> f64 {
        self.measures.nodes().cost(connection, size)
    }

    /// Rows that the first pages under a field of the query root count for.
    pub(crate) fn root_cost(&self, root: usize) -> f64 {
        self.cost_of_root(self.measures.nodes(), root).max(1.0)
    }

    fn cost_of_root(&self, measure: &Measure, root: usize) -> f64 {
        let root = self.plan.member_roots.get(root);
        let connections = root.iter().flat_map(|root| &root.connections);
        connections
            .map(|index| measure.cost(*index, self.inline_sizes[*index]))
            .sum()
    }

    /// Seconds of rows that a task is for; nothing while no times are known.
    pub(crate) fn seconds(&self, task: &Task, fan_outs: &[FanOut]) -> Option<f64> {
        let time = self.measures.time()?;
        Some(self.task_cost(time, task, self.size(task, fan_outs)))
    }

    fn task_cost(&self, measure: &Measure, task: &Task, size: u32) -> f64 {
        match (task.connection, task.root) {
            (Some(connection), _) => measure.cost(connection, size) + measure.above(task),
            (None, Some(root)) => self.cost_of_root(measure, root),
            (None, None) => 0.0,
        }
    }

    /// The size of the page behind `before` rows of a connection whose first page has the size chosen here.
    pub(crate) fn later_size(&self, index: usize, before: u64, fan_outs: &[FanOut]) -> u32 {
        if self.plan.connections.get(index).is_some_and(is_fixed) {
            return self.inline_sizes[index];
        }
        let task = Task {
            connection: Some(index),
            before,
            ..FIRST_TASK
        };
        self.size(&task, fan_outs)
    }

    /// The size that the page of a task has, if it is asked for now.
    pub(crate) fn size(&self, task: &Task, fan_outs: &[FanOut]) -> u32 {
        let Some(connection) = task.connection.and_then(|index| self.plan.connections.get(index)) else {
            return 1;
        };
        let index = task.connection.unwrap_or_default();
        match task.size {
            // What a page lacks is asked for at its own offset.
            Some(size) if is_by_offset(connection) => return size.min(self.most[index]).min(self.fitting(task, index)),
            Some(size) => return size,
            None => {}
        }
        let most = self.most[index];
        let wanted = match fan_outs.get(index).filter(|_| connection.is_repeated) {
            _ if is_capped(connection) => return most,
            _ if is_fixed(connection) => return most.min(self.fitting(task, index)),
            Some(fan_out) => fan_out.size(task.before, most, self.slot(index)),
            None => most,
        };
        // What is read again is known to have so many rows.
        let known = task
            .restart
            .map_or(0, |restart| restart.rows.saturating_sub(task.before) + 1);
        let wanted = wanted.max(u32::try_from(known).unwrap_or(u32::MAX).min(most));
        let left = connection
            .most_rows
            .map(|most| u64::from(most).saturating_sub(task.before).max(1));
        let left = left.map_or(u32::MAX, |left| u32::try_from(left).unwrap_or(u32::MAX));
        wanted.min(left).min(self.fitting(task, index))
    }

    /// How many rows fit on the page of a task; at least one.
    pub(crate) fn fitting(&self, task: &Task, index: usize) -> u32 {
        let is_fixed = self.plan.connections.get(index).is_some_and(is_fixed);
        let fitting = self.measures.0.iter().map(|measure| {
            let room = if is_fixed {
                measure.fixed_ceiling(index)
            } else {
                measure.ceiling(index)
            };
            (room - measure.above(task)) / measure.costs[index]
        });
        fitting.fold(f64::INFINITY, f64::min).clamp(1.0, f64::from(u32::MAX)) as u32
    }

    /// Takes tasks for one request, the first of `tasks` and those behind it that fit: each with its size, and whether the
    /// request is full.
    pub(crate) fn fill<'task>(
        &self,
        tasks: impl Iterator<Item = &'task Task>,
        fan_outs: &[FanOut],
    ) -> (Vec<(&'task Task, u32)>, bool) {
        let mut chosen: Vec<(&Task, u32)> = Vec::new();
        let mut filled = Filled::new(self);
        let mut passed_over = 0;
        for task in tasks {
            if task.connection.is_none() && task.root.is_none() {
                // The first pages of everything go alone.
                return if chosen.is_empty() {
                    (vec![(task, 1)], true)
                } else {
                    (chosen, true)
                };
            }
            if chosen.len() >= self.room.slots || passed_over >= LOOK_AHEAD {
                return (chosen, true);
            }
            let size = self.size(task, fan_outs);
            if filled.add(task, size) || chosen.is_empty() {
                chosen.push((task, size));
                continue;
            }
            passed_over += 1;
            if let Some(part) = self.part(task, size, &filled) {
                filled.add(task, part);
                chosen.push((task, part));
            }
        }
        let is_full = passed_over > 0 || chosen.len() >= self.room.slots || filled.is_full();
        (chosen, is_full)
    }

    /// The rows of a page that still fit, where the others can be asked for by themselves, and it is not for few.
    fn part(&self, task: &Task, size: u32, filled: &Filled<'_, '_>) -> Option<u32> {
        let index = task.connection?;
        let connection = self.plan.connections.get(index)?;
        let least = if is_by_offset(connection) {
            size.div_ceil(LEAST_PART)
        } else if is_fixed(connection) || task.size.is_some() || self.share.is_finite() {
            return None;
        } else {
            // What is left is another page that has to be waited for.
            size.div_ceil(LEAST_PART_OF_CHAIN)
        };
        let left = filled.left(task, index).min(f64::from(size)) as u32;
        (left >= least).then_some(left)
    }

    /// Rows that are likely to come of a request, by connection.
    pub(crate) fn likely<'task>(
        &self,
        asked: impl Iterator<Item = (&'task Task, u32)>,
        fan_outs: &[FanOut],
    ) -> Vec<f64> {
        let mut rows = vec![0.0; self.plan.connections.len()];
        for (index, size) in asked.flat_map(|(task, size)| pages(self.plan, &self.inline_sizes, task, size)) {
            rows[index] += f64::from(size);
        }
        // Children stand behind their parents.
        for (index, connection) in self.plan.connections.iter().enumerate() {
            if let (Some(parent), Some(fan_out)) = (connection.inline_parent(), fan_outs.get(index)) {
                rows[index] += rows[parent] * likely_rows(self.inline_sizes[index], fan_out);
            }
        }
        rows
    }

    /// The connection with whose pages most rows of a request are likely to come, what comes below them included.
    pub(crate) fn main_connection<'task>(&self, asked: impl Iterator<Item = (&'task Task, u32)>) -> Option<usize> {
        let likely = self.measures.likely();
        let mut rows = vec![0.0; self.plan.connections.len()];
        for (index, size) in asked.flat_map(|(task, size)| pages(self.plan, &self.inline_sizes, task, size)) {
            rows[index] += likely.cost(index, size);
        }
        (0..rows.len()).max_by(|left, right| rows[*left].total_cmp(&rows[*right]))
    }
}

/// What a request is filled with, by measure.
struct Filled<'packer, 'plan> {
    packer: &'packer Packer<'plan>,
    sums: Vec<f64>,
    rooms: Vec<f64>,
}

impl<'packer, 'plan> Filled<'packer, 'plan> {
    fn new(packer: &'packer Packer<'plan>) -> Self {
        let measures = &packer.measures.0;
        Self {
            packer,
            sums: vec![0.0; measures.len()],
            rooms: vec![f64::INFINITY; measures.len()],
        }
    }

    /// Adds a task, if there is room for it.
    fn add(&mut self, task: &Task, size: u32) -> bool {
        let measures = &self.packer.measures.0;
        let sums: Vec<f64> = measures
            .iter()
            .zip(&self.sums)
            .map(|(measure, sum)| sum + self.packer.task_cost(measure, task, size))
            .collect();
        let rooms: Vec<f64> = measures
            .iter()
            .zip(&self.rooms)
            .map(|(measure, room)| room.min(self.room(measure, task)))
            .collect();
        let is_over = sums.iter().zip(&rooms).any(|(sum, room)| sum > room) || self.is_over_share(&sums);
        if !is_over || self.sums.iter().all(|sum| *sum == 0.0) {
            (self.sums, self.rooms) = (sums, rooms);
        }
        !is_over
    }

    /// Rows of a connection that there is room for on the page of a task.
    fn left(&self, task: &Task, index: usize) -> f64 {
        let measures = self.packer.measures.0.iter().zip(self.sums.iter().zip(&self.rooms));
        let left = measures.map(|(measure, (sum, room))| {
            let share = if measure.is_time {
                self.packer.share
            } else {
                f64::INFINITY
            };
            (room.min(share).min(measure.ceiling(index)) - sum - measure.above(task)) / measure.costs[index]
        });
        left.fold(f64::INFINITY, f64::min).max(0.0)
    }

    fn room(&self, measure: &Measure, task: &Task) -> f64 {
        task.connection.map_or(measure.room, |index| measure.ceiling(index))
    }

    /// Whether it has more seconds than its share; a little more is less than a request of its own.
    fn is_over_share(&self, sums: &[f64]) -> bool {
        let mut seconds = self
            .packer
            .measures
            .0
            .iter()
            .zip(sums)
            .filter(|(measure, _)| measure.is_time);
        seconds.any(|(_, seconds)| *seconds > self.packer.share * SLACK)
    }

    fn is_full(&self) -> bool {
        self.sums.iter().zip(&self.rooms).any(|(sum, room)| sum >= room)
    }
}

/// The most rows of a page that the query wants, or the source allows.
pub(crate) fn most_rows(connection: &Connection) -> u32 {
    connection
        .most_rows
        .unwrap_or(u32::MAX)
        .min(connection.page_size)
        .max(1)
}

/// Rows asked for beyond those that a connection is likely to have, where a full page leaves open whether it is the last.
fn spare(connection: &Connection) -> u32 {
    u32::from(matches!(
        connection.paged.pager,
        Pager::PageTotals { .. } | Pager::OffsetTotal { has_next: None, .. }
    ))
}

/// Whether pages can begin anywhere and have any size.
pub(crate) fn is_by_offset(connection: &Connection) -> bool {
    matches!(
        connection.paged.pager,
        Pager::OffsetTotal { .. } | Pager::OffsetList { .. }
    )
}

/// Whether the pages of a connection are asked for side by side once the first is there.
pub(crate) fn is_side_by_side(connection: &Connection) -> bool {
    matches!(
        connection.paged.pager.style(),
        Style::Page | Style::PageInput | Style::Offset
    ) && connection.paged.total.is_some()
}

/// Whether a connection has no next page.
pub(crate) fn is_capped(connection: &Connection) -> bool {
    matches!(connection.paged.pager, Pager::Capped { .. })
}

/// Whether the pages of a connection must keep their size: page numbers mean other rows under another one.
pub(crate) fn is_fixed(connection: &Connection) -> bool {
    matches!(
        connection.paged.pager.style(),
        Style::Page | Style::PageFlag | Style::PageInput | Style::PageList | Style::Capped
    )
}
