//! How many retries are due by a moment, and which of them a busy machine may have missed. Pure.

use crate::hooks::{Retry, Schedule};

/// The retries that must have come within `horizon` seconds even if each is as late as it may be. Where they are due at multiples from the
/// first attempt, a late one delays none that follow.
pub(super) fn due_within(retry: &Retry, horizon: f64, slack: f64) -> usize {
    if let Some(seconds) = interval(retry) {
        let due = whole((horizon - slack - seconds * retry.later) / seconds);
        return retry.total().map_or(due, |total| due.min(total));
    }
    let mut attempts = vec![0.0];
    while let Some(due) = retry.due(attempts.len() - 1, &attempts) {
        let latest = due.latest + slack;
        if latest > horizon || attempts.len() > 100_000 {
            break;
        }
        attempts.push(latest);
    }
    attempts.len() - 1
}

/// The retries at multiples from the first attempt that were due while this machine stood still, and never came: a sender that is late for
/// one skips it. `times` are those of the attempts, and `stalled` says for how long the machine stood still between two of them.
pub(super) fn excused(
    retry: &Retry,
    times: &[f64],
    elapsed: f64,
    stalled: impl Fn(f64, f64) -> f64,
) -> usize {
    let Some(seconds) = interval(retry) else {
        return 0;
    };
    let end = elapsed.min(retry.until.unwrap_or(f64::INFINITY));
    let next = times.iter().skip(1).copied().chain([end + seconds]);
    let gaps = times.iter().copied().zip(next);
    gaps.map(|(from, to)| {
        let skipped = whole(((to - from) / seconds).round() - 1.0);
        match skipped {
            0 => 0,
            // Shorter ones make it late, and no sender skips it for that.
            _ => skipped.min(whole((stalled(from, to) / seconds).round())),
        }
    })
    .sum()
}

/// The latest moment of retry `count`, where retries are due at multiples from the first attempt: however late each of them is, they must
/// not fall behind.
pub(super) fn latest(retry: &Retry, count: usize) -> Option<f64> {
    let count = f64::from(u32::try_from(count).ok()?);
    Some((count + retry.later) * interval(retry)?)
}

/// The interval of a schedule whose retries are due at multiples from the first attempt.
fn interval(retry: &Retry) -> Option<f64> {
    match retry.schedule {
        Schedule::Every {
            seconds,
            from_first: true,
        } => Some(seconds),
        _ => None,
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "not negative, and bounded"
)]
fn whole(times: f64) -> usize {
    times.clamp(0.0, 1e6) as usize
}

#[cfg(test)]
mod tests {
    use crate::hooks::{Promise, Retry};

    use super::*;

    fn retry(retry: serde_json::Value) -> Retry {
        let document = serde_json::json!({
            "openapi": "3.1.0", "info": { "title": "t", "version": "1" }, "paths": {},
            "x-webhook-delivery": { "retry": retry },
        });
        let document = crate::document::Document::parse("t", &document.to_string()).unwrap();
        let description = crate::hooks::Description::of(&document, "").unwrap();
        let Promise { retry, .. } = description.promise;
        retry.unwrap()
    }

    #[test]
    fn lateness_adds_up_only_where_each_retry_is_due_after_the_one_before() {
        let previous = retry(serde_json::json!({ "every": 10, "until": 100 }));
        // 10 and 2, 22 and 2, and so on.
        assert_eq!(due_within(&previous, 60.0, 2.0), 5);
        let first = retry(serde_json::json!({ "every": 10, "from": "first", "until": 100 }));
        assert_eq!(due_within(&first, 60.0, 2.0), 5);
        assert_eq!(due_within(&first, 1_000.0, 35.0), 10);
        assert_eq!(due_within(&first, 100.0, 35.0), 6);
        assert_eq!(due_within(&first, 1.0, 35.0), 0);
        let offsets = retry(serde_json::json!({ "offsets": [10, 20, 40] }));
        assert_eq!(due_within(&offsets, 39.0, 5.0), 2);
    }

    #[test]
    fn a_retry_is_excused_only_where_the_machine_stood_still_when_it_was_due() {
        let first = retry(serde_json::json!({ "every": 10, "from": "first", "until": 60 }));
        // Those at 20 and 30, and at 60 are missing.
        let times = [0.0, 10.1, 40.2, 50.0];
        let still = |stall: (f64, f64)| {
            move |from: f64, to: f64| (stall.1.min(to) - stall.0.max(from)).max(0.0)
        };
        assert_eq!(excused(&first, &times, 90.0, |_, _| 0.0), 0);
        assert_eq!(excused(&first, &times, 90.0, still((19.0, 22.0))), 0);
        assert_eq!(excused(&first, &times, 90.0, still((19.0, 26.0))), 1);
        assert_eq!(excused(&first, &times, 90.0, still((12.0, 32.0))), 2);
        assert_eq!(excused(&first, &times, 90.0, still((2.0, 9.0))), 0);
        assert_eq!(excused(&first, &times, 90.0, still((55.0, 85.0))), 1);
        assert_eq!(excused(&first, &times, 90.0, still((12.0, 22.0))), 1);
        let previous = retry(serde_json::json!({ "every": 10, "until": 60 }));
        assert_eq!(excused(&previous, &times, 90.0, |_, _| 60.0), 0);
    }
}
