//! The bytes of an exchange, and the part of the answer that is kept.

use super::*;

#[tokio::test]
async fn what_is_given_is_what_is_sent() {
    let (heard, mut hear) = tokio::sync::mpsc::unbounded_channel();
    let receiver = Receiver::playing(move |mut caller| {
        let heard = heard.clone();
        async move {
            while let Some(request) = caller.request().await? {
                heard.send(request).unwrap();
                caller.tcp.write_all(OK).await?;
            }
            Ok(())
        }
    })
    .await;
    let url = format!(
        "http://user:password@{}/a%20b/\u{fc}?c=d&e#f",
        receiver.address
    );
    let headers: &[(&str, &[u8])] = &[
        ("Content-Type", b"application/json"),
        ("Authorization", b"Basic caf\xc3\xa9\xff\t= "),
        ("X-Twice", b"1"),
        ("X-Twice", b"2"),
    ];
    let body = Bytes::from_static(b"{ \"n\" : 1.10 }\n");
    let sent = sender()
        .send(&url, headers, body, Timestamp::UNIX_EPOCH)
        .await
        .unwrap();
    assert_eq!(status(&sent), Some(200));
    let before = b"POST /a%20b/%C3%BC?c=d&e HTTP/1.1\r\ncontent-type: application/json\r\n";
    let verbatim = b"authorization: Basic caf\xc3\xa9\xff\t= \r\nx-twice: 1\r\nx-twice: 2\r\n";
    let after = format!(
        "user-agent: truehook/{}\r\ncontent-length: 15\r\nhost: {}\r\n\r\n{{ \"n\" : 1.10 }}\n",
        env!("CARGO_PKG_VERSION"),
        receiver.address
    );
    let expected = [&before[..], verbatim, after.as_bytes()].concat();
    let heard = hear.recv().await.unwrap();
    assert_eq!(
        heard.escape_ascii().to_string(),
        expected.escape_ascii().to_string()
    );
}

#[tokio::test]
async fn a_user_agent_that_is_given_replaces_ours() {
    let (heard, mut hear) = tokio::sync::mpsc::unbounded_channel();
    let receiver = Receiver::playing(move |mut caller| {
        let heard = heard.clone();
        async move {
            heard.send(caller.request().await?.unwrap()).unwrap();
            caller.tcp.write_all(OK).await
        }
    })
    .await;
    let headers: &[(&str, &[u8])] = &[("User-Agent", b"other/1")];
    let url = receiver.url();
    let sent = sender()
        .send(&url, headers, Bytes::new(), Timestamp::UNIX_EPOCH)
        .await
        .unwrap();
    assert_eq!(status(&sent), Some(200));
    let heard = String::from_utf8(hear.recv().await.unwrap()).unwrap();
    assert!(heard.contains("user-agent: other/1\r\n"), "{heard}");
    assert!(!heard.contains("truehook"), "{heard}");
    assert!(heard.contains("content-length: 0\r\n"), "{heard}");
}

#[tokio::test]
async fn a_header_that_http_forbids_fails_without_telling_its_value() {
    let receiver = Receiver::answering(OK).await;
    let forbidden: [&[u8]; 4] = [b"secret\r\nX: y", b"secret\n", b"secret\0", b"secret\x7f"];
    for value in forbidden {
        let headers: &[(&str, &[u8])] = &[("Authorization", value)];
        let sent = sender()
            .send(
                &receiver.url(),
                headers,
                Bytes::new(),
                Timestamp::UNIX_EPOCH,
            )
            .await
            .unwrap();
        assert_eq!(
            failed(&sent),
            "the header `Authorization` cannot be sent: HTTP does not allow its value"
        );
    }
    assert_eq!(receiver.connections(), 0);
}

#[tokio::test]
async fn a_connection_is_kept_and_only_its_first_request_reports_how_it_was_opened() {
    let receiver = Receiver::answering(OK).await;
    let sender = sender();
    let first = post(&sender, &receiver.url()).await;
    let second = post(&sender, &receiver.url()).await;
    for sent in [&first, &second] {
        assert_eq!(status(sent), Some(200));
        assert_eq!(sent.response_body, b"ok");
        assert!(!sent.response_truncated);
        assert!(sent.timing.first_byte.unwrap() <= sent.timing.total);
        assert_eq!(sent.timing.queue, Duration::ZERO);
    }
    assert!(first.timing.connect.unwrap() <= first.timing.first_byte.unwrap());
    assert_eq!(second.timing.connect, None);
    assert_eq!((receiver.connections(), receiver.requests()), (1, 2));
}

#[tokio::test]
async fn at_most_so_many_connections_wait_for_their_next_request() {
    // Answers when all requests of a round are there, so that each has a connection of its own.
    let round = Arc::new(tokio::sync::Barrier::new(8));
    let receiver = Receiver::playing(move |mut caller| {
        let round = round.clone();
        async move {
            while caller.request().await?.is_some() {
                round.wait().await;
                caller.tcp.write_all(OK).await?;
            }
            Ok(())
        }
    })
    .await;
    let sender = Sender::new(SenderSettings {
        idle: 2,
        ..settings(sandbox())
    });
    for _ in 0..2 {
        let url = receiver.url();
        let all: Vec<_> = (0..8)
            .map(|_| {
                let (sender, url) = (sender.clone(), url.clone());
                tokio::spawn(async move { post(&sender, &url).await })
            })
            .collect();
        for one in all {
            assert_eq!(status(&one.await.unwrap()), Some(200));
        }
    }
    // Eight for the first round; two of them remain, so that the second opens six.
    assert_eq!(receiver.connections(), 14);
}

#[tokio::test]
async fn a_connection_that_waited_too_long_is_not_used_again() {
    let receiver = Receiver::answering(OK).await;
    let sender = Sender::new(SenderSettings {
        idle_timeout: SHORT,
        ..settings(sandbox())
    });
    assert_eq!(status(&post(&sender, &receiver.url()).await), Some(200));
    pause(SHORT * 2).await;
    assert!(
        post(&sender, &receiver.url())
            .await
            .timing
            .connect
            .is_some()
    );
    assert_eq!(receiver.connections(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_was_closed_between_requests_costs_no_attempt() {
    let (closed, mut wait) = tokio::sync::mpsc::unbounded_channel();
    let receiver = Receiver::playing(move |mut caller| {
        let closed = closed.clone();
        async move {
            caller.request().await?;
            caller.tcp.write_all(OK).await?;
            drop(caller.tcp);
            closed.send(()).unwrap();
            Ok(())
        }
    })
    .await;
    let sender = sender();
    for round in 0..500 {
        let sent = post(&sender, &receiver.url()).await;
        assert_eq!(status(&sent), Some(200), "{round}: {:?}", sent.outcome);
        wait.recv().await.unwrap();
    }
    assert_eq!((receiver.connections(), receiver.requests()), (500, 500));
}

#[tokio::test]
async fn a_request_that_was_read_and_not_answered_is_not_sent_again() {
    let receiver = Receiver::playing(|mut caller| async move {
        caller.request().await?;
        caller.tcp.write_all(OK).await?;
        caller.request().await?;
        Ok(())
    })
    .await;
    let sender = sender();
    assert_eq!(status(&post(&sender, &receiver.url()).await), Some(200));
    let sent = post(&sender, &receiver.url()).await;
    assert_eq!(
        failed(&sent),
        "the connection broke: connection closed before message completed"
    );
    assert_eq!((receiver.connections(), receiver.requests()), (1, 2));
}

#[tokio::test]
async fn redirects_are_answers_and_are_not_followed() {
    let target = Receiver::answering(OK).await;
    let sender = sender();
    for redirect in [300, 301, 302, 303, 304, 305, 307, 308] {
        let receiver = Receiver::answering(format!(
            "HTTP/1.1 {redirect} Moved\r\nLocation: {}\r\nContent-Length: 0\r\n\r\n",
            target.url()
        ))
        .await;
        let sent = post(&sender, &receiver.url()).await;
        assert_eq!(status(&sent), Some(redirect));
        assert!(!sent.outcome.is_success());
        assert_eq!(receiver.requests(), 1);
    }
    assert_eq!((target.connections(), target.requests()), (0, 0));
}

#[tokio::test]
async fn every_status_is_an_answer_with_its_body_and_retry_after() {
    let sender = sender();
    for code in [200, 201, 204, 226, 400, 404, 410, 429, 500, 503, 599, 999] {
        let length = if code == 204 {
            ""
        } else {
            "Content-Length: 3\r\n"
        };
        let receiver = Receiver::answering(format!(
            "HTTP/1.1 {code} Whatever\r\nRetry-After: 120\r\n{length}\r\n{}",
            if code == 204 { "" } else { "why" }
        ))
        .await;
        let sent = post(&sender, &receiver.url()).await;
        let expected = Outcome::Answered {
            status: code,
            retry_after: Some(Duration::from_secs(120)),
        };
        assert_eq!(sent.outcome, expected);
        assert_eq!(sent.outcome.is_success(), code < 300);
        assert_eq!(
            sent.response_body,
            if code == 204 { &b""[..] } else { b"why" }
        );
    }
}

#[tokio::test]
async fn the_date_of_retry_after_is_compared_with_now() {
    let receiver = Receiver::answering(
        "HTTP/1.1 503 Later\r\nRetry-After: Thu, 01 Jan 1970 00:05:00 GMT\r\nContent-Length: 0\r\n\r\n",
    )
    .await;
    let sent = post(&sender(), &receiver.url()).await;
    let expected = Outcome::Answered {
        status: 503,
        retry_after: Some(Duration::from_secs(300)),
    };
    assert_eq!(sent.outcome, expected);
}

#[tokio::test]
async fn a_body_is_kept_up_to_one_bound_and_read_up_to_another() {
    let sender = sender();
    for (length, kept, truncated, connections) in [
        (0, 0, false, 1),
        (16 * 1024, 16 * 1024, false, 1),
        (16 * 1024 + 1, 16 * 1024, true, 1),
        (60 * 1024, 16 * 1024, true, 1),
        (1024 * 1024, 16 * 1024, true, 2),
    ] {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n");
        let body: Vec<u8> = (0..=255).cycle().take(length).collect();
        let receiver = Receiver::answering([head.as_bytes(), &body].concat()).await;
        for _ in 0..2 {
            let sent = post(&sender, &receiver.url()).await;
            assert_eq!(status(&sent), Some(200));
            assert!(sent.response_body == body[..kept], "{length}");
            assert_eq!(sent.response_truncated, truncated, "{length}");
        }
        assert_eq!(receiver.connections(), connections, "{length}");
    }
}

#[tokio::test]
async fn a_chunked_body_and_one_that_ends_with_its_connection_are_read_to_their_end() {
    for answer in [
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Trailer: y\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\nok",
        "HTTP/1.0 200 OK\r\n\r\nok",
    ] {
        let receiver = Receiver::playing(move |mut caller| async move {
            caller.request().await?;
            caller.tcp.write_all(answer.as_bytes()).await
        })
        .await;
        let sent = post(&sender(), &receiver.url()).await;
        assert_eq!(status(&sent), Some(200), "{answer}");
        assert_eq!(sent.response_body, b"ok");
        assert!(!sent.response_truncated);
    }
}

#[tokio::test]
async fn a_refused_connection_and_a_name_without_address_fail_with_a_reason() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    let sent = post(&sender(), &format!("http://{address}/")).await;
    let reason = failed(&sent);
    assert!(
        reason.starts_with(&format!("cannot connect to {address}: Connection refused")),
        "{reason}"
    );
    assert_eq!(sent.timing.connect, None);

    let sent = post(&sender(), "http://receiver.invalid/").await;
    assert_eq!(
        failed(&sent),
        "cannot resolve `receiver.invalid`: no such name"
    );

    let nowhere = Sender::new(SenderSettings {
        resolver: Script::new(&[&[]]),
        ..settings(sandbox())
    });
    let sent = post(&nowhere, "http://receiver.test/").await;
    assert_eq!(failed(&sent), "`receiver.test` has no address");
}

/// Whenever the receiver resets the connection, the error says the same.
#[tokio::test]
async fn a_reset_is_the_same_error_in_every_part_of_an_exchange() {
    for (sent_first, came) in [
        (&b""[..], None),
        (b"HTTP/1.1 200 OK\r\nContent-Le", None),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",
            Some(200),
        ),
        (
            b"HTTP/1.1 500 E\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhalf",
            Some(500),
        ),
    ] {
        let receiver = Receiver::playing(move |mut caller| async move {
            caller.request().await?;
            caller.tcp.write_all(sent_first).await?;
            // What was sent first is to be read before the reset takes it away.
            pause(Duration::from_millis(100)).await;
            socket2::SockRef::from(&caller.tcp).set_linger(Some(Duration::ZERO))
        })
        .await;
        let sent = post(&sender(), &receiver.url()).await;
        let text = String::from_utf8_lossy(sent_first);
        assert_eq!(
            failed(&sent),
            "the connection broke: Connection reset by peer (os error 104)",
            "{text}"
        );
        assert_eq!(sent.outcome.status(), came, "{text}");
    }
}
