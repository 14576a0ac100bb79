//! The commands that look and act through the operator API, as people use them against a real server.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::process::Output;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use crate::process::client::{CONDUIT_CLIENT, Client};
use crate::process::receiver::{Receiver, fail};
use crate::process::{PATIENCE, Server, run};
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
pub(crate) fn printed(server: &Server, words: &[&str]) -> String {
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
pub(crate) fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
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
    assert!(
        said.contains("not ready") && output.stdout.is_empty(),
        "{said}"
    );
    let url = server.url.clone();
    server.kill();
    let folder = tempfile::tempdir().expect("a folder");
    let output = run(folder.path(), &["health", "--server", &url]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("no server answers"), "{said}");
}
