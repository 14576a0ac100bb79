//! Inbound: validators of request bodies, with words that callers understand better than the general ones.

use serde_json::Value;

use crate::http::{RequestSchema, Words};

const WORDS: &[Words] = &[
    (
        "/url",
        &["format", "pattern"],
        "must be an absolute http or https URL with a host",
    ),
    (
        "/events/*",
        &["enum"],
        "must be one of the known event types",
    ),
    ("/status", &["enum"], "must be enabled or disabled"),
    (
        "/organizationId",
        &["pattern"],
        "must be client_ and 27 letters or digits",
    ),
];

/// The compiled schemas of request bodies.
pub(super) struct Bodies {
    /// Of createWebhook.
    pub(super) create: RequestSchema,
    /// Of patchWebhook.
    pub(super) patch: RequestSchema,
}

impl Bodies {
    /// Compiles the schemas that the emitted document has.
    pub(super) fn compile(document: &Value) -> Self {
        let compile = |name| RequestSchema::compile(document, name, WORDS);
        Self {
            create: compile("CreateWebhookRequest"),
            patch: compile("PatchWebhookRequest"),
        }
    }
}
