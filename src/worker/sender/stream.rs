//! An open connection, plain or TLS, as the HTTP client reads and writes it.

use std::io::{self, Read as _};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};

use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::rt::TokioIo;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

/// A connection to a vetted address.
pub(crate) struct Stream {
    transport: Transport,
}

pub(crate) enum Transport {
    Plain(TokioIo<Tcp>),
    Tls(Box<TokioIo<TlsStream<Tcp>>>),
}

/// A TCP connection that can see at once that the other side has closed it.
///
/// tokio asks the operating system only after it was woken for a connection. A receiver that closes an idle connection just before the
/// next request would go unnoticed, the request be written, and the attempt fail; seen in time, the client takes another connection.
pub(crate) struct Tcp {
    inner: TcpStream,
    looks: Looks,
}

/// How many more times a read may ask the operating system although tokio has not reported anything to read. Zero except within
/// [`Looks::during`]: each one is a system call, and a task that waits for an answer is woken when it comes.
#[derive(Clone, Default)]
pub(crate) struct Looks(Arc<AtomicU8>);

/// How often it is asked at most. The end may come in pieces: TLS announces it before TCP does. It is not asked without end, as tokio also
/// gives nothing when a task is to let others run, and one that reads on and on must.
const MOST_LOOKS: u8 = 8;

impl Looks {
    /// Runs `work`, whose reads also see what tokio has not reported yet.
    pub(crate) fn during<T>(&self, work: impl FnOnce() -> T) -> T {
        self.0.store(MOST_LOOKS, Ordering::Relaxed);
        let done = work();
        self.0.store(0, Ordering::Relaxed);
        done
    }
}

impl Tcp {
    pub(crate) fn new(inner: TcpStream) -> Self {
        let looks = Looks::default();
        Self { inner, looks }
    }
}

impl AsyncRead for Tcp {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.inner).poll_read(context, buffer);
        let looks = self.looks.0.load(Ordering::Relaxed);
        if polled.is_ready() || looks == 0 {
            return polled;
        }
        // Small: what is expected here is the end, and before it perhaps a word of TLS.
        let mut bytes = [0; 64];
        let length = bytes.len().min(buffer.remaining());
        match (&*SockRef::from(&self.inner)).read(&mut bytes[..length]) {
            Ok(read) => {
                self.looks.0.store(looks - 1, Ordering::Relaxed);
                buffer.put_slice(&bytes[..read]);
                Poll::Ready(Ok(()))
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.looks.0.store(0, Ordering::Relaxed);
                Poll::Pending
            }
            Err(error) => Poll::Ready(Err(error)),
        }
    }
}

impl AsyncWrite for Tcp {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(context, buffers)
    }
}

impl Stream {
    pub(crate) fn new(transport: Transport) -> Self {
        Self { transport }
    }

    /// The counter that lets reads ask the operating system.
    pub(crate) fn looks(&self) -> Looks {
        let tcp = match &self.transport {
            Transport::Plain(plain) => plain.inner(),
            Transport::Tls(tls) => tls.inner().get_ref().0,
        };
        tcp.looks.clone()
    }

    /// Whether both sides agreed on HTTP/2.
    pub(crate) fn is_http2(&self) -> bool {
        match &self.transport {
            Transport::Tls(tls) => tls.inner().get_ref().1.alpn_protocol() == Some(b"h2"),
            Transport::Plain(_) => false,
        }
    }
}

impl Read for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut self.transport {
            Transport::Plain(plain) => Pin::new(plain).poll_read(context, buffer),
            Transport::Tls(tls) => Pin::new(tls).poll_read(context, buffer),
        }
    }
}

impl Write for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.transport {
            Transport::Plain(plain) => Pin::new(plain).poll_write(context, bytes),
            Transport::Tls(tls) => Pin::new(tls).poll_write(context, bytes),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.transport {
            Transport::Plain(plain) => Pin::new(plain).poll_flush(context),
            Transport::Tls(tls) => Pin::new(tls).poll_flush(context),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.transport {
            Transport::Plain(plain) => Pin::new(plain).poll_shutdown(context),
            Transport::Tls(tls) => Pin::new(tls).poll_shutdown(context),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match &self.transport {
            Transport::Plain(plain) => plain.is_write_vectored(),
            Transport::Tls(tls) => tls.is_write_vectored(),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match &mut self.transport {
            Transport::Plain(plain) => Pin::new(plain).poll_write_vectored(context, buffers),
            Transport::Tls(tls) => Pin::new(tls).poll_write_vectored(context, buffers),
        }
    }
}
