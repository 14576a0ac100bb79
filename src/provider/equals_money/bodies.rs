//! Inbound: validators of request bodies, with words that callers understand better than the general ones.

use serde_json::Value;

use crate::http::{RequestSchema, Words};

const WORDS: &[Words] = &[
    (
        "",
        &["anyOf"],
        "must have webhookEventTypeName or webhookEventTypeId",
    ),
    (
        "/url",
        &["format", "pattern"],
        "must be an absolute http or https URL",
    ),
    (
        "/webhookEventTypeName",
        &["enum"],
        "must be the name of an event type",
    ),
    (
        "/webhookEventTypeId",
        &["format", "maxLength"],
        "must be a UUID",
    ),
    (
        "/sharedSecret",
        &["minLength", "maxLength"],
        "must have 1 to 36 characters",
    ),
    (
        "/accountId",
        &["minLength", "maxLength"],
        "must have 1 to 36 characters",
    ),
    (
        "/authorizationHeader",
        &["minLength", "maxLength"],
        "must have 1 to 512 characters",
    ),
    (
        "/authorizationHeader",
        &["pattern"],
        "must not contain control characters",
    ),
];

/// The compiled schemas of request bodies.
pub(super) struct Bodies {
    /// Of createWebhook.
    pub(super) create: RequestSchema,
    /// Of updateWebhook.
    pub(super) update: RequestSchema,
}

impl Bodies {
    /// Compiles the schemas that the emitted document has.
    pub(super) fn compile(document: &Value) -> Self {
        let compile = |name| RequestSchema::compile(document, name, WORDS);
        Self {
            create: compile("CreateWebhookRequest"),
            update: compile("UpdateWebhookRequest"),
        }
    }
}
