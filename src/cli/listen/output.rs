//! Writes to standard output in a thread of its own: an output that takes nothing for a while (a paused terminal, a full pipe) must not
//! keep signals waiting.

use std::io::{self, Write};
use std::sync::mpsc;

use tokio::sync::oneshot;

type Job = (String, oneshot::Sender<io::Result<()>>);

/// Standard output. It is left as it is when this is dropped, even if it takes nothing.
pub(super) struct Output {
    jobs: mpsc::Sender<Job>,
}

impl Output {
    pub(super) fn start() -> Self {
        let (jobs, incoming) = mpsc::channel::<Job>();
        std::thread::spawn(move || {
            for (text, done) in incoming {
                let mut out = io::stdout().lock();
                let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
                // Nobody waits for it any more after a signal.
                let _ = done.send(written);
            }
        });
        Self { jobs }
    }

    /// Writes text; when this is dropped while it waits, the text may still be written.
    ///
    /// # Errors
    /// The error of the operating system.
    pub(super) async fn write(&self, text: String) -> io::Result<()> {
        let (done, written) = oneshot::channel();
        let gone = || io::Error::other("the thread that writes has ended");
        self.jobs.send((text, done)).map_err(|_| gone())?;
        written.await.unwrap_or_else(|_| Err(gone()))
    }
}
