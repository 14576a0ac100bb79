//! Queries of operators across providers: webhooks and how their deliveries stand, recent failures, and why an event was not
//! for a webhook.

use jiff::Timestamp;

use super::queue::{LastAttempt, StateCounts};
use crate::domain::{Audience, Event, Outcome, ProviderName};

/// A filter on the outcome of the last attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutcomeFilter {
    /// One of [`Outcome::CLASSES`].
    Class(&'static str),
    /// Anything but a success.
    Failure,
}

impl OutcomeFilter {
    /// The word for any failure.
    pub const FAILURE: &'static str = "failure";

    /// The filter that a word of the operator API names.
    pub fn parse(word: &str) -> Option<Self> {
        if word == Self::FAILURE {
            return Some(Self::Failure);
        }
        let class = Outcome::CLASSES.into_iter().find(|class| *class == word);
        class.map(Self::Class)
    }

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Class(class) => class,
            Self::Failure => Self::FAILURE,
        }
    }
}

/// The addressee of an event, as far as it decides which webhooks get it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Addressee {
    /// The provider.
    pub provider: ProviderName,
    /// The event type.
    pub event_type: String,
    /// The client or product.
    pub owner: Option<String>,
    /// The account.
    pub account_id: Option<String>,
    /// Which webhooks the type is for.
    pub audience: Audience,
}

impl Addressee {
    /// That of an event.
    pub fn of(event: &Event, audience: Audience) -> Self {
        Self {
            provider: event.provider,
            event_type: event.event_type.clone(),
            owner: event.owner.clone(),
            account_id: event.account_id.clone(),
            audience,
        }
    }
}

/// How many webhooks subscribe to an event's type and do not get it. Each is counted once, for the first reason that holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NotMatched {
    /// They belong to another client or product.
    pub other_owner: u64,
    /// They are for another account; or for any, when the event is of none.
    pub other_account: u64,
    /// They are disabled.
    pub disabled: u64,
}

/// Which webhooks to list, of every provider and owner. All conditions hold together.
#[derive(Debug, Clone, Default)]
pub struct AnyWebhookFilter {
    /// Only of this provider.
    pub provider: Option<ProviderName>,
    /// Only of this client or product.
    pub owner: Option<String>,
    /// Only those that are restricted to this account.
    pub account_id: Option<String>,
    /// Only those that subscribe to this event type.
    pub event_type: Option<String>,
    /// Only those in this state.
    pub enabled: Option<bool>,
}

/// A webhook as an operator sees it, without its secrets.
#[derive(Debug, Clone)]
pub struct WebhookRecord {
    /// The API that it was registered with.
    pub provider: ProviderName,
    /// Its id.
    pub id: String,
    /// The client or product that it belongs to.
    pub owner: String,
    /// The account that it is restricted to.
    pub account_id: Option<String>,
    /// Where deliveries go.
    pub url: String,
    /// The event types, in their order.
    pub event_types: Vec<String>,
    /// Whether new events are delivered to it.
    pub enabled: bool,
    /// When it was registered.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// How its newest deliveries stand.
    pub recent: RecentDeliveries,
}

/// How the newest deliveries of a webhook stand: at most [`RecentDeliveries::LIMIT`].
#[derive(Debug, Clone, Default)]
pub struct RecentDeliveries {
    /// How many are in each state.
    pub states: StateCounts,
    /// When the last attempt began that was a success.
    pub last_success_at: Option<Timestamp>,
    /// The last attempt that was a failure.
    pub last_failure: Option<LastAttempt>,
}

impl RecentDeliveries {
    /// How many deliveries are looked at.
    pub const LIMIT: u32 = 100;
}

/// The newest deliveries in numbers.
#[derive(Debug, Default)]
pub struct Overview {
    /// The newest deliveries, at most [`Overview::LIMIT`], by the time of their making.
    pub window: Window,
    /// The webhooks with the most failures among them and among what waits to be attempted again; the most first.
    pub failing: Vec<FailingWebhook>,
}

impl Overview {
    /// How many deliveries are looked at.
    pub const LIMIT: u32 = 10_000;
    /// How many failing webhooks are told.
    pub const WEBHOOKS: usize = 8;
}

/// The newest deliveries.
#[derive(Debug, Default)]
pub struct Window {
    /// When each was made and how it stands, the newest first.
    pub deliveries: Vec<(Timestamp, WindowState)>,
    /// Whether there are older ones.
    pub more: bool,
}

/// How a delivery of the window stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WindowState {
    /// Not attempted yet, or its first attempt is under way.
    New,
    /// Its last attempt failed; it is attempted again.
    Retrying,
    /// The receiver has accepted it.
    Delivered,
    /// It is exhausted.
    Exhausted,
    /// It ended with its webhook.
    Cancelled,
}

/// A webhook whose deliveries fail.
#[derive(Debug)]
pub struct FailingWebhook {
    /// The webhook.
    pub webhook: WebhookRecord,
    /// How many of its deliveries wait for another attempt after one that failed.
    pub retrying: u64,
    /// How many are exhausted.
    pub exhausted: u64,
}
