//! Pieces that are too much by themselves: what they are cut into, and what is lost with one that cannot be had.

use std::collections::BTreeSet;

use crate::plan::outline::Part;
use crate::plan::pieces::{Kept, Piece, Pieces};
use crate::plan::request::Target;
use crate::plan::row_plan::joined;

/// What is lost with a piece that cannot be had: the values that are in no other one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// The connections whose rows are not whole without them.
    pub connections: Vec<usize>,
    /// Their tables.
    pub tables: BTreeSet<usize>,
    /// The places of the values, with dots.
    pub values: Vec<String>,
}

impl Pieces {
    /// Whether a piece holds something of a target.
    pub(crate) fn does_concern(&self, piece: Piece, target: Target) -> bool {
        match piece {
            Piece::Group { fineness, group } => {
                let is_first = group == 0 && !matches!(target, Target::Row { .. });
                is_first || self.fields_concern(self.group(fineness, group), target)
            }
            Piece::KeysOnly | Piece::KeysTo { .. } => true,
            Piece::FirstValues { fineness } => self.fields_concern(self.group(fineness, 0), target),
        }
    }

    /// The pieces that a piece is cut into, as few as there can be, of those that hold something of a target; none where
    /// it is not cut any finer.
    pub(crate) fn finer(&self, piece: Piece, target: Target) -> Vec<Piece> {
        let Piece::Group { fineness, group } = piece else {
            return Vec::new();
        };
        let fields = self.group(fineness, group);
        let all = self.group_range(fineness, group);
        let cut = |fineness: usize| -> Vec<Piece> {
            let within = |group: &usize| {
                let range = self.group_range(fineness, *group);
                all.start <= range.start && range.end <= all.end
            };
            let groups = (0..self.count(fineness)).filter(within);
            let pieces = groups.map(|group| Piece::Group { fineness, group });
            pieces.filter(|piece| self.does_concern(*piece, target)).collect()
        };
        let mut finer = (fineness + 1..=self.finest()).filter(|_| fields.len() > 1).map(cut);
        let finer = finer.find(|pieces| pieces.len() > 1);
        finer
            .or_else(|| self.without_signals(piece, target))
            .unwrap_or_default()
    }

    /// The keys of the first piece and its values apart; rows without a key are not parted so.
    fn without_signals(&self, piece: Piece, target: Target) -> Option<Vec<Piece>> {
        let Piece::Group { fineness, group: 0 } = piece else {
            return None;
        };
        let mut unkeyed = self.nodes_of(|part| part == Part::Unkeyed);
        let values = Piece::FirstValues { fineness };
        let is_parted = self.does_concern(values, target) && !unkeyed.any(|node| self.comes_with(node, target));
        is_parted.then(|| vec![Piece::KeysOnly, values])
    }

    /// The plain fields of a group, by their places among those of all groups in their order.
    fn group_range(&self, fineness: usize, group: usize) -> std::ops::Range<usize> {
        let before: usize = (0..group).map(|group| self.group(fineness, group).len()).sum();
        before..before + self.group(fineness, group).len()
    }

    /// The tables of whose rows a piece holds something.
    pub(crate) fn tables_in(&self, piece: Piece) -> BTreeSet<usize> {
        let Some(kept) = self.kept(piece) else {
            return (0..self.rows.len()).collect();
        };
        self.written(&kept)
            .filter_map(|node| self.outline.nodes[node].row)
            .collect()
    }

    /// What is lost to a target without a piece, where its keys can be had; `None` where nothing is, or where that
    /// concerns rows that are not those of a connection.
    pub(crate) fn loss(&self, piece: Piece, target: Target) -> Option<Loss> {
        let lost = self.values_in(piece, target);
        let mut rows = BTreeSet::new();
        for node in &lost {
            rows.extend(self.holders(*node, target)?);
        }
        let connection_of = |row: &usize| self.connections.iter().position(|other| other == row);
        (!rows.is_empty()).then(|| Loss {
            connections: rows.iter().filter_map(connection_of).collect(),
            tables: rows,
            values: self.places(&lost),
        })
    }

    /// The places of the values that a target has in no piece but this one, with dots.
    pub(crate) fn values_of(&self, piece: Piece, target: Target) -> Vec<String> {
        self.places(&self.values_in(piece, target))
    }

    fn places(&self, nodes: &[usize]) -> Vec<String> {
        let place = |node: &usize| joined(&self.outline.nodes[*node].path, ".");
        nodes.iter().map(place).collect()
    }

    fn values_in(&self, piece: Piece, target: Target) -> Vec<usize> {
        let keys = self.keep_keys();
        let all = || (0..self.outline.nodes.len()).collect();
        let written: Vec<usize> = self.kept(piece).map_or_else(all, |kept| self.written(&kept).collect());
        let is_written = |node: &usize| written.contains(node);
        // Other groups have it, too, where one has but some of the fields of its items.
        let is_shared = |node: &usize| {
            let mut atoms = self.outline.atoms.iter();
            let is_cut = |atom: &Vec<usize>| atom.contains(node) && !atom.iter().all(is_written);
            self.outline.tells_items(*node) && atoms.any(is_cut)
        };
        let is_lost = |node: &usize| {
            let is_leaf = !self.outline.nodes.iter().any(|other| other.above == Some(*node));
            is_leaf
                && self.outline.nodes[*node].part != Part::ItemKey
                && !is_shared(node)
                && !keys.0[*node]
                && self.comes_with(*node, target)
        };
        written.iter().copied().filter(is_lost).collect()
    }

    /// The innermost row fields with pages in whose rows a field stands, or which have it as a column though it stands
    /// above them; `None` where there are none.
    fn holders(&self, node: usize, target: Target) -> Option<Vec<usize>> {
        let Some(row) = self.outline.nodes[node].row else {
            let outermost = (0..self.rows.len()).filter(|row| self.parents[*row].is_none());
            let outermost: Vec<usize> = outermost.filter(|row| self.is_row_of(*row, target)).collect();
            let are_paged = outermost.iter().all(|row| self.connections.contains(row));
            return are_paged.then_some(outermost);
        };
        let mut rows = std::iter::successors(Some(row), |row| self.parents[*row]);
        rows.find(|row| self.connections.contains(row)).map(|row| vec![row])
    }

    /// Whether the rows of a row field come with a target.
    fn is_row_of(&self, row: usize, target: Target) -> bool {
        match target {
            Target::Page { connection, .. } => self.connections.get(connection) == Some(&row),
            Target::Start | Target::Root { .. } | Target::Row { .. } => self.comes_with_others(row, target),
        }
    }

    fn written(&self, kept: &Kept) -> impl Iterator<Item = usize> {
        let nodes = kept.0.iter().enumerate();
        nodes
            .filter(|(_, is_kept)| **is_kept)
            .map(|(node, _)| node)
            .collect::<Vec<_>>()
            .into_iter()
    }
}
