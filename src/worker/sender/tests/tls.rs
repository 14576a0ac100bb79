//! `https`: both versions of HTTP, and certificates that are not valid for the host.

use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use super::super::trusted_roots;
use super::*;

fn certificate() -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(include_bytes!("certificate.pem")).unwrap()
}

pub(super) fn acceptor(protocols: &[&[u8]]) -> TlsAcceptor {
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("key.pem")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate()], key)
        .unwrap();
    config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    TlsAcceptor::from(Arc::new(config))
}

/// A receiver that speaks the first of these protocols that the client knows, and answers with the version and body of the request.
pub(super) async fn secure(protocols: &[&[u8]]) -> Receiver {
    let acceptor = acceptor(protocols);
    Receiver::playing(move |caller| {
        let acceptor = acceptor.clone();
        async move {
            let tls = acceptor.accept(caller.tcp).await?;
            let requests = caller.requests;
            let echo = service_fn(move |request: Request<Incoming>| {
                requests.fetch_add(1, Ordering::SeqCst);
                async move {
                    let version = format!("{:?} {} ", request.version(), request.uri().path());
                    let body = request.into_body().collect().await?.to_bytes();
                    let answer = [version.as_bytes(), &body].concat();
                    Ok::<_, hyper::Error>(Response::new(Full::new(Bytes::from(answer))))
                }
            });
            let is_http2 = tls.get_ref().1.alpn_protocol() == Some(b"h2");
            let stream = TokioIo::new(tls);
            let served = if is_http2 {
                let server = http2::Builder::new(TokioExecutor::new());
                server.serve_connection(stream, echo).await
            } else {
                http1::Builder::new().serve_connection(stream, echo).await
            };
            served.map_err(io::Error::other)
        }
    })
    .await
}

pub(super) fn trusting() -> Sender {
    Sender::new(trusting_settings())
}

pub(super) fn trusting_settings() -> SenderSettings {
    let mut roots = RootCertStore::empty();
    roots.add(certificate()).unwrap();
    SenderSettings {
        roots,
        ..settings(sandbox())
    }
}

pub(super) fn url(receiver: &Receiver, host: &str) -> String {
    format!("https://{host}:{}/hook", receiver.address.port())
}

#[tokio::test]
async fn both_versions_of_http_work_over_tls_and_keep_their_connection() {
    for (protocols, expected) in [
        (&[&b"h2"[..], b"http/1.1"][..], "HTTP/2.0"),
        (&[b"http/1.1"], "HTTP/1.1"),
        (&[], "HTTP/1.1"),
    ] {
        let receiver = secure(protocols).await;
        let sender = trusting();
        for first in [true, false] {
            let sent = post(&sender, &url(&receiver, "receiver.test")).await;
            assert_eq!(status(&sent), Some(200), "{:?}", sent.outcome);
            let heard = String::from_utf8(sent.response_body).unwrap();
            assert_eq!(heard, format!("{expected} /hook {{\"n\":1.10}}"));
            assert_eq!(sent.timing.connect.is_some(), first);
        }
        assert_eq!((receiver.connections(), receiver.requests()), (1, 2));
    }
}

#[tokio::test]
async fn a_certificate_may_be_for_an_address() {
    let receiver = secure(&[b"h2"]).await;
    let sent = post(&trusting(), &url(&receiver, "127.1")).await;
    assert_eq!(status(&sent), Some(200), "{:?}", sent.outcome);
}

#[tokio::test]
async fn a_name_may_end_in_a_dot() {
    let receiver = secure(&[b"h2"]).await;
    let sent = post(&trusting(), &url(&receiver, "receiver.test.")).await;
    assert_eq!(status(&sent), Some(200), "{:?}", sent.outcome);
}

#[tokio::test]
async fn many_requests_share_one_http_2_connection() {
    let receiver = secure(&[b"h2"]).await;
    let sender = trusting();
    let url = url(&receiver, "receiver.test");
    let mut opened = usize::from(post(&sender, &url).await.timing.connect.is_some());
    let all: Vec<_> = (0..100)
        .map(|_| {
            let (sender, url) = (sender.clone(), url.clone());
            tokio::spawn(async move { post(&sender, &url).await })
        })
        .collect();
    for one in all {
        let sent = one.await.unwrap();
        assert_eq!(status(&sent), Some(200), "{:?}", sent.outcome);
        opened += usize::from(sent.timing.connect.is_some());
    }
    assert_eq!(
        (receiver.connections(), receiver.requests(), opened),
        (1, 101, 1)
    );
}

#[tokio::test]
async fn an_http_2_body_is_read_up_to_its_bound_and_the_connection_survives() {
    let acceptor = acceptor(&[b"h2"]);
    let receiver = Receiver::playing(move |caller| {
        let acceptor = acceptor.clone();
        async move {
            let tls = acceptor.accept(caller.tcp).await?;
            let large = service_fn(|_: Request<Incoming>| async {
                let body = Bytes::from(vec![b'x'; 16 << 20]);
                Ok::<_, hyper::Error>(Response::new(Full::new(body)))
            });
            let server = http2::Builder::new(TokioExecutor::new());
            let served = server.serve_connection(TokioIo::new(tls), large).await;
            served.map_err(io::Error::other)
        }
    })
    .await;
    let sender = trusting();
    for _ in 0..20 {
        let sent = post(&sender, &url(&receiver, "receiver.test")).await;
        assert_eq!(status(&sent), Some(200), "{:?}", sent.outcome);
        assert_eq!(sent.response_body.len(), 16 * 1024);
        assert!(sent.response_truncated);
    }
    assert_eq!(receiver.connections(), 1);
}

#[tokio::test]
async fn a_certificate_that_is_not_valid_for_the_host_fails_with_a_reason() {
    let receiver = secure(&[b"h2"]).await;
    let sent = post(&trusting(), &url(&receiver, "other.test")).await;
    let reason = failed(&sent);
    assert!(
        reason.starts_with("TLS with `other.test` failed: invalid peer certificate: certificate not valid for name \"other.test\""),
        "{reason}"
    );
    // Self-signed, and not among those that the operating system trusts.
    let sender = Sender::new(SenderSettings {
        roots: trusted_roots(None).unwrap(),
        ..settings(sandbox())
    });
    let sent = post(&sender, &url(&receiver, "receiver.test")).await;
    assert_eq!(
        failed(&sent),
        "TLS with `receiver.test` failed: invalid peer certificate: UnknownIssuer"
    );
    assert_eq!(receiver.requests(), 0);
}

#[tokio::test]
async fn what_is_not_tls_fails_with_a_reason() {
    let receiver = Receiver::playing(|mut caller| async move {
        caller
            .tcp
            .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            .await?;
        caller.request().await.map(drop)
    })
    .await;
    let sent = post(&trusting(), &url(&receiver, "receiver.test")).await;
    let reason = failed(&sent);
    assert!(
        reason.starts_with("TLS with `receiver.test` failed: "),
        "{reason}"
    );
}

#[tokio::test]
async fn an_answer_that_ends_with_a_careless_close_is_complete_unless_it_gave_a_length() {
    for (answer, complete) in [
        ("HTTP/1.1 200 OK\r\n\r\nok", true),
        ("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok", false),
    ] {
        let acceptor = acceptor(&[]);
        let receiver = Receiver::playing(move |caller| {
            let acceptor = acceptor.clone();
            async move {
                let mut tls = acceptor.accept(caller.tcp).await?;
                read_request(&mut tls).await?;
                tls.write_all(answer.as_bytes()).await?;
                tls.flush().await
            }
        })
        .await;
        let sent = post(&trusting(), &url(&receiver, "receiver.test")).await;
        assert_eq!(status(&sent).is_some(), complete, "{:?}", sent.outcome);
        assert_eq!(sent.response_body, b"ok");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tls_connection_that_was_closed_between_requests_costs_no_attempt() {
    let (closed, mut wait) = tokio::sync::mpsc::unbounded_channel();
    let acceptor = acceptor(&[]);
    let receiver = Receiver::playing(move |caller| {
        let (acceptor, closed) = (acceptor.clone(), closed.clone());
        async move {
            let mut tls = acceptor.accept(caller.tcp).await?;
            read_request(&mut tls).await?;
            tls.write_all(OK).await?;
            tls.shutdown().await?;
            drop(tls);
            closed.send(()).unwrap();
            Ok(())
        }
    })
    .await;
    let sender = trusting();
    for round in 0..100 {
        let sent = post(&sender, &url(&receiver, "receiver.test")).await;
        assert_eq!(status(&sent), Some(200), "{round}: {:?}", sent.outcome);
        wait.recv().await.unwrap();
    }
    assert_eq!(receiver.connections(), 100);
}
