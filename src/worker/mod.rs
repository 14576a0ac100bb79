//! The worker: due delivery -> claim -> sign -> send -> record. It holds the only outbound socket.
//!
//! A claim moves a delivery's due time forward by a lease and counts the attempt; a result is recorded only while no later attempt was
//! claimed. So a process that dies in an attempt needs no rescuer: the delivery falls due again. What a publisher got a slot for is
//! attempted straight from memory; its row guards it all the same.

mod lanes;
pub(crate) mod sender;
#[cfg(test)]
mod tests;
mod throttle;
mod time;

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Notify, mpsc};
use tracing::Instrument;
use uuid::Uuid;

pub(crate) use self::lanes::Lanes;
use self::sender::{Sender, Sent};
use self::throttle::Throttle;
use crate::clock::{Clock, Moment};
use crate::domain::{Attempt, DueDelivery, Lack, Next, Outcome, Provider};
use crate::entropy;
use crate::metrics::{InFlight, Metrics};
use crate::provider::{OutboundRequest, RequestHeader, outbound};
use crate::storage::{AttemptResult, ClaimTerms, PurgeTerms, Slots, Store};
use crate::telemetry::Traces;

/// How often the queue is looked at when nothing is known to be due.
const IDLE: Duration = Duration::from_secs(1);

/// How many deliveries one claim takes at most: bounds the time that it holds the writer.
const CLAIM: usize = 256;

/// How many results may wait to be recorded, which one job of the writer then does: beyond it attempts keep their slots.
const UNRECORDED: usize = 1_024;

/// How long a stop waits for results that attempts have come to, after its deadline.
const LAST_RESULTS: Duration = Duration::from_secs(1);

/// How long a delivery waits whose attempt could not be made because this machine lacked something.
const POSTPONEMENT: Duration = Duration::from_secs(1);

/// How many failed attempts are logged each second.
const LOGGED_FAILURES: NonZeroU32 = NonZeroU32::new(10).expect("10 is not 0");

/// How many times a second it is logged that this machine lacks something.
const LOGGED_LACKS: NonZeroU32 = NonZeroU32::MIN;

/// How many rows a step of a replay or of retention works on: bounds the time that it holds the writer.
const STEP: u32 = 200;

/// How often old events are looked for.
const RETENTION_PAUSE: Duration = Duration::from_secs(60);

/// How long an idempotency key is kept at least.
const KEY_AGE: SignedDuration = SignedDuration::from_hours(24);

/// What the worker needs.
pub(crate) struct WorkerSettings {
    /// Durable state.
    pub(crate) store: Arc<dyn Store>,
    /// The time.
    pub(crate) clock: Clock,
    /// The outbound client.
    pub(crate) sender: Sender,
    /// Limits of attempts under way.
    pub(crate) lanes: Arc<Lanes>,
    /// What is counted.
    pub(crate) metrics: Arc<Metrics>,
    /// What is traced.
    pub(crate) traces: Traces,
    /// How long an attempt may hold its delivery, in real time: its deadline, and time enough to record the result.
    pub(crate) lease: Duration,
    /// How long events are kept; for ever without.
    pub(crate) retention: Option<SignedDuration>,
}

/// Attempts deliveries.
pub(crate) struct Worker {
    settings: WorkerSettings,
    /// Something may be due that was not.
    look: Notify,
    /// The webhooks with something due that had no slot.
    backlog: Mutex<Vec<i64>>,
    stopping: AtomicBool,
    stopped: Notify,
    /// The attempts under way, by delivery, until their results are recorded.
    under_way: Mutex<HashMap<Uuid, u32>>,
    results: mpsc::Sender<AttemptResult>,
    /// There is, or may be, a replay to go on with.
    replays: Notify,
    logged_failures: Throttle,
    logged_lacks: Throttle,
    runtime: tokio::runtime::Handle,
}

/// Holds what an attempt holds, and lets go of it however the attempt ends: a panic in it must not keep the slot, nor let a stop wait.
struct UnderWay<'w> {
    worker: &'w Worker,
    lane: i64,
    delivery: Uuid,
    attempt: u32,
    /// Whether the result waits to be recorded, which ends the attempt.
    has_result: bool,
    _in_flight: InFlight,
}

/// What became of an attempt.
enum Exchanged {
    Ended(Box<AttemptResult>),
    /// It was not made.
    NotMade(Lack),
    /// There is no provider of this name to make it.
    Unknown,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        let Self { worker, .. } = self;
        if std::thread::panicking() {
            tracing::error!(
                delivery = %self.delivery,
                attempt = self.attempt,
                "an attempt panicked; the delivery is attempted again when its lease ends"
            );
        }
        if !self.has_result {
            worker.end([(self.delivery, self.attempt)]);
        }
        // The receiver is done with: its slot need not wait for the commit.
        worker.settings.lanes.give_back(self.lane);
        // Not for one that cannot have it: beside a receiver that hangs, every attempt at the others would end in a claim of nothing.
        if worker.settings.lanes.have_room(&worker.backlog()) {
            worker.look();
        }
    }
}

impl Worker {
    /// Starts attempting what is due, on this runtime.
    pub(crate) fn start(settings: WorkerSettings, runtime: tokio::runtime::Handle) -> Arc<Self> {
        let (results, unrecorded) = mpsc::channel(UNRECORDED);
        let worker = Arc::new(Self {
            settings,
            look: Notify::new(),
            backlog: Mutex::new(Vec::new()),
            stopping: AtomicBool::new(false),
            stopped: Notify::new(),
            under_way: Mutex::new(HashMap::new()),
            results,
            replays: Notify::new(),
            logged_failures: Throttle::per_second(LOGGED_FAILURES),
            logged_lacks: Throttle::per_second(LOGGED_LACKS),
            runtime,
        });
        worker.runtime.spawn(worker.clone().claim_for_ever());
        worker
            .runtime
            .spawn(worker.clone().record_for_ever(unrecorded));
        worker.runtime.spawn(worker.clone().replay_for_ever());
        worker.runtime.spawn(worker.clone().purge_for_ever());
        worker.runtime.spawn(worker.clone().save_time_for_ever());
        worker
    }

    /// The slots that a publisher may take for attempts from memory.
    pub(crate) fn slots(&self) -> Arc<dyn Slots> {
        self.settings.lanes.clone()
    }

    /// How long a claim holds, by the server's clock.
    pub(crate) fn lease(&self) -> SignedDuration {
        self.settings.clock.span(self.settings.lease)
    }

    /// Attempts deliveries that are claimed already, each with a slot taken.
    pub(crate) fn dispatch(self: &Arc<Self>, due: Vec<DueDelivery>) {
        for delivery in due {
            self.under_way().insert(delivery.id, delivery.attempt);
            let in_flight = self.settings.metrics.began();
            let worker = self.clone();
            let span = tracing::debug_span!(
                "delivery",
                delivery = %delivery.id,
                attempt = delivery.attempt,
                event = delivery.event.id,
                webhook = delivery.target.webhook_id
            );
            self.runtime
                .spawn(async move { worker.attempt(delivery, in_flight).await }.instrument(span));
        }
    }

    /// Looks at the queue: something may be due that was not.
    pub(crate) fn look(&self) {
        self.look.notify_one();
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
        self.look();
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
        // What has come to a result is not given back but recorded; the release below waits behind it.
        let _ = tokio::time::timeout(LAST_RESULTS, self.results.reserve_many(UNRECORDED)).await;
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
                error = &error as &dyn std::error::Error,
                "attempts could not be given back"
            ),
        }
    }

    fn under_way(&self) -> std::sync::MutexGuard<'_, HashMap<Uuid, u32>> {
        self.under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn backlog(&self) -> std::sync::MutexGuard<'_, Vec<i64>> {
        self.backlog.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    async fn claim_for_ever(self: Arc<Self>) {
        while !self.is_stopping() {
            let wait = self.claim().await;
            // Woken earlier by a publisher, by an attempt that ended, or by the stop.
            let _ = tokio::time::timeout(wait, self.look.notified()).await;
        }
    }

    /// Claims what is due and has a slot; says how long nothing more can be expected.
    async fn claim(self: &Arc<Self>) -> Duration {
        let Self { settings, .. } = &**self;
        let slots: Arc<dyn Slots> = settings.lanes.clone();
        let terms = ClaimTerms {
            slots,
            limit: CLAIM,
            lease: self.lease(),
            at: settings.clock.moment(),
            gives_up_at,
        };
        let claimed = match settings.store.claim(terms).await {
            Ok(claimed) => claimed,
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "cannot claim deliveries"
                );
                return IDLE;
            }
        };
        settings.metrics.leases_expired(claimed.expired_leases);
        let full = claimed.due.len() >= CLAIM;
        self.dispatch(claimed.due);
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

    async fn attempt(&self, due: DueDelivery, in_flight: InFlight) {
        let mut under_way = UnderWay {
            worker: self,
            lane: due.target.lane,
            delivery: due.id,
            attempt: due.attempt,
            has_result: false,
            _in_flight: in_flight,
        };
        match self.exchange(due).await {
            Exchanged::Ended(result) => {
                // Where the disk is slower than the receivers, there is no place for it, and no slot for another attempt.
                under_way.has_result = self.results.send(*result).await.is_ok();
            }
            Exchanged::NotMade(lack) => {
                self.postpone(under_way.delivery, under_way.attempt, lack)
                    .await;
            }
            Exchanged::Unknown => {}
        }
    }

    /// Lets a delivery wait that could not be attempted because this machine lacked something: the receiver is not charged for that.
    async fn postpone(&self, delivery: Uuid, attempt: u32, lack: Lack) {
        let Self { settings, .. } = self;
        settings.metrics.postponed(lack);
        if let Some(unlogged) = self.logged_lacks.pass() {
            tracing::warn!(%delivery, reason = %lack, unlogged, "an attempt could not be made; the delivery waits, and it is not counted");
        }
        let steady = settings.clock.steady();
        let pause = settings.clock.span(POSTPONEMENT);
        let due_at = steady.checked_add(pause).unwrap_or(Timestamp::MAX);
        let postponed = settings.store.postpone(vec![(delivery, attempt)], due_at);
        match postponed.await {
            // The claims that are made meanwhile do not know of it.
            Ok(()) => self.look(),
            Err(error) => tracing::error!(
                error = &error as &dyn std::error::Error,
                "a delivery could not be postponed; it is attempted again when its lease ends"
            ),
        }
    }

    /// Records what attempts came to, as many at once as ended while the ones before were recorded.
    async fn record_for_ever(self: Arc<Self>, mut unrecorded: mpsc::Receiver<AttemptResult>) {
        let mut results = Vec::new();
        while unrecorded.recv_many(&mut results, UNRECORDED).await > 0 {
            self.record(std::mem::take(&mut results)).await;
        }
    }

    async fn record(&self, results: Vec<AttemptResult>) {
        let attempts: Vec<(Uuid, u32)> = results
            .iter()
            .map(|result| (result.delivery, result.attempt.number))
            .collect();
        match self.settings.store.record(results).await {
            Ok(recorded) => {
                let all = attempts.iter().zip(recorded);
                for ((delivery, attempt), _) in all.filter(|(_, recorded)| !recorded) {
                    self.settings.metrics.superseded();
                    tracing::warn!(%delivery, attempt, "the result came too late and was refused");
                }
            }
            // The leases run out and the deliveries are attempted again: better twice than never.
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    of = attempts.len(),
                    "not every result could be recorded"
                );
            }
        }
        self.end(attempts);
    }

    /// Forgets attempts that were under way.
    fn end(&self, attempts: impl IntoIterator<Item = (Uuid, u32)>) {
        let ended = {
            let mut under_way = self.under_way();
            for (id, number) in attempts {
                if under_way.get(&id) == Some(&number) {
                    under_way.remove(&id);
                }
            }
            under_way.is_empty()
        };
        if ended {
            self.stopped.notify_one();
        }
    }

    /// Signs, sends, and decides what becomes of the delivery.
    async fn exchange(&self, due: DueDelivery) -> Exchanged {
        let Self { settings, .. } = self;
        let Some(provider) = outbound(due.event.provider) else {
            return Exchanged::Unknown;
        };
        let began = settings.clock.moment();
        let started_at = began.now;
        let span = settings.traces.attempt(&due);
        let OutboundRequest { mut headers, body } = provider.request(&due, started_at);
        // Behind what the provider documents: it is no part of what is signed.
        let traceparent = settings.traces.traceparent(&span);
        headers.extend(traceparent.map(|value| RequestHeader::plain("traceparent", value)));
        let sent: Vec<(&str, &[u8])> = headers
            .iter()
            .map(|header| (header.name, header.value.as_bytes()))
            .collect();
        let url = due.target.url.as_str();
        let sent = settings
            .sender
            .send(url, &sent, Bytes::from(body), started_at);
        let Sent {
            outcome,
            mut timing,
            response_body,
            response_truncated,
        } = match sent.await {
            Ok(sent) => sent,
            Err(lack) => {
                span.not_made(lack);
                return Exchanged::NotMade(lack);
            }
        };
        span.attempted(&outcome);
        timing.queue = began.steady.duration_since(due.due_at).unsigned_abs();
        let Moment { now, steady } = settings.clock.moment();
        let next = if outcome.is_success() {
            Next::Delivered
        } else if due.once {
            Next::Exhausted
        } else {
            provider
                .retry_at(&due, &outcome, steady, fraction())
                .map_or(Next::Exhausted, Next::RetryAt)
        };
        let request_headers = headers
            .into_iter()
            .map(|header| {
                let shown = if header.secret {
                    "[redacted]".to_owned()
                } else {
                    header.value.clone()
                };
                (header.name.to_owned(), shown)
            })
            .collect();
        let attempt = Attempt {
            number: due.attempt,
            started_at,
            timing,
            request_headers,
            outcome,
            response_body,
            response_truncated,
        };
        settings.metrics.ended(due.event.provider, &attempt);
        tracing::debug!(
            result = attempt.outcome.class(),
            duration_ms = attempt.timing.total.as_secs_f64() * 1e3,
            "attempted"
        );
        self.log_failure(&due, &attempt.outcome, next);
        Exchanged::Ended(Box::new(AttemptResult {
            delivery: due.id,
            number: due.number,
            lane: due.target.lane,
            attempt,
            next,
            now,
        }))
    }

    /// Logs an attempt that failed, in a line that can be read without the others.
    fn log_failure(&self, due: &DueDelivery, outcome: &Outcome, next: Next) {
        let next_attempt_at = match next {
            Next::Delivered => return,
            Next::RetryAt(at) => Some(self.settings.clock.time_of_day(at)),
            Next::Exhausted => None,
        };
        let Some(unlogged) = self.logged_failures.pass() else {
            return;
        };
        let then = next_attempt_at.map_or("none: the delivery is exhausted".to_owned(), |at| {
            at.to_string()
        });
        tracing::info!(
            provider = due.event.provider.as_str(),
            webhook = due.target.webhook_id,
            delivery = %due.id,
            attempt = due.attempt,
            status = outcome.status(),
            error = outcome.error(),
            next_attempt = then,
            unlogged,
            "an attempt failed"
        );
    }

    async fn replay_for_ever(self: Arc<Self>) {
        while !self.is_stopping() {
            match self
                .settings
                .store
                .step_replay(STEP, self.settings.clock.moment())
                .await
            {
                Ok(true) => self.look(),
                Ok(false) => self.replays.notified().await,
                Err(error) => {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "cannot go on with a replay"
                    );
                    let _ = tokio::time::timeout(IDLE, self.replays.notified()).await;
                }
            }
        }
    }

    async fn purge_for_ever(self: Arc<Self>) {
        let mut after = 0;
        while !self.is_stopping() {
            let pause = match self.purge(after).await {
                Some(next) => {
                    after = next;
                    Duration::from_millis(10)
                }
                None => {
                    after = 0;
                    RETENTION_PAUSE
                }
            };
            // Between steps others write.
            let never = std::future::pending::<()>();
            let _ = tokio::time::timeout(pause, never).await;
        }
    }

    /// One step of retention; says where to go on.
    async fn purge(&self, after: i64) -> Option<i64> {
        let steady = self.settings.clock.steady();
        let events_before = match self.settings.retention {
            Some(age) => steady.checked_sub(age).ok()?,
            None => Timestamp::MIN,
        };
        let keys_before = steady.checked_sub(KEY_AGE).ok()?;
        let terms = PurgeTerms {
            events_before,
            keys_before,
            after,
            limit: STEP,
        };
        match self.settings.store.purge(terms).await {
            Ok(purged) => purged.next,
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "cannot delete what is old"
                );
                None
            }
        }
    }
}

fn gives_up_at(provider: Provider, first_attempt_at: Timestamp) -> Timestamp {
    outbound(provider).map_or(Timestamp::MAX, |provider| {
        provider.gives_up_at(first_attempt_at)
    })
}

/// A random number from 0 to 1.
fn fraction() -> f64 {
    f64::from(u32::from_le_bytes(entropy::bytes())) / f64::from(u32::MAX)
}
