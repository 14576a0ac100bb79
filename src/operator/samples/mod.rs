//! Requests and their answers, and refusals, by resource; replayed against a running server. Here, those of several operations.

mod deliveries;
mod events;
mod keys;
mod replays;

use serde_json::{Value, json};

use crate::http::UNKNOWN_PARAMETER;
use crate::openapi::{Refusal, Sample};

const CLIENT: &str = "client_2ofTA13AD0xBtbEvBl20aEb1hEu";
const EQUALS_WEBHOOK: &str = "6f1c0a52-8d3e-4b7a-9c64-2e5d7b90f318";
const CONDUIT_WEBHOOK: &str = "whk_31BbTJ0ORWosbmona9WP0ThJYT5";
const EQUALS_EVENT: &str = "evt_351DUZaHXTOPxyvBf6L9XdlW5oq";
const CONDUIT_EVENT: &str = "evt_351CswRma2kY33cMYX0OapsWW3J";
const PRODUCT: &str = "911db6db-ef58-4992-87cd-2fe2cfde05f9";
const SOME_UUID: &str = "0ad52e33-8662-4923-b15f-d45a73c6e973";

/// Requests and answers.
pub(super) fn samples() -> Vec<Sample> {
    [
        events::samples(),
        deliveries::samples(),
        replays::samples(),
        keys::samples(),
    ]
    .concat()
}

/// Requests that are refused, in the order in which the document shows them.
pub(super) fn refusals() -> Vec<Refusal> {
    [
        common(),
        events::refusals(),
        deliveries::refusals(),
        replays::refusals(),
        keys::refusals(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn common() -> Vec<Refusal> {
    vec![
        refusal(
            &[],
            "unknown-parameter",
            400,
            "The query is not valid.",
            &[("unknown", UNKNOWN_PARAMETER)],
            json!({ "path": { "id": SOME_UUID }, "query": { "unknown": "1" } }),
        ),
        refusal(
            &["publishEvent", "createReplay", "createKey"],
            "malformed-json",
            400,
            "The request body is not valid JSON.",
            &[("", "must be JSON")],
            json!({ "body": r#"{"provider":"# }),
        ),
        refusal(
            &[],
            "no-credentials",
            401,
            r#"The Authorization header is missing; send "Authorization: Bearer <key>"."#,
            &[],
            json!({ "path": { "id": SOME_UUID }, "headers": { "Authorization": null } }),
        ),
        refusal(
            &[],
            "wrong-key",
            401,
            "This key is not known or was revoked.",
            &[],
            json!({ "path": { "id": SOME_UUID }, "headers": { "Authorization": "Bearer not-a-key" } }),
        ),
        refusal(
            &[],
            "wrong-method",
            405,
            "This path does not have this method.",
            &[],
            json!({ "method": "PUT", "path": { "id": SOME_UUID } }),
        ),
        refusal(
            &[],
            "not-json",
            415,
            "The Content-Type must be application/json.",
            &[],
            json!({ "headers": { "Content-Type": "text/plain" } }),
        ),
        refusal(
            &["listEvents", "listDeliveries"],
            "limit-out-of-range",
            400,
            "The query is not valid.",
            &[("limit", "must be an integer from 1 to 1000")],
            json!({ "query": { "limit": "1001" } }),
        ),
        refusal(
            &["listEvents", "listDeliveries"],
            "unusable-cursor",
            400,
            "The query is not valid.",
            &[("cursor", "must be the next of an earlier page")],
            json!({ "query": { "cursor": "not-a-cursor" } }),
        ),
    ]
}

fn refusal(
    operations: &'static [&'static str],
    name: &'static str,
    status: u16,
    detail: &str,
    faults: &[(&str, &str)],
    replay: Value,
) -> Refusal {
    let title = match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        404 => "Not Found",
        405 => "Method Not Allowed",
        415 => "Unsupported Media Type",
        _ => "Unprocessable Content",
    };
    let mut answer =
        json!({ "type": "about:blank", "title": title, "status": status, "detail": detail });
    if !faults.is_empty() {
        let errors = faults
            .iter()
            .map(|(pointer, detail)| json!({ "pointer": pointer, "detail": detail }));
        answer["errors"] = errors.collect();
    }
    Refusal {
        operations,
        name,
        status,
        answer,
        replay,
    }
}

/// The bodies of answers that no sample of a request could bring about: to a body of more than `limit` bytes, and when the server fails.
pub(crate) fn failures(limit: usize) -> Vec<(u16, Value)> {
    let too_large = format!("The body must have at most {limit} bytes.");
    let failed = "The request could not be handled. Try again later.";
    let body = |status: u16, title: &str, detail: &str| {
        let body =
            json!({ "type": "about:blank", "title": title, "status": status, "detail": detail });
        (status, body)
    };
    vec![
        body(413, "Content Too Large", &too_large),
        body(500, "Internal Server Error", failed),
    ]
}
