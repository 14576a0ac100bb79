//! The one writer: a thread that commits the writes of many callers together, one that makes the commits durable, and one that copies
//! the log into the file.
//!
//! SQLite has one writer at a time, and a durable commit costs an fsync. So the fsync is taken out of the commit: in WAL mode with
//! `synchronous = NORMAL` a commit writes the log without syncing it, and the second thread syncs the log for all commits that were
//! made meanwhile. A caller that promises something to others is not answered before that; claims and results are answered when they are
//! committed, because those that a loss of power takes are only attempted again. The writer goes on with the next batch while the disk
//! works, and batches grow with what waits. SQLite itself syncs the log before a checkpoint copies it, so a loss of power leaves a whole
//! number of commits. Where several callers come at a time it waits a moment for them before it begins.
//!
//! Another program may hold the file's lock. Then jobs wait for it together, each no longer than [`PATIENCE`] from when it was handed in.
//!
//! A job that fails is rolled back alone: the batch is undone and run again with a savepoint around each job. Savepoints for all would
//! cost every batch a copy of every page that each job changes.

use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::{mpsc, oneshot};

use super::super::StoreError;
use super::checkpoint::{self, Checkpoints};
use super::health::Health;
use super::waiting::{Answer, Batch, Job, QUEUE, Waiting};
use crate::metrics::Metrics;

/// How many jobs one commit may hold: bounds the memory of a batch and the wait of its first job.
const BATCH: usize = 512;

/// How many commits may wait for the disk.
const UNSYNCED: usize = 64;

/// How long a job waits for another program that holds the lock of the file.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long a commit that nobody waits for may stay unsynced.
const LAZINESS: Duration = Duration::from_secs(1);

struct Verb<F, T> {
    verb: F,
    wanted: Answer,
    handed_in: Instant,
    result: Option<Result<T, StoreError>>,
    caller: oneshot::Sender<Result<T, StoreError>>,
}

impl<T: Send, F: FnMut(&Connection) -> Result<T, StoreError> + Send> Job for Verb<F, T> {
    fn run(&mut self, connection: &Connection) -> bool {
        self.result = Some((self.verb)(connection));
        matches!(self.result, Some(Ok(_)))
    }

    fn wanted(&self) -> Answer {
        self.wanted
    }

    fn handed_in(&self) -> Instant {
        self.handed_in
    }

    fn answer(self: Box<Self>, committed: Result<(), StoreError>) {
        let Self {
            verb,
            result,
            caller,
            ..
        } = *self;
        // The values that the caller shares with it are the caller's alone from now on.
        drop(verb);
        let result = committed.and_then(|()| result.unwrap_or(Err(StoreError::Closed)));
        // A caller that has gone away needs no answer: its write stands all the same.
        let _ = caller.send(result);
    }
}

/// The handle of the writer's threads.
pub(super) struct Writer {
    jobs: Option<mpsc::Sender<Box<dyn Job>>>,
    threads: Vec<JoinHandle<()>>,
    health: Arc<Health>,
}

impl Writer {
    /// Gives the connection, the file of its log, and the checkpoints beside it to threads of their own.
    pub(super) fn start(
        connection: Connection,
        log: File,
        checkpoints: Checkpoints,
        health: Arc<Health>,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self::start_with(connection, log, checkpoints, health, metrics, PATIENCE)
    }

    fn start_with(
        mut connection: Connection,
        log: File,
        checkpoints: Checkpoints,
        health: Arc<Health>,
        metrics: Arc<Metrics>,
        patience: Duration,
    ) -> Self {
        let (jobs, queue) = mpsc::channel(QUEUE);
        let (committed, unsynced) = sync_channel(UNSYNCED);
        let lazy = Arc::new(AtomicBool::new(false));
        let lazy_too = lazy.clone();
        let (of_writer, of_sync) = (health.clone(), health.clone());
        let threads = vec![
            named("writer", move || {
                let checkpoints = named("checkpoints", move || checkpoints.make());
                work(
                    &mut connection,
                    queue,
                    &committed,
                    &lazy,
                    &of_writer,
                    &metrics,
                    patience,
                );
                close(connection, checkpoints, &of_writer);
            }),
            named("log-sync", move || {
                sync(&log, &unsynced, &lazy_too, &of_sync);
            }),
        ];
        Self {
            jobs: Some(jobs),
            threads,
            health,
        }
    }

    /// Runs `verb` in a transaction and returns its result once it is durable. It is called again when another job of the same batch
    /// fails; what it wrote before is undone then.
    ///
    /// # Errors
    /// The verb's own error, after which nothing of it is kept; or that of the shared commit.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        verb: impl FnMut(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.hand_in(verb, Answer::Durable).await
    }

    /// As [`Self::run`], but returns once it is committed; it is durable a second later at the latest.
    ///
    /// # Errors
    /// As there.
    pub(super) async fn run_ahead<T: Send + 'static>(
        &self,
        verb: impl FnMut(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.hand_in(verb, Answer::Committed).await
    }

    async fn hand_in<T: Send + 'static>(
        &self,
        verb: impl FnMut(&Connection) -> Result<T, StoreError> + Send + 'static,
        wanted: Answer,
    ) -> Result<T, StoreError> {
        let (caller, answered) = oneshot::channel();
        let job = Box::new(Verb {
            verb,
            wanted,
            handed_in: Instant::now(),
            result: None,
            caller,
        });
        let jobs = self.jobs.as_ref().ok_or(StoreError::Closed)?;
        jobs.send(job).await.map_err(|_| StoreError::Closed)?;
        let result = answered.await.map_err(|_| StoreError::Closed)?;
        self.health.notice(&result);
        result
    }
}

/// A thread that the tools of the operating system show by its name.
fn named(name: &str, work: impl FnOnce() + Send + 'static) -> JoinHandle<()> {
    let thread = std::thread::Builder::new().name(name.to_owned());
    thread.spawn(work).expect("the system has a thread to give")
}

/// Waits until every job that was handed in is durable and the file is closed.
impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.jobs.take());
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

/// Commits what waits, batch by batch, until every handle is gone or the disk has failed.
fn work(
    connection: &mut Connection,
    mut queue: mpsc::Receiver<Box<dyn Job>>,
    committed: &SyncSender<Batch>,
    lazy: &AtomicBool,
    health: &Health,
    metrics: &Metrics,
    patience: Duration,
) {
    let mut waiting = Waiting::default();
    while waiting.fill(&mut queue) {
        waiting.gather(&mut queue);
        let mut batch = Batch::new();
        if health.check().is_err() {
            // Where it was mended in this moment, the caller is told to try again all the same.
            batch.extend(std::iter::from_fn(|| waiting.next()));
            answer(batch, || health.check().and(Err(StoreError::Closed)));
            continue;
        }
        let result = commit(connection, &mut batch, &mut waiting, &mut queue, patience);
        metrics.committed(batch.len());
        match result {
            Ok(()) => {
                let (durable, ahead): (Batch, Batch) = batch
                    .into_iter()
                    .partition(|job| job.wanted() == Answer::Durable);
                waiting.learn(durable.len());
                answer(ahead, || Ok(()));
                // Where nobody waits, the other thread is only told that there is something to sync, and only once.
                let told = lazy.swap(durable.is_empty(), Ordering::AcqRel) && durable.is_empty();
                // It has ended: the disk refused what was committed before, and nothing that follows can be trusted.
                if !told && committed.send(durable).is_err() {
                    return;
                }
            }
            Err(error) => {
                health.notice_error(&error);
                answer(batch, || Err(StoreError::Commit(error.to_string())));
            }
        }
    }
}

/// Leaves one file behind instead of three; after a crash the next start reads the log.
fn close(mut connection: Connection, checkpoints: JoinHandle<()>, health: &Health) {
    // The last connection folds the log, so the other one has to be closed before: of two that close at once, neither is the last.
    let may_fold = health.may_fold();
    // Commits may still wait for the disk beside this.
    health.close();
    let ended = checkpoint::end(&mut connection);
    if ended.is_ok() {
        let _ = checkpoints.join();
    }
    let folded = ended
        .and_then(|()| {
            if may_fold {
                connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")
            } else {
                let flag = DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE;
                connection.set_db_config(flag, true).map(drop)
            }
        })
        .and_then(|()| connection.close().map_err(|(_, error)| error));
    if let Err(error) = folded {
        tracing::warn!(%error, "the database log could not be folded into the file; the next start does it");
    }
}

/// Makes commits durable, as many at once as were made meanwhile, and answers their callers. `lazy` says that some commits without
/// callers wait for the next sync.
fn sync(log: &File, unsynced: &Receiver<Batch>, lazy: &AtomicBool, health: &Health) {
    let mut open = true;
    while open {
        let first = if lazy.load(Ordering::Acquire) {
            unsynced.recv_timeout(LAZINESS)
        } else {
            unsynced.recv().map_err(RecvTimeoutError::from)
        };
        let mut batches = Vec::new();
        match first {
            // Somebody waits, or there is nothing but the news that something is to be synced.
            Ok(first) => batches.push(first),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => open = false,
        }
        if batches.iter().any(Vec::is_empty) {
            continue;
        }
        batches.extend(unsynced.try_iter());
        lazy.store(false, Ordering::Release);
        let synced = log.sync_data();
        // Once for all: it is looked at for each only where it is not in its place.
        let in_place = health.check().is_ok();
        for batch in batches {
            answer(batch, || match &synced {
                Ok(()) if in_place => Ok(()),
                Ok(()) => health.check().and(Err(StoreError::Closed)),
                Err(error) => Err(StoreError::Commit(error.to_string())),
            });
        }
        if let Err(error) = synced {
            // A second sync may succeed without what the first one lost, so there is none: the server has to be started again.
            tracing::error!(%error, "the disk refused the database log: nothing more is written; start the server again");
            return;
        }
    }
}

fn answer(batch: Batch, committed: impl Fn() -> Result<(), StoreError>) {
    for job in batch {
        job.answer(committed());
    }
}

/// Runs the jobs that wait in one transaction; what was run stands in `batch` afterwards.
fn commit(
    connection: &mut Connection,
    batch: &mut Batch,
    waiting: &mut Waiting,
    queue: &mut mpsc::Receiver<Box<dyn Job>>,
    patience: Duration,
) -> rusqlite::Result<()> {
    waiting.take_all(queue);
    // 0 would be no handler at all: the lock is asked for once more at least.
    let wait = waiting.patience(patience).max(Duration::from_millis(1));
    connection.busy_timeout(wait)?;
    let transaction = match connection.transaction_with_behavior(TransactionBehavior::Immediate) {
        Ok(transaction) => transaction,
        Err(error) => {
            waiting.take_all(queue);
            batch.extend(waiting.impatient(patience));
            return Err(error);
        }
    };
    batch.extend(waiting.next());
    while let Some(job) = batch.last_mut() {
        if !job.run(&transaction) {
            // SQLite ends the transaction by itself where the disk is full.
            if transaction.is_autocommit() {
                drop(transaction);
            } else {
                transaction.rollback()?;
            }
            return commit_each(connection, batch);
        }
        if batch.len() == BATCH {
            break;
        }
        waiting.take_all(queue);
        match waiting.next() {
            Some(next) => batch.push(next),
            None => break,
        }
    }
    transaction.commit()
}

/// Runs the jobs of `batch` in one transaction and undoes each that fails.
fn commit_each(connection: &mut Connection, batch: &mut [Box<dyn Job>]) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for job in batch {
        transaction.prepare_cached("SAVEPOINT job")?.execute([])?;
        if !job.run(&transaction) {
            if transaction.is_autocommit() {
                // The writes of the jobs before it are gone with the transaction.
                return Err(ended_by_sqlite());
            }
            transaction.prepare_cached("ROLLBACK TO job")?.execute([])?;
        }
        transaction.prepare_cached("RELEASE job")?.execute([])?;
    }
    transaction.commit()
}

fn ended_by_sqlite() -> rusqlite::Error {
    let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_FULL);
    let reason = "the transaction was ended: the disk is full or refuses what is written";
    rusqlite::Error::SqliteFailure(code, Some(reason.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::super::open;
    use super::super::waiting::TOGETHER;
    use super::*;

    #[tokio::test]
    async fn each_job_waits_for_the_lock_of_another_program_from_when_it_was_handed_in() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.db");
        let mut connection = Connection::open(&path).unwrap();
        connection
            .execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE kept (value INTEGER)")
            .unwrap();
        let (log, _) = open::open_log(&path).unwrap();
        let beside = open::open_beside(&path).unwrap();
        let checkpoints = checkpoint::beside(&mut connection, beside, checkpoint::WORTH).unwrap();
        let health = Arc::new(Health::of_memory());
        let patience = Duration::from_secs(1);
        let writer = Writer::start_with(
            connection,
            log,
            checkpoints,
            health,
            Arc::default(),
            patience,
        );
        let foreign = Connection::open(&path).unwrap();
        foreign.execute_batch("BEGIN IMMEDIATE").unwrap();
        let insert =
            |connection: &Connection| Ok(connection.execute("INSERT INTO kept VALUES (1)", [])?);
        let began = Instant::now();
        let writer = Arc::new(writer);
        let mut jobs = tokio::task::JoinSet::new();
        for number in 0..20 {
            let writer = writer.clone();
            // Some ahead of the others, as results are.
            jobs.spawn(async move {
                if number % 2 == 0 {
                    writer.run(insert).await
                } else {
                    writer.run_ahead(insert).await
                }
            });
        }
        while let Some(refused) = jobs.join_next().await {
            assert!(refused.unwrap().is_err_and(|error| error.is_temporary()));
        }
        // One by one it would be 20 s.
        let waited = began.elapsed();
        assert!(
            waited >= patience - TOGETHER && waited < 8 * patience,
            "{waited:?}"
        );
        foreign.execute_batch("ROLLBACK").unwrap();
        assert_eq!(writer.run(insert).await.unwrap(), 1);
    }

    /// A device stands in for a disk that refuses: its `fdatasync` is an error.
    #[cfg(unix)]
    #[tokio::test]
    async fn nothing_is_promised_when_the_disk_refuses_the_log_and_nothing_more_is_written() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch("CREATE TABLE kept (value INTEGER)")
            .unwrap();
        let log = File::options().write(true).open("/dev/null").unwrap();
        let beside = Connection::open_in_memory().unwrap();
        let checkpoints = checkpoint::beside(&mut connection, beside, checkpoint::WORTH).unwrap();
        let writer = Writer::start(
            connection,
            log,
            checkpoints,
            Arc::new(Health::of_memory()),
            Arc::default(),
        );
        let insert =
            |connection: &Connection| Ok(connection.execute("INSERT INTO kept VALUES (1)", [])?);
        let refused = writer.run(insert).await;
        assert!(matches!(refused, Err(StoreError::Commit(_))), "{refused:?}");
        // The writer learns of it at one of the next commits.
        let mut ended = false;
        for _ in 0..UNSYNCED {
            let after = writer.run(insert).await;
            assert!(after.is_err(), "a commit after the failure was promised");
            ended |= matches!(after, Err(StoreError::Closed));
        }
        assert!(ended, "the writer goes on");
    }
}
