//! Nodes behind a `PgBouncer`: of sessions, of transactions, and one that is too old.

use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use super::{FIRST_KEY, TRANSACTION, delivered};
use crate::process::database::Database;
use crate::process::receiver::{self, Receiver};
use crate::process::seed::{self, Seeded};
use crate::process::{Server, fixed_address, run, wait_until};

/// How many events are published to measure how long they wait.
const EVENTS: usize = 5;

/// A `PgBouncer` in front of a database; ended when it is dropped.
struct Pool {
    child: Child,
    url: String,
}

/// The program of the distribution, and one that keeps prepared statements.
#[derive(Clone, Copy)]
enum Program {
    OfDistribution,
    Newer,
}

impl Program {
    fn path(self) -> PathBuf {
        let path = match self {
            Self::OfDistribution => PathBuf::from("/usr/sbin/pgbouncer"),
            Self::Newer => {
                let binary = Path::new(env!("CARGO_BIN_EXE_truehook"));
                let target = binary.ancestors().nth(2).expect("the target folder");
                target.join("pgbouncer/pgbouncer")
            }
        };
        let is_there = path.exists();
        assert!(is_there, "{path:?} is missing: scripts/test setup");
        path
    }

    /// Whether a pool of transactions prepares statements anew on the connection that it gives.
    fn keeps_statements(self) -> bool {
        let output = Command::new(self.path()).arg("--version").output();
        let version = String::from_utf8(output.expect("it starts").stdout).expect("UTF-8");
        let minor = version.split('.').nth(1);
        let minor: u32 = minor
            .and_then(|minor| minor.parse().ok())
            .expect("a version");
        minor >= 21
    }
}

impl Pool {
    /// Starts one that lends connections for this long: `session` or `transaction`.
    fn start(program: Program, database: &Database, folder: &Path, mode: &str) -> Self {
        let address = fixed_address(&mut Seeded::new(seed::fresh()));
        let (_, port) = address.rsplit_once(':').expect("a port");
        let (_, server) = database.url.rsplit_once(':').expect("a port");
        let (server, _) = server.split_once('/').expect("a name");
        let statements = if program.keeps_statements() {
            "max_prepared_statements = 200\n"
        } else {
            ""
        };
        // Fewer connections to the server than two nodes have to the pool.
        let settings = format!(
            "[databases]\ntruehook = host=127.0.0.1 port={server} user=truehook\n[pgbouncer]\nlisten_addr = 127.0.0.1\n\
             listen_port = {port}\nunix_socket_dir =\nauth_type = any\npool_mode = {mode}\ndefault_pool_size = 8\n{statements}"
        );
        let file = folder.join(format!("{mode}.ini"));
        fs::write(&file, settings).expect("a file");
        let mut command = Command::new(program.path());
        // It refuses to go on as root.
        if rustix::process::geteuid().is_root() {
            command.args(["--user", "postgres"]);
        }
        let child = command.arg("--quiet").arg(file).spawn().expect("it starts");
        wait_until("the pool listens", || TcpStream::connect(&address).is_ok());
        Self {
            child,
            url: format!("postgres://truehook@{address}/truehook"),
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_pool_that_forgets_prepared_statements_is_refused_and_one_of_sessions_is_used() {
    let program = Program::OfDistribution;
    let database = Database::start();
    let folder = tempfile::tempdir().expect("a folder");
    let sessions = Pool::start(program, &database, folder.path(), "session");
    let arguments = ["--database", &sessions.url, "--encryption-key", FIRST_KEY];
    let server = Server::start_in(folder.path(), &arguments);
    let receiver = Receiver::start(|_, stream| receiver::accept(stream));
    server.conduit().register(&receiver.url, &[TRANSACTION]);
    delivered(&mut server.operator(), 1);
    let transactions = Pool::start(program, &database, folder.path(), "transaction");
    let arguments = [
        "keys",
        "list",
        "--encryption-key",
        FIRST_KEY,
        "--database",
        &transactions.url,
    ];
    let listed = run(folder.path(), &arguments);
    let said = String::from_utf8(listed.stderr).expect("UTF-8");
    if program.keeps_statements() {
        assert!(listed.status.success(), "{said}");
    } else {
        assert_eq!(listed.status.code(), Some(1), "{said}");
        assert!(said.contains("forgets prepared statements"), "{said}");
    }
}

/// How long deliveries wait at a node that only attempts them, for what is published on another, in seconds on average; both nodes are
/// behind a pool of transactions.
fn average_wait(pool: &Pool, listen: Option<&str>) -> f64 {
    let folder = tempfile::tempdir().expect("a folder");
    let node = |role: &str| {
        let mut arguments = vec![role, "--database", &pool.url];
        arguments.extend(["--encryption-key", FIRST_KEY]);
        if let Some(listen) = listen {
            arguments.extend(["--database-listen", listen]);
        }
        Server::start_in(folder.path(), &arguments)
    };
    let (api, worker) = (node("--api"), node("--worker"));
    let receiver = Receiver::start(|_, stream| receiver::accept(stream));
    let webhook = api.conduit().register(&receiver.url, &[TRANSACTION]);
    let mut operator = api.operator();
    // The first one also waits until the nodes listen.
    delivered(&mut operator, 0);
    let waited = || {
        worker
            .operator()
            .metric("truehook_attempt_queue_seconds_sum")
    };
    let before = waited();
    for number in 1..=EVENTS {
        delivered(&mut operator, number);
    }
    let waited = waited() - before;
    let path = format!("/conduit/webhooks/{webhook}");
    let answer = api.conduit().send("DELETE", &path, &[], "");
    assert!(answer.expect("an answer").status < 300);
    for node in [api, worker] {
        let (status, log) = node.stop();
        assert!(status.success(), "{log:#?}");
    }
    waited / f64::from(u32::try_from(EVENTS).expect("few"))
}

#[test]
fn nodes_behind_a_pool_of_transactions_wake_each_other_over_a_connection_of_their_own() {
    let program = Program::Newer;
    assert!(program.keeps_statements(), "it is older than 1.21");
    let database = Database::start();
    let folder = tempfile::tempdir().expect("a folder");
    let pool = Pool::start(program, &database, folder.path(), "transaction");
    // Each delivery that nobody tells of waits for the rest of a second.
    let found = average_wait(&pool, None);
    let told = average_wait(&pool, Some(&database.url));
    assert!(
        told < found / 2.0,
        "{told} s when nodes wake each other, {found} s when they look by themselves"
    );
}
