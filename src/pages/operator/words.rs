//! Times, durations and outcomes in words.

use std::time::Duration;

use jiff::Timestamp;

use crate::domain::{DeliveryState, Outcome};

/// The outcome of an attempt in a few words, and advice for the operator.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Explanation {
    /// For a list.
    pub(super) short: String,
    /// A sentence or two.
    pub(super) long: String,
}

/// Explains an outcome.
pub(super) fn explain(outcome: &Outcome) -> Explanation {
    let (short, long) = match outcome {
        Outcome::Answered { status, .. } => (status_name(*status), of_status(*status)),
        Outcome::TimedOut { status } => (
            format!("timed out{}", begun(*status)),
            "The receiver gave no complete answer within 10 seconds. It should answer first and work later.".to_owned(),
        ),
        Outcome::Refused(reason) => (
            format!("not sent: {reason}"),
            format!("Nothing was sent: {reason}. This server does not send to such an address."),
        ),
        Outcome::Failed { reason, status } => (
            format!("no answer{}: {reason}", begun(*status)),
            format!("There was no complete answer{}: {reason}.", begun(*status)),
        ),
    };
    Explanation { short, long }
}

/// Says how much came of an answer that was not complete.
fn begun(status: Option<u16>) -> String {
    status.map_or_else(String::new, |status| {
        format!(" after {}", status_name(status))
    })
}

/// A status with its name, as `503 Service Unavailable`.
pub(super) fn status_name(status: u16) -> String {
    let name = actix_web::http::StatusCode::from_u16(status)
        .ok()
        .and_then(|status| status.canonical_reason());
    name.map_or_else(|| status.to_string(), |name| format!("{status} {name}"))
}

fn of_status(status: u16) -> String {
    let name = status_name(status);
    match status {
        200..=299 => format!("The receiver accepted it with {name}."),
        300..=399 => format!(
            "The receiver answered {name}. Redirects are not followed: the webhook needs the URL that it leads to."
        ),
        401 | 403 => format!(
            "The receiver answered {name}: it does not accept the signature or the credentials. Compare its secret with the webhook's."
        ),
        404 | 405 | 410 => {
            format!("The receiver answered {name}: nothing takes deliveries at this URL.")
        }
        413 => format!("The receiver answered {name}: it does not take bodies of this size."),
        429 => format!("The receiver answered {name}: it gets more than it can take."),
        400..=499 => format!("The receiver answered {name}: it does not accept this request."),
        500..=599 => format!("The receiver answered {name}: the fault is on its side."),
        _ => format!("The receiver answered with the status {name}, which is not a success."),
    }
}

/// Explains a state.
pub(super) fn of_state(state: DeliveryState) -> &'static str {
    match state {
        DeliveryState::Pending => "An attempt is due or under way.",
        DeliveryState::Delivered => "The receiver has accepted it.",
        DeliveryState::Exhausted => {
            "It is exhausted: the retries that its provider documents are used up."
        }
        DeliveryState::Cancelled => "It was cancelled with its webhook.",
    }
}

/// A moment to the second, in UTC.
pub(super) fn exact(at: Timestamp) -> String {
    let text = format!("{at:.0}");
    text.replace('T', " ").replace('Z', " UTC")
}

/// How far a moment is from now.
pub(super) fn relative(at: Timestamp, now: Timestamp) -> String {
    let seconds = at.duration_since(now).as_secs();
    let span = span(seconds.unsigned_abs());
    match seconds {
        0 => "now".to_owned(),
        1.. => format!("in {span}"),
        _ => format!("{span} ago"),
    }
}

/// A number of seconds in one unit.
pub(super) fn span(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// How long something took.
pub(super) fn duration(duration: Duration) -> String {
    let milliseconds = duration.as_secs_f64() * 1e3;
    if milliseconds < 10.0 {
        format!("{milliseconds:.1} ms")
    } else if milliseconds < 1_000.0 {
        format!("{milliseconds:.0} ms")
    } else {
        format!("{:.1} s", milliseconds / 1e3)
    }
}

/// A count with its noun.
pub(super) fn count(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_is_explained_and_a_failure_says_what_to_do() {
        let answered = |status| Outcome::Answered {
            status,
            retry_after: None,
        };
        for (outcome, short, word) in [
            (answered(204), "204 No Content", "accepted"),
            (answered(308), "308 Permanent Redirect", "not followed"),
            (answered(401), "401 Unauthorized", "secret"),
            (answered(404), "404 Not Found", "this URL"),
            (answered(429), "429 Too Many Requests", "more than"),
            (answered(418), "418 I'm a teapot", "does not accept"),
            (answered(503), "503 Service Unavailable", "on its side"),
            (answered(999), "999", "not a success"),
            (
                Outcome::TimedOut { status: Some(200) },
                "timed out after 200 OK",
                "10 seconds",
            ),
            (
                Outcome::Refused("private".to_owned()),
                "not sent: private",
                "Nothing was sent",
            ),
            (
                Outcome::Failed {
                    reason: "reset".to_owned(),
                    status: None,
                },
                "no answer: reset",
                "no complete answer",
            ),
        ] {
            let explanation = explain(&outcome);
            assert_eq!(explanation.short, short);
            assert!(explanation.long.contains(word), "{explanation:?}");
        }
    }

    #[test]
    fn times_are_told_in_one_unit_and_in_full() {
        let now: Timestamp = "2026-01-01T00:00:00.9Z".parse().unwrap();
        let at = |seconds| now + jiff::SignedDuration::from_secs(seconds);
        for (seconds, text) in [
            (0, "now"),
            (-5, "5 s ago"),
            (90, "in 1 min"),
            (-7_200, "2 h ago"),
            (1_209_600, "in 14 d"),
        ] {
            assert_eq!(relative(at(seconds), now), text);
        }
        assert_eq!(exact(now), "2026-01-01 00:00:00 UTC");
        assert_eq!(duration(Duration::from_micros(1_250)), "1.2 ms");
        assert_eq!(duration(Duration::from_millis(48)), "48 ms");
        assert_eq!(duration(Duration::from_millis(10_040)), "10.0 s");
    }
}
