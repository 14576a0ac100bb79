//! Orders: an application as small as one can be that creates, lists, reads and deletes. Its test holds it to `openapi.yaml`.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use actix_web::http::StatusCode;
use actix_web::http::header::{AUTHORIZATION, CONTENT_TYPE};
use actix_web::web::{self, Bytes, Data, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};

/// The orders, and the token that requests need: `Authorization: Bearer TOKEN`.
pub struct Orders {
    token: &'static str,
    orders: Mutex<BTreeMap<u64, Value>>,
}

impl Orders {
    /// No orders.
    pub fn new(token: &'static str) -> Self {
        Self {
            token,
            orders: Mutex::default(),
        }
    }

    /// The orders, if the request has the token.
    fn authorized(&self, request: &HttpRequest) -> Option<MutexGuard<'_, BTreeMap<u64, Value>>> {
        let expected = format!("Bearer {}", self.token);
        let given = request.headers().get(AUTHORIZATION)?;
        (given.as_bytes() == expected.as_bytes())
            .then(|| self.orders.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The routes of the application, for `App::configure`.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(
            web::resource("/orders")
                .get(list_orders)
                .post(create_order)
                .default_service(web::to(async || not_allowed("GET, POST"))),
        )
        .service(
            web::resource("/orders/{id}")
                .get(get_order)
                .delete(delete_order)
                .default_service(web::to(async || not_allowed("GET, DELETE"))),
        );
}

async fn list_orders(orders: Data<Orders>, request: HttpRequest) -> HttpResponse {
    match orders.authorized(&request) {
        Some(orders) => {
            HttpResponse::Ok().json(json!({"orders": orders.values().collect::<Vec<_>>()}))
        }
        None => unauthorized(),
    }
}

async fn create_order(orders: Data<Orders>, request: HttpRequest, body: Bytes) -> HttpResponse {
    let Some(mut orders) = orders.authorized(&request) else {
        return unauthorized();
    };
    let media_type = request.headers().get(CONTENT_TYPE);
    if !media_type.is_some_and(|media_type| media_type.as_bytes().starts_with(b"application/json"))
    {
        return problem(StatusCode::UNSUPPORTED_MEDIA_TYPE, "send application/json");
    }
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let quantity = body.get("quantity").and_then(whole);
    let known = body
        .as_object()
        .is_some_and(|members| members.keys().all(|name| name == "quantity"));
    let Some(quantity) = quantity.filter(|_| known) else {
        return problem(
            StatusCode::BAD_REQUEST,
            "an order has a quantity from 1 to 100",
        );
    };
    let id = orders.last_key_value().map_or(1, |(last, _)| last + 1);
    let order = json!({"id": id, "quantity": quantity});
    orders.insert(id, order.clone());
    HttpResponse::Created().json(order)
}

/// A whole number from 1 to 100, also one that is written as `1.0`: JSON Schema takes it for an integer.
fn whole(value: &Value) -> Option<u32> {
    let number = value.as_f64()?;
    (1..=100).find(|whole| f64::from(*whole) == number)
}

async fn get_order(orders: Data<Orders>, request: HttpRequest, id: Path<String>) -> HttpResponse {
    let Some(orders) = orders.authorized(&request) else {
        return unauthorized();
    };
    match id.parse().ok().and_then(|id: u64| orders.get(&id)) {
        Some(order) => HttpResponse::Ok().json(order),
        None => problem(StatusCode::NOT_FOUND, "no such order"),
    }
}

async fn delete_order(
    orders: Data<Orders>,
    request: HttpRequest,
    id: Path<String>,
) -> HttpResponse {
    let Some(mut orders) = orders.authorized(&request) else {
        return unauthorized();
    };
    match id.parse().ok().and_then(|id: u64| orders.remove(&id)) {
        Some(_) => HttpResponse::NoContent().finish(),
        None => problem(StatusCode::NOT_FOUND, "no such order"),
    }
}

fn unauthorized() -> HttpResponse {
    problem(StatusCode::UNAUTHORIZED, "no token")
}

fn not_allowed(methods: &str) -> HttpResponse {
    HttpResponse::MethodNotAllowed()
        .insert_header(("Allow", methods))
        .json(json!({"title": "no such method"}))
}

fn problem(status: StatusCode, title: &str) -> HttpResponse {
    HttpResponse::build(status).json(json!({"title": title}))
}
