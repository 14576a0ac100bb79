//! The emitted documents, and Swagger UI over them.
//!
//! All bytes are made once and shared by every answer.

use std::borrow::Cow;
use std::sync::Arc;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use bytes::Bytes;
use serde_json::Value;
use utoipa_swagger_ui::{Config as SwaggerConfig, Url};

use super::{guarded, readable};
use crate::config::Mode;
use crate::domain::ProviderName;

/// Swagger UI's page does not say that it is to be as wide as the window, so that a phone shows it as small as a desktop's; and our style
/// comes after its own.
const END_OF_HEAD: &str = concat!(
    "  <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n    <style>\n",
    include_str!("swagger.css"),
    "    </style>\n  </head>"
);

/// The script that tells Swagger UI of the documents.
const INITIALIZER: &str = "swagger-initializer.js";

const NOT_FOUND: &str = include_str!("not_found.html");

/// The policy of Swagger UI: it may run its own script, which styles elements and shows icons of its own, and talk to this server.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// A document is data.
const DATA_POLICY: &str = "default-src 'none'; frame-ancestors 'none'";

/// An API whose document is served.
pub(crate) struct Api {
    /// The name for people.
    pub(crate) title: &'static str,
    /// The name in paths.
    pub(crate) name: ProviderName,
    /// The emitted document.
    pub(crate) document: Arc<Value>,
    /// The credentials for Authorize, by the security schemes of the document.
    pub(crate) sandbox: &'static [(&'static str, &'static str)],
    /// The bodies of answers that no request of a document could bring about.
    pub(crate) failures: Vec<(u16, Value)>,
}

/// The emitted documents, what Swagger UI makes its pages of, and the pages of Swagger UI that are ours.
pub(crate) struct Documents {
    base: String,
    documents: Vec<(String, Bytes)>,
    index: Bytes,
    not_found: Bytes,
    initializer: Bytes,
}

impl Documents {
    /// Makes them of these APIs for a server whose paths begin with `base` for those who call it.
    pub(crate) fn new(mode: Mode, base: &str, apis: &[Api]) -> Arc<Self> {
        let places = apis.iter();
        let places: Vec<String> = places
            .map(|api| format!("{base}/docs/{}.json", api.name))
            .collect();
        let urls = apis.iter().zip(&places).enumerate();
        let urls =
            urls.map(|(index, (api, place))| Url::with_primary(api.title, place, index == 0));
        let swagger = SwaggerConfig::new(urls.collect::<Vec<_>>())
            .try_it_out_enabled(true)
            .persist_authorization(true)
            .deep_linking(true)
            // Its badge would ask a server on the internet, and tell it of this one.
            .validator_url("none");
        let index = file("index.html").expect("Swagger UI has a page");
        let index = String::from_utf8_lossy(&index.bytes).replacen("</head>", END_OF_HEAD, 1);
        Arc::new(Self {
            base: base.to_owned(),
            documents: apis
                .iter()
                .flat_map(|api| {
                    let document = below(base, (*api.document).clone());
                    let shown = shown(api, mode, document.clone());
                    [("openapi", document), ("docs", shown)].map(|(folder, document)| {
                        let path = format!("/{folder}/{}.json", api.name);
                        (path, document.to_string().into())
                    })
                })
                .collect(),
            index: index.into(),
            not_found: NOT_FOUND.replace("{base}", base).into(),
            initializer: initializer(swagger).expect("Swagger UI takes settings"),
        })
    }

    /// The paths of the documents, and of Swagger UI.
    pub(crate) fn routes(self: Arc<Self>, config: &mut web::ServiceConfig) {
        for (path, document) in &self.documents {
            let document = document.clone();
            let answer = move || {
                let document = document.clone();
                async {
                    guarded(DATA_POLICY)
                        .content_type("application/json")
                        .body(document)
                }
            };
            config.service(readable(path, answer));
        }
        let index = format!("{}/docs/", self.base);
        let to_index = move || {
            let index = index.clone();
            async {
                HttpResponse::SeeOther()
                    .insert_header((header::LOCATION, index))
                    .finish()
            }
        };
        let answer = move |request: HttpRequest| {
            let documents = self.clone();
            async move { documents.swagger_file(request.match_info().query("file")) }
        };
        config
            .service(readable("/docs", to_index))
            .service(readable("/docs/{file:.*}", answer));
    }

    /// A file of Swagger UI, or a page that says that there is none.
    fn swagger_file(&self, name: &str) -> HttpResponse {
        const HTML: &str = "text/html; charset=utf-8";
        let mut response = guarded(POLICY);
        if matches!(name, "" | "index.html") {
            return response.content_type(HTML).body(self.index.clone());
        }
        if name == INITIALIZER {
            let script = self.initializer.clone();
            return response.content_type("text/javascript").body(script);
        }
        let Some(file) = file(name) else {
            return response
                .status(StatusCode::NOT_FOUND)
                .content_type(HTML)
                .body(self.not_found.clone());
        };
        if file.compressed {
            response.insert_header(header::ContentEncoding::Gzip);
        }
        response.content_type(file.content_type).body(file.bytes)
    }
}

struct File {
    content_type: String,
    compressed: bool,
    bytes: Bytes,
}

/// A file of Swagger UI as it comes.
fn file(name: &str) -> Option<File> {
    let none = Arc::new(SwaggerConfig::from(""));
    let file = utoipa_swagger_ui::serve(name, none).ok().flatten()?;
    Some(File {
        content_type: file.content_type,
        compressed: file.gzpipped,
        bytes: match file.bytes {
            Cow::Borrowed(bytes) => Bytes::from_static(bytes),
            Cow::Owned(bytes) => bytes.into(),
        },
    })
}

/// The script that gives Swagger UI its settings.
fn initializer(settings: SwaggerConfig<'_>) -> Option<Bytes> {
    let file = utoipa_swagger_ui::serve(INITIALIZER, Arc::new(settings));
    let bytes = file.ok().flatten()?.bytes.into_owned();
    Some(bytes.into())
}

/// A document whose servers are below the path `base`.
fn below(base: &str, mut document: Value) -> Value {
    for server in document["servers"].as_array_mut().into_iter().flatten() {
        if let Some(path) = server["url"].as_str().filter(|url| url.starts_with('/')) {
            server["url"] = format!("{base}{path}").into();
        }
    }
    document
}

/// A document as Swagger UI is given it: with the credentials of a sandbox, and with the bodies of failures, which it would make up.
fn shown(api: &Api, mode: Mode, mut document: Value) -> Value {
    // Swagger UI makes a link of an SPDX expression, which leads nowhere: there are pages of single licenses only.
    if let Some(license) = document["info"]["license"].as_object_mut() {
        license.shift_remove("identifier");
    }
    if mode == Mode::Sandbox {
        for (scheme, value) in api.sandbox {
            let scheme = &mut document["components"]["securitySchemes"][scheme];
            let description = scheme["description"].as_str().unwrap_or_default();
            scheme["description"] = format!("{description}\n\nIn this sandbox: `{value}`").into();
        }
    }
    let items = document["paths"].as_object_mut().into_iter().flatten();
    let operations = items.filter_map(|(_, item)| item.as_object_mut()).flatten();
    for (_, operation) in operations {
        for (status, body) in &api.failures {
            let response = operation
                .get_mut("responses")
                .and_then(|responses| responses.get_mut(status.to_string()));
            let content = response.and_then(|response| response.get_mut("content"));
            for (_, media_type) in content.and_then(Value::as_object_mut).into_iter().flatten() {
                if media_type.get("examples").is_none() {
                    media_type["example"] = body.clone();
                }
            }
        }
    }
    document
}
