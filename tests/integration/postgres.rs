//! The program on a PostgreSQL server: how it connects, and the commands that work on the database.

mod password;
mod pool;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::process::client::Client;
use crate::process::database::Database;
use crate::process::receiver::{self, Receiver};
use crate::process::{Server, run, wait_until};

const TRANSACTION: &str = "transaction.completed";
const FIRST_KEY: &str = "0101010101010101010101010101010101010101010101010101010101010101";
const SECOND_KEY: &str = "0202020202020202020202020202020202020202020202020202020202020202";

/// Makes a certificate authority, a certificate of the server for localhost, and one of a client for the role `truehook`; has the server
/// take encrypted connections with a certificate only. The last line is for connections of the test itself.
const CERTIFICATES: &str = r#"
(
  exec >/dev/null 2>&1
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=authority -keyout ca.key -out ca.pem
  certificate() {
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$1" -keyout "$2.key" -out "$2.csr"
    printf 'subjectAltName=%s\nbasicConstraints=CA:FALSE\n' "$3" >"$2.ext"
    openssl x509 -req -in "$2.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile "$2.ext" -out "$2.pem"
  }
  certificate localhost server DNS:localhost
  certificate truehook client DNS:truehook
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=other -keyout other.key -out other.pem
  chmod 755 . && chmod 644 ./*.pem client.key && chmod 600 server.key
)
printf 'hostssl all all all cert\nlocal all all trust\n' >data/pg_hba.conf
"#;

const ENCRYPTED: &str = "-c ssl=on -c ssl_cert_file=../server.pem -c ssl_key_file=../server.key -c ssl_ca_file=../ca.pem";

#[test]
fn an_encrypted_connection_verifies_the_server_and_shows_a_certificate() {
    let database = Database::start_with(ENCRYPTED, CERTIFICATES);
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str| database.folder.join(name).display().to_string();
    let (_, port) = database.url.rsplit_once(':').expect("a port");
    let url = |host: &str, roots: &str, identity: bool| {
        let port = port.split('/').next().expect("a port");
        let identity = if identity {
            format!(
                "&sslcert={}&sslkey={}",
                file("client.pem"),
                file("client.key")
            )
        } else {
            String::new()
        };
        let roots = file(roots);
        format!(
            "postgres://truehook@{host}:{port}/truehook?sslmode=verify-full&sslrootcert={roots}{identity}"
        )
    };
    let refused = |url: &str| {
        let arguments = [
            "keys",
            "list",
            "--encryption-key",
            FIRST_KEY,
            "--database",
            url,
        ];
        let output = run(folder.path(), &arguments);
        assert_eq!(output.status.code(), Some(1), "{url}");
        String::from_utf8(output.stderr).expect("UTF-8")
    };
    for (url, reason) in [
        (url("localhost", "other.pem", true), "certificate"),
        (url("127.0.0.1", "ca.pem", true), "not valid for name"),
        (url("localhost", "ca.pem", false), "certificate"),
        (url("localhost", "ca.key", true), "no certificate"),
        (url("localhost", "missing.pem", true), "missing.pem"),
    ] {
        let said = refused(&url);
        assert!(said.contains(reason), "{url}: {said}");
        assert_eq!(said.trim().lines().count(), 1, "{said}");
    }

    let right = url("localhost", "ca.pem", true);
    let server = Server::start_in(
        folder.path(),
        &["--database", &right, "--encryption-key", FIRST_KEY],
    );
    let receiver = Receiver::start(|_, stream| receiver::accept(stream));
    server.conduit().register(&receiver.url, &[TRANSACTION]);
    delivered(&mut server.operator(), 1);
    let said = database.ask(
        "SELECT DISTINCT ssl, client_dn FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'truehook'",
    );
    assert_eq!(said, ["t|/CN=truehook"]);
    assert!(server.stop().0.success());
}

/// Publishes, and waits until the event is delivered to all.
#[track_caller]
fn delivered(operator: &mut Client, number: usize) {
    let event = operator.publish(number);
    wait_until("it is delivered", || {
        let deliveries = operator.deliveries(&event);
        deliveries
            .iter()
            .all(|delivery| delivery["state"] == "delivered")
    });
}

/// Runs a command that succeeds; gives what it prints.
#[track_caller]
fn succeeded(folder: &Path, arguments: &[&str]) -> String {
    let output = run(folder, arguments);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {errors}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn keys_are_made_and_revoked_and_the_encryption_key_changed_while_nodes_run() {
    let database = Database::start();
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let key_file = folder.join("key");
    fs::write(&key_file, FIRST_KEY).expect("a file");
    fs::set_permissions(&key_file, fs::Permissions::from_mode(0o600)).expect("its owner");
    let storage = ["--database", &database.url, "--encryption-key-file", "key"];
    let with = |command: &[&str]| -> Vec<String> {
        let all = command.iter().chain(&storage);
        all.map(|&argument| argument.to_owned()).collect()
    };
    let command = |command: &[&str]| {
        let arguments = with(command);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        succeeded(folder, &arguments)
    };
    let node = || Server::start_in(folder, &storage);
    let nodes = [node(), node()];
    let receiver = Receiver::start(|_, stream| receiver::accept(stream));
    nodes[0].conduit().register(&receiver.url, &[TRANSACTION]);

    // A key is known to every node at once, and forgotten at once.
    let made = command(&["keys", "create", "--provider", "operator"]);
    let made: serde_json::Value = serde_json::from_str(&made).expect("JSON");
    let credential = made["headers"]["Authorization"].as_str().expect("a header");
    let list = |node: &Server| {
        let mut client = Client::new(&node.url, &[("Authorization", credential)]);
        let answer = client.send("GET", "/operator/v1/events", &[], "");
        answer.expect("an answer").status
    };
    assert_eq!(nodes.each_ref().map(list), [200, 200]);
    let id = made["id"].as_str().expect("an id");
    assert!(command(&["keys", "list"]).contains(id));
    command(&["keys", "revoke", id]);
    assert_eq!(nodes.each_ref().map(list), [401, 401]);

    // Nodes go on while the secrets are sealed with another key.
    command(&["keys", "rotate-encryption", "--old-key-file", "old.key"]);
    assert_ne!(
        fs::read_to_string(&key_file).expect("a key").trim(),
        FIRST_KEY
    );
    assert_eq!(
        fs::read_to_string(folder.join("old.key"))
            .expect("a key")
            .trim(),
        FIRST_KEY
    );
    for (number, node) in nodes.iter().enumerate() {
        delivered(&mut node.operator(), number);
    }
    let old = [
        "keys",
        "list",
        "--database",
        &database.url,
        "--encryption-key-file",
        "old.key",
    ];
    assert_eq!(run(folder, &old).status.code(), Some(1));
    let other = [
        "keys",
        "list",
        "--database",
        &database.url,
        "--encryption-key",
        SECOND_KEY,
    ];
    let said = String::from_utf8(run(folder, &other).stderr).expect("UTF-8");
    assert!(said.contains("does not open the secrets"), "{said}");

    let arguments = ["backup", "copy.db", "--database", &database.url];
    let refused = run(folder, &arguments);
    let said = String::from_utf8(refused.stderr).expect("UTF-8");
    assert_eq!(refused.status.code(), Some(1), "{said}");
    assert!(said.contains("pg_dump"), "{said}");
    for node in nodes {
        let (status, log) = node.stop();
        assert!(status.success(), "{log:#?}");
    }
    // A node that is started now has the new key.
    delivered(&mut node().operator(), 2);
}
