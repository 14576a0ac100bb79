//! The way to receivers as an operator sets it: a proxy, and a certificate authority of their own.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, mpsc};

use crate::process::receiver::{self, Receiver};
use crate::process::{PATIENCE, QUIET, Server, run, wait_until};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// A certificate for `127.0.0.1`, which no system trusts.
fn certificate() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/worker/sender/tests/certificate.pem")
}

/// A receiver that speaks TLS and accepts everything; gives its URL.
fn secure_receiver() -> String {
    let key = certificate().with_file_name("key.pem");
    let key = PrivateKeyDer::from_pem_file(key).expect("a key");
    let chain = vec![CertificateDer::from_pem_file(certificate()).expect("a certificate")];
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring has cipher suites for the default versions")
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .expect("the key is that of the certificate");
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!(
        "https://{}/hook",
        listener.local_addr().expect("an address")
    );
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let config = config.clone();
            std::thread::spawn(move || {
                let tls = ServerConnection::new(config).expect("a connection");
                // The other side may refuse the certificate, or close.
                let _ = accept_all(StreamOwned::new(tls, stream));
            });
        }
    });
    url
}

fn accept_all(stream: impl Read + Write) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let mut length = 0;
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line)? == 0 {
                return Ok(());
            }
            if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.trim().parse().expect("a length");
            }
            if line == "\r\n" {
                break;
            }
        }
        stream.read_exact(&mut vec![0; length])?;
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
        stream.get_mut().write_all(answer)?;
    }
}

/// A proxy that opens every tunnel; gives its address and what it was asked for.
fn proxy() -> (String, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address").to_string();
    let (heard, asked) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let heard = heard.clone();
            std::thread::spawn(move || open_tunnel(stream, &heard));
        }
    });
    (address, asked)
}

fn open_tunnel(mut client: TcpStream, heard: &mpsc::Sender<String>) -> io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        client.read_exact(&mut byte)?;
        head.extend(byte);
    }
    let head = String::from_utf8(head).expect("ASCII");
    let target = head.split(' ').nth(1).expect("a target").to_owned();
    let mut receiver = TcpStream::connect(target)?;
    client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
    // The test may have seen enough.
    let _ = heard.send(head);
    let (mut from_receiver, mut to_client) = (receiver.try_clone()?, client.try_clone()?);
    std::thread::spawn(move || io::copy(&mut from_receiver, &mut to_client));
    io::copy(&mut client, &mut receiver).map(drop)
}

#[test]
fn deliveries_go_through_the_proxy_to_a_receiver_with_a_private_authority() {
    let receiver = secure_receiver();
    let (address, asked) = proxy();
    let authority = certificate();
    let authority = authority.to_str().expect("UTF-8");
    let url = format!("http://user:pass%20word@{address}");
    let arguments = ["--egress-proxy", &url, "--ca-file", authority];
    let server = Server::start(&[&QUIET[..], &arguments].concat());
    server
        .conduit()
        .register(&receiver, &["transaction.completed"]);
    let event = server.operator().publish(1);
    let head = asked.recv_timeout(PATIENCE).expect("the proxy is asked");
    let host = receiver
        .trim_start_matches("https://")
        .trim_end_matches("/hook");
    assert!(
        head.starts_with(&format!("CONNECT {host} HTTP/1.1\r\n")),
        "{head}"
    );
    assert!(
        head.contains("\r\nproxy-authorization: Basic dXNlcjpwYXNzIHdvcmQ=\r\n"),
        "{head}"
    );
    wait_until("it is delivered", || {
        server.operator().deliveries(&event)[0]["state"] == "delivered"
    });
    let delivery = &server.operator().deliveries(&event)[0];
    assert_eq!(delivery["attemptCount"], 1, "{delivery}");
    assert!(asked.try_recv().is_err(), "more than one tunnel was opened");
}

#[test]
fn while_the_proxy_is_away_deliveries_wait_and_no_attempt_is_counted() {
    let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", free.local_addr().expect("an address"));
    drop(free);
    let server = Server::start(&[&QUIET[..], &["--egress-proxy", &url]].concat());
    server
        .conduit()
        .register(&secure_receiver(), &["transaction.completed"]);
    let event = server.operator().publish(1);
    let metric = "truehook_attempts_postponed_total{lack=\"proxy\"}";
    wait_until("attempts are postponed", || {
        server.operator().metric(metric) >= 2.0
    });
    let delivery = &server.operator().deliveries(&event)[0];
    assert_eq!(delivery["state"], "pending", "{delivery}");
    let log = server.log();
    assert!(
        log.iter()
            .any(|line| line.contains("the egress proxy cannot be reached")),
        "{log:#?}"
    );
}

#[test]
fn a_busy_connection_is_replaced_at_the_age_that_is_set() {
    let ports = Arc::new(Mutex::new(Vec::new()));
    let seen = ports.clone();
    let receiver = Receiver::start(move |_, stream| {
        let port = stream.peer_addr()?.port();
        seen.lock().expect("nobody panicked").push(port);
        receiver::accept(stream)
    });
    let arguments = ["--connection-age-seconds", "1"];
    let server = Server::start(&[&QUIET[..], &arguments].concat());
    server
        .conduit()
        .register(&receiver.url, &["transaction.completed"]);
    let mut operator = server.operator();
    let mut number = 0;
    let requests_on_first = || {
        let ports = ports.lock().expect("nobody panicked");
        let on_first = ports.iter().filter(|port| **port == ports[0]).count();
        (on_first, ports.len())
    };
    wait_until("a second connection is opened", || {
        number += 1;
        operator.publish(number);
        // One at a time, so that one connection is enough.
        wait_until("it is received", || requests_on_first().1 == number);
        requests_on_first().0 < number
    });
    assert!(requests_on_first().0 > 1, "no connection was kept");
}

#[test]
fn settings_that_cannot_work_stop_the_start_and_say_why() {
    let folder = tempfile::tempdir().expect("a folder");
    for (arguments, reason) in [
        (
            ["--egress-proxy", "https://u:hunter2@proxy"],
            "--egress-proxy must be an http URL",
        ),
        (
            ["--ca-file", "/nowhere/ca.pem"],
            "--ca-file /nowhere/ca.pem",
        ),
    ] {
        let output = run(folder.path(), &[&["serve"][..], &arguments].concat());
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success());
        assert!(text.contains(reason) && !text.contains("hunter2"), "{text}");
    }
}
