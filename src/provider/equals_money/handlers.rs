//! Inbound: the seven operations, and the routes that lead to them.

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::Value;
use uuid::Uuid;

use super::auth::EqualsCaller;
use super::catalogue::{self, CATALOGUE, Entry};
use super::error::{BodyErrors, CommonErrors, EqualsError, ItemErrors};
use super::models::{
    AccountQuery, CreateWebhookRequest, CreatedWebhook, ListQuery, UpdateWebhookRequest, Webhook,
    WebhookEventType, WebhookList,
};
use super::{NAME, State};
use crate::domain::{self, ReceiverUrl, SchemePolicy, Secret, UrlFault, WebhookChange};
use crate::entropy;
use crate::http::{BodyRules, Faults, Query, read_json};
use crate::storage::{OnDelete, Page, WebhookFilter, WebhookKey, WebhookPage};

/// E-35.
const DEFAULT_LIMIT: u64 = 100;
const LARGEST_LIMIT: u64 = 1_000;

/// E-67: no page names a maximum; every client language has integers up to this one.
const LARGEST_OFFSET: u64 = 2_147_483_647;

/// E-20: both schemes, in every mode.
const SCHEMES: SchemePolicy = SchemePolicy::HttpOrHttps;

/// The routes below the base path.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        // Before `/v2/webhooks/{webhookId}`, which would match these paths too.
        .service(
            web::resource("/v2/webhooks/event-types")
                .route(web::get().to(list_event_types))
                .default_service(web::to(|| method_not_allowed("GET"))),
        )
        .service(
            web::resource("/v2/webhooks/event-types/{webhookEventTypeId}")
                .route(web::get().to(get_event_type))
                .default_service(web::to(|| method_not_allowed("GET"))),
        )
        .service(
            web::resource("/v2/webhooks")
                .route(web::get().to(list_webhooks))
                .route(web::post().to(create_webhook))
                .default_service(web::to(|| method_not_allowed("GET, POST"))),
        )
        .service(
            web::resource("/v2/webhooks/{webhookId}")
                .route(web::get().to(get_webhook))
                .route(web::patch().to(update_webhook))
                .route(web::delete().to(delete_webhook))
                .default_service(web::to(|| method_not_allowed("GET, PATCH, DELETE"))),
        )
        .default_service(web::to(async || {
            Err::<HttpResponse, _>(EqualsError::PathNotFound)
        }));
}

async fn method_not_allowed(allow: &'static str) -> Result<HttpResponse, EqualsError> {
    Err(EqualsError::MethodNotAllowed { allow })
}

/// Gives every event type that a webhook can subscribe to, ordered by name by code point. There is no paging and no filter.
#[utoipa::path(get, path = "/v2/webhooks/event-types", operation_id = "findAllWebhookEventTypes", tag = "Webhooks",
    summary = "List webhook event types", params(AccountQuery), security(("CommonAuth" = [])),
    responses((status = 200, description = "All event types of the catalogue.", body = Vec<WebhookEventType>), CommonErrors))]
pub(super) async fn list_event_types(
    _: EqualsCaller,
    state: web::Data<State>,
) -> Result<HttpResponse, EqualsError> {
    let all: Vec<WebhookEventType> = CATALOGUE.iter().map(|entry| shown(&state, entry)).collect();
    Ok(HttpResponse::Ok().json(all))
}

/// Gives one event type by its id.
#[utoipa::path(get, path = "/v2/webhooks/event-types/{webhookEventTypeId}", operation_id = "findOneWebhookEventType",
    tag = "Webhooks", summary = "Retrieve a webhook event type",
    params(("webhookEventTypeId" = Uuid, Path, description = "The id of the event type."), AccountQuery),
    security(("CommonAuth" = [])),
    responses((status = 200, description = "The event type.", body = WebhookEventType), CommonErrors, ItemErrors))]
pub(super) async fn get_event_type(
    _: EqualsCaller,
    request: HttpRequest,
    state: web::Data<State>,
) -> Result<HttpResponse, EqualsError> {
    let id = path_id(&request, "webhookEventTypeId")?;
    let entry = catalogue::by_id(id).ok_or(EqualsError::EventTypeNotFound)?;
    Ok(HttpResponse::Ok().json(shown(&state, entry)))
}

/// Gives the webhooks of the product page by page, oldest first.
///
/// The filters combine with AND; one that matches nothing gives an empty page. Unknown query parameters are ignored.
#[utoipa::path(get, path = "/v2/webhooks", operation_id = "findAllWebhooks", tag = "Webhooks", summary = "List webhooks",
    params(ListQuery, AccountQuery), security(("CommonAuth" = [])),
    responses((status = 200, description = "One page of webhooks and the number of all that match.", body = WebhookList),
        CommonErrors))]
pub(super) async fn list_webhooks(
    caller: EqualsCaller,
    request: HttpRequest,
    state: web::Data<State>,
) -> Result<HttpResponse, EqualsError> {
    let query = Query::parse(request.query_string());
    let mut faults = Faults::default();
    let limit = query
        .integer("limit", 1..=LARGEST_LIMIT, &mut faults)
        .unwrap_or(DEFAULT_LIMIT);
    let offset = query
        .integer("offset", 0..=LARGEST_OFFSET, &mut faults)
        .unwrap_or(0);
    let enabled = query
        .text("enabled", &mut faults)
        .and_then(|text| match text {
            "true" => Some(true),
            "false" => Some(false),
            _ => {
                faults.add("enabled", "must be true or false");
                None
            }
        });
    let id = query.text("webhookEventTypeId", &mut faults).map(uuid);
    if id == Some(None) {
        faults.add("webhookEventTypeId", "must be a UUID");
    }
    let name = query.text("webhookEventTypeName", &mut faults);
    let account_id = query.text("accountId", &mut faults).map(str::to_owned);
    let event_type = EventTypeFilter::of(id.flatten(), name);
    faults.into_result().map_err(EqualsError::InvalidQuery)?;

    let limit = u32::try_from(limit).expect("a limit is at most 1000");
    let found = match event_type {
        EventTypeFilter::Nothing => WebhookPage {
            rows: Vec::new(),
            more: false,
            count: Some(0),
        },
        EventTypeFilter::Any => {
            find(&state, caller, account_id, None, enabled, offset, limit).await?
        }
        EventTypeFilter::Named(name) => {
            find(
                &state,
                caller,
                account_id,
                Some(name),
                enabled,
                offset,
                limit,
            )
            .await?
        }
    };
    let rows = found
        .rows
        .into_iter()
        .map(Webhook::read)
        .collect::<Result<_, _>>()?;
    Ok(HttpResponse::Ok().json(WebhookList {
        count: found.count.unwrap_or_default(),
        limit,
        offset,
        rows,
    }))
}

/// Subscribes a URL to one event type, named by `webhookEventTypeName` or `webhookEventTypeId`.
#[utoipa::path(post, path = "/v2/webhooks", operation_id = "createWebhook", tag = "Webhooks",
    summary = "Create a new webhook", security(("CommonAuth" = [])),
    request_body(content = CreateWebhookRequest, description = "The webhook to create."),
    responses((status = 201, description = "The new webhook. `authorizationHeader` and `sharedSecret` are left out where unset; \
        `createdAt` and `updatedAt` are equal and have milliseconds.", body = Webhook), CommonErrors, BodyErrors))]
pub(super) async fn create_webhook(
    caller: EqualsCaller,
    request: HttpRequest,
    payload: web::Payload,
    state: web::Data<State>,
) -> Result<HttpResponse, EqualsError> {
    let body = read_json(&request, payload, body_rules(&state)).await?;
    let mut faults = state.bodies.create.faults(&body);
    check_url(&body, &mut faults);
    let event_type = check_event_type(&body, &state, &mut faults);
    let wanted: CreateWebhookRequest = parse(body, faults)?;
    let event_type = event_type
        .ok_or_else(|| invalid("", "must have webhookEventTypeName or webhookEventTypeId"))?;
    let now = state.context.clock.now();
    let webhook = domain::Webhook {
        provider: NAME,
        // E-29.
        id: entropy::uuid().to_string(),
        owner: caller.0.owner,
        account_id: wanted.account_id,
        url: read_url(&wanted.url)?,
        event_types: vec![event_type.name.as_str()],
        enabled: wanted.enabled,
        signing_secret: wanted.shared_secret.map(Secret::new),
        authorization: wanted.authorization_header.map(Secret::new),
        created_at: now,
        updated_at: now,
    };
    state.context.store.insert_webhook(webhook.clone()).await?;
    Ok(HttpResponse::Created().json(CreatedWebhook::try_from(webhook)?))
}

/// Gives one webhook by its id.
#[utoipa::path(get, path = "/v2/webhooks/{webhookId}", operation_id = "findOneWebhook", tag = "Webhooks",
    summary = "Retrieve a webhook", params(("webhookId" = Uuid, Path, description = "The id of the webhook."), AccountQuery),
    security(("CommonAuth" = [])),
    responses((status = 200, description = "The webhook with all 11 members, unset ones as null, and times cut down to the \
        second (`.000Z`).", body = Webhook), CommonErrors, ItemErrors))]
pub(super) async fn get_webhook(
    caller: EqualsCaller,
    request: HttpRequest,
    state: web::Data<State>,
) -> Result<HttpResponse, EqualsError> {
    let found = state.context.store.webhook(key(caller, &request)?).await?;
    let webhook = found.ok_or(EqualsError::WebhookNotFound)?;
    Ok(HttpResponse::Ok().json(Webhook::read(webhook)?))
}

/// Changes the state, URL, shared secret or authorization header of a webhook.
///
/// `enabled` must be sent every time, whatever else is to change; members left out keep their value, and null clears `sharedSecret`
/// and `authorizationHeader`. Event type and account cannot be changed.
#[utoipa::path(patch, path = "/v2/webhooks/{webhookId}", operation_id = "updateWebhook", tag = "Webhooks",
    summary = "Update a webhook", params(("webhookId" = Uuid, Path, description = "The id of the webhook."), AccountQuery),
    security(("CommonAuth" = [])),
    request_body(content = UpdateWebhookRequest, description = "The members to change, and the state."),
    responses((status = 200, description = "The changed webhook with all 11 members, unset ones as null; `createdAt` is cut down \
        to the second (`.000Z`), `updatedAt` has milliseconds.", body = Webhook), CommonErrors, BodyErrors, ItemErrors))]
pub(super) async fn update_webhook(
    caller: EqualsCaller,
    request: HttpRequest,
    payload: web::Payload,
    state: web::Data<State>,
) -> Result<HttpResponse, EqualsError> {
    let key = key(caller, &request)?;
    let body = read_json(&request, payload, body_rules(&state)).await?;
    let mut faults = state.bodies.update.faults(&body);
    check_url(&body, &mut faults);
    let wanted: UpdateWebhookRequest = parse(body, faults)?;
    let change = WebhookChange {
        url: wanted.url.as_deref().map(read_url).transpose()?,
        event_types: None,
        enabled: Some(wanted.enabled),
        signing_secret: wanted.shared_secret.map(|secret| secret.map(Secret::new)),
        authorization: wanted
            .authorization_header
            .map(|header| header.map(Secret::new)),
        // E-57: due retries are skipped while it is disabled.
        suspended: Some(!wanted.enabled),
    };
    let changed = state
        .context
        .store
        .update_webhook(key, change, state.context.clock.now())
        .await?;
    let webhook = changed.ok_or(EqualsError::WebhookNotFound)?;
    Ok(HttpResponse::Ok().json(Webhook::changed(webhook)?))
}

/// Removes a webhook for good and ends its deliveries, retries included. A second delete answers 404.
#[utoipa::path(delete, path = "/v2/webhooks/{webhookId}", operation_id = "deleteWebhook", tag = "Webhooks",
    summary = "Delete a webhook", params(("webhookId" = Uuid, Path, description = "The id of the webhook."), AccountQuery),
    security(("CommonAuth" = [])),
    responses((status = 204, description = "The webhook is gone; the answer has neither body nor Content-Type."),
        CommonErrors, ItemErrors))]
pub(super) async fn delete_webhook(
    caller: EqualsCaller,
    request: HttpRequest,
    state: web::Data<State>,
) -> Result<HttpResponse, EqualsError> {
    let key = key(caller, &request)?;
    // E-57: DELETE ends the retries.
    if state
        .context
        .store
        .delete_webhook(key, OnDelete::CancelPending, state.context.clock.now())
        .await?
    {
        Ok(HttpResponse::NoContent().finish())
    } else {
        Err(EqualsError::WebhookNotFound)
    }
}

/// Combines the two event-type filters of the list (E-37).
enum EventTypeFilter {
    Any,
    Named(String),
    /// An unknown type, or two different ones.
    Nothing,
}

impl EventTypeFilter {
    fn of(id: Option<Uuid>, name: Option<&str>) -> Self {
        match (id.map(catalogue::by_id), name.map(catalogue::by_name)) {
            (None, None) => Self::Any,
            (Some(Some(entry)), None) | (None, Some(Some(entry))) => {
                Self::Named(entry.name.as_str())
            }
            (Some(Some(by_id)), Some(Some(by_name))) if by_id.name == by_name.name => {
                Self::Named(by_id.name.as_str())
            }
            _ => Self::Nothing,
        }
    }
}

async fn find(
    state: &State,
    caller: EqualsCaller,
    account_id: Option<String>,
    event_type: Option<String>,
    enabled: Option<bool>,
    offset: u64,
    limit: u32,
) -> Result<WebhookPage, EqualsError> {
    let owner = caller.0.owner;
    let filter = WebhookFilter {
        provider: NAME,
        owner,
        account_id,
        event_type,
        enabled,
    };
    Ok(state
        .context
        .store
        .webhooks(
            filter,
            Page {
                after: None,
                offset,
                limit,
                count: true,
            },
        )
        .await?)
}

fn body_rules(state: &State) -> BodyRules {
    // E-9: a missing Content-Type is refused.
    BodyRules {
        limit: state.context.max_body_bytes,
        untyped_is_json: false,
    }
}

fn shown(state: &State, entry: &Entry) -> WebhookEventType {
    WebhookEventType {
        id: entry.id,
        name: entry.name.as_str(),
        enabled: !state.disabled.contains(&entry.name),
        created_at: entry.created_at().to_owned(),
        updated_at: entry.updated_at().to_owned(),
    }
}

/// The webhook that path and query name (E-6, E-12).
fn key(caller: EqualsCaller, request: &HttpRequest) -> Result<WebhookKey, EqualsError> {
    let id = path_id(request, "webhookId")?.to_string();
    let mut faults = Faults::default();
    let account_id = Query::parse(request.query_string())
        .text("accountId", &mut faults)
        .map(str::to_owned);
    faults.into_result().map_err(EqualsError::InvalidQuery)?;
    Ok(WebhookKey {
        provider: NAME,
        owner: caller.0.owner,
        id,
        account_id,
    })
}

fn path_id(request: &HttpRequest, name: &'static str) -> Result<Uuid, EqualsError> {
    request
        .match_info()
        .get(name)
        .and_then(uuid)
        .ok_or(EqualsError::InvalidId(name))
}

/// A UUID in its one documented form: 36 characters with hyphens.
fn uuid(text: &str) -> Option<Uuid> {
    (text.len() == 36)
        .then(|| Uuid::try_parse(text).ok())
        .flatten()
}

/// E-20, as far as a schema cannot say it.
fn check_url(body: &Value, faults: &mut Faults) {
    let url = body.get("url").and_then(Value::as_str);
    match url.map(|url| ReceiverUrl::parse(url, SCHEMES)) {
        Some(Err(UrlFault::NotAbsolute | UrlFault::Scheme)) => {
            if !faults.at("/url") {
                faults.add("/url", "must be an absolute http or https URL");
            }
        }
        // E-66.
        Some(Err(fault)) => faults.set("/url", fault.to_string()),
        Some(Ok(_)) | None => {}
    }
}

fn read_url(url: &str) -> Result<ReceiverUrl, EqualsError> {
    ReceiverUrl::parse(url, SCHEMES).map_err(|fault| invalid("/url", &fault.to_string()))
}

/// The event type that a create names (E-14, E-16, E-17, E-44).
fn check_event_type(body: &Value, state: &State, faults: &mut Faults) -> Option<&'static Entry> {
    let text = |member: &str| body.get(member).and_then(Value::as_str);
    let by_name = text("webhookEventTypeName").and_then(catalogue::by_name);
    let id = text("webhookEventTypeId")
        .filter(|_| !faults.at("/webhookEventTypeId"))
        .and_then(uuid);
    let by_id = id.and_then(catalogue::by_id);
    if id.is_some() && by_id.is_none() {
        faults.add("/webhookEventTypeId", "must be the id of an event type");
    }
    if let (Some(by_name), Some(by_id)) = (by_name, by_id)
        && by_name.name != by_id.name
    {
        faults.add(
            "/webhookEventTypeId",
            "must be the id of the type that webhookEventTypeName names",
        );
    }
    for (member, named) in [
        ("/webhookEventTypeName", by_name),
        ("/webhookEventTypeId", by_id),
    ] {
        if named.is_some_and(|entry| state.disabled.contains(&entry.name)) {
            faults.add(member, "must be an event type that is enabled");
        }
    }
    by_name.or(by_id)
}

/// The body as its type, once no fault was found in it.
fn parse<T: serde::de::DeserializeOwned>(body: Value, faults: Faults) -> Result<T, EqualsError> {
    faults.into_result().map_err(EqualsError::InvalidBody)?;
    serde_json::from_value(body).map_err(|error| invalid("", &error.to_string()))
}

fn invalid(pointer: &str, message: &str) -> EqualsError {
    let mut faults = Faults::default();
    faults.add(pointer, message);
    EqualsError::InvalidBody(faults)
}
