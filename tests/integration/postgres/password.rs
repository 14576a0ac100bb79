//! A password that is read from a file.

use std::fs;

use super::{FIRST_KEY, TRANSACTION, delivered};
use crate::process::database::Database;
use crate::process::receiver::{self, Receiver};
use crate::process::{Server, run, wait_until};

/// Whoever connects over TCP has to show a password.
const PASSWORDS: &str =
    "printf 'host all all all scram-sha-256\\nlocal all all trust\\n' >data/pg_hba.conf";

/// With all that would have to be encoded in a URL.
const PASSWORD: &str = "of the:role/@?#%20ü";

#[test]
fn a_password_is_read_from_a_file_for_both_urls_and_a_wrong_one_is_told() {
    let database = Database::start_with("", PASSWORDS);
    database.ask(&format!("ALTER ROLE truehook PASSWORD '{PASSWORD}'"));
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let write = |name: &str, text: &str| fs::write(folder.join(name), text).expect("a file");
    write("right", &format!("{PASSWORD}\na second line\n"));
    write("wrong", "of another role\n");
    write("empty", "\n");
    let storage = |file: &'static str| {
        let url = database.url.as_str();
        let mut arguments = vec!["--database", url, "--database-password-file", file];
        arguments.extend(["--encryption-key", FIRST_KEY]);
        arguments
    };
    for (file, code, reason) in [
        (
            "wrong",
            1,
            "password authentication failed for user \"truehook\"",
        ),
        ("empty", 2, "--database-password-file empty: it is empty"),
        (
            "missing",
            2,
            "--database-password-file missing: No such file",
        ),
    ] {
        for command in [&["keys", "list"][..], &["serve", "--listen", "127.0.0.1:0"]] {
            let mut arguments = command.to_vec();
            arguments.extend(storage(file));
            let refused = run(folder, &arguments);
            let said = String::from_utf8(refused.stderr).expect("UTF-8");
            assert_eq!(refused.status.code(), Some(code), "{said}");
            assert!(said.contains(reason), "{said}");
            assert!(!said.contains("of another role"), "{said}");
            assert_eq!(said.trim().lines().count(), 1, "{said}");
        }
    }

    let mut arguments = storage("right");
    arguments.extend(["--database-listen", &database.url]);
    let server = Server::start_in(folder, &arguments);
    let receiver = Receiver::start(|_, stream| receiver::accept(stream));
    server.conduit().register(&receiver.url, &[TRANSACTION]);
    delivered(&mut server.operator(), 1);
    wait_until("it listens", || {
        let found =
            "SELECT count(*) FROM pg_stat_activity WHERE query ~ '^(LISTEN|NOTIFY) truehook_'";
        database.ask(found) == ["1"]
    });
    let (status, log) = server.stop();
    assert!(status.success(), "{log:#?}");
    let log = log.join("\n");
    assert!(!log.contains(PASSWORD), "{log}");
}
