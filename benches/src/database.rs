//! A PostgreSQL server for one measure, as the distribution has it: with its defaults, on the disk that is measured.

use std::fs;
use std::io::Read;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};
use tempfile::TempDir;
use tokio_postgres::{Client, NoTls};

use crate::processes;

/// Starts the server, and ends it when the standard input ends.
const SCRIPT: &str = r#"
set -eu
"$1/initdb" --pgdata="$2/data" --auth=trust --username=truehook --encoding=UTF8 --locale=C >/dev/null
"$1/postgres" -D "$2/data" -p "$3" -k "$2" -c listen_addresses=127.0.0.1 -c max_connections=200 >"$2/log" 2>&1 &
pid=$!
trap 'kill -QUIT $pid 2>/dev/null; wait $pid 2>/dev/null; rm -rf "$2/data"' EXIT
while ! "$1/pg_isready" -q -h 127.0.0.1 -p "$3"; do kill -0 $pid; sleep 0.05; done
echo ready
cat >/dev/null
"#;

/// A running server. Ended, and its data deleted, when it is dropped.
pub(crate) struct Database {
    port: u16,
    guard: Child,
    _folder: TempDir,
}

impl Database {
    /// Starts one below a folder.
    ///
    /// # Errors
    /// When PostgreSQL is not there or does not start.
    pub(crate) fn start(folder: &Path) -> anyhow::Result<Self> {
        let bin = programs()?;
        let folder = tempfile::tempdir_in(folder)?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        // The server refuses to run as root.
        let is_root = user_number()? == 0;
        let mut command = if is_root {
            let owned = Command::new("chown")
                .arg("postgres")
                .arg(folder.path())
                .status()?;
            if !owned.success() {
                bail!("there is no user postgres to run the server as");
            }
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--", "sh"]);
            command
        } else {
            Command::new("sh")
        };
        let mut guard = command
            .args(["-c", SCRIPT, "sh"])
            .arg(bin)
            .arg(folder.path())
            .arg(port.to_string())
            .current_dir(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut ready = [0; 6];
        let output = guard.stdout.as_mut().context("it is piped")?;
        if output.read_exact(&mut ready).is_err() {
            let log = fs::read_to_string(folder.path().join("log")).unwrap_or_default();
            bail!("PostgreSQL does not start: {}", log.trim());
        }
        Ok(Self {
            port,
            guard,
            _folder: folder,
        })
    }

    /// A connection to the database of this name.
    ///
    /// # Errors
    /// When the server does not answer.
    pub(crate) async fn connect(&self, name: &str) -> anyhow::Result<Client> {
        let (client, connection) = tokio_postgres::connect(&self.url(name), NoTls).await?;
        tokio::spawn(connection);
        Ok(client)
    }

    /// Makes a database of this name.
    ///
    /// # Errors
    /// When there is one.
    pub(crate) async fn create(&self, name: &str) -> anyhow::Result<()> {
        let client = self.connect("postgres").await?;
        client
            .batch_execute(&format!("CREATE DATABASE {name}"))
            .await?;
        Ok(())
    }

    /// The processor time of all its processes.
    ///
    /// # Errors
    /// When it has ended.
    pub(crate) fn processor_time(&self) -> anyhow::Result<Duration> {
        processes::processor_time(self.guard.id()).context("PostgreSQL has ended")
    }

    /// The URL of the database of this name.
    pub(crate) fn url(&self, name: &str) -> String {
        format!("postgres://truehook@127.0.0.1:{}/{name}", self.port)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
    }
}

/// The number of the user that runs this.
fn user_number() -> anyhow::Result<u32> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("Uid:"));
    let number = line.and_then(|rest| rest.split_whitespace().next());
    Ok(number.context("no such line")?.parse()?)
}

/// Where the programs of the newest server are.
fn programs() -> anyhow::Result<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql")
        .context("PostgreSQL is not installed: apt-get install postgresql")?;
    let mut folders: Vec<PathBuf> = versions
        .filter_map(|version| Some(version.ok()?.path().join("bin")))
        .filter(|folder| folder.join("initdb").exists())
        .collect();
    folders.sort();
    folders
        .pop()
        .context("PostgreSQL is not installed: apt-get install postgresql")
}
