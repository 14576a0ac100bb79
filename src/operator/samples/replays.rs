//! Samples of starting and following replays.

use serde_json::json;

use super::{EQUALS_EVENT, EQUALS_WEBHOOK, refusal};
use crate::openapi::{Refusal, Sample};

const REPLAY: &str = "rpl_351KBJCvumBVt3dENVf34IvuMc2";

pub(super) fn samples() -> Vec<Sample> {
    vec![
        Sample {
            operation: "createReplay",
            name: "exhausted-deliveries",
            parameters: Vec::new(),
            request: Some(json!({
                "from": "2025-11-04T15:00:00.000Z", "to": "2025-11-04T16:00:00.000Z", "provider": "conduit",
                "state": "exhausted",
            })),
            answer: Some((
                202,
                json!({
                    "id": REPLAY, "status": "running", "dryRun": false, "matched": 0, "enqueued": 0,
                    "createdAt": "2025-11-04T16:00:00.000Z", "finishedAt": null,
                    "filter": {
                        "from": "2025-11-04T15:00:00.000Z", "to": "2025-11-04T16:00:00.000Z", "webhookId": null,
                        "provider": "conduit", "state": "exhausted",
                    },
                }),
            )),
        },
        Sample {
            operation: "createReplay",
            name: "one-webhook",
            parameters: Vec::new(),
            request: Some(
                json!({ "from": "2025-11-04T15:00:00.000Z", "webhookId": EQUALS_WEBHOOK }),
            ),
            answer: Some((
                202,
                json!({
                    "id": REPLAY, "status": "running", "dryRun": false, "matched": 0, "enqueued": 0,
                    "createdAt": "2025-11-04T16:00:00.000Z", "finishedAt": null,
                    "filter": {
                        "from": "2025-11-04T15:00:00.000Z", "to": null, "webhookId": EQUALS_WEBHOOK,
                        "provider": null, "state": null,
                    },
                }),
            )),
        },
        Sample {
            operation: "createReplay",
            name: "unmatched-events",
            parameters: Vec::new(),
            request: Some(json!({ "provider": "equals-money", "state": "unmatched" })),
            answer: Some((
                202,
                json!({
                    "id": REPLAY, "status": "running", "dryRun": false, "matched": 0, "enqueued": 0,
                    "createdAt": "2025-11-04T16:00:00.000Z", "finishedAt": null,
                    "filter": {
                        "from": null, "to": null, "webhookId": null, "provider": "equals-money",
                        "state": "unmatched",
                    },
                }),
            )),
        },
        Sample {
            operation: "createReplay",
            name: "dry-run",
            parameters: Vec::new(),
            request: Some(json!({ "state": "exhausted", "dryRun": true })),
            answer: Some((
                202,
                json!({
                    "id": "rpl_351LOkj11UyVSXBNhUaWxVCNHDn", "status": "running", "dryRun": true, "matched": 0,
                    "enqueued": 0, "createdAt": "2025-11-04T16:10:00.000Z", "finishedAt": null,
                    "filter": { "from": null, "to": null, "webhookId": null, "provider": null, "state": "exhausted" },
                }),
            )),
        },
        Sample {
            operation: "getReplay",
            name: "finished",
            parameters: vec![("id", json!(REPLAY))],
            request: None,
            answer: Some((
                200,
                json!({
                    "id": REPLAY, "status": "done", "dryRun": false, "matched": 118, "enqueued": 118,
                    "createdAt": "2025-11-04T16:00:00.000Z", "finishedAt": "2025-11-04T16:00:00.214Z",
                    "filter": {
                        "from": "2025-11-04T15:00:00.000Z", "to": "2025-11-04T16:00:00.000Z", "webhookId": null,
                        "provider": "conduit", "state": "exhausted",
                    },
                }),
            )),
        },
    ]
}

pub(super) fn refusals() -> Vec<Refusal> {
    vec![
        refusal(
            &["getReplay"],
            "unknown-replay",
            404,
            "There is no such replay.",
            &[],
            json!({ "path": { "id": "rpl_000000000000000000000000000" } }),
        ),
        refusal(
            &["getReplay"],
            "malformed-id",
            404,
            "There is no such replay.",
            &[],
            json!({ "path": { "id": "rpl_0" } }),
        ),
        refusal(
            &["createReplay"],
            "every-fault-at-once",
            422,
            "The request body is not valid.",
            &[
                ("/dryRun", "must be a boolean"),
                ("/eventId", "is not a known member"),
                (
                    "/from",
                    "must be a date and time with an offset, such as 2025-11-04T15:00:00Z",
                ),
                ("/provider", "must be conduit or equals-money"),
                (
                    "/state",
                    "must be pending, delivered, exhausted, cancelled or unmatched",
                ),
                (
                    "/to",
                    "must be a date and time with an offset, such as 2025-11-04T15:00:00Z",
                ),
                ("/webhookId", "must not be empty"),
            ],
            json!({
                "body": {
                    "from": "yesterday", "to": "2025-11-04", "webhookId": "", "provider": "operator",
                    "state": "failed", "dryRun": "yes", "eventId": EQUALS_EVENT,
                },
            }),
        ),
        refusal(
            &["createReplay"],
            "no-filter",
            422,
            "The request body is not valid.",
            &[("", "must have from, to, webhookId or state")],
            json!({ "body": { "provider": "conduit" } }),
        ),
        refusal(
            &["createReplay"],
            "ends-before-it-begins",
            422,
            "The request body is not valid.",
            &[("/to", "must be later than from")],
            json!({ "body": { "from": "2025-11-04T16:00:00.000Z", "to": "2025-11-04T15:00:00.000Z" } }),
        ),
    ]
}
