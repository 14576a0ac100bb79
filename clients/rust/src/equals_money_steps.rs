//! The steps of Equals Money.

use std::collections::HashMap;

use equals_money::apis::configuration::Configuration;
use equals_money::apis::webhooks_api::{
    CreateWebhookParams, DeleteWebhookParams, FindAllWebhookEventTypesParams, FindAllWebhooksParams,
    FindOneWebhookEventTypeParams, FindOneWebhookParams, UpdateWebhookParams, create_webhook, delete_webhook,
    find_all_webhook_event_types, find_all_webhooks, find_one_webhook, find_one_webhook_event_type, update_webhook,
};
use equals_money::models::{
    CreateWebhookRequest, ErrorResponse, Notification, UpdateWebhookRequest, Webhook, WebhookEventTypeName,
};
use http::Method;
use operator::apis::events_api::{PublishEventParams, publish_event};
use operator::models::{Provider, PublishRequest};

use crate::operator_steps;
use crate::refused;
use crate::step::{Change, Outcome, Receiver, check, step};
use crate::verify::verify_equals_money;

const SECRET: &str = "123e4567-e89b-12d3-a456-426614174000";
const ALL: FindAllWebhooksParams = FindAllWebhooksParams {
    limit: None,
    offset: None,
    webhook_event_type_id: None,
    enabled: None,
    webhook_event_type_name: None,
    account_id: None,
};

fn connect(server: &str, authorization: Option<&str>, change: Change) -> Outcome<Configuration> {
    let headers: Vec<_> = authorization.map(|value| ("authorization", value)).into_iter().collect();
    let client = change.client(&headers)?;
    Ok(Configuration { base_path: format!("{server}/equals-money"), client, ..Configuration::default() })
}

fn create(request: &CreateWebhookRequest) -> CreateWebhookParams {
    CreateWebhookParams { create_webhook_request: request.clone() }
}

fn find(id: &impl ToString) -> FindOneWebhookParams {
    FindOneWebhookParams { webhook_id: id.to_string(), account_id: None }
}

/// Takes every step.
///
/// # Errors
/// When one fails.
pub async fn take(server: &str, limited: &str) -> Outcome {
    let api = connect(server, Some("ApiKey sandbox-key"), Change::default())?;
    let receiver = Receiver::start()?;
    let mut wanted = CreateWebhookRequest::new(true, receiver.url.clone());
    wanted.webhook_event_type_name = Some(WebhookEventTypeName::BoxCredited);
    wanted.account_id = Some(Some("F12345".to_owned()));
    wanted.shared_secret = Some(Some(SECRET.to_owned()));
    wanted.authorization_header = Some(Some("Basic x".to_owned()));

    step("equals-money: look event types up", event_types(&api).await)?;
    let webhook = step("equals-money: create a webhook, and read it", register(&api, &wanted).await)?;
    step("equals-money: receive an event, and verify its signature", receive(server, &receiver).await)?;
    step("equals-money: list webhooks with filters, in pages", pages(&api, &wanted, &webhook).await)?;
    step("equals-money: update the webhook", update(&api, &webhook).await)?;
    errors(server, &api, &wanted, &webhook).await?;
    step("equals-money: error 429", too_many(limited).await)?;
    step("equals-money: delete the webhook", delete(&api, &webhook).await)
}

async fn event_types(api: &Configuration) -> Outcome {
    let types = find_all_webhook_event_types(api, FindAllWebhookEventTypesParams { account_id: None }).await?;
    let one = types.into_iter().find(|one| one.name == "BoxCredited").ok_or("no BoxCredited")?;
    let params = FindOneWebhookEventTypeParams { webhook_event_type_id: one.id.to_string(), account_id: None };
    let found = find_one_webhook_event_type(api, params).await?;
    check(found == one && found.enabled, found)
}

async fn register(api: &Configuration, wanted: &CreateWebhookRequest) -> Outcome<Webhook> {
    let created = create_webhook(api, create(wanted)).await?;
    let webhook = find_one_webhook(api, find(&created.id)).await?;
    let same = webhook.account_id.as_deref() == Some("F12345") && webhook.shared_secret == wanted.shared_secret;
    check(same && webhook.enabled, &webhook)?;
    Ok(webhook)
}

async fn receive(server: &str, receiver: &Receiver) -> Outcome {
    let operator = operator_steps::connect(server, "sandbox-operator", Change::default())?;
    let mut event = PublishRequest::new(Provider::EqualsMoney, "BoxCredited".to_owned());
    event.account_id = Some("F12345".to_owned());
    event.data = Some(HashMap::from([("amount".to_owned(), 12.5.into())]));
    let published = publish_event(&operator, PublishEventParams { publish_request: event, idempotency_key: None }).await?;
    check(published.deliveries == 1, published)?;
    let request = receiver.next()?;
    verify_equals_money(SECRET, request.header("x-em-signature"), &request.body)?;
    check(request.header("authorization") == Some("Basic x"), &request)?;
    let notification: Notification = serde_json::from_slice(&request.body)?;
    check(notification.body.webhook_event_type_name == "BoxCredited", notification)
}

async fn pages(api: &Configuration, wanted: &CreateWebhookRequest, webhook: &Webhook) -> Outcome {
    let global = CreateWebhookRequest { enabled: false, account_id: Some(None), ..wanted.clone() };
    let name = Some(WebhookEventTypeName::BoxDebited);
    let debited = CreateWebhookRequest { webhook_event_type_name: name, ..wanted.clone() };
    for other in [global, debited] {
        create_webhook(api, create(&other)).await?;
    }
    let page = |offset| FindAllWebhooksParams { limit: Some(2), offset: Some(offset), ..ALL };
    let (first, second) = (find_all_webhooks(api, page(0)).await?, find_all_webhooks(api, page(2)).await?);
    check((first.count, first.rows.len(), second.rows.len()) == (3, 2, 1), (&first, &second))?;
    let filter = FindAllWebhooksParams {
        webhook_event_type_name: Some("BoxCredited".to_owned()),
        enabled: Some("true".to_owned()),
        account_id: Some("F12345".to_owned()),
        ..ALL
    };
    let named = find_all_webhooks(api, filter).await?;
    check(named.rows.len() == 1 && named.rows[0].id == webhook.id, named)
}

async fn update(api: &Configuration, webhook: &Webhook) -> Outcome {
    let mut changes = UpdateWebhookRequest::new(false);
    changes.shared_secret = Some(None);
    let webhook_id = webhook.id.to_string();
    let params = UpdateWebhookParams { webhook_id, update_webhook_request: changes, account_id: None };
    let changed = update_webhook(api, params).await?;
    let header = changed.authorization_header == Some(Some("Basic x".to_owned()));
    check(!changed.enabled && changed.shared_secret == Some(None) && header, changed)
}

async fn errors(server: &str, api: &Configuration, wanted: &CreateWebhookRequest, webhook: &Webhook) -> Outcome {
    let of = |status: i32| move |error: ErrorResponse| check(error.status_code == status, error);
    let connected = |authorization, change| connect(server, authorization, change);
    let key = Some("ApiKey sandbox-key");

    let wrong = CreateWebhookRequest { url: "ftp://x".to_owned(), ..wanted.clone() };
    let error: Outcome<ErrorResponse> = refused!(equals_money, create_webhook(api, create(&wrong)).await, 400);
    step("equals-money: error 400", error.and_then(|error| check(error.details[0].pointer == "/url", error)))?;

    let anonymous = connected(None, Change::default())?;
    step("equals-money: error 401", refused!(equals_money, find_all_webhooks(&anonymous, ALL).await, 401).and_then(of(401)))?;

    let stranger = connected(Some("ApiKey wrong"), Change::default())?;
    step("equals-money: error 403", refused!(equals_money, find_all_webhooks(&stranger, ALL).await, 403).and_then(of(403)))?;

    let unknown = find(&"00000000-0000-4000-8000-000000000000");
    step("equals-money: error 404", refused!(equals_money, find_one_webhook(api, unknown).await, 404).and_then(of(404)))?;

    let put = connected(key, Change::method(Method::PUT))?;
    let answer = find_one_webhook(&put, find(&webhook.id)).await;
    step("equals-money: error 405", refused!(equals_money, answer, 405).and_then(of(405)))?;

    let large = CreateWebhookRequest { url: format!("https://example.com/{}", "x".repeat(300_000)), ..wanted.clone() };
    step("equals-money: error 413", refused!(equals_money, create_webhook(api, create(&large)).await, 413).and_then(of(413)))?;

    let text = connected(key, Change::plain_text())?;
    step("equals-money: error 415", refused!(equals_money, create_webhook(&text, create(wanted)).await, 415).and_then(of(415)))
}

async fn too_many(limited: &str) -> Outcome {
    let api = connect(limited, Some("ApiKey sandbox-key"), Change::default())?;
    for _ in 0..50 {
        let answer = find_all_webhooks(&api, ALL).await;
        if answer.is_err() {
            let error: ErrorResponse = refused!(equals_money, answer, 429)?;
            return check(error.status_code == 429, error);
        }
    }
    Err("never refused".into())
}

async fn delete(api: &Configuration, webhook: &Webhook) -> Outcome {
    delete_webhook(api, DeleteWebhookParams { webhook_id: webhook.id.to_string(), account_id: None }).await?;
    let gone: Outcome<ErrorResponse> = refused!(equals_money, find_one_webhook(api, find(&webhook.id)).await, 404);
    gone.map(drop)
}
