//! The signals that ask the program to end: Ctrl-C, SIGTERM and, where wanted, the end of its terminal.

use std::io;
use std::time::{Duration, Instant};

#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Signals that come so soon after another one are the same: `timeout` sends its own to the program and to the group of processes that it
/// is in.
const TOGETHER: Duration = Duration::from_secs(1);

/// Catches the signals from when it is made.
pub(crate) struct Signals {
    #[cfg(unix)]
    caught: Vec<Signal>,
    last: Option<Instant>,
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
            last: None,
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
    pub(crate) async fn next(&mut self) {
        loop {
            self.any().await;
            let now = Instant::now();
            if self.last.is_none_or(|last| now - last >= TOGETHER) {
                self.last = Some(now);
                return;
            }
        }
    }

    #[cfg(unix)]
    async fn any(&mut self) {
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

    #[cfg(not(unix))]
    async fn any(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            // It cannot be caught: the operating system ends the program by itself.
            std::future::pending::<()>().await;
        }
    }
}
