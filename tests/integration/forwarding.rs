//! `listen --forward-to` and `listen --host`, as people use them against a real server.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStdout, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::Value;

use crate::commands::{printed, until};
use crate::process::receiver::{Receiver, fail};
use crate::process::{Server, truehook};

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
    let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
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
