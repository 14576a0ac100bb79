//! A PostgreSQL server for the tests of this process, which ends with it; each test has a schema of its own.

use std::io::Read;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::runtime::Runtime;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Error, NoTls};

/// The server of this process.
static CLUSTER: LazyLock<Cluster> = LazyLock::new(Cluster::start);

static SCHEMAS: AtomicU64 = AtomicU64::new(0);

/// A running server.
pub(crate) struct Cluster {
    port: u16,
    /// Ends the server when this process ends: it reads until then.
    _guard: Child,
}

/// Starts the server, and ends it and removes its folder when the standard input ends. Anybody may have made the folder.
const SCRIPT: &str = r#"
set -eu
"$1/initdb" --pgdata="$2/data" --auth=trust --username=postgres --encoding=UTF8 --locale=C --no-sync >/dev/null
"$1/postgres" -D "$2/data" -p "$3" -k "$2" -c listen_addresses=127.0.0.1 -c fsync=off -c max_connections=400 -c log_min_messages=fatal >"$2/log" 2>&1 &
pid=$!
trap 'kill -INT $pid 2>/dev/null; wait $pid 2>/dev/null; rm -rf "$2"' EXIT
while ! "$1/pg_isready" -q -h 127.0.0.1 -p "$3"; do kill -0 $pid; sleep 0.05; done
echo ready
cat >/dev/null
"#;

impl Cluster {
    fn start() -> Self {
        let bin = programs();
        let folder = tempfile::Builder::new().prefix("truehook-pg-").tempdir();
        let folder = folder.unwrap().keep();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr();
        let port = port.unwrap().port();
        // The server refuses to run as root.
        let mut command = if rustix::process::geteuid().is_root() {
            let owned = Command::new("chown").arg("postgres").arg(&folder).status();
            assert!(owned.unwrap().success());
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--", "sh"]);
            command
        } else {
            Command::new("sh")
        };
        let mut guard = command
            .args(["-c", SCRIPT, "sh"])
            .arg(bin)
            .arg(&folder)
            .arg(port.to_string())
            .current_dir(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut ready = [0; 6];
        let read = guard.stdout.as_mut().unwrap().read_exact(&mut ready);
        let log = || std::fs::read_to_string(folder.join("log")).unwrap_or_default();
        assert!(read.is_ok(), "PostgreSQL does not start: {}", log());
        Self {
            port,
            _guard: guard,
        }
    }
}

/// Where the programs of the server are: on the path, or where distributions have them.
fn programs() -> PathBuf {
    // A link on the path leads to where all programs are.
    let of = |folder: PathBuf| {
        let program = folder.join("initdb").canonicalize().ok()?;
        let folder = program.parent()?.to_owned();
        folder.join("pg_isready").exists().then_some(folder)
    };
    let path = std::env::var_os("PATH").unwrap();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).filter_map(of).collect();
    if let Ok(versions) = Path::new("/usr/lib/postgresql").read_dir() {
        let bin = versions.map(|version| version.unwrap().path().join("bin"));
        folders.extend(bin.filter_map(of));
    }
    folders.sort();
    let newest = folders.pop();
    newest.expect(
        "the tests need PostgreSQL: scripts/test setup installs it, or apt-get install postgresql",
    )
}

/// The URL of a schema that no other test has, and of a role that may do nothing but what it needs there.
pub(crate) fn new_schema() -> String {
    let name = format!("t{}", SCHEMAS.fetch_add(1, Ordering::Relaxed));
    let sql = format!("CREATE ROLE {name} LOGIN; CREATE SCHEMA {name} AUTHORIZATION {name}");
    Session::open(&url("postgres")).run(&sql);
    url(&name)
}

/// The URL of the database for a role.
fn url(role: &str) -> String {
    format!("postgres://{role}@127.0.0.1:{}/postgres", CLUSTER.port)
}

/// The role of a URL, which is also the name of its schema.
fn role(url: &str) -> &str {
    let rest = url.strip_prefix("postgres://").unwrap();
    rest.split_once('@').unwrap().0
}

/// Keeps the role of this URL from its database, and ends its connections.
pub(crate) fn take_away(url_of_role: &str) {
    let role = role(url_of_role);
    Session::open(&url("postgres")).run(&format!(
        "ALTER ROLE {role} NOLOGIN; SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{role}'"
    ));
}

/// Undoes [`take_away`].
pub(crate) fn give_back(url_of_role: &str) {
    let role = role(url_of_role);
    Session::open(&url("postgres")).run(&format!("ALTER ROLE {role} LOGIN"));
}

/// Takes all tables of this URL's schema away. A server that uses them meanwhile locks them in an order of its own, so that the database may
/// end one of the two as a deadlock: then again.
pub(crate) fn damage(url_of_role: &str) {
    let session = Session::open(url_of_role);
    let sql = format!("DROP SCHEMA {} CASCADE", role(url_of_role));
    loop {
        match session.try_run(&sql) {
            Err(error) if error.code() == Some(&SqlState::T_R_DEADLOCK_DETECTED) => {}
            ended => return ended.unwrap(),
        }
    }
}

/// A connection that can be used where nothing may wait. Work that it has begun is undone when it is dropped.
pub(crate) struct Session {
    runtime: Option<Runtime>,
    client: Client,
}

impl Session {
    pub(crate) fn open(url: &str) -> Self {
        let runtime = super::threads(1).unwrap();
        let client = on_its_own(|| runtime.block_on(connect(url)));
        Self {
            runtime: Some(runtime),
            client,
        }
    }

    /// Runs statements.
    pub(crate) fn run(&self, sql: &str) {
        self.try_run(sql).unwrap();
    }

    fn try_run(&self, sql: &str) -> Result<(), Error> {
        let runtime = self.runtime.as_ref().unwrap();
        on_its_own(|| runtime.block_on(self.client.batch_execute(sql)))
    }

    /// The first column of the first row.
    pub(crate) fn number(&self, sql: &str) -> i64 {
        let runtime = self.runtime.as_ref().unwrap();
        let row = on_its_own(|| runtime.block_on(self.client.query_one(sql, &[])));
        row.unwrap().get(0)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.runtime.take().unwrap().shutdown_background();
    }
}

/// Runs something on a thread of its own.
fn on_its_own<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| scope.spawn(work).join().unwrap())
}

/// A connection beside those of a store, to bring about what no verb does. It lives on the runtime of the caller.
pub(crate) async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}
