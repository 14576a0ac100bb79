//! What each provider's documentation says, and nothing else: one folder a provider.
//!
//! Two providers may look alike: duplication between them is wanted, because two documents change separately.

pub mod conduit;
pub mod equals_money;
#[cfg(test)]
mod fixtures;

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use crate::clock::Clock;
use crate::domain::{
    ApiKey, Audience, DueDelivery, Fingerprint, Outcome, Provider, SchemePolicy, Secret,
};
use crate::http::Faults;
use crate::storage::{Store, StoreError};

/// What every request to a receiver says of the program that sends it (C-45, E-49).
const USER_AGENT: &str = concat!("truehook/", env!("CARGO_PKG_VERSION"));

/// What every inbound API needs of the server.
#[derive(Clone)]
pub struct Context {
    /// Durable state.
    pub store: Arc<dyn Store>,
    /// The time.
    pub clock: Clock,
    /// Whether the fixed sandbox credentials are known and plain `http` may be registered.
    pub sandbox: bool,
    /// The largest request body that is read, in bytes.
    pub max_body_bytes: usize,
}

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    /// The client id or product id that the credentials belong to.
    pub(crate) owner: String,
}

impl Context {
    /// Which URLs Conduit webhooks may have (C-26).
    fn scheme_policy(&self) -> SchemePolicy {
        if self.sandbox {
            SchemePolicy::HttpOrHttps
        } else {
            SchemePolicy::HttpsOnly
        }
    }

    /// The key with this text, unless there is none or it was revoked.
    pub(crate) async fn active_key(
        &self,
        provider: Provider,
        key: &[u8],
    ) -> Result<Option<ApiKey>, StoreError> {
        let found = self.store.key(provider, Fingerprint::of(key)).await?;
        Ok(found.filter(|key| key.revoked_at.is_none()))
    }
}

/// What a provider's documentation says of the webhooks that it sends. Pure: `now` and randomness are arguments.
pub(crate) trait Outbound: Send + Sync {
    /// Which webhooks get events of this type; `None` when the catalogue has no such type.
    fn audience(&self, event_type: &str) -> Option<Audience>;

    /// The members that a publisher may give, as the catalogue's sample has them: compact JSON (an object).
    ///
    /// Conduit: the value of `data` (`{"transaction":{...}}`). Equals Money: the members of `body` without those that the server adds.
    fn sample(&self, event_type: &str) -> Option<String>;

    /// Every fault of `data` against the event type's schema of the emitted document; pointers start with `/data`.
    ///
    /// A type that the catalogue does not have is a fault too. Not seen: the first of two members of one name, which `data` as a value
    /// no longer has.
    fn faults(&self, event_type: &str, data: &Value) -> Faults;

    /// The request of an attempt: what is signed is what is sent, and the body is the same on every attempt (C-50, E-63).
    fn request(&self, due: &DueDelivery, now: Timestamp) -> OutboundRequest;

    /// When to attempt it again after this outcome of attempt `due.attempt` that ended at `now`; `None` when it is given up.
    ///
    /// `jitter` is a random number from 0 to 1. Not for an outcome that is a success.
    fn retry_at(
        &self,
        due: &DueDelivery,
        outcome: &Outcome,
        now: Timestamp,
        jitter: f64,
    ) -> Option<Timestamp>;

    /// After this moment no attempt is made any more.
    fn gives_up_at(&self, first_attempt_at: Timestamp) -> Timestamp;
}

/// A POST to a receiver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OutboundRequest {
    /// The headers, beside those of HTTP itself (`Host`, `Content-Length`).
    pub(crate) headers: Vec<RequestHeader>,
    /// The body, which is compact JSON.
    pub(crate) body: Vec<u8>,
}

/// A header of a request to a receiver.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct RequestHeader {
    /// Its name, in lower case.
    pub(crate) name: &'static str,
    /// Its value, which may hold any character but control characters.
    pub(crate) value: String,
    /// Whether the value must not be shown. Signatures may be: they prove, but do not tell the key.
    pub(crate) secret: bool,
}

impl RequestHeader {
    pub(crate) fn plain(name: &'static str, value: impl Into<String>) -> Self {
        let value = value.into();
        Self {
            name,
            value,
            secret: false,
        }
    }

    fn secret(name: &'static str, value: &Secret) -> Self {
        let value = value.expose().to_owned();
        Self {
            name,
            value,
            secret: true,
        }
    }

    /// The value as it may be kept and shown: `[redacted]` where it is secret.
    pub(crate) fn shown(&self) -> &str {
        if self.secret {
            "[redacted]"
        } else {
            &self.value
        }
    }
}

impl fmt::Debug for RequestHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.shown())
    }
}

/// The webhooks that `provider` sends; our own API sends none.
pub(crate) fn outbound(provider: Provider) -> Option<&'static dyn Outbound> {
    match provider {
        Provider::Conduit => Some(&conduit::ConduitOutbound),
        Provider::EqualsMoney => Some(&equals_money::EqualsMoneyOutbound),
        Provider::Operator => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_documented_providers_send_webhooks_and_our_own_api_sends_none() {
        for (provider, event_type) in [
            (Provider::Conduit, "customer.created"),
            (Provider::EqualsMoney, "BoxCredited"),
        ] {
            assert!(outbound(provider).unwrap().audience(event_type).is_some());
        }
        assert!(outbound(Provider::Operator).is_none());
    }
}
