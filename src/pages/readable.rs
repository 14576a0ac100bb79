//! Paths that can only be read.

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{FromRequest, Handler, HttpRequest, HttpResponse, Resource, Responder, web};

use crate::http::problem;

/// A path that can only be read: `GET` is answered (and `HEAD`, which comes in as `GET` and is added to `Allow` there), every other method
/// is refused with 405.
pub(crate) fn readable<H, Args>(path: &str, handler: H) -> Resource
where
    H: Handler<Args>,
    Args: FromRequest + 'static,
    H::Output: Responder + 'static,
{
    web::resource(path)
        .route(web::get().to(handler))
        .default_service(web::to(not_allowed))
}

/// RFC 9110, 15.5.6.
async fn not_allowed(request: HttpRequest) -> HttpResponse {
    let detail = "This path can only be read, with GET or HEAD.";
    let mut response = problem(StatusCode::METHOD_NOT_ALLOWED, detail, request.path());
    let allow = HeaderValue::from_static("GET");
    response.headers_mut().insert(header::ALLOW, allow);
    response
}
