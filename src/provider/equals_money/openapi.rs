//! The emitted document: operations from `handlers`, notifications from `catalogue`, and all samples from the source document.

use serde_json::{Value, json};
use utoipa::OpenApi;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityScheme};

use super::catalogue::{CATALOGUE, Entry, Payload};
use super::error::{Error, ErrorDetail};
use super::handlers;
use super::notifications::{
    AccountActivatedPayload, AccountCreatedPayload, IdentityVerificationRequestPayload,
    NotificationPayload, Wrapper,
};
use super::retry;
use crate::domain::ATTEMPT_DEADLINE;
use crate::openapi::{Emission, Notification, Source};

/// The source document, whose samples the emitted one has.
const SOURCE: &str = include_str!("../../../openapi/equals-money.yaml");

#[derive(OpenApi)]
#[openapi(
    info(
        title = "CIS Webhooks API",
        version = "2.0.0",
        description = "Register webhooks for event types of Equals Money accounts, look them up, change and delete them. A webhook \
            subscribes to exactly one event type, either for one account or, without an `accountId`, for every account of the \
            product. Each event is posted to the URL of every enabled webhook that matches it.",
        license(name = "UNLICENSED", url = "https://docs.equalsmoney.com")
    ),
    servers(
        (url = "/equals-money", description = "This server, which serves several APIs under one host."),
        (url = "https://api.equalsmoney.com", description = "Production of the provider."),
        (url = "https://api-sandbox.equalsmoney.com", description = "Sandbox of the provider.")
    ),
    tags(
        (name = "Webhooks", description = "Event types and the webhooks that subscribe to them."),
        (name = "Event notifications", description = "The requests that a receiver gets, one for each event type.")
    ),
    paths(
        handlers::list_event_types,
        handlers::get_event_type,
        handlers::list_webhooks,
        handlers::create_webhook,
        handlers::get_webhook,
        handlers::update_webhook,
        handlers::delete_webhook
    ),
    components(schemas(
        // utoipa does not collect what only an error answer names.
        Error,
        ErrorDetail,
        AccountActivatedPayload,
        AccountCreatedPayload,
        IdentityVerificationRequestPayload,
        NotificationPayload,
        Wrapper
    ))
)]
struct EqualsMoneyOperations;

/// Makes the emitted document.
pub(super) fn emit() -> Value {
    let mut api = EqualsMoneyOperations::openapi();
    let scheme = ApiKeyValue::with_description(
        "Authorization",
        "The value is `ApiKey <key>`: the scheme word (upper or lower case), one space, the key. Without the header, with more \
         than one, with another scheme or with an empty key the answer is 401; an unknown or revoked key gives 403.",
    );
    // The name of the older reference, and not Conduit's: Swagger UI keeps credentials by scheme name over all documents.
    let scheme = SecurityScheme::ApiKey(ApiKey::Header(scheme));
    api.components
        .get_or_insert_default()
        .add_security_scheme("CommonAuth", scheme);
    let mut emission = Emission::of(&api);
    // E-14, E-15.
    let either =
        json!([{ "required": ["webhookEventTypeName"] }, { "required": ["webhookEventTypeId"] }]);
    emission.keywords(
        "CreateWebhookRequest",
        &json!({ "allOf": [{ "anyOf": either }] }),
    );
    // Examples of the reference that belong to no documented call.
    let reads = &["findOneWebhook", "updateWebhook"];
    emission.parameter_keywords(
        reads,
        "webhookId",
        &json!({ "examples": ["542609c1-8bf9-46b1-830f-4b87d09d3cf1"] }),
    );
    let list = &["findAllWebhooks"];
    emission.parameter_keywords(
        list,
        "webhookEventTypeId",
        &json!({ "examples": ["7c9885b8-7284-4d91-affd-f3c4a39a4b49"] }),
    );
    emission.parameter_keywords(list, "offset", &json!({ "examples": [100] }));
    emission.parameter_keywords(&[], "accountId", &json!({ "examples": ["F50091"] }));
    emission.header_keywords("Allow", &json!({ "examples": ["GET, HEAD, POST"] }));
    emission.header_keywords("Retry-After", &json!({ "examples": [1] }));
    for entry in &CATALOGUE {
        emission.notification(notification(entry));
    }
    emission.samples(&Source::read(SOURCE));
    emission.root("x-webhook-signature", signature());
    emission.root("x-webhook-delivery", delivery());
    emission.finish()
}

fn notification(entry: &Entry) -> Notification {
    let name = entry.name.as_str();
    let payload = match entry.payload {
        Payload::AccountActivated => "AccountActivatedPayload",
        Payload::AccountCreated => "AccountCreatedPayload",
        Payload::IdentityVerificationRequest => "IdentityVerificationRequestPayload",
        Payload::Unknown => "NotificationPayload",
    };
    Notification {
        operation: format!("on{name}"),
        summary: format!("{name} notification"),
        description: entry.description.to_owned(),
        headers: headers(),
        // E-50.
        schema: json!({ "allOf": [
            { "$ref": "#/components/schemas/Notification" },
            { "properties": { "body": { "allOf": [
                { "$ref": format!("#/components/schemas/{payload}") },
                { "properties": { "webhookEventTypeName": { "const": name } } },
            ] } } },
        ] }),
        responses: json!({
            // E-54, E-55.
            "2XX": { "description": "Any 2xx means that the receiver has the notification and ends the retries; a body is not looked \
                at." },
            "default": { "description": "Anything else, a redirect or a time-out too, is a failure: the notification is sent again \
                every 5 minutes for 14 days after the first attempt." },
        }),
        event_type: name,
    }
}

/// E-49, E-52.
fn headers() -> Value {
    json!([
        {
            "name": "x-em-signature",
            "in": "header",
            "required": false,
            "description": "Base64 of the HMAC-SHA256 of the request body, keyed with the shared secret; sent only where the webhook \
                has one.",
            "schema": {
                "type": "string",
                "minLength": 44,
                "maxLength": 44,
                "pattern": "^[A-Za-z0-9+/]{43}=$",
                "examples": ["ewhI01Fsq9tb9JSQYfImiEfyNWzJu4Sq4sfsURIqQes="],
            },
        },
        {
            "name": "User-Agent",
            "in": "header",
            "required": true,
            "description": "The program that sends the notification. A webhook with an `authorizationHeader` also gets it as \
                `Authorization`.",
            "schema": { "type": "string", "minLength": 1 },
        },
    ])
}

/// How notifications are signed and sent again (E-50 to E-55, E-63).
fn signature() -> Value {
    json!([
        {
            "version": 1,
            "algorithm": "hmac-sha256",
            "signature": { "header": "x-em-signature", "encoding": "base64" },
            "signed": "{body}",
            "key": { "request": "/sharedSecret", "encoding": "utf-8" },
            "required": "when-key-is-set",
            "testVectors": [{
                "key": "123e4567-e89b-12d3-a456-426614174000",
                "body": "{\"body\":{\"accountId\":\"F12345\",\"customerId\":\"123456789\",\"eventTime\":\"2023-05-31T15:59:17.613Z\",\
                    \"status\":\"applicationPending\",\"type\":\"Business\",\"messageId\":\"0473b4d0-2f69-4bc5-ab7b-94589a4e48ba\",\
                    \"webhookEventTypeName\":\"AccountCreated\"}}",
                "signature": "ewhI01Fsq9tb9JSQYfImiEfyNWzJu4Sq4sfsURIqQes=",
            }],
        },
        {
            "version": 1,
            "algorithm": "token",
            "signature": { "header": "Authorization" },
            "key": { "request": "/authorizationHeader", "encoding": "utf-8" },
            "required": "when-key-is-set",
        },
    ])
}

/// The promises about deliveries; see `docs/webhook-extensions.md`.
fn delivery() -> Value {
    json!({
        "version": 1,
        "success": ["2XX"],
        "redirects": "fail",
        "deadline": ATTEMPT_DEADLINE.as_secs(),
        "id": { "member": "/body/messageId" },
        "retry": { "every": retry::INTERVAL, "from": "first", "until": retry::PERIOD },
        "afterDisable": "pause",
        "afterDelete": "cancel",
    })
}
