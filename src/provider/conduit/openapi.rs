//! The emitted document: operations from `handlers`, notifications from `catalogue`, and all samples from the source document.

use serde_json::{Value, json};
use utoipa::OpenApi;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityScheme};

use super::catalogue::{CATALOGUE, Entry, Resource};
use super::error::{BadRequestErrorResponse, ErrorResponse, InputError};
use super::handlers;
use super::notifications::{
    CounterpartyNotification, CustomerNotification, TransactionNotification,
};
use super::retry;
use crate::domain::ATTEMPT_DEADLINE;
use crate::openapi::{Emission, Notification, Source};

/// The source document, whose samples the emitted one has.
const SOURCE: &str = include_str!("../../../openapi/conduit.yaml");

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Conduit API",
        version = "2024-12-01",
        description = "Register webhooks with Conduit, and receive the events of counterparties, customers and transactions on them.",
        contact(name = "Conduit Support", email = "conduit@conduit.fi"),
        license(name = "")
    ),
    servers(
        (url = "/conduit", description = "This server"),
        (url = "https://api.conduit.financial", description = "The Conduit API live environment"),
        (url = "https://api.sandbox.conduit.financial", description = "The Conduit API Sandbox environment")
    ),
    tags(
        (name = "Webhooks", description = "Registered receivers of events."),
        (name = "Event notifications", description = "What is sent to an enabled webhook, one entry for each event type.")
    ),
    paths(
        handlers::create_webhook,
        handlers::list_webhooks,
        handlers::get_webhook,
        handlers::patch_webhook,
        handlers::delete_webhook
    ),
    components(schemas(
        // utoipa does not collect what only an error answer names.
        BadRequestErrorResponse,
        ErrorResponse,
        InputError,
        CounterpartyNotification,
        CustomerNotification,
        TransactionNotification
    ))
)]
struct ConduitOperations;

/// Makes the emitted document.
pub(super) fn emit() -> Value {
    let mut api = ConduitOperations::openapi();
    // The provider publishes no licence; utoipa would name the one of this program.
    api.info.license = None;
    let components = api.components.get_or_insert_default();
    for (name, header, what) in [
        ("ApiKey", "X-API-Key", "key"),
        ("ApiSecret", "X-API-Secret", "secret"),
    ] {
        let description =
            format!("Includes an API {what} in the HTTP headers to authenticate the client.");
        let scheme = SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description(
            header,
            &description,
        )));
        components.add_security_scheme(name, scheme);
    }
    let mut emission = Emission::of(&api);
    // No named sample: a cursor works only on the server that gave it.
    let cursor = json!({ "examples": ["d2hrXzMxQmJUSjBPUldvc2Jtb25hOVdQMFRoSllUNQ"] });
    emission.parameter_keywords(&["listWebhooks"], "page[after]", &cursor);
    for entry in &CATALOGUE {
        emission.notification(notification(entry));
    }
    emission.samples(&Source::read(SOURCE));
    emission.root("x-webhook-signature", signature());
    emission.root("x-webhook-delivery", delivery());
    emission.finish()
}

fn notification(entry: &Entry) -> Notification {
    let name = entry.name();
    let words = name
        .split(['.', '_'])
        .map(|word| word[..1].to_uppercase() + &word[1..]);
    let schema = match entry.resource {
        Resource::Counterparty => "CounterpartyNotification",
        Resource::Customer => "CustomerNotification",
        Resource::Transaction => "TransactionNotification",
    };
    Notification {
        operation: format!("on{}", words.collect::<String>()),
        summary: entry.summary.to_owned(),
        description: entry.description.to_owned(),
        headers: headers(),
        schema: json!({ "allOf": [
            { "$ref": format!("#/components/schemas/{schema}") },
            { "properties": { "event": { "const": name } } },
        ] }),
        responses: json!({
            // C-41, C-42.
            "2XX": { "description": "Any status from 200 to 299 ends the delivery, whatever the body." },
            "default": { "description": "Any other status, a redirect, no answer within 10 seconds or no connection is a failure; the \
                delivery is attempted again up to 10 times over 24 hours." },
        }),
        event_type: name,
    }
}

/// C-45 to C-47.
fn headers() -> Value {
    let header = |name: &str, description: &str, schema: Value, example: &str| {
        json!({
            "name": name, "in": "header", "required": true, "description": description, "schema": schema, "example": example,
        })
    };
    json!([
        header(
            "conduit-signature",
            "The signature of this attempt, made as x-webhook-signature says.",
            json!({ "type": "string", "pattern": "^[0-9a-f]{64}$" }),
            "108c57969d13b64a897b9ac46ec9ba0e692fefa7fc2a37c156eeb0e1cb9808f0",
        ),
        header(
            "conduit-signature-timestamp",
            "When this attempt was signed, in Unix seconds.",
            json!({ "type": "string", "pattern": "^[0-9]{1,11}$" }),
            "1762270800",
        ),
        header(
            "conduit-webhook-idempotency-key",
            "The identity of the delivery, the same on all its attempts.",
            json!({ "type": "string", "format": "uuid" }),
            "0b9d6a52-5f0c-4c1e-9a37-2f6f0f6a8d11",
        ),
        header(
            "User-Agent",
            "The software that sends the delivery.",
            json!({ "type": "string" }),
            "truehook/0.1.0"
        ),
    ])
}

/// How deliveries are signed and sent again (C-42, C-43, C-46, C-47).
fn signature() -> Value {
    json!({
        "version": 1,
        "algorithm": "hmac-sha256",
        "signature": { "header": "conduit-signature", "encoding": "hex" },
        "signed": "{timestamp}.{body}",
        "timestamp": { "header": "conduit-signature-timestamp", "format": "unix-seconds", "tolerance": 300 },
        "key": { "response": "/secret", "encoding": "utf-8" },
        "required": "always",
        "testVectors": [{
            "key": "test_secret_key",
            "timestamp": "1762270800",
            "body": "{\"event\":\"transaction.completed\",\"version\":\"1.0\",\"data\":{\"transaction\":{\"id\":\"trxn_2ofTA13AD0xBtbEvBl20aEb1hEu\"}}}",
            "signature": "108c57969d13b64a897b9ac46ec9ba0e692fefa7fc2a37c156eeb0e1cb9808f0",
        }],
    })
}

/// The promises about deliveries; see `docs/webhook-extensions.md`.
fn delivery() -> Value {
    json!({
        "version": 1,
        "success": ["2XX"],
        "redirects": "fail",
        "deadline": ATTEMPT_DEADLINE.as_secs(),
        "id": { "header": "conduit-webhook-idempotency-key" },
        "retry": { "offsets": retry::OFFSETS, "jitter": { "earlier": retry::JITTER }, "signature": "fresh" },
        "afterDisable": "continue",
        "afterDelete": "continue",
    })
}
