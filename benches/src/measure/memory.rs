//! Resident memory: idle after the start, and the most under load.

use std::time::Duration;

use super::{Bench, ENOUGH, real};
use crate::figure::{Figure, Unit};
use crate::moment::pause;

/// Measures both once.
pub(super) async fn run(bench: &Bench) -> anyhow::Result<Vec<Figure>> {
    let mut figures = Vec::new();
    let megabytes = |name: &str, bytes: u64| Figure::new(name, Unit::Megabytes, real(bytes) / 1e6);
    let server = bench.server_with(1).await?;
    pause(Duration::from_secs(2)).await;
    let idle = server.memory()?.resident;
    figures.push(megabytes("memory, idle after the start", idle).aim("under 30 MB"));
    bench.deliver(bench.load(&server, 64, ENOUGH), 1).await?;
    let peak = server.memory()?.peak;
    figures.push(megabytes("memory, peak at fan-out 1, 64 clients", peak).aim("under 60 MB"));
    drop(server);

    let server = bench.server_with(100).await?;
    bench.deliver(bench.load(&server, 16, 20_000), 100).await?;
    let peak = server.memory()?.peak;
    figures.push(megabytes("memory, peak at fan-out 100, 16 clients", peak).aim("under 60 MB"));
    Ok(figures)
}
