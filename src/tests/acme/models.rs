//! Inbound: the JSON of requests and answers. Outbound: that of deliveries.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// A webhook to register.
#[derive(Deserialize, ToSchema, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateWebhook {
    /// Where deliveries are sent.
    #[schema(format = "uri", max_length = 2048)]
    pub(super) url: String,
    /// The event types to deliver.
    #[schema(min_items = 1)]
    pub(super) events: Vec<EventType>,
}

/// A registered webhook.
#[derive(Serialize, ToSchema, JsonSchema)]
pub(crate) struct Webhook {
    /// The id of the webhook.
    pub(super) id: Uuid,
    /// Where deliveries are sent.
    pub(super) url: String,
    /// The event types that are delivered.
    pub(super) events: Vec<String>,
    /// The key of the signatures.
    pub(super) secret: String,
}

/// The events of a parcel.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema, JsonSchema)]
pub(crate) enum EventType {
    #[serde(rename = "parcel.sent")]
    Sent,
    #[serde(rename = "parcel.delivered")]
    Delivered,
}

/// The body of a delivery.
#[derive(Serialize, Deserialize, ToSchema, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Delivery {
    /// The id of the delivery.
    pub(super) id: Uuid,
    /// The type of the event.
    pub(super) event: EventType,
    /// The parcel that it happened to.
    pub(super) data: Parcel,
}

/// A parcel.
#[derive(Serialize, Deserialize, ToSchema, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Parcel {
    /// The number of the parcel.
    #[schema(min_length = 1)]
    pub(super) parcel: String,
    /// The weight in grams.
    #[schema(minimum = 1, maximum = 1_000_000)]
    pub(super) weight: u32,
}
