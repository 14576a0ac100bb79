//! Samples of reading deliveries and of attempting them again.

use serde_json::json;

use super::{CONDUIT_EVENT, CONDUIT_WEBHOOK, EQUALS_EVENT, EQUALS_WEBHOOK, SOME_UUID, refusal};
use crate::openapi::{Refusal, Sample};

pub(super) fn samples() -> Vec<Sample> {
    vec![
        Sample {
            operation: "listDeliveries",
            name: "last-page",
            parameters: Vec::new(),
            request: None,
            answer: Some((
                200,
                json!({
                    "data": [
                        {
                            "id": "f451a617-49c6-41ba-8fa0-e16c61831db4", "eventId": CONDUIT_EVENT,
                            "webhookId": CONDUIT_WEBHOOK, "provider": "conduit", "type": "transaction.completed",
                            "state": "exhausted", "attemptCount": 11, "createdAt": "2025-11-04T15:00:00.000Z",
                            "nextAttemptAt": null, "completedAt": "2025-11-05T14:12:08.730Z",
                        },
                    ],
                    "next": null,
                }),
            )),
        },
        Sample {
            operation: "listDeliveries",
            name: "first-page",
            parameters: vec![("limit", json!(2))],
            request: None,
            answer: Some((
                200,
                json!({
                    "data": [
                        {
                            "id": "8b53639f-152c-4fc6-af30-802fde462ba0", "eventId": EQUALS_EVENT,
                            "webhookId": EQUALS_WEBHOOK, "provider": "equals-money", "type": "BoxCredited",
                            "state": "pending", "attemptCount": 2, "createdAt": "2025-11-04T15:05:00.000Z",
                            "nextAttemptAt": "2025-11-04T15:15:00.004Z", "completedAt": null,
                        },
                        {
                            "id": "e788103e-e153-48fc-92af-9b73b4ebbb33", "eventId": CONDUIT_EVENT,
                            "webhookId": CONDUIT_WEBHOOK, "provider": "conduit", "type": "transaction.completed",
                            "state": "delivered", "attemptCount": 1, "createdAt": "2025-11-04T15:00:00.000Z",
                            "nextAttemptAt": null, "completedAt": "2025-11-04T15:00:00.131Z",
                        },
                    ],
                    "next": "MS80Mg",
                }),
            )),
        },
    ]
}

pub(super) fn refusals() -> Vec<Refusal> {
    vec![
        refusal(
            &["getDelivery", "retryDelivery"],
            "unknown-delivery",
            404,
            "There is no such delivery.",
            &[],
            json!({ "path": { "id": SOME_UUID } }),
        ),
        refusal(
            &["getDelivery", "retryDelivery"],
            "malformed-id",
            404,
            "There is no such delivery.",
            &[],
            json!({ "path": { "id": "not-a-uuid" } }),
        ),
        refusal(
            &["listDeliveries"],
            "every-fault-at-once",
            400,
            "The query is not valid.",
            &[
                ("limit", "must be an integer from 1 to 1000"),
                ("provider", "must be conduit or equals-money"),
                (
                    "state",
                    "must be pending, delivered, exhausted or cancelled",
                ),
            ],
            json!({ "query": { "provider": "operator", "state": "failed", "limit": "0" } }),
        ),
    ]
}
