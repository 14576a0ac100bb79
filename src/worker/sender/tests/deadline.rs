//! One deadline for all parts of an attempt.

use std::time::Instant;

use super::*;

/// Sends with a short deadline and holds the attempt to it, loosely: the machine may be busy.
async fn times_out(url: &str) -> Sent {
    times_out_after(url, None).await
}

/// The same with a receiver that has sent this status before.
async fn times_out_after(url: &str, status: Option<u16>) -> Sent {
    let began = Instant::now();
    let sent = post(&hurried(), url).await;
    let took = began.elapsed();
    assert_eq!(sent.outcome, Outcome::TimedOut { status });
    assert!(
        took >= SHORT && took < SHORT + Duration::from_secs(5),
        "{took:?}"
    );
    assert!(sent.timing.total >= SHORT);
    sent
}

#[tokio::test]
async fn a_receiver_that_does_not_take_connections_is_waited_for_until_the_deadline() {
    let (address, _queue, _listener) = swallowing(Ipv4Addr::LOCALHOST, 0).await.unwrap();
    let sent = times_out(&format!("http://{address}/")).await;
    assert_eq!((sent.timing.connect, sent.timing.first_byte), (None, None));
}

#[tokio::test]
async fn a_receiver_that_never_answers_is_waited_for_until_the_deadline() {
    let receiver = Receiver::playing(|mut caller| async move {
        caller.request().await?;
        pending().await
    })
    .await;
    let sent = times_out(&receiver.url()).await;
    assert!(sent.timing.connect.is_some());
    assert_eq!(sent.timing.first_byte, None);
    assert_eq!(receiver.requests(), 1);
}

#[tokio::test]
async fn a_receiver_that_never_begins_tls_is_waited_for_until_the_deadline() {
    let receiver = Receiver::playing(|caller| async move {
        let _open = caller.tcp;
        pending().await
    })
    .await;
    let sent = times_out(&format!("https://{}/", receiver.address)).await;
    assert_eq!((sent.timing.connect, sent.timing.first_byte), (None, None));
    assert_eq!(receiver.connections(), 1);
}

#[tokio::test]
async fn a_name_that_is_looked_up_for_ever_is_waited_for_until_the_deadline() {
    struct Never;
    #[async_trait]
    impl Resolve for Never {
        async fn resolve(&self, _: &str) -> io::Result<Vec<IpAddr>> {
            pending().await
        }
    }
    let sender = Sender::new(SenderSettings {
        deadline: SHORT,
        resolver: Arc::new(Never),
        ..settings(sandbox())
    });
    let sent = post(&sender, "http://receiver.test/").await;
    assert_eq!(sent.outcome, Outcome::TimedOut { status: None });
}

#[tokio::test]
async fn a_head_that_drips_ends_at_the_deadline() {
    let receiver = Receiver::playing(|mut caller| async move {
        caller.request().await?;
        caller.tcp.write_all(b"HTTP/1.1 200 OK\r\nX: ").await?;
        loop {
            caller.tcp.write_all(b"x").await?;
            pause(SHORT / 10).await;
        }
    })
    .await;
    let sent = times_out(&receiver.url()).await;
    assert_eq!(sent.timing.first_byte, None);
}

#[tokio::test]
async fn a_body_that_drips_ends_at_the_deadline_and_what_came_of_it_is_kept() {
    let receiver = Receiver::playing(|mut caller| async move {
        caller.request().await?;
        let head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nx";
        caller.tcp.write_all(head).await?;
        loop {
            pause(Duration::from_secs(1)).await;
            caller.tcp.write_all(b"x").await?;
        }
    })
    .await;
    let sent = times_out_after(&receiver.url(), Some(200)).await;
    assert!(sent.timing.first_byte.is_some());
    assert_eq!(sent.response_body, b"x");
}

#[tokio::test]
async fn interim_answers_without_end_end_at_the_deadline() {
    let receiver = Receiver::playing(|mut caller| async move {
        caller.request().await?;
        loop {
            caller
                .tcp
                .write_all(b"HTTP/1.1 102 Processing\r\n\r\n")
                .await?;
        }
    })
    .await;
    times_out(&receiver.url()).await;
}

#[tokio::test]
async fn an_address_that_swallows_packets_does_not_hide_one_that_answers() {
    let receiver = Receiver::answering(OK).await;
    let port = receiver.address.port();
    let hole = Ipv4Addr::new(127, 0, 0, 3);
    let (_, _queue, _listener) = swallowing(hole, port).await.unwrap();
    let sender = Sender::new(SenderSettings {
        resolver: Script::new(&[&["127.0.0.3", "127.0.0.1"]]),
        ..settings(sandbox())
    });
    let began = Instant::now();
    let sent = post(&sender, &format!("http://receiver.test:{port}/")).await;
    assert_eq!(status(&sent), Some(200));
    assert!(began.elapsed() < LONG / 2, "{:?}", began.elapsed());
}

#[tokio::test]
async fn an_address_that_refuses_does_not_hide_one_that_answers() {
    let receiver = Receiver::answering(OK).await;
    let sender = Sender::new(SenderSettings {
        resolver: Script::new(&[&["::1", "127.0.0.4", "127.0.0.1", "127.0.0.5"]]),
        ..settings(sandbox())
    });
    let url = format!("http://receiver.test:{}/", receiver.address.port());
    assert_eq!(status(&post(&sender, &url).await), Some(200));
}

#[tokio::test]
async fn a_connection_that_timed_out_is_not_used_again() {
    let timed_out = Arc::new(tokio::sync::Semaphore::new(0));
    let over = timed_out.clone();
    let receiver = Receiver::playing(move |mut caller| {
        let over = over.clone();
        async move {
            caller.request().await?;
            over.acquire().await.unwrap().forget();
            caller
                .tcp
                .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate")
                .await
        }
    })
    .await;
    let sender = hurried();
    for connections in 1..=3 {
        assert_eq!(
            post(&sender, &receiver.url()).await.outcome,
            Outcome::TimedOut { status: None }
        );
        assert_eq!(receiver.connections(), connections);
        timed_out.add_permits(1);
    }
}
