//! Attempts are made with the webhook as it is when they start.

use super::*;
use crate::domain::WebhookChange;
use crate::storage::{OnDelete, WebhookKey};

fn key() -> WebhookKey {
    WebhookKey {
        provider: conduit::NAME,
        owner: "o".to_owned(),
        id: "whk_1".to_owned(),
        account_id: None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_stands_in_line_when_a_webhook_is_changed_is_attempted_as_the_change_has_it() {
    let mut old = Closed::start().await;
    let mut new = Closed::start().await;
    let subject = Subject::with_a_line(&mut old).await;
    let change = WebhookChange {
        url: Some(ReceiverUrl::from_stored(new.url.clone())),
        ..WebhookChange::default()
    };
    let changed = subject.store.update_webhook(key(), change, subject.now());
    assert!(changed.await.unwrap().is_some());
    old.open();
    new.open();
    subject
        .all_become(|history| history.delivery.state == DeliveryState::Delivered)
        .await;
    assert!(
        old.requests.try_recv().is_err(),
        "one began with the old URL after the change"
    );
    for _ in 0..4 {
        new.requests.recv().await.unwrap();
    }
    assert!(new.requests.try_recv().is_err());
    let pressure = subject.worker.settings.lanes.pressure();
    assert!(
        pressure.begin_correction().is_empty(),
        "they are counted still"
    );
    subject.worker.stop(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_read_before_a_webhook_was_changed_is_attempted_as_the_change_has_it() {
    let mut old = Closed::start().await;
    let mut new = Closed::start().await;
    old.open();
    new.open();
    let subject = Subject::start(Arc::new(SystemResolver));
    subject.add_webhook(&old.url).await;
    let known = subject.store.webhook_changes().known();
    let (claimed, waiting) = subject.store_event("e").await;
    let change = WebhookChange {
        url: Some(ReceiverUrl::from_stored(new.url.clone())),
        ..WebhookChange::default()
    };
    let changed = subject.store.update_webhook(key(), change, subject.now());
    assert!(changed.await.unwrap().is_some());
    subject.worker.published(claimed, waiting, known).await;
    let all = subject
        .all_become(|history| history.delivery.state == DeliveryState::Delivered)
        .await;
    let attempts: Vec<u32> = all[0].attempts.iter().map(|one| one.number).collect();
    assert_eq!(attempts, [1], "one was counted that was not made");
    new.requests.recv().await.unwrap();
    assert!(old.requests.try_recv().is_err());
    subject.worker.stop(PATIENCE).await;
    assert!(subject.worker.settings.lanes.is_unused());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_read_before_a_webhook_was_deleted_is_not_attempted_when_that_cancels_it() {
    let mut receiver = Closed::start().await;
    receiver.open();
    let subject = Subject::start(Arc::new(SystemResolver));
    subject.add_webhook(&receiver.url).await;
    let known = subject.store.webhook_changes().known();
    let (claimed, waiting) = subject.store_event("e").await;
    let now = subject.now();
    let deleted = subject
        .store
        .delete_webhook(key(), OnDelete::CancelPending, now);
    assert!(deleted.await.unwrap());
    subject.worker.published(claimed, waiting, known).await;
    subject.worker.stop(PATIENCE).await;
    let all = subject.histories().await;
    assert_eq!(all[0].delivery.state, DeliveryState::Cancelled);
    assert!(all[0].attempts.is_empty());
    assert!(receiver.requests.try_recv().is_err());
    assert!(subject.worker.settings.lanes.is_unused());
}
