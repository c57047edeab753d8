//! The rows of a list: entities of one type, or of several in turn.

use std::ops::Range;

use crate::demo::dataset::{Dataset, EntityType, Instance};

/// The rows of a list, in its order.
#[derive(Debug)]
pub(crate) struct Rows<'d> {
    dataset: &'d Dataset,
    members: Vec<(&'d EntityType, Range<u64>)>,
}

impl<'d> Rows<'d> {
    /// The rows that these ranges of entities make: one of each in turn, as long as there are any.
    pub(crate) fn new(dataset: &'d Dataset, members: Vec<(&'d EntityType, Range<u64>)>) -> Self {
        Self { dataset, members }
    }

    /// How many rows there are.
    pub(crate) fn len(&self) -> u64 {
        self.members.iter().map(|(_, range)| range.end - range.start).sum()
    }

    /// All rows.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Instance<'d>> {
        (0..self.len()).filter_map(|position| self.row(position))
    }

    /// The row at that position; `None` behind the end.
    pub(crate) fn row(&self, position: u64) -> Option<Instance<'d>> {
        // Nearly all lists are of one type, and some are long.
        if let [(ty, range)] = self.members.as_slice() {
            let index = range.start + position;
            return range.contains(&index).then(|| self.dataset.entity(ty, index));
        }
        self.row_in_turn(position)
    }

    pub(crate) fn dataset(&self) -> &'d Dataset {
        self.dataset
    }

    /// The types of the rows.
    pub(crate) fn types(&self) -> impl Iterator<Item = &'d EntityType> {
        self.members.iter().map(|(ty, _)| *ty)
    }

    /// Where an entity stands; `None` where it is none of the rows.
    pub(crate) fn position(&self, entity: Instance<'_>) -> Option<u64> {
        let is_it = |row: Instance<'_>| row.ty().name() == entity.ty().name() && row.index() == entity.index();
        if let [(_, range)] = self.members.as_slice() {
            let position = entity.index().checked_sub(range.start)?;
            return self.row(position).is_some_and(is_it).then_some(position);
        }
        (0..self.len()).find(|position| self.row(*position).is_some_and(is_it))
    }

    fn row_in_turn(&self, mut position: u64) -> Option<Instance<'d>> {
        let mut rounds_before = 0;
        loop {
            let left = |(_, range): &&(&EntityType, Range<u64>)| (range.end - range.start).checked_sub(rounds_before);
            let running: Vec<_> = self
                .members
                .iter()
                .filter(|member| left(member).is_some_and(|left| left > 0))
                .collect();
            let rounds = running.iter().filter_map(left).min()?;
            let width = running.len() as u64;
            if position < rounds * width {
                let (ty, range) = running.get(usize::try_from(position % width).ok()?)?;
                let index = range.start + rounds_before + position / width;
                return Some(self.dataset.entity(ty, index));
            }
            position -= rounds * width;
            rounds_before += rounds;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATA: &str = r#"
        seed = 3
        vocabulary = []
        example = ""
        pagings = {}
        [types.A]
        count = 9
        [types.B]
        count = 9
        [types.C]
        count = 9
    "#;

    #[test]
    fn rows_of_several_types_come_in_turn_and_each_once() {
        let dataset = Dataset::new(toml::from_str(DATA).unwrap(), 1.0).unwrap();
        let member = |name: &str, range: Range<u64>| (dataset.ty(name).unwrap(), range);
        let rows = Rows::new(&dataset, vec![member("A", 2..4), member("B", 0..0), member("C", 5..9)]);
        let found: Vec<String> = rows
            .iter()
            .map(|row| format!("{}{}", row.ty().name(), row.index()))
            .collect();
        assert_eq!(found, ["A2", "C5", "A3", "C6", "C7", "C8"]);
        assert!(rows.row(6).is_none());
    }
}
