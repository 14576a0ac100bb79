//! Sends one request, reads its answer, and says as data what happened.

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_LENGTH, HeaderName, HeaderValue, USER_AGENT};
use hyper::http::Extensions;
use hyper::{Method, Request};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{CaptureConnection, capture_connection};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use jiff::Timestamp;
use rustls::RootCertStore;
use tokio::time::timeout;

use super::answer::{AnswerBody, ended_by_closing, retry_after};
use super::connect::{ConnectFault, Connector};
use super::destination::destination;
use super::resolve::{Resolve, SystemResolver};
use super::stream::Opening;
use crate::domain::{ATTEMPT_DEADLINE, AddressPolicy, Outcome, Timing};

/// The largest head of an HTTP/1.1 answer, and how far an HTTP/2 receiver may send ahead in one stream.
const READ_BUFFER: u32 = 64 * 1024;

/// How far an HTTP/2 receiver may send ahead in all streams of a connection.
const CONNECTION_WINDOW: u32 = 1024 * 1024;

/// After how much silence an HTTP/2 connection with requests under way is asked whether it is still there: a dead one fails many.
const PING_AFTER: Duration = Duration::from_secs(5);

/// How a sender sends.
pub(crate) struct SenderSettings {
    /// Where it may send.
    pub(crate) policy: Arc<AddressPolicy>,
    /// Which certificate authorities it trusts.
    pub(crate) roots: RootCertStore,
    /// How it finds the addresses of names [default: the operating system].
    pub(crate) resolver: Arc<dyn Resolve>,
    /// How long an attempt may take, from the name to the end of the body [default: 10 s].
    pub(crate) deadline: Duration,
    /// `User-Agent` of requests that bring none [default: truehook/VERSION].
    pub(crate) user_agent: HeaderValue,
    /// How much of an answer's body is kept, in bytes [default: 16 KiB].
    pub(crate) kept_body: usize,
    /// How much of it is read, in bytes, so that the connection can be used again; a longer one closes it [default: 64 KiB].
    pub(crate) read_cap: usize,
    /// How long an open connection waits for its next request [default: 60 s].
    pub(crate) idle_timeout: Duration,
    /// How many open connections wait for each host [default: 32].
    pub(crate) idle_per_host: usize,
}

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sent {
    /// What it came to.
    pub(crate) outcome: Outcome,
    /// How long its parts took; `queue` is not known here.
    pub(crate) timing: Timing,
    /// The beginning of the answer's body, as it came over the wire.
    pub(crate) response_body: Vec<u8>,
    /// Whether the answer's body was longer.
    pub(crate) response_truncated: bool,
}

/// Sends requests and keeps the connections. Cheap to clone; the clones share the connections.
#[derive(Clone)]
pub(crate) struct Sender {
    client: Client<Connector, Full<Bytes>>,
    http: bool,
    deadline: Duration,
    user_agent: HeaderValue,
    kept_body: usize,
    read_cap: usize,
}

/// Why a request cannot be written down. The value is not told: it may be a secret.
#[derive(Debug, thiserror::Error)]
#[error("the header `{0}` cannot be sent: HTTP does not allow its value")]
struct HeaderFault(String);

impl SenderSettings {
    /// The defaults.
    pub(crate) fn new(policy: Arc<AddressPolicy>, roots: RootCertStore) -> Self {
        Self {
            policy,
            roots,
            resolver: Arc::new(SystemResolver),
            deadline: ATTEMPT_DEADLINE,
            user_agent: HeaderValue::from_static(concat!("truehook/", env!("CARGO_PKG_VERSION"))),
            kept_body: 16 * 1024,
            read_cap: 64 * 1024,
            idle_timeout: Duration::from_secs(60),
            idle_per_host: 32,
        }
    }
}

impl Sender {
    /// A sender without open connections.
    pub(crate) fn new(settings: SenderSettings) -> Self {
        let SenderSettings {
            policy,
            roots,
            resolver,
            deadline,
            user_agent,
            kept_body,
            read_cap,
            idle_timeout,
            idle_per_host,
        } = settings;
        let http = policy.http;
        let client = Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(idle_timeout)
            .pool_max_idle_per_host(idle_per_host)
            .http1_max_buf_size(READ_BUFFER as usize)
            .http2_initial_stream_window_size(READ_BUFFER)
            .http2_initial_connection_window_size(CONNECTION_WINDOW)
            .http2_keep_alive_interval(PING_AFTER)
            .http2_keep_alive_timeout(PING_AFTER)
            .build(Connector::new(policy, resolver, roots, deadline));
        Self {
            client,
            http,
            deadline,
            user_agent,
            kept_body,
            read_cap,
        }
    }

    /// POSTs `body` to `url`, with `headers` in this order and to the byte, and waits for the answer or the deadline.
    ///
    /// `Host` and `Content-Length` are added. `now` is what a date in `Retry-After` is compared with.
    pub(crate) async fn send(
        &self,
        url: &str,
        headers: &[(&str, &[u8])],
        body: Bytes,
        now: Timestamp,
    ) -> Sent {
        let began = Instant::now();
        let mut timing = Timing::default();
        let mut answer = AnswerBody::default();
        let outcome = match self.request(url, headers, body) {
            Err(refused) => refused,
            Ok(mut request) => {
                let connection = capture_connection(&mut request);
                let exchange = self.exchange(request, now, began, &mut timing, &mut answer);
                let outcome = timeout(self.deadline, exchange).await;
                timing.connect = opening(&connection).and_then(|opening| opening.report(began));
                outcome.unwrap_or(Outcome::TimedOut)
            }
        };
        timing.total = began.elapsed();
        Sent {
            outcome,
            timing,
            response_body: answer.kept,
            response_truncated: answer.truncated,
        }
    }

    fn request(
        &self,
        url: &str,
        headers: &[(&str, &[u8])],
        body: Bytes,
    ) -> Result<Request<Full<Bytes>>, Outcome> {
        let uri = destination(url, self.http).map_err(|fault| Outcome::Refused(chain(&fault)))?;
        let length = HeaderValue::from(body.len());
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = uri;
        for (name, value) in headers {
            let header = header(name, value).map_err(|fault| Outcome::Failed(chain(&fault)))?;
            request.headers_mut().append(header.0, header.1);
        }
        let user_agent = request.headers_mut().entry(USER_AGENT);
        user_agent.or_insert_with(|| self.user_agent.clone());
        // The client would leave it out for an empty body.
        request.headers_mut().insert(CONTENT_LENGTH, length);
        Ok(request)
    }

    async fn exchange(
        &self,
        request: Request<Full<Bytes>>,
        now: Timestamp,
        began: Instant,
        timing: &mut Timing,
        answer: &mut AnswerBody,
    ) -> Outcome {
        let response = match self.client.request(request).await {
            Ok(response) => response,
            Err(error) => return failure(&error),
        };
        timing.first_byte = Some(began.elapsed());
        let (head, body) = response.into_parts();
        match answer.read(body, self.kept_body, self.read_cap).await {
            Err(error) if !ended_by_closing(&head.headers, &error) => failure(&error),
            Ok(()) | Err(_) => Outcome::Answered {
                status: head.status.as_u16(),
                retry_after: retry_after(&head.headers, now),
            },
        }
    }
}

fn header(name: &str, value: &[u8]) -> Result<(HeaderName, HeaderValue), HeaderFault> {
    let fault = || HeaderFault(name.to_owned());
    let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| fault())?;
    let mut value = HeaderValue::from_bytes(value).map_err(|_| fault())?;
    // HTTP/2 compresses headers with what it has seen before, and whoever watches lengths could guess at a secret.
    value.set_sensitive(header == AUTHORIZATION);
    Ok((header, value))
}

/// When the connection that served the request was opened.
fn opening(connection: &CaptureConnection) -> Option<Opening> {
    let mut extras = Extensions::new();
    connection
        .connection_metadata()
        .as_ref()?
        .get_extras(&mut extras);
    extras.remove()
}

/// What an error of the client comes to.
fn failure(error: &(dyn Error + 'static)) -> Outcome {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(fault) = error.downcast_ref::<ConnectFault>() {
            return match fault {
                ConnectFault::Refused(_) | ConnectFault::NameRefused { .. } => {
                    Outcome::Refused(chain(fault))
                }
                ConnectFault::Late => Outcome::TimedOut,
                ConnectFault::Unresolved { .. }
                | ConnectFault::NoAddress(_)
                | ConnectFault::Unreachable { .. }
                | ConnectFault::ServerName { .. }
                | ConnectFault::Tls { .. } => Outcome::Failed(chain(fault)),
            };
        }
        if let Some(error) = error.downcast_ref::<hyper::Error>() {
            let what = if error.is_parse() {
                "the answer is not valid HTTP"
            } else {
                "the connection broke"
            };
            return Outcome::Failed(format!("{what}: {}", chain(error)));
        }
        cause = error.source();
    }
    Outcome::Failed(chain(error))
}

/// An error and its causes in one line. Some errors repeat their cause in their own words.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}
