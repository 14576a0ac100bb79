//! The store for any number of equal nodes: one PostgreSQL database, with what many callers write in one transaction.
//!
//! Everything runs on threads of its own, so that a caller that goes away leaves nothing half done, and connections outlive the threads
//! of requests. Publications of one node share a transaction, and so do results: while one is committed the next gathers.

mod address;
mod claim;
#[cfg(test)]
pub(crate) mod cluster;
mod coalesce;
mod deliveries;
mod events;
mod inspect;
mod jobs;
mod keys;
mod open;
mod partitions;
mod publish;
mod queue;
mod record;
mod rotation;
mod rows;
mod schema;
mod sweep;
#[cfg(test)]
mod tests;
mod time;
mod tls;
mod wake;
mod webhooks;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use deadpool_postgres::{GenericClient, Object, Pool, PoolError};
use jiff::Timestamp;
use tokio::runtime::{Handle, Runtime};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_postgres::Row;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

pub use self::address::{InvalidPostgresAddress, PostgresAddress};
use self::coalesce::Coalescer;
use self::sweep::Sweep;
use self::wake::Wake;
use super::key_file::EncryptionKeys;
use super::seal::Sealer;
use super::taken::Taken;
use super::{
    Addressee, AnyWebhookFilter, AttemptResult, ClaimTerms, Claimed, DeliveryFilter,
    DeliveryHistory, DeliveryRecord, EventFilter, EventRecord, NewEvents, NotMatched, NumberPage,
    OnDelete, Overview, Page, Publication, Published, PurgeTerms, Purged, Purpose, QueueState,
    RecordedResults, Replay, Retried, Rows, Store, StoreError, WebhookFilter, WebhookKey,
    WebhookPage, WebhookRecord,
};
use crate::clock::{Moment, SavedTime};
use crate::domain::{ApiKey, Fingerprint, ProviderName, Webhook, WebhookChange};
use crate::metrics::Metrics;

type Result<T> = std::result::Result<T, StoreError>;

/// How many publications may wait: beyond it callers wait to hand theirs in.
const QUEUE: usize = 4_096;

/// How long the end of the store waits for what was handed in.
const CLOSE: Duration = Duration::from_secs(5);

/// What every verb needs.
struct Db {
    pool: Pool,
    sealer: Sealer,
    sweep: Sweep,
    wake: Wake,
}

impl Db {
    async fn client(&self) -> Result<Object> {
        connection(&self.pool).await
    }
}

/// A connection of the pool.
async fn connection(pool: &Pool) -> Result<Object> {
    pool.get().await.map_err(|error| match error {
        PoolError::Backend(error) => error.into(),
        other => StoreError::Unreachable {
            reason: other.to_string(),
        },
    })
}

/// Runs a statement, which is prepared once on each connection.
async fn query(
    client: &impl GenericClient,
    text: &str,
    values: &[&(dyn ToSql + Sync)],
) -> Result<Vec<Row>> {
    let statement = client.prepare_cached(text).await?;
    Ok(client.query(&statement, values).await?)
}

/// As [`query`], and gives how many rows it changed.
async fn run_cached(
    client: &impl GenericClient,
    text: &str,
    values: &[&(dyn ToSql + Sync)],
) -> Result<u64> {
    let statement = client.prepare_cached(text).await?;
    Ok(client.execute(&statement, values).await?)
}

/// Whether a statement may succeed later without a change of what is stored: the database is away, starts, stops, is full, or somebody
/// has locked what is needed.
pub(super) fn is_temporary(error: &tokio_postgres::Error) -> bool {
    let Some(code) = error.code() else {
        // It did not come from the server: the connection broke, or could not be made.
        return true;
    };
    let class = code.code().get(..2).unwrap_or_default();
    matches!(class, "08" | "53" | "57" | "58" | "40")
        || [
            SqlState::LOCK_NOT_AVAILABLE,
            SqlState::READ_ONLY_SQL_TRANSACTION,
            SqlState::IN_FAILED_SQL_TRANSACTION,
            SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
        ]
        .contains(code)
}

/// Checks that one of `keys` is the current key of the database, without changing that.
///
/// # Errors
/// [`StoreError`] says in one line why it is not: another key, or none was ever used with the database.
pub(super) fn check_sealed_on_server(
    address: &PostgresAddress,
    keys: &EncryptionKeys,
) -> Result<()> {
    let sealer = Sealer::new(keys);
    let database = address.to_string();
    let check = async {
        let (pool, _) = open::pool(address)?;
        let client = connection(&pool).await?;
        rotation::opens(&client, &sealer).await
    };
    match apart(check)? {
        Ok(true) => Ok(()),
        Ok(false) => Err(StoreError::UnusedServerKey { database }),
        Err(StoreError::Seal(_)) => Err(StoreError::WrongServerKey { database }),
        Err(StoreError::Query(error)) => Err(StoreError::UnusableServer {
            database,
            reason: open::reason(&error),
        }),
        Err(error) => Err(error),
    }
}

/// The threads of a store.
fn threads(count: usize) -> Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(count)
        .thread_name("database")
        .enable_all()
        .build()
        .map_err(|error| StoreError::Unreachable {
            reason: format!("no threads for it: {error}"),
        })
}

/// Runs something on a thread of its own and waits for it, wherever this is called.
fn apart<T: Send>(work: impl Future<Output = T> + Send) -> Result<T> {
    let runtime = threads(1)?;
    let done = std::thread::scope(|scope| {
        let thread = scope.spawn(|| runtime.block_on(work));
        thread.join()
    });
    runtime.shutdown_background();
    done.map_err(|_| StoreError::Closed)
}

/// A store in one PostgreSQL database.
pub struct PostgresStore {
    db: Arc<Db>,
    publications: Option<mpsc::Sender<publish::Job>>,
    keys: Coalescer<(ProviderName, [u8; 32]), Option<ApiKey>>,
    not_matched: Coalescer<Addressee, NotMatched>,
    saved_time: Option<SavedTime>,
    publisher: Option<JoinHandle<()>>,
    runtime: Option<Runtime>,
    handle: Handle,
}

impl PostgresStore {
    /// Connects to the database and brings its schema up to date. Where its secrets are sealed with an earlier one of `keys`, a change
    /// to the current one begins; see [`Store::step_rotation`].
    ///
    /// # Errors
    /// [`StoreError`] says in one line why the database cannot be used.
    pub fn open(
        address: &PostgresAddress,
        keys: &EncryptionKeys,
        purpose: Purpose,
        metrics: Arc<Metrics>,
    ) -> Result<Self> {
        let runtime = threads(2)?;
        let sealer = Sealer::new(keys);
        // Where this is called nothing may block, so another thread waits.
        let opened = std::thread::scope(|scope| {
            let work = || runtime.block_on(open::open(address, &sealer, purpose));
            scope.spawn(work).join()
        });
        let opened = match opened.map_err(|_| StoreError::Closed).and_then(|done| done) {
            Ok(opened) => opened,
            Err(error) => {
                runtime.shutdown_background();
                return Err(error);
            }
        };
        let db = Arc::new(Db {
            pool: opened.pool,
            sealer,
            sweep: Sweep::default(),
            wake: Wake::default(),
        });
        let handle = runtime.handle().clone();
        let entered = handle.enter();
        let (publications, waiting) = mpsc::channel(QUEUE);
        let publisher = tokio::spawn(publish_for_ever(db.clone(), waiting, metrics));
        let woken = db.clone();
        tokio::spawn(async move { woken.wake.run(opened.listen).await });
        let (of_keys, of_webhooks) = (db.clone(), db.clone());
        let keys = Coalescer::start(move |asked: Arc<[(ProviderName, [u8; 32])]>| {
            let db = of_keys.clone();
            async move { keys::keys_by_fingerprint(&db.client().await?, &asked).await }
        });
        let not_matched = Coalescer::start(move |asked: Arc<[Addressee]>| {
            let db = of_webhooks.clone();
            async move { inspect::not_matched(&db.client().await?, &asked).await }
        });
        drop(entered);
        Ok(Self {
            db,
            publications: Some(publications),
            keys,
            not_matched,
            saved_time: opened.saved_time,
            publisher: Some(publisher),
            runtime: Some(runtime),
            handle,
        })
    }

    /// How the steady time stood when it was saved last before the database was opened.
    pub fn saved_time(&self) -> Option<SavedTime> {
        self.saved_time
    }

    /// Runs something on the threads of the store, to its end even when the caller goes away.
    async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        let done = self.handle.spawn(work).await;
        done.map_err(|_| StoreError::Closed)?
    }
}

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

/// Commits publications, as many together as come while the ones before are committed.
async fn publish_for_ever(
    db: Arc<Db>,
    mut waiting: mpsc::Receiver<publish::Job>,
    metrics: Arc<Metrics>,
) {
    let mut jobs = Vec::new();
    while waiting.recv_many(&mut jobs, publish::BATCH).await > 0 {
        let batch = std::mem::take(&mut jobs);
        metrics.committed(batch.len());
        publish::publish_all(&db, batch).await;
    }
}

/// Waits until every publication that was handed in is committed or has failed.
impl Drop for PostgresStore {
    fn drop(&mut self) {
        drop(self.publications.take());
        let (Some(runtime), Some(publisher)) = (self.runtime.take(), self.publisher.take()) else {
            return;
        };
        let pool = self.db.pool.clone();
        // Where this is dropped nothing may block on a runtime, so another thread does.
        let ended = std::thread::spawn(move || {
            let _ = runtime.block_on(async { tokio::time::timeout(CLOSE, publisher).await });
            pool.close();
            runtime.shutdown_background();
        });
        let _ = ended.join();
    }
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
        .await?;
        self.db.wake.tell();
        Ok(changed)
    }

    async fn delete_webhook(
        &self,
        key: WebhookKey,
        on_delete: OnDelete,
        now: Timestamp,
    ) -> Result<bool> {
        transact!(self, |db, tx| webhooks::delete_webhook(
            tx, &key, on_delete, now
        ))
        .await
    }

    async fn publish(&self, publication: Publication) -> Result<Published> {
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

    async fn not_matched(&self, addressee: Addressee) -> Result<NotMatched> {
        self.not_matched.ask(addressee).await
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
            each: vec![super::Recorded::NotNow; count],
            error: Some(StoreError::Closed),
        })
    }

    async fn release(&self, claimed: Vec<(Uuid, u32)>, steady: Timestamp) -> Result<()> {
        transact!(self, |db, tx| queue::release(tx, &claimed, steady)).await?;
        self.db.wake.tell();
        Ok(())
    }

    async fn postpone(&self, claimed: Vec<(Uuid, u32)>, due_at: Timestamp) -> Result<()> {
        transact!(self, |db, tx| queue::postpone(tx, &claimed, due_at)).await
    }

    async fn retry(&self, delivery: Uuid, steady: Timestamp) -> Result<Retried> {
        let (is_due, found) = transact!(self, |db, tx| async move {
            let is_due = queue::retry(tx, delivery, steady).await?;
            Ok::<_, StoreError>((is_due, deliveries::delivery(tx, delivery).await?))
        })
        .await?;
        self.db.wake.tell();
        Ok(match found {
            Some(found) if is_due => Retried::Due(found.delivery),
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
