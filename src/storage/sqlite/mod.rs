//! The embedded store: one SQLite file with a writer thread (group commit) and read-only connections beside it.

mod backup;
mod checkpoint;
mod claim;
#[cfg(test)]
mod cost;
mod deliveries;
mod events;
mod headers;
mod health;
mod ids;
mod in_flight;
mod inspect;
mod jobs;
mod keys;
mod matching;
mod migrations;
mod open;
mod publish;
mod queue;
mod reader;
mod results;
mod rotation;
mod rows;
mod schema;
mod time;
mod verbs;
mod waiting;
mod webhooks;
mod writer;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

pub use self::backup::{BackedUp, back_up};
use self::headers::Shapes;
use self::health::Health;
use self::ids::SealedIds;
use self::matching::{Matching, UntilChanged};
pub use self::open::{check_exists, check_sealed};
use self::reader::Readers;
use self::writer::Writer;
use super::key_file::EncryptionKeys;
use super::seal::Sealer;
use super::targets::Targets;
use super::{Addressee, NotMatched, Purpose, StoreError, WebhookChanges};
use crate::clock::SavedTime;
use crate::metrics::Metrics;

/// How long the file is looked through for damage at the start.
const EXAMINATION: Duration = Duration::from_secs(3);

/// A store in one SQLite file.
pub struct SqliteStore {
    readers: Arc<Readers>,
    writer: Writer,
    sealer: Arc<Sealer>,
    ids: SealedIds,
    shapes: Shapes,
    matching: Arc<Matching>,
    targets: Arc<Targets>,
    not_matched: Arc<UntilChanged<NotMatched>>,
    health: Arc<Health>,
    saved_time: Option<SavedTime>,
    path: PathBuf,
    log: File,
    webhook_changes: WebhookChanges,
}

impl SqliteStore {
    /// Opens the file, creating it if need be, and brings its schema up to date. Where its secrets are sealed with an earlier one of
    /// `keys`, a change to the current one begins; see [`Store::step_rotation`](super::Store::step_rotation).
    ///
    /// # Errors
    /// [`StoreError`] says in one line why the file cannot be used.
    pub fn open(
        path: &Path,
        keys: &EncryptionKeys,
        purpose: Purpose,
        metrics: Arc<Metrics>,
    ) -> Result<Self, StoreError> {
        open::refuse_orphaned_log(path)?;
        open::refuse_other_name(path)?;
        Self::open_file(path, keys, purpose, metrics).map_err(|error| match error {
            StoreError::Statement(error) => open::unusable(path, &error),
            other => other,
        })
    }

    fn open_file(
        path: &Path,
        keys: &EncryptionKeys,
        purpose: Purpose,
        metrics: Arc<Metrics>,
    ) -> Result<Self, StoreError> {
        let sealer = Arc::new(Sealer::new(keys));
        health::create(path)?;
        let mut connection = open::open_writer(path, &sealer, purpose)?;
        let saved_time = time::saved(&connection)?;
        let ids = SealedIds::of(&connection)?;
        let shapes = Shapes::of(&connection)?;
        let (log, log_path) = open::open_log(path)?;
        let health = Arc::new(Health::of(path, &log_path)?);
        let held = log.try_clone().map_err(|error| StoreError::Unusable {
            path: path.to_owned(),
            reason: error.to_string(),
        })?;
        let beside = open::open_beside(path)?;
        let checkpoints = checkpoint::beside(&mut connection, beside, checkpoint::WORTH)?;
        Ok(Self {
            readers: Arc::new(Readers::new(path, health.clone())),
            writer: Writer::start(connection, log, checkpoints, health.clone(), metrics),
            sealer,
            ids,
            shapes,
            matching: Arc::default(),
            targets: Arc::default(),
            not_matched: Arc::default(),
            health,
            saved_time,
            path: path.to_owned(),
            log: held,
            webhook_changes: WebhookChanges::own(),
        })
    }

    /// How the steady time stood when it was saved last before the file was opened.
    pub fn saved_time(&self) -> Option<SavedTime> {
        self.saved_time
    }

    /// Notes how fast the clock of this server runs, which has to be as fast as that of any other server with this file; returns what was
    /// noted before.
    ///
    /// # Errors
    /// [`StoreError::OtherClockSpeed`] when it is not.
    pub fn hold_clock_speed(&self, speed: f64) -> Result<Option<f64>, StoreError> {
        let connection = open::open_beside(&self.path)?;
        connection.busy_timeout(Duration::from_secs(5))?;
        time::hold_speed(&connection, &self.path, &self.log, speed)
    }

    /// Counts the webhooks of an event's type that it is not for.
    async fn not_matched(&self, addressee: Addressee) -> Result<NotMatched, StoreError> {
        let kept = self.not_matched.clone();
        self.readers
            .run(move |connection| {
                let count = |addressee: &_| inspect::not_matched(connection, addressee);
                kept.get_or_find(connection, addressee, |_| 0, count)
            })
            .await
    }

    /// Notes the change of a webhook before it is answered. One that failed may have been written all the same.
    fn note_change<T>(&self, changed: &Result<T, StoreError>, lane: impl Fn(&T) -> Option<i64>) {
        match changed {
            Ok(changed) => {
                if let Some(lane) = lane(changed) {
                    self.webhook_changes.changed(lane);
                }
            }
            Err(_) => self.webhook_changes.any_changed(),
        }
    }

    /// Looks through the file for damage, for a few seconds at most.
    ///
    /// # Errors
    /// [`StoreError::Damage`] with the first damage that was found.
    pub fn examine(&self) -> Result<(), StoreError> {
        self.health.examine(&mut self.readers.open()?, EXAMINATION)
    }
}
