//! The selections on paginated fields, of which one that occurs several times in a request is written once, as a
//! fragment, where the API takes fragments.

use std::collections::BTreeSet;

use crate::plan::pieces::Kept;
use crate::plan::request::RequestWriter;
use crate::plan::text::{Token, own_variables};

impl RequestWriter {
    /// Notes in which bodies the variable occurs that the query is run for.
    pub(crate) fn with_member_bodies(mut self) -> Self {
        let Some(member) = &self.member else { return self };
        // Bodies hold those of row fields behind them only.
        for row in (0..self.bodies.len()).rev() {
            let tokens = &self.bodies[row].tokens;
            let mut names = BTreeSet::new();
            own_variables(tokens, &mut names);
            let mut below = vec![0; self.bodies.len()];
            count_bodies(tokens, &mut below, 1, &|_| true);
            let holds_such = below
                .iter()
                .zip(&self.bodies)
                .any(|(count, body)| *count > 0 && body.is_of_member);
            self.bodies[row].is_of_member = names.contains(&member.name) || holds_such;
        }
        self
    }
}

/// How often each body is referred to.
pub(crate) fn references(writer: &RequestWriter, slots: &[&[Token]], kept: Option<&Kept>) -> Vec<usize> {
    let mut references = vec![0; writer.bodies.len()];
    let is_kept = |kept_with: &[usize]| kept.is_none_or(|kept| kept.holds(kept_with));
    slots
        .iter()
        .for_each(|tokens| count_bodies(tokens, &mut references, 1, &is_kept));
    // Bodies hold those of row fields behind them only.
    for (row, body) in writer.bodies.iter().enumerate() {
        let times = match body.is_of_member {
            true => references[row],
            false => references[row].min(1),
        };
        count_bodies(&body.tokens, &mut references, times, &is_kept);
    }
    references
}

/// Adds the bodies that occur in pieces which are written so many times.
fn count_bodies(tokens: &[Token], references: &mut [usize], times: usize, is_kept: &dyn Fn(&[usize]) -> bool) {
    for token in tokens {
        match token {
            Token::Body(row) => references[*row] += times,
            Token::Selection { kept_with, tokens } if is_kept(kept_with) => {
                count_bodies(tokens, references, times, is_kept);
            }
            _ => {}
        }
    }
}
