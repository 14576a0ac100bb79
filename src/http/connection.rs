//! A connection of a client that is left to itself when the client does not read what it is answered, or does not end what it asks.
//!
//! Nothing else bounds such a client: it may ask for much in few bytes, and TCP waits for it for ever. While its answers cannot be written
//! nothing more is read of it, and when none of them could be written for a while the connection is closed.
//!
//! Nor does anything else bound a client that begins a request and does not end it, unless it is the first of the connection.
//!
//! Requests that are sent without waiting for answers (RFC 9112, 9.3.2) are passed on one by one: a reader that decodes them ahead keeps all
//! in memory, and actix-http would write each answer by the method of the request that it decoded last.

use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use super::refusal;
use super::seats::Seat;

/// How many bytes are read before answers are written, so that few requests wait in memory.
const BURST: usize = 8 * 1024;

/// How long a client may go on sending after an answer that ends its connection. What it sends is dropped: were the connection closed with
/// bytes unread, the kernel would reset it, and the client would lose the answer.
pub(crate) const LINGER: Duration = Duration::from_secs(2);

/// The limits of a client.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// How long it may take no byte of its answers.
    pub(crate) unread: Duration,
    /// How long a request may take from its first byte to the first byte of its answer. After that nothing more is read: a client that
    /// began a request and does not end it would keep its connection for ever, and what is being answered is answered all the same.
    pub(crate) unanswered: Duration,
    /// The most connections of a thread beyond which one that is idle is closed.
    pub(crate) most: usize,
}

/// A stream whose peer must read, and must end its requests.
#[derive(Debug)]
pub(crate) struct Connection<S> {
    stream: S,
    limits: Limits,
    /// Since when there is a byte that was not answered.
    asked: Option<Instant>,
    /// Set for the first request that is waited for, and set anew when it fires too early for a later one: cheaper than to set it for
    /// every request.
    overdue: Option<Pin<Box<Sleep>>>,
    /// When a write that cannot go on is given up.
    stalled: Option<Pin<Box<Sleep>>>,
    burst: usize,
    turns: Turns,
    /// Bytes that were read behind the request that is being answered.
    rest: BytesMut,
    refusal: Option<Refusal>,
    seat: Seat,
}

/// The answer to a request that could not be read.
#[derive(Debug)]
struct Refusal {
    /// What is left to write of it.
    unwritten: BytesMut,
    /// How long the client may go on sending, from when the answer is written.
    lingering: Option<Pin<Box<Sleep>>>,
}

/// The side whose turn it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turns {
    /// The client's: a request begins with the next byte.
    Request,
    /// Ours: a whole request was passed on, and no byte of its answer is written.
    Answer,
    /// Nobody's: a request has a body or did not come in one piece, and this is not the place to find its end.
    Mixed,
}

impl<S> Connection<S> {
    /// Wraps a stream.
    pub(crate) fn new(stream: S, limits: Limits) -> Self {
        Self {
            stream,
            limits,
            asked: None,
            overdue: None,
            stalled: None,
            burst: BURST,
            turns: Turns::Request,
            rest: BytesMut::new(),
            refusal: None,
            seat: Seat::take(limits.most),
        }
    }

    /// How many of `bytes`, which were read, are to be passed on now.
    fn pass_on(&mut self, bytes: &[u8]) -> usize {
        if !bytes.is_empty() {
            self.seat.is_busy();
            self.asked.get_or_insert_with(Instant::now);
        }
        if self.turns == Turns::Mixed || bytes.is_empty() {
            return bytes.len();
        }
        match request_without_body(bytes) {
            Some(length) => {
                self.turns = Turns::Answer;
                length
            }
            None => {
                self.turns = Turns::Mixed;
                bytes.len()
            }
        }
    }

    /// Whether what was asked is unanswered for too long; wakes the reader when it is.
    fn is_overdue(&mut self, context: &mut Context<'_>) -> bool {
        let Some(asked) = self.asked else {
            return false;
        };
        let deadline = asked + self.limits.unanswered;
        let timer = self
            .overdue
            .get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        while timer.as_mut().poll(context).is_ready() {
            if timer.deadline() >= deadline {
                return true;
            }
            timer.as_mut().reset(deadline);
        }
        false
    }

    /// Waits until the stalled write is given up.
    fn poll_stall(&mut self, context: &mut Context<'_>) -> Poll<io::Error> {
        let deadline = Instant::now() + self.limits.unread;
        let timer = self
            .stalled
            .get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        timer.as_mut().poll(context).map(|()| {
            io::Error::new(
                io::ErrorKind::TimedOut,
                "the client does not read its answers",
            )
        })
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// Writes the answer to a request that could not be read, and then reads until the client closes its side, for [`LINGER`] at most. A
    /// client that does not take the answer is given up.
    fn poll_refusal(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some(mut refusal) = self.refusal.take() else {
            return Poll::Ready(Ok(()));
        };
        while !refusal.unwritten.is_empty() {
            match Pin::new(&mut self.stream).poll_write(context, &refusal.unwritten) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(written)) => {
                    self.stalled = None;
                    refusal.unwritten.advance(written);
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {
                    self.refusal = Some(refusal);
                    return self.poll_stall(context).map(Err);
                }
            }
        }
        let ended = self.poll_end(context, &mut refusal.lingering);
        if ended.is_pending() {
            self.refusal = Some(refusal);
        }
        ended.map(Ok)
    }

    /// Ends what is written, and drops what is read until the client ends too or the time is over.
    fn poll_end(
        &mut self,
        context: &mut Context<'_>,
        lingering: &mut Option<Pin<Box<Sleep>>>,
    ) -> Poll<()> {
        if lingering.is_none() {
            // It fails when the client is gone, which the read tells too.
            let _ = ready!(Pin::new(&mut self.stream).poll_shutdown(context));
        }
        let lingering =
            lingering.get_or_insert_with(|| Box::pin(sleep_until(Instant::now() + LINGER)));
        let mut dropped = [MaybeUninit::uninit(); BURST];
        while lingering.as_mut().poll(context).is_pending() {
            let mut buffer = ReadBuf::uninit(&mut dropped);
            let read = ready!(Pin::new(&mut self.stream).poll_read(context, &mut buffer));
            if read.is_err() || buffer.filled().is_empty() {
                break;
            }
        }
        Poll::Ready(())
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Connection<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.stalled.is_some() {
            return this.poll_stall(context).map(Err);
        }
        if this.turns == Turns::Answer {
            // Woken by the answer.
            return Poll::Pending;
        }
        if !this.rest.is_empty() {
            let mut rest = std::mem::take(&mut this.rest);
            let length = rest.len().min(buffer.remaining());
            let length = this.pass_on(&rest[..length]);
            buffer.put_slice(&rest[..length]);
            rest.advance(length);
            this.rest = rest;
            return Poll::Ready(Ok(()));
        }
        if this.burst == 0 {
            this.burst = BURST;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let before = buffer.filled().len();
        let read = Pin::new(&mut this.stream).poll_read(context, buffer);
        if read.is_pending() && (this.seat.leaves(context) || this.is_overdue(context)) {
            // As if the client had closed it: what is being answered is answered.
            return Poll::Ready(Ok(()));
        }
        let bytes = &buffer.filled()[before..];
        this.burst = this.burst.saturating_sub(bytes.len());
        let length = this.pass_on(bytes);
        this.rest.extend_from_slice(&bytes[length..]);
        buffer.set_filled(before + length);
        read
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Connection<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.refusal.is_none() {
            this.refusal = refusal::with_body(bytes).map(|unwritten| Refusal {
                unwritten,
                lingering: None,
            });
        }
        if this.refusal.is_some() {
            // actix-http drops the connection as soon as this is written, and forgets its own error when it is not written at once.
            ready!(this.poll_refusal(context))?;
            return Poll::Ready(if refusal::is_of_malformed(bytes) {
                Err(io::Error::new(io::ErrorKind::InvalidData, "not HTTP/1.1"))
            } else {
                Ok(bytes.len())
            });
        }
        match Pin::new(&mut this.stream).poll_write(context, bytes) {
            Poll::Ready(written) => {
                this.seat.is_idle();
                this.asked = None;
                let answered = this.turns == Turns::Answer;
                if answered {
                    this.turns = Turns::Request;
                }
                if this.stalled.take().is_some() || answered {
                    // Reads were refused meanwhile, and nothing else wakes them.
                    context.waker().wake_by_ref();
                }
                Poll::Ready(written)
            }
            Poll::Pending => this.poll_stall(context).map(Err),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.burst = BURST;
        Pin::new(&mut this.stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}

/// The length of the request that `bytes` begin with, when all of it is there and it says nothing of a body.
fn request_without_body(bytes: &[u8]) -> Option<usize> {
    // Empty lines before a request are passed over (RFC 9112, 2.2).
    let start = bytes.iter().position(|byte| !b"\r\n".contains(byte))?;
    let end = bytes[start..]
        .windows(4)
        .position(|window| window == b"\r\n\r\n")?;
    let head = &bytes[start..start + end];
    let has_body = head.split(|byte| *byte == b'\n').any(|line| {
        [&b"content-length"[..], b"transfer-encoding"]
            .iter()
            .any(|name| {
                line.get(..name.len())
                    .is_some_and(|start| start.eq_ignore_ascii_case(name))
            })
    });
    (!has_body).then_some(start + end + 4)
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

    use super::*;

    const LONG: Duration = Duration::from_secs(3600);
    const SHORT: Duration = Duration::from_millis(20);
    const MANY: Limits = Limits {
        unread: LONG,
        unanswered: LONG,
        most: 100,
    };

    async fn write(connection: &mut Connection<DuplexStream>, bytes: &[u8]) -> io::Result<usize> {
        poll_fn(|context| Pin::new(&mut *connection).poll_write(context, bytes)).await
    }

    /// Reads without waiting.
    async fn read_now(connection: &mut Connection<DuplexStream>) -> Option<usize> {
        poll_fn(|context| {
            let mut bytes = [0; 4096];
            let mut buffer = ReadBuf::new(&mut bytes);
            Poll::Ready(
                match Pin::new(&mut *connection).poll_read(context, &mut buffer) {
                    Poll::Ready(result) => result.ok().map(|()| buffer.filled().len()),
                    Poll::Pending => None,
                },
            )
        })
        .await
    }

    #[actix_web::test]
    async fn a_write_that_nobody_reads_fails_in_time() {
        let (stream, _peer) = duplex(10);
        let mut connection = Connection::new(
            stream,
            Limits {
                unread: SHORT,
                ..MANY
            },
        );
        assert_eq!(write(&mut connection, &[0; 20]).await.unwrap(), 10);
        let error = write(&mut connection, &[0; 10]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[actix_web::test]
    async fn nothing_is_read_while_a_write_is_stalled_and_reading_goes_on_after_it() {
        let (stream, mut peer) = duplex(10);
        let mut connection = Connection::new(stream, MANY);
        peer.write_all(b"request").await.unwrap();
        assert_eq!(write(&mut connection, &[0; 20]).await.unwrap(), 10);
        let stalled = poll_fn(|context| {
            Poll::Ready(
                Pin::new(&mut connection)
                    .poll_write(context, &[0; 10])
                    .is_pending(),
            )
        });
        assert!(stalled.await);
        assert_eq!(read_now(&mut connection).await, None);
        peer.read_exact(&mut [0; 10]).await.unwrap();
        assert_eq!(write(&mut connection, &[0; 10]).await.unwrap(), 10);
        assert_eq!(read_now(&mut connection).await, Some(7));
    }

    #[actix_web::test]
    async fn what_follows_a_refused_request_is_dropped_until_the_client_ends_or_the_time_is_over() {
        let refusal = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n";
        for ends in [true, false] {
            let (stream, mut peer) = duplex(64 * 1024);
            let mut connection = Connection::new(stream, MANY);
            peer.write_all(&[b'x'; 3 * BURST]).await.unwrap();
            let begun = Instant::now();
            let client = async {
                let mut answer = String::new();
                // The end of what is written comes before the end of the connection.
                peer.read_to_string(&mut answer).await.unwrap();
                assert!(answer.contains("application/problem+json"), "{answer}");
                peer.write_all(&[b'x'; 3 * BURST]).await.unwrap();
                if ends {
                    peer.shutdown().await.unwrap();
                }
            };
            let (written, ()) = tokio::join!(write(&mut connection, refusal), client);
            assert_eq!(written.unwrap_err().kind(), io::ErrorKind::InvalidData);
            assert!(ends || begun.elapsed() >= LINGER);
        }
    }

    #[test]
    fn a_request_ends_with_its_head_unless_it_has_a_body() {
        for (bytes, expected) in [
            ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", Some(27)),
            ("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /", Some(27)),
            ("\r\n\r\nGET / HTTP/1.1\r\n\r\n\r\n\r\n", Some(22)),
            ("GET / HTTP/1.1\r\nHost: a\r\n", None),
            ("GET / HTTP/1.1\r\nContent-Length: 4\r\n\r\nbody", None),
            ("GET / HTTP/1.1\r\ntransfer-ENCODING: chunked\r\n\r\n", None),
            ("\r\n\r\n", None),
            ("", None),
        ] {
            assert_eq!(
                request_without_body(bytes.as_bytes()),
                expected,
                "{bytes:?}"
            );
        }
    }

    #[actix_web::test]
    async fn requests_are_passed_on_one_by_one_and_one_with_a_body_ends_that() {
        let (stream, mut peer) = duplex(4096);
        let mut connection = Connection::new(stream, MANY);
        let get = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
        let post = b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}";
        let all = [&get[..], get, post, get].concat();
        peer.write_all(&all).await.unwrap();
        for _ in 0..2 {
            assert_eq!(read_now(&mut connection).await, Some(get.len()));
            assert_eq!(read_now(&mut connection).await, None);
            write(&mut connection, b"answer").await.unwrap();
        }
        let rest = all.len() - 2 * get.len();
        assert_eq!(read_now(&mut connection).await, Some(rest));
        peer.write_all(get).await.unwrap();
        assert_eq!(read_now(&mut connection).await, Some(get.len()));
    }

    #[actix_web::test]
    async fn an_idle_connection_ends_when_there_are_too_many_and_one_with_a_request_does_not() {
        let open = || {
            let (stream, peer) = duplex(4096);
            (Connection::new(stream, Limits { most: 2, ..MANY }), peer)
        };
        let (mut idle, _idle_peer) = open();
        let (mut asked, mut peer) = open();
        assert_eq!(read_now(&mut idle).await, None);
        peer.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
        let (_third, _third_peer) = open();
        assert_eq!(read_now(&mut idle).await, Some(0), "it reads an end");
        let (_fourth, _fourth_peer) = open();
        // The request was sent before anything was closed.
        assert!(read_now(&mut asked).await > Some(0));
    }

    #[actix_web::test]
    async fn a_request_that_does_not_end_ends_its_connection_whichever_it_is() {
        for (answered, begun) in [(0, "G"), (1, "G"), (2, "\r\n"), (1, "POST / HTTP/1.1\r\n")] {
            let (stream, mut peer) = duplex(4096);
            let limits = Limits {
                unanswered: SHORT,
                ..MANY
            };
            let mut connection = Connection::new(stream, limits);
            let mut bytes = [0; 4096];
            for _ in 0..answered {
                peer.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
                assert!(connection.read(&mut bytes).await.unwrap() > 0);
                write(&mut connection, b"answer").await.unwrap();
                // It waits for no request: this takes as long as the client likes.
                tokio::time::timeout(2 * SHORT, connection.read(&mut bytes))
                    .await
                    .unwrap_err();
            }
            peer.write_all(begun.as_bytes()).await.unwrap();
            assert_eq!(connection.read(&mut bytes).await.unwrap(), begun.len());
            assert_eq!(connection.read(&mut bytes).await.unwrap(), 0, "{begun}");
        }
    }

    #[actix_web::test]
    async fn a_client_that_sends_without_end_is_read_in_bursts() {
        let (stream, mut peer) = duplex(10 * BURST);
        let mut connection = Connection::new(stream, MANY);
        peer.write_all(&[0; 3 * BURST]).await.unwrap();
        let mut read = 0;
        while let Some(count) = read_now(&mut connection).await {
            read += count;
        }
        assert_eq!(read, BURST);
        let mut rest = vec![0; 2 * BURST];
        // The reader is woken.
        connection.read_exact(&mut rest).await.unwrap();
    }
}
