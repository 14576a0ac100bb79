//! The operator API for its commands: the server and the key, lists page by page, and failures with advice.

use std::str::FromStr;

use clap::Args;
use reqwest::header::AUTHORIZATION;
use reqwest::{Method, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use url::form_urlencoded;

use super::client::{Call, CallError, Client, ServerUrl};
use crate::domain::Secret;

/// The key that a sandbox knows.
pub(super) const SANDBOX_KEY: &str = "sandbox-operator";

/// The largest page that the API gives.
const LARGEST_PAGE: u64 = 1000;

/// Which server, and who asks it.
#[derive(Debug, Args)]
pub(super) struct Access {
    /// The server
    #[arg(
        long,
        env = "TRUEHOOK_SERVER",
        value_name = "URL",
        default_value = "http://127.0.0.1:8080"
    )]
    pub(super) server: ServerUrl,

    /// A key of the operator API; the default is known in a sandbox only
    #[arg(
        long,
        env = "TRUEHOOK_KEY",
        value_name = "KEY",
        default_value = SANDBOX_KEY,
        hide_env_values = true
    )]
    pub(super) key: Secret,
}

impl Access {
    /// Whether the key is the one that only a sandbox knows.
    pub(super) fn is_sandbox(&self) -> bool {
        self.key.expose() == SANDBOX_KEY
    }
}

/// The operator API of one server.
#[derive(Debug)]
pub(super) struct Operator {
    client: Client,
    bearer: Secret,
}

/// Runs a command over the operator API.
///
/// # Errors
/// As [`Client::new`], and those of the command.
pub(super) fn with_operator(
    access: &Access,
    command: impl AsyncFnOnce(&Operator) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let operator = Operator::new(access)?;
    runtime.block_on(command(&operator))
}

/// A page of a list, each item as it was sent: reading and writing it again would change numbers.
#[derive(Debug, Deserialize)]
pub(super) struct Page {
    pub(super) data: Vec<Box<RawValue>>,
    pub(super) next: Option<String>,
}

impl Operator {
    /// # Errors
    /// As [`Client::new`].
    pub(super) fn new(access: &Access) -> anyhow::Result<Self> {
        Ok(Self {
            client: Client::new(access.server.clone())?,
            bearer: Secret::new(format!("Bearer {}", access.key.expose())),
        })
    }

    /// The client, for what needs no key.
    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// A call below `/operator/v1`.
    ///
    /// # Errors
    /// [`CallError::Unwritable`] when HTTP cannot carry the key.
    pub(super) fn call(&self, method: Method, path: &str) -> Result<Call, CallError> {
        Call::new(method, format!("/operator/v1{path}")).header(
            AUTHORIZATION,
            &self.bearer,
            "--key",
        )
    }

    /// Sends a call and reads its answer.
    ///
    /// # Errors
    /// Every [`CallError`], with what to do about it.
    pub(super) async fn send<T: DeserializeOwned>(&self, call: Call) -> anyhow::Result<T> {
        let answer = self.client.send_for(call).await;
        answer.map_err(|error| self.explain(error))
    }

    /// Reads a list until there are `limit` items or no more, and has `show` print them: up to a thousand at a time, with whether they
    /// are the first ones. Returns how many there were, and whether there are more. A page may be empty and have a next one.
    ///
    /// # Errors
    /// Every [`CallError`], with what to do about it; and those of `show`.
    pub(super) async fn list(
        &self,
        path: &str,
        filters: &[(&str, Option<&str>)],
        limit: u64,
        mut show: impl FnMut(&[Box<RawValue>], bool) -> anyhow::Result<()>,
    ) -> anyhow::Result<(u64, bool)> {
        let mut listed = 0;
        let mut shown = 0;
        let mut items: Vec<Box<RawValue>> = Vec::new();
        let mut cursor: Option<String> = None;
        let more = loop {
            let mut query = form_urlencoded::Serializer::new(String::new());
            query.append_pair("limit", &(limit - listed).min(LARGEST_PAGE).to_string());
            let given = filters
                .iter()
                .filter_map(|(name, value)| Some((*name, (*value)?)));
            query.extend_pairs(given.chain(cursor.as_deref().map(|cursor| ("cursor", cursor))));
            let call = self.call(Method::GET, &format!("{path}?{}", query.finish()))?;
            let page: Page = self.send(call).await?;
            listed += page.data.len() as u64;
            items.extend(page.data);
            if items.len() as u64 >= LARGEST_PAGE {
                show(&items, shown == 0)?;
                shown += items.len() as u64;
                items.clear();
            }
            match page.next {
                None => break false,
                Some(_) if listed >= limit => break true,
                next => cursor = next,
            }
        };
        if !items.is_empty() {
            show(&items, shown == 0)?;
        }
        Ok((listed, more))
    }

    /// A failure with what to do about it, where its own words do not say it.
    pub(super) fn explain(&self, error: CallError) -> anyhow::Error {
        let help = match &error {
            CallError::Refused(refusal) if refusal.status == StatusCode::UNAUTHORIZED => format!(
                "give a key of the operator API with --key or TRUEHOOK_KEY; a sandbox knows {SANDBOX_KEY}, and \
                 `truehook keys create --provider operator` makes others"
            ),
            CallError::NoServer(_)
            | CallError::Slow(_)
            | CallError::Broken { .. }
            | CallError::Unwritable(_)
            | CallError::Refused(_)
            | CallError::Strange { .. } => return error.or_elsewhere(self.client.server()),
        };
        let error = anyhow::Error::from(error);
        anyhow::anyhow!("{error:#}\n  {help}")
    }
}

/// The id of an event, which is safe as a part of a path.
#[derive(Debug, Clone)]
pub(super) struct EventId(String);

impl EventId {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for EventId {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let rest = text.strip_prefix("evt_").unwrap_or_default();
        if !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            Ok(Self(text.to_owned()))
        } else {
            Err("expected the id of an event, such as evt_351DUZaHXTOPxyvBf6L9XdlW5oq")
        }
    }
}

/// The id of a delivery.
#[derive(Debug, Clone, Copy)]
pub(super) struct DeliveryId(pub(super) uuid::Uuid);

impl FromStr for DeliveryId {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.starts_with("evt_") {
            return Err(
                "this is the id of an event; `truehook deliveries --event ID` lists its deliveries",
            );
        }
        let id = text.parse().map_err(
            |_| "expected the id of a delivery, such as 8b53639f-152c-4fc6-af30-802fde462ba0",
        )?;
        Ok(Self(id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_told_apart_before_anything_is_sent() {
        assert!("evt_351DUZaHXTOPxyvBf6L9XdlW5oq".parse::<EventId>().is_ok());
        for wrong in ["", "evt_", "evt_a/../b", "evt_a?b", "whk_1"] {
            assert!(wrong.parse::<EventId>().is_err(), "{wrong}");
        }
        assert!(
            "8b53639f-152c-4fc6-af30-802fde462ba0"
                .parse::<DeliveryId>()
                .is_ok()
        );
        let wrong = "evt_351DUZaHXTOPxyvBf6L9XdlW5oq"
            .parse::<DeliveryId>()
            .unwrap_err();
        assert!(wrong.contains("--event"), "{wrong}");
        assert!("../keys".parse::<DeliveryId>().is_err());
    }
}
