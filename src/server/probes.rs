//! Probes and metrics, and the answer at unknown paths.

use std::sync::Arc;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::json;

use super::app::Part;
use crate::causes::with_causes;
use crate::clock::Clock;
use crate::domain::ProviderName;
use crate::http::problem;
use crate::metrics::{Format, Metrics, QueueFigures};
use crate::storage::Store;
use crate::worker::Worker;

pub(super) async fn live() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "status": "live" }))
}

pub(super) async fn ready(
    store: web::Data<dyn Store>,
    worker: web::Data<Worker>,
    measured: web::Data<Measured>,
) -> HttpResponse {
    let unwritten = worker.unwritten();
    match store.check().await {
        Ok(()) if unwritten > 0 => {
            tracing::error!(
                unwritten,
                "not ready: results of attempts are not written yet"
            );
        }
        Ok(()) => return HttpResponse::Ok().json(json!({ "status": "ready" })),
        Err(error) => {
            tracing::error!(error = with_causes(&error), "not ready");
        }
    }
    measured.metrics.not_ready();
    HttpResponse::ServiceUnavailable().json(json!({ "status": "not ready" }))
}

/// The state of `/metrics`.
pub(super) struct Measured {
    pub(super) metrics: Arc<Metrics>,
    pub(super) clock: Clock,
}

pub(super) async fn metrics_text(
    request: HttpRequest,
    store: web::Data<dyn Store>,
    measured: web::Data<Measured>,
) -> HttpResponse {
    let accept = request.headers().get_all(header::ACCEPT);
    let accept: Vec<&str> = accept.filter_map(|value| value.to_str().ok()).collect();
    let format = Format::wanted(&accept);
    let steady = measured.clock.steady();
    let queue = match store.queue_state(steady).await {
        Ok(state) => {
            let since = |due_at| steady.duration_since(due_at).unsigned_abs();
            Some(QueueFigures {
                pending: state.pending,
                oldest_due: state.oldest_due_at.map(since),
                oldest_snapshot: state.oldest_snapshot,
            })
        }
        Err(error) => {
            tracing::error!(error = with_causes(&error), "the queue cannot be measured");
            None
        }
    };
    match measured.metrics.text(format, queue) {
        Ok(text) => HttpResponse::Ok()
            .content_type(format.content_type())
            .insert_header((header::VARY, "Accept"))
            .body(text),
        Err(_) => HttpResponse::InternalServerError().finish(),
    }
}

/// Outside every API.
pub(super) async fn not_found(
    part: Part,
    providers: Arc<[ProviderName]>,
    request: HttpRequest,
) -> HttpResponse {
    if part == Part::Probes {
        let detail = "There is nothing at this path: this node only attempts deliveries. It has /health/live, /health/ready and /metrics.";
        return problem(StatusCode::NOT_FOUND, detail, request.path());
    }
    let mut paths: Vec<String> = providers.iter().map(|name| format!("/{name}")).collect();
    let hint = match part {
        Part::All => {
            paths.push("/operator/v1".to_owned());
            "; /docs/ explains them"
        }
        Part::Providers | Part::Probes => "",
    };
    let last = paths.pop().unwrap_or_default();
    let paths = if paths.is_empty() {
        last
    } else {
        format!("{} and {last}", paths.join(", "))
    };
    let detail = format!("There is nothing at this path. The APIs are below {paths}{hint}.");
    problem(StatusCode::NOT_FOUND, &detail, request.path())
}
