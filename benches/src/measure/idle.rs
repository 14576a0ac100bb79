//! An hour's worth of deliveries while a transaction is left open on the PostgreSQL database, behind which nothing can be vacuumed: what
//! nodes do beside what that leaves behind, and after the transaction has ended.

use std::time::{Duration, Instant};

use anyhow::bail;
use tokio_postgres::Client;

use super::nodes::{CLIENTS, HOLD, IDLE, Nodes, STATISTICS, at_800, deliver};
use super::{Bench, real};
use crate::database::Database;
use crate::figure::{Figure, Unit};
use crate::load::Load;
use crate::moment::pause;
use crate::server::Server;

/// Deliveries that are published before all of them have to be received.
const CHUNK: u64 = 100_000;

/// How long a chunk may take.
const PATIENCE: Duration = Duration::from_secs(3_600);

/// How long vacuuming may take. PostgreSQL checks once a minute which tables need it, and pauses while it vacuums one.
const VACUUMED: Duration = Duration::from_secs(900);

/// The number of dead rows that PostgreSQL may leave for later.
const FEW: f64 = 1_000.0;

/// Measures one node, and two with split roles.
pub(super) async fn run(bench: &Bench) -> anyhow::Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for (name, title, options) in IDLE {
        // A server for each, so that one does not vacuum what the other has left behind.
        let database = Database::start(&bench.folder)?;
        let nodes = Nodes::start(bench, &database, name, options).await?;
        figures.extend(beside(bench, &database, &nodes, name, title).await?);
    }
    Ok(figures)
}

/// Before, beside and after the transaction.
async fn beside(
    bench: &Bench,
    database: &Database,
    nodes: &Nodes,
    name: &str,
    title: &str,
) -> anyhow::Result<Vec<Figure>> {
    let mut figures = Vec::new();
    figures.extend(at_800(bench, nodes, title).await?);

    let idle = database.connect(name).await?;
    idle.batch_execute(HOLD).await?;
    let held = format!(
        "{title}, transaction idle for {} deliveries",
        bench.idle_deliveries
    );
    let rate = publish(bench, nodes).await?;
    figures.push(Figure::new(
        format!("{held}: until then"),
        Unit::PerSecond,
        rate,
    ));
    let busy = crate::wait_until_quiet(crate::BUSY, bench.patience);
    if busy > crate::BUSY {
        eprintln!("  other processes use {busy:.0} % of this machine");
    }
    figures.extend(beside_before(at_800(bench, nodes, &held).await?, title));
    let dead = dead_rows(&nodes.client).await?;
    tell_dead_rows(&nodes.client).await?;
    figures.push(Figure::new(format!("{held}: dead rows"), Unit::Count, dead));

    idle.batch_execute("ROLLBACK").await?;
    let ended = format!("{title}, after it ended");
    let (after, vacuumed) = tokio::try_join!(
        at_800(bench, nodes, &ended),
        until_vacuumed(&nodes.client, dead)
    )?;
    figures.extend(beside_before(after, title));
    figures.push(Figure::new(
        format!("{ended}: until vacuumed"),
        Unit::Milliseconds,
        vacuumed.as_secs_f64() * 1e3,
    ));
    figures.push(Figure::new(
        format!("{ended}: dead rows"),
        Unit::Count,
        dead_rows(&nodes.client).await?,
    ));
    Ok(figures)
}

/// Stands each figure beside the one before the transaction.
fn beside_before(figures: [Figure; 3], title: &str) -> impl Iterator<Item = Figure> {
    let before = ["", ": p50", ": p99"].map(|what| format!("{title}{what}"));
    let pairs = figures.into_iter().zip(before);
    pairs.map(|(figure, before)| figure.beside(before))
}

/// Publishes all deliveries as fast as they are answered; says how many were received a second.
async fn publish(bench: &Bench, nodes: &Nodes) -> anyhow::Result<f64> {
    let begin = Instant::now();
    let total = bench.idle_deliveries;
    let mut left = total;
    while left > 0 {
        let events = left.min(CHUNK);
        let load = |server: &Server| Load {
            time: PATIENCE,
            ..bench.load(server, CLIENTS, events)
        };
        let delivered = deliver(bench, &nodes.servers[..1], load).await?;
        left -= events;
        eprintln!(
            "  {} of {total} delivered after {} s, the last ones at {:.0} /s",
            total - left,
            begin.elapsed().as_secs(),
            delivered.rate
        );
    }
    Ok(real(total) / begin.elapsed().as_secs_f64())
}

/// Waits until at most a tenth of the dead rows are left, and returns how long that took. Few rows become dead meanwhile.
async fn until_vacuumed(client: &Client, before: f64) -> anyhow::Result<Duration> {
    let begin = Instant::now();
    loop {
        let dead = dead_rows(client).await?;
        if dead <= FEW.max(before / 10.0) {
            return Ok(begin.elapsed());
        }
        if begin.elapsed() > VACUUMED {
            bail!("of {before} dead rows {dead} were not vacuumed after {VACUUMED:?}");
        }
    }
}

/// The number of dead rows in all tables, once the statistics of PostgreSQL are up to date.
async fn dead_rows(client: &Client) -> anyhow::Result<f64> {
    pause(STATISTICS).await;
    let dead = "SELECT coalesce(sum(n_dead_tup), 0)::bigint FROM pg_stat_user_tables";
    let total: i64 = client.query_one(dead, &[]).await?.get(0);
    Ok(real(total.unsigned_abs()))
}

/// Prints which tables have how many of them.
async fn tell_dead_rows(client: &Client) -> anyhow::Result<()> {
    let tables = "SELECT string_agg(n_dead_tup || ' of ' || relname, ', ' ORDER BY n_dead_tup DESC)
        FROM pg_stat_user_tables WHERE n_dead_tup > 0";
    let words: Option<String> = client.query_one(tables, &[]).await?.get(0);
    eprintln!("  dead rows: {}", words.as_deref().unwrap_or("none"));
    Ok(())
}
