//! The results of claimed deliveries: recorded, or given back.

use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use super::super::{AttemptResult, DeliveryFilter, Recorded};
use super::{DAY, Fault, LEASE, at, attempt, event, fresh, names, slots, terms};
use crate::domain::{Attempt, DeliveryState, DueDelivery, Next, Outcome, Timing};

#[tokio::test]
async fn a_result_ends_a_delivery_or_says_when_it_goes_on() {
    for (next, state, completed_at) in [
        (Next::Delivered, DeliveryState::Delivered, Some(at(6))),
        (Next::Exhausted, DeliveryState::Exhausted, Some(at(6))),
        (Next::RetryAt(at(40)), DeliveryState::Pending, None),
    ] {
        let subject = fresh().await;
        subject.add_webhooks(["1"]).await;
        subject.publish(event("e", 1)).await;
        let due = subject.claim_one(5).await;
        assert!(subject.record(&due, next, 6).await);
        let record = subject.delivery().await;
        assert_eq!((record.state, record.completed_at), (state, completed_at));
        assert_eq!(record.attempts, 1);
        let found = subject.claim(39).await;
        assert!(found.due.is_empty(), "{next:?}");
        let found = subject.claim(40).await;
        match next {
            Next::RetryAt(_) => {
                assert_eq!((found.due[0].attempt, found.expired_leases), (2, 0));
                assert_eq!(found.due[0].due_at, at(40));
                assert_eq!(found.due[0].first_attempt_at, at(5));
            }
            Next::Delivered | Next::Exhausted => assert!(found.due.is_empty(), "{next:?}"),
        }
    }
}

#[tokio::test]
async fn a_retry_may_be_due_before_the_lease_ends_or_long_after() {
    let subject = fresh().await;
    subject.add_webhooks(["1"]).await;
    subject.publish_at([1, 2]).await;
    let [first, second] = <[_; 2]>::try_from(subject.claim(5).await.due).unwrap();
    assert!(subject.record(&first, Next::RetryAt(at(6)), 6).await);
    assert!(
        subject
            .record(&second, Next::RetryAt(at(14 * DAY)), 6)
            .await
    );
    assert_eq!(subject.claim_one(6).await.event.id, "1");
    assert_eq!(subject.claim_one(6 + LEASE).await.event.id, "1");
    let due = subject.claim(14 * DAY).await.due;
    assert_eq!(names(&due), [("1", "1"), ("1", "2")]);
}

#[tokio::test]
async fn a_late_result_that_comes_together_with_the_latest_does_not_stand_for_it() {
    let subject = fresh().await;
    subject.add_webhooks(["1"]).await;
    subject.publish(event("e", 0)).await;
    let first = subject.claim_one(0).await;
    let second = subject.claim_one(LEASE).await;
    let result = |due: &DueDelivery, next| AttemptResult {
        delivery: due.id,
        number: due.number,
        lane: due.target.lane,
        attempt: attempt(due.attempt),
        next,
        now: at(LEASE),
    };
    let late = result(&first, Next::Delivered);
    let latest = result(&second, Next::RetryAt(at(DAY)));
    assert_eq!(
        subject.record_all(vec![late, latest]).await,
        [Recorded::TooLate, Recorded::Yes]
    );
    let found = subject.store.delivery(first.id).await.unwrap().unwrap();
    assert_eq!(found.delivery.state, DeliveryState::Pending);
    let numbers: Vec<u32> = found
        .attempts
        .iter()
        .map(|attempt| attempt.number)
        .collect();
    assert_eq!(numbers, [2]);
}

#[tokio::test]
async fn a_result_is_recorded_once_and_only_of_the_latest_attempt() {
    let subject = fresh().await;
    subject.add_webhooks(["1"]).await;
    subject.publish(event("e", 1)).await;
    let first = subject.claim_one(1).await;
    let second = subject.claim_one(1 + LEASE).await;
    assert!(
        !subject.record(&first, Next::Delivered, 50).await,
        "too late"
    );
    assert_eq!(subject.delivery().await.state, DeliveryState::Pending);
    assert!(subject.record(&second, Next::RetryAt(at(90)), 50).await);
    assert!(!subject.record(&second, Next::Delivered, 51).await, "twice");
    assert!(!subject.record(&first, Next::Delivered, 51).await);
    assert_eq!(subject.delivery().await.due_at, at(90));
    let third = subject.claim_one(90).await;
    assert!(subject.record(&third, Next::Delivered, 91).await);
    for due in [&first, &second, &third] {
        assert!(
            !subject.record(due, Next::Exhausted, 92).await,
            "it has ended"
        );
    }
    let record = subject.delivery().await;
    let history = subject.store.delivery(record.id).await.unwrap().unwrap();
    let numbers: Vec<u32> = history.attempts.iter().map(|made| made.number).collect();
    assert_eq!((record.attempts, numbers), (3, vec![2, 3]));
    let unknown = AttemptResult {
        delivery: Uuid::nil(),
        number: first.number,
        lane: first.target.lane,
        attempt: attempt(1),
        next: Next::Delivered,
        now: at(92),
    };
    assert!(!subject.record_result(unknown).await);
}

#[tokio::test]
async fn results_are_recorded_together_each_by_itself() {
    let subject = fresh().await;
    subject.add_webhooks(["1", "2", "3"]).await;
    subject.publish(event("e", 1)).await;
    let due = subject.claim(1).await.due;
    let result = |due: &crate::domain::DueDelivery, next| AttemptResult {
        delivery: due.id,
        number: due.number,
        lane: due.target.lane,
        attempt: attempt(due.attempt),
        next,
        now: at(2),
    };
    let mut late = result(&due[1], Next::Delivered);
    late.attempt.number = 7;
    let results = vec![
        result(&due[0], Next::Delivered),
        late,
        result(&due[2], Next::RetryAt(at(9))),
        result(&due[0], Next::Exhausted),
    ];
    let recorded = subject.record_all(results).await;
    let (yes, late) = (Recorded::Yes, Recorded::TooLate);
    assert_eq!(recorded, [yes, late, yes, late]);
    let found = subject.deliveries(DeliveryFilter::default()).await;
    let mut states: Vec<_> = found
        .iter()
        .map(|record| (record.webhook_id.as_str(), record.state, record.due_at))
        .collect();
    states.sort_unstable_by_key(|state| state.0);
    let pending = DeliveryState::Pending;
    assert_eq!(states[0].1, DeliveryState::Delivered);
    assert_eq!(
        states[1..],
        [("2", pending, at(1 + LEASE)), ("3", pending, at(9))]
    );
    assert!(subject.record_all(Vec::new()).await.is_empty());
}

#[tokio::test]
async fn a_result_that_cannot_be_written_takes_no_other_with_it() {
    let subject = fresh().await;
    subject.add_webhooks(["1", "2", "3"]).await;
    subject.publish(event("e", 1)).await;
    let due = subject.claim(1).await.due;
    subject.backend.fail(Fault::Result(due[1].number)).await;
    let results = due.iter().map(delivered);
    let recorded = subject.store.record(results.collect()).await;
    assert!(
        recorded
            .error
            .as_ref()
            .is_some_and(|error| !error.is_temporary()),
        "{recorded:?}"
    );
    let (yes, never) = (Recorded::Yes, Recorded::Never);
    assert_eq!(recorded.each, [yes, never, yes]);
    let pending = DeliveryFilter {
        state: Some(DeliveryState::Pending),
        ..DeliveryFilter::default()
    };
    let left = subject.deliveries(pending).await;
    assert_eq!((left.len(), left[0].id), (1, due[1].id));
}

/// A lock of another program, which is there for longer than a write waits for it.
#[tokio::test]
async fn results_that_cannot_be_written_now_are_given_back_and_can_be_written_later() {
    let subject = fresh().await;
    subject.add_webhooks(["1", "2"]).await;
    subject.publish(event("e", 1)).await;
    let due = subject.claim(1).await.due;
    let results: Vec<_> = due.iter().map(delivered).collect();
    subject.backend.lock().await;
    let recorded = subject.store.record(results.clone()).await;
    assert_eq!(recorded.each, [Recorded::NotNow; 2]);
    assert!(recorded.error.unwrap().is_temporary());
    assert!(subject.store.check().await.unwrap_err().is_temporary());
    subject.backend.unlock().await;
    let recorded = subject.store.record(results).await;
    assert_eq!(recorded.each, [Recorded::Yes; 2]);
    subject.store.check().await.unwrap();
}

/// A result that says that its delivery was delivered.
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

#[tokio::test]
async fn an_attempt_that_was_never_claimed_is_not_recorded() {
    let subject = fresh().await;
    subject.add_webhooks(["1"]).await;
    subject.publish(event("e", 1)).await;
    for number in [0, 1, 2] {
        let result = AttemptResult {
            delivery: subject.delivery().await.id,
            number: 1,
            lane: 1,
            attempt: attempt(number),
            next: Next::Delivered,
            now: at(2),
        };
        assert!(!subject.record_result(result).await, "{number}");
    }
    let due = subject.claim_one(2).await;
    assert!(subject.record(&due, Next::RetryAt(at(3)), 2).await);
    subject.retry(due.id, 3).await;
    assert!(!subject.record(&due, Next::Delivered, 4).await);
}

#[tokio::test]
async fn an_attempt_is_read_back_as_it_was_recorded() {
    let subject = fresh().await;
    subject.add_webhooks(["1"]).await;
    subject.publish(event("e", 1)).await;
    let empty = Attempt {
        number: 2,
        started_at: at(70),
        timing: Timing::default(),
        request_headers: Vec::new(),
        outcome: Outcome::TimedOut { status: Some(200) },
        response_headers: Vec::new(),
        response_body: Vec::new(),
        response_truncated: false,
    };
    let of = |number, outcome| Attempt {
        number,
        outcome,
        ..empty.clone()
    };
    let attempts = [
        Attempt {
            request_headers: vec![
                ("content-type".into(), "application/json".into()),
                ("authorization".into(), "[redacted]".into()),
                ("x".into(), "\"ä\"\\".into()),
                ("x".into(), "".into()),
            ],
            ..attempt(1)
        },
        empty.clone(),
        of(3, Outcome::Refused("no such address: ä".to_owned())),
        of(
            4,
            Outcome::Failed {
                reason: "connection reset".to_owned(),
                status: Some(503),
            },
        ),
        of(
            5,
            Outcome::Answered {
                status: 204,
                retry_after: None,
            },
        ),
        of(
            6,
            Outcome::Answered {
                status: 999,
                retry_after: Some(Duration::from_secs(u32::MAX.into())),
            },
        ),
    ];
    let mut second = 1;
    for attempt in attempts.clone() {
        let due = subject.claim_one(second).await;
        second += 100;
        let result = AttemptResult {
            delivery: due.id,
            number: due.number,
            lane: due.target.lane,
            attempt,
            next: Next::RetryAt(at(second)),
            now: at(second),
        };
        assert!(subject.record_result(result).await);
    }
    let id = subject.delivery().await.id;
    let subject = subject.reopen().await;
    let history = subject.store.delivery(id).await.unwrap().unwrap();
    assert_eq!(history.attempts, attempts);
    assert_eq!(history.delivery.attempts, 6);
}

#[tokio::test]
async fn a_released_delivery_is_due_at_once_and_its_attempt_stays_counted() {
    let subject = fresh().await;
    subject.add_webhooks(["1"]).await;
    subject.publish_at([1, 2, 3]).await;
    let due = subject.claim(5).await.due;
    assert!(subject.record(&due[1], Next::Delivered, 6).await);
    let claimed = due
        .iter()
        .take(2)
        .map(|due| (due.id, due.attempt))
        .collect();
    subject.store.release(claimed, at(7)).await.unwrap();
    assert!(subject.claim(6).await.due.is_empty());
    let again = subject.claim_one(7).await;
    assert_eq!((again.id, again.attempt), (due[0].id, 2));
    // One that was claimed anew since is not this caller's any more.
    let stale = vec![(due[0].id, 1), (Uuid::nil(), 1)];
    subject.store.release(stale, at(8)).await.unwrap();
    assert!(subject.claim(9).await.due.is_empty());
    assert_eq!(subject.claim_one(5 + LEASE).await.id, due[2].id);
}

#[tokio::test]
async fn a_postponed_delivery_waits_and_its_attempt_is_not_counted() {
    let subject = fresh().await;
    subject.add_webhooks(["1"]).await;
    subject.publish(event("e", 1)).await;
    let first = subject.claim_one(5).await;
    let postpone = |due: &crate::domain::DueDelivery, second| {
        let claimed = vec![(due.id, due.attempt), (Uuid::nil(), 1)];
        subject.store.postpone(claimed, at(second))
    };
    postpone(&first, 8).await.unwrap();
    let record = subject.delivery().await;
    assert_eq!((record.state, record.attempts), (DeliveryState::Pending, 0));
    assert_eq!(record.due_at, at(8));
    assert!(!subject.record(&first, Next::Delivered, 6).await);
    let found = subject.claim(7).await;
    assert!(found.due.is_empty());
    assert_eq!(found.next_due_at, Some(at(8)));

    // It is the first attempt again, and the retry schedule begins with it.
    let found = subject.claim(9).await;
    assert_eq!(found.expired_leases, 0);
    let first = &found.due[0];
    assert_eq!((first.attempt, first.first_attempt_at), (1, at(9)));
    assert!(subject.record(first, Next::RetryAt(at(20)), 10).await);

    // A later one is not counted either, and the schedule stays as it is.
    let second = subject.claim_one(20).await;
    postpone(&second, 21).await.unwrap();
    let again = subject.claim_one(21).await;
    assert_eq!((again.attempt, again.first_attempt_at), (2, at(9)));

    // One that was claimed anew since, or has ended, is not this caller's any more.
    let third = subject.claim_one(21 + LEASE).await;
    postpone(&again, 90).await.unwrap();
    assert_eq!(subject.delivery().await.attempts, 3);
    assert!(subject.record(&third, Next::Delivered, 91).await);
    postpone(&third, 92).await.unwrap();
    let record = subject.delivery().await;
    assert_eq!(
        (record.state, record.attempts),
        (DeliveryState::Delivered, 3)
    );
    assert!(subject.claim(DAY).await.due.is_empty());
}

#[tokio::test]
async fn the_queue_says_how_much_is_pending_and_since_when_it_waits() {
    let subject = fresh().await;
    subject.add_webhooks(["1", "2"]).await;
    let state = async |second| {
        let state = subject.store.queue_state(at(second)).await.unwrap();
        (state.pending, state.oldest_due_at)
    };
    assert_eq!(state(0).await, (0, None));
    subject.publish_at([5, 9]).await;
    assert_eq!(state(4).await, (4, None), "nothing is due yet");
    assert_eq!(state(20).await, (4, Some(at(5))));
    let due = subject
        .store
        .claim(terms(&slots(9, 1), 20))
        .await
        .unwrap()
        .due;
    assert_eq!(state(20).await, (4, Some(at(9))));
    for due in &due {
        assert!(subject.record(due, Next::Delivered, 21).await);
    }
    assert_eq!(state(21).await, (2, Some(at(9))));
    let due = subject.claim(21).await.due;
    assert_eq!(state(21).await, (2, None), "all that is due is under way");
    let lease_end = at(21 + LEASE);
    assert_eq!(
        state(21 + LEASE).await,
        (2, Some(lease_end)),
        "nobody ended it"
    );
    for due in &due {
        assert!(subject.record(due, Next::Delivered, 22).await);
    }
    assert_eq!(
        state(DAY).await,
        (0, None),
        "an ended delivery does not wait"
    );
}

#[tokio::test]
async fn a_suspended_webhook_does_not_count_as_waiting() {
    let subject = fresh().await;
    subject.add_webhooks(["1"]).await;
    subject.publish_at([5]).await;
    subject.suspend("1", true).await;
    let state = subject.store.queue_state(at(20)).await.unwrap();
    assert_eq!((state.pending, state.oldest_due_at), (1, None));
}
