//! Which tasks go into the next request, and the request itself.

use std::marker::PhantomData;
use std::sync::Arc;

use futures::future::BoxFuture;
use serde::de::IgnoredAny;

use crate::api::{ApiError, Effort as Spent, Endpoint, GraphqlRequest};
use crate::plan::{Ask, Piece, Plan, RequestText, Target};
use crate::run::company::{Fault, fault};
use crate::run::export::{Asked, Export, ExportError};
use crate::run::harvest::{HarvestSeed, SlotPlace};
use crate::run::intake::AskedTask;
use crate::run::pack::Packer;
use crate::state::Task;

/// A request on its way.
pub(super) struct Sent {
    pub(super) asked: Vec<AskedTask>,
    pub(super) inline_sizes: Vec<u32>,
}

/// Why a request was not taken in.
pub(super) struct Setback {
    pub(super) error: ExportError,
    /// Whether that may be the fault of one of its tasks.
    pub(super) is_of_tasks: bool,
}

impl<E: Into<ExportError>> From<E> for Setback {
    /// What went wrong with an answer, or behind it, is no task's fault.
    fn from(error: E) -> Self {
        Self {
            error: error.into(),
            is_of_tasks: false,
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
    /// The tasks of the next request. One with room left waits while answers are on their way, as they may bring what
    /// fills it; not so where requests cost nothing.
    pub(super) fn next_request(&mut self, in_flight: usize) -> Option<Sent> {
        if in_flight >= self.workplace.concurrency {
            return None;
        }
        let mut packer = Packer::new(&self.plan, self.workplace.room, &self.fan_outs);
        packer.make_room(self.frontier.tasks().next()?, &self.fan_outs);
        let (sizes, is_full) = packer.fill(self.companions(), &self.fan_outs);
        let is_full = is_full || sizes.len() < self.frontier.held();
        if sizes.is_empty() || (in_flight > 0 && !is_full && self.workplace.is_limited) {
            return None;
        }
        let inline_sizes = packer.inline_sizes().to_vec();
        let tasks = self.frontier.take(sizes.len());
        let asked = tasks
            .into_iter()
            .zip(sizes)
            .map(|(task, size)| AskedTask { task, size });
        let asked = asked.collect();
        let sent = Sent { asked, inline_sizes };
        Some(self.shorten(sent))
    }

    /// The tasks that may share the next request.
    fn companions(&self) -> impl Iterator<Item = &Task> {
        let first = self.frontier.tasks().next();
        let mixes_members = self.plan.mixes_members();
        let may_join = move |task: &&Task| first.is_some_and(|first| self.company.may_join(first, task, mixes_members));
        self.frontier.tasks().take_while(may_join)
    }

    /// Puts tasks back until the text says no more than it may.
    fn shorten(&mut self, mut sent: Sent) -> Sent {
        let workplace = self.workplace;
        let text = |plan: &Plan, sent: &Sent| plan.request(&asks(sent), &sent.inline_sizes, Piece::FIRST);
        while sent.asked.len() > 1 && !workplace.text_limits.allow(|| text(&self.plan, &sent)) {
            let rest = sent.asked.split_off(sent.asked.len().div_ceil(2));
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
            let tasks = sent.asked.iter().map(|asked| &asked.task);
            let slots: Vec<SlotPlace> = tasks.filter(|task| !task.is_start()).map(SlotPlace::of).collect();
            let seed = HarvestSeed {
                layout: &layout,
                slots: &slots,
                looks: &looks,
            };
            let mut spent = Spent::default();
            let answer = endpoint.ask_counting(&name, &request, seed, &mut spent).await;
            let answer = match answer {
                Ok(answer) => Ok(answer),
                Err(error) if sent.is_everything() => Err(error.into()),
                Err(error) => Err(setback(endpoint, &name, error, &mut spent).await),
            };
            (sent, answer, spent)
        })
    }
}

/// Why there is no answer. Where a crash may be the fault of a task, the API is asked for what it cannot crash on.
async fn setback(endpoint: &Endpoint, name: &str, error: ApiError, spent: &mut Spent) -> Setback {
    let is_of_tasks = match fault(&error) {
        Fault::Task => true,
        Fault::Source => false,
        Fault::Either => match ask_for_nothing(endpoint, name, spent).await {
            Ok(()) => true,
            Err(error @ ApiError::Stopped { .. }) => return error.into(),
            Err(error) => fault(&error) == Fault::Task,
        },
    };
    let error = error.into();
    Setback { error, is_of_tasks }
}

/// The smallest request that every API answers.
async fn ask_for_nothing(endpoint: &Endpoint, name: &str, spent: &mut Spent) -> Result<(), ApiError> {
    let request = GraphqlRequest {
        operation_name: None,
        query: "{__typename}".into(),
        variables: serde_json::Map::new(),
    };
    let answer = endpoint.ask_counting(name, &request, PhantomData::<IgnoredAny>, spent);
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
