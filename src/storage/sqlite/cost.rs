//! The cost of verbs: the steps that SQLite's virtual machine takes, which are the same on every machine. Work on the writer's thread holds
//! up every other write, so it must not grow with the stored data.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::{SignedDuration, Timestamp};
use rusqlite::Connection;
use tempfile::TempDir;

use super::super::key_file::EncryptionKey;
use super::super::seal::Sealer;
use super::super::targets::Targets;
use super::super::{
    AttemptResult, ClaimTerms, DeliveryFilter, Idempotency, NotMatched, NumberPage, OnDelete,
    Publication, PurgeTerms, Purpose, Recorded, Slots, WebhookKey,
};
use super::headers::Shapes;
use super::ids::SealedIds;
use super::matching::Matching;
use super::{claim, deliveries, jobs, open, publish, queue, webhooks};
use crate::clock::Moment;
use crate::domain::{
    Attempt, Audience, Event, Fingerprint, Next, Outcome, ProviderName, ReceiverUrl, Timing,
    Webhook,
};

pub(super) struct Subject {
    connection: Connection,
    sealer: Sealer,
    targets: Targets,
    ids: SealedIds,
    steps: Arc<AtomicU64>,
    _folder: TempDir,
}

/// No slot for anyone: deliveries wait.
struct Never;

impl Slots for Never {
    fn take(&self, _: i64) -> bool {
        false
    }

    fn give_back(&self, _: i64) {}
}

/// Slots for every webhook but this one.
struct AllBut(i64);

impl Slots for AllBut {
    fn take(&self, lane: i64) -> bool {
        lane != self.0
    }

    fn give_back(&self, _: i64) {}
}

fn key(id: &str) -> WebhookKey {
    WebhookKey {
        provider: ProviderName::new("equals-money"),
        owner: "product".to_owned(),
        id: id.to_owned(),
        account_id: None,
    }
}

pub(super) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

impl Subject {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = EncryptionKey::from_hex(&"01".repeat(32)).unwrap();
        let sealer = Sealer::new(&key.into());
        let path: &Path = &folder.path().join("t.db");
        let mut connection = open::open_writer(path, &sealer, Purpose::Sandbox).unwrap();
        // These tests count pages; no power is lost in them.
        connection
            .pragma_update(None, "synchronous", "OFF")
            .unwrap();
        let steps = Arc::new(AtomicU64::new(0));
        let counter = steps.clone();
        let count = move || {
            counter.fetch_add(1, Ordering::Relaxed);
            false
        };
        connection.progress_handler(1, Some(count)).unwrap();
        Self {
            ids: SealedIds::of(&connection).unwrap(),
            connection,
            sealer,
            targets: Targets::default(),
            steps,
            _folder: folder,
        }
    }

    /// A webhook for the events of its own account.
    pub(super) fn add_webhook(&self, id: &str) {
        let webhook = Webhook {
            provider: ProviderName::new("equals-money"),
            id: id.to_owned(),
            owner: "product".to_owned(),
            account_id: Some(id.to_owned()),
            url: ReceiverUrl::from_stored("https://example.com".to_owned()),
            event_types: vec!["a".to_owned()],
            enabled: true,
            signing_secret: None,
            authorization: None,
            created_at: at(0),
            updated_at: at(0),
        };
        webhooks::insert_webhook(&self.connection, &self.sealer, &webhook).unwrap();
    }

    /// Stores `count` events of an account at this second.
    pub(super) fn publish(&self, account: &str, count: u64, second: i64) {
        self.connection.execute_batch("BEGIN").unwrap();
        for number in 0..count {
            let id = format!("{account} {second} {number}");
            let publication = Publication {
                event: Event {
                    id: id.clone(),
                    provider: ProviderName::new("equals-money"),
                    event_type: "a".to_owned(),
                    owner: None,
                    account_id: Some(account.to_owned()),
                    data: "{}".to_owned(),
                    sequence: 0,
                    created_at: at(second),
                    trace: None,
                },
                audience: Audience::Account,
                idempotency: Some(Idempotency {
                    caller: "caller".to_owned(),
                    key: id,
                    request: Fingerprint::of(b""),
                }),
                slots: Arc::new(Never),
                steady: at(second),
                lease: SignedDuration::from_secs(30),
            };
            publish::publish(
                &self.connection,
                &self.ids,
                &Matching::default(),
                &publication,
                NotMatched::default(),
            )
            .unwrap();
        }
        self.connection.execute_batch("COMMIT").unwrap();
    }

    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// How many steps `verb` takes.
    fn cost<T>(&self, verb: impl FnOnce(&Connection) -> T) -> (u64, T) {
        let before = self.steps.load(Ordering::Relaxed);
        let result = verb(&self.connection);
        (self.steps.load(Ordering::Relaxed) - before, result)
    }

    fn claim(&self, saturated: i64, limit: usize, second: i64) -> (u64, claim::ClaimedRows) {
        let terms = ClaimTerms {
            slots: Arc::new(AllBut(saturated)),
            limit,
            lease: SignedDuration::from_secs(30),
            at: Moment {
                now: at(second),
                steady: at(second),
            },
            gives_up_at: Arc::new(|_, _| Timestamp::MAX),
        };
        self.cost(|connection| claim::claim(connection, &self.ids, &self.targets, &terms).unwrap())
    }

    fn finish_all(&self, second: i64) {
        let (_, claimed) = self.claim(0, 100_000, second);
        self.connection.execute_batch("BEGIN").unwrap();
        for row in claimed.rows {
            let due = row.open(&self.sealer, &self.ids).unwrap();
            let result = AttemptResult {
                delivery: due.id,
                number: due.number,
                lane: due.target.lane,
                attempt: Attempt {
                    number: due.attempt,
                    started_at: at(second),
                    timing: Timing::default(),
                    request_headers: Vec::new(),
                    outcome: Outcome::TimedOut { status: None },
                    response_headers: Vec::new(),
                    response_body: Vec::new(),
                    response_truncated: false,
                },
                next: Next::Delivered,
                now: at(second),
            };
            let shaped = queue::ShapedResult::of(Arc::new(result));
            let rows = [shaped.row(&self.ids, &Shapes::default()).unwrap()];
            assert_eq!(
                queue::record(&self.connection, &rows).unwrap(),
                [Recorded::Yes]
            );
        }
        self.connection.execute_batch("COMMIT").unwrap();
    }
}

/// The steps of the same work beside little and beside much.
fn little_and_much(work: impl Fn(&Subject, u64) -> u64) -> (u64, u64) {
    let cost = |stored| work(&Subject::new(), stored);
    (cost(20), cost(400))
}

#[test]
fn a_publication_costs_the_same_however_many_webhooks_others_have_for_its_type() {
    let (little, much) = little_and_much(|subject, others| {
        subject.add_webhook("its own");
        for other in 0..others {
            subject.add_webhook(&format!("other {other}"));
        }
        let (steps, ()) = subject.cost(|_| subject.publish("its own", 1, 1));
        assert_eq!(subject.claim(0, 10, 1).1.rows.len(), 1);
        steps
    });
    assert_eq!(little, much);
}

#[test]
fn a_claim_costs_the_same_however_long_the_queue_of_a_webhook_without_slots_is() {
    let (little, much) = little_and_much(|subject, stored| {
        subject.add_webhook("slow");
        subject.add_webhook("quick");
        subject.publish("slow", stored, 1);
        subject.publish("quick", 10, 2);
        let (steps, claimed) = subject.claim(1, 100, 9);
        assert_eq!((claimed.rows.len(), claimed.left), (10, vec![1]));
        steps
    });
    assert_eq!(little, much);
}

#[test]
fn a_claim_costs_the_same_however_many_deliveries_it_leaves() {
    let (little, much) = little_and_much(|subject, stored| {
        subject.add_webhook("1");
        subject.publish("1", stored, 1);
        let (steps, claimed) = subject.claim(0, 10, 9);
        assert_eq!(claimed.rows.len(), 10);
        steps
    });
    assert_eq!(little, much);
}

#[test]
fn a_claim_costs_the_same_however_much_was_delivered_before() {
    let (little, much) = little_and_much(|subject, stored| {
        subject.add_webhook("1");
        subject.publish("1", stored, 1);
        subject.finish_all(2);
        subject.publish("1", 10, 3);
        let (steps, claimed) = subject.claim(0, 10, 9);
        assert_eq!(claimed.rows.len(), 10);
        steps
    });
    assert_eq!(little, much);
}

#[test]
fn a_claim_costs_the_same_however_much_is_being_attempted() {
    let (little, much) = little_and_much(|subject, stored| {
        subject.add_webhook("1");
        subject.publish("1", stored, 1);
        assert_eq!(subject.claim(0, 1_000, 2).1.rows.len() as u64, stored);
        subject.publish("1", 10, 3);
        let (steps, claimed) = subject.claim(0, 10, 9);
        assert_eq!(claimed.rows.len(), 10);
        steps
    });
    assert_eq!(little, much);
}

#[test]
fn a_webhook_is_deleted_at_the_same_cost_however_many_deliveries_others_have() {
    let (little, much) = little_and_much(|subject, stored| {
        subject.add_webhook("1");
        subject.add_webhook("2");
        subject.publish("1", stored, 1);
        let key = key("2");
        let (steps, deleted) = subject.cost(|connection| {
            webhooks::delete_webhook(connection, &key, OnDelete::CancelPending, at(2)).unwrap()
        });
        assert!(deleted.is_some());
        steps
    });
    assert_eq!(little, much);
}

#[test]
fn a_webhook_is_deleted_at_the_same_cost_however_many_of_its_deliveries_have_ended() {
    let (little, much) = little_and_much(|subject, stored| {
        subject.add_webhook("1");
        subject.publish("1", stored, 1);
        subject.finish_all(2);
        subject.publish("1", 4, 3);
        assert_eq!(subject.claim(0, 2, 4).1.rows.len(), 2);
        let key = key("1");
        let (steps, deleted) = subject.cost(|connection| {
            webhooks::delete_webhook(connection, &key, OnDelete::CancelPending, at(5)).unwrap()
        });
        assert!(deleted.is_some());
        assert_eq!(subject.claim(0, 10, 1_000).1.rows.len(), 0, "it goes on");
        steps
    });
    assert_eq!(little, much);
}

#[test]
fn a_step_of_a_purge_costs_the_same_however_much_is_old() {
    let (little, much) = little_and_much(|subject, stored| {
        subject.add_webhook("1");
        subject.publish("1", stored, 1);
        subject.finish_all(2);
        let terms = PurgeTerms {
            events_before: at(3),
            keys_before: at(3),
            after: 0,
            limit: 10,
        };
        let (steps, purged) = subject.cost(|connection| jobs::purge(connection, &terms).unwrap());
        assert_eq!(purged.events, 10);
        steps
    });
    assert_eq!(little, much);
}

#[test]
fn the_last_step_of_a_purge_costs_the_same_however_much_is_young() {
    let (little, much) = little_and_much(|subject, stored| {
        subject.add_webhook("1");
        subject.add_webhook("2");
        subject.publish("2", 10, 1);
        subject.publish("1", stored, 5);
        subject.finish_all(6);
        let key = key("2");
        webhooks::delete_webhook(&subject.connection, &key, OnDelete::CancelPending, at(7))
            .unwrap();
        let terms = PurgeTerms {
            events_before: at(5),
            keys_before: at(2),
            after: 0,
            limit: 15,
        };
        let (steps, purged) = subject.cost(|connection| jobs::purge(connection, &terms).unwrap());
        assert_eq!((purged.events, purged.next), (10, None));
        steps
    });
    assert_eq!(little, much);
}

#[test]
fn the_deliveries_of_an_event_or_a_webhook_are_listed_at_the_same_cost_beside_many_others() {
    for (webhook_id, event_id) in [(Some("1"), None), (None, Some("1 1 0")), (None, None)] {
        let (little, much) = little_and_much(|subject, stored| {
            subject.add_webhook("1");
            subject.add_webhook("2");
            subject.publish("1", 1, 1);
            subject.publish("2", stored, 2);
            let filter = DeliveryFilter {
                webhook_id: webhook_id.map(str::to_owned),
                event_id: event_id.map(str::to_owned),
                ..DeliveryFilter::default()
            };
            let page = NumberPage {
                before: None,
                limit: 10,
            };
            let ids = &subject.ids;
            let (steps, found) = subject
                .cost(|connection| deliveries::deliveries(connection, ids, &filter, page).unwrap());
            assert!(!found.rows.is_empty());
            steps
        });
        assert_eq!(little, much, "{webhook_id:?} {event_id:?}");
    }
}
