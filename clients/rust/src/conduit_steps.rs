//! The steps of Conduit.

use conduit::apis::configuration::Configuration;
use conduit::apis::webhooks_api::{
    CreateWebhookParams, DeleteWebhookParams, GetWebhookParams, ListWebhooksParams, PatchWebhookParams, create_webhook,
    delete_webhook, get_webhook, list_webhooks, patch_webhook,
};
use conduit::models::{
    BadRequestErrorResponse, CreateWebhookRequest, ErrorResponse, PatchWebhookRequest, RetrievedWebhook, TransactionStatus,
    WebhookEvent, WebhookStatus,
};
use http::Method;
use operator::apis::events_api::{PublishEventParams, publish_event};
use operator::models::{Provider, PublishRequest};

use crate::example::{receive, register};
use crate::operator_steps;
use crate::refused;
use crate::step::{Change, Outcome, Receiver, check, step};

fn connect(server: &str, secret: &str, change: Change) -> Outcome<Configuration> {
    let client = change.client(&[("x-api-key", "sandbox-key"), ("x-api-secret", secret)])?;
    Ok(Configuration { base_path: format!("{server}/conduit"), client, ..Configuration::default() })
}

fn get(id: &str) -> GetWebhookParams {
    GetWebhookParams { id: id.to_owned(), api_version: None }
}

fn create(url: &str) -> CreateWebhookParams {
    let events = vec![WebhookEvent::CustomerCreated];
    let create_webhook_request = CreateWebhookRequest::new(url.to_owned(), events, WebhookStatus::Disabled);
    CreateWebhookParams { create_webhook_request, api_version: None }
}

fn list(size: Option<i32>, after: Option<String>) -> ListWebhooksParams {
    ListWebhooksParams {
        api_version: None,
        page_left_square_bracket_size_right_square_bracket: size,
        page_left_square_bracket_after_right_square_bracket: after,
    }
}

/// Takes every step.
///
/// # Errors
/// When one fails.
pub async fn take(server: &str) -> Outcome {
    let receiver = Receiver::start()?;
    let webhook = register_and_receive(server, &receiver).await?;
    let api = connect(server, "sandbox-secret", Change::default())?;
    step("conduit: list webhooks in pages", pages(&api, &webhook, &receiver.url).await)?;
    step("conduit: update the webhook", update(&api, &webhook).await)?;
    errors(server, &api, &webhook, &receiver.url).await?;
    step("conduit: delete the webhook", delete(&api, &webhook).await)
}

async fn pages(api: &Configuration, webhook: &RetrievedWebhook, url: &str) -> Outcome {
    let other = create_webhook(api, create(url)).await?;
    let (mut ids, mut after) = (Vec::new(), None);
    loop {
        let page = list_webhooks(api, list(Some(1), after)).await?;
        check(page.data.len() == 1, &page)?;
        ids.extend(page.data.into_iter().map(|one| one.id));
        after = page.pagination.next;
        if after.is_none() {
            return check(ids == [webhook.id.clone(), other.id], ids);
        }
    }
}

async fn update(api: &Configuration, webhook: &RetrievedWebhook) -> Outcome {
    let changes = PatchWebhookRequest { status: Some(WebhookStatus::Disabled), ..PatchWebhookRequest::default() };
    let params = PatchWebhookParams { id: webhook.id.clone(), patch_webhook_request: changes, api_version: None };
    let changed = patch_webhook(api, params).await?;
    check(changed.status == WebhookStatus::Disabled && changed.events == webhook.events, changed)
}

async fn errors(server: &str, api: &Configuration, webhook: &RetrievedWebhook, url: &str) -> Outcome {
    let titled = |error: ErrorResponse| check(!error.title.is_empty(), error);
    let answer = create_webhook(api, create("ftp://x")).await;
    let error: Outcome<BadRequestErrorResponse> = refused!(conduit, answer, 400);
    step("conduit: error 400", error.and_then(|error| check(error.errors[0].pointer == "/url", error)))?;

    let wrong = connect(server, "wrong", Change::default())?;
    step("conduit: error 401", refused!(conduit, list_webhooks(&wrong, list(None, None)).await, 401).and_then(titled))?;

    let unknown = get(&format!("whk_{}", "0".repeat(27)));
    step("conduit: error 404", refused!(conduit, get_webhook(api, unknown).await, 404).and_then(titled))?;

    let put = connect(server, "sandbox-secret", Change::method(Method::PUT))?;
    step("conduit: error 405", refused!(conduit, get_webhook(&put, get(&webhook.id)).await, 405).and_then(titled))?;

    let large = create(&format!("https://example.com/{}", "x".repeat(300_000)));
    step("conduit: error 413", refused!(conduit, create_webhook(api, large).await, 413).and_then(titled))?;

    let text = connect(server, "sandbox-secret", Change::plain_text())?;
    step("conduit: error 415", refused!(conduit, create_webhook(&text, create(url)).await, 415).and_then(titled))
}

async fn delete(api: &Configuration, webhook: &RetrievedWebhook) -> Outcome {
    delete_webhook(api, DeleteWebhookParams { id: webhook.id.clone(), api_version: None }).await?;
    let gone: Outcome<ErrorResponse> = refused!(conduit, get_webhook(api, get(&webhook.id)).await, 404);
    gone.map(drop)
}

/// Registers a webhook, publishes an event and receives it.
async fn register_and_receive(server: &str, receiver: &Receiver) -> Outcome<RetrievedWebhook> {
    let registered = async {
        let webhook = register(server, receiver.url.clone()).await?;
        check(webhook.url == receiver.url && webhook.status == WebhookStatus::Enabled, &webhook)?;
        let secret = webhook.secret.clone().ok_or("no secret")?;
        Ok((webhook, secret))
    };
    let (webhook, secret) = step("conduit: create a webhook, and read it with its secret", registered.await)?;
    let received = async {
        let operator = operator_steps::connect(server, "sandbox-operator", Change::default())?;
        let mut event = PublishRequest::new(Provider::Conduit, "transaction.completed".to_owned());
        event.client_id = Some("client_2ofTA13AD0xBtbEvBl20aEb1hEu".to_owned());
        let params = PublishEventParams { publish_request: event, idempotency_key: None };
        let published = publish_event(&operator, params).await?;
        check(published.deliveries == 1, published)?;
        let request = receiver.next()?;
        let (signature, timestamp) = (request.header("conduit-signature"), request.header("conduit-signature-timestamp"));
        let notification = receive(&secret, signature, timestamp, &request.body)?;
        let status = notification.data.transaction.status;
        check(notification.event == WebhookEvent::TransactionCompleted && status == TransactionStatus::Completed, notification)
    };
    step("conduit: receive an event, and verify its signature", received.await)?;
    Ok(webhook)
}
