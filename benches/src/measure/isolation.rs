//! Twenty healthy receivers, without and with one beside them that hangs to the deadline and has a backlog.

use std::time::Duration;

use anyhow::bail;

use super::{Bench, ENOUGH};
use crate::connection::Connection;
use crate::figure::{Figure, Unit};
use crate::load::{self, Load, percentile};
use crate::moment::pause;
use crate::server::Server;

/// Healthy receivers, each with an account of its own.
const HEALTHY: u64 = 20;

/// Events a second for all healthy receivers together.
const RATE: u32 = 200;

/// Deliveries that wait for the receiver that hangs.
const BACKLOG: u64 = 20_000;

const HANGING: &str = "F30000";
const ANSWERING: &str = "F30001";

/// Measures both once, on one server.
pub(super) async fn run(bench: &Bench) -> anyhow::Result<Vec<Figure>> {
    let server = bench.server()?;
    let mut connection = Connection::open(server.address()).await?;
    let accounts: Vec<String> = (0..HEALTHY)
        .map(|number| format!("F4{number:04}"))
        .collect();
    for account in &accounts {
        let url = bench.receiver.url(0);
        server.register(&mut connection, account, &url).await?;
    }
    let hanging = bench.receiver.gated_url(0);
    server.register(&mut connection, HANGING, &hanging).await?;

    // The same history in both: as many events for a receiver that answers, and time for the disk to take them.
    let answering = bench.receiver.url(0);
    server
        .register(&mut connection, ANSWERING, &answering)
        .await?;
    publish_backlog(bench, &server, ANSWERING).await?;
    let alone = healthy(bench, &server, &accounts).await?;
    publish_backlog(bench, &server, HANGING).await?;
    let beside = healthy(bench, &server, &accounts).await?;

    let (before, after) = (percentile(&alone, 0.99), percentile(&beside, 0.99));
    let name = "healthy receivers, p99";
    Ok(vec![
        Figure::new(format!("{name}, alone"), Unit::Milliseconds, before * 1e3),
        Figure::new(
            format!("{name}, beside a hanging one"),
            Unit::Milliseconds,
            after * 1e3,
        )
        .beside(format!("{name}, alone")),
        Figure::new(
            format!("{name}, rise"),
            Unit::Percent,
            (after / before - 1.0) * 100.0,
        )
        .aim("less than 20 %"),
    ])
}

/// Publishes the backlog for one account, none of which is counted, and waits for the disk.
async fn publish_backlog(bench: &Bench, server: &Server, account: &str) -> anyhow::Result<()> {
    bench.receiver.expect(0, 1);
    let backlog = Load {
        accounts: vec![account.to_owned()],
        time: Duration::from_secs(600),
        ..bench.load(server, 64, if bench.quick { BACKLOG / 10 } else { BACKLOG })
    };
    load::publish(backlog).await?;
    pause(Duration::from_secs(if bench.quick { 1 } else { 10 })).await;
    Ok(())
}

/// From publishing to receiving for events of the healthy receivers in turn, in ascending order.
async fn healthy(bench: &Bench, server: &Server, accounts: &[String]) -> anyhow::Result<Vec<f64>> {
    let load = Load {
        rate: Some(f64::from(RATE)),
        time: Duration::from_secs(if bench.quick { 3 } else { 20 }),
        accounts: accounts.to_vec(),
        ..bench.load(server, 20, ENOUGH)
    };
    let ledger = bench.receiver.expect(load.events, 1);
    let published = load::publish(load).await?;
    // The receiver also counts what hung and was given up, so arrivals are waited for here.
    for _ in 0..2_000 {
        if ledger.arrived() >= published.count {
            return Ok(published.latencies(&ledger));
        }
        pause(Duration::from_millis(10)).await;
    }
    bail!(
        "{} of {} deliveries to healthy receivers did not arrive",
        published.count - ledger.arrived(),
        published.count
    )
}
