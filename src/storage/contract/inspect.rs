//! Webhooks and deliveries as an operator reads them, across providers and owners.

use super::super::{
    AnyWebhookFilter, EventFilter, NotMatched, OnDelete, OutcomeFilter, Overview, PurgeTerms,
    RecentDeliveries, StateCounts, WindowState,
};
use super::*;

fn conduit(id: &str, client: &str) -> Webhook {
    Webhook {
        provider: CONDUIT,
        owner: client.to_owned(),
        account_id: None,
        ..webhook(id)
    }
}

async fn event_ids(subject: &Subject, after: i64, limit: u32) -> (Vec<String>, i64) {
    let found = subject
        .store
        .new_events(EventFilter::default(), after, limit)
        .await
        .unwrap();
    let ids = found.rows.into_iter().map(|record| record.event.id);
    (ids.collect(), found.position)
}

/// Publishes, and gives what the publisher is told of webhooks that do not get the event.
async fn not_matched(subject: &Subject, event: Event, audience: Audience) -> NotMatched {
    let publication = Publication {
        audience,
        ..publication(event, &slots(0, 0))
    };
    match subject.store.publish(publication).await.unwrap() {
        Published::Stored { receipt, .. } => receipt.not_matched,
        other => panic!("not stored: {other:?}"),
    }
}

/// Attempts the one delivery that is due, with this outcome.
async fn attempt_due(subject: &Subject, second: i64, outcome: Outcome, next: Next) {
    let due = subject.claim_one(second).await;
    let result = AttemptResult {
        delivery: due.id,
        number: due.number,
        lane: due.target.lane,
        attempt: Attempt {
            started_at: at(second),
            outcome,
            ..attempt(due.attempt)
        },
        next,
        now: at(second),
    };
    assert!(subject.record_result(result).await);
}

fn failed() -> Outcome {
    Outcome::Failed {
        reason: "reset".to_owned(),
        status: None,
    }
}

fn answered(status: u16) -> Outcome {
    Outcome::Answered {
        status,
        retry_after: None,
    }
}

#[tokio::test]
async fn who_follows_events_sees_each_once_in_the_order_of_their_storing() {
    let subject = fresh().await;
    assert_eq!(subject.store.last_event().await.unwrap(), 0);
    subject.publish_at([1, 2, 3]).await;
    let (first, place) = event_ids(&subject, 0, 2).await;
    assert_eq!(first, ["1", "2"]);
    let (second, place) = event_ids(&subject, place, 2).await;
    assert_eq!(second, ["3"]);
    assert_eq!(place, subject.store.last_event().await.unwrap());
    assert_eq!(event_ids(&subject, place, 2).await, (Vec::new(), place));
    subject.publish_at([4]).await;
    assert_eq!(event_ids(&subject, place, 2).await.0, ["4"]);
    // A filter passes by what it does not want.
    let filter = EventFilter {
        event_type: Some("other".to_owned()),
        ..EventFilter::default()
    };
    let found = subject.store.new_events(filter, 0, 2).await.unwrap();
    assert!(found.rows.is_empty());
    assert_eq!(found.position, subject.store.last_event().await.unwrap());
}

#[tokio::test]
async fn a_place_among_events_outlives_their_deletion() {
    let subject = fresh().await;
    subject.publish_at([1, 2, 3]).await;
    let place = subject.store.last_event().await.unwrap();
    let terms = PurgeTerms {
        events_before: at(100),
        keys_before: at(0),
        after: 0,
        limit: 10,
    };
    assert_eq!(subject.store.purge(terms).await.unwrap().events, 3);
    assert_eq!(subject.store.last_event().await.unwrap(), place);
    let subject = subject.reopen().await;
    subject.publish_at([101, 102]).await;
    assert_eq!(event_ids(&subject, place, 9).await.0, ["101", "102"]);
}

#[tokio::test]
async fn deliveries_are_found_by_type_time_and_what_the_last_attempt_came_to() {
    let subject = fresh().await;
    subject.add_webhooks(["1"]).await;
    let outcomes = [
        ("accepted", answered(204), Next::Delivered),
        ("moved", answered(308), Next::RetryAt(at(9_000))),
        ("gone", answered(410), Next::Exhausted),
        ("broken", answered(503), Next::RetryAt(at(9_000))),
        ("odd", answered(999), Next::RetryAt(at(9_000))),
        (
            "late",
            Outcome::TimedOut { status: None },
            Next::RetryAt(at(9_000)),
        ),
        (
            "private",
            Outcome::Refused("no".to_owned()),
            Next::Exhausted,
        ),
        ("reset", failed(), Next::RetryAt(at(9_000))),
    ];
    for (second, (id, outcome, next)) in (1..).zip(outcomes.clone()) {
        subject.publish(event(id, second)).await;
        attempt_due(&subject, second, outcome, next).await;
    }
    subject.publish(event("waiting", 20)).await;
    let ids = async |filter| -> Vec<String> {
        let found = subject.deliveries(filter).await;
        found
            .into_iter()
            .map(|delivery| delivery.event_id)
            .collect()
    };
    let of_outcome = |word: &str| DeliveryFilter {
        outcome: Some(OutcomeFilter::parse(word).unwrap()),
        ..DeliveryFilter::default()
    };
    for (word, id) in [
        ("2xx", "accepted"),
        ("3xx", "moved"),
        ("4xx", "gone"),
        ("5xx", "broken"),
        ("other", "odd"),
        ("timeout", "late"),
        ("refused", "private"),
        ("failed", "reset"),
    ] {
        assert_eq!(ids(of_outcome(word)).await, [id], "{word}");
    }
    let failures = ids(of_outcome("failure")).await;
    assert_eq!(failures.len(), outcomes.len() - 1, "{failures:?}");
    assert!(OutcomeFilter::parse("418").is_none());
    let between = DeliveryFilter {
        from: Some(at(2)),
        to: Some(at(4)),
        ..DeliveryFilter::default()
    };
    assert_eq!(ids(between).await, ["gone", "moved"]);
    let of_type = |name: &str| DeliveryFilter {
        event_type: Some(name.to_owned()),
        ..DeliveryFilter::default()
    };
    assert_eq!(ids(of_type("a")).await.len(), outcomes.len() + 1);
    assert_eq!(ids(of_type("b")).await, [""; 0]);
    // Each tells of its last attempt.
    let found = subject.deliveries(DeliveryFilter::default()).await;
    assert_eq!(found[0].last, None);
    let last = found[1].last.clone().unwrap();
    assert_eq!((last.started_at, last.outcome), (at(8), failed()));
}

#[tokio::test]
async fn webhooks_of_everybody_are_listed_newest_first_and_filtered() {
    let subject = fresh().await;
    subject.add_webhooks(["1", "2"]).await;
    let store = &subject.store;
    store.insert_webhook(conduit("3", "client")).await.unwrap();
    let disabled = Webhook {
        enabled: false,
        event_types: vec!["c".to_owned()],
        ..conduit("4", "other")
    };
    store.insert_webhook(disabled).await.unwrap();
    let ids = async |filter: AnyWebhookFilter| -> Vec<String> {
        let found = store.any_webhooks(filter, all()).await.unwrap();
        found.rows.into_iter().map(|webhook| webhook.id).collect()
    };
    let any = AnyWebhookFilter::default;
    assert_eq!(ids(any()).await, ["4", "3", "2", "1"]);
    for (filter, expected) in [
        (
            AnyWebhookFilter {
                provider: Some(CONDUIT),
                ..any()
            },
            vec!["4", "3"],
        ),
        (
            AnyWebhookFilter {
                owner: Some("client".to_owned()),
                ..any()
            },
            vec!["3"],
        ),
        (
            AnyWebhookFilter {
                account_id: Some("F1".to_owned()),
                ..any()
            },
            vec!["2", "1"],
        ),
        (
            AnyWebhookFilter {
                event_type: Some("c".to_owned()),
                ..any()
            },
            vec!["4"],
        ),
        (
            AnyWebhookFilter {
                enabled: Some(true),
                provider: Some(CONDUIT),
                ..any()
            },
            vec!["3"],
        ),
    ] {
        assert_eq!(ids(filter.clone()).await, expected, "{filter:?}");
    }
    let first = NumberPage {
        before: None,
        limit: 3,
    };
    let page = store.any_webhooks(any(), first).await.unwrap();
    let second = NumberPage {
        before: page.next,
        limit: 3,
    };
    let rest = store.any_webhooks(any(), second).await.unwrap();
    assert_eq!((page.rows.len(), rest.rows.len(), rest.next), (3, 1, None));
    let delete = store.delete_webhook(key("1"), OnDelete::CancelPending, at(3));
    assert!(delete.await.unwrap());
    assert_eq!(ids(any()).await, ["4", "3", "2"]);
    assert!(store.any_webhook("1".to_owned()).await.unwrap().is_none());
    let found = store.any_webhook("2".to_owned()).await.unwrap().unwrap();
    assert_eq!(found.event_types, ["b", "a"]);
    assert_eq!(found.account_id.as_deref(), Some("F1"));
}

#[tokio::test]
async fn a_webhook_tells_how_its_newest_deliveries_stand() {
    let subject = fresh().await;
    subject.add_webhooks(["1"]).await;
    let recent = async || -> RecentDeliveries {
        let found = subject.store.any_webhook("1".to_owned()).await;
        found.unwrap().unwrap().recent
    };
    let nothing = recent().await;
    assert_eq!(nothing.states, StateCounts::default());
    assert!(nothing.last_success_at.is_none() && nothing.last_failure.is_none());
    for (second, outcome, next) in [
        (1, answered(204), Next::Delivered),
        (2, answered(200), Next::Delivered),
        (3, answered(503), Next::Exhausted),
        (
            4,
            Outcome::TimedOut { status: None },
            Next::RetryAt(at(9_000)),
        ),
    ] {
        subject.publish_at([second]).await;
        attempt_due(&subject, second, outcome, next).await;
    }
    let found = recent().await;
    let states = StateCounts {
        pending: 1,
        delivered: 2,
        exhausted: 1,
        cancelled: 0,
    };
    assert_eq!(found.states, states);
    assert_eq!(found.last_success_at, Some(at(2)));
    let failure = found.last_failure.unwrap();
    assert_eq!(
        (failure.started_at, failure.outcome),
        (at(4), Outcome::TimedOut { status: None })
    );
}

#[tokio::test]
async fn webhooks_of_the_type_that_an_event_is_not_for_are_counted_with_the_reason() {
    let subject = fresh().await;
    let store = &subject.store;
    for (id, owner, account, enabled) in [
        ("wanted", "product", Some("F1"), true),
        ("everywhere", "product", None, true),
        ("elsewhere", "product", Some("F2"), true),
        ("elsewhere and off", "product", Some("F2"), false),
        ("off", "product", Some("F1"), false),
        ("foreign", "other", Some("F1"), true),
    ] {
        let one = Webhook {
            owner: owner.to_owned(),
            account_id: account.map(str::to_owned),
            enabled,
            ..webhook(id)
        };
        store.insert_webhook(one).await.unwrap();
    }
    let of_type = Webhook {
        event_types: vec!["c".to_owned()],
        ..webhook("another type")
    };
    store.insert_webhook(of_type).await.unwrap();
    store
        .insert_webhook(conduit("another API", "client"))
        .await
        .unwrap();
    let counts = async |owner: Option<&str>, account: Option<&str>, audience| {
        let event = Event {
            owner: owner.map(str::to_owned),
            account_id: account.map(str::to_owned),
            ..event("", 1)
        };
        let NotMatched {
            other_owner,
            other_account,
            disabled,
        } = not_matched(&subject, event, audience).await;
        [other_owner, other_account, disabled]
    };
    let (product, account) = (Some("product"), Some("F1"));
    assert_eq!(counts(product, account, Audience::Account).await, [1, 2, 1]);
    assert_eq!(counts(None, account, Audience::Account).await, [0, 2, 1]);
    assert_eq!(counts(product, None, Audience::Account).await, [1, 4, 0]);
    assert_eq!(counts(None, account, Audience::Platform).await, [0, 5, 0]);
    let of_client = Event {
        provider: CONDUIT,
        owner: Some("nobody".to_owned()),
        account_id: None,
        ..event("", 1)
    };
    let not_matched = not_matched(&subject, of_client, Audience::Owner).await;
    assert_eq!(not_matched.other_owner, 1);
}

#[tokio::test]
async fn what_a_publisher_is_told_of_other_webhooks_is_told_again() {
    let subject = fresh().await;
    let elsewhere = Webhook {
        account_id: Some("F2".to_owned()),
        ..webhook("elsewhere")
    };
    subject.store.insert_webhook(elsewhere).await.unwrap();
    let off = Webhook {
        enabled: false,
        ..webhook("off")
    };
    subject.store.insert_webhook(off).await.unwrap();
    let not_matched = NotMatched {
        other_owner: 0,
        other_account: 1,
        disabled: 1,
    };
    for id in ["first", "second"] {
        let publication = Publication {
            idempotency: Some(super::super::Idempotency {
                caller: "caller".to_owned(),
                key: "key".to_owned(),
                request: crate::domain::Fingerprint::of(b"request"),
            }),
            ..publication(event(id, 1), &slots(0, 0))
        };
        let receipt = match subject.store.publish(publication).await.unwrap() {
            Published::Stored { receipt, .. } | Published::Repeated(receipt) => receipt,
            Published::Conflict => panic!("a conflict"),
        };
        assert_eq!(
            (receipt.id.as_str(), receipt.not_matched),
            ("first", not_matched)
        );
        // What changes meanwhile does not change what the first was told.
        let delete = subject
            .store
            .delete_webhook(key("off"), OnDelete::KeepPending, at(2));
        delete.await.unwrap();
    }
}

#[tokio::test]
async fn the_overview_tells_how_the_newest_deliveries_stand_and_which_webhooks_fail_most() {
    let subject = fresh().await;
    let empty = subject.store.overview().await.unwrap();
    assert!(empty.window.deliveries.is_empty() && empty.failing.is_empty());
    assert!(!empty.window.more);
    subject.add_webhooks(["good", "bad", "worst", "gone"]).await;
    for second in [1, 2] {
        subject.publish_at([second]).await;
        for due in subject.claim(second).await.due {
            let next = match (due.target.webhook_id.as_str(), second) {
                ("good", _) | ("bad", 2) => Next::Delivered,
                ("worst", 1) | ("gone", _) => Next::Exhausted,
                _ => Next::RetryAt(at(9_000)),
            };
            assert!(subject.record(&due, next, second).await);
        }
    }
    let delete = subject
        .store
        .delete_webhook(key("gone"), OnDelete::CancelPending, at(3));
    assert!(delete.await.unwrap());
    subject.publish_at([5]).await;
    let Overview { window, failing } = subject.store.overview().await.unwrap();
    let count = |state| {
        window
            .deliveries
            .iter()
            .filter(|(_, is)| *is == state)
            .count()
    };
    assert_eq!(
        [
            WindowState::New,
            WindowState::Retrying,
            WindowState::Delivered,
            WindowState::Exhausted,
            WindowState::Cancelled
        ]
        .map(count),
        [3, 2, 3, 3, 0]
    );
    assert!(
        window
            .deliveries
            .is_sorted_by(|newer, older| newer.0 >= older.0)
    );
    let failing: Vec<(&str, u64, u64)> = failing
        .iter()
        .map(|failing| {
            (
                failing.webhook.id.as_str(),
                failing.retrying,
                failing.exhausted,
            )
        })
        .collect();
    assert_eq!(failing, [("worst", 1, 1), ("bad", 1, 0)]);
}
