//! Listens on a port and serves HTTP/1.1 to the clients that connect.
//!
//! In place of actix-web's own `HttpServer`, which cannot give up clients that do not read, and logs every malformed request as an error.

use std::fmt::Display;
use std::future::ready;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_http::error::DispatchError;
use actix_http::{HttpService, Protocol};
use actix_server::ServerBuilder;
use actix_service::{
    IntoServiceFactory, ServiceFactory, ServiceFactoryExt, fn_service, map_config,
};
use actix_web::App;
use actix_web::body::MessageBody;
use actix_web::dev::{AppConfig, ServiceRequest, ServiceResponse};
use socket2::{Domain, Protocol as Transport, Socket, Type};
use tokio::net::TcpStream;

use crate::http::connection::{Connection, Limits};
use crate::metrics::Metrics;

/// How many connections the operating system keeps for us while we are busy.
const BACKLOG: i32 = 1024;

/// How much of an answer is made ready before the client takes it, in bytes.
const WRITE_AHEAD: usize = 16 * 1024;

/// How long a request may take until its answer begins: longer than its body may take to arrive, and than a busy database takes.
const UNANSWERED: Duration = Duration::from_secs(60);

/// How long a client may go on sending after an answer that ends its connection.
const LINGER: Duration = Duration::from_secs(2);

/// Fewer connections than these are few for a thread; they are kept for a short while only.
const FEW: usize = 16;
const SHORT: Duration = Duration::from_secs(5);

/// Opens a port.
///
/// # Errors
/// The error of the operating system.
pub(super) fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Transport::TCP),
    )?;
    // A restart must not wait for the connections of the run before it.
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// How long connections are kept.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    limits: Limits,
    /// How long a connection may wait for its next request.
    idle: Duration,
}

impl Patience {
    /// The patience of a server whose threads take up to `limit` connections each: idle ones are closed before new ones have to wait.
    pub(super) fn new(unread: Duration, idle: Duration, limit: usize) -> Self {
        Self {
            limits: Limits {
                unread,
                unanswered: UNANSWERED,
                lingering: LINGER,
                most: limit - limit.div_ceil(8).min(limit),
            },
            // With so few no new one gets in to take the place of another.
            idle: if limit < FEW { idle.min(SHORT) } else { idle },
        }
    }
}

/// Adds a port to the server: `app` makes what answers on it, for each thread.
///
/// # Errors
/// The error of the operating system.
pub(super) fn listen<F, T, B>(
    builder: ServerBuilder,
    listener: TcpListener,
    patience: Patience,
    metrics: &Arc<Metrics>,
    app: F,
) -> io::Result<ServerBuilder>
where
    F: Fn() -> App<T> + Send + Clone + 'static,
    T: ServiceFactory<
            ServiceRequest,
            Config = (),
            Response = ServiceResponse<B>,
            Error = actix_web::Error,
            InitError = (),
        > + 'static,
    B: MessageBody + 'static,
{
    let address = listener.local_addr()?;
    let stopping = builder.graceful_shutdown_signal();
    let metrics = metrics.clone();
    builder.listen(address.to_string(), listener, move || {
        let stopping = stopping.clone();
        let metrics = metrics.clone();
        let app = app()
            .into_factory()
            .map_err(|error: actix_web::Error| error.as_response_error().error_response());
        let http = HttpService::build()
            .graceful_shutdown_signal(move || {
                let stopping = stopping.clone();
                async move { stopping.notified().await }
            })
            .h1_write_buffer_size(WRITE_AHEAD)
            .keep_alive(patience.idle)
            .client_disconnect_timeout(patience.limits.lingering)
            .local_addr(address)
            .finish(map_config(app, |()| AppConfig::default()));
        fn_service(move |stream: TcpStream| {
            let peer = stream.peer_addr().ok();
            // Answers are written as a whole: to wait for more would only delay them. The connection works without it.
            let _ = stream.set_nodelay(true);
            ready(Ok::<_, DispatchError>((
                Connection::new(stream, patience.limits),
                Protocol::Http1,
                peer,
            )))
        })
        .and_then(http)
        .map_err(move |error| note(&error, &metrics))
    })
}

/// Counts and logs why a connection ended. Anybody can send what is not HTTP, and thousands of times a second: that is not an error of ours.
fn note(error: &DispatchError, metrics: &Metrics) {
    let malformed = |error: &dyn Display| {
        metrics.malformed();
        tracing::debug!(%error, "a request was refused because it is not HTTP");
    };
    match error {
        DispatchError::Parse(error) => malformed(error),
        DispatchError::Io(error) if error.kind() == io::ErrorKind::InvalidData => malformed(error),
        DispatchError::Io(error) if error.kind() == io::ErrorKind::TimedOut => {
            metrics.unread();
            tracing::debug!("a connection was closed because its client does not read");
        }
        DispatchError::Io(error) => tracing::debug!(%error, "a connection broke"),
        DispatchError::SlowRequestTimeout
        | DispatchError::DisconnectTimeout
        | DispatchError::HandlerDroppedPayload => {
            tracing::debug!(%error, "a connection was closed");
        }
        error => tracing::error!(%error, "a connection was closed"),
    }
}
