//! Requests and their answers, and refusals; replayed against a running server.

use serde_json::{Value, json};

use crate::openapi::{Refusal, Sample};

const CLIENT: &str = "client_2ofTA13AD0xBtbEvBl20aEb1hEu";
const EQUALS_WEBHOOK: &str = "6f1c0a52-8d3e-4b7a-9c64-2e5d7b90f318";
const CONDUIT_WEBHOOK: &str = "whk_31BbTJ0ORWosbmona9WP0ThJYT5";
const EQUALS_EVENT: &str = "evt_351DUZaHXTOPxyvBf6L9XdlW5oq";
const CONDUIT_EVENT: &str = "evt_351CswRma2kY33cMYX0OapsWW3J";
const REPLAY: &str = "rpl_351KBJCvumBVt3dENVf34IvuMc2";
const CONDUIT_KEY: &str = "key_3515aUaYVPAWZ6PecR9WvLeoA9N";
const EQUALS_KEY: &str = "key_3515hyrf7LF9MG8T3hvOTP0fOSJ";
const PRODUCT: &str = "911db6db-ef58-4992-87cd-2fe2cfde05f9";
const SOME_UUID: &str = "0ad52e33-8662-4923-b15f-d45a73c6e973";

/// Requests and answers.
pub(super) fn samples() -> Vec<Sample> {
    let mut samples = publications();
    samples.extend(reads());
    samples.extend(replays());
    samples.extend(keys());
    samples
}

fn publications() -> Vec<Sample> {
    vec![
        Sample {
            operation: "publishEvent",
            name: "safe-to-repeat",
            parameters: vec![(
                "Idempotency-Key",
                json!("2b1f5d0c-77a0-4a4e-9a53-6d9c1b1f0e42"),
            )],
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
    ]
}

fn reads() -> Vec<Sample> {
    vec![
        Sample {
            operation: "listEvents",
            name: "of-one-type",
            parameters: vec![
                ("provider", json!("equals-money")),
                ("type", json!("BoxCredited")),
            ],
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
        Sample {
            operation: "listDeliveries",
            name: "filtered",
            parameters: vec![
                ("provider", json!("conduit")),
                ("state", json!("exhausted")),
                ("webhookId", json!(CONDUIT_WEBHOOK)),
                ("eventId", json!(CONDUIT_EVENT)),
            ],
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

fn replays() -> Vec<Sample> {
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

fn keys() -> Vec<Sample> {
    vec![
        Sample {
            operation: "createKey",
            name: "conduit-key",
            parameters: Vec::new(),
            request: Some(
                json!({ "provider": "conduit", "owner": CLIENT, "name": "ACME back office" }),
            ),
            answer: Some((
                201,
                json!({
                    "id": CONDUIT_KEY, "provider": "conduit", "owner": CLIENT, "name": "ACME back office",
                    "createdAt": "2025-11-04T14:00:00.000Z",
                    "headers": {
                        "X-API-Key": "2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683",
                        "X-API-Secret": "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b",
                    },
                }),
            )),
        },
        Sample {
            operation: "createKey",
            name: "equals-money-key",
            parameters: Vec::new(),
            request: Some(json!({ "provider": "equals-money" })),
            answer: Some((
                201,
                json!({
                    "id": EQUALS_KEY, "provider": "equals-money", "owner": SOME_UUID, "name": null,
                    "createdAt": "2025-11-04T14:01:00.000Z",
                    "headers": { "Authorization": "ApiKey 84a47f61dd341ce731390149a904abcd58a6044263071abf44a475cf91563029" },
                }),
            )),
        },
        Sample {
            operation: "createKey",
            name: "operator-key",
            parameters: Vec::new(),
            request: Some(json!({ "provider": "operator", "name": "Publisher of the test bench" })),
            answer: Some((
                201,
                json!({
                    "id": "key_3515pXkFySCCyWFx35laYBPfURN", "provider": "operator", "owner": "operator",
                    "name": "Publisher of the test bench", "createdAt": "2025-11-04T14:02:00.000Z",
                    "headers": { "Authorization": "Bearer 037aeaeaf4bbf26ddabe7256a8294dc52da48d575a1247b5c2598c47de7aebab" },
                }),
            )),
        },
        Sample {
            operation: "listKeys",
            name: "all",
            parameters: Vec::new(),
            request: None,
            answer: Some((
                200,
                json!({
                    "data": [
                        {
                            "id": EQUALS_KEY, "provider": "equals-money", "owner": SOME_UUID, "name": null,
                            "createdAt": "2025-11-04T14:01:00.000Z", "revokedAt": "2025-11-04T17:30:00.000Z",
                        },
                        {
                            "id": CONDUIT_KEY, "provider": "conduit", "owner": CLIENT, "name": "ACME back office",
                            "createdAt": "2025-11-04T14:00:00.000Z", "revokedAt": null,
                        },
                    ],
                }),
            )),
        },
        Sample {
            operation: "revokeKey",
            name: "conduit-key",
            parameters: vec![("id", json!(CONDUIT_KEY))],
            request: None,
            answer: None,
        },
    ]
}

/// Requests that are refused.
pub(super) fn refusals() -> Vec<Refusal> {
    let mut refusals = common();
    refusals.extend(bad_publications());
    refusals.extend(bad_replays());
    refusals.extend(bad_keys());
    refusals.extend(bad_queries());
    refusals
}

fn common() -> Vec<Refusal> {
    vec![
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
            r#"The request needs the header "Authorization: Bearer <key>" with a key of this API."#,
            &[],
            json!({ "path": { "id": SOME_UUID }, "headers": { "Authorization": null } }),
        ),
        refusal(
            &[],
            "wrong-key",
            401,
            r#"The request needs the header "Authorization: Bearer <key>" with a key of this API."#,
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
            &["revokeKey"],
            "unknown-key",
            404,
            "There is no such key that is not revoked.",
            &[],
            json!({ "path": { "id": "key_000000000000000000000000000" } }),
        ),
        refusal(
            &["revokeKey"],
            "malformed-id",
            404,
            "There is no such key that is not revoked.",
            &[],
            json!({ "path": { "id": "key_0" } }),
        ),
    ]
}

fn bad_publications() -> Vec<Refusal> {
    vec![
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
    ]
}

fn bad_replays() -> Vec<Refusal> {
    vec![
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

fn bad_keys() -> Vec<Refusal> {
    vec![
        refusal(
            &["createKey"],
            "every-fault-at-once",
            422,
            "The request body is not valid.",
            &[
                ("/expiresAt", "is not a known member"),
                ("/name", "must have 1 to 200 characters"),
                ("/owner", "must be a UUID"),
            ],
            json!({
                "body": {
                    "provider": "equals-money", "owner": CLIENT, "name": "",
                    "expiresAt": "2026-11-04T15:00:00.000Z",
                },
            }),
        ),
        refusal(
            &["createKey"],
            "unknown-provider",
            422,
            "The request body is not valid.",
            &[("/provider", "must be conduit, equals-money or operator")],
            json!({ "body": { "provider": "acme" } }),
        ),
        refusal(
            &["createKey"],
            "operator-with-owner",
            422,
            "The request body is not valid.",
            &[("/owner", "belongs to keys of Conduit and Equals Money only")],
            json!({ "body": { "provider": "operator", "owner": CLIENT } }),
        ),
    ]
}

fn bad_queries() -> Vec<Refusal> {
    vec![
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
        refusal(
            &["listEvents"],
            "unknown-provider",
            400,
            "The query is not valid.",
            &[("provider", "must be conduit or equals-money")],
            json!({ "query": { "provider": "operator" } }),
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
