//! The file: what stands in it, what is refused as one, and that what was answered is still there when it is opened again.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::super::{EncryptionKey, EncryptionKeys, Purpose, SqliteStore, Store, StoreError};
use super::{EQUALS_MONEY, KEY, at, key, webhook, with_folder};
use crate::domain::{ApiKey, Fingerprint, Secret, Webhook};

fn log(path: &Path) -> PathBuf {
    path.with_extension("db-wal")
}

pub(super) fn open(path: &Path) -> Result<SqliteStore, StoreError> {
    let key = EncryptionKey::from_hex(KEY).unwrap();
    SqliteStore::open(path, &key.into(), Purpose::Sandbox, Arc::default())
}

#[tokio::test]
async fn nothing_secret_stands_in_the_files_in_clear() {
    let (subject, home) = with_folder();
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
    for entry in std::fs::read_dir(home.path()).unwrap() {
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
    let (subject, _home) = with_folder();
    subject.store.insert_webhook(webhook("1")).await.unwrap();
    let subject = subject.reopen().await;
    assert_eq!(
        subject.store.webhook(key("1")).await.unwrap(),
        Some(webhook("1"))
    );
    subject.store.check().await.unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_to_the_file_leads_to_it_and_to_its_log() {
    let (subject, home) = with_folder();
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("link.db");
    std::os::unix::fs::symlink(home.path().join("t.db"), &link).unwrap();
    let linked = open(&link).unwrap();
    linked.insert_webhook(webhook("1")).await.unwrap();
    let found = subject.store.webhook(key("1")).await.unwrap();
    assert_eq!(found, Some(webhook("1")));
}

#[test]
fn a_file_that_cannot_be_used_is_refused_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let key = EncryptionKeys::from(EncryptionKey::from_hex(KEY).unwrap());
    let open = |path: &Path, key: &EncryptionKeys| {
        SqliteStore::open(path, key, Purpose::Sandbox, Arc::default())
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
    drop(SqliteStore::open(&ours, &key, Purpose::Sandbox, Arc::default()).unwrap());
    let other = EncryptionKey::from_hex(&"ff".repeat(32)).unwrap().into();
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

#[tokio::test]
async fn the_file_and_its_logs_are_for_their_owner_only() {
    let (subject, home) = with_folder();
    subject.store.insert_webhook(webhook("1")).await.unwrap();
    let mut names = Vec::new();
    for entry in std::fs::read_dir(home.path()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{:?}", entry.path());
        names.push(entry.file_name().into_string().unwrap());
    }
    names.sort_unstable();
    assert_eq!(names, ["t.db", "t.db-shm", "t.db-wal"]);
}

#[test]
fn a_file_that_a_link_leads_to_is_made_for_its_owner_too() {
    let folder = tempfile::tempdir().unwrap();
    let (link, file) = (folder.path().join("link.db"), folder.path().join("t.db"));
    std::os::unix::fs::symlink("t.db", &link).unwrap();
    drop(open(&link).unwrap());
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let circle = folder.path().join("circle.db");
    std::os::unix::fs::symlink("circle.db", &circle).unwrap();
    assert!(matches!(open(&circle), Err(StoreError::Unusable { .. })));
}

#[test]
fn no_database_is_made_beside_the_log_of_one_that_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.db");
    let log = log(&path);
    fs::write(&log, b"events").unwrap();
    for empty in [false, true] {
        if empty {
            fs::write(&path, b"").unwrap();
        }
        let refused = open(&path).err().unwrap().to_string();
        assert!(
            refused.contains("t.db-wal still has its last events"),
            "{refused}"
        );
        assert_eq!(fs::read(&log).unwrap(), b"events");
    }
}

#[tokio::test]
async fn the_log_of_a_file_that_was_deleted_is_kept_at_the_end_and_that_of_a_renamed_one_is_folded()
{
    let folder = tempfile::tempdir().unwrap();
    let (path, moved) = (folder.path().join("t.db"), folder.path().join("moved.db"));
    let store = open(&path).unwrap();
    store.insert_webhook(webhook("1")).await.unwrap();
    fs::rename(&path, &moved).unwrap();
    drop(store);
    let store = open(&moved).unwrap();
    assert!(store.webhook(key("1")).await.unwrap().is_some());
    drop(store);
    fs::rename(&moved, &path).unwrap();

    let store = open(&path).unwrap();
    store.insert_webhook(webhook("2")).await.unwrap();
    fs::remove_file(&path).unwrap();
    drop(store);
    assert!(log(&path).metadata().unwrap().len() > 0);
    let refused = open(&path).err().unwrap().to_string();
    assert!(refused.contains("still has its last events"), "{refused}");
    assert!(!path.exists(), "the refused start left a file");
}

#[test]
fn a_file_of_the_other_mode_is_refused() {
    let key = EncryptionKeys::from(EncryptionKey::from_hex(KEY).unwrap());
    for (made_in, other) in [
        (Purpose::Sandbox, Purpose::Production),
        (Purpose::Production, Purpose::Sandbox),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.db");
        let open = |purpose| SqliteStore::open(&path, &key, purpose, Arc::default());
        // At the same time, and after the end of the other.
        let first = open(made_in).unwrap();
        for _ in 0..2 {
            let refused = open(other).map(|_| ()).unwrap_err();
            assert!(matches!(refused, StoreError::OtherMode { .. }));
            assert!(refused.to_string().contains(made_in.as_str()), "{refused}");
        }
        drop(first);
        assert!(open(other).is_err());
        open(made_in).unwrap();
    }
}

/// A change to the files of an open database, or its reversal.
type Meddling = fn(&Path);

#[tokio::test]
async fn nothing_is_accepted_while_the_file_is_not_where_it_was_opened_or_has_two_names() {
    fn moved(path: &Path) -> PathBuf {
        path.with_extension("moved")
    }
    let cases: [(&str, Meddling, Meddling); 4] = [
        (
            "renamed",
            |path| std::fs::rename(path, moved(path)).unwrap(),
            |path| std::fs::rename(moved(path), path).unwrap(),
        ),
        (
            "replaced",
            |path| {
                std::fs::rename(path, moved(path)).unwrap();
                std::fs::copy(moved(path), path).unwrap();
            },
            |path| std::fs::rename(moved(path), path).unwrap(),
        ),
        (
            "linked",
            |path| std::fs::hard_link(path, moved(path)).unwrap(),
            |path| std::fs::remove_file(moved(path)).unwrap(),
        ),
        (
            "without its log",
            |path| std::fs::rename(log(path), moved(path)).unwrap(),
            |path| std::fs::rename(moved(path), log(path)).unwrap(),
        ),
    ];
    for (what, meddle, mend) in cases {
        let (subject, home) = with_folder();
        let path = home.path().join("t.db");
        subject.store.insert_webhook(webhook("1")).await.unwrap();
        meddle(&path);
        let refused = subject.store.insert_webhook(webhook("2")).await;
        assert!(
            matches!(refused, Err(StoreError::Lost { .. })),
            "{what}: {refused:?}"
        );
        assert!(refused.unwrap_err().is_temporary());
        assert!(subject.store.check().await.is_err(), "{what}");
        let claimed = subject
            .store
            .claim(super::terms(&super::slots(9, 9), 1))
            .await;
        assert!(claimed.is_err(), "{what}");
        mend(&path);
        subject.store.check().await.unwrap();
        subject.store.insert_webhook(webhook("2")).await.unwrap();
        assert!(subject.store.webhook(key("2")).await.unwrap().is_some());
    }
}

#[tokio::test]
async fn a_file_that_was_deleted_is_not_written_to() {
    let (subject, home) = with_folder();
    let path = home.path().join("t.db");
    std::fs::remove_file(&path).unwrap();
    let refused = subject.store.insert_webhook(webhook("1")).await;
    assert!(matches!(refused, Err(StoreError::Lost { .. })));
    // Neither is one that somebody makes in its place.
    std::fs::remove_file(log(&path)).unwrap();
    drop(open(&path).unwrap());
    let refused = subject.store.insert_webhook(webhook("1")).await;
    assert!(matches!(refused, Err(StoreError::Lost { .. })));
}

#[test]
fn a_file_with_two_names_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (path, other) = (folder.path().join("a.db"), folder.path().join("b.db"));
    drop(open(&path).unwrap());
    std::fs::hard_link(&path, &other).unwrap();
    for name in [&path, &other] {
        let refused = open(name).map(|_| ()).unwrap_err();
        assert!(refused.to_string().contains("hard link"), "{refused}");
    }
    std::fs::remove_file(&other).unwrap();
    open(&path).unwrap();
}

/// Leases are of the steady time: two clocks of different speeds would not agree on when one ends.
#[test]
fn servers_on_one_file_have_clocks_of_one_speed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.db");
    let first = open(&path).unwrap();
    assert_eq!(first.hold_clock_speed(60.0).unwrap(), None);
    let second = open(&path).unwrap();
    assert_eq!(second.hold_clock_speed(60.0).unwrap(), Some(60.0));
    let third = open(&path).unwrap();
    for _ in 0..2 {
        let refused = third.hold_clock_speed(1.0);
        assert!(
            matches!(refused, Err(StoreError::OtherClockSpeed { speed, .. }) if speed == 60.0),
            "{refused:?}"
        );
        // Whoever is refused takes nothing from the others.
        assert_eq!(second.hold_clock_speed(60.0).unwrap(), Some(60.0));
    }
    drop((first, third));
    let third = open(&path).unwrap();
    assert!(third.hold_clock_speed(1.0).is_err());
    drop((second, third));
    let third = open(&path).unwrap();
    assert_eq!(third.hold_clock_speed(1.0).unwrap(), Some(60.0));
    assert_eq!(third.hold_clock_speed(1.0).unwrap(), Some(1.0));
}

#[test]
fn no_database_is_made_beside_the_log_that_a_running_server_has_open() {
    let folder = tempfile::tempdir().unwrap();
    let (path, moved) = (folder.path().join("t.db"), folder.path().join("moved.db"));
    let first = open(&path).unwrap();
    first.hold_clock_speed(1.0).unwrap();
    fs::rename(&path, &moved).unwrap();
    let refused = open(&path).err().unwrap().to_string();
    assert!(
        refused.contains("while another server has it open"),
        "{refused}"
    );
    assert!(!path.exists());
    fs::rename(&moved, &path).unwrap();
    drop(first);
    assert!(open(&path).is_ok());
}
