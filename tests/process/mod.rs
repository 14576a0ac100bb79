//! A real `truehook` process with a database of its own.

#![expect(dead_code, reason = "each test binary uses a part of it")]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use tempfile::TempDir;

/// How long a process may take to start or stop on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// A running server; killed when it is dropped.
pub(crate) struct Server {
    /// `http://127.0.0.1:PORT`.
    pub(crate) url: String,
    child: Child,
    lines: mpsc::Receiver<String>,
    folder: PathBuf,
    _owned: Option<TempDir>,
}

/// The program, with nothing of the caller's environment that configures it.
pub(crate) fn truehook(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_truehook"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("TRUEHOOK_")) {
        command.env_remove(name);
    }
    command.current_dir(folder).stdin(Stdio::null());
    command
}

/// Runs the program to its end.
pub(crate) fn run(folder: &Path, arguments: &[&str]) -> Output {
    truehook(folder)
        .args(arguments)
        .output()
        .expect("the program starts")
}

impl Server {
    /// Starts `truehook serve` on a free port in a folder of its own.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut server = Self::start_in(folder.path(), arguments);
        server._owned = Some(folder);
        server
    }

    /// Starts `truehook serve` on a free port in this folder.
    pub(crate) fn start_in(folder: &Path, arguments: &[&str]) -> Self {
        let mut child = truehook(folder)
            .args(["serve", "--listen", "127.0.0.1:0", "--log-format", "json"])
            .args(arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let stderr = child.stderr.take().expect("standard error is piped");
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        let mut server = Self {
            url: String::new(),
            child,
            lines,
            folder: folder.to_owned(),
            _owned: None,
        };
        server.url = server.wait_for_url();
        server
    }

    fn wait_for_url(&self) -> String {
        let mut seen = Vec::new();
        while let Ok(line) = self.lines.recv_timeout(PATIENCE) {
            if let Some((_, rest)) = line.split_once("listening on ") {
                let end = rest.find(',').unwrap_or(rest.len());
                return rest[..end].to_owned();
            }
            seen.push(line);
        }
        panic!("the server did not start: {seen:?}");
    }

    /// Its folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends SIGTERM and waits for the end; gives the status and the log lines since the start.
    pub(crate) fn stop(mut self) -> (ExitStatus, Vec<String>) {
        let pid = self.child.id().to_string();
        let status = Command::new("kill")
            .args(["-TERM", &pid])
            .status()
            .expect("kill runs");
        assert!(status.success(), "the server was gone already");
        let status = self.child.wait().expect("the server ends");
        (status, self.lines.iter().collect())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
