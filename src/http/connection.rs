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

/// The limits of a client.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// How long it may take no byte of its answers.
    pub(crate) unread: Duration,
    /// How long a request may take from its first byte to the first byte of its answer. After that nothing more is read: a client that
    /// began a request and does not end it would keep its connection for ever, and what is being answered is answered all the same.
    pub(crate) unanswered: Duration,
    /// How long it may go on sending after the answer to a request that could not be read. What it sends is dropped: were the connection
    /// closed with bytes unread, the kernel would reset it, and the client would lose the answer.
    pub(crate) lingering: Duration,
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
    /// Writes the answer to a request that could not be read, and then reads until the client closes its side, for a limited time. A
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

    /// Ends what is written, and drops what is read until the client ends too, the time is over or the place is needed.
    fn poll_end(
        &mut self,
        context: &mut Context<'_>,
        lingering: &mut Option<Pin<Box<Sleep>>>,
    ) -> Poll<()> {
        if lingering.is_none() {
            // It fails when the client is gone, which the read tells too.
            let _ = ready!(Pin::new(&mut self.stream).poll_shutdown(context));
            self.seat.is_done();
        }
        let time = self.limits.lingering;
        let lingering =
            lingering.get_or_insert_with(|| Box::pin(sleep_until(Instant::now() + time)));
        let mut dropped = [MaybeUninit::uninit(); BURST];
        while lingering.as_mut().poll(context).is_pending() && !self.seat.leaves(context) {
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
            let refused = ready!(this.poll_refusal(context));
            return Poll::Ready(if refusal::is_of_malformed(bytes) {
                // It is counted as that, also where the client did not stay for the answer.
                Err(io::Error::new(io::ErrorKind::InvalidData, "not HTTP/1.1"))
            } else {
                refused.map(|()| bytes.len())
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
mod tests;
