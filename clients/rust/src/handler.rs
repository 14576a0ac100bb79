//! Receives webhooks: verified, typed, each once. Copy this file with `verify.rs`; it needs `axum` and `serde_json`.

use std::sync::Arc;
use std::time::SystemTime;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use conduit::models::{CounterpartyNotification, CustomerNotification, TransactionNotification};
use equals_money::models::Notification;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::verify::{verify_conduit, verify_equals_money};

/// An event, by its kind.
#[derive(Debug)]
#[expect(dead_code, reason = "what serves the handlers here only counts events")]
pub enum Event {
    /// An event of Conduit, such as `counterparty.active`.
    Counterparty(Box<CounterpartyNotification>),
    /// An event of Conduit, such as `customer.created`.
    Customer(Box<CustomerNotification>),
    /// An event of Conduit, such as `transaction.completed`.
    Transaction(Box<TransactionNotification>),
    /// An event of Equals Money; `webhook_event_type_name` of its body is its type.
    EqualsMoney(Box<Notification>),
    /// An event of a type that is newer than this file, or that does not fit its type. Keep it, and answer 2xx all the same.
    Unknown {
        /// The type.
        kind: String,
        /// The whole.
        body: Value,
    },
}

/// Handles an event unless it did before with the same id: keep the ids in the database, under a unique key, in the transaction that does
/// the work.
pub type Once = Arc<dyn Fn(String, Event) + Send + Sync>;

/// Reads an event of Conduit; none where the body is not one.
pub fn parse_conduit(body: &[u8]) -> Option<Event> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let kind = body.get("event")?.as_str()?.to_owned();
    Some(match kind.split('.').next() {
        Some("counterparty") => typed(kind, body, Event::Counterparty),
        Some("customer") => typed(kind, body, Event::Customer),
        Some("transaction") => typed(kind, body, Event::Transaction),
        _ => Event::Unknown { kind, body },
    })
}

/// Reads an event of Equals Money, and its id; none where the body is not one.
pub fn parse_equals_money(body: &[u8]) -> Option<(String, Event)> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let inner = body.get("body")?;
    let id = inner.get("messageId")?.as_str()?.to_owned();
    let kind = inner.get("webhookEventTypeName")?.as_str()?.to_owned();
    Some((id, typed(kind, body, Event::EqualsMoney)))
}

fn typed<T: DeserializeOwned>(kind: String, body: Value, wrap: fn(Box<T>) -> Event) -> Event {
    match T::deserialize(&body) {
        Ok(one) => wrap(Box::new(one)),
        Err(_) => Event::Unknown { kind, body },
    }
}

/// Handles deliveries of Conduit.
pub fn conduit(secret: String, once: Once) -> Router {
    let receive = |State((secret, once)): State<(String, Once)>, headers: HeaderMap, body: Bytes| async move {
        let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let (signature, timestamp) = (header("conduit-signature"), header("conduit-signature-timestamp"));
        if verify_conduit(&secret, signature, timestamp, &body, SystemTime::now()).is_err() {
            return StatusCode::BAD_REQUEST;
        }
        let Some(event) = parse_conduit(&body) else {
            return StatusCode::BAD_REQUEST;
        };
        once(header("conduit-webhook-idempotency-key").unwrap_or_default().to_owned(), event);
        StatusCode::NO_CONTENT
    };
    Router::new().route("/conduit", post(receive)).with_state((secret, once))
}

/// Handles notifications of Equals Money.
pub fn equals_money(secret: String, once: Once) -> Router {
    let receive = |State((secret, once)): State<(String, Once)>, headers: HeaderMap, body: Bytes| async move {
        let signature = headers.get("x-em-signature").and_then(|value| value.to_str().ok());
        if verify_equals_money(&secret, signature, &body).is_err() {
            return StatusCode::BAD_REQUEST;
        }
        let Some((id, event)) = parse_equals_money(&body) else {
            return StatusCode::BAD_REQUEST;
        };
        once(id, event);
        StatusCode::NO_CONTENT
    };
    Router::new().route("/equals-money", post(receive)).with_state((secret, once))
}
