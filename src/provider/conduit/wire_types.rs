//! For tests: every wire type, with a value that has every member.

use serde_json::json;

use super::error::{BadRequestErrorResponse, ErrorResponse, InputError};
use super::models::{
    CreateWebhookRequest, Pagination, PatchWebhookRequest, RetrievedWebhook, Webhook, WebhookEvent,
    WebhookList, WebhookStatus,
};
use crate::tests::schemas::{WireType, answer, request};

pub(super) fn wire_types() -> Vec<WireType> {
    let client = "client_2ofTA13AD0xBtbEvBl20aEb1hEu";
    let webhook = json!({
        "id": "whk_2ofTA13AD0xBtbEvBl20aEb1hEu", "url": "https://example.com", "status": "enabled",
        "organizationId": client, "events": ["counterparty.active"],
    });
    let mut retrieved = webhook.clone();
    retrieved["secret"] = json!("s");
    let fault = json!({ "details": "d", "pointer": "/p" });
    vec![
        request::<WebhookEvent>("WebhookEvent", json!("transaction.completed")),
        request::<WebhookStatus>("WebhookStatus", json!("enabled")),
        request::<CreateWebhookRequest>(
            "CreateWebhookRequest",
            json!({
                "url": "https://example.com", "events": ["counterparty.active", "customer.active"], "status": "enabled",
                "organizationId": client,
            }),
        ),
        request::<PatchWebhookRequest>(
            "PatchWebhookRequest",
            json!({ "url": "https://example.com", "events": ["counterparty.active"], "status": "disabled" }),
        ),
        answer::<Webhook>("Webhook", webhook.clone()),
        answer::<RetrievedWebhook>("RetrievedWebhook", retrieved),
        answer::<WebhookList>(
            "WebhookList",
            json!({ "data": [webhook], "pagination": { "next": "n" } }),
        ),
        answer::<Pagination>("Pagination", json!({ "next": null })),
        answer::<BadRequestErrorResponse>(
            "BadRequestErrorResponse",
            json!({ "title": "t", "errors": [fault.clone()] }),
        ),
        answer::<InputError>("InputError", fault),
        answer::<ErrorResponse>("ErrorResponse", json!({ "title": "t", "message": "m" })),
    ]
}
