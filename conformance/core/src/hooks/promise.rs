//! `x-webhook-delivery`: what a sender promises about its deliveries, as types. [`mod@super::read`] makes them of JSON. All times are seconds.

mod read;

use super::handshake::Handshake;
use super::location::Location;
use serde::Serialize;

pub(super) use read::read;

/// The promises of a sender. Promises that the document does not make are `None`, or the default that is documented with the member.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Promise {
    /// The statuses that count as delivered; 2XX by default.
    pub success: Vec<Statuses>,
    /// Whether redirects are followed; they are failures by default.
    pub redirects: Redirects,
    /// How long the sender waits for an answer.
    pub deadline: Option<f64>,
    /// The id of a delivery, the same on all its attempts.
    pub id: Option<Location>,
    /// When a failed attempt is repeated; never, where this is `None` and `retries` was `false`.
    pub retry: Option<Retry>,
    /// The order in which deliveries arrive; none by default.
    pub order: Order,
    /// Whether a delivery may arrive again although it was accepted; it may by default.
    pub duplicates: bool,
    /// The effect of 410 Gone; nothing beyond a failure by default.
    pub gone: Gone,
    /// The handling of pending deliveries when the webhook is disabled; they are canceled by default.
    pub after_disable: Pending,
    /// The handling of pending deliveries when the webhook is deleted; they are canceled by default.
    pub after_delete: Pending,
    /// For how long deliveries may still arrive after the webhook was disabled or deleted; 0 by default.
    pub grace: f64,
    /// For how long the old secret still signs after a rotation.
    pub overlap: Option<f64>,
    /// Requests that a receiver has to answer in a certain way before it gets deliveries.
    pub handshake: Vec<Handshake>,
}

/// A range of statuses: `204` or `2XX`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Statuses {
    first: u16,
    last: u16,
}

impl Serialize for Statuses {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl std::fmt::Display for Statuses {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.first == self.last {
            write!(f, "{}", self.first)
        } else {
            write!(f, "{}XX", self.first / 100)
        }
    }
}

impl Statuses {
    /// All statuses of a class, such as 2.
    pub const fn class(class: u16) -> Self {
        Self {
            first: class * 100,
            last: class * 100 + 99,
        }
    }

    fn parse(text: &str) -> Option<Self> {
        if let Some(class) = text.strip_suffix("XX").or(text.strip_suffix("xx")) {
            let class = class.parse().ok().filter(|class| (1..=5).contains(class))?;
            return Some(Self::class(class));
        }
        let status = text
            .parse()
            .ok()
            .filter(|status| (100..=599).contains(status))?;
        Some(Self {
            first: status,
            last: status,
        })
    }

    /// Whether a status is one of them.
    pub fn contains(self, status: u16) -> bool {
        (self.first..=self.last).contains(&status)
    }
}

/// A sender's handling of redirects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Redirects {
    /// It is a failure.
    Fail,
    /// It is followed.
    Follow,
}

/// The order of deliveries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// Any.
    None,
    /// As they were triggered, for one webhook; a failing one holds up the next.
    PerWebhook,
}

/// The effect of 410 Gone on a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Gone {
    /// It is a failure like others.
    Retry,
    /// The delivery is not repeated.
    Stop,
    /// The webhook gets nothing more.
    Disable,
}

/// The handling of pending deliveries of a webhook that is disabled or deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Pending {
    /// They end.
    Cancel,
    /// They wait until it is enabled again.
    Pause,
    /// They are attempted all the same.
    Continue,
}

/// When a failed attempt is repeated.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Retry {
    /// The times of the retries.
    pub schedule: Schedule,
    /// How many retries there are at most.
    pub count: Option<u32>,
    /// Seconds from the first attempt after which there is none.
    pub until: Option<f64>,
    /// How much earlier a retry may come, as a share of the time since the one before it.
    pub earlier: f64,
    /// How much later a retry may come, as a share of the time since the one before it.
    pub later: f64,
    /// Whether each attempt has a time and a signature of its own, where it is signed with its time.
    pub fresh: bool,
    /// Whether `Retry-After` of a 429 or 503 delays the next attempt.
    pub retry_after: bool,
    /// The statuses after which there is no retry.
    pub never: Vec<Statuses>,
}

/// The times of the retries.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Schedule {
    /// Seconds from the first attempt, one for each retry.
    Offsets(Vec<f64>),
    /// Seconds from the attempt before, one for each retry.
    Intervals(Vec<f64>),
    /// Always the same number of seconds.
    Every {
        /// How many.
        seconds: f64,
        /// Whether all retries are due at multiples from the first attempt; one that was missed is skipped.
        from_first: bool,
    },
    /// Seconds from the attempt before: `first`, then `factor` times as many each time, up to `most`.
    Exponential {
        /// Those before the first retry.
        first: f64,
        /// By how much they grow.
        factor: f64,
        /// The most.
        most: Option<f64>,
    },
}

/// When a retry is due, in seconds from the first attempt.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Due {
    /// The earliest moment.
    pub earliest: f64,
    /// The moment without jitter.
    pub usual: f64,
    /// The latest moment that the promise allows, the sender's own delay apart.
    pub latest: f64,
}

impl Default for Promise {
    fn default() -> Self {
        Self {
            success: vec![Statuses::class(2)],
            redirects: Redirects::Fail,
            deadline: None,
            id: None,
            retry: None,
            order: Order::None,
            duplicates: true,
            gone: Gone::Retry,
            after_disable: Pending::Cancel,
            after_delete: Pending::Cancel,
            grace: 0.0,
            overlap: None,
            handshake: Vec::new(),
        }
    }
}

impl Promise {
    /// Whether a status counts as delivered.
    pub fn accepts(&self, status: u16) -> bool {
        self.success.iter().any(|range| range.contains(status))
    }
}

impl Retry {
    /// How many retries there are when every attempt fails; none where the promise does not bound them.
    pub fn total(&self) -> Option<usize> {
        let listed = match &self.schedule {
            Schedule::Offsets(list) | Schedule::Intervals(list) => Some(list.len()),
            Schedule::Every { .. } | Schedule::Exponential { .. } => None,
        };
        let counted = self.count.and_then(|count| usize::try_from(count).ok());
        let known = [listed, counted].into_iter().flatten().min();
        let Some(until) = self.until else {
            return known;
        };
        if let Schedule::Every { seconds, .. } = self.schedule
            && seconds > 0.0
        {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "not negative, and bounded"
            )]
            let total = (until / seconds).clamp(0.0, 1e6) as usize;
            return Some(known.map_or(total, |known| known.min(total)));
        }
        // The last one may be due at the very end.
        let mut at = 0.0;
        let mut total = 0;
        while known.is_none_or(|known| total < known) {
            let Some(step) = self.interval(total, at) else {
                break;
            };
            at += step;
            if at > until || step <= 0.0 || total >= LIMIT {
                break;
            }
            total += 1;
        }
        Some(total)
    }

    /// Seconds between retry `index` (from 0) and the attempt before it, which was due at `before`.
    fn interval(&self, index: usize, before: f64) -> Option<f64> {
        match &self.schedule {
            Schedule::Offsets(list) => Some(list.get(index)? - before),
            Schedule::Intervals(list) => list.get(index).copied(),
            Schedule::Every { seconds, .. } => Some(*seconds),
            Schedule::Exponential {
                first,
                factor,
                most,
            } => {
                let power = i32::try_from(index).unwrap_or(i32::MAX);
                let seconds = first * factor.powi(power);
                Some(most.map_or(seconds, |most| seconds.min(most)))
            }
        }
    }

    /// When retry `index` (from 0) is due: `attempts` are the moments of the attempts so far, in seconds from the first one.
    pub fn due(&self, index: usize, attempts: &[f64]) -> Option<Due> {
        if self.total().is_some_and(|total| index >= total) {
            return None;
        }
        let (from, step, last) = match &self.schedule {
            Schedule::Offsets(list) => {
                let before = if index == 0 {
                    0.0
                } else {
                    *list.get(index - 1)?
                };
                (before, list.get(index)? - before, list.get(index)? - before)
            }
            Schedule::Every {
                seconds,
                from_first: true,
            } => {
                // The nearest multiple: an attempt is noticed a little later than it was due.
                let last = (attempts.get(index)? / seconds).round() * seconds;
                (last, *seconds, *seconds)
            }
            Schedule::Intervals(_) | Schedule::Every { .. } | Schedule::Exponential { .. } => {
                let step = self.interval(index, 0.0)?;
                (*attempts.get(index)?, step, step)
            }
        };
        Some(Due {
            earliest: from + step - last * self.earlier,
            usual: from + step,
            latest: from + step + last * self.later,
        })
    }
}

/// The most retries that are counted.
const LIMIT: usize = 1_000_000;

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::read::Faults;
    use super::*;

    fn retry(value: Value) -> Retry {
        let faults = Faults::default();
        let promise = read(&json!({ "retry": value }), "", &faults);
        assert_eq!(faults.take(), []);
        promise.unwrap().retry.unwrap()
    }

    #[test]
    fn offsets_count_from_the_first_attempt_and_jitter_from_the_one_before() {
        let retry = retry(json!({ "offsets": [60, 180], "jitter": { "earlier": 0.1 } }));
        assert_eq!(retry.total(), Some(2));
        let due = retry.due(1, &[0.0, 58.0]).unwrap();
        assert_eq!((due.earliest, due.usual, due.latest), (168.0, 180.0, 180.0));
        assert_eq!(retry.due(2, &[0.0, 58.0, 170.0]), None);
    }

    #[test]
    fn an_interval_ends_with_its_time_or_its_count() {
        let weeks = retry(json!({ "every": 300, "until": 1_209_600 }));
        assert_eq!(weeks.total(), Some(4032));
        let anchored = retry(json!({ "every": 300, "from": "first" }));
        assert_eq!(anchored.due(0, &[0.0]).unwrap().usual, 300.0);
        // The attempt at 600 was missed, or came so late that the next one is due already.
        assert_eq!(anchored.due(1, &[0.0, 310.0]).unwrap().usual, 600.0);
        assert_eq!(anchored.due(2, &[0.0, 300.0, 905.0]).unwrap().usual, 1200.0);
        assert_eq!(weeks.due(1, &[0.0, 310.0]).unwrap().usual, 610.0);
        assert_eq!(retry(json!({ "every": 300, "count": 3 })).total(), Some(3));
        assert_eq!(retry(json!({ "every": 300 })).total(), None);
        let growing = retry(json!({ "exponential": { "first": 5, "most": 30 }, "until": 100 }));
        // 5, 15, 35, 65, 95.
        assert_eq!(growing.total(), Some(5));
    }

    #[test]
    fn statuses_are_single_or_a_class() {
        assert!(Statuses::parse("2XX").unwrap().contains(204));
        assert!(!Statuses::parse("204").unwrap().contains(200));
        for wrong in ["", "XX", "6XX", "99", "600", "ok"] {
            assert_eq!(Statuses::parse(wrong), None, "{wrong}");
        }
    }
}
