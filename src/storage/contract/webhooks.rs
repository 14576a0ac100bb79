//! Webhooks: kept, changed, listed and removed.

use super::super::{OnDelete, Page, Position, Store, WebhookFilter, WebhookKey};
use super::{
    CONDUIT, EQUALS_MONEY, at, event, fresh, is_refused, key, publication, slots, stored, webhook,
};
use crate::domain::{Event, Webhook, WebhookChange};

fn filter() -> WebhookFilter {
    WebhookFilter {
        provider: EQUALS_MONEY,
        owner: "product".to_owned(),
        account_id: None,
        event_type: None,
        enabled: None,
    }
}

fn page(limit: u32) -> Page {
    Page {
        after: None,
        offset: 0,
        limit,
        count: true,
    }
}

async fn ids(store: &dyn Store, filter: WebhookFilter, page: Page) -> Vec<String> {
    let found = store.webhooks(filter, page).await.unwrap();
    found.rows.into_iter().map(|webhook| webhook.id).collect()
}

#[tokio::test]
async fn a_webhook_is_read_back_as_it_was_inserted_with_its_event_types_in_order() {
    let subject = fresh().await;
    subject.store.insert_webhook(webhook("1")).await.unwrap();
    assert_eq!(
        subject.store.webhook(key("1")).await.unwrap(),
        Some(webhook("1"))
    );
    let plain = Webhook {
        account_id: None,
        signing_secret: None,
        authorization: None,
        ..webhook("2")
    };
    subject.store.insert_webhook(plain.clone()).await.unwrap();
    assert_eq!(subject.store.webhook(key("2")).await.unwrap(), Some(plain));
}

#[tokio::test]
async fn changes_and_removals_are_known_before_they_are_answered_and_concern_their_webhook_alone() {
    let subject = fresh().await;
    let store = &subject.store;
    let mut lanes = Vec::new();
    for (id, account) in [("1", "a"), ("2", "b")] {
        let webhook = Webhook {
            account_id: Some(account.to_owned()),
            ..webhook(id)
        };
        store.insert_webhook(webhook).await.unwrap();
        let to_account = Event {
            account_id: Some(account.to_owned()),
            ..event(id, 1)
        };
        let published = store.publish(publication(to_account, &slots(9, 9))).await;
        let (_, claimed, _) = stored(published.unwrap());
        assert_eq!(claimed.len(), 1, "{account}");
        lanes.push(claimed[0].target.lane);
    }
    let changes = store.webhook_changes();
    let before = changes.known();
    let change = WebhookChange {
        enabled: Some(false),
        ..WebhookChange::default()
    };
    let changed = store.update_webhook(key("1"), change, at(1)).await;
    assert!(changed.unwrap().is_some());
    assert!(!changes.is_current(lanes[0], before));
    assert!(changes.is_current(lanes[1], before));
    let changed = changes.known();
    let deleted = store.delete_webhook(key("3"), OnDelete::CancelPending, at(2));
    assert!(!deleted.await.unwrap());
    assert!(changes.is_current(lanes[0], changed));
    let deleted = store.delete_webhook(key("1"), OnDelete::CancelPending, at(2));
    assert!(deleted.await.unwrap());
    assert!(!changes.is_current(lanes[0], changed));
    assert!(changes.is_current(lanes[1], before));
}

#[tokio::test]
async fn an_id_is_taken_once_and_a_refused_insert_leaves_nothing() {
    let subject = fresh().await;
    subject.store.insert_webhook(webhook("1")).await.unwrap();
    let other = Webhook {
        owner: "other".to_owned(),
        ..webhook("1")
    };
    assert!(is_refused(&subject.store.insert_webhook(other).await));
    let twice = Webhook {
        event_types: vec!["a".to_owned(), "a".to_owned()],
        ..webhook("2")
    };
    assert!(subject.store.insert_webhook(twice).await.is_err());
    assert_eq!(
        subject.store.webhook(key("1")).await.unwrap(),
        Some(webhook("1"))
    );
    assert_eq!(subject.store.webhook(key("2")).await.unwrap(), None);
}

#[tokio::test]
async fn a_webhook_is_found_only_by_its_provider_owner_and_account() {
    let subject = fresh().await;
    subject.store.insert_webhook(webhook("1")).await.unwrap();
    subject
        .store
        .insert_webhook(Webhook {
            account_id: None,
            ..webhook("2")
        })
        .await
        .unwrap();
    let foreign = [
        WebhookKey {
            provider: CONDUIT,
            ..key("1")
        },
        WebhookKey {
            owner: "other".to_owned(),
            ..key("1")
        },
        WebhookKey {
            account_id: Some("F2".to_owned()),
            ..key("1")
        },
        key("3"),
        key("' OR 1=1 --"),
    ];
    for key in foreign {
        assert_eq!(
            subject.store.webhook(key.clone()).await.unwrap(),
            None,
            "{key:?}"
        );
        let change = WebhookChange {
            enabled: Some(false),
            ..WebhookChange::default()
        };
        assert_eq!(
            subject
                .store
                .update_webhook(key.clone(), change, at(1))
                .await
                .unwrap(),
            None,
            "{key:?}"
        );
        assert!(
            !subject
                .store
                .delete_webhook(key.clone(), OnDelete::CancelPending, at(9))
                .await
                .unwrap(),
            "{key:?}"
        );
    }
    assert_eq!(
        subject.store.webhook(key("1")).await.unwrap(),
        Some(webhook("1"))
    );
    for id in ["1", "2"] {
        let own = WebhookKey {
            account_id: Some("F1".to_owned()),
            ..key(id)
        };
        assert!(subject.store.webhook(own).await.unwrap().is_some(), "{id}");
    }
}

#[tokio::test]
async fn an_update_replaces_what_it_names_and_nothing_else() {
    let subject = fresh().await;
    subject.store.insert_webhook(webhook("1")).await.unwrap();
    let change = WebhookChange {
        event_types: Some(vec!["c".to_owned()]),
        signing_secret: Some(None),
        ..WebhookChange::default()
    };
    let changed = subject
        .store
        .update_webhook(key("1"), change, at(5))
        .await
        .unwrap()
        .unwrap();
    let expected = Webhook {
        event_types: vec!["c".to_owned()],
        signing_secret: None,
        updated_at: at(5),
        ..webhook("1")
    };
    assert_eq!(changed, expected);
    assert_eq!(
        subject.store.webhook(key("1")).await.unwrap(),
        Some(expected)
    );
}

#[tokio::test]
async fn an_empty_update_changes_nothing_and_time_never_runs_back() {
    let subject = fresh().await;
    subject.store.insert_webhook(webhook("1")).await.unwrap();
    let empty = WebhookChange::default();
    assert_eq!(
        subject
            .store
            .update_webhook(key("1"), empty, at(5))
            .await
            .unwrap(),
        Some(webhook("1"))
    );
    let change = WebhookChange {
        enabled: Some(false),
        ..WebhookChange::default()
    };
    let changed = subject
        .store
        .update_webhook(key("1"), change, at(-5))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(changed.updated_at, at(0));
}

#[tokio::test]
async fn a_deleted_webhook_is_gone_with_its_subscriptions_and_only_once() {
    let subject = fresh().await;
    subject.store.insert_webhook(webhook("1")).await.unwrap();
    assert!(
        subject
            .store
            .delete_webhook(key("1"), OnDelete::CancelPending, at(9))
            .await
            .unwrap()
    );
    assert!(
        !subject
            .store
            .delete_webhook(key("1"), OnDelete::CancelPending, at(9))
            .await
            .unwrap()
    );
    assert_eq!(subject.store.webhook(key("1")).await.unwrap(), None);
    subject.store.insert_webhook(webhook("1")).await.unwrap();
    assert_eq!(
        subject.store.webhook(key("1")).await.unwrap(),
        Some(webhook("1"))
    );
}

#[tokio::test]
async fn a_list_is_ordered_by_time_then_id_and_pages_by_offset_and_by_position() {
    let subject = fresh().await;
    for (id, second) in [("c", 1), ("b", 2), ("a", 2), ("d", 0)] {
        let webhook = Webhook {
            created_at: at(second),
            updated_at: at(second),
            ..webhook(id)
        };
        subject.store.insert_webhook(webhook).await.unwrap();
    }
    assert_eq!(
        ids(&*subject.store, filter(), page(10)).await,
        ["d", "c", "a", "b"]
    );
    let first = subject.store.webhooks(filter(), page(3)).await.unwrap();
    assert!(first.more && first.count == Some(4));
    let last = subject.store.webhooks(filter(), page(4)).await.unwrap();
    assert!(!last.more);
    let second = Page {
        offset: 1,
        limit: 2,
        ..page(0)
    };
    assert_eq!(ids(&*subject.store, filter(), second).await, ["c", "a"]);
    let beyond = subject
        .store
        .webhooks(
            filter(),
            Page {
                offset: u64::MAX,
                ..page(1)
            },
        )
        .await
        .unwrap();
    assert!(beyond.rows.is_empty() && !beyond.more && beyond.count == Some(4));
    let after = Page {
        after: Some(Position {
            created_at: at(2),
            id: "a".to_owned(),
        }),
        ..page(10)
    };
    assert_eq!(ids(&*subject.store, filter(), after.clone()).await, ["b"]);
    // The position stays good when its webhook is gone.
    subject
        .store
        .delete_webhook(key("a"), OnDelete::CancelPending, at(9))
        .await
        .unwrap();
    assert_eq!(ids(&*subject.store, filter(), after).await, ["b"]);
}

#[tokio::test]
async fn the_filters_of_a_list_hold_together() {
    let subject = fresh().await;
    subject.store.insert_webhook(webhook("1")).await.unwrap();
    subject
        .store
        .insert_webhook(Webhook {
            account_id: None,
            ..webhook("2")
        })
        .await
        .unwrap();
    let disabled = Webhook {
        enabled: false,
        event_types: vec!["c".to_owned()],
        ..webhook("3")
    };
    subject.store.insert_webhook(disabled).await.unwrap();
    let of_account = |id: &str| WebhookFilter {
        account_id: Some(id.to_owned()),
        ..filter()
    };
    let of_type = |name: &str| WebhookFilter {
        event_type: Some(name.to_owned()),
        ..filter()
    };
    assert_eq!(
        ids(&*subject.store, of_account("F1"), page(9)).await,
        ["1", "2", "3"]
    );
    assert_eq!(ids(&*subject.store, of_account("F2"), page(9)).await, ["2"]);
    assert_eq!(
        ids(&*subject.store, of_type("a"), page(9)).await,
        ["1", "2"]
    );
    assert_eq!(
        ids(&*subject.store, of_type("none"), page(9)).await,
        [""; 0]
    );
    let both = WebhookFilter {
        enabled: Some(false),
        ..of_type("c")
    };
    assert_eq!(ids(&*subject.store, both, page(9)).await, ["3"]);
    let contradiction = WebhookFilter {
        enabled: Some(true),
        ..of_type("c")
    };
    assert_eq!(ids(&*subject.store, contradiction, page(9)).await, [""; 0]);
    let foreign = WebhookFilter {
        owner: "other".to_owned(),
        ..filter()
    };
    assert_eq!(ids(&*subject.store, foreign, page(9)).await, [""; 0]);
}

#[tokio::test]
async fn parallel_writes_are_all_kept_and_a_failing_one_takes_no_other_with_it() {
    let subject = fresh().await;
    let writes = (0..200).map(|number| {
        let store = subject.store.clone();
        // Every tenth takes an id that is taken already.
        let id = if number % 10 == 9 { number - 1 } else { number };
        tokio::spawn(async move { store.insert_webhook(webhook(&id.to_string())).await.is_ok() })
    });
    let mut kept = 0;
    for write in writes.collect::<Vec<_>>() {
        kept += u64::from(write.await.unwrap());
    }
    assert_eq!(kept, 180);
    let found = subject.store.webhooks(filter(), page(1000)).await.unwrap();
    assert_eq!((found.rows.len(), found.count), (180, Some(180)));
}
