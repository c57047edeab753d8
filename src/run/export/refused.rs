//! What becomes of tasks whose request was refused: connections whose cursors have expired are read again from their
//! beginning, and those that the API may refuse for one of them are parted.

use crate::api::{ApiError, Refusal};
use crate::plan::Target;
use crate::run::export::sending::Sent;
use crate::run::export::{Export, ExportError};
use crate::run::intake::note_end;
use crate::run::members::{give_up, may_be_of_one_task};
use crate::run::turning::End;
use crate::state::{MemberGain, Restart, Tally, Task, TaskChange, Trail};

/// Times that a connection is begun again without coming any further, until it is given up.
const ATTEMPTS: u32 = 5;

impl Export<'_> {
    /// Puts new tasks in the place of those whose cursors the API does not take any more.
    pub(super) async fn restart(&mut self, sent: &Sent, refusal: Refusal) -> Result<(), ExportError> {
        let [asked] = sent.asked.as_slice() else {
            self.company.part(&sent.asked);
            let tasks = sent.asked.iter().map(|asked| asked.task.clone());
            tasks.for_each(|task| self.frontier.hold(task));
            return Ok(());
        };
        let task = &asked.task;
        let why = match begun_again(task) {
            None => "it came no further for too often",
            Some(next) if !self.plan.can_reach(target(&next)) => "there is no way back to its beginning alone",
            Some(next) => return self.replace(task, next).await,
        };
        match task.depth {
            0 => Err(ApiError::CursorExpired(refusal).into()),
            _ => self.give_up(task, &refusal, why).await,
        }
    }

    /// A request has no answer. Where that may be the fault of one of its tasks, they are asked for in smaller company, and
    /// the value of a variable that is refused alone is given up.
    pub(super) async fn part(&mut self, sent: Sent, error: ExportError) -> Result<(), ExportError> {
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
        let lost = give_up(&sent.asked, &error.to_string());
        self.workplace
            .state
            .change_tasks(self.key, lost)
            .await
            .map_err(Into::into)
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

    async fn give_up(&mut self, task: &Task, refusal: &Refusal, why: &str) -> Result<(), ExportError> {
        let mut tally = Tally::default();
        note_end(&mut tally, End::Lost);
        let gain = MemberGain {
            open: -1,
            ..MemberGain::default()
        };
        let member = task.member.as_ref().map(|member| (member.number, gain));
        let change = TaskChange {
            done: vec![task.id],
            next: Vec::new(),
            members: member.into_iter().collect(),
            tallies: task
                .connection
                .into_iter()
                .map(|connection| (connection, tally))
                .collect(),
            flaws: vec![format!(
                "{} cannot be read on after its cursors expired, since {why}: {refusal}",
                self.named(task)
            )],
        };
        Ok(self.workplace.state.change_tasks(self.key, change).await?)
    }

    /// The path of a task's connection.
    fn named(&self, task: &Task) -> String {
        let connection = task.connection.and_then(|index| self.plan.connections.get(index));
        connection.map_or_else(|| "the query".to_owned(), |connection| format!("`{}`", connection.path))
    }
}

fn target(task: &Task) -> Target {
    match task.connection {
        Some(connection) => Target::Page {
            connection,
            is_first: task.position.is_none(),
        },
        None => Target::Start,
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
