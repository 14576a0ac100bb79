//! Traces: a span for each publish request, for the event that it stores, and for each attempt, sent by OTLP in the background.
//!
//! Without an endpoint there is nothing: no thread, no connection, no work for a request. Attributes are those of OpenTelemetry's
//! semantic conventions for HTTP, and ours below `truehook.`. Never told: credentials, secrets, headers, bodies, queries.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use opentelemetry::trace::{
    SpanBuilder, SpanContext, SpanId, SpanKind, Status, TraceContextExt, TraceFlags, TraceId,
    TraceState, Tracer, TracerProvider,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::resource::{EnvResourceDetector, TelemetryResourceDetector};
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, SdkTracer, SdkTracerProvider, Span,
};
use tokio::runtime::Runtime;
use url::Url;

use super::collector::Collector;
use crate::config::Tracing;
use crate::domain::{DueDelivery, Lack, Outcome, ProviderName, TraceContext};

/// How many ended spans wait to be sent at most; more are dropped.
const QUEUE: usize = 8_192;

/// How many are sent at once.
const BATCH: usize = 512;

/// How long one waits at most until a batch is sent.
const DELAY: Duration = Duration::from_secs(1);

/// How long a batch may take, with every try.
const EXPORT: Duration = Duration::from_secs(10);

/// How long a stop waits for what was not sent yet.
const FLUSH: Duration = Duration::from_secs(2);

/// The exporter of traces cannot be set up.
#[derive(Debug, thiserror::Error)]
#[error("cannot set up traces: {0}")]
pub struct TracesError(Box<dyn std::error::Error + Send + Sync>);

/// Begins spans and sends them once they end; does nothing without an endpoint.
#[derive(Clone, Default)]
pub(crate) struct Traces(Option<Arc<Exporter>>);

struct Exporter {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
    send_traceparent: bool,
    runtime: Mutex<Option<Runtime>>,
}

/// A span, or none where there are no traces. It ends when it is dropped.
#[derive(Default)]
pub(crate) struct TraceSpan(Option<Span>);

impl Traces {
    /// Sets the exporter up, where there is an endpoint. Nothing is sent yet.
    ///
    /// # Errors
    /// [`TracesError`] when threads or TLS roots cannot be had.
    pub(crate) fn start(settings: Option<&Tracing>) -> Result<Self, TracesError> {
        let Some(settings) = settings else {
            return Ok(Self::default());
        };
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .thread_name("traces")
            .build()
            .map_err(|error| TracesError(error.into()))?;
        let collector = Collector::new(&settings.traces_url, runtime.handle().clone())
            .map_err(|error| TracesError(error.into()))?;
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(collector)
            .with_endpoint(settings.traces_url.as_str())
            .with_protocol(Protocol::HttpBinary)
            .with_timeout(EXPORT)
            .build()
            .map_err(|error| TracesError(error.into()))?;
        let batches = BatchConfigBuilder::default()
            .with_max_queue_size(QUEUE)
            .with_max_export_batch_size(BATCH)
            .with_scheduled_delay(DELAY)
            .build();
        // The sampler is parent-based and always on, unless OTEL_TRACES_SAMPLER names another.
        let provider = SdkTracerProvider::builder()
            .with_span_processor(
                BatchSpanProcessor::builder(exporter)
                    .with_batch_config(batches)
                    .build(),
            )
            .with_resource(resource())
            .build();
        let tracer = provider.tracer("truehook");
        Ok(Self(Some(Arc::new(Exporter {
            provider,
            tracer,
            send_traceparent: settings.send_traceparent,
            runtime: Mutex::new(Some(runtime)),
        }))))
    }

    /// Whether spans are kept: for what is not worth asking otherwise.
    pub(crate) fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// A request that is answered, as a child of what its caller says caused it.
    pub(crate) fn request(
        &self,
        method: &'static str,
        route: &'static str,
        parent: Option<TraceContext>,
    ) -> TraceSpan {
        self.begin(parent, || {
            SpanBuilder::from_name(format!("{method} {route}"))
                .with_kind(SpanKind::Server)
                .with_attributes([
                    KeyValue::new("http.request.method", method),
                    KeyValue::new("http.route", route),
                    KeyValue::new("url.path", route),
                    KeyValue::new("url.scheme", "http"),
                ])
        })
    }

    /// The storing of an event and its deliveries, whose attempts are children of it.
    pub(crate) fn publication(
        &self,
        parent: Option<TraceContext>,
        provider: ProviderName,
        event_type: &str,
    ) -> TraceSpan {
        self.begin(parent, || {
            SpanBuilder::from_name("publish event")
                .with_kind(SpanKind::Producer)
                .with_attributes([
                    KeyValue::new("truehook.provider", provider.to_string()),
                    KeyValue::new("truehook.event.type", event_type.to_owned()),
                ])
        })
    }

    /// An attempt, as a child of its event's publication, however long ago that was.
    pub(crate) fn attempt(&self, due: &DueDelivery) -> TraceSpan {
        self.begin(due.event.trace, || {
            let DueDelivery {
                id,
                attempt,
                event,
                target,
                ..
            } = due;
            let mut attributes = vec![
                KeyValue::new("http.request.method", "POST"),
                KeyValue::new("truehook.delivery.id", id.to_string()),
                KeyValue::new("truehook.event.id", event.id.clone()),
                KeyValue::new("truehook.event.type", event.event_type.clone()),
                KeyValue::new("truehook.webhook.id", target.webhook_id.clone()),
                KeyValue::new("truehook.provider", event.provider.to_string()),
                KeyValue::new("truehook.attempt", i64::from(*attempt)),
            ];
            attributes.extend(destination(target.url.as_str()).into_iter().flatten());
            SpanBuilder::from_name("POST")
                .with_kind(SpanKind::Client)
                .with_attributes(attributes)
        })
    }

    /// The header that tells the receiver of an attempt's span; none unless that is configured.
    pub(crate) fn traceparent(&self, attempt: &TraceSpan) -> Option<String> {
        let exporter = self.0.as_ref()?;
        let context = attempt.context()?;
        exporter.send_traceparent.then(|| context.to_string())
    }

    fn begin(
        &self,
        parent: Option<TraceContext>,
        build: impl FnOnce() -> SpanBuilder,
    ) -> TraceSpan {
        TraceSpan(self.0.as_ref().map(|exporter| {
            let above = match parent {
                Some(parent) => Context::new().with_remote_span_context(remote(parent)),
                None => Context::new(),
            };
            exporter.tracer.build_with_context(build(), &above)
        }))
    }

    /// Sends what was not sent yet, as far as the collector takes it within two seconds.
    pub(crate) async fn stop(&self) {
        let Some(exporter) = self.0.clone() else {
            return;
        };
        // It waits for the exporter's thread.
        let flushed = tokio::task::spawn_blocking(move || {
            let result = exporter.provider.shutdown_with_timeout(FLUSH);
            if let Err(error) = result {
                tracing::warn!(%error, "the last traces were not sent");
            }
            exporter.end();
        });
        if let Err(error) = flushed.await {
            tracing::error!(%error, "the exporter of traces could not be ended");
        }
    }
}

impl Exporter {
    /// Ends its threads; what is under way on them is broken off.
    fn end(&self) {
        let mut runtime = self.runtime.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(runtime) = runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        self.end();
    }
}

impl fmt::Debug for Traces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Traces").field(&self.is_on()).finish()
    }
}

impl TraceSpan {
    /// Where it stands in its trace; none without traces.
    pub(crate) fn context(&self) -> Option<TraceContext> {
        let context = opentelemetry::trace::Span::span_context(self.0.as_ref()?);
        TraceContext::new(
            context.trace_id().to_bytes(),
            context.span_id().to_bytes(),
            context.is_sampled(),
        )
    }

    /// The request was answered with this status.
    pub(crate) fn answered(mut self, status: u16) {
        self.set("http.response.status_code", || i64::from(status).into());
        // A server's span is at fault only where the server is.
        if status >= 500 {
            self.fail(status.to_string());
        }
    }

    /// The event is stored, now or by an earlier request that was the same.
    pub(crate) fn stored(mut self, event: &str, deliveries: u64) {
        self.set("truehook.event.id", || event.to_owned().into());
        self.set("truehook.deliveries", || {
            i64::try_from(deliveries).unwrap_or(i64::MAX).into()
        });
    }

    /// The event could not be stored, for this class of reason.
    pub(crate) fn not_stored(mut self, reason: &'static str) {
        self.fail(reason.to_owned());
    }

    /// The attempt came to this. The words of a failure are not told: the operator API has them.
    pub(crate) fn attempted(mut self, outcome: &Outcome) {
        if let Some(status) = outcome.status() {
            self.set("http.response.status_code", || i64::from(status).into());
        }
        match outcome {
            Outcome::Answered { .. } if outcome.is_success() => {}
            Outcome::Answered { status, .. } => self.fail(status.to_string()),
            Outcome::TimedOut { .. } | Outcome::Refused(_) | Outcome::Failed { .. } => {
                self.fail(outcome.class().to_owned());
            }
        }
    }

    /// The attempt was not made, because this machine lacked something.
    pub(crate) fn not_made(mut self, lack: Lack) {
        self.fail(format!("lack of {}", lack.as_str()));
    }

    fn set(&mut self, name: &'static str, value: impl FnOnce() -> opentelemetry::Value) {
        if let Some(span) = &mut self.0 {
            opentelemetry::trace::Span::set_attribute(span, KeyValue::new(name, value()));
        }
    }

    fn fail(&mut self, error_type: String) {
        if let Some(span) = &mut self.0 {
            opentelemetry::trace::Span::set_attribute(
                span,
                KeyValue::new("error.type", error_type),
            );
            opentelemetry::trace::Span::set_status(span, Status::error(""));
        }
    }
}

fn remote(context: TraceContext) -> SpanContext {
    let flags = if context.is_sampled() {
        TraceFlags::SAMPLED
    } else {
        TraceFlags::default()
    };
    SpanContext::new(
        TraceId::from_bytes(context.trace()),
        SpanId::from_bytes(context.span()),
        flags,
        true,
        TraceState::default(),
    )
}

/// Where an attempt goes, without credentials, query and fragment.
fn destination(url: &str) -> Option<Vec<KeyValue>> {
    let mut url = Url::parse(url).ok()?;
    url.set_username("").ok()?;
    url.set_password(None).ok()?;
    url.set_query(None);
    url.set_fragment(None);
    let host = url.host_str()?.trim_matches(['[', ']']).to_owned();
    let mut attributes = vec![
        KeyValue::new("server.address", host),
        KeyValue::new("url.scheme", url.scheme().to_owned()),
    ];
    if let Some(port) = url.port_or_known_default() {
        attributes.push(KeyValue::new("server.port", i64::from(port)));
    }
    attributes.push(KeyValue::new("url.full", String::from(url)));
    Some(attributes)
}

/// The name of the service: `truehook`, unless `OTEL_SERVICE_NAME` or `OTEL_RESOURCE_ATTRIBUTES` say otherwise.
fn resource() -> Resource {
    let resource = Resource::builder_empty()
        .with_service_name("truehook")
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .with_detector(Box::new(TelemetryResourceDetector))
        .with_detector(Box::new(EnvResourceDetector::new()));
    match std::env::var("OTEL_SERVICE_NAME") {
        Ok(name) if !name.is_empty() => resource.with_service_name(name).build(),
        _ => resource.build(),
    }
}
