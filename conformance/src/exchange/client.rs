//! The client: HTTP/1.1 over connections that are kept alive, as many as requests are under way at once.
//!
//! A server may close a connection while it is idle, and a request that is sent then fails through nobody's fault. Such a failure (on a
//! connection that was used before, without a byte of an answer) is not the server's: the request is sent once more, on a new
//! connection, where its method is idempotent (RFC 9110, 9.2.2; RFC 9112, 9.3.1). Others are sent on a used connection only when the
//! server has been seen to keep one alive, and right after its last answer.
//!
//! No connection is a task of its own: it is driven by the request that uses it, and looked at before it is used again.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Body, Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{
    CONTENT_LENGTH, HOST, HeaderName, HeaderValue, PROXY_AUTHORIZATION, TRANSFER_ENCODING,
};
use hyper::{Method, Uri, Version};
use hyper_util::rt::TokioIo;
use tokio::task::coop::consume_budget;
use tokio::time::{Instant, timeout_at};

use super::connector::{Connector, Counted, Meter, Origin, Unreachable};
use super::transport::{Transport, TransportError};
use super::{Answer, BODY_LIMIT, Exchange, Request, Response, cause, header};
use crate::finding::{Failure, Unwritable};

/// How much is read at once, and the size of the largest head, in bytes. All of it is parsed before the deadline is looked at again, which a
/// flood of interim responses would delay by seconds with the larger default.
const READ_AHEAD: usize = 64 * 1024;

/// How long a connection may have been idle that is used again. Servers close theirs after 5 s and more.
const IDLE: Duration = Duration::from_secs(3);
/// The same for requests that must not be sent twice.
const IDLE_ONCE: Duration = Duration::from_millis(500);

/// Sends requests, any number at a time.
#[derive(Debug)]
pub struct Client {
    connector: Connector,
    timeout: Duration,
    idle: RefCell<HashMap<Origin, Vec<Idle>>>,
    /// Whether a server has answered a second request on a connection.
    keeps_alive: Cell<bool>,
}

#[derive(Debug)]
struct Idle {
    connection: Connection,
    since: Instant,
}

/// A connection and what drives it.
struct Connection {
    sender: http1::SendRequest<Full<Bytes>>,
    driver: Pin<Box<http1::Connection<TokioIo<Counted>, Full<Bytes>>>>,
    /// The driver has ended.
    closed: bool,
    meter: Rc<Meter>,
    /// A request was answered on it.
    used: bool,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Connection").finish_non_exhaustive()
    }
}

impl Client {
    /// A client that gives each exchange this much time in all.
    ///
    /// # Errors
    /// When a file of the transport cannot be used.
    pub fn new(timeout: Duration, transport: &Transport) -> Result<Self, TransportError> {
        Ok(Self {
            connector: Connector::new(transport)?,
            timeout,
            idle: RefCell::default(),
            keeps_alive: Cell::new(false),
        })
    }

    /// Makes a connection to the origin of a URL, to learn whether anything listens there; the first request uses it.
    ///
    /// # Errors
    /// The reason why there is no connection.
    pub async fn reach(&self, url: &str) -> Result<(), Unreachable> {
        let uri = uri(url).map_err(|error| Unreachable::Dead(error.to_string()))?;
        let no_host = || Unreachable::Dead("the URL has no host".to_owned());
        let origin = Origin::of(&uri).ok_or_else(no_host)?;
        match timeout_at(Instant::now() + self.timeout, self.connect(&origin)).await {
            Ok(connection) => {
                self.put_back(&origin, connection?);
                Ok(())
            }
            Err(_) => Err(Unreachable::Dead(no_connection(self.timeout))),
        }
    }

    /// Whether a port that was asked in plain HTTP speaks TLS.
    pub async fn speaks_tls(&self, url: &str) -> bool {
        let Some(origin) = uri(url).ok().and_then(|uri| Origin::of(&uri)) else {
            return false;
        };
        // A server that hangs was waited for before.
        let patience = self.timeout.min(Duration::from_secs(5));
        let asked = self.connector.speaks_tls(&origin);
        url.starts_with("http://")
            && timeout_at(Instant::now() + patience, asked)
                .await
                .unwrap_or_default()
    }

    /// Sends a request and waits for the whole answer. A missing or broken answer is data, not an error.
    ///
    /// # Errors
    /// When the request cannot be written as HTTP.
    pub async fn send(&self, request: Request) -> Result<Exchange, Unwritable> {
        self.send_within(request, self.timeout).await
    }

    /// The same with a time of its own.
    ///
    /// # Errors
    /// As for [`Self::send`].
    pub async fn send_within(
        &self,
        request: Request,
        timeout: Duration,
    ) -> Result<Exchange, Unwritable> {
        let answer = self.answer(&request, timeout).await?;
        Ok(answer.to(request))
    }

    /// The answer to a request.
    ///
    /// # Errors
    /// As for [`Self::send`].
    pub async fn answer(&self, request: &Request, timeout: Duration) -> Result<Answer, Unwritable> {
        let mut message = Message::new(request)?;
        if let Some(proxy) = self.connector.plain_proxy(&message.origin) {
            message.through(proxy.authorization().as_deref(), &request.url)?;
        }
        let start = Instant::now();
        let mut progress = Progress {
            deadline: Some(start + timeout),
            ..Progress::default()
        };
        let sent = self.exchange(&message, &mut progress);
        let failure = match timeout_at(start + timeout, sent).await {
            Ok(sent) => sent.err(),
            Err(_) if !progress.connected => Some(Failure::Connect {
                cause: no_connection(timeout),
            }),
            Err(_) => Some(Failure::Timeout {
                seconds: timeout.as_secs_f64(),
            }),
        };
        Ok(Answer {
            response: progress.response,
            failure,
            duration: start.elapsed(),
        })
    }

    async fn exchange(&self, message: &Message, progress: &mut Progress) -> Result<(), Failure> {
        let origin = &message.origin;
        if let Some(mut connection) = self.idle(message).await {
            progress.connected = true;
            let (before, used) = (connection.meter.received.get(), connection.used);
            let sent = connection.exchange(message, progress).await;
            let answered = connection.meter.received.get() > before;
            match sent {
                Err(_) if used && !answered && message.is_idempotent => progress.response = None,
                Err(failure) => return Err(failure),
                Ok(()) => {
                    self.keeps_alive.set(self.keeps_alive.get() || used);
                    self.put_back(origin, connection);
                    return Ok(());
                }
            }
            // The cause of this failure may have affected the other idle connections too.
            self.idle.borrow_mut().remove(origin);
        }
        let connected = self.connect(origin).await;
        let mut connection = connected.map_err(|error| Failure::Connect {
            cause: error.into_cause(),
        })?;
        progress.connected = true;
        connection.exchange(message, progress).await?;
        self.put_back(origin, connection);
        Ok(())
    }

    /// An idle connection that the server has not closed, as far as is known, and on which the request may be sent.
    async fn idle(&self, message: &Message) -> Option<Connection> {
        loop {
            let last = {
                let mut all = self.idle.borrow_mut();
                let own = all.get_mut(&message.origin)?;
                let last = own.last()?;
                if last.connection.used && !message.is_idempotent && !self.keeps_alive.get() {
                    return None;
                }
                own.pop()?
            };
            let mut connection = last.connection;
            connection.look().await;
            let limit = if message.is_idempotent {
                IDLE
            } else {
                IDLE_ONCE
            };
            if !connection.closed && last.since.elapsed() < limit {
                return Some(connection);
            }
        }
    }

    fn put_back(&self, origin: &Origin, connection: Connection) {
        if connection.closed || !connection.sender.is_ready() {
            return;
        }
        let idle = Idle {
            connection,
            since: Instant::now(),
        };
        let mut all = self.idle.borrow_mut();
        match all.get_mut(origin) {
            Some(own) => own.push(idle),
            None => {
                all.insert(origin.clone(), vec![idle]);
            }
        }
    }

    async fn connect(&self, origin: &Origin) -> Result<Connection, Unreachable> {
        let stream = self.connector.connect(origin).await?;
        let meter = stream.meter();
        let mut builder = http1::Builder::new();
        builder.max_buf_size(READ_AHEAD);
        // As curl writes them, so that a request can be sent again byte for byte.
        builder.title_case_headers(true);
        let made = builder.handshake(TokioIo::new(stream)).await;
        let (sender, driver) = made.map_err(|error| Unreachable::Dead(cause::of(&error)))?;
        let mut connection = Connection {
            sender,
            driver: Box::pin(driver),
            closed: false,
            meter,
            used: false,
        };
        connection.look().await;
        Ok(connection)
    }
}

fn no_connection(timeout: Duration) -> String {
    format!("no connection after {} s", timeout.as_secs_f64())
}

impl Connection {
    fn drive(&mut self, context: &mut Context<'_>) {
        // The request learns of an error by itself.
        if !self.closed && self.driver.as_mut().poll(context).is_ready() {
            self.closed = true;
        }
    }

    /// Lets the connection notice what came while nobody drove it.
    async fn look(&mut self) {
        self.meter.deadline.set(None);
        poll_fn(|context| {
            self.drive(context);
            Poll::Ready(())
        })
        .await;
    }

    async fn exchange(
        &mut self,
        message: &Message,
        progress: &mut Progress,
    ) -> Result<(), Failure> {
        self.meter.deadline.set(progress.deadline);
        let incoming = {
            let mut sending = pin!(self.sender.send_request(message.request()));
            let (driver, closed) = (&mut self.driver, &mut self.closed);
            poll_fn(|context| {
                if !*closed && driver.as_mut().poll(context).is_ready() {
                    *closed = true;
                }
                sending.as_mut().poll(context)
            })
            .await
            .map_err(|error| broken(&error))?
        };
        let (head, body) = incoming.into_parts();
        let response = progress.response.insert(Response {
            status: head.status.as_u16(),
            headers: head
                .headers
                .iter()
                .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()))
                .collect(),
            body: Vec::new(),
        });
        self.read(body, &mut response.body).await?;
        self.used = true;
        self.look().await;
        Ok(())
    }

    async fn read(&mut self, mut incoming: Incoming, body: &mut Vec<u8>) -> Result<(), Failure> {
        loop {
            let frame = poll_fn(|context| {
                self.drive(context);
                Pin::new(&mut incoming).poll_frame(context)
            });
            let Some(frame) = frame.await else {
                return Ok(());
            };
            // A server that floods with small chunks is always ready, and would keep the deadline from being looked at.
            consume_budget().await;
            let Ok(chunk) = frame.map_err(|error| broken(&error))?.into_data() else {
                continue;
            };
            if body.len() + chunk.len() > BODY_LIMIT {
                return Err(Failure::TooLarge { limit: BODY_LIMIT });
            }
            body.extend_from_slice(&chunk);
        }
    }
}

/// How far an exchange has come.
#[derive(Default)]
struct Progress {
    deadline: Option<Instant>,
    connected: bool,
    response: Option<Response>,
}

/// A request that can be written.
struct Message {
    origin: Origin,
    is_idempotent: bool,
    method: Method,
    /// Path and query.
    target: Uri,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Bytes,
}

impl Message {
    fn new(request: &Request) -> Result<Self, Unwritable> {
        let method = Method::from_bytes(request.method.as_bytes());
        let method = method.map_err(|_| Unwritable::Method {
            method: request.method.clone(),
        })?;
        let uri = uri(&request.url)?;
        let no_host = || Unwritable::Url {
            url: request.url.clone(),
            cause: "the URL has no host".to_owned(),
        };
        let origin = Origin::of(&uri).ok_or_else(no_host)?;
        let mut headers = Vec::with_capacity(request.headers.len() + 2);
        let given = |name: &str| {
            let mut given = request.headers.iter();
            given.any(|(known, _)| known.eq_ignore_ascii_case(name))
        };
        if !given(HOST.as_str()) {
            let host = origin.host_header();
            headers.push((HOST, HeaderValue::try_from(host).map_err(|_| no_host())?));
        }
        for (name, value) in &request.headers {
            headers.push(header(name, value)?);
        }
        if let Some(body) = &request.body
            && !given(CONTENT_LENGTH.as_str())
            && !given(TRANSFER_ENCODING.as_str())
        {
            headers.push((CONTENT_LENGTH, HeaderValue::from(body.len())));
        }
        let target = uri.path_and_query().cloned();
        Ok(Self {
            is_idempotent: matches!(
                request.method.as_str(),
                "GET" | "HEAD" | "OPTIONS" | "TRACE" | "PUT" | "DELETE" | "QUERY"
            ),
            origin,
            method,
            target: target.map_or_else(|| Uri::from_static("/"), Uri::from),
            headers,
            body: Bytes::from(request.body.clone().unwrap_or_default()),
        })
    }

    /// Makes it one to a proxy, which needs the whole URL.
    fn through(&mut self, authorization: Option<&str>, url: &str) -> Result<(), Unwritable> {
        self.target = uri(url)?;
        if let Some(authorization) = authorization {
            let (name, value) = header(PROXY_AUTHORIZATION.as_str(), authorization)?;
            self.headers.push((name, value));
        }
        Ok(())
    }

    fn request(&self) -> hyper::Request<Full<Bytes>> {
        let mut request = hyper::Request::new(Full::new(self.body.clone()));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.target.clone();
        *request.version_mut() = Version::HTTP_11;
        for (name, value) in &self.headers {
            request.headers_mut().append(name, value.clone());
        }
        request
    }
}

fn uri(url: &str) -> Result<Uri, Unwritable> {
    Uri::try_from(url).map_err(|error| Unwritable::Url {
        url: url.to_owned(),
        cause: error.to_string(),
    })
}

fn broken(error: &hyper::Error) -> Failure {
    Failure::Broken {
        cause: cause::of(error),
    }
}
