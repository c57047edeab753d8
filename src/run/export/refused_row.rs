//! A row of which nothing can be read, since the server fails on it or the token may not see it: it is closed in on, left out
//! and named, and the paging goes on behind it.

use std::collections::BTreeSet;

use crate::api::{ApiError, ErrorPath, PathSegment};
use crate::run::company::Terms;
use crate::run::export::refused::LESS;
use crate::run::export::sending::Sent;
use crate::run::export::{Export, ExportError};
use crate::run::intake::{AskedTask, slot_roots};
use crate::run::turning::Rest;
use crate::state::Task;

/// Rows of one list of which nothing can be read, one after the other, until the rest of it is not asked for either.
const LEFT_OUT_IN_A_ROW: u32 = 5;

/// The place in its page of the first row for which a whole request was denied, by errors at items of lists.
pub(super) fn denied_row(error: &ExportError) -> Option<u64> {
    denied_items(error).filter_map(outermost_row).min()
}

/// The items of lists for which a request was denied.
fn denied_items(error: &ExportError) -> impl Iterator<Item = &ErrorPath> {
    let paths = match error {
        ExportError::Api(ApiError::Denied { paths, .. }) => paths.as_slice(),
        _ => &[],
    };
    paths.iter().filter(|path| path.is_of_item())
}

/// The place of the outermost item on a path.
fn outermost_row(path: &ErrorPath) -> Option<u64> {
    path.0.iter().find_map(|segment| match segment {
        PathSegment::Index(index) => Some(*index),
        PathSegment::Field(_) => None,
    })
}

impl Sent {
    /// Whether it can ask for fewer rows than before.
    pub(super) fn can_be_less(&self) -> bool {
        self.is_divisible && self.terms.rows.is_none_or(|rows| rows > 1.0)
    }

    /// Rows of the page that it asks for; of several first pages, of the largest.
    fn page_size(&self) -> u32 {
        let own = self.asked.iter().filter(|asked| asked.task.connection.is_some());
        let own = own.map(|asked| asked.size).max();
        own.or_else(|| self.inline_sizes.iter().copied().max())
            .unwrap_or(1)
            .max(1)
    }
}

impl Export<'_> {
    /// Parts the tasks with denied rows from the others of their request; false where nothing tells which these are.
    pub(super) fn part_denied(&mut self, sent: &Sent, error: &ExportError) -> bool {
        if sent.asked.len() < 2 {
            return false;
        }
        let roots = slot_roots(&self.plan, &sent.asked);
        let slot = |path: &ErrorPath| match path.0.first() {
            Some(PathSegment::Field(name)) => roots.iter().position(|root| root == name),
            _ => None,
        };
        let slots: BTreeSet<usize> = denied_items(error).filter_map(slot).collect();
        for asked in slots.iter().filter_map(|slot| sent.asked.get(*slot)) {
            self.company.set_apart(std::iter::once(asked.task.id), sent.terms);
        }
        !slots.is_empty()
    }

    /// Asks for the rows before one that is denied; where it is the first, for that one alone, to go on behind it.
    pub(super) async fn close_in_on(&mut self, row: u64, sent: Sent, error: &ExportError) -> Result<(), ExportError> {
        let rows = sent.terms.rows.unwrap_or(f64::INFINITY).min(sent.load.total());
        let before = (row as f64 / f64::from(sent.page_size())).min(LESS);
        let terms = Terms {
            rows: Some((rows * before).max(1.0)),
            ..sent.terms
        };
        self.tell_of_less(rows, error);
        self.ask_apart(sent, terms).await
    }

    /// Counts the rows of one list that are left out in a row; false where that is too much. Below a row, there has to be a
    /// sign that there is such a row.
    pub(super) fn bears_another_row(&mut self, task: &Task) -> bool {
        let is_there = task.expected.is_some() || task.total.is_some_and(|total| task.before < total);
        if task.depth > 0 && !is_there {
            return false;
        }
        let in_a_row = self.left_out.entry((task.connection, task.instance)).or_default();
        *in_a_row += 1;
        *in_a_row <= LEFT_OUT_IN_A_ROW
    }

    /// Goes on behind a row of which nothing can be read.
    pub(super) async fn leave_row_out(
        &mut self,
        asked: &AskedTask,
        rest: Rest,
        error: &ExportError,
    ) -> Result<(), ExportError> {
        self.note_lost(std::slice::from_ref(asked), &[]);
        let task = &asked.task;
        let next = match rest {
            Rest::At(task) => vec![*task],
            Rest::Elsewhere => Vec::new(),
        };
        let mut change = self.in_place_of(task, next);
        let why = match error {
            ExportError::Api(ApiError::Denied { cause, .. }) => {
                format!("left out, as the token may not see it: {cause}")
            }
            _ => format!("given up: nothing of it can be read: {error}"),
        };
        let (named, number) = (self.named_in_row(task), task.before + 1);
        change.lack(
            format!("{named}: the row number {number} is {why}"),
            task.member.as_ref(),
        );
        Ok(self.workplace.state.change_tasks(self.key, change).await?)
    }
}
