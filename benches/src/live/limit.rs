//! The limit: a bare client loop of the HTTP library that `conformance` uses, on one thread and as many connections as a run has.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Empty};
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::{JoinSet, LocalSet};

/// How many connections a run has by default.
const CONNECTIONS: usize = 8;

/// Asks for one path again and again; returns how many answers came in a second.
///
/// # Errors
/// When a connection breaks.
pub(crate) fn rate(address: SocketAddr, path: &str, time: Duration) -> anyhow::Result<f64> {
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_all().build()?;
    let begin = Instant::now();
    let work = async {
        let mut clients = JoinSet::new();
        for _ in 0..CONNECTIONS {
            clients.spawn_local(ask(address, path.to_owned(), begin + time));
        }
        let mut total = 0;
        while let Some(count) = clients.join_next().await {
            total += count??;
        }
        anyhow::Ok(total)
    };
    let total = runtime.block_on(LocalSet::new().run_until(work))?;
    Ok(f64::from(total) / begin.elapsed().as_secs_f64())
}

async fn ask(address: SocketAddr, path: String, end: Instant) -> anyhow::Result<u32> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::task::spawn_local(connection);
    let mut count = 0;
    while Instant::now() < end {
        sender.ready().await?;
        let request = Request::get(&path).header("host", address.to_string());
        let answer = sender
            .send_request(request.body(Empty::<Bytes>::new())?)
            .await?;
        answer.into_body().collect().await?;
        count += 1;
    }
    Ok(count)
}
