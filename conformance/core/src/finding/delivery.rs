//! Faults in the deliveries of a server, as data. `report::words::delivery` makes sentences of it.

use serde::Serialize;
use serde_json::{Map, Value};

use super::Violation;
use crate::hooks::{Pending, Refusal};

/// A fault of a delivery, or of several. Times are seconds by the server's clock, where nothing else is said.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(
    tag = "kind",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase"
)]
pub enum DeliveryFault {
    /// The method is another one.
    Method {
        /// The documented one.
        documented: String,
        /// The one that came.
        found: String,
    },
    /// It belongs to no webhook of the document.
    Undocumented {
        /// The event type that it names, where one can be told.
        #[serde(skip_serializing_if = "Option::is_none")]
        event: Option<String>,
    },
    /// A header or query parameter is missing.
    ParameterMissing {
        /// `header` or `query`.
        place: &'static str,
        /// Its name.
        name: String,
    },
    /// A header or query parameter is not valid.
    ParameterInvalid {
        /// `header` or `query`.
        place: &'static str,
        /// Its name.
        name: String,
        /// Its value.
        found: String,
        /// The violation.
        violation: Violation,
    },
    /// The content type is not documented.
    ContentType {
        /// The one that came.
        #[serde(skip_serializing_if = "Option::is_none")]
        found: Option<String>,
        /// Those that are documented.
        documented: Vec<String>,
    },
    /// There is no body.
    BodyMissing,
    /// The body cannot be read.
    BodyUnreadable {
        /// Why not.
        cause: String,
    },
    /// The body violates its schema.
    BodySchema {
        /// The first violation.
        violation: Violation,
        /// How many further violations there are.
        more: usize,
    },
    /// The body has a member that only clients send.
    WriteOnly {
        /// Its JSON Pointer.
        member: String,
    },
    /// The body lacks members that the sample has.
    SampleMembers {
        /// JSON Pointers into the sample.
        missing: Vec<String>,
    },
    /// The signature is not as described.
    Signature {
        /// Why it does not verify.
        refusal: Refusal,
    },
    /// A change of this part would not be noticed.
    Weak {
        /// `body` or `timestamp`.
        part: &'static str,
    },
    /// The time of signing is not the time of sending.
    Time {
        /// Seconds that it is old; negative where it is to come.
        age: f64,
        /// How many are tolerated.
        tolerance: f64,
    },
    /// An event was triggered, and no delivery came.
    Missing {
        /// The event type.
        event: String,
        /// Seconds of waiting, by this machine's clock.
        waited: f64,
    },
    /// One of several webhooks did not get an event.
    FanOut {
        /// The event type.
        event: String,
        /// How many webhooks got it.
        got: usize,
        /// Of how many.
        of: usize,
    },
    /// A webhook got an event that it did not subscribe to.
    Unsubscribed {
        /// The event type.
        event: String,
        /// Those that it subscribed to.
        subscribed: Vec<String>,
    },
    /// A delivery came although it should not.
    Unwanted {
        /// Why it should not.
        after: Ended,
        /// How many came.
        count: usize,
    },
    /// A pending delivery of a webhook that was disabled or deleted did not become what is promised.
    Pending {
        /// What happened to the webhook.
        after: Ended,
        /// What should become of the delivery.
        promised: Pending,
        /// How many attempts came nevertheless; 0 where there should have been some.
        count: usize,
    },
    /// An accepted delivery came again.
    Duplicate {
        /// How many times in all.
        count: usize,
    },
    /// A delivery has no id.
    IdMissing {
        /// Where it should be.
        place: String,
    },
    /// An attempt has another id than the first one.
    IdChanged {
        /// The first id.
        first: String,
        /// The other one.
        found: String,
    },
    /// Two deliveries have the same id.
    IdShared {
        /// The id.
        id: String,
    },
    /// An attempt has another body than the first one.
    BytesChanged {
        /// The attempt, from 2.
        attempt: usize,
        /// The first byte that differs.
        byte: usize,
    },
    /// An attempt has the timestamp and the signature of the one before.
    NotSignedAnew {
        /// The attempt, from 2.
        attempt: usize,
    },
    /// An attempt has another signature although it should have the same.
    SignedAnew {
        /// The attempt, from 2.
        attempt: usize,
    },
    /// An attempt came at another time than promised.
    Spacing {
        /// The answer that the attempts got.
        reply: String,
        /// The attempt, from 2.
        attempt: usize,
        /// The earliest promised second from the first attempt.
        earliest: f64,
        /// The latest one.
        latest: f64,
        /// The second at which it came.
        found: f64,
    },
    /// Fewer attempts came than promised.
    TooFew {
        /// The answer that the attempts got.
        reply: String,
        /// How many were promised in the time of the run.
        promised: usize,
        /// How many came.
        found: usize,
    },
    /// More attempts came than promised.
    TooMany {
        /// The answer that the attempts got.
        reply: String,
        /// How many were promised.
        promised: usize,
        /// How many came.
        found: usize,
    },
    /// A response was read to its end, although it is larger than any that a sender needs.
    AnswerRead {
        /// How many bytes it has.
        bytes: usize,
    },
    /// An answer that counts as delivered was treated as a failure.
    SuccessRetried {
        /// The answer.
        reply: String,
        /// How many attempts came.
        attempts: usize,
    },
    /// An answer that counts as a failure was not followed by a retry.
    FailureAccepted {
        /// The answer.
        reply: String,
        /// When the retry was due at the latest.
        due: f64,
    },
    /// A redirect was followed.
    RedirectFollowed {
        /// The status.
        status: u16,
    },
    /// `Retry-After` was ignored.
    RetryAfterIgnored {
        /// The delay that it asked for.
        asked: f64,
        /// When the retry came.
        found: f64,
    },
    /// The sender waited for an answer for another time than promised. By this machine's clock.
    Deadline {
        /// The answer of the receiver.
        reply: String,
        /// The promised time.
        promised: f64,
        /// The time after which the sender hung up; none where it had not at the end of the run.
        #[serde(skip_serializing_if = "Option::is_none")]
        found: Option<f64>,
    },
    /// A receiver that does not answer delayed the deliveries to another one.
    Delayed {
        /// Seconds of the delay by this machine's clock; none where they did not come.
        #[serde(skip_serializing_if = "Option::is_none")]
        seconds: Option<f64>,
        /// How many of the deliveries came in time.
        got: usize,
        /// Of how many.
        of: usize,
    },
    /// Deliveries came in another order than promised.
    Order {
        /// The event types in the order in which they were triggered.
        triggered: Vec<String>,
        /// The order in which they came.
        found: Vec<String>,
    },
    /// A delivery contains a secret.
    SecretShown {
        /// Where: `body`, or the name of a header.
        place: String,
        /// Whether it is the secret of another webhook.
        foreign: bool,
    },
    /// After a rotation a delivery is not signed as promised.
    Rotation {
        /// Whether the old secret should still verify.
        overlap: bool,
        /// Whether the new one verifies.
        new: bool,
        /// Whether the old one does.
        old: bool,
    },
    /// A declared handshake was not made.
    NoHandshake,
    /// An event that an operation lists never arrived.
    NotDelivered {
        /// The id in the list.
        id: String,
        /// The event type, where the list has it.
        #[serde(skip_serializing_if = "Option::is_none")]
        event: Option<String>,
    },
    /// An event type was not observed.
    NotObserved,
    /// Something could not be put to the test.
    Untested {
        /// What.
        what: Untested,
    },
}

/// Why nothing should come any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ended {
    /// The webhook was disabled.
    Disabled,
    /// It was deleted.
    Deleted,
    /// It answered 410.
    Gone,
    /// The event is of another account.
    Foreign,
}

/// A test that could not be carried out, and why.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(
    tag = "test",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase"
)]
pub enum Untested {
    /// The server refused to register a webhook.
    Registration {
        /// The status; none where there was no response.
        #[serde(skip_serializing_if = "Option::is_none")]
        status: Option<u16>,
        /// How the response begins.
        words: String,
    },
    /// An event could not be triggered.
    Trigger {
        /// The event type.
        event: String,
        /// Why not.
        cause: String,
    },
    /// The key of a webhook is not known.
    Key {
        /// The missing part.
        cause: String,
    },
    /// The server refused to disable or delete a webhook.
    Ending {
        /// What it should have done.
        after: Ended,
    },
    /// Retries are due after the end of the run.
    Retries {
        /// The first retry that was not waited for, from 1.
        first: usize,
        /// When it is due.
        due: f64,
    },
}

impl DeliveryFault {
    /// Returns the parts that stay the same when the same fault is found again: not times, counts and ids, which differ from run to run.
    pub fn identity(&self) -> Value {
        const LASTING: [&str; 11] = [
            "kind",
            "place",
            "name",
            "event",
            "part",
            "after",
            "reply",
            "status",
            "what",
            "documented",
            "member",
        ];
        let value = serde_json::to_value(self).unwrap_or_default();
        let members = value.as_object().cloned().unwrap_or_default();
        let mut kept: Map<String, Value> = members
            .into_iter()
            .filter(|(name, _)| LASTING.contains(&name.as_str()))
            .collect();
        if let Some(what) = kept.get_mut("what") {
            *what = what.get("test").cloned().unwrap_or_default();
        }
        match self {
            Self::BodySchema { violation, .. } => {
                kept.insert("at".to_owned(), violation.at.clone().into());
            }
            Self::Signature { refusal } => {
                let reason = serde_json::to_value(refusal).unwrap_or_default();
                kept.insert("reason".to_owned(), reason["reason"].clone());
            }
            _ => {}
        }
        Value::Object(kept)
    }

    /// Replaces secrets in everything that came from a server.
    pub(super) fn redact(&mut self, hide: &dyn Fn(&str) -> String) {
        match self {
            Self::ParameterInvalid { found, .. } => *found = hide(found),
            Self::BodyUnreadable { cause } => *cause = hide(cause),
            Self::Untested {
                what: Untested::Registration { words, .. },
            } => *words = hide(words),
            Self::Untested {
                what: Untested::Trigger { cause, .. },
            } => *cause = hide(cause),
            _ => {}
        }
    }
}
