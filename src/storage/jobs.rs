//! Long work on deliveries, as durable jobs.

use std::str::FromStr;

use jiff::Timestamp;

use crate::domain::{DeliveryState, ProviderName, UnknownState};

/// The ages from which events and keys are deleted.
#[derive(Debug, Clone, Copy)]
pub struct PurgeTerms {
    /// Events from before this steady time are deleted with their deliveries and attempts, unless something of them is pending.
    pub events_before: Timestamp,
    /// Idempotency keys from before this steady time are forgotten.
    pub keys_before: Timestamp,
    /// Where the last step ended; 0 at the beginning.
    pub after: i64,
    /// How many events to look at.
    pub limit: u32,
}

/// The number of events that a step deleted.
#[derive(Debug, Clone, Copy)]
pub struct Purged {
    /// How many events.
    pub events: u64,
    /// Where to go on, unless this was the last step.
    pub next: Option<i64>,
    /// Whether an old partition could not be dropped because others use it: it is tried again.
    pub in_use: bool,
}

/// A job that makes many deliveries due again, in steps that survive a restart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replay {
    /// `rpl_` and a KSUID.
    pub id: String,
    /// The filter.
    pub filter: ReplayFilter,
    /// Whether it only counts.
    pub dry_run: bool,
    /// How many deliveries the filter has met so far, those included that unmatched events get or would get.
    pub matched: u64,
    /// How many deliveries were made due so far: those that were being attempted are left to that.
    pub enqueued: u64,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it was done.
    pub finished_at: Option<Timestamp>,
}

/// The deliveries that are replayed: those for which all conditions hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReplayFilter {
    /// Only of this provider.
    pub provider: Option<ProviderName>,
    /// Only for this webhook; unmatched events are matched with it alone.
    pub webhook_id: Option<String>,
    /// Only in this state.
    pub state: Option<ReplayState>,
    /// Only of events published at this time or later.
    pub from: Option<Timestamp>,
    /// Only of events published before this time.
    pub to: Option<Timestamp>,
}

/// The state of what is replayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplayState {
    /// Deliveries in this state.
    Delivery(DeliveryState),
    /// Events that no webhook wanted when they were published; they are matched anew.
    Unmatched,
}

impl ReplayState {
    /// The state as it stands in the operator API and in storage.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delivery(state) => state.as_str(),
            Self::Unmatched => "unmatched",
        }
    }
}

impl FromStr for ReplayState {
    type Err = UnknownState;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        if name == "unmatched" {
            Ok(Self::Unmatched)
        } else {
            name.parse().map(Self::Delivery)
        }
    }
}
