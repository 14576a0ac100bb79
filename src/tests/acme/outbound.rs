//! Outbound: what the rest of the server asks about the webhooks that are sent.

use std::collections::HashMap;

use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use sha2::Sha256;
use uuid::Uuid;

use crate::domain::{Audience, DueDelivery, Event, Outcome, SentHeader};
use crate::http::{Faults, RequestSchema};
use crate::openapi::sample;
use crate::provider::{Outbound, OutboundRequest, RequestHeader};

pub(super) const EVENT_TYPES: [&str; 2] = ["parcel.sent", "parcel.delivered"];

/// Failed deliveries are attempted again every hour for a day.
const INTERVAL: SignedDuration = SignedDuration::from_hours(1);
const PERIOD: SignedDuration = SignedDuration::from_hours(24);

pub(super) struct AcmeOutbound {
    parcel: RequestSchema,
    samples: HashMap<&'static str, String>,
}

impl AcmeOutbound {
    pub(super) fn new(document: &Value) -> Self {
        let data = |event_type| sample(document, event_type)["data"].to_string();
        Self {
            parcel: RequestSchema::compile(document, "Parcel", &[]),
            samples: EVENT_TYPES.map(|name| (name, data(name))).into(),
        }
    }
}

impl Outbound for AcmeOutbound {
    fn audience(&self, event_type: &str) -> Option<Audience> {
        EVENT_TYPES.contains(&event_type).then_some(Audience::Owner)
    }

    fn event_types(&self) -> Vec<String> {
        EVENT_TYPES.map(str::to_owned).to_vec()
    }

    fn sample(&self, event_type: &str) -> Option<String> {
        self.samples.get(event_type).cloned()
    }

    fn faults(&self, _: &str, data: Value) -> Faults {
        self.parcel.faults(&data).below("/data")
    }

    fn request(&self, due: &DueDelivery, _: Timestamp) -> OutboundRequest {
        let body = self.body(&due.event, due.id);
        let mut headers = vec![RequestHeader::plain("content-type", "application/json")];
        if let Some(secret) = &due.target.signing_secret {
            headers.push(RequestHeader::plain(
                "acme-signature",
                sign(secret.expose(), &body),
            ));
        }
        OutboundRequest {
            headers,
            body: body.into(),
        }
    }

    fn body(&self, event: &Event, delivery: Uuid) -> Vec<u8> {
        let (name, data) = (json!(event.event_type), &event.data);
        format!(r#"{{"id":"{delivery}","event":{name},"data":{data}}}"#).into_bytes()
    }

    fn signed_bytes(&self, headers: &[SentHeader], body: &[u8]) -> Option<Vec<u8>> {
        let signed = headers.iter().any(|(name, _)| name == "acme-signature");
        signed.then(|| body.to_vec())
    }

    fn retry_at(
        &self,
        due: &DueDelivery,
        _: &Outcome,
        now: Timestamp,
        _: f64,
    ) -> Option<Timestamp> {
        let next = now.checked_add(INTERVAL).ok()?;
        (next <= self.gives_up_at(due.first_attempt_at)).then_some(next)
    }

    fn gives_up_at(&self, first_attempt_at: Timestamp) -> Timestamp {
        first_attempt_at
            .checked_add(PERIOD)
            .unwrap_or(Timestamp::MAX)
    }
}

pub(super) fn sign(key: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("any length will do");
    mac.update(body);
    HEXLOWER.encode(&mac.finalize().into_bytes())
}
