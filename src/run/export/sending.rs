//! Which tasks go into the next request, and the request itself.

use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use serde::de::IgnoredAny;

use crate::api::{ApiError, Effort as Spent, Endpoint, GraphqlRequest, Perseverance};
use crate::plan::{Ask, Piece, Plan, RequestText, Target};
use crate::run::company::{Fault, Terms, fault};
use crate::run::export::lanes::Lane;
use crate::run::export::{Asked, Export, ExportError};
use crate::run::harvest::{HarvestSeed, SlotPlace};
use crate::run::intake::AskedTask;
use crate::run::pace::{Budget, Load, Split, Spread};
use crate::run::pack::{Packer, is_capped, is_fixed};
use crate::run::turning::resized;
use crate::state::Task;

/// A request on its way.
pub(super) struct Sent {
    pub(super) asked: Vec<AskedTask>,
    pub(super) inline_sizes: Vec<u32>,
    /// What it is likely to bring.
    pub(super) load: Load,
    /// What holds for its tasks.
    pub(super) terms: Terms,
    /// Whether less can be asked for in its place.
    pub(super) is_divisible: bool,
    pub(super) lane: Lane,
    /// Pages that the connections of its tasks have left.
    pub(super) pages_left: f64,
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
    /// Whether it asks for one page without which nothing is to be had: no other task can be spared by giving it up.
    pub(super) fn is_everything(&self) -> bool {
        matches!(self.asked.as_slice(), [AskedTask { task, .. }] if task.depth == 0 && task.member.is_none())
    }
}

impl<'work> Export<'work> {
    /// The next request: of long chains, or of what lies at hand.
    pub(super) fn next_request(&mut self) -> Option<Sent> {
        let places = self.places().saturating_sub(self.flying.all());
        if places == 0 || self.frontier.held() == 0 {
            return None;
        }
        let spread = Spread {
            budget: self.budget(),
            free_places: places,
            base: self.pace.base(),
        };
        let long = self.long_chains(&spread);
        let express = match self.flying.express {
            0 => self.request_of(|task| long.contains(&task.id), Lane::Express, spread),
            _ => None,
        };
        express.or_else(|| self.request_of(|task| !long.contains(&task.id), Lane::Bulk, spread))
    }

    /// The next request of the tasks that are wanted. One with room left waits while answers are on their way, as they may
    /// bring what fills it; not so where that wait is worth more than a request.
    fn request_of(&mut self, is_wanted: impl Fn(&Task) -> bool, lane: Lane, spread: Spread) -> Option<Sent> {
        let tasks: Vec<&Task> = self.companions(is_wanted);
        let head = tasks.first()?;
        let terms = self.company.terms(head);
        let mut allowance = self.pace.allowance(self.workplace.aims);
        terms.rows.into_iter().for_each(|rows| allowance.keep_to(rows));
        let mut packer = Packer::new(&self.plan, self.workplace.room, &allowance, &self.fan_outs);
        packer.make_room(head, &self.fan_outs);
        let group = self.company.group(head);
        let split = match (lane, self.split) {
            (Lane::Express, _) => None,
            // What goes out together is split once.
            (Lane::Bulk, Some((of, split))) if of == group => Some(split),
            // While some of it is on its way, what it brings is gathered.
            (Lane::Bulk, _) if self.flying.bulk > 0 => None,
            (Lane::Bulk, _) => self.split_of(&packer, &tasks, spread),
        };
        let split = split.filter(|split| split.is_spread);
        split.into_iter().for_each(|split| packer.share_out(split.share));
        let (sizes, is_full) = packer.fill(tasks.iter().copied(), &self.fan_outs);
        let is_full = is_full || sizes.len() < tasks.len() || split.is_some();
        let wait = self.pace.typical() / 2.0;
        if sizes.is_empty() || (self.flying.of(lane) > 0 && !is_full && !spread.is_worth_it(wait)) {
            return None;
        }
        let inline_sizes = packer.inline_sizes().to_vec();
        let sized = tasks.iter().copied().zip(sizes.iter().copied());
        let load = self.pace.load(packer.likely(sized.clone(), &self.fan_outs));
        let asked: Vec<AskedTask> = sized
            .map(|(task, size)| AskedTask {
                task: task.clone(),
                size,
            })
            .collect();
        self.split = split.map(|split| (group, split));
        asked.iter().for_each(|asked| self.frontier.remove(&asked.task));
        let sent = Sent {
            is_divisible: is_divisible(&self.plan, &asked, &inline_sizes),
            pages_left: asked.iter().map(|asked| self.pages_left(&asked.task)).sum(),
            asked,
            inline_sizes,
            load,
            terms,
            lane,
        };
        Some(self.shorten(sent))
    }

    /// How the work at hand goes out; nothing while no times are known.
    fn split_of(&self, packer: &Packer<'_>, tasks: &[&Task], spread: Spread) -> Option<Split> {
        let seconds = |task: &&Task| packer.seconds(task, &self.fan_outs);
        let at_hand: Option<f64> = tasks.iter().map(seconds).sum();
        Some(spread.split(at_hand?))
    }

    /// What is left of the source's budget.
    fn budget(&self) -> Option<Budget> {
        let endpoint = &self.workplace.endpoint;
        let (free, per) = endpoint.free_permits().zip(endpoint.window())?;
        Some(Budget { free, per })
    }

    /// Requests that this query file may have in flight.
    pub(super) fn places(&self) -> usize {
        self.workplace.concurrency.min(self.workplace.knee().limit())
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
        let text = |plan: &Plan, sent: &Sent| plan.request(&asks(sent), &sent.inline_sizes, Piece::FIRST);
        while sent.asked.len() > 1 && !workplace.text_limits.allow(|| text(&self.plan, &sent)) {
            let all = sent.asked.len();
            let rest = sent.asked.split_off(all.div_ceil(2));
            let share = sent.asked.len() as f64 / all as f64;
            sent.load.rows.iter_mut().for_each(|rows| *rows *= share);
            rest.into_iter().for_each(|asked| self.frontier.hold(asked.task));
        }
        sent
    }

    pub(super) fn ask(&self, sent: Sent) -> BoxFuture<'work, Asked> {
        let plan = Arc::clone(&self.plan);
        let looks = Arc::clone(&self.looks);
        let endpoint = &self.workplace.endpoint;
        let name = self.name.clone();
        Box::pin(async move {
            let request = request(&plan, &sent);
            let targets: Vec<Target> = asks(&sent).iter().map(Ask::target).collect();
            let layout = plan.layout(&targets);
            let slots = sent.asked.iter().filter(|asked| !asked.task.is_start());
            let slots: Vec<SlotPlace> = slots.map(|asked| SlotPlace::of(&asked.task)).collect();
            let seed = HarvestSeed {
                layout: &layout,
                slots: &slots,
                looks: &looks,
            };
            let mut spent = Spent::default();
            let perseverance = match sent.is_divisible {
                true => Perseverance::GiveWay,
                false => Perseverance::Repeat,
            };
            let answer = endpoint
                .ask_counting(&name, &request, seed, perseverance, &mut spent)
                .await;
            let answer = match answer {
                Ok(answer) => Ok(answer),
                Err(error) => Err(setback(endpoint, &name, &sent, error, &mut spent).await),
            };
            (sent, answer, spent)
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

/// Why there is no answer. Where a crash may be the fault of a task, or of what it asks for, the API is asked for what it
/// cannot crash on; not so where less can be asked for, which tells as well.
async fn setback(endpoint: &Endpoint, name: &str, sent: &Sent, error: ApiError, spent: &mut Spent) -> Setback {
    let took = spent.last;
    let fault = fault(&error);
    let is_first_failure = sent.is_divisible && sent.terms.failures == 0;
    let is_of_tasks = match fault {
        Fault::Task | Fault::Size => true,
        Fault::Source => false,
        Fault::Either if is_first_failure => true,
        // Without the first pages there is nothing that another request could be spared for.
        Fault::Either if sent.is_everything() && !sent.is_divisible => false,
        Fault::Either => match ask_for_nothing(endpoint, name, spent).await {
            Ok(()) => true,
            Err(error) if crate::run::company::fault(&error) == Fault::Task => true,
            Err(error) => return error.into(),
        },
    };
    let blame = match fault {
        _ if !is_of_tasks => Blame::Nobody,
        Fault::Size | Fault::Either if sent.is_divisible => Blame::Size(took),
        _ => Blame::Tasks,
    };
    let error = error.into();
    Setback { error, blame }
}

/// The smallest request that every API answers.
async fn ask_for_nothing(endpoint: &Endpoint, name: &str, spent: &mut Spent) -> Result<(), ApiError> {
    let request = GraphqlRequest {
        operation_name: None,
        query: "{__typename}".into(),
        variables: serde_json::Map::new(),
    };
    let answer = endpoint.ask_counting(name, &request, PhantomData::<IgnoredAny>, Perseverance::Repeat, spent);
    answer.await.map(drop)
}

fn asks(sent: &Sent) -> Vec<Ask<'_>> {
    let asks = sent.asked.iter().map(|asked| Ask {
        connection: asked.task.connection,
        root: asked.task.root,
        member: asked.task.member.as_ref().map(|member| &member.value),
        size: asked.size,
        position: asked.task.position.as_ref(),
        address: &asked.task.address.values,
    });
    asks.collect()
}

fn request(plan: &Plan, sent: &Sent) -> GraphqlRequest {
    let RequestText { text, variables } = plan.request(&asks(sent), &sent.inline_sizes, Piece::FIRST);
    // The text holds one operation, so its name need not be told; some servers refuse names of certain characters.
    GraphqlRequest {
        operation_name: None,
        query: text,
        variables,
    }
}
