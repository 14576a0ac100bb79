//! Tests of the PostgreSQL store alone: several nodes, partitions, plans, and a database that goes away.

mod changes;
mod partitions;
mod plans;

use std::time::Duration;

use jiff::SignedDuration;

pub(super) use self::plans::note as note_plan;
use super::super::contract::{
    KEY, all, at, attempt, event, limited, publication, slots, stored, terms, webhook,
};
use super::cluster::{self, Session};
use super::*;
use crate::domain::{DueDelivery, Next};
use crate::storage::{EncryptionKey, Recorded, Slots};

const PATIENCE: Duration = Duration::from_secs(60);

/// A node on the database of this URL.
fn node(url: &str) -> PostgresStore {
    let address = PostgresAddress::new(url, None).unwrap();
    let key = EncryptionKey::from_hex(KEY).unwrap().into();
    PostgresStore::open(&address, &key, Purpose::Sandbox, Arc::default()).unwrap()
}

fn delivered(due: &DueDelivery) -> Arc<AttemptResult> {
    Arc::new(AttemptResult {
        delivery: due.id,
        number: due.number,
        lane: due.target.lane,
        attempt: attempt(due.attempt),
        next: Next::Delivered,
        now: at(2),
    })
}

/// Publishes and delivers at the first attempt.
async fn deliver(store: &PostgresStore, id: &str, second: i64) {
    let lanes = slots(100, 100);
    let published = store.publish(publication(event(id, second), &lanes)).await;
    let (_, claimed, _) = stored(published.unwrap());
    let results: Vec<_> = claimed.iter().map(delivered).collect();
    let recorded = store.record(results).await;
    assert!(recorded.each.iter().all(|one| *one == Recorded::Yes));
}

#[tokio::test]
async fn nodes_that_start_at_once_make_one_schema() {
    let url = cluster::new_schema();
    let starts: Vec<_> = (0..4)
        .map(|_| {
            let url = url.clone();
            std::thread::spawn(move || node(&url))
        })
        .collect();
    let nodes: Vec<_> = starts
        .into_iter()
        .map(|start| start.join().unwrap())
        .collect();
    for (number, node) in nodes.iter().enumerate() {
        node.insert_webhook(webhook(&number.to_string()))
            .await
            .unwrap();
    }
    let found = nodes[0]
        .any_webhooks(AnyWebhookFilter::default(), all())
        .await;
    assert_eq!(found.unwrap().rows.len(), 4);
    let sql = "SELECT count(*) FROM truehook_schema";
    assert_eq!(Session::open(&url).number(sql), 1);
}

#[tokio::test]
async fn a_node_is_woken_when_another_leaves_something_to_attempt() {
    let url = cluster::new_schema();
    let (one, other) = (node(&url), node(&url));
    one.insert_webhook(webhook("1")).await.unwrap();
    // It hears of itself nothing, and of the other once it listens: at the beginning it looks by itself.
    tokio::time::timeout(PATIENCE, other.woken()).await.unwrap();
    tokio::time::timeout(PATIENCE, one.woken()).await.unwrap();
    let none = slots(0, 0);
    one.publish(publication(event("e", 1), &none))
        .await
        .unwrap();
    tokio::time::timeout(PATIENCE, other.woken()).await.unwrap();
    let claimed = other.claim(terms(&slots(9, 9), 1)).await.unwrap();
    assert_eq!(claimed.due.len(), 1);
}

#[tokio::test]
async fn a_node_that_dies_leaves_what_it_attempted_from_memory_to_the_others_at_the_end_of_the_lease()
 {
    let url = cluster::new_schema();
    let (one, other) = (node(&url), node(&url));
    one.insert_webhook(webhook("1")).await.unwrap();
    let published = one.publish(publication(event("e", 1), &slots(9, 9))).await;
    let (_, claimed, _) = stored(published.unwrap());
    drop(one);
    let lanes = slots(9, 9);
    assert!(other.claim(terms(&lanes, 2)).await.unwrap().due.is_empty());
    // Other nodes look for it twice a second.
    let claimed_again = async {
        loop {
            let found = other.claim(terms(&lanes, 60)).await.unwrap();
            if let Some(due) = found.due.into_iter().next() {
                return due;
            }
        }
    };
    let due = tokio::time::timeout(PATIENCE, claimed_again).await.unwrap();
    assert_eq!((due.id, due.attempt), (claimed[0].id, 2));
    // The first one was not dead, but slow.
    assert_eq!(
        other.record(vec![delivered(&claimed[0])]).await.each,
        [Recorded::TooLate]
    );
    assert_eq!(
        other.record(vec![delivered(&due)]).await.each,
        [Recorded::Yes]
    );
}

#[tokio::test]
async fn changes_on_one_node_are_in_force_on_another_for_the_next_attempt_and_request() {
    let url = cluster::new_schema();
    let (one, other) = (node(&url), node(&url));
    one.insert_webhook(webhook("1")).await.unwrap();
    for round in 0..20 {
        let secret = format!("secret {round}");
        let change = WebhookChange {
            signing_secret: Some(Some(crate::domain::Secret::new(secret.clone()))),
            enabled: Some(true),
            ..WebhookChange::default()
        };
        let key = super::super::contract::key("1");
        one.update_webhook(key.clone(), change, at(1))
            .await
            .unwrap();
        let event_id = round.to_string();
        let published = other
            .publish(publication(event(&event_id, 1), &slots(9, 9)))
            .await;
        let (_, claimed, _) = stored(published.unwrap());
        assert_eq!(
            claimed[0].target.signing_secret,
            Some(crate::domain::Secret::new(secret))
        );
        let disabled = WebhookChange {
            enabled: Some(false),
            ..WebhookChange::default()
        };
        one.update_webhook(key, disabled, at(1)).await.unwrap();
        let event_id = format!("{round} disabled");
        let published = other
            .publish(publication(event(&event_id, 1), &slots(9, 9)))
            .await;
        assert_eq!(stored(published.unwrap()).0.deliveries, 0);
    }
}

#[tokio::test]
async fn a_database_that_goes_away_and_comes_back_is_used_again() {
    let url = cluster::new_schema();
    let store = node(&url);
    store.insert_webhook(webhook("1")).await.unwrap();
    let published = store
        .publish(publication(event("e", 1), &slots(9, 9)))
        .await;
    let (_, claimed, _) = stored(published.unwrap());
    cluster::take_away(&url);
    let error = store.check().await.unwrap_err();
    assert!(error.is_temporary(), "{error:?}");
    let refused = store
        .publish(publication(event("f", 1), &slots(9, 9)))
        .await;
    assert!(refused.unwrap_err().retry_after().is_some());
    let results: Vec<_> = claimed.iter().map(delivered).collect();
    let recorded = store.record(results.clone()).await;
    assert_eq!(recorded.each, [Recorded::NotNow]);
    cluster::give_back(&url);
    let ready = async { while store.check().await.is_err() {} };
    tokio::time::timeout(PATIENCE, ready).await.unwrap();
    assert_eq!(store.record(results).await.each, [Recorded::Yes]);
    deliver(&store, "g", 2).await;
}

#[tokio::test]
async fn a_delivery_that_succeeds_at_once_changes_no_row_so_that_nothing_waits_for_a_vacuum() {
    let url = cluster::new_schema();
    let store = node(&url);
    store.insert_webhook(webhook("1")).await.unwrap();
    // Somebody has left a transaction open.
    let idle = Session::open(&url);
    idle.run("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM event");
    for number in 0..50 {
        deliver(&store, &number.to_string(), number).await;
    }
    drop(store);
    let session = Session::open(&url);
    let changed = "SELECT coalesce(sum(n_tup_upd + n_tup_del), 0)::bigint FROM pg_stat_user_tables
         WHERE relname ~ '^(event|delivery|attempt|pending|lane)' AND schemaname = current_schema()";
    session.run("SELECT pg_stat_clear_snapshot()");
    assert_eq!(session.number("SELECT count(*) FROM delivery"), 50);
    assert_eq!(session.number(changed), 0);
    assert_eq!(session.number("SELECT count(*) FROM pending"), 0);
    drop(idle);
}

#[tokio::test]
async fn a_claim_looks_at_nothing_that_was_claimed_before_though_a_transaction_was_left_open() {
    let url = cluster::new_schema();
    let idle = Session::open(&url);
    let store = node(&url);
    store.insert_webhook(webhook("1")).await.unwrap();
    idle.run("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM event");
    let session = Session::open(&url);
    // Every one of them leaves entries in the indexes that no vacuum may remove.
    for number in 0..400 {
        let id = number.to_string();
        store
            .publish(publication(event(&id, number), &slots(0, 0)))
            .await
            .unwrap();
    }
    let mut claimed = 0;
    while store
        .claim(terms(&slots(1, 1), 1_000))
        .await
        .unwrap()
        .due
        .len()
        == 1
    {
        claimed += 1;
    }
    assert_eq!(claimed, 400);
    // A connection tells its statistics at its end.
    drop(store);
    session.run("SELECT pg_stat_clear_snapshot()");
    let found = session.number(
        "SELECT idx_tup_read FROM pg_stat_user_indexes WHERE indexrelname = 'pending_due' AND schemaname = current_schema()",
    );
    // From the beginning each time it would be 80,000.
    assert!(found < 10_000, "{found} entries were looked at");
    let written = session
        .number("SELECT n_tup_upd FROM pg_stat_user_tables WHERE relname = 'lane' AND schemaname = current_schema()");
    assert!(written < 100, "the lane was written {written} times");
    drop(idle);
}

/// Slots that come back while a claim is made: more can be taken than were free when they were counted.
struct Returning;

impl Slots for Returning {
    fn take(&self, _: i64) -> bool {
        true
    }

    fn give_back(&self, _: i64) {}

    fn free(&self, _: i64) -> usize {
        0
    }
}

#[tokio::test]
async fn nothing_is_left_behind_when_slots_come_back_while_a_claim_is_made() {
    let store = node(&cluster::new_schema());
    store.insert_webhook(webhook("1")).await.unwrap();
    for number in 0..10 {
        let published = publication(event(&number.to_string(), number), &slots(0, 0));
        store.publish(published).await.unwrap();
    }
    let mut claimed = 0;
    for _ in 0..10 {
        let terms = ClaimTerms {
            slots: Arc::new(Returning),
            ..terms(&slots(0, 0), 50)
        };
        claimed += store.claim(terms).await.unwrap().due.len();
    }
    assert_eq!(claimed, 10);
}

#[tokio::test]
async fn a_claim_without_room_for_a_webhook_asks_for_the_next_one_at_once() {
    let store = node(&cluster::new_schema());
    for id in ["1", "2"] {
        store.insert_webhook(webhook(id)).await.unwrap();
    }
    // The second time, both webhooks had nothing left when they were looked at last.
    for second in 1..=2 {
        let event = event(&second.to_string(), second);
        let published = store.publish(publication(event, &slots(0, 0))).await;
        assert_eq!(stored(published.unwrap()).2.len(), 2);
        for left in [1, 0] {
            let terms = limited(&slots(100, 100), 1, second);
            let claimed = store.claim(terms).await.unwrap();
            assert_eq!(claimed.due.len(), 1);
            let at_once = claimed.next_due_at == Some(at(second));
            assert!(at_once || left == 0, "{:?}", claimed.next_due_at);
            let result = delivered(&claimed.due[0]);
            assert!(store.record(vec![result]).await.error.is_none());
        }
        let terms = limited(&slots(100, 100), 1, second);
        let rest = store.claim(terms).await.unwrap();
        assert!(rest.due.is_empty());
        assert_ne!(
            rest.next_due_at,
            Some(at(second)),
            "it would go on for ever"
        );
    }
}

/// The next claim of a busy webhook, and the one after, find what was committed late: with a time before what was claimed.
#[tokio::test]
async fn what_is_committed_late_is_claimed_within_a_second_or_so() {
    let store = node(&cluster::new_schema());
    store.insert_webhook(webhook("1")).await.unwrap();
    let publish = async |id: &str, at| {
        store
            .publish(publication(event(id, at), &slots(0, 0)))
            .await
            .unwrap();
    };
    let claim = async || store.claim(terms(&slots(1, 1), 2_000)).await.unwrap().due;
    for number in 1_000..1_020 {
        publish(&number.to_string(), number).await;
    }
    for _ in 0..10 {
        assert_eq!(claim().await.len(), 1);
    }
    publish("late", 1).await;
    let begun = std::time::Instant::now();
    let mut rest = Vec::new();
    while rest.len() < 11 {
        rest.extend(claim().await.into_iter().map(|due| due.event.id.clone()));
        assert!(begun.elapsed().as_secs() < 60, "{rest:?}");
    }
    assert!(rest.iter().any(|id| id == "late"), "{rest:?}");
}

#[tokio::test]
async fn a_schema_of_an_earlier_version_is_brought_up_to_date_and_one_of_a_later_version_is_used_while_it_says_so()
 {
    let url = cluster::new_schema();
    let session = Session::open(&url);
    session.run("CREATE TABLE truehook_schema (version bigint NOT NULL); INSERT INTO truehook_schema VALUES (1)");
    session.run(schema::MIGRATIONS[0]);
    let store = node(&url);
    let version = "SELECT version FROM truehook_schema";
    assert_eq!(session.number(version), schema::latest());
    store.insert_webhook(webhook("1")).await.unwrap();
    deliver(&store, "e", 1).await;
    drop(store);
    let known = schema::latest();
    session.run(&format!(
        "UPDATE truehook_schema SET version = 99, oldest = {known}"
    ));
    deliver(&node(&url), "f", 1).await;
    assert_eq!(session.number(version), 99);
}

#[test]
fn a_database_that_cannot_be_used_is_refused_with_the_reason() {
    let open = |url: &str, key: &str, purpose| {
        let address = PostgresAddress::new(url, None).unwrap();
        let key = EncryptionKey::from_hex(key).unwrap().into();
        let opened = PostgresStore::open(&address, &key, purpose, Arc::default());
        opened.map(|_| ()).unwrap_err()
    };
    let url = cluster::new_schema();
    drop(node(&url));
    let other_key = "ff".repeat(32);
    let refused = open(&url, &other_key, Purpose::Sandbox);
    assert!(
        matches!(refused, StoreError::WrongServerKey { .. }),
        "{refused}"
    );
    let refused = open(&url, KEY, Purpose::Production);
    assert!(refused.to_string().contains("sandbox"), "{refused}");
    Session::open(&url).run("UPDATE truehook_schema SET version = 99, oldest = 98");
    let refused = open(&url, KEY, Purpose::Sandbox);
    assert!(
        matches!(refused, StoreError::NewerServer { found: 99, .. }),
        "{refused}"
    );
    let foreign = cluster::new_schema();
    Session::open(&foreign).run("CREATE TABLE event (x integer)");
    let refused = open(&foreign, KEY, Purpose::Sandbox);
    assert!(
        matches!(refused, StoreError::ForeignServer { .. }),
        "{refused}"
    );
    let away = "postgres://u:hunter2@127.0.0.1:1/n";
    let refused = open(away, KEY, Purpose::Sandbox).to_string();
    assert!(
        refused.contains("127.0.0.1:1") && !refused.contains("hunter2"),
        "{refused}"
    );
}

#[tokio::test]
async fn text_that_postgres_cannot_hold_is_not_an_error_of_the_server() {
    let store = node(&cluster::new_schema());
    let found = store.event("a\0b".to_owned()).await.unwrap();
    assert!(found.is_none());
    let filter = DeliveryFilter {
        webhook_id: Some("\0".to_owned()),
        event_id: Some("\0".to_owned()),
        event_type: Some("\0".to_owned()),
        ..DeliveryFilter::default()
    };
    assert!(
        store
            .deliveries(filter, all())
            .await
            .unwrap()
            .rows
            .is_empty()
    );
    let lease = SignedDuration::from_secs(1);
    let mut publication = publication(event("e", 1), &slots(0, 0));
    publication.lease = lease;
    publication.event.account_id = Some("a\0b".to_owned());
    store.publish(publication).await.unwrap();
    let read = store.event("e".to_owned()).await.unwrap().unwrap();
    assert_eq!(read.event.account_id.as_deref(), Some("a\0b"));
}
