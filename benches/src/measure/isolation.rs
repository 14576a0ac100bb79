//! Twenty healthy receivers, without and with one beside them that hangs to the deadline and has a backlog.

use std::time::Duration;

use anyhow::bail;

use super::{Bench, ENOUGH};
use crate::connection::Connection;
use crate::figure::{Figure, Unit};
use crate::load::{self, Audience, Load, percentile};
use crate::moment::pause;
use crate::server::Server;

/// Healthy receivers, each with an account of its own.
const HEALTHY: u64 = 20;

/// Events a second for all healthy receivers together.
const RATE: u32 = 200;

/// Deliveries that wait for the receiver that hangs.
const BACKLOG: u64 = 20_000;

/// The account of the receiver that hangs on one server, and answers on the other.
const ONE_MORE: &str = "F30000";

/// Measures both once, at the same time on two servers, so that both have the same machine.
pub(super) async fn run(bench: &Bench) -> anyhow::Result<Vec<Figure>> {
    let accounts: Vec<String> = (0..HEALTHY)
        .map(|number| format!("F4{number:04}"))
        .collect();
    // Both have one history: the one's backlog was answered, the other's is not.
    let without = server(bench, &accounts, 0, &bench.receiver.url(2)).await?;
    let with = server(bench, &accounts, 1, &bench.receiver.gated_url(2)).await?;
    pause(Duration::from_secs(if bench.quick { 1 } else { 10 })).await;

    let load = |server| Load {
        rate: Some(f64::from(RATE)),
        time: Duration::from_secs(if bench.quick { 3 } else { 30 }),
        audience: Audience::Accounts(accounts.clone()),
        ..bench.load(server, 20, ENOUGH)
    };
    let ledger = bench.receiver.expect(ENOUGH, 3);
    let (alone, beside) =
        tokio::try_join!(load::publish(load(&without)), load::publish(load(&with)))?;
    let wanted = alone.count + beside.count;
    let mut missing = wanted;
    for _ in 0..200 {
        let (alone, beside) = (alone.latencies(&ledger, 0), beside.latencies(&ledger, 1));
        missing = wanted - u64::try_from(alone.len() + beside.len())?;
        if missing == 0 {
            break;
        }
        pause(Duration::from_millis(100)).await;
    }
    if missing > 0 {
        bail!("{missing} of {wanted} deliveries to healthy receivers did not arrive");
    }
    let (alone, beside) = (alone.latencies(&ledger, 0), beside.latencies(&ledger, 1));
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

/// A server with the healthy receivers, known as `webhook`, and one more that has got a backlog of events.
async fn server(
    bench: &Bench,
    accounts: &[String],
    webhook: u64,
    one_more: &str,
) -> anyhow::Result<Server> {
    let server = bench.server()?;
    let mut connection = Connection::open(server.address()).await?;
    for account in accounts {
        let url = bench.receiver.url(webhook);
        server.register(&mut connection, account, &url).await?;
    }
    server.register(&mut connection, ONE_MORE, one_more).await?;
    // None of these is counted.
    bench.receiver.expect(0, 1);
    let backlog = Load {
        audience: Audience::Accounts(vec![ONE_MORE.to_owned()]),
        time: Duration::from_secs(600),
        ..bench.load(
            &server,
            64,
            if bench.quick { BACKLOG / 10 } else { BACKLOG },
        )
    };
    load::publish(backlog).await?;
    Ok(server)
}
