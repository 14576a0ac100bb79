//! Events: published, matched, numbered, repeated, and listed with their deliveries.

use std::collections::HashSet;
use std::time::Duration;

use super::super::{
    DeliveryFilter, EventFilter, Idempotency, NumberPage, OnDelete, Published, Receipt, StateCounts,
};
use super::{
    CONDUIT, EQUALS_MONEY, Fault, LEASE, Subject, all, at, event, fresh, is_refused, key, names,
    publication, slots, stored, until, webhook,
};
use crate::domain::{
    Audience, DeliveryState, Event, Fingerprint, Next, Secret, Webhook, WebhookChange,
};

/// Publishes without slots; gives the webhooks that have a delivery of it, in order.
async fn receivers(subject: &Subject, event: Event, audience: Audience) -> Vec<String> {
    let id = event.id.clone();
    let publication = super::super::Publication {
        audience,
        ..publication(event, &slots(0, 0))
    };
    let (receipt, claimed, waiting) = stored(subject.store.publish(publication).await.unwrap());
    let filter = DeliveryFilter {
        event_id: Some(id.clone()),
        ..DeliveryFilter::default()
    };
    let mut found: Vec<String> = subject
        .deliveries(filter)
        .await
        .into_iter()
        .map(|delivery| delivery.webhook_id)
        .collect();
    found.sort();
    assert!(claimed.is_empty());
    assert_eq!(waiting.len(), found.len());
    assert_eq!((receipt.id, receipt.deliveries), (id, found.len() as u64));
    found
}

fn conduit_event(id: &str, owner: &str) -> Event {
    Event {
        provider: CONDUIT,
        owner: Some(owner.to_owned()),
        account_id: None,
        ..event(id, 1)
    }
}

fn conduit_webhook(id: &str, owner: &str) -> Webhook {
    Webhook {
        provider: CONDUIT,
        owner: owner.to_owned(),
        account_id: None,
        authorization: None,
        ..webhook(id)
    }
}

async fn publish_as(
    subject: &Subject,
    id: &str,
    caller: &str,
    key: &str,
    body: &[u8],
) -> Published {
    let publication = super::super::Publication {
        idempotency: Some(Idempotency {
            caller: caller.to_owned(),
            key: key.to_owned(),
            request: Fingerprint::of(body),
        }),
        ..publication(event(id, 1), &slots(0, 0))
    };
    subject.store.publish(publication).await.unwrap()
}

#[track_caller]
fn repeated(published: Published) -> Receipt {
    match published {
        Published::Repeated(receipt) => receipt,
        Published::Stored { .. } | Published::Conflict => panic!("not repeated: {published:?}"),
    }
}

async fn event_ids(subject: &Subject) -> Vec<String> {
    let found = subject
        .store
        .events(EventFilter::default(), all())
        .await
        .unwrap();
    found
        .rows
        .into_iter()
        .map(|record| record.event.id)
        .collect()
}

#[tokio::test]
async fn an_event_is_only_for_enabled_webhooks_of_its_provider_that_subscribe_to_its_type() {
    let subject = fresh().await;
    subject.add_webhooks(["1", "deleted"]).await;
    let others = [
        Webhook {
            enabled: false,
            ..webhook("disabled")
        },
        Webhook {
            event_types: vec!["b".to_owned(), "A".to_owned(), "a ".to_owned()],
            ..webhook("other type")
        },
        Webhook {
            provider: CONDUIT,
            ..webhook("other provider")
        },
    ];
    for other in others {
        subject.store.insert_webhook(other).await.unwrap();
    }
    let delete = subject
        .store
        .delete_webhook(key("deleted"), OnDelete::KeepPending, at(1));
    assert!(delete.await.unwrap());
    assert_eq!(
        receivers(&subject, event("e", 1), Audience::Account).await,
        ["1"]
    );
    let change = WebhookChange {
        event_types: Some(vec!["c".to_owned()]),
        ..WebhookChange::default()
    };
    subject.change("1", change).await;
    assert_eq!(
        receivers(&subject, event("f", 1), Audience::Account).await,
        [""; 0]
    );
}

#[tokio::test]
async fn an_event_of_an_account_is_for_its_webhooks_and_those_without_account() {
    let subject = fresh().await;
    subject.add_webhooks(["of F1"]).await;
    for (id, owner, account) in [
        ("of F2", "product", Some("F2")),
        ("of all", "product", None),
        ("of another product", "other", None),
    ] {
        let webhook = Webhook {
            owner: owner.to_owned(),
            account_id: account.map(str::to_owned),
            ..webhook(id)
        };
        subject.store.insert_webhook(webhook).await.unwrap();
    }
    assert_eq!(
        receivers(&subject, event("1", 1), Audience::Account).await,
        ["of F1", "of all", "of another product"]
    );
    let of_product = Event {
        owner: Some("product".to_owned()),
        ..event("2", 1)
    };
    assert_eq!(
        receivers(&subject, of_product, Audience::Account).await,
        ["of F1", "of all"]
    );
    let of_nobody = Event {
        account_id: None,
        ..event("3", 1)
    };
    assert_eq!(
        receivers(&subject, of_nobody, Audience::Account).await,
        ["of all", "of another product"]
    );
}

#[tokio::test]
async fn an_event_of_the_platform_is_for_webhooks_without_account_whatever_its_own() {
    let subject = fresh().await;
    subject.add_webhooks(["of F1"]).await;
    for (id, owner) in [("of all", "product"), ("of another product", "other")] {
        let webhook = Webhook {
            owner: owner.to_owned(),
            account_id: None,
            ..webhook(id)
        };
        subject.store.insert_webhook(webhook).await.unwrap();
    }
    assert_eq!(
        receivers(&subject, event("1", 1), Audience::Platform).await,
        ["of all", "of another product"]
    );
    let of_product = Event {
        owner: Some("product".to_owned()),
        account_id: None,
        ..event("2", 1)
    };
    assert_eq!(
        receivers(&subject, of_product, Audience::Platform).await,
        ["of all"]
    );
}

#[tokio::test]
async fn an_event_of_an_owner_is_for_all_of_its_webhooks_and_nobody_elses() {
    let subject = fresh().await;
    for (id, owner) in [("1", "client"), ("2", "client"), ("3", "other")] {
        subject
            .store
            .insert_webhook(conduit_webhook(id, owner))
            .await
            .unwrap();
    }
    subject
        .store
        .insert_webhook(Webhook {
            provider: EQUALS_MONEY,
            ..conduit_webhook("4", "client")
        })
        .await
        .unwrap();
    assert_eq!(
        receivers(&subject, conduit_event("a", "client"), Audience::Owner).await,
        ["1", "2"]
    );
    let with_account = Event {
        account_id: Some("F1".to_owned()),
        ..conduit_event("b", "client")
    };
    assert_eq!(
        receivers(&subject, with_account, Audience::Owner).await,
        ["1", "2"]
    );
    let of_nobody = Event {
        owner: None,
        ..conduit_event("c", "")
    };
    assert_eq!(
        receivers(&subject, of_nobody, Audience::Owner).await,
        [""; 0]
    );
}

#[tokio::test]
async fn an_event_is_read_back_as_it_was_published_also_when_nobody_wants_it() {
    let subject = fresh().await;
    let receipt = subject.publish(event("e", 7)).await;
    assert_eq!((receipt.created_at, receipt.deliveries), (at(7), 0));
    let found = subject.store.event("e".to_owned()).await.unwrap().unwrap();
    assert_eq!(found.event, event("e", 7));
    assert_eq!(found.deliveries, StateCounts::default());
    assert!(subject.store.event("f".to_owned()).await.unwrap().is_none());
}

#[tokio::test]
async fn events_of_an_owner_are_numbered_from_1_without_gaps() {
    let subject = fresh().await;
    let publish = async |id: &str, owner: &str, audience| {
        let publication = super::super::Publication {
            audience,
            ..publication(conduit_event(id, owner), &slots(0, 0))
        };
        subject.store.publish(publication).await
    };
    for (id, owner, sequence) in [
        ("1", "client", 1),
        ("2", "client", 2),
        ("3", "other", 1),
        ("4", "client", 3),
    ] {
        publish(id, owner, Audience::Owner).await.unwrap();
        let found = subject.store.event(id.to_owned()).await.unwrap().unwrap();
        assert_eq!(found.event.sequence, sequence, "{id}");
    }
    // A refused event takes no number, and one that is not for an owner has none.
    assert!(is_refused(&publish("4", "client", Audience::Owner).await));
    publish("5", "client", Audience::Account).await.unwrap();
    publish("6", "client", Audience::Owner).await.unwrap();
    for (id, sequence) in [("5", 0), ("6", 4)] {
        let found = subject.store.event(id.to_owned()).await.unwrap().unwrap();
        assert_eq!(found.event.sequence, sequence, "{id}");
    }
}

#[tokio::test]
async fn parallel_events_of_an_owner_get_a_number_each() {
    let subject = fresh().await;
    let writes = (0..100).map(|number| {
        let store = subject.store.clone();
        tokio::spawn(async move {
            let publication = super::super::Publication {
                audience: Audience::Owner,
                ..publication(conduit_event(&number.to_string(), "client"), &slots(0, 0))
            };
            store.publish(publication).await.unwrap();
        })
    });
    for write in writes.collect::<Vec<_>>() {
        write.await.unwrap();
    }
    let found = subject
        .store
        .events(EventFilter::default(), all())
        .await
        .unwrap();
    let numbers: Vec<u64> = found
        .rows
        .into_iter()
        .map(|record| record.event.sequence)
        .collect();
    assert_eq!(numbers, (1..=100).rev().collect::<Vec<_>>());
}

#[tokio::test]
async fn a_delivery_that_gets_a_slot_is_claimed_for_the_publisher() {
    let subject = fresh().await;
    subject.add_webhooks(["1", "2"]).await;
    let plain = Webhook {
        signing_secret: None,
        authorization: None,
        ..webhook("3")
    };
    subject.store.insert_webhook(plain).await.unwrap();
    let lanes = slots(10, 1);
    let published = subject
        .store
        .publish(publication(event("e", 5), &lanes))
        .await;
    let (receipt, claimed, waiting) = stored(published.unwrap());
    assert_eq!((receipt.deliveries, waiting, lanes.taken()), (3, vec![], 3));
    assert_eq!(names(&claimed), [("1", "e"), ("2", "e"), ("3", "e")]);
    for due in &claimed {
        assert_eq!((due.attempt, due.once), (1, false));
        assert_eq!((due.due_at, due.first_attempt_at), (at(5), at(5)));
        assert_eq!(*due.event, event("e", 5));
        assert_eq!(due.target.url, webhook("1").url);
        let record = subject.store.delivery(due.id).await.unwrap().unwrap();
        assert_eq!(record.delivery.state, DeliveryState::Pending);
        assert_eq!(record.delivery.attempts, 1);
        assert_eq!(record.delivery.due_at, at(5 + LEASE));
        assert_eq!(record.delivery.created_at, at(5));
    }
    assert_eq!(
        claimed[0].target.signing_secret,
        Some(Secret::new("signing"))
    );
    assert_eq!(
        claimed[0].target.authorization,
        Some(Secret::new("Basic x "))
    );
    assert_eq!(claimed[2].target.signing_secret, None);
    assert_eq!(claimed[2].target.authorization, None);
    assert!(subject.claim(5).await.due.is_empty());
    assert!(subject.record(&claimed[0], Next::Delivered, 6).await);
}

#[tokio::test]
async fn a_delivery_that_gets_no_slot_waits_to_be_claimed() {
    let subject = fresh().await;
    subject.add_webhooks(["1", "2"]).await;
    let lanes = slots(3, 2);
    for (id, claimed, waits) in [("a", 2, 0), ("b", 1, 1), ("c", 0, 2)] {
        let published = subject
            .store
            .publish(publication(event(id, 1), &lanes))
            .await;
        let (receipt, due, waiting) = stored(published.unwrap());
        assert_eq!(receipt.deliveries, 2);
        assert_eq!((due.len(), waiting.len()), (claimed, waits), "{id}");
    }
    let waiting = subject.claim(1).await.due;
    assert_eq!(waiting.len(), 3);
    assert!(waiting.iter().all(|due| due.attempt == 1));
}

#[tokio::test]
async fn a_webhook_without_a_free_slot_takes_none_from_another() {
    let subject = fresh().await;
    subject.add_webhooks(["1"]).await;
    let lanes = slots(10, 1);
    let published = subject
        .store
        .publish(publication(event("a", 1), &lanes))
        .await;
    assert_eq!(stored(published.unwrap()).1.len(), 1);
    subject.add_webhooks(["2"]).await;
    let published = subject
        .store
        .publish(publication(event("b", 1), &lanes))
        .await;
    let (_, claimed, waiting) = stored(published.unwrap());
    assert_eq!((names(&claimed), waiting.len()), (vec![("2", "b")], 1));
}

#[tokio::test]
async fn a_publication_that_fails_leaves_nothing_and_gives_its_slots_back() {
    let subject = fresh().await;
    subject.add_webhooks(["1", "2"]).await;
    subject.backend.fail(Fault::Publication).await;
    let lanes = slots(10, 10);
    let published = subject
        .store
        .publish(publication(event("e", 1), &lanes))
        .await;
    assert!(is_refused(&published), "{published:?}");
    assert_eq!(lanes.taken(), 0);
    assert_eq!(event_ids(&subject).await, [""; 0]);
    assert!(subject.claim(1).await.due.is_empty());
}

#[tokio::test]
async fn a_publisher_that_goes_away_takes_no_slot_with_it() {
    let subject = fresh().await;
    subject.add_webhooks(["1"]).await;
    let lanes = slots(10, 10);
    // The writer waits for this transaction, so the publisher is gone before it is answered. It stays long enough to hand in its event.
    subject.backend.lock().await;
    let publish = subject.store.publish(publication(event("e", 1), &lanes));
    let answered = tokio::time::timeout(Duration::from_secs(2), publish).await;
    assert!(answered.is_err());
    subject.backend.unlock().await;
    until(async || event_ids(&subject).await == ["e"] && lanes.taken() == 0).await;
    assert_eq!(subject.claim_one(1 + LEASE).await.attempt, 2);
}

#[tokio::test]
async fn a_secret_that_does_not_open_holds_up_neither_its_slot_nor_other_deliveries() {
    let subject = fresh().await;
    subject.add_webhooks(["1", "2"]).await;
    subject.backend.damage_secret("1").await;
    let lanes = slots(10, 10);
    let published = subject
        .store
        .publish(publication(event("a", 1), &lanes))
        .await;
    let (receipt, claimed, _) = stored(published.unwrap());
    assert_eq!(receipt.deliveries, 2);
    assert_eq!((names(&claimed), lanes.taken()), (vec![("2", "a")], 1));
    let claimed = subject
        .store
        .claim(super::terms(&lanes, 1 + LEASE))
        .await
        .unwrap();
    assert_eq!((names(&claimed.due), lanes.taken()), (vec![("2", "a")], 2));
}

#[tokio::test]
async fn the_same_request_again_gets_the_same_receipt_and_stores_nothing() {
    let subject = fresh().await;
    subject.add_webhooks(["1"]).await;
    let (first, ..) = stored(publish_as(&subject, "a", "caller", "key", b"body").await);
    let second = repeated(publish_as(&subject, "b", "caller", "key", b"body").await);
    assert_eq!(first, second);
    assert_eq!((first.id.as_str(), first.deliveries), ("a", 1));
    assert_eq!(event_ids(&subject).await, ["a"]);
    // Also after what it was stored for has changed, and after a restart.
    subject.add_webhooks(["2"]).await;
    let subject = subject.reopen().await;
    let third = repeated(publish_as(&subject, "c", "caller", "key", b"body").await);
    assert_eq!(first, third);
    assert_eq!(event_ids(&subject).await, ["a"]);
}

#[tokio::test]
async fn another_request_under_the_same_key_is_a_conflict_and_stores_nothing() {
    let subject = fresh().await;
    stored(publish_as(&subject, "a", "caller", "key", b"body").await);
    assert!(matches!(
        publish_as(&subject, "b", "caller", "key", b"other body").await,
        Published::Conflict
    ));
    assert_eq!(event_ids(&subject).await, ["a"]);
    repeated(publish_as(&subject, "c", "caller", "key", b"body").await);
}

#[tokio::test]
async fn an_idempotency_key_is_its_callers_own_and_a_refused_request_leaves_it_free() {
    let subject = fresh().await;
    stored(publish_as(&subject, "a", "caller", "key", b"body").await);
    stored(publish_as(&subject, "b", "other caller", "key", b"body").await);
    stored(publish_as(&subject, "c", "caller", "other key", b"body").await);
    let refused = super::super::Publication {
        idempotency: Some(Idempotency {
            caller: "caller".to_owned(),
            key: "third key".to_owned(),
            request: Fingerprint::of(b"body"),
        }),
        ..publication(event("a", 1), &slots(0, 0))
    };
    assert!(subject.store.publish(refused).await.is_err());
    stored(publish_as(&subject, "d", "caller", "third key", b"body").await);
    assert_eq!(event_ids(&subject).await, ["d", "c", "b", "a"]);
}

#[tokio::test]
async fn a_hundred_identical_requests_at_once_store_one_event_and_get_one_receipt() {
    let subject = fresh().await;
    subject.add_webhooks(["1", "2"]).await;
    let lanes = slots(1_000, 1_000);
    let requests = (0..100).map(|number| {
        let store = subject.store.clone();
        let publication = super::super::Publication {
            idempotency: Some(Idempotency {
                caller: "caller".to_owned(),
                key: "key".to_owned(),
                request: Fingerprint::of(b"body"),
            }),
            ..publication(event(&number.to_string(), number), &lanes)
        };
        tokio::spawn(async move { store.publish(publication).await.unwrap() })
    });
    let mut receipts = Vec::new();
    let mut events = 0;
    for request in requests.collect::<Vec<_>>() {
        match request.await.unwrap() {
            Published::Stored { receipt, .. } => {
                events += 1;
                receipts.push(receipt);
            }
            Published::Repeated(receipt) => receipts.push(receipt),
            Published::Conflict => panic!("a conflict with itself"),
        }
    }
    assert_eq!((events, receipts.len()), (1, 100));
    assert!(receipts.iter().all(|receipt| *receipt == receipts[0]));
    assert_eq!(receipts[0].deliveries, 2);
    assert_eq!(event_ids(&subject).await, [receipts[0].id.clone()]);
    assert_eq!(lanes.taken(), 2, "a repeated request takes no slot");
}

#[tokio::test]
async fn what_was_published_is_there_after_the_file_is_opened_again() {
    let subject = fresh().await;
    subject.add_webhooks(["1"]).await;
    let published = subject
        .store
        .publish(publication(event("claimed", 1), &slots(9, 9)))
        .await;
    assert_eq!(stored(published.unwrap()).1.len(), 1);
    subject.publish(event("waiting", 2)).await;
    let subject = subject.reopen().await;
    assert_eq!(event_ids(&subject).await, ["waiting", "claimed"]);
    let due = subject.claim(2).await.due;
    assert_eq!(names(&due), [("1", "waiting")]);
    let due = subject.claim_one(1 + LEASE).await;
    assert_eq!((due.event.id.as_str(), due.attempt), ("claimed", 2));
}

#[tokio::test]
async fn events_are_listed_newest_first_page_by_page_to_the_end() {
    let subject = fresh().await;
    for number in 0..25 {
        subject.publish(event(&number.to_string(), number)).await;
    }
    let mut seen = Vec::new();
    let mut page = NumberPage {
        before: None,
        limit: 10,
    };
    loop {
        let found = subject
            .store
            .events(EventFilter::default(), page)
            .await
            .unwrap();
        assert!(found.rows.len() <= 10 && !found.rows.is_empty());
        seen.extend(found.rows.into_iter().map(|record| record.event.id));
        // Events that are published meanwhile do not move the next page.
        subject
            .publish(event(&format!("late {}", seen.len()), 99))
            .await;
        let Some(next) = found.next else { break };
        page.before = Some(next);
    }
    let expected: Vec<String> = (0..25).rev().map(|number| number.to_string()).collect();
    assert_eq!(seen, expected);
    // A page that holds exactly what is left is the last one.
    let last = NumberPage {
        before: None,
        limit: 28,
    };
    let found = subject
        .store
        .events(EventFilter::default(), last)
        .await
        .unwrap();
    assert_eq!((found.rows.len(), found.next), (28, None));
}

#[tokio::test]
async fn events_are_listed_by_provider_and_by_type() {
    let subject = fresh().await;
    subject.publish(event("1", 1)).await;
    subject.publish(conduit_event("2", "client")).await;
    let other_type = Event {
        event_type: "b".to_owned(),
        ..event("3", 1)
    };
    subject.publish(other_type).await;
    let ids = async |provider, event_type: Option<&str>| -> Vec<String> {
        let filter = EventFilter {
            provider,
            event_type: event_type.map(str::to_owned),
        };
        let found = subject.store.events(filter, all()).await.unwrap();
        found
            .rows
            .into_iter()
            .map(|record| record.event.id)
            .collect()
    };
    assert_eq!(ids(None, None).await, ["3", "2", "1"]);
    assert_eq!(ids(Some(EQUALS_MONEY), None).await, ["3", "1"]);
    assert_eq!(ids(None, Some("a")).await, ["2", "1"]);
    assert_eq!(ids(Some(CONDUIT), Some("a")).await, ["2"]);
    assert_eq!(ids(Some(CONDUIT), Some("b")).await, [""; 0]);
}

#[tokio::test]
async fn an_event_counts_its_deliveries_by_state() {
    let subject = fresh().await;
    subject.add_webhooks(["1", "2", "3", "4", "5"]).await;
    subject.publish(event("e", 1)).await;
    subject.publish(event("other", 500)).await;
    for due in subject.claim(1).await.due {
        match due.target.webhook_id.as_str() {
            "1" => assert!(subject.record(&due, Next::Delivered, 2).await),
            "2" => assert!(subject.record(&due, Next::Exhausted, 2).await),
            "3" => assert!(subject.record(&due, Next::RetryAt(at(900)), 2).await),
            _ => {}
        }
    }
    let delete = subject
        .store
        .delete_webhook(key("4"), OnDelete::CancelPending, at(3));
    assert!(delete.await.unwrap());
    let counts = StateCounts {
        pending: 2,
        delivered: 1,
        exhausted: 1,
        cancelled: 1,
    };
    let found = subject.store.event("e".to_owned()).await.unwrap().unwrap();
    assert_eq!(found.deliveries, counts);
    let found = subject
        .store
        .events(EventFilter::default(), all())
        .await
        .unwrap();
    assert_eq!(found.rows[1].deliveries, counts);
    assert_eq!(found.rows[0].deliveries.pending, 4);
}

#[tokio::test]
async fn deliveries_are_listed_newest_first_page_by_page_to_the_end() {
    let subject = fresh().await;
    subject.add_webhooks(["1", "2", "3"]).await;
    for number in 0..7 {
        subject.publish(event(&number.to_string(), number)).await;
    }
    let mut seen = Vec::new();
    let mut page = NumberPage {
        before: None,
        limit: 4,
    };
    loop {
        let found = subject
            .store
            .deliveries(DeliveryFilter::default(), page)
            .await
            .unwrap();
        assert!(found.rows.len() <= 4 && !found.rows.is_empty());
        seen.extend(found.rows);
        let Some(next) = found.next else { break };
        page.before = Some(next);
    }
    let times: Vec<_> = seen.iter().map(|delivery| delivery.created_at).collect();
    assert!(times.is_sorted_by(|newer, older| newer >= older));
    let pairs: HashSet<(String, String)> = seen
        .iter()
        .map(|delivery| (delivery.event_id.clone(), delivery.webhook_id.clone()))
        .collect();
    assert_eq!((seen.len(), pairs.len()), (21, 21));
}

#[tokio::test]
async fn the_filters_of_deliveries_hold_together() {
    let subject = fresh().await;
    subject.add_webhooks(["1", "2"]).await;
    subject
        .store
        .insert_webhook(conduit_webhook("3", "client"))
        .await
        .unwrap();
    subject.publish(event("a", 1)).await;
    subject.publish(event("b", 2)).await;
    subject.publish(conduit_event("c", "client")).await;
    for due in subject.claim(2).await.due {
        if due.event.id == "a" {
            assert!(subject.record(&due, Next::Delivered, 3).await);
        }
    }
    let pairs = async |provider, state, webhook: Option<&str>, event: Option<&str>| {
        let filter = DeliveryFilter {
            provider,
            state,
            webhook_id: webhook.map(str::to_owned),
            event_id: event.map(str::to_owned),
            ..DeliveryFilter::default()
        };
        let found = subject.deliveries(filter).await;
        let pairs = found
            .into_iter()
            .map(|delivery| format!("{}{}", delivery.event_id, delivery.webhook_id));
        pairs.collect::<Vec<String>>()
    };
    let delivered = Some(DeliveryState::Delivered);
    let conduit = Some(CONDUIT);
    assert_eq!(
        pairs(None, None, None, None).await,
        ["c3", "b2", "b1", "a2", "a1"]
    );
    assert_eq!(pairs(conduit, None, None, None).await, ["c3"]);
    assert_eq!(pairs(None, delivered, None, None).await, ["a2", "a1"]);
    assert_eq!(pairs(None, None, Some("2"), None).await, ["b2", "a2"]);
    assert_eq!(pairs(None, None, None, Some("b")).await, ["b2", "b1"]);
    assert_eq!(pairs(None, delivered, Some("1"), Some("a")).await, ["a1"]);
    assert_eq!(pairs(conduit, delivered, None, None).await, [""; 0]);
    assert_eq!(pairs(None, None, Some("9"), None).await, [""; 0]);
    assert_eq!(pairs(None, None, None, Some("9")).await, [""; 0]);
    // Also those of a webhook that is gone.
    let delete = subject
        .store
        .delete_webhook(key("2"), OnDelete::CancelPending, at(9));
    assert!(delete.await.unwrap());
    assert_eq!(pairs(None, None, Some("2"), None).await, ["b2", "a2"]);
}

#[tokio::test]
async fn a_delivery_tells_what_it_is_of_and_where_it_goes() {
    let subject = fresh().await;
    subject.add_webhooks(["1"]).await;
    subject.publish(event("e", 5)).await;
    let found = subject.delivery().await;
    assert_eq!(
        (found.event_id.as_str(), found.webhook_id.as_str()),
        ("e", "1")
    );
    assert_eq!(
        (
            found.provider,
            found.event_type.as_str(),
            found.url.as_str()
        ),
        (EQUALS_MONEY, "a", webhook("1").url.as_str())
    );
    assert_eq!((found.state, found.attempts), (DeliveryState::Pending, 0));
    assert_eq!((found.created_at, found.due_at), (at(5), at(5)));
    assert_eq!(found.completed_at, None);
    let history = subject.store.delivery(found.id).await.unwrap().unwrap();
    assert!(history.attempts.is_empty());
    let unknown = subject.store.delivery(uuid::Uuid::nil()).await.unwrap();
    assert!(unknown.is_none());
}

#[tokio::test]
async fn an_event_without_an_id_gets_one_by_which_it_is_found() {
    let subject = fresh().await;
    subject.add_webhooks(["1"]).await;
    let mut given = HashSet::new();
    for second in [1, 1, 2] {
        let published = subject
            .store
            .publish(publication(event("", second), &slots(9, 9)))
            .await;
        let (receipt, claimed, _) = stored(published.unwrap());
        let id = receipt.id;
        assert_eq!((id.len(), &id[..4]), (31, "evt_"));
        // The attempt, the event, its deliveries and the lists call it the same, before and after there is a result.
        assert_eq!(claimed[0].event.id, id);
        for ended in [false, true] {
            if ended {
                assert!(subject.record(&claimed[0], Next::Delivered, 3).await);
            }
            let found = subject.store.event(id.clone()).await.unwrap().unwrap();
            assert_eq!(found.event.id, id);
            assert_eq!(found.event.created_at, at(second));
            let filter = DeliveryFilter {
                event_id: Some(id.clone()),
                ..DeliveryFilter::default()
            };
            let [delivery] = &subject.deliveries(filter).await[..] else {
                panic!("not one delivery");
            };
            assert_eq!((&delivery.event_id, delivery.id), (&id, claimed[0].id));
            assert!(event_ids(&subject).await.contains(&id));
        }
        assert!(given.insert(id));
    }
    // One that nothing was given leads to nothing.
    for id in given {
        let other = format!("{}{}", &id[..30], if id.ends_with('0') { '1' } else { '0' });
        assert!(subject.store.event(other).await.unwrap().is_none());
    }
}
