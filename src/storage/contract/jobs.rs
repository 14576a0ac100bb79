//! Long work in steps: replaying many deliveries, and deleting what is old.

use super::super::{
    DeliveryFilter, Idempotency, OnDelete, Publication, Published, PurgeTerms, Replay,
    ReplayFilter, ReplayState,
};
use super::{CONDUIT, Subject, at, event, fresh, key, moment, names, publication, slots, webhook};
use crate::domain::{Audience, DeliveryState, Event, Fingerprint, Next, Webhook, WebhookChange};

fn replay(id: &str, filter: ReplayFilter) -> Replay {
    Replay {
        id: id.to_owned(),
        filter,
        dry_run: false,
        matched: 0,
        enqueued: 0,
        created_at: at(1_000),
        finished_at: None,
    }
}

const UNMATCHED: Option<ReplayState> = Some(ReplayState::Unmatched);

fn in_state(state: DeliveryState) -> ReplayFilter {
    ReplayFilter {
        state: Some(ReplayState::Delivery(state)),
        ..ReplayFilter::default()
    }
}

/// Does the job to its end, two rows a step; gives how many it matched and enqueued.
async fn run(subject: &Subject, replay: Replay) -> (u64, u64) {
    let id = replay.id.clone();
    subject.store.insert_replay(replay).await.unwrap();
    while subject.store.step_replay(2, moment(2_000)).await.unwrap() {}
    let done = subject.store.replay(id).await.unwrap().unwrap();
    assert_eq!(done.finished_at, Some(at(2_000)));
    (done.matched, done.enqueued)
}

/// Returns the deliveries that a job with this filter makes due, as webhook and event.
async fn replayed(subject: &Subject, id: &str, filter: ReplayFilter) -> Vec<String> {
    let (matched, enqueued) = run(subject, replay(id, filter)).await;
    let due = subject.claim(2_000).await.due;
    assert_eq!((matched, enqueued), (due.len() as u64, due.len() as u64));
    let mut found = Vec::new();
    for due in due {
        assert!(due.once, "{}", due.id);
        found.push(format!("{}{}", due.target.webhook_id, due.event.id));
        assert!(subject.record(&due, Next::Exhausted, 2_001).await);
    }
    found.sort();
    found
}

/// Claims what is due and records for each delivery what `next` says of its webhook and event.
async fn end(subject: &Subject, second: i64, next: impl Fn(&str, &str) -> Next) {
    for due in subject.claim(second).await.due {
        let next = next(&due.target.webhook_id, &due.event.id);
        assert!(subject.record(&due, next, second).await);
    }
}

fn purge(events_before: i64, limit: u32) -> PurgeTerms {
    PurgeTerms {
        events_before: at(events_before),
        keys_before: at(0),
        after: 0,
        limit,
    }
}

/// Purges to the end; gives how many events each step deleted.
async fn purge_all(subject: &Subject, mut terms: PurgeTerms) -> Vec<u64> {
    let mut steps = Vec::new();
    loop {
        let purged = subject.store.purge(terms).await.unwrap();
        steps.push(purged.events);
        let Some(next) = purged.next else { break };
        assert!(steps.len() < 1_000, "it never ends");
        terms.after = next;
    }
    steps
}

async fn rows(subject: &Subject, table: &str) -> i64 {
    subject.store.check().await.unwrap();
    subject.backend.count(table).await
}

async fn event_ids(subject: &Subject) -> Vec<String> {
    let found = subject
        .store
        .events(super::super::EventFilter::default(), super::all())
        .await
        .unwrap();
    found
        .rows
        .into_iter()
        .map(|record| record.event.id)
        .collect()
}

#[tokio::test]
async fn a_replay_is_read_back_as_it_was_asked_for() {
    let subject = fresh().await;
    let full = Replay {
        dry_run: true,
        ..replay(
            "1",
            ReplayFilter {
                provider: Some(CONDUIT),
                webhook_id: Some("w".to_owned()),
                state: UNMATCHED,
                from: Some(at(1)),
                to: Some(at(2)),
            },
        )
    };
    let plain = replay("2", ReplayFilter::default());
    for replay in [full, plain] {
        subject.store.insert_replay(replay.clone()).await.unwrap();
        let found = subject.store.replay(replay.id.clone()).await.unwrap();
        assert_eq!(found, Some(replay));
    }
    let unknown = subject.store.replay("3".to_owned()).await.unwrap();
    assert_eq!(unknown, None);
    for state in [
        DeliveryState::Pending,
        DeliveryState::Delivered,
        DeliveryState::Exhausted,
        DeliveryState::Cancelled,
    ] {
        let replay = replay(state.as_str(), in_state(state));
        subject.store.insert_replay(replay.clone()).await.unwrap();
        let found = subject.store.replay(replay.id.clone()).await.unwrap();
        assert_eq!(found, Some(replay));
    }
}

#[tokio::test]
async fn a_replay_makes_due_what_its_filter_lets_through() {
    let subject = fresh().await;
    subject.add_webhooks(["1", "2"]).await;
    let conduit = Webhook {
        provider: CONDUIT,
        ..webhook("3")
    };
    subject.store.insert_webhook(conduit).await.unwrap();
    subject.publish(event("a", 10)).await;
    subject.publish(event("b", 20)).await;
    let of_conduit = Event {
        provider: CONDUIT,
        ..event("c", 30)
    };
    subject.publish(of_conduit).await;
    end(&subject, 100, |_, event| match event {
        "a" => Next::Delivered,
        _ => Next::Exhausted,
    })
    .await;

    let filter = ReplayFilter::default;
    let provider = ReplayFilter {
        provider: Some(CONDUIT),
        ..filter()
    };
    assert_eq!(replayed(&subject, "provider", provider).await, ["3c"]);
    let webhook_id = ReplayFilter {
        webhook_id: Some("2".to_owned()),
        ..in_state(DeliveryState::Delivered)
    };
    assert_eq!(replayed(&subject, "webhook", webhook_id).await, ["2a"]);
    assert_eq!(
        replayed(&subject, "state", in_state(DeliveryState::Delivered)).await,
        ["1a"]
    );
    let period = ReplayFilter {
        from: Some(at(10)),
        to: Some(at(20)),
        ..filter()
    };
    assert_eq!(replayed(&subject, "period", period).await, ["1a", "2a"]);
    let from = ReplayFilter {
        from: Some(at(20)),
        ..filter()
    };
    assert_eq!(replayed(&subject, "from", from).await, ["1b", "2b", "3c"]);
    let contradiction = ReplayFilter {
        provider: Some(CONDUIT),
        webhook_id: Some("1".to_owned()),
        ..filter()
    };
    assert_eq!(
        replayed(&subject, "contradiction", contradiction).await,
        [""; 0]
    );
    assert_eq!(
        replayed(&subject, "everything", filter()).await,
        ["1a", "1b", "2a", "2b", "3c"]
    );
}

#[tokio::test]
async fn a_replay_reaches_cancelled_and_pending_deliveries_too() {
    let subject = fresh().await;
    subject.add_webhooks(["1", "2"]).await;
    subject.publish(event("a", 10)).await;
    end(&subject, 100, |_, _| Next::RetryAt(at(90_000))).await;
    let delete = subject
        .store
        .delete_webhook(key("1"), OnDelete::CancelPending, at(200));
    assert!(delete.await.unwrap());
    let cancelled = replay("1", in_state(DeliveryState::Cancelled));
    assert_eq!(run(&subject, cancelled).await, (1, 1));
    let due = subject.claim_one(2_000).await;
    assert_eq!((due.target.webhook_id.as_str(), due.once), ("1", true));
    assert!(subject.record(&due, Next::Delivered, 2_001).await);
    let pending = replay("2", in_state(DeliveryState::Pending));
    assert_eq!(run(&subject, pending).await, (1, 1));
    let due = subject.claim_one(2_000).await;
    assert_eq!((due.target.webhook_id.as_str(), due.once), ("2", false));
}

#[tokio::test]
async fn a_dry_run_counts_and_makes_nothing_due() {
    let subject = fresh().await;
    subject.publish_at([1, 2, 3]).await;
    subject.add_webhooks(["1", "2"]).await;
    subject.publish_at([4, 5]).await;
    end(&subject, 100, |_, _| Next::Delivered).await;
    for (id, state, matched) in [
        (
            "1",
            Some(ReplayState::Delivery(DeliveryState::Delivered)),
            4,
        ),
        ("2", UNMATCHED, 6),
        ("3", None, 4),
    ] {
        let filter = ReplayFilter {
            state,
            ..ReplayFilter::default()
        };
        let dry = Replay {
            dry_run: true,
            ..replay(id, filter)
        };
        assert_eq!(run(&subject, dry).await, (matched, 0), "{state:?}");
    }
    let found = subject.claim(9_000).await;
    assert_eq!((found.due.len(), found.next_due_at), (0, None));
    let found = subject.deliveries(DeliveryFilter::default()).await;
    assert_eq!(found.len(), 4);
    assert!(
        found
            .iter()
            .all(|delivery| delivery.state == DeliveryState::Delivered)
    );
}

#[tokio::test]
async fn events_that_nobody_wanted_are_matched_anew() {
    let subject = fresh().await;
    subject.publish_at([1, 2]).await;
    subject.add_webhooks(["1", "2"]).await;
    subject.publish_at([3]).await;
    end(&subject, 100, |_, _| Next::Delivered).await;
    let filter = ReplayFilter {
        state: UNMATCHED,
        ..ReplayFilter::default()
    };
    assert_eq!(run(&subject, replay("1", filter.clone())).await, (4, 4));
    let due = subject.claim(2_000).await.due;
    let mut found = names(&due);
    found.sort();
    assert_eq!(found, [("1", "1"), ("1", "2"), ("2", "1"), ("2", "2")]);
    for due in &due {
        // They follow the schedule like others, from now on.
        assert_eq!((due.attempt, due.once), (1, false));
        assert_eq!(due.due_at, at(2_000));
    }
    // Now they are matched; the next job finds none.
    assert_eq!(run(&subject, replay("2", filter)).await, (0, 0));
    let found = subject.store.event("1".to_owned()).await.unwrap().unwrap();
    assert_eq!((found.deliveries.pending, found.event), (2, event("1", 1)));
}

#[tokio::test]
async fn an_event_is_matched_anew_as_its_audience_says_and_only_for_what_wants_it_now() {
    let subject = fresh().await;
    for (id, audience) in [("1", Audience::Account), ("2", Audience::Platform)] {
        let publication = Publication {
            audience,
            ..publication(event(id, 1), &slots(0, 0))
        };
        subject.store.publish(publication).await.unwrap();
    }
    subject.add_webhooks(["of F1", "disabled"]).await;
    let disabled = WebhookChange {
        enabled: Some(false),
        ..WebhookChange::default()
    };
    subject.change("disabled", disabled).await;
    let of_all = Webhook {
        account_id: None,
        ..webhook("of all")
    };
    subject.store.insert_webhook(of_all).await.unwrap();
    let filter = ReplayFilter {
        state: UNMATCHED,
        ..ReplayFilter::default()
    };
    assert_eq!(run(&subject, replay("1", filter)).await, (3, 3));
    let due = subject.claim(2_000).await.due;
    let mut found = names(&due);
    found.sort();
    assert_eq!(found, [("of F1", "1"), ("of all", "1"), ("of all", "2")]);
}

#[tokio::test]
async fn the_filter_of_unmatched_events_holds_together() {
    let subject = fresh().await;
    subject.publish_at([10, 20, 30]).await;
    let of_conduit = Event {
        provider: CONDUIT,
        ..event("40", 40)
    };
    subject.publish(of_conduit).await;
    subject.add_webhooks(["1", "2"]).await;
    let conduit = Webhook {
        provider: CONDUIT,
        ..webhook("3")
    };
    subject.store.insert_webhook(conduit).await.unwrap();
    let filter = ReplayFilter {
        state: UNMATCHED,
        ..ReplayFilter::default()
    };
    let conduit = ReplayFilter {
        provider: Some(CONDUIT),
        ..filter.clone()
    };
    assert_eq!(run(&subject, replay("provider", conduit)).await, (1, 1));
    let period = ReplayFilter {
        from: Some(at(10)),
        to: Some(at(20)),
        ..filter.clone()
    };
    assert_eq!(run(&subject, replay("period", period)).await, (2, 2));
    let webhook_id = ReplayFilter {
        webhook_id: Some("2".to_owned()),
        to: Some(at(30)),
        ..filter.clone()
    };
    assert_eq!(run(&subject, replay("webhook", webhook_id)).await, (1, 1));
    let due = subject.claim(2_000).await.due;
    let mut found = names(&due);
    found.sort();
    assert_eq!(found, [("1", "10"), ("2", "10"), ("2", "20"), ("3", "40")]);
}

#[tokio::test]
async fn a_replay_goes_on_where_it_was_after_the_file_is_opened_again() {
    let subject = fresh().await;
    subject.add_webhooks(["1"]).await;
    subject.publish_at([1, 2, 3, 4, 5]).await;
    end(&subject, 100, |_, _| Next::Delivered).await;
    let everything = replay("r", ReplayFilter::default());
    subject.store.insert_replay(everything).await.unwrap();
    assert!(subject.store.step_replay(2, moment(2_000)).await.unwrap());
    let subject = subject.reopen().await;
    let found = subject.store.replay("r".to_owned()).await.unwrap().unwrap();
    assert_eq!((found.matched, found.enqueued), (2, 2));
    assert_eq!(found.finished_at, None);
    // The deliveries that were made due are attempted meanwhile, and not a second time.
    end(&subject, 2_000, |_, _| Next::Delivered).await;
    let subject = subject.reopen().await;
    while subject.store.step_replay(2, moment(2_001)).await.unwrap() {}
    let found = subject.store.replay("r".to_owned()).await.unwrap().unwrap();
    assert_eq!((found.matched, found.enqueued), (5, 5));
    assert_eq!(found.finished_at, Some(at(2_001)));
    let due = subject.claim(2_001).await.due;
    let mut events: Vec<&str> = due.iter().map(|due| due.event.id.as_str()).collect();
    events.sort_unstable();
    assert_eq!(events, ["3", "4", "5"]);
    assert!(!subject.store.step_replay(2, moment(2_002)).await.unwrap());
}

#[tokio::test]
async fn what_is_made_after_a_replay_is_not_part_of_it() {
    let subject = fresh().await;
    subject.publish_at([1, 2, 3]).await;
    let unmatched = ReplayFilter {
        state: UNMATCHED,
        ..ReplayFilter::default()
    };
    let job = replay("unmatched", unmatched);
    subject.store.insert_replay(job).await.unwrap();
    subject.publish_at([4, 5]).await;
    subject.add_webhooks(["1"]).await;
    assert!(subject.store.step_replay(2, moment(2_000)).await.unwrap());
    subject.publish_at([6]).await;
    let job = replay("everything", ReplayFilter::default());
    subject.store.insert_replay(job).await.unwrap();
    subject.publish_at([7]).await;
    while subject.store.step_replay(2, moment(2_000)).await.unwrap() {}
    let matched = async |id: &str| {
        let found = subject.store.replay(id.to_owned()).await.unwrap().unwrap();
        found.matched
    };
    assert_eq!(matched("unmatched").await, 3);
    assert_eq!(matched("everything").await, 3, "of the events 1, 2 and 6");
    let mut events: Vec<String> = subject
        .deliveries(DeliveryFilter::default())
        .await
        .into_iter()
        .map(|delivery| delivery.event_id)
        .collect();
    events.sort();
    assert_eq!(events, ["1", "2", "3", "6", "7"]);
}

#[tokio::test]
async fn what_is_made_after_a_replay_is_not_part_of_it_though_all_older_is_deleted_meanwhile() {
    let subject = fresh().await;
    subject.add_webhooks(["1"]).await;
    subject.publish_at([1, 2, 3]).await;
    end(&subject, 100, |_, _| Next::Delivered).await;
    let job = replay("r", ReplayFilter::default());
    subject.store.insert_replay(job).await.unwrap();
    assert_eq!(purge_all(&subject, purge(500, 10)).await, [3]);
    subject.publish_at([600]).await;
    end(&subject, 600, |_, _| Next::Delivered).await;
    while subject.store.step_replay(2, moment(2_000)).await.unwrap() {}
    let found = subject.store.replay("r".to_owned()).await.unwrap().unwrap();
    assert_eq!((found.matched, found.enqueued), (0, 0));
}

#[tokio::test]
async fn replays_are_done_one_after_the_other_and_one_of_nothing_ends_too() {
    let subject = fresh().await;
    assert!(!subject.store.step_replay(9, moment(1)).await.unwrap());
    for id in ["1", "2"] {
        let job = replay(id, ReplayFilter::default());
        subject.store.insert_replay(job).await.unwrap();
    }
    assert!(subject.store.step_replay(9, moment(1)).await.unwrap());
    let finished = async |id: &str| {
        let found = subject.store.replay(id.to_owned()).await.unwrap().unwrap();
        found.finished_at
    };
    assert_eq!(
        (finished("1").await, finished("2").await),
        (Some(at(1)), None)
    );
    assert!(subject.store.step_replay(9, moment(2)).await.unwrap());
    assert_eq!(finished("2").await, Some(at(2)));
    assert!(!subject.store.step_replay(9, moment(3)).await.unwrap());
}

#[tokio::test]
async fn old_events_are_deleted_with_their_deliveries_and_attempts() {
    let subject = fresh().await;
    subject.add_webhooks(["1", "2"]).await;
    subject.publish_at([10, 20, 30]).await;
    end(&subject, 100, |_, _| Next::Delivered).await;
    let old = subject.deliveries(DeliveryFilter::default()).await;
    assert_eq!(rows(&subject, "attempt").await, 6);
    assert_eq!(purge_all(&subject, purge(20, 10)).await, [1]);
    assert_eq!(event_ids(&subject).await, ["30", "20"]);
    let left = subject.deliveries(DeliveryFilter::default()).await;
    assert!(left.iter().all(|delivery| delivery.event_id != "10"));
    assert_eq!(rows(&subject, "attempt").await, 4);
    let gone = old.last().unwrap().id;
    assert!(subject.store.delivery(gone).await.unwrap().is_none());
    let unknown = subject.store.event("10".to_owned()).await.unwrap();
    assert!(unknown.is_none());
}

#[tokio::test]
async fn an_event_with_something_pending_is_kept_whole_however_old() {
    let subject = fresh().await;
    subject.add_webhooks(["1", "2"]).await;
    subject.publish_at([10, 20]).await;
    end(&subject, 100, |webhook, event| match (webhook, event) {
        ("1", "10") => Next::RetryAt(at(5_000)),
        _ => Next::Exhausted,
    })
    .await;
    assert_eq!(purge_all(&subject, purge(1_000, 10)).await, [1]);
    assert_eq!(event_ids(&subject).await, ["10"]);
    assert_eq!(subject.deliveries(DeliveryFilter::default()).await.len(), 2);
    let due = subject.claim_one(5_000).await;
    assert!(subject.record(&due, Next::Delivered, 5_000).await);
    assert_eq!(purge_all(&subject, purge(1_000, 10)).await, [1]);
    assert_eq!(event_ids(&subject).await, [""; 0]);
}

#[tokio::test]
async fn a_purge_goes_on_step_by_step_past_what_is_kept() {
    let subject = fresh().await;
    subject.add_webhooks(["1"]).await;
    subject.publish_at([1, 2, 3, 4, 5, 6, 7]).await;
    end(&subject, 100, |_, event| match event {
        "1" | "2" | "4" => Next::RetryAt(at(5_000)),
        _ => Next::Delivered,
    })
    .await;
    subject.publish_at([200]).await;
    assert_eq!(purge_all(&subject, purge(200, 2)).await, [0, 1, 2, 1]);
    assert_eq!(event_ids(&subject).await, ["200", "4", "2", "1"]);
    assert_eq!(purge_all(&fresh().await, purge(200, 2)).await, [0]);
}

#[tokio::test]
async fn old_idempotency_keys_are_forgotten_and_young_ones_are_not() {
    let subject = fresh().await;
    let publish = async |id: &str, key: &str, second| {
        let publication = Publication {
            idempotency: Some(Idempotency {
                caller: "caller".to_owned(),
                key: key.to_owned(),
                request: Fingerprint::of(b"body"),
            }),
            ..publication(event(id, second), &slots(0, 0))
        };
        subject.store.publish(publication).await.unwrap()
    };
    for (id, second) in [("1", 10), ("2", 20), ("3", 30), ("4", 40), ("5", 50)] {
        publish(id, id, second).await;
    }
    let terms = PurgeTerms {
        keys_before: at(40),
        ..purge(0, 1)
    };
    purge_all(&subject, terms).await;
    assert_eq!(event_ids(&subject).await, ["5", "4", "3", "2", "1"]);
    for key in ["1", "2", "3"] {
        let published = publish(&format!("again {key}"), key, 60).await;
        assert!(matches!(published, Published::Stored { .. }), "{key}");
    }
    for key in ["4", "5"] {
        let published = publish(&format!("again {key}"), key, 60).await;
        assert!(matches!(published, Published::Repeated(_)), "{key}");
    }
    // A key is good for as long as it is kept, also when its event is gone.
    assert_eq!(purge_all(&subject, purge(60, 9)).await, [5]);
    let published = publish("again", "5", 70).await;
    assert!(matches!(published, Published::Repeated(receipt) if receipt.id == "5"));
}

#[tokio::test]
async fn one_step_forgets_no_more_keys_than_its_limit() {
    let subject = fresh().await;
    for number in 0..10 {
        let publication = Publication {
            idempotency: Some(Idempotency {
                caller: "caller".to_owned(),
                key: number.to_string(),
                request: Fingerprint::of(b"body"),
            }),
            ..publication(event(&number.to_string(), 1), &slots(0, 0))
        };
        subject.store.publish(publication).await.unwrap();
    }
    let mut terms = PurgeTerms {
        keys_before: at(2),
        ..purge(0, 4)
    };
    for left in [6, 2, 0] {
        let purged = subject.store.purge(terms).await.unwrap();
        assert_eq!(rows(&subject, "idempotency").await, left);
        assert_eq!(purged.next.is_some(), left > 0);
        terms.after = purged.next.unwrap_or_default();
    }
}

#[tokio::test]
async fn a_deleted_webhook_goes_with_its_last_delivery() {
    let subject = fresh().await;
    subject.add_webhooks(["1", "2"]).await;
    subject.publish_at([10, 20]).await;
    end(&subject, 100, |_, _| Next::Delivered).await;
    let delete = subject
        .store
        .delete_webhook(key("1"), OnDelete::KeepPending, at(200));
    assert!(delete.await.unwrap());
    purge_all(&subject, purge(20, 10)).await;
    let of_first = DeliveryFilter {
        webhook_id: Some("1".to_owned()),
        ..DeliveryFilter::default()
    };
    assert_eq!(subject.deliveries(of_first).await.len(), 1);
    assert!(
        subject.store.insert_webhook(webhook("1")).await.is_err(),
        "its id is still taken"
    );
    purge_all(&subject, purge(30, 10)).await;
    assert_eq!(rows(&subject, "webhook").await, 1);
    assert_eq!(rows(&subject, "subscription").await, 2);
    let kept = subject.store.webhook(key("2")).await.unwrap();
    assert_eq!(kept, Some(webhook("2")));
    subject.store.insert_webhook(webhook("1")).await.unwrap();
}
