//! Documents in several files behind URLs, and servers that do not do what they should.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/drift")
}

fn read(name: &str) -> String {
    fs::read_to_string(folder().join(name)).expect(name)
}

/// A server's reaction to the request for a path.
type Answer = fn(&str, &mut TcpStream) -> std::io::Result<()>;

/// Answers every request on a port of its own, and gives its address.
fn serve(answer: Answer) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    // It ends with the tests.
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || {
                let mut stream = stream;
                let mut request = [0; 4096];
                let count = stream.read(&mut request).unwrap_or_default();
                let head = String::from_utf8_lossy(&request[..count]).into_owned();
                let path = head.split(' ').nth(1).unwrap_or_default();
                // The client may have gone.
                let _ = answer(path, &mut stream);
            });
        }
    });
    format!("http://{address}")
}

fn text(status: &str, kind: &str, body: &str, stream: &mut TcpStream) -> std::io::Result<()> {
    write!(
        stream,
        "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

fn redirect(to: &str, stream: &mut TcpStream) -> std::io::Result<()> {
    write!(
        stream,
        "HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    )
}

/// The files of `cases/drift/files`, one limit changed below `/new`, and a document for each way to fail below `/bad`.
fn files(path: &str, stream: &mut TcpStream) -> std::io::Result<()> {
    let (version, file) = path[1..].split_once('/').unwrap_or_default();
    match version {
        "old" => text(
            "200 OK",
            "text/yaml",
            &read(&format!("files/{file}")),
            stream,
        ),
        "new" => {
            let body = read(&format!("files/{file}"));
            let body = body.replace("\"maxLength\": 5", "\"maxLength\": 4");
            text("200 OK", "text/yaml", &body, stream)
        }
        "moved" => redirect(&format!("/old/{file}"), stream),
        "bad" => {
            let target = file.trim_end_matches(".yaml");
            let body = format!(
                "openapi: 3.1.0\ninfo: {{title: t, version: '1'}}\npaths:\n  /a:\n    $ref: '/{target}/x#/a'\n"
            );
            text("200 OK", "text/yaml", &body, stream)
        }
        "loop" => redirect(path, stream),
        "html" => text(
            "200 OK",
            "text/html",
            "<!DOCTYPE html>\n<p>Hello: [",
            stream,
        ),
        "bytes" => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n\xff\xfe\x00\x01")
        }
        "short" => stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 999\r\n\r\na: {b: 1}"),
        "silent" => {
            thread::sleep(Duration::from_secs(60));
            Ok(())
        }
        "endless" => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n")?;
            loop {
                stream.write_all(&[b'#'; 65_536])?;
            }
        }
        _ => text("404 Not Found", "text/plain", "", stream),
    }
}

/// Runs `conformance drift`: exit code, what it says, and errors.
fn drift(old: &str, new: &str) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_conformance"))
        .args(["drift", old, new])
        .output()
        .expect("runs");
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("is text");
    (
        output.status.code().expect("exits"),
        text(&output.stdout),
        text(&output.stderr),
    )
}

#[test]
fn a_document_behind_several_urls_is_the_one_in_one_file() {
    let server = serve(files);
    let one = folder().join("files/one.yaml");
    let one = one.to_str().expect("UTF-8");
    for version in ["old", "moved"] {
        let (code, out, error) = drift(one, &format!("{server}/{version}/api.yaml"));
        assert_eq!(code, 0, "{out}{error}");
    }
    let (code, out, error) = drift(one, &format!("{server}/new/api.yaml"));
    assert_eq!(code, 1, "{out}{error}");
    // The place is in the file that the server gave for the reference.
    let place = format!("{server}/new/parts/schemas.json:10:");
    assert!(out.contains(&place), "{out}");
    assert_eq!(out.matches("schema-keyword-changed").count(), 1, "{out}");
}

#[test]
fn files_of_two_servers_make_one_document() {
    let parts = serve(files);
    let api = read("files/api.yaml").replace("./parts/", "parts/");
    let api = api.replace("parts/", &format!("{parts}/old/parts/"));
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("api.yaml");
    fs::write(&path, api).expect("a file");
    let (code, out, error) = drift(
        &format!("{parts}/old/one.yaml"),
        path.to_str().expect("UTF-8"),
    );
    assert_eq!(code, 0, "{out}{error}");
}

#[test]
fn what_cannot_be_fetched_is_one_line_with_its_place() {
    let server = serve(files);
    let closed = {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.local_addr().expect("an address")
    };
    let fine = folder().join("files/one.yaml");
    let fine = fine.to_str().expect("UTF-8");
    let all = [
        ("nothing", "404"),
        ("loop", "redirect"),
        ("html", "x:"),
        ("bytes", "UTF-8"),
        ("short", ""),
        ("endless", "larger than"),
        ("silent", "timed out"),
    ];
    let checks = all.map(|(target, part)| {
        let (server, fine) = (server.clone(), fine.to_owned());
        thread::spawn(move || {
            for url in [
                format!("{server}/{target}/x"),
                format!("{server}/bad/{target}.yaml"),
            ] {
                let start = Instant::now();
                let (code, out, error) = drift(&fine, &url);
                assert_eq!(code, 2, "{url}: {out}{error}");
                assert_eq!(error.lines().count(), 1, "{url}: {error}");
                assert!(error.contains(part), "{url}: {error}");
                // The file that does not come, or the reference that leads to it.
                let named = error.contains(&format!("/{target}/x"));
                let place = error.contains(&format!("{url}:5:5"));
                assert!(named || place, "{url}: {error}");
                assert!(
                    start.elapsed() < Duration::from_secs(25),
                    "{url}: {:?}",
                    start.elapsed()
                );
            }
        })
    });
    for check in checks {
        check.join().expect("as it should be");
    }
    let (code, _, error) = drift(fine, &format!("http://{closed}/api.yaml"));
    assert_eq!((code, error.lines().count()), (2, 1), "{error}");
    assert!(
        error.contains(&closed.to_string()) && error.contains("refused"),
        "{error}"
    );
}
