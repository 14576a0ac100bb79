//! Keeps a log line that may come at any rate from filling the disk.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};

use governor::clock::MonotonicClock;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

/// Lets so many lines pass and counts the others.
pub(super) struct Throttle {
    limiter: RateLimiter<NotKeyed, InMemoryState, MonotonicClock>,
    unlogged: AtomicU64,
}

impl Throttle {
    /// Lets this many lines a second pass.
    pub(super) fn per_second(lines: NonZeroU32) -> Self {
        Self {
            limiter: RateLimiter::direct_with_clock(Quota::per_second(lines), MonotonicClock),
            unlogged: AtomicU64::new(0),
        }
    }

    /// Whether a line may be written now: then how many before it were not.
    pub(super) fn pass(&self) -> Option<u64> {
        if self.limiter.check().is_ok() {
            return Some(self.unlogged.swap(0, Ordering::Relaxed));
        }
        self.unlogged.fetch_add(1, Ordering::Relaxed);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_beyond_the_rate_are_counted_and_told_of_by_the_next() {
        let throttle = Throttle::per_second(NonZeroU32::MIN);
        assert_eq!(throttle.pass(), Some(0));
        let mut unlogged = 0;
        let told = loop {
            match throttle.pass() {
                Some(told) => break told,
                None => unlogged += 1,
            }
        };
        assert_eq!(told, unlogged);
    }
}
