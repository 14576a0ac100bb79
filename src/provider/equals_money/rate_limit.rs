//! Inbound: how many requests a second one key may make (E-8).

use std::num::NonZeroU32;

use governor::clock::{Clock, MonotonicClock};
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};

type Limiter = RateLimiter<
    String,
    HashMapStateStore<String>,
    MonotonicClock,
    NoOpMiddleware<std::time::Instant>,
>;

/// Counts requests by key. Only keys that exist are counted, so that strangers cannot fill the memory.
pub(super) struct RateLimit(Limiter);

impl RateLimit {
    pub(super) fn new(per_second: NonZeroU32) -> Self {
        Self(RateLimiter::hashmap_with_clock(
            Quota::per_second(per_second),
            MonotonicClock,
        ))
    }

    /// Counts one request.
    ///
    /// # Errors
    /// The whole seconds to wait, at least one, when the key has used up its requests.
    pub(super) fn count(&self, key: &String) -> Result<(), u64> {
        self.0.check_key(key).map_err(|refused| {
            let wait = refused.wait_time_from(MonotonicClock.now());
            wait.as_secs() + u64::from(wait.subsec_nanos() > 0).max(u64::from(wait.is_zero()))
        })
    }
}
