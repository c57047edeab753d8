//! What becomes of tasks whose request was refused: connections whose cursors have expired are read again from their
//! beginning, and those that the API may refuse for one of them are parted.

use crate::api::{ApiError, Refusal};
use crate::run::company::may_be_of_one_task;
use crate::run::export::sending::Sent;
use crate::run::export::{Export, ExportError};
use crate::run::intake::AskedTask;
use crate::run::members::give_up;
use crate::run::sink::target;
use crate::state::{Restart, StoredSlot, Task, TaskChange, Trail};

/// Times that a connection is begun again without coming any further, until it is given up.
const ATTEMPTS: u32 = 5;

impl Export<'_> {
    /// Does what can be done about a request without an answer; what it cannot mend comes back.
    pub(super) async fn recover(&mut self, sent: Sent, error: ExportError) -> Result<(), ExportError> {
        let error = match (error, sent.asked.as_slice()) {
            (ExportError::Api(ApiError::CursorExpired(refusal)), [asked]) => match self.restart(asked, refusal).await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            },
            (error, _) => error,
        };
        self.part(sent, error).await
    }

    /// Puts a new task in the place of one whose cursor the API does not take any more.
    async fn restart(&mut self, asked: &AskedTask, refusal: Refusal) -> Result<(), ExportError> {
        let task = &asked.task;
        let why = match begun_again(task) {
            None => "it came no further for too often",
            Some(next) if !self.plan.can_reach(target(&StoredSlot::of(&next))) => {
                "there is no way back to its beginning alone"
            }
            Some(next) => return self.replace(task, next).await,
        };
        if task.depth == 0 {
            return Err(ApiError::CursorExpired(refusal).into());
        }
        let mut lost = give_up(std::slice::from_ref(asked), None);
        lost.flaws.push(format!(
            "{} cannot be read on after its cursors expired, since {why}: {refusal}",
            self.named(task)
        ));
        Ok(self.workplace.state.change_tasks(self.key, lost).await?)
    }

    /// Where no answer may be the fault of one task of several, they are asked for in smaller company, and the value of a
    /// variable that is refused alone is given up.
    async fn part(&mut self, sent: Sent, error: ExportError) -> Result<(), ExportError> {
        if !matches!(&error, ExportError::Api(error) if may_be_of_one_task(error)) {
            return Err(error);
        }
        if self.company.part(&sent.asked) {
            sent.asked.into_iter().for_each(|asked| self.frontier.hold(asked.task));
            return Ok(());
        }
        if sent.asked.iter().any(|asked| asked.task.member.is_none()) {
            return Err(error);
        }
        let lost = give_up(&sent.asked, Some(&error.to_string()));
        Ok(self.workplace.state.change_tasks(self.key, lost).await?)
    }

    async fn replace(&mut self, task: &Task, next: Task) -> Result<(), ExportError> {
        self.next_id += 1;
        let next = Task {
            id: self.next_id,
            ..next
        };
        if self.restarted.insert(task.connection) {
            let text = "have expired: what they are of is read again from its beginning, each row kept once";
            self.warn(format!("cursors of {} {text}", self.named(task)));
        }
        self.frontier.hold(next.clone());
        let change = TaskChange {
            done: vec![task.id],
            next: vec![next],
            ..TaskChange::default()
        };
        Ok(self.workplace.state.change_tasks(self.key, change).await?)
    }

    /// The path of a task's connection.
    fn named(&self, task: &Task) -> String {
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
