//! Inbound, seen from a client: how `truehook listen` registers a receiver.

use data_encoding::BASE64;
use serde_json::json;

use crate::domain::Secret;
use crate::entropy;
use crate::provider::{Registration, Wanted};

/// One webhook for each event type, with a key that the client makes.
pub(super) fn registrations(wanted: &Wanted<'_>) -> Vec<Registration> {
    let registration = |event_type: &String| {
        // 24 of the 36 characters that a secret may have (E-22); 144 bits.
        let key = BASE64.encode(&entropy::bytes::<18>());
        let url = format!("{}/{event_type}", wanted.url);
        let mut body = json!({ "url": url, "enabled": true, "webhookEventTypeName": event_type });
        body[wanted.key_member] = json!(key);
        if let Some(account_id) = wanted.account_id {
            body["accountId"] = json!(account_id);
        }
        Registration {
            name: event_type.clone(),
            event_types: vec![event_type.clone()],
            body,
            key: Some(Secret::new(key)),
        }
    };
    wanted.event_types.iter().map(registration).collect()
}
