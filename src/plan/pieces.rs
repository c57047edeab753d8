//! The selection of a query in pieces, each of which is asked for at the same position, to be joined on the rows' keys.
//!
//! The first piece holds every row at every level, and all that the paging needs; each other one holds the keys of the
//! rows on the way to its values, and those values.

mod finer;

pub use finer::Loss;

use std::collections::{BTreeMap, BTreeSet};

use apollo_compiler::schema::Name;

use crate::plan::cuts::Cuts;
use crate::plan::outline::{Outline, Part};
use crate::plan::request::Target;
use crate::plan::row_plan::joined;
use crate::plan::survey::Survey;

/// A piece of the selection of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Piece {
    /// One of the column groups of a fineness, counted from 0.
    Group {
        /// How finely the selection is cut: 0 for as few groups as the limits allow.
        fineness: usize,
        /// Its index among them.
        group: usize,
    },
    /// Nothing but what the rows are known by and how the paging goes on.
    KeysOnly,
    /// The same, of the rows of a row field and of those that they stand in alone.
    KeysTo {
        /// The row field, and the table.
        row: usize,
    },
    /// The values of the first group of a fineness, without how the paging goes on.
    FirstValues {
        /// How finely the selection is cut.
        fineness: usize,
    },
}

impl Piece {
    /// The first of as few groups as the limits allow: everything, where that is one.
    pub const FIRST: Self = Self::Group { fineness: 0, group: 0 };
}

/// The fields of the outline that are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kept(Vec<bool>);

impl Kept {
    /// Whether a selection is written that goes with these fields.
    pub(crate) fn holds(&self, kept_with: &[usize]) -> bool {
        kept_with.iter().any(|node| self.0[*node])
    }
}

/// How a selection can be cut.
#[derive(Debug, Clone)]
pub(crate) struct Pieces {
    outline: Outline,
    /// The rows in which the rows of each row field stand.
    parents: Vec<Option<usize>>,
    /// The response path of each row field.
    rows: Vec<Vec<Name>>,
    /// The row field of each connection.
    connections: Vec<usize>,
    /// The fields of the query root that can be asked for by themselves.
    roots: Vec<String>,
    /// The row fields that do not come with the rows that they stand in.
    detached: BTreeSet<usize>,
    /// The fields that do not come with their rows, and the row field of each.
    apart: Vec<(Vec<Name>, usize)>,
    /// The atoms of each of the fewest groups.
    groups: Vec<Vec<usize>>,
    /// By fineness, the plain fields of each group.
    levels: Vec<Vec<Vec<usize>>>,
}

impl Pieces {
    /// The selection as one piece.
    pub(crate) fn whole(outline: Outline, survey: &Survey, roots: Vec<String>, cuts: &Cuts) -> Self {
        let rows = survey.rows.iter();
        let connections = rows.clone().enumerate().filter(|(_, row)| row.paged().is_some());
        let all = (0..outline.atoms.len()).collect();
        Self {
            parents: rows.clone().map(|row| row.parent).collect(),
            connections: connections.map(|(index, _)| index).collect(),
            rows: rows.map(|row| row.path.clone()).collect(),
            roots,
            detached: cuts.detached.keys().copied().collect(),
            apart: cuts
                .apart
                .iter()
                .map(|(path, field)| (path.clone(), field.row))
                .collect(),
            groups: Vec::new(),
            levels: Vec::new(),
            outline,
        }
        .cut(vec![all])
    }

    /// The same, cut into these groups of atoms.
    pub(crate) fn cut(self, groups: Vec<Vec<usize>>) -> Self {
        let levels = levels(&self.outline, &groups);
        Self { groups, levels, ..self }
    }

    pub(crate) fn outline(&self) -> &Outline {
        &self.outline
    }

    /// The atoms by what they share requests with, each in the order of the query: what comes with all fields of the query
    /// root, with one of them, with no other rows, or with none at all.
    pub(crate) fn regions(&self) -> Vec<Vec<usize>> {
        let mut regions: BTreeMap<_, Vec<usize>> = BTreeMap::new();
        for (atom, nodes) in self.outline.atoms.iter().enumerate() {
            let path = nodes.first().map_or(&[][..], |node| &self.outline.nodes[*node].path);
            let first = path.first().map(Name::as_str);
            let root = self.roots.iter().position(|root| Some(root.as_str()) == first);
            let detached = self.detached.iter().filter(|row| path.starts_with(&self.rows[**row]));
            let detached = detached.max_by_key(|row| self.rows[**row].len()).copied();
            regions
                .entry((root, detached, self.apart(path)))
                .or_default()
                .push(atom);
        }
        regions.into_values().collect()
    }

    /// The row field by whose rows what has that response path is asked for, where it does not come with them.
    fn apart(&self, path: &[Name]) -> Option<usize> {
        let around = self.apart.iter().find(|(field, _)| path.starts_with(field));
        around.map(|(_, row)| *row)
    }

    /// Whether rows are known by the field at a place.
    pub(crate) fn is_key(&self, place: &str) -> bool {
        let mut keys = self.nodes_of(|part| part == Part::Key);
        keys.any(|key| joined(&self.outline.nodes[key].path, ".") == place)
    }

    /// Whether rows of a row field come with a target.
    pub(crate) fn holds_rows_of(&self, row: usize, target: Target) -> bool {
        let node = self.outline.at(&self.rows[row]);
        !matches!(target, Target::Row { .. }) && node.is_some_and(|node| self.comes_with(node, target))
    }

    /// The row fields whose rows come with a target, each behind those that it stands in, and its place with dots.
    pub(crate) fn rows_with(&self, target: Target) -> Vec<(usize, String)> {
        let rows = (0..self.rows.len()).filter(|row| self.holds_rows_of(*row, target));
        rows.map(|row| (row, joined(&self.rows[row], "."))).collect()
    }

    /// How many groups there are at a fineness.
    pub(crate) fn count(&self, fineness: usize) -> usize {
        self.level(fineness).len()
    }

    /// The places of the values of each of the fewest groups, with dots.
    pub(crate) fn values(&self) -> Vec<Vec<String>> {
        let place = |node: &usize| joined(&self.outline.nodes[*node].path, ".");
        let groups = self
            .groups
            .iter()
            .map(|atoms| self.nodes_in(atoms).map(|node| place(&node)).collect());
        groups.collect()
    }

    /// The fineness from which on no group can be cut any more.
    pub(crate) fn finest(&self) -> usize {
        self.levels.len() - 1
    }

    fn level(&self, fineness: usize) -> &[Vec<usize>] {
        &self.levels[fineness.min(self.finest())]
    }

    /// The plain fields of a group; none where there is no such group.
    fn group(&self, fineness: usize, group: usize) -> &[usize] {
        self.level(fineness).get(group).map_or(&[], Vec::as_slice)
    }

    /// The plain fields of some atoms.
    fn nodes_in(&self, atoms: &[usize]) -> impl Iterator<Item = usize> {
        atoms.iter().flat_map(|atom| self.outline.atoms[*atom].iter().copied())
    }

    /// What is written of a piece; `None` for everything.
    pub(crate) fn kept(&self, piece: Piece) -> Option<Kept> {
        match piece {
            Piece::Group { fineness, .. } if self.count(fineness) == 1 => None,
            Piece::Group { fineness, group } => Some(self.keep_fields(self.group(fineness, group), group == 0)),
            Piece::KeysOnly => Some(self.keep_keys()),
            Piece::KeysTo { row } => Some(self.keep_keys_to(row)),
            Piece::FirstValues { fineness } => Some(self.keep_fields(self.group(fineness, 0), false)),
        }
    }

    /// The pieces that hold something of a target.
    pub(crate) fn of(&self, target: Target, fineness: usize) -> Vec<Piece> {
        let groups = (0..self.count(fineness)).map(|group| Piece::Group { fineness, group });
        groups.filter(|piece| self.does_concern(*piece, target)).collect()
    }

    /// Whether some of these atoms come with a target.
    pub(crate) fn concern(&self, atoms: &[usize], target: Target) -> bool {
        self.nodes_in(atoms).any(|node| self.comes_with(node, target))
    }

    /// Whether some of these plain fields come with a target.
    fn fields_concern(&self, fields: &[usize], target: Target) -> bool {
        fields.iter().any(|node| self.comes_with(*node, target))
    }

    /// Whether some of an atom stands in what has that response path.
    pub(crate) fn is_atom_in(&self, atom: usize, path: &[Name]) -> bool {
        let mut nodes = self.outline.atoms[atom].iter();
        nodes.any(|node| self.outline.nodes[*node].path.starts_with(path))
    }

    /// Whether a row field is asked for with a target that is another one's.
    pub(crate) fn comes_with_others(&self, row: usize, target: Target) -> bool {
        let is_own =
            matches!(target, Target::Page { connection, .. } if self.connections.get(connection) == Some(&row));
        let node = self.outline.at(&self.rows[row]);
        !is_own && !self.detached.contains(&row) && node.is_some_and(|node| self.comes_with(node, target))
    }

    fn comes_with(&self, node: usize, target: Target) -> bool {
        let node = &self.outline.nodes[node];
        let is_beside = |way: &[Name]| {
            let shared = node
                .path
                .iter()
                .zip(way)
                .take_while(|(one, other)| one == other)
                .count();
            let branch = &node.path[..(shared + 1).min(node.path.len())];
            node.row.is_none() && !self.rows.iter().any(|row| row.starts_with(branch))
        };
        // What is detached below the way of a target does not come with it.
        let is_apart = |way: &[Name]| {
            let mut detached = self.detached.iter().map(|row| &self.rows[*row]);
            detached.any(|path| path.len() > way.len() && node.path.starts_with(path))
        };
        match (target, self.apart(&node.path)) {
            (Target::Row { row }, apart) => return apart == Some(row),
            (_, Some(_)) => return false,
            (_, None) => {}
        }
        match target {
            Target::Start => !is_apart(&[]),
            Target::Root { .. } if is_apart(&[]) => false,
            Target::Row { .. } => false,
            Target::Root { root } => {
                let root = self.roots.get(root).map(String::as_str);
                node.path.first().map(Name::as_str) == root || is_beside(&[])
            }
            Target::Page { connection, .. } => self.connections.get(connection).is_some_and(|row| {
                let way = &self.rows[*row];
                node.path.starts_with(way) && !is_apart(way) || (self.parents[*row].is_none() && is_beside(way))
            }),
        }
    }

    /// The fields that are written of these atoms; with the first go all those that place rows and tell how to read on.
    pub(crate) fn keep(&self, atoms: &[usize], is_first: bool) -> Kept {
        self.keep_fields(&self.nodes_in(atoms).collect::<Vec<usize>>(), is_first)
    }

    fn keep_fields(&self, fields: &[usize], is_first: bool) -> Kept {
        let is_of_first = |part| matches!(part, Part::Key | Part::Signal | Part::Unkeyed);
        let of_base = self.nodes_of(is_of_first).filter(|_| is_first);
        self.with_keys(fields.iter().copied().chain(of_base))
    }

    /// The fields that place rows and tell how to read on, alone: of rows without a key, the first value of each.
    fn keep_keys(&self) -> Kept {
        let keys = self.nodes_of(|part| matches!(part, Part::Key | Part::Signal));
        let has_key = |row| {
            self.nodes_of(|part| part == Part::Key)
                .any(|node| self.outline.nodes[node].row == Some(row))
        };
        let first_of = |row| {
            let mut values = self.nodes_of(|part| part == Part::Unkeyed);
            values.find(|node| self.outline.nodes[*node].row == Some(row))
        };
        let unkeyed = (0..self.rows.len()).filter(|row| !has_key(*row));
        self.with_keys(keys.chain(unkeyed.filter_map(first_of)))
    }

    /// The same without what stands in rows that are not on the way to those of a row field.
    fn keep_keys_to(&self, row: usize) -> Kept {
        let way: Vec<usize> = std::iter::successors(Some(row), |row| self.parents[*row]).collect();
        let others = (0..self.rows.len()).filter(|row| !way.contains(row));
        let others: Vec<usize> = others.collect();
        let mut kept = self.keep_keys();
        for (kept, node) in kept.0.iter_mut().zip(&self.outline.nodes) {
            *kept &= !others.iter().any(|row| node.path.starts_with(&self.rows[*row]));
        }
        kept
    }

    /// The fields by which the rows of a row field are known, or a first value of theirs.
    pub(crate) fn keep_way_to(&self, row: usize) -> Kept {
        let in_items = |part| self.nodes_of(move |other| other == part);
        let parts = [Part::Key, Part::Unkeyed, Part::Value];
        let mut fields = parts.into_iter().flat_map(in_items);
        self.with_keys(
            fields
                .find(|node| self.outline.nodes[*node].row == Some(row))
                .into_iter(),
        )
    }

    fn nodes_of(&self, is_meant: impl Fn(Part) -> bool) -> impl Iterator<Item = usize> {
        let nodes = self.outline.nodes.iter().enumerate();
        nodes
            .filter(move |(_, node)| is_meant(node.part))
            .map(|(index, _)| index)
    }

    /// These fields, the keys of the rows on the way to them, and what tells the types of objects and the items of lists.
    fn with_keys(&self, fields: impl Iterator<Item = usize>) -> Kept {
        let nodes = &self.outline.nodes;
        let mut kept = Kept(vec![false; nodes.len()]);
        let mut is_on_the_way = vec![false; self.rows.len()];
        for field in fields {
            self.keep_way(field, &mut kept);
            let mut row = nodes[field].row;
            while let Some(above) = row {
                is_on_the_way[above] = true;
                row = self.parents[above];
            }
        }
        for key in self.nodes_of(|part| part == Part::Key) {
            if nodes[key].row.is_some_and(|row| is_on_the_way[row]) {
                self.keep_way(key, &mut kept);
            }
        }
        for teller in self.nodes_of(|part| matches!(part, Part::TypeName | Part::ItemKey)) {
            kept.0[teller] = nodes[teller].above.is_some_and(|above| kept.0[above]);
        }
        for (teller, node) in nodes
            .iter()
            .enumerate()
            .filter(|(node, _)| self.outline.tells_items(*node))
        {
            kept.0[teller] |= node.above.is_some_and(|above| kept.0[above]);
        }
        kept
    }

    fn keep_way(&self, field: usize, kept: &mut Kept) {
        let mut next = Some(field);
        while let Some(node) = next {
            kept.0[node] = true;
            next = self.outline.nodes[node].above;
        }
    }
}

/// The plain fields of the groups of each fineness: first the atoms are parted, and then, where each is alone, the fields in
/// the items of plain lists.
fn levels(outline: &Outline, groups: &[Vec<usize>]) -> Vec<Vec<Vec<usize>>> {
    let fields = |atom: &usize| -> Vec<usize> {
        let nodes = outline.atoms[*atom].iter().copied();
        // What tells the items comes with each of their fields.
        nodes.filter(|node| !outline.tells_items(*node)).collect()
    };
    let of_atoms = halvings(groups.iter().map(Vec::len));
    let of_lists = halvings(
        (0..outline.atoms.len())
            .filter(|atom| outline.list_of(*atom).is_some())
            .map(|atom| fields(&atom).len()),
    );
    let level = |(atoms, lists): (usize, usize)| {
        let chunks = groups.iter().flat_map(|group| parts(group, atoms));
        let cut = chunks.flat_map(|chunk| match chunk {
            [atom] if outline.list_of(*atom).is_some() => parts(&fields(atom), lists).map(<[usize]>::to_vec).collect(),
            chunk => vec![chunk.iter().flat_map(fields).collect::<Vec<usize>>()],
        });
        cut.collect::<Vec<_>>()
    };
    let coarse = (0..=of_atoms).map(|fineness| (fineness, 0));
    let fine = (1..=of_lists).map(|fineness| (of_atoms, fineness));
    coarse.chain(fine).map(level).collect()
}

/// How often the largest of some numbers of things has to be halved until each is alone.
fn halvings(lengths: impl Iterator<Item = usize>) -> usize {
    lengths.max().unwrap_or(0).max(1).next_power_of_two().ilog2() as usize
}

/// The parts of some things that are halved so often.
fn parts(all: &[usize], halvings: usize) -> impl Iterator<Item = &[usize]> {
    let most = u32::try_from(halvings)
        .ok()
        .and_then(|halvings| 1_usize.checked_shl(halvings));
    let parts = most.unwrap_or(usize::MAX).min(all.len()).max(1);
    let at = move |part: usize| all.len() * part / parts;
    (0..parts).map(move |part| &all[at(part)..at(part + 1)])
}
