//! Opens a connection: resolves the host once, vets every address, dials a vetted one, and speaks TLS with it.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hyper::Uri;
use hyper::http::uri::Scheme;
use hyper_util::rt::TokioIo;
use rustls::pki_types::{InvalidDnsNameError, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::lack::{lacking_now, lacking_to_connect};
use super::proxy::{Proxy, TunnelFault};
use super::resolve::Resolve;
use super::stream::{Stream, Tcp, Transport};
use crate::config::EgressProxy;
use crate::domain::{AddressPolicy, Lack, Refusal};

/// How long an address is given before the next one is dialled beside it ("Happy Eyeballs Version 2", RFC 8305, section 5).
const HEAD_START: Duration = Duration::from_millis(250);

/// A name with more addresses than this cannot make us dial them all.
const MOST_DIALLED: usize = 8;

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectFault {
    /// The URL has an address in place of a name, which is refused.
    #[error("{0}")]
    Refused(Refusal),
    /// The name has only addresses that are refused.
    #[error("`{name}` has no address that is allowed: {first}")]
    NameRefused { name: String, first: Refusal },
    /// The name could not be looked up.
    #[error("cannot resolve `{name}`")]
    Unresolved {
        name: String,
        #[source]
        source: io::Error,
    },
    /// The name has no address at all.
    #[error("`{0}` has no address")]
    NoAddress(String),
    /// No address answered. This is the last that failed.
    #[error("cannot connect to {address}")]
    Unreachable {
        address: SocketAddr,
        #[source]
        source: io::Error,
    },
    /// TLS does not know such names.
    #[error("`{name}` cannot stand in a certificate")]
    ServerName {
        name: String,
        #[source]
        source: InvalidDnsNameError,
    },
    /// There is no TLS connection: the certificate is not valid for the host, for instance.
    #[error("TLS with `{name}` failed")]
    Tls {
        name: String,
        #[source]
        source: io::Error,
    },
    /// The proxy opens no tunnel.
    #[error(transparent)]
    Tunnel(#[from] TunnelFault),
    /// The connection was given up with the runtime.
    #[error("the server stops")]
    Stopped,
    /// There is none because of this machine.
    #[error(transparent)]
    Lack(#[from] Lack),
}

/// Opens connections.
#[derive(Clone)]
pub(crate) struct Connector {
    policy: Arc<AddressPolicy>,
    resolver: Arc<dyn Resolve>,
    tls: TlsConnector,
    proxy: Option<Arc<Proxy>>,
}

impl Connector {
    pub(crate) fn new(
        policy: Arc<AddressPolicy>,
        resolver: Arc<dyn Resolve>,
        roots: RootCertStore,
        proxy: Option<EgressProxy>,
    ) -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring has cipher suites for the default versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Self {
            policy,
            resolver,
            tls: TlsConnector::from(Arc::new(tls)),
            proxy: proxy.map(|proxy| Arc::new(proxy.into())),
        }
    }

    /// Opens a connection to the host and port of `uri`.
    ///
    /// # Errors
    /// [`ConnectFault`] says why there is none.
    pub(crate) async fn connect(&self, uri: &Uri) -> Result<Stream, ConnectFault> {
        let host = uri.host().unwrap_or_default();
        let host = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'))
            .unwrap_or(host);
        let secure = uri.scheme() != Some(&Scheme::HTTP);
        let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let tcp = match &self.proxy {
            None => Tcp::new(dial(self.vetted(host).await?, port).await?),
            Some(proxy) => self.tunnel(proxy, host, port).await?,
        };
        let transport = if secure {
            let name = ServerName::try_from(host.to_owned()).map_err(|source| {
                ConnectFault::ServerName {
                    name: host.to_owned(),
                    source,
                }
            })?;
            let tls = self.tls.connect(name, tcp).await;
            let tls = tls.map_err(|source| ConnectFault::Tls {
                name: host.to_owned(),
                source,
            })?;
            Transport::Tls(Box::new(TokioIo::new(tls)))
        } else {
            Transport::Plain(TokioIo::new(tcp))
        };
        Ok(Stream::new(transport))
    }

    /// A tunnel to `host`. The proxy is asked for a vetted address, unless it resolves names itself.
    async fn tunnel(&self, proxy: &Proxy, host: &str, port: u16) -> Result<Tcp, ConnectFault> {
        if proxy.resolves && host.parse::<IpAddr>().is_err() {
            return Ok(proxy.tunnel(&format!("{host}:{port}")).await?);
        }
        let mut failed = ConnectFault::NoAddress(host.to_owned());
        // One after the other: it is the proxy that connects, and each takes a connection to it.
        for ip in alternate(self.vetted(host).await?)
            .into_iter()
            .take(MOST_DIALLED)
        {
            match proxy.tunnel(&SocketAddr::new(ip, port).to_string()).await {
                Ok(tunnel) => return Ok(tunnel),
                Err(fault @ TunnelFault::Unreachable { .. }) => failed = fault.into(),
                Err(fault) => return Err(fault.into()),
            }
        }
        Err(failed)
    }

    /// The addresses of `host` that may be dialled, at least one.
    async fn vetted(&self, host: &str) -> Result<Vec<IpAddr>, ConnectFault> {
        if let Ok(literal) = host.parse() {
            self.policy.check(literal).map_err(ConnectFault::Refused)?;
            return Ok(vec![literal]);
        }
        let found = self.resolver.resolve(host).await;
        // An error of the look-up does not tell a name that is unknown from a socket that could not be had.
        let found = found.map_err(|source| match lacking_now() {
            Some(lack) => ConnectFault::Lack(lack),
            None => ConnectFault::Unresolved {
                name: host.to_owned(),
                source,
            },
        })?;
        let mut vetted = Vec::new();
        let mut refused = None;
        for ip in found {
            match self.policy.check(ip) {
                Ok(()) if vetted.contains(&ip) => {}
                Ok(()) => vetted.push(ip),
                Err(refusal) => refused = refused.or(Some(refusal)),
            }
        }
        match refused {
            _ if !vetted.is_empty() => Ok(vetted),
            Some(first) => Err(ConnectFault::NameRefused {
                name: host.to_owned(),
                first,
            }),
            None => Err(ConnectFault::NoAddress(host.to_owned())),
        }
    }
}

/// Dials the addresses until one answers, each with a head start before the next: an address that swallows packets must not use up the
/// deadline of one that answers.
async fn dial(vetted: Vec<IpAddr>, port: u16) -> Result<TcpStream, ConnectFault> {
    let mut waiting = alternate(vetted)
        .into_iter()
        .take(MOST_DIALLED)
        .map(|ip| SocketAddr::new(ip, port));
    let mut dialling = JoinSet::new();
    let mut failed = ConnectFault::Stopped;
    loop {
        let next = waiting.next();
        if let Some(address) = next {
            dialling.spawn(async move {
                let dialled = TcpStream::connect(address).await;
                dialled.map_err(|source| match lacking_to_connect(&source, address) {
                    Some(lack) => ConnectFault::Lack(lack),
                    None => ConnectFault::Unreachable { address, source },
                })
            });
        }
        let ended = match next {
            Some(_) => timeout(HEAD_START, dialling.join_next()).await,
            None => Ok(dialling.join_next().await),
        };
        match ended {
            Ok(Some(Ok(Ok(tcp)))) => {
                // Without it the kernel may hold a small request back. Where it cannot be set, the connection works all the same.
                let _ = tcp.set_nodelay(true);
                return Ok(tcp);
            }
            // Whether the receiver answers at an address that could not be tried is not known.
            Ok(Some(Ok(Err(fault)))) if !matches!(failed, ConnectFault::Lack(_)) => failed = fault,
            Ok(Some(Ok(Err(_)))) => {}
            Ok(None) if next.is_none() => return Err(failed),
            // The head start is over, or a task was lost with its runtime.
            Ok(None | Some(Err(_))) | Err(_) => {}
        }
    }
}

/// The same addresses, the two families in turn, beginning with that of the first.
fn alternate(addresses: Vec<IpAddr>) -> Vec<IpAddr> {
    let first_is_v4 = addresses.first().is_some_and(IpAddr::is_ipv4);
    let count = addresses.len();
    let (ours, others): (Vec<_>, Vec<_>) = addresses
        .into_iter()
        .partition(|ip| ip.is_ipv4() == first_is_v4);
    let (mut ours, mut others) = (ours.into_iter(), others.into_iter());
    let mut mixed = Vec::with_capacity(count);
    while mixed.len() < count {
        mixed.extend(ours.next());
        mixed.extend(others.next());
    }
    mixed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_families_of_addresses_take_turns() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let given = ["2606::1", "2606::2", "2606::3", "1.1.1.1"].map(ip);
        let mixed = ["2606::1", "1.1.1.1", "2606::2", "2606::3"].map(ip);
        assert_eq!(alternate(given.to_vec()), mixed);
        let given = ["1.1.1.1", "1.1.1.2", "2606::1"].map(ip);
        let mixed = ["1.1.1.1", "2606::1", "1.1.1.2"].map(ip);
        assert_eq!(alternate(given.to_vec()), mixed);
        assert_eq!(alternate(Vec::new()), Vec::<IpAddr>::new());
    }
}
