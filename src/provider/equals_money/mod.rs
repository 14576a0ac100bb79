//! Equals Money webhooks API v2. Decisions E-n stand in the source document `openapi/equals-money.yaml` beside what they decide.
//!
//! Inbound, the API we serve: `auth`, `handlers`, `models`, `error`, `samples`, and `rate_limit` (E-8).
//! Outbound, the webhooks we send: `outbound`, which answers for the others, `payload`, `signature`, `retry`.
//! Both: `catalogue`, the event types that we list and send, and `openapi`, the emitted document.

mod auth;
mod catalogue;
mod error;
mod handlers;
mod models;
mod openapi;
mod outbound;
mod payload;
mod rate_limit;
mod retry;
mod samples;
mod signature;
#[cfg(test)]
mod wire_types;

use std::collections::HashSet;
use std::num::NonZeroU32;

pub(crate) use auth::SANDBOX_CREDENTIALS;
pub use handlers::{prepare, routes};
pub use openapi::DOCUMENT;
pub(crate) use outbound::EqualsMoneyOutbound;
pub(crate) use samples::failures;
#[cfg(test)]
pub(crate) use wire_types::wire_types;

use self::models::WebhookEventTypeName;
use self::rate_limit::RateLimit;
use super::Context;

/// What an operator may set for this API.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// How many requests a second each key may make; no limit by default (E-8).
    pub rate_limit: Option<NonZeroU32>,
    /// Names of the event types that are listed as not enabled; none by default (E-45).
    pub disabled_event_types: Vec<String>,
}

/// What the operations of this API need.
pub struct State {
    context: Context,
    rate_limit: Option<RateLimit>,
    disabled: HashSet<WebhookEventTypeName>,
}

/// A setting names an event type that the catalogue does not have.
#[derive(Debug, thiserror::Error)]
#[error(
    "`{0}` is no event type of Equals Money; GET /equals-money/v2/webhooks/event-types lists them"
)]
pub struct UnknownEventType(String);

impl State {
    /// The state of this API under the given settings.
    ///
    /// # Errors
    /// [`UnknownEventType`] when a setting names a type that the catalogue does not have.
    pub fn new(context: Context, settings: &Settings) -> Result<Self, UnknownEventType> {
        let find = |name: &String| catalogue::by_name(name).map(|entry| entry.name);
        let disabled = settings
            .disabled_event_types
            .iter()
            .map(|name| find(name).ok_or_else(|| UnknownEventType(name.clone())))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            context,
            rate_limit: settings.rate_limit.map(RateLimit::new),
            disabled,
        })
    }
}

/// Whether the catalogue has an event type with this id.
#[cfg(test)]
pub(crate) fn is_event_type(id: uuid::Uuid) -> bool {
    catalogue::by_id(id).is_some()
}
