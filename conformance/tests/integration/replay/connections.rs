//! Connections: kept alive, shared by no two requests, and never blamed on a server that closed one while it was idle.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use conformance::exchange::{Client, Exchange, Request as Sent, Transport};
use conformance::finding::Failure;

use super::*;

/// A server's action after it has read a request.
#[derive(Debug, Clone, Copy, PartialEq)]
enum After {
    Answer,
    /// Answers and closes without a word.
    AnswerAndClose,
    /// Closes without an answer.
    Close,
    /// Closes in the middle of the answer.
    Cut,
}

struct Keeping {
    url: String,
    connections: Arc<AtomicUsize>,
    /// The bytes of each request, in order.
    seen: Arc<Mutex<Vec<String>>>,
}

/// A server that keeps connections alive; `after` gets the numbers of the connection and of the request on it.
fn keeping(after: impl Fn(usize, usize) -> After + Send + Sync + 'static) -> Keeping {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let (connections, seen) = (Arc::new(AtomicUsize::new(0)), Arc::default());
    let after = Arc::new(after);
    let (count, log) = (Arc::clone(&connections), Arc::clone(&seen));
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let connection = count.fetch_add(1, Ordering::SeqCst);
            let (after, log) = (Arc::clone(&after), Arc::clone(&log));
            thread::spawn(move || serve(&stream, connection, &*after, &log));
        }
    });
    Keeping {
        url,
        connections,
        seen,
    }
}

fn serve(
    mut stream: &TcpStream,
    connection: usize,
    after: &dyn Fn(usize, usize) -> After,
    log: &Mutex<Vec<String>>,
) {
    let mut reader = BufReader::new(stream);
    for number in 0.. {
        let mut request = String::new();
        while !request.ends_with("\r\n\r\n") {
            if reader.read_line(&mut request).unwrap_or(0) == 0 {
                return;
            }
        }
        let length = request
            .lines()
            .find_map(|line| line.strip_prefix("Content-Length: "))
            .map_or(0, |length| length.parse().expect("a number"));
        let mut body = vec![0; length];
        if reader.read_exact(&mut body).is_err() {
            return;
        }
        request += &String::from_utf8_lossy(&body);
        log.lock().expect("no thread panics").push(request);
        let answer: &[u8] = match after(connection, number) {
            After::Answer | After::AnswerAndClose => {
                b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
            }
            After::Close => b"",
            After::Cut => b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok",
        };
        if stream.write_all(answer).is_err() || after(connection, number) != After::Answer {
            let _ = stream.shutdown(std::net::Shutdown::Both);
            return;
        }
    }
}

/// Sends requests with these methods one after the other.
fn send(server: &Keeping, methods: &[&str]) -> Vec<Exchange> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let client = Client::new(std::time::Duration::from_secs(30), &Transport::default())
            .expect("no file is named");
        client.reach(&server.url).await.expect("a connection");
        let mut exchanges = Vec::new();
        for method in methods {
            let request = Sent {
                method: (*method).to_owned(),
                url: format!("{}/a/../b?c=d", server.url),
                headers: vec![("X-One".to_owned(), "1".to_owned())],
                body: (*method == "POST").then(|| b"{}".to_vec()),
            };
            exchanges.push(client.send(request).await.expect("can be written"));
        }
        exchanges
    })
}

fn failures(exchanges: &[Exchange]) -> Vec<Option<&Failure>> {
    exchanges.iter().map(|one| one.failure.as_ref()).collect()
}

#[test]
fn one_connection_serves_requests_that_follow_each_other_and_the_bytes_are_those_of_the_record() {
    let server = keeping(|_, _| After::Answer);
    let exchanges = send(&server, &["GET", "GET", "POST", "DELETE"]);
    assert_eq!(failures(&exchanges), [None; 4]);
    assert_eq!(server.connections.load(Ordering::SeqCst), 1);
    let host = server.url.trim_start_matches("http://");
    let seen = server.seen.lock().expect("no thread panics");
    assert_eq!(
        seen[2],
        format!(
            "POST /a/../b?c=d HTTP/1.1\r\nHost: {host}\r\nX-One: 1\r\nContent-Length: 2\r\n\r\n{{}}"
        )
    );
    assert_eq!(
        seen[0],
        format!("GET /a/../b?c=d HTTP/1.1\r\nHost: {host}\r\nX-One: 1\r\n\r\n")
    );
}

#[test]
fn a_connection_that_the_server_closed_while_it_was_idle_is_not_blamed_on_it() {
    // Both without a word: right after the answer, and only when the next request has come.
    for after in [After::AnswerAndClose, After::Close] {
        let server = keeping(move |_, number| match (after, number) {
            (After::Close, 0) => After::Answer,
            (after, _) => after,
        });
        let exchanges = send(&server, &["GET", "GET", "POST", "POST", "PUT", "GET"]);
        assert_eq!(failures(&exchanges), [None; 6], "{after:?}");
        let seen = server.seen.lock().expect("no thread panics");
        let posts = seen.iter().filter(|request| request.starts_with("POST"));
        assert_eq!(posts.count(), 2, "a POST is sent once: {seen:?}");
    }
}

#[test]
fn a_server_that_closes_a_new_connection_without_an_answer_is_blamed() {
    let server = keeping(|_, _| After::Close);
    for exchange in send(&server, &["GET", "POST"]) {
        assert!(
            matches!(exchange.failure, Some(Failure::Broken { .. })),
            "{exchange:?}"
        );
    }
    assert_eq!(server.seen.lock().expect("no thread panics").len(), 2);
}

#[test]
fn an_answer_that_breaks_off_is_not_asked_for_again() {
    let server = keeping(|_, number| match number {
        0 => After::Answer,
        _ => After::Cut,
    });
    let exchanges = send(&server, &["GET", "GET"]);
    assert!(
        matches!(exchanges[1].failure, Some(Failure::Broken { .. })),
        "{:?}",
        exchanges[1]
    );
    let response = exchanges[1].response.as_ref().expect("a part of it");
    assert_eq!(
        (response.status, response.body.as_slice()),
        (200, &b"ok"[..])
    );
    assert_eq!(server.seen.lock().expect("no thread panics").len(), 2);
}

#[test]
fn requests_of_a_run_share_as_many_connections_as_there_are_workers() {
    let server = keeping(|_, _| After::Answer);
    let text = "openapi: 3.1.0\ninfo: {title: T, version: '1'}\npaths:\n  /items:\n    get:\n      parameters: [{name: q, in: query, schema: {type: integer, minimum: 1, maximum: 9}}]\n      responses: {'200': {description: d}}\n";
    for workers in [1, 4] {
        let before = server.connections.load(Ordering::SeqCst);
        let mut options = Options::new(&server.url);
        options.generate = Some(conformance::replay::Generate::default());
        options.workers = workers;
        let outcome = replay_with(text, &options).0.expect("a result");
        assert!(outcome.checked["generated requests"] > 5);
        // Before the server has kept one alive, a POST takes a connection of its own.
        let made = server.connections.load(Ordering::SeqCst) - before;
        assert!((1..=workers + 2).contains(&made), "{made}");
    }
}
