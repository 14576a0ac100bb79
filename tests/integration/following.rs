//! `events --follow`: each event once, across restarts of the server, until nobody reads.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use serde_json::Value;

use crate::commands::{printed, until};
use crate::process::{Server, run, truehook};

#[test]
fn events_are_followed_each_once_in_their_order_until_nobody_reads() {
    let server = Server::start(&[]);
    let publish = |account: &str| {
        let words = [
            "publish",
            "equals-money",
            "BoxCredited",
            "--account-id",
            account,
        ];
        printed(&server, &words);
    };
    for account in ["F1", "F2", "F3"] {
        publish(account);
    }
    printed(&server, &["publish", "equals-money", "FeeCreated"]);
    let mut child = truehook(server.folder())
        .args(["events", "--follow", "--json", "--limit", "2"])
        .args(["--type", "BoxCredited", "--server", &server.url])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut stdout = BufReader::new(child.stdout.take().expect("standard output is piped"));
    let mut next = || {
        let mut line = String::new();
        stdout.read_line(&mut line).expect("UTF-8");
        let event: Value = serde_json::from_str(&line).expect("an event is a line of JSON");
        event["accountId"].as_str().expect("an account").to_owned()
    };
    assert_eq!([next(), next()], ["F2", "F3"]);
    printed(&server, &["publish", "equals-money", "FeeCreated"]);
    for account in ["F4", "F5"] {
        publish(account);
        assert_eq!(next(), account);
    }
    drop(stdout);
    let ended = until("it ends when nobody reads", || {
        publish("F6");
        child.try_wait().expect("it is a child")
    });
    assert!(ended.success());
    // A server that was never there is no reason to wait.
    let words = ["events", "--follow", "--server", "http://127.0.0.1:9"];
    let output = run(server.folder(), &words);
    assert_eq!(output.status.code(), Some(1));
    let conflict = ["events", "evt_351DUZaHXTOPxyvBf6L9XdlW5oq", "--follow"];
    assert_eq!(run(server.folder(), &conflict).status.code(), Some(2));
}

#[test]
fn a_follower_goes_on_after_a_restart_of_the_server_and_ends_with_a_signal() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start_in(folder.path(), &[]);
    let (url, listen) = (
        server.url.clone(),
        server.url.trim_start_matches("http://").to_owned(),
    );
    printed(
        &server,
        &[
            "publish",
            "equals-money",
            "BoxCredited",
            "--account-id",
            "F1",
        ],
    );
    let mut child = truehook(folder.path())
        .args(["events", "--follow", "--json", "--server", &url])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut lines = BufReader::new(child.stdout.take().expect("standard output is piped")).lines();
    let mut notes = BufReader::new(child.stderr.take().expect("standard error is piped")).lines();
    assert!(
        lines
            .next()
            .expect("a line")
            .expect("UTF-8")
            .contains("\"F1\"")
    );
    server.stop();
    let note = notes.next().expect("a line").expect("UTF-8");
    assert!(note.contains("asking again"), "{note}");
    let server = Server::start_at(folder.path(), &listen, &[]);
    printed(
        &server,
        &[
            "publish",
            "equals-money",
            "BoxCredited",
            "--account-id",
            "F2",
        ],
    );
    let line = lines.next().expect("a line").expect("UTF-8");
    assert!(line.contains("\"F2\""), "{line}");
    let signal = std::process::Command::new("kill")
        .args(["-TERM", &child.id().to_string()])
        .status();
    assert!(signal.expect("kill runs").success());
    assert!(child.wait().expect("it is a child").success());
}
