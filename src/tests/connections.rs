//! Connections: what is sent ahead, cut short, too large or never read.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::json;

use super::app::TestApp;
use super::backpressure::metric;
use super::delivering::until;
use super::shape::send_raw;

/// Waits until a counter has this value.
async fn counted(app: &TestApp, name: &str, value: f64) {
    until(async || match metric(app, name).await {
        seen if seen == value => Ok(()),
        seen => Err(json!({ name: seen })),
    })
    .await;
}

/// A request that was sent ahead must not decide how the answer to the one before it is written.
#[actix_web::test]
async fn answers_to_pipelined_requests_are_each_as_long_as_they_say() {
    let app = TestApp::start().await;
    let one = |method: &str, path: &str, more: &str| {
        format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer sandbox-operator\r\n{more}\r\n"
        )
    };
    let requests = [
        one("HEAD", "/operator/v1/deliveries", ""),
        one("GET", "/operator/v1/keys", ""),
        one("HEAD", "/health/live", ""),
        one("GET", "/health/live", "Connection: close\r\n"),
    ]
    .concat();
    let (_, text) = send_raw(&app, requests.into_bytes()).await;
    let answers: Vec<(&str, &str)> = text
        .split("HTTP/1.1 200 OK\r\n")
        .skip(1)
        .map(|answer| answer.split_once("\r\n\r\n").unwrap())
        .collect();
    let bodies: Vec<&str> = answers.iter().map(|(_, body)| *body).collect();
    assert_eq!(
        bodies,
        ["", r#"{"data":[]}"#, "", r#"{"status":"live"}"#],
        "{text}"
    );
    // Only the last one asked for it.
    let closed: Vec<bool> = answers
        .iter()
        .map(|(head, _)| head.contains("connection: close"))
        .collect();
    assert_eq!(closed, [false, false, false, true], "{text}");
}

/// Java's client offers HTTP/2 with every request. No upgrade is made, and the connection is not kept: the client has to know.
#[actix_web::test]
async fn an_answer_to_an_offer_of_an_upgrade_says_that_the_connection_ends() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let app = TestApp::start().await;
    let address = app.base.strip_prefix("http://").unwrap();
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let request = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\
        HTTP2-Settings: AAEAAEAAAAIAAAAAAAMAAAAAAAQBAAAAAAUAAEAAAAYABgAA\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let answer = answer.to_lowercase();
    assert!(answer.starts_with("http/1.1 200"), "{answer}");
    assert!(answer.contains("\r\nconnection: close\r\n"), "{answer}");
}

/// A pooled connection that was idle for longer than most clients keep one is still there.
#[actix_web::test]
async fn an_idle_connection_is_kept_for_longer_than_a_few_seconds() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let short = TestApp::start_with(|config| config.keep_alive = Duration::from_secs(6)).await;
    let usual = TestApp::start().await;
    let request = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let mut buffer = [0; 4096];
    let mut streams = Vec::new();
    for app in [&short, &usual] {
        let address = app.base.strip_prefix("http://").unwrap();
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        stream.write_all(request).await.unwrap();
        assert!(stream.read(&mut buffer).await.unwrap() > 0);
        streams.push(stream);
    }
    // The end of the one tells that the time has passed.
    assert_eq!(streams[0].read(&mut buffer).await.unwrap(), 0);
    streams[1].write_all(request).await.unwrap();
    assert!(streams[1].read(&mut buffer).await.unwrap() > 0);
}

#[actix_web::test]
async fn a_client_that_reads_nothing_is_disconnected_and_counted() {
    let app =
        TestApp::start_with(|config| config.answer_patience = Duration::from_millis(200)).await;
    let address = app.base.strip_prefix("http://").unwrap().to_owned();
    let stream = actix_web::web::block(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        let request =
            "GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(30);
        std::io::Write::write_all(&mut stream, request.as_bytes()).unwrap();
        stream
    })
    .await
    .unwrap();
    counted(&app, "truehook_unread_connections_total", 1.0).await;
    drop(stream);
}

#[actix_web::test]
async fn what_is_not_http_is_refused_and_counted() {
    let app = TestApp::start().await;
    for request in [
        "nonsense\r\n\r\n",
        "GET / HTTP/1.1\r\nbad header\r\n\r\n",
        "\0\0\0\0\r\n\r\n",
    ] {
        let (status, answer) = send_raw(&app, request.as_bytes().to_vec()).await;
        assert_eq!(status, 400, "{answer}");
        assert!(answer.contains("application/problem+json"), "{answer}");
        assert!(answer.contains("not valid HTTP/1.1"), "{answer}");
    }
    // Counted when the connection ends, which the client need not wait for.
    counted(&app, "truehook_malformed_requests_total", 3.0).await;
}

/// What comes behind a request that is refused is read and dropped: were it left unread, the kernel would reset the connection, and the
/// client would lose the answer.
#[actix_web::test]
async fn a_client_that_goes_on_sending_after_a_refusal_gets_the_answer() {
    const BEHIND: usize = 8 * 1024 * 1024;
    let app = TestApp::start().await;
    let large = format!(
        "POST /operator/v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer sandbox-operator\r\n\
         Content-Type: application/json\r\nContent-Length: {BEHIND}\r\n\r\n"
    );
    let endless = format!(
        "GET / HTTP/1.1\r\nHost: localhost\r\nX-Filler: {}",
        "x".repeat(200_000)
    );
    for (begin, status) in [
        (large, "413"),
        ("nonsense\r\n\r\n".to_owned(), "400"),
        (endless, "431"),
    ] {
        let address = app.base.strip_prefix("http://").unwrap().to_owned();
        let exchange = move || {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.write_all(begin.as_bytes()).unwrap();
            stream.write_all(&vec![b'x'; BEHIND]).unwrap();
            let mut head = [0; 12];
            stream.read_exact(&mut head).unwrap();
            String::from_utf8(head.to_vec()).unwrap()
        };
        let head = actix_web::web::block(exchange).await.unwrap();
        assert_eq!(head, format!("HTTP/1.1 {status}"));
    }
}
