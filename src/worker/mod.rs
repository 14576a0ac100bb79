//! The worker: due delivery -> claim -> sign -> send -> record. It holds the only outbound socket.
//!
//! A claim moves a delivery's due time forward by a lease and counts the attempt; a result is recorded only while no later attempt was
//! claimed. So a process that dies in an attempt needs no rescuer: the delivery falls due again. A delivery that a publisher got a slot for
//! is attempted straight from memory; its row guards it all the same.

mod attempt;
mod lanes;
mod line;
mod pressure;
mod results;
mod rotation;
pub(crate) mod sender;
#[cfg(test)]
mod tests;
mod throttle;
mod time;
mod upkeep;

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Notify, mpsc};
use tracing::Instrument;
use uuid::Uuid;

use self::lanes::WithPlaces;
pub(crate) use self::pressure::Overloaded;
pub use self::sender::RootsError;
use self::sender::Sender;
use self::throttle::Throttle;
use crate::causes::with_causes;
use crate::clock::Clock;
use crate::domain::{DueDelivery, ProviderName};
use crate::metrics::Metrics;
use crate::provider::Providers;
use crate::storage::{AttemptResult, ClaimTerms, GivesUpAt, Known, Slots, Store};
use crate::telemetry::Traces;

/// How often the queue is looked at when nothing is known to be due.
const IDLE: Duration = Duration::from_secs(1);

/// How often it is asked whether every change of a webhook is known again.
const UNINFORMED: Duration = Duration::from_millis(50);

/// How often it is looked for a replay of another process at most.
const REPLAY_PAUSE: Duration = Duration::from_secs(1);

/// How many deliveries one claim takes at most: bounds the time that it holds the writer.
const CLAIM: usize = 256;

/// How many results may wait to be recorded, which one job of the writer then does: beyond it attempts keep their slots.
const UNRECORDED: usize = 1_024;

/// How long a stop waits for results that attempts have come to, after its deadline.
const LAST_RESULTS: Duration = Duration::from_secs(1);

/// How many deliveries are known to be behind at most: one that is cancelled meanwhile is forgotten when there are as many.
const BEHIND: usize = 100_000;

/// How many failed attempts are logged each second.
const LOGGED_FAILURES: NonZeroU32 = NonZeroU32::new(10).expect("10 is not 0");

/// How many times a second it is logged that this machine lacks something, and that publications are held back.
const LOGGED_LACKS: NonZeroU32 = NonZeroU32::MIN;

/// Limits of attempts under way, with the deliveries that wait in lines for one.
pub(crate) type Lanes = lanes::Lanes<Claimed>;

/// A delivery that is this process's to attempt.
pub(crate) struct Claimed {
    due: DueDelivery,
    lease_end: Timestamp,
    /// The changes of webhooks that were known before it was read.
    known: Known,
}

/// The parts that the worker is made of.
pub(crate) struct WorkerSettings {
    /// Durable state.
    pub(crate) store: Arc<dyn Store>,
    /// The providers whose webhooks are sent.
    pub(crate) providers: Providers,
    /// The time.
    pub(crate) clock: Clock,
    /// The outbound client.
    pub(crate) sender: Sender,
    /// Limits of attempts under way.
    pub(crate) lanes: Arc<Lanes>,
    /// The metrics.
    pub(crate) metrics: Arc<Metrics>,
    /// The traces.
    pub(crate) traces: Traces,
    /// How long an attempt may hold its delivery, in real time: its deadline, and time enough to record the result.
    pub(crate) lease: Duration,
    /// How long events are kept; for ever without.
    pub(crate) retention: Option<SignedDuration>,
    /// Whether deliveries are attempted here; without, other processes with the same database do all of this.
    pub(crate) attempts: bool,
}

/// Attempts deliveries.
pub(crate) struct Worker {
    settings: WorkerSettings,
    /// Something may be due that was not.
    woken: Notify,
    /// The webhooks with something due that had no slot.
    backlog: Mutex<Vec<i64>>,
    stopping: AtomicBool,
    /// Whether the last claim failed.
    claims_fail: AtomicBool,
    /// How many results could not be written so far.
    unwritten: AtomicUsize,
    stopped: Notify,
    /// The attempts under way, by delivery, until their results are recorded.
    under_way: Mutex<HashMap<Uuid, u32>>,
    /// The deliveries whose next attempt was due before the last one had ended, and when that was: on a clock that runs fast.
    behind: Mutex<HashMap<Uuid, Timestamp>>,
    results: mpsc::Sender<AttemptResult>,
    /// There is, or may be, a replay to go on with.
    replays: Notify,
    /// Until when nothing is claimed, because no receiver could be reached.
    resumes_at: Mutex<Option<Instant>>,
    logged_failures: Throttle,
    logged_lacks: Throttle,
    logged_holds: Throttle,
    runtime: tokio::runtime::Handle,
}

impl Worker {
    /// Starts attempting what is due, on this runtime.
    pub(crate) fn start(settings: WorkerSettings, runtime: tokio::runtime::Handle) -> Arc<Self> {
        let (results, unrecorded) = mpsc::channel(UNRECORDED);
        let worker = Arc::new(Self {
            settings,
            woken: Notify::new(),
            backlog: Mutex::new(Vec::new()),
            stopping: AtomicBool::new(false),
            claims_fail: AtomicBool::new(false),
            unwritten: AtomicUsize::new(0),
            stopped: Notify::new(),
            under_way: Mutex::new(HashMap::new()),
            behind: Mutex::new(HashMap::new()),
            results,
            replays: Notify::new(),
            resumes_at: Mutex::new(None),
            logged_failures: Throttle::per_second(LOGGED_FAILURES),
            logged_lacks: Throttle::per_second(LOGGED_LACKS),
            logged_holds: Throttle::per_second(LOGGED_LACKS),
            runtime,
        });
        worker.keep_going("time", Self::save_time_for_ever);
        worker.keep_going("pressure", Self::correct_pressure_for_ever);
        if !worker.settings.attempts {
            return worker;
        }
        worker.keep_going("changes of webhooks", Self::follow_webhook_changes);
        worker.keep_going("claims", Self::claim_for_ever);
        worker.keep_going("lines", Self::dissolve_for_ever);
        worker.keep_going("wakes", Self::wake_for_ever);
        worker
            .runtime
            .spawn(worker.clone().record_for_ever(unrecorded));
        worker.keep_going("replays", Self::replay_for_ever);
        worker.keep_going("retention", Self::purge_for_ever);
        worker.keep_going("encryption key", Self::finish_rotation);
        worker
    }

    /// The slots that a publisher may take for attempts from memory, with places in line for them.
    pub(crate) fn slots(&self) -> Arc<dyn Slots> {
        Arc::new(WithPlaces(self.settings.lanes.clone()))
    }

    /// How long a claim holds, by the server's clock.
    pub(crate) fn lease(&self) -> SignedDuration {
        self.settings.clock.span(self.settings.lease)
    }

    /// Whether an event may be published.
    ///
    /// # Errors
    /// [`Overloaded`] while far more deliveries wait than leave within the target delay.
    pub(crate) fn admit(&self) -> Result<(), Overloaded> {
        let Self { settings, .. } = self;
        let admitted = settings.lanes.pressure().admit(Instant::now());
        if admitted.is_err() {
            settings.metrics.publication_refused();
            if let Some(unlogged) = self.logged_holds.pass() {
                tracing::warn!(
                    unlogged,
                    "a publication was refused: far more deliveries wait than leave within the target delay"
                );
            }
        }
        admitted
    }

    /// Attempts the claimed deliveries of a publication, each with a slot or place taken, and has the queue looked at for those that wait.
    /// `known` was taken before the publication was stored. Returns when the publisher may be answered: later while more deliveries wait
    /// than leave within the target delay, its own among them.
    pub(crate) async fn published(
        self: &Arc<Self>,
        claimed: Vec<DueDelivery>,
        waiting: Vec<i64>,
        known: Known,
    ) {
        let pressure = self.settings.lanes.pressure();
        if !claimed.is_empty() {
            pressure.began(std::iter::empty(), claimed.len(), Instant::now());
            self.dispatch(claimed, None, known);
        }
        if waiting.is_empty() {
            return;
        }
        self.wake();
        let Some(mut released) = pressure.hold(waiting, Instant::now()) else {
            return;
        };
        let began = Instant::now();
        self.settings.metrics.publication_held();
        if let Some(unlogged) = self.logged_holds.pass() {
            tracing::warn!(
                unlogged,
                "publications are answered later: more deliveries wait than leave within the target delay"
            );
        }
        while began.elapsed() < pressure.longest_hold() && !self.is_stopping() {
            if tokio::time::timeout(pressure.pause(), &mut released)
                .await
                .is_ok()
            {
                return;
            }
            pressure.look(Instant::now());
        }
    }

    /// Attempts deliveries for each of which a slot or a place was taken. They were claimed at this steady time; without one, when they
    /// were made, as those of a publication are.
    fn dispatch(
        self: &Arc<Self>,
        due: Vec<DueDelivery>,
        claimed_at: Option<Timestamp>,
        known: Known,
    ) {
        let lease = self.lease();
        let now = Instant::now();
        for due in due {
            let claimed_at = claimed_at.unwrap_or(due.first_attempt_at);
            let lease_end = claimed_at.checked_add(lease).unwrap_or(Timestamp::MAX);
            self.under_way().insert(due.id, due.attempt);
            let lane = due.target.lane;
            let claimed = Claimed {
                due,
                lease_end,
                known,
            };
            if let Some(claimed) = self.settings.lanes.begin(lane, claimed, now) {
                self.spawn_attempt(claimed);
            }
        }
    }

    /// Attempts a delivery whose slot is its own.
    fn spawn_attempt(self: &Arc<Self>, claimed: Claimed) {
        let due = &claimed.due;
        let in_flight = self.settings.metrics.began();
        let worker = self.clone();
        let span = tracing::debug_span!(
            "delivery",
            delivery = %due.id,
            attempt = due.attempt,
            event = due.event.id,
            webhook = due.target.webhook_id
        );
        self.runtime
            .spawn(async move { worker.attempt(claimed, in_flight).await }.instrument(span));
    }

    /// Has the queue looked at: something may be due that was not.
    pub(crate) fn wake(&self) {
        self.woken.notify_one();
    }

    /// Goes on with replays.
    pub(crate) fn replay(&self) {
        self.replays.notify_one();
    }

    /// Claims nothing more, waits for the attempts under way until the deadline, and gives the rest back at once.
    pub(crate) async fn stop(&self, deadline: Duration) {
        self.end_attempts(deadline).await;
        self.save_time(Duration::ZERO).await;
    }

    async fn end_attempts(&self, deadline: Duration) {
        self.stopping.store(true, Ordering::Release);
        self.wake();
        self.replay();
        let drained = async {
            loop {
                let ended = self.stopped.notified();
                if self.under_way().is_empty() {
                    break;
                }
                ended.await;
            }
        };
        if tokio::time::timeout(deadline, drained).await.is_ok() {
            return;
        }
        self.dissolve_all().await;
        // An attempt with a result is not given back but recorded; the release below waits behind it.
        let _ = tokio::time::timeout(LAST_RESULTS, self.results.reserve_many(UNRECORDED)).await;
        // Those that wait for others are on their way too.
        let gather = self.settings.store.gather(UNRECORDED);
        let _ = tokio::time::timeout(gather, std::future::pending::<()>()).await;
        let rest: Vec<(Uuid, u32)> = self.under_way().drain().collect();
        let count = rest.len();
        match self
            .settings
            .store
            .release(rest, self.settings.clock.steady())
            .await
        {
            Ok(()) => tracing::warn!(count, "attempts were still under way and were given back"),
            Err(error) => tracing::error!(
                error = with_causes(&error),
                "attempts could not be given back"
            ),
        }
    }

    fn under_way(&self) -> std::sync::MutexGuard<'_, HashMap<Uuid, u32>> {
        self.under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn behind(&self) -> std::sync::MutexGuard<'_, HashMap<Uuid, Timestamp>> {
        self.behind.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn backlog(&self) -> std::sync::MutexGuard<'_, Vec<i64>> {
        self.backlog.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn resumes_at(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.resumes_at
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    /// Learns of the changes of webhooks that are made on other nodes.
    async fn follow_webhook_changes(self: Arc<Self>) {
        self.settings.store.follow_webhook_changes().await;
    }

    async fn claim_for_ever(self: Arc<Self>) {
        while !self.is_stopping() {
            let wait = self.claim().await;
            // Woken earlier by a publisher, by an attempt that ended, or by the stop.
            let _ = tokio::time::timeout(wait, self.woken.notified()).await;
        }
    }

    /// Looks at the queue when another process with the same database has told that something may be due.
    async fn wake_for_ever(self: Arc<Self>) {
        let mut looked = Instant::now();
        while !self.is_stopping() {
            self.settings.store.woken().await;
            self.wake();
            if looked.elapsed() >= REPLAY_PAUSE {
                looked = Instant::now();
                self.replay();
            }
        }
    }

    /// Learns how much waits of what other nodes claim too, while anything waits.
    async fn correct_pressure_for_ever(self: Arc<Self>) {
        let pressure = self.settings.lanes.pressure();
        while !self.is_stopping() {
            pressure.filled().await;
            let never = std::future::pending::<()>();
            let _ = tokio::time::timeout(pressure.pause(), never).await;
            let lanes = pressure.begin_correction();
            let steady = self.settings.clock.steady();
            match self.settings.store.waiting(lanes, steady).await {
                Ok(Some(counts)) => pressure.correct(&counts, Instant::now()),
                Ok(None) => return,
                // The callers of a database that is away hear of it.
                Err(error) => tracing::debug!(
                    error = with_causes(&error),
                    "it is not known how much waits"
                ),
            }
        }
    }

    /// Claims what is due and has a slot; says how long nothing more can be expected.
    async fn claim(self: &Arc<Self>) -> Duration {
        let Self { settings, .. } = &**self;
        if self.unwritten() > 0 {
            return IDLE;
        }
        let resumes_at = *self.resumes_at();
        let pause = resumes_at.map(|at| at.saturating_duration_since(Instant::now()));
        if let Some(pause) = pause.filter(|pause| !pause.is_zero()) {
            return pause;
        }
        let changes = settings.store.webhook_changes();
        if !changes.is_informed(Instant::now()) {
            // What is claimed now could not be attempted.
            return UNINFORMED;
        }
        let known = changes.known();
        let slots: Arc<dyn Slots> = settings.lanes.clone();
        let at = settings.clock.moment();
        let terms = ClaimTerms {
            slots,
            limit: CLAIM,
            lease: self.lease(),
            at,
            gives_up_at: gives_up_at(settings.providers.clone(), settings.clock.own_delay()),
        };
        let claimed = match settings.store.claim(terms).await {
            Ok(claimed) => claimed,
            Err(error) => {
                self.claims_fail.store(true, Ordering::Release);
                tracing::error!(error = with_causes(&error), "cannot claim deliveries");
                return IDLE;
            }
        };
        if self.claims_fail.swap(false, Ordering::AcqRel) {
            tracing::info!("deliveries can be claimed again");
        }
        settings.metrics.leases_expired(claimed.expired_leases);
        let full = claimed.due.len() >= CLAIM;
        let waited = claimed.due.iter().filter(|due| due.attempt == 1);
        let waited = waited.map(|due| due.target.lane);
        settings.lanes.pressure().began(waited, 0, Instant::now());
        self.dispatch(claimed.due, Some(at.steady), known);
        let mut backlog = self.backlog();
        *backlog = claimed.left;
        // A slot may have come back while the claim ran.
        if full || settings.lanes.have_room(&backlog) {
            return Duration::ZERO;
        }
        drop(backlog);
        claimed
            .next_due_at
            .map_or(IDLE, |at| settings.clock.until(at).min(IDLE))
    }

    /// Forgets attempts that were under way.
    fn end(&self, attempts: impl IntoIterator<Item = (Uuid, u32)>) {
        for (id, number) in attempts {
            self.forget(id, number);
        }
    }

    /// Forgets an attempt; says whether it was under way.
    fn forget(&self, id: Uuid, number: u32) -> bool {
        let mut under_way = self.under_way();
        let was_under_way = under_way.get(&id) == Some(&number);
        if was_under_way {
            under_way.remove(&id);
        }
        if under_way.is_empty() {
            self.stopped.notify_one();
        }
        was_under_way
    }
}

/// `delay` is how much later an attempt may begin for the sake of this machine.
fn gives_up_at(providers: Providers, delay: SignedDuration) -> GivesUpAt {
    Arc::new(move |provider: ProviderName, first_attempt_at| {
        let outbound = providers.outbound(provider);
        let at = outbound.map_or(Timestamp::MAX, |outbound| {
            outbound.gives_up_at(first_attempt_at)
        });
        at.checked_add(delay).unwrap_or(Timestamp::MAX)
    })
}
