//! One open connection, as requests are sent over it: HTTP/1.1, or HTTP/2 where TLS agreed on it.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use http_body_util::Full;
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::client::conn::{TrySendError, http1, http2};
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::timeout;

use super::stream::{Looks, Stream};

/// The largest head of an HTTP/1.1 answer, and how far an HTTP/2 receiver may send ahead in one stream.
pub(super) const READ_BUFFER: u32 = 64 * 1024;

/// How many header fields an HTTP/1.1 answer may have.
pub(super) const MOST_HEADERS: usize = 500;

/// How far an HTTP/2 receiver may send ahead in all streams of a connection.
const CONNECTION_WINDOW: u32 = 1024 * 1024;

/// After how much silence an HTTP/2 connection with requests under way is asked whether it is still there: a dead one fails many.
const PING_AFTER: Duration = Duration::from_secs(5);

/// How often it is looked whether a request was lost between its sender and its connection.
const LOOK: Duration = Duration::from_millis(200);

pub(super) type SendResult = Result<Response<Incoming>, SendFault>;

/// Why a request got no response.
pub(super) enum SendFault {
    /// The exchange broke off. In a box: it may hold the request.
    Http(Box<TrySendError<Request<RequestBody>>>),
    /// The connection ended and never saw the request.
    Lost,
}

impl SendFault {
    fn http(error: TrySendError<Request<RequestBody>>) -> Self {
        Self::Http(Box::new(error))
    }
}

/// The body of a request, which knows whether its connection has looked at it.
pub(super) struct RequestBody {
    bytes: Full<Bytes>,
    /// On a connection that others use too.
    seen: Option<Arc<AtomicBool>>,
}

impl RequestBody {
    pub(super) fn new(bytes: Bytes, is_shared: bool) -> Self {
        Self {
            bytes: Full::new(bytes),
            seen: is_shared.then(Arc::default),
        }
    }

    fn note(&self) {
        if let Some(seen) = &self.seen {
            seen.store(true, Ordering::Release);
        }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.note();
        Pin::new(&mut self.bytes).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.note();
        self.bytes.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.note();
        self.bytes.size_hint()
    }
}

/// A connection that takes requests. It closes when it is dropped and no request is under way.
pub(super) struct Connection {
    protocol: Protocol,
    opened: Instant,
    id: u64,
}

enum Protocol {
    /// One request at a time.
    Http1(Box<Http1>),
    /// Many at once, over clones.
    Http2(http2::SendRequest<RequestBody>),
}

/// An HTTP/1.1 connection. Its user drives it, in the task of the request: a task of its own would have to be woken twice for each.
struct Http1 {
    requests: http1::SendRequest<RequestBody>,
    /// Reads and writes; none once the connection has ended.
    driver: Option<http1::Connection<Stream, RequestBody>>,
    looks: Looks,
}

impl Http1 {
    fn is_ready(&mut self) -> bool {
        self.poll(&mut Context::from_waker(Waker::noop()));
        self.driver.is_some() && self.requests.is_ready()
    }

    /// Reads and writes what can be read and written now.
    fn poll(&mut self, context: &mut Context<'_>) {
        let Some(driver) = &mut self.driver else {
            return;
        };
        // Requests are told their errors themselves.
        if let Poll::Ready(ended) = Pin::new(driver).poll(context) {
            told(ended);
            self.driver = None;
        }
    }
}

impl Connection {
    /// Begins HTTP on an open stream.
    ///
    /// # Errors
    /// When the receiver breaks off at once.
    pub(super) async fn begin(stream: Stream) -> hyper::Result<Self> {
        static NEXT_ID: AtomicU64 = AtomicU64::new(0);
        let protocol = if stream.is_http2() {
            let (requests, connection) = http2::Builder::new(TokioExecutor::new())
                .timer(TokioTimer::new())
                .initial_stream_window_size(READ_BUFFER)
                .initial_connection_window_size(CONNECTION_WINDOW)
                .keep_alive_interval(PING_AFTER)
                .keep_alive_timeout(PING_AFTER)
                .handshake(stream)
                .await?;
            tokio::spawn(drive(connection));
            Protocol::Http2(requests)
        } else {
            let looks = stream.looks();
            let (requests, connection) = http1::Builder::new()
                .max_buf_size(READ_BUFFER as usize)
                .max_headers(MOST_HEADERS)
                // "A user agent that receives an obs-fold in a response message [...] MUST replace each received obs-fold with one or
                // more SP octets" (RFC 9112, 5.2).
                .allow_obsolete_multiline_headers_in_responses(true)
                .handshake(stream)
                .await?;
            Protocol::Http1(Box::new(Http1 {
                requests,
                driver: Some(connection),
                looks,
            }))
        };
        Ok(Self {
            protocol,
            opened: Instant::now(),
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
        })
    }

    /// The same for all clones, and for nothing else.
    pub(super) fn id(&self) -> u64 {
        self.id
    }

    /// Whether it takes several requests at once.
    pub(super) fn is_shareable(&self) -> bool {
        matches!(self.protocol, Protocol::Http2(_))
    }

    /// The same connection for another request beside this one's, where HTTP allows that.
    pub(super) fn try_clone(&self) -> Option<Self> {
        match &self.protocol {
            Protocol::Http1(_) => None,
            Protocol::Http2(requests) => Some(Self {
                protocol: Protocol::Http2(requests.clone()),
                ..*self
            }),
        }
    }

    /// Whether it would take a request now, as far as is known.
    pub(super) fn is_ready(&mut self) -> bool {
        match &mut self.protocol {
            Protocol::Http1(http1) => http1.is_ready(),
            Protocol::Http2(requests) => requests.is_ready(),
        }
    }

    /// Whether it would take a request now and is younger than `max_age`: looks whether the other side has closed it.
    pub(super) fn is_usable(&mut self, max_age: Duration) -> bool {
        if self.is_older_than(max_age) {
            return false;
        }
        match &mut self.protocol {
            Protocol::Http1(http1) => {
                let looks = http1.looks.clone();
                looks.during(|| http1.is_ready())
            }
            Protocol::Http2(requests) => requests.is_ready(),
        }
    }

    /// Whether it is too old for another request.
    pub(super) fn is_older_than(&self, max_age: Duration) -> bool {
        self.opened.elapsed() >= max_age
    }

    /// Waits until it takes the next request, or is closed; says which.
    pub(super) async fn becomes_ready(&mut self) -> bool {
        match &mut self.protocol {
            Protocol::Http1(http1) => poll_fn(|context| {
                http1.poll(context);
                http1.requests.poll_ready(context)
            })
            .await
            .is_ok(),
            Protocol::Http2(requests) => requests.ready().await.is_ok(),
        }
    }

    /// Waits for `exchange` to end, which needs the connection to read and write.
    pub(super) async fn drive<T>(&mut self, exchange: impl Future<Output = T>) -> T {
        let Protocol::Http1(http1) = &mut self.protocol else {
            return exchange.await;
        };
        let mut exchange = pin!(exchange);
        poll_fn(|context| {
            http1.poll(context);
            exchange.as_mut().poll(context)
        })
        .await
    }

    /// Sends a request and waits for the head of the answer.
    pub(super) async fn send(&mut self, request: Request<RequestBody>) -> SendResult {
        match &mut self.protocol {
            Protocol::Http1(http1) => {
                let response = http1.requests.try_send_request(request);
                self.drive(response).await.map_err(SendFault::http)
            }
            Protocol::Http2(requests) => send_shared(requests, request).await,
        }
    }
}

/// Sends a request over a connection that others use too.
///
/// It reaches the connection through a channel of many senders. Where one of these is interrupted while it puts its request there and the
/// connection ends meanwhile, that request and all behind it stay in the channel until the last sender is dropped, and each of them waits
/// for its response: nobody would be told before the deadline.
async fn send_shared(
    requests: &mut http2::SendRequest<RequestBody>,
    request: Request<RequestBody>,
) -> SendResult {
    let seen = request.body().seen.clone();
    let is_seen = || {
        seen.as_ref()
            .is_none_or(|seen| seen.load(Ordering::Acquire))
    };
    let mut response = pin!(requests.try_send_request(request));
    let mut was_closed = false;
    loop {
        match timeout(LOOK, &mut response).await {
            Ok(response) => return response.map_err(SendFault::http),
            // At the second look: the first may come between the end of the connection and what it says of its requests.
            Err(_) if was_closed && !is_seen() => return Err(SendFault::Lost),
            Err(_) => was_closed = requests.is_closed(),
        }
    }
}

/// Reads and writes until the connection ends. Requests are told their errors themselves.
async fn drive(connection: impl Future<Output = hyper::Result<()>>) {
    told(connection.await);
}

fn told(ended: hyper::Result<()>) {
    if let Err(error) = ended {
        tracing::trace!(%error, "a connection to a receiver ended");
    }
}
