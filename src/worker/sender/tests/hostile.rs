//! Receivers that break the rules, and what they cannot bring about.

use std::process::Command;

use super::*;

async fn answered_with(answer: impl Into<Vec<u8>>) -> Sent {
    let answer = Arc::new(answer.into());
    let receiver = Receiver::playing(move |mut caller| {
        let answer = answer.clone();
        async move {
            caller.request().await?;
            caller.tcp.write_all(&answer).await?;
            caller.tcp.shutdown().await?;
            // Closing with unread bytes would reset the connection, and the answer with it.
            caller.request().await.map(drop)
        }
    })
    .await;
    post(&sender(), &receiver.url()).await
}

#[tokio::test]
async fn what_is_not_http_fails_with_a_reason() {
    for answer in [
        "SSH-2.0-OpenSSH_9.6\r\n",
        "\0\0\0\0\0\0\0\0\0\0\0\0",
        "HTTP/1.1\r\n\r\n",
        "HTTP/1.1 OK\r\n\r\n",
        "HTTP/1.1 2x0 OK\r\n\r\n",
        "HTTP/1.1 20 OK\r\n\r\n",
        "HTTP/1.1 099 Low\r\n\r\n",
        "HTTP/9.9 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nok",
    ] {
        let sent = answered_with(answer).await;
        let reason = failed(&sent);
        assert!(
            reason.starts_with("the answer is not valid HTTP: "),
            "{answer}: {reason}"
        );
        assert_eq!(sent.timing.first_byte, None);
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_fails_and_what_came_of_it_is_kept() {
    for (answer, status, kept) in [
        ("", None, ""),
        ("HTTP/1.1 200", None, ""),
        ("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n", None, ""),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",
            Some(200),
            "half",
        ),
        (
            "HTTP/1.1 503 Later\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n",
            Some(503),
            "ok",
        ),
        (
            "HTTP/1.1 404 No\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\nzzz\r\n",
            Some(404),
            "ok",
        ),
    ] {
        let sent = answered_with(answer).await;
        let reason = failed(&sent);
        assert!(
            reason.starts_with("the connection broke: "),
            "{answer}: {reason}"
        );
        assert_eq!(sent.outcome.status(), status, "{answer}");
        assert!(!sent.outcome.is_success());
        assert_eq!(sent.response_body, kept.as_bytes());
    }
}

#[tokio::test]
async fn folded_header_lines_are_read_as_one() {
    // RFC 9112, 5.2: the fold is white space of the value.
    let head = "HTTP/1.1 429 Slow down\r\nX-Policy: first,\r\n  second,\r\n\tthird\r\nRetry-After:\r\n 7\r\n";
    let sent = answered_with(format!("{head}Content-Length: 2\r\n\r\nok")).await;
    let expected = Outcome::Answered {
        status: 429,
        retry_after: Some(Duration::from_secs(7)),
    };
    assert_eq!(sent.outcome, expected);
    assert_eq!(sent.response_body, b"ok");
}

#[tokio::test]
async fn hundreds_of_header_fields_are_read() {
    let many = "X-Trace: 0123456789\r\n".repeat(499);
    let answer = format!("HTTP/1.1 200 OK\r\n{many}Content-Length: 2\r\n\r\nok");
    let sent = answered_with(answer).await;
    assert_eq!(status(&sent), Some(200), "{:?}", sent.outcome);
}

#[tokio::test]
async fn interim_answers_are_skipped() {
    let noise = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n";
    let answer = format!("{noise}{noise}HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok");
    let sent = answered_with(answer).await;
    assert_eq!(status(&sent), Some(201));
    assert_eq!(sent.response_body, b"ok");
}

#[tokio::test]
async fn a_head_that_is_too_large_fails() {
    let line = format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(1 << 20));
    let lines = format!("HTTP/1.1 200 OK\r\n{}\r\n", "X: y\r\n".repeat(501));
    for answer in [line, lines] {
        let sent = answered_with(answer).await;
        let reason = failed(&sent);
        assert_eq!(
            reason,
            "the answer is not valid HTTP: its head has more than 64 KiB or 500 fields"
        );
    }
}

#[tokio::test]
async fn a_second_answer_is_not_taken_for_that_of_the_next_request() {
    let double = [
        OK,
        b"HTTP/1.1 201 Created\r\nContent-Length: 6\r\n\r\nforged",
    ]
    .concat();
    let receiver = Receiver::answering(double).await;
    let sender = sender();
    for _ in 0..50 {
        let sent = post(&sender, &receiver.url()).await;
        assert_eq!(status(&sent), Some(200), "{:?}", sent.outcome);
        assert_eq!(sent.response_body, b"ok");
    }
}

#[tokio::test]
async fn a_compressed_body_is_kept_as_it_came() {
    // `gzip.compress(bytes(1000), mtime=0)`, of which a file may hold any number.
    let member: &[u8] = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xffc`\x18\x05\xa3`\xe0\x00\x00\xa5\xa2\xd5\xd2\xe8\x03\x00\x00";
    let bomb = member.repeat(1_000);
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n",
        bomb.len()
    );
    let sent = answered_with([head.as_bytes(), &bomb].concat()).await;
    assert_eq!(status(&sent), Some(200));
    assert!(sent.response_truncated);
    assert!(sent.response_body == bomb[..16 * 1024]);
}

#[tokio::test]
async fn an_answer_before_the_request_was_read_counts() {
    let receiver = Receiver::playing(|mut caller| async move {
        caller.tcp.write_all(OK_AND_CLOSE).await?;
        caller.request().await.map(drop)
    })
    .await;
    let sent = post(&sender(), &receiver.url()).await;
    assert!(
        matches!(
            &sent.outcome,
            Outcome::Answered { status: 200, .. } | Outcome::Failed { .. }
        ),
        "{:?}",
        sent.outcome
    );
}

/// Runs a test of this module alone in a process of its own, where no other test uses memory.
pub(super) fn alone(module: &str, test: &str) -> bool {
    if std::env::var_os("TRUEHOOK_TEST_ALONE").is_some() {
        return true;
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            &format!("{}::{test}", module.split_once("::").unwrap().1),
        ])
        .args(["--nocapture", "--test-threads=1"])
        .env("TRUEHOOK_TEST_ALONE", "1")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let passed = output.status.success() && text.contains("1 passed");
    assert!(
        passed,
        "{text}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    false
}

/// The memory of this process that is in use, in bytes.
#[cfg(target_os = "linux")]
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = statm.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4096
}

#[cfg(target_os = "linux")]
#[test]
fn endless_heads_and_bodies_do_not_grow_memory() {
    if !alone(
        module_path!(),
        "endless_heads_and_bodies_do_not_grow_memory",
    ) {
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let sender = Sender::new(SenderSettings {
            deadline: SHORT,
            ..settings(sandbox())
        });
        let warm = Receiver::answering(OK).await;
        assert_eq!(status(&post(&sender, &warm.url()).await), Some(200));
        let before = resident();
        let chunked = format!(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10000\r\n{}\r\n",
            "x".repeat(65_536)
        );
        for (begin, again, expected) in [
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n",
                "x".repeat(65_536),
                Some(200),
            ),
            ("HTTP/1.1 200 OK\r\n\r\n", "x".repeat(65_536), Some(200)),
            (
                &chunked,
                format!("10000\r\n{}\r\n", "x".repeat(65_536)),
                Some(200),
            ),
            ("HTTP/1.1 200 OK\r\nX: ", "x".repeat(65_536), None),
            ("HTTP/1.1 200 OK\r\n", "X: y\r\n".repeat(10_000), None),
            ("", "HTTP/1.1 102 Processing\r\n\r\n".repeat(1_000), None),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;",
                "x".repeat(65_536),
                None,
            ),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
                "X: y\r\n".repeat(10_000),
                None,
            ),
        ] {
            let begin: Arc<str> = begin.into();
            let again: Arc<str> = again.into();
            let receiver = Receiver::playing(move |mut caller| {
                let (begin, again) = (begin.clone(), again.clone());
                async move {
                    caller.request().await?;
                    caller.tcp.write_all(begin.as_bytes()).await?;
                    for _ in 0..(1 << 30) / again.len() {
                        caller.tcp.write_all(again.as_bytes()).await?;
                    }
                    Ok(())
                }
            })
            .await;
            for _ in 0..3 {
                let sent = post(&sender, &receiver.url()).await;
                assert_eq!(status(&sent), expected, "{:?}", sent.outcome);
                assert!(sent.response_body.len() <= 16 * 1024);
                assert_eq!(sent.response_truncated, expected.is_some());
            }
        }
        let grown = resident().saturating_sub(before);
        assert!(grown < 10_000_000, "grown by {grown} bytes");
    });
}
