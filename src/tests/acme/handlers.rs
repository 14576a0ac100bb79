//! Inbound: the three operations, and the routes that lead to them.

use actix_web::{HttpRequest, HttpResponse, web};
use data_encoding::HEXLOWER;
use uuid::Uuid;

use super::auth::AcmeCaller;
use super::error::{AcmeError, CommonErrors, Problem};
use super::models::{CreateWebhook, Webhook};
use super::{NAME, State};
use crate::domain::{self, ReceiverUrl, SchemePolicy, Secret};
use crate::entropy;
use crate::http::{BodyRules, read_json};
use crate::storage::{OnDelete, WebhookKey};

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(
            web::resource("/webhooks")
                .route(web::post().to(create_webhook))
                .default_service(web::to(|| method_not_allowed("POST"))),
        )
        .service(
            web::resource("/webhooks/{id}")
                .route(web::get().to(get_webhook))
                .route(web::delete().to(delete_webhook))
                .default_service(web::to(|| method_not_allowed("GET, DELETE"))),
        )
        .default_service(web::to(async || {
            Err::<HttpResponse, _>(AcmeError::NotFound)
        }));
}

async fn method_not_allowed(allow: &'static str) -> Result<HttpResponse, AcmeError> {
    Err(AcmeError::MethodNotAllowed(allow))
}

/// Registers a URL for event types.
#[utoipa::path(post, path = "/webhooks", operation_id = "createWebhook", tag = "Webhooks", security(("Token" = [])),
    request_body(content = CreateWebhook, description = "The webhook to register."),
    responses((status = 201, description = "The registered webhook", body = Webhook),
        (status = 400, description = "The request is not valid", body = Problem), CommonErrors))]
pub(super) async fn create_webhook(
    caller: AcmeCaller,
    request: HttpRequest,
    payload: web::Payload,
    state: web::Data<State>,
) -> Result<HttpResponse, AcmeError> {
    let rules = BodyRules {
        limit: state.context.max_body_bytes,
        untyped_is_json: true,
    };
    let body = read_json(&request, payload, rules).await?;
    state.create.faults(&body).into_result()?;
    let invalid = |place: &str| AcmeError::Invalid(vec![place.to_owned()]);
    let wanted: CreateWebhook = serde_json::from_value(body).map_err(|_| invalid(""))?;
    let url = ReceiverUrl::parse(&wanted.url, SchemePolicy::HttpOrHttps);
    let events = serde_json::to_value(&wanted.events).and_then(serde_json::from_value);
    let now = state.context.clock.now();
    let webhook = domain::Webhook {
        provider: NAME,
        id: entropy::uuid().to_string(),
        owner: caller.0.owner,
        account_id: None,
        url: url.map_err(|_| invalid("/url"))?,
        event_types: events.map_err(|_| invalid("/events"))?,
        enabled: true,
        signing_secret: Some(Secret::new(HEXLOWER.encode(&entropy::bytes::<32>()))),
        authorization: None,
        created_at: now,
        updated_at: now,
    };
    state.context.store.insert_webhook(webhook.clone()).await?;
    Ok(HttpResponse::Created().json(shown(webhook)))
}

/// Reads one webhook.
#[utoipa::path(get, path = "/webhooks/{id}", operation_id = "getWebhook", tag = "Webhooks", security(("Token" = [])),
    params(("id" = String, Path, description = "The id of the webhook.")),
    responses((status = 200, description = "The webhook", body = Webhook),
        (status = 404, description = "There is no such webhook", body = Problem), CommonErrors))]
pub(super) async fn get_webhook(
    caller: AcmeCaller,
    request: HttpRequest,
    state: web::Data<State>,
) -> Result<HttpResponse, AcmeError> {
    let found = state.context.store.webhook(key(caller, &request)).await?;
    Ok(HttpResponse::Ok().json(shown(found.ok_or(AcmeError::NotFound)?)))
}

/// Deletes one webhook, and ends its deliveries.
#[utoipa::path(delete, path = "/webhooks/{id}", operation_id = "deleteWebhook", tag = "Webhooks", security(("Token" = [])),
    params(("id" = String, Path, description = "The id of the webhook.")),
    responses((status = 204, description = "The webhook is deleted"),
        (status = 404, description = "There is no such webhook", body = Problem), CommonErrors))]
pub(super) async fn delete_webhook(
    caller: AcmeCaller,
    request: HttpRequest,
    state: web::Data<State>,
) -> Result<HttpResponse, AcmeError> {
    let (key, now) = (key(caller, &request), state.context.clock.now());
    let store = &state.context.store;
    if store
        .delete_webhook(key, OnDelete::CancelPending, now)
        .await?
    {
        Ok(HttpResponse::NoContent().finish())
    } else {
        Err(AcmeError::NotFound)
    }
}

fn key(caller: AcmeCaller, request: &HttpRequest) -> WebhookKey {
    WebhookKey {
        provider: NAME,
        owner: caller.0.owner,
        id: request.match_info().query("id").to_owned(),
        account_id: None,
    }
}

fn shown(webhook: domain::Webhook) -> Webhook {
    let secret = webhook.signing_secret;
    Webhook {
        id: Uuid::try_parse(&webhook.id).expect("ids are UUIDs"),
        url: webhook.url.as_str().to_owned(),
        events: webhook.event_types,
        secret: secret.map_or_else(String::new, |secret| secret.expose().to_owned()),
    }
}
