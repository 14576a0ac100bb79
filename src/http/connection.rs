//! A connection of a client that is left to itself when the client does not read what it is answered.
//!
//! Nothing else bounds such a client: it may ask for much in few bytes, and TCP waits for it for ever. While its answers cannot be written
//! nothing more is read of it, and when none of them could be written for a while the connection is closed.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

/// How many bytes are read before answers are written, so that few requests wait in memory.
const BURST: usize = 8 * 1024;

/// A stream whose peer must read.
#[derive(Debug)]
pub(crate) struct Connection<S> {
    stream: S,
    patience: Duration,
    /// When a write that cannot go on is given up.
    stalled: Option<Pin<Box<Sleep>>>,
    burst: usize,
}

impl<S> Connection<S> {
    /// Wraps a stream; a write fails when its peer takes no byte for as long as `patience`.
    pub(crate) fn new(stream: S, patience: Duration) -> Self {
        Self {
            stream,
            patience,
            stalled: None,
            burst: BURST,
        }
    }

    /// Waits until the stalled write is given up.
    fn poll_stall(&mut self, context: &mut Context<'_>) -> Poll<io::Error> {
        let deadline = Instant::now() + self.patience;
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
        if this.burst == 0 {
            this.burst = BURST;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let before = buffer.filled().len();
        let read = Pin::new(&mut this.stream).poll_read(context, buffer);
        this.burst = this.burst.saturating_sub(buffer.filled().len() - before);
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Connection<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        match Pin::new(&mut this.stream).poll_write(context, bytes) {
            Poll::Ready(written) => {
                if this.stalled.take().is_some() {
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

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

    use super::*;

    const LONG: Duration = Duration::from_secs(3600);

    async fn write(connection: &mut Connection<DuplexStream>, bytes: &[u8]) -> io::Result<usize> {
        poll_fn(|context| Pin::new(&mut *connection).poll_write(context, bytes)).await
    }

    /// What a read gives at once.
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
        let mut connection = Connection::new(stream, Duration::from_millis(20));
        assert_eq!(write(&mut connection, &[0; 20]).await.unwrap(), 10);
        let error = write(&mut connection, &[0; 10]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[actix_web::test]
    async fn nothing_is_read_while_a_write_is_stalled_and_reading_goes_on_after_it() {
        let (stream, mut peer) = duplex(10);
        let mut connection = Connection::new(stream, LONG);
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
    async fn a_client_that_sends_without_end_is_read_in_bursts() {
        let (stream, mut peer) = duplex(10 * BURST);
        let mut connection = Connection::new(stream, LONG);
        peer.write_all(&[0; 3 * BURST]).await.unwrap();
        let mut read = 0;
        while let Some(count) = read_now(&mut connection).await {
            read += count;
        }
        assert_eq!(read, BURST);
        let mut rest = vec![0; 2 * BURST];
        // Whoever waits is woken.
        connection.read_exact(&mut rest).await.unwrap();
    }
}
