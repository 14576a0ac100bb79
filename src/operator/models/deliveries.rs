//! The JSON of deliveries and their attempts.

use schemars::JsonSchema;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{EventProvider, NullableText, time};
use crate::clock::milliseconds;
use crate::domain;
use crate::storage::{DeliveryHistory, DeliveryRecord, StoreError};

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

/// The outcome of the last recorded attempt: an answer with such a status (`other`: below 200 or above 599), no complete answer in time
/// (`timeout`), an address that is not allowed (`refused`), no answer because the connection failed (`failed`), or anything but `2xx`
/// (`failure`).
#[derive(Debug, Clone, Copy, Serialize, ToSchema, JsonSchema)]
#[expect(dead_code, reason = "read by utoipa only: the handler reads the word")]
pub(crate) enum OutcomeFilter {
    #[serde(rename = "2xx")]
    Success,
    #[serde(rename = "3xx")]
    Redirect,
    #[serde(rename = "4xx")]
    ClientError,
    #[serde(rename = "5xx")]
    ServerError,
    #[serde(rename = "other")]
    Other,
    #[serde(rename = "timeout")]
    Timeout,
    #[serde(rename = "refused")]
    Refused,
    #[serde(rename = "failed")]
    Failed,
    #[serde(rename = "failure")]
    Failure,
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
    created_at: String,
    /// When the next attempt is due, as the retry schedule has it; while one is under way, when it would be taken for lost. A delivery
    /// of a disabled Equals Money webhook waits beyond it until the webhook is enabled. Null unless pending.
    #[schema(required = true, format = DateTime, examples("2025-11-04T15:15:00.004Z"))]
    #[schemars(required, with = "NullableText")]
    next_attempt_at: Option<String>,
    /// When it left the pending state, or null while it is pending.
    #[schema(required = true, format = DateTime, examples(json!(null)))]
    #[schemars(required, with = "NullableText")]
    completed_at: Option<String>,
    /// When the last recorded attempt began, or null while none is recorded.
    #[schema(required = true, format = DateTime, examples("2025-11-04T15:10:00.009Z"))]
    #[schemars(required, with = "NullableText", extend("format" = "date-time"))]
    last_attempt_at: Option<String>,
    /// The HTTP status of its answer, or null where none came.
    #[schema(required = true, minimum = 100, maximum = 999, examples(503))]
    #[schemars(required, with = "NullableStatus", range(min = 100, max = 999))]
    last_status: Option<u16>,
    /// Why there was no complete answer to it, or null where there was one, whatever its status.
    #[schema(required = true, examples(json!(null)))]
    #[schemars(required, with = "NullableText")]
    last_error: Option<String>,
}

/// A delivery with all its attempts.
#[derive(Debug, Serialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DeliveryDetail {
    #[serde(flatten)]
    delivery: Delivery,
    /// The URL of its webhook as it is now: where the next attempt goes.
    #[schema(examples("https://receiver.example.com/hooks/equals-money"))]
    url: String,
    /// The body that every attempt sends, which is JSON: the bytes that are signed, alone or with a timestamp before them.
    #[schema(examples(
        r#"{"body":{"messageId":"8b53639f-152c-4fc6-af30-802fde462ba0","webhookEventTypeName":"BoxCredited"}}"#
    ))]
    request_body: String,
    /// Every attempt that was begun, as many as `attemptCount`, the first one first.
    attempts: Vec<Attempt>,
}

/// A page of deliveries.
#[derive(Debug, Serialize, ToSchema, JsonSchema)]
pub(crate) struct DeliveryList {
    /// The deliveries of this page, the newest first.
    pub(in crate::operator) data: Vec<Delivery>,
    /// The `cursor` of the next page, or null on the last one.
    #[schema(required = true)]
    #[schemars(required, with = "NullableText")]
    pub(in crate::operator) next: Option<String>,
}

/// One HTTP request of a delivery, and what it came to.
#[derive(Debug, Default, Serialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Attempt {
    /// Its number, from 1.
    #[schema(minimum = 1)]
    number: u32,
    /// Whether its result is known. If not, it is under way, or its process died in it, or its result came too late and was refused; the
    /// other members are then null, empty or false.
    recorded: bool,
    /// When it began, or null where it is not recorded.
    #[schema(required = true, format = DateTime)]
    #[schemars(required, with = "NullableText")]
    started_at: Option<String>,
    /// How long its parts took, or null where it is not recorded.
    #[schema(required = true)]
    #[schemars(required, with = "NullableDuration")]
    duration_ms: Option<AttemptDuration>,
    /// The headers that were sent, in their order. The values of secret ones are `[redacted]`.
    request_headers: Vec<AttemptHeader>,
    /// The HTTP status of the answer, or null where none came. Beside an `error`, the answer broke off after it.
    #[schema(required = true, minimum = 100, maximum = 999)]
    #[schemars(required, with = "NullableStatus")]
    status: Option<u16>,
    /// The headers of the answer, in their order: the first 64 of them, and of those at most 8 KiB. The values of cookies are
    /// `[redacted]`. Empty where no answer came, and for attempts of versions that did not keep them.
    response_headers: Vec<AttemptHeader>,
    /// The beginning of the answer's body, bytes that are not UTF-8 replaced by U+FFFD, or null where none came.
    #[schema(required = true)]
    #[schemars(required, with = "NullableText")]
    response_body: Option<String>,
    /// Whether the answer had more headers, or a longer body, than what is kept of it.
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
    queue: f64,
    /// To connect (name, TCP, TLS), or null where a connection was open already or none came about.
    #[schema(required = true, minimum = 0)]
    #[schemars(required, with = "NullableNumber")]
    connect: Option<f64>,
    /// From its beginning to the head of the answer, or null where none came.
    #[schema(required = true, minimum = 0)]
    #[schemars(required, with = "NullableNumber")]
    first_byte: Option<f64>,
    /// From its beginning to its end.
    #[schema(minimum = 0)]
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

/// Which deliveries.
#[derive(IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
#[expect(
    dead_code,
    reason = "read by utoipa only: the handler reads the query with every fault of it"
)]
pub(in crate::operator) struct DeliveryQuery {
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
    /// Gives only deliveries of events of this type, which has to be in a catalogue.
    #[param(rename = "type", nullable = false, required = false)]
    event_type: Option<String>,
    /// Gives only deliveries whose last recorded attempt came to this.
    #[param(nullable = false, required = false)]
    outcome: Option<OutcomeFilter>,
    /// Gives only deliveries that were made at this time or later.
    #[param(nullable = false, required = false, format = DateTime)]
    from: Option<String>,
    /// Gives only deliveries that were made before this time, which has to be later than `from`.
    #[param(nullable = false, required = false, format = DateTime)]
    to: Option<String>,
}

nullable!(NullableNumber of f64, NullableStatus of u16, NullableDuration of AttemptDuration);

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

impl TryFrom<DeliveryRecord> for Delivery {
    type Error = StoreError;

    fn try_from(record: DeliveryRecord) -> Result<Self, StoreError> {
        let pending = record.state == domain::DeliveryState::Pending;
        let last = LastAttempt::of(record.last.as_ref());
        Ok(Self {
            id: record.id,
            event_id: record.event_id,
            webhook_id: record.webhook_id,
            provider: EventProvider::of(record.provider),
            event_type: record.event_type,
            state: record.state.into(),
            attempt_count: record.attempts,
            created_at: time(record.created_at),
            next_attempt_at: pending.then(|| time(record.due_at)),
            completed_at: record.completed_at.map(time),
            last_attempt_at: last.at,
            last_status: last.status,
            last_error: last.error,
        })
    }
}

/// When an attempt was, and what it came to; nothing where there was none.
#[derive(Debug, Default)]
pub(super) struct LastAttempt {
    pub(super) at: Option<String>,
    pub(super) status: Option<u16>,
    pub(super) error: Option<String>,
}

impl LastAttempt {
    pub(super) fn of(last: Option<&crate::storage::LastAttempt>) -> Self {
        last.map_or_else(Self::default, |last| Self {
            at: Some(time(last.started_at)),
            status: last.outcome.status(),
            error: last.outcome.error(),
        })
    }
}

impl DeliveryDetail {
    /// A delivery with its attempts and the body that they send.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] where it is not of a provider with events.
    pub(in crate::operator) fn new(
        history: DeliveryHistory,
        body: &[u8],
    ) -> Result<Self, StoreError> {
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
            request_body: String::from_utf8_lossy(body).into_owned(),
            delivery: delivery.try_into()?,
            attempts,
        })
    }
}

impl From<domain::Attempt> for Attempt {
    fn from(attempt: domain::Attempt) -> Self {
        let status = attempt.outcome.status();
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
            request_headers: headers(attempt.request_headers),
            status,
            response_headers: headers(attempt.response_headers),
            response_body: status
                .map(|_| String::from_utf8_lossy(&attempt.response_body).into_owned()),
            response_truncated: attempt.response_truncated,
            error: attempt.outcome.error(),
        }
    }
}

fn headers<T: Into<String>>(headers: Vec<(T, T)>) -> Vec<AttemptHeader> {
    let headers = headers.into_iter();
    headers
        .map(|(name, value)| AttemptHeader {
            name: name.into(),
            value: value.into(),
        })
        .collect()
}
