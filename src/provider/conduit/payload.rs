//! Outbound: composes what we send, of the bytes that were published.

use crate::domain::Event;

/// The body that tells of `event`, the same bytes on every attempt and for every webhook (C-48 to C-50).
///
/// `data` goes in as it was published, token by token: reading and writing it again would change `1.10` and 2^53+1.
pub(super) fn compose(event: &Event) -> Vec<u8> {
    let Event {
        event_type,
        data,
        sequence,
        created_at,
        ..
    } = event;
    format!(
        r#"{{"event":"{event_type}","version":"1.0","event_timestamp":"{created_at:.3}","event_sequence":{sequence},"data":{data}}}"#
    )
    .into_bytes()
}
