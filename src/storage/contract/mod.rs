//! What every store must do, as one suite that each backend runs. A verb without a test here does not merge.
//!
//! Here are the subject and the fixtures; the tests stand by what they are about. Every time is an argument, so nothing sleeps.

mod file;
mod keys;
mod webhooks;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;

use super::{EncryptionKey, SqliteStore, Store, WebhookKey};
use crate::domain::{Provider, ReceiverUrl, SchemePolicy, Secret, Webhook};

const KEY: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

struct Subject {
    store: Arc<dyn Store>,
    folder: TempDir,
}

fn sqlite() -> Subject {
    open(tempfile::tempdir().unwrap())
}

fn open(folder: TempDir) -> Subject {
    let store = SqliteStore::open(
        &folder.path().join("t.db"),
        &EncryptionKey::from_hex(KEY).unwrap(),
        Arc::default(),
    )
    .unwrap();
    Subject {
        store: Arc::new(store),
        folder,
    }
}

impl Subject {
    /// The same store after a restart of the process.
    fn reopen(self) -> Self {
        let Self { store, folder } = self;
        assert_eq!(Arc::strong_count(&store), 1, "the store is still in use");
        drop(store);
        open(folder)
    }
}

fn at(second: i64) -> Timestamp {
    "2026-01-01T00:00:00.123456Z".parse::<Timestamp>().unwrap() + SignedDuration::from_secs(second)
}

fn webhook(id: &str) -> Webhook {
    Webhook {
        provider: Provider::EqualsMoney,
        id: id.to_owned(),
        owner: "product".to_owned(),
        account_id: Some("F1".to_owned()),
        url: ReceiverUrl::parse("https://example.com/ä?b", SchemePolicy::HttpsOnly).unwrap(),
        event_types: vec!["b".to_owned(), "a".to_owned()],
        enabled: true,
        signing_secret: Some(Secret::new("signing")),
        authorization: Some(Secret::new("Basic x ")),
        created_at: at(0),
        updated_at: at(0),
    }
}

fn key(id: &str) -> WebhookKey {
    WebhookKey {
        provider: Provider::EqualsMoney,
        owner: "product".to_owned(),
        id: id.to_owned(),
        account_id: None,
    }
}
