//! The emitted document: operations from the files by resource, samples from the source document.

use actix_web::HttpRequest;
use serde_json::{Map, Value, json};
use utoipa::OpenApi;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};

use super::error::{Fault, Problem};
use super::models::OutcomeFilter;
use super::{deliveries, events, keys, replays, webhooks};
use crate::domain::ProviderName;
use crate::http::{Faults, Query};
use crate::openapi::{Emission, Source};
use crate::provider::{Addressing, OwnerMember, Provider};

/// Holds the query of a request to the parameters that the document gives its operation.
///
/// # Errors
/// The parameters that it does not have.
pub(super) fn known_parameters(document: &Value, request: &HttpRequest) -> Result<(), Faults> {
    let mut faults = Faults::default();
    if !request.query_string().is_empty() {
        let base = document["servers"][0]["url"].as_str().unwrap_or_default();
        let pattern = request.match_pattern().unwrap_or_default();
        let path = pattern.strip_prefix(base).unwrap_or_default();
        let method = request.method().as_str().to_lowercase();
        let parameters = document["paths"][path][method]["parameters"].as_array();
        let known: Vec<&str> = parameters
            .into_iter()
            .flatten()
            .filter(|parameter| parameter["in"] == "query")
            .filter_map(|parameter| parameter["name"].as_str())
            .collect();
        Query::parse(request.query_string()).refuse_unknown(&known, &mut faults);
    }
    faults.into_result()
}

/// The source document, whose samples the emitted one has.
const SOURCE: &str = include_str!("../../openapi/operator.yaml");

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Truehook operator API",
        version = "1.0.0",
        description = "An event that is published here is stored together with one delivery for each webhook that wants it, and each \
            delivery is attempted until its receiver accepts it or its provider's retry schedule ends. The answer to a publication goes \
            out when both are durable.\n\n\
            Times are in UTC with milliseconds. Members without a value are null, never left out, in every answer but the problems. Long \
            lists are read page by page: send the `next` of a page back as `cursor` until it is null. Errors are problem details (RFC \
            9457), and a request that is refused has changed nothing.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0")
    ),
    servers((url = "/operator/v1", description = "This server, which serves several APIs under one host.")),
    tags(
        (name = "Events", description = "Happenings, as they were published."),
        (name = "Deliveries", description = "One event for one webhook, with its attempts."),
        (name = "Webhooks", description = "Registered receivers, of every client and product."),
        (name = "Replays", description = "Jobs that send many deliveries again."),
        (name = "Keys", description = "The credentials of all APIs of this server.")
    ),
    paths(
        events::publish_event,
        events::list_events,
        events::get_event,
        deliveries::list_deliveries,
        deliveries::get_delivery,
        deliveries::retry_delivery,
        webhooks::list_webhooks,
        webhooks::get_webhook,
        replays::create_replay,
        replays::get_replay,
        keys::create_key,
        keys::list_keys,
        keys::revoke_key
    ),
    // utoipa does not collect what only an error answer or a parameter names.
    components(schemas(Fault, OutcomeFilter, Problem))
)]
struct OperatorApi;

/// Makes the emitted document of a server with these providers.
pub(crate) fn emit(table: &[&dyn Provider]) -> Value {
    let mut api = OperatorApi::openapi();
    let scheme = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some(
            "An API key of the provider `operator`, sent as Bearer token.",
        ))
        .build();
    api.components
        .get_or_insert_default()
        .add_security_scheme("Operator", SecurityScheme::Http(scheme));
    let mut emission = Emission::of(&api);
    let names: Vec<ProviderName> = table.iter().map(|provider| provider.name()).collect();
    emission.keywords("Provider", &json!({ "enum": names }));
    let names = [names, vec![ProviderName::OPERATOR]].concat();
    emission.keywords("KeyProvider", &json!({ "enum": names }));
    emission.keywords("PublishRequest", &members_by_provider(table));
    // All deliveries of a provider is more than anybody means.
    let conditions = ["from", "to", "webhookId", "state"].map(|name| json!({ "required": [name] }));
    emission.keywords(
        "ReplayRequest",
        &json!({ "allOf": [{ "anyOf": conditions }] }),
    );
    emission.flatten("DeliveryDetail");
    // Each event type has its own members.
    let any = json!({ "additionalProperties": { "description": "Any value." } });
    emission.keywords("Event/properties/data", &any);
    emission.keywords("PublishRequest/properties/data", &any);
    emission.keywords("Attempt", &json!({ "examples": attempts() }));
    // No named samples: a cursor works only on the server that gave it, and Swagger UI would fill in a key that is used already, and
    // filters that find nothing.
    for (operation, name, example) in [
        ("listEvents", "cursor", "MS80Mg"),
        ("listDeliveries", "cursor", "MS80Mg"),
        (
            "publishEvent",
            "Idempotency-Key",
            "2b1f5d0c-77a0-4a4e-9a53-6d9c1b1f0e42",
        ),
        ("listEvents", "type", "BoxCredited"),
        ("listEvents", "since", "c2luY2UvNDI"),
        ("listWebhooks", "cursor", "MS80Mg"),
        ("listWebhooks", "type", "BoxCredited"),
        (
            "listWebhooks",
            "owner",
            "911db6db-ef58-4992-87cd-2fe2cfde05f9",
        ),
        ("listWebhooks", "accountId", "F12345"),
        ("listDeliveries", "type", "BoxCredited"),
        ("listDeliveries", "from", "2025-11-04T15:00:00.000Z"),
        ("listDeliveries", "to", "2025-11-04T16:00:00.000Z"),
        (
            "listDeliveries",
            "webhookId",
            "whk_31BbTJ0ORWosbmona9WP0ThJYT5",
        ),
        (
            "listDeliveries",
            "eventId",
            "evt_351CswRma2kY33cMYX0OapsWW3J",
        ),
    ] {
        emission.parameter_keywords(&[operation], name, &json!({ "examples": [example] }));
    }
    emission.header_keywords("Allow", &json!({ "examples": ["GET, POST"] }));
    emission.header_keywords("Retry-After", &json!({ "examples": [5] }));
    emission.header_keywords("WWW-Authenticate", &json!({ "const": "Bearer" }));
    emission.samples(&Source::read(SOURCE));
    emission.finish()
}

/// The members that a publication must have and must not have, by its provider. The last provider needs no condition of its own.
fn members_by_provider(table: &[&dyn Provider]) -> Value {
    let [rest @ .., last] = table else {
        return json!({});
    };
    rest.iter().rev().fold(members_of(*last), |others, provider| {
        let is_provider = json!({
            "required": ["provider"], "properties": { "provider": { "const": provider.name() } },
        });
        json!({ "if": is_provider, "then": members_of(*provider), "else": others })
    })
}

/// The members that a publication for this provider must have and must not have.
fn members_of(provider: &dyn Provider) -> Value {
    let Addressing {
        owner,
        owner_is_required,
        has_accounts,
    } = provider.addressing();
    let forbidden = [
        ("clientId", owner != OwnerMember::ClientId),
        ("accountId", !has_accounts),
        ("productId", owner != OwnerMember::ProductId),
    ];
    let forbidden = forbidden.into_iter().filter(|(_, forbidden)| *forbidden);
    let properties: Map<String, Value> = forbidden
        .map(|(name, _)| (name.to_owned(), json!({ "not": {} })))
        .collect();
    let mut members = Map::new();
    if owner_is_required {
        members.insert("required".to_owned(), json!([owner.as_str()]));
    }
    members.insert("properties".to_owned(), properties.into());
    members.into()
}

/// Three attempts of one delivery. They stand in the schema: nothing in this API makes a delivery whose id a client could know.
fn attempts() -> Value {
    let headers = json!([
        { "name": "content-type", "value": "application/json" },
        { "name": "user-agent", "value": "truehook/0.1.0" },
        { "name": "x-em-signature", "value": "ewhI01Fsq9tb9JSQYfImiEfyNWzJu4Sq4sfsURIqQes=" },
        { "name": "authorization", "value": "[redacted]" },
    ]);
    json!([
        {
            "number": 1, "recorded": true, "startedAt": "2025-11-04T15:05:00.004Z",
            "durationMs": { "queue": 3.7, "connect": 11.2, "firstByte": 48.9, "total": 49.3 },
            "requestHeaders": headers, "status": 503,
            "responseHeaders": [{ "name": "retry-after", "value": "120" }], "responseBody": "upstream is restarting",
            "responseTruncated": false, "error": null,
        },
        {
            "number": 2, "recorded": true, "startedAt": "2025-11-04T15:10:00.009Z",
            "durationMs": { "queue": 4.8, "connect": null, "firstByte": null, "total": 10_000.4 },
            "requestHeaders": headers, "status": null, "responseHeaders": [], "responseBody": null, "responseTruncated": false,
            "error": "no complete answer before the deadline",
        },
        {
            "number": 3, "recorded": false, "startedAt": null, "durationMs": null, "requestHeaders": [],
            "status": null, "responseHeaders": [], "responseBody": null, "responseTruncated": false, "error": null,
        },
    ])
}
