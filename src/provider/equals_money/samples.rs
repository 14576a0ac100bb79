//! Inbound: requests and their answers as the docs show them, and refusals as we decided them; replayed against a running server.
//!
//! Where a documented value is a placeholder or contradicts the rest, the source document lists it as a defect.

use serde_json::{Value, json};

use crate::openapi::{Refusal, Sample};

const SECRET: &str = "123e4567-e89b-12d3-a456-426614174000";
const BASIC: &str = "Basic AXVubzpwQDU1dzByYM==";
const API_URL: &str = "https://api.url.com";
const SITE_URL: &str = "https://webhook.site/07a975c2-3f9d-4952-8ea5-98dc688cab7c";
const CHANGED_URL: &str = "https://webhook.site/18b086d3-4g0e-5063-9fb6-09ed799db8d";
const TUTORIAL_WEBHOOK: &str = "542609c1-8bf9-46b1-830f-4b87d09d3cf1";
const TUTORIAL_PRODUCT: &str = "d926625b-5e11-4ec1-b4cd-0af2a8021efc";
const REFERENCE_WEBHOOK: &str = "da91434a-4026-42ea-84b8-d0317b64af9c";
const REFERENCE_PRODUCT: &str = "3ef24d53-6e22-4103-a16b-d268e4f7346d";
const ACCOUNT_ACTIVATED: &str = "a4dcc403-41aa-4f2e-acf6-32dbaec78e72";
const ACCOUNT_CREATED: &str = "7e71bf60-40f3-489f-bd09-e03035d5cd0a";
const ORDER_CREATED: &str = "7c9885b8-7284-4d91-affd-f3c4a39a4b49";
const UNKNOWN: &str = "0b2f6c1e-5a47-4d39-8e10-93c7d5b6a284";
/// The docs give it to a type, but it is no UUID.
const NO_UUID: &str = "ed6dfe0e-6cf2-43d5-9f35-aebg587f4e77";

/// Requests and answers.
pub(super) fn samples() -> Vec<Sample> {
    let mut samples = event_types();
    samples.extend(creates());
    samples.extend(reads());
    samples.extend(changes());
    samples
}

fn event_types() -> Vec<Sample> {
    let row = |id: &str, name: &str, created: &str, updated: &str| json!({ "id": id, "name": name, "enabled": true, "createdAt": created, "updatedAt": updated });
    let once = |id: &str, name: &str, time: &str| row(id, name, time, time);
    // Tutorial, step 1.
    let tutorial = vec![
        row(
            "2704f4e3-7790-43a0-905c-e0a6aaf89cdd",
            "3DSAuthRequest",
            "2023-04-14T15:08:58.000Z",
            "2023-04-19T09:11:10.000Z",
        ),
        once(
            ACCOUNT_ACTIVATED,
            "AccountActivated",
            "2023-04-04T10:02:56.000Z",
        ),
        once(
            ACCOUNT_CREATED,
            "AccountCreated",
            "2023-03-29T12:46:41.000Z",
        ),
        once(
            "25d5b682-7449-4d07-b6fc-7c9bf1239561",
            "BoxCredited",
            "2022-10-26T12:31:47.000Z",
        ),
        once(
            "fc05160e-0f0c-44e0-87a8-e2f093b09ff4",
            "BoxDebited",
            "2022-12-22T11:24:39.000Z",
        ),
        once(
            "a1920089-8cdd-404d-b1aa-624bc4170b40",
            "CardStateUpdated",
            "2023-10-18T15:17:40.000Z",
        ),
        row(
            "da153b21-9c8d-46d2-8911-83c6da10655a",
            "CardTransaction",
            "2023-03-14T12:06:10.000Z",
            "2023-05-16T10:48:23.000Z",
        ),
    ];
    // Guide "Get webhook event type details": the same rows and one more.
    let mut guide = tutorial.clone();
    guide.push(once(
        "b5dcc403-41aa-4f2e-acf6-32dbaec78f7a",
        "KycUpdate",
        "2023-04-04T10:02:56.000Z",
    ));
    let list =
        |name, rows: Vec<Value>| answer("findAllWebhookEventTypes", name, Vec::new(), json!(rows));
    let one = |name| {
        let parameters = vec![("webhookEventTypeId", json!(ACCOUNT_CREATED))];
        let row = once(
            ACCOUNT_CREATED,
            "AccountCreated",
            "2023-03-29T12:46:41.000Z",
        );
        answer("findOneWebhookEventType", name, parameters, row)
    };
    vec![
        list("tutorial", tutorial),
        list("guide", guide),
        one("tutorial"),
        one("reference"),
    ]
}

fn creates() -> Vec<Sample> {
    let create = |name, request: Value, answer: Option<Value>| Sample {
        operation: "createWebhook",
        name,
        parameters: Vec::new(),
        request: Some(request),
        answer: answer.map(|answer| (201, answer)),
    };
    vec![
        // Source page.
        create(
            "create-page",
            json!({
                "sharedSecret": "123e4567-e89b-12d3-a456-426614174100", "enabled": true, "accountId": "F12345",
                "webhookEventTypeName": "AccountActivated", "url": API_URL, "authorizationHeader": BASIC,
            }),
            Some(json!({
                "id": "6f1c0a52-8d3e-4b7a-9c64-2e5d7b90f318", "enabled": true, "accountId": "F12345", "url": API_URL,
                "productId": "911db6db-ef58-4992-87cd-2fe2cfde05f9", "webhookEventTypeId": ACCOUNT_ACTIVATED,
                "updatedAt": "2023-01-30T08:30:00.000Z", "createdAt": "2023-01-30T08:30:00.000Z",
                "webhookEventTypeName": "AccountActivated", "authorizationHeader": BASIC,
                "sharedSecret": "123e4567-e89b-12d3-a456-426614174100",
            })),
        ),
        // Reference, older revision.
        create(
            "reference-older",
            json!({
                "webhookEventTypeName": "AccountCreated", "accountId": "C12345", "url": API_URL,
                "authorizationHeader": BASIC, "sharedSecret": SECRET, "enabled": true,
            }),
            Some(json!({
                "id": REFERENCE_WEBHOOK, "enabled": true, "accountId": "C12345", "url": API_URL,
                "productId": REFERENCE_WEBHOOK, "webhookEventTypeId": ACCOUNT_CREATED,
                "updatedAt": "2021-01-30T08:30:00.000Z", "createdAt": "2021-01-30T08:30:00.000Z",
                "webhookEventTypeName": "AccountCreated", "authorizationHeader": BASIC, "sharedSecret": SECRET,
            })),
        ),
        // Reference, newest revision.
        create(
            "reference",
            json!({
                "accountId": "F50091", "url": API_URL, "authorizationHeader": BASIC, "sharedSecret": SECRET,
                "enabled": true, "webhookEventTypeId": ORDER_CREATED,
            }),
            Some(json!({
                "id": REFERENCE_WEBHOOK, "enabled": true, "accountId": "F50091", "url": API_URL,
                "productId": REFERENCE_PRODUCT, "webhookEventTypeId": ORDER_CREATED,
                "updatedAt": "2019-08-24T14:15:22.000Z", "createdAt": "2019-08-24T14:15:22.000Z",
                "webhookEventTypeName": "OrderCreated", "authorizationHeader": BASIC, "sharedSecret": SECRET,
            })),
        ),
        // Tutorial, step 3, both revisions.
        create(
            "tutorial",
            json!({
                "enabled": true, "accountId": "F12345", "webhookEventTypeName": "AccountActivated", "url": SITE_URL,
            }),
            Some(created_in_tutorial(json!("F12345"))),
        ),
        create(
            "tutorial-global",
            json!({ "enabled": true, "webhookEventTypeName": "AccountActivated", "url": SITE_URL }),
            Some(created_in_tutorial(Value::Null)),
        ),
        create(
            "tutorial-account-specific",
            json!({ "enabled": true, "accountId": "F12345", "webhookEventTypeName": "BoxDebited", "url": SITE_URL }),
            None,
        ),
    ]
}

fn created_in_tutorial(account_id: Value) -> Value {
    json!({
        "id": TUTORIAL_WEBHOOK, "enabled": true, "accountId": account_id, "url": SITE_URL,
        "productId": TUTORIAL_PRODUCT, "webhookEventTypeId": ACCOUNT_ACTIVATED,
        "updatedAt": "2024-01-09T10:33:33.095Z", "createdAt": "2024-01-09T10:33:33.095Z",
        "webhookEventTypeName": "AccountActivated",
    })
}

/// The object that the reference shows for every read and change.
fn reference_webhook() -> Value {
    json!({
        "id": REFERENCE_WEBHOOK, "productId": REFERENCE_PRODUCT, "accountId": "F50091",
        "webhookEventTypeId": ORDER_CREATED, "url": API_URL, "enabled": true,
        "authorizationHeader": "Basic AXVubzpwQDU1dzByYM== ", "sharedSecret": SECRET,
        "createdAt": "2019-08-24T14:15:22.000Z", "updatedAt": "2019-08-24T14:15:22.000Z",
        "webhookEventTypeName": "OrderCreated",
    })
}

fn reads() -> Vec<Sample> {
    let row = |id: &str, event_type: (&str, &str), url: &str, time: &str| {
        json!({
            "id": id, "productId": TUTORIAL_PRODUCT, "accountId": "F12345", "webhookEventTypeId": event_type.0,
            "url": url, "enabled": true, "authorizationHeader": null, "sharedSecret": null,
            "createdAt": time, "updatedAt": time, "webhookEventTypeName": event_type.1,
        })
    };
    // Tutorial, step 4, and guide "Get webhook details": the whole rows that they show.
    let rows = json!([
        row(
            "05fba7ec-f75b-4bab-adf5-4b4575fb791c",
            ("64b18e0e-4561-4509-ad35-ecc8d342d291", "RecipientCreated"),
            "https://webhook.site/217ab475-3c10-4b2c-80e0-c8c2c50ba9aa",
            "2023-11-01T14:09:10.000Z",
        ),
        row(
            "09bbd138-6ea1-4664-806a-16d3b1b9dfbf",
            ("25d5b682-7449-4d07-b6fc-7c9bf1239561", "BoxCredited"),
            "https://webhook.site/d20a8624-56df-4f14-833e-9deed69568ad",
            "2023-11-30T10:02:50.000Z",
        ),
    ]);
    let list = json!({ "count": 2, "limit": 100, "offset": 0, "rows": rows });
    let reference = json!({ "count": 1, "limit": 200, "offset": 0, "rows": [reference_webhook()] });
    // Tutorial, step 5.
    let one = json!({
        "id": TUTORIAL_WEBHOOK, "productId": TUTORIAL_PRODUCT, "accountId": "F51310",
        "webhookEventTypeId": ACCOUNT_ACTIVATED, "url": SITE_URL, "enabled": true, "authorizationHeader": null,
        "sharedSecret": null, "createdAt": "2024-01-09T10:33:33.000Z", "updatedAt": "2024-01-09T10:33:33.000Z",
        "webhookEventTypeName": "AccountActivated",
    });
    vec![
        answer("findAllWebhooks", "tutorial", Vec::new(), list.clone()),
        answer("findAllWebhooks", "guide", Vec::new(), list),
        answer(
            "findAllWebhooks",
            "reference",
            vec![("limit", json!(200)), ("offset", json!(0))],
            reference,
        ),
        answer("findOneWebhook", "tutorial", Vec::new(), one),
    ]
}

fn changes() -> Vec<Sample> {
    let update = |name, parameters, request: Value, answer: Option<Value>| Sample {
        operation: "updateWebhook",
        name,
        parameters,
        request: Some(request),
        answer: answer.map(|answer| (200, answer)),
    };
    let account = || vec![("accountId", json!("F12345"))];
    vec![
        // Tutorial, step 6.
        update(
            "tutorial",
            account(),
            json!({ "sharedSecret": SECRET, "url": CHANGED_URL, "authorizationHeader": BASIC, "enabled": true }),
            Some(json!({
                "id": TUTORIAL_WEBHOOK, "productId": TUTORIAL_PRODUCT, "accountId": "F12345",
                "webhookEventTypeId": ACCOUNT_ACTIVATED, "url": CHANGED_URL, "enabled": true,
                "authorizationHeader": BASIC, "sharedSecret": SECRET, "createdAt": "2024-01-09T10:33:33.000Z",
                "updatedAt": "2024-01-09T10:44:31.153Z", "webhookEventTypeName": "AccountActivated",
            })),
        ),
        // Guide "Update webhooks", without the trailing comma of the printed body.
        update(
            "guide",
            account(),
            json!({ "enabled": true, "authorizationHeader": "Basic BXVubzpwQDU1dzByYM==" }),
            None,
        ),
        // Reference.
        update(
            "reference",
            Vec::new(),
            json!({ "enabled": true, "sharedSecret": SECRET }),
            Some(reference_webhook()),
        ),
        // Guide "Delete webhooks".
        Sample {
            operation: "deleteWebhook",
            name: "guide",
            parameters: vec![("webhookId", json!("d7d34e0f-c6e9-4cea-8c25-baaffa81714f"))],
            request: None,
            answer: None,
        },
    ]
}

fn answer(
    operation: &'static str,
    name: &'static str,
    parameters: Vec<(&'static str, Value)>,
    answer: Value,
) -> Sample {
    Sample {
        operation,
        name,
        parameters,
        request: None,
        answer: Some((200, answer)),
    }
}

/// Requests that are refused.
pub(super) fn refusals() -> Vec<Refusal> {
    let everywhere = &[];
    let mut refusals = refused_bodies();
    refusals.extend(refused_queries());
    refusals.extend([
        // E-12, E-44.
        refused_id(
            &["findOneWebhookEventType"],
            "id-is-not-a-uuid",
            "webhookEventTypeId",
            NO_UUID,
        ),
        refused_id(
            &["findOneWebhook", "updateWebhook", "deleteWebhook"],
            "id-is-not-a-uuid",
            "webhookId",
            "not-a-uuid",
        ),
        not_found(
            &["findOneWebhookEventType"],
            "unknown-event-type",
            "webhookEventTypeId",
            UNKNOWN,
        ),
        not_found(
            &["findOneWebhookEventType"],
            "contested-event-type",
            "webhookEventTypeId",
            "66854098-aac7-4084-938e-bc2e62fb6a44",
        ),
        not_found(
            &["findOneWebhook", "updateWebhook", "deleteWebhook"],
            "unknown-webhook",
            "webhookId",
            UNKNOWN,
        ),
        // E-3, E-4.
        Refusal {
            operations: everywhere,
            name: "no-credentials",
            status: 401,
            answer: error(
                401,
                "Unauthorized",
                "The Authorization header is missing.",
                &[],
            ),
            replay: json!({ "headers": { "Authorization": null } }),
        },
        Refusal {
            operations: everywhere,
            name: "other-scheme",
            status: 401,
            answer: error(
                401,
                "Unauthorized",
                "The Authorization header must have the form \"ApiKey <key>\".",
                &[],
            ),
            replay: json!({ "headers": { "Authorization": "Bearer sandbox-key" } }),
        },
        Refusal {
            operations: everywhere,
            name: "unknown-key",
            status: 403,
            answer: error(403, "Forbidden", "The API key is not valid.", &[]),
            replay: json!({ "headers": { "Authorization": "ApiKey not-a-key" } }),
        },
        // E-9.
        Refusal {
            operations: everywhere,
            name: "wrong-method",
            status: 405,
            answer: error(
                405,
                "Method Not Allowed",
                "This path does not know the method.",
                &[],
            ),
            replay: json!({ "method": "PUT" }),
        },
        Refusal {
            operations: everywhere,
            name: "not-json",
            status: 415,
            answer: error(
                415,
                "Unsupported Media Type",
                "The Content-Type must be application/json.",
                &[],
            ),
            replay: json!({ "headers": { "Content-Type": "text/plain" } }),
        },
    ]);
    refusals
}

fn refused_bodies() -> Vec<Refusal> {
    let (create, update) = (&["createWebhook"], &["updateWebhook"]);
    let url = ("/url", "must be an absolute http or https URL");
    let header = (
        "/authorizationHeader",
        "must not contain control characters",
    );
    let (enabled, secret) = (
        ("/enabled", "must be a boolean"),
        ("/sharedSecret", "must have 1 to 36 characters"),
    );
    let injected = "Basic AXVubzpwQDU1dzByYM==\r\nX-Other: 1";
    vec![
        // E-14.
        refused_body(
            create,
            "no-event-type",
            json!({ "enabled": true, "url": API_URL }),
            &[("", "must have webhookEventTypeName or webhookEventTypeId")],
        ),
        // E-44: the id is OrderCancelled's, the provider's tables give it to OrderCreated as well.
        refused_body(
            create,
            "both-event-types-disagree",
            json!({
                "enabled": true, "webhookEventTypeName": "OrderCreated",
                "webhookEventTypeId": "06e852d1-fcd5-43e6-babe-65a06a43266b", "url": API_URL,
            }),
            &[(
                "/webhookEventTypeId",
                "must be the id of the type that webhookEventTypeName names",
            )],
        ),
        // E-16.
        refused_body(
            create,
            "unknown-event-type",
            json!({ "enabled": true, "webhookEventTypeName": "accountActivated", "url": API_URL }),
            &[("/webhookEventTypeName", "must be the name of an event type")],
        ),
        // E-44: the placeholder of the reference.
        refused_body(
            create,
            "unknown-event-type-id",
            json!({ "enabled": true, "webhookEventTypeId": REFERENCE_WEBHOOK, "url": API_URL }),
            &[("/webhookEventTypeId", "must be the id of an event type")],
        ),
        // E-20: as the source page prints it.
        refused_body(
            create,
            "url-is-not-http",
            json!({ "enabled": true, "webhookEventTypeName": "BoxCredited", "url": "YOUR_WEBHOOK_URL" }),
            &[url],
        ),
        refused_body(
            create,
            "every-fault-at-once",
            json!({
                "sharedSecret": "123e4567-e89b-12d3-a456-426614174000-", "enabled": "true", "accountId": "",
                "webhookEventTypeName": "NoSuchEvent", "webhookEventTypeId": "not-a-uuid", "url": "ftp://api.url.com",
                "authorizationHeader": injected,
            }),
            &[
                ("/accountId", "must have 1 to 36 characters"),
                header,
                enabled,
                secret,
                url,
                ("/webhookEventTypeId", "must be a UUID"),
                ("/webhookEventTypeName", "must be the name of an event type"),
            ],
        ),
        malformed(create),
        // E-27.
        refused_body(
            update,
            "enabled-missing",
            json!({ "sharedSecret": SECRET }),
            &[("/enabled", "is required")],
        ),
        refused_body(
            update,
            "url-is-null",
            json!({ "enabled": true, "url": null }),
            &[("/url", "must be a string")],
        ),
        refused_body(
            update,
            "every-fault-at-once",
            json!({ "enabled": 1, "url": "//api.url.com", "sharedSecret": "", "authorizationHeader": injected }),
            &[header, enabled, secret, url],
        ),
        malformed(update),
    ]
}

/// E-35, E-37.
fn refused_queries() -> Vec<Refusal> {
    let refused = |name, parameter: &str, value: &str, message: &str| Refusal {
        operations: &["findAllWebhooks"],
        name,
        status: 400,
        answer: error(
            400,
            "Bad Request",
            "The query is not valid.",
            &[(parameter, message)],
        ),
        replay: json!({ "query": { parameter: value } }),
    };
    vec![
        refused(
            "limit-out-of-range",
            "limit",
            "1001",
            "must be an integer from 1 to 1000",
        ),
        refused(
            "offset-negative",
            "offset",
            "-1",
            "must be an integer from 0 to 2147483647",
        ),
        refused(
            "enabled-neither-true-nor-false",
            "enabled",
            "yes",
            "must be true or false",
        ),
        refused(
            "event-type-id-is-not-a-uuid",
            "webhookEventTypeId",
            NO_UUID,
            "must be a UUID",
        ),
    ]
}

fn error(status: u16, reason: &str, message: &str, details: &[(&str, &str)]) -> Value {
    let details: Vec<Value> = details
        .iter()
        .map(|(pointer, message)| json!({ "pointer": pointer, "message": message }))
        .collect();
    json!({ "statusCode": status, "error": reason, "message": message, "details": details })
}

fn refused_body(
    operations: &'static [&'static str],
    name: &'static str,
    body: Value,
    details: &[(&str, &str)],
) -> Refusal {
    let answer = error(
        400,
        "Bad Request",
        "The request body is not valid.",
        details,
    );
    Refusal {
        operations,
        name,
        status: 400,
        answer,
        replay: json!({ "body": body }),
    }
}

fn malformed(operations: &'static [&'static str]) -> Refusal {
    let answer = error(
        400,
        "Bad Request",
        "The request body is not valid JSON.",
        &[("", "must be JSON")],
    );
    Refusal {
        operations,
        name: "malformed-json",
        status: 400,
        answer,
        replay: json!({ "body": "{\"url\":" }),
    }
}

fn refused_id(
    operations: &'static [&'static str],
    name: &'static str,
    parameter: &str,
    id: &str,
) -> Refusal {
    let answer = error(
        400,
        "Bad Request",
        "The request is not valid.",
        &[(parameter, "must be a UUID")],
    );
    Refusal {
        operations,
        name,
        status: 400,
        answer,
        replay: json!({ "path": { parameter: id } }),
    }
}

fn not_found(
    operations: &'static [&'static str],
    name: &'static str,
    parameter: &str,
    id: &str,
) -> Refusal {
    let thing = if parameter == "webhookId" {
        "webhook"
    } else {
        "event type"
    };
    let answer = error(404, "Not Found", &format!("There is no such {thing}."), &[]);
    Refusal {
        operations,
        name,
        status: 404,
        answer,
        replay: json!({ "path": { parameter: id } }),
    }
}

/// The bodies of answers that no sample of a request could bring about: to a body of more than `limit` bytes, and when the server fails.
pub(crate) fn failures(limit: usize) -> Vec<(u16, Value)> {
    let too_large = format!("The body must have at most {limit} bytes.");
    let failed = "The request could not be handled. Try again later.";
    let body = |status: u16, error: &str, message: &str| {
        let body =
            json!({ "statusCode": status, "error": error, "message": message, "details": [] });
        (status, body)
    };
    vec![
        body(413, "Payload Too Large", &too_large),
        body(500, "Internal Server Error", failed),
    ]
}
