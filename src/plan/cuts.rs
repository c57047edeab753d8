//! Requests cut to what the API takes in one.
//!
//! Every request that a plan can lead to is written once with stand-ins, and measured. What is too much for one request
//! is cut into groups of columns, as few as the limits allow.

use std::ops::Range;

use apollo_compiler::schema::Name;
use serde_json::{Value as JsonValue, json};

use crate::plan::columns::Context;
use crate::plan::measure::{Amount, LimitKind, measured};
use crate::plan::outline::Part;
use crate::plan::pieces::{Kept, Piece, Pieces};
use crate::plan::report::{Finding, PlanError};
use crate::plan::request::{Ask, RequestWriter, Target};
use crate::plan::row_plan::joined;
use crate::plan::survey::Survey;
use crate::project::QueryLimits;

/// More values than any address has.
const ADDRESS_VALUES: usize = 32;

/// A request that the API would refuse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Excess {
    pub(crate) target: Target,
    pub(crate) amount: Amount,
}

/// What cannot be made to fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Misfit {
    /// What places the rows and tells how to read on, with the rows that have no key.
    Base(Excess),
    /// An atom, with the keys on the way to it.
    Atom(usize, Excess),
}

/// Cuts requests.
pub(crate) struct Cutter<'plan> {
    pub(crate) writer: &'plan RequestWriter,
    pub(crate) limits: &'plan QueryLimits,
    pub(crate) pieces: &'plan Pieces,
    /// What is asked for in slots of requests.
    pub(crate) targets: Vec<Target>,
}

impl Cutter<'_> {
    /// The fewest groups of atoms that fit.
    pub(crate) fn groups(&self) -> Result<Vec<Range<usize>>, Misfit> {
        let atoms = self.pieces.outline().atoms.len();
        if self.excess(0..atoms, true).is_none() {
            return Ok(Vec::from([0..atoms]));
        }
        if let Some(excess) = self.excess(0..0, true) {
            return Err(Misfit::Base(excess));
        }
        let mut groups: Vec<Range<usize>> = Vec::new();
        let mut start = 0;
        while start < atoms {
            let is_first = groups.is_empty();
            let fits = |end: usize| self.excess(start..end, is_first).is_none();
            let end = furthest(start, atoms, fits);
            if end == start && !is_first {
                let excess = self.excess(start..start + 1, false);
                return excess.map_or(Ok(groups), |excess| Err(Misfit::Atom(start, excess)));
            }
            groups.push(start..end);
            start = end;
        }
        Ok(groups)
    }

    /// Of what a request for some atoms has too much.
    fn excess(&self, atoms: Range<usize>, is_first: bool) -> Option<Excess> {
        let is_all = is_first && atoms.len() == self.pieces.outline().atoms.len();
        let kept = (!is_all).then(|| self.pieces.keep(atoms.clone(), is_first));
        let mut targets = self.targets.iter();
        targets.find_map(|target| {
            let is_concerned = is_first || self.pieces.concern(atoms.clone(), *target);
            let amount = is_concerned.then(|| self.excess_of(*target, kept.as_ref()))??;
            let target = *target;
            Some(Excess { target, amount })
        })
    }

    /// Of what the request for one target has too much.
    pub(crate) fn excess_of(&self, target: Target, kept: Option<&Kept>) -> Option<Amount> {
        self.amounts(target, kept).into_iter().find(Amount::is_over)
    }

    /// What the request for one target has of each limit.
    pub(crate) fn amounts(&self, target: Target, kept: Option<&Kept>) -> Vec<Amount> {
        let connections = self.writer.routes.len();
        // Sizes that differ have variables of their own; a size of one makes the least of a complexity.
        let differing: Vec<u32> = (2..).take(connections).collect();
        let amounts = self.measured(target, &differing, kept).into_iter();
        let least = self.measured(target, &vec![1; connections], kept);
        amounts
            .zip(least)
            .map(|(differing, least)| match differing.kind {
                LimitKind::Complexity => least,
                _ => differing,
            })
            .collect()
    }

    fn measured(&self, target: Target, inline_sizes: &[u32], kept: Option<&Kept>) -> Vec<Amount> {
        let member = json!("member");
        let position = json!("position");
        let address: Vec<Option<JsonValue>> = (0..ADDRESS_VALUES).map(|value| Some(json!(value))).collect();
        let (connection, root, is_first) = match target {
            Target::Start => (None, None, true),
            Target::Root { root } => (None, Some(root), true),
            Target::Page { connection, is_first } => (Some(connection), None, is_first),
        };
        let ask = Ask {
            connection,
            root,
            member: Some(&member),
            size: 1,
            position: (!is_first).then_some(&position),
            address: &address,
        };
        measured(self.limits, &self.writer.write(&[ask], inline_sizes, kept))
    }

    /// Why a query cannot be cut so that it fits.
    pub(crate) fn refusal(&self, context: Context<'_>, survey: &Survey, misfit: Misfit) -> PlanError {
        let (excess, path, what, remedy) = match misfit {
            Misfit::Atom(atom, excess) => {
                let outline = self.pieces.outline();
                let path = outline.atoms[atom]
                    .first()
                    .map(|node| outline.nodes[*node].path.clone());
                let remedy = "leave it out, or reach it from nearer the query root in a query file of its own";
                (
                    excess,
                    path.unwrap_or_default(),
                    "too much for one request by itself",
                    remedy.to_owned(),
                )
            }
            Misfit::Base(excess) => match self.unkeyed(survey, excess) {
                Some(row) => {
                    let path = survey.rows[row].path.clone();
                    let name = path.last().map_or("", |name| name.as_str());
                    let remedy = format!(
                        "rows without a key are asked for in one request: name what tells them apart, \
                         `{name} @table(key: […])`, so that their columns can be asked for in several"
                    );
                    (
                        excess,
                        path,
                        "too much for one request, and its rows have no key",
                        remedy,
                    )
                }
                None => {
                    let remedy = "give what is nested in it a query file of its own";
                    let what = "too much for one request, though nothing is asked for but what its rows are read by";
                    (excess, self.deepest(survey, excess), what, remedy.to_owned())
                }
            },
        };
        let name = joined(&path, ".");
        let finding = Finding {
            message: format!("`{name}` is {what}: {}", excess.amount),
            place: path.last().and_then(Name::location),
            label: format!("`limits.query.{}` is {}", excess.amount.kind.key(), excess.amount.most),
            help: remedy,
        };
        finding.into_error(context.sources)
    }

    /// The row field without a key whose rows make a request too large, where they do.
    fn unkeyed(&self, survey: &Survey, excess: Excess) -> Option<usize> {
        let outline = self.pieces.outline();
        let keys = self.pieces.kept(Piece::KeysOnly);
        if self.excess_of(excess.target, keys.as_ref()).is_some() {
            return None;
        }
        let sizes = survey.rows.iter().enumerate().map(|(row, _)| {
            let nodes = outline.nodes.iter();
            let of_row = nodes.filter(|node| node.row == Some(row) && node.part == Part::Unkeyed);
            (row, of_row.count())
        });
        let largest = sizes.max_by_key(|(_, size)| *size);
        largest.filter(|(_, size)| *size > 0).map(|(row, _)| row)
    }

    /// The row field that a request which is too much leads to, or the deepest below it.
    fn deepest(&self, survey: &Survey, excess: Excess) -> Vec<Name> {
        let rows = survey.rows.iter();
        let below = match excess.target {
            Target::Page { connection, .. } => {
                let mut paged = survey.rows.iter().filter(|row| row.paged().is_some());
                paged.nth(connection).map(|row| row.path.clone())
            }
            Target::Start | Target::Root { .. } => None,
        };
        let below = below.unwrap_or_default();
        let paths = rows.map(|row| row.path.clone()).filter(|path| path.starts_with(&below));
        paths.max_by_key(Vec::len).unwrap_or_default()
    }
}

/// The furthest end up to which it fits, where what fits at one end fits at all before it: `start` where nothing does.
fn furthest(start: usize, most: usize, fits: impl Fn(usize) -> bool) -> usize {
    let (mut good, mut bad) = (start, most + 1);
    while bad - good > 1 {
        let middle = good + (bad - good) / 2;
        match fits(middle) {
            true => good = middle,
            false => bad = middle,
        }
    }
    good
}
