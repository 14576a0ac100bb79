//! The description of webhooks: how deliveries are signed (`x-webhook-signature`) and what is promised about them (`x-webhook-delivery`),
//! read strictly from a document. `docs/webhook-extensions.md` specifies both. Everything here is pure: secrets, messages and the time are
//! arguments; nothing is sent.
//!
//! ```
//! use conformance_core::document::Document;
//! use conformance_core::hooks::{Description, Known, Message, Verdict};
//!
//! let document = Document::parse("pets.yaml", "
//! openapi: 3.1.0
//! info: {title: Pets, version: '1'}
//! webhooks: {sold: {post: {operationId: onSold}}}
//! x-webhook-signature: {preset: stripe, key: {request: /secret}}
//! x-webhook-delivery: {retry: {offsets: [60, 300]}}
//! ")?;
//! // Of the document as a whole, or of one webhook by the pointer of its operation.
//! let description = Description::of(&document, "/webhooks/sold/post").expect("a well-formed description");
//! let signing = description.signing.expect("deliveries are signed");
//! let secrets = signing.secrets(&Known { given: &["s3cret".to_owned()], ..Known::default() })?;
//!
//! let now = "2026-01-01T00:00:00Z".parse()?;
//! let mut message = Message::post("https://example.com/hook", "{}");
//! signing.sign(&secrets, &mut message, "evt_1", now)?;
//! assert_eq!(signing.verify(&secrets, &message, Some(now)), Verdict::Verified);
//!
//! message.body = b"[]".to_vec();
//! assert!(matches!(signing.verify(&secrets, &message, Some(now)), Verdict::Refused(_)));
//!
//! let retry = description.promise.retry.expect("retries are promised");
//! assert_eq!(retry.total(), Some(2));
//! assert_eq!(retry.due(1, &[0.0, 60.0]).unwrap().usual, 300.0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! An operation below `webhooks` or `callbacks` may have both extensions of its own; they replace those of the document. Where a document
//! has no `x-webhook-signature`, `x-fern-webhook-signature` or `x-speakeasy-webhooks` is read in its place.

mod algorithm;
mod certificate;
mod der;
mod encoding;
mod handshake;
mod import;
mod jws;
mod key;
mod location;
mod message;
mod message_signature;
pub mod preset;
mod promise;
mod read;
mod refusal;
mod scheme;
mod secrets;
mod sign;
mod template;
mod vector;
mod verify;

use serde::Serialize;
use serde_json::Value;

use crate::document::{Document, Operation, pointer};

pub use algorithm::Algorithm;
pub use certificate::{Certificate, CertificatePlace, Certificates};
pub use handshake::{Answer, Condition, Handshake};
pub use key::{Key, KeyEncoding};
pub use location::{Carrier, Field, Location};
pub use message::Message;
pub use promise::{Due, Gone, Order, Pending, Promise, Redirects, Retry, Schedule, Statuses};
pub use read::Fault;
pub use refusal::Refusal;
pub use scheme::{
    Digest, Encoding, Hash, KeyRule, KeySource, Required, Scheme, Signature, TimeFormat, Timestamp,
};
pub use secrets::{Known, Secrets};
pub use sign::SignError;
pub use template::Template;
pub use vector::Vector;
pub use verify::Verdict;

use read::Faults;

/// The extension that says how deliveries are signed.
pub const SIGNATURE: &str = "x-webhook-signature";

/// The extension that says what is promised about deliveries.
pub const DELIVERY: &str = "x-webhook-delivery";

/// The JSON Schema of `x-webhook-signature`.
pub const SIGNATURE_SCHEMA: &str = include_str!("signature.schema.json");

/// The JSON Schema of `x-webhook-delivery`.
pub const DELIVERY_SCHEMA: &str = include_str!("delivery.schema.json");

/// How deliveries are signed: schemes that all hold, each where it applies.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Signing {
    /// The schemes, in the order of the document.
    pub schemes: Vec<Scheme>,
}

impl Signing {
    /// Reads the value of `x-webhook-signature` that is at the JSON pointer `at`.
    ///
    /// # Errors
    /// All faults, each with its place. A test vector that does not verify is one.
    pub fn read(value: &Value, at: &str) -> Result<Self, Vec<Fault>> {
        let faults = Faults::default();
        let schemes = scheme::read(value, at, &faults);
        let faults = faults.take();
        if !faults.is_empty() {
            return Err(faults);
        }
        let wrong: Vec<Fault> = schemes
            .iter()
            .enumerate()
            .flat_map(|(index, scheme)| {
                let at = if value.is_array() {
                    format!("{at}/{index}")
                } else {
                    at.to_owned()
                };
                scheme.wrong_vectors(&at)
            })
            .collect();
        if wrong.is_empty() {
            Ok(Self { schemes })
        } else {
            Err(wrong)
        }
    }
}

impl Signing {
    /// Whether a signature, a timestamp or an id is a member of the body, so that the body differs between attempts.
    pub fn is_in_body(&self) -> bool {
        self.schemes.iter().any(|scheme| {
            let time = scheme
                .timestamp
                .as_ref()
                .and_then(|time| time.location.as_ref());
            let places = [Some(&scheme.signature.location), time];
            places
                .into_iter()
                .flatten()
                .any(|place| matches!(place.carrier, Carrier::Member(_)))
        })
    }
}

impl Scheme {
    /// The test vectors that do not verify.
    fn wrong_vectors(&self, at: &str) -> Vec<Fault> {
        let wrong = |(index, vector): (usize, &Vector)| {
            let problem = match self.key(&vector.key) {
                Err(problem) => problem,
                Ok(keys) => {
                    let secrets = Secrets {
                        keys: vec![keys],
                        registration: vector.registration.clone(),
                        certificates: None,
                    };
                    let signing = Signing {
                        schemes: vec![self.clone()],
                    };
                    match signing.verify(&secrets, &vector.message(self), None) {
                        Verdict::Verified => return None,
                        Verdict::Unsigned => "is not a message that is signed so".to_owned(),
                        Verdict::Refused(refusal) => format!("does not verify: {refusal}"),
                    }
                }
            };
            Some(Fault {
                at: format!("{at}/testVectors/{index}"),
                problem,
            })
        };
        self.test_vectors
            .iter()
            .enumerate()
            .filter_map(wrong)
            .collect()
    }
}

/// All that a document says about the deliveries of one webhook.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Description {
    /// How they are signed; none where the document does not say that they are.
    pub signing: Option<Signing>,
    /// The promise about them.
    pub promise: Promise,
    /// Whether the document has the promise, and not only its defaults.
    pub promised: bool,
}

impl Description {
    /// The description that holds for the operation at the JSON pointer `operation`; with an empty one, that of the document.
    ///
    /// # Errors
    /// All faults of both extensions, each with its place.
    pub fn of(document: &Document, operation: &str) -> Result<Self, Vec<Fault>> {
        let mut faults = Vec::new();
        let mut description = Self::default();
        match signing(document, operation) {
            Ok(signing) => description.signing = signing,
            Err(wrong) => faults.extend(wrong),
        }
        if let Some((at, value)) = extension(document, operation, DELIVERY) {
            match promise(value, &at) {
                Ok(promise) => {
                    description.promise = promise;
                    description.promised = true;
                }
                Err(wrong) => faults.extend(wrong),
            }
        }
        if faults.is_empty() {
            Ok(description)
        } else {
            Err(faults)
        }
    }
}

/// The nearest value of an extension, with its place.
fn extension<'d>(
    document: &'d Document,
    operation: &str,
    name: &str,
) -> Option<(String, &'d Value)> {
    let own = format!("{operation}/{name}");
    let value = document.at(&own).map(|value| (own, value));
    value.or_else(|| {
        let at = format!("/{name}");
        document.at(&at).map(|value| (at, value))
    })
}

fn signing(document: &Document, operation: &str) -> Result<Option<Signing>, Vec<Fault>> {
    if let Some((at, value)) = extension(document, operation, SIGNATURE) {
        return Signing::read(value, &at).map(Some);
    }
    for place in [operation, ""] {
        let members = document.at(place).and_then(Value::as_object);
        let Some((name, value)) = members.and_then(import::find) else {
            continue;
        };
        let at = format!("{place}/{name}");
        return match import::convert(name, value) {
            // The places of the converted form are not those of the document.
            Ok(own) => Signing::read(&own, &at).map(Some).map_err(|faults| {
                faults
                    .into_iter()
                    .map(|fault| Fault {
                        at: at.clone(),
                        ..fault
                    })
                    .collect()
            }),
            Err(problem) => Err(vec![Fault { at, problem }]),
        };
    }
    Ok(None)
}

fn promise(value: &Value, at: &str) -> Result<Promise, Vec<Fault>> {
    let faults = Faults::default();
    let promise = promise::read(value, at, &faults);
    let faults = faults.take();
    promise.filter(|_| faults.is_empty()).ok_or(faults)
}

/// All faults of the extensions of a document, wherever they stand, in document order.
pub fn faults(document: &Document) -> Vec<Fault> {
    let mut places = vec![String::new()];
    places.extend(deliveries(document).into_iter().map(|(_, one)| one.pointer));
    let mut found = Vec::new();
    for place in places {
        if let Some(value) = document.at(&format!("{place}/{SIGNATURE}")) {
            found.extend(
                Signing::read(value, &format!("{place}/{SIGNATURE}"))
                    .err()
                    .unwrap_or_default(),
            );
        } else if let Some((name, value)) = document
            .at(&place)
            .and_then(Value::as_object)
            .and_then(import::find)
        {
            let at = format!("{place}/{name}");
            if let Err(problem) = import::convert(name, value) {
                found.push(Fault { at, problem });
            }
        }
        if let Some(value) = document.at(&format!("{place}/{DELIVERY}")) {
            found.extend(
                promise(value, &format!("{place}/{DELIVERY}"))
                    .err()
                    .unwrap_or_default(),
            );
        }
    }
    found
}

/// The operations that receivers serve: those below `webhooks`, and those of the callbacks of operations. Each with the name of its webhook
/// or callback, which is its path: that of a callback is an expression, which says nothing of the event.
pub fn deliveries(document: &Document) -> Vec<(String, Operation<'_>)> {
    let webhooks = document.webhooks().into_iter();
    let mut found: Vec<_> = webhooks.map(|one| (one.path.to_owned(), one)).collect();
    for operation in document.operations() {
        let map = pointer::join(&operation.pointer, "callbacks");
        let names = document.at(&map).and_then(Value::as_object);
        for name in names.into_iter().flat_map(|names| names.keys()) {
            if let Some((at, _)) = document.resolve(&pointer::join(&map, name)) {
                let below = document.operations_below(&at).into_iter();
                found.extend(below.map(|one| {
                    let path = name.as_str();
                    (name.clone(), Operation { path, ..one })
                }));
            }
        }
    }
    found
}

/// Returns the meaning of an extension, in one spelling: presets are written out, defaults filled in. None where it cannot be read.
pub fn meaning(name: &str, value: &Value) -> Option<Value> {
    match name {
        SIGNATURE => serde_json::to_value(Signing::read(value, "").ok()?).ok(),
        DELIVERY => serde_json::to_value(promise(value, "").ok()?).ok(),
        _ => None,
    }
}

/// Whether two values of an extension mean the same. Those that cannot be read are as different as their JSON.
pub fn same(name: &str, one: &Value, other: &Value) -> bool {
    match (meaning(name, one), meaning(name, other)) {
        (Some(one), Some(other)) => one == other,
        _ => false,
    }
}

/// Whether a change of an extension breaks receivers: they refuse what is signed in another way, and build on some of the promises.
pub fn breaks_receivers(name: &str, old: Option<&Value>, new: Option<&Value>) -> bool {
    if name == SIGNATURE {
        return true;
    }
    if name != DELIVERY {
        return false;
    }
    let read = |value: Option<&Value>| match value {
        None => Some(Promise::default()),
        Some(value) => promise(value, "").ok(),
    };
    let (Some(old), Some(new)) = (read(old), read(new)) else {
        // Nobody can tell what it promises.
        return true;
    };
    let narrower = (100..600).any(|status| old.accepts(status) && !new.accepts(status));
    let sooner = match (old.deadline, new.deadline) {
        (Some(old), Some(new)) => new < old,
        (None, Some(_)) => true,
        (_, None) => false,
    };
    let unordered = old.order != Order::None && new.order == Order::None;
    let repeats = !old.duplicates && new.duplicates;
    narrower || sooner || unordered || repeats || old.id != new.id || old.handshake != new.handshake
}
