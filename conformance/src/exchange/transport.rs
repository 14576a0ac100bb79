//! How a connection to a server is made: TCP, and TLS where the scheme asks for it.

use std::cell::{Cell, OnceCell};
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use hyper::Uri;
use rustls::pki_types::ServerName;
use rustls_platform_verifier::BuilderVerifierExt as _;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// What a connection leads to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Origin {
    secure: bool,
    /// Without the brackets of an IPv6 address.
    host: String,
    port: u16,
    /// Host and port as the URL has them.
    authority: String,
}

impl Origin {
    pub(super) fn of(uri: &Uri) -> Option<Self> {
        let secure = uri.scheme_str()? == "https";
        let host = uri.host()?;
        Some(Self {
            secure,
            host: host
                .trim_start_matches('[')
                .trim_end_matches(']')
                .to_owned(),
            port: uri.port_u16().unwrap_or(if secure { 443 } else { 80 }),
            authority: uri.authority()?.as_str().to_owned(),
        })
    }

    /// The value of `Host`.
    pub(super) fn host_header(&self) -> &str {
        &self.authority
    }
}

/// Makes connections.
#[derive(Default)]
pub(super) struct Transport {
    tls: OnceCell<TlsConnector>,
}

impl std::fmt::Debug for Transport {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Transport").finish_non_exhaustive()
    }
}

impl Transport {
    /// Connects to an origin. The error is the reason in words.
    pub(super) async fn connect(&self, origin: &Origin) -> Result<Counted, String> {
        let address = (origin.host.as_str(), origin.port);
        let stream = TcpStream::connect(address).await;
        let stream = stream.map_err(|error| error.to_string())?;
        // A request is written in one piece; nothing is gained by waiting for more.
        stream
            .set_nodelay(true)
            .map_err(|error| error.to_string())?;
        if !origin.secure {
            return Ok(Counted::new(stream));
        }
        let name = ServerName::try_from(origin.host.clone()).map_err(|error| error.to_string())?;
        let stream = self.tls()?.connect(name, stream).await;
        Ok(Counted::new(stream.map_err(|error| error.to_string())?))
    }

    fn tls(&self) -> Result<&TlsConnector, String> {
        if let Some(known) = self.tls.get() {
            return Ok(known);
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_platform_verifier());
        let config = config.map_err(|error| format!("TLS cannot be set up: {error}"))?;
        let connector = TlsConnector::from(Arc::new(config.with_no_client_auth()));
        Ok(self.tls.get_or_init(|| connector))
    }
}

trait Stream: AsyncRead + AsyncWrite + Unpin {}

impl<T: AsyncRead + AsyncWrite + Unpin> Stream for T {}

/// A stream that counts what is received.
pub(super) struct Counted {
    stream: Box<dyn Stream>,
    received: Rc<Cell<u64>>,
}

impl Counted {
    fn new(stream: impl Stream + 'static) -> Self {
        Self {
            stream: Box::new(stream),
            received: Rc::default(),
        }
    }

    pub(super) fn received(&self) -> Rc<Cell<u64>> {
        Rc::clone(&self.received)
    }
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        let more = buffer.filled().len() - before;
        self.received.set(self.received.get() + more as u64);
        polled
    }
}

impl AsyncWrite for Counted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
