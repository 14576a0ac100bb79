//! The measures. Each starts servers of its own, and one run of it yields its figures.

mod beside;
mod commits;
mod idle;
mod isolation;
mod latency;
mod limits;
mod memory;
mod nodes;
mod publish;
mod queue;
mod start;
mod stored;
mod webhooks;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use clap::ValueEnum;

use crate::connection::Connection;
use crate::figure::Figure;
use crate::load::{self, Audience, Load, Published};
use crate::peer::PeerProgram;
use crate::receiver::{Ledger, Receiver};
use crate::server::Server;

/// The context of a measure.
pub(crate) struct Bench {
    /// The server's program.
    pub(crate) program: PathBuf,
    /// Where databases are made.
    pub(crate) folder: PathBuf,
    /// Whether it is only a smoke run.
    pub(crate) quick: bool,
    /// The largest queue to measure with.
    pub(crate) largest_queue: u64,
    /// The most deliveries that are stored.
    pub(crate) most_stored: u64,
    /// The deliveries that are made while a transaction is idle.
    pub(crate) idle_deliveries: u64,
    /// For how long to wait until other processes leave the machine alone.
    pub(crate) patience: Duration,
    /// Receives all webhooks.
    pub(crate) receiver: Receiver,
    /// The bytes of one delivery, as the server sends it.
    pub(crate) delivery: Vec<u8>,
    /// What is measured beside our server.
    pub(crate) peers: Vec<PeerProgram>,
}

/// A measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Measure {
    /// What client, storage and HTTP allow, without the server's work.
    Limits,
    /// Events published, and delivered, a second.
    Publish,
    /// Webhooks created a second.
    Webhooks,
    /// From publishing to receiving.
    Latency,
    /// Memory, idle and under load.
    Memory,
    /// From the start of the process to being ready.
    Start,
    /// What a delivery costs, from a short queue to a long one.
    Queue,
    /// Healthy receivers beside one that hangs.
    Isolation,
    /// One, two and three nodes on one PostgreSQL database, beside SQLite.
    Nodes,
    /// What a delivery costs beside many that are stored on a PostgreSQL database, and how long lists take. Not in a full run.
    Stored,
    /// An hour's worth of deliveries while a transaction is left open on a PostgreSQL database, and what comes after. Not in a full run.
    Idle,
}

impl Measure {
    /// Whether it measures peers as well.
    pub(crate) fn meets_peers(self) -> bool {
        matches!(self, Self::Publish | Self::Latency)
    }

    /// Whether it starts a PostgreSQL server.
    pub(crate) fn is_of_postgres(self) -> bool {
        matches!(self, Self::Nodes | Self::Stored | Self::Idle)
    }

    /// Runs it once.
    ///
    /// # Errors
    /// When something that must not be lost is lost, or something breaks.
    pub(crate) async fn run(self, bench: &Bench) -> anyhow::Result<Vec<Figure>> {
        match self {
            Self::Limits => limits::run(bench).await,
            Self::Publish => publish::run(bench).await,
            Self::Webhooks => webhooks::run(bench).await,
            Self::Latency => latency::run(bench).await,
            Self::Memory => memory::run(bench).await,
            Self::Start => start::run(bench),
            Self::Queue => queue::run(bench).await,
            Self::Isolation => isolation::run(bench).await,
            Self::Nodes => nodes::run(bench).await,
            Self::Stored => stored::run(bench).await,
            Self::Idle => idle::run(bench).await,
        }
    }
}

impl Bench {
    /// How long a load goes on.
    fn time(&self) -> Duration {
        Duration::from_secs(if self.quick { 1 } else { 5 })
    }

    /// How long a steady load goes on.
    fn steady_time(&self) -> Duration {
        Duration::from_secs(if self.quick { 5 } else { 20 })
    }

    /// A server on a new database.
    fn server(&self) -> anyhow::Result<Server> {
        Server::start(&self.program, &self.folder)
    }

    /// A server with webhooks `0..fan_out` for one account.
    async fn server_with(&self, fan_out: u64) -> anyhow::Result<Server> {
        let server = self.server()?;
        let mut connection = Connection::open(server.address()).await?;
        for webhook in 0..fan_out {
            let url = self.receiver.url(webhook);
            server.register(&mut connection, ACCOUNT, &url).await?;
        }
        Ok(server)
    }

    /// As fast as the server answers.
    fn load(&self, server: &Server, clients: u64, events: u64) -> Load {
        let audience = Audience::Accounts(vec![ACCOUNT.to_owned()]);
        self.load_on(server.address(), audience, clients, events)
    }

    /// The same for this audience of a server.
    fn load_on(&self, server: SocketAddr, audience: Audience, clients: u64, events: u64) -> Load {
        Load {
            server,
            clients,
            events,
            time: self.time(),
            rate: None,
            audience,
        }
    }

    /// Publishes, and waits until everything is received.
    async fn deliver(&self, load: Load, fan_out: u64) -> anyhow::Result<(Published, Arc<Ledger>)> {
        let ledger = self.receiver.expect(load.events, fan_out);
        let published = load::publish(load).await?;
        let wanted = published.count * fan_out;
        let missing = self.receiver.wait(&ledger, wanted).await;
        if missing > 0 {
            bail!("{missing} of {wanted} deliveries did not arrive");
        }
        if ledger.repeated() > 0 {
            eprintln!("  {} deliveries arrived more than once", ledger.repeated());
        }
        Ok((published, ledger))
    }
}

/// The account of events and webhooks.
const ACCOUNT: &str = "F10001";

/// More events than are ever published in the time of a load.
const ENOUGH: u64 = 2_000_000;

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn real(count: u64) -> f64 {
    count as f64
}
