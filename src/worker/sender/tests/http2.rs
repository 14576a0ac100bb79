//! HTTP/2 receivers that end a connection, or refuse a stream, with requests under way.

use std::collections::HashSet;

use tokio_rustls::server::TlsStream;

use super::tls::{acceptor, trusting, url};
use super::*;

// RFC 9113, section 6.
const DATA: u8 = 0x0;
const HEADERS: u8 = 0x1;
const RST_STREAM: u8 = 0x3;
const SETTINGS: u8 = 0x4;
const PING: u8 = 0x6;
const GOAWAY: u8 = 0x7;
const END_STREAM: u8 = 0x1;
const ACK: u8 = 0x1;
const END_HEADERS: u8 = 0x4;
const REFUSED_STREAM: u32 = 0x7;

/// The answer of a receiver to the streams that are too many for a connection.
#[derive(Clone, Copy)]
enum Excess {
    /// Names the last stream that it processes, once there is one too many.
    GoAway,
    /// Names the last stream with its request, answers it and closes, as nginx does after `keepalive_requests`.
    Close,
    /// Resets each of them.
    Refuse,
}

/// The requests that a receiver saw.
#[derive(Default)]
struct Seen {
    processed: AtomicUsize,
    unprocessed: AtomicUsize,
}

/// One connection, frame by frame.
struct Frames {
    tls: TlsStream<TcpStream>,
}

impl Frames {
    async fn read(&mut self) -> io::Result<(u8, u8, u32, Vec<u8>)> {
        let mut head = [0; 9];
        self.tls.read_exact(&mut head).await?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
        let mut payload = vec![0; usize::try_from(length).unwrap()];
        self.tls.read_exact(&mut payload).await?;
        Ok((head[3], head[4], stream, payload))
    }

    async fn write(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) -> io::Result<()> {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        let mut frame = vec![length[1], length[2], length[3], kind, flags];
        frame.extend(stream.to_be_bytes());
        frame.extend(payload);
        self.tls.write_all(&frame).await?;
        self.tls.flush().await
    }

    async fn go_away(&mut self, last: u32) -> io::Result<()> {
        let payload = [last.to_be_bytes(), [0; 4]].concat();
        self.write(GOAWAY, 0, 0, &payload).await
    }

    /// Answers 200 to `most` requests, and does with the others as `excess` says.
    async fn serve(mut self, most: usize, excess: Excess, seen: &Seen) -> io::Result<()> {
        self.tls.read_exact(&mut [0; 24]).await?;
        self.write(SETTINGS, 0, 0, &[]).await?;
        let mut taken = HashSet::new();
        let (mut last, mut gone, mut answered) = (0, false, 0);
        loop {
            let (kind, flags, stream, payload) = self.read().await?;
            match kind {
                SETTINGS if flags & ACK == 0 => self.write(SETTINGS, ACK, 0, &[]).await?,
                PING if flags & ACK == 0 => self.write(PING, ACK, 0, &payload).await?,
                HEADERS if taken.len() < most && !gone => {
                    taken.insert(stream);
                    last = stream;
                    if taken.len() == most && matches!(excess, Excess::Close) {
                        gone = true;
                        self.go_away(last).await?;
                    }
                }
                HEADERS => {
                    seen.unprocessed.fetch_add(1, Ordering::SeqCst);
                    match excess {
                        Excess::GoAway | Excess::Close if gone => {}
                        Excess::GoAway | Excess::Close => {
                            gone = true;
                            self.go_away(last).await?;
                        }
                        Excess::Refuse => {
                            let reason = REFUSED_STREAM.to_be_bytes();
                            self.write(RST_STREAM, 0, stream, &reason).await?;
                        }
                    }
                }
                DATA if flags & END_STREAM != 0 && taken.contains(&stream) => {
                    seen.processed.fetch_add(1, Ordering::SeqCst);
                    answered += 1;
                    // `:status: 200` in the static table (RFC 7541, appendix A).
                    self.write(HEADERS, END_HEADERS | END_STREAM, stream, &[0x88])
                        .await?;
                    if answered == most && matches!(excess, Excess::Close) {
                        self.tls.shutdown().await?;
                        // Closing with unread bytes would reset the connection, and the answers with it.
                        while self.tls.read(&mut [0; 1024]).await? > 0 {}
                        return Ok(());
                    }
                }
                _ => {}
            }
        }
    }
}

async fn receiver(most: usize, excess: Excess, seen: Arc<Seen>) -> Receiver {
    let acceptor = acceptor(&[b"h2"]);
    Receiver::playing(move |caller| {
        let (acceptor, seen) = (acceptor.clone(), seen.clone());
        async move {
            let tls = acceptor.accept(caller.tcp).await?;
            Frames { tls }.serve(most, excess, &seen).await
        }
    })
    .await
}

/// Sends so many requests at once over one connection; gives what came of them.
async fn burst(sender: &Sender, url: &str, count: usize) -> Vec<Sent> {
    assert_eq!(status(&post(sender, url).await), Some(200));
    let all: Vec<_> = (0..count)
        .map(|_| {
            let (sender, url) = (sender.clone(), url.to_owned());
            tokio::spawn(async move { post(&sender, &url).await })
        })
        .collect();
    let mut sent = Vec::new();
    for one in all {
        sent.push(one.await.unwrap());
    }
    sent
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_that_were_not_processed_are_repeated_at_once_and_processed_once() {
    for excess in [Excess::GoAway, Excess::Close, Excess::Refuse] {
        for most in [1, 7] {
            let seen = Arc::new(Seen::default());
            let receiver = receiver(most, excess, seen.clone()).await;
            let sender = trusting();
            for round in 1..=5 {
                let all = burst(&sender, &url(&receiver, "receiver.test"), 60).await;
                for sent in all {
                    assert_eq!(status(&sent), Some(200), "{:?}", sent.outcome);
                }
                assert_eq!(seen.processed.load(Ordering::SeqCst), round * 61);
                assert!(sender.idle() <= 1, "{} are kept", sender.idle());
            }
            let is_close = matches!(excess, Excess::Close);
            assert!(is_close || seen.unprocessed.load(Ordering::SeqCst) > 0);
        }
    }
}

#[tokio::test]
async fn a_receiver_that_processes_nothing_is_not_asked_for_ever() {
    for excess in [Excess::GoAway, Excess::Refuse] {
        let seen = Arc::new(Seen::default());
        let receiver = receiver(0, excess, seen.clone()).await;
        let sent = post(&trusting(), &url(&receiver, "receiver.test")).await;
        assert!(failed(&sent).starts_with("the connection broke: "));
        assert_eq!(seen.unprocessed.load(Ordering::SeqCst), 10);
        assert_eq!(receiver.connections(), 10);
    }
}

#[tokio::test]
async fn a_busy_http_2_connection_is_replaced_in_time() {
    let seen = Arc::new(Seen::default());
    let receiver = receiver(usize::MAX, Excess::GoAway, seen.clone()).await;
    let sender = Sender::new(SenderSettings {
        max_age: SHORT,
        ..super::tls::trusting_settings()
    });
    let url = url(&receiver, "receiver.test");
    let began = std::time::Instant::now();
    while receiver.connections() < 2 {
        for sent in burst(&sender, &url, 4).await {
            assert_eq!(status(&sent), Some(200), "{:?}", sent.outcome);
        }
        assert!(began.elapsed() < LONG, "the connection is never replaced");
    }
    assert!(began.elapsed() >= SHORT);
}
