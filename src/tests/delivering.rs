//! Helpers that tests of the operator API share: publishing, waiting for deliveries, signatures. Never starts a server.

use std::time::{Duration, Instant};

use data_encoding::{BASE64, HEXLOWER};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use super::app::{Answer, CONDUIT_CLIENT, Client, TestApp};
use super::receiver::{PATIENCE, Received};
use super::shape::{create_conduit, create_equals, id_of};

pub(crate) const TRANSACTION: &str = "transaction.completed";

/// Registers a webhook of Conduit for completed transactions; gives its id.
pub(crate) async fn conduit_webhook(app: &TestApp, url: &str) -> String {
    let body = json!({ "url": url, "status": "enabled", "events": [TRANSACTION] });
    id_of(&create_conduit(&app.conduit(), body).await)
}

/// Registers a webhook of Equals Money for credited boxes of every account; gives its id.
pub(crate) async fn equals_webhook(app: &TestApp, url: &str) -> String {
    let body = json!({
        "url": url, "enabled": true, "webhookEventTypeName": "BoxCredited", "sharedSecret": "s",
        "authorizationHeader": "Basic c2VjcmV0",
    });
    id_of(&create_equals(&app.equals(), body).await)
}

/// An event that the webhook of [`conduit_webhook`] wants.
pub(crate) fn conduit_event() -> Value {
    json!({ "provider": "conduit", "type": TRANSACTION, "clientId": CONDUIT_CLIENT })
}

/// An event that the webhook of [`equals_webhook`] wants.
pub(crate) fn equals_event() -> Value {
    json!({ "provider": "equals-money", "type": "BoxCredited", "accountId": "F12345" })
}

/// The answer is JSON with this status.
#[track_caller]
pub(crate) fn accepted(answer: &Answer, status: u16) -> Value {
    assert_eq!(answer.status, status, "{}", answer.text());
    assert_eq!(answer.header("content-type"), Some("application/json"));
    answer.json()
}

/// The answer is a problem with this status and faults at these places.
#[track_caller]
pub(crate) fn assert_problem(answer: &Answer, status: u16, pointers: &[&str]) {
    assert_eq!(answer.status, status, "{}", answer.text());
    assert_eq!(
        answer.header("content-type"),
        Some("application/problem+json")
    );
    let problem = answer.json();
    assert_eq!(problem["type"], "about:blank");
    assert_eq!(problem["status"], status);
    assert!(
        problem["title"].is_string() && problem["detail"].is_string(),
        "{problem}"
    );
    assert_eq!(
        problem.get("errors").is_some(),
        matches!(status, 400 | 422),
        "{problem}"
    );
    assert_eq!(answer.pointers(), pointers, "{problem}");
}

/// Publishes an event; gives what the publisher is told.
pub(crate) async fn publish(client: &Client, event: Value) -> Value {
    accepted(&client.post("/events", event).await, 202)
}

/// The deliveries that a query finds.
pub(crate) async fn deliveries(client: &Client, query: &str) -> Vec<Value> {
    let list = accepted(&client.get(&format!("/deliveries?{query}")).await, 200);
    list["data"].as_array().unwrap().clone()
}

/// The id of the one delivery of an event.
pub(crate) async fn delivery_of(client: &Client, published: &Value) -> String {
    let found = deliveries(
        client,
        &format!("eventId={}", published["id"].as_str().unwrap()),
    )
    .await;
    assert_eq!(found.len(), 1, "{found:?}");
    found[0]["id"].as_str().unwrap().to_owned()
}

/// The delivery, once it is as wanted.
pub(crate) async fn delivery_when(
    client: &Client,
    id: &str,
    wanted: impl Fn(&Value) -> bool,
) -> Value {
    until(async || {
        let delivery = accepted(&client.get(&format!("/deliveries/{id}")).await, 200);
        if wanted(&delivery) {
            Ok(delivery)
        } else {
            Err(delivery)
        }
    })
    .await
}

/// Whether so many attempts of a delivery are recorded.
pub(crate) fn recorded(count: usize) -> impl Fn(&Value) -> bool {
    move |delivery| {
        let attempts = delivery["attempts"].as_array().unwrap();
        attempts.len() == count && attempts.iter().all(|attempt| attempt["recorded"] == true)
    }
}

/// Looks until it is `Ok`. Gives up when what is seen has not changed for a long time: a slow machine is not taken for a fault.
pub(crate) async fn until<T>(mut look: impl AsyncFnMut() -> Result<T, Value>) -> T {
    let started = Instant::now();
    let mut changed = started;
    let mut last = Value::Null;
    loop {
        match look().await {
            Ok(found) => return found,
            Err(seen) if seen != last => (changed, last) = (Instant::now(), seen),
            Err(_) => {}
        }
        let gives_up = changed.elapsed() > PATIENCE || started.elapsed() > 10 * PATIENCE;
        assert!(!gives_up, "never came: {last}");
        pause(Duration::from_millis(5)).await;
    }
}

async fn pause(time: Duration) {
    let _ = tokio::time::timeout(time, std::future::pending::<()>()).await;
}

fn hmac(key: &str, parts: &[&[u8]]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap();
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().to_vec()
}

/// Computes the `conduit-signature` of a delivery.
pub(crate) fn conduit_signature(secret: &str, received: &Received) -> String {
    let timestamp = received.header("conduit-signature-timestamp").unwrap();
    HEXLOWER.encode(&hmac(secret, &[timestamp.as_bytes(), b".", &received.body]))
}

/// Computes the `x-em-signature` of a delivery.
pub(crate) fn equals_signature(secret: &str, received: &Received) -> String {
    BASE64.encode(&hmac(secret, &[&received.body]))
}
