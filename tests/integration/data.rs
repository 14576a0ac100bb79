//! The data of a server on a bad day, and in the hands of an operator: a disk that is full, a file that is taken away, a backup.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::process::receiver::{self, Gate, Receiver};
use crate::process::{Server, run, truehook, wait_until};
use serde_json::Value;

const TRANSACTION: &str = "transaction.completed";

/// The status of the readiness probe.
fn readiness(server: &Server) -> u16 {
    let answer = server.operator().send("GET", "/health/ready", &[], "");
    answer.expect("an answer").status
}

/// The status of a publication.
fn published(server: &Server) -> u16 {
    let event = crate::process::client::transaction_event(1);
    let answer = server
        .operator()
        .send("POST", "/operator/v1/events", &[], &event);
    answer.expect("an answer").status
}

/// The statuses that the APIs of the providers give to a registration.
fn registered(server: &Server) -> [u16; 2] {
    let conduit =
        r#"{"url":"http://127.0.0.1:1/","status":"disabled","events":["customer.created"]}"#;
    let equals =
        r#"{"url":"http://127.0.0.1:1/","enabled":false,"webhookEventTypeName":"BoxCredited"}"#;
    let equals_money = crate::process::client::Client::new(
        &server.url,
        &[("Authorization", "ApiKey sandbox-key")],
    );
    [
        (server.conduit(), "/conduit/webhooks", conduit),
        (equals_money, "/equals-money/v2/webhooks", equals),
    ]
    .map(|(mut client, path, body)| {
        let answer = client.send("POST", path, &[], body);
        answer.expect("an answer").status
    })
}

/// Bounds the size of the files that a process may write, as a full disk does.
fn bound_files(server: &Server, limit: &str) {
    let status = Command::new("prlimit")
        .args(["--pid", &server.pid().to_string()])
        .arg(format!("--fsize={limit}:unlimited"))
        .status()
        .expect("prlimit runs");
    assert!(status.success());
}

#[test]
fn results_that_a_full_disk_refuses_are_kept_and_written_and_nothing_is_sent_twice() {
    results_are_kept_while(|server, _| {
        bound_files(server, "1");
        |server: &Server| bound_files(server, "unlimited")
    });
}

#[test]
fn a_server_is_not_ready_while_the_disk_has_room_for_a_probe_but_not_for_an_event() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start_after(folder.path(), "trap '' XFSZ", &[]);
    assert_eq!((published(&server), readiness(&server)), (202, 200));
    let log = folder.path().join("truehook.db-wal");
    let length = log.metadata().expect("a log").len();
    bound_files(&server, &(length + (32 << 10)).to_string());
    assert_eq!(published(&server), 202, "what is small fits");
    let large = crate::process::client::transaction_event(2).replace(
        "\"transaction\":{",
        &format!("\"transaction\":{{\"note\":\"{}\",", "x".repeat(100_000)),
    );
    let publish = || {
        let mut operator = server.operator();
        let answer = operator.send("POST", "/operator/v1/events", &[], &large);
        answer.expect("an answer").status
    };
    assert_eq!(publish(), 503);
    for _ in 0..3 {
        assert_eq!(readiness(&server), 503);
    }
    let lines = server.log();
    let mut reasons = lines.iter().filter(|line| line.contains("not ready"));
    assert!(
        reasons.any(|line| line.contains("disk")),
        "no line says why: {lines:?}"
    );
    bound_files(&server, "unlimited");
    assert_eq!((readiness(&server), publish()), (200, 202));
}

#[test]
fn results_that_a_foreign_lock_refuses_are_kept_and_written_and_nothing_is_sent_twice() {
    results_are_kept_while(|_, folder| {
        let foreign = rusqlite::Connection::open(folder.join("truehook.db")).expect("the file");
        let locked = foreign.execute_batch("BEGIN IMMEDIATE");
        locked.expect("nobody writes at this moment");
        move |_: &Server| drop(foreign)
    });
}

/// Lets receivers answer while the file cannot be written. `hinder` makes it so, and gives what undoes that.
fn results_are_kept_while<U: FnOnce(&Server)>(hinder: impl FnOnce(&Server, &Path) -> U) {
    const EVENTS: usize = 8;
    let folder = tempfile::tempdir().expect("a folder");
    let gate = Arc::new(Gate::default());
    let received = Arc::new(AtomicUsize::new(0));
    let (shut, counter) = (gate.clone(), received.clone());
    let receiver = Receiver::start(move |_, stream| {
        counter.fetch_add(1, Ordering::SeqCst);
        shut.pass();
        receiver::accept(stream)
    });
    // A signal would end the process where the limit is met.
    let server = Server::start_after(folder.path(), "trap '' XFSZ", &["--lease-seconds", "11"]);
    server.conduit().register(&receiver.url, &[TRANSACTION]);
    let mut operator = server.operator();
    let events: Vec<Value> = (0..EVENTS).map(|number| operator.publish(number)).collect();
    wait_until("every event is being attempted", || {
        received.load(Ordering::SeqCst) == EVENTS
    });
    assert_eq!(readiness(&server), 200);
    let undo = hinder(&server, folder.path());
    gate.open();
    wait_until("the server says that it is not ready", || {
        readiness(&server) == 503
    });
    assert_eq!(published(&server), 503);
    assert_eq!(registered(&server), [503, 503]);
    wait_until("results wait to be written", || {
        let lines = server.log();
        lines.iter().any(|line| line.contains("\"waiting\":8"))
    });
    assert!(operator.metric("truehook_results_unwritten") >= 8.0);
    // The leases run out.
    wait_until("every lease has ended", || {
        let now = time_of_day();
        let deliveries = operator.list("/operator/v1/deliveries");
        deliveries.iter().all(|delivery| {
            let end = delivery["nextAttemptAt"].as_str().expect("it is pending");
            end < now.as_str()
        })
    });
    undo(&server);
    wait_until("all are recorded", || {
        operator
            .list("/operator/v1/deliveries?state=delivered")
            .len()
            == EVENTS
    });
    wait_until("the server is ready", || readiness(&server) == 200);
    assert_eq!(received.load(Ordering::SeqCst), EVENTS, "sent twice");
    for event in &events {
        for delivery in operator.deliveries(event) {
            let attempts = delivery["attempts"].as_array().expect("attempts");
            assert_eq!(attempts.len(), 1, "{delivery}");
        }
    }
    assert_eq!(published(&server), 202);
    assert_eq!(registered(&server), [201, 201]);
}

/// The time as the API writes it.
fn time_of_day() -> String {
    let output = Command::new("date")
        .args(["--utc", "+%Y-%m-%dT%H:%M:%S.%3NZ"])
        .output()
        .expect("date runs");
    let text = String::from_utf8(output.stdout).expect("ASCII");
    text.trim().to_owned()
}

#[test]
fn nothing_is_accepted_into_a_database_that_was_taken_away() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start_in(folder.path(), &[]);
    let (file, other) = (
        folder.path().join("truehook.db"),
        folder.path().join("other.db"),
    );
    assert_eq!((published(&server), readiness(&server)), (202, 200));
    fs::hard_link(&file, &other).expect("a link");
    assert_eq!((published(&server), readiness(&server)), (503, 503));
    assert_eq!(registered(&server), [503, 503]);
    let second = run(
        folder.path(),
        &[
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--database",
            "sqlite://other.db",
            "--encryption-key-file",
            "truehook.db.key",
        ],
    );
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert_eq!(second.status.code(), Some(1), "{said}");
    assert!(said.contains("hard link"), "{said}");
    fs::remove_file(&file).expect("removed");
    assert_eq!((published(&server), readiness(&server)), (503, 503));
    fs::rename(&other, &file).expect("put back");
    assert_eq!((published(&server), readiness(&server)), (202, 200));
    fs::remove_file(&file).expect("removed");
    assert_eq!((published(&server), readiness(&server)), (503, 503));
    let (status, lines) = server.stop();
    assert!(status.success(), "{lines:#?}");
    assert!(
        lines.iter().any(|line| line.contains("deleted or renamed")),
        "{lines:#?}"
    );
}

#[test]
fn a_damaged_database_is_met_with_503_and_refused_at_the_next_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start_in(folder.path(), &[]);
    let mut operator = server.operator();
    for number in 0..500 {
        operator.publish(number);
    }
    server.stop();
    let server = Server::start_in(folder.path(), &[]);
    assert_eq!(readiness(&server), 200);
    let path = folder.path().join("truehook.db");
    let mut content = fs::read(&path).expect("the file");
    let half = content.len() / 2;
    content[half..].fill(0xa5);
    fs::write(&path, content).expect("the file");
    let listed = server
        .operator()
        .send("GET", "/operator/v1/events?limit=1000", &[], "");
    assert_eq!(listed.expect("an answer").status, 500);
    assert_eq!(readiness(&server), 503);
    server.kill();
    let again = run(folder.path(), &["serve", "--listen", "127.0.0.1:0"]);
    let said = String::from_utf8_lossy(&again.stderr).into_owned();
    assert!(
        again.status.code() == Some(1) && said.contains("is damaged") && said.contains("backup"),
        "{said}"
    );
}

#[test]
fn two_modes_never_share_a_database() {
    let folder = tempfile::tempdir().expect("a folder");
    let key = ["--encryption-key-file", "truehook.db.key"];
    let production = [
        &["serve", "--listen", "127.0.0.1:0", "--mode", "production"],
        &key[..],
    ]
    .concat();
    let server = Server::start_in(folder.path(), &[]);
    let beside = run(folder.path(), &production);
    let said = String::from_utf8_lossy(&beside.stderr).into_owned();
    assert!(
        beside.status.code() == Some(2) && said.contains("made in sandbox mode"),
        "{said}"
    );
    server.stop();
    let mut file = vec!["--mode", "production", "--database", "sqlite://real.db"];
    file.extend(key);
    server_of(folder.path(), &file).stop();
    let sandbox = run(
        folder.path(),
        &[&["serve", "--database", "sqlite://real.db"], &key[..]].concat(),
    );
    let said = String::from_utf8_lossy(&sandbox.stderr).into_owned();
    assert!(
        sandbox.status.code() == Some(2) && said.contains("--mode production"),
        "{said}"
    );
}

fn server_of(folder: &Path, arguments: &[&str]) -> Server {
    Server::start_in(folder, arguments)
}

#[test]
fn a_database_that_others_can_read_is_warned_about() {
    let folder = tempfile::tempdir().expect("a folder");
    let warned = || {
        let server = Server::spawn(folder.path(), "127.0.0.1:0", &[]);
        let mut lines = Vec::new();
        wait_until("it listens", || {
            lines.extend(server.log());
            lines.iter().any(|line| line.contains("listening on"))
        });
        server.stop();
        lines
            .iter()
            .any(|line| line.contains("WARN") && line.contains("restrict it with chmod 600"))
    };
    assert!(!warned());
    let database = folder.path().join("truehook.db");
    fs::set_permissions(&database, fs::Permissions::from_mode(0o644)).expect("access for others");
    assert!(warned());
    fs::set_permissions(&database, fs::Permissions::from_mode(0o600))
        .expect("access for its owner");
    assert!(!warned());
}

#[test]
fn a_backup_of_a_running_server_starts_as_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start_in(folder.path(), &[]);
    let mut operator = server.operator();
    for number in 0..20 {
        operator.publish(number);
    }
    let backup = || run(folder.path(), &["backup", "copy.db"]);
    let output = backup();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success() && said.contains("events: 20"),
        "{said}"
    );
    let mode = fs::metadata(folder.path().join("copy.db"))
        .expect("a copy")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let again = backup();
    assert_eq!(again.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&again.stderr).contains("exists already"));
    server.stop();
    let restored = Server::start_in(
        folder.path(),
        &[
            "--database",
            "sqlite://copy.db",
            "--encryption-key-file",
            "truehook.db.key",
        ],
    );
    assert_eq!(restored.operator().list("/operator/v1/events").len(), 20);
}

/// `timeout` sends its signal to the program, and to the group that it is in.
#[test]
fn a_listener_that_gets_its_signal_twice_unregisters() {
    let server = Server::start(&[]);
    let mut listener = truehook(server.folder())
        .args(["listen", "conduit", TRANSACTION, "--server", &server.url])
        // The value that Kubernetes sets for a service of this name is not a port to receive on.
        .env("TRUEHOOK_PORT", "tcp://10.0.0.11:8080")
        .env("TRUEHOOK_LISTNE", "127.0.0.1:0")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut conduit = server.conduit();
    let mut registered = || {
        let list = conduit.get("/conduit/webhooks");
        list["data"].as_array().expect("a list").len()
    };
    wait_until("it is registered", || registered() == 1);
    for _ in 0..2 {
        let status = Command::new("kill")
            .args(["-TERM", &listener.id().to_string()])
            .status();
        assert!(status.expect("kill runs").success());
    }
    let status = listener.wait().expect("it ends");
    assert!(status.success(), "{status}");
    assert_eq!(registered(), 0);
    let said = BufReader::new(listener.stderr.take().expect("piped"));
    let said: Vec<String> = said.lines().map(|line| line.expect("UTF-8")).collect();
    let warnings: Vec<&String> = said
        .iter()
        .filter(|line| line.contains("is not a setting"))
        .collect();
    assert!(
        matches!(&warnings[..], [one] if one.contains("TRUEHOOK_LISTNE")),
        "{said:#?}"
    );
}

#[test]
fn the_log_says_what_matters_and_what_was_set_in_vain() {
    let folder = tempfile::tempdir().expect("a folder");
    let child = truehook(folder.path())
        .args(["serve", "--listen", "127.0.0.1:0", "--log-format", "text"])
        .env("TRUEHOOK_RETENTION", "7")
        .env("TRUEHOOK_SERVICE_HOST", "10.0.0.11")
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut server = Killed(child);
    let mut lines = Vec::new();
    for line in BufReader::new(server.0.stderr.take().expect("piped")).lines() {
        let line = line.expect("UTF-8");
        let listening = line.contains("listening on");
        lines.push(line);
        if listening {
            break;
        }
    }
    let about = |word: &str| lines.iter().filter(|line| line.contains(word)).count();
    assert_eq!(
        about("TRUEHOOK_RETENTION is not a setting"),
        1,
        "{lines:#?}"
    );
    assert_eq!(about("TRUEHOOK_SERVICE_HOST"), 0, "{lines:#?}");
    assert_eq!(about("actix"), 0, "{lines:#?}");
}

/// A process that ends with the test.
struct Killed(std::process::Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
