//! How the entities of a type are shared out among their parents: as neighbours, and unevenly.

use std::collections::BTreeMap;
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
    /// What is left when some have none, one the most and others what `outliers` says.
    #[serde(default)]
    shape: Shape,
    /// Numbers of children that some parents have exactly, at the scale 1.
    #[serde(default)]
    outliers: Vec<u64>,
}

/// How the parents share what no other rule gives.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Shape {
    /// By cubed draws: a few have many, and many have few.
    #[default]
    Cubed,
    /// All have about as many.
    Even,
}

impl Within {
    /// The same for `scale` times as many children.
    pub(crate) fn scaled(mut self, scale: f64) -> Self {
        for outlier in &mut self.outliers {
            *outlier = (*outlier as f64 * scale).round() as u64;
        }
        self
    }
}

/// Which children belong to which parent: those of parent `p` have the indices from `starts[p]` to `starts[p + 1]`.
#[derive(Debug)]
pub(crate) struct Shares {
    starts: Vec<u64>,
}

impl Shares {
    /// Shares `count` children out among `parents`: some get none, one the heaviest share, some exactly what they are
    /// to have, and the others by draws of the given shape.
    pub(crate) fn draw(count: u64, parents: u64, within: &Within, mut entropy: Entropy) -> Self {
        let mut weights: Vec<f64> = (0..parents)
            .map(|_| {
                if entropy.happens(within.empty) {
                    0.0
                } else {
                    within.shape.weight(entropy.unit())
                }
            })
            .collect();
        let heaviest = usize::try_from(entropy.below(parents)).unwrap_or(0);
        let mut outliers = BTreeMap::new();
        let mut left = count;
        for outlier in &within.outliers {
            let size = left.min(*outlier);
            if let Some(parent) = other_parent(&mut entropy, parents, heaviest, &outliers) {
                outliers.insert(parent, size);
                left -= size;
            }
        }
        for parent in outliers.keys() {
            if let Some(weight) = weights.get_mut(*parent) {
                *weight = 0.0;
            }
        }
        let sum: f64 = weights.iter().sum();
        // Someone must have the rows, even where all were to be empty.
        let has_heaviest = within.heaviest > 0.0 || sum == 0.0;
        if let Some(weight) = weights.get_mut(heaviest).filter(|_| has_heaviest) {
            let others = (sum - *weight).max(LEAST_WEIGHT);
            *weight = others * within.heaviest / (1.0 - within.heaviest).max(LEAST_WEIGHT) + LEAST_WEIGHT;
        }
        Self::of_weights(&weights, left, &outliers)
    }

    /// Shares `left` out by weight, beside what the outliers have.
    fn of_weights(weights: &[f64], left: u64, outliers: &BTreeMap<usize, u64>) -> Self {
        let total: f64 = weights.iter().sum();
        let (mut weight_before, mut outliers_before) = (0.0, 0);
        let ends = weights.iter().enumerate().map(|(parent, weight)| {
            weight_before += weight;
            outliers_before += outliers.get(&parent).copied().unwrap_or(0);
            (left as f64 * weight_before / total).round() as u64 + outliers_before
        });
        Self {
            starts: std::iter::once(0).chain(ends).collect(),
        }
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

impl Shape {
    fn weight(self, draw: f64) -> f64 {
        match self {
            Self::Cubed => draw.powi(3) + LEAST_WEIGHT,
            Self::Even => 1.0,
        }
    }
}

/// A parent that is neither the heaviest nor an outlier already.
fn other_parent(
    entropy: &mut Entropy,
    parents: u64,
    heaviest: usize,
    outliers: &BTreeMap<usize, u64>,
) -> Option<usize> {
    let begin = entropy.below(parents);
    let mut candidates = (0..parents).map(|step| usize::try_from((begin + step) % parents).unwrap_or(heaviest));
    candidates.find(|parent| *parent != heaviest && !outliers.contains_key(parent))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(count: u64, parents: u64, empty: f64, heaviest: f64) -> (Shares, Vec<u64>) {
        let within = Within {
            ty: "Parent".to_owned(),
            empty,
            heaviest,
            shape: Shape::Cubed,
            outliers: Vec::new(),
        };
        sizes_within(count, parents, &within)
    }

    fn sizes_within(count: u64, parents: u64, within: &Within) -> (Shares, Vec<u64>) {
        let shares = Shares::draw(count, parents, within, Entropy::of_seed(11));
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
    fn outliers_have_exactly_what_they_are_to_have_and_the_sum_stays() {
        let within = Within {
            ty: "Parent".to_owned(),
            empty: 0.2,
            heaviest: 0.0,
            shape: Shape::Even,
            outliers: vec![2_673, 100, 0],
        };
        let (_, sizes) = sizes_within(60_000, 1_500, &within);
        assert_eq!(sizes.iter().sum::<u64>(), 60_000);
        assert_eq!(sizes.iter().max(), Some(&2_673));
        assert!(sizes.contains(&100) && sizes.contains(&0));
        let (_, few) = sizes_within(133, 1_500, &within.clone().scaled(0.05));
        assert_eq!((few.iter().sum::<u64>(), few.iter().max()), (133, Some(&133)));
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
