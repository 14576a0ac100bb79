//! Looking at the webhooks of all providers and owners.

use actix_web::{HttpRequest, HttpResponse, web};

use super::auth::Operator;
use super::error::{CommonErrors, ItemErrors, OperatorError, QueryErrors};
use super::models::{PageQuery, Webhook, WebhookList, WebhookQuery};
use super::{State, cursor, events, page, path_id, word};
use crate::http::{Faults, Query};
use crate::storage::AnyWebhookFilter;

/// Lists the webhooks of all clients and products page by page, the newest first, without their secrets. The filters hold together.
#[utoipa::path(get, path = "/webhooks", operation_id = "listWebhooks", tag = "Webhooks", summary = "List webhooks",
    params(WebhookQuery, PageQuery), security(("Operator" = [])),
    responses((status = 200, description = "A page of webhooks.", body = WebhookList), CommonErrors, QueryErrors))]
pub(super) async fn list_webhooks(
    _: Operator,
    request: HttpRequest,
    state: web::Data<State>,
) -> Result<HttpResponse, OperatorError> {
    let query = Query::parse(request.query_string());
    let mut faults = Faults::default();
    let filter = AnyWebhookFilter {
        provider: events::provider(&query, &state, &mut faults),
        owner: query.text("owner", &mut faults).map(str::to_owned),
        account_id: query.text("accountId", &mut faults).map(str::to_owned),
        event_type: events::event_type(&query, &state, &mut faults),
        enabled: word(
            &query,
            "enabled",
            |text| text.parse().ok(),
            "must be true or false",
            &mut faults,
        ),
    };
    let page = page(&query, &mut faults);
    faults.into_result().map_err(OperatorError::InvalidQuery)?;
    let found = state.context.store.any_webhooks(filter, page).await?;
    let data = found
        .rows
        .into_iter()
        .map(|record| Webhook::of(record, &state.providers))
        .collect::<Result<_, _>>()?;
    let next = found.next.map(cursor::encode);
    Ok(HttpResponse::Ok().json(WebhookList { data, next }))
}

/// Reads one webhook, whosever it is, without its secrets.
#[utoipa::path(get, path = "/webhooks/{id}", operation_id = "getWebhook", tag = "Webhooks", summary = "Get a webhook",
    params(("id" = String, Path, description = "The id of the webhook.")), security(("Operator" = [])),
    responses((status = 200, description = "The webhook.", body = Webhook), CommonErrors, ItemErrors))]
pub(super) async fn get_webhook(
    _: Operator,
    request: HttpRequest,
    state: web::Data<State>,
) -> Result<HttpResponse, OperatorError> {
    let found = state.context.store.any_webhook(path_id(&request)).await?;
    let webhook = found.ok_or(OperatorError::NotFound("webhook"))?;
    Ok(HttpResponse::Ok().json(Webhook::of(webhook, &state.providers)?))
}
