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

/// A plain and a secure server that were asked once each through a proxy.
struct Behind {
    place: Place,
    plain: Live,
    secure: Live,
    /// The URL of the secure one.
    target: String,
}

impl Behind {
    #[track_caller]
    fn asked_through(proxy: &str) -> Self {
        let place = Place::new(PING);
        let plain = Live::http(pong);
        let run = place.replay(&plain.url(), &["--proxy", proxy]);
        assert_eq!(run.code, 0, "{run:?}");
        let authority = Authority::new();
        let ca = place.write("ca.pem", &authority.certificate);
        let identity = authority.issue(&["localhost"], |_| ());
        let secure = Live::tls(tls_config(&identity, None), pong);
        let target = format!("https://localhost:{}", secure.port);
        let run = place.replay(&target, &["--ca-file", &ca, "--proxy", proxy]);
        assert_eq!(run.code, 0, "{run:?}");
        // The server gets the same request as without a proxy.
        assert_eq!(plain.requests()[0].target, "/ping");
        assert_eq!((plain.requests().len(), secure.requests().len()), (1, 1));
        Self {
            place,
            plain,
            secure,
            target,
        }
    }
}

/// Whether the log of a proxy has a line.
#[track_caller]
fn assert_logged(log: &Mutex<Vec<String>>, line: &String) {
    let log = log.lock().expect("no thread panics");
    assert!(log.contains(line), "{line}: {log:?}");
}

#[test]
fn plain_requests_and_tunnels_go_through_the_proxy() {
    let log = Arc::new(Mutex::new(Vec::new()));
    let proxy = proxy(Arc::clone(&log));
    let url = format!("http://me:hunter22@127.0.0.1:{}", proxy.port);
    let behind = Behind::asked_through(&url);
    assert_logged(&log, &format!("GET {}/ping", behind.plain.url()));
    assert_logged(&log, &format!("CONNECT localhost:{}", behind.secure.port));
    // Certificates are verified behind the proxy as well.
    let run = behind.place.replay(&behind.target, &["--proxy", &url]);
    refused(&run, &["unknown authority"]);
}

/// Passes bytes on in both directions until one side ends.
fn pass(near: impl Read + Write + Send + 'static, far: TcpStream) {
    // A stream of TLS cannot be read and written on two threads, so each side is asked in turn.
    let mut sides: (Box<dyn Both>, TcpStream) = (Box::new(near), far);
    let mut buffer = [0; 65536];
    sides
        .1
        .set_read_timeout(Some(std::time::Duration::from_millis(5)))
        .expect("a timeout");
    loop {
        for way in 0..2 {
            let read = match way {
                0 => sides.0.read(&mut buffer),
                _ => sides.1.read(&mut buffer),
            };
            let written = match read {
                Ok(0) => return,
                Ok(read) if way == 0 => sides.1.write_all(&buffer[..read]),
                Ok(read) => sides
                    .0
                    .write_all(&buffer[..read])
                    .and_then(|()| sides.0.flush()),
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
                    ) =>
                {
                    Ok(())
                }
                Err(_) => return,
            };
            if written.is_err() {
                return;
            }
        }
    }
}

trait Both: Read + Write + Send {}
impl<T: Read + Write + Send> Both for T {}

/// A SOCKS 5 proxy that wants `me` and `hunter22`, and notes the hosts that it was asked for.
fn socks(log: Arc<Mutex<Vec<String>>>) -> Live {
    Live::raw(move |mut stream| {
        let _ = socks_one(&mut stream, &log);
    })
}

fn socks_one(stream: &mut TcpStream, log: &Mutex<Vec<String>>) -> io::Result<()> {
    let mut greeting = [0; 2];
    stream.read_exact(&mut greeting)?;
    let mut methods = vec![0; usize::from(greeting[1])];
    stream.read_exact(&mut methods)?;
    if !methods.contains(&2) {
        return stream.write_all(&[5, 0xff]);
    }
    stream.write_all(&[5, 2])?;
    let text = |stream: &mut TcpStream| -> io::Result<String> {
        let mut length = [0];
        stream.read_exact(&mut length)?;
        let mut text = vec![0; usize::from(length[0])];
        stream.read_exact(&mut text)?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    };
    let mut version = [0];
    stream.read_exact(&mut version)?;
    let login = (text(stream)?, text(stream)?);
    if login != ("me".to_owned(), "hunter22".to_owned()) {
        return stream.write_all(&[1, 1]);
    }
    stream.write_all(&[1, 0])?;
    let mut head = [0; 4];
    stream.read_exact(&mut head)?;
    let host = match head[3] {
        1 => {
            let mut address = [0; 4];
            stream.read_exact(&mut address)?;
            std::net::Ipv4Addr::from(address).to_string()
        }
        _ => text(stream)?,
    };
    let mut port = [0; 2];
    stream.read_exact(&mut port)?;
    let port = u16::from_be_bytes(port);
    log.lock()
        .expect("no thread panics")
        .push(format!("{host}:{port}"));
    match TcpStream::connect(("127.0.0.1", port)) {
        Err(_) => stream.write_all(&[5, 5, 0, 1, 0, 0, 0, 0, 0, 0]),
        Ok(server) => {
            stream.write_all(&[5, 0, 0, 1, 127, 0, 0, 1, 0, 80])?;
            let near = stream.try_clone()?;
            near.set_read_timeout(Some(std::time::Duration::from_millis(5)))?;
            pass(near, server);
            Ok(())
        }
    }
}

#[test]
fn plain_and_secure_connections_go_through_a_socks_proxy() {
    let log = Arc::new(Mutex::new(Vec::new()));
    let proxy = socks(Arc::clone(&log));
    let url = format!("socks5://me:hunter22@127.0.0.1:{}", proxy.port);
    let behind = Behind::asked_through(&url);
    // The proxy looks up names.
    assert_logged(&log, &format!("127.0.0.1:{}", behind.plain.port));
    assert_logged(&log, &format!("localhost:{}", behind.secure.port));
    let Behind { place, target, .. } = behind;
    for (url, part) in [
        (
            format!("socks5://me:hunter23@127.0.0.1:{}", proxy.port),
            "refuses the user and the password",
        ),
        (
            format!("socks5://127.0.0.1:{}", proxy.port),
            "asks for a user and a password",
        ),
        (
            format!("socks5://me:{}@127.0.0.1:{}", "p".repeat(256), proxy.port),
            "255 bytes",
        ),
    ] {
        let run = place.replay(&target, &["--proxy", &url]);
        assert!(!format!("{run:?}").contains("hunter2"), "{run:?}");
        refused(&run, &[part]);
    }
    let run = place.replay("http://127.0.0.1:9", &["--proxy", &url]);
    refused(&run, &["the connection was refused"]);
}

#[test]
fn the_connection_to_a_proxy_may_be_one_of_tls() {
    let place = Place::new(PING);
    let authority = Authority::new();
    let ca = place.write("ca.pem", &authority.certificate);
    let identity = authority.issue(&["localhost"], |_| ());
    let secure = Live::tls(tls_config(&identity, None), pong);
    let port = secure.port;
    let config = Arc::new(tls_config(&identity, None));
    let proxy = Live::raw(move |stream| {
        let connection =
            rustls::ServerConnection::new(Arc::clone(&config)).expect("is well-formed");
        let timeout = Some(std::time::Duration::from_millis(5));
        let mut stream = rustls::StreamOwned::new(connection, stream);
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") {
            match stream.read(&mut byte) {
                Ok(1) => head.push(byte[0]),
                _ => return,
            }
        }
        let head = String::from_utf8_lossy(&head).into_owned();
        if !head.starts_with(&format!("CONNECT localhost:{port} ")) || !head.contains(AUTHORIZATION)
        {
            return;
        }
        let _ = stream.write_all(b"HTTP/1.1 200 Connected\r\n\r\n");
        let _ = stream.flush();
        stream.sock.set_read_timeout(timeout).expect("a timeout");
        pass(
            stream,
            TcpStream::connect(("127.0.0.1", port)).expect("is there"),
        );
    });
    let target = format!("https://localhost:{port}");
    let url = format!("https://me:hunter22@localhost:{}", proxy.port);
    let run = place.replay(&target, &["--ca-file", &ca, "--proxy", &url]);
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(secure.requests().len(), 1);
    // Its certificate is verified, too.
    let run = place.replay(&target, &["--proxy", &url]);
    refused(&run, &["the proxy https://localhost:", "unknown authority"]);
    let plain = Live::http(pong);
    let url = format!("https://localhost:{}", plain.port);
    let run = place.replay(&target, &["--ca-file", &ca, "--proxy", &url]);
    refused(&run, &["the proxy https://localhost:"]);
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
        &with("socks4://me:hunter22@h"),
        &["--proxy: write it as http://HOST:PORT"],
    );
    let server = Live::http(|_| json(200, "{\"pong\": true}"));
    let run = place.replay(&server.url(), &["--proxy", &wrong]);
    assert_eq!(run.code, 2, "{run:?}");
    assert!(run.out.contains("407"), "{run:?}");
    assert!(!format!("{run:?}").contains("hunter2"), "{run:?}");
}
