//! The store for any number of equal nodes: one PostgreSQL database, with what many callers write in one transaction.
//!
//! Everything runs on threads of its own, so that a caller that goes away leaves nothing half done, and connections outlive the threads
//! of requests. Publications of one node share a transaction, and so do results: while one is committed the next gathers.

mod address;
mod attempts;
mod batch;
mod candidate;
mod changes;
mod claim;
mod claimed;
#[cfg(test)]
pub(crate) mod cluster;
mod coalesce;
mod deliveries;
mod events;
mod floors;
mod inspect;
mod jobs;
mod keys;
mod matching;
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
mod verbs;
mod wake;
mod webhooks;

use std::sync::Arc;
use std::time::{Duration, Instant};

use deadpool_postgres::{GenericClient, Object, Pool, PoolError};
use jiff::{SignedDuration, Timestamp};
use tokio::runtime::{Handle, Runtime};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_postgres::Row;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

pub use self::address::{InvalidPostgresAddress, PostgresAddress};
use self::coalesce::Coalescer;
use self::floors::Floors;
use self::sweep::Sweep;
use self::wake::Wake;
use super::key_file::EncryptionKeys;
use super::seal::Sealer;
use super::taken::Taken;
use super::targets::Targets;
use super::{
    AnyWebhookFilter, AttemptResult, ClaimTerms, Claimed, DeliveryFilter, DeliveryHistory,
    DeliveryRecord, EventFilter, EventRecord, NewEvents, NumberPage, OnDelete, Overview, Page,
    Publication, Published, PurgeTerms, Purged, Purpose, QueueState, RecordedResults, Replay,
    Retried, Rows, Store, StoreError, Waiting, WebhookChanges, WebhookFilter, WebhookKey,
    WebhookPage, WebhookRecord,
};
use crate::causes::with_causes;
use crate::clock::{Moment, SavedTime};
use crate::domain::{ApiKey, Fingerprint, ProviderName, Webhook, WebhookChange};
use crate::entropy;
use crate::metrics::Metrics;

type Result<T> = std::result::Result<T, StoreError>;

/// How many publications may wait: beyond it callers wait to hand theirs in.
const QUEUE: usize = 4_096;

/// How long publications, results and look-ups of keys wait for others, to share a transaction, and how many share one when they do.
const GATHER: Duration = Duration::from_millis(2);
const GATHER_FROM: usize = 4;

/// How long the end of the store waits for what was handed in.
const CLOSE: Duration = Duration::from_secs(5);

/// The parts that every verb needs.
struct Db {
    pool: Pool,
    sealer: Sealer,
    sweep: Sweep,
    wake: Wake,
    floors: Floors,
    targets: Targets,
    changes: WebhookChanges,
    /// Names this node to the others.
    node: Uuid,
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
    #[cfg(test)]
    tests::note_plan(client, text, values).await;
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
    // 28: a role that may not log in at this moment; at the start that is told and final.
    matches!(class, "08" | "28" | "40" | "53" | "57" | "58")
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
    saved_time: Option<SavedTime>,
    /// The time of the database when it was opened, and when that was.
    opened: (Timestamp, Instant),
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
            floors: Floors::default(),
            targets: Targets::default(),
            changes: WebhookChanges::shared(),
            node: Uuid::from_bytes(entropy::bytes()),
        });
        let handle = runtime.handle().clone();
        let entered = handle.enter();
        let (publications, waiting) = mpsc::channel(QUEUE);
        let publisher = tokio::spawn(publish_for_ever(db.clone(), waiting, metrics));
        let woken = db.clone();
        tokio::spawn(async move { woken.wake.run(opened.listen).await });
        tokio::spawn(floors::look_for_ever(Arc::downgrade(&db)));
        let of_keys = db.clone();
        let keys = Coalescer::start(move |asked: Arc<[(ProviderName, [u8; 32])]>| {
            let db = of_keys.clone();
            async move { keys::keys_by_fingerprint(&db.client().await?, &asked).await }
        });
        drop(entered);
        Ok(Self {
            db,
            publications: Some(publications),
            keys,
            saved_time: opened.saved_time,
            opened: opened.time,
            publisher: Some(publisher),
            runtime: Some(runtime),
            handle,
        })
    }

    /// How the steady time stood when it was saved last before the database was opened.
    pub fn saved_time(&self) -> Option<SavedTime> {
        self.saved_time
    }

    /// The time of the database, which all nodes share, at this moment: as it was when it was opened, and what has passed since.
    pub fn time_at_start(&self) -> Option<Timestamp> {
        let (time, since) = self.opened;
        time.checked_add(SignedDuration::try_from(since.elapsed()).ok()?)
            .ok()
    }

    /// Notes how fast the clock of this node runs, and returns the speed that was noted before.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be asked.
    pub fn note_clock_speed(&self, speed: f64) -> Result<Option<f64>> {
        let noted = std::thread::scope(|scope| {
            let note = async { time::note_speed(&self.db.client().await?, speed).await };
            scope.spawn(|| self.handle.block_on(note)).join()
        });
        noted.map_err(|_| StoreError::Closed)?
    }

    /// Notes the change of a webhook, here and on the other nodes, before it is answered. One that failed may have been written all the
    /// same.
    async fn announce<T: Send + 'static>(
        &self,
        changed: Result<T>,
        lane: impl Fn(&T) -> Option<i64>,
    ) -> Result<T> {
        let changed = changed.inspect_err(|_| self.db.changes.any_changed())?;
        if let Some(lane) = lane(&changed) {
            self.db.changes.changed(lane);
            let db = self.db.clone();
            self.run(async move { changes::announce(&db, lane).await })
                .await?;
        }
        Ok(changed)
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

/// Commits publications, as many together as come while the ones before are committed, and under load as come a little later: the cost of
/// a transaction is its own rather than that of its rows.
async fn publish_for_ever(
    db: Arc<Db>,
    mut waiting: mpsc::Receiver<publish::Job>,
    metrics: Arc<Metrics>,
) {
    let mut jobs = Vec::new();
    let mut before = 0;
    while waiting.recv_many(&mut jobs, publish::BATCH).await > 0 {
        gather_more(&mut waiting, &mut jobs, publish::BATCH, before).await;
        before = jobs.len();
        let batch = std::mem::take(&mut jobs);
        metrics.committed(batch.len());
        publish::publish_all(&db, batch).await;
    }
}

/// Waits for more of what has begun to come, if much came together now or `before`, and takes at most so much in all.
async fn gather_more<T>(
    waiting: &mut mpsc::Receiver<T>,
    taken: &mut Vec<T>,
    most: usize,
    before: usize,
) {
    let pause = gather(before.max(taken.len()));
    if pause.is_zero() {
        return;
    }
    let _ = tokio::time::timeout(pause, std::future::pending::<()>()).await;
    while taken.len() < most
        && let Ok(next) = waiting.try_recv()
    {
        taken.push(next);
    }
}

/// How long what is written waits for more, when so much was written together last.
fn gather(together: usize) -> Duration {
    if together < GATHER_FROM {
        Duration::ZERO
    } else {
        GATHER
    }
}

/// Waits until every publication that was handed in is committed or has failed.
impl Drop for PostgresStore {
    fn drop(&mut self) {
        drop(self.publications.take());
        let (Some(runtime), Some(publisher)) = (self.runtime.take(), self.publisher.take()) else {
            return;
        };
        let db = self.db.clone();
        // Where this is dropped nothing may block on a runtime, so another thread does.
        let ended = std::thread::spawn(move || {
            let _ = runtime.block_on(async { tokio::time::timeout(CLOSE, publisher).await });
            let left = async { tokio::time::timeout(CLOSE, changes::leave(&db)).await };
            if let Ok(Err(error)) = runtime.block_on(left) {
                tracing::debug!(
                    error = with_causes(&error),
                    "other nodes wait for this one until its term ends"
                );
            }
            db.pool.close();
            runtime.shutdown_background();
        });
        let _ = ended.join();
    }
}
