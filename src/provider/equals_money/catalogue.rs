//! The 31 event types, which the API lists (inbound) and sends (outbound). A sample of each is in the source document.
//!
//! Names, ids and dates: tutorial step 1 and the tables of "How it works"; E-41 to E-48 choose where they disagree.

use uuid::{Uuid, uuid};

use super::models::WebhookEventTypeName;
use crate::domain::Audience;

/// One event type.
pub(super) struct Entry {
    /// Its name, the key of the catalogue (E-41).
    pub(super) name: WebhookEventTypeName,
    /// Its id (E-42, E-43).
    pub(super) id: Uuid,
    dates: Dates,
    /// When it happens.
    pub(super) description: &'static str,
    /// The payload, as far as it is documented.
    pub(super) payload: Payload,
}

/// When an event type was created and last changed.
enum Dates {
    /// As the API's own sample says.
    Known(&'static str, &'static str),
    /// E-46.
    Unknown,
}

/// A payload, as far as it is documented ("About event types" and the onboarding tutorial).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Payload {
    AccountCreated,
    AccountActivated,
    IdentityVerificationRequest,
    /// No more than what every payload has: no page documents the other members of these types (E-70). A sample with members that were
    /// made up would have integrators rely on them.
    Unknown,
}

/// Every event type, ordered by name (E-47).
pub(super) const CATALOGUE: [Entry; 31] = [
    Entry {
        name: WebhookEventTypeName::ThreeDsAuthRequest,
        id: uuid!("2704f4e3-7790-43a0-905c-e0a6aaf89cdd"),
        dates: Dates::Known("2023-04-14T15:08:58.000Z", "2023-04-19T09:11:10.000Z"),
        description: "A card payment asks for 3-D Secure authentication.",
        payload: Payload::Unknown,
    },
    Entry {
        name: WebhookEventTypeName::AccountActivated,
        id: uuid!("a4dcc403-41aa-4f2e-acf6-32dbaec78e72"),
        dates: Dates::Known("2023-04-04T10:02:56.000Z", "2023-04-04T10:02:56.000Z"),
        description: "An account has passed onboarding and is active; the last event of onboarding, which belongs to no account.",
        payload: Payload::AccountActivated,
    },
    Entry {
        name: WebhookEventTypeName::AccountCreated,
        id: uuid!("7e71bf60-40f3-489f-bd09-e03035d5cd0a"),
        dates: Dates::Known("2023-03-29T12:46:41.000Z", "2023-03-29T12:46:41.000Z"),
        description: "An account has been created; a legacy notification, the first event of onboarding.",
        payload: Payload::AccountCreated,
    },
    Entry {
        name: WebhookEventTypeName::AccountStatusUpdated,
        id: uuid!("dd9043c6-9eeb-45a6-8e1d-a7e0db5675cd"),
        dates: Dates::Unknown,
        description: "The status of an account has changed; an onboarding event, which belongs to no account.",
        payload: Payload::Unknown,
    },
    Entry {
        name: WebhookEventTypeName::ApplicationStatusUpdated,
        id: uuid!("05d99ff1-a223-43ba-a852-74fcea4fd9fc"),
        dates: Dates::Unknown,
        description: "An onboarding application has been approved or declined; it belongs to no account.",
        payload: Payload::Unknown,
    },
    Entry {
        name: WebhookEventTypeName::BoxCreditPending,
        id: uuid!("0ee061e6-6c34-4d74-a7b2-afba6dcb1442"),
        dates: Dates::Unknown,
        description: "A credit to a budget is pending.",
        payload: Payload::Unknown,
    },
    Entry {
        name: WebhookEventTypeName::BoxCredited,
        id: uuid!("25d5b682-7449-4d07-b6fc-7c9bf1239561"),
        dates: Dates::Known("2022-10-26T12:31:47.000Z", "2022-10-26T12:31:47.000Z"),
        description: "A budget has been credited.",
        payload: Payload::Unknown,
    },
    Entry {
        name: WebhookEventTypeName::BoxDebited,
        id: uuid!("fc05160e-0f0c-44e0-87a8-e2f093b09ff4"),
        dates: Dates::Known("2022-12-22T11:24:39.000Z", "2022-12-22T11:24:39.000Z"),
        description: "A budget has been debited.",
        payload: Payload::Unknown,
    },
    Entry {
        name: WebhookEventTypeName::CardStateUpdated,
        id: uuid!("a1920089-8cdd-404d-b1aa-624bc4170b40"),
        dates: Dates::Known("2023-10-18T15:17:40.000Z", "2023-10-18T15:17:40.000Z"),
        description: "The state of a card has changed.",
        payload: Payload::Unknown,
    },
    Entry {
        name: WebhookEventTypeName::CardTransaction,
        id: uuid!("da153b21-9c8d-46d2-8911-83c6da10655a"),
        dates: Dates::Known("2023-03-14T12:06:10.000Z", "2023-05-16T10:48:23.000Z"),
        description: "A card transaction has occurred.",
        payload: Payload::Unknown,
    },
    Entry {
        name: WebhookEventTypeName::DigitalWalletTokenTransition,
        id: uuid!("c1a5f01c-67e4-48e5-8cd3-5866b6aa8c85"),
        dates: Dates::Unknown,
        description: "A digital wallet asks for activation of a card, or its token has been created.",
        payload: Payload::Unknown,
    },
    Entry {
        name: WebhookEventTypeName::FeeCreated,
        id: uuid!("b5af8772-a4a8-4296-b63a-e38744f07bfe"),
        dates: Dates::Unknown,
        description: "A standalone fee has been charged.",
        payload: Payload::Unknown,
    },
    Entry {
        name: WebhookEventTypeName::IdentityVerificationRequest,
        id: uuid!("352621eb-35ab-4867-aced-586376141890"),
        dates: Dates::Unknown,
        description: "A person has to verify their identity for an onboarding application; it belongs to no account.",
        payload: Payload::IdentityVerificationRequest,
    },
    Entry {
        name: WebhookEventTypeName::KybInformationRequested,
        id: uuid!("8fb0d47d-e916-496d-8930-118375e34f71"),
        dates: Dates::Unknown,
        description: "An onboarding application needs more information about the business; it belongs to no account.",
        payload: Payload::Unknown,
    },
    Entry {
        name: WebhookEventTypeName::KycInformationRequest,
        id: uuid!("a29521f8-0cee-4563-afa3-e9ceaad20eaa"),
        dates: Dates::Unknown,
        description: "More information about a person is needed.",
        payload: Payload::Unknown,
    },
    Entry {
        name: WebhookEventTypeName::KycInformationRequested,
        id: uuid!("d6aecfb6-53e6-4869-a535-6e4dfcd70893"),
        dates: Dates::Unknown,
        description: "An onboarding application needs more information about a person; it belongs to no account.",
        payload: Payload::Unknown,
    },
    Entry {
        name: WebhookEventTypeName::KycUpdate,
        id: uuid!("b5dcc403-41aa-4f2e-acf6-32dbaec78f7a"),
        dates: Dates::Known("2023-04-04T10:02:56.000Z", "2023-04-04T10:02:56.000Z"),
        description: "The verification of a person is pending, declined or completed.",
        payload: Payload::Unknown,
    },
    Entry {
        name: WebhookEventTypeName::OrderCancelled,
        id: uuid!("06e852d1-fcd5-43e6-babe-65a06a43266b"),
        dates: Dates::Known("2022-10-26T12:31:47.000Z", "2022-10-26T12:31:47.000Z"),
        description: "An order has been cancelled.",
        payload: Payload::Unknown,
    },
    Entry {
        name: WebhookEventTypeName::OrderCompleted,
        id: uuid!("4649fed2-1b40-4d8b-b947-bd0e60a2c2e5"),
        dates: Dates::Unknown,
        description: "An order has been completed; the provider never sends it in its sandbox.",
        payload: Payload::Unknown,
    },
    Entry {
        name: WebhookEventTypeName::OrderCreated,
        id: uuid!("7c9885b8-7284-4d91-affd-f3c4a39a4b49"),
        dates: Dates::Unknown,
        description: "An order has been created.",
        payload: Payload::Unknown,
    },
    Entry {
        name: WebhookEventTypeName::PaymentBatchCancelled,
        id: uuid!("ed6dfe0e-6cf2-43d5-9f35-aebf873f4e97"),
        dates: Dates::Unknown,
        description: "A payment batch has been cancelled.",
        payload: Payload::Unknown,
    },
    Entry {
        name: WebhookEventTypeName::PaymentBatchCompleted,
        id: uuid!("ed6dfe0e-6cf2-43d5-9f35-aebf463f4e77"),
        dates: Dates::Unknown,
        description: "Every payment of a payment batch is final.",
        payload: Payload::Unknown,
    },
    Entry {
        name: WebhookEventTypeName::PaymentBatchCreated,
        id: uuid!("0a574a97-aa7f-482e-b240-727dd1db1c27"),
        dates: Dates::Unknown,
        description: "A payment batch has been validated and is ready for approval.",
        payload: Payload::Unknown,
    },
    Entry {
        name: WebhookEventTypeName::PaymentBatchOrderCancelled,
        id: uuid!("ed6dfe0e-6cf2-43d5-9f35-aebf693f4e77"),
        dates: Dates::Unknown,
        description: "The order of a payment batch has been cancelled.",
        payload: Payload::Unknown,
    },
    Entry {
        name: WebhookEventTypeName::PaymentBatchOrderCreated,
        id: uuid!("ed6dfe0e-6cf2-43d5-9f35-aebf413f4e77"),
        dates: Dates::Unknown,
        description: "A payment batch has been approved and its funds are blocked.",
        payload: Payload::Unknown,
    },
    Entry {
        name: WebhookEventTypeName::PaymentBatchProcessing,
        id: uuid!("ed6dfe0e-6cf2-43d5-9f35-aebf233f4e77"),
        dates: Dates::Unknown,
        description: "A payment batch is being processed.",
        payload: Payload::Unknown,
    },
    Entry {
        name: WebhookEventTypeName::PaymentCreated,
        id: uuid!("ed6dfe0e-6cf2-43d5-9f35-aebf873f4e87"),
        dates: Dates::Unknown,
        description: "A payment has passed the initial checks.",
        payload: Payload::Unknown,
    },
    Entry {
        name: WebhookEventTypeName::PaymentReturned,
        id: uuid!("ed6dfe0e-6cf2-43d5-9f35-aebf873f4e77"),
        dates: Dates::Unknown,
        description: "A payment has been refunded.",
        payload: Payload::Unknown,
    },
    Entry {
        name: WebhookEventTypeName::PersonCreated,
        id: uuid!("b5dcc403-41aa-4f2e-acf6-32dbaec77a72"),
        dates: Dates::Unknown,
        description: "A person has been created.",
        payload: Payload::Unknown,
    },
    Entry {
        name: WebhookEventTypeName::RecipientCreated,
        id: uuid!("64b18e0e-4561-4509-ad35-ecc8d342d291"),
        dates: Dates::Unknown,
        description: "A recipient has been created.",
        payload: Payload::Unknown,
    },
    Entry {
        name: WebhookEventTypeName::RecipientDeleted,
        id: uuid!("ed6dfe0e-6cf2-43d5-9f35-aebf865f4e77"),
        dates: Dates::Unknown,
        description: "A recipient has been deleted.",
        payload: Payload::Unknown,
    },
];

/// The event type with this name.
pub(super) fn by_name(name: &str) -> Option<&'static Entry> {
    let name: WebhookEventTypeName = name.parse().ok()?;
    CATALOGUE.iter().find(|entry| entry.name == name)
}

/// The event type that keeps this id (E-44).
pub(super) fn by_id(id: Uuid) -> Option<&'static Entry> {
    CATALOGUE.iter().find(|entry| entry.id == id)
}

impl Entry {
    /// When it was created.
    pub(super) fn created_at(&self) -> &'static str {
        match self.dates {
            Dates::Known(created_at, _) => created_at,
            Dates::Unknown => "2023-01-30T08:30:00.000Z",
        }
    }

    /// When it was last changed.
    pub(super) fn updated_at(&self) -> &'static str {
        match self.dates {
            Dates::Known(_, updated_at) => updated_at,
            Dates::Unknown => "2023-01-30T08:30:00.000Z",
        }
    }

    /// Which webhooks it is for: the events of onboarding happen before there is an account (E-25, E-59).
    pub(super) fn audience(&self) -> Audience {
        match self.name {
            WebhookEventTypeName::AccountActivated
            | WebhookEventTypeName::AccountStatusUpdated
            | WebhookEventTypeName::ApplicationStatusUpdated
            | WebhookEventTypeName::IdentityVerificationRequest
            | WebhookEventTypeName::KybInformationRequested
            | WebhookEventTypeName::KycInformationRequested => Audience::Platform,
            _ => Audience::Account,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_ascend_by_code_point_and_names_and_ids_are_unique() {
        // E-41, E-47.
        for pair in CATALOGUE.windows(2) {
            assert!(pair[0].name.as_str() < pair[1].name.as_str());
        }
        for entry in &CATALOGUE {
            assert!(
                std::ptr::eq(by_id(entry.id).unwrap(), entry)
                    || by_id(entry.id).unwrap().name == entry.name
            );
            assert_eq!(by_name(&entry.name.as_str()).unwrap().id, entry.id);
        }
    }
}
