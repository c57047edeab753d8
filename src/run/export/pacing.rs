//! Answers as what they tell of the API: how long it takes, how much it gives, and what is asked for next because of it.

use crate::api::Answer;
use crate::plan::Connection;
use crate::run::export::joining::Response;
use crate::run::export::sending::Sent;
use crate::run::export::{Export, ExportError};
use crate::run::harvest::{FoundPage, Harvest};
use crate::run::pack::{Packer, is_by_offset, is_fixed};
use crate::run::turning::{divided, resized};
use crate::state::Task;

/// How many times larger than wanted a numbered page is left as it is: another size costs evenness.
const TOLERANCE: f64 = 1.5;

impl Export<'_> {
    /// Notes what an answer tells of the API. `is_busy` tells that as many requests were in flight as may be.
    pub(super) fn note_pace(&mut self, sent: &Sent, answer: &Answer<Harvest>, is_busy: bool) {
        let mut rows = vec![0.0; self.plan.connections.len()];
        for page in &answer.data.pages {
            rows[page.connection] += page.rows as f64;
        }
        self.pace
            .note_answer(&sent.load, &rows, answer.elapsed, answer.body.len() as u64);
        // What failed twice and more, and came with fewer rows, failed for their number.
        if sent.terms.failures > 1 && !sent.terms.met_busy {
            self.pace.note_wall(&sent.load, sent.terms.failed);
        }
        for page in &answer.data.pages {
            self.note_size(sent, page);
        }
        let work = 1.0 + rows.iter().sum::<f64>();
        let now = answer.sent_at.duration_since(self.begun_at) + answer.elapsed;
        self.workplace.steer(|knee| knee.note_answer(now, work, is_busy));
    }

    /// Notes how finely the columns of an answer had to be cut. What is true of row after row is asked for so from then on,
    /// with as many rows as there is room for.
    pub(super) fn note_fineness(&mut self, sent: &Sent, response: &Response) {
        let was_cut = response.fineness > sent.fineness;
        if !was_cut || !response.losses.is_empty() {
            let whole = sent.asked.iter().filter(|_| !was_cut);
            whole.for_each(|asked| self.fineness.note_whole(asked.task.connection));
            return;
        }
        let now = self.workplace.clock.unix_millis();
        for asked in &sent.asked {
            let connection = asked.task.connection;
            if self.fineness.note_cut(connection, response.fineness, now) {
                self.pace.forget_walls(connection);
                self.warn_of_cut(&asked.task);
            }
        }
    }

    fn warn_of_cut(&self, task: &Task) {
        let named = self.named(task);
        self.warn(format!(
            "{named} is asked for in several requests from now on, each with a part of the columns: with all of them not even \
             one row came"
        ));
    }

    /// Notes what a page shows of how many rows a page may have.
    fn note_size(&mut self, sent: &Sent, page: &FoundPage) {
        let asked = page.asked(&sent.asked).map(|asked| asked.size);
        let asked = asked.or_else(|| sent.inline_sizes.get(page.connection).copied());
        let (Some(asked), Ok(rows)) = (asked, u32::try_from(page.rows)) else {
            return;
        };
        if rows >= asked {
            self.pace.note_full(page.connection, asked);
            let honoured = &mut self.honoured[page.connection];
            *honoured = asked.max(*honoured);
        } else if page.has_next == Some(true) || self.is_short_of_total(sent, page, rows) {
            self.pace.note_short(page.connection, rows);
        }
    }

    /// Whether a page that does not say so is shown not to be the last one by a total. Totals may count rows that never come:
    /// that there are more is believed of what goes on behind a page, and with no fewer rows than others had.
    fn is_short_of_total(&self, sent: &Sent, page: &FoundPage, rows: u32) -> bool {
        let Some(task) = page.asked(&sent.asked).map(|asked| &asked.task) else {
            return false;
        };
        let total = page.total.or(task.total).filter(|_| page.has_next.is_none());
        let is_later = task.before > 0 && rows >= self.honoured[page.connection];
        is_later && total.is_some_and(|total| task.before + u64::from(rows) < total)
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
