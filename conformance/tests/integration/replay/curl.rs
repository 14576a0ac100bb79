//! The command lines of findings: what `sh` and the real `curl` make of them is what the run sent, byte for byte.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;

use conformance::case::Case;
use conformance::credentials::Given;
use conformance::exchange::{Client, Exchange, Request as Sent, Secrets, Transport};
use conformance::generate::Generator;
use conformance::session::{Session, Subject};

use super::*;

/// A server that keeps the bytes of each request.
struct Recorder {
    url: String,
    seen: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Recorder {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let seen: Arc<Mutex<Vec<Vec<u8>>>> = Arc::default();
        let log = Arc::clone(&seen);
        thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                if let Some(bytes) = request(&mut stream) {
                    log.lock().expect("no thread panics").push(bytes);
                    let answer =
                        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
                    let _ = stream.write_all(answer);
                }
            }
        });
        Self { url, seen }
    }

    fn take(&self) -> Vec<Vec<u8>> {
        std::mem::take(&mut *self.seen.lock().expect("no thread panics"))
    }
}

/// The bytes of one request; none where the connection was only made to see whether anybody listens.
fn request(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut chunk = [0; 65536];
    loop {
        if let Some(head) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let text = String::from_utf8_lossy(&bytes[..head]).to_lowercase();
            let mut lines = text.lines();
            let length = lines.find_map(|line| line.strip_prefix("content-length:"));
            let length: usize = length.map_or(0, |length| length.trim().parse().expect("a number"));
            if bytes.len() >= head + 4 + length {
                return Some(bytes);
            }
        }
        match stream.read(&mut chunk) {
            Ok(read) if read > 0 => bytes.extend(&chunk[..read]),
            _ => return None,
        }
    }
}

/// Runs the lines one after the other in a shell that knows these variables.
fn run(lines: &[String], variables: &[(&str, &str)]) -> (bool, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let script = folder.path().join("script.sh");
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    std::fs::write(&script, text).expect("is written");
    let output = Command::new("sh")
        .arg(&script)
        .env_clear()
        .env("PATH", std::env::var("PATH").expect("there is a path"))
        .env("HOME", folder.path())
        .env("LC_ALL", "C.UTF-8")
        .envs(variables.iter().copied())
        .output()
        .expect("there is a shell");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let error = text(&output.stderr);
    assert!(error.is_empty(), "{error}");
    (output.status.success(), text(&output.stdout))
}

/// curl writes no space after the colon of a header without a value.
fn without_empty(bytes: &[u8]) -> String {
    let text = bytes.escape_ascii().to_string();
    text.replace(": \\r\\n", ":\\r\\n")
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
}

/// Sends requests, then the command line of each, and compares.
#[track_caller]
fn same(recorder: &Recorder, exchanges: &[Exchange], secrets: &Secrets, values: &[(&str, &str)]) {
    let sent = recorder.take();
    assert_eq!(sent.len(), exchanges.len());
    let lines: Vec<String> = exchanges
        .iter()
        .map(|exchange| exchange.record(secrets).curl)
        .collect();
    run(&lines, values);
    let again = recorder.take();
    for ((sent, again), line) in sent.iter().zip(&again).zip(&lines) {
        assert_eq!(without_empty(again), without_empty(sent), "{line}");
        for (_, value) in values {
            assert!(!line.contains(value), "{line}");
        }
    }
    assert_eq!(again.len(), sent.len());
}

#[test]
fn a_command_line_sends_the_bytes_that_were_sent_whatever_they_are() {
    let recorder = Recorder::start();
    let url = &recorder.url;
    let mut requests = Vec::new();
    let bodies: [&[u8]; 18] = [
        b"",
        b"{\"a\": 1}",
        b"it's \"quoted\" `id` $HOME ${HOME} $(id) !! \\ \\n %s %% %d",
        b"@file",
        b"-n",
        b"line\nline\r\n\ttab\n\n",
        b"\0",
        b"\xff\xfe\x00binary\n",
        "ünïcödé 日本語 \u{1f600} e\u{301} \u{202e}right\u{2028}".as_bytes(),
        b"\x1b[31m\x07\x7f",
        b"'",
        b"''''",
        b"a=b&c=%20+d",
        b" leading and trailing ",
        b"#comment ; rm -rf * ? [a] {b} ~ < > | &",
        &[b'x'; 2000],
        &[b'"'; 150_000],
        b"?",
    ];
    for body in bodies {
        for content_type in [Some("application/json"), None] {
            let headers = content_type.map(|value| ("content-type".to_owned(), value.to_owned()));
            requests.push(Sent {
                method: "POST".to_owned(),
                url: format!("{url}/a"),
                headers: headers.into_iter().collect(),
                body: Some(body.to_vec()),
            });
        }
    }
    for (method, target) in [
        ("GET", "/"),
        ("GET", "/a/../b/./c//d"),
        ("GET", "/a?b[c]=1&d={e}&f=a,b;c"),
        ("GET", "/a%2fb%2F%zz?%e4=%E4&x=$HOME&y='`id`\"!"),
        ("HEAD", "/a"),
        ("OPTIONS", "/a"),
        ("DELETE", "/a"),
        ("POST", "/a"),
        ("PUT", "/a"),
        ("PATCH", "/a"),
        ("QUERY", "/a"),
        ("X-ODD!", "/a?"),
        ("get", "/a?=&&=b"),
    ] {
        let target = target.replace('"', "%22").replace('`', "%60");
        requests.push(Sent {
            method: method.to_owned(),
            url: format!("{url}{}", target.replace(['{', '}'], "%7B")),
            headers: vec![
                ("User-Agent".to_owned(), "conformance/0".to_owned()),
                ("ACCEPT".to_owned(), "*/*".to_owned()),
                ("x-list".to_owned(), "a".to_owned()),
                ("x-list".to_owned(), "b".to_owned()),
                ("X-Empty".to_owned(), String::new()),
                (
                    "X-Odd".to_owned(),
                    "it's \"$HOME\" `id` !! \\ ; é \u{202e}\t.".to_owned(),
                ),
                ("X-Semicolon".to_owned(), ";".to_owned()),
            ],
            body: None,
        });
    }
    let mut exchanges = Vec::new();
    runtime().block_on(async {
        let client = Client::new(std::time::Duration::from_secs(60), &Transport::default());
        let client = client.expect("no file is read");
        for request in requests {
            let sent = client.send(request).await;
            exchanges.push(sent.expect("can be written as HTTP"));
        }
    });
    same(&recorder, &exchanges, &Secrets::default(), &[]);
}

/// Sends all generated cases of a document, each with its command line.
fn generated(text: &str, given: &dyn Fn(&mut Options), values: &[(&str, &str)]) -> usize {
    let document = Document::parse("t.yaml", text).expect("the document parses");
    let recorder = Recorder::start();
    let mut options = Options::new(&recorder.url);
    given(&mut options);
    let subject = Subject::new(&document, &options);
    let mut exchanges = Vec::new();
    runtime().block_on(async {
        let session = Session::open(&subject, &options, &|_| {}).await;
        let session = session.expect("the server can be reached");
        let generator = Generator::new(&document, session.judge.schemas);
        for (index, operation) in session.operations.iter().enumerate() {
            let samples = &session.plans[index].cases;
            let mut cases = generator.cases(operation, samples, 1_000);
            cases.extend(generator.random(operation, samples, 1, 20));
            for case in cases {
                let exchange = session
                    .send(Some(index), session.request(&case, &path(&case)))
                    .await;
                // A case that cannot be written as HTTP is not sent.
                exchanges.extend(exchange);
            }
        }
        same(&recorder, &exchanges, session.judge.secrets, values);
    });
    exchanges.len()
}

fn path(case: &Case) -> Vec<(String, String)> {
    let value = |one: &conformance::case::PathValue| {
        let literal = one.literal.clone().unwrap_or_else(|| "1".to_owned());
        (one.name.clone(), literal)
    };
    case.path.iter().map(value).collect()
}

#[test]
fn the_command_line_of_every_generated_request_sends_its_bytes() {
    let given = |options: &mut Options| {
        options.headers = vec![
            (
                "Authorization".to_owned(),
                "Bearer t0ken-of-alice".to_owned(),
            ),
            ("X-Key".to_owned(), "key-a1b2c3".to_owned()),
            ("X-Secret".to_owned(), "s3cret-value".to_owned()),
            (
                "Cookie".to_owned(),
                "sid=session-f00d; theme=dark".to_owned(),
            ),
        ];
    };
    let values = [
        ("AUTHORIZATION", "t0ken-of-alice"),
        ("X_KEY", "key-a1b2c3"),
        ("X_SECRET", "s3cret-value"),
        ("COOKIE_SID", "session-f00d"),
        ("COOKIE_THEME", "dark"),
    ];
    let shop = include_str!("../../cases/faults/shop.yaml");
    let count = generated(shop, &given, &values);
    assert!(count > 500, "{count}");
    let given = |options: &mut Options| {
        options.headers = vec![("X-Token".to_owned(), "n0tes-token".to_owned())];
    };
    let count = generated(NOTES, &given, &[("X_TOKEN", "n0tes-token")]);
    assert!(count > 100, "{count}");
}

#[test]
fn a_spoiled_credential_is_sent_again_by_a_line_that_does_not_have_it() {
    let operation = |name: &str| {
        format!(
            "  /{name}:\n    get:\n      security: [{{{name}: []}}]\n      responses: {{'200': {{description: d}}}}\n"
        )
    };
    let schemes = [
        ("header", "{type: apiKey, in: header, name: X-Vault}"),
        ("query", "{type: apiKey, in: query, name: vault}"),
        ("cookie", "{type: apiKey, in: cookie, name: VAULT}"),
        ("basic", "{type: http, scheme: basic}"),
        ("bearer", "{type: http, scheme: bearer}"),
        ("own", "{type: http, scheme: VaultToken}"),
    ];
    let mut text = "openapi: 3.1.0\ninfo: {title: Vault, version: '1'}\npaths:\n".to_owned();
    schemes
        .iter()
        .for_each(|(name, _)| text += &operation(name));
    text += "components:\n  securitySchemes:\n";
    for (name, scheme) in schemes {
        text += &format!("    {name}: {scheme}\n");
    }
    let given = |options: &mut Options| {
        options.credentials = vec![
            Given::scheme("header", "it's $a `key` \\ \"!"),
            Given::scheme("query", "que ry&22=="),
            Given::scheme("cookie", "c00kie-22"),
            Given::scheme("own", "0wn-22-value"),
            Given::basic(
                "me",
                "pass:word-that-is-long-enough-for-two-lines-of-the-program-base64",
            ),
            Given::bearer("bearer-22-abcdef"),
        ];
        options.cookies = vec![("theme".to_owned(), "lightish".to_owned())];
    };
    let count = generated(
        &text,
        &given,
        &[
            ("HEADER", "it's $a `key` \\ \"!"),
            ("QUERY_ENCODED", "que%20ry%2622%3D%3D"),
            ("COOKIE", "c00kie-22"),
            ("COOKIE_THEME", "lightish"),
            (
                "BASIC_AUTH",
                "me:pass:word-that-is-long-enough-for-two-lines-of-the-program-base64",
            ),
            ("AUTHORIZATION", "bearer-22-abcdef"),
            ("OWN", "0wn-22-value"),
        ],
    );
    assert!(count > 40, "{count}");
}
