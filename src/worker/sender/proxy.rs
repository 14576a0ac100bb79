//! A tunnel through the egress proxy (RFC 9110, 9.3.6).

use std::io;
use std::time::Duration;

use data_encoding::BASE64;
use http_body_util::Empty;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{HOST, HeaderValue, PROXY_AUTHORIZATION};
use hyper::{Method, Request, Uri};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::stream::Tcp;
use crate::config::EgressProxy;
use crate::domain::Lack;

/// How long the proxy may take to accept a connection: less than an attempt may take, so that its silence is not taken for that of the
/// receiver.
const CONNECT_DEADLINE: Duration = Duration::from_secs(5);

/// Why there is no tunnel.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TunnelFault {
    /// The proxy cannot be used at all.
    #[error(transparent)]
    Lack(#[from] Lack),
    /// The proxy does not allow this receiver.
    #[error("the egress proxy refuses `{0}` (403)")]
    Refused(String),
    /// The proxy found no way to the receiver.
    #[error("the egress proxy cannot connect to `{target}` ({status})")]
    Unreachable { target: String, status: u16 },
    /// The proxy broke off.
    #[error("the egress proxy broke off")]
    Broken(#[source] hyper::Error),
    /// The proxy sent something before it was asked for it.
    #[error("the egress proxy sent more than its answer")]
    Excess,
}

/// Opens tunnels.
#[derive(Debug)]
pub(crate) struct Proxy {
    host: String,
    port: u16,
    authorization: Option<HeaderValue>,
    /// Whether it resolves the names of receivers.
    pub(crate) resolves: bool,
}

impl From<EgressProxy> for Proxy {
    fn from(proxy: EgressProxy) -> Self {
        let authorization = proxy.credentials.map(|credentials| {
            let encoded = BASE64.encode(credentials.expose().as_bytes());
            let mut value = HeaderValue::from_str(&format!("Basic {encoded}"))
                .expect("base64 has only characters that a header may have");
            value.set_sensitive(true);
            value
        });
        Self {
            host: proxy.host,
            port: proxy.port,
            authorization,
            resolves: proxy.resolves,
        }
    }
}

impl Proxy {
    /// Opens a tunnel to `target`, which is `HOST:PORT`.
    ///
    /// # Errors
    /// [`TunnelFault`] says whether the proxy or the receiver is to blame.
    pub(crate) async fn tunnel(&self, target: &str) -> Result<Tcp, TunnelFault> {
        let broken = TunnelFault::Broken;
        let tcp = Tcp::new(self.dial().await?);
        let (mut requests, connection) =
            http1::handshake(TokioIo::new(tcp)).await.map_err(broken)?;
        tokio::spawn(connection.with_upgrades());
        let request = self.request(target);
        let response = requests.send_request(request).await.map_err(broken)?;
        match response.status().as_u16() {
            200..=299 => {}
            403 => return Err(TunnelFault::Refused(target.to_owned())),
            407 => {
                tracing::debug!("the egress proxy wants other credentials (407)");
                return Err(Lack::Proxy.into());
            }
            status => {
                let target = target.to_owned();
                return Err(TunnelFault::Unreachable { target, status });
            }
        }
        let upgraded = hyper::upgrade::on(response).await.map_err(broken)?;
        match upgraded.downcast::<TokioIo<Tcp>>() {
            Ok(parts) if parts.read_buf.is_empty() => Ok(parts.io.into_inner()),
            Ok(_) | Err(_) => Err(TunnelFault::Excess),
        }
    }

    async fn dial(&self) -> Result<TcpStream, Lack> {
        let dialled = timeout(
            CONNECT_DEADLINE,
            TcpStream::connect((self.host.as_str(), self.port)),
        );
        let dialled = dialled
            .await
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
        match dialled {
            Ok(tcp) => {
                // Without it the kernel may hold a small request back. Where it cannot be set, the connection works all the same.
                let _ = tcp.set_nodelay(true);
                Ok(tcp)
            }
            Err(error) => {
                let lack = super::lack::lacking(&error).unwrap_or(Lack::Proxy);
                tracing::debug!(%error, "the egress proxy cannot be reached");
                Err(lack)
            }
        }
    }

    fn request(&self, target: &str) -> Request<Empty<Bytes>> {
        let mut request = Request::new(Empty::new());
        *request.method_mut() = Method::CONNECT;
        let uri: Uri = target.parse().expect("a target is a host and a port");
        *request.uri_mut() = uri;
        let host = HeaderValue::from_str(target).expect("a target is a host and a port");
        request.headers_mut().insert(HOST, host);
        if let Some(authorization) = &self.authorization {
            let authorization = authorization.clone();
            request
                .headers_mut()
                .insert(PROXY_AUTHORIZATION, authorization);
        }
        request
    }
}
