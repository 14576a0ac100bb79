//! From the start of the process to the first 200 of `/health/ready`.

use super::Bench;
use crate::figure::{Figure, Unit};
use crate::server::Server;

/// Starts of which the fastest counts.
const STARTS: usize = 10;

/// Measures starts on a new database and on one that exists.
pub(super) fn run(bench: &Bench) -> anyhow::Result<Vec<Figure>> {
    let mut new = f64::INFINITY;
    let mut again = f64::INFINITY;
    for _ in 0..STARTS {
        let folder = tempfile::tempdir_in(&bench.folder)?;
        let server = Server::start_in(&bench.program, folder.path())?;
        new = new.min(server.start_time().as_secs_f64());
        drop(server);
        let server = Server::start_in(&bench.program, folder.path())?;
        again = again.min(server.start_time().as_secs_f64());
    }
    let figure = |name: &str, seconds: f64| Figure::new(name, Unit::Milliseconds, seconds * 1e3);
    Ok(vec![
        figure("start, new database, fastest of 10", new).aim("under 100 ms"),
        figure("start, existing database, fastest of 10", again).aim("under 100 ms"),
    ])
}
