//! Paths that can only be read.

use actix_web::http::{Method, header};
use actix_web::{FromRequest, Handler, HttpRequest, HttpResponse, Resource, Responder, web};
use serde_json::json;

/// What stands at a path that can only be read: `GET` and `HEAD` are answered, every other method is refused with 405.
pub(crate) fn readable<H, Args>(path: &'static str, handler: H) -> Resource
where
    H: Handler<Args>,
    Args: FromRequest + 'static,
    H::Output: Responder + 'static,
{
    web::resource(path)
        .route(web::get().to(handler.clone()))
        .route(web::head().to(handler))
        .default_service(web::to(not_allowed))
}

/// RFC 9110, 15.5.6, as a problem (RFC 9457).
async fn not_allowed(request: HttpRequest) -> HttpResponse {
    HttpResponse::MethodNotAllowed()
        .insert_header(header::Allow(vec![Method::GET, Method::HEAD]))
        .content_type("application/problem+json")
        .json(json!({
            "type": "about:blank",
            "title": "Method Not Allowed",
            "status": 405,
            "detail": "This path can only be read, with GET or HEAD.",
            "instance": request.path(),
        }))
}
