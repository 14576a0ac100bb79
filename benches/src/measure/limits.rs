//! The limits of client, storage and HTTP: the same bytes to the same receiver, rows into the same kind of storage, requests to the same
//! HTTP server, each without the rest of the work.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rusqlite::{Connection as Database, params};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::latency::RATE;
use super::{Bench, real};
use crate::figure::{Figure, Unit};
use crate::load::{self, percentile};
use crate::message;

/// The bare client loop with so many connections: the HTTP client library that the server uses, without pool, deadline or storage.
pub(crate) fn client(connections: u64) -> String {
    format!("bare client loop, {connections} connections")
}

/// The same with requests and answers written and parsed by hand: what the sockets allow.
pub(crate) fn socket(connections: u64) -> String {
    format!("bare socket loop, {connections} connections")
}

/// The bare commit loop with so many rows a transaction.
pub(crate) fn commit(rows: u64) -> String {
    format!("bare commit loop, {rows} rows a commit")
}

/// Commits of one row at the steady rate of `latency`, one after another: how long the disk takes for what a publication waits for.
pub(crate) fn paced_commit(word: &str) -> String {
    format!("bare commit, {RATE} a second, {word}")
}

/// The server's HTTP alone.
const HTTP: &str = "GET /health/live, 64 connections";

/// Measures each limit once.
pub(super) async fn run(bench: &Bench) -> anyhow::Result<Vec<Figure>> {
    let (address, time) = (bench.receiver.address(), bench.time());
    let mut figures = Vec::new();
    bench.receiver.expect(0, 1);
    for connections in [16, 64] {
        let rate = client_loop(address, connections, time, &bench.delivery).await?;
        figures.push(Figure::new(client(connections), Unit::PerSecond, rate));
        let rate = load::repeat(address, connections, time, &bench.delivery, 200).await?;
        figures.push(Figure::new(socket(connections), Unit::PerSecond, rate));
    }
    for rows in [1, 64] {
        let folder = bench.folder.clone();
        let rate = tokio::task::spawn_blocking(move || commit_loop(&folder, rows, time)).await??;
        figures.push(Figure::new(commit(rows), Unit::PerSecond, rate));
    }
    let (folder, steady) = (bench.folder.clone(), bench.steady_time());
    let took = tokio::task::spawn_blocking(move || paced_commits(&folder, steady)).await??;
    for (word, share) in [("p50", 0.5), ("p99", 0.99)] {
        let value = percentile(&took, share) * 1e3;
        figures.push(Figure::new(paced_commit(word), Unit::Milliseconds, value));
    }
    let server = bench.server()?;
    let request = message::request("GET", "/health/live", "", "");
    let rate = load::repeat(server.address(), 64, time, &request, 200).await?;
    figures.push(Figure::new(HTTP, Unit::PerSecond, rate));
    Ok(figures)
}

/// Posts the bytes of a delivery again and again with hyper.
async fn client_loop(
    address: SocketAddr,
    connections: u64,
    time: Duration,
    delivery: &[u8],
) -> anyhow::Result<f64> {
    let request = Arc::new(parse(delivery)?);
    let begin = Instant::now();
    let end = begin + time;
    let mut clients = JoinSet::new();
    for _ in 0..connections {
        let request = request.clone();
        clients.spawn(async move {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
            tokio::spawn(connection);
            let mut count = 0_u64;
            while Instant::now() < end {
                sender.ready().await?;
                let answer = sender.send_request((*request).clone()).await?;
                if answer.status() != 200 {
                    bail!("the receiver answered {}", answer.status());
                }
                answer.into_body().collect().await?;
                count += 1;
            }
            Ok(count)
        });
    }
    let mut total = 0;
    while let Some(count) = clients.join_next().await {
        total += count??;
    }
    Ok(real(total) / begin.elapsed().as_secs_f64())
}

/// A request from its bytes.
fn parse(bytes: &[u8]) -> anyhow::Result<Request<Full<Bytes>>> {
    let frame = message::frame(bytes)?.context("the delivery is not whole")?;
    let head = std::str::from_utf8(&bytes[..frame.head])?;
    let mut lines = head.lines();
    let path = lines.next().and_then(|line| line.split(' ').nth(1));
    let mut request = Request::post(path.context("the delivery has no path")?);
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        request = request.header(name, value.trim());
    }
    let body = Bytes::copy_from_slice(&bytes[frame.head..frame.total]);
    Ok(request.body(Full::new(body))?)
}

/// Inserts rows of the size of an event, durably, and says how many a second.
fn commit_loop(folder: &Path, rows: u64, time: Duration) -> anyhow::Result<f64> {
    let folder = tempfile::tempdir_in(folder)?;
    let mut database = bare_database(folder.path())?;
    let begin = Instant::now();
    let mut total = 0;
    while begin.elapsed() < time {
        insert(&mut database, rows)?;
        total += rows;
    }
    Ok(real(total) / begin.elapsed().as_secs_f64())
}

/// Commits one such row at a steady rate, and says how many seconds each commit took, in order of length.
fn paced_commits(folder: &Path, time: Duration) -> anyhow::Result<Vec<f64>> {
    let folder = tempfile::tempdir_in(folder)?;
    let mut database = bare_database(folder.path())?;
    let begin = Instant::now();
    let mut next = begin;
    let mut took = Vec::new();
    while begin.elapsed() < time {
        next += Duration::from_secs(1) / RATE;
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
        let commit = Instant::now();
        insert(&mut database, 1)?;
        took.push(commit.elapsed().as_secs_f64());
    }
    took.sort_unstable_by(f64::total_cmp);
    Ok(took)
}

fn bare_database(folder: &Path) -> anyhow::Result<Database> {
    let database = Database::open(folder.join("bare.db"))?;
    database.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
         CREATE TABLE event (number INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;",
    )?;
    Ok(database)
}

/// Inserts rows of the size of an event in one transaction.
fn insert(database: &mut Database, rows: u64) -> anyhow::Result<()> {
    let body = [b'x'; 400];
    let transaction = database.transaction()?;
    {
        let mut insert = transaction.prepare_cached("INSERT INTO event (body) VALUES (?1)")?;
        for _ in 0..rows {
            insert.execute(params![body])?;
        }
    }
    transaction.commit()?;
    Ok(())
}
