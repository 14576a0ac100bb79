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
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::cause;
use super::transport::{Proxy, Transport, TransportError};

/// Largest head of a proxy's answer that is read, in bytes.
const HEAD_LIMIT: usize = 16 * 1024;

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
        self.settings.proxy.as_ref().filter(|_| !origin.secure)
    }

    /// Connects to an origin, through the proxy if there is one.
    pub(super) async fn connect(&self, origin: &Origin) -> Result<Counted, Unreachable> {
        let stream = match &self.settings.proxy {
            None => dial(&origin.host, origin.port)
                .await
                .map_err(|error| Unreachable::Dead(error.to_string()))?,
            Some(proxy) => {
                let failed = |problem: String| {
                    Unreachable::Proxy(format!("the proxy {}: {problem}", proxy.shown()))
                };
                let (host, port) = proxy.address();
                let stream = dial(&host, port).await;
                let stream = stream.map_err(|error| failed(error.to_string()))?;
                if origin.secure {
                    tunnel(origin, proxy, &stream).await.map_err(failed)?;
                }
                stream
            }
        };
        if !origin.secure {
            return Ok(Counted::new(stream));
        }
        let tls = self.tls();
        let tls = tls.map_err(|error| Unreachable::Tls(error.to_string()))?;
        let stream = tls.connect(name(origin)?, stream).await;
        stream.map(Counted::new).map_err(|error| {
            Unreachable::Tls(match cause::tls_error(&error) {
                Some(tls) => cause::of_tls(tls),
                None if is_end(&error) => {
                    "the server ends the connection during the TLS handshake; if the port does not speak TLS, write http:// instead of https://".to_owned()
                }
                None => format!("the TLS handshake failed: {error}"),
            })
        })
    }

    /// Whether the port of an origin answers a TLS handshake, whatever its certificate is.
    pub(super) async fn speaks_tls(&self, origin: &Origin) -> bool {
        if self.settings.proxy.is_some() {
            return false;
        }
        let (Ok(tls), Ok(name)) = (self.tls(), name(origin)) else {
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

fn name(origin: &Origin) -> Result<ServerName<'static>, Unreachable> {
    ServerName::try_from(origin.host.clone())
        .map_err(|_| Unreachable::Tls(format!("`{}` is not a name that TLS can use", origin.host)))
}

async fn dial(host: &str, port: u16) -> io::Result<TcpStream> {
    let stream = TcpStream::connect((host, port)).await?;
    // A request is written in one piece; nothing is gained by waiting for more.
    stream.set_nodelay(true)?;
    Ok(stream)
}

fn is_end(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe
    )
}

/// Asks the proxy for a connection to the origin of a URL.
async fn tunnel(origin: &Origin, proxy: &Proxy, stream: &TcpStream) -> Result<(), String> {
    let (host, port) = (origin.bracketed(), origin.port);
    let mut request = format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n");
    if let Some(authorization) = proxy.authorization() {
        request += &format!("Proxy-Authorization: {authorization}\r\n");
    }
    request += "\r\n";
    let failed = |error: io::Error| error.to_string();
    let mut rest = request.as_bytes();
    while !rest.is_empty() {
        stream.writable().await.map_err(failed)?;
        match stream.try_write(rest) {
            Ok(written) => rest = &rest[written..],
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(failed(error)),
        }
    }
    let mut head = Vec::new();
    let mut byte = [0];
    // One byte at a time, so that nothing of what follows the head is taken.
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() >= HEAD_LIMIT {
            return Err("its answer has no end".to_owned());
        }
        stream.readable().await.map_err(failed)?;
        match stream.try_read(&mut byte) {
            Ok(0) => return Err("ends the connection without an answer".to_owned()),
            Ok(_) => head.push(byte[0]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(failed(error)),
        }
    }
    let head = String::from_utf8_lossy(&head);
    let status = head.split_whitespace().nth(1).unwrap_or_default();
    match status {
        "200" => Ok(()),
        "407" => {
            Err("asks for a user and a password; write http://USER:PASSWORD@HOST:PORT".to_owned())
        }
        _ if head.starts_with("HTTP/1.") => Err(format!(
            "answered {} to CONNECT {host}:{port}",
            head.lines().next().unwrap_or_default().trim()
        )),
        _ => Err("does not answer as an HTTP proxy does".to_owned()),
    }
}

trait Stream: AsyncRead + AsyncWrite + Unpin {
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

impl Stream for TlsStream<TcpStream> {
    fn tcp(&self) -> &TcpStream {
        self.get_ref().0
    }
}

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
