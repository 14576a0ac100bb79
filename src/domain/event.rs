//! One happening with its payload.

use jiff::Timestamp;

use super::{ProviderName, TraceContext};

/// One happening, as it was published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Our id: `evt_` and a KSUID. Assigned when it is stored, where it is empty before.
    pub id: String,
    /// The provider whose catalogue has the type.
    pub provider: ProviderName,
    /// The name of its event type.
    pub event_type: String,
    /// The owner: the client id (Conduit), or the product id (Equals Money) where the publisher named one.
    pub owner: Option<String>,
    /// Equals Money only: the account that it happened to.
    pub account_id: Option<String>,
    /// The members that the publisher gave, as compact JSON: every token as it was published, without the space between tokens.
    pub data: String,
    /// Its number among the events of its owner, from 1 (C-49). Assigned when it is stored; 0 before.
    pub sequence: u64,
    /// When it was published.
    pub created_at: Timestamp,
    /// The span of its publication, which its attempts are children of; none where it was published without traces.
    pub trace: Option<TraceContext>,
}

/// Which webhooks an event is for, beside those that subscribe to its type and are enabled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Audience {
    /// Every webhook of the event's owner (C-40).
    Owner,
    /// Every webhook without an account or with that of the event (E-59).
    Account,
    /// Only webhooks without an account: the event is of the platform, before an account exists (E-25).
    Platform,
}
