//! Partitions: a new one each day, and old ones that are dropped.

use std::cell::Cell;

use super::*;

/// Ends the day of the current partition.
const NEW_DAY: &str =
    "UPDATE partition SET begun_at = now() - interval '25 hours' WHERE begun_at IS NOT NULL
     AND ordinal = (SELECT max(ordinal) FROM partition WHERE begun_at IS NOT NULL)";

/// How often the drop of a partition is tried while it is in use, at least, and how much is published meanwhile.
const TRIES: usize = 5;

/// Far longer than a statement may wait behind the drop of a partition, and shorter than the lock timeout of the other statements.
const STALL: Duration = Duration::from_secs(4);

/// Deletes what is older than this second, in as many steps as that takes; gives how many events, and whether a partition was in use.
async fn purge(store: &PostgresStore, before: i64) -> (u64, bool) {
    let mut terms = PurgeTerms {
        events_before: at(before),
        keys_before: at(0),
        after: 0,
        limit: 10,
    };
    let (mut events, mut in_use) = (0, false);
    loop {
        let purged = store.purge(terms).await.unwrap();
        events += purged.events;
        in_use |= purged.in_use;
        let Some(next) = purged.next else {
            return (events, in_use);
        };
        terms.after = next;
    }
}

#[tokio::test]
async fn a_new_day_has_a_partition_of_its_own_and_one_that_is_old_is_dropped_unless_something_is_pending()
 {
    let url = cluster::new_schema();
    let store = node(&url);
    let session = Session::open(&url);
    store.insert_webhook(webhook("1")).await.unwrap();
    deliver(&store, "first day", 1).await;
    session.run(NEW_DAY);
    assert_eq!(purge(&store, 0).await.0, 0);
    let lanes = slots(0, 0);
    store
        .publish(publication(event("second day", 100), &lanes))
        .await
        .unwrap();
    session.run(NEW_DAY);
    assert_eq!(purge(&store, 0).await.0, 0);
    deliver(&store, "third day", 200).await;
    // Everything that was handed over before is settled by the next claim.
    store.claim(limited(&slots(0, 0), 9, 200)).await.unwrap();
    assert_eq!(session.number("SELECT count(*) FROM partition"), 4);
    assert_eq!(purge(&store, 150).await.0, 1, "the first day");
    assert_eq!(
        session.number("SELECT min(ordinal)::bigint FROM partition"),
        1
    );
    assert_eq!(
        session.number("SELECT count(*) FROM pg_class WHERE relname = 'event_0' AND relnamespace = current_schema()::regnamespace"),
        0
    );
    let place = store.last_event().await.unwrap();
    let due = store.claim(terms(&slots(9, 9), 200)).await.unwrap().due;
    assert_eq!(
        store.record(vec![delivered(&due[0])]).await.each,
        [Recorded::Yes]
    );
    assert_eq!(
        purge(&store, 150).await.0,
        1,
        "the second day, which is not pending any more"
    );
    assert_eq!(
        session.number("SELECT min(ordinal)::bigint FROM partition"),
        2
    );
    assert_eq!(store.last_event().await.unwrap(), place);
    let left = store
        .deliveries(DeliveryFilter::default(), all())
        .await
        .unwrap();
    assert_eq!(left.rows.len(), 1);
    assert_eq!(left.rows[0].event_id, "third day");
}

#[tokio::test]
async fn an_old_partition_that_is_in_use_stalls_nobody_and_is_dropped_later() {
    let url = cluster::new_schema();
    let store = node(&url);
    let session = Session::open(&url);
    store.insert_webhook(webhook("1")).await.unwrap();
    deliver(&store, "first day", 1).await;
    session.run(NEW_DAY);
    purge(&store, 0).await;
    deliver(&store, "second day", 200).await;
    store.claim(limited(&slots(0, 0), 9, 200)).await.unwrap();
    let oldest = || session.number("SELECT min(ordinal)::bigint FROM partition");

    let reader = Session::open(&url);
    reader.run("BEGIN; SELECT count(*) FROM event_0");
    let (ended, rounds) = (Cell::new(false), Cell::new(0));
    let dropping = async {
        let mut tries = 0;
        while tries.min(rounds.get()) < TRIES {
            let (_, in_use) = purge(&store, 150).await;
            assert!(in_use, "it was dropped beside its reader");
            tries += 1;
        }
        ended.set(true);
    };
    let using = async {
        let mut longest = Duration::ZERO;
        while !ended.get() {
            let began = Instant::now();
            deliver(&store, &format!("beside {}", rounds.get()), 201).await;
            longest = longest.max(began.elapsed());
            let began = Instant::now();
            let found = store.deliveries(DeliveryFilter::default(), all()).await;
            assert!(found.unwrap().rows.len() > rounds.get());
            longest = longest.max(began.elapsed());
            rounds.set(rounds.get() + 1);
        }
        longest
    };
    let ((), longest) = futures_util::join!(dropping, using);
    assert!(longest < STALL, "a statement took {longest:?}");
    assert_eq!(oldest(), 0);
    let kept = session.number("SELECT count(*) FROM event_0");
    assert_eq!(kept, 1, "it was deleted event by event");

    reader.run("ROLLBACK");
    assert!(!purge(&store, 150).await.1);
    assert_eq!(oldest(), 1);
}

#[tokio::test]
async fn a_partition_that_holds_something_pending_keeps_no_later_one_from_being_dropped() {
    let url = cluster::new_schema();
    let store = node(&url);
    let session = Session::open(&url);
    store.insert_webhook(webhook("1")).await.unwrap();
    deliver(&store, "first day", 1).await;
    let lanes = slots(0, 0);
    let pending = publication(event("pending", 2), &lanes);
    store.publish(pending).await.unwrap();
    for (day, second) in [("second day", 100), ("third day", 200)] {
        session.run(NEW_DAY);
        purge(&store, 0).await;
        deliver(&store, day, second).await;
    }
    store.claim(limited(&slots(0, 0), 9, 200)).await.unwrap();
    assert_eq!(purge(&store, 150).await, (2, false));
    let tables = "SELECT count(*) FROM pg_class WHERE relname IN ('event_0', 'event_2') AND relnamespace = current_schema()::regnamespace";
    assert_eq!(session.number(tables), 2);
    let dropped = tables.replace("event_0', 'event_2", "event_1");
    assert_eq!(
        session.number(&dropped),
        0,
        "the second day was not dropped"
    );
    let left = store.deliveries(DeliveryFilter::default(), all()).await;
    let left: Vec<String> = left
        .unwrap()
        .rows
        .into_iter()
        .map(|row| row.event_id)
        .collect();
    assert_eq!(left, ["third day", "pending"]);
}

#[tokio::test]
async fn the_oldest_snapshot_of_any_role_is_measured_in_transactions() {
    let (url, other) = (cluster::new_schema(), cluster::new_schema());
    let store = node(&url);
    store.insert_webhook(webhook("1")).await.unwrap();
    let idle = Session::open(&other);
    idle.run("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM pg_class");
    for number in 0..50 {
        deliver(&store, &number.to_string(), number).await;
    }
    let state = store.queue_state(at(100)).await.unwrap();
    let age = state.oldest_snapshot.unwrap();
    assert!(age >= 50, "{age}");
    drop(idle);
}
