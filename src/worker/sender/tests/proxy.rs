//! Through an HTTP proxy: what it is asked for, and what its failures come to.

use tokio::io::copy_bidirectional;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::tls::{secure, trusting_settings, url};
use super::*;
use crate::config::EgressProxy;
use crate::domain::{Lack, Secret};

/// A proxy on loopback, and the heads of what it was asked.
struct Tunnels {
    receiver: Receiver,
    asked: UnboundedReceiver<String>,
}

impl Tunnels {
    /// A proxy that connects every tunnel to the port that is asked for, on this machine.
    async fn open() -> Self {
        Self::start(None).await
    }

    /// A proxy that answers every request with these bytes.
    async fn answering(answer: &'static str) -> Self {
        Self::start(Some(answer)).await
    }

    async fn start(answer: Option<&'static str>) -> Self {
        let (heard, asked) = unbounded_channel();
        let receiver = Receiver::playing(move |mut caller| {
            let heard = heard.clone();
            async move {
                let head = caller.request().await?.unwrap_or_default();
                let head = String::from_utf8(head).unwrap();
                let target = head.split(' ').nth(1).unwrap_or_default().to_owned();
                heard.send(head).unwrap();
                if let Some(answer) = answer {
                    caller.tcp.write_all(answer.as_bytes()).await?;
                    return caller.request().await.map(drop);
                }
                let port = target.rsplit(':').next().unwrap();
                let mut receiver = TcpStream::connect(format!("127.0.0.1:{port}")).await?;
                let opened = b"HTTP/1.1 200 Connection established\r\n\r\n";
                caller.tcp.write_all(opened).await?;
                copy_bidirectional(&mut caller.tcp, &mut receiver)
                    .await
                    .map(drop)
            }
        })
        .await;
        Self { receiver, asked }
    }

    fn settings(&self) -> EgressProxy {
        EgressProxy {
            host: "127.0.0.1".to_owned(),
            port: self.receiver.address.port(),
            credentials: None,
            resolves: false,
        }
    }

    /// Returns the request lines that it received.
    fn request_lines(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        while let Ok(head) = self.asked.try_recv() {
            lines.push(head.lines().next().unwrap().to_owned());
        }
        lines
    }
}

fn through(proxy: EgressProxy) -> Sender {
    Sender::new(SenderSettings {
        proxy: Some(proxy),
        ..trusting_settings()
    })
}

#[tokio::test]
async fn every_receiver_is_reached_by_a_tunnel_to_the_address_that_was_vetted() {
    let plain = Receiver::answering(OK).await;
    let secure = secure(&[b"h2"]).await;
    let mut tunnels = Tunnels::open().await;
    let sender = through(tunnels.settings());
    let plain_url = format!("http://receiver.test:{}/hook", plain.address.port());
    for url in [plain_url, url(&secure, "receiver.test")] {
        for first in [true, false] {
            let sent = post(&sender, &url).await;
            assert_eq!(status(&sent), Some(200), "{:?}", sent.outcome);
            assert_eq!(sent.timing.connect.is_some(), first);
        }
    }
    let expected = [plain.address, secure.address].map(|to| format!("CONNECT {to} HTTP/1.1"));
    assert_eq!(tunnels.request_lines(), expected);
    assert_eq!((plain.requests(), secure.requests()), (2, 2));
}

#[tokio::test]
async fn credentials_are_for_the_proxy_alone() {
    let (heard, mut hear) = unbounded_channel();
    let receiver = Receiver::playing(move |mut caller| {
        let heard = heard.clone();
        async move {
            heard.send(caller.request().await?.unwrap()).unwrap();
            caller.tcp.write_all(OK).await
        }
    })
    .await;
    let mut tunnels = Tunnels::open().await;
    let sender = through(EgressProxy {
        credentials: Some(Secret::new("Aladdin:open sesame")),
        ..tunnels.settings()
    });
    assert_eq!(status(&post(&sender, &receiver.url()).await), Some(200));
    // RFC 7617, section 2.
    let asked = tunnels.asked.recv().await.unwrap();
    assert!(asked.contains("\r\nproxy-authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n"));
    assert!(asked.contains(&format!("\r\nhost: {}\r\n", receiver.address)));
    let request = String::from_utf8(hear.recv().await.unwrap()).unwrap();
    assert!(!request.to_lowercase().contains("proxy"), "{request}");
}

#[tokio::test]
async fn the_proxy_is_never_asked_for_an_address_that_is_not_allowed() {
    let mut tunnels = Tunnels::open().await;
    for resolves in [false, true] {
        let sender = Sender::new(SenderSettings {
            proxy: Some(EgressProxy {
                resolves,
                ..tunnels.settings()
            }),
            ..settings(AddressPolicy {
                http: true,
                ..AddressPolicy::default()
            })
        });
        let mut forbidden = vec![
            "127.0.0.1",
            "[::1]",
            "2130706433",
            "169.254.169.254",
            "10.0.0.1",
        ];
        if !resolves {
            forbidden.push("receiver.test");
        }
        for host in forbidden {
            let sent = post(&sender, &format!("http://{host}/")).await;
            refused(&sent);
        }
    }
    assert_eq!(tunnels.request_lines(), Vec::<String>::new());
    assert_eq!(tunnels.receiver.connections(), 0);
}

#[tokio::test]
async fn a_proxy_that_resolves_is_asked_for_the_name() {
    let receiver = secure(&[b"http/1.1"]).await;
    let mut tunnels = Tunnels::open().await;
    let resolver = Script::new(&[&["127.0.0.1"]]);
    let sender = Sender::new(SenderSettings {
        proxy: Some(EgressProxy {
            resolves: true,
            ..tunnels.settings()
        }),
        resolver: resolver.clone(),
        ..trusting_settings()
    });
    let sent = post(&sender, &url(&receiver, "receiver.test")).await;
    assert_eq!(status(&sent), Some(200), "{:?}", sent.outcome);
    let expected = format!("CONNECT receiver.test:{} HTTP/1.1", receiver.address.port());
    assert_eq!(tunnels.request_lines(), [expected]);
    assert_eq!(resolver.asked.load(Ordering::SeqCst), 0);
    // The certificate has to be that of the name all the same.
    let sent = post(&sender, &url(&receiver, "other.test")).await;
    assert!(failed(&sent).starts_with("TLS with `other.test` failed"));
}

#[tokio::test]
async fn what_the_proxy_says_of_a_receiver_is_an_outcome() {
    let url = "http://receiver.test:8/";
    for (answer, expected) in [
        (
            "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n",
            "the egress proxy cannot connect to `127.0.0.1:8` (502)",
        ),
        (
            "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\n\r\n",
            "the egress proxy cannot connect to `127.0.0.1:8` (302)",
        ),
        (
            "",
            "the egress proxy broke off: connection closed before message completed",
        ),
        (
            "SSH-2.0-x\r\n\r\n",
            "the egress proxy broke off: invalid HTTP version parsed",
        ),
        (
            "HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
            "the egress proxy sent more than its answer",
        ),
    ] {
        let tunnels = Tunnels::answering(answer).await;
        let sent = if answer.is_empty() {
            let closing =
                Receiver::playing(|mut caller| async move { caller.request().await.map(drop) })
                    .await;
            let proxy = EgressProxy {
                port: closing.address.port(),
                ..tunnels.settings()
            };
            post(&through(proxy), url).await
        } else {
            post(&through(tunnels.settings()), url).await
        };
        assert_eq!(failed(&sent), expected);
    }
    let tunnels = Tunnels::answering("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n").await;
    let sent = post(&through(tunnels.settings()), url).await;
    assert_eq!(
        refused(&sent),
        "the egress proxy refuses `127.0.0.1:8` (403)"
    );
}

#[tokio::test]
async fn a_proxy_that_cannot_be_used_is_not_held_against_the_receiver() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    let wants_others = "HTTP/1.1 407 Who\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n";
    let tunnels = Tunnels::answering(wants_others).await;
    let gone = EgressProxy {
        port: address.port(),
        ..tunnels.settings()
    };
    for proxy in [gone, tunnels.settings()] {
        let sent = through(proxy)
            .send(
                "http://receiver.test/",
                &[],
                Bytes::new(),
                Timestamp::UNIX_EPOCH,
            )
            .await;
        assert_eq!(sent.unwrap_err(), Lack::Proxy);
    }
}

#[tokio::test]
async fn a_tunnel_that_does_not_open_ends_at_the_deadline() {
    let receiver = Receiver::playing(|mut caller| async move {
        caller.request().await?;
        pending().await
    })
    .await;
    let sender = Sender::new(SenderSettings {
        deadline: SHORT,
        proxy: Some(EgressProxy {
            host: "127.0.0.1".to_owned(),
            port: receiver.address.port(),
            credentials: None,
            resolves: false,
        }),
        ..settings(sandbox())
    });
    let sent = post(&sender, "http://receiver.test/").await;
    assert_eq!(sent.outcome, Outcome::TimedOut { status: None });
}
