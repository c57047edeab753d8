//! Which tasks share a request, and how large their pages are: as many rows as the source allows in one query.
//!
//! Pure. Room is counted in rows asked for, first pages within the pages of their parents included, which is how APIs
//! count nodes.

use crate::plan::{Connection, Plan};
use crate::project::QueryLimits;
use crate::run::fan_out::FanOut;
use crate::schema::{Pager, Style};
use crate::state::{FIRST_TASK, Task};

/// Rows that a request asks for at most where the API sets no limit.
const ROWS: u64 = 10_000;
/// Tasks that share a request at most where the API sets no limit.
const SLOTS: usize = 100;

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

    /// What a slot takes beside its rows, in rows.
    fn slot(self) -> f64 {
        self.rows as f64 / self.slots as f64
    }
}

/// Chooses tasks for requests.
#[derive(Debug)]
pub(crate) struct Packer<'plan> {
    plan: &'plan Plan,
    room: Room,
    /// The sizes of first pages within the pages of their parents, by connection.
    inline_sizes: Vec<u32>,
    /// Rows that come with one row of a connection, itself included, by connection: those asked for, or those likely.
    row_costs: Vec<f64>,
}

impl<'plan> Packer<'plan> {
    /// A packer for what is known now of how many rows the connections hold.
    pub(crate) fn new(plan: &'plan Plan, room: Room, fan_outs: &[FanOut]) -> Self {
        let mut packer = Self {
            inline_sizes: plan.connections.iter().map(most).collect(),
            row_costs: vec![1.0; plan.connections.len()],
            plan,
            room,
        };
        packer.choose_inline_sizes(fan_outs);
        packer.fit(fan_outs);
        packer
    }

    /// The deepest first: what comes with a row is the costlier to leave empty the more there is in it.
    fn choose_inline_sizes(&mut self, fan_outs: &[FanOut]) {
        for (index, connection) in self.plan.connections.iter().enumerate().rev() {
            let Some(fan_out) = fan_outs.get(index).filter(|_| connection.is_repeated) else {
                continue;
            };
            let slot = (self.room.slot() / self.row_costs[index]) as u64;
            // Of a list that has no next page, what does not come now never comes.
            let size = if is_capped(connection) {
                most(connection)
            } else {
                let size = fan_out.size(0, most(connection), slot);
                size.saturating_add(spare(connection)).min(most(connection))
            };
            self.inline_sizes[index] = size;
            if let Some(parent) = connection.parent.filter(|_| !connection.is_detached) {
                self.row_costs[parent] += self.rows_inline(size, fan_out) * self.row_costs[index];
            }
        }
    }

    /// Rows that a first page of that size counts for.
    fn rows_inline(&self, size: u32, fan_out: &FanOut) -> f64 {
        let likely = if self.room.counts_asked {
            None
        } else {
            fan_out.mean(size)
        };
        likely.unwrap_or_else(|| f64::from(size))
    }

    /// Makes first pages so small that one row of each outermost connection fits, and the outermost pages so small that
    /// they fit.
    fn fit(&mut self, fan_outs: &[FanOut]) {
        let room = self.room.rows as f64;
        while self.least() > room && self.shrink(fan_outs) {}
        let plan = self.plan;
        let outermost = plan.connections.iter().enumerate();
        let outermost: Vec<usize> = outermost
            .filter(|(_, connection)| connection.parent.is_none() && !is_capped(connection))
            .map(|(index, _)| index)
            .collect();
        let share = (room - self.least()) / outermost.len().max(1) as f64;
        for index in outermost {
            let is_kept = is_fixed(&plan.connections[index]) && !self.room.counts_asked;
            if !is_kept {
                let size = 1 + (share / self.row_costs[index]).max(0.0) as u32;
                self.inline_sizes[index] = self.inline_sizes[index].min(size);
            }
        }
    }

    /// What the outermost connections cost with one row each, and with all that can be had where there are no further
    /// pages.
    fn least(&self) -> f64 {
        let outermost = self.plan.connections.iter().enumerate();
        let outermost = outermost.filter(|(_, connection)| connection.parent.is_none());
        let cost = |(index, connection): (usize, &Connection)| match is_capped(connection) && self.room.counts_asked {
            true => self.cost(index, self.inline_sizes[index]),
            false => self.row_costs[index],
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
        self.count_costs(fan_outs);
        true
    }

    /// Makes first pages so small that the page of a task fits, where its size was settled with others before.
    pub(crate) fn make_room(&mut self, task: &Task, fan_outs: &[FanOut]) {
        let connection = task.connection.and_then(|index| self.plan.connections.get(index));
        let (Some(index), Some(size), true) = (task.connection, task.size, connection.is_some_and(is_fixed)) else {
            return;
        };
        let room = self.room.rows as f64 - rows_above(task);
        while self.room.counts_asked && self.cost(index, size) > room && self.shrink(fan_outs) {}
    }

    fn count_costs(&mut self, fan_outs: &[FanOut]) {
        self.row_costs.fill(1.0);
        // Children stand behind their parents.
        for (index, connection) in self.plan.connections.iter().enumerate().rev() {
            let parent = connection.parent.filter(|_| !connection.is_detached);
            if let (Some(parent), Some(fan_out)) = (parent, fan_outs.get(index)) {
                self.row_costs[parent] += self.rows_inline(self.inline_sizes[index], fan_out) * self.row_costs[index];
            }
        }
    }

    /// The sizes of first pages within the pages of their parents, and of the first pages of everything, by connection.
    pub(crate) fn inline_sizes(&self) -> &[u32] {
        &self.inline_sizes
    }

    /// Rows that a page of so many counts for, first pages of the connections below included.
    pub(crate) fn cost(&self, connection: usize, size: u32) -> f64 {
        self.row_costs.get(connection).copied().unwrap_or(1.0) * f64::from(size)
    }

    /// Rows that the first pages under a field of the query root count for.
    pub(crate) fn root_cost(&self, root: usize) -> f64 {
        let root = self.plan.member_roots.get(root);
        let connections = root.iter().flat_map(|root| &root.connections);
        let rows: f64 = connections
            .map(|index| self.cost(*index, self.inline_sizes[*index]))
            .sum();
        rows.max(1.0)
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
        let fitting = fitting(self.room.rows as f64 - rows_above(task), self.row_costs[index]);
        match task.size {
            // What a page lacks is asked for at its own offset.
            Some(size) if is_by_offset(connection) => return size.min(fitting),
            Some(size) => return size,
            None => {}
        }
        let most = most(connection);
        let slot = (self.room.slot() / self.row_costs[index]) as u64;
        let wanted = match fan_outs.get(index).filter(|_| connection.is_repeated) {
            _ if is_capped(connection) => return most,
            _ if is_fixed(connection) && !self.room.counts_asked => return most,
            _ if is_fixed(connection) => return most.min(fitting),
            Some(fan_out) => fan_out.size(task.before, most, slot),
            None => most,
        };
        let left = connection
            .most_rows
            .map(|most| u64::from(most).saturating_sub(task.before).max(1));
        let left = left.map_or(u32::MAX, |left| u32::try_from(left).unwrap_or(u32::MAX));
        wanted.min(left).min(fitting)
    }

    /// Takes tasks for one request from the front of `tasks`: how many, their sizes, and whether the request is full.
    pub(crate) fn fill<'task>(
        &self,
        tasks: impl Iterator<Item = &'task Task>,
        fan_outs: &[FanOut],
    ) -> (Vec<u32>, bool) {
        let mut sizes = Vec::new();
        let mut rows = 0.0;
        let room = self.room.rows as f64;
        for task in tasks {
            let (size, cost) = match (task.connection, task.root) {
                (Some(connection), _) => {
                    let size = self.size(task, fan_outs);
                    (size, self.cost(connection, size) + rows_above(task))
                }
                (None, Some(root)) => (1, self.root_cost(root)),
                // The first pages of everything go alone.
                (None, None) if sizes.is_empty() => return (vec![1], true),
                (None, None) => return (sizes, true),
            };
            let is_over = rows + cost > room && !sizes.is_empty();
            if is_over || sizes.len() >= self.room.slots {
                return (sizes, true);
            }
            rows += cost;
            sizes.push(size);
        }
        let is_full = sizes.len() >= self.room.slots || rows >= room;
        (sizes, is_full)
    }
}

/// How many rows of that cost fit; at least one.
fn fitting(room: f64, cost: f64) -> u32 {
    (room / cost).clamp(1.0, f64::from(u32::MAX)) as u32
}

/// Rows on the way to the page of a task: those that are asked for by their place are counted like others.
fn rows_above(task: &Task) -> f64 {
    task.address.values.len() as f64
}

fn most(connection: &Connection) -> u32 {
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
fn is_by_offset(connection: &Connection) -> bool {
    matches!(
        connection.paged.pager,
        Pager::OffsetTotal { .. } | Pager::OffsetList { .. }
    )
}

/// Whether a connection has no next page.
fn is_capped(connection: &Connection) -> bool {
    matches!(connection.paged.pager, Pager::Capped { .. })
}

/// Whether the pages of a connection must keep their size: page numbers mean other rows under another one.
fn is_fixed(connection: &Connection) -> bool {
    matches!(
        connection.paged.pager.style(),
        Style::Page | Style::PageFlag | Style::PageInput | Style::PageList | Style::Capped
    )
}
