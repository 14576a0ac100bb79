//! The signals that ask the program to end: Ctrl-C, SIGTERM and, where wanted, the end of its terminal.

use std::io;

#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Catches the signals from when it is made.
pub(crate) struct Signals {
    #[cfg(unix)]
    caught: Vec<Signal>,
}

impl Signals {
    /// Ctrl-C and SIGTERM: for what may outlive its terminal.
    ///
    /// # Errors
    /// When the operating system does not let them be caught.
    pub(crate) fn new() -> io::Result<Self> {
        #[cfg(unix)]
        let caught = vec![
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
        ];
        Ok(Self {
            #[cfg(unix)]
            caught,
        })
    }

    /// The same, and the end of the terminal: for what is of no use without it.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub(crate) fn with_terminal() -> io::Result<Self> {
        #[cfg(unix)]
        {
            let mut signals = Self::new()?;
            signals.caught.push(signal(SignalKind::hangup())?);
            Ok(signals)
        }
        #[cfg(not(unix))]
        Self::new()
    }

    /// Waits for the next one; may be dropped while it waits.
    #[cfg(unix)]
    pub(crate) async fn next(&mut self) {
        std::future::poll_fn(|context| {
            let mut any = std::task::Poll::Pending;
            // Each is asked, so that each wakes the task.
            for signal in &mut self.caught {
                if signal.poll_recv(context).is_ready() {
                    any = std::task::Poll::Ready(());
                }
            }
            any
        })
        .await;
    }

    /// Waits for the next Ctrl-C.
    #[cfg(not(unix))]
    pub(crate) async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            // It cannot be caught: the operating system ends the program by itself.
            std::future::pending::<()>().await;
        }
    }
}
