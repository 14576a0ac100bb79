//! The real store under seeded random schedules, held to the state machine of the lease: what it claims, what it records, and what it
//! refuses. Time is an argument of the store, so a schedule of minutes takes no time.
//!
//! A schedule publishes, claims, records, gives back, takes back, retries by hand, lets time pass, and loses processes: their attempts,
//! or the whole process, with the file as it is at that moment. In the end everything must have been delivered, and the history of each
//! delivery must be the one that the machine has.
//!
//! A failure names its seed. `TRUEHOOK_SCHEDULES_SEED` begins with that, `TRUEHOOK_SCHEDULES` says how many are run;
//! `scripts/schedules` runs a million.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use jiff::SignedDuration;
use tempfile::TempDir;
use uuid::Uuid;

use super::super::contract::{
    KEY, Lanes, all, at, attempt, event, publication, slots, stored, terms, webhook,
};
use super::super::postgres::cluster;
use super::super::{
    AttemptResult, ClaimTerms, DeliveryFilter, EncryptionKey, PostgresAddress, PostgresStore,
    Publication, Purpose, Recorded, Retried, SqliteStore, Store,
};
use super::{ALL, ByHand, Delivery, LEASE, State, Then};
use crate::domain::{DeliveryState, DueDelivery, Next};

/// How many schedules one file has: they do not see each other, as each begins where the one before has delivered everything.
const FOR_ONE_STORE: u64 = 250;

/// How many steps a schedule has.
const STEPS: u64 = 14;

/// How many webhooks every event is for.
const WEBHOOKS: usize = 2;

/// A sequence of numbers that its seed decides: splitmix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn up_to(&mut self, most: i64) -> i64 {
        i64::try_from(self.below(most.unsigned_abs() + 1)).unwrap()
    }

    fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).unwrap()
    }
}

/// Where a store lives, so that its process can be lost.
trait Home {
    fn store(&self) -> &dyn Store;

    /// Ends the process without a word, and starts another one.
    fn lose_process(&mut self);
}

/// A file in a folder.
struct File {
    folder: TempDir,
    store: SqliteStore,
}

impl File {
    fn new() -> Self {
        let folder = folder();
        let store = Self::open(folder.path());
        Self { folder, store }
    }

    fn open(folder: &Path) -> SqliteStore {
        let key = EncryptionKey::from_hex(KEY).unwrap().into();
        let path = folder.join("t.db");
        SqliteStore::open(&path, &key, Purpose::Sandbox, Arc::default()).unwrap()
    }
}

/// In memory where there is such a folder: no power is lost here.
fn folder() -> TempDir {
    tempfile::tempdir_in("/dev/shm").unwrap_or_else(|_| tempfile::tempdir().unwrap())
}

impl Home for File {
    fn store(&self) -> &dyn Store {
        &self.store
    }

    fn lose_process(&mut self) {
        // What a killed process leaves: the file and its log, as they are now.
        let copy = folder();
        for name in ["t.db", "t.db-wal"] {
            std::fs::copy(self.folder.path().join(name), copy.path().join(name)).unwrap();
        }
        self.store = Self::open(copy.path());
        self.folder = copy;
    }
}

/// A schema of a PostgreSQL server.
struct Schema {
    url: String,
    store: PostgresStore,
}

impl Schema {
    fn new() -> Self {
        let url = cluster::new_schema();
        let store = Self::open(&url);
        Self { url, store }
    }

    fn open(url: &str) -> PostgresStore {
        let address = PostgresAddress::new(url, None).unwrap();
        let key = EncryptionKey::from_hex(KEY).unwrap().into();
        PostgresStore::open(&address, &key, Purpose::Sandbox, Arc::default()).unwrap()
    }
}

impl Home for Schema {
    fn store(&self) -> &dyn Store {
        &self.store
    }

    fn lose_process(&mut self) {
        self.store = Self::open(&self.url);
    }
}

/// A schedule while it runs.
struct Run<'h> {
    home: &'h mut dyn Home,
    random: Random,
    seed: u64,
    now: i64,
    deliveries: HashMap<Uuid, Delivery>,
    /// Their ids in the order of publication: an id is another in each run.
    order: Vec<Uuid>,
    /// Attempts that some process has claimed and not ended.
    hands: Vec<DueDelivery>,
    events: u64,
    log: Vec<String>,
}

impl Run<'_> {
    fn model(&mut self, id: Uuid) -> &mut Delivery {
        self.deliveries.get_mut(&id).expect("it was published")
    }

    async fn step(&mut self) {
        match self.random.below(16) {
            0..=2 => self.publish().await,
            3..=5 => self.claim_some().await,
            6 => self.claim_all().await,
            7..=9 => self.record().await,
            10 => self.release().await,
            11 => self.postpone().await,
            12 => self.retry().await,
            13 => self.crash(),
            _ => {
                self.now += 1 + self.random.up_to(LEASE);
                self.log.push(format!("now {}", self.now));
            }
        }
    }

    async fn publish(&mut self) {
        let id = format!("{}-{}", self.seed, self.events);
        self.events += 1;
        let lanes = slots(self.random.index(WEBHOOKS + 1), 1);
        let publication = Publication {
            lease: SignedDuration::from_secs(LEASE),
            ..publication(event(&id, self.now), &lanes)
        };
        let (receipt, claimed, waiting) =
            stored(self.home.store().publish(publication).await.unwrap());
        assert_eq!(receipt.deliveries, WEBHOOKS as u64);
        assert_eq!(claimed.len() + waiting.len(), WEBHOOKS);
        let filter = DeliveryFilter {
            event_id: Some(id.clone()),
            ..DeliveryFilter::default()
        };
        let listed = self.home.store().deliveries(filter, all()).await.unwrap();
        assert_eq!(listed.rows.len(), WEBHOOKS);
        for found in listed.rows {
            self.deliveries
                .insert(found.id, Delivery::waiting(self.now));
            self.order.push(found.id);
        }
        for due in &claimed {
            assert_eq!(due.attempt, 1);
            *self.model(due.id) = Delivery::under_way(self.now);
        }
        self.log.push(format!(
            "publish {id}: {:?} from memory",
            claimed.iter().map(|due| due.id).collect::<Vec<_>>()
        ));
        self.hands.extend(claimed);
    }

    /// Claims once, and takes what comes; says when to claim again.
    async fn claim(&mut self, lanes: &Arc<Lanes>, limit: usize) -> Option<i64> {
        let terms = ClaimTerms {
            limit,
            lease: SignedDuration::from_secs(LEASE),
            ..terms(lanes, self.now)
        };
        let claimed = self.home.store().claim(terms).await.unwrap();
        assert!(claimed.due.len() <= limit);
        self.log.push(format!(
            "claim of {limit}: {} found, {:?} without a slot, next at {:?}",
            claimed.due.len(),
            claimed.left,
            claimed.next_due_at
        ));
        let now = self.now;
        for due in &claimed.due {
            self.log.push(format!("claim {} {}", due.id, due.attempt));
            let model = self.model(due.id);
            assert!(model.is_claimable(now), "claimed: {:?}, {model:?}", due.id);
            assert_eq!(model.claim(now), due.attempt, "{:?}", due.id);
        }
        self.hands.extend(claimed.due);
        let next = claimed.next_due_at?;
        Some(next.duration_since(at(0)).as_secs())
    }

    async fn claim_some(&mut self) {
        let lanes = slots(1 + self.random.index(4), 1 + self.random.index(3));
        let limit = 1 + self.random.index(4);
        self.claim(&lanes, limit).await;
    }

    /// Claims until nothing is due: then nothing may be left that is.
    async fn claim_all(&mut self) {
        let lanes = slots(1_000, 1_000);
        let mut next = Some(self.now);
        let mut rounds = 0;
        while next.is_some_and(|next| next <= self.now) {
            next = self.claim(&lanes, 3).await;
            rounds += 1;
            assert!(rounds < 1_000, "it is always to be claimed again at once");
        }
        let pending = self.deliveries.values();
        let pending = pending.filter(|delivery| delivery.state == State::Pending);
        let earliest = pending.map(|delivery| delivery.due).min();
        if let Some(earliest) = earliest {
            assert!(earliest > self.now, "something is due and not claimed");
            assert!(
                next.is_some_and(|next| next <= earliest),
                "due at {earliest}, and to be claimed again at {next:?}"
            );
        }
    }

    async fn record(&mut self) {
        let count = self.hands.len().min(1 + self.random.index(3));
        let mut results = Vec::new();
        let mut expected = Vec::new();
        for _ in 0..count {
            let place = self.random.index(self.hands.len());
            let then = match self.random.below(4) {
                0 | 1 => Then::Delivered,
                2 => Then::RetryAt(self.now + 1 + self.random.up_to(2)),
                _ => Then::Exhausted,
            };
            // The process may not hear that it was recorded, and then says so again.
            let due = if self.random.below(6) == 0 {
                self.hands[place].clone()
            } else {
                self.hands.swap_remove(place)
            };
            self.log
                .push(format!("record {} {} {then:?}", due.id, due.attempt));
            let in_time = self.model(due.id).record(due.attempt, then, ALL);
            expected.push(if in_time {
                Recorded::Yes
            } else {
                Recorded::TooLate
            });
            results.push(result(&due, then));
            if self.hands.is_empty() {
                break;
            }
        }
        let recorded = self.home.store().record(results).await;
        assert!(recorded.error.is_none(), "{recorded:?}");
        assert_eq!(recorded.each, expected);
    }

    fn any_hand(&mut self) -> Option<DueDelivery> {
        if self.hands.is_empty() {
            return None;
        }
        let place = self.random.index(self.hands.len());
        Some(self.hands.swap_remove(place))
    }

    async fn release(&mut self) {
        let Some(due) = self.any_hand() else { return };
        self.log.push(format!("release {} {}", due.id, due.attempt));
        let now = self.now;
        self.model(due.id).release(due.attempt, now);
        let claimed = vec![(due.id, due.attempt)];
        self.home.store().release(claimed, at(now)).await.unwrap();
    }

    async fn postpone(&mut self) {
        let Some(due) = self.any_hand() else { return };
        let until = self.now + self.random.up_to(2);
        self.log
            .push(format!("postpone {} {} to {until}", due.id, due.attempt));
        self.model(due.id).postpone(due.attempt, until);
        let claimed = vec![(due.id, due.attempt)];
        let store = self.home.store();
        store.postpone(claimed, at(until)).await.unwrap();
    }

    async fn retry(&mut self) {
        if self.order.is_empty() {
            return;
        }
        let id = self.order[self.random.index(self.order.len())];
        let now = self.now;
        let expected = self.model(id).retry(now);
        self.log.push(format!("retry {id}: {expected:?}"));
        let retried = self.home.store().retry(id, at(now)).await.unwrap();
        match expected {
            ByHand::Due => assert!(matches!(retried, Retried::Due(_)), "{retried:?}"),
            ByHand::UnderWay => assert!(matches!(retried, Retried::UnderWay), "{retried:?}"),
        }
    }

    fn crash(&mut self) {
        if self.random.below(30) == 0 {
            self.log.push("the process is lost".to_owned());
            self.hands.clear();
            self.home.lose_process();
        } else {
            // One of several processes: some attempts are lost, others are not.
            let lost: Vec<bool> = self
                .hands
                .iter()
                .map(|_| self.random.below(2) == 0)
                .collect();
            let mut lost = lost.into_iter();
            self.hands.retain(|_| !lost.next().unwrap());
            self.log
                .push(format!("{} attempts are left", self.hands.len()));
        }
    }

    /// Nothing goes wrong any more.
    async fn end(&mut self) {
        self.hands.clear();
        loop {
            self.claim_all().await;
            let claimed = std::mem::take(&mut self.hands);
            let mut results = Vec::new();
            for due in claimed {
                assert!(self.model(due.id).record(due.attempt, Then::Delivered, ALL));
                results.push(result(&due, Then::Delivered));
            }
            let recorded = self.home.store().record(results).await;
            assert!(recorded.each.iter().all(|one| *one == Recorded::Yes));
            let pending = self.deliveries.values();
            let pending = pending.filter(|delivery| delivery.state == State::Pending);
            match pending.map(|delivery| delivery.due).min() {
                Some(due) => self.now = due,
                None => break,
            }
        }
        for (id, model) in &self.deliveries {
            let found = self.home.store().delivery(*id).await.unwrap().unwrap();
            let state = match model.state {
                State::Pending => DeliveryState::Pending,
                State::Delivered => DeliveryState::Delivered,
                State::Exhausted => DeliveryState::Exhausted,
            };
            assert_eq!(found.delivery.state, state, "{id}");
            assert_eq!(found.delivery.attempts, model.attempts, "{id}");
            let recorded: Vec<u32> = found
                .attempts
                .iter()
                .map(|attempt| attempt.number)
                .collect();
            let expected: Vec<u32> = (1..64)
                .filter(|attempt| model.recorded & (1 << attempt) != 0)
                .collect();
            assert_eq!(recorded, expected, "{id}");
        }
    }
}

fn result(due: &DueDelivery, then: Then) -> Arc<AttemptResult> {
    Arc::new(AttemptResult {
        delivery: due.id,
        number: due.number,
        lane: due.target.lane,
        attempt: attempt(due.attempt),
        next: match then {
            Then::Delivered => Next::Delivered,
            Then::Exhausted => Next::Exhausted,
            Then::RetryAt(second) => Next::RetryAt(at(second)),
        },
        now: at(1),
    })
}

/// Says which schedule failed, and what it had done.
struct Told<'t, 'h> {
    run: &'t mut Run<'h>,
    first: u64,
}

impl Drop for Told<'_, '_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!(
                "schedule {} failed: TRUEHOOK_SCHEDULES_SEED={} TRUEHOOK_SCHEDULES={} TRUEHOOK_SCHEDULES_THREADS=1 runs it after those that \
                 had the same store\n{:#?}",
                self.run.seed,
                self.first,
                self.run.seed - self.first + 1,
                self.run.log
            );
        }
    }
}

/// Runs schedules, as many of them in one store as fit.
fn run(home: impl Fn() -> Box<dyn Home>, seeds: std::ops::Range<u64>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut seeds = seeds.peekable();
    while let Some(first) = seeds.peek().copied() {
        let mut home = home();
        let mut now = 0;
        runtime.block_on(async {
            for number in 0..WEBHOOKS {
                let webhook = webhook(&number.to_string());
                home.store().insert_webhook(webhook).await.unwrap();
            }
            for seed in seeds.by_ref().take(usize::try_from(FOR_ONE_STORE).unwrap()) {
                let mut run = Run {
                    home: &mut *home,
                    random: Random(seed),
                    seed,
                    now,
                    deliveries: HashMap::new(),
                    order: Vec::new(),
                    hands: Vec::new(),
                    events: 0,
                    log: Vec::new(),
                };
                let told = Told {
                    run: &mut run,
                    first,
                };
                for _ in 0..STEPS {
                    told.run.step().await;
                }
                told.run.end().await;
                now = told.run.now + LEASE;
            }
        });
    }
}

fn from_environment(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is no number: {text}")),
    )
}

/// The schedules to run: the same each time, unless others are asked for.
fn seeds(count: u64) -> std::ops::Range<u64> {
    let first = from_environment("TRUEHOOK_SCHEDULES_SEED").unwrap_or(0);
    first..first + from_environment("TRUEHOOK_SCHEDULES").unwrap_or(count)
}

#[test]
fn a_file_keeps_the_promises_of_the_lease_under_every_schedule() {
    let seeds = seeds(500);
    let threads = from_environment("TRUEHOOK_SCHEDULES_THREADS").unwrap_or(1);
    let share = (seeds.end - seeds.start).div_ceil(threads);
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let first = seeds.start + thread * share;
            let part = first..(first + share).min(seeds.end);
            scope.spawn(move || run(|| Box::new(File::new()), part));
        }
    });
}

#[test]
fn a_database_that_nodes_share_keeps_the_promises_of_the_lease_under_every_schedule() {
    let seeds = seeds(40);
    let end = seeds.end.min(seeds.start + 1_000);
    run(|| Box::new(Schema::new()), seeds.start..end);
}
