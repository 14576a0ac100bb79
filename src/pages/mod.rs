//! The pages: the first page, Swagger UI over the emitted documents, the operator's page, and how a path answers that
//! can only be read.

mod assets;
mod docs;
mod landing;
mod operator;
mod readable;

use actix_web::http::header;
use actix_web::{HttpResponse, HttpResponseBuilder};

pub(crate) use self::assets::assets;
pub(crate) use self::docs::{Api, Documents};
pub(crate) use self::landing::Landing;
pub(crate) use self::operator::{Sessions, pages as operator_pages};
pub(crate) use self::readable::readable;

/// An answer that a browser takes for what it says it is, shows in no frame of another page, and lets do what `policy` says.
fn guarded(policy: &str) -> HttpResponseBuilder {
    let mut response = HttpResponse::Ok();
    response
        .insert_header((header::CONTENT_SECURITY_POLICY, policy))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::X_FRAME_OPTIONS, "DENY"))
        .insert_header((header::REFERRER_POLICY, "no-referrer"));
    response
}
