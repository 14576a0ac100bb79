//! What day and time it is. The only reader of the clock.

use jiff::civil::Date;
use jiff::tz::TimeZone;

/// Today's date in UTC.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the only place that reads the clock"
)]
pub(crate) fn today() -> Date {
    jiff::Timestamp::now().to_zoned(TimeZone::UTC).date()
}

/// A number that no run before had: the time in nanoseconds.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the only place that reads the clock"
)]
pub(crate) fn nonce() -> u64 {
    let now = jiff::Timestamp::now().as_nanosecond();
    u64::try_from(now.rem_euclid(i128::from(u64::MAX))).unwrap_or_default()
}
