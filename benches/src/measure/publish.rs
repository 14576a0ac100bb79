//! Events published a second over HTTP: without receivers, and end to end at fan-out 1 and 100.

use std::time::Duration;

use super::limits::{client, commit, socket};
use super::{ACCOUNT, Bench, ENOUGH, beside, real};
use crate::connection::Connection;
use crate::figure::{Figure, Unit};
use crate::load::{self, Published, percentile};
use crate::moment::{pause, seconds};
use crate::receiver::Ledger;

/// Webhooks of other accounts that listen for the same type of event.
const STRANGERS: u64 = 10_000;

/// Events at fan-out 100 at most: a bound for the memory of the ledger.
const WIDE_EVENTS: u64 = 20_000;

/// Measures each once.
pub(super) async fn run(bench: &Bench) -> anyhow::Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for clients in [16, 64] {
        let server = bench.server()?;
        let published = load::publish(bench.load(&server, clients, ENOUGH)).await?;
        let name = format!("publish, {clients} clients, no webhook matches");
        let figure = Figure::new(name, Unit::PerSecond, published.rate());
        figures.push(figure.beside(commit(64)));
    }
    let aims = [
        (16, ["at least 13,000 /s", "", "under 10 ms", ""]),
        (
            64,
            ["at least 18,000 /s", "", "under 150 ms", "under 85 µs"],
        ),
    ];
    for (clients, aims) in aims {
        let name = format!("publish to delivery, {clients} clients, fan-out 1");
        figures.extend(deliver(bench, &name, clients, 1, aims).await?);
        figures.extend(beside::deliver(bench, &name, clients, 1).await?);
    }
    let aims = [
        (1, ["at least 30,000 /s", "under 150 ms", "", ""]),
        (
            16,
            ["at least 30,000 /s", "under 150 ms", "", "under 45 µs"],
        ),
    ];
    for (clients, aims) in aims {
        let name = format!("deliveries, {clients} clients, fan-out 100");
        figures.extend(deliver(bench, &name, clients, 100, aims).await?);
        figures.extend(beside::deliver(bench, &name, clients, 100).await?);
    }
    figures.push(among_strangers(bench).await?);
    Ok(figures)
}

/// Publishing with receivers that answer at once: the rate, how long deliveries took, and what one cost; `aims` are for the rate, the
/// median, the 99th percentile and the processor time.
async fn deliver(
    bench: &Bench,
    name: &str,
    clients: u64,
    fan_out: u64,
    aims: [&'static str; 4],
) -> anyhow::Result<Vec<Figure>> {
    let server = bench.server_with(fan_out).await?;
    let (used, stored) = (server.processor_time()?, server.stored()?);
    let load = bench.load(&server, clients, events(fan_out));
    let (published, ledger) = bench.deliver(load, fan_out).await?;
    let arrived = real(ledger.arrived());
    let used = (server.processor_time()? - used).as_secs_f64() * 1e6 / arrived;
    let rate = arrived / seconds(published.began, ledger.last());
    let connections = if fan_out == 1 { clients } else { 64 };
    let waits = waits(&published, &ledger, fan_out);
    let wait = |share| percentile(&waits, share) * 1e3;
    // The outcomes of the last attempts are written a moment after they were received.
    pause(Duration::from_millis(500)).await;
    let bytes = real(server.stored()?.saturating_sub(stored)) / arrived;
    let part = |what: &str| format!("{name}: {what}");
    Ok(vec![
        Figure::new(name, Unit::PerSecond, rate)
            .beside(client(connections))
            .beside(socket(connections))
            .aim(aims[0]),
        Figure::new(part("p50"), Unit::Milliseconds, wait(0.5)).aim(aims[1]),
        Figure::new(part("p99"), Unit::Milliseconds, wait(0.99)).aim(aims[2]),
        Figure::new(part("processor time each"), Unit::Microseconds, used).aim(aims[3]),
        Figure::new(part("on disk each"), Unit::Bytes, bytes),
    ])
}

/// How many events are published at most.
pub(super) fn events(fan_out: u64) -> u64 {
    if fan_out == 1 { ENOUGH } else { WIDE_EVENTS }
}

/// How long the deliveries took, in seconds, in ascending order.
pub(super) fn waits(published: &Published, ledger: &Ledger, fan_out: u64) -> Vec<f64> {
    let mut waits: Vec<f64> = (0..fan_out)
        .flat_map(|webhook| published.latencies(ledger, webhook))
        .collect();
    waits.sort_by(f64::total_cmp);
    waits
}

/// Publishing with many webhooks that listen for the type, none of which matches.
async fn among_strangers(bench: &Bench) -> anyhow::Result<Figure> {
    let server = bench.server()?;
    let strangers = if bench.quick {
        STRANGERS / 10
    } else {
        STRANGERS
    };
    let mut connections = tokio::task::JoinSet::new();
    let server = std::sync::Arc::new(server);
    for first in 0..16 {
        let (server, url) = (server.clone(), bench.receiver.url(0));
        connections.spawn(async move {
            let mut connection = Connection::open(server.address()).await?;
            for number in (first..strangers).step_by(16) {
                let account = format!("F2{number:05}");
                debug_assert_ne!(account, ACCOUNT);
                server.register(&mut connection, &account, &url).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(done) = connections.join_next().await {
        done??;
    }
    let published = load::publish(bench.load(&server, 16, ENOUGH)).await?;
    let name = format!("publish, 16 clients, {strangers} webhooks of other accounts");
    Ok(Figure::new(name, Unit::PerSecond, published.rate())
        .beside("publish, 16 clients, no webhook matches"))
}
