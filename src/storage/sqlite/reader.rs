//! Read-only connections beside the writer. In WAL mode they neither wait for it nor hold it up.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use tokio::sync::Semaphore;

use super::super::StoreError;
use super::health::Health;
use super::open;

/// How many reads may run at once: a few more than cores, since a read rarely waits for the disk.
const CONNECTIONS: usize = 8;

/// A pool of connections that are opened when first needed.
pub(super) struct Readers {
    path: PathBuf,
    health: Arc<Health>,
    idle: Mutex<Vec<Connection>>,
    permits: Semaphore,
}

impl Readers {
    pub(super) fn new(path: &Path, health: Arc<Health>) -> Self {
        Self {
            path: path.to_owned(),
            health,
            idle: Mutex::new(Vec::new()),
            permits: Semaphore::new(CONNECTIONS),
        }
    }

    /// Runs `read` on a thread that may block, and returns its result.
    ///
    /// # Errors
    /// The error of `read`, or why no connection could be opened.
    pub(super) async fn run<T: Send + 'static>(
        self: &Arc<Self>,
        read: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let _permit = self
            .permits
            .acquire()
            .await
            .map_err(|_| StoreError::Closed)?;
        let readers = self.clone();
        tokio::task::spawn_blocking(move || {
            let connection = match readers.take() {
                Some(connection) => connection,
                None => readers.open()?,
            };
            let result = read(&connection);
            readers.health.notice(&result);
            readers.give_back(connection);
            result
        })
        .await
        .map_err(|_| StoreError::Closed)?
    }

    /// Opens one more connection.
    ///
    /// # Errors
    /// Why it cannot be opened.
    pub(super) fn open(&self) -> Result<Connection, StoreError> {
        // By this name there may be another file now.
        self.health.check()?;
        Ok(open::open_reader(&self.path)?)
    }

    fn take(&self) -> Option<Connection> {
        self.idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop()
    }

    fn give_back(&self, connection: Connection) {
        self.idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(connection);
    }
}
