//! Outbound: the JSON of the events that we send, as far as anybody has seen it. Only `id` and `status` are sure to be there (C-54).
//!
//! The types are for the emitted document only: what is sent is composed in `payload` of the bytes that were published.

#![expect(dead_code, reason = "read by utoipa only")]

use serde::Serialize;
use utoipa::ToSchema;

use super::models::WebhookEvent;

/// The version of the payload's shape (C-48).
#[derive(Serialize, ToSchema)]
pub(super) enum Version {
    #[serde(rename = "1.0")]
    V1,
}

/// An event of a counterparty. `event`, `version` and `data` are sure to be there (C-48).
#[derive(Serialize, ToSchema)]
pub(super) struct CounterpartyNotification {
    /// The type of the event.
    event: WebhookEvent,
    /// The version of the payload's shape.
    version: Version,
    /// When it happened, in UTC with milliseconds (C-49).
    #[schema(required = false, format = DateTime)]
    event_timestamp: String,
    /// The number of the event among those of the client, which grows by one (C-49).
    #[schema(required = false, minimum = 1)]
    event_sequence: u64,
    /// The subject of the event (C-52).
    data: CounterpartyData,
}

/// The subject of an event of a counterparty.
#[derive(Serialize, ToSchema)]
pub(super) struct CounterpartyData {
    /// The counterparty after the event.
    counterparty: Counterparty,
}

/// An event of a customer. `event`, `version` and `data` are sure to be there (C-48).
#[derive(Serialize, ToSchema)]
pub(super) struct CustomerNotification {
    /// The type of the event.
    event: WebhookEvent,
    /// The version of the payload's shape.
    version: Version,
    /// When it happened, in UTC with milliseconds (C-49).
    #[schema(required = false, format = DateTime)]
    event_timestamp: String,
    /// The number of the event among those of the client, which grows by one (C-49).
    #[schema(required = false, minimum = 1)]
    event_sequence: u64,
    /// The subject of the event (C-52).
    data: CustomerData,
}

/// The subject of an event of a customer.
#[derive(Serialize, ToSchema)]
pub(super) struct CustomerData {
    /// The customer after the event.
    customer: Customer,
}

/// An event of a transaction. `event`, `version` and `data` are sure to be there (C-48).
#[derive(Serialize, ToSchema)]
pub(super) struct TransactionNotification {
    /// The type of the event.
    event: WebhookEvent,
    /// The version of the payload's shape.
    version: Version,
    /// When it happened, in UTC with milliseconds (C-49).
    #[schema(required = false, format = DateTime)]
    event_timestamp: String,
    /// The number of the event among those of the client, which grows by one (C-49).
    #[schema(required = false, minimum = 1)]
    event_sequence: u64,
    /// The subject of the event (C-52).
    data: TransactionData,
}

/// The subject of an event of a transaction.
#[derive(Serialize, ToSchema)]
pub(super) struct TransactionData {
    /// The transaction after the event.
    transaction: Transaction,
}

/// A party that a customer pays or is paid by.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Counterparty {
    /// A valid Counterparty ID
    #[schema(pattern = "^cp_[a-zA-Z0-9]{27}$")]
    id: String,
    /// Whether it is a business or a person.
    #[schema(required = false)]
    r#type: CounterpartyType,
    /// The name of a business.
    #[schema(required = false)]
    business_name: String,
    /// The website of a business.
    #[schema(required = false)]
    website: String,
    /// The address of the counterparty.
    #[schema(required = false)]
    address: Address,
    /// The ways to pay the counterparty.
    #[schema(required = false, value_type = Vec<Object>)]
    payment_methods: Vec<serde_json::Value>,
    /// The documents about the counterparty.
    #[schema(required = false, value_type = Vec<Object>)]
    documents: Vec<serde_json::Value>,
    /// The state of the counterparty, which is also the second part of the event's name.
    status: CounterpartyStatus,
    /// When the counterparty was created.
    #[schema(required = false, format = DateTime)]
    created_at: String,
    /// When the counterparty was last changed.
    #[schema(required = false, format = DateTime)]
    updated_at: String,
    /// A valid Client ID
    #[schema(required = false, pattern = "^client_[a-zA-Z0-9]{27}$")]
    client_id: String,
}

/// Whether a counterparty is a business or a person.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum CounterpartyType {
    Business,
    Individual,
}

/// The states of a counterparty (page "Get counterparty").
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum CounterpartyStatus {
    Active,
    ComplianceRejected,
    InComplianceReview,
    Deleted,
}

/// A postal address.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Address {
    /// The street and number.
    #[schema(required = false)]
    street_line1: String,
    /// The rest of the street address.
    #[schema(required = false)]
    street_line2: String,
    /// The town or city.
    #[schema(required = false)]
    city: String,
    /// The state or region.
    #[schema(required = false)]
    state: String,
    /// The postal code.
    #[schema(required = false)]
    postal_code: String,
    /// The country, by its code of three letters.
    #[schema(required = false)]
    country: String,
}

/// A customer of the client.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Customer {
    /// A valid Customer ID
    #[schema(pattern = "^cus_[a-zA-Z0-9]{27}$")]
    id: String,
    /// The kind of customer, such as business.
    #[schema(required = false)]
    r#type: String,
    /// The registered name of a business.
    #[schema(required = false)]
    business_legal_name: String,
    /// The name a business trades under.
    #[schema(required = false)]
    business_trade_name: String,
    /// The industry of a business.
    #[schema(required = false)]
    industry: String,
    /// The e-mail address of the customer.
    #[schema(required = false)]
    email: String,
    /// The telephone number of the customer.
    #[schema(required = false)]
    phone: String,
    /// The website of the customer.
    #[schema(required = false)]
    website: String,
    /// The state of the customer, which is also the second part of the event's name.
    status: CustomerStatus,
    /// The organization that the customer belongs to: here a client id, as everywhere else.
    #[schema(required = false)]
    organization_id: String,
    /// When the customer was created.
    #[schema(required = false, format = DateTime)]
    created_at: String,
    /// When the customer was last changed.
    #[schema(required = false, format = DateTime)]
    updated_at: String,
    /// When the customer was deleted, or null.
    #[schema(format = DateTime)]
    deleted_at: Option<String>,
}

/// The states of a customer (page "Get customer"). There is no event for the last one.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum CustomerStatus {
    Active,
    InComplianceReview,
    ComplianceRejected,
    Created,
    KybInProgress,
    KybExpired,
    KybMissingInformation,
    AccountOnboardingPending,
    FailedToCreate,
}

/// A movement of money.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Transaction {
    /// The kind of transaction.
    #[schema(required = false)]
    r#type: TransactionType,
    /// The transaction, `trxn_` and 27 letters or digits in every sample of the provider.
    id: String,
    /// The state of the transaction, the second part of the event's name in upper case.
    status: TransactionStatus,
    /// The quote that the transaction carries out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    quote: Option<String>,
    /// Where the money comes from.
    #[schema(required = false)]
    source: TransactionParty,
    /// Where the money goes.
    #[schema(required = false)]
    destination: TransactionParty,
    /// The purpose of the payment, or null.
    purpose: Option<String>,
    /// The client's own reference, or null.
    reference: Option<String>,
    /// When the transaction was created.
    #[schema(required = false, format = DateTime)]
    created_at: String,
    /// When the transaction was completed, or null.
    #[schema(format = DateTime)]
    completed_at: Option<String>,
    /// A valid Client ID
    #[schema(required = false, pattern = "^client_[a-zA-Z0-9]{27}$")]
    client_id: String,
}

/// The kinds of transactions.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum TransactionType {
    Deposit,
    Withdrawal,
    Offramp,
    Onramp,
    Conversion,
    Transfer,
}

/// The states of a transaction, in upper case in payloads (C-51).
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum TransactionStatus {
    Initializing,
    Created,
    InComplianceReview,
    AwaitingComplianceReview,
    ComplianceApproved,
    ComplianceRejected,
    AwaitingFunds,
    FundsReceived,
    ProcessingWithdrawal,
    WithdrawalProcessed,
    ProcessingSettlement,
    SettlementProcessed,
    ProcessingPayment,
    PaymentProcessed,
    Completed,
    Cancelled,
}

/// One end of a transaction, known by an id or by an address.
#[derive(Serialize, ToSchema)]
pub(super) struct TransactionParty {
    /// The account, bank account or wallet.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    id: Option<String>,
    /// The address on a blockchain.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    address: Option<String>,
    /// How much leaves or arrives here.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    amount: Option<Amount>,
    /// The currency or token.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    asset: Option<String>,
    /// The blockchain.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    network: Option<String>,
}

/// An amount of one currency or token.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Amount {
    /// The currency or token.
    #[schema(required = false)]
    asset_type: String,
    /// How many digits of the amount stand behind the decimal point.
    #[schema(required = false)]
    decimals: i32,
    /// How many such digits the currency or token usually has.
    #[schema(required = false)]
    standard_decimals: i32,
    /// The amount in minor units.
    #[schema(required = false, pattern = "^[0-9]+$")]
    amount: String,
    /// The token on its blockchain.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    asset_type_network: Option<AssetTypeNetwork>,
}

/// A token on a blockchain.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct AssetTypeNetwork {
    /// The token.
    #[schema(required = false)]
    asset_type: String,
    /// The blockchain and its network.
    #[schema(required = false)]
    network_id: String,
}
