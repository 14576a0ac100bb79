//! A damaged file is found, at the start or when the damage is met.

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;

use super::super::{EventFilter, Store, StoreError};
use super::file::open;
use super::{all, event, with_folder};

/// Fills the second half of the file with bytes that are not pages.
pub(super) fn damage(path: &Path) {
    let mut file = File::options().write(true).open(path).unwrap();
    let length = file.metadata().unwrap().len();
    file.seek(SeekFrom::Start(length / 2)).unwrap();
    let rest = usize::try_from(length - length / 2).unwrap();
    file.write_all(&vec![0xa5; rest]).unwrap();
}

/// A closed file with many events.
pub(super) async fn filled() -> Arc<tempfile::TempDir> {
    let (subject, home) = with_folder();
    for number in 0..300 {
        let mut event = event(&number.to_string(), number);
        event.data = format!("\"{}\"", "x".repeat(2_000));
        subject.publish(event).await;
    }
    drop(subject);
    home
}

#[tokio::test]
async fn a_damaged_file_is_found_at_the_start() {
    let folder = filled().await;
    let path = folder.path().join("t.db");
    open(&path).unwrap().examine().unwrap();
    damage(&path);
    let found = open(&path).unwrap().examine().unwrap_err();
    assert!(matches!(found, StoreError::Damage { .. }), "{found}");
}

#[tokio::test]
async fn a_file_whose_tables_cannot_be_read_is_refused_as_damaged() {
    let folder = filled().await;
    let path = folder.path().join("t.db");
    let whole = fs::read(&path).unwrap();
    // The first page has the schema, the others what is read at the start.
    for pages in 1..whole.len() / 4_096 / 2 {
        let mut content = whole.clone();
        content[pages * 4_096..].fill(0xa5);
        fs::write(&path, content).unwrap();
        let refused = open(&path).and_then(|store| store.examine());
        assert!(
            matches!(refused, Err(StoreError::Damage { .. })),
            "{pages}: {refused:?}"
        );
        let said = refused.unwrap_err().to_string();
        assert!(
            said.contains("is damaged") && said.contains("backup"),
            "{said}"
        );
    }
}

#[tokio::test]
async fn a_damaged_page_that_is_met_later_makes_the_store_unfit() {
    let folder = filled().await;
    let path = folder.path().join("t.db");
    let store = open(&path).unwrap();
    store.check().await.unwrap();
    damage(&path);
    assert!(store.events(EventFilter::default(), all()).await.is_err());
    let unfit = store.check().await;
    assert!(matches!(unfit, Err(StoreError::Lost { .. })), "{unfit:?}");
}
