//! The only reader of the clock. Everything else takes `now` as an argument.
//!
//! In sandbox mode the clock may run faster than real time, so that an integrator sees two weeks of retries in minutes.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

/// A clock that starts at the real time and runs at `speed` times real time.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    started_at: Timestamp,
    started: Instant,
    speed: f64,
}

impl Clock {
    /// A clock that is right now and runs `speed` times as fast as real time.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that reads the clock"
    )]
    pub fn start(speed: f64) -> Self {
        Self {
            started_at: Timestamp::now(),
            started: Instant::now(),
            speed,
        }
    }

    /// The current time, to the microsecond: the precision that storage keeps.
    pub fn now(&self) -> Timestamp {
        let elapsed = self.started.elapsed().as_secs_f64() * self.speed;
        let now = SignedDuration::try_from_secs_f64(elapsed)
            .ok()
            .and_then(|elapsed| self.started_at.checked_add(elapsed).ok())
            .unwrap_or(Timestamp::MAX);
        Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
    }

    /// How much time passes on this clock while `real` passes in reality.
    pub fn span(&self, real: Duration) -> SignedDuration {
        SignedDuration::try_from_secs_f64(real.as_secs_f64() * self.speed)
            .unwrap_or(SignedDuration::MAX)
    }

    /// How long it really takes until this clock shows `at`; nothing when it has passed.
    pub fn until(&self, at: Timestamp) -> Duration {
        let left = at.duration_since(self.now()).as_secs_f64() / self.speed;
        Duration::try_from_secs_f64(left.max(0.0)).unwrap_or(Duration::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_goes_forward_and_has_no_nanoseconds() {
        let clock = Clock::start(1.0);
        let (first, second) = (clock.now(), clock.now());
        assert!(first <= second);
        assert_eq!(first.subsec_nanosecond() % 1_000, 0);
    }

    #[test]
    fn a_fast_clock_runs_ahead_of_a_real_one_and_never_overflows() {
        let (real, fast) = (Clock::start(1.0), Clock::start(1e9));
        while real.now() == real.started_at {}
        assert!(fast.now() > real.now());
        assert!(Clock::start(f64::MAX).now() <= Timestamp::MAX);
    }
}
