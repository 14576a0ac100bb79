//! Test vectors: messages with their signatures.

use serde::Serialize;
use serde_json::{Map, Value};

use super::message::Message;
use super::read::{Faults, Object};
use super::scheme::Scheme;

/// A message with its signature, and the key that it belongs to.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Vector {
    /// The text of the key.
    pub key: String,
    /// The method.
    pub method: String,
    /// The registered URL.
    pub url: String,
    /// All headers that matter.
    pub headers: Map<String, Value>,
    /// The body.
    pub body: String,
    /// The timestamp, as it stands where the scheme says.
    pub timestamp: Option<String>,
    /// The id, as it stands where the scheme says.
    pub id: Option<String>,
    /// The signature, as it stands where the scheme says; none where `headers` or `body` has it.
    pub signature: Option<String>,
    /// The answer to the registration, where the signed text has a member of it.
    pub registration: Option<Value>,
}

pub(super) fn read(value: &Value, at: &str, faults: &Faults) -> Option<Vector> {
    let object = Object::new(value, at, faults)?;
    let owned = |name| object.text(name).map(str::to_owned);
    let vector = Vector {
        key: owned("key").unwrap_or_default(),
        method: owned("method").unwrap_or_else(|| "POST".to_owned()),
        url: owned("url").unwrap_or_else(|| "https://example.com/".to_owned()),
        headers: object.members("headers").cloned().unwrap_or_default(),
        body: owned("body").unwrap_or_default(),
        timestamp: owned("timestamp"),
        id: owned("id"),
        signature: owned("signature"),
        registration: object.value("registration").cloned(),
    };
    for name in ["key", "body"] {
        if !object.has(name) {
            object.fault_here(format!("`{name}` is missing"));
        }
    }
    object.close();
    Some(vector)
}

impl Vector {
    /// The message as it goes over the wire.
    pub fn message(&self, scheme: &Scheme) -> Message {
        let mut message = Message::post(&self.url, self.body.clone());
        message.method.clone_from(&self.method);
        for (name, value) in &self.headers {
            message.set_header(name, value.as_str().unwrap_or_default());
        }
        let time = scheme
            .timestamp
            .as_ref()
            .and_then(|time| time.location.as_ref());
        let mut parts = vec![(time, &self.timestamp), (scheme.id.as_ref(), &self.id)];
        let signature = self
            .signature
            .as_ref()
            .map(|text| format!("{}{text}", scheme.signature.prefix));
        parts.push((Some(&scheme.signature.location), &signature));
        for (location, value) in parts {
            if let (Some(location), Some(value)) = (location, value) {
                location.put(&mut message, value);
            }
        }
        message
    }
}
