//! Registers a webhook and receives its deliveries.

use std::collections::HashMap;
use std::error::Error;
use std::time::SystemTime;

use conduit::apis::configuration::Configuration;
use conduit::apis::webhooks_api::{CreateWebhookParams, GetWebhookParams, create_webhook, get_webhook};
use conduit::models::{CreateWebhookRequest, RetrievedWebhook, TransactionNotification, WebhookEvent, WebhookStatus};
use reqwest_middleware::ClientBuilder;

use crate::verify::verify_conduit;

/// Registers `url` at `server`, such as `http://127.0.0.1:8080`; the answer has the secret.
///
/// # Errors
/// When the server refuses it, with what it says as a type.
pub async fn register(server: &str, url: String) -> Result<RetrievedWebhook, Box<dyn Error + Send + Sync>> {
    let headers = [("x-api-key", "sandbox-key"), ("x-api-secret", "sandbox-secret")];
    let headers = HashMap::from(headers.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let client = reqwest::Client::builder().default_headers((&headers).try_into()?).build()?;
    let client = ClientBuilder::new(client).build();
    let conduit = Configuration { base_path: format!("{server}/conduit"), client, ..Configuration::default() };
    let wanted = CreateWebhookRequest::new(url, vec![WebhookEvent::TransactionCompleted], WebhookStatus::Enabled);
    let params = CreateWebhookParams { create_webhook_request: wanted, api_version: None };
    let created = create_webhook(&conduit, params).await?;
    Ok(get_webhook(&conduit, GetWebhookParams { id: created.id, api_version: None }).await?)
}

/// What arrives there: two of its headers, and the body as it came.
///
/// # Errors
/// When it must not be trusted, or is no notification.
pub fn receive(
    secret: &str,
    signature: Option<&str>,
    timestamp: Option<&str>,
    body: &[u8],
) -> Result<TransactionNotification, Box<dyn Error + Send + Sync>> {
    verify_conduit(secret, signature, timestamp, body, SystemTime::now())?;
    Ok(serde_json::from_slice(body)?)
}
