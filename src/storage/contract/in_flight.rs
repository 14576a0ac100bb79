//! Deliveries that are attempted from memory: seen, changed and recorded as others are, and attempted again after a crash.

use super::super::{
    AnyWebhookFilter, DeliveryFilter, OnDelete, QueueState, Replay, ReplayFilter, Retried,
    WindowState,
};
use super::{
    DAY, LEASE, Subject, all, at, attempt, event, fresh, key, moment, publication, slots, stored,
};
use crate::domain::{DeliveryState, DueDelivery, Next, Outcome};

/// Publishes an event whose deliveries are all attempted at once.
async fn begin(subject: &Subject, id: &str, second: i64) -> Vec<DueDelivery> {
    let lanes = slots(100, 100);
    let published = subject
        .store
        .publish(publication(event(id, second), &lanes))
        .await;
    let (receipt, claimed, waiting) = stored(published.unwrap());
    assert_eq!(
        (receipt.deliveries, waiting.len()),
        (claimed.len() as u64, 0)
    );
    claimed
}

async fn states(subject: &Subject, id: &str) -> (u64, u64) {
    let found = subject.store.event(id.to_owned()).await.unwrap().unwrap();
    (found.deliveries.pending, found.deliveries.delivered)
}

#[tokio::test]
async fn a_delivery_that_is_attempted_at_once_is_seen_before_and_after_its_result() {
    let subject = fresh().await;
    subject.add_webhooks(["1", "2"]).await;
    let before = begin(&subject, "before", 1).await;
    let due = begin(&subject, "e", 2).await;
    for (recorded, (pending, delivered)) in [(0, (2, 0)), (1, (1, 1)), (2, (0, 2))] {
        if recorded > 0 {
            let due = &due[recorded - 1];
            assert!(subject.record(due, Next::Delivered, 3).await);
            assert!(!subject.record(due, Next::Delivered, 3).await, "twice");
        }
        assert_eq!(states(&subject, "e").await, (pending, delivered));
        let listed = subject.deliveries(DeliveryFilter::default()).await;
        let ids: Vec<_> = listed.iter().map(|delivery| delivery.id).collect();
        assert_eq!(ids, [due[1].id, due[0].id, before[1].id, before[0].id]);
        for (place, due) in due.iter().enumerate() {
            let found = subject.store.delivery(due.id).await.unwrap().unwrap();
            let is_recorded = place < recorded;
            let record = &found.delivery;
            let same = listed.iter().find(|listed| listed.id == due.id).unwrap();
            assert_eq!(format!("{record:?}"), format!("{same:?}"));
            assert_eq!((record.attempts, record.created_at), (1, at(2)));
            assert_eq!(record.webhook_id, due.target.webhook_id);
            assert_eq!(record.event_id, "e");
            assert_eq!(record.state == DeliveryState::Delivered, is_recorded);
            assert_eq!(record.last.is_some(), is_recorded);
            assert_eq!(found.attempts.len(), usize::from(is_recorded));
            if is_recorded {
                assert_eq!(found.attempts[0], attempt(1));
            } else {
                assert_eq!(record.due_at, at(2 + LEASE));
            }
        }
        // Every filter sees them.
        let filter = DeliveryFilter {
            state: Some(DeliveryState::Pending),
            event_id: Some("e".to_owned()),
            event_type: Some("a".to_owned()),
            provider: Some(super::EQUALS_MONEY),
            from: Some(at(2)),
            to: Some(at(3)),
            ..DeliveryFilter::default()
        };
        assert_eq!(subject.deliveries(filter).await.len() as u64, pending);
        let of_second = DeliveryFilter {
            webhook_id: Some("2".to_owned()),
            ..DeliveryFilter::default()
        };
        assert_eq!(subject.deliveries(of_second).await.len(), 2);
        let QueueState {
            pending: queued, ..
        } = subject.store.queue_state(at(3)).await.unwrap();
        assert_eq!(queued, pending + 2);
        let overview = subject.store.overview().await.unwrap();
        let new = overview.window.deliveries.iter();
        let new = new.filter(|(_, state)| *state == WindowState::New).count();
        assert_eq!(new as u64, pending + 2);
        let webhooks = subject
            .store
            .any_webhooks(AnyWebhookFilter::default(), all())
            .await;
        let recent = webhooks
            .unwrap()
            .rows
            .into_iter()
            .map(|webhook| webhook.recent.states);
        let recent: Vec<_> = recent
            .map(|states| states.pending + states.delivered)
            .collect();
        assert_eq!(recent, [2, 2]);
    }
}

#[tokio::test]
async fn a_page_ends_and_goes_on_among_deliveries_with_and_without_results() {
    let subject = fresh().await;
    subject.add_webhooks(["1", "2", "3"]).await;
    let mut expected = Vec::new();
    for number in 0..4 {
        let due = begin(&subject, &number.to_string(), number).await;
        assert!(subject.record(&due[1], Next::Delivered, 9).await);
        expected.extend(due.into_iter().map(|due| due.id));
    }
    expected.reverse();
    let mut found = Vec::new();
    let mut page = super::NumberPage {
        before: None,
        limit: 5,
    };
    loop {
        let rows = subject
            .store
            .deliveries(DeliveryFilter::default(), page)
            .await
            .unwrap();
        found.extend(rows.rows.into_iter().map(|delivery| delivery.id));
        let Some(next) = rows.next else { break };
        page.before = Some(next);
    }
    assert_eq!(found, expected);
}

#[tokio::test]
async fn every_filter_finds_deliveries_with_and_without_results() {
    let subject = fresh().await;
    subject.add_webhooks(["1", "2", "3", "4"]).await;
    // Newer ones have rows where older ones have none, and the other way round.
    for number in 0..4 {
        let due = begin(&subject, &number.to_string(), number).await;
        let retry = Next::RetryAt(at(DAY));
        let nexts = match number {
            0 => [None, Some(retry), Some(Next::Exhausted), None],
            1 => [None, None, Some(Next::Delivered), None],
            2 => [Some(Next::Exhausted), None, Some(retry), None],
            _ => [Some(Next::Delivered), None, None, Some(Next::Exhausted)],
        };
        for (due, next) in due.iter().zip(nexts) {
            if let Some(next) = next {
                assert!(subject.record(due, next, 9).await);
            }
        }
    }
    let every = subject.deliveries(DeliveryFilter::default()).await;
    assert_eq!(every.len(), 16);
    let some = |ids: &[&str]| {
        let ids = ids.iter().map(|id| Some((*id).to_owned()));
        ids.chain([None]).collect::<Vec<_>>()
    };
    let states = [
        DeliveryState::Pending,
        DeliveryState::Delivered,
        DeliveryState::Exhausted,
        DeliveryState::Cancelled,
    ];
    for state in states.map(Some).into_iter().chain([None]) {
        for webhook_id in some(&["1", "2", "3", "4", "none"]) {
            for event_id in some(&["0", "1", "2", "3"]) {
                for event_type in some(&["a"]) {
                    let filter = DeliveryFilter {
                        state,
                        webhook_id: webhook_id.clone(),
                        event_id: event_id.clone(),
                        event_type,
                        ..DeliveryFilter::default()
                    };
                    let wanted = every.iter().filter(|delivery| {
                        state.is_none_or(|state| delivery.state == state)
                            && webhook_id
                                .as_ref()
                                .is_none_or(|id| delivery.webhook_id == *id)
                            && event_id.as_ref().is_none_or(|id| delivery.event_id == *id)
                    });
                    let wanted: Vec<_> = wanted.map(|delivery| delivery.id).collect();
                    let found = subject.deliveries(filter.clone()).await.into_iter();
                    let found: Vec<_> = found.map(|delivery| delivery.id).collect();
                    assert_eq!(found, wanted, "{filter:?}");
                }
            }
        }
    }
}

#[tokio::test]
async fn what_was_under_way_when_the_process_died_is_attempted_again_when_its_lease_ends() {
    let subject = fresh().await;
    subject.add_webhooks(["1", "2", "3"]).await;
    let due = begin(&subject, "e", 1).await;
    assert!(subject.record(&due[0], Next::Delivered, 2).await);
    assert!(subject.record(&due[1], Next::RetryAt(at(DAY)), 2).await);
    let subject = subject.reopen().await;
    assert_eq!(states(&subject, "e").await, (2, 1));
    assert!(subject.claim(LEASE).await.due.is_empty());
    let again = subject.claim(1 + LEASE).await;
    assert_eq!((again.due.len(), again.expired_leases), (1, 1));
    assert_eq!((again.due[0].id, again.due[0].attempt), (due[2].id, 2));
    assert_eq!(again.due[0].first_attempt_at, at(1));
    assert!(
        !subject.record(&due[2], Next::Delivered, 40).await,
        "it came too late"
    );
    assert!(subject.record(&again.due[0], Next::Delivered, 40).await);
    assert_eq!(subject.claim_one(DAY).await.id, due[1].id);
}

#[tokio::test]
async fn an_attempt_that_outlives_its_lease_is_made_again() {
    let subject = fresh().await;
    subject.add_webhooks(["1", "2"]).await;
    let due = begin(&subject, "e", 1).await;
    let claimed = subject.claim(5).await;
    assert_eq!(
        (claimed.due.len(), claimed.next_due_at),
        (0, Some(at(1 + LEASE)))
    );
    assert!(subject.record(&due[1], Next::Delivered, 6).await);
    let again = subject.claim_one(1 + LEASE).await;
    assert_eq!((again.id, again.attempt), (due[0].id, 2));
    assert!(!subject.record(&due[0], Next::Delivered, 40).await);
}

#[tokio::test]
async fn a_delivery_under_way_is_given_back_postponed_retried_and_cancelled_as_any_other() {
    let subject = fresh().await;
    subject.add_webhooks(["1"]).await;
    let due = begin(&subject, "released", 1).await.remove(0);
    subject
        .store
        .release(vec![(due.id, 1)], at(2))
        .await
        .unwrap();
    assert_eq!(subject.claim_one(2).await.attempt, 2);

    let due = begin(&subject, "postponed", 3).await.remove(0);
    subject
        .store
        .postpone(vec![(due.id, 1)], at(5))
        .await
        .unwrap();
    let again = subject.claim_one(5).await;
    assert_eq!((again.id, again.attempt), (due.id, 1));
    assert!(subject.record(&again, Next::Delivered, 6).await);

    let due = begin(&subject, "retried", 7).await.remove(0);
    let retried = subject.store.retry(due.id, at(8)).await.unwrap();
    assert!(matches!(retried, Retried::UnderWay), "{retried:?}");
    assert!(subject.record(&due, Next::Delivered, 8).await);

    let due = begin(&subject, "cancelled", 9).await.remove(0);
    let delete = subject
        .store
        .delete_webhook(key("1"), OnDelete::CancelPending, at(10));
    assert!(delete.await.unwrap());
    let found = subject.store.delivery(due.id).await.unwrap().unwrap();
    assert_eq!(found.delivery.state, DeliveryState::Cancelled);
    assert!(!subject.record(&due, Next::Delivered, 11).await);
    assert!(subject.claim(DAY).await.due.is_empty());
}

#[tokio::test]
async fn a_webhook_is_kept_for_a_delivery_under_way_and_the_delivery_for_a_replay() {
    let subject = fresh().await;
    subject.add_webhooks(["1"]).await;
    let due = begin(&subject, "e", 1).await.remove(0);
    let delete = subject
        .store
        .delete_webhook(key("1"), OnDelete::KeepPending, at(2));
    assert!(delete.await.unwrap());
    assert!(subject.record(&due, Next::Exhausted, 3).await);
    let found = subject.store.delivery(due.id).await.unwrap().unwrap();
    assert_eq!(found.delivery.state, DeliveryState::Exhausted);
    assert!(matches!(
        found.delivery.last.unwrap().outcome,
        Outcome::Answered { status: 503, .. }
    ));

    let subject = fresh().await;
    subject.add_webhooks(["1"]).await;
    let due = begin(&subject, "e", 1).await.remove(0);
    let replay = Replay {
        id: "r".to_owned(),
        filter: ReplayFilter::default(),
        dry_run: false,
        matched: 0,
        enqueued: 0,
        created_at: at(2),
        finished_at: None,
    };
    subject.store.insert_replay(replay).await.unwrap();
    assert!(subject.record(&due, Next::Delivered, 3).await);
    while subject.store.step_replay(10, moment(4)).await.unwrap() {}
    let again = subject.claim_one(5).await;
    assert_eq!((again.id, again.attempt), (due.id, 2));
}
