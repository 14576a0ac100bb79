//! The style and the script of our own pages.

use actix_web::http::header;
use actix_web::{HttpResponse, web};

use super::readable;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// Serves them beside the first page.
pub(crate) fn assets(config: &mut web::ServiceConfig) {
    config
        .service(readable("/page.css", async || {
            file("text/css; charset=utf-8", STYLE)
        }))
        .service(readable("/page.js", async || {
            file("text/javascript; charset=utf-8", SCRIPT)
        }));
}

fn file(media_type: &str, text: &'static str) -> HttpResponse {
    HttpResponse::Ok()
        .content_type(media_type)
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        // They change with the program only, but a new one must be seen at once.
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .body(text)
}
