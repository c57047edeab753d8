//! A response taken in: into the state, on its way to the parts, and back into the frontier.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::OwnedSemaphorePermit;

use crate::api::{Answer, GraphqlError};
use crate::plan::Plan;
use crate::report::Event;
use crate::run::company::Terms;
use crate::run::export::given_up::GivenUp;
use crate::run::export::joining::Response;
use crate::run::export::sending::Sent;
use crate::run::export::{BODY_BYTES, Export, ExportError};
use crate::run::harvest::FoundPage;
use crate::run::intake::{AskedTask, Consequences, Request, Sight, consequences, note_end};
use crate::run::members::count_open;
use crate::run::seen::new_keys;
use crate::run::sink::SinkError;
use crate::run::turning::{End, PagingError};
use crate::state::{StoredResponse, StoredSlot, TakenResponse, Task};

/// Attempts at a later page that comes without its rows, or at a piece that lacks some; an API that has begun a connection
/// seldom means that.
pub(super) const PAGE_ATTEMPTS: u32 = 3;
/// The so-manieth part of the rows is asked for with such pages the next time, and of that the time after.
pub(super) const LESS_AGAIN: f64 = 8.0;

impl Export<'_> {
    /// Takes a response in: the next pages are queued at once, the body goes to the state and to the sink.
    pub(super) async fn take(&mut self, sent: &Sent, mut response: Response) -> Result<(), ExportError> {
        let (bytes, was_kept) = (response.bytes, response.was_kept);
        self.note_fineness(sent, &response);
        self.bear_with_lone(&response)?;
        self.heed_denied(sent, &response.answer)?;
        let may_be_chance = self.heed_failing(sent, &response.answer)?;
        let is_named = |value: &str| self.denied_everywhere.iter().any(|denial| denial.holds(value));
        response.lone.leave_to_others(is_named);
        if may_be_chance || self.is_over_cap(sent, &response) || self.doubts_lists(sent, &response) {
            self.drop_pieces(sent).await?;
            self.note_spent(response.answer.effort).await?;
            sent.asked
                .iter()
                .for_each(|asked| self.frontier.hold(asked.task.clone()));
            return Ok(());
        }
        let mut what_lacks = response.what_lacks(&self.plan);
        what_lacks.extend(response.lone.flaws(&self.plan));
        let Response {
            answer, losses, ids, ..
        } = response;
        let Answer {
            mut data,
            errors,
            denied,
            body,
            elapsed,
            effort,
            ..
        } = answer;
        let sequence = self.last_sequence + 1;
        let mut repeats = self.seen.repeats(&data.pages, &sent.asked).await?;
        data.cut(&mut repeats, |page| wanted(&self.plan, &sent.asked, page));
        let given_up = GivenUp::find(&data, &sent.asked, &losses, &ids, &self.plan);
        self.bear_with(&given_up, &data)?;
        given_up.leave_out(&mut data, &mut repeats);
        data.leave_out(&repeats);
        let request = Request {
            plan: &self.plan,
            asked: &sent.asked,
            inline_sizes: &sent.inline_sizes,
            sequence,
            denied: &denied,
            doubts_null: self.workplace.doubts_null,
        };
        let mut consequences = consequences(request, &data, &errors)?;
        for (flaw, occurrences) in what_lacks.into_iter().chain(given_up.flaws) {
            *consequences.flaws.entry(flaw).or_default() += occurrences;
        }
        for (number, flaw) in given_up.members {
            let gain = consequences.members.entry(number).or_default();
            gain.flaw.get_or_insert(flaw);
        }
        let skips = data.skips(&repeats, &consequences.void);
        self.note_demand(sent, &consequences.failed, &data.pages);
        let again = self.judge_failed(sent, &mut consequences)?;
        let next_tasks = self.follow(sent, &mut consequences, &again);
        let keys = new_keys(
            &sent.asked,
            &data,
            &repeats,
            &next_tasks,
            (sequence, &consequences.void),
        );
        self.seen.note(&keys);
        let waiting = self.frontier.add(&next_tasks);
        self.last_sequence = sequence;
        let rows = consequences.rows;
        let stored = StoredResponse {
            sequence,
            slots: slots(sent, &consequences.void),
            skips,
            body: self.hold(body).await,
        };
        let done = sent.asked.iter().map(|asked| asked.task.id);
        let taken = TakenResponse {
            run: self.key,
            sequence,
            tasks: done.filter(|id| !again.contains(id)).collect(),
            slots: stored.slots.clone(),
            skips: stored.skips.clone(),
            body: stored.body.clone(),
            rows,
            received_at: self.workplace.clock.unix_millis(),
            next_tasks,
            waiting,
            keys,
            tallies: consequences.tallies.into_iter().collect(),
            flaws: consequences.flaws.into_iter().collect(),
            members: consequences.members.into_iter().collect(),
            effort: self.effort(effort, bytes),
            first_task: sent.asked.first().map(|asked| asked.task.id).filter(|_| was_kept),
        };
        self.workplace.state.take(taken).await?;
        if !self.sink.hand_over(stored).await {
            return Err(SinkError::BrokenOff.into());
        }
        let query = self.name.clone();
        self.workplace.observer.notice(&Event::PageTaken {
            query,
            rows,
            bytes,
            elapsed,
        });
        Ok(())
    }

    /// Whether an error beside the data says that a page has too many rows, which is asked for again with fewer.
    fn is_over_cap(&mut self, sent: &Sent, response: &Response) -> bool {
        let told = response.answer.errors.iter().filter_map(GraphqlError::page_limit).min();
        told.is_some_and(|most| self.learn_cap(sent, most))
    }

    /// Does what follows within the engine, where the tasks of `again` are to be asked again; the new tasks, with their
    /// ids.
    fn follow(&mut self, sent: &Sent, consequences: &mut Consequences, again: &[u64]) -> Vec<Task> {
        for text in std::mem::take(&mut consequences.warnings) {
            self.warn(text);
        }
        self.learn(&consequences.sights);
        self.company.reunite(&sent.asked);
        for asked in &sent.asked {
            self.given_up.remove(&asked.task.connection);
            self.left_out.remove(&(asked.task.connection, asked.task.instance));
            if asked.task.position.is_some() && asked.task.restart.is_none() {
                self.cursors_refused = 0;
            }
        }
        let mut next_tasks = self.resize(std::mem::take(&mut consequences.next_tasks));
        self.number(&mut next_tasks);
        let tasks = sent.asked.iter().map(|asked| &asked.task);
        let (failed, done): (Vec<&Task>, Vec<&Task>) = tasks.partition(|task| again.contains(&task.id));
        count_open(&mut consequences.members, done.into_iter(), &next_tasks);
        let untold = failed.iter().map(|task| task.id);
        let mut untold = untold.filter(|id| self.failed_attempts.contains_key(id)).peekable();
        if untold.peek().is_some() {
            // They may have failed for how many rows they were to have, whatever words that is told in.
            let terms = Terms {
                rows: Some((sent.terms.rows.unwrap_or(sent.load.total()) / LESS_AGAIN).max(1.0)),
                ..Terms::default()
            };
            self.company.set_apart(untold, terms);
        }
        failed.into_iter().for_each(|task| self.frontier.hold(task.clone()));
        next_tasks
    }

    /// Gives new tasks their ids.
    pub(super) fn number(&mut self, tasks: &mut [Task]) {
        for task in tasks {
            self.next_id += 1;
            task.id = self.next_id;
        }
    }

    /// Decides about slots that did not bring what was asked for: the tasks that are to be asked again. Those that
    /// failed too often are given up, and named; at the outermost level that is the end of the export, or, where it is
    /// run for each value of a variable, of the one value.
    fn judge_failed(&mut self, sent: &Sent, consequences: &mut Consequences) -> Result<Vec<u64>, PagingError> {
        let mut again = Vec::new();
        for (slot, error) in std::mem::take(&mut consequences.failed) {
            let Some(task) = sent.asked.get(slot).map(|asked| &asked.task) else {
                continue;
            };
            if self.asks_for_too_large_a_page((sent, slot), &error) {
                again.push(task.id);
                continue;
            }
            let attempts = self.failed_attempts.entry(task.id).or_insert(0);
            *attempts += 1;
            let is_last = *attempts >= PAGE_ATTEMPTS;
            let is_refused = matches!(error, PagingError::BrokeOff { .. });
            let ending = is_refused.then(|| self.end_behind(task, &error.to_string()));
            match ending.flatten() {
                Some((end, flaw)) if is_last || end == Some(End::Total) => {
                    flaw.into_iter()
                        .for_each(|flaw| self.note_flaw(consequences, task, &flaw));
                    note_task_end(consequences, task, end);
                }
                _ if is_last => self.give_up(task, error, consequences)?,
                _ => again.push(task.id),
            }
        }
        Ok(again)
    }

    /// Gives up a task whose page did not come. That names it; of the outermost level it is the end of the export, or of
    /// the one value that it is run for.
    fn give_up(&self, task: &Task, error: PagingError, consequences: &mut Consequences) -> Result<(), PagingError> {
        match &task.member {
            Some(member) if task.depth == 0 => {
                let gain = consequences.members.entry(member.number).or_default();
                gain.failure = Some(error.to_string());
            }
            None if task.depth == 0 => return Err(error),
            _ => self.note_flaw(consequences, task, &error.to_string()),
        }
        note_task_end(consequences, task, End::Lost.unless_side(task.expected));
        Ok(())
    }

    /// Notes what the connection of a task lacks, and what holds that.
    fn note_flaw(&self, consequences: &mut Consequences, task: &Task, text: &str) {
        consequences.lack(self.told_of(task, text), task.member.as_ref());
    }

    fn learn(&mut self, sights: &[Sight]) {
        for sight in sights {
            match *sight {
                Sight::Open { connection, rows } => self.fan_outs[connection].note_open(rows),
                Sight::Coy { connection } => self.fan_outs[connection].note_coy(),
                Sight::Ended {
                    connection,
                    rows,
                    was_open,
                } => self.fan_outs[connection].note_ended(rows, was_open),
            }
        }
    }

    /// The same bytes, counted among those in memory until the last holder lets go of them.
    async fn hold(&self, body: Bytes) -> Bytes {
        let bytes = u32::try_from(body.len().min(BODY_BYTES)).unwrap_or(u32::MAX);
        // What has the rest of the memory is let go of by other threads.
        let held = Arc::clone(&self.workplace.bodies).acquire_many_owned(bytes);
        match self.workplace.clock.hold_while(held).await {
            Ok(permit) => Bytes::from_owner(HeldBody { body, _permit: permit }),
            // The semaphore is never closed.
            Err(_) => body,
        }
    }
}

fn note_task_end(consequences: &mut Consequences, task: &Task, end: Option<End>) {
    if let (Some(connection), Some(end)) = (task.connection, end) {
        note_end(consequences.tallies.entry(connection).or_default(), end);
    }
}

/// How many of the first rows of a page the author wants.
fn wanted(plan: &Plan, asked: &[AskedTask], page: &FoundPage) -> u64 {
    let connection = plan.connections.get(page.connection);
    let Some(most) = connection.and_then(|connection| connection.most_rows) else {
        return u64::MAX;
    };
    let before = page.asked(asked).map_or(0, |asked| asked.task.before);
    u64::from(most).saturating_sub(before)
}

/// What the root fields of a response answer.
fn slots(sent: &Sent, void: &[usize]) -> Vec<StoredSlot> {
    let slots = sent.asked.iter().enumerate().map(|(index, asked)| StoredSlot {
        is_void: void.contains(&index),
        ..StoredSlot::of(&asked.task)
    });
    slots.collect()
}

/// A body, and its share of the memory for bodies.
struct HeldBody {
    body: Bytes,
    _permit: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for HeldBody {
    fn as_ref(&self) -> &[u8] {
        &self.body
    }
}
