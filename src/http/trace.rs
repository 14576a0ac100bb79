//! One log line for each request, and the id that joins it to the answer: at level debug, or info where the request was at fault.
//!
//! Never logged: headers, bodies and queries, which hold credentials, secrets and personal data.

use std::time::Instant;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::Next;
use tracing::Instrument;

use crate::clock::milliseconds;
use crate::entropy;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Gives the request an id (the caller's `X-Request-Id` where that is fit for a log), a span, and one line at its end.
pub(crate) async fn trace<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, actix_web::Error> {
    let started = Instant::now();
    let id = request
        .headers()
        .get(REQUEST_ID)
        .and_then(|value| value.to_str().ok())
        .filter(|id| is_fit_for_a_log(id))
        .map_or_else(|| entropy::uuid().to_string(), str::to_owned);
    let span =
        tracing::info_span!("request", id, method = %request.method(), path = request.path());
    let mut response = next.call(request).instrument(span.clone()).await?;
    let status = response.status();
    let duration_ms = milliseconds(started.elapsed());
    // A success is not worth a line of the log at its usual level: formatting it costs more than most of the rest.
    span.in_scope(|| {
        if status.is_client_error() || status.is_server_error() {
            tracing::info!(status = status.as_u16(), duration_ms, "answered");
        } else {
            tracing::debug!(status = status.as_u16(), duration_ms, "answered");
        }
    });
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    Ok(response)
}

fn is_fit_for_a_log(id: &str) -> bool {
    (1..=128).contains(&id.len())
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_short_plain_ids_are_taken_from_the_caller() {
        assert!(is_fit_for_a_log("4bf92f35-77b3.a_b:c"));
        for id in ["", "a b", "a\"b", "ä", &"x".repeat(129)] {
            assert!(!is_fit_for_a_log(id), "{id}");
        }
    }
}
