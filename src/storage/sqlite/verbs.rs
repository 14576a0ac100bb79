//! The verbs of the store: each is handed to the writer, or to a connection that only reads.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use uuid::Uuid;

use super::publish::Stored;
use super::{
    SqliteStore, claim, deliveries, events, inspect, jobs, keys, open, publish, queue, rotation,
    time, webhooks,
};
use crate::clock::{Moment, SavedTime};
use crate::domain::{ApiKey, Fingerprint, ProviderName, Webhook, WebhookChange};
use crate::storage::taken::Taken;
use crate::storage::{
    Addressee, AnyWebhookFilter, AttemptResult, ClaimTerms, Claimed, DeliveryFilter,
    DeliveryHistory, DeliveryRecord, EventFilter, EventRecord, NewEvents, NumberPage, OnDelete,
    Overview, Page, Publication, Published, PurgeTerms, Purged, QueueState, RecordedResults,
    Replay, Retried, Rows, Store, StoreError, WebhookChanges, WebhookFilter, WebhookKey,
    WebhookPage, WebhookRecord,
};

#[async_trait]
impl Store for SqliteStore {
    async fn insert_webhook(&self, webhook: Webhook) -> Result<(), StoreError> {
        let sealer = self.sealer.clone();
        self.writer
            .run(move |connection| webhooks::insert_webhook(connection, &sealer, &webhook))
            .await
    }

    async fn webhook(&self, key: WebhookKey) -> Result<Option<Webhook>, StoreError> {
        let sealer = self.sealer.clone();
        self.readers
            .run(move |connection| webhooks::webhook(connection, &sealer, &key))
            .await
    }

    async fn webhooks(&self, filter: WebhookFilter, page: Page) -> Result<WebhookPage, StoreError> {
        let sealer = self.sealer.clone();
        self.readers
            .run(move |connection| webhooks::webhooks(connection, &sealer, &filter, &page))
            .await
    }

    async fn update_webhook(
        &self,
        key: WebhookKey,
        change: WebhookChange,
        now: Timestamp,
    ) -> Result<Option<Webhook>, StoreError> {
        let sealer = self.sealer.clone();
        let changed = self
            .writer
            .run(move |connection| {
                webhooks::update_webhook(connection, &sealer, &key, change.clone(), now)
            })
            .await;
        self.note_change(&changed, |changed| Some(changed.as_ref()?.0));
        Ok(changed?.map(|(_, webhook)| webhook))
    }

    async fn delete_webhook(
        &self,
        key: WebhookKey,
        on_delete: OnDelete,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let deleted = self
            .writer
            .run(move |connection| webhooks::delete_webhook(connection, &key, on_delete, now))
            .await;
        self.note_change(&deleted, |lane| *lane);
        Ok(deleted?.is_some())
    }

    fn webhook_changes(&self) -> &WebhookChanges {
        &self.webhook_changes
    }

    async fn publish(&self, publication: Publication) -> Result<Published, StoreError> {
        // Beside the transaction: what is told of other webhooks must not hold up other publications.
        let addressee = Addressee::of(&publication.event, publication.audience);
        let not_matched = self.not_matched(addressee).await?;
        let taken = Taken::of(&publication.slots);
        let publication = Publication {
            slots: taken.clone(),
            ..publication
        };
        let again = taken.clone();
        let (ids, matching) = (self.ids.clone(), self.matching.clone());
        let stored = self
            .writer
            .run(move |connection| {
                again.give_back_all();
                publish::publish(connection, &ids, &matching, &publication, not_matched)
            })
            .await?;
        let published = match stored {
            Stored::New {
                receipt,
                claimed,
                waiting,
            } => Published::Stored {
                receipt,
                claimed: claim::open_all(claimed, &self.sealer, &self.ids, &*taken),
                waiting,
            },
            Stored::Repeated(receipt) => Published::Repeated(receipt),
            Stored::Conflict => Published::Conflict,
        };
        taken.hand_over();
        Ok(published)
    }

    async fn claim(&self, terms: ClaimTerms) -> Result<Claimed, StoreError> {
        let taken = Taken::of(&terms.slots);
        let terms = ClaimTerms {
            slots: taken.clone(),
            ..terms
        };
        let again = taken.clone();
        let (ids, targets) = (self.ids.clone(), self.targets.clone());
        let found = self
            .writer
            .run_ahead(move |connection| {
                again.give_back_all();
                claim::claim(connection, &ids, &targets, &terms)
            })
            .await?;
        let due = claim::open_all(found.rows, &self.sealer, &self.ids, &*taken);
        taken.hand_over();
        Ok(Claimed {
            due,
            next_due_at: found.next_due_at,
            left: found.left,
            expired_leases: found.expired_leases,
        })
    }

    async fn record(&self, results: Vec<Arc<AttemptResult>>) -> RecordedResults {
        self.record_all(results).await
    }

    async fn release(
        &self,
        claimed: Vec<(Uuid, u32)>,
        steady: Timestamp,
    ) -> Result<(), StoreError> {
        let ids = self.ids.clone();
        self.writer
            .run(move |connection| queue::release(connection, &ids, &claimed, steady))
            .await
    }

    async fn postpone(
        &self,
        claimed: Vec<(Uuid, u32)>,
        due_at: Timestamp,
    ) -> Result<(), StoreError> {
        let ids = self.ids.clone();
        self.writer
            .run(move |connection| queue::postpone(connection, &ids, &claimed, due_at))
            .await
    }

    async fn retry(&self, delivery: Uuid, steady: Timestamp) -> Result<Retried, StoreError> {
        let ids = self.ids.clone();
        self.writer
            .run(move |connection| {
                let Some(number) = ids.settled(connection, delivery)? else {
                    return Ok(Retried::Unknown);
                };
                let is_due = queue::retry(connection, number, steady)?;
                let found = deliveries::delivery(connection, &ids, delivery)?;
                Ok(match found {
                    Some(found) if is_due => Retried::Due(Box::new(found.delivery)),
                    Some(_) => Retried::UnderWay,
                    None => Retried::Unknown,
                })
            })
            .await
    }

    async fn events(
        &self,
        filter: EventFilter,
        page: NumberPage,
    ) -> Result<Rows<EventRecord>, StoreError> {
        let ids = self.ids.clone();
        self.readers
            .run(move |connection| events::events(connection, &ids, &filter, page))
            .await
    }

    async fn last_event(&self) -> Result<i64, StoreError> {
        self.readers.run(events::last_event).await
    }

    async fn new_events(
        &self,
        filter: EventFilter,
        after: i64,
        limit: u32,
    ) -> Result<NewEvents, StoreError> {
        let ids = self.ids.clone();
        self.readers
            .run(move |connection| events::new_events(connection, &ids, &filter, after, limit))
            .await
    }

    async fn event(&self, id: String) -> Result<Option<EventRecord>, StoreError> {
        let ids = self.ids.clone();
        self.readers
            .run(move |connection| events::event(connection, &ids, &id))
            .await
    }

    async fn deliveries(
        &self,
        filter: DeliveryFilter,
        page: NumberPage,
    ) -> Result<Rows<DeliveryRecord>, StoreError> {
        let ids = self.ids.clone();
        self.readers
            .run(move |connection| deliveries::deliveries(connection, &ids, &filter, page))
            .await
    }

    async fn delivery(&self, id: Uuid) -> Result<Option<DeliveryHistory>, StoreError> {
        let ids = self.ids.clone();
        self.readers
            .run(move |connection| deliveries::delivery(connection, &ids, id))
            .await
    }

    async fn any_webhooks(
        &self,
        filter: AnyWebhookFilter,
        page: NumberPage,
    ) -> Result<Rows<WebhookRecord>, StoreError> {
        self.readers
            .run(move |connection| inspect::any_webhooks(connection, &filter, page))
            .await
    }

    async fn any_webhook(&self, id: String) -> Result<Option<WebhookRecord>, StoreError> {
        self.readers
            .run(move |connection| inspect::any_webhook(connection, &id))
            .await
    }

    async fn overview(&self) -> Result<Overview, StoreError> {
        self.readers.run(inspect::overview).await
    }

    async fn queue_state(&self, steady: Timestamp) -> Result<QueueState, StoreError> {
        self.readers
            .run(move |connection| deliveries::queue_state(connection, steady))
            .await
    }

    async fn insert_replay(&self, replay: Replay) -> Result<(), StoreError> {
        self.writer
            .run(move |connection| jobs::insert_replay(connection, &replay))
            .await
    }

    async fn replay(&self, id: String) -> Result<Option<Replay>, StoreError> {
        self.readers
            .run(move |connection| jobs::replay(connection, &id))
            .await
    }

    async fn step_replay(&self, limit: u32, at: Moment) -> Result<bool, StoreError> {
        let ids = self.ids.clone();
        self.writer
            .run(move |connection| jobs::step_replay(connection, &ids, limit, at))
            .await
    }

    async fn purge(&self, terms: PurgeTerms) -> Result<Purged, StoreError> {
        self.writer
            .run(move |connection| jobs::purge(connection, &terms))
            .await
    }

    async fn insert_key(&self, key: ApiKey) -> Result<(), StoreError> {
        self.writer
            .run(move |connection| keys::insert_key(connection, &key))
            .await
    }

    async fn key(
        &self,
        provider: ProviderName,
        fingerprint: Fingerprint,
    ) -> Result<Option<ApiKey>, StoreError> {
        self.readers
            .run(move |connection| keys::key(connection, provider, &fingerprint))
            .await
    }

    async fn keys(&self) -> Result<Vec<ApiKey>, StoreError> {
        self.readers.run(keys::keys).await
    }

    async fn revoke_key(&self, id: String, now: Timestamp) -> Result<bool, StoreError> {
        self.writer
            .run(move |connection| keys::revoke_key(connection, &id, now))
            .await
    }

    async fn step_rotation(&self, limit: u32) -> Result<bool, StoreError> {
        let sealer = self.sealer.clone();
        self.writer
            .run(move |connection| rotation::step(connection, &sealer, limit))
            .await
    }

    async fn secrets_of_earlier_keys(&self) -> Result<u64, StoreError> {
        let newest = self.sealer.newest();
        self.readers
            .run(move |connection| rotation::secrets_of_earlier_keys(connection, newest))
            .await
    }

    async fn save_time(&self, time: SavedTime) -> Result<(), StoreError> {
        self.writer
            .run(move |connection| time::save(connection, time))
            .await
    }

    async fn check(&self) -> Result<(), StoreError> {
        self.health.check_content()?;
        // A transaction of nothing would succeed on a full disk.
        if self.health.was_refused() {
            // What is small may fit where publications do not.
            self.writer.run(open::write_ample).await?;
            self.writer.run(open::remove_ample).await?;
            self.health.is_taken_again();
        }
        self.writer.run(open::probe).await?;
        self.readers
            .run(|connection| Ok(connection.query_row("SELECT 1", [], |_| Ok(()))?))
            .await
    }
}
