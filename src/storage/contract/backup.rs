//! Copies of a file that is in use.

use std::os::unix::fs::PermissionsExt;

use super::super::{EventFilter, Store, StoreError, back_up};
use super::damage::{damage, filled};
use super::file::open;
use super::{all, event, key, webhook, with_folder};

#[tokio::test]
async fn a_backup_is_made_of_one_moment_while_others_write() {
    let (subject, home) = with_folder();
    subject.add_webhooks(["1", "2"]).await;
    let path = home.path().join("t.db");
    let copy = home.path().join("copy.db");
    for round in 0..5 {
        for number in 0..50 {
            subject
                .publish(event(&format!("{round} {number}"), 0))
                .await;
        }
        let (from, to) = (path.clone(), copy.clone());
        let backing = tokio::task::spawn_blocking(move || back_up(&from, &to));
        let mut number = 0;
        while !backing.is_finished() {
            subject
                .publish(event(&format!("{round} beside {number}"), 0))
                .await;
            number += 1;
        }
        let made = backing.await.unwrap().unwrap();
        assert_eq!(made.webhooks, 2);
        // An event and its deliveries are one write.
        assert_eq!(made.deliveries, 2 * made.events);
        assert!(made.events >= 50 * (round + 1));
        let data = copy.metadata().unwrap();
        assert_eq!(
            (data.len(), data.permissions().mode() & 0o777),
            (made.bytes, 0o600)
        );
        let again = back_up(&path, &copy).unwrap_err();
        assert!(again.to_string().contains("exists"), "{again}");
        // The copy is a database like any other.
        let store = open(&copy).unwrap();
        assert_eq!(store.webhook(key("1")).await.unwrap(), Some(webhook("1")));
        let events = store.events(EventFilter::default(), all()).await.unwrap();
        assert_eq!(events.rows.len() as u64, made.events);
        drop(store);
        std::fs::remove_file(&copy).unwrap();
    }
    let left = std::fs::read_dir(home.path()).unwrap();
    assert_eq!(left.count(), 3, "t.db and its logs");
}

#[tokio::test]
async fn what_is_not_a_database_of_ours_or_is_damaged_is_not_backed_up() {
    let folder = filled().await;
    let copy = folder.path().join("copy.db");
    let other = folder.path().join("other.db");
    assert!(matches!(
        back_up(&other, &copy),
        Err(StoreError::Missing { .. })
    ));
    rusqlite::Connection::open(&other)
        .unwrap()
        .execute_batch("CREATE TABLE t (x)")
        .unwrap();
    assert!(matches!(
        back_up(&other, &copy),
        Err(StoreError::Foreign { .. })
    ));
    let path = folder.path().join("t.db");
    damage(&path);
    assert!(matches!(
        back_up(&path, &copy),
        Err(StoreError::Backup { .. })
    ));
    let names = std::fs::read_dir(folder.path()).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert!(names.into_iter().all(|name| !name.contains("copy")));
}
