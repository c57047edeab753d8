//! Sizes that are halved until a text with them is light enough, for APIs that weigh a text by the sizes that stand in it.

use crate::plan::Plan;
use crate::run::pack::is_capped;

/// The sizes of first pages, by connection, that may become smaller.
pub(crate) fn shrinkable<'sizes>(plan: &Plan, sizes: &'sizes mut [u32]) -> impl Iterator<Item = &'sizes mut u32> {
    let sizes = plan.connections.iter().zip(sizes);
    sizes
        .filter(|(connection, _)| !is_capped(connection))
        .map(|(_, size)| size)
}

/// Halves the largest of some sizes; false where all are one.
pub(crate) fn halve_largest<'sizes>(sizes: impl Iterator<Item = &'sizes mut u32>) -> bool {
    match sizes.max_by_key(|size| **size) {
        Some(size) if *size > 1 => *size = size.div_ceil(2),
        _ => return false,
    }
    true
}
