//! Events published a second over HTTP: without receivers, and end to end at fan-out 1 and 100.

use super::limits::{client, commit, socket};
use super::{ACCOUNT, Bench, ENOUGH, real};
use crate::connection::Connection;
use crate::figure::{Figure, Unit};
use crate::load;
use crate::moment::seconds;

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
    for clients in [16, 64] {
        let server = bench.server_with(1).await?;
        let load = bench.load(&server, clients, ENOUGH);
        let (published, ledger) = bench.deliver(load, 1).await?;
        let rate = real(published.count) / seconds(published.began, ledger.last());
        let name = format!("publish to delivery, {clients} clients, fan-out 1");
        let figure = Figure::new(name, Unit::PerSecond, rate);
        figures.push(
            figure
                .beside(client(clients))
                .beside(socket(clients))
                .aim("at least 20 % of the bare client loop"),
        );
    }
    let server = bench.server_with(100).await?;
    let load = bench.load(&server, 16, WIDE_EVENTS);
    let (published, ledger) = bench.deliver(load, 100).await?;
    let rate = real(ledger.arrived()) / seconds(published.began, ledger.last());
    let figure = Figure::new("deliveries, 16 clients, fan-out 100", Unit::PerSecond, rate);
    figures.push(
        figure
            .beside(client(64))
            .beside(socket(64))
            .aim("at least 60 % of the bare client loop"),
    );
    drop(server);
    figures.push(among_strangers(bench).await?);
    Ok(figures)
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
