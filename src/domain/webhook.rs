//! A registered receiver.

use jiff::Timestamp;

use super::{ProviderName, ReceiverUrl, Secret};

/// A registered receiver: where to send which events of whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// The API that it was registered with.
    pub provider: ProviderName,
    /// The provider's form of id: `whk_` and a KSUID, or a UUID.
    pub id: String,
    /// The client id (Conduit) or product id (Equals Money) of the caller who registered it.
    pub owner: String,
    /// Equals Money only: the account that it is restricted to; none for a global webhook.
    pub account_id: Option<String>,
    /// Where deliveries go.
    pub url: ReceiverUrl,
    /// Names of the event types, without duplicates, in the caller's order. Equals Money: exactly one.
    pub event_types: Vec<String>,
    /// Whether new events are delivered to it.
    pub enabled: bool,
    /// The key of its signatures. Conduit: always there. Equals Money: where the caller gave one.
    pub signing_secret: Option<Secret>,
    /// Equals Money only: sent to the receiver as `Authorization`, verbatim.
    pub authorization: Option<Secret>,
    /// When it was registered.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// The members that an update replaces. One that is `None` keeps its value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WebhookChange {
    /// The new URL.
    pub url: Option<ReceiverUrl>,
    /// The new event types.
    pub event_types: Option<Vec<String>>,
    /// The new state.
    pub enabled: Option<bool>,
    /// The new signing secret; `Some(None)` clears it.
    pub signing_secret: Option<Option<Secret>>,
    /// The new authorization header; `Some(None)` clears it.
    pub authorization: Option<Option<Secret>>,
    /// Whether its pending deliveries wait from now on (E-57).
    pub suspended: Option<bool>,
}

impl WebhookChange {
    /// Whether it names nothing to change.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Changes `webhook` at the time `now`.
    pub fn apply(self, webhook: &mut Webhook, now: Timestamp) {
        if self.is_empty() {
            return;
        }
        if let Some(url) = self.url {
            webhook.url = url;
        }
        if let Some(event_types) = self.event_types {
            webhook.event_types = event_types;
        }
        if let Some(enabled) = self.enabled {
            webhook.enabled = enabled;
        }
        if let Some(secret) = self.signing_secret {
            webhook.signing_secret = secret;
        }
        if let Some(authorization) = self.authorization {
            webhook.authorization = authorization;
        }
        // A clock that was set back must not make a webhook older than its registration.
        webhook.updated_at = now.max(webhook.created_at);
    }
}
