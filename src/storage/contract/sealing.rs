//! Secrets in a file, sealed with another key.

use std::sync::Arc;

use super::super::{EncryptionKey, EncryptionKeys, Purpose, SqliteStore, Store, StoreError};
use super::{KEY, at, key, webhook};
use crate::domain::{Secret, WebhookChange};

/// Changing the key: a server that runs reads the file again, and one that was interrupted goes on.
#[tokio::test]
async fn secrets_are_sealed_with_a_new_key_while_others_use_them() {
    let folder = tempfile::tempdir().unwrap();
    let (path, file) = (folder.path().join("t.db"), folder.path().join("key"));
    let old = EncryptionKeys::from_file_or_new(&file).unwrap();
    let old_file = folder.path().join("old");
    std::fs::copy(&file, &old_file).unwrap();
    let old_alone = EncryptionKeys::from_file(&old_file).unwrap();
    let open =
        |keys: &EncryptionKeys| SqliteStore::open(&path, keys, Purpose::Sandbox, Arc::default());
    let server = open(&old).unwrap();
    for id in ["1", "2", "3", "4", "5"] {
        server.insert_webhook(webhook(id)).await.unwrap();
    }
    assert!(!server.step_rotation(2).await.unwrap());
    let new = EncryptionKeys::from_file(&file).unwrap().with_new();
    new.replace_file().unwrap();
    let rotating = open(&new).unwrap();
    assert_eq!(rotating.secrets_of_earlier_keys().await.unwrap(), 5);
    assert!(rotating.step_rotation(2).await.unwrap());
    assert_eq!(rotating.secrets_of_earlier_keys().await.unwrap(), 3);
    // In the midst of it, from the other process: with the new key.
    server.insert_webhook(webhook("6")).await.unwrap();
    let change = WebhookChange {
        authorization: Some(Some(Secret::new("changed"))),
        ..WebhookChange::default()
    };
    server
        .update_webhook(key("5"), change, at(1))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(rotating.secrets_of_earlier_keys().await.unwrap(), 2);
    drop(rotating);
    // Interrupted, and begun again.
    let rotating = open(&EncryptionKeys::from_file(&file).unwrap()).unwrap();
    while rotating.step_rotation(2).await.unwrap() {}
    assert_eq!(rotating.secrets_of_earlier_keys().await.unwrap(), 0);
    new.clone().without_earlier().replace_file().unwrap();
    for store in [&server, &rotating] {
        for id in ["1", "2", "3", "4", "6"] {
            assert_eq!(store.webhook(key(id)).await.unwrap(), Some(webhook(id)));
        }
    }
    drop((server, rotating));
    let refused = open(&old_alone).map(|_| ());
    assert!(matches!(refused, Err(StoreError::WrongKey { .. })));
    let store = open(&EncryptionKeys::from_file(&file).unwrap()).unwrap();
    let changed = store.webhook(key("5")).await.unwrap().unwrap();
    assert_eq!(changed.authorization, Some(Secret::new("changed")));
    assert!(!store.step_rotation(2).await.unwrap());
}

/// One that has read the key file before the change, and opens the database after it.
#[tokio::test]
async fn a_process_with_the_old_key_does_not_take_a_new_one_back() {
    let folder = tempfile::tempdir().unwrap();
    let (path, file) = (folder.path().join("t.db"), folder.path().join("key"));
    let open = |keys: &EncryptionKeys| {
        SqliteStore::open(&path, keys, Purpose::Sandbox, Arc::default()).unwrap()
    };
    let old = EncryptionKeys::from_file_or_new(&file).unwrap();
    open(&old).insert_webhook(webhook("1")).await.unwrap();
    let new = old.clone().with_new();
    new.replace_file().unwrap();
    let rotating = open(&new);
    let server = open(&old);
    server.insert_webhook(webhook("2")).await.unwrap();
    while rotating.step_rotation(2).await.unwrap() {}
    assert_eq!(rotating.secrets_of_earlier_keys().await.unwrap(), 0);
    drop((server, rotating));
    let store = open(&EncryptionKeys::from_file(&file).unwrap().without_earlier());
    for id in ["1", "2"] {
        assert_eq!(store.webhook(key(id)).await.unwrap(), Some(webhook(id)));
    }
}

#[tokio::test]
async fn a_secret_that_does_not_open_does_not_keep_others_from_the_new_key() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.db");
    let old = EncryptionKeys::from(EncryptionKey::from_hex(KEY).unwrap());
    let open = |keys: &EncryptionKeys| {
        SqliteStore::open(&path, keys, Purpose::Sandbox, Arc::default()).unwrap()
    };
    let store = open(&old);
    for id in ["1", "2"] {
        store.insert_webhook(webhook(id)).await.unwrap();
    }
    drop(store);
    let damage = "UPDATE webhook SET signing_secret = substr(signing_secret, 1, 20) WHERE id = '1'";
    rusqlite::Connection::open(&path)
        .unwrap()
        .execute_batch(damage)
        .unwrap();
    let new = old.with_new();
    let store = open(&new);
    while store.step_rotation(1).await.unwrap() {}
    assert_eq!(store.secrets_of_earlier_keys().await.unwrap(), 1);
    drop(store);
    let store = open(&new.without_earlier());
    assert_eq!(store.webhook(key("2")).await.unwrap(), Some(webhook("2")));
}
