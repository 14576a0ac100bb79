//! Inbound, seen from a client: how `truehook listen` registers a receiver.

use serde_json::json;

use super::NAME;
use crate::provider::{Registration, Wanted};

/// One webhook for all event types. The API makes its secret (C-10).
pub(super) fn registrations(wanted: &Wanted<'_>) -> Vec<Registration> {
    let name = NAME.to_string();
    let url = format!("{}/{name}", wanted.url);
    vec![Registration {
        name,
        event_types: wanted.event_types.to_vec(),
        body: json!({ "url": url, "events": wanted.event_types, "status": "enabled" }),
        key: None,
    }]
}
