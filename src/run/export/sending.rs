//! Which tasks go into the next request.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;

use crate::api::Effort as Spent;
use crate::plan::Plan;
use crate::run::company::Terms;
use crate::run::export::asking::Asker;
use crate::run::export::lanes::Lane;
use crate::run::export::pacing::stretches;
use crate::run::export::{Asked, Export, ExportError};
use crate::run::intake::AskedTask;
use crate::run::pace::{Allowance, Budget, Demand, Load, Split, Spread, Standing};
use crate::run::pack::{Packer, demand, halve_largest, is_capped, is_fixed, shrinkable};
use crate::run::turning::{Rest, behind_row, resized};
use crate::state::{BegunRequest, KeptPiece, Task};

/// A request on its way.
pub(super) struct Sent {
    pub(super) asked: Vec<AskedTask>,
    pub(super) inline_sizes: Vec<u32>,
    /// What it is likely to bring.
    pub(super) load: Load,
    /// How it stands to what may be asked for.
    pub(super) standing: Standing,
    /// How often the source had been found to be busy.
    pub(super) retreats: u64,
    /// Where it is asked for again alone, how often that had been when it was refused.
    pub(super) refused_at: Option<u64>,
    /// What holds for its tasks.
    pub(super) terms: Terms,
    /// How finely its columns are cut.
    pub(super) fineness: usize,
    /// How often a cap on the rows of a page had been learnt.
    pub(super) caps_learnt: u64,
    /// Whether fewer rows can be asked for in its place.
    pub(super) is_divisible: bool,
    pub(super) lane: Lane,
    /// Pages that the connections of its tasks have left.
    pub(super) pages_left: f64,
    /// What came of its pieces before the run was interrupted.
    pub(super) kept: Vec<KeptPiece>,
}

/// Why a request was not taken in.
pub(super) struct Setback {
    pub(super) error: ExportError,
    pub(super) blame: Blame,
}

/// Whose fault it is that a request was not taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Blame {
    /// That of the API, or of something else beside what was asked for.
    Nobody,
    /// It may be that of one of its tasks.
    Tasks,
    /// It may have asked for too much at once; the attempt took so long.
    Size(Duration),
}

impl<E: Into<ExportError>> From<E> for Setback {
    /// What went wrong with an answer, or behind it, is no task's fault.
    fn from(error: E) -> Self {
        Self {
            error: error.into(),
            blame: Blame::Nobody,
        }
    }
}

impl Sent {
    /// Asks for half as many rows where most are asked for; false where no fewer can be.
    fn halve_sizes(&mut self, plan: &Plan) -> bool {
        let is_settled = |asked: &AskedTask| {
            let connection = asked.task.connection.and_then(|index| plan.connections.get(index));
            connection
                .is_none_or(|connection| is_capped(connection) || (is_fixed(connection) && asked.task.size.is_some()))
        };
        let own = self.asked.iter_mut().filter(|asked| !is_settled(asked));
        let own = own.map(|asked| &mut asked.size);
        halve_largest(own.chain(shrinkable(plan, &mut self.inline_sizes)))
    }

    /// What it asks for in these of its slots, whatever comes.
    pub(super) fn demand(&self, plan: &Plan, slots: &[usize]) -> Demand {
        let asked = slots.iter().filter_map(|slot| self.asked.get(*slot));
        demand(plan, asked.map(|asked| (&asked.task, asked.size)), &self.inline_sizes)
    }

    /// What it asks for in all.
    pub(super) fn whole_demand(&self, plan: &Plan) -> Demand {
        self.demand(plan, &Vec::from_iter(0..self.asked.len()))
    }

    /// What is left behind the one row that it asks for; `None` where it asks for more, or where nothing tells that.
    pub(super) fn rest(&self, plan: &Plan) -> Option<Rest> {
        match self.asked.as_slice() {
            [AskedTask { task, size: 1 }] if !self.is_divisible => {
                behind_row(plan.connections.get(task.connection?)?, task)
            }
            _ => None,
        }
    }

    /// Whether it asks for one page without which nothing is to be had: no other task can be spared by giving it up.
    pub(super) fn is_everything(&self) -> bool {
        matches!(self.asked.as_slice(), [AskedTask { task, .. }] if task.depth == 0 && task.member.is_none())
    }
}

impl<'work> Export<'work> {
    /// The next request: of long chains, or of what lies at hand.
    pub(super) fn next_request(&mut self) -> Option<Sent> {
        let places = self.places().saturating_sub(self.flying.all());
        if places == 0 {
            return None;
        }
        // Its tasks stand in no frontier.
        if let Some(begun) = self.begun.pop() {
            return Some(self.gone_on_with(begun));
        }
        if self.frontier.held() == 0 {
            return None;
        }
        let spread = Spread {
            budget: self.budget(),
            free_places: places,
            base: self.pace.base(),
        };
        if let Some(sent) = self.next_alone(spread) {
            return Some(sent);
        }
        let long = self.long_chains(&spread);
        let express = match self.flying.express {
            0 => self.request_of(|task| long.contains(&task.id), Lane::Express, spread),
            _ => None,
        };
        express.or_else(|| self.request_of(|task| !long.contains(&task.id), Lane::Bulk, spread))
    }

    /// The next request of the tasks that are wanted. One with room left waits while answers are on their way, as they may
    /// bring what fills it; not so where that wait is worth more than a request.
    pub(super) fn request_of(&mut self, is_wanted: impl Fn(&Task) -> bool, lane: Lane, spread: Spread) -> Option<Sent> {
        let tasks: Vec<&Task> = self.companions(is_wanted);
        let head = tasks.first()?;
        let terms = self.company.terms(head);
        let mut allowance = self.pace.allowance(self.workplace.aims);
        terms.rows.into_iter().for_each(|rows| allowance.keep_to(rows));
        let mut packer = self.packer(&allowance);
        packer.make_room(head, &self.fan_outs);
        let group = self.company.group(head);
        let split = match (lane, self.split) {
            (Lane::Express, _) => None,
            // What goes out together is split once.
            (Lane::Bulk, Some((of, split))) if of == group => Some(split),
            // While some of it is on its way, what it brings is gathered, where requests are what is scarce.
            (Lane::Bulk, _) if self.flying.bulk > 0 && spread.budget.is_some() => None,
            (Lane::Bulk, _) => self.split_of(&packer, &tasks, spread),
        };
        let split = split.filter(|split| split.is_spread);
        split.into_iter().for_each(|split| packer.share_out(split.share));
        let (chosen, is_full) = packer.fill(tasks.iter().copied(), &self.fan_outs);
        let is_full = is_full || chosen.len() < tasks.len() || split.is_some();
        let wait = self.pace.typical() / 2.0;
        if chosen.is_empty() || (self.flying.of(lane) > 0 && !is_full && !spread.is_worth_it(wait)) {
            return None;
        }
        let inline_sizes = packer.inline_sizes().to_vec();
        let rows = packer.likely(chosen.iter().copied(), &self.fan_outs);
        let main = packer.main_connection(chosen.iter().copied());
        let asked: Vec<AskedTask> = chosen
            .into_iter()
            .map(|(task, size)| AskedTask {
                task: task.clone(),
                size,
            })
            .collect();
        let load = self.pace.take_off(rows, main);
        self.split = split.map(|split| (group, split));
        asked.iter().for_each(|asked| self.frontier.remove(&asked.task));
        let sent = Sent {
            is_divisible: is_divisible(&self.plan, &asked, &inline_sizes),
            pages_left: asked.iter().map(|asked| self.pages_left(&asked.task)).sum(),
            fineness: self.fineness_of(&asked),
            asked,
            inline_sizes,
            load,
            standing: Standing::default(),
            retreats: self.workplace.knee().retreats(),
            refused_at: None,
            caps_learnt: self.caps_learnt,
            terms,
            lane,
            kept: Vec::new(),
        };
        let mut sent = self.shorten(sent);
        sent.standing = self.pace.bounds().take_off(&sent.whole_demand(&self.plan));
        Some(sent)
    }

    /// Chooses what goes into a request that may hold so much.
    pub(super) fn packer(&self, allowance: &Allowance) -> Packer<'_> {
        Packer::new(&self.plan, self.workplace.room, allowance, &self.fan_outs)
    }

    /// How the work at hand goes out; nothing while no times are known.
    fn split_of(&self, packer: &Packer<'_>, tasks: &[&Task], spread: Spread) -> Option<Split> {
        let seconds = |task: &&Task| packer.seconds(task, &self.fan_outs);
        let at_hand: Option<f64> = tasks.iter().map(seconds).sum();
        Some(spread.split(at_hand?))
    }

    /// A request of which a part came before the run was interrupted.
    fn gone_on_with(&mut self, begun: BegunRequest) -> Sent {
        let packer = self.packer(&self.pace.allowance(self.workplace.aims));
        let tasks = || begun.tasks.iter().map(|(task, size)| (task, *size));
        let rows = packer.likely(tasks(), &self.fan_outs);
        let main = packer.main_connection(tasks());
        let mut load = self.pace.take_off(rows, main);
        let asked = begun.tasks.into_iter().map(|(task, size)| AskedTask { task, size });
        let asked: Vec<AskedTask> = asked.collect();
        load.asked = stretches(&self.plan, &asked, &begun.inline_sizes);
        Sent {
            lane: Lane::Bulk,
            pages_left: asked.iter().map(|asked| self.pages_left(&asked.task)).sum(),
            is_divisible: is_divisible(&self.plan, &asked, &begun.inline_sizes),
            fineness: self.fineness_of(&asked),
            asked,
            inline_sizes: begun.inline_sizes,
            load,
            standing: Standing::default(),
            retreats: self.workplace.knee().retreats(),
            refused_at: None,
            // Caps may have been learnt since the run was interrupted.
            caps_learnt: 0,
            terms: Terms::default(),
            kept: begun.pieces,
        }
    }

    /// How finely the columns of a request are cut: as finely as those of any of its tasks.
    fn fineness_of(&self, asked: &[AskedTask]) -> usize {
        let each = asked.iter().map(|asked| self.fineness.of(asked.task.connection));
        each.max().unwrap_or(0)
    }

    /// What is left of the source's budget.
    fn budget(&self) -> Option<Budget> {
        let endpoint = &self.workplace.endpoint;
        let (free, window) = endpoint.free_permits().zip(endpoint.window())?;
        Some(Budget {
            free,
            most: window.max,
            per: window.per,
        })
    }

    /// Requests that this query file may have in flight, those among them that wait for a permit.
    pub(super) fn places(&self) -> usize {
        let most = self.workplace.concurrency.min(self.workplace.knee().limit());
        let called_for = self.budget().and_then(|budget| budget.called_for(self.pace.typical()));
        called_for.map_or(most, |called_for| most.min(called_for))
    }

    /// The first of the tasks that are wanted, and those that may share a request with it.
    fn companions(&self, is_wanted: impl Fn(&Task) -> bool) -> Vec<&Task> {
        let mut wanted = self.frontier.tasks().filter(|task| is_wanted(task)).peekable();
        let first = wanted.peek().copied();
        let mixes_members = self.plan.mixes_members();
        let may_join = |task: &&Task| first.is_some_and(|first| self.company.may_join(first, task, mixes_members));
        wanted.take_while(may_join).collect()
    }

    /// Puts tasks back until the text says no more than it may.
    fn shorten(&mut self, mut sent: Sent) -> Sent {
        let workplace = self.workplace;
        let fits = |plan: &Plan, sent: &Sent| {
            let mut pieces = plan.pieces_for(&sent.targets(), sent.fineness).into_iter();
            pieces.all(|piece| workplace.text_limits.allow(|| sent.text(plan, piece)))
        };
        while sent.asked.len() > 1 && !fits(&self.plan, &sent) {
            let all = sent.asked.len();
            let rest = sent.asked.split_off(all.div_ceil(2));
            let share = sent.asked.len() as f64 / all as f64;
            sent.load.rows.iter_mut().for_each(|rows| *rows *= share);
            rest.into_iter().for_each(|asked| self.frontier.hold(asked.task));
        }
        // Where the API weighs a text by the sizes that stand in it, smaller ones are a lighter text.
        while !fits(&self.plan, &sent) && sent.halve_sizes(&self.plan) {}
        sent.load.asked = stretches(&self.plan, &sent.asked, &sent.inline_sizes);
        sent
    }

    pub(super) fn ask(&self, mut sent: Sent) -> BoxFuture<'work, Asked> {
        let asker = Asker {
            workplace: self.workplace,
            planner: self.planner,
            plan: Arc::clone(&self.plan),
            looks: Arc::clone(&self.looks),
            name: self.name.clone(),
            run: self.key,
            lookups: Arc::clone(&self.lookups),
            denials_are_of_rows: Arc::clone(&self.denials_are_of_rows),
        };
        Box::pin(async move {
            let mut spent = Spent::default();
            let response = asker.ask(&mut sent, &mut spent).await;
            (sent, response, spent)
        })
    }
}

/// Whether less can be asked for in the place of a request: fewer tasks, fewer rows, or fewer rows within the rows.
fn is_divisible(plan: &Plan, asked: &[AskedTask], inline_sizes: &[u32]) -> bool {
    let [AskedTask { task, size }] = asked else {
        return true;
    };
    let is_below = |mut index: usize| {
        while let Some(parent) = plan.connections[index].inline_parent() {
            if Some(parent) == task.connection {
                return true;
            }
            index = parent;
        }
        task.connection.is_none()
    };
    let is_sized = |index: usize| plan.connections[index].paged.size.is_some() && !is_capped(&plan.connections[index]);
    let can_shrink = |index: usize| match (is_fixed(&plan.connections[index]), task.size) {
        (true, Some(size)) => resized(&plan.connections[index], task, size - 1).is_some(),
        _ => true,
    };
    let own = task
        .connection
        .is_some_and(|index| *size > 1 && is_sized(index) && can_shrink(index));
    let is_large = |(index, size): (usize, &u32)| *size > 1 && is_sized(index) && is_below(index);
    own || inline_sizes.iter().enumerate().any(is_large)
}
