//! Webhooks created a second over HTTP.

use super::Bench;
use super::limits::commit;
use crate::figure::{Figure, Unit};
use crate::load;
use crate::message;
use crate::server::{CONDUIT, JSON};

/// Measures each number of connections once.
pub(super) async fn run(bench: &Bench) -> anyhow::Result<Vec<Figure>> {
    let body = format!(
        r#"{{"url":"{}","events":["transaction.completed","customer.created"],"status":"enabled"}}"#,
        bench.receiver.url(0)
    );
    let request = message::request(
        "POST",
        "/conduit/webhooks",
        &format!("{CONDUIT}{JSON}"),
        &body,
    );
    let mut figures = Vec::new();
    for (connections, aim) in [(16, "at least 19,278 /s"), (64, "at least 26,532 /s")] {
        let server = bench.server()?;
        let rate = load::repeat(server.address(), connections, bench.time(), &request, 201).await?;
        let name = format!("create webhooks, {connections} connections");
        let figure = Figure::new(name, Unit::PerSecond, rate);
        figures.push(figure.beside(commit(64)).aim(aim));
    }
    Ok(figures)
}
