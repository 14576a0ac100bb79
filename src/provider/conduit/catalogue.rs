//! Outbound: the 28 event types. A sample of each is in the source document.
//!
//! Source page, "Body": the names and their order. Meanings: page "Webhooks" and, where it is silent, an integrator.

use serde_json::Value;

use super::models::WebhookEvent;

/// One event type.
pub(super) struct Entry {
    /// Its name.
    pub(super) event: WebhookEvent,
    /// The resource that it happens to.
    pub(super) resource: Resource,
    /// A few words.
    pub(super) summary: &'static str,
    /// When it happens.
    pub(super) description: &'static str,
}

/// The resources that events happen to.
#[derive(Clone, Copy)]
pub(super) enum Resource {
    Counterparty,
    Customer,
    Transaction,
}

/// Every event type, in the order of the source page.
pub(super) const CATALOGUE: [Entry; 28] = [
    Entry {
        event: WebhookEvent::CounterpartyActive,
        resource: Resource::Counterparty,
        summary: "Counterparty active",
        description: "The counterparty became active.",
    },
    Entry {
        event: WebhookEvent::CounterpartyComplianceRejected,
        resource: Resource::Counterparty,
        summary: "Counterparty rejected",
        description: "The counterparty failed its compliance review.",
    },
    Entry {
        event: WebhookEvent::CounterpartyDeleted,
        resource: Resource::Counterparty,
        summary: "Counterparty deleted",
        description: "The counterparty was deleted.",
    },
    Entry {
        event: WebhookEvent::CounterpartyInComplianceReview,
        resource: Resource::Counterparty,
        summary: "Counterparty in review",
        description: "The compliance review of the counterparty began.",
    },
    Entry {
        event: WebhookEvent::CustomerActive,
        resource: Resource::Customer,
        summary: "Customer active",
        description: "The customer became active.",
    },
    Entry {
        event: WebhookEvent::CustomerInComplianceReview,
        resource: Resource::Customer,
        summary: "Customer in review",
        description: "The compliance review of the customer began.",
    },
    Entry {
        event: WebhookEvent::CustomerComplianceRejected,
        resource: Resource::Customer,
        summary: "Customer rejected",
        description: "The customer failed its compliance review.",
    },
    Entry {
        event: WebhookEvent::CustomerCreated,
        resource: Resource::Customer,
        summary: "Customer created",
        description: "The customer was created.",
    },
    Entry {
        event: WebhookEvent::CustomerKybInProgress,
        resource: Resource::Customer,
        summary: "KYB in progress",
        description: "The know-your-business check of the customer is in progress.",
    },
    Entry {
        event: WebhookEvent::CustomerKybExpired,
        resource: Resource::Customer,
        summary: "KYB expired",
        description: "The know-your-business check of the customer expired.",
    },
    Entry {
        event: WebhookEvent::CustomerKybMissingInformation,
        resource: Resource::Customer,
        summary: "KYB information missing",
        description: "The know-your-business check of the customer needs more information.",
    },
    Entry {
        event: WebhookEvent::CustomerAccountOnboardingPending,
        resource: Resource::Customer,
        summary: "Account onboarding pending",
        description: "The onboarding of the customer's account is pending.",
    },
    Entry {
        event: WebhookEvent::TransactionInitializing,
        resource: Resource::Transaction,
        summary: "Transaction initializing",
        description: "The transaction is being set up.",
    },
    Entry {
        event: WebhookEvent::TransactionCreated,
        resource: Resource::Transaction,
        summary: "Transaction created",
        description: "The transaction was created.",
    },
    Entry {
        event: WebhookEvent::TransactionComplianceApproved,
        resource: Resource::Transaction,
        summary: "Transaction approved",
        description: "The compliance review approved the transaction.",
    },
    Entry {
        event: WebhookEvent::TransactionComplianceRejected,
        resource: Resource::Transaction,
        summary: "Transaction rejected",
        description: "The compliance review rejected the transaction.",
    },
    Entry {
        event: WebhookEvent::TransactionCompleted,
        resource: Resource::Transaction,
        summary: "Transaction completed",
        description: "The transaction was completed successfully.",
    },
    Entry {
        event: WebhookEvent::TransactionAwaitingFunds,
        resource: Resource::Transaction,
        summary: "Transaction awaiting funds",
        description: "The transaction waits for its funds.",
    },
    Entry {
        event: WebhookEvent::TransactionFundsReceived,
        resource: Resource::Transaction,
        summary: "Funds received",
        description: "The funds of the transaction arrived.",
    },
    Entry {
        event: WebhookEvent::TransactionCancelled,
        resource: Resource::Transaction,
        summary: "Transaction cancelled",
        description: "The transaction was cancelled.",
    },
    Entry {
        event: WebhookEvent::TransactionInComplianceReview,
        resource: Resource::Transaction,
        summary: "Transaction in review",
        description: "The compliance review of the transaction began.",
    },
    Entry {
        event: WebhookEvent::TransactionAwaitingComplianceReview,
        resource: Resource::Transaction,
        summary: "Transaction awaiting review",
        description: "The transaction waits for its compliance review.",
    },
    Entry {
        event: WebhookEvent::TransactionProcessingWithdrawal,
        resource: Resource::Transaction,
        summary: "Withdrawal in process",
        description: "The withdrawal of the transaction is being processed.",
    },
    Entry {
        event: WebhookEvent::TransactionWithdrawalProcessed,
        resource: Resource::Transaction,
        summary: "Withdrawal processed",
        description: "The withdrawal of the transaction was processed.",
    },
    Entry {
        event: WebhookEvent::TransactionProcessingSettlement,
        resource: Resource::Transaction,
        summary: "Settlement in process",
        description: "The settlement of the transaction is being processed.",
    },
    Entry {
        event: WebhookEvent::TransactionSettlementProcessed,
        resource: Resource::Transaction,
        summary: "Settlement processed",
        description: "The settlement of the transaction was processed.",
    },
    Entry {
        event: WebhookEvent::TransactionProcessingPayment,
        resource: Resource::Transaction,
        summary: "Payment in process",
        description: "The payment of the transaction is being processed.",
    },
    Entry {
        event: WebhookEvent::TransactionPaymentProcessed,
        resource: Resource::Transaction,
        summary: "Payment processed",
        description: "The payment of the transaction was processed.",
    },
];

impl Resource {
    /// The one member of `data` (C-52).
    pub(super) fn member(self) -> &'static str {
        match self {
            Self::Counterparty => "counterparty",
            Self::Customer => "customer",
            Self::Transaction => "transaction",
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
}

#[cfg(test)]
mod tests {
    use super::super::openapi::emit;
    use super::*;
    use crate::openapi::sample;

    #[test]
    fn the_state_in_a_sample_is_the_second_part_of_the_event_name() {
        // C-51, C-52.
        let document = emit();
        for entry in &CATALOGUE {
            let name = entry.name();
            let sample = sample(&document, &name);
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
