//! Inbound: the five operations on webhooks, and the routes that lead to them.

use actix_web::{HttpRequest, HttpResponse, web};
use data_encoding::HEXLOWER;
use serde_json::Value;

use super::auth::ConduitCaller;
use super::error::{BodyErrors, CommonErrors, ConduitError, QueryErrors, WebhookErrors};
use super::models::{
    ApiVersion, CreateWebhookRequest, PageQuery, Pagination, PatchWebhookRequest, RetrievedWebhook,
    Webhook, WebhookEvent, WebhookList, WebhookStatus,
};
use super::{NAME, State, cursor};
use crate::domain::{self, ReceiverUrl, SchemePolicy, Secret, UrlFault, WebhookChange};
use crate::entropy;
use crate::http::{BodyRules, Faults, Query, read_json};
use crate::provider::{Caller, Context};
use crate::storage::{OnDelete, Page, Position, WebhookFilter, WebhookKey};

/// C-13.
const DEFAULT_PAGE_SIZE: u64 = 20;
const LARGEST_PAGE_SIZE: u64 = 100;

/// The routes below the base path.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(
            web::resource("/webhooks")
                .route(web::post().to(create_webhook))
                .route(web::get().to(list_webhooks))
                .default_service(web::to(|| method_not_allowed("GET, POST"))),
        )
        .service(
            web::resource("/webhooks/{id}")
                .route(web::get().to(get_webhook))
                .route(web::patch().to(patch_webhook))
                .route(web::delete().to(delete_webhook))
                .default_service(web::to(|| method_not_allowed("GET, PATCH, DELETE"))),
        )
        .default_service(web::to(async || {
            Err::<HttpResponse, _>(ConduitError::PathNotFound)
        }));
}

async fn method_not_allowed(allow: &'static str) -> Result<HttpResponse, ConduitError> {
    Err(ConduitError::MethodNotAllowed { allow })
}

/// Registers a URL for the listed event types; the secret that signs its deliveries is generated and can be read with getWebhook.
#[utoipa::path(post, path = "/webhooks", operation_id = "createWebhook", tag = "Webhooks", summary = "Create webhook",
    params(ApiVersion), security(("ApiKey" = [], "ApiSecret" = [])),
    request_body(content = CreateWebhookRequest, description = "The webhook to create."),
    responses((status = 201, description = "The created webhook", body = Webhook), CommonErrors, BodyErrors))]
pub(super) async fn create_webhook(
    caller: ConduitCaller,
    request: HttpRequest,
    payload: web::Payload,
    state: web::Data<State>,
) -> Result<HttpResponse, ConduitError> {
    let State { context, bodies } = &**state;
    let ConduitCaller(Caller { owner }) = caller;
    let body = read_json(&request, payload, body_rules(context)).await?;
    let mut faults = bodies.create.faults(&body);
    check_url(&body, context.scheme_policy(), &mut faults);
    let organization = body.get("organizationId").and_then(Value::as_str);
    if organization.is_some_and(|id| id != owner) && !faults.at("/organizationId") {
        faults.add(
            "/organizationId",
            "must be the client id that the API key belongs to",
        );
    }
    let wanted: CreateWebhookRequest = parse(body, faults)?;
    let now = context.clock.now();
    let webhook = domain::Webhook {
        provider: NAME,
        id: domain::ksuid("whk_", now, entropy::bytes()),
        owner,
        account_id: None,
        url: read_url(&wanted.url, context.scheme_policy())?,
        event_types: names(&wanted.events),
        enabled: wanted.status == WebhookStatus::Enabled,
        // C-10.
        signing_secret: Some(Secret::new(HEXLOWER.encode(&entropy::bytes::<32>()))),
        authorization: None,
        created_at: now,
        updated_at: now,
    };
    context.store.insert_webhook(webhook.clone()).await?;
    Ok(HttpResponse::Created().json(Webhook::from(webhook)))
}

/// Lists the caller's webhooks page by page, the oldest first, without their secrets.
#[utoipa::path(get, path = "/webhooks", operation_id = "listWebhooks", tag = "Webhooks", summary = "List webhooks",
    params(ApiVersion, PageQuery), security(("ApiKey" = [], "ApiSecret" = [])),
    responses((status = 200, description = "A page of webhooks", body = WebhookList), CommonErrors, QueryErrors))]
pub(super) async fn list_webhooks(
    caller: ConduitCaller,
    request: HttpRequest,
    state: web::Data<State>,
) -> Result<HttpResponse, ConduitError> {
    let State { context, .. } = &**state;
    let ConduitCaller(Caller { owner }) = caller;
    let query = Query::parse(request.query_string());
    let mut faults = Faults::default();
    let size = query
        .integer("page[size]", 1..=LARGEST_PAGE_SIZE, &mut faults)
        .unwrap_or(DEFAULT_PAGE_SIZE);
    let after = query.text("page[after]", &mut faults).map(cursor::decode);
    if after == Some(None) && !faults.at("page[after]") {
        faults.add("page[after]", "must be the next of an earlier page");
    }
    faults.into_result().map_err(ConduitError::InvalidQuery)?;
    let filter = WebhookFilter {
        provider: NAME,
        owner,
        account_id: None,
        event_type: None,
        enabled: None,
    };
    let limit = u32::try_from(size).expect("a page size is at most 100");
    let page = Page {
        after: after.flatten(),
        offset: 0,
        limit,
        count: false,
    };
    let found = context.store.webhooks(filter, page).await?;
    let last = found.rows.last().filter(|_| found.more);
    let next = last.map(|last| {
        cursor::encode(&Position {
            created_at: last.created_at,
            id: last.id.clone(),
        })
    });
    let data = found.rows.into_iter().map(Webhook::from).collect();
    Ok(HttpResponse::Ok().json(WebhookList {
        data,
        pagination: Pagination { next },
    }))
}

/// Reads one webhook, and is the only operation that shows its signing secret.
#[utoipa::path(get, path = "/webhooks/{id}", operation_id = "getWebhook", tag = "Webhooks", summary = "Get webhook",
    params(("id" = String, Path, description = "Webhook ID"), ApiVersion), security(("ApiKey" = [], "ApiSecret" = [])),
    responses((status = 200, description = "The retrieved webhook", body = RetrievedWebhook), CommonErrors, WebhookErrors))]
pub(super) async fn get_webhook(
    caller: ConduitCaller,
    request: HttpRequest,
    state: web::Data<State>,
) -> Result<HttpResponse, ConduitError> {
    let State { context, .. } = &**state;
    let found = context.store.webhook(key(caller, &request)).await?;
    let webhook = found.ok_or(ConduitError::WebhookNotFound)?;
    Ok(HttpResponse::Ok().json(RetrievedWebhook::from(webhook)))
}

/// Changes the members that the request has and leaves the others as they are.
#[utoipa::path(patch, path = "/webhooks/{id}", operation_id = "patchWebhook", tag = "Webhooks", summary = "Patch webhook",
    params(("id" = String, Path, description = "Webhook ID"), ApiVersion), security(("ApiKey" = [], "ApiSecret" = [])),
    request_body(content = PatchWebhookRequest, description = "The members to change."),
    responses((status = 200, description = "The changed webhook", body = Webhook), CommonErrors, BodyErrors, WebhookErrors))]
pub(super) async fn patch_webhook(
    caller: ConduitCaller,
    request: HttpRequest,
    payload: web::Payload,
    state: web::Data<State>,
) -> Result<HttpResponse, ConduitError> {
    let State { context, bodies } = &**state;
    let key = key(caller, &request);
    let body = read_json(&request, payload, body_rules(context)).await?;
    let mut faults = bodies.patch.faults(&body);
    check_url(&body, context.scheme_policy(), &mut faults);
    let wanted: PatchWebhookRequest = parse(body, faults)?;
    let change = WebhookChange {
        url: wanted
            .url
            .map(|url| read_url(&url, context.scheme_policy()))
            .transpose()?,
        event_types: wanted.events.as_deref().map(names),
        enabled: wanted.status.map(|status| status == WebhookStatus::Enabled),
        ..WebhookChange::default()
    };
    let changed = context
        .store
        .update_webhook(key, change, context.clock.now())
        .await?;
    let webhook = changed.ok_or(ConduitError::WebhookNotFound)?;
    Ok(HttpResponse::Ok().json(Webhook::from(webhook)))
}

/// Deletes one webhook; deliveries that are already queued are still attempted, new ones are not made.
#[utoipa::path(delete, path = "/webhooks/{id}", operation_id = "deleteWebhook", tag = "Webhooks", summary = "Delete webhook",
    params(("id" = String, Path, description = "Webhook ID"), ApiVersion), security(("ApiKey" = [], "ApiSecret" = [])),
    responses((status = 204, description = "The webhook is deleted"), CommonErrors, WebhookErrors))]
pub(super) async fn delete_webhook(
    caller: ConduitCaller,
    request: HttpRequest,
    state: web::Data<State>,
) -> Result<HttpResponse, ConduitError> {
    let State { context, .. } = &**state;
    // C-39: what is queued already is still attempted.
    if context
        .store
        .delete_webhook(
            key(caller, &request),
            OnDelete::KeepPending,
            context.clock.now(),
        )
        .await?
    {
        Ok(HttpResponse::NoContent().finish())
    } else {
        Err(ConduitError::WebhookNotFound)
    }
}

fn body_rules(context: &Context) -> BodyRules {
    // C-22: a missing Content-Type is taken as JSON.
    BodyRules {
        limit: context.max_body_bytes,
        untyped_is_json: true,
    }
}

fn key(caller: ConduitCaller, request: &HttpRequest) -> WebhookKey {
    let id = request
        .match_info()
        .get("id")
        .unwrap_or_default()
        .to_owned();
    WebhookKey {
        provider: NAME,
        owner: caller.0.owner,
        id,
        account_id: None,
    }
}

/// C-26, as far as a schema cannot say it.
fn check_url(body: &Value, policy: SchemePolicy, faults: &mut Faults) {
    let url = body.get("url").and_then(Value::as_str);
    match url.map(|url| ReceiverUrl::parse(url, policy)) {
        Some(Err(fault @ (UrlFault::NotAbsolute | UrlFault::Scheme))) => {
            if !faults.at("/url") {
                faults.add("/url", fault.to_string());
            }
        }
        // C-70.
        Some(Err(fault)) => faults.set("/url", fault.to_string()),
        Some(Ok(_)) | None => {}
    }
}

fn read_url(url: &str, policy: SchemePolicy) -> Result<ReceiverUrl, ConduitError> {
    ReceiverUrl::parse(url, policy).map_err(|fault| invalid("/url", &fault.to_string()))
}

/// The body as its type, once no fault was found in it.
fn parse<T: serde::de::DeserializeOwned>(body: Value, faults: Faults) -> Result<T, ConduitError> {
    faults.into_result().map_err(ConduitError::InvalidBody)?;
    serde_json::from_value(body).map_err(|error| invalid("", &error.to_string()))
}

fn invalid(pointer: &str, message: &str) -> ConduitError {
    let mut faults = Faults::default();
    faults.add(pointer, message);
    ConduitError::InvalidBody(faults)
}

/// The names of event types as a set in the order of first occurrence (C-23).
fn names(events: &[WebhookEvent]) -> Vec<String> {
    let mut names = Vec::new();
    for event in events {
        if let Ok(Value::String(name)) = serde_json::to_value(event)
            && !names.contains(&name)
        {
            names.push(name);
        }
    }
    names
}
