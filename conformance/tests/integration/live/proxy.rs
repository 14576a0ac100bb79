//! Proxies: plain requests and tunnels go through them, with a user and a password, and their refusals are told.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use super::server::{Authority, Live, json, pong, read, tls_config};
use super::*;

/// `me:hunter22`.
const AUTHORIZATION: &str = "Basic bWU6aHVudGVyMjI=";

/// A proxy that takes tunnels and plain requests to this machine; it wants a password.
fn proxy(log: Arc<Mutex<Vec<String>>>) -> Live {
    Live::raw(move |mut stream| {
        let Some(request) = read(&mut stream) else {
            return;
        };
        log.lock()
            .expect("no thread panics")
            .push(format!("{} {}", request.method, request.target));
        if request.header("proxy-authorization") != Some(AUTHORIZATION) {
            let _ = stream.write_all(b"HTTP/1.1 407 Who\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            return;
        }
        if request.method == "CONNECT" {
            let port = request.target.rsplit(':').next().expect("a port");
            let Ok(server) = TcpStream::connect(format!("127.0.0.1:{port}")) else {
                let _ = stream.write_all(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n");
                return;
            };
            let _ = stream.write_all(b"HTTP/1.1 200 Connected\r\n\r\n");
            let (mut from, mut to) = (
                stream.try_clone().expect("a socket"),
                server.try_clone().expect("a socket"),
            );
            let (mut back, mut server) = (stream, server);
            thread::spawn(move || {
                let _ = io::copy(&mut from, &mut to);
                let _ = to.shutdown(Shutdown::Write);
            });
            let _ = io::copy(&mut server, &mut back);
            let _ = back.shutdown(Shutdown::Both);
            return;
        }
        // http://HOST:PORT/PATH
        let rest = request.target.strip_prefix("http://").expect("is absolute");
        let (host, path) = rest.split_once('/').expect("has a path");
        let mut server = TcpStream::connect(host).expect("the server is there");
        let sent = format!(
            "{} /{path} HTTP/1.1\r\nHost: {host}\r\n\r\n",
            request.method
        );
        let _ = server.write_all(sent.as_bytes());
        let mut answer = Vec::new();
        let _ = server.read_to_end(&mut answer);
        let _ = stream.write_all(&answer);
    })
}

#[test]
fn plain_requests_and_tunnels_go_through_the_proxy() {
    let place = Place::new(PING);
    let log = Arc::new(Mutex::new(Vec::new()));
    let proxy = proxy(Arc::clone(&log));
    let url = format!("http://me:hunter22@127.0.0.1:{}", proxy.port);
    let plain = Live::http(pong);
    let run = place.replay(&plain.url(), &["--proxy", &url]);
    assert_eq!(run.code, 0, "{run:?}");
    let authority = Authority::new();
    let ca = place.write("ca.pem", &authority.certificate);
    let identity = authority.issue(&["localhost"], |_| ());
    let secure = Live::tls(tls_config(&identity, None), pong);
    let target = format!("https://localhost:{}", secure.port);
    let run = place.replay(&target, &["--ca-file", &ca, "--proxy", &url]);
    assert_eq!(run.code, 0, "{run:?}");
    let log = log.lock().expect("no thread panics").clone();
    assert!(
        log.contains(&format!("GET {}/ping", plain.url())),
        "{log:?}"
    );
    assert!(
        log.contains(&format!("CONNECT localhost:{}", secure.port)),
        "{log:?}"
    );
    assert_eq!((plain.requests().len(), secure.requests().len()), (1, 1));
    // Certificates are verified behind the proxy as well.
    let run = place.replay(&target, &["--proxy", &url]);
    refused(&run, &["unknown authority"]);
}

#[test]
fn a_proxy_that_cannot_be_used_is_told_without_its_password() {
    let place = Place::new(PING);
    let log = Arc::new(Mutex::new(Vec::new()));
    let proxy = proxy(log);
    let target = "https://localhost:9";
    let with = |url: &str| {
        let run = place.replay(target, &["--proxy", url]);
        assert!(!format!("{run:?}").contains("hunter2"), "{run:?}");
        run
    };
    let right = format!("http://me:hunter22@127.0.0.1:{}", proxy.port);
    let wrong = format!("http://me:hunter23@127.0.0.1:{}", proxy.port);
    refused(
        &with(&wrong),
        &[
            "the proxy http://127.0.0.1:",
            "asks for a user and a password",
        ],
    );
    refused(
        &with(&right),
        &["answered HTTP/1.1 502 Bad Gateway to CONNECT localhost:9"],
    );
    let silent = Live::raw(drop);
    refused(
        &with(&format!("http://127.0.0.1:{}", silent.port)),
        &["the proxy "],
    );
    let odd = Live::http(|_| b"SSH-2.0-x\r\n\r\n".to_vec());
    refused(
        &with(&format!("http://127.0.0.1:{}", odd.port)),
        &["does not answer as an HTTP proxy does"],
    );
    refused(
        &with("socks5://me:hunter22@h"),
        &["--proxy: write it as http://HOST:PORT"],
    );
    let server = Live::http(|_| json(200, "{\"pong\": true}"));
    let run = place.replay(&server.url(), &["--proxy", &wrong]);
    assert_eq!(run.code, 2, "{run:?}");
    assert!(run.out.contains("407"), "{run:?}");
    assert!(!format!("{run:?}").contains("hunter2"), "{run:?}");
}
