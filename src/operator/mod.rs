//! Our own API: publish events, follow their deliveries, send them again, manage keys. Its source document is `openapi/operator.yaml`.
//!
//! By resource: `events`, `deliveries`, `webhooks`, `replays`, `keys`. For all of them: `auth`, `bodies`, `models`, `error`, `cursor`, and
//! `openapi`, the emitted document. Never shows a credential or a secret of a webhook, but for a key in the answer that made it.

mod auth;
mod bodies;
mod cursor;
mod deliveries;
mod error;
mod events;
mod keys;
mod models;
mod openapi;
mod replays;
mod webhooks;
#[cfg(test)]
mod wire_types;

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, web};
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::Value;

pub(crate) use self::auth::{SANDBOX_CREDENTIALS, SANDBOX_KEY, authenticate};
pub(crate) use self::deliveries::in_time_of_day;
pub(crate) use self::error::{OperatorError, failures};
pub(crate) use self::events::publish_text;
pub(crate) use self::openapi::emit;
pub(crate) use self::replays::start_replay;
#[cfg(test)]
pub(crate) use self::wire_types::wire_types;

use self::bodies::Bodies;
use crate::http::{BodyRules, Faults, Query};
use crate::metrics::Metrics;
use crate::provider::{Context, Providers};
use crate::telemetry::Traces;
use crate::worker::Worker;

const DEFAULT_LIMIT: u64 = 100;
const LARGEST_LIMIT: u64 = 1000;

/// The state that the operations share.
pub(crate) struct State {
    /// The providers whose events are published.
    pub(crate) providers: Providers,
    /// The emitted document.
    pub(crate) document: Arc<Value>,
    /// The validators of request bodies.
    pub(crate) bodies: Arc<Bodies>,
    /// The store and the clock.
    pub(crate) context: Context,
    /// The worker that attempts deliveries.
    pub(crate) worker: Arc<Worker>,
    /// The metrics.
    pub(crate) metrics: Arc<Metrics>,
    /// The traces.
    pub(crate) traces: Traces,
}

/// This API as it is built for a server: its document and the validators of request bodies. Clones share what was built.
#[derive(Clone)]
pub(crate) struct Api {
    /// The emitted document.
    pub(crate) document: Arc<Value>,
    /// The validators of request bodies.
    pub(crate) bodies: Arc<Bodies>,
}

impl Api {
    /// Builds the API of a server with these providers.
    pub(crate) fn build(providers: &Providers) -> Self {
        let table = providers.table();
        let document = emit(&table);
        Self {
            bodies: Arc::new(Bodies::compile(&document, &table)),
            document: Arc::new(document),
        }
    }
}

/// The routes below the base path.
pub(crate) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(
            web::resource("/events")
                .route(web::post().to(events::publish_event))
                .route(web::get().to(events::list_events))
                .default_service(web::to(|| method_not_allowed("GET, POST"))),
        )
        .service(
            web::resource("/events/{id}")
                .route(web::get().to(events::get_event))
                .default_service(web::to(|| method_not_allowed("GET"))),
        )
        .service(
            web::resource("/deliveries")
                .route(web::get().to(deliveries::list_deliveries))
                .default_service(web::to(|| method_not_allowed("GET"))),
        )
        .service(
            web::resource("/deliveries/{id}")
                .route(web::get().to(deliveries::get_delivery))
                .default_service(web::to(|| method_not_allowed("GET"))),
        )
        .service(
            web::resource("/deliveries/{id}/retry")
                .route(web::post().to(deliveries::retry_delivery))
                .default_service(web::to(|| method_not_allowed("POST"))),
        )
        .service(
            web::resource("/webhooks")
                .route(web::get().to(webhooks::list_webhooks))
                .default_service(web::to(|| method_not_allowed("GET"))),
        )
        .service(
            web::resource("/webhooks/{id}")
                .route(web::get().to(webhooks::get_webhook))
                .default_service(web::to(|| method_not_allowed("GET"))),
        )
        .service(
            web::resource("/replays")
                .route(web::post().to(replays::create_replay))
                .default_service(web::to(|| method_not_allowed("POST"))),
        )
        .service(
            web::resource("/replays/{id}")
                .route(web::get().to(replays::get_replay))
                .default_service(web::to(|| method_not_allowed("GET"))),
        )
        .service(
            web::resource("/keys")
                .route(web::post().to(keys::create_key))
                .route(web::get().to(keys::list_keys))
                .default_service(web::to(|| method_not_allowed("GET, POST"))),
        )
        .service(
            web::resource("/keys/{id}")
                .route(web::delete().to(keys::revoke_key))
                .default_service(web::to(|| method_not_allowed("DELETE"))),
        )
        .default_service(web::to(async || {
            Err::<HttpResponse, _>(OperatorError::NotFound("path"))
        }));
}

async fn method_not_allowed(allow: &'static str) -> Result<HttpResponse, OperatorError> {
    Err(OperatorError::MethodNotAllowed { allow })
}

fn body_rules(state: &State) -> BodyRules {
    BodyRules {
        limit: state.context.max_body_bytes,
        untyped_is_json: false,
    }
}

/// The parameter `id` of the path; one that cannot exist is an unknown one.
fn path_id(request: &HttpRequest) -> String {
    request
        .match_info()
        .get("id")
        .unwrap_or_default()
        .to_owned()
}

/// The body as its type, once no fault was found in it.
fn parse<T: DeserializeOwned>(body: Value, faults: Faults) -> Result<T, OperatorError> {
    faults.into_result().map_err(OperatorError::InvalidBody)?;
    serde_json::from_value(body).map_err(|error| invalid("", &error.to_string()))
}

fn invalid(pointer: &str, message: &str) -> OperatorError {
    let mut faults = Faults::default();
    faults.add(pointer, message);
    OperatorError::InvalidBody(faults)
}

/// The parameters `limit` and `cursor` of a list.
fn page(query: &Query, faults: &mut Faults) -> crate::storage::NumberPage {
    let limit = query
        .integer("limit", 1..=LARGEST_LIMIT, faults)
        .unwrap_or(DEFAULT_LIMIT);
    let before = query.text("cursor", faults).map(cursor::decode);
    if before == Some(None) && !faults.at("cursor") {
        faults.add("cursor", "must be the next of an earlier page");
    }
    crate::storage::NumberPage {
        before: before.flatten(),
        limit: u32::try_from(limit).expect("a limit is at most 1000"),
    }
}

/// The fault of a time that cannot be read.
const BAD_TIME: &str = "must be a date and time with an offset, such as 2025-11-04T15:00:00Z";

/// A parameter that is a date and time with an offset.
fn instant(query: &Query, name: &str, faults: &mut Faults) -> Option<Timestamp> {
    word(query, name, |text| text.parse().ok(), BAD_TIME, faults)
}

/// A parameter whose value must be a word that `read` knows.
fn word<T>(
    query: &Query,
    name: &str,
    read: impl FnOnce(&str) -> Option<T>,
    words: &str,
    faults: &mut Faults,
) -> Option<T> {
    let text = query.text(name, faults)?.to_owned();
    let value = read(&text);
    if value.is_none() && !faults.at(name) {
        faults.add(name, words);
    }
    value
}
