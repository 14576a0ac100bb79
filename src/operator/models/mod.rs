//! The JSON of requests and answers, by resource; here, what several have in common. Members without a value are null in answers, never
//! left out.

/// schemars' forms of required members that may be null. Without a description, schemars looks through them and takes the null away.
macro_rules! nullable {
    ($($name:ident of $what:ty),*) => { $(
        #[derive(JsonSchema)]
        #[schemars(transparent, description = "Null, or a value.")]
        #[expect(dead_code, reason = "read by schemars only")]
        struct $name(Option<$what>);
    )* };
}

nullable!(NullableText of String);

mod deliveries;
mod events;
mod keys;
mod replays;
mod webhooks;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::domain::ProviderName;

pub(super) use self::deliveries::{
    Delivery, DeliveryDetail, DeliveryList, DeliveryQuery, OutcomeFilter,
};
pub(super) use self::events::{
    Event, EventList, EventQuery, IdempotencyKey, PublishRequest, PublishedEvent,
};
pub(super) use self::keys::{CreateKeyRequest, Key, KeyList, NewKey};
pub(super) use self::replays::{Replay, ReplayRequest};
pub(super) use self::webhooks::{Webhook, WebhookList, WebhookQuery};
#[cfg(test)]
pub(super) use self::{
    deliveries::{Attempt, AttemptDuration, AttemptHeader, DeliveryState},
    events::{DeliveryCounts, NotMatched},
    keys::KeyProvider,
    replays::{ReplayFilter, ReplayState, ReplayStatus},
    webhooks::RecentDeliveries,
};

/// Whose catalogue an event type stands in.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema, JsonSchema)]
#[serde(transparent)]
#[schema(as = Provider, value_type = String)]
pub(crate) struct EventProvider(#[schemars(with = "String")] ProviderName);

/// Which page of a list.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(
    dead_code,
    reason = "read by utoipa only: the handler reads the query with every fault of it"
)]
pub(super) struct PageQuery {
    /// The largest number of items to give. A page may have fewer although more follow; only `next` tells.
    #[param(
        nullable = false,
        required = false,
        minimum = 1,
        maximum = 1000,
        default = 100
    )]
    limit: Option<u64>,
    /// The `next` of an earlier page, to be sent back as it came, with the same filters.
    #[param(nullable = false, required = false)]
    cursor: Option<String>,
}

impl EventProvider {
    fn of(provider: ProviderName) -> Self {
        Self(provider)
    }

    /// The name of the provider.
    pub(super) fn name(self) -> ProviderName {
        self.0
    }
}

/// UTC with milliseconds, cut down.
pub(super) fn time(time: Timestamp) -> String {
    format!("{time:.3}")
}
