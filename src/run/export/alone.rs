//! Requests refused in words that tell nothing, asked for again alone.
//!
//! What was in flight beside them may be what they were refused for. To part their tasks, or to leave rows out, would put
//! even more in flight, and lose what nothing is wrong with.

use std::collections::{HashMap, HashSet};

use crate::api::ApiError;
use crate::run::export::lanes::Lane;
use crate::run::export::sending::Sent;
use crate::run::export::{Export, ExportError};
use crate::run::pace::{Knee, Spread};

/// Wordings of refusals that had nothing to do with others in flight, until none is taken to have: each costs a request.
const MOST_WORDINGS: usize = 10;

/// What is asked for again alone.
#[derive(Debug, Default)]
pub(super) struct Alone {
    /// The tasks, and how often the source had been found to be busy when they were refused.
    tasks: HashMap<u64, u64>,
    /// What requests were told that nothing was in flight beside.
    wordings: HashSet<String>,
}

impl Export<'_> {
    /// Holds what was refused to be asked for again alone, where it was not, and others may be to blame; false where that
    /// cannot help.
    pub(super) fn ask_alone(&mut self, sent: &Sent, error: &ExportError) -> bool {
        let ExportError::Api(ApiError::Invalid(refusal)) = error else {
            return false;
        };
        let wording = wording(&refusal.message);
        if self.was_alone(sent) {
            self.alone.wordings.insert(wording);
            return false;
        }
        if self.alone.wordings.len() >= MOST_WORDINGS || self.alone.wordings.contains(&wording) {
            return false;
        }
        if self.alone.tasks.is_empty() {
            self.workplace.steer(Knee::begin_alone);
        }
        let ids = sent.asked.iter().map(|asked| asked.task.id);
        self.alone.tasks.extend(ids.clone().map(|id| (id, sent.retreats)));
        self.company.set_apart(ids, sent.terms);
        sent.asked
            .iter()
            .for_each(|asked| self.frontier.hold(asked.task.clone()));
        true
    }

    /// The next request of what is asked for alone, when nothing else is in flight.
    pub(super) fn next_alone(&mut self, spread: Spread) -> Option<Sent> {
        if self.alone.tasks.is_empty() {
            return None;
        }
        let ids = self.frontier.tasks().map(|task| task.id);
        let wanted: HashSet<u64> = ids.filter(|id| self.alone.tasks.contains_key(id)).collect();
        if wanted.is_empty() {
            // Others have taken their places.
            self.end_alone();
            return None;
        }
        let mut sent = self.request_of(|task| wanted.contains(&task.id), Lane::Bulk, spread)?;
        let retreats = sent
            .asked
            .iter()
            .filter_map(|asked| self.alone.tasks.get(&asked.task.id));
        sent.refused_at = retreats.min().copied();
        Some(sent)
    }

    /// What was asked for alone is back. If it came, it had been refused for what was in flight beside it.
    pub(super) fn land_alone(&mut self, sent: &Sent, came: bool) {
        let Some(retreats) = sent.refused_at else { return };
        for asked in &sent.asked {
            self.alone.tasks.remove(&asked.task.id);
        }
        if self.alone.tasks.is_empty() {
            self.workplace.steer(Knee::end_alone);
        }
        if came {
            self.workplace.steer(|knee| knee.note_failure(retreats));
        }
    }

    /// Nothing is asked for alone any more.
    pub(super) fn end_alone(&mut self) {
        if !self.alone.tasks.is_empty() {
            self.alone.tasks.clear();
            self.workplace.steer(Knee::end_alone);
        }
    }

    fn was_alone(&self, sent: &Sent) -> bool {
        let is_anything_else = self.flying.all() > 0 || self.workplace.endpoint.in_flight() > 0;
        sent.refused_at.is_some() || !(is_anything_else || self.workplace.knee().is_alone())
    }
}

/// A message without what it quotes and counts.
fn wording(message: &str) -> String {
    let is_plain = |word: &&str| !word.contains(|letter: char| letter.is_ascii_digit() || "\"'`".contains(letter));
    let words: Vec<&str> = message.split_whitespace().filter(is_plain).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wording_is_the_same_whatever_it_is_about() {
        let one = wording("Row 17 of `ships` is broken, see incident-0815");
        assert_eq!(one, wording("Row 4 of `boats` is broken, see incident-42"));
        assert_ne!(one, wording("Too many cooks"));
    }
}
