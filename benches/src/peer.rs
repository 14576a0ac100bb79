//! A peer: another webhook server, measured beside ours. A script in `benches/peers/` starts it with the services that it needs.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::str::FromStr;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use serde_json::Value;

use crate::processes;

/// The peers that there is a script for.
const KNOWN: [&str; 1] = ["svix"];

/// The processes of a peer, as its script names them.
const PROCESSES: [&str; 3] = ["server", "PostgreSQL", "Redis"];

/// How long a peer that an error came from may take to be seen to have ended.
const ENDING: Duration = Duration::from_secs(1);

/// A peer's program, as `--beside` names it.
#[derive(Debug, Clone)]
pub(crate) struct PeerProgram {
    /// Its name in the table.
    pub(crate) name: &'static str,
    path: PathBuf,
}

impl FromStr for PeerProgram {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let (name, path) = text
            .split_once('=')
            .context("write NAME=PATH, such as svix=/usr/local/bin/svix-server")?;
        let Some(name) = KNOWN.into_iter().find(|known| *known == name) else {
            bail!(
                "unknown peer `{name}`; did you mean `{}`?",
                KNOWN.join("` or `")
            );
        };
        let path = PathBuf::from(path);
        ensure!(path.is_file(), "there is no file `{}`", path.display());
        Ok(Self { name, path })
    }
}

/// A running peer. Ended, and its data deleted, when it is dropped.
pub(crate) struct Peer {
    address: SocketAddr,
    token: String,
    processes: [u32; PROCESSES.len()],
    guard: Child,
    /// What its script says on standard error.
    complaints: File,
}

impl Peer {
    /// Starts one on new databases below a folder, and waits until it is ready.
    ///
    /// # Errors
    /// When it does not get ready; with what its script says, which is the last lines of its log.
    pub(crate) fn start(program: &PeerProgram, folder: &Path) -> anyhow::Result<Self> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers");
        let mut complaints = tempfile::tempfile()?;
        let mut guard = Command::new(script.join(program.name))
            .arg("--folder")
            .args([folder, &program.path])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(complaints.try_clone()?)
            .spawn()
            .context("cannot start the peer's script")?;
        let mut line = String::new();
        let output = guard.stdout.take().context("it is piped")?;
        BufReader::new(output).read_line(&mut line)?;
        if line.is_empty() {
            guard.wait()?;
            bail!(
                "{} does not start: {}",
                program.name,
                text(&mut complaints)?
            );
        }
        Self::described(&line, guard, complaints).context(
            "the script of the peer printed something other than the expected line of JSON",
        )
    }

    /// From what the script says of it.
    fn described(line: &str, guard: Child, complaints: File) -> anyhow::Result<Self> {
        let said: Value = serde_json::from_str(line)?;
        let member = |name: &str| said[name].as_str().with_context(|| format!("no {name}"));
        let address = member("url")?.strip_prefix("http://");
        let mut processes = [0; PROCESSES.len()];
        for (process, name) in processes.iter_mut().zip(PROCESSES) {
            let id = said["processes"][name].as_u64();
            *process = u32::try_from(id.with_context(|| format!("no process {name}"))?)?;
        }
        Ok(Self {
            address: address.context("not an HTTP URL")?.parse()?,
            token: member("token")?.to_owned(),
            processes,
            guard,
            complaints,
        })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The token for its API.
    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    /// The processor time of each of its processes, with those that it started.
    ///
    /// # Errors
    /// When one of them has ended.
    pub(crate) fn processor_times(&self) -> anyhow::Result<[(&'static str, Duration); 3]> {
        let mut times = PROCESSES.map(|name| (name, Duration::ZERO));
        for ((name, time), process) in times.iter_mut().zip(self.processes) {
            let used = processes::processor_time(process);
            *time = used.with_context(|| format!("the peer's process {name} has ended"))?;
        }
        Ok(times)
    }

    /// Ends it after an error, and adds the last lines of its log where it had ended before.
    pub(crate) fn explain(&mut self, error: anyhow::Error) -> anyhow::Error {
        // A process that is just ending closes its connections before its script hears of its end.
        let started = Instant::now();
        while matches!(self.guard.try_wait(), Ok(None)) && started.elapsed() < ENDING {
            thread::sleep(Duration::from_millis(10));
        }
        self.end();
        match text(&mut self.complaints) {
            Ok(complaint) if !complaint.is_empty() => error.context(complaint),
            _ => error,
        }
    }

    fn end(&mut self) {
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.end();
    }
}

fn text(file: &mut File) -> anyhow::Result<String> {
    let mut text = String::new();
    file.rewind()?;
    file.read_to_string(&mut text)?;
    Ok(text.trim().to_owned())
}

#[cfg(test)]
mod tests;
