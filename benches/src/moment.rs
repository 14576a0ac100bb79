//! Times within this process: load and receiver share one clock, so a publication and its arrival can be compared.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Nanoseconds since the first call; at least 1, so that 0 can say "not yet".
pub(crate) fn nanoseconds() -> u64 {
    u64::try_from(START.elapsed().as_nanos())
        .unwrap_or(u64::MAX)
        .max(1)
}

/// Waits.
#[expect(
    clippy::disallowed_methods,
    reason = "a benchmark runs in real time; the rule is for the server"
)]
pub(crate) async fn pause(duration: Duration) {
    tokio::time::sleep(duration).await;
}

/// Seconds between two moments.
#[expect(
    clippy::cast_precision_loss,
    reason = "a double is exact up to 104 days of nanoseconds"
)]
pub(crate) fn seconds(from: u64, to: u64) -> f64 {
    to.saturating_sub(from) as f64 / 1e9
}
