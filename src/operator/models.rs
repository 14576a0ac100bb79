//! The JSON of requests and answers. Members without a value are null in answers, never left out.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::domain::{self, ApiKey, Provider};
use crate::http::presence::non_null;
use crate::storage::{
    DeliveryHistory, DeliveryRecord, EventRecord, Replay as StoredReplay,
    ReplayFilter as StoredFilter, ReplayState as StoredState, StateCounts, StoreError,
};

/// Whose catalogue an event type stands in.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = Provider)]
pub(crate) enum EventProvider {
    Conduit,
    EqualsMoney,
}

/// An event to publish.
#[derive(Debug, Deserialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("if" = super::openapi::IS_CONDUIT.clone(), "then" = super::openapi::OF_CONDUIT.clone(),
    "else" = super::openapi::OF_OTHERS.clone()))]
pub(crate) struct PublishRequest {
    /// Whose event it is.
    pub(super) provider: EventProvider,
    /// The name of an event type of the provider's catalogue, compared exactly.
    #[serde(rename = "type")]
    pub(super) event_type: String,
    /// Equals Money only: the account that it happened to. Webhooks of this account and those without an account get it; without it,
    /// only those without an account. Events of onboarding belong to no account and go only to webhooks without one.
    #[serde(default, deserialize_with = "non_null")]
    #[schema(nullable = false, min_length = 1, max_length = 36)]
    #[schemars(with = "String", length(min = 1, max = 36))]
    pub(super) account_id: Option<String>,
    /// Conduit only, and required there: the client whose webhooks get it.
    #[serde(default, deserialize_with = "non_null")]
    #[schema(nullable = false, pattern = "^client_[a-zA-Z0-9]{27}$")]
    #[schemars(with = "String", regex(pattern = "^client_[a-zA-Z0-9]{27}$"))]
    pub(super) client_id: Option<String>,
    /// Equals Money only: the product whose webhooks get it; those of every product without it.
    #[serde(default, deserialize_with = "non_null")]
    #[schema(nullable = false)]
    #[schemars(with = "Uuid")]
    pub(super) product_id: Option<Uuid>,
    /// The members of the payload, held against the event type's schema; the catalogue's sample without it. For Conduit it is the `data`
    /// of the payload, with one member named after the resource; for Equals Money the members of `body` but `messageId` and
    /// `webhookEventTypeName`, which each delivery gets of its own. No name may stand twice in an object.
    #[serde(default, deserialize_with = "non_null")]
    #[schema(nullable = false, value_type = Option<Object>)]
    #[schemars(with = "serde_json::Map<String, serde_json::Value>")]
    pub(super) data: Option<Box<RawValue>>,
}

/// An event that was stored, as its publisher is told.
#[derive(Debug, Serialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PublishedEvent {
    /// The id of the event.
    #[schema(pattern = "^evt_[a-zA-Z0-9]{27}$")]
    #[schemars(regex(pattern = "^evt_[a-zA-Z0-9]{27}$"))]
    pub(super) id: String,
    /// Whose event it is.
    pub(super) provider: EventProvider,
    /// The name of its event type.
    #[serde(rename = "type")]
    pub(super) event_type: String,
    /// When it was published.
    #[schema(format = DateTime)]
    #[schemars(extend("format" = "date-time"))]
    pub(super) created_at: String,
    /// For how many webhooks it was when it was published.
    pub(super) deliveries: u64,
}

/// One happening with its payload.
#[derive(Debug, Serialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Event {
    /// The id of the event.
    #[schema(pattern = "^evt_[a-zA-Z0-9]{27}$")]
    #[schemars(regex(pattern = "^evt_[a-zA-Z0-9]{27}$"))]
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
    #[schemars(extend("format" = "date-time"))]
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
    /// The number of those that were given up.
    exhausted: u64,
    /// The number of those that ended with their webhooks.
    cancelled: u64,
}

/// A page of events.
#[derive(Debug, Serialize, ToSchema, JsonSchema)]
pub(crate) struct EventList {
    /// The events of this page, the newest first.
    pub(super) data: Vec<Event>,
    /// The `cursor` of the next page, or null on the last one.
    #[schema(required = true)]
    #[schemars(required, with = "NullableText")]
    pub(super) next: Option<String>,
}

/// Whether an attempt is due or under way (`pending`), the receiver has accepted it (`delivered`), it was attempted as often as its
/// provider documents (`exhausted`), or it ended with its webhook (`cancelled`).
#[derive(Debug, Clone, Copy, Serialize, ToSchema, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum DeliveryState {
    Pending,
    Delivered,
    Exhausted,
    Cancelled,
}

/// One event for one webhook.
#[derive(Debug, Serialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Delivery {
    /// The id of the delivery, which receivers see as idempotency key (Conduit) or message id (Equals Money).
    #[schema(examples("8b53639f-152c-4fc6-af30-802fde462ba0"))]
    id: Uuid,
    /// The event.
    #[schema(
        pattern = "^evt_[a-zA-Z0-9]{27}$",
        examples("evt_351DUZaHXTOPxyvBf6L9XdlW5oq")
    )]
    #[schemars(regex(pattern = "^evt_[a-zA-Z0-9]{27}$"))]
    event_id: String,
    /// The webhook, in its provider's form of id.
    #[schema(examples(
        "6f1c0a52-8d3e-4b7a-9c64-2e5d7b90f318",
        "whk_31BbTJ0ORWosbmona9WP0ThJYT5"
    ))]
    webhook_id: String,
    /// The provider of both.
    provider: EventProvider,
    /// The event's type.
    #[serde(rename = "type")]
    #[schema(examples("BoxCredited"))]
    event_type: String,
    /// How it stands.
    state: DeliveryState,
    /// How many attempts were begun.
    #[schema(examples(2))]
    attempt_count: u32,
    /// When it was made.
    #[schema(format = DateTime, examples("2025-11-04T15:05:00.000Z"))]
    #[schemars(extend("format" = "date-time"))]
    created_at: String,
    /// When the next attempt is due, as the retry schedule has it; while one is under way, when it would be taken for lost. A delivery
    /// of a disabled Equals Money webhook waits beyond it until the webhook is enabled. Null unless pending.
    #[schema(required = true, format = DateTime, examples("2025-11-04T15:15:00.004Z"))]
    #[schemars(required, with = "NullableText", extend("format" = "date-time"))]
    next_attempt_at: Option<String>,
    /// When it left the pending state, or null while it is pending.
    #[schema(required = true, format = DateTime, examples(json!(null)))]
    #[schemars(required, with = "NullableText", extend("format" = "date-time"))]
    completed_at: Option<String>,
}

/// A delivery with all its attempts.
#[derive(Debug, Serialize, ToSchema, JsonSchema)]
pub(crate) struct DeliveryDetail {
    #[serde(flatten)]
    delivery: Delivery,
    /// The URL of its webhook as it is now: where the next attempt goes.
    #[schema(examples("https://receiver.example.com/hooks/equals-money"))]
    url: String,
    /// Every attempt that was begun, as many as `attemptCount`, the first one first.
    attempts: Vec<Attempt>,
}

/// A page of deliveries.
#[derive(Debug, Serialize, ToSchema, JsonSchema)]
pub(crate) struct DeliveryList {
    /// The deliveries of this page, the newest first.
    pub(super) data: Vec<Delivery>,
    /// The `cursor` of the next page, or null on the last one.
    #[schema(required = true)]
    #[schemars(required, with = "NullableText")]
    pub(super) next: Option<String>,
}

/// One HTTP request of a delivery, and what it came to.
#[derive(Debug, Default, Serialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Attempt {
    /// Its number, from 1.
    #[schema(minimum = 1)]
    #[schemars(range(min = 1))]
    number: u32,
    /// Whether its result is known. If not, it is under way, or its process died in it, or its result came too late and was refused; the
    /// other members are then null, empty or false.
    recorded: bool,
    /// When it began, or null where it is not recorded.
    #[schema(required = true, format = DateTime)]
    #[schemars(required, with = "NullableText", extend("format" = "date-time"))]
    started_at: Option<String>,
    /// How long its parts took, or null where it is not recorded.
    #[schema(required = true)]
    #[schemars(required, with = "NullableDuration")]
    duration_ms: Option<AttemptDuration>,
    /// The headers that were sent, in their order. The values of secret ones are `[redacted]`.
    request_headers: Vec<AttemptHeader>,
    /// The HTTP status of the answer, or null where no complete one came.
    #[schema(required = true, minimum = 100, maximum = 999)]
    #[schemars(required, with = "NullableStatus", range(min = 100, max = 999))]
    status: Option<u16>,
    /// The beginning of the answer's body, bytes that are not UTF-8 replaced by U+FFFD, or null where no complete answer came.
    #[schema(required = true)]
    #[schemars(required, with = "NullableText")]
    response_body: Option<String>,
    /// Whether the answer's body was longer than what is kept of it.
    response_truncated: bool,
    /// Why there was no complete answer (the deadline, the connection, an address that is not allowed), or null where there was one,
    /// whatever its status.
    #[schema(required = true)]
    #[schemars(required, with = "NullableText")]
    error: Option<String>,
}

/// How long the parts of an attempt took, in milliseconds.
#[derive(Debug, Serialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AttemptDuration {
    /// From when it was due to when it began.
    #[schema(minimum = 0)]
    #[schemars(range(min = 0))]
    queue: f64,
    /// To connect (name, TCP, TLS), or null where a connection was open already or none came about.
    #[schema(required = true, minimum = 0)]
    #[schemars(required, with = "NullableNumber", range(min = 0))]
    connect: Option<f64>,
    /// From its beginning to the head of the answer, or null where none came.
    #[schema(required = true, minimum = 0)]
    #[schemars(required, with = "NullableNumber", range(min = 0))]
    first_byte: Option<f64>,
    /// From its beginning to its end.
    #[schema(minimum = 0)]
    #[schemars(range(min = 0))]
    total: f64,
}

/// A header of an attempt.
#[derive(Debug, Serialize, ToSchema, JsonSchema)]
pub(crate) struct AttemptHeader {
    /// The name of the header.
    name: String,
    /// Its value, or `[redacted]`.
    value: String,
}

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

/// What to replay. All members hold together, and `provider` alone is not enough.
#[derive(Debug, Deserialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("anyOf" = super::openapi::REPLAY_CONDITIONS.clone()))]
pub(crate) struct ReplayRequest {
    /// Only events that were published at this time or later.
    #[serde(default, deserialize_with = "non_null")]
    #[schema(nullable = false, format = DateTime)]
    #[schemars(with = "String", extend("format" = "date-time"))]
    #[expect(dead_code, reason = "read from the body with every fault of it")]
    pub(super) from: Option<String>,
    /// Only events that were published before this time, which has to be later than `from`.
    #[serde(default, deserialize_with = "non_null")]
    #[schema(nullable = false, format = DateTime)]
    #[schemars(with = "String", extend("format" = "date-time"))]
    #[expect(dead_code, reason = "read from the body with every fault of it")]
    pub(super) to: Option<String>,
    /// Only deliveries for the webhook with this id; with `unmatched`, match this webhook only.
    #[serde(default, deserialize_with = "non_null")]
    #[schema(nullable = false, min_length = 1)]
    #[schemars(with = "String", length(min = 1))]
    pub(super) webhook_id: Option<String>,
    /// Only events of this provider.
    #[serde(default, deserialize_with = "non_null")]
    #[schema(nullable = false)]
    #[schemars(with = "EventProvider")]
    pub(super) provider: Option<EventProvider>,
    /// Only deliveries in this state, or only events that matched no webhook; deliveries in any state without it.
    #[serde(default, deserialize_with = "non_null")]
    #[schema(nullable = false)]
    #[schemars(with = "ReplayState")]
    pub(super) state: Option<ReplayState>,
    /// Whether to count only, and attempt nothing.
    #[serde(default)]
    #[schema(default = false)]
    pub(super) dry_run: bool,
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
    #[schemars(regex(pattern = "^rpl_[a-zA-Z0-9]{27}$"))]
    id: String,
    /// Whether it goes on.
    status: ReplayStatus,
    /// Whether it only counts.
    dry_run: bool,
    /// How many deliveries the filter has picked so far, those that `unmatched` events would get or have got included.
    matched: u64,
    /// How many deliveries were made due so far; 0 for a dry run.
    enqueued: u64,
    /// When it was started.
    #[schema(format = DateTime)]
    #[schemars(extend("format" = "date-time"))]
    created_at: String,
    /// When it was done, or null while it runs.
    #[schema(required = true, format = DateTime)]
    #[schemars(required, with = "NullableText", extend("format" = "date-time"))]
    finished_at: Option<String>,
    /// What it picks.
    filter: ReplayFilter,
}

/// The filter of a replay, null where nothing was given.
#[derive(Debug, Serialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ReplayFilter {
    /// The earliest time of publication.
    #[schema(required = true, format = DateTime)]
    #[schemars(required, with = "NullableText", extend("format" = "date-time"))]
    from: Option<String>,
    /// The time that the events were published before.
    #[schema(required = true, format = DateTime)]
    #[schemars(required, with = "NullableText", extend("format" = "date-time"))]
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

/// The API that a key opens; `operator` is this one.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum KeyProvider {
    Conduit,
    EqualsMoney,
    Operator,
}

/// An API key to make.
#[derive(Debug, Deserialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct CreateKeyRequest {
    /// The API that it opens.
    pub(super) provider: KeyProvider,
    /// Whose key it is: a client id (`client_` and 27 letters or digits) for Conduit, a product id (a UUID) for Equals Money; a new one
    /// without it. Not for keys of this API.
    #[serde(default, deserialize_with = "non_null")]
    #[schema(nullable = false)]
    #[schemars(with = "String")]
    pub(super) owner: Option<String>,
    /// What a person calls it.
    #[serde(default, deserialize_with = "non_null")]
    #[schema(nullable = false, min_length = 1, max_length = 200)]
    #[schemars(with = "String", length(min = 1, max = 200))]
    pub(super) name: Option<String>,
}

/// An API key with its credentials, which are shown this once.
#[derive(Serialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NewKey {
    /// The id of the key, which is no secret.
    #[schema(pattern = "^key_[a-zA-Z0-9]{27}$")]
    #[schemars(regex(pattern = "^key_[a-zA-Z0-9]{27}$"))]
    id: String,
    /// The API that it opens.
    provider: KeyProvider,
    /// The client id (Conduit), the product id (Equals Money), or `operator`.
    owner: String,
    /// What a person calls it.
    #[schema(required = true)]
    #[schemars(required, with = "NullableText")]
    name: Option<String>,
    /// When it was made.
    #[schema(format = DateTime)]
    #[schemars(extend("format" = "date-time"))]
    created_at: String,
    /// The headers to send with every request, by name. Their values are secrets.
    headers: BTreeMap<&'static str, String>,
}

/// An API key without its credentials.
#[derive(Debug, Serialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Key {
    /// The id of the key.
    #[schema(pattern = "^key_[a-zA-Z0-9]{27}$")]
    #[schemars(regex(pattern = "^key_[a-zA-Z0-9]{27}$"))]
    id: String,
    /// The API that it opens.
    provider: KeyProvider,
    /// The client id (Conduit), the product id (Equals Money), or `operator`.
    owner: String,
    /// What a person calls it.
    #[schema(required = true)]
    #[schemars(required, with = "NullableText")]
    name: Option<String>,
    /// When it was made.
    #[schema(format = DateTime)]
    #[schemars(extend("format" = "date-time"))]
    created_at: String,
    /// Since when it opens nothing, or null.
    #[schema(required = true, format = DateTime)]
    #[schemars(required, with = "NullableText", extend("format" = "date-time"))]
    revoked_at: Option<String>,
}

/// All keys.
#[derive(Debug, Serialize, ToSchema, JsonSchema)]
pub(crate) struct KeyList {
    /// The keys, the newest first.
    pub(super) data: Vec<Key>,
}

/// Makes it safe to publish again.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(
    dead_code,
    reason = "read by utoipa only: the handler names every fault of it"
)]
pub(super) struct IdempotencyKey {
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
pub(super) struct EventQuery {
    /// Gives only events of this provider.
    #[param(nullable = false, required = false)]
    provider: Option<EventProvider>,
    /// Gives only events of this type; one that no catalogue has gives an empty page.
    #[param(rename = "type", nullable = false, required = false)]
    event_type: Option<String>,
}

/// Which deliveries.
#[derive(IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
#[expect(
    dead_code,
    reason = "read by utoipa only: the handler reads the query with every fault of it"
)]
pub(super) struct DeliveryQuery {
    /// Gives only deliveries of this provider.
    #[param(nullable = false, required = false)]
    provider: Option<EventProvider>,
    /// Gives only deliveries in this state.
    #[param(nullable = false, required = false)]
    state: Option<DeliveryState>,
    /// Gives only deliveries for the webhook with this id.
    #[param(nullable = false, required = false)]
    webhook_id: Option<String>,
    /// Gives only deliveries of the event with this id.
    #[param(nullable = false, required = false)]
    event_id: Option<String>,
}

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

/// schemars' forms of required members that may be null. Without a description, schemars looks through them and takes the null away.
macro_rules! nullable {
    ($($name:ident of $what:ty),*) => { $(
        #[derive(JsonSchema)]
        #[schemars(description = "Null, or a value.")]
        #[schemars(transparent)]
        #[expect(dead_code, reason = "read by schemars only")]
        struct $name(Option<$what>);
    )* };
}

nullable!(
    NullableText of String, NullableNumber of f64, NullableStatus of u16, NullableDuration of AttemptDuration,
    NullableProvider of EventProvider, NullableState of ReplayState
);

impl From<EventProvider> for Provider {
    fn from(provider: EventProvider) -> Self {
        match provider {
            EventProvider::Conduit => Self::Conduit,
            EventProvider::EqualsMoney => Self::EqualsMoney,
        }
    }
}

impl EventProvider {
    /// The provider of something that is stored.
    ///
    /// # Errors
    /// [`StoreError::Damaged`]: our own API has no events.
    fn of(provider: Provider) -> Result<Self, StoreError> {
        match provider {
            Provider::Conduit => Ok(Self::Conduit),
            Provider::EqualsMoney => Ok(Self::EqualsMoney),
            Provider::Operator => Err(StoreError::Damaged("an event of the operator".to_owned())),
        }
    }
}

impl From<KeyProvider> for Provider {
    fn from(provider: KeyProvider) -> Self {
        match provider {
            KeyProvider::Conduit => Self::Conduit,
            KeyProvider::EqualsMoney => Self::EqualsMoney,
            KeyProvider::Operator => Self::Operator,
        }
    }
}

impl From<Provider> for KeyProvider {
    fn from(provider: Provider) -> Self {
        match provider {
            Provider::Conduit => Self::Conduit,
            Provider::EqualsMoney => Self::EqualsMoney,
            Provider::Operator => Self::Operator,
        }
    }
}

impl From<domain::DeliveryState> for DeliveryState {
    fn from(state: domain::DeliveryState) -> Self {
        match state {
            domain::DeliveryState::Pending => Self::Pending,
            domain::DeliveryState::Delivered => Self::Delivered,
            domain::DeliveryState::Exhausted => Self::Exhausted,
            domain::DeliveryState::Cancelled => Self::Cancelled,
        }
    }
}

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

impl TryFrom<EventRecord> for Event {
    type Error = StoreError;

    fn try_from(record: EventRecord) -> Result<Self, StoreError> {
        let EventRecord { event, deliveries } = record;
        let (client_id, product_id) = match event.provider {
            Provider::Conduit => (event.owner, None),
            Provider::EqualsMoney | Provider::Operator => (None, event.owner),
        };
        Ok(Self {
            id: event.id,
            provider: EventProvider::of(event.provider)?,
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

impl TryFrom<DeliveryRecord> for Delivery {
    type Error = StoreError;

    fn try_from(record: DeliveryRecord) -> Result<Self, StoreError> {
        let pending = record.state == domain::DeliveryState::Pending;
        Ok(Self {
            id: record.id,
            event_id: record.event_id,
            webhook_id: record.webhook_id,
            provider: EventProvider::of(record.provider)?,
            event_type: record.event_type,
            state: record.state.into(),
            attempt_count: record.attempts,
            created_at: time(record.created_at),
            next_attempt_at: pending.then(|| time(record.due_at)),
            completed_at: record.completed_at.map(time),
        })
    }
}

impl TryFrom<DeliveryHistory> for DeliveryDetail {
    type Error = StoreError;

    fn try_from(history: DeliveryHistory) -> Result<Self, StoreError> {
        let DeliveryHistory { delivery, attempts } = history;
        let mut recorded = attempts.into_iter().peekable();
        let attempts = (1..=delivery.attempts)
            .map(|number| {
                let found = recorded.next_if(|attempt| attempt.number == number);
                // A number without a record is an attempt whose process died, or one that is under way.
                found.map_or_else(
                    || Attempt {
                        number,
                        ..Attempt::default()
                    },
                    Attempt::from,
                )
            })
            .collect();
        Ok(Self {
            url: delivery.url.clone(),
            delivery: delivery.try_into()?,
            attempts,
        })
    }
}

impl From<domain::Attempt> for Attempt {
    fn from(attempt: domain::Attempt) -> Self {
        let status = match attempt.outcome {
            domain::Outcome::Answered { status, .. } => Some(status),
            domain::Outcome::TimedOut
            | domain::Outcome::Refused(_)
            | domain::Outcome::Failed(_) => None,
        };
        let timing = attempt.timing;
        Self {
            number: attempt.number,
            recorded: true,
            started_at: Some(time(attempt.started_at)),
            duration_ms: Some(AttemptDuration {
                queue: milliseconds(timing.queue),
                connect: timing.connect.map(milliseconds),
                first_byte: timing.first_byte.map(milliseconds),
                total: milliseconds(timing.total),
            }),
            request_headers: attempt
                .request_headers
                .into_iter()
                .map(|(name, value)| AttemptHeader { name, value })
                .collect(),
            status,
            response_body: status
                .map(|_| String::from_utf8_lossy(&attempt.response_body).into_owned()),
            response_truncated: attempt.response_truncated,
            error: attempt.outcome.error(),
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
                provider: provider.map(EventProvider::of).transpose()?,
                state: state.map(ReplayState::from),
            },
        })
    }
}

impl From<crate::keys::NewKey> for NewKey {
    fn from(made: crate::keys::NewKey) -> Self {
        let headers = made
            .headers
            .iter()
            .map(|(name, value)| (*name, value.expose().to_owned()))
            .collect();
        Self {
            id: made.record.id,
            provider: made.record.provider.into(),
            owner: made.record.owner,
            name: made.record.name,
            created_at: time(made.record.created_at),
            headers,
        }
    }
}

impl From<ApiKey> for Key {
    fn from(key: ApiKey) -> Self {
        Self {
            id: key.id,
            provider: key.provider.into(),
            owner: key.owner,
            name: key.name,
            created_at: time(key.created_at),
            revoked_at: key.revoked_at.map(time),
        }
    }
}

/// UTC with milliseconds, cut down.
pub(super) fn time(time: Timestamp) -> String {
    format!("{time:.3}")
}

/// Storage keeps microseconds.
fn milliseconds(duration: Duration) -> f64 {
    let microseconds = u32::try_from(duration.as_micros()).unwrap_or(u32::MAX);
    f64::from(microseconds) / 1e3
}
