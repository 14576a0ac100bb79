//! The contract of every store, as one suite that each backend runs. A verb without a test here does not merge.
//!
//! Here are the subject and the fixtures; the tests stand by what they are about. Every time is an argument, so nothing sleeps.

// The same files twice, each time with another `fresh`.
#[expect(clippy::duplicate_mod, reason = "the suite runs on each backend")]
mod postgres;
#[expect(clippy::duplicate_mod, reason = "the suite runs on each backend")]
mod sqlite;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::clock::{Moment, SavedTime};
use crate::domain::{
    Attempt, Audience, DueDelivery, Event, Next, Outcome, ProviderName, ReceiverUrl, SchemePolicy,
    Secret, Timing, Webhook, WebhookChange,
};

/// Two providers. Storage knows none: any two names do.
const CONDUIT: ProviderName = ProviderName::new("conduit");
const EQUALS_MONEY: ProviderName = ProviderName::new("equals-money");

pub(super) const KEY: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// How many seconds a claim holds.
const LEASE: i64 = 30;

/// The seconds of a day.
const DAY: i64 = 24 * 60 * 60;

/// A store, and what is beneath it.
struct Subject {
    store: Arc<dyn Store>,
    saved_time: Option<SavedTime>,
    backend: Box<dyn Backend>,
}

/// The database beneath a store: opens the store, and brings about states that no verb does.
#[async_trait]
trait Backend: Send + Sync {
    /// Opens the store.
    fn open(&self) -> Opened;

    /// Has writes fail.
    async fn fail(&self, fault: Fault);

    /// Undoes [`Self::fail`].
    async fn mend(&self);

    /// Locks what is stored against every write.
    async fn lock(&self);

    /// Undoes [`Self::lock`].
    async fn unlock(&self);

    /// Damages the signing secret of a webhook.
    async fn damage_secret(&self, webhook: &str);

    /// How many rows of a kind there are: of a table of SQLite's schema.
    async fn count(&self, table: &str) -> i64;
}

/// Which writes fail.
#[derive(Debug, Clone, Copy)]
enum Fault {
    /// Storing an event.
    Publication,
    /// Claiming a delivery of the second webhook.
    Claim,
    /// Recording a result of the delivery with this number.
    Result(i64),
}

impl Subject {
    /// A store over what is beneath it.
    fn over(backend: Box<dyn Backend>) -> Self {
        let Opened {
            store, saved_time, ..
        } = backend.open();
        Self {
            store,
            saved_time,
            backend,
        }
    }

    /// The same store after a restart of the process.
    #[expect(
        clippy::unused_async,
        reason = "a test that calls it waits for all else"
    )]
    async fn reopen(self) -> Self {
        let Self { store, backend, .. } = self;
        assert_eq!(Arc::strong_count(&store), 1, "the store is still in use");
        drop(store);
        Self::over(backend)
    }

    /// Keeps webhooks for events of [`event`], one for each id.
    async fn add_webhooks<const N: usize>(&self, ids: [&str; N]) {
        for id in ids {
            self.store.insert_webhook(webhook(id)).await.unwrap();
        }
    }

    /// Stores an event whose deliveries all wait.
    async fn publish(&self, event: Event) -> Receipt {
        let published = self.store.publish(publication(event, &slots(0, 0))).await;
        stored(published.unwrap()).0
    }

    /// Stores an event at each of `seconds`, named by it, whose deliveries all wait.
    async fn publish_at<const N: usize>(&self, seconds: [i64; N]) {
        for second in seconds {
            self.publish(event(&second.to_string(), second)).await;
        }
    }

    /// Claims all that is due.
    async fn claim(&self, second: i64) -> Claimed {
        self.store
            .claim(terms(&slots(1_000, 1_000), second))
            .await
            .unwrap()
    }

    /// Claims the one delivery that is due.
    async fn claim_one(&self, second: i64) -> DueDelivery {
        let mut due = self.claim(second).await.due;
        assert_eq!(due.len(), 1, "due at {second}: {:?}", names(&due));
        due.remove(0)
    }

    /// Records what came of an attempt; says whether it was recorded.
    async fn record(&self, due: &DueDelivery, next: Next, second: i64) -> bool {
        let result = AttemptResult {
            delivery: due.id,
            number: due.number,
            lane: due.target.lane,
            attempt: attempt(due.attempt),
            next,
            now: at(second),
        };
        self.record_result(result).await
    }

    /// Asks for an attempt by hand, which is granted.
    async fn retry(&self, delivery: Uuid, second: i64) -> DeliveryRecord {
        match self.store.retry(delivery, at(second)).await.unwrap() {
            Retried::Due(record) => *record,
            refused => panic!("not retried: {refused:?}"),
        }
    }

    /// Records results, all of which can be written.
    async fn record_all(&self, results: Vec<AttemptResult>) -> Vec<Recorded> {
        let results = results.into_iter().map(Arc::new).collect();
        let recorded = self.store.record(results).await;
        assert!(recorded.error.is_none(), "{recorded:?}");
        recorded.each
    }

    /// Records one result; says whether it was recorded.
    async fn record_result(&self, result: AttemptResult) -> bool {
        let recorded = self.record_all(vec![result]).await;
        assert_eq!(recorded.len(), 1);
        recorded[0] == Recorded::Yes
    }

    /// The deliveries that `filter` lets through, newest first.
    async fn deliveries(&self, filter: DeliveryFilter) -> Vec<DeliveryRecord> {
        let found = self.store.deliveries(filter, all()).await.unwrap();
        assert_eq!(found.next, None);
        found.rows
    }

    /// The only delivery.
    async fn delivery(&self) -> DeliveryRecord {
        let mut found = self.deliveries(DeliveryFilter::default()).await;
        assert_eq!(found.len(), 1, "{found:?}");
        found.remove(0)
    }

    /// Changes the webhook with this id of [`webhook`].
    async fn change(&self, id: &str, change: WebhookChange) {
        let changed = self
            .store
            .update_webhook(key(id), change, at(0))
            .await
            .unwrap();
        assert!(changed.is_some(), "no webhook {id}");
    }

    /// Has the deliveries of the webhook with this id wait, or go on.
    async fn suspend(&self, id: &str, suspended: bool) {
        let change = WebhookChange {
            enabled: Some(!suspended),
            suspended: Some(suspended),
            ..WebhookChange::default()
        };
        self.change(id, change).await;
    }
}

/// Slots that can be counted.
pub(super) struct Lanes {
    limit: usize,
    lane_limit: usize,
    taken: Mutex<HashMap<i64, usize>>,
}

/// At most `limit` slots in all, and `lane_limit` for each webhook.
pub(super) fn slots(limit: usize, lane_limit: usize) -> Arc<Lanes> {
    Arc::new(Lanes {
        limit,
        lane_limit,
        taken: Mutex::default(),
    })
}

impl Lanes {
    /// How many slots are taken.
    fn taken(&self) -> usize {
        self.taken.lock().unwrap().values().sum()
    }
}

impl Slots for Lanes {
    fn take(&self, lane: i64) -> bool {
        let mut taken = self.taken.lock().unwrap();
        let all: usize = taken.values().sum();
        let of_lane = taken.entry(lane).or_default();
        let free = all < self.limit && *of_lane < self.lane_limit;
        *of_lane += usize::from(free);
        free
    }

    fn free(&self, lane: i64) -> usize {
        let taken = self.taken.lock().unwrap();
        let all: usize = taken.values().sum();
        let of_lane = taken.get(&lane).copied().unwrap_or_default();
        (self.limit - all).min(self.lane_limit - of_lane)
    }

    fn give_back(&self, lane: i64) {
        let mut taken = self.taken.lock().unwrap();
        let of_lane = taken
            .get_mut(&lane)
            .expect("nobody took a slot of this lane");
        *of_lane = of_lane.checked_sub(1).expect("a slot came back twice");
    }
}

pub(super) fn at(second: i64) -> Timestamp {
    "2026-01-01T00:00:00.123456Z".parse::<Timestamp>().unwrap() + SignedDuration::from_secs(second)
}

/// The same second in both times.
fn moment(second: i64) -> Moment {
    Moment {
        now: at(second),
        steady: at(second),
    }
}

pub(super) fn webhook(id: &str) -> Webhook {
    Webhook {
        provider: EQUALS_MONEY,
        id: id.to_owned(),
        owner: "product".to_owned(),
        account_id: Some("F1".to_owned()),
        url: ReceiverUrl::parse("https://example.com/%C3%A4?b", SchemePolicy::HttpsOnly).unwrap(),
        event_types: vec!["b".to_owned(), "a".to_owned()],
        enabled: true,
        signing_secret: Some(Secret::new("signing")),
        authorization: Some(Secret::new("Basic x ")),
        created_at: at(0),
        updated_at: at(0),
    }
}

pub(super) fn key(id: &str) -> WebhookKey {
    WebhookKey {
        provider: EQUALS_MONEY,
        owner: "product".to_owned(),
        id: id.to_owned(),
        account_id: None,
    }
}

/// An event that every webhook of [`webhook`] wants.
pub(super) fn event(id: &str, second: i64) -> Event {
    Event {
        id: id.to_owned(),
        provider: EQUALS_MONEY,
        event_type: "a".to_owned(),
        owner: None,
        account_id: Some("F1".to_owned()),
        data: r#"{"amount":1.10,"ä":"\u00e4"}"#.to_owned(),
        sequence: 0,
        created_at: at(second),
        trace: None,
    }
}

pub(super) fn publication(event: Event, slots: &Arc<Lanes>) -> Publication {
    Publication {
        steady: event.created_at,
        event,
        audience: Audience::Account,
        idempotency: None,
        slots: slots.clone(),
        lease: SignedDuration::from_secs(LEASE),
    }
}

pub(super) fn terms(slots: &Arc<Lanes>, second: i64) -> ClaimTerms {
    ClaimTerms {
        slots: slots.clone(),
        limit: 1_000,
        lease: SignedDuration::from_secs(LEASE),
        at: moment(second),
        gives_up_at: Arc::new(|_, _| Timestamp::MAX),
    }
}

/// Claims at most `limit` with these slots, giving a delivery up a day after its first attempt.
pub(super) fn limited(lanes: &Arc<Lanes>, limit: usize, second: i64) -> ClaimTerms {
    ClaimTerms {
        limit,
        gives_up_at: Arc::new(|_, first| first + SignedDuration::from_hours(24)),
        ..terms(lanes, second)
    }
}

#[track_caller]
pub(super) fn stored(published: Published) -> (Receipt, Vec<DueDelivery>, Vec<i64>) {
    match published {
        Published::Stored {
            receipt,
            claimed,
            waiting,
        } => (receipt, claimed, waiting),
        Published::Repeated(_) | Published::Conflict => panic!("not stored: {published:?}"),
    }
}

/// An attempt with something in every member.
pub(super) fn attempt(number: u32) -> Attempt {
    Attempt {
        number,
        started_at: at(1),
        timing: Timing {
            queue: Duration::from_micros(1),
            connect: Some(Duration::from_micros(2)),
            first_byte: Some(Duration::from_millis(3)),
            total: Duration::from_secs(4),
        },
        request_headers: vec![("x".into(), "1".into())],
        outcome: Outcome::Answered {
            status: 503,
            retry_after: Some(Duration::from_secs(120)),
        },
        response_headers: vec![("retry-after".to_owned(), "120".to_owned())],
        response_body: b"\0no\xff".to_vec(),
        response_truncated: true,
    }
}

/// A page that holds everything.
pub(super) fn all() -> NumberPage {
    NumberPage {
        before: None,
        limit: 10_000,
    }
}

/// Returns the claimed deliveries, as webhook and event.
fn names(due: &[DueDelivery]) -> Vec<(&str, &str)> {
    due.iter()
        .map(|due| (due.target.webhook_id.as_str(), due.event.id.as_str()))
        .collect()
}

/// Whether what is stored, and not the moment, is why something failed.
fn is_refused<T>(result: &Result<T, StoreError>) -> bool {
    matches!(result, Err(StoreError::Statement(_) | StoreError::Query(_)))
        && result.as_ref().is_err_and(|error| !error.is_temporary())
}

/// Waits for what comes about on other threads.
async fn until(condition: impl AsyncFn() -> bool) {
    let deadline = std::time::Instant::now() + Duration::from_secs(60);
    while !condition().await {
        assert!(std::time::Instant::now() < deadline, "it never comes about");
        tokio::task::yield_now().await;
    }
}
