//! Rows of which something cannot be read, however little is asked for: they are left out and named, and the paging goes
//! on behind them.

use std::collections::BTreeMap;

use crate::plan::{Loss, Plan};
use crate::run::export::joining::Response;
use crate::run::export::{Export, ExportError};
use crate::run::harvest::{FoundPage, Harvest};
use crate::run::intake::AskedTask;
use crate::run::seen::Repeats;
use crate::run::turning::PagingError;

/// Rows that are given up one after the other until the export ends: their values may be what nobody can have, but a stretch
/// of bad rows is no reason to have none of the others.
const GIVEN_UP_IN_A_ROW: u32 = 100;
/// Rows of a page that are named; the others are counted.
const NAMED: usize = 10;

/// The rows of a response that are given up.
#[derive(Debug, Default)]
pub(super) struct GivenUp {
    /// By the index of their page, and the items in it, ascending.
    items: BTreeMap<usize, Vec<usize>>,
    /// By their connection, how many of them; and one of the reasons.
    connections: BTreeMap<usize, u32>,
    reason: String,
    /// What is to be said of them, each with how often.
    pub(super) flaws: Vec<(String, u64)>,
    /// The numbers of the values that the query is run for which lack some of them, each with one of the texts.
    pub(super) members: Vec<(u64, String)>,
}

impl GivenUp {
    /// The rows of a response that lost something.
    pub(super) fn find(
        harvest: &Harvest,
        asked: &[AskedTask],
        losses: &[(Loss, String)],
        ids: &BTreeMap<usize, Vec<Option<String>>>,
        plan: &Plan,
    ) -> Self {
        let mut given_up = Self::default();
        for (loss, reason) in losses {
            let pages = harvest.pages.iter().enumerate();
            for (index, page) in pages.filter(|(_, page)| loss.connections.contains(&page.connection)) {
                let Some(connection) = plan.connections.get(page.connection) else {
                    continue;
                };
                let items = 0..usize::try_from(page.rows.saturating_sub(page.surplus)).unwrap_or(usize::MAX);
                let name = |item: usize| named(page, item, asked, ids);
                let values = quoted(&loss.values);
                for item in items.clone().take(NAMED) {
                    let text = format!(
                        "`{}`: the row {} is given up: {values} cannot be read: {reason}",
                        connection.path,
                        name(item)
                    );
                    given_up.flaws.push((text, 1));
                }
                let member = page.origin.and_then(|slot| asked.get(slot)?.task.member.as_ref());
                let told = given_up.flaws.last().zip(member);
                let lacking = told.map(|((text, _), member)| (member.number, text.clone()));
                given_up.members.extend(lacking);
                let more = items.len().saturating_sub(NAMED);
                if more > 0 {
                    let text = format!("`{}`: more rows are given up: {values} cannot be read", connection.path);
                    given_up.flaws.push((text, more as u64));
                }
                *given_up.connections.entry(page.connection).or_default() += 1;
                given_up.reason.clone_from(reason);
                given_up.items.insert(index, items.collect());
            }
        }
        given_up
    }

    /// Leaves them out of the rows that are taken in.
    pub(super) fn leave_out(&self, harvest: &mut Harvest, left_out: &mut Repeats) {
        for (index, items) in &self.items {
            let Some(page) = harvest.pages.get_mut(*index) else {
                continue;
            };
            let others = left_out.entry(*index).or_default();
            let new: Vec<usize> = items.iter().filter(|item| !others.contains(item)).copied().collect();
            page.given_up = new.len() as u64;
            others.extend(new);
            others.sort_unstable();
        }
    }
}

/// What tells a row to people: its `_id`, or its place.
fn named(page: &FoundPage, item: usize, asked: &[AskedTask], ids: &BTreeMap<usize, Vec<Option<String>>>) -> String {
    let ordinal = usize::try_from(page.first_ordinal)
        .unwrap_or(usize::MAX)
        .saturating_add(item);
    let id = ids.get(&page.table).and_then(|ids| ids.get(ordinal)?.clone());
    let before = page.asked(asked).map_or(0, |asked| asked.task.before);
    id.map_or_else(
        || format!("number {}", before + item as u64 + 1),
        |id| format!("`{id}`"),
    )
}

fn quoted(values: &[String]) -> String {
    let values: Vec<String> = values.iter().map(|value| format!("`{value}`")).collect();
    values.join(", ")
}

impl Export<'_> {
    /// Ends the export where row after row is given up: that concerns the query, or the API as it is now.
    pub(super) fn bear_with(&mut self, given_up: &GivenUp, harvest: &Harvest) -> Result<(), ExportError> {
        let is_whole = |page: &&FoundPage| !given_up.connections.contains_key(&page.connection);
        for page in harvest.pages.iter().filter(is_whole) {
            self.rows_given_up.remove(&page.connection);
        }
        for (connection, rows) in &given_up.connections {
            let in_a_row = self.rows_given_up.entry(*connection).or_default();
            *in_a_row += rows;
            if *in_a_row > GIVEN_UP_IN_A_ROW {
                let cause = given_up.reason.clone();
                return Err(PagingError::NoAnswer { cause }.into());
            }
        }
        Ok(())
    }
}

impl Response {
    /// What the answers to its pieces leave lacking, each with how often.
    pub(super) fn what_lacks(&self, plan: &Plan) -> Vec<(String, u64)> {
        let named = |table: usize| {
            let mut connections = plan.connections.iter();
            let connection = connections.find(|connection| connection.table == table);
            connection.map_or_else(
                || format!("table `{}`", plan.tables[table].name),
                |connection| format!("`{}`", connection.path),
            )
        };
        let lacking = self.differences.lacking.iter().map(|(table, rows)| {
            let text = "rows that changed while their columns were asked for in several requests lack some of them";
            (format!("{}: {text}", named(*table)), *rows)
        });
        let extra = self.differences.extra.iter().map(|(table, rows)| {
            let text = "rows came while the columns were asked for in several requests, and may be lacking";
            (format!("{}: {text}", named(*table)), *rows)
        });
        let objects = self.differences.objects.iter().map(|(key, count)| {
            let text = "changed while its fields were asked for in several requests, and may lack some of them";
            (format!("`{key}` {text}"), *count)
        });
        lacking.chain(extra).chain(objects).collect()
    }
}
