//! Randomness that can be repeated: splitmix64.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

/// A sequence of numbers that its seed decides.
pub(crate) struct Seeded(u64);

impl Seeded {
    /// The sequence of this seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 to below `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// A while from nothing to below `longest`.
    pub(crate) fn pause(&mut self, longest: Duration) -> Duration {
        longest
            .mul_f64(f64::from(u32::try_from(self.next() >> 32).expect("32 bits")) / 2f64.powi(32))
    }
}

/// A seed that nobody chose.
pub(crate) fn fresh() -> u64 {
    RandomState::new().build_hasher().finish() % 1_000_000
}
