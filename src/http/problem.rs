//! The error of paths that belong to no API: problem details (RFC 9457).

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde_json::json;

/// An answer with `status` that says in `detail` what is wrong with the request for `path`.
pub(crate) fn problem(status: StatusCode, detail: &str, path: &str) -> HttpResponse {
    HttpResponse::build(status)
        .content_type("application/problem+json")
        .json(json!({
            "type": "about:blank",
            "title": status.canonical_reason().unwrap_or_default(),
            "status": status.as_u16(),
            "detail": detail,
            "instance": path,
        }))
}
