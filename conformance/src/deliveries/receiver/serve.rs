//! Serves the connections of a receiver: reads each request, keeps it, and plays the answer of its script.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::Response;
use hyper::body::{Bytes, Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;

use super::{Arrival, Shared};
use crate::clock;
use crate::deliveries::reply::Reply;
use crate::exchange::{Client, Request, Transport};
use crate::hooks::{Message, Verdict};

/// Largest body that is kept.
const BODY_LIMIT: usize = 10 * 1024 * 1024;

/// Most connections at once; more wait.
const CONNECTIONS: usize = 1024;

/// Most arrivals that are kept in all; further ones are answered and counted.
const ARRIVALS: usize = 200_000;

/// Most bytes of bodies that are kept in all; arrivals beyond it are answered and counted.
const BYTES: usize = 512 * 1024 * 1024;

/// How long nothing comes between two bytes of an answer that drips.
const DRIP: Duration = Duration::from_millis(200);

pub(super) async fn serve(listener: TcpListener, tls: Option<TlsAcceptor>, shared: Arc<Shared>) {
    let seats = Arc::new(Semaphore::new(CONNECTIONS));
    // Connections end with the receiver.
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let Ok(seat) = Arc::clone(&seats).acquire_owned().await else {
            return;
        };
        // No descriptor is free, or the peer is gone already: the next one may do better.
        let Ok((stream, _)) = listener.accept().await else {
            tokio::task::yield_now().await;
            continue;
        };
        while connections.try_join_next().is_some() {}
        let (tls, shared) = (tls.clone(), Arc::clone(&shared));
        connections.spawn(async move {
            let _seat = seat;
            let _ = stream.set_nodelay(true);
            match tls {
                None => connection(stream, shared).await,
                Some(tls) => {
                    if let Ok(stream) = tls.accept(stream).await {
                        connection(stream, shared).await;
                    }
                }
            }
        });
    }
}

async fn connection(stream: impl AsyncRead + AsyncWrite + Unpin, shared: Arc<Shared>) {
    let service = service_fn(|request| answer(request, Arc::clone(&shared)));
    let mut server = hyper::server::conn::http1::Builder::new();
    server
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(60))
        .max_buf_size(64 * 1024);
    // A sender that breaks off is known by its arrival.
    let _ = server.serve_connection(TokioIo::new(stream), service).await;
}

type Answer = Response<UnsyncBoxBody<Bytes, Infallible>>;

/// The connection is to end without an answer.
#[derive(Debug, Error)]
#[error("the script ends the connection")]
struct Ended;

async fn answer(request: hyper::Request<Incoming>, shared: Arc<Shared>) -> Result<Answer, Ended> {
    let (head, body) = request.into_parts();
    let target = head.uri.to_string();
    let path = head.uri.path().trim_start_matches('/').to_owned();
    let (slot, below) = path.split_once('/').unwrap_or((&path, ""));
    let headers = head
        .headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), text(value.as_bytes())))
        .collect();
    let (bytes, cut) = collect(body).await.ok_or(Ended)?;
    let mut url = format!("{}/{path}", shared.base);
    if let Some(query) = head.uri.query() {
        url = format!("{url}?{query}");
    }
    let message = Arc::new(Message {
        method: head.method.as_str().to_owned(),
        url,
        headers,
        body: bytes,
    });
    let mut arrival = Arrival {
        at: shared.now(),
        wall: clock::now(),
        slot: slot.to_owned(),
        below: below.to_owned(),
        message,
        target,
        cut,
        reply: Reply::status(404),
        abandoned: None,
        handshake: false,
        read_to_end: false,
    };
    let mut shaken = None;
    {
        let mut inbox = shared.inbox();
        if let Some(own) = inbox.slots.get_mut(slot) {
            // Only where it matters: it takes longer than everything else here.
            let forged = own.handshakes.iter().any(|one| one.forged)
                && own.signing.as_ref().is_some_and(|signing| {
                    matches!(
                        signing.verify(&own.secrets, &arrival.message, None),
                        Verdict::Refused(_)
                    )
                });
            let found = own
                .handshakes
                .iter()
                .find(|one| one.matches(&arrival.message, forged));
            shaken = found.map(|one| one.answer(&arrival.message, &own.secret));
            arrival.reply = match &shaken {
                Some(answer) => Reply::status(answer.status),
                None if below.is_empty() => own.script.next(),
                None => Reply::status(200),
            };
        }
        arrival.handshake = shaken.is_some();
        if let Some(secret) = shaken.as_ref().and_then(|answer| answer.secret.clone()) {
            inbox.brought.insert(slot.to_owned(), secret);
        }
    }
    let reply = arrival.reply.clone();
    let index = keep(&shared, arrival);
    if let Some(answer) = shaken {
        if let Some(url) = answer.visit {
            std::thread::spawn(move || visit(url));
        }
        return Ok(respond(answer.status, &answer.headers, answer.body));
    }
    // Dropped with the answer when the sender hangs up.
    let watch = Watch {
        shared: Arc::clone(&shared),
        index,
    };
    play(&reply, slot, watch).await
}

/// Gets a URL that a sender asked to visit; that it fails shows in what the sender does then. It is seldom, and our client belongs to one
/// thread: so it has one of its own.
fn visit(url: String) {
    let request = Request {
        method: "GET".to_owned(),
        url,
        headers: Vec::new(),
        body: None,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let client = Client::new(Duration::from_secs(10), &Transport::default());
    if let (Ok(runtime), Ok(client)) = (runtime, client) {
        let _ = runtime.block_on(client.send(request));
    }
}

fn keep(shared: &Shared, arrival: Arrival) -> Option<usize> {
    let mut inbox = shared.inbox();
    let size = arrival.message.body.len();
    let index = inbox.arrivals.len();
    let has_room = index < ARRIVALS && inbox.bytes + size <= BYTES;
    if has_room {
        inbox.bytes += size;
        if arrival.is_delivery() {
            let slot = arrival.slot.clone();
            inbox.deliveries.entry(slot).or_default().push(index);
        }
        inbox.arrivals.push(arrival);
    } else {
        inbox.dropped += 1;
    }
    drop(inbox);
    shared.arrived.notify_waiters();
    has_room.then_some(index)
}

/// Notes that the sender hung up, unless the answer was given.
struct Watch {
    shared: Arc<Shared>,
    index: Option<usize>,
}

impl Watch {
    fn done(mut self) {
        self.index = None;
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(index) = self.index {
            let now = self.shared.now();
            if let Some(arrival) = self.shared.inbox().arrivals.get_mut(index) {
                arrival.abandoned = Some(now);
            }
            self.shared.arrived.notify_waiters();
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the script says how long nothing is to happen"
)]
async fn play(reply: &Reply, slot: &str, watch: Watch) -> Result<Answer, Ended> {
    let answer = match reply {
        Reply::Status { status, headers } => Ok(respond(*status, headers, Vec::new())),
        Reply::Redirect(status) => {
            let to = [("location".to_owned(), format!("/{slot}/redirected"))];
            Ok(respond(*status, &to, Vec::new()))
        }
        Reply::Hang(limit) => {
            tokio::time::sleep(*limit).await;
            Err(Ended)
        }
        Reply::Reset => Err(Ended),
        Reply::HugeBody(bytes) => Ok(huge(*bytes, &watch)),
        Reply::Drip(limit) => return Ok(drip(*limit, watch)),
    };
    watch.done();
    answer
}

/// 200 with a body of this many bytes; notes when all of them are on their way.
fn huge(bytes: usize, watch: &Watch) -> Answer {
    const PIECE: &[u8] = &[b' '; 16 * 1024];
    let (shared, index) = (Arc::clone(&watch.shared), watch.index);
    let pieces = bytes.div_ceil(PIECE.len());
    let pieces = futures_util::stream::iter(0..=pieces).filter_map(move |piece| {
        let more = piece < pieces;
        if let (false, Some(index)) = (more, index)
            && let Some(arrival) = shared.inbox().arrivals.get_mut(index)
        {
            arrival.read_to_end = true;
        }
        std::future::ready(more.then(|| Ok(Frame::data(Bytes::from_static(PIECE)))))
    });
    Response::new(BodyExt::boxed_unsync(StreamBody::new(pieces)))
}

/// 200 with a body of which a byte comes now and then; the watch ends with it.
#[expect(
    clippy::disallowed_methods,
    reason = "the script says that nothing is to happen between two bytes"
)]
fn drip(limit: Duration, watch: Watch) -> Answer {
    let begun = tokio::time::Instant::now();
    let bytes = futures_util::stream::unfold(Some(watch), move |watch| async move {
        let watch = watch?;
        if begun.elapsed() >= limit {
            watch.done();
            return None;
        }
        tokio::time::sleep(DRIP).await;
        Some((Ok(Frame::data(Bytes::from_static(b" "))), Some(watch)))
    });
    Response::new(BodyExt::boxed_unsync(StreamBody::new(bytes)))
}

fn respond(status: u16, headers: &[(String, String)], body: Vec<u8>) -> Answer {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(name, value);
    }
    let body = Full::new(Bytes::from(body));
    // A header of a template may have characters that HTTP does not carry.
    response
        .body(body.boxed_unsync())
        .unwrap_or_else(|_| Response::new(Full::new(Bytes::new()).boxed_unsync()))
}

/// A body up to the limit, and whether there was more; none where it breaks off.
async fn collect(mut body: Incoming) -> Option<(Vec<u8>, bool)> {
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.ok()?.into_data() else {
            continue;
        };
        let room = BODY_LIMIT - bytes.len();
        bytes.extend_from_slice(&data[..data.len().min(room)]);
        if data.len() > room {
            return Some((bytes, true));
        }
    }
    Some((bytes, false))
}

/// The value of a header: UTF-8, or else Latin-1.
fn text(bytes: &[u8]) -> String {
    std::str::from_utf8(bytes).map_or_else(
        |_| bytes.iter().map(|&byte| char::from(byte)).collect(),
        str::to_owned,
    )
}
