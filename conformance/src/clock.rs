//! What day it is. The only reader of the clock.

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
