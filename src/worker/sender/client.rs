//! Sends one request, reads its answer, and says as data what happened.

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hyper::body::{Bytes, Incoming};
use hyper::client::conn::TrySendError;
use hyper::header::{AUTHORIZATION, CONTENT_LENGTH, HOST, HeaderName, HeaderValue, USER_AGENT};
use hyper::{HeaderMap, Method, Request, Response};
use jiff::Timestamp;
use rustls::RootCertStore;
use tokio::time::timeout;

use super::answer::{Answer, ended_by_closing, retry_after};
use super::connect::{ConnectFault, Connector};
use super::connection::{Connection, MOST_HEADERS, READ_BUFFER, RequestBody, SendFault};
use super::pool::{Lease, Pool, PoolLimits};
use super::proxy::TunnelFault;
use super::resolve::{Resolve, SystemResolver};
use super::route::{Route, Routes};
use crate::config::EgressProxy;
use crate::domain::{ATTEMPT_DEADLINE, AddressPolicy, KEPT_BODY, Lack, Outcome, Timing};

/// How many open connections wait for their next request.
const DEFAULT_IDLE: usize = 1_024;

/// How often a request is repeated that the receiver says it has not processed: it could say so for ever.
const MOST_REPEATS: u32 = 9;

/// How a sender sends.
pub(crate) struct SenderSettings {
    /// Where it may send.
    pub(crate) policy: Arc<AddressPolicy>,
    /// Which certificate authorities it trusts.
    pub(crate) roots: RootCertStore,
    /// The proxy that it connects through [default: none].
    pub(crate) proxy: Option<EgressProxy>,
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
    /// How many open connections wait for their next request [default: 1,024].
    pub(crate) idle: usize,
    /// How long an open connection waits for its next request [default: 60 s].
    pub(crate) idle_timeout: Duration,
    /// The age at which a connection takes no further request, so that the name of a busy receiver is resolved again [default: 60 s].
    pub(crate) max_age: Duration,
}

/// The result of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sent {
    /// The outcome.
    pub(crate) outcome: Outcome,
    /// How long its parts took; `queue` is not known here.
    pub(crate) timing: Timing,
    /// The first headers of the answer, in their order.
    pub(crate) response_headers: Vec<(String, String)>,
    /// The beginning of the answer's body, as it came over the wire.
    pub(crate) response_body: Vec<u8>,
    /// Whether the answer had more headers, or a longer body.
    pub(crate) response_truncated: bool,
}

/// Sends requests and keeps the connections. Cheap to clone; the clones share the connections.
#[derive(Clone)]
pub(crate) struct Sender {
    connector: Connector,
    pool: Pool,
    http: bool,
    deadline: Duration,
    user_agent: HeaderValue,
    kept_body: usize,
    read_cap: usize,
    routes: Arc<Routes>,
}

/// A request before it is known which version of HTTP the connection speaks: enough to send it more than once.
struct Prepared<'r> {
    route: Arc<Route>,
    headers: &'r [(&'r str, &'r [u8])],
    user_agent: &'r HeaderValue,
    body: Bytes,
}

/// Why there is no answer.
enum Failure {
    /// There was no connection.
    Connect(ConnectFault),
    /// The request cannot be written down.
    Header(HeaderFault),
    /// The exchange broke off.
    Http(hyper::Error),
    /// One connection after another ended before it took the request.
    Lost,
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
            proxy: None,
            resolver: Arc::new(SystemResolver),
            deadline: ATTEMPT_DEADLINE,
            user_agent: HeaderValue::from_static(concat!("truehook/", env!("CARGO_PKG_VERSION"))),
            kept_body: KEPT_BODY,
            read_cap: 64 * 1024,
            idle: DEFAULT_IDLE,
            idle_timeout: Duration::from_secs(60),
            max_age: Duration::from_secs(60),
        }
    }
}

impl Sender {
    /// A sender without open connections.
    pub(crate) fn new(settings: SenderSettings) -> Self {
        let SenderSettings {
            policy,
            roots,
            proxy,
            resolver,
            deadline,
            user_agent,
            kept_body,
            read_cap,
            idle,
            idle_timeout,
            max_age,
        } = settings;
        let http = policy.http;
        let limits = PoolLimits {
            idle,
            idle_timeout,
            max_age,
        };
        Self {
            connector: Connector::new(policy, resolver, roots, proxy),
            pool: Pool::new(limits),
            http,
            deadline,
            user_agent,
            kept_body,
            read_cap,
            routes: Arc::default(),
        }
    }

    /// POSTs `body` to `url`, with `headers` in this order and to the byte, and waits for the answer or the deadline.
    ///
    /// `Host` and `Content-Length` are added. `now` is what a date in `Retry-After` is compared with.
    ///
    /// # Errors
    /// [`Lack`] when this machine could not even connect: the receiver was not reached, and is not to blame.
    pub(crate) async fn send(
        &self,
        url: &str,
        headers: &[(&str, &[u8])],
        body: Bytes,
        now: Timestamp,
    ) -> Result<Sent, Lack> {
        let began = Instant::now();
        let mut timing = Timing::default();
        let mut answer = Answer::default();
        let outcome = match self.routes.to(url, self.http) {
            Err(fault) => Outcome::Refused(chain(&fault)),
            Ok(route) => {
                let request = Prepared {
                    route,
                    headers,
                    user_agent: &self.user_agent,
                    body,
                };
                let exchange = self.exchange(&request, now, began, &mut timing, &mut answer);
                match timeout(self.deadline, exchange).await {
                    Ok(Err(lack)) => {
                        if lack != Lack::Proxy {
                            // Connections that only wait may hold what is lacking.
                            self.pool.shed();
                        }
                        return Err(lack);
                    }
                    Ok(Ok(outcome)) => outcome,
                    Err(_) => Outcome::TimedOut {
                        status: answer.status,
                    },
                }
            }
        };
        timing.total = began.elapsed();
        Ok(Sent {
            outcome,
            timing,
            response_headers: answer.headers,
            response_body: answer.kept,
            response_truncated: answer.truncated,
        })
    }

    /// How many connections are idle.
    #[cfg(test)]
    pub(super) fn idle(&self) -> usize {
        self.pool.idle()
    }

    async fn exchange(
        &self,
        request: &Prepared<'_>,
        now: Timestamp,
        began: Instant,
        timing: &mut Timing,
        answer: &mut Answer,
    ) -> Result<Outcome, Lack> {
        let (response, mut lease) = match self.respond(request, timing).await {
            Ok(responded) => responded,
            Err(Failure::Connect(fault)) => return unconnected(&fault),
            Err(Failure::Header(fault)) => return Ok(Outcome::failed(chain(&fault))),
            Err(Failure::Http(error)) => return Ok(broken(&error, None)),
            Err(Failure::Lost) => {
                let reason = "the connection broke: it ended before it took the request";
                return Ok(Outcome::failed(reason.to_owned()));
            }
        };
        timing.first_byte = Some(began.elapsed());
        let (head, body) = response.into_parts();
        let status = head.status.as_u16();
        answer.status = Some(status);
        answer.keep_headers(&head.headers);
        let read = answer.read(body, self.kept_body, self.read_cap);
        match lease.drive(read).await {
            Err(error) if !ended_by_closing(&head.headers, &error) => {
                Ok(broken(&error, Some(status)))
            }
            Ok(()) | Err(_) => {
                lease.give_back();
                Ok(Outcome::Answered {
                    status,
                    retry_after: retry_after(&head.headers, now),
                })
            }
        }
    }

    /// Sends the request until the head of an answer comes.
    ///
    /// It is sent again only where it has certainly not been processed: when nothing of it was written, because the connection had
    /// closed before; and when an HTTP/2 receiver says so (RFC 9113, 8.7), as one does that ends a connection after a number of requests.
    /// After HTTP/2 it goes over a connection of its own, for others could use up a shared one before it. All of it is one attempt.
    async fn respond(
        &self,
        request: &Prepared<'_>,
        timing: &mut Timing,
    ) -> Result<(Response<Incoming>, Lease), Failure> {
        let mut repeats = 0;
        loop {
            let headers = request.headers().map_err(Failure::Header)?;
            let idle = if repeats == 0 {
                self.pool.take(&request.route.origin)
            } else {
                None
            };
            let is_reused = idle.is_some();
            let mut lease = match idle {
                Some(lease) => lease,
                // Large and seldom needed: in a box, the attempts that find a connection are small.
                None => Box::pin(self.connect(request, repeats > 0, timing)).await?,
            };
            let is_http2 = lease.is_http2();
            match lease.send(request.build(headers, is_http2)).await {
                Ok(response) => return Ok((response, lease)),
                Err(SendFault::Lost) if repeats < MOST_REPEATS => repeats += 1,
                Err(SendFault::Lost) => return Err(Failure::Lost),
                Err(SendFault::Http(error))
                    if !is_http2 && is_reused && error.message().is_some() => {}
                Err(SendFault::Http(error))
                    if repeats < MOST_REPEATS && is_http2 && is_unprocessed(&error) =>
                {
                    repeats += 1;
                }
                Err(SendFault::Http(error)) => return Err(Failure::Http(error.into_error())),
            }
        }
    }

    async fn connect(
        &self,
        request: &Prepared<'_>,
        alone: bool,
        timing: &mut Timing,
    ) -> Result<Lease, Failure> {
        let began = Instant::now();
        let stream = self.connector.connect(&request.route.uri).await;
        let connection = Connection::begin(stream.map_err(Failure::Connect)?).await;
        let connection = connection.map_err(Failure::Http)?;
        let id = connection.id();
        let lease = if alone {
            self.pool.add_alone(&request.route.origin, connection)
        } else {
            self.pool.add(&request.route.origin, connection)
        };
        // Not of a connection that another request opened meanwhile.
        timing.connect = (lease.id() == Some(id)).then(|| began.elapsed());
        Ok(lease)
    }
}

impl Prepared<'_> {
    /// The headers that it has in every version of HTTP.
    fn headers(&self) -> Result<HeaderMap, HeaderFault> {
        let mut all = HeaderMap::with_capacity(self.headers.len() + 3);
        for (name, value) in self.headers {
            let (name, value) = header(name, value)?;
            all.append(name, value);
        }
        all.entry(USER_AGENT)
            .or_insert_with(|| self.user_agent.clone());
        // HTTP would leave it out for an empty body.
        all.insert(CONTENT_LENGTH, HeaderValue::from(self.body.len()));
        Ok(all)
    }

    /// The request in the form of a version of HTTP: HTTP/1.1 has the host in a header, HTTP/2 in the URI.
    fn build(&self, mut headers: HeaderMap, is_http2: bool) -> Request<RequestBody> {
        let uri = if is_http2 {
            self.route.uri.clone()
        } else {
            headers.insert(HOST, self.route.host.clone());
            self.route.path.clone()
        };
        let mut request = Request::new(RequestBody::new(self.body.clone(), is_http2));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = uri;
        *request.headers_mut() = headers;
        request
    }
}

fn header(name: &str, value: &[u8]) -> Result<(HeaderName, HeaderValue), HeaderFault> {
    let fault = || HeaderFault(name.to_owned());
    let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| fault())?;
    let mut value = HeaderValue::from_bytes(value).map_err(|_| fault())?;
    // HTTP/2 compresses headers against earlier ones, so an observer of lengths could guess at a secret.
    value.set_sensitive(header == AUTHORIZATION);
    Ok((header, value))
}

/// Whether an HTTP/2 receiver has certainly not processed the request: nothing of it was written, its stream was above the last one of a
/// `GOAWAY`, or was reset with `REFUSED_STREAM` (RFC 9113, 8.7).
fn is_unprocessed(error: &TrySendError<Request<RequestBody>>) -> bool {
    let cause = error.error().source();
    let says_so = cause
        .and_then(|cause| cause.downcast_ref())
        .is_some_and(|cause: &h2::Error| {
            let is_refused = cause.is_reset() && cause.reason() == Some(h2::Reason::REFUSED_STREAM);
            cause.is_remote() && (cause.is_go_away() || is_refused)
        });
    says_so || error.message().is_some()
}

/// The outcome of a request without a connection.
fn unconnected(fault: &ConnectFault) -> Result<Outcome, Lack> {
    Ok(match fault {
        ConnectFault::Lack(lack) | ConnectFault::Tunnel(TunnelFault::Lack(lack)) => {
            return Err(*lack);
        }
        ConnectFault::Refused(_)
        | ConnectFault::NameRefused { .. }
        | ConnectFault::Tunnel(TunnelFault::Refused(_)) => Outcome::Refused(chain(fault)),
        ConnectFault::Unresolved { .. }
        | ConnectFault::NoAddress(_)
        | ConnectFault::Unreachable { .. }
        | ConnectFault::ServerName { .. }
        | ConnectFault::Tls { .. }
        | ConnectFault::Tunnel(_)
        | ConnectFault::Stopped => Outcome::failed(chain(fault)),
    })
}

/// The outcome of an exchange that broke off, before its status came or after.
fn broken(error: &hyper::Error, status: Option<u16>) -> Outcome {
    let reason = if error.is_parse_too_large() {
        format!(
            "the answer is not valid HTTP: its head has more than {} KiB or {MOST_HEADERS} fields",
            READ_BUFFER / 1024
        )
    } else if error.is_parse() {
        format!("the answer is not valid HTTP: {}", chain(error))
    } else {
        format!("the connection broke: {}", break_of(error))
    };
    Outcome::Failed { reason, status }
}

/// Why a connection broke. Where the operating system says it, only that: in which part of the exchange makes no difference.
fn break_of(error: &hyper::Error) -> String {
    let mut cause = error.source();
    while let Some(inner) = cause {
        if let Some(error) = inner.downcast_ref::<std::io::Error>() {
            return chain(error);
        }
        cause = inner.source();
    }
    chain(error)
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
