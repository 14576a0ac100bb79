//! The signals that ask the program to end: Ctrl-C, SIGTERM, and the end of its terminal.

use std::io;

#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Catches the signals from when it is made.
pub(super) struct Signals {
    #[cfg(unix)]
    caught: [Signal; 3],
}

impl Signals {
    /// # Errors
    /// When the operating system does not let them be caught.
    #[cfg(unix)]
    pub(super) fn new() -> io::Result<Self> {
        let caught = [
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
            signal(SignalKind::hangup())?,
        ];
        Ok(Self { caught })
    }

    /// Waits for the next one; may be dropped while it waits.
    #[cfg(unix)]
    pub(super) async fn next(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.caught;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }

    /// # Errors
    /// Never.
    #[cfg(not(unix))]
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self {})
    }

    /// Waits for the next Ctrl-C.
    #[cfg(not(unix))]
    pub(super) async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            // It cannot be caught: the operating system ends the program by itself.
            std::future::pending::<()>().await;
        }
    }
}
