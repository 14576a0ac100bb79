//! The sender against real sockets: receivers that answer well, badly, slowly, never, or from where nothing may be sent.

mod addresses;
mod deadline;
mod exchange;
mod hostile;
mod http2;
mod lack;
mod pool;
mod proxy;
mod tls;

use std::collections::VecDeque;
use std::future::pending;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use hyper::body::Bytes;
use jiff::Timestamp;
use rustls::RootCertStore;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::{Resolve, Sender, SenderSettings, Sent};
use crate::domain::{AddressPolicy, Outcome};

/// Long enough for an answer over loopback on a busy machine.
const LONG: Duration = Duration::from_secs(30);
/// Short enough to wait for.
const SHORT: Duration = Duration::from_millis(300);

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const OK_AND_CLOSE: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";

/// A listener on loopback that counts what it gets.
struct Receiver {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    requests: Arc<AtomicUsize>,
}

/// One connection to a receiver.
struct Caller {
    tcp: TcpStream,
    requests: Arc<AtomicUsize>,
}

impl Receiver {
    /// Plays `script` with every connection.
    async fn playing<F, P>(script: F) -> Self
    where
        F: Fn(Caller) -> P + Send + 'static,
        P: Future<Output = io::Result<()>> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self::on(listener, script)
    }

    fn on<F, P>(listener: TcpListener, script: F) -> Self
    where
        F: Fn(Caller) -> P + Send + 'static,
        P: Future<Output = io::Result<()>> + Send + 'static,
    {
        let receiver = Self {
            address: listener.local_addr().unwrap(),
            connections: Arc::default(),
            requests: Arc::default(),
        };
        let (connections, requests) = (receiver.connections.clone(), receiver.requests.clone());
        tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                connections.fetch_add(1, Ordering::SeqCst);
                let requests = requests.clone();
                tokio::spawn(script(Caller { tcp, requests }));
            }
        });
        receiver
    }

    /// Answers every request with these bytes and keeps the connection open.
    async fn answering(answer: impl Into<Vec<u8>>) -> Self {
        let answer = Arc::new(answer.into());
        Self::playing(move |mut caller| {
            let answer = answer.clone();
            async move {
                while caller.request().await?.is_some() {
                    caller.tcp.write_all(&answer).await?;
                }
                Ok(())
            }
        })
        .await
    }

    fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

impl Caller {
    /// The next request, head and body; none when the connection is closed.
    async fn request(&mut self) -> io::Result<Option<Vec<u8>>> {
        let request = read_request(&mut self.tcp).await?;
        self.requests
            .fetch_add(usize::from(request.is_some()), Ordering::SeqCst);
        Ok(request)
    }
}

async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<Vec<u8>>> {
    let mut request = Vec::new();
    loop {
        let end = request.windows(4).position(|four| four == b"\r\n\r\n");
        if let Some(end) = end {
            let head = String::from_utf8_lossy(&request[..end]).to_lowercase();
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .map_or(0, |length| length.parse().unwrap());
            let mut body = vec![0; end + 4 + length - request.len()];
            stream.read_exact(&mut body).await?;
            request.extend(body);
            return Ok(Some(request));
        }
        if stream.read_buf(&mut request).await? == 0 {
            return Ok(None);
        }
    }
}

/// Waits; `tokio::time::sleep` is for the worker's loop.
async fn pause(duration: Duration) {
    let _ = timeout(duration, pending::<()>()).await;
}

/// Gives the addresses of its script in turn, and counts.
struct Script {
    turns: Mutex<VecDeque<Vec<IpAddr>>>,
    asked: AtomicUsize,
}

impl Script {
    fn new(turns: &[&[&str]]) -> Arc<Self> {
        let addresses = |turn: &&[&str]| turn.iter().map(|ip| ip.parse().unwrap()).collect();
        Arc::new(Self {
            turns: Mutex::new(turns.iter().map(addresses).collect()),
            asked: AtomicUsize::new(0),
        })
    }
}

#[async_trait]
impl Resolve for Script {
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        if name.ends_with(".invalid") {
            return Err(io::Error::other("no such name"));
        }
        let mut turns = self.turns.lock().unwrap();
        turns.rotate_left(1);
        Ok(turns.back().cloned().unwrap_or_default())
    }
}

/// The policy of a sandbox: `http` and loopback.
fn sandbox() -> AddressPolicy {
    AddressPolicy {
        loopback: true,
        http: true,
        ..AddressPolicy::default()
    }
}

fn settings(policy: AddressPolicy) -> SenderSettings {
    SenderSettings {
        deadline: LONG,
        resolver: Script::new(&[&["127.0.0.1"]]),
        ..SenderSettings::new(Arc::new(policy), RootCertStore::empty())
    }
}

fn sender() -> Sender {
    Sender::new(settings(sandbox()))
}

fn hurried() -> Sender {
    Sender::new(SenderSettings {
        deadline: SHORT,
        ..settings(sandbox())
    })
}

async fn post(sender: &Sender, url: &str) -> Sent {
    let headers: &[(&str, &[u8])] = &[("Content-Type", b"application/json")];
    let body = Bytes::from_static(b"{\"n\":1.10}");
    let sent = sender.send(url, headers, body, Timestamp::UNIX_EPOCH);
    sent.await.expect("this machine lacks nothing")
}

fn status(sent: &Sent) -> Option<u16> {
    match sent.outcome {
        Outcome::Answered { status, .. } => Some(status),
        Outcome::TimedOut { .. } | Outcome::Refused(_) | Outcome::Failed { .. } => None,
    }
}

fn failed(sent: &Sent) -> &str {
    match &sent.outcome {
        Outcome::Failed { reason, .. } => reason,
        other => panic!("expected a failure: {other:?}"),
    }
}

fn refused(sent: &Sent) -> &str {
    match &sent.outcome {
        Outcome::Refused(reason) => reason,
        other => panic!("expected a refusal: {other:?}"),
    }
}

/// A listener with a full queue on `ip`: connecting to it hangs. The sockets are what fills it.
async fn swallowing(
    ip: Ipv4Addr,
    port: u16,
) -> io::Result<(SocketAddr, Vec<TcpStream>, TcpListener)> {
    let socket = tokio::net::TcpSocket::new_v4()?;
    socket.bind((ip, port).into())?;
    let listener = socket.listen(1)?;
    let address = listener.local_addr()?;
    let mut queue = Vec::new();
    while let Ok(connected) = timeout(SHORT, TcpStream::connect(address)).await {
        queue.push(connected?);
    }
    Ok((address, queue, listener))
}
