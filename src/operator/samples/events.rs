//! Samples of publications and of reading events.

use serde_json::json;

use super::{CLIENT, CONDUIT_EVENT, EQUALS_EVENT, PRODUCT, refusal};
use crate::openapi::{Refusal, Sample};

pub(super) fn samples() -> Vec<Sample> {
    vec![
        Sample {
            operation: "publishEvent",
            name: "account-event",
            parameters: Vec::new(),
            request: Some(json!({
                "provider": "equals-money", "type": "BoxCredited", "accountId": "F12345",
                "data": { "currency": "GBP", "amount": 1250.0 },
            })),
            answer: Some((
                202,
                json!({
                    "id": EQUALS_EVENT, "provider": "equals-money", "type": "BoxCredited",
                    "createdAt": "2025-11-04T15:05:00.000Z", "deliveries": 2,
                }),
            )),
        },
        Sample {
            operation: "publishEvent",
            name: "account-event-of-product",
            parameters: Vec::new(),
            request: Some(json!({
                "provider": "equals-money", "type": "CardTransaction", "accountId": "F12345",
                "productId": PRODUCT,
            })),
            answer: Some((
                202,
                json!({
                    "id": "evt_351Dc6aebAj7VPzuAk7RS7u2enN", "provider": "equals-money", "type": "CardTransaction",
                    "createdAt": "2025-11-04T15:06:00.000Z", "deliveries": 1,
                }),
            )),
        },
        Sample {
            operation: "publishEvent",
            name: "platform-event",
            parameters: Vec::new(),
            request: Some(json!({ "provider": "equals-money", "type": "AccountActivated" })),
            answer: Some((
                202,
                json!({
                    "id": "evt_351DjdPOQDSpW9oWDoBoJNCxIX3", "provider": "equals-money",
                    "type": "AccountActivated", "createdAt": "2025-11-04T15:07:00.000Z", "deliveries": 0,
                }),
            )),
        },
        Sample {
            operation: "publishEvent",
            name: "client-event",
            parameters: Vec::new(),
            request: Some(
                json!({ "provider": "conduit", "type": "transaction.completed", "clientId": CLIENT }),
            ),
            answer: Some((
                202,
                json!({
                    "id": CONDUIT_EVENT, "provider": "conduit", "type": "transaction.completed",
                    "createdAt": "2025-11-04T15:00:00.000Z", "deliveries": 1,
                }),
            )),
        },
        Sample {
            operation: "publishEvent",
            name: "client-event-with-data",
            parameters: Vec::new(),
            request: Some(json!({
                "provider": "conduit", "type": "customer.created", "clientId": CLIENT,
                "data": {
                    "customer": {
                        "id": "cus_2ofTA13AD0xBtbEvBl20aEb1hEu", "type": "business",
                        "businessLegalName": "ACME Ltd", "status": "created",
                    },
                },
            })),
            answer: Some((
                202,
                json!({
                    "id": "evt_351DrC4WBIbx4qsWVxMI3fYlL8w", "provider": "conduit", "type": "customer.created",
                    "createdAt": "2025-11-04T15:08:00.000Z", "deliveries": 1,
                }),
            )),
        },
        Sample {
            operation: "publishEvent",
            name: "account-event-with-sample-payload",
            parameters: Vec::new(),
            request: Some(
                json!({ "provider": "equals-money", "type": "BoxDebited", "accountId": "F12345" }),
            ),
            answer: Some((
                202,
                json!({
                    "id": EQUALS_EVENT, "provider": "equals-money", "type": "BoxDebited",
                    "createdAt": "2025-11-04T15:05:00.000Z", "deliveries": 2,
                }),
            )),
        },
        Sample {
            operation: "listEvents",
            name: "last-page",
            parameters: Vec::new(),
            request: None,
            answer: Some((
                200,
                json!({
                    "data": [
                        {
                            "id": EQUALS_EVENT, "provider": "equals-money", "type": "BoxCredited",
                            "accountId": "F12345", "clientId": null, "productId": null,
                            "data": { "currency": "GBP", "amount": 1250.0 },
                            "createdAt": "2025-11-04T15:05:00.000Z",
                            "deliveries": { "pending": 0, "delivered": 2, "exhausted": 0, "cancelled": 0 },
                        },
                    ],
                    "next": null,
                }),
            )),
        },
        Sample {
            operation: "listEvents",
            name: "first-page",
            parameters: vec![("limit", json!(2))],
            request: None,
            answer: Some((
                200,
                json!({
                    "data": [
                        {
                            "id": "evt_351DjdPOQDSpW9oWDoBoJNCxIX3", "provider": "equals-money",
                            "type": "OrderCreated", "accountId": "F12345", "clientId": null, "productId": null,
                            "data": {}, "createdAt": "2025-11-04T15:07:00.000Z",
                            "deliveries": { "pending": 1, "delivered": 1, "exhausted": 0, "cancelled": 0 },
                        },
                        {
                            "id": CONDUIT_EVENT, "provider": "conduit", "type": "customer.created",
                            "accountId": null, "clientId": CLIENT, "productId": null,
                            "data": { "customer": { "id": "cus_2ofTA13AD0xBtbEvBl20aEb1hEu", "status": "created" } },
                            "createdAt": "2025-11-04T15:00:00.000Z",
                            "deliveries": { "pending": 0, "delivered": 1, "exhausted": 0, "cancelled": 0 },
                        },
                    ],
                    "next": "MS80Mg",
                }),
            )),
        },
        Sample {
            operation: "getEvent",
            name: "account-event",
            parameters: vec![("id", json!(EQUALS_EVENT))],
            request: None,
            answer: Some((
                200,
                json!({
                    "id": EQUALS_EVENT, "provider": "equals-money", "type": "BoxCredited", "accountId": "F12345",
                    "clientId": null, "productId": null, "data": { "currency": "GBP", "amount": 1250.0 },
                    "createdAt": "2025-11-04T15:05:00.000Z",
                    "deliveries": { "pending": 1, "delivered": 1, "exhausted": 0, "cancelled": 0 },
                }),
            )),
        },
    ]
}

pub(super) fn refusals() -> Vec<Refusal> {
    vec![
        refusal(
            &["getEvent"],
            "unknown-event",
            404,
            "There is no such event.",
            &[],
            json!({ "path": { "id": "evt_000000000000000000000000000" } }),
        ),
        refusal(
            &["getEvent"],
            "malformed-id",
            404,
            "There is no such event.",
            &[],
            json!({ "path": { "id": "evt_0" } }),
        ),
        refusal(
            &["publishEvent"],
            "empty-idempotency-key",
            400,
            "A header is not valid.",
            &[(
                "Idempotency-Key",
                "must have 1 to 255 printable ASCII characters",
            )],
            json!({ "headers": { "Idempotency-Key": "" } }),
        ),
        refusal(
            &["publishEvent"],
            "every-fault-at-once",
            422,
            "The request body is not valid.",
            &[
                ("/account", "is not a known member"),
                ("/accountId", "must have 1 to 36 characters"),
                ("/clientId", "belongs to Conduit events only"),
                ("/data", "must be an object"),
                ("/productId", "must be a UUID"),
                ("/type", "must be an event type of the provider"),
            ],
            json!({
                "body": {
                    "provider": "equals-money", "type": "NoSuchEvent", "accountId": "", "clientId": CLIENT,
                    "productId": "not-a-uuid", "data": [], "account": "F12345",
                },
            }),
        ),
        refusal(
            &["publishEvent"],
            "not-an-object",
            422,
            "The request body is not valid.",
            &[("", "must be an object")],
            json!({ "body": [] }),
        ),
        refusal(
            &["publishEvent"],
            "unknown-type",
            422,
            "The request body is not valid.",
            &[("/type", "must be an event type of the provider")],
            json!({ "body": { "provider": "equals-money", "type": "boxCredited", "accountId": "F12345" } }),
        ),
        refusal(
            &["publishEvent"],
            "member-twice",
            422,
            "The request body is not valid.",
            &[("/data/amount", "must stand in its object once only")],
            json!({
                "body": r#"{"provider":"equals-money","type":"BoxCredited","accountId":"F12345","data":{"amount":1,"amount":2}}"#,
            }),
        ),
        refusal(
            &["publishEvent"],
            "conduit-without-client",
            422,
            "The request body is not valid.",
            &[
                ("/accountId", "belongs to Equals Money events only"),
                ("/clientId", "is required"),
            ],
            json!({ "body": { "provider": "conduit", "type": "transaction.completed", "accountId": "F12345" } }),
        ),
        refusal(
            &["publishEvent"],
            "payload-faults",
            422,
            "The request body is not valid.",
            &[
                (
                    "/data/transaction/source/amount/amount",
                    "must match the pattern ^[0-9]+$",
                ),
                ("/data/transaction/status", "must be a string"),
            ],
            json!({
                "body": {
                    "provider": "conduit", "type": "transaction.completed", "clientId": CLIENT,
                    "data": {
                        "transaction": {
                            "id": "trxn_2ofTA13AD0xBtbEvBl20aEb1hEu", "status": 7,
                            "source": { "amount": { "assetType": "USDC", "decimals": 6, "amount": "10.50" } },
                        },
                    },
                },
            }),
        ),
        refusal(
            &["listEvents"],
            "unknown-provider",
            400,
            "The query is not valid.",
            &[("provider", "must be conduit or equals-money")],
            json!({ "query": { "provider": "operator" } }),
        ),
    ]
}
