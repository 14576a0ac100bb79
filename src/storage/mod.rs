//! The store of webhooks, API keys, events, deliveries and their attempts.
//!
//! [`Store`] has domain verbs, each of them all or nothing and durable when it returns (`claim` and `record`: against the end of the
//! process; against a loss of power a second later, which costs no more than another attempt); every time is an argument. Times that
//! deliveries wait for are kept in steady time, times that are shown in the time of day: see [`crate::clock`]. SQLite is the embedded
//! default; PostgreSQL is for several nodes. A verb without a test in `contract` does not merge. Row shapes are private to each backend.

mod access;
mod changes;
#[cfg(test)]
mod contract;
mod error;
mod inspect;
mod jobs;
mod key_file;
#[cfg(test)]
mod lease;
mod location;
mod postgres;
mod queue;
mod seal;
mod sqlite;
mod taken;
mod targets;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use uuid::Uuid;

pub use self::changes::{Known, WebhookChanges};
pub use self::error::StoreError;
pub use self::inspect::{
    Addressee, AnyWebhookFilter, FailingWebhook, NotMatched, OutcomeFilter, Overview,
    RecentDeliveries, WebhookRecord, Window, WindowState,
};
pub use self::jobs::{PurgeTerms, Purged, Replay, ReplayFilter, ReplayState};
pub use self::key_file::{EncryptionKey, EncryptionKeys, KeyFileError, KeyFileLock};
pub use self::location::{Location, Opened, check_sealed_at, open};
#[cfg(test)]
pub(crate) use self::postgres::cluster;
pub use self::postgres::{InvalidPostgresAddress, PostgresAddress, PostgresStore};
pub use self::queue::{
    AttemptResult, ClaimTerms, Claimed, DeliveryFilter, DeliveryHistory, DeliveryRecord,
    EventFilter, EventRecord, GivesUpAt, Idempotency, LastAttempt, NewEvents, NumberPage,
    Publication, Published, QueueState, Receipt, Recorded, RecordedResults, Retried, Rows, Slots,
    StateCounts, Waiting,
};
pub use self::seal::SealError;
pub use self::sqlite::{BackedUp, SqliteStore, back_up, check_exists, check_sealed};
use crate::clock::{Moment, SavedTime};
use crate::domain::{ApiKey, Fingerprint, ProviderName, Webhook, WebhookChange};

/// Durable state of the server.
#[async_trait]
pub trait Store: Send + Sync {
    /// Keeps a new webhook.
    async fn insert_webhook(&self, webhook: Webhook) -> Result<(), StoreError>;

    /// The webhook that `key` names, if there is one.
    async fn webhook(&self, key: WebhookKey) -> Result<Option<Webhook>, StoreError>;

    /// One page of an owner's webhooks, ordered by registration time and then id.
    async fn webhooks(&self, filter: WebhookFilter, page: Page) -> Result<WebhookPage, StoreError>;

    /// Changes the webhook that `key` names and gives it as it is then; `None` when there is none.
    async fn update_webhook(
        &self,
        key: WebhookKey,
        change: WebhookChange,
        now: Timestamp,
    ) -> Result<Option<Webhook>, StoreError>;

    /// Removes the webhook that `key` names; says whether there was one.
    async fn delete_webhook(
        &self,
        key: WebhookKey,
        on_delete: OnDelete,
        now: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Stores an event and one delivery for each webhook that wants it; those that get a slot are claimed for the caller, who then
    /// attempts them and gives the slots back.
    async fn publish(&self, publication: Publication) -> Result<Published, StoreError>;

    /// Claims due deliveries: each falls due again after the lease, unless its result is recorded before.
    async fn claim(&self, terms: ClaimTerms) -> Result<Claimed, StoreError>;

    /// Records what came of attempts, each unless a later attempt was claimed since or the delivery has ended. One that cannot be written
    /// does not keep the others from it.
    async fn record(&self, results: Vec<Arc<AttemptResult>>) -> RecordedResults;

    /// How long results should wait for others to be recorded with, when so many were recorded together last.
    fn gather(&self, _together: usize) -> Duration {
        Duration::ZERO
    }

    /// Lets claimed deliveries fall due at this steady time, named by delivery and attempt: their attempts will not be ended here.
    async fn release(&self, claimed: Vec<(Uuid, u32)>, steady: Timestamp)
    -> Result<(), StoreError>;

    /// Takes claims back, named by delivery and attempt, whose attempts were not made: they are not counted, and the deliveries are due
    /// at this steady time.
    async fn postpone(
        &self,
        claimed: Vec<(Uuid, u32)>,
        due_at: Timestamp,
    ) -> Result<(), StoreError>;

    /// Makes a delivery due at this steady time, whatever its state, unless it is being attempted: a second attempt beside the first would
    /// take its result from it, or be lost when that comes first.
    async fn retry(&self, delivery: Uuid, steady: Timestamp) -> Result<Retried, StoreError>;

    /// Events, newest first.
    async fn events(
        &self,
        filter: EventFilter,
        page: NumberPage,
    ) -> Result<Rows<EventRecord>, StoreError>;

    /// The place behind all events that are stored now.
    async fn last_event(&self) -> Result<i64, StoreError>;

    /// Events behind a place, in the order in which they were stored: what has a place was stored before what is behind it.
    async fn new_events(
        &self,
        filter: EventFilter,
        after: i64,
        limit: u32,
    ) -> Result<NewEvents, StoreError>;

    /// One event.
    async fn event(&self, id: String) -> Result<Option<EventRecord>, StoreError>;

    /// Deliveries, newest first.
    async fn deliveries(
        &self,
        filter: DeliveryFilter,
        page: NumberPage,
    ) -> Result<Rows<DeliveryRecord>, StoreError>;

    /// One delivery with its attempts.
    async fn delivery(&self, id: Uuid) -> Result<Option<DeliveryHistory>, StoreError>;

    /// Webhooks of all providers and owners, the newest first.
    async fn any_webhooks(
        &self,
        filter: AnyWebhookFilter,
        page: NumberPage,
    ) -> Result<Rows<WebhookRecord>, StoreError>;

    /// The webhook with this id, whosever it is.
    async fn any_webhook(&self, id: String) -> Result<Option<WebhookRecord>, StoreError>;

    /// The newest deliveries in numbers.
    async fn overview(&self) -> Result<Overview, StoreError>;

    /// How the queue stands at this steady time.
    async fn queue_state(&self, steady: Timestamp) -> Result<QueueState, StoreError>;

    /// Keeps a new replay job.
    async fn insert_replay(&self, replay: Replay) -> Result<(), StoreError>;

    /// A replay job and its progress.
    async fn replay(&self, id: String) -> Result<Option<Replay>, StoreError>;

    /// Does the next `limit` rows of the oldest unfinished replay job; says whether there was one.
    async fn step_replay(&self, limit: u32, at: Moment) -> Result<bool, StoreError>;

    /// Deletes some of what is old: a step that is short however much there is.
    async fn purge(&self, terms: PurgeTerms) -> Result<Purged, StoreError>;

    /// Keeps a new API key.
    async fn insert_key(&self, key: ApiKey) -> Result<(), StoreError>;

    /// The API key with this fingerprint, revoked or not.
    async fn key(
        &self,
        provider: ProviderName,
        fingerprint: Fingerprint,
    ) -> Result<Option<ApiKey>, StoreError>;

    /// All API keys, oldest first.
    async fn keys(&self) -> Result<Vec<ApiKey>, StoreError>;

    /// Revokes an API key; says whether there was one that was not revoked yet.
    async fn revoke_key(&self, id: String, now: Timestamp) -> Result<bool, StoreError>;

    /// Seals the secrets of the next `limit` webhooks with the current key, where a change of the key is not finished; says whether that
    /// was so.
    async fn step_rotation(&self, limit: u32) -> Result<bool, StoreError>;

    /// How many secrets are not sealed with the newest key that this process was started with, counted by webhook; the value that names
    /// the current key is one of them.
    async fn secrets_of_earlier_keys(&self) -> Result<u64, StoreError>;

    /// Keeps how the steady time stands, for a later process to go on with it; every backend gives it back when it is opened.
    async fn save_time(&self, time: SavedTime) -> Result<(), StoreError>;

    /// The time of the clock that all processes with this database share; `None` where this process has it alone.
    async fn shared_time(&self) -> Result<Option<Timestamp>, StoreError> {
        Ok(None)
    }

    /// How many deliveries are due at this steady time and wait for each of these webhooks; `None` where this process has the database
    /// alone, and knows.
    async fn waiting(
        &self,
        _lanes: Vec<i64>,
        _steady: Timestamp,
    ) -> Result<Option<Vec<Waiting>>, StoreError> {
        Ok(None)
    }

    /// The changes of webhooks that this process knows of. Each is known before it is answered: those made through another process where
    /// [`Self::follow_webhook_changes`] runs.
    fn webhook_changes(&self) -> &WebhookChanges;

    /// Learns of the changes of webhooks that other processes make; never returns. Where this process has the database alone there are
    /// none.
    async fn follow_webhook_changes(&self) {
        std::future::pending::<()>().await;
    }

    /// Returns when another process may have made something due; never where this process has the database alone.
    async fn woken(&self) {
        std::future::pending::<()>().await;
    }

    /// Whether reading and writing work at this moment.
    async fn check(&self) -> Result<(), StoreError>;
}

/// The purpose that a database is made for and keeps: a sandbox has credentials that everybody knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To try the server out.
    Sandbox,
    /// To serve customers.
    Production,
}

impl Purpose {
    /// The mode that it is for, as it stands in the configuration and in storage.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sandbox => "sandbox",
            Self::Production => "production",
        }
    }
}

/// Names one webhook of one owner.
#[derive(Debug, Clone)]
pub struct WebhookKey {
    /// The API.
    pub provider: ProviderName,
    /// The owner that the webhook must have.
    pub owner: String,
    /// The webhook's id.
    pub id: String,
    /// When given, the webhook's account has to be this one or none (decision E-6).
    pub account_id: Option<String>,
}

/// The effect of deleting a webhook on its pending deliveries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnDelete {
    /// They are still attempted (C-39).
    KeepPending,
    /// They are cancelled (E-57).
    CancelPending,
}

/// Which webhooks of an owner to list. All conditions hold together.
#[derive(Debug, Clone)]
pub struct WebhookFilter {
    /// The API.
    pub provider: ProviderName,
    /// The owner of the webhooks.
    pub owner: String,
    /// When given, only those of this account and those of none (decision E-6).
    pub account_id: Option<String>,
    /// Only those that subscribe to this event type.
    pub event_type: Option<String>,
    /// Only those in this state.
    pub enabled: Option<bool>,
}

/// Which part of a list.
#[derive(Debug, Clone)]
pub struct Page {
    /// Only webhooks behind this position.
    pub after: Option<Position>,
    /// How many of the matching webhooks to leave out.
    pub offset: u64,
    /// How many webhooks at most.
    pub limit: u32,
    /// Whether to count all matches, which reads them all.
    pub count: bool,
}

/// A place in the order of a list: registration time, then id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// The registration time of the webhook at this place.
    pub created_at: Timestamp,
    /// Its id.
    pub id: String,
}

/// One page of webhooks.
#[derive(Debug)]
pub struct WebhookPage {
    /// The webhooks, in order.
    pub rows: Vec<Webhook>,
    /// Whether more follow behind them.
    pub more: bool,
    /// All matches regardless of the page, where [`Page::count`] asked for it.
    pub count: Option<u64>,
}
