//! The emitted document: operations from `handlers`, notifications from `outbound`, samples from the source document.

use serde_json::{Value, json};
use utoipa::OpenApi;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityScheme};

use super::error::Problem;
use super::handlers;
use super::models::{Delivery, Parcel};
use super::outbound::EVENT_TYPES;
use crate::openapi::{Emission, Notification, Source};

/// The source document, whose samples the emitted one has.
pub(super) const SOURCE: &str = include_str!("openapi.yaml");

#[derive(OpenApi)]
#[openapi(
    info(title = "Acme parcels", version = "1", description = "Tells what happens to parcels.", license(name = "Apache-2.0", identifier = "Apache-2.0")),
    servers((url = "/acme", description = "This server")),
    tags((name = "Webhooks", description = "Receivers of events."), (name = "Event notifications", description = "What they get.")),
    paths(handlers::create_webhook, handlers::get_webhook, handlers::delete_webhook),
    components(schemas(Problem, Delivery, Parcel))
)]
struct AcmeOperations;

pub(super) fn emit() -> Value {
    let mut api = AcmeOperations::openapi();
    let scheme = ApiKeyValue::with_description("Acme-Token", "The token of the caller.");
    api.components
        .get_or_insert_default()
        .add_security_scheme("Token", SecurityScheme::ApiKey(ApiKey::Header(scheme)));
    let mut emission = Emission::of(&api);
    for event_type in EVENT_TYPES {
        emission.notification(notification(event_type));
    }
    emission.samples(&Source::read(SOURCE));
    emission.root(
        "x-webhook-signature",
        json!({
            "version": 1, "algorithm": "hmac-sha256", "signature": { "header": "acme-signature", "encoding": "hex" }, "signed": "{body}",
            "key": { "response": "/secret", "encoding": "utf-8" }, "required": "always",
        }),
    );
    emission.root(
        "x-webhook-delivery",
        json!({ "version": 1, "id": { "member": "/id" }, "retry": { "every": 3600, "from": "first", "until": 86400 } }),
    );
    emission.finish()
}

fn notification(event_type: &str) -> Notification {
    Notification {
        event_type: event_type.to_owned(),
        operation: format!("on{}", event_type.replace('.', "")),
        summary: event_type.to_owned(),
        description: "Something happened to a parcel.".to_owned(),
        headers: json!([{
            "name": "acme-signature", "in": "header", "required": true, "description": "The signature of the body.",
            "schema": { "type": "string", "pattern": "^[0-9a-f]{64}$" },
        }]),
        schema: json!({ "allOf": [
            { "$ref": "#/components/schemas/Delivery" },
            { "properties": { "event": { "const": event_type } } },
        ] }),
        responses: json!({ "2XX": { "description": "The receiver has it." } }),
    }
}
