//! The table of rules about deliveries. A rule is named after the claim that it breaks.

use super::{Rule, Shown};
use crate::finding::Severity::{Breaking, Info, Undecided, Warning};

rules! {
    METHOD = "delivery-method" Breaking "A delivery has another method than its webhook.",
        "post" => "PUT /hook";
    DOCUMENTED = "delivery-documented" Breaking "A delivery belongs to no webhook of the document.",
        "webhooks: { paid: .. }" => "{ \"type\": \"lost\" }";
    PARAMETER = "delivery-parameter" Breaking "A header or query parameter of a delivery is missing or not valid.",
        "X-Event: { required: true }" => "no X-Event";
    CONTENT_TYPE = "delivery-content-type" Breaking "The content type of a delivery is missing or not a documented one.",
        "content: { application/json: .. }" => "Content-Type: text/plain";
    BODY = "delivery-body" Breaking "The body of a delivery is missing, cannot be read, or violates its schema.",
        "id: { type: string }" => "{ \"id\": 7 }";
    WRITE_ONLY = "delivery-write-only" Breaking "A delivery has a member that is `writeOnly`: only clients send it.",
        "password: { writeOnly: true }" => "{ \"password\": \"..\" }";
    SAMPLE = "delivery-sample" Warning "The body of a delivery lacks members that the documented sample has.",
        "{ \"id\": \"a\", \"name\": \"n\" }" => "{ \"id\": \"a\" }";
    SIGNATURE = "delivery-signature" Breaking "A delivery is not signed as `x-webhook-signature` says.",
        "signed: '{timestamp}.{body}'" => "the signature of the body alone";
    SIGNATURE_WEAK = "delivery-signature-weak" Warning "The signature does not cover the body or the timestamp, so a change of it is not noticed.",
        "signed: '{timestamp}.{body}'" => "signed: '{body}'";
    TIME = "delivery-time" Breaking "The time of signing is not the time of sending.",
        "timestamp: { tolerance: 300 }" => "a timestamp of yesterday";
    ARRIVES = "delivery-arrives" Breaking "An event was triggered, and its delivery did not arrive.",
        "paid" => "nothing within 10 s";
    FAN_OUT = "delivery-fan-out" Breaking "Not every webhook that subscribed to an event got it.",
        "3 webhooks" => "2 deliveries";
    SUBSCRIBED = "delivery-subscribed" Breaking "A webhook got an event that it did not subscribe to.",
        "events: [paid]" => "a delivery of lost";
    ENDED = "delivery-ended" Breaking "A delivery came after the webhook was disabled or deleted, or after it answered 410.",
        "DELETE /webhooks/7: 204" => "a delivery afterwards";
    PENDING = "delivery-pending" Breaking "A pending delivery of a disabled or deleted webhook is not cancelled, paused or continued as promised.",
        "afterDisable: pause" => "a retry while the webhook is disabled";
    OWN_ACCOUNT = "delivery-own-account" Breaking "A webhook got an event of another account.",
        "a webhook of the second user" => "an event of the first user";
    ONCE = "delivery-once" Breaking "A delivery that was accepted came again; a warning where duplicates are allowed.",
        "204 No Content" => "the same delivery again";
    ID = "delivery-id" Breaking "The id of a delivery is missing, changes between attempts, or is that of another delivery.",
        "id: { header: X-Id }" => "a new id on the second attempt";
    BYTES = "delivery-bytes" Breaking "The body of a retry is not the body of the first attempt.",
        "{\"a\":1}" => "{\"a\": 1}";
    SIGNED_ANEW = "delivery-signed-anew" Breaking "A retry is not signed with its own time, or is although it should not be.",
        "retry: { signature: fresh }" => "the timestamp of the first attempt";
    RETRY_TIME = "retry-time" Breaking "A retry came earlier or later than promised.",
        "retry: { offsets: [60] }" => "a retry after 10 s";
    RETRY_COUNT = "retry-count" Breaking "There were fewer or more retries than promised.",
        "retry: { offsets: [60, 300] }" => "3 retries";
    SUCCESS = "delivery-success" Breaking "An answer that counts as delivered was treated as a failure.",
        "success: [2XX]" => "a retry after 204";
    FAILURE = "delivery-failure" Breaking "An answer that counts as a failure was treated as a success: there was no retry.",
        "success: [2XX]" => "no retry after 500";
    REDIRECT = "delivery-redirect" Breaking "A redirect was followed.",
        "redirects: fail" => "a request to the `Location`";
    RETRY_AFTER = "retry-after" Breaking "`Retry-After` was ignored.",
        "retryAfter: true" => "a retry after 1 s in spite of `Retry-After: 60`";
    DEADLINE = "delivery-deadline" Breaking "The sender waits for an answer for another time than promised.",
        "deadline: 10" => "it hangs up after 1 s";
    ISOLATED = "delivery-isolated" Breaking "A receiver that does not answer delayed the deliveries to another one.",
        "two webhooks, one of which hangs" => "the other one gets nothing for 10 s";
    ORDER = "delivery-order" Breaking "Deliveries came in another order than promised.",
        "order: per-webhook" => "lost, paid";
    SECRET = "delivery-secret" Breaking "A delivery contains the secret of a webhook.",
        "key: { response: /secret }" => "X-Secret: whsec_..";
    ROTATION = "delivery-rotation" Breaking "After a rotation deliveries are not signed with the secrets that should be in use.",
        "overlap: 3600" => "a signature with the new secret only";
    HANDSHAKE = "delivery-handshake" Undecided "A declared handshake was not made.",
        "handshake: [{ method: GET }]" => "no GET";
    LISTED = "delivery-listed" Breaking "An operation lists what was never delivered.",
        "GET /events: 7" => "no delivery of 7";
    OBSERVED = "delivery-observed" Info "No delivery of an event type was observed; undecided with `--fail-on-unobserved webhook`.",
        "webhooks: { paid: .. }" => "no delivery";
    TESTED = "delivery-tested" Undecided "Something could not be put to the test: no webhook could be registered, no event triggered, no key is known; info for retries that are due after the end of the run.",
        "POST /webhooks" => "403 Forbidden";
}
