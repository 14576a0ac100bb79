//! Outbound: when a failed attempt is made again (E-55).
//!
//! Page "How it works" says "every 5 minutes for two weeks". The interval is documented, so neither jitter nor `Retry-After` moves it.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// From one retry to the next, in seconds.
pub(super) const INTERVAL: u32 = 300;

/// From the first attempt to the last retry, in seconds: two weeks.
pub(super) const PERIOD: u32 = 1_209_600;

/// How late the last retry may be begun: it is due at two weeks sharp, and would never be made if nothing were attempted after that.
const GRACE: Duration = Duration::from_hours(1);

/// When the next retry is due, or `None` when two weeks have passed.
///
/// Retry n is due n intervals after the first attempt. One that was missed (the server was down, the webhook disabled) is skipped.
pub(super) fn retry_at(first_attempt_at: Timestamp, now: Timestamp) -> Option<Timestamp> {
    let interval = i64::from(INTERVAL);
    let elapsed = now.duration_since(first_attempt_at).as_secs().max(0);
    let offset = (elapsed / interval + 1) * interval;
    if offset > i64::from(PERIOD) {
        return None;
    }
    first_attempt_at
        .checked_add(SignedDuration::from_secs(offset))
        .ok()
}

/// When nothing is attempted any more: after the last retry, however late it is within the grace.
pub(super) fn gives_up_at(first_attempt_at: Timestamp) -> Timestamp {
    first_attempt_at
        .checked_add(Duration::from_secs(PERIOD.into()) + GRACE)
        .unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first() -> Timestamp {
        "2023-05-31T15:59:17.613Z".parse().unwrap()
    }

    /// A moment of the schedule, in milliseconds from the first attempt.
    fn at(milliseconds: i64) -> Timestamp {
        first() + SignedDuration::from_millis(milliseconds)
    }

    #[test]
    fn a_retry_is_made_every_five_minutes_for_two_weeks() {
        // E-55: at most 4,032 retries; an attempt takes 10 seconds at most (E-56).
        for took in [0, 150, 10_000] {
            let (mut due, mut retries) = (first(), 0);
            while let Some(next) = retry_at(first(), due + SignedDuration::from_millis(took)) {
                retries += 1;
                due = next;
                assert_eq!(due, at(retries * 300_000));
                assert!(due <= gives_up_at(first()));
            }
            assert_eq!(retries, 4_032);
            assert_eq!(due, at(14 * 86_400_000));
        }
    }

    #[test]
    fn retries_that_were_missed_are_skipped() {
        for (now, expected) in [
            (0, 300_000),
            (299_999, 300_000),
            (300_000, 600_000),
            (300_001, 600_000),
            // Down for six hours and a minute.
            (21_660_000, 21_900_000),
            // Before the first attempt, by a clock that was set back.
            (-5_000, 300_000),
        ] {
            assert_eq!(retry_at(first(), at(now)), Some(at(expected)), "{now}");
        }
    }

    #[test]
    fn nothing_is_due_after_two_weeks() {
        let weeks = 14 * 86_400_000;
        assert_eq!(retry_at(first(), at(weeks - 1)), Some(at(weeks)));
        for now in [weeks, weeks + 10_000, 10 * weeks] {
            assert_eq!(retry_at(first(), at(now)), None);
        }
        assert_eq!(retry_at(Timestamp::MAX, Timestamp::MAX), None);
    }

    #[test]
    fn the_last_retry_may_be_begun_within_an_hour_after_it_is_due() {
        assert_eq!(gives_up_at(first()), at(14 * 86_400_000 + 3_600_000));
        assert_eq!(gives_up_at(Timestamp::MAX), Timestamp::MAX);
    }
}
