//! Outbound: the 28 event types, and a sample of what is sent for each.
//!
//! Source page, "Body": the names and their order. Meanings: page "Webhooks" and, where it is silent, an integrator.

use serde_json::Value;

use super::models::WebhookEvent;
use super::payload::{
    Address, Amount, AssetTypeNetwork, Counterparty, CounterpartyData, CounterpartyNotification,
    CounterpartyStatus, CounterpartyType, Customer, CustomerData, CustomerNotification,
    CustomerStatus, Transaction, TransactionData, TransactionNotification, TransactionParty,
    TransactionStatus, TransactionType, Version,
};

const CLIENT: &str = "client_2ofTA13AD0xBtbEvBl20aEb1hEu";

/// One event type.
pub(super) struct Entry {
    /// Its name.
    pub(super) event: WebhookEvent,
    /// What it happens to, and the state that it leads to (C-51).
    pub(super) resource: Resource,
    /// A few words.
    pub(super) summary: &'static str,
    /// When it happens.
    pub(super) description: &'static str,
    /// Where its sample stands in the life of a sample resource: number of the event and time of the day.
    sequence: u64,
    time: &'static str,
}

/// What an event happens to.
#[derive(Clone, Copy)]
pub(super) enum Resource {
    Counterparty(CounterpartyStatus),
    Customer(CustomerStatus),
    Transaction(TransactionStatus),
}

/// Every event type, in the order of the source page.
pub(super) const CATALOGUE: [Entry; 28] = [
    Entry {
        event: WebhookEvent::CounterpartyActive,
        resource: Resource::Counterparty(CounterpartyStatus::Active),
        summary: "Counterparty active",
        description: "The counterparty became active.",
        sequence: 2,
        time: "15:00:20",
    },
    Entry {
        event: WebhookEvent::CounterpartyComplianceRejected,
        resource: Resource::Counterparty(CounterpartyStatus::ComplianceRejected),
        summary: "Counterparty rejected",
        description: "The counterparty failed its compliance review.",
        sequence: 3,
        time: "15:00:40",
    },
    Entry {
        event: WebhookEvent::CounterpartyDeleted,
        resource: Resource::Counterparty(CounterpartyStatus::Deleted),
        summary: "Counterparty deleted",
        description: "The counterparty was deleted.",
        sequence: 4,
        time: "15:01:00",
    },
    Entry {
        event: WebhookEvent::CounterpartyInComplianceReview,
        resource: Resource::Counterparty(CounterpartyStatus::InComplianceReview),
        summary: "Counterparty in review",
        description: "The compliance review of the counterparty began.",
        sequence: 1,
        time: "15:00:00",
    },
    Entry {
        event: WebhookEvent::CustomerActive,
        resource: Resource::Customer(CustomerStatus::Active),
        summary: "Customer active",
        description: "The customer became active.",
        sequence: 8,
        time: "15:02:20",
    },
    Entry {
        event: WebhookEvent::CustomerInComplianceReview,
        resource: Resource::Customer(CustomerStatus::InComplianceReview),
        summary: "Customer in review",
        description: "The compliance review of the customer began.",
        sequence: 5,
        time: "15:01:20",
    },
    Entry {
        event: WebhookEvent::CustomerComplianceRejected,
        resource: Resource::Customer(CustomerStatus::ComplianceRejected),
        summary: "Customer rejected",
        description: "The customer failed its compliance review.",
        sequence: 6,
        time: "15:01:40",
    },
    Entry {
        event: WebhookEvent::CustomerCreated,
        resource: Resource::Customer(CustomerStatus::Created),
        summary: "Customer created",
        description: "The customer was created.",
        sequence: 1,
        time: "15:00:00",
    },
    Entry {
        event: WebhookEvent::CustomerKybInProgress,
        resource: Resource::Customer(CustomerStatus::KybInProgress),
        summary: "KYB in progress",
        description: "The know-your-business check of the customer is in progress.",
        sequence: 2,
        time: "15:00:20",
    },
    Entry {
        event: WebhookEvent::CustomerKybExpired,
        resource: Resource::Customer(CustomerStatus::KybExpired),
        summary: "KYB expired",
        description: "The know-your-business check of the customer expired.",
        sequence: 4,
        time: "15:01:00",
    },
    Entry {
        event: WebhookEvent::CustomerKybMissingInformation,
        resource: Resource::Customer(CustomerStatus::KybMissingInformation),
        summary: "KYB information missing",
        description: "The know-your-business check of the customer needs more information.",
        sequence: 3,
        time: "15:00:40",
    },
    Entry {
        event: WebhookEvent::CustomerAccountOnboardingPending,
        resource: Resource::Customer(CustomerStatus::AccountOnboardingPending),
        summary: "Account onboarding pending",
        description: "The onboarding of the customer's account is pending.",
        sequence: 7,
        time: "15:02:00",
    },
    Entry {
        event: WebhookEvent::TransactionInitializing,
        resource: Resource::Transaction(TransactionStatus::Initializing),
        summary: "Transaction initializing",
        description: "The transaction is being set up.",
        sequence: 1,
        time: "15:00:00",
    },
    Entry {
        event: WebhookEvent::TransactionCreated,
        resource: Resource::Transaction(TransactionStatus::Created),
        summary: "Transaction created",
        description: "The transaction was created.",
        sequence: 2,
        time: "15:00:00",
    },
    Entry {
        event: WebhookEvent::TransactionComplianceApproved,
        resource: Resource::Transaction(TransactionStatus::ComplianceApproved),
        summary: "Transaction approved",
        description: "The compliance review approved the transaction.",
        sequence: 5,
        time: "15:01:20",
    },
    Entry {
        event: WebhookEvent::TransactionComplianceRejected,
        resource: Resource::Transaction(TransactionStatus::ComplianceRejected),
        summary: "Transaction rejected",
        description: "The compliance review rejected the transaction.",
        sequence: 6,
        time: "15:01:40",
    },
    Entry {
        event: WebhookEvent::TransactionCompleted,
        resource: Resource::Transaction(TransactionStatus::Completed),
        summary: "Transaction completed",
        description: "The transaction was completed successfully.",
        sequence: 15,
        time: "15:05:00",
    },
    Entry {
        event: WebhookEvent::TransactionAwaitingFunds,
        resource: Resource::Transaction(TransactionStatus::AwaitingFunds),
        summary: "Transaction awaiting funds",
        description: "The transaction waits for its funds.",
        sequence: 7,
        time: "15:02:00",
    },
    Entry {
        event: WebhookEvent::TransactionFundsReceived,
        resource: Resource::Transaction(TransactionStatus::FundsReceived),
        summary: "Funds received",
        description: "The funds of the transaction arrived.",
        sequence: 8,
        time: "15:02:20",
    },
    Entry {
        event: WebhookEvent::TransactionCancelled,
        resource: Resource::Transaction(TransactionStatus::Cancelled),
        summary: "Transaction cancelled",
        description: "The transaction was cancelled.",
        sequence: 16,
        time: "15:05:00",
    },
    Entry {
        event: WebhookEvent::TransactionInComplianceReview,
        resource: Resource::Transaction(TransactionStatus::InComplianceReview),
        summary: "Transaction in review",
        description: "The compliance review of the transaction began.",
        sequence: 4,
        time: "15:01:00",
    },
    Entry {
        event: WebhookEvent::TransactionAwaitingComplianceReview,
        resource: Resource::Transaction(TransactionStatus::AwaitingComplianceReview),
        summary: "Transaction awaiting review",
        description: "The transaction waits for its compliance review.",
        sequence: 3,
        time: "15:00:40",
    },
    Entry {
        event: WebhookEvent::TransactionProcessingWithdrawal,
        resource: Resource::Transaction(TransactionStatus::ProcessingWithdrawal),
        summary: "Withdrawal in process",
        description: "The withdrawal of the transaction is being processed.",
        sequence: 9,
        time: "15:02:40",
    },
    Entry {
        event: WebhookEvent::TransactionWithdrawalProcessed,
        resource: Resource::Transaction(TransactionStatus::WithdrawalProcessed),
        summary: "Withdrawal processed",
        description: "The withdrawal of the transaction was processed.",
        sequence: 10,
        time: "15:03:00",
    },
    Entry {
        event: WebhookEvent::TransactionProcessingSettlement,
        resource: Resource::Transaction(TransactionStatus::ProcessingSettlement),
        summary: "Settlement in process",
        description: "The settlement of the transaction is being processed.",
        sequence: 11,
        time: "15:03:20",
    },
    Entry {
        event: WebhookEvent::TransactionSettlementProcessed,
        resource: Resource::Transaction(TransactionStatus::SettlementProcessed),
        summary: "Settlement processed",
        description: "The settlement of the transaction was processed.",
        sequence: 12,
        time: "15:03:40",
    },
    Entry {
        event: WebhookEvent::TransactionProcessingPayment,
        resource: Resource::Transaction(TransactionStatus::ProcessingPayment),
        summary: "Payment in process",
        description: "The payment of the transaction is being processed.",
        sequence: 13,
        time: "15:04:00",
    },
    Entry {
        event: WebhookEvent::TransactionPaymentProcessed,
        resource: Resource::Transaction(TransactionStatus::PaymentProcessed),
        summary: "Payment processed",
        description: "The payment of the transaction was processed.",
        sequence: 14,
        time: "15:04:20",
    },
];

impl Resource {
    /// The one member of `data` (C-52).
    pub(super) fn member(self) -> &'static str {
        match self {
            Self::Counterparty(_) => "counterparty",
            Self::Customer(_) => "customer",
            Self::Transaction(_) => "transaction",
        }
    }
}

impl Entry {
    /// The name of the event type.
    pub(super) fn name(&self) -> String {
        match serde_json::to_value(self.event) {
            Ok(Value::String(name)) => name,
            other => unreachable!("an event type is written as a string, not {other:?}"),
        }
    }

    /// A sample of what is sent. The samples of `transaction.created`, `transaction.awaiting_funds`, `transaction.completed`,
    /// `transaction.compliance_rejected` and `customer.created` are an integrator's, with the members that C-48 adds.
    pub(super) fn sample(&self) -> Value {
        let (event, version, event_sequence) = (self.event, Version::V1, self.sequence);
        let event_timestamp = format!("2025-11-04T{}.000Z", self.time);
        let at = event_timestamp.clone();
        let sample = match self.resource {
            Resource::Counterparty(status) => {
                let data = CounterpartyData {
                    counterparty: counterparty(status, at),
                };
                serde_json::to_value(CounterpartyNotification {
                    event,
                    version,
                    event_timestamp,
                    event_sequence,
                    data,
                })
            }
            Resource::Customer(status) => {
                let data = CustomerData {
                    customer: customer(status, at),
                };
                serde_json::to_value(CustomerNotification {
                    event,
                    version,
                    event_timestamp,
                    event_sequence,
                    data,
                })
            }
            Resource::Transaction(status) => {
                let data = TransactionData {
                    transaction: transaction(status, at),
                };
                serde_json::to_value(TransactionNotification {
                    event,
                    version,
                    event_timestamp,
                    event_sequence,
                    data,
                })
            }
        };
        sample.expect("a payload is JSON")
    }
}

fn counterparty(status: CounterpartyStatus, updated_at: String) -> Counterparty {
    Counterparty {
        id: "cp_2ofTA13AD0xBtbEvBl20aEb1hEu".into(),
        r#type: CounterpartyType::Business,
        business_name: "Office Supplies Inc.".into(),
        website: "https://officesupplies.com".into(),
        address: Address {
            street_line1: "123 Vendor Street".into(),
            street_line2: "Suite 500".into(),
            city: "Los Angeles".into(),
            state: "CA".into(),
            postal_code: "90001".into(),
            country: "USA".into(),
        },
        payment_methods: Vec::new(),
        documents: Vec::new(),
        status,
        created_at: "2025-11-04T15:00:00.000Z".into(),
        updated_at,
        client_id: CLIENT.into(),
    }
}

fn customer(status: CustomerStatus, updated_at: String) -> Customer {
    Customer {
        id: "cus_2ofTA13AD0xBtbEvBl20aEb1hEu".into(),
        r#type: "business".into(),
        business_legal_name: "Test Company LLC".into(),
        business_trade_name: "Test Co".into(),
        industry: "Technology".into(),
        email: "test@example.com".into(),
        phone: "+1234567890".into(),
        website: "https://testcompany.com".into(),
        status,
        organization_id: CLIENT.into(),
        created_at: "2025-11-04T15:00:00.000Z".into(),
        updated_at,
        deleted_at: None,
    }
}

fn transaction(status: TransactionStatus, at: String) -> Transaction {
    match status {
        TransactionStatus::Created => onramp(status, "Investment"),
        TransactionStatus::AwaitingFunds => onramp(status, "BusinessExpenses"),
        TransactionStatus::ComplianceRejected => withdrawal(status),
        _ => deposit(status, at),
    }
}

fn deposit(status: TransactionStatus, at: String) -> Transaction {
    let network = AssetTypeNetwork {
        asset_type: "USDC".into(),
        network_id: "ethereum:goerli".into(),
    };
    let amount = Amount {
        asset_type_network: Some(network),
        ..amount("USDC", 6, "1000000000")
    };
    Transaction {
        r#type: TransactionType::Deposit,
        id: "trxn_2ofTA13AD0xBtbEvBl20aEb1hEu".into(),
        status,
        quote: None,
        source: TransactionParty {
            address: Some("0x742d35Cc6634C0532925a3b844Bc9e7595f0bEb".into()),
            amount: Some(amount.clone()),
            ..TransactionParty::default()
        },
        destination: TransactionParty {
            id: Some("acct_2ofTA5mz0T91pBmD3tMTeLE7T4X".into()),
            amount: Some(amount),
            ..TransactionParty::default()
        },
        purpose: None,
        reference: None,
        created_at: "2025-11-04T15:00:00.000Z".into(),
        completed_at: matches!(status, TransactionStatus::Completed).then_some(at),
        client_id: CLIENT.into(),
    }
}

fn onramp(status: TransactionStatus, purpose: &str) -> Transaction {
    Transaction {
        r#type: TransactionType::Onramp,
        id: "trxn_2ji0un2T6BaGhHKsmJu93Zf5OQm".into(),
        status,
        quote: Some("quote_2ofTABULiy4F9kO7JrrZJWpcO65".into()),
        source: TransactionParty {
            id: Some("bank_2ofTA5mz0T91pBmD3tMTeLE7T4X".into()),
            amount: Some(amount("USD", 2, "10000")),
            asset: Some("USD".into()),
            ..TransactionParty::default()
        },
        destination: TransactionParty {
            id: Some("acct_2ofTA5mz0T91pBmD3tMTeLE7T4X".into()),
            amount: Some(amount("USDC", 6, "10000000")),
            asset: Some("USDC".into()),
            network: Some("ethereum".into()),
            ..TransactionParty::default()
        },
        purpose: Some(purpose.into()),
        reference: Some("TEST-REF-001".into()),
        created_at: "2025-11-04T15:00:00.000Z".into(),
        completed_at: None,
        client_id: CLIENT.into(),
    }
}

fn withdrawal(status: TransactionStatus) -> Transaction {
    Transaction {
        r#type: TransactionType::Withdrawal,
        id: "trxn_2ji0un2T6BaGhHKsmJu93Zf5OQm".into(),
        status,
        quote: None,
        source: TransactionParty {
            id: Some("acct_2ofTA5mz0T91pBmD3tMTeLE7T4X".into()),
            amount: Some(amount("USDC", 6, "10000000")),
            asset: Some("USDC".into()),
            ..TransactionParty::default()
        },
        destination: TransactionParty {
            address: Some("0x742d35Cc6634C0532925a3b844Bc9e7595f0bEb".into()),
            amount: Some(amount("USDC", 6, "10000000")),
            asset: Some("USDC".into()),
            network: Some("ethereum".into()),
            ..TransactionParty::default()
        },
        purpose: None,
        reference: None,
        created_at: "2025-11-04T15:00:00.000Z".into(),
        completed_at: None,
        client_id: CLIENT.into(),
    }
}

fn amount(asset: &str, decimals: i32, amount: &str) -> Amount {
    Amount {
        asset_type: asset.into(),
        decimals,
        standard_decimals: decimals,
        amount: amount.into(),
        asset_type_network: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_in_a_sample_is_the_second_part_of_the_event_name() {
        // C-51, C-52.
        for entry in &CATALOGUE {
            let (sample, name) = (entry.sample(), entry.name());
            let (resource, state) = name.split_once('.').unwrap();
            let status = sample["data"][resource]["status"].as_str().unwrap();
            let expected = if resource == "transaction" {
                state.to_uppercase()
            } else {
                state.to_owned()
            };
            assert_eq!(status, expected, "{name}");
            assert_eq!(sample["event"], name);
            assert_eq!(entry.resource.member(), resource);
        }
    }
}
