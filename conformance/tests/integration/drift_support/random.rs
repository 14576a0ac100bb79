//! Numbers at random that are the same each time.

/// A generator of numbers that needs no crate: xorshift.
pub(crate) struct Random(u64);

impl Random {
    /// The seed is any number.
    pub(crate) fn new(seed: u64) -> Self {
        // Neighboring seeds are to give other numbers, and zero gives none.
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit.max(1) as u64).expect("below a usize")
    }
}
