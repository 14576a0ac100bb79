//! Servers that do all they can to break the check: one line and exit code 2 where nothing could be checked, findings where the server is
//! at fault, no panic, and bounded memory and time.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::server::{Live, json, pong, read};
use super::*;

/// Most memory that a run may take, in bytes: the limit of a body (10 MB) with room for eight workers.
const MEMORY: u64 = 200 * 1024 * 1024;

/// A run that takes longer than this hangs: a machine that is busy is slow, too.
const PATIENCE: Duration = Duration::from_secs(180);

/// The longest time of the quickest request, in seconds. A busy machine delays some requests; a deadline that is not looked at delays all.
const LATE: f64 = 1.1;

/// How many requests there were, and how many seconds the quickest one took.
fn quickest(place: &Place) -> (usize, f64) {
    let text = std::fs::read_to_string(place.0.path().join("sent.har")).expect("is written");
    let archive: serde_json::Value = serde_json::from_str(&text).expect("is JSON");
    let entries = archive["log"]["entries"].as_array().expect("has entries");
    let times = entries
        .iter()
        .map(|entry| entry["time"].as_f64().expect("a number") / 1e3);
    (entries.len(), times.fold(f64::MAX, f64::min))
}

/// A document of four operations, with a sample of each answer.
fn four() -> String {
    let paths = PING.split_once("paths:\n").expect("has paths").1;
    let mut text = PING.to_owned();
    for name in ["pong", "pung", "peng"] {
        text += &paths
            .replace("/ping", &format!("/{name}"))
            .replace(": ping", &format!(": {name}"));
    }
    text
}

/// Runs the program and returns the most memory that it had, where the system tells.
fn measured(place: &Place, arguments: &[&str]) -> (Run, Option<u64>) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_conformance"))
        .args(arguments)
        .current_dir(place.0.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("runs");
    let mut pipes = (
        child.stdout.take().expect("a pipe"),
        child.stderr.take().expect("a pipe"),
    );
    let out = thread::spawn(move || text(&mut pipes.0));
    let error = thread::spawn(move || text(&mut pipes.1));
    let (code, peak) = watch(&mut child);
    let run = Run {
        code,
        out: out.join().expect("reads"),
        error: error.join().expect("reads"),
    };
    (run, peak)
}

fn text(pipe: &mut impl Read) -> String {
    let mut text = String::new();
    pipe.read_to_string(&mut text).expect("is text");
    text
}

/// Waits for the end of a program; its peak of memory only grows, so that the last look tells it.
fn watch(child: &mut Child) -> (i32, Option<u64>) {
    let start = Instant::now();
    let mut peak = None;
    loop {
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id()));
        let line = status.ok().and_then(|status| {
            let line = status
                .lines()
                .find_map(|line| line.strip_prefix("VmHWM:"))?;
            line.trim().trim_end_matches(" kB").parse::<u64>().ok()
        });
        peak = line.map(|kilobytes| kilobytes * 1024).or(peak);
        if let Some(status) = child.try_wait().expect("is a child") {
            return (status.code().expect("exits"), peak);
        }
        if start.elapsed() > PATIENCE {
            child.kill().expect("ends");
            panic!("it hangs");
        }
        thread::sleep(Duration::from_millis(5));
    }
}

/// Writes as long as the other side reads.
fn flood(stream: &mut TcpStream, head: &[u8], chunk: &[u8]) {
    if stream.write_all(head).is_ok() {
        while stream.write_all(chunk).is_ok() {}
    }
}

/// Keeps a connection open until the other side ends it.
fn hold(mut stream: TcpStream) {
    let mut buffer = [0; 1024];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return,
            Err(error) if error.kind() != ErrorKind::Interrupted => return,
            _ => {}
        }
    }
}

/// A server that reads the request and then does as it likes.
fn nasty(act: impl Fn(TcpStream) + Send + Sync + 'static) -> Live {
    Live::raw(move |mut stream| {
        if read(&mut stream).is_some() {
            act(stream);
        }
    })
}

fn says(bytes: &'static [u8]) -> Live {
    nasty(move |mut stream| {
        let _ = stream.write_all(bytes);
    })
}

const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";

/// Returns a response that begins like a gigabyte of zeros, which gzip compresses to a thousandth.
fn bomb() -> Vec<u8> {
    let mut body = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0xec, 0xc1, 1, 1, 0, 0];
    body.extend([0; 1 << 16]);
    let mut answer = HEAD.to_vec();
    answer.extend(
        format!(
            "Content-Encoding: gzip\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        )
        .bytes(),
    );
    answer.extend(body);
    answer
}

#[test]
fn a_hostile_server_breaks_neither_the_check_nor_the_machine() {
    let place = Place::new(&four());
    let bomb = bomb();
    let hostile: Vec<(&str, Live, i32, &str)> = vec![
        (
            "hangs after the connection",
            Live::raw(hold),
            2,
            "does not respond within 0.7 s",
        ),
        (
            "hangs after the request",
            nasty(hold),
            2,
            "does not respond within 0.7 s",
        ),
        (
            "ends without an answer",
            nasty(drop),
            2,
            "ended without a response",
        ),
        (
            "ends before the request",
            Live::raw(drop),
            2,
            "without a response",
        ),
        (
            "is not HTTP",
            says(b"SSH-2.0-OpenSSH_9.6\r\n"),
            2,
            "without a response",
        ),
        (
            "answers with zeros",
            says(&[0; 4096]),
            2,
            "without a response",
        ),
        (
            "has another version",
            says(b"HTTP/3.0 200 OK\r\n\r\n"),
            2,
            "without a response",
        ),
        (
            "has a status of letters",
            says(b"HTTP/1.1 abc OK\r\n\r\n"),
            2,
            "without a response",
        ),
        (
            "has a TLS alert",
            says(&[0x15, 3, 1, 0, 2, 2, 70]),
            2,
            "without a response",
        ),
        (
            "has headers without end",
            nasty(|mut stream| {
                flood(
                    &mut stream,
                    HEAD,
                    b"X-Flood: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n",
                );
            }),
            2,
            "without a response",
        ),
        (
            "has a header without end",
            nasty(|mut stream| flood(&mut stream, b"HTTP/1.1 200 OK\r\nX-Flood: ", &[b'a'; 4096])),
            2,
            "without a response",
        ),
        (
            "informs without end",
            nasty(|mut stream| flood(&mut stream, b"", b"HTTP/1.1 103 Early Hints\r\n\r\n")),
            2,
            "does not respond within",
        ),
        (
            "has a body without end",
            nasty(|mut stream| {
                flood(
                    &mut stream,
                    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n",
                    &[b' '; 65536],
                );
            }),
            1,
            "answer-complete",
        ),
        (
            "has chunks without end",
            nasty(|mut stream| {
                flood(
                    &mut stream,
                    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
                    b"8\r\naaaaaaaa\r\n",
                );
            }),
            1,
            "answer-complete",
        ),
        (
            "has chunks that are none",
            says(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"),
            1,
            "answer-complete",
        ),
        (
            "promises more than it sends",
            says(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{",
            ),
            1,
            "answer-complete",
        ),
        (
            "drips",
            nasty(|mut stream| {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n\r\n");
                while stream.write_all(b" ").is_ok() {
                    thread::sleep(Duration::from_millis(20));
                }
            }),
            1,
            "answer-complete",
        ),
        (
            "compresses unasked",
            nasty(move |mut stream| {
                let _ = stream.write_all(&bomb);
            }),
            1,
            "gzip",
        ),
        (
            "nests deeply",
            Live::http(|_| json(200, &"[".repeat(1 << 20))),
            1,
            "body",
        ),
        (
            "is binary",
            Live::http(|_| {
                let mut answer = json(200, "0123456789");
                let end = answer.len();
                answer[end - 10..]
                    .copy_from_slice(&[0xff, 0xfe, 0, 1, 2, 3, 0xc0, 0x80, 0xed, 0xa0]);
                answer
            }),
            1,
            "body",
        ),
    ];
    for (name, server, code, part) in hostile {
        let start = Instant::now();
        let url = server.url();
        let (run, peak) = measured(
            &place,
            &[
                "replay",
                "api.yaml",
                "--server",
                &url,
                "--timeout",
                "0.7",
                "--har",
                "sent.har",
            ],
        );
        let all = format!("{}{}", run.out, run.error);
        assert_eq!(run.code, code, "{name}: {run:?}");
        assert!(all.contains(part), "{name}: {run:?}");
        assert!(!all.contains("panicked"), "{name}: {run:?}");
        let peak = peak.unwrap_or_default();
        assert!(peak < MEMORY, "{name}: {peak} bytes");
        let (requests, quickest) = quickest(&place);
        assert!(
            quickest < LATE,
            "{name}: {quickest} s of {requests} requests"
        );
        // With --nocapture this is the table of figures.
        eprintln!(
            "{name}: exit {code}, {:.1} MB, {:.1} s for {requests} requests, the quickest {quickest:.2} s",
            peak as f64 / 1e6,
            start.elapsed().as_secs_f64()
        );
    }
}

#[test]
fn one_operation_that_hangs_is_a_finding_and_the_others_are_checked() {
    let place = Place::new(&four());
    let server = Live::raw(|mut stream| match read(&mut stream) {
        Some(request) if request.path() == "/ping" => hold(stream),
        Some(request) => {
            let _ = stream.write_all(&pong(&request));
        }
        None => {}
    });
    let run = place.replay(&server.url(), &["--timeout", "0.7"]);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.out.contains("GET /ping"), "{run:?}");
    assert!(!run.out.contains("GET /pong"), "{run:?}");
}

#[test]
fn a_server_that_is_not_there_and_a_document_that_is_none_are_told_in_one_line() {
    let place = Place::new(PING);
    let free = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let nobody = format!("http://{}", free.local_addr().expect("an address"));
    drop(free);
    for command in ["replay", "generate", "run"] {
        let run = place.run(&[command, "api.yaml", "--server", &nobody], &[]);
        refused(&run, &["does not answer: Connection refused", &nobody]);
    }
    let server = Live::http(pong);
    for (document, part) in [
        ("{\"name\": \"package\", \"version\": \"1.0.0\"}", "openapi"),
        ("just text", "api.yaml"),
        ("<html><body>Sign in</body></html>", "api.yaml"),
        ("", "api.yaml"),
        ("openapi: 9.0.0\ninfo: {}\npaths: {}\n", "9.0.0"),
    ] {
        place.write("api.yaml", document);
        let run = place.replay(&server.url(), &[]);
        refused(&run, &[part]);
    }
    assert!(server.requests().is_empty());
}

#[test]
fn the_document_of_another_server_is_told_apart_from_a_broken_one() {
    let place = Place::new(&four());
    let server = Live::http(|_| json(404, "{\"message\": \"no such route\"}"));
    let run = place.run(&["run", "api.yaml", "--server", &server.url()], &[]);
    assert_eq!(run.code, 2, "{run:?}");
    assert!(format!("{run:?}").contains("were 404"), "{run:?}");
    // One that has one of the operations is broken.
    let server = Live::http(|request| match request.path() {
        "/ping" => pong(request),
        _ => json(404, "{}"),
    });
    let run = place.run(&["run", "api.yaml", "--server", &server.url()], &[]);
    assert_eq!(run.code, 1, "{run:?}");
}

#[test]
fn a_base_path_that_is_missing_is_named() {
    let described = "servers: [{url: 'https://api.example.com/v2'}]
security: [{key: []}]
components: {securitySchemes: {key: {type: apiKey, in: header, name: X-Key}}}
paths:";
    let place = Place::new(&PING.replace("paths:", described));
    // Credentials are looked at before paths.
    let server = Live::http(|request| match request.header("x-key") {
        Some("right") => json(404, "{}"),
        _ => json(401, "{}"),
    });
    let url = server.url();
    let run = place.run(
        &["run", "api.yaml", "--server", &url, "-H", "X-Key: right"],
        &[],
    );
    assert_eq!(run.code, 2, "{run:?}");
    let advice = format!("try --server {url}/v2");
    assert!(run.out.contains(&advice), "{run:?}");
}
