//! The table of rules about handlers of webhooks. A rule is named after the claim that it breaks.

use super::{Rule, Shown};
use crate::finding::Severity::{Breaking, Undecided, Warning};

macro_rules! rules {
    ($($name:ident = $id:literal $severity:ident $meaning:literal, $documented:literal => $found:literal;)*) => {
        $(pub const $name: &str = $id;)*

        /// All rules.
        pub static ALL: &[Shown] = &[$(Shown {
            rule: Rule { id: $id, severity: $severity, meaning: $meaning },
            documented: $documented,
            found: $found,
        }),*];
    };
}

rules! {
    DELIVERY_ACCEPTED = "delivery-accepted" Breaking "The handler does not accept a delivery that is signed and as documented.",
        "the sample of order.created, signed" => "401 Unauthorized";
    DELIVERY_IN_TIME = "delivery-in-time" Breaking "The handler accepts a delivery later than the provider waits, which then sends it again.",
        "x-webhook-delivery: { deadline: 5 }" => "a response after 7 s";
    BYTES_VERIFIED = "bytes-verified" Breaking "The handler verifies what it read and wrote again, and not the bytes that came: it refuses JSON that is written otherwise.",
        "{ \"id\": 1 }, signed so" => "401 Unauthorized";
    TOLERANCE_KEPT = "tolerance-kept" Warning "The handler refuses a delivery whose time is within the documented tolerance.",
        "timestamp: { tolerance: 300 }" => "signed 150 s ago: 401 Unauthorized";
    ROTATION_ACCEPTED = "rotation-accepted" Breaking "The handler refuses a delivery with two signatures, of which one is right, as providers send them while a secret is replaced.",
        "v1=<of the old secret>,v1=<of the new secret>" => "401 Unauthorized";
    MEMBERS_TOLERATED = "members-tolerated" Breaking "The handler refuses a delivery without optional members, or with members that are new.",
        "required: [id]" => "a delivery without `note`: 400 Bad Request";
    PAYLOAD_ACCEPTED = "payload-accepted" Warning "The handler refuses a payload that the document allows.",
        "amount: { type: integer, maximum: 9000000000 }" => "9000000000: 400 Bad Request";
    FORGED_REFUSED = "forged-refused" Breaking "The handler accepts a delivery that is not signed, not with the secret, or not with the algorithm; a warning where it had no effect.",
        "x-webhook-signature: { algorithm: hmac-sha256, .. }" => "a delivery without a signature: 200 OK";
    TAMPERED_REFUSED = "tampered-refused" Breaking "The handler accepts a delivery that was changed after it was signed; a warning where it had no effect.",
        "signed: '{timestamp}.{body}'" => "another amount with the old signature: 200 OK";
    STALE_REFUSED = "stale-refused" Breaking "The handler accepts a delivery that was signed longer ago, or longer ahead, than is tolerated; a warning where it had no effect.",
        "timestamp: { tolerance: 300 }" => "signed 3900 s ago: 200 OK";
    REFUSED_WITHOUT_EFFECT = "refused-without-effect" Breaking "The handler refuses a forged delivery, but has acted on it.",
        "401 Unauthorized" => "the effect is there all the same";
    REFUSAL_CLEAR = "refusal-clear" Warning "The handler does not answer 4xx to a forged delivery: it fails, redirects or closes the connection.",
        "a delivery without a signature" => "500 Internal Server Error";
    HANDLER_SURVIVES = "handler-survives" Breaking "The handler fails with 5xx, or without a response, on a delivery that is unusual or broken.",
        "a body that is not JSON" => "500 Internal Server Error";
    UNKNOWN_EVENT_ACKNOWLEDGED = "unknown-event-acknowledged" Warning "The handler refuses an event of a type that it does not know; the provider repeats it, and may disable the webhook.",
        "{ \"type\": \"conformance.unknown\" }" => "400 Bad Request";
    HANDSHAKE_ANSWERED = "handshake-answered" Breaking "The handler does not answer the handshake as the provider needs it.",
        "handshake: [{ answer: { body: '{query.challenge}' } }]" => "404 Not Found";
    REPEAT_ACCEPTED = "repeat-accepted" Breaking "The handler refuses a delivery that it has had before; the provider goes on to repeat it.",
        "the same delivery again" => "409 Conflict";
    EFFECTIVE_ONCE = "effective-once" Breaking "A delivery that comes twice, at once or later, has its effect twice.",
        "one delivery, sent twice" => "two orders";
    ID_EFFECTIVE_ONCE = "id-effective-once" Warning "A second delivery with the same id and another body has an effect of its own.",
        "the id evt_1 again, with another amount" => "two orders";
    ORDER_TOLERATED = "order-tolerated" Breaking "The handler refuses or loses a delivery that comes after a newer one, though no order is promised.",
        "signed at 10:00:00, after one of 10:01:00" => "409 Conflict";
    EFFECT_UNDECIDED = "effect-undecided" Undecided "Whether a repetition has an effect of its own is not known; --effect names what shows it.",
        "one delivery, sent twice" => "200 OK, and nothing more is known";
    SIGNATURE_UNDECIDED = "signature-undecided" Undecided "Whether the handler refuses forged deliveries is not known: the document does not say enough of the signature, or there is no secret.",
        "x-webhook-signature: .." => "no such member";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_and_meanings_are_sentences() {
        for (index, Shown { rule, .. }) in ALL.iter().enumerate() {
            assert!(rule.meaning.ends_with('.'), "{}", rule.id);
            let before = &ALL[..index];
            assert!(
                before.iter().all(|other| other.rule.id != rule.id),
                "{}",
                rule.id
            );
        }
    }
}
