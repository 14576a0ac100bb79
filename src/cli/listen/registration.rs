//! Registers the receiver through a provider's documented API, and unregisters it again.

use std::cell::Cell;

use anyhow::Context;
use data_encoding::BASE64;
use reqwest::header::{AUTHORIZATION, HeaderName};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::cli::client::{Api, Call, CallError, Client};
use crate::domain::Secret;
use crate::entropy;

/// What the API asks of its callers.
#[derive(Debug)]
pub(super) enum Credentials {
    Conduit { key: Secret, secret: Secret },
    EqualsMoney { key: Secret },
}

/// A webhook of this run.
#[derive(Debug)]
pub(super) struct Webhook {
    pub(super) id: String,
    /// The last segment of its path.
    pub(super) name: String,
    pub(super) event_types: Vec<String>,
    /// The key that its deliveries are signed with.
    pub(super) key: Option<Secret>,
}

/// What to register.
#[derive(Debug)]
pub(super) struct Wanted<'a> {
    /// The address of the receiver, without the name of a webhook.
    pub(super) url: &'a str,
    pub(super) event_types: &'a [String],
    pub(super) account_id: Option<&'a str>,
    /// The member of a webhook that holds its key.
    pub(super) key_member: &'a str,
}

/// Registers at one API of one server.
pub(super) struct Registrar<'a> {
    client: &'a Client,
    credentials: Credentials,
}

impl<'a> Registrar<'a> {
    pub(super) fn new(client: &'a Client, credentials: Credentials) -> Self {
        Self {
            client,
            credentials,
        }
    }

    /// Registers one webhook for all event types (Conduit) or one for each (Equals Money). Each stands in `webhooks` as soon as it
    /// exists, so that a failure or an end half-way leaves a list of what has to be unregistered. Begins no more once `stopping` is set.
    ///
    /// # Errors
    /// When the API refuses, or does not answer.
    pub(super) async fn register(
        &self,
        wanted: &Wanted<'_>,
        stopping: &Cell<bool>,
        webhooks: &mut Vec<Webhook>,
    ) -> anyhow::Result<()> {
        match self.credentials {
            Credentials::Conduit { .. } => {
                let name = Api::Conduit.as_str();
                let url = format!("{}/{name}", wanted.url);
                let body = json!({ "url": url, "events": wanted.event_types, "status": "enabled" });
                let made = self.create("/conduit/webhooks", &body, &url).await?;
                let webhook = Webhook {
                    id: id(&made)?,
                    name: name.to_owned(),
                    event_types: wanted.event_types.to_vec(),
                    key: None,
                };
                let path = format!("/conduit/webhooks/{}", webhook.id);
                webhooks.push(webhook);
                let read = self
                    .client
                    .send_for_json(self.call(Method::GET, path)?)
                    .await;
                let read = read.context("cannot read the secret of the new webhook")?;
                if let (Some(key), Some(webhook)) =
                    (read[wanted.key_member].as_str(), webhooks.last_mut())
                {
                    webhook.key = Some(Secret::new(key));
                }
            }
            Credentials::EqualsMoney { .. } => {
                for event_type in wanted.event_types {
                    if stopping.get() {
                        break;
                    }
                    let url = format!("{}/{event_type}", wanted.url);
                    // 24 of the 36 characters that a secret may have (E-22); 144 bits.
                    let key = BASE64.encode(&entropy::bytes::<18>());
                    let mut body =
                        json!({ "url": url, "enabled": true, "webhookEventTypeName": event_type });
                    body[wanted.key_member] = json!(key);
                    if let Some(account_id) = wanted.account_id {
                        body["accountId"] = json!(account_id);
                    }
                    let made = self
                        .create("/equals-money/v2/webhooks", &body, &url)
                        .await?;
                    webhooks.push(Webhook {
                        id: id(&made)?,
                        name: event_type.clone(),
                        event_types: vec![event_type.clone()],
                        key: Some(Secret::new(key)),
                    });
                }
            }
        }
        Ok(())
    }

    /// Deletes a webhook of this run; one that is gone already is as good.
    ///
    /// # Errors
    /// When the API refuses, or does not answer.
    pub(super) async fn unregister(&self, webhook: &Webhook) -> Result<(), CallError> {
        let path = match self.credentials {
            Credentials::Conduit { .. } => format!("/conduit/webhooks/{}", webhook.id),
            Credentials::EqualsMoney { .. } => format!("/equals-money/v2/webhooks/{}", webhook.id),
        };
        match self.client.send(self.call(Method::DELETE, path)?).await {
            Err(CallError::Refused(refusal)) if refusal.status == StatusCode::NOT_FOUND => Ok(()),
            answer => answer.map(drop),
        }
    }

    async fn create(&self, path: &str, body: &Value, url: &str) -> anyhow::Result<Value> {
        let call = self
            .call(Method::POST, path)?
            .json(body.to_string().into_bytes());
        let made = self.client.send_for_json(call).await;
        made.map_err(|error| {
            let help = match &error {
                CallError::Refused(refusal) => self.help(refusal.status),
                CallError::Slow(_) | CallError::Broken { .. } | CallError::Strange { .. } => {
                    Some(format!("a webhook with the URL {url} may be left behind"))
                }
                CallError::NoServer(_) | CallError::Unwritable(_) => None,
            };
            let error = anyhow::Error::from(error);
            match help {
                Some(help) => anyhow::anyhow!("{error:#}\n  {help}"),
                None => error,
            }
        })
    }

    fn call(&self, method: Method, path: impl Into<String>) -> Result<Call, CallError> {
        let call = Call::new(method, path);
        match &self.credentials {
            Credentials::Conduit { key, secret } => call
                .header(HeaderName::from_static("x-api-key"), key, "--api-key")?
                .header(
                    HeaderName::from_static("x-api-secret"),
                    secret,
                    "--api-secret",
                ),
            Credentials::EqualsMoney { key } => {
                let value = Secret::new(format!("ApiKey {}", key.expose()));
                call.header(AUTHORIZATION, &value, "--api-key")
            }
        }
    }

    /// What to do about credentials that the server does not take.
    fn help(&self, status: StatusCode) -> Option<String> {
        if !matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
            return None;
        }
        let (flags, api) = match self.credentials {
            Credentials::Conduit { .. } => ("--api-key and --api-secret", Api::Conduit),
            Credentials::EqualsMoney { .. } => ("--api-key", Api::EqualsMoney),
        };
        Some(format!(
            "it does not know these credentials: give others with {flags}; a sandbox knows those that are the defaults, and \
             `truehook keys create --provider {}` makes new ones",
            api.as_str()
        ))
    }
}

fn id(made: &Value) -> anyhow::Result<String> {
    let id = made["id"].as_str().filter(|id| {
        // It becomes a part of paths.
        !id.is_empty()
            && id
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
    });
    id.map(str::to_owned)
        .context("the server made a webhook without a usable id")
}
