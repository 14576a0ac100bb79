//! Inbound: the JSON of requests and answers, as the source page and the page "Get webhook" document them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::domain::Webhook as DomainWebhook;
use crate::http::presence::non_null;

/// A kind of event, named after the resource and what happened to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub(crate) enum WebhookEvent {
    #[serde(rename = "counterparty.active")]
    CounterpartyActive,
    #[serde(rename = "counterparty.compliance_rejected")]
    CounterpartyComplianceRejected,
    #[serde(rename = "counterparty.deleted")]
    CounterpartyDeleted,
    #[serde(rename = "counterparty.in_compliance_review")]
    CounterpartyInComplianceReview,
    #[serde(rename = "customer.active")]
    CustomerActive,
    #[serde(rename = "customer.in_compliance_review")]
    CustomerInComplianceReview,
    #[serde(rename = "customer.compliance_rejected")]
    CustomerComplianceRejected,
    #[serde(rename = "customer.created")]
    CustomerCreated,
    #[serde(rename = "customer.kyb_in_progress")]
    CustomerKybInProgress,
    #[serde(rename = "customer.kyb_expired")]
    CustomerKybExpired,
    #[serde(rename = "customer.kyb_missing_information")]
    CustomerKybMissingInformation,
    #[serde(rename = "customer.account_onboarding_pending")]
    CustomerAccountOnboardingPending,
    #[serde(rename = "transaction.initializing")]
    TransactionInitializing,
    #[serde(rename = "transaction.created")]
    TransactionCreated,
    #[serde(rename = "transaction.compliance_approved")]
    TransactionComplianceApproved,
    #[serde(rename = "transaction.compliance_rejected")]
    TransactionComplianceRejected,
    #[serde(rename = "transaction.completed")]
    TransactionCompleted,
    #[serde(rename = "transaction.awaiting_funds")]
    TransactionAwaitingFunds,
    #[serde(rename = "transaction.funds_received")]
    TransactionFundsReceived,
    #[serde(rename = "transaction.cancelled")]
    TransactionCancelled,
    #[serde(rename = "transaction.in_compliance_review")]
    TransactionInComplianceReview,
    #[serde(rename = "transaction.awaiting_compliance_review")]
    TransactionAwaitingComplianceReview,
    #[serde(rename = "transaction.processing_withdrawal")]
    TransactionProcessingWithdrawal,
    #[serde(rename = "transaction.withdrawal_processed")]
    TransactionWithdrawalProcessed,
    #[serde(rename = "transaction.processing_settlement")]
    TransactionProcessingSettlement,
    #[serde(rename = "transaction.settlement_processed")]
    TransactionSettlementProcessed,
    #[serde(rename = "transaction.processing_payment")]
    TransactionProcessingPayment,
    #[serde(rename = "transaction.payment_processed")]
    TransactionPaymentProcessed,
}

/// Whether the webhook gets new deliveries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum WebhookStatus {
    Enabled,
    Disabled,
}

/// A webhook to create.
#[derive(Debug, Serialize, Deserialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CreateWebhookRequest {
    /// Where deliveries go, an absolute https URL, or http on a server in sandbox mode.
    #[schema(
        format = "uri",
        max_length = 2048,
        pattern = "^[hH][tT][tT][pP][sS]?://[^/?#]"
    )]
    pub(crate) url: String,
    /// The event types to deliver, where a repeated one counts once.
    #[schema(min_items = 1)]
    pub(crate) events: Vec<WebhookEvent>,
    /// Whether the webhook gets new deliveries.
    pub(crate) status: WebhookStatus,
    /// A valid Client ID
    #[serde(
        default,
        deserialize_with = "non_null",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(
        nullable = false,
        pattern = "^client_[a-zA-Z0-9]{27}$",
        examples("client_2ofTA13AD0xBtbEvBl20aEb1hEu")
    )]
    #[schemars(with = "String")]
    pub(crate) organization_id: Option<String>,
}

/// The members of a webhook to change.
#[derive(Debug, Serialize, Deserialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PatchWebhookRequest {
    /// Where deliveries go from now on, under the same rules as on creation.
    #[serde(
        default,
        deserialize_with = "non_null",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(
        nullable = false,
        format = "uri",
        max_length = 2048,
        pattern = "^[hH][tT][tT][pP][sS]?://[^/?#]"
    )]
    #[schemars(with = "String")]
    pub(crate) url: Option<String>,
    /// The event types that replace the present ones, where a repeated one counts once.
    #[serde(
        default,
        deserialize_with = "non_null",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(nullable = false, min_items = 1)]
    #[schemars(with = "Vec<WebhookEvent>")]
    pub(crate) events: Option<Vec<WebhookEvent>>,
    /// Whether the webhook gets new deliveries from now on.
    #[serde(
        default,
        deserialize_with = "non_null",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(nullable = false)]
    #[schemars(with = "WebhookStatus")]
    pub(crate) status: Option<WebhookStatus>,
}

/// A webhook, without its secret.
#[derive(Debug, Serialize, Deserialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Webhook {
    /// A valid Webhook ID
    #[schema(
        pattern = "^whk_[a-zA-Z0-9]{27}$",
        examples("whk_2ofTA13AD0xBtbEvBl20aEb1hEu")
    )]
    id: String,
    /// Where deliveries go.
    #[schema(format = "uri")]
    url: String,
    /// Whether the webhook gets new deliveries.
    status: WebhookStatus,
    /// A valid Client ID
    #[serde(
        default,
        deserialize_with = "non_null",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(
        nullable = false,
        pattern = "^client_[a-zA-Z0-9]{27}$",
        examples("client_2ofTA13AD0xBtbEvBl20aEb1hEu")
    )]
    #[schemars(with = "String")]
    organization_id: Option<String>,
    /// The event types that are delivered.
    #[schema(min_items = 1, value_type = Vec<WebhookEvent>)]
    #[schemars(with = "Vec<WebhookEvent>")]
    events: Vec<String>,
}

/// A webhook with its secret.
#[derive(Debug, Serialize, Deserialize, ToSchema, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RetrievedWebhook {
    /// Where deliveries go.
    #[schema(format = "uri")]
    url: String,
    /// The event types that are delivered.
    #[schema(min_items = 1, value_type = Vec<WebhookEvent>)]
    #[schemars(with = "Vec<WebhookEvent>")]
    events: Vec<String>,
    /// Whether the webhook gets new deliveries.
    status: WebhookStatus,
    /// A valid Webhook ID
    #[schema(
        pattern = "^whk_[a-zA-Z0-9]{27}$",
        examples("whk_2ofTA13AD0xBtbEvBl20aEb1hEu")
    )]
    id: String,
    /// A valid Client ID
    #[serde(
        default,
        deserialize_with = "non_null",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(
        nullable = false,
        pattern = "^client_[a-zA-Z0-9]{27}$",
        examples("client_2ofTA13AD0xBtbEvBl20aEb1hEu")
    )]
    #[schemars(with = "String")]
    organization_id: Option<String>,
    /// The text whose UTF-8 bytes are the key of this webhook's signatures.
    #[serde(
        default,
        deserialize_with = "non_null",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(nullable = false)]
    #[schemars(with = "String")]
    secret: Option<String>,
}

/// A page of webhooks.
#[derive(Debug, Serialize, Deserialize, ToSchema, JsonSchema)]
pub(crate) struct WebhookList {
    /// The webhooks of this page, the oldest first.
    pub(crate) data: Vec<Webhook>,
    /// How to go on.
    pub(crate) pagination: Pagination,
}

/// Where the next page begins.
#[derive(Debug, Serialize, Deserialize, ToSchema, JsonSchema)]
pub(crate) struct Pagination {
    /// The `page[after]` of the next page, or null on the last one.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(required = true)]
    #[schemars(required, with = "Nullable")]
    pub(crate) next: Option<String>,
}

/// schemars' form of a required member that may be null.
#[derive(JsonSchema)]
#[schemars(transparent)]
#[expect(dead_code, reason = "read by schemars only")]
struct Nullable(Option<String>);

/// The header that the provider's guides send.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(
    dead_code,
    reason = "read by utoipa only: any value is accepted and ignored (C-4)"
)]
pub(super) struct ApiVersion {
    /// The version of the API, which some of the provider's guides send; any value is accepted and ignored.
    #[param(
        rename = "Api-Version",
        nullable = false,
        required = false,
        example = "2024-12-01"
    )]
    api_version: Option<String>,
}

/// Which page of a list (C-13).
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(
    dead_code,
    reason = "read by utoipa only: the handler reads the query with every fault of it"
)]
pub(super) struct PageQuery {
    /// The number of items to return per page.
    #[param(
        rename = "page[size]",
        nullable = false,
        required = false,
        minimum = 1,
        maximum = 100,
        default = 20
    )]
    size: Option<u64>,
    /// The cursor to start the page after.
    #[param(rename = "page[after]", nullable = false, required = false)]
    after: Option<String>,
}

impl From<DomainWebhook> for Webhook {
    fn from(webhook: DomainWebhook) -> Self {
        Self {
            id: webhook.id,
            url: webhook.url.as_str().to_owned(),
            status: webhook.enabled.into(),
            organization_id: Some(webhook.owner),
            events: webhook.event_types,
        }
    }
}

impl From<DomainWebhook> for RetrievedWebhook {
    fn from(webhook: DomainWebhook) -> Self {
        Self {
            url: webhook.url.as_str().to_owned(),
            events: webhook.event_types,
            status: webhook.enabled.into(),
            id: webhook.id,
            organization_id: Some(webhook.owner),
            secret: webhook
                .signing_secret
                .map(|secret| secret.expose().to_owned()),
        }
    }
}

impl From<bool> for WebhookStatus {
    fn from(enabled: bool) -> Self {
        if enabled {
            Self::Enabled
        } else {
            Self::Disabled
        }
    }
}
