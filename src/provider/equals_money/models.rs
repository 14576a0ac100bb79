//! Inbound: the JSON of requests and answers, as the source page and the reference document them.

use std::str::FromStr;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::de::IntoDeserializer;
use serde::de::value::Error as ValueError;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::catalogue;
use crate::domain;
use crate::http::presence::{non_null, three_state};
use crate::storage::StoreError;

/// The name of an event type of the catalogue, compared exactly (E-16, E-41).
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    ToSchema,
    JsonSchema,
)]
pub(crate) enum WebhookEventTypeName {
    #[serde(rename = "3DSAuthRequest")]
    ThreeDsAuthRequest,
    AccountActivated,
    AccountCreated,
    AccountStatusUpdated,
    ApplicationStatusUpdated,
    BoxCreditPending,
    BoxCredited,
    BoxDebited,
    CardStateUpdated,
    CardTransaction,
    DigitalWalletTokenTransition,
    FeeCreated,
    IdentityVerificationRequest,
    KybInformationRequested,
    KycInformationRequest,
    KycInformationRequested,
    KycUpdate,
    OrderCancelled,
    OrderCompleted,
    OrderCreated,
    PaymentBatchCancelled,
    PaymentBatchCompleted,
    PaymentBatchCreated,
    PaymentBatchOrderCancelled,
    PaymentBatchOrderCreated,
    PaymentBatchProcessing,
    PaymentCreated,
    PaymentReturned,
    PersonCreated,
    RecipientCreated,
    RecipientDeleted,
}

/// An event type that webhooks can subscribe to.
#[derive(Debug, Serialize, Deserialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WebhookEventType {
    /// The id of the event type.
    pub(crate) id: Uuid,
    /// The name of the event type.
    #[schema(max_length = 256)]
    pub(crate) name: String,
    /// Whether webhooks can be created for the event type.
    pub(crate) enabled: bool,
    /// When the event type was created.
    #[schema(format = DateTime)]
    pub(crate) created_at: String,
    /// When the event type was last changed.
    #[schema(format = DateTime)]
    pub(crate) updated_at: String,
}

/// A webhook to create; names its event type by name, by id, or by both where they agree.
#[derive(Debug, Serialize, Deserialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CreateWebhookRequest {
    /// The key that signs the notifications; null means none (E-22).
    #[schema(min_length = 1, max_length = 36)]
    pub(crate) shared_secret: Option<String>,
    /// Whether the webhook gets notifications.
    pub(crate) enabled: bool,
    /// The account whose events are wanted; null or left out means every account (E-24).
    #[schema(min_length = 1, max_length = 36)]
    pub(crate) account_id: Option<String>,
    /// The name of the event type; may be left out where `webhookEventTypeId` is given.
    #[serde(
        default,
        deserialize_with = "non_null",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(nullable = false)]
    #[schemars(with = "WebhookEventTypeName")]
    pub(crate) webhook_event_type_name: Option<WebhookEventTypeName>,
    /// The id of the event type; may be left out where `webhookEventTypeName` is given.
    #[serde(
        default,
        deserialize_with = "non_null",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(nullable = false, max_length = 36, format = "uuid", value_type = Option<String>)]
    #[schemars(with = "Uuid")]
    pub(crate) webhook_event_type_id: Option<Uuid>,
    /// The absolute http or https URL that notifications are posted to (E-20).
    #[schema(
        format = "uri",
        max_length = 512,
        pattern = "^[hH][tT][tT][pP][sS]?://[^/?#]"
    )]
    pub(crate) url: String,
    /// The value of the `Authorization` header of the notifications; null means none (E-23).
    #[schema(
        min_length = 1,
        max_length = 512,
        pattern = r"^[^\x00-\x08\x0A-\x1F\x7F]*$"
    )]
    pub(crate) authorization_header: Option<String>,
}

/// Changes to a webhook; members left out keep their value (E-27).
#[derive(Debug, Serialize, Deserialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::option_option, reason = "absent, null and a value differ")]
pub(crate) struct UpdateWebhookRequest {
    /// Whether the webhook gets notifications; must be sent every time.
    pub(crate) enabled: bool,
    /// The absolute http or https URL that notifications are posted to from now on.
    #[serde(
        default,
        deserialize_with = "non_null",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(
        nullable = false,
        format = "uri",
        max_length = 512,
        pattern = "^[hH][tT][tT][pP][sS]?://[^/?#]"
    )]
    #[schemars(with = "String")]
    pub(crate) url: Option<String>,
    /// The new key that signs the notifications; null takes it away.
    #[serde(
        default,
        deserialize_with = "three_state",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Option<String>, required = false, min_length = 1, max_length = 36)]
    #[schemars(with = "Option<String>")]
    pub(crate) shared_secret: Option<Option<String>>,
    /// The new value of the `Authorization` header of the notifications; null takes it away.
    #[serde(
        default,
        deserialize_with = "three_state",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Option<String>, required = false, min_length = 1, max_length = 512,
        pattern = r"^[^\x00-\x08\x0A-\x1F\x7F]*$")]
    #[schemars(with = "Option<String>")]
    pub(crate) authorization_header: Option<Option<String>>,
}

/// A webhook, with all 11 members in the order of the tutorial's reads (E-31).
#[derive(Debug, Serialize, Deserialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Webhook {
    /// The id of the webhook.
    #[schema(format = "uuid")]
    id: String,
    /// The product that the API key belongs to.
    #[schema(format = "uuid", max_length = 36)]
    product_id: String,
    /// The account whose events the webhook gets, or null for every account.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(required = true)]
    #[schemars(required, with = "Nullable")]
    account_id: Option<String>,
    /// The id of the event type.
    webhook_event_type_id: Uuid,
    /// The URL that notifications are posted to.
    #[schema(max_length = 512)]
    url: String,
    /// Whether the webhook gets notifications.
    enabled: bool,
    /// The value of the `Authorization` header of the notifications, or null where there is none.
    #[schema(max_length = 512)]
    authorization_header: Option<String>,
    /// The key that signs the notifications, in clear, or null where there is none.
    #[schema(max_length = 36)]
    shared_secret: Option<String>,
    /// When the webhook was created.
    #[schema(format = DateTime)]
    created_at: String,
    /// When the webhook was last changed.
    #[schema(format = DateTime)]
    updated_at: String,
    /// The name of the event type.
    #[schema(max_length = 256)]
    webhook_event_type_name: String,
}

/// A webhook as the answer to its creation shows it: in this order and without unset optional members (E-30).
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CreatedWebhook {
    id: String,
    enabled: bool,
    account_id: Option<String>,
    url: String,
    product_id: String,
    webhook_event_type_id: Uuid,
    updated_at: String,
    created_at: String,
    webhook_event_type_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    authorization_header: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    shared_secret: Option<String>,
}

/// One page of webhooks (E-35).
#[derive(Debug, Serialize, Deserialize, ToSchema, JsonSchema)]
pub(crate) struct WebhookList {
    /// The number of all webhooks that match, on whatever page.
    #[schema(minimum = 0)]
    pub(crate) count: u64,
    /// The largest number of webhooks on this page, as asked for.
    #[schema(minimum = 1, maximum = 1000, default = 100)]
    pub(crate) limit: u32,
    /// The number of webhooks skipped before this page, as asked for.
    #[schema(minimum = 0, maximum = 2_147_483_647, default = 0)]
    pub(crate) offset: u64,
    /// The webhooks of this page, oldest first.
    pub(crate) rows: Vec<Webhook>,
}

/// schemars' form of a required member that may be null.
#[derive(JsonSchema)]
#[schemars(transparent)]
#[expect(dead_code, reason = "read by schemars only")]
struct Nullable(Option<String>);

/// The account to work with (E-6).
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(
    dead_code,
    reason = "read by utoipa only: the handlers read the query with every fault of it"
)]
pub(super) struct AccountQuery {
    /// The account to work with, which a user-level key has to send. The list then holds only webhooks of this account or of every
    /// account; an operation on a webhook of another account answers 404; event types ignore it.
    #[param(rename = "accountId", nullable = false, required = false)]
    account_id: Option<String>,
}

/// Which webhooks to list (E-35, E-37).
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(
    dead_code,
    reason = "read by utoipa only: the handlers read the query with every fault of it"
)]
pub(super) struct ListQuery {
    /// The largest number of webhooks to give.
    #[param(
        nullable = false,
        required = false,
        minimum = 1,
        maximum = 1000,
        default = 100
    )]
    limit: Option<u64>,
    /// The number of webhooks to skip before the first one given.
    #[param(
        nullable = false,
        required = false,
        minimum = 0,
        maximum = 2_147_483_647,
        default = 0
    )]
    offset: Option<u64>,
    /// Gives only webhooks of the event type with this id.
    #[param(rename = "webhookEventTypeId", nullable = false, required = false)]
    webhook_event_type_id: Option<Uuid>,
    /// Gives only webhooks that are enabled, or only those that are not.
    #[param(nullable = false, required = false, inline)]
    enabled: Option<EnabledFilter>,
    /// Gives only webhooks of the event type with this name.
    #[param(rename = "webhookEventTypeName", nullable = false, required = false)]
    webhook_event_type_name: Option<String>,
}

/// The two words of the filter.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "read by utoipa only")]
pub(super) enum EnabledFilter {
    True,
    False,
}

impl WebhookEventTypeName {
    /// The name as it is written.
    pub(crate) fn as_str(self) -> String {
        match serde_json::to_value(self) {
            Ok(serde_json::Value::String(name)) => name,
            other => unreachable!("a name is written as a string, not {other:?}"),
        }
    }
}

impl FromStr for WebhookEventTypeName {
    type Err = ValueError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::deserialize(name.into_deserializer())
    }
}

/// A webhook with its event type, ready to be shown.
struct Shown {
    webhook: domain::Webhook,
    event_type: &'static catalogue::Entry,
}

impl TryFrom<domain::Webhook> for Shown {
    type Error = StoreError;

    fn try_from(webhook: domain::Webhook) -> Result<Self, StoreError> {
        let name = webhook
            .event_types
            .first()
            .map(String::as_str)
            .unwrap_or_default();
        let event_type = catalogue::by_name(name).ok_or_else(|| {
            StoreError::Damaged(format!(
                "webhook {} has no event type of the catalogue",
                webhook.id
            ))
        })?;
        Ok(Self {
            webhook,
            event_type,
        })
    }
}

impl Webhook {
    /// A webhook as GET and the list show it: both times cut down to the second (E-32).
    pub(super) fn read(webhook: domain::Webhook) -> Result<Self, StoreError> {
        let updated_at = to_the_second(webhook.updated_at);
        Self::new(webhook, updated_at)
    }

    /// A webhook as the answer to its change shows it: the time of the change has milliseconds (E-33).
    pub(super) fn changed(webhook: domain::Webhook) -> Result<Self, StoreError> {
        let updated_at = to_the_millisecond(webhook.updated_at);
        Self::new(webhook, updated_at)
    }

    fn new(webhook: domain::Webhook, updated_at: String) -> Result<Self, StoreError> {
        let Shown {
            webhook,
            event_type,
        } = webhook.try_into()?;
        Ok(Self {
            id: webhook.id,
            product_id: webhook.owner,
            account_id: webhook.account_id,
            webhook_event_type_id: event_type.id,
            url: webhook.url.as_str().to_owned(),
            enabled: webhook.enabled,
            authorization_header: webhook
                .authorization
                .map(|header| header.expose().to_owned()),
            shared_secret: webhook
                .signing_secret
                .map(|secret| secret.expose().to_owned()),
            created_at: to_the_second(webhook.created_at),
            updated_at,
            webhook_event_type_name: event_type.name.as_str(),
        })
    }
}

impl TryFrom<domain::Webhook> for CreatedWebhook {
    type Error = StoreError;

    fn try_from(webhook: domain::Webhook) -> Result<Self, StoreError> {
        let Shown {
            webhook,
            event_type,
        } = webhook.try_into()?;
        Ok(Self {
            id: webhook.id,
            enabled: webhook.enabled,
            account_id: webhook.account_id,
            url: webhook.url.as_str().to_owned(),
            product_id: webhook.owner,
            webhook_event_type_id: event_type.id,
            updated_at: to_the_millisecond(webhook.updated_at),
            created_at: to_the_millisecond(webhook.created_at),
            webhook_event_type_name: event_type.name.as_str(),
            authorization_header: webhook
                .authorization
                .map(|header| header.expose().to_owned()),
            shared_secret: webhook
                .signing_secret
                .map(|secret| secret.expose().to_owned()),
        })
    }
}

fn to_the_millisecond(time: Timestamp) -> String {
    format!("{time:.3}")
}

/// Cut down, never rounded up (E-34).
fn to_the_second(time: Timestamp) -> String {
    to_the_millisecond(Timestamp::from_second(time.as_second()).unwrap_or(time))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_cut_down_and_never_rounded_up() {
        // E-34; tutorial, steps 3 and 5.
        let time: Timestamp = "2024-01-09T10:33:33.0959999Z".parse().unwrap();
        assert_eq!(to_the_millisecond(time), "2024-01-09T10:33:33.095Z");
        assert_eq!(to_the_second(time), "2024-01-09T10:33:33.000Z");
        let time: Timestamp = "2024-01-09T10:33:33.9999999Z".parse().unwrap();
        assert_eq!(to_the_second(time), "2024-01-09T10:33:33.000Z");
    }
}
