//! Outbound: when a failed attempt is made again (C-42, C-43).
//!
//! Page "Webhooks" says "up to 10 times over 24 hours"; the delays are ours. An attempt that an operator asks for is not one of them.

use std::time::Duration;

use jiff::Timestamp;

use crate::domain::Outcome;

/// From the first attempt to each retry, in seconds (C-42).
pub(super) const OFFSETS: [u32; 10] = [
    60, 180, 480, 1_080, 2_280, 4_980, 10_380, 21_180, 42_780, 86_400,
];

/// The part of its own delay by which a retry may be early (C-43).
pub(super) const JITTER: f64 = 0.10;

/// The pause after an attempt that was so late that the next one is due already: the shortest delay of the table, so that a server that
/// was down does not make up for what it missed in a burst.
const PAUSE: Duration = Duration::from_secs(60);

/// When the last retry is due, from the first attempt ("over 24 hours").
const LAST: Duration = Duration::from_hours(24);

/// How late the last retry may be begun: it is due at 24 hours sharp, and would never be made if nothing were attempted after that.
const GRACE: Duration = Duration::from_hours(1);

/// When the retry that follows attempt number `attempt` of the schedule is due, or `None` when there is none.
///
/// `Retry-After` of a 429 or 503 is honored as far as the 24 hours go.
pub(super) fn retry_at(
    attempt: u32,
    first_attempt_at: Timestamp,
    outcome: &Outcome,
    now: Timestamp,
    jitter: f64,
) -> Option<Timestamp> {
    let retry = usize::try_from(attempt.checked_sub(1)?).ok()?;
    let offset = *OFFSETS.get(retry)?;
    let delay = offset - retry.checked_sub(1).map_or(0, |before| OFFSETS[before]);
    let early = f64::from(delay) * JITTER * jitter.clamp(0.0, 1.0);
    let early = Duration::try_from_secs_f64(early).unwrap_or_default();
    let scheduled = after(
        first_attempt_at,
        Duration::from_secs(offset.into()).saturating_sub(early),
    );
    let due = if scheduled > now {
        scheduled
    } else {
        after(now, PAUSE)
    };
    let last = after(first_attempt_at, LAST);
    if due > last {
        return None;
    }
    Some(match requested_pause(outcome) {
        Some(pause) => after(now, pause).clamp(due, last),
        None => due,
    })
}

/// When nothing is attempted any more: after the last retry, however late it is within the grace.
pub(super) fn gives_up_at(first_attempt_at: Timestamp) -> Timestamp {
    after(first_attempt_at, LAST + GRACE)
}

fn requested_pause(outcome: &Outcome) -> Option<Duration> {
    match outcome {
        Outcome::Answered {
            status: 429 | 503,
            retry_after,
        } => *retry_after,
        Outcome::Answered { .. }
        | Outcome::TimedOut { .. }
        | Outcome::Refused(_)
        | Outcome::Failed { .. } => None,
    }
}

fn after(time: Timestamp, duration: Duration) -> Timestamp {
    time.checked_add(duration).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAILED: Outcome = Outcome::TimedOut { status: None };

    fn first() -> Timestamp {
        "2025-11-04T15:00:00Z".parse().unwrap()
    }

    /// A moment of the schedule, in milliseconds from the first attempt.
    fn at(milliseconds: u64) -> Timestamp {
        after(first(), Duration::from_millis(milliseconds))
    }

    fn answered(status: u16, retry_after: Option<u64>) -> Outcome {
        Outcome::Answered {
            status,
            retry_after: retry_after.map(Duration::from_secs),
        }
    }

    /// Every attempt to the last, in seconds from the first; each is made when it is due and fails `took` milliseconds later.
    fn schedule(took: u64, jitter: f64) -> Vec<u64> {
        let (mut attempt, mut due, mut all) = (1, first(), vec![0]);
        while let Some(next) = retry_at(
            attempt,
            first(),
            &FAILED,
            after(due, Duration::from_millis(took)),
            jitter,
        ) {
            attempt += 1;
            due = next;
            let elapsed = due.duration_since(first());
            all.push(u64::try_from(elapsed.as_secs()).unwrap());
            assert!(due <= gives_up_at(first()));
        }
        all
    }

    #[test]
    fn eleven_attempts_are_made_over_24_hours_by_the_table() {
        // C-42: the sum of the delays is 24 hours; an attempt takes 10 seconds at most (C-44).
        let table = [
            0, 60, 180, 480, 1_080, 2_280, 4_980, 10_380, 21_180, 42_780, 86_400,
        ];
        for took in [0, 150, 10_000] {
            assert_eq!(schedule(took, 0.0), table);
        }
    }

    #[test]
    fn every_retry_is_early_by_a_tenth_of_its_own_delay_at_most() {
        // C-43.
        let table = [
            0, 54, 168, 450, 1_020, 2_160, 4_710, 9_840, 20_100, 40_620, 82_038,
        ];
        assert_eq!(schedule(10_000, 1.0), table);
        assert_eq!(retry_at(1, first(), &FAILED, at(10), 0.5), Some(at(57_000)));
    }

    #[test]
    fn jitter_outside_of_its_range_is_cut_to_it() {
        for (jitter, expected) in [(-1.0, 60_000), (2.0, 54_000), (f64::NAN, 60_000)] {
            assert_eq!(
                retry_at(1, first(), &FAILED, at(10), jitter),
                Some(at(expected))
            );
        }
    }

    #[test]
    fn what_was_missed_while_the_server_was_down_is_not_made_up_for_in_a_burst() {
        // Down from the first minute for six hours: the second attempt is made then.
        let hours = 6 * 3_600_000;
        for attempt in 2..=8 {
            let now = hours + u64::from(attempt) * 60_000;
            assert_eq!(
                retry_at(attempt, first(), &FAILED, at(now), 0.3),
                Some(at(now + 60_000))
            );
        }
        // From there on the table is followed again.
        assert_eq!(
            retry_at(9, first(), &FAILED, at(hours + 600_000), 0.0),
            Some(at(42_780_000))
        );
        // Due exactly now is late too.
        assert_eq!(
            retry_at(1, first(), &FAILED, at(60_000), 0.0),
            Some(at(120_000))
        );
        assert_eq!(
            retry_at(1, first(), &FAILED, at(59_999), 0.0),
            Some(at(60_000))
        );
    }

    #[test]
    fn nothing_is_due_after_24_hours_or_after_the_eleventh_attempt() {
        let day = 86_400_000;
        assert_eq!(
            retry_at(10, first(), &FAILED, at(42_790_000), 0.0),
            Some(at(day))
        );
        for attempt in [11, 12, u32::MAX] {
            assert_eq!(retry_at(attempt, first(), &FAILED, at(1_000), 0.0), None);
        }
        // A late attempt has a successor only where the pause ends within the 24 hours.
        assert_eq!(
            retry_at(5, first(), &FAILED, at(day - 60_000), 0.0),
            Some(at(day))
        );
        for now in [day - 59_999, day, day + 10_000, 10 * day] {
            assert_eq!(retry_at(5, first(), &FAILED, at(now), 0.0), None);
        }
    }

    #[test]
    fn the_last_retry_may_be_begun_within_an_hour_after_it_is_due() {
        assert_eq!(gives_up_at(first()), at(90_000_000));
    }

    #[test]
    fn retry_after_of_429_and_503_puts_a_retry_off_but_never_forward_nor_beyond_24_hours() {
        let day = 86_400_000;
        for (outcome, expected) in [
            (answered(429, Some(120)), 125_000),
            (answered(503, Some(120)), 125_000),
            (answered(503, Some(3_600)), 3_605_000),
            // Shorter than the documented delay.
            (answered(429, Some(1)), 60_000),
            (answered(429, Some(0)), 60_000),
            (answered(429, None), 60_000),
            // Longer than the documented time.
            (answered(503, Some(86_400)), day),
            (answered(429, Some(u64::MAX)), day),
            // Other answers.
            (answered(500, Some(120)), 60_000),
            (answered(404, Some(120)), 60_000),
            (answered(302, Some(120)), 60_000),
        ] {
            assert_eq!(
                retry_at(1, first(), &outcome, at(5_000), 0.0),
                Some(at(expected)),
                "{outcome:?}"
            );
        }
        // The table goes on behind a retry that was put off.
        assert_eq!(
            retry_at(2, first(), &FAILED, at(3_610_000), 0.0),
            Some(at(3_670_000))
        );
        // There is no twelfth attempt, whatever the receiver asks for.
        assert_eq!(
            retry_at(11, first(), &answered(503, Some(60)), at(day), 0.0),
            None
        );
    }

    #[test]
    fn every_failure_leads_to_the_same_retry() {
        for outcome in [
            answered(301, None),
            answered(400, None),
            answered(410, None),
            answered(500, None),
            Outcome::TimedOut { status: None },
            Outcome::Refused("no".into()),
            Outcome::failed("no"),
        ] {
            assert_eq!(
                retry_at(3, first(), &outcome, at(190_000), 0.0),
                Some(at(480_000))
            );
        }
    }

    #[test]
    fn the_end_of_time_ends_no_program() {
        assert_eq!(gives_up_at(Timestamp::MAX), Timestamp::MAX);
        assert_eq!(
            retry_at(1, Timestamp::MAX, &FAILED, Timestamp::MAX, 0.0),
            Some(Timestamp::MAX)
        );
    }
}
