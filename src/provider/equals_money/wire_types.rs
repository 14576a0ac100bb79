//! For tests: every wire type, with a value that has every member.

use serde_json::json;

use super::error::{Error, ErrorDetail};
use super::models::{
    CreateWebhookRequest, UpdateWebhookRequest, Webhook, WebhookEventType, WebhookEventTypeName,
    WebhookList,
};
use crate::tests::schemas::{WireType, answer, request};

pub(super) fn wire_types() -> Vec<WireType> {
    let id = "25d5b682-7449-4d07-b6fc-7c9bf1239561";
    let time = "2026-01-01T00:00:00.000Z";
    let webhook = json!({
        "id": id, "productId": id, "accountId": "F12345", "webhookEventTypeId": id, "url": "https://example.com",
        "enabled": true, "authorizationHeader": "Basic x", "sharedSecret": "s", "createdAt": time, "updatedAt": time,
        "webhookEventTypeName": "BoxCredited",
    });
    let detail = json!({ "pointer": "/p", "message": "m" });
    vec![
        request::<WebhookEventTypeName>("WebhookEventTypeName", json!("3DSAuthRequest")),
        answer::<WebhookEventType>(
            "WebhookEventType",
            json!({ "id": id, "name": "BoxCredited", "enabled": true, "createdAt": time, "updatedAt": time }),
        ),
        request::<CreateWebhookRequest>(
            "CreateWebhookRequest",
            json!({
                "sharedSecret": "s", "enabled": true, "accountId": "F12345", "webhookEventTypeName": "BoxCredited",
                "webhookEventTypeId": id, "url": "https://example.com", "authorizationHeader": "Basic x",
            }),
        ),
        request::<CreateWebhookRequest>(
            "CreateWebhookRequest",
            json!({ "enabled": true, "webhookEventTypeName": "BoxCredited", "url": "https://example.com" }),
        ),
        request::<UpdateWebhookRequest>(
            "UpdateWebhookRequest",
            json!({ "enabled": true, "url": "https://example.com", "sharedSecret": "s", "authorizationHeader": "Basic x" }),
        ),
        answer::<Webhook>("Webhook", webhook.clone()),
        answer::<WebhookList>(
            "WebhookList",
            json!({ "count": 1, "limit": 100, "offset": 0, "rows": [webhook] }),
        ),
        answer::<Error>(
            "ErrorResponse",
            json!({ "statusCode": 400, "error": "e", "message": "m", "details": [detail.clone()] }),
        ),
        answer::<ErrorDetail>("ErrorDetail", detail),
    ]
}
