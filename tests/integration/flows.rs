//! Register, publish, receive, as people do it with the program: `truehook listen` and `truehook publish` against a real server.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use crate::process::{Server, run, truehook, wait_until};
use serde_json::{Value, json};

/// How long a step may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Credentials of the sandbox, as HTTP headers.
const CONDUIT: &str = "X-API-Key: sandbox-key\r\nX-API-Secret: sandbox-secret\r\n";
const EQUALS_MONEY: &str = "Authorization: ApiKey sandbox-key\r\n";

/// A running `truehook listen`; killed when it is dropped.
struct Listener {
    child: Child,
    stdout: Option<BufReader<ChildStdout>>,
    notes: mpsc::Receiver<String>,
    seen: Vec<String>,
}

impl Listener {
    /// Starts it without waiting for anything.
    fn spawn(folder: &Path, server: &str, arguments: &[&str]) -> Self {
        let mut child = truehook(folder)
            .args(["listen", "--server", server])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let stderr = BufReader::new(child.stderr.take().expect("standard error is piped"));
        let stdout = child.stdout.take().map(BufReader::new);
        let (sender, notes) = mpsc::channel();
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Self {
            child,
            stdout,
            notes,
            seen: Vec::new(),
        }
    }

    /// Starts it and waits until it listens.
    fn start(server: &Server, arguments: &[&str]) -> Self {
        let mut listener = Self::spawn(server.folder(), &server.url, arguments);
        listener.wait_for("listening on ");
        listener
    }

    /// Waits for a note that begins like this; gives the rest of it.
    #[track_caller]
    fn wait_for(&mut self, beginning: &str) -> String {
        while let Ok(line) = self.notes.recv_timeout(PATIENCE) {
            let rest = line.strip_prefix(beginning).map(str::to_owned);
            self.seen.push(line);
            if let Some(rest) = rest {
                return rest;
            }
        }
        panic!("no `{beginning}` in {:?}", self.seen);
    }

    /// The next line of standard output.
    fn line(&mut self) -> String {
        let mut line = String::new();
        let stdout = self.stdout.as_mut().expect("standard output is open");
        stdout.read_line(&mut line).expect("the output is UTF-8");
        line
    }

    /// The next delivery of a listener with `--json`: the line, and what it says.
    fn delivery(&mut self) -> (String, Value) {
        let line = self.line();
        let value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("not JSON: {line}"));
        (line, value)
    }

    fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .args([name, &self.child.id().to_string()])
            .status();
        assert!(status.expect("kill runs").success(), "it was gone already");
    }

    /// Waits for its end; gives the exit code and every note.
    fn end(mut self) -> (Option<i32>, Vec<String>) {
        let status = self.child.wait().expect("it ends");
        let mut notes = std::mem::take(&mut self.seen);
        notes.extend(self.notes.iter());
        (status.code(), notes)
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One HTTP/1.1 request over a connection of its own; the whole answer as text.
fn http(url: &str, request: &str) -> String {
    let address = url.strip_prefix("http://").expect("an http URL");
    let mut stream = TcpStream::connect(address).expect("something listens");
    let written = stream.write_all(request.as_bytes());
    written.expect("the request is sent");
    let mut answer = String::new();
    let read = stream.read_to_string(&mut answer);
    read.expect("the answer is UTF-8");
    answer
}

fn get(server: &str, path: &str, headers: &str) -> Value {
    let answer = http(
        server,
        &format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n"),
    );
    let (_, body) = answer.split_once("\r\n\r\n").expect("an answer");
    serde_json::from_str(body).unwrap_or_else(|_| panic!("not JSON: {answer}"))
}

/// The webhooks of both providers.
fn webhooks(server: &Server) -> Vec<Value> {
    let conduit = get(&server.url, "/conduit/webhooks", CONDUIT);
    let equals = get(&server.url, "/equals-money/v2/webhooks", EQUALS_MONEY);
    let lists = [&conduit["data"], &equals["rows"]];
    lists
        .into_iter()
        .flat_map(|list| list.as_array().expect("a list").clone())
        .collect()
}

/// Posts a delivery of our own to a URL below `http://127.0.0.1:PORT`.
fn post(url: &str, headers: &str, body: &str) -> String {
    let rest = url.strip_prefix("http://").expect("an http URL");
    let (address, path) = rest.split_once('/').expect("a path");
    let request = format!(
        "POST /{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    http(&format!("http://{address}"), &request)
}

fn publish(server: &Server, arguments: &[&str]) -> Output {
    let base = ["publish", "--server", &server.url];
    run(server.folder(), &[&base, arguments].concat())
}

#[track_caller]
fn published(server: &Server, arguments: &[&str]) -> Value {
    let output = publish(server, arguments);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    serde_json::from_slice(&output.stdout).expect("a piped answer is JSON")
}

/// Returns the standard error of a failed run, with exit code 1 and nothing on standard output.
#[track_caller]
fn refusal(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(
        output.stdout.is_empty() && !text.contains("panicked"),
        "{text}"
    );
    text
}

#[test]
fn a_conduit_event_is_received_byte_for_byte_and_its_signature_verified() {
    let server = Server::start(&[]);
    let mut listener = Listener::start(
        &server,
        &[
            "conduit",
            "transaction.completed",
            "customer.created",
            "--json",
            "--count",
            "2",
        ],
    );
    let registered = webhooks(&server);
    assert_eq!(registered.len(), 1, "{registered:?}");

    let data = r#"{"transaction":{"id":"trxn_2ofTA13AD0xBtbEvBl20aEb1hEu","status":"COMPLETED","rate":1.10,"large":9007199254740993,"b":"\u00e9é\/","a":1e2}}"#;
    let spread = data.replace(',', " ,\n  ");
    fs::write(server.folder().join("data.json"), &spread).expect("a file");
    let answer = published(
        &server,
        &["conduit", "transaction.completed", "--data", "data.json"],
    );
    assert_eq!(answer["deliveries"], 1, "{answer}");
    let (line, delivery) = listener.delivery();
    assert!(line.contains(&format!("\"data\":{data}}}")), "{line}");
    assert_eq!(delivery["type"], "transaction.completed");
    assert_eq!(delivery["webhookId"], registered[0]["id"]);
    assert_eq!(
        delivery["signature"],
        json!({ "verified": true, "reason": null, "warning": null })
    );
    assert_eq!(
        delivery["id"],
        delivery["headers"]["conduit-webhook-idempotency-key"]
    );

    published(&server, &["conduit", "customer.created"]);
    assert_eq!(listener.delivery().1["signature"]["verified"], true);
    let (code, notes) = listener.end();
    assert_eq!(code, Some(0), "{notes:?}");
    assert_eq!(webhooks(&server), Vec::<Value>::new(), "{notes:?}");
}

#[test]
fn equals_money_events_reach_a_webhook_each_that_is_signed_with_its_own_secret() {
    let server = Server::start(&[]);
    let mut listener = Listener::start(
        &server,
        &[
            "equals-money",
            "BoxCredited",
            "BoxDebited",
            "--account-id",
            "F12345",
            "--json",
            "--count",
            "2",
        ],
    );
    let registered = webhooks(&server);
    assert_eq!(registered.len(), 2, "{registered:?}");
    assert_ne!(registered[0]["sharedSecret"], registered[1]["sharedSecret"]);
    let elsewhere = published(
        &server,
        &["equals-money", "BoxCredited", "--account-id", "F99999"],
    );
    assert_eq!(elsewhere["deliveries"], 0, "{elsewhere}");
    for event_type in ["BoxDebited", "BoxCredited"] {
        let mut child = truehook(server.folder())
            .args([
                "publish",
                "--server",
                &server.url,
                "equals-money",
                event_type,
            ])
            .args(["--account-id", "F12345", "--data", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("the program starts");
        let mut stdin = child.stdin.take().expect("standard input is piped");
        stdin
            .write_all(b"{\"amount\": 1250.00}\n")
            .expect("it reads");
        drop(stdin);
        assert!(child.wait().expect("it ends").success());
        let (line, delivery) = listener.delivery();
        assert_eq!(delivery["type"], event_type);
        assert_eq!(delivery["signature"]["verified"], true, "{line}");
        assert!(
            line.contains("\"body\":{\"body\":{\"amount\":1250.00,"),
            "{line}"
        );
    }
    let (code, notes) = listener.end();
    assert_eq!((code, webhooks(&server).len()), (Some(0), 0), "{notes:?}");
}

#[test]
fn a_receiver_that_answers_503_sees_the_same_delivery_again() {
    // Conduit's first retry is due after a minute (C-42); here a second.
    let server = Server::start(&["--clock-speed", "60"]);
    let mut listener = Listener::start(
        &server,
        &[
            "conduit",
            "customer.created",
            "--answer",
            "503",
            "--json",
            "--count",
            "2",
        ],
    );
    published(&server, &["conduit", "customer.created"]);
    let (first, second) = (listener.delivery().1, listener.delivery().1);
    assert_eq!(first["id"], second["id"]);
    assert_eq!(
        (&first["repeat"], &second["repeat"]),
        (&json!(0), &json!(1))
    );
    for delivery in [&first, &second] {
        assert_eq!(delivery["signature"]["verified"], true, "{delivery}");
        assert_eq!(delivery["answered"], 503);
    }
    assert_eq!(listener.end().0, Some(0));
}

#[test]
fn an_event_is_published_once_under_one_idempotency_key() {
    let server = Server::start(&[]);
    let arguments = ["equals-money", "BoxCredited", "--idempotency-key", "k 1"];
    let first = published(&server, &arguments);
    assert_eq!(published(&server, &arguments), first);
    let other = ["equals-money", "BoxDebited", "--idempotency-key", "k 1"];
    let said = refusal(&publish(&server, &other));
    assert!(said.contains("409"), "{said}");
}

#[test]
fn every_fault_of_an_event_is_a_line() {
    let server = Server::start(&[]);
    fs::write(
        server.folder().join("data.json"),
        r#"{"transaction":{"id":7,"status":7}}"#,
    )
    .expect("a file");
    let arguments = ["conduit", "transaction.completed", "--data", "data.json"];
    let said = refusal(&publish(&server, &arguments));
    let lines: Vec<&str> = said.lines().collect();
    assert!(
        lines[0].starts_with("truehook: ") && lines[0].contains("422"),
        "{said}"
    );
    assert!(
        lines.contains(&"  /data/transaction/status: must be a string"),
        "{said}"
    );

    let said = refusal(&publish(
        &server,
        &["conduit", "no.such", "--account-id", "F1"],
    ));
    for pointer in [
        "\n  /accountId: ",
        "\n  /type: ",
        "\n  unknown conduit event type `no.such`; choose one of counterparty.active, ",
    ] {
        assert!(said.contains(pointer), "{said}");
    }
    let said = refusal(&publish(
        &server,
        &["equals-money", "BoxCredited", "--key", "wrong"],
    ));
    assert!(said.contains("401") && said.contains("--key"), "{said}");
}

#[test]
fn a_payload_that_is_no_json_is_refused_before_anything_is_sent() {
    let folder = tempfile::tempdir().expect("a folder");
    let try_data = |name: &str| {
        let arguments = ["publish", "conduit", "customer.created", "--data", name];
        refusal(&run(folder.path(), &arguments))
    };
    fs::write(folder.path().join("data.json"), "{\n  \"a\": tru\n}").expect("a file");
    let said = try_data("data.json");
    assert!(said.starts_with("truehook: data.json:2:11: "), "{said}");
    let said = try_data("missing.json");
    assert!(said.contains("missing.json"), "{said}");
    let said = try_data("-");
    assert!(said.contains("standard input: empty"), "{said}");
}

#[test]
fn without_a_server_both_commands_say_how_to_start_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", free.local_addr().expect("an address"));
    drop(free);
    for command in ["publish", "listen"] {
        let arguments = [command, "--server", &url, "conduit", "customer.created"];
        let said = refusal(&run(folder.path(), &arguments));
        assert_eq!(
            said,
            format!("truehook: no server answers at {url}; start one with `truehook serve`\n")
        );
    }
}

#[test]
fn every_signal_to_end_unregisters_and_says_so() {
    let server = Server::start(&[]);
    for (signal, arguments) in [
        (
            "-INT",
            &["conduit", "customer.created", "customer.created"][..],
        ),
        (
            "-TERM",
            &["equals-money", "BoxCredited", "BoxDebited", "OrderCreated"],
        ),
        ("-HUP", &["equals-money", "3DSAuthRequest"]),
    ] {
        let listener = Listener::start(&server, arguments);
        let registered = webhooks(&server);
        let count = if signal == "-TERM" { 3 } else { 1 };
        assert_eq!(registered.len(), count, "{registered:?}");
        listener.signal(signal);
        let (code, notes) = listener.end();
        assert_eq!(code, Some(0), "{notes:?}");
        for webhook in &registered {
            let id = webhook["id"].as_str().expect("an id");
            assert!(notes.contains(&format!("unregistered {id}")), "{notes:?}");
        }
        assert_eq!(webhooks(&server), Vec::<Value>::new());
    }
}

#[test]
fn a_closed_output_unregisters_too() {
    let server = Server::start(&[]);
    let mut listener = Listener::start(&server, &["equals-money", "BoxCredited", "--json"]);
    listener.stdout = None;
    let url = webhooks(&server)[0]["url"]
        .as_str()
        .expect("a URL")
        .to_owned();
    post(&url, "", "{}");
    let (code, notes) = listener.end();
    assert_eq!((code, webhooks(&server).len()), (Some(0), 0), "{notes:?}");
}

#[test]
fn what_is_wrong_with_a_delivery_is_named() {
    let server = Server::start(&[]);
    let mut listener = Listener::start(
        &server,
        &["conduit", "customer.created", "--json", "--count", "3"],
    );
    let url = webhooks(&server)[0]["url"]
        .as_str()
        .expect("a URL")
        .to_owned();
    let body = r#"{"event":"customer.created","n":1.10}"#;
    let time = "conduit-signature-timestamp: 1762270800\r\n";
    for (headers, reason) in [
        (String::new(), "the header conduit-signature is missing"),
        (
            "Conduit-Signature: 00\r\n".to_owned(),
            "the header conduit-signature-timestamp is missing",
        ),
        (
            format!("Conduit-Signature: 00\r\n{time}"),
            "the signature in conduit-signature does not belong to this body, time and secret",
        ),
    ] {
        assert!(post(&url, &headers, body).starts_with("HTTP/1.1 200"));
        let (line, delivery) = listener.delivery();
        assert_eq!(delivery["signature"]["verified"], false, "{line}");
        assert_eq!(delivery["signature"]["reason"], reason);
        assert!(line.contains(&format!("\"body\":{body}")), "{line}");
    }
    assert_eq!(listener.end().0, Some(0));
}

#[test]
fn deliveries_for_an_earlier_run_and_too_large_ones_are_refused_and_named() {
    let server = Server::start(&[]);
    let mut listener =
        Listener::start(&server, &["conduit", "customer.created", "--answer", "204"]);
    let url = webhooks(&server)[0]["url"]
        .as_str()
        .expect("a URL")
        .to_owned();
    let earlier = url
        .rsplit_once('/')
        .expect("a path")
        .0
        .replace("/conduit", "")
        + "x/conduit";
    assert!(post(&earlier, "", "{}").starts_with("HTTP/1.1 404"));
    listener.wait_for("answered 404 to POST ");
    let large = format!("\"{}\"", " ".repeat(1024 * 1024 - 2));
    assert!(post(&url, "", &large).starts_with("HTTP/1.1 204"));
    assert!(listener.line().contains("(no event type)"));
    // The rest of it fills the pipe, which must not keep the signal waiting.
    listener.signal("-INT");
    assert_eq!(listener.end().0, Some(0));
}

#[test]
fn a_registration_that_is_refused_leaves_nothing_behind() {
    let server = Server::start(&[]);
    let listen = |arguments: &[&str]| {
        let base = ["listen", "--server", &server.url];
        refusal(&run(server.folder(), &[&base, arguments].concat()))
    };
    let said = listen(&["conduit", "customer.created", "customer.exploded"]);
    assert!(
        said.contains("unknown conduit event type `customer.exploded`; choose one of ")
            && said.contains("customer.active"),
        "{said}"
    );
    assert_eq!(
        listen(&["equals-money", "BoxCredited", "boxCredited"]),
        "truehook: unknown equals-money event type `boxCredited`; did you mean `BoxCredited`?\n"
    );
    let long = "F".repeat(37);
    let said = listen(&["equals-money", "BoxCredited", "--account-id", &long]);
    assert!(said.contains("/accountId: "), "{said}");
    assert_eq!(webhooks(&server), Vec::<Value>::new());
    for provider in ["conduit", "equals-money"] {
        let event_type = if provider == "conduit" {
            "customer.created"
        } else {
            "BoxCredited"
        };
        let said = listen(&[provider, event_type, "--api-key", "wrong"]);
        assert!(
            said.contains("--api-key") && said.contains("truehook keys create"),
            "{said}"
        );
        assert!(
            !said.contains("wrong\n") && !said.contains("sandbox-key"),
            "{said}"
        );
    }
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = taken.local_addr().expect("an address").port().to_string();
    let said = listen(&["conduit", "customer.created", "--port", &port]);
    assert!(said.contains(&port) && said.contains("--port"), "{said}");
    assert_eq!(webhooks(&server), Vec::<Value>::new());
    let said = listen(&["conduit", "customer.created", "--account-id", "F1"]);
    assert!(
        said.contains("--account-id: Conduit has no accounts"),
        "{said}"
    );
}

/// A server that emits a document and answers everything else as `answer` says of the request line, or never.
fn small_server(
    mut answer: impl FnMut(&str) -> Option<(u16, &'static str)> + Send + 'static,
) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let signature = json!({
        "algorithm": "hmac-sha256", "signature": { "header": "s", "encoding": "hex" }, "signed": "{body}",
        "key": { "request": "/sharedSecret", "encoding": "utf-8" }, "required": "when-key-is-set",
    });
    let document = json!({ "x-webhook-signature": signature }).to_string();
    std::thread::spawn(move || {
        let mut hanging = Vec::new();
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let mut reader = BufReader::new(stream.try_clone().expect("a handle"));
            let mut request = String::new();
            reader.read_line(&mut request).expect("a request");
            let mut length = 0;
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).expect("a header");
                let line = line.trim().to_ascii_lowercase();
                if let Some(value) = line.strip_prefix("content-length:") {
                    length = value.trim().parse().expect("a length");
                }
                if line.is_empty() {
                    break;
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).expect("a body");
            let (status, body) = if request.starts_with("GET") {
                (200, &*document)
            } else if let Some(answer) = answer(&request) {
                answer
            } else {
                hanging.push(stream);
                continue;
            };
            let answer = format!(
                "HTTP/1.1 {status} x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            );
            stream.write_all(answer.as_bytes()).expect("it is read");
        }
    });
    url
}

#[test]
fn a_registration_that_is_refused_half_way_is_undone() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut made = 0;
    let url = small_server(move |request| {
        if request.starts_with("DELETE") {
            return Some((204, ""));
        }
        made += 1;
        Some(match made {
            1 => (200, r#"{"id":"w-1"}"#),
            _ => (400, r#"{"message":"enough webhooks"}"#),
        })
    });
    let arguments = [
        "listen",
        "--server",
        &url,
        "equals-money",
        "BoxCredited",
        "BoxDebited",
    ];
    let said = refusal(&run(folder.path(), &arguments));
    assert!(
        said.contains("enough webhooks") && said.contains("unregistered w-1"),
        "{said}"
    );
}

#[test]
fn a_second_signal_does_not_wait_and_names_what_is_left() {
    let folder = tempfile::tempdir().expect("a folder");
    let (sender, deletes) = mpsc::channel();
    let url = small_server(move |request| {
        if request.starts_with("POST") {
            return Some((200, r#"{"id":"w-1"}"#));
        }
        let _ = sender.send(());
        None
    });
    let mut listener = Listener::spawn(folder.path(), &url, &["equals-money", "BoxCredited"]);
    listener.wait_for("listening on ");
    listener.signal("-INT");
    deletes.recv_timeout(PATIENCE).expect("it unregisters");
    // Two within a second are one.
    wait_until("it ends", || {
        listener.signal("-INT");
        listener
            .child
            .try_wait()
            .expect("it can be asked")
            .is_some()
    });
    let (code, notes) = listener.end();
    assert_eq!(code, Some(1), "{notes:?}");
    let said = notes.last().expect("it says something");
    assert!(said.ends_with("; still registered: w-1"), "{notes:?}");
}

#[test]
fn wrong_usage_is_told_with_exit_code_2() {
    let folder = tempfile::tempdir().expect("a folder");
    for arguments in [
        &["publish", "conduit"][..],
        &["publish", "operator", "x"],
        &["publish", "conduit", "x", "--server", "localhost:8080"],
        &["listen", "conduit"],
        &["listen", "conduit", "x", "--answer", "100"],
        &["listen", "conduit", "x", "--count", "0"],
        &["listen", "conduit", "x", "--port", "65536"],
        &["listen", "conduit", "x", "--forward-to", "ftp://a"],
        &[
            "listen",
            "conduit",
            "x",
            "--forward-to",
            "a:1",
            "--answer",
            "200",
        ],
        &["deliveries", "evt_351DUZaHXTOPxyvBf6L9XdlW5oq"],
        &["deliveries", "--state", "lost"],
        &["deliveries", "--limit", "0"],
        &[
            "deliveries",
            "8b53639f-152c-4fc6-af30-802fde462ba0",
            "--state",
            "pending",
        ],
        &["deliveries", "--from", "yesterday"],
        &["events", "../keys"],
        &["webhooks", "../keys"],
        &["webhooks", "--enabled", "--disabled"],
        &["retry"],
    ] {
        let output = run(folder.path(), arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    }
    for command in [
        "publish",
        "listen",
        "deliveries",
        "events",
        "webhooks",
        "retry",
    ] {
        let help = run(folder.path(), &[command, "--help"]);
        let help = String::from_utf8_lossy(&help.stdout).into_owned();
        assert!(
            help.contains("Examples:") && help.contains("TRUEHOOK_SERVER"),
            "{help}"
        );
    }
}
