//! The commands that look and act through the operator API, and `listen --forward-to`, as people use them against a real server.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStdout, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use crate::process::client::{CONDUIT_CLIENT, Client};
use crate::process::receiver::{Receiver, fail};
use crate::process::{PATIENCE, Server, run, truehook};
use serde_json::{Value, json};

const CONDUIT: [(&str, &str); 2] = [
    ("X-API-Key", "sandbox-key"),
    ("X-API-Secret", "sandbox-secret"),
];

/// Runs a command against the server.
fn command(server: &Server, words: &[&str]) -> Output {
    let (name, rest) = words.split_first().expect("a command");
    run(
        server.folder(),
        &[&[*name, "--server", &server.url], rest].concat(),
    )
}

/// Returns the output of a command that succeeds.
#[track_caller]
fn printed(server: &Server, words: &[&str]) -> String {
    let output = command(server, words);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{words:?}: {errors}");
    String::from_utf8(output.stdout).expect("the output is UTF-8")
}

/// Returns the message of a command that fails.
#[track_caller]
fn refused(server: &Server, words: &[&str]) -> String {
    let output = command(server, words);
    assert_eq!(output.status.code(), Some(1), "{words:?}");
    String::from_utf8(output.stderr).expect("standard error is UTF-8")
}

/// Asks until the answer is there.
#[track_caller]
fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = ask() {
            return found;
        }
        assert!(started.elapsed() < PATIENCE, "never: {what}");
        std::thread::yield_now();
    }
}

fn register(server: &Server, url: &str) -> String {
    let mut client = Client::new(&server.url, &CONDUIT);
    let body = json!({ "url": url, "status": "enabled", "events": ["customer.created"] });
    let headers = [("Content-Type", "application/json")];
    let answer = client.send("POST", "/conduit/webhooks", &headers, &body.to_string());
    let answer = answer.expect("the server answers").json();
    answer["id"].as_str().expect("an id").to_owned()
}

#[test]
fn an_operator_sees_why_a_delivery_failed_and_has_it_attempted_again() {
    let server = Server::start(&[]);
    let failing = Arc::new(Mutex::new(true));
    let fails = failing.clone();
    let receiver = Receiver::start(move |_, stream| {
        if *fails.lock().expect("nobody panicked") {
            stream.write_all(b"HTTP/1.1 503 x\r\nContent-Length: 15\r\n\r\n{\"why\": \"full\"}")
        } else {
            crate::process::receiver::accept(stream)
        }
    });
    assert!(printed(&server, &["deliveries"]).is_empty());
    assert!(printed(&server, &["events"]).is_empty());
    let webhook = register(&server, &receiver.url);
    printed(&server, &["publish", "conduit", "customer.created"]);

    let listed = until("a first attempt", || {
        let line = printed(&server, &["deliveries", "--json"]);
        let delivery: Value = serde_json::from_str(&line).expect("one delivery on one line");
        (delivery["attemptCount"] == 1).then_some(delivery)
    });
    let id = listed["id"].as_str().expect("an id");
    let event = listed["eventId"].as_str().expect("an id");
    let table = printed(
        &server,
        &[
            "deliveries",
            "--state",
            "pending",
            "--webhook",
            &webhook,
            "--event",
            event,
        ],
    );
    assert!(table.lines().count() == 2 && table.contains(id), "{table}");
    assert!(!table.contains('\u{1b}'), "colors in a pipe: {table}");
    assert!(printed(&server, &["deliveries", "--state", "exhausted"]).is_empty());

    let shown = until("a recorded attempt", || {
        let shown = printed(&server, &["deliveries", id]);
        shown.contains("  503\n").then_some(shown)
    });
    assert!(
        shown.contains(&receiver.url) && shown.contains("\"why\": \"full\""),
        "{shown}"
    );

    *failing.lock().expect("nobody panicked") = false;
    let said = printed(&server, &["retry", id]);
    assert_eq!(
        said,
        format!("retrying {id} (customer.created): attempt 2 is due now\n")
    );
    let shown = until("a second attempt", || {
        let shown = printed(&server, &["deliveries", id]);
        shown.contains("delivered, 2 attempts").then_some(shown)
    });
    assert!(shown.contains("attempt 2"), "{shown}");

    let events = printed(
        &server,
        &[
            "events",
            "--type",
            "customer.created",
            "--provider",
            "conduit",
        ],
    );
    assert!(
        events.contains(event) && events.contains("1 delivered"),
        "{events}"
    );
    assert!(events.contains(CONDUIT_CLIENT), "{events}");
    let shown = printed(&server, &["events", event]);
    assert!(shown.contains("\"customer\": {"), "{shown}");
    let shown: Value =
        serde_json::from_str(&printed(&server, &["events", event, "--json"])).expect("JSON");
    assert_eq!(shown["deliveries"]["delivered"], 1);
}

#[test]
fn an_operator_sees_every_webhook_and_what_failed_last() {
    let server = Server::start(&[]);
    assert!(printed(&server, &["webhooks"]).is_empty());
    let receiver = Receiver::start(|_, stream| fail(stream));
    let webhook = register(&server, &receiver.url);
    printed(&server, &["publish", "conduit", "customer.created"]);
    let table = until("a failed attempt", || {
        let table = printed(
            &server,
            &["webhooks", "--type", "customer.created", "--enabled"],
        );
        table.contains(" 500  ").then_some(table)
    });
    assert!(
        table.contains(&webhook) && table.contains("1 pending"),
        "{table}"
    );
    let shown = printed(&server, &["webhooks", &webhook]);
    assert!(
        shown.contains(&receiver.url) && shown.contains(CONDUIT_CLIENT),
        "{shown}"
    );
    for none in [
        &["webhooks", "--disabled"][..],
        &["webhooks", "--provider", "equals-money"],
        &["webhooks", "--owner", "client_2ofTA13AD0xBtbEvBl20aEb1hEX"],
        &["webhooks", "--account", "F12345"],
    ] {
        assert_eq!(printed(&server, none), "", "{none:?}");
    }
    let json = printed(&server, &["webhooks", &webhook, "--json"]);
    let json: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["recent"]["lastFailureStatus"], 500, "{json}");

    let table = printed(
        &server,
        &[
            "deliveries",
            "--outcome",
            "5xx",
            "--type",
            "customer.created",
        ],
    );
    assert!(table.contains("  500   "), "{table}");
    for none in [
        &["deliveries", "--outcome", "timeout"][..],
        &["deliveries", "--type", "customer.active"],
        &["deliveries", "--to", "2000-01-01T00:00:00Z"],
    ] {
        assert_eq!(printed(&server, none), "", "{none:?}");
    }
    let said = refused(&server, &["webhooks", "whk_351DUZaHXTOPxyvBf6L9XdlW5oq"]);
    assert!(said.contains("404"), "{said}");
}

#[test]
fn lists_are_read_page_by_page_up_to_the_limit() {
    let server = Server::start(&[]);
    let mut client = Client::new(&server.url, &[("Authorization", "Bearer sandbox-operator")]);
    let body = json!({ "provider": "equals-money", "type": "BoxCredited" }).to_string();
    for _ in 0..1003 {
        let headers = [("Content-Type", "application/json")];
        let answer = client.send("POST", "/operator/v1/events", &headers, &body);
        assert_eq!(answer.expect("the server answers").status, 202);
    }
    let count = |arguments: &[&str]| {
        let output = command(&server, &[&["events", "--json"], arguments].concat());
        let notes = String::from_utf8_lossy(&output.stderr).into_owned();
        (
            output.stdout.iter().filter(|byte| **byte == b'\n').count(),
            notes,
        )
    };
    let (shown, note) = count(&[]);
    assert_eq!(
        (shown, note.contains("raise --limit")),
        (20, true),
        "{note}"
    );
    assert_eq!(count(&["--limit", "1002"]).0, 1002);
    assert_eq!(count(&["--limit", "5000"]), (1003, String::new()));
}

#[test]
fn what_is_unknown_or_not_allowed_is_said_with_what_to_do() {
    let server = Server::start(&[]);
    let unknown = "8b53639f-152c-4fc6-af30-802fde462ba0";
    for words in [
        &["deliveries", unknown][..],
        &["retry", unknown],
        &["events", "evt_351DUZaHXTOPxyvBf6L9XdlW5oq"],
    ] {
        let said = refused(&server, words);
        assert!(said.contains("404") && said.lines().count() == 1, "{said}");
    }
    let said = refused(&server, &["retry", unknown, unknown]);
    assert!(
        said.ends_with("truehook: 2 of 2 deliveries were not retried\n"),
        "{said}"
    );
    for words in [
        &["deliveries", "--key", "wrong"][..],
        &["events", "--key", "wrong"],
        &["retry", unknown, "--key", "wrong"],
    ] {
        let said = refused(&server, words);
        assert!(
            said.contains("401") && said.contains("--key or TRUEHOOK_KEY"),
            "{said}"
        );
    }
    for (command_name, one) in [
        ("events", "event"),
        ("deliveries", "delivery"),
        ("webhooks", "webhook"),
    ] {
        let note = |filters: &[&str]| {
            let output = command(&server, &[&[command_name], filters].concat());
            String::from_utf8_lossy(&output.stderr).into_owned()
        };
        assert_eq!(
            note(&["--type", "boxCredited"]),
            "unknown equals-money event type `boxCredited`; did you mean `BoxCredited`?\n"
        );
        let other = note(&["--type", "BoxCredited", "--provider", "conduit"]);
        assert!(
            other.starts_with("unknown conduit event type `BoxCredited`"),
            "{other}"
        );
        assert_eq!(
            note(&["--type", "BoxCredited"]),
            format!("no {one} matches\n")
        );
    }
    let said = refused(
        &server,
        &["publish", "conduit", "customer.created", "--key", "another"],
    );
    assert!(said.contains("--client-id is missing"), "{said}");
}

#[test]
fn a_health_check_succeeds_only_where_a_server_is_ready() {
    let server = Server::start(&[]);
    assert_eq!(printed(&server, &["health"]), "ready\n");
    let unready = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", unready.local_addr().expect("an address"));
    std::thread::spawn(move || {
        let (mut stream, _) = unready.accept().expect("a connection");
        let mut line = String::new();
        let mut head = BufReader::new(stream.try_clone().expect("a second handle"));
        while head.read_line(&mut line).expect("UTF-8") > 2 {}
        assert!(line.starts_with("GET /health/ready "), "{line}");
        let answer = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";
        stream.write_all(answer).expect("the answer is sent");
    });
    let output = run(server.folder(), &["health", "--server", &url]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("503") && output.stdout.is_empty(), "{said}");
    let url = server.url.clone();
    server.kill();
    let folder = tempfile::tempdir().expect("a folder");
    let output = run(folder.path(), &["health", "--server", &url]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("no server answers"), "{said}");
}

/// As in a network of containers, where each has a name: here all of them lead to this machine.
#[test]
fn a_sandbox_and_a_receiver_that_are_reached_by_names_find_each_other() {
    let folder = tempfile::tempdir().expect("a folder");
    let allowed = ["--allow-host", "truehook", "--allow-addresses", "private"];
    let mut server = Server::start_at(folder.path(), "0.0.0.0:0", &allowed);
    server.url = server.url.replace("0.0.0.0", "127.0.0.1");
    for (host, status) in [("truehook:8080", "200"), ("rebound.test", "421")] {
        let mut stream = TcpStream::connect(&server.url["http://".len()..]).expect("it listens");
        let request =
            format!("GET /health/ready HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        stream
            .write_all(request.as_bytes())
            .expect("the request is sent");
        let mut answer = String::new();
        stream
            .read_to_string(&mut answer)
            .expect("the answer is UTF-8");
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{host}: {answer}"
        );
    }
    let arguments = ["conduit", "customer.created", "--host", "localhost"];
    let mut listener = Listener::start(server.folder(), &server.url, &arguments);
    let webhooks = printed(&server, &["webhooks", "--json"]);
    let webhook: Value = serde_json::from_str(&webhooks).expect("one webhook");
    let url = webhook["url"].as_str().expect("a URL");
    assert!(url.starts_with("http://localhost:"), "{url}");
    printed(&server, &["publish", "conduit", "customer.created"]);
    assert_eq!(listener.delivery()["signature"]["verified"], true);
}

/// A running `truehook listen --json`; killed when it is dropped.
pub(crate) struct Listener {
    child: Child,
    stdout: BufReader<ChildStdout>,
}

impl Listener {
    /// Starts it and waits until it listens.
    pub(crate) fn start(folder: &Path, server: &str, arguments: &[&str]) -> Self {
        let mut child = truehook(folder)
            .args(["listen", "--json", "--server", server])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let stdout = BufReader::new(child.stdout.take().expect("standard output is piped"));
        let mut stderr = BufReader::new(child.stderr.take().expect("standard error is piped"));
        let mut line = String::new();
        while !line.starts_with("listening on ") {
            line.clear();
            assert_ne!(stderr.read_line(&mut line).expect("UTF-8"), 0, "it ended");
        }
        std::thread::spawn(move || stderr.lines().map_while(Result::ok).for_each(drop));
        Self { child, stdout }
    }

    /// The next line.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).expect("UTF-8");
        line
    }

    fn delivery(&mut self) -> Value {
        serde_json::from_str(&self.line()).expect("a delivery is a line of JSON")
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_delivery_is_passed_on_byte_for_byte_and_the_answer_is_handed_back() {
    let server = Server::start(&[]);
    let got = Arc::new(Mutex::new(Vec::new()));
    let keep = got.clone();
    let target = Receiver::start(move |request, stream| {
        let signature = request.header("conduit-signature").map(str::to_owned);
        let host = request.header("host").map(str::to_owned);
        let encoding = request.header("accept-encoding").map(str::to_owned);
        let mut got = keep.lock().expect("nobody panicked");
        got.push((request.body.clone(), signature, host, encoding));
        stream.write_all(
            b"HTTP/1.1 422 x\r\nX-Handler: mine\r\nContent-Encoding: gzip\r\nContent-Length: 6\r\n\r\n\x1f\x8bwhy?",
        )
    });
    let data = r#"{"transaction":{"id":"trxn_2ofTA13AD0xBtbEvBl20aEb1hEu","status":"COMPLETED","rate":1.10,"large":9007199254740993,"b":"\u00e9é\/"}}"#;
    std::fs::write(server.folder().join("data.json"), data).expect("a file");
    let arguments = [
        "conduit",
        "transaction.completed",
        "--count",
        "1",
        "--forward-to",
        &target.url,
    ];
    let mut listener = Listener::start(server.folder(), &server.url, &arguments);
    printed(
        &server,
        &[
            "publish",
            "conduit",
            "transaction.completed",
            "--data",
            "data.json",
        ],
    );
    let delivery = listener.delivery();
    assert_eq!(delivery["answered"], 422, "{delivery}");
    assert_eq!(delivery["forwarded"]["error"], Value::Null);
    assert_eq!(delivery["signature"]["verified"], true);

    let got = got.lock().expect("nobody panicked");
    let (body, signature, host, encoding) = &got[0];
    let body = std::str::from_utf8(body).expect("the payload is text");
    assert!(body.contains(&format!("\"data\":{data}}}")), "{body}");
    assert_eq!(
        signature.as_deref(),
        delivery["headers"]["conduit-signature"].as_str()
    );
    assert_eq!(
        host.as_deref(),
        target
            .url
            .strip_prefix("http://")
            .and_then(|rest| rest.split('/').next())
    );
    assert_eq!(
        encoding.as_deref(),
        delivery["headers"]["accept-encoding"].as_str()
    );

    // The operator API has what the handler answered, not what `listen` made of it.
    let id = delivery["id"].as_str().expect("an id");
    let shown = until("a recorded attempt", || {
        let shown: Value =
            serde_json::from_str(&printed(&server, &["deliveries", id, "--json"])).expect("JSON");
        (shown["attempts"][0]["recorded"] == true).then_some(shown)
    });
    assert_eq!(shown["attempts"][0]["status"], 422, "{shown}");
    assert_eq!(shown["attempts"][0]["responseBody"], "\u{1f}\u{fffd}why?");
}

#[test]
fn a_target_that_does_not_answer_is_named_and_the_server_gets_502() {
    let server = Server::start(&[]);
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let target = free.local_addr().expect("an address").to_string();
    drop(free);
    let arguments = [
        "equals-money",
        "BoxCredited",
        "--count",
        "1",
        "--forward-to",
        &target,
    ];
    let mut listener = Listener::start(server.folder(), &server.url, &arguments);
    printed(&server, &["publish", "equals-money", "BoxCredited"]);
    let delivery = listener.delivery();
    assert_eq!(delivery["answered"], 502, "{delivery}");
    let error = delivery["forwarded"]["error"].as_str().expect("an error");
    assert!(error.contains("connection refused"), "{error}");
}

#[test]
fn a_target_that_closes_the_connection_or_redirects_is_passed_back_as_it_is() {
    let server = Server::start(&[]);
    let answered = Mutex::new(0);
    let target = Receiver::start(move |_, stream| {
        let mut count = answered.lock().expect("nobody panicked");
        *count += 1;
        match *count {
            1 => stream
                .write_all(b"HTTP/1.1 307 x\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n"),
            2 => Err(std::io::ErrorKind::ConnectionReset.into()),
            _ => fail(stream),
        }
    });
    let arguments = [
        "equals-money",
        "BoxCredited",
        "--count",
        "3",
        "--forward-to",
        &target.url,
    ];
    let mut listener = Listener::start(server.folder(), &server.url, &arguments);
    for expected in [307, 502, 500] {
        printed(&server, &["publish", "equals-money", "BoxCredited"]);
        assert_eq!(listener.delivery()["answered"], expected);
    }
}

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
