//! One event for one webhook: the durable unit of work, the outcomes of its attempts, and its states.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use uuid::Uuid;

use super::{Event, ReceiverUrl, Secret};

/// How long an attempt may take, from the first look at the address to the last byte of the answer (C-44, E-56).
pub const ATTEMPT_DEADLINE: Duration = Duration::from_secs(10);

/// The state of a delivery. Only a pending one is attempted; a retry by hand makes any pending again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeliveryState {
    /// An attempt is due or under way.
    Pending,
    /// The receiver has accepted it.
    Delivered,
    /// It was attempted as often as its provider documents.
    Exhausted,
    /// Its webhook was deleted (E-57).
    Cancelled,
}

impl DueDelivery {
    /// The number of the last attempt of the retry schedule, this one or one before it, from 1.
    pub fn scheduled_attempt(&self) -> u32 {
        self.attempt.saturating_sub(self.manual).max(1)
    }
}

/// A word that names no state.
#[derive(Debug, thiserror::Error)]
#[error("unknown state `{0}`: expected pending, delivered, exhausted or cancelled")]
pub struct UnknownState(String);

/// A delivery whose attempt is due, claimed for this process, with all that the attempt needs.
#[derive(Debug, Clone)]
pub struct DueDelivery {
    /// Its number in storage: what its result is recorded by.
    pub number: i64,
    /// The delivery's id, which receivers see as idempotency key (C-47) or message id (E-51).
    pub id: Uuid,
    /// The number of this attempt, from 1. A result is recorded only while no later attempt was claimed.
    pub attempt: u32,
    /// When the attempt was due, in steady time.
    pub due_at: Timestamp,
    /// When the first attempt was claimed, in steady time: the origin of the retry schedule.
    pub first_attempt_at: Timestamp,
    /// Whether it is the one attempt that was asked for by hand after the delivery had ended: it is not retried.
    pub once: bool,
    /// How many of the attempts so far, this one included, were asked for by hand while the delivery was pending: the retry schedule
    /// does not count them.
    pub manual: u32,
    /// When the retry is due that a manual attempt came before, in steady time.
    pub resume_at: Option<Timestamp>,
    /// The event.
    pub event: Arc<Event>,
    /// The webhook that it is sent to.
    pub target: Arc<Target>,
}

/// A webhook as an attempt sees it: its values at this moment (E-58).
#[derive(Debug, Clone)]
pub struct Target {
    /// The webhook's number in storage: what concurrency is limited by.
    pub lane: i64,
    /// The webhook's id.
    pub webhook_id: String,
    /// Where to send.
    pub url: ReceiverUrl,
    /// The key of the signature.
    pub signing_secret: Option<Secret>,
    /// Sent as `Authorization`, verbatim (E-53).
    pub authorization: Option<Secret>,
}

/// The outcome of an attempt, as data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The receiver answered in time.
    Answered {
        /// The HTTP status.
        status: u16,
        /// The pause that `Retry-After` asks for.
        retry_after: Option<Duration>,
    },
    /// The deadline passed.
    TimedOut {
        /// The HTTP status, where the head of an answer came before the deadline.
        status: Option<u16>,
    },
    /// We do not send there: the address or the scheme is not allowed.
    Refused(String),
    /// No complete answer: the name has no address, the connection failed or broke.
    Failed {
        /// The error, for a human reader.
        reason: String,
        /// The HTTP status, where the head of an answer came before the connection broke.
        status: Option<u16>,
    },
}

/// How long the parts of an attempt took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Timing {
    /// From when it was due to when it began.
    pub queue: Duration,
    /// To connect (name, TCP, TLS); none on a connection that was open already.
    pub connect: Option<Duration>,
    /// From the beginning of the exchange to the head of the answer.
    pub first_byte: Option<Duration>,
    /// The whole exchange.
    pub total: Duration,
}

/// How many bytes of an answer's body are kept.
pub const KEPT_BODY: usize = 16 * 1024;

/// Name and value of a header that was sent. Names and many values are texts of the program, which need no memory for each attempt.
pub type SentHeader = (Cow<'static, str>, Cow<'static, str>);

/// One HTTP request of a delivery, and its outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Its number, from 1.
    pub number: u32,
    /// When it began.
    pub started_at: Timestamp,
    /// How long its parts took.
    pub timing: Timing,
    /// The headers that were sent; secrets are replaced by `[redacted]`.
    pub request_headers: Vec<SentHeader>,
    /// The outcome.
    pub outcome: Outcome,
    /// The headers of the answer, in their order; empty where none came. Cookies are replaced by `[redacted]`.
    pub response_headers: Vec<(String, String)>,
    /// The beginning of the answer's body, up to [`KEPT_BODY`].
    pub response_body: Vec<u8>,
    /// Whether the answer had more headers, or a longer body, than what is kept.
    pub response_truncated: bool,
}

/// The next step of a delivery after an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// It is done.
    Delivered,
    /// It is attempted again at this time.
    RetryAt(Timestamp),
    /// Its retry schedule has ended.
    Exhausted,
}

impl Outcome {
    /// Whether the receiver has accepted the delivery: any 2xx (C-41, E-54).
    pub fn is_success(&self) -> bool {
        matches!(
            self,
            Self::Answered {
                status: 200..=299,
                ..
            }
        )
    }

    /// Every class that there is.
    pub const CLASSES: [&'static str; 8] = [
        "2xx", "3xx", "4xx", "5xx", "other", "timeout", "refused", "failed",
    ];

    /// Its class, for metrics: one of [`Self::CLASSES`].
    pub fn class(&self) -> &'static str {
        match self {
            Self::Answered {
                status: 200..=299, ..
            } => "2xx",
            Self::Answered {
                status: 300..=399, ..
            } => "3xx",
            Self::Answered {
                status: 400..=499, ..
            } => "4xx",
            Self::Answered {
                status: 500..=599, ..
            } => "5xx",
            Self::Answered { .. } => "other",
            Self::TimedOut { .. } => "timeout",
            Self::Refused(_) => "refused",
            Self::Failed { .. } => "failed",
        }
    }

    /// The error, for a human reader; none where the receiver answered.
    pub fn error(&self) -> Option<String> {
        match self {
            Self::Answered { .. } => None,
            Self::TimedOut { .. } => Some("no complete answer before the deadline".to_owned()),
            Self::Refused(reason) | Self::Failed { reason, .. } => Some(reason.clone()),
        }
    }

    /// The HTTP status that came, whether or not the rest of the answer did.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Answered { status, .. } => Some(*status),
            Self::TimedOut { status } | Self::Failed { status, .. } => *status,
            Self::Refused(_) => None,
        }
    }

    /// A failure before anything of an answer came.
    pub fn failed(reason: impl Into<String>) -> Self {
        Self::Failed {
            reason: reason.into(),
            status: None,
        }
    }
}

impl DeliveryState {
    /// The state as it stands in the operator API and in storage.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Exhausted => "exhausted",
            Self::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for DeliveryState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for DeliveryState {
    type Err = UnknownState;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let all = [
            Self::Pending,
            Self::Delivered,
            Self::Exhausted,
            Self::Cancelled,
        ];
        all.into_iter()
            .find(|state| state.as_str() == name)
            .ok_or_else(|| UnknownState(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_has_one_of_the_classes_and_every_class_an_outcome() {
        let answered = |status| Outcome::Answered {
            status,
            retry_after: None,
        };
        let mut outcomes: Vec<Outcome> = (100..=999).map(answered).collect();
        outcomes.push(Outcome::TimedOut { status: None });
        outcomes.push(Outcome::Refused(String::new()));
        outcomes.push(Outcome::failed(""));
        let mut found: Vec<&str> = outcomes.iter().map(Outcome::class).collect();
        found.sort_unstable();
        found.dedup();
        let mut classes = Outcome::CLASSES;
        classes.sort_unstable();
        assert_eq!(found, classes);
    }
}
