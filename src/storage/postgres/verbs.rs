//! The verbs of the store: each is handed to the threads of the store, in a transaction where it writes.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::sync::oneshot;
use uuid::Uuid;

use super::*;
use crate::domain::ksuid;
use crate::entropy;
use crate::storage::Recorded;

/// Runs an asynchronous function in a transaction, on the threads of the store.
macro_rules! transact {
    ($store:expr, |$db:ident, $tx:ident| $work:expr) => {{
        let $db = $store.db.clone();
        $store.run(async move {
            let mut client = $db.client().await?;
            let transaction = client.transaction().await?;
            let done = {
                let $tx = &transaction;
                $work.await?
            };
            transaction.commit().await?;
            Ok(done)
        })
    }};
}

/// Runs an asynchronous function over a connection, on the threads of the store.
macro_rules! read {
    ($store:expr, |$client:ident| $work:expr) => {{
        let db = $store.db.clone();
        $store.run(async move {
            let $client = &db.client().await?;
            $work.await
        })
    }};
}

#[async_trait]
impl Store for PostgresStore {
    async fn insert_webhook(&self, webhook: Webhook) -> Result<()> {
        transact!(self, |db, tx| webhooks::insert_webhook(
            tx, &db.sealer, &webhook
        ))
        .await
    }

    async fn webhook(&self, key: WebhookKey) -> Result<Option<Webhook>> {
        let db = self.db.clone();
        self.run(async move { webhooks::webhook(&db, &key).await })
            .await
    }

    async fn webhooks(&self, filter: WebhookFilter, page: Page) -> Result<WebhookPage> {
        let db = self.db.clone();
        self.run(async move { webhooks::webhooks(&db, &filter, &page).await })
            .await
    }

    async fn update_webhook(
        &self,
        key: WebhookKey,
        change: WebhookChange,
        now: Timestamp,
    ) -> Result<Option<Webhook>> {
        let changed = transact!(self, |db, tx| webhooks::update_webhook(
            tx, &db.sealer, &key, change, now
        ))
        .await;
        self.db.floors.leases_changed();
        // What was made due waits for a claim meanwhile.
        self.db.wake.tell();
        let lane = |changed: &Option<(i64, Webhook)>| Some(changed.as_ref()?.0);
        let changed = self.announce(changed, lane).await?;
        Ok(changed.map(|(_, webhook)| webhook))
    }

    async fn delete_webhook(
        &self,
        key: WebhookKey,
        on_delete: OnDelete,
        now: Timestamp,
    ) -> Result<bool> {
        let deleted = transact!(self, |db, tx| webhooks::delete_webhook(
            tx, &key, on_delete, now
        ))
        .await;
        self.db.wake.tell();
        let deleted = self.announce(deleted, |lane| *lane).await?;
        Ok(deleted.is_some())
    }

    fn webhook_changes(&self) -> &WebhookChanges {
        &self.db.changes
    }

    async fn follow_webhook_changes(&self) {
        let db = self.db.clone();
        // On the threads of the store, whose connections it uses; a caller that goes away ends it.
        let mut followed = tokio::task::JoinSet::new();
        followed.spawn_on(changes::follow(db), &self.handle);
        followed.join_next().await;
    }

    async fn publish(&self, mut publication: Publication) -> Result<Published> {
        let event = &mut publication.event;
        if event.id.is_empty() {
            event.id = ksuid("evt_", event.created_at, entropy::bytes());
        }
        let taken = Taken::of(&publication.slots);
        let (caller, answered) = oneshot::channel();
        let job = publish::Job {
            publication,
            taken: taken.clone(),
            caller,
        };
        let publications = self.publications.as_ref().ok_or(StoreError::Closed)?;
        let handed_in = publications.send(job).await;
        handed_in.map_err(|_| StoreError::Closed)?;
        let published = answered.await.map_err(|_| StoreError::Closed)??;
        taken.hand_over();
        Ok(published)
    }

    async fn claim(&self, terms: ClaimTerms) -> Result<Claimed> {
        let taken = Taken::of(&terms.slots);
        let terms = ClaimTerms {
            slots: taken.clone(),
            ..terms
        };
        let db = self.db.clone();
        let claimed = self
            .run(async move {
                let found = claim::claim(&db, &terms).await?;
                Ok(Claimed {
                    due: publish::open_all(&db, found.rows, &*terms.slots),
                    next_due_at: found.next_due_at,
                    left: found.left,
                    expired_leases: found.expired_leases,
                })
            })
            .await?;
        taken.hand_over();
        Ok(claimed)
    }

    async fn record(&self, results: Vec<Arc<AttemptResult>>) -> RecordedResults {
        let (db, count) = (self.db.clone(), results.len());
        let recorded = self
            .handle
            .spawn(async move { record::record_all(&db, results).await });
        recorded.await.unwrap_or_else(|_| RecordedResults {
            each: vec![Recorded::NotNow; count],
            error: Some(StoreError::Closed),
        })
    }

    fn gather(&self, together: usize) -> Duration {
        gather(together)
    }

    async fn release(&self, claimed: Vec<(Uuid, u32)>, steady: Timestamp) -> Result<()> {
        transact!(self, |db, tx| queue::release(tx, &claimed, steady)).await?;
        self.db.floors.leases_changed();
        self.db.wake.tell();
        Ok(())
    }

    async fn postpone(&self, claimed: Vec<(Uuid, u32)>, due_at: Timestamp) -> Result<()> {
        transact!(self, |db, tx| queue::postpone(tx, &claimed, due_at)).await?;
        self.db.wake.tell();
        Ok(())
    }

    async fn retry(&self, delivery: Uuid, steady: Timestamp) -> Result<Retried> {
        let (is_due, found) = transact!(self, |db, tx| async move {
            let is_due = queue::retry(tx, delivery, steady).await?;
            Ok::<_, StoreError>((is_due, deliveries::delivery(tx, delivery).await?))
        })
        .await?;
        self.db.wake.tell();
        Ok(match found {
            Some(found) if is_due => Retried::Due(Box::new(found.delivery)),
            Some(_) => Retried::UnderWay,
            None => Retried::Unknown,
        })
    }

    async fn events(&self, filter: EventFilter, page: NumberPage) -> Result<Rows<EventRecord>> {
        read!(self, |client| events::events(client, &filter, page)).await
    }

    async fn last_event(&self) -> Result<i64> {
        read!(self, |client| events::last_event(client)).await
    }

    async fn new_events(&self, filter: EventFilter, after: i64, limit: u32) -> Result<NewEvents> {
        read!(self, |client| events::new_events(
            client, &filter, after, limit
        ))
        .await
    }

    async fn event(&self, id: String) -> Result<Option<EventRecord>> {
        read!(self, |client| events::event(client, &id)).await
    }

    async fn deliveries(
        &self,
        filter: DeliveryFilter,
        page: NumberPage,
    ) -> Result<Rows<DeliveryRecord>> {
        read!(self, |client| deliveries::deliveries(client, &filter, page)).await
    }

    async fn delivery(&self, id: Uuid) -> Result<Option<DeliveryHistory>> {
        read!(self, |client| deliveries::delivery(client, id)).await
    }

    async fn any_webhooks(
        &self,
        filter: AnyWebhookFilter,
        page: NumberPage,
    ) -> Result<Rows<WebhookRecord>> {
        read!(self, |client| inspect::any_webhooks(client, &filter, page)).await
    }

    async fn any_webhook(&self, id: String) -> Result<Option<WebhookRecord>> {
        read!(self, |client| inspect::any_webhook(client, &id)).await
    }

    async fn overview(&self) -> Result<Overview> {
        read!(self, |client| inspect::overview(client)).await
    }

    async fn queue_state(&self, steady: Timestamp) -> Result<QueueState> {
        read!(self, |client| deliveries::queue_state(client, steady)).await
    }

    async fn insert_replay(&self, replay: Replay) -> Result<()> {
        read!(self, |client| jobs::insert_replay(client, &replay)).await?;
        self.db.wake.tell();
        Ok(())
    }

    async fn replay(&self, id: String) -> Result<Option<Replay>> {
        read!(self, |client| jobs::replay(client, &id)).await
    }

    async fn step_replay(&self, limit: u32, at: Moment) -> Result<bool> {
        let stepped = transact!(self, |db, tx| jobs::step_replay(tx, limit, at)).await?;
        if stepped {
            self.db.wake.tell();
        }
        Ok(stepped)
    }

    async fn purge(&self, terms: PurgeTerms) -> Result<Purged> {
        let db = self.db.clone();
        self.run(async move { jobs::purge(&db, &terms).await })
            .await
    }

    async fn insert_key(&self, key: ApiKey) -> Result<()> {
        read!(self, |client| keys::insert_key(client, &key)).await
    }

    async fn key(
        &self,
        provider: ProviderName,
        fingerprint: Fingerprint,
    ) -> Result<Option<ApiKey>> {
        self.keys.ask((provider, *fingerprint.as_bytes())).await
    }

    async fn keys(&self) -> Result<Vec<ApiKey>> {
        read!(self, |client| keys::keys(client)).await
    }

    async fn revoke_key(&self, id: String, now: Timestamp) -> Result<bool> {
        read!(self, |client| keys::revoke_key(client, &id, now)).await
    }

    async fn step_rotation(&self, limit: u32) -> Result<bool> {
        transact!(self, |db, tx| rotation::step(tx, &db.sealer, limit)).await
    }

    async fn secrets_of_earlier_keys(&self) -> Result<u64> {
        let newest = self.db.sealer.newest();
        read!(self, |client| rotation::secrets_of_earlier_keys(
            client, newest
        ))
        .await
    }

    async fn save_time(&self, time: SavedTime) -> Result<()> {
        read!(self, |client| time::save(client, time)).await
    }

    async fn shared_time(&self) -> Result<Option<Timestamp>> {
        let now = read!(self, |client| time::shared(client)).await?;
        Ok(Some(now))
    }

    async fn waiting(&self, lanes: Vec<i64>, steady: Timestamp) -> Result<Option<Vec<Waiting>>> {
        let counts = read!(self, |client| queue::waiting(client, &lanes, steady)).await?;
        Ok(Some(counts))
    }

    async fn woken(&self) {
        self.db.wake.told().await;
    }

    async fn check(&self) -> Result<()> {
        // A read would succeed on a standby and on a full disk.
        transact!(self, |db, tx| async move {
            run_cached(
                tx,
                "INSERT INTO meta (name, value) VALUES ('probe', '') ON CONFLICT (name) DO UPDATE SET value = ''",
                &[],
            )
            .await
        })
        .await
        .map(drop)
    }
}
