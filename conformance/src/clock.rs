//! The current date and time. The only reader of the clock.

use jiff::civil::Date;
use jiff::tz::TimeZone;

/// Now.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the only place that reads the clock"
)]
pub(crate) fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

/// Today's date in UTC.
pub(crate) fn today() -> Date {
    now().to_zoned(TimeZone::UTC).date()
}

/// A number that no run before had: the time in nanoseconds.
pub(crate) fn nonce() -> u64 {
    let now = now().as_nanosecond();
    u64::try_from(now.rem_euclid(i128::from(u64::MAX))).unwrap_or_default()
}
