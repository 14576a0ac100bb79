//! The receiver: an HTTP server on loopback that answers each delivery, or has the target of `--forward-to` answer it, and hands it
//! over. It judges nothing.
//!
//! A delivery is accepted once it is handed over, and refused when it cannot be, so that the sender tries it again. The answer of a
//! target is passed on in any case: the target has the delivery.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use anyhow::Context;
use data_encoding::HEXLOWER;
use jiff::Timestamp;
use tokio::sync::mpsc;

use super::forward::{Forwarded, Forwarder, Headers, Response};
use crate::clock::Clock;
use crate::entropy;

/// The largest body that is read.
const BODY_LIMIT: usize = 1024 * 1024;

/// How long a sender may take to send a body.
const PATIENCE: Duration = Duration::from_secs(30);

/// How many deliveries wait to be printed before senders have to wait.
const QUEUE: usize = 64;

/// How long answers under way may take when it stops, in seconds.
const STOP_SECONDS: u64 = 5;

/// A delivery as it arrived.
#[derive(Debug, Clone)]
pub(super) struct Delivery {
    pub(super) received_at: Timestamp,
    /// Which of the registered webhooks it is for: the last segment of its path.
    pub(super) webhook: String,
    /// Lower-case names with their values, by name: the order of different names means nothing, and is lost on the way here.
    pub(super) headers: Headers,
    pub(super) body: Vec<u8>,
    /// The status that it was answered with.
    pub(super) answered: u16,
    /// The result at the target, where there is one.
    pub(super) forwarded: Option<Forwarded>,
}

impl Delivery {
    /// The values of a header, whatever the case of its name.
    pub(super) fn values<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.headers
            .iter()
            .filter(move |(header, _)| header.eq_ignore_ascii_case(name))
            .map(|(_, value)| &**value)
    }

    #[cfg(test)]
    pub(super) fn example(headers: &[(&str, &str)], body: &str, received_at: Timestamp) -> Self {
        let headers = headers.iter();
        Self {
            received_at,
            webhook: "webhook".to_owned(),
            headers: headers
                .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()))
                .collect(),
            body: body.as_bytes().to_vec(),
            answered: 200,
            forwarded: None,
        }
    }
}

/// A request that came in.
#[derive(Debug)]
pub(super) enum Arrival {
    Delivery(Delivery),
    /// Something that was refused, in a sentence.
    Refused(String),
}

/// How a receiver answers.
#[derive(Debug)]
pub(super) struct Rules {
    pub(super) port: u16,
    /// Whether deliveries are received on all addresses of this machine, and not on loopback alone.
    pub(super) everywhere: bool,
    pub(super) answer: Answer,
    /// How many deliveries are taken; the others are refused.
    pub(super) count: Option<u64>,
}

/// Where answers come from.
#[derive(Debug)]
pub(super) enum Answer {
    /// Every delivery gets this status.
    Status(StatusCode),
    /// Every delivery gets what its target answers, or 502.
    Target(Forwarder),
}

/// A running receiver.
pub(super) struct Receiver {
    /// Its address, with a path that nobody can guess: deliveries to a receiver that had the port before are told apart.
    path: String,
    port: u16,
    arrivals: mpsc::Receiver<Arrival>,
    handle: ServerHandle,
}

struct State {
    path: String,
    answer: Answer,
    left: AtomicU64,
    clock: Clock,
    arrivals: mpsc::Sender<Arrival>,
}

impl Receiver {
    /// Opens the port and starts to answer.
    ///
    /// # Errors
    /// When the port cannot be had.
    pub(super) fn start(rules: Rules, clock: Clock) -> anyhow::Result<Self> {
        // The first that this machine has: IPv6 takes IPv4 with it.
        let addresses: &[IpAddr] = if rules.everywhere {
            &[
                IpAddr::V6(Ipv6Addr::UNSPECIFIED),
                IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            ]
        } else {
            &[IpAddr::V4(Ipv4Addr::LOCALHOST)]
        };
        let addresses: Vec<SocketAddr> = addresses
            .iter()
            .map(|address| SocketAddr::new(*address, rules.port))
            .collect();
        let listener = TcpListener::bind(addresses.as_slice()).with_context(|| {
            format!(
                "cannot listen on port {}; choose another port with --port, or 0 for a free one",
                rules.port
            )
        })?;
        let port = listener.local_addr()?.port();
        let path = format!("/{}", HEXLOWER.encode(&entropy::bytes::<8>()));
        let (sender, arrivals) = mpsc::channel(QUEUE);
        let state = web::Data::new(State {
            path: path.clone(),
            answer: rules.answer,
            left: AtomicU64::new(rules.count.unwrap_or(u64::MAX)),
            clock,
            arrivals: sender,
        });
        let app = move || {
            App::new()
                .app_data(state.clone())
                .default_service(web::to(receive))
        };
        let server = HttpServer::new(app)
            .workers(1)
            .disable_signals()
            .shutdown_timeout(STOP_SECONDS)
            .listen(listener)?
            .run();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        Ok(Self {
            path,
            port,
            arrivals,
            handle,
        })
    }

    /// The port that it listens on.
    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// The path of all its webhooks.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// Waits for what comes in next; may be dropped while it waits.
    pub(super) async fn next(&mut self) -> Option<Arrival> {
        self.arrivals.recv().await
    }

    /// Takes nothing in any more; gives what came in but was not looked at.
    pub(super) async fn stop(mut self) -> Vec<Arrival> {
        self.arrivals.close();
        let mut rest = Vec::new();
        while let Some(arrival) = self.arrivals.recv().await {
            rest.push(arrival);
        }
        self.handle.stop(true).await;
        rest
    }
}

async fn receive(
    state: web::Data<State>,
    request: HttpRequest,
    payload: web::Payload,
) -> HttpResponse {
    let refuse = async |status: StatusCode, reason: String| {
        // Nobody is left to tell when this fails.
        let _ = state.arrivals.send(Arrival::Refused(reason)).await;
        HttpResponse::build(status).finish()
    };
    let own = request.path().strip_prefix(&state.path);
    let Some(webhook) = own.and_then(|rest| rest.strip_prefix('/')) else {
        let reason = format!(
            "answered 404 to {} {}: no webhook of this run",
            request.method(),
            request.path()
        );
        return refuse(StatusCode::NOT_FOUND, reason).await;
    };
    if request.method() != Method::POST {
        let reason = format!("answered 405 to {}: deliveries are POSTs", request.method());
        return refuse(StatusCode::METHOD_NOT_ALLOWED, reason).await;
    }
    let read = tokio::time::timeout(PATIENCE, payload.to_bytes_limited(BODY_LIMIT)).await;
    let body = match read {
        Ok(Ok(Ok(body))) => body.to_vec(),
        Ok(Err(_)) => {
            let reason = format!("answered 413 to a delivery with more than {BODY_LIMIT} bytes");
            return refuse(StatusCode::PAYLOAD_TOO_LARGE, reason).await;
        }
        Ok(Ok(Err(_))) | Err(_) => {
            let reason = "answered 400 to a delivery whose body did not arrive".to_owned();
            return refuse(StatusCode::BAD_REQUEST, reason).await;
        }
    };
    let take = |left: u64| left.checked_sub(1);
    let left = &state.left;
    if left
        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take)
        .is_err()
    {
        return HttpResponse::ServiceUnavailable().finish();
    }
    let headers = request.headers().iter();
    let mut headers: Vec<_> = headers
        .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()))
        .collect();
    // Stable: the values of one name stay in their order.
    headers.sort_by(|(one, _), (other, _)| one.cmp(other));
    let delivery = Delivery {
        received_at: state.clock.now(),
        webhook: webhook.to_owned(),
        headers,
        body,
        answered: 0,
        forwarded: None,
    };
    // In a task of its own: a sender that goes away must not keep what the target got from being shown.
    let answered = actix_web::rt::spawn(answer(state, delivery)).await;
    answered.unwrap_or_else(|_| HttpResponse::InternalServerError().finish())
}

/// Finds the answer of a delivery and hands the delivery over.
async fn answer(state: web::Data<State>, mut delivery: Delivery) -> HttpResponse {
    let response = match &state.answer {
        Answer::Status(status) => {
            delivery.answered = status.as_u16();
            HttpResponse::build(*status).finish()
        }
        Answer::Target(forwarder) => {
            let body = delivery.body.clone();
            let (forwarded, answered) = forwarder.forward(&delivery.headers, body).await;
            let response = answered.map_or_else(|| HttpResponse::BadGateway().finish(), hand_back);
            delivery.forwarded = Some(forwarded);
            delivery.answered = response.status().as_u16();
            response
        }
    };
    let target_has_it = delivery
        .forwarded
        .as_ref()
        .is_some_and(|forwarded| forwarded.error.is_none());
    match state.arrivals.send(Arrival::Delivery(delivery)).await {
        Err(_) if !target_has_it => HttpResponse::ServiceUnavailable().finish(),
        Ok(()) | Err(_) => response,
    }
}

/// The target's answer as our own.
fn hand_back(answer: Response) -> HttpResponse {
    let Ok(status) = StatusCode::from_u16(answer.status) else {
        return HttpResponse::BadGateway().finish();
    };
    let mut response = HttpResponse::build(status);
    for (name, value) in &answer.headers {
        let name = HeaderName::from_bytes(name.as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(value)) {
            response.append_header((name, value));
        }
    }
    response.body(answer.body)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn post(url: &str, body: Vec<u8>) -> u16 {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let answer = client
            .post(url)
            .header("X-Twice", "1")
            .header("X-Twice", "2");
        answer.body(body).send().await.unwrap().status().as_u16()
    }

    fn receiver(answer: u16, count: Option<u64>) -> (Receiver, String) {
        let answer = StatusCode::from_u16(answer).unwrap();
        let rules = Rules {
            everywhere: false,
            port: 0,
            answer: Answer::Status(answer),
            count,
        };
        let receiver = Receiver::start(rules, Clock::real()).unwrap();
        let url = format!("http://127.0.0.1:{}{}", receiver.port(), receiver.path());
        (receiver, url)
    }

    #[actix_web::test]
    async fn a_delivery_is_answered_and_handed_over_as_it_came() {
        let (mut receiver, url) = receiver(503, None);
        let body = vec![0xff; BODY_LIMIT];
        assert_eq!(post(&format!("{url}/one"), body.clone()).await, 503);
        let Some(Arrival::Delivery(delivery)) = receiver.next().await else {
            panic!("it is a delivery");
        };
        assert_eq!((delivery.webhook.as_str(), delivery.answered), ("one", 503));
        assert_eq!(delivery.body, body);
        let twice: Vec<&[u8]> = delivery.values("x-twice").collect();
        assert_eq!(twice, [b"1", b"2"]);
        assert!(receiver.stop().await.is_empty());
    }

    #[actix_web::test]
    async fn what_is_no_delivery_of_this_run_is_refused_and_named() {
        let (mut receiver, url) = receiver(200, None);
        let other = format!("http://127.0.0.1:{}/elsewhere/one", receiver.port());
        for (url, size, status) in [
            (other, 1, 404),
            (url.clone(), 1, 404),
            (format!("{url}/one"), BODY_LIMIT + 1, 413),
        ] {
            assert_eq!(post(&url, vec![b' '; size]).await, status);
            let Some(Arrival::Refused(reason)) = receiver.next().await else {
                panic!("it is not a delivery");
            };
            assert!(reason.contains(&status.to_string()), "{reason}");
        }
        receiver.stop().await;
    }

    #[actix_web::test]
    async fn no_more_than_the_wanted_number_is_taken() {
        let (receiver, url) = receiver(200, Some(2));
        let url = format!("{url}/one");
        for expected in [200, 200, 503] {
            assert_eq!(post(&url, b"{}".to_vec()).await, expected);
        }
        assert_eq!(receiver.stop().await.len(), 2);
    }

    #[actix_web::test]
    async fn a_port_in_use_is_named_with_what_to_do() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let rules = Rules {
            everywhere: false,
            port: taken.local_addr().unwrap().port(),
            answer: Answer::Status(StatusCode::OK),
            count: None,
        };
        let Err(error) = Receiver::start(rules, Clock::real()) else {
            panic!("the port is taken");
        };
        assert!(error.to_string().contains("--port"), "{error}");
    }
}
