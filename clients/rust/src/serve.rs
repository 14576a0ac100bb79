//! Serves the handlers with secrets of the environment, and shows at /effect how many events they handled; use `clients/run`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::routing::get;

use crate::handler::{Event, Once, conduit, equals_money};
use crate::step::Outcome;

/// Serves until the process ends.
///
/// # Errors
/// When the environment has no secrets, or there is no port.
pub async fn serve() -> Outcome {
    // A map stands for a table with a unique key.
    let done: Arc<Mutex<HashMap<String, Event>>> = Arc::default();
    let known = Arc::clone(&done);
    let once: Once = Arc::new(move |id, event| {
        known.lock().unwrap_or_else(PoisonError::into_inner).entry(id).or_insert(event);
    });
    let effect = move || {
        let handled = done.lock().unwrap_or_else(PoisonError::into_inner).len();
        async move { handled.to_string() }
    };
    let app = Router::new()
        .route("/effect", get(effect))
        .merge(conduit(std::env::var("CONDUIT_SECRET")?, Arc::clone(&once)))
        .merge(equals_money(std::env::var("EQUALS_MONEY_SECRET")?, once));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("listening on http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, app).await?)
}
