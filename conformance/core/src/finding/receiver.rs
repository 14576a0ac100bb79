//! Faults in a handler of webhooks, as data. `report::words::receiver` makes sentences of it.

use serde::Serialize;
use serde_json::{Map, Value};

use super::Failure;

/// A fault of a handler.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(
    tag = "kind",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase"
)]
pub enum ReceiverFault {
    /// A delivery that is as documented was not accepted.
    NotAccepted {
        /// The delivery, such as `sample`.
        delivery: String,
        /// The status of the response.
        status: u16,
        /// The statuses that count as accepted.
        success: Vec<String>,
    },
    /// There was no complete response to a delivery.
    NoAnswer {
        /// The delivery.
        delivery: String,
        /// Why not.
        failure: Failure,
    },
    /// A delivery was accepted later than the sender waits.
    Late {
        /// The delivery.
        delivery: String,
        /// How many seconds the response took.
        seconds: f64,
        /// How many the sender waits.
        deadline: f64,
    },
    /// No signature is verified: every forged delivery was accepted.
    Unverified {
        /// How many forged deliveries there were.
        deliveries: usize,
        /// The status of the response to the first.
        status: u16,
        /// Whether any of them had an effect, where that is known.
        #[serde(skip_serializing_if = "Option::is_none")]
        effect: Option<bool>,
    },
    /// A delivery that the provider did not send was accepted.
    Forged {
        /// How it differs from one of the provider.
        flaw: Flaw,
        /// The status of the response.
        status: u16,
        /// Whether it had an effect, where that is known.
        #[serde(skip_serializing_if = "Option::is_none")]
        effect: Option<bool>,
    },
    /// A delivery that the provider did not send was refused, and had an effect all the same.
    ActedOn {
        /// How it differs from one of the provider.
        flaw: Flaw,
        /// The status of the response.
        status: u16,
    },
    /// A delivery that the provider did not send was refused, but not as such.
    UnclearRefusal {
        /// How it differs from one of the provider.
        flaw: Flaw,
        /// The status of the response; none where there was none.
        #[serde(skip_serializing_if = "Option::is_none")]
        status: Option<u16>,
    },
    /// The handler broke down.
    Broke {
        /// The delivery that was sent.
        delivery: String,
        /// The status of the response; none where there was none.
        #[serde(skip_serializing_if = "Option::is_none")]
        status: Option<u16>,
    },
    /// The handler does not run any more.
    Down {
        /// For how many seconds it was waited for.
        seconds: u64,
    },
    /// An event of a type that the document does not have was refused.
    UnknownEvent {
        /// The type.
        event: String,
        /// The status of the response.
        status: u16,
    },
    /// A repetition was refused.
    RepeatRefused {
        /// How it was repeated.
        repeat: Repeat,
        /// The status of the response; none where there was none.
        #[serde(skip_serializing_if = "Option::is_none")]
        status: Option<u16>,
    },
    /// A repetition had an effect of its own.
    Twice {
        /// How it was repeated.
        repeat: Repeat,
        /// How many copies were sent.
        copies: usize,
    },
    /// Several copies at once had no effect at all, though they were accepted.
    LostAtOnce {
        /// How many copies were sent.
        copies: usize,
    },
    /// A delivery that was signed before another one and came after it was refused, or had no effect.
    Overtaken {
        /// By how many seconds it is older.
        seconds: i64,
        /// The status of the response.
        status: u16,
        /// Whether it was accepted and had no effect.
        lost: bool,
    },
    /// A handshake was not answered as the provider needs it.
    Handshake {
        /// The content that the answer should have.
        expected: String,
        /// The content that it had.
        found: String,
    },
    /// Something could not be decided.
    NotDecided {
        /// What, and what is missing.
        gap: HandlerGap,
    },
}

/// How a delivery differs from one that the provider sends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(
    tag = "kind",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase"
)]
pub enum Flaw {
    /// It has no signature.
    NoSignature,
    /// Its signature is empty.
    EmptySignature,
    /// The beginning of its signature is changed.
    SignatureStart,
    /// The end of its signature is changed.
    SignatureEnd,
    /// Its signature is cut short.
    SignatureCut,
    /// It is signed with another secret.
    OtherSecret,
    /// It is signed with an empty secret.
    EmptySecret,
    /// It is signed with another algorithm.
    OtherAlgorithm {
        /// The algorithm.
        name: String,
    },
    /// Its time is missing.
    NoTime,
    /// Its time was changed after it was signed.
    OtherTime,
    /// Its id was changed after it was signed.
    OtherId,
    /// A value of its body was changed after it was signed.
    OtherBody,
    /// Its body was written in another way after it was signed.
    Rewritten,
    /// Its body was extended after it was signed.
    Extended,
    /// Its body was removed after it was signed.
    NoBody,
    /// It was signed long ago: somebody recorded it and sends it again.
    Old {
        /// How many seconds ago.
        seconds: i64,
    },
    /// It was signed at a time to come.
    Early {
        /// How many seconds from now.
        seconds: i64,
    },
}

/// How a delivery is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Repeat {
    /// Copies at the same time.
    AtOnce,
    /// The same bytes again.
    Later,
    /// The same delivery, signed anew, as providers retry.
    SignedAnew,
    /// The same id with another body.
    OtherBody,
}

/// A check that could not be decided, and what is missing for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum HandlerGap {
    /// The effect of deliveries was not observed.
    NoEffect,
    /// The effect changes without deliveries.
    Restless,
    /// A new delivery had no effect.
    Unmoved,
    /// Two deliveries had effects of different size.
    Uneven,
    /// The effect could not be observed.
    Unobservable {
        /// Why not.
        cause: String,
    },
    /// The document does not say how deliveries are signed.
    NoSigning,
    /// Deliveries are signed only where there is a secret, and none was given.
    NoSecret,
    /// The document has no tolerance for the time of signing.
    NoTolerance,
    /// The document does not say where the id of a delivery is.
    NoId,
    /// No delivery can be made for an event type.
    NoPayload,
    /// A delivery cannot be signed.
    NotSigned {
        /// Why not.
        cause: String,
    },
}

impl ReceiverFault {
    /// Returns the parts that stay the same when the same fault is found again: not the times, which differ from run to run.
    pub fn identity(&self) -> Value {
        const LASTING: [&str; 7] = [
            "kind", "delivery", "status", "flaw", "repeat", "gap", "event",
        ];
        let value = serde_json::to_value(self).unwrap_or_default();
        let members = value.as_object().cloned().unwrap_or_default();
        let mut kept: Map<String, Value> = members
            .into_iter()
            .filter(|(name, _)| LASTING.contains(&name.as_str()))
            .collect();
        for part in ["flaw", "gap"] {
            if let Some(kind) = kept.get(part).and_then(|part| part.get("kind")).cloned() {
                kept.insert(part.to_owned(), kind);
            }
        }
        Value::Object(kept)
    }
}
