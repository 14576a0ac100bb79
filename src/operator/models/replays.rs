//! The JSON of replays: what to replay, and how far a job has come.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{EventProvider, NullableText, time};
use crate::domain;
use crate::http::presence::non_null;
use crate::storage::{
    Replay as StoredReplay, ReplayFilter as StoredFilter, ReplayState as StoredState, StoreError,
};

/// A state of deliveries, or `unmatched` for events that no webhook wanted when they were published.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ReplayState {
    Pending,
    Delivered,
    Exhausted,
    Cancelled,
    Unmatched,
}

/// The deliveries to replay. All members hold together, and `provider` alone is not enough.
#[derive(Debug, Deserialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ReplayRequest {
    /// Only events that were published at this time or later.
    #[serde(default, deserialize_with = "non_null")]
    #[schema(nullable = false, format = DateTime)]
    #[schemars(with = "String")]
    #[expect(dead_code, reason = "read from the body with every fault of it")]
    pub(in crate::operator) from: Option<String>,
    /// Only events that were published before this time, which has to be later than `from`.
    #[serde(default, deserialize_with = "non_null")]
    #[schema(nullable = false, format = DateTime)]
    #[schemars(with = "String")]
    #[expect(dead_code, reason = "read from the body with every fault of it")]
    pub(in crate::operator) to: Option<String>,
    /// Only deliveries for the webhook with this id; with `unmatched`, match this webhook only.
    #[serde(default, deserialize_with = "non_null")]
    #[schema(nullable = false, min_length = 1)]
    #[schemars(with = "String")]
    pub(in crate::operator) webhook_id: Option<String>,
    /// Only events of this provider.
    #[serde(default, deserialize_with = "non_null")]
    #[schema(nullable = false)]
    #[schemars(with = "EventProvider")]
    pub(in crate::operator) provider: Option<EventProvider>,
    /// Only deliveries in this state, or only events that matched no webhook; deliveries in any state without it.
    #[serde(default, deserialize_with = "non_null")]
    #[schema(nullable = false)]
    #[schemars(with = "ReplayState")]
    pub(in crate::operator) state: Option<ReplayState>,
    /// Whether to count only, and attempt nothing.
    #[serde(default)]
    #[schema(default = false)]
    pub(in crate::operator) dry_run: bool,
}

/// Whether a job goes on.
#[derive(Debug, Clone, Copy, Serialize, ToSchema, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ReplayStatus {
    Running,
    Done,
}

/// A job that sends deliveries again, and how far it has come.
#[derive(Debug, Serialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Replay {
    /// The id of the replay.
    #[schema(pattern = "^rpl_[a-zA-Z0-9]{27}$")]
    id: String,
    /// Whether it goes on.
    status: ReplayStatus,
    /// Whether it only counts.
    dry_run: bool,
    /// How many deliveries the filter has picked so far, those that `unmatched` events would get or have got included.
    matched: u64,
    /// How many deliveries were made due so far, without those that were being attempted just then; 0 for a dry run.
    enqueued: u64,
    /// When it was started.
    #[schema(format = DateTime)]
    created_at: String,
    /// When it was done, or null while it runs.
    #[schema(required = true, format = DateTime)]
    #[schemars(required, with = "NullableText")]
    finished_at: Option<String>,
    /// The deliveries that it picks.
    filter: ReplayFilter,
}

/// The filter of a replay, null where nothing was given.
#[derive(Debug, Serialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ReplayFilter {
    /// The earliest time of publication.
    #[schema(required = true, format = DateTime)]
    #[schemars(required, with = "NullableText")]
    from: Option<String>,
    /// The time that the events were published before.
    #[schema(required = true, format = DateTime)]
    #[schemars(required, with = "NullableText")]
    to: Option<String>,
    /// The webhook.
    #[schema(required = true)]
    #[schemars(required, with = "NullableText")]
    webhook_id: Option<String>,
    /// The provider.
    #[schema(required = true)]
    #[schemars(required, with = "NullableProvider")]
    provider: Option<EventProvider>,
    /// The state.
    #[schema(required = true)]
    #[schemars(required, with = "NullableState")]
    state: Option<ReplayState>,
}

nullable!(NullableProvider of EventProvider, NullableState of ReplayState);

impl From<ReplayState> for StoredState {
    fn from(state: ReplayState) -> Self {
        Self::Delivery(match state {
            ReplayState::Pending => domain::DeliveryState::Pending,
            ReplayState::Delivered => domain::DeliveryState::Delivered,
            ReplayState::Exhausted => domain::DeliveryState::Exhausted,
            ReplayState::Cancelled => domain::DeliveryState::Cancelled,
            ReplayState::Unmatched => return Self::Unmatched,
        })
    }
}

impl From<StoredState> for ReplayState {
    fn from(state: StoredState) -> Self {
        match state {
            StoredState::Unmatched => Self::Unmatched,
            StoredState::Delivery(domain::DeliveryState::Pending) => Self::Pending,
            StoredState::Delivery(domain::DeliveryState::Delivered) => Self::Delivered,
            StoredState::Delivery(domain::DeliveryState::Exhausted) => Self::Exhausted,
            StoredState::Delivery(domain::DeliveryState::Cancelled) => Self::Cancelled,
        }
    }
}

impl TryFrom<StoredReplay> for Replay {
    type Error = StoreError;

    fn try_from(replay: StoredReplay) -> Result<Self, StoreError> {
        let StoredFilter {
            provider,
            webhook_id,
            state,
            from,
            to,
        } = replay.filter;
        let status = match replay.finished_at {
            Some(_) => ReplayStatus::Done,
            None => ReplayStatus::Running,
        };
        Ok(Self {
            id: replay.id,
            status,
            dry_run: replay.dry_run,
            matched: replay.matched,
            enqueued: replay.enqueued,
            created_at: time(replay.created_at),
            finished_at: replay.finished_at.map(time),
            filter: ReplayFilter {
                from: from.map(time),
                to: to.map(time),
                webhook_id,
                provider: provider.map(EventProvider::of),
                state: state.map(ReplayState::from),
            },
        })
    }
}
