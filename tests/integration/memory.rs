//! Receivers that answer with more than anybody wants to read cost the server no memory, and their attempts end; nor do clients that ask
//! for more than they read.

use std::io::{self, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::process::receiver::{self, Receiver, Request};
use crate::process::{QUIET, Server, wait_until};
use serde_json::Value;

/// Deliveries to each of the hostile receivers.
const EVENTS: usize = 13;

/// By how much the memory of the server may grow.
const GROWTH: u64 = 10 * 1024 * 1024;

/// A name, how it answers, and how an attempt at it ends.
type Hostile = (
    &'static str,
    fn(&Request, &mut TcpStream) -> io::Result<()>,
    End,
);

/// How an attempt ends.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    /// Answered with 200, and the body is cut.
    Cut,
    /// Not answered in time.
    Deadline,
    /// No valid answer.
    Failed,
}

fn endless_body(_: &Request, stream: &mut TcpStream) -> io::Result<()> {
    stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")?;
    let chunk = [b"10000\r\n", &[b'x'; 0x10000][..], b"\r\n"].concat();
    loop {
        stream.write_all(&chunk)?;
    }
}

fn endless_head(_: &Request, stream: &mut TcpStream) -> io::Result<()> {
    stream.write_all(b"HTTP/1.1 200 OK\r\n")?;
    let header = format!("X-More: {}\r\n", "x".repeat(1_000));
    loop {
        stream.write_all(header.as_bytes())?;
    }
}

fn slow_drip(_: &Request, stream: &mut TcpStream) -> io::Result<()> {
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")?;
    loop {
        stream.write_all(b"x")?;
        // The pace of the receiver: fast enough for any limit between two bytes, too slow for the deadline.
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Small enough to be read whole, and hundreds of megabytes for all deliveries together once it is inflated.
fn gzip_bomb(_: &Request, stream: &mut TcpStream) -> io::Result<()> {
    let bomb = bomb(60_000);
    let head = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Type: text/plain\r\n";
    write!(stream, "{head}Content-Length: {}\r\n\r\n", bomb.len())?;
    stream.write_all(&bomb)
}

/// A gzip stream of about this length that inflates to about 160 times as much: a zero, and then nothing but "258 times the last byte"
/// (RFC 1951, section 3.2.6: fixed codes, the length 285 in 8 bits and the distance 0 in 5). It has no end.
fn bomb(length: usize) -> Vec<u8> {
    let literal = [false, false, true, true, false, false, false, false];
    let repeat = [
        true, true, false, false, false, true, false, true, false, false, false, false, false,
    ];
    // The last block; fixed codes, with the lower bit first.
    let mut bits = vec![true, true, false];
    bits.extend(literal);
    while bits.len() < 8 * length {
        bits.extend(repeat);
    }
    let mut bytes = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
    let byte = |bits: &[bool]| {
        bits.iter()
            .rev()
            .fold(0, |byte, bit| byte << 1 | u8::from(*bit))
    };
    bytes.extend(bits.chunks_exact(8).map(byte));
    bytes
}

const HOSTILE: [Hostile; 4] = [
    ("endless body", endless_body, End::Cut),
    ("endless head", endless_head, End::Failed),
    ("slow drip", slow_drip, End::Deadline),
    ("gzip bomb", gzip_bomb, End::Cut),
];

#[track_caller]
fn judge(name: &str, attempt: &Value, expected: End) {
    let total = attempt["durationMs"]["total"]
        .as_f64()
        .expect("a recorded attempt");
    let error = attempt["error"].as_str().unwrap_or_default();
    let end = if attempt["status"] == 200 && attempt["responseTruncated"] == true {
        End::Cut
    } else if error.contains("deadline") {
        End::Deadline
    } else {
        End::Failed
    };
    assert_eq!(end, expected, "{name}: {attempt:#}");
    // Late by what a busy machine takes, and never early.
    let at_deadline = (9_900.0..15_000.0).contains(&total);
    assert_eq!(at_deadline, end == End::Deadline, "{name} took {total} ms");
    let body = attempt["responseBody"].as_str().unwrap_or_default();
    assert!(
        body.len() <= 64 * 1024,
        "{name}: {} bytes are kept",
        body.len()
    );
    let headers = attempt["requestHeaders"].as_array().expect("headers");
    let asks = |header: &Value| {
        let name = header["name"].as_str().expect("a name");
        name.eq_ignore_ascii_case("accept-encoding")
    };
    assert!(
        !headers.iter().any(asks),
        "{name}: it asked for a compressed answer"
    );
}

#[test]
#[expect(clippy::print_stdout, reason = "the figures are wanted")]
fn answers_without_end_cost_no_memory_and_their_attempts_end() {
    let server = Server::start(&QUIET);
    let is_hostile = Arc::new(AtomicBool::new(false));
    let webhooks: Vec<(Receiver, String)> = HOSTILE
        .into_iter()
        .map(|(_, answer, _)| {
            let is_hostile = is_hostile.clone();
            let receiver = Receiver::start(move |request, stream| {
                if is_hostile.load(Ordering::SeqCst) {
                    answer(request, stream)
                } else {
                    receiver::accept(stream)
                }
            });
            let id = server
                .conduit()
                .register(&receiver.url, &["transaction.completed"]);
            (receiver, id)
        })
        .collect();
    let mut operator = server.operator();
    let pending = "/operator/v1/deliveries?state=pending";

    // Whatever is made once and kept (connections, caches of the database, code that is paged in) is there before memory is measured.
    for number in 0..200 {
        operator.publish(number);
    }
    wait_until("the friendly ones are done", || {
        operator.list(pending).is_empty()
    });
    let before = server.resident();

    is_hostile.store(true, Ordering::SeqCst);
    let events: Vec<Value> = (0..EVENTS)
        .map(|number| operator.publish(1_000 + number))
        .collect();
    let mut most = before;
    let attempted = "truehook_attempts_in_flight";
    wait_until("every attempt has ended", || {
        most = most.max(server.resident());
        operator.metric(attempted) == 0.0
    });
    most = most.max(server.resident());

    let (mut deliveries, names) = (0, HOSTILE.map(|(name, ..)| name));
    for delivery in events.iter().flat_map(|event| operator.deliveries(event)) {
        let webhook = webhooks
            .iter()
            .position(|(_, id)| delivery["webhookId"] == id.as_str());
        let (name, _, end) = HOSTILE[webhook.unwrap()];
        judge(name, &delivery["attempts"][0], end);
        let state = if end == End::Cut {
            "delivered"
        } else {
            "pending"
        };
        assert_eq!(delivery["state"], state, "{name}");
        deliveries += 1;
    }
    let grown = most - before;
    println!(
        "{deliveries} deliveries to {names:?}: {} KiB before, {} KiB more at most",
        before / 1024,
        grown / 1024
    );
    assert_eq!(deliveries, EVENTS * HOSTILE.len());
    assert!(grown < GROWTH, "{grown} bytes more than {before}");
}

/// How many clients ask for much and read nothing of it.
const DEAF: u32 = 200;

/// By how much they may make the memory of the server grow: by a quarter of what they ask for first.
const DEAF_GROWTH: u64 = 64 * 1024 * 1024;

fn deaf(server: &Server) -> TcpStream {
    let address = server.url.strip_prefix("http://").expect("an http URL");
    let mut stream = TcpStream::connect(address).expect("the server listens");
    let request = "GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: localhost\r\n\r\n";
    stream
        .write_all(request.repeat(30).as_bytes())
        .expect("the requests are sent");
    stream
}

#[test]
#[expect(clippy::print_stdout, reason = "the figures are wanted")]
fn clients_that_read_nothing_of_what_they_ask_for_cost_little_and_are_disconnected() {
    let server = Server::start(&[&QUIET[..], &["--stop-seconds", "300"]].concat());
    let mut operator = server.operator();
    let unread = "truehook_unread_connections_total";
    assert_eq!(operator.metric(unread), 0.0);
    let (before, sockets) = (server.resident(), server.sockets());
    let mut most = before;
    let clients: Vec<TcpStream> = (0..DEAF)
        .map(|_| {
            most = most.max(server.resident());
            deaf(&server)
        })
        .collect();
    wait_until("each is disconnected", || {
        most = most.max(server.resident());
        // On a busy machine the request of one or the other may be late, and its connection is closed for that.
        operator.metric(unread) > f64::from(DEAF) * 0.9 && server.sockets() <= sockets
    });
    drop(clients);
    let grown = most - before;
    println!(
        "{DEAF} clients: {} KiB before, {} KiB more at most",
        before / 1024,
        grown / 1024
    );
    assert!(grown < DEAF_GROWTH, "{grown} bytes more than {before}");

    // Nor do they hold up the end, which may take far longer.
    let clients: Vec<TcpStream> = (0..10).map(|_| deaf(&server)).collect();
    let begun = Instant::now();
    let (status, _) = server.stop();
    assert!(status.success(), "{status:?}");
    assert!(begun.elapsed() < Duration::from_secs(120));
    drop(clients);
}
