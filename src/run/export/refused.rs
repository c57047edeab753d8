//! What becomes of tasks whose request was refused: connections whose cursors have expired are read again from their
//! beginning, what was too much is asked for in smaller pages, and tasks that the API may refuse for one of them are
//! parted.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use crate::api::{ApiError, Refusal};
use crate::report::Event;
use crate::run::company::Terms;
use crate::run::export::refused_row::denied_row;
use crate::run::export::sending::{Blame, Sent, Setback};
use crate::run::export::{Export, ExportError};
use crate::run::holder::{holder_of, named};
use crate::run::intake::{AskedTask, denied_text};
use crate::run::members::{count_open, give_up};
use crate::run::pace::Knee;
use crate::run::sink::target;
use crate::run::turning::resized;
use crate::state::{Restart, StoredSlot, Task, TaskChange, Trail};

/// What of the rows that were too many is asked for next.
pub(super) const LESS: f64 = 0.5;
/// Failures of a request with too many rows after which fewer that come show that it was for their number.
const SURE_OF_SIZE: u32 = 2;
/// Times that a connection is begun again without coming any further, until it is given up.
const ATTEMPTS: u32 = 5;
/// Requests refused for their cursors, with none taken between them, that may hold one old cursor among good ones.
const REFUSED_BY_CHANCE: u32 = 2;
/// Pages of a connection below rows that are given up one after the other, without any answer, until the export ends.
const GIVEN_UP_IN_A_ROW: u32 = 10;

impl Export<'_> {
    /// Does what can be done about a request without an answer; what it cannot mend comes back.
    pub(super) async fn recover(&mut self, sent: Sent, setback: Setback) -> Result<(), ExportError> {
        let Setback { error, blame } = setback;
        // What stops the run leaves the request to the next one, with all that came of it.
        let targets = sent.targets();
        let has_pieces = self.plan.pieces_for(&targets, sent.fineness).len() > 1;
        let may_be_kept = !sent.is_divisible || has_pieces || !self.plan.rows_apart(&targets).is_empty();
        if blame != Blame::Nobody && may_be_kept {
            self.drop_pieces(&sent).await?;
        }
        let error = match error {
            ExportError::Api(ApiError::CursorExpired(refusal)) => match self.begin_again(&sent.asked, refusal).await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            },
            error => error,
        };
        if let ExportError::Api(ApiError::Denied {
            cause, paths, unplaced, ..
        }) = &error
        {
            self.heed_refusal(&sent, paths, cause, unplaced)?;
        }
        self.heed_failed(&sent, &error)?;
        let most = match &error {
            ExportError::Api(error) => error.page_limit(),
            _ => None,
        };
        if most.is_some_and(|most| self.learn_cap(&sent, most)) {
            sent.asked.into_iter().for_each(|asked| self.frontier.hold(asked.task));
            return Ok(());
        }
        if self.ask_alone(&sent, &error) {
            return Ok(());
        }
        if self.asks_for_too_much(&sent, &error) {
            self.tell_of_less(sent.load.total(), &error);
            sent.asked.into_iter().for_each(|asked| self.frontier.hold(asked.task));
            return Ok(());
        }
        match blame {
            Blame::Size(took) => self.ask_for_less(sent, &error, took).await,
            Blame::Tasks => self.part(sent, error).await,
            Blame::Nobody => Err(error),
        }
    }

    /// What is asked for otherwise from now on is of no use as far as it came.
    pub(super) async fn drop_pieces(&self, sent: &Sent) -> Result<(), ExportError> {
        let Some(first) = sent.asked.first() else { return Ok(()) };
        Ok(self.workplace.state.drop_pieces(self.key, first.task.id).await?)
    }

    /// Learns how many rows a page may have, where some were asked for with more; false where that was known when they were
    /// asked for.
    pub(super) fn learn_cap(&mut self, sent: &Sent, most: u32) -> bool {
        let asked = sent
            .asked
            .iter()
            .filter_map(|asked| Some((asked.task.connection?, asked.size)));
        let inline = sent.inline_sizes.iter().copied().enumerate();
        let over: HashSet<usize> = asked
            .chain(inline)
            .filter(|(_, size)| *size > most)
            .map(|(index, _)| index)
            .collect();
        let is_over = !over.is_empty();
        let news = over.into_iter().filter(|index| self.pace.note_cap(*index, most));
        self.caps_learnt += u64::from(news.count() > 0);
        is_over && sent.caps_learnt < self.caps_learnt
    }

    /// Asks for the same rows again, with fewer of them at once.
    async fn ask_for_less(&mut self, sent: Sent, error: &ExportError, took: Duration) -> Result<(), ExportError> {
        let looks_busy = matches!(error, ExportError::Api(error) if error.is_busy());
        // Alone, no request meets a server that others keep busy.
        let is_alone = self.workplace.endpoint.in_flight() == 0;
        let may_be_busy = looks_busy && !is_alone && self.workplace.knee().may_be_past();
        let is_busy = match sent.terms.failures {
            0 => !self.pace.note_failure(&sent.load, took, may_be_busy),
            // What fails again may fail for one of its rows, and says nothing of the others before it has come through.
            _ => may_be_busy,
        };
        if is_busy {
            self.workplace.steer(|knee| knee.note_failure(sent.retreats));
        } else if looks_busy && sent.terms.failures == 0 {
            self.workplace.steer(Knee::note_other_cause);
        }
        let rows = sent.load.total();
        let terms = Terms {
            rows: Some((rows * LESS).max(1.0)),
            failures: sent.terms.failures + 1,
            failed: rows,
            met_busy: sent.terms.met_busy || may_be_busy,
        };
        self.tell_of_less(rows, error);
        // Tasks that count for hardly any rows are not fewer with fewer rows.
        if sent.asked.len() > 1 && rows <= 2.0 * sent.asked.len() as f64 {
            self.company.part(&sent.asked);
            sent.asked.into_iter().for_each(|asked| self.frontier.hold(asked.task));
            return Ok(());
        }
        self.ask_apart(sent, terms).await
    }

    /// Tells that fewer rows are asked for than the so many that failed.
    pub(super) fn tell_of_less(&self, rows: f64, error: &ExportError) {
        self.workplace.observer.notice(&Event::AskingForLess {
            query: self.name.clone(),
            cause: error.to_string(),
            rows: rows.round() as u64,
        });
    }

    /// Asks for the rows of a request with terms of its own: a numbered page, whose size is settled, in smaller ones.
    pub(super) async fn ask_apart(&mut self, sent: Sent, terms: Terms) -> Result<(), ExportError> {
        if let [asked] = sent.asked.as_slice()
            && let Some(smaller) = self.smaller_pages(asked)
        {
            return self.replace_by(&asked.task, smaller, terms).await;
        }
        let ids = sent.asked.iter().map(|asked| asked.task.id);
        self.company.set_apart(ids, terms);
        sent.asked.into_iter().for_each(|asked| self.frontier.hold(asked.task));
        Ok(())
    }

    /// The rows of a numbered page, whose size is settled, in smaller pages.
    fn smaller_pages(&self, asked: &AskedTask) -> Option<Vec<Task>> {
        let connection = self.connection_of(&asked.task)?;
        let most = (f64::from(asked.size) * LESS) as u32;
        resized(connection, &asked.task, most)
    }

    /// Puts the tasks of smaller pages in the place of one.
    async fn replace_by(&mut self, task: &Task, next: Vec<Task>, terms: Terms) -> Result<(), ExportError> {
        let change = self.in_place_of(task, next);
        let terms = Terms { rows: None, ..terms };
        self.company.set_apart(change.next.iter().map(|task| task.id), terms);
        Ok(self.workplace.state.change_tasks(self.key, change).await?)
    }

    /// Holds new tasks in the place of one; what that amounts to in the state.
    pub(super) fn in_place_of(&mut self, task: &Task, mut next: Vec<Task>) -> TaskChange {
        self.number(&mut next);
        let mut members = BTreeMap::new();
        count_open(&mut members, std::iter::once(task), &next);
        next.iter().for_each(|task| self.frontier.hold(task.clone()));
        TaskChange {
            done: vec![task.id],
            next,
            members: members.into_iter().collect(),
            ..TaskChange::default()
        }
    }

    /// Begins connections again whose cursors the API does not take any more: the one that is asked for alone, or, where
    /// cursors are refused again and again and none of them is taken, all that are asked for together. Else the error comes
    /// back, as one of several cursors may be what is refused.
    async fn begin_again(&mut self, asked: &[AskedTask], refusal: Refusal) -> Result<(), ExportError> {
        self.cursors_refused += 1;
        let is_alone = asked.len() == 1;
        let is_meant = |asked: &&AskedTask| is_alone || self.beginning_of(&asked.task).is_ok();
        let (old, others): (Vec<_>, Vec<_>) = asked.iter().partition(is_meant);
        let may_be_chance = !is_alone && self.cursors_refused <= REFUSED_BY_CHANCE;
        if may_be_chance || old.is_empty() {
            return Err(ApiError::CursorExpired(refusal).into());
        }
        for asked in old {
            self.restart(asked, refusal.clone()).await?;
        }
        others.iter().for_each(|asked| self.frontier.hold(asked.task.clone()));
        Ok(())
    }

    /// The first page of a task's connection; an error says why it is not begun again.
    fn beginning_of(&self, task: &Task) -> Result<Task, &'static str> {
        let next = begun_again(task).ok_or("it came no further for too often")?;
        match self.plan.can_reach(target(&StoredSlot::of(&next))) {
            true => Ok(next),
            false => Err("there is no way back to its beginning alone"),
        }
    }

    /// Puts a new task in the place of one whose cursor the API does not take any more.
    async fn restart(&mut self, asked: &AskedTask, refusal: Refusal) -> Result<(), ExportError> {
        let task = &asked.task;
        let why = match self.beginning_of(task) {
            Ok(next) => return self.replace(task, next).await,
            Err(why) => why,
        };
        if task.depth == 0 {
            return Err(ApiError::CursorExpired(refusal).into());
        }
        let mut lost = give_up(std::slice::from_ref(asked), None);
        lost.lack(
            format!(
                "{} cannot be read on after its cursors expired, since {why}: {refusal}",
                self.named_in_row(task)
            ),
            task.member.as_ref(),
        );
        Ok(self.workplace.state.change_tasks(self.key, lost).await?)
    }

    /// Where no answer may be the fault of one task of several, they are asked for in smaller company, and the one that
    /// has none when it is alone is given up.
    async fn part(&mut self, sent: Sent, error: ExportError) -> Result<(), ExportError> {
        if self.part_denied(&sent, &error) || self.company.part(&sent.asked) {
            sent.asked.into_iter().for_each(|asked| self.frontier.hold(asked.task));
            return Ok(());
        }
        if let Some(change) = self.all_behind(&sent, &error.to_string()) {
            return Ok(self.workplace.state.change_tasks(self.key, change).await?);
        }
        if let [asked] = sent.asked.as_slice()
            && let Some(rest) = sent.rest(&self.plan)
            && self.bears_another_row(&asked.task)
        {
            return self.leave_row_out(asked, rest, &error).await;
        }
        if let Some(row) = denied_row(&error).filter(|_| sent.can_be_less()) {
            return self.close_in_on(row, sent, &error).await;
        }
        if self.may_be_of_size(&sent, &error) {
            self.ask_singly(sent);
            return Ok(());
        }
        let is_denied = matches!(&error, ExportError::Api(ApiError::Denied { .. }));
        let is_of_its_row = |task: &Task| {
            task.connection
                .is_some_and(|index| self.plan.connections[index].is_detached)
        };
        // What the token may not see of one row after the other is no sign that something is wrong.
        let is_known = is_denied && sent.asked.iter().all(|asked| is_of_its_row(&asked.task));
        if !is_known && sent.asked.iter().any(|asked| !self.can_be_spared(&asked.task)) {
            return Err(error);
        }
        self.note_lost(&sent.asked, &sent.inline_sizes);
        let lost = self.given_up(&sent.asked, &error);
        Ok(self.workplace.state.change_tasks(self.key, lost).await?)
    }

    /// Asks for a single row in the place of a request; if that comes, it was refused for how many it asked for.
    fn ask_singly(&mut self, sent: Sent) {
        let terms = Terms {
            rows: Some(1.0),
            failures: SURE_OF_SIZE,
            failed: sent.load.total(),
            ..Terms::default()
        };
        let ids = sent.asked.iter().map(|asked| asked.task.id);
        self.company.set_apart(ids, terms);
        sent.asked.into_iter().for_each(|asked| self.frontier.hold(asked.task));
    }

    /// Whether a request was refused in words that tell nothing, and was not yet asked for with a single row, which may show
    /// that there were too many.
    fn may_be_of_size(&mut self, sent: &Sent, error: &ExportError) -> bool {
        let is_untold = matches!(error, ExportError::Api(ApiError::Invalid(_)));
        let Some(asked) = sent.asked.first().filter(|_| is_untold) else {
            return false;
        };
        if sent.terms.failures > 0 {
            // A single row is refused alike, and others will be.
            self.refused_singly.insert(asked.task.connection);
        }
        let is_known = self.refused_singly.contains(&asked.task.connection);
        !is_known && sent.is_divisible && sent.load.total() > 1.0
    }

    /// Whether the export can go on without a task. What concerns one row after the other concerns the query, or the API
    /// as it is now.
    fn can_be_spared(&mut self, task: &Task) -> bool {
        if task.depth == 0 {
            return task.member.is_some();
        }
        let in_a_row = self.given_up.entry(task.connection).or_default();
        *in_a_row += 1;
        *in_a_row <= GIVEN_UP_IN_A_ROW
    }

    /// What giving tasks up amounts to: a value of the variable fails; what stands below a row is lacking there.
    fn given_up(&self, asked: &[AskedTask], error: &ExportError) -> TaskChange {
        let mut below = asked.iter().filter(|asked| asked.task.depth > 0).peekable();
        if below.peek().is_none() {
            return give_up(asked, Some(&error.to_string()));
        }
        let mut lost = give_up(asked, None);
        for AskedTask { task, .. } in below {
            let flaw = match error {
                ExportError::Api(ApiError::Denied { cause, .. }) => {
                    let connection = self.connection_of(task);
                    let path = connection.map_or("", |connection| connection.path.as_str());
                    self.told_of(task, &denied_text(path, task.before, cause))
                }
                _ => {
                    let (named, before) = (self.named_in_row(task), task.before);
                    format!("{named} cannot be read on behind its first {before} rows: {error}")
                }
            };
            lost.lack(flaw, task.member.as_ref());
        }
        lost
    }

    async fn replace(&mut self, task: &Task, next: Task) -> Result<(), ExportError> {
        if self.restarted.insert(task.connection) {
            let text = "have expired: what they are of is read again from its beginning, each row kept once";
            self.warn(format!("cursors of {} {text}", self.named(task)));
        }
        let change = self.in_place_of(task, vec![next]);
        Ok(self.workplace.state.change_tasks(self.key, change).await?)
    }

    /// The path of a task's connection, and what holds it.
    pub(super) fn named_in_row(&self, task: &Task) -> String {
        self.told_of(task, &self.named(task))
    }

    /// A text about a task's connection, with what holds that.
    pub(super) fn told_of(&self, task: &Task, text: &str) -> String {
        let connection = task.connection.and_then(|index| self.plan.connections.get(index));
        connection.map_or_else(
            || text.to_owned(),
            |connection| {
                named(
                    text,
                    &connection.path,
                    holder_of(&self.plan, connection, task).as_deref(),
                )
            },
        )
    }

    /// The path of a task's connection.
    pub(super) fn named(&self, task: &Task) -> String {
        let connection = task.connection.and_then(|index| self.plan.connections.get(index));
        connection.map_or_else(|| "the query".to_owned(), |connection| format!("`{}`", connection.path))
    }
}

/// The first page of a task's connection, unless it has come no further for too often.
fn begun_again(task: &Task) -> Option<Task> {
    let is_later_page = task.position.is_some() && task.expected.is_none();
    let last = task.restart.filter(|restart| task.before <= restart.rows);
    let restart = Restart {
        rows: last.map_or(task.before, |last| last.rows),
        attempts: last.map_or(1, |last| last.attempts + 1),
        fresh: 0,
    };
    (is_later_page && restart.attempts <= ATTEMPTS).then(|| Task {
        position: None,
        before: 0,
        size: None,
        trail: Trail::default(),
        restart: Some(restart),
        ..task.clone()
    })
}
