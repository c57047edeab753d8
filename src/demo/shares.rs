//! How the entities of a type are shared out among their parents: as neighbours, and unevenly.

use std::ops::Range;

use serde::Deserialize;

use crate::demo::entropy::Entropy;

/// The least weight of a parent that is not empty, so that weights never add up to nothing.
const LEAST_WEIGHT: f64 = 0.001;

/// Whose children the entities of a type are, as `data.toml` says it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Within {
    #[serde(rename = "type")]
    pub(crate) ty: String,
    /// The share of parents that have no children.
    empty: f64,
    /// The share of all children that one of the parents has.
    heaviest: f64,
}

/// Which children belong to which parent: those of parent `p` have the indices from `starts[p]` to `starts[p + 1]`.
#[derive(Debug)]
pub(crate) struct Shares {
    starts: Vec<u64>,
}

impl Shares {
    /// Shares `count` children out among `parents`: some get none, one the heaviest share, and the others by cubed
    /// draws, so that a few have many and many have few.
    pub(crate) fn draw(count: u64, parents: u64, within: &Within, mut entropy: Entropy) -> Self {
        let mut weights: Vec<f64> = (0..parents)
            .map(|_| {
                if entropy.happens(within.empty) {
                    0.0
                } else {
                    entropy.unit().powi(3) + LEAST_WEIGHT
                }
            })
            .collect();
        let sum: f64 = weights.iter().sum();
        let heaviest = usize::try_from(entropy.below(parents)).unwrap_or(0);
        if let Some(weight) = weights.get_mut(heaviest) {
            let others = (sum - *weight).max(LEAST_WEIGHT);
            *weight = others * within.heaviest / (1.0 - within.heaviest).max(LEAST_WEIGHT) + LEAST_WEIGHT;
        }
        let total: f64 = weights.iter().sum();
        let mut weight_before = 0.0;
        let ends = weights.iter().map(|weight| {
            weight_before += weight;
            (count as f64 * weight_before / total).round() as u64
        });
        let mut starts: Vec<u64> = std::iter::once(0).chain(ends).collect();
        if let Some(end) = starts.last_mut() {
            *end = count;
        }
        Self { starts }
    }

    /// The children of some neighbouring parents.
    pub(crate) fn children(&self, parents: Range<u64>) -> Range<u64> {
        self.start(parents.start)..self.start(parents.end)
    }

    /// The parent of a child.
    pub(crate) fn parent(&self, child: u64) -> u64 {
        (self.starts.partition_point(|start| *start <= child) as u64).saturating_sub(1)
    }

    fn start(&self, parent: u64) -> u64 {
        let position = usize::try_from(parent).unwrap_or(usize::MAX);
        self.starts.get(position).or(self.starts.last()).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(count: u64, parents: u64, empty: f64, heaviest: f64) -> (Shares, Vec<u64>) {
        let within = Within {
            ty: "Parent".to_owned(),
            empty,
            heaviest,
        };
        let shares = Shares::draw(count, parents, &within, Entropy::of_seed(11));
        let sizes = (0..parents)
            .map(|parent| shares.children(parent..parent + 1))
            .map(|range| range.end - range.start);
        let sizes = sizes.collect();
        (shares, sizes)
    }

    #[test]
    fn children_are_shared_out_unevenly_and_completely() {
        let (_, sizes) = sizes(120_000, 1500, 0.2, 0.04);
        assert_eq!(sizes.iter().sum::<u64>(), 120_000);
        let heaviest = *sizes.iter().max().unwrap();
        assert!((4_700..4_900).contains(&heaviest), "{heaviest}");
        let empty = sizes.iter().filter(|size| **size == 0).count();
        assert!((200..500).contains(&empty), "{empty} of 1,500");
    }

    #[test]
    fn every_child_is_among_its_parents_children() {
        let (shares, _) = sizes(700, 50, 0.5, 0.3);
        for child in 0..700 {
            let parent = shares.parent(child);
            assert!(shares.children(parent..parent + 1).contains(&child), "{child}");
        }
    }

    #[test]
    fn all_children_go_to_an_only_parent_even_if_it_was_to_be_empty() {
        assert_eq!(sizes(10, 1, 1.0, 0.0).1, [10]);
    }
}
