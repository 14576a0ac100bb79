//! API keys of all APIs: making, listing, revoking.

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::Value;

use super::auth::Operator;
use super::error::{BodyErrors, CommonErrors, ItemErrors, OperatorError};
use super::models::{CreateKeyRequest, Key, KeyList, NewKey};
use super::{State, body_rules, invalid, parse, path_id};
use crate::domain::ProviderName;
use crate::http::read_json;
use crate::keys;
use crate::provider::KeyIssuer;

/// Makes a key, which opens its API at once. Its credentials are in this answer and never shown again.
#[utoipa::path(post, path = "/keys", operation_id = "createKey", tag = "Keys", summary = "Create an API key",
    security(("Operator" = [])), request_body(content = CreateKeyRequest, description = "The key to make."),
    responses((status = 201, description = "The key and its credentials.", body = NewKey), CommonErrors, BodyErrors))]
pub(super) async fn create_key(
    _: Operator,
    request: HttpRequest,
    payload: web::Payload,
    state: web::Data<State>,
) -> Result<HttpResponse, OperatorError> {
    let body = read_json(&request, payload, body_rules(&state)).await?;
    let mut faults = state.bodies.key.faults(&body);
    let now = state.context.clock.now();
    let text = |name| body.get(name).and_then(Value::as_str).map(str::to_owned);
    if let Some(issuer) = text("provider")
        .and_then(|name| name.parse().ok())
        .and_then(|name| issuer(&state, name))
        && let Err(fault) = issuer.key_owner(text("owner"), now)
        && !faults.at("/owner")
    {
        faults.add("/owner", fault.to_string());
    }
    let wanted: CreateKeyRequest = parse(body, faults)?;
    let issuer = issuer(&state, wanted.provider.name())
        .ok_or_else(|| invalid("/provider", "has no keys"))?;
    let made = keys::make(issuer, wanted.owner, wanted.name, now)
        .map_err(|fault| invalid("/owner", &fault.to_string()))?;
    state.context.store.insert_key(made.record.clone()).await?;
    Ok(HttpResponse::Created().json(NewKey::from(made)))
}

/// The API whose keys are made.
fn issuer(state: &State, name: ProviderName) -> Option<&dyn KeyIssuer> {
    match state.providers.get(name) {
        Some(built) => Some(built.provider),
        None => (name == ProviderName::OPERATOR).then_some(&keys::OperatorKeys),
    }
}

/// Lists the keys of all APIs, the newest first and the revoked ones too, without their credentials. The fixed credentials of sandbox
/// mode are not among them.
#[utoipa::path(get, path = "/keys", operation_id = "listKeys", tag = "Keys", summary = "List API keys",
    security(("Operator" = [])), responses((status = 200, description = "All keys.", body = KeyList), CommonErrors))]
pub(super) async fn list_keys(
    _: Operator,
    state: web::Data<State>,
) -> Result<HttpResponse, OperatorError> {
    let keys = state.context.store.keys().await?;
    let data = keys.into_iter().rev().map(Key::from).collect();
    Ok(HttpResponse::Ok().json(KeyList { data }))
}

/// Takes effect at once and for good. What the key's owner has registered stays.
#[utoipa::path(delete, path = "/keys/{id}", operation_id = "revokeKey", tag = "Keys", summary = "Revoke an API key",
    params(("id" = String, Path, description = "The id of the key.")), security(("Operator" = [])),
    responses((status = 204, description = "The key is revoked."), CommonErrors, ItemErrors))]
pub(super) async fn revoke_key(
    _: Operator,
    request: HttpRequest,
    state: web::Data<State>,
) -> Result<HttpResponse, OperatorError> {
    let now = state.context.clock.now();
    if state
        .context
        .store
        .revoke_key(path_id(&request), now)
        .await?
    {
        Ok(HttpResponse::NoContent().finish())
    } else {
        Err(OperatorError::NotFound("key that is not revoked"))
    }
}
