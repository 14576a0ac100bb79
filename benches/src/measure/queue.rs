//! The cost of a delivery, from a queue of 1,000 to one of 1,000,000: receivers hang while the queue is built, then all is delivered.

use std::time::Duration;

use anyhow::bail;

use super::{ACCOUNT, Bench, real};
use crate::connection::Connection;
use crate::figure::{Figure, Unit};
use crate::load::{self, Load};
use crate::moment::{nanoseconds, seconds};
use crate::server::Server;

const FAN_OUT: u64 = 100;

/// Short queues are built and emptied until so many deliveries were made, or their figures would be noise.
const ENOUGH: u64 = 20_000;

/// How many attempts may be under way. They hang when the measure begins, and what it took to send them is not in it: with the default
/// of 256 that would be a quarter of a queue of 1,000 and nothing of one of 1,000,000.
const UNDER_WAY: &str = "32";

/// Measures every length once.
pub(super) async fn run(bench: &Bench) -> anyhow::Result<Vec<Figure>> {
    let longest = if bench.quick {
        10_000
    } else {
        bench.largest_queue
    };
    let mut figures = Vec::new();
    let lengths = [1_000, 10_000, 100_000, 1_000_000];
    for length in lengths.into_iter().filter(|length| *length <= longest) {
        let options = ["--attempts-in-flight", UNDER_WAY];
        let server = Server::start_with(&bench.program, &bench.folder, &options)?;
        let mut connection = Connection::open(server.address()).await?;
        for webhook in 0..FAN_OUT {
            let url = bench.receiver.gated_url(webhook);
            server.register(&mut connection, ACCOUNT, &url).await?;
        }
        let (mut delivered, mut wall, mut processor) = (0, 0.0, Duration::ZERO);
        while delivered == 0 || (delivered < ENOUGH && !bench.quick) {
            let ledger = bench.receiver.expect(length / FAN_OUT, FAN_OUT);
            let build = Load {
                time: Duration::from_secs(3_600),
                ..bench.load(&server, 16, length / FAN_OUT)
            };
            load::publish(build).await?;
            let (began, used) = (nanoseconds(), server.processor_time()?);
            bench.receiver.open_gate();
            let missing = bench.receiver.wait(&ledger, length).await;
            if missing > 0 {
                bail!("{missing} of {length} deliveries did not arrive");
            }
            wall += seconds(began, ledger.last());
            processor += server.processor_time()? - used;
            delivered += ledger.arrived();
            if bench.receiver.abandoned() > 0 {
                // They hung longer than the server's deadline, and are attempted again minutes later.
                eprintln!(
                    "  {} attempts hung to the deadline",
                    bench.receiver.abandoned()
                );
            }
        }
        let name = |what: &str| format!("queue of {length}: {what}");
        let each = |seconds: f64| seconds * 1e6 / real(delivered);
        let mut time = Figure::new(name("time each"), Unit::Microseconds, each(wall));
        let used = each(processor.as_secs_f64());
        let mut used = Figure::new(name("processor time each"), Unit::Microseconds, used);
        if length > lengths[0] {
            time = time
                .beside(format!("queue of {}: time each", lengths[0]))
                .aim("under 1.1 x");
            used = used
                .beside(format!("queue of {}: processor time each", lengths[0]))
                .aim("under 1.1 x");
        }
        let peak = real(server.memory()?.peak) / 1e6;
        let memory = Figure::new(name("memory, peak"), Unit::Megabytes, peak);
        figures.extend([time, used, memory]);
    }
    Ok(figures)
}
