//! The steps of the operator API.

use std::collections::HashMap;
use std::time::Duration;

use http::Method;
use operator::apis::configuration::Configuration;
use operator::apis::deliveries_api::{GetDeliveryParams, ListDeliveriesParams, get_delivery, list_deliveries};
use operator::apis::events_api::{GetEventParams, ListEventsParams, PublishEventParams, get_event, list_events, publish_event};
use operator::apis::webhooks_api::{GetWebhookParams, ListWebhooksParams, get_webhook, list_webhooks};
use operator::models::{DeliveryState, Problem, Provider, PublishRequest};

use crate::refused;
use crate::step::{Change, Outcome, check, step};

const ALL: ListEventsParams = ListEventsParams { provider: None, r#type: None, since: None, limit: None, cursor: None };

/// A client with this key.
///
/// # Errors
/// When the key cannot stand in a header.
pub fn connect(server: &str, key: &str, change: Change) -> Outcome<Configuration> {
    let (base_path, client) = (format!("{server}/operator/v1"), change.client(&[])?);
    Ok(Configuration { base_path, client, bearer_access_token: Some(key.to_owned()), ..Configuration::default() })
}

fn publication(event_type: &str, key: Option<&str>) -> PublishEventParams {
    let publish_request = PublishRequest::new(Provider::EqualsMoney, event_type.to_owned());
    PublishEventParams { publish_request, idempotency_key: key.map(str::to_owned) }
}

/// Takes every step.
///
/// # Errors
/// When one fails.
pub async fn take(server: &str) -> Outcome {
    let api = connect(server, "sandbox-operator", Change::default())?;
    step("operator: publish again with the same key, and get the same answer", again(&api).await)?;
    step("operator: list events with filters, in pages", pages(&api).await)?;
    step("operator: see a delivery and its attempts", attempts(&api).await)?;
    step("operator: list webhooks with filters, and see one", webhooks(&api).await)?;
    errors(server, &api).await
}

async fn again(api: &Configuration) -> Outcome {
    let first = publish_event(api, publication("OrderCreated", Some("scenario"))).await?;
    let second = publish_event(api, publication("OrderCreated", Some("scenario"))).await?;
    check(first == second, (&first, &second))?;
    let event = get_event(api, GetEventParams { id: first.id }).await?;
    check(event.r#type == "OrderCreated" && event.account_id.is_none() && event.deliveries.pending == 0, event)
}

async fn pages(api: &Configuration) -> Outcome {
    publish_event(api, publication("OrderCreated", None)).await?;
    let (mut found, mut cursor) = (0, None);
    loop {
        let (provider, name) = (Some(Provider::EqualsMoney), Some("OrderCreated".to_owned()));
        let page = list_events(api, ListEventsParams { provider, r#type: name, limit: Some(1), cursor, ..ALL }).await?;
        found += page.data.len();
        cursor = page.next;
        if cursor.is_none() {
            return check(found == 2, found);
        }
    }
}

async fn webhooks(api: &Configuration) -> Outcome {
    // Registered by the steps of Conduit.
    let (provider, enabled) = (Some(Provider::Conduit), Some(false));
    let filter = ListWebhooksParams { provider, owner: None, account_id: None, r#type: None, enabled, limit: None, cursor: None };
    let found = list_webhooks(api, filter).await?.data;
    let [webhook] = found.as_slice() else {
        return check(false, found);
    };
    check(webhook.types == ["customer.created"], webhook)?;
    let same = get_webhook(api, GetWebhookParams { id: webhook.id.clone() }).await?;
    check(same.url == webhook.url && same.recent.last_failure_error.is_none(), same)
}

async fn attempts(api: &Configuration) -> Outcome {
    let (provider, limit) = (Some(Provider::Conduit), Some(1));
    let filter = ListDeliveriesParams {
        provider,
        state: None,
        webhook_id: None,
        event_id: None,
        r#type: None,
        outcome: None,
        from: None,
        to: None,
        limit,
        cursor: None,
    };
    let deliveries = list_deliveries(api, filter).await?.data;
    let id = deliveries.first().ok_or("no delivery")?.id.to_string();
    let mut detail = get_delivery(api, GetDeliveryParams { id: id.clone() }).await?;
    // The receiver knows before the server has stored it.
    for _ in 0..600 {
        if detail.state != DeliveryState::Pending {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        detail = get_delivery(api, GetDeliveryParams { id: id.clone() }).await?;
    }
    let statuses: Vec<_> = detail.attempts.iter().map(|one| one.status).collect();
    check(detail.state == DeliveryState::Delivered && statuses == [Some(204)] && detail.next_attempt_at.is_none(), detail)
}

async fn errors(server: &str, api: &Configuration) -> Outcome {
    let of = |status: i32| move |error: Problem| check(error.status == status && error.r#type == "about:blank", error);
    let at = |pointer: &'static str| {
        move |error: Problem| {
            let first = error.errors.as_ref().and_then(|errors| errors.first());
            check(first.is_some_and(|first| first.pointer == pointer), &error)
        }
    };

    let malformed = ListEventsParams { cursor: Some("no cursor".to_owned()), ..ALL };
    step("operator: error 400", refused!(operator, list_events(api, malformed).await, 400).and_then(at("cursor")))?;

    let stranger = connect(server, "wrong", Change::default())?;
    step("operator: error 401", refused!(operator, list_events(&stranger, ALL).await, 401).and_then(of(401)))?;

    let unknown = GetEventParams { id: format!("evt_{}", "0".repeat(27)) };
    step("operator: error 404", refused!(operator, get_event(api, unknown).await, 404).and_then(of(404)))?;

    let put = connect(server, "sandbox-operator", Change::method(Method::PUT))?;
    step("operator: error 405", refused!(operator, list_events(&put, ALL).await, 405).and_then(of(405)))?;

    let other = publication("OrderCompleted", Some("scenario"));
    step("operator: error 409", refused!(operator, publish_event(api, other).await, 409).and_then(of(409)))?;

    let mut large = publication("OrderCreated", None);
    large.publish_request.data = Some(HashMap::from([("text".to_owned(), "x".repeat(300_000).into())]));
    step("operator: error 413", refused!(operator, publish_event(api, large).await, 413).and_then(of(413)))?;

    let text = connect(server, "sandbox-operator", Change::plain_text())?;
    let answer = publish_event(&text, publication("OrderCreated", None)).await;
    step("operator: error 415", refused!(operator, answer, 415).and_then(of(415)))?;

    let answer = publish_event(api, publication("NoSuchType", None)).await;
    step("operator: error 422", refused!(operator, answer, 422).and_then(at("/type")))
}
