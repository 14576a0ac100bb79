//! Nodes on one PostgreSQL database: rates, latencies and what a delivery costs the database, beside SQLite and a bare commit loop.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use tokio::task::JoinSet;
use tokio_postgres::Client;

use super::{Bench, ENOUGH, commits, real};
use crate::connection::Connection;
use crate::database::Database;
use crate::figure::{Figure, Unit};
use crate::load::{self, Audience, Load, Published, percentile};
use crate::moment::{pause, seconds};
use crate::server::Server;

/// Clients that publish as fast as they are answered, on all nodes together.
pub(super) const CLIENTS: u64 = 64;

/// Where no node listens: what `--database-listen` names, so that a node neither tells the others nor is told.
pub(super) const NOWHERE: &str = "postgres://truehook@127.0.0.1:1/none";

/// Events a second at the steady rate, on all nodes together.
const RATE: f64 = 200.0;

/// Nodes to measure beside an idle transaction: database, title and options.
pub(super) const IDLE: [(&str, &str, &[&[&str]]); 2] = [
    ("idle", "800 events/s", &[&[]]),
    (
        "idle_queue",
        "split, 800 events/s",
        &[&["--api"], &["--worker"]],
    ),
];

/// Begins a transaction whose snapshot keeps old versions of rows from being vacuumed.
pub(super) const HOLD: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM event";

/// After how long the server's statistics are complete.
pub(super) const STATISTICS: Duration = Duration::from_millis(1_500);

/// Measures everything once.
pub(super) async fn run(bench: &Bench) -> anyhow::Result<Vec<Figure>> {
    let database = Database::start(&bench.folder)?;
    let mut figures = Vec::new();
    figures.extend(commits::bare(bench, &database).await?);
    figures.extend(on_sqlite(bench).await?);
    for count in 1..=3 {
        figures.extend(saturated(bench, &database, count).await?);
    }
    for count in 1..=3 {
        let name = format!("{count}_steady");
        let nodes = Nodes::start(bench, &database, &format!("n{name}"), &plain(count)).await?;
        let title = format!("publish to receiver, {}, 200 events/s", words(count));
        figures.extend(steady(bench, &nodes.servers, &title).await?);
    }
    figures.extend(commits::of_publishers(bench, &database).await?);
    for (name, title, listen) in [
        ("told", "split", None),
        ("untold", "split, without waking", Some(NOWHERE)),
    ] {
        let mut worker = vec!["--worker"];
        if let Some(listen) = listen {
            worker.extend(["--database-listen", listen]);
        }
        let nodes = Nodes::start(bench, &database, name, &[&["--api"][..], &worker]).await?;
        let title = format!("publish to receiver, {title}, 200 events/s");
        figures.extend(steady(bench, &nodes.servers[..1], &title).await?);
    }
    figures.extend(beside_an_idle_transaction(bench, &database).await?);
    Ok(figures)
}

/// One node at 800 events a second, and two with split roles, where each delivery goes through the queue; each then beside a transaction
/// that was left open.
async fn beside_an_idle_transaction(
    bench: &Bench,
    database: &Database,
) -> anyhow::Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for (name, title, options) in IDLE {
        let nodes = Nodes::start(bench, database, name, options).await?;
        let idle = database.connect(name).await?;
        for (title, first) in [
            (title.to_owned(), "SELECT 1"),
            (format!("{title}, beside an idle transaction"), HOLD),
        ] {
            idle.batch_execute(first).await?;
            figures.extend(at_800(bench, &nodes, &title).await?);
        }
    }
    Ok(figures)
}

/// 800 events a second, published on the first node, for a minute.
pub(super) async fn at_800(
    bench: &Bench,
    nodes: &Nodes,
    title: &str,
) -> anyhow::Result<[Figure; 3]> {
    let load = |server: &Server| Load {
        rate: Some(800.0),
        time: bench.steady_time() * 3,
        ..bench.load(server, 32, ENOUGH / 4)
    };
    let delivered = deliver(bench, &nodes.servers[..1], load).await?;
    Ok([
        Figure::new(title, Unit::PerSecond, delivered.rate).aim("at least 792 /s"),
        milliseconds(title, "p50", &delivered.waits, 0.5),
        milliseconds(title, "p99", &delivered.waits, 0.99),
    ])
}

/// Nodes without options.
fn plain(nodes: usize) -> Vec<&'static [&'static str]> {
    vec![&[]; nodes]
}

pub(super) fn words(nodes: usize) -> String {
    match nodes {
        1 => "1 node".to_owned(),
        nodes => format!("{nodes} nodes"),
    }
}

/// Nodes on one database, each with an account and a webhook of its own.
pub(super) struct Nodes {
    pub(super) servers: Vec<Server>,
    pub(super) client: Client,
}

/// What nodes cost the database.
pub(super) struct Cost {
    pub(super) commits: i64,
    /// Bytes of the write-ahead log.
    log: i64,
    /// Connections that are open.
    connections: i64,
}

impl Nodes {
    pub(super) async fn start(
        bench: &Bench,
        database: &Database,
        name: &str,
        options: &[&[&str]],
    ) -> anyhow::Result<Self> {
        database.create(name).await?;
        let url = database.url(name);
        let mut servers = Vec::new();
        for options in options {
            servers.push(Server::start_node(
                &bench.program,
                &bench.folder,
                &url,
                options,
            )?);
        }
        let first = servers.first().context("there is a node")?;
        register(bench, first, options.len()).await?;
        Ok(Self {
            servers,
            client: database.connect(name).await?,
        })
    }

    /// What the nodes cost the database until now.
    pub(super) async fn cost(&self) -> anyhow::Result<Cost> {
        let row = self
            .client
            .query_one(
                "SELECT (SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()),
                     (pg_current_wal_insert_lsn() - '0/0')::bigint,
                     (SELECT count(*) FROM pg_stat_activity WHERE application_name = 'truehook' AND datname = current_database())",
                &[],
            )
            .await?;
        Ok(Cost {
            commits: row.get(0),
            log: row.get(1),
            connections: row.get(2),
        })
    }

    pub(super) fn processor_time(&self) -> anyhow::Result<Duration> {
        self.servers.iter().map(Server::processor_time).sum()
    }
}

pub(super) fn account(number: usize) -> String {
    format!("F5{number:04}")
}

async fn register(bench: &Bench, server: &Server, webhooks: usize) -> anyhow::Result<()> {
    let mut connection = Connection::open(server.address()).await?;
    for webhook in 0..webhooks {
        let url = bench.receiver.url(webhook as u64);
        server
            .register(&mut connection, &account(webhook), &url)
            .await?;
    }
    Ok(())
}

/// What was published on each of some servers, and how long its deliveries took, in ascending order.
pub(super) struct Delivered {
    published: Vec<Published>,
    waits: Vec<f64>,
    pub(super) rate: f64,
    pub(super) count: f64,
}

/// Publishes on all servers at once, each for the account of its number, and waits until all is received.
pub(super) async fn deliver(
    bench: &Bench,
    servers: &[Server],
    load: impl Fn(&Server) -> Load,
) -> anyhow::Result<Delivered> {
    let ledger = bench.receiver.expect(ENOUGH / 4, servers.len() as u64);
    let mut loads = JoinSet::new();
    for (number, server) in servers.iter().enumerate() {
        let load = Load {
            audience: Audience::Accounts(vec![account(number)]),
            ..load(server)
        };
        loads.spawn(async move { (number, load::publish(load).await) });
    }
    let mut published = Vec::new();
    while let Some(ended) = loads.join_next().await {
        let (number, ended) = ended?;
        published.push((number, ended?));
    }
    let wanted: u64 = published.iter().map(|(_, published)| published.count).sum();
    let missing = bench.receiver.wait(&ledger, wanted).await;
    if missing > 0 {
        bail!("{missing} of {wanted} deliveries did not arrive");
    }
    if ledger.repeated() > 0 {
        eprintln!("  {} deliveries arrived more than once", ledger.repeated());
    }
    let mut waits: Vec<f64> = published
        .iter()
        .flat_map(|(number, published)| published.latencies(&ledger, *number as u64))
        .collect();
    waits.sort_by(f64::total_cmp);
    let began = published.iter().map(|(_, published)| published.began).min();
    let count = real(ledger.arrived());
    Ok(Delivered {
        rate: count / seconds(began.context("there is a node")?, ledger.last()),
        published: published
            .into_iter()
            .map(|(_, published)| published)
            .collect(),
        waits,
        count,
    })
}

pub(super) fn milliseconds(title: &str, word: &str, found: &[f64], share: f64) -> Figure {
    let value = percentile(found, share) * 1e3;
    Figure::new(format!("{title}: {word}"), Unit::Milliseconds, value)
}

/// One server on SQLite, under the same loads.
async fn on_sqlite(bench: &Bench) -> anyhow::Result<Vec<Figure>> {
    let servers = [bench.server()?];
    register(bench, &servers[0], 1).await?;
    let delivered = deliver(bench, &servers, |server| {
        bench.load(server, CLIENTS, ENOUGH / 4)
    })
    .await?;
    let name = "publish to delivery, SQLite";
    let mut figures = vec![
        Figure::new(name, Unit::PerSecond, delivered.rate),
        milliseconds(name, "p50", &delivered.waits, 0.5),
        milliseconds(name, "p95", &delivered.waits, 0.95),
    ];
    let servers = [bench.server()?];
    register(bench, &servers[0], 1).await?;
    figures.extend(steady(bench, &servers, "publish to receiver, SQLite, 200 events/s").await?);
    Ok(figures)
}

/// Nodes with as much load as they answer.
async fn saturated(
    bench: &Bench,
    database: &Database,
    count: usize,
) -> anyhow::Result<Vec<Figure>> {
    let nodes = Nodes::start(bench, database, &format!("n{count}"), &plain(count)).await?;
    let clients = CLIENTS / count as u64;
    let (used, before) = (nodes.processor_time()?, nodes.cost().await?);
    let load = |server: &Server| bench.load(server, clients, ENOUGH / 4);
    let connections = async {
        let mut most = 0;
        let begin = Instant::now();
        while begin.elapsed() < bench.time() {
            most = most.max(nodes.cost().await?.connections);
            pause(Duration::from_millis(100)).await;
        }
        anyhow::Ok(most)
    };
    let (delivered, connections) =
        tokio::try_join!(deliver(bench, &nodes.servers, load), connections)?;
    let used = (nodes.processor_time()? - used).as_secs_f64() * 1e6 / delivered.count;
    pause(STATISTICS).await;
    let after = nodes.cost().await?;
    let name = format!("publish to delivery, {}", words(count));
    let part = |what: &str| format!("{name}: {what}");
    let each = |now: i64, then: i64| real((now - then).unsigned_abs()) / delivered.count;
    Ok(vec![
        Figure::new(name.clone(), Unit::PerSecond, delivered.rate)
            .beside("publish to delivery, SQLite")
            .beside(commits::bare_name(CLIENTS))
            .aim("at least 5,000 /s"),
        milliseconds(&name, "p50", &delivered.waits, 0.5),
        milliseconds(&name, "p95", &delivered.waits, 0.95),
        Figure::new(part("processor time each"), Unit::Microseconds, used),
        Figure::new(
            part("commits each"),
            Unit::Count,
            each(after.commits, before.commits),
        )
        .aim("at most 0.1"),
        Figure::new(part("log each"), Unit::Bytes, each(after.log, before.log))
            .aim("at most 2,000 B"),
        Figure::new(
            part("connections of a node"),
            Unit::Count,
            real(connections.unsigned_abs()) / real(count as u64),
        )
        .aim("at most 20"),
    ])
}

/// Nodes at a steady rate.
pub(super) async fn steady(
    bench: &Bench,
    servers: &[Server],
    title: &str,
) -> anyhow::Result<Vec<Figure>> {
    let load = |server: &Server| Load {
        rate: Some(RATE / real(servers.len() as u64)),
        time: bench.steady_time(),
        ..bench.load(server, 8, ENOUGH / 4)
    };
    let delivered = deliver(bench, servers, load).await?;
    let published: u64 = delivered.published.iter().map(|one| one.count).sum();
    if real(published) < RATE * bench.steady_time().as_secs_f64() * 0.9 {
        eprintln!("  only {published} events were published");
    }
    Ok(vec![
        milliseconds(title, "p50", &delivered.waits, 0.5),
        milliseconds(title, "p95", &delivered.waits, 0.95).aim("under 30 ms"),
    ])
}
