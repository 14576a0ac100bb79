//! Outbound: the JSON of the notifications we send, as far as the provider documents it. Only what every payload has is sure to be
//! there (E-61).
//!
//! The types are for the emitted document and its samples. What is sent is composed of the bytes that were published.

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::Event;

/// The members that the server adds behind those that were published.
pub(super) const ADDED: [&str; 2] = ["messageId", "webhookEventTypeName"];

/// The body that tells of `event`, the same bytes on every attempt (E-50, E-61, E-63).
///
/// The published members go in as they are, token by token: reading and writing them again would change `1.10` and 2^53+1.
///
/// # Panics
/// When the event's data is no JSON object: only objects are published.
pub(super) fn compose(event: &Event, message_id: Uuid) -> Vec<u8> {
    let members = event
        .data
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'))
        .expect("the data of an event is a compact JSON object");
    let comma = if members.is_empty() { "" } else { "," };
    let event_type = &event.event_type;
    format!(
        r#"{{"body":{{{members}{comma}"messageId":"{message_id}","webhookEventTypeName":"{event_type}"}}}}"#
    )
    .into_bytes()
}

/// The wrapper that every notification has (E-50).
#[derive(Debug, Serialize)]
pub(super) struct Body<T> {
    pub(super) body: T,
}

/// The wrapper that every notification has.
#[derive(ToSchema)]
#[schema(as = Notification)]
#[expect(
    dead_code,
    reason = "read by utoipa only: samples need the payload's type"
)]
pub(super) struct Wrapper {
    /// The payload of the event.
    body: NotificationPayload,
}

/// What every payload has; the other members depend on the event type and are mostly not documented.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct NotificationPayload {
    /// The id of this message, the same for every retry (E-51).
    #[schema(format = "uuid", min_length = 36, max_length = 36)]
    pub(super) message_id: String,
    /// The name of the event type.
    #[schema(max_length = 256)]
    pub(super) webhook_event_type_name: String,
}

/// An account that has been created.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct AccountCreatedPayload {
    /// The id of the new account.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(super) account_id: Option<String>,
    /// Ties the event to the onboarding request that led to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(super) correlation_id: Option<String>,
    /// The earlier name of `correlationId`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, deprecated)]
    pub(super) customer_id: Option<String>,
    /// When the event happened, with milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, format = DateTime)]
    pub(super) event_time: Option<String>,
    /// The status of the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(super) status: Option<ApplicationStatus>,
    /// The type of the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(super) r#type: Option<AccountType>,
    /// What every payload has.
    #[serde(flatten)]
    pub(super) common: NotificationPayload,
}

/// An account that has been activated.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct AccountActivatedPayload {
    /// Ties the event to the onboarding request that led to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(super) correlation_id: Option<String>,
    /// When the account was created, without milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, format = DateTime)]
    pub(super) created_at: Option<String>,
    /// Facts about the holder of the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(super) details: Option<AccountDetails>,
    /// The id of the account; the member is not called `accountId` here.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(super) id: Option<String>,
    /// The id of the market of the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 36)]
    pub(super) market_id: Option<String>,
    /// The id of the persona that owns the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 36)]
    pub(super) primary_owner_persona_id: Option<String>,
    /// The id of the product of the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 36)]
    pub(super) product_id: Option<String>,
    /// The status of the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(super) status: Option<AccountStatus>,
    /// The type of the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(super) r#type: Option<AccountType>,
    /// Bank details for paying into the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = Option<Vec<std::collections::HashMap<String, serde_json::Value>>>)]
    pub(super) settlement_details: Option<Vec<serde_json::Value>>,
    /// When the account was last changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(super) updated_at: Option<String>,
    /// What every payload has.
    #[serde(flatten)]
    pub(super) common: NotificationPayload,
}

/// Facts about the holder of an account.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct AccountDetails {
    /// The country where the holder is registered.
    #[schema(nullable = false)]
    pub(super) country_of_registration: Option<String>,
    /// A further line that goes with the name; what it is for is not documented.
    #[schema(nullable = false)]
    pub(super) fourth_line: Option<String>,
    /// The name of the account.
    #[schema(nullable = false)]
    pub(super) name: Option<String>,
    /// The time zone of the account.
    #[schema(nullable = false)]
    pub(super) timezone: Option<String>,
}

/// A person who has to verify their identity.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct IdentityVerificationRequestPayload {
    /// The id of the onboarding application, the same in all its events.
    #[schema(nullable = false)]
    pub(super) application_id: Option<String>,
    /// The id of the person within the application; null for personal applications.
    pub(super) associated_person_id: Option<String>,
    /// The name of the person.
    #[schema(nullable = false)]
    pub(super) name: Option<String>,
    /// The e-mail address of the person.
    #[schema(nullable = false)]
    pub(super) email: Option<String>,
    /// The URL where the person verifies their identity.
    #[schema(nullable = false)]
    pub(super) action_url: Option<String>,
    /// When the event happened.
    #[schema(nullable = false, format = DateTime)]
    pub(super) event_time: Option<String>,
    /// What every payload has.
    #[serde(flatten)]
    pub(super) common: NotificationPayload,
}

/// The one status of an account that has been created.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) enum ApplicationStatus {
    ApplicationPending,
}

/// The one status of an account that has been activated.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum AccountStatus {
    Active,
}

/// The types of accounts.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub(super) enum AccountType {
    Business,
    #[expect(dead_code, reason = "documented; no sample has it")]
    Personal,
}
