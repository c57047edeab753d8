//! Numbers that look random and are functions of a seed and a path: the same on every machine, in every version.

/// The golden ratio's fraction in 64 bits: SplitMix64's increment.
const INCREMENT: u64 = 0x9E37_79B9_7F4A_7C15;

/// A stream of 64-bit numbers (SplitMix64), of which any number of others can be branched off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entropy(u64);

impl Entropy {
    /// The stream of a seed.
    pub(crate) fn of_seed(seed: u64) -> Self {
        Self(scramble(seed.wrapping_add(INCREMENT)))
    }

    /// The stream at `index` below this one; leaves this one as it is.
    pub(crate) fn at(self, index: u64) -> Self {
        Self(scramble(self.0 ^ scramble(index.wrapping_add(INCREMENT))))
    }

    /// The stream of that name below this one; leaves this one as it is.
    pub(crate) fn named(self, name: &str) -> Self {
        self.at(text_hash(name))
    }

    /// The next number, each of the 2^64 equally likely.
    pub(crate) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(INCREMENT);
        scramble(self.0)
    }

    /// The next number in `0.0..1.0`.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// The next number below `bound`; 0 where `bound` is 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        let product = u128::from(self.bits()) * u128::from(bound);
        u64::try_from(product >> 64).unwrap_or(0)
    }

    /// Whether something of this likelihood happens.
    pub(crate) fn happens(&mut self, chance: f64) -> bool {
        self.unit() < chance
    }

    /// Any of `items`; `None` where there is none.
    pub(crate) fn pick<'t, T>(&mut self, items: &'t [T]) -> Option<&'t T> {
        let position = self.below(items.len() as u64);
        items.get(usize::try_from(position).unwrap_or(0))
    }

    /// Any of `items`, each as likely as its weight says; `None` where all weights are 0.
    pub(crate) fn pick_weighted<'t, T>(&mut self, items: impl Iterator<Item = (&'t T, u32)> + Clone) -> Option<&'t T> {
        let total: u64 = items.clone().map(|(_, weight)| u64::from(weight)).sum();
        let mut left = self.below(total);
        for (item, weight) in items {
            let weight = u64::from(weight);
            if left < weight {
                return Some(item);
            }
            left -= weight;
        }
        None
    }
}

/// A hash of a text that never changes (FNV-1a, with the published constants).
pub(crate) fn text_hash(text: &str) -> u64 {
    text.bytes().fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
    })
}

/// SplitMix64's finalizer: a bijection in which every input bit moves about half of the output bits.
fn scramble(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_depend_on_seed_and_path_alone() {
        let stream = || Entropy::of_seed(7).named("Finding").at(3);
        assert_eq!(stream().bits(), stream().bits());
        assert_ne!(stream().bits(), Entropy::of_seed(8).named("Finding").at(3).bits());
        assert_ne!(stream().bits(), Entropy::of_seed(7).named("Finding").at(4).bits());
        assert_ne!(stream().bits(), Entropy::of_seed(7).named("Group").at(3).bits());
    }

    #[test]
    fn text_hash_is_the_published_function() {
        assert_eq!(text_hash(""), 0xCBF2_9CE4_8422_2325);
        assert_eq!(text_hash("foobar"), 0x8594_4171_F739_67E8);
    }

    #[test]
    fn draws_stay_in_their_bounds_and_reach_them() {
        let mut entropy = Entropy::of_seed(1);
        let draws: Vec<u64> = (0..1000).map(|_| entropy.below(5)).collect();
        assert_eq!((draws.iter().min(), draws.iter().max()), (Some(&0), Some(&4)));
        assert_eq!(entropy.below(0), 0);
        assert!((0..1000).all(|_| (0.0..1.0).contains(&entropy.unit())));
        assert_eq!(entropy.pick::<u8>(&[]), None);
    }

    #[test]
    fn weights_decide_how_often_an_item_comes() {
        let mut entropy = Entropy::of_seed(2);
        let items = [("never", 0), ("seldom", 1), ("often", 9)];
        let mut often = 0;
        for _ in 0..10_000 {
            let picked = *entropy
                .pick_weighted(items.iter().map(|(item, weight)| (item, *weight)))
                .unwrap();
            assert_ne!(picked, "never");
            often += u32::from(picked == "often");
        }
        assert!((8_800..9_200).contains(&often), "{often} of 10,000");
        assert_eq!(entropy.pick_weighted([(&"never", 0)].into_iter()), None);
    }
}
