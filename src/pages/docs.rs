//! The emitted documents, and Swagger UI over them.

use std::sync::{Arc, LazyLock};

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use serde_json::Value;
use utoipa_swagger_ui::{Config as SwaggerConfig, SwaggerUi, Url};

use super::readable;
use crate::operator;
use crate::provider::{conduit, equals_money};

/// Swagger UI's page does not say that it is to be as wide as the window, so that a phone shows it as small as a desktop's; and some of
/// its parts are wider than a phone.
const ON_A_PHONE: &str = concat!(
    "  <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n    <style>\n",
    include_str!("phone.css"),
    "    </style>\n  </head>"
);

static INDEX: LazyLock<String> = LazyLock::new(|| {
    let file = utoipa_swagger_ui::serve("index.html", Arc::new(SwaggerConfig::from("")))
        .ok()
        .flatten()
        .expect("Swagger UI has a page");
    String::from_utf8_lossy(&file.bytes).replacen("</head>", ON_A_PHONE, 1)
});

/// Serves the documents, and Swagger UI.
pub(crate) fn documents(config: &mut web::ServiceConfig) {
    let urls = vec![
        Url::with_primary("Conduit", "/openapi/conduit.json", true),
        Url::new("Equals Money", "/openapi/equals-money.json"),
        Url::new("Operator", "/openapi/operator.json"),
    ];
    let swagger = SwaggerConfig::new(urls)
        .try_it_out_enabled(true)
        .persist_authorization(true)
        .deep_linking(true)
        // Its badge would ask a server on the internet, and tell it of this one.
        .validator_url("none");
    config
        .service(readable("/openapi/conduit.json", async || {
            document(&conduit::DOCUMENT)
        }))
        .service(readable("/openapi/equals-money.json", async || {
            document(&equals_money::DOCUMENT)
        }))
        .service(readable("/openapi/operator.json", async || {
            document(&operator::DOCUMENT)
        }))
        .service(readable("/docs", to_index))
        .service(readable("/docs/", index))
        .service(SwaggerUi::new("/docs/{_:.*}").config(swagger));
}

fn document(document: &Value) -> HttpResponse {
    HttpResponse::Ok().json(document)
}

async fn to_index() -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((header::LOCATION, "/docs/"))
        .finish()
}

/// The page of Swagger UI, as wide as the window.
async fn index() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .body(&**INDEX)
}
