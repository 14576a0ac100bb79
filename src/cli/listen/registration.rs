//! Registers the receiver through a provider's documented API, and unregisters it again.

use std::cell::Cell;

use anyhow::Context;
use reqwest::header::HeaderName;
use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::cli::client::{Call, CallError, Client};
use crate::domain::Secret;
use crate::provider::{Provider, Wanted};

/// The credentials of the provider's API.
#[derive(Debug)]
pub(super) struct Credentials {
    pub(super) key: Secret,
    /// Sent where the provider's keys have one.
    pub(super) secret: Secret,
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

/// Registers at one API of one server.
pub(super) struct Registrar<'a> {
    client: &'a Client,
    provider: &'static dyn Provider,
    credentials: Credentials,
}

impl<'a> Registrar<'a> {
    pub(super) fn new(
        client: &'a Client,
        provider: &'static dyn Provider,
        credentials: Credentials,
    ) -> Self {
        Self {
            client,
            provider,
            credentials,
        }
    }

    /// Registers what the provider's API needs for all event types: one webhook, or one for each. Each stands in `webhooks` as soon as
    /// it exists, so that a failure or an end half-way leaves a list of what has to be unregistered. Begins no more once `stopping` is
    /// set.
    ///
    /// # Errors
    /// When the API refuses, or does not answer.
    pub(super) async fn register(
        &self,
        wanted: &Wanted<'_>,
        stopping: &Cell<bool>,
        webhooks: &mut Vec<Webhook>,
    ) -> anyhow::Result<()> {
        for registration in self.provider.registrations(wanted) {
            if stopping.get() {
                break;
            }
            let url = format!("{}/{}", wanted.url, registration.name);
            let made = self.create(&registration.body, &url).await?;
            let webhook = Webhook {
                id: id(&made)?,
                name: registration.name,
                event_types: registration.event_types,
                key: registration.key,
            };
            let path = (webhook.key.is_none()).then(|| self.path(Some(&webhook)));
            webhooks.push(webhook);
            let Some(path) = path else { continue };
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
        Ok(())
    }

    /// Deletes a webhook of this run; one that is gone already is as good.
    ///
    /// # Errors
    /// When the API refuses, or does not answer.
    pub(super) async fn unregister(&self, webhook: &Webhook) -> Result<(), CallError> {
        let path = self.path(Some(webhook));
        match self.client.send(self.call(Method::DELETE, path)?).await {
            Err(CallError::Refused(refusal)) if refusal.status == StatusCode::NOT_FOUND => Ok(()),
            answer => answer.map(drop),
        }
    }

    /// The path of webhooks, or of one.
    fn path(&self, webhook: Option<&Webhook>) -> String {
        let path = format!("/{}{}", self.provider.name(), self.provider.webhooks_path());
        match webhook {
            Some(webhook) => format!("{path}/{}", webhook.id),
            None => path,
        }
    }

    async fn create(&self, body: &Value, url: &str) -> anyhow::Result<Value> {
        let call = self
            .call(Method::POST, self.path(None))?
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
        let Credentials { key, secret } = &self.credentials;
        let headers = self.provider.key_headers(key, secret);
        let call = Call::new(method, path);
        headers.into_iter().try_fold(call, |call, (name, value)| {
            let name = HeaderName::from_bytes(name.as_bytes()).expect("a constant header name");
            call.header(name, &value, self.flags())
        })
    }

    /// The flags that credentials come from.
    fn flags(&self) -> &'static str {
        if self.provider.key_has_secret() {
            "--api-key and --api-secret"
        } else {
            "--api-key"
        }
    }

    /// Advises about credentials that the server refuses.
    fn help(&self, status: StatusCode) -> Option<String> {
        if !matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
            return None;
        }
        Some(format!(
            "it does not know these credentials: give others with {}; a sandbox knows those that are the defaults, and \
             `truehook keys create --provider {}` makes new ones",
            self.flags(),
            self.provider.name()
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
