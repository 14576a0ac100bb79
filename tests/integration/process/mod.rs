//! A real `truehook` process with a database of its own; a client and receivers to go with it, over real sockets.

pub(crate) mod client;
pub(crate) mod clock;
pub(crate) mod database;
pub(crate) mod receiver;
pub(crate) mod seed;

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use self::client::Client;
use self::seed::Seeded;

/// How long a process may take to start or stop on a busy machine, and whatever else is sure to come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// Logs what should not be, and what says where the server listens.
pub(crate) const QUIET: [&str; 2] = ["--log", "warn,truehook::cli=info"];

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
        Self::start_at(folder, "127.0.0.1:0", arguments)
    }

    /// Starts `truehook serve` at this address in this folder.
    pub(crate) fn start_at(folder: &Path, listen: &str, arguments: &[&str]) -> Self {
        let mut server = Self::spawn(folder, listen, arguments);
        server.url = server.wait_for_url();
        server
    }

    /// Starts `truehook serve` on a free port where `ulimit` has these arguments.
    pub(crate) fn start_limited(folder: &Path, ulimit: &str, arguments: &[&str]) -> Self {
        Self::start_after(folder, &format!("ulimit {ulimit}"), arguments)
    }

    /// Starts `truehook serve` on a free port after this command of the shell.
    pub(crate) fn start_after(folder: &Path, first: &str, arguments: &[&str]) -> Self {
        let program = truehook(folder);
        let mut command = Command::new("sh");
        command
            .args(["-c", &format!("{first}; exec \"$0\" \"$@\"")])
            .arg(program.get_program())
            .current_dir(folder)
            .stdin(Stdio::null());
        for (name, _) in program.get_envs() {
            command.env_remove(name);
        }
        let mut server = Self::spawn_as(command, folder, "127.0.0.1:0", arguments);
        server.url = server.wait_for_url();
        server
    }

    /// Starts `truehook serve` and does not wait until it listens.
    pub(crate) fn spawn(folder: &Path, listen: &str, arguments: &[&str]) -> Self {
        Self::spawn_as(truehook(folder), folder, listen, arguments)
    }

    /// As [`Self::spawn`], by a command that the arguments of the program are added to.
    pub(crate) fn spawn_as(
        mut program: Command,
        folder: &Path,
        listen: &str,
        arguments: &[&str],
    ) -> Self {
        let mut child = program
            .args(["serve", "--listen", listen, "--log-format", "json"])
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
        Self {
            url: format!("http://{listen}"),
            child,
            lines,
            folder: folder.to_owned(),
            _owned: None,
        }
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

    /// A client of the operator API.
    pub(crate) fn operator(&self) -> Client {
        Client::new(&self.url, &[("Authorization", "Bearer sandbox-operator")])
    }

    /// A client of the Equals Money API.
    pub(crate) fn equals(&self) -> Client {
        Client::new(&self.url, &[("Authorization", "ApiKey sandbox-key")])
    }

    /// A client of the Conduit API.
    pub(crate) fn conduit(&self) -> Client {
        Client::new(
            &self.url,
            &[
                ("X-API-Key", "sandbox-key"),
                ("X-API-Secret", "sandbox-secret"),
            ],
        )
    }

    /// The memory that the process holds, in bytes (proc(5), `statm` in the unit of `status`).
    pub(crate) fn resident(&self) -> u64 {
        let path = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(path).expect("the process is there");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
        let kibibytes: u64 = kibibytes
            .and_then(|number| number.trim().parse().ok())
            .expect("VmRSS is a number of kB");
        kibibytes * 1024
    }

    /// How many sockets the process has open.
    pub(crate) fn sockets(&self) -> usize {
        let path = format!("/proc/{}/fd", self.child.id());
        let files = std::fs::read_dir(path).expect("the process is there");
        let is_socket = |file: &std::fs::DirEntry| {
            // It may be closed by now.
            std::fs::read_link(file.path())
                .is_ok_and(|link| link.to_string_lossy().starts_with("socket:"))
        };
        files.flatten().filter(is_socket).count()
    }

    /// How the process ended, if it did so already.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("the process can be asked for")
    }

    /// The log lines that nobody has asked for yet.
    pub(crate) fn log(&self) -> Vec<String> {
        self.lines.try_iter().collect()
    }

    /// Sends a signal by its name: TERM, STOP, CONT.
    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .args([&format!("-{name}"), &self.child.id().to_string()])
            .status()
            .expect("kill runs");
        assert!(status.success(), "the server was gone already");
    }

    /// Sends SIGKILL and waits for the end; gives the log lines since the start.
    pub(crate) fn kill(mut self) -> Vec<String> {
        self.child.kill().expect("the server is there");
        self.child.wait().expect("the server ends");
        self.lines.iter().collect()
    }

    /// Waits for a line of the log that has this text; takes the lines up to it.
    #[track_caller]
    pub(crate) fn wait_for_log(&self, text: &str) {
        let mut seen = Vec::new();
        let until = Instant::now() + PATIENCE;
        let left = || until.saturating_duration_since(Instant::now());
        while let Ok(line) = self.lines.recv_timeout(left()) {
            if line.contains(text) {
                return;
            }
            seen.push(line);
        }
        panic!("no line of the log has {text:?}: {seen:#?}");
    }

    /// Sends SIGTERM and waits for the end; gives the status and the log lines since the start.
    pub(crate) fn stop(self) -> (ExitStatus, Vec<String>) {
        self.signal("TERM");
        self.wait()
    }

    /// Waits for the end of a server that was told to stop; gives the status and the log lines since the start.
    pub(crate) fn wait(mut self) -> (ExitStatus, Vec<String>) {
        let status = self.child.wait().expect("the server ends");
        (status, self.lines.iter().collect())
    }
}

/// An address on loopback that nobody listens on, below the ports that the system hands out: a client that tries to connect while the
/// server is down could otherwise be given the server's port, and reach itself.
pub(crate) fn fixed_address(random: &mut Seeded) -> String {
    for _ in 0..1_000 {
        let address = format!("127.0.0.1:{}", 20_000 + random.below(12_000));
        if TcpListener::bind(&address).is_ok() {
            return address;
        }
    }
    panic!("no port is free");
}

/// Waits until something is so. It asks again and again, because what another process does can only be asked for.
#[track_caller]
pub(crate) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "still not so: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
