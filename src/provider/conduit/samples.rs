//! Inbound: requests and their answers as the docs show them, and refusals as we decided them; replayed against a running server.

use serde_json::{Value, json};

use crate::openapi::{Refusal, Sample};

const CLIENT: &str = "client_2ofTA13AD0xBtbEvBl20aEb1hEu";
const WEBHOOK: &str = "whk_31BbTJ0ORWosbmona9WP0ThJYT5";
const REFERENCE_WEBHOOK: &str = "whk_2ofTA13AD0xBtbEvBl20aEb1hEu";
const URL: &str = "https://www.example.com/webhooks";

/// Requests and answers.
pub(super) fn samples() -> Vec<Sample> {
    vec![
        // Guide "First webhook"; its placeholders and its short client id are listed as defects of the docs.
        create(
            "guide",
            json!({ "url": URL, "status": "enabled", "events": ["counterparty.active"], "organizationId": CLIENT }),
            webhook("enabled", json!(["counterparty.active"])),
        ),
        create(
            "without-organization",
            json!({ "url": URL, "status": "disabled", "events": ["transaction.created", "transaction.completed"] }),
            webhook(
                "disabled",
                json!(["transaction.created", "transaction.completed"]),
            ),
        ),
        create(
            "duplicate-events",
            json!({
                "url": URL, "status": "enabled", "organizationId": CLIENT,
                "events": ["customer.active", "customer.created", "customer.active"],
            }),
            webhook("enabled", json!(["customer.active", "customer.created"])),
        ),
        Sample {
            operation: "listWebhooks",
            name: "first-page",
            parameters: vec![("page[size]", json!(2))],
            request: None,
            answer: Some((
                200,
                json!({
                    "data": [
                        {
                            "id": REFERENCE_WEBHOOK, "url": URL, "status": "enabled", "organizationId": CLIENT,
                            "events": ["counterparty.active"],
                        },
                        webhook("disabled", json!(["transaction.created", "transaction.completed"])),
                    ],
                    "pagination": { "next": "d2hrXzMxQmJUSjBPUldvc2Jtb25hOVdQMFRoSllUNQ" },
                }),
            )),
        },
        // Page "Get webhook".
        Sample {
            operation: "getWebhook",
            name: "reference",
            parameters: vec![("id", json!(REFERENCE_WEBHOOK))],
            request: None,
            answer: Some((
                200,
                json!({
                    "url": URL, "events": ["counterparty.active"], "status": "enabled", "id": REFERENCE_WEBHOOK,
                    "organizationId": CLIENT, "secret": "5a0f3c9be1d24786ab30c5fe9d7218440e6b93d1f57ac2880b4e61d9372fca15",
                }),
            )),
        },
        patch(
            "change-events",
            json!({ "events": ["transaction.completed", "transaction.cancelled"] }),
            webhook(
                "enabled",
                json!(["transaction.completed", "transaction.cancelled"]),
            ),
        ),
        patch(
            "disable",
            json!({ "status": "disabled" }),
            webhook("disabled", json!(["counterparty.active"])),
        ),
        patch(
            "nothing",
            json!({}),
            webhook("enabled", json!(["counterparty.active"])),
        ),
        Sample {
            operation: "deleteWebhook",
            name: "guide",
            parameters: vec![("id", json!(WEBHOOK))],
            request: None,
            answer: None,
        },
    ]
}

fn webhook(status: &str, events: Value) -> Value {
    json!({ "id": WEBHOOK, "url": URL, "status": status, "organizationId": CLIENT, "events": events })
}

fn create(name: &'static str, request: Value, answer: Value) -> Sample {
    let answer = Some((201, answer));
    Sample {
        operation: "createWebhook",
        name,
        parameters: Vec::new(),
        request: Some(request),
        answer,
    }
}

fn patch(name: &'static str, request: Value, answer: Value) -> Sample {
    let parameters = vec![("id", json!(WEBHOOK))];
    Sample {
        operation: "patchWebhook",
        name,
        parameters,
        request: Some(request),
        answer: Some((200, answer)),
    }
}

/// Requests that are refused.
pub(super) fn refusals() -> Vec<Refusal> {
    let (create, patch, list) = (&["createWebhook"], &["patchWebhook"], &["listWebhooks"]);
    let (bad_url, bad_status) = (
        "Must be an absolute http or https URL with a host.",
        "Must be enabled or disabled.",
    );
    let (bad_event, bad_client) = (
        "Must be one of the known event types.",
        "Must be client_ and 27 letters or digits.",
    );
    vec![
        // C-19.
        body_refusal(
            create,
            "every-fault-at-once",
            json!({
                "url": "ftp://www.example.com/webhooks", "events": ["counterparty.active", "transaction.exploded"],
                "status": "paused", "organizationId": "your_client_id",
            }),
            &[
                ("/events/1", bad_event),
                ("/organizationId", bad_client),
                ("/status", bad_status),
                ("/url", bad_url),
            ],
        ),
        malformed(create),
        // C-8.
        body_refusal(
            create,
            "foreign-organization",
            json!({
                "url": URL, "status": "enabled", "events": ["counterparty.active"],
                "organizationId": "client_2ofTA5mz0T91pBmD3tMTeLE7T4X",
            }),
            &[(
                "/organizationId",
                "Must be the client id that the API key belongs to.",
            )],
        ),
        // C-31: as the guide prints it.
        body_refusal(
            create,
            "client-id-of-26-characters",
            json!({
                "url": URL, "status": "enabled", "events": ["counterparty.active"],
                "organizationId": "client_2zsj24vsMLU9emYzu2rZXlJhQs",
            }),
            &[("/organizationId", bad_client)],
        ),
        // C-32: a state of customers that has no event.
        body_refusal(
            create,
            "unknown-event",
            json!({ "url": URL, "status": "enabled", "events": ["customer.failed_to_create"] }),
            &[("/events/0", bad_event)],
        ),
        body_refusal(
            patch,
            "every-fault-at-once",
            json!({ "url": "ftp://www.example.com/webhooks", "events": [], "status": "paused" }),
            &[
                ("/events", "Must have at least one item."),
                ("/status", bad_status),
                ("/url", bad_url),
            ],
        ),
        malformed(patch),
        // C-25.
        body_refusal(
            patch,
            "null-member",
            json!({ "status": null }),
            &[("/status", "Must be a string.")],
        ),
        body_refusal(
            patch,
            "unknown-event",
            json!({ "events": ["customer.active", "customer.failed_to_create"] }),
            &[("/events/1", bad_event)],
        ),
        // C-13, C-20.
        query_refusal(
            list,
            "size-out-of-range",
            "page[size]",
            "0",
            "Must be an integer from 1 to 100.",
        ),
        query_refusal(
            list,
            "unusable-cursor",
            "page[after]",
            "not-a-cursor",
            "Must be the next of an earlier page.",
        ),
        // C-3.
        unauthorized(
            "no-credentials",
            json!({ "X-API-Key": null, "X-API-Secret": null }),
        ),
        unauthorized("unknown-key", json!({ "X-API-Key": "unknown-key" })),
        unauthorized("wrong-secret", json!({ "X-API-Secret": "wrong-secret" })),
        // C-18.
        not_found("unknown-webhook", "whk_000000000000000000000000000"),
        not_found("malformed-id", "whk_0"),
        // C-22.
        Refusal {
            operations: &[],
            name: "wrong-method",
            status: 405,
            answer: error("Method Not Allowed", "This path does not have this method."),
            replay: json!({ "method": "PUT" }),
        },
        Refusal {
            operations: &[],
            name: "not-json",
            status: 415,
            answer: error(
                "Unsupported Media Type",
                "The Content-Type must be application/json.",
            ),
            replay: json!({ "headers": { "Content-Type": "text/plain" } }),
        },
    ]
}

fn bad_request(title: &str, faults: &[(&str, &str)]) -> Value {
    let errors: Vec<Value> = faults
        .iter()
        .map(|(pointer, details)| json!({ "details": details, "pointer": pointer }))
        .collect();
    json!({ "title": title, "errors": errors })
}

fn error(title: &str, message: &str) -> Value {
    json!({ "title": title, "message": message })
}

fn body_refusal(
    operations: &'static [&'static str],
    name: &'static str,
    body: Value,
    faults: &[(&str, &str)],
) -> Refusal {
    let answer = bad_request("Request body validation failed", faults);
    Refusal {
        operations,
        name,
        status: 400,
        answer,
        replay: json!({ "body": body }),
    }
}

fn malformed(operations: &'static [&'static str]) -> Refusal {
    body_refusal(
        operations,
        "malformed-json",
        json!("{\"url\":"),
        &[("", "The body is not valid JSON.")],
    )
}

fn query_refusal(
    operations: &'static [&'static str],
    name: &'static str,
    parameter: &str,
    value: &str,
    details: &str,
) -> Refusal {
    let answer = bad_request("Request query validation failed", &[(parameter, details)]);
    Refusal {
        operations,
        name,
        status: 400,
        answer,
        replay: json!({ "query": { parameter: value } }),
    }
}

fn unauthorized(name: &'static str, headers: Value) -> Refusal {
    let answer = error(
        "Authentication error",
        "The API key or its secret is missing or wrong.",
    );
    Refusal {
        operations: &[],
        name,
        status: 401,
        answer,
        replay: json!({ "headers": headers }),
    }
}

fn not_found(name: &'static str, id: &str) -> Refusal {
    let answer = error("Webhook not found", "There is no webhook with this id.");
    Refusal {
        operations: &[],
        name,
        status: 404,
        answer,
        replay: json!({ "path": { "id": id } }),
    }
}

/// The bodies of answers that no sample of a request could bring about: to a body of more than `limit` bytes, and when the server fails.
pub(crate) fn failures(limit: usize) -> Vec<(u16, Value)> {
    let too_large = format!("The body must have at most {limit} bytes.");
    let failed = "The request could not be handled. Try again later.";
    vec![
        (
            413,
            json!({ "title": "Payload Too Large", "message": too_large }),
        ),
        (
            500,
            json!({ "title": "Internal Server Error", "message": failed }),
        ),
    ]
}
