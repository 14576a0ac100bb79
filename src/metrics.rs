//! The metrics of the server, for `/metrics`.

mod format;

use std::time::Duration;

use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

pub(crate) use self::format::Format;
use crate::domain::{Attempt, Lack, Outcome, ProviderName};

/// Every metric, registered by name.
pub struct Metrics {
    registry: Registry,
    /// How the queue stands: what the store says when it is asked.
    queue_registry: Registry,
    attempts: Family<AttemptLabels, Counter>,
    published: Family<ProviderLabel, Counter>,
    queue: Histogram,
    connect: Histogram,
    first_byte: Histogram,
    total: Histogram,
    commit_batch: Histogram,
    postponed: Family<LackLabel, Counter>,
    expired_leases: Counter,
    superseded: Counter,
    unwritten: Gauge,
    pending: Gauge,
    oldest_due: Gauge,
    database: Family<DatabaseLabel, Gauge>,
    oldest_snapshot: Gauge,
    clock_offset: Gauge,
    not_ready: Counter,
    retention_failures: Counter,
    in_flight: Gauge,
    held: Counter,
    refused: Counter,
    malformed: Counter,
    unread: Counter,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AttemptLabels {
    provider: ProviderLabelValue,
    result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ProviderLabel {
    provider: ProviderLabelValue,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct ProviderLabelValue(ProviderName);

impl EncodeLabelValue for ProviderLabelValue {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), std::fmt::Error> {
        self.0.as_str().encode(encoder)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LackLabel {
    lack: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DatabaseLabel {
    kind: &'static str,
}

/// How the queue and its database stand.
#[derive(Debug, Clone, Copy)]
pub(crate) struct QueueFigures {
    /// How many deliveries are pending.
    pub(crate) pending: u64,
    /// For how long the delivery that waits longest has been due.
    pub(crate) oldest_due: Option<Duration>,
    /// On PostgreSQL, how many transactions have begun since the oldest snapshot that is in use.
    pub(crate) oldest_snapshot: Option<u64>,
}

/// An attempt under way, counted until it is dropped.
pub(crate) struct InFlight(Gauge);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// From half a millisecond to the deadline of an attempt and beyond.
const LATENCIES: [f64; 14] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0,
];

const BATCHES: [f64; 10] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0];

impl Default for Metrics {
    fn default() -> Self {
        let latency = || Histogram::new(LATENCIES);
        let mut metrics = Self {
            registry: Registry::with_prefix("truehook"),
            queue_registry: Registry::with_prefix("truehook"),
            attempts: Family::default(),
            published: Family::default(),
            queue: latency(),
            connect: latency(),
            first_byte: latency(),
            total: latency(),
            commit_batch: Histogram::new(BATCHES),
            postponed: Family::default(),
            expired_leases: Counter::default(),
            superseded: Counter::default(),
            unwritten: Gauge::default(),
            pending: Gauge::default(),
            oldest_due: Gauge::default(),
            database: Family::default(),
            oldest_snapshot: Gauge::default(),
            clock_offset: Gauge::default(),
            not_ready: Counter::default(),
            retention_failures: Counter::default(),
            in_flight: Gauge::default(),
            held: Counter::default(),
            refused: Counter::default(),
            malformed: Counter::default(),
            unread: Counter::default(),
        };
        metrics.register();
        metrics
    }
}

impl Metrics {
    fn register(&mut self) {
        let registry = &mut self.registry;
        let latencies = [
            (
                "attempt_queue",
                "From when an attempt was due to when it began",
                &self.queue,
            ),
            (
                "attempt_connect",
                "To connect: name, TCP and TLS",
                &self.connect,
            ),
            (
                "attempt_first_byte",
                "From the beginning of an attempt to the head of the answer",
                &self.first_byte,
            ),
            ("attempt_total", "A whole attempt", &self.total),
        ];
        for (name, help, histogram) in latencies {
            registry.register_with_unit(name, help, Unit::Seconds, histogram.clone());
        }
        registry.register(
            "attempts",
            "Attempts by provider and result",
            self.attempts.clone(),
        );
        registry.register(
            "events_published",
            "Events that were stored",
            self.published.clone(),
        );
        registry.register(
            "commit_batch_size",
            "Writes that share a commit",
            self.commit_batch.clone(),
        );
        let postponed = "Deliveries that wait because this machine lacks open files, memory, ports or its egress proxy";
        registry.register("attempts_postponed", postponed, self.postponed.clone());
        let leases =
            "Deliveries that were claimed again because no result came before their lease ended";
        registry.register("lease_expiries", leases, self.expired_leases.clone());
        let superseded = "Results that were refused because a later attempt was claimed or the delivery had ended";
        registry.register("results_refused", superseded, self.superseded.clone());
        registry.register(
            "results_unwritten",
            "Results of attempts that could not be written to the database so far",
            self.unwritten.clone(),
        );
        registry.register(
            "attempts_in_flight",
            "Attempts under way",
            self.in_flight.clone(),
        );
        let held = "Publications that were answered later because more deliveries waited than leave within the target delay";
        registry.register("publications_held", held, self.held.clone());
        let refused = "Publications that were refused because far more deliveries waited than leave within the target delay";
        registry.register("publications_refused", refused, self.refused.clone());
        let malformed = "Requests that were refused because they are not HTTP";
        registry.register("malformed_requests", malformed, self.malformed.clone());
        let unread = "Connections that were closed because the client did not read its answers";
        registry.register("unread_connections", unread, self.unread.clone());
        let not_ready = "Times that /health/ready was answered 503";
        registry.register("readiness_failures", not_ready, self.not_ready.clone());
        let retention = "Times that old data could not be deleted, or that an old partition was in use and could not be dropped";
        registry.register(
            "retention_failures",
            retention,
            self.retention_failures.clone(),
        );
        let offset = "By how much the clock of this machine is ahead of that of the PostgreSQL server; 0 on SQLite";
        registry.register_with_unit(
            "clock_offset",
            offset,
            Unit::Seconds,
            self.clock_offset.clone(),
        );
        let registry = &mut self.queue_registry;
        registry.register(
            "deliveries_pending",
            "Deliveries that are pending",
            self.pending.clone(),
        );
        let oldest = "How long the delivery that waits longest has been due";
        registry.register_with_unit(
            "oldest_due_age",
            oldest,
            Unit::Seconds,
            self.oldest_due.clone(),
        );
        registry.register(
            "database_info",
            "The kind of the database, always 1",
            self.database.clone(),
        );
        registry.register(
            "oldest_snapshot_transactions",
            "Transactions that began since the oldest snapshot that is in use on the PostgreSQL server: what they leave behind cannot be \
             cleaned away; 0 on SQLite",
            self.oldest_snapshot.clone(),
        );
    }

    /// Sets the counters of these providers to zero, so that the first thing that is counted is seen as a change.
    pub(crate) fn begin(&self, providers: impl Iterator<Item = ProviderName>) {
        for provider in providers.map(ProviderLabelValue) {
            let label = ProviderLabel {
                provider: provider.clone(),
            };
            drop(self.published.get_or_create(&label));
            for result in Outcome::CLASSES {
                let provider = provider.clone();
                let labels = AttemptLabels { provider, result };
                drop(self.attempts.get_or_create(&labels));
            }
        }
        for lack in Lack::ALL.map(Lack::as_str) {
            drop(self.postponed.get_or_create(&LackLabel { lack }));
        }
    }

    /// Counts a delivery that waits because this machine lacks something.
    pub(crate) fn postponed(&self, lack: Lack) {
        let lack = lack.as_str();
        self.postponed.get_or_create(&LackLabel { lack }).inc();
    }

    /// Counts an event that was stored.
    pub(crate) fn published(&self, provider: ProviderName) {
        self.published
            .get_or_create(&ProviderLabel {
                provider: ProviderLabelValue(provider),
            })
            .inc();
    }

    /// Counts an attempt that began, as under way until the value is dropped.
    pub(crate) fn began(&self) -> InFlight {
        self.in_flight.inc();
        InFlight(self.in_flight.clone())
    }

    /// Counts an attempt that ended.
    pub(crate) fn ended(&self, provider: ProviderName, attempt: &Attempt) {
        let labels = AttemptLabels {
            provider: ProviderLabelValue(provider),
            result: attempt.outcome.class(),
        };
        self.attempts.get_or_create(&labels).inc();
        self.queue.observe(attempt.timing.queue.as_secs_f64());
        self.total.observe(attempt.timing.total.as_secs_f64());
        if let Some(connect) = attempt.timing.connect {
            self.connect.observe(connect.as_secs_f64());
        }
        if let Some(first_byte) = attempt.timing.first_byte {
            self.first_byte.observe(first_byte.as_secs_f64());
        }
    }

    /// Counts a publication that is answered later because deliveries wait.
    pub(crate) fn publication_held(&self) {
        self.held.inc();
    }

    /// Counts a publication that is refused because deliveries wait.
    pub(crate) fn publication_refused(&self) {
        self.refused.inc();
    }

    /// Counts a request that is not HTTP.
    pub(crate) fn malformed(&self) {
        self.malformed.inc();
    }

    /// Counts a connection that was closed because nobody read its answers.
    pub(crate) fn unread(&self) {
        self.unread.inc();
    }

    /// Counts a result that came too late.
    pub(crate) fn superseded(&self) {
        self.superseded.inc();
    }

    /// Says how many results could not be written so far.
    pub(crate) fn unwritten(&self, count: usize) {
        self.unwritten.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// Counts an answer of `/health/ready` that says no.
    pub(crate) fn not_ready(&self) {
        self.not_ready.inc();
    }

    /// Counts a step of retention that failed, or that left an old partition because it was in use.
    pub(crate) fn retention_failed(&self) {
        self.retention_failures.inc();
    }

    /// Says by how many seconds the clock of this machine is ahead of that of the database.
    pub(crate) fn clock_offset(&self, seconds: i64) {
        self.clock_offset.set(seconds);
    }

    /// Counts deliveries that were claimed again without a result.
    pub(crate) fn leases_expired(&self, count: u64) {
        self.expired_leases.inc_by(count);
    }

    /// Counts a commit of `size` writes.
    pub(crate) fn committed(&self, size: usize) {
        self.commit_batch
            .observe(f64::from(u32::try_from(size).unwrap_or(u32::MAX)));
    }

    /// Returns all metrics in a form, with the state of the queue. Where that is not known it is left out: a queue that nobody can read is
    /// not an empty one.
    ///
    /// # Errors
    /// Never in practice: a metric cannot be written.
    pub(crate) fn text(
        &self,
        format: Format,
        queue: Option<QueueFigures>,
    ) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        encode_registry(&mut text, &self.registry)?;
        if let Some(queue) = queue {
            let set =
                |gauge: &Gauge, value: u64| gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
            set(&self.pending, queue.pending);
            let age = queue.oldest_due.map_or(0, |age| age.as_secs());
            set(&self.oldest_due, age);
            let kind = match queue.oldest_snapshot {
                Some(_) => "postgresql",
                None => "sqlite",
            };
            self.database.get_or_create(&DatabaseLabel { kind }).set(1);
            set(
                &self.oldest_snapshot,
                queue.oldest_snapshot.unwrap_or_default(),
            );
            encode_registry(&mut text, &self.queue_registry)?;
        }
        encode_eof(&mut text)?;
        Ok(format.write(text))
    }
}
