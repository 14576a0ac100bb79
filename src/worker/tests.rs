//! The worker over a real store and real sockets, where an attempt goes wrong on our side.

mod changes;

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use rustls::RootCertStore;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::sender::{Resolve, SenderSettings, SystemResolver};
use super::*;
use crate::clock::tests::Machine;
use crate::domain::{AddressPolicy, Audience, DeliveryState, Event, ReceiverUrl, Secret, Webhook};
use crate::provider::conduit;
use crate::provider::fixtures::BUILT;
use crate::storage::{
    DeliveryFilter, DeliveryHistory, EncryptionKey, NumberPage, Publication, Published, Purpose,
    SqliteStore,
};

const PATIENCE: Duration = Duration::from_secs(60);

/// Panics until it is told not to: nothing that a receiver can do is known to make an attempt panic.
struct Panics(AtomicBool);

#[async_trait]
impl Resolve for Panics {
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        assert!(!self.0.load(Ordering::SeqCst), "the resolver panics");
        SystemResolver.resolve(name).await
    }
}

struct Subject {
    worker: Arc<Worker>,
    store: Arc<dyn Store>,
    metrics: Arc<Metrics>,
    _folder: TempDir,
}

impl Subject {
    fn start(resolver: Arc<dyn Resolve>) -> Self {
        Self::start_at(Clock::real(), resolver)
    }

    fn start_at(clock: Clock, resolver: Arc<dyn Resolve>) -> Self {
        Self::start_with(clock, resolver, Lanes::new(4, 4))
    }

    fn start_with(clock: Clock, resolver: Arc<dyn Resolve>, lanes: Lanes) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let metrics = Arc::new(Metrics::default());
        let key = EncryptionKey::from_hex(&"01".repeat(32)).unwrap();
        let path = folder.path().join("t.db");
        let store: Arc<dyn Store> = Arc::new(
            SqliteStore::open(&path, &key.into(), Purpose::Sandbox, metrics.clone()).unwrap(),
        );
        let policy = AddressPolicy {
            loopback: true,
            http: true,
            ..AddressPolicy::default()
        };
        let settings = WorkerSettings {
            providers: BUILT.clone(),
            store: store.clone(),
            clock,
            sender: Sender::new(SenderSettings {
                resolver,
                ..SenderSettings::new(Arc::new(policy), RootCertStore::empty())
            }),
            lanes: Arc::new(lanes),
            metrics: metrics.clone(),
            traces: Traces::default(),
            lease: Duration::from_secs(12),
            retention: None,
            attempts: true,
        };
        Self {
            worker: Worker::start(settings, tokio::runtime::Handle::current()),
            store,
            metrics,
            _folder: folder,
        }
    }

    fn now(&self) -> Timestamp {
        self.worker.settings.clock.now()
    }

    async fn add_webhook(&self, url: &str) {
        let now = self.now();
        let webhook = Webhook {
            provider: conduit::NAME,
            id: "whk_1".to_owned(),
            owner: "o".to_owned(),
            account_id: None,
            url: ReceiverUrl::from_stored(url.to_owned()),
            enabled: true,
            event_types: vec!["customer.active".to_owned()],
            signing_secret: Some(Secret::new("s")),
            authorization: None,
            created_at: now,
            updated_at: now,
        };
        self.store.insert_webhook(webhook).await.unwrap();
    }

    async fn publish(&self, id: &str) {
        let known = self.store.webhook_changes().known();
        let (claimed, waiting) = self.store_event(id).await;
        self.worker.published(claimed, waiting, known).await;
    }

    /// Publishes an event; gives the deliveries that are claimed for this process, and the webhooks of the others.
    async fn store_event(&self, id: &str) -> (Vec<DueDelivery>, Vec<i64>) {
        let event = Event {
            id: id.to_owned(),
            provider: conduit::NAME,
            event_type: "customer.active".to_owned(),
            owner: Some("o".to_owned()),
            account_id: None,
            data: "{}".to_owned(),
            sequence: 0,
            created_at: self.now(),
            trace: None,
        };
        let publication = Publication {
            event,
            audience: Audience::Owner,
            idempotency: None,
            slots: self.worker.slots(),
            steady: self.worker.settings.clock.steady(),
            lease: self.worker.lease(),
        };
        match self.store.publish(publication).await.unwrap() {
            Published::Stored {
                claimed, waiting, ..
            } => (claimed, waiting),
            other => panic!("not stored: {other:?}"),
        }
    }

    async fn histories(&self) -> Vec<DeliveryHistory> {
        let page = NumberPage {
            before: None,
            limit: 100,
        };
        let listed = self.store.deliveries(DeliveryFilter::default(), page).await;
        let mut all = Vec::new();
        for delivery in listed.unwrap().rows {
            all.extend(self.store.delivery(delivery.id).await.unwrap());
        }
        all
    }

    /// Waits until every delivery is as wanted.
    async fn all_become(&self, wanted: impl Fn(&DeliveryHistory) -> bool) -> Vec<DeliveryHistory> {
        let began = Instant::now();
        loop {
            let all = self.histories().await;
            if all.iter().all(&wanted) {
                return all;
            }
            assert!(began.elapsed() < PATIENCE, "{all:#?}");
            tokio::task::yield_now().await;
        }
    }

    fn metric(&self, name: &str) -> f64 {
        let text = self.metrics.text(crate::metrics::Format::wanted(&[]), None);
        let text = text.unwrap();
        let mut lines = text.lines();
        let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value
            .unwrap_or_else(|| panic!("no {name} in {text}"))
            .parse()
            .unwrap()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attempts_that_panic_keep_no_slot_and_no_stop_waits_for_them() {
    let panics = Arc::new(Panics(AtomicBool::new(true)));
    let subject = Subject::start(panics.clone());
    subject.add_webhook("http://receiver.test/").await;
    // Twice as many as there are slots.
    for number in 0..8 {
        subject.publish(&number.to_string()).await;
    }
    let all = subject
        .all_become(|history| history.delivery.attempts == 1)
        .await;
    assert_eq!(all.len(), 8);
    // All slots at once: one that is being claimed for is taken too.
    let lanes = &subject.worker.settings.lanes;
    let began = Instant::now();
    loop {
        let taken: Vec<i64> = (90..94).filter(|lane| lanes.take(*lane)).collect();
        let counted = subject.metric("truehook_attempts_in_flight");
        if taken.len() == 4 && subject.worker.under_way().is_empty() && counted == 0.0 {
            break;
        }
        for lane in taken {
            lanes.give_back(lane);
        }
        assert!(began.elapsed() < PATIENCE, "an attempt is still counted");
        tokio::task::yield_now().await;
    }
    let began = Instant::now();
    subject.worker.stop(PATIENCE).await;
    assert!(
        began.elapsed() < PATIENCE,
        "the stop waited to its deadline"
    );
    for history in subject.histories().await {
        assert_eq!(history.delivery.state, DeliveryState::Pending);
        assert!(history.attempts.is_empty(), "{history:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_part_of_the_worker_that_panics_is_started_again_until_it_ends() {
    let subject = Subject::start(Arc::new(SystemResolver));
    let (began, mut begin) = tokio::sync::mpsc::unbounded_channel();
    let count = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counter = count.clone();
    subject.worker.keep_going("test", move |_| {
        let (began, turn) = (began.clone(), counter.fetch_add(1, Ordering::SeqCst));
        async move {
            began.send(turn).unwrap();
            assert!(turn >= 2, "the first two turns panic");
        }
    });
    for turn in 0..3 {
        assert_eq!(begin.recv().await, Some(turn));
    }
    // The third turn has ended without a panic, and with it the last sender.
    assert_eq!(begin.recv().await, None);
    assert_eq!(count.load(Ordering::SeqCst), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_attempt_whose_lease_ended_before_it_began_is_left_to_the_next_claim() {
    let machine = Machine::at("2026-01-01T00:00:00Z".parse().unwrap());
    let subject = Subject::start_at(machine.clock(1.0, None), Arc::new(SystemResolver));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let (requests, mut received) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            assert!(stream.read(&mut [0; 8_192]).await.unwrap() > 0);
            requests.send(()).unwrap();
            let answer = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
            stream.write_all(answer).await.unwrap();
        }
    });
    subject.add_webhook(&url).await;
    let known = subject.store.webhook_changes().known();
    let (claimed, _) = subject.store_event("e").await;
    assert_eq!(claimed.len(), 1);
    // The process stands still for longer than the lease.
    machine.pass(Duration::from_secs(13));
    subject.worker.published(claimed, Vec::new(), known).await;
    let all = subject
        .all_become(|history| history.delivery.state == DeliveryState::Delivered)
        .await;
    let numbers: Vec<u32> = all[0]
        .attempts
        .iter()
        .map(|attempt| attempt.number)
        .collect();
    assert_eq!(numbers, [2]);
    subject.worker.stop(PATIENCE).await;
    assert_eq!(received.recv().await, Some(()));
    assert!(
        received.try_recv().is_err(),
        "the first attempt was made too"
    );
}

/// A receiver that answers nothing until it is opened, and counts the requests.
struct Closed {
    url: String,
    requests: mpsc::UnboundedReceiver<()>,
    opened: Arc<tokio::sync::Semaphore>,
}

impl Closed {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let opened = Arc::new(tokio::sync::Semaphore::new(0));
        let (requested, requests) = mpsc::unbounded_channel();
        let open = opened.clone();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (requested, open) = (requested.clone(), open.clone());
                tokio::spawn(async move {
                    if !matches!(stream.read(&mut [0; 8_192]).await, Ok(1..)) {
                        return;
                    }
                    let _ = requested.send(());
                    let _open = open.acquire().await;
                    let answer =
                        b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
                    let _ = stream.write_all(answer).await;
                });
            }
        });
        Self {
            url,
            requests,
            opened,
        }
    }

    fn open(&self) {
        self.opened.add_permits(1_000);
    }
}

impl Subject {
    /// Publishes six events to a receiver that has two slots and answers nothing yet: the other four stand in line, as it was quick.
    async fn with_a_line(receiver: &mut Closed) -> Self {
        let subject = Self::start_with(
            Clock::real(),
            Arc::new(SystemResolver),
            Lanes::new(64, 2).with_target_delay(Duration::from_secs(1), 64),
        );
        subject.add_webhook(&receiver.url).await;
        for number in 0..6 {
            let known = subject.store.webhook_changes().known();
            let (claimed, waiting) = subject.store_event(&number.to_string()).await;
            assert!(waiting.is_empty(), "{number} waits in the queue");
            let lane = claimed[0].target.lane;
            subject.worker.published(claimed, waiting, known).await;
            if number == 1 {
                receiver.requests.recv().await.unwrap();
                receiver.requests.recv().await.unwrap();
            }
            // On a slow machine the line may have been dissolved meanwhile.
            let quick = Duration::from_millis(1);
            subject.worker.settings.lanes.answered(lane, quick, true);
        }
        subject
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_stands_in_line_for_a_receiver_that_hangs_goes_to_the_queue_and_is_attempted_once() {
    let mut receiver = Closed::start().await;
    let subject = Subject::with_a_line(&mut receiver).await;
    let began = Instant::now();
    while subject.worker.under_way().len() > 2 {
        assert!(began.elapsed() < PATIENCE, "they stand in line still");
        tokio::task::yield_now().await;
    }
    assert!(
        receiver.requests.try_recv().is_err(),
        "more than two at once"
    );
    receiver.open();
    let all = subject
        .all_become(|history| history.delivery.state == DeliveryState::Delivered)
        .await;
    assert_eq!(all.len(), 6);
    for history in all {
        let numbers: Vec<u32> = history.attempts.iter().map(|one| one.number).collect();
        assert_eq!(numbers, [1], "{history:?}");
        assert_eq!(
            history.delivery.attempts, 1,
            "one was counted that was not made"
        );
    }
    let pressure = subject.worker.settings.lanes.pressure();
    assert!(
        pressure.begin_correction().is_empty(),
        "they are counted still"
    );
    for _ in 2..6 {
        receiver.requests.recv().await.unwrap();
    }
    assert!(receiver.requests.try_recv().is_err(), "one was sent twice");
    subject.worker.stop(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_stands_in_line_at_a_stop_is_given_back_and_not_attempted() {
    let mut receiver = Closed::start().await;
    let subject = Subject::with_a_line(&mut receiver).await;
    subject.worker.stop(Duration::ZERO).await;
    let all = subject.histories().await;
    for history in &all {
        assert_eq!(history.delivery.state, DeliveryState::Pending);
        assert!(history.attempts.is_empty(), "{history:?}");
    }
    let begun = all
        .iter()
        .map(|history| history.delivery.attempts)
        .sum::<u32>();
    assert_eq!(begun, 2, "attempts that were not made are counted");
    receiver.open();
    let began = Instant::now();
    while !subject.worker.settings.lanes.is_unused() {
        assert!(began.elapsed() < PATIENCE, "a slot is held");
        tokio::task::yield_now().await;
    }
    assert!(
        receiver.requests.try_recv().is_err(),
        "one began after the stop"
    );
}
