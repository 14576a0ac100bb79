//! A line on the terminal that says what a long run is doing. It appears after a second, is rewritten in place, and is gone at the end.
//!
//! There is none unless standard error is a terminal, so neither in CI nor in a file. It has no colors.

use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::drift::{Phase, Progress};
use crate::report;

/// How long a run may take without the line.
const DELAY: Duration = Duration::from_secs(1);
/// How often the line is rewritten.
const INTERVAL: Duration = Duration::from_millis(100);
/// How long the line may be, in characters: in a narrow terminal a longer one would wrap and could not be erased.
const WIDTH: usize = 79;
/// Returns to the start of the line and erases it.
const ERASE: &str = "\r\u{1b}[2K";

/// The task of the run.
#[derive(Debug, Clone)]
enum Task {
    Loading(String),
    Comparing(Progress),
    Sending(Arc<AtomicUsize>),
}

impl Task {
    fn line(&self) -> String {
        let line = match self {
            Self::Loading(name) => format!("loading {name}"),
            Self::Sending(count) => match count.load(Ordering::Relaxed) {
                1 => "1 request sent".to_owned(),
                count => format!("{count} requests sent"),
            },
            Self::Comparing(progress) => {
                let Phase { noun, done, all } = progress.now();
                match all {
                    0 => "comparing".to_owned(),
                    all => format!("comparing {noun}: {done} of {all}"),
                }
            }
        };
        report::plain_line(&line).chars().take(WIDTH).collect()
    }
}

/// The line; dropping it erases it.
pub(super) struct ProgressLine {
    task: Arc<Mutex<Task>>,
    shown: Option<(Sender<()>, JoinHandle<()>)>,
}

impl ProgressLine {
    /// Starts to show the line on standard error, if that is a terminal.
    pub(super) fn start() -> Self {
        let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        let dumb = set("TERM").is_some_and(|term| term == "dumb");
        if io::stderr().is_terminal() && !dumb && set("CI").is_none() {
            Self::on(io::stderr(), DELAY)
        } else {
            let task = Arc::new(Mutex::new(Task::Loading(String::new())));
            Self { task, shown: None }
        }
    }

    fn on(mut out: impl Write + Send + 'static, delay: Duration) -> Self {
        let task = Arc::new(Mutex::new(Task::Loading(String::new())));
        let (end, ended) = mpsc::channel();
        let shared = Arc::clone(&task);
        let thread = thread::spawn(move || {
            let mut wait = delay;
            // The sender is dropped at the end, which ends the waiting at once.
            while ended.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
                wait = INTERVAL;
                let line = shared.lock().unwrap_or_else(PoisonError::into_inner).line();
                let _ = write!(out, "{ERASE}{line}").and_then(|()| out.flush());
            }
            if wait != delay {
                let _ = write!(out, "{ERASE}").and_then(|()| out.flush());
            }
        });
        Self {
            task,
            shown: Some((end, thread)),
        }
    }

    /// Says which document is being loaded.
    pub(super) fn loading(&self, name: &str) {
        self.set(Task::Loading(name.to_owned()));
    }

    /// Says how far a comparison has come; the comparison counts with the returned counter.
    pub(super) fn comparing(&self) -> Progress {
        let progress = Progress::default();
        self.set(Task::Comparing(progress.clone()));
        progress
    }

    /// Says how many requests were sent; whoever sends them counts.
    pub(super) fn sending(&self, count: Arc<AtomicUsize>) {
        self.set(Task::Sending(count));
    }

    /// Erases the line until it is written again, so that another line can be written.
    pub(super) fn erase(&self) {
        if self.shown.is_some() {
            let _ = write!(io::stderr(), "{ERASE}");
        }
    }

    fn set(&self, task: Task) {
        *self.task.lock().unwrap_or_else(PoisonError::into_inner) = task;
    }
}

impl Drop for ProgressLine {
    fn drop(&mut self) {
        if let Some((end, thread)) = self.shown.take() {
            drop(end);
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The written bytes, and a signal for each write.
    #[derive(Clone)]
    struct Out(Arc<Mutex<Vec<u8>>>, Sender<()>);

    impl Write for Out {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            let _ = self.1.send(());
            Ok(())
        }
    }

    #[test]
    fn a_line_is_rewritten_and_erased_at_the_end() {
        let text = Arc::new(Mutex::new(Vec::new()));
        let (written, wait) = mpsc::channel();
        let line = ProgressLine::on(Out(Arc::clone(&text), written), Duration::from_nanos(1));
        line.loading("a\u{1b}[31m.yaml");
        wait.recv().unwrap();
        let _progress = line.comparing();
        let shown = || String::from_utf8(text.lock().unwrap().clone()).unwrap();
        while !shown().contains("comparing") {
            wait.recv().unwrap();
        }
        drop(line);
        let text = shown();
        assert!(text.ends_with(ERASE) && text.starts_with(ERASE), "{text:?}");
        let lines = text.replace(ERASE, "");
        assert!(!lines.contains(['\u{1b}', '\r', '\n']), "{text:?}");
    }

    #[test]
    fn a_short_run_shows_nothing() {
        let text = Arc::new(Mutex::new(Vec::new()));
        let (written, _wait) = mpsc::channel();
        let line = ProgressLine::on(Out(Arc::clone(&text), written), Duration::from_secs(3600));
        line.loading("a.yaml");
        drop(line);
        assert_eq!(*text.lock().unwrap(), b"");
    }

    #[test]
    fn a_line_fits_into_a_terminal() {
        assert_eq!(Task::Loading("x".repeat(200)).line().chars().count(), WIDTH);
        assert_eq!(Task::Comparing(Progress::default()).line(), "comparing");
    }
}
