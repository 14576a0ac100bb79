//! The limit: a receiver of the HTTP library that `conformance` uses, which reads each request, and answers.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::Notify;

/// Answers this many requests on a free port of loopback, which it tells on standard error, and ends.
///
/// # Errors
/// When no port is free.
pub(crate) fn serve(count: usize) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        eprintln!("http://{}/hook", listener.local_addr()?);
        let (answered, done) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
        loop {
            tokio::select! {
                () = done.notified() => return Ok(()),
                accepted = listener.accept() => {
                    let (stream, _) = accepted?;
                    stream.set_nodelay(true)?;
                    let (answered, done) = (Arc::clone(&answered), Arc::clone(&done));
                    let service = service_fn(move |request| {
                        answer(request, count, Arc::clone(&answered), Arc::clone(&done))
                    });
                    let server = hyper::server::conn::http1::Builder::new();
                    // The sender counts what was answered.
                    tokio::spawn(server.serve_connection(TokioIo::new(stream), service));
                }
            }
        }
    })
}

async fn answer(
    request: Request<Incoming>,
    count: usize,
    answered: Arc<AtomicUsize>,
    done: Arc<Notify>,
) -> Result<Response<Empty<Bytes>>, Infallible> {
    // A body that breaks off is seen by the sender.
    let _ = request.into_body().collect().await;
    if answered.fetch_add(1, Ordering::Relaxed) + 1 == count {
        done.notify_one();
    }
    let mut response = Response::new(Empty::new());
    *response.status_mut() = hyper::StatusCode::NO_CONTENT;
    Ok(response)
}
