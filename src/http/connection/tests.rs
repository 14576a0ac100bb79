//! Tests of single connections: what is read, what is held back, and when they end.

use std::future::poll_fn;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

use super::*;

const LONG: Duration = Duration::from_secs(3600);
const SHORT: Duration = Duration::from_millis(20);
const MANY: Limits = Limits {
    unread: LONG,
    unanswered: LONG,
    lingering: LONG,
    most: 100,
};
const REFUSAL: &[u8] = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n";

async fn write(connection: &mut Connection<DuplexStream>, bytes: &[u8]) -> io::Result<usize> {
    poll_fn(|context| Pin::new(&mut *connection).poll_write(context, bytes)).await
}

/// Reads without waiting.
async fn read_now(connection: &mut Connection<DuplexStream>) -> Option<usize> {
    poll_fn(|context| {
        let mut bytes = [0; 4096];
        let mut buffer = ReadBuf::new(&mut bytes);
        Poll::Ready(
            match Pin::new(&mut *connection).poll_read(context, &mut buffer) {
                Poll::Ready(result) => result.ok().map(|()| buffer.filled().len()),
                Poll::Pending => None,
            },
        )
    })
    .await
}

#[actix_web::test]
async fn a_write_that_nobody_reads_fails_in_time() {
    let (stream, _peer) = duplex(10);
    let mut connection = Connection::new(
        stream,
        Limits {
            unread: SHORT,
            ..MANY
        },
    );
    assert_eq!(write(&mut connection, &[0; 20]).await.unwrap(), 10);
    let error = write(&mut connection, &[0; 10]).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
}

#[actix_web::test]
async fn nothing_is_read_while_a_write_is_stalled_and_reading_goes_on_after_it() {
    let (stream, mut peer) = duplex(10);
    let mut connection = Connection::new(stream, MANY);
    peer.write_all(b"request").await.unwrap();
    assert_eq!(write(&mut connection, &[0; 20]).await.unwrap(), 10);
    let stalled = poll_fn(|context| {
        Poll::Ready(
            Pin::new(&mut connection)
                .poll_write(context, &[0; 10])
                .is_pending(),
        )
    });
    assert!(stalled.await);
    assert_eq!(read_now(&mut connection).await, None);
    peer.read_exact(&mut [0; 10]).await.unwrap();
    assert_eq!(write(&mut connection, &[0; 10]).await.unwrap(), 10);
    assert_eq!(read_now(&mut connection).await, Some(7));
}

#[actix_web::test]
async fn what_follows_a_refused_request_is_dropped_until_the_client_ends_or_the_time_is_over() {
    for (ends, lingering) in [(true, LONG), (false, SHORT)] {
        let (stream, mut peer) = duplex(64 * 1024);
        let mut connection = Connection::new(stream, Limits { lingering, ..MANY });
        peer.write_all(&[b'x'; 3 * BURST]).await.unwrap();
        let begun = Instant::now();
        let client = async {
            let mut answer = String::new();
            // The end of what is written comes before the end of the connection.
            peer.read_to_string(&mut answer).await.unwrap();
            assert!(answer.contains("application/problem+json"), "{answer}");
            peer.write_all(&[b'x'; 3 * BURST]).await.unwrap();
            if ends {
                peer.shutdown().await.unwrap();
            }
        };
        let (written, ()) = tokio::join!(write(&mut connection, REFUSAL), client);
        assert_eq!(written.unwrap_err().kind(), io::ErrorKind::InvalidData);
        assert!(ends || begun.elapsed() >= lingering);
    }
}

#[actix_web::test]
async fn a_client_that_goes_on_after_its_refusal_is_the_first_to_leave() {
    let open = || {
        let (stream, peer) = duplex(4096);
        (Connection::new(stream, Limits { most: 2, ..MANY }), peer)
    };
    let (mut idle, _idle_peer) = open();
    assert_eq!(
        write(&mut idle, b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap(),
        19
    );
    let (mut refused, mut peer) = open();
    let newcomer = async {
        peer.read_to_string(&mut String::new()).await.unwrap();
        open()
    };
    let (written, _newcomer) = tokio::join!(write(&mut refused, REFUSAL), newcomer);
    assert_eq!(written.unwrap_err().kind(), io::ErrorKind::InvalidData);
    assert_eq!(read_now(&mut idle).await, None);
}

#[actix_web::test]
async fn a_refusal_that_nobody_takes_is_that_of_a_malformed_request_all_the_same() {
    let (stream, peer) = duplex(10);
    let mut connection = Connection::new(stream, MANY);
    drop(peer);
    let error = write(&mut connection, REFUSAL).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
}

#[test]
fn a_request_ends_with_its_head_unless_it_has_a_body() {
    for (bytes, expected) in [
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", Some(27)),
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /", Some(27)),
        ("\r\n\r\nGET / HTTP/1.1\r\n\r\n\r\n\r\n", Some(22)),
        ("GET / HTTP/1.1\r\nHost: a\r\n", None),
        ("GET / HTTP/1.1\r\nContent-Length: 4\r\n\r\nbody", None),
        ("GET / HTTP/1.1\r\ntransfer-ENCODING: chunked\r\n\r\n", None),
        ("\r\n\r\n", None),
        ("", None),
    ] {
        assert_eq!(
            request_without_body(bytes.as_bytes()),
            expected,
            "{bytes:?}"
        );
    }
}

#[actix_web::test]
async fn requests_are_passed_on_one_by_one_and_one_with_a_body_ends_that() {
    let (stream, mut peer) = duplex(4096);
    let mut connection = Connection::new(stream, MANY);
    let get = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    let post = b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}";
    let all = [&get[..], get, post, get].concat();
    peer.write_all(&all).await.unwrap();
    for _ in 0..2 {
        assert_eq!(read_now(&mut connection).await, Some(get.len()));
        assert_eq!(read_now(&mut connection).await, None);
        write(&mut connection, b"answer").await.unwrap();
    }
    let rest = all.len() - 2 * get.len();
    assert_eq!(read_now(&mut connection).await, Some(rest));
    peer.write_all(get).await.unwrap();
    assert_eq!(read_now(&mut connection).await, Some(get.len()));
}

#[actix_web::test]
async fn an_idle_connection_ends_when_there_are_too_many_and_one_with_a_request_does_not() {
    let open = || {
        let (stream, peer) = duplex(4096);
        (Connection::new(stream, Limits { most: 2, ..MANY }), peer)
    };
    let (mut idle, _idle_peer) = open();
    let (mut asked, mut peer) = open();
    assert_eq!(read_now(&mut idle).await, None);
    peer.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let (_third, _third_peer) = open();
    assert_eq!(read_now(&mut idle).await, Some(0), "it reads an end");
    let (_fourth, _fourth_peer) = open();
    // The request was sent before anything was closed.
    assert!(read_now(&mut asked).await > Some(0));
}

#[actix_web::test]
async fn a_request_that_does_not_end_ends_its_connection_whichever_it_is() {
    for (answered, begun) in [(0, "G"), (1, "G"), (2, "\r\n"), (1, "POST / HTTP/1.1\r\n")] {
        let (stream, mut peer) = duplex(4096);
        let limits = Limits {
            unanswered: SHORT,
            ..MANY
        };
        let mut connection = Connection::new(stream, limits);
        let mut bytes = [0; 4096];
        for _ in 0..answered {
            peer.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
            assert!(connection.read(&mut bytes).await.unwrap() > 0);
            write(&mut connection, b"answer").await.unwrap();
            // It waits for no request: this takes as long as the client likes.
            tokio::time::timeout(2 * SHORT, connection.read(&mut bytes))
                .await
                .unwrap_err();
        }
        peer.write_all(begun.as_bytes()).await.unwrap();
        assert_eq!(connection.read(&mut bytes).await.unwrap(), begun.len());
        assert_eq!(connection.read(&mut bytes).await.unwrap(), 0, "{begun}");
    }
}

#[actix_web::test]
async fn a_client_that_sends_without_end_is_read_in_bursts() {
    let (stream, mut peer) = duplex(10 * BURST);
    let mut connection = Connection::new(stream, MANY);
    peer.write_all(&[0; 3 * BURST]).await.unwrap();
    let mut read = 0;
    while let Some(count) = read_now(&mut connection).await {
        read += count;
    }
    assert_eq!(read, BURST);
    let mut rest = vec![0; 2 * BURST];
    // The reader is woken.
    connection.read_exact(&mut rest).await.unwrap();
}
