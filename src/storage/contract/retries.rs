//! Deliveries that are attempted again by hand.

use uuid::Uuid;

use super::super::{OnDelete, Retried};
use super::{DAY, LEASE, at, event, fresh, key, limited, slots};
use crate::domain::{DeliveryState, Next};

#[tokio::test]
async fn a_retry_by_hand_makes_a_delivery_due_whatever_its_state() {
    for ended in [
        DeliveryState::Delivered,
        DeliveryState::Exhausted,
        DeliveryState::Cancelled,
    ] {
        let subject = fresh().await;
        subject.add_webhooks(["1"]).await;
        subject.publish(event("e", 1)).await;
        let due = subject.claim_one(1).await;
        match ended {
            DeliveryState::Delivered => assert!(subject.record(&due, Next::Delivered, 2).await),
            DeliveryState::Exhausted => assert!(subject.record(&due, Next::Exhausted, 2).await),
            DeliveryState::Cancelled | DeliveryState::Pending => {
                let delete = subject
                    .store
                    .delete_webhook(key("1"), OnDelete::CancelPending, at(2));
                assert!(delete.await.unwrap());
            }
        }
        assert_eq!(subject.delivery().await.state, ended);
        let record = subject.retry(due.id, 3 * DAY).await;
        assert_eq!(record.state, DeliveryState::Pending, "{ended}");
        assert_eq!((record.attempts, record.due_at), (1, at(3 * DAY)));
        assert_eq!(record.completed_at, None);
        assert!(!subject.record(&due, Next::Delivered, 3 * DAY).await);
        // It is the one attempt that was asked for, though its time has passed.
        let lanes = slots(9, 9);
        let found = subject
            .store
            .claim(limited(&lanes, 9, 3 * DAY))
            .await
            .unwrap();
        assert_eq!(
            (found.due[0].attempt, found.due[0].once),
            (2, true),
            "{ended}"
        );
        assert_eq!(found.due[0].first_attempt_at, at(1));
        assert_eq!(found.expired_leases, 0, "{ended}");
        assert!(
            subject
                .record(&found.due[0], Next::Exhausted, 3 * DAY)
                .await
        );
        assert_eq!(subject.delivery().await.state, DeliveryState::Exhausted);
    }
}

#[tokio::test]
async fn a_retry_by_hand_of_a_pending_delivery_keeps_its_schedule() {
    let subject = fresh().await;
    subject.add_webhooks(["1"]).await;
    subject.publish(event("e", 1)).await;
    let due = subject.claim_one(1).await;
    assert!(subject.record(&due, Next::RetryAt(at(DAY)), 2).await);
    for second in [3, 4] {
        subject.retry(due.id, second).await;
    }
    let due = subject.claim_one(4).await;
    assert_eq!((due.attempt, due.once), (2, false));
    assert_eq!(
        (due.manual, due.resume_at, due.scheduled_attempt()),
        (1, Some(at(DAY)), 1),
        "asked for twice before it was made"
    );
    assert!(subject.record(&due, Next::RetryAt(at(DAY)), 5).await);
    subject.retry(due.id, 6).await;
    let again = subject.claim_one(6).await;
    assert_eq!(
        (again.attempt, again.manual, again.resume_at),
        (3, 2, Some(at(DAY)))
    );
    assert!(subject.record(&again, Next::RetryAt(at(DAY)), 7).await);
    let scheduled = subject.claim_one(DAY).await;
    assert_eq!(
        (
            scheduled.attempt,
            scheduled.resume_at,
            scheduled.scheduled_attempt()
        ),
        (4, None, 2)
    );
}

#[tokio::test]
async fn a_retry_by_hand_is_the_next_attempt_of_the_schedule_where_that_is_due_or_the_first() {
    let subject = fresh().await;
    subject.add_webhooks(["1"]).await;
    subject.publish(event("e", 1)).await;
    let id = subject.delivery().await.id;
    subject.retry(id, 1).await;
    let due = subject.claim_one(1).await;
    assert_eq!((due.attempt, due.manual, due.resume_at), (1, 0, None));
    assert!(subject.record(&due, Next::RetryAt(at(60)), 2).await);
    subject.retry(id, 61).await;
    let due = subject.claim_one(61).await;
    assert_eq!((due.attempt, due.manual, due.resume_at), (2, 0, None));
    // A process ended in an attempt by hand: the one that is made instead is counted by hand too, and the schedule is kept.
    assert!(subject.record(&due, Next::RetryAt(at(DAY)), 62).await);
    subject.retry(id, 70).await;
    let lost = subject.claim_one(70).await;
    let due = subject.claim_one(70 + LEASE).await;
    assert_eq!((lost.attempt, lost.scheduled_attempt()), (3, 2));
    assert_eq!((due.attempt, due.resume_at), (4, Some(at(DAY))));
}

#[tokio::test]
async fn a_retry_by_hand_is_refused_while_an_attempt_is_under_way_and_changes_nothing() {
    for number in 1..=3 {
        let subject = fresh().await;
        subject.add_webhooks(["1"]).await;
        subject.publish(event("e", 1)).await;
        let mut now = 1;
        let mut due = subject.claim_one(now).await;
        for _ in 1..number {
            assert!(subject.record(&due, Next::RetryAt(at(now + 60)), now).await);
            now += 60;
            due = subject.claim_one(now).await;
        }
        let before = format!("{:?}", subject.delivery().await);
        for second in [now, now + LEASE - 1] {
            let retried = subject.store.retry(due.id, at(second)).await.unwrap();
            assert!(matches!(retried, Retried::UnderWay), "{retried:?}");
        }
        assert_eq!(format!("{:?}", subject.delivery().await), before);
        assert_eq!(subject.claim(now + LEASE - 1).await.due.len(), 0);
        // Its result counts, and then there is nothing in the way.
        assert!(subject.record(&due, Next::Delivered, now + LEASE - 1).await);
        let again = subject.retry(due.id, now + LEASE - 1).await;
        assert_eq!(again.state, DeliveryState::Pending);
        assert!(subject.claim_one(now + LEASE - 1).await.once);
    }
}

#[tokio::test]
async fn a_retry_by_hand_after_the_end_of_a_lease_is_the_attempt_that_is_made_in_any_case() {
    let subject = fresh().await;
    subject.add_webhooks(["1"]).await;
    subject.publish(event("e", 1)).await;
    let first = subject.claim_one(1).await;
    subject.retry(first.id, 1 + LEASE).await;
    let due = subject.claim_one(1 + LEASE).await;
    assert_eq!((due.attempt, due.manual, due.resume_at), (2, 0, None));
}

#[tokio::test]
async fn once_is_over_after_one_attempt_and_survives_one_that_had_no_end() {
    let subject = fresh().await;
    subject.add_webhooks(["1"]).await;
    subject.publish(event("e", 1)).await;
    let due = subject.claim_one(1).await;
    assert!(subject.record(&due, Next::Exhausted, 2).await);
    subject.retry(due.id, 10).await;
    subject.retry(due.id, 11).await;
    assert!(subject.claim_one(11).await.once);
    let due = subject.claim_one(11 + LEASE).await;
    assert_eq!((due.once, due.attempt), (true, 3));
    assert!(subject.record(&due, Next::RetryAt(at(90)), 80).await);
    assert!(!subject.claim_one(90).await.once);
}

#[tokio::test]
async fn a_retry_of_an_unknown_delivery_finds_none() {
    let subject = fresh().await;
    let found = subject.store.retry(Uuid::nil(), at(1)).await.unwrap();
    assert!(matches!(found, Retried::Unknown), "{found:?}");
}

#[tokio::test]
async fn a_delivery_that_ended_with_a_suspended_webhook_can_still_be_retried_by_hand() {
    // Nobody can enable a deleted webhook: what waited for it would be pending for ever.
    let subject = fresh().await;
    subject.add_webhooks(["1"]).await;
    subject.publish(event("e", 1)).await;
    subject.suspend("1", true).await;
    let delete = subject
        .store
        .delete_webhook(key("1"), OnDelete::CancelPending, at(2));
    assert!(delete.await.unwrap());
    let id = subject.delivery().await.id;
    subject.retry(id, 3).await;
    assert!(subject.claim_one(3).await.once);
}
