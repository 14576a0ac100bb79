//! The file: what stands in it, what is refused as one, and that what was answered is still there when it is opened again.

use std::sync::Arc;

use super::super::{EncryptionKey, SqliteStore, Store, StoreError};
use super::{EQUALS_MONEY, KEY, at, key, sqlite, webhook};
use crate::domain::{ApiKey, Fingerprint, Secret, Webhook};

#[tokio::test]
async fn nothing_secret_stands_in_the_files_in_clear() {
    let subject = sqlite();
    let secret = "a-secret-that-is-easy-to-find";
    let webhook = Webhook {
        signing_secret: Some(Secret::new(secret)),
        authorization: Some(Secret::new(secret)),
        ..webhook("1")
    };
    subject.store.insert_webhook(webhook).await.unwrap();
    let api_key = ApiKey {
        id: "k".to_owned(),
        provider: EQUALS_MONEY,
        owner: "p".to_owned(),
        name: None,
        key: Fingerprint::of(secret.as_bytes()),
        secret: None,
        created_at: at(0),
        revoked_at: None,
    };
    subject.store.insert_key(api_key).await.unwrap();
    for entry in std::fs::read_dir(subject.folder.path()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        assert!(
            !bytes
                .windows(secret.len())
                .any(|window| window == secret.as_bytes())
        );
    }
}

#[tokio::test]
async fn what_was_answered_is_there_after_the_file_is_opened_again() {
    let subject = sqlite();
    subject.store.insert_webhook(webhook("1")).await.unwrap();
    let subject = subject.reopen();
    assert_eq!(
        subject.store.webhook(key("1")).await.unwrap(),
        Some(webhook("1"))
    );
    subject.store.check().await.unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_to_the_file_leads_to_it_and_to_its_log() {
    let subject = sqlite();
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("link.db");
    std::os::unix::fs::symlink(subject.folder.path().join("t.db"), &link).unwrap();
    let key_file = EncryptionKey::from_hex(KEY).unwrap();
    let linked = SqliteStore::open(&link, &key_file, Arc::default()).unwrap();
    linked.insert_webhook(webhook("1")).await.unwrap();
    let found = subject.store.webhook(key("1")).await.unwrap();
    assert_eq!(found, Some(webhook("1")));
}

#[test]
fn a_file_that_cannot_be_used_is_refused_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let key = EncryptionKey::from_hex(KEY).unwrap();
    let open = |path: &std::path::Path, key: &EncryptionKey| {
        SqliteStore::open(path, key, Arc::default())
            .map(|_| ())
            .unwrap_err()
    };

    let text = folder.path().join("text");
    std::fs::write(
        &text,
        "not a database, but long enough to look at".repeat(50),
    )
    .unwrap();
    assert!(matches!(open(&text, &key), StoreError::Foreign { .. }));

    let foreign = folder.path().join("foreign.db");
    rusqlite::Connection::open(&foreign)
        .unwrap()
        .execute_batch("CREATE TABLE t (x)")
        .unwrap();
    let before = std::fs::read(&foreign).unwrap();
    assert!(matches!(open(&foreign, &key), StoreError::Foreign { .. }));
    assert_eq!(
        std::fs::read(&foreign).unwrap(),
        before,
        "a foreign file was changed"
    );

    assert!(matches!(
        open(&folder.path().join("no/such/folder"), &key),
        StoreError::Unusable { .. }
    ));
    assert!(matches!(
        open(folder.path(), &key),
        StoreError::Unusable { .. }
    ));

    let ours = folder.path().join("ours.db");
    drop(SqliteStore::open(&ours, &key, Arc::default()).unwrap());
    let other = EncryptionKey::from_hex(&"ff".repeat(32)).unwrap();
    assert!(matches!(open(&ours, &other), StoreError::WrongKey { .. }));
    rusqlite::Connection::open(&ours)
        .unwrap()
        .pragma_update(None, "user_version", 99)
        .unwrap();
    assert!(matches!(
        open(&ours, &key),
        StoreError::Newer { found: 99, .. }
    ));
}
