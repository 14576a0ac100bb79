//! The sender: writes requests that are made already, on a few connections from one thread.

use std::cell::Cell;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::rc::Rc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{bail, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::{JoinSet, LocalSet};

use crate::message;
use crate::sample::PATH;

/// How many connections are used.
pub(crate) const CONNECTIONS: usize = 8;

/// Sends all requests to a path; returns how long it took until the last one was answered.
///
/// # Errors
/// When a connection breaks, or an answer is not a success.
pub(crate) fn send(
    address: SocketAddr,
    path: &str,
    requests: &[Vec<u8>],
) -> anyhow::Result<Duration> {
    let path = format!("POST {path}");
    let own = format!("POST {PATH}");
    let requests: Rc<Vec<Vec<u8>>> = Rc::new(
        requests
            .iter()
            .map(|one| [path.as_bytes(), &one[own.len()..]].concat())
            .collect(),
    );
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_all().build()?;
    let begin = Instant::now();
    let work = async {
        let next = Rc::new(Cell::new(0));
        let mut clients = JoinSet::new();
        for _ in 0..CONNECTIONS {
            clients.spawn_local(talk(address, Rc::clone(&requests), Rc::clone(&next)));
        }
        while let Some(done) = clients.join_next().await {
            done??;
        }
        anyhow::Ok(())
    };
    runtime.block_on(LocalSet::new().run_until(work))?;
    Ok(begin.elapsed())
}

async fn talk(
    address: SocketAddr,
    requests: Rc<Vec<Vec<u8>>>,
    next: Rc<Cell<usize>>,
) -> anyhow::Result<()> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let mut buffer = Vec::with_capacity(4096);
    while let Some(request) = requests.get(next.replace(next.get() + 1)) {
        stream.write_all(request).await?;
        let frame = loop {
            if let Some(frame) = message::frame(&buffer)? {
                break frame;
            }
            ensure!(
                stream.read_buf(&mut buffer).await? > 0,
                "the receiver hung up"
            );
        };
        match message::status(&buffer) {
            Some(200..=299) => {}
            status => bail!("the receiver answered {status:?}"),
        }
        buffer.drain(..frame.total);
    }
    Ok(())
}

/// The URL of a server that answers 404 to everything; it ends with the process.
///
/// # Errors
/// When no port is free.
pub(crate) fn silent_server() -> anyhow::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let url = format!("http://{}", listener.local_addr()?);
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 4096]);
            let answer =
                b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            let _ = stream.write_all(answer);
        }
    });
    Ok(url)
}
