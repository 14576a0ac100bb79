//! Which connections are kept, for how long, and which are closed.

use super::*;

/// How many connections to a receiver are open, as the receiver sees it.
#[derive(Clone, Default)]
struct Open(Arc<AtomicUsize>);

impl Open {
    /// A receiver on `address` that answers everything and counts its open connections here.
    async fn receiver(&self, address: (Ipv4Addr, u16)) -> Receiver {
        let open = self.0.clone();
        let listener = TcpListener::bind(address).await.unwrap();
        Receiver::on(listener, move |mut caller| {
            let open = open.clone();
            open.fetch_add(1, Ordering::SeqCst);
            async move {
                while let Ok(Some(_)) = caller.request().await {
                    caller.tcp.write_all(OK).await?;
                }
                open.fetch_sub(1, Ordering::SeqCst);
                Ok(())
            }
        })
    }

    async fn become_at_most(&self, count: usize) {
        let wait = async {
            while self.0.load(Ordering::SeqCst) > count {
                pause(SHORT / 10).await;
            }
        };
        assert!(
            timeout(LONG, wait).await.is_ok(),
            "{} connections stay open",
            self.0.load(Ordering::SeqCst)
        );
    }
}

#[tokio::test]
async fn idle_connections_are_bounded_over_all_receivers_and_the_least_recently_used_is_closed() {
    let open = Open::default();
    let mut receivers = Vec::new();
    for _ in 0..12 {
        receivers.push(open.receiver((Ipv4Addr::LOCALHOST, 0)).await);
    }
    let sender = Sender::new(SenderSettings {
        idle: 4,
        ..settings(sandbox())
    });
    for receiver in &receivers {
        assert_eq!(status(&post(&sender, &receiver.url()).await), Some(200));
    }
    open.become_at_most(4).await;
    // The last four have one, and the use of one makes it the last to go.
    for receiver in &receivers[8..] {
        assert_eq!(status(&post(&sender, &receiver.url()).await), Some(200));
        assert_eq!(receiver.connections(), 1);
    }
    assert_eq!(status(&post(&sender, &receivers[0].url()).await), Some(200));
    assert_eq!(receivers[0].connections(), 2);
    open.become_at_most(4).await;
    assert_eq!(status(&post(&sender, &receivers[8].url()).await), Some(200));
    assert_eq!(receivers[8].connections(), 2, "it was not the one to go");
}

#[tokio::test]
async fn no_connection_is_kept_where_none_may_be_idle() {
    let open = Open::default();
    let receiver = open.receiver((Ipv4Addr::LOCALHOST, 0)).await;
    let sender = Sender::new(SenderSettings {
        idle: 0,
        ..settings(sandbox())
    });
    for connections in 1..=3 {
        assert_eq!(status(&post(&sender, &receiver.url()).await), Some(200));
        assert_eq!(receiver.connections(), connections);
    }
    open.become_at_most(0).await;
}

#[tokio::test]
async fn connections_that_are_idle_too_long_are_closed_though_nothing_is_sent() {
    let open = Open::default();
    let receiver = open.receiver((Ipv4Addr::LOCALHOST, 0)).await;
    for limits in [(SHORT, LONG), (LONG, SHORT)] {
        let sender = Sender::new(SenderSettings {
            idle_timeout: limits.0,
            max_age: limits.1,
            ..settings(sandbox())
        });
        assert_eq!(status(&post(&sender, &receiver.url()).await), Some(200));
        open.become_at_most(0).await;
        drop(sender);
    }
}

#[tokio::test]
async fn a_busy_connection_is_replaced_in_time_and_the_name_is_resolved_again() {
    let open = Open::default();
    let old = open.receiver((Ipv4Addr::LOCALHOST, 0)).await;
    let port = old.address.port();
    let new = open.receiver((Ipv4Addr::new(127, 0, 0, 2), port)).await;
    let resolver = Script::new(&[&["127.0.0.1"], &["127.0.0.2"]]);
    let sender = Sender::new(SenderSettings {
        resolver: resolver.clone(),
        max_age: SHORT,
        ..settings(sandbox())
    });
    let url = format!("http://receiver.test:{port}/");
    let began = std::time::Instant::now();
    while new.requests() == 0 {
        assert_eq!(status(&post(&sender, &url).await), Some(200));
        assert!(began.elapsed() < LONG, "the old host keeps the connection");
    }
    assert!(began.elapsed() >= SHORT);
    assert!(old.requests() > 1, "the connection was not used again");
    assert_eq!((old.connections(), new.connections()), (1, 1));
    assert_eq!(resolver.asked.load(Ordering::SeqCst), 2);
}
