//! Commits a second on PostgreSQL: bare, and of nodes that publish into the queue, with `NOTIFY` and without.
//!
//! `NOTIFY` takes a lock of the whole database at the commit. A node sends it over a connection of its own, for many publications at once,
//! so that it must not show in the rate of publications; in a bare loop, where each transaction has its own, it does.

use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::nodes::{CLIENTS, NOWHERE, Nodes, STATISTICS, account, words};
use super::{Bench, ENOUGH, real};
use crate::database::Database;
use crate::figure::{Figure, Unit};
use crate::load::{self, Audience, Load};
use crate::moment::{pause, seconds};

/// The name of the figure of a bare loop.
pub(super) fn bare_name(connections: u64) -> String {
    format!("bare commit loop, PostgreSQL, {connections} connections")
}

/// Commits of rows, one row each.
pub(super) async fn bare(bench: &Bench, database: &Database) -> anyhow::Result<Vec<Figure>> {
    database.create("bare").await?;
    let mut figures = Vec::new();
    let insert = "INSERT INTO event (body) VALUES ($1)";
    for connections in [1, 16, CLIENTS] {
        let rate = commit_loop(database, insert, connections, bench.time()).await?;
        figures.push(Figure::new(bare_name(connections), Unit::PerSecond, rate));
    }
    // Somebody listens, as a node would.
    let listener = database.connect("bare").await?;
    listener.batch_execute("LISTEN work").await?;
    let notify =
        "WITH told AS (SELECT pg_notify('work', '')) INSERT INTO event (body) SELECT $1 FROM told";
    let rate = commit_loop(database, notify, CLIENTS, bench.time()).await?;
    figures.push(
        Figure::new(
            format!("{}, NOTIFY in each", bare_name(CLIENTS)),
            Unit::PerSecond,
            rate,
        )
        .beside(bare_name(CLIENTS)),
    );
    Ok(figures)
}

/// Nodes that only publish, so that every delivery goes into the queue and other nodes are told of it: with the connection over which that
/// happens, and without.
pub(super) async fn of_publishers(
    bench: &Bench,
    database: &Database,
) -> anyhow::Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for count in 1..=2 {
        let plain = format!("publish to the queue, {}", words(count));
        let without = format!("{plain}, without NOTIFY");
        // Nothing leaves the queue, which must not slow the publishers down.
        let options = ["--api", "--target-delay", "0"];
        let untold = [&options[..], &["--database-listen", NOWHERE]].concat();
        for (name, title, options) in [
            (format!("queue{count}"), plain.clone(), &options[..]),
            (format!("queue{count}_untold"), without, &untold[..]),
        ] {
            let nodes = Nodes::start(bench, database, &name, &vec![options; count]).await?;
            let [rate, commits] = publications(bench, &nodes).await?;
            let mut rate = Figure::new(&title, Unit::PerSecond, rate).beside(bare_name(CLIENTS));
            if title != plain {
                rate = rate.beside(&plain);
            }
            figures.push(rate);
            figures.push(Figure::new(
                format!("{title}: commits"),
                Unit::PerSecond,
                commits,
            ));
        }
    }
    Ok(figures)
}

/// Publications and commits a second of all nodes together.
async fn publications(bench: &Bench, nodes: &Nodes) -> anyhow::Result<[f64; 2]> {
    let clients = CLIENTS / nodes.servers.len() as u64;
    let before = nodes.cost().await?.commits;
    let mut loads = JoinSet::new();
    for (number, server) in nodes.servers.iter().enumerate() {
        loads.spawn(load::publish(Load {
            audience: Audience::Accounts(vec![account(number)]),
            ..bench.load(server, clients, ENOUGH / 4)
        }));
    }
    let (mut count, mut began, mut ended) = (0, u64::MAX, 0);
    while let Some(published) = loads.join_next().await {
        let published = published??;
        count += published.count;
        began = began.min(published.began);
        ended = ended.max(published.ended);
    }
    pause(STATISTICS).await;
    let commits = (nodes.cost().await?.commits - before).unsigned_abs();
    let time = seconds(began, ended);
    Ok([real(count) / time, real(commits) / time])
}

/// Inserts rows of the size of an event, each durably and alone, and says how many a second.
async fn commit_loop(
    database: &Database,
    insert: &'static str,
    connections: u64,
    time: Duration,
) -> anyhow::Result<f64> {
    let first = database.connect("bare").await?;
    first
        .batch_execute("CREATE TABLE IF NOT EXISTS event (number bigint GENERATED ALWAYS AS IDENTITY, body text NOT NULL)")
        .await?;
    let mut clients = JoinSet::new();
    let begin = Instant::now();
    for _ in 0..connections {
        let client = database.connect("bare").await?;
        clients.spawn(async move {
            let insert = client.prepare(insert).await?;
            let body = "x".repeat(400);
            let mut count = 0_u64;
            while begin.elapsed() < time {
                client.execute(&insert, &[&body]).await?;
                count += 1;
            }
            anyhow::Ok(count)
        });
    }
    let mut total = 0;
    while let Some(count) = clients.join_next().await {
        total += count??;
    }
    Ok(real(total) / begin.elapsed().as_secs_f64())
}
