//! Samples of making, listing and revoking keys.

use serde_json::json;

use super::{CLIENT, SOME_UUID, refusal};
use crate::openapi::{Refusal, Sample};

const CONDUIT_KEY: &str = "key_3515aUaYVPAWZ6PecR9WvLeoA9N";
const EQUALS_KEY: &str = "key_3515hyrf7LF9MG8T3hvOTP0fOSJ";

pub(super) fn samples() -> Vec<Sample> {
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

pub(super) fn refusals() -> Vec<Refusal> {
    vec![
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
            &[("/owner", "must not be given for a key of the operator API")],
            json!({ "body": { "provider": "operator", "owner": CLIENT } }),
        ),
    ]
}
