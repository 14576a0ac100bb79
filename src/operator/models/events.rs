//! The JSON of events: what is published, what its publisher is told, and what is kept.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{EventProvider, NullableText, time};
use crate::http::presence::non_null;
use crate::provider::{OwnerMember, Providers};
use crate::storage::{self, EventRecord, StateCounts, StoreError};

/// An event to publish.
#[derive(Debug, Deserialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct PublishRequest {
    /// Whose event it is.
    pub(in crate::operator) provider: EventProvider,
    /// The name of an event type of the provider's catalogue, compared exactly.
    #[serde(rename = "type")]
    pub(in crate::operator) event_type: String,
    /// Equals Money only: the account that it happened to. Webhooks of this account and those without an account get it; without it,
    /// only those without an account. Events of onboarding belong to no account and go only to webhooks without one.
    #[serde(default, deserialize_with = "non_null")]
    #[schema(nullable = false, min_length = 1, max_length = 36)]
    #[schemars(with = "String")]
    pub(in crate::operator) account_id: Option<String>,
    /// Conduit only, and required there: the client whose webhooks get it.
    #[serde(default, deserialize_with = "non_null")]
    #[schema(nullable = false, pattern = "^client_[a-zA-Z0-9]{27}$")]
    #[schemars(with = "String")]
    pub(in crate::operator) client_id: Option<String>,
    /// Equals Money only: the product whose webhooks get it; those of every product without it.
    #[serde(default, deserialize_with = "non_null")]
    #[schema(nullable = false)]
    #[schemars(with = "Uuid")]
    pub(in crate::operator) product_id: Option<Uuid>,
    /// The members of the payload, held against the event type's schema; the catalogue's sample without it. For Conduit it is the `data`
    /// of the payload, with one member named after the resource; for Equals Money the members of `body` but `messageId` and
    /// `webhookEventTypeName`, which each delivery gets of its own. No name may stand twice in an object.
    #[serde(default, deserialize_with = "non_null")]
    #[schema(nullable = false, value_type = Option<Object>)]
    #[schemars(with = "serde_json::Map<String, serde_json::Value>")]
    #[expect(
        dead_code,
        reason = "taken from the text of the request, token by token"
    )]
    data: Option<Box<RawValue>>,
}

/// An event that was stored, as its publisher is told.
#[derive(Debug, Serialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PublishedEvent {
    /// The id of the event.
    #[schema(pattern = "^evt_[a-zA-Z0-9]{27}$")]
    pub(in crate::operator) id: String,
    /// Whose event it is.
    pub(in crate::operator) provider: EventProvider,
    /// The name of its event type.
    #[serde(rename = "type")]
    pub(in crate::operator) event_type: String,
    /// When it was published.
    #[schema(format = DateTime)]
    pub(in crate::operator) created_at: String,
    /// For how many webhooks it was when it was published.
    pub(in crate::operator) deliveries: u64,
    /// How many other webhooks subscribed to its type then, and why it was not for them.
    pub(in crate::operator) not_matched: NotMatched,
}

/// How many webhooks subscribe to an event's type and do not get it. Each counts once, with the first reason in this order; the first
/// thousand webhooks of a type are looked at.
#[derive(Debug, Serialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NotMatched {
    /// The number of those of another client (Conduit) or product (Equals Money).
    other_owner: u64,
    /// The number of those that are restricted to another account (Equals Money).
    other_account: u64,
    /// The number of those that are disabled.
    disabled: u64,
}

/// One happening with its payload.
#[derive(Debug, Serialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Event {
    /// The id of the event.
    #[schema(pattern = "^evt_[a-zA-Z0-9]{27}$")]
    id: String,
    /// Whose event it is.
    provider: EventProvider,
    /// The name of its event type.
    #[serde(rename = "type")]
    event_type: String,
    /// The account that it happened to, where one was given (Equals Money).
    #[schema(required = true)]
    #[schemars(required, with = "NullableText")]
    account_id: Option<String>,
    /// The client whose event it is (Conduit).
    #[schema(required = true)]
    #[schemars(required, with = "NullableText")]
    client_id: Option<String>,
    /// The product whose webhooks it is for, where one was given (Equals Money).
    #[schema(required = true)]
    #[schemars(required, with = "NullableText")]
    product_id: Option<String>,
    /// The members of the payload as they were published, or the catalogue's sample.
    #[schema(value_type = Object)]
    #[schemars(with = "serde_json::Map<String, serde_json::Value>")]
    data: Box<RawValue>,
    /// When it was published.
    #[schema(format = DateTime)]
    created_at: String,
    /// How its deliveries stand.
    deliveries: DeliveryCounts,
}

/// How many deliveries are in each state.
#[derive(Debug, Serialize, ToSchema, JsonSchema)]
pub(crate) struct DeliveryCounts {
    /// The number of those that are due or under way.
    pending: u64,
    /// The number of those that their receivers have accepted.
    delivered: u64,
    /// The number of those that are exhausted.
    exhausted: u64,
    /// The number of those that ended with their webhooks.
    cancelled: u64,
}

/// A page of events.
#[derive(Debug, Serialize, ToSchema, JsonSchema)]
pub(crate) struct EventList {
    /// The events of this page, the newest first; with `since`, the oldest first.
    pub(in crate::operator) data: Vec<Event>,
    /// The `cursor` of the next page, or null on the last one and with `since`.
    #[schema(required = true)]
    #[schemars(required, with = "NullableText")]
    pub(in crate::operator) next: Option<String>,
    /// The `since` that gives what is published after this page was made; take that of the first page.
    pub(in crate::operator) since: String,
}

/// Makes it safe to publish again.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(
    dead_code,
    reason = "read by utoipa only: the handler names every fault of it"
)]
pub(in crate::operator) struct IdempotencyKey {
    /// Makes it safe to send a publication again: for at least 24 hours the same key with the same body gets the answer of the first
    /// request and publishes nothing, and with another body it gets 409. The key belongs to the caller's API key; a request that is
    /// refused does not use it up. Bodies are the same when their members are, in any order; of `data` every token counts.
    #[param(
        rename = "Idempotency-Key",
        nullable = false,
        required = false,
        min_length = 1,
        max_length = 255,
        pattern = "^[!-~]([ -~]*[!-~])?$"
    )]
    key: Option<String>,
}

/// Which events.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(
    dead_code,
    reason = "read by utoipa only: the handler reads the query with every fault of it"
)]
pub(in crate::operator) struct EventQuery {
    /// Gives only events of this provider.
    #[param(nullable = false, required = false)]
    provider: Option<EventProvider>,
    /// Gives only events of this type, which has to be in a catalogue.
    #[param(rename = "type", nullable = false, required = false)]
    event_type: Option<String>,
    /// The `since` of an earlier page: gives the events that were stored after it, the oldest first, each once. Send the `since` of the
    /// answer back to follow. Not together with `cursor`.
    #[param(nullable = false, required = false)]
    since: Option<String>,
}

impl From<storage::NotMatched> for NotMatched {
    fn from(counts: storage::NotMatched) -> Self {
        Self {
            other_owner: counts.other_owner,
            other_account: counts.other_account,
            disabled: counts.disabled,
        }
    }
}

impl Event {
    /// Shows an event as it is kept.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when its provider is not among `providers`, or its payload is not JSON.
    pub(in crate::operator) fn of(
        record: EventRecord,
        providers: &Providers,
    ) -> Result<Self, StoreError> {
        let EventRecord { event, deliveries } = record;
        let provider = providers.get(event.provider).ok_or_else(|| {
            StoreError::Damaged(format!("an event of the provider {}", event.provider))
        })?;
        let (client_id, product_id) = match provider.provider.addressing().owner {
            OwnerMember::ClientId => (event.owner, None),
            OwnerMember::ProductId => (None, event.owner),
        };
        Ok(Self {
            id: event.id,
            provider: EventProvider::of(event.provider),
            event_type: event.event_type,
            account_id: event.account_id,
            client_id,
            product_id,
            data: RawValue::from_string(event.data)
                .map_err(|error| StoreError::Damaged(error.to_string()))?,
            created_at: time(event.created_at),
            deliveries: deliveries.into(),
        })
    }
}

impl From<StateCounts> for DeliveryCounts {
    fn from(counts: StateCounts) -> Self {
        Self {
            pending: counts.pending,
            delivered: counts.delivered,
            exhausted: counts.exhausted,
            cancelled: counts.cancelled,
        }
    }
}
