//! From the first byte of a publication to the last byte of its delivery at the receiver: at steady rates, and at saturation.

use super::limits::paced_commit;
use super::{Bench, ENOUGH, beside};
use crate::figure::{Figure, Unit};
use crate::load::{Load, percentile};

/// Events a second at the lowest steady rate.
pub(super) const RATE: u32 = 50;

/// Clients that publish as fast as they are answered.
const SATURATION: u64 = 64;

/// Measures both once.
pub(super) async fn run(bench: &Bench) -> anyhow::Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for (rate, aim) in [
        (RATE, "at most 2.5 ms"),
        (200, "at most 1.7 ms"),
        (800, "at most 1.5 ms"),
    ] {
        let server = bench.server_with(1).await?;
        let steady = Load {
            rate: Some(f64::from(rate)),
            time: bench.steady_time(),
            ..bench.load(&server, 8, ENOUGH)
        };
        let (published, ledger) = bench.deliver(steady, 1).await?;
        let found = published.latencies(&ledger, 0);
        let name = format!("publish to receiver, {rate} events/s");
        let mut p50 = milliseconds(&name, "p50", &found, 0.5);
        let mut p99 = milliseconds(&name, "p99", &found, 0.99).aim(aim);
        if rate == RATE {
            p50 = p50.beside(paced_commit("p50"));
            p99 = p99.beside(paced_commit("p99"));
        }
        figures.extend([p50, p99]);
        drop(server);
        figures.extend(beside::steady(bench, &name, rate).await?);
    }

    let server = bench.server_with(1).await?;
    let (published, ledger) = bench
        .deliver(bench.load(&server, SATURATION, ENOUGH), 1)
        .await?;
    let found = published.latencies(&ledger, 0);
    let name = format!("publish to receiver, saturated by {SATURATION} clients");
    figures.push(milliseconds(&name, "p50", &found, 0.5));
    figures.push(milliseconds(&name, "p99", &found, 0.99).aim("under 150 ms"));
    Ok(figures)
}

fn milliseconds(name: &str, word: &str, found: &[f64], share: f64) -> Figure {
    let value = percentile(found, share) * 1e3;
    Figure::new(format!("{name}, {word}"), Unit::Milliseconds, value)
}
