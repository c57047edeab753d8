//! A set of rows of which only so much is in memory that most new rows are told for certain.

use crate::state::RowKey;

/// A block is as large as a line of the processor's cache, so that a row costs one access to memory. It sets one bit in
/// each word.
const BLOCK_WORDS: usize = 8;
/// Rows to a block, at 32 bits each: one of some 50,000 new rows is taken for an old one.
const BLOCK_ROWS: usize = 16;
/// Blocks of each layer: 32 KiB for the first 8,000 rows, and 16 MiB for all others, at once, so that what an export takes
/// does not grow with its rows. When there are 8 million, one of some 1,000 new rows is taken for an old one.
const LAYERS: [usize; 2] = [1 << 9, 1 << 18];

/// Blocked Bloom filters, the second begun when the first is full. They may take a new row for one that came, never the
/// other way round. One half of a row's key, which is a hash already, tells its block, the other its bits there.
///
/// F. Putze, P. Sanders, J. Singler, "Cache-, hash- and space-efficient Bloom filters" (2007); in layers after
/// P. Almeida et al., "Scalable Bloom filters" (2007).
#[derive(Default)]
pub(super) struct Filter {
    layers: Vec<Layer>,
}

type Block = [u64; BLOCK_WORDS];

struct Layer {
    blocks: Vec<Block>,
    rows: usize,
}

impl Filter {
    /// Adds a row of a connection.
    pub(super) fn note(&mut self, instance: u64, key: &RowKey) {
        let is_full = |layer: &Layer| layer.rows >= layer.blocks.len() * BLOCK_ROWS;
        if self.layers.last().is_none_or(is_full) {
            let blocks = LAYERS.get(self.layers.len()).copied();
            self.layers.extend(blocks.map(Layer::empty));
        }
        if let Some(layer) = self.layers.last_mut() {
            layer.note(&Bits::of(instance, key));
        }
    }

    /// Whether that row may have been added.
    pub(super) fn may_hold(&self, instance: u64, key: &RowKey) -> bool {
        let bits = Bits::of(instance, key);
        self.layers.iter().any(|layer| layer.may_hold(&bits))
    }
}

impl Layer {
    fn empty(blocks: usize) -> Self {
        Self {
            blocks: vec![[0; BLOCK_WORDS]; blocks],
            rows: 0,
        }
    }

    fn note(&mut self, bits: &Bits) {
        let index = bits.place % self.blocks.len();
        for (word, bits) in self.blocks[index].iter_mut().zip(bits.block) {
            *word |= bits;
        }
        self.rows += 1;
    }

    fn may_hold(&self, bits: &Bits) -> bool {
        let block = &self.blocks[bits.place % self.blocks.len()];
        block.iter().zip(bits.block).all(|(word, bits)| word & bits == bits)
    }
}

/// What is set for a row.
struct Bits {
    /// Which block it is, modulo how many there are.
    place: usize,
    /// The bits in the block.
    block: Block,
}

impl Bits {
    fn of(instance: u64, key: &RowKey) -> Self {
        let number = u128::from_le_bytes(*key);
        let [first, second] = [number as u64, (number >> 64) as u64];
        let block = std::array::from_fn(|word| 1 << ((second >> (6 * word)) % 64));
        Self {
            // Any odd number spreads the instances; this one is 2^64 over the golden ratio.
            place: (first ^ instance.wrapping_mul(0x9e37_79b9_7f4a_7c15)) as usize,
            block,
        }
    }
}

#[cfg(test)]
mod tests {
    use sha2::{Digest as _, Sha256};

    use super::*;

    fn key(number: u32) -> RowKey {
        let mut key = RowKey::default();
        key.copy_from_slice(&Sha256::digest(number.to_le_bytes())[..16]);
        key
    }

    #[test]
    fn what_was_added_is_held_in_whatever_layer_and_little_else() {
        let mut filter = Filter::default();
        assert!(!filter.may_hold(1, &key(0)), "nothing is there yet");
        (0..200_000).for_each(|number| filter.note(1, &key(number)));
        assert_eq!(filter.layers.len(), 2, "8,192 rows, and the rest");
        assert!((0..200_000).all(|number| filter.may_hold(1, &key(number))));
        let taken = |instance| {
            let new = (200_000..300_000).filter(|number| filter.may_hold(instance, &key(*number)));
            new.count()
        };
        assert!(taken(1) < 20, "one of some 50,000: {}", taken(1));
        let of_another = (0..100_000).filter(|number| filter.may_hold(2, &key(*number))).count();
        assert!(of_another < 20, "rows of another connection are others: {of_another}");
    }
}
