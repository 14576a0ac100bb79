//! The JSON of webhooks as an operator sees them.

use schemars::JsonSchema;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::deliveries::LastAttempt;
use super::events::DeliveryCounts;
use super::{EventProvider, NullableText, time};
use crate::provider::{OwnerMember, Providers};
use crate::storage::{StoreError, WebhookRecord};

/// A registered receiver, without its secrets.
#[derive(Debug, Serialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Webhook {
    /// The id of the webhook, in its provider's form of id.
    #[schema(examples(
        "6f1c0a52-8d3e-4b7a-9c64-2e5d7b90f318",
        "whk_31BbTJ0ORWosbmona9WP0ThJYT5"
    ))]
    id: String,
    /// The API that it was registered with.
    provider: EventProvider,
    /// The account that it is restricted to, or null where it is for every account (Equals Money).
    #[schema(required = true, examples("F12345"))]
    #[schemars(required, with = "NullableText")]
    account_id: Option<String>,
    /// The client that registered it (Conduit).
    #[schema(required = true, examples(json!(null)))]
    #[schemars(required, with = "NullableText")]
    client_id: Option<String>,
    /// The product that registered it (Equals Money).
    #[schema(required = true, examples("911db6db-ef58-4992-87cd-2fe2cfde05f9"))]
    #[schemars(required, with = "NullableText")]
    product_id: Option<String>,
    /// Where deliveries go.
    #[schema(examples("https://receiver.example.com/hooks/equals-money"))]
    url: String,
    /// The event types that it subscribes to, in their order.
    #[schema(examples("BoxCredited"))]
    types: Vec<String>,
    /// Whether new events are delivered to it.
    #[schema(examples(true))]
    enabled: bool,
    /// When it was registered.
    #[schema(format = DateTime, examples("2025-11-04T14:30:00.000Z"))]
    #[schemars(extend("format" = "date-time"))]
    created_at: String,
    /// When it was last changed.
    #[schema(format = DateTime, examples("2025-11-04T14:30:00.000Z"))]
    #[schemars(extend("format" = "date-time"))]
    updated_at: String,
    /// How its newest deliveries stand.
    recent: RecentDeliveries,
}

/// How the newest deliveries of a webhook stand, at most a hundred of them.
#[derive(Debug, Serialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RecentDeliveries {
    /// How many are in each state.
    deliveries: DeliveryCounts,
    /// When the last attempt began that the receiver answered with 2xx, or null where none is among them.
    #[schema(required = true, format = DateTime)]
    #[schemars(required, with = "NullableText", extend("format" = "date-time"))]
    last_success_at: Option<String>,
    /// When the last attempt began that failed, or null where none is among them.
    #[schema(required = true, format = DateTime)]
    #[schemars(required, with = "NullableText", extend("format" = "date-time"))]
    last_failure_at: Option<String>,
    /// The HTTP status of the answer to it, or null where none came.
    #[schema(required = true, minimum = 100, maximum = 999)]
    #[schemars(required, with = "NullableStatus", range(min = 100, max = 999))]
    last_failure_status: Option<u16>,
    /// Why there was no complete answer to it, or null where there was one.
    #[schema(required = true)]
    #[schemars(required, with = "NullableText")]
    last_failure_error: Option<String>,
}

/// A page of webhooks.
#[derive(Debug, Serialize, ToSchema, JsonSchema)]
pub(crate) struct WebhookList {
    /// The webhooks of this page, the newest first.
    pub(in crate::operator) data: Vec<Webhook>,
    /// The `cursor` of the next page, or null on the last one.
    #[schema(required = true)]
    #[schemars(required, with = "NullableText")]
    pub(in crate::operator) next: Option<String>,
}

/// Which webhooks.
#[derive(IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
#[expect(
    dead_code,
    reason = "read by utoipa only: the handler reads the query with every fault of it"
)]
pub(in crate::operator) struct WebhookQuery {
    /// Gives only webhooks of this provider.
    #[param(nullable = false, required = false)]
    provider: Option<EventProvider>,
    /// Gives only webhooks of this client (Conduit) or product (Equals Money).
    #[param(nullable = false, required = false)]
    owner: Option<String>,
    /// Gives only webhooks that are restricted to this account (Equals Money).
    #[param(nullable = false, required = false)]
    account_id: Option<String>,
    /// Gives only webhooks that subscribe to this event type, which has to be in a catalogue.
    #[param(rename = "type", nullable = false, required = false)]
    event_type: Option<String>,
    /// Gives only webhooks that are enabled, or that are disabled.
    #[param(nullable = false, required = false)]
    enabled: Option<bool>,
}

nullable!(NullableStatus of u16);

impl Webhook {
    /// A webhook as it is shown.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when its provider is not among `providers`.
    pub(in crate::operator) fn of(
        record: WebhookRecord,
        providers: &Providers,
    ) -> Result<Self, StoreError> {
        let provider = providers.get(record.provider).ok_or_else(|| {
            StoreError::Damaged(format!("a webhook of the provider {}", record.provider))
        })?;
        let (client_id, product_id) = match provider.provider.addressing().owner {
            OwnerMember::ClientId => (Some(record.owner), None),
            OwnerMember::ProductId => (None, Some(record.owner)),
        };
        let failure = LastAttempt::of(record.recent.last_failure.as_ref());
        Ok(Self {
            id: record.id,
            provider: EventProvider::of(record.provider),
            account_id: record.account_id,
            client_id,
            product_id,
            url: record.url,
            types: record.event_types,
            enabled: record.enabled,
            created_at: time(record.created_at),
            updated_at: time(record.updated_at),
            recent: RecentDeliveries {
                deliveries: record.recent.states.into(),
                last_success_at: record.recent.last_success_at.map(time),
                last_failure_at: failure.at,
                last_failure_status: failure.status,
                last_failure_error: failure.error,
            },
        })
    }
}
