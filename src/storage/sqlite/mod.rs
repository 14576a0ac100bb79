//! The embedded store: one SQLite file with a writer thread (group commit) and read-only connections beside it.

mod reader;
mod rows;
mod schema;
mod verbs;
mod writer;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

use self::reader::Readers;
use self::writer::Writer;
use super::seal::{EncryptionKey, Sealer};
use super::{Page, Store, StoreError, WebhookFilter, WebhookKey, WebhookPage};
use crate::domain::{ApiKey, Fingerprint, Provider, Webhook, WebhookChange};

/// A store in one SQLite file.
pub struct SqliteStore {
    readers: Arc<Readers>,
    writer: Writer,
    sealer: Arc<Sealer>,
}

impl SqliteStore {
    /// Opens the file, creating it if need be, and brings its schema up to date.
    ///
    /// # Errors
    /// [`StoreError`] says in one line why the file cannot be used.
    pub fn open(path: &Path, key: &EncryptionKey) -> Result<Self, StoreError> {
        let sealer = Arc::new(Sealer::new(key));
        let connection = schema::open_writer(path, &sealer)?;
        Ok(Self {
            readers: Arc::new(Readers::new(path)),
            writer: Writer::start(connection),
            sealer,
        })
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn insert_webhook(&self, webhook: Webhook) -> Result<(), StoreError> {
        let sealer = self.sealer.clone();
        self.writer
            .run(move |connection| verbs::insert_webhook(connection, &sealer, &webhook))
            .await
    }

    async fn webhook(&self, key: WebhookKey) -> Result<Option<Webhook>, StoreError> {
        let sealer = self.sealer.clone();
        self.readers
            .run(move |connection| verbs::webhook(connection, &sealer, &key))
            .await
    }

    async fn webhooks(&self, filter: WebhookFilter, page: Page) -> Result<WebhookPage, StoreError> {
        let sealer = self.sealer.clone();
        self.readers
            .run(move |connection| verbs::webhooks(connection, &sealer, &filter, &page))
            .await
    }

    async fn update_webhook(
        &self,
        key: WebhookKey,
        change: WebhookChange,
        now: Timestamp,
    ) -> Result<Option<Webhook>, StoreError> {
        let sealer = self.sealer.clone();
        self.writer
            .run(move |connection| verbs::update_webhook(connection, &sealer, &key, change, now))
            .await
    }

    async fn delete_webhook(&self, key: WebhookKey) -> Result<bool, StoreError> {
        self.writer
            .run(move |connection| verbs::delete_webhook(connection, &key))
            .await
    }

    async fn insert_key(&self, key: ApiKey) -> Result<(), StoreError> {
        self.writer
            .run(move |connection| verbs::insert_key(connection, &key))
            .await
    }

    async fn key(
        &self,
        provider: Provider,
        fingerprint: Fingerprint,
    ) -> Result<Option<ApiKey>, StoreError> {
        self.readers
            .run(move |connection| verbs::key(connection, provider, &fingerprint))
            .await
    }

    async fn keys(&self) -> Result<Vec<ApiKey>, StoreError> {
        self.readers.run(verbs::keys).await
    }

    async fn revoke_key(&self, id: String, now: Timestamp) -> Result<bool, StoreError> {
        self.writer
            .run(move |connection| verbs::revoke_key(connection, &id, now))
            .await
    }

    async fn check(&self) -> Result<(), StoreError> {
        self.writer.run(|_| Ok(())).await?;
        self.readers
            .run(|connection| Ok(connection.query_row("SELECT 1", [], |_| Ok(()))?))
            .await
    }
}
