//! Answers as what they tell of the API: how long it takes, how much it gives, and what is asked for next because of it.

use crate::plan::{Connection, Plan};
use crate::run::export::joining::Response;
use crate::run::export::sending::Sent;
use crate::run::export::{Export, ExportError};
use crate::run::harvest::FoundPage;
use crate::run::intake::AskedTask;
use crate::run::pace::Stretch;
use crate::run::pack::{Packer, is_by_offset, is_fixed};
use crate::run::turning::{divided, resized};
use crate::state::Task;

/// How many times larger than wanted a numbered page is left as it is: another size costs evenness.
const TOLERANCE: f64 = 1.5;

impl Export<'_> {
    /// Notes what an answer tells of the API. `is_busy` tells that as many requests were in flight as may be.
    pub(super) fn note_pace(&mut self, sent: &Sent, response: &Response, is_busy: bool) {
        let answer = &response.answer;
        let mut rows = vec![0.0; self.plan.connections.len()];
        for page in &answer.data.pages {
            rows[page.connection] += page.rows as f64;
        }
        self.pace
            .note_answer(&sent.load, &rows, answer.elapsed, answer.body.len() as u64);
        if !response.losses.is_empty() {
            self.note_lost(&sent.asked, &sent.inline_sizes);
        // What failed twice and more, and came whole with fewer rows, failed for their number.
        } else if sent.terms.failures > 1 && !sent.terms.met_busy {
            self.pace.note_wall(&sent.load, sent.terms.failed);
        }
        for page in &answer.data.pages {
            self.note_size(sent, page);
        }
        let work = 1.0 + rows.iter().sum::<f64>();
        let now = answer.sent_at.duration_since(self.begun_at) + answer.elapsed;
        self.workplace.steer(|knee| knee.note_answer(now, work, is_busy));
    }

    /// Notes that something of what is asked for cannot be had: what failed with it failed for it, or for what holds it.
    pub(super) fn note_lost(&mut self, asked: &[AskedTask], inline_sizes: &[u32]) {
        let mut lost = stretches(&self.plan, asked, inline_sizes);
        for asked in asked {
            let mut above = self.connection_of(&asked.task).and_then(|connection| connection.parent);
            while let Some(index) = above {
                lost.push(Stretch::any_of(index));
                above = self.plan.connections[index].parent;
            }
        }
        self.pace.note_lost(&lost);
    }

    /// Notes how finely the columns of an answer had to be cut. What is true of most rows is asked for so from then on, with
    /// as many rows as there is room for.
    pub(super) fn note_fineness(&mut self, sent: &Sent, response: &Response) {
        let was_cut = response.fineness > sent.fineness;
        if was_cut && !response.losses.is_empty() {
            return;
        }
        let now = self.workplace.clock.unix_millis();
        let rows = rows_by_slot(sent, response);
        let bytes_per_row = response.answer.body.len() as f64 / rows.iter().sum::<f64>().max(1.0);
        for (asked, rows) in sent.asked.iter().zip(rows) {
            let connection = asked.task.connection;
            let is_changed = match (was_cut, sent.fineness) {
                (true, _) => self
                    .fineness
                    .note_cut(connection, response.fineness, bytes_per_row, now),
                (false, 0) => {
                    self.fineness.note_whole(connection, rows);
                    false
                }
                (false, _) => self.fineness.note_grouped(connection, rows, rows * bytes_per_row),
            };
            if is_changed {
                self.pace.forget_walls(connection);
            }
            if is_changed && was_cut {
                self.warn_of_cut(&asked.task);
            }
        }
    }

    fn warn_of_cut(&self, task: &Task) {
        let named = self.named(task);
        self.warn(format!(
            "{named} is asked for in several requests from now on, each with a part of the columns: with all of them most \
             rows do not come, not even one by one"
        ));
    }

    /// Notes what a page shows of how many rows a page may have.
    fn note_size(&mut self, sent: &Sent, page: &FoundPage) {
        let asked = page.asked(&sent.asked).map(|asked| asked.size);
        let asked = asked.or_else(|| sent.inline_sizes.get(page.connection).copied());
        let (Some(asked), Ok(rows)) = (asked, u32::try_from(page.rows)) else {
            return;
        };
        if self.shows_clamp(sent, page, (asked, rows)) {
            self.pace.note_cap(page.connection, rows);
        }
        if rows >= asked {
            self.pace.note_full(page.connection, asked);
            let honoured = &mut self.honoured[page.connection];
            *honoured = asked.max(*honoured);
        } else if page.has_next == Some(true) {
            self.pace.note_short(page.connection, rows);
        }
    }

    /// Whether a list that says by its total alone that there are more has pages of just so many rows, whatever is asked
    /// for. Totals may count rows that never come: it takes a short first page, and one like it behind pages that all were.
    fn shows_clamp(&mut self, sent: &Sent, page: &FoundPage, (asked, rows): (u32, u32)) -> bool {
        let task = page.asked(&sent.asked).map(|asked| &asked.task);
        let before = task.map_or(0, |task| task.before);
        let total = page.total.or(task.and_then(|task| task.total));
        let has_more = page.has_next.is_none() && total.is_some_and(|total| before + u64::from(rows) < total);
        if !has_more || rows == 0 || rows < self.honoured[page.connection] {
            return false;
        }
        let first = &mut self.short_firsts[page.connection];
        if before == 0 && rows < asked {
            *first = rows;
        }
        before > 0 && rows == *first && before.is_multiple_of(u64::from(rows))
    }

    /// The same rows in pages of another size, where those of numbered pages are far from what is wanted of them.
    pub(super) fn resize(&self, tasks: Vec<Task>) -> Vec<Task> {
        let is_numbered = |task: &Task| self.connection_of(task).is_some_and(is_fixed) && task.size.is_some();
        if !tasks.iter().any(is_numbered) {
            return tasks;
        }
        let packer = self.packer(&self.pace.allowance(self.workplace.aims));
        let resize = |task: Task| match self.wanted_size(&packer, &task) {
            Some((connection, wanted)) => resized(connection, &task, wanted).unwrap_or_else(|| vec![task]),
            None => vec![task],
        };
        tasks.into_iter().flat_map(resize).collect()
    }

    /// The size that a numbered page should have in place of its own.
    fn wanted_size(&self, packer: &Packer<'_>, task: &Task) -> Option<(&Connection, u32)> {
        let index = task.connection?;
        let connection = self.connection_of(task).filter(|connection| is_fixed(connection))?;
        let size = task.size?;
        let most = packer.most(index).min(packer.fitting(task, index));
        if f64::from(size) > f64::from(most) * TOLERANCE {
            return Some((connection, most));
        }
        // A larger page than any that came full may be cut off, and its number would mean other rows.
        let most = most.min(self.honoured[index]);
        (task.expected.is_none() && most > size).then_some((connection, most))
    }

    /// Parts the pages of the tasks at hand where there are more places than tasks: what a page has no room for is asked
    /// for beside it, and not behind it.
    pub(super) async fn divide_last(&mut self) -> Result<(), ExportError> {
        let places = self.places().saturating_sub(self.flying.all());
        if self.frontier.held() >= places || self.frontier.held() == 0 {
            return Ok(());
        }
        let packer = self.packer(&self.pace.allowance(self.workplace.aims));
        let parted = self.frontier.tasks().filter_map(|task| {
            let is_by_offset = self.connection_of(task).is_some_and(is_by_offset);
            let parts = divided(task, packer.size(task, &self.fan_outs)).filter(|_| is_by_offset)?;
            Some((task.clone(), parts))
        });
        for (task, parts) in parted.collect::<Vec<_>>() {
            self.frontier.remove(&task);
            let change = self.in_place_of(&task, parts);
            self.workplace.state.change_tasks(self.key, change).await?;
        }
        Ok(())
    }

    pub(super) fn connection_of(&self, task: &Task) -> Option<&Connection> {
        self.plan.connections.get(task.connection?)
    }
}

/// The rows that tasks ask for by themselves.
pub(super) fn stretches(plan: &Plan, asked: &[AskedTask], inline_sizes: &[u32]) -> Vec<Stretch> {
    let stretch = |connection: usize, size: u32, task: &Task| Stretch {
        connection,
        instance: task.instance,
        first: task.before,
        behind: task.before.saturating_add(size.into()),
    };
    let first_pages = |task: &Task| {
        let outermost = plan.connections.iter().zip(inline_sizes).enumerate();
        let outermost = outermost.filter(|(_, (connection, _))| connection.parent.is_none());
        let first_pages = outermost.map(|(index, (_, size))| stretch(index, *size, task));
        first_pages.collect::<Vec<_>>()
    };
    let each = asked.iter().map(|AskedTask { task, size }| match task.connection {
        Some(connection) => vec![stretch(connection, *size, task)],
        None => first_pages(task),
    });
    each.flatten().collect()
}

/// The rows that a response brought of each connection that was asked for; what is of none counts for one.
fn rows_by_slot(sent: &Sent, response: &Response) -> Vec<f64> {
    let rows = |slot: usize| {
        let pages = response.answer.data.pages.iter();
        pages
            .filter(|page| page.slot == Some(slot))
            .map(|page| page.rows as f64)
            .sum()
    };
    let slots = sent.asked.iter().enumerate();
    slots
        .map(|(slot, asked)| asked.task.connection.map_or(1.0, |_| rows(slot)))
        .collect()
}
