//! Outbound: the JSON of the notifications that we send, as far as the provider documents it. Only what every payload has is sure to be
//! there (E-61).
//!
//! The types are for the emitted document only: what is sent is composed in `payload` of the bytes that were published.

#![expect(dead_code, reason = "read by utoipa only")]

use serde::Serialize;
use utoipa::ToSchema;

/// The wrapper that every notification has.
#[derive(ToSchema)]
#[schema(as = Notification)]
pub(super) struct Wrapper {
    /// The payload of the event.
    body: NotificationPayload,
}

/// The members of every payload; others depend on the event type and are mostly not documented.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct NotificationPayload {
    /// The id of this message, the same for every retry (E-51).
    #[schema(format = "uuid", min_length = 36, max_length = 36)]
    message_id: String,
    /// The name of the event type.
    #[schema(max_length = 256)]
    webhook_event_type_name: String,
}

/// An account that has been created.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct AccountCreatedPayload {
    /// The id of the new account.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    account_id: Option<String>,
    /// Ties the event to the onboarding request that led to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    correlation_id: Option<String>,
    /// The earlier name of `correlationId`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, deprecated)]
    customer_id: Option<String>,
    /// When the event happened, with milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, format = DateTime)]
    event_time: Option<String>,
    /// The status of the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    status: Option<ApplicationStatus>,
    /// The type of the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    r#type: Option<AccountType>,
    /// The members of every payload.
    #[serde(flatten)]
    common: NotificationPayload,
}

/// An account that has been activated.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct AccountActivatedPayload {
    /// Ties the event to the onboarding request that led to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    correlation_id: Option<String>,
    /// When the account was created, without milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, format = DateTime)]
    created_at: Option<String>,
    /// Facts about the holder of the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    details: Option<AccountDetails>,
    /// The id of the account; the member is not called `accountId` here.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    id: Option<String>,
    /// The id of the market of the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 36)]
    market_id: Option<String>,
    /// The id of the persona that owns the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 36)]
    primary_owner_persona_id: Option<String>,
    /// The id of the product of the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 36)]
    product_id: Option<String>,
    /// The status of the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    status: Option<AccountStatus>,
    /// The type of the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    r#type: Option<AccountType>,
    /// Bank details for paying into the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = Option<Vec<std::collections::HashMap<String, serde_json::Value>>>)]
    settlement_details: Option<Vec<serde_json::Value>>,
    /// When the account was last changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    updated_at: Option<String>,
    /// The members of every payload.
    #[serde(flatten)]
    common: NotificationPayload,
}

/// Facts about the holder of an account.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct AccountDetails {
    /// The country where the holder is registered.
    #[schema(nullable = false)]
    country_of_registration: Option<String>,
    /// A further line that goes with the name; what it is for is not documented.
    #[schema(nullable = false)]
    fourth_line: Option<String>,
    /// The name of the account.
    #[schema(nullable = false)]
    name: Option<String>,
    /// The time zone of the account.
    #[schema(nullable = false)]
    timezone: Option<String>,
}

/// A person who has to verify their identity.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct IdentityVerificationRequestPayload {
    /// The id of the onboarding application, the same in all its events.
    #[schema(nullable = false)]
    application_id: Option<String>,
    /// The id of the person within the application; null for personal applications.
    associated_person_id: Option<String>,
    /// The name of the person.
    #[schema(nullable = false)]
    name: Option<String>,
    /// The e-mail address of the person.
    #[schema(nullable = false)]
    email: Option<String>,
    /// The URL where the person verifies their identity.
    #[schema(nullable = false)]
    action_url: Option<String>,
    /// When the event happened.
    #[schema(nullable = false, format = DateTime)]
    event_time: Option<String>,
    /// The members of every payload.
    #[serde(flatten)]
    common: NotificationPayload,
}

/// The one status of an account that has been created.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) enum ApplicationStatus {
    ApplicationPending,
}

/// The one status of an account that has been activated.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum AccountStatus {
    Active,
}

/// The types of accounts.
#[derive(Serialize, ToSchema)]
pub(super) enum AccountType {
    Business,
    Personal,
}
