//! The receiver: an HTTP server on loopback that keeps every request and answers by script.
//!
//! Each registered webhook has a path of its own, so that it is known for whom a request was meant. Bodies are read up to a limit; a
//! larger one is cut, and the arrival says so. Nothing is judged here.

mod serve;
mod stalls;

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;

use super::reply::{Reply, Script};
use crate::hooks::{Handshake, Message, Secrets, Signing};

use serve::serve;
use stalls::Stalls;

/// Why the receiver cannot be opened.
#[derive(Debug, Error)]
pub enum ReceiverError {
    /// The address is taken, or not one of this machine.
    #[error(
        "cannot listen on {address}: {source}; choose another address with --listen, such as 127.0.0.1:0"
    )]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The cause.
        source: io::Error,
    },
    /// The certificate or its key cannot be used.
    #[error("{file}: {problem}")]
    Certificate {
        /// The file.
        file: String,
        /// The problem with the file.
        problem: String,
    },
}

/// A request that arrived.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// When, in seconds since the receiver was opened.
    pub at: f64,
    /// When, by the clock of this machine.
    pub wall: jiff::Timestamp,
    /// The path that was registered, without its slash.
    pub slot: String,
    /// The rest of the path after the registered one; empty for deliveries.
    pub below: String,
    /// The request. Its URL is the registered one, with the query as it came.
    pub message: Arc<Message>,
    /// The request target as it came.
    pub target: String,
    /// Whether the body was larger than what is kept.
    pub cut: bool,
    /// The receiver's response.
    pub reply: Reply,
    /// When the sender hung up before it had its answer, in seconds since the receiver was opened.
    pub abandoned: Option<f64>,
    /// Whether it is a handshake and not a delivery.
    pub handshake: bool,
    /// Whether the sender took all of a huge answer, but for what the machine keeps on the way.
    pub read_to_end: bool,
}

#[derive(Debug)]
struct Slot {
    script: Script,
    handshakes: Vec<Handshake>,
    secrets: Secrets,
    secret: Vec<u8>,
    signing: Option<Signing>,
}

impl Arrival {
    /// Whether it is a delivery: neither a handshake, nor a request to where a redirect leads.
    pub fn is_delivery(&self) -> bool {
        self.below.is_empty() && !self.handshake
    }
}

#[derive(Debug, Default)]
struct Inbox {
    slots: HashMap<String, Slot>,
    arrivals: Vec<Arrival>,
    /// The deliveries among the arrivals, by slot.
    deliveries: HashMap<String, Vec<usize>>,
    /// How many bytes of bodies are kept.
    bytes: usize,
    dropped: usize,
    /// Secrets that handshakes brought, by slot.
    brought: HashMap<String, String>,
}

#[derive(Debug)]
struct Shared {
    inbox: Mutex<Inbox>,
    arrived: Notify,
    opened: Instant,
    base: String,
    stalls: Mutex<Stalls>,
}

/// An open receiver. It is closed when it is dropped.
#[derive(Debug)]
pub struct Receiver {
    shared: Arc<Shared>,
    address: SocketAddr,
    serving: JoinHandle<()>,
    watching: JoinHandle<()>,
}

/// Where to listen, and under which URL senders find it.
#[derive(Debug, Clone)]
pub struct Place<'p> {
    /// The address.
    pub listen: SocketAddr,
    /// The URL behind a tunnel or proxy.
    pub public_url: Option<&'p str>,
    /// PEM files of the certificate and its key.
    pub certificate: Option<(&'p Path, &'p Path)>,
}

impl Receiver {
    /// Opens the port.
    ///
    /// # Errors
    /// When the address cannot be listened on, or the certificate cannot be used.
    pub async fn open(place: &Place<'_>) -> Result<Self, ReceiverError> {
        let tls = place
            .certificate
            .map(|(certificate, key)| acceptor(certificate, key))
            .transpose()?;
        let cannot = |source| ReceiverError::Listen {
            address: place.listen,
            source,
        };
        let listener = TcpListener::bind(place.listen).await.map_err(cannot)?;
        let address = listener.local_addr().map_err(cannot)?;
        let scheme = if tls.is_some() { "https" } else { "http" };
        let host = match address.ip() {
            ip if ip.is_unspecified() => "localhost".to_owned(),
            IpAddr::V6(ip) => format!("[{ip}]"),
            IpAddr::V4(ip) => ip.to_string(),
        };
        let own = format!("{scheme}://{host}:{}", address.port());
        let base = place
            .public_url
            .map_or(own, |url| url.trim_end_matches('/').to_owned());
        let shared = Arc::new(Shared {
            inbox: Mutex::default(),
            arrived: Notify::new(),
            opened: Instant::now(),
            base,
            stalls: Mutex::default(),
        });
        let serving = tokio::spawn(serve(listener, tls, Arc::clone(&shared)));
        let watching = tokio::spawn(stalls::watch(Arc::clone(&shared)));
        Ok(Self {
            shared,
            address,
            serving,
            watching,
        })
    }

    /// The address that is listened on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL that a slot is registered with.
    pub fn url(&self, slot: &str) -> String {
        format!("{}/{slot}", self.shared.base)
    }

    /// Seconds since the receiver was opened.
    pub fn now(&self) -> f64 {
        self.shared.now()
    }

    /// For how many seconds this process stood still between two moments, because the machine was busy: what happened then is noticed
    /// later, or did not happen because others stood still too.
    pub fn stalled(&self, from: f64, to: f64) -> f64 {
        self.shared.stalls().between(from, to)
    }

    /// Makes a path for one webhook.
    pub fn slot(
        &self,
        name: &str,
        script: Script,
        handshakes: &[Handshake],
        signing: Option<&Signing>,
    ) {
        let slot = Slot {
            script,
            handshakes: handshakes.to_vec(),
            secrets: Secrets::default(),
            secret: Vec::new(),
            signing: signing.cloned(),
        };
        self.shared.inbox().slots.insert(name.to_owned(), slot);
    }

    /// Tells the secrets of a webhook, which some handshakes need.
    pub fn secrets(&self, name: &str, secrets: Secrets, text: &str) {
        if let Some(slot) = self.shared.inbox().slots.get_mut(name) {
            slot.secrets = secrets;
            slot.secret = text.as_bytes().to_vec();
        }
    }

    /// Changes the answers at a path from now on.
    pub fn script(&self, name: &str, script: Script) {
        if let Some(slot) = self.shared.inbox().slots.get_mut(name) {
            slot.script = script;
        }
    }

    /// The secret that a handshake brought.
    pub fn brought(&self, name: &str) -> Option<String> {
        self.shared.inbox().brought.get(name).cloned()
    }

    /// All arrivals so far, in the order of time.
    pub fn arrivals(&self) -> Vec<Arrival> {
        self.shared.inbox().arrivals.clone()
    }

    /// The deliveries to one path.
    pub fn at(&self, slot: &str) -> Vec<Arrival> {
        let inbox = self.shared.inbox();
        let own = inbox.deliveries.get(slot);
        own.into_iter()
            .flatten()
            .map(|&index| inbox.arrivals[index].clone())
            .collect()
    }

    /// The first delivery to one path.
    pub fn first(&self, slot: &str) -> Option<Arrival> {
        let inbox = self.shared.inbox();
        let index = *inbox.deliveries.get(slot)?.first()?;
        inbox.arrivals.get(index).cloned()
    }

    /// How many deliveries came to one path.
    pub fn count(&self, slot: &str) -> usize {
        let inbox = self.shared.inbox();
        inbox.deliveries.get(slot).map_or(0, Vec::len)
    }

    /// How many arrivals were not kept.
    pub fn dropped(&self) -> usize {
        self.shared.inbox().dropped
    }

    /// Waits until `enough` holds, at most `limit`; tells whether it does.
    pub async fn wait(&self, limit: Duration, mut enough: impl FnMut() -> bool) -> bool {
        let end = Instant::now() + limit;
        loop {
            let arrived = self.shared.arrived.notified();
            tokio::pin!(arrived);
            // An arrival between the check and the wait still wakes it.
            arrived.as_mut().enable();
            if enough() {
                return true;
            }
            if tokio::time::timeout_at(end, arrived).await.is_err() {
                return enough();
            }
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.serving.abort();
        self.watching.abort();
    }
}

impl Shared {
    fn inbox(&self) -> MutexGuard<'_, Inbox> {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stalls(&self) -> MutexGuard<'_, Stalls> {
        self.stalls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> f64 {
        self.opened.elapsed().as_secs_f64()
    }
}

fn acceptor(certificate: &Path, key: &Path) -> Result<TlsAcceptor, ReceiverError> {
    let wrong = |file: &Path, problem: String| ReceiverError::Certificate {
        file: file.display().to_string(),
        problem,
    };
    for file in [certificate, key] {
        std::fs::File::open(file)
            .map_err(|error| wrong(file, format!("cannot be read: {error}")))?;
    }
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| wrong(certificate, format!("not a certificate in PEM: {error}")))?;
    let secret = PrivateKeyDer::from_pem_file(key)
        .map_err(|error| wrong(key, format!("not a private key in PEM: {error}")))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| {
            builder
                .with_no_client_auth()
                .with_single_cert(chain, secret)
        })
        .map_err(|error| wrong(certificate, error.to_string()))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}
