//! The values that pass between the store and its callers: publications, claims, results, records of deliveries.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::StoreError;
use super::inspect::{NotMatched, OutcomeFilter};
use crate::clock::Moment;
use crate::domain::{
    Attempt, Audience, DeliveryState, DueDelivery, Event, Fingerprint, Next, Outcome, ProviderName,
};

/// How many attempts may be under way, in all and for each webhook. The store asks it inside its transactions, so it never blocks.
pub trait Slots: Send + Sync {
    /// Takes a slot for an attempt at the webhook with this number, when one is free.
    fn take(&self, lane: i64) -> bool;

    /// Gives a slot back.
    fn give_back(&self, lane: i64);

    /// How many slots, at most, the webhook could take now.
    fn free(&self, _lane: i64) -> usize {
        usize::MAX
    }

    /// Counts a new delivery for the webhook that waits for a slot.
    fn wait(&self, _lane: i64) {}

    /// Takes [`Self::wait`] back: the delivery was not stored after all.
    fn wait_not(&self, _lane: i64) {}
}

/// An event to store, with what decides who gets it.
pub struct Publication {
    /// The event; its sequence is assigned when it is stored.
    pub event: Event,
    /// Which webhooks it is for.
    pub audience: Audience,
    /// The idempotency key with the fingerprint of the request.
    pub idempotency: Option<Idempotency>,
    /// Slots for deliveries that are attempted at once, from memory.
    pub slots: Arc<dyn Slots>,
    /// The steady time: since when its deliveries are due and it is kept.
    pub steady: Timestamp,
    /// How long such an attempt may take before the delivery falls due again.
    pub lease: SignedDuration,
}

/// An idempotency key, scoped to its caller, and the fingerprint of the request that came with it.
#[derive(Debug, Clone)]
pub struct Idempotency {
    /// The id of the caller's API key.
    pub caller: String,
    /// The key.
    pub key: String,
    /// The fingerprint of the request.
    pub request: Fingerprint,
}

/// The result of a publication.
#[derive(Debug)]
pub enum Published {
    /// The event is stored.
    Stored {
        /// The receipt for the caller.
        receipt: Receipt,
        /// The deliveries that are claimed for this process: to be attempted now.
        claimed: Vec<DueDelivery>,
        /// The numbers of the webhooks with another delivery, which waits to be claimed.
        waiting: Vec<i64>,
    },
    /// The same request was stored before.
    Repeated(Receipt),
    /// Another request was stored under this idempotency key.
    Conflict,
}

/// The receipt of a publication, the same for a repeated request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The event's id.
    pub id: String,
    /// When it was published.
    pub created_at: Timestamp,
    /// For how many webhooks it is.
    pub deliveries: u64,
    /// For how many webhooks of its type it is not, and why.
    pub not_matched: NotMatched,
}

/// Until when a delivery is attempted, by its provider and first attempt.
pub type GivesUpAt = Arc<dyn Fn(ProviderName, Timestamp) -> Timestamp + Send + Sync>;

/// The terms of a claim.
pub struct ClaimTerms {
    /// Slots for what is claimed.
    pub slots: Arc<dyn Slots>,
    /// How many deliveries at most.
    pub limit: usize,
    /// How long an attempt may take before its delivery falls due again.
    pub lease: SignedDuration,
    /// The current time.
    pub at: Moment,
    /// Until when a delivery is attempted, by its provider and first attempt, in steady time.
    pub gives_up_at: GivesUpAt,
}

/// The deliveries that a claim got.
#[derive(Debug, Default)]
pub struct Claimed {
    /// The deliveries, each with a slot taken.
    pub due: Vec<DueDelivery>,
    /// When to claim again, in steady time, though no slot has come back: now where the limit was reached, else when the next one falls due, a lease
    /// ends among them; none when nothing is left to fall due.
    pub next_due_at: Option<Timestamp>,
    /// The numbers of the webhooks with something due that had no slot: to be claimed when one is free for them.
    pub left: Vec<i64>,
    /// How many of the claimed had been claimed before without a result: the process died in the attempt, or was too slow.
    pub expired_leases: u64,
}

/// The result of an attempt.
#[derive(Debug)]
pub struct AttemptResult {
    /// The delivery.
    pub delivery: Uuid,
    /// Its number in storage.
    pub number: i64,
    /// The number of its webhook in storage.
    pub lane: i64,
    /// The attempt.
    pub attempt: Attempt,
    /// The next state of the delivery.
    pub next: Next,
    /// The time of day of the recording.
    pub now: Timestamp,
}

/// The answer to a retry by hand.
#[derive(Debug)]
pub enum Retried {
    /// The delivery is due now.
    Due(Box<DeliveryRecord>),
    /// An attempt is under way, or its process ended and its lease did not: the delivery is left to it.
    UnderWay,
    /// There is no such delivery.
    Unknown,
}

/// The results that were recorded, and the error where some were not.
#[derive(Debug)]
pub struct RecordedResults {
    /// Of each, in their order.
    pub each: Vec<Recorded>,
    /// Why some could not be written, where that is so.
    pub error: Option<StoreError>,
}

/// Whether a result was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// It is recorded.
    Yes,
    /// A later attempt was claimed, or the delivery has ended: it came too late.
    TooLate,
    /// It could not be written now, and may be later.
    NotNow,
    /// It cannot be written at all.
    Never,
}

/// Which events to list.
#[derive(Debug, Clone, Default)]
pub struct EventFilter {
    /// Only of this provider.
    pub provider: Option<ProviderName>,
    /// Only of this type.
    pub event_type: Option<String>,
}

/// Which deliveries to list.
#[derive(Debug, Clone, Default)]
pub struct DeliveryFilter {
    /// Only of this provider.
    pub provider: Option<ProviderName>,
    /// Only in this state.
    pub state: Option<DeliveryState>,
    /// Only for this webhook.
    pub webhook_id: Option<String>,
    /// Only of this event.
    pub event_id: Option<String>,
    /// Only of this event type.
    pub event_type: Option<String>,
    /// Only those whose last recorded attempt came to this.
    pub outcome: Option<OutcomeFilter>,
    /// Only those that were made at this time or later.
    pub from: Option<Timestamp>,
    /// Only those that were made before this time.
    pub to: Option<Timestamp>,
}

/// A part of a list that is ordered by number, newest first.
#[derive(Debug, Clone, Copy)]
pub struct NumberPage {
    /// Only rows with a smaller number.
    pub before: Option<i64>,
    /// How many rows at most.
    pub limit: u32,
}

/// One page of rows.
#[derive(Debug)]
pub struct Rows<T> {
    /// The rows, newest first.
    pub rows: Vec<T>,
    /// The number to go on with, where more may follow: a search ends after so many rows that none is slow, whatever it finds.
    pub next: Option<i64>,
}

/// Events that were stored behind a place, the oldest first.
#[derive(Debug)]
pub struct NewEvents {
    /// The events.
    pub rows: Vec<EventRecord>,
    /// The place to go on behind.
    pub position: i64,
}

/// An event and how its deliveries stand.
#[derive(Debug, Clone)]
pub struct EventRecord {
    /// The event.
    pub event: Event,
    /// How many of its deliveries are in each state.
    pub deliveries: StateCounts,
}

/// How many deliveries are in each state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StateCounts {
    /// Pending.
    pub pending: u64,
    /// Delivered.
    pub delivered: u64,
    /// Exhausted.
    pub exhausted: u64,
    /// Cancelled.
    pub cancelled: u64,
}

/// A delivery as it stands.
#[derive(Debug, Clone)]
pub struct DeliveryRecord {
    /// Its id.
    pub id: Uuid,
    /// The event.
    pub event_id: String,
    /// The webhook.
    pub webhook_id: String,
    /// The provider of both.
    pub provider: ProviderName,
    /// The event's type.
    pub event_type: String,
    /// Where the next attempt would go.
    pub url: String,
    /// Its state.
    pub state: DeliveryState,
    /// How many attempts were counted.
    pub attempts: u32,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it is due, in steady time; while an attempt is under way, when its lease ends.
    pub due_at: Timestamp,
    /// When it left the pending state.
    pub completed_at: Option<Timestamp>,
    /// The outcome of its last recorded attempt.
    pub last: Option<LastAttempt>,
}

/// The last recorded attempt of a delivery, in short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastAttempt {
    /// When it began.
    pub started_at: Timestamp,
    /// The outcome, without the time of `Retry-After`.
    pub outcome: Outcome,
}

/// A delivery with its recorded attempts. A number without an attempt means that the process died in it, or that its result came too
/// late and was refused.
#[derive(Debug, Clone)]
pub struct DeliveryHistory {
    /// The delivery.
    pub delivery: DeliveryRecord,
    /// The recorded attempts, by number.
    pub attempts: Vec<Attempt>,
}

/// What waits for a webhook, where several processes store and claim it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    /// The number of the webhook.
    pub lane: i64,
    /// How many deliveries wait of which none was attempted; 10,000 at most.
    pub count: usize,
    /// How long its receiver took for the last delivery that has ended, and whether it accepts deliveries.
    pub answered: Option<(Duration, bool)>,
}

/// How the queue stands.
#[derive(Debug, Clone, Copy, Default)]
pub struct QueueState {
    /// How many deliveries are pending.
    pub pending: u64,
    /// When the longest-waiting of those that are due fell due, in steady time.
    pub oldest_due_at: Option<Timestamp>,
    /// How many transactions have begun since the oldest snapshot that is in use on the server of the database: no vacuum may remove what
    /// they leave behind. None on SQLite.
    pub oldest_snapshot: Option<u64>,
}
