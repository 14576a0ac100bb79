//! The providers, as their documentation has them: a folder for each, and the table of them all.
//!
//! [`PROVIDERS`] is the only list of providers: paths, flags, metrics, pages, documents and tests read it. Two providers may look alike:
//! duplication between them is wanted, because two documents change separately.

pub mod conduit;
pub mod equals_money;
#[cfg(test)]
pub(crate) mod fixtures;
mod setting;
mod table;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use actix_web::web::ServiceConfig;
use bytes::Bytes;
use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;

pub(crate) use self::setting::Setting;
pub use self::setting::{InvalidSetting, Settings};
pub(crate) use self::table::{Built, Providers, UnknownEventType};
use crate::clock::Clock;
use crate::domain::{
    ApiKey, Audience, DueDelivery, Event, Fingerprint, Outcome, ProviderName, SchemePolicy, Secret,
    SentHeader,
};
use crate::http::Faults;
use crate::storage::{Store, StoreError};

/// The providers whose APIs this program serves, in the order in which people see them.
pub(crate) const PROVIDERS: &[&dyn Provider] = &[&conduit::Conduit, &equals_money::EqualsMoney];

/// The product that every request to a receiver names as its sender (C-45, E-49).
const USER_AGENT: &str = concat!("truehook/", env!("CARGO_PKG_VERSION"));

/// How many headers the request of an attempt has at most: those of a provider, and that of traces.
const MOST_HEADERS: usize = 6;

/// In place of a value that is secret.
const REDACTED: &str = "[redacted]";

/// The key that every API knows in sandbox mode.
pub(crate) const SANDBOX_KEY: &str = "sandbox-key";

/// The secret that belongs to [`SANDBOX_KEY`], where keys have one.
pub(crate) const SANDBOX_SECRET: &str = "sandbox-secret";

/// Everything that the rest of the server knows of a provider.
pub(crate) trait Provider: KeyIssuer {
    /// The name for people, as headings and messages have it.
    fn title(&self) -> &'static str;

    /// How a publication names the webhooks that an event is for.
    fn addressing(&self) -> Addressing;

    /// The credentials that sandbox mode accepts, by the security schemes of the document.
    fn sandbox_credentials(&self) -> &'static [(&'static str, &'static str)];

    /// The bodies of answers that no request of the document could bring about, by status. Bodies of requests are read up to `limit`
    /// bytes.
    fn failures(&self, limit: usize) -> Vec<(u16, Value)>;

    /// The owner that the credentials of the sandbox belong to.
    fn sandbox_owner(&self) -> &'static str;

    /// The path of webhooks below the base path: `POST` registers one, `GET` and `DELETE` below it read and delete it by id.
    fn webhooks_path(&self) -> &'static str;

    /// The webhooks that `truehook listen` registers to receive these event types.
    fn registrations(&self, wanted: &Wanted<'_>) -> Vec<Registration>;

    /// The place of the event type in the body of a delivery, as a JSON Pointer.
    fn event_type_pointer(&self) -> &'static str;

    /// Makes the emitted document.
    fn document(&self) -> Value;

    /// For tests: every type of the JSON that is read and written.
    #[cfg(test)]
    fn wire_types(&self) -> Vec<crate::tests::schemas::WireType>;

    /// The settings of the provider.
    fn settings(&self) -> &'static [Setting] {
        &[]
    }

    /// Checks the values of its settings.
    ///
    /// # Errors
    /// [`InvalidSetting`] when one has a value that makes no sense.
    fn check_settings(&self, settings: &Settings) -> Result<(), InvalidSetting> {
        let _ = settings;
        Ok(())
    }

    /// Builds the document, the validators and the handlers: once for a server.
    ///
    /// # Errors
    /// [`InvalidSetting`] when a setting of this provider has a value that makes no sense.
    fn build(&self, settings: &Settings) -> Result<Api, InvalidSetting>;
}

/// An API that authenticates its callers by keys.
pub(crate) trait KeyIssuer: Send + Sync {
    /// The name in paths, flags, configuration and storage. The API is served below a path of this name.
    fn name(&self) -> ProviderName;

    /// The owner of a new key: `wanted` in the form in which it is stored, or a new one.
    ///
    /// # Errors
    /// [`InvalidOwner`] when the API has no such owners.
    fn key_owner(&self, wanted: Option<String>, now: Timestamp) -> Result<String, InvalidOwner>;

    /// Whether a key is a pair of a key and a secret.
    fn key_has_secret(&self) -> bool;

    /// The headers that a caller sends with every request. `secret` is ignored where keys have none.
    fn key_headers(&self, key: &Secret, secret: &Secret) -> Vec<(&'static str, Secret)>;
}

/// A receiver to register, and the event types that it is to get.
#[derive(Debug)]
pub(crate) struct Wanted<'a> {
    /// The URL of the receiver, to which the last segment of a path is added for each registration.
    pub(crate) url: &'a str,
    /// The names of event types, each once.
    pub(crate) event_types: &'a [String],
    /// The account that it is for, where the provider has accounts.
    pub(crate) account_id: Option<&'a str>,
    /// The member of a webhook that holds the key of its signatures.
    pub(crate) key_member: &'a str,
}

/// A webhook to register.
#[derive(Debug)]
pub(crate) struct Registration {
    /// The last segment of its URL.
    pub(crate) name: String,
    /// The names of its event types.
    pub(crate) event_types: Vec<String>,
    /// The body of the request.
    pub(crate) body: Value,
    /// The key of its signatures; none where the API makes it and shows it when the webhook is read.
    pub(crate) key: Option<Secret>,
}

impl fmt::Debug for dyn Provider + '_ {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.name(), f)
    }
}

/// The document, webhooks and routes that a provider builds for a server.
pub(crate) struct Api {
    /// The emitted document.
    pub(crate) document: Arc<Value>,
    /// The webhooks that are sent.
    pub(crate) outbound: Box<dyn Outbound>,
    /// Gives the routes of the API below its base path.
    pub(crate) mount: Box<dyn Fn(Context) -> Routes + Send + Sync>,
}

/// Adds the routes of an API to a scope, for each thread that answers requests.
pub(crate) type Routes = Arc<dyn Fn(&mut ServiceConfig) + Send + Sync>;

/// A text that cannot own a key, as a fragment that fits behind its place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct InvalidOwner(pub(crate) String);

/// How a publication names the webhooks that an event is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Addressing {
    /// The member of the operator API that names the owner of the webhooks.
    pub(crate) owner: OwnerMember,
    /// Whether there has to be one; without it, an event is for the webhooks of every owner.
    pub(crate) owner_is_required: bool,
    /// Whether an event may happen to an account (`accountId`).
    pub(crate) has_accounts: bool,
}

/// A member of the operator API that names the owner of webhooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OwnerMember {
    /// `clientId`.
    ClientId,
    /// `productId`.
    ProductId,
}

impl OwnerMember {
    /// The name of the member.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::ClientId => "clientId",
            Self::ProductId => "productId",
        }
    }
}

/// The parts of the server that every inbound API uses.
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

/// An authenticated caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    /// The client id or product id that the credentials belong to.
    pub(crate) owner: String,
}

impl Context {
    /// The schemes that URLs of webhooks may have where a provider asks for https (C-26).
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
        provider: ProviderName,
        key: &[u8],
    ) -> Result<Option<ApiKey>, StoreError> {
        let found = self.store.key(provider, Fingerprint::of(key)).await?;
        Ok(found.filter(|key| key.revoked_at.is_none()))
    }
}

/// The webhooks that a provider sends, as documented. Pure: `now` and randomness are arguments.
pub(crate) trait Outbound: Send + Sync {
    /// Which webhooks get events of this type; `None` when the catalogue has no such type.
    fn audience(&self, event_type: &str) -> Option<Audience>;

    /// The names of the event types, in the order of the catalogue.
    fn event_types(&self) -> Vec<String>;

    /// The members that a publisher may give, as the catalogue's sample has them: compact JSON (an object).
    ///
    /// Conduit: the value of `data` (`{"transaction":{...}}`). Equals Money: the members of `body` without those that the server adds.
    fn sample(&self, event_type: &str) -> Option<String>;

    /// Every fault of `data` against the event type's schema of the emitted document; pointers start with `/data`.
    ///
    /// A type that the catalogue does not have is a fault too. Not seen: the first of two members of one name, which `data` as a value
    /// no longer has.
    fn faults(&self, event_type: &str, data: Value) -> Faults;

    /// The request of an attempt: what is signed is what is sent, and the body is the same on every attempt (C-50, E-63).
    fn request(&self, due: &DueDelivery, now: Timestamp) -> OutboundRequest;

    /// The body of every attempt of this delivery of an event: that of [`Self::request`].
    fn body(&self, event: &Event, delivery: Uuid) -> Vec<u8>;

    /// The bytes that the signature of an attempt is of; `None` where it was not signed.
    ///
    /// `headers` are those that were sent, by name in lower case, `body` is what was sent with them.
    fn signed_bytes(&self, headers: &[SentHeader], body: &[u8]) -> Option<Vec<u8>>;

    /// When to attempt it again after this outcome of an attempt that ended at `now`; attempts by hand do not count; `None` when it is given up.
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
    /// The body, which is compact JSON. Deliveries of one event share it where it is the same for all of them.
    pub(crate) body: Bytes,
}

/// A header of a request to a receiver.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct RequestHeader {
    /// Its name, in lower case.
    pub(crate) name: &'static str,
    /// Its value, which may hold any character but control characters.
    pub(crate) value: Cow<'static, str>,
    /// Whether the value must not be shown. Signatures may be: they prove, but do not tell the key.
    pub(crate) secret: bool,
}

impl RequestHeader {
    pub(crate) fn plain(name: &'static str, value: impl Into<Cow<'static, str>>) -> Self {
        let value = value.into();
        Self {
            name,
            value,
            secret: false,
        }
    }

    fn secret(name: &'static str, value: &Secret) -> Self {
        let value = value.expose().to_owned().into();
        Self {
            name,
            value,
            secret: true,
        }
    }

    /// The header as it may be kept and shown: with `[redacted]` as its value where that is secret.
    pub(crate) fn shown(self) -> SentHeader {
        let value = if self.secret {
            REDACTED.into()
        } else {
            self.value
        };
        (self.name.into(), value)
    }
}

impl fmt::Debug for RequestHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = if self.secret { REDACTED } else { &self.value };
        write!(f, "{}: {value}", self.name)
    }
}

/// The value of the header with this name among those that were sent.
fn sent<'a>(headers: &'a [SentHeader], name: &str) -> Option<&'a str> {
    let found = headers.iter().find(|(sent, _)| sent == name);
    found.map(|(_, value)| &**value)
}
