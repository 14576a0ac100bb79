//! How a connection to a server is made: TCP, a tunnel through a proxy, and TLS where the scheme asks for it.

use std::cell::{Cell, OnceCell};
use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use hyper::Uri;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::transport::{Proxy, Transport, TransportError};
use super::{cause, proxy};

/// The target of a connection.
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

    /// The host with the brackets of an IPv6 address.
    fn bracketed(&self) -> String {
        match self.host.contains(':') {
            true => format!("[{}]", self.host),
            false => self.host.clone(),
        }
    }

    /// The value of `Host`.
    pub(super) fn host_header(&self) -> &str {
        &self.authority
    }
}

/// Why no connection was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unreachable {
    /// Nothing listens there, or no answer came in time.
    Dead(String),
    /// The proxy cannot be used.
    Proxy(String),
    /// Something listens there, and TLS fails; the message has the way out.
    Tls(String),
}

impl Unreachable {
    /// The reason in words.
    #[must_use]
    pub fn into_cause(self) -> String {
        match self {
            Self::Dead(cause) | Self::Proxy(cause) | Self::Tls(cause) => cause,
        }
    }
}

/// Makes connections.
pub(super) struct Connector {
    settings: Transport,
    /// Made when it is needed: to read the certificates of the system takes longer than many a run.
    tls: OnceCell<TlsConnector>,
}

impl std::fmt::Debug for Connector {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Connector").finish_non_exhaustive()
    }
}

impl Connector {
    /// # Errors
    /// When a file of certificates or keys cannot be used.
    pub(super) fn new(settings: &Transport) -> Result<Self, TransportError> {
        let connector = Self {
            settings: settings.clone(),
            tls: OnceCell::new(),
        };
        if settings.has_files() {
            connector.tls()?;
        }
        Ok(connector)
    }

    fn tls(&self) -> Result<&TlsConnector, TransportError> {
        if let Some(known) = self.tls.get() {
            return Ok(known);
        }
        let made = TlsConnector::from(Arc::new(self.settings.tls()?));
        Ok(self.tls.get_or_init(|| made))
    }

    /// The proxy that requests to an origin are sent to as they are, without a tunnel.
    pub(super) fn plain_proxy(&self, origin: &Origin) -> Option<&Proxy> {
        let proxy = self.settings.proxy.as_ref();
        proxy.filter(|proxy| !origin.secure && !proxy.is_socks())
    }

    /// Connects to an origin, through the proxy if there is one.
    pub(super) async fn connect(&self, origin: &Origin) -> Result<Counted, Unreachable> {
        let stream = match &self.settings.proxy {
            None => dial(&origin.host, origin.port)
                .await
                .map_err(|error| Unreachable::Dead(error.to_string()))?,
            Some(proxy) => self.through(proxy, origin).await.map_err(|problem| {
                Unreachable::Proxy(format!("the proxy {}: {problem}", proxy.shown()))
            })?,
        };
        if !origin.secure {
            return Ok(Counted::new(stream));
        }
        let tls = self.tls();
        let tls = tls.map_err(|error| Unreachable::Tls(error.to_string()))?;
        let stream = tls.connect(name(&origin.host)?, stream).await;
        let stream = stream.map_err(|error| {
            Unreachable::Tls(match cause::tls_error(&error) {
                Some(tls) => cause::of_tls(tls),
                None if is_end(&error) => {
                    "the server ends the connection during the TLS handshake; if the port does not speak TLS, write http:// instead of https://".to_owned()
                }
                None => format!("the TLS handshake failed: {error}"),
            })
        })?;
        Ok(Counted::new(Box::new(stream)))
    }

    /// A connection to a proxy, on which requests to the origin can be written.
    async fn through(&self, proxy: &Proxy, origin: &Origin) -> Result<Box<dyn Stream>, String> {
        let (host, port) = proxy.address();
        let stream = dial(&host, port).await;
        let mut stream = stream.map_err(|error| error.to_string())?;
        if proxy.is_secure() {
            let tls = self.tls().map_err(|error| error.to_string())?;
            let name = name(&host).map_err(Unreachable::into_cause)?;
            let secured = tls.connect(name, stream).await;
            stream = Box::new(secured.map_err(|error| match cause::tls_error(&error) {
                Some(tls) => cause::of_tls(tls),
                None => format!("the TLS handshake failed: {error}"),
            })?);
        }
        if proxy.is_socks() {
            proxy::socks(&mut stream, proxy, (&origin.host, origin.port)).await?;
        } else if origin.secure {
            let host = origin.bracketed();
            proxy::connect(&mut stream, proxy, (&host, origin.port)).await?;
        }
        Ok(stream)
    }

    /// Whether the port of an origin answers a TLS handshake, whatever its certificate is.
    pub(super) async fn speaks_tls(&self, origin: &Origin) -> bool {
        if self.settings.proxy.is_some() {
            return false;
        }
        let (Ok(tls), Ok(name)) = (self.tls(), name(&origin.host)) else {
            return false;
        };
        let Ok(stream) = dial(&origin.host, origin.port).await else {
            return false;
        };
        match tls.connect(name, stream).await {
            Ok(_) => true,
            Err(error) => matches!(
                cause::tls_error(&error),
                Some(rustls::Error::InvalidCertificate(_) | rustls::Error::AlertReceived(_))
            ),
        }
    }
}

fn name(host: &str) -> Result<ServerName<'static>, Unreachable> {
    ServerName::try_from(host.to_owned())
        .map_err(|_| Unreachable::Tls(format!("`{host}` is not a name that TLS can use")))
}

async fn dial(host: &str, port: u16) -> io::Result<Box<dyn Stream>> {
    let stream = TcpStream::connect((host, port)).await?;
    // A request is written in one piece; nothing is gained by waiting for more.
    stream.set_nodelay(true)?;
    Ok(Box::new(stream))
}

fn is_end(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe
    )
}

pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin {
    /// The connection below.
    fn tcp(&self) -> &TcpStream;

    /// Acknowledges at once what was received. Servers that write head and body separately send the body after that only (Nagle's
    /// algorithm), and the system waits some 40 ms with it; it does so again after a while, so this is said after each read.
    fn acknowledge(&self) {
        // Other systems wait, as they do in every program.
        #[cfg(target_os = "linux")]
        let _ = self.tcp().set_quickack(true);
    }
}

impl Stream for TcpStream {
    fn tcp(&self) -> &TcpStream {
        self
    }
}

impl Stream for TlsStream<Box<dyn Stream>> {
    fn tcp(&self) -> &TcpStream {
        self.get_ref().0.tcp()
    }
}

/// A stream that counts what is received, and gives way to those who wait for the deadline once that is over.
pub(super) struct Counted {
    stream: Box<dyn Stream>,
    meter: Rc<Meter>,
}

/// The state that a connection and its stream share.
#[derive(Debug, Default)]
pub(super) struct Meter {
    /// How many bytes were received.
    pub(super) received: Cell<u64>,
    /// Nothing is read after it. A server that floods with small messages is always ready, and each read takes long to parse.
    pub(super) deadline: Cell<Option<Instant>>,
}

impl Counted {
    fn new(stream: Box<dyn Stream>) -> Self {
        Self {
            stream,
            meter: Rc::default(),
        }
    }

    pub(super) fn meter(&self) -> Rc<Meter> {
        Rc::clone(&self.meter)
    }
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let deadline = self.meter.deadline.get();
        if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            // The code that waits for the answer looks at the time first.
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        let more = buffer.filled().len() - before;
        let received = &self.meter.received;
        received.set(received.get() + more as u64);
        if more > 0 {
            self.stream.acknowledge();
        }
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
