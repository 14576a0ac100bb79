//! The receiver of all webhooks: notes when each delivery arrived. Below `/gate/` it answers only while the gate is open.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::message;
use crate::moment::{nanoseconds, pause};

/// Added to the numbers of events, so that all have the same length and every request has one size.
pub(crate) const FIRST_NUMBER: u64 = 1_000_000_000;

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

/// How long nothing may arrive before what is missing counts as lost.
const PATIENCE: Duration = Duration::from_secs(20);

/// A listening receiver.
pub(crate) struct Receiver {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    ledger: RwLock<Arc<Ledger>>,
    gate: watch::Sender<bool>,
    abandoned: AtomicU64,
    sample_wanted: AtomicBool,
    sample: Mutex<Option<Vec<u8>>>,
}

/// The arrivals of one measurement.
pub(crate) struct Ledger {
    /// When event `n` arrived at webhook `k`, at `n * fan_out + k`; 0 until then.
    arrivals: Vec<AtomicU64>,
    fan_out: u64,
    arrived: AtomicU64,
    repeated: AtomicU64,
    last: AtomicU64,
}

impl Ledger {
    fn new(events: u64, fan_out: u64) -> Self {
        let arrivals = (0..events * fan_out).map(|_| AtomicU64::new(0)).collect();
        Self {
            arrivals,
            fan_out,
            arrived: AtomicU64::new(0),
            repeated: AtomicU64::new(0),
            last: AtomicU64::new(0),
        }
    }

    fn note(&self, event: u64, webhook: u64) {
        let place = usize::try_from(event.saturating_mul(self.fan_out).saturating_add(webhook));
        let Some(slot) = place.ok().and_then(|place| self.arrivals.get(place)) else {
            return;
        };
        let now = nanoseconds();
        if slot
            .compare_exchange(0, now, Ordering::Relaxed, Ordering::Relaxed)
            .is_ok()
        {
            self.last.fetch_max(now, Ordering::Relaxed);
            self.arrived.fetch_add(1, Ordering::Release);
        } else {
            self.repeated.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// When event `n` arrived at webhook `k`.
    pub(crate) fn arrival(&self, event: u64, webhook: u64) -> Option<u64> {
        let place = usize::try_from(event * self.fan_out + webhook).ok()?;
        let slot = self.arrivals.get(place)?;
        Some(slot.load(Ordering::Relaxed)).filter(|at| *at > 0)
    }

    /// How many deliveries arrived, each counted once.
    pub(crate) fn arrived(&self) -> u64 {
        self.arrived.load(Ordering::Acquire)
    }

    /// How many arrived again.
    pub(crate) fn repeated(&self) -> u64 {
        self.repeated.load(Ordering::Relaxed)
    }

    /// When the last one arrived.
    pub(crate) fn last(&self) -> u64 {
        self.last.load(Ordering::Relaxed)
    }
}

impl Receiver {
    /// Listens on a free port of loopback.
    ///
    /// # Errors
    /// Returns the error of the operating system.
    pub(crate) async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            ledger: RwLock::new(Arc::new(Ledger::new(0, 1))),
            gate: watch::Sender::new(false),
            abandoned: AtomicU64::new(0),
            sample_wanted: AtomicBool::new(false),
            sample: Mutex::new(None),
        });
        let accepting = shared.clone();
        tokio::spawn(async move {
            loop {
                if let Ok((stream, _)) = listener.accept().await {
                    let shared = accepting.clone();
                    tokio::spawn(async move {
                        if let Err(error) = serve(stream, &shared).await
                            && error.kind() == io::ErrorKind::InvalidData
                        {
                            eprintln!("  the receiver got what it does not understand: {error}");
                        }
                    });
                }
            }
        });
        Ok(Self { address, shared })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of webhook `k`, which is answered at once.
    pub(crate) fn url(&self, webhook: u64) -> String {
        format!("http://{}/open/{webhook}", self.address)
    }

    /// The URL of webhook `k`, which hangs until the gate opens.
    pub(crate) fn gated_url(&self, webhook: u64) -> String {
        format!("http://{}/gate/{webhook}", self.address)
    }

    /// Begins a new measurement, with the gate closed.
    pub(crate) fn expect(&self, events: u64, fan_out: u64) -> Arc<Ledger> {
        self.close_gate();
        self.shared.abandoned.store(0, Ordering::Relaxed);
        let ledger = Arc::new(Ledger::new(events, fan_out));
        *self
            .shared
            .ledger
            .write()
            .unwrap_or_else(PoisonError::into_inner) = ledger.clone();
        ledger
    }

    /// Answers what hangs, and what comes.
    pub(crate) fn open_gate(&self) {
        self.shared.gate.send_replace(true);
    }

    fn close_gate(&self) {
        self.shared.gate.send_replace(false);
    }

    /// How many requests were given up by the server while they hung.
    pub(crate) fn abandoned(&self) -> u64 {
        self.shared.abandoned.load(Ordering::Relaxed)
    }

    /// Waits until `wanted` deliveries arrived, or hung and were given up; says how many are missing when nothing comes any more.
    pub(crate) async fn wait(&self, ledger: &Ledger, wanted: u64) -> u64 {
        let mut before = (0, nanoseconds());
        loop {
            let arrived = ledger.arrived() + self.abandoned();
            if arrived >= wanted {
                return 0;
            }
            let now = nanoseconds();
            if arrived > before.0 {
                before = (arrived, now);
            } else if Duration::from_nanos(now - before.1) > PATIENCE {
                return wanted - arrived;
            }
            pause(Duration::from_millis(2)).await;
        }
    }

    /// Keeps the bytes of the next request.
    pub(crate) fn keep_next_request(&self) {
        self.shared.sample_wanted.store(true, Ordering::Release);
    }

    /// The bytes of the request that was to be kept, once it is there.
    pub(crate) async fn kept_request(&self) -> Option<Vec<u8>> {
        for _ in 0..500 {
            let taken = self
                .shared
                .sample
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take();
            if taken.is_some() {
                return taken;
            }
            pause(Duration::from_millis(10)).await;
        }
        None
    }
}

async fn serve(mut stream: TcpStream, shared: &Shared) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = Vec::with_capacity(8 * 1024);
    loop {
        let frame = loop {
            if let Some(frame) = message::frame(&buffer)? {
                break frame;
            }
            if stream.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
        };
        let request = &buffer[..frame.total];
        let (gated, webhook) = place(request);
        let event = event(&request[frame.head..]);
        if shared.sample_wanted.swap(false, Ordering::AcqRel) {
            *shared.sample.lock().unwrap_or_else(PoisonError::into_inner) = Some(request.to_vec());
        }
        buffer.drain(..frame.total);
        if gated && !pass(&mut stream, &mut buffer, shared).await? {
            shared.abandoned.fetch_add(1, Ordering::Relaxed);
            return Ok(());
        }
        if let Some(event) = event {
            let ledger = shared
                .ledger
                .read()
                .unwrap_or_else(PoisonError::into_inner)
                .clone();
            ledger.note(event, webhook);
        }
        stream.write_all(ANSWER).await?;
    }
}

/// Waits for the gate; false when the client gives up first.
async fn pass(stream: &mut TcpStream, buffer: &mut Vec<u8>, shared: &Shared) -> io::Result<bool> {
    let mut gate = shared.gate.subscribe();
    while !*gate.borrow_and_update() {
        tokio::select! {
            _ = gate.changed() => {}
            read = stream.read_buf(buffer) => {
                if matches!(read, Ok(0) | Err(_)) {
                    return Ok(false);
                }
            }
        }
    }
    Ok(true)
}

/// Whether a request is for the gate, and the number of its webhook.
fn place(request: &[u8]) -> (bool, u64) {
    let path = message::path(request).unwrap_or_default();
    let number = path.rsplit(|byte| *byte == b'/').next();
    (
        path.starts_with(b"/gate/"),
        number.and_then(digits).unwrap_or_default(),
    )
}

/// The number of the event in a body.
fn event(body: &[u8]) -> Option<u64> {
    let begin = message::find(body, b"\"n\":")? + 4;
    digits(&body[begin..])?.checked_sub(FIRST_NUMBER)
}

/// The number that a text begins with.
fn digits(text: &[u8]) -> Option<u64> {
    let end = text
        .iter()
        .position(|byte| !byte.is_ascii_digit())
        .unwrap_or(text.len());
    std::str::from_utf8(&text[..end]).ok()?.parse().ok()
}
