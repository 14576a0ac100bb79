//! Outbound: the JSON of the events we send, as far as anybody has seen it. Only `id` and `status` are sure to be there (C-54).
//!
//! The types are for the emitted document and its samples. What is sent is composed of the bytes that were published.

use serde::Serialize;
use utoipa::ToSchema;

use super::models::WebhookEvent;
use crate::domain::Event;

/// The body that tells of `event`, the same bytes on every attempt and for every webhook (C-48 to C-50).
///
/// `data` goes in as it was published, token by token: reading and writing it again would change `1.10` and 2^53+1.
pub(super) fn compose(event: &Event) -> Vec<u8> {
    let Event {
        event_type,
        data,
        sequence,
        created_at,
        ..
    } = event;
    format!(
        r#"{{"event":"{event_type}","version":"1.0","event_timestamp":"{created_at:.3}","event_sequence":{sequence},"data":{data}}}"#
    )
    .into_bytes()
}

/// The version of the payload's shape (C-48).
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub(crate) enum Version {
    #[serde(rename = "1.0")]
    V1,
}

/// An event of a counterparty. `event`, `version` and `data` are sure to be there (C-48).
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct CounterpartyNotification {
    /// What happened.
    pub(crate) event: WebhookEvent,
    /// The version of the payload's shape.
    pub(crate) version: Version,
    /// When it happened, in UTC with milliseconds (C-49).
    #[schema(required = false, format = DateTime)]
    pub(crate) event_timestamp: String,
    /// The number of the event among those of the client, which grows by one (C-49).
    #[schema(required = false, minimum = 1)]
    pub(crate) event_sequence: u64,
    /// What it happened to (C-52).
    pub(crate) data: CounterpartyData,
}

/// What an event of a counterparty happened to.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct CounterpartyData {
    /// The counterparty after the event.
    pub(crate) counterparty: Counterparty,
}

/// An event of a customer. `event`, `version` and `data` are sure to be there (C-48).
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct CustomerNotification {
    /// What happened.
    pub(crate) event: WebhookEvent,
    /// The version of the payload's shape.
    pub(crate) version: Version,
    /// When it happened, in UTC with milliseconds (C-49).
    #[schema(required = false, format = DateTime)]
    pub(crate) event_timestamp: String,
    /// The number of the event among those of the client, which grows by one (C-49).
    #[schema(required = false, minimum = 1)]
    pub(crate) event_sequence: u64,
    /// What it happened to (C-52).
    pub(crate) data: CustomerData,
}

/// What an event of a customer happened to.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct CustomerData {
    /// The customer after the event.
    pub(crate) customer: Customer,
}

/// An event of a transaction. `event`, `version` and `data` are sure to be there (C-48).
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct TransactionNotification {
    /// What happened.
    pub(crate) event: WebhookEvent,
    /// The version of the payload's shape.
    pub(crate) version: Version,
    /// When it happened, in UTC with milliseconds (C-49).
    #[schema(required = false, format = DateTime)]
    pub(crate) event_timestamp: String,
    /// The number of the event among those of the client, which grows by one (C-49).
    #[schema(required = false, minimum = 1)]
    pub(crate) event_sequence: u64,
    /// What it happened to (C-52).
    pub(crate) data: TransactionData,
}

/// What an event of a transaction happened to.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct TransactionData {
    /// The transaction after the event.
    pub(crate) transaction: Transaction,
}

/// A party that a customer pays or is paid by.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Counterparty {
    /// A valid Counterparty ID
    #[schema(pattern = "^cp_[a-zA-Z0-9]{27}$")]
    pub(crate) id: String,
    /// Whether it is a business or a person.
    #[schema(required = false)]
    pub(crate) r#type: CounterpartyType,
    /// The name of a business.
    #[schema(required = false)]
    pub(crate) business_name: String,
    /// The website of a business.
    #[schema(required = false)]
    pub(crate) website: String,
    /// The address of the counterparty.
    #[schema(required = false)]
    pub(crate) address: Address,
    /// The ways to pay the counterparty.
    #[schema(required = false, value_type = Vec<Object>)]
    pub(crate) payment_methods: Vec<serde_json::Value>,
    /// The documents about the counterparty.
    #[schema(required = false, value_type = Vec<Object>)]
    pub(crate) documents: Vec<serde_json::Value>,
    /// The state of the counterparty, which is also the second part of the event's name.
    pub(crate) status: CounterpartyStatus,
    /// When the counterparty was created.
    #[schema(required = false, format = DateTime)]
    pub(crate) created_at: String,
    /// When the counterparty was last changed.
    #[schema(required = false, format = DateTime)]
    pub(crate) updated_at: String,
    /// A valid Client ID
    #[schema(required = false, pattern = "^client_[a-zA-Z0-9]{27}$")]
    pub(crate) client_id: String,
}

/// Whether a counterparty is a business or a person.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum CounterpartyType {
    Business,
    #[expect(dead_code, reason = "documented; no sample has it")]
    Individual,
}

/// The states of a counterparty (page "Get counterparty").
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CounterpartyStatus {
    Active,
    ComplianceRejected,
    InComplianceReview,
    Deleted,
}

/// A postal address.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Address {
    /// The street and number.
    #[schema(required = false)]
    pub(crate) street_line1: String,
    /// The rest of the street address.
    #[schema(required = false)]
    pub(crate) street_line2: String,
    /// The town or city.
    #[schema(required = false)]
    pub(crate) city: String,
    /// The state or region.
    #[schema(required = false)]
    pub(crate) state: String,
    /// The postal code.
    #[schema(required = false)]
    pub(crate) postal_code: String,
    /// The country, by its code of three letters.
    #[schema(required = false)]
    pub(crate) country: String,
}

/// A customer of the client.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Customer {
    /// A valid Customer ID
    #[schema(pattern = "^cus_[a-zA-Z0-9]{27}$")]
    pub(crate) id: String,
    /// The kind of customer, such as business.
    #[schema(required = false)]
    pub(crate) r#type: String,
    /// The registered name of a business.
    #[schema(required = false)]
    pub(crate) business_legal_name: String,
    /// The name a business trades under.
    #[schema(required = false)]
    pub(crate) business_trade_name: String,
    /// What a business does.
    #[schema(required = false)]
    pub(crate) industry: String,
    /// The e-mail address of the customer.
    #[schema(required = false)]
    pub(crate) email: String,
    /// The telephone number of the customer.
    #[schema(required = false)]
    pub(crate) phone: String,
    /// The website of the customer.
    #[schema(required = false)]
    pub(crate) website: String,
    /// The state of the customer, which is also the second part of the event's name.
    pub(crate) status: CustomerStatus,
    /// The organization that the customer belongs to: here a client id, as everywhere else.
    #[schema(required = false)]
    pub(crate) organization_id: String,
    /// When the customer was created.
    #[schema(required = false, format = DateTime)]
    pub(crate) created_at: String,
    /// When the customer was last changed.
    #[schema(required = false, format = DateTime)]
    pub(crate) updated_at: String,
    /// When the customer was deleted, or null.
    #[schema(format = DateTime)]
    pub(crate) deleted_at: Option<String>,
}

/// The states of a customer (page "Get customer"). There is no event for the last one.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CustomerStatus {
    Active,
    InComplianceReview,
    ComplianceRejected,
    Created,
    KybInProgress,
    KybExpired,
    KybMissingInformation,
    AccountOnboardingPending,
    #[expect(dead_code, reason = "documented, without an event")]
    FailedToCreate,
}

/// A movement of money.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Transaction {
    /// The kind of transaction.
    #[schema(required = false)]
    pub(crate) r#type: TransactionType,
    /// The transaction, `trxn_` and 27 letters or digits in every sample of the provider.
    pub(crate) id: String,
    /// The state of the transaction, the second part of the event's name in upper case.
    pub(crate) status: TransactionStatus,
    /// The quote that the transaction carries out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) quote: Option<String>,
    /// Where the money comes from.
    #[schema(required = false)]
    pub(crate) source: TransactionParty,
    /// Where the money goes.
    #[schema(required = false)]
    pub(crate) destination: TransactionParty,
    /// What the money is for, or null.
    pub(crate) purpose: Option<String>,
    /// The client's own reference, or null.
    pub(crate) reference: Option<String>,
    /// When the transaction was created.
    #[schema(required = false, format = DateTime)]
    pub(crate) created_at: String,
    /// When the transaction was completed, or null.
    #[schema(format = DateTime)]
    pub(crate) completed_at: Option<String>,
    /// A valid Client ID
    #[schema(required = false, pattern = "^client_[a-zA-Z0-9]{27}$")]
    pub(crate) client_id: String,
}

/// The kinds of transactions.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum TransactionType {
    Deposit,
    Withdrawal,
    #[expect(dead_code, reason = "seen by an integrator; no sample has it")]
    Offramp,
    Onramp,
    #[expect(dead_code, reason = "seen by an integrator; no sample has it")]
    Conversion,
    #[expect(dead_code, reason = "seen by an integrator; no sample has it")]
    Transfer,
}

/// The states of a transaction, in upper case in payloads (C-51).
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum TransactionStatus {
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
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub(crate) struct TransactionParty {
    /// The account, bank account or wallet.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) id: Option<String>,
    /// The address on a blockchain.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) address: Option<String>,
    /// How much leaves or arrives here.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) amount: Option<Amount>,
    /// The currency or token.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) asset: Option<String>,
    /// The blockchain.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) network: Option<String>,
}

/// An amount of one currency or token.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Amount {
    /// The currency or token.
    #[schema(required = false)]
    pub(crate) asset_type: String,
    /// How many digits of the amount stand behind the decimal point.
    #[schema(required = false)]
    pub(crate) decimals: i32,
    /// How many such digits the currency or token usually has.
    #[schema(required = false)]
    pub(crate) standard_decimals: i32,
    /// The amount in minor units.
    #[schema(required = false, pattern = "^[0-9]+$")]
    pub(crate) amount: String,
    /// The token on its blockchain.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) asset_type_network: Option<AssetTypeNetwork>,
}

/// A token on a blockchain.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AssetTypeNetwork {
    /// The token.
    #[schema(required = false)]
    pub(crate) asset_type: String,
    /// The blockchain and its network.
    #[schema(required = false)]
    pub(crate) network_id: String,
}
