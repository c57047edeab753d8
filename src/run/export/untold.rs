//! Refusals in words that tell nothing, set against how much was asked for.

use std::collections::HashSet;

use crate::api::ErrorPath;
use crate::plan::Connection;
use crate::run::company::Terms;
use crate::run::export::joining::Response;
use crate::run::export::sending::Sent;
use crate::run::export::taking::{LESS_AGAIN, PAGE_ATTEMPTS};
use crate::run::export::{Export, ExportError};
use crate::run::harvest::FoundPage;
use crate::run::pace::Demand;
use crate::run::turning::PagingError;

/// First pages below rows that come with an error in their place, whatever is asked for.
#[derive(Debug, Default)]
pub(super) struct Untold {
    /// How often answers were not taken for that, by connection.
    doubted: Vec<u32>,
}

impl Export<'_> {
    /// Whether a request was refused for how much it asked for, as is known by now: less is asked for from now on.
    pub(super) fn asks_for_too_much(&mut self, sent: &Sent, error: &ExportError) -> bool {
        let ExportError::Api(error) = error else { return false };
        error.may_be_of_demand()
            && self
                .pace
                .bounds()
                .note_refusal(&sent.whole_demand(&self.plan), sent.standing)
    }

    /// Notes how much was asked for of what came.
    pub(super) fn note_demand(&mut self, sent: &Sent, failed: &[(usize, PagingError)], pages: &[FoundPage]) {
        let has_come = |slot: &usize| failed.iter().all(|(failed, _)| failed != slot);
        let slots: Vec<usize> = (0..sent.asked.len()).filter(has_come).collect();
        if !slots.is_empty() {
            let came: HashSet<usize> = pages
                .iter()
                .filter(|page| !page.is_null)
                .map(|page| page.connection)
                .collect();
            let demand = sent.demand(&self.plan, &slots).with_pages_of(&came);
            self.pace.bounds().note_answer(&demand);
        }
    }

    /// Whether a page did not come for how much was asked for, as is known by now: less is asked for from now on.
    pub(super) fn asks_for_too_large_a_page(&mut self, (sent, slot): (&Sent, usize), error: &PagingError) -> bool {
        let is_told = matches!(
            error,
            PagingError::BrokeOff { cause: Some(_), .. } | PagingError::NoAnswer { .. }
        );
        let demand = sent.demand(&self.plan, &[slot]);
        is_told && self.pace.bounds().note_refusal(&demand, sent.standing)
    }

    /// Whether an answer has nothing but errors where the lists of a connection belong, which may be for the size of their
    /// pages: then it is asked for again, with less.
    pub(super) fn doubts_lists(&mut self, sent: &Sent, response: &Response) -> bool {
        let lists = self.refused_lists(sent, response);
        let size = |index: &usize| sent.inline_sizes.get(*index).copied().unwrap_or(0);
        let mut is_known = false;
        for index in &lists {
            let mut pages = vec![0; self.plan.connections.len()];
            pages[*index] = size(index);
            is_known |= self
                .pace
                .bounds()
                .note_refusal(&Demand::new(&pages, 0.0, 0), sent.standing);
        }
        let is_new = |index: &usize| self.untold.attempts(*index) + 1 < PAGE_ATTEMPTS && size(index) > 1;
        let is_doubted = is_known || lists.iter().any(is_new);
        lists.iter().for_each(|index| self.untold.note(*index));
        if !is_known && is_doubted {
            let terms = Terms {
                rows: Some((sent.terms.rows.unwrap_or(sent.load.total()) / LESS_AGAIN).max(1.0)),
                ..Terms::default()
            };
            self.company
                .set_apart(sent.asked.iter().map(|asked| asked.task.id), terms);
        }
        is_doubted
    }

    /// Connections below rows of which an answer has errors and no first page.
    fn refused_lists(&self, sent: &Sent, response: &Response) -> Vec<usize> {
        let answer = &response.answer;
        let is_refusal = |path: &&ErrorPath| !answer.denied.contains(path);
        let paths = answer.errors.iter().filter_map(|error| error.path.as_ref());
        let named: HashSet<&str> = paths.filter(is_refusal).filter_map(ErrorPath::last_field).collect();
        let has_come = |index: usize| {
            let mut pages = answer.data.pages.iter();
            pages.any(|page| page.connection == index && page.slot.is_none() && !page.is_null)
        };
        let connections = self.plan.connections.iter().enumerate();
        let is_asked = |index: usize| sent.asked.iter().any(|asked| asked.task.connection == Some(index));
        let inline =
            connections.filter(|(index, connection)| connection.inline_parent().is_some() && !is_asked(*index));
        let is_named = |connection: &Connection| {
            connection
                .path
                .rsplit('.')
                .next()
                .is_some_and(|key| named.contains(key))
        };
        let refused = inline.filter(|(index, connection)| is_named(connection) && !has_come(*index));
        refused.map(|(index, _)| index).collect()
    }
}

impl Untold {
    fn attempts(&self, connection: usize) -> u32 {
        self.doubted.get(connection).copied().unwrap_or(0)
    }

    fn note(&mut self, connection: usize) {
        if self.doubted.len() <= connection {
            self.doubted.resize(connection + 1, 0);
        }
        self.doubted[connection] += 1;
    }
}
