//! Time: what is shown is the time of day; what waits, and what grows old, is kept in steady time.

use std::sync::Arc;

use jiff::SignedDuration;

use super::super::{DeliveryFilter, Idempotency, Published, PurgeTerms};
use super::{DAY, LEASE, at, event, fresh, publication, slots, stored, terms};
use crate::clock::{Moment, SavedTime};
use crate::domain::{Fingerprint, Next};

#[tokio::test]
async fn the_steady_time_is_there_again_as_it_was_saved_last() {
    let mut subject = fresh().await;
    assert_eq!(subject.saved_time, None);
    for second in [1, 5, 3] {
        let time = SavedTime {
            steady: at(second),
            real: at(-second),
        };
        subject.store.save_time(time).await.unwrap();
        subject = subject.reopen().await;
        assert_eq!(subject.saved_time, Some(time));
    }
}

/// The two times are years apart, in both directions.
#[tokio::test]
async fn due_times_and_leases_are_steady_and_the_rest_is_the_time_of_day() {
    for years in [-20, 20] {
        let apart = SignedDuration::from_hours(years * 365 * 24);
        let subject = fresh().await;
        subject.add_webhooks(["w"]).await;
        let lanes = slots(9, 9);
        let mut publication = publication(event("e", 0), &lanes);
        publication.steady = at(0) + apart;
        let (receipt, claimed, _) = stored(subject.store.publish(publication).await.unwrap());
        assert_eq!(receipt.created_at, at(0));
        assert_eq!(claimed[0].due_at, at(0) + apart);
        assert_eq!(claimed[0].first_attempt_at, at(0) + apart);
        let claim = async |second: i64| {
            let mut terms = terms(&lanes, 0);
            terms.gives_up_at = Arc::new(|_, first| first + SignedDuration::from_hours(24));
            terms.at = Moment {
                now: at(second),
                steady: at(second) + apart,
            };
            subject.store.claim(terms).await.unwrap()
        };
        let early = claim(LEASE - 1).await;
        assert!(early.due.is_empty());
        assert_eq!(early.next_due_at, Some(at(LEASE) + apart));
        let again = claim(LEASE).await.due;
        assert_eq!(again.len(), 1);
        let retry_at = Next::RetryAt(at(3 * DAY) + apart);
        assert!(subject.record(&again[0], retry_at, LEASE).await);
        let delivery = subject.delivery().await;
        assert_eq!(delivery.created_at, at(0));
        assert_eq!(delivery.due_at, at(3 * DAY) + apart);
        let state = subject.store.queue_state(at(4 * DAY) + apart).await;
        assert_eq!(state.unwrap().oldest_due_at, Some(at(3 * DAY) + apart));
        // It is late by the steady time, and ends at the time of day.
        assert!(claim(3 * DAY).await.due.is_empty());
        assert_eq!(subject.delivery().await.completed_at, Some(at(3 * DAY)));
    }
}

/// A schedule that is behind, as on a clock that runs fast: each retry falls due before the claim that made its attempt.
#[tokio::test]
async fn a_retry_that_was_due_before_the_last_claim_is_claimed_at_once() {
    const RETRIES: i64 = 20;
    let subject = fresh().await;
    subject.add_webhooks(["w"]).await;
    let lanes = slots(99, 99);
    let publication = publication(event("e", 0), &lanes);
    let (_, claimed, _) = stored(subject.store.publish(publication).await.unwrap());
    let mut attempted = claimed.into_iter().next().unwrap();
    for retry in 1..=RETRIES {
        let now = retry * LEASE;
        let due_at = at(retry * LEASE / 2);
        assert!(subject.record(&attempted, Next::RetryAt(due_at), now).await);
        let claimed = subject.store.claim(terms(&lanes, now)).await.unwrap();
        attempted = claimed.due.into_iter().next().unwrap();
        assert_eq!(i64::from(attempted.attempt), retry + 1);
    }
}

#[tokio::test]
async fn what_is_old_is_what_is_old_in_steady_time() {
    for years in [-20, 20] {
        let apart = SignedDuration::from_hours(years * 365 * 24);
        let subject = fresh().await;
        let lanes = slots(0, 0);
        let publish = async |id: &str, second: i64| {
            let mut publication = publication(event(id, second), &lanes);
            // The clock on the wall was corrected between the two.
            publication.event.created_at += if second > 0 { apart } else { -apart };
            publication.steady = at(second);
            publication.idempotency = Some(Idempotency {
                caller: "c".to_owned(),
                key: id.to_owned(),
                request: Fingerprint::of(b""),
            });
            subject.store.publish(publication).await.unwrap()
        };
        publish("old", 0).await;
        publish("young", 10).await;
        let terms = PurgeTerms {
            events_before: at(5),
            keys_before: at(5),
            after: 0,
            limit: 10,
        };
        assert_eq!(subject.store.purge(terms).await.unwrap().events, 1);
        let events = subject.store.events(Default::default(), super::all()).await;
        let events = events.unwrap().rows;
        assert_eq!(events.len(), 1);
        assert_eq!(events[0].event.id, "young");
        assert!(matches!(publish("young", 11).await, Published::Repeated(_)));
        assert!(matches!(publish("old", 12).await, Published::Stored { .. }));
        assert!(
            subject
                .deliveries(DeliveryFilter::default())
                .await
                .is_empty()
        );
    }
}
