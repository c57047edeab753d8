//! Requests cut to what the API takes in one.
//!
//! Every request that a plan can lead to is written once with stand-ins, and measured. What is too much for one request
//! is cut into groups of columns, as few as the limits allow.

use std::collections::BTreeMap;

use apollo_compiler::schema::Name;
use serde_json::{Value as JsonValue, json};

use crate::plan::apart::Apart;
use crate::plan::columns::Context;
use crate::plan::excess::Excesses;
use crate::plan::measure::{Amount, LimitKind, measured};
use crate::plan::outline::Part;
use crate::plan::parted::Parted;
use crate::plan::pieces::{Kept, Piece, Pieces};
use crate::plan::report::{Finding, PlanError};
use crate::plan::request::{Ask, RequestText, RequestWriter, Target};
use crate::plan::row_plan::joined;
use crate::plan::survey::Survey;
use crate::project::QueryLimits;

/// More values than any address has.
const ADDRESS_VALUES: usize = 32;

/// The row fields that do not come with the rows that they stand in, each with what there would be too much of, where that
/// is why.
pub(crate) type Detached = BTreeMap<usize, Option<Excesses>>;

/// What is done about requests that are too much, before columns are put in groups.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cuts {
    pub(crate) detached: Detached,
    pub(crate) parted: Parted,
    pub(crate) apart: Apart,
}

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
    /// The atoms that share no group with others, whatever limits say.
    pub(crate) own_groups: Vec<Vec<usize>>,
}

impl Cutter<'_> {
    /// The fewest groups of atoms that fit, each in the order of the query.
    pub(crate) fn groups(&self) -> Result<Vec<Vec<usize>>, Misfit> {
        let is_shared = |atom: &usize| !self.own_groups.iter().any(|own| own.contains(atom));
        let shared: Vec<usize> = self.all().into_iter().filter(is_shared).collect();
        let mut groups = vec![Vec::new()];
        if self.excess(&shared, true).is_none() {
            groups = vec![shared];
        } else if let Some(excess) = self.excess(&[], true) {
            return Err(Misfit::Base(excess));
        } else {
            for mut region in self.pieces.regions() {
                region.retain(is_shared);
                self.fill(&mut groups, 0, &region)?;
            }
        }
        for own in &self.own_groups {
            let first = groups.len();
            self.fill(&mut groups, first, own)?;
        }
        groups.iter_mut().for_each(|atoms| atoms.sort_unstable());
        Ok(groups)
    }

    /// Puts atoms into groups from the one of an index on, as many as fit into each, and into new ones where that is not
    /// enough.
    fn fill(&self, groups: &mut Vec<Vec<usize>>, first: usize, atoms: &[usize]) -> Result<(), Misfit> {
        let (mut rest, mut group) = (atoms, first);
        while let [next, ..] = rest {
            if group == groups.len() {
                groups.push(Vec::new());
            }
            let with = |count: usize| [groups[group].as_slice(), &rest[..count]].concat();
            let taken = most(rest.len(), |count| self.excess(&with(count), group == 0).is_none());
            let is_empty = groups[group].is_empty() && group > 0;
            if let (0, true, Some(excess)) = (taken, is_empty, self.excess(&[*next], false)) {
                return Err(Misfit::Atom(*next, excess));
            }
            groups[group].extend(&rest[..taken]);
            rest = &rest[taken..];
            group += 1;
        }
        Ok(())
    }

    fn all(&self) -> Vec<usize> {
        (0..self.pieces.outline().atoms.len()).collect()
    }

    /// Of what requests for everything have too much.
    pub(crate) fn excesses_of_all(&self) -> Option<Excesses> {
        let targets = self.targets.iter();
        Excesses::of(targets.flat_map(|target| amounts(self.writer, self.limits, &[*target], None)))
    }

    /// Of what a request for some atoms has too much.
    fn excess(&self, atoms: &[usize], is_first: bool) -> Option<Excess> {
        let is_all = is_first && atoms.len() == self.pieces.outline().atoms.len();
        let kept = (!is_all).then(|| self.pieces.keep(atoms, is_first));
        let concerned = self.targets.iter().copied();
        let mut concerned = concerned.filter(|target| is_first || self.pieces.concern(atoms, *target));
        concerned.find_map(|target| {
            let amount = self.excess_of(target, kept.as_ref())?;
            Some(Excess { target, amount })
        })
    }

    /// Of what a misfit has too much, as much of it as there is in the request for everything.
    pub(crate) fn in_all(&self, misfit: Misfit) -> Option<Excesses> {
        let (target, kept) = match misfit {
            Misfit::Base(excess) => (excess.target, self.pieces.keep(&[], true)),
            Misfit::Atom(atom, excess) => (excess.target, self.pieces.keep(&[atom], false)),
        };
        let of_misfit = amounts(self.writer, self.limits, &[target], Some(&kept));
        let in_all = amounts(self.writer, self.limits, &[target], None);
        let concerned = in_all.into_iter().zip(of_misfit);
        Excesses::of(concerned.filter(|(_, own)| own.is_over()).map(|(amount, _)| amount))
    }

    /// Whether the way to the rows of a row field fits into the request for a target, with nothing else.
    pub(crate) fn fits_alone(&self, row: usize, target: Target) -> bool {
        self.excess_of(target, Some(&self.pieces.keep_way_to(row))).is_none()
    }

    fn excess_of(&self, target: Target, kept: Option<&Kept>) -> Option<Amount> {
        excess_of(self.writer, self.limits, &[target], kept)
    }

    /// Why a query cannot be cut so that it fits.
    pub(crate) fn refusal(&self, context: Context<'_>, survey: &Survey, misfit: Misfit) -> PlanError {
        let (excess, path, what, remedy) = match misfit {
            Misfit::Atom(atom, excess) => {
                let outline = self.pieces.outline();
                let path = outline.atoms[atom]
                    .first()
                    .map(|node| outline.nodes[*node].path.clone());
                let path = path.unwrap_or_default();
                let remedy = self.remedy(survey, &path, excess);
                (excess, path, "too much for one request by itself", remedy)
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

    /// What can be done about a value that is too much by itself.
    fn remedy(&self, survey: &Survey, path: &[Name], excess: Excess) -> String {
        let other = "leave it out, or reach it from nearer the query root in a query file of its own";
        let row = survey.around(path).and_then(|row| survey.rows[row].path.last());
        match (excess.target, row) {
            (Target::Row { .. }, _) | (_, None) => other.to_owned(),
            (_, Some(row)) => format!(
                "name a field of the query root that finds one row of `{row}`, which is then asked for it: \
                 `{row} @lookup(field: \"…\", argument: \"…\", by: \"…\")`; or {other}"
            ),
        }
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
            Target::Start | Target::Root { .. } | Target::Row { .. } => None,
        };
        let below = below.unwrap_or_default();
        let paths = rows.map(|row| row.path.clone()).filter(|path| path.starts_with(&below));
        paths.max_by_key(Vec::len).unwrap_or_default()
    }
}

/// Of what a request with these slots has too much, at the least.
pub(crate) fn excess_of(
    writer: &RequestWriter,
    limits: &QueryLimits,
    targets: &[Target],
    kept: Option<&Kept>,
) -> Option<Amount> {
    let amounts = amounts(writer, limits, targets, kept);
    amounts.into_iter().find(Amount::is_over)
}

/// What a request with these slots has of each limit, at the least.
pub(crate) fn amounts(
    writer: &RequestWriter,
    limits: &QueryLimits,
    targets: &[Target],
    kept: Option<&Kept>,
) -> Vec<Amount> {
    if *limits == QueryLimits::default() {
        return Vec::new();
    }
    let connections = writer.routes.len();
    // Sizes that differ have variables of their own; a size of one makes the least of a complexity.
    let differing: Vec<u32> = (2..).take(connections).collect();
    let differing = measured(limits, &stand_in(writer, targets, &differing, kept)).into_iter();
    let least = measured(limits, &stand_in(writer, targets, &vec![1; connections], kept));
    let amounts = differing.zip(least).map(|(differing, least)| match differing.kind {
        LimitKind::Complexity => least,
        _ => differing,
    });
    amounts.collect()
}

/// A request with stand-ins for what only answers tell; no two of them are the same.
fn stand_in(writer: &RequestWriter, targets: &[Target], inline_sizes: &[u32], kept: Option<&Kept>) -> RequestText {
    let member = json!("member");
    let position = json!("position");
    let address: Vec<Option<JsonValue>> = (0..ADDRESS_VALUES).map(|value| Some(json!(value))).collect();
    let ask = |target: &Target| {
        let (connection, root, is_first) = match *target {
            Target::Start => (None, None, true),
            Target::Root { root } => (None, Some(root), true),
            Target::Page { connection, is_first } => (Some(connection), None, is_first),
            Target::Row { .. } => (None, None, true),
        };
        Ask {
            connection,
            root,
            member: Some(&member),
            size: 1,
            position: (!is_first).then_some(&position),
            parent: Some("parent"),
            address: &address,
        }
    };
    let asks: Vec<Ask<'_>> = targets.iter().map(ask).collect();
    writer.write_slots(targets, &asks, inline_sizes, kept)
}

/// A request for first pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FirstRequest {
    /// The group of columns that it asks for, of as few as the limits allow.
    pub(crate) group: usize,
    /// The fields of the query root that it asks for; `None` stands for everything.
    pub(crate) roots: Vec<Option<usize>>,
}

/// The requests for the first pages of everything, or of one value of the variable that the query is run for: as many
/// fields of the query root share one as the limits allow.
pub(crate) fn first_requests(writer: &RequestWriter, limits: &QueryLimits, pieces: &Pieces) -> Vec<FirstRequest> {
    let roots: Vec<Option<usize>> = match writer.roots.len() {
        0 => vec![None],
        roots => (0..roots).map(Some).collect(),
    };
    let target = |root: &Option<usize>| Target::of(None, *root, true);
    let mut requests: Vec<FirstRequest> = Vec::new();
    for group in 0..pieces.count(0) {
        let piece = Piece::Group { fineness: 0, group };
        let kept = pieces.kept(piece);
        let mut open: Vec<Option<usize>> = Vec::new();
        for root in roots.iter().filter(|root| pieces.of(target(root), 0).contains(&piece)) {
            let targets: Vec<Target> = open.iter().chain([root]).map(target).collect();
            if !open.is_empty() && excess_of(writer, limits, &targets, kept.as_ref()).is_some() {
                let roots = std::mem::take(&mut open);
                requests.push(FirstRequest { group, roots });
            }
            open.push(*root);
        }
        // Some groups have nothing but columns of what is asked for by the rows that hold it.
        if !open.is_empty() {
            requests.push(FirstRequest { group, roots: open });
        }
    }
    requests
}

/// The most that fit, where what fits does so with less.
fn most(all: usize, fits: impl Fn(usize) -> bool) -> usize {
    let (mut good, mut bad) = (0, all + 1);
    while bad - good > 1 {
        let middle = good + (bad - good) / 2;
        match fits(middle) {
            true => good = middle,
            false => bad = middle,
        }
    }
    good
}
