//! The one writer: a thread that commits the writes of many callers together.
//!
//! SQLite has one writer at a time, and a durable commit costs an fsync. Jobs that wait while one commit runs share the next one;
//! each caller is answered when its commit is durable. A job that fails is rolled back alone.

use std::sync::Arc;
use std::thread::JoinHandle;

use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::{mpsc, oneshot};

use super::super::StoreError;
use crate::metrics::Metrics;

/// How many jobs one commit may hold: bounds the memory of a batch and the wait of its first job.
const BATCH: usize = 512;

/// How many jobs may wait: beyond it callers wait to hand theirs in.
const QUEUE: usize = 4_096;

/// One caller's write.
trait Job: Send {
    /// Works inside the transaction; says whether what it wrote is to be kept.
    fn run(&mut self, connection: &Connection) -> bool;

    /// Answers the caller, now that the shared transaction is durable or has failed.
    fn answer(self: Box<Self>, committed: Result<(), StoreError>);
}

struct Verb<F, T> {
    verb: Option<F>,
    result: Option<Result<T, StoreError>>,
    caller: oneshot::Sender<Result<T, StoreError>>,
}

impl<T: Send, F: FnOnce(&Connection) -> Result<T, StoreError> + Send> Job for Verb<F, T> {
    fn run(&mut self, connection: &Connection) -> bool {
        self.result = self.verb.take().map(|verb| verb(connection));
        matches!(self.result, Some(Ok(_)))
    }

    fn answer(self: Box<Self>, committed: Result<(), StoreError>) {
        let Self { result, caller, .. } = *self;
        let result = committed.and_then(|()| result.unwrap_or(Err(StoreError::Closed)));
        // A caller that has gone away needs no answer: its write stands all the same.
        let _ = caller.send(result);
    }
}

/// The handle of the writer's thread.
pub(super) struct Writer {
    jobs: Option<mpsc::Sender<Box<dyn Job>>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Gives the connection to a thread of its own.
    pub(super) fn start(connection: Connection, metrics: Arc<Metrics>) -> Self {
        let (jobs, queue) = mpsc::channel(QUEUE);
        let thread = std::thread::spawn(move || work(connection, queue, &metrics));
        Self {
            jobs: Some(jobs),
            thread: Some(thread),
        }
    }

    /// Runs `verb` in a transaction and returns its result once it is durable.
    ///
    /// # Errors
    /// The verb's own error, after which nothing of it is kept; or that of the shared commit.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        verb: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (caller, answered) = oneshot::channel();
        let job = Box::new(Verb {
            verb: Some(verb),
            result: None,
            caller,
        });
        let jobs = self.jobs.as_ref().ok_or(StoreError::Closed)?;
        jobs.send(job).await.map_err(|_| StoreError::Closed)?;
        answered.await.map_err(|_| StoreError::Closed)?
    }
}

/// Waits until every job that was handed in is committed and the file is closed.
impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn work(mut connection: Connection, mut queue: mpsc::Receiver<Box<dyn Job>>, metrics: &Metrics) {
    let mut batch = Vec::with_capacity(BATCH);
    while let Some(first) = queue.blocking_recv() {
        batch.push(first);
        let committed = commit(&mut connection, &mut batch, &mut queue);
        metrics.committed(batch.len());
        for job in batch.drain(..) {
            job.answer(match &committed {
                Ok(()) => Ok(()),
                Err(error) => Err(StoreError::Commit(error.to_string())),
            });
        }
    }
    // A clean stop leaves one file behind instead of three; after a crash the next start reads the log.
    if let Err(error) = connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)") {
        tracing::warn!(%error, "the database log could not be folded into the file; the next start does it");
    }
}

/// Runs the first job of `batch` and all that wait behind it in one transaction; what was run stands in `batch` afterwards.
fn commit(
    connection: &mut Connection,
    batch: &mut Vec<Box<dyn Job>>,
    queue: &mut mpsc::Receiver<Box<dyn Job>>,
) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    while let Some(job) = batch.last_mut() {
        transaction.prepare_cached("SAVEPOINT job")?.execute([])?;
        if !job.run(&transaction) {
            transaction.prepare_cached("ROLLBACK TO job")?.execute([])?;
        }
        transaction.prepare_cached("RELEASE job")?.execute([])?;
        if batch.len() == BATCH {
            break;
        }
        match queue.try_recv() {
            Ok(next) => batch.push(next),
            Err(_) => break,
        }
    }
    transaction.commit()
}
