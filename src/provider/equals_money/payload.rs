//! Outbound: composes what we send, of the bytes that were published.

use uuid::Uuid;

use crate::domain::Event;

/// The members that the server adds behind those that were published.
pub(super) const ADDED: [&str; 2] = ["messageId", "webhookEventTypeName"];

/// The body that tells of `event`, the same bytes on every attempt (E-50, E-61, E-63).
///
/// The published members go in as they are, token by token: reading and writing them again would change `1.10` and 2^53+1.
///
/// # Panics
/// When the event's data is not a JSON object: only objects are published.
pub(super) fn compose(event: &Event, message_id: Uuid) -> Vec<u8> {
    let members = event
        .data
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'))
        .expect("the data of an event is a compact JSON object");
    let comma = if members.is_empty() { "" } else { "," };
    let event_type = &event.event_type;
    format!(
        r#"{{"body":{{{members}{comma}"messageId":"{message_id}","webhookEventTypeName":"{event_type}"}}}}"#
    )
    .into_bytes()
}
