//! The loads of `publish` and `latency` on the peers. Each load meets a peer that was started for it.

use std::sync::Arc;

use anyhow::Context;

use super::publish::{events, waits};
use super::{Bench, ENOUGH, real};
use crate::figure::{Figure, Unit};
use crate::load::{Audience, Load, percentile};
use crate::moment::seconds;
use crate::peer::{Peer, PeerProgram};
use crate::svix::Application;

/// The load called `name`, with receivers that answer at once: the rate, how long deliveries took, and what one cost each process.
pub(super) async fn deliver(
    bench: &Bench,
    name: &str,
    clients: u64,
    fan_out: u64,
) -> anyhow::Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for program in &bench.peers {
        let measured = deliver_on(bench, program, name, clients, fan_out).await;
        figures.extend(measured.with_context(|| format!("{name}, {}", program.name))?);
    }
    Ok(figures)
}

async fn deliver_on(
    bench: &Bench,
    program: &PeerProgram,
    name: &str,
    clients: u64,
    fan_out: u64,
) -> anyhow::Result<Vec<Figure>> {
    let (mut peer, audience) = start(bench, program, fan_out).await?;
    let before = peer.processor_times()?;
    let load = bench.load_on(peer.address(), audience, clients, events(fan_out));
    let delivered = bench.deliver(load, fan_out).await;
    let (published, ledger) = delivered.map_err(|error| peer.explain(error))?;
    let after = peer.processor_times()?;
    let arrived = real(ledger.arrived());
    let rate = arrived / seconds(published.began, ledger.last());
    let waits = waits(&published, &ledger, fan_out);
    let title = format!("{name}, {}", program.name);
    let wait = |word: &str, share| {
        let value = percentile(&waits, share) * 1e3;
        Figure::new(format!("{title}: {word}"), Unit::Milliseconds, value)
            .beside(format!("{name}: {word}"))
    };
    let mut figures = vec![
        Figure::new(&title, Unit::PerSecond, rate).beside(name),
        wait("p50", 0.5),
        wait("p99", 0.99),
    ];
    for ((process, before), (_, after)) in before.into_iter().zip(after) {
        let each = after.saturating_sub(before).as_secs_f64() * 1e6 / arrived;
        let name = format!("{title}: processor time each, {process}");
        figures.push(Figure::new(name, Unit::Microseconds, each));
    }
    Ok(figures)
}

/// The load called `name`, at a steady rate and fan-out 1: how long deliveries took.
pub(super) async fn steady(bench: &Bench, name: &str, rate: u32) -> anyhow::Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for program in &bench.peers {
        let title = format!("{name}, {}", program.name);
        let measured = steady_on(bench, program, rate).await;
        let found = measured.with_context(|| title.clone())?;
        for (word, share) in [("p50", 0.5), ("p99", 0.99)] {
            let value = percentile(&found, share) * 1e3;
            let figure = Figure::new(format!("{title}, {word}"), Unit::Milliseconds, value);
            figures.push(figure.beside(format!("{name}, {word}")));
        }
    }
    Ok(figures)
}

async fn steady_on(bench: &Bench, program: &PeerProgram, rate: u32) -> anyhow::Result<Vec<f64>> {
    let (mut peer, audience) = start(bench, program, 1).await?;
    let load = Load {
        rate: Some(f64::from(rate)),
        time: bench.steady_time(),
        ..bench.load_on(peer.address(), audience, 8, ENOUGH)
    };
    let delivered = bench.deliver(load, 1).await;
    let (published, ledger) = delivered.map_err(|error| peer.explain(error))?;
    Ok(published.latencies(&ledger, 0))
}

/// A peer, and its application with endpoints `0..fan_out`.
async fn start(
    bench: &Bench,
    program: &PeerProgram,
    fan_out: u64,
) -> anyhow::Result<(Peer, Audience)> {
    let peer = Peer::start(program, &bench.folder)?;
    let urls = (0..fan_out).map(|webhook| bench.receiver.url(webhook));
    let application = Application::create(peer.address(), peer.token(), urls).await?;
    Ok((peer, Audience::Application(Arc::new(application))))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::receiver::Receiver;
    use crate::stand_in;

    #[tokio::test]
    async fn a_load_meets_a_peer_on_postgresql_and_redis() {
        let folder = tempfile::tempdir().unwrap();
        let bench = Bench {
            program: "none".into(),
            folder: folder.path().join("databases"),
            quick: true,
            largest_queue: 0,
            most_stored: 0,
            idle_deliveries: 0,
            patience: Duration::ZERO,
            delivery: Vec::new(),
            receiver: Receiver::start().await.unwrap(),
            peers: vec![stand_in::program(folder.path(), stand_in::SERVE)],
        };
        std::fs::create_dir(&bench.folder).unwrap();
        let figures = deliver(&bench, "load", 2, 3).await.unwrap();
        let names: Vec<&str> = figures.iter().map(|figure| &*figure.name).collect();
        assert_eq!(
            names,
            [
                "load, svix",
                "load, svix: p50",
                "load, svix: p99",
                "load, svix: processor time each, server",
                "load, svix: processor time each, PostgreSQL",
                "load, svix: processor time each, Redis",
            ]
        );
        for figure in &figures[..4] {
            assert!(figure.value > 0.0, "{figure:?}");
        }
        let left = std::fs::read_dir(&bench.folder).unwrap().count();
        assert_eq!(left, 0, "the script leaves nothing behind");
    }
}
