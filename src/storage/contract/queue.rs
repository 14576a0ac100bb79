//! The queue: claiming what is due, whose slots it takes, and what is claimed no more.

use std::task::{Context, Waker};

use super::super::{DeliveryFilter, OnDelete, Slots};
use super::{
    DAY, Fault, LEASE, at, event, fresh, is_refused, key, limited, names, slots, terms, until,
    webhook,
};
use crate::domain::{
    DeliveryState, Next, ReceiverUrl, SchemePolicy, Secret, Webhook, WebhookChange,
};

#[tokio::test]
async fn what_is_due_is_claimed_with_all_that_an_attempt_needs() {
    let subject = fresh().await;
    subject.add_webhooks(["1"]).await;
    subject.publish(event("e", 5)).await;
    assert!(subject.claim(4).await.due.is_empty(), "it is not due yet");
    let due = subject.claim_one(7).await;
    let record = subject.delivery().await;
    assert_eq!((due.id, due.attempt, due.once), (record.id, 1, false));
    assert_eq!((due.due_at, due.first_attempt_at), (at(5), at(7)));
    assert_eq!(*due.event, event("e", 5));
    assert_eq!(due.target.webhook_id, "1");
    assert_eq!(due.target.url, webhook("1").url);
    assert_eq!(due.target.signing_secret, Some(Secret::new("signing")));
    assert_eq!(due.target.authorization, Some(Secret::new("Basic x ")));
    assert_eq!((record.attempts, record.due_at), (1, at(7 + LEASE)));
    assert_eq!(record.state, DeliveryState::Pending);
}

#[tokio::test]
async fn what_waits_for_each_webhook_is_counted_where_other_processes_claim_it_too() {
    let subject = fresh().await;
    subject.add_webhooks(["1", "2"]).await;
    subject.publish_at([1, 2, 3]).await;
    let waiting = async |second| subject.store.waiting(vec![1, 2], at(second)).await.unwrap();
    let Some(found) = waiting(2).await else {
        return;
    };
    let counts: Vec<_> = found
        .iter()
        .map(|found| (found.lane, found.count))
        .collect();
    assert_eq!(counts, [(1, 2), (2, 2)]);
    assert!(found.iter().all(|found| found.answered.is_none()));
    let due = subject.claim(1).await.due;
    assert!(subject.record(&due[0], Next::Delivered, 2).await);
    assert!(subject.record(&due[1], Next::RetryAt(at(9)), 2).await);
    let mut found = waiting(3).await.unwrap();
    found.sort_by_key(|found| found.lane != due[0].target.lane);
    let found: Vec<_> = found
        .iter()
        .map(|found| (found.count, found.answered))
        .collect();
    let took = super::attempt(1).timing.total;
    assert_eq!(
        found,
        [
            (2, Some((took, true))),
            (2, Some((std::time::Duration::ZERO, false)))
        ]
    );
}

#[tokio::test]
async fn what_waits_longest_is_claimed_first() {
    let subject = fresh().await;
    subject.add_webhooks(["1"]).await;
    subject.publish_at([30, 10, 20]).await;
    let due = subject.claim(100).await.due;
    assert_eq!(names(&due), [("1", "10"), ("1", "20"), ("1", "30")]);
    // Between webhooks too, when not all can be claimed.
    let subject = fresh().await;
    for (id, account, second) in [("1", "F1", 30), ("2", "F2", 10), ("3", "F3", 20)] {
        let webhook = Webhook {
            account_id: Some(account.to_owned()),
            ..webhook(id)
        };
        subject.store.insert_webhook(webhook).await.unwrap();
        let event = crate::domain::Event {
            account_id: Some(account.to_owned()),
            ..event(id, second)
        };
        subject.publish(event).await;
    }
    let lanes = slots(9, 9);
    for expected in ["2", "3", "1"] {
        let claimed = subject.store.claim(limited(&lanes, 1, 100)).await.unwrap();
        assert_eq!(names(&claimed.due), [(expected, expected)]);
    }
}

#[tokio::test]
async fn the_trace_of_an_event_comes_with_every_attempt_after_the_file_is_opened_again() {
    let traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let trace = Some(traceparent.parse().unwrap());
    let subject = fresh().await;
    subject.add_webhooks(["1"]).await;
    let traced = crate::domain::Event {
        trace,
        ..event("e", 0)
    };
    subject.publish(traced).await;
    subject.publish(event("f", 0)).await;
    let subject = subject.reopen().await;
    for second in [10, 10 + LEASE] {
        let due = subject.claim(second).await.due;
        let traces: Vec<_> = due.iter().map(|due| due.event.trace).collect();
        assert_eq!(traces, [trace, None], "{second}");
    }
    let read = subject.store.event("e".to_owned()).await.unwrap();
    assert_eq!(read.unwrap().event.trace, trace);
}

#[tokio::test]
async fn a_claimed_delivery_is_not_claimed_again_before_its_lease_ends() {
    let subject = fresh().await;
    subject.add_webhooks(["1"]).await;
    subject.publish(event("e", 0)).await;
    let first = subject.claim(10).await;
    assert_eq!((first.due.len(), first.expired_leases), (1, 0));
    for second in [10, 11, 10 + LEASE - 1] {
        assert!(subject.claim(second).await.due.is_empty(), "{second}");
    }
    let second = subject.claim(10 + LEASE).await;
    assert_eq!(second.expired_leases, 1);
    assert_eq!(second.due[0].attempt, 2);
    assert_eq!(second.due[0].due_at, at(10 + LEASE));
    assert_eq!(second.due[0].first_attempt_at, at(10));
    assert_eq!(subject.delivery().await.attempts, 2);
}

#[tokio::test]
async fn a_delivery_whose_lease_ended_waits_for_a_slot_as_others_do() {
    let subject = fresh().await;
    subject.add_webhooks(["slow", "quick"]).await;
    subject.publish(event("e", 0)).await;
    assert_eq!(subject.claim(0).await.due.len(), 2);
    let of_slow = async || {
        let filter = DeliveryFilter {
            webhook_id: Some("slow".to_owned()),
            ..DeliveryFilter::default()
        };
        subject.deliveries(filter).await.remove(0)
    };
    let lanes = slots(2, 1);
    // One webhook has no slot any more, the other gets its own.
    assert!(lanes.take(1));
    let found = subject.store.claim(terms(&lanes, LEASE)).await.unwrap();
    assert_eq!(
        (names(&found.due), found.left),
        (vec![("quick", "e")], vec![1])
    );
    assert_eq!((found.expired_leases, lanes.taken()), (1, 2));
    assert_eq!(found.next_due_at, Some(at(2 * LEASE)), "a lease ends then");
    assert_eq!(
        (of_slow().await.attempts, of_slow().await.due_at),
        (1, at(LEASE))
    );
    lanes.give_back(1);
    let found = subject
        .store
        .claim(limited(&lanes, 1, LEASE + 1))
        .await
        .unwrap();
    assert_eq!(
        (names(&found.due), found.left.is_empty()),
        (vec![("slow", "e")], true)
    );
    assert_eq!(found.due[0].attempt, 2);
}

#[tokio::test]
async fn leases_that_ended_are_claimed_no_more_at_once_than_the_limit_says() {
    let subject = fresh().await;
    subject.add_webhooks(["1"]).await;
    subject.publish_at([1, 2, 3, 4, 5]).await;
    assert_eq!(subject.claim(5).await.due.len(), 5);
    subject.publish_at([6]).await;
    let lanes = slots(100, 100);
    let mut rounds = Vec::new();
    loop {
        let now = 5 + LEASE;
        let found = subject.store.claim(limited(&lanes, 2, now)).await.unwrap();
        rounds.push((found.due.len(), found.expired_leases));
        if found.next_due_at != Some(at(now)) {
            assert_eq!(found.next_due_at, Some(at(now + LEASE)));
            break;
        }
    }
    assert_eq!(rounds.iter().map(|round| round.0).sum::<usize>(), 6);
    assert_eq!(rounds.iter().map(|round| round.1).sum::<u64>(), 5);
    assert!(rounds.iter().all(|round| round.0 <= 2), "{rounds:?}");
}

#[tokio::test]
async fn an_attempt_that_never_ended_waits_while_its_webhook_is_suspended() {
    let subject = fresh().await;
    subject.add_webhooks(["1"]).await;
    subject.publish(event("e", 0)).await;
    subject.claim_one(0).await;
    subject.suspend("1", true).await;
    let found = subject.claim(2 * LEASE).await;
    assert_eq!(
        (found.due.len(), found.left.is_empty(), found.next_due_at),
        (0, true, None)
    );
    let state = subject.store.queue_state(at(2 * LEASE)).await.unwrap();
    assert_eq!((state.pending, state.oldest_due_at), (1, None));
    subject.suspend("1", false).await;
    assert_eq!(subject.claim_one(2 * LEASE).await.attempt, 2);
}

#[tokio::test]
async fn claims_at_the_same_time_never_get_the_same_delivery() {
    let subject = fresh().await;
    subject.add_webhooks(["1", "2", "3"]).await;
    for number in 0..20 {
        subject.publish(event(&number.to_string(), 0)).await;
    }
    let lanes = slots(1_000, 1_000);
    let claims = (0..20).map(|_| {
        let store = subject.store.clone();
        let terms = limited(&lanes, 7, 1);
        tokio::spawn(async move { store.claim(terms).await.unwrap().due })
    });
    let mut ids = Vec::new();
    for claim in claims.collect::<Vec<_>>() {
        ids.extend(claim.await.unwrap().into_iter().map(|due| due.id));
    }
    // One that comes while another is at work on the same webhook may pass it over.
    assert!(!ids.is_empty());
    while ids.len() < 60 {
        let rest = subject.store.claim(limited(&lanes, 60, 1)).await.unwrap();
        assert!(!rest.due.is_empty(), "{} of 60", ids.len());
        ids.extend(rest.due.into_iter().map(|due| due.id));
    }
    assert_eq!((ids.len(), lanes.taken()), (60, 60));
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 60);
}

#[tokio::test]
async fn a_claim_takes_no_more_than_its_limit_and_says_to_come_again() {
    let subject = fresh().await;
    subject.add_webhooks(["1", "2"]).await;
    subject.publish_at([1, 2, 3, 4, 5]).await;
    let lanes = slots(100, 100);
    let mut claimed = Vec::new();
    for expected in [4, 4, 2] {
        let found = subject.store.claim(limited(&lanes, 4, 10)).await.unwrap();
        assert_eq!(found.due.len(), expected);
        assert!(found.left.is_empty(), "all have slots");
        let again = if expected == 4 {
            at(10)
        } else {
            at(10 + LEASE)
        };
        assert_eq!(found.next_due_at, Some(again));
        claimed.extend(found.due.into_iter().map(|due| due.id));
        assert_eq!(lanes.taken(), claimed.len());
    }
    claimed.sort();
    claimed.dedup();
    assert_eq!(claimed.len(), 10);
}

#[tokio::test]
async fn a_webhook_is_claimed_for_only_as_often_as_it_has_slots() {
    let subject = fresh().await;
    subject.add_webhooks(["1", "2"]).await;
    subject.publish_at([1, 2, 3]).await;
    let lanes = slots(100, 2);
    let found = subject.store.claim(terms(&lanes, 10)).await.unwrap();
    let mut due = names(&found.due);
    due.sort();
    assert_eq!(due, [("1", "1"), ("1", "2"), ("2", "1"), ("2", "2")]);
    assert!(!found.left.is_empty());
    assert_eq!(lanes.taken(), 4);
    let of_first = |due: &&crate::domain::DueDelivery| due.target.webhook_id == "1";
    let lane_of_first = found.due.iter().find(of_first).unwrap().target.lane;
    let found = subject.store.claim(terms(&lanes, 10)).await.unwrap();
    assert!(found.due.is_empty() && !found.left.is_empty());
    // As soon as one comes back.
    lanes.give_back(lane_of_first);
    let found = subject.store.claim(terms(&lanes, 10)).await.unwrap();
    assert_eq!(names(&found.due), [("1", "3")]);
    assert!(!found.left.is_empty(), "the other webhook has none yet");
}

#[tokio::test]
async fn a_webhook_without_slots_is_passed_over_and_does_not_hold_up_others() {
    let subject = fresh().await;
    subject.add_webhooks(["slow"]).await;
    subject.publish_at([1, 2, 3, 4, 5, 6, 7, 8]).await;
    let lanes = slots(100, 2);
    assert_eq!(
        subject
            .store
            .claim(terms(&lanes, 9))
            .await
            .unwrap()
            .due
            .len(),
        2
    );
    subject.add_webhooks(["quick"]).await;
    subject.publish_at([20]).await;
    let found = subject.store.claim(limited(&lanes, 1, 20)).await.unwrap();
    assert_eq!(names(&found.due), [("quick", "20")]);
    assert!(!found.left.is_empty());
}

#[tokio::test]
async fn slots_in_all_are_shared_out_over_webhooks() {
    let subject = fresh().await;
    subject.add_webhooks(["1", "2", "3"]).await;
    subject.publish_at([1, 2]).await;
    let lanes = slots(4, 4);
    let found = subject.store.claim(terms(&lanes, 9)).await.unwrap();
    assert_eq!(
        (found.due.len(), found.left.is_empty(), lanes.taken()),
        (4, false, 4)
    );
    for id in ["1", "2", "3"] {
        assert!(
            names(&found.due).iter().any(|(webhook, _)| *webhook == id),
            "nothing for {id}"
        );
    }
}

#[tokio::test]
async fn a_claim_says_when_the_next_delivery_falls_due() {
    let subject = fresh().await;
    subject.add_webhooks(["1", "2"]).await;
    let found = subject.claim(0).await;
    assert_eq!((found.next_due_at, found.left.is_empty()), (None, true));
    subject.publish_at([50]).await;
    assert_eq!(subject.claim(10).await.next_due_at, Some(at(50)));
    let found = subject.claim(50).await;
    assert_eq!(found.next_due_at, Some(at(50 + LEASE)));
    let [first, second] = <[_; 2]>::try_from(found.due).unwrap();
    assert!(subject.record(&first, Next::RetryAt(at(55)), 51).await);
    assert_eq!(subject.claim(51).await.next_due_at, Some(at(55)));
    let first = subject.claim_one(55).await;
    assert!(subject.record(&first, Next::Delivered, 56).await);
    assert!(subject.record(&second, Next::Exhausted, 56).await);
    // The ends of leases that nobody needs any more may be named, but only once.
    let mut now = 56;
    let mut named = 0;
    while let Some(next) = subject.claim(now).await.next_due_at {
        assert!(next > at(now));
        now = next.duration_since(at(0)).as_secs();
        named += 1;
    }
    assert!(named <= 2, "{named}");
}

#[tokio::test]
async fn a_failed_claim_leaves_everything_and_gives_its_slots_back() {
    let subject = fresh().await;
    subject.add_webhooks(["1", "2"]).await;
    subject.publish_at([1, 2]).await;
    subject.backend.fail(Fault::Claim).await;
    let lanes = slots(10, 10);
    let claimed = subject.store.claim(terms(&lanes, 9)).await;
    assert!(is_refused(&claimed), "{claimed:?}");
    assert_eq!(lanes.taken(), 0);
    subject.backend.mend().await;
    let found = subject.claim(9).await;
    assert_eq!((found.due.len(), found.expired_leases), (4, 0));
    assert!(found.due.iter().all(|due| due.attempt == 1));
}

#[tokio::test]
async fn a_claimer_that_goes_away_takes_no_slot_with_it() {
    let subject = fresh().await;
    subject.add_webhooks(["1"]).await;
    subject.publish_at([1]).await;
    let lanes = slots(10, 10);
    // The writer waits for this transaction, so the claimer is gone before it is answered.
    subject.backend.lock().await;
    let mut claim = subject.store.claim(terms(&lanes, 1));
    let polled = claim.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(polled.is_pending());
    drop(claim);
    subject.backend.unlock().await;
    until(async || subject.delivery().await.attempts == 1 && lanes.taken() == 0).await;
    assert_eq!(subject.claim_one(1 + LEASE).await.attempt, 2);
}

#[tokio::test]
async fn a_delivery_past_its_time_is_exhausted_instead_of_claimed() {
    let subject = fresh().await;
    subject.add_webhooks(["1"]).await;
    subject.publish(event("e", 0)).await;
    let lanes = slots(10, 10);
    // A delivery that waits for its first attempt is not given up, however long that takes.
    let first = subject
        .store
        .claim(limited(&lanes, 9, 5 * DAY))
        .await
        .unwrap();
    assert_eq!(first.due[0].first_attempt_at, at(5 * DAY));
    let last = subject
        .store
        .claim(limited(&lanes, 9, 6 * DAY))
        .await
        .unwrap();
    assert_eq!(last.due[0].attempt, 2, "just in time");
    let none = subject
        .store
        .claim(limited(&lanes, 9, 6 * DAY + LEASE))
        .await
        .unwrap();
    assert!(none.due.is_empty() && none.left.is_empty());
    assert_eq!((none.next_due_at, lanes.taken()), (None, 2));
    let record = subject.delivery().await;
    assert_eq!(record.state, DeliveryState::Exhausted);
    assert_eq!(record.completed_at, Some(at(6 * DAY + LEASE)));
    assert!(!subject.record(&last.due[0], Next::Delivered, 7 * DAY).await);
}

#[tokio::test]
async fn deliveries_past_their_time_do_not_hide_others_behind_them() {
    let subject = fresh().await;
    subject.add_webhooks(["1"]).await;
    subject.publish_at([1, 2, 3, 4, 5]).await;
    assert_eq!(subject.claim(9).await.due.len(), 5);
    subject.publish_at([2 * DAY]).await;
    let lanes = slots(10, 10);
    let mut due = Vec::new();
    for _ in 0..3 {
        let found = subject
            .store
            .claim(limited(&lanes, 4, 2 * DAY))
            .await
            .unwrap();
        due.extend(found.due);
        if found.next_due_at != Some(at(2 * DAY)) {
            break;
        }
    }
    assert_eq!(names(&due), [("1", &*(2 * DAY).to_string())]);
    assert_eq!(lanes.taken(), 1);
}

#[tokio::test]
async fn the_deliveries_of_a_suspended_webhook_wait_until_it_goes_on() {
    let subject = fresh().await;
    subject.add_webhooks(["1", "2"]).await;
    subject.publish(event("e", 1)).await;
    subject.suspend("1", true).await;
    let found = subject.claim(5).await;
    assert_eq!(
        (names(&found.due), found.left.is_empty()),
        (vec![("2", "e")], true)
    );
    assert!(subject.record(&found.due[0], Next::Delivered, 6).await);
    // Neither an attempt by hand nor a new time makes it go on.
    let waiting = DeliveryFilter {
        state: Some(DeliveryState::Pending),
        ..DeliveryFilter::default()
    };
    let waiting = subject.deliveries(waiting).await.remove(0);
    subject.retry(waiting.id, 7).await;
    let found = subject.claim(DAY).await;
    assert_eq!((found.due.len(), found.next_due_at), (0, None));
    subject.suspend("1", false).await;
    assert_eq!(names(&subject.claim(DAY).await.due), [("1", "e")]);
}

#[tokio::test]
async fn an_attempt_under_way_is_recorded_though_its_webhook_was_suspended() {
    let subject = fresh().await;
    subject.add_webhooks(["1"]).await;
    subject.publish(event("e", 1)).await;
    let due = subject.claim_one(1).await;
    subject.suspend("1", true).await;
    assert!(subject.record(&due, Next::RetryAt(at(10)), 2).await);
    assert!(subject.claim(10).await.due.is_empty());
    subject.suspend("1", false).await;
    assert!(subject.claim(9).await.due.is_empty());
    assert_eq!(subject.claim_one(10).await.attempt, 2);
}

#[tokio::test]
async fn an_attempt_uses_the_url_and_the_secrets_of_its_moment() {
    // Decision E-58.
    let subject = fresh().await;
    subject.add_webhooks(["1"]).await;
    subject.publish(event("e", 1)).await;
    let due = subject.claim_one(1).await;
    assert!(subject.record(&due, Next::RetryAt(at(10)), 2).await);
    let url = ReceiverUrl::parse("https://example.com/new", SchemePolicy::HttpsOnly).unwrap();
    let change = WebhookChange {
        url: Some(url.clone()),
        signing_secret: Some(Some(Secret::new("new"))),
        authorization: Some(None),
        event_types: Some(vec!["other".to_owned()]),
        ..WebhookChange::default()
    };
    subject.change("1", change).await;
    assert_eq!(subject.delivery().await.url, url.as_str());
    let due = subject.claim_one(10).await;
    assert_eq!(due.target.url, url);
    assert_eq!(due.target.signing_secret, Some(Secret::new("new")));
    assert_eq!(due.target.authorization, None);
}

#[tokio::test]
async fn pending_deliveries_of_a_deleted_webhook_go_on_where_they_continue() {
    // Decision C-39.
    let subject = fresh().await;
    subject.add_webhooks(["1"]).await;
    subject.publish_at([1, 2]).await;
    let delete = subject
        .store
        .delete_webhook(key("1"), OnDelete::KeepPending, at(3));
    assert!(delete.await.unwrap());
    let due = subject.claim(4).await.due;
    assert_eq!(names(&due), [("1", "1"), ("1", "2")]);
    assert_eq!(due[0].target.signing_secret, Some(Secret::new("signing")));
    assert!(subject.record(&due[0], Next::Delivered, 5).await);
    assert!(subject.record(&due[1], Next::RetryAt(at(10)), 5).await);
    assert_eq!(subject.claim_one(10).await.attempt, 2);
    assert_eq!(subject.publish(event("new", 11)).await.deliveries, 0);
}

#[tokio::test]
async fn pending_deliveries_of_a_deleted_webhook_are_cancelled_where_they_end() {
    // Decision E-57.
    let subject = fresh().await;
    subject.add_webhooks(["1", "2"]).await;
    subject.publish_at([1, 2, 3]).await;
    let due = subject
        .store
        .claim(terms(&slots(9, 2), 4))
        .await
        .unwrap()
        .due;
    let of_first: Vec<_> = due
        .iter()
        .filter(|due| due.target.webhook_id == "1")
        .collect();
    assert!(subject.record(of_first[0], Next::Delivered, 5).await);
    let delete = subject
        .store
        .delete_webhook(key("1"), OnDelete::CancelPending, at(6));
    assert!(delete.await.unwrap());
    let states: Vec<_> = subject
        .deliveries(DeliveryFilter {
            webhook_id: Some("1".to_owned()),
            ..DeliveryFilter::default()
        })
        .await
        .iter()
        .map(|delivery| (delivery.state, delivery.completed_at))
        .collect();
    let cancelled = (DeliveryState::Cancelled, Some(at(6)));
    let delivered = (DeliveryState::Delivered, Some(at(5)));
    assert_eq!(states, [cancelled, cancelled, delivered]);
    assert!(
        !subject.record(of_first[1], Next::Delivered, 7).await,
        "the result came after the end"
    );
    let due = subject.claim(DAY).await.due;
    assert_eq!(due.len(), 3);
    assert!(due.iter().all(|due| due.target.webhook_id == "2"));
}
