//! A real receiver of webhooks on loopback: keeps what arrives and answers as it is told.

use std::collections::VecDeque;
use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::http::StatusCode;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use serde_json::Value;
use tokio::sync::Notify;

use crate::clock::tests::Machine;

/// How long something may take to arrive on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A running receiver; stopped when it is dropped.
pub(crate) struct Receiver {
    /// `http://127.0.0.1:PORT`.
    pub(crate) url: String,
    shared: Arc<Shared>,
    handle: ServerHandle,
}

#[derive(Default)]
struct Shared {
    received: Mutex<Vec<Received>>,
    replies: Mutex<VecDeque<Reply>>,
    arrived: Notify,
}

/// A request that arrived.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) path: String,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// An answer of the receiver.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// This status and body.
    With(u16, String),
    /// A redirect to this URL.
    Redirect(String),
    /// Nothing, ever.
    Nothing,
    /// 200, once it is notified.
    When(Arc<Notify>),
    /// This status, for which the machine needs this long.
    After(&'static Machine, Duration, u16),
}

impl Receiver {
    pub(crate) fn start() -> Self {
        let shared: Arc<Shared> = Arc::default();
        let data = web::Data::from(shared.clone());
        let server = HttpServer::new(move || {
            App::new()
                .app_data(data.clone())
                .app_data(web::PayloadConfig::new(16 << 20))
                .default_service(web::to(receive))
        })
        .workers(1)
        .bind("127.0.0.1:0")
        .unwrap();
        let url = format!("http://{}", server.addrs()[0]);
        let server = server.run();
        let handle = server.handle();
        drop(actix_web::rt::spawn(server));
        Self {
            url,
            shared,
            handle,
        }
    }

    /// Answers the next requests so, and those after them with 200.
    pub(crate) fn reply(&self, replies: impl IntoIterator<Item = Reply>) {
        self.shared.replies.lock().unwrap().extend(replies);
    }

    /// All that has arrived, once it is `count` requests.
    pub(crate) async fn wait_for(&self, count: usize) -> Vec<Received> {
        loop {
            let arrived = self.shared.arrived.notified();
            let received = self.received();
            if received.len() >= count {
                return received;
            }
            let more = tokio::time::timeout(PATIENCE, arrived).await;
            assert!(
                more.is_ok(),
                "{count} requests did not arrive: {received:?}"
            );
        }
    }

    /// All that has arrived.
    pub(crate) fn received(&self) -> Vec<Received> {
        self.shared.received.lock().unwrap().clone()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(given, _)| given == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

impl Reply {
    pub(crate) fn status(status: u16) -> Self {
        Self::With(status, String::new())
    }
}

async fn receive(
    request: HttpRequest,
    body: web::Bytes,
    shared: web::Data<Shared>,
) -> HttpResponse {
    let headers = request.headers().iter().map(|(name, value)| {
        let value = value.to_str().unwrap().to_owned();
        (name.as_str().to_owned(), value)
    });
    let received = Received {
        path: request.uri().to_string(),
        headers: headers.collect(),
        body: body.to_vec(),
    };
    shared.received.lock().unwrap().push(received);
    let reply = shared.replies.lock().unwrap().pop_front();
    shared.arrived.notify_waiters();
    match reply {
        None => HttpResponse::Ok().finish(),
        Some(Reply::With(status, body)) => {
            HttpResponse::build(StatusCode::from_u16(status).unwrap()).body(body)
        }
        Some(Reply::Redirect(to)) => HttpResponse::TemporaryRedirect()
            .insert_header(("Location", to))
            .finish(),
        Some(Reply::Nothing) => pending().await,
        Some(Reply::When(told)) => {
            told.notified().await;
            HttpResponse::Ok().finish()
        }
        Some(Reply::After(machine, time, status)) => {
            machine.pass(time);
            HttpResponse::build(StatusCode::from_u16(status).unwrap()).finish()
        }
    }
}
