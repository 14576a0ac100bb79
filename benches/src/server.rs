//! The server under test: the real program as a child process, with a database of its own.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use tempfile::TempDir;

use crate::connection::Connection;
use crate::message;

/// The credentials that sandbox mode knows.
pub(crate) const CONDUIT: &str = "x-api-key: sandbox-key\r\nx-api-secret: sandbox-secret\r\n";
const EQUALS_MONEY: &str = "authorization: ApiKey sandbox-key\r\n";
pub(crate) const OPERATOR: &str = "authorization: Bearer sandbox-operator\r\n";
pub(crate) const JSON: &str = "content-type: application/json\r\n";

/// How long a start may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running server. Killed, and its data deleted, when it is dropped.
pub(crate) struct Server {
    child: Child,
    address: SocketAddr,
    start: Duration,
    /// The file; none where the database is on a server.
    database: Option<PathBuf>,
    _folder: Option<TempDir>,
}

/// How much memory a process has, in bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Memory {
    /// Resident now.
    pub(crate) resident: u64,
    /// The most that was ever resident.
    pub(crate) peak: u64,
}

impl Server {
    /// Starts the program on a new database and waits until it is ready.
    ///
    /// # Errors
    /// When it does not get ready.
    pub(crate) fn start(program: &Path, folder: &Path) -> anyhow::Result<Self> {
        Self::start_with(program, folder, &[])
    }

    /// As [`Self::start`], with these options beside the database.
    ///
    /// # Errors
    /// As there.
    pub(crate) fn start_with(
        program: &Path,
        folder: &Path,
        options: &[&str],
    ) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir_in(folder)?;
        let mut server = Self::start_on_file(program, folder.path(), options)?;
        server._folder = Some(folder);
        Ok(server)
    }

    /// Starts the program in a folder that stays, and that may have a database.
    ///
    /// # Errors
    /// When it does not get ready.
    pub(crate) fn start_in(program: &Path, folder: &Path) -> anyhow::Result<Self> {
        Self::start_on_file(program, folder, &[])
    }

    fn start_on_file(program: &Path, folder: &Path, options: &[&str]) -> anyhow::Result<Self> {
        let file = folder.join("truehook.db");
        let url = format!("sqlite://{}", file.display());
        let mut arguments = vec!["--database", &url];
        arguments.extend(options);
        let mut server = Self::spawn(program, folder, &arguments)?;
        server.database = Some(file);
        Ok(server)
    }

    /// Starts the program as a node on this PostgreSQL database, with these options beside it.
    ///
    /// # Errors
    /// When it does not get ready.
    pub(crate) fn start_node(
        program: &Path,
        folder: &Path,
        database: &str,
        options: &[&str],
    ) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir_in(folder)?;
        let mut arguments = vec!["--database", database];
        arguments.extend(options);
        let mut server = Self::spawn(program, folder.path(), &arguments)?;
        server._folder = Some(folder);
        Ok(server)
    }

    fn spawn(program: &Path, folder: &Path, arguments: &[&str]) -> anyhow::Result<Self> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let log = fs::File::create(folder.join("log"))?;
        let mut command = Command::new(program);
        command
            .args(["serve", "--listen", &address.to_string()])
            .args(arguments)
            .env("TRUEHOOK_ENCRYPTION_KEY", "01".repeat(32))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        let begin = Instant::now();
        let child = command
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let mut server = Self {
            child,
            address,
            start: Duration::ZERO,
            database: None,
            _folder: None,
        };
        while !ready(address) {
            if let Some(status) = server.child.try_wait()? {
                let log = fs::read_to_string(folder.join("log")).unwrap_or_default();
                bail!("the server ended with {status}: {}", log.trim());
            }
            if begin.elapsed() > PATIENCE {
                bail!("the server was not ready after {PATIENCE:?}");
            }
            thread::sleep(Duration::from_micros(200));
        }
        server.start = begin.elapsed();
        Ok(server)
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// How long it took from the start of the process to the first answer that it is ready.
    pub(crate) fn start_time(&self) -> Duration {
        self.start
    }

    /// Its memory.
    ///
    /// # Errors
    /// When `/proc` does not tell.
    pub(crate) fn memory(&self) -> anyhow::Result<Memory> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let kibibytes = |name: &str| -> anyhow::Result<u64> {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let number = line.and_then(|rest| rest.split_whitespace().next());
            Ok(number.context("no such line")?.parse::<u64>()? * 1024)
        };
        Ok(Memory {
            resident: kibibytes("VmRSS:")?,
            peak: kibibytes("VmHWM:")?,
        })
    }

    /// The processor time of its threads.
    ///
    /// # Errors
    /// When `/proc` does not tell.
    pub(crate) fn processor_time(&self) -> anyhow::Result<Duration> {
        let mut total = 0;
        for task in fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            // A thread may end meanwhile.
            let text = fs::read_to_string(task?.path().join("schedstat")).unwrap_or_default();
            let on_processor = text.split_whitespace().next().unwrap_or("0");
            total += on_processor.parse::<u64>()?;
        }
        Ok(Duration::from_nanos(total))
    }

    /// How many bytes of its database are in use, without what is free in the file.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(crate) fn stored(&self) -> anyhow::Result<u64> {
        let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
        let file = self.database.as_ref().context("the database has no file")?;
        let database = rusqlite::Connection::open_with_flags(file, flags)?;
        let pragma = |name| database.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        let pages = pragma("page_count")? - pragma("freelist_count")?;
        Ok((pages * pragma("page_size")?).unsigned_abs())
    }

    /// Registers an Equals Money webhook for the event that the load publishes.
    ///
    /// # Errors
    /// When the server refuses it.
    pub(crate) async fn register(
        &self,
        connection: &mut Connection,
        account: &str,
        url: &str,
    ) -> anyhow::Result<()> {
        let body = format!(
            r#"{{"enabled":true,"accountId":"{account}","webhookEventTypeName":"BoxCredited","url":"{url}","sharedSecret":"123e4567-e89b-12d3-a456-426614174100"}}"#
        );
        let headers = format!("{EQUALS_MONEY}{JSON}");
        let request = message::request("POST", "/equals-money/v2/webhooks", &headers, &body);
        let answer = connection.exchange(&request).await?;
        if answer.status != 201 {
            bail!(
                "a webhook was answered {}: {}",
                answer.status,
                String::from_utf8_lossy(answer.body)
            );
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The server's work is measured, and its data goes away: nothing is lost by killing it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether the server says that it is ready.
fn ready(address: SocketAddr) -> bool {
    let Ok(mut stream) = TcpStream::connect(address) else {
        return false;
    };
    let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
    let mut answer = [0; 12];
    stream
        .write_all(&message::request("GET", "/health/ready", "", ""))
        .is_ok()
        && stream.read_exact(&mut answer).is_ok()
        && message::status(&answer) == Some(200)
}
